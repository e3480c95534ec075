//! An agent before a sandbox of SeeMe.ai.

use std::time::Duration;

use rolecall::{
    config::Remote,
    providers::seeme::{Account, Settings, connect},
};
use rolecall_sandbox::{
    Exchange, Options as SandboxOptions, Platform as _, Sandbox, Seed,
    seeme::{Quirks, Seeme},
    start,
};

use crate::support::{Agent, Options, Value};

/// The service, and an agent that uses it.
pub(crate) struct Lab {
    pub(crate) sandbox: Sandbox<Seeme>,
    pub(crate) agent: Agent,
}

impl Lab {
    pub(crate) async fn new() -> Self {
        Self::with(Quirks::default(), None).await
    }

    /// With a service of another kind, or a connection that is kept to an organization.
    pub(crate) async fn with(quirks: Quirks, pin: Option<&str>) -> Self {
        Self::signed_in(quirks, pin, Account::Key("seeme-test-helena".into())).await
    }

    pub(crate) async fn signed_in(quirks: Quirks, pin: Option<&str>, account: Account) -> Self {
        let mut service = Seeme::seeded(Seed::Acme);
        service.quirks = quirks;
        let sandbox = start(service, SandboxOptions::default()).await.unwrap();
        let agent = Agent::connected(vec![connect(settings(&sandbox, pin, account))], Options::default()).await;
        Self { sandbox, agent }
    }

    /// What changed something since the last time: `POST teams {"name":"Design"}`.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.journal().iter().filter(|it| it.method != "GET").map(written).collect()
    }

    /// What was read since the last time: paths and queries.
    pub(crate) fn reads(&self) -> Vec<String> {
        self.journal().iter().filter(|it| it.method == "GET").map(|it| below(&it.target)).collect()
    }

    fn journal(&self) -> Vec<Exchange> {
        let journal = self.sandbox.journal();
        self.sandbox.clear_journal();
        journal
    }

    /// Everything that the service holds, without its clock.
    pub(crate) fn state(&self) -> Value {
        let mut state = serde_json::to_value(&*self.sandbox.platform()).unwrap();
        state.as_object_mut().unwrap().remove("minutes");
        state
    }

    /// A refusal: its code, and that nothing was changed.
    #[track_caller]
    pub(crate) fn refuses(&self, tool: &str, arguments: Value, code: &str) -> impl Future<Output = Value> {
        let before = self.state();
        let call = self.agent.fails(tool, arguments, code);
        async move {
            let answer = call.await;
            assert_eq!(self.writes(), Vec::<String>::new());
            assert_eq!(self.state(), before);
            answer
        }
    }
}

pub(crate) fn settings(sandbox: &Sandbox<Seeme>, pin: Option<&str>, account: Account) -> Settings {
    let remote = Remote {
        connection: "vision".into(),
        base_url: format!("{}/api/v1", sandbox.url),
        pin: pin.map(str::to_owned),
        ca_file: None,
        timeout: Duration::from_secs(10),
        files: Vec::new(),
    };
    Settings { remote, account }
}

fn below(target: &str) -> String {
    target.trim_start_matches("/api/v1/").to_owned()
}

fn written(it: &Exchange) -> String {
    let body = if it.body.starts_with('{') { format!(" {}", it.body) } else { String::new() };
    format!("{} {}{body}", it.method, below(&it.target))
}
