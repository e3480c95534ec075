//! Permission codes: texts like `models:read`. Which there are, the service says; codes that it does not list are let through.

use serde::Deserialize;

use super::{
    Session,
    wire::{filled, listed},
};
use crate::{
    domain::{List, PageRequest, Query, access::Power, roles::Permission},
    error::ProviderError,
    providers::http::cut,
    tools::roles::ListPermissions,
};

/// A permission. Some deployments tell the code in `code` and its title in `name`, others the code in `name`.
#[derive(Debug, Deserialize)]
struct WirePermission {
    name: Option<String>,
    description: Option<String>,
    code: Option<String>,
}

impl WirePermission {
    fn code(&self) -> &str {
        filled(self.code.as_ref()).or_else(|| filled(self.name.as_ref())).unwrap_or_default()
    }
}

/// Lists the codes that roles can hold.
pub(super) async fn list(at: &Session, op: &ListPermissions) -> Result<List<Permission>, ProviderError> {
    let told: Vec<WirePermission> = listed(at.get("/permissions")).await?;
    let view = |it: WirePermission| {
        let title = filled(it.name.as_ref()).filter(|name| *name != it.code());
        let description = filled(it.description.as_ref()).or(title).map(str::to_owned);
        Permission { permission: it.code().to_owned(), description }
    };
    let contains =
        |query: &Query, it: &Permission| query.is_in(&it.permission) || it.description.as_deref().is_some_and(|it| query.is_in(it));
    let fits = |it: &Permission| op.query.as_ref().is_none_or(|query| contains(query, it));
    let found = told.into_iter().map(view).filter(fits).collect();
    cut(found, &PageRequest::of(op.limit, op.cursor.as_ref()), |it| it.permission.clone())
}

/// Whether a code, or a wildcard, is among what is held.
pub(super) fn cover(held: &[String], code: &str) -> bool {
    let star = |it: &str| it.strip_suffix('*').is_some_and(|it| it.ends_with(':') && code.starts_with(it));
    held.iter().any(|it| it == "*" || it == code || star(it))
}

/// What models and data are worked on with: none of their actions is power over others, bar all of them at once.
const WORK: [&str; 14] = [
    "models",
    "model_versions",
    "datasets",
    "dataset_versions",
    "dataset_labels",
    "dataset_splits",
    "dataset_items",
    "annotations",
    "inferences",
    "jobs",
    "workflows",
    "workflow_executions",
    "graphs",
    "post_processors",
];

/// Whether holding these gives power over others. The service knows codes that its guide does not explain.
pub(super) fn power(codes: &[String]) -> Power {
    let powers: Vec<Power> = codes.iter().map(|it| power_of(it)).collect();
    [Power::OverOthers, Power::Unknown].into_iter().find(|it| powers.contains(it)).unwrap_or(Power::None)
}

/// Power are wildcards, and all that changes who is where and as what.
fn power_of(code: &str) -> Power {
    match code.split_once(':') {
        None if code == "*" => Power::OverOthers,
        Some((_, "*" | "manage_members")) => Power::OverOthers,
        // Who may update a team or project decides who is in it.
        Some(("organizations" | "teams" | "projects", action)) => Power::of(!matches!(action, "list" | "read" | "create")),
        Some(("roles", action)) => Power::of(!matches!(action, "list" | "read")),
        Some(("permissions", "list" | "read")) => Power::None,
        Some((of, _)) if WORK.contains(&of) => Power::None,
        _ => Power::Unknown,
    }
}

/// Checks the form of codes; folds duplicates.
pub(super) fn checked(codes: &[String]) -> Result<Vec<String>, ProviderError> {
    let word = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_' || it == b'-');
    let formed = |it: &str| it == "*" || it.split_once(':').is_some_and(|(of, action)| word(of) && (action == "*" || word(action)));
    if let Some(wrong) = codes.iter().find(|it| !formed(it)) {
        return Err(ProviderError::invalid(
            format!("`{}` is not a permission", wrong.escape_default()),
            "write resource:action, such as models:read; see list_permissions",
        ));
    }
    let mut unique: Vec<String> = Vec::new();
    for code in codes {
        if !unique.contains(code) {
            unique.push(code.clone());
        }
    }
    Ok(unique)
}

/// What a person should know of codes that the service does not list. They are let through: it knows more than it lists.
pub(super) async fn warnings(at: &Session, codes: &[String]) -> Vec<String> {
    if codes.is_empty() {
        return Vec::new();
    }
    let Ok(told) = listed::<WirePermission>(at.get("/permissions")).await else {
        return vec!["whether the service knows these permissions could not be looked up".to_owned()];
    };
    let unknown = codes.iter().filter(|code| !told.iter().any(|it| it.code() == code.as_str()));
    let warning = |code: &String| {
        let likeness = |it: &WirePermission| strsim::jaro_winkler(it.code(), code);
        let near = told.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let hint = near.map_or_else(String::new, |it| format!("; did you mean `{}`?", it.code()));
        format!("the service does not list the permission `{code}`{hint}")
    };
    unknown.map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(codes: &[&str]) -> Vec<String> {
        codes.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn power_over_others_is_seen() {
        for code in ["*", "jobs:*", "organizations:manage_members", "projects:update", "roles:create"] {
            assert_eq!(power(&these(&["models:read", code])), Power::OverOthers, "{code}");
        }
        assert_eq!(power(&these(&["models:update", "projects:read", "permissions:list", "organizations:list"])), Power::None);
        assert_eq!(power(&these(&["models:read", "users:read"])), Power::Unknown, "nobody explains it");
    }

    #[test]
    fn a_star_covers_what_it_stands_for_and_is_covered_by_a_greater_one_only() {
        assert!(cover(&these(&["teams:*"]), "teams:read") && cover(&these(&["*"]), "teams:*"));
        assert!(!cover(&these(&["teams:read", "teams:list"]), "teams:*") && !cover(&these(&["teams:*"]), "teams_x:read"));
        assert!(!cover(&these(&["*:read"]), "teams:read"));
    }

    #[test]
    fn codes_have_a_form_and_come_once() {
        assert_eq!(checked(&these(&["models:write", "*", "models:write"])).ok(), Some(these(&["models:write", "*"])));
        for wrong in ["", "models", "models:", "*:read", "Models:read", "models:read:all"] {
            assert!(checked(&these(&[wrong])).is_err(), "{wrong}");
        }
    }
}
