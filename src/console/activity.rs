//! What was done, and the way back.

use rolecall_console::{ActivityFilter, ActivityPage, Call, CallPlan, Day, Made, Trouble, Verified, VerifiedPerson};
use serde_json::{Map, Value, json};

use super::{Program, store_trouble};
use crate::{
    domain::Timestamp,
    store::{CallsOfDay, Conn, EntryKind, StoreError, transaction},
    tools::{Operation as _, context::ListActivity, jobs::Undo},
};

/// How many days a plot shows.
const DAYS: i64 = 30;
const DAY: i64 = 86_400_000;

impl Program {
    pub(super) async fn page_of_activity(&self, filter: &ActivityFilter) -> Result<ActivityPage, Trouble> {
        let mut arguments = json!({ "limit": 50 });
        let ActivityFilter { since, tool, member, outcome, cursor } = filter;
        for (name, value) in [("since", since), ("tool", tool), ("member", member), ("outcome", outcome), ("cursor", cursor)] {
            if !value.trim().is_empty() {
                arguments[name] = value.trim().into();
            }
        }
        let found = self.read(ListActivity::NAME, arguments).await?;
        let mut calls: Vec<Call> = found["items"].as_array().into_iter().flatten().map(call).collect();
        let completed: Result<(), StoreError> = async {
            let mut db = self.app.db.read().await?;
            for it in &mut calls {
                complete(it, &mut db).await?;
            }
            Ok(())
        }
        .await;
        completed.map_err(|it| store_trouble(&it))?;
        Ok(ActivityPage { calls, next: found["next_cursor"].as_str().map(str::to_owned) })
    }

    pub(super) async fn last_days(&self) -> Result<Vec<Day>, Trouble> {
        let today = Timestamp::now().0 / DAY;
        let first = today - DAYS + 1;
        let counted = async { self.app.db.read().await?.calls_by_day(Timestamp(first * DAY)).await };
        let counted: Vec<CallsOfDay> = counted.await.map_err(|it| store_trouble(&it))?;
        let mut days: Vec<Day> =
            (first..=today).map(|it| Day { day: Timestamp(it * DAY).to_string().chars().take(10).collect(), ..Day::default() }).collect();
        for it in counted {
            let Some(day) = usize::try_from(it.day - first).ok().and_then(|at| days.get_mut(at)) else { continue };
            let calls = it.calls.unsigned_abs();
            match it.outcome.as_str() {
                "done" => day.done += calls,
                "refused" | "failed" => day.not += calls,
                _ => day.open += calls,
            }
        }
        Ok(days)
    }

    pub(super) async fn verified(&self) -> Result<Verified, Trouble> {
        let found: Result<_, StoreError> = async {
            let found = self.app.db.read().await?.verify_ledger().await?;
            if found.broken.is_none() {
                transaction!(self.app.db, StoreError, tx => { tx.set_anchor(&found).await })?;
            }
            Ok(found)
        }
        .await;
        let found = found.map_err(|it| store_trouble(&it))?;
        Ok(Verified { rows: found.rows, head: found.head, broken: found.broken.map(|(row, why)| (row, why.to_owned())) })
    }

    pub(super) async fn plan_of_undo(&self, call: &str) -> Result<CallPlan, Trouble> {
        self.plan_of(Undo::NAME, undoing(call)).await
    }

    pub(super) async fn undone(&self, call: &str, person: &VerifiedPerson) -> Result<Made, Trouble> {
        self.made(Undo::NAME, undoing(call), person).await
    }
}

fn undoing(call: &str) -> Map<String, Value> {
    Map::from_iter([("call_id".to_owned(), call.into())])
}

fn call(it: &Value) -> Call {
    let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
    Call {
        id: text("call_id"),
        at: chrono::DateTime::parse_from_rfc3339(&text("at")).map(|it| it.timestamp_millis()).unwrap_or_default(),
        tool: text("tool"),
        target: text("target"),
        connection: text("on"),
        outcome: text("outcome"),
        principal: text("principal"),
        client: text("client"),
        agreed: it["consent"].as_str().map(str::to_owned),
        reason: it["reason"].as_str().map(str::to_owned),
        changed: Vec::new(),
        can_be_undone: false,
    }
}

/// Looks up in the ledger who agreed, what changed, and whether there is a way back.
async fn complete(call: &mut Call, db: &mut Conn) -> Result<(), StoreError> {
    let intent = db.entries(&call.id, EntryKind::Intent).await?.pop().map(|it| it.body()).unwrap_or_default();
    let outcome = db.entries(&call.id, EntryKind::Outcome).await?.pop().map(|it| it.body()).unwrap_or_default();
    if let Some(approval) = intent["consent"]["approval"].as_str() {
        let answers = db.entries(approval, EntryKind::Answer).await?;
        let people: Vec<String> = answers.iter().filter_map(|it| it.body()["person"].as_str().map(str::to_owned)).collect();
        if !people.is_empty() {
            call.agreed = Some(people.join(" and "));
        }
    } else if call.agreed.as_deref() == Some("form") {
        call.agreed = Some("a form in the client".to_owned());
    }
    let inverse = outcome["inverse"].as_array().cloned().unwrap_or_default();
    call.can_be_undone = call.outcome == "done" && !inverse.is_empty();
    if let [one] = inverse.as_slice()
        && one["tool"] == intent["tool"]
    {
        let empty = Map::new();
        let (to, from) = (intent["arguments"].as_object().unwrap_or(&empty), one["arguments"].as_object().unwrap_or(&empty));
        let told = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
        let changed = to.iter().filter_map(|(name, to)| Some((name, from.get(name)?, to))).filter(|(_, from, to)| from != to);
        // What a thing is pointed at by is written in two ways, and not a change.
        let points = ["organization", "project", "member", "team", "connection", "role_id"];
        let changed = changed.filter(|it| !points.contains(&it.0.as_str()));
        call.changed = changed.map(|(name, from, to)| (name.replace('_', " "), told(from), told(to))).collect();
    }
    Ok(())
}
