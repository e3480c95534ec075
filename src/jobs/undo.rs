//! `undo`: the calls that take back what a call or a job has done, last things first, as a job of their own.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    Engine, is_theirs,
    planned::{PlannedJob, PlannedRow},
};
use crate::{
    domain::{Inverse, ReferenceText as _, Target},
    error::{CallError, ProviderError},
    guard::Caller,
    providers::{self, builtin},
    store::{CallPage, EntryKind, JobRecord, LedgerRow},
    tools::{Operation as _, Tool, jobs::Undo},
};

/// What was done, and how it is taken back.
struct Deed {
    connection: String,
    what: String,
    inverse: Vec<Inverse>,
    /// What it left without what it belonged to: to bring somebody back gives them no key back.
    left: Vec<String>,
}

/// A call or a job that is to be taken back.
struct Undone {
    /// As questions and receipts name it; its id is that of the call or job.
    target: Target,
    /// Last things first.
    deeds: Vec<Deed>,
}

/// How many calls are read at once where the last change is looked for, and how many pages of them.
const AT_ONCE: i64 = 100;
const PAGES: usize = 20;

impl Engine {
    pub(super) async fn undoing(&self, tool: &Tool, caller: &Caller, op: &Undo) -> Result<PlannedJob, CallError> {
        let last = op.last == Some(true);
        let mut notes = Vec::new();
        let Undone { target, deeds } = match (&op.call_id, &op.job) {
            (None, Some(job)) if !last => self.job_undone(&self.job(job.text(), caller).await?).await?,
            (Some(call_id), None) if !last => self.call_undone(call_id, caller).await?,
            (None, None) if last => {
                let (undone, since) = self.last(caller).await?;
                if !since.is_empty() {
                    notes.push(format!("later changes cannot be taken back and stay: {}", since.join(", ")));
                }
                undone
            }
            _ => {
                let fix = "see list_activity or list_jobs; `last` takes your last change";
                return Err(ProviderError::invalid("give one of `call_id`, `job` and `last`", fix).into());
            }
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
        let (mut rows, mut left) = (Vec::new(), Vec::new());
        for deed in can {
            left.extend(deed.left);
            // Of the calls that take one change back, a later one may need what the first has made.
            for (at, inverse) in deed.inverse.into_iter().enumerate() {
                rows.push(self.taking_back(&deed.connection, inverse, rows.len() + 1, at > 0));
            }
        }
        if !stays.is_empty() {
            notes.push(format!("stays as it is: {}", stays.join(", ")));
        }
        if !left.is_empty() {
            notes.push(format!("may stay without an owner, since nothing gives it back: {}", left.join(", ")));
        }
        let job = PlannedJob::new(tool, builtin::NAME, providers::json(op)?, rows);
        Ok(PlannedJob { in_order: true, notes, subject: Some(target), ..job })
    }

    /// The last change of the caller's that was made, was not taken back since and can be, at least in part; and what they have done
    /// since and cannot take back.
    async fn last(&self, caller: &Caller) -> Result<(Undone, Vec<String>), CallError> {
        let (mut before, mut undone, mut since) = (i64::MAX, HashSet::new(), Vec::new());
        for _ in 0..PAGES {
            let page = CallPage {
                before,
                since: None,
                until: None,
                job: None,
                tool: None,
                principal: Some(&caller.principal),
                outcome: None,
                word: None,
                rows: AT_ONCE,
            };
            let calls = self.db.read().await?.calls(&page).await?;
            let Some(oldest) = calls.last() else { break };
            before = oldest.seq;
            for call in calls.iter().filter(|it| it.entry == "intent") {
                let intent = call.body();
                // The calls of a job are taken back with it.
                if intent["principal"] != caller.principal || intent["job"].is_string() {
                    continue;
                }
                let job = self.db.read().await?.job_of_call(&call.call_id).await?;
                let id = job.as_ref().map_or(call.call_id.as_str(), |it| it.id.as_str());
                // An undo that was itself undone has taken nothing back.
                if undone.contains(id) {
                    continue;
                }
                if intent["tool"] == Undo::NAME {
                    undone.extend(self.taken_back_by(job.as_ref()).await?);
                    continue;
                }
                let found = match &job {
                    Some(job) => self.job_undone(job).await?,
                    None => self.call_undone(&call.call_id, caller).await?,
                };
                if found.deeds.iter().any(|it| !it.inverse.is_empty()) {
                    return Ok((found, since));
                }
                since.extend(found.deeds.into_iter().map(|it| it.what));
            }
        }
        let message = match since.as_slice() {
            [] => "nothing that you have changed is left to take back".to_owned(),
            all => format!("nothing that you have changed can be taken back: {}", all.join(", ")),
        };
        Err(ProviderError::conflict("nothing_done", message, "see list_activity for what was done").into())
    }

    /// What an earlier undo has taken back, at least in part.
    async fn taken_back_by(&self, undo: Option<&JobRecord>) -> Result<Option<String>, CallError> {
        let Some(undo) = undo else { return Ok(None) };
        let made = self.db.read().await?.tally(&undo.id).await?.get("done").copied().unwrap_or_default();
        let target: Option<Target> = serde_json::from_str(&undo.target).ok();
        Ok(target.and_then(|it| it.id).filter(|_| made > 0))
    }

    fn taking_back(&self, connection: &str, inverse: Inverse, number: usize, follows: bool) -> PlannedRow {
        let Inverse { tool, arguments } = inverse;
        PlannedRow { follows, ..self.row(number.to_string(), connection, &tool, arguments) }
    }

    /// What a job's rows have done, last first.
    async fn job_undone(&self, job: &JobRecord) -> Result<Undone, CallError> {
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
                let read =
                    |text: &Option<String>| -> Value { text.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default() };
                let (target, told) = (read(&row.target), read(&row.told));
                Deed {
                    left: left(&told["impact"]),
                    connection: row.connection.clone(),
                    what: what(&row.tool, &target),
                    inverse: row.inverse.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default(),
                }
            }));
        }
        deeds.reverse();
        let of: Value = serde_json::from_str(&job.target).unwrap_or_default();
        Ok(Undone { target: undone("job", what(&job.tool, &of), &job.id), deeds })
    }

    /// What a single call has done.
    async fn call_undone(&self, call_id: &str, caller: &Caller) -> Result<Undone, CallError> {
        let mut db = self.db.read().await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let intent = db.entries(call_id, EntryKind::Intent).await?.pop().map(|it| it.body());
        let Some(intent) = intent.filter(|it| is_theirs(&text(&it["principal"]), caller)) else {
            let (kind, name, scope) = ("call", crate::shape::cut(call_id, 80), String::new());
            return Err(ProviderError::NotFound { kind, name, scope, fix: "see list_activity".into() }.into());
        };
        if let Some(job) = db.job_of_call(call_id).await? {
            drop(db);
            return self.job_undone(&job).await;
        }
        let outcome = db.entries(call_id, EntryKind::Outcome).await?.last().map(LedgerRow::body).unwrap_or_default();
        let what = what(&text(&intent["tool"]), &intent["target"]);
        let target = undone("call", what.clone(), call_id);
        if outcome["outcome"] != json!("done") {
            return Ok(Undone { target, deeds: Vec::new() });
        }
        let inverse = serde_json::from_value(outcome["inverse"].clone()).unwrap_or_default();
        let left = left(&intent["impact"]);
        Ok(Undone { target, deeds: vec![Deed { connection: text(&intent["connection"]), what, inverse, left }] })
    }
}

/// What an impact says is left without an owner, by name.
fn left(impact: &Value) -> Vec<String> {
    let losses = impact["losses"].as_array().into_iter().flatten();
    let orphans = losses.filter(|it| it["what"].as_str().is_some_and(|it| it.contains("left without")));
    let names = orphans.flat_map(|it| it["examples"].as_array().cloned().unwrap_or_default());
    names.filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

fn undone(kind: &str, what: String, id: &str) -> Target {
    Target { kind: kind.to_owned(), name: what, id: Some(id.to_owned()), within: None, organization: None }
}

fn what(tool: &str, target: &Value) -> String {
    format!("{tool} {}", target["name"].as_str().unwrap_or_default())
}
