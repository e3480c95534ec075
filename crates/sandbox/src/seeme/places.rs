//! What organizations, teams and projects have in common.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Reply, Seeme, account::Caller, body::Body, refusal::Refusal};
use crate::{Answer, Call};

/// Where people can be members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Organization,
    Team,
    Project,
}

impl Kind {
    /// By the first segment of its paths.
    pub(super) fn of(collection: &str) -> Option<Self> {
        [Self::Organization, Self::Team, Self::Project].into_iter().find(|it| it.collection() == collection)
    }

    pub(super) fn collection(self) -> &'static str {
        match self {
            Self::Organization => "organizations",
            Self::Team => "teams",
            Self::Project => "projects",
        }
    }

    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Team => "team",
            Self::Project => "project",
        }
    }

    /// What a body may hold: all that is told of such an object, without what is only counted or nested in it.
    pub(super) fn fields(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Self::Organization => &["slug", "website", "owner_id", "settings", "plan", "disabled"],
            Self::Team => &["organization_id", "slug"],
            Self::Project => &["organization_id", "team_id", "slug", "owner_id", "settings", "visibility"],
        };
        [COMMON, own].concat()
    }
}

const COMMON: &[&str] =
    &["id", "created_at", "updated_at", "name", "description", "user_id", "notes", "has_logo", "logo", "public", "shared_with_me"];

/// An organization, a team or a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    pub kind: Kind,
    pub id: String,
    pub created_at: String,
    pub updated_at: Option<String>,
    pub name: String,
    pub description: String,
    /// Who made it; of an organization and of a project, also the owner.
    pub user_id: String,
    pub notes: Option<String>,
    pub public: bool,
    pub slug: Option<String>,
    /// Of a team or project.
    pub organization_id: Option<String>,
    /// Of a project.
    pub team_id: Option<String>,
    /// Of an organization.
    pub website: Option<String>,
    /// Of an organization.
    pub plan: Option<String>,
    /// Of a project.
    pub visibility: Option<String>,
    /// Of an organization or project.
    pub settings: Value,
}

impl Place {
    /// Takes from a body all that a caller can say of it, and forgets what the body does not say.
    pub(super) fn replace(&mut self, body: &Body) -> Result<(), Refusal> {
        self.name = body.required("name")?;
        self.description = body.text("description")?.unwrap_or_default();
        self.notes = body.text("notes")?;
        self.public = body.flag("public")?;
        self.slug = body.filled("slug")?;
        if let Some(wrong) = self.slug.as_ref().filter(|it| it.contains(|it: char| !(it.is_ascii_alphanumeric() || it == '-'))) {
            return Err(Refusal::invalid(format!("`{wrong}` is not a slug")));
        }
        self.website = body.filled("website")?;
        self.settings = body.value("settings");
        self.visibility = body.filled("visibility")?;
        if let Some(wrong) = self.visibility.as_deref().filter(|it| !["private", "team", "org", "public"].contains(it)) {
            return Err(Refusal::invalid(format!("no visibility `{wrong}`")));
        }
        Ok(())
    }
}

impl Seeme {
    /// Something in an organization that the caller is in.
    pub(super) fn seen(&self, caller: &Caller, kind: Kind, id: &str) -> Result<Place, Refusal> {
        let place = self.places.iter().find(|it| it.kind == kind && it.id == id);
        let within = |place: &&Place| {
            let organization = place.organization_id.as_ref().unwrap_or(&place.id);
            self.organizations_of(caller).iter().any(|it| it.id == *organization)
        };
        place.filter(within).cloned().ok_or_else(|| Refusal::missing(kind.noun()))
    }

    /// The same, where the caller may do a certain thing with it.
    pub(super) fn allowed(&self, caller: &Caller, kind: Kind, id: &str, action: &str) -> Result<Place, Refusal> {
        let place = self.seen(caller, kind, id)?;
        self.need(caller, Some(&place), &format!("{}:{action}", kind.collection()))?;
        Ok(place)
    }

    /// A new one of a body, not yet among the others.
    pub(super) fn drafted(&mut self, caller: &Caller, kind: Kind, body: &Body) -> Result<Place, Refusal> {
        let mut place = Place {
            kind,
            id: String::new(),
            created_at: self.now(),
            updated_at: None,
            name: String::new(),
            description: String::new(),
            user_id: caller.user_id.clone(),
            notes: None,
            public: false,
            slug: None,
            organization_id: None,
            team_id: None,
            website: None,
            plan: None,
            visibility: None,
            settings: Value::Null,
        };
        place.replace(body)?;
        if place.slug.is_none() {
            let name = place.name.to_lowercase();
            let words = name.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty());
            place.slug = Some(words.collect::<Vec<_>>().join("-")).filter(|it| !it.is_empty());
        }
        Ok(place)
    }

    /// Slugs are unique: of organizations among all, of others in their organization.
    pub(super) fn slug_is_free(&self, place: &Place) -> Result<(), Refusal> {
        let same = |it: &&Place| it.kind == place.kind && it.organization_id == place.organization_id && it.id != place.id;
        let taken = place.slug.is_some() && self.places.iter().filter(same).any(|it| it.slug == place.slug);
        if taken { Err(Refusal::conflict(format!("the slug of {} `{}` is taken", place.kind.noun(), place.name))) } else { Ok(()) }
    }

    /// Puts a new one among the others, with its maker in it.
    pub(super) fn founded(&mut self, mut place: Place, role: &str) -> Answer {
        place.id = self.fresh(place.kind.noun());
        let role_id = self.roles.iter().find(|it| it.slug == role).map(|it| it.id.clone());
        self.joined(&place.id, &place.user_id, role_id);
        self.places.push(place.clone());
        Answer::json(201, &self.place_json(&place))
    }

    pub(super) fn get_place(&self, caller: &Caller, kind: Kind, id: &str) -> Reply {
        let place = self.allowed(caller, kind, id, "read")?;
        Ok(Answer::ok(&self.place_json(&place)))
    }

    pub(super) fn update_place(&mut self, caller: &Caller, call: &Call, kind: Kind, id: &str) -> Reply {
        let mut place = self.allowed(caller, kind, id, "update")?;
        let body = Body::read(call, &kind.fields())?;
        if body.text("id")?.is_some_and(|it| it != id) {
            return Err(Refusal::malformed("the id in the body is not the one in the path"));
        }
        if body.text("organization_id")? != place.organization_id {
            return Err(Refusal::invalid(format!("a {} stays in its organization", kind.noun())));
        }
        place.replace(&body)?;
        place.team_id = self.team_in(&place, body.filled("team_id")?)?;
        self.slug_is_free(&place)?;
        place.updated_at = Some(self.now());
        if let Some(kept) = self.places.iter_mut().find(|it| it.id == place.id) {
            kept.clone_from(&place);
        }
        Ok(Answer::ok(&self.place_json(&place)))
    }

    /// A team that a project can belong to.
    pub(super) fn team_in(&self, project: &Place, team: Option<String>) -> Result<Option<String>, Refusal> {
        let Some(id) = team else { return Ok(None) };
        let fits = |it: &Place| it.kind == Kind::Team && it.id == id && it.organization_id == project.organization_id;
        if self.places.iter().any(fits) { Ok(Some(id)) } else { Err(Refusal::invalid(format!("no team `{id}` in the organization"))) }
    }

    pub(super) fn delete_place(&mut self, caller: &Caller, kind: Kind, id: &str) -> Reply {
        let place = self.allowed(caller, kind, id, "delete")?;
        let inside = |it: &Place| it.organization_id.as_ref() == Some(&place.id);
        let ids: Vec<String> = self.places.iter().filter(|it| it.id == place.id || inside(it)).map(|it| it.id.clone()).collect();
        self.places.retain(|it| !ids.contains(&it.id));
        for other in &mut self.places {
            other.team_id.take_if(|it| *it == place.id);
        }
        self.members.retain(|it| !ids.contains(&it.place_id));
        self.resources.retain(|it| !ids.contains(&it.project_id));
        self.roles.retain(|it| it.organization_id.as_ref() != Some(&place.id));
        self.logos.retain(|of, _| !ids.contains(of));
        for user in &mut self.users {
            user.current_organization_id.take_if(|it| *it == place.id);
        }
        Ok(self.nothing())
    }

    /// A place as it is told.
    pub(super) fn place_json(&self, place: &Place) -> Value {
        let logo = self.logos.get(&place.id);
        let people = self.members.iter().filter(|it| it.place_id == place.id && it.user_id.is_some()).count();
        let mut told = json!({
            "id": place.id,
            "created_at": place.created_at,
            "updated_at": self.quirks.time(place.updated_at.as_deref()),
            "name": place.name,
            "description": place.description,
            "user_id": place.user_id,
            "notes": place.notes,
            "has_logo": logo.is_some(),
            "logo": logo.map_or("", |it| &it.extension),
            "public": place.public,
            "shared_with_me": false,
            "slug": place.slug,
        });
        match place.kind {
            Kind::Organization => {
                told["settings"] = place.settings.clone();
                told["plan"] = json!(place.plan);
                told["disabled"] = json!(false);
                told["member_count"] = json!(people);
                let projects = |it: &&Place| it.kind == Kind::Project && it.organization_id.as_ref() == Some(&place.id);
                told["project_count"] = json!(self.places.iter().filter(projects).count());
                if !self.quirks.bare_organizations {
                    told["website"] = json!(place.website);
                    told["owner_id"] = json!(place.user_id);
                }
            }
            Kind::Team => told["organization_id"] = json!(place.organization_id),
            Kind::Project => {
                told["organization_id"] = json!(place.organization_id);
                told["team_id"] = json!(place.team_id);
                told["owner_id"] = json!(place.user_id);
                told["settings"] = place.settings.clone();
                told["visibility"] = json!(place.visibility);
                told["member_count"] = json!(people);
            }
        }
        told
    }

    /// Places as a list.
    pub(super) fn places_json<'a>(&self, places: impl IntoIterator<Item = &'a Place>) -> Answer {
        self.list(&places.into_iter().map(|it| self.place_json(it)).collect::<Vec<_>>())
    }

    /// Those of a kind in one organization.
    pub(super) fn places_in(&self, organization: &str, kind: Kind) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(move |it| it.kind == kind && it.organization_id.as_deref() == Some(organization))
    }
}
