//! What Rolecall costs over the least that is possible: a bare rmcp server, which this program contains, doing the same work.
//!
//! `cargo bench --bench directory` starts both as processes, takes turns between them, and prints medians and their ratios.
//! Ratios of one run mean something on any machine; times only on a quiet one.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed, and tells what it found")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
        ServerConfig, Tool,
    },
    service::RequestContext,
    transport::async_rw::AsyncRwTransport,
};
use serde_json::{Value, json};
use sqlx::{Row as _, SqlitePool, sqlite::SqliteConnectOptions};

const PROJECTS: usize = 1000;
const STARTS: usize = 40;
const CALLS: usize = 2000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("--bare") => bare(arguments.next().as_deref()),
        _ => measure(),
    }
}

/// The least that serves a tool: rmcp, and SQLite where a file is named.
#[derive(Clone)]
struct Bare {
    db: Option<SqlitePool>,
}

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({ "type": "object" }).as_object().unwrap().clone();
        Ok(ListToolsResult::with_all_items(vec![Tool::new("list_projects", "Lists projects.", Arc::new(schema))]))
    }

    async fn call_tool(&self, _: CallToolRequestParams, _: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let items = match &self.db {
            None => json!([]),
            Some(db) => {
                let sql = "SELECT p.id, p.name, p.slug, p.status, o.name AS organization FROM projects p \
                           JOIN organizations o ON o.id = p.organization_id WHERE p.status = 'active' ORDER BY p.slug LIMIT 20";
                let rows = sqlx::query(sql).fetch_all(db).await.unwrap();
                let text = |row: &sqlx::sqlite::SqliteRow, name: &str| row.get::<String, _>(name);
                rows.iter()
                    .map(|it| {
                        json!({
                            "project": text(it, "name"), "id": text(it, "id"), "slug": text(it, "slug"),
                            "organization": text(it, "organization"), "status": text(it, "status"),
                        })
                    })
                    .collect()
            }
        };
        let result = json!({ "items": items });
        let mut answer = CallToolResult::success(vec![ContentBlock::text(result.to_string())]);
        answer.structured_content = Some(result);
        Ok(answer.into())
    }
}

fn bare(file: Option<&str>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = match file {
            Some(file) => Some(SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await.unwrap()),
            None => None,
        };
        let (read, write) = rmcp::transport::stdio_pipes();
        let running = rmcp::ServiceExt::serve(Bare { db }, AsyncRwTransport::new_server(read, write)).await.unwrap();
        let _ = running.waiting().await;
    });
    std::process::exit(0);
}

/// A server process and the client's end of its pipes.
struct Server {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    id: u64,
    modern: bool,
}

impl Server {
    fn start(command: &mut Command, modern: bool) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (requests, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Self { child, requests, answers, id: 0, modern };
        if !modern {
            let client = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" } });
            server.ask("initialize", client);
            server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        }
        server
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.requests, "{message}").unwrap();
        self.requests.flush().unwrap();
    }

    fn ask(&mut self, method: &str, mut params: Value) -> String {
        self.id += 1;
        if self.modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" },
            });
        }
        let id = self.id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(line.contains("\"result\"") && !line.contains("\"isError\":true"), "{method}: {line}");
        line
    }

    /// Resident memory in KiB, and CPU time in ticks, as the kernel counts them.
    fn resources(&self) -> (u64, u64) {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap();
        let status = read("status");
        let rss = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
        let stat = read("schedstat");
        let nanos = stat.split_whitespace().next().unwrap().parse().unwrap();
        (rss.trim().trim_end_matches(" kB").trim().parse().unwrap(), nanos)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap());
    values[values.len() / 2]
}

/// A directory with one organization and many projects.
fn fill(folder: &Path) -> String {
    let file = folder.join("directory.sqlite3");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = rolecall::store::Db::open(&format!("sqlite:{}", file.display())).await.unwrap();
        let rolecall::store::Pools::Sqlite { writer, .. } = db.pools().await.unwrap() else { unreachable!() };
        let mut tx = writer.begin().await.unwrap();
        sqlx::query("INSERT INTO organizations (id, name, name_key, slug, created_at) VALUES ('org_acme', 'Acme', 'acme', 'acme', 0)")
            .execute(&mut *tx)
            .await
            .unwrap();
        for at in 0..PROJECTS {
            sqlx::query(
                "INSERT INTO projects (id, organization_id, name, name_key, slug, status, created_at) VALUES ($1, 'org_acme', $2, $3, $3, 'active', 0)",
            )
            .bind(format!("prj_{at:06}"))
            .bind(format!("Project-{at:04}"))
            .bind(format!("project-{at:04}"))
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        db.close().await;
    });
    file.display().to_string()
}

fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let file = fill(folder.path());
    let this = std::env::current_exe().unwrap();
    let ours = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
        command.args(["serve"]).env("ROLECALL_STORE", format!("sqlite:{file}")).env("ROLECALL_SECRETS", folder.path().join("secrets"));
        command.env("HOME", folder.path()).current_dir(folder.path());
        command
    };
    let bare = |with_db: bool| {
        let mut command = Command::new(&this);
        command.arg("--bare");
        if with_db {
            command.arg(&file);
        }
        command
    };
    println!("| what | bare rmcp | Rolecall | ratio |\n|---|---|---|---|");

    let mut starts: [Vec<(Duration, u64, u64)>; 3] = Default::default();
    for _ in 0..STARTS {
        for (at, mut command) in [bare(false), bare(true), ours()].into_iter().enumerate() {
            let begun = Instant::now();
            let mut server = Server::start(&mut command, true);
            server.ask("tools/list", json!({}));
            let wall = begun.elapsed();
            let (rss, cpu) = server.resources();
            starts[at].push((wall, cpu, rss));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for reading")]
    let of = |at: usize| {
        let each = |pick: fn(&(Duration, u64, u64)) -> f64| median(starts[at].iter().map(pick).collect());
        [each(|it| it.0.as_secs_f64() * 1e3), each(|it| it.1 as f64 / 1e6), each(|it| it.2 as f64 / 1024.0)]
    };
    let ([_, cpu_bare, _], [wall_db, cpu_db, memory_db], [wall, cpu, memory]) = (of(0), of(1), of(2));
    row("start to the first tools/list, wall, ms (bare with SQLite)", wall_db, wall);
    row("the same, CPU, ms (bare with SQLite)", cpu_db, cpu);
    row("the same, CPU, ms (bare without SQLite)", cpu_bare, cpu);
    row("memory after it, MiB (bare with SQLite)", memory_db, memory);

    for modern in [false, true] {
        let era = if modern { "2026-07-28" } else { "2025-11-25" };
        let mut servers =
            [Server::start(&mut bare(false), modern), Server::start(&mut bare(true), modern), Server::start(&mut ours(), modern)];
        let calls = [
            (0, json!({ "name": "list_projects", "arguments": {} })),
            (1, json!({ "name": "list_projects", "arguments": { "limit": 20 } })),
            (2, json!({ "name": "get_current_user", "arguments": {} })),
            (2, json!({ "name": "list_projects", "arguments": { "limit": 20 } })),
        ];
        let mut times: [Vec<f64>; 4] = Default::default();
        for round in 0..CALLS + 100 {
            for (at, (server, call)) in calls.iter().enumerate() {
                let begun = Instant::now();
                servers[*server].ask("tools/call", call.clone());
                if round >= 100 {
                    times[at].push(begun.elapsed().as_secs_f64() * 1e6);
                }
            }
        }
        let [nothing, bare_read, smallest, read] = times.map(median);
        row(&format!("the smallest call, {era}, µs"), nothing, smallest);
        row(&format!("20 of {PROJECTS} projects, {era}, µs"), bare_read, read);
    }
}

fn row(what: &str, bare: f64, ours: f64) {
    println!("| {what} | {bare:.1} | {ours:.1} | {:.2} |", ours / bare);
}
