//! What a service's refusals and failures mean to an agent.

use std::time::Duration;

use serde_json::Value;

use super::Service;
use crate::{
    domain::clean,
    error::{ProviderError, RemoteError},
    shape::{REDACTED, cut, redact},
};

/// How a service says that something went wrong: `None` where the answer is no error. It is asked about every answer,
/// also one with status 200, since some services fail inside of those.
pub(crate) type Explain = fn(&Heard<'_>) -> Option<Said>;

/// An answer, as far as it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard<'a> {
    pub(crate) status: u16,
    /// The body, where it is JSON.
    pub(crate) json: Option<&'a Value>,
}

/// What the service said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// A code of ours, where the status alone does not tell.
    pub(crate) code: Option<&'static str>,
    /// The service's own words.
    pub(crate) message: String,
    /// A better next step than the one that follows from the code.
    pub(crate) fix: Option<String>,
}

/// The longest message that is passed on.
const MOST: usize = 500;

/// The code for a status.
fn code_of(status: u16) -> &'static str {
    match status {
        400 | 422 => "invalid_request",
        401 => "unauthenticated",
        402 | 403 => "forbidden",
        404 => "not_found",
        405 | 501 => "not_supported",
        408 => "timeout",
        409 => "conflict",
        413 => "too_large",
        429 => "rate_limited",
        300..400 => "redirected",
        _ => "provider_failed",
    }
}

impl Service {
    /// The error for an answer that is no success.
    pub(super) fn failure(&self, status: u16, said: Option<Said>, request_id: Option<String>, retry_after_s: Option<u64>) -> ProviderError {
        let said = said.unwrap_or_default();
        let code = said.code.unwrap_or_else(|| code_of(status));
        let message =
            if said.message.trim().is_empty() { format!("the service answered {status}") } else { self.presentable(&said.message) };
        let connection = &self.connection;
        let fix = said.fix.unwrap_or_else(|| match code {
            "unauthenticated" => {
                format!("the key of connection `{connection}` is not accepted: put a valid one in place, see `rolecall doctor`")
            }
            "forbidden" => {
                format!("the account of connection `{connection}` may not do this: ask for the right, or use another connection")
            }
            "not_found" => "look at what there is with the list tool of the same noun".into(),
            "not_supported" => "this installation of the service does not have the operation".into(),
            "redirected" => format!("correct `base_url` of connection `{connection}`"),
            "rate_limited" => retry_after_s
                .map_or_else(|| "wait a minute, then repeat the call".into(), |it| format!("wait {it} s, then repeat the call")),
            "provider_failed" | "timeout" => "repeat the call in a moment".into(),
            "conflict" => "look at the target as it is now, then decide".into(),
            _ => "correct the arguments".into(),
        });
        let retryable = matches!(code, "rate_limited" | "provider_failed" | "timeout");
        ProviderError::Remote(Box::new(RemoteError { code, message, fix, status: Some(status), request_id, retryable, retry_after_s }))
    }

    /// It is not this call's turn before its time is over: nothing was sent.
    pub(super) fn busy(&self, wait: Duration) -> ProviderError {
        let wait = wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1);
        ProviderError::Remote(Box::new(RemoteError {
            code: "rate_limited",
            message: format!("connection `{}` has more to do than its service allows for now", self.connection),
            fix: format!("wait {wait} s, then repeat the call"),
            status: None,
            request_id: None,
            retryable: true,
            retry_after_s: Some(wait),
        }))
    }

    /// Outsiders' words as they may be shown: one line, bounded, without our own key.
    pub(super) fn presentable(&self, text: &str) -> String {
        let mut text = redact(&clean(text)).split_whitespace().collect::<Vec<_>>().join(" ");
        if let super::Auth::Bearer(key) = &self.auth
            && let Some(key) = key.known()
        {
            let key = secrecy::ExposeSecret::expose_secret(key);
            if !key.is_empty() {
                text = text.replace(key, REDACTED);
            }
        }
        cut(&text, MOST)
    }

    /// No answer came to a read, or the connection never came up.
    pub(super) fn unreachable(&self, error: &reqwest::Error) -> ProviderError {
        let (code, what) = if error.is_timeout() && !error.is_connect() {
            ("timeout", "did not answer in time")
        } else if error.is_connect() {
            ("unreachable", "cannot be reached")
        } else {
            ("unreachable", "ended the connection without an answer")
        };
        ProviderError::Remote(Box::new(RemoteError {
            code,
            message: format!("the service of connection `{}` {what}", self.connection),
            fix: "see whether it runs and `base_url` is right, then repeat the call".into(),
            status: None,
            request_id: None,
            retryable: true,
            retry_after_s: None,
        }))
    }

    /// An answer that is not what the service promises.
    pub(super) fn unreadable(&self, what: &str, request_id: Option<String>) -> ProviderError {
        ProviderError::Remote(Box::new(RemoteError {
            code: "unreadable_answer",
            message: format!("the answer of connection `{}` cannot be read: {}", self.connection, cut(what, 200)),
            fix: "repeat the call; if it stays so, see whether `base_url` leads to the service itself".into(),
            status: None,
            request_id,
            retryable: true,
            retry_after_s: None,
        }))
    }
}
