//! From what to what a change was, for the ledger.

use serde_json::{Map, Value};

use super::Plan;
use crate::shape::cut;

/// A text is cut to this, and a change tells so many fields.
const MAX_TEXT: usize = 120;
const MAX_FIELDS: usize = 8;

/// What says where a thing is, or changes with every call: the target tells it, or nobody asks.
const BESIDE: [&str; 8] = ["id", "organization", "created_at", "since", "image", "connection", "items", "more"];

/// The fields that differ: `role: member → owner`. `None` where nothing is known of both, or nothing differs.
pub(super) fn told(before: Option<&Value>, after: Option<&Value>) -> Option<String> {
    let none = Map::new();
    let fields = |it: Option<&Value>| it.and_then(Value::as_object).cloned();
    let (before, after) = (fields(before), fields(after));
    let is_one = before.is_none() || after.is_none();
    let (was, is) = (before.as_ref().unwrap_or(&none), after.as_ref().unwrap_or(&none));
    let names: Vec<&String> = was.keys().chain(is.keys().filter(|it| !was.contains_key(*it))).collect();
    // Of what begins or ends, a count of nothing says nothing.
    let is_nothing = |it: Option<&Value>| it.is_none_or(|it| it.is_null() || *it == 0 || it.as_array().is_some_and(Vec::is_empty));
    let says = |name: &str| !(is_one && is_nothing(was.get(name)) && is_nothing(is.get(name)));
    let differs = |name: &&&String| !BESIDE.contains(&name.as_str()) && was.get(**name) != is.get(**name) && says(name);
    let told: Vec<String> = names
        .iter()
        .filter(differs)
        .take(MAX_FIELDS)
        .map(|name| match (text(was.get(*name)), text(is.get(*name))) {
            (_, is) if before.is_none() => format!("{name}: {is}"),
            (was, _) if after.is_none() => format!("{name}: {was}"),
            (was, is) => format!("{name}: {was} → {is}"),
        })
        .collect();
    let kind = match (before.is_some(), after.is_some()) {
        (false, true) if is_one => "new: ",
        (true, false) => "was: ",
        _ => "",
    };
    (!told.is_empty()).then(|| format!("{kind}{}", told.join("; ")))
}

/// What a plan would change, for its question: each field with what it is and what it would be. Where its provider does not tell what
/// would be there afterwards, by the arguments of the call, whose names are those of the thing's fields.
pub(super) fn fields(plan: &Plan, arguments: &Value) -> Vec<[String; 3]> {
    let Some(before) = plan.before.as_object() else { return Vec::new() };
    let told = |name: &String, was: &Value, is: &Value| {
        (was != is && !BESIDE.contains(&name.as_str()) && !was.is_object() && !is.is_object())
            .then(|| [name.replace('_', " "), text(Some(was)), text(Some(is))])
    };
    let after = plan.after.as_ref().and_then(Value::as_object);
    let found = before.iter().filter_map(|(name, was)| match after {
        Some(after) => told(name, was, after.get(name).unwrap_or(&Value::Null)),
        None if POINTS.contains(&name.as_str()) || *name == plan.target.kind => None,
        None => told(name, was, arguments.get(name)?),
    });
    // What a thing is called stands in a field that is named like its noun.
    let called = before.get(&plan.target.kind).zip(arguments.get("name")).filter(|_| after.is_none());
    let renamed = called.and_then(|(was, is)| told(&"name".to_owned(), was, is));
    // Of what ends, everything would be listed; what it is now says as much.
    if plan.after.as_ref().is_some_and(Value::is_null) { Vec::new() } else { renamed.into_iter().chain(found).collect() }
}

/// What a call points at things by is written in several ways, and is no change.
const POINTS: [&str; 6] = ["organization", "project", "member", "team", "service_account", "key"];

fn text(value: Option<&Value>) -> String {
    let told = match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
        Some(Value::Array(items)) => items.iter().map(|it| text(Some(it))).collect::<Vec<_>>().join(", "),
        Some(other) => other.to_string(),
    };
    cut(&told, MAX_TEXT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_told_by_what_differs() {
        let was = json!({ "team": "Ops", "id": "t-1", "role": "member", "tags": ["a"], "organization": "Acme" });
        let is = json!({ "team": "Platform", "id": "t-1", "role": "member", "tags": [], "organization": "Acme" });
        assert_eq!(told(Some(&was), Some(&is)).as_deref(), Some("team: Ops → Platform; tags: a → none"));
        assert_eq!(
            told(None, Some(&json!({ "member": "ana@acme.example", "roles": ["owner"] }))).as_deref(),
            Some("new: member: ana@acme.example; roles: owner")
        );
        assert_eq!(told(Some(&json!({ "role": "owner" })), None).as_deref(), Some("was: role: owner"));
        assert_eq!(told(Some(&was), Some(&was)), None);
    }
}
