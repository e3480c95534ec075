//! A job on its way: what is asked for, row by row, before anybody has agreed.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    domain::{Counted, Target, Thing},
    guard::{Bearing, Told},
    providers::Connection,
    store::NewRow,
    tools::{
        Operation as _, Tool,
        members::{CopyAccess, InvitePeople, OffboardPerson},
        project_members::AddProjectMembers,
        projects::CopyProject,
    },
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
    /// What the person should know besides; kept with the job, and told with what became of it.
    pub(super) notes: Vec<String>,
    /// What it is about, where that is not what its rows come to.
    pub(super) subject: Option<Target>,
}

impl PlannedJob {
    /// Rows that are made in any order, each alone.
    pub(super) fn new(tool: &Tool, connection: &str, arguments: Value, rows: Vec<PlannedRow>) -> Self {
        Self {
            tool: tool.clone(),
            connection: connection.to_owned(),
            arguments,
            in_order: false,
            stop_on_failure: false,
            all_or_nothing: false,
            rows,
            notes: Vec::new(),
            subject: None,
        }
    }

    /// Whether many people are let in: then one consent is asked for, and shows who gets what, also where nobody gets power.
    pub(super) fn invites(&self) -> bool {
        [AddProjectMembers::NAME, InvitePeople::NAME].contains(&self.tool.name)
    }

    /// Says of what somebody leaves behind who leaves what becomes of it.
    pub(super) fn name_what_stays(&mut self) {
        if self.tool.name != OffboardPerson::NAME {
            return;
        }
        let left: Vec<(Thing, Counted)> = self.bearings().flat_map(|it| it.left.clone()).collect();
        for (what, names) in left {
            let (one, many) = what.words();
            let more = names.count.saturating_sub(names.names.len() as u64);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let (noun, is_one) = if names.count == 1 { (one, true) } else { (many, false) };
            let becomes = match (what, is_one) {
                (Thing::Key, true) => "still works",
                (Thing::Key, false) => "still work",
                (_, true) => "has no owner now",
                (_, false) => "have no owner now",
            };
            self.notes.push(format!("{noun} {}{more} {becomes}", names.names.join(", ")));
        }
    }

    /// Whether it gives people something by its nature: then it is agreed to as a whole, also where none of its rows alone would be
    /// asked about.
    pub(super) fn gives(&self) -> bool {
        self.invites() || [CopyAccess::NAME, CopyProject::NAME].contains(&self.tool.name)
    }

    /// What its rows come to, of those that are planned.
    pub(super) fn bearings(&self) -> impl Iterator<Item = &Bearing> {
        self.rows.iter().filter_map(|it| if let Stage::Ready(ready) = &it.stage { Some(&ready.bearing) } else { None })
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

    /// Says whom it is about, until its provider does.
    pub(super) fn about(mut self, whom: &str) -> Self {
        self.target = Some(person(whom));
        self
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

/// Somebody, as a call names them.
pub(super) fn person(whom: &str) -> Target {
    Target { kind: "person".to_owned(), name: whom.to_owned(), id: None, within: None, organization: None }
}

/// What a person was told about a row, as the store kept it.
pub(super) fn told(row: Option<&str>) -> Option<Told> {
    row.and_then(|it| serde_json::from_str(it).ok())
}

pub(super) fn text(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}
