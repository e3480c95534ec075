//! The least that serves the same work: a bare server of the same protocol library, with 70 tools and nothing between a call and what it
//! is for. It lives in the bench's own program.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::serve::ListenerExt as _;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
        Tool,
    },
    service::RequestContext,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService, async_rw::AsyncRwTransport,
        streamable_http_server::session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use sqlx::{
    Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};

const TOOLS: usize = 70;

struct Bare {
    tools: Arc<Vec<Tool>>,
    /// What an upstream call gets.
    upstream: String,
    client: OnceLock<reqwest::Client>,
    db: SqlitePool,
}

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.to_vec()))
    }

    async fn call_tool(&self, request: CallToolRequestParams, _: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let result = match request.name.as_ref() {
            "upstream" => self.upstream().await,
            "read" => self.read().await,
            _ => self.write(request.arguments.unwrap_or_default()["description"].as_str().unwrap()).await,
        };
        Ok(CallToolResult::structured(result).into())
    }
}

impl Bare {
    async fn upstream(&self) -> Value {
        let client = self.client.get_or_init(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
            reqwest::Client::builder().no_proxy().build().unwrap()
        });
        client.get(&self.upstream).bearer_auth("key").send().await.unwrap().json().await.unwrap()
    }

    async fn read(&self) -> Value {
        let sql = "SELECT p.id, p.name, p.slug, p.status, o.name AS organization FROM projects p \
                   JOIN organizations o ON o.id = p.organization_id WHERE p.status = 'active' ORDER BY p.slug LIMIT 20";
        let rows = sqlx::query(sql).fetch_all(&self.db).await.unwrap();
        let text = |row: &SqliteRow, name: &str| row.get::<String, _>(name);
        let item = |it: &SqliteRow| {
            json!({
                "project": text(it, "name"), "id": text(it, "id"), "slug": text(it, "slug"),
                "organization": text(it, "organization"), "status": text(it, "status"),
            })
        };
        json!({ "items": rows.iter().map(item).collect::<Vec<_>>() })
    }

    async fn write(&self, description: &str) -> Value {
        let sql = "UPDATE projects SET description = ? WHERE id = 'prj_000500'";
        let done = sqlx::query(sql).bind(description).execute(&self.db).await.unwrap();
        json!({ "changed": done.rows_affected() })
    }
}

/// Serves: over stdio, or over HTTP at an address. The arguments are the upstream's URL, the database's file, and the address.
pub(crate) fn serve(arguments: &[String]) {
    let [upstream, file, at @ ..] = arguments else { panic!("the upstream and the file are missing") };
    let at: Option<SocketAddr> = at.first().map(|it| it.parse().unwrap());
    let many = at.is_some();
    let mut builder = if many { tokio::runtime::Builder::new_multi_thread() } else { tokio::runtime::Builder::new_current_thread() };
    builder.enable_all().build().unwrap().block_on(async {
        let server = server(upstream, file);
        if let Some(at) = at {
            let config = StreamableHttpServerConfig::default().with_json_response(true);
            let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::new(LocalSessionManager::default()), config);
            let listener = tokio::net::TcpListener::bind(at).await.unwrap();
            // Else answers in two pieces wait for the client's delayed acknowledgement.
            let listener = listener.tap_io(|it| it.set_nodelay(true).unwrap());
            return axum::serve(listener, axum::Router::new().nest_service("/mcp", service)).await.unwrap();
        }
        let (read, write) = rmcp::transport::stdio_pipes();
        let running = rmcp::ServiceExt::serve(server, AsyncRwTransport::new_server(read, write)).await.unwrap();
        let _ = running.waiting().await;
    });
    std::process::exit(0);
}

fn server(upstream: &str, file: &str) -> Arc<Bare> {
    let tool = |number: usize| {
        let Value::Object(schema) = json!({ "type": "object", "properties": { "name": { "type": "string" } } }) else { unreachable!() };
        let name = ["upstream", "read", "write"].get(number).map_or_else(|| format!("tool_{number}"), |it| (*it).to_owned());
        Tool::new(name, "Does something.", Arc::new(schema))
    };
    // As durable as a change of ours.
    let options = SqliteConnectOptions::new().filename(file).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    Arc::new(Bare {
        tools: Arc::new((0..TOOLS).map(tool).collect()),
        upstream: upstream.to_owned(),
        client: OnceLock::new(),
        db: SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options),
    })
}
