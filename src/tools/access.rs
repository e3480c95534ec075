//! Who reaches what, over all accounts.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use serde_json::{Map, Value};

use super::operation;
use crate::domain::{Cursor, Gaps, OrganizationRef, ProjectRef, Query, SoughtRef, Timestamp};

/// Tells who can do what in a place and how.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainAccess {
    pub project: Option<ProjectRef>,
    pub organization: Option<OrganizationRef>,
    /// Verb or permission.
    pub action: Option<Query>,
    /// Person or team.
    pub member: Option<SoughtRef>,
    pub cursor: Option<Cursor>,
}

operation!(ExplainAccess, "explain_access", "Explain access", Read => AccessExplained, spans);

/// Who can, or what somebody can.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct AccessExplained {
    /// In a sentence.
    pub answer: String,
    /// Who can, invited ones included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "rows")]
    pub people: Vec<Able>,
    /// Keys and service accounts that can, and teams without people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "rows")]
    pub programs: Vec<Able>,
    /// Those of whom the service does not tell what their roles allow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "rows")]
    pub perhaps: Vec<Able>,
    /// What somebody holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "rows")]
    pub access: Vec<Held>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[serde(flatten)]
    pub gaps: Gaps,
}

/// Who or what can, by which ways.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Able {
    /// Email, or name.
    pub who: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is, where it is no person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    pub ways: Vec<Way>,
}

/// A way by which somebody can.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Way {
    pub role: String,
    pub through: String,
    /// Whether the role gives power over others.
    pub power: String,
    /// All that it allows there, where no action is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can: Option<String>,
    /// Where that is not sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

/// Finds a person everywhere, and all that they hold.
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

/// Finds what is wrong with access.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewAccess {
    pub organization: Option<OrganizationRef>,
    pub project: Option<ProjectRef>,
    pub member: Option<SoughtRef>,
    /// One.
    pub rule: Option<String>,
    /// Report.
    pub format: Option<ReviewFormat>,
    /// Compare.
    pub keep: Option<bool>,
    pub cursor: Option<Cursor>,
}

operation!(ReviewAccess, "review_access", "Review access", Read => Review, spans);

/// How a review is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ReviewFormat {
    Csv,
    Markdown,
}

/// What a review found, the gravest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Review {
    /// How many findings there are by rule.
    pub rules: Vec<RuleCount>,
    /// Against the review that was kept before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// When this one was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_at: Option<Timestamp>,
    pub items: Vec<Finding>,
    pub shown: usize,
    pub has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub total: u64,
    /// All findings, as the format has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    #[serde(flatten)]
    pub gaps: Gaps,
}

/// How often a rule was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    pub rule: String,
    pub count: u64,
}

/// A review beside the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// `3 new, 2 mended`.
    pub says: String,
    pub with: Timestamp,
    pub new: u64,
    pub mended: u64,
    /// The first of those that are no longer so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_longer: Vec<String>,
}

/// Something that should not stay as it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Finding {
    pub rule: String,
    /// `high`, `medium` or `low`.
    pub weight: String,
    /// The person, key, role or place.
    pub subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub evidence: String,
    /// Found for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<bool>,
    /// What mends it, as a step of apply_changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<Mend>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mend {
    pub tool: &'static str,
    pub arguments: Map<String, Value>,
}

/// What they are made of is not declared field by field.
macro_rules! undeclared {
    ($($type:ident),+) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "object" })
            }
        }
    )+};
}
undeclared!(Mend, RuleCount, Compared);
