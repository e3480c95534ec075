//! The service's table of contents.

use super::{
    Openai, admin_keys, api_keys, assignments,
    assignments::Principal,
    audit_logs, certificates, groups, invites, project_groups, project_users, projects, rate_limits,
    reply::{Refusal, Reply},
    request::Ask,
    roles, service_accounts, spending, users,
};

/// Answers a request that was let in. Words that stand where an id could are looked for first.
pub(super) fn route(at: &mut Openai, ask: &Ask) -> Reply {
    let (method, path) = ask.call.route();
    let Some(("v1", path)) = path.split_first().map(|(root, rest)| (*root, rest)) else { return Err(Refusal::no_such_path()) };
    match path {
        ["organization", "projects", project, rest @ ..] if !rest.is_empty() => of_project(at, ask, method, project, rest),
        ["projects", project, rest @ ..] => roles_of_project(at, ask, method, project, rest),
        ["organization", rest @ ..] => of_organization(at, ask, method, rest),
        _ => Err(Refusal::no_such_path()),
    }
}

fn of_organization(at: &mut Openai, ask: &Ask, method: &str, path: &[&str]) -> Reply {
    match (method, path) {
        ("GET", ["projects"]) => projects::list(at, ask),
        ("POST", ["projects"]) => projects::create(at, ask),
        ("GET", ["projects", id]) => projects::retrieve(at, id),
        ("POST", ["projects", id]) => projects::update(at, ask, id),

        ("GET", ["users"]) => users::list(at, ask),
        ("GET", ["users", id]) => users::retrieve(at, id),
        ("POST", ["users", id]) => users::update(at, ask, id),
        ("DELETE", ["users", id]) => users::delete(at, ask, id),
        (_, ["users", id, "roles", rest @ ..]) => assigned(at, ask, method, None, &Principal::user(id), rest),

        ("GET", ["invites"]) => invites::list(at, ask),
        ("POST", ["invites"]) => invites::create(at, ask),
        ("GET", ["invites", id]) => invites::retrieve(at, id),
        ("DELETE", ["invites", id]) => invites::delete(at, ask, id),

        ("GET", ["groups"]) => groups::list(at, ask),
        ("POST", ["groups"]) => groups::create(at, ask),
        ("GET", ["groups", id]) => groups::retrieve(at, id),
        ("POST", ["groups", id]) => groups::update(at, ask, id),
        ("DELETE", ["groups", id]) => groups::delete(at, ask, id),
        ("GET", ["groups", id, "users"]) => groups::list_users(at, ask, id),
        ("POST", ["groups", id, "users"]) => groups::add_user(at, ask, id),
        ("GET", ["groups", id, "users", user]) => groups::retrieve_user(at, id, user),
        ("DELETE", ["groups", id, "users", user]) => groups::remove_user(at, id, user),
        (_, ["groups", id, "roles", rest @ ..]) => assigned(at, ask, method, None, &Principal::group(id), rest),

        (_, ["roles", rest @ ..]) => of_roles(at, ask, method, None, rest),

        ("GET", ["certificates"]) => certificates::list(at, ask, None),
        ("POST", ["certificates"]) => certificates::create(at, ask),
        ("POST", ["certificates", "activate"]) => certificates::activate(at, ask, None),
        ("POST", ["certificates", "deactivate"]) => certificates::deactivate(at, ask, None),
        ("GET", ["certificates", id]) => certificates::retrieve(at, ask, id),
        ("POST", ["certificates", id]) => certificates::update(at, ask, id),
        ("DELETE", ["certificates", id]) => certificates::delete(at, ask, id),

        ("GET", ["admin_api_keys"]) => admin_keys::list(at, ask),
        ("POST", ["admin_api_keys"]) => admin_keys::create(at, ask),
        ("GET", ["admin_api_keys", id]) => admin_keys::retrieve(at, id),
        ("DELETE", ["admin_api_keys", id]) => admin_keys::delete(at, ask, id),

        ("GET", ["spend_limit"]) => spending::of_organization(),
        ("GET", ["costs"]) => spending::costs(at, ask),

        ("GET", ["audit_logs"]) => audit_logs::list(at, ask),
        _ => Err(Refusal::no_such_path()),
    }
}

fn of_project(at: &mut Openai, ask: &Ask, method: &str, project: &str, path: &[&str]) -> Reply {
    match (method, path) {
        ("POST", ["archive"]) => projects::archive(at, ask, project),

        ("GET", ["users"]) => project_users::list(at, ask, project),
        ("POST", ["users"]) => project_users::create(at, ask, project),
        ("GET", ["users", id]) => project_users::retrieve(at, project, id),
        ("POST", ["users", id]) => project_users::update(at, ask, project, id),
        ("DELETE", ["users", id]) => project_users::delete(at, ask, project, id),

        ("GET", ["service_accounts"]) => service_accounts::list(at, ask, project),
        ("POST", ["service_accounts"]) => service_accounts::create(at, ask, project),
        ("GET", ["service_accounts", id]) => service_accounts::retrieve(at, project, id),
        ("POST", ["service_accounts", id]) => service_accounts::update(at, ask, project, id),
        ("DELETE", ["service_accounts", id]) => service_accounts::delete(at, ask, project, id),
        ("POST", ["service_accounts", id, "api_keys"]) => service_accounts::create_key(at, ask, project, id),

        ("GET", ["api_keys"]) => api_keys::list(at, ask, project),
        ("GET", ["api_keys", id]) => api_keys::retrieve(at, project, id),
        ("POST", ["api_keys", id]) => api_keys::update(at, ask, project, id),
        ("DELETE", ["api_keys", id]) => api_keys::delete(at, ask, project, id),

        ("GET", ["rate_limits"]) => rate_limits::list(at, ask, project),
        ("POST", ["rate_limits", id]) => rate_limits::update(at, ask, project, id),

        ("GET", ["spend_limit"]) => spending::retrieve(at, project),

        ("GET", ["groups"]) => project_groups::list(at, ask, project),
        ("POST", ["groups"]) => project_groups::create(at, ask, project),
        ("GET", ["groups", id]) => project_groups::retrieve(at, ask, project, id),
        ("DELETE", ["groups", id]) => project_groups::delete(at, ask, project, id),

        ("GET", ["certificates"]) => certificates::list(at, ask, Some(project)),
        ("POST", ["certificates", "activate"]) => certificates::activate(at, ask, Some(project)),
        ("POST", ["certificates", "deactivate"]) => certificates::deactivate(at, ask, Some(project)),
        _ => Err(Refusal::no_such_path()),
    }
}

/// What lies below `/projects` and not below `/organization/projects`.
fn roles_of_project(at: &mut Openai, ask: &Ask, method: &str, project: &str, path: &[&str]) -> Reply {
    match path {
        ["roles", rest @ ..] => of_roles(at, ask, method, Some(project), rest),
        ["users", id, "roles", rest @ ..] => assigned(at, ask, method, Some(project), &Principal::user(id), rest),
        ["groups", id, "roles", rest @ ..] => assigned(at, ask, method, Some(project), &Principal::group(id), rest),
        _ => Err(Refusal::no_such_path()),
    }
}

fn of_roles(at: &mut Openai, ask: &Ask, method: &str, project: Option<&str>, path: &[&str]) -> Reply {
    match (method, path) {
        ("GET", []) => roles::list(at, ask, project),
        ("POST", []) => roles::create(at, ask, project),
        ("GET", [id]) => roles::retrieve(at, project, id),
        ("POST", [id]) => roles::update(at, ask, project, id),
        ("DELETE", [id]) => roles::delete(at, ask, project, id),
        _ => Err(Refusal::no_such_path()),
    }
}

fn assigned(at: &mut Openai, ask: &Ask, method: &str, project: Option<&str>, to: &Principal, path: &[&str]) -> Reply {
    match (method, path) {
        ("GET", []) => assignments::list(at, ask, project, to),
        ("POST", []) => assignments::create(at, ask, project, to),
        ("GET", [id]) => assignments::retrieve(at, project, to, id),
        ("DELETE", [id]) => assignments::delete(at, ask, project, to, id),
        _ => Err(Refusal::no_such_path()),
    }
}
