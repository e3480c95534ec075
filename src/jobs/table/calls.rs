//! A table whose columns are the arguments of one tool, and whose rows are calls of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    MADE,
    cells::{as_meant, names, tidy},
    columns::plain,
    records::{self, Look, Record},
};
use crate::{
    domain::{clean, fold},
    error::ProviderError,
    shape::cut,
};

/// An argument that a column may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jobs) struct Argument {
    pub(in crate::jobs) name: String,
    /// Whether a cell may hold several values: `owner;viewer`.
    pub(in crate::jobs) is_list: bool,
}

/// A row as a call.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::jobs) struct Call {
    /// The line of the table, from 1.
    pub(in crate::jobs) number: usize,
    pub(in crate::jobs) arguments: Map<String, Value>,
    /// Why it cannot be read.
    pub(in crate::jobs) fault: Option<String>,
}

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Holds(Argument),
    /// What became of the row before, in the table of a job.
    Outcome,
    /// Another column says the same thing better, or it is about the table alone.
    Left,
    Unnamed,
    /// No argument is called so.
    Unknown,
}

/// Words for what became of a row and why, which no tool takes.
const TOLD: [&str; 2] = ["outcome", "reason"];

/// The calls of a tool that a table holds; rows that were made before are left out. `known` tells the argument that a header
/// stands for, `needed` are those that no call can do without.
///
/// # Errors
///
/// Where the header is not understood, two columns say the same thing, or every row was made before.
pub(in crate::jobs) fn calls(
    csv: &str,
    tool: &str,
    known: &dyn Fn(&str) -> Option<Argument>,
    needed: &[&str],
) -> Result<Vec<Call>, ProviderError> {
    let argument = |cell: &String| known(&fold(cell.trim_end_matches(|it: char| it.is_ascii_digit() || it.is_whitespace())));
    let is_header = |cells: &[String]| cells.iter().any(|it| argument(it).is_some()) && !cells.iter().any(|it| it.contains('@'));
    let mut records = records::records(csv, Look { is_header: &is_header, fits: |_| 0 });
    let first = records.iter().position(|it| !it.hash || is_header(&without_hash(it)));
    let header = first.map(|at| without_hash(&records[at])).filter(|it| is_header(it));
    let header = match (header, first, needed) {
        (Some(header), Some(first), _) => {
            records.drain(..=first);
            header
        }
        // A list of names, where only one thing can be meant by them.
        (None, _, [only]) if records.iter().all(|it| it.cells.len() == 1 || is_comment(it, 1)) => vec![(*only).to_owned()],
        _ => {
            let message = format!("the first line of `csv` names no argument of {tool}");
            return Err(ProviderError::invalid(message, format!("name the columns there, such as {}", needed.join(","))));
        }
    };
    let records: Vec<Record> = records.into_iter().filter(|it| !is_comment(it, header.len())).collect();
    let columns = columns(&header, &argument, tool, &records)?;
    let (mut calls, mut made) = (Vec::new(), 0);
    for record in records {
        let outcome = columns.iter().position(|it| *it == Column::Outcome).and_then(|at| record.cells.get(at));
        if outcome.is_some_and(|it| MADE.contains(&fold(it).as_str())) {
            made += 1;
            continue;
        }
        let (arguments, fault) = read(&record.cells, &columns);
        calls.push(Call { number: record.line, arguments, fault: record.fault.or(fault) });
    }
    match (calls.is_empty(), made) {
        (false, _) => Ok(calls),
        (true, 0) => Err(ProviderError::invalid("`csv` has no rows", "give a line for each call below the names of the columns")),
        (true, _) => Err(ProviderError::invalid("every row of `csv` was made before", "leave it, or take the column `outcome` out")),
    }
}

/// The cells of a record whose first may be the sign of a comment before a header.
fn without_hash(record: &Record) -> Vec<String> {
    let mut cells = record.cells.clone();
    if let Some(first) = cells.first_mut().filter(|_| record.hash) {
        *first = tidy(first.trim_start_matches('#')).to_owned();
    }
    cells
}

/// Whether a line that begins with `#` says something about the table: a name may begin so, too.
fn is_comment(record: &Record, columns: usize) -> bool {
    let of_a_word = record.cells.first().is_some_and(|it| it.len() > 1 && !it[1..].starts_with(char::is_whitespace));
    record.hash && !(of_a_word && record.cells.len() >= columns)
}

/// What the columns are.
fn columns(
    header: &[String],
    argument: &dyn Fn(&String) -> Option<Argument>,
    tool: &str,
    rows: &[Record],
) -> Result<Vec<Column>, ProviderError> {
    let is_said = |at: usize| rows.iter().any(|it| it.cells.get(at).is_some_and(|it| !it.is_empty()));
    let mut columns: Vec<Column> = header
        .iter()
        .map(|name| match (plain(name).as_str(), argument(name)) {
            (_, Some(argument)) => Column::Holds(argument),
            ("", None) => Column::Unnamed,
            ("outcome", None) => Column::Outcome,
            (name, None) if TOLD.contains(&name) => Column::Left,
            _ => Column::Unknown,
        })
        .collect();
    let odd = |at: &usize| columns[*at] == Column::Unknown && is_said(*at);
    let odd: Vec<String> = (0..columns.len()).filter(odd).map(|at| format!("`{}`", cut(&header[at], 60))).collect();
    if !odd.is_empty() {
        let (noun, verb) = if odd.len() == 1 { ("column", "is no argument") } else { ("columns", "are no arguments") };
        let message = format!("the {noun} {} of `csv` {verb} of {tool}", odd.join(", "));
        return Err(ProviderError::invalid(message, "take out what it need not know, or name it like one of its arguments"));
    }
    // An address or an id goes before a name that may be nobody's alone.
    let rank = |at: usize, argument: &str| {
        let name = plain(header[at].trim_end_matches(|it: char| it.is_ascii_digit()));
        let is_own = [plain(argument), plain(argument.trim_end_matches('s'))].contains(&name);
        if name.contains("mail") {
            0
        } else if name.ends_with("id") {
            1
        } else if is_own {
            2
        } else {
            3
        }
    };
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, it) in columns.iter().enumerate() {
        if let Column::Holds(argument) = it {
            places.entry(argument.name.clone()).or_default().push(at);
        }
    }
    for (argument, places) in places {
        let best = places.iter().map(|at| rank(*at, &argument)).min();
        let (kept, left): (Vec<usize>, Vec<usize>) = places.into_iter().partition(|at| Some(rank(*at, &argument)) == best);
        let is_list = matches!(&columns[kept[0]], Column::Holds(it) if it.is_list);
        if let ([one, other, ..], false) = (kept.as_slice(), is_list) {
            let message = format!("the columns `{}` and `{}` of `csv` both say `{argument}`", header[*one], header[*other]);
            return Err(ProviderError::invalid(message, "keep one of them"));
        }
        for at in left {
            columns[at] = Column::Left;
        }
    }
    Ok(columns)
}

/// What a row says, and what is wrong with it.
fn read(cells: &[String], columns: &[Column]) -> (Map<String, Value>, Option<String>) {
    let mut arguments = Map::new();
    let last = columns.last();
    for (at, cell) in cells.iter().enumerate().filter(|it| !it.1.is_empty()) {
        let column = match columns.get(at) {
            // A list may go on to the end of its line.
            None => last.filter(|it| matches!(it, Column::Holds(it) if it.is_list)).unwrap_or(&Column::Unnamed),
            Some(column) => column,
        };
        match column {
            Column::Holds(Argument { name, is_list: true }) => {
                let list = arguments.entry(name.as_str()).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    list.extend(names(cell).into_iter().map(Value::from));
                }
            }
            Column::Holds(Argument { name, .. }) => {
                let cell = as_meant(cell);
                // No address has letters that nobody sees.
                let cell = if cell.contains('@') { clean(cell).into_owned() } else { cell.to_owned() };
                arguments.insert(name.clone(), cell.into());
            }
            // The number of a row stands before its cells.
            Column::Unnamed if at == 0 && cell.chars().all(|it| it.is_ascii_digit()) => {}
            Column::Unnamed => {
                return (arguments, Some(format!("the header has no name for its cell {} (`{}`)", at + 1, cut(cell, 60))));
            }
            Column::Outcome | Column::Left | Column::Unknown => {}
        }
    }
    (arguments, None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use serde_json::json;

    use super::*;

    /// As `add_project_member` is called: with one list.
    fn told(csv: &str) -> Result<Vec<Value>, String> {
        let known = |name: &str| {
            let name = match plain(name).as_str() {
                "project" | "projectid" | "projectname" => "project",
                "member" | "email" | "useremail" | "memberid" | "name" => "member",
                "role" | "roles" | "roleid" => "roles",
                _ => return None,
            };
            Some(Argument { name: name.to_owned(), is_list: name == "roles" })
        };
        let read = calls(csv, "add_project_member", &known, &["project", "member", "roles"]).map_err(|error| error.to_string())?;
        let row = |it: Call| it.fault.map_or_else(|| json!([it.number, it.arguments]), |fault| json!([it.number, fault]));
        Ok(read.into_iter().map(row).collect())
    }

    #[test]
    fn columns_are_named_like_arguments_or_as_spreadsheets_name_them() {
        let ana = json!({ "project": "Atlas", "member": "ana@acme.example", "roles": ["owner", "viewer"] });
        for csv in [
            "project,member,roles\nAtlas,ana@acme.example,owner;viewer\n",
            "User E-Mail;Role 1;Role 2;Project Name\nana@acme.example;owner;viewer;Atlas\n",
            "Name\tEmail\tProject\tRole\nAna Diaz\tana@acme.example\tAtlas\towner|viewer\n",
            "| Project | Email | Roles |\n|---|---|---|\n| Atlas | ana@acme.example | owner;viewer |\n",
        ] {
            let read = told(csv).unwrap();
            assert_eq!((read.len(), &read[0][1]), (1, &ana), "{csv:?}: {read:?}");
        }
        assert_eq!(told("project,member,roles\nAtlas,ana@acme.example,owner,viewer\n").unwrap(), [json!([2, ana])]);
    }

    #[test]
    fn what_nobody_can_tell_the_meaning_of_is_refused_by_its_name() {
        let odd = told("project,member,roles,current role\nAtlas,a@b.example,owner,viewer\n").unwrap_err();
        assert_eq!(odd, "the column `current role` of `csv` is no argument of add_project_member");
        let empty = told("project,member,roles,notes\nAtlas,a@b.example,owner,\n").unwrap();
        assert_eq!(empty.len(), 1, "a column that says nothing is none");
        let twice = told("project,project,member,roles\nAtlas,Borealis,a@b.example,owner\n").unwrap_err();
        assert_eq!(twice, "the columns `project` and `project` of `csv` both say `project`");
        let bare = told("Atlas,a@b.example,owner\n").unwrap_err();
        assert_eq!(bare, "the first line of `csv` names no argument of add_project_member");
        let beyond = told("project,roles,member\nAtlas,owner,a@b.example,x\n").unwrap();
        assert_eq!(beyond, [json!([2, "the header has no name for its cell 4 (`x`)"])]);
    }

    #[test]
    fn a_list_of_names_needs_no_header_where_one_thing_is_needed() {
        let known = |name: &str| (plain(name) == "project").then(|| Argument { name: "project".into(), is_list: false });
        for csv in ["Atlas\nBorealis\n", "# old ones\nAtlas\n#random\n", "Project\nAtlas\nBorealis\n"] {
            let read = calls(csv, "delete_project", &known, &["project"]).unwrap();
            assert_eq!(read.len(), 2, "{csv:?}: {read:?}");
            assert_eq!(read[0].arguments["project"], "Atlas");
        }
        let before = "project,outcome,reason\nAtlas,done,\nBorealis,failed,it is gone\n";
        let read = calls(before, "delete_project", &known, &["project"]).unwrap();
        assert_eq!(read.iter().map(|it| it.number).collect::<Vec<_>>(), [3]);
    }
}
