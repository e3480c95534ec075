//! Pages of the directory: the next page starts after a key, so that each item comes exactly once however
//! the list changes in between.

use crate::{
    domain::{List, PageRequest},
    error::ProviderError,
    providers::cursor,
};

/// The page that was asked for, as the database is asked for it.
pub(super) struct PageQuery {
    limit: usize,
    /// The key of the last item of the page before; `None` at the start. Keys are compared with `>`.
    pub(super) after: Option<String>,
}

impl PageQuery {
    pub(super) fn of(page: &PageRequest) -> Result<Self, ProviderError> {
        let after = page.cursor.as_ref().map(cursor::key).transpose()?;
        Ok(Self { limit: page.limit, after })
    }

    /// The key of two parts that the page begins behind; the second has no space in it.
    pub(super) fn after_two(&self) -> Option<Vec<String>> {
        let after = self.after.as_ref()?;
        let (first, second) = after.rsplit_once(' ').unwrap_or((after, ""));
        Some(vec![first.to_owned(), second.to_owned()])
    }

    /// The key of one part that the page begins behind.
    pub(super) fn after_one(&self) -> Option<Vec<String>> {
        self.after.clone().map(|it| vec![it])
    }

    /// How many rows to ask for: one more than are shown, to see whether there are more.
    pub(super) fn rows(&self) -> i64 {
        i64::try_from(self.limit + 1).unwrap_or(i64::MAX)
    }

    /// Makes the page out of the rows; `key` is what the rows are sorted by, and unique among them.
    pub(super) fn page<R, T>(&self, rows: Vec<R>, total: Option<i64>, key: impl Fn(&R) -> String, item: impl Fn(R) -> T) -> List<T> {
        let total = total.and_then(|it| u64::try_from(it).ok());
        List { total, ..List::cut(rows, self.limit, key).map(item) }
    }
}
