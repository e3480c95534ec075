//! Grants in the words of answers.

use crate::{
    domain::access::{Action, Allows, Grant, Holder, Place, State, Via},
    tools::access::{Held, Owned},
};

/// A grant as a row.
pub(super) fn held(it: &Grant, connection: Option<String>) -> Held {
    Held {
        place: it.place.to_string(),
        id: id(&it.place).to_owned(),
        organization: organization(&it.place),
        key: if let Holder::Key(key) = &it.holder { Some(format!("{} [{}]", key.name, key.id)) } else { None },
        role: it.role.name.clone(),
        through: through(it),
        can: can(&it.role.allows),
        in_projects: (it.role.inside != Allows::nothing()).then(|| can(&it.role.inside)),
        since: it.since,
        ends_at: it.ends_at,
        connection,
    }
}

pub(super) fn owned(it: &Place, connection: Option<String>) -> Owned {
    Owned { place: it.to_string(), id: id(it).to_owned(), organization: organization(it), connection }
}

fn id(place: &Place) -> &str {
    match place {
        Place::Organization(it) | Place::Project { project: it, .. } | Place::Team { team: it, .. } => &it.id,
    }
}

/// The organization that a place is in, where it is none itself.
fn organization(place: &Place) -> Option<String> {
    (!matches!(place, Place::Organization(_))).then(|| place.organization().name.clone())
}

/// By which way a role is held.
fn through(it: &Grant) -> String {
    match (&it.via, it.state) {
        (_, State::Pending) => "invitation, not accepted yet".to_owned(),
        (Via::Own, _) => "own role".to_owned(),
        (Via::Team(team), _) => format!("team {}", team.name),
        (Via::OrganizationRole(role), _) => format!("role {} of the organization", role.name),
        (Via::Inherited, _) => "its owner".to_owned(),
    }
}

/// What a role allows: `read, write, delete`.
fn can(allows: &Allows) -> String {
    match allows {
        Allows::Unknown => "not told".to_owned(),
        Allows::Known(actions) if actions.is_empty() => "nothing".to_owned(),
        Allows::Known(actions) => {
            Action::ALL.into_iter().filter(|it| actions.contains(it)).map(Action::name).collect::<Vec<_>>().join(", ")
        }
    }
}
