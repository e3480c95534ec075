//! Lists of services, whole and in pages. This is the one place where lists are walked: what comes of it is whole, each item once,
//! or an error says that it is not.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::tolerant::read;
use crate::{
    domain::{Cursor, List, PageRequest, access::Grants},
    error::ProviderError,
    providers::cursor,
};

/// A list that is longer than this many pages is not read to its end: something is wrong with it.
const MAX_PAGES: usize = 1000;
/// So many pages in a row may be empty, or repeat what came before, and the list still goes on.
const MAX_IDLE: usize = 20;

/// A page of a list that was read whole, sorted by `key`: a text that is unique in it. The next page starts after a key, so
/// each item comes exactly once however the list changes in between.
pub(crate) fn cut<T>(mut items: Vec<T>, page: &PageRequest, key: impl Fn(&T) -> String) -> Result<List<T>, ProviderError> {
    let after = theirs(page)?;
    let total = Some(items.len() as u64);
    items.sort_by_cached_key(&key);
    if let Some(after) = after {
        items.retain(|it| key(it) > after);
    }
    Ok(List { total, ..List::cut(items, page.limit, key) })
}

/// An item of a service's list, and what it is told apart by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item<T> {
    pub(crate) id: String,
    pub(crate) it: T,
}

/// A page as a service gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drained<T> {
    pub(crate) items: Vec<Item<T>>,
    /// What the next page is asked with; `None` at the end.
    pub(crate) next: Option<String>,
}

/// The fields that hold what items are told apart by, the nearest first: a team in a project names both.
const IDS: [&str; 8] = ["id", "group_id", "groupId", "user_id", "userId", "projectId", "project_id", "organizationId"];

/// Reads the items of a list. Null is no item.
///
/// # Errors
///
/// Which item cannot be read, and why.
pub(crate) fn items<T: DeserializeOwned>(list: &[Value]) -> Result<Vec<Item<T>>, String> {
    let told = list.iter().enumerate().filter(|it| !it.1.is_null());
    told.map(|(at, item)| Ok(Item { id: identity(item), it: read(item).map_err(|what| format!("[{at}].{what}"))? })).collect()
}

/// What an item is told apart by: its id; where it has none, all of it.
fn identity(item: &Value) -> String {
    let ids = IDS.iter().filter_map(|name| item.get(*name));
    let id = ids.filter(|it| it.is_number() || it.as_str().is_some_and(|it| !it.is_empty())).map(|it| match it {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    id.into_iter().next().unwrap_or_else(|| item.to_string())
}

/// The items of a list that came whole, each once.
pub(crate) fn once<T>(list: Vec<Item<T>>) -> Vec<T> {
    let mut seen = HashSet::new();
    list.into_iter().filter(|it| seen.insert(it.id.clone())).map(|it| it.it).collect()
}

/// Reads all pages: `fetch` gets what the page before gave as `next`. An item that was on an earlier page is not taken again. A cursor
/// that comes twice, a list that goes on without giving anything and one without end are errors: a short list would look like the
/// whole one.
pub(crate) async fn drain<T, F, Fut>(mut fetch: F) -> Result<Vec<T>, ProviderError>
where
    F: FnMut(Option<String>) -> Fut,
    Fut: Future<Output = Result<Drained<T>, ProviderError>>,
{
    let (mut items, mut known) = (Vec::new(), HashSet::new());
    let (mut cursors, mut next, mut idle) = (HashSet::new(), None, 0);
    for _ in 0..MAX_PAGES {
        let page = fetch(next.take()).await?;
        let before = items.len();
        let mut here = Vec::new();
        for Item { id, it } in page.items {
            if !known.contains(&id) {
                items.push(it);
            }
            here.push(id);
        }
        known.extend(here);
        idle = if items.len() == before { idle + 1 } else { 0 };
        match page.next {
            None => return Ok(items),
            Some(_) if idle > MAX_IDLE => return Err(idles()),
            Some(cursor) if !cursors.insert(cursor.clone()) => return Err(broken("gives the same page again and again")),
            Some(cursor) => next = Some(cursor),
        }
    }
    Err(broken("does not come to an end"))
}

/// So many places are looked into at once, after the first few: a service that allows few requests has told of some of them by then.
const AT_ONCE: usize = 8;
/// So long whoever asked is kept waiting once there is something to tell.
const LONG_ENOUGH: Duration = Duration::from_secs(6);
/// Behind every key of a place's items.
const END: char = '\u{10ffff}';

/// A page of what is found in many places, each of which takes requests of its own. The places are looked into in the order of their
/// keys, at most `most` of them for a page: where they hold little of what is looked for, a page is short or empty, and the next one
/// begins behind them. Where the service can be asked no more, the page ends with what was looked into, and the next begins there.
pub(crate) async fn walk<P, T, Fut>(
    mut places: Vec<P>,
    page: &PageRequest,
    most: usize,
    (place_key, item_key): (impl Fn(&P) -> String, impl Fn(&T) -> String),
    look: impl Fn(P) -> Fut,
) -> Result<List<T>, ProviderError>
where
    Fut: Future<Output = Result<Vec<T>, ProviderError>>,
{
    // A key of two parts; neither has a line break in it.
    let key = |place: &str, item: &str| format!("{}\n{item}", place.replace('\n', " "));
    let after = theirs(page)?;
    places.sort_by_cached_key(&place_key);
    if let Some(after) = &after {
        places.retain(|it| key(&place_key(it), &END.to_string()) > *after);
    }
    let (mut found, mut looked, all) = (Vec::new(), 0, places.len());
    let mut places = places.into_iter();
    let (mut behind, until) = (String::new(), Instant::now() + LONG_ENOUGH);
    let cut_short = |found: Vec<(String, T)>, behind: &str| List {
        shown: found.len(),
        items: found.into_iter().map(|it| it.1).collect(),
        has_more: true,
        next_cursor: Some(Cursor::after(&key(behind, &END.to_string())).0),
        total: None,
    };
    while found.len() <= page.limit && looked < most.min(all) {
        let at_once = (looked + 1).min(AT_ONCE);
        let some: Vec<P> = places.by_ref().take(at_once.min(most - looked)).collect();
        let keys: Vec<String> = some.iter().map(&place_key).collect();
        let looks = join_all(some.into_iter().map(&look));
        let told = if looked == 0 { Ok(looks.await) } else { timeout_at(until, looks).await };
        let Ok(told) = told else { return Ok(cut_short(found, &behind)) };
        for (place, items) in keys.into_iter().zip(told) {
            let items = match items {
                Err(error) if error.is_for_later() && looked > 0 => return Ok(cut_short(found, &behind)),
                other => other?,
            };
            looked += 1;
            let mut items: Vec<(String, T)> = items.into_iter().map(|it| (key(&place, &item_key(&it)), it)).collect();
            items.sort_by(|one, other| one.0.cmp(&other.0));
            found.extend(items.into_iter().filter(|it| after.as_ref().is_none_or(|after| it.0 > *after)));
            behind = place;
        }
        if looked == most.min(all) && looked < all && found.len() <= page.limit {
            return Ok(cut_short(found, &behind));
        }
    }
    let is_whole = after.is_none() && found.len() <= page.limit;
    let total = is_whole.then_some(found.len() as u64);
    Ok(List { total, ..List::cut(found, page.limit, |it| it.0.clone()).map(|it| it.1) })
}

/// Who holds what, as far as it was read before the service could be asked no more, which is said. Any other error is one, as is that
/// nothing was read.
pub(crate) fn as_far_as_read(read: Result<(), ProviderError>, grants: &mut Grants) -> Result<(), ProviderError> {
    match read {
        Err(error) if error.is_for_later() && !grants.list.is_empty() => {
            grants.unfinished(&later(&error));
            Ok(())
        }
        other => other,
    }
}

/// Why it was not read, and when it may be.
pub(crate) fn later(error: &ProviderError) -> String {
    format!("{error}; {}", error.fix())
}

/// The next page with something in it, after a cursor: pages without are passed over.
pub(crate) async fn filled<T, F, Fut>(after: Option<String>, mut fetch: F) -> Result<Drained<T>, ProviderError>
where
    F: FnMut(Option<String>) -> Fut,
    Fut: Future<Output = Result<Drained<T>, ProviderError>>,
{
    let mut next = after;
    for _ in 0..=MAX_IDLE {
        let asked = next.clone();
        let page = fetch(next.take()).await?;
        match &page.next {
            Some(cursor) if Some(cursor) == asked.as_ref() => return Err(broken("gives the same page again and again")),
            Some(cursor) if page.items.is_empty() => next = Some(cursor.clone()),
            _ => return Ok(page),
        }
    }
    Err(idles())
}

fn idles() -> ProviderError {
    broken("says again and again that there is more, and gives nothing new")
}

/// The error of a list that cannot be read whole.
pub(crate) fn broken(how: &str) -> ProviderError {
    ProviderError::conflict(
        "broken_list",
        format!("the service's list cannot be read to its end, so it would not be whole: it {how}"),
        "repeat the call; if it stays so, tell the provider's support",
    )
}

/// What a page begins after: a key of ours, or the service's own cursor inside of ours.
pub(crate) fn theirs(page: &PageRequest) -> Result<Option<String>, ProviderError> {
    page.cursor.as_ref().map(cursor::key).transpose()
}
