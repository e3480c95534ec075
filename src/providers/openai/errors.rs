//! How the service says that something went wrong.

use serde_json::Value;

use crate::{
    error::{ProviderError, RemoteError},
    providers::http::{Heard, Said},
};

/// An error is an object, a text, or an older object without `error`; a proxy's page says nothing.
pub(super) fn explain(heard: &Heard<'_>) -> Option<Said> {
    if heard.status < 400 {
        return None;
    }
    let body = heard.json?;
    let message = match body.get("error") {
        Some(Value::String(text)) => text.as_str(),
        Some(error) => error["message"].as_str().unwrap_or_default(),
        None => body["message"].as_str().unwrap_or_default(),
    };
    let fix =
        missing_scopes(message).map(|scopes| format!("use an admin key with these scopes: {scopes}; owners make one in the dashboard"));
    Some(Said { code: None, message: message.to_owned(), fix })
}

/// The scopes that a key lacks, where the message is about that.
fn missing_scopes(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("Missing scopes: ")?;
    let scopes = rest.split(|it: char| it.is_whitespace() || it == ';').next().unwrap_or(rest);
    Some(scopes.trim_end_matches('.')).filter(|it| !it.is_empty())
}

/// What there is, or nothing where the service finds nothing.
pub(super) fn found<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match answer {
        Ok(it) => Ok(Some(it)),
        Err(ProviderError::Remote(error)) if is_missing(&error) => Ok(None),
        Err(other) => Err(other),
    }
}

fn is_missing(error: &RemoteError) -> bool {
    error.status == Some(404)
}

/// What there is in a project, or nothing where it has none: one that was archived refuses to be looked into.
pub(super) fn within<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match found(answer) {
        Err(ProviderError::Remote(error)) if error.status == Some(400) => Ok(None),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_shape_of_an_error_is_understood() {
        let said = |status, json: Value| explain(&Heard { status, json: Some(&json) });
        let object = json!({ "error": { "message": "No such thing.", "type": "invalid_request_error", "param": null, "code": null } });
        assert_eq!(said(404, object).map(|it| it.message), Some("No such thing.".to_owned()));
        assert_eq!(said(404, json!({ "code": 404, "message": "No such thing." })).map(|it| it.message), Some("No such thing.".to_owned()));
        let text = said(403, json!({ "error": "You may not. Missing scopes: api.management.read. Ask somebody." }));
        assert_eq!(text.as_ref().map(|it| it.message.as_str()), Some("You may not. Missing scopes: api.management.read. Ask somebody."));
        let fix = text.and_then(|it| it.fix);
        assert!(fix.is_some_and(|it| it.contains("api.management.read;")));
        assert_eq!(explain(&Heard { status: 502, json: None }), None);
        assert_eq!(said(200, json!({ "error": "not one" })), None);
    }
}
