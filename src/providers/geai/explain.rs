//! How the service says that something went wrong.

use serde_json::Value;

use crate::providers::http::{Heard, Said};

/// Reads an answer in each of the shapes that failures come in, on any status; `None` where it is none.
///
/// A list `errors` without items is a success: a token that was made has one.
pub(super) fn explain(heard: &Heard<'_>) -> Option<Said> {
    let success = (200..300).contains(&heard.status);
    let Some(json) = heard.json else { return (!success).then(Said::default) };
    let said = first(json.get("errors")).or_else(|| json.get("error").and_then(one)).or_else(|| match json.get("message") {
        Some(Value::Array(items)) => items.first().filter(|it| !success || is_error(it)).and_then(one),
        Some(text @ Value::String(_)) if !success => one(text),
        _ => None,
    });
    match said {
        Some((number, text)) => Some(meaning(heard.status, number, &text)),
        None => (!success).then(Said::default),
    }
}

fn first(errors: Option<&Value>) -> Option<(Option<u64>, String)> {
    match errors? {
        Value::Array(items) => items.first().and_then(one),
        other => one(other),
    }
}

/// Number and text of one failure; nothing of an empty one.
fn one(it: &Value) -> Option<(Option<u64>, String)> {
    match it {
        Value::String(text) if !text.is_empty() => Some((None, text.clone())),
        Value::Object(fields) if !fields.is_empty() => {
            let number = ["id", "code"].iter().find_map(|name| fields.get(*name)).and_then(number);
            let text = ["description", "message"].iter().find_map(|name| fields.get(*name)).and_then(Value::as_str);
            Some((number, text.unwrap_or_default().to_owned()))
        }
        _ => None,
    }
}

fn number(it: &Value) -> Option<u64> {
    it.as_u64().or_else(|| it.as_str()?.trim().parse().ok())
}

fn is_error(it: &Value) -> bool {
    it.get("type").and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case("error"))
}

const LOGIN: &str = "the OAuth access token has ended or is none: sign in again, and put the new one in place";

fn meaning(status: u16, number: Option<u64>, text: &str) -> Said {
    // The service leaves placeholders unfilled.
    let message = text.replace("(required %1)", "(required)").replace("%1", "").trim().to_owned();
    let has = |part: &str| text.to_lowercase().contains(part);
    let (code, fix) = match number {
        _ if is_bad_endpoint(text) => (Some("not_supported"), None),
        _ if has("organization or project mismatch") => {
            (Some("forbidden"), Some("see whether the token and the ids of the connection belong to one organization".to_owned()))
        }
        Some(101..=103 | 112 | 114 | 122) => (Some("unauthenticated"), Some(LOGIN.to_owned())),
        _ if has("projectid") => {
            (Some("invalid_request"), Some("set `project_id` of the connection: OAuth needs one with every call".to_owned()))
        }
        Some(6 | 401) => (Some("unauthenticated"), None),
        Some(7 | 403) => (Some("forbidden"), None),
        Some(5 | 404 | 2004 | 2005) => (Some("not_found"), None),
        Some(405) => (Some("not_supported"), None),
        Some(154) => (Some("quota_exceeded"), Some("see list_usage_limits, or wait for the next period".to_owned())),
        Some(409 | 2002 | 2003 | 2029) => (Some("conflict"), None),
        Some(429) => (Some("rate_limited"), None),
        Some(500..=599) => (Some("provider_failed"), None),
        // A success that failed says nothing by its status.
        _ if (200..300).contains(&status) => (Some("invalid_request"), None),
        _ => (None, None),
    };
    Said { code, message, fix }
}

/// Whether this says that the service has no such path at all.
pub(super) fn is_bad_endpoint(text: &str) -> bool {
    text.to_lowercase().contains("bad endpoint")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(status: u16, body: &Value) -> Option<(Option<&'static str>, String)> {
        explain(&Heard { status, json: Some(body) }).map(|it| (it.code, it.message))
    }

    #[test]
    fn failures_are_heard_in_every_shape() {
        let mismatch = "Organization or Project mismatch: verify the provided authorization";
        for body in [
            json!({ "errors": [{ "id": 2006, "description": mismatch }] }),
            json!({ "errors": { "id": 2006, "description": mismatch } }),
            json!({ "error": { "code": 2006, "message": mismatch } }),
            json!({ "error": mismatch }),
            json!({ "message": [{ "type": "error", "description": mismatch }] }),
        ] {
            assert_eq!(told(200, &body), Some((Some("forbidden"), mismatch.to_owned())), "{body}");
            assert_eq!(told(403, &body), Some((Some("forbidden"), mismatch.to_owned())), "{body}");
        }
        assert_eq!(told(400, &json!({ "message": "no" })), Some((None, "no".to_owned())));
        assert_eq!(explain(&Heard { status: 502, json: None }), Some(Said::default()));
    }

    #[test]
    fn what_only_looks_like_a_failure_is_a_success() {
        for body in [
            json!({ "id": "x", "errors": [], "messages": [{ "id": 0, "description": "Created", "type": "Success" }] }),
            json!({ "messages": { "description": "Organization plugin-runtime-policies not defined." } }),
            json!({ "message": "done" }),
            json!({ "message": [{ "type": "Success", "description": "done" }] }),
            json!({ "error": null, "errors": null }),
            json!({ "name": "errors" }),
        ] {
            assert_eq!(told(200, &body), None, "{body}");
        }
        assert_eq!(explain(&Heard { status: 204, json: None }), None);
    }
}
