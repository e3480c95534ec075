//! Where somebody belongs, and as what. The service does not tell it of a person; it is put together from the members.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::{
    Session,
    context::context,
    people::{Seat, among, members, seat},
    places::{self, Kind, Place},
    seats::everywhere,
};
use crate::{
    domain::{List, PageRequest, ReferenceText, members::Membership, roles::RoleAssignment},
    error::ProviderError,
    providers::{http::cut, people::Sought},
    tools::{members::ListMemberships, roles::ListRoleAssignments},
};

/// How many organizations are looked at at once.
const AT_ONCE: usize = 4;

/// Lists the organizations that somebody is in: whoever has the key, unless an e-mail is given.
pub(super) async fn list(at: &Session, op: &ListMemberships) -> Result<List<Membership>, ProviderError> {
    let caller = match &op.email {
        Some(_) => None,
        None => Some(context(at).await?.user_id),
    };
    let in_each = in_each(at).await?;
    let named = match &op.email {
        Some(named) if !named.text().contains('@') => someone(&in_each, named)?.user_id,
        _ => caller,
    };
    let is_meant = |seat: &Seat| match (&named, &op.email) {
        (Some(user), _) => seat.is(user),
        (None, Some(email)) => seat.has(email.text()),
        (None, None) => false,
    };
    let mut found = Vec::new();
    for (organization, people) in in_each {
        if let Some(seat) = people.iter().find(|it| is_meant(it)) {
            found.push(Membership {
                member: seat.called().to_owned(),
                organization: organization.name().to_owned(),
                project: None,
                roles: seat.role().map(str::to_owned).into_iter().collect(),
                via_team: None,
            });
        }
    }
    cut(found, &PageRequest::of(op.limit, op.cursor.as_ref()), |it| it.organization.to_lowercase())
}

/// The organizations that the connection reaches.
pub(super) async fn reached(at: &Session) -> Result<Vec<Place>, ProviderError> {
    Ok(match places::pinned(at).await? {
        Some(pinned) => vec![pinned],
        None => places::organizations(at).await?.into_iter().map(Place::of_organization).collect(),
    })
}

/// The same, with their members.
async fn in_each(at: &Session) -> Result<Vec<(Place, Arc<Vec<Seat>>)>, ProviderError> {
    let organizations = reached(at).await?;
    let mut found = Vec::new();
    for some in organizations.chunks(AT_ONCE) {
        let people = try_join_all(some.iter().map(|it| members(at, it))).await?;
        found.extend(some.iter().cloned().zip(people));
    }
    Ok(found)
}

/// Lists the roles of a person, in one project or everywhere; or all roles in a project.
pub(super) async fn list_assignments(at: &Session, op: &ListRoleAssignments) -> Result<List<RoleAssignment>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let seats = match (&op.member, &op.project) {
        (member, Some(named)) => {
            let project = places::project(at, named).await?;
            let seats = match member {
                Some(member) => vec![seat(at, &project, member).await?],
                None => members(at, &project).await?.to_vec(),
            };
            seats.into_iter().map(|it| (project.clone(), it)).collect()
        }
        (Some(member), None) => of_person(at, member).await?,
        (None, None) => {
            return Err(ProviderError::invalid(
                "neither `member` nor `project` is given",
                "give `member`, or `project` alone for all who hold roles in it",
            ));
        }
    };
    let held = seats.iter().filter_map(|(place, seat)| assignment(place, seat));
    cut(held.collect(), &page, |it| {
        let (member, project) = (it.member.as_deref().unwrap_or_default(), it.project.as_deref().unwrap_or_default());
        format!("{} {project} {} {member} {}", it.organization, it.team.as_deref().unwrap_or_default(), it.role)
    })
}

async fn of_person<R: ReferenceText>(at: &Session, named: &R) -> Result<Vec<(Place, Seat)>, ProviderError> {
    let in_each = in_each(at).await?;
    let person = someone(&in_each, named)?;
    let mut found = Vec::new();
    for (organization, people) in in_each {
        if people.iter().any(|it| it.user_id == person.user_id) {
            let (seats, unseen) = everywhere(at, &organization).await?;
            if let Some(unseen) = unseen {
                return Err(ProviderError::conflict("too_many_places", format!("`{}`: {unseen}", organization.name()), "name a `project`"));
            }
            found.extend(seats.into_iter().filter(|it| it.1.user_id == person.user_id));
        }
    }
    Ok(found)
}

/// The person who is meant, of those who are members anywhere.
fn someone<R: ReferenceText>(in_each: &[(Place, Arc<Vec<Seat>>)], named: &R) -> Result<Seat, ProviderError> {
    let mut people: Vec<Seat> = Vec::new();
    for seat in in_each.iter().flat_map(|it| it.1.iter()) {
        // One person has a seat in each organization, with one id of their own.
        if !people.iter().any(|it| it.user_id == seat.user_id) {
            people.push(seat.clone());
        }
    }
    among(&people, &Sought::of(named, "", "list_organization_members"))
}

fn assignment(place: &Place, seat: &Seat) -> Option<RoleAssignment> {
    let of = |kind: Kind| (place.kind == kind).then(|| place.name().to_owned());
    Some(RoleAssignment {
        role: seat.role()?.to_owned(),
        role_id: seat.role_id.clone().unwrap_or_default(),
        member: Some(seat.called().to_owned()),
        team: of(Kind::Team),
        organization: place.organization.name.clone(),
        project: of(Kind::Project),
        via_team: None,
    })
}
