//! Prompts: jobs that take several tools, each written down in a file under `prompts/`.
//!
//! A file has a head in TOML and a body with `{{argument}}` in it. `{{#x}}…{{/x}}` is kept where the argument `x` was
//! given or the tool `x` is on offer, `{{^x}}…{{/x}}` where not: so no prompt ever names a tool that cannot be called. Where a
//! connection is chosen, what is on offer is what that connection serves. `{{given}}` lists the arguments that the body does not name
//! itself, and which connections are meant. What holds for all prompts is said once, here.

use std::{collections::HashMap, fmt::Write as _, sync::LazyLock};

use rmcp::{
    ErrorData,
    model::{GetPromptResult, Prompt, PromptArgument, PromptMessage, Role},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{app::App, domain::clean, providers::builtin, shape::cut};

/// The files, in the order in which they are listed.
const FILES: [(&str, &str); 6] = [
    ("invite-people", include_str!("../../prompts/invite-people.md")),
    ("onboard", include_str!("../../prompts/onboard.md")),
    ("offboard", include_str!("../../prompts/offboard.md")),
    ("review-access", include_str!("../../prompts/review-access.md")),
    ("set-up-project", include_str!("../../prompts/set-up-project.md")),
    ("rotate-keys", include_str!("../../prompts/rotate-keys.md")),
];

/// The longest argument of one line, in characters.
const MAX_LINE: usize = 300;

/// The longest argument of many lines, in characters: a thousand people with a word about each.
const MAX_LINES: usize = 50_000;

/// What stands for the arguments that the body does not name.
const GIVEN: &str = "given";

/// How every prompt ends.
const CLOSING: &str = "Only a person can agree. When a result says that consent is still needed, pass its words on, wait, and repeat the \
                       same call unchanged.";

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let parsed = FILES.iter().map(|(name, text)| Template::parse(name, text));
    parsed.filter_map(|it| it.inspect_err(|error| tracing::error!(error, "a prompt cannot be read")).ok()).collect()
});

/// The prompts whose tools are on offer.
pub(super) fn list(app: &App) -> Vec<Prompt> {
    TEMPLATES.iter().filter(|it| it.is_offered(app)).map(|it| it.prompt(app)).collect()
}

/// A job whose arguments are left open.
pub(super) struct Open<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) text: String,
}

/// The prompts whose tools are on offer, with their arguments left open.
pub(super) fn open(app: &App) -> impl Iterator<Item = Open<'static>> {
    let open = |it: &'static Template| Open { name: it.name, description: &it.head.description, text: it.left_open(app) };
    TEMPLATES.iter().filter(|it| it.is_offered(app)).map(open)
}

/// The prompt with its arguments put in.
pub(super) fn get(app: &App, name: &str, arguments: Option<&Map<String, Value>>) -> Result<GetPromptResult, ErrorData> {
    let Some(template) = TEMPLATES.iter().find(|it| it.name == name && it.is_offered(app)) else {
        let names: Vec<_> = TEMPLATES.iter().filter(|it| it.is_offered(app)).map(|it| it.name).collect();
        return Err(invalid(format!("no prompt `{}`; there are: {}", printable(name), names.join(", "))));
    };
    let given = template.read(app, arguments)?;
    let connection = arguments.and_then(|it| it.get("connection")).and_then(Value::as_str).map(str::trim).filter(|it| !it.is_empty());
    let offered = |name: &str| match app.catalog.offer(name) {
        // The server's own tools are there whichever connection was chosen.
        Ok(offer) => connection.is_none_or(|it| offer.able().iter().any(|able| able.name == it || able.name == builtin::NAME)),
        Err(_) => false,
    };
    let everywhere = connection.is_none() && app.connections.len() > 1;
    let message = PromptMessage::new_text(Role::User, template.text(&|name| given.get(name).cloned(), &offered, everywhere));
    Ok(GetPromptResult::new(vec![message]).with_description(template.head.description.as_str()))
}

/// Whether a prompt that is on offer takes the argument.
pub(super) fn takes(app: &App, prompt: &str, argument: &str) -> bool {
    TEMPLATES.iter().any(|it| it.name == prompt && it.is_offered(app) && it.arguments(app).any(|it| it.name == argument))
}

/// A prompt, read from its file.
#[derive(Debug)]
struct Template {
    name: &'static str,
    head: Head,
    body: Vec<Node>,
    /// The arguments whose values the body puts in itself.
    named: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    title: String,
    description: String,
    /// Whether one call is for all connections where none is chosen.
    #[serde(default)]
    spans: bool,
    /// The tools without which the job cannot be done; `a|b` where either will do.
    needs: Vec<String>,
    arguments: Vec<Argument>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Argument {
    name: String,
    description: String,
    #[serde(default)]
    required: bool,
    /// Whether it is a list, a line for each thing.
    #[serde(default)]
    lines: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Node {
    Text(String),
    Value(String),
    /// Kept where the name is there, or where it is not.
    Section {
        name: String,
        kept_with: bool,
        nodes: Vec<Node>,
    },
}

impl Template {
    fn parse(name: &'static str, text: &str) -> Result<Self, String> {
        let parts = text.strip_prefix("+++\n").and_then(|it| it.split_once("\n+++\n"));
        let (head, body) = parts.ok_or_else(|| format!("{name}: no head between `+++` lines"))?;
        let head: Head = toml::from_str(head).map_err(|error| format!("{name}: {error}"))?;
        let mut rest = body;
        let body = nodes(&mut rest, None).map_err(|error| format!("{name}: {error}"))?;
        let mut named = Vec::new();
        values(&body, &mut named);
        Ok(Self { name, head, body, named })
    }

    fn is_offered(&self, app: &App) -> bool {
        self.head.needs.iter().all(|it| it.split('|').any(|it| app.catalog.offer(it).is_ok()))
    }

    /// Its arguments; which connection is a question only where there are several.
    fn arguments(&self, app: &App) -> impl Iterator<Item = &Argument> {
        let one = app.connections.len() < 2;
        self.head.arguments.iter().filter(move |it| !(one && it.name == "connection"))
    }

    fn prompt(&self, app: &App) -> Prompt {
        let argument =
            |it: &Argument| PromptArgument::new(it.name.as_str()).with_description(it.description.as_str()).with_required(it.required);
        let arguments = self.arguments(app).map(argument).collect();
        Prompt::new(self.name, Some(self.head.description.as_str()), Some(arguments)).with_title(self.head.title.as_str())
    }

    /// `everywhere`: there are several connections, and none of them is chosen.
    fn text(&self, given: &dyn Fn(&str) -> Option<String>, offered: &dyn Fn(&str) -> bool, everywhere: bool) -> String {
        let mut text = String::new();
        let listed = self.listed(given, everywhere);
        let with = |name: &str| if name == GIVEN { Some(listed.clone()) } else { given(name) };
        render(&self.body, &with, offered, &mut text);
        text.push('\n');
        text.push_str(CLOSING);
        // Where sections were left out, their blank lines are left over.
        while text.contains("\n\n\n") {
            text = text.replace("\n\n\n", "\n\n");
        }
        text.trim().to_owned()
    }

    /// The arguments that were given and that the body does not name, a line each.
    fn listed(&self, given: &dyn Fn(&str) -> Option<String>, everywhere: bool) -> String {
        let rest = self.head.arguments.iter().filter(|it| !self.named.contains(&it.name));
        let mut lines: Vec<String> = rest
            .filter_map(|it| Some((it.name.as_str(), given(&it.name)?)))
            .map(|(name, value)| match name {
                "connection" => format!("- Connection: {value}, in every call."),
                name => format!("- {}: {value}", name.replace('_', " ")),
            })
            .collect();
        if self.head.spans && everywhere {
            lines.push("- Connections: all of them, in one call. Say which did not answer.".to_owned());
        }
        lines.join("\n")
    }

    /// The text with a mark for each argument that is needed, and all arguments explained.
    fn left_open(&self, app: &App) -> String {
        let offered = |name: &str| app.catalog.offer(name).is_ok();
        let marked = |name: &str| self.arguments(app).any(|it| it.required && it.name == name).then(|| format!("<{name}>"));
        let mut text = self.text(&marked, &offered, app.connections.len() > 1);
        text.push_str("\n\nWhat the user says decides on:\n");
        for argument in self.arguments(app) {
            let needed = if argument.required { "ask where it is not said" } else { "may be left open" };
            let _ = writeln!(text, "- `{}`: {} ({needed})", argument.name, argument.description);
        }
        text.trim_end().to_owned()
    }

    /// The arguments as they are put in. An empty one counts as left out: forms send them so.
    fn read(&self, app: &App, arguments: Option<&Map<String, Value>>) -> Result<HashMap<&str, String>, ErrorData> {
        let taken = || self.arguments(app).map(|it| format!("`{}`", it.name)).collect::<Vec<_>>().join(", ");
        let mut given = HashMap::new();
        for (name, value) in arguments.into_iter().flatten() {
            let Some(argument) = self.arguments(app).find(|it| it.name == *name) else {
                return Err(invalid(format!("prompt `{}` has no argument `{}`; it takes: {}", self.name, printable(name), taken())));
            };
            let Value::String(text) = value else {
                return Err(invalid(format!("`{name}` is not a text")));
            };
            if let Some(text) = argument.written(text)? {
                given.insert(argument.name.as_str(), text);
            }
        }
        let missing = self.arguments(app).filter(|it| it.required && !given.contains_key(it.name.as_str()));
        let missing: Vec<_> = missing.map(|it| format!("`{}`", it.name)).collect();
        if missing.is_empty() { Ok(given) } else { Err(invalid(format!("missing: {}; it takes: {}", missing.join(", "), taken()))) }
    }
}

impl Argument {
    /// The text so marked that it cannot pass for a part of the prompt: one line as a JSON string, which is also how tools take
    /// it; many lines each behind a `>`.
    fn written(&self, text: &str) -> Result<Option<String>, ErrorData> {
        let most = if self.lines { MAX_LINES } else { MAX_LINE };
        // Cutting it would leave people out without a word.
        if text.chars().count() > most {
            return Err(invalid(format!("`{}` is longer than {most} characters", self.name)));
        }
        let text = clean(text);
        if !self.lines {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            return Ok((!line.is_empty()).then(|| Value::from(line).to_string()));
        }
        let lines = text.lines().map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|it| !it.is_empty());
        let quoted: Vec<_> = lines.map(|it| format!("> {it}")).collect();
        Ok((!quoted.is_empty()).then(|| quoted.join("\n")))
    }
}

/// The names whose values are put in.
fn values(nodes: &[Node], all: &mut Vec<String>) {
    for node in nodes {
        match node {
            Node::Text(_) => {}
            Node::Value(name) => all.push(name.clone()),
            Node::Section { nodes, .. } => values(nodes, all),
        }
    }
}

/// Reads nodes up to the end of the section `inside`, or of the text.
fn nodes(rest: &mut &str, inside: Option<&str>) -> Result<Vec<Node>, String> {
    let mut found = Vec::new();
    loop {
        let Some((text, tag, after)) = next_tag(rest)? else {
            if let Some(name) = inside {
                return Err(format!("`{{{{#{name}}}}}` is not closed"));
            }
            found.push(Node::Text((*rest).to_owned()));
            return Ok(found);
        };
        if !text.is_empty() {
            found.push(Node::Text(text.to_owned()));
        }
        *rest = after;
        let name = tag.trim_start_matches(['#', '^', '/']);
        match tag.chars().next() {
            Some(mark @ ('#' | '^')) => {
                let nodes = nodes(rest, Some(name))?;
                found.push(Node::Section { name: name.to_owned(), kept_with: mark == '#', nodes });
            }
            Some('/') if inside == Some(name) => return Ok(found),
            Some('/') => return Err(format!("`{{{{/{name}}}}}` closes nothing")),
            _ => found.push(Node::Value(name.to_owned())),
        }
    }
}

/// The text before the next tag, the tag, and what follows. A section's tag on a line of its own takes the line with it.
fn next_tag<'a>(rest: &&'a str) -> Result<Option<(&'a str, &'a str, &'a str)>, String> {
    let Some((text, tail)) = rest.split_once("{{") else { return Ok(None) };
    let (tag, after) = tail.split_once("}}").ok_or("`{{` without `}}`")?;
    let name = tag.trim_start_matches(['#', '^', '/']);
    if name.is_empty() || !name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_') {
        return Err(format!("`{tag}` is not a name"));
    }
    let alone = name.len() < tag.len() && (text.is_empty() || text.ends_with('\n'));
    Ok(Some((text, tag, after.strip_prefix('\n').filter(|_| alone).unwrap_or(after))))
}

/// Writes the nodes in one pass: what is put in is never read again.
fn render(nodes: &[Node], given: &dyn Fn(&str) -> Option<String>, offered: &dyn Fn(&str) -> bool, text: &mut String) {
    for node in nodes {
        match node {
            Node::Text(it) => text.push_str(it),
            Node::Value(name) => {
                let _ = write!(text, "{}", given(name).unwrap_or_default());
            }
            Node::Section { name, kept_with, nodes } => {
                if (given(name).is_some() || offered(name)) == *kept_with {
                    render(nodes, given, offered, text);
                }
            }
        }
    }
}

fn invalid(message: String) -> ErrorData {
    ErrorData::invalid_params(message, None)
}

/// A name that a client sent, fit for a message.
fn printable(name: &str) -> String {
    cut(&clean(name).replace(['\n', '\t'], " "), 80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools;

    fn names(nodes: &[Node], all: &mut Vec<(String, bool)>) {
        for node in nodes {
            match node {
                Node::Text(_) => {}
                Node::Value(name) => all.push((name.clone(), true)),
                Node::Section { name, nodes, .. } => {
                    all.push((name.clone(), false));
                    names(nodes, all);
                }
            }
        }
    }

    #[test]
    fn every_file_is_read_and_names_only_arguments_and_tools() {
        let known: Vec<_> = tools::all().into_iter().map(|it| it.name).collect();
        for (name, text) in FILES {
            let template = Template::parse(name, text).unwrap();
            for tool in template.head.needs.iter().flat_map(|it| it.split('|')) {
                assert!(known.contains(&tool), "{name} needs `{tool}`");
            }
            let mut used = Vec::new();
            names(&template.body, &mut used);
            for (used, is_value) in &used {
                let is_argument = template.head.arguments.iter().any(|it| it.name == *used);
                let is_known = if *is_value { used == GIVEN } else { known.contains(&used.as_str()) };
                assert!(is_argument || is_known, "{name} uses `{used}`");
            }
            assert!(used.iter().any(|it| it.0 == GIVEN), "{name} does not use `{GIVEN}`");
            for argument in &template.head.arguments {
                assert!(!known.contains(&argument.name.as_str()), "{name}: `{}` is a tool's name too", argument.name);
            }
        }
    }

    #[test]
    fn sections_are_kept_or_left_out_with_their_lines() {
        let mut rest = "a {{x}}\n{{#x}}\nwith{{#tool}}, tool{{/tool}}\n{{/x}}\n{{^x}}\nwithout\n{{/x}}\nend";
        let body = nodes(&mut rest, None).unwrap();
        let written = |given: Option<&str>, tool: bool| {
            let mut text = String::new();
            render(&body, &|name| given.filter(|_| name == "x").map(str::to_owned), &|name| tool && name == "tool", &mut text);
            text
        };
        assert_eq!(written(Some("{{#x}}"), true), "a {{#x}}\nwith, tool\nend");
        assert_eq!(written(Some("1"), false), "a 1\nwith\nend");
        assert_eq!(written(None, true), "a \nwithout\nend");
    }

    #[test]
    fn what_is_not_closed_is_named() {
        for bad in ["{{#x}}", "{{/x}}", "{{#x}}{{/y}}", "{{x", "{{X y}}", "{{}}"] {
            assert!(nodes(&mut { bad }, None).is_err(), "{bad}");
        }
    }
}
