//! What it costs to have the server: processor time until the tools are listed, memory when nothing happens, size, and how much is
//! listed. Beside it a bare server of the same protocol library, with 70 small tools and nothing behind them.
//!
//! `cargo bench --bench limits`, on Linux: the figures are the kernel's.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed, and tells what it found")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt as _,
    model::{ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool},
    service::RequestContext,
};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rolecall");
/// The argument by which this program starts itself as the bare server.
const BARE: &str = "bare";
const BARE_TOOLS: usize = 70;
/// The median of so many starts counts.
const STARTS: usize = 15;
/// By then the server has opened its store and looked for jobs that nobody works on.
const IDLE: Duration = Duration::from_secs(6);

/// An account at each provider; the services are nowhere.
const CONNECTIONS: &str = "
[connections.local]
provider = \"local\"
[connections.geai]
provider = \"geai\"
base_url = \"http://127.0.0.1:9\"
api_key = { env = \"LIMITS_KEY\" }
[connections.openai]
provider = \"openai\"
base_url = \"http://127.0.0.1:9\"
api_key = { env = \"LIMITS_KEY\" }
[connections.seeme]
provider = \"seeme\"
base_url = \"http://127.0.0.1:9\"
api_key = { env = \"LIMITS_KEY\" }
[connections.engine]
provider = \"engine\"
base_url = \"http://127.0.0.1:9\"
custom_token = { env = \"LIMITS_KEY\" }
";

fn main() {
    if std::env::args().nth(1).as_deref() == Some(BARE) {
        return bare();
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rolecall.toml");
    std::fs::write(&config, CONNECTIONS).unwrap();
    let this = std::env::current_exe().unwrap();
    let one = || {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--store"]).arg(store(folder.path(), "one"));
        command
    };
    let five = || {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--store"]).arg(store(folder.path(), "five")).arg("--config").arg(&config).env("LIMITS_KEY", "k");
        command
    };
    let alone = || {
        let mut command = Command::new(&this);
        command.arg(BARE);
        command
    };
    let columns = [
        ("rolecall, its directory alone", measure(PROGRAM.as_ref(), &one)),
        ("rolecall, five connections", measure(PROGRAM.as_ref(), &five)),
        ("bare rmcp server", measure(&this, &alone)),
    ];
    let names: Vec<&str> = columns.iter().map(|it| it.0).collect();
    println!("| | {} |\n|---|{}", names.join(" | "), "---:|".repeat(columns.len()));
    let row = |what: &str, figure: &dyn Fn(&Figures) -> String| {
        let cells: Vec<String> = columns.iter().map(|it| figure(&it.1)).collect();
        println!("| {what} | {} |", cells.join(" | "));
    };
    row("processor time from start to the first list of tools, ms", &|it| format!("{:.1}", it.cpu.as_secs_f64() * 1000.0));
    row("the same by the clock, ms", &|it| format!("{:.1}", it.clock.as_secs_f64() * 1000.0));
    row("memory after the first list, MiB", &|it| mib(it.listed));
    row("memory when idle, MiB", &|it| mib(it.idle));
    row("of that the process's own, MiB", &|it| mib(it.own));
    row("program, MB", &|it| format!("{:.1}", it.program / 1e6));
    row("list of tools, bytes", &|it| it.list.to_string());
    row("tools", &|it| it.tools.to_string());
}

struct Figures {
    cpu: Duration,
    clock: Duration,
    /// Kibibytes.
    listed: f64,
    idle: f64,
    own: f64,
    program: f64,
    list: usize,
    tools: usize,
}

fn mib(kib: f64) -> String {
    format!("{:.1}", kib / 1024.0)
}

fn store(folder: &Path, name: &str) -> String {
    format!("sqlite:{}", folder.join(name).join("directory.sqlite3").display())
}

fn measure(program: &Path, command: &dyn Fn() -> Command) -> Figures {
    let mut starts: Vec<(Duration, Duration)> = (0..STARTS)
        .map(|_| {
            let server = Server::start(command());
            (server.cpu(), server.clock)
        })
        .collect();
    starts.sort();
    let (cpu, clock) = starts[STARTS / 2];
    let server = Server::start(command());
    let listed = server.memory("VmRSS");
    std::thread::sleep(IDLE);
    Figures {
        cpu,
        clock,
        listed,
        idle: server.memory("VmRSS"),
        own: server.memory("RssAnon"),
        program: f64::from(u32::try_from(std::fs::metadata(program).unwrap().len()).unwrap()),
        list: server.list.to_string().len(),
        tools: server.list["tools"].as_array().unwrap().len(),
    }
}

/// A server that has listed its tools.
struct Server {
    process: Child,
    clock: Duration,
    list: Value,
    _pipes: (ChildStdin, BufReader<ChildStdout>),
}

impl Server {
    fn start(mut command: Command) -> Self {
        let begun = Instant::now();
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (mut to, mut from) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut ask = |message: Value| {
            writeln!(to, "{message}").unwrap();
            let mut line = String::new();
            if message.get("id").is_some() {
                from.read_line(&mut line).unwrap();
            }
            serde_json::from_str(&line).unwrap_or(Value::Null)
        };
        let client = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "limits", "version": "1" } });
        ask(json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client }));
        ask(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        let answer = ask(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }));
        Self { clock: begun.elapsed(), list: answer["result"].clone(), process, _pipes: (to, from) }
    }

    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc").join(self.process.id().to_string()).join(file)
    }

    /// What all its threads have used.
    fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(self.proc("task")).unwrap();
        let used =
            |it: std::fs::DirEntry| std::fs::read_to_string(it.path().join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok();
        Duration::from_nanos(threads.filter_map(|it| used(it.ok()?)).sum())
    }

    /// A line of the kernel's status, in kibibytes.
    fn memory(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find(|it| it.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// As little as a server can be.
#[derive(Clone)]
struct Bare(Arc<Vec<Tool>>);

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.0.to_vec()))
    }
}

fn bare() {
    let tool = |number: usize| {
        let Value::Object(schema) = json!({ "type": "object", "properties": { "name": { "type": "string" } } }) else { unreachable!() };
        Tool::new(format!("tool_{number}"), "Does something to somebody", Arc::new(schema))
    };
    let server = Bare(Arc::new((0..BARE_TOOLS).map(tool).collect()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { server.serve(rmcp::transport::stdio()).await.unwrap().waiting().await.unwrap() });
    runtime.shutdown_background();
}
