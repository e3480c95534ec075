//! Calls with an `idempotency_key`: whoever comes second waits for the first, in whichever process it is, and gets its receipt.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::{
    Account, Guard, JobCall,
    finish::{settled, unknown},
    settling,
};
use crate::{
    error::{CallError, ProviderError},
    store::{EntryKind, JobRecord, Repeat, RepeatKey, StoreError, transaction},
    tools::Tool,
};

/// How often it is looked whether the first call has ended: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));
/// How long the receipt of a change that is known to have been made is waited for.
const GRACE: Duration = Duration::from_secs(3);

impl Guard {
    /// The receipt of the call with this key that was made before, or is being made: that one is waited for. `None` where the key is
    /// free.
    ///
    /// # Errors
    ///
    /// Where the key is another call's, the first call is still under way when this one can wait no longer, or nobody knows what became
    /// of it.
    pub(super) async fn replay(
        &self,
        tool: &Tool,
        connection: &dyn Account,
        key: &RepeatKey,
        call: &str,
    ) -> Result<Option<Value>, CallError> {
        let (begun, patience) = (Instant::now(), self.patience());
        let mut pause = PAUSES.0;
        loop {
            let Some(First { repeat, has_ended, age }) = self.first(key, call).await.map_err(not_looked_up)? else { return Ok(None) };
            if repeat.digest != *call {
                return Err(CallError::KeyReused { key: key.key.clone() });
            }
            if let Some(result) = repeat.result.as_deref().and_then(|it| serde_json::from_str::<Map<String, Value>>(it).ok()) {
                let mut receipt = result;
                receipt.insert("replayed".into(), true.into());
                return Ok(Some(receipt.into()));
            }
            let is_old = age > settling::settles_after(connection);
            let is_last = has_ended || is_old || begun.elapsed() >= patience;
            if is_last || begun.elapsed() >= GRACE.min(patience) {
                // The provider may tell.
                match connection.settle(&repeat.call_id, is_old).await {
                    Some(true) => {
                        let mut receipt = settled(&self.target_of(&repeat.call_id).await?, &repeat.call_id, tool.makes_secret);
                        receipt["replayed"] = true.into();
                        return Ok(Some(receipt));
                    }
                    Some(false) if is_old => {
                        let call_id = repeat.call_id.as_str();
                        transaction!(self.db.recording(), CallError, tx => { Ok(tx.record_repeat(call_id, None).await?) })?;
                        return Ok(None);
                    }
                    None if has_ended || is_old => {
                        let target = self.target_of(&repeat.call_id).await?;
                        return Err(unknown(tool.name, target["name"].as_str().unwrap_or("its target"), &repeat.call_id, ""));
                    }
                    // It has not taken effect yet, and may still.
                    _ if is_last => return Err(in_progress(&key.key)),
                    _ => {}
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// The call that has the key, if there is one.
    async fn first(&self, key: &RepeatKey, call: &str) -> Result<Option<First>, StoreError> {
        let mut db = self.db.read().await?;
        let Some(repeat) = db.repeat(key).await? else { return Ok(None) };
        if repeat.result.is_some() || repeat.digest != *call {
            return Ok(Some(First { repeat, has_ended: true, age: Duration::ZERO }));
        }
        let has_ended = !db.outcomes(&[repeat.call_id.as_str()]).await?.is_empty();
        // Outcome and result are written together, perhaps since the first look. What has ended without a result was made in part, or
        // nobody knows.
        let repeat = if has_ended { db.repeat(key).await? } else { Some(repeat) };
        let Some(repeat) = repeat else { return Ok(None) };
        let now = db.now().await?;
        let age = Duration::from_millis((now.0 - repeat.created_at).max(0).unsigned_abs());
        Ok(Some(First { repeat, has_ended, age }))
    }

    /// What the call was about, as its intent says.
    async fn target_of(&self, call_id: &str) -> Result<Value, CallError> {
        let intent = async { self.db.read().await?.entries(call_id, EntryKind::Intent).await }.await.map_err(not_looked_up)?;
        Ok(intent.last().map(|it| it.body()["target"].take()).unwrap_or_default())
    }

    /// The job that was begun by a call with this key.
    pub(crate) async fn job_of_key(&self, key: &RepeatKey, call: &JobCall<'_>) -> Result<Option<JobRecord>, CallError> {
        let found = async {
            let mut db = self.db.read().await?;
            let Some(repeat) = db.repeat(key).await? else { return Ok(None) };
            Ok(Some((db.job_of_call(&repeat.call_id).await?, repeat.digest)))
        };
        match found.await.map_err(not_looked_up)? {
            Some((_, digest)) if digest != call.digest() => Err(CallError::KeyReused { key: key.key.clone() }),
            Some((job, _)) => Ok(job),
            None => Ok(None),
        }
    }
}

/// The call that has a key.
struct First {
    repeat: Repeat,
    /// Whether there is nothing to wait for.
    has_ended: bool,
    age: Duration,
}

/// Whether an earlier call with the key was made, nobody can say then.
fn not_looked_up(error: StoreError) -> CallError {
    CallError::StoreLost {
        what: "whether a call with this `idempotency_key` was made before could not be looked up",
        source: Box::new(error),
    }
}

pub(super) fn in_progress(key: &str) -> CallError {
    let message = format!("a call with `idempotency_key` `{key}` is under way");
    ProviderError::conflict("call_in_progress", message, "repeat the call in a moment to get its result").into()
}
