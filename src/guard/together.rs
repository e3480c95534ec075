//! A change of the store itself is recorded with it: intent, change and outcome are one transaction, so that all of it is there or
//! nothing. A change that is sent elsewhere needs its intent on disk before, and its outcome after.

use serde_json::Value;

use super::{Made, finish::told};
use crate::{
    shape::shape,
    store::{Conn, EntryKind, StoreError},
};

/// What is recorded of a change with it.
pub(super) struct Together {
    pub(super) intent: Value,
    /// Whether what it gives ends.
    pub(super) ends: bool,
}

impl Together {
    /// Appends both rows to the ledger, in the transaction of the change.
    pub(super) async fn write(&self, call_id: &str, made: &Made, tx: &mut Conn) -> Result<(), StoreError> {
        let mut outcome = told(made, self.ends, &[]);
        shape(&mut outcome);
        tx.append_all(&[(call_id, EntryKind::Intent, &self.intent), (call_id, EntryKind::Outcome, &outcome)]).await
    }
}
