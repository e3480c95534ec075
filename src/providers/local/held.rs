//! What roles and keys of the directory allow, in the words that all providers share.

use super::{
    members::OWNER,
    permissions::{covers, expanded, is_privileged},
    reach::PROJECT_OWNER,
};
use crate::domain::access::{Action, Allows, Power, Role};

const IN_ORGANIZATION: &[(&str, Action)] = &[
    ("organization.read", Action::Read),
    ("organization.write", Action::Write),
    ("organization.delete", Action::Delete),
    ("members.invite", Action::Invite),
    ("members.write", Action::Manage),
    ("members.remove", Action::Manage),
    ("teams.members", Action::Manage),
    ("roles.write", Action::Manage),
    ("roles.assign", Action::Manage),
    ("keys.write", Action::Keys),
    ("certificates.write", Action::Keys),
    ("limits.write", Action::Limits),
];

/// What a role of the organization allows in each project of it. To see that there are projects is not to see what is in them.
const INSIDE: &[(&str, Action)] = &[
    ("projects.write", Action::Write),
    ("projects.delete", Action::Delete),
    ("roles.assign", Action::Manage),
    ("keys.write", Action::Keys),
    ("limits.write", Action::Limits),
];

const IN_PROJECT: &[(&str, Action)] = &[
    ("project.read", Action::Read),
    ("project.write", Action::Write),
    ("project.resources", Action::Write),
    ("project.members", Action::Invite),
    ("project.members", Action::Manage),
    ("project.keys.write", Action::Keys),
    ("project.limits", Action::Limits),
    ("project.delete", Action::Delete),
];

const IN_TEAM: &[(&str, Action)] = &[
    ("teams.read", Action::Read),
    ("teams.write", Action::Write),
    ("teams.members", Action::Invite),
    ("teams.members", Action::Manage),
    ("teams.delete", Action::Delete),
];

/// A role of the directory as it is held. The only place that says which roles have power, and which own.
pub(super) fn role(id: &str, name: &str, level: &str, codes: &[String]) -> Role {
    let allows = |tables: &[&[(&str, Action)]]| {
        Allows::these(tables.iter().flat_map(|it| it.iter()).filter(|it| covers(codes, it.0)).map(|it| it.1))
    };
    let (here, inside) = match level {
        "organization" => (allows(&[IN_ORGANIZATION]), allows(&[INSIDE, IN_PROJECT])),
        "team" => (allows(&[IN_TEAM]), Allows::nothing()),
        _ => (allows(&[IN_PROJECT]), Allows::nothing()),
    };
    Role {
        name: name.to_owned(),
        id: id.to_owned(),
        power: Power::of(is_privileged(codes)),
        allows: here,
        inside,
        permissions: expanded(codes),
        owns: id == OWNER || id == PROJECT_OWNER,
    }
}

/// What a key can do in its project: everything, where it is not narrowed.
pub(super) fn key_role(owner: Option<&str>, scopes: &[String]) -> Role {
    let all = ["*".to_owned()];
    let name = format!("key of {}", owner.unwrap_or("nobody"));
    role("key", &name, "project", if scopes.is_empty() { &all } else { scopes })
}

/// What somebody has who is in a project and was given no role there.
pub(super) fn no_role() -> Role {
    role("", "member without a role", "project", &[])
}
