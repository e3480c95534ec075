//! What it means that somebody has another role, leaves a place, or leaves an organization.

use super::{
    Session, access,
    people::Seat,
    permissions::cover,
    places::{Kind, Place, all},
    roles::Role,
    seats::{everywhere, of_team, shown},
};
use crate::{
    domain::{
        Counted, Facts, Losing,
        access::{Action, Grant, Named, Via},
    },
    error::ProviderError,
};

/// Somebody has another role in a place from now on.
pub(super) async fn another_role(at: &Session, place: &Place, seat: &Seat, new: &Role) -> Result<Facts, ProviderError> {
    let was = access::grant(place, seat, &access::known(at, &place.home()).await?);
    let will = Grant { role: new.held(place.kind), ..was.clone() };
    let mut facts = Facts::none().about(access::surroundings(at, &place.home()).await?);
    if seat.pending {
        return Ok(facts.gives(will));
    }
    facts = if will.role.power.counts() {
        facts.gives(will.clone())
    } else {
        facts.note(format!("becomes {} of {}: {}", will.role.name, will.place, seat.called()))
    };
    let Some(codes) = Role::lost(&was.role, &will.role) else { return Ok(facts) };
    let mut still = if will.role.reads() { vec![Via::Own] } else { Vec::new() };
    still.extend(by_organization(at, place, seat).await?);
    facts = out_of_sight(at, place, seat, (&was, &will), facts).await?;
    Ok(facts.takes(was, codes, still))
}

/// Adds the projects that somebody may have seen by a role in the organization alone, and by the new one does not.
async fn out_of_sight(
    at: &Session,
    organization: &Place,
    seat: &Seat,
    (was, will): (&Grant, &Grant),
    facts: Facts,
) -> Result<Facts, ProviderError> {
    if !was.role.inside.may(Action::Read) || will.role.inside.has(Action::Read) {
        return Ok(facts);
    }
    let (seats, note) = everywhere(at, organization).await?;
    let known = access::known(at, organization).await?;
    let theirs =
        seats.iter().filter(|it| it.1.user_id == seat.user_id && !it.1.pending && access::grant(&it.0, &it.1, &known).role.reads());
    let seen: Vec<&str> = theirs.map(|it| it.0.id()).collect();
    let projects = all(at, Kind::Project, Some(organization)).await?;
    let gone: Vec<String> = projects.iter().filter(|it| !seen.contains(&it.id())).map(|it| it.name().to_owned()).collect();
    if gone.is_empty() {
        return Ok(facts);
    }
    let facts = facts.lose(Losing::Access, Counted::one(seat.called())).note(format!("may no longer see: {}", shown(&gone)));
    Ok(note.into_iter().fold(facts, Facts::unseen))
}

/// Somebody leaves a team or project, or is invited to it no longer.
pub(super) async fn leaving(at: &Session, place: &Place, seat: &Seat) -> Result<Facts, ProviderError> {
    let was = access::grant(place, seat, &access::known(at, &place.home()).await?);
    let facts = Facts::none().takes(was, Vec::new(), by_organization(at, place, seat).await?.into_iter().collect());
    if place.kind != Kind::Team || seat.pending {
        return Ok(facts);
    }
    let projects = of_team(at, place).await?;
    if projects.is_empty() {
        return Ok(facts);
    }
    Ok(facts.lose(Losing::Access, Counted::one(seat.called())).note(format!("may no longer reach, with the team: {}", shown(&projects))))
}

/// The role in the organization by which somebody surely goes on seeing a team or project: the service says who sees a project
/// only where it is open to the whole organization.
async fn by_organization(at: &Session, place: &Place, who: &Seat) -> Result<Option<Via>, ProviderError> {
    let home = place.home();
    if place.kind == Kind::Organization || who.pending {
        return Ok(None);
    }
    let Some(people) = access::people(at, &home).await? else { return Ok(None) };
    let Some(seat) = people.iter().find(|it| it.user_id == who.user_id) else { return Ok(None) };
    let role = access::grant(&home, seat, &access::known(at, &home).await?).role;
    let is_open = matches!(place.it.visibility.as_deref(), Some("org" | "public"));
    let sees = match place.kind {
        Kind::Team => cover(&role.permissions, "teams:read"),
        _ => is_open && role.inside.has(Action::Read),
    };
    Ok((role.owns || sees).then(|| Via::OrganizationRole(Named::new(role.name, role.id))))
}

/// Somebody leaves an organization, and with it what is in it.
pub(super) async fn leaving_organization(at: &Session, organization: &Place, who: &Seat) -> Result<Facts, ProviderError> {
    let known = access::known(at, organization).await?;
    let (seats, note) = everywhere(at, organization).await?;
    let inside = seats.iter().filter(|it| it.0.kind != Kind::Organization);
    let names = |it: &(Place, Seat)| {
        let role = it.1.role().map(|role| format!(" as {role}")).unwrap_or_default();
        format!("{} {}{role}", it.0.kind.noun(), it.0.name())
    };
    let theirs: Vec<String> = inside.filter(|it| it.1.user_id == who.user_id && !it.1.pending).map(names).collect();
    let address = who.email.as_deref();
    let invited: Vec<String> = seats.iter().filter(|it| it.1.pending && address.is_some_and(|email| it.1.has(email))).map(names).collect();
    let mut facts = Facts::none().about(access::surroundings(at, organization).await?);
    facts = facts.takes(access::grant(organization, who, &known), Vec::new(), Vec::new());
    if !theirs.is_empty() {
        facts = facts.note(format!("out of reach with it: {}", theirs.join(", ")));
    }
    if !invited.is_empty() {
        facts = facts.note(format!("stays invited, until that is ended there: {}", invited.join(", ")));
    }
    Ok(note.into_iter().fold(facts, Facts::unseen))
}
