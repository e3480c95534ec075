//! What one person belongs to, as their own entry tells it.

use super::{
    Session,
    errors::within,
    held,
    members::{self, WirePlace, WireUser},
    project_members, projects,
};
use crate::{
    domain::{List, PageRequest, ReferenceText as _, fold, members::Membership, roles::RoleLevel},
    error::ProviderError,
    providers::{http::cut, role_types},
    tools::members::{ListMemberships, ListProjectMemberships, Order},
};

/// `GET /organization/users/{user_id}`: the one organization that a key is for.
pub(super) async fn list(at: &Session, op: &ListMemberships) -> Result<List<Membership>, ProviderError> {
    let Some(email) = &op.email else {
        return Err(ProviderError::invalid("the service does not tell whose key it is", "give `email`"));
    };
    if !role_types::wants(&op.role_types, RoleLevel::Organization)? {
        return Ok(List::whole(Vec::new()));
    }
    let person = match email.text() {
        address if address.contains('@') => at.find_person(address).await?,
        _ => Some(at.person(email).await?),
    };
    let membership = person.map(|it| Membership {
        member: it.label().to_owned(),
        organization: at.organization(),
        project: None,
        roles: it.role.into_iter().collect(),
        via_team: None,
    });
    Ok(List::whole(membership.into_iter().collect()))
}

/// The projects in `GET /organization/users/{user_id}`. An answer without them costs a look into each project.
pub(super) async fn list_projects(at: &Session, op: &ListProjectMemberships) -> Result<List<Membership>, ProviderError> {
    if !role_types::wants(&op.role_types, RoleLevel::Project)? {
        return Ok(List::whole(Vec::new()));
    }
    let named = at.person(&op.email).await?;
    let person = members::retrieve(at, &named.id).await?;
    let organization = at.organization();
    let memberships = places(at, &person).await?.into_iter().map(|it| Membership {
        member: person.label().to_owned(),
        organization: organization.clone(),
        project: it.name.or(it.id),
        roles: it.role.into_iter().collect(),
        via_team: None,
    });
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let key = |it: &Membership| fold(it.project.as_deref().unwrap_or_default());
    if op.order == Some(Order::Desc) {
        // Pages are cut from an ascending list: the keys are turned, not the list.
        let turned = |it: &Membership| key(it).chars().map(|it| char::from_u32(0x0010_ffff - u32::from(it)).unwrap_or('\0')).collect();
        return cut(memberships.collect(), &page, turned);
    }
    cut(memberships.collect(), &page, key)
}

/// The projects that a person is in themselves.
pub(super) async fn places(at: &Session, person: &WireUser) -> Result<Vec<WirePlace>, ProviderError> {
    if let Some(places) = &person.projects {
        return Ok(places.data.clone());
    }
    let active: Vec<_> = projects::all(at).await?.into_iter().filter(|it| !it.is_archived()).collect();
    if active.len() > held::AT_MOST {
        return Err(ProviderError::conflict(
            "not_told",
            format!("the service does not tell the projects of `{}`, and {} are too many to look into", person.label(), active.len()),
            "look at one project with get_project_member",
        ));
    }
    let mut places = Vec::new();
    for project in active {
        if let Some(member) = within(project_members::retrieve(at, &project.id, &person.id).await)? {
            places.push(WirePlace { id: Some(project.id.clone()), name: Some(project.name().to_owned()), role: Some(member.role) });
        }
    }
    Ok(places)
}
