//! Where one is: connections, the caller, what was done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, operation};
use crate::domain::{Cursor, JobRef, Limit, List, ProjectRef, SoughtRef, Timestamp, organizations::CurrentUser};

/// Lists accounts and what each supports.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListConnections {}

operation!(ListConnections, "list_connections", "List connections", Read => Connections);

/// The accounts.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Connections {
    #[serde(flatten)]
    pub list: List<ConnectionInfo>,
    /// What looks like an account and is not used, with what to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A configured account at a provider.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ConnectionInfo {
    pub connection: String,
    pub provider: String,
    /// The organization that it is pinned to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// `ok`, or what is wrong.
    pub health: String,
    /// How many tools it serves.
    pub tools: usize,
    /// The nouns it serves.
    pub domains: Vec<String>,
}

/// Tells who a connection acts as.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetCurrentUser {}

operation!(GetCurrentUser, "get_current_user", "Get current user", Read => CurrentUser);

/// Lists changes made or refused here, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListActivity {
    /// Time or day.
    pub since: Option<String>,
    /// Inclusive.
    pub until: Option<String>,
    /// Name.
    pub tool: Option<String>,
    /// E-mail.
    pub member: Option<SoughtRef>,
    pub project: Option<ProjectRef>,
    /// Person.
    pub agreed_by: Option<String>,
    pub job: Option<JobRef>,
    /// Outcome.
    pub outcome: Option<Outcome>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListActivity, "list_activity", "List activity", Read => List<Activity>);

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Outcome {
    Done,
    /// Some of its rows were made.
    Partly,
    Failed,
    /// A person or the policy said no.
    Refused,
    PendingApproval,
    /// Sent, and no answer was recorded.
    OutcomeUnknown,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::PendingApproval => "pending_approval",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }
}

/// One call in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Activity {
    pub call_id: String,
    pub at: Timestamp,
    pub tool: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub effect: Option<Effect>,
    pub on: String,
    pub target: String,
    /// What it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// From what to what, field by field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Who asked, as far as that is known.
    pub asked_by: String,
    pub principal: String,
    pub client: String,
    /// How consent came, where it was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// Who agreed, where somebody had to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Lists changes that wait for a person.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListApprovals {}

operation!(ListApprovals, "list_approvals", "List approvals", Read => List<Waiting>);

/// A change that waits. Only a person can answer it, and not by a call.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Waiting {
    pub approval: String,
    pub tool: String,
    pub on: String,
    /// What the person is asked.
    pub question: String,
    /// When it is void.
    pub expires_at: Timestamp,
    /// What a person does about it.
    pub answered_by: String,
}

impl JsonSchema for Effect {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Effect".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": ["read", "write", "access", "destroy"] })
    }
}
