//! A worker: makes a job's rows one by one or many at once, records each before and after, and ends when it loses its hold.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::{Map, Value, json};
use tokio::sync::{Semaphore, watch};

use super::{
    Engine, Progress, apply,
    draft::{self, Call},
    plan::{self, Scopes},
    references,
};
use crate::{
    domain::{Timestamp, jobs::JobState},
    error::{CallError, chain},
    guard::{Caller, Ended, LEASE_LOST, LogError, RowLog, Step, StepCall, TTL_SECONDS},
    store::{EntryKind, Job, JobRow, Lease, RowChange, StoreError, Tally, transaction},
    tools::{Operation as _, jobs::ApplyChanges},
};

/// How many rows of a job are being sent at the same time.
const IN_FLIGHT: usize = 16;
/// How many more have their intent recorded meanwhile, so that nobody waits for the disk.
const AHEAD: usize = 8;
/// How many rows are read from the store at a time.
const PAGE: i64 = 100;
/// How often a worker looks whether it is to go on, and after how many looks it renews its hold.
const LOOK: Duration = Duration::from_secs(2);
const LOOKS_PER_RENEWAL: u32 = 4;

/// How a row has ended where it ends a job that is to stop on failure.
const ENDS_IT: [&str; 3] = ["failed", "unknown", "refused"];

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
    engine: Arc<Engine>,
    job: Job,
    pub(super) caller: Caller,
    pub(super) log: RowLog,
    /// What was planned already, with the consent.
    plans: Mutex<HashMap<i64, Step>>,
    pub(super) scopes: Scopes,
    turns: Semaphore,
    tally: Mutex<Tally>,
    progress: watch::Sender<Progress>,
    /// Whether it goes on with what another worker has begun.
    resumed: bool,
    /// When the hold of the worker before this one had surely ended.
    pub(super) held_before: i64,
    halt: Option<Halt>,
}

impl Engine {
    /// Sets a worker on a job.
    pub(super) fn work(self: &Arc<Self>, job: Job, lease: Lease, plans: HashMap<i64, Step>) {
        let first = Progress { job: job.id.clone(), total: job.total.unsigned_abs(), ..Progress::default() };
        let (progress, watched) = watch::channel(first);
        self.watched().insert(job.id.clone(), watched);
        let engine = Arc::clone(self);
        let halt = self.halt.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.workers.spawn(async move {
            let (id, now) = (job.id.clone(), Timestamp::now().0);
            let worker = Worker {
                caller: Caller { principal: job.principal.clone(), client: job.client.clone(), can_ask: false },
                log: RowLog::open(engine.db.clone(), lease.clone()),
                plans: Mutex::new(plans),
                scopes: Scopes::default(),
                turns: Semaphore::new(IN_FLIGHT),
                tally: Mutex::default(),
                progress,
                engine: Arc::clone(&engine),
                resumed: lease.fence > 1,
                // One that let go has left no time.
                held_before: if job.lease_until > 0 { job.lease_until.min(now) } else { now },
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
                    let released = transaction!(engine.db, StoreError, tx => { tx.release_job(&lease).await });
                    if let Err(error) = released {
                        tracing::warn!(%error, job = %id, "a job could not be let go; it goes on when its lease has ended");
                    }
                }
            }
            engine.watched().remove(&id);
        });
    }
}

impl Worker {
    async fn run(&self, lease: &Lease) -> Result<(), Broken> {
        let tally = self.engine.db.read().await?.tally(&self.job.id).await?;
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = tally;
        self.tell(JobState::Running);
        self.settle_all().await?;
        let stopped = if let Some(reason) = self.stopped_before().await? {
            Some(reason)
        } else if self.job.in_order {
            self.one_by_one().await?
        } else {
            self.together().await?
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
            let now = Timestamp::now();
            let kept = if looks % LOOKS_PER_RENEWAL == 0 {
                transaction!(self.engine.db, StoreError, tx => { tx.renew_lease(lease, now).await })
            } else {
                async { self.engine.db.read().await?.cancel_wanted(lease).await }.await
            };
            match kept {
                Ok(Some(cancel)) => self.log.cancel(cancel),
                Ok(None) => return Broken::Lost,
                Err(error) if lease.holds() => tracing::warn!(%error, job = %lease.job, "a job's lease could not be looked after"),
                Err(_) => return Broken::Lost,
            }
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
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
            let state = self.make(row).await?;
            if self.job.stop_on_failure && ENDS_IT.contains(&state) {
                return Ok(Some(not_made(&name)));
            }
        }
        self.stay()?;
        Ok(None)
    }

    /// Plans the rows that wait and are not planned yet, before anything is sent: what one has looked up the others need not.
    async fn plan_pending(&self) -> Result<(), Broken> {
        let mut planning = FuturesUnordered::new();
        let mut after = -1;
        loop {
            let rows = self.rows_after(after, "pending", PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.idx;
            for row in rows.into_iter().filter(|it| !self.plans().contains_key(&it.idx)) {
                if planning.len() == IN_FLIGHT {
                    planning.next().await.transpose()?;
                }
                planning.push(self.plan(row));
            }
        }
        while planning.next().await.transpose()?.is_some() {}
        Ok(())
    }

    async fn plan(&self, row: JobRow) -> Result<(), Broken> {
        // What cannot be planned is told when its turn comes.
        let Ok((call, arguments)) = self.call(&row).await? else { return Ok(()) };
        if let Ok(step) = self.engine.plan_one(&call, &self.scopes.get(&call.connection), arguments, &self.caller).await {
            self.plans().insert(row.idx, step);
        }
        Ok(())
    }

    fn plans(&self) -> MutexGuard<'_, HashMap<i64, Step>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows many at once.
    async fn together(&self) -> Result<Option<String>, Broken> {
        self.plan_pending().await?;
        let mut making = FuturesUnordered::new();
        let mut after = -1;
        let begun = async {
            loop {
                let rows = self.rows_after(after, "pending", PAGE).await?;
                let Some(last) = rows.last() else { return Ok::<(), Broken>(()) };
                after = last.idx;
                for row in rows {
                    if making.len() == IN_FLIGHT + AHEAD {
                        making.next().await.transpose()?;
                    }
                    if !self.is_over() {
                        making.push(self.make(row));
                    }
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
        self.stay()?;
        Ok(None)
    }

    /// Ends the worker where the process is to end.
    fn stay(&self) -> Result<(), Broken> {
        if self.log.is_closed() { Err(Broken::Stopping) } else { Ok(()) }
    }

    pub(super) async fn rows_after(&self, after: i64, state: &str, rows: i64) -> Result<Vec<JobRow>, Broken> {
        Ok(self.engine.db.read().await?.job_rows(&self.job.id, after, Some(state), rows).await?)
    }

    /// Makes one row; answers the state it has ended in.
    pub(super) async fn make(&self, row: JobRow) -> Result<&'static str, Broken> {
        let idx = row.idx;
        let (call, arguments) = match self.call(&row).await? {
            Ok(it) => it,
            Err(reason) => return self.ended(idx, change("failed", Some(reason)), None).await,
        };
        let kept = self.plans().remove(&idx);
        let step = match kept {
            Some(step) => step,
            None => match self.engine.plan_one(&call, &plan::scope(&call.connection), arguments.clone(), &self.caller).await {
                Ok(step) => step,
                Err(error) => return self.ended(idx, not_planned(&error), None).await,
            },
        };
        let logged = Value::from(arguments);
        let step_call = self.step_call(&call, &logged);
        let told = draft::told(row.told.as_deref());
        let target = draft::text(&step.plan().target);
        let cleared = match self.engine.guard.clear(step, told.as_ref(), &step_call) {
            Ok(cleared) => cleared,
            Err(error) => return self.ended(idx, change("refused", Some(apply::told(&error))), None).await,
        };
        self.halts(idx, Moment::BeforeIntent)?;
        let turn = self.turns.acquire();
        let intent = RowChange { state: "sending", call_id: Some(cleared.call_id().to_owned()), target, ..RowChange::default() };
        let permit = match self.log.intend(idx, cleared.intent(), intent).await {
            Ok(permit) => permit,
            Err(error) => {
                cleared.discard();
                return if matches!(error, LogError::Cancelled | LogError::Closed) { Ok("pending") } else { Err(error.into()) };
            }
        };
        self.halts(idx, Moment::AfterIntent)?;
        let call_id = cleared.call_id().to_owned();
        let _turn = turn.await;
        let ended = cleared.send(permit).await;
        self.halts(idx, Moment::AfterAct)?;
        if matches!(&ended.result, Err(error) if error.code() == LEASE_LOST) {
            return Err(Broken::Lost);
        }
        self.record(idx, &call_id, ended).await
    }

    /// Which call a row is, with what it takes from earlier rows; or why it cannot be made.
    pub(super) async fn call(&self, row: &JobRow) -> Result<Result<(Call, Map<String, Value>), String>, Broken> {
        let Ok(Value::Object(mut arguments)) = serde_json::from_str(&row.arguments) else {
            return Ok(Err("its arguments cannot be read".into()));
        };
        let mut earlier = HashMap::new();
        // Only steps that a caller has written hold references; elsewhere such a text is a text.
        let refers = row.told.is_none() && self.job.tool == ApplyChanges::NAME;
        for it in references::find(&arguments).into_iter().filter(|_| refers) {
            if !earlier.contains_key(&it.step) {
                let found = self.engine.db.read().await?.row_named(&self.job.id, &it.step).await?;
                earlier.insert(it.step.clone(), found.and_then(|it| it.receipt));
            }
        }
        let filled = arguments.values_mut().filter(|_| !earlier.is_empty()).try_for_each(|value| {
            references::fill(value, &|it| {
                let receipt = earlier.get(&it.step).and_then(Option::as_deref).and_then(|it| serde_json::from_str::<Value>(it).ok());
                let receipt = receipt.ok_or_else(|| format!("it builds on step {}, which was not made", it.step))?;
                references::field(&receipt, &it.field).ok_or_else(|| format!("the result of step {} has no `{}`", it.step, it.field))
            })
        });
        if let Err(reason) = filled {
            return Ok(Err(reason));
        }
        let offer = match self.engine.catalog.offer(&row.tool) {
            Ok(offer) => offer,
            Err(error) => return Ok(Err(apply::told(&error))),
        };
        Ok(match offer.connection(Some(&row.connection)) {
            Ok(connection) => Ok((Call { tool: offer.tool.clone(), connection: Arc::clone(connection) }, arguments)),
            Err(error) => Err(apply::told(&error)),
        })
    }

    pub(super) fn step_call<'a>(&'a self, call: &'a Call, arguments: &'a Value) -> StepCall<'a> {
        let is_late = self.resumed && Timestamp(self.job.created_at).plus_seconds(TTL_SECONDS).0 < Timestamp::now().0;
        StepCall { job: &self.job.id, is_late, tool: &call.tool, connection: &call.connection, caller: &self.caller, arguments }
    }

    /// Records how a row has ended that was sent.
    pub(super) async fn record(&self, idx: i64, call_id: &str, ended: Ended) -> Result<&'static str, Broken> {
        let change = match &ended.result {
            Ok(receipt) => RowChange {
                state: "done",
                target: draft::text(&receipt["target"]),
                receipt: Some(receipt.to_string()),
                inverse: if ended.inverse.is_empty() { None } else { draft::text(&ended.inverse) },
                ..RowChange::default()
            },
            Err(error @ CallError::OutcomeUnknown { .. }) => {
                let reason = ended.outcome.as_ref().and_then(|it| it["reason"].as_str()).unwrap_or_default();
                change("unknown", Some(format!("{reason}; {}", error.fix())))
            }
            Err(error) => not_planned(error),
        };
        self.ended(idx, change, ended.outcome.map(|it| (call_id.to_owned(), it))).await
    }

    /// Records how a row has ended.
    pub(super) async fn ended(&self, idx: i64, change: RowChange, outcome: Option<(String, Value)>) -> Result<&'static str, Broken> {
        let state = change.state;
        let mut reason = change.reason.map(Value::from).unwrap_or_default();
        crate::shape::shape(&mut reason);
        let change = RowChange { reason: reason.as_str().map(str::to_owned), ..change };
        self.log.note(idx, change, outcome).await?;
        {
            let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            // Whatever it was before, it had not ended.
            for open in ["pending", "sending"] {
                if let Some(count) = tally.get_mut(open).filter(|it| **it > 0) {
                    *count -= 1;
                    break;
                }
            }
            *tally.entry(state.to_owned()).or_default() += 1;
        }
        self.tell(JobState::Running);
        Ok(state)
    }

    fn tell(&self, state: JobState) {
        let now = Progress::of(&self.job.id, state, &self.tally.lock().unwrap_or_else(PoisonError::into_inner));
        self.progress.send_replace(now);
    }

    async fn end(&self, lease: &Lease, state: JobState, reason: &str) -> Result<(), Broken> {
        let now = Timestamp::now();
        let tally: Option<Tally> = transaction!(self.engine.db, StoreError, tx => {
            tx.end_pending(&self.job.id, reason).await?;
            if !tx.end_job(lease, state.name(), now).await? {
                return Err(StoreError::Unreadable("another worker has the job".into()));
            }
            let tally = tx.tally(&self.job.id).await?;
            let outcome = json!({ "outcome": "done", "job": self.job.id, "status": state.name(), "rows": tally });
            tx.append(&self.job.call_id, EntryKind::Outcome, &outcome).await?;
            Ok(Some(tally))
        })?;
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = tally.unwrap_or_default();
        self.tell(state);
        Ok(())
    }

    fn halts(&self, row: i64, moment: Moment) -> Result<(), Broken> {
        if self.halt == Some(Halt { row, moment }) { Err(Broken::Halted) } else { Ok(()) }
    }
}

fn not_made(step: &str) -> String {
    format!("step {step} before it was not made")
}

/// A row that has ended so.
pub(super) fn change(state: &'static str, reason: Option<String>) -> RowChange {
    RowChange { state, reason, ..RowChange::default() }
}

/// A row whose call was refused: by a rule, because it is so already, or by what it does.
fn not_planned(error: &CallError) -> RowChange {
    if plan::is_so_already(error) {
        return change("skipped", Some(plan::already(error)));
    }
    let state = if matches!(error, CallError::Denied { .. } | CallError::NotConfirmed { .. }) { "refused" } else { "failed" };
    let told = apply::told(error);
    change(state, Some(if told.is_empty() { chain(error) } else { told }))
}
