//! An agent before a sandbox of SeeMe.ai.

use std::time::Duration;

use rolecall::providers::{
    Connection,
    http::Remote,
    seeme::{Identity, Settings, connect},
};
use rolecall_sandbox::{
    Exchange, Platform as _, Seed,
    seeme::{Quirks, Seeme},
};

use crate::{
    lab::{self, Service, is_write},
    support::{Options, remote},
};

/// The service, and an agent that uses it.
pub(crate) type Lab = lab::Lab<Seeme>;

impl Service for Seeme {
    type Settings = Settings;

    /// Its clock.
    const RESTLESS: &'static [&'static str] = &["minutes"];

    fn settings(url: &str) -> Settings {
        let remote = Remote { timeout: Duration::from_secs(10), ..remote("vision", &format!("{url}/api/v1")) };
        Settings { remote, identity: Identity::Key("seeme-test-helena".into()) }
    }

    fn connect(settings: Settings) -> Connection {
        connect(settings)
    }

    /// `POST teams {"name":"Design"}`; pictures are left out.
    fn told(it: &Exchange) -> String {
        let body = if it.body.starts_with('{') { format!(" {}", it.body) } else { String::new() };
        format!("{} {}{body}", it.method, below(&it.target))
    }
}

impl lab::Lab<Seeme> {
    /// With a service of another kind, or a connection that is kept to an organization.
    pub(crate) async fn with(quirks: Quirks, pin: Option<&str>) -> Self {
        let mut service = Seeme::seeded(Seed::Acme);
        service.quirks = quirks;
        let configure = |it: &mut Settings| it.remote.pin = pin.map(str::to_owned);
        Self::at(service, configure, Options::default()).await
    }

    pub(crate) async fn signed_in(identity: Identity) -> Self {
        Self::at(Seeme::seeded(Seed::Acme), |it| it.identity = identity, Options::default()).await
    }

    /// What changed something since the last time.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.journal().iter().filter(|it| is_write(it)).map(Seeme::told).collect()
    }

    /// What was read since the last time: paths and queries.
    pub(crate) fn reads(&self) -> Vec<String> {
        self.journal().iter().filter(|it| !is_write(it)).map(|it| below(&it.target)).collect()
    }
}

fn below(target: &str) -> String {
    target.trim_start_matches("/api/v1/").to_owned()
}
