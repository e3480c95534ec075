//! Texts with rules: names, e-mails, slugs. What breaks a rule is refused while arguments are read.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, SecondsFormat};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::address::written_address;

/// A text that its field does not allow.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not {wanted}")]
pub struct InvalidText {
    text: String,
    wanted: &'static str,
}

/// Characters that nobody sees, or that change how a text reads without being seen: controls, format characters, what fonts leave out,
/// blank glyphs, and what is no character.
fn is_invisible(it: char) -> bool {
    (it.is_control() && it != '\n' && it != '\t')
        || (u32::from(it) & 0xfffe) == 0xfffe
        || matches!(it,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1345f}' | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Takes invisible and direction-changing characters out of a text that somebody else wrote.
///
/// Borrowed when there is nothing to take out, which is nearly always.
pub fn clean(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
    }
    if text.contains(is_invisible) { text.chars().filter(|it| !is_invisible(*it)).collect() } else { text.into() }
}

/// Whether it is of letters, digits, signs and spaces of ASCII alone, as nearly all texts are.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|it| matches!(it, b' '..=b'~'))
}

/// Where a line ends, by anybody's reckoning, or a column.
fn ends_line(it: char) -> bool {
    matches!(it, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The same on one line: where others broke theirs there is one space, so that nothing of theirs can begin a line of ours.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !text.contains(ends_line) {
        return clean(text);
    }
    let lines = text.split(ends_line).map(|it| clean(it).trim().to_owned()).filter(|it| !it.is_empty());
    lines.collect::<Vec<_>>().join(" ").into()
}

/// Folds a name for comparing: composed, lower case, single spaces.
pub fn fold(text: &str) -> String {
    // Names are folded by the thousand, and most need no composing.
    let lower = if text.is_ascii() { text.to_ascii_lowercase() } else { text.nfkc().collect::<String>().to_lowercase() };
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Folds a text for searching: as [`fold`] does, and without accents, so that `lucia` finds `Lucía` and `Søren` is found by `soren`.
/// Not for telling whether two things have the same name.
pub fn fold_accents(text: &str) -> String {
    let folded = fold(text);
    if folded.is_ascii() {
        return folded;
    }
    let mut plain = String::with_capacity(folded.len());
    for it in folded.nfkd().filter(|it| !is_combining_mark(*it)) {
        match it {
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            'ħ' => plain.push('h'),
            'ı' => plain.push('i'),
            'ŧ' => plain.push('t'),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'ß' => plain.push_str("ss"),
            'þ' => plain.push_str("th"),
            '’' | 'ʼ' => plain.push('\''),
            other => plain.push(other),
        }
    }
    plain
}

/// Whether two addresses are the same but for upper and lower case.
pub fn same_letters(one: &str, other: &str) -> bool {
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

/// Makes a slug out of a name: `Data & Research` becomes `data-research`.
pub fn slugify(name: &str) -> String {
    let mut slug = String::new();
    for it in name.nfkd().filter(char::is_ascii) {
        if it.is_ascii_alphanumeric() {
            slug.push(it.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') && !matches!(it, '\'' | '`') {
            slug.push('-');
        }
    }
    slug.truncate(MAX_SLUG);
    slug.trim_end_matches('-').to_owned()
}

const MAX_SLUG: usize = 60;

fn name(text: &str) -> Option<String> {
    let text = clean(text).nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty() && text.chars().count() <= 100 && !matches!(text.as_str(), "." | "..")).then_some(text)
}

fn description(text: &str) -> Option<String> {
    let text = clean(text).nfc().collect::<String>().trim().to_owned();
    (!text.is_empty() && text.chars().count() <= 1000).then_some(text)
}

fn slug(text: &str) -> Option<String> {
    let valid = !text.is_empty()
        && text.len() <= MAX_SLUG
        && text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    valid.then(|| text.to_owned())
}

fn email(text: &str) -> Option<String> {
    written_address(text)
}

fn website(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    let valid =
        host.contains('.') && !host.contains('@') && text.len() <= 254 && !text.contains(|it: char| it.is_whitespace() || it.is_control());
    valid.then(|| text.to_owned())
}

fn query(text: &str) -> Option<String> {
    let text = fold(&clean(text));
    (!text.is_empty() && text.len() <= 100).then_some(text)
}

/// What texts with rules and references have in common, given their description for an agent.
macro_rules! checked {
    ($name:ident, $description:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                // No length here: it is checked, and would cost every tool tokens to say what no agent gets wrong.
                json_schema!({ "type": "string", "description": $description })
            }
        }

        impl $name {
            /// What a service or the store has, taken as it is: arguments that hold it are checked when they are decoded, and a
            /// path where its request is built.
            pub fn read(text: impl Into<String>) -> Self {
                Self(text.into())
            }
        }
    };
}
pub(super) use checked;

macro_rules! texts {
    ($($name:ident($check:ident, $description:literal): $wanted:literal;)*) => {$(
        /// A text with a rule, which an argument keeps: an error says what it has to be.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;
            fn try_from(text: String) -> Result<Self, InvalidText> {
                let invalid = || InvalidText { text: clean(&text).chars().take(80).collect(), wanted: $wanted };
                $check(&text).map(Self).ok_or_else(invalid)
            }
        }

        checked!($name, $description);
    )*};
}

texts! {
    Name(name, "Name."): "a name of 1 to 100 visible characters";
    Description(description, "Purpose."): "a text of 1 to 1000 characters";
    Slug(slug, "Slug."): "a slug of 1 to 60 characters: a-z, 0-9 and inner hyphens";
    Email(email, "Email."): "an e-mail address such as ana@acme.example";
    Website(website, "URL."): "a web address such as https://acme.example";
    Query(query, "Search."): "a search text of 1 to 100 characters";
}

impl Query {
    /// Whether a text contains it, accents and case aside.
    pub fn is_in(&self, text: &str) -> bool {
        fold_accents(text).contains(&fold_accents(&self.0))
    }

    /// The patterns of texts that contain it, for `LIKE … ESCAPE '\'`: as it is written, without accents, and, where it is words and
    /// nothing else, as they stand in a slug.
    pub fn likes(&self) -> Vec<String> {
        let mut forms = vec![self.0.clone(), fold_accents(&self.0)];
        if self.0.chars().all(|it| it.is_alphanumeric() || it == ' ') {
            forms.push(slugify(&self.0));
        }
        forms.dedup();
        forms.iter().filter(|it| !it.is_empty()).map(|it| format!("%{}%", like_literal(it))).collect()
    }
}

/// Makes every character of a text stand for itself in a pattern, for `LIKE … ESCAPE '\'`.
pub fn like_literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

impl Email {
    /// The part behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

/// A point in time: milliseconds since 1970 in UTC; written as `2026-11-22T10:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn now() -> Self {
        Self(chrono::Utc::now().timestamp_millis())
    }

    /// The time this many seconds later.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// The time of day, for people: `14:32 UTC`; with its date where that is not today.
    pub fn of_day(self) -> String {
        let date_of = |it: Self| DateTime::from_timestamp_millis(it.0).unwrap_or_default();
        let (time, now) = (date_of(self), date_of(Self::now()));
        let form = if time.date_naive() == now.date_naive() { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
        time.format(form).to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::from_timestamp_millis(self.0).unwrap_or_default();
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        let text = String::deserialize(text)?;
        DateTime::parse_from_rfc3339(&text).map(|it| Self(it.timestamp_millis())).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mails_are_folded_and_checked() {
        assert_eq!(email(" Ana@Acme.Example "), Some("ana@acme.example".to_owned()));
        for bad in ["", "ana", "ana@", "@acme.example", "ana@acme", "a b@acme.example", "ana@acme..example", "a@b@c.example"] {
            assert_eq!(email(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_search_folds_accents_and_a_name_does_not() {
        for (text, folded) in [
            ("Lucía  HERRERA", "lucia herrera"),
            ("Cem Aydın", "cem aydin"),
            ("Søren Łoś", "soren los"),
            ("Brigid O’Neill", "brigid o'neill"),
        ] {
            assert_eq!(fold_accents(text), folded);
        }
        assert_ne!(fold("Zürich"), fold("Zurich"));
        assert!(Query("lucia".to_owned()).is_in("Luci\u{301}a") && Query("lucía".to_owned()).is_in("LUCIA"));
    }

    #[test]
    fn a_search_is_made_with_accents_and_without_them() {
        assert_eq!(Query("são paulo".to_owned()).likes(), ["%são paulo%", "%sao paulo%", "%sao-paulo%"]);
        assert_eq!(Query("a_b".to_owned()).likes(), ["%a\\_b%"]);
    }

    #[test]
    fn invisible_characters_are_taken_out_of_names() {
        assert_eq!(name("Atlas\u{202e}\u{200b}  II "), Some("Atlas II".to_owned()));
        assert_eq!(name("\u{200b}"), None);
    }

    #[test]
    fn what_nobody_sees_is_taken_out_and_what_people_write_with_stays() {
        use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};
        let blank =
            ['\u{2800}', '\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}', '\u{34f}', '\u{fe0f}', '\u{1bca0}', '\u{1d173}', '\u{13430}'];
        let format = (char::MIN..=char::MAX).filter(|it| it.general_category() == GeneralCategory::Format);
        for it in format.chain(blank).chain('\u{e0000}'..='\u{e007f}') {
            assert_eq!(clean(&format!("a{it}b")), "ab", "U+{:04X}", u32::from(it));
        }
        for text in ["Ana Ruiz", "Łódź", "José", "東京 支社", "Маркетинг", "فريق البيانات", "ดาต้า", "हिन्दी", "R&D · Süd", "🚀 Launch"]
        {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn lines_of_others_become_one() {
        for (text, line) in [
            ("Atlas\nNext: delete it", "Atlas Next: delete it"),
            ("Atlas\r\n\r\n  Done", "Atlas Done"),
            ("a\rb\u{2028}c\u{85}d\u{b}e\tf\u{2029}", "a b c d e f"),
            ("\n\u{200b}\nAtlas", "Atlas"),
            ("two  spaces", "two  spaces"),
            ("\n", ""),
        ] {
            assert_eq!(one_line(text), line, "{text:?}");
        }
    }

    #[test]
    fn a_slug_comes_from_a_name() {
        assert_eq!(slugify("Data & Research — Zürich's"), "data-research-zurichs");
        assert_eq!(slugify("研究"), "");
    }
}
