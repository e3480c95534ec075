//! `add_project_members`: a row for each person, and each row a call of `add_project_member`.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Engine,
    people::{self, Row},
    planned::{PlannedJob, PlannedRow, Route, Stage},
    table::Written,
};
use crate::{
    domain::{ReferenceText, fold},
    error::CallError,
    providers,
    tools::{
        Operation as _, Tool,
        project_members::{AddProjectMember, AddProjectMembers},
    },
};

/// The most rows of one call.
const MAX_ROWS: usize = 10_000;

impl Engine {
    pub(super) fn adding(&self, tool: &Tool, connection: &str, op: &AddProjectMembers) -> Result<PlannedJob, CallError> {
        let offer = self.catalog.offer(AddProjectMember::NAME)?;
        let route = Route { tool: offer.tool.clone(), connection: offer.connection(Some(connection))?.clone() };
        let (asked, problems) = people::rows(op, MAX_ROWS)?;
        let row = |number: usize, arguments, stage| PlannedRow {
            name: number.to_string(),
            connection: connection.to_owned(),
            tool: AddProjectMember::NAME.to_owned(),
            arguments,
            stage,
            follows: false,
            target: None,
        };
        let mut rows: Vec<(usize, PlannedRow)> =
            asked.iter().map(|it| (it.number, row(it.number, arguments(it), Stage::Open(route.clone())))).collect();
        rows.extend(problems.into_iter().map(|it| {
            let stage = Stage::Ended { state: "failed", reason: it.message };
            let Written { project, member, roles } = it.written;
            (it.number, row(it.number, written(&project, &member, &roles), stage))
        }));
        rows.sort_by_key(|it| it.0);
        let rows = rows.into_iter().map(|it| it.1).collect();
        Ok(PlannedJob::new(tool, connection, providers::json(op)?, rows))
    }
}

fn arguments(row: &Row) -> Map<String, Value> {
    let roles: Vec<&str> = row.roles.iter().map(ReferenceText::text).collect();
    written(row.project.text(), row.member.text(), &roles)
}

fn written(project: &str, member: &str, roles: &[impl Serialize]) -> Map<String, Value> {
    let mut arguments = Map::new();
    arguments.insert("project".into(), project.into());
    arguments.insert("member".into(), member.into());
    arguments.insert("roles".into(), json!(roles));
    arguments
}

/// Somebody who is named twice for a project, by whatever name, is added once. With other roles the second time, nobody knows what
/// is meant.
pub(super) fn fold_duplicates(rows: &mut [PlannedRow]) {
    let key = |it: &PlannedRow| {
        let target = it.target.as_ref().filter(|_| matches!(it.stage, Stage::Ready(_)))?;
        Some((target.within.clone(), target.id.clone().unwrap_or_else(|| fold(&target.name))))
    };
    let mut first: HashMap<(Option<String>, String), (String, Vec<String>)> = HashMap::new();
    for it in rows {
        let Some(key) = key(it) else { continue };
        let roles = it.arguments.get("roles").and_then(Value::as_array);
        let mut roles: Vec<String> = roles.into_iter().flatten().filter_map(Value::as_str).map(fold).collect();
        roles.sort();
        match first.get(&key) {
            None => drop(first.insert(key, (it.name.clone(), roles))),
            Some((number, same)) if *same == roles => it.skipped(format!("duplicate of row {number}")),
            Some((number, _)) => it.failed(format!("gives other roles than row {number}; put all roles into one row")),
        }
    }
}
