//! Organizations.

use serde_json::json;

use super::{
    Session,
    fields::{Fields, not_here, some},
    people::is_external,
    wire::{Answered as _, WireOrg, WireSeat},
};
use crate::{
    domain::{
        Counted, Facts, Inverse, List, Losing, OrganizationRef, PageRequest, Surroundings, Target, Thing, fold, organizations::Organization,
    },
    error::ProviderError,
    providers::http::{Draft, Sent, cut},
    tools::organizations::{
        CreateOrganization, DeleteOrganization, GetOrganization, ListOrganizations, OrganizationField, UpdateOrganization,
    },
};

/// GET orgs.
pub(super) async fn list(at: &Session, op: &ListOrganizations) -> Result<List<Organization>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let mut orgs = match at.pinned().await? {
        Some(pinned) => vec![pinned],
        None => at.orgs().await?,
    };
    orgs.retain(|it| op.query.as_ref().is_none_or(|query| query.is_in(&it.name)));
    let brief = |it: WireOrg| Organization { description: None, created_at: None, ..view(it) };
    cut(orgs.into_iter().map(brief).collect(), &page, |it| format!("{} {}", fold(&it.organization), it.id))
}

/// GET orgs/{id}.
pub(super) async fn get(at: &Session, op: &GetOrganization) -> Result<Organization, ProviderError> {
    let org = at.organization(Some(&op.organization)).await?;
    Ok(view(at.org(&org.id).await?))
}

/// POST orgs.
pub(super) async fn create(at: &Session, op: &CreateOrganization) -> Result<Draft<Organization>, ProviderError> {
    if let Some(pinned) = at.pinned().await? {
        return Err(ProviderError::conflict(
            "outside_connection",
            format!("`{}` would be another organization; this connection is kept to `{}`", op.name, pinned.name),
            "use another connection",
        ));
    }
    let known: Vec<String> = at.orgs().await?.into_iter().map(|it| it.id).collect();
    let fields = Fields::new(&op.name, op.description.as_ref());
    let target = Target { organization: None, ..Target::new_one("organization", &fields.name, "") };
    let facts = Facts::none().note("the account of this connection becomes its owner").undo("delete_organization");
    let (sending, looking, name) = (at.clone(), at.clone(), fields.name.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let body = json!({ "name": fields.name, "description": fields.description, "logo_url": "" });
        let reply = sending.post(sending.settings.path("orgs")).json(body).send(&permit).await?;
        Ok(created(&WireOrg::read(&reply, "find it with list_organizations")?))
    });
    Ok(draft.read_back(move || {
        let (looking, known, name) = (looking.afresh(), known.clone(), name.clone());
        async move {
            let new = looking.orgs().await?.into_iter().find(|it| it.name == name && !known.contains(&it.id));
            Ok(new.as_ref().map(created))
        }
    }))
}

/// PUT orgs/{id}, with what is there already for the fields that are not named: the service would empty them.
pub(super) async fn update(at: &Session, op: &UpdateOrganization) -> Result<Draft<Organization>, ProviderError> {
    if op.clear.contains(&OrganizationField::Website) {
        return Err(not_here("website"));
    }
    let id = at.organization(Some(&op.organization)).await?.id;
    let org = at.org(&id).await?;
    let old = Fields { name: org.name.clone(), description: org.description.clone() };
    let clear = op.clear.contains(&OrganizationField::Description);
    let new = old.clone().with(op.name.as_ref(), op.description.as_ref(), clear)?;
    stays_pinned(at, &id, &new.name)?;
    let facts = Facts::none().undo("update_organization with the values in `before`");
    let (sending, looking, wanted) = (at.clone(), at.clone(), new.clone());
    let (target, before, logo_url, path_id) = (target(&org), view(org.clone()), org.logo_url, id.clone());
    let inverse = restoring(&id, &old, &new);
    let again = inverse.clone();
    let draft = Draft::new(target, facts, move |permit| async move {
        let body = json!({ "name": new.name, "description": new.description, "logo_url": logo_url });
        let reply = sending.put(sending.settings.path("org")).path("id", &path_id).json(body).send(&permit).await?;
        let changed = WireOrg::read(&reply, "look at it with get_organization")?;
        Ok(Sent::after(view(changed)).inverse(inverse))
    });
    Ok(draft.before(before).read_back(move || {
        let (looking, id, wanted, inverse) = (looking.afresh(), id.clone(), wanted.clone(), again.clone());
        async move {
            let org = looking.org(&id).await?;
            let took_effect = org.name == wanted.name && org.description == wanted.description;
            Ok(took_effect.then(|| Sent::after(view(org)).inverse(inverse)))
        }
    }))
}

/// The call that puts the old values back.
fn restoring(id: &str, old: &Fields, new: &Fields) -> Inverse {
    let (name, description, emptied) = old.former(new);
    let clear = emptied.then_some(OrganizationField::Description).into_iter().collect();
    let organization = OrganizationRef::read(id);
    Inverse::of(&UpdateOrganization { organization, name, description, slug: None, website: None, clear })
}

/// A connection that is kept to a name would be kept to nothing, or to whoever takes the name next.
fn stays_pinned(at: &Session, id: &str, name: &str) -> Result<(), ProviderError> {
    let Some(pin) = at.settings.remote.pin.as_deref() else { return Ok(()) };
    if pin == id || fold(pin) == fold(name) {
        return Ok(());
    }
    Err(ProviderError::conflict(
        "pinned_name",
        format!("the connection is kept to this organization by `{pin}`, which would no longer mean it"),
        format!("keep that name, or have the connection configured with `organization = \"{id}\"` first"),
    ))
}

/// DELETE orgs/{id}. The service refuses while a subscription is active; one that is named may have ended.
pub(super) async fn delete(at: &Session, op: &DeleteOrganization) -> Result<Draft<Organization>, ProviderError> {
    let id = at.organization(Some(&op.organization)).await?.id;
    let org = at.org(&id).await?;
    let (people, projects) = (at.people(&id).await?, at.projects_of(&org).await?);
    let (guests, members): (Vec<&WireSeat>, Vec<&WireSeat>) = people.iter().partition(|it| is_external(it));
    let mut names: Vec<String> = projects.into_iter().map(|it| it.name).collect();
    names.sort();
    // Without totals: the organization is what ends, so its name is what is typed.
    let mut facts = Facts::none()
        .ends(Thing::Organization, Counted::one(&org.name))
        .ends(Thing::Project, names)
        .lose(Losing::Organization, emails(members))
        .lose(Losing::Access, emails(guests))
        .note("people keep their accounts")
        .about(Surroundings { organization: org.name.clone(), ..Surroundings::default() });
    if !org.subscription_id.is_empty() {
        facts = facts.note(format!("names subscription {}: while that is active, the service refuses", org.subscription_id));
    }
    if at.settings.remote.pin.is_some() {
        facts = facts.note("this connection is kept to this organization and will have nothing left to work on");
    }
    let (sending, looking, path_id) = (at.clone(), at.clone(), id.clone());
    let draft = Draft::new(target(&org), facts, move |permit| async move {
        sending.delete(sending.settings.path("org")).path("id", &path_id).send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(view(org)).read_back(move || {
        let (looking, id) = (looking.afresh(), id.clone());
        async move { Ok((!looking.orgs().await?.iter().any(|it| it.id == id)).then(Sent::gone)) }
    }))
}

fn emails(seats: Vec<&WireSeat>) -> Vec<String> {
    let mut emails: Vec<String> = seats.into_iter().map(|it| it.user.label().to_owned()).collect();
    emails.sort();
    emails
}

fn created(org: &WireOrg) -> Sent<Organization> {
    let back = Inverse::of(&DeleteOrganization { organization: OrganizationRef::read(&org.id) });
    Sent::after(view(org.clone())).target(target(org)).inverse(back)
}

fn target(org: &WireOrg) -> Target {
    Target::new("organization", &org.name, &org.id, &org.name)
}

fn view(it: WireOrg) -> Organization {
    Organization {
        created_at: it.audit.created_at(),
        organization: it.name,
        id: it.id,
        description: some(&it.description),
        ..Organization::default()
    }
}
