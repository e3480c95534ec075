//! Runtime policies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{OrganizationRef, organizations::RuntimePolicies};

/// Reads the runtime's policies.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRuntimePolicies {
    pub organization: Option<OrganizationRef>,
}

operation!(GetRuntimePolicies, "get_runtime_policies", "Get runtime policies", Read => RuntimePolicies);
