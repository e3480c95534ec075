//! What an answer over several accounts does not hold, and why: one shape for all such answers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

/// What could not be seen. Stands in the fields of an answer, by `#[serde(flatten)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gaps {
    /// What accounts do not tell, a phrase each; the account stands before it where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// Accounts that gave no answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failed>,
    /// Accounts where the caller may not ask this.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_asked: Vec<String>,
}

impl Gaps {
    /// Whether everything was seen.
    pub fn is_empty(&self) -> bool {
        self.unseen.is_empty() && self.failed.is_empty() && self.not_asked.is_empty()
    }

    /// Adds a phrase, once.
    pub fn untold(&mut self, phrase: impl Into<String>) {
        let phrase = phrase.into();
        if !self.unseen.contains(&phrase) {
            self.unseen.push(phrase);
        }
    }

    /// Adds the gaps of another part of the same answer.
    pub fn extend(&mut self, other: Self) {
        other.unseen.into_iter().for_each(|it| self.untold(it));
        self.failed.extend(other.failed.into_iter().filter(|it| !self.failed.contains(it)).collect::<Vec<_>>());
        self.not_asked.extend(other.not_asked.into_iter().filter(|it| !self.not_asked.contains(it)).collect::<Vec<_>>());
    }
}

/// An account that gave no answer: what went wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    pub connection: String,
    pub code: String,
    pub message: String,
    pub fix: String,
}

/// What an error holds is the same everywhere, and is not declared again.
impl JsonSchema for Failed {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Failed".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}
