//! What time it is where access is to end: a clock that jumps forward is not believed at once.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    domain::Timestamp,
    store::{Clock, Mark},
};

/// By how much more than has passed the time may be later, without being a jump.
const SLACK: Duration = Duration::from_secs(30);
/// How long a clock that has jumped forward has to stay there. A machine that slept looks the same, and ends things so much later.
const STAYS: Duration = Duration::from_mins(10);

/// The time as it is believed.
#[derive(Default)]
pub(in crate::jobs) struct Believed(Mutex<Option<Seen>>);

struct Seen {
    /// The store's time then.
    time: Timestamp,
    then: Mark,
    /// Since when it is ahead of what has passed.
    ahead: Option<Mark>,
}

impl Believed {
    /// The time to go by, where the store shows this one. Backwards it is always believed: then things end later, and never twice.
    pub(super) fn time(&self, shown: Timestamp, clock: &Clock) -> Timestamp {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = |it: Duration| i64::try_from(it.as_millis()).unwrap_or(i64::MAX);
        if let Some(it) = &mut *seen {
            let expected = Timestamp(it.time.0.saturating_add(millis(clock.passed(it.then))));
            if shown.0 > expected.0.saturating_add(millis(SLACK)) {
                let ahead = *it.ahead.get_or_insert_with(|| clock.mark());
                if clock.passed(ahead) < STAYS {
                    return expected;
                }
            }
        }
        *seen = Some(Seen { time: shown, then: clock.mark(), ahead: None });
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_forward_counts_once_it_has_stayed_and_a_jump_back_at_once() {
        let (clock, believed) = (Clock::still(Timestamp(1_000_000)), Believed::default());
        let time = || believed.time(clock.now(), &clock).0;
        assert_eq!(time(), 1_000_000);
        clock.pass(5_000);
        assert_eq!(time(), 1_005_000);
        clock.jump(86_400_000);
        assert_eq!(time(), 1_005_000);
        clock.pass(300_000);
        assert_eq!(time(), 1_305_000);
        // Put right again.
        clock.jump(-86_400_000);
        assert_eq!(time(), 1_305_000);
        clock.jump(86_400_000);
        assert_eq!(time(), 1_305_000);
        clock.pass(600_000);
        assert_eq!(time(), 1_905_000 + 86_400_000);
        clock.jump(-3_600_000);
        assert_eq!(time(), 1_905_000 + 86_400_000 - 3_600_000);
    }
}
