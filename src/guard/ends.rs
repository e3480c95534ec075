//! Access that ends at a time: what the guard notes of it with the intent, so that what takes it away later is what a person agreed to.

use serde_json::{Value, json};

use super::{
    Caller, Given, Guard, Plan, consent,
    record::{Evidence, Record},
};
use crate::{
    domain::{
        Fact, Facts, Timestamp, Until,
        access::{Place, Via},
    },
    error::{CallError, ProviderError},
    store::{EntryKind, JobRecord, NewRows, new_id, transaction},
    tools::Tool,
};

/// When what a change gives is to end, and who sees to it.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) until: Until,
    pub(crate) by: EndsBy,
}

/// Who ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EndsBy {
    /// The service, which was told.
    Service,
    Rolecall,
    /// Rolecall, which has given it before: only its end changes. The call is the one that gave it.
    Moving(String),
}

impl Ending {
    pub(crate) fn new(until: Until) -> Self {
        Self { until, by: EndsBy::Rolecall }
    }

    /// What a person is told.
    pub(super) fn told(&self) -> String {
        format!("ends by itself: until {}", self.until)
    }

    /// What the ledger notes with the intent; `None` where Rolecall has nothing to do.
    pub(super) fn noted(&self, plan: &Plan) -> Option<Value> {
        let mut noted = json!({ "at": self.until.at.0, "zone": self.until.zone });
        match &self.by {
            EndsBy::Service => return None,
            EndsBy::Rolecall => {
                noted["takes"] = json!(plan.takes);
                noted["places"] = json!(places(&plan.facts));
            }
            EndsBy::Moving(call_id) => noted["moves"] = call_id.as_str().into(),
        }
        Some(noted)
    }
}

fn place_id(place: &Place) -> &str {
    match place {
        Place::Organization(it) | Place::Project { project: it, .. } | Place::Team { team: it, .. } => &it.id,
    }
}

/// The ids of the places where a change gives something.
fn places(facts: &Facts) -> Vec<String> {
    let mut ids: Vec<String> = facts
        .list
        .iter()
        .filter_map(|it| if let Fact::Gives(grant) = it { Some(place_id(&grant.place).to_owned()) } else { None })
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// What a call that takes access away would take besides: places in which the same person has something of their own, and whatever
/// would have no owner then. `places` are those where it was given.
pub(crate) fn beyond(facts: &Facts, places: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for fact in &facts.list {
        match fact {
            Fact::Takes { grant, .. }
                if grant.via == Via::Own && grant.holder.is_people() && !places.iter().any(|it| it == place_id(&grant.place)) =>
            {
                found.push(format!("{} of {}", grant.role.name, grant.place));
            }
            Fact::Ownerless { names, .. } => found.push(format!("the last owner of {}", names.names.join(", "))),
            _ => {}
        }
    }
    found.dedup();
    found
}

/// What a change of an end alone comes to: later, the access is given anew; earlier, it is taken. `taking` are the facts of the call
/// that would take it away now.
pub(crate) fn moving(taking: &Facts, later: bool) -> Facts {
    let mut facts = Facts { list: Vec::new(), about: taking.about.clone(), undo: None };
    for fact in &taking.list {
        match fact {
            Fact::Takes { grant, .. } if later => facts.list.push(Fact::Gives(grant.clone())),
            Fact::Unseen(_) => facts.list.push(fact.clone()),
            _ if later => {}
            _ => facts.list.push(fact.clone()),
        }
    }
    facts
}

/// Work that takes access away whose end has come.
pub(crate) struct Taking<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) on: &'a str,
    pub(crate) caller: &'a Caller,
    pub(crate) plan: &'a Plan,
    /// With the call's id still missing.
    pub(crate) job: JobRecord,
    pub(crate) rows: NewRows<'a>,
    /// The calls that gave it, and what is said of what stays.
    pub(crate) ends: &'a [(String, Option<String>)],
    /// The call with which it was agreed.
    pub(crate) agreed_in: &'a str,
}

impl Guard {
    /// The person's time zone, where the operator has named one.
    pub(crate) fn zone(&self) -> Option<&str> {
        self.settings.time_zone.as_deref()
    }

    /// When a call was asked for: now, or when its question went out, so that `2 weeks` means the same before and after the answer.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub(crate) async fn asked_since(
        &self,
        tool: &Tool,
        connection: &str,
        caller: &Caller,
        arguments: &Value,
        given: &Given,
    ) -> Result<Timestamp, CallError> {
        let call = consent::call_digest(tool.name, connection, &caller.principal, arguments);
        match given {
            Given::Form(ticket, _) | Given::Token(ticket) if ticket.call == call && ticket.since > 0 => return Ok(Timestamp(ticket.since)),
            _ => {}
        }
        let mut db = self.db.read().await?;
        let now = db.now().await?;
        let waiting = db.approval_of_call(&call, &caller.principal, now).await?;
        let since = waiting.and_then(|it| serde_json::from_str::<Value>(&it.question).ok()?["since"].as_i64());
        Ok(Timestamp(since.unwrap_or(now.0)))
    }

    /// Begins the job that takes access away: its ends, its intent and its rows are written together, by one process alone.
    ///
    /// # Errors
    ///
    /// Where another process was quicker, or the store cannot be used.
    pub(crate) async fn begin_taking(&self, taking: Taking<'_>) -> Result<JobRecord, CallError> {
        let Taking { tool, on, caller, plan, mut job, rows, ends, agreed_in } = taking;
        let arguments = json!({ "agreed_in": agreed_in });
        let record = Record {
            tool,
            connection: on,
            caller,
            plan,
            version: plan.version(),
            arguments: &arguments,
            call_id: new_id("call"),
            asked_at: self.db.clock().mark(),
            since: Timestamp::now(),
        };
        job.call_id.clone_from(&record.call_id);
        let body = Value::from(record.body(Some(&Evidence::Agreed { call: agreed_in.to_owned() })));
        transaction!(self.db.recording(), CallError, tx => {
            if tx.take_ends(ends, &job.id).await? < ends.len() as u64 {
                return Err(ProviderError::conflict("taken_elsewhere", "another process takes it away", "nothing is to be done").into());
            }
            tx.add_job(&job, rows).await?;
            tx.append(&record.call_id, EntryKind::Intent, &body).await?;
            Ok(())
        })?;
        Ok(job)
    }
}
