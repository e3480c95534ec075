//! Taking access away whose end has come: exactly what was given, and only where it is still that.

use serde_json::{Map, Value};

use super::{
    super::{
        Engine, apply,
        plan::Scopes,
        planned::{PlannedRow, Ready, Route, Stage},
    },
    given::{Given, Outcome, roles},
};
use crate::{
    error::{CallError, ProviderError},
    guard::{self, Caller, Plan, Step},
    store::StoreError,
    tools::{
        Operation as _,
        keys::DeleteApiKey,
        members::{CancelInvitation, RemoveOrganizationMember},
        roles::UnassignRole,
    },
};

/// How a reason begins where nobody knows whether a call took effect: it is looked at again, and not sent again.
pub(super) const UNKNOWN: &str = "nobody knows whether it was taken away";

/// For whom something is taken away, and what was looked up for it already.
pub(super) struct By<'a> {
    pub(super) caller: Caller,
    pub(super) scopes: &'a Scopes,
}

/// What is to be done about an end that has come.
pub(super) enum Come {
    /// These calls take it away. What stays, and why, is said with it.
    Take { rows: Vec<PlannedRow>, stays: Option<String> },
    /// It is over.
    Over { state: &'static str, reason: String },
    /// It cannot be taken away now.
    Failed { reason: String },
}

fn failed(reason: impl Into<String>) -> Come {
    Come::Failed { reason: reason.into() }
}

fn left(reason: impl Into<String>) -> Come {
    Come::Over { state: "left", reason: reason.into() }
}

impl Engine {
    /// Looks what taking a thing away would do now. Nothing is sent.
    pub(super) async fn come(&self, given: &Given, by: &By<'_>) -> Result<Come, StoreError> {
        if given.outcome == Outcome::NotMade {
            return Ok(Come::Over { state: "cancelled", reason: "it was not given".into() });
        }
        let later = given.later(&mut self.db.read().await?).await?;
        if let Some(later) = later {
            return Ok(Come::Over { state: "cancelled", reason: later.reason() });
        }
        if given.takes.is_empty() {
            return Ok(failed(format!("nobody knows whether it was given, in call {}; look, and take it away by hand", given.end.call_id)));
        }
        let mut rows: Vec<PlannedRow> = Vec::new();
        for call in &given.takes {
            let arguments = call.arguments.as_object().cloned().unwrap_or_default();
            match self.planned_taking(given, &call.tool, arguments.clone(), by).await {
                Ok((route, step)) => {
                    if rows.is_empty()
                        && let Some(other) = self.not_exactly(given, step.plan(), &arguments, by).await
                    {
                        return Ok(other);
                    }
                    rows.push(row(given, rows.len(), &route, arguments, &step));
                }
                Err(error) if is_gone(&error) && call.tool == CancelInvitation::NAME => return Ok(self.accepted(given, by).await),
                Err(error) if is_gone(&error) && given.is_invited => {
                    return Ok(failed(
                        "the invitation is not accepted yet and cannot be called back; it is taken away once it is accepted",
                    ));
                }
                Err(error) if is_gone(&error) => {
                    if rows.is_empty() {
                        return Ok(Come::Over { state: "cancelled", reason: "it was gone before".into() });
                    }
                }
                Err(error) => return Ok(failed(apply::told(&error))),
            }
        }
        if given.end.reason.as_deref().is_some_and(|it| it.starts_with(UNKNOWN)) {
            return Ok(failed(format!("{UNKNOWN}; it is still there, and is not sent again: take it away by hand")));
        }
        Ok(Come::Take { rows, stays: None })
    }

    async fn planned_taking(
        &self,
        given: &Given,
        tool: &str,
        arguments: Map<String, Value>,
        by: &By<'_>,
    ) -> Result<(Route, Step), CallError> {
        let offer = self.catalog.offer(tool)?;
        let connection = offer.connection(Some(&given.end.connection))?.clone();
        let route = Route { tool: offer.tool.clone(), connection };
        let step = self.plan_one(&route, &by.scopes.get(&route.connection), arguments, &by.caller).await?;
        Ok((route, step))
    }

    /// What is done instead where it is no longer exactly what was given. `None` where it is.
    async fn not_exactly(&self, given: &Given, plan: &Plan, arguments: &Map<String, Value>, by: &By<'_>) -> Option<Come> {
        let taken_by = given.takes.first().map(|it| it.tool.as_str()).unwrap_or_default();
        // These name by its id what they end, and nothing else.
        if [UnassignRole::NAME, CancelInvitation::NAME, DeleteApiKey::NAME].contains(&taken_by) {
            return None;
        }
        if let (Some(before), Some(now)) = (given.since.as_deref(), plan.before["since"].as_str())
            && now > before
            && !given.is_invited
        {
            return Some(left(format!("it was granted again at {now}, past Rolecall or by another call")));
        }
        let held = roles(&plan.before);
        let others: Vec<String> = held.iter().filter(|it| !given.roles.contains(it)).cloned().collect();
        let common: Vec<String> = held.iter().filter(|it| given.roles.contains(it)).cloned().collect();
        if !given.roles.is_empty() && !others.is_empty() {
            let (now, was) = (held.join(", "), given.roles.join(", "));
            if common.is_empty() && !given.roles_are_known {
                return Some(left(format!("the roles there now are {now}, and whether those were given is not known; see what is to go")));
            }
            if common.is_empty() {
                return Some(left(format!("the role there now is {now}, and not {was}, which was given")));
            }
            return Some(self.only_roles(given, arguments, &common, &others, by).await);
        }
        let beyond = guard::beyond(&plan.facts, &given.places);
        if beyond.is_empty() {
            return None;
        }
        let reason = format!("with it would go what was not given with it: {}", beyond.join(", "));
        // A last owner may be joined by another one any time.
        if taken_by == RemoveOrganizationMember::NAME {
            Some(left(format!("{reason}; take away by hand what is to go")))
        } else {
            Some(failed(reason))
        }
    }

    /// Takes the roles that were given, one by one; the others in the same place stay.
    async fn only_roles(&self, given: &Given, place: &Map<String, Value>, common: &[String], others: &[String], by: &By<'_>) -> Come {
        let stays = format!("further roles stay: {}", others.join(", "));
        let mut rows: Vec<PlannedRow> = Vec::new();
        for role in common {
            let mut arguments = place.clone();
            arguments.insert("role".into(), role.as_str().into());
            match self.planned_taking(given, UnassignRole::NAME, arguments.clone(), by).await {
                Ok((route, step)) => rows.push(row(given, rows.len(), &route, arguments, &step)),
                Err(error) => return left(format!("{stays}; {role} cannot be taken away alone: {}", apply::told(&error))),
            }
        }
        Come::Take { rows, stays: Some(stays) }
    }

    /// An invitation that nobody can cancel any more: whoever has accepted it is a member now, as which they were invited.
    async fn accepted(&self, given: &Given, by: &By<'_>) -> Come {
        let mut arguments = Map::new();
        arguments.insert("member".into(), given.target.name.as_str().into());
        let organization = given.takes.first().and_then(|it| it.arguments.get("organization")).cloned();
        arguments.extend(organization.map(|it| ("organization".to_owned(), it)));
        match self.planned_taking(given, RemoveOrganizationMember::NAME, arguments.clone(), by).await {
            Ok((route, step)) => {
                let plan = step.plan();
                let others: Vec<String> = roles(&plan.before).into_iter().filter(|it| !given.roles.contains(it)).collect();
                if given.roles_are_known && !others.is_empty() {
                    return left(format!(
                        "the role there now is {}, and not {}, which was given",
                        others.join(", "),
                        given.roles.join(", ")
                    ));
                }
                let beyond = guard::beyond(&plan.facts, &given.places);
                if !beyond.is_empty() {
                    let what = beyond.join(", ");
                    return left(format!("with it would go what was not given with it: {what}; take away by hand what is to go"));
                }
                Come::Take { rows: vec![row(given, 0, &route, arguments, &step)], stays: None }
            }
            Err(error) if is_gone(&error) => Come::Over { state: "cancelled", reason: "it was gone before".into() },
            Err(error) => failed(apply::told(&error)),
        }
    }
}

/// Whether an error says that there is nothing to take away.
fn is_gone(error: &CallError) -> bool {
    let not_there = matches!(error, CallError::Provider(ProviderError::NotFound { .. }));
    not_there || ["already_gone", "not_pending", "not_assigned"].contains(&error.code().as_str())
}

/// A row of the job that takes something away, named after the call that gave it.
fn row(given: &Given, number: usize, route: &Route, arguments: Map<String, Value>, step: &Step) -> PlannedRow {
    let plan = step.plan();
    let ready = Ready { told: step.told(true), title: step.title(), bearing: plan.bearing.clone(), typed: plan.name.clone() };
    PlannedRow {
        name: row_name(&given.end.call_id, number),
        connection: route.connection.name.clone(),
        tool: route.tool.name.to_owned(),
        arguments,
        target: Some(plan.target.clone()),
        stage: Stage::Ready(Box::new(ready)),
        follows: number > 0,
    }
}

/// `call_1`, `call_1/2`, …
pub(super) fn row_name(call_id: &str, number: usize) -> String {
    if number == 0 { call_id.to_owned() } else { format!("{call_id}/{}", number + 1) }
}
