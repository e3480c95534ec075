//! What the pages need of the program: data to show, and where a person's answers go.

use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::sign_in::VerifiedPerson;

/// What went wrong, in a sentence, and how to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub message: String,
    pub fix: String,
}

/// What a desk answers.
pub type Told<'a, T> = BoxFuture<'a, Result<T, Trouble>>;

/// Milliseconds since 1970.
pub type Millis = i64;

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
}

/// Grants in a place, or of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// Of what they are: `Who reaches Cobalt now`.
    pub title: String,
    /// Where the people and projects in it are looked up.
    pub scope: Scope,
    pub ways: Vec<Way>,
    /// What the service does not tell.
    pub unseen: Vec<String>,
}

/// One way in which somebody reaches a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Who: a person's name or address, a team, a key.
    pub holder: String,
    pub holder_kind: &'static str,
    /// The holder's address, for its page.
    pub person: Option<String>,
    pub role: String,
    pub level: Level,
    /// Where: `project Atlas`.
    pub place: String,
    /// The project's name, for its page.
    pub project: Option<String>,
    pub via: String,
    pub pending: bool,
    pub ends_at: Option<Millis>,
}

/// What a role comes to, from nothing to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The service does not tell what it allows.
    Unknown,
    Viewer,
    Member,
    /// With power over others.
    Admin,
    Owner,
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

/// What taking a call back would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoPlan {
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// Of which part of the world access is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Scope {
    pub connection: String,
    pub organization: String,
}

/// People and projects, and who is what where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matrix {
    /// What can be chosen from.
    pub connections: Vec<String>,
    pub organizations: Vec<String>,
    pub scope: Scope,
    pub people: Vec<MatrixPerson>,
    pub projects: Vec<String>,
    pub unseen: Vec<String>,
}

/// A row of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixPerson {
    pub name: String,
    /// The address, or the id where there is none.
    pub address: String,
    pub team: String,
    pub outsider: bool,
    /// What they are in the organization itself.
    pub organization: Option<Cell>,
    /// By the number of the project, in order.
    pub cells: Vec<(usize, Cell)>,
}

/// What somebody is in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub level: Level,
    pub role: String,
    pub by: By,
    pub pending: bool,
}

/// By which way, where there are several by the most direct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    Own,
    Team,
    Organization,
}

/// A page about a person or a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dossier {
    pub name: String,
    pub subtitle: String,
    pub facts: Vec<(String, String)>,
    pub reached: Reached,
    /// The call that mends or ends it, for an assistant.
    pub suggestion: Option<String>,
}

/// What a review of access has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub list: Vec<Finding>,
    /// How many there are in all.
    pub total: u64,
    /// What could not be seen.
    pub unseen: Vec<String>,
}

/// Something that should not stay as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: String,
    /// `high`, `medium` or `low`.
    pub weight: String,
    pub subject: String,
    pub place: String,
    pub evidence: String,
    /// The call that mends it.
    pub mend: Option<String>,
}

/// What a page may listen to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    Waiting,
    Question(String),
    Jobs,
    Job(String),
}

/// The program, as the pages see it. All answers are about everything on this machine: whoever has signed in is its operator.
pub trait Desk: Send + Sync + 'static {
    /// For whom a sign-in code was made; it is used up by being asked.
    fn redeem<'a>(&'a self, code: &'a str) -> Told<'a, Option<String>>;

    /// A text that differs whenever what a page listens to does.
    fn mark<'a>(&'a self, topic: &'a Topic) -> Told<'a, String>;

    /// What waits, gravest first, then what ends soonest.
    fn waiting(&self) -> Told<'_, Vec<Waiting>>;

    /// One question; `None` where there is none of this id.
    fn question<'a>(&'a self, id: &'a str) -> Told<'a, Option<Question>>;

    /// Takes a person's answer.
    fn answer<'a>(&'a self, id: &'a str, person: &'a VerifiedPerson, answer: Answer) -> Told<'a, Answered>;

    fn activity<'a>(&'a self, filter: &'a ActivityFilter) -> Told<'a, ActivityPage>;

    /// The last days, oldest first.
    fn days(&self) -> Told<'_, Vec<Day>>;

    fn verify(&self) -> Told<'_, Verified>;

    fn undo_plan<'a>(&'a self, call: &'a str) -> Told<'a, UndoPlan>;

    fn undo<'a>(&'a self, call: &'a str, person: &'a VerifiedPerson) -> Told<'a, Made>;

    fn jobs(&self) -> Told<'_, Vec<Job>>;

    /// A job with its first rows, those that went wrong first.
    fn job<'a>(&'a self, id: &'a str) -> Told<'a, (Job, Vec<JobRow>)>;

    /// All rows as CSV.
    fn job_table<'a>(&'a self, id: &'a str) -> Told<'a, String>;

    fn cancel_job<'a>(&'a self, id: &'a str, person: &'a VerifiedPerson) -> Told<'a, ()>;

    fn resume_job<'a>(&'a self, id: &'a str) -> Told<'a, ()>;

    fn connections(&self) -> Told<'_, Vec<Connection>>;

    fn matrix<'a>(&'a self, scope: &'a Scope) -> Told<'a, Matrix>;

    /// What a review finds; `None` where the program does not review.
    fn findings<'a>(&'a self, scope: &'a Scope) -> Told<'a, Option<Findings>>;

    fn person<'a>(&'a self, scope: &'a Scope, person: &'a str) -> Told<'a, Dossier>;

    fn project<'a>(&'a self, scope: &'a Scope, project: &'a str) -> Told<'a, Dossier>;
}
