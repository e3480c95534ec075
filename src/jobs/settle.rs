//! Rows that were being sent when their worker died: whether they took effect is found out, never tried.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Map, Value, json};

use super::{
    apply,
    plan::{self, Scopes},
    planned::{self, Route},
    row::change,
    worker::{Broken, Worker},
};
use crate::{
    domain::{Inverse, Timestamp},
    error::{CallError, ProviderError},
    guard::{Account as _, LookedBack, Step, settled},
    providers::Scope,
    store::{JobRow, Lease, RowChange, StoreError, transaction},
    tools::{
        Effect, Operation as _,
        project_members::{AddProjectMember, GetProjectMember},
        roles::ListRoleAssignments,
    },
};

/// How many rows are looked into at the same time.
const AT_ONCE: usize = 8;

/// How many looks have to agree that a call has not taken effect, and how far they are apart.
const LOOKS: u32 = 2;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// For how long a service is asked that cannot answer.
const PATIENCE: Duration = Duration::from_mins(3);

/// What became of a row that was being sent.
enum Found {
    /// It took effect.
    Done {
        receipt: Option<Value>,
        /// The calls that take it back, where they are known.
        inverse: Vec<Inverse>,
        reason: &'static str,
    },
    /// It did not, and will not.
    NotMade,
    /// Nobody can be asked just now, and this is why.
    NotNow {
        reason: String,
    },
    Unknown {
        reason: String,
    },
}

/// A row that was being sent.
pub(super) struct Doubtful {
    row: JobRow,
    /// For how long nobody could be sending it when this worker took the job.
    idle: Duration,
    /// When it is looked at, from then on.
    next: Duration,
    /// How many looks that count have not found it.
    absences: u32,
}

/// What comes of a look.
enum Look {
    Sure(Found),
    Again(Again),
}

/// Another look, later.
struct Again {
    next: Duration,
    absences: u32,
}

fn minus(time: Timestamp, span: Duration) -> Timestamp {
    Timestamp(time.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
}

impl Worker {
    /// The rows that workers before this one were sending: few, since no worker sends many at the same time. Since when each can no longer
    /// be sent is noted, and holds for all who come after.
    pub(super) async fn doubtful(&self, lease: &Lease) -> Result<Vec<Doubtful>, Broken> {
        let mut found: Vec<Doubtful> = Vec::new();
        loop {
            let rows = self.rows_after(found.last().map_or(-1, |it| it.row.idx), "sending", 200).await?;
            if rows.is_empty() {
                break;
            }
            found.extend(rows.into_iter().map(|row| Doubtful { row, idle: Duration::ZERO, next: Duration::ZERO, absences: 0 }));
        }
        if found.is_empty() {
            return Ok(found);
        }
        // What had passed when this worker took the job, by the store's time.
        let held_for = self.held_for();
        let taken_at: Option<Timestamp> = transaction!(self.engine.db.recording(), StoreError, tx => {
            if tx.keep_job(lease).await?.is_none() {
                return Ok(None);
            }
            let taken_at = minus(tx.now().await?, held_for);
            tx.doubt_rows(&lease.job, minus(taken_at, self.free_for())).await?;
            Ok(Some(taken_at))
        })?;
        let taken_at = taken_at.ok_or(Broken::Lost)?;
        for it in &mut found {
            let since =
                it.row.doubtful_since.map_or(self.free_for(), |since| Duration::from_millis((taken_at.0 - since).max(0).unsigned_abs()));
            it.idle = since;
        }
        Ok(found)
    }

    /// Settles rows that were being sent, in rounds of looks. What is read in a round is read once for all of its rows, and anew in the
    /// next: one of them may have taken effect since.
    pub(super) async fn settle_all(&self, mut rows: Vec<Doubtful>) -> Result<(), Broken> {
        loop {
            let (scopes, held_for) = (Scopes::default(), self.held_for());
            let (due, mut later): (Vec<_>, Vec<_>) = rows.into_iter().partition(|it| it.next <= held_for);
            let looks = stream::iter(due).map(|row| self.settle(row, &scopes)).buffer_unordered(AT_ONCE);
            later.extend(looks.try_collect::<Vec<_>>().await?.into_iter().flatten());
            let Some(next) = later.iter().map(|it| it.next).min() else { return Ok(()) };
            rows = later;
            tokio::select! {
                () = self.log.closed() => return Err(Broken::Stopping),
                () = tokio::time::sleep(next.saturating_sub(self.held_for())) => {}
            }
        }
    }

    /// Settles a row, or gives it back for another look.
    async fn settle(&self, doubtful: Doubtful, scopes: &Scopes) -> Result<Option<Doubtful>, Broken> {
        let row = &doubtful.row;
        let call_id = row.call_id.clone().unwrap_or_default();
        let (route, arguments) = match self.route(row).await? {
            Ok(it) => it,
            Err(reason) => {
                self.ended(row.idx, change("unknown", Some(reason)), None).await?;
                return Ok(None);
            }
        };
        let found = match route.connection.settle(&call_id, true).await {
            Some(true) => Found::Done { receipt: None, inverse: Vec::new(), reason: "it had taken effect when its process ended" },
            Some(false) => Found::NotMade,
            None => match self.look(&doubtful, &route, &arguments, &call_id, &scopes.get(&route.connection)).await {
                Look::Sure(found) => found,
                Look::Again(again) => return Ok(Some(Doubtful { next: again.next, absences: again.absences, ..doubtful })),
            },
        };
        let (change, outcome) = match found {
            Found::Done { receipt, inverse, reason } => {
                let target = row.target.as_deref().and_then(|it| serde_json::from_str::<Value>(it).ok()).unwrap_or_default();
                let receipt = receipt.unwrap_or_else(|| settled(&target, &call_id, route.tool.makes_secret));
                let mut outcome = json!({ "outcome": "done", "settled": true });
                if !inverse.is_empty() {
                    outcome["inverse"] = json!(inverse);
                }
                let change = RowChange {
                    state: "done",
                    reason: Some(reason.to_owned()),
                    receipt: Some(receipt.to_string()),
                    inverse: if inverse.is_empty() { None } else { planned::text(&inverse) },
                    ..RowChange::default()
                };
                (change, outcome)
            }
            Found::NotMade => {
                let outcome =
                    json!({ "outcome": "failed", "settled": true, "reason": "its process ended before it was made; it is made anew" });
                self.log.note(row.idx, change("pending", None), Some((call_id, outcome))).await?;
                return Ok(None);
            }
            Found::Unknown { reason } | Found::NotNow { reason } => {
                let outcome = json!({ "outcome": "outcome_unknown", "reason": reason });
                (change("unknown", Some(reason)), outcome)
            }
        };
        self.ended(row.idx, change, Some((call_id, outcome))).await?;
        Ok(None)
    }

    /// Looks what became of a row. That it did not take effect is sure only when looks agree on it that were made when it could no longer
    /// arrive: the worker before this one has sent none after it was gone.
    async fn look(&self, it: &Doubtful, route: &Route, arguments: &Map<String, Value>, call_id: &str, scope: &Scope) -> Look {
        let planned = self.engine.plan_one(route, scope, arguments.clone(), &self.caller).await;
        let found = self.seen(planned, route, &arguments.clone().into(), call_id).await;
        let (held_for, arrived_after) = (self.held_for(), self.engine.arrived_after(&route.connection));
        let between = BETWEEN_LOOKS.min(arrived_after);
        match found {
            Found::NotMade => {
                let left = arrived_after.saturating_sub(it.idle + held_for);
                let absences = it.absences + u32::from(left.is_zero());
                if absences == LOOKS {
                    return Look::Sure(Found::NotMade);
                }
                Look::Again(Again { next: held_for + left.max(between), absences })
            }
            // A service that is restarted, or that wants to be left alone for a moment, tells later.
            Found::NotNow { .. } if held_for < PATIENCE => Look::Again(Again { next: held_for + BETWEEN_LOOKS, absences: it.absences }),
            Found::NotNow { reason } => Look::Sure(Found::Unknown { reason }),
            found => Look::Sure(found),
        }
    }

    /// What planning the same call again, and reading back, say about it.
    async fn seen(&self, planned: Result<Step, CallError>, route: &Route, arguments: &Value, call_id: &str) -> Found {
        let step = match planned {
            Ok(step) => step,
            // Somebody is in; with which of several roles nobody has said.
            Err(error) if plan::is_otherwise(&error) && several_roles(arguments).is_some() => {
                let roles = several_roles(arguments).unwrap_or_default();
                let read = if route.tool.name == AddProjectMember::NAME { GetProjectMember::NAME } else { ListRoleAssignments::NAME };
                return Found::Unknown {
                    reason: format!("whether all of its roles were given is not known; look with {read} for {roles}"),
                };
            }
            Err(error) if plan::is_so_already(&error) => {
                return Found::Done { receipt: None, inverse: Vec::new(), reason: "it is so already" };
            }
            // What is to be taken away was there when it was planned.
            Err(CallError::Provider(ProviderError::NotFound { .. })) if route.tool.effect == Effect::Destroy => {
                return Found::Done { receipt: None, inverse: Vec::new(), reason: "it is gone" };
            }
            Err(error) => {
                let reason = format!("whether it took effect is not known: {}", apply::told(&error));
                return if plan::is_down(&error) { Found::NotNow { reason } } else { Found::Unknown { reason } };
            }
        };
        let target = step.plan().target.name.clone();
        match self.engine.guard.look_back(step, &self.row_call(route, arguments), call_id).await {
            LookedBack::Made(ended) => {
                let (receipt, inverse) = (ended.result.ok(), ended.inverse);
                Found::Done { receipt, inverse, reason: "it had taken effect when its process ended" }
            }
            LookedBack::NotMade => Found::NotMade,
            LookedBack::NotNow => {
                Found::NotNow { reason: format!("whether it took effect is not known: `{}` cannot be asked", route.connection.name) }
            }
            LookedBack::Unknown => {
                Found::Unknown { reason: format!("whether it took effect is not known; look at `{target}` with a read") }
            }
        }
    }
}

/// The roles that a call gives, where they are more than one.
fn several_roles(arguments: &Value) -> Option<String> {
    let roles: Vec<&str> = arguments["roles"].as_array()?.iter().filter_map(Value::as_str).collect();
    (roles.len() > 1).then(|| roles.join(", "))
}
