//! What the gateway's errors say. The lines of a stack that they may carry are for the service's own people.

use serde_json::Value;

use crate::providers::http::{Heard, Said};

/// Reads an error. Its gRPC code decides what it means where there is one: status 400 alone may be two things.
pub(super) fn explain(heard: &Heard<'_>) -> Option<Said> {
    if heard.status < 400 {
        return None;
    }
    let body = heard.json?;
    let text = |name: &str| body[name].as_str().filter(|it| !it.trim().is_empty());
    let mut message = text("message").or_else(|| text("error")).unwrap_or_default().trim_end_matches('.').to_owned();
    let about: Vec<String> = [detail(body, "reason"), number(body).map(|it| format!("error {it}"))].into_iter().flatten().collect();
    if !about.is_empty() {
        let about = about.join(", ");
        message = if message.is_empty() { about } else { format!("{message} ({about})") };
    }
    if let Some(suggestion) = detail(body, "suggestion") {
        message = format!("{message}; the service suggests: {suggestion}");
    }
    let (code, fix) = match body["code"].as_u64() {
        Some(3) => (Some("invalid_request"), None),
        Some(5) => (Some("not_found"), None),
        Some(6) => (Some("conflict"), None),
        Some(7) => (Some("forbidden"), None),
        Some(8) if heard.status != 429 => {
            (Some("quota_exhausted"), Some("free what is used, or have the quota raised in the service's web application"))
        }
        Some(9) => {
            let fix = "resolve the obstacle first; a subscription is ended in the service's web application";
            (Some("failed_precondition"), Some(fix))
        }
        Some(12) => (Some("not_supported"), None),
        Some(13 | 14) => (Some("provider_failed"), None),
        Some(16) => (Some("unauthenticated"), None),
        _ => (None, None),
    };
    Some(Said { code, message, fix: fix.map(str::to_owned) })
}

/// A text of whichever detail has it. Details with a stack have none of these.
fn detail(body: &Value, name: &str) -> Option<String> {
    body["details"].as_array()?.iter().find_map(|it| it[name].as_str()).filter(|it| !it.is_empty()).map(str::to_owned)
}

fn number(body: &Value) -> Option<String> {
    let metadata = body["details"].as_array()?.iter().find_map(|it| it["metadata"].as_object())?;
    metadata.get("error_number").or_else(|| metadata.get("errorNumber"))?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(status: u16, body: &Value) -> Option<Said> {
        explain(&Heard { status, json: Some(body) })
    }

    #[test]
    fn the_code_decides_and_the_stack_stays_out() {
        let body = json!({
            "code": 9, "error": "organization has an active subscription", "message": "organization has an active subscription",
            "details": [
                { "@type": "type.googleapis.com/google.rpc.DebugInfo", "stackEntries": ["secret.go:1"], "detail": "secret" },
                { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACTIVE_SUBSCRIPTION", "domain": "api.aiaengine.com",
                  "metadata": { "error_number": "9-11" } },
                { "@type": "type.googleapis.com/x.SuggestionInfo", "suggestion": "end it" },
            ],
        });
        let said_of = said(400, &body).expect("an error");
        assert_eq!(said_of.code, Some("failed_precondition"));
        assert_eq!(
            said_of.message,
            "organization has an active subscription (ACTIVE_SUBSCRIPTION, error 9-11); the service suggests: end it"
        );
        assert_eq!(said(400, &json!({ "code": 3, "message": "name is required" })).and_then(|it| it.code), Some("invalid_request"));
        assert_eq!(said(404, &json!({ "error": "gone" })), Some(Said { message: "gone".into(), ..Said::default() }));
        assert_eq!(said(200, &json!({ "code": 5, "name": "an organization" })), None);
    }
}
