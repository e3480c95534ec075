//! What roles mean: the one place that knows which of them give power over others.
//!
//! The service tells the permissions of a role as ids whose meaning is not documented. Its own roles are explained by their names:
//! owners manage people and may delete, editors work, viewers look. What any other role allows, nobody can tell here.

use super::{
    people::is_external,
    roles::{KnownRole, key, prefix},
    wire::WireSeat,
};
use crate::domain::{
    access::{Action, Allows, Role},
    roles::RoleLevel,
};

const OWNER: [Action; 5] = [Action::Read, Action::Write, Action::Invite, Action::Manage, Action::Delete];

/// How a role is called that a reply does not name.
const UNTOLD: &str = "a role that is not told";

/// A role of an organization or of a project as somebody holds it.
pub(super) fn held(role: &KnownRole, level: RoleLevel) -> Role {
    explained(&role.name, &role.id, role.permissions.clone(), level)
}

/// The role that a reply names, by id or by title.
pub(super) fn named(known: &[KnownRole], text: &str, level: RoleLevel) -> Role {
    let fits = |it: &&KnownRole| it.is_named_at(text, level) && it.level().is_none_or(|own| own == level);
    match known.iter().find(fits) {
        Some(role) => held(role, level),
        None => explained(if text.is_empty() { UNTOLD } else { text }, text, Vec::new(), level),
    }
}

/// Whether somebody else surely owns the place where these people are.
pub(super) fn is_owned_without(person: &WireSeat, people: &[WireSeat], known: &[KnownRole], level: RoleLevel) -> bool {
    let counts = |it: &&WireSeat| it.user.id != person.user.id && !(level == RoleLevel::Organization && is_external(it));
    people.iter().filter(counts).any(|it| named(known, &it.role, level).owns)
}

fn explained(name: &str, id: &str, permissions: Vec<String>, level: RoleLevel) -> Role {
    let key = key(name);
    let role = match (key.strip_prefix(prefix(level)).unwrap_or(&key), level) {
        // That owners of an organization reach its projects is nowhere written.
        ("owner", RoleLevel::Organization) => Role { owns: true, inside: Allows::Unknown, ..Role::known(name, id, OWNER) },
        ("owner", _) => Role { owns: true, ..Role::known(name, id, OWNER) },
        ("editor", _) => Role::known(name, id, [Action::Read, Action::Write]),
        ("viewer", _) => Role::known(name, id, [Action::Read]),
        (_, RoleLevel::Organization) => Role { inside: Allows::Unknown, ..Role::unknown(name, id) },
        _ => Role::unknown(name, id),
    };
    Role { permissions, ..role }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Power;

    #[test]
    fn a_role_is_explained_by_its_whole_name_where_it_is_held() {
        let power = |name: &str, level| explained(name, "r-1", Vec::new(), level).power;
        for (name, expected) in [
            ("OrgOwner", Power::OverOthers),
            ("Organization Editor", Power::None),
            ("viewer", Power::None),
            ("Billing Viewer", Power::Unknown),
            ("Project Viewer", Power::Unknown),
            ("r-viewer", Power::Unknown),
            (UNTOLD, Power::Unknown),
        ] {
            assert_eq!(power(name, RoleLevel::Organization), expected, "{name}");
        }
        assert_eq!(power("project_owner", RoleLevel::Project), Power::OverOthers);
        assert_eq!(power("Organization Viewer", RoleLevel::Project), Power::Unknown);
    }
}
