//! Jobs: work of many calls, planned as a whole, agreed to once, and made in the background, whatever happens meanwhile.
//!
//! A job is a list of rows in the store, each a call of a changing tool. The guard plans and weighs each row as if it were
//! called alone, and puts one question for all. Then a worker in this process makes them: it holds the job by a lease that it
//! renews, records each row's intent before it is sent and its outcome after, and ends when another worker takes its place.
//! A job whose process died goes on in the next one that looks: what was being sent then is settled by looking, not by
//! sending again.
//!
//! What others build on:
//! - [`Wait`] says how long a call waits for its job; [`Wait::watched_by`] hands out [`Progress`] meanwhile.
//! - [`Jobs::watch`] is the progress of a job that this process works on, [`Jobs::progress`] that of any job in the store.
//! - [`Jobs::report`] is what the call that began the job would answer now: the same for whoever asks later, or elsewhere.
//! - [`Jobs::cancel`], [`Jobs::resume`], [`Jobs::keep_going`], [`Jobs::stop`].

mod add;
mod apply;
mod begin;
mod calls;
mod copy_access;
mod copy_project;
mod each;
mod invite;
mod offboard;
mod people;
mod plan;
mod planned;
mod progress;
mod queries;
mod references;
mod report;
mod row;
mod settle;
mod summary;
mod table;
mod undo;
mod watched;
mod worker;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use progress::{Progress, Wait};
pub(crate) use table::defused;
use watched::Watched;
pub use worker::{Halt, Moment};

use crate::{
    catalog::{Catalog, Envelope},
    error::{CallError, ProviderError},
    guard::{self, Account, Caller, Given, Guard, Verdict},
    providers::Connection,
    store::{Clock, Db, JobRecord, StoreError, Taken, transaction},
    tools::{
        Operation as _, Tool, decode,
        jobs::{ApplyChanges, CancelJob, GetJob, ListJobs, Undo},
        members::{CopyAccess, InvitePeople, OffboardPerson},
        project_members::AddProjectMembers,
        projects::CopyProject,
    },
};

/// How often a server looks for jobs that nobody works on.
const ROUND: Duration = Duration::from_secs(5);
/// How long rows that are being sent may take when the process is asked to end.
const GRACE: Duration = Duration::from_secs(5);

/// The jobs of this program. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Jobs(Arc<Engine>);

/// What jobs are made with.
struct Engine {
    db: Db,
    catalog: Arc<Catalog>,
    guard: Arc<Guard>,
    /// This process, among those that work on jobs of the same store.
    owner: String,
    /// The jobs that this process works on.
    watched: Mutex<Watched>,
    workers: TaskTracker,
    stopping: CancellationToken,
    halt: Mutex<Option<Halt>>,
    /// See [`Jobs::arrives_within`].
    arrived_after: Mutex<Option<Duration>>,
    clock: Clock,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").field("owner", &self.0.owner).finish_non_exhaustive()
    }
}

impl Jobs {
    pub(crate) fn new(db: Db, catalog: Arc<Catalog>, guard: Arc<Guard>) -> Self {
        let owner = format!("{}-{}", std::process::id(), uuid::Uuid::new_v4().simple());
        let watched = Mutex::default();
        let (workers, stopping, halt) = (TaskTracker::new(), CancellationToken::new(), Mutex::default());
        let (arrived_after, clock) = (Mutex::default(), Clock::Machine);
        Self(Arc::new(Engine { db, catalog, guard, owner, watched, workers, stopping, halt, arrived_after, clock }))
    }

    /// Calls a tool that is about jobs, or is one.
    #[allow(clippy::too_many_arguments, reason = "a call, taken apart")]
    pub(crate) async fn call(
        &self,
        tool: &Tool,
        connection: &str,
        arguments: Map<String, Value>,
        envelope: Envelope,
        caller: &Caller,
        given: Given,
        wait: Wait,
    ) -> Result<Verdict, CallError> {
        self.0.guard.may(tool, connection, caller)?;
        let work = match tool.name {
            AddProjectMembers::NAME => self.0.adding(tool, connection, &decode(arguments)?)?,
            InvitePeople::NAME => {
                let view = self.0.catalog.offer(tool.name)?.connection(Some(connection))?;
                self.0.inviting(tool, view, caller, &decode(arguments)?).await?
            }
            CopyAccess::NAME => {
                let view = self.0.catalog.offer(tool.name)?.connection(Some(connection))?;
                self.0.copying_access(tool, view, caller, &decode(arguments)?).await?
            }
            CopyProject::NAME => {
                let view = self.0.catalog.offer(tool.name)?.connection(Some(connection))?;
                self.0.copying_project(tool, view, caller, &decode(arguments)?).await?
            }
            OffboardPerson::NAME => self.0.offboarding(tool, caller, &decode(arguments)?).await?,
            ApplyChanges::NAME => self.0.applying(tool, &decode(arguments)?)?,
            Undo::NAME => self.0.undoing(tool, caller, &decode(arguments)?).await?,
            GetJob::NAME => return Ok(Verdict::Done(self.0.get(caller, &decode(arguments)?).await?)),
            ListJobs::NAME => return Ok(Verdict::Done(self.0.list(caller, &decode(arguments)?).await?)),
            CancelJob::NAME => {
                let op: CancelJob = decode(arguments)?;
                return Ok(Verdict::Done(self.0.cancelling(caller, &op, envelope.dry_run, wait).await?));
            }
            _ => return Err(CallError::Internal),
        };
        self.0.begin(work, envelope, caller, given, wait).await
    }

    /// How far a job is that this process works on, as it goes. When the sender is gone, nobody here works on it any more.
    pub fn watch(&self, job: &str) -> Option<watch::Receiver<Progress>> {
        self.0.watched().get(job)
    }

    /// How far a job of the caller's is, whoever works on it.
    pub async fn progress(&self, job: &str, caller: &Caller) -> Result<Progress, CallError> {
        self.0.progress(&self.0.job(job, caller).await?).await
    }

    /// A job of the caller's as lists show it.
    pub async fn look(&self, job: &str, caller: &Caller) -> Result<crate::domain::jobs::Job, CallError> {
        let job = self.0.job(job, caller).await?;
        let mut db = self.0.db.read().await?;
        let tally = db.tally(&job.id).await?;
        Ok(report::view(&job, &tally, db.now(&self.0.clock).await?))
    }

    /// What the call that began the job would answer now.
    pub async fn report(&self, job: &str, caller: &Caller) -> Result<Value, CallError> {
        self.0.report(&self.0.job(job, caller).await?).await
    }

    /// A table of all rows with their outcomes, as CSV. That of `add_project_members` can be given to it again: what is
    /// done is then left out.
    pub async fn table(&self, job: &str, caller: &Caller) -> Result<String, CallError> {
        self.0.table(&self.0.job(job, caller).await?).await
    }

    /// Asks for a job to be stopped between two rows; where nobody works on it, it is ended here.
    pub async fn cancel(&self, job: &str, caller: &Caller) -> Result<(), CallError> {
        self.0.cancel(&self.0.job(job, caller).await?).await
    }

    /// Goes on with jobs that nobody works on: with one, or with all whose connections are here. Answers which.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used; for one job also where it has ended, somebody works on it, or a connection is missing.
    pub async fn resume(&self, job: Option<&str>) -> Result<Vec<String>, CallError> {
        self.0.resume(job).await
    }

    /// Waits for a job that this process works on.
    pub async fn finished(&self, job: &str, wait: Wait) {
        self.0.wait(job, wait).await;
    }

    /// Writes the outcomes of calls whose process died before it could, where their providers can tell.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn settle_open(&self) -> Result<(), CallError> {
        let find = |name: &str| {
            let found = self.0.catalog.offers().find_map(|it| it.connection(Some(name)).ok().cloned());
            found.map(|it| it as Arc<dyn Account>)
        };
        Ok(guard::settle_open(&self.0.db, find).await?)
    }

    /// Goes on with jobs that nobody works on, and settles calls that were left open, now and later, as long as the program serves.
    pub fn keep_going(&self) {
        let jobs = self.clone();
        tokio::spawn(async move {
            loop {
                if let Err(error) = jobs.resume(None).await {
                    tracing::warn!(%error, "jobs could not be looked for");
                }
                if let Err(error) = jobs.settle_open().await {
                    tracing::warn!(%error, "open calls could not be settled");
                }
                tokio::select! {
                    () = jobs.0.stopping.cancelled() => return,
                    () = tokio::time::sleep(ROUND) => {}
                }
            }
        });
    }

    /// How many jobs this process works on.
    pub fn running(&self) -> usize {
        self.0.workers.len()
    }

    /// Ends all work between two rows, so that the next process can go on at once.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        self.0.workers.close();
        if tokio::time::timeout(GRACE, self.0.workers.wait()).await.is_err() {
            tracing::warn!("stopping in spite of rows that are being sent; they are settled by whoever goes on");
        }
    }

    /// Breaks the next job off at a moment, as if its process had died there: for tests of what follows.
    pub fn halt_at(&self, halt: Halt) {
        *self.0.halt.lock().unwrap_or_else(PoisonError::into_inner) = Some(halt);
    }
}

impl Jobs {
    /// Says after which time a request has arrived or never will, where it is not the time that holds for services far away.
    pub fn arrives_within(&self, time: Duration) {
        *self.0.arrived_after.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
    }
}

impl Engine {
    /// How old a call has to be before its absence counts: longer than any request takes, so that none arrives after the look.
    fn arrived_after(&self, connection: &Connection) -> Duration {
        self.arrived_after.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(|| connection.longest())
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job that the caller may see: their own, or any for who sits at the machine itself.
    async fn job(&self, id: &str, caller: &Caller) -> Result<JobRecord, CallError> {
        let found = self.db.read().await?.job(id).await?.filter(|it| is_theirs(&it.principal, caller));
        found.ok_or_else(|| {
            let (kind, name, scope) = ("job", crate::shape::cut(id, 80), String::new());
            ProviderError::NotFound { kind, name, scope, fix: "see list_jobs".into() }.into()
        })
    }

    async fn progress(&self, job: &JobRecord) -> Result<Progress, CallError> {
        let tally = self.db.read().await?.tally(&job.id).await?;
        Ok(Progress::of(&job.id, crate::domain::jobs::JobState::of(&job.status), &tally))
    }

    async fn cancel(self: &Arc<Self>, job: &JobRecord) -> Result<(), CallError> {
        let id = job.id.as_str();
        if !transaction!(self.db, StoreError, tx => { tx.cancel_job(id).await })? {
            return Ok(());
        }
        // Where its process is gone, somebody has to end it.
        // Whoever takes it sees that it is to end.
        let ended: Result<(), CallError> = async {
            let now = self.db.read().await?.now(&self.clock).await?;
            if job.lease_until < now.0 {
                self.take(job).await?;
            }
            Ok(())
        }
        .await;
        if let Err(error) = ended {
            tracing::warn!(%error, job = %job.id, "a cancelled job is ended by whoever looks for it next");
        }
        Ok(())
    }

    async fn resume(self: &Arc<Self>, one: Option<&str>) -> Result<Vec<String>, CallError> {
        let due = self.db.read().await?.due_jobs(&self.clock).await?;
        let mut taken = Vec::new();
        for job in due.iter().filter(|it| one.is_none_or(|id| it.id == id)) {
            if self.take(job).await? {
                taken.push(job.id.clone());
            }
        }
        match one {
            Some(id) if taken.is_empty() => Err(self.not_resumed(id).await?),
            _ => Ok(taken),
        }
    }

    async fn not_resumed(&self, id: &str) -> Result<CallError, CallError> {
        let mut db = self.db.read().await?;
        let Some(job) = db.job(id).await? else {
            let (kind, name, scope) = ("job", id.to_owned(), String::new());
            return Ok(ProviderError::NotFound { kind, name, scope, fix: "see list_jobs".into() }.into());
        };
        let missing = self.missing(&db.job_connections(id).await?);
        let (message, fix) = if job.status != "running" {
            (format!("job `{id}` has ended: {}", job.status), "see get_job for what became of it".to_owned())
        } else if missing.is_empty() {
            (
                format!("a process works on job `{id}`, or did a moment ago"),
                "watch it with get_job; repeat this in half a minute".to_owned(),
            )
        } else {
            let missing = missing.join(", ");
            (
                format!("job `{id}` needs connections that are not here: {missing}"),
                "resume it with the configuration it was begun with".to_owned(),
            )
        };
        Ok(ProviderError::conflict("not_resumable", message, fix).into())
    }

    fn missing(&self, connections: &[String]) -> Vec<String> {
        connections.iter().filter(|name| !self.catalog.offers().any(|it| it.connection(Some(name)).is_ok())).cloned().collect()
    }

    /// Takes a job that nobody works on, and goes on with it; false where somebody else was faster, or a connection is missing.
    async fn take(self: &Arc<Self>, job: &JobRecord) -> Result<bool, CallError> {
        let connections = self.db.read().await?.job_connections(&job.id).await?;
        if self.stopping.is_cancelled() || !self.missing(&connections).is_empty() {
            return Ok(false);
        }
        let owner = self.owner.as_str();
        let taken: Option<Taken> = transaction!(self.db, StoreError, tx => { tx.take_job(job, owner, &self.clock).await })?;
        let Some(taken) = taken else { return Ok(false) };
        tracing::info!(job = %job.id, "going on with a job");
        self.work(job.clone(), taken, HashMap::new());
        Ok(true)
    }
}

/// Whether somebody may see and end a job: their own, or any for who sits at the machine itself.
fn is_theirs(principal: &str, caller: &Caller) -> bool {
    caller.principal == principal || caller.is_local()
}
