//! `rolecall connect`: puts this program into a client's own list of servers.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use dialoguer::Confirm;

use super::{
    Ended, Failure,
    ask::a_person_is_here,
    clients::{Client, Launch, Shape, edit},
    init,
};
use crate::config::{Config, Overrides, Places, Variable};

/// Connect a client: show the change to its file, ask, and write it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Accounts found in the environment are passed on in the client's own way: as references to variables, or as inputs that the client asks
for. For a client that has neither, Rolecall keeps the keys in files of its own. A secret is written into the client's file only with
--secrets-in-clear.")]
pub struct Connect {
    /// The client
    client: Client,
    /// Print the entry as JSON, TOML or YAML, and write nothing
    #[arg(long)]
    print: bool,
    /// Write without asking
    #[arg(long, short, conflicts_with = "print")]
    yes: bool,
    /// Write this file instead of the client's own
    #[arg(long, value_name = "FILE", conflicts_with = "print")]
    file: Option<PathBuf>,
    /// Write secrets into the client's file as plain text, where anyone who can read the file can read them
    #[arg(long)]
    secrets_in_clear: bool,
}

impl Connect {
    /// Connects the client.
    pub fn run(&self, overrides: &Overrides) -> Ended {
        let places = Places::find()?;
        let config = Config::load_at(overrides, &places)?;
        let mut launch = Launch { in_clear: self.secrets_in_clear, ..launch(overrides, &config, &places)? };
        let facts = self.client.facts();
        if self.print {
            return self.show(&launch);
        }
        let file = self.file.clone().or_else(|| self.client.file(&places));
        let (Some(file), false) = (file, facts.shape == Shape::Steps) else { return self.show(&launch) };
        let may = |question: &str| self.may(question);
        let missing = launch.entry(self.client).left_out;
        let keeps = !missing.is_empty();
        if keeps {
            let names = missing.join(", ");
            if config.file.is_some() {
                let message = format!("{} starts servers without your shell's variables, and {names} is needed", facts.name);
                let fix = "name another source for it in rolecall.toml, { file = … } or { command = … }, or add --secrets-in-clear";
                return Err(Failure::new(message, fix));
            }
            say(&format!(
                "{} starts servers without your shell's variables. Rolecall can keep {names} in files that only you can read, and name those \
                 files in {}.",
                facts.name,
                init::file(&places).display()
            ))?;
            if !may("Keep the keys there?")? {
                return Err(Failure::new("nothing was written", "add --secrets-in-clear to write them into the client's file"));
            }
            init::keep(&config, &places)?;
            launch.variables.clear();
        }
        if let Some(most) = facts.most_tools.filter(|_| !overrides.compact && overrides.domains.is_empty()) {
            let name = facts.name;
            say(&format!(
                "note: {name} accepts at most {most} tools. Add --compact for a short list that reaches all tools, or --domains to offer fewer."
            ))?;
        }
        self.write(&launch, &file, keeps, &may)
    }

    fn show(&self, launch: &Launch) -> Ended {
        let whole = launch.whole(self.client).map_err(|error| Failure::new(error.to_string(), ""))?;
        let is_remote = self.client.facts().shape == Shape::Steps;
        if is_remote && self.print {
            // What is for a program goes to stdout, and the steps for the person beside it.
            say(&whole)?;
            super::output::json(&mut io::stdout(), &Client::remote())?;
        } else {
            io::stdout().write_all(whole.as_bytes())?;
        }
        let left_out = launch.entry(self.client).left_out.join(", ");
        match (left_out.is_empty(), is_remote) {
            (true, _) => {}
            (false, true) => say(&format!("note: set {left_out} where the server runs: the client never gets it"))?,
            (false, false) => say(&format!("note: {left_out} is left out: this client has no way to pass a secret on"))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// `keeps` says whether keys were put into files of Rolecall's own for it.
    fn write(&self, launch: &Launch, file: &Path, keeps: bool, may: &dyn Fn(&str) -> Result<bool, Failure>) -> Ended {
        // A link is followed: people keep such files elsewhere.
        let file = &file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
        let at = |error: &dyn std::fmt::Display| Failure::new(format!("file `{}`: {error}", file.display()), "");
        let before = match std::fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(at(&error)),
        };
        let text = before.as_deref().unwrap_or_default();
        let (facts, entry) = (self.client.facts(), launch.entry(self.client));
        let written = match facts.shape {
            Shape::Toml(under) => edit::toml(text, under, &entry),
            Shape::Json(under) => edit::json(text, under, &entry),
            Shape::Yaml(under) => edit::yaml(text, under, &entry),
            Shape::Steps => return self.show(launch),
        };
        let fix = "correct the file, or paste the entry that `--print` shows";
        let written = written.map_err(|error| Failure { fix: fix.into(), ..at(&error) })?;
        if before.as_deref() == Some(&written) {
            say(&format!("{} is connected already: {} says so.", facts.name, file.display()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let shown = launch.whole(self.client).map_err(|error| at(&error))?;
        // The person sees what is written; a secret that they asked to have in there is not shown on top.
        let shown = launch.variables.iter().filter(|it| it.0.secret).fold(shown, |text, (_, value)| text.replace(value.as_str(), "…"));
        let lines: Vec<String> = shown.trim_end().lines().map(|it| format!("  + {it}")).collect();
        say(&format!("{}\n{}\n", file.display(), lines.join("\n")))?;
        if !may(&format!("Write this into {}'s file?", facts.name))? {
            let left = format!("{}'s file was left as it was; the keys stay in Rolecall's own files", facts.name);
            return Err(Failure::new(if keeps { left } else { "nothing was written".to_owned() }, ""));
        }
        if before.is_some() {
            let kept = copy_of(file);
            std::fs::copy(file, &kept).map_err(|error| at(&error))?;
            say(&format!("A copy of the file as it was is kept: {}.", kept.display()))?;
        }
        put(file, &written).map_err(|error| at(&error))?;
        say(&format!("{} is connected. {}", facts.name, facts.then))?;
        Ok(ExitCode::SUCCESS)
    }

    fn may(&self, question: &str) -> Result<bool, Failure> {
        if self.yes {
            return Ok(true);
        }
        if !a_person_is_here() {
            return Err(Failure::usage(
                "this is not a terminal, so nobody can agree",
                "add --yes to write without asking, or --print to see it",
            ));
        }
        Ok(Confirm::new().with_prompt(question).default(false).interact_opt().map_err(io::Error::other)?.unwrap_or_default())
    }
}

/// How a client starts what this command would serve.
pub(super) fn launch(overrides: &Overrides, config: &Config, places: &Places) -> Result<Launch, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::new(format!("this program does not know where it is: {error}"), ""))?;
    let mut variables = config.variables.clone();
    let mut arguments = arguments(overrides)?;
    // A server's URL may hold a password, which is not for an argument that every program on the machine can read.
    if overrides.store.as_deref().is_some_and(|it| !it.starts_with("sqlite:")) {
        variables.push(Variable { name: "ROLECALL_STORE".to_owned(), secret: true, key: None });
    }
    arguments.extend(narrowing(overrides));
    let value = |it: Variable| {
        let value = if it.name == "ROLECALL_STORE" { overrides.store.clone() } else { places.variable(&it.name) };
        (it, value.unwrap_or_default())
    };
    Ok(Launch { program, arguments, variables: variables.into_iter().map(value).collect(), in_clear: false })
}

/// `serve`, and the places that were given here.
fn arguments(overrides: &Overrides) -> Result<Vec<String>, Failure> {
    let absolute = |path: &Path| Ok::<_, Failure>(std::path::absolute(path)?.display().to_string());
    let mut arguments = vec!["serve".to_owned()];
    if let Some(file) = &overrides.config {
        arguments.extend(["--config".to_owned(), absolute(file)?]);
    }
    if let Some(path) = overrides.store.as_deref().and_then(|it| it.strip_prefix("sqlite:")) {
        let path = absolute(Path::new(path.trim_start_matches("//")))?;
        arguments.extend(["--store".to_owned(), format!("sqlite:{path}")]);
    }
    if let Some(folder) = &overrides.secrets {
        arguments.extend(["--secrets".to_owned(), absolute(folder)?]);
    }
    Ok(arguments)
}

fn narrowing(overrides: &Overrides) -> Vec<String> {
    let mut arguments = Vec::new();
    if overrides.read_only {
        arguments.push("--read-only".to_owned());
    }
    if overrides.compact {
        arguments.push("--compact".to_owned());
    }
    for (flag, values) in [("--allow", &overrides.allow), ("--domains", &overrides.domains)] {
        if !values.is_empty() {
            arguments.extend([flag.to_owned(), values.join(",")]);
        }
    }
    arguments
}

/// A name for the file as it was: by the time, so that no older copy is lost.
fn copy_of(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(chrono::Utc::now().format(".%Y%m%dT%H%M%SZ.bak").to_string());
    file.with_file_name(name)
}

/// Writes a file whole or not at all; who may read it stays as it was.
pub(super) fn put(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    if let Ok(known) = std::fs::metadata(file) {
        new.as_file().set_permissions(known.permissions())?;
    }
    new.persist(file)?;
    Ok(())
}

pub(super) fn say(text: &str) -> io::Result<()> {
    writeln!(anstream::stderr(), "{text}")
}
