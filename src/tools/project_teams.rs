//! Teams of a project.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{Cursor, Limit, List, ProjectRef, RoleRef, TeamRef, teams::Team};

/// Lists a project's teams with roles.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListProjectTeams {
    pub project: ProjectRef,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListProjectTeams, "list_project_teams", "List project teams", Read => List<Team>);

/// Gives a team a role in a project.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddProjectTeam {
    pub project: ProjectRef,
    pub team: TeamRef,
    pub role: RoleRef,
}

operation!(AddProjectTeam, "add_project_team", "Add project team", Access => Team);

/// Takes a team off a project; own roles stay.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveProjectTeam {
    pub project: ProjectRef,
    pub team: TeamRef,
}

operation!(RemoveProjectTeam, "remove_project_team", "Remove project team", Destroy => Team);
