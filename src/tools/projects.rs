//! Projects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{limits::UsageLimitInput, operation};
use crate::domain::{
    Cursor, Description, Email, Limit, List, Name, OrganizationRef, ProjectRef, Query, Slug, SoughtRef, TeamRef, projects::Project,
};

/// Lists projects, active ones unless told.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListProjects {
    pub organization: Option<OrganizationRef>,
    pub team: Option<TeamRef>,
    pub query: Option<Query>,
    /// Also.
    pub include_archived: Option<bool>,
    pub owner: Option<SoughtRef>,
    /// Count.
    pub owners: Option<u32>,
    /// Owners, counts.
    pub detail: Option<Detail>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

/// Amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Detail {
    Brief,
    Full,
}

operation!(ListProjects, "list_projects", "List projects", Read => List<Project>);

/// Reads a project.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetProject {
    pub project: ProjectRef,
}

operation!(GetProject, "get_project", "Get project", Read => Project);

/// Creates a project.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProject {
    pub name: Name,
    pub description: Option<Description>,
    /// Owner.
    pub admin_email: Option<Email>,
    /// As in set_usage_limit.
    pub usage_limit: Option<UsageLimitInput>,
    pub organization: Option<OrganizationRef>,
    pub team: Option<TeamRef>,
    pub slug: Option<Slug>,
    /// Data region.
    pub residency: Option<String>,
    /// Key.
    pub external_key_id: Option<String>,
}

operation!(CreateProject, "create_project", "Create project", Write => Project);

/// Changes the named fields of a project.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProject {
    pub project: ProjectRef,
    pub name: Option<Name>,
    pub description: Option<Description>,
    pub slug: Option<Slug>,
    /// Key.
    pub external_key_id: Option<String>,
    /// Empties.
    #[serde(default)]
    #[schemars(length(max = 2))]
    pub clear: Vec<ProjectField>,
}

/// What can be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ProjectField {
    Description,
    ExternalKeyId,
}

operation!(UpdateProject, "update_project", "Update project", Write => Project);

/// Archives a project for good: its keys stop; it can still be listed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveProject {
    pub project: ProjectRef,
}

operation!(ArchiveProject, "archive_project", "Archive project", Destroy => Project);

/// Deletes a project with its memberships, keys and limits for good. Gentler: archive_project.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteProject {
    pub project: ProjectRef,
}

operation!(DeleteProject, "delete_project", "Delete project", Destroy => Project);
