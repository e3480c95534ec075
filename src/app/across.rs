//! One list over all connections: each gives its share of a page, and those that do not answer are named beside the rest.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::{App, pages::Mark};
use crate::{
    catalog::Offer,
    domain::{Cursor, Limit},
    error::{CallError, ProviderError},
    guard::Caller,
    providers::{Connection, Prepared, cursor},
    shape::shape,
};

/// How long one connection may keep the others' answers waiting.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads a page of the list from every connection that serves it and is not at its end yet.
pub(super) async fn read(app: &App, offer: &Offer, mut arguments: Map<String, Value>, caller: &Caller) -> Result<Value, CallError> {
    let cursors = match arguments.shift_remove("cursor") {
        None => None,
        Some(it) => Some(cursors(&it)?),
    };
    let asked: Vec<_> = offer.able().iter().filter(|it| cursors.as_ref().is_none_or(|all| all.contains_key(&it.name))).collect();
    let limit = match arguments.get("limit") {
        None => Limit::DEFAULT,
        Some(it) => serde_json::from_value(it.clone())
            .map_err(|error| CallError::InvalidArguments { message: format!("`limit`: {error}"), fix: "use 1 to 100".into() })?,
    };
    let share = (limit.get() / asked.len().max(1)).max(1);
    let lists = join_all(asked.iter().map(|connection| {
        let mut arguments = arguments.clone();
        arguments.insert("limit".into(), share.into());
        if let Some(cursor) = cursors.as_ref().and_then(|it| it.get(&connection.name)) {
            arguments.insert("cursor".into(), cursor.as_str().into());
        }
        let list = one(app, offer, connection, arguments, caller);
        async { tokio::time::timeout(PATIENCE, list).await.unwrap_or_else(|_| Err(late())) }
    }))
    .await;
    let mut list = together(&asked.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), lists);
    // Whoever looks for something everywhere has to know where nobody looked.
    let unable = app.connections.iter().filter(|it| !it.serves(offer.tool.name)).map(|it| it.name.as_str());
    let unable: Vec<&str> = unable.collect();
    if let (Value::Object(list), false, None) = (&mut list, unable.is_empty(), &cursors) {
        list.insert("not_asked".into(), json!(unable));
    }
    Ok(list)
}

fn late() -> CallError {
    ProviderError::conflict("timeout", "it did not answer in time", "repeat the call with this connection alone").into()
}

async fn one(
    app: &App,
    offer: &Offer,
    connection: &Connection,
    mut arguments: Map<String, Value>,
    caller: &Caller,
) -> Result<Value, CallError> {
    let mark = Mark::open(offer.tool.name, &connection.name, &mut arguments)?;
    let Prepared::Read(read) = offer.prepare(connection, &connection.open(), arguments)? else { return Err(CallError::Internal) };
    let mut page = app.guard.read(&offer.tool, &connection.name, caller, read).await?;
    mark.close(&mut page);
    Ok(page)
}

/// The lists as one, in the order of the connections.
fn together(connections: &[&str], lists: Vec<Result<Value, CallError>>) -> Value {
    let (mut items, mut failed, mut more) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut total = Some(0);
    for (connection, list) in connections.iter().zip(lists) {
        match list {
            Ok(mut list) => {
                if let Some(Value::Array(found)) = list.get_mut("items").map(Value::take) {
                    items.extend(found.into_iter().map(|it| with_connection(it, connection)));
                }
                if let Some(cursor) = list["next_cursor"].as_str() {
                    more.insert((*connection).to_owned(), cursor.to_owned());
                }
                total = total.zip(list["total"].as_u64()).map(|(sum, it)| sum + it);
            }
            Err(error) => {
                failed.push(json!(error.failed(connection)));
                total = None;
            }
        }
    }
    let mut list = Map::new();
    list.insert("shown".into(), items.len().into());
    list.insert("items".into(), items.into());
    list.insert("has_more".into(), (!more.is_empty()).into());
    if !more.is_empty() {
        list.insert("next_cursor".into(), Cursor::after(&json!(more).to_string()).0.into());
    }
    if let Some(total) = total {
        list.insert("total".into(), total.into());
    }
    if !failed.is_empty() {
        list.insert("failed".into(), failed.into());
    }
    let mut list = Value::from(list);
    shape(&mut list);
    list
}

fn with_connection(mut item: Value, connection: &str) -> Value {
    if let Value::Object(fields) = &mut item {
        fields.insert("connection".into(), connection.into());
    }
    item
}

/// Where each connection's next page starts.
fn cursors(cursor: &Value) -> Result<BTreeMap<String, String>, CallError> {
    let text = cursor.as_str().unwrap_or_default().to_owned();
    let of_one = || CallError::InvalidArguments {
        message: "this cursor is for one connection".into(),
        fix: "name the `connection` it came from, or leave `cursor` out for the first page".into(),
    };
    if text.contains('.') {
        return Err(of_one());
    }
    let key = cursor::key(&Cursor(text))?;
    serde_json::from_str(&key).map_err(|_| of_one())
}
