//! Teams.

use schemars::JsonSchema;
use serde::Serialize;

use super::Timestamp;

/// A team of people; it can hold roles and belong to projects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Team {
    pub team: String,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    /// The role it holds, where a project's teams are listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}
