//! The calls of other tools that a plan is made with: reads at once, changes as rows.

use serde_json::{Map, Value, json};

use super::{
    Engine, apply,
    plan::Scopes,
    planned::{PlannedRow, Route, Stage, person},
};
use crate::{
    error::CallError,
    guard::Caller,
    providers::{Connection, Prepared},
};

/// A connection as a plan looks at it, for one caller.
pub(super) struct View<'a> {
    pub(super) engine: &'a Engine,
    pub(super) connection: &'a Connection,
    pub(super) caller: &'a Caller,
    /// What one read has looked up the next need not.
    pub(super) scopes: Scopes,
}

impl Engine {
    pub(super) fn view<'a>(&'a self, connection: &'a Connection, caller: &'a Caller) -> View<'a> {
        View { engine: self, connection, caller, scopes: Scopes::default() }
    }

    /// A row that calls a tool; one that is not on offer fails alone, and says why.
    pub(super) fn row(&self, name: impl Into<String>, connection: &str, tool: &str, arguments: Value) -> PlannedRow {
        let arguments = if let Value::Object(fields) = arguments { fields } else { Map::new() };
        let route = self.catalog.offer(tool).and_then(|offer| {
            let connection = offer.connection(Some(connection))?;
            Ok(Route { tool: offer.tool.clone(), connection: connection.clone() })
        });
        let stage = match route {
            Ok(route) => Stage::Open(route),
            Err(error) => Stage::Ended { state: "failed", reason: apply::told(&error) },
        };
        let (name, connection, tool) = (name.into(), connection.to_owned(), tool.to_owned());
        PlannedRow { name, connection, tool, arguments, stage, follows: false, target: None }
    }

    /// A row for which nothing is to be sent: `state` says how it has ended, `whom` whom it is about.
    pub(super) fn idle_row(
        name: impl Into<String>,
        connection: &str,
        tool: &str,
        whom: &str,
        (state, reason): (&'static str, String),
    ) -> PlannedRow {
        PlannedRow {
            name: name.into(),
            connection: connection.to_owned(),
            tool: tool.to_owned(),
            arguments: Map::new(),
            stage: Stage::Ended { state, reason },
            follows: false,
            target: Some(person(whom)),
        }
    }
}

impl View<'_> {
    /// Calls a reading tool of the connection.
    ///
    /// # Errors
    ///
    /// Those of the tool; where it is not on offer.
    pub(super) async fn read(&self, tool: &str, arguments: Value) -> Result<Value, CallError> {
        let offer = self.engine.catalog.offer(tool)?;
        let arguments = if let Value::Object(fields) = arguments { fields } else { Map::new() };
        match offer.prepare(self.connection, &self.scopes.get(self.connection), arguments)? {
            Prepared::Read(read) => self.engine.guard.read(&offer.tool, &self.connection.name, self.caller, read).await,
            Prepared::Change { .. } => Err(CallError::Internal),
        }
    }

    /// The same where nothing need be there.
    ///
    /// # Errors
    ///
    /// Those of the tool, but for what it does not find.
    pub(super) async fn find(&self, tool: &str, arguments: Value) -> Result<Option<Value>, CallError> {
        match self.read(tool, arguments).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.code().ends_with("not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All items of a list.
    ///
    /// # Errors
    ///
    /// Those of the tool.
    pub(super) async fn all(&self, tool: &str, arguments: &Value) -> Result<Vec<Value>, CallError> {
        let (mut items, mut cursor) = (Vec::new(), None::<Value>);
        loop {
            let mut arguments = arguments.clone();
            if let Some(cursor) = cursor.take() {
                arguments["cursor"] = cursor;
            }
            let mut page = self.read(tool, arguments).await?;
            if let Value::Array(found) = page["items"].take() {
                items.extend(found);
            }
            match page.get("next_cursor") {
                Some(next) if !next.is_null() => cursor = Some(next.clone()),
                _ => return Ok(items),
            }
        }
    }

    /// Whether the connection serves a tool with an argument, where one is named.
    pub(super) fn takes(&self, tool: &str, argument: &str) -> bool {
        self.connection.serves(tool) && (argument.is_empty() || !self.connection.ignores(tool).contains(&argument))
    }

    /// Arguments with an organization, where the tool takes one.
    pub(super) fn inside(&self, tool: &str, organization: Option<&str>, mut arguments: Value) -> Value {
        if let Some(organization) = organization.filter(|_| self.takes(tool, "organization")) {
            arguments["organization"] = json!(organization);
        }
        arguments
    }
}
