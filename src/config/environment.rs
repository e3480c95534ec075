//! The environment's variables that accounts are made of: whoever starts the server has to pass them on.

use super::{Places, connections::RawConnection};

/// A variable of the environment that is set, and that the configuration uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable {
    pub name: String,
    /// Whether its value is a secret: it is never written where others read it.
    pub secret: bool,
    /// The key of a connection that says the same, and the provider: for variables that vendors' packages know.
    pub key: Option<(&'static str, &'static str)>,
}

/// A variable, the key of a connection that says the same, and whether it is secret.
type Known = (&'static str, &'static str, bool);

/// The variables of each provider.
const KNOWN: [(&str, &[Known]); 4] = [
    (
        "geai",
        &[
            ("GEAI_API_KEY", "api_key", true),
            ("GEAI_OAUTH_ACCESS_TOKEN", "oauth_access_token", true),
            ("GEAI_API_BASE_URL", "base_url", false),
            ("GEAI_PROJECT_ID", "project_id", false),
            ("GEAI_ORGANIZATION_ID", "organization_id", false),
            ("GEAI_SSL_CERT_PATH", "ca_file", false),
        ],
    ),
    (
        "openai",
        &[
            ("OPENAI_ADMIN_KEY", "api_key", true),
            ("OPENAI_ORG_ID", "organization_id", false),
            ("ROLECALL_OPENAI_BASE_URL", "base_url", false),
        ],
    ),
    ("seeme", &[("SEEME_API_KEY", "api_key", true), ("SEEME_BACKEND", "base_url", false)]),
    (
        "engine",
        &[
            ("AIA_ENGINE_API_TARGET", "base_url", false),
            ("AIA_ENGINE_API_SECURE", "", false),
            ("AIA_ENGINE_API_CUSTOM_TOKEN", "custom_token", true),
            ("AIA_ENGINE_API_EMAIL", "email", false),
            ("AIA_ENGINE_API_PASSWORD", "password", true),
            ("AIA_ENGINE_CONFIG_FILE", "", false),
        ],
    ),
];

/// The variables that these accounts are read from. `found` says whether the environment alone made them: then all that a provider
/// has there counts, else what the sections name.
pub(super) fn used<'a>(accounts: impl Iterator<Item = &'a RawConnection>, found: bool, places: &Places) -> Vec<Variable> {
    let mut used: Vec<Variable> = Vec::new();
    for account in accounts {
        used.extend(account.variables().map(|name| Variable { name: name.to_owned(), secret: true, key: None }));
        if found || account.takes_the_environment() {
            used.retain(|it| it.key.is_some() || !of(account.provider()).any(|known| known.0 == it.name));
            used.extend(of(account.provider()).map(|(name, key, secret)| Variable {
                name: (*name).to_owned(),
                secret: *secret,
                key: Some((account.provider(), key)),
            }));
        }
    }
    used.retain(|it| places.variable(&it.name).is_some());
    used.sort();
    used.dedup();
    used
}

fn of(provider: &str) -> impl Iterator<Item = &'static Known> {
    KNOWN.iter().filter(move |it| it.0 == provider).flat_map(|it| it.1)
}

/// What lies about and looks like an account, and is not used: a sentence each, with what to do.
pub(super) fn unused(found: bool, file: Option<&str>, providers: &[&str], places: &Places) -> Vec<String> {
    let mut told = Vec::new();
    let set = |name: &str| places.variable(name).is_some();
    for (provider, variables) in KNOWN {
        let secrets: Vec<&str> = variables.iter().filter(|it| it.2 && set(it.0)).map(|it| it.0).collect();
        if let (Some(file), [first, ..], false) = (file, secrets.as_slice(), found || providers.contains(&provider)) {
            told.push(format!(
                "{first} is set and not used, since {file} names the connections; add a section `[connections.{provider}]` with \
                 provider = \"{provider}\" to use it"
            ));
        }
        for (name, ..) in variables.iter().filter(|it| places.is_unexpanded(it.0)) {
            told.push(format!(
                "{name} holds `{}` as it was written: the client did not put a value in its place, so it counts as not set",
                places.raw(name)
            ));
        }
    }
    if !providers.contains(&"openai") && set("OPENAI_API_KEY") {
        told.push(
            "OPENAI_API_KEY is set and not used: it is a project's key, and the Administration API takes an admin key; set OPENAI_ADMIN_KEY".into(),
        );
    }
    if !providers.contains(&"geai") && places.home.join(crate::providers::geai::profile::FILE).is_file() {
        told.push(format!(
            "~/{} is there and not used; add a section with provider = \"geai\" and profile = \"default\" to rolecall.toml to use it",
            crate::providers::geai::profile::FILE
        ));
    }
    told
}
