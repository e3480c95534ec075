//! Projects.

use serde_json::{Value, json};

use super::{
    Session, TokenKind, access, api_keys,
    power::{addressed, administrator, held, holder},
    resolve::FoundProject,
    usage_limits::{self, Extent},
    wire::{WireProject, list as items, read},
};
use crate::{
    domain::{
        Counted, Description, Facts, Inverse, List, Losing, Name, PageRequest, ProjectRef, ReferenceText as _, Target, Thing,
        access::{Grant, Holder, Named, Place},
        fold,
        projects::{Project, ProjectStatus},
        roles::RoleLevel,
    },
    error::ProviderError,
    guard::Permit,
    providers::{
        census::{counted, looks_into},
        http::{Draft, Sent, cut, walk},
    },
    tools::projects::{CreateProject, DeleteProject, GetProject, ListProjects, ProjectField, UpdateProject},
};

/// `GET /v1/organization/projects`.
pub(super) async fn list(at: &Session, op: &ListProjects) -> Result<List<Project>, ProviderError> {
    if op.organization.is_some() || at.settings.remote.pin.is_some() {
        at.organization(op.organization.as_ref()).await?;
    }
    let full = looks_into(op);
    let answer = at.get("/v1/organization/projects").query("detail", if full { "full" } else { "summary" }).value().await?;
    let mut projects: Vec<WireProject> = read(at, &items(&answer, "projects", &[]))?;
    projects.retain(|it| op.query.as_ref().is_none_or(|query| query.is_in(&it.project_name)));
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    if looks_into(op) {
        let look = |it: WireProject| async move {
            let place = FoundProject::of(&it);
            let whole = view(it);
            Ok(match access::of_members(at, &place).await {
                Ok(held) => counted(op, whole, &place.place(), &held).into_iter().collect(),
                Err(ProviderError::Remote(error)) if error.code == "forbidden" => {
                    if op.owner.is_none() && op.owners.is_none() {
                        vec![whole]
                    } else {
                        Vec::new()
                    }
                }
                Err(other) => return Err(other),
            })
        };
        let keys = (|it: &WireProject| format!("{} {}", fold(&it.project_name), it.project_id), |it: &Project| it.id.clone());
        return walk(projects, &page, access::AT_MOST, keys, look).await;
    }
    let page = cut(projects, &page, |it| format!("{} {}", fold(&it.project_name), it.project_id))?;
    Ok(page.map(|it| Project { description: None, ..view(it) }))
}

/// `GET /v1/organization/project/{id}`.
pub(super) async fn get(at: &Session, op: &GetProject) -> Result<Project, ProviderError> {
    let named = op.project.text();
    // What is an id by its looks is asked for at once; should it be a name, the list tells.
    if uuid::Uuid::try_parse(named).is_ok() {
        match whole(at, named).await {
            Err(ProviderError::Remote(error)) if error.code == "not_found" => {}
            other => {
                let found = other?;
                at.within_pin(found.organization_id.as_deref(), found.organization_name.as_deref())?;
                return Ok(view(found));
            }
        }
    }
    let project = at.project(&op.project).await?;
    Ok(view(whole(at, &project.id).await?))
}

async fn whole(at: &Session, id: &str) -> Result<WireProject, ProviderError> {
    read(at, &flat(at.get("/v1/organization/project/{id}").path("id", id).value().await?.as_ref().clone()))
}

/// `POST /v1/organization/project`.
pub(super) async fn create(at: &Session, op: &CreateProject) -> Result<Draft<Project>, ProviderError> {
    let name = usable(&op.name)?;
    let Some(email) = &op.admin_email else {
        return Err(ProviderError::invalid("`admin_email` is missing", "give the e-mail of who will administer the project"));
    };
    let limit = op.usage_limit.as_ref().map(|it| usage_limits::checked(it, true)).transpose()?;
    if op.organization.is_some() || at.settings.remote.pin.is_some() {
        at.organization(op.organization.as_ref()).await?;
    }
    let projects = at.projects().await?;
    is_free(&projects, &name, None)?;
    let organization = projects.iter().find_map(|it| it.organization_name.clone());
    let who = addressed(email.as_str());
    let about = access::in_power(at, None, &who).await?;
    let place = Place::Project { project: Named::new(&name, ""), organization: Named::new(&about.organization, "") };
    let mut facts = Facts::none().gives(Grant::own(who, administrator(RoleLevel::Project), place)).about(about).undo("delete_project");
    if let Some(limit) = &op.usage_limit {
        facts = facts.note(format!("its use stops at {} {:?}", limit.hard_limit, limit.usage_unit));
    }
    let mut body = json!({ "name": name, "administratorUserEmail": email });
    if let (Some(fields), Some(description)) = (body.as_object_mut(), &op.description) {
        fields.insert("description".to_owned(), json!(description));
    }
    if let (Some(fields), Some(limit)) = (body.as_object_mut(), limit) {
        fields.insert("usageLimit".to_owned(), limit);
    }
    let target = Target { organization, ..Target::new_one("project", &name, "") };
    let (session, told) = (at.clone(), target.clone());
    let send = {
        let (session, told) = (session.clone(), told.clone());
        move |permit: Permit| async move {
            let reply = session.post("/v1/organization/project").json(body).send(&permit).await?;
            Ok(made(reply.read::<Value>("get_project shows whether it exists").and_then(|it| read(&session, &flat(it)))?, told))
        }
    };
    Ok(Draft::new(target, facts, send).read_back(move || {
        let (session, told, name) = (session.afresh(), told.clone(), name.clone());
        async move { Ok(session.projects().await?.iter().find(|it| it.project_name == name).map(|it| made(it.clone(), told))) }
    }))
}

fn made(project: WireProject, target: Target) -> Sent<Project> {
    let id = project.project_id.clone();
    let back = Inverse::of(&DeleteProject { project: ProjectRef::read(&id) });
    Sent::after(view(project)).target(Target { id: Some(id), ..target }).inverse(back)
}

/// `PUT /v1/organization/project/{id}`. The name goes with every change, a description only where one is given.
pub(super) async fn update(at: &Session, op: &UpdateProject) -> Result<Draft<Project>, ProviderError> {
    let clears = op.clear.contains(&ProjectField::Description);
    if op.clear.contains(&ProjectField::ExternalKeyId) {
        return Err(ProviderError::invalid("`external_key_id` cannot be cleared: this provider has none", "leave it out of `clear`"));
    }
    if op.name.is_none() && op.description.is_none() && !clears {
        return Err(ProviderError::invalid("nothing to change is given", "give `name`, `description` or `clear`"));
    }
    if op.description.is_some() && clears {
        return Err(ProviderError::invalid("`description` is given and cleared", "give it, or name it in `clear`"));
    }
    let project = at.project(&op.project).await?;
    let name = op.name.as_ref().map_or_else(|| Ok(project.name.clone()), usable)?;
    if op.name.is_some() {
        is_free(&at.projects().await?, &name, Some(&project.id))?;
    }
    let description = if clears { Some(String::new()) } else { op.description.as_ref().map(ToString::to_string) };
    let mut body = json!({ "name": name });
    if let (Some(fields), Some(description)) = (body.as_object_mut(), &description) {
        fields.insert("description".to_owned(), json!(description));
    }
    let before = of_place(&project);
    let after = Project {
        project: name.clone(),
        description: description.clone().or_else(|| project.description.clone()).filter(|it| !it.is_empty()),
        ..before.clone()
    };
    let facts = Facts::none().undo("update_project with the values in `before`");
    Ok(Draft::of(target(&project), facts)
        .before(before)
        .sends(at.put("/v1/organization/project/{id}").path("id", &project.id).json(body))
        .leaves(after)
        .undone_by([undoing(op, &project)])
        .found_by(at, move |at| async move {
            let now = whole(&at, &project.id).await?;
            Ok(now.project_name == name && description.is_none_or(|it| now.project_description.unwrap_or_default() == it))
        }))
}

/// What gives a project its name and description back.
fn undoing(op: &UpdateProject, project: &FoundProject) -> Inverse {
    let changes = op.description.is_some() || op.clear.contains(&ProjectField::Description);
    let old = project.description.clone().filter(|it| changes && !it.is_empty());
    Inverse::of(&UpdateProject {
        project: project.reference(),
        name: op.name.as_ref().map(|_| Name::read(&project.name)),
        clear: if changes && old.is_none() { vec![ProjectField::Description] } else { Vec::new() },
        description: old.map(Description::read),
        slug: None,
        external_key_id: None,
    })
}

/// `DELETE /v1/organization/project/{id}`.
pub(super) async fn delete(at: &Session, op: &DeleteProject) -> Result<Draft<Project>, ProviderError> {
    let project = at.project(&op.project).await?;
    let members = at.members(&project).await?;
    let (domains, people): (Vec<_>, Vec<_>) = members.iter().partition(|it| matches!(holder(it), Holder::Everybody(_)));
    let people: Vec<String> = people.into_iter().map(super::wire::WireMember::label).collect();
    let keys: Vec<String> = api_keys::of_project(at, &project).await?.into_iter().filter(api_keys::is_active).map(|it| it.name).collect();
    let limits = usage_limits::in_force(at, &Extent::of(at, Some(&project)).await?).await?;
    let mut facts = Facts::none()
        .ends(Thing::Project, Counted::one(&project.name))
        .lose(Losing::Access, people)
        .stops(Thing::Key, keys)
        .ends(Thing::UsageLimit, limits)
        .note("its assistants end with it")
        .about(access::totals(at).await?);
    for grant in domains.into_iter().flat_map(|it| held(it, RoleLevel::Project, &project.place())) {
        facts = facts.takes(grant, Vec::new(), Vec::new());
    }
    if at.settings.kind == TokenKind::OAuth && at.settings.project_id.as_ref() == Some(&project.id) {
        facts = facts.note("this connection works in its context and needs another `project_id` then");
    }
    Ok(Draft::of(target(&project), facts)
        .before(of_place(&project))
        .sends(at.delete("/v1/organization/project/{id}").path("id", &project.id))
        .ends()
        .found_by(at, move |at| async move { Ok(!at.projects().await?.iter().any(|it| it.project_id == project.id)) }))
}

/// A project's answer: flat, or below `project`.
fn flat(answer: Value) -> Value {
    match answer.get("project") {
        Some(inner @ Value::Object(_)) => inner.clone(),
        _ => answer,
    }
}

/// A name as the service takes it.
fn usable(name: &Name) -> Result<String, ProviderError> {
    let name = name.as_str();
    if name.chars().all(|it| it.is_alphanumeric() || matches!(it, ' ' | '_' | '-')) {
        return Ok(name.to_owned());
    }
    Err(ProviderError::invalid(format!("`{name}` is not a name that this provider takes"), "use letters, digits, spaces, `_` and `-`"))
}

fn is_free(projects: &[WireProject], name: &str, own: Option<&str>) -> Result<(), ProviderError> {
    let taken = |it: &&WireProject| Some(it.project_id.as_str()) != own && fold(&it.project_name) == fold(name);
    match projects.iter().find(taken) {
        None => Ok(()),
        Some(_) => Err(ProviderError::conflict("name_taken", format!("a project is called `{name}` already"), "choose another name")),
    }
}

fn target(project: &FoundProject) -> Target {
    let organization = project.organization.clone();
    Target { organization, ..Target::new("project", &project.name, &project.id, "") }
}

fn of_place(project: &FoundProject) -> Project {
    Project { description: project.description.clone(), ..named(&project.name, &project.id, project.organization.clone()) }
}

fn named(name: &str, id: &str, organization: Option<String>) -> Project {
    Project { project: name.to_owned(), id: id.to_owned(), organization, ..Project::default() }
}

fn view(it: WireProject) -> Project {
    let status = match (it.project_active, it.project_status) {
        (Some(false), _) | (_, Some(2)) => Some(ProjectStatus::Archived),
        (None, None) => None,
        _ => Some(ProjectStatus::Active),
    };
    Project {
        status,
        description: it.project_description.filter(|it| !it.is_empty()),
        api_keys: it.tokens.map(|it| it.len() as u64),
        ..named(&it.project_name, &it.project_id, it.organization_name)
    }
}
