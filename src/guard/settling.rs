//! Intents without an outcome, whose process is gone: what became of them is found out, never tried.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::Account;
use crate::{
    domain::Timestamp,
    store::{Conn, Db, EntryKind, StoreError, transaction},
};

/// How long a call may take beside the one request that takes longest: turns, repetitions, and reading back.
const BESIDE: Duration = Duration::from_secs(75);
/// How long an intent that could not be settled is left alone.
const LEFT_ALONE_SECONDS: i64 = 60;

/// How old a call on this connection is when its process is surely gone.
pub(super) fn settles_after(account: &dyn Account) -> Duration {
    account.longest() + BESIDE
}

/// Writes the outcomes of calls whose process died in between, where the provider can tell. What calls of jobs have become of is for
/// the job to find out, as long as it runs.
pub(crate) async fn settle_open(db: &Db, account: impl Fn(&str) -> Option<Arc<dyn Account>>) -> Result<(), StoreError> {
    let mut conn = db.read().await?;
    let now = conn.now().await?;
    let before = |time: Duration| Timestamp(now.0.saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)));
    let open = conn.open_intents(before(BESIDE), now.plus_seconds(-LEFT_ALONE_SECONDS)).await?;
    let mut unsettled = Vec::new();
    for intent in &open {
        let call_id = intent.call_id.as_str();
        let body = conn.entries(call_id, EntryKind::Intent).await?.pop().map(|it| it.body()).unwrap_or_default();
        let on = account(body["connection"].as_str().unwrap_or_default());
        let due = on.filter(|it| intent.at < before(settles_after(&**it)).0);
        let taken = match due {
            Some(it) if !is_of_a_running_job(&mut conn, call_id, &body).await? => it.settle(call_id, true).await,
            _ => None,
        };
        let outcome = match taken {
            Some(true) => json!({ "outcome": "done", "settled": true }),
            Some(false) => json!({ "outcome": "failed", "settled": true, "reason": "the server ended before the change was made" }),
            None => {
                unsettled.push(call_id);
                continue;
            }
        };
        transaction!(db.recording(), StoreError, tx => {
            // Another process may have settled it in the meantime.
            tx.ledger_turn().await?;
            if tx.outcomes(&[call_id]).await?.is_empty() {
                tx.append(call_id, EntryKind::Outcome, &outcome).await?;
            }
            Ok(())
        })?;
    }
    if unsettled.is_empty() {
        return Ok(());
    }
    transaction!(db.recording(), StoreError, tx => { tx.looked_at(&unsettled, now).await })
}

/// Whether a call has begun a job that is not at its end, or is a row of one.
async fn is_of_a_running_job(conn: &mut Conn, call_id: &str, intent: &Value) -> Result<bool, StoreError> {
    let job = match intent["job"].as_str() {
        Some(job) => conn.job(job).await?,
        None => conn.job_of_call(call_id).await?,
    };
    Ok(job.is_some_and(|it| it.status == "running"))
}
