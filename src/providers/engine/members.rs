//! People of an organization: members, and external users, who are in one of its projects only.

use super::{
    Session,
    access::MOST_PROJECTS,
    fields::some,
    people::{in_org, is_external, person},
    power,
    wire::{WireOrg, WireSeat},
};
use crate::{
    domain::{
        Email, Facts, Inverse, List, OrganizationRef, PageRequest, RoleRef, Surroundings, Target,
        access::{Grant, Power},
        fold,
        members::Member,
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::{
        http::{Draft, Sent, cut},
        meant::the_same,
    },
    tools::members::{AddOrganizationMember, GetOrganizationMember, ListOrganizationMembers, RemoveOrganizationMember},
};

const LIST: &str = "list_organization_members";

/// GET orgs/{id}/users.
pub(super) async fn list(at: &Session, op: &ListOrganizationMembers) -> Result<List<Member>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let org = at.organization(op.organization.as_ref()).await?;
    let mut people = at.people(&org.id).await?.to_vec();
    if let Some(named) = &op.role {
        let role = at.role(RoleLevel::Organization, Some(named)).await?;
        people.retain(|it| role.is_named(&it.role));
    }
    if let Some(query) = &op.query {
        people.retain(|it| query.is_in(&it.user.email) || query.is_in(&it.user.display_name));
    }
    let key = |it: &Member| format!("{} {}", fold(&it.member), it.id.as_deref().unwrap_or_default());
    cut(people.iter().map(|it| in_org(it, &org)).collect(), &page, key)
}

/// GET orgs/{id}/users/{user_id}, for a member; an external user is found in the list only.
pub(super) async fn get(at: &Session, op: &GetOrganizationMember) -> Result<Member, ProviderError> {
    let org = at.organization(op.organization.as_ref()).await?;
    let seat = person(&at.people(&org.id).await?, &op.member, &org.name, LIST)?;
    if is_external(&seat) {
        return Ok(in_org(&seat, &org));
    }
    let path = at.settings.path("org_user");
    let told: WireSeat = at.get(path).path("id", &org.id).path("user_id", &seat.user.id).send().await?;
    Ok(in_org(&the_same(told, &seat.user.id, |it| &it.user.id)?, &org))
}

/// DELETE orgs/{id}/users/{user_id}: ends the membership, not the account.
pub(super) async fn remove(at: &Session, op: &RemoveOrganizationMember) -> Result<Draft<Member>, ProviderError> {
    let org = at.organization(op.organization.as_ref()).await?;
    let people = at.people(&org.id).await?;
    let seat = person(&people, &op.member, &org.name, LIST)?;
    if is_external(&seat) {
        return Err(ProviderError::conflict(
            "external_user",
            format!("`{}` is an external user of `{}`, not a member", seat.user.email, org.name),
            "end their access with remove_project_member in each of their projects",
        ));
    }
    let facts = leaving(at, &org, &people, &seat).await?;
    let target = target(&seat, &org);
    let (before, inverse) = (in_org(&seat, &org), rejoining(&seat, &org));
    let (sending, looking, id) = (at.clone(), at.clone(), seat.user.id);
    let (left, left_id, left_inverse) = (org.clone(), id.clone(), inverse.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let request = sending.delete(sending.settings.path("org_user")).path("id", &org.id).path("user_id", &id);
        request.send(&permit).await?;
        // It is gone, whether or not this can be read: somebody with a place in a project may have become external.
        let rest = sending.people(&org.id).await.unwrap_or_default().iter().find(|it| it.user.id == id && is_external(it)).cloned();
        let sent = rest.map_or_else(Sent::gone, |it| Sent::after(in_org(&it, &org)));
        Ok(sent.inverse(inverse))
    });
    Ok(draft.before(before).read_back(move || {
        let (looking, org, id, inverse) = (looking.afresh(), left.clone(), left_id.clone(), left_inverse.clone());
        async move {
            let found = looking.people(&org.id).await?.iter().find(|it| it.user.id == id).cloned();
            let sent = match found {
                Some(it) if !is_external(&it) => return Ok(None),
                Some(it) => Sent::after(in_org(&it, &org)),
                None => Sent::gone(),
            };
            Ok(Some(sent.inverse(inverse)))
        }
    }))
}

/// What it means that somebody leaves.
async fn leaving(at: &Session, org: &WireOrg, people: &[WireSeat], seat: &WireSeat) -> Result<Facts, ProviderError> {
    let known = at.known_roles().await?;
    let role = power::named(&known, &seat.role, RoleLevel::Organization);
    let stays_owned = power::is_owned_without(seat, people, &known, RoleLevel::Organization);
    if role.owns && !stays_owned {
        return Err(ProviderError::conflict(
            "last_owner",
            format!("`{}` is the last owner of `{}`", seat.user.email, org.name),
            "make somebody else owner first: add_organization_member with role `OrgOwner`",
        ));
    }
    let projects = at.projects_of(org).await?;
    let about = Surroundings { projects: Some(projects.len() as u64), ..at.surroundings(&org.named()).await? };
    let may_own = role.power == Power::Unknown;
    let codes = role.permissions.clone();
    let mut facts = Facts::none()
        .takes(Grant::own(seat.user.holder(), role, org.place()), codes, Vec::new())
        .note("the account stays, and cannot be deleted from here")
        .about(about)
        .undo(undo(seat));
    if may_own && !stays_owned {
        facts = facts.unseen(format!("Rolecall cannot see whether {} keeps an owner", org.name));
    }
    if projects.len() > MOST_PROJECTS {
        let all = projects.len();
        return Ok(facts.unseen(format!("which of the {all} projects they are in was not looked up; see list_project_members")));
    }
    let (mut names, mut alone, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
    let (looked, ended) = at.looked_into(projects).await;
    if let Some(error) = ended {
        return Err(error);
    }
    for (project, seats) in looked {
        let Some(seats) = seats else {
            hidden.push(project.name);
            continue;
        };
        let Some(own) = seats.iter().find(|it| it.user.id == seat.user.id) else { continue };
        let owns = power::named(&known, &own.role, RoleLevel::Project).owns;
        if owns && !power::is_owned_without(seat, &seats, &known, RoleLevel::Project) {
            alone.push(project.name.clone());
        }
        names.push(project.name);
    }
    if !names.is_empty() {
        names.sort();
        let many = if names.len() == 1 { "project" } else { "projects" };
        facts = facts.unseen(format!("is in {} {many}: {}; the service does not say whether that ends too", names.len(), names.join(", ")));
    }
    if !alone.is_empty() {
        alone.sort();
        facts = facts.unseen(format!("nobody else owns {}; external users cannot own a project", alone.join(", ")));
    }
    if !hidden.is_empty() {
        hidden.sort();
        facts = facts.unseen(format!("whether they are in {} is not shown to the account of this connection", hidden.join(", ")));
    }
    Ok(facts)
}

fn undo(seat: &WireSeat) -> String {
    format!("add_organization_member with role `{}`", seat.role)
}

fn rejoining(seat: &WireSeat, org: &WireOrg) -> Inverse {
    let (role, organization) = (some(&seat.role).map(RoleRef::read), Some(OrganizationRef::read(&org.id)));
    Inverse::of(&AddOrganizationMember { email: Email::read(&seat.user.email), role, organization })
}

pub(super) fn target(seat: &WireSeat, org: &WireOrg) -> Target {
    Target::new("member", seat.user.label(), &seat.user.id, &org.name)
}
