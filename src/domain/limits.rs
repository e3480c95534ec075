//! Rate limits, usage limits, certificates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// How fast a project may use a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RateLimit {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub project: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests_per_1_minute: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens_per_1_minute: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_images_per_1_minute: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_audio_megabytes_per_1_minute: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests_per_1_day: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_1_day_max_input_tokens: Option<u64>,
}

/// The values of the limits of a model, in the order of [`RateLimit::FIELDS`].
pub type Rates = [Option<u64>; 6];

impl RateLimit {
    pub const FIELDS: [&str; 6] = [
        "max_requests_per_1_minute",
        "max_tokens_per_1_minute",
        "max_images_per_1_minute",
        "max_audio_megabytes_per_1_minute",
        "max_requests_per_1_day",
        "batch_1_day_max_input_tokens",
    ];

    pub fn rates(&self) -> Rates {
        [
            self.max_requests_per_1_minute,
            self.max_tokens_per_1_minute,
            self.max_images_per_1_minute,
            self.max_audio_megabytes_per_1_minute,
            self.max_requests_per_1_day,
            self.batch_1_day_max_input_tokens,
        ]
    }
}

/// How much an organization or project may use in a period.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct UsageLimit {
    pub usage_limit: String,
    pub organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    pub subscription_type: SubscriptionType,
    pub usage_unit: UsageUnit,
    /// A warning is due from here on.
    pub soft_limit: f64,
    /// Use stops here.
    pub hard_limit: f64,
    pub renewal: Renewal,
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// When the period ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// The period of a usage limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum SubscriptionType {
    Freemium,
    Daily,
    Weekly,
    Monthly,
}

/// What a usage limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum UsageUnit {
    Requests,
    Cost,
}

/// Whether a usage limit starts anew after its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Renewal {
    Renewable,
    NonRenewable,
}

/// A certificate that clients of an organization or project must present.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Certificate {
    pub certificate: String,
    pub id: String,
    pub organization: String,
    /// The project it was looked at for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}
