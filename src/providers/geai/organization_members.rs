//! People of the organization.

use std::sync::Arc;

use super::{
    Session,
    resolve::{Own, organization_members},
    wire::WireMember,
};
use crate::{
    domain::{List, PageRequest, Query, ReferenceText as _, RoleRef, fold, members::Member},
    error::ProviderError,
    providers::http::cut,
    tools::members::{GetOrganizationMember, ListOrganizationMembers},
};

/// `GET /v2/accessControl/organizations/members`.
pub(super) async fn list(at: &Session, op: &ListOrganizationMembers) -> Result<List<Member>, ProviderError> {
    let own = at.organization(op.organization.as_ref()).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let found = listed(at, &organization_members(&own), &page, op.query.as_ref(), op.role.as_ref()).await?;
    Ok(found.map(|it| view(it, &own)))
}

/// A page of people. The service cuts it, unless we filter.
pub(super) async fn listed(
    at: &Session,
    listing: &super::wire::Listing,
    page: &PageRequest,
    query: Option<&Query>,
    role: Option<&RoleRef>,
) -> Result<List<WireMember>, ProviderError> {
    if query.is_none() && role.is_none() {
        return listing.page(at, page).await;
    }
    let everybody: Arc<Vec<WireMember>> = listing.all(at).await?;
    let people = everybody.iter().filter(|it| {
        let fits = |query: &Query| [&it.email, &it.name].into_iter().flatten().any(|it| query.is_in(it));
        let holds = |role: &RoleRef| it.roles.iter().any(|it| it.id == role.text() || fold(&it.name) == fold(role.text()));
        query.is_none_or(fits) && role.is_none_or(holds)
    });
    cut(people.cloned().collect(), page, |it| format!("{} {}", fold(&it.label()), it.id.as_deref().unwrap_or_default()))
}

/// The service has no look-up of one person: everybody is read.
pub(super) async fn get(at: &Session, op: &GetOrganizationMember) -> Result<Member, ProviderError> {
    let own = at.organization(op.organization.as_ref()).await?;
    Ok(view(at.person(&own, &op.member).await?, &own))
}

fn view(it: WireMember, own: &Own) -> Member {
    Member { organization: Some(own.name.clone()), ..of_member(it) }
}

/// Somebody, wherever they are.
pub(super) fn of_member(it: WireMember) -> Member {
    Member { member: it.label(), roles: it.role_names(), name: it.name, id: it.id, ..Member::default() }
}
