//! `undo`: the calls that take back what a call or a job has done, last things first, as a job of their own.

use serde_json::{Value, json};

use super::{
    Engine, is_theirs,
    planned::{PlannedJob, PlannedRow, Route, Stage},
};
use crate::{
    domain::{Inverse, ReferenceText as _},
    error::{CallError, ProviderError},
    guard::Caller,
    providers::{self, builtin},
    store::{EntryKind, JobRecord, LedgerRow},
    tools::{Tool, jobs::Undo},
};

/// What was done, and how it is taken back.
struct Deed {
    connection: String,
    what: String,
    inverse: Vec<Inverse>,
}

impl Engine {
    pub(super) async fn undoing(&self, tool: &Tool, caller: &Caller, op: &Undo) -> Result<PlannedJob, CallError> {
        let deeds = match (&op.call_id, &op.job) {
            (None, Some(job)) => self.deeds_of_job(&self.job(job.text(), caller).await?).await?,
            (Some(call_id), None) => self.deeds_of_call(call_id, caller).await?,
            _ => return Err(ProviderError::invalid("give either `call_id` or `job`", "see list_activity or list_jobs").into()),
        };
        if deeds.is_empty() {
            return Err(ProviderError::conflict("nothing_done", "nothing was done that could be taken back", "leave it").into());
        }
        let (can, cannot): (Vec<Deed>, Vec<Deed>) = deeds.into_iter().partition(|it| !it.inverse.is_empty());
        let stays: Vec<&str> = cannot.iter().map(|it| it.what.as_str()).collect();
        if can.is_empty() {
            let message = format!("this cannot be taken back: {}", stays.join(", "));
            return Err(ProviderError::conflict("cannot_undo", message, "see what can be done by hand").into());
        }
        let mut rows = Vec::new();
        for deed in can {
            // Of the calls that take one change back, a later one may need what the first has made.
            for (at, inverse) in deed.inverse.into_iter().enumerate() {
                rows.push(self.taking_back(&deed.connection, inverse, rows.len() + 1, at > 0));
            }
        }
        Ok(PlannedJob {
            tool: tool.clone(),
            connection: builtin::NAME.to_owned(),
            arguments: providers::json(op)?,
            in_order: true,
            stop_on_failure: false,
            all_or_nothing: false,
            rows,
            notes: if stays.is_empty() { Vec::new() } else { vec![format!("stays as it is: {}", stays.join(", "))] },
        })
    }

    fn taking_back(&self, connection: &str, inverse: Inverse, number: usize, follows: bool) -> PlannedRow {
        let Inverse { tool, arguments } = inverse;
        let arguments = if let Value::Object(fields) = arguments { fields } else { serde_json::Map::new() };
        let route = self.catalog.offer(&tool).and_then(|offer| {
            let connection = offer.connection(Some(connection))?;
            Ok(Route { tool: offer.tool.clone(), connection: connection.clone() })
        });
        let stage = match route {
            Ok(route) => Stage::Open(route),
            Err(error) => Stage::Ended { state: "failed", reason: super::apply::told(&error) },
        };
        PlannedRow { name: number.to_string(), connection: connection.to_owned(), tool, arguments, stage, follows, target: None }
    }

    /// What a job's rows have done, last first.
    async fn deeds_of_job(&self, job: &JobRecord) -> Result<Vec<Deed>, CallError> {
        if job.status == "running" {
            let message = format!("job `{}` still works", job.id);
            return Err(ProviderError::conflict("still_running", message, "cancel it with cancel_job, or wait for its end").into());
        }
        let (mut deeds, mut after) = (Vec::new(), -1);
        loop {
            let rows = self.db.read().await?.job_rows(&job.id, after, Some("done"), 200).await?;
            let Some(last) = rows.last() else { break };
            after = last.idx;
            deeds.extend(rows.iter().map(|row| {
                let target: Value = row.target.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
                Deed {
                    connection: row.connection.clone(),
                    what: what(&row.tool, &target),
                    inverse: row.inverse.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default(),
                }
            }));
        }
        deeds.reverse();
        Ok(deeds)
    }

    /// What a single call has done.
    async fn deeds_of_call(&self, call_id: &str, caller: &Caller) -> Result<Vec<Deed>, CallError> {
        let mut db = self.db.read().await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let intent = db.entries(call_id, EntryKind::Intent).await?.pop().map(|it| it.body());
        let Some(intent) = intent.filter(|it| is_theirs(&text(&it["principal"]), caller)) else {
            let (kind, name, scope) = ("call", crate::shape::cut(call_id, 80), String::new());
            return Err(ProviderError::NotFound { kind, name, scope, fix: "see list_activity".into() }.into());
        };
        if let Some(job) = db.job_of_call(call_id).await? {
            drop(db);
            return self.deeds_of_job(&job).await;
        }
        let outcome = db.entries(call_id, EntryKind::Outcome).await?.last().map(LedgerRow::body).unwrap_or_default();
        if outcome["outcome"] != json!("done") {
            return Ok(Vec::new());
        }
        Ok(vec![Deed {
            connection: text(&intent["connection"]),
            what: what(&text(&intent["tool"]), &outcome["target"]),
            inverse: serde_json::from_value(outcome["inverse"].clone()).unwrap_or_default(),
        }])
    }
}

fn what(tool: &str, target: &Value) -> String {
    format!("{tool} {}", target["name"].as_str().unwrap_or_default())
}
