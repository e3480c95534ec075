//! Cursors are for the list they came from: they carry a mark of its tool, its connection and its filters.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{error::CallError, store::sha256};

/// The mark of one list.
pub(super) struct Mark(String);

/// How many characters of the digest stand in a cursor.
const LETTERS: usize = 8;

impl Mark {
    /// The mark of a call's list; takes the mark off the cursor that the call gives.
    ///
    /// # Errors
    ///
    /// Where the cursor is none, or that of another list.
    pub(super) fn open(tool: &str, connection: &str, arguments: &mut Map<String, Value>) -> Result<Self, CallError> {
        let cursor = arguments.shift_remove("cursor");
        let mark = Self::of(tool, connection, arguments);
        let Some(Value::String(given)) = cursor else { return Ok(mark) };
        let Some((cursor, theirs)) = given.rsplit_once('.') else {
            let message = format!("`{}` is not a cursor", crate::shape::cut(&given, 40));
            let fix = "send back `next_cursor` of the page before as it was, or leave `cursor` out for the first page";
            return Err(CallError::InvalidArguments { message, fix: fix.into() });
        };
        if theirs != mark.0 {
            return Err(CallError::InvalidArguments {
                message: "this cursor is that of another list: it came from another tool or connection, or with other filters".into(),
                fix: "repeat the call that gave it with all its arguments, or leave `cursor` out for the first page".into(),
            });
        }
        arguments.insert("cursor".into(), cursor.into());
        Ok(mark)
    }

    fn of(tool: &str, connection: &str, arguments: &Map<String, Value>) -> Self {
        // A page may be of another size than the one before.
        let filters: BTreeMap<&String, String> =
            arguments.iter().filter(|it| it.0 != "limit").map(|(name, value)| (name, value.to_string().to_lowercase())).collect();
        let mut mark = sha256(format!("{tool}\n{connection}\n{filters:?}"));
        mark.truncate(LETTERS);
        Self(mark)
    }

    /// Puts the mark on the cursor of a page.
    pub(super) fn close(&self, page: &mut Value) {
        if let Some(cursor) = page.get("next_cursor").and_then(Value::as_str) {
            page["next_cursor"] = format!("{cursor}.{}", self.0).into();
        }
    }
}
