//! Roles, permissions, and who holds them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{
    Cursor, Description, Limit, List, MemberRef, Name, OrganizationRef, ProjectRef, Query, RoleRef, SoughtRef, TeamRef,
    roles::{Permission, Role, RoleAssignment, RoleType},
};

/// Lists roles with their permissions.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRoles {
    pub project: Option<ProjectRef>,
    pub organization: Option<OrganizationRef>,
    /// Kinds.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub role_types: Vec<RoleType>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListRoles, "list_roles", "List roles", Read => List<Role>);

/// Reads a role and its permissions.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRole {
    pub role: RoleRef,
    pub project: Option<ProjectRef>,
}

operation!(GetRole, "get_role", "Get role", Read => Role);

/// Creates a role. Codes: list_permissions.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRole {
    pub name: Name,
    /// Permissions.
    #[schemars(length(max = 100))]
    pub permissions: Vec<String>,
    pub description: Option<Description>,
    pub project: Option<ProjectRef>,
    pub organization: Option<OrganizationRef>,
}

operation!(CreateRole, "create_role", "Create role", Access => Role);

/// Changes a custom role for all who hold it; permissions as a whole.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateRole {
    pub role: RoleRef,
    pub name: Option<Name>,
    /// Permissions.
    #[schemars(length(max = 100))]
    pub permissions: Option<Vec<String>>,
    pub description: Option<Description>,
    pub project: Option<ProjectRef>,
    /// Empties.
    #[serde(default)]
    #[schemars(length(max = 1))]
    pub clear: Vec<RoleField>,
}

/// What can be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum RoleField {
    Description,
}

operation!(UpdateRole, "update_role", "Update role", Access => Role);

/// Deletes a custom role, for all who hold it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteRole {
    pub role: RoleRef,
    pub project: Option<ProjectRef>,
}

operation!(DeleteRole, "delete_role", "Delete role", Destroy => Role);

/// Lists permission codes for roles.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPermissions {
    pub query: Option<Query>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListPermissions, "list_permissions", "List permissions", Read => List<Permission>);

/// Lists roles of one person, team or project.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRoleAssignments {
    pub member: Option<SoughtRef>,
    pub team: Option<TeamRef>,
    pub project: Option<ProjectRef>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListRoleAssignments, "list_role_assignments", "List role assignments", Read => List<RoleAssignment>);

/// Gives a person or team one more role.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRole {
    pub role: RoleRef,
    pub member: Option<MemberRef>,
    pub team: Option<TeamRef>,
    pub project: Option<ProjectRef>,
    pub organization: Option<OrganizationRef>,
}

operation!(AssignRole, "assign_role", "Assign role", Access => RoleAssignment);

/// Takes one role; the membership stays.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnassignRole {
    pub role: RoleRef,
    pub member: Option<MemberRef>,
    pub team: Option<TeamRef>,
    pub project: Option<ProjectRef>,
    pub organization: Option<OrganizationRef>,
}

operation!(UnassignRole, "unassign_role", "Unassign role", Destroy => RoleAssignment);
