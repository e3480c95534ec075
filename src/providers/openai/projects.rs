//! Projects: made, changed and archived; the service deletes none.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Session, api_keys, errors::within, held, lists, service_accounts, time};
use crate::{
    domain::{
        Counted, Facts, Inverse, List, Losing, Name, PageRequest, ProjectRef, Surroundings, Target, Thing,
        access::Holder,
        fold,
        projects::{Project, ProjectStatus},
    },
    error::ProviderError,
    providers::{
        already_archived,
        census::{counted, looks_into},
        http::{Draft, Sent, cut, walk},
        meant::{is_called, the_same},
    },
    tools::projects::{ArchiveProject, CreateProject, GetProject, ListProjects, ProjectField, UpdateProject},
};

/// Only id and creation are certain.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireProject {
    pub(super) id: String,
    name: Option<String>,
    #[serde(default)]
    created_at: Option<i64>,
    archived_at: Option<i64>,
    status: Option<String>,
    external_key_id: Option<String>,
    residency: Option<String>,
}

impl WireProject {
    /// Its name; where it has none, its id.
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    pub(super) fn is_archived(&self) -> bool {
        self.archived_at.is_some() || self.status.as_deref() == Some("archived")
    }

    pub(super) fn view(&self) -> Project {
        Project {
            project: self.name().to_owned(),
            id: self.id.clone(),
            status: Some(if self.is_archived() { ProjectStatus::Archived } else { ProjectStatus::Active }),
            residency: self.residency.clone(),
            external_key_id: self.external_key_id.clone(),
            created_at: self.created_at.map(time),
            archived_at: self.archived_at.map(time),
            ..Project::default()
        }
    }

    fn target(&self, at: &Session) -> Target {
        at.target("project", self.name(), &self.id)
    }
}

/// `GET /organization/projects?limit=1`: whether the key opens anything.
pub(super) async fn any(at: &Session) -> Result<(), ProviderError> {
    at.get("/organization/projects").query("limit", 1).value().await.map(|_| ())
}

/// All projects, archived ones too: one list serves every look-up.
pub(super) async fn all(at: &Session) -> Result<Vec<WireProject>, ProviderError> {
    Ok(known(at).await?.to_vec())
}

/// The same, for whoever looks one up in them row after row.
pub(super) async fn known(at: &Session) -> Result<Arc<Vec<WireProject>>, ProviderError> {
    lists::known(at, lists::BY_ID, |at| at.get("/organization/projects").query("include_archived", true)).await
}

pub(super) async fn retrieve(at: &Session, id: &str) -> Result<WireProject, ProviderError> {
    the_same(at.get("/organization/projects/{project_id}").path("project_id", id).send().await?, id, |it: &WireProject| &it.id)
}

/// `GET /organization/projects`
pub(super) async fn list(at: &Session, op: &ListProjects) -> Result<List<Project>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let archived = op.include_archived.unwrap_or_default();
    if looks_into(op) {
        return in_full(at, op, &page).await;
    }
    if let Some(query) = &op.query {
        let meant = |it: &WireProject| (archived || !it.is_archived()) && query.is_in(it.name());
        let found = all(at).await?.into_iter().filter(meant).map(|it| it.view()).collect();
        return cut(found, &page, |it: &Project| format!("{} {}", fold(&it.project), it.id));
    }
    let request = at.get("/organization/projects").maybe("include_archived", archived.then_some(true));
    lists::page_of(request, &page, |it: &WireProject| archived || !it.is_archived(), |it: WireProject| it.view()).await
}

/// So many projects are looked into for a page: who is in each, and its keys, takes four requests and more.
const LOOKED_INTO: usize = 16;

/// Projects with their owners, people and keys. People of teams count too, as far as its teams are looked into.
async fn in_full(at: &Session, op: &ListProjects, page: &PageRequest) -> Result<List<Project>, ProviderError> {
    let archived = op.include_archived.unwrap_or_default();
    let mut projects = all(at).await?;
    projects.retain(|it| (archived || !it.is_archived()) && op.query.as_ref().is_none_or(|query| query.is_in(it.name())));
    let look = |it: WireProject| async move {
        let held = within(held::of_project(at, &it).await)?;
        let keys = within(api_keys::all(at, &it.id).await)?.map(|it| it.len() as u64);
        let view = Project { api_keys: keys, ..it.view() };
        Ok(match held {
            Some(held) => counted(op, view, &held::place(at, Some(&it)), &held.list).into_iter().collect(),
            None if op.owner.is_none() && op.owners.is_none() => vec![view],
            None => Vec::new(),
        })
    };
    let keys = (|it: &WireProject| format!("{} {}", fold(it.name()), it.id), |it: &Project| it.id.clone());
    walk(projects, page, LOOKED_INTO, keys, look).await
}

/// `GET /organization/projects/{project_id}`
pub(super) async fn get(at: &Session, op: &GetProject) -> Result<Project, ProviderError> {
    let project = at.project(&op.project).await?;
    Ok(retrieve(at, &project.id).await?.view())
}

/// `POST /organization/projects`. A lost answer must not be followed by a second project.
pub(super) async fn create(at: &Session, op: &CreateProject) -> Result<Draft<Project>, ProviderError> {
    let known = all(at).await?;
    let mut facts = Facts::none();
    if let Some(same) = known.iter().find(|it| !it.is_archived() && is_called(it.name(), op.name.as_str())) {
        // The service takes a second one, which a person may not want: by its name neither is found any more.
        facts = facts.unseen(format!("there is a project called {} already [{}]; then only their ids tell them apart", op.name, same.id));
    }
    let mut body = Map::new();
    body.insert("name".to_owned(), op.name.as_str().into());
    for (field, value) in [("residency", &op.residency), ("external_key_id", &op.external_key_id)] {
        if let Some(value) = value {
            body.insert(field.to_owned(), value.as_str().into());
        }
    }
    let request = at.post("/organization/projects").json(body.into());
    let (by, name) = (at.clone(), op.name.clone());
    let known: Vec<String> = known.into_iter().map(|it| it.id).collect();
    Ok(Draft::of(at.new_target("project", op.name.as_str()), facts)
        .sends(request)
        .shows("look with list_projects whether it is there", move |it: WireProject| made(&by, &it))
        .found_by(
            at,
            move |at| async move { Ok(all(&at).await?.into_iter().find(|it| it.name() == name.as_str() && !known.contains(&it.id))) },
        ))
}

/// A project that was just made; archiving it is the way back.
fn made(at: &Session, project: &WireProject) -> Sent<Project> {
    let back = Inverse::of(&ArchiveProject { project: ProjectRef::read(&project.id) });
    Sent::after(project.view()).target(project.target(at)).undo("archive_project").inverse(back)
}

/// `POST /organization/projects/{project_id}`: what is left out stays, null empties.
pub(super) async fn update(at: &Session, op: &UpdateProject) -> Result<Draft<Project>, ProviderError> {
    let clears_key = op.clear.contains(&ProjectField::ExternalKeyId);
    if op.clear.contains(&ProjectField::Description) {
        return Err(ProviderError::invalid("projects have no description here", "take `description` out of `clear`"));
    }
    if op.external_key_id.is_some() && clears_key {
        return Err(ProviderError::invalid("`external_key_id` is given and cleared", "give it, or name it in `clear`"));
    }
    let mut body = Map::new();
    if let Some(name) = &op.name {
        body.insert("name".to_owned(), name.as_str().into());
    }
    if let Some(key) = &op.external_key_id {
        body.insert("external_key_id".to_owned(), key.as_str().into());
    }
    if clears_key {
        body.insert("external_key_id".to_owned(), Value::Null);
    }
    if body.is_empty() {
        return Err(ProviderError::invalid("nothing to change is given", "give `name`, `external_key_id` or `clear`"));
    }
    let project = at.active_project(&op.project).await?;
    let request = at.post("/organization/projects/{project_id}").path("project_id", &project.id).json(Value::Object(body.clone()));
    let mut facts = Facts::none().about(held::called(at)).undo("update_project with the values in `before`");
    if op.external_key_id.is_some() || clears_key {
        facts = facts.rekeys("external_key_id", project.external_key_id.clone(), op.external_key_id.clone());
    }
    Ok(Draft::of(project.target(at), facts)
        .before(project.view())
        .sends(request)
        .shows("look with get_project", |it: WireProject| it.view())
        .undone_by(way_back(op, &project))
        .found_by(at, move |at| async move {
            let now = retrieve(&at, &project.id).await?;
            let has = |field: &str, value: Option<&str>| body.get(field).is_none_or(|it| it.as_str() == value);
            let took = has("name", now.name.as_deref()) && has("external_key_id", now.external_key_id.as_deref());
            Ok(took.then_some(now))
        }))
}

/// The update that puts back what was there.
fn way_back(op: &UpdateProject, before: &WireProject) -> Option<Inverse> {
    let name = match (&op.name, &before.name) {
        (Some(_), Some(name)) => Some(Name::read(name)),
        (Some(_), None) => return None,
        (None, _) => None,
    };
    let keyed = op.external_key_id.is_some() || !op.clear.is_empty();
    let external_key_id = before.external_key_id.clone().filter(|_| keyed);
    let clear = if keyed && external_key_id.is_none() { vec![ProjectField::ExternalKeyId] } else { Vec::new() };
    let project = ProjectRef::read(&before.id);
    Some(Inverse::of(&UpdateProject { project, name, description: None, slug: None, external_key_id, clear }))
}

/// `POST /organization/projects/{project_id}/archive`, without a body. The default project is refused by the service: nothing
/// tells which one it is.
pub(super) async fn archive(at: &Session, op: &ArchiveProject) -> Result<Draft<Project>, ProviderError> {
    let project = at.project(&op.project).await?;
    if project.is_archived() {
        return Err(already_archived(project.name()));
    }
    let within = held::of_project(at, &project).await?;
    let mut people: Vec<&Holder> = Vec::new();
    for it in within.list.iter().map(|it| &it.holder).filter(|it| it.is_people()) {
        if !people.iter().any(|known| known.is_same(it)) {
            people.push(it);
        }
    }
    let accounts = service_accounts::all(at, &project.id).await?;
    let keys = api_keys::all(at, &project.id).await?;
    let active = all(at).await?.iter().filter(|it| !it.is_archived()).count();
    let facts = Facts::none()
        .ends(Thing::Project, Counted::one(project.name()))
        .lose(Losing::Access, people.iter().map(|it| it.label().to_owned()).collect::<Vec<_>>())
        .ends(Thing::ServiceAccount, accounts.iter().map(|it| it.name.clone()).collect::<Vec<_>>())
        .stops(Thing::Key, keys.iter().filter(|it| !it.has_ended()).map(|it| it.label().to_owned()).collect::<Vec<_>>())
        .note("it cannot be made active again")
        .about(Surroundings { projects: Some(active as u64), ..held::called(at) });
    let facts = within.unseen.into_iter().fold(facts, Facts::unseen);
    let request = at.post("/organization/projects/{project_id}/archive").path("project_id", &project.id);
    Ok(Draft::of(project.target(at), facts)
        .before(project.view())
        .sends(request)
        .shows("look with get_project", |it: WireProject| it.view())
        .found_by(at, move |at| async move {
            let now = retrieve(&at, &project.id).await?;
            Ok(now.is_archived().then_some(now))
        }))
}
