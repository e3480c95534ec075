//! `rolecall doctor`: checks, problems and fixes.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use super::{Ended, Output};
use crate::{
    app::App,
    config::{Config, LaidOver, Overrides, Reach},
    error::chain,
    jobs::EndsTold,
    secrets::SecretSink,
    store,
};

/// Check the configuration, the store and the connections.
#[derive(Debug, clap::Args)]
#[command(mut_arg("format", |it| it.help("Print json, yaml or csv instead of text")))]
pub struct Doctor {
    /// Also print the program, system, folder and variable names, for support
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    output: Output,
}

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    state: State,
}

/// How it is.
enum State {
    Ok(String),
    /// It is no problem, and worth knowing.
    Note(String),
    /// The problem and its fix.
    Fail(String, String),
}

impl From<Result<String, (String, String)>> for State {
    fn from(found: Result<String, (String, String)>) -> Self {
        match found {
            Ok(found) => Self::Ok(found),
            Err((problem, fix)) => Self::Fail(problem, fix),
        }
    }
}

impl Doctor {
    /// Runs all checks; exit code 1 where there is a problem.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let mut findings = examine(overrides).await;
        if self.verbose {
            findings.extend(circumstances());
        }
        let mut out = anstream::stdout().lock();
        let problems = findings.iter().filter(|it| matches!(it.state, State::Fail(..))).count();
        let code = if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if self.output.quiet || self.output.format.is_some_and(|it| it != super::Format::Table) {
            self.output.data(&mut out, &findings.iter().map(view).collect::<Vec<_>>())?;
            return Ok(code);
        }
        for finding in &findings {
            print(&mut out, finding)?;
        }
        match problems {
            0 => writeln!(out, "\nNo problems found. Connect a client: rolecall connect CLIENT")?,
            1 => writeln!(out, "\n1 problem.")?,
            more => writeln!(out, "\n{more} problems.")?,
        }
        Ok(code)
    }
}

fn print(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    use anstyle::AnsiColor;
    let (green, yellow, red) = (AnsiColor::Green.on_default(), AnsiColor::Yellow.on_default(), AnsiColor::Red.on_default().bold());
    match &finding.state {
        State::Ok(state) => writeln!(out, "{green}ok  {green:#} {:<12} {state}", finding.what),
        State::Note(note) => writeln!(out, "{yellow}note{yellow:#} {:<12} {note}", finding.what),
        State::Fail(problem, fix) => writeln!(out, "{red}fail{red:#} {:<12} {problem}\n{:>17} fix: {fix}", finding.what, ""),
    }
}

/// A finding for a program.
fn view(finding: &Finding) -> serde_json::Value {
    let (state, message, fix) = match &finding.state {
        State::Ok(state) => ("ok", state, None),
        State::Note(note) => ("note", note, None),
        State::Fail(problem, fix) => ("fail", problem, Some(fix)),
    };
    serde_json::json!({ "check": finding.what, "state": state, "message": message, "fix": fix })
}

/// What does not change from run to run, and is asked for by whoever helps. No value of a variable is told: it may be a secret.
fn circumstances() -> Vec<Finding> {
    let finding = |what, state| Finding { what, state: State::Ok(state) };
    let mut names: Vec<String> = std::env::vars_os().filter_map(|it| it.0.into_string().ok()).filter(|it| is_ours(it)).collect();
    names.sort();
    let variables = if names.is_empty() { "none that Rolecall reads".to_owned() } else { names.join(", ") };
    let program = std::env::current_exe().map_or_else(|error| error.to_string(), |it| it.display().to_string());
    vec![
        finding("program", program),
        finding("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        finding("folder", std::env::current_dir().map_or_else(|error| error.to_string(), |it| it.display().to_string())),
        finding("variables", variables),
    ]
}

/// Whether a variable of the environment is one that Rolecall, or what it is made of, reads.
fn is_ours(name: &str) -> bool {
    const BEGIN: [&str; 6] = ["ROLECALL_", "GEAI_", "OPENAI_", "SEEME_", "AIA_ENGINE_", "OTEL_"];
    const WHOLE: [&str; 9] =
        ["HOME", "RUST_LOG", "NO_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"];
    BEGIN.iter().any(|it| name.starts_with(it)) || name.starts_with("XDG_") || WHOLE.contains(&name.to_uppercase().as_str())
}

async fn examine(overrides: &Overrides) -> Vec<Finding> {
    let mut findings = vec![Finding { what: "version", state: State::Ok(env!("CARGO_PKG_VERSION").to_owned()) }];
    let config = match Config::load(overrides) {
        Ok(config) => config,
        Err(error) => {
            findings.push(Finding { what: "config", state: State::Fail(error.message, error.fix) });
            return findings;
        }
    };
    let file = config.file.as_ref().map_or_else(|| without_a_file(&config), |it| it.display().to_string());
    findings.push(Finding { what: "config", state: State::Ok(file) });
    findings.extend(config.unused.iter().map(|it| Finding { what: "config", state: State::Note(it.clone()) }));
    if let Some(LaidOver { file, narrows }) = &config.over {
        let narrows = if narrows.is_empty() { "it narrows nothing".to_owned() } else { narrows.join("; ") };
        let state = State::Ok(format!("{}, in the current folder, restricts it: {narrows}", file.display()));
        findings.push(Finding { what: "config", state });
    }
    findings.push(Finding { what: "secrets", state: secrets(&config.secrets).into() });
    for folder in &config.files {
        let state = if folder.is_dir() {
            Ok(folder.display().to_string())
        } else {
            Err((format!("{} is not a folder", folder.display()), "create it, or remove it from `files.allow`".to_owned()))
        };
        findings.push(Finding { what: "files", state: state.into() });
    }
    let shown = config.store_shown();
    let setup = config.setup(Reach::Local);
    if let Err(error) = store::within(Duration::from_secs(3), setup.db.pools()).await {
        let fix = "check that the path is writable, or that the database server runs and accepts you; `store.url` or ROLECALL_STORE names the store";
        findings.push(Finding { what: "store", state: State::Fail(format!("{shown}: {}", chain(&error)), fix.to_owned()) });
        return findings;
    }
    findings.push(Finding { what: "store", state: State::Ok(format!("{shown} ({})", setup.db.kind())) });
    match setup.db.unsafe_replication().await {
        Ok(Some(note)) => findings.push(Finding { what: "store", state: State::Note(format!("{note}; see docs/operators.md")) }),
        Ok(None) => {}
        Err(error) => findings.push(Finding { what: "store", state: State::Fail(chain(&error), "check the database server".to_owned()) }),
    }
    findings.push(Finding { what: "ledger", state: ledger(&setup.db).await.into() });
    let app = App::new(setup);
    let health = futures_util::future::join_all(app.connections.iter().map(|it| it.health())).await;
    for (it, health) in app.connections.iter().zip(health) {
        let kept = it.pin.as_ref().map(|it| format!(", kept to organization {it}")).unwrap_or_default();
        let state = match health {
            Ok(()) => State::Ok(format!("{} ({}{kept}), {} tools", it.name, it.provider, it.tools().count())),
            Err(error) => State::Fail(format!("{} ({}{kept}): {}", it.name, it.provider, chain(&error)), error.fix()),
        };
        findings.push(Finding { what: "connection", state });
    }
    let tools = app.catalog.offers().count();
    let state = match tools {
        0 => State::Fail("no tool is on offer".to_owned(), "allow more in `tools.allow` and `tools.domains`".to_owned()),
        many => State::Ok(format!("{many} on offer")),
    };
    findings.push(Finding { what: "tools", state });
    findings.extend(ends(&app).await.map(|state| Finding { what: "ends", state }));
    findings
}

/// Where the accounts come from when no file names them.
fn without_a_file(config: &Config) -> String {
    let names: Vec<&str> = config.variables.iter().map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        return "no file, so the defaults apply".to_owned();
    }
    format!("no file; the environment names the accounts: {}", names.join(", "))
}

/// Access that ends by itself, where there is any: a server has to run for it.
async fn ends(app: &App) -> Option<State> {
    let told = match app.jobs().ends_told().await {
        Ok(told) => told,
        Err(error) => return Some(State::Fail(chain(&error), "check the store".to_owned())),
    };
    let EndsTold { planned, next, late, failed, left, are_more, is_looked_after } = told;
    let of = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let next = next.map(|it| format!("to come, the first at {it}")).unwrap_or_default();
    let parts = [
        of(planned, &next),
        of(late, "whose time has come"),
        of(failed, "could not be taken away and are tried again"),
        of(left, "left in place, because the access has changed since"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return None;
    }
    let of_first = if are_more { ", of those that end first" } else { "" };
    let what = format!("access that ends{of_first}: {}", parts.join("; "));
    let nobody = "no server has checked in the last two minutes";
    Some(match (is_looked_after, late + failed + left) {
        (true, 0) => State::Ok(format!("{what}; a server takes care of it")),
        (true, _) => State::Fail(format!("{what}; a server takes care of it"), "see list_ending_access for the reasons".to_owned()),
        (false, 0) => State::Note(format!("{what}; {nobody}, and one has to run then: rolecall serve")),
        (false, _) => {
            let fix = "start one, `rolecall serve` or a client that starts it; see list_ending_access".to_owned();
            State::Fail(format!("{what}; {nobody}"), fix)
        }
    })
}

/// How many of the last rows are checked here.
const CHECKED: i64 = 1000;

async fn ledger(db: &crate::store::Db) -> Result<String, (String, String)> {
    let verified = async {
        let mut conn = db.read().await?;
        let before = (conn.ledger_rows().await? - CHECKED).max(0);
        let found = if before == 0 { conn.verify_ledger().await? } else { conn.verify_ledger_behind(before).await? };
        Ok::<_, crate::store::StoreError>((before, found))
    };
    match verified.await {
        Ok((before, it)) => match it.broken {
            None if it.rows == 1 => Ok("1 row, intact".to_owned()),
            None if before == 0 => Ok(format!("{} rows, intact", it.rows)),
            None => Ok(format!("{} rows, the last {CHECKED} intact; `rolecall activity --verify` verifies all of them", it.rows)),
            Some((row, why)) => {
                Err((format!("broken at row {row}: {why}"), "compare with a backup: `rolecall activity --verify`".to_owned()))
            }
        },
        Err(error) => Err((chain(&error), "check the store".to_owned())),
    }
}

fn secrets(sink: &SecretSink) -> Result<String, (String, String)> {
    match sink {
        SecretSink::Folder(folder) if !folder.exists() => {
            Ok(format!("{} (does not exist yet; Rolecall creates it with the first secret)", folder.display()))
        }
        SecretSink::Folder(folder) => match private(folder) {
            Ok(true) => Ok(format!("{} (readable only by you)", folder.display())),
            Ok(false) => Err((format!("other users can read {}", folder.display()), format!("chmod 700 '{}'", folder.display()))),
            Err(error) => Err((format!("{}: {error}", folder.display()), "name another folder in `secrets.folder`".to_owned())),
        },
        SecretSink::Command(command) => {
            let name = command.first().map(String::as_str).unwrap_or_default();
            if on_path(name) {
                Ok(format!("command {name}"))
            } else {
                Err((format!("no command `{name}`"), "install it, or name another in `secrets.sink`".to_owned()))
            }
        }
    }
}

#[cfg(unix)]
fn private(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = std::fs::metadata(folder)?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(found.permissions().mode() % 0o100 == 0) // nothing for the group, nothing for others
}

#[cfg(not(unix))]
fn private(folder: &Path) -> io::Result<bool> {
    std::fs::metadata(folder).map(|_| true) // the user's own folders are private there
}

fn on_path(name: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    Path::new(name).components().count() > 1 && Path::new(name).is_file()
        || std::env::split_paths(&folders).any(|it| it.join(name).is_file())
}
