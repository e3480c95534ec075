//! Teams and their people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{
    Cursor, Description, Limit, List, MemberRef, Name, OrganizationRef, Query, RoleRef, Slug, TeamRef, members::Member, teams::Team,
};

/// Lists teams of organizations.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTeams {
    pub organization: Option<OrganizationRef>,
    pub query: Option<Query>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListTeams, "list_teams", "List teams", Read => List<Team>);

/// Reads a team. Its people: list_team_members.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTeam {
    pub team: TeamRef,
}

operation!(GetTeam, "get_team", "Get team", Read => Team);

/// Creates an empty team.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTeam {
    pub name: Name,
    pub description: Option<Description>,
    pub slug: Option<Slug>,
    pub organization: Option<OrganizationRef>,
}

operation!(CreateTeam, "create_team", "Create team", Write => Team);

/// Changes fields of a team.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTeam {
    pub team: TeamRef,
    pub name: Option<Name>,
    pub description: Option<Description>,
    pub slug: Option<Slug>,
    /// Empties.
    #[serde(default)]
    #[schemars(length(max = 1))]
    pub clear: Vec<TeamField>,
}

/// What can be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum TeamField {
    Description,
}

operation!(UpdateTeam, "update_team", "Update team", Write => Team);

/// Deletes a team with what people reach through it; projects stay.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteTeam {
    pub team: TeamRef,
}

operation!(DeleteTeam, "delete_team", "Delete team", Destroy => Team);

/// Lists a team's people.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTeamMembers {
    pub team: TeamRef,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListTeamMembers, "list_team_members", "List team members", Read => List<Member>);

/// Adds an organization member to a team.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddTeamMember {
    pub team: TeamRef,
    pub member: MemberRef,
    pub role: Option<RoleRef>,
}

operation!(AddTeamMember, "add_team_member", "Add team member", Access => Member);

/// Replaces a person's role in a team.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTeamMember {
    pub team: TeamRef,
    pub member: MemberRef,
    pub role: RoleRef,
}

operation!(UpdateTeamMember, "update_team_member", "Update team member", Access => Member);

/// Takes a person out of a team.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveTeamMember {
    pub team: TeamRef,
    pub member: MemberRef,
}

operation!(RemoveTeamMember, "remove_team_member", "Remove team member", Destroy => Member);
