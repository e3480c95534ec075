//! Results as short text: the same facts as the structured content, for people and for models that read text.

use serde_json::{Map, Value};

use crate::shape::cut;

/// A result as text: a line per item of a list, a line per field of anything else.
pub fn text(result: &Value) -> String {
    let Value::Object(fields) = result else { return scalar(result) };
    if let Some(Value::Array(items)) = fields.get("items") {
        return list(fields, items);
    }
    match fields.get("status").and_then(Value::as_str) {
        Some(status) if fields.contains_key("target") => receipt(status, fields),
        _ => lines(fields, 0),
    }
}

/// An error as text: what is wrong, and what to do.
pub fn error(error: &Value) -> String {
    let part = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}: {}\nNext: {}", part("code"), part("message"), part("fix"))
}

fn list(fields: &Map<String, Value>, items: &[Value]) -> String {
    let mut text = match (items.len(), fields.get("total").and_then(Value::as_u64)) {
        (0, _) => "Nothing found.".to_owned(),
        (shown, Some(total)) => format!("{shown} of {total}:"),
        (shown, None) => format!("{shown} shown:"),
    };
    for item in items {
        text += &format!("\n- {}", line(item));
    }
    if let Some(cursor) = fields.get("next_cursor").and_then(Value::as_str) {
        text += &format!("\nMore: call again with cursor {cursor}");
    }
    text
}

fn receipt(status: &str, fields: &Map<String, Value>) -> String {
    let target = fields.get("target").map(line).unwrap_or_default();
    let mut text = match status {
        "done" => format!("Done: {target}"),
        "dry_run" => format!("Preview, nothing was changed: {target}"),
        "running" => format!("Still running, get_job tells the rest: {target}"),
        "partly" => format!("Partly{}: {target}", made(fields)),
        "failed" => format!("Failed{}: {target}", made(fields)),
        "stopped" => format!("Stopped at a failure{}: {target}", made(fields)),
        "cancelled" => format!("Cancelled before its end{}: {target}", made(fields)),
        _ => format!("NOT DONE, a person has to agree first: {target}"),
    };
    for name in ["before", "after"] {
        if let Some(value) = fields.get(name).filter(|it| !it.is_null()) {
            let value = match value.get("items").and_then(Value::as_array) {
                Some(items) => items.iter().map(|it| format!("\n  - {}", line(it))).collect::<Vec<_>>().concat(),
                None => format!(" {}", line(value)),
            };
            text += &format!("\n{name}:{value}");
        }
    }
    if let Some(question) = fields.get("question").and_then(Value::as_str) {
        text += &format!("\n{question}");
    } else if let Some(impact) = fields.get("impact").filter(|_| status != "done") {
        text += &format!("\nimpact: {}", line(impact));
    }
    if let Some(secret) = fields.get("secret") {
        text += &format!("\nsecret: {}", line(secret));
    }
    if let Some(undo) = fields.get("undo").and_then(Value::as_str).filter(|_| !fields.contains_key("question")) {
        text += &format!("\nUndo: {undo}");
    }
    text
}

/// How much of many was made, and how the rest ended: `, 1 of 3 made, 2 refused`.
fn made(fields: &Map<String, Value>) -> String {
    let count = |name: &str| fields.get("after").and_then(|it| it.get(name)).and_then(Value::as_u64).unwrap_or_default();
    let others = [
        ("skipped", "so already"),
        ("differs", "there with another role"),
        ("failed", "failed"),
        ("unknown", "of unknown outcome"),
        ("refused", "refused"),
        ("cancelled", "cancelled"),
        ("pending", "pending"),
    ];
    let others: Vec<(u64, &str)> = others.iter().map(|it| (count(it.0), it.1)).filter(|it| it.0 > 0).collect();
    let done = count("done");
    let told: String = others.iter().map(|(count, how)| format!(", {count} {how}")).collect();
    format!(", {done} of {} made{told}", done + others.iter().map(|it| it.0).sum::<u64>())
}

fn lines(fields: &Map<String, Value>, depth: usize) -> String {
    let line_of = |(name, value): (&String, &Value)| format!("{:depth$}{name}: {}", "", line(value), depth = depth * 2);
    fields.iter().filter(|(name, _)| *name != "image").map(line_of).collect::<Vec<_>>().join("\n")
}

/// A value on one line: the first field leads, an id stands in brackets.
fn line(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut parts = Vec::new();
            for (name, value) in fields {
                match (name.as_str(), value) {
                    (_, Value::Null) | ("image", _) => {}
                    ("id", value) => parts.push(format!("[{}]", scalar(value))),
                    (_, value) if parts.is_empty() => parts.push(scalar(value)),
                    (name, value) => parts.push(format!("{name}={}", scalar(value))),
                }
            }
            parts.join(" ")
        }
        other => scalar(other),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, 300),
        Value::Array(items) => items.iter().map(line).collect::<Vec<_>>().join(", "),
        Value::Object(_) => format!("({})", line(value)),
        other => other.to_string(),
    }
}
