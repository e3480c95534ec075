//! The compact list: the tools that most jobs need, a search for the others, and one caller of them for each effect.
//!
//! A caller is a name and nothing else: its call becomes the call of the tool that it names before anybody has looked at it. So
//! the guard, questions, keys, previews, progress and jobs are the same as in a call of that tool, and what a client allows for the
//! name of a caller holds for the effects of the tools behind it.

use std::sync::{Arc, LazyLock};

use rmcp::model::{CallToolRequestParams, Tool};
use serde_json::{Map, Value, json};

use super::{annotations, mcp_tool};
use crate::{
    app::App,
    catalog::Offer,
    error::CallError,
    shape::cut,
    tools::{self, Asked, ESSENTIAL, Effect, as_object},
};

/// The search.
pub(super) const FIND: &str = "find_tools";

/// The callers, each for the tools of one effect.
const CALLERS: [(&str, Effect, &str, &str); 4] = [
    ("call_read", Effect::Read, "Call a reading tool", "Calls a tool that only reads."),
    ("call_write", Effect::Write, "Call a writing tool", "Calls a tool whose change can be changed back."),
    ("call_access", Effect::Access, "Call a tool about access", "Calls a tool that gives access."),
    ("call_destroy", Effect::Destroy, "Call an ending tool", "Calls a tool that ends something, or makes many changes."),
];

/// How many tools a search finds at most.
const MOST: usize = 6;

/// The arguments of a caller, as a JSON Schema. An object whose fields nobody can list may come as JSON text, too.
static OF_CALLERS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    object(&json!({
        "type": "object",
        "properties": {
            "tool": { "type": "string", "description": "From find_tools" },
            "arguments": { "anyOf": [{ "type": "object" }, { "type": "string" }], "description": "Its arguments" }
        },
        "required": ["tool"]
    }))
});

static OF_FIND: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let query = json!({ "type": "string", "description": "Words, such as rotate key" });
    object(&json!({ "type": "object", "properties": { "query": query }, "required": ["query"] }))
});

static FOUND: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let text = json!({ "type": "string" });
    let found = json!({ "tool": text, "call": text, "description": text, "input": { "type": "object" } });
    let items = json!({ "type": "array", "items": { "type": "object", "properties": found } });
    object(&json!({
        "type": "object",
        "properties": { "about": { "type": "array", "items": text }, "items": items, "shown": { "type": "integer" }, "has_more": { "type": "boolean" } }
    }))
});

fn object(schema: &Value) -> Map<String, Value> {
    schema.as_object().cloned().unwrap_or_default()
}

/// The list.
pub(super) fn list(app: &App) -> Vec<Tool> {
    let mut list: Vec<Tool> = ESSENTIAL.iter().filter_map(|name| app.catalog.offer(name).ok()).map(mcp_tool).collect();
    let description = "Finds further tools by words, with their arguments. Call one through the `call` that it names.";
    let find = Tool::new(FIND, description, Arc::new(OF_FIND.clone())).with_title("Find tools");
    list.push(find.with_raw_output_schema(Arc::new(FOUND.clone())).with_annotations(annotations(Effect::Read)));
    list.extend(CALLERS.iter().filter(|it| offers(app).any(|offer| offer.tool.effect == it.1)).map(caller));
    list
}

/// One of the names of this list that are no tool of the program.
pub(super) fn own_name(name: &str) -> Option<&'static str> {
    [FIND].into_iter().chain(CALLERS.map(|it| it.0)).find(|it| *it == name)
}

/// The effect of the tools behind a caller.
pub(super) fn effect(name: &str) -> Option<Effect> {
    CALLERS.iter().find(|it| it.0 == name).map(|it| it.1)
}

fn caller(it: &(&'static str, Effect, &'static str, &'static str)) -> Tool {
    let (name, effect, title, description) = *it;
    Tool::new(name, description, Arc::new(OF_CALLERS.clone())).with_title(title).with_annotations(annotations(effect))
}

/// The tools that are not in the list by themselves.
fn offers(app: &App) -> impl Iterator<Item = &Offer> {
    app.catalog.offers().filter(|it| !ESSENTIAL.contains(&it.tool.name))
}

/// The call that a request is for: its own, or that of the tool which it names to a caller.
///
/// # Errors
///
/// Where a caller is not told which tool with what, and where that tool has another effect than the caller's.
pub(super) fn opened(app: &App, request: &mut CallToolRequestParams) -> Result<(), CallError> {
    let Some((name, effect, ..)) = CALLERS.into_iter().find(|it| it.0 == request.name) else { return Ok(()) };
    let Wanted { tool, arguments } = Wanted::read(name, effect, request.arguments.clone().unwrap_or_default())?;
    if let Some(own) = own_name(&tool) {
        return Err(invalid(format!("{name} calls a tool, and {own} is none"), "call it on its own"));
    }
    let offer = app.catalog.offer(&tool)?;
    if offer.tool.effect != effect {
        let right = CALLERS.iter().find(|it| it.1 == offer.tool.effect).map_or(name, |it| it.0);
        let message = format!(
            "{name} is for tools with the effect {}, and {} has the effect {}",
            effect.name(),
            offer.tool.name,
            offer.tool.effect.name()
        );
        return Err(invalid(message, format!("call it through {right}")));
    }
    request.name = offer.tool.name.into();
    request.arguments = Some(arguments);
    Ok(())
}

/// What a caller is told.
struct Wanted {
    tool: String,
    arguments: Map<String, Value>,
}

impl Wanted {
    /// Reads the arguments of a caller. What stands beside `tool` and `arguments` is an argument of the tool: it has no other meaning.
    fn read(caller: &str, effect: Effect, given: Map<String, Value>) -> Result<Self, CallError> {
        let asked = Asked { tool: caller, effect, schema: &OF_CALLERS };
        let has_tool = given.contains_key("tool");
        let (mut tool, mut arguments, mut beside) = (None, None, Map::new());
        for (name, value) in given {
            match tools::argument(asked, &name).map(|it| it.0) {
                Some("tool") if name == "tool" || !(has_tool || tool.is_some()) => tool = Some(value),
                Some("arguments") if arguments.is_none() => arguments = Some(value),
                _ => drop(beside.insert(name, value)),
            }
        }
        let Some(tool) = tool.as_ref().and_then(Value::as_str).map(str::trim).filter(|it| !it.is_empty()) else {
            return Err(invalid("`tool` is missing", format!("give a tool's name; {FIND} finds it")));
        };
        let mut all = match arguments {
            None | Some(Value::Null) => Map::new(),
            Some(Value::String(it)) if it.trim().is_empty() => Map::new(),
            Some(it) => as_object(&it).ok_or_else(|| {
                invalid(
                    format!("`arguments` is `{}`", cut(&it.to_string(), 60)),
                    "give an object, or its JSON text, such as {\"name\": \"value\"}",
                )
            })?,
        };
        for (name, value) in beside {
            match all.get(&name) {
                Some(same) if *same != value => {
                    let message = format!("`{}` stands in `arguments` and beside it, with different values", cut(&name, 60));
                    return Err(invalid(message, "give it in `arguments` alone"));
                }
                _ => drop(all.insert(name, value)),
            }
        }
        Ok(Self { tool: tool.to_owned(), arguments: all })
    }
}

/// The tools on offer that words are about, the likeliest first.
///
/// # Errors
///
/// Where there are no words.
pub(super) fn find(app: &App, arguments: &Map<String, Value>) -> Result<Value, CallError> {
    let asked = Asked { tool: FIND, effect: Effect::Read, schema: &OF_FIND };
    let query = arguments.iter().find(|it| tools::argument(asked, it.0).is_some()).and_then(|it| it.1.as_str()).unwrap_or_default();
    let wanted = words(query);
    if wanted.is_empty() {
        return Err(invalid("`query` is missing", "say in words what is to be done, such as rotate key"));
    }
    // A name that is given whole is what is wanted.
    let whole = query.trim().to_lowercase().replace([' ', '-'], "_");
    let of = |it: &Offer| score(it, &wanted) + if it.tool.name == whole { 1000 } else { 0 };
    let mut scored: Vec<(usize, &Offer)> = app.catalog.offers().map(|it| (of(it), it)).filter(|it| it.0 > 0).collect();
    scored.sort_by_key(|(score, offer)| (std::cmp::Reverse(*score), offer.tool.name));
    let best = scored.first().map_or(0, |it| it.0);
    scored.retain(|it| it.0 * 2 >= best);
    let more = scored.len() > MOST;
    let items: Vec<Value> = scored.into_iter().take(MOST).map(|it| found(it.1)).collect();
    let mut list = Map::new();
    if items.is_empty() {
        // Whoever finds nothing learns what there is.
        let mut about: Vec<String> = app.catalog.offers().map(|it| it.tool.domain.replace('_', " ")).collect();
        about.sort();
        about.dedup();
        list.insert("about".into(), json!(about));
    }
    list.insert("shown".into(), items.len().into());
    list.insert("items".into(), items.into());
    list.insert("has_more".into(), more.into());
    Ok(list.into())
}

fn found(offer: &Offer) -> Value {
    let listed = ESSENTIAL.contains(&offer.tool.name);
    let call = CALLERS.iter().find(|it| it.1 == offer.tool.effect && !listed).map_or(offer.tool.name, |it| it.0);
    json!({ "tool": offer.tool.name, "call": call, "description": offer.tool.description(), "input": offer.input_schema() })
}

/// What others call the nouns and verbs of the vocabulary.
const ALSO: [(&str, &[&str]); 22] = [
    ("member", &["person", "people", "user", "colleague", "employee", "somebody", "someone", "staff"]),
    ("team", &["group", "squad"]),
    ("organization", &["company", "org", "tenant", "organisation"]),
    ("api", &["secret", "credential"]),
    ("key", &["token", "secret", "credential"]),
    ("limit", &["budget", "quota", "spend", "spending", "cost", "money", "cap", "usage"]),
    ("logo", &["picture", "image", "icon", "avatar"]),
    ("certificate", &["cert", "tls", "mtls"]),
    ("role", &["permission", "right", "privilege", "access"]),
    ("service", &["bot", "robot", "machine"]),
    ("activity", &["audit", "log", "history", "ledger", "change", "yesterday"]),
    ("invitation", &["invite", "invited"]),
    ("invite", &["invitation", "onboard"]),
    ("add", &["grant", "join", "give", "put"]),
    ("remove", &["revoke", "kick", "leave", "offboard", "take", "unassign"]),
    ("delete", &["end", "destroy", "drop", "erase", "remove"]),
    ("update", &["change", "edit", "rename", "modify", "set", "block", "rotate", "raise", "lower", "halve"]),
    ("create", &["make", "new", "start", "rotate", "add"]),
    ("list", &["show", "which", "all", "who", "find", "search"]),
    ("get", &["read", "show", "what", "look"]),
    ("assign", &["grant", "give"]),
    ("policies", &["rule", "policy"]),
];

/// Words that say nothing of what is wanted.
const EMPTY: [&str; 16] = ["a", "an", "the", "of", "to", "in", "for", "from", "on", "and", "or", "with", "by", "is", "my", "how"];

/// The words of a text, without what differs from one form of a word to another.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|it: char| !it.is_alphanumeric()).map(str::to_lowercase);
    parts.filter(|it| !it.is_empty() && !EMPTY.contains(&it.as_str())).map(|it| stem(&it).to_owned()).collect()
}

fn stem(word: &str) -> &str {
    if word.len() < 4 || word.ends_with("ss") || word == "policies" { word } else { word.strip_suffix('s').unwrap_or(word) }
}

/// How well an offer fits words: what its name says counts most, then what else it is called, then its description and arguments.
fn score(offer: &Offer, wanted: &[String]) -> usize {
    let name = words(&offer.tool.name.replace('_', " "));
    let description = words(&offer.tool.description());
    let schema = offer.input_schema();
    let arguments: Vec<String> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
        .flat_map(|it| words(&it.replace('_', " ")))
        .collect();
    let also = |word: &String| ALSO.iter().any(|(ours, others)| name.iter().any(|it| it == stem(ours)) && others.contains(&word.as_str()));
    let of = |word: &String| match word {
        it if name.contains(it) => 6,
        it if also(it) => 4,
        it if description.contains(it) => 2,
        it if arguments.contains(it) => 1,
        _ => 0,
    };
    let sum: usize = wanted.iter().map(of).sum();
    // What else its name says is not wanted.
    sum * 10 / (1 + name.iter().filter(|it| !wanted.contains(it)).count()).min(4)
}

fn invalid(message: impl Into<String>, fix: impl Into<String>) -> CallError {
    CallError::InvalidArguments { message: message.into(), fix: fix.into() }
}
