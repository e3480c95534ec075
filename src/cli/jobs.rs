//! `rolecall jobs`: work of many calls, seen, ended and gone on with at the terminal.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use serde_json::{Map, Value, json};

use super::{Ended, Failure, Output, call, files, progress};
use crate::{
    app::App,
    config::{Config, Overrides, Reach},
    guard::{Caller, Given, Verdict},
};

/// List, inspect, cancel or resume jobs.
#[derive(Debug, clap::Args)]
pub struct Jobs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List jobs, newest first
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Show a job's progress and the outcome of each row
    Show {
        /// The job's id, as `rolecall jobs list` shows it
        id: String,
        /// Show only rows with this outcome: done, skipped, differs, failed, unknown, refused, cancelled or pending
        #[arg(long)]
        outcome: Option<String>,
        /// Write all rows with their outcomes to a CSV file, or to standard output with -; `add_project_members --csv` can read it again
        #[arg(long, value_name = "FILE")]
        csv: Option<PathBuf>,
        /// Wait until the job ends
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Cancel a job; changes already made stay
    Cancel {
        /// The job's id, as `rolecall jobs list` shows it
        id: String,
        #[command(flatten)]
        output: Output,
    },
    /// Resume a job whose process has ended, or all such jobs
    Resume {
        /// The job's id; without it, all jobs whose process has ended
        id: Option<String>,
        #[command(flatten)]
        output: Output,
    },
}

impl Jobs {
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let app = App::new(Config::load(overrides)?.setup(Reach::Local));
        let caller = call::operator(false);
        let mut out = anstream::stdout().lock();
        match &self.command {
            Command::List { output } => {
                let mut jobs = look(&app, &caller, "list_jobs", json!({ "limit": 100 })).await?;
                if output.is_table() {
                    jobs = brief(&jobs);
                }
                output.result(&mut out, &jobs)?;
            }
            Command::Show { id, csv: Some(path), watch, .. } => {
                if *watch {
                    progress::watch(&app, id, &caller).await?;
                }
                let table = app.jobs().table(id, &caller).await?;
                if path.as_os_str() == "-" {
                    write!(out, "{table}")?;
                    return Ok(ExitCode::SUCCESS);
                }
                let path = path.to_str().map_or_else(|| path.clone(), files::at_home);
                std::fs::write(&path, table)
                    .map_err(|error| Failure::new(format!("file `{}`: {error}", path.display()), "choose another file"))?;
                writeln!(out, "written to {}", path.display())?;
            }
            Command::Show { id, outcome, watch, output, .. } => {
                if *watch {
                    progress::watch(&app, id, &caller).await?;
                }
                let mut arguments = json!({ "job": id, "limit": 100 });
                if let Some(outcome) = outcome {
                    arguments["outcome"] = outcome.as_str().into();
                }
                let job = look(&app, &caller, "get_job", arguments).await?;
                if output.is_table() {
                    writeln!(out, "{}\n", line(&job))?;
                }
                output.result(&mut out, &job)?;
            }
            Command::Cancel { id, output } => {
                let cancelled = look(&app, &caller, "cancel_job", json!({ "job": id })).await?;
                if output.is_table() {
                    writeln!(out, "{}", line(&cancelled["after"]))?;
                } else {
                    output.data(&mut out, &cancelled)?;
                }
            }
            Command::Resume { id, output } => {
                let resumed = app.jobs().resume(id.as_deref()).await?;
                let mut reports = Vec::new();
                for id in &resumed {
                    progress::during(&app, |wait| app.jobs().finished(id, wait)).await;
                    reports.push(look(&app, &caller, "get_job", json!({ "job": id })).await?);
                }
                if !output.is_table() {
                    output.data(&mut out, &reports)?;
                } else if reports.is_empty() {
                    writeln!(anstream::stderr(), "No job waits to be resumed.")?;
                } else {
                    reports.iter().try_for_each(|it| writeln!(out, "{}", line(it)))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Calls a tool that asks nobody.
async fn look(app: &App, caller: &Caller, tool: &str, arguments: Value) -> Result<Value, Failure> {
    let arguments = if let Value::Object(arguments) = arguments { arguments } else { Map::new() };
    match app.call(tool, arguments, caller, Given::Nothing).await? {
        Verdict::Done(result) => Ok(result),
        Verdict::Ask(..) | Verdict::Token { .. } => Err(Failure::new("a person has to approve this", "use `rolecall call`")),
    }
}

/// A job in a line: `job_01… add_project_members, 40 people: done; 38 done, 2 failed`.
fn line(job: &Value) -> String {
    let text = |name: &str| job[name].as_str().unwrap_or_default();
    let status = if job["interrupted"] == true { "interrupted; `rolecall jobs resume` continues it" } else { text("status") };
    format!("{} {}, {}: {status}; {}", text("job"), text("tool"), text("target"), counts(job))
}

fn counts(job: &Value) -> String {
    let named = ["done", "skipped", "differs", "failed", "unknown", "refused", "cancelled", "pending"];
    let counts = named.iter().filter_map(|name| Some((job[*name].as_u64().filter(|it| *it > 0)?, name)));
    counts.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

/// The list with the columns that fit on a terminal.
fn brief(jobs: &Value) -> Value {
    let view = |job: &Value| {
        let status = if job["interrupted"] == true { json!("interrupted") } else { job["status"].clone() };
        json!({
            "job": job["job"], "tool": job["tool"], "about": job["target"], "status": status,
            "rows": counts(job), "started": job["created_at"],
        })
    };
    let items = jobs["items"].as_array().into_iter().flatten().map(view).collect::<Vec<_>>();
    json!({ "items": items })
}
