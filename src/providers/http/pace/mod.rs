//! How fast requests may follow each other on one connection, for all that use it.
//!
//! Requests wait in one line. [`state::State`] decides when the first of the line may go: not more at once than the service
//! bears, not while it asked to be left alone, and not faster than it was seen to allow.

mod rate;
#[cfg(test)]
mod simulation;
mod state;

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex as Line, Notify},
    time::{Instant, timeout_at},
};

use state::{End, InFlight, Next, State};

use crate::providers::PaceNow;

/// The pace of a connection.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    state: Mutex<State>,
    /// Whoever holds it is the first; others get it in the order they came.
    line: Line<()>,
    waiting: AtomicU32,
    /// A request has ended: the first in line looks again.
    ended: Notify,
}

impl Pace {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How fast it goes at this moment.
    pub(super) fn now(&self) -> PaceNow {
        let state = self.state();
        let (on_the_way, at_once, per_second) = state.figures();
        let paused = state.paused(Instant::now().into_std());
        PaceNow { waiting: self.waiting.load(Ordering::Relaxed), on_the_way, at_once, per_second, paused, failed: None }
    }

    /// Waits until a request may be sent; or says how long that would be, if it is beyond `deadline`.
    pub(super) async fn turn(&self, deadline: Instant) -> Result<Turn<'_>, Duration> {
        let waiting = InLine::take(self);
        self.until_earliest(waiting.ahead, deadline)?;
        let late = || self.until_earliest(0, deadline).err().unwrap_or(Duration::from_secs(1));
        let _first = timeout_at(deadline, self.line.lock()).await.map_err(|_| late())?;
        loop {
            let next = self.state().next(Instant::now().into_std());
            let until = match next {
                Next::Go(request) => return Ok(Turn { pace: self, request: Some(request) }),
                Next::At(at) => Instant::from_std(at),
                Next::Full => deadline,
            };
            if until > deadline {
                return Err(until.saturating_duration_since(Instant::now()));
            }
            if timeout_at(until, self.ended.notified()).await.is_err() && until == deadline {
                return Err(late());
            }
        }
    }

    /// An error with the time to wait where it is certain that a turn will not come in time.
    fn until_earliest(&self, ahead: u32, deadline: Instant) -> Result<(), Duration> {
        let now = Instant::now();
        let earliest = Instant::from_std(self.state().earliest(now.into_std(), ahead));
        if earliest > deadline { Err(earliest.saturating_duration_since(now)) } else { Ok(()) }
    }
}

/// A place in the line.
struct InLine<'a> {
    pace: &'a Pace,
    /// How many came before.
    ahead: u32,
}

impl<'a> InLine<'a> {
    fn take(pace: &'a Pace) -> Self {
        Self { pace, ahead: pace.waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.pace.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Leave for one request. It ends with the answer, or when it is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    request: Option<InFlight>,
}

impl Turn<'_> {
    /// The service answered; what, does not matter here.
    pub(super) fn answered(self) {
        self.end(End::Answered);
    }

    /// The service is not well: it failed, or did not answer.
    pub(super) fn failed(self) {
        self.end(End::Failed);
    }

    /// The service answered 429. Gives back how long the connection waits: what was asked for, else what seems right.
    pub(super) fn refused(self, asked: Option<Duration>) -> Duration {
        let pace = self.pace;
        self.end(End::Refused(asked));
        let now = Instant::now().into_std();
        let earliest = pace.state().earliest(now, 0);
        earliest.saturating_duration_since(now)
    }

    fn end(mut self, end: End) {
        self.finish(end);
    }

    fn finish(&mut self, end: End) {
        if let Some(request) = self.request.take() {
            self.pace.state().end(request, end, Instant::now().into_std());
            self.pace.ended.notify_one();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.finish(End::Abandoned);
    }
}
