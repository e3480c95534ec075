//! Roles of the organization (`/organization/roles`) and of projects (`/projects/{project_id}/roles`).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Session, errors::found, held, lists, power, projects::WireProject, reach};
use crate::{
    domain::{
        Counted, Description, Facts, Inverse, List, Name, PageRequest, ProjectRef, RoleRef, Target, Thing, fold,
        roles::{Role, RoleLevel},
    },
    error::ProviderError,
    providers::{
        http::{Draft, Reading, Request, Sent, Writing},
        meant::{has_id, is_called},
        role_types,
    },
    tools::roles::{CreateRole, DeleteRole, GetRole, ListRoles, RoleField, UpdateRole},
};

/// The built-in roles of an organization.
pub(super) const OF_ORGANIZATION: [&str; 2] = ["owner", "reader"];

/// What the ids of built-in roles begin with.
const PREFIXES: [&str; 2] = ["role-api-organization-", "role-api-project-"];

/// A built-in role as somebody may write it, by its id or as services name it for people, in its short form: `viewer` for
/// `Project Viewer`. Any other text stays as it is, folded.
pub(super) fn short_of(text: &str) -> String {
    let text = fold(text);
    let head = text.split("__").next().unwrap_or_default();
    let short = PREFIXES.into_iter().chain(["organization ", "project "]).find_map(|it| head.strip_prefix(it));
    short.map_or_else(|| text.clone(), str::to_owned)
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireRole {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) permissions: Option<Vec<String>>,
    #[serde(default)]
    pub(super) predefined_role: bool,
}

impl WireRole {
    /// Whether it is the built-in role of this name. The ids of those have a tail that the short form, which is understood
    /// too, has not; and some services name them for people, as `Project Viewer`.
    pub(super) fn is_called(&self, wanted: &str) -> bool {
        self.is_built_in() && (is_called(self.name.as_str(), wanted) || is_called(self.short(), wanted) || has_id(self.head(), wanted))
    }

    /// Whether it came with the service. Nobody chooses the ids of roles, so that they tell it too.
    pub(super) fn is_built_in(&self) -> bool {
        self.predefined_role || self.id.starts_with("role-api-")
    }

    /// The name by which memberships name a built-in role: `viewer`, whatever it is called.
    pub(super) fn short(&self) -> Option<&str> {
        let by_id = || PREFIXES.iter().find_map(|it| self.head()?.strip_prefix(it));
        self.is_built_in().then(|| by_id().unwrap_or(&self.name))
    }

    /// The id without the tail that names the place.
    fn head(&self) -> Option<&str> {
        self.id.split("__").next()
    }

    pub(super) fn codes(&self) -> &[String] {
        self.permissions.as_deref().unwrap_or_default()
    }

    fn view(&self, project: Option<&WireProject>) -> Role {
        Role {
            role: self.name.clone(),
            id: self.id.clone(),
            level: Some(if project.is_some() { RoleLevel::Project } else { RoleLevel::Organization }),
            built_in: Some(self.is_built_in()),
            description: self.description.clone(),
            permissions: self.codes().to_vec(),
            organization: None,
            project: project.map(|it| it.name().to_owned()),
        }
    }
}

/// The roles of the organization, or of a project.
pub(super) async fn all(at: &Session, project_id: Option<&str>) -> Result<Vec<WireRole>, ProviderError> {
    Ok(known(at, project_id).await?.to_vec())
}

/// The same, for whoever looks one up in them row after row.
pub(super) async fn known(at: &Session, project_id: Option<&str>) -> Result<Arc<Vec<WireRole>>, ProviderError> {
    lists::known(at, lists::BY_NEXT, |at| collection(at, project_id)).await
}

/// Project roles do not lie below `/organization`.
fn collection(at: &Session, project_id: Option<&str>) -> Request<Reading> {
    match project_id {
        Some(id) => at.get("/projects/{project_id}/roles").path("project_id", id),
        None => at.get("/organization/roles"),
    }
}

fn making(at: &Session, project_id: Option<&str>) -> Request<Writing> {
    match project_id {
        Some(id) => at.post("/projects/{project_id}/roles").path("project_id", id),
        None => at.post("/organization/roles"),
    }
}

async fn retrieve(at: &Session, project_id: Option<&str>, id: &str) -> Result<WireRole, ProviderError> {
    let request = match project_id {
        Some(project) => at.get("/projects/{project_id}/roles/{role_id}").path("project_id", project),
        None => at.get("/organization/roles/{role_id}"),
    };
    request.path("role_id", id).send().await
}

/// The project whose roles are meant, or `None` for those of the organization.
async fn scope(at: &Session, named: Option<&ProjectRef>) -> Result<Option<WireProject>, ProviderError> {
    match named {
        Some(named) => at.active_project(named).await.map(Some),
        None => Ok(None),
    }
}

fn id_of(project: Option<&WireProject>) -> Option<&str> {
    project.map(|it| it.id.as_str())
}

fn within(target: Target, project: Option<&WireProject>) -> Target {
    match project {
        Some(it) => target.within("project", it.name(), &it.id),
        None => target,
    }
}

/// `GET …/roles`
pub(super) async fn list(at: &Session, op: &ListRoles) -> Result<List<Role>, ProviderError> {
    let project = scope(at, op.project.as_ref()).await?;
    let level = if project.is_some() { RoleLevel::Project } else { RoleLevel::Organization };
    if !role_types::wants(&op.role_types, level)? {
        return Ok(List::whole(Vec::new()));
    }
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    lists::page(collection(at, id_of(project.as_ref())), &page, |it: WireRole| it.view(project.as_ref())).await
}

/// `GET …/roles/{role_id}`
pub(super) async fn get(at: &Session, op: &GetRole) -> Result<Role, ProviderError> {
    let project = scope(at, op.project.as_ref()).await?;
    let role = at.role(&op.role, project.as_ref()).await?;
    let told = match retrieve(at, id_of(project.as_ref()), &role.id).await {
        // Not every deployment shows a built-in role alone; the list has just told it.
        Err(ProviderError::Remote(error)) if error.status == Some(404) && role.is_built_in() => role,
        told => told?,
    };
    Ok(told.view(project.as_ref()))
}

/// `POST …/roles`; names are unique where the role is.
pub(super) async fn create(at: &Session, op: &CreateRole) -> Result<Draft<Role>, ProviderError> {
    let project = scope(at, op.project.as_ref()).await?;
    is_free(at, project.as_ref(), &op.name, None).await?;
    let mut facts = Facts::none().about(held::called(at)).undo("delete_role");
    let power: Vec<&str> = op.permissions.iter().map(String::as_str).filter(|it| power::is_privileged(it)).collect();
    if !power.is_empty() {
        // Who that will be is not to be seen from here.
        facts = facts.unseen(format!("whoever is given it gets power over others: {}", power.join(", ")));
    }
    let mut body = json!({ "role_name": op.name.as_str(), "permissions": op.permissions });
    if let Some(description) = &op.description {
        body["description"] = description.as_str().into();
    }
    let request = making(at, id_of(project.as_ref())).json(body);
    let target = within(at.new_target("role", op.name.as_str()), project.as_ref());
    let (by, again, name) = (at.clone(), at.afresh(), op.name.clone());
    let place = project.clone();
    let draft = Draft::new(target, facts, move |permit| async move {
        let role: WireRole = request.send(&permit).await?.read("look with list_roles whether it is there")?;
        Ok(made(&by, &role, place.as_ref()))
    });
    Ok(draft.read_back(move || {
        let (at, name, project) = (again.afresh(), name.clone(), project.clone());
        async move {
            let found = all(&at, id_of(project.as_ref())).await?.into_iter().find(|it| it.name == name.as_str());
            Ok(found.map(|it| made(&at, &it, project.as_ref())))
        }
    }))
}

fn made(at: &Session, role: &WireRole, project: Option<&WireProject>) -> Sent<Role> {
    let back = Inverse::of(&DeleteRole { role: RoleRef::read(&role.id), project: reference(project) });
    Sent::after(role.view(project)).target(within(at.target("role", &role.name, &role.id), project)).inverse(back)
}

fn reference(project: Option<&WireProject>) -> Option<ProjectRef> {
    project.map(|it| ProjectRef::read(&it.id))
}

async fn is_free(at: &Session, project: Option<&WireProject>, name: &Name, but: Option<&str>) -> Result<(), ProviderError> {
    let all = all(at, id_of(project)).await?;
    if !all.iter().any(|it| fold(&it.name) == fold(name.as_str()) && Some(it.id.as_str()) != but) {
        return Ok(());
    }
    let message = format!("there is a role called `{name}` already");
    Err(ProviderError::conflict("name_taken", message, "choose another name, or change that role with update_role"))
}

/// The role that is named, if it was made by somebody.
async fn custom(at: &Session, named: &RoleRef, project: Option<&WireProject>) -> Result<WireRole, ProviderError> {
    let role = at.role(named, project).await?;
    if !role.is_built_in() {
        return Ok(role);
    }
    let message = format!("role `{}` is built in and cannot be changed", role.name);
    Err(ProviderError::conflict("built_in_role", message, "make one of your own with create_role"))
}

/// `POST …/roles/{role_id}`: permissions are replaced as a whole.
pub(super) async fn update(at: &Session, op: &UpdateRole) -> Result<Draft<Role>, ProviderError> {
    let clears = op.clear.contains(&RoleField::Description);
    if op.description.is_some() && clears {
        return Err(ProviderError::invalid("`description` is given and cleared", "give it, or name it in `clear`"));
    }
    let mut body = Map::new();
    if let Some(name) = &op.name {
        body.insert("role_name".to_owned(), name.as_str().into());
    }
    if let Some(permissions) = &op.permissions {
        body.insert("permissions".to_owned(), json!(permissions));
    }
    if let Some(description) = &op.description {
        body.insert("description".to_owned(), description.as_str().into());
    } else if clears {
        body.insert("description".to_owned(), Value::Null);
    }
    if body.is_empty() {
        return Err(ProviderError::invalid("nothing to change is given", "give `name`, `permissions`, `description` or `clear`"));
    }
    let project = scope(at, op.project.as_ref()).await?;
    let role = custom(at, &op.role, project.as_ref()).await?;
    if let Some(name) = &op.name {
        is_free(at, project.as_ref(), name, Some(&role.id)).await?;
    }
    let facts = change_of_power(at, &role, op.permissions.as_deref(), project.as_ref()).await?;
    let facts = facts.undo("update_role with the values in `before`");
    let request = match &project {
        Some(it) => at.post("/projects/{project_id}/roles/{role_id}").path("project_id", &it.id),
        None => at.post("/organization/roles/{role_id}"),
    };
    let request = request.path("role_id", &role.id).json(body.into());
    let target = within(at.target("role", &role.name, &role.id), project.as_ref());
    let back = way_back(op, &role, project.as_ref());
    let (before, again, id, wanted) = (role.view(project.as_ref()), at.afresh(), role.id.clone(), op.clone());
    let (place, undone) = (project.clone(), back.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let after: WireRole = request.send(&permit).await?.read("look with get_role")?;
        Ok(Sent::after(after.view(place.as_ref())).inverse(back))
    });
    Ok(draft.before(before).read_back(move || {
        let (at, id, op, project, back) = (again.afresh(), id.clone(), wanted.clone(), project.clone(), undone.clone());
        async move {
            let now = retrieve(&at, id_of(project.as_ref()), &id).await?;
            let took = op.name.as_ref().is_none_or(|it| it.as_str() == now.name)
                && op.permissions.as_ref().is_none_or(|it| same(it, now.codes()))
                && op.description.as_ref().is_none_or(|it| Some(it.as_str()) == now.description.as_deref())
                && (op.clear.is_empty() || now.description.is_none());
            Ok(took.then(|| Sent::after(now.view(project.as_ref())).inverse(back)))
        }
    }))
}

fn same(one: &[String], other: &[String]) -> bool {
    one.iter().all(|it| other.contains(it)) && other.iter().all(|it| one.contains(it))
}

/// What a role gains and loses, for everybody who holds it.
async fn change_of_power(
    at: &Session,
    role: &WireRole,
    permissions: Option<&[String]>,
    project: Option<&WireProject>,
) -> Result<Facts, ProviderError> {
    let Some(permissions) = permissions.filter(|it| !same(it, role.codes())) else { return Ok(Facts::none().about(held::called(at))) };
    let gained: Vec<&str> = permissions.iter().filter(|it| !role.codes().contains(it)).map(String::as_str).collect();
    let lost: Vec<&str> = role.codes().iter().filter(|it| !permissions.contains(it)).map(String::as_str).collect();
    let mut facts = Facts::none();
    let power = gained.iter().any(|it| power::is_privileged(it));
    if !gained.is_empty() {
        let gained = gained.join(", ");
        // Who is given it later is not to be seen from here.
        facts = if power {
            facts.unseen(format!("whoever holds it gains power over others: {gained}"))
        } else {
            facts.note(format!("whoever holds it gains: {gained}"))
        };
    }
    if !lost.is_empty() {
        facts = facts.note(format!("whoever holds it loses: {}", lost.join(", ")));
    }
    let after = power::of(&WireRole { permissions: Some(permissions.to_vec()), ..role.clone() }, held::level(project));
    let facts = reach::holders(at, role, project).await?.with(facts, &after, power);
    held::around(at, facts).await
}

fn way_back(op: &UpdateRole, before: &WireRole, project: Option<&WireProject>) -> Inverse {
    let name = op.name.as_ref().map(|_| Name::read(&before.name));
    let described = op.description.is_some() || !op.clear.is_empty();
    let description = before.description.as_ref().filter(|it| described && !it.trim().is_empty()).map(Description::read);
    let clear = if described && description.is_none() { vec![RoleField::Description] } else { Vec::new() };
    let permissions = op.permissions.as_ref().map(|_| before.codes().to_vec());
    Inverse::of(&UpdateRole { role: RoleRef::read(&before.id), name, permissions, description, project: reference(project), clear })
}

/// `DELETE …/roles/{role_id}`
pub(super) async fn delete(at: &Session, op: &DeleteRole) -> Result<Draft<Role>, ProviderError> {
    let project = scope(at, op.project.as_ref()).await?;
    let role = custom(at, &op.role, project.as_ref()).await?;
    let facts = Facts::none().ends(Thing::Role, Counted::one(&role.name));
    let facts = reach::holders(at, &role, project.as_ref()).await?.without(facts);
    let facts = facts.about(held::called(at)).undo("create_role with the values in `before`, then assign_role");
    let request = match &project {
        Some(it) => at.delete("/projects/{project_id}/roles/{role_id}").path("project_id", &it.id),
        None => at.delete("/organization/roles/{role_id}"),
    };
    let request = request.path("role_id", &role.id);
    let target = within(at.target("role", &role.name, &role.id), project.as_ref());
    let (before, again, id) = (role.view(project.as_ref()), at.afresh(), role.id.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        request.send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(before).read_back(move || {
        let (at, id, project) = (again.afresh(), id.clone(), project.clone());
        async move { Ok(found(retrieve(&at, id_of(project.as_ref()), &id).await)?.is_none().then(Sent::gone)) }
    }))
}
