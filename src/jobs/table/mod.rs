//! A job's rows as a table for spreadsheets, and tables read. That of `add_project_members` can be given to it again: what was
//! written is what is read.

mod calls;
mod cells;
pub(crate) use cells::defused;
mod columns;
mod records;

pub(super) use calls::{Argument, Call, calls};

use self::{
    cells::{as_meant, listed, names, tidy},
    columns::{Addresses, Columns},
};
use super::{
    Engine,
    report::{RowTexts, item},
};
use crate::{
    domain::{clean, fold},
    error::{CallError, ProviderError},
    store::{JobRecord, JobRow},
    tools::{Operation as _, project_members::AddProjectMembers},
};

/// The columns of people in projects.
const PEOPLE: [&str; 5] = ["project", "member", "roles", "outcome", "reason"];
/// The columns of any other work.
const STEPS: [&str; 7] = ["step", "tool", "connection", "target", "outcome", "reason", "id"];
/// Outcomes of rows that need not be made again.
const MADE: [&str; 2] = ["done", "skipped"];

/// Somebody for a project, as it stands in a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) project: String,
    pub(super) member: String,
    pub(super) roles: Vec<String>,
}

/// A line of a table of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) written: Written,
    /// Why it cannot be read.
    pub(super) fault: Option<String>,
}

/// The lines of a table of people that are to be made.
///
/// # Errors
///
/// Where its header is not understood, or every line was made before.
pub(super) fn read(csv: &str) -> Result<Vec<Line>, ProviderError> {
    let mut columns = None;
    let (mut lines, mut made) = (Vec::new(), 0);
    let look = records::Look { is_header: &columns::is_header, fits: columns::fits };
    for mut record in records::records(csv, look) {
        let columns = if let Some(columns) = &columns {
            columns
        } else {
            let mut names = record.cells.clone();
            if let Some(first) = names.first_mut().filter(|_| record.hash) {
                *first = tidy(first.trim_start_matches('#')).to_owned();
            }
            if columns::is_header(&names) {
                columns = Some(Columns::named(&names)?);
                continue;
            }
            if is_comment(&record, None) {
                continue;
            }
            columns.insert(Columns::unnamed())
        };
        if is_comment(&record, Some(columns)) {
            continue;
        }
        if columns.outcome.and_then(|at| record.cells.get(at)).is_some_and(|it| MADE.contains(&fold(it).as_str())) {
            made += 1;
            continue;
        }
        let fault = record.fault.take();
        let (written, found) = person_of(&record.cells, columns);
        lines.push(Line { number: record.line, written, fault: fault.or(found) });
    }
    if lines.is_empty() && made > 0 {
        return Err(ProviderError::invalid("every row of `csv` was made before", "leave it, or take the column `outcome` out"));
    }
    Ok(lines)
}

/// The lines of a list of addresses that are to be made. Without a header a line holds an address, and `with_roles` the role behind it;
/// with one, a column of projects and one of roles are understood, too.
///
/// # Errors
///
/// Where every line was made before.
pub(super) fn invited(csv: &str, with_roles: bool) -> Result<Vec<Line>, ProviderError> {
    let (mut columns, mut lines, mut made) = (None::<Addresses>, Vec::new(), 0);
    let is_header = |cells: &[String]| Addresses::named(cells).is_some();
    let fits = |cells: &[String]| u32::from(cells.iter().any(|it| it.contains('@')));
    for (at, mut record) in records::records(csv, records::Look { is_header: &is_header, fits }).into_iter().enumerate() {
        if at == 0 {
            columns = Addresses::named(&record.cells);
            if columns.is_some() {
                continue;
            }
        }
        let cell = |at: usize| as_meant(record.cells.get(at).map(String::as_str).unwrap_or_default()).to_owned();
        if record.hash && !record.cells.iter().any(|it| it.contains('@')) {
            continue;
        }
        if columns.as_ref().and_then(|it| it.outcome).is_some_and(|it| MADE.contains(&fold(&cell(it)).as_str())) {
            made += 1;
            continue;
        }
        let written = if let Some(it) = &columns {
            let roles = it.roles.iter().flat_map(|it| names(&cell(*it))).collect();
            Written { project: it.project.map(cell).unwrap_or_default(), member: cell(it.member), roles }
        } else {
            let member = record.cells.iter().position(|it| it.contains('@')).unwrap_or_default();
            let roles = record.cells.iter().skip(member + 1).filter(|_| with_roles).flat_map(|it| names(as_meant(it))).collect();
            Written { project: String::new(), member: cell(member), roles }
        };
        lines.push(Line { fault: record.fault.take(), number: record.line, written });
    }
    if lines.is_empty() && made > 0 {
        return Err(ProviderError::invalid("every row of `csv` was made before", "leave it, or take the column `outcome` out"));
    }
    Ok(lines)
}

impl Line {
    /// Somebody in a list, without a project or a role.
    pub(super) fn of_person(number: usize, member: &str) -> Self {
        let member = clean(tidy(member)).into_owned();
        Self { number, written: Written { member, ..Written::default() }, fault: None }
    }
}

/// Whether a line that begins with `#` says something about the table. A name may begin so, too: the line is a row where it has the
/// cells of one and the sign belongs to its first word, and in the table of a job, which has no comments, in any case.
fn is_comment(record: &records::Record, columns: Option<&Columns>) -> bool {
    let of_a_word = || record.cells.first().is_some_and(|it| it.len() > 1 && !it[1..].starts_with(char::is_whitespace));
    let is_row = columns.is_some_and(|it| it.outcome.is_some()) || (record.cells.len() > 2 && of_a_word());
    record.hash && !is_row
}

/// What a record says, and what is wrong with it.
fn person_of(cells: &[String], columns: &Columns) -> (Written, Option<String>) {
    let cell = |at: usize| as_meant(cells.get(at).map(String::as_str).unwrap_or_default());
    let member = cell(columns.member);
    // No address has letters that nobody sees.
    let member = if member.contains('@') { clean(member).into_owned() } else { member.to_owned() };
    let (roles, fault) = match columns.roles(cells) {
        _ if columns.lacks(cells) => (Vec::new(), Some(format!("it has {} of the 3 columns project, member, roles", cells.len()))),
        Ok(roles) => (roles.into_iter().flat_map(names).collect(), None),
        Err(fault) => (Vec::new(), Some(fault)),
    };
    (Written { project: cell(columns.project).to_owned(), member, roles }, fault)
}

impl Engine {
    pub(super) async fn table(&self, job: &JobRecord) -> Result<String, CallError> {
        let people = job.tool == AddProjectMembers::NAME;
        let mut table = Table::new(if people { &PEOPLE } else { &STEPS });
        let mut after = -1;
        loop {
            let rows = self.db.read().await?.job_rows(&job.id, after, None, 500).await?;
            let Some(last) = rows.last() else { break };
            after = last.idx;
            for row in &rows {
                if people { person(&mut table, row) } else { step(&mut table, row) }
            }
        }
        table.text().ok_or(CallError::Internal)
    }
}

/// A table that is being written.
struct Table(Option<csv::Writer<Vec<u8>>>);

impl Table {
    fn new(header: &[&str]) -> Self {
        // A name that begins with `#` stands in quotes: others take its line for a comment.
        let mut table = Self(Some(csv::WriterBuilder::new().comment(Some(b'#')).from_writer(Vec::new())));
        table.record(header.iter().map(|it| (*it).to_owned()));
        table
    }

    /// Adds a line of cells that no spreadsheet runs.
    fn record(&mut self, cells: impl IntoIterator<Item = String>) {
        if let Some(writer) = &mut self.0
            && writer.write_record(cells.into_iter().map(String::into_bytes)).is_err()
        {
            self.0 = None;
        }
    }

    fn text(self) -> Option<String> {
        String::from_utf8(self.0?.into_inner().ok()?).ok()
    }
}

fn person(table: &mut Table, row: &JobRow) {
    let texts = RowTexts::of(row);
    let text = |name: &str| texts.arguments[name].as_str().unwrap_or_default().to_owned();
    let written = Written { project: text("project"), member: text("member"), roles: texts.roles() };
    line(table, &written, &state(row), row.reason.as_deref().unwrap_or_default());
}

/// A line of people; see [`read`].
fn line(table: &mut Table, written: &Written, outcome: &str, reason: &str) {
    let Written { project, member, roles } = written;
    let cell = |text: &str| defused(text).into_owned();
    table.record([cell(project), cell(member), listed(roles), outcome.to_owned(), cell(&in_a_line(reason))]);
}

fn step(table: &mut Table, row: &JobRow) {
    let it = item(row);
    let texts = [it.target, Some(state(row)), it.reason, it.id].map(Option::unwrap_or_default);
    table.record([it.step, it.tool, it.on].into_iter().chain(texts).map(|it| defused(&in_a_line(&it)).into_owned()));
}

/// What is told in a table stands on one line of it.
fn in_a_line(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

fn state(row: &JobRow) -> String {
    crate::domain::members::ItemOutcome::of(&row.state).name().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Names of all kinds, with what separates, quotes, comments and runs.
    fn name() -> impl Strategy<Value = String> {
        let letters = prop::sample::select(vec![
            ",",
            ";",
            "|",
            "\"",
            "'",
            "#",
            "=",
            "+",
            "-",
            "@",
            "\n",
            "\t",
            " ",
            "\\n",
            "\\",
            "`",
            "~",
            "a",
            "B",
            "é",
            "研",
            "👩\u{200d}💻",
            "0",
            "/",
        ]);
        let made = prop::collection::vec(letters, 1..12).prop_map(|it| it.concat());
        let words = prop::sample::select(vec![
            "project",
            "member",
            "roles",
            "sep=;",
            "```",
            "done",
            "skipped",
            "Data, Lab",
            "=1+1",
            "'=1",
            "#random",
        ]);
        prop_oneof![3 => made, 1 => words.prop_map(str::to_owned), 1 => ".{1,20}"]
            .prop_map(|it: String| tidy(&it.replace(['\r', '\0'], "")).to_owned())
            .prop_filter("a name is not empty", |it| !it.is_empty())
    }

    proptest! {
        #[test]
        fn a_table_that_is_written_is_read_as_it_was(rows in prop::collection::vec((name(), name(), prop::collection::vec(name(), 1..4)), 1..6)) {
            let mut table = Table::new(&PEOPLE);
            let rows: Vec<Written> = rows
                .into_iter()
                .map(|(project, member, roles)| {
                    let member = if member.contains('@') { tidy(&clean(&member)).to_owned() } else { member };
                    Written { project, member, roles }
                })
                .collect();
            for it in &rows {
                line(&mut table, it, "failed", "=no\nthing");
            }
            let text = table.text().unwrap();
            let read = read(&text).unwrap();
            prop_assert!(read.iter().all(|it| it.fault.is_none()), "{text}");
            prop_assert_eq!(read.into_iter().map(|it| it.written).collect::<Vec<_>>(), rows, "{}", text);
            for record in csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).records() {
                for cell in &record.unwrap() {
                    prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell}");
                }
            }
        }
    }
}
