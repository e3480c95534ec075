//! What waits for a person, and what they answer.

use super::{Millis, Reached};

/// How grave a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    Low,
    High,
    Critical,
}

/// A change that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub id: String,
    /// What would be done, such as `Delete project`.
    pub does: String,
    /// To what: its noun and its name.
    pub noun: String,
    pub name: String,
    pub organization: Option<String>,
    pub connection: String,
    pub gravity: Gravity,
    /// Whether it can be taken back.
    pub can_be_undone: bool,
    /// What is lost, each in a few words: `13 people lose access`.
    pub losses: Vec<String>,
    /// Through which client it was asked for, by the client's own words.
    pub client: String,
    /// By whom.
    pub principal: String,
    pub asked_at: Millis,
    pub expires_at: Millis,
    /// How many people have to agree, and who has.
    pub needed: i64,
    pub agreed: Vec<String>,
}

/// Where a question stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Open,
    /// It may be answered in a terminal only.
    Elsewhere,
    Approved,
    Refused(Option<String>),
    /// The change was made, or begun.
    Used,
    Expired,
}

/// One question with all that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub waiting: Waiting,
    pub standing: Standing,
    /// What has to be typed; `None` where a yes is enough.
    pub type_this: Option<String>,
    pub target_id: Option<String>,
    pub within: Option<String>,
    /// What is lost, counted, with the first few by name.
    pub losses: Vec<Loss>,
    /// What a person should know besides, one sentence each.
    pub notes: Vec<String>,
    pub undo: Option<String>,
    /// What changes: a field with what it is and what it would be.
    pub changes: Vec<(String, String, String)>,
    /// The thing as it is, field by field.
    pub before: Vec<(String, String)>,
    /// Of a plan of many calls: each.
    pub rows: Vec<PlanRow>,
    /// Who reaches the place that it is about, or what the person reaches whom it is about, now.
    pub reached: Option<Reached>,
}

/// What is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    pub count: u64,
    pub what: String,
    pub examples: Vec<String>,
    /// Where there are more than the examples, all by name, as far as they are kept.
    pub all: Vec<String>,
}

/// A call of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    pub row: String,
    pub does: String,
    pub target: String,
    pub on: String,
    pub state: String,
    pub gravity: Option<Gravity>,
    pub told: Vec<String>,
    /// Who loses something by it, each by name, where what is told names the first few only.
    pub losing: Vec<String>,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With what was typed, where something has to be.
    Agree { typed: Option<String> },
    /// With a reason for whoever asked.
    Refuse { reason: String },
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    Approved,
    /// So many more people have to agree.
    Waiting(i64),
    Refused,
    /// It was answered before, or nobody answered in time.
    NotOpen,
    /// What was typed is not what has to be typed.
    Mistyped(String),
    /// It may be answered in a terminal only.
    Elsewhere,
}
