//! What the pages need of the program: data to show, and where a person's answers go.

mod access;
mod questions;
mod work;

pub use access::*;
use futures_util::future::BoxFuture;
pub use questions::*;
pub use work::*;

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

    fn undo_plan<'a>(&'a self, call: &'a str) -> Told<'a, CallPlan>;

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

    /// What the call would do that mends a finding. It is planned only as long as a review still finds it.
    fn mend_plan<'a>(&'a self, scope: &'a Scope, mend: &'a Mend) -> Told<'a, CallPlan>;

    fn mend<'a>(&'a self, scope: &'a Scope, mend: &'a Mend, person: &'a VerifiedPerson) -> Told<'a, Made>;

    fn person<'a>(&'a self, scope: &'a Scope, person: &'a str) -> Told<'a, Dossier>;

    fn project<'a>(&'a self, scope: &'a Scope, project: &'a str) -> Told<'a, Dossier>;
}
