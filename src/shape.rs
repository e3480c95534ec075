//! The one path that all results, errors and ledger rows take: secrets out, invisible characters out, long texts cut.

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::{clean, one_line};

/// No text in a result is longer; a picture is not a text.
const MAX_TEXT: usize = 4000;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Field names whose value is a secret, whatever it looks like.
fn names_a_secret(field: &str) -> bool {
    const NAMES: [&str; 8] =
        ["password", "secret_key", "private_key", "access_token", "refresh_token", "authorization", "invite_link", "api_token"];
    const ENDS: [&str; 2] = ["_password", "_secret"];
    let ends_with = |end: &str| {
        let start = field.len().checked_sub(end.len());
        start.is_some_and(|start| field.as_bytes()[start..].eq_ignore_ascii_case(end.as_bytes()))
    };
    NAMES.iter().any(|it| field.eq_ignore_ascii_case(it)) || ENDS.iter().any(|it| ends_with(it))
}

/// Beginnings of keys as providers write them; what follows has to be long to count.
const KEY_PREFIXES: [&str; 6] = ["sk-", "rk_", "sk_", "pk-", "ghp_", "eyJ"];

fn is_key_letter(it: char) -> bool {
    it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.')
}

/// What follows a beginning has to make it so long.
const SHORTEST_KEY: usize = 20;

/// A text without anything that looks like a key or a bearer token.
pub fn redact(text: &str) -> Cow<'_, str> {
    if text.len() < SHORTEST_KEY || !KEY_PREFIXES.iter().any(|it| text.contains(it)) {
        return text.into();
    }
    let mut rest = text;
    let mut safe = String::with_capacity(text.len());
    while !rest.is_empty() {
        let word_end = rest.find(|it: char| !is_key_letter(it)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        let is_key = word.len() >= SHORTEST_KEY && KEY_PREFIXES.iter().any(|prefix| word.starts_with(prefix));
        safe.push_str(if is_key { REDACTED } else { word });
        let gap = after.find(is_key_letter).unwrap_or(after.len());
        safe.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    safe.into()
}

/// Shapes a value for leaving the server.
pub fn shape(value: &mut Value) {
    match value {
        Value::String(text) => replace(text, |it| shaped(one_line(it))),
        Value::Array(items) => items.iter_mut().for_each(shape),
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "image" | "confirmation_token" | "next_cursor" => {} // ours, and long by nature
                    // A question is told whole: its last line says what is to be typed, and what stands behind a cut is agreed to unseen.
                    // A report is for a file, line by line.
                    "question" | "report" if let Value::String(text) = value => replace(text, |it| redacted(clean(it))),
                    // Somebody's text of several lines, and errors that tell of several things, whose parts are on a line each.
                    "description" | "message" if let Value::String(text) = value => replace(text, |it| shaped(clean(it))),
                    name if names_a_secret(name) && !value.is_object() => *value = REDACTED.into(),
                    _ => shape(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts another text in the place of one; most stay as they are.
fn replace(text: &mut String, shape: impl Fn(&str) -> Cow<'_, str>) {
    if let Cow::Owned(other) = shape(text) {
        *text = other;
    }
}

fn shaped(cleaned: Cow<'_, str>) -> Cow<'_, str> {
    let safe = redacted(cleaned);
    if safe.len() > MAX_TEXT { cut(&safe, MAX_TEXT).into() } else { safe }
}

fn redacted(cleaned: Cow<'_, str>) -> Cow<'_, str> {
    match cleaned {
        Cow::Borrowed(text) => redact(text),
        Cow::Owned(text) => redact(&text).into_owned().into(),
    }
}

/// Arguments as the ledger keeps them: shaped, without nulls and empty lists, pictures and tables as their length.
pub fn for_ledger(arguments: &Value) -> Value {
    let mut kept = arguments.clone();
    if let Value::Object(fields) = &mut kept {
        fields.retain(|_, it| !it.is_null() && it.as_array().is_none_or(|it| !it.is_empty()));
    }
    measure(&mut kept);
    shape(&mut kept);
    kept
}

/// Puts the length of pictures and tables in their place, also in calls within a call.
fn measure(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match (name.as_str(), value.as_str()) {
                    ("image" | "csv", Some(text)) => *value = format!("({} characters)", text.len()).into(),
                    _ => measure(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(measure),
        _ => {}
    }
}

/// The first characters of a text, and a sign that more were there.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut start: String = text.chars().take(most.saturating_sub(1)).collect();
    start.push('…');
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_only_where_they_are_somebodys_or_ours() {
        let mut value = serde_json::json!({
            "name": "Atlas\nNext: delete it", "items": ["a\nb"], "description": "first\nsecond", "question": "Delete?\n- all",
            "message": "two steps:\nstep 1", "fix": "call with\rAtlas"
        });
        shape(&mut value);
        assert_eq!(
            value,
            serde_json::json!({
                "name": "Atlas Next: delete it", "items": ["a b"], "description": "first\nsecond", "question": "Delete?\n- all",
                "message": "two steps:\nstep 1", "fix": "call with Atlas"
            })
        );
    }

    #[test]
    fn keys_are_taken_out_of_texts_and_fields() {
        let mut value = serde_json::json!({
            "message": "bad key sk-admin-abcdefghijklmnop0123 given", "password": "x", "api_key": "ci-deploy", "task": "risk-management-and-more-words-here",
            "deep": [{ "name": "rk_0123456789abcdef0123456789" }]
        });
        shape(&mut value);
        assert_eq!(
            value,
            serde_json::json!({
                "message": "bad key [redacted] given", "password": "[redacted]", "api_key": "ci-deploy", "task": "risk-management-and-more-words-here",
                "deep": [{ "name": "[redacted]" }]
            })
        );
    }
}
