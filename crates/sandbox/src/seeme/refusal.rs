//! What the service refuses, and how it says so.

use serde_json::json;

use crate::Answer;

/// A status from 400 on, and why.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    message: String,
}

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The request is no request of this API.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// The request is well-formed, and its values are not possible.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, message)
    }

    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(401, message)
    }

    pub(super) fn unpaid(message: impl Into<String>) -> Self {
        Self::new(402, message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, message)
    }

    pub(super) fn missing(what: &str) -> Self {
        Self::new(404, format!("{what} not found"))
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(404, "no such path")
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, message)
    }

    pub(super) fn answer(&self) -> Answer {
        Answer::json(self.status, &json!({ "message": self.message, "severity": "error" }))
    }
}
