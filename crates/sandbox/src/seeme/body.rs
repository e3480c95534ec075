//! Bodies: objects without unknown fields.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::Call;

/// Reads and removals have no body.
pub(super) fn fits_method(call: &Call) -> Result<(), Refusal> {
    let bare = matches!(call.method.as_str(), "GET" | "DELETE") && !call.body.is_empty();
    if bare { Err(Refusal::malformed(format!("a {} has no body", call.method))) } else { Ok(()) }
}

/// An object that came in, with no more fields than were allowed.
#[derive(Debug)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    /// Reads an object of these fields. The vendor's own client sends no `Content-Type`.
    pub(super) fn read(call: &Call, allowed: &[&str]) -> Result<Self, Refusal> {
        if let Some(other) = call.header("content-type").filter(|it| !it.starts_with("application/json")) {
            return Err(Refusal::malformed(format!("`{other}` is not JSON")));
        }
        let Some(Value::Object(fields)) = call.json() else { return Err(Refusal::malformed("the body is not a JSON object")) };
        match fields.keys().find(|it| !allowed.contains(&it.as_str())) {
            Some(unknown) => Err(Refusal::malformed(format!("unknown field `{unknown}`"))),
            None => Ok(Self(fields)),
        }
    }

    /// A field as it came; `null` where it did not.
    pub(super) fn value(&self, name: &str) -> Value {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// A text; `null` and nothing are `None`.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.value(name) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => Err(Refusal::malformed(format!("`{name}` is not a text"))),
        }
    }

    /// A text with something in it, if there is one.
    pub(super) fn filled(&self, name: &str) -> Result<Option<String>, Refusal> {
        Ok(self.text(name)?.filter(|it| !it.trim().is_empty()))
    }

    /// A text that has to be there.
    pub(super) fn required(&self, name: &str) -> Result<String, Refusal> {
        self.filled(name)?.ok_or_else(|| Refusal::invalid(format!("`{name}` is required")))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.value(name) {
            Value::Null => Ok(false),
            Value::Bool(flag) => Ok(flag),
            _ => Err(Refusal::malformed(format!("`{name}` is neither true nor false"))),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let texts: Result<Option<Vec<String>>, _> = serde_json::from_value(self.value(name));
        texts.map(Option::unwrap_or_default).map_err(|_| Refusal::malformed(format!("`{name}` is not a list of texts")))
    }
}
