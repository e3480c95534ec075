//! Configuration: `rolecall.toml`, the environment, and what the command line says over both.

mod connections;
mod environment;
mod over;
mod secret;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy as _, base_strategy::choose_base_strategy};
use serde::Deserialize;

pub use connections::{ConfiguredConnection, Provider};
use connections::{PROVIDERS, RawConnection};
pub use environment::Variable;
pub use over::LaidOver;

use crate::{
    app::Setup,
    guard::{AllowLists, Ask, Asks, Fallback, GuardSettings, Trust},
    providers::{Connection, builtin, engine, geai, http::Remote, local, openai, seeme},
    secrets::SecretSink,
    store::Db,
    tools::{self, Effect, ToolList},
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
    /// Offer only operations that change nothing
    #[arg(long, global = true, conflicts_with = "allow")]
    pub read_only: bool,
    /// Offer only these effects: read, write, access, destroy
    #[arg(long, value_name = "EFFECT,…", value_delimiter = ',', global = true)]
    pub allow: Vec<String>,
    /// Offer only tools about these nouns, such as projects,members
    #[arg(long, value_name = "NOUN,…", value_delimiter = ',', global = true)]
    pub domains: Vec<String>,
    /// List only the tools that most jobs need, a search for the others and four callers of them
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

    /// Connects what is configured. Nothing is sent, and the store is opened by the first call that needs it.
    #[must_use]
    pub fn setup(&self, reach: Reach) -> Setup {
        let db = Db::at(&self.store);
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

/// Accounts by their names, in the order in which they are shown.
type Accounts = Vec<(String, RawConnection)>;

/// `rolecall.toml` as it is written.
#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    connections: BTreeMap<String, RawConnection>,
    #[serde(default)]
    tools: RawTools,
    #[serde(default)]
    guard: RawGuard,
    #[serde(default)]
    files: RawFiles,
    #[serde(default)]
    store: RawStore,
    #[serde(default)]
    secrets: RawSecrets,
}

#[derive(Debug, Default, Deserialize)]
struct RawTools {
    allow: Option<Vec<String>>,
    domains: Option<Vec<String>>,
    list: Option<ToolList>,
}

#[derive(Debug, Default, Deserialize)]
struct RawGuard {
    fallback: Option<Fallback>,
    #[serde(default)]
    second_person: bool,
    trusted_domains: Option<Vec<String>>,
    shared_activity: Option<bool>,
    max_removals: Option<u64>,
    ask: Option<RawAsk>,
}

/// Where people are asked: one place for all changes, or one by how grave they are.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "write \"client\", \"console\" or \"terminal\", or one of them for each of `low`, `high` and `critical`")]
enum RawAsk {
    All(Ask),
    By(RawAsks),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAsks {
    low: Option<Ask>,
    high: Option<Ask>,
    critical: Option<Ask>,
}

impl RawAsk {
    fn complete(self) -> Asks {
        match self {
            Self::All(ask) => Asks::all(ask),
            Self::By(RawAsks { low, high, critical }) => {
                Asks { low: low.unwrap_or_default(), high: high.unwrap_or_default(), critical: critical.unwrap_or_default() }
            }
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct RawFiles {
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct RawStore {
    url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct RawSecrets {
    folder: Option<String>,
    sink: Option<Vec<String>>,
}

/// The keys of each section, for telling what a wrong one was meant to be.
const KEYS: [(&str, &[&str]); 6] = [
    ("connections", &[]), // as the provider says
    ("tools", &["allow", "domains", "list"]),
    ("guard", &["fallback", "second_person", "trusted_domains", "shared_activity", "ask", "max_removals"]),
    ("files", &["allow"]),
    ("store", &["url"]),
    ("secrets", &["folder", "sink"]),
];

impl File {
    /// The accounts of the file; else those of the environment; else the directory.
    fn accounts(&mut self, places: &Places) -> Result<Accounts, ConfigError> {
        let mut accounts: Accounts = std::mem::take(&mut self.connections).into_iter().collect();
        if accounts.is_empty() {
            accounts = connections::from_environment(places)?;
        }
        if accounts.is_empty() {
            accounts.push(("local".to_owned(), RawConnection::local()));
        }
        Ok(accounts)
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parsed(path).map_err(|error| error.in_file(path))
    }

    fn parsed(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::new(error.to_string(), "name a file that can be read with `--config`"))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            ConfigError::new(format!("line {line}: {}", error.message()), "see https://toml.io for how TOML is written")
        })?;
        check_keys(&table)?;
        serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
            let message = error.inner().message().to_owned();
            ConfigError::new(format!("`{}`: {message}", error.path()), "correct the value")
        })
    }

    fn complete(self, accounts: Accounts, overrides: &Overrides, places: &Places, base: &Path) -> Result<Config, ConfigError> {
        let connections = accounts.into_iter().map(|(name, it)| it.complete(&name, places, base)).collect::<Result<Vec<_>, _>>()?;
        let data = places.data.join("rolecall");
        // A path in the file is meant from the file; one on the command line from where the command was given.
        let store = match (&overrides.store, self.store.url) {
            (Some(url), _) => store_url(url, &places.home, &places.here),
            (None, Some(url)) => store_url(&url, &places.home, base),
            (None, None) => format!("sqlite:{}", data.join("directory.sqlite3").display()),
        };
        let secrets = match (&overrides.secrets, self.secrets) {
            (Some(folder), _) => SecretSink::Folder(path_from(&places.home, &places.here, folder)),
            (None, RawSecrets { folder: Some(_), sink: Some(_) }) => {
                return Err(ConfigError::new("`secrets` has both `folder` and `sink`", "keep one of them"));
            }
            (None, RawSecrets { folder: Some(folder), .. }) => SecretSink::Folder(path_from(&places.home, base, Path::new(&folder))),
            (None, RawSecrets { sink: Some(command), .. }) if command.first().is_none_or(String::is_empty) => {
                return Err(ConfigError::new(
                    "`secrets.sink` names no command",
                    "write it as a list: [\"pass\", \"insert\", \"-m\", \"rolecall\"]",
                ));
            }
            (None, RawSecrets { sink: Some(command), .. }) => SecretSink::Command(command),
            (None, RawSecrets { .. }) => SecretSink::Folder(data.join("secrets")),
        };
        let allow = if overrides.allow.is_empty() { self.tools.allow } else { Some(overrides.allow.clone()) };
        let domains = if overrides.domains.is_empty() { self.tools.domains } else { Some(overrides.domains.clone()) };
        let mut lists = AllowLists::default();
        if let Some(allow) = allow {
            lists.effects = allow.iter().map(|it| effect(it)).collect::<Result<_, _>>()?;
        }
        if overrides.read_only {
            lists.effects = AllowLists::read_only().effects;
        }
        lists.domains = domains.map(|it| it.iter().map(|it| domain(it)).collect::<Result<_, _>>()).transpose()?;
        Ok(Config {
            file: None,
            over: None,
            connections,
            lists,
            list: if overrides.compact { ToolList::Compact } else { self.tools.list.unwrap_or_default() },
            guard: GuardSettings {
                fallback: self.guard.fallback.unwrap_or_default(),
                second_person: self.guard.second_person,
                shared_activity: self.guard.shared_activity.unwrap_or_default(),
                asks: self.guard.ask.map(RawAsk::complete).unwrap_or_default(),
                trust: Trust { domains: self.guard.trusted_domains.as_deref().map(mail_domains).transpose()? },
                max_removals: self.guard.max_removals,
            },
            files: self.files.allow.iter().map(|it| path_from(&places.home, base, Path::new(it))).collect(),
            store,
            secrets,
            variables: Vec::new(),
            unused: Vec::new(),
        })
    }
}

/// Mail domains as they stand behind the `@`, in lower case. An empty list trusts nobody.
fn mail_domains(named: &[String]) -> Result<BTreeSet<String>, ConfigError> {
    let domain = |it: &String| {
        let domain = it.trim().trim_start_matches('@').to_lowercase();
        let valid = domain.contains('.') && !domain.contains(|it: char| it == '@' || it == '*' || it.is_whitespace());
        let wrong = || ConfigError::new(format!("`guard.trusted_domains`: `{it}` is not a mail domain"), "write it like `acme.example`");
        valid.then_some(domain).ok_or_else(wrong)
    };
    named.iter().map(domain).collect()
}

/// Unknown sections, keys, providers and reserved names, each with what it may have been meant to be.
fn check_keys(table: &toml::Table) -> Result<(), ConfigError> {
    let sections = KEYS.map(|it| it.0);
    for (section, value) in table {
        let Some((_, keys)) = KEYS.iter().find(|it| it.0 == section) else {
            return Err(ConfigError::new(format!("unknown section `{section}`"), nearest(section, &sections)));
        };
        let Some(value) = value.as_table() else {
            return Err(ConfigError::new(format!("`{section}` is not a section"), format!("write `[{section}]` and its keys below it")));
        };
        if section != "connections" {
            check(section, value, keys)?;
            continue;
        }
        for (name, connection) in value {
            let path = format!("connections.{name}");
            check_name(name)?;
            let Some(connection) = connection.as_table() else {
                return Err(ConfigError::new(format!("`{path}` is not a section"), format!("write `[{path}]` and its keys below it")));
            };
            match connection.get("provider").map(toml::Value::as_str) {
                Some(Some(provider)) if PROVIDERS.contains(&provider) => check(&path, connection, &connections::keys(provider))?,
                Some(Some(provider)) => {
                    return Err(ConfigError::new(format!("`{path}`: there is no provider `{provider}`"), nearest(provider, &PROVIDERS)));
                }
                _ => {
                    return Err(ConfigError::new(format!("`{path}.provider` is missing"), format!("use one of: {}", PROVIDERS.join(", "))));
                }
            }
        }
    }
    Ok(())
}

fn check(section: &str, table: &toml::Table, keys: &[&str]) -> Result<(), ConfigError> {
    match table.keys().find(|it| !keys.contains(&it.as_str())) {
        Some(key) => Err(ConfigError::new(format!("unknown key `{section}.{key}`"), nearest(key, keys))),
        None => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), ConfigError> {
    if name == builtin::NAME {
        return Err(ConfigError::new(format!("a connection cannot be called `{name}`: the server's own tools are"), "choose another name"));
    }
    let valid = (1..=60).contains(&name.len()) && name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_'));
    if valid { Ok(()) } else { Err(ConfigError::new(format!("`{name}` is not a connection name"), "use 1 to 60 letters, digits, - and _")) }
}

fn effect(text: &str) -> Result<Effect, ConfigError> {
    let found = Effect::ALL.into_iter().find(|it| it.name() == text);
    found.ok_or_else(|| ConfigError::new(format!("no effect `{text}` in `tools.allow`"), nearest(text, &Effect::ALL.map(Effect::name))))
}

fn domain(text: &str) -> Result<String, ConfigError> {
    let all: BTreeSet<&str> = tools::all().iter().map(|it| it.domain).collect();
    if all.contains(text) {
        return Ok(text.to_owned());
    }
    let all: Vec<&str> = all.into_iter().collect();
    Err(ConfigError::new(format!("no noun `{text}` in `tools.domains`"), nearest(text, &all)))
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
