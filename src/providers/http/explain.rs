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

/// A span of time as people say it; never shorter than it is.
pub(super) fn span(seconds: u64) -> String {
    let (size, name) = match seconds {
        0..120 => (1, "s"),
        120..7200 => (60, "minutes"),
        7200..86_400 => (3600, "hours"),
        _ => (86_400, "days"),
    };
    match (seconds.div_ceil(size), name) {
        (1, "days") => "1 day".to_owned(),
        (count, name) => format!("{count} {name}"),
    }
}

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
                .map_or_else(|| "wait a minute, then repeat the call".into(), |it| format!("wait {}, then repeat the call", span(it))),
            "provider_failed" | "timeout" => match retry_after_s {
                Some(it) if it > 1 => format!("the service asks to be left alone for {}: repeat the call after that", span(it)),
                _ => "repeat the call in a moment".into(),
            },
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
            fix: format!("wait {}, then repeat the call", span(wait)),
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

    /// The path that this service usually lies below, where `base_url` has not got it.
    fn missing_path(&self) -> Option<&'static str> {
        self.usual_path.filter(|it| !self.base.trim_end_matches('/').ends_with(it))
    }

    /// How `base_url` may be put right.
    fn better_address(&self) -> String {
        let connection = &self.connection;
        match self.missing_path() {
            Some(path) => format!("set `base_url` of connection `{connection}` to the address with its path: `{}{path}`", self.base),
            None => format!("correct `base_url` of connection `{connection}`; see `rolecall doctor`"),
        }
    }

    /// Whether a 404 is not about a thing that is missing, but says that the address leads elsewhere: a web page, words about
    /// addresses, or no list at all where the base lacks its path. `is_list`: whether a path without ids in it was asked for.
    pub(super) fn leads_elsewhere(&self, said: Option<&Said>, is_page: bool, is_list: bool) -> bool {
        let text = said.map(|it| it.message.to_lowercase()).unwrap_or_default();
        let about_addresses = ["invalid url", "unknown request url", "unknown path", "unknown endpoint", "no such path", "route not found"];
        let is_explained = said.is_some_and(|it| it.code.is_some_and(|it| it != "not_found"));
        let is_strange = is_page || about_addresses.iter().any(|it| text.contains(it));
        // Below the right path, an installation may lack an operation on one thing, and never a list.
        !is_explained && if self.missing_path().is_some() { is_strange || is_list } else { is_strange && is_list }
    }

    /// The error where `base_url` leads to something else than the service.
    pub(super) fn elsewhere(&self, request_id: Option<String>) -> ProviderError {
        let lacks = self.missing_path().map(|it| format!(", and has no `{it}` in it")).unwrap_or_default();
        ProviderError::Remote(Box::new(RemoteError {
            code: "wrong_address",
            message: format!("`{}`, the `base_url` of connection `{}`, does not lead to the service{lacks}", self.base, self.connection),
            fix: self.better_address(),
            status: None,
            request_id,
            retryable: false,
            retry_after_s: None,
        }))
    }

    /// An answer that is not what the service promises.
    pub(super) fn unreadable(&self, what: &str, request_id: Option<String>) -> ProviderError {
        let also = self.missing_path().map(|_| format!("; {}", self.better_address())).unwrap_or_default();
        ProviderError::Remote(Box::new(RemoteError {
            code: "unreadable_answer",
            message: format!("the answer of connection `{}` cannot be read: {}", self.connection, cut(what, 200)),
            fix: format!("repeat the call; if it stays so, see whether `base_url` leads to the service itself{also}"),
            status: None,
            request_id,
            retryable: true,
            retry_after_s: None,
        }))
    }
}
