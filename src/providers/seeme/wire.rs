//! What all answers of the service have in common: lists that may be `null`, texts that may be empty, times that never were.

use chrono::{DateTime, Datelike as _};
use serde::de::DeserializeOwned;

use crate::{
    domain::Timestamp,
    error::ProviderError,
    providers::http::{Reading, Request},
};

/// A list; `null` is one without anything in it.
pub(super) async fn listed<T: DeserializeOwned>(request: Request<Reading>) -> Result<Vec<T>, ProviderError> {
    Ok(request.send::<Option<Vec<T>>>().await?.unwrap_or_default())
}

/// A text with something in it.
pub(super) fn filled(text: Option<&String>) -> Option<&str> {
    text.map(|it| it.trim()).filter(|it| !it.is_empty())
}

/// A time; nothing, an empty text and the year 1 stand for one that never was.
pub(super) fn time(text: Option<&String>) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(filled(text)?).ok()?;
    (time.year() > 1).then(|| Timestamp(time.timestamp_millis()))
}

/// Whether an error says that there is no such thing, or no such operation.
pub(super) fn is_missing(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Remote(it) if matches!(it.code, "not_found" | "not_supported"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_never_was_is_none() {
        let told = |text: &str| time(Some(&text.to_owned()));
        assert_eq!(told("1970-01-01T00:00:01Z"), Some(Timestamp(1000)));
        assert_eq!(told("1970-01-01T01:00:01.5+01:00"), Some(Timestamp(1500)));
        for absent in ["", " ", "0001-01-01T00:00:00Z", "yesterday"] {
            assert_eq!(told(absent), None, "{absent}");
        }
        assert_eq!(time(None), None);
    }
}
