//! Roles, permissions, assignments.

use schemars::JsonSchema;
use serde::Serialize;

/// A named set of permissions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, serde::Deserialize, JsonSchema)]
pub struct Role {
    pub role: String,
    pub id: String,
    /// Where it can be held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<RoleLevel>,
    /// Built-in roles cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_in: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub permissions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

/// Where a role can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum RoleLevel {
    Organization,
    Team,
    Project,
}

/// Which roles a list counts: where they can be held, or of which kind they are where a provider has kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum RoleType {
    Organization,
    Team,
    Project,
    Backend,
    Frontend,
}

/// A permission that roles can hold.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Permission {
    pub permission: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A role that a person or a team holds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RoleAssignment {
    pub role: String,
    pub role_id: String,
    /// E-mail, where a person holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    pub organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The team that hands it down to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_team: Option<String>,
}
