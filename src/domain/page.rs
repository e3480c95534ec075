//! Pages: the one way lists are cut, whatever a provider's own paging is.

use std::borrow::Cow;

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
        json_schema!({ "type": "integer", "description": "Up to 100." })
    }
}

/// Where the next page starts: a text made by the server, to be sent back as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

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
}
