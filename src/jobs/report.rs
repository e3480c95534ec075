//! What is told about a job: the answer of the call that began it, and what anybody asks later.

use serde_json::{Value, json};

use super::Engine;
use crate::{
    domain::{
        Target, Timestamp,
        jobs::{self, JobState, StepItem},
        members::{Batch, BatchItem, Counts, ItemOutcome},
    },
    error::CallError,
    providers,
    store::{JobRecord, JobRow, Tally},
    tools::{Operation as _, project_members::AddProjectMembers},
};

/// Up to how many rows an answer tells of each.
const MAX_ITEMS: usize = 100;

impl Engine {
    /// What the call that began the job would answer now.
    pub(super) async fn report(&self, job: &JobRecord) -> Result<Value, CallError> {
        let mut db = self.db.read().await?;
        // It may have ended since.
        let job = db.job(&job.id).await?.unwrap_or_else(|| job.clone());
        let tally = db.tally(&job.id).await?;
        let counts = counts(&tally);
        let (mut rows, mut after, total) = (Vec::new(), -1, job.total.unsigned_abs());
        let all = total <= MAX_ITEMS as u64;
        while rows.len() < MAX_ITEMS {
            let page = db.job_rows(&job.id, after, None, 200).await?;
            let Some(last) = page.last() else { break };
            after = last.idx;
            rows.extend(page.into_iter().filter(|it| all || matches!(it.state.as_str(), "differs" | "failed" | "unknown" | "refused")));
        }
        drop(db);
        rows.truncate(MAX_ITEMS);
        let more = total - rows.len() as u64;
        let notes: Vec<String> = job.notes.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
        let after = if job.tool == AddProjectMembers::NAME {
            providers::json(&Batch { counts, items: rows.iter().map(person).collect(), more, notes })?
        } else {
            providers::json(&Batch { counts, items: rows.iter().map(item).collect(), more, notes })?
        };
        let status = if job.status == JobState::Done.name() { counts.outcome() } else { &job.status };
        let mut report = json!({ "status": status, "target": target(&job), "after": after });
        if counts.done > 0 {
            report["undo"] = format!("undo with job `{}`", job.id).into();
        }
        report["job"] = job.id.as_str().into();
        report["call_id"] = job.call_id.as_str().into();
        Ok(report)
    }
}

fn target(job: &JobRecord) -> Value {
    serde_json::from_str(&job.target).unwrap_or_default()
}

/// A job as lists show it at this time of the store's.
pub(super) fn view(job: &JobRecord, tally: &Tally, now: Timestamp) -> jobs::Job {
    let status = JobState::of(&job.status);
    jobs::Job {
        job: job.id.clone(),
        tool: job.tool.clone(),
        status,
        interrupted: status == JobState::Running && job.lease_until < now.0,
        target: target(job)["name"].as_str().unwrap_or_default().to_owned(),
        on: job.connection.clone(),
        principal: job.principal.clone(),
        total: job.total.unsigned_abs(),
        counts: counts(tally),
        created_at: Timestamp(job.created_at),
        ended_at: job.ended_at.map(Timestamp),
    }
}

pub(super) fn counts(tally: &Tally) -> Counts {
    let count = |state: &str| tally.get(state).copied().unwrap_or_default();
    Counts {
        done: count("done"),
        skipped: count("skipped"),
        differs: count("differs"),
        failed: count("failed"),
        unknown: count("unknown"),
        refused: count("refused"),
        cancelled: count("cancelled"),
        pending: count("pending") + count("sending"),
    }
}

/// A row of `add_project_members`.
fn person(row: &JobRow) -> BatchItem {
    let texts = RowTexts::of(row);
    let text = |name: &str| texts.arguments[name].as_str().unwrap_or_default().to_owned();
    let outcome = ItemOutcome::of(&row.state);
    let of_row = matches!(outcome, ItemOutcome::Differs | ItemOutcome::Failed | ItemOutcome::Unknown | ItemOutcome::Refused);
    let named = texts.target.as_ref().map(|it| it.name.clone()).or_else(|| Some(text("member")).filter(|it| !it.is_empty()));
    BatchItem {
        member: named.unwrap_or_else(|| format!("row {}", row.name)),
        project: text("project"),
        roles: texts.roles(),
        outcome,
        reason: row.reason.as_ref().map(|it| if of_row { format!("row {}: {it}", row.name) } else { it.clone() }),
    }
}

/// A row of any other job.
pub(super) fn item(row: &JobRow) -> StepItem {
    let texts = RowTexts::of(row);
    let receipt: Value = row.receipt.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let id = receipt["after"]["id"].as_str().or_else(|| receipt["target"]["id"].as_str());
    StepItem {
        step: row.name.clone(),
        tool: row.tool.clone(),
        on: row.connection.clone(),
        target: texts.target.as_ref().map(|it| format!("{} {}", it.kind.replace('_', " "), it.name)),
        outcome: ItemOutcome::of(&row.state),
        reason: row.reason.clone(),
        id: id.map(str::to_owned),
        secret: receipt["secret"]["handed_to"].as_str().map(str::to_owned),
        call_id: row.call_id.clone(),
    }
}

/// A row's texts, read.
pub(super) struct RowTexts {
    pub(super) arguments: Value,
    pub(super) target: Option<Target>,
}

impl RowTexts {
    pub(super) fn of(row: &JobRow) -> Self {
        Self {
            arguments: serde_json::from_str(&row.arguments).unwrap_or_default(),
            target: row.target.as_deref().and_then(|it| serde_json::from_str(it).ok()),
        }
    }

    pub(super) fn roles(&self) -> Vec<String> {
        self.arguments["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}
