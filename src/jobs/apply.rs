//! `apply_changes`: a row for each step.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    Engine,
    planned::{PlannedJob, PlannedRow, Route, Stage},
    references,
};
use crate::{
    catalog::Offer,
    domain::one_line,
    error::{CallError, ProviderError},
    providers::{self, builtin},
    tools::{
        Effect, Tool,
        jobs::{ApplyChanges, OnFailure, StepCall},
    },
};

/// The most steps of one call.
const MAX_STEPS: usize = 200;

impl Engine {
    /// # Errors
    ///
    /// Where there are no steps or too many, and where a step cannot be understood and the others are not to be made without it.
    pub(super) fn applying(&self, tool: &Tool, op: &ApplyChanges) -> Result<PlannedJob, CallError> {
        if let Some(csv) = &op.csv {
            return self.each(tool, op, csv);
        }
        if op.tool.is_some() || !op.common.is_empty() {
            let message = "`tool` and `common` are for the rows of `csv`, which is not given";
            return Err(ProviderError::invalid(message, "give `csv`, or `steps` alone").into());
        }
        match op.steps.len() {
            0 => return Err(ProviderError::invalid("`steps` is empty", "give at least one step, or `csv` with `tool`").into()),
            many if many > MAX_STEPS => {
                let message = format!("{many} steps are more than the {MAX_STEPS} of one call");
                return Err(ProviderError::invalid(message, "split them over several calls").into());
            }
            _ => {}
        }
        let goes_on = op.on_failure.unwrap_or_default() == OnFailure::Continue;
        let (mut rows, mut problems, mut known) = (Vec::new(), Vec::new(), HashSet::new());
        for (step, number) in op.steps.iter().zip(1..) {
            let name = step.id.clone().unwrap_or_else(|| number.to_string());
            match usable(&name, &known).map(|()| self.step(&name, step, &known)) {
                Ok(Ok(row)) => rows.push(row),
                // It fails alone.
                Ok(Err(problem)) if goes_on => rows.push(hopeless(&name, step, problem)),
                Ok(Err(problem)) | Err(problem) => problems.push((name.clone(), problem)),
            }
            known.insert(name);
        }
        if !problems.is_empty() {
            return Err(refused(&problems, op.steps.len()));
        }
        let job = PlannedJob::new(tool, builtin::NAME, providers::json(op)?, rows);
        Ok(PlannedJob { in_order: true, stop_on_failure: !goes_on, all_or_nothing: !goes_on, ..job })
    }

    fn step(&self, name: &str, step: &StepCall, known: &HashSet<String>) -> Result<PlannedRow, String> {
        let offer = self.catalog.offer(&step.tool).map_err(|error| told(&error))?;
        let (route, arguments) = route(offer, step.arguments.clone())?;
        let references = references::find(&arguments);
        for it in &references {
            if !known.contains(&it.step) {
                return Err(format!("`{}`: no earlier step has the id `{}`", it.written(), it.step));
            }
            if it.field.is_empty() {
                return Err(format!("`{}` names no field; write `${{{}.id}}`", it.written(), it.step));
            }
            // What a caller has written elsewhere must not come in as a role or a person: nobody would see it stand there.
            if gives_or_takes(route.tool.effect) && !it.is_id() {
                let id = format!("`${{{}.id}}`", it.step);
                return Err(format!("`{}`: a step that gives or takes away may only refer to an id, as {id}", it.written()));
            }
        }
        let (connection, tool) = (route.connection.name.clone(), route.tool.name.to_owned());
        let stage = if references.is_empty() { Stage::Open(route) } else { Stage::Later(route) };
        Ok(PlannedRow { name: name.to_owned(), connection, tool, arguments, stage, follows: false, target: None })
    }
}

/// Where a call of a changing tool goes, with its arguments as they are understood; or why it cannot be one of many.
pub(super) fn route(offer: &Offer, mut arguments: Map<String, Value>) -> Result<(Route, Map<String, Value>), String> {
    let envelope = offer.open(&mut arguments).map_err(|error| told(&error))?;
    if envelope.dry_run || envelope.idempotency_key.is_some() || envelope.confirmation_token.is_some() {
        return Err("`dry_run`, `idempotency_key` and `confirmation_token` are for the whole call; leave them out here".into());
    }
    let connection = offer.connection(envelope.connection.as_deref()).map_err(|error| told(&error))?;
    if offer.is_read() {
        return Err(format!("{} changes nothing; call it on its own", offer.tool.name));
    }
    if offer.is_job(connection) {
        return Err(format!("{} is a job of its own; call it on its own", offer.tool.name));
    }
    if let Some(ends_at) = envelope.ends_at {
        arguments.insert("ends_at".into(), ends_at.into());
    }
    Ok((Route { tool: offer.tool.clone(), connection: connection.clone() }, arguments))
}

/// Whether a step can have this name: others refer to it by that.
fn usable(name: &str, known: &HashSet<String>) -> Result<(), String> {
    let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
    if name.is_empty() || name.len() > 40 || !name.chars().all(is_name) {
        return Err("its id is not 1 to 40 letters, digits, `_` and `-`".into());
    }
    if known.contains(name) {
        return Err("an earlier step has the same id".into());
    }
    Ok(())
}

/// A step that cannot be made, whatever the others come to.
fn hopeless(name: &str, step: &StepCall, reason: String) -> PlannedRow {
    let connection = step.arguments.get("connection").and_then(Value::as_str).unwrap_or(builtin::NAME);
    PlannedRow {
        name: name.to_owned(),
        connection: crate::shape::cut(connection, 80),
        tool: crate::shape::cut(&step.tool, 80),
        arguments: step.arguments.clone(),
        stage: Stage::Ended { state: "failed", reason },
        follows: false,
        target: None,
    }
}

/// Whether a call of this effect is one that people are asked about.
pub(super) fn gives_or_takes(effect: Effect) -> bool {
    matches!(effect, Effect::Access | Effect::Destroy)
}

/// An error as a line of a list.
pub(super) fn told(error: &CallError) -> String {
    let fix = error.fix();
    let message = crate::error::chain(error);
    let told = if fix.is_empty() { message } else { format!("{message}; {fix}") };
    one_line(&told).into_owned()
}

/// Makes one error of all that is wrong, so that it can be mended at once.
pub(super) fn refused(problems: &[(String, String)], steps: usize) -> CallError {
    let list: Vec<String> = problems.iter().map(|(name, problem)| one_line(&format!("step {name}: {problem}")).into_owned()).collect();
    let verb = if list.len() == 1 { "step" } else { "steps" };
    let message = format!("{} {verb} of {steps} cannot be made, so nothing was changed:\n{}", list.len(), list.join("\n"));
    // Each of its lines is on one already.
    ProviderError::Invalid { message, fix: "correct these steps and send all of them again".into() }.into()
}
