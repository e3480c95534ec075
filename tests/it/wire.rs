//! A server that listens, and what can be sent to it that no SDK's client would send.
#![expect(clippy::needless_pass_by_value, reason = "callers write their JSON in place")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use reqwest::{
    Client as Http, Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use rmcp::{
    RoleClient, ServerHandler,
    model::ProtocolVersion,
    service::{ClientLifecycleMode, ClientServiceExt as _, RunningService},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use rolecall::{
    app::App,
    server::{Patience, Server},
    transport::http::{Bound, HttpOptions, serve_http},
};
use tokio_util::sync::CancellationToken;

use crate::support::{Client, Era, Options, Person, Store, Value, json, params};

pub(crate) const ALICE: &str = "alice-0123456789abcdef";
pub(crate) const BOB: &str = "bob-0123456789abcdef";

/// No test waits longer for what should happen.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A server on a port of its own.
pub(crate) struct Site {
    pub(crate) addr: SocketAddr,
    pub(crate) stop: CancellationToken,
    /// Not of one that another process serves.
    pub(crate) bound: Option<Bound>,
    pub(crate) http: Http,
}

/// The server of the program, and what it stands on.
pub(crate) struct Real {
    pub(crate) site: Site,
    pub(crate) server: Server,
    pub(crate) app: Arc<App>,
    _store: Arc<Store>,
}

pub(crate) fn loopback() -> HttpOptions {
    HttpOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)))
}

pub(crate) fn with_tokens() -> HttpOptions {
    HttpOptions { tokens: vec![ALICE.into(), BOB.into()], sse: true, ..loopback() }
}

impl Site {
    pub(crate) async fn of<H: ServerHandler + Clone>(server: H, options: HttpOptions) -> Self {
        let stop = CancellationToken::new();
        let bound = serve_http(server, options, stop.clone()).await.unwrap();
        Self { addr: bound.addr, stop, bound: Some(bound), http: crate::support::http_client() }
    }

    /// One that another process serves.
    pub(crate) fn at(addr: SocketAddr) -> Self {
        Self { addr, stop: CancellationToken::new(), bound: None, http: crate::support::http_client() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path)).header(ACCEPT, "application/json, text/event-stream")
    }

    /// A message as this principal; nobody's without a token.
    pub(crate) fn message(&self, path: &str, token: &str, message: &Value) -> RequestBuilder {
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, "application/json").body(message.to_string());
        let request = if token.is_empty() { request } else { request.header(AUTHORIZATION, format!("Bearer {token}")) };
        let Some(version) = message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].as_str() else { return request };
        let request = request.header("mcp-protocol-version", version).header("mcp-method", message["method"].as_str().unwrap());
        match message["params"]["name"].as_str() {
            Some(name) => request.header("mcp-name", name),
            None => request,
        }
    }

    /// Opens a session of the older era; answers its id.
    pub(crate) async fn open(&self, token: &str, capabilities: Value) -> Result<String, StatusCode> {
        let response = self.message("/mcp", token, &initialize(capabilities)).send().await.unwrap();
        if response.status() != StatusCode::OK {
            return Err(response.status());
        }
        Ok(response.headers()["mcp-session-id"].to_str().unwrap().to_owned())
    }

    /// A real client.
    pub(crate) async fn client(&self, token: &str, era: Era, person: Person) -> RunningService<RoleClient, Client> {
        let config = StreamableHttpClientTransportConfig::with_uri(self.url("/mcp"));
        let config = if token.is_empty() { config } else { config.auth_header(token) };
        let transport = StreamableHttpClientTransport::with_client(self.http.clone(), config);
        Client::new(person).serve_with_lifecycle(transport, lifecycle(era)).await.unwrap()
    }
}

impl Real {
    pub(crate) async fn start(options: HttpOptions) -> Self {
        Self::with(&Options::default(), options).await
    }

    /// The same, with what a test has set up.
    pub(crate) async fn with(settings: &Options, options: HttpOptions) -> Self {
        let store = Store::sqlite();
        let app = store.app(settings).await;
        let server = Server::with_patience(app.clone(), Patience { question: Duration::from_secs(5), ..Patience::default() });
        let site = Site::of(server.clone(), options).await;
        Self { site, server, app, _store: store }
    }
}

pub(crate) fn lifecycle(era: Era) -> ClientLifecycleMode {
    match era {
        Era::Legacy => ClientLifecycleMode::Initialize,
        Era::Modern => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
    }
}

/// Calls a tool; answers its structured content.
pub(crate) async fn call(client: &RunningService<RoleClient, Client>, tool: &str, arguments: Value) -> Value {
    client.call_tool(params(tool, arguments)).await.unwrap().structured_content.unwrap_or_default()
}

pub(crate) fn initialize(capabilities: Value) -> Value {
    legacy(
        0,
        "initialize",
        json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": { "name": "raw", "version": "1" } }),
    )
}

pub(crate) fn legacy(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

pub(crate) fn modern(id: u64, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
    });
    legacy(id, method, params)
}

/// The program itself, on this store and with nothing of this machine's.
pub(crate) fn program(store: &Store) -> tokio::process::Command {
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_rolecall"));
    program.env_clear().env("HOME", store.folder.path()).env("ROLECALL_STORE", &store.url).env("ROLECALL_SECRETS", store.secrets());
    program.current_dir(store.folder.path()).kill_on_drop(true);
    program
}

/// Asks a program to end, and waits for it.
#[cfg(unix)]
pub(crate) async fn terminate(program: &mut tokio::process::Child) -> std::process::ExitStatus {
    signal(program, "TERM").await
}

/// Sends a program a signal that ends it, and waits for its end.
#[cfg(unix)]
pub(crate) async fn signal(program: &mut tokio::process::Child, name: &str) -> std::process::ExitStatus {
    let id = program.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args([&format!("-{name}"), &id]).status().await.unwrap().success());
    tokio::time::timeout(SOON, program.wait()).await.unwrap().unwrap()
}

/// The events of a stream: their names and their data.
pub(crate) struct Events {
    response: Response,
    read: String,
}

impl Events {
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        Self { response, read: String::new() }
    }

    /// The next event that has data; nothing when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, _)) = self.read.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = event.lines().filter_map(|it| it.strip_prefix(name)?.strip_prefix(':'));
                    lines.map(str::trim_start).collect::<Vec<_>>().join("\n")
                };
                let found = (field("event"), field("data"));
                let end = event.len() + 2;
                self.read.drain(..end);
                if !found.1.is_empty() {
                    return Some(found);
                }
                continue;
            }
            let chunk = tokio::time::timeout(SOON, self.response.chunk()).await.unwrap().ok()??;
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Value {
        serde_json::from_str(&self.next().await.unwrap().1).unwrap()
    }
}
