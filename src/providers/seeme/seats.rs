//! Seats in teams and projects: the same requests, whichever of the two it is.

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Session, access,
    changes_of_access::{another_role, leaving},
    names::Named as _,
    people::{Seat, WireMember, among, members, seat, seats},
    places::{self, Kind, Place},
    roles::{self, Role},
};
use crate::{
    domain::{
        Email, Facts, Inverse, MemberRef, PersonRef, ProjectRef, ReferenceText, RoleRef, Target, TeamRef,
        access::{Grant, Grants, Holder, Person},
        members::Member,
    },
    error::ProviderError,
    providers::{
        ALREADY_MEMBER,
        http::{Draft, Reply, Sent, later},
        people::{Sought, hint},
    },
    tools::{
        project_members::{AddProjectMember, RemoveProjectMember, UpdateProjectMember},
        teams::{AddTeamMember, RemoveTeamMember, UpdateTeamMember},
    },
};

/// Teams and projects that are looked through to tell what a change means; each is a request, and a service allows few.
pub(super) const LOOKED_THROUGH: usize = 30;
/// How many of them are looked at at once.
const AT_ONCE: usize = 4;
/// How many names are written out.
const SHOWN: usize = 5;

/// The first few names, and how many more there are.
pub(super) fn shown(names: &[String]) -> String {
    let first = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{first} and {} more", names.len() - SHOWN) } else { first }
}

/// All seats in an organization, its teams and its projects; and a sentence on what was not checked, if anything.
pub(super) async fn everywhere(at: &Session, organization: &Place) -> Result<(Vec<(Place, Seat)>, Option<String>), ProviderError> {
    let mut found: Vec<(Place, Seat)> = seats(at, organization).await?.iter().map(|it| (organization.clone(), it.clone())).collect();
    let mut inside = places::all(at, Kind::Team, Some(organization)).await?;
    inside.extend(places::all(at, Kind::Project, Some(organization)).await?);
    if inside.len() > LOOKED_THROUGH {
        return Ok((found, Some(format!("its {} teams and projects were not checked", inside.len()))));
    }
    let (mut closed, mut looked) = (Vec::new(), 0);
    for some in inside.chunks(AT_ONCE) {
        for (place, told) in some.iter().zip(join_all(some.iter().map(|it| seats(at, it))).await) {
            match told {
                Ok(seats) => found.extend(seats.iter().map(|it| (place.clone(), it.clone()))),
                Err(ProviderError::Remote(error)) if error.code == "forbidden" => closed.push(place.name().to_owned()),
                Err(error) if error.is_for_later() => {
                    let rest = format!("{} of its teams and projects: {}", inside.len() - looked, later(&error));
                    return Ok((found, Some(Grants::ended_early(&rest))));
                }
                Err(other) => return Err(other),
            }
            looked += 1;
        }
    }
    let note = if closed.is_empty() { None } else { Some(format!("these could not be checked: {}", shown(&closed))) };
    Ok((found, note))
}

/// How somebody who is to be added is named to the service.
#[derive(Debug, Clone)]
struct Newcomer {
    user_id: Option<String>,
    email: Option<String>,
    /// What they are called.
    name: String,
}

impl Newcomer {
    /// A member of the organization, or whoever has an e-mail.
    async fn find(at: &Session, place: &Place, who: &impl ReferenceText) -> Result<Self, ProviderError> {
        let organization = place.home();
        let people = members(at, &organization).await?;
        match among(&people, &Sought::of(who, organization.name(), "list_organization_members")) {
            Ok(it) => Ok(Self { name: it.called().to_owned(), user_id: it.user_id.clone(), email: it.email }),
            Err(error @ ProviderError::NotFound { .. }) => match Email::try_from(who.text().to_owned()) {
                Ok(email) => Ok(Self { user_id: None, name: email.to_string(), email: Some(email.to_string()) }),
                Err(_) => Err(ProviderError::conflict(
                    "not_a_member",
                    format!("`{}` is not a member of `{}`", who.text(), organization.name()),
                    hint(&error).unwrap_or_else(|| format!("{}; or bring them in first with invite_organization_member", error.fix())),
                )),
            },
            Err(other) => Err(other),
        }
    }

    /// Who is not in the organization is asked by e-mail.
    fn grant(&self, role: Option<&Role>, place: &Place) -> Grant {
        let (role, here) = (access::given(role, place.kind), access::place(place));
        match (&self.user_id, &self.email) {
            (None, Some(email)) => Grant::own(Holder::Invitation(email.clone()), role, here).pending(),
            (id, Some(email)) => Grant::own(Holder::person(email, id.as_deref()), role, here),
            (id, None) => Grant::own(Holder::Person(Person { name: Some(self.name.clone()), id: id.clone(), email: None }), role, here),
        }
    }

    fn sits_in(&self, seat: &Seat) -> bool {
        self.user_id.as_deref().is_some_and(|it| seat.is(it)) || self.email.as_deref().is_some_and(|it| seat.has(it))
    }
}

/// Adds somebody to a team or project.
pub(super) async fn add(
    at: &Session,
    place: Place,
    who: &impl ReferenceText,
    named: Option<&RoleRef>,
) -> Result<Draft<Member>, ProviderError> {
    let role = match named {
        Some(named) => Some(roles::role(at, named, &place).await?),
        None => None,
    };
    let newcomer = Newcomer::find(at, &place, who).await?;
    if let Some(seat) = seats(at, &place).await?.iter().find(|it| newcomer.sits_in(it) && !it.has_expired()) {
        let held = seat.role().map(|it| format!(", as {it}")).unwrap_or_default();
        let fix = format!("replace the role with update_{}_member", place.kind.noun());
        let message = if seat.pending {
            format!("`{}` is invited to {} already{held}", newcomer.name, place.says())
        } else {
            format!("`{}` is in {} already{held}", newcomer.name, place.says())
        };
        return Err(ProviderError::already(ALREADY_MEMBER, role.as_ref().is_none_or(|it| seat.is_as(it)), message, fix));
    }
    let mut facts = Facts::none()
        .gives(newcomer.grant(role.as_ref(), &place))
        .about(access::surroundings(at, &place.home()).await?)
        .undo(format!("remove_{}_member", place.kind.noun()));
    if newcomer.user_id.is_none() {
        facts = facts.unseen(format!("is not a member of {} and may be invited to it: {}", place.organization.name, newcomer.name));
    }
    let target = place.target_within("member", &newcomer.name, newcomer.user_id.as_deref());
    let (sending, looking) = (at.clone(), at.clone());
    let back = (place.clone(), newcomer.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let post = |body: Value| place.post(&sending, "/members").json(body);
        let reply = match post(newcomer.body(role.as_ref(), false)).send(&permit).await {
            // Some deployments add people by e-mail only. What was refused has changed nothing.
            Err(error) if newcomer.user_id.is_some() && newcomer.email.is_some() && wants_email(&error) => {
                post(newcomer.body(role.as_ref(), true)).send(&permit).await?
            }
            other => other?,
        };
        Ok(added(&place, &read(&reply, &place)?.with_role(role.as_ref())))
    });
    Ok(draft.read_back(move || {
        let (at, (place, newcomer)) = (looking.afresh(), back.clone());
        async move {
            let seats = seats(&at, &place).await?;
            Ok(seats.iter().find(|it| newcomer.sits_in(it) && !it.has_expired()).map(|it| added(&place, it)))
        }
    }))
}

impl Newcomer {
    fn body(&self, role: Option<&Role>, by_email: bool) -> Value {
        let mut body = Map::new();
        match &self.user_id {
            Some(id) if !by_email => body.insert("user_id".to_owned(), json!(id)),
            _ => body.insert("email".to_owned(), json!(self.email)),
        };
        if let Some(role) = role {
            body.insert("role_id".to_owned(), json!(role.id));
        }
        body.into()
    }
}

/// Whether a refusal is about a missing e-mail.
fn wants_email(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Remote(it) if it.code == "invalid_request" && it.message.to_lowercase().contains("email"))
}

fn read(reply: &Reply, place: &Place) -> Result<Seat, ProviderError> {
    Ok(reply.read::<WireMember>(&format!("see list_{}_members", place.kind.noun()))?.into())
}

fn added(place: &Place, seat: &Seat) -> Sent<Member> {
    let member = MemberRef::read(seat.id());
    let inverse = match place.kind {
        Kind::Team => Inverse::of(&RemoveTeamMember { team: TeamRef::read(place.id()), member }),
        _ => Inverse::of(&RemoveProjectMember { project: ProjectRef::read(place.id()), member }),
    };
    Sent::after(seat.member(place)).target(target(place, seat)).inverse(inverse)
}

fn target(place: &Place, seat: &Seat) -> Target {
    place.target_within("member", seat.called(), Some(seat.id()))
}

/// Gives somebody in a team or project another role.
pub(super) async fn update(at: &Session, place: Place, who: &impl ReferenceText, named: &RoleRef) -> Result<Draft<Member>, ProviderError> {
    let before = seat(at, &place, who).await?;
    let role = roles::role(at, named, &place).await?;
    let known = roles::usable(at, &place.home()).await?;
    let facts = if before.holds(&role) { Facts::none() } else { another_role(at, &place, &before, &role).await? };
    let held = known.iter().find(|it| before.holds(it)).map(|it| it.name.as_str()).or(before.role()).unwrap_or("of your choice");
    let facts = facts.undo(format!("update_{}_member with role {held}", place.kind.noun()));
    let inverse = before.role_id.as_ref().map(|former| {
        let (member, role) = (MemberRef::read(before.id()), RoleRef::read(former));
        match place.kind {
            Kind::Team => Inverse::of(&UpdateTeamMember { team: TeamRef::read(place.id()), member, role }),
            _ => Inverse::of(&UpdateProjectMember { project: ProjectRef::read(place.id()), member, role }),
        }
    });
    let target = target(&place, &before);
    Ok(give(at, place, before, role, (target, facts, inverse)))
}

/// Gives a seat another role.
pub(super) fn give(at: &Session, place: Place, seat: Seat, role: Role, plan: (Target, Facts, Option<Inverse>)) -> Draft<Member> {
    let (target, facts, inverse) = plan;
    let (sending, looking) = (at.clone(), at.clone());
    let back = (place.clone(), seat.id.clone(), role.clone(), inverse.clone());
    let before = seat.member(&place);
    let draft = Draft::new(target, facts, move |permit| async move {
        let put = place.put(&sending, "/members/{member}/role").path("member", &seat.id);
        let reply = put.json(json!({ "role_id": role.id })).send(&permit).await?;
        let after = read(&reply, &place)?.with_person(&seat).with_role(Some(&role));
        Ok(Sent::after(after.member(&place)).undone_by(inverse))
    });
    draft.before(before).read_back(move || {
        let (at, (place, id, role, inverse)) = (looking.afresh(), back.clone());
        async move {
            let changed = seats(&at, &place).await?.iter().find(|it| it.id == id && it.holds(&role)).cloned();
            Ok(changed.map(|it| Sent::after(it.member(&place)).undone_by(inverse)))
        }
    })
}

/// Takes somebody out of a team or project, or takes an invitation to it back.
pub(super) async fn remove(at: &Session, place: Place, who: &impl ReferenceText) -> Result<Draft<Member>, ProviderError> {
    let before = match seat(at, &place, who).await {
        Err(error @ ProviderError::NotFound { .. }) => return Err(gone_or(at, error, &place, who).await),
        found => found?,
    };
    let role = before.role().map(|it| format!(" with role {it}")).unwrap_or_default();
    let facts = leaving(at, &place, &before).await?.undo(format!("add_{}_member{role}", place.kind.noun()));
    let inverse = joining_again(&place, &before);
    let (target, view) = (target(&place, &before), before.member(&place));
    Ok(vacate(at, place, before.id, (target, facts, inverse)).before(view))
}

/// Somebody who is to be taken out of a place and is not in it: gone already where the organization knows them, else as `error` says.
async fn gone_or(at: &Session, error: ProviderError, place: &Place, who: &impl ReferenceText) -> ProviderError {
    let organization = place.home();
    let Ok(people) = members(at, &organization).await else { return error };
    let look = format!("list_{}_members", place.kind.noun());
    let sought = Sought::of(who, organization.name(), "list_organization_members");
    among(&people, &sought).map_or(error, |it| ProviderError::gone(format!("`{}` is not in {}", it.called(), place.says()), &look))
}

/// Takes a seat away: of a member, or an invitation.
pub(super) fn vacate<T: Serialize + Send + 'static>(
    at: &Session,
    place: Place,
    id: String,
    plan: (Target, Facts, Option<Inverse>),
) -> Draft<T> {
    let (target, facts, inverse) = plan;
    let (sending, looking) = (at.clone(), at.clone());
    let back = (place.clone(), id.clone(), inverse.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        place.delete(&sending, "/members/{member}").path("member", &id).send(&permit).await?;
        Ok(Sent::gone().undone_by(inverse))
    });
    draft.read_back(move || {
        let (at, (place, id, inverse)) = (looking.afresh(), back.clone());
        async move {
            let there = seats(&at, &place).await?.iter().any(|it| it.id == id);
            Ok((!there).then(|| Sent::gone().undone_by(inverse)))
        }
    })
}

/// The call that brings somebody back who was taken out.
fn joining_again(place: &Place, seat: &Seat) -> Option<Inverse> {
    let who = seat.user_id.as_ref().or(seat.email.as_ref())?;
    let role = seat.role_id.as_ref().map(RoleRef::read);
    Some(match place.kind {
        Kind::Team => Inverse::of(&AddTeamMember { team: TeamRef::read(place.id()), member: MemberRef::read(who), role }),
        _ => Inverse::of(&AddProjectMember { project: ProjectRef::read(place.id()), member: PersonRef::read(who), roles: vec![role?] }),
    })
}

/// The projects of a team, by name.
pub(super) async fn of_team(at: &Session, team: &Place) -> Result<Vec<String>, ProviderError> {
    Ok(places::of_team(at, team.id(), None).await?.into_iter().map(|it| it.name).collect())
}
