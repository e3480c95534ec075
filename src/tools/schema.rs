//! Makes schemas plain: one type per field, nothing nullable, nothing referenced.

use schemars::Schema;
use serde_json::{Map, Value, json};

/// The schema without what strict clients stumble over or a model pays for and does not need.
pub(super) fn plain(schema: Schema) -> Map<String, Value> {
    let mut root = schema.to_value();
    let definitions = root.as_object_mut().and_then(|it| it.remove("$defs")).unwrap_or_default();
    flatten(&mut root, &definitions);
    let Value::Object(mut root) = root else { return Map::new() };
    root.remove("$schema");
    root.entry("properties").or_insert_with(|| json!({}));
    if let Some(Value::Object(properties)) = root.get_mut("properties") {
        for argument in properties.values_mut().filter_map(Value::as_object_mut) {
            undescribe_inner(argument);
            // The error names what is missing inside.
            argument.remove("required");
            // A label is no sentence, and a full stop on each would cost a token on each.
            if let Some(Value::String(label)) = argument.get_mut("description") {
                label.truncate(label.trim_end_matches('.').len());
            }
        }
    }
    root
}

/// Inside an argument, names speak for themselves; only the argument itself is described. What is wrong inside, the
/// error says, with the values there are.
fn undescribe_inner(argument: &mut Map<String, Value>) {
    argument.remove("additionalProperties");
    for (key, inner) in argument.iter_mut() {
        if key == "properties"
            && let Value::Object(properties) = inner
        {
            for property in properties.values_mut().filter_map(Value::as_object_mut) {
                property.remove("description");
                property.remove("enum");
                undescribe_inner(property);
            }
        }
        if key == "items"
            && let Value::Object(items) = inner
        {
            items.remove("description");
            undescribe_inner(items);
        }
    }
}

fn flatten(schema: &mut Value, definitions: &Value) {
    let Value::Object(it) = schema else {
        if let Value::Array(items) = schema {
            for it in items {
                flatten(it, definitions);
            }
        }
        return;
    };
    if let Some(target) = it.remove("$ref").as_ref().and_then(Value::as_str).and_then(|it| it.strip_prefix("#/$defs/")) {
        let mut target = definitions.get(target).cloned().unwrap_or_default();
        if let Value::Object(target) = &mut target {
            target.extend(std::mem::take(it)); // what the field says goes over what its type says
        }
        *schema = target;
        return flatten(schema, definitions);
    }
    // That a count is not negative goes without saying.
    if it.get("minimum").and_then(Value::as_f64) == Some(0.0) {
        it.remove("minimum");
    }
    for key in ["title", "format"] {
        if it.get(key).is_some_and(|it| it.is_string() && it != "date-time") {
            it.remove(key);
        }
    }
    if it.get("default").is_some_and(|it| it.is_null() || *it == json!([]) || *it == json!({}) || *it == json!(false)) {
        it.remove("default");
    }
    // An optional field is one that may be left out; null is never a value.
    if let Some(Value::Array(types)) = it.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            it.insert("type".into(), one);
        }
    }
    if let Some(Value::Array(values)) = it.get_mut("enum") {
        values.retain(|it| !it.is_null());
    }
    for choice in ["anyOf", "oneOf"] {
        let Some(Value::Array(mut choices)) = it.remove(choice) else { continue };
        choices.retain(|it| it.get("type") != Some(&json!("null")));
        match choices.as_slice() {
            [Value::Object(one)] => {
                for (key, value) in one {
                    it.entry(key).or_insert_with(|| value.clone());
                }
                return flatten(schema, definitions);
            }
            // An enum whose values have doc comments: one list of values serves as well.
            many if many.iter().all(|it| it.get("const").is_some() || it.get("enum").is_some()) => {
                let values = many.iter().flat_map(|it| match (it.get("const"), it.get("enum")) {
                    (Some(one), _) => vec![one.clone()],
                    (_, Some(Value::Array(some))) => some.clone(),
                    _ => vec![],
                });
                let values: Vec<Value> = values.collect();
                it.insert("type".into(), json!("string"));
                it.insert("enum".into(), values.into());
            }
            _ => {
                it.insert(choice.into(), choices.into());
            }
        }
    }
    for (key, value) in it.iter_mut() {
        match key.as_str() {
            "properties" => {
                if let Value::Object(properties) = value {
                    properties.values_mut().for_each(|it| flatten(it, definitions));
                }
            }
            "items" | "anyOf" | "oneOf" => flatten(value, definitions),
            "description" => {
                if let Some(text) = value.as_str() {
                    *value = text.split_whitespace().collect::<Vec<_>>().join(" ").into();
                }
            }
            _ => {}
        }
    }
}
