//! People of organizations. Who is invited and no member yet is in `invitations`.

use super::{
    Session,
    names::Named as _,
    people::{Seat, by_role, granting_one, key, members, seat},
    places::{self, Kind, Place},
    roles::{self, Role},
    seats::{everywhere, give, vacate},
};
use crate::{
    domain::{
        Email, Gravity, Impact, Inverse, List, MemberRef, OrganizationRef, PageRequest, Query, ReferenceText as _, RoleRef, Target,
        members::Member,
    },
    error::ProviderError,
    providers::http::{Draft, cut},
    tools::members::{
        GetOrganizationMember, InviteOrganizationMember, ListOrganizationMembers, RemoveOrganizationMember, UpdateOrganizationMember,
    },
};

pub(super) async fn list(at: &Session, op: &ListOrganizationMembers) -> Result<List<Member>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let mut people = by_role(at, members(at, &organization).await?.to_vec(), op.role.as_ref(), &organization).await?;
    if let Some(query) = op.query.as_ref().map(Query::as_str) {
        people.retain(|it| it.matches(query));
    }
    let views = people.iter().map(|it| it.member(&organization)).collect();
    cut(views, &PageRequest::of(op.limit, op.cursor.as_ref()), key)
}

pub(super) async fn get(at: &Session, op: &GetOrganizationMember) -> Result<Member, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    Ok(seat(at, &organization, op.member.text()).await?.member(&organization))
}

pub(super) async fn update(at: &Session, op: &UpdateOrganizationMember) -> Result<Draft<Member>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let before = seat(at, &organization, op.member.text()).await?;
    let new = roles::role(at, &op.role, &organization).await?;
    let mut impact = Impact::none();
    if !before.holds(&new) {
        if !new.owns() {
            keep_the_owner(at, &organization, &before).await?;
        }
        let people = members(at, &organization).await?;
        impact = granting_one(impact, &new, &organization, &people, before.called());
        let known = roles::usable(at, &organization).await?;
        if let Some(old) = known.iter().find(|it| before.holds(it)).filter(|it| it.is_privileged()) {
            impact = impact.at_least(Gravity::Low).note(format!("{} no longer holds `{}`", before.called(), old.name));
        }
    }
    let impact = impact.undo(format!("update_organization_member with role `{}`", before.role().unwrap_or_default()));
    let inverse = back_to(&organization, &before);
    let target = target(&organization, &before);
    Ok(give(at, organization, before, new, (target, impact, inverse)))
}

pub(super) async fn remove(at: &Session, op: &RemoveOrganizationMember) -> Result<Draft<Member>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let before = seat(at, &organization, op.member.text()).await?;
    keep_the_owner(at, &organization, &before).await?;
    let impact = leaving(at, &organization, &before).await?;
    let inverse = inviting_again(&organization, &before);
    let (target, view) = (target(&organization, &before), before.member(&organization));
    Ok(vacate(at, organization, before.id, (target, impact, inverse)).before(view))
}

/// What somebody loses who leaves an organization.
async fn leaving(at: &Session, organization: &Place, who: &Seat) -> Result<Impact, ProviderError> {
    let (all, note) = everywhere(at, organization).await?;
    let theirs: Vec<&Place> = all.iter().filter(|it| it.1.user_id == who.user_id && !it.1.pending).map(|it| &it.0).collect();
    let of = |kind: Kind| theirs.iter().filter(|it| it.kind == kind).map(|it| it.name().to_owned()).collect::<Vec<_>>();
    let (projects, teams) = (of(Kind::Project), of(Kind::Team));
    let mut impact = Impact::of(Gravity::High)
        .loses(1, ("person loses access", "people lose access"), vec![who.called().to_owned()])
        .loses(projects.len() as u64, ("project out of reach", "projects out of reach"), projects)
        .loses(teams.len() as u64, ("team left", "teams left"), teams);
    impact.notes.extend(note);
    let role = who.role().unwrap_or("member");
    Ok(impact.undo(format!("invite_organization_member with role `{role}`; projects and teams are given anew")))
}

/// Refuses to take its owner away from an organization, or its last one where the service does not say who that is.
async fn keep_the_owner(at: &Session, organization: &Place, who: &Seat) -> Result<(), ProviderError> {
    let owner = if let Some(owner) = &organization.it.owner_id {
        who.is(owner)
    } else {
        let owning: Vec<_> = roles::usable(at, organization).await?.into_iter().filter(Role::owns).collect();
        let owns = |it: &Seat| owning.iter().any(|role| it.holds(role));
        let others = members(at, organization).await?.iter().filter(|it| it.id != who.id && owns(it)).count();
        owns(who) && others == 0
    };
    if !owner {
        return Ok(());
    }
    Err(ProviderError::conflict(
        "last_owner",
        format!("`{}` is the owner of `{}`", who.called(), organization.name()),
        "an organization keeps its owner: have it handed over at SeeMe.ai first",
    ))
}

pub(super) fn target(organization: &Place, seat: &Seat) -> Target {
    organization.target_within("member", seat.called(), Some(seat.id()))
}

fn back_to(organization: &Place, seat: &Seat) -> Option<Inverse> {
    Some(Inverse::of(&UpdateOrganizationMember {
        member: MemberRef::try_from(seat.id().to_owned()).ok()?,
        role: RoleRef::try_from(seat.role_id.clone()?).ok()?,
        organization: OrganizationRef::try_from(organization.id().to_owned()).ok(),
    }))
}

pub(super) fn inviting_again(organization: &Place, seat: &Seat) -> Option<Inverse> {
    Some(Inverse::of(&InviteOrganizationMember {
        email: Email::try_from(seat.email.clone()?).ok()?,
        role: seat.role_id.clone().and_then(|it| RoleRef::try_from(it).ok()),
        organization: OrganizationRef::try_from(organization.id().to_owned()).ok(),
        projects: Vec::new(),
    }))
}
