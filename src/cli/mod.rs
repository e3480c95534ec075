//! The command line: a file for each command.
#![allow(clippy::missing_errors_doc, reason = "each command ends with a `Failure` that says what is wrong and how to mend it")]

use std::{fmt::Write as _, io::Write as _, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    config::{ConfigError, Overrides},
    domain::clean,
    error::{CallError, chain},
    store::StoreError,
};

pub mod activity;
pub mod approvals;
mod ask;
pub mod call;
pub mod certificates;
mod clients;
mod complete;
pub mod completions;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod connect;
pub mod console;
pub mod demo;
pub mod doctor;
mod fields;
mod files;
pub mod init;
pub mod jobs;
pub mod ledger;
mod logging;
mod output;
mod progress;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod seed;
pub mod serve;
mod shell;
pub mod snippets;
pub mod store;
pub mod tools;

pub use logging::LogFormat;
pub use output::{Format, Output};

/// The command line, read.
#[derive(Debug, Parser)]
#[command(
    name = "rolecall",
    bin_name = "rolecall",
    version,
    about = "Lets AI assistants run organizations, with consent that a model cannot forge."
)]
pub struct Cli {
    #[command(flatten)]
    pub overrides: Overrides,
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve an AI assistant, over stdio or HTTP
    Serve(serve::Serve),
    /// Connect a client: show the change to its file, ask, and write it
    Connect(connect::Connect),
    /// Print a snippet that connects a client, for you to paste
    Config(snippets::Config),
    /// Watch a scripted assistant work in a temporary directory
    Demo(demo::Demo),
    /// Call one tool, as an assistant would
    Call(call::Call),
    /// List the tools on offer
    Tools(tools::Tools),
    /// List the changes that wait for approval
    Approvals(approvals::Approvals),
    /// Approve a waiting change
    Approve(approvals::ApprovalAnswer),
    /// Reject a waiting change
    Refuse(approvals::Refusal),
    /// Answer waiting changes in a browser, and see who has access to what
    Console(console::Console),
    /// List past changes, or verify the ledger
    Activity(activity::Activity),
    /// List, inspect, cancel or resume jobs
    Jobs(jobs::Jobs),
    /// Export the ledger to a file, or verify such a file
    Ledger(ledger::Ledger),
    /// Back up the store
    Store(store::Store),
    /// Ask for your accounts, check each, and write rolecall.toml
    Init(init::Init),
    /// Check the configuration, the store and the connections
    Doctor(doctor::Doctor),
    /// Run a provider's API on this machine, for practice
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::Sandbox),
    /// Fill an empty directory with a practice company
    Seed(seed::Seed),
    /// Add certificates to the embedded directory
    Certificates(certificates::Certificates),
    /// Print completions for a shell
    Completions(completions::Completions),
    /// Write man pages into a folder
    Man(completions::Man),
    #[command(hide = true)]
    Complete(complete::Complete),
    #[cfg(feature = "conformance")]
    #[command(hide = true)]
    Conformance(conformance::Conformance),
}

/// The commands as `--help` groups them.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Connect an assistant", &["serve", "connect", "config", "demo"]),
    ("Use the tools yourself", &["call", "tools"]),
    ("Approve and review", &["console", "approvals", "approve", "refuse", "activity", "jobs", "ledger"]),
    ("Set up", &["init", "doctor", "sandbox", "store", "seed", "certificates", "completions", "man"]),
];

const EXAMPLES: &str = "  rolecall demo                                  run the demo, about ten seconds
  rolecall connect claude-desktop                connect Claude Desktop
  rolecall call list_projects --query atlas      call a tool at the terminal
  rolecall call delete_project --help            show a tool's arguments
  rolecall serve --http 127.0.0.1:8080           serve over HTTP
  rolecall approve k7m2qx                        approve a waiting change";

impl Cli {
    /// Reads the process's arguments; ends the process where there is nothing more to do than to explain.
    #[must_use]
    pub fn read() -> Self {
        let matches = command().try_get_matches().unwrap_or_else(|error| explain(&error));
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Says what is wrong with the words that were given, and what they were probably meant to be; ends the process.
fn explain(error: &clap::Error) -> ! {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) = (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        let failure = Failure::usage(format!("there is no command `{word}`"), meant(word));
        let _ = failure.report(); // its code is 2
        std::process::exit(2);
    }
    error.exit()
}

/// What a word was probably meant to be: a tool, a command, or tools about that noun.
fn meant(word: &str) -> String {
    let name = word.replace('-', "_").to_lowercase();
    let tools: Vec<&str> = crate::tools::all().iter().map(|it| it.name).collect();
    if tools.contains(&name.as_str()) {
        return format!("it is a tool: `rolecall call {name}`");
    }
    let commands: Vec<String> = Cli::command().get_subcommands().map(|it| it.get_name().to_owned()).collect();
    let near = commands.iter().map(|it| (strsim::jaro_winkler(it, &name), it)).filter(|it| it.0 > 0.85).max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, command)) = near {
        return format!("did you mean `rolecall {command}`?");
    }
    let noun = name.trim_end_matches('s');
    let list = tools.iter().find(|it| it.starts_with("list_") && it.trim_start_matches("list_").trim_end_matches('s') == noun);
    match list {
        Some(list) => format!("`rolecall call {list}` lists {noun}s; `rolecall tools` lists every tool"),
        None => "`rolecall --help` lists the commands, `rolecall tools` the tools that `rolecall call` takes".to_owned(),
    }
}

/// The command line as clap knows it, with the commands grouped in its help.
pub fn command() -> clap::Command {
    let command = Cli::command();
    let heading = *command.get_styles().get_header();
    let name = *command.get_styles().get_literal();
    let mut help = "{about}\n\n{usage-heading} {usage}\n".to_owned();
    // Writing into a text does not fail.
    for (group, members) in GROUPS {
        let _ = writeln!(help, "\n{heading}{group}:{heading:#}");
        // The sandbox may have been left out of the program.
        for (member, command) in members.iter().filter_map(|it| Some((it, command.find_subcommand(it)?))) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(help, "  {name}{member:<13}{name:#} {about}");
        }
    }
    let _ = writeln!(help, "\n{heading}Options:{heading:#}\n{{options}}\n\n{heading}Examples:{heading:#}\n{EXAMPLES}");
    command.help_template(help)
}

impl Cli {
    /// Runs the command to its end; the answer is the process's exit code.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        self.ended().unwrap_or_else(|failure| failure.report())
    }

    fn ended(&self) -> Ended {
        use tokio::runtime::Builder;
        let serve = if let Command::Serve(it) = &self.command { Some(it) } else { None };
        // Clients that start a server for themselves may never read its lines, and a pipe that is full stops who writes to it.
        logging::start(serve.map(serve::Serve::log_format).unwrap_or_default(), serve.is_some_and(serve::Serve::is_http));
        // One client is served fastest on one thread; many deserve all there are.
        let many = matches!(&self.command, Command::Console(_)) || serve.is_some_and(serve::Serve::is_http);
        let mut builder = if many { Builder::new_multi_thread() } else { Builder::new_current_thread() };
        let runtime = builder.enable_all().build()?;
        let ended = runtime.block_on(Box::pin(self.command.run(&self.overrides)));
        // Without waiting for a thread that may still read standard input.
        runtime.shutdown_background();
        ended
    }
}

impl Command {
    /// The table of contents of this folder. It is here and not in the program, so that all of it is compiled once, with the
    /// library.
    async fn run(&self, overrides: &Overrides) -> Ended {
        match self {
            // connect an assistant
            Self::Serve(it) => it.run(overrides).await,
            Self::Connect(it) => it.run(overrides),
            Self::Config(it) => it.run(overrides),
            Self::Demo(it) => it.run().await,
            // use the tools
            Self::Call(it) => it.run(overrides).await,
            Self::Tools(it) => it.run(overrides),
            // approve and review
            Self::Approvals(it) => it.run(overrides).await,
            Self::Approve(it) => it.approve(overrides).await,
            Self::Refuse(it) => it.run(overrides).await,
            Self::Console(it) => it.run(overrides).await,
            Self::Activity(it) => it.run(overrides).await,
            Self::Jobs(it) => it.run(overrides).await,
            Self::Ledger(it) => it.run(overrides).await,
            Self::Store(it) => it.run(overrides).await,
            // set up
            Self::Init(it) => it.run(overrides).await,
            Self::Doctor(it) => it.run(overrides).await,
            #[cfg(feature = "sandbox")]
            Self::Sandbox(it) => it.run().await,
            Self::Seed(it) => it.run(overrides).await,
            Self::Certificates(it) => it.run(overrides).await,
            Self::Completions(it) => it.run(),
            Self::Man(it) => it.run(),
            Self::Complete(it) => it.run(overrides).await,
            #[cfg(feature = "conformance")]
            Self::Conformance(it) => it.run(overrides).await,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    pub fix: String,
    /// 1: it failed; 2: usage error; 3: a person has to agree first.
    pub code: u8,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: fix.into(), code: 1 }
    }

    /// A usage error.
    pub(crate) fn usage(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(message, fix) }
    }

    /// Says it, on stderr; the answer is the process's exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        let mut out = anstream::stderr().lock();
        let (red, bold) = (anstyle::AnsiColor::Red.on_default().bold(), anstyle::Style::new().bold());
        // Nobody is left to tell when stderr is gone.
        if !self.message.is_empty() {
            let _ = writeln!(out, "{red}error:{red:#} {}", clean(&self.message));
        }
        if !self.fix.is_empty() {
            let _ = writeln!(out, "{bold}fix:{bold:#} {}", clean(&self.fix));
        }
        ExitCode::from(self.code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.message, error.fix)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(chain(&error), "run `rolecall doctor`")
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let code = match &error {
            CallError::UnknownTool { .. }
            | CallError::InvalidArguments { .. }
            | CallError::UnknownConnection { .. }
            | CallError::NotServed { .. } => 2,
            CallError::PendingApproval { .. } => 3,
            _ => 1,
        };
        Self { message: error.told(), fix: crate::domain::one_line(&error.fix()).into_owned(), code }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // Whoever read our output has seen enough, as in `rolecall tools | head`.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { message: String::new(), fix: String::new(), code: 0 };
        }
        Self::new(error.to_string(), "")
    }
}

/// What a command answers.
pub type Ended = Result<ExitCode, Failure>;
