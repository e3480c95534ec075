//! Who holds what: the one reader of it, and seats in the words that all providers share.

use std::{slice, sync::Arc};

use super::{
    Session, memberships,
    people::{Seat, among, members, seats},
    places::{self, Kind, Place},
    roles::{self, Role},
    seats::everywhere,
    wire::{filled, is_missing},
};
use crate::{
    domain::{
        ReferenceText, Surroundings, TeamRef,
        access::{self, Allows, Grant, GrantScope, Grants, Holder, Named, People, Person, Power, State, Via},
    },
    error::ProviderError,
    providers::{
        http::{as_far_as_read, later},
        people::Sought,
    },
};

/// What the service tells nobody.
const UNSEEN: [&str; 3] = [
    "API keys of other people: the service tells everybody their own only",
    "which projects that are not open to the whole organization a role of the organization or of a team reaches",
    "models, datasets, workflows and graphs that are shared with people outside of projects",
];

/// Who holds what in an organization or a project, or what somebody holds: roles in organizations, teams and projects, and
/// invitations to them. The service has no service accounts.
///
/// # Errors
///
/// Those of the reads; a place or person that is not there.
pub(super) async fn grants(at: &Session, scope: &GrantScope) -> Result<Grants, ProviderError> {
    let mut found = match scope {
        GrantScope::Organization(named) | GrantScope::Owners(named, _) => {
            of_organization(at, &places::organization(at, named.as_ref()).await?).await?
        }
        GrantScope::Top(named) => at_the_top(at, &places::organization(at, named.as_ref()).await?).await?,
        GrantScope::Team(named) => of_team(at, named).await?,
        GrantScope::Project(named) => of_project(at, &places::project(at, named).await?).await?,
        GrantScope::Person(named) => of_person(at, named).await?,
    };
    found.unseen.extend(UNSEEN.map(str::to_owned));
    Ok(found)
}

async fn of_organization(at: &Session, organization: &Place) -> Result<Grants, ProviderError> {
    let known = known(at, organization).await?;
    let (seats, note) = everywhere(at, organization).await?;
    let list = seats.iter().map(|(place, seat)| grant(place, seat, &known)).collect();
    let mut seen = Grants { list, unseen: note.into_iter().collect() };
    let read = async {
        let projects = places::all(at, Kind::Project, Some(organization)).await?;
        Ok::<_, ProviderError>(through_teams(&seats, &projects, &known).collect::<Vec<_>>())
    };
    let read = read.await.map(|more| seen.list.extend(more));
    as_far_as_read(read, &mut seen)?;
    Ok(seen)
}

async fn at_the_top(at: &Session, organization: &Place) -> Result<Grants, ProviderError> {
    let known = known(at, organization).await?;
    let list = seats(at, organization).await?.iter().map(|it| grant(organization, it, &known)).collect();
    Ok(Grants { list, unseen: Vec::new() })
}

/// The people of a team, and what they hold in its projects through it.
async fn of_team(at: &Session, named: &TeamRef) -> Result<Grants, ProviderError> {
    let team = places::team(at, named, None).await?;
    let home = team.home();
    let known = known(at, &home).await?;
    let people: Vec<(Place, Seat)> = seats(at, &team).await?.iter().map(|it| (team.clone(), it.clone())).collect();
    let projects = places::all(at, Kind::Project, Some(&home)).await?;
    let mut list: Vec<Grant> = people.iter().map(|(place, seat)| grant(place, seat, &known)).collect();
    list.extend(through_teams(&people, &projects, &known));
    Ok(Grants {
        list,
        unseen: vec!["the service gives teams no roles of their own: what is told is what their people have through them".to_owned()],
    })
}

/// The people of a project, those of its team, and those whose role in the organization may reach into it.
async fn of_project(at: &Session, project: &Place) -> Result<Grants, ProviderError> {
    let (home, mut unseen) = (project.home(), Vec::new());
    let known = known(at, &home).await?;
    let here = seats(at, project).await?;
    let mut list: Vec<Grant> = here.iter().map(|it| grant(project, it, &known)).collect();
    let above = match seats(at, &home).await {
        Err(error) if error.is_for_later() => {
            unseen.push(Grants::ended_early(&later(&error)));
            None
        }
        other => seen(other)?,
    };
    match above {
        Some(people) => list.extend(people.iter().map(|it| grant(&home, it, &known)).filter(|it| it.role.inside != Allows::nothing())),
        None => unseen.push(format!("the people of organization {}", home.name())),
    }
    if let Some(id) = filled(project.it.team_id.as_ref()) {
        let read = async {
            let teams = seen(places::all(at, Kind::Team, Some(&home)).await)?.unwrap_or_default();
            let Some(team) = teams.into_iter().find(|it| it.id() == id) else { return Ok(None) };
            Ok(seen(seats(at, &team).await)?.map(|it| it.iter().map(|it| (team.clone(), it.clone())).collect::<Vec<_>>()))
        };
        let people = match read.await {
            Err(error) if ProviderError::is_for_later(&error) => {
                unseen.push(Grants::ended_early(&later(&error)));
                None
            }
            other => other?,
        };
        match people {
            Some(people) => list.extend(through_teams(&people, slice::from_ref(project), &known)),
            None => unseen.push(format!("the people of the team of project {}", project.name())),
        }
    }
    Ok(Grants { list, unseen })
}

/// The people of a project and those of its team, as far as they are shown; `None` where its own are not.
pub(super) async fn of_people(at: &Session, project: &Place, teams: &[Place]) -> Result<Option<Vec<Grant>>, ProviderError> {
    let known = known(at, &project.home()).await?;
    let Some(here) = seen(seats(at, project).await)? else { return Ok(None) };
    let mut list: Vec<Grant> = here.iter().map(|it| grant(project, it, &known)).collect();
    let team = filled(project.it.team_id.as_ref()).and_then(|id| teams.iter().find(|it| it.id() == id));
    if let Some(team) = team
        && let Some(people) = seen(seats(at, team).await)?
    {
        let people: Vec<(Place, Seat)> = people.iter().map(|it| (team.clone(), it.clone())).collect();
        list.extend(through_teams(&people, slice::from_ref(project), &known));
    }
    Ok(Some(list))
}

async fn of_person<R: ReferenceText>(at: &Session, named: &R) -> Result<Grants, ProviderError> {
    let (mut all, mut people) = (Grants::default(), Vec::<Seat>::new());
    for organization in memberships::reached(at).await? {
        let found = match of_organization(at, &organization).await {
            Err(error) if error.is_for_later() && !people.is_empty() => {
                all.unfinished(&format!("{}: {}", organization.name(), later(&error)));
                break;
            }
            other => other?,
        };
        let is_whole = !found.is_unfinished();
        all.list.extend(found.list);
        all.unseen.extend(found.unseen.into_iter().map(|it| format!("{}: {it}", organization.name())));
        match everywhere(at, &organization).await {
            Ok((seats, _)) => people.extend(seats.into_iter().map(|it| it.1)),
            Err(error) if error.is_for_later() && !is_whole => {}
            Err(other) => return Err(other),
        }
    }
    // Whoever is a member somewhere has a name and an id, which an invitation of theirs lacks.
    people.sort_by_key(|it| it.pending);
    let mut once: Vec<Seat> = Vec::new();
    for seat in people {
        if !once.iter().any(|it| holder(it).is_same(&holder(&seat))) {
            once.push(seat);
        }
    }
    let who = holder(&among(&once, &Sought::of(named, "", "list_organization_members"))?);
    all.list.retain(|it| it.holder.is_same(&who));
    Ok(all)
}

/// The people of every organization within reach, and those who are invited to it.
pub(super) async fn everybody(at: &Session) -> Result<People, ProviderError> {
    let mut found = People::default();
    for organization in memberships::reached(at).await? {
        found.list.extend(seats(at, &organization).await?.iter().map(holder));
    }
    found.unseen.push("people who are in teams or projects and in no organization within reach were not looked for".to_owned());
    Ok(found)
}

/// What the people of teams hold in the projects of their teams: as much as the codes of their roles say of projects.
fn through_teams(seats: &[(Place, Seat)], projects: &[Place], known: &[Role]) -> impl Iterator<Item = Grant> {
    seats.iter().filter(|it| it.0.kind == Kind::Team).flat_map(move |(team, seat)| {
        let theirs = projects.iter().filter(|it| filled(it.it.team_id.as_ref()) == Some(team.id()));
        let grants = theirs.map(|it| grant(it, seat, known).via(Via::Team(Named::new(team.name(), team.id()))));
        grants.filter(|it| it.role.allows != Allows::nothing())
    })
}

/// What a seat is, as all providers say it.
pub(super) fn grant(at: &Place, seat: &Seat, known: &[Role]) -> Grant {
    let state = if seat.pending { State::Pending } else { State::Active };
    let ends_at = seat.expires_at.filter(|_| seat.pending);
    Grant { state, ends_at, since: seat.began(), ..Grant::own(holder(seat), held(at, seat, known), place(at)) }
}

/// Who sits there, or is asked to.
pub(super) fn holder(seat: &Seat) -> Holder {
    if seat.pending {
        return Holder::Invitation(seat.called().to_owned());
    }
    Holder::Person(Person { email: seat.email.clone(), name: seat.name.clone(), id: seat.user_id.clone() })
}

/// The role of a seat. Whoever an organization says it belongs to owns it, whatever the role is called.
fn held(at: &Place, seat: &Seat, known: &[Role]) -> access::Role {
    let role = match known.iter().find(|it| seat.holds(it)) {
        Some(role) => role.held(at.kind),
        None => access::Role::unknown(seat.role().unwrap_or("a role that is not told"), seat.role_id.as_deref().unwrap_or_default()),
    };
    let owner = filled(at.it.owner_id.as_ref()).filter(|_| at.kind == Kind::Organization);
    if owner.is_some_and(|it| seat.is(it)) {
        return access::Role { permissions: role.permissions, ..access::Role::owner(role.name, role.id) };
    }
    role
}

/// A role that is given; the service has one of its own for those who are given none, and does not tell which.
pub(super) fn given(role: Option<&Role>, kind: Kind) -> access::Role {
    role.map_or_else(|| access::Role::unknown("whatever role SeeMe.ai chooses", ""), |it| it.held(kind))
}

pub(super) fn place(it: &Place) -> access::Place {
    let (this, organization) = (Named::new(it.name(), it.id()), Named::new(&it.organization.name, &it.organization.id));
    match it.kind {
        Kind::Organization => access::Place::Organization(organization),
        Kind::Team => access::Place::Team { team: this, organization },
        Kind::Project => access::Place::Project { project: this, organization },
    }
}

/// What the judgement needs to know of an organization. Of a guest, who may not look at its people, it stays empty.
pub(super) async fn surroundings(at: &Session, organization: &Place) -> Result<Surroundings, ProviderError> {
    let key = format!("surroundings\n{}", organization.id());
    let read = || async {
        let about = Surroundings {
            organization: organization.name().to_owned(),
            projects: organization.it.project_count,
            ..Surroundings::default()
        };
        let Some(people) = people(at, organization).await? else { return Ok(about) };
        let known = known(at, organization).await?;
        // A role that the service does not explain may be power, and lends no trust.
        let in_power = people.iter().filter(|it| held(organization, it, &known).power == Power::OverOthers);
        let domains = in_power.filter_map(|it| holder(it).domain().map(str::to_lowercase)).collect();
        Ok(Surroundings { domains_in_power: Some(domains), people: Some(people.len() as u64), ..about })
    };
    at.once(&key, read).await.map(|it| it.as_ref().clone())
}

/// The members of an organization; `None` where they are not shown.
pub(super) async fn people(at: &Session, organization: &Place) -> Result<Option<Arc<Vec<Seat>>>, ProviderError> {
    if organization.id().is_empty() { Ok(None) } else { seen(members(at, organization).await) }
}

/// The roles that can be held in an organization, as far as they are shown: one that is not is a role of which nothing is known.
pub(super) async fn known(at: &Session, organization: &Place) -> Result<Vec<Role>, ProviderError> {
    if organization.id().is_empty() {
        return Ok(Vec::new());
    }
    Ok(seen(roles::usable(at, organization).await)?.unwrap_or_default())
}

/// `None` for what the account may not see.
fn seen<T>(read: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match read {
        Ok(it) => Ok(Some(it)),
        Err(error) if is_missing(&error) || error.code() == "forbidden" => Ok(None),
        Err(other) => Err(other),
    }
}
