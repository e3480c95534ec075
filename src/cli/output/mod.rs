//! What commands print: tables for people; JSON, YAML and CSV for programs.

mod cells;
mod table;

use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use self::cells::{cell, flatten, unfolded};
use crate::{jobs::defused, render::gaps};
pub(super) use table::{Width, table};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Json,
    Yaml,
    Csv,
}

/// How a command prints what it found.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Output {
    /// Print a table, json, yaml or csv; by default a table on a terminal and JSON in a pipe
    #[arg(short = 'o', long = "output", value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Print ids alone, one a line
    #[arg(short, long, conflicts_with = "format")]
    pub(super) quiet: bool,
    /// Show all columns of a table, however wide
    #[arg(long)]
    pub(super) wide: bool,
}

impl Output {
    /// What was asked for; else a table on a terminal and JSON into a pipe.
    pub(super) fn format(&self) -> Format {
        self.format.unwrap_or(if io::stdout().is_terminal() { Format::Table } else { Format::Json })
    }

    /// Whether a person reads it.
    pub(super) fn is_table(&self) -> bool {
        !self.quiet && self.format() == Format::Table
    }

    /// How wide a table may get.
    pub(super) fn width(&self) -> Width {
        if self.wide { Width::Any } else { Width::of_terminal() }
    }

    /// Prints a result of a tool.
    pub(super) fn result(&self, out: &mut impl Write, result: &Value) -> io::Result<()> {
        if !self.is_table() {
            return self.data(out, result);
        }
        match result {
            Value::Object(fields) => match fields.get("items") {
                Some(Value::Array(items)) => list(out, fields, items, self.width()),
                _ => details(out, fields, self.width()),
            },
            other => writeln!(out, "{}", cell(other)),
        }
    }

    /// Prints a table as wide as the terminal.
    pub(super) fn table(&self, out: &mut impl Write, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
        table(out, header, rows.into_iter().collect(), self.width())
    }

    /// Prints a value for a program.
    pub(super) fn data(&self, out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
        let value = serde_json::to_value(value)?;
        if self.quiet {
            return quiet(out, &value);
        }
        match self.format() {
            Format::Json | Format::Table => json(out, &value),
            Format::Yaml => write!(out, "{}", serde_saphyr::to_string(&value).map_err(io::Error::other)?),
            Format::Csv => csv(out, &value),
        }
    }
}

/// Prints a value as JSON.
pub(super) fn json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string_pretty(value)?)
}

/// The things of a result: those of a list, else the one thing.
fn things(result: &Value) -> Vec<&Value> {
    match result {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => match fields.get("items") {
            Some(Value::Array(items)) => items.iter().collect(),
            _ => vec![result],
        },
        _ => vec![result],
    }
}

/// The id of each thing; of a thing that has none, its first field.
fn quiet(out: &mut impl Write, result: &Value) -> io::Result<()> {
    for thing in things(result) {
        let of_target = |it: &Value| it["target"]["id"].as_str().map(str::to_owned);
        let named = ["id", "job", "call_id"].iter().find_map(|it| thing[*it].as_str()).map(str::to_owned);
        let first = || thing.as_object().and_then(|it| it.values().next()).map_or_else(|| cell(thing), cell);
        writeln!(out, "{}", of_target(thing).or(named).unwrap_or_else(first))?;
    }
    Ok(())
}

/// A row for each thing. A cell that a spreadsheet would run has an apostrophe before it.
fn csv(out: &mut impl Write, result: &Value) -> io::Result<()> {
    let things = things(result);
    let mut rows = Vec::new();
    for thing in &things {
        let mut lines = Vec::new();
        match thing {
            Value::Object(fields) => flatten("", fields, &mut lines),
            other => lines.push(("value".to_owned(), cell(other))),
        }
        rows.push(lines);
    }
    let mut header: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !header.contains(&name.as_str()) {
            header.push(name);
        }
    }
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(&header)?;
    for row in &rows {
        let text = |name: &&str| row.iter().find(|it| it.0 == **name).map_or("", |it| it.1.as_str());
        writer.write_record(header.iter().map(|it| defused(text(it)).into_owned()))?;
    }
    writer.flush()
}

fn list(out: &mut impl Write, fields: &Map<String, Value>, items: &[Value], width: Width) -> io::Result<()> {
    if items.is_empty() {
        writeln!(out, "Nothing found.")?;
        return below(out, fields);
    }
    let rows = unfolded(items);
    let mut columns: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|it| it.keys()) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    // Names first, ids last.
    columns.sort_by_key(|it| *it == "id");
    let row = |item: &Map<String, Value>| columns.iter().map(|it| item.get(*it).map(cell).unwrap_or_default()).collect();
    table(out, &columns, rows.iter().map(|it| row(it)).collect(), width)?;
    let total = fields.get("total").and_then(Value::as_u64);
    match (fields.get("next_cursor").and_then(Value::as_str), total) {
        (Some(cursor), Some(total)) => writeln!(out, "\n{} of {total}. The rest: --all, or --cursor {cursor}", items.len())?,
        (Some(cursor), None) => writeln!(out, "\nThe rest: --all, or --cursor {cursor}")?,
        (None, _) => {}
    }
    below(out, fields)
}

/// What a list does not hold: the accounts that did not answer, and the rest of a batch.
fn below(out: &mut impl Write, fields: &Map<String, Value>) -> io::Result<()> {
    gaps(fields).iter().try_for_each(|it| writeln!(out, "{it}"))?;
    match fields.get("more").and_then(Value::as_u64) {
        Some(more) => writeln!(out, "{more} more: `rolecall jobs show ID`"),
        None => Ok(()),
    }
}

fn details(out: &mut impl Write, fields: &Map<String, Value>, width: Width) -> io::Result<()> {
    let whole = Map::new();
    // Lists inside, such as who can do something, or what became of each person of a batch: the things, and what is told beside them.
    let lists = fields.iter().filter_map(|(name, value)| match value {
        Value::Array(items) if items.iter().any(Value::is_object) => Some((name, items, &whole)),
        Value::Object(inner) => Some((name, inner.get("items")?.as_array().filter(|it| !it.is_empty())?, inner)),
        _ => None,
    });
    let mut lines = Vec::new();
    let is_line = |it: &Value| !it.as_array().is_some_and(|it| it.iter().any(Value::is_object));
    let rest: Map<String, Value> = fields.iter().filter(|it| is_line(it.1)).map(|(name, value)| (name.clone(), value.clone())).collect();
    flatten("", &rest, &mut lines);
    table::fields(out, lines, width)?;
    for (name, items, beside) in lists {
        writeln!(out, "\n{name}:")?;
        list(out, beside, items, width)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use serde_json::json;

    use super::*;

    fn printed(value: &Value) -> String {
        let mut out = Vec::new();
        Output { format: Some(Format::Table), ..Output::default() }.result(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_list_is_a_table_with_ids_last() {
        let text = printed(&json!({
            "items": [{ "project": "Atlas", "id": "prj_1" }, { "project": "Borealis", "id": "prj_2", "team": "Core" }],
            "shown": 2, "has_more": true, "next_cursor": "abc", "total": 5
        }));
        let lines: Vec<Vec<&str>> = text.lines().map(|it| it.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["PROJECT", "TEAM", "ID"]);
        assert_eq!(lines[1], ["Atlas", "prj_1"]);
        assert_eq!(lines[2], ["Borealis", "Core", "prj_2"]);
        assert!(text.ends_with("2 of 5. The rest: --all, or --cursor abc\n"), "{text}");
    }

    #[test]
    fn an_object_is_a_line_per_field() {
        let text =
            printed(&json!({ "status": "done", "target": { "kind": "project", "name": "Atlas" }, "undo": null, "roles": ["a", "b"] }));
        let lines: Vec<Vec<&str>> = text.lines().map(|it| it.split_whitespace().collect()).collect();
        assert_eq!(lines, [vec!["status", "done"], vec!["target.kind", "project"], vec!["target.name", "Atlas"], vec!["roles", "a,", "b"]]);
    }

    #[test]
    fn things_inside_are_tables_of_their_own() {
        let text = printed(
            &json!({ "answer": "2 can", "people": [{ "who": "ana", "id": "1" }, { "who": "bo", "id": "2" }], "after": { "items": [] } }),
        );
        let lines: Vec<Vec<&str>> = text.lines().map(|it| it.split_whitespace().collect()).collect();
        assert_eq!(lines, [vec!["answer", "2", "can"], vec![], vec!["people:"], vec!["WHO", "ID"], vec!["ana", "1"], vec!["bo", "2"]]);
    }

    fn told(value: &Value, format: Format) -> String {
        let mut out = Vec::new();
        Output { format: Some(format), ..Output::default() }.result(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn programs_get_yaml_and_csv_that_no_spreadsheet_runs() {
        let found = json!({ "items": [{ "project": "=1+1", "id": "prj_1" }, { "project": "Bo, \"B\"", "owner": { "email": "ana@acme.example" } }] });
        assert_eq!(told(&found, Format::Csv), "project,id,owner.email\n'=1+1,prj_1,\n\"Bo, \"\"B\"\"\",,ana@acme.example\n");
        assert_eq!(told(&json!({ "a": [1, true], "b": null }), Format::Yaml).trim(), "a:\n- 1\n- true\nb: null");
    }

    #[test]
    fn quiet_prints_ids_alone() {
        let quiet = |value: &Value| {
            let mut out = Vec::new();
            Output { quiet: true, ..Output::default() }.result(&mut out, value).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(quiet(&json!({ "items": [{ "name": "a", "id": "1" }, { "member": "b@acme.example" }] })), "1\nb@acme.example\n");
        assert_eq!(quiet(&json!({ "status": "done", "target": { "id": "prj_1" } })), "prj_1\n");
    }
}
