//! An agent on a connection to the sandbox of Globant Enterprise AI.

use std::time::Duration;

use rolecall::{
    config::Remote,
    providers::geai::{Settings, TokenKind, connect},
};
use rolecall_sandbox::{self as sandbox, Exchange, Fault, Platform as _, Sandbox, Seed, geai::Geai as Platform};

use crate::support::{Agent, Options, Value};

/// The sandbox's own tokens, known from its seed.
pub(crate) const TOKEN: &str = "geai-test-organization-acme-6e7f8a9b0c1d";
pub(crate) const SYSTEM: &str = "geai-test-oauth-system-8e9f0a1b2c3d";
pub(crate) const MEMBER: &str = "geai-test-oauth-member-0e1f2a3b4c5d";

/// A service, and an agent that works on it.
pub(crate) struct Geai {
    pub(crate) agent: Agent,
    pub(crate) sandbox: Sandbox<Platform>,
}

pub(crate) async fn sandbox() -> Sandbox<Platform> {
    sandbox::start(Platform::seeded(Seed::Acme), sandbox::Options::default()).await.unwrap()
}

/// How a connection reaches a service at `url`.
pub(crate) fn settings(url: &str) -> Settings {
    Settings {
        remote: Remote {
            connection: "globant".into(),
            base_url: url.to_owned(),
            pin: None,
            ca_file: None,
            timeout: Duration::from_secs(10),
            files: Vec::new(),
        },
        token: TOKEN.into(),
        kind: TokenKind::Api,
        project_id: None,
        organization_id: None,
        system: false,
        unversioned_removal: false,
    }
}

/// A system administrator's.
pub(crate) fn system(settings: Settings) -> Settings {
    Settings { token: SYSTEM.into(), kind: TokenKind::OAuth, project_id: Some(project(1)), system: true, ..settings }
}

/// The id of the nth project of the seed; Atlas is the first, Ember the fifth, Helpdesk, of another organization, the seventh.
pub(crate) fn project(number: u8) -> String {
    format!("02000000-0000-4000-8000-{number:012x}")
}

pub(crate) fn organization(number: u8) -> String {
    format!("01000000-0000-4000-8000-{number:012x}")
}

/// The id of the nth thing that the sandbox has made.
pub(crate) fn made(number: u8) -> String {
    format!("5a000000-0000-4000-8000-{number:012x}")
}

impl Geai {
    pub(crate) async fn new() -> Self {
        Self::with(|it| it).await
    }

    /// With other settings than the usual ones.
    pub(crate) async fn with(change: impl FnOnce(Settings) -> Settings) -> Self {
        Self::on(sandbox().await, change, Options::default()).await
    }

    pub(crate) async fn on(sandbox: Sandbox<Platform>, change: impl FnOnce(Settings) -> Settings, options: Options) -> Self {
        let agent = Agent::connected(vec![connect(change(settings(&sandbox.url)))], options).await;
        Self { agent, sandbox }
    }

    /// Lets something go wrong from now on, as the command line says it.
    pub(crate) fn faults(&self, faults: &[&str]) {
        self.sandbox.set_faults(faults.iter().map(|it| it.parse::<Fault>().unwrap()).collect());
    }

    /// The requests that came in since the last look: method, path and query, the target's header, body.
    pub(crate) fn requests(&self) -> Vec<String> {
        let seen = self.sandbox.journal().iter().map(told).collect();
        self.sandbox.clear_journal();
        seen
    }

    /// Those of them that change something.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.requests().into_iter().filter(|it| !it.starts_with("GET ")).collect()
    }

    /// Makes the service follow another reading of its description.
    pub(crate) fn quirk(&self, change: impl FnOnce(&mut sandbox::geai::Quirks)) {
        change(&mut self.sandbox.platform().quirks);
    }

    /// What the service holds.
    pub(crate) fn state(&self) -> Value {
        serde_json::to_value(&*self.sandbox.platform()).unwrap()
    }
}

fn told(it: &Exchange) -> String {
    let mut told = format!("{} {}", it.method, it.target);
    for name in ["project-id", "organization-id"] {
        if let Some(value) = it.headers.get(name) {
            told = format!("{told} {name}: {value}");
        }
    }
    if it.body.is_empty() { told } else { format!("{told} {}", it.body) }
}
