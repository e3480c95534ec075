//! References: how an agent points at things, by name, slug, e-mail or id.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::text::checked;

/// The longest reference that is looked up.
const MAX_LENGTH: usize = 254;

/// A text that cannot point at anything.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a name, slug, e-mail or id; these are not empty, at most {MAX_LENGTH} characters, without control characters")]
pub struct InvalidReference(String);

/// What every kind of reference has in common: the text as the agent wrote it, trimmed.
pub trait ReferenceText {
    fn text(&self) -> &str;
}

/// An id of a provider becomes a path segment, so what would change the path is refused once, here.
fn usable(text: &str) -> Result<String, InvalidReference> {
    let trimmed = text.trim();
    let safe = !matches!(trimmed, "" | "." | "..") && trimmed.chars().count() <= MAX_LENGTH && !trimmed.contains(char::is_control);
    if safe { Ok(trimmed.to_owned()) } else { Err(InvalidReference(text.escape_default().take(80).collect())) }
}

// Names and ids are both taken everywhere, and the server says so once; each word here is paid for in a hundred arguments.
macro_rules! references {
    ($($name:ident: $description:literal;)*) => {$(
        #[doc = $description]
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = InvalidReference;
            fn try_from(text: String) -> Result<Self, InvalidReference> {
                usable(&text).map(Self)
            }
        }

        impl ReferenceText for $name {
            fn text(&self) -> &str {
                &self.0
            }
        }

        checked!($name, $description);
    )*};
}

references! {
    OrganizationRef: "Name.";
    ProjectRef: "Name.";
    TeamRef: "Name.";
    MemberRef: "E-mail.";
    PersonRef: "E-mail.";
    RoleRef: "Name.";
    InvitationRef: "E-mail.";
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
    fn what_was_read_is_kept_and_checked_where_it_comes_back_as_an_argument() {
        let odd = serde_json::to_value(ProjectRef::read("a\u{7}b")).expect("a text");
        assert_eq!(odd, "a\u{7}b");
        let refused = serde_json::from_value::<ProjectRef>(odd).expect_err("a control character");
        assert!(refused.to_string().contains("is not a name, slug, e-mail or id"), "{refused}");
    }
}
