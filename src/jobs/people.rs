//! The rows of `add_project_members`: from `people`, or from `csv` as spreadsheets and vendors' command lines write it.

use super::table::{self, Written};
use crate::{
    domain::{PersonRef, ProjectRef, RoleRef},
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
    /// What could be read of it, so that it can be mended where it is told.
    pub(super) written: Written,
}

/// The longest `csv`, in bytes a row.
const ROW_BYTES: usize = 200;

/// The rows that can be read, and what is wrong with the others.
///
/// # Errors
///
/// Where there is no row, there are more than `most`, or it is no table at all.
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
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (it, number) in op.people.iter().zip(1..) {
        if it.roles.is_empty() {
            let written = Written { project: it.project.to_string(), member: it.member.to_string(), roles: Vec::new() };
            problems.push(Problem { number, message: "no role is given".into(), written });
        } else {
            rows.push(Row { number, project: it.project.clone(), member: it.member.clone(), roles: it.roles.clone() });
        }
    }
    (rows, problems)
}

fn read(csv: &str, most: usize) -> Result<(Vec<Row>, Vec<Problem>), ProviderError> {
    is_table(csv, most)?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for line in table::read(csv)? {
        let table::Line { number, written, fault } = line;
        match fault.map_or_else(|| row(number, &written), Err) {
            Ok(row) => rows.push(row),
            Err(message) => problems.push(Problem { number, message, written }),
        }
    }
    Ok((rows, problems))
}

/// That a text may be a table, of at most so many rows.
///
/// # Errors
///
/// Where it is too long, or the name of a file.
pub(super) fn is_table(csv: &str, most: usize) -> Result<(), ProviderError> {
    let longest = most * ROW_BYTES;
    if csv.len() > longest {
        return Err(ProviderError::invalid(format!("`csv` is longer than {longest} bytes"), "split it over several calls"));
    }
    if is_a_file(csv) {
        let message = format!("`csv` is the text of a table, and `{}` looks like the name of a file", csv.trim());
        return Err(ProviderError::invalid(message, "give what is in the file"));
    }
    Ok(())
}

/// Whether a text is the name of a table instead of one.
fn is_a_file(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    !text.contains([',', ';', '\t', '\n', '\r']) && [".csv", ".tsv", ".txt", ".xlsx"].iter().any(|it| text.ends_with(it))
}

fn row(number: usize, written: &Written) -> Result<Row, String> {
    let Written { project, member, roles } = written;
    let roles = roles.iter().map(|it| RoleRef::try_from(it.clone()).map_err(|error| format!("role: {error}")));
    let roles = roles.collect::<Result<Vec<_>, _>>()?;
    if roles.is_empty() {
        return Err("no role is given".into());
    }
    Ok(Row {
        number,
        project: ProjectRef::try_from(project.clone()).map_err(|error| format!("project: {error}"))?,
        member: PersonRef::try_from(member.clone()).map_err(|error| format!("member: {error}"))?,
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
                      Atlas,cy@acme.example,viewer,Skipped,is a member\nAtlas,di@acme.example,viewer,cancelled,\n\
                      Atlas,ed@acme.example,owner,differs,as viewer\n";
        let again = ["3 Atlas bo@acme.example viewer", "5 Atlas di@acme.example viewer", "6 Atlas ed@acme.example owner"];
        assert_eq!(told(before).0, again);
        let all = "project,member,roles,outcome\nAtlas,ana@acme.example,viewer,done\n";
        assert_eq!(read(all, 1000).unwrap_err().to_string(), "every row of `csv` was made before");
    }

    #[test]
    fn a_header_that_lacks_a_column_is_refused_with_its_name() {
        let lacking = read("project,member\nAtlas,ana@acme.example", 1000).unwrap_err().to_string();
        assert_eq!(lacking, "the header of `csv` lacks a column for roles");
    }

    #[test]
    fn the_name_of_a_file_is_no_table() {
        let named = read(" people.csv ", 1000).unwrap_err().to_string();
        assert_eq!(named, "`csv` is the text of a table, and `people.csv` looks like the name of a file");
    }

    #[test]
    fn whatever_separates_cells_and_ends_lines_is_seen() {
        let same =
            (vec!["2 Data, Lab ana@acme.example owner+viewer".to_owned(), "3 Atlas bo@acme.example viewer".into()], Vec::<String>::new());
        for csv in [
            "project;member;roles\n\"Data, Lab\";ana@acme.example;owner|viewer\nAtlas;bo@acme.example;viewer\n",
            "project;member;roles\r\nData, Lab;ana@acme.example;\"owner;viewer\"\r\nAtlas;bo@acme.example;viewer\r\n",
            "project\tmember\troles\nData, Lab\tana@acme.example\towner;viewer\nAtlas\tbo@acme.example\tviewer",
            "project,member,roles\r\"Data, Lab\",ana@acme.example,owner;viewer\rAtlas,bo@acme.example,viewer\r",
            "sep=;\nData, Lab;ana@acme.example;owner|viewer\nAtlas;bo@acme.example;viewer\n\u{1a}",
            "```csv\n\"Data, Lab\",ana@acme.example,owner,viewer\nAtlas,bo@acme.example,viewer\n```\n",
            "\0\0\nData, Lab;ana@acme.example;owner|viewer\nAtlas;bo@acme.example;viewer\n\0\0\0\n",
            "project,member,roles\\n\"Data, Lab\",ana@acme.example,owner;viewer\\nAtlas,bo@acme.example,viewer",
        ] {
            assert_eq!(told(csv), same, "{csv:?}");
        }
        let wide: String = "project,member,roles\nAtlas,bo@acme.example,viewer\n".chars().flat_map(|it| [it, '\0']).collect();
        assert_eq!(told(&wide).0, ["2 Atlas bo@acme.example viewer"]);
        let bars = "| Project | Email | Role |\n|---|:--:|---|\n| Data, Lab | ana@acme.example | owner; viewer |\n";
        assert_eq!(told(bars).0, ["3 Data, Lab ana@acme.example owner+viewer"]);
    }

    #[test]
    fn a_quote_that_is_not_closed_takes_its_own_row_with_it_and_no_other() {
        let (rows, problems) = told(
            "Atlas,ana@acme.example,viewer\nAtlas,bo@acme.example,\"viewer\nAtlas,cy@acme.example,viewer\n\"Data, Lab\",di@acme.example,viewer\n\
             Atlas,\"ed\" @acme.example,viewer\nAtlas,fy@acme.example,view\"er\n",
        );
        let read = ["1 Atlas ana@acme.example viewer", "3 Atlas cy@acme.example viewer", "4 Data, Lab di@acme.example viewer"];
        assert_eq!((&rows[..3], rows[3].as_str()), (&read.map(String::from)[..], "6 Atlas fy@acme.example view\"er"));
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("2 in its cell 3 something stands behind") || problems[0].starts_with("2 a quote is opened in"));
        assert!(problems[1].starts_with("5 in its cell 2 something stands behind the quote that closes"), "{problems:?}");
        let (rows, problems) = told("Atlas,ana@acme.example,viewer\nAtlas,bo@acme.example,\"viewer\nAtlas,cy@acme.example,viewer\n");
        assert_eq!(rows, ["1 Atlas ana@acme.example viewer", "3 Atlas cy@acme.example viewer"]);
        assert_eq!(problems, ["2 a quote is opened in its cell 3 and not closed; close it or take it out"]);
    }

    #[test]
    fn a_name_that_begins_like_a_comment_is_a_name() {
        let (rows, problems) =
            told("#project,member,roles\n\"#random\",ana@acme.example,viewer\n#random,bo@acme.example,viewer\n# a,b,c\n");
        assert_eq!((rows, problems), (vec!["2 #random ana@acme.example viewer".into(), "3 #random bo@acme.example viewer".into()], vec![]));
    }
}
