//! `apply_changes` with a table: a row for each line of it, and each row a call of one tool.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    Engine, apply, people,
    planned::{PlannedJob, PlannedRow, Stage},
    table::{self, Argument, Call},
};
use crate::{
    catalog::Offer,
    error::{CallError, ProviderError},
    providers::{self, builtin},
    tools::{
        Tool,
        jobs::{ApplyChanges, OnFailure},
    },
};

/// The most rows of one table.
const MAX_ROWS: usize = 10_000;

impl Engine {
    /// A row for each line of a table. They fail alone, unless the caller wants to stop.
    ///
    /// # Errors
    ///
    /// Where the tool or the header of the table is not understood, and where there are no rows or too many.
    pub(super) fn each(&self, tool: &Tool, op: &ApplyChanges, csv: &str) -> Result<PlannedJob, CallError> {
        if !op.steps.is_empty() {
            return Err(ProviderError::invalid("`steps` and `csv` are both given", "give one of them").into());
        }
        let Some(name) = &op.tool else {
            return Err(ProviderError::invalid("`tool` is missing", "name the tool that each row of `csv` is a call of").into());
        };
        let offer = self.catalog.offer(name)?;
        let calls = calls(offer, op, csv)?;
        let stops = op.on_failure == Some(OnFailure::Stop);
        let (mut rows, mut problems, mut first) = (Vec::new(), Vec::new(), HashMap::new());
        for call in calls {
            match planned(offer, &op.common, call, &mut first) {
                Ok(row) => rows.push(row),
                Err((number, problem)) if stops => problems.push((number, problem)),
                Err((number, reason)) => rows.push(ended(offer, number, Map::new(), "failed", reason)),
            }
        }
        if !problems.is_empty() {
            return Err(apply::refused(&problems, rows.len() + problems.len()));
        }
        let job = PlannedJob::new(tool, builtin::NAME, providers::json(op)?, rows);
        Ok(PlannedJob { in_order: stops, stop_on_failure: stops, all_or_nothing: stops, ..job })
    }
}

/// What is said of a call as a whole, and never of a row.
const OF_THE_WHOLE: [&str; 3] = ["dry_run", "idempotency_key", "confirmation_token"];

/// The calls of a table, as they are written.
fn calls(offer: &Offer, op: &ApplyChanges, csv: &str) -> Result<Vec<Call>, CallError> {
    let tool = offer.tool.name;
    // What holds for all rows alike is told once.
    if offer.is_read() {
        return Err(ProviderError::invalid(format!("{tool} changes nothing"), "name a tool that changes something").into());
    }
    if offer.able().iter().all(|it| offer.is_job(it)) {
        return Err(ProviderError::invalid(format!("{tool} is a job of its own"), "call it on its own").into());
    }
    people::is_table(csv, MAX_ROWS)?;
    let known = |header: &str| {
        let (name, schema) = offer.argument(header).filter(|it| !OF_THE_WHOLE.contains(&it.0))?;
        let is_list = schema["type"] == "array" && schema["items"]["type"] == "string";
        Some(Argument { name: name.to_owned(), is_list })
    };
    let input = offer.input_schema();
    let needed = input.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let needed: Vec<&str> = needed.filter(|it| !op.common.contains_key(*it)).collect();
    let calls = table::calls(csv, tool, &known, &needed)?;
    match calls.len() {
        many if many > MAX_ROWS => {
            let message = format!("{many} rows are more than the {MAX_ROWS} of one call");
            Err(ProviderError::invalid(message, "split them over several calls").into())
        }
        _ => Ok(calls),
    }
}

/// A line as a row; or its number, with what is wrong with it. `first` holds the calls before it: one that is the same as another is
/// made once.
fn planned(
    offer: &Offer,
    common: &Map<String, Value>,
    call: Call,
    first: &mut HashMap<String, String>,
) -> Result<PlannedRow, (String, String)> {
    let number = call.number.to_string();
    if let Some(fault) = call.fault {
        return Err((number, fault));
    }
    let mut arguments = common.clone();
    for (name, value) in call.arguments {
        if arguments.contains_key(&name) {
            return Err((number, format!("`{name}` is in the table and in `common`; keep one of them")));
        }
        arguments.insert(name, value);
    }
    let (route, arguments) = apply::route(offer, arguments).map_err(|problem| (number.clone(), problem))?;
    let mut sorted: Vec<(&String, String)> = arguments.iter().map(|(name, value)| (name, value.to_string())).collect();
    sorted.sort();
    let same = format!("{}\n{sorted:?}", route.connection.name);
    if let Some(before) = first.get(&same) {
        let reason = format!("duplicate of row {before}");
        return Ok(ended(offer, number, arguments, "skipped", reason));
    }
    first.insert(same, number.clone());
    let (connection, tool) = (route.connection.name.clone(), route.tool.name.to_owned());
    Ok(PlannedRow { name: number, connection, tool, arguments, stage: Stage::Open(route), follows: false, target: None })
}

/// A row for which there is nothing to send.
fn ended(offer: &Offer, name: String, arguments: Map<String, Value>, state: &'static str, reason: String) -> PlannedRow {
    let connection = match offer.able() {
        [only] => only.name.clone(),
        _ => arguments.get("connection").and_then(Value::as_str).unwrap_or(builtin::NAME).to_owned(),
    };
    let tool = offer.tool.name.to_owned();
    PlannedRow { name, connection, tool, arguments, stage: Stage::Ended { state, reason }, follows: false, target: None }
}

/// Whether rows of a table cannot be in each other's way: each only gives, and to another target.
pub(super) fn are_apart(rows: &[PlannedRow]) -> bool {
    let ready = || rows.iter().filter_map(|it| if let Stage::Ready(ready) = &it.stage { Some(ready) } else { None });
    let mut targets: Vec<_> =
        ready().map(|it| &it.told.target).map(|it| (&it.kind, &it.within, it.id.as_ref().unwrap_or(&it.name), &it.organization)).collect();
    let many = targets.len();
    targets.sort();
    targets.dedup();
    targets.len() == many && ready().all(|it| it.bearing.takes_nothing())
}
