//! Organizations.

use schemars::JsonSchema;
use serde::Serialize;

use super::Timestamp;

/// An organization.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Organization {
    pub organization: String,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projects: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// Who the connection acts as.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CurrentUser {
    /// E-mail, name or kind of the account.
    pub user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the account may do, in the provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

/// What an organization's runtime allows its plug-ins and tools.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RuntimePolicies {
    pub organization: String,
    pub policies: Vec<RuntimePolicy>,
    /// What holds where no policy is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize, JsonSchema)]
pub struct RuntimePolicy {
    pub name: String,
    pub value: String,
}

/// A logo.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Logo {
    /// The organization, team or project it stands for.
    pub of: String,
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The picture, base64; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}
