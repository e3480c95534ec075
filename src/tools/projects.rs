//! Projects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{limits::UsageLimitInput, operation};
use crate::domain::{
    Cursor, Description, Email, Limit, List, Name, OrganizationRef, ProjectRef, Query, Slug, SoughtRef, TeamRef, jobs::StepItem,
    members::Batch, projects::Project,
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

/// Makes a project like another: teams, limits, owners.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyProject {
    pub from: ProjectRef,
    pub name: Name,
    /// Absent: the same.
    pub owner: Option<Email>,
    /// People too.
    pub people: Option<bool>,
}

operation!(CopyProject, "copy_project", "Copy project", Access => Batch<StepItem>);

/// Changes fields of a project.
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

/// Archives a project for good; its keys stop.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveProject {
    pub project: ProjectRef,
}

operation!(ArchiveProject, "archive_project", "Archive project", Destroy => Project);

/// Deletes a project with all in it for good. Gentler: archive_project.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteProject {
    pub project: ProjectRef,
}

operation!(DeleteProject, "delete_project", "Delete project", Destroy => Project);
