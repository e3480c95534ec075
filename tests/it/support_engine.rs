//! The Engine's sandbox with an agent in front of it.

use std::time::Duration;

use rolecall::providers::{
    Connection,
    engine::{Identity, Settings, connect},
    http::Remote,
};
use rolecall_sandbox::{
    Exchange, Platform as _, Seed,
    engine::{Engine, Quirks},
};

use crate::{
    lab::{Lab, Service, is_write},
    support::{Options, Value, remote},
};

/// The service, and an agent that acts as Ada: owner of Northwind Analytics and Acme Research, viewer of Acme Labs.
pub(crate) type Stage = Lab<Engine>;

impl Service for Engine {
    type Settings = Settings;

    const RESTLESS: &'static [&'static str] = &["quirks", "sessions", "serial", "clock"];

    fn settings(url: &str) -> Settings {
        let identity = Identity::CustomToken("engine-test-custom-token-1".into());
        let remote = Remote { timeout: Duration::from_secs(30), ..remote("lab", url) };
        Settings { remote, identity, role_ids: [].into(), paths: [].into() }
    }

    fn connect(settings: Settings) -> Connection {
        connect(settings)
    }

    /// Method and path below `/api/v1/`.
    fn told(it: &Exchange) -> String {
        format!("{} {}", it.method, it.target.trim_start_matches("/api/v1/"))
    }

    /// Signing in.
    fn is_aside(it: &Exchange) -> bool {
        it.target.contains("/users:")
    }
}

impl Lab<Engine> {
    /// With a service that differs, and a connection that was configured otherwise.
    pub(crate) async fn with(quirks: Quirks, configure: impl FnOnce(&mut Settings)) -> Self {
        let mut service = Engine::seeded(Seed::Acme);
        service.quirks = quirks;
        Self::at(service, configure, Options::default()).await
    }

    /// What was asked of the service since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.journal().iter().map(Engine::told).collect()
    }

    /// What was sent that changes something, with its body.
    pub(crate) fn sent(&self) -> Vec<(String, Value)> {
        let body = |it: &Exchange| if it.body.is_empty() { Value::Null } else { serde_json::from_str(&it.body).unwrap() };
        self.journal().iter().filter(|it| is_write(it)).map(|it| (Engine::told(it), body(it))).collect()
    }

    /// The calls that take the last change back, as the ledger has them.
    pub(crate) async fn inverse(&self) -> Vec<Value> {
        let rolecall::store::Pools::Sqlite { reader, .. } = self.agent.db().pools().await.unwrap() else { panic!("a store in a file") };
        let outcomes = "SELECT body FROM ledger WHERE entry = 'outcome' ORDER BY seq DESC LIMIT 1";
        let body: String = sqlx::query_scalar(outcomes).fetch_one(reader).await.unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        body["inverse"].as_array().cloned().unwrap_or_default()
    }
}

/// A receipt without what differs from call to call.
pub(crate) fn without_call_id(mut receipt: Value) -> Value {
    let fields = receipt.as_object_mut().unwrap();
    assert!(fields.remove("call_id").is_some_and(|it| it.as_str().is_some_and(|it| it.starts_with("call_"))));
    receipt
}
