//! The service's lists. Some go on after `last_id`, others after `next`; all of them are asked with `after`.

use std::sync::Arc;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::Session;
use crate::{
    domain::{Cursor, List, PageRequest},
    error::ProviderError,
    providers::http::{Drained, Reading, Request, broken, drain, filled, items, once, theirs, tolerant},
};

/// The most that lists with `last_id` give at once.
pub(super) const BY_ID: usize = 100;
/// The most that lists with `next` give at once.
pub(super) const BY_NEXT: usize = 1000;

/// What a list says besides its items.
#[derive(Deserialize)]
struct WireRest {
    has_more: Option<bool>,
    last_id: Option<String>,
    next: Option<String>,
}

/// Reads one page: its items, and where to go on. A list that says that it goes on, and not where, would look whole and is not. An
/// item that the page was to begin after is not on it again, whatever the service takes its cursor for.
async fn fetch<T: DeserializeOwned>(at: Request<Reading>, limit: usize, after: Option<&str>) -> Result<Drained<T>, ProviderError> {
    let request = at.query("limit", limit).maybe("after", after);
    let unreadable = request.unreadable();
    let answer = request.value().await?;
    let told = match answer.get("data") {
        Some(Value::Array(items)) => items.as_slice(),
        Some(Value::Null) => &[],
        _ => return Err(unreadable("missing field `data`")),
    };
    let mut items = items::<T>(told).map_err(|what| unreadable(&format!("data{what}")))?;
    let WireRest { has_more, last_id, next } = tolerant(&answer).map_err(|what| unreadable(&what))?;
    let cursor = last_id.or(next).filter(|it| !it.is_empty());
    let next = match cursor {
        _ if has_more == Some(false) => None,
        Some(cursor) if Some(cursor.as_str()) == after => match has_more {
            None if items.is_empty() => None,
            _ => return Err(broken("gives the same page again and again")),
        },
        Some(cursor) => Some(cursor),
        // Some say that there is more until a page is empty.
        None if has_more == Some(true) && !items.is_empty() => return Err(broken("says that there is more, and not where")),
        None => None,
    };
    items.retain(|it| Some(it.id.as_str()) != after);
    Ok(Drained { items, next })
}

/// One page, as the service cuts it.
pub(super) async fn page<T: DeserializeOwned, V>(
    request: Request<Reading>,
    wanted: &PageRequest,
    view: impl Fn(T) -> V,
) -> Result<List<V>, ProviderError> {
    page_of(request, wanted, |_: &T| true, view).await
}

/// The same of a list that is narrowed by the service: what it tells all the same is left out.
pub(super) async fn page_of<T: DeserializeOwned, V>(
    request: Request<Reading>,
    wanted: &PageRequest,
    is_meant: impl Fn(&T) -> bool,
    view: impl Fn(T) -> V,
) -> Result<List<V>, ProviderError> {
    let (request, is_meant) = (&request, &is_meant);
    let Drained { items, next } = filled(theirs(wanted)?, |after| async move {
        let mut page = fetch::<T>(request.clone(), wanted.limit, after.as_deref()).await?;
        page.items.retain(|it| is_meant(&it.it));
        Ok(page)
    })
    .await?;
    let items: Vec<V> = once(items).into_iter().map(view).collect();
    Ok(List { shown: items.len(), items, has_more: next.is_some(), next_cursor: next.map(|it| Cursor::after(&it).0), total: None })
}

/// How many there are, where one page tells.
pub(super) async fn count_of_one_page<T: DeserializeOwned>(request: Request<Reading>, most: usize) -> Result<Option<u64>, ProviderError> {
    let Drained { items, next } = fetch::<T>(request, most, None).await?;
    Ok(next.is_none().then_some(items.len() as u64))
}

/// The whole list, `most` at a time, for whoever looks things up in it again and again.
pub(super) async fn known<T: DeserializeOwned + Send + Sync + 'static>(
    at: &Session,
    most: usize,
    request: impl Fn(&Session) -> Request<Reading>,
) -> Result<Arc<Vec<T>>, ProviderError> {
    let key = request(at).key()?;
    at.once(&key, || all(at, most, request)).await
}

/// The whole list, `most` at a time.
pub(super) async fn all<T: DeserializeOwned>(
    at: &Session,
    most: usize,
    request: impl Fn(&Session) -> Request<Reading>,
) -> Result<Vec<T>, ProviderError> {
    let request = &request;
    drain(|after: Option<String>| async move { fetch(request(at), most, after.as_deref()).await }).await
}
