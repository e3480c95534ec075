//! What handlers give back, and the service's errors.

use serde_json::{Value, json};

use super::{Answer, ErrorShape};

pub(super) type Reply = Result<Value, Refusal>;

/// A request that the service does not carry out.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    message: String,
    param: Option<String>,
    code: Option<&'static str>,
    /// The live service answers missing scopes with a text where there is an object elsewhere.
    bare: bool,
}

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), param: None, code: None, bare: false }
    }

    /// 400: an argument is wrong, or a rule is broken by it.
    pub(super) fn bad(param: &str, message: impl Into<String>) -> Self {
        Self { param: Some(param.to_owned()).filter(|it| !it.is_empty()), ..Self::new(400, message) }
    }

    /// 404: there is no such thing, or not here.
    pub(super) fn missing(what: &str, id: &str) -> Self {
        Self { code: Some("not_found"), ..Self::new(404, format!("No {what} found with id '{id}'.")) }
    }

    pub(super) fn no_such_path() -> Self {
        Self { code: Some("unknown_url"), ..Self::new(404, "Invalid URL.") }
    }

    pub(super) fn unknown_key() -> Self {
        Self { code: Some("invalid_api_key"), ..Self::new(401, "Incorrect API key provided.") }
    }

    /// 403: the right key, and yet not allowed.
    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new(403, message)
    }

    pub(super) fn missing_scope(scope: &str) -> Self {
        Self { bare: true, ..Self::new(403, format!("Not enough rights for this operation. Missing scopes: {scope}.")) }
    }

    /// 409: something else is in the way.
    pub(super) fn conflict(param: &str, message: impl Into<String>) -> Self {
        Self { param: Some(param.to_owned()), ..Self::new(409, message) }
    }

    pub(super) fn planned(status: u16) -> Self {
        Self::new(status, "This was planned.")
    }

    pub(super) fn answer(&self, shape: ErrorShape) -> Answer {
        let status = self.status;
        match shape {
            ErrorShape::Object if self.bare => Answer::json(status, &json!({ "error": self.message })),
            ErrorShape::Object => {
                let kind = if status >= 500 { "server_error" } else { "invalid_request_error" };
                let error = json!({ "message": self.message, "type": kind, "param": self.param, "code": self.code });
                Answer::json(status, &json!({ "error": error }))
            }
            ErrorShape::Text => Answer::json(status, &json!({ "error": self.message })),
            ErrorShape::Flat => Answer::json(status, &json!({ "code": status, "message": self.message })),
            ErrorShape::Html => Answer::text(status, "text/html", "<html><head><title>Error</title></head><body>nginx</body></html>"),
            ErrorShape::Empty => Answer::empty(status),
        }
    }
}
