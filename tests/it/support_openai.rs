//! A connection to OpenAI's service in a sandbox, with a look at what was sent to it.

use std::collections::BTreeMap;

use rolecall::providers::{
    Connection,
    openai::{Settings, connect},
};
use rolecall_sandbox::{
    Call, Exchange, Platform as _, Seed,
    openai::{ADMIN_KEY, Openai},
};

use crate::{
    lab::{Lab, Service, is_write},
    support::{Options, Value, remote},
};

/// An agent before the practice company.
pub(crate) type Company = Lab<Openai>;

impl Service for Openai {
    type Settings = Settings;

    /// Requests are counted, also those that change nothing.
    const RESTLESS: &'static [&'static str] = &["number", "quirks"];

    fn settings(url: &str) -> Settings {
        settings(url, ADMIN_KEY)
    }

    fn connect(settings: Settings) -> Connection {
        connect(settings)
    }

    fn told(it: &Exchange) -> String {
        format!("{} {} {}", it.method, path(it), it.body).trim_end().to_owned()
    }
}

impl Lab<Openai> {
    pub(crate) async fn with(options: Options) -> Self {
        Self::at(Openai::seeded(Seed::Acme), |_| {}, options).await
    }

    /// A company as it is now, apart from it from now on.
    pub(crate) async fn copy(&self) -> Self {
        let service = self.sandbox.platform().clone();
        Self::at(service, |_| {}, Options::default()).await
    }

    /// A call that succeeds, and the requests that changed something.
    pub(crate) async fn change(&self, tool: &str, arguments: Value) -> (Value, Vec<String>) {
        self.sandbox.clear_journal();
        let receipt = self.agent.ok(tool, arguments).await;
        (receipt, self.writes())
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
        self.seen().iter().filter(|it| is_write(it)).map(Openai::told).collect()
    }

    pub(crate) fn reads(&self) -> Vec<String> {
        self.seen().iter().filter(|it| !is_write(it)).map(|it| path(it).to_owned()).collect()
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
}

fn path(it: &Exchange) -> &str {
    it.target.strip_prefix("/v1").unwrap()
}

pub(crate) fn settings(url: &str, key: &str) -> Settings {
    Settings { remote: remote("openai", &format!("{url}/v1")), api_key: key.into(), organization_id: None, project_id: None }
}

/// One field of every item.
pub(crate) fn each(list: &Value, field: &str) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|it| it[field].as_str().unwrap_or_default().to_owned()).collect()
}
