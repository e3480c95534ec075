//! Which column of a table holds what: by its header, in our words or in those of others.

use crate::{domain::fold, error::ProviderError};

/// Where the columns are.
#[derive(Debug)]
pub(super) struct Columns {
    /// Whether a header names them.
    is_named: bool,
    pub(super) project: usize,
    pub(super) member: usize,
    roles: Vec<usize>,
    /// What became of the row before, in the table of a job: what is done is left out.
    pub(super) outcome: Option<usize>,
    /// Whose cells the cells under no name are, column by column; the last goes on to the end of the line.
    owners: Vec<Owner>,
}

/// To which column a cell belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The name above it says what it is.
    Named,
    /// It goes on with the list of roles before it.
    Roles,
    Nobody,
}

/// The words for a column, the plainest first: an id or an address before a name that is nobody's alone.
const PROJECT: [&str; 6] = ["projectid", "projectuuid", "project", "projectslug", "projectname", "projects"];
const MEMBER: [&str; 21] = [
    "email",
    "emailaddress",
    "useremail",
    "memberemail",
    "useremailaddress",
    "memberemailaddress",
    "mail",
    "mailaddress",
    "emails",
    "emailid",
    "workemail",
    "primaryemail",
    "invitee",
    "member",
    "person",
    "user",
    "memberid",
    "userid",
    "login",
    "username",
    "upn",
];
const OUTCOME: [&str; 1] = ["outcome"];

/// What a column of roles is: one that names them by their ids goes before one that repeats their names.
fn is_role(name: &str, ids: bool) -> bool {
    let name = name.trim_end_matches(|it: char| it.is_ascii_digit());
    let (name, by_id) = match name.strip_suffix("ids").or_else(|| name.strip_suffix("id")) {
        Some(name) => (name, true),
        None => (name.strip_suffix("names").or_else(|| name.strip_suffix("name")).unwrap_or(name), false),
    };
    let name = name.trim_end_matches(|it: char| it.is_ascii_digit());
    let Some(which) = name.strip_suffix("roles").or_else(|| name.strip_suffix("role")) else { return false };
    let known = ["", "project", "user", "member", "first", "second", "third", "further", "additional", "other", "primary", "secondary"];
    by_id == ids && known.contains(&which)
}

/// The name of a column without what people write it with.
pub(super) fn plain(name: &str) -> String {
    fold(name).chars().filter(|it| it.is_alphanumeric()).collect()
}

/// Whether a first line names columns. `member` names a role too, and a project may be called `project`: one such word makes no
/// header, and an e-mail unmakes it.
pub(super) fn is_header(cells: &[String]) -> bool {
    let names: Vec<String> = cells.iter().map(|it| plain(it)).collect();
    let has = |known: &[&str]| names.iter().any(|it| known.contains(&it.as_str()));
    let role = names.iter().any(|it| is_role(it, false) || is_role(it, true));
    let found = u8::from(has(&PROJECT)) + u8::from(has(&MEMBER)) + u8::from(role);
    found > 1 && !cells.iter().any(|it| it.contains('@'))
}

/// How well cells look like a row without a header: project, person, roles.
pub(super) fn fits(cells: &[String]) -> u32 {
    let [_, who, _, ..] = cells else { return 0 };
    let is_one = !who.trim_end_matches([',', '\t', ';']).contains(['\t', ';']);
    match cells.iter().position(|it| it.contains('@')) {
        Some(1) if is_one => 2,
        None => 1,
        Some(_) => 0,
    }
}

impl Columns {
    /// Those of a table without a header: project, member, and roles to the end of the line.
    pub(super) fn unnamed() -> Self {
        let owners = vec![Owner::Named, Owner::Named, Owner::Named, Owner::Roles];
        Self { is_named: false, project: 0, member: 1, roles: vec![2], outcome: None, owners }
    }

    /// Those that a header names.
    ///
    /// # Errors
    ///
    /// Where one is missing, or nobody can tell whether it holds roles to give.
    pub(super) fn named(cells: &[String]) -> Result<Self, ProviderError> {
        let names: Vec<String> = cells.iter().map(|it| plain(it)).collect();
        let find = |known: &[&str]| known.iter().find_map(|known| names.iter().position(|it| it == known));
        let of = |ids| (0..names.len()).filter(|it| is_role(&names[*it], ids)).collect::<Vec<_>>();
        let (by_id, by_name) = (of(true), of(false));
        if let Some(odd) = (0..names.len()).find(|it| names[*it].contains("role") && !by_id.contains(it) && !by_name.contains(it)) {
            let message = format!("whether the column `{}` of `csv` holds roles to give is not clear", cells[odd].trim());
            return Err(ProviderError::invalid(message, "name it `roles`, or take it out"));
        }
        let roles = if by_id.is_empty() { by_name } else { by_id };
        let (project, member) = (find(&PROJECT), find(&MEMBER));
        let (Some(project), Some(member), false) = (project, member, roles.is_empty()) else {
            let lacking = [("project", project.is_none()), ("member", member.is_none()), ("roles", roles.is_empty())];
            let lacking: Vec<&str> = lacking.iter().filter(|it| it.1).map(|it| it.0).collect();
            let message = format!("the header of `csv` lacks a column for {}", lacking.join(" and "));
            return Err(ProviderError::invalid(message, "name the columns project, member and roles"));
        };
        let mut owners: Vec<Owner> = Vec::new();
        for at in 0..=names.len() {
            let is_named = names.get(at).is_some_and(|it| !it.is_empty());
            let before = at.checked_sub(1).map(|before| if roles.contains(&before) { Owner::Roles } else { owners[before] });
            owners.push(match before {
                _ if is_named => Owner::Named,
                Some(Owner::Roles) => Owner::Roles,
                _ => Owner::Nobody,
            });
        }
        Ok(Self { is_named: true, project, member, roles, outcome: find(&OUTCOME), owners })
    }

    /// The cells of a record that hold roles; or the first cell that stands under no name and that nobody can tell the meaning of.
    pub(super) fn roles<'a>(&self, cells: &'a [String]) -> Result<Vec<&'a str>, String> {
        let mut roles = Vec::new();
        for (at, cell) in cells.iter().enumerate().filter(|it| !it.1.is_empty()) {
            match self.owners.get(at).or(self.owners.last()) {
                _ if self.roles.contains(&at) => roles.push(cell.as_str()),
                Some(Owner::Roles) => roles.push(cell),
                // The number of a row stands before its cells.
                Some(Owner::Nobody) if at == 0 && cell.chars().all(|it| it.is_ascii_digit()) => {}
                Some(Owner::Nobody) => {
                    return Err(format!("the header has no name for its cell {} (`{}`)", at + 1, crate::shape::cut(cell, 60)));
                }
                Some(Owner::Named) | None => {}
            }
        }
        Ok(roles)
    }

    /// Whether a record is too short to be a row of a table without a header.
    pub(super) fn lacks(&self, cells: &[String]) -> bool {
        !self.is_named && cells.len() < 3
    }
}

/// Where the columns of a list of addresses are, of which a header names at least the one of addresses.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) member: usize,
    pub(super) project: Option<usize>,
    pub(super) roles: Vec<usize>,
    pub(super) outcome: Option<usize>,
}

impl Addresses {
    /// Those that a first line names; `None` where it is a line like the others.
    pub(super) fn named(cells: &[String]) -> Option<Self> {
        let names: Vec<String> = cells.iter().map(|it| plain(it)).collect();
        let find = |known: &[&str]| known.iter().find_map(|known| names.iter().position(|it| it == known));
        let member = find(&MEMBER).filter(|_| !cells.iter().any(|it| it.contains('@')))?;
        let of = |ids| (0..names.len()).filter(|it| is_role(&names[*it], ids)).collect::<Vec<_>>();
        let by_id = of(true);
        let roles = if by_id.is_empty() { of(false) } else { by_id };
        Some(Self { member, project: find(&PROJECT), roles, outcome: find(&OUTCOME) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn cells(line: &str) -> Vec<String> {
        line.split(',').map(str::to_owned).collect()
    }

    fn roles(header: &str, line: &str) -> Result<Vec<String>, String> {
        let columns = Columns::named(&cells(header)).map_err(|error| error.to_string())?;
        columns.roles(&cells(line)).map(|it| it.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn headers_of_others_are_understood() {
        for header in [
            "project_id,email,role1,role2",
            "Project Name,User Email,Role Name",
            "Email Address,Project,Roles",
            "E-mail,Role,Project",
            "PROJECT,Member,Role (1)",
            "Name,User,Email,Project,Project Role",
        ] {
            assert!(is_header(&cells(header)), "{header}");
            Columns::named(&cells(header)).unwrap();
        }
        for line in ["Atlas,member,owner", "Project,ana@acme.example,member", "project,usr_1,owner"] {
            assert!(!is_header(&cells(line)), "{line}");
        }
    }

    #[test]
    fn a_cell_under_no_name_goes_on_with_the_roles_before_it_or_is_told() {
        let given = |names: &[&str]| Ok(names.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(roles("project,member,roles", "A,b,one,two,,three"), given(&["one", "two", "three"]));
        assert_eq!(roles("project,member,role,role", "A,b,one,two"), given(&["one", "two"]));
        assert_eq!(roles("project,role1,role2,email", "A,one,two,b"), given(&["one", "two"]));
        assert_eq!(roles("project,member,role,,team", "A,b,one,two,T"), given(&["one", "two"]));
        assert_eq!(roles(",project,member,role", "17,A,b,one"), given(&["one"]));
        assert_eq!(roles("project,role,member", "A,one,b,,two"), Err("the header has no name for its cell 5 (`two`)".into()));
        assert_eq!(roles("project,role_id,role_name,member", "A,r1,One,b"), given(&["r1"]), "an id and its name are one role");
        let odd = roles("project,member,role,current role", "A,b,one,two");
        assert_eq!(odd, Err("whether the column `current role` of `csv` holds roles to give is not clear".into()));
    }
}
