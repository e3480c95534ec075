//! Configuration: `rolecall.toml`, the environment, and what the command line says over both.

mod connections;
mod environment;
mod file;
mod over;
mod reference;
mod secret;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy as _, base_strategy::choose_base_strategy};

pub use connections::{ConfiguredConnection, Provider};
pub use environment::Variable;
use file::File;
pub use over::LaidOver;
pub use reference::{Described, misdescribed, reference};

use crate::{
    app::Setup,
    guard::{AllowLists, GuardSettings},
    providers::{Connection, engine, geai, http::Remote, local, openai, seeme},
    secrets::SecretSink,
    store::{Db, Retention},
    tools::{Effect, ToolList},
};

/// The file's name, in the current folder or in the user's configuration folder.
const FILE: &str = "rolecall.toml";

/// What is wrong with the configuration, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    pub message: String,
    pub fix: String,
}

impl ConfigError {
    fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: fix.into() }
    }

    /// The same, with the file that it is about.
    fn in_file(self, file: &Path) -> Self {
        Self { message: format!("{}: {}", file.display(), self.message), ..self }
    }
}

/// What the command line and the environment say; it goes over the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Overrides {
    /// Read this configuration file
    #[arg(long, value_name = "FILE", global = true, env = "ROLECALL_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Keep the state here: sqlite:PATH or postgres://…
    #[arg(long, value_name = "URL", global = true, env = "ROLECALL_STORE", hide_env_values = true)]
    pub store: Option<String>,
    /// Write newly made secrets to this folder
    #[arg(long, value_name = "FOLDER", global = true, env = "ROLECALL_SECRETS", hide_env_values = true)]
    pub secrets: Option<PathBuf>,
    /// Offer only tools that change nothing
    #[arg(long, global = true, conflicts_with = "allow")]
    pub read_only: bool,
    /// Offer only these effects: read, write, access, destroy
    #[arg(long, value_name = "EFFECT,…", value_delimiter = ',', global = true)]
    pub allow: Vec<String>,
    /// Offer only tools about these nouns, such as projects,members
    #[arg(long, value_name = "NOUN,…", value_delimiter = ',', global = true)]
    pub domains: Vec<String>,
    /// List a dozen common tools; a search and four callers reach all others
    #[arg(long, global = true)]
    pub compact: bool,
}

impl Overrides {
    /// The same, where what a client left as `${…}` counts as not given.
    fn expanded(&self) -> Self {
        let mut all = self.clone();
        for path in [&mut all.config, &mut all.secrets] {
            path.take_if(|it| it.to_str().is_some_and(is_unexpanded));
        }
        all.store.take_if(|it| is_unexpanded(it));
        all
    }
}

/// Where a configuration and its folders are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder the program was started in.
    pub here: PathBuf,
    pub home: PathBuf,
    /// The user's configuration folder.
    pub config: PathBuf,
    /// The user's data folder.
    pub data: PathBuf,
    /// The environment's variables.
    pub variables: BTreeMap<String, String>,
}

impl Places {
    /// As the operating system and the XDG variables say.
    ///
    /// # Errors
    ///
    /// Where there is no home folder, or no current one.
    pub fn find() -> Result<Self, ConfigError> {
        let base = choose_base_strategy()
            .map_err(|_| ConfigError::new("your home folder is not known", "set HOME, or ROLECALL_STORE and ROLECALL_SECRETS"))?;
        let here = std::env::current_dir()
            .map_err(|error| ConfigError::new(format!("the current folder cannot be used: {error}"), "go to another one"))?;
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Ok(Self {
            here,
            home: base.home_dir().to_path_buf(),
            config: base.config_dir(),
            data: base.data_dir(),
            variables: variables.collect(),
        })
    }

    /// A variable of the environment; an empty one counts as not set, and so does one in which a client left `${…}` as it was
    /// written.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|it| !it.trim().is_empty() && !is_unexpanded(it)).cloned()
    }

    fn is_unexpanded(&self, name: &str) -> bool {
        is_unexpanded(self.raw(name))
    }

    fn raw(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }
}

/// Whether a text is a reference that nobody has put a value in the place of, such as `${OPENAI_ADMIN_KEY}`.
fn is_unexpanded(text: &str) -> bool {
    text.trim().strip_prefix("${").and_then(|it| it.strip_suffix('}')).is_some_and(|it| !it.contains(['$', '{', '}']))
}

/// How callers reach the server; what lies in the user's files is for local callers only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Over stdio, or at the command line.
    Local,
    Http,
}

/// The configuration, complete: every default is filled in.
#[derive(Debug, Clone)]
pub struct Config {
    /// The user's file, or the one that was named, where there was one.
    pub file: Option<PathBuf>,
    /// The file of the current folder, where there was one besides.
    pub over: Option<LaidOver>,
    pub connections: Vec<ConfiguredConnection>,
    pub lists: AllowLists,
    /// How much of the list of tools clients are shown.
    pub list: ToolList,
    pub guard: GuardSettings,
    /// Folders that `path` arguments may be read from.
    pub files: Vec<PathBuf>,
    /// The store's URL. It may hold a password: show it through [`Config::store_shown`].
    pub store: String,
    pub secrets: SecretSink,
    /// For how long the store keeps what is over.
    pub retention: Retention,
    /// The address of the collector that traces are sent to.
    pub traces: Option<String>,
    /// The environment's variables that the connections are read from.
    pub variables: Vec<Variable>,
    /// What looks like an account and is not used: a sentence each, with what to do.
    pub unused: Vec<String>,
}

impl Config {
    /// Reads the user's file, if there is one, lays that of the current folder over it, and puts `overrides` over both.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read or says something that means nothing, and where that of the current folder would loosen something.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        Self::load_at(overrides, &Places::find()?)
    }

    /// The same, with the places given.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn load_at(overrides: &Overrides, places: &Places) -> Result<Self, ConfigError> {
        let overrides = &overrides.expanded();
        let (file, here) = found(overrides, places);
        let mut raw = file.as_deref().map(File::read).transpose()?.unwrap_or_default();
        let base = file.as_deref().and_then(Path::parent).unwrap_or(&places.here).to_path_buf();
        let from_file = !raw.connections.is_empty();
        let mut accounts = raw.accounts(places)?;
        let over = match here {
            None => None,
            Some(here) => {
                let narrows = raw.narrow(&mut accounts, File::read(&here)?).map_err(|error| error.in_file(&here))?;
                Some(LaidOver { file: here, narrows })
            }
        };
        let variables = environment::used(accounts.iter().map(|it| &it.1), !from_file, places);
        let providers: Vec<&str> = accounts.iter().map(|it| it.1.provider()).collect();
        let named = file.as_ref().filter(|_| from_file).map(|it| it.display().to_string());
        let unused = environment::unused(!from_file, named.as_deref(), &providers, places);
        let config = raw.complete(accounts, overrides, places, &base);
        let config = config.map_err(|error| file.as_deref().map_or(error.clone(), |file| error.in_file(file)))?;
        Ok(Self { file, over, variables, unused, ..config })
    }

    /// The store, not opened yet. Where nothing but reads is on offer, it may lie where nothing can be written.
    #[must_use]
    pub fn db(&self) -> Db {
        let reads_only = self.lists.effects.iter().all(|it| *it == Effect::Read);
        if reads_only { Db::read_only_at(&self.store) } else { Db::at(&self.store) }
    }

    /// Connects what is configured. Nothing is sent, and the store is opened by the first call that needs it.
    #[must_use]
    pub fn setup(&self, reach: Reach) -> Setup {
        let db = self.db();
        let files = if reach == Reach::Local { self.files.clone() } else { Vec::new() };
        Setup {
            connections: self.connections.iter().map(|it| it.connect(&db, &files)).collect(),
            db,
            lists: self.lists.clone(),
            guard: self.guard.clone(),
            secrets: self.secrets.clone(),
            notes: self.unused.clone(),
        }
    }

    /// The store's URL as it may be shown: without user and password.
    #[must_use]
    pub fn store_shown(&self) -> String {
        let Some((scheme, rest)) = self.store.split_once("://") else { return self.store.clone() };
        let (server, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let server = server.rsplit_once('@').map_or(server, |(_, server)| server);
        let path = path.split('?').next().unwrap_or_default(); // parameters may hold a password too
        format!("{scheme}://{server}{path}")
    }
}

impl ConfiguredConnection {
    /// Connects it; nothing is sent yet. `files` are the folders that its tools may read pictures from.
    fn connect(&self, db: &Db, files: &[PathBuf]) -> Connection {
        let with_files = |remote: &Remote| Remote { files: files.to_vec(), ..remote.clone() };
        match &self.provider {
            Provider::Local => {
                let settings = local::Settings { pin: self.organization.clone(), files: files.to_vec() };
                local::connect(&self.name, db.clone(), settings)
            }
            Provider::Geai(it) => geai::connect(geai::Settings { remote: with_files(&it.remote), ..it.clone() }),
            Provider::Openai(it) => openai::connect(openai::Settings { remote: with_files(&it.remote), ..it.clone() }),
            Provider::Seeme(it) => seeme::connect(seeme::Settings { remote: with_files(&it.remote), ..it.clone() }),
            Provider::Engine(it) => engine::connect(engine::Settings { remote: with_files(&it.remote), ..it.clone() }),
        }
    }
}

/// The file that is named, alone; else the user's, and the one in the current folder where that is another.
fn found(overrides: &Overrides, places: &Places) -> (Option<PathBuf>, Option<PathBuf>) {
    if let Some(named) = &overrides.config {
        return (Some(places.here.join(named)), None);
    }
    let there_is = |path: PathBuf| Some(path).filter(|it| it.is_file());
    let own = there_is(places.config.join("rolecall").join(FILE));
    let real = |path: &PathBuf| path.canonicalize().ok();
    let here = there_is(places.here.join(FILE)).filter(|it| own.as_ref().and_then(real) != real(it));
    (own, here)
}

/// What a wrong word was probably meant to be; else all there are.
pub(crate) fn nearest(word: &str, all: &[&str]) -> String {
    let near = all.iter().map(|it| (strsim::jaro_winkler(it, word), it)).filter(|it| it.0 > 0.75).max_by(|a, b| a.0.total_cmp(&b.0));
    near.map_or_else(|| format!("use one of: {}", all.join(", ")), |(_, it)| format!("did you mean `{it}`?"))
}

fn store_url(url: &str, home: &Path, base: &Path) -> String {
    match url.strip_prefix("sqlite:") {
        Some(path) => {
            let path = Path::new(path.trim_start_matches("//"));
            format!("sqlite:{}", path_from(home, base, path).display())
        }
        None => url.to_owned(),
    }
}

/// A path with `~` for the home folder, seen from `base`.
fn path_from(home: &Path, base: &Path, path: &Path) -> PathBuf {
    path.strip_prefix("~").map_or_else(|_| base.join(path), |rest| home.join(rest))
}
