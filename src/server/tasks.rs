//! Jobs as tasks, for clients that know the extension: one that takes its time is asked after instead of waited for.
//!
//! A task is a job and who may ask for it, sealed: nothing is kept of it but the job itself, so that it is the same on another
//! connection, in another process, and after a restart.

use rmcp::{
    ErrorData, RoleServer,
    model::{CreateTaskResult, DetailedTask, GetTaskResult, SealOptions, Task, TaskPayload, TaskStatus},
    service::RequestContext,
};
use serde_json::Value;

use super::{Server, caller, internal, stamp, success};
use crate::{
    domain::{
        Timestamp,
        jobs::{Job, JobState},
    },
    error::CallError,
    guard::Caller,
};

/// How often a client may ask.
const POLL_MS: u64 = 1000;

impl Server {
    /// The answer to a call whose job goes on.
    pub(super) async fn task(&self, job: &str, cx: &RequestContext<RoleServer>) -> Result<CreateTaskResult, ErrorData> {
        let caller = caller(cx, false);
        let found = self.app().jobs().look(job, &caller).await.map_err(|error| unseen(&error))?;
        let id = self.codec().await?.seal_with(job.as_bytes(), &SealOptions::new().associated_data(context(&caller).as_bytes()));
        let task = CreateTaskResult::new(task(id, &found));
        Ok(match stamp(cx) {
            Some(meta) => task.with_meta(meta),
            None => task,
        })
    }

    pub(super) async fn task_now(&self, id: String, cx: &RequestContext<RoleServer>) -> Result<GetTaskResult, ErrorData> {
        let (job, caller) = self.job_of(&id, cx).await?;
        let payload = match job.status {
            JobState::Running => TaskPayload::Working,
            JobState::Cancelled => TaskPayload::Cancelled,
            // What failed is told row by row, in the result.
            JobState::Done | JobState::Stopped => {
                let report = self.app().report(&job, &caller).await.map_err(|error| unseen(&error))?;
                match serde_json::to_value(success(report, cx)) {
                    Ok(Value::Object(result)) => TaskPayload::Completed { result },
                    _ => return Err(internal()),
                }
            }
        };
        let mut found = GetTaskResult::new(DetailedTask::new(task(id, &job), payload));
        found.meta = stamp(cx);
        Ok(found)
    }

    pub(super) async fn cancel(&self, id: &str, cx: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let (job, caller) = self.job_of(id, cx).await?;
        self.app().jobs().cancel(&job.job, &caller).await.map_err(|error| unseen(&error))
    }

    /// The job of a task, where it is a task of this caller's.
    pub(super) async fn job_of(&self, id: &str, cx: &RequestContext<RoleServer>) -> Result<(Job, Caller), ErrorData> {
        let caller = caller(cx, false);
        let opened = self.codec().await?.open_with(id, context(&caller).as_bytes());
        let job = opened.ok().and_then(|it| String::from_utf8(it).ok()).ok_or_else(no_such_task)?;
        let job = self.app().jobs().look(&job, &caller).await.map_err(|error| unseen(&error))?;
        Ok((job, caller))
    }
}

fn context(caller: &Caller) -> String {
    format!("rolecall task 1\n{}", caller.principal)
}

fn task(id: String, job: &Job) -> Task {
    let ended = job.total - job.counts.pending;
    let changed = job.ended_at.unwrap_or_else(Timestamp::now);
    Task::new(id, TaskStatus::Working, job.created_at.to_string(), changed.to_string())
        .with_poll_interval_ms(POLL_MS)
        .with_status_message(format!("{ended} of {} done; job {}, see get_job", job.total, job.job))
}

fn no_such_task() -> ErrorData {
    ErrorData::invalid_params("there is no such task; see list_jobs", None)
}

fn unseen(error: &CallError) -> ErrorData {
    match error {
        CallError::Provider(_) => no_such_task(),
        _ => internal(),
    }
}
