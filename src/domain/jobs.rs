//! Work of many calls, and what became of each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    List, Timestamp,
    members::{Counts, ItemOutcome},
};

/// Where a job stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum JobState {
    /// It works, or waits for a process to go on with it.
    #[default]
    Running,
    /// All rows have ended; see their outcomes.
    Done,
    /// A row failed, and those behind it were not made.
    Stopped,
    Cancelled,
}

impl JobState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this name; whatever is not known still runs.
    pub fn of(name: &str) -> Self {
        [Self::Done, Self::Stopped, Self::Cancelled].into_iter().find(|it| it.name() == name).unwrap_or_default()
    }
}

/// Work of many calls.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Job {
    pub job: String,
    pub tool: String,
    #[schemars(with = "String")]
    pub status: JobState,
    /// True where the process that worked on it is gone: the next one goes on, or `rolecall jobs resume`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub interrupted: bool,
    /// What it is about, such as `40 people`.
    pub target: String,
    pub on: String,
    pub principal: String,
    pub total: u64,
    #[serde(flatten)]
    pub counts: Counts,
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// A job with a page of its rows.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobRows {
    #[serde(flatten)]
    pub job: Job,
    #[serde(flatten)]
    pub rows: List<StepItem>,
}

/// What became of one call of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StepItem {
    /// The step's own id, or its place.
    pub step: String,
    pub tool: String,
    pub on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[schemars(with = "String")]
    pub outcome: ItemOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of what was made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where a new secret has gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
}

/// What becomes of access that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndState {
    /// Its time is to come.
    Planned,
    /// Its time has come, and it is about to be taken away.
    Due,
    /// Its time is past, and nobody has taken it away.
    Overdue,
    /// It could not be taken away; the reason says how it goes on.
    Failed,
    /// It was left, since it is no longer the access that was given.
    Left,
    /// It was taken away at its time.
    Ended,
    /// It was gone, or given anew, before its time.
    Cancelled,
}

/// Access that ends at a time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EndingAccess {
    /// What was given to whom: `member ana@acme.example in project Atlas`.
    pub access: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    pub on: String,
    pub ends_at: Timestamp,
    /// `planned`, `due`, `overdue`, `failed`, `left`, `ended`, `cancelled`.
    #[schemars(with = "String")]
    pub state: EndState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The call that gave it, and whose it was.
    pub call_id: String,
    pub principal: String,
}
