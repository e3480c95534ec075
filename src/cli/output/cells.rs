//! What stands in the rows and cells of a table.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{cli::shell, shape::cut};

/// Things as rows. Where a thing holds a list of things itself, such as the ways on which somebody reaches a project, each of these has a
/// row of its own, beside what the thing says of itself.
pub(super) fn unfolded(items: &[Value]) -> Vec<Cow<'_, Map<String, Value>>> {
    items.iter().filter_map(Value::as_object).flat_map(rows).collect()
}

fn rows(thing: &Map<String, Value>) -> Vec<Cow<'_, Map<String, Value>>> {
    let inner = thing.iter().find_map(|(name, value)| {
        let inner: Vec<&Map<String, Value>> = value.as_array()?.iter().filter_map(Value::as_object).collect();
        (!inner.is_empty()).then_some((name, inner))
    });
    let Some((name, inner)) = inner else { return vec![Cow::Borrowed(thing)] };
    let row = |part: &Map<String, Value>| {
        let mut row = Map::new();
        for (field, value) in thing {
            if field == name {
                // What the thing says of itself under the same name stays.
                row.extend(part.iter().filter(|it| !thing.contains_key(it.0)).map(|(name, value)| (name.clone(), value.clone())));
            } else {
                row.insert(field.clone(), value.clone());
            }
        }
        Cow::Owned(row)
    };
    inner.into_iter().map(row).collect()
}

pub(super) fn flatten(path: &str, fields: &Map<String, Value>, lines: &mut Vec<(String, String)>) {
    for (name, value) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Null => {}
            Value::Object(inner) => flatten(&path, inner, lines),
            Value::Array(_) if name == "items" => {}
            Value::Array(items) if items.iter().any(Value::is_object) => {
                lines.push((path, items.iter().map(cell).collect::<Vec<_>>().join("\n")));
            }
            Value::String(_) if name == "image" => lines.push((path, "(a picture: `--save FILE` writes it to a file)".into())),
            value => lines.push((path, cell(value))),
        }
    }
}

/// A value in a cell of a table.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => cut(text, 400),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(fields) if is_call(fields) => command(fields),
        Value::Object(fields) => fields.iter().map(|(name, value)| format!("{name}={}", cell(value))).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Whether it is a call that could be made next.
fn is_call(fields: &Map<String, Value>) -> bool {
    fields.len() == 2 && fields.get("tool").is_some_and(Value::is_string) && fields.get("arguments").is_some_and(Value::is_object)
}

/// A call as it is typed in a terminal, behind `rolecall call`.
fn command(call: &Map<String, Value>) -> String {
    let mut words = vec![cell(&call["tool"])];
    for (name, value) in call["arguments"].as_object().into_iter().flatten() {
        let values = match value {
            Value::Null => continue,
            Value::Array(values) => values.iter().collect(),
            value => vec![value],
        };
        for value in values {
            words.push(format!("--{}", name.replace('_', "-")));
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            words.push(shell::quoted(&text));
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_thing_with_things_inside_has_a_row_for_each() {
        let items = json!([
            { "who": "ana", "ways": [{ "role": "owner", "through": "own role" }, { "role": "member", "through": "team Core", "id": "x" }], "id": "1" },
            { "who": "bo", "ways": [], "id": "2" },
        ]);
        let rows: Vec<String> = unfolded(items.as_array().expect("a list")).iter().map(|it| json!(it).to_string()).collect();
        assert_eq!(
            rows,
            [
                r#"{"who":"ana","role":"owner","through":"own role","id":"1"}"#,
                r#"{"who":"ana","role":"member","through":"team Core","id":"1"}"#,
                r#"{"who":"bo","ways":[],"id":"2"}"#,
            ]
        );
    }

    #[test]
    fn a_call_is_told_as_it_is_typed() {
        let call = json!({ "tool": "add_project_member", "arguments": { "project": "Route Planner", "roles": ["owner", "it's"], "notify": true, "ends_at": null } });
        assert_eq!(cell(&call), r"add_project_member --project 'Route Planner' --roles owner --roles 'it'\''s' --notify true");
    }
}
