//! Cursors: where the next page starts, as a text that means nothing to those who send it back.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{domain::Cursor, error::ProviderError};

const VERSION: &str = "1:";

/// The cursor of the page that begins after this key.
pub(crate) fn after(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{VERSION}{key}"))
}

/// The key that a page begins after.
pub(crate) fn key(cursor: &Cursor) -> Result<String, ProviderError> {
    let text = URL_SAFE_NO_PAD.decode(&cursor.0).ok().and_then(|it| String::from_utf8(it).ok());
    text.as_deref().and_then(|it| it.strip_prefix(VERSION)).map(str::to_owned).ok_or_else(|| {
        ProviderError::invalid(
            format!("`{}` is not a cursor", cursor.0.chars().take(40).collect::<String>()),
            "send back `next_cursor` of the page before as it was, or leave `cursor` out for the first page",
        )
    })
}
