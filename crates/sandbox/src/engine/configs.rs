//! Roles and permissions.

use serde_json::{Value, json};

use super::Engine;

pub(super) const OWNER: &str = "r-owner";
pub(super) const EDITOR: &str = "r-editor";
pub(super) const VIEWER: &str = "r-viewer";
pub(super) const PROJECT_OWNER: &str = "r-project-owner";
pub(super) const PROJECT_EDITOR: &str = "r-project-editor";
pub(super) const PROJECT_VIEWER: &str = "r-project-viewer";

/// Id, name, permissions. Those of an organization come first.
const ROLES: [(&str, &str, &[&str]); 6] = [
    (OWNER, "Organization Owner", &["org-manage", "org-billing", "org-users", "org-projects", "org-view"]),
    (EDITOR, "Organization Editor", &["org-projects", "org-view"]),
    (VIEWER, "Organization Viewer", &["org-view"]),
    (PROJECT_OWNER, "Project Owner", &["project-manage", "project-users", "project-edit", "project-view"]),
    (PROJECT_EDITOR, "Project Editor", &["project-edit", "project-view"]),
    (PROJECT_VIEWER, "Project Viewer", &["project-view"]),
];

/// Id, name, action, resource.
const PERMISSIONS: [(&str, &str, &str, &str); 9] = [
    ("org-manage", "Rename and delete the organization", "manage", "org"),
    ("org-billing", "View and manage billing", "manage", "billing"),
    ("org-users", "Manage members", "manage", "org_user"),
    ("org-projects", "Create projects", "create", "project"),
    ("org-view", "View the organization", "view", "org"),
    ("project-manage", "Rename and delete the project", "manage", "project"),
    ("project-users", "Manage project members", "manage", "project_user"),
    ("project-edit", "Edit datasets, recipes and apps", "edit", "project"),
    ("project-view", "View the project", "view", "project"),
];

/// Whether an organization's members can hold a role.
pub(super) fn is_org_role(id: &str) -> bool {
    [OWNER, EDITOR, VIEWER].contains(&id)
}

/// Whether a project's members can hold a role.
pub(super) fn is_project_role(id: &str) -> bool {
    [PROJECT_OWNER, PROJECT_EDITOR, PROJECT_VIEWER].contains(&id)
}

impl Engine {
    pub(super) fn configs(&self) -> Value {
        let roles = if self.quirks.hides_roles { &[][..] } else { &ROLES[..] };
        let roles: Vec<_> =
            roles.iter().map(|(id, name, permissions)| json!({ "id": id, "name": name, "permissions": permissions })).collect();
        let permissions =
            PERMISSIONS.map(|(id, name, action, resource)| json!({ "id": id, "name": name, "action": action, "resource": resource }));
        json!({ "roles": roles, "permissions": permissions })
    }

    /// How a role is written in a reply.
    pub(super) fn role_text(&self, id: &str) -> String {
        let title = ROLES.iter().find(|it| it.0 == id).map_or(id, |it| it.1);
        if self.quirks.role_as_id { id } else { title }.to_owned()
    }
}
