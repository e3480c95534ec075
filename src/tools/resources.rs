//! Resources of a project.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{Cursor, Limit, List, ProjectRef, ResourceId, ResourceType, projects::Resource};

/// Lists a project's resources.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListProjectResources {
    pub project: ProjectRef,
    pub resource_type: Option<ResourceType>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListProjectResources, "list_project_resources", "List project resources", Read => List<Resource>);

/// Gives a project the use of a resource.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignProjectResource {
    pub project: ProjectRef,
    pub resource_type: ResourceType,
    pub resource_id: ResourceId,
}

operation!(AssignProjectResource, "assign_project_resource", "Assign project resource", Write => Resource);

/// Takes a resource off a project.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveProjectResource {
    pub project: ProjectRef,
    pub resource_type: ResourceType,
    pub resource_id: ResourceId,
}

operation!(RemoveProjectResource, "remove_project_resource", "Remove project resource", Destroy => Resource);
