//! The service's lists. Some go on after `last_id`, others after `next`; all of them are asked with `after`.

use std::sync::Arc;

use serde::{Deserialize, de::DeserializeOwned};

use super::Session;
use crate::{
    domain::{Cursor, List, PageRequest},
    error::ProviderError,
    providers::http::{Drained, Reading, Request, drain, theirs},
};

/// The most that lists with `last_id` give at once.
pub(super) const BY_ID: usize = 100;
/// The most that lists with `next` give at once.
pub(super) const BY_NEXT: usize = 1000;

#[derive(Deserialize)]
struct WireList<T> {
    data: Vec<T>,
    has_more: Option<bool>,
    last_id: Option<String>,
    next: Option<String>,
}

impl<T> WireList<T> {
    /// The items, and where to go on. A list that says that it goes on, and not where, would look whole and is not.
    fn read(self, after: Option<&str>) -> Result<Drained<T>, ProviderError> {
        let cursor = self.last_id.or(self.next).filter(|it| !it.is_empty());
        let next = match cursor {
            _ if self.data.is_empty() || self.has_more == Some(false) => None,
            Some(cursor) if Some(cursor.as_str()) == after => return Err(broken("gives the same page again and again")),
            Some(cursor) => Some(cursor),
            None if self.has_more == Some(true) => return Err(broken("says that there is more, and not where")),
            None => None,
        };
        Ok(Drained { items: self.data, next })
    }
}

fn broken(how: &str) -> ProviderError {
    ProviderError::conflict(
        "broken_list",
        format!("the service's list cannot be read to its end: it {how}"),
        "repeat the call; if it stays so, tell the provider's support",
    )
}

/// One page, as the service cuts it.
pub(super) async fn page<T: DeserializeOwned, V>(
    request: Request<Reading>,
    wanted: &PageRequest,
    view: impl Fn(T) -> V,
) -> Result<List<V>, ProviderError> {
    let after = theirs(wanted)?;
    let list: WireList<T> = request.query("limit", wanted.limit).maybe("after", after.as_ref()).send().await?;
    let Drained { items, next } = list.read(after.as_deref())?;
    let items: Vec<V> = items.into_iter().map(view).collect();
    Ok(List { shown: items.len(), items, has_more: next.is_some(), next_cursor: next.map(|it| Cursor::after(&it).0), total: None })
}

/// How many there are, where one page tells.
pub(super) async fn count_of_one_page<T: DeserializeOwned>(request: Request<Reading>, most: usize) -> Result<Option<u64>, ProviderError> {
    let list: WireList<T> = request.query("limit", most).send().await?;
    let Drained { items, next } = list.read(None)?;
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
    let fetch = |after: Option<String>| async move {
        let list: WireList<T> = request(at).query("limit", most).maybe("after", after.as_ref()).send().await?;
        list.read(after.as_deref())
    };
    drain(fetch).await
}
