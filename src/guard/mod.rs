//! The guard: the only place a request is sent from.

mod unsent;

pub(crate) use unsent::{Made, Plan, UnsentChange, UnsentRead, version};

/// JSON with sorted keys and without nulls, so that the same facts always give the same text.
pub(crate) fn canonical(value: &serde_json::Value) -> String {
    fn sorted(value: &serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().filter(|(_, it)| !it.is_null()).collect();
                entries.sort_by_key(|(key, _)| key.as_str());
                entries.into_iter().map(|(key, it)| (key.clone(), sorted(it))).collect::<serde_json::Map<_, _>>().into()
            }
            serde_json::Value::Array(items) => items.iter().map(sorted).collect::<Vec<_>>().into(),
            other => other.clone(),
        }
    }
    sorted(value).to_string()
}
