//! Where a person belongs.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Session,
    resolve::Own,
    wire::{Listing, WireOrganization, WireProject},
};
use crate::{
    domain::{List, PageRequest, ReferenceText as _, members::Membership, roles::RoleType},
    error::ProviderError,
    tools::members::{ListMemberships, ListProjectMemberships, Order},
};

/// `GET /v2/accessControl/memberships`: organizations, and the roles held in their projects.
pub(super) async fn list(at: &Session, op: &ListMemberships) -> Result<List<Membership>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let email = match &op.email {
        Some(named) if !named.text().contains('@') => Some(at.address(&at.own().await?, named).await?),
        named => named.as_ref().map(|it| it.text().to_lowercase()),
    };
    let query = email.iter().map(|it| ("userEmail", it.clone())).collect();
    let found: List<WireOrganization> = Listing { query, ..organizations() }.of_types(&op.role_types)?.page(at, &page).await?;
    if let (Some(email), None) = (&email, &op.cursor) {
        heeded(at, email, &op.role_types, &found).await?;
    }
    let member = email.unwrap_or_else(|| "(this account)".to_owned());
    let item = |it: WireOrganization| Membership {
        member: member.clone(),
        organization: it.name,
        project: None,
        roles: it.projects.iter().flat_map(in_project).collect(),
        via_team: None,
    };
    Ok(found.map(item))
}

/// The memberships of the caller, or of whom a parameter names.
pub(super) fn organizations() -> Listing {
    Listing::of("/v2/accessControl/memberships", "organizations")
}

fn in_project(project: &WireProject) -> impl Iterator<Item = String> {
    project.roles.iter().map(|it| format!("{} ({})", it.name, project.project_name))
}

/// Some versions of the service do not know the parameter and answer with the caller's own memberships. The projects of one
/// organization can be asked for in another way: both have to say the same.
async fn heeded(at: &Session, email: &str, types: &[RoleType], found: &List<WireOrganization>) -> Result<(), ProviderError> {
    let Ok(own) = at.own().await else { return Ok(()) };
    // Whoever may not ask in the other way has only this one.
    let Ok(certain) = of_types(at, &own, email, types).await else { return Ok(()) };
    let ids = |projects: &[WireProject]| projects.iter().map(|it| it.project_id.clone()).collect::<BTreeSet<_>>();
    let told = found.items.iter().find(|it| it.id == own.id).map(|it| it.projects.as_slice()).unwrap_or_default();
    let elsewhere = told.is_empty() && found.has_more;
    if elsewhere || ids(told) == ids(&certain) {
        return Ok(());
    }
    Err(ProviderError::conflict(
        "filter_ignored",
        format!("the service does not heed the e-mail: it told memberships that are not those of `{email}`"),
        "use list_project_memberships, organization by organization",
    ))
}

/// The projects that somebody is in, with their roles there.
pub(super) async fn of_person(at: &Session, own: &Own, email: &str) -> Result<Vec<WireProject>, ProviderError> {
    Ok(of_types(at, own, email, &[]).await?.to_vec())
}

/// That somebody is not known is a failure to the service, and nothing to us.
async fn of_types(at: &Session, own: &Own, email: &str, types: &[RoleType]) -> Result<Arc<Vec<WireProject>>, ProviderError> {
    match projects_of(&own.id, email, "desc").of_types(types)?.all(at).await {
        Err(ProviderError::Remote(error)) if error.code == "not_found" => Ok(Arc::default()),
        other => other,
    }
}

/// `GET /v2/accessControl/projects/memberships`.
pub(super) async fn list_projects(at: &Session, op: &ListProjectMemberships) -> Result<List<Membership>, ProviderError> {
    let own = at.organization(op.organization.as_ref()).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let email = at.address(&own, &op.email).await?;
    let mut listing = projects_of(&own.id, &email, if op.order == Some(Order::Asc) { "asc" } else { "desc" });
    if op.order.is_some() {
        listing.query.push(("orderKey", "projectName".to_owned()));
    }
    let found: List<WireProject> = listing.of_types(&op.role_types)?.page(at, &page).await?;
    let item = |it: WireProject| Membership {
        member: email.clone(),
        organization: it.organization_name.unwrap_or_else(|| own.name.clone()),
        project: Some(it.project_name),
        roles: it.roles.into_iter().map(|it| it.name).collect(),
        via_team: None,
    };
    Ok(found.map(item))
}

fn projects_of(organization: &str, email: &str, direction: &'static str) -> Listing {
    Listing {
        target: Some(("organization-id", organization.to_owned())),
        query: vec![("userEmail", email.to_owned())],
        direction,
        ..Listing::of("/v2/accessControl/projects/memberships", "projects")
    }
}
