//! What time it is: of this machine, or as a test sets it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::domain::Timestamp;

/// The clocks of a machine: one that people and networks set, and one that only goes forward.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// This machine's.
    #[default]
    Machine,
    /// One that stands still until it is moved.
    Still(Arc<Still>),
}

/// A clock that stands still, in milliseconds.
#[derive(Debug, Default)]
pub struct Still {
    wall: AtomicI64,
    steady: AtomicI64,
}

/// A moment by both clocks, to count from.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    wall: i64,
    steady: i64,
}

impl Clock {
    /// A clock that shows `wall` until it is moved.
    pub fn still(wall: Timestamp) -> Self {
        Self::Still(Arc::new(Still { wall: AtomicI64::new(wall.0), steady: AtomicI64::new(0) }))
    }

    /// Lets time pass on a clock that stands still.
    pub fn pass(&self, millis: i64) {
        if let Self::Still(it) = self {
            it.steady.fetch_add(millis, Ordering::Relaxed);
        }
        self.jump(millis);
    }

    /// Sets the wall clock forward or back, as people and networks do; no time passes.
    pub fn jump(&self, millis: i64) {
        if let Self::Still(it) = self {
            it.wall.fetch_add(millis, Ordering::Relaxed);
        }
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Machine => Timestamp::now(),
            Self::Still(it) => Timestamp(it.wall.load(Ordering::Relaxed)),
        }
    }

    /// This moment.
    pub fn mark(&self) -> Mark {
        Mark { wall: self.now().0, steady: self.steady() }
    }

    /// How long ago a moment was, by the clock that shows more: the steady one may rest while the machine sleeps, the wall clock may be
    /// set back.
    pub fn since(&self, mark: Mark) -> Duration {
        let elapsed = (self.steady() - mark.steady).max(self.now().0 - mark.wall);
        Duration::from_millis(elapsed.max(0).unsigned_abs())
    }

    /// Which start of the machine this is, and how many milliseconds ago it was, with those in which it slept: all processes on it are
    /// told the same, and nobody can set it. `None` where the system tells no such thing.
    pub(super) fn since_start(&self) -> Option<(String, i64)> {
        match self {
            Self::Machine => started(),
            Self::Still(it) => Some((format!("{:p}", Arc::as_ptr(it)), it.steady.load(Ordering::Relaxed))),
        }
    }

    /// How long ago a moment was by the steady clock alone, which nobody can set.
    pub fn passed(&self, mark: Mark) -> Duration {
        Duration::from_millis((self.steady() - mark.steady).max(0).unsigned_abs())
    }

    fn steady(&self) -> i64 {
        static START: OnceLock<Instant> = OnceLock::new();
        match self {
            Self::Machine => START.get_or_init(Instant::now).elapsed().as_millis().try_into().unwrap_or(i64::MAX),
            Self::Still(it) => it.steady.load(Ordering::Relaxed),
        }
    }
}

#[cfg(target_os = "linux")]
fn started() -> Option<(String, i64)> {
    use rustix::time::{ClockId, clock_gettime};
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    let name = NAME.get_or_init(|| Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned()));
    let since = clock_gettime(ClockId::Boottime);
    Some((name.clone()?, since.tv_sec * 1000 + since.tv_nsec / 1_000_000))
}

#[cfg(not(target_os = "linux"))]
fn started() -> Option<(String, i64)> {
    None
}
