//! Errors: one enum per boundary.

use serde_json::{Map, Value, json};

use crate::domain::{Failed, one_line};

/// What a provider answered instead of doing what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Nothing matches what the agent named.
    #[error("no {kind} `{name}`{}", within(.scope))]
    NotFound { kind: &'static str, name: String, scope: String, fix: String },
    /// Several things match.
    #[error("{}", ambiguous(.kind, .name, .candidates))]
    Ambiguous { kind: &'static str, name: String, candidates: Vec<String> },
    /// A rule of the provider forbids it as things are.
    #[error("{message}")]
    Conflict { code: &'static str, message: String, fix: String },
    /// It is there already, and not as it was asked for: somebody holds another role.
    #[error("{message}")]
    Differs { code: &'static str, message: String, fix: String },
    /// The arguments do not go together.
    #[error("{message}")]
    Invalid { message: String, fix: String },
    /// What a person agreed to is not what would happen now.
    #[error("the target has changed since the change was planned; nothing was changed")]
    TargetChanged,
    /// Others were changing the same all the while; the transaction was taken back.
    #[error("other changes kept the store busy; nothing was changed")]
    StoreBusy,
    #[error("the directory's database could not be used")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A service refused, failed, or could not be reached. Nothing was changed.
    #[error("{}", .0.message)]
    Remote(Box<RemoteError>),
    /// A change was sent, and no answer came that says whether it took effect.
    #[error("{message}")]
    Unanswered {
        message: String,
        /// The read that tells.
        fix: String,
        /// Whether it may still take effect.
        late: bool,
    },
    /// Some steps of a change were made and one was not.
    #[error("{message}")]
    Partly {
        /// What holds now.
        message: String,
        fix: String,
        #[source]
        source: Box<ProviderError>,
    },
}

/// What a service on the network answered instead of doing what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteError {
    /// Stable: `unauthenticated`, `forbidden`, `not_found`, `rate_limited`, …
    pub code: &'static str,
    /// The service's own words where there were some; never a body, a header or a secret.
    pub message: String,
    pub fix: String,
    pub status: Option<u16>,
    /// By which the provider's support finds the request.
    pub request_id: Option<String>,
    pub retryable: bool,
    pub retry_after_s: Option<u64>,
}

/// How many things are named that somebody may have meant.
const MAX_CANDIDATES: usize = 10;

/// The candidates that are named, and how many more there are.
pub(crate) fn shown(candidates: &[String]) -> (&[String], usize) {
    let (shown, rest) = candidates.split_at(candidates.len().min(MAX_CANDIDATES));
    (shown, rest.len())
}

/// After how many seconds a store may be there again that could not be used: a standby takes over in half a minute, and the call has
/// waited for the most of it.
const STORE_RETRY_S: u64 = 5;

const STORE_FIX: &str = "wait, and repeat the call; if it fails again, run `rolecall doctor`";

/// The code of a change that was sent without an answer, and is known not to have taken effect.
pub(crate) const NOT_APPLIED: &str = "not_applied";

/// That something has to be named, since there are several.
pub(crate) fn unnamed(kind: &'static str, candidates: Vec<String>) -> ProviderError {
    ProviderError::Ambiguous { kind, name: String::new(), candidates }
}

/// An empty name is one that was not given.
fn ambiguous(kind: &str, name: &str, candidates: &[String]) -> String {
    match (name, candidates.len()) {
        ("", count) => format!("there are {count} {kind}s, and the call does not say which is meant"),
        (name, count) => format!("`{name}` matches {count} {kind}s"),
    }
}

fn within(scope: &str) -> String {
    if scope.is_empty() { String::new() } else { format!(" in {scope}") }
}

impl ProviderError {
    /// A rule that stands in the way: `code` is stable, `message` says what is wrong with which value, `fix` what to do.
    pub fn conflict(code: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into(), fix: fix.into() }
    }

    /// What is asked for is there already: whole, or in another way than it was asked for.
    pub fn already(code: &'static str, whole: bool, message: impl Into<String>, fix: impl Into<String>) -> Self {
        let (message, fix) = (message.into(), fix.into());
        if whole { Self::Conflict { code, message, fix } } else { Self::Differs { code, message, fix } }
    }

    /// What is to be taken away is not there, though who or what was named is known: it is so already. `look`: the tool that shows it.
    pub(crate) fn gone(message: impl Into<String>, look: &str) -> Self {
        Self::conflict("already_gone", message, format!("nothing needs to be done; see {look}"))
    }

    pub fn invalid(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Invalid { message: one_line(&message.into()).into_owned(), fix: fix.into() }
    }

    pub fn code(&self) -> String {
        match self {
            Self::NotFound { kind, .. } => format!("{kind}_not_found").replace(' ', "_"),
            Self::Ambiguous { kind, .. } => format!("ambiguous_{kind}").replace(' ', "_"),
            Self::Conflict { code, .. } | Self::Differs { code, .. } => (*code).to_owned(),
            Self::Invalid { .. } => "invalid_arguments".into(),
            Self::TargetChanged => "target_changed".into(),
            Self::Store(_) => "store_unavailable".into(),
            Self::StoreBusy => "store_busy".into(),
            Self::Remote(error) => error.code.to_owned(),
            Self::Unanswered { .. } => "no_answer".into(),
            Self::Partly { .. } => "partly_done".into(),
        }
    }

    pub fn fix(&self) -> String {
        match self {
            Self::NotFound { fix, .. }
            | Self::Conflict { fix, .. }
            | Self::Differs { fix, .. }
            | Self::Invalid { fix, .. }
            | Self::Unanswered { fix, .. }
            | Self::Partly { fix, .. } => fix.clone(),
            Self::Remote(error) => error.fix.clone(),
            Self::Ambiguous { kind, name, candidates } if name.is_empty() => {
                let (shown, more) = shown(candidates);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                format!("call again with `{}`, one of: {}{more}", kind.replace(' ', "_"), shown.join(", "))
            }
            Self::Ambiguous { candidates, .. } => match shown(candidates) {
                (shown, 0) => format!("call again with one of: {}", shown.join(", ")),
                (shown, more) => format!("call again with one of: {}; or with the id of one of {more} more", shown.join(", ")),
            },
            Self::TargetChanged => "look at the target again, then repeat the call".into(),
            Self::Store(_) => STORE_FIX.into(),
            Self::StoreBusy => format!("repeat the call in {STORE_RETRY_S} seconds"),
        }
    }

    pub fn retryable(&self) -> bool {
        match self {
            Self::TargetChanged | Self::Store(_) | Self::StoreBusy => true,
            Self::Remote(error) => error.retryable,
            _ => false,
        }
    }

    /// Whether it is about the connection and not about what was asked for: it would be the same for all else, and may be otherwise soon.
    pub(crate) fn is_down(&self) -> bool {
        match self {
            Self::Remote(remote) => remote.status.is_none_or(|it| matches!(it, 401 | 429 | 500..)),
            Self::StoreBusy => true,
            _ => false,
        }
    }

    /// Whether the service would answer later, and was asked too much for now.
    pub(crate) fn is_for_later(&self) -> bool {
        matches!(self, Self::Remote(remote) if matches!(remote.code, "rate_limited" | "timeout"))
    }

    /// What a change without an answer turns into once it is known not to have taken effect.
    #[must_use]
    pub(crate) fn not_applied(self) -> Self {
        match self {
            Self::Unanswered { message, .. } => Self::Remote(Box::new(RemoteError {
                code: NOT_APPLIED,
                message: format!("{message}; it has not taken effect"),
                fix: "the call may be repeated".into(),
                status: None,
                request_id: None,
                retryable: true,
                retry_after_s: None,
            })),
            other => other,
        }
    }
}

/// What the agent is told instead of a result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no tool `{name}`")]
    UnknownTool { name: String, near: Vec<String> },
    #[error("{message}")]
    InvalidArguments { message: String, fix: String },
    #[error("no connection `{name}`")]
    UnknownConnection { name: String, able: Vec<String> },
    /// The connection is there, and has no such tool.
    #[error("connection `{connection}` has no {tool}")]
    NotServed { tool: &'static str, connection: String, near: Vec<String>, able: Vec<String> },
    /// The policy says no.
    #[error("{reason}")]
    Denied { reason: String, fix: String },
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A person has to agree, outside the model's reach.
    #[error("nothing was changed yet, a person has to approve this: {question}")]
    PendingApproval {
        id: String,
        question: String,
        expires_in_s: u64,
        /// Of the page where it is asked about, while a console is open. It holds no secret.
        address: Option<String>,
        fix: String,
    },
    /// A person said no, or did not answer; or nobody can be asked.
    #[error("{message}; nothing was changed")]
    NotConfirmed { code: &'static str, message: String, fix: String },
    /// A confirmation that cannot be accepted: used before, expired, for something else.
    #[error("{message}; nothing was changed")]
    BadConfirmation { message: String },
    #[error("`idempotency_key` `{key}` was used for another call")]
    KeyReused { key: String },
    /// A change was sent and nobody knows whether it took effect.
    #[error("the outcome of {tool} on {target} is not known")]
    OutcomeUnknown { tool: String, target: String, fix: String, call_id: String },
    /// A change was made, and the store did not take its outcome in time.
    #[error("{tool} on {target} was done, but its outcome could not be recorded yet")]
    NotRecorded { tool: String, target: String, call_id: String, receipt: Box<Value> },
    #[error("the ledger's database could not be used; nothing was changed")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The guard's store failed where that does not show that nothing was changed.
    #[error("the ledger's database could not be used; {what}")]
    StoreLost {
        /// What nobody knows.
        what: &'static str,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the secret could not be stored: {0}; nothing was changed")]
    SecretSink(String),
    #[error("an internal error occurred in the server")]
    Internal,
}

impl CallError {
    pub fn code(&self) -> String {
        match self {
            Self::UnknownTool { .. } => "unknown_tool".into(),
            Self::InvalidArguments { .. } => "invalid_arguments".into(),
            Self::UnknownConnection { .. } | Self::NotServed { .. } => "unknown_connection".into(),
            Self::Denied { .. } => "denied".into(),
            Self::Provider(error) => error.code(),
            Self::PendingApproval { .. } => "pending_approval".into(),
            Self::NotConfirmed { code, .. } => (*code).into(),
            Self::BadConfirmation { .. } => "confirmation_rejected".into(),
            Self::KeyReused { .. } => "idempotency_key_reused".into(),
            Self::OutcomeUnknown { .. } => "outcome_unknown".into(),
            Self::NotRecorded { .. } => "not_recorded".into(),
            Self::Store(_) | Self::StoreLost { .. } => "store_unavailable".into(),
            Self::SecretSink(_) => "secret_sink_unavailable".into(),
            Self::Internal => "internal".into(),
        }
    }

    pub fn fix(&self) -> String {
        match self {
            Self::UnknownTool { near, .. } if near.is_empty() => "list the tools".into(),
            Self::UnknownTool { near, .. } => format!("did you mean {}?", near.join(" or ")),
            Self::InvalidArguments { fix, .. }
            | Self::Denied { fix, .. }
            | Self::NotConfirmed { fix, .. }
            | Self::PendingApproval { fix, .. }
            | Self::OutcomeUnknown { fix, .. } => fix.clone(),
            Self::UnknownConnection { able, .. } => format!("use one of: {}", able.join(", ")),
            Self::NotServed { connection, near, able, tool } => {
                let there = if near.is_empty() { String::new() } else { format!("`{connection}` has {}; ", near.join(" and ")) };
                format!("{there}{tool} is served by {}", able.join(", "))
            }
            Self::Provider(error) => error.fix(),
            Self::BadConfirmation { .. } => "repeat the call without a confirmation; the person is then asked again".into(),
            Self::KeyReused { .. } => "use a new key for a new call, or repeat the first call unchanged".into(),
            Self::NotRecorded { .. } => "do not repeat the call: the change was made, as `receipt` shows; run `rolecall doctor`".into(),
            Self::Store(_) => STORE_FIX.into(),
            Self::SecretSink(_) => "run `rolecall doctor`".into(),
            Self::StoreLost { .. } => {
                "wait, and repeat the call unchanged, with its `idempotency_key` if it had one; if that fails, run `rolecall doctor`".into()
            }
            Self::Internal => "report this with the server's log; the call may be repeated".into(),
        }
    }

    pub fn retryable(&self) -> bool {
        match self {
            Self::Provider(error) => error.retryable(),
            Self::PendingApproval { .. } | Self::Store(_) | Self::StoreLost { .. } => true,
            _ => false,
        }
    }

    /// What went wrong, in a line. Questions and lists of faults keep their lines: their parts are on one each.
    pub fn told(&self) -> String {
        let message = chain(self);
        match self {
            Self::PendingApproval { .. } | Self::InvalidArguments { .. } | Self::Provider(ProviderError::Invalid { .. }) => message,
            _ => one_line(&message).into_owned(),
        }
    }

    /// The error as that of one account of several.
    pub fn failed(&self, connection: &str) -> Failed {
        Failed { connection: connection.to_owned(), code: self.code(), message: self.told(), fix: one_line(&self.fix()).into_owned() }
    }

    /// The error as agents read it: `code`, `message`, `fix`, `retryable`.
    pub fn to_value(&self) -> Value {
        let mut error = Map::new();
        error.insert("code".into(), self.code().into());
        error.insert("message".into(), self.told().into());
        error.insert("fix".into(), one_line(&self.fix()).into());
        error.insert("retryable".into(), self.retryable().into());
        match self {
            Self::PendingApproval { id, expires_in_s, address, .. } => {
                error.insert("status".into(), "pending_approval".into());
                error.insert("approval_id".into(), id.as_str().into());
                error.insert("expires_in_s".into(), json!(expires_in_s));
                if let Some(address) = address {
                    error.insert("address".into(), address.as_str().into());
                }
            }
            Self::NotConfirmed { .. } | Self::BadConfirmation { .. } | Self::Denied { .. } => {
                error.insert("status".into(), "refused".into());
            }
            Self::OutcomeUnknown { call_id, .. } => {
                error.insert("status".into(), "outcome_unknown".into());
                error.insert("call_id".into(), call_id.as_str().into());
            }
            Self::NotRecorded { call_id, receipt, .. } => {
                error.insert("status".into(), "not_recorded".into());
                error.insert("call_id".into(), call_id.as_str().into());
                error.insert("receipt".into(), (**receipt).clone());
            }
            Self::Store(_) | Self::StoreLost { .. } | Self::Provider(ProviderError::Store(_) | ProviderError::StoreBusy) => {
                error.insert("retry_after_s".into(), STORE_RETRY_S.into());
            }
            Self::Provider(ProviderError::Ambiguous { candidates, .. }) => {
                let (shown, more) = shown(candidates);
                error.insert("candidates".into(), shown.into());
                if more > 0 {
                    error.insert("more_candidates".into(), more.into());
                }
            }
            Self::Provider(ProviderError::Remote(remote)) => {
                let optional = [
                    ("retry_after_s", remote.retry_after_s.map(Value::from)),
                    ("request_id", remote.request_id.as_deref().map(Value::from)),
                ];
                error.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
            }
            _ => {}
        }
        error.into()
    }
}

/// An error's message and those of its sources, once each.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(it) = source {
        let more = it.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = it.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ambiguous(candidates: usize) -> CallError {
        let candidates = (1..=candidates).map(|it| format!("Atlas [{it}]")).collect();
        ProviderError::Ambiguous { kind: "project", name: "Atlas".into(), candidates }.into()
    }

    #[test]
    fn ten_candidates_are_named_and_the_rest_is_counted() {
        let few = ambiguous(10).to_value();
        assert_eq!(few["candidates"].as_array().map(Vec::len), Some(10));
        assert!(few["more_candidates"].is_null() && few["fix"].as_str().is_some_and(|it| it.ends_with("Atlas [10]")), "{few}");
        let many = ambiguous(5_000).to_value();
        assert_eq!((many["candidates"].as_array().map(Vec::len), &many["more_candidates"]), (Some(10), &json!(4_990)));
        assert_eq!(many["message"], "`Atlas` matches 5000 projects");
        let fix = many["fix"].as_str().unwrap_or_default();
        assert!(fix.ends_with("Atlas [10]; or with the id of one of 4990 more") && fix.len() < 300, "{fix}");
    }
}
