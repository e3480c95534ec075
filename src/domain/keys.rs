//! Service accounts and API keys.

use schemars::JsonSchema;
use serde::Serialize;

use super::Timestamp;

/// An account for a program.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ServiceAccount {
    pub service_account: String,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub project: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_keys: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// An API key, without its value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, serde::Deserialize, JsonSchema)]
pub struct ApiKey {
    pub api_key: String,
    pub id: String,
    pub project: String,
    /// Told where keys of several projects are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A few characters to tell keys apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub status: Option<KeyState>,
    /// The person or service account it acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether the owner still belongs to the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_access: Option<OwnerAccess>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// What a key is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum KeyState {
    Active,
    Blocked,
    // Its end has passed, whatever it was set to.
    Expired,
}

impl From<KeyStatus> for KeyState {
    fn from(it: KeyStatus) -> Self {
        match it {
            KeyStatus::Active => Self::Active,
            KeyStatus::Blocked => Self::Blocked,
        }
    }
}

/// State.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum KeyStatus {
    Active,
    Blocked,
}

/// Whether a key's owner still belongs to the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OwnerAccess {
    Active,
    // In the organization, and not in the project.
    NoAccess,
    // No longer in the organization.
    Left,
    // Nobody owns it.
    None,
}

/// Which keys are meant, by their owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OwnerFilter {
    Active,
    NoAccess,
    Left,
    None,
    // Any of the three before: the owner does not belong to the project.
    Inactive,
}

impl OwnerFilter {
    /// Whether keys with such an owner are meant.
    pub fn has(self, access: OwnerAccess) -> bool {
        match self {
            Self::Active => access == OwnerAccess::Active,
            Self::NoAccess => access == OwnerAccess::NoAccess,
            // Where a directory forgets who left, their keys are nobody's.
            Self::Left => matches!(access, OwnerAccess::Left | OwnerAccess::None),
            Self::None => access == OwnerAccess::None,
            Self::Inactive => access != OwnerAccess::Active,
        }
    }
}
