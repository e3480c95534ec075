//! Rows that were being sent when their worker died: whether they took effect is found out, never tried.

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::{Value, json};

use super::{
    apply,
    draft::Call,
    plan,
    row::change,
    worker::{Broken, Worker},
};
use crate::{
    error::{CallError, ProviderError},
    guard::{LookedBack, Step},
    store::{JobRow, RowChange},
    tools::Effect,
};

/// How many rows are looked into at the same time.
const AT_ONCE: usize = 8;

/// What became of a row that was being sent.
enum Found {
    /// It took effect.
    Done {
        receipt: Option<Value>,
        reason: &'static str,
    },
    /// It did not, and will not.
    NotMade,
    Unknown {
        reason: String,
    },
}

impl Worker {
    /// Settles all rows that were being sent.
    pub(super) async fn settle_all(&self) -> Result<(), Broken> {
        loop {
            let rows = self.rows_after(-1, "sending", 200).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut settling = FuturesUnordered::new();
            for row in rows {
                if settling.len() == AT_ONCE {
                    settling.next().await.transpose()?;
                }
                settling.push(self.settle(row));
            }
            while settling.next().await.transpose()?.is_some() {}
        }
    }

    async fn settle(&self, row: JobRow) -> Result<(), Broken> {
        let call_id = row.call_id.clone().unwrap_or_default();
        let (call, arguments) = match self.call(&row).await? {
            Ok(it) => it,
            Err(reason) => {
                self.ended(row.idx, change("unknown", Some(reason)), None).await?;
                return Ok(());
            }
        };
        let found = match call.connection.settle(&call_id, true).await {
            Some(true) => Found::Done { receipt: None, reason: "it had taken effect when its process ended" },
            Some(false) => Found::NotMade,
            None => {
                // What was read for another row may be from before this one took effect.
                let scope = plan::scope(&call.connection);
                let planned = self.engine.plan_one(&call, &scope, arguments.clone(), &self.caller).await;
                self.look(planned, &call, &arguments.into(), &call_id).await
            }
        };
        let (change, outcome) = match found {
            Found::Done { receipt, reason } => {
                let target = row.target.as_deref().and_then(|it| serde_json::from_str::<Value>(it).ok()).unwrap_or_default();
                let receipt = receipt.unwrap_or_else(|| json!({ "status": "done", "target": target, "call_id": call_id }));
                let change = RowChange {
                    state: "done",
                    reason: Some(reason.to_owned()),
                    receipt: Some(receipt.to_string()),
                    ..RowChange::default()
                };
                (change, json!({ "outcome": "done", "settled": true }))
            }
            Found::NotMade => {
                let outcome =
                    json!({ "outcome": "failed", "settled": true, "reason": "its process ended before it was made; it is made anew" });
                self.log.note(row.idx, change("pending", None), Some((call_id, outcome))).await?;
                return Ok(());
            }
            Found::Unknown { reason } => {
                let outcome = json!({ "outcome": "outcome_unknown", "reason": reason });
                (change("unknown", Some(reason)), outcome)
            }
        };
        self.ended(row.idx, change, Some((call_id, outcome))).await?;
        Ok(())
    }

    /// What planning the same call again, and reading back, say about it.
    async fn look(&self, planned: Result<Step, CallError>, call: &Call, arguments: &Value, call_id: &str) -> Found {
        let step = match planned {
            Ok(step) => step,
            Err(error) if plan::is_so_already(&error) => return Found::Done { receipt: None, reason: "it is so already" },
            // What is to be taken away was there when it was planned.
            Err(CallError::Provider(ProviderError::NotFound { .. })) if call.tool.effect == Effect::Destroy => {
                return Found::Done { receipt: None, reason: "it is gone" };
            }
            Err(error) => return Found::Unknown { reason: format!("whether it took effect is not known: {}", apply::told(&error)) },
        };
        let target = step.plan().target.name.clone();
        match step.look_back(&self.step_call(call, arguments), call_id).await {
            LookedBack::Made(ended) => {
                let receipt = ended.result.ok();
                Found::Done { receipt, reason: "it had taken effect when its process ended" }
            }
            LookedBack::NotMade => Found::NotMade,
            LookedBack::Unknown => {
                Found::Unknown { reason: format!("whether it took effect is not known; look at `{target}` with a read") }
            }
        }
    }
}
