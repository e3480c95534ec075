//! A client's file with Rolecall's entry in it: all else stays as a person wrote it, comments included.

use jsonc_parser::{
    ParseOptions,
    cst::{CstInputValue, CstNode, CstRootNode},
};
use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, Table};

use super::Entry;

/// The name under which the server stands in a client's file.
pub(in crate::cli) const NAME: &str = "rolecall";

/// Why an entry cannot be put into a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum NotTaken {
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error("`{0}` is there and is not what the client reads")]
    OtherKind(String),
}

/// JSON, with or without comments, with the entry in the object `under`.
pub(in crate::cli) fn json(text: &str, under: &str, entry: &Entry) -> Result<String, NotTaken> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let root = CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| NotTaken::Unreadable(error.to_string()))?;
    let other = |name: &str| NotTaken::OtherKind(name.to_owned());
    let top = root.object_value_or_create().ok_or_else(|| other("the whole file"))?;
    let servers = top.object_value_or_create(under).ok_or_else(|| other(under))?;
    match servers.get(NAME) {
        Some(known) => known.set_value(value(&entry.server)),
        None => {
            servers.append(NAME, value(&entry.server));
        }
    }
    if !entry.inputs.is_empty() {
        let inputs = top.array_value_or_create("inputs").ok_or_else(|| other("inputs"))?;
        for input in &entry.inputs {
            let is_same = |it: &Value| it["id"] == input["id"];
            if !inputs.elements().iter().filter_map(CstNode::to_serde_value).any(|it| is_same(&it)) {
                inputs.append(value(input));
            }
        }
    }
    Ok(root.to_string())
}

fn value(json: &Value) -> CstInputValue {
    match json {
        Value::Null => CstInputValue::Null,
        Value::Bool(it) => CstInputValue::Bool(*it),
        Value::Number(it) => CstInputValue::Number(it.to_string()),
        Value::String(it) => CstInputValue::String(it.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(value).collect()),
        Value::Object(fields) => CstInputValue::Object(fields.iter().map(|(name, it)| (name.clone(), value(it))).collect()),
    }
}

/// TOML with the entry as a table of `under`.
pub(in crate::cli) fn toml(text: &str, under: &str, entry: &Entry) -> Result<String, NotTaken> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| NotTaken::Unreadable(error.to_string()))?;
    let servers = document.entry(under).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true); // `[mcp_servers]` alone would say nothing
        Item::Table(table)
    });
    let servers = servers.as_table_like_mut().ok_or_else(|| NotTaken::OtherKind(under.to_owned()))?;
    let fields = entry.server.as_object().cloned().unwrap_or_default();
    servers.insert(NAME, Item::Table(table(&fields)));
    Ok(document.to_string())
}

fn table(fields: &Map<String, Value>) -> Table {
    fields.iter().map(|(name, it)| (name.clone(), Item::Value(toml_value(it)))).collect()
}

fn toml_value(json: &Value) -> toml_edit::Value {
    match json {
        Value::Bool(it) => (*it).into(),
        Value::Number(it) => it.as_i64().map_or_else(|| it.as_f64().unwrap_or_default().into(), Into::into),
        Value::Array(items) => items.iter().map(toml_value).collect::<toml_edit::Array>().into(),
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), toml_value(it))).collect::<toml_edit::InlineTable>().into(),
        Value::String(it) => it.into(),
        Value::Null => "".into(),
    }
}

/// YAML with the entry in the mapping `under`.
pub(in crate::cli) fn yaml(text: &str, under: &str, entry: &Entry) -> Result<String, NotTaken> {
    let whole = serde_json::json!({ under: { NAME: entry.server } });
    let whole = serde_saphyr::to_string(&whole).map_err(|error| NotTaken::Unreadable(error.to_string()))?;
    super::yaml::with_entry(text, under, NAME, &whole)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use serde_json::json;

    use super::*;

    fn entry() -> Entry {
        Entry { server: json!({ "command": "/bin/rolecall", "args": ["serve"] }), inputs: Vec::new(), left_out: Vec::new() }
    }

    #[test]
    fn what_a_person_wrote_stays_with_its_comments() {
        let before =
            "// mine\n{\n  \"theme\": \"dark\", // at night\n  \"mcpServers\": {\n    \"other\": { \"command\": \"x\" },\n  },\n}\n";
        let after = json_of(before);
        assert!(
            after.contains("// mine") && after.contains("// at night") && after.contains("\"other\": { \"command\": \"x\" }"),
            "{after}"
        );
        let again = json_of(&after);
        assert_eq!(again, after, "a second time changes nothing");
    }

    fn json_of(text: &str) -> String {
        let after = json(text, "mcpServers", &entry()).unwrap();
        let read = CstRootNode::parse(&after, &ParseOptions::default()).unwrap().to_serde_value().unwrap();
        assert_eq!(read["mcpServers"]["rolecall"], entry().server, "{after}");
        after
    }

    #[test]
    fn an_empty_file_an_older_entry_and_inputs() {
        assert_eq!(serde_json::from_str::<Value>(&json_of("")).unwrap(), json!({ "mcpServers": { "rolecall": entry().server } }));
        json_of("{\"mcpServers\": {\"rolecall\": {\"command\": \"old\", \"args\": []}}}");
        let with = Entry { inputs: vec![json!({ "id": "key", "type": "promptString" })], ..entry() };
        let once = json("{}", "servers", &with).unwrap();
        assert_eq!(json(&once, "servers", &with).unwrap(), once);
        assert_eq!(once.matches("promptString").count(), 1, "{once}");
    }

    #[test]
    fn what_the_client_would_not_read_is_refused() {
        assert_eq!(json("{\"mcpServers\": []}", "mcpServers", &entry()), Err(NotTaken::OtherKind("mcpServers".into())));
        assert!(matches!(json("{\"mcpServers\": ", "mcpServers", &entry()), Err(NotTaken::Unreadable(_))));
        assert!(matches!(toml("a = ", "mcp_servers", &entry()), Err(NotTaken::Unreadable(_))));
        assert_eq!(toml("mcp_servers = 1", "mcp_servers", &entry()), Err(NotTaken::OtherKind("mcp_servers".into())));
    }

    #[test]
    fn toml_keeps_what_is_there_too() {
        let before = "# mine\nmodel = \"x\" # best\n\n[mcp_servers.other]\ncommand = \"y\"\n";
        let after = toml(before, "mcp_servers", &entry()).unwrap();
        assert!(after.starts_with(before), "{after}");
        assert!(after.contains("[mcp_servers.rolecall]\ncommand = \"/bin/rolecall\"\nargs = [\"serve\"]"), "{after}");
        assert_eq!(toml(&after, "mcp_servers", &entry()).unwrap(), after);
    }
}
