//! Rate limits and usage limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::operation;
use crate::domain::{
    Cursor, Inverse, Limit, List, ModelName, OrganizationRef, ProjectRef, UsageLimitRef,
    limits::{RateLimit, Rates, Renewal, SubscriptionType, UsageLimit, UsageUnit},
};

/// Lists a project's rate limits by model.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRateLimits {
    pub project: ProjectRef,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListRateLimits, "list_rate_limits", "List rate limits", Read => List<RateLimit>);

/// Changes a project's rate limits for a model.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateRateLimit {
    pub project: ProjectRef,
    pub model: ModelName,
    /// Count.
    pub max_requests_per_1_minute: Option<u64>,
    /// Count.
    pub max_tokens_per_1_minute: Option<u64>,
    /// Count.
    pub max_images_per_1_minute: Option<u64>,
    /// MB.
    pub max_audio_megabytes_per_1_minute: Option<u64>,
    /// Count.
    pub max_requests_per_1_day: Option<u64>,
    /// Count.
    pub batch_1_day_max_input_tokens: Option<u64>,
}

impl UpdateRateLimit {
    /// What is asked for.
    pub(crate) fn rates(&self) -> Rates {
        [
            self.max_requests_per_1_minute,
            self.max_tokens_per_1_minute,
            self.max_images_per_1_minute,
            self.max_audio_megabytes_per_1_minute,
            self.max_requests_per_1_day,
            self.batch_1_day_max_input_tokens,
        ]
    }

    /// The call that puts the limits that are asked for back to what they were in this project.
    pub(crate) fn back(&self, project_id: &str, before: &RateLimit) -> Inverse {
        let mut back = json!({ "project": project_id, "model": before.model });
        for (name, (former, wanted)) in RateLimit::FIELDS.into_iter().zip(before.rates().into_iter().zip(self.rates())) {
            if wanted.is_some() {
                back[name] = json!(former);
            }
        }
        Inverse::call::<Self>(back)
    }
}

operation!(UpdateRateLimit, "update_rate_limit", "Update rate limit", Write => RateLimit);

/// Lists usage limits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListUsageLimits {
    pub organization: Option<OrganizationRef>,
    pub project: Option<ProjectRef>,
    /// Active ones.
    pub active: Option<bool>,
}

operation!(ListUsageLimits, "list_usage_limits", "List usage limits", Read => List<UsageLimit>);

/// A usage limit to set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct UsageLimitInput {
    /// Period.
    pub subscription_type: SubscriptionType,
    /// Unit.
    pub usage_unit: UsageUnit,
    /// Warns.
    pub soft_limit: f64,
    /// Stops.
    pub hard_limit: f64,
    /// Starts anew.
    pub renewal: Renewal,
}

/// Sets the usage limit of a project or the organization.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUsageLimit {
    pub project: Option<ProjectRef>,
    /// Period.
    pub subscription_type: SubscriptionType,
    /// What counts.
    pub usage_unit: UsageUnit,
    /// Warns.
    pub soft_limit: f64,
    /// Stops.
    pub hard_limit: f64,
    /// Renews.
    pub renewal: Renewal,
}

operation!(SetUsageLimit, "set_usage_limit", "Set usage limit", Write => UsageLimit);

/// Changes parts of a usage limit.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUsageLimit {
    pub project: Option<ProjectRef>,
    pub usage_limit: UsageLimitRef,
    /// Warns.
    pub soft_limit: Option<f64>,
    /// Stops.
    pub hard_limit: Option<f64>,
    /// Renews.
    pub renewal: Option<Renewal>,
}

operation!(UpdateUsageLimit, "update_usage_limit", "Update usage limit", Write => UsageLimit);

/// Deletes a usage limit.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteUsageLimit {
    pub project: Option<ProjectRef>,
    pub usage_limit: UsageLimitRef,
}

operation!(DeleteUsageLimit, "delete_usage_limit", "Delete usage limit", Destroy => UsageLimit);
