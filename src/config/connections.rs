//! The accounts: what the file and the environment say of each provider.

mod engine_environment;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use super::{ConfigError, Places, nearest, over::not_taken, path_from, secret::SecretSource};
use crate::providers::{
    engine,
    geai::{
        self,
        profile::{self, InvalidProfile, Profile},
    },
    http::{self, Remote},
    openai, seeme,
};
use crate::secrets::Credential;

/// A connection as it is configured: an account, and the name that calls use for it.
#[derive(Debug, Clone)]
pub struct ConfiguredConnection {
    pub name: String,
    /// The organization that it is kept to.
    pub organization: Option<String>,
    pub provider: Provider,
}

/// Whose account it is, and what is needed to use it.
#[derive(Debug, Clone)]
pub enum Provider {
    Local,
    Geai(geai::Settings),
    Openai(openai::Settings),
    Seeme(seeme::Settings),
    Engine(engine::Settings),
}

/// A section `[connections.NAME]` as it is written. Which keys a provider knows, [`keys`] says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RawConnection {
    provider: String,
    organization: Option<String>,
    base_url: Option<String>,
    ca_file: Option<PathBuf>,
    timeout_seconds: Option<u64>,
    api_key: Option<SecretSource>,
    organization_id: Option<String>,
    project_id: Option<String>,
    // geai
    profile: Option<String>,
    credentials_file: Option<PathBuf>,
    oauth_access_token: Option<SecretSource>,
    #[serde(default)]
    system: bool,
    #[serde(default)]
    unversioned_removal: bool,
    // seeme
    username: Option<String>,
    // engine
    email: Option<String>,
    custom_token: Option<SecretSource>,
    #[serde(default)]
    role_ids: BTreeMap<String, String>,
    #[serde(default)]
    paths: BTreeMap<String, String>,
    // seeme, engine
    password: Option<SecretSource>,
}

/// The providers that this build can talk to.
pub(super) const PROVIDERS: [&str; 5] = ["local", "geai", "openai", "seeme", "engine"];

/// The keys of a connection at a provider.
pub(super) fn keys(provider: &str) -> Vec<&'static str> {
    const REMOTE: [&str; 3] = ["base_url", "ca_file", "timeout_seconds"];
    let own: &[&str] = match provider {
        "geai" => &[
            "profile",
            "credentials_file",
            "api_key",
            "oauth_access_token",
            "project_id",
            "organization_id",
            "system",
            "unversioned_removal",
        ],
        "openai" => &["api_key", "organization_id", "project_id"],
        "seeme" => &["api_key", "username", "password"],
        "engine" => &["custom_token", "email", "password", "role_ids", "paths"],
        _ => return vec!["provider", "organization"],
    };
    ["provider", "organization"].iter().chain(&REMOTE).chain(own).copied().collect()
}

/// Reads what a connection's key says, in the place it says it.
struct Reader<'a> {
    name: &'a str,
    places: &'a Places,
    /// Where paths in the file are seen from.
    base: &'a Path,
}

impl RawConnection {
    /// The embedded directory.
    pub(super) fn local() -> Self {
        Self { provider: "local".to_owned(), ..Self::default() }
    }

    /// Whose account it is.
    pub(super) fn provider(&self) -> &'static str {
        PROVIDERS.into_iter().find(|it| *it == self.provider).unwrap_or_default()
    }

    /// The environment's variables that its section names.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        [&self.api_key, &self.oauth_access_token, &self.custom_token, &self.password].into_iter().filter_map(|it| match it {
            Some(SecretSource::Env(name)) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether variables of the vendor's own go over what its section says.
    pub(super) fn takes_the_environment(&self) -> bool {
        let own = self.api_key.is_some() || self.oauth_access_token.is_some() || self.credentials_file.is_some();
        self.provider == "geai" && !own && self.profile.as_deref().unwrap_or(profile::DEFAULT) == profile::DEFAULT
    }

    /// Keeps this account to the organization that `over` names, unless it is kept to one already; answers which, where that is new.
    ///
    /// # Errors
    ///
    /// Where `over` says more than which account it means: an address, a secret or a file.
    pub(super) fn keep_to(&mut self, over: Self) -> Result<Option<&str>, ConfigError> {
        // Taken apart completely: a key that nobody has thought about here does not compile.
        let Self {
            provider,
            organization,
            base_url,
            ca_file,
            timeout_seconds,
            api_key,
            organization_id,
            project_id,
            profile,
            credentials_file,
            oauth_access_token,
            system,
            unversioned_removal,
            username,
            email,
            custom_token,
            role_ids,
            paths,
            password,
        } = over;
        let texts = [&base_url, &organization_id, &project_id, &profile, &username, &email];
        let secrets = [&api_key, &oauth_access_token, &custom_token, &password];
        let says_more = texts.iter().any(|it| it.is_some())
            || secrets.iter().any(|it| it.is_some())
            || [&ca_file, &credentials_file].iter().any(|it| it.is_some())
            || timeout_seconds.is_some()
            || system
            || unversioned_removal
            || !role_ids.is_empty()
            || !paths.is_empty();
        if says_more || provider != self.provider {
            return Err(not_taken("connections"));
        }
        if self.organization.is_some() || organization.is_none() {
            return Ok(None);
        }
        self.organization = organization;
        Ok(self.organization.as_deref())
    }

    pub(super) fn complete(self, name: &str, places: &Places, base: &Path) -> Result<ConfiguredConnection, ConfigError> {
        let at = Reader { name, places, base };
        let organization = self.organization.clone();
        let provider = match self.provider.as_str() {
            "geai" => Provider::Geai(self.geai(&at)?),
            "openai" => Provider::Openai(self.openai(&at)?),
            "seeme" => Provider::Seeme(self.seeme(&at)?),
            "engine" => Provider::Engine(self.engine(&at)?),
            _ => Provider::Local,
        };
        Ok(ConfiguredConnection { name: name.to_owned(), organization, provider })
    }

    fn remote(&self, at: &Reader<'_>, default: Option<&str>) -> Result<Remote, ConfigError> {
        let key = format!("connections.{}.base_url", at.name);
        let url = self.base_url.as_deref().or(default).ok_or_else(|| {
            let variable = if self.provider == "geai" { "GEAI_API_BASE_URL" } else { "AIA_ENGINE_API_TARGET" };
            let fix = format!("set {variable}, or `base_url` in rolecall.toml, to the service's address, such as https://api.example.com");
            ConfigError::new(format!("`{key}` is missing"), fix)
        })?;
        let base_url = http::base_url(url).map_err(|error| ConfigError::new(format!("`{key}`: {error}"), "correct the value"))?;
        let timeout = match self.timeout_seconds {
            None => http::TIMEOUT,
            Some(it @ 1..=600) => Duration::from_secs(it),
            Some(it) => {
                return Err(ConfigError::new(format!("`connections.{}.timeout_seconds` is {it}", at.name), "use 1 to 600"));
            }
        };
        Ok(Remote {
            connection: at.name.to_owned(),
            base_url,
            pin: self.organization.clone(),
            ca_file: self.ca_file.as_deref().map(|it| path_from(&at.places.home, at.base, it)),
            timeout,
            files: Vec::new(),
        })
    }

    /// What the section says itself goes first; what it leaves open, the profile says.
    fn geai(mut self, at: &Reader<'_>) -> Result<geai::Settings, ConfigError> {
        let named = self.profile.is_some() || self.credentials_file.is_some();
        // A section with a token of its own needs no profile; one that names a profile wants its other keys, too.
        let open = self.api_key.is_none() && self.oauth_access_token.is_none();
        let profile = if named || open { self.profile(at)? } else { Profile::default() };
        let read = |key: &str, source: Option<&SecretSource>| source.map(|it| at.secret(key, it)).transpose();
        let oauth = read("oauth_access_token", self.oauth_access_token.as_ref())?;
        let key = read("api_key", self.api_key.as_ref())?;
        let (oauth, key) =
            if open { (profile.oauth_access_token.map(Credential::from), profile.api_key.map(Credential::from)) } else { (oauth, key) };
        let (token, kind) = match (oauth, key) {
            (Some(oauth), _) => (oauth, geai::TokenKind::OAuth),
            (None, Some(key)) => (key, geai::TokenKind::Api),
            (None, None) => return Err(at.missing("api_key", "GEAI_API_KEY")),
        };
        self.base_url = self.base_url.or(profile.base_url);
        self.ca_file = self.ca_file.or(profile.ca_file.map(Into::into));
        let remote = self.remote(at, None)?;
        Ok(geai::Settings {
            remote,
            token,
            kind,
            project_id: self.project_id.or(profile.project_id),
            organization_id: self.organization_id.or(profile.organization_id),
            system: self.system,
            unversioned_removal: self.unversioned_removal,
        })
    }

    /// The section of the credentials file. Over the default one goes the environment, key by key; a named one is as it is.
    fn profile(&self, at: &Reader<'_>) -> Result<Profile, ConfigError> {
        let name = self.profile.as_deref().unwrap_or(profile::DEFAULT);
        let path = match &self.credentials_file {
            Some(path) => path_from(&at.places.home, at.base, path),
            None => at.places.home.join(profile::FILE),
        };
        let wanted = self.credentials_file.is_some() || name != profile::DEFAULT;
        let unusable = |error: &dyn std::fmt::Display, fix: String| {
            ConfigError::new(format!("`connections.{}`: {}: {error}", at.name, path.display()), fix)
        };
        let file = match std::fs::read_to_string(&path) {
            Ok(text) => Profile::read(&text, name).map_err(|error| {
                let fix = match &error {
                    InvalidProfile::Unknown { name, known } => nearest(name, &known.iter().map(String::as_str).collect::<Vec<_>>()),
                    _ => "correct the file".to_owned(),
                };
                unusable(&error, fix)
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !wanted => Profile::default(),
            Err(error) => return Err(unusable(&error, "name a file that can be read with `credentials_file`".to_owned())),
        };
        let environment = Profile::of_environment(|it| at.places.variable(it));
        Ok(if name == profile::DEFAULT { environment.or(file) } else { file })
    }

    fn openai(self, at: &Reader<'_>) -> Result<openai::Settings, ConfigError> {
        let source = self.api_key.as_ref().ok_or_else(|| at.missing("api_key", "OPENAI_ADMIN_KEY"))?;
        let api_key = at.secret("api_key", source)?;
        let remote = self.remote(at, Some(openai::BASE_URL))?;
        Ok(openai::Settings { remote, api_key, organization_id: self.organization_id, project_id: self.project_id })
    }

    fn seeme(self, at: &Reader<'_>) -> Result<seeme::Settings, ConfigError> {
        let identity = match (&self.api_key, &self.username, &self.password) {
            (Some(key), _, _) => seeme::Identity::Key(at.secret("api_key", key)?),
            (None, Some(username), Some(password)) => {
                seeme::Identity::Login { username: username.clone(), password: at.secret("password", password)? }
            }
            _ => return Err(at.missing("api_key", "SEEME_API_KEY")),
        };
        let remote = self.remote(at, Some(seeme::BASE_URL))?;
        Ok(seeme::Settings { remote, identity })
    }

    fn engine(self, at: &Reader<'_>) -> Result<engine::Settings, ConfigError> {
        let identity = match (&self.custom_token, &self.email, &self.password) {
            (Some(token), _, _) => engine::Identity::CustomToken(at.secret("custom_token", token)?),
            (None, Some(email), Some(password)) => {
                engine::Identity::Email { email: email.clone(), password: at.secret("password", password)? }
            }
            _ => return Err(at.missing("custom_token", "AIA_ENGINE_API_CUSTOM_TOKEN")),
        };
        let remote = self.remote(at, None)?;
        if let Some(unknown) = self.paths.keys().find(|it| !engine::PATHS.iter().any(|(known, _)| known == it)) {
            let known: Vec<&str> = engine::PATHS.iter().map(|it| it.0).collect();
            return Err(ConfigError::new(format!("unknown path `connections.{}.paths.{unknown}`", at.name), nearest(unknown, &known)));
        }
        for (path, text) in &self.paths {
            engine::check_path(path, text)
                .map_err(|error| ConfigError::new(format!("`connections.{}.paths.{path}`: {error}", at.name), "correct the value"))?;
        }
        Ok(engine::Settings { remote, identity, role_ids: self.role_ids, paths: self.paths })
    }
}

impl Reader<'_> {
    fn secret(&self, key: &str, source: &SecretSource) -> Result<Credential, ConfigError> {
        source.read(&format!("connections.{}.{key}", self.name), self.places, self.base)
    }

    fn missing(&self, key: &str, variable: &str) -> ConfigError {
        ConfigError::new(format!("`connections.{}.{key}` is missing", self.name), format!("add {key} = {{ env = \"{variable}\" }}"))
    }
}

/// The accounts that the environment alone describes, one of a provider at most.
pub(super) fn from_environment(places: &Places) -> Result<Vec<(String, RawConnection)>, ConfigError> {
    let set = |name: &str| places.variable(name).is_some();
    let secret = |name: &str| Some(SecretSource::Env(name.to_owned())).filter(|_| set(name));
    let found = [
        // Its default profile, over which the environment goes.
        (set("GEAI_API_KEY") || set("GEAI_OAUTH_ACCESS_TOKEN"))
            .then(|| RawConnection { provider: "geai".into(), ..RawConnection::default() }),
        set("OPENAI_ADMIN_KEY").then(|| RawConnection {
            provider: "openai".into(),
            base_url: places.variable("ROLECALL_OPENAI_BASE_URL"),
            api_key: secret("OPENAI_ADMIN_KEY"),
            organization_id: places.variable("OPENAI_ORG_ID"),
            ..RawConnection::default()
        }),
        set("SEEME_API_KEY").then(|| RawConnection {
            provider: "seeme".into(),
            base_url: places.variable("SEEME_BACKEND"),
            api_key: secret("SEEME_API_KEY"),
            ..RawConnection::default()
        }),
        engine_environment::find(places)?,
    ];
    Ok(found.into_iter().flatten().map(|it| (it.provider.clone(), it)).collect())
}
