//! People, their memberships and invitations.

use schemars::JsonSchema;
use serde::Serialize;

use super::Timestamp;

/// A person in an organization, a team or a project.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Member {
    /// E-mail.
    pub member: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The role, or the roles, held here.
    pub roles: Vec<String>,
    /// `active`, or `invited` where access starts when the invitation is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The team through which access comes, where it is not the person's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// An invitation to an organization.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Invitation {
    /// The invited e-mail.
    pub invitation: String,
    pub id: String,
    pub role: String,
    pub status: InvitationStatus,
    pub organization: String,
    /// Projects that come with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// State.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum InvitationStatus {
    Pending,
    Accepted,
    Expired,
    Cancelled,
}

/// A person's place in one organization or project.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Membership {
    /// E-mail.
    pub member: String,
    pub organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    pub roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_team: Option<String>,
}

/// What became of many people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Batch {
    pub done: u64,
    pub skipped: u64,
    pub failed: u64,
    pub unknown: u64,
    pub items: Vec<BatchItem>,
}

/// What became of one person.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BatchItem {
    pub member: String,
    pub project: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    pub outcome: ItemOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How one item of a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ItemOutcome {
    Done,
    Skipped,
    Failed,
    /// Sent, and no answer came. Not repeated.
    Unknown,
}
