//! Calls that give access until a time: when that is, whether it can be taken away again, and what a person agrees to.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    super::{Engine, plan, planned::PlannedJob},
    given::{Given, is_same, roles},
};
use crate::{
    catalog::Offer,
    domain::{InvalidUntil, Inverse, Timestamp, Until},
    error::{CallError, ProviderError},
    guard::{self, Caller, Ending, EndsBy, Given as Consent, JobCall, Made, Planned, Preview, Step, UnsentChange},
    providers::{Connection, Prepared, Scope},
    tools::{
        Operation as _, Tool,
        keys::CreateApiKey,
        members::{CancelInvitation, RemoveOrganizationMember},
    },
};

/// The argument.
const ENDS_AT: &str = "ends_at";
/// How long a service lets a key live, in seconds.
const LIFE: std::ops::RangeInclusive<i64> = 60..=31_536_000;
const LIFE_ARGUMENT: &str = "expires_in_seconds";

/// A call alone that gives access until a time.
pub(crate) struct Wanted {
    pub(crate) change: UnsentChange,
    /// As they were understood, with the end as it was written.
    pub(crate) arguments: Value,
    pub(crate) ends: Ending,
    pub(crate) since: Timestamp,
}

impl Engine {
    /// Prepares a call alone.
    pub(in crate::jobs) async fn wanted(
        &self,
        offer: &Offer,
        connection: &Arc<Connection>,
        arguments: Map<String, Value>,
        written: &str,
        (caller, consent): (&Caller, &Consent),
    ) -> Result<Wanted, CallError> {
        let scope = connection.open();
        let Prepared::Change { arguments: mut understood, .. } = offer.prepare(connection, &scope, arguments.clone())? else {
            return Err(CallError::Internal);
        };
        understood[ENDS_AT] = written.into();
        let since = self.guard.asked_since(&offer.tool, &connection.name, caller, &understood, consent).await?;
        let until = self.until(written, since)?;
        let mut ending = self.ending(&offer.tool, connection, until, caller)?;
        let arguments = told_to_service(offer, connection, arguments, &mut ending, since)?;
        // Looked at once before, since what is there already has an end that may be changed.
        let change = match self.planned_ending(offer, connection, &scope, (&arguments, &mut ending), caller).await {
            Ok(Way::Give(_)) => giving(offer, connection, &connection.open(), arguments)?,
            Ok(Way::Move(change)) => change,
            // A call that was made before, under the same key, is answered as it was then.
            Err(CallError::Provider(error)) => UnsentChange::new(async move { Err(error) }),
            Err(error) => return Err(error),
        };
        Ok(Wanted { change, arguments: understood, ends: ending, since })
    }

    /// Plans a row of a job whose arguments name an end.
    pub(in crate::jobs) async fn plan_ending(
        &self,
        offer: &Offer,
        (connection, scope): (&Arc<Connection>, &Scope),
        arguments: Map<String, Value>,
        written: &str,
        caller: &Caller,
    ) -> Result<Step, CallError> {
        let now = self.db.read().await?.now().await?;
        let mut ending = self.ending(&offer.tool, connection, self.until(written, now)?, caller)?;
        let arguments = told_to_service(offer, connection, arguments, &mut ending, now)?;
        match self.planned_ending(offer, connection, scope, (&arguments, &mut ending), caller).await? {
            Way::Give(step) => Ok(*step),
            Way::Move(change) => self.guard.plan(&offer.tool, &connection.name, caller, change, Some(&ending)).await,
        }
    }

    /// Writes into the rows of a job when what they give is to end: as the whole call says, or each step. They were asked for at one
    /// time, and their ends are moments from then on.
    pub(in crate::jobs) async fn set_ends(
        &self,
        work: &mut PlannedJob,
        written: Option<&str>,
        caller: &Caller,
        consent: &Consent,
    ) -> Result<Timestamp, CallError> {
        if let (Some(written), Value::Object(arguments)) = (written, &mut work.arguments) {
            arguments.insert(ENDS_AT.into(), written.into());
        }
        let gives = |tool: &str| self.catalog.offer(tool).is_ok_and(|it| it.tool.ended_by.is_some());
        for row in &mut work.rows {
            if let Some(written) = written.filter(|_| gives(&row.tool)) {
                row.arguments.insert(ENDS_AT.into(), written.into());
            }
        }
        if !work.rows.iter().any(|it| it.arguments.contains_key(ENDS_AT)) {
            return Ok(self.clock.now());
        }
        let call = JobCall { tool: &work.tool, connection: &work.connection, caller, arguments: &work.arguments };
        let since = self.guard.asked_since(call.tool, call.connection, call.caller, call.arguments, consent).await?;
        if let Some(written) = written {
            self.until(written, since)?;
        }
        for row in &mut work.rows {
            let Some(text) = row.arguments.get(ENDS_AT).and_then(Value::as_str) else { continue };
            // What cannot be read, planning says.
            if let Ok(it) = self.until(text, since) {
                row.arguments.insert(ENDS_AT.into(), format!("{}[{}]", it.at, it.zone).into());
            }
        }
        Ok(since)
    }

    fn until(&self, written: &str, now: Timestamp) -> Result<Until, CallError> {
        Until::read(written, now, self.guard.zone()).map_err(|InvalidUntil { problem, fix }| {
            let message = format!("`ends_at`: `{}` {problem}", crate::shape::cut(written, 80));
            CallError::InvalidArguments { message, fix }
        })
    }

    /// What can be given until a time has to be such that it can be taken away again.
    fn ending(&self, tool: &Tool, connection: &Connection, until: Until, caller: &Caller) -> Result<Ending, CallError> {
        let by = tool.ended_by.ok_or(CallError::Internal)?;
        let taking = self.catalog.offer(by).and_then(|it| it.connection(Some(&connection.name)).map(|_| &it.tool));
        let allowed = taking.and_then(|tool| self.guard.may(tool, &connection.name, caller));
        match allowed {
            Ok(()) => Ok(Ending::new(until)),
            Err(_) => Err(CallError::InvalidArguments {
                message: format!(
                    "`ends_at` cannot be kept on connection `{}`: {by} is not on offer there, and takes it away",
                    connection.name
                ),
                fix: "leave `ends_at` out, or have the operator of this server allow that tool".into(),
            }),
        }
    }

    /// What the call would do: give, or change the end of what was given before.
    async fn planned_ending(
        &self,
        offer: &Offer,
        connection: &Arc<Connection>,
        scope: &Scope,
        (arguments, ending): (&Map<String, Value>, &mut Ending),
        caller: &Caller,
    ) -> Result<Way, CallError> {
        let change = giving(offer, connection, scope, arguments.clone())?;
        match self.guard.plan(&offer.tool, &connection.name, caller, change, Some(ending)).await {
            Ok(step) => Ok(Way::Give(Box::new(step))),
            Err(error) if plan::is_so_already(&error) => {
                let Some((change, call_id)) = self.moving(offer, connection, arguments, &ending.until, caller).await? else {
                    return Err(without_end(&error));
                };
                ending.by = EndsBy::Moving(call_id);
                Ok(Way::Move(change))
            }
            Err(error) => Err(error),
        }
    }

    /// The change of an end: of access that was given until another time, and is still there. `None` where it was given without one.
    async fn moving(
        &self,
        offer: &Offer,
        connection: &Arc<Connection>,
        arguments: &Map<String, Value>,
        until: &Until,
        caller: &Caller,
    ) -> Result<Option<(UnsentChange, String)>, CallError> {
        let tool = &offer.tool;
        let taking = self.catalog.offer(tool.ended_by.ok_or(CallError::Internal)?)?;
        let change = giving(taking, connection, &plan::scope(connection), in_words_of(&taking.tool, arguments))?;
        let Ok(step) = self.guard.plan(&taking.tool, &connection.name, caller, change, None).await else { return Ok(None) };
        let plan = step.plan();
        let mut conn = self.db.read().await?;
        for end in conn.open_ends_of(&connection.name, &plan.target.name).await? {
            let Some(given) = Given::read(&mut conn, end).await? else { continue };
            let held = roles(&plan.before);
            let is_it = is_same(&given.target, &plan.target)
                && (held.is_empty() || given.roles.is_empty() || held.iter().any(|it| given.roles.contains(it)));
            let same_tool = self.catalog.offer(&given.tool).is_ok_and(|it| it.tool.ended_by == tool.ended_by);
            if !is_it || !same_tool || given.later(&mut conn).await?.is_some() {
                continue;
            }
            if given.end.ends_at == until.at.0 {
                let message = format!("`{}` has it already, until {}", plan.target.name, given.until);
                return Err(
                    ProviderError::conflict("already_ends_then", message, "nothing needs to be done; see list_ending_access").into()
                );
            }
            let old = format!("{}[{}]", given.until.at, given.until.zone);
            let mut facts = guard::moving(&plan.facts, until.at > given.until.at);
            facts = facts.note(format!("it was to end {}", given.until)).undo(format!("{} with ends_at {old}", tool.name));
            let mut back = given.arguments.clone();
            back.insert(ENDS_AT.into(), old.into());
            let inverse = Inverse { tool: tool.name.to_owned(), arguments: back.into() };
            let (target, before) = (plan.target.clone(), plan.before.clone());
            let preview = Preview { target, facts, before, after: None };
            let planned = Planned::new(preview, move |plan, _| {
                Box::pin(async move {
                    let (before, undo) = (Some(plan.before).filter(|it| !it.is_null()), plan.impact.undo);
                    Ok(Made { target: plan.target, after: before.clone(), before, undo, inverse: vec![inverse], secret: None })
                })
            });
            return Ok(Some((UnsentChange::new(async move { Ok(planned) }), given.end.call_id)));
        }
        Ok(None)
    }
}

enum Way {
    Give(Box<Step>),
    Move(UnsentChange),
}

fn giving(offer: &Offer, connection: &Connection, scope: &Scope, arguments: Map<String, Value>) -> Result<UnsentChange, CallError> {
    match offer.prepare(connection, scope, arguments)? {
        Prepared::Change { change, .. } => Ok(change),
        Prepared::Read(_) => Err(CallError::Internal),
    }
}

/// Where the service knows an end of such a thing, it is told.
fn told_to_service(
    offer: &Offer,
    connection: &Connection,
    mut arguments: Map<String, Value>,
    ending: &mut Ending,
    since: Timestamp,
) -> Result<Map<String, Value>, CallError> {
    if offer.tool.name != CreateApiKey::NAME || connection.ignores(offer.tool.name).contains(&LIFE_ARGUMENT) {
        return Ok(arguments);
    }
    if arguments.contains_key(LIFE_ARGUMENT) {
        let message = "`ends_at` and `expires_in_seconds` both say when the key ends".to_owned();
        return Err(CallError::InvalidArguments { message, fix: "give one of them".into() });
    }
    let life = (ending.until.at.0 - since.0) / 1000;
    if LIFE.contains(&life) {
        arguments.insert(LIFE_ARGUMENT.into(), life.into());
        ending.by = EndsBy::Service;
    }
    Ok(arguments)
}

/// The arguments of a call that gives as those of the call that takes.
pub(super) fn in_words_of(taking: &Tool, arguments: &Map<String, Value>) -> Map<String, Value> {
    let schema = taking.input();
    let known = |name: &str| schema["properties"].get(name).is_some();
    let renamed = |name: &str| match (taking.name, name) {
        (RemoveOrganizationMember::NAME, "email") => "member".to_owned(),
        (CancelInvitation::NAME, "email") => "invitation".to_owned(),
        _ => name.to_owned(),
    };
    arguments.iter().map(|(name, value)| (renamed(name), value.clone())).filter(|it| known(&it.0)).collect()
}

/// Access that is there without an end gets none by being given again.
fn without_end(error: &CallError) -> CallError {
    let message = format!("{}; it was given without an end, and stays", crate::error::chain(error));
    ProviderError::conflict("already_without_end", message, "to end it, take it away; then grant it again with `ends_at`").into()
}

/// Takes the end out of a row's arguments.
pub(in crate::jobs) fn taken_out(arguments: &mut Map<String, Value>) -> Option<String> {
    match arguments.shift_remove(ENDS_AT)? {
        Value::String(it) => Some(it),
        other => Some(other.to_string()),
    }
}

/// The end of all rows, where they have one and the same.
pub(in crate::jobs) fn common<'a>(rows: impl Iterator<Item = &'a str>) -> Option<Timestamp> {
    let mut found: Option<Until> = None;
    for row in rows {
        let arguments: Value = serde_json::from_str(row).unwrap_or_default();
        let until = Until::read(arguments[ENDS_AT].as_str()?, Timestamp(0), None).ok()?;
        if found.as_ref().is_some_and(|it| it.at != until.at) {
            return None;
        }
        found = Some(until);
    }
    found.map(|it| it.at)
}
