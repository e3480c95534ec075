//! Grants in the words of answers.

use super::actions::Sure;
use crate::{
    access::allowed,
    domain::access::{Action, Allows, Grant, Holder, Place, Power, State, Via},
    tools::access::{Held, Owned, Way},
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

/// A way into a place, with what it allows there where that is asked, too.
pub(super) fn way(it: &Grant, place: &Place, with_all: bool, sure: Sure) -> Way {
    Way {
        role: it.role.name.clone(),
        through: from(it, place),
        power: match it.role.power {
            Power::None => "none",
            Power::OverOthers => "over others",
            Power::Unknown => "not told",
        }
        .to_owned(),
        can: with_all.then(|| allowed(it, place).map(can)).flatten(),
        sure: (sure == Sure::Perhaps).then(|| "not told what it allows".to_owned()),
        since: it.since,
        ends_at: it.ends_at,
    }
}

/// The same in words: `role owner (own role)`.
pub(super) fn by(it: &Grant, place: &Place) -> String {
    let end = it.ends_at.map(|it| format!(", until {it}")).unwrap_or_default();
    format!("role {} ({}{end})", it.role.name, from(it, place))
}

/// By which way a role reaches a place: one that is held above it says so.
fn from(it: &Grant, place: &Place) -> String {
    if it.place.is_same(place) || !matches!(it.place, Place::Organization(_)) {
        return through(it);
    }
    match (&it.via, it.state) {
        (_, State::Pending) => "invitation to the organization, not accepted yet".to_owned(),
        (Via::Team(team), _) => format!("role in the organization, by team {}", team.name),
        _ => "role in the organization".to_owned(),
    }
}

/// A place with all by which it is told apart.
pub(super) fn whole(place: &Place) -> String {
    let id = Some(id(place)).filter(|it| *it != place.name()).map(|it| format!(" [{it}]")).unwrap_or_default();
    let within = organization(place).filter(|it| !it.is_empty()).map(|it| format!(" in {it}")).unwrap_or_default();
    format!("{place}{id}{within}")
}

/// `1 role`, `3 roles`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
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
