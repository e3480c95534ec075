//! What a job's worker records: intents before its calls are sent, outcomes after. Whatever waits is written in one transaction,
//! so that a thousand calls do not cost two thousand writes to the disk.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Permit, steps::Intent};
use crate::store::{Db, EntryKind, Lease, RowChange, StoreError, transaction};

/// How many entries wait, and are written at once.
const AT_ONCE: usize = 200;

/// Why an entry was not written. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogError {
    /// Another worker has taken the job.
    Lost,
    /// The job is to be cancelled: no more calls are begun.
    Cancelled,
    /// The process is to end: no more calls are begun.
    Closed,
    /// The store cannot be used.
    Store,
}

/// The log of a worker. Clones write the same one.
#[derive(Clone)]
pub(crate) struct RowLog {
    entries: mpsc::Sender<Entry>,
    lease: Lease,
    cancelled: Arc<AtomicBool>,
    closed: CancellationToken,
}

struct Entry {
    row: i64,
    change: RowChange,
    ledger: Option<(String, EntryKind, Value)>,
    written: oneshot::Sender<Result<(), LogError>>,
}

impl RowLog {
    /// Opens the log of the worker that has this lease.
    pub(crate) fn open(db: Db, lease: Lease) -> Self {
        let (entries, waiting) = mpsc::channel(AT_ONCE);
        let cancelled = Arc::new(AtomicBool::new(false));
        tokio::spawn(write_all(db, lease.clone(), waiting, Arc::clone(&cancelled)));
        Self { entries, lease, cancelled, closed: CancellationToken::new() }
    }

    /// Records that a call is about to be sent; only then there is a permit for it.
    pub(crate) async fn intend(&self, row: i64, intent: Intent, change: RowChange) -> Result<Permit, LogError> {
        if self.is_closed() {
            return Err(LogError::Closed);
        }
        let Intent { call_id, body } = intent;
        let permit = Permit::leased(&call_id, self.lease.clone());
        self.write(row, change, Some((call_id, EntryKind::Intent, body))).await?;
        // The disk may have been slow.
        if self.lease.holds() { Ok(permit) } else { Err(LogError::Lost) }
    }

    /// Records how a row has ended; `outcome` goes to the ledger, under the row's call.
    pub(crate) async fn note(&self, row: i64, change: RowChange, outcome: Option<(String, Value)>) -> Result<(), LogError> {
        self.write(row, change, outcome.map(|(call_id, body)| (call_id, EntryKind::Outcome, body))).await
    }

    /// Whether somebody wants the job cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Says whether somebody wants the job cancelled. It stays so once it was wanted.
    pub(crate) fn cancel(&self, wanted: bool) {
        self.cancelled.fetch_or(wanted, Ordering::Relaxed);
    }

    /// Takes no more intents: the process is to end.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Until no more intents are taken.
    pub(crate) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    async fn write(&self, row: i64, change: RowChange, ledger: Option<(String, EntryKind, Value)>) -> Result<(), LogError> {
        let (written, answer) = oneshot::channel();
        let entry = Entry { row, change, ledger, written };
        self.entries.send(entry).await.map_err(|_| LogError::Store)?;
        answer.await.map_err(|_| LogError::Store)?
    }
}

/// Writes entries until nobody is left who could make any.
async fn write_all(db: Db, lease: Lease, mut waiting: mpsc::Receiver<Entry>, cancelled: Arc<AtomicBool>) {
    let mut entries = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut entries, AT_ONCE).await > 0 {
        let mut written = write(&db, &lease, &entries).await;
        let mut pause = Duration::from_millis(50);
        while let Err(error) = &written {
            tracing::error!(%error, job = %lease.job, "what a job does could not be recorded");
            // What was made is known here alone: it is kept until the store takes it, or says that another worker has the job. What is
            // still to be sent waits only as long as the job is surely this worker's.
            if !lease.holds() {
                for entry in entries.extract_if(.., |it| is_intent(it)) {
                    let _ = entry.written.send(Err(LogError::Store));
                }
            }
            if error.is_closed() || entries.iter().all(is_intent) {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
            written = write(&db, &lease, &entries).await;
        }
        let answer = match written {
            Ok(Some(cancel)) => {
                cancelled.fetch_or(cancel, Ordering::Relaxed);
                Ok(cancel)
            }
            Ok(None) => Err(LogError::Lost),
            Err(_) => Err(LogError::Store),
        };
        for entry in entries.drain(..) {
            let is_intent = is_intent(&entry);
            // Whoever wanted to know may be gone.
            let _ = entry.written.send(answer.and_then(|cancel| if cancel && is_intent { Err(LogError::Cancelled) } else { Ok(()) }));
        }
    }
}

/// Writes the entries if the lease still counts; `None` where it does not, else whether the job is to be cancelled: then intents are left out.
async fn write(db: &Db, lease: &Lease, entries: &[Entry]) -> Result<Option<bool>, StoreError> {
    transaction!(db, StoreError, tx => {
        let Some(cancel) = tx.cancel_wanted(lease).await? else { return Ok(None) };
        let mut ledger = Vec::with_capacity(entries.len());
        for entry in entries.iter().filter(|it| !(cancel && is_intent(it))) {
            tx.change_row(&lease.job, entry.row, &entry.change).await?;
            if let Some((call_id, kind, body)) = &entry.ledger {
                ledger.push((call_id.as_str(), *kind, body));
            }
        }
        tx.append_all(&ledger).await?;
        Ok(Some(cancel))
    })
}

fn is_intent(entry: &Entry) -> bool {
    matches!(entry.ledger, Some((_, EntryKind::Intent, _)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        domain::Timestamp,
        store::{Clock, JobRecord, NewRow, args},
    };

    const CUT: &str = "CREATE TRIGGER cut BEFORE UPDATE ON job_rows BEGIN SELECT RAISE(ABORT, 'disk full'); END";

    /// A store with a job of one row, held by a worker with this clock.
    async fn job(clock: &Clock, folder: &tempfile::TempDir) -> Option<(Db, Lease)> {
        let db = Db::open(&format!("sqlite:{}", folder.path().join("store.sqlite3").display())).await.ok()?;
        let lease = Lease::first("job", "here", clock);
        let text = str::to_owned;
        let job = JobRecord {
            id: text("job"),
            call_id: text("call"),
            tool: text("apply_changes"),
            connection: text("rolecall"),
            principal: text("local"),
            client: text("test"),
            target: text("{}"),
            in_order: false,
            stop_on_failure: false,
            total: 1,
            status: text("running"),
            cancel: false,
            lease_owner: text("here"),
            lease_until: 0,
            fence: 1,
            created_at: 0,
            ended_at: None,
            notes: None,
        };
        let row = |at| {
            (at == 0).then(|| NewRow {
                name: "row".to_owned(),
                connection: "local".to_owned(),
                tool: "update_project".to_owned(),
                arguments: "{}".to_owned(),
                told: None,
                target: None,
                state: "pending",
                reason: None,
            })
        };
        let mut tx = db.begin().await.ok()?;
        tx.add_job(&job, &row, clock).await.ok()?;
        tx.run(CUT, &[]).await.ok()?;
        tx.commit().await.ok()?;
        Some((db, lease))
    }

    async fn run(db: &Db, sql: &str) {
        let done: Result<(), StoreError> = transaction!(db, StoreError, tx => { tx.run(sql, &[]).await.map(drop) });
        assert!(done.is_ok(), "{done:?}");
    }

    fn done() -> RowChange {
        RowChange { state: "done", ..RowChange::default() }
    }

    #[tokio::test]
    async fn an_outcome_is_kept_for_longer_than_the_lease_and_written_as_soon_as_the_store_takes_it() {
        let (clock, folder) = (Clock::still(Timestamp::now()), tempfile::tempdir().unwrap_or_else(|error| panic!("{error}")));
        let Some((db, lease)) = job(&clock, &folder).await else { panic!("no store") };
        let log = RowLog::open(db.clone(), lease.clone());
        let noting = tokio::spawn({
            let log = log.clone();
            async move { log.note(0, done(), Some(("call_row".to_owned(), json!({ "outcome": "done" })))).await }
        });
        tokio::time::sleep(Duration::from_millis(120)).await;
        clock.pass(60_000);
        assert!(!lease.holds());
        // What is still to be sent does not wait with it.
        let intent = Intent { call_id: "call_next".to_owned(), body: json!({}) };
        let next = log.intend(0, intent, RowChange { state: "sending", ..RowChange::default() });
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(!noting.is_finished());
        run(&db, "DROP TRIGGER cut").await;
        assert_eq!(noting.await.ok(), Some(Ok(())));
        assert!(matches!(next.await, Err(LogError::Lost | LogError::Store)));
        let mut conn = db.read().await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(conn.outcomes(&["call_row"]).await.map(|it| it.len()).ok(), Some(1));
    }

    #[tokio::test]
    async fn an_outcome_is_not_written_over_what_another_worker_does() {
        let (clock, folder) = (Clock::still(Timestamp::now()), tempfile::tempdir().unwrap_or_else(|error| panic!("{error}")));
        let Some((db, lease)) = job(&clock, &folder).await else { panic!("no store") };
        let log = RowLog::open(db.clone(), lease);
        let noting = tokio::spawn(async move { log.note(0, done(), Some(("call_row".to_owned(), json!({ "outcome": "done" })))).await });
        tokio::time::sleep(Duration::from_millis(120)).await;
        clock.pass(60_000);
        run(&db, "UPDATE jobs SET fence = fence + 1, lease_owner = 'there'").await;
        run(&db, "DROP TRIGGER cut").await;
        assert_eq!(noting.await.ok(), Some(Err(LogError::Lost)));
        let mut conn = db.read().await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(conn.number("SELECT COUNT(*) FROM job_rows WHERE state = $1", &args!["done"]).await.ok(), Some(0));
    }
}
