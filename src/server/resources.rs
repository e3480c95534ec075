//! Resources: the same facts as the reading tools, for clients that let people pick them.

use rmcp::{
    ErrorData,
    model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate},
};
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    domain::clean,
    error::{CallError, ProviderError, chain},
    guard::{Caller, Given, Verdict},
    shape::{cut, shape},
};

const SCHEME: &str = "rolecall://";
const MIME_TYPE: &str = "application/json";

/// What a template stands for: the thing, and who is in it.
struct Kind {
    /// The path's second segment.
    plural: &'static str,
    /// The variable, which is the tools' argument too.
    noun: &'static str,
    get: &'static str,
    members: &'static str,
    title: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind {
        plural: "organizations",
        noun: "organization",
        get: "get_organization",
        members: "list_organization_members",
        title: "Organization and its people",
    },
    Kind { plural: "projects", noun: "project", get: "get_project", members: "list_project_members", title: "Project and its people" },
];

impl Kind {
    fn template(&self) -> String {
        format!("{SCHEME}{{connection}}/{}/{{{}}}", self.plural, self.noun)
    }
}

/// The resources that need no name.
pub(super) fn list(app: &App) -> Vec<Resource> {
    let connections = Resource::new(format!("{SCHEME}connections"), "connections")
        .with_title("Connections")
        .with_description("The connected accounts: provider, organization, health, what each supports.")
        .with_mime_type(MIME_TYPE);
    app.catalog.offer("list_connections").is_ok().then_some(connections).into_iter().collect()
}

/// The resources that a name leads to.
pub(super) fn templates(app: &App) -> Vec<ResourceTemplate> {
    let on_offer = KINDS.iter().filter(|it| app.catalog.offer(it.get).is_ok());
    let template = |it: &Kind| {
        ResourceTemplate::new(it.template(), it.noun)
            .with_title(it.title)
            .with_description(format!("One {} by name, slug or id, with the first page of its members.", it.noun))
            .with_mime_type(MIME_TYPE)
    };
    on_offer.map(template).collect()
}

/// Reads a resource as `caller` may.
pub(super) async fn read(app: &App, uri: &str, caller: &Caller) -> Result<ReadResourceResult, ErrorData> {
    let found = match address(uri) {
        Some(Address::Connections) => look(app, "list_connections", None, Map::new(), caller).await,
        Some(Address::One { connection, kind, name }) => one(app, &connection, kind, &name, caller).await,
        None => {
            let uri = cut(&clean(uri), 200);
            return Err(ErrorData::resource_not_found(format!("no resource `{uri}`"), Some(json!({ "uri": uri }))));
        }
    };
    let value = found.map_err(|error| refused(&error, uri))?;
    let contents = ResourceContents::text(value.to_string(), uri).with_mime_type(MIME_TYPE);
    Ok(ReadResourceResult::new(vec![contents]))
}

/// Whether a template that is on offer has the variable.
pub(super) fn takes(app: &App, template: &str, variable: &str) -> bool {
    let known = KINDS.iter().find(|it| it.template() == template && app.catalog.offer(it.get).is_ok());
    known.is_some_and(|it| variable == "connection" || variable == it.noun)
}

/// Calls a reading tool, on a connection if one is named.
pub(super) async fn look(
    app: &App,
    tool: &str,
    connection: Option<&str>,
    mut arguments: Map<String, Value>,
    caller: &Caller,
) -> Result<Value, CallError> {
    let offer = app.catalog.offer(tool)?;
    if let Some(name) = connection {
        offer.connection(Some(name))?;
        // The tool has the argument only where there is a choice.
        if offer.able().len() > 1 {
            arguments.insert("connection".into(), name.into());
        }
    }
    match app.call(tool, arguments, caller, Given::Nothing).await? {
        Verdict::Done(value) => Ok(value),
        Verdict::Ask(..) | Verdict::Token { .. } => Err(CallError::Internal), // reads ask nothing
    }
}

async fn one(app: &App, connection: &str, kind: &Kind, name: &str, caller: &Caller) -> Result<Value, CallError> {
    let named = |name: &str| Map::from_iter([(kind.noun.to_owned(), Value::from(name))]);
    let mut thing = look(app, kind.get, Some(connection), named(name), caller).await?;
    if let Value::Object(fields) = &mut thing {
        fields.shift_remove("connection");
    }
    let mut all = Map::from_iter([("connection".to_owned(), Value::from(connection))]);
    let serves = |tool: &str| app.catalog.offer(tool).is_ok_and(|it| it.connection(Some(connection)).is_ok());
    if serves(kind.members) {
        // By id, so that both halves are about one thing even if a name moves on in between.
        let id = thing["id"].as_str().unwrap_or(name).to_owned();
        let mut members = look(app, kind.members, Some(connection), named(&id), caller).await?;
        if let Value::Object(fields) = &mut members {
            fields.shift_remove("connection");
        }
        all.insert("members".into(), members);
    }
    all.insert(kind.noun.into(), thing);
    Ok(all.into())
}

enum Address {
    Connections,
    One { connection: String, kind: &'static Kind, name: String },
}

/// What a URI leads to; `None` where it leads nowhere.
fn address(uri: &str) -> Option<Address> {
    let path = uri.strip_prefix(SCHEME)?;
    if path == "connections" {
        return Some(Address::Connections);
    }
    let mut segments = path.split('/');
    let (connection, plural, name) = (segments.next()?, segments.next()?, segments.next()?);
    let kind = KINDS.iter().find(|it| it.plural == plural)?;
    let address = Address::One { connection: decoded(connection)?, kind, name: decoded(name)? };
    segments.next().is_none().then_some(address)
}

/// A path segment without its percent signs; `None` where they, or the bytes they stand for, make no text.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?].map(|it| char::from(it).to_digit(16));
                let [Some(high), Some(low)] = digits else { return None };
                u8::try_from(high * 16 + low).ok()?
            }
            b'?' | b'#' => return None, // no resource has a query or a fragment
            other => other,
        });
    }
    String::from_utf8(bytes).ok().filter(|it| !it.is_empty())
}

/// What cannot be found, what cannot be pointed at and what the caller may not see answer alike.
fn refused(error: &CallError, uri: &str) -> ErrorData {
    let mut data = error.to_value();
    data["uri"] = uri.into();
    shape(&mut data);
    let message = data["message"].as_str().map_or_else(|| chain(error), str::to_owned);
    match error {
        CallError::Provider(ProviderError::NotFound { .. } | ProviderError::Ambiguous { .. })
        | CallError::UnknownTool { .. }
        | CallError::UnknownConnection { .. }
        | CallError::NotServed { .. }
        | CallError::InvalidArguments { .. }
        | CallError::Denied { .. } => ErrorData::resource_not_found(message, Some(json!(data))),
        _ => ErrorData::internal_error(message, Some(data)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_once() {
        assert_eq!(decoded("Caf%C3%A9%20%2F%20Bar"), Some("Café / Bar".to_owned()));
        assert_eq!(decoded("50%2525"), Some("50%25".to_owned()));
        for bad in ["", "%", "%2", "%zz", "%FF", "a?b", "a#b"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }

    #[test]
    fn other_addresses_lead_nowhere() {
        for bad in
            ["", "rolecall://", "rolecall://local", "rolecall://local/projects", "rolecall://local/projects/a/b", "file:///etc/passwd"]
        {
            assert!(address(bad).is_none(), "{bad}");
        }
    }
}
