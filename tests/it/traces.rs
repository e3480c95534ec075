//! Traces: what a collector is told of calls by OTLP over HTTP, and what it is not.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, http::HeaderMap, routing::post};
use rolecall_sandbox::{
    Platform as _, Sandbox, Seed,
    openai::{ADMIN_KEY, Openai},
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};

use crate::{
    support::{Store, Value, json},
    wire::{modern, program},
};

/// A collector, with what it was sent.
struct Collector {
    url: String,
    told: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

/// A span as it was sent.
#[derive(Debug, Clone)]
struct Span {
    name: String,
    id: String,
    parent: String,
    trace: String,
    kind: i64,
    /// Of an error 2.
    status: i64,
    nanoseconds: u64,
    attributes: Value,
}

impl Collector {
    async fn start() -> Self {
        let told: Arc<Mutex<Vec<(HeaderMap, Value)>>> = Arc::default();
        let kept = Arc::clone(&told);
        let take = move |headers: HeaderMap, Json(body): Json<Value>| {
            let kept = Arc::clone(&kept);
            async move {
                kept.lock().unwrap().push((headers, body));
                Json(json!({}))
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await });
        Self { url, told }
    }

    fn spans(&self) -> Vec<Span> {
        let told = self.told.lock().unwrap();
        let resources = told.iter().flat_map(|it| it.1["resourceSpans"].as_array().unwrap().clone());
        let scopes = resources.flat_map(|it| it["scopeSpans"].as_array().unwrap().clone());
        scopes.flat_map(|it| it["spans"].as_array().unwrap().clone()).map(|it| span(&it)).collect()
    }

    /// All that it was sent, as text.
    fn text(&self) -> String {
        self.told.lock().unwrap().iter().map(|it| it.1.to_string()).collect()
    }
}

fn span(it: &Value) -> Span {
    let text = |field: &str| it[field].as_str().unwrap_or_default().to_owned();
    let time = |field: &str| text(field).parse::<u64>().unwrap();
    let value = |it: &Value| match it.as_object().and_then(|it| it.iter().next()) {
        Some((kind, value)) if kind == "intValue" => value.as_str().map_or_else(|| value.clone(), |it| json!(it.parse::<i64>().unwrap())),
        Some((_, value)) => value.clone(),
        None => Value::Null,
    };
    let attributes = it["attributes"].as_array().cloned().unwrap_or_default();
    Span {
        name: text("name"),
        id: text("spanId"),
        parent: text("parentSpanId"),
        trace: text("traceId"),
        kind: it["kind"].as_i64().unwrap(),
        status: it["status"]["code"].as_i64().unwrap_or_default(),
        nanoseconds: time("endTimeUnixNano") - time("startTimeUnixNano"),
        attributes: attributes.iter().map(|it| (it["key"].as_str().unwrap().to_owned(), value(&it["value"]))).collect(),
    }
}

/// The program with an account at OpenAI's service, over stdio.
struct Running {
    child: tokio::process::Child,
    to: tokio::process::ChildStdin,
    answers: Lines<BufReader<tokio::process::ChildStdout>>,
    _sandbox: Sandbox<Openai>,
    _store: Arc<Store>,
}

async fn service() -> Sandbox<Openai> {
    rolecall_sandbox::start(Openai::seeded(Seed::Acme), rolecall_sandbox::Options::default()).await.unwrap()
}

impl Running {
    async fn start(variables: &[(&str, &str)], more: &str) -> Self {
        let (store, sandbox) = (Store::sqlite(), service().await);
        let config = format!(
            "{more}\n[connections.acme]\nprovider = \"openai\"\nbase_url = \"{}/v1\"\napi_key = {{ env = \"A_KEY\" }}\n",
            sandbox.url
        );
        let file = store.folder.path().join("named.toml");
        std::fs::write(&file, config).unwrap();
        let mut child = program(&store)
            .args(["serve", "--config"])
            .arg(&file)
            .envs(variables.iter().copied())
            .env("A_KEY", ADMIN_KEY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, to, answers, _sandbox: sandbox, _store: store }
    }

    async fn call(&mut self, tool: &str, arguments: Value, traceparent: Option<&str>) -> Value {
        let mut message = modern(1, "tools/call", json!({ "name": tool, "arguments": arguments }));
        if let Some(it) = traceparent {
            message["params"]["_meta"]["traceparent"] = json!(it);
        }
        self.to.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        let line = tokio::time::timeout(Duration::from_secs(30), self.answers.next_line()).await.unwrap().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Ends it in good order; answers what it said on stderr.
    async fn end(self) -> String {
        drop(self.to);
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait_with_output()).await.unwrap().unwrap();
        String::from_utf8(ended.stderr).unwrap()
    }
}

#[tokio::test]
async fn each_call_is_a_span_of_the_clients_trace_with_its_requests_beneath() {
    let collector = Collector::start().await;
    let mut running =
        Running::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url), ("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=7")], "").await;
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let told = format!("00-{trace}-{parent}-01");
    let listed = running.call("list_projects", json!({}), Some(&told)).await;
    assert!(listed["result"]["structuredContent"]["items"].is_array(), "{listed}");
    let members = running.call("list_project_members", json!({ "project": "Atlas" }), Some(&told)).await;
    assert!(members["result"]["structuredContent"]["items"].is_array(), "{members}");
    let wrong = running.call("get_project", json!({ "project": "Nothing of that name" }), None).await;
    assert_eq!(wrong["result"]["isError"], true, "{wrong}");
    running.end().await;

    let spans = collector.spans();
    let of = |name: &str| spans.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
    let call = of("tools/call list_projects");
    assert_eq!((call.trace.as_str(), call.parent.as_str(), call.kind, call.status), (trace, parent, 2, 0), "{call:?}");
    for (name, value) in [
        ("gen_ai.tool.name", json!("list_projects")),
        ("mcp.method.name", json!("tools/call")),
        ("rolecall.connection", json!("acme")),
        ("rolecall.outcome", json!("ok")),
    ] {
        assert_eq!(call.attributes[name], value, "{name} in {call:?}");
    }
    assert!(call.nanoseconds > 0 && call.nanoseconds < 60_000_000_000, "{call:?}");
    let requests: Vec<&Span> = spans.iter().filter(|it| it.parent == call.id).collect();
    assert!(!requests.is_empty(), "{spans:#?}");
    for it in &requests {
        assert_eq!((it.trace.as_str(), it.kind), (trace, 3), "{it:?}");
        assert_eq!(it.attributes["http.request.method"], "GET");
        assert_eq!(it.attributes["http.response.status_code"], 200);
        assert_eq!(it.attributes["rolecall.connection"], "acme");
    }
    assert!(requests.iter().any(|it| it.name == "GET /organization/projects"), "{requests:#?}");
    // One of a single thing has a placeholder in place of its id.
    let beneath = of("tools/call list_project_members");
    let templates: Vec<&str> =
        spans.iter().filter(|it| it.parent == beneath.id).filter_map(|it| it.attributes["url.template"].as_str()).collect();
    assert!(templates.iter().any(|it| it.contains('{')), "{templates:?}");
    let failed = of("tools/call get_project");
    assert_eq!((failed.status, failed.attributes["error.type"].as_str()), (2, Some("project_not_found")), "{failed:?}");
    assert!(failed.parent.is_empty() && failed.trace != trace, "{failed:?}");

    let text = collector.text();
    for secret in [ADMIN_KEY, "Nothing of that name", "Atlas", "@acme.example", "proj_", "A_KEY"] {
        assert!(!text.contains(secret), "{secret} was told: {text}");
    }
    let told = collector.told.lock().unwrap();
    assert_eq!(told[0].0["x-collector-key"], "7");
    let resource = told[0].1["resourceSpans"][0]["resource"]["attributes"].to_string();
    assert!(resource.contains("rolecall") && resource.contains(env!("CARGO_PKG_VERSION")), "{resource}");
}

#[tokio::test]
async fn the_configuration_names_a_collector_too_and_without_one_nothing_is_sent() {
    let (collector, bystander) = (Collector::start().await, Collector::start().await);
    let mut running = Running::start(&[], &format!("[traces]\nendpoint = \"{}\"\n", collector.url)).await;
    running.call("list_projects", json!({}), None).await;
    running.end().await;
    assert!(collector.spans().iter().any(|it| it.name == "tools/call list_projects"));

    for variables in [&[][..], &[("OTEL_EXPORTER_OTLP_ENDPOINT", bystander.url.as_str()), ("OTEL_SDK_DISABLED", "true")]] {
        let mut running = Running::start(variables, "").await;
        running.call("list_projects", json!({}), None).await;
        running.end().await;
        assert!(bystander.told.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_collector_that_is_away_keeps_no_call_from_its_answer() {
    let mut running = Running::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")], "").await;
    let listed = running.call("list_projects", json!({}), None).await;
    assert!(listed["result"]["structuredContent"]["items"].is_array(), "{listed}");
    let said = running.end().await;
    assert_eq!(said.matches("traces do not arrive").count(), 1, "{said}");
}

#[tokio::test]
async fn an_address_that_is_none_is_told_with_what_to_write() {
    let running = Running::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")], "").await;
    let said = running.end().await;
    assert!(said.contains("traces cannot be sent") && said.contains("http://127.0.0.1:4318"), "{said}");
}
