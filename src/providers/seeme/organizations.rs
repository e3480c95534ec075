//! Organizations.

use serde_json::{Map, Value, json};

use super::{
    Session,
    changes::{self, set},
    people::seats,
    places::{self, Kind, Place, WirePlace, is_free},
    roles,
    wire::{filled, time},
};
use crate::{
    domain::{
        Counted, Description, Facts, Inverse, List, Losing, Name, OrganizationRef, PageRequest, Slug, Surroundings, Target, Thing, Website,
        fold, organizations::Organization,
    },
    error::ProviderError,
    providers::{
        fields::named,
        http::{Draft, Sent, cut},
    },
    tools::organizations::{
        CreateOrganization, DeleteOrganization, GetOrganization, ListOrganizations, OrganizationField, UpdateOrganization,
    },
};

pub(super) async fn list(at: &Session, op: &ListOrganizations) -> Result<List<Organization>, ProviderError> {
    let mut found = match places::pinned(at).await? {
        Some(pinned) => vec![pinned.it],
        None => places::organizations(at).await?,
    };
    if let Some(query) = &op.query {
        found.retain(|it| it.contains(query));
    }
    let brief = |it: Organization| Organization { description: None, website: None, created_at: None, ..it };
    let page = cut(found, &PageRequest::of(op.limit, op.cursor.as_ref()), WirePlace::key)?;
    Ok(page.map(|it| brief(view(&it))))
}

pub(super) async fn get(at: &Session, op: &GetOrganization) -> Result<Organization, ProviderError> {
    let organization = places::organization(at, Some(&op.organization)).await?;
    Ok(view(&organization.read(at).await?))
}

pub(super) async fn create(at: &Session, op: &CreateOrganization) -> Result<Draft<Organization>, ProviderError> {
    if let Some(pinned) = places::pinned(at).await? {
        return Err(ProviderError::conflict(
            "outside_connection",
            format!("`{}` would be another organization; this connection is kept to `{}`", op.name, pinned.name()),
            "use another connection",
        ));
    }
    let before = places::organizations(at).await?;
    is_free(Kind::Organization, &before, op.name.as_str(), op.slug.as_ref(), None)?;
    let mut body = Map::from_iter([("name".to_owned(), json!(op.name))]);
    let fields = [
        ("description", op.description.as_ref().map(ToString::to_string)),
        ("slug", op.slug.as_ref().map(ToString::to_string)),
        ("website", op.website.as_ref().map(ToString::to_string)),
    ];
    set(&mut body, fields);
    let target = Target { organization: None, ..Target::new_one("organization", op.name.as_str(), "") };
    let (sending, looking, name) = (at.clone(), at.clone(), op.name.to_string());
    let draft = Draft::new(target, Facts::none().undo("delete_organization"), move |permit| async move {
        let reply = sending.post("/organizations").json(Value::Object(body)).send(&permit).await?;
        Ok(made(&reply.read("see list_organizations")?))
    });
    Ok(draft.read_back(move || {
        let (at, name) = (looking.afresh(), name.clone());
        async move { Ok(places::organizations(&at).await?.iter().find(|it| it.name == name).map(made)) }
    }))
}

fn made(it: &WirePlace) -> Sent<Organization> {
    let inverse = Inverse::of(&DeleteOrganization { organization: OrganizationRef::read(&it.id) });
    let target = Target::new("organization", &it.name, &it.id, &it.name);
    Sent::after(view(it)).target(target).inverse(inverse)
}

pub(super) async fn update(at: &Session, op: &UpdateOrganization) -> Result<Draft<Organization>, ProviderError> {
    let clears = |field| op.clear.contains(&field);
    let given = [
        ("name", op.name.is_some()),
        ("description", op.description.is_some()),
        ("slug", op.slug.is_some()),
        ("website", op.website.is_some()),
    ];
    let word = |it: &OrganizationField| match it {
        OrganizationField::Description => "description",
        OrganizationField::Website => "website",
    };
    named(&given, &op.clear.iter().map(word).collect::<Vec<_>>())?;
    let organization = places::organization(at, Some(&op.organization)).await?;
    let before = organization.read(at).await?;
    let name = op.name.as_ref().map_or(before.name.as_str(), Name::as_str);
    if op.name.is_some() || op.slug.is_some() {
        is_free(Kind::Organization, &places::organizations(at).await?, name, op.slug.as_ref(), Some(organization.id()))?;
    }
    stays_pinned(at, &before, name, op.slug.as_ref())?;
    let mut whole = organization.whole(at).await?;
    let description = op.description.as_ref().map(ToString::to_string);
    let fields = [
        ("name", op.name.as_ref().map(ToString::to_string)),
        ("description", if clears(OrganizationField::Description) { Some(String::new()) } else { description }),
        ("slug", op.slug.as_ref().map(ToString::to_string)),
        ("website", op.website.as_ref().map(ToString::to_string)),
    ];
    set(&mut whole, fields);
    if clears(OrganizationField::Website) {
        whole.insert("website".to_owned(), Value::Null);
    }
    let facts = Facts::none().undo("update_organization with the values in `before`");
    let inverse = back_to(op, &before);
    Ok(changes::replace(at, organization, whole, facts, inverse, view).before(view(&before)))
}

fn back_to(op: &UpdateOrganization, before: &WirePlace) -> Inverse {
    let description = before.description().map(Description::read);
    let website = filled(before.website.as_ref()).map(Website::read);
    let described = op.description.is_some() || op.clear.contains(&OrganizationField::Description);
    let linked = op.website.is_some() || op.clear.contains(&OrganizationField::Website);
    let clear =
        [(described && description.is_none(), OrganizationField::Description), (linked && website.is_none(), OrganizationField::Website)];
    Inverse::of(&UpdateOrganization {
        organization: OrganizationRef::read(&before.id),
        name: op.name.as_ref().map(|_| Name::read(&before.name)),
        description: description.filter(|_| described),
        slug: op.slug.as_ref().and(before.slug()).map(Slug::read),
        website: website.filter(|_| linked),
        clear: clear.into_iter().filter(|it| it.0).map(|it| it.1).collect(),
    })
}

/// A connection that is kept to a name would be kept to nothing, or to whoever takes the name next.
fn stays_pinned(at: &Session, organization: &WirePlace, name: &str, slug: Option<&Slug>) -> Result<(), ProviderError> {
    let Some(pin) = at.settings.remote.pin.as_deref() else { return Ok(()) };
    let slug = slug.map(ToString::to_string).or_else(|| organization.slug());
    if pin == organization.id || fold(pin) == fold(name) || slug.is_some_and(|it| fold(pin) == it) {
        return Ok(());
    }
    Err(ProviderError::conflict(
        "pinned_name",
        format!("the connection is kept to this organization by `{pin}`, which would no longer mean it"),
        format!("keep that name, or have the connection configured with `organization = \"{}\"` first", organization.id),
    ))
}

pub(super) async fn delete(at: &Session, op: &DeleteOrganization) -> Result<Draft<Organization>, ProviderError> {
    let organization = places::organization(at, Some(&op.organization)).await?;
    let before = view(&organization.read(at).await?);
    let facts = ending(at, &organization).await?;
    Ok(changes::delete(at, organization, facts).before(before))
}

/// Who loses what when an organization ends.
async fn ending(at: &Session, organization: &Place) -> Result<Facts, ProviderError> {
    let seats = seats(at, organization).await?;
    let people = |pending: bool| seats.iter().filter(|it| it.pending == pending).map(|it| it.called().to_owned()).collect::<Vec<_>>();
    let projects: Vec<String> = places::all(at, Kind::Project, Some(organization)).await?.iter().map(|it| it.name().to_owned()).collect();
    let teams: Vec<String> = places::all(at, Kind::Team, Some(organization)).await?.iter().map(|it| it.name().to_owned()).collect();
    let roles = roles::own(at, organization).await?;
    // Its own name is what is typed for all that goes with it, so there is no sum to weigh.
    let about = Surroundings { organization: organization.name().to_owned(), ..Surroundings::default() };
    let mut facts = Facts::none()
        .about(about)
        .ends(Thing::Organization, Counted::one(organization.name()))
        .lose(Losing::Organization, people(false))
        .ends(Thing::Project, projects)
        .ends(Thing::Team, teams)
        .ends(Thing::Role, roles)
        .stops(Thing::Invitation, people(true))
        .note("people keep their accounts");
    if at.settings.remote.pin.is_some() {
        facts = facts.note("this connection is kept to this organization and will have nothing left to work on");
    }
    Ok(facts)
}

fn view(it: &WirePlace) -> Organization {
    Organization {
        organization: it.name.clone(),
        id: it.id.clone(),
        slug: it.slug(),
        description: it.description(),
        website: filled(it.website.as_ref()).map(str::to_owned),
        members: it.member_count,
        projects: it.project_count,
        created_at: time(it.created_at.as_ref()),
    }
}
