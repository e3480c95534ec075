//! What organizations, teams and projects have in common: how they are told, found and changed.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Session,
    names::{Named, Wanted},
    wire::{filled, listed},
};
use crate::{
    domain::{OrganizationRef, ProjectRef, Query, ReferenceText as _, Slug, Target, TeamRef, fold},
    error::{ProviderError, unnamed},
    providers::{
        http::{Reading, Request, Writing},
        meant::{has_id, is_called, the_same},
    },
};

/// Where people can be members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Organization,
    Team,
    Project,
}

impl Kind {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Team => "team",
            Self::Project => "project",
        }
    }

    fn list_tool(self) -> &'static str {
        match self {
            Self::Organization => "list_organizations",
            Self::Team => "list_teams",
            Self::Project => "list_projects",
        }
    }

    /// The path of one of its things, and what is below it.
    pub(super) fn path(self, below: &str) -> String {
        format!("/{}s/{{id}}{below}", self.noun())
    }
}

/// An organization, team or project as the service tells it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WirePlace {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) slug: Option<String>,
    pub(super) website: Option<String>,
    pub(super) owner_id: Option<String>,
    pub(super) organization_id: Option<String>,
    pub(super) team_id: Option<String>,
    /// Who sees a project: `private`, `team`, `org` or `public`.
    pub(super) visibility: Option<String>,
    pub(super) has_logo: Option<bool>,
    pub(super) member_count: Option<u64>,
    pub(super) project_count: Option<u64>,
    pub(super) created_at: Option<String>,
}

impl WirePlace {
    /// Whether a search finds it.
    pub(super) fn contains(&self, query: &Query) -> bool {
        query.is_in(&self.name) || self.slug.as_deref().is_some_and(|it| query.is_in(it))
    }

    /// What lists of them are sorted by.
    pub(super) fn key(&self) -> String {
        format!("{} {}", fold(&self.name), self.id)
    }

    pub(super) fn slug(&self) -> Option<String> {
        filled(self.slug.as_ref()).map(str::to_owned)
    }

    pub(super) fn description(&self) -> Option<String> {
        filled(self.description.as_ref()).map(str::to_owned)
    }
}

/// Something that was found, and the organization it is in; of an organization, itself.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) it: WirePlace,
    pub(super) organization: WirePlace,
}

impl Named for Place {
    fn id(&self) -> &str {
        &self.it.id
    }

    fn names(&self) -> Vec<&str> {
        [Some(self.it.name.as_str()), filled(self.it.slug.as_ref())].into_iter().flatten().collect()
    }

    fn within(&self) -> Vec<&str> {
        [Some(self.organization.name.as_str()), filled(self.organization.slug.as_ref()), Some(self.organization.id.as_str())]
            .into_iter()
            .flatten()
            .collect()
    }

    fn label(&self) -> String {
        let within = if self.kind == Kind::Organization { String::new() } else { format!(" in {}", self.organization.name) };
        format!("{} [{}]{within}", self.it.name, self.it.id)
    }
}

impl Place {
    pub(super) fn of_organization(it: WirePlace) -> Self {
        Self { kind: Kind::Organization, organization: it.clone(), it }
    }

    /// The organization with this id, if the account is in it.
    pub(super) async fn with_id(at: &Session, id: &str) -> Result<Option<Self>, ProviderError> {
        Ok(organizations(at).await?.into_iter().find(|it| it.id == id).map(Self::of_organization))
    }

    pub(super) fn id(&self) -> &str {
        &self.it.id
    }

    pub(super) fn name(&self) -> &str {
        &self.it.name
    }

    /// The organization that it is in, or is.
    pub(super) fn home(&self) -> Self {
        Self::of_organization(self.organization.clone())
    }

    /// For sentences: ``project `Atlas` ``.
    pub(super) fn says(&self) -> String {
        format!("{} `{}`", self.kind.noun(), self.it.name)
    }

    pub(super) fn target(&self) -> Target {
        Target::new(self.kind.noun(), &self.it.name, &self.it.id, &self.organization.name)
    }

    /// Something in it, as a target.
    pub(super) fn target_within(&self, kind: &str, name: &str, id: Option<&str>) -> Target {
        let target = Target { id: id.map(str::to_owned), ..Target::new_one(kind, name, &self.organization.name) };
        match self.kind {
            Kind::Organization => target,
            _ => target.within(self.kind.noun(), &self.it.name, &self.it.id),
        }
    }

    pub(super) fn get(&self, at: &Session, below: &str) -> Request<Reading> {
        at.get(&self.kind.path(below)).path("id", &self.it.id)
    }

    pub(super) fn post(&self, at: &Session, below: &str) -> Request<Writing> {
        at.post(&self.kind.path(below)).path("id", &self.it.id)
    }

    pub(super) fn put(&self, at: &Session, below: &str) -> Request<Writing> {
        at.put(&self.kind.path(below)).path("id", &self.it.id)
    }

    pub(super) fn delete(&self, at: &Session, below: &str) -> Request<Writing> {
        at.delete(&self.kind.path(below)).path("id", &self.it.id)
    }

    /// It, as it is told by itself.
    pub(super) async fn read(&self, at: &Session) -> Result<WirePlace, ProviderError> {
        the_same(self.get(at, "").send().await?, self.id(), |it: &WirePlace| &it.id)
    }

    /// All that the service tells of it, to be sent back with changes. A change replaces the object, so what this program
    /// does not know of has to be in it; what is only counted in it or nested in it has not.
    pub(super) async fn whole(&self, at: &Session) -> Result<Map<String, Value>, ProviderError> {
        let mut whole: Map<String, Value> = self.get(at, "").send().await?;
        for derived in ["members", "teams", "organization", "team", "member_count", "project_count", "user_role"] {
            whole.shift_remove(derived);
        }
        Ok(whole)
    }
}

/// The organizations that the account is in.
pub(super) async fn organizations(at: &Session) -> Result<Vec<WirePlace>, ProviderError> {
    listed(at.get("/organizations")).await
}

/// The organization that the connection is kept to.
pub(super) async fn pinned(at: &Session) -> Result<Option<Place>, ProviderError> {
    match at.settings.remote.pin.as_deref() {
        Some(pin) => Ok(Some(organization_called(at, pin).await?)),
        None => Ok(None),
    }
}

async fn organization_called(at: &Session, text: &str) -> Result<Place, ProviderError> {
    let all: Vec<Place> = organizations(at).await?.into_iter().map(Place::of_organization).collect();
    let kind = Kind::Organization;
    Wanted { kind: kind.noun(), text, scope: String::new(), list_tool: kind.list_tool() }.among(&all)
}

/// The organization that is named, or that the connection is kept to, or the only one.
pub(super) async fn organization(at: &Session, named: Option<&OrganizationRef>) -> Result<Place, ProviderError> {
    let pinned = pinned(at).await?;
    let Some(named) = named else {
        if let Some(pinned) = pinned {
            return Ok(pinned);
        }
        let all: Vec<Place> = organizations(at).await?.into_iter().map(Place::of_organization).collect();
        return match all.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(ProviderError::conflict("no_organization", "there is no organization yet", "create one with create_organization")),
            many => Err(unnamed("organization", many.iter().map(Named::label).collect())),
        };
    };
    let found = organization_called(at, named.text()).await?;
    match pinned {
        Some(pinned) if pinned.id() != found.id() => Err(outside(found.name(), &pinned)),
        _ => Ok(found),
    }
}

/// Says that something is not in the organization that the connection is kept to.
pub(super) fn outside(name: &str, pinned: &Place) -> ProviderError {
    ProviderError::conflict(
        "outside_connection",
        format!("`{name}` is not the organization of this connection, which is kept to `{}`", pinned.name()),
        "use another connection, or leave `organization` out",
    )
}

/// The teams or projects of one organization, or of all that the account is in.
pub(super) async fn all(at: &Session, kind: Kind, within: Option<&Place>) -> Result<Vec<Place>, ProviderError> {
    Ok(known(at, kind, within).await?.to_vec())
}

/// The same, for whoever looks one up in them row after row.
async fn known(at: &Session, kind: Kind, within: Option<&Place>) -> Result<Arc<Vec<Place>>, ProviderError> {
    let key = format!("{} {}", kind.noun(), within.map(Place::id).unwrap_or_default());
    at.once(&key, || read(at, kind, within)).await
}

async fn read(at: &Session, kind: Kind, within: Option<&Place>) -> Result<Vec<Place>, ProviderError> {
    let found: Vec<WirePlace> = match within {
        Some(organization) => listed(organization.get(at, &format!("/{}s", kind.noun()))).await?,
        None => listed(at.get(&format!("/{}s", kind.noun()))).await?,
    };
    located(at, kind, found).await
}

/// Puts things beside the organizations they are in.
pub(super) async fn located(at: &Session, kind: Kind, found: Vec<WirePlace>) -> Result<Vec<Place>, ProviderError> {
    let organizations = organizations(at).await?;
    let place = |it: WirePlace| {
        let of = filled(it.organization_id.as_ref()).unwrap_or_default();
        // Somebody can be a guest in a project without seeing its organization.
        let organization = organizations.iter().find(|it| it.id == of).cloned().unwrap_or_else(|| unseen(of));
        Place { kind, it, organization }
    };
    Ok(found.into_iter().map(place).collect())
}

/// The projects of a team, by the filter that the service has for it. Those that are told to be of another team, or of none where
/// others are told to be of this one, show that it was not heeded, and are left out.
pub(super) async fn of_team(at: &Session, team: &str, within: Option<&str>) -> Result<Vec<WirePlace>, ProviderError> {
    let mut told: Vec<WirePlace> = listed(at.get("/projects").maybe("organization_id", within).query("team_id", team)).await?;
    if told.iter().any(|it| filled(it.team_id.as_ref()).is_some()) {
        told.retain(|it| has_id(it.team_id.as_deref(), team));
    }
    told.retain(|it| within.is_none_or(|within| filled(it.organization_id.as_ref()).is_none_or(|it| it == within)));
    Ok(told)
}

fn unseen(id: &str) -> WirePlace {
    WirePlace { id: id.to_owned(), name: id.to_owned(), ..WirePlace::default() }
}

/// The team that is named: of an organization, else of what the connection reaches.
pub(super) async fn team(at: &Session, named: &TeamRef, within: Option<&Place>) -> Result<Place, ProviderError> {
    called(at, Kind::Team, named.text(), within).await
}

/// The project that is named.
pub(super) async fn project(at: &Session, named: &ProjectRef) -> Result<Place, ProviderError> {
    called(at, Kind::Project, named.text(), None).await
}

async fn called(at: &Session, kind: Kind, text: &str, within: Option<&Place>) -> Result<Place, ProviderError> {
    let pinned = pinned(at).await?;
    let within = within.or(pinned.as_ref());
    let scope = within.map(|it| it.name().to_owned()).unwrap_or_default();
    Wanted { kind: kind.noun(), text, scope, list_tool: kind.list_tool() }.among(&known(at, kind, within).await?)
}

/// Refuses a name or slug that another thing of its kind has where names have to differ.
pub(super) fn is_free<'a>(
    kind: Kind,
    others: impl IntoIterator<Item = &'a WirePlace>,
    name: &str,
    slug: Option<&Slug>,
    but: Option<&str>,
) -> Result<(), ProviderError> {
    let taken = |it: &WirePlace| is_called(it.name.as_str(), name) || slug.is_some_and(|slug| it.slug.as_deref() == Some(slug.as_str()));
    if others.into_iter().filter(|it| Some(it.id.as_str()) != but).any(taken) {
        let what = match kind {
            Kind::Organization => "an organization",
            Kind::Team => "a team of this organization",
            Kind::Project => "a project of this organization",
        };
        let message = format!("{what} is called `{name}` already, or has its slug");
        return Err(ProviderError::conflict("name_taken", message, "choose another name or slug"));
    }
    Ok(())
}

/// The same for teams and projects of an organization.
pub(super) async fn is_free_in(
    at: &Session,
    kind: Kind,
    organization: &Place,
    name: &str,
    slug: Option<&Slug>,
    but: Option<&str>,
) -> Result<(), ProviderError> {
    let others = all(at, kind, Some(organization)).await?;
    is_free(kind, others.iter().map(|it| &it.it), name, slug, but)
}
