//! People, their memberships and invitations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A person in an organization, a team or a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Member {
    /// E-mail.
    pub member: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The role, or the roles, held here.
    pub roles: Vec<String>,
    /// `active`, or `invited` where access starts when the invitation is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The team through which access comes, where it is not the person's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// An invitation to an organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Invitation {
    /// The invited e-mail.
    pub invitation: String,
    pub id: String,
    pub role: String,
    pub status: InvitationStatus,
    pub organization: String,
    /// Projects that come with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// State.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum InvitationStatus {
    Pending,
    Accepted,
    Expired,
    Cancelled,
}

/// A person's place in one organization or project.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Membership {
    /// E-mail.
    pub member: String,
    pub organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    pub roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_team: Option<String>,
}

/// What became of many people, or of other calls of one piece of work.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Batch<I = BatchItem> {
    #[serde(flatten)]
    pub counts: Counts,
    pub items: Vec<I>,
    /// How many items are left out here: they are done, or too many; see get_job.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub more: u64,
    /// What stays behind, and what nobody could see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub notes: Vec<String>,
}

/// How many ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    pub done: u64,
    pub skipped: u64,
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub differs: u64,
    pub failed: u64,
    pub unknown: u64,
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub refused: u64,
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub cancelled: u64,
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub pending: u64,
}

impl Counts {
    /// How many did not end as they were asked for.
    pub fn amiss(&self) -> u64 {
        self.differs + self.failed + self.unknown + self.refused + self.cancelled
    }

    /// How the whole of them ended: `done` only where all of it is so now.
    pub fn outcome(&self) -> &'static str {
        match self.amiss() {
            0 => "done",
            _ if self.done + self.skipped + self.unknown == 0 => "failed",
            _ => "partly",
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What became of one person.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BatchItem {
    pub member: String,
    pub project: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    pub outcome: ItemOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How one item of a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ItemOutcome {
    Done,
    /// It is so already.
    Skipped,
    /// Not sent: it is there already with another role.
    Differs,
    Failed,
    /// Sent, and no answer came. Not repeated.
    Unknown,
    /// Not sent: it is not what was agreed to.
    Refused,
    /// Not sent: the work ended before its turn.
    Cancelled,
    /// Its turn has not come yet.
    Pending,
}

impl ItemOutcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Differs => "differs",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Pending => "pending",
        }
    }

    /// The outcome of a row in this state; one that is being sent has none yet.
    pub fn of(state: &str) -> Self {
        let known = [Self::Done, Self::Skipped, Self::Differs, Self::Failed, Self::Unknown, Self::Refused, Self::Cancelled];
        known.into_iter().find(|it| it.name() == state).unwrap_or(Self::Pending)
    }
}
