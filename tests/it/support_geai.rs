//! An agent on a connection to the sandbox of Globant Enterprise AI.

use std::time::Duration;

use rolecall::{
    config::Remote,
    providers::{
        Connection,
        geai::{Settings, TokenKind, connect},
    },
};
use rolecall_sandbox::{
    Exchange, Platform as _, Seed,
    geai::{self, Quirks},
};

use crate::{
    lab::{Lab, Service},
    support::{Options, remote},
};

/// The sandbox's own tokens, known from its seed.
pub(crate) const TOKEN: &str = "geai-test-organization-acme-6e7f8a9b0c1d";
pub(crate) const SYSTEM: &str = "geai-test-oauth-system-8e9f0a1b2c3d";
pub(crate) const MEMBER: &str = "geai-test-oauth-member-0e1f2a3b4c5d";

/// A service, and an agent that works on it.
pub(crate) type Geai = Lab<geai::Geai>;

impl Service for geai::Geai {
    type Settings = Settings;

    fn settings(url: &str) -> Settings {
        Settings {
            remote: Remote { timeout: Duration::from_secs(10), ..remote("globant", url) },
            token: TOKEN.into(),
            kind: TokenKind::Api,
            project_id: None,
            organization_id: None,
            system: false,
            unversioned_removal: false,
        }
    }

    fn connect(settings: Settings) -> Connection {
        connect(settings)
    }

    /// Method, path and query, the target's header, body.
    fn told(it: &Exchange) -> String {
        let mut told = format!("{} {}", it.method, it.target);
        for name in ["project-id", "organization-id"] {
            if let Some(value) = it.headers.get(name) {
                told = format!("{told} {name}: {value}");
            }
        }
        if it.body.is_empty() { told } else { format!("{told} {}", it.body) }
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

impl Lab<geai::Geai> {
    /// With other settings than the usual ones.
    pub(crate) async fn with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let service = geai::Geai::seeded(Seed::Acme);
        Self::at(service, |it| *it = change(it.clone()), Options::default()).await
    }

    /// The requests that came in since the last look.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.journal().iter().map(geai::Geai::told).collect()
    }

    /// Those of them that change something.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.requests().into_iter().filter(|it| !it.starts_with("GET ")).collect()
    }

    /// Makes the service follow another reading of its description.
    pub(crate) fn quirk(&self, change: impl FnOnce(&mut Quirks)) {
        change(&mut self.sandbox.platform().quirks);
    }
}
