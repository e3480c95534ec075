//! Whether something that a service tells is what was named. A filter is asked for, and what comes back is looked at again: some
//! services do not know it and answer with everything.

use crate::{
    domain::{fold, same_address},
    error::ProviderError,
};

/// Whether a name is the one that is wanted, however it is written. What is absent or empty is no name, and equals nothing.
pub(crate) fn is_called<'a>(told: impl Into<Option<&'a str>>, wanted: &str) -> bool {
    told.into().map(fold).is_some_and(|told| !told.is_empty() && told == fold(wanted))
}

/// Whether an e-mail address is the one that is wanted, however its domain is written. Letters with and without accents are of
/// different people.
pub(crate) fn has_address<'a>(told: impl Into<Option<&'a str>>, wanted: &str) -> bool {
    told.into().is_some_and(|told| !told.trim().is_empty() && same_address(told.trim(), wanted.trim()))
}

/// Whether an id is the one that is wanted, to the letter.
pub(crate) fn has_id<'a>(told: impl Into<Option<&'a str>>, wanted: &str) -> bool {
    told.into().is_some_and(|told| !told.is_empty() && told == wanted)
}

/// The thing that was asked for by its id, and not another one that the service answers with.
pub(crate) fn the_same<T>(answer: T, id: &str, told: impl Fn(&T) -> &str) -> Result<T, ProviderError> {
    if has_id(told(&answer), id) {
        return Ok(answer);
    }
    Err(ProviderError::conflict(
        "unreadable_answer",
        format!("the service was asked for `{id}` and answered with something else"),
        "repeat the call; if it stays so, see whether `base_url` leads to the service itself",
    ))
}

/// The one of those that fit; none where nothing fits. Several that differ are candidates: `label` tells them apart.
///
/// # Errors
///
/// `ProviderError::Ambiguous`
pub(crate) fn at_most_one<T>(
    fitting: impl IntoIterator<Item = T>,
    kind: &'static str,
    wanted: &str,
    label: impl Fn(&T) -> String,
) -> Result<Option<T>, ProviderError> {
    let mut fitting: Vec<T> = fitting.into_iter().collect();
    if fitting.len() < 2 {
        return Ok(fitting.pop());
    }
    let mut candidates: Vec<String> = Vec::new();
    for it in fitting.iter().map(label) {
        if !candidates.contains(&it) {
            candidates.push(it);
        }
    }
    if candidates.len() > 1 {
        return Err(ProviderError::Ambiguous { kind, name: wanted.to_owned(), candidates });
    }
    Ok(Some(fitting.swap_remove(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_equals_nothing() {
        for told in [None, Some(""), Some(" ")] {
            assert!(!is_called(told, "") && !is_called(told, " ") && !is_called(told, "ana"), "{told:?}");
            assert!(!has_address(told, "") && !has_address(told, " "), "{told:?}");
        }
        assert!(!has_id(None, "") && !has_id("", ""));
        assert!(is_called(" ANA  Ruiz", "ana ruiz") && has_address("Ana@Acme.example", "ana@acme.example") && has_id("u-1", "u-1"));
        assert!(!has_address("jose@acme.example", "jos\u{e9}@acme.example"), "another mailbox");
    }

    #[test]
    fn one_thing_that_is_told_twice_is_one_and_two_are_candidates() {
        let label = |it: &(&str, u8)| it.0.to_owned();
        assert_eq!(at_most_one(Vec::new(), "member", "ana", label).ok().flatten(), None);
        assert_eq!(at_most_one([("ana [1]", 1), ("ana [1]", 2)], "member", "ana", label).ok().flatten(), Some(("ana [1]", 1)));
        let several = at_most_one([("ana [1]", 1), ("ana [2]", 2)], "member", "ana", label);
        assert_eq!(several.map_err(|it| it.code()), Err("ambiguous_member".to_owned()));
    }
}
