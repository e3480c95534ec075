//! How the gateway reads bodies and spells replies.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Call, Gateway, Refusal};

/// The text fields of a request. They carry no presence: what is left out is "".
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads a body of these fields, in either spelling. Anything else is refused, as a strict gateway does.
    pub(super) fn read(call: &Call, known: &[&str]) -> Result<Self, Refusal> {
        let Some(Value::Object(body)) = call.json() else { return Err(Refusal::invalid("the body is not a JSON object")) };
        let mut fields = BTreeMap::new();
        for (name, value) in body {
            let Some(field) = known.iter().find(|it| **it == name || camel(it) == name) else {
                return Err(Refusal::invalid(format!("unknown field \"{name}\"")));
            };
            let Value::String(text) = value else { return Err(Refusal::invalid(format!("{name} is not a string"))) };
            fields.insert((*field).to_owned(), text);
        }
        Ok(Self(fields))
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn owned(&self, name: &str) -> String {
        self.text(name).to_owned()
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        Some(self.text(name)).filter(|it| !it.is_empty()).ok_or_else(|| Refusal::invalid(format!("{name} is required")))
    }
}

/// Maps whose keys are data: no gateway changes them.
const MAPS: [&str; 1] = ["stats"];

/// Spells a reply, which is given with snake_case names and all its values, as this generation of gateways does.
pub(super) fn spelled(gateway: Gateway, value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let spelled = fields.into_iter().filter_map(|(name, value)| match gateway {
                Gateway::Older if is_zero(&value) => None,
                _ if MAPS.contains(&name.as_str()) => Some((name, value)),
                Gateway::Older => Some((name, spelled(gateway, value))),
                Gateway::Newer => Some((camel(&name), spelled(gateway, value))),
            });
            spelled.collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(|it| spelled(gateway, it)).collect::<Vec<_>>().into(),
        other => other,
    }
}

/// 64-bit numbers are texts, so that a zero is "0".
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "0",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut spelled = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        spelled.push_str(&first.to_ascii_uppercase());
        spelled.push_str(rest);
    }
    spelled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_generation_has_its_spelling() {
        let reply =
            json!({ "display_name": "Ada", "phone": "", "orgUsers": [], "stats": { "data_sets": "0" }, "audit": { "timestamp": "0" } });
        assert_eq!(spelled(Gateway::Older, reply.clone()), json!({ "display_name": "Ada", "stats": { "data_sets": "0" }, "audit": {} }));
        assert_eq!(
            spelled(Gateway::Newer, reply),
            json!({ "displayName": "Ada", "phone": "", "orgUsers": [], "stats": { "data_sets": "0" }, "audit": { "timestamp": "0" } })
        );
    }
}
