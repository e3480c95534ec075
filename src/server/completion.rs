//! Completion: names to choose from while a person fills in a prompt or a resource's address.
//!
//! A look-up that fails completes nothing: whoever types is better off with an empty list than with an error.

use std::collections::HashMap;

use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};
use serde_json::{Map, Value};

use super::{prompts, resources};
use crate::{
    app::App,
    domain::{clean, fold},
    guard::Caller,
};

/// Where names of one kind come from.
struct Source {
    tool: &'static str,
    /// The field of an item that is offered.
    field: &'static str,
    /// Whether the tool searches by itself.
    searches: bool,
    /// Whether two things can have the same name and be told apart by id only.
    by_id: bool,
}

impl Source {
    /// The source for an argument; the names of arguments are the same in all prompts and templates.
    fn of(argument: &str) -> Option<Self> {
        let source = |tool, field, searches, by_id| Some(Self { tool, field, searches, by_id });
        match argument {
            "organization" => source("list_organizations", "organization", true, true),
            "project" => source("list_projects", "project", true, true),
            "team" => source("list_teams", "team", true, true),
            "member" | "email" | "owner" | "successor" | "like" => source("list_organization_members", "member", true, false),
            "role" => source("list_roles", "role", false, false),
            _ => None,
        }
    }
}

/// Completes an argument of a prompt or a variable of a resource template.
pub async fn complete(app: &App, request: &CompleteRequestParams, caller: &Caller) -> CompleteResult {
    let argument = request.argument.name.as_str();
    let known = match &request.r#ref {
        Reference::Prompt(it) => prompts::takes(app, &it.name, argument),
        Reference::Resource(it) => resources::takes(app, &it.uri, argument),
        _ => false,
    };
    let typed = fold(&clean(&request.argument.value));
    let context = |name: &str| {
        let text = request.context.as_ref().and_then(|it| it.get_argument(name)).map(|it| it.trim());
        text.filter(|it| !it.is_empty())
    };
    let found = match (known, argument) {
        (false, _) => Found::default(),
        (true, "connection") => Found { names: app.connections.iter().map(|it| it.name.clone()).collect(), ..Found::default() },
        (true, argument) => match Source::of(argument) {
            Some(source) => found(app, &source, &typed, context("connection"), context("organization"), caller).await,
            None => Found::default(),
        },
    };
    CompleteResult::new(found.ranked(&typed))
}

/// The names that were found, and whether there may be more.
#[derive(Default)]
struct Found {
    names: Vec<String>,
    more: bool,
}

impl Found {
    /// Those that begin with what was typed, then those that contain it.
    fn ranked(self, typed: &str) -> CompletionInfo {
        let folded: Vec<_> = self.names.into_iter().map(|it| (fold(&it), it)).filter(|it| it.0.contains(typed)).collect();
        let (begin, contain): (Vec<_>, Vec<_>) = folded.into_iter().partition(|it| it.0.starts_with(typed));
        let mut values: Vec<String> = Vec::new();
        for (_, name) in begin.into_iter().chain(contain) {
            if !values.contains(&name) {
                values.push(name);
            }
        }
        let more = self.more || values.len() > CompletionInfo::MAX_VALUES;
        values.truncate(CompletionInfo::MAX_VALUES);
        let total = if more { None } else { u32::try_from(values.len()).ok() };
        CompletionInfo::with_pagination(values, total, more).unwrap_or_default()
    }
}

/// Asks every connection that can answer, or the one that was chosen.
async fn found(
    app: &App,
    source: &Source,
    typed: &str,
    connection: Option<&str>,
    organization: Option<&str>,
    caller: &Caller,
) -> Found {
    let Ok(offer) = app.catalog.offer(source.tool) else { return Found::default() };
    let mut found = Found::default();
    for able in offer.able().iter().filter(|it| connection.is_none_or(|name| it.name == name)) {
        let mut arguments = Map::from_iter([("limit".to_owned(), Value::from(CompletionInfo::MAX_VALUES))]);
        if source.searches && !typed.is_empty() {
            arguments.insert("query".into(), typed.into());
        }
        if let (Some(organization), false) = (organization, source.field == "organization") {
            arguments.insert("organization".into(), organization.into());
        }
        let Ok(list) = resources::look(app, source.tool, Some(&able.name), arguments, caller).await else { continue };
        found.more |= list["has_more"] == Value::Bool(true);
        found.names.extend(names(source, &list));
    }
    found
}

/// The items' names; where several things have one name, their ids, since the name would not find them.
fn names(source: &Source, list: &Value) -> Vec<String> {
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut times: HashMap<String, usize> = HashMap::new();
    for name in items.iter().filter_map(|it| it[source.field].as_str()) {
        *times.entry(fold(name)).or_default() += 1;
    }
    let name = |item: &Value| {
        let name = item[source.field].as_str()?;
        let twice = source.by_id && times.get(&fold(name)).is_some_and(|it| *it > 1);
        item["id"].as_str().filter(|_| twice).or(Some(name)).map(str::to_owned)
    };
    items.iter().filter_map(name).collect()
}
