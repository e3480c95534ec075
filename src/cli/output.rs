//! What commands print: tables for people, JSON for programs.

use std::io::{self, IsTerminal as _, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};

use crate::{render::gaps, shape::cut};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Json,
}

impl Format {
    /// What was asked for; else a table on a terminal and JSON into a pipe.
    pub(super) fn or_fitting(asked: Option<Self>) -> Self {
        asked.unwrap_or(if io::stdout().is_terminal() { Self::Table } else { Self::Json })
    }
}

/// Prints a result of a tool.
pub(super) fn result(out: &mut impl Write, result: &Value, format: Format) -> io::Result<()> {
    match (format, result) {
        (Format::Json, _) => json(out, result),
        (Format::Table, Value::Object(fields)) => match fields.get("items") {
            Some(Value::Array(items)) => list(out, fields, items),
            _ => details(out, fields),
        },
        (Format::Table, other) => writeln!(out, "{}", cell(other)),
    }
}

/// Prints a value as JSON.
pub(super) fn json(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string_pretty(value)?)
}

/// Prints a table as wide as the terminal.
pub(super) fn table(out: &mut impl Write, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
    let mut table = plain_table();
    table.set_header(header.iter().map(|it| it.to_uppercase()));
    table.add_rows(rows);
    print(out, &mut table)
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    // Where the width is not known, lines are left whole for whoever cuts them.
    if let Some((_, columns)) = dialoguer::console::Term::stdout().size_checked() {
        table.set_width(columns.max(40));
    }
    table
}

fn print(out: &mut impl Write, table: &mut Table) -> io::Result<()> {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn list(out: &mut impl Write, fields: &Map<String, Value>, items: &[Value]) -> io::Result<()> {
    if items.is_empty() {
        writeln!(out, "Nothing found.")?;
        return below(out, fields);
    }
    let mut columns: Vec<&str> = Vec::new();
    for name in items.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    // Names first, ids last.
    columns.sort_by_key(|it| *it == "id");
    let row = |item: &Value| columns.iter().map(|it| item.get(*it).map(cell).unwrap_or_default()).collect();
    table(out, &columns, items.iter().map(row))?;
    let total = fields.get("total").and_then(Value::as_u64);
    match (fields.get("next_cursor").and_then(Value::as_str), total) {
        (Some(cursor), Some(total)) => writeln!(out, "\n{} of {total}. More: --cursor {cursor}", items.len())?,
        (Some(cursor), None) => writeln!(out, "\nMore: --cursor {cursor}")?,
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

fn details(out: &mut impl Write, fields: &Map<String, Value>) -> io::Result<()> {
    let mut lines = Vec::new();
    flatten("", fields, &mut lines);
    let mut table = plain_table();
    table.add_rows(lines.into_iter().map(|(name, value)| vec![name, value]));
    print(out, &mut table)?;
    // Lists inside, such as what became of each person of a batch.
    for (name, value) in fields {
        let inner = value.get("items").and_then(Value::as_array).filter(|it| !it.is_empty());
        if let Some(items) = inner {
            writeln!(out, "\n{name}:")?;
            list(out, value.as_object().unwrap_or(&Map::new()), items)?;
        }
    }
    Ok(())
}

fn flatten(path: &str, fields: &Map<String, Value>, lines: &mut Vec<(String, String)>) {
    for (name, value) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Null => {}
            Value::Object(inner) => flatten(&path, inner, lines),
            Value::Array(_) if name == "items" => {}
            Value::Array(items) if items.iter().any(Value::is_object) => {
                lines.push((path, items.iter().map(cell).collect::<Vec<_>>().join("\n")));
            }
            Value::String(_) if name == "image" => lines.push((path, "(a picture: `--save FILE` writes it to a file)".into())),
            value => lines.push((path, cell(value))),
        }
    }
}

/// A value in a cell of a table.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => cut(text, 400),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields.iter().map(|(name, value)| format!("{name}={}", cell(value))).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use serde_json::json;

    use super::*;

    fn printed(value: &Value) -> String {
        let mut out = Vec::new();
        result(&mut out, value, Format::Table).unwrap();
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
        assert!(text.ends_with("2 of 5. More: --cursor abc\n"), "{text}");
    }

    #[test]
    fn an_object_is_a_line_per_field() {
        let text =
            printed(&json!({ "status": "done", "target": { "kind": "project", "name": "Atlas" }, "undo": null, "roles": ["a", "b"] }));
        let lines: Vec<Vec<&str>> = text.lines().map(|it| it.split_whitespace().collect()).collect();
        assert_eq!(lines, [vec!["status", "done"], vec!["target.kind", "project"], vec!["target.name", "Atlas"], vec!["roles", "a,", "b"]]);
    }
}
