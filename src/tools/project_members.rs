//! People of a project.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{
    Cursor, Limit, List, MemberRef, PersonRef, ProjectRef, Query, RoleRef, SoughtRef,
    members::{Batch, Member},
    roles::RoleType,
};

/// Lists a project's people; organization owners and admins come on top.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListProjectMembers {
    pub project: ProjectRef,
    pub query: Option<Query>,
    pub role: Option<RoleRef>,
    /// Kinds.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub role_types: Vec<RoleType>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListProjectMembers, "list_project_members", "List project members", Read => List<Member>);

/// Reads a project member.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetProjectMember {
    pub project: ProjectRef,
    pub member: SoughtRef,
}

operation!(GetProjectMember, "get_project_member", "Get project member", Read => Member);

/// Adds a member to a project. Many: add_project_members.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddProjectMember {
    pub project: ProjectRef,
    pub member: PersonRef,
    /// Roles.
    #[schemars(length(min = 1, max = 10))]
    pub roles: Vec<RoleRef>,
}

operation!(AddProjectMember, "add_project_member", "Add project member", Access => Member);

/// Adds people to projects, one outcome each.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddProjectMembers {
    /// Or give `csv`.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub people: Vec<NewProjectMember>,
    /// Lines of project,member,role;role.
    pub csv: Option<String>,
}

/// One person to add.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct NewProjectMember {
    pub project: ProjectRef,
    pub member: PersonRef,
    /// Roles.
    #[schemars(length(min = 1, max = 10))]
    pub roles: Vec<RoleRef>,
}

operation!(AddProjectMembers, "add_project_members", "Add project members", Access => Batch);

/// Replaces a person's roles in a project by one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProjectMember {
    pub project: ProjectRef,
    pub member: MemberRef,
    pub role: RoleRef,
}

operation!(UpdateProjectMember, "update_project_member", "Update project member", Access => Member);

/// Ends own access to a project; that by a team stays.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveProjectMember {
    pub project: ProjectRef,
    pub member: MemberRef,
}

operation!(RemoveProjectMember, "remove_project_member", "Remove project member", Destroy => Member);
