//! The part of a change after the point of no return: it is sent, and its outcome recorded.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    Account, Made, Permit, changed,
    recorder::{KeyChange, Recorder},
    shaped,
    together::Together,
    unsent::{Sent, Unsent},
};
use crate::{
    domain::{Inverse, Timestamp},
    error::{CallError, ProviderError},
    secrets::OpenSink,
    shape::shape,
    store::{Db, EntryKind, FromStore as _, StoreError, transaction},
    tools::{Receipt, SecretPlace, Status},
};

/// How long a call waits for its outcome to be recorded: clients give a request a minute.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait before a record is tried again: first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

/// A change whose intent is in the ledger.
pub(super) struct Finish {
    pub(super) connection: Arc<dyn Account>,
    pub(super) tool: &'static str,
    pub(super) call_id: String,
    pub(super) target: Value,
    pub(super) target_name: String,
    /// When what it gives is to end.
    pub(super) ends_at: Option<Timestamp>,
    pub(super) makes_secret: bool,
}

/// How a change has ended, and what the ledger is to say about it.
pub(crate) struct Ended {
    pub(crate) result: Result<Value, CallError>,
    /// `None` where whoever settles the call later knows more.
    pub(crate) outcome: Option<Value>,
    pub(crate) inverse: Vec<Inverse>,
}

impl Ended {
    fn not_made(error: CallError, outcome: Option<Value>) -> Self {
        Self { result: Err(error), outcome, inverse: Vec::new() }
    }
}

impl Finish {
    /// Sends the change and writes its outcome. Where the store does not take it, the outcome is kept and written as soon as it does;
    /// the call waits for that as long as it may, and then says that it was made and not recorded.
    pub(super) async fn run(
        self,
        recorder: Recorder,
        keyed: bool,
        change: Unsent,
        sink: Option<OpenSink>,
        patience: Duration,
    ) -> Result<Value, CallError> {
        let Ended { result, outcome, .. } = self.send(Permit::new(&self.call_id), change, sink).await;
        let Some(outcome) = outcome else { return result };
        // Where something was changed, or may have been, a repetition is told to look first; where nothing was, it is a new call.
        let key = match &result {
            _ if !keyed => KeyChange::None,
            Ok(receipt) => KeyChange::Result(receipt.to_string()),
            Err(CallError::OutcomeUnknown { .. } | CallError::Provider(ProviderError::Partly { .. })) => KeyChange::None,
            Err(_) => KeyChange::Free,
        };
        let recording = tokio::spawn(record(recorder, self.call_id.clone(), outcome, key));
        let is_recorded = matches!(tokio::time::timeout(patience, recording).await, Ok(Ok(true)));
        match result {
            Ok(receipt) if !is_recorded => Err(CallError::NotRecorded {
                tool: self.tool.to_owned(),
                target: self.target_name,
                call_id: self.call_id,
                receipt: Box::new(receipt),
            }),
            result => result,
        }
    }

    /// Makes a change of the store itself, whose record is kept with it. One that was refused is recorded alone; where the store has taken
    /// nothing, there is nothing to record.
    pub(super) async fn run_together(
        self,
        recorder: Recorder,
        intent: Value,
        change: Unsent,
        patience: Duration,
    ) -> Result<Value, CallError> {
        let together = Together { intent: intent.clone(), ends: self.ends_at.is_some() };
        let Ended { result, outcome, .. } = self.send(Permit::together(&self.call_id, together), change, None).await;
        if let (Err(_), Some(outcome)) = (&result, outcome) {
            let call_id = self.call_id;
            let recording = tokio::spawn(async move {
                let intent = recorder.append(&call_id, EntryKind::Intent, intent, KeyChange::None).await;
                intent.is_ok() && record(recorder, call_id, outcome, KeyChange::None).await
            });
            let _ = tokio::time::timeout(patience, recording).await; // nothing was changed, whether or not that is on record
        }
        result
    }

    pub(super) async fn send(&self, permit: Permit, change: Unsent, sink: Option<OpenSink>) -> Ended {
        let sent = change.send(permit.clone()).await;
        let is_together = permit.is_together();
        let requests = permit.request_ids();
        let error = match sent {
            Sent::Made(made) => return self.done(*made, &requests, sink).await,
            Sent::Unknown(error) => {
                let reason = crate::error::chain(&error);
                if let Some(sink) = sink {
                    sink.discard();
                }
                let outcome = outcome("outcome_unknown", &requests, json!({ "reason": reason }));
                return Ended::not_made(unknown(self.tool, &self.target_name, &self.call_id, &error.fix()), Some(outcome));
            }
            Sent::Failed(error) => error,
        };
        // The store may have failed after it took the change in: ask before saying that it failed.
        let applied = match &error {
            // Its commit was not begun, or was refused.
            ProviderError::Store(_) if is_together && !error.store_error().is_some_and(StoreError::may_be_committed) => Some(false),
            ProviderError::Store(_) => self.connection.settle(&self.call_id, true).await,
            _ => Some(false),
        };
        match applied {
            Some(false) => {
                if let Some(sink) = sink {
                    sink.discard();
                }
                // Where the store itself took nothing, neither the change nor its record is there, and there is nothing to record.
                let is_left_out = is_together && error.store_error().is_some();
                let reason = || json!({ "code": error.code(), "reason": crate::error::chain(&error) });
                let failed = (!is_left_out).then(|| outcome("failed", &requests, reason()));
                Ended::not_made(error.into(), failed)
            }
            Some(true) => Ended {
                result: Ok(settled(&self.target, &self.call_id, self.makes_secret)),
                outcome: Some(json!({ "outcome": "done", "settled": true })),
                inverse: Vec::new(),
            },
            None => Ended::not_made(unknown(self.tool, &self.target_name, &self.call_id, ""), None),
        }
    }

    /// A change that was made: its receipt, with its secret handed over.
    pub(super) async fn done(&self, made: Made, requests: &[String], sink: Option<OpenSink>) -> Ended {
        let mut outcome = told(&made, self.ends_at.is_some(), requests);
        let mut receipt = Receipt {
            before: made.before,
            after: made.after,
            undo: made.undo,
            ends_at: self.ends_at,
            call_id: Some(self.call_id.clone()),
            ..Receipt::new(Status::Done, made.target)
        };
        match (made.secret, sink) {
            (Some(secret), Some(sink)) => {
                let place = sink.hand_over(secret).await.unwrap_or_else(|error| {
                    tracing::error!(%error, "a new secret could not be handed over");
                    SecretPlace {
                        what: "the new secret is lost".into(),
                        handed_to: format!("nowhere ({error}): delete what was made and make it again"),
                    }
                });
                outcome["secret"] = json!(place);
                receipt.secret = Some(place);
            }
            (None, Some(sink)) => sink.discard(),
            _ => {}
        }
        Ended { result: Ok(shaped(&receipt)), outcome: Some(outcome), inverse: made.inverse }
    }
}

/// What the ledger says of a change that was made; `ends`: whether what it gives ends.
pub(super) fn told(made: &Made, ends: bool, requests: &[String]) -> Value {
    let mut outcome = outcome("done", requests, json!({ "target": made.target }));
    if let Some(change) = changed::told(made.before.as_ref(), made.after.as_ref()) {
        outcome["change"] = change.into();
    }
    if !made.inverse.is_empty() {
        outcome["inverse"] = json!(made.inverse);
    }
    if let (true, Some(after)) = (ends, &made.after) {
        // What is taken away later has to be this still.
        outcome["gave"] = json!({ "role": after["role"], "roles": after["roles"], "since": after["since"], "status": after["status"] });
    }
    outcome
}

/// Gives a call its outcome whose intent may have been recorded, though the store did not say so: it was not sent.
pub(super) async fn abandon(db: Db, call_id: String) {
    let outcome = json!({ "outcome": "failed", "reason": "the store did not say that the intent was recorded, so nothing was sent" });
    let mut pauses = Pauses::default();
    loop {
        let written = transaction!(db.recording(), StoreError, tx => {
            if tx.entries(&call_id, EntryKind::Intent).await?.is_empty() {
                return Ok(());
            }
            tx.record_repeat(&call_id, None).await?;
            tx.append(&call_id, EntryKind::Outcome, &outcome).await
        });
        if pauses.is_over(written, &call_id).await.is_some() {
            return;
        }
    }
}

/// Writes an outcome, again and again until the store takes it; answers whether it did. Should the process end before, the intent
/// without outcome is settled later.
async fn record(recorder: Recorder, call_id: String, mut outcome: Value, key: KeyChange) -> bool {
    shape(&mut outcome);
    let mut pauses = Pauses::default();
    loop {
        let written = recorder.append(&call_id, EntryKind::Outcome, outcome.clone(), key.clone()).await;
        if let Some(is_recorded) = pauses.is_over(written, &call_id).await {
            return is_recorded;
        }
    }
}

/// The time between two tries to record an outcome.
struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(PAUSES.0)
    }
}

impl Pauses {
    /// Whether the outcome is recorded or never will be by this process; where it is to be tried again, waits and answers `None`.
    async fn is_over(&mut self, written: Result<(), StoreError>, call_id: &str) -> Option<bool> {
        let Err(error) = written else { return Some(true) };
        tracing::error!(%error, %call_id, "the outcome of a change could not be recorded; it is tried again");
        if error.is_closed() {
            return Some(false);
        }
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(PAUSES.1);
        None
    }
}

/// An outcome as the ledger keeps it; `requests` are the ids by which the provider knows what was sent.
fn outcome(name: &str, requests: &[String], more: Value) -> Value {
    let mut outcome = json!({ "outcome": name });
    if let (Value::Object(outcome), Value::Object(more)) = (&mut outcome, more) {
        outcome.extend(more);
        if !requests.is_empty() {
            outcome.insert("requests".into(), json!(requests));
        }
    }
    outcome
}

/// The receipt of a change that is known to have been made, by somebody who is gone.
pub(crate) fn settled(target: &Value, call_id: &str, makes_secret: bool) -> Value {
    let mut receipt = json!({ "status": "done", "target": target, "call_id": call_id });
    if makes_secret {
        receipt["secret"] = json!(SecretPlace {
            what: "the new secret may be lost".into(),
            handed_to: format!("unknown: where the secret sink has nothing for {call_id}, delete what was made and make it again"),
        });
    }
    receipt
}

/// `fix` is the read that tells; empty where none is known.
pub(super) fn unknown(tool: &str, target: &str, call_id: &str, fix: &str) -> CallError {
    let look = if fix.is_empty() { format!("look at `{target}` with a read") } else { fix.to_owned() };
    CallError::OutcomeUnknown {
        tool: tool.to_owned(),
        target: target.to_owned(),
        fix: format!("{look}; do not repeat the call before"),
        call_id: call_id.to_owned(),
    }
}
