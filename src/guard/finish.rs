//! The part of a change after the point of no return: it is sent, and its outcome recorded.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Account, Made, Permit,
    unsent::{Sent, Unsent},
};
use crate::{
    domain::Inverse,
    error::{CallError, ProviderError},
    secrets::OpenSink,
    shape::shape,
    store::{Db, EntryKind, StoreError, transaction},
};

/// A change whose intent is in the ledger.
pub(super) struct Finish {
    pub(super) connection: Arc<dyn Account>,
    pub(super) tool: &'static str,
    pub(super) call_id: String,
    pub(super) target: Value,
    pub(super) target_name: String,
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
    /// Sends the change and writes its outcome.
    pub(super) async fn run(self, db: &Db, keyed: bool, change: Unsent, sink: Option<OpenSink>) -> Result<Value, CallError> {
        let ended = self.send(Permit::new(&self.call_id), change, sink).await;
        if let Some(outcome) = &ended.outcome {
            let key = match &ended.result {
                Ok(receipt) => Key::Result(receipt),
                Err(CallError::OutcomeUnknown { .. } | CallError::Provider(ProviderError::Partly { .. })) => Key::Keep,
                Err(_) => Key::Free,
            };
            self.record(db, keyed, outcome, key).await;
        }
        ended.result
    }

    pub(super) async fn send(&self, permit: Permit, change: Unsent, sink: Option<OpenSink>) -> Ended {
        let sent = change.send(permit.clone()).await;
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
            ProviderError::Store(_) => self.connection.settle(&self.call_id, true).await,
            _ => Some(false),
        };
        match applied {
            Some(false) => {
                if let Some(sink) = sink {
                    sink.discard();
                }
                let reason = json!({ "code": error.code(), "reason": crate::error::chain(&error) });
                Ended::not_made(error.into(), Some(outcome("failed", &requests, reason)))
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
        let mut receipt = Map::new();
        receipt.insert("status".into(), "done".into());
        receipt.insert("target".into(), json!(made.target));
        let optional = [("before", made.before), ("after", made.after), ("undo", made.undo.map(Value::from))];
        receipt.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let mut outcome = outcome("done", requests, json!({ "target": made.target }));
        if !made.inverse.is_empty() {
            outcome["inverse"] = json!(made.inverse);
        }
        match (made.secret, sink) {
            (Some(secret), Some(sink)) => {
                let place = sink.hand_over(secret).await.unwrap_or_else(|error| {
                    tracing::error!(%error, "a new secret could not be handed over");
                    crate::tools::SecretPlace {
                        what: "the new secret is lost".into(),
                        handed_to: format!("nowhere ({error}): delete what was made and make it again"),
                    }
                });
                outcome["secret"] = json!(place);
                receipt.insert("secret".into(), json!(place));
            }
            (None, Some(sink)) => sink.discard(),
            _ => {}
        }
        receipt.insert("call_id".into(), self.call_id.as_str().into());
        let mut receipt = Value::from(receipt);
        shape(&mut receipt);
        Ended { result: Ok(receipt), outcome: Some(outcome), inverse: made.inverse }
    }

    /// Writes the outcome. Should that fail, the change stands all the same, and the intent without outcome is settled later.
    async fn record(&self, db: &Db, keyed: bool, outcome: &Value, key: Key<'_>) {
        let receipt = if let Key::Result(receipt) = key { Some(receipt.to_string()) } else { None };
        let settles = keyed && !matches!(key, Key::Keep);
        let mut outcome = outcome.clone();
        shape(&mut outcome);
        let written = transaction!(db, StoreError, tx => {
            if settles {
                tx.settle_repeat(&self.call_id, receipt.as_deref()).await?;
            }
            tx.append(&self.call_id, EntryKind::Outcome, &outcome).await
        });
        if let Err(error) = written {
            tracing::error!(%error, call_id = %self.call_id, "the outcome of a change could not be recorded");
        }
    }
}

/// What becomes of the call's `idempotency_key`, if it had one.
#[derive(Clone, Copy)]
enum Key<'a> {
    /// A repetition gets this receipt.
    Result(&'a Value),
    /// A repetition is a new call: nothing was changed.
    Free,
    /// Something was changed, or may have been: a repetition is told to look first.
    Keep,
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
        receipt["secret"] = json!({
            "what": "the new secret may be lost",
            "handed_to": format!("unknown: where the secret sink has nothing for {call_id}, delete what was made and make it again"),
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
