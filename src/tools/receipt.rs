//! What a change answers.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{Impact, Inverse, Target, Timestamp};

/// The result of a change: what was done, or what would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Receipt<T> {
    pub status: Status,
    pub target: Target,
    /// The thing as it was; absent when it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<T>,
    /// The thing as it is now; absent when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<T>,
    /// How to take it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// When what was given ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Where the secret that was made has gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretPlace>,
    /// With `dry_run` and before consent: what it would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
    /// With `dry_run`: whether a person would be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_consent: Option<bool>,
    /// Where consent goes by token: send it back once the person has agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
    /// What the person is to be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// What the person has to type, where a yes is not enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<String>,
    /// True where a call with the same `idempotency_key` had done it before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub replayed: bool,
    /// The job that makes it; get_job tells more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The entry in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
}

impl<T> Receipt<T> {
    /// A receipt that tells its status and target, and nothing more yet.
    pub fn new(status: Status, target: Target) -> Self {
        Self {
            status,
            target,
            before: None,
            after: None,
            undo: None,
            ends_at: None,
            secret: None,
            impact: None,
            needs_consent: None,
            confirmation_token: None,
            expires_in_s: None,
            question: None,
            confirmed_by: None,
            replayed: false,
            job: None,
            call_id: None,
        }
    }
}

/// Whether a change was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Status {
    Done,
    /// Nothing was sent.
    DryRun,
    /// Nothing was sent: a person has to agree first.
    ConfirmationRequired,
    /// A job of which some was made.
    Partly,
    /// A job of which nothing was made.
    Failed,
    /// A job that goes on.
    Running,
    /// A job that ended at a failure.
    Stopped,
    /// A job that somebody ended.
    Cancelled,
}

/// Where a new secret has gone; never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SecretPlace {
    pub what: String,
    /// The file or command it was handed to.
    pub handed_to: String,
}

impl Inverse {
    /// The call of this operation.
    pub fn of<O: super::Operation>(operation: &O) -> Self {
        let mut arguments = serde_json::to_value(operation).unwrap_or_default();
        if let serde_json::Value::Object(fields) = &mut arguments {
            fields.retain(|_, it| !it.is_null() && it.as_array().is_none_or(|it| !it.is_empty()));
        }
        Self { tool: O::NAME.to_owned(), arguments }
    }

    /// The call of this operation with these arguments; those that are null are left out.
    pub fn call<O: super::Operation>(mut arguments: serde_json::Value) -> Self {
        if let serde_json::Value::Object(fields) = &mut arguments {
            fields.retain(|_, it| !it.is_null());
        }
        Self { tool: O::NAME.to_owned(), arguments }
    }
}
