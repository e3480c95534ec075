//! The Engine's sandbox with an agent in front of it.

use std::{sync::Arc, time::Duration};

use rolecall::{
    config::Remote,
    providers::{
        Connection,
        engine::{Account, Settings, connect},
    },
    sandbox::{
        self, Exchange, Platform as _, Sandbox, Seed,
        engine::{Engine, Quirks},
    },
};

use crate::support::{Agent, Options, Value, json};

/// The service, and an agent that acts as Ada: owner of Northwind Analytics and Acme Research, viewer of Acme Labs.
pub(crate) struct Stage {
    pub(crate) service: Arc<Sandbox<Engine>>,
    pub(crate) agent: Agent,
}

pub(crate) async fn service() -> Arc<Sandbox<Engine>> {
    Arc::new(sandbox::start(Engine::seeded(Seed::Acme), sandbox::Options::default()).await.unwrap())
}

pub(crate) fn settings(service: &Sandbox<Engine>) -> Settings {
    let remote = Remote {
        connection: "lab".into(),
        base_url: service.url.clone(),
        pin: None,
        ca_file: None,
        timeout: Duration::from_secs(30),
        files: Vec::new(),
    };
    let account = Account::CustomToken("engine-test-custom-token-1".into());
    Settings { remote, account, role_ids: [].into(), paths: [].into() }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Quirks::default(), |_| {}).await
    }

    /// With a service that differs, and a connection that was configured otherwise.
    pub(crate) async fn with(quirks: Quirks, configure: impl FnOnce(&mut Settings)) -> Self {
        let service = service().await;
        service.platform().quirks = quirks;
        let mut settings = settings(&service);
        configure(&mut settings);
        Self::of(service, connect(settings)).await
    }

    pub(crate) async fn of(service: Arc<Sandbox<Engine>>, connection: Connection) -> Self {
        Self { service, agent: Agent::connected(vec![connection], Options::default()).await }
    }

    /// What was asked of the service since the last time, without signing in: method and path below `/api/v1/`.
    pub(crate) fn asked(&self) -> Vec<String> {
        let journal = self.service.journal();
        self.service.clear_journal();
        let ours = journal.iter().filter(|it| !it.target.contains("/users:"));
        ours.map(|it| format!("{} {}", it.method, it.target.trim_start_matches("/api/v1/"))).collect()
    }

    /// What was sent that changes something, with its body.
    pub(crate) fn sent(&self) -> Vec<(String, Value)> {
        let journal = self.service.journal();
        self.service.clear_journal();
        let writes = journal.iter().filter(|it| it.method != "GET" && !it.target.contains("/users:"));
        let body = |it: &Exchange| if it.body.is_empty() { Value::Null } else { serde_json::from_str(&it.body).unwrap() };
        writes.map(|it| (format!("{} {}", it.method, it.target.trim_start_matches("/api/v1/")), body(it))).collect()
    }

    /// What the service holds, to see that nothing has changed.
    pub(crate) fn held(&self) -> Value {
        let platform = self.service.platform();
        json!([platform.accounts, platform.orgs, platform.projects])
    }

    /// The calls that take the last change back, as the ledger has them.
    pub(crate) async fn inverse(&self) -> Vec<Value> {
        let rolecall::store::Pools::Sqlite { reader, .. } = self.agent.db().pools().await.unwrap() else { panic!("a store in a file") };
        let outcomes = "SELECT body FROM ledger WHERE entry = 'outcome' ORDER BY seq DESC LIMIT 1";
        let body: String = sqlx::query_scalar(outcomes).fetch_one(reader).await.unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        body["inverse"].as_array().cloned().unwrap_or_default()
    }

    /// A call that is refused before anything is sent that changes something.
    #[track_caller]
    pub(crate) fn refuses(&self, tool: &'static str, arguments: Value, code: &'static str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let before = self.held();
            self.service.clear_journal();
            let answer = self.agent.call(tool, arguments.clone()).await;
            assert_eq!(answer["code"], code, "{caller}: {tool} {arguments} answered {answer}");
            assert_eq!(self.sent(), [], "{caller}: {tool} {arguments}");
            assert_eq!(self.held(), before, "{caller}: {tool} {arguments}");
            answer
        }
    }
}

/// A receipt without what differs from call to call.
pub(crate) fn settled(mut receipt: Value) -> Value {
    let fields = receipt.as_object_mut().unwrap();
    assert!(fields.remove("call_id").is_some_and(|it| it.as_str().is_some_and(|it| it.starts_with("call_"))));
    receipt
}
