//! Roles: the system's, and those that organizations made.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Kind, Reply, Seeme, SystemRoles, account::Caller, body::Body, permissions::well_formed, refusal::Refusal};
use crate::{Answer, Call};

/// What somebody can be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    pub id: String,
    pub created_at: String,
    pub updated_at: Option<String>,
    pub name: String,
    pub description: String,
    /// `None`: the system's, which nobody can change.
    pub organization_id: Option<String>,
    pub scope: String,
    pub slug: String,
    pub permissions: Vec<String>,
}

const FIELDS: [&str; 12] = [
    "id",
    "created_at",
    "updated_at",
    "name",
    "description",
    "organization_id",
    "scope",
    "slug",
    "permissions",
    "permission_list",
    "is_system",
    "is_system_role",
];

impl Role {
    fn replace(&mut self, body: &Body) -> Result<(), Refusal> {
        self.name = body.required("name")?;
        self.description = body.text("description")?.unwrap_or_default();
        self.scope = body.filled("scope")?.unwrap_or_else(|| "organization".to_owned());
        if !["organization", "team", "project"].contains(&self.scope.as_str()) {
            return Err(Refusal::invalid(format!("a role of one's own cannot have the scope `{}`", self.scope)));
        }
        let slug = self.name.to_lowercase().replace(|it: char| !it.is_ascii_alphanumeric(), "_");
        self.slug = body.filled("slug")?.unwrap_or(slug);
        let (permissions, list) = (body.texts("permissions")?, body.texts("permission_list")?);
        self.permissions = if permissions.is_empty() { list } else { permissions };
        match self.permissions.iter().find(|it| !well_formed(it)) {
            Some(wrong) => Err(Refusal::invalid(format!("`{wrong}` is not a permission"))),
            None => Ok(()),
        }
    }
}

impl Seeme {
    pub(super) fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|it| it.id == id)
    }

    pub(super) fn list_roles(&self, caller: &Caller) -> Reply {
        self.need(caller, None, "roles:list")?;
        let mine: Vec<_> = self.organizations_of(caller).into_iter().map(|it| Some(it.id.clone())).collect();
        Ok(self.roles_json(|it| it.organization_id.is_none() || mine.contains(&it.organization_id)))
    }

    pub(super) fn organization_roles(&self, caller: &Caller, organization: &str) -> Reply {
        let organization = self.seen(caller, Kind::Organization, organization)?;
        self.need(caller, Some(&organization), "roles:list")?;
        let system = !self.quirks.own_roles_only;
        Ok(self.roles_json(|it| it.organization_id.as_ref().map_or(system, |it| *it == organization.id)))
    }

    pub(super) fn share_roles(&self) -> Answer {
        let roles = [("share_viewer", "Viewer"), ("share_editor", "Editor")];
        self.list(&roles.map(|(slug, name)| json!({ "id": format!("role-{slug}"), "name": name, "slug": slug })))
    }

    pub(super) fn create_role(&mut self, caller: &Caller, call: &Call) -> Reply {
        let body = Body::read(call, &FIELDS)?;
        let organization = self.organization_for(caller, &body, "roles:create")?;
        let enterprise = self.places.iter().any(|it| it.id == organization && it.plan.as_deref() == Some("enterprise"));
        if self.quirks.paid_roles && !enterprise {
            return Err(Refusal::unpaid("custom roles need an enterprise plan"));
        }
        let mut role = Role {
            id: String::new(),
            created_at: self.now(),
            updated_at: None,
            name: String::new(),
            description: String::new(),
            organization_id: Some(organization),
            scope: String::new(),
            slug: String::new(),
            permissions: Vec::new(),
        };
        role.replace(&body)?;
        self.role_name_is_free(&role)?;
        role.id = self.fresh("role");
        self.roles.push(role.clone());
        Ok(Answer::json(201, &self.role_json(&role)))
    }

    pub(super) fn get_role(&self, caller: &Caller, id: &str) -> Reply {
        let role = self.role_seen(caller, id, "roles:read")?;
        Ok(Answer::ok(&self.role_json(&role)))
    }

    pub(super) fn update_role(&mut self, caller: &Caller, call: &Call, id: &str) -> Reply {
        let mut role = self.own_role(caller, id, "roles:update")?;
        let body = Body::read(call, &FIELDS)?;
        if body.text("id")?.is_some_and(|it| it != id) {
            return Err(Refusal::malformed("the id in the body is not the one in the path"));
        }
        if body.text("organization_id")? != role.organization_id {
            return Err(Refusal::invalid("a role stays in its organization"));
        }
        role.replace(&body)?;
        self.role_name_is_free(&role)?;
        role.updated_at = Some(self.now());
        if let Some(kept) = self.roles.iter_mut().find(|it| it.id == role.id) {
            kept.clone_from(&role);
        }
        Ok(Answer::ok(&self.role_json(&role)))
    }

    /// Deletes a role; who held it stays a member, without one.
    pub(super) fn delete_role(&mut self, caller: &Caller, id: &str) -> Reply {
        self.own_role(caller, id, "roles:delete")?;
        self.roles.retain(|it| it.id != id);
        for member in &mut self.members {
            member.role_id.take_if(|it| it == id);
        }
        Ok(self.nothing())
    }

    fn role_seen(&self, caller: &Caller, id: &str, code: &str) -> Result<Role, Refusal> {
        let role = self.role(id).cloned().ok_or_else(|| Refusal::missing("role"))?;
        let organization = match &role.organization_id {
            Some(it) => Some(self.seen(caller, Kind::Organization, it).map_err(|_| Refusal::missing("role"))?),
            None => None,
        };
        self.need(caller, organization.as_ref(), code)?;
        Ok(role)
    }

    fn own_role(&self, caller: &Caller, id: &str, code: &str) -> Result<Role, Refusal> {
        let role = self.role_seen(caller, id, code)?;
        if role.organization_id.is_some() { Ok(role) } else { Err(Refusal::forbidden("a system role cannot be changed")) }
    }

    fn role_name_is_free(&self, role: &Role) -> Result<(), Refusal> {
        let same = |it: &&Role| it.organization_id == role.organization_id && it.id != role.id;
        let taken = self.roles.iter().filter(same).any(|it| it.name == role.name || it.slug == role.slug);
        if taken { Err(Refusal::conflict(format!("there is a role `{}` already", role.name))) } else { Ok(()) }
    }

    fn roles_json(&self, wanted: impl Fn(&Role) -> bool) -> Answer {
        self.list(&self.roles.iter().filter(|it| wanted(it)).map(|it| self.role_json(it)).collect::<Vec<_>>())
    }

    /// A role as it is told.
    pub(super) fn role_json(&self, role: &Role) -> Value {
        let system = role.organization_id.is_none();
        let flagged = self.quirks.system_roles;
        let mut told = json!({
            "id": role.id,
            "created_at": role.created_at,
            "updated_at": self.quirks.time(role.updated_at.as_deref()),
            "name": role.name,
            "description": role.description,
            "organization_id": role.organization_id,
            "scope": if system && flagged == SystemRoles::Scope { "system" } else { &role.scope },
            "slug": role.slug,
            "permissions": if self.quirks.permission_lists { &[][..] } else { &role.permissions },
            "permission_list": role.permissions,
        });
        match flagged {
            SystemRoles::IsSystem => told["is_system"] = json!(system),
            SystemRoles::IsSystemRole => told["is_system_role"] = json!(system),
            SystemRoles::Scope => {}
        }
        told
    }
}
