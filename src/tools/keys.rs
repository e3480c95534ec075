//! Service accounts and API keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{
    ApiKeyRef, Cursor, Description, Limit, List, Name, OrganizationRef, Past, ProjectRef, RoleRef, ServiceAccountRef, Timestamp,
    keys::{ApiKey, KeyState, KeyStatus, OwnerFilter, ServiceAccount},
};

/// Lists a project's service accounts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListServiceAccounts {
    pub project: ProjectRef,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListServiceAccounts, "list_service_accounts", "List service accounts", Read => List<ServiceAccount>);

/// Reads a service account.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetServiceAccount {
    pub project: ProjectRef,
    pub service_account: ServiceAccountRef,
}

operation!(GetServiceAccount, "get_service_account", "Get service account", Read => ServiceAccount);

/// Creates a program's account; its key goes to the secrets folder.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateServiceAccount {
    pub project: ProjectRef,
    pub name: Name,
    /// No key.
    pub without_key: Option<bool>,
    /// Life.
    #[schemars(range(min = 60, max = 31_536_000))]
    pub expires_in_seconds: Option<i64>,
}

operation!(CreateServiceAccount, "create_service_account", "Create service account", Access => ServiceAccount, secret);

/// Renames a service account or replaces its role.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateServiceAccount {
    pub project: ProjectRef,
    pub service_account: ServiceAccountRef,
    pub name: Option<Name>,
    pub role: Option<RoleRef>,
}

operation!(UpdateServiceAccount, "update_service_account", "Update service account", Access => ServiceAccount);

/// Deletes a service account; its keys stop.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteServiceAccount {
    pub project: ProjectRef,
    pub service_account: ServiceAccountRef,
}

operation!(DeleteServiceAccount, "delete_service_account", "Delete service account", Destroy => ServiceAccount);

/// Lists API keys.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListApiKeys {
    pub organization: Option<OrganizationRef>,
    pub project: Option<ProjectRef>,
    /// Whose.
    pub owner: Option<OwnerFilter>,
    /// Date.
    pub unused_since: Option<Past>,
    /// Date.
    pub created_before: Option<Past>,
    /// Ended.
    pub expired: Option<bool>,
    /// OR.
    pub any: Option<bool>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

impl ListApiKeys {
    /// Whether a key is among those that are asked for. What is not told of it fits no filter.
    pub(crate) fn means(&self, key: &ApiKey, now: Timestamp) -> bool {
        let mut fits = Vec::new();
        fits.extend(self.owner.map(|it| key.owner_access.is_some_and(|access| it.has(access))));
        fits.extend(self.unused_since.as_ref().map(|since| match (since.before(now), key.last_used_at) {
            (None, used) => used.is_none(),
            (Some(since), Some(used)) => used < since,
            // What is younger had no time to be used in.
            (Some(since), None) => key.created_at.is_none_or(|it| it < since),
        }));
        fits.extend(self.created_before.as_ref().map(|it| key.created_at.is_some_and(|made| it.before(now).is_some_and(|it| made < it))));
        fits.extend(self.expired.map(|it| it == (key.status == Some(KeyState::Expired))));
        let fit = |it: &bool| *it;
        fits.is_empty() || if self.any == Some(true) { fits.iter().any(fit) } else { fits.iter().all(fit) }
    }

    /// Whether every key is meant.
    pub(crate) fn is_unfiltered(&self) -> bool {
        self.owner.is_none() && self.unused_since.is_none() && self.created_before.is_none() && self.expired.is_none()
    }
}

operation!(ListApiKeys, "list_api_keys", "List API keys", Read => List<ApiKey>, across);

/// Reads a key, never its value.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetApiKey {
    pub project: ProjectRef,
    pub api_key: ApiKeyRef,
}

operation!(GetApiKey, "get_api_key", "Get API key", Read => ApiKey);

/// Creates a key; it goes to the secrets folder.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    pub project: ProjectRef,
    pub name: Name,
    pub description: Option<Description>,
    pub service_account: Option<ServiceAccountRef>,
    /// Permissions.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub scopes: Vec<String>,
    /// Life.
    #[schemars(range(min = 60, max = 31_536_000))]
    pub expires_in_seconds: Option<i64>,
}

operation!(CreateApiKey, "create_api_key", "Create API key", Access => ApiKey, secret);

/// Changes a key; `blocked` stops it until `active`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateApiKey {
    pub project: ProjectRef,
    pub api_key: ApiKeyRef,
    pub description: Option<Description>,
    pub status: Option<KeyStatus>,
    /// Permissions.
    #[schemars(length(min = 1, max = 50))]
    pub scopes: Option<Vec<String>>,
    /// Life.
    #[schemars(range(min = 60, max = 31_536_000))]
    pub expires_in_seconds: Option<i64>,
    /// Empties.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub clear: Vec<ApiKeyField>,
}

/// What can be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ApiKeyField {
    Description,
    ExpiresAt,
    // The key can do everything then.
    Scopes,
}

operation!(UpdateApiKey, "update_api_key", "Update API key", Access => ApiKey);

/// Deletes a key for good; what uses it stops.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteApiKey {
    pub project: ProjectRef,
    pub api_key: ApiKeyRef,
}

operation!(DeleteApiKey, "delete_api_key", "Delete API key", Destroy => ApiKey);
