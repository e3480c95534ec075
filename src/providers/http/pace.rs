//! How fast requests may follow each other on one connection.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// The pace of a connection: a 429 to one request makes all of them wait.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    resumes: Mutex<Option<Instant>>,
}

impl Pace {
    fn resumes(&self) -> MutexGuard<'_, Option<Instant>> {
        self.resumes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request may be sent; or says how long that would be, if it is beyond `deadline`.
    pub(super) async fn turn(&self, deadline: Instant) -> Result<(), Duration> {
        loop {
            let resumes = *self.resumes();
            match resumes {
                Some(at) if at > deadline => return Err(at.saturating_duration_since(Instant::now())),
                Some(at) if at > Instant::now() => sleep_until(at).await,
                _ => return Ok(()),
            }
        }
    }

    /// The service asked to wait this long.
    pub(super) fn refused(&self, wait: Duration) {
        let at = Instant::now() + wait;
        let mut resumes = self.resumes();
        *resumes = Some(resumes.map_or(at, |it| it.max(at)));
    }
}
