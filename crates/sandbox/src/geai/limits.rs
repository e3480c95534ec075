//! Usage limits of organizations and projects.

use serde_json::{Map, Value, json};

use super::{
    Geai, Handled, Request,
    model::{Limit, Usage},
    now,
    refusal::Refusal,
};

const ACTIVE: u8 = 1;
const EMPTY: u8 = 3;
const CANCELLED: u8 = 4;

const SUBSCRIPTIONS: &[&str] = &["Freemium", "Daily", "Weekly", "Monthly"];
const UNITS: &[&str] = &["Requests", "Cost"];
const RENEWALS: &[&str] = &["Renewable", "NonRenewable"];

/// What somebody asks for.
#[derive(Debug)]
pub(super) struct Input {
    subscription: String,
    unit: String,
    soft: f64,
    hard: f64,
    renewal: String,
}

/// Reads and checks a limit; only projects count requests.
pub(super) fn read(body: &Map<String, Value>, of_project: bool) -> Result<Input, Refusal> {
    let units = if of_project { UNITS } else { &["Cost"] };
    let input = Input {
        subscription: one_of(body, "subscriptionType", SUBSCRIPTIONS)?,
        unit: one_of(body, "usageUnit", units)?,
        soft: number(body, "softLimit")?,
        hard: number(body, "hardLimit")?,
        renewal: one_of(body, "renewalStatus", RENEWALS)?,
    };
    in_order(input.soft, input.hard)?;
    renewable(&input.subscription, &input.renewal)?;
    Ok(input)
}

fn one_of(body: &Map<String, Value>, field: &str, known: &[&str]) -> Result<String, Refusal> {
    match body.get(field) {
        None | Some(Value::Null) => Err(Refusal::missing(field)),
        Some(value) => {
            let known = known.iter().find(|it| value.as_str() == Some(it));
            known.map(|it| (*it).to_owned()).ok_or_else(|| Refusal::out_of_range(field))
        }
    }
}

/// A number, or a text that is one: some clients send it so.
fn number(body: &Map<String, Value>, field: &str) -> Result<f64, Refusal> {
    let number = match body.get(field) {
        None | Some(Value::Null) => return Err(Refusal::missing(field)),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_f64(),
    };
    number.filter(|it: &f64| it.is_finite() && *it >= 0.0).ok_or_else(|| Refusal::out_of_range(field))
}

fn in_order(soft: f64, hard: f64) -> Result<(), Refusal> {
    if hard >= soft { Ok(()) } else { Err(Refusal::new(400, 3202, "hardLimit must be greater than or equal to softLimit")) }
}

fn renewable(subscription: &str, renewal: &str) -> Result<(), Refusal> {
    if subscription != "Freemium" || renewal == "NonRenewable" {
        return Ok(());
    }
    Err(Refusal::new(400, 3203, "renewalStatus must be NonRenewable for a Freemium subscription"))
}

/// Whose limits a path is about: an organization by id or name, and a project of it, where the path has one.
fn scope(state: &Geai, request: &Request<'_>) -> Result<(String, Option<String>), Refusal> {
    let named = request.path(0);
    let own = state.organization(request.caller.organization())?;
    if own.id != named && own.name != named {
        return Err(Refusal::mismatch());
    }
    if !request.route.contains("/projects/") {
        return Ok((own.id.clone(), None));
    }
    let named = request.path(1);
    let project = state.projects.iter().find(|it| it.organization == own.id && (it.id == named || it.name == named));
    let project = project.ok_or_else(|| Refusal::new(404, 2006, "Project not in Organization"))?;
    Ok((own.id.clone(), Some(project.id.clone())))
}

pub(super) fn create(state: &mut Geai, request: &Request<'_>) -> Handled {
    let (organization, project) = scope(state, request)?;
    let input = read(&request.object()?, project.is_some())?;
    Ok(json!(state.add_limit(organization, project, input)))
}

pub(super) fn list(state: &mut Geai, request: &Request<'_>) -> Handled {
    let (organization, project) = scope(state, request)?;
    let limits: Vec<&Usage> = state.limits_of(&organization, project.as_deref()).collect();
    Ok(if state.quirks.short_limits_key { json!({ "limits": limits }) } else { json!({ "usageLimits": limits }) })
}

pub(super) fn latest(state: &mut Geai, request: &Request<'_>) -> Handled {
    let (organization, project) = scope(state, request)?;
    state.limits_of(&organization, project.as_deref()).last().map(|it| json!(it)).ok_or_else(Refusal::not_found)
}

pub(super) fn active(state: &mut Geai, request: &Request<'_>) -> Handled {
    let (organization, project) = scope(state, request)?;
    state.active_limit(&organization, project.as_deref()).map(|it| json!(it)).ok_or_else(Refusal::not_found)
}

pub(super) fn delete(state: &mut Geai, request: &Request<'_>) -> Handled {
    let usage = current(state, request)?;
    usage.status = CANCELLED;
    Ok(json!(usage))
}

pub(super) fn set_hard(state: &mut Geai, request: &Request<'_>) -> Handled {
    let hard = number(&request.object()?, "hardLimit")?;
    let usage = current(state, request)?;
    in_order(usage.soft_limit, hard)?;
    usage.hard_limit = hard;
    usage.sum_up();
    Ok(json!(usage))
}

pub(super) fn set_soft(state: &mut Geai, request: &Request<'_>) -> Handled {
    let soft = number(&request.object()?, "softLimit")?;
    let usage = current(state, request)?;
    in_order(soft, usage.hard_limit)?;
    usage.soft_limit = soft;
    Ok(json!(usage))
}

pub(super) fn set_renewal(state: &mut Geai, request: &Request<'_>) -> Handled {
    let renewal = one_of(&request.object()?, "renewalStatus", RENEWALS)?;
    let usage = current(state, request)?;
    renewable(&usage.subscription_type, &renewal)?;
    usage.renewal_status = renewal;
    Ok(json!(usage))
}

/// The limit that a path names, if it still holds.
fn current<'a>(state: &'a mut Geai, request: &Request<'_>) -> Result<&'a mut Usage, Refusal> {
    let (organization, project) = scope(state, request)?;
    let id = request.path(if project.is_some() { 2 } else { 1 });
    let limit = state.limits.iter_mut().find(|it| it.usage.id == id && it.organization == organization && it.project == project);
    limit.map(|it| &mut it.usage).filter(|it| it.holds()).ok_or_else(Refusal::not_found)
}

impl Usage {
    fn holds(&self) -> bool {
        matches!(self.status, ACTIVE | EMPTY)
    }

    /// What is left, and whether it is nothing.
    fn sum_up(&mut self) {
        self.remaining_usage = (self.hard_limit - self.used_amount).max(0.0);
        self.status = if self.used_amount >= self.hard_limit { EMPTY } else { ACTIVE };
    }
}

impl Geai {
    /// A new limit takes the place of the one that held.
    pub(super) fn add_limit(&mut self, organization: String, project: Option<String>, input: Input) -> Usage {
        for limit in &mut self.limits {
            if limit.organization == organization && limit.project == project && limit.usage.holds() {
                limit.usage.status = CANCELLED;
            }
        }
        let usage = Usage {
            id: self.fresh_id(),
            related_entity_name: if project.is_some() { "Pia.Data.Project" } else { "Pia.Data.Organization" }.to_owned(),
            subscription_type: input.subscription,
            usage_unit: input.unit,
            soft_limit: input.soft,
            hard_limit: input.hard,
            used_amount: 0.0,
            remaining_usage: input.hard,
            renewal_status: input.renewal,
            status: ACTIVE,
            valid_from: now(),
            valid_until: None,
        };
        self.limits.push(Limit { organization, project, usage: usage.clone() });
        usage
    }

    fn limits_of(&self, organization: &str, project: Option<&str>) -> impl Iterator<Item = &Usage> {
        self.limits.iter().filter(move |it| it.organization == organization && it.project.as_deref() == project).map(|it| &it.usage)
    }

    pub(super) fn active_limit(&self, organization: &str, project: Option<&str>) -> Option<&Usage> {
        self.limits_of(organization, project).filter(|it| it.holds()).last()
    }
}
