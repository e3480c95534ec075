//! A tool's arguments as flags, read by the tool's own schema.

use serde_json::{Map, Value};

use super::{Failure, files};
use crate::{catalog::Offer, config::nearest};

/// Reads `--name value` pairs. A name may have hyphens for underscores; lists come from repeating; `@FILE` stands for a file's text.
pub(super) fn read(tool: &str, schema: &Map<String, Value>, words: &[String]) -> Result<Map<String, Value>, Failure> {
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut arguments = Map::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--").filter(|it| !it.is_empty()) else {
            return Err(Failure::usage(
                format!("`{word}` belongs to no argument"),
                format!("write `--name value`; see `rolecall call {tool} --help`"),
            ));
        };
        let (flag, mut given) = flag.split_once('=').map_or((flag, None), |(flag, value)| (flag, Some(value.to_owned())));
        let name = flag.replace('-', "_");
        let Some(property) = properties.get(&name) else {
            let names: Vec<&str> = properties.keys().map(String::as_str).collect();
            let fix = if names.is_empty() { "it takes no arguments".to_owned() } else { nearest(&name, &names).replace('`', "") };
            return Err(Failure::usage(format!("{tool} has no argument `--{flag}`"), fix));
        };
        let kind = kind(property);
        if given.is_none() {
            given = match kind {
                // A switch needs no value.
                "boolean" => words.next_if(|it| matches!(it.as_str(), "true" | "false")).cloned().or(Some("true".into())),
                _ => words.next().cloned(),
            };
        }
        let text = given.ok_or_else(|| Failure::usage(format!("`--{flag}` has no value"), format!("see `rolecall call {tool} --help`")))?;
        let text = files::text(&name, text)?;
        let bad = |wanted: &str| Failure::usage(format!("`--{flag}` is not {wanted}"), format!("see `rolecall call {tool} --help`"));
        if kind == "array" {
            let list = arguments.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.extend(items(property.get("items").unwrap_or(&Value::Null), &text).ok_or_else(|| bad("JSON as its schema asks for"))?);
            }
            continue;
        }
        let value = match kind {
            "object" => serde_json::from_str(&text).ok().filter(Value::is_object).ok_or_else(|| bad("a JSON object"))?,
            kind => scalar(kind, text).ok_or_else(|| bad(if kind == "boolean" { "true or false" } else { "a number" }))?,
        };
        if arguments.insert(name, value).is_some() {
            return Err(Failure::usage(format!("`--{flag}` was given twice"), "keep one of them"));
        }
    }
    Ok(arguments)
}

/// Arguments as one JSON object: as text, from a file, or from standard input.
pub(super) fn read_json(text: String) -> Result<Map<String, Value>, Failure> {
    let text = if text == "-" { files::standard_input()? } else { files::text("json", text)? };
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("`--json` is not a JSON object: {error}"), "write it as '{\"name\": \"Atlas\"}'"))
}

fn kind(schema: &Value) -> &str {
    let schema = schema.get("anyOf").and_then(|it| it.get(0)).unwrap_or(schema);
    schema.get("type").and_then(Value::as_str).unwrap_or("string")
}

fn scalar(kind: &str, text: String) -> Option<Value> {
    match kind {
        "boolean" => text.parse().ok().map(Value::Bool),
        "integer" => text.parse::<i64>().ok().map(Value::from),
        "number" => {
            text.parse::<i64>().ok().map(Value::from).or_else(|| text.parse::<f64>().ok().filter(|it| it.is_finite()).map(Value::from))
        }
        _ => Some(Value::String(text)),
    }
}

/// What one word adds to a list: an item, or as many as a JSON list has.
fn items(schema: &Value, text: &str) -> Option<Vec<Value>> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    match kind(schema) {
        "object" | "array" => serde_json::from_str(text).ok().map(|it| vec![it]),
        kind => scalar(kind, text.to_owned()).map(|it| vec![it]),
    }
}

/// An argument as help tells it: how it is written, and what it is.
pub(super) fn describe(offer: &Offer) -> Vec<(String, String)> {
    let schema = offer.input_schema();
    let required: Vec<&str> = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut lines: Vec<(bool, String, String)> = Vec::new();
    for (name, property) in &properties {
        let needed = required.contains(&name.as_str());
        let list = kind(property) == "array";
        let item = if list { property.get("items").unwrap_or(&Value::Null) } else { property };
        let value = match kind(item) {
            "boolean" => "",
            "integer" | "number" => " N",
            "object" | "array" => " JSON",
            _ => " TEXT",
        };
        let mut text = offer.tool.help(name).unwrap_or_default().to_owned();
        let values: Vec<&str> = item.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let members: Vec<&str> =
            item.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let notes = [
            (!values.is_empty()).then(|| format!("One of: {}.", values.join(", "))),
            (!members.is_empty()).then(|| format!("An object of: {}.", members.join(", "))),
            list.then(|| "May be repeated.".to_owned()),
            needed.then(|| "Required.".to_owned()),
        ];
        for note in notes.into_iter().flatten() {
            text.push(' ');
            text.push_str(&note);
        }
        lines.push((!needed, format!("--{}{value}", name.replace('_', "-")), text.trim().to_owned()));
    }
    lines.sort_by_key(|it| it.0); // required ones first, else as the schema has them
    lines.into_iter().map(|(_, flag, text)| (flag, text)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use serde_json::json;

    use super::*;

    fn schema() -> Map<String, Value> {
        let schema = json!({ "type": "object", "properties": {
            "project": { "type": "string" }, "limit": { "type": "integer" }, "include_archived": { "type": "boolean" },
            "roles": { "type": "array", "items": { "type": "string" } }, "usage_limit": { "type": "object" },
            "people": { "type": "array", "items": { "type": "object" } }
        } });
        schema.as_object().unwrap().clone()
    }

    fn words(words: &[&str]) -> Result<Value, String> {
        let words: Vec<String> = words.iter().map(|it| (*it).to_owned()).collect();
        read("list_things", &schema(), &words).map(Value::Object).map_err(|it| format!("{}; {}", it.message, it.fix))
    }

    #[test]
    fn flags_are_read_by_the_schema() {
        let read = words(&[
            "--project",
            "Atlas",
            "--limit=5",
            "--include-archived",
            "--roles",
            "a",
            "--roles",
            "b",
            "--usage-limit",
            r#"{"hard":1}"#,
        ]);
        assert_eq!(
            read,
            Ok(json!({ "project": "Atlas", "limit": 5, "include_archived": true, "roles": ["a", "b"], "usage_limit": { "hard": 1 } }))
        );
        assert_eq!(words(&["--include_archived", "false", "--project", "-x"]), Ok(json!({ "include_archived": false, "project": "-x" })));
        assert_eq!(
            words(&["--people", r#"[{"a":1},{"b":2}]"#, "--people", r#"{"c":3}"#]),
            Ok(json!({ "people": [{ "a": 1 }, { "b": 2 }, { "c": 3 }] }))
        );
        assert_eq!(words(&["--project", "@@home"]), Ok(json!({ "project": "@home" })));
    }

    #[test]
    fn a_wrong_flag_says_what_it_may_have_been() {
        assert_eq!(words(&["--projct", "x"]), Err("list_things has no argument `--projct`; did you mean project?".into()));
        assert_eq!(
            words(&["Atlas"]),
            Err("`Atlas` belongs to no argument; write `--name value`; see `rolecall call list_things --help`".into())
        );
        for bad in [
            &["--limit", "many"][..],
            &["--limit"],
            &["--include-archived=perhaps"],
            &["--usage-limit", "[]"],
            &["--project", "a", "--project", "b"],
        ] {
            assert!(words(bad).is_err(), "{bad:?}");
        }
    }
}
