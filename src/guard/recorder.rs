//! What calls alone have to record: an intent before, an outcome after. Whatever waits is written in one transaction, so that many who
//! write at once wait for few commits. The calls of a job have a log of their own, beside their rows (`row_log.rs`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::oneshot;

use super::finish;
use crate::store::{Db, EntryKind, StoreError, transaction, until};

/// How many entries are written at once.
const AT_ONCE: usize = 200;

/// The recorder of a process. Clones are the same.
#[derive(Clone)]
pub(super) struct Recorder(Arc<Inner>);

struct Inner {
    db: Db,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    entries: Vec<Entry>,
    /// Whether somebody writes what waits.
    is_written: bool,
}

/// What becomes of the call's `idempotency_key`.
#[derive(Debug, Clone)]
pub(super) enum KeyChange {
    None,
    /// A repetition gets this receipt.
    Result(String),
    /// A repetition is a new call.
    Free,
}

struct Entry {
    call_id: String,
    kind: EntryKind,
    body: Value,
    key: KeyChange,
    written: oneshot::Sender<Result<(), StoreError>>,
}

impl Recorder {
    pub(super) fn new(db: Db) -> Self {
        Self(Arc::new(Inner { db, waiting: Mutex::default() }))
    }

    /// Appends a row to the ledger, with what becomes of the call's key; answers once it is committed.
    pub(super) async fn append(&self, call_id: &str, kind: EntryKind, body: Value, key: KeyChange) -> Result<(), StoreError> {
        let (written, answer) = oneshot::channel();
        let entry = Entry { call_id: call_id.to_owned(), kind, body, key, written };
        let begins = {
            let mut waiting = self.0.waiting();
            waiting.entries.push(entry);
            !std::mem::replace(&mut waiting.is_written, true)
        };
        if begins {
            // In a task of its own: whoever began it may hang up, and others wait.
            tokio::spawn(Arc::clone(&self.0).write_all());
        }
        // What had begun to be written may have been committed.
        let answer = async { answer.await.unwrap_or_else(|_| Err(StoreError::broken_off())) };
        if kind == EntryKind::Outcome {
            return answer.await;
        }
        // Whoever can wait no longer sends nothing, and an intent that is recorded after that is given its outcome here.
        let late = |_| Err(StoreError::Away { cause: "the call could wait no longer for its record".to_owned() });
        tokio::time::timeout_at(until(), answer).await.unwrap_or_else(late)
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entries that are written next; nobody writes any more where there are none.
    fn next(&self) -> Option<Vec<Entry>> {
        let mut waiting = self.waiting();
        // Whoever gave up before the intent was recorded sends nothing.
        waiting.entries.retain(|it| it.kind != EntryKind::Intent || !it.written.is_closed());
        let count = waiting.entries.len().min(AT_ONCE);
        waiting.is_written = count > 0;
        (count > 0).then(|| waiting.entries.drain(..count).collect())
    }

    async fn write_all(self: Arc<Self>) {
        while let Some(entries) = self.next() {
            // A task that fails inside must not stand in the way of all that come after it.
            let writing = tokio::spawn(Arc::clone(&self).write(entries));
            if let Err(error) = writing.await {
                tracing::error!(%error, "a record failed inside");
            }
        }
    }

    async fn write(self: Arc<Self>, entries: Vec<Entry>) {
        match self.commit(&entries).await {
            // One that the store does not take stands in no other's way.
            Err(error) if entries.len() > 1 && error.is_of_a_statement() => {
                for entry in entries {
                    let written = self.commit(std::slice::from_ref(&entry)).await;
                    self.answer(entry, written);
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for entry in entries {
                    self.answer(entry, Err(StoreError::Shared(Arc::clone(&error))));
                }
            }
            Ok(()) => {
                for entry in entries {
                    self.answer(entry, Ok(()));
                }
            }
        }
    }

    fn answer(&self, entry: Entry, written: Result<(), StoreError>) {
        let may_be_there = written.as_ref().map_or_else(StoreError::may_be_committed, |()| true);
        if entry.written.send(written).is_err() && entry.kind == EntryKind::Intent && may_be_there {
            tokio::spawn(finish::abandon(self.db.clone(), entry.call_id));
        }
    }

    async fn commit(&self, entries: &[Entry]) -> Result<(), StoreError> {
        transaction!(self.db.recording(), StoreError, tx => {
            for entry in entries {
                match &entry.key {
                    KeyChange::None => {}
                    KeyChange::Result(receipt) => tx.record_repeat(&entry.call_id, Some(receipt)).await?,
                    KeyChange::Free => tx.record_repeat(&entry.call_id, None).await?,
                }
            }
            let rows: Vec<(&str, EntryKind, &Value)> = entries.iter().map(|it| (it.call_id.as_str(), it.kind, &it.body)).collect();
            tx.append_all(&rows).await
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn store(folder: &tempfile::TempDir) -> Db {
        let db = Db::open(&format!("sqlite:{}", folder.path().join("store.sqlite3").display())).await;
        db.unwrap_or_else(|error| panic!("{error}"))
    }

    #[tokio::test]
    async fn many_who_record_at_once_are_written_together_and_each_is_there() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let db = store(&folder).await;
        let recorder = Recorder::new(db.clone());
        let calls: Vec<String> = (0..333).map(|at| format!("call_{at}")).collect();
        for kind in [EntryKind::Intent, EntryKind::Outcome] {
            let written = calls.iter().map(|it| recorder.append(it, kind, json!({ "outcome": "done" }), KeyChange::None));
            assert!(futures_util::future::join_all(written).await.iter().all(Result::is_ok));
        }
        let mut conn = db.read().await.unwrap_or_else(|error| panic!("{error}"));
        let found = conn.verify_ledger().await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((found.rows, found.broken), (666, None));
        assert_eq!(conn.number("SELECT COUNT(*) FROM open_intents", &[]).await.ok(), Some(0));
    }

    #[tokio::test]
    async fn one_that_the_store_does_not_take_stands_in_no_others_way() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let db = store(&folder).await;
        let cut = "CREATE TRIGGER cut BEFORE INSERT ON ledger WHEN new.call_id = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END";
        let made: Result<(), StoreError> = transaction!(db, StoreError, tx => { tx.run(cut, &[]).await.map(drop) });
        assert!(made.is_ok());
        let recorder = Recorder::new(db.clone());
        let calls = ["good", "bad", "well"].map(|it| recorder.append(it, EntryKind::Intent, json!({}), KeyChange::None));
        let written: Vec<bool> = futures_util::future::join_all(calls).await.iter().map(Result::is_ok).collect();
        assert_eq!(written, [true, false, true]);
    }

    #[tokio::test]
    async fn an_intent_that_nobody_waits_for_any_more_is_not_left_open() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let db = store(&folder).await;
        let recorder = Recorder::new(db.clone());
        drop(futures_util::FutureExt::now_or_never(recorder.append("gone", EntryKind::Intent, json!({}), KeyChange::None)));
        assert!(recorder.append("stays", EntryKind::Intent, json!({}), KeyChange::None).await.is_ok());
        let mut conn = db.read().await.unwrap_or_else(|error| panic!("{error}"));
        for _ in 0..200 {
            if conn.number("SELECT COUNT(*) FROM open_intents", &[]).await.ok() == Some(1) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(conn.texts("SELECT call_id FROM open_intents", &[]).await.ok(), Some(vec!["stays".to_owned()]));
    }
}
