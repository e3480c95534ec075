//! `rolecall call`: one tool, called by a person or a script.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{Ended, Failure, Output, ask, fields, files, progress};
use crate::{
    app::App,
    catalog::Offer,
    config::{Config, Overrides, Reach},
    error::CallError,
    guard::{Caller, Given, LOCAL_PRINCIPAL, Verdict},
    tools::{Effect, Operation as _, jobs::ApplyChanges},
};

/// Call one tool, as an assistant would.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    override_usage = "rolecall call TOOL [--ARGUMENT VALUE]… [--each TABLE] [--json JSON] [-o FORMAT] [--all] [--save FILE]",
    after_help = "\
A tool's arguments:  rolecall call TOOL --help
The tools:           rolecall tools

Repeat an argument to give a list. @FILE stands for the text of a file, @- for the text on standard input.
A table may also be named without the @, as in --csv people.csv; it may be UTF-8, UTF-16 or Windows-1252.
--json JSON gives all arguments as one object; - reads it from standard input, @FILE from a file.
--each people.csv calls a changing tool once for each row of a table, after one question; - reads the table from standard input. The
first line names the columns, like the tool's arguments; other arguments apply to all rows. After a row fails the rest still run,
unless you give --on-failure stop.
-o table|json|yaml|csv sets the output: by default a table on a terminal, JSON in a pipe. -q prints ids alone, --wide all columns.
--all reads a list to its end, page by page. --save FILE, or --output logo.png, keeps a picture.

Exit codes: 0 done; 1 the call failed or was refused, or a row failed or differs; 2 usage error; 3 the change waits for a person."
)]
pub struct Call {
    /// The tool and its arguments
    #[arg(value_name = "TOOL", trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// What of the words is for this command and not for the tool.
#[derive(Debug, Default)]
struct Own {
    help: bool,
    json: Option<String>,
    /// A table of which each row is a call.
    each: Option<String>,
    output: Output,
    all: bool,
    save: Option<PathBuf>,
    overrides: Overrides,
    rest: Vec<String>,
}

impl Call {
    /// Calls the tool.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let (tool, words) = match self.words.split_first() {
            Some((first, _)) if first == "--help" || first == "-h" => return help_of_command(),
            None => {
                return Err(Failure::usage("no tool was named", "see `rolecall tools` for the tools, `rolecall call --help` for the rest"));
            }
            Some((first, _)) if first.starts_with('-') => {
                return Err(Failure::usage(format!("`{first}` comes before the tool's name"), "name the tool first: rolecall call TOOL …"));
            }
            Some((tool, words)) => (tool, words),
        };
        let own = Own::read(overrides.clone(), words)?;
        let config = Config::load(&own.overrides)?;
        let app = App::new(config.setup(Reach::Local));
        let tool = &tool_named(&app, tool);
        let offer = app.catalog.offer(tool)?;
        if own.help {
            return help_of_tool(offer);
        }
        let mut schema = offer.input_schema();
        if own.each.is_some() {
            schema["properties"]["on_failure"] = json!({ "type": "string" });
        }
        let arguments = match own.json {
            Some(json) if own.rest.is_empty() => fields::read_json(json)?,
            Some(_) => return Err(Failure::usage("`--json` and other arguments were given", "give all arguments in one of the two ways")),
            None => fields::read(tool, &schema, &own.rest)?,
        };
        let (tool, arguments) = match own.each {
            Some(table) => (ApplyChanges::NAME, for_each(offer, files::table(&table)?, arguments)),
            None => (tool.as_str(), arguments),
        };
        let called = match own.all {
            true if offer.tool.effect != Effect::Read => {
                return Err(Failure::usage(format!("{tool} is no list, so there is no page after the first"), "leave `--all` out"));
            }
            true => all_pages(&app, tool, arguments).await,
            false => call(&app, tool, arguments).await,
        };
        let result = match called {
            Ok(result) => result,
            Err(Stopped::Failure(failure)) => return Err(failure),
            Err(Stopped::Call(error)) => {
                let mut value = error.to_value();
                crate::shape::shape(&mut value);
                let mut failure = Failure::from(error);
                if !own.output.is_table() {
                    Output { quiet: false, ..own.output }.data(&mut anstream::stdout().lock(), &value)?;
                    // The question is in there; a line is enough beside it.
                    failure.message.truncate(failure.message.find('\n').unwrap_or(failure.message.len()));
                }
                return Err(failure);
            }
        };
        let mut out = anstream::stdout().lock();
        match own.save {
            Some(path) => {
                let image = result.get("image").and_then(Value::as_str).and_then(|it| STANDARD.decode(it).ok());
                let image = image.ok_or_else(|| Failure::usage("there is no picture in the result", "leave `--save` out"))?;
                std::fs::write(&path, image)
                    .map_err(|error| Failure::new(format!("file `{}`: {error}", path.display()), "choose another file"))?;
                writeln!(anstream::stderr(), "saved to {}", path.display())?;
            }
            None => own.output.result(&mut out, &result)?,
        }
        match result["job"].as_str().filter(|_| offer.tool.effect != Effect::Read && result["status"] == "running") {
            Some(job) => {
                Err(Failure::new(format!("job `{job}` was stopped between two rows"), format!("go on with `rolecall jobs resume {job}`")))
            }
            None if is_whole(&result) => Ok(ExitCode::SUCCESS),
            None => Ok(ExitCode::FAILURE),
        }
    }
}

/// A call of a tool for each row of a table; `arguments` are those of all rows, and what is said of the whole.
fn for_each(offer: &Offer, table: String, mut arguments: Map<String, Value>) -> Map<String, Value> {
    let mut whole = Map::new();
    for name in ["dry_run", "idempotency_key", "on_failure"] {
        if let Some(value) = arguments.shift_remove(name) {
            whole.insert(name.into(), value);
        }
    }
    whole.insert("tool".into(), offer.tool.name.into());
    whole.insert("csv".into(), table.into());
    whole.insert("common".into(), arguments.into());
    whole
}

/// A tool by its name, with `-` for `_` as in other programs.
fn tool_named(app: &App, word: &str) -> String {
    let name = word.replace('-', "_");
    if app.catalog.offer(&name).is_ok() { name } else { word.to_owned() }
}

/// A list to its end, as one page.
async fn all_pages(app: &App, tool: &str, mut arguments: Map<String, Value>) -> Result<Value, Stopped> {
    arguments.entry("limit").or_insert_with(|| 100.into());
    let mut whole = call(app, tool, arguments.clone()).await?;
    while let Some(cursor) = whole["next_cursor"].as_str().map(str::to_owned) {
        arguments.insert("cursor".into(), cursor.into());
        let mut page = call(app, tool, arguments.clone()).await?;
        let more = page["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
        if let Some(items) = whole["items"].as_array_mut() {
            items.extend(more);
            whole["shown"] = whole["items"].as_array().map_or(0, Vec::len).into();
        }
        for name in ["has_more", "next_cursor"] {
            match page.get(name) {
                Some(value) => whole[name] = value.clone(),
                None => {
                    whole.as_object_mut().map(|it| it.shift_remove(name));
                }
            }
        }
        for (name, value) in page.as_object().into_iter().flatten().filter(|it| it.0 == "failed") {
            whole[name] = value.clone();
        }
    }
    Ok(whole)
}

/// Whether all of what was asked for was done: of many rows, each was made or is so already.
fn is_whole(result: &Value) -> bool {
    ["differs", "failed", "unknown", "refused", "cancelled"].iter().all(|it| result["after"][it].as_u64().unwrap_or_default() == 0)
}

/// The flags of this command in their short form. As the value of an argument they are written `--name=-q`.
const SHORT: [&str; 3] = ["-h", "-o", "-q"];

impl Own {
    fn read(overrides: Overrides, words: &[String]) -> Result<Self, Failure> {
        let mut own = Self { overrides, ..Self::default() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (flag, given) = word.split_once('=').map_or((word.as_str(), None), |(flag, value)| (flag, Some(value.to_owned())));
            let mut value = || {
                let value = given.clone().or_else(|| words.next().cloned());
                value.ok_or_else(|| Failure::usage(format!("`{flag}` has no value"), "see `rolecall call --help`"))
            };
            match flag {
                "--help" | "-h" => own.help = true,
                "--json" => own.json = Some(value()?),
                "--each" => own.each = Some(value()?),
                "--save" => own.save = Some(value()?.into()),
                "--config" => own.overrides.config = Some(value()?.into()),
                "--store" => own.overrides.store = Some(value()?),
                "--secrets" => own.overrides.secrets = Some(value()?.into()),
                "--read-only" => own.overrides.read_only = true,
                "--all" => own.all = true,
                "--quiet" | "-q" => own.output.quiet = true,
                "--wide" => own.output.wide = true,
                "--output" | "-o" => {
                    let value = value()?;
                    match clap::ValueEnum::from_str(&value, true) {
                        Ok(format) => own.output.format = Some(format),
                        // A picture goes where a picture's name says.
                        Err(_) if [".png", ".jpg", ".jpeg"].iter().any(|it| value.to_lowercase().ends_with(it)) => {
                            own.save = Some(value.into());
                        }
                        Err(_) => {
                            return Err(Failure::usage(
                                format!("no output `{value}`"),
                                "use table, json, yaml, csv, or the name of a picture",
                            ));
                        }
                    }
                }
                _ => {
                    // The value of a tool's argument is never taken for a flag of ours.
                    own.rest.push(word.clone());
                    if word.starts_with("--") && given.is_none() {
                        let is_value = |it: &&String| !it.starts_with("--") && !SHORT.contains(&it.as_str());
                        if let Some(value) = words.clone().next().filter(is_value) {
                            own.rest.push(value.clone());
                            words.next();
                        }
                    }
                }
            }
        }
        Ok(own)
    }
}

/// Why a call has no result.
enum Stopped {
    Call(CallError),
    Failure(Failure),
}

impl From<CallError> for Stopped {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Who sits at the machine itself.
pub(super) fn operator(can_ask: bool) -> Caller {
    Caller { principal: LOCAL_PRINCIPAL.to_owned(), client: concat!("rolecall-cli/", env!("CARGO_PKG_VERSION")).to_owned(), can_ask }
}

/// Calls a tool, asking the person at the terminal where that is needed and there is one.
async fn call(app: &App, tool: &str, arguments: Map<String, Value>) -> Result<Value, Stopped> {
    let is_here = ask::a_person_is_here();
    let caller = operator(is_here);
    let mut given = if is_here { Given::Here } else { Given::Nothing };
    loop {
        match progress::during(app, |wait| app.call_and_wait(tool, arguments.clone(), &caller, given, wait)).await? {
            Verdict::Done(result) => return Ok(result),
            Verdict::Ask(question, ticket) => {
                let answer = ask::ask(&question).map_err(|error| Stopped::Failure(error.into()))?;
                given = Given::Typed(ticket, answer);
            }
            Verdict::Token { .. } => {
                let fix = "run the command at a terminal, where a person can be asked";
                return Err(Stopped::Failure(Failure {
                    code: 3,
                    ..Failure::new("a person has to approve this; nothing was changed", fix)
                }));
            }
        }
    }
}

fn help_of_command() -> Ended {
    let mut command = super::command();
    let help = command.find_subcommand_mut("call").map(|it| it.render_long_help().ansi().to_string()).unwrap_or_default();
    writeln!(anstream::stdout(), "{help}")?;
    Ok(ExitCode::SUCCESS)
}

/// How many characters of a text stand in a line.
const LINE: usize = 100;

/// A text in lines that most terminals show whole.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|it| it.len() + word.len() < LINE) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn help_of_tool(offer: &Offer) -> Ended {
    let mut out = anstream::stdout().lock();
    let bold = anstyle::Style::new().bold();
    writeln!(out, "{bold}{}{bold:#} ({}): {}\n", offer.tool.name, offer.tool.effect.name(), offer.tool.description())?;
    writeln!(out, "{bold}Usage:{bold:#} rolecall call {} [--ARGUMENT VALUE]…", offer.tool.name)?;
    let lines = fields::describe(offer);
    if !lines.is_empty() {
        writeln!(out, "\n{bold}Arguments:{bold:#}")?;
        for (flag, text) in lines {
            writeln!(out, "  {flag}")?;
            for line in wrapped(&text) {
                writeln!(out, "      {line}")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
