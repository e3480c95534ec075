//! Values as an argument's schema wants them.

use serde_json::{Map, Number, Value};

use super::{Asked, Fault, fault::shown, object};
use crate::domain::fold;

/// Whether a value gives nothing at all, under whatever name.
pub(super) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether two values are the same but for case and blanks.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => fold(one) == fold(other),
        (Value::Array(one), Value::Array(other)) => one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b)),
        _ => one == other,
    }
}

/// An object, also where it came as JSON text, or as the JSON text of one.
pub(crate) fn as_object(value: &Value) -> Option<Map<String, Value>> {
    let read = |text: &str| serde_json::from_str::<Value>(text.trim()).ok();
    match value {
        Value::Object(fields) => Some(fields.clone()),
        Value::String(text) => match read(text)? {
            Value::Object(fields) => Some(fields),
            Value::String(text) => read(&text)?.as_object().cloned(),
            _ => None,
        },
        _ => None,
    }
}

/// What a value is to be. An open object is listed as one that may also be its JSON text.
fn kind(schema: &Value) -> &str {
    let schema = schema.get("anyOf").and_then(|it| it.get(0)).unwrap_or(schema);
    schema.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// Values that a text can only have, where its schema does not list them.
fn closed(name: &str) -> &'static [&'static str] {
    match name {
        "subscription_type" => &["Freemium", "Daily", "Weekly", "Monthly"],
        "usage_unit" => &["Requests", "Cost"],
        "renewal" => &["Renewable", "NonRenewable"],
        _ => &[],
    }
}

/// Lists whose items are codes: no comma is a part of one.
const CODES: [&str; 4] = ["scopes", "permissions", "role_types", "clear"];

/// A value as its schema wants it; `None` where nothing is given by it.
///
/// # Errors
///
/// All that does not fit: what stands there, and what is wanted.
pub(super) fn fit(asked: &Asked<'_>, name: &str, schema: &Value, at: &str, value: Value) -> Result<Option<Value>, Vec<Fault>> {
    let bad = |value: &Value| vec![Fault::new(at, format!("`{at}` is {}", shown(value)), format!("give {}", wanted(name, schema)))];
    let is_blank = |value: &Value| value.as_str().is_some_and(|it| it.trim().is_empty());
    if value.is_null() || is_blank(&value) {
        return Ok(None);
    }
    // What an earlier step gives is known only then.
    if value.as_str().is_some_and(|it| it.trim_start().starts_with("${")) {
        return Ok(Some(value));
    }
    let kind = kind(schema);
    if kind != "string" && is_no_value(&value) {
        return Ok(None);
    }
    match kind {
        "string" => text(name, schema, &value).map(Some).ok_or_else(|| bad(&value)),
        "integer" => whole(&value).map(Some).ok_or_else(|| bad(&value)),
        "number" => number(&value).map(Some).ok_or_else(|| bad(&value)),
        "boolean" => yes_or_no(&value).map(|it| Some(it.into())).ok_or_else(|| bad(&value)),
        "array" => list(asked, name, schema, at, value),
        "object" => {
            let (Some(fields), Value::Object(schema)) = (as_object(&value), schema) else { return Err(bad(&value)) };
            let found = object(asked, schema, at, fields);
            if found.faults.is_empty() { Ok(Some(found.arguments.into())) } else { Err(found.faults) }
        }
        _ => Ok(Some(value)),
    }
}

/// Whether a text says in words that there is no value.
fn is_no_value(value: &Value) -> bool {
    value.as_str().is_some_and(|it| matches!(it.trim().to_ascii_lowercase().as_str(), "null" | "none" | "undefined"))
}

fn text(name: &str, schema: &Value, value: &Value) -> Option<Value> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        // One of a kind in a list, and a thing as our own results show it.
        Value::Array(items) => match items.as_slice() {
            [one @ (Value::String(_) | Value::Number(_) | Value::Object(_))] => return self::text(name, schema, one),
            _ => return None,
        },
        Value::Object(fields) => reference(name, fields)?,
        Value::Null | Value::Bool(_) => return None,
    };
    let listed: Vec<&str> = match schema.get("enum").and_then(Value::as_array) {
        Some(values) => values.iter().filter_map(Value::as_str).collect(),
        None => closed(name).to_vec(),
    };
    if listed.is_empty() || name == "connection" {
        return Some(text.into());
    }
    one_of(&text, &listed).map(Value::from)
}

/// What a thing is called, of one that is written as an object.
fn reference(name: &str, fields: &Map<String, Value>) -> Option<String> {
    let text = |field: &str| fields.get(field).and_then(Value::as_str).filter(|it| !it.trim().is_empty()).map(str::to_owned);
    match name {
        // These are new, and have no id.
        "name" | "description" | "slug" | "website" | "csv" | "image" | "path" => None,
        "email" | "admin_email" => text("email").or_else(|| text("member")),
        // What else is said of one of many, such as a role of their own, may not be passed over.
        "people" if fields.keys().any(|it| !["email", "id", "member", "name", "person"].contains(&it.as_str())) => None,
        _ => text("id").or_else(|| text(name)).or_else(|| text("email")).or_else(|| text("name")).or_else(|| {
            // A role in a list `roles` is called `role`.
            text(name.trim_end_matches('s'))
        }),
    }
}

/// The value of a closed list that a text can only mean.
fn one_of(text: &str, listed: &[&str]) -> Option<String> {
    let plain = |it: &str| it.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let wanted = match plain(text).as_str() {
        "canceled" => "cancelled".to_owned(),
        "ascending" => "asc".to_owned(),
        "descending" => "desc".to_owned(),
        other => other.to_owned(),
    };
    let mut fitting = listed.iter().filter(|it| plain(it) == wanted);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Some((*one).to_owned()),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<Value> {
    match value {
        Value::Number(it) if it.is_i64() || it.is_u64() => Some(value.clone()),
        Value::Number(it) => integral(it.as_f64()?),
        Value::String(text) => {
            let text = text.trim().trim_start_matches('+');
            let digits = match text.split_once('.') {
                Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|it| it == b'0') => digits,
                Some(_) => return None,
                None => text,
            };
            digits.parse::<i64>().ok().map(Value::from)
        }
        Value::Array(items) if items.len() == 1 => whole(&items[0]),
        _ => None,
    }
}

/// A number that is written with a fraction and has none.
fn integral(number: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_991.0;
    let is_whole = number.is_finite() && number.fract() == 0.0 && number.abs() <= EXACT;
    is_whole.then(|| format!("{number:.0}").parse::<i64>().ok().map(Value::from)).flatten()
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => {
            let text = text.trim();
            let plain = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit() || matches!(it, b'.' | b'-' | b'+'));
            let number = text.parse::<f64>().ok().filter(|it| plain && it.is_finite())?;
            text.parse::<i64>().ok().map(Value::from).or_else(|| Number::from_f64(number).map(Value::from))
        }
        Value::Array(items) if items.len() == 1 => number(&items[0]),
        _ => None,
    }
}

fn yes_or_no(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(it) => Some(*it),
        Value::Number(it) => match it.as_f64()? {
            1.0 => Some(true),
            0.0 => Some(false),
            _ => None,
        },
        Value::String(text) => match text.trim().trim_matches(['"', '\'', '`']).to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "y" | "t" => Some(true),
            "false" | "no" | "off" | "0" | "n" | "f" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn list(asked: &Asked<'_>, name: &str, schema: &Value, at: &str, value: Value) -> Result<Option<Value>, Vec<Fault>> {
    let item = schema.get("items").unwrap_or(&Value::Null);
    let items = match value {
        Value::Array(items) => items,
        Value::String(text) => match serde_json::from_str::<Value>(text.trim()) {
            Ok(Value::Array(items)) => items,
            Ok(one @ Value::Object(_)) => vec![one],
            _ => separate(name, item, &text),
        },
        one => vec![one],
    };
    let (mut fitting, mut faults) = (Vec::new(), Vec::new());
    for (number, value) in items.into_iter().enumerate() {
        match fit(asked, name, item, &format!("{at}[{number}]"), value) {
            Ok(Some(value)) => fitting.push(value),
            Ok(None) => {}
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(Some(fitting.into())) } else { Err(faults) }
}

/// The items of a list that came as one text. Names may hold commas, and are not taken apart at them.
fn separate(name: &str, item: &Value, text: &str) -> Vec<Value> {
    let marks: &[char] = match (name, kind(item)) {
        (_, "string") if CODES.contains(&name) || item.get("enum").is_some() => &[',', ';', '\n'],
        // As in a table.
        ("roles", _) => &[';'],
        _ => &[],
    };
    let parts = text.split(|it| marks.contains(&it)).map(str::trim).filter(|it| !it.is_empty());
    parts.map(Value::from).collect()
}

/// Says that an argument is missing.
pub(super) fn missing(name: &str, schema: &Value, at: &str) -> Fault {
    Fault::new(at, format!("`{at}` is missing"), format!("give `{at}`: {}", wanted(name, schema)))
}

/// What an argument is to be, with an example.
fn wanted(name: &str, schema: &Value) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return format!("one of: {}", values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
    }
    if !closed(name).is_empty() {
        return format!("one of: {}", closed(name).join(", "));
    }
    match (kind(schema), name) {
        ("boolean", _) => "true or false".to_owned(),
        ("integer", "expires_in_seconds") => "a whole number of seconds, such as 86400".to_owned(),
        ("integer", _) => "a whole number, such as 25".to_owned(),
        ("number", _) => "a number, such as 99.5".to_owned(),
        ("object", _) => "an object, such as {\"name\": \"value\"}".to_owned(),
        ("array", "people") => "a list of people, each with project, member and roles".to_owned(),
        ("array", "steps") => "a list of calls, each with tool and arguments".to_owned(),
        ("array", "permissions" | "scopes") => "a list of permissions, such as [\"project.read\"]".to_owned(),
        ("array", "roles") => "a list of roles, such as [\"viewer\"]".to_owned(),
        ("array", _) => "a list of texts, such as [\"first\", \"second\"]".to_owned(),
        (_, "email" | "admin_email") => "an e-mail address, such as ana@acme.example".to_owned(),
        (_, "member" | "invitation") => "one person's e-mail address, such as ana@acme.example".to_owned(),
        (_, "name") => "a name, such as Atlas".to_owned(),
        (_, "project" | "team" | "organization" | "role" | "service_account" | "api_key" | "target") => {
            format!("one {}'s name or id", if name == "target" { "thing" } else { name }).replace('_', " ")
        }
        _ => "one text".to_owned(),
    }
}
