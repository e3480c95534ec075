//! From a text to the thing that is meant by it, the same for all providers.
//!
//! A text is read as it stands first. Only where nothing is called so is it read in the other ways in which our own results and people
//! write things down; whatever the way, two that fit are two candidates.

use super::meant::{has_address, has_id, is_called};

/// One way to read a text that names a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// A name or an id.
    pub(crate) text: String,
    /// Whether it can only be an id.
    pub(crate) is_id: bool,
    /// What the thing with the id is called, where that was said, too.
    pub(crate) called: Option<String>,
    /// What it is in: an organization.
    pub(crate) within: Option<String>,
}

impl Reading {
    fn any(text: &str) -> Self {
        Self { text: text.trim().to_owned(), is_id: false, called: None, within: None }
    }

    fn id(text: &str, called: Option<&str>) -> Self {
        Self { is_id: true, called: called.map(|it| it.trim().to_owned()), ..Self::any(text) }
    }

    fn within(text: &str, place: &str) -> Self {
        Self { within: Some(place.trim().to_owned()), ..Self::any(text) }
    }

    /// Whether something that was found by its text fits what else the reading says.
    pub(crate) fn fits(&self, id: &str, names: &[&str], within: &[&str]) -> bool {
        let among = |text: &String, all: &[&str]| all.iter().any(|it| is_called(*it, text));
        let by_id = !self.is_id || (id.eq_ignore_ascii_case(&self.text) && self.called.as_ref().is_none_or(|name| among(name, names)));
        by_id && self.within.as_ref().is_none_or(|place| among(place, within))
    }
}

/// The ways to read a text that names a thing of this kind, the likeliest first. The first is the text as it stands.
pub(crate) fn readings(kind: &str, text: &str) -> Vec<Reading> {
    let mut found = vec![Reading::any(text)];
    let mut add = |it: Reading| {
        if !it.text.is_empty() && it.within.as_deref() != Some("") && !found.contains(&it) {
            found.push(it);
        }
    };
    let bare = bare(text);
    add(Reading::any(bare));
    // `Atlas [prj_atlas]`, also with what it is in behind it, as candidates and questions show it.
    if let Some((name, rest)) = bare.rsplit_once('[')
        && let Some((id, behind)) = rest.split_once(']')
        && (behind.trim().is_empty() || behind.trim_start().starts_with("in ") || behind.trim_start().starts_with(','))
    {
        let name = without_kind(kind, self::bare(name));
        add(Reading::id(id, Some(name).filter(|it| !it.is_empty())));
    }
    // `prj_atlas (Atlas in Acme)` and `Atlas (prj_atlas)`.
    if let Some((before, inner)) = bare.strip_suffix(')').and_then(|it| it.rsplit_once('(')) {
        add(Reading::id(before, None));
        add(Reading::id(inner, Some(before).filter(|it| !it.trim().is_empty())));
        add(Reading::within(before, inner));
    }
    let folded = bare.to_ascii_lowercase();
    if let Some(at) = folded.rfind(" in ").filter(|_| folded.len() == bare.len()) {
        add(Reading::within(self::bare(&bare[..at]), self::bare(&bare[at + 4..])));
    }
    if let Some((place, name)) = bare.split_once('/') {
        add(Reading::within(name, place));
    }
    add(Reading::any(without_kind(kind, bare)));
    // Ids are written in small letters nearly everywhere.
    if bare.chars().any(|it| it.is_ascii_uppercase()) && !bare.contains(char::is_whitespace) {
        add(Reading::any(&bare.to_ascii_lowercase()));
    }
    found
}

/// A text without the quotes, braces and marks that were written around it.
fn bare(text: &str) -> &str {
    let mut text = text.trim().trim_end_matches([';', ',']).trim_end();
    for (open, close) in [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('„', '“'), ('«', '»'), ('{', '}'), ('<', '>'), ('[', ']')]
    {
        if let Some(inner) = text.strip_prefix(open).and_then(|it| it.strip_suffix(close)) {
            text = inner.trim();
        }
    }
    text
}

/// A name without the word for what it is: `project Atlas`, `Atlas project`.
fn without_kind<'a>(kind: &str, text: &'a str) -> &'a str {
    let folded = text.to_ascii_lowercase();
    if folded.len() != text.len() {
        return text;
    }
    let (before, behind) = (format!("{kind} "), format!(" {kind}"));
    if folded.starts_with(&before) {
        return bare(&text[before.len()..]);
    }
    if folded.ends_with(&behind) { bare(&text[..text.len() - behind.len()]) } else { text }
}

/// The things that a text names: one, none, or the candidates. An id wins over names, so that a thing named like another's id can
/// still be meant. `within` tells names and ids of the organization that a thing is in, as far as it is in one.
pub(crate) fn matching<'a, T>(
    items: &'a [T],
    kind: &str,
    text: &str,
    id: impl Fn(&T) -> &str,
    names: impl Fn(&'a T) -> Vec<&'a str>,
    within: impl Fn(&'a T) -> Vec<&'a str>,
) -> Vec<&'a T> {
    if let Some(found) = items.iter().find(|it| has_id(id(it), text)) {
        return vec![found];
    }
    // What is absent or empty is no name, and is never meant.
    let is = |name: &str, wanted: &str| is_called(name, wanted) || (wanted.contains('@') && has_address(name, wanted));
    let called = |it: &'a T, wanted: &str| names(it).into_iter().any(|name| is(name, wanted));
    let found: Vec<&T> = items.iter().filter(|it| called(it, text)).collect();
    if !found.is_empty() {
        return found;
    }
    for reading in readings(kind, text) {
        let is_in = |it: &'a T| reading.within.as_ref().is_none_or(|place| within(it).into_iter().any(|it| is_called(it, place)));
        let ids = items.iter().filter(|it| !id(it).is_empty() && id(it).eq_ignore_ascii_case(&reading.text));
        let fits = |it: &'a T| reading.called.as_ref().is_none_or(|name| called(it, name));
        let mut found: Vec<&T> = ids.filter(|it| fits(it) && is_in(it)).collect();
        if found.is_empty() && !reading.is_id {
            found = items.iter().filter(|it| called(it, &reading.text) && is_in(it)).collect();
        }
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_found_as_it_is_shown_and_as_people_write_it() {
        let items = [
            ("prj_atlas", "Atlas", "Acme"),
            ("p-1", "Helpdesk", "Acme"),
            ("p-2", "Helpdesk", "Northwind Traders"),
            ("p-3", "Atlas [old]", "Acme"),
        ];
        let find = |text: &str| {
            let found = matching(&items, "project", text, |it| it.0, |it| vec![it.1], |it| vec![it.2]);
            found.into_iter().map(|it| it.0).collect::<Vec<_>>()
        };
        for text in [
            "Atlas",
            "prj_atlas",
            "PRJ_ATLAS",
            "{prj_atlas}",
            "\"Atlas\"",
            "`Atlas`",
            "Atlas;",
            "Atlas [prj_atlas]",
            "Atlas [prj_atlas] in Acme",
            "prj_atlas (Atlas in Acme)",
            "Atlas (prj_atlas)",
            "project Atlas",
            "Atlas project",
            "project `Atlas` [prj_atlas], organization Acme",
            "Atlas in Acme",
            "Acme/Atlas",
            "Atlas (Acme)",
        ] {
            assert_eq!(find(text), ["prj_atlas"], "{text}");
        }
        assert_eq!(find("Helpdesk"), ["p-1", "p-2"]);
        assert_eq!(find("helpdesk in northwind traders"), ["p-2"]);
        assert_eq!(find("Atlas [old]"), ["p-3"]);
        for text in ["Atlas [p-1]", "Atlas (EU)", "Atlas in Northwind Traders", "Atlas in Nowhere", "Atla", "not Atlas", "[]", ""] {
            assert_eq!(find(text), [""; 0], "{text}");
        }
    }
}
