//! How long what fails is tried again: while another is in the way, and while the server is away.

use std::time::Duration;

use tokio::time::Instant;

use super::{FromStore, StoreError, pause};

/// How long a call may wait for the store, counted from its beginning: clients give a request a minute, and a standby takes over in half
/// of one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
/// For how long a transaction is tried that others are in the way of: a call may have four of them.
const BUSY: Duration = Duration::from_secs(12);
/// How often one is tried that came upon what another one has made or taken away.
const MEETINGS: u32 = 5;

tokio::task_local! {
    static UNTIL: Instant;
}

/// Runs a call, which waits for the store no longer than [`PATIENCE`] in all.
pub(crate) async fn patiently<T>(call: impl Future<Output = T>) -> T {
    within(PATIENCE, call).await
}

/// Runs something that waits for the store no longer than this in all.
pub(crate) async fn within<T>(time: Duration, call: impl Future<Output = T>) -> T {
    UNTIL.scope(Instant::now() + time, call).await
}

/// Until when what runs here may wait for the store.
pub(crate) fn until() -> Instant {
    UNTIL.try_with(|it| *it).unwrap_or_else(|_| Instant::now() + PATIENCE)
}

/// The tries of one piece of work.
#[derive(Debug)]
pub(crate) struct Tries {
    until: Instant,
    begun: Instant,
    made: u32,
}

impl Default for Tries {
    fn default() -> Self {
        Self { until: until(), begun: Instant::now(), made: 0 }
    }
}

impl Tries {
    /// Waits, and says whether to try again: where another was in the way, or where the server went before anything was kept. What
    /// failed while it was being `committed` is only tried again where the database says that it was not taken in.
    pub(crate) async fn again(&mut self, error: &impl FromStore, committed: bool) -> bool {
        self.made += 1;
        let Some(error) = error.store_error() else { return false };
        let is_lost = !committed && error.is_away() && Instant::now() < self.until;
        let again = is_lost || (self.begun.elapsed() < BUSY && error.is_passing());
        if again {
            pause(self.made).await;
        }
        again
    }

    /// The same for one that looks before it writes: it may have met what it could not see, and sees it the next time.
    pub(crate) async fn looking_again(&mut self, error: &impl FromStore, committed: bool) -> bool {
        if !committed && self.made < MEETINGS && error.store_error().is_some_and(StoreError::met_another) {
            self.made += 1;
            pause(self.made).await;
            return true;
        }
        self.again(error, committed).await
    }
}
