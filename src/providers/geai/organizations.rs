//! Organizations: those that a token reaches, and for a system administrator all there are.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Session, access, memberships,
    power::{addressed, administrator},
    resolve::{Own, only},
    wire::{Listing, WireOrganization, read},
};
use crate::{
    domain::{
        Counted, Facts, Inverse, List, Losing, OrganizationRef, PageRequest, ReferenceText as _, Surroundings, Target, Thing,
        access::{Grant, Named, Place},
        fold,
        organizations::Organization,
        roles::RoleLevel,
    },
    error::ProviderError,
    guard::Permit,
    providers::http::{Draft, Sent, cut},
    tools::organizations::{CreateOrganization, DeleteOrganization, ListOrganizations},
};

/// `GET /v2/accessControl/memberships`, without an e-mail: the caller's own.
pub(super) async fn list(at: &Session, op: &ListOrganizations) -> Result<List<Organization>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    if op.query.is_none() && at.settings.remote.pin.is_none() {
        return Ok(memberships::organizations().page(at, &page).await?.map(view));
    }
    let mut found: Vec<WireOrganization> = memberships::organizations().all(at).await?.to_vec();
    found.retain(|it| at.within_pin(Some(&it.id), Some(&it.name)).is_ok() && op.query.as_ref().is_none_or(|query| query.is_in(&it.name)));
    Ok(cut(found, &page, |it| format!("{} {}", fold(&it.name), it.id))?.map(view))
}

/// `GET /v2/admin/organizations`.
fn all() -> Listing {
    Listing { query: vec![("orderKey", "name".to_owned())], ..Listing::of("/v2/admin/organizations", "organizations") }
}

/// `GET /v2/admin/organizations`. That nothing matches is a failure to the service, and an empty list to us.
pub(super) async fn list_all(at: &Session, op: &ListOrganizations) -> Result<List<Organization>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let Some(query) = &op.query else { return Ok(all().page(at, &page).await?.map(view)) };
    let mut listing = all();
    listing.query.extend([("filterKey", "name".to_owned()), ("filterValue", query.as_str().to_owned())]);
    let fits = |it: &WireOrganization| query.is_in(&it.name);
    if Listing::is_cut_by_service(&page) {
        let found: List<WireOrganization> = match listing.page(at, &page).await {
            Err(ProviderError::Remote(error)) if error.code == "not_found" => return Ok(List::whole(Vec::new())),
            other => other?,
        };
        if found.items.iter().all(fits) {
            return Ok(found.map(view));
        }
    }
    // The filter was not heeded: the whole list is looked through.
    let everything: Arc<Vec<WireOrganization>> = all().all(at).await?;
    let found = everything.iter().filter(|it| fits(it)).cloned().collect();
    Ok(cut(found, &page, |it| format!("{} {}", fold(&it.name), it.id))?.map(view))
}

/// Whether the token may see all organizations.
pub(super) async fn check(at: &Session) -> Result<(), ProviderError> {
    at.get("/v2/admin/organizations").query("startPage", 1).query("pageSize", 1).query("orderDirection", "desc").value().await.map(drop)
}

/// `POST /v2/admin/organizations`.
pub(super) async fn create(at: &Session, op: &CreateOrganization) -> Result<Draft<Organization>, ProviderError> {
    if let Some(pin) = &at.settings.remote.pin {
        return Err(ProviderError::conflict(
            "outside_connection",
            format!("`{}` would be another organization; this connection is kept to `{pin}`", op.name),
            "use another connection",
        ));
    }
    let Some(email) = &op.admin_email else {
        return Err(ProviderError::invalid("`admin_email` is missing", "give the e-mail of who will administer the organization"));
    };
    let name = op.name.to_string();
    let there: Arc<Vec<WireOrganization>> = all().all(at).await?;
    if there.iter().any(|it| fold(&it.name) == fold(&name)) {
        return Err(ProviderError::conflict("name_taken", format!("an organization is called `{name}` already"), "choose another name"));
    }
    let place = Place::Organization(Named::new(&name, ""));
    let facts = Facts::none()
        .gives(Grant::own(addressed(email.as_str()), administrator(RoleLevel::Organization), place))
        .about(access::of_the_platform(at, &name).await?)
        .undo("delete_organization");
    let target = Target { organization: None, ..Target::new_one("organization", &name, "") };
    let body = json!({ "name": name, "administratorUserEmail": email });
    let (session, told) = (at.clone(), target.clone());
    let send = {
        let (session, told) = (session.clone(), told.clone());
        move |permit: Permit| async move {
            let reply = session.post("/v2/admin/organizations").json(body).send(&permit).await?;
            Ok(made(read(&session, &reply.read::<Value>("list_organizations shows whether it exists")?)?, told))
        }
    };
    Ok(Draft::new(target, facts, send).read_back(move || {
        let (session, told, name) = (session.afresh(), told.clone(), name.clone());
        async move {
            let there: Arc<Vec<WireOrganization>> = all().all(&session).await?;
            Ok(there.iter().find(|it| it.name == name).map(|it| made(it.clone(), told)))
        }
    }))
}

fn made(it: WireOrganization, target: Target) -> Sent<Organization> {
    let id = it.id.clone();
    let back = Inverse::of(&DeleteOrganization { organization: OrganizationRef::read(&id) });
    Sent::after(view(it)).target(Target { id: Some(id), ..target }).inverse(back)
}

/// `DELETE /v2/admin/organizations/{organizationId}`.
pub(super) async fn delete(at: &Session, op: &DeleteOrganization) -> Result<Draft<Organization>, ProviderError> {
    let there: Arc<Vec<WireOrganization>> = all().all(at).await?;
    let wanted = op.organization.text();
    let found =
        only(&there, "organization", wanted, "", |it| it.id.as_str(), |it: &WireOrganization| it.name.clone(), "list_organizations")?;
    at.within_pin(Some(&found.id), Some(&found.name))?;
    let own = Own { id: found.id.clone(), name: found.name.clone() };
    // Whose people they are is said by what ends: without totals it is the organization that is named, not the sum of its people.
    let about = Surroundings { organization: own.name.clone(), ..Surroundings::default() };
    let facts = Facts::none().ends(Thing::Organization, Counted::one(&own.name)).about(about);
    // An administrator of the system need not be able to look inside.
    let facts = match at.people(&own).await {
        Ok(people) => facts.lose(Losing::Organization, people.iter().map(super::wire::WireMember::label).collect::<Vec<_>>()),
        Err(_) => facts.unseen("how many people lose access is not told to this account"),
    };
    let facts = facts.note("all its projects, tokens and limits end; people keep their accounts");
    let target = Target::new("organization", &own.name, &own.id, &own.name);
    let before = view(found.clone());
    let (session, id) = (at.clone(), own.id);
    let send = {
        let (session, id) = (session.clone(), id.clone());
        move |permit: Permit| async move {
            session.delete("/v2/admin/organizations/{organization}").path("organization", &id).send(&permit).await?;
            Ok(Sent::gone())
        }
    };
    Ok(Draft::new(target, facts, send).before(before).read_back(move || {
        let (session, id) = (session.afresh(), id.clone());
        async move {
            let there: Arc<Vec<WireOrganization>> = all().all(&session).await?;
            Ok((!there.iter().any(|it| it.id == id)).then(Sent::gone))
        }
    }))
}

fn view(it: WireOrganization) -> Organization {
    Organization { organization: it.name, id: it.id, ..Organization::default() }
}
