//! Pages of the directory: the next page starts after a key, so that each item comes exactly once however
//! the list changes in between.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    domain::{List, PageRequest},
    error::ProviderError,
};

/// The page that was asked for, as the database is asked for it.
pub(super) struct PageQuery {
    limit: usize,
    /// The key of the last item of the page before; `None` at the start. Keys are compared with `>`.
    pub(super) after: Option<String>,
}

const VERSION: &str = "1:";

impl PageQuery {
    pub(super) fn of(page: &PageRequest) -> Result<Self, ProviderError> {
        let after = page.cursor.as_ref().map(|it| decode(&it.0)).transpose()?;
        Ok(Self { limit: page.limit, after })
    }

    /// How many rows to ask for: one more than are shown, to see whether there are more.
    pub(super) fn rows(&self) -> i64 {
        i64::try_from(self.limit + 1).unwrap_or(i64::MAX)
    }

    /// Makes the page out of the rows; `key` is what the rows are sorted by, and unique among them.
    pub(super) fn page<R, T>(&self, mut rows: Vec<R>, total: Option<i64>, key: impl Fn(&R) -> String, item: impl Fn(R) -> T) -> List<T> {
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|it| URL_SAFE_NO_PAD.encode(format!("{VERSION}{}", key(it))));
        let items: Vec<T> = rows.into_iter().map(item).collect();
        List { shown: items.len(), items, has_more, next_cursor, total: total.and_then(|it| u64::try_from(it).ok()) }
    }
}

fn decode(cursor: &str) -> Result<String, ProviderError> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|it| String::from_utf8(it).ok());
    text.as_deref().and_then(|it| it.strip_prefix(VERSION)).map(str::to_owned).ok_or_else(|| {
        ProviderError::invalid(
            format!("`{}` is not a cursor", cursor.chars().take(40).collect::<String>()),
            "send back `next_cursor` of the page before as it was, or leave `cursor` out for the first page",
        )
    })
}
