//! The permissions that roles and keys of the directory can hold.

use crate::error::ProviderError;

/// A permission code, what it allows, and whether it gives power over others.
pub(super) struct Code {
    pub(super) code: &'static str,
    pub(super) description: &'static str,
    privileged: bool,
}

macro_rules! codes {
    ($($code:literal $description:literal $privileged:literal;)*) => {
        &[$(Code { code: $code, description: $description, privileged: $privileged }),*]
    };
}

/// All codes; `name.*` stands for all that begin so, `*` for all.
pub(super) const CODES: &[Code] = codes! {
    "organization.read" "See the organization" false;
    "organization.write" "Change the organization's name, description and logo" false;
    "organization.delete" "Delete the organization" true;
    "members.read" "See people and invitations" false;
    "members.invite" "Invite people" true;
    "members.write" "Change people's roles" true;
    "members.remove" "Remove people" true;
    "teams.read" "See teams" false;
    "teams.write" "Create and change teams" false;
    "teams.members" "Change who is in a team" true;
    "teams.delete" "Delete teams" true;
    "projects.read" "See projects" false;
    "projects.write" "Create and change projects" false;
    "projects.delete" "Archive and delete projects" true;
    "roles.read" "See roles" false;
    "roles.write" "Create, change and delete roles" true;
    "roles.assign" "Give and take roles" true;
    "keys.read" "See keys, never their values" false;
    "keys.write" "Create, change and delete keys" true;
    "limits.read" "See rate and usage limits" false;
    "limits.write" "Change rate and usage limits" false;
    "certificates.read" "See certificates" false;
    "certificates.write" "Activate and deactivate certificates" true;
    "project.read" "See a project and what is in it" false;
    "project.write" "Work in a project" false;
    "project.members" "Change who is in a project" true;
    "project.keys.read" "See a project's keys, never their values" false;
    "project.keys.write" "Create, change and delete a project's keys" true;
    "project.limits" "Change a project's limits" false;
    "project.resources" "Assign and remove a project's resources" false;
    "project.delete" "Archive and delete a project" true;
};

/// Whether holding these gives power over others: a wildcard does, and so does each privileged code.
pub(super) fn is_privileged(permissions: &[String]) -> bool {
    permissions.iter().any(|it| it == "*" || it.ends_with(".*") || CODES.iter().any(|known| known.privileged && known.code == it))
}

/// Checks codes; sorts them and folds duplicates.
pub(super) fn checked(permissions: &[String]) -> Result<Vec<String>, ProviderError> {
    let known = |it: &str| {
        it == "*"
            || CODES.iter().any(|known| known.code == it)
            || it.strip_suffix('*').is_some_and(|prefix| prefix.ends_with('.') && CODES.iter().any(|known| known.code.starts_with(prefix)))
    };
    if let Some(unknown) = permissions.iter().find(|it| !known(it)) {
        let near = CODES.iter().max_by(|a, b| strsim::jaro(a.code, unknown).total_cmp(&strsim::jaro(b.code, unknown)));
        let hint = near.map_or_else(String::new, |it| format!("did you mean `{}`? ", it.code));
        return Err(ProviderError::invalid(format!("no permission `{unknown}`"), format!("{hint}see list_permissions")));
    }
    let mut sorted = permissions.to_vec();
    sorted.sort();
    sorted.dedup();
    Ok(sorted)
}

/// The codes that are held, with each wildcard written out as what it stands for.
pub(super) fn expanded(held: &[String]) -> Vec<String> {
    let mut codes: Vec<String> = CODES.iter().filter(|it| covers(held, it.code)).map(|it| it.code.to_owned()).collect();
    codes.sort();
    codes
}

/// An SQL condition that is true of the roles `r` that give power over others.
pub(super) fn privileged_in_sql() -> String {
    let codes = CODES.iter().filter(|it| it.privileged).map(|it| format!("r.permissions LIKE '%\"{}\"%'", it.code));
    // A wildcard ends a code, whether it stands for some or for all.
    let any: Vec<String> = std::iter::once("r.permissions LIKE '%*\"%'".to_owned()).chain(codes).collect();
    format!("({})", any.join(" OR "))
}

/// Whether a code, or a wildcard, is among what is held.
pub(super) fn covers(held: &[String], code: &str) -> bool {
    held.iter()
        .any(|it| it == "*" || it == code || it.strip_suffix('*').is_some_and(|prefix| prefix.ends_with('.') && code.starts_with(prefix)))
}

/// What is new in a set of permissions. A wildcard is new even where all that it stands for today was held: it grows.
pub(super) fn gained(before: &[String], after: &[String]) -> Vec<String> {
    after.iter().filter(|it| !covers(before, it)).cloned().collect()
}

/// The codes that a set of permissions no longer allows.
pub(super) fn lost(before: &[String], after: &[String]) -> Vec<String> {
    let gone = CODES.iter().filter(|it| covers(before, it.code) && !covers(after, it.code));
    gone.map(|it| it.code.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(codes: &[&str]) -> Vec<String> {
        codes.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn a_wildcard_is_compared_by_what_it_stands_for() {
        let whole = these(&["teams.*"]);
        let parts = these(&["teams.delete", "teams.members", "teams.read", "teams.write"]);
        assert_eq!(lost(&whole, &parts), these(&[]));
        assert_eq!(gained(&parts, &whole), whole);
        assert_eq!(gained(&these(&["project.*"]), &these(&["project.keys.*", "project.read"])), these(&[]));
        assert_eq!(lost(&these(&["*"]), &whole).len(), CODES.len() - parts.len());
        assert_eq!(gained(&whole, &these(&["*"])), these(&["*"]));
        assert_eq!(expanded(&these(&["teams.*", "project.read"])), [vec!["project.read".to_owned()], parts].concat());
    }
}
