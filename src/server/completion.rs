//! Completion: names to choose from while a person fills in a prompt or a resource's address.
//!
//! A look-up that fails completes nothing: whoever types is better off with an empty list than with an error.

use std::{collections::HashMap, time::Duration};

use futures_util::future::join_all;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::{prompts, resources};
use crate::{
    app::App,
    domain::{clean, fold},
    guard::Caller,
};

/// Whoever types does not wait for a connection that is down.
const PATIENCE: Duration = Duration::from_secs(4);

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
pub(super) async fn complete(app: &App, request: &CompleteRequestParams, caller: &Caller) -> CompleteResult {
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
        (true, "connection") => {
            let choices = app.connections.iter().map(|it| Choice::named(&it.name)).filter(|it| it.name.contains(&typed));
            Found { choices: choices.collect(), more: false }
        }
        (true, argument) => match Source::of(argument) {
            Some(source) => found(app, &source, &typed, context("connection"), context("organization"), caller).await,
            None => Found::default(),
        },
    };
    CompleteResult::new(found.ranked(&typed))
}

/// What was found, and whether there may be more.
#[derive(Default)]
struct Found {
    choices: Vec<Choice>,
    more: bool,
}

/// Something to choose: its name, folded, and what is put in for it.
struct Choice {
    name: String,
    value: String,
}

impl Choice {
    fn named(name: &str) -> Self {
        Self { name: fold(name), value: name.to_owned() }
    }
}

impl Found {
    /// What begins with what was typed comes first.
    fn ranked(self, typed: &str) -> CompletionInfo {
        let (begin, contain): (Vec<_>, Vec<_>) = self.choices.into_iter().partition(|it| it.name.starts_with(typed));
        let mut values: Vec<String> = Vec::new();
        for choice in begin.into_iter().chain(contain) {
            if !values.contains(&choice.value) {
                values.push(choice.value);
            }
        }
        let more = self.more || values.len() > CompletionInfo::MAX_VALUES;
        values.truncate(CompletionInfo::MAX_VALUES);
        let total = if more { None } else { u32::try_from(values.len()).ok() };
        CompletionInfo::with_pagination(values, total, more).unwrap_or_default()
    }
}

/// Asks every connection that can answer, or the one that was chosen.
async fn found(app: &App, source: &Source, typed: &str, connection: Option<&str>, organization: Option<&str>, caller: &Caller) -> Found {
    let Ok(offer) = app.catalog.offer(source.tool) else { return Found::default() };
    let asked = offer.able().iter().filter(|it| connection.is_none_or(|name| it.name == name));
    let lists = asked.map(|able| {
        let mut arguments = Map::from_iter([("limit".to_owned(), Value::from(CompletionInfo::MAX_VALUES))]);
        let ignored = able.ignores(source.tool);
        if source.searches && !typed.is_empty() && !ignored.contains(&"query") {
            arguments.insert("query".into(), typed.into());
        }
        if let (Some(organization), false) = (organization, source.field == "organization" || ignored.contains(&"organization")) {
            arguments.insert("organization".into(), organization.into());
        }
        timeout(PATIENCE, resources::look(app, source.tool, Some(&able.name), arguments, caller))
    });
    let mut found = Found::default();
    for list in join_all(lists).await.into_iter().flatten().flatten() {
        found.more |= list["has_more"] == Value::Bool(true);
        // A search may look at more than names, so what it finds is not sifted again.
        found.choices.extend(choices(source, &list).into_iter().filter(|it| source.searches || it.name.contains(typed)));
    }
    found
}

/// The items' names; where several things have one name, their ids are put in, since the name would not find them.
fn choices(source: &Source, list: &Value) -> Vec<Choice> {
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut times: HashMap<String, usize> = HashMap::new();
    for name in items.iter().filter_map(|it| it[source.field].as_str()) {
        *times.entry(fold(name)).or_default() += 1;
    }
    let choice = |item: &Value| {
        let choice = Choice::named(item[source.field].as_str()?);
        let twice = source.by_id && times.get(&choice.name).is_some_and(|it| *it > 1);
        match item["id"].as_str().filter(|_| twice) {
            Some(id) => Some(Choice { value: id.to_owned(), ..choice }),
            None => Some(choice),
        }
    };
    items.iter().filter_map(choice).collect()
}
