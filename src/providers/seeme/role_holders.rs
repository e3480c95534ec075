//! Who holds a role, and what a change of it means to them. Whoever is invited with it holds it.

use std::slice;

use super::{
    Session, access,
    people::Seat,
    permissions,
    places::{Kind, Place},
    roles::Role,
    seats::{everywhere, shown},
};
use crate::{
    domain::{Facts, Losing, access::Action},
    error::ProviderError,
};

/// What other permissions mean for who holds the role.
pub(super) async fn change_of_permissions(at: &Session, role: &Role, organization: &Place, new: &[String]) -> Result<Facts, ProviderError> {
    let gained: Vec<String> = new.iter().filter(|it| !permissions::cover(&role.permissions, it)).cloned().collect();
    let lost: Vec<String> = role.permissions.iter().filter(|it| !permissions::cover(new, it)).cloned().collect();
    let after = role.clone().allowing(new);
    let (held, note) = holders(at, role, organization).await?;
    let mut facts = Facts::none().about(access::surroundings(at, organization).await?);
    if !gained.is_empty() {
        facts = gaining(facts, &held, &after, &gained, note.is_some());
    }
    if !lost.is_empty() {
        facts = losing(facts, &held, role, &after).note(format!("taken away: {}", lost.join(", ")));
    }
    if !role.told {
        facts = facts.unseen("the service does not tell what the role allowed before; who holds it may lose by this");
    }
    Ok(note.into_iter().fold(facts, Facts::unseen))
}

fn gaining(mut facts: Facts, held: &[(Place, Seat)], after: &Role, gained: &[String], unseen: bool) -> Facts {
    let power = permissions::power(gained).counts();
    let codes = gained.join(", ");
    if power {
        for (place, seat) in held {
            facts = facts.gives(access::grant(place, seat, slice::from_ref(after)));
        }
    }
    match names(held.iter()).as_slice() {
        _ if power && !held.is_empty() => facts.note(format!("added: {codes}")),
        [] => {
            let nobody = if unseen { "" } else { "nobody holds it; " };
            // Whoever comes to hold it later cannot be told now.
            if power {
                facts.unseen(format!("{nobody}whoever is given it gains power over others: {codes}"))
            } else {
                facts.note(format!("{nobody}whoever is given it gains: {codes}"))
            }
        }
        [one] => facts.note(format!("1 person gains ({one}): {codes}")),
        many => facts.note(format!("{} people gain ({}): {codes}", many.len(), shown(many))),
    }
}

/// Those who no longer see the place, or projects of it, and those who can do less.
fn losing(facts: Facts, held: &[(Place, Seat)], before: &Role, after: &Role) -> Facts {
    let what = |(place, seat): &(Place, Seat)| {
        let (was, will) = (before.held(place.kind), after.held(place.kind));
        let sees_no_more = was.allows.may(Action::Read) && !will.reads();
        let projects_are_gone = was.inside.may(Action::Read) && !will.inside.has(Action::Read);
        match place.kind {
            _ if seat.pending => Losing::Permissions,
            Kind::Organization if sees_no_more => Losing::Organization,
            Kind::Organization if projects_are_gone => Losing::Access,
            Kind::Project if sees_no_more => Losing::Access,
            _ => Losing::Permissions,
        }
    };
    let lose = |facts: Facts, losing: Losing| facts.lose(losing, names(held.iter().filter(|it| what(it) == losing)));
    [Losing::Organization, Losing::Access, Losing::Permissions].into_iter().fold(facts, lose)
}

/// Who holds a role anywhere in its organization, or is invited with it, and what could not be checked.
pub(super) async fn holders(
    at: &Session,
    role: &Role,
    organization: &Place,
) -> Result<(Vec<(Place, Seat)>, Option<String>), ProviderError> {
    let (mut seats, note) = everywhere(at, organization).await?;
    seats.retain(|it| it.1.holds(role));
    Ok((seats, note))
}

/// What people are called, each once.
pub(super) fn names<'a>(seats: impl Iterator<Item = &'a (Place, Seat)>) -> Vec<String> {
    let mut names: Vec<String> = seats.map(|it| it.1.called().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}
