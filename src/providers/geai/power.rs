//! Who holds a role, and what it means. The service tells of a role its name, kind and origin, and nothing of what it allows.

use super::wire::{WireMember, WireRole, WireToken};
use crate::domain::{
    access::{self, Action, Allows, Grant, Holder, Named, Person, Power, Role},
    fold,
    roles::RoleLevel,
};

/// What a role allows. Those that every project has are known by their names; of what an organization has made itself no list
/// says anything.
pub(super) fn role(it: &WireRole, level: RoleLevel) -> Role {
    let name = it.name.clone();
    let id = if it.id.is_empty() { name.clone() } else { it.id.clone() };
    let built_in = it.origin.as_deref().is_none_or(|it| it.eq_ignore_ascii_case("system"));
    match (level, fold(&name).as_str()) {
        _ if !built_in => Role::unknown(name, id),
        (RoleLevel::Project, "project administrator") => Role::owner(name, id),
        (RoleLevel::Project, "project member") => Role::known(name, id, [Action::Read, Action::Write]),
        (RoleLevel::Project, "access all project assistants") | (RoleLevel::Organization, "organization member") => {
            Role::known(name, id, [Action::Read])
        }
        // That it is power is in the name; how far it goes is not.
        (RoleLevel::Organization, told) if ["admin", "owner"].iter().any(|it| told.contains(it)) => {
            Role { power: Power::OverOthers, inside: Allows::Unknown, ..Role::unknown(name, id) }
        }
        _ => Role::unknown(name, id),
    }
}

/// The role of who is named as the administrator of something new; the service tells no id of it then.
pub(super) fn administrator(level: RoleLevel) -> Role {
    let name = if level == RoleLevel::Project { "Project administrator" } else { "administrator" };
    Role::owner(name, name)
}

/// What a key can do in its project: everything.
pub(super) fn of_key() -> Role {
    Role { owns: false, inside: Allows::nothing(), ..Role::owner("full access", "full access") }
}

/// A key of a project. Its own id is the secret, so a fingerprint stands for it; a new one has none yet.
pub(super) fn key(name: &str, fingerprint: &str, place: access::Place) -> Grant {
    Grant::own(Holder::Key(Named::new(name, fingerprint)), of_key(), place)
}

/// A token that is there.
pub(super) fn of_token(it: &WireToken, place: access::Place) -> Grant {
    key(&it.name, &super::api_keys::fingerprint(&it.id), place)
}

/// Whom an address stands for: `all-members@acme.example` for everybody with an address there.
pub(super) fn addressed(email: &str) -> Holder {
    match email.rsplit_once('@') {
        Some((local, domain)) if fold(local).replace(['-', '_', '.'], "") == "allmembers" => Holder::Everybody(domain.to_lowercase()),
        _ => Holder::person(email, None),
    }
}

/// Somebody in a project or organization.
pub(super) fn holder(it: &WireMember) -> Holder {
    let known = |it: &Option<String>| it.clone().filter(|it| !it.is_empty());
    let (name, id) = (known(&it.name), known(&it.id));
    match known(&it.email).map(|it| addressed(&it)) {
        Some(Holder::Person(person)) => Holder::Person(Person { name, id, ..person }),
        Some(everybody) => everybody,
        None => Holder::Person(Person { email: None, name, id }),
    }
}

/// What somebody holds in a place. Whoever is listed without a role is in it in a way that is not told.
pub(super) fn held(it: &WireMember, level: RoleLevel, place: &access::Place) -> Vec<Grant> {
    granted(&holder(it), &it.roles, level, place)
}

/// The same, where holder and roles come from different lists.
pub(super) fn granted(holder: &Holder, roles: &[WireRole], level: RoleLevel, place: &access::Place) -> Vec<Grant> {
    let mut roles: Vec<Role> = roles.iter().map(|it| role(it, level)).collect();
    if roles.is_empty() {
        roles.push(Role::unknown("a role that is not told", ""));
    }
    roles.into_iter().map(|it| Grant::own(holder.clone(), it, place.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, origin: Option<&str>, level: RoleLevel) -> Role {
        let origin = origin.map(str::to_owned);
        role(&WireRole { id: "r".to_owned(), name: name.to_owned(), kind: None, origin }, level)
    }

    #[test]
    fn only_roles_that_every_project_has_are_known() {
        assert_eq!(told("Project member", Some("System"), RoleLevel::Project).power, Power::None);
        assert!(told("project Administrator", None, RoleLevel::Project).owns);
        for (name, origin) in [("Map Reader", Some("User")), ("Steward", None), ("Project member", Some("User"))] {
            assert_eq!(told(name, origin, RoleLevel::Project), Role::unknown(name, "r"), "{name}");
        }
        assert_eq!(told("Organization administrator", None, RoleLevel::Organization).power, Power::OverOthers);
    }

    #[test]
    fn an_address_of_all_members_is_a_mail_domain() {
        for email in ["all-members@acme.example", "All_Members@ACME.example", "allmembers@acme.example"] {
            assert_eq!(addressed(email), Holder::Everybody("acme.example".to_owned()), "{email}");
        }
        assert_eq!(addressed("all@acme.example"), Holder::person("all@acme.example", None));
    }
}
