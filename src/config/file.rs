//! `rolecall.toml` as it is written: its keys, what they may say, and the configuration that comes of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;

use super::{
    Config, ConfigError, Overrides, Places,
    connections::{self, PROVIDERS, RawConnection},
    nearest, path_from, store_url,
};
use crate::{
    domain::{ReviewLimits, Until},
    guard::{AllowLists, Ask, Asks, Fallback, GuardSettings, Trust},
    providers::builtin,
    secrets::SecretSink,
    store::Retention,
    tools::{self, Effect, ToolList},
};

/// Accounts by their names, in the order in which they are shown.
pub(super) type Accounts = Vec<(String, RawConnection)>;

/// `rolecall.toml` as it is written.
#[derive(Debug, Default, Deserialize)]
pub(super) struct File {
    #[serde(default)]
    pub(super) connections: BTreeMap<String, RawConnection>,
    #[serde(default)]
    pub(super) tools: RawTools,
    #[serde(default)]
    pub(super) guard: RawGuard,
    #[serde(default)]
    pub(super) files: RawFiles,
    #[serde(default)]
    pub(super) store: RawStore,
    #[serde(default)]
    pub(super) secrets: RawSecrets,
    #[serde(default)]
    pub(super) retention: RawRetention,
    #[serde(default)]
    pub(super) review: RawReview,
    #[serde(default)]
    pub(super) traces: RawTraces,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawTools {
    pub(super) allow: Option<Vec<String>>,
    pub(super) domains: Option<Vec<String>>,
    pub(super) list: Option<ToolList>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawGuard {
    pub(super) fallback: Option<Fallback>,
    #[serde(default)]
    pub(super) second_person: bool,
    pub(super) trusted_domains: Option<Vec<String>>,
    pub(super) shared_activity: Option<bool>,
    pub(super) time_zone: Option<String>,
    pub(super) max_removals: Option<u64>,
    pub(super) ask: Option<RawAsk>,
}

/// Where people are asked: one place for all changes, or one by how grave they are.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "write \"client\", \"console\" or \"terminal\", or one of them for each of `low`, `high` and `critical`")]
pub(super) enum RawAsk {
    All(Ask),
    By(RawAsks),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAsks {
    pub(super) low: Option<Ask>,
    pub(super) high: Option<Ask>,
    pub(super) critical: Option<Ask>,
}

impl RawAsk {
    pub(super) fn complete(self) -> Asks {
        match self {
            Self::All(ask) => Asks::all(ask),
            Self::By(RawAsks { low, high, critical }) => {
                Asks { low: low.unwrap_or_default(), high: high.unwrap_or_default(), critical: critical.unwrap_or_default() }
            }
        }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawFiles {
    #[serde(default)]
    pub(super) allow: Vec<String>,
}

/// Days, and rows; 0 for ever.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RawRetention {
    pub(super) jobs_days: Option<u32>,
    pub(super) approvals_days: Option<u32>,
    pub(super) calls_days: Option<u32>,
    pub(super) ledger_days: Option<u32>,
    pub(super) ledger_rows: Option<u32>,
}

impl RawRetention {
    pub(super) fn complete(&self) -> Retention {
        let or = |said: Option<u32>, default: Option<u32>| said.map_or(default, |it| Some(it).filter(|it| *it > 0));
        let Retention { jobs_days, approvals_days, calls_days, ledger_days, ledger_rows } = Retention::default();
        Retention {
            jobs_days: or(self.jobs_days, jobs_days),
            approvals_days: or(self.approvals_days, approvals_days),
            calls_days: or(self.calls_days, calls_days),
            ledger_days: or(self.ledger_days, ledger_days),
            ledger_rows: or(self.ledger_rows, ledger_rows),
        }
    }
}

/// Days, and counts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RawReview {
    pub(super) unused_days: Option<u32>,
    pub(super) new_days: Option<u32>,
    pub(super) old_days: Option<u32>,
    pub(super) owned_projects: Option<u32>,
    pub(super) page: Option<u32>,
}

impl RawReview {
    pub(super) fn complete(&self) -> Result<ReviewLimits, ConfigError> {
        let ReviewLimits { unused_days, new_days, old_days, owned_projects, page } = ReviewLimits::default();
        let page = self.page.unwrap_or(page);
        if !(1..=100).contains(&page) {
            return Err(ConfigError::new(format!("`review.page` is {page}"), "use 1 to 100: how many findings one answer tells"));
        }
        Ok(ReviewLimits {
            unused_days: self.unused_days.unwrap_or(unused_days),
            new_days: self.new_days.unwrap_or(new_days),
            old_days: self.old_days.unwrap_or(old_days),
            owned_projects: self.owned_projects.unwrap_or(owned_projects),
            page,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawTraces {
    pub(super) endpoint: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawStore {
    pub(super) url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawSecrets {
    pub(super) folder: Option<String>,
    pub(super) sink: Option<Vec<String>>,
}

/// The keys of each section, for telling what a wrong one was meant to be.
const KEYS: [(&str, &[&str]); 9] = [
    ("connections", &[]), // as the provider says
    ("tools", &["allow", "domains", "list"]),
    ("guard", &["fallback", "second_person", "trusted_domains", "shared_activity", "ask", "time_zone", "max_removals"]),
    ("files", &["allow"]),
    ("store", &["url"]),
    ("secrets", &["folder", "sink"]),
    ("retention", &["jobs_days", "approvals_days", "calls_days", "ledger_days", "ledger_rows"]),
    ("review", &["unused_days", "new_days", "old_days", "owned_projects", "page"]),
    ("traces", &["endpoint"]),
];

/// Every key that a file may have: `guard.fallback`, and those of a connection by their name alone.
pub(super) fn keys() -> BTreeSet<String> {
    let sections = KEYS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| format!("{section}.{key}")));
    let connections = PROVIDERS.iter().flat_map(|it| connections::keys(it)).map(str::to_owned);
    sections.chain(connections).collect()
}

impl File {
    /// The accounts of the file; else those of the environment; else the directory.
    pub(super) fn accounts(&mut self, places: &Places) -> Result<Accounts, ConfigError> {
        let mut accounts: Accounts = std::mem::take(&mut self.connections).into_iter().collect();
        if accounts.is_empty() {
            accounts = connections::from_environment(places)?;
        }
        if accounts.is_empty() {
            accounts.push(("local".to_owned(), RawConnection::local()));
        }
        Ok(accounts)
    }

    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
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

    pub(super) fn complete(self, accounts: Accounts, overrides: &Overrides, places: &Places, base: &Path) -> Result<Config, ConfigError> {
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
                time_zone: self.guard.time_zone.map(time_zone).transpose()?,
                max_removals: self.guard.max_removals,
                review: self.review.complete()?,
            },
            files: self.files.allow.iter().map(|it| path_from(&places.home, base, Path::new(it))).collect(),
            store,
            secrets,
            retention: self.retention.complete(),
            traces: self.traces.endpoint,
            variables: Vec::new(),
            unused: Vec::new(),
        })
    }
}

fn time_zone(name: String) -> Result<String, ConfigError> {
    if Until::knows_zone(&name) {
        return Ok(name);
    }
    let message = format!("`guard.time_zone`: no time zone is called `{name}`");
    Err(ConfigError::new(message, "write it like `Europe/Berlin`, or leave it out: then the machine's zone is used"))
}

/// Mail domains as they stand behind the `@`, in lower case. An empty list trusts nobody.
pub(super) fn mail_domains(named: &[String]) -> Result<BTreeSet<String>, ConfigError> {
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
        return Err(ConfigError::new(
            format!("the connection name `{name}` is reserved for the server's own tools"),
            "choose another name",
        ));
    }
    let valid = (1..=60).contains(&name.len()) && name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_'));
    if valid { Ok(()) } else { Err(ConfigError::new(format!("`{name}` is not a connection name"), "use 1 to 60 letters, digits, - and _")) }
}

pub(super) fn effect(text: &str) -> Result<Effect, ConfigError> {
    let found = Effect::ALL.into_iter().find(|it| it.name() == text);
    found.ok_or_else(|| ConfigError::new(format!("no effect `{text}` in `tools.allow`"), nearest(text, &Effect::ALL.map(Effect::name))))
}

pub(super) fn domain(text: &str) -> Result<String, ConfigError> {
    let all: BTreeSet<&str> = tools::all().iter().map(|it| it.domain).collect();
    if all.contains(text) {
        return Ok(text.to_owned());
    }
    let all: Vec<&str> = all.into_iter().collect();
    Err(ConfigError::new(format!("no noun `{text}` in `tools.domains`"), nearest(text, &all)))
}
