//! Cursors, as they come back from those who were given them.

use crate::{domain::Cursor, error::ProviderError};

/// The key that a page begins after.
pub(crate) fn key(cursor: &Cursor) -> Result<String, ProviderError> {
    cursor.key().ok_or_else(|| {
        ProviderError::invalid(
            format!("`{}` is not a cursor", cursor.0.chars().take(40).collect::<String>()),
            "send back `next_cursor` of the page before as it was, or leave `cursor` out for the first page",
        )
    })
}
