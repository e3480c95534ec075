//! `get_job`, `list_jobs`, `cancel_job`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Engine, Wait, report};
use crate::{
    domain::{Cursor, List, PageRequest, ReferenceText as _, jobs::JobRows},
    error::{CallError, ProviderError},
    guard::{Caller, job_unknown},
    providers::json,
    store::JobRecord,
    tools::jobs::{CancelJob, GetJob, ListJobs},
};

/// How long a cancelling call waits for the rows that are being sent.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

impl Engine {
    pub(super) async fn get(&self, caller: &Caller, op: &GetJob) -> Result<Value, CallError> {
        let job = self.job(op.job.text(), caller).await?;
        let page = PageRequest::of(op.limit, op.cursor.as_ref());
        let mut db = self.db.read().await?;
        let tally = db.tally(&job.id).await?;
        let mut after = page.cursor.as_ref().map_or(Ok(-1), |it| row_of(it).ok_or_else(not_a_cursor))?;
        let mut rows = Vec::new();
        // A row that is being sent has no outcome yet, and so two states are one outcome.
        while rows.len() <= page.limit {
            let found = db.job_rows(&job.id, after, None, 200).await?;
            let Some(last) = found.last() else { break };
            after = last.idx;
            rows.extend(found.into_iter().filter(|it| op.outcome.is_none_or(|outcome| report::item(it).outcome == outcome)));
        }
        let rows = List::cut(rows, page.limit, |it| it.idx.to_string()).map(|it| report::item(&it));
        let now = db.now().await?;
        Ok(json(&JobRows { job: report::view(&job, &tally, now), rows })?)
    }

    pub(super) async fn list(&self, caller: &Caller, op: &ListJobs) -> Result<Value, CallError> {
        let page = PageRequest::of(op.limit, op.cursor.as_ref());
        let before = page.cursor.as_ref().map_or(Ok((i64::MAX, String::new())), |it| place_of(it).ok_or_else(not_a_cursor))?;
        let principal = Some(caller.principal.as_str()).filter(|_| !caller.is_local());
        let status = op.status.map(crate::domain::jobs::JobState::name);
        let mut db = self.db.read().await?;
        let limit = i64::try_from(page.limit + 1).unwrap_or(i64::MAX);
        let jobs = db.jobs_before((before.0, &before.1), principal, status, limit).await?;
        let now = db.now().await?;
        let page = List::cut(jobs, page.limit, |it| format!("{}:{}", it.created_at, it.id));
        let mut items = Vec::new();
        for it in page.items {
            items.push(report::view(&it, &db.tally(&it.id).await?, now));
        }
        let List { shown, has_more, next_cursor, total, .. } = page;
        Ok(json(&List { items, shown, has_more, next_cursor, total })?)
    }

    pub(super) async fn cancelling(
        self: &Arc<Self>,
        caller: &Caller,
        op: &CancelJob,
        dry_run: bool,
        wait: Wait,
    ) -> Result<Value, CallError> {
        let job = self.job(op.job.text(), caller).await?;
        if job.status != "running" {
            let message = format!("job `{}` has ended: {}", job.id, job.status);
            return Err(ProviderError::conflict("already_ended", message, "to take back what it did, use undo").into());
        }
        let target = json!({ "kind": "job", "name": job.id });
        if dry_run {
            return Ok(json!({ "status": "dry_run", "target": target, "needs_consent": false }));
        }
        self.cancel(&job).await?;
        self.wait(&job.id, Wait { at_most: Some(PATIENCE), ..wait }).await;
        let after = self.after_cancelling(&job).await.map_err(|error| {
            tracing::error!(%error, job = %job.id, "a job that was cancelled cannot be told about");
            job_unknown(&job)
        })?;
        Ok(json!({ "status": "done", "target": target, "after": after }))
    }

    async fn after_cancelling(&self, job: &JobRecord) -> Result<Value, CallError> {
        let mut db = self.db.read().await?;
        let now = db.job(&job.id).await?.unwrap_or_else(|| job.clone());
        let (tally, time) = (db.tally(&now.id).await?, db.now().await?);
        Ok(json(&report::view(&now, &tally, time))?)
    }
}

fn row_of(cursor: &Cursor) -> Option<i64> {
    cursor.key()?.parse().ok()
}

fn place_of(cursor: &Cursor) -> Option<(i64, String)> {
    let text = cursor.key()?;
    let (at, id) = text.split_once(':')?;
    Some((at.parse().ok()?, id.to_owned()))
}

fn not_a_cursor() -> CallError {
    ProviderError::invalid("this is not a cursor of this tool", "leave `cursor` out for the first page").into()
}
