//! Who holds a role, and what a change of it means to them.

use super::{
    Session,
    people::Seat,
    permissions,
    places::Place,
    roles::Role,
    seats::{everywhere, shown},
};
use crate::{
    domain::{Gravity, Impact},
    error::ProviderError,
};

/// What other permissions mean for who holds the role.
pub(super) async fn change_of_permissions(
    at: &Session,
    role: &Role,
    organization: &Place,
    new: &[String],
) -> Result<Impact, ProviderError> {
    let gained: Vec<String> = new.iter().filter(|it| !permissions::cover(&role.permissions, it)).cloned().collect();
    let lost: Vec<String> = role.permissions.iter().filter(|it| !permissions::cover(new, it)).cloned().collect();
    let (holders, note) = holders(at, role, organization).await?;
    let unseen = note.is_some();
    let mut impact = Impact::none();
    impact.notes.extend(note);
    if !gained.is_empty() {
        let who = match holders.as_slice() {
            [] => "nobody holds it; whoever is given it gains".to_owned(),
            [one] => format!("1 person gains ({one})"),
            many => format!("{} people gain ({})", many.len(), shown(many)),
        };
        let power = permissions::are_privileged(&gained);
        let what = if power { " power over others" } else { "" };
        impact = impact.at_least(if power { Gravity::Low } else { Gravity::None }).note(format!("{who}{what}: {}", gained.join(", ")));
    }
    if !lost.is_empty() {
        // Whoever could not be looked at may hold it.
        let gravity = if holders.is_empty() && !unseen { Gravity::None } else { Gravity::High };
        impact = impact.at_least(gravity).note(format!("taken away: {}", lost.join(", ")));
        impact = impact.loses(holders.len() as u64, ("person loses permissions", "people lose permissions"), holders);
    }
    Ok(impact)
}

/// Who holds a role anywhere in its organization, and what could not be looked at.
pub(super) async fn holders(at: &Session, role: &Role, organization: &Place) -> Result<(Vec<String>, Option<String>), ProviderError> {
    let (seats, note) = everywhere(at, organization).await?;
    let held = |it: &&(Place, Seat)| it.1.holds(role) && !it.1.pending;
    let mut people: Vec<String> = seats.iter().filter(held).map(|it| it.1.called().to_owned()).collect();
    people.sort();
    people.dedup();
    Ok((people, note))
}
