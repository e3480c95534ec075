//! What a role lets its holder do: by its codes; where the service does not tell them, by what it says of the roles it comes with.

use std::collections::BTreeSet;

use super::{
    permissions::{self, cover},
    places::Kind,
    roles::Role,
};
use crate::domain::access::{self, Action, Allows};

impl Role {
    /// The role in the words that all providers share, as it is held in a place of this kind.
    pub(super) fn held(&self, kind: Kind) -> access::Role {
        if !self.told {
            return self.explained(kind);
        }
        access::Role {
            power: permissions::power(&self.permissions),
            allows: allows(&self.permissions, kind),
            inside: if kind == Kind::Organization { allows(&self.permissions, Kind::Project) } else { Allows::nothing() },
            permissions: self.permissions.clone(),
            owns: self.owns(),
            ..access::Role::unknown(&self.name, &self.id)
        }
    }

    /// The same of a role whose codes are not told: what the guide says of those that the service comes with, where they are
    /// meant to be held. Nobody says what an editor may do.
    fn explained(&self, kind: Kind) -> access::Role {
        let (name, id) = (&self.name, &self.id);
        let role = match (self.slug.as_deref().filter(|_| self.built_in), kind) {
            (Some("org_owner"), Kind::Organization) => return access::Role::owner(name, id),
            (Some("org_admin"), Kind::Organization) | (Some("team_lead"), Kind::Team) | (Some("project_admin"), Kind::Project) => {
                access::Role::known(name, id, [Action::Read, Action::Write, Action::Invite, Action::Manage])
            }
            (Some("org_member"), Kind::Organization) | (Some("team_member"), Kind::Team) | (Some("project_viewer"), Kind::Project) => {
                access::Role::known(name, id, [Action::Read])
            }
            _ => access::Role::unknown(name, id),
        };
        access::Role { inside: if kind == Kind::Organization { Allows::Unknown } else { Allows::nothing() }, ..role }
    }

    /// The codes that a holder of one role loses who gets another; `None` where the other surely allows as much.
    pub(super) fn lost(was: &access::Role, will: &access::Role) -> Option<Vec<String>> {
        let codes: Vec<String> = was.permissions.iter().filter(|it| !cover(&will.permissions, it)).cloned().collect();
        let less = |was: &Allows, will: &Allows| Action::ALL.into_iter().any(|it| was.may(it) && !will.has(it));
        let is_less = !codes.is_empty() || less(&was.allows, &will.allows) || less(&was.inside, &will.inside);
        is_less.then_some(codes)
    }
}

/// What codes allow in places of a kind. Who may update a team or project decides who is in it.
fn allows(codes: &[String], kind: Kind) -> Allows {
    if codes.iter().any(|it| it == "*") {
        return Allows::all();
    }
    let can = |action: &str| cover(codes, &format!("{}s:{action}", kind.noun()));
    let manages = match kind {
        Kind::Organization => can("manage_members") || cover(codes, "roles:update"),
        Kind::Team | Kind::Project => can("update"),
    };
    let actions = [
        (can("read"), Action::Read),
        (can("update"), Action::Write),
        (manages, Action::Invite),
        (manages, Action::Manage),
        (can("delete"), Action::Delete),
    ];
    Allows::Known(actions.into_iter().filter(|it| it.0).map(|it| it.1).collect::<BTreeSet<_>>())
}
