//! From a wish to a job: plan, question, store, worker, and what the call answers.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Engine, Wait,
    planned::{PlannedJob, PlannedRow},
    summary::Summary,
};
use crate::{
    catalog::Envelope,
    error::CallError,
    guard::{Begun, Caller, Given, JobCall, JobRequest, Verdict, job_unknown},
    store::{JobRecord, Lease, RepeatKey, Taken, new_id},
};

impl Engine {
    /// Begins a job, waits for it, and answers how far it has come.
    pub(super) async fn begin(
        self: &Arc<Self>,
        mut work: PlannedJob,
        envelope: Envelope,
        caller: &Caller,
        given: Given,
        wait: Wait,
    ) -> Result<Verdict, CallError> {
        let asked_at = self.clock.mark();
        let Envelope { dry_run, idempotency_key, .. } = envelope;
        let key = idempotency_key.filter(|_| !dry_run).map(|key| RepeatKey {
            principal: caller.principal.clone(),
            connection: work.connection.clone(),
            key,
        });
        if let Some(job) = self.begun_before(key.as_ref(), &work, caller).await? {
            return self.replay(&job, wait).await;
        }
        let plans = match self.plan(&mut work, caller).await {
            Ok(plans) => plans,
            // Another call with the key may have been faster: this one has come upon what it did.
            Err(error) => match self.begun_before(key.as_ref(), &work, caller).await? {
                Some(job) => return self.replay(&job, wait).await,
                None => return Err(error),
            },
        };
        self.guard.hold_to_rails(&work.tool, work.bearings())?;
        work.name_what_stays();
        let summary = Summary::of(&work);
        let lease = Lease::first(&new_id("job"), &self.owner, &self.clock);
        let request = JobRequest {
            tool: &work.tool,
            connection: &work.connection,
            on: &summary.on,
            caller,
            arguments: &work.arguments,
            plan: &summary.plan,
            version: summary.version,
            needs_consent: summary.needs_consent,
            dry_run,
            key: key.clone(),
            asked_at,
            job: new_job(&work, caller, &lease, &summary.plan.target),
            rows: &|at| work.rows.get(at).map(PlannedRow::stored),
        };
        let job = match self.guard.begin_job(request, given).await {
            Ok(Begun::Job(job)) => job,
            Ok(Begun::Verdict(verdict)) => return Ok(verdict),
            Err(error @ CallError::OutcomeUnknown { .. }) => return Err(error),
            Err(error) => match self.begun_before(key.as_ref(), &work, caller).await? {
                Some(job) => return self.replay(&job, wait).await,
                None => return Err(error),
            },
        };
        drop(work);
        self.work(job.clone(), Taken::first(lease), plans);
        self.wait(&job.id, wait).await;
        Ok(Verdict::Done(self.so_far(&job).await?))
    }

    /// The job that another call with this key has begun.
    async fn begun_before(&self, key: Option<&RepeatKey>, work: &PlannedJob, caller: &Caller) -> Result<Option<JobRecord>, CallError> {
        let Some(key) = key else { return Ok(None) };
        let call = JobCall { tool: &work.tool, connection: &work.connection, caller, arguments: &work.arguments };
        self.guard.job_of_key(key, &call).await
    }

    /// Waits for a job that another call with the same key has begun, and answers as that one did.
    async fn replay(&self, job: &JobRecord, wait: Wait) -> Result<Verdict, CallError> {
        self.wait(&job.id, wait).await;
        let mut report = self.so_far(job).await?;
        report["replayed"] = true.into();
        Ok(Verdict::Done(report))
    }

    /// How far a job has come that this call has begun, or one before it. That nobody can say so does not end it.
    async fn so_far(&self, job: &JobRecord) -> Result<Value, CallError> {
        self.report(job).await.map_err(|error| {
            tracing::error!(%error, job = %job.id, "a job that has begun cannot be told about");
            job_unknown(job)
        })
    }

    /// Waits until a job has ended, nobody here works on it any more, or the time is over; tells the watcher meanwhile.
    pub(super) async fn wait(&self, job: &str, wait: Wait) {
        let Some(mut progress) = self.watched().get(job) else { return };
        let Wait { at_most, watcher } = wait;
        let watching = async move {
            loop {
                let now = progress.borrow_and_update().clone();
                let has_ended = now.has_ended();
                if let Some(watcher) = &watcher {
                    watcher.send_replace(now);
                }
                if has_ended || progress.changed().await.is_err() {
                    return;
                }
            }
        };
        match at_most {
            Some(time) => drop(tokio::time::timeout(time, watching).await),
            None => watching.await,
        }
    }
}

fn new_job(work: &PlannedJob, caller: &Caller, lease: &Lease, target: &crate::domain::Target) -> JobRecord {
    JobRecord {
        id: lease.job.clone(),
        call_id: String::new(),
        tool: work.tool.name.to_owned(),
        connection: work.connection.clone(),
        principal: caller.principal.clone(),
        client: caller.client.clone(),
        target: super::planned::text(target).unwrap_or_default(),
        in_order: work.in_order,
        stop_on_failure: work.stop_on_failure,
        total: i64::try_from(work.rows.len()).unwrap_or(i64::MAX),
        status: "running".to_owned(),
        cancel: false,
        lease_owner: lease.owner.clone(),
        // The store knows the time.
        lease_until: 0,
        fence: lease.fence,
        created_at: 0,
        ended_at: None,
        notes: if work.notes.is_empty() { None } else { super::planned::text(&work.notes) },
    }
}
