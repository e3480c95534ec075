//! `${id.field}`: what a step takes from the result of an earlier one.

use serde_json::{Map, Value};

/// A reference in a text: what it names, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) step: String,
    /// Empty where none is given.
    pub(super) field: String,
    start: usize,
    end: usize,
}

impl Reference {
    /// Whether it stands for the id that was given to what the step has made or met: no caller has written that.
    pub(super) fn is_id(&self) -> bool {
        matches!(self.field.as_str(), "id" | "after.id" | "target.id")
    }

    pub(super) fn written(&self) -> String {
        if self.field.is_empty() { format!("${{{}}}", self.step) } else { format!("${{{}.{}}}", self.step, self.field) }
    }
}

/// The references in arguments, however deep.
pub(super) fn find(arguments: &Map<String, Value>) -> Vec<Reference> {
    let mut found = Vec::new();
    arguments.values().for_each(|it| collect(it, &mut found));
    found
}

fn collect(value: &Value, found: &mut Vec<Reference>) {
    match value {
        Value::String(text) => found.extend(in_text(text)),
        Value::Array(items) => items.iter().for_each(|it| collect(it, found)),
        Value::Object(fields) => fields.values().for_each(|it| collect(it, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The references in a text. What only looks like one, such as `${}` or `${a b}`, is text.
fn in_text(text: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("${") {
        let start = from + at;
        let Some(length) = text[start..].find('}') else { break };
        let end = start + length + 1;
        let inner = &text[start + 2..end - 1];
        let (step, field) = inner.split_once('.').unwrap_or((inner, ""));
        let is_name = |it: &str| it.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.'));
        if !step.is_empty() && is_name(inner) {
            found.push(Reference { step: step.to_owned(), field: field.to_owned(), start, end });
            from = end;
        } else {
            from = start + 2;
        }
    }
    found
}

/// Puts values where references stand: as they are where the reference is the whole text, else as text in the text.
pub(super) fn fill(value: &mut Value, lookup: &impl Fn(&Reference) -> Result<Value, String>) -> Result<(), String> {
    match value {
        Value::String(text) => {
            let references = in_text(text);
            if let [whole] = references.as_slice()
                && whole.start == 0
                && whole.end == text.len()
            {
                *value = lookup(whole)?;
                return Ok(());
            }
            for it in references.iter().rev() {
                let found = lookup(it)?;
                let found = match &found {
                    Value::String(text) => text.clone(),
                    Value::Number(_) | Value::Bool(_) => found.to_string(),
                    _ => return Err(format!("`{}` is not a text", it.written())),
                };
                text.replace_range(it.start..it.end, &found);
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|it| fill(it, lookup)),
        Value::Object(fields) => fields.values_mut().try_for_each(|it| fill(it, lookup)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// A field of a receipt: by its whole path, or for short without `after` or `target`.
pub(super) fn field(receipt: &Value, path: &str) -> Option<Value> {
    let within = |value: &Value| path.split('.').try_fold(value, |it, part| it.get(part)).filter(|it| !it.is_null()).cloned();
    within(receipt).or_else(|| within(&receipt["after"])).or_else(|| within(&receipt["target"]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_found_and_filled_wherever_they_stand() {
        let receipt = json!({ "target": { "id": "t", "name": "Core" }, "after": { "id": "a", "n": 2, "roles": ["x"] } });
        let lookup = |it: &Reference| match it.step.as_str() {
            "one" => field(&receipt, &it.field).ok_or_else(|| format!("no {}", it.field)),
            other => Err(format!("no {other}")),
        };
        let mut value = json!({ "a": "${one.id}", "b": ["x ${one.name}/${one.after.n}"], "c": "${one.roles}", "d": "${} ${a b} $", "e": "${one.target.id}" });
        let found: Vec<String> = find(value.as_object().unwrap()).iter().map(Reference::written).collect();
        assert_eq!(found, ["${one.id}", "${one.name}", "${one.after.n}", "${one.roles}", "${one.target.id}"]);
        fill(&mut value, &lookup).unwrap();
        assert_eq!(value, json!({ "a": "a", "b": ["x Core/2"], "c": ["x"], "d": "${} ${a b} $", "e": "t" }));
        assert_eq!(fill(&mut json!("${two.id}"), &lookup), Err("no two".into()));
        assert_eq!(fill(&mut json!("a ${one.roles}"), &lookup), Err("`${one.roles}` is not a text".into()));
    }
}
