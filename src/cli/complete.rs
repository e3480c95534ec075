//! `rolecall complete`: what may stand at the end of a command line, for the shells' completion.

use std::{io::Write as _, process::ExitCode};

use serde_json::{Map, Value};

use super::{Ended, call::operator};
use crate::{
    app::App,
    config::{Config, Overrides, Reach},
    guard::{Given, Verdict},
    store::Db,
};

/// Print what may stand where the last word is, for a shell
#[derive(Debug, clap::Args)]
pub struct Complete {
    /// Print the descriptions, too, as this shell takes them
    #[arg(long)]
    shell: Option<Describing>,
    /// The words behind `rolecall`, the last of which is being written
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// The shells that show descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Describing {
    Zsh,
    Fish,
}

/// A word that may stand there, and what it is.
type Candidate = (String, String);

impl Complete {
    /// Prints them, a line each; exit code 1 where there are none, so that the shell may offer files.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let (last, before) = self.words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
        let mut found = candidates(overrides, before, last).await;
        found.retain(|it| it.0.starts_with(last));
        let mut out = anstream::stdout().lock();
        for (word, about) in &found {
            match self.shell {
                None => writeln!(out, "{word}")?,
                Some(Describing::Fish) => writeln!(out, "{word}\t{about}")?,
                Some(Describing::Zsh) => writeln!(out, "{}:{about}", word.replace(':', "\\:"))?,
            }
        }
        Ok(if found.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// All that may stand behind these words. What cannot be read has no candidates: a completion is no place for errors.
async fn candidates(overrides: &Overrides, before: &[String], last: &str) -> Vec<Candidate> {
    let mut command = super::command();
    let mut words = before.iter();
    while let Some(word) = words.next() {
        if let Some(values) = value_of(&command, word) {
            if words.as_slice().is_empty() {
                return values;
            }
            words.next();
        } else if let Some(inner) = command.find_subcommand(word) {
            if inner.get_name() == "call" {
                return of_call(overrides, words.as_slice(), last);
            }
            command = inner.clone();
        }
    }
    let mut found: Vec<Candidate> =
        command.get_subcommands().filter(|it| !it.is_hide_set()).map(|it| (it.get_name().to_owned(), about(it.get_about()))).collect();
    for argument in command.get_positionals() {
        found.extend(argument.get_possible_values().iter().map(|it| (it.get_name().to_owned(), about(it.get_help()))));
    }
    match command.get_name() {
        "approve" | "refuse" => found.extend(approvals(overrides).await),
        "show" | "cancel" | "resume" => found.extend(jobs(overrides).await),
        _ => {}
    }
    if last.starts_with('-') {
        found.extend(options(&command));
        found.extend(options(&super::command()));
    }
    found
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn options(command: &clap::Command) -> Vec<Candidate> {
    let shown = command.get_arguments().filter(|it| !it.is_hide_set());
    shown.filter_map(|it| Some((format!("--{}", it.get_long()?), about(it.get_help())))).collect()
}

/// The values of an option, where the word is one that takes a value.
fn value_of(command: &clap::Command, word: &str) -> Option<Vec<Candidate>> {
    let root = super::command();
    let named = |it: &&clap::Arg| {
        it.get_long().is_some_and(|long| word == format!("--{long}")) || it.get_short().is_some_and(|short| word == format!("-{short}"))
    };
    let argument = command.get_arguments().chain(root.get_arguments()).find(named)?;
    if !argument.get_action().takes_values() {
        return None;
    }
    Some(argument.get_possible_values().iter().map(|it| (it.get_name().to_owned(), about(it.get_help()))).collect())
}

/// Tools, then the arguments of the one that is named, then their values.
fn of_call(overrides: &Overrides, before: &[String], last: &str) -> Vec<Candidate> {
    let Ok(config) = Config::load(overrides) else { return Vec::new() };
    let app = App::new(config.setup(Reach::Local));
    let Some(tool) = before.first() else {
        // Names with dashes are taken, so they are completed.
        let spelt = |name: &str| if last.contains('-') { name.replace('_', "-") } else { name.to_owned() };
        return app.catalog.offers().map(|it| (spelt(it.tool.name), it.tool.description())).collect();
    };
    let Ok(offer) = app.catalog.offer(&tool.replace('-', "_")) else { return Vec::new() };
    let schema = offer.input_schema();
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let named = before.last().and_then(|it| it.strip_prefix("--")).filter(|_| before.len() > 1);
    match named.map(|it| it.replace('-', "_")) {
        Some(name) if name == "connection" => return app.connections.iter().map(|it| (it.name.clone(), it.provider.to_owned())).collect(),
        Some(name) if name == "output" => return ["table", "json", "yaml", "csv"].map(|it| (it.to_owned(), String::new())).into(),
        Some(name) if properties.contains_key(&name) && properties[&name]["type"] != "boolean" => {
            let property = &properties[&name];
            let values = property.get("enum").or_else(|| property["items"].get("enum")).and_then(Value::as_array);
            return values.into_iter().flatten().filter_map(Value::as_str).map(|it| (it.to_owned(), String::new())).collect();
        }
        _ if last.is_empty() || last.starts_with('-') => {}
        _ => return Vec::new(),
    }
    let described = |name: &str| offer.tool.help(name).unwrap_or_default().to_owned();
    let mut found: Vec<Candidate> = properties.keys().map(|name| (format!("--{}", name.replace('_', "-")), described(name))).collect();
    let own = [
        ("--json", "All arguments as one JSON object"),
        ("--output", "table, json, yaml or csv"),
        ("--quiet", "Ids alone, one a line"),
        ("--wide", "All columns of a table"),
        ("--all", "All pages of a list"),
        ("--each", "A table; the tool is called once for each row"),
        ("--save", "A file for the picture"),
    ];
    found.extend(own.map(|it| (it.0.to_owned(), it.1.to_owned())));
    found
}

/// The store, where there is one: a completion makes none.
async fn store(overrides: &Overrides) -> Option<Db> {
    let config = Config::load(overrides).ok()?;
    let there = config.store.strip_prefix("sqlite:").is_none_or(|it| std::path::Path::new(it).is_file());
    if there { Db::open(&config.store).await.ok() } else { None }
}

async fn approvals(overrides: &Overrides) -> Vec<Candidate> {
    let Some(db) = store(overrides).await else { return Vec::new() };
    let read = async {
        let mut conn = db.read().await?;
        let now = conn.now().await?;
        conn.open_approvals(now).await
    };
    read.await.unwrap_or_default().into_iter().map(|it| (it.id, format!("{} for {}", it.tool, it.principal))).collect()
}

async fn jobs(overrides: &Overrides) -> Vec<Candidate> {
    let (Some(_), Ok(config)) = (store(overrides).await, Config::load(overrides)) else { return Vec::new() };
    let app = App::new(config.setup(Reach::Local));
    let read = app.call("list_jobs", Map::new(), &operator(false), Given::Nothing).await;
    let Ok(Verdict::Done(list)) = read else { return Vec::new() };
    let text = |job: &Value, name: &str| job[name].as_str().unwrap_or_default().to_owned();
    let jobs = list["items"].as_array().into_iter().flatten();
    jobs.map(|it| (text(it, "job"), format!("{}, {}", text(it, "tool"), text(it, "status")))).collect()
}
