//! `rolecall doctor`: checks, problems and fixes.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use super::Ended;
use crate::{
    app::App,
    config::{Config, LaidOver, Overrides, Reach},
    error::chain,
    jobs::EndsTold,
    secrets::SecretSink,
};

/// Check the configuration, the store and the connections.
#[derive(Debug, clap::Args)]
pub struct Doctor {}

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    /// What was found, or the problem and its fix.
    state: Result<String, (String, String)>,
}

impl Doctor {
    /// Runs all checks; exit code 1 where there is a problem.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let findings = examine(overrides).await;
        let mut out = anstream::stdout().lock();
        let problems = findings.iter().filter(|it| it.state.is_err()).count();
        for finding in &findings {
            print(&mut out, finding)?;
        }
        match problems {
            0 => writeln!(out, "\nNo problems found. Connect a client: rolecall config")?,
            1 => writeln!(out, "\n1 problem.")?,
            more => writeln!(out, "\n{more} problems.")?,
        }
        Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    let (green, red) = (anstyle::AnsiColor::Green.on_default(), anstyle::AnsiColor::Red.on_default().bold());
    match &finding.state {
        Ok(state) => writeln!(out, "{green}ok  {green:#} {:<12} {state}", finding.what),
        Err((problem, fix)) => writeln!(out, "{red}fail{red:#} {:<12} {problem}\n{:>17} fix: {fix}", finding.what, ""),
    }
}

async fn examine(overrides: &Overrides) -> Vec<Finding> {
    let mut findings = vec![Finding { what: "version", state: Ok(env!("CARGO_PKG_VERSION").to_owned()) }];
    let config = match Config::load(overrides) {
        Ok(config) => config,
        Err(error) => {
            findings.push(Finding { what: "config", state: Err((error.message, error.fix)) });
            return findings;
        }
    };
    let file = config.file.as_ref().map_or_else(|| "no file, so the defaults apply".to_owned(), |it| it.display().to_string());
    findings.push(Finding { what: "config", state: Ok(file) });
    if let Some(LaidOver { file, narrows }) = &config.over {
        let narrows = if narrows.is_empty() { "it narrows nothing".to_owned() } else { narrows.join("; ") };
        let state = Ok(format!("{}, laid over it, since it is in the current folder: {narrows}", file.display()));
        findings.push(Finding { what: "config", state });
    }
    findings.push(Finding { what: "secrets", state: secrets(&config.secrets) });
    for folder in &config.files {
        let state = if folder.is_dir() {
            Ok(folder.display().to_string())
        } else {
            Err((format!("{} is not a folder", folder.display()), "create it, or remove it from `files.allow`".to_owned()))
        };
        findings.push(Finding { what: "files", state });
    }
    let shown = config.store_shown();
    let setup = config.setup(Reach::Local);
    if let Err(error) = setup.db.pools().await {
        let fix = "check that the path is writable, or that the database server runs and accepts you; `store.url` or ROLECALL_STORE names the store";
        findings.push(Finding { what: "store", state: Err((format!("{shown}: {}", chain(&error)), fix.to_owned())) });
        return findings;
    }
    findings.push(Finding { what: "store", state: Ok(format!("{shown} ({})", setup.db.kind())) });
    findings.push(Finding { what: "ledger", state: ledger(&setup.db).await });
    let app = App::new(setup);
    let health = futures_util::future::join_all(app.connections.iter().map(|it| it.health())).await;
    for (it, health) in app.connections.iter().zip(health) {
        let kept = it.pin.as_ref().map(|it| format!(", kept to organization {it}")).unwrap_or_default();
        let state = match health {
            Ok(()) => Ok(format!("{} ({}{kept}), {} tools", it.name, it.provider, it.tools().count())),
            Err(error) => Err((format!("{} ({}{kept}): {}", it.name, it.provider, chain(&error)), error.fix())),
        };
        findings.push(Finding { what: "connection", state });
    }
    let tools = app.catalog.offers().count();
    let state = match tools {
        0 => Err(("no tool is on offer".to_owned(), "allow more in `tools.allow` and `tools.domains`".to_owned())),
        many => Ok(format!("{many} on offer")),
    };
    findings.push(Finding { what: "tools", state });
    findings.extend(ends(&app).await.map(|state| Finding { what: "ends", state }));
    findings
}

/// Access that ends by itself, where there is any: a server has to run for it.
async fn ends(app: &App) -> Option<Result<String, (String, String)>> {
    let told = match app.jobs().ends_told().await {
        Ok(told) => told,
        Err(error) => return Some(Err((chain(&error), "check the store".to_owned()))),
    };
    let EndsTold { planned, next, late, failed, left, is_looked_after } = told;
    let of = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let next = next.map(|it| format!("to come, the first at {it}")).unwrap_or_default();
    let parts = [
        of(planned, &next),
        of(late, "whose time has come"),
        of(failed, "could not be taken away and are tried again"),
        of(left, "left, since they are no longer what was given"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return None;
    }
    let what = format!("access that ends: {}", parts.join("; "));
    Some(match (is_looked_after, late + failed + left) {
        (true, 0) => Ok(format!("{what}; a server sees to it")),
        (true, _) => Err((format!("{what}; a server sees to it"), "see list_ending_access for the reasons".to_owned())),
        (false, 0) => Ok(format!("{what}; no server has looked in the last two minutes, and one has to run then: rolecall serve")),
        (false, _) => {
            let fix = "start one, `rolecall serve` or a client that starts it; see list_ending_access".to_owned();
            Err((format!("{what}; no server has looked in the last two minutes"), fix))
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
