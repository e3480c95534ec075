//! How many changes of this process are made at the same time. Where the database finds that they cannot have been alone it takes one of
//! them back, and all its work was for nothing: then fewer are made at once, and more again once it goes well.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many lanes there are at most; a store has as many connections.
const MOST: u32 = 8;
/// How many changes in a row have to go well for each open lane until another one is opened.
const CALM: u32 = 16;

pub(super) struct Lanes {
    free: Semaphore,
    state: Mutex<State>,
}

struct State {
    open: u32,
    calm: u32,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { free: Semaphore::new(MOST as usize), state: Mutex::new(State { open: MOST, calm: 0 }) }
    }
}

impl Lanes {
    /// Waits for a lane.
    pub(super) async fn take(&self) -> Lane<'_> {
        // It is never closed.
        Lane { of: self, permit: self.free.acquire().await.ok() }
    }
}

/// A lane that a change goes on. Dropped, it is free for another one.
pub(super) struct Lane<'a> {
    of: &'a Lanes,
    permit: Option<SemaphorePermit<'a>>,
}

impl Lane<'_> {
    /// The change met no other.
    pub(super) fn went_well(&self) {
        let mut state = self.of.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.calm += 1;
        if state.calm >= CALM * state.open && state.open < MOST {
            state.calm = 0;
            state.open += 1;
            self.of.free.add_permits(1);
        }
    }

    /// The change was taken back because of another one: it is tried again on a lane, and this one is closed where it is not the last.
    pub(super) async fn collided(&mut self) {
        let closed = {
            let mut state = self.of.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.calm = 0;
            let closes = state.open > 1;
            state.open -= u32::from(closes);
            if closes { self.permit.take() } else { None }
        };
        if let Some(closed) = closed {
            closed.forget();
            self.permit = self.of.free.acquire().await.ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn lanes_close_one_by_one_and_open_again_and_one_stays() {
        let lanes = Lanes::default();
        for _ in 0..20 {
            lanes.take().await.collided().await;
        }
        let one = lanes.take().await;
        assert!(lanes.take().now_or_never().is_none(), "one is left");
        for _ in 0..CALM {
            one.went_well();
        }
        let two = lanes.take().now_or_never();
        assert!(two.is_some(), "another one was opened");
        for _ in 0..MOST * MOST * CALM {
            one.went_well();
        }
        drop((one, two));
        assert_eq!(lanes.free.available_permits(), MOST as usize, "there are never more than at first");
    }
}
