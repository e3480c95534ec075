//! The rows of `add_project_members`: from `people`, or from `csv` as spreadsheets and vendors' command lines write it.

use crate::{
    domain::{PersonRef, ProjectRef, RoleRef, fold},
    error::ProviderError,
    tools::project_members::AddProjectMembers,
};

/// One person to add to one project.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The line of the file; for `people` the place in the list, from 1.
    pub(super) number: usize,
    pub(super) project: ProjectRef,
    pub(super) member: PersonRef,
    pub(super) roles: Vec<RoleRef>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) number: usize,
    pub(super) message: String,
}

/// The longest `csv`, in bytes a row.
const ROW_BYTES: usize = 200;

/// The rows that can be read, and what is wrong with the others.
///
/// # Errors
///
/// Where there is no row, there are more than `most`, or it is no CSV at all.
pub(super) fn rows(op: &AddProjectMembers, most: usize) -> Result<(Vec<Row>, Vec<Problem>), ProviderError> {
    let (rows, problems) = match (&op.csv, op.people.is_empty()) {
        (Some(_), false) => {
            return Err(ProviderError::invalid("`people` and `csv` are both given", "give one of them"));
        }
        (None, true) => {
            return Err(ProviderError::invalid("neither `people` nor `csv` is given", "give one of them, with at least one person"));
        }
        (Some(csv), true) => read(csv, most)?,
        (None, false) => listed(op),
    };
    match rows.len() + problems.len() {
        0 => Err(ProviderError::invalid("`csv` has no rows", "give lines of project,member,role;role")),
        many if many > most => {
            Err(ProviderError::invalid(format!("{many} rows are more than the {most} of one call"), "split them over several calls"))
        }
        _ => Ok((rows, problems)),
    }
}

fn listed(op: &AddProjectMembers) -> (Vec<Row>, Vec<Problem>) {
    let rows = op.people.iter().zip(1..).map(|(it, number)| {
        let roles = it.roles.clone();
        Row { number, project: it.project.clone(), member: it.member.clone(), roles }
    });
    let (rows, empty): (Vec<_>, Vec<_>) = rows.partition(|it| !it.roles.is_empty());
    (rows, empty.into_iter().map(|it| Problem { number: it.number, message: "no role is given".into() }).collect())
}

/// Where the columns are. Without a header: project, member, and roles to the end of the line.
struct Columns {
    project: usize,
    member: usize,
    roles: usize,
    /// Whether every further cell is a role too.
    roles_to_end: bool,
    /// What became of the row before, in the table of a job: what is done is left out.
    outcome: Option<usize>,
}

/// Outcomes of rows that need not be made again.
const MADE: [&str; 2] = ["done", "skipped"];

fn read(csv: &str, most: usize) -> Result<(Vec<Row>, Vec<Problem>), ProviderError> {
    let longest = most * ROW_BYTES;
    if csv.len() > longest {
        return Err(ProviderError::invalid(format!("`csv` is longer than {longest} bytes"), "split it over several calls"));
    }
    let text = csv.trim_start_matches('\u{feff}');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).comment(Some(b'#')).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut columns = None;
    let (mut rows, mut problems, mut made) = (Vec::new(), Vec::new(), 0);
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                return Err(ProviderError::invalid(format!("`csv` cannot be read: {error}"), "give lines of project,member,role;role"));
            }
        }
        if record.iter().all(str::is_empty) {
            continue;
        }
        // The position that a record carries is that of a comment before it; the end of the record is certain.
        let inside = record.iter().map(|it| it.matches('\n').count()).sum::<usize>();
        let end = usize::try_from(reader.position().line()).unwrap_or_default();
        let number = line_of(text, reader.position().byte(), end).saturating_sub(inside);
        if columns.is_none() {
            if let Some(found) = header(&record)? {
                columns = Some(found);
                continue;
            }
            columns = Some(Columns { project: 0, member: 1, roles: 2, roles_to_end: true, outcome: None });
        }
        let Some(columns) = &columns else { continue };
        if columns.outcome.and_then(|at| record.get(at)).is_some_and(|it| MADE.contains(&fold(it).as_str())) {
            made += 1;
            continue;
        }
        match row(&record, columns, number) {
            Ok(row) => rows.push(row),
            Err(message) => problems.push(Problem { number, message }),
        }
        if rows.len() + problems.len() > most {
            break;
        }
    }
    if rows.is_empty() && problems.is_empty() && made > 0 {
        return Err(ProviderError::invalid("every row of `csv` was made before", "leave it, or take the column `outcome` out"));
    }
    Ok((rows, problems))
}

/// The line on which a record ended: the reader stands behind its line feed, or at the end of a text without one.
fn line_of(text: &str, byte: u64, reader_line: usize) -> usize {
    let at = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    if text.get(..at).is_some_and(|it| it.ends_with('\n')) { reader_line.saturating_sub(1) } else { reader_line }
}

/// The columns that a first line names, if it is a header.
fn header(record: &csv::StringRecord) -> Result<Option<Columns>, ProviderError> {
    let names: Vec<String> = record.iter().map(|it| fold(it).replace(['_', '-', ' '], "")).collect();
    let find = |known: &[&str]| names.iter().position(|it| known.contains(&it.as_str()));
    let project = find(&["project", "projectid", "projectname"]);
    let member = find(&["member", "email", "person", "user", "useremail", "mail"]);
    let roles = find(&["roles", "role"]);
    // `member` names a role too, and a project may be called `project`: one such word makes no header, and an e-mail unmakes it.
    let found = [project, member, roles].iter().flatten().count();
    if found < 2 || record.iter().any(|it| it.contains('@')) {
        return Ok(None);
    }
    match (project, member, roles) {
        (Some(project), Some(member), Some(roles)) => {
            Ok(Some(Columns { project, member, roles, roles_to_end: false, outcome: find(&["outcome"]) }))
        }
        _ => Err(ProviderError::invalid("the header of `csv` lacks a column", "name the columns project, member and roles")),
    }
}

fn row(record: &csv::StringRecord, columns: &Columns, number: usize) -> Result<Row, String> {
    let cell = |at: usize| record.get(at).unwrap_or_default();
    if record.len() < 3 && columns.roles_to_end {
        let hint = if record.iter().any(|it| it.matches(';').count() > 1) { "; columns are separated by commas" } else { "" };
        return Err(format!("it has {} of the 3 columns project, member, roles{hint}", record.len()));
    }
    let last = if columns.roles_to_end { record.len() } else { columns.roles + 1 };
    let cells = (columns.roles..last).flat_map(|at| cell(at).split([';', '|'])).map(str::trim).filter(|it| !it.is_empty());
    let roles = cells.map(|it| RoleRef::try_from(it.to_owned()).map_err(|error| error.to_string())).collect::<Result<Vec<_>, _>>()?;
    if roles.is_empty() {
        return Err("no role is given".into());
    }
    Ok(Row {
        number,
        project: ProjectRef::try_from(cell(columns.project).to_owned()).map_err(|error| format!("project: {error}"))?,
        member: PersonRef::try_from(cell(columns.member).to_owned()).map_err(|error| format!("member: {error}"))?,
        roles,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use crate::domain::ReferenceText as _;

    fn told(csv: &str) -> (Vec<String>, Vec<String>) {
        let (rows, problems) = read(csv, 1000).unwrap();
        let roles = |it: &Row| it.roles.iter().map(|it| it.text().to_owned()).collect::<Vec<_>>().join("+");
        (
            rows.iter().map(|it| format!("{} {} {} {}", it.number, it.project, it.member, roles(it))).collect(),
            problems.iter().map(|it| format!("{} {}", it.number, it.message)).collect(),
        )
    }

    #[test]
    fn lines_are_read_with_and_without_a_header() {
        let plain = told("Atlas,ana@acme.example,owner;member\n\"Data, Lab\",bo@acme.example,viewer\n");
        assert_eq!(plain, (vec!["1 Atlas ana@acme.example owner+member".into(), "2 Data, Lab bo@acme.example viewer".into()], vec![]));
        let header = told("\u{feff}E-mail,Roles,Team,Project\r\nana@acme.example,owner|member,x,Atlas\r\n");
        assert_eq!(header, (vec!["2 Atlas ana@acme.example owner+member".into()], vec![]));
        let vendor = told("Atlas,ana@acme.example,owner,member");
        assert_eq!(vendor, (vec!["1 Atlas ana@acme.example owner+member".into()], vec![]));
        let like_a_header = told("Project,ana@acme.example,member\nAtlas,usr_1,member");
        assert_eq!(like_a_header, (vec!["1 Project ana@acme.example member".into(), "2 Atlas usr_1 member".into()], vec![]));
        assert_eq!(told("Atlas,usr_1,member"), (vec!["1 Atlas usr_1 member".into()], vec![]));
    }

    #[test]
    fn comments_and_blank_lines_count_as_lines_and_as_nothing_else() {
        let (rows, problems) =
            told("# who\n\nAtlas, ana@acme.example , viewer\n# more\n\n\nAtlas,bo@acme.example\nAtlas,,viewer\nAtlas,cy@acme.example,;\n");
        assert_eq!(rows, ["3 Atlas ana@acme.example viewer"]);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(problems[0], "7 it has 2 of the 3 columns project, member, roles");
        assert!(problems[1].starts_with("8 member: "), "{problems:?}");
        assert_eq!(problems[2], "9 no role is given");
    }

    #[test]
    fn what_was_made_before_is_left_out() {
        let before = "project,member,roles,outcome,reason\nAtlas,ana@acme.example,viewer,done,\nAtlas,bo@acme.example,viewer,failed,no\n\
                      Atlas,cy@acme.example,viewer,Skipped,is a member\nAtlas,di@acme.example,viewer,cancelled,\n";
        assert_eq!(told(before).0, ["3 Atlas bo@acme.example viewer", "5 Atlas di@acme.example viewer"]);
        let all = "project,member,roles,outcome\nAtlas,ana@acme.example,viewer,done\n";
        assert_eq!(read(all, 1000).unwrap_err().to_string(), "every row of `csv` was made before");
    }

    #[test]
    fn a_header_that_lacks_a_column_is_refused() {
        assert_eq!(read("project,member\nAtlas,ana@acme.example", 1000).unwrap_err().to_string(), "the header of `csv` lacks a column");
    }
}
