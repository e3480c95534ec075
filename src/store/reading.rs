//! A connection to read with. What it was asked is stopped when nobody waits for it any more, or when it takes too long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Database, Sqlite, pool::PoolConnection};
use tokio::sync::OwnedSemaphorePermit;

/// A connection that reads.
#[derive(Debug)]
pub struct Reading<D: Database> {
    conn: Option<PoolConnection<D>>,
    /// Whether a statement is under way. Who drops it then has left, and so the connection ends: its statement would keep it.
    at_work: bool,
    watch: Option<Arc<Watch>>,
    /// A place among those that may take long.
    _turn: Option<OwnedSemaphorePermit>,
}

/// Whether a statement of SQLite's goes on.
#[derive(Debug)]
struct Watch {
    state: AtomicU8,
    until: Instant,
}

/// Somebody waits for it; nobody uses the connection; whoever waited has left.
const WAITED_FOR: u8 = 0;
const PUT_BACK: u8 = 1;
const LEFT: u8 = 2;

impl Watch {
    /// A connection that was put back may be used by those who have set no time.
    fn goes_on(&self) -> bool {
        match self.state.load(Ordering::Relaxed) {
            WAITED_FOR => Instant::now() < self.until,
            PUT_BACK => true,
            _ => false,
        }
    }
}

/// How many steps of its machine SQLite makes between two looks: about a millisecond.
const STEPS: i32 = 20_000;

impl<D: Database> Reading<D> {
    pub(super) fn with(conn: PoolConnection<D>, turn: Option<OwnedSemaphorePermit>) -> Self {
        Self { conn: Some(conn), at_work: false, watch: None, _turn: turn }
    }

    /// The connection, for one statement; [`Self::ended`] says when that is over.
    pub(super) fn begin(&mut self) -> Result<&mut D::Connection, sqlx::Error> {
        self.at_work = true;
        self.conn.as_deref_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    pub(super) fn ended(&mut self) {
        self.at_work = false;
    }

    /// Goes on with another connection, since this one leads nowhere.
    pub(super) fn replace(&mut self, conn: PoolConnection<D>) {
        if let Some(old) = self.conn.replace(conn) {
            drop(old.detach());
        }
        self.at_work = false;
    }
}

impl Reading<Sqlite> {
    /// Gives all statements so long together.
    pub(super) async fn for_at_most(mut self, time: Duration) -> Result<Self, sqlx::Error> {
        let watch = Arc::new(Watch { state: AtomicU8::new(WAITED_FOR), until: Instant::now() + time });
        if let Some(conn) = &mut self.conn {
            let seen = Arc::clone(&watch);
            conn.lock_handle().await?.set_progress_handler(STEPS, move || seen.goes_on());
        }
        self.watch = Some(watch);
        Ok(self)
    }
}

impl<D: Database> Drop for Reading<D> {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.state.store(if self.at_work { LEFT } else { PUT_BACK }, Ordering::Relaxed);
        }
        if self.at_work
            && let Some(conn) = self.conn.take()
        {
            drop(conn.detach());
        }
    }
}
