//! Planning: each row is decoded, held against the policy, resolved and weighed. Nothing is sent.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value};

use super::{
    Engine, add, apply, each,
    planned::{PlannedJob, PlannedRow, Ready, Route, Stage},
};
use crate::{
    catalog::Offer,
    error::{CallError, ProviderError},
    guard::{Caller, Step},
    providers::{Connection, Prepared, Scope},
    store::FromStore as _,
    tools::{Operation as _, jobs::ApplyChanges},
};

/// How many rows are planned at the same time.
pub(super) const AT_ONCE: usize = 16;
/// Of how many rows the plan is kept until it is sent.
const KEPT: usize = 1000;
/// How many calls are planned one upon the other: each makes all those before it anew.
const MOST_REHEARSED: usize = 50;
/// How long one request of a job may wait for its turn: a service may ask all to wait for minutes.
const PATIENCE: Duration = Duration::from_mins(10);

/// A piece of work of one row's own.
pub(super) fn scope(connection: &Connection) -> Scope {
    connection.open_patient(PATIENCE)
}

/// The pieces of work that the rows of a job share, one for each connection: what one row has looked up the next need not.
#[derive(Default)]
pub(super) struct Scopes(Mutex<HashMap<String, Scope>>);

impl Scopes {
    pub(super) fn get(&self, connection: &Connection) -> Scope {
        let mut scopes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        scopes.entry(connection.name.clone()).or_insert_with(|| scope(connection)).clone()
    }

    /// For calls of which each may need what those before it make, where the provider can tell what would be then.
    fn of_chain(&self, connection: &Connection, calls: usize) -> Scope {
        let rehearsal = if (2..=MOST_REHEARSED).contains(&calls) { connection.rehearse() } else { None };
        rehearsal.unwrap_or_else(|| self.get(connection))
    }
}

/// Many people who come in at once are asked about, with who gets what, whichever tools bring them.
fn ask_about_newcomers(rows: &mut [PlannedRow]) {
    let brings_in = |it: &&mut Box<Ready>| it.bearing.brings_in;
    let coming: Vec<_> = rows
        .iter_mut()
        .filter_map(|it| if let Stage::Ready(ready) = &mut it.stage { Some(ready) } else { None })
        .filter(brings_in)
        .collect();
    if coming.len() > 1 {
        for it in coming {
            it.told.asked = true;
        }
    }
}

impl Engine {
    /// Plans all rows that can be planned. Gives the plans of the first ones, by their place: kept of all, many rows would need
    /// much memory; the others are planned anew when their turn comes.
    ///
    /// # Errors
    ///
    /// Where the store or all connections cannot be used; with `all_or_nothing`, where any row cannot be made.
    pub(super) async fn plan(&self, work: &mut PlannedJob, caller: &Caller) -> Result<HashMap<i64, Step>, CallError> {
        let open = |it: &PlannedRow| if let Stage::Open(route) = &it.stage { Some((route.clone(), it.arguments.clone())) } else { None };
        let mut chains: Vec<Vec<_>> = Vec::new();
        for (at, it) in work.rows.iter().enumerate() {
            let Some(call) = open(it) else { continue };
            match chains.last_mut().filter(|_| it.follows) {
                Some(chain) => chain.push((at, call)),
                None => chains.push(vec![(at, call)]),
            }
        }
        let scopes = Scopes::default();
        // Rows that are made in order are planned anew when their turn comes: those before them may have changed what they meet.
        let kept = if work.in_order { 0 } else { KEPT };
        let asked = work.gives();
        let mut plans = HashMap::new();
        let planned: Vec<(usize, Result<Ready, CallError>)> = stream::iter(chains)
            .map(|chain| {
                let scope = chain.first().map(|it| scopes.of_chain(&it.1.0.connection, chain.len()));
                async move {
                    let mut planned = Vec::with_capacity(chain.len());
                    for (at, (route, arguments)) in chain {
                        let Some(scope) = &scope else { continue };
                        planned.push((at, self.plan_one(&route, scope, arguments, caller).await));
                    }
                    stream::iter(planned)
                }
            })
            .buffered(AT_ONCE)
            .flatten()
            .map(|(at, planned)| {
                let ready = planned.map(|step| {
                    let plan = step.plan();
                    let (bearing, typed) = (plan.bearing.clone(), plan.name.clone());
                    let ready = Ready { told: step.told(asked), title: step.title(), bearing, typed };
                    plans.extend((at < kept).then_some((i64::try_from(at).unwrap_or(i64::MAX), step)));
                    ready
                });
                (at, ready)
            })
            .collect()
            .await;
        let mut problems = Vec::new();
        // The rows of one connection all fail with it; of several, those of the others are made.
        let all_are_down = work.rows.len() == planned.len() && planned.iter().all(|it| it.1.as_ref().is_err_and(is_down));
        let goes_on = !work.all_or_nothing && !work.invites() && !all_are_down;
        for (at, planned) in planned {
            let row = &mut work.rows[at];
            match planned {
                Ok(ready) => row.ready(ready),
                Err(error) if is_ours(&error) || (is_down(&error) && !goes_on) => return Err(error),
                Err(error) if work.all_or_nothing => problems.push((row.name.clone(), apply::told(&error))),
                Err(_) if row.follows => row.wait(),
                Err(error) if is_so_already(&error) => row.skipped(already(&error)),
                Err(error) if is_otherwise(&error) => row.ended("differs", apply::told(&error)),
                Err(error) => row.failed(apply::told(&error)),
            }
        }
        if !problems.is_empty() {
            return Err(apply::refused(&problems, work.rows.len()));
        }
        if work.invites() {
            add::fold_duplicates(&mut work.rows);
        }
        if work.tool.name == ApplyChanges::NAME && !work.in_order && !each::are_apart(&work.rows) {
            // Each was planned as if the others were not there: it is planned anew when its turn comes.
            work.in_order = true;
            plans.clear();
        }
        ask_about_newcomers(&mut work.rows);
        Ok(plans)
    }

    pub(super) async fn plan_one(
        &self,
        route: &Route,
        scope: &Scope,
        arguments: Map<String, Value>,
        caller: &Caller,
    ) -> Result<Step, CallError> {
        self.guard.may(&route.tool, &route.connection.name, caller)?;
        let offer: &Offer = self.catalog.offer(route.tool.name)?;
        match offer.prepare(&route.connection, scope, arguments)? {
            Prepared::Change { change, .. } => self.guard.plan(&route.tool, &route.connection.name, caller, change).await,
            Prepared::Read(_) => Err(CallError::Internal),
        }
    }
}

/// Whether an error says that things are as the row wants them.
pub(super) fn is_so_already(error: &CallError) -> bool {
    error.code().starts_with("already_") && !is_otherwise(error)
}

/// Whether an error says that somebody is there already, and not as the row wants them.
pub(super) fn is_otherwise(error: &CallError) -> bool {
    matches!(error, CallError::Provider(ProviderError::Differs { .. }))
}

/// Why nothing is to be done for a row.
pub(super) fn already(error: &CallError) -> String {
    crate::error::chain(error)
}

/// Whether an error is about the connection, and so would be the same for every row on it.
fn is_down(error: &CallError) -> bool {
    matches!(error, CallError::Provider(ProviderError::Remote(remote)) if remote.status.is_none_or(|it| matches!(it, 401 | 429 | 500..)))
}

/// Whether an error is about the store, or this program: nothing can be made at all.
fn is_ours(error: &CallError) -> bool {
    match error {
        CallError::Provider(error) => error.store_error().is_some(),
        CallError::Store(_) | CallError::Internal => true,
        _ => false,
    }
}
