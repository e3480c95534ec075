//! Projects: made and archived, never deleted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    api_keys::ApiKey,
    page::{Paging, Row},
    project_groups::ProjectGroup,
    project_users::Membership,
    rate_limits::{self, RateLimit},
    reply::{Refusal, Reply},
    request::{Ask, Field, text_of},
    service_accounts::ServiceAccount,
    spending::Spending,
    state::now,
};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: i64,
    pub(super) archived_at: Option<i64>,
    pub(super) external_key_id: Option<String>,
    pub(super) residency: String,
    pub(super) is_default: bool,
    pub(super) members: Vec<Membership>,
    pub(super) groups: Vec<ProjectGroup>,
    pub(super) service_accounts: Vec<ServiceAccount>,
    pub(super) api_keys: Vec<ApiKey>,
    pub(super) rate_limits: Vec<RateLimit>,
    /// Ids of the certificates that are active here.
    pub(super) certificates: BTreeSet<String>,
    #[serde(default)]
    pub(super) spending: Spending,
}

const RESIDENCIES: [&str; 15] = [
    "GLOBAL",
    "US_STORAGE_PROCESSING",
    "EU_STORAGE_PROCESSING",
    "JP_STORAGE",
    "JP_STORAGE_PROCESSING",
    "KR_STORAGE",
    "CA_STORAGE",
    "SG_STORAGE",
    "IN_STORAGE",
    "IN_STORAGE_PROCESSING",
    "AU_STORAGE",
    "AU_STORAGE_PROCESSING",
    "GB_STORAGE",
    "AE_STORAGE",
    "AE_STORAGE_PROCESSING",
];

impl Project {
    fn view(&self) -> Value {
        json!({
            "id": self.id,
            "object": "organization.project",
            "name": self.name,
            "created_at": self.created_at,
            "archived_at": self.archived_at,
            "status": if self.archived_at.is_some() { "archived" } else { "active" },
            "external_key_id": self.external_key_id,
            "residency": self.residency,
        })
    }
}

impl Openai {
    pub(super) fn project(&self, id: &str) -> Result<&Project, Refusal> {
        self.projects.iter().find(|it| it.id == id).ok_or_else(|| Refusal::missing("project", id))
    }

    /// A project that is not archived.
    pub(super) fn active_project(&self, id: &str) -> Result<&Project, Refusal> {
        let project = self.project(id)?;
        if project.archived_at.is_some() {
            return Err(Refusal::bad("project_id", "The project is archived."));
        }
        Ok(project)
    }

    /// A project that is not archived, to be changed.
    pub(super) fn active_project_mut(&mut self, id: &str) -> Result<&mut Project, Refusal> {
        self.active_project(id)?;
        self.projects.iter_mut().find(|it| it.id == id).ok_or_else(|| Refusal::missing("project", id))
    }

    /// A new project with what comes with it: built-in roles, rate limits, and the organization's owners.
    pub(super) fn found_project(&mut self, mut project: Project) {
        let id = project.id.clone();
        project.rate_limits = rate_limits::of_new_project();
        self.projects.push(project);
        self.add_built_in_roles(Some(&id));
        let owners: Vec<String> = self.users.iter().filter(|it| self.is_owner(&it.id)).map(|it| it.id.clone()).collect();
        for owner in owners {
            self.join(&id, &owner, "owner");
        }
    }
}

pub(super) fn list(state: &Openai, ask: &Ask) -> Reply {
    let paging = Paging::TWENTY;
    let query = ask.query(&[paging.names(), vec!["include_archived"]].concat())?;
    let archived = query.flag("include_archived")?;
    let shown = state.projects.iter().filter(|it| archived || it.archived_at.is_none());
    let rows = shown.map(|it| Row { place: state.place_of(&it.id).unwrap_or_default(), id: it.id.clone(), view: it.view() }).collect();
    state.page_by_id(&query, paging, "", rows)
}

pub(super) fn create(state: &mut Openai, ask: &Ask) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        #[serde(default)]
        residency: Field<String>,
        #[serde(default)]
        external_key_id: Field<String>,
        #[serde(default)]
        geography: Field<String>,
    }
    let body: Body = ask.body()?;
    text_of("name", &body.name, 255)?;
    let (residency, geography) = (body.residency.value(), body.geography.value());
    if residency.is_some() && geography.is_some() {
        return Err(Refusal::bad("geography", "Only one of 'residency' and 'geography' can be given."));
    }
    let residency = residency.unwrap_or_else(|| "GLOBAL".to_owned());
    if !RESIDENCIES.contains(&residency.as_str()) {
        return Err(Refusal::bad("residency", format!("Invalid value: '{residency}'.")));
    }
    let id = state.new_id("proj_");
    let external_key_id = body.external_key_id.value();
    let project = Project { id: id.clone(), name: body.name, created_at: now(), external_key_id, residency, ..Project::default() };
    let view = project.view();
    state.note(ask, "project.created", Some(&id), json!({ "id": id, "data": { "name": project.name, "title": project.name } }));
    state.found_project(project);
    Ok(view)
}

pub(super) fn retrieve(state: &Openai, id: &str) -> Reply {
    state.project(id).map(Project::view)
}

pub(super) fn update(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        name: Field<String>,
        #[serde(default)]
        external_key_id: Field<String>,
        #[serde(default, rename = "geography")]
        _geography: Field<String>,
    }
    let body: Body = ask.body()?;
    let project = state.active_project_mut(id)?;
    if project.is_default {
        return Err(Refusal::bad("project_id", "The default project cannot be modified."));
    }
    if let Some(name) = body.name.value() {
        text_of("name", &name, 255)?;
        project.name = name;
    }
    project.external_key_id = body.external_key_id.replace(project.external_key_id.take());
    let view = project.view();
    state.note(ask, "project.updated", Some(id), json!({ "id": id, "changes_requested": { "title": view["name"] } }));
    Ok(view)
}

pub(super) fn archive(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    ask.no_body()?;
    let project = state.project(id)?;
    if project.is_default {
        return Err(Refusal::bad("project_id", "The default project cannot be archived."));
    }
    if project.archived_at.is_some() {
        return Ok(project.view());
    }
    let project = state.active_project_mut(id)?;
    project.archived_at = Some(now());
    project.members.clear();
    project.service_accounts.clear();
    let view = project.view();
    let gone: BTreeSet<String> = state.roles.iter().filter(|it| it.project_id.as_deref() == Some(id)).map(|it| it.id.clone()).collect();
    state.assignments.retain(|it| !gone.contains(&it.role_id));
    state.note(ask, "project.archived", Some(id), json!({ "id": id }));
    Ok(view)
}
