//! People of an organization: members, and external users, who are in one of its projects only.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    Session,
    people::{in_org, is_external, person},
    wire::{WireOrg, WireSeat},
};
use crate::{
    domain::{Gravity, Impact, Inverse, List, PageRequest, Query, ReferenceText as _, Target, fold, members::Member, roles::RoleLevel},
    error::ProviderError,
    providers::http::{Draft, Sent, cut},
    tools::members::{AddOrganizationMember, GetOrganizationMember, ListOrganizationMembers, RemoveOrganizationMember},
};

const LIST: &str = "list_organization_members";
/// In how many projects a person who leaves is looked for: one request each.
const MOST_PROJECTS: usize = 50;
const AT_ONCE: usize = 8;

/// GET orgs/{id}/users.
pub(super) async fn list(at: &Session, op: &ListOrganizationMembers) -> Result<List<Member>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let org = at.organization(op.organization.as_ref()).await?;
    let mut people = at.people(&org.id).await?.to_vec();
    if let Some(named) = &op.role {
        let role = at.role(RoleLevel::Organization, Some(named)).await?;
        people.retain(|it| role.is_named(&it.role));
    }
    if let Some(query) = op.query.as_ref().map(Query::as_str) {
        people.retain(|it| fold(&it.user.email).contains(query) || fold(&it.user.display_name).contains(query));
    }
    let key = |it: &Member| format!("{} {}", fold(&it.member), it.id.as_deref().unwrap_or_default());
    cut(people.iter().map(|it| in_org(it, &org)).collect(), &page, key)
}

/// GET orgs/{id}/users/{user_id}, for a member; an external user is found in the list only.
pub(super) async fn get(at: &Session, op: &GetOrganizationMember) -> Result<Member, ProviderError> {
    let org = at.organization(op.organization.as_ref()).await?;
    let seat = person(&at.people(&org.id).await?, op.member.text(), &org.name, LIST)?;
    if is_external(&seat) {
        return Ok(in_org(&seat, &org));
    }
    let path = at.settings.path("org_user");
    let seat: WireSeat = at.get(path).path("id", &org.id).path("user_id", &seat.user.id).send().await?;
    Ok(in_org(&seat, &org))
}

/// DELETE orgs/{id}/users/{user_id}: ends the membership, not the account.
pub(super) async fn remove(at: &Session, op: &RemoveOrganizationMember) -> Result<Draft<Member>, ProviderError> {
    let org = at.organization(op.organization.as_ref()).await?;
    let people = at.people(&org.id).await?;
    let seat = person(&people, op.member.text(), &org.name, LIST)?;
    if is_external(&seat) {
        return Err(ProviderError::conflict(
            "external_user",
            format!("`{}` is an external user of `{}`, not a member", seat.user.email, org.name),
            "end their access with remove_project_member in each of their projects",
        ));
    }
    let impact = leaving(at, &org, &people, &seat).await?;
    let target = target(&seat, &org);
    let (before, inverse) = (in_org(&seat, &org), rejoining(&seat, &org));
    let (sending, looking, id) = (at.clone(), at.clone(), seat.user.id);
    let (left, left_id, left_inverse) = (org.clone(), id.clone(), inverse.clone());
    let draft = Draft::new(target, impact, move |permit| async move {
        let request = sending.delete(sending.settings.path("org_user")).path("id", &org.id).path("user_id", &id);
        request.send(&permit).await?;
        // It is gone, whether or not this can be read: somebody with a place in a project may have become external.
        let rest = sending.people(&org.id).await.unwrap_or_default().iter().find(|it| it.user.id == id && is_external(it)).cloned();
        let sent = rest.map_or_else(Sent::gone, |it| Sent::after(in_org(&it, &org)));
        Ok(inverse.into_iter().fold(sent, Sent::inverse))
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
            Ok(Some(inverse.into_iter().fold(sent, Sent::inverse)))
        }
    }))
}

/// What it means that somebody leaves.
async fn leaving(at: &Session, org: &WireOrg, people: &[WireSeat], seat: &WireSeat) -> Result<Impact, ProviderError> {
    let email = &seat.user.email;
    let mut impact = Impact::of(Gravity::High)
        .loses(1, ("person loses access", "people lose access"), vec![email.clone()])
        .note("the account stays, and cannot be deleted from here");
    if at.owns(seat).await? {
        let mut others = 0_usize;
        for it in people.iter().filter(|it| it.user.id != seat.user.id && !is_external(it)) {
            others += usize::from(at.owns(it).await?);
        }
        if others == 0 {
            return Err(ProviderError::conflict(
                "last_owner",
                format!("`{email}` is the last owner of `{}`", org.name),
                "make somebody else owner first: add_organization_member with role `OrgOwner`",
            ));
        }
        impact = impact.note(format!("is an owner of {}", org.name));
    }
    let projects = at.projects_of(org).await?;
    if projects.len() > MOST_PROJECTS {
        let note = format!("which of the {} projects they are in was not looked up; see list_project_members", projects.len());
        return Ok(impact.note(note).undo(undo(seat)));
    }
    let looked = stream::iter(projects).map(|project| async move {
        let seats = at.project_people(&project.id).await?;
        Ok::<_, ProviderError>(seats.iter().any(|it| it.user.id == seat.user.id).then_some(project.name))
    });
    let mut names: Vec<String> = looked.buffered(AT_ONCE).try_filter_map(|it| async { Ok(it) }).try_collect().await?;
    names.sort();
    if !names.is_empty() {
        let many = if names.len() == 1 { "project" } else { "projects" };
        let note = format!("is in {} {many}: {}; the service does not say whether that ends too", names.len(), names.join(", "));
        impact = impact.note(note);
    }
    Ok(impact.undo(undo(seat)))
}

fn undo(seat: &WireSeat) -> String {
    format!("add_organization_member with role `{}`", seat.role)
}

fn rejoining(seat: &WireSeat, org: &WireOrg) -> Option<Inverse> {
    let email = seat.user.email.clone().try_into().ok()?;
    let (role, organization) = (seat.role.clone().try_into().ok(), org.id.clone().try_into().ok());
    Some(Inverse::of(&AddOrganizationMember { email, role, organization }))
}

pub(super) fn target(seat: &WireSeat, org: &WireOrg) -> Target {
    Target::new("member", seat.user.label(), &seat.user.id, &org.name)
}
