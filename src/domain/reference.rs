//! References: how an agent points at things, by name, slug, e-mail or id.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use unicode_normalization::UnicodeNormalization as _;

use super::{
    address::written_address,
    text::{checked, clean},
};

/// The longest reference that is looked up.
const MAX_LENGTH: usize = 254;

/// A text that cannot point at anything.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a name, slug, e-mail or id; these are not empty, at most {MAX_LENGTH} characters, without control characters")]
pub struct InvalidReference(String);

/// What every kind of reference has in common: the text as the agent wrote it, trimmed, composed and without what nobody sees.
pub trait ReferenceText {
    /// Whether a part of a name is enough to point at somebody: for those who only look.
    const BY_PART: bool = false;

    fn text(&self) -> &str;
}

/// An id of a provider becomes a path segment, so what would change the path is refused once, here.
fn usable(text: &str) -> Result<String, InvalidReference> {
    let trimmed = text.trim();
    let controls = trimmed.contains(char::is_control);
    // What is not seen was not meant: it comes along from web pages and files.
    let seen = if trimmed.is_ascii() { trimmed.to_owned() } else { clean(trimmed).nfc().collect::<String>().trim().to_owned() };
    let safe = !matches!(seen.as_str(), "" | "." | "..") && seen.chars().count() <= MAX_LENGTH && !controls;
    if safe { Ok(seen) } else { Err(InvalidReference(text.escape_default().take(80).collect())) }
}

/// The same for references to people, who are also named as mail programs write an address down.
fn usable_of_person(text: &str) -> Result<String, InvalidReference> {
    let text = usable(text)?;
    Ok(if text.contains('@') { written_address(&text).unwrap_or(text) } else { text })
}

// Names and ids are both taken everywhere, and the server says so once; each word here is paid for in a hundred arguments.
macro_rules! references {
    ($($usable:ident $(by_part = $part:literal)? { $($name:ident: $description:literal;)* })*) => {$(references!(@ $usable ($($part)?) $($name: $description;)*);)*};
    (@ $usable:ident $part:tt $($name:ident: $description:literal;)*) => {$(
        #[doc = $description]
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = InvalidReference;
            fn try_from(text: String) -> Result<Self, InvalidReference> {
                $usable(&text).map(Self)
            }
        }

        impl ReferenceText for $name {
            references!(# $part);

            fn text(&self) -> &str {
                &self.0
            }
        }

        checked!($name, $description);
    )*};
    (# ()) => {};
    (# ($part:literal)) => { const BY_PART: bool = $part; };
}

references! {
    usable {
        OrganizationRef: "Name.";
        ProjectRef: "Name.";
        TeamRef: "Name.";
        RoleRef: "Name.";
        ServiceAccountRef: "Name.";
        ApiKeyRef: "Name.";
        UsageLimitRef: "Id.";
        CertificateRef: "Name.";
        ResourceType: "Kind.";
        ResourceId: "Id.";
        ModelName: "Model.";
        ConnectionName: "Connection name.";
        JobRef: "Job id.";
    }
    usable_of_person {
        MemberRef: "Email.";
        PersonRef: "Email.";
        InvitationRef: "Email.";
    }
    usable_of_person by_part = true {
        SoughtRef: "Email.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_change_a_path_is_refused() {
        for bad in ["", " ", ".", "..", "a\0b", "a\nb", &"x".repeat(255)] {
            assert!(ProjectRef::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert_eq!(ProjectRef::try_from(" Atlas ".to_owned()).map(|it| it.to_string()), Ok("Atlas".to_owned()));
    }

    #[test]
    fn what_nobody_sees_is_not_a_part_of_a_reference() {
        for (written, meant) in [("\u{feff}Atlas\u{200b}", "Atlas"), ("Zu\u{308}rich", "Zürich"), ("\u{a0}Atlas\u{a0}", "Atlas")] {
            assert_eq!(ProjectRef::try_from(written.to_owned()).map(|it| it.to_string()).as_deref(), Ok(meant));
        }
        assert!(ProjectRef::try_from("\u{200b}".to_owned()).is_err());
        let member = MemberRef::try_from("Ana Ruiz <Ana@acme.example>".to_owned());
        assert_eq!(member.map(|it| it.to_string()).as_deref(), Ok("ana@acme.example"));
    }

    #[test]
    fn what_was_read_is_kept_and_checked_where_it_comes_back_as_an_argument() {
        let odd = serde_json::to_value(ProjectRef::read("a\u{7}b")).expect("a text");
        assert_eq!(odd, "a\u{7}b");
        let refused = serde_json::from_value::<ProjectRef>(odd).expect_err("a control character");
        assert!(refused.to_string().contains("is not a name, slug, e-mail or id"), "{refused}");
    }
}
