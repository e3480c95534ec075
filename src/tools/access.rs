//! Who reaches what, over all accounts.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{Gaps, SoughtRef, Timestamp};

/// Finds a person everywhere: access, teams, keys, invitations, what they alone own, other addresses.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindPerson {
    /// Name or email.
    pub query: SoughtRef,
}

operation!(FindPerson, "find_person", "Find person", Read => FoundPerson, spans);

/// Rows whose fields speak for themselves: declared, they would cost every conversation more than they say.
pub(crate) fn rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array" })
}

/// A person over all accounts.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FoundPerson {
    /// In a sentence.
    pub answer: String,
    /// As each account knows them; several people where several are called so.
    #[schemars(schema_with = "rows")]
    pub people: Vec<KnownPerson>,
    /// Organizations first, then projects and teams.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "rows")]
    pub access: Vec<Held>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "rows")]
    pub invitations: Vec<Held>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "rows")]
    pub keys: Vec<Held>,
    /// What has no other owner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "rows")]
    pub owns_alone: Vec<Owned>,
    /// Others who may be the same person; never taken for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "rows")]
    pub probably_same: Vec<KnownPerson>,
    #[serde(flatten)]
    pub gaps: Gaps,
}

/// A person as an account knows them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct KnownPerson {
    /// Email, where it is told; the connection of a row where there are several.
    pub person: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// `invited` where they have no account yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why they may be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A role in a place, in one way.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Held {
    /// `project Atlas`.
    pub place: String,
    pub id: String,
    /// Where the place is not one itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub role: String,
    pub through: String,
    /// What it allows there.
    pub can: String,
    /// What it allows in every project of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_projects: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Owned {
    pub place: String,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}
