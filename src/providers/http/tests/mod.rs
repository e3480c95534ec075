//! The way to services, against a service that is made up: a shelf with things on it.

mod elsewhere;
mod reads;
mod sign_in;
mod writes;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, Auth, Heard, Reading, Reply, Request, Said, Service, Session, Writing, base_url};
use crate::{
    error::{ProviderError, RemoteError},
    guard::Permit,
    providers::Waits,
};
use rolecall_sandbox::{self as sandbox, Answer, Call, Faults, Options, Platform, Sandbox, Seed};

const KEY: &str = "shelf-test-key";

/// Things by name, and answers that are given instead of what would be right.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Shelf {
    things: Vec<String>,
    /// Whoever comes with another token is turned away; how many there were.
    tokens: u32,
    #[serde(skip)]
    instead: VecDeque<Answer>,
    /// What a path answers, always.
    #[serde(skip)]
    fixed: BTreeMap<String, Answer>,
}

impl Platform for Shelf {
    const PROVIDER: &'static str = "shelf";

    fn seeded(_: Seed) -> Self {
        Self { things: vec!["lamp".into()], tokens: 1, ..Self::default() }
    }

    fn answer(&mut self, call: &Call) -> Answer {
        let (method, path) = call.route();
        if (method, path.as_slice()) == ("POST", &["token"]) {
            return self.sign_in(call);
        }
        if let Some(answer) = self.fixed.get(&path.join("/")) {
            return answer.clone();
        }
        if let Some(answer) = self.instead.pop_front() {
            return answer;
        }
        if call.bearer() != Some(KEY) && call.bearer() != Some(&token(self.tokens)) {
            return Answer::json(401, &json!({ "message": format!("{} is not known", call.bearer().unwrap_or_default()) }));
        }
        match (method, path.as_slice()) {
            ("GET", ["things"]) => Answer::ok(&json!({ "things": self.things })),
            ("GET", ["things", name]) if self.things.iter().any(|it| it == name) => Answer::ok(&json!({ "name": name })),
            ("POST", ["things"]) => {
                let name = call.json().and_then(|it| it["name"].as_str().map(str::to_owned)).unwrap_or_default();
                self.things.push(name.clone());
                Answer::json(201, &json!({ "name": name })).with_header("x-request-id", "req-1")
            }
            ("DELETE", ["things", name]) => {
                self.things.retain(|it| it != name);
                Answer::empty(204)
            }
            _ => Answer::json(404, &json!({ "message": "no such thing" })),
        }
    }

    fn environment(&self, _: &str) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl Shelf {
    fn sign_in(&self, call: &Call) -> Answer {
        let password = call.json().and_then(|it| it["password"].as_str().map(str::to_owned)).unwrap_or_default();
        if password == "right" {
            Answer::ok(&json!({ "token": token(self.tokens) }))
        } else {
            Answer::json(401, &json!({ "message": format!("{password} is wrong") }))
        }
    }
}

/// The token that counts after so many were made.
fn token(number: u32) -> String {
    format!("shelf-test-token-{number}")
}

fn explain(heard: &Heard<'_>) -> Option<Said> {
    let text = |name: &str| heard.json.and_then(|it| it[name].as_str());
    let message = if heard.status < 400 { text("failed") } else { text("message") };
    (heard.status >= 400 || message.is_some()).then(|| Said { message: message.unwrap_or_default().to_owned(), ..Said::default() })
}

/// A shelf, and a way to it.
struct Stand {
    sandbox: Sandbox<Shelf>,
    api: Api,
    patience: Duration,
}

impl Stand {
    async fn new(faults: &[&str]) -> Self {
        Self::with(faults, Auth::Bearer(KEY.into()), super::TIMEOUT).await
    }

    async fn with(faults: &[&str], auth: Auth, timeout: Duration) -> Self {
        let faults = faults.iter().map(|it| it.parse().expect("a fault")).collect();
        let options = Options { faults: Faults::new(faults, 1), ..Options::default() };
        let sandbox = sandbox::start(Shelf::seeded(Seed::Acme), options).await.expect("a port is free");
        let api = api(&sandbox.url, auth, timeout);
        Self { sandbox, api, patience: Duration::from_secs(20) }
    }

    /// One whose callers lose patience before a slow answer comes.
    async fn hurried(faults: &[&str]) -> Self {
        let slow = faults.iter().any(|it| it.starts_with("slow"));
        let timeout = if slow { Duration::from_millis(1200) } else { super::TIMEOUT };
        Self::with(faults, Auth::Bearer(secret(KEY).into()), timeout).await
    }

    /// A shelf that gives these answers before it comes to itself.
    async fn that_says(answers: impl IntoIterator<Item = Answer>) -> Self {
        let stand = Self::new(&[]).await;
        stand.sandbox.platform().instead.extend(answers);
        stand
    }

    fn session(&self) -> Session<()> {
        Session::new(self.api.clone(), Arc::new(()))
    }

    fn get(&self, path: &str) -> Request<Reading> {
        Request::new(self.api.clone(), Method::GET, path).within(&Arc::default(), Waits::Each(self.patience))
    }

    async fn read(&self) -> Result<Value, ProviderError> {
        self.get("/things").send().await
    }

    async fn write(&self) -> Result<Reply, ProviderError> {
        let request: Request<Writing> =
            Request::new(self.api.clone(), Method::POST, "/things").within(&Arc::default(), Waits::Each(self.patience));
        request.json(json!({ "name": "vase" })).send(&Permit::for_tests()).await
    }

    /// Method and status of what came in; no status where no answer was given.
    fn came_in(&self) -> Vec<(String, Option<u16>)> {
        self.sandbox.journal().into_iter().map(|it| (it.method, it.status)).collect()
    }

    fn things(&self) -> Vec<String> {
        self.sandbox.platform().things.clone()
    }
}

fn api(url: &str, auth: Auth, timeout: Duration) -> Api {
    let (connection, base) = ("shelf".to_owned(), url.to_owned());
    Api::new(Service { connection, base, auth, headers: Vec::new(), explain, ca_file: None, timeout, usual_path: None })
}

fn remote<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> RemoteError {
    match result.expect_err("an error") {
        ProviderError::Remote(error) => *error,
        other => panic!("not what a service says: {other:?}"),
    }
}

fn secret(text: &str) -> SecretString {
    text.to_owned().into()
}

#[test]
fn base_urls_keep_their_path_and_send_no_key_in_the_clear() {
    assert_eq!(base_url("https://api.example.com/v1/"), Ok("https://api.example.com/v1".into()));
    assert_eq!(base_url("api.example.com"), Ok("https://api.example.com".into()));
    assert_eq!(base_url("http://127.0.0.1:4010"), Ok("http://127.0.0.1:4010".into()));
    for bad in ["http://api.example.com", "ftp://api.example.com", "https://user:pw@api.example.com", "https://api.example.com?x=1", ""] {
        assert!(base_url(bad).is_err(), "{bad}");
    }
}
