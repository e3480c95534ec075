//! A connection to OpenAI's service in a sandbox, with a look at what was sent to it.

use std::collections::BTreeMap;

use rolecall::providers::openai::{Settings, connect};
use rolecall_sandbox::{
    self as sandbox, Call, Platform as _, Sandbox, Seed,
    openai::{ADMIN_KEY, Openai},
};

use crate::support::{Agent, Options, Value, remote};

/// An agent before the practice company.
pub(crate) struct Company {
    pub(crate) agent: Agent,
    pub(crate) sandbox: Sandbox<Openai>,
}

impl Company {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::at(Openai::seeded(Seed::Acme), options).await
    }

    /// A company as it is now, apart from it from now on.
    pub(crate) async fn copy(&self) -> Self {
        let service = self.sandbox.platform().clone();
        Self::at(service, Options::default()).await
    }

    async fn at(service: Openai, options: Options) -> Self {
        let sandbox = sandbox::start(service, sandbox::Options::default()).await.unwrap();
        let agent = Agent::connected(vec![connect(settings(&sandbox.url, ADMIN_KEY))], options).await;
        Self { agent, sandbox }
    }

    /// A call that succeeds, and the requests that changed something.
    pub(crate) async fn change(&self, tool: &str, arguments: Value) -> (Value, Vec<String>) {
        self.sandbox.clear_journal();
        let receipt = self.agent.ok(tool, arguments).await;
        (receipt, self.writes())
    }

    /// A call that is refused; nothing may be sent that changes anything.
    pub(crate) async fn refused(&self, tool: &str, arguments: Value, code: &str) -> Value {
        self.sandbox.clear_journal();
        let error = self.agent.fails(tool, arguments, code).await;
        assert_eq!(self.writes(), [""; 0], "{error}");
        error
    }

    /// A call that reads, and all its requests.
    pub(crate) async fn look(&self, tool: &str, arguments: Value) -> (Value, Vec<String>) {
        self.sandbox.clear_journal();
        let answer = self.agent.ok(tool, arguments).await;
        assert_eq!(self.writes(), [""; 0], "{answer}");
        (answer, self.reads())
    }

    /// The requests that changed something, each with its body.
    pub(crate) fn writes(&self) -> Vec<String> {
        let journal = self.sandbox.journal().into_iter().filter(|it| it.method != "GET");
        journal.map(|it| format!("{} {} {}", it.method, path(&it.target), it.body).trim_end().to_owned()).collect()
    }

    pub(crate) fn reads(&self) -> Vec<String> {
        self.sandbox.journal().into_iter().filter(|it| it.method == "GET").map(|it| path(&it.target).to_owned()).collect()
    }

    /// What somebody else does meanwhile.
    pub(crate) fn directly(&self, method: &str, path: &str, body: &Value) -> Value {
        let headers = [("authorization", format!("Bearer {ADMIN_KEY}")), ("content-type", "application/json".into())];
        let headers: BTreeMap<String, String> = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.sandbox.platform().answer(&Call::new(method, &format!("/v1{path}"), headers, body));
        let json = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 200, "{method} {path}: {json}");
        json
    }

    /// The state of the service, for comparing before and after.
    pub(crate) fn state(&self) -> Value {
        let mut state = serde_json::to_value(&*self.sandbox.platform()).unwrap();
        // Requests are counted, also those that change nothing.
        state.as_object_mut().unwrap().retain(|field, _| !["number", "quirks"].contains(&field.as_str()));
        state
    }
}

fn path(target: &str) -> &str {
    target.strip_prefix("/v1").unwrap()
}

pub(crate) fn settings(url: &str, key: &str) -> Settings {
    Settings { remote: remote("openai", &format!("{url}/v1")), api_key: key.into(), organization_id: None, project_id: None }
}

/// One field of every item.
pub(crate) fn each(list: &Value, field: &str) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|it| it[field].as_str().unwrap_or_default().to_owned()).collect()
}
