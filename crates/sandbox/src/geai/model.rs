//! What the service keeps. What it sends as it is kept is written in its own spelling.

use serde::{Deserialize, Serialize};

/// An organization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Organization {
    pub id: String,
    pub name: String,
    /// The person whose view a caller with an organization token has.
    pub administrator: String,
    pub station: bool,
    /// Ids of people.
    pub members: Vec<String>,
    pub policies: Option<Policies>,
}

/// What assistants of an organization may do, where it says so.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policies {
    pub chat_sharing_permissions: String,
    pub external_execution_permissions: String,
}

/// Somebody with an account; `all-members@domain` is kept as one, too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub email: String,
    /// Roles on the whole platform, such as `System Administrator`.
    #[serde(default)]
    pub platform_roles: Vec<String>,
    #[serde(default)]
    pub password: Option<String>,
}

/// A project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Project {
    pub id: String,
    pub organization: String,
    pub name: String,
    pub description: String,
    pub active: bool,
    /// 0 active, 2 hidden.
    pub status: u8,
    /// Those beyond the ones that every project has.
    pub own_roles: Vec<Role>,
    pub seats: Vec<Seat>,
    pub assistants: Vec<Assistant>,
    /// Name and description of assistants that search documents.
    pub search_profiles: Vec<(String, String)>,
}

/// Who works in a project, with which roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub person: String,
    /// Ids of roles.
    pub roles: Vec<String>,
}

/// A role, as it is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    pub id: String,
    pub name: String,
    pub external_id: String,
    /// `Backend`, `Frontend` or `Platform`.
    #[serde(rename = "type")]
    pub kind: String,
    pub origin: String,
}

/// An assistant of a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Assistant {
    pub id: String,
    pub name: String,
    pub prompt: String,
}

/// An API token; its id is the secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Token {
    pub id: String,
    pub organization: String,
    /// `None` for one of the organization.
    pub project: Option<String>,
    pub name: String,
    pub description: String,
    /// `Active` or `Blocked`; a revoked one is gone.
    pub status: String,
    pub timestamp: String,
}

/// Somebody's OAuth access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    pub access_token: String,
    pub person: String,
}

/// A usage limit, and whose it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Limit {
    pub organization: String,
    /// `None` for one of the organization.
    pub project: Option<String>,
    #[serde(flatten)]
    pub usage: Usage,
}

/// A usage limit, as it is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    pub id: String,
    pub related_entity_name: String,
    pub subscription_type: String,
    pub usage_unit: String,
    pub soft_limit: f64,
    pub hard_limit: f64,
    pub used_amount: f64,
    pub remaining_usage: f64,
    pub renewal_status: String,
    /// 1 active, 2 expired, 3 empty, 4 cancelled.
    pub status: u8,
    pub valid_from: String,
    pub valid_until: Option<String>,
}

/// Something that was asked of an assistant, as far as it differs from one to the next.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Export {
    pub organization: String,
    pub assistant: String,
    /// `succeeded`, `failed` or `pending`.
    pub status: String,
    pub prompt: String,
    pub cost: f64,
    pub timestamp: String,
}

/// Mails to somebody about a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub project: String,
    pub email: String,
    pub roles: Vec<String>,
    /// How many went out.
    pub count: u32,
}
