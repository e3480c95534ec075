//! A job on its way: what is asked for, row by row, before anybody has agreed.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    domain::Target,
    guard::{Bearing, Told},
    providers::Connection,
    store::NewRow,
    tools::{Operation as _, Tool, project_members::AddProjectMembers},
};

/// A job that is asked for.
pub(super) struct PlannedJob {
    pub(super) tool: Tool,
    /// The connection of all rows, or the server's own name.
    pub(super) connection: String,
    /// As they were understood.
    pub(super) arguments: Value,
    /// Whether rows are made one after the other.
    pub(super) in_order: bool,
    pub(super) stop_on_failure: bool,
    /// Whether one bad row refuses all; else it fails alone.
    pub(super) all_or_nothing: bool,
    pub(super) rows: Vec<PlannedRow>,
    /// What the person should know besides.
    pub(super) notes: Vec<String>,
}

impl PlannedJob {
    /// Whether many people are let in: then one consent is asked for, and shows who gets what, also where nobody gets power.
    pub(super) fn invites(&self) -> bool {
        self.tool.name == AddProjectMembers::NAME
    }
}

/// A row that is asked for.
pub(super) struct PlannedRow {
    /// The step's id, or the row's number.
    pub(super) name: String,
    pub(super) connection: String,
    pub(super) tool: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) stage: Stage,
    /// Whether it may have to wait for an earlier row before it can be planned.
    pub(super) follows: bool,
    /// What it is about, once that is known.
    pub(super) target: Option<Target>,
}

/// How far a row has come.
pub(super) enum Stage {
    /// It is understood, and to be planned.
    Open(Route),
    Ready(Box<Ready>),
    /// It builds on an earlier row, and can be planned only then.
    Later(Route),
    /// There is nothing to send for it.
    Ended {
        state: &'static str,
        reason: String,
    },
}

/// A row that is planned.
pub(super) struct Ready {
    /// What a person is told about it.
    pub(super) told: Told,
    pub(super) title: &'static str,
    /// What it adds to the whole: the sum over all rows is weighed.
    pub(super) bearing: Bearing,
    /// What has to be typed for it where a yes is not enough.
    pub(super) typed: String,
}

/// Which tool of which connection.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) tool: Tool,
    pub(super) connection: Arc<Connection>,
}

impl PlannedRow {
    /// It can be sent.
    pub(super) fn ready(&mut self, ready: Ready) {
        self.target = Some(ready.told.target.clone());
        self.stage = Stage::Ready(Box::new(ready));
    }

    /// There is nothing to send for it.
    pub(super) fn ended(&mut self, state: &'static str, reason: impl Into<String>) {
        self.stage = Stage::Ended { state, reason: reason.into() };
    }

    pub(super) fn failed(&mut self, reason: impl Into<String>) {
        self.ended("failed", reason);
    }

    /// Lets it wait for the rows before it.
    pub(super) fn wait(&mut self) {
        if let Stage::Open(route) = &self.stage {
            self.stage = Stage::Later(route.clone());
        }
    }

    pub(super) fn skipped(&mut self, reason: impl Into<String>) {
        self.ended("skipped", reason);
    }

    /// What its tool is called where people read.
    pub(super) fn title(&self) -> &str {
        match &self.stage {
            Stage::Open(route) | Stage::Later(route) => route.tool.title,
            Stage::Ready(ready) => ready.title,
            Stage::Ended { .. } => &self.tool,
        }
    }

    /// The row as the store keeps it.
    pub(super) fn stored(&self) -> NewRow {
        let told = if let Stage::Ready(ready) = &self.stage { text(&ready.told) } else { None };
        let (state, reason) = match &self.stage {
            Stage::Ended { state, reason } => (*state, Some(reason.clone())),
            _ => ("pending", None),
        };
        NewRow {
            name: self.name.clone(),
            connection: self.connection.clone(),
            tool: self.tool.clone(),
            arguments: Value::from(self.arguments.clone()).to_string(),
            told,
            target: self.target.as_ref().and_then(text),
            state,
            reason,
        }
    }
}

/// What a person was told about a row, as the store kept it.
pub(super) fn told(row: Option<&str>) -> Option<Told> {
    row.and_then(|it| serde_json::from_str(it).ok())
}

pub(super) fn text(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}
