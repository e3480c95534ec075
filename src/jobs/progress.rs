//! How far a job is, for whoever watches, and how long a call waits for its job.

use std::time::Duration;

use tokio::sync::watch;

use crate::{domain::jobs::JobState, store::Tally};

/// How long a call waits for the job that it has begun, unless it is told otherwise: clients give a request a minute.
const PATIENCE: Duration = Duration::from_secs(20);

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The job's id; empty as long as there is no job, because a person is being asked.
    pub job: String,
    pub state: JobState,
    /// Rows that have ended, well or not.
    pub ended: u64,
    pub total: u64,
    /// Rows among them that failed, were refused, found another role in place, or whose outcome is not known.
    pub failed: u64,
    /// The same as a line for people: `312 of 1000, 2 failed`.
    pub message: String,
}

impl Progress {
    pub(super) fn of(job: &str, state: JobState, tally: &Tally) -> Self {
        let count = |states: &[&str]| states.iter().filter_map(|it| tally.get(*it)).sum::<u64>();
        let total = tally.values().sum();
        let ended = total - count(&["pending", "sending"]);
        let (differ, amiss) = (count(&["differs"]), count(&["failed", "refused", "unknown"]));
        let told = |count: u64, how: &str| if count > 0 { format!(", {count} {how}") } else { String::new() };
        let (failed, failures) = (differ + amiss, told(differ, "with another role") + &told(amiss, "failed"));
        Self { job: job.to_owned(), state, ended, total, failed, message: format!("{ended} of {total}{failures}") }
    }

    pub fn has_ended(&self) -> bool {
        self.state != JobState::Running
    }
}

/// How long a call waits for the job that it begins, and who is told meanwhile. A job goes on whether or not anybody waits.
///
/// To start a job and come back at once with its id: `Wait::at_most(Duration::ZERO)`.
#[derive(Debug, Clone)]
pub struct Wait {
    pub(super) at_most: Option<Duration>,
    pub(super) watcher: Option<watch::Sender<Progress>>,
}

impl Default for Wait {
    fn default() -> Self {
        Self::at_most(PATIENCE)
    }
}

impl Wait {
    pub fn at_most(time: Duration) -> Self {
        Self { at_most: Some(time), watcher: None }
    }

    /// For callers without a time-out, such as the terminal.
    pub fn to_the_end() -> Self {
        Self { at_most: None, watcher: None }
    }

    /// Tells somebody how far the job is, as long as the call waits. The first value that names a job says that it has begun.
    #[must_use]
    pub fn watched_by(mut self, watcher: watch::Sender<Progress>) -> Self {
        self.watcher = Some(watcher);
        self
    }
}
