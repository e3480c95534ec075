//! A worker: makes a job's rows one by one or many at once, records each before and after, and ends when it loses its hold.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{
    Stream, StreamExt as _, TryStreamExt as _,
    stream::{self, FuturesUnordered},
};
use serde_json::json;
use tokio::sync::watch;
use tracing::Instrument as _;

use super::{
    Engine, Progress,
    plan::{AT_ONCE, Scopes},
    report::counts,
    settle::Doubtful,
};
use crate::{
    domain::jobs::JobState,
    guard::{Caller, LogError, RowLog, Step},
    store::{EntryKind, JobRecord, JobRow, Lease, Mark, StoreError, Taken, Tally, transaction},
};

/// How many rows of a job are being sent at the same time, at most: services over HTTP are spared further by their pace. A row that
/// waits for its turn there is on no record yet.
const IN_FLIGHT: usize = 40;
/// How many rows are planned and held at a time.
const PAGE: i64 = 200;
/// How many at first by a worker that goes on with another's work.
const FIRST_PAGE: i64 = 25;
/// How often a worker looks whether it is to go on, and after how many looks it renews its hold.
const LOOK: Duration = Duration::from_secs(2);
const LOOKS_PER_RENEWAL: u32 = 4;

/// How a row has ended where it ends a job that is to stop on failure.
const ENDS_IT: [&str; 4] = ["differs", "failed", "unknown", "refused"];

/// Where a job is broken off, as if its process had died there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halt {
    /// The row, from 0.
    pub row: i64,
    pub moment: Moment,
}

/// A moment in the making of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    BeforeIntent,
    AfterIntent,
    /// It was sent and answered, and no outcome is recorded.
    AfterAct,
}

/// Why a worker ends before its job does.
pub(super) enum Broken {
    /// Another worker has the job.
    Lost,
    /// The store cannot be used.
    Store,
    /// The process is asked to end.
    Stopping,
    /// A test breaks it off.
    Halted,
}

impl From<LogError> for Broken {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Lost => Self::Lost,
            LogError::Halted => Self::Halted,
            LogError::Cancelled | LogError::Closed | LogError::Store => Self::Store,
        }
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a job cannot go on");
        Self::Store
    }
}

pub(super) struct Worker {
    pub(super) engine: Arc<Engine>,
    pub(super) job: JobRecord,
    pub(super) caller: Caller,
    pub(super) log: RowLog,
    /// What was planned already, with the consent.
    plans: Mutex<HashMap<i64, Step>>,
    pub(super) tally: Mutex<Tally>,
    progress: watch::Sender<Progress>,
    /// Whether it goes on with what another worker has begun.
    pub(super) resumed: bool,
    /// For how long nobody had held the job when this worker took it, and how long ago it was begun then.
    free_for: Duration,
    age: Duration,
    lease: Lease,
    taken_at: Mark,
    pub(super) halt: Option<Halt>,
}

impl Engine {
    /// Sets a worker on a job.
    pub(super) fn work(self: &Arc<Self>, job: JobRecord, taken: Taken, plans: HashMap<i64, Step>) {
        let Taken { lease, free_for, age } = taken;
        let first = Progress { job: job.id.clone(), total: job.total.unsigned_abs(), ..Progress::default() };
        let (progress, watched) = watch::channel(first);
        self.watched().insert(&job.id, lease.fence, watched);
        let engine = Arc::clone(self);
        let halt = self.halt.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Its requests are told of together, wherever it is that the job was begun.
        let trace = tracing::info_span!(
            target: "rolecall::trace",
            "job",
            otel.name = format!("job {}", job.tool),
            gen_ai.tool.name = job.tool,
            rolecall.job = job.id,
        );
        let work = async move {
            let (id, taken_at) = (job.id.clone(), lease.mark());
            let worker = Worker {
                caller: Caller { principal: job.principal.clone(), client: job.client.clone(), can_ask: false },
                log: RowLog::open(engine.db.clone(), lease.clone()),
                plans: Mutex::new(plans),
                tally: Mutex::default(),
                progress,
                engine: Arc::clone(&engine),
                resumed: lease.fence > 1,
                free_for,
                age,
                lease: lease.clone(),
                taken_at,
                job,
                halt,
            };
            let ended = tokio::select! {
                ended = worker.run(&lease) => ended,
                broken = worker.hold(&lease) => Err(broken),
            };
            match ended {
                Ok(()) | Err(Broken::Halted | Broken::Lost) => {}
                Err(Broken::Store | Broken::Stopping) => {
                    lease.drop_it();
                    let released = transaction!(engine.db.recording(), StoreError, tx => { tx.release_job(&lease).await });
                    if let Err(error) = released {
                        tracing::warn!(%error, job = %id, "a job could not be let go; it goes on when its lease has ended");
                    }
                }
            }
            engine.watched().remove(&id, lease.fence);
        };
        self.workers.spawn(work.instrument(trace));
    }
}

impl Worker {
    async fn run(&self, lease: &Lease) -> Result<(), Broken> {
        let tally = self.engine.db.read().await?.tally(&self.job.id).await?;
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = tally;
        self.tell(JobState::Running);
        let doubtful = self.doubtful(lease).await?;
        let stopped = if self.job.in_order {
            self.settle_all(doubtful).await?;
            match self.stopped_before().await? {
                None => self.one_by_one().await?,
                stopped => stopped,
            }
        } else {
            self.together_with(doubtful).await?;
            None
        };
        let (state, reason) = match stopped {
            Some(reason) => (JobState::Stopped, reason),
            None if self.is_cancelled() => (JobState::Cancelled, "the job was cancelled before its turn".to_owned()),
            None => (JobState::Done, String::new()),
        };
        self.end(lease, state, &reason).await
    }

    /// Keeps the hold on the job; ends when there is no reason to go on.
    async fn hold(&self, lease: &Lease) -> Broken {
        let mut looks = 0;
        loop {
            tokio::select! {
                () = self.engine.stopping.cancelled() => {
                    self.log.close();
                    // What is being sent gets its outcome; nothing else is begun.
                    std::future::pending::<()>().await;
                }
                () = tokio::time::sleep(LOOK) => {}
            }
            looks += 1;
            let kept = if looks % LOOKS_PER_RENEWAL == 0 {
                let before = lease.mark();
                let kept = transaction!(self.engine.db.recording(), StoreError, tx => { tx.renew_lease(lease).await });
                if let Ok(Some(_)) = kept {
                    lease.renewed(before);
                }
                kept
            } else {
                async { self.engine.db.read().await?.cancel_wanted(lease).await }.await
            };
            match kept {
                Ok(Some(cancel)) => self.log.cancel(cancel),
                Err(error) if lease.holds() => tracing::warn!(%error, job = %lease.job, "a job's lease could not be looked after"),
                Ok(None) => return Broken::Lost,
                // Nobody can have taken it from a store that cannot be used. What is being sent gets its outcome, as soon as the store
                // takes one; nothing else is begun.
                Err(_) => {
                    self.log.close();
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// For how long nobody had held the job when this worker took it.
    pub(super) fn free_for(&self) -> Duration {
        self.free_for
    }

    /// For how long this worker has had the job.
    pub(super) fn held_for(&self) -> Duration {
        self.lease.since_mark(self.taken_at)
    }

    /// How long ago the job was begun.
    pub(super) fn age(&self) -> Duration {
        self.age + self.lease.since_mark(self.taken_at)
    }

    fn is_cancelled(&self) -> bool {
        self.log.is_cancelled()
    }

    /// Whether no more rows are to be begun.
    fn is_over(&self) -> bool {
        self.is_cancelled() || self.log.is_closed()
    }

    /// Why nothing more is made: a row that ended before this worker had the job ends it.
    async fn stopped_before(&self) -> Result<Option<String>, Broken> {
        for state in ENDS_IT.into_iter().filter(|_| self.job.stop_on_failure) {
            if let Some(row) = self.rows_after(-1, state, 1).await?.pop() {
                return Ok(Some(not_made(&row.name)));
            }
        }
        Ok(None)
    }

    /// Rows in their order; answers why the rest is not made, where one has failed that ends it.
    async fn one_by_one(&self) -> Result<Option<String>, Broken> {
        let mut after = -1;
        while let Some(row) = self.rows_after(after, "pending", 1).await?.pop() {
            after = row.idx;
            if self.is_over() {
                break;
            }
            let name = row.name.clone();
            let state = self.make(row, None).await?;
            if self.job.stop_on_failure && ENDS_IT.contains(&state) {
                return Ok(Some(not_made(&name)));
            }
        }
        self.stay()?;
        Ok(None)
    }

    /// The rows that wait, page by page. A page is planned as a whole before any of it is sent: what one row has looked up the
    /// others need not, and each page sees what has changed since the last.
    fn pages(&self) -> impl Stream<Item = Result<Vec<(JobRow, Option<Step>)>, Broken>> {
        // A worker that goes on has nothing planned, and soon something to send: the next process may be killed, too.
        let first = if self.resumed { FIRST_PAGE } else { PAGE };
        stream::try_unfold((-1, first), move |(after, size)| async move {
            let rows = self.rows_after(after, "pending", size).await?;
            let Some(last) = rows.last().map(|it| it.idx) else { return Ok(None) };
            let scopes = Scopes::default();
            let planning = stream::iter(rows).map(|row| self.plan(row, &scopes)).buffered(AT_ONCE);
            Ok(Some((planning.try_collect().await?, (last, PAGE.min(2 * size)))))
        })
    }

    /// What cannot be planned is told when its turn comes.
    async fn plan(&self, row: JobRow, scopes: &Scopes) -> Result<(JobRow, Option<Step>), Broken> {
        let kept = self.plans.lock().unwrap_or_else(PoisonError::into_inner).remove(&row.idx);
        if kept.is_some() {
            return Ok((row, kept));
        }
        let Ok((route, arguments)) = self.route(&row).await? else { return Ok((row, None)) };
        let planned = self.engine.plan_one(&route, &scopes.get(&route.connection), arguments, &self.caller).await;
        Ok((row, planned.ok()))
    }

    /// Rows many at once. What an earlier worker was sending may take a while to settle, and nobody has to wait for it.
    async fn together_with(&self, doubtful: Vec<Doubtful>) -> Result<(), Broken> {
        let again = !doubtful.is_empty();
        let settling = async {
            let settled = self.settle_all(doubtful).await;
            if settled.is_err() {
                self.log.close();
            }
            settled
        };
        let (settled, made) = tokio::join!(settling, self.together());
        made.and(settled)?;
        // What turned out not to be made is among the rows that wait.
        if again { self.together().await } else { Ok(()) }
    }

    /// Rows that wait, many at once; while some are sent the next are planned.
    async fn together(&self) -> Result<(), Broken> {
        let mut pages = pin!(self.pages().fuse());
        let (mut page, mut following) = (Vec::new().into_iter(), None::<Vec<_>>);
        let mut making = FuturesUnordered::new();
        let begun = async {
            loop {
                if page.len() == 0 {
                    page = following.take().unwrap_or_default().into_iter();
                }
                while making.len() < IN_FLIGHT
                    && let Some((row, step)) = page.next()
                {
                    if !self.is_over() {
                        making.push(self.make(row, step));
                    }
                }
                tokio::select! {
                    Some(made) = making.next() => drop(made?),
                    Some(planned) = pages.next(), if following.is_none() && !self.is_over() => following = Some(planned?),
                    else => return Ok::<(), Broken>(()),
                }
            }
        }
        .await;
        let mut broken = begun.err();
        if !matches!(broken, None | Some(Broken::Halted)) {
            self.log.close();
        }
        // What is being sent is let arrive, whatever else goes wrong: nobody could say what became of it.
        while !matches!(broken, Some(Broken::Halted)) {
            match making.next().await {
                None => break,
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    if !matches!(error, Broken::Halted) {
                        self.log.close();
                    }
                    broken = broken.or(Some(error));
                }
            }
        }
        if let Some(broken) = broken {
            return Err(broken);
        }
        self.stay()
    }

    /// Ends the worker where the process is to end.
    fn stay(&self) -> Result<(), Broken> {
        if self.log.is_closed() { Err(Broken::Stopping) } else { Ok(()) }
    }

    pub(super) async fn rows_after(&self, after: i64, state: &str, rows: i64) -> Result<Vec<JobRow>, Broken> {
        Ok(self.engine.db.read().await?.job_rows(&self.job.id, after, Some(state), rows).await?)
    }

    pub(super) fn tell(&self, state: JobState) {
        let now = Progress::of(&self.job.id, state, &self.tally.lock().unwrap_or_else(PoisonError::into_inner));
        self.progress.send_replace(now);
    }

    async fn end(&self, lease: &Lease, state: JobState, reason: &str) -> Result<(), Broken> {
        let tally: Option<Tally> = transaction!(self.engine.db.recording(), StoreError, tx => {
            if !tx.end_job(lease, state.name()).await? {
                return Err(StoreError::Unreadable("another worker has the job".into()));
            }
            tx.end_pending(&self.job.id, reason).await?;
            let tally = tx.tally(&self.job.id).await?;
            let outcome = json!({ "outcome": counts(&tally).outcome(), "job": self.job.id, "status": state.name(), "rows": tally });
            tx.append(&self.job.call_id, EntryKind::Outcome, &outcome).await?;
            Ok(Some(tally))
        })?;
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = tally.unwrap_or_default();
        self.tell(state);
        Ok(())
    }
}

fn not_made(step: &str) -> String {
    format!("step {step} before it was not made")
}
