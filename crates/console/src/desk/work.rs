//! What was done and is being done, and the accounts that it is done through.

use serde::Deserialize;

use super::{Millis, Trouble};

/// Which calls are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ActivityFilter {
    pub since: String,
    pub tool: String,
    pub member: String,
    pub outcome: String,
    pub cursor: String,
}

/// A page of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityPage {
    pub calls: Vec<Call>,
    pub next: Option<String>,
}

/// One call in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub id: String,
    pub at: Millis,
    pub tool: String,
    pub target: String,
    pub connection: String,
    pub outcome: String,
    pub principal: String,
    pub client: String,
    /// Who agreed, or by which way.
    pub agreed: Option<String>,
    pub reason: Option<String>,
    /// What changed: a field with what it was and what it is.
    pub changed: Vec<(String, String, String)>,
    /// Whether the tool of undoing may know how to take it back.
    pub can_be_undone: bool,
}

/// Calls of a day, by how they ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Day {
    /// `2026-11-22`.
    pub day: String,
    pub done: u64,
    /// Waiting, partly made, of an unknown outcome.
    pub open: u64,
    /// Refused or failed.
    pub not: u64,
}

/// What a check of the ledger has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub rows: i64,
    pub head: String,
    /// The first row that does not fit, and why.
    pub broken: Option<(i64, String)>,
}

/// What a call would do that is asked for on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPlan {
    pub question: String,
    pub needs_consent: bool,
}

/// What became of a change that was asked for on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    Done(String),
    /// It waits for an answer to this question.
    Asks(String),
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: String,
    pub tool: String,
    pub target: String,
    pub connection: String,
    pub principal: String,
    pub status: String,
    pub interrupted: bool,
    pub total: u64,
    /// How many rows ended how, in the order in which they are told; those that wait are left out.
    pub counts: Vec<(&'static str, u64)>,
    pub created_at: Millis,
    pub ended_at: Option<Millis>,
    pub now: Millis,
}

impl Job {
    /// Rows that have ended, well or not.
    pub fn ended(&self) -> u64 {
        self.counts.iter().map(|it| it.1).sum()
    }

    pub fn runs(&self) -> bool {
        self.status == "running"
    }
}

/// A row of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    pub row: String,
    pub tool: String,
    pub target: String,
    pub outcome: String,
    pub reason: String,
}

/// A configured account.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    pub name: String,
    pub provider: String,
    pub organization: Option<String>,
    /// What is wrong, and how to mend it.
    pub trouble: Option<Trouble>,
    pub tools: usize,
    pub nouns: Vec<String>,
    /// Whether it tells who reaches what.
    pub tells_access: bool,
    /// How fast it goes now; `None` where no service lies behind it.
    pub pace: Option<Pace>,
}

/// How fast requests follow each other on a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Requests that wait for their turn, that are on their way, and of which there may be at once.
    pub waiting: u32,
    pub on_the_way: u32,
    pub at_once: u32,
    /// How many the service was seen to allow in a second; `None` where it has refused none.
    pub per_second: Option<f64>,
    /// For how long the service still wants to be left alone.
    pub paused: Option<Millis>,
    /// When something went wrong last, and what.
    pub failed: Option<(Millis, Trouble)>,
}
