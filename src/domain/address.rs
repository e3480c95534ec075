//! E-mail addresses as people and programs write them down, and when two of them are the same.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::text::{clean, same_letters};

/// What may stand around an address or a name without being a part of it.
const QUOTES: [char; 10] = ['"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»'];

/// The one address that a text writes down: alone, quoted, as a link, or in one of the ways in which mail programs and our own
/// results show a person, such as `Ana Ruiz <ana@acme.example>` and `ana@acme.example [usr_1]`. In lower case. `None` for any other
/// text: an address inside of a sentence is not taken out of it.
pub fn written_address(text: &str) -> Option<String> {
    let text: Cow<'_, str> = if text.is_ascii() { text.into() } else { clean(text).nfkc().collect::<String>().into() };
    let bare = bare(&text);
    if let Some(address) = address(bare) {
        return Some(address);
    }
    // A link as in Markdown: the words of the link say the same, or nothing of another person.
    if let Some((words, link)) = bare.strip_prefix('[').and_then(|it| it.strip_suffix(')')).and_then(|it| it.split_once("](")) {
        return beside(link, words);
    }
    for (open, close) in [('<', '>'), ('(', ')'), ('[', ']')] {
        let Some((before, inner)) = bare.strip_suffix(close).and_then(|it| it.rsplit_once(open)) else { continue };
        return beside(inner, before).or_else(|| beside(before, inner));
    }
    None
}

/// The address in one part of a text, where the other part names nobody else.
fn beside(part: &str, other: &str) -> Option<String> {
    let found = address(bare(part))?;
    let same = !other.contains('@') || address(bare(other)).is_some_and(|it| it == found);
    same.then_some(found)
}

/// A text without what stands around it: blanks, quotes, the scheme of a link, the mark behind an item of a list.
fn bare(text: &str) -> &str {
    let around = |it: char| it.is_whitespace() || QUOTES.contains(&it);
    let mut text = text.trim_matches(around).trim_end_matches([';', ',', '.', ':']).trim_matches(around);
    if let Some(inner) = text.strip_prefix('<').and_then(|it| it.strip_suffix('>')) {
        text = inner.trim_matches(around);
    }
    match text.split_at_checked("mailto:".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto:") => rest.split('?').next().unwrap_or_default().trim_matches(around),
        _ => text,
    }
}

/// An address without anything around it, in lower case; `None` where it is none.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.split_once('@')?;
    let word = |it: &str| !it.is_empty() && it.chars().all(|it| it.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(it));
    let valid = text.len() <= 254
        && word(local)
        && domain.contains('.')
        && domain.split('.').all(|label| word(label) && label.chars().all(|it| it.is_alphanumeric() || it == '-'));
    valid.then_some(text)
}

/// Whether two addresses are the same: but for upper and lower case, for how an accent is composed, and for whether the domain is
/// written in letters or, for machines, as `xn--…`.
pub fn same_address(one: &str, other: &str) -> bool {
    let simple = |it: &str| it.is_ascii() && !it.contains("xn--") && !it.contains("XN--");
    same_letters(one, other) || (!(simple(one) && simple(other)) && canonical(one) == canonical(other))
}

/// An address in the one form by which it is compared: composed, in lower case, the domain as machines write it.
pub fn canonical(address: &str) -> String {
    let address = address.nfc().collect::<String>().to_lowercase();
    let Some((local, domain)) = address.rsplit_once('@') else { return address };
    match idna::domain_to_ascii(domain) {
        Ok(domain) => format!("{local}@{domain}"),
        Err(_) => address,
    }
}

/// The forms in which an address may be kept: as machines write its domain, and as people do.
pub fn spellings(address: &str) -> [String; 2] {
    let machine = canonical(address);
    let people = match machine.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", idna::domain_to_unicode(domain).0),
        None => machine.clone(),
    };
    [machine, people]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_the_ways_in_which_it_is_written() {
        for text in [
            "ana@acme.example",
            " ANA@Acme.Example ",
            "\"ana@acme.example\"",
            "`ana@acme.example`",
            "ana@acme.example;",
            "ana@acme.example,",
            "ana@acme.example.",
            "<ana@acme.example>",
            "Ana Ruiz <ana@acme.example>",
            "\"Ruiz, Ana\" <ana@acme.example>;",
            "Ana Ruiz (ana@acme.example)",
            "ana@acme.example (Ana Ruiz)",
            "ana@acme.example [usr_ana]",
            "mailto:ana@acme.example",
            "MAILTO:ana@acme.example?subject=Hello",
            "Ana <mailto:ana@acme.example>",
            "[ana@acme.example](mailto:ana@acme.example)",
            "[Ana](mailto:ana@acme.example)",
            "\u{feff}ana@acme\u{200b}.example\u{a0}",
            "ana＠acme.example",
        ] {
            assert_eq!(written_address(text).as_deref(), Some("ana@acme.example"), "{text}");
        }
    }

    #[test]
    fn an_address_is_not_taken_out_of_a_sentence() {
        for text in
            ["everybody but ana@acme.example", "ana@acme.example and bo@acme.example", "bo@acme.example <ana@acme.example>", "Ana Ruiz", ""]
        {
            assert_eq!(written_address(text), None, "{text}");
        }
    }

    #[test]
    fn one_domain_in_two_spellings_is_one_domain() {
        assert!(same_address("ana@bücher.example", "ANA@xn--bcher-kva.example"));
        assert!(same_address("jose\u{301}@acme.example", "josé@acme.example"));
        assert!(!same_address("ana@bucher.example", "ana@bücher.example"));
        assert_eq!(spellings("ana@bücher.example"), ["ana@xn--bcher-kva.example", "ana@bücher.example"]);
    }
}
