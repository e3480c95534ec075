//! A rate that was learned: requests are spaced by it, and it is raised little by little as long as all goes well.

use std::time::{Duration, Instant};

/// How much below what was observed a rate begins.
const MARGIN: f64 = 0.98;
/// How late a request may be without those after it being late, too: timers and busy machines are not exact.
const SLACK: Duration = Duration::from_millis(100);
/// How many requests may go at once after an idle time that has paid for them.
const MOST_SAVED: u32 = 10;
/// How many requests it takes until the rate has grown by [`GROWTH`], where the lesson rests on one request. It grows with
/// the square of their number: what a few requests seem to tell is soon tried again.
const CAUTION: f64 = 2.4;
const MOST_CAUTION: f64 = 600.0;
const GROWTH: f64 = 0.2;
/// What is left of a rate at the least: of one that was right for long, and of one that was not.
const LEAST_LEFT: [f64; 2] = [0.85, 0.7];
/// Slower than a request in two minutes nobody is meant to be.
const SLOWEST: f64 = 1.0 / 120.0;

/// Requests a second, and when the next one may go.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    /// As it was learned.
    base: f64,
    /// After how many held requests it has grown by [`GROWTH`].
    caution: f64,
    /// Requests that were held back by it and answered since it was learned: only those tell that it could be more.
    held: f64,
    /// All that were answered since.
    answered: f64,
    next: Instant,
    /// Those that may go at once, being paid for.
    saved: u32,
    most_saved: u32,
}

impl Rate {
    /// The rate at which `count` requests in `span` are all that may be. The next one may go at `next`.
    pub(super) fn learned(count: u32, span: Duration, next: Instant) -> Self {
        let base = (MARGIN * f64::from(count) / span.as_secs_f64()).max(SLOWEST);
        let caution = (CAUTION * f64::from(count).powi(2)).min(MOST_CAUTION);
        Self { base, caution, held: 0.0, answered: 0.0, next, saved: 0, most_saved: (count / 2).clamp(1, MOST_SAVED) }
    }

    /// The same when another rate was in force. What was right for long is not given up at once; after so many `wrong` ones in
    /// a row nothing is held on to.
    pub(super) fn learned_after(before: &Self, wrong: u32, count: u32, span: Duration, next: Instant) -> Self {
        let learned = Self::learned(count, span, next);
        // One that nothing went through with was only a guess.
        let guess = before.answered < 1.0;
        let most = if guess { before.now() } else { MARGIN * before.now() };
        let least = if guess { 0.0 } else { most * LEAST_LEFT.get(wrong as usize).unwrap_or(&0.0) };
        Self { base: learned.base.min(most).max(least), most_saved: learned.most_saved.min(before.most_saved), ..learned }
    }

    /// Requests a second, as of now.
    pub(super) fn now(&self) -> f64 {
        self.base * (1.0 + GROWTH * (self.held / self.caution).powi(3))
    }

    /// The time between two requests.
    pub(super) fn gap(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.now())
    }

    /// When the one after so many more may go.
    pub(super) fn after(&self, more: u32) -> Instant {
        self.next + self.gap() * more
    }

    /// Takes the next place, or says when there is one.
    pub(super) fn place(&mut self, now: Instant) -> Result<(), Instant> {
        let gap = self.gap();
        if self.next + gap * self.most_saved <= now {
            // Nothing was sent for as long as so many would have taken. The debt is paid before others follow.
            self.saved = self.most_saved;
            self.next = now;
        }
        if self.saved > 0 {
            self.saved -= 1;
        } else if self.next > now {
            return Err(self.next);
        }
        let oldest = now.checked_sub(SLACK).unwrap_or(now);
        self.next = self.next.max(oldest) + gap;
        Ok(())
    }

    /// A request that it may have held back was answered.
    pub(super) fn answered(&mut self, held: bool) {
        self.answered += 1.0;
        if held {
            self.held += 1.0;
        }
    }

    /// Not before this.
    pub(super) fn not_before(&mut self, at: Instant) {
        self.next = self.next.max(at);
        self.saved = 0;
    }

    /// Whether it has held for so short that it was no good.
    pub(super) fn was_wrong(&self) -> bool {
        self.answered < self.caution / 6.0
    }
}
