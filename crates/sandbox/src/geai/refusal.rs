//! A call that is refused, in the service's words.

use serde_json::json;

use super::{
    Answer,
    quirks::{Failures, Quirks},
};

/// A status, the service's own number, and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    id: u32,
    text: String,
}

impl Refusal {
    pub(super) fn new(status: u16, id: u32, text: impl Into<String>) -> Self {
        Self { status, id, text: text.into() }
    }

    pub(super) fn bad_endpoint() -> Self {
        Self::new(404, 404, "Bad Endpoint")
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(405, 405, "Method Not Allowed")
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, 401, "Unauthorized")
    }

    /// An API token where a signed-in person is needed.
    pub(super) fn login() -> Self {
        Self::new(401, 112, "Access token not found, login again")
    }

    pub(super) fn forbidden() -> Self {
        Self::new(403, 403, "Forbidden")
    }

    /// A token that is good, but not for this.
    pub(super) fn out_of_scope() -> Self {
        Self::new(403, 7, "Token out of scope")
    }

    pub(super) fn mismatch() -> Self {
        Self::new(403, 2006, "Organization or Project mismatch: verify the provided authorization")
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, 5, "Not Found")
    }

    /// The service leaves its placeholder unfilled.
    pub(super) fn missing(field: &str) -> Self {
        Self::new(400, 9, format!("Input data is missing (required %1) {field}"))
    }

    pub(super) fn out_of_range(field: &str) -> Self {
        Self::new(400, 8, format!("Field {field} is out of range"))
    }

    pub(super) fn answer(&self, quirks: &Quirks) -> Answer {
        let Self { status, id, text } = self;
        let status = if quirks.failures_with_200 { 200 } else { *status };
        let body = match quirks.failures {
            Failures::Errors => json!({ "errors": [{ "id": id, "description": text }] }),
            Failures::ErrorsObject => json!({ "errors": { "id": id, "description": text } }),
            Failures::Error => json!({ "error": { "code": id, "message": text } }),
            Failures::ErrorText => json!({ "error": text }),
            Failures::Message => json!({ "message": text }),
            Failures::MessageList => json!({ "message": [{ "type": "error", "description": text }] }),
            Failures::Text => return Answer::text(status, "text/plain", text),
        };
        Answer::json(status, &body)
    }
}
