//! One row of a job: resolved, held against what was agreed to, recorded, sent, recorded.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use serde_json::{Map, Value};

use super::{
    apply,
    copy_project::MADE,
    plan,
    planned::{self, Route},
    references,
    worker::{Broken, Halt, Moment, Worker},
};
use crate::{
    domain::jobs::JobState,
    error::{CallError, NOT_APPLIED, chain},
    guard::{self, Ended, LogError, RowCall, Step, TTL_SECONDS},
    store::{JobRow, RowChange},
    tools::{Operation as _, jobs::ApplyChanges, projects::CopyProject},
};

/// How often a row is tried whose change did not take effect.
const TRIES: u32 = 3;

impl Worker {
    /// Makes one row, as it was planned if it was; answers the state it has ended in. A change of which it is known that it did
    /// not take effect is made anew.
    pub(super) async fn make(&self, row: JobRow, mut planned: Option<Step>) -> Result<&'static str, Broken> {
        for _ in 1..TRIES {
            if let Some(state) = self.attempt(&row, planned.take(), false).await? {
                return Ok(state);
            }
        }
        Ok(self.attempt(&row, None, true).await?.unwrap_or("pending"))
    }

    /// Tries to make a row; `None` where it did not take effect and may be tried again.
    async fn attempt(&self, row: &JobRow, planned: Option<Step>, last: bool) -> Result<Option<&'static str>, Broken> {
        let idx = row.idx;
        let (route, arguments) = match self.route(row).await? {
            Ok(it) => it,
            Err(reason) => return self.ended(idx, change("failed", Some(reason)), None).await.map(Some),
        };
        let step = match planned {
            Some(step) => step,
            None => match self.engine.plan_one(&route, &plan::scope(&route.connection), arguments.clone(), &self.caller).await {
                Ok(step) => step,
                Err(error) => return self.ended(idx, not_planned(&error), None).await.map(Some),
            },
        };
        let logged = Value::from(arguments);
        let row_call = self.row_call(&route, &logged);
        let told = planned::told(row.told.as_deref());
        let target = planned::text(&step.plan().target);
        let cleared = match self.engine.guard.clear(step, told.as_ref(), &row_call) {
            Ok(cleared) => cleared,
            Err(error) => return self.ended(idx, change("refused", Some(apply::told(&error))), None).await.map(Some),
        };
        self.halts(idx, Moment::BeforeIntent)?;
        let call_id = cleared.call_id().to_owned();
        let intent = RowChange { state: "sending", call_id: Some(call_id.clone()), target: target.clone(), ..RowChange::default() };
        let permit = self.log.permit(idx, cleared.intent(), intent, self.halt == Some(Halt { row: idx, moment: Moment::AfterIntent }));
        let mut ended = cleared.send(permit.clone()).await;
        if ended.result.is_ok() && !permit.has_left() {
            // There was nothing to be sent for it, and it is in the ledger all the same.
            drop(permit.leave().await);
        }
        match permit.stopped() {
            None => {}
            Some(LogError::Cancelled | LogError::Closed) => return Ok(Some("pending")),
            Some(stopped) => return Err(stopped.into()),
        }
        if !permit.has_left() {
            // It was refused before anything was sent, and so no intent was recorded.
            let error = ended.result.as_ref().err();
            let change = error.map_or_else(|| change("failed", None), not_planned);
            return self.ended(idx, RowChange { target, ..change }, None).await.map(Some);
        }
        self.halts(idx, Moment::AfterAct)?;
        match &ended.result {
            Err(error) if !last && error.code() == NOT_APPLIED => {
                self.log.note(idx, change("pending", None), ended.outcome.take().map(|it| (call_id, it))).await?;
                Ok(None)
            }
            _ => self.record(idx, &call_id, ended).await.map(Some),
        }
    }

    /// Where a row goes, and its arguments with what they take from earlier rows; or why it cannot be made.
    pub(super) async fn route(&self, row: &JobRow) -> Result<Result<(Route, Map<String, Value>), String>, Broken> {
        let Ok(Value::Object(mut arguments)) = serde_json::from_str(&row.arguments) else {
            return Ok(Err("its arguments cannot be read".into()));
        };
        let mut earlier = HashMap::new();
        // Only steps that a caller has written hold references, and rows in a project that a job makes, where the project and its own
        // roles are named by them; elsewhere such a text is a text.
        let refers = row.told.is_none() && self.job.tool == ApplyChanges::NAME;
        let made = self.job.tool == CopyProject::NAME && arguments.get("project").is_some_and(|it| it == MADE);
        let refers_to = |it: &Map<String, Value>| -> Map<String, Value> {
            it.iter().filter(|it| refers || (made && of_copies(it.0))).map(|(name, it)| (name.clone(), it.clone())).collect()
        };
        for it in references::find(&refers_to(&arguments)) {
            if !earlier.contains_key(&it.step) {
                let found = self.engine.db.read().await?.row_named(&self.job.id, &it.step).await?;
                earlier.insert(it.step.clone(), found.and_then(|it| it.receipt));
            }
        }
        let fillable = |name: &str| !earlier.is_empty() && (refers || of_copies(name));
        let filled = arguments.iter_mut().filter(|it| fillable(it.0)).try_for_each(|(_, value)| {
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
            Ok(connection) => Ok((Route { tool: offer.tool.clone(), connection: Arc::clone(connection) }, arguments)),
            Err(error) => Err(apply::told(&error)),
        })
    }

    pub(super) fn row_call<'a>(&'a self, route: &'a Route, arguments: &'a Value) -> RowCall<'a> {
        let is_late = self.resumed && self.age() > Duration::from_secs(TTL_SECONDS.unsigned_abs());
        let call = guard::Call { tool: &route.tool, connection: route.connection.clone(), caller: &self.caller, arguments };
        RowCall { job: &self.job.id, is_late, call }
    }

    /// Records how a row has ended that was sent.
    pub(super) async fn record(&self, idx: i64, call_id: &str, ended: Ended) -> Result<&'static str, Broken> {
        let change = match &ended.result {
            Ok(receipt) => RowChange {
                state: "done",
                target: planned::text(&receipt["target"]),
                receipt: Some(receipt.to_string()),
                inverse: if ended.inverse.is_empty() { None } else { planned::text(&ended.inverse) },
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

    fn halts(&self, row: i64, moment: Moment) -> Result<(), Broken> {
        if self.halt == Some(Halt { row, moment }) { Err(Broken::Halted) } else { Ok(()) }
    }
}

/// What a row of a copied project may name by what a row before it has made.
fn of_copies(argument: &str) -> bool {
    ["project", "role", "roles"].contains(&argument)
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
    let state = match error {
        CallError::Denied { .. } | CallError::NotConfirmed { .. } => "refused",
        _ if plan::is_otherwise(error) => "differs",
        _ => "failed",
    };
    let told = apply::told(error);
    change(state, Some(if told.is_empty() { chain(error) } else { told }))
}
