//! Pages: the one way lists are cut, whatever a provider's own paging is.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// How many items a page has: 1 to 100, 25 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct Limit(u8);

impl Limit {
    pub const DEFAULT: Self = Self(25);

    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl TryFrom<i64> for Limit {
    type Error = String;
    fn try_from(limit: i64) -> Result<Self, String> {
        match u8::try_from(limit) {
            Ok(it @ 1..=100) => Ok(Self(it)),
            _ => Err(format!("`{limit}` is not a page size; use 1 to 100")),
        }
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "description": "≤100" })
    }
}

/// Where the next page starts: a text made by the server, to be sent back as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// Stands before every key, so that cursors can mean something else one day.
const VERSION: &str = "1:";

impl Cursor {
    /// The cursor of the page that begins after this key.
    pub fn after(key: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(format!("{VERSION}{key}")))
    }

    /// The key that a page begins after; `None` where this is not a cursor.
    pub fn key(&self) -> Option<String> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(&self.0).ok()?).ok()?;
        text.strip_prefix(VERSION).map(str::to_owned)
    }
}

impl JsonSchema for Cursor {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Page." })
    }
}

/// The paging arguments of a list operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    pub limit: usize,
    pub cursor: Option<Cursor>,
}

impl PageRequest {
    pub fn of(limit: Option<Limit>, cursor: Option<&Cursor>) -> Self {
        Self { limit: limit.unwrap_or(Limit::DEFAULT).get(), cursor: cursor.cloned() }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    /// How many items this page has.
    pub shown: usize,
    pub has_more: bool,
    /// Pass as `cursor` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many items all pages have, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl<T> List<T> {
    /// A whole list in one page.
    pub fn whole(items: Vec<T>) -> Self {
        let shown = items.len();
        Self { items, shown, has_more: false, next_cursor: None, total: Some(shown as u64) }
    }

    /// The page at the beginning of what is left, which may be more than the page holds; the next one begins after the key of
    /// its last item. How many there are in all is for the caller to say.
    pub fn cut(mut items: Vec<T>, limit: usize, key: impl FnOnce(&T) -> String) -> Self {
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| has_more).map(|it| Cursor::after(&key(it)).0);
        Self { shown: items.len(), items, has_more, next_cursor, total: None }
    }

    /// The same page of what is made of each item.
    pub fn map<U>(self, item: impl FnMut(T) -> U) -> List<U> {
        let Self { items, shown, has_more, next_cursor, total } = self;
        List { items: items.into_iter().map(item).collect(), shown, has_more, next_cursor, total }
    }
}
