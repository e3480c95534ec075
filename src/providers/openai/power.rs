//! What roles mean: the one place that knows which power they give and what they allow.

use std::collections::BTreeSet;

use super::roles::WireRole;
use crate::domain::{
    access::{Action, Allows, Power, Role},
    roles::RoleLevel,
};

/// A role as it is held, in the organization or in a project. Of one whose permissions are not told nothing is known.
pub(super) fn of(role: &WireRole, level: RoleLevel) -> Role {
    let known = role.short().and_then(|it| built_in(it, level));
    let Some(codes) = &role.permissions else {
        return known.unwrap_or_else(|| Role::unknown(&role.name, &role.id));
    };
    let privileged = codes.iter().any(|it| is_privileged(it));
    let told = Role {
        power: Power::of(privileged),
        allows: allows(codes, level),
        inside: if level == RoleLevel::Organization { allows(codes, RoleLevel::Project) } else { Allows::nothing() },
        ..Role::unknown(&role.name, &role.id)
    };
    let mut role = known.unwrap_or(told);
    if privileged {
        role.power = Power::OverOthers;
    }
    role.permissions.clone_from(codes);
    role
}

/// The role that a membership, an invitation or a service account names, by what a list of roles says of it.
pub(super) fn named(all: &[WireRole], name: &str, level: RoleLevel) -> Role {
    all.iter().find(|it| it.is_called(name)).map_or_else(|| called(name, level), |it| of(it, level))
}

/// The same, by its name alone.
pub(super) fn called(name: &str, level: RoleLevel) -> Role {
    built_in(name, level).unwrap_or_else(|| Role::unknown(name, name))
}

/// What a key can do: everything that its owner can, or only what its scopes name.
pub(super) fn of_key(scopes: &[String], owner: Role) -> Role {
    if scopes.is_empty() {
        return owner;
    }
    let name = scopes.join(", ");
    Role {
        power: Power::of(scopes.iter().any(|it| is_privileged(it))),
        allows: allows(scopes, RoleLevel::Project),
        permissions: scopes.to_vec(),
        ..Role::unknown(name.clone(), name)
    }
}

/// The seat in a team: teams have no roles of their own here.
pub(super) fn team_seat() -> Role {
    Role::known("member", "member", [Action::Read])
}

/// The roles that every organization and every project has. Their ids are those without the tail that names the place, which the
/// service understands too.
fn built_in(name: &str, level: RoleLevel) -> Option<Role> {
    let id = |scope: &str| format!("role-api-{scope}-{name}");
    match (level, name) {
        (RoleLevel::Organization, "owner") => Some(Role::owner(name, id("organization"))),
        (RoleLevel::Organization, "reader") => Some(Role::known(name, id("organization"), [Action::Read])),
        (RoleLevel::Project, "owner") => Some(Role { inside: Allows::nothing(), ..Role::owner(name, id("project")) }),
        (RoleLevel::Project, "member") => Some(Role::known(name, id("project"), [Action::Read, Action::Write])),
        (RoleLevel::Project, "viewer") => Some(Role::known(name, id("project"), [Action::Read])),
        // A service account that was made without a key.
        (RoleLevel::Project, "none") => Some(Role::known(name, name, [])),
        _ => None,
    }
}

/// Whether a permission is power over others. Permissions are open words: one that is not known to be about looking or about
/// using models is taken for power.
pub(super) fn is_privileged(permission: &str) -> bool {
    !matches!(permission.rsplit('.').next(), Some("read" | "request" | "list" | "use"))
}

/// What permissions allow, where all of them are understood.
fn allows(codes: &[String], level: RoleLevel) -> Allows {
    let mut actions = BTreeSet::new();
    for code in codes {
        match actions_of(code, level) {
            Some(these) => actions.extend(these),
            None => return Allows::Unknown,
        }
    }
    Allows::Known(actions)
}

fn actions_of(code: &str, level: RoleLevel) -> Option<&'static [Action]> {
    let in_project = level == RoleLevel::Project;
    Some(match code {
        "*" => &Action::ALL,
        "api.organization.projects.write" => &[Action::Read, Action::Write, Action::Limits, Action::Delete],
        "api.organization.projects.api_keys.write" if in_project => &[Action::Read, Action::Keys],
        "api.organization.projects.api_keys.write" => &[Action::Keys],
        "api.model.request" if in_project => &[Action::Read, Action::Write],
        "api.model.read" if in_project => &[Action::Read],
        "api.model.request" | "api.model.read" => &[],
        // Groups and roles are the organization's: they open no project.
        "api.groups.read" | "api.roles.read" if in_project => &[],
        "api.groups.read"
        | "api.roles.read"
        | "api.organization.projects.read"
        | "api.organization.projects.api_keys.read"
        | "api.all.read" => &[Action::Read],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_be_harmless_is_power() {
        for harmless in ["api.groups.read", "api.model.request", "api.organization.projects.api_keys.read"] {
            assert!(!is_privileged(harmless), "{harmless}");
        }
        for power in ["api.groups.write", "api.organization.projects.api_keys.*", "*", "api.something.new"] {
            assert!(is_privileged(power), "{power}");
        }
    }

    #[test]
    fn owners_of_the_organization_reach_all_projects_and_owners_of_a_project_that_one() {
        let (of_all, of_one) = (called("owner", RoleLevel::Organization), called("owner", RoleLevel::Project));
        assert_eq!((of_all.inside, of_one.inside), (Allows::all(), Allows::nothing()));
        assert!(of_all.owns && of_one.owns);
    }

    #[test]
    fn a_role_that_no_list_explains_is_unknown() {
        let odd = WireRole { id: "role_odd".into(), name: "odd".into(), ..WireRole::default() };
        for role in [of(&odd, RoleLevel::Project), called("boss", RoleLevel::Project), called("member", RoleLevel::Organization)] {
            assert_eq!((role.power, role.allows), (Power::Unknown, Allows::Unknown), "{}", role.name);
        }
        // A role of somebody's own making may be called like a built-in one.
        let pretender = WireRole { name: "reader".into(), ..odd };
        assert_eq!(of(&pretender, RoleLevel::Organization).power, Power::Unknown);
    }

    #[test]
    fn what_is_allowed_is_told_where_every_permission_is_understood() {
        let role =
            |codes: &[&str]| WireRole { permissions: Some(codes.iter().map(|it| (*it).to_owned()).collect()), ..WireRole::default() };
        let allowed = |codes: &[&str]| of(&role(codes), RoleLevel::Project).allows;
        assert_eq!(allowed(&[]), Allows::nothing());
        assert_eq!(allowed(&["api.organization.projects.api_keys.write"]), Allows::these([Action::Read, Action::Keys]));
        assert_eq!(allowed(&["api.model.read", "api.something.read"]), Allows::Unknown);
        let auditor = of(&role(&["api.organization.projects.read"]), RoleLevel::Organization);
        assert_eq!(auditor.inside, Allows::these([Action::Read]));
    }
}
