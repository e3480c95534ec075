//! Roles of the organization and of projects, built in and made.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    reply::{Refusal, Reply},
    request::{Ask, Field, text_of},
    state::now,
};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Role {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) permissions: Vec<String>,
    /// `None`: a role of the organization.
    pub(super) project_id: Option<String>,
    pub(super) predefined: bool,
    pub(super) created_at: Option<i64>,
    pub(super) updated_at: Option<i64>,
    pub(super) created_by: Option<String>,
}

/// Name and permissions of the roles that every organization has.
const OF_ORGANIZATION: [(&str, &[&str]); 2] = [
    ("owner", &["api.organization.projects.write", "api.organization.projects.api_keys.write", "api.groups.write", "api.roles.write"]),
    ("reader", &["api.organization.projects.read", "api.groups.read"]),
];
/// Name and permissions of the roles that every project has.
const OF_PROJECT: [(&str, &[&str]); 3] = [
    ("owner", &["api.organization.projects.api_keys.write", "api.organization.projects.api_keys.read", "api.model.request"]),
    ("member", &["api.model.request", "api.organization.projects.api_keys.read"]),
    ("viewer", &["api.model.read"]),
];

impl Role {
    pub(super) fn resource_type(&self) -> &'static str {
        if self.project_id.is_some() { "api.project" } else { "api.organization" }
    }

    pub(super) fn view(&self) -> Value {
        json!({
            "object": "role",
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "permissions": self.permissions,
            "resource_type": self.resource_type(),
            "predefined_role": self.predefined,
        })
    }
}

impl Openai {
    /// The full id of a built-in role.
    pub(super) fn built_in_role(&self, project_id: Option<&str>, name: &str) -> String {
        match project_id {
            Some(id) => format!("role-api-project-{name}__api-project__{id}"),
            None => format!("role-api-organization-{name}__api-organization__{}", self.organization_id),
        }
    }

    /// A role of this scope; for a built-in one, the id without its tail will do.
    pub(super) fn role_in(&self, project_id: Option<&str>, id: &str) -> Result<&Role, Refusal> {
        let here = |it: &&Role| it.project_id.as_deref() == project_id;
        let meant = |it: &&Role| it.id == id || (it.predefined && it.id.split("__").next() == Some(id));
        self.roles.iter().filter(here).find(meant).ok_or_else(|| Refusal::missing("role", id))
    }

    pub(super) fn add_built_in_roles(&mut self, project_id: Option<&str>) {
        let names: &[(&str, &[&str])] = if project_id.is_some() { &OF_PROJECT } else { &OF_ORGANIZATION };
        for (name, permissions) in names {
            let id = self.built_in_role(project_id, name);
            self.place(id.clone());
            self.roles.push(Role {
                id,
                name: (*name).to_owned(),
                permissions: permissions.iter().map(|it| (*it).to_owned()).collect(),
                project_id: project_id.map(str::to_owned),
                predefined: true,
                ..Role::default()
            });
        }
    }

    fn known_scope(&self, project_id: Option<&str>) -> Result<(), Refusal> {
        project_id.map_or(Ok(()), |it| self.active_project(it).map(|_| ()))
    }

    fn name_is_free(&self, project_id: Option<&str>, name: &str, but: Option<&str>) -> Result<(), Refusal> {
        text_of("role_name", name, 255)?;
        let same = |it: &Role| it.project_id.as_deref() == project_id && it.name == name && Some(it.id.as_str()) != but;
        if self.roles.iter().any(same) {
            return Err(Refusal::conflict("role_name", format!("A role named '{name}' already exists.")));
        }
        Ok(())
    }

    /// A role that somebody made, and so may change.
    fn own_role(&self, project_id: Option<&str>, id: &str) -> Result<&Role, Refusal> {
        let role = self.role_in(project_id, id)?;
        if role.predefined {
            return Err(Refusal::denied("Built-in roles cannot be changed."));
        }
        Ok(role)
    }
}

pub(super) fn list(state: &Openai, ask: &Ask, project_id: Option<&str>) -> Reply {
    let paging = Paging::THOUSAND;
    let query = ask.query(&paging.names())?;
    state.known_scope(project_id)?;
    let here = state.roles.iter().filter(|it| it.project_id.as_deref() == project_id);
    let rows = here.map(|it| Row { place: state.place_of(&it.id).unwrap_or_default(), id: it.id.clone(), view: it.view() });
    state.page_by_next(&query, paging, rows.collect())
}

pub(super) fn create(state: &mut Openai, ask: &Ask, project_id: Option<&str>) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        role_name: String,
        permissions: Vec<String>,
        #[serde(default)]
        description: Field<String>,
    }
    let body: Body = ask.body()?;
    state.known_scope(project_id)?;
    state.name_is_free(project_id, &body.role_name, None)?;
    let role = Role {
        id: state.new_id("role_"),
        name: body.role_name,
        description: body.description.value(),
        permissions: body.permissions,
        project_id: project_id.map(str::to_owned),
        predefined: false,
        created_at: Some(now()),
        updated_at: Some(now()),
        created_by: Some(ask.caller.user_id.clone()),
    };
    let view = role.view();
    let resource_id = project_id.unwrap_or(&state.organization_id);
    let data = json!({ "id": role.id, "role_name": role.name, "permissions": role.permissions, "resource_type": role.resource_type(), "resource_id": resource_id });
    state.note(ask, "role.created", project_id, data);
    state.roles.push(role);
    Ok(view)
}

pub(super) fn retrieve(state: &Openai, project_id: Option<&str>, id: &str) -> Reply {
    state.known_scope(project_id)?;
    state.role_in(project_id, id).map(Role::view)
}

pub(super) fn update(state: &mut Openai, ask: &Ask, project_id: Option<&str>, id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        role_name: Field<String>,
        #[serde(default)]
        permissions: Field<Vec<String>>,
        #[serde(default)]
        description: Field<String>,
    }
    let body: Body = ask.body()?;
    state.known_scope(project_id)?;
    let mut role = state.own_role(project_id, id)?.clone();
    let former = role.permissions.clone();
    if let Some(name) = body.role_name.value() {
        state.name_is_free(project_id, &name, Some(id))?;
        role.name = name;
    }
    if let Some(permissions) = body.permissions.value() {
        role.permissions = permissions;
    }
    role.description = body.description.replace(role.description);
    role.updated_at = Some(now());
    let view = role.view();
    let not_in = |list: &[String], other: &[String]| list.iter().filter(|it| !other.contains(it)).cloned().collect::<Vec<_>>();
    let changes = json!({
        "role_name": role.name,
        "description": role.description,
        "permissions_added": not_in(&role.permissions, &former),
        "permissions_removed": not_in(&former, &role.permissions),
    });
    state.note(ask, "role.updated", project_id, json!({ "id": id, "changes_requested": changes }));
    if let Some(kept) = state.roles.iter_mut().find(|it| it.id == role.id) {
        *kept = role;
    }
    Ok(view)
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, project_id: Option<&str>, id: &str) -> Reply {
    state.known_scope(project_id)?;
    let id = state.own_role(project_id, id)?.id.clone();
    state.roles.retain(|it| it.id != id);
    state.assignments.retain(|it| it.role_id != id);
    state.note(ask, "role.deleted", project_id, json!({ "id": id }));
    Ok(json!({ "object": "role.deleted", "id": id, "deleted": true }))
}
