//! How long what fails is tried again: while another is in the way, and while the server is away.

use std::time::Duration;

use tokio::time::Instant;

use super::{ATTEMPTS, FromStore, pause};

/// How long a call may wait for the store, counted from its beginning: clients give a request a minute, and a standby takes over in half
/// of one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

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
pub(super) fn until() -> Instant {
    UNTIL.try_with(|it| *it).unwrap_or_else(|_| Instant::now() + PATIENCE)
}

/// The tries of one piece of work.
#[derive(Debug)]
pub(crate) struct Tries {
    until: Instant,
    made: u32,
}

impl Default for Tries {
    fn default() -> Self {
        Self { until: until(), made: 0 }
    }
}

impl Tries {
    /// Waits, and says whether to try again: where another was in the way, or where the server went before anything was kept. What
    /// failed while it was being `committed` is only tried again where the database says that it was not taken in.
    pub(crate) async fn again(&mut self, error: &impl FromStore, committed: bool) -> bool {
        self.made += 1;
        let Some(error) = error.store_error() else { return false };
        let is_lost = !committed && error.is_away() && Instant::now() < self.until;
        let again = is_lost || (self.made < ATTEMPTS && error.is_passing());
        if again {
            pause(self.made).await;
        }
        again
    }
}
