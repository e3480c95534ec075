//! Access that ends: given until a time, and taken away then without anybody's doing.
//!
//! The intent of the call that gives it says until when, and by which calls it is taken away; a row of the store finds it. When its
//! time has come, whichever process looks first plans those calls, holds them against what was given, and makes a job of them: agreed
//! to with the call that gave it, fenced and settled like any other. The store's row goes from `waiting` to `taking` with the job's
//! intent, in one transaction, so that two processes never both begin.

mod given;
mod giving;
mod list;
mod taking;
mod time;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError},
};

use serde_json::{Map, Value};

use given::{Given, Outcome};
pub(crate) use giving::Wanted;
pub(super) use giving::{common, taken_out};
pub use list::EndsTold;
use taking::{By, Come, UNKNOWN, row_name};
pub(super) use time::Believed;

use super::{
    Engine, Jobs,
    begin::new_job,
    plan::Scopes,
    planned::{PlannedJob, PlannedRow},
    summary::Summary,
};
use crate::{
    catalog::Offer,
    domain::Timestamp,
    error::CallError,
    guard::{Caller, Given as Consent, Taking},
    providers::Connection,
    store::{Clock, Conn, EndRow, Lease, StoreError, Taken, new_id, transaction},
    tools::{Tool, jobs::Undo},
};

/// How many ends one look takes up.
const AT_ONCE: i64 = 200;
/// How often it is noted that somebody looks.
const NOTED_SECONDS: i64 = 30;
/// When what failed is tried again, in seconds.
const AGAIN: [i64; 4] = [60, 300, 900, 3600];
/// How long a call that gives something may be on its way before its end is planned without its outcome.
const ON_ITS_WAY_SECONDS: i64 = 300;

/// What the work is called that takes access away.
fn tool() -> Tool {
    Tool { name: "end_access", title: "End access", ..Tool::of::<Undo>() }
}

/// Ends that are taken away by one job: those of one connection that were agreed to in one call.
#[derive(Default)]
struct Group {
    rows: Vec<PlannedRow>,
    ends: Vec<(String, Option<String>)>,
}

impl Jobs {
    /// Takes away access whose end has come; see [`Jobs::keep_going`], which does so every few seconds.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn end_access(&self) -> Result<(), CallError> {
        self.0.end_access().await
    }

    /// What there is to say about access that ends.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn ends_told(&self) -> Result<EndsTold, CallError> {
        Ok(self.0.ends_told().await?)
    }

    /// A call alone that gives access until a time.
    pub(crate) async fn wanted(
        &self,
        offer: &Offer,
        connection: &Arc<Connection>,
        arguments: Map<String, Value>,
        written: &str,
        by: (&Caller, &Consent),
    ) -> Result<Wanted, CallError> {
        self.0.wanted(offer, connection, arguments, written, by).await
    }

    /// Says by which clock access ends where the store has none of its own: for tests of what clocks do.
    pub fn ends_by(&self, clock: Clock) {
        *self.0.ends_clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock);
    }
}

impl Engine {
    /// The clock that a test has set.
    fn ends_clock(&self) -> Option<Clock> {
        self.ends_clock.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What time it is where access ends: the store's.
    async fn ends_now(&self, conn: &mut Conn) -> Result<Timestamp, StoreError> {
        match self.ends_clock().filter(|_| self.db.kind() == "sqlite") {
            Some(clock) => Ok(clock.now()),
            None => conn.now().await,
        }
    }

    /// Takes away what is to end by now, and looks what became of what was taken before.
    pub(super) async fn end_access(self: &Arc<Self>) -> Result<(), CallError> {
        let clock = self.ends_clock().unwrap_or_else(|| self.db.clock().clone());
        let mut conn = self.db.read().await?;
        if !conn.has_open_ends().await? {
            return Ok(());
        }
        let shown = self.ends_now(&mut conn).await?;
        let noted = conn.ends_looked_at().await?;
        drop(conn);
        if noted.is_none_or(|it| (shown.0 - it.0).abs() >= NOTED_SECONDS * 1000) {
            transaction!(self.db.recording(), StoreError, tx => { tx.note_look_at_ends(shown).await })?;
        }
        let now = self.believed.time(shown, &clock);
        self.follow(now).await?;
        let due = self.db.read().await?.due_ends(now, AT_ONCE).await?;
        // What is looked up for one, the next need not.
        let scopes = Scopes::default();
        let mut groups: BTreeMap<(String, String, String), Group> = BTreeMap::new();
        for end in due {
            let Some(given) = self.given(end.clone()).await? else {
                self.over(&end, "cancelled", "the ledger has nothing of it").await?;
                continue;
            };
            if given.outcome == Outcome::Unknown
                && end.ends_at + ON_ITS_WAY_SECONDS * 1000 > now.0
                && end.tries == 0
                && self.is_on_its_way(&end).await?
            {
                continue;
            }
            let by = By { caller: on_behalf(&end.principal, &given.agreed_in), scopes: &scopes };
            match self.come(&given, &by).await? {
                Come::Take { rows, stays } => {
                    let group = groups.entry((end.connection.clone(), end.principal.clone(), given.agreed_in.clone())).or_default();
                    group.rows.extend(rows);
                    group.ends.push((end.call_id.clone(), stays));
                }
                Come::Over { state, reason } => self.over(&end, state, &reason).await?,
                Come::Failed { reason } => self.failed(&end, &reason, now).await?,
            }
        }
        for ((connection, principal, agreed_in), group) in groups {
            self.begin_taking(&connection, &principal, &agreed_in, group).await?;
        }
        Ok(())
    }

    async fn given(&self, end: EndRow) -> Result<Option<Given>, StoreError> {
        Given::read(&mut self.db.read().await?, end).await
    }

    /// Whether the call that gives it may still be under way: its process has an intent and no outcome.
    async fn is_on_its_way(&self, end: &EndRow) -> Result<bool, StoreError> {
        Ok(self.db.read().await?.outcomes(&[end.call_id.as_str()]).await?.is_empty())
    }

    async fn begin_taking(self: &Arc<Self>, connection: &str, principal: &str, agreed_in: &str, group: Group) -> Result<(), CallError> {
        let Group { rows, ends } = group;
        let caller = on_behalf(principal, agreed_in);
        let work = PlannedJob {
            tool: tool(),
            connection: connection.to_owned(),
            arguments: Value::Null,
            in_order: rows.iter().any(|it| it.follows),
            stop_on_failure: false,
            all_or_nothing: false,
            rows,
            notes: vec![format!("its end has come, as agreed in {agreed_in}")],
            subject: None,
        };
        let summary = Summary::of(&work);
        let lease = Lease::first(&new_id("job"), &self.owner, &self.clock);
        let taking = Taking {
            tool: &work.tool,
            on: connection,
            caller: &caller,
            plan: &summary.plan,
            job: new_job(&work, &caller, &lease, &summary.plan.target),
            rows: &|at| work.rows.get(at).map(PlannedRow::stored),
            ends: &ends,
            agreed_in,
        };
        match self.guard.begin_taking(taking).await {
            Ok(job) => {
                drop(work);
                self.work(job, Taken::first(lease), HashMap::new());
                Ok(())
            }
            // Another process was quicker.
            Err(error) if error.code() == "taken_elsewhere" => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Looks what became of what jobs take away.
    async fn follow(&self, now: Timestamp) -> Result<(), StoreError> {
        let taken = self.db.read().await?.ends_being_taken().await?;
        for end in taken {
            let mut conn = self.db.read().await?;
            let job = conn.job(end.job.as_deref().unwrap_or_default()).await?;
            let Some(job) = job else {
                drop(conn);
                self.failed(&end, "the job that was to take it away is not there", now).await?;
                continue;
            };
            if job.status == "running" {
                continue;
            }
            let mut problem = None;
            for number in 0.. {
                let Some(row) = conn.row_named(&job.id, &row_name(&end.call_id, number)).await? else { break };
                let reason = row.reason.unwrap_or_default();
                match row.state.as_str() {
                    "done" | "skipped" => {}
                    "unknown" => problem = Some(format!("{UNKNOWN}: {reason}")),
                    // What is to be cancelled is the work and not what was agreed to.
                    _ => problem = Some(reason),
                }
            }
            drop(conn);
            match problem {
                None => self.over(&end, "ended", end.reason.as_deref().unwrap_or_default()).await?,
                Some(reason) => self.failed(&end, &reason, now).await?,
            }
        }
        Ok(())
    }

    async fn over(&self, end: &EndRow, state: &str, reason: &str) -> Result<(), StoreError> {
        let reason = Some(reason).filter(|it| !it.is_empty());
        if state != "ended" {
            tracing::info!(call_id = %end.call_id, state, reason, "access that was to end");
        }
        transaction!(self.db.recording(), StoreError, tx => { tx.change_end(end, state, reason, end.look_at).await })?;
        Ok(())
    }

    async fn failed(&self, end: &EndRow, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        tracing::warn!(call_id = %end.call_id, reason, "access could not be taken away at its end; it is tried again");
        let tries = usize::try_from(end.tries).unwrap_or(usize::MAX).min(AGAIN.len() - 1);
        let again = now.plus_seconds(AGAIN[tries]).0;
        transaction!(self.db.recording(), StoreError, tx => { tx.change_end(end, "failed", Some(reason), again).await })?;
        Ok(())
    }
}

/// Whoever takes it away does so for who gave it, by what was agreed then.
fn on_behalf(principal: &str, agreed_in: &str) -> Caller {
    Caller { principal: principal.to_owned(), client: format!("agreed in {agreed_in}"), can_ask: false }
}
