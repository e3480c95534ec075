//! Lists of services, whole and in pages.

use std::collections::HashSet;

use crate::{
    domain::{List, PageRequest},
    error::ProviderError,
    providers::cursor,
};

/// A list that is longer than this many pages is not read to its end: something is wrong with it.
const MAX_PAGES: usize = 1000;

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

/// A page as a service gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drained<T> {
    pub(crate) items: Vec<T>,
    /// What the next page is asked with; `None` at the end.
    pub(crate) next: Option<String>,
}

/// Reads all pages: `fetch` gets what the page before gave as `next`. A cursor that comes twice and a list without end are
/// errors: a short list would look like the whole one.
pub(crate) async fn drain<T, F, Fut>(mut fetch: F) -> Result<Vec<T>, ProviderError>
where
    F: FnMut(Option<String>) -> Fut,
    Fut: Future<Output = Result<Drained<T>, ProviderError>>,
{
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    let mut next = None;
    for _ in 0..MAX_PAGES {
        let page = fetch(next.take()).await?;
        items.extend(page.items);
        match page.next {
            None => return Ok(items),
            Some(cursor) if !seen.insert(cursor.clone()) => break,
            Some(cursor) => next = Some(cursor),
        }
    }
    Err(ProviderError::conflict(
        "endless_list",
        "the service's list does not end: it gives the same page again and again",
        "repeat the call; if it stays so, tell the provider's support",
    ))
}

/// What a page begins after: a key of ours, or the service's own cursor inside of ours.
pub(crate) fn theirs(page: &PageRequest) -> Result<Option<String>, ProviderError> {
    page.cursor.as_ref().map(cursor::key).transpose()
}
