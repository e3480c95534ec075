//! People of organizations. Who is invited and no member yet is in `invitations`.

use super::{
    Session,
    changes_of_access::{another_role, leaving_organization},
    names::Named as _,
    people::{Seat, by_role, key, members, seat},
    places::{self, Place},
    roles::{self, Role},
    seats::{everywhere, give, vacate},
};
use crate::{
    domain::{Email, Facts, Inverse, List, MemberRef, OrganizationRef, PageRequest, ReferenceText as _, RoleRef, Target, members::Member},
    error::ProviderError,
    providers::http::{Draft, cut},
    tools::members::{
        GetOrganizationMember, InviteOrganizationMember, ListOrganizationMembers, RemoveOrganizationMember, UpdateOrganizationMember,
    },
};

pub(super) async fn list(at: &Session, op: &ListOrganizationMembers) -> Result<List<Member>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let mut people = by_role(at, members(at, &organization).await?.to_vec(), op.role.as_ref(), &organization).await?;
    if let Some(query) = &op.query {
        people.retain(|it| it.matches(query));
    }
    let views = people.iter().map(|it| it.member(&organization)).collect();
    cut(views, &PageRequest::of(op.limit, op.cursor.as_ref()), key)
}

pub(super) async fn get(at: &Session, op: &GetOrganizationMember) -> Result<Member, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    Ok(seat(at, &organization, &op.member).await?.member(&organization))
}

pub(super) async fn update(at: &Session, op: &UpdateOrganizationMember) -> Result<Draft<Member>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let before = seat(at, &organization, &op.member).await?;
    let new = roles::role(at, &op.role, &organization).await?;
    let mut facts = Facts::none();
    if !before.holds(&new) {
        if !new.owns() {
            keep_the_owner(at, &organization, &before).await?;
        }
        facts = another_role(at, &organization, &before, &new).await?;
    }
    let facts = facts.undo(format!("update_organization_member with role `{}`", before.role().unwrap_or_default()));
    let inverse = back_to(&organization, &before);
    let target = target(&organization, &before);
    Ok(give(at, organization, before, new, (target, facts, inverse)))
}

pub(super) async fn remove(at: &Session, op: &RemoveOrganizationMember) -> Result<Draft<Member>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let before = match seat(at, &organization, &op.member).await {
        Err(error @ ProviderError::NotFound { .. }) => {
            return Err(invited_inside(at, &organization, op.member.text()).await.unwrap_or(error));
        }
        found => found?,
    };
    keep_the_owner(at, &organization, &before).await?;
    let role = before.role().unwrap_or("member");
    let undo = format!("invite_organization_member with role `{role}`; projects and teams are granted again");
    let facts = leaving_organization(at, &organization, &before).await?.undo(undo);
    let inverse = inviting_again(&organization, &before);
    let (target, view) = (target(&organization, &before), before.member(&organization));
    Ok(vacate(at, organization, before.id, (target, facts, inverse)).before(view))
}

/// Says of somebody who is no member that an invitation to a team or project of the organization waits for them.
async fn invited_inside(at: &Session, organization: &Place, text: &str) -> Option<ProviderError> {
    let (seats, _) = everywhere(at, organization).await.ok()?;
    let email = text.to_lowercase();
    let (place, _) = seats.iter().find(|it| it.1.pending && it.1.has(&email))?;
    Some(ProviderError::conflict(
        "invitation_pending",
        format!("`{text}` is no member of `{}`; an invitation to {} is pending", organization.name(), place.says()),
        format!("end it with remove_{}_member; one to the organization is ended with cancel_invitation", place.kind.noun()),
    ))
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
        member: MemberRef::read(seat.id()),
        role: RoleRef::read(seat.role_id.as_ref()?),
        organization: Some(OrganizationRef::read(organization.id())),
    }))
}

pub(super) fn inviting_again(organization: &Place, seat: &Seat) -> Option<Inverse> {
    Some(Inverse::of(&InviteOrganizationMember {
        email: Email::read(seat.email.as_ref()?),
        role: seat.role_id.as_ref().map(RoleRef::read),
        organization: Some(OrganizationRef::read(organization.id())),
        projects: Vec::new(),
    }))
}
