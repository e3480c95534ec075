//! The pace of a connection as a state that answers change. Time is given to it: it waits for nothing.

use std::time::{Duration, Instant};

use super::rate::Rate;

/// Requests on their way at once: at first, at most, and at least.
const FIRST: u32 = 16;
const MOST: u32 = 64;
const LEAST: u32 = 2;
/// How many answers it takes to have one more on the way.
const CALM: u32 = 4;
/// A first look at a limit assumes that it is one by the second.
const SECOND: Duration = Duration::from_secs(1);
/// The longest wait that is chosen here, where the service does not say.
const LONGEST: Duration = Duration::from_secs(16);
/// After so long without a request, what was counted says nothing any more; what was learned still does.
const IDLE: Duration = Duration::from_secs(1);
/// After so long without a request everything is forgotten.
const QUIET: Duration = Duration::from_mins(5);
/// How many lessons in a row may turn out wrong, until it is clear that refusals do not come from a rate.
const WRONG: u32 = 5;
/// How long nothing is learned then.
const DOUBT: Duration = Duration::from_mins(1);

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    number: u64,
    held: bool,
}

/// What the next in line is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next {
    Go(InFlight),
    /// Not before then; ask again.
    At(Instant),
    /// Once another request has been answered; ask again.
    Full,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered,
    /// The service is not well: it failed or did not answer.
    Failed,
    /// 429, and how long it asks to wait.
    Refused(Option<Duration>),
    /// Nobody waits for it any more.
    Abandoned,
}

#[derive(Debug)]
pub(super) struct State {
    on_the_way: u32,
    most: u32,
    calm: u32,
    next_number: u64,
    /// Failures of requests before this one have been taken into account, and refusals of those before that one.
    eased: u64,
    told: u64,
    pause: Option<Pause>,
    rate: Option<Rate>,
    /// The next in line was told to wait by `rate`.
    holding: bool,
    /// Since the refusal before the last, and between those two.
    period: Period,
    before: Period,
    lesson: Option<Lesson>,
    wrong: u32,
    doubt: Option<Instant>,
    active: Option<Instant>,
}

/// A service that wants to be left alone. When the time is over one request finds out whether others may follow.
#[derive(Debug)]
struct Pause {
    until: Instant,
    asking: bool,
    refusals: u32,
}

/// A lesson that is not over: what was on the way at the same time tells whether it was one.
#[derive(Debug)]
struct Lesson {
    /// The request that was refused.
    number: u64,
    /// Of those sent after it and before it was known.
    passed: u32,
    refused: u32,
    /// What was in force.
    before: Option<Rate>,
}

/// What went through from a moment on.
#[derive(Debug, Clone, Copy, Default)]
struct Period {
    since: Option<Instant>,
    count: u32,
    /// When a refusal ended it. It goes on until something goes through again: only then the refusals are over.
    ended: Option<Instant>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            on_the_way: 0,
            most: FIRST,
            calm: 0,
            next_number: 0,
            eased: 0,
            told: 0,
            pause: None,
            rate: None,
            holding: false,
            period: Period::default(),
            before: Period::default(),
            lesson: None,
            wrong: 0,
            doubt: None,
            active: None,
        }
    }
}

impl State {
    /// Whether the next in line may go.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        self.forget(now);
        if let Some(pause) = &self.pause {
            if pause.until > now {
                return Next::At(pause.until);
            }
            if pause.asking {
                return Next::Full;
            }
            self.weigh();
        }
        if self.on_the_way >= self.most {
            return Next::Full;
        }
        if let Some(rate) = &mut self.rate
            && let Err(at) = rate.place(now)
        {
            self.holding = true;
            return Next::At(at);
        }
        if let Some(pause) = &mut self.pause {
            pause.asking = true;
        }
        self.on_the_way += 1;
        self.active = Some(now);
        self.period.since.get_or_insert(now);
        self.next_number += 1;
        Next::Go(InFlight { number: self.next_number, held: std::mem::take(&mut self.holding) })
    }

    /// When a request could go at the earliest that has so many before it.
    pub(super) fn earliest(&self, now: Instant, ahead: u32) -> Instant {
        let paused = self.pause.as_ref().map_or(now, |it| it.until);
        let spaced = self.rate.as_ref().map_or(now, |it| it.after(ahead));
        now.max(paused).max(spaced)
    }

    /// A request has ended.
    pub(super) fn end(&mut self, request: InFlight, end: End, now: Instant) {
        let full = self.on_the_way >= self.most;
        self.on_the_way = self.on_the_way.saturating_sub(1);
        self.active = Some(now);
        // Was this the one that found out whether others may follow?
        let asked = request.number >= self.told;
        if let Some(lesson) = self.lesson.as_mut().filter(|it| it.number < request.number && !asked) {
            match end {
                End::Refused(_) => lesson.refused += 1,
                End::Answered | End::Failed => lesson.passed += 1,
                End::Abandoned => {}
            }
        }
        match end {
            End::Abandoned => {
                if let Some(pause) = self.pause.as_mut().filter(|_| asked) {
                    pause.asking = false;
                }
                return;
            }
            End::Refused(wait) => return self.refused(request, wait, now),
            End::Answered => {
                self.calm += u32::from(full);
                if self.calm >= CALM {
                    self.calm = 0;
                    self.most = MOST.min(self.most + 1);
                }
            }
            End::Failed => {
                self.calm = 0;
                // All that were on the way fail for the same reason.
                if request.number >= self.eased {
                    self.most = LEAST.max(self.most / 2);
                    self.eased = self.next_number + 1;
                }
            }
        }
        if asked {
            self.pause = None;
            if let Some(ended) = self.period.ended {
                self.before = std::mem::replace(&mut self.period, Period { since: Some(ended), ..Period::default() });
            }
        }
        self.period.count += 1;
        if let Some(rate) = &mut self.rate {
            rate.answered(request.held);
        }
    }

    fn refused(&mut self, request: InFlight, asked: Option<Duration>, now: Instant) {
        if request.number < self.told {
            // It was on its way when the service refused the first one, and tells nothing new.
            if let Some(pause) = &mut self.pause {
                pause.until = pause.until.max(now + asked.unwrap_or_default());
            }
            return;
        }
        let refusals = self.pause.as_ref().map_or(0, |it| it.refusals + 1);
        let before = self.rate.clone();
        self.learn(asked, now);
        // Where requests go hardly faster than they may, one is refused and the next one is not.
        self.lesson = (!request.held).then_some(Lesson { number: request.number, passed: 0, refused: 0, before });
        let doubled = LONGEST.min(SECOND * (1 << refusals.min(8)));
        let wait = match asked {
            // One that says "now" and refuses again is not taken at its word for ever.
            Some(asked) => asked.max(if refusals == 0 { Duration::ZERO } else { doubled.min(SECOND) }),
            None => doubled.max(self.rate.as_ref().map(Rate::gap).unwrap_or_default().min(2 * LONGEST)),
        };
        let until = now + wait;
        if let Some(rate) = &mut self.rate {
            rate.not_before(until);
        }
        self.holding = false;
        self.calm = 0;
        self.most = if self.rate.is_some() { self.most.min(FIRST) } else { LEAST };
        self.told = self.next_number + 1;
        self.pause = Some(Pause { until, asking: false, refusals });
    }

    /// A refusal tells that as many as went through are all that may.
    fn learn(&mut self, asked: Option<Duration>, now: Instant) {
        let first = self.period.ended.is_none();
        self.period.ended.get_or_insert(now);
        if self.doubt.is_some_and(|it| it > now) {
            return;
        }
        if let Some(rate) = self.rate.as_ref().filter(|_| first) {
            self.wrong = if rate.was_wrong() { self.wrong + 1 } else { 0 };
            if self.wrong >= WRONG {
                (self.rate, self.wrong, self.doubt) = (None, 0, Some(now + DOUBT));
                return;
            }
        }
        let count = self.before.count + self.period.count;
        let since = self.before.since.or(self.period.since).unwrap_or(now);
        if count > 0 {
            // What is left until a service takes requests again, it rounds up to whole seconds.
            let asked = asked.unwrap_or_default();
            let span = (now.duration_since(since) + asked.saturating_sub(SECOND)).max(asked).max(SECOND);
            self.rate = Some(match &self.rate {
                Some(before) => Rate::learned_after(before, self.wrong, count, span, now),
                None => Rate::learned(count, span, now),
            });
        }
    }

    /// A service that refuses one request and takes those after it has not refused it for their number.
    fn weigh(&mut self) {
        if let Some(lesson) = self.lesson.take().filter(|it| it.passed >= CALM && it.passed >= 3 * it.refused) {
            self.rate = lesson.before;
            self.period.ended = None;
        }
    }

    fn forget(&mut self, now: Instant) {
        let Some(active) = self.active else { return };
        let still = now.saturating_duration_since(active);
        if self.on_the_way > 0 {
            return;
        }
        if still > QUIET {
            *self = Self { next_number: self.next_number, ..Self::default() };
        } else if still > IDLE && !self.holding && self.pause.is_none() {
            self.period = Period::default();
            self.before = Period::default();
        }
    }

    /// How many are on the way, how many may be at once, and how many may go a second where that was learned.
    pub(super) fn figures(&self) -> (u32, u32, Option<f64>) {
        (self.on_the_way, self.most, self.rate.as_ref().map(Rate::now))
    }

    /// For how long the service still wants to be left alone.
    pub(super) fn paused(&self, now: Instant) -> Option<Duration> {
        self.pause.as_ref().map(|it| it.until.saturating_duration_since(now)).filter(|it| !it.is_zero())
    }
}
