//! What Rolecall costs over the least that is possible: a bare server of the same protocol library with 70 tools, which this program
//! contains, doing the same work. Both run as processes and take turns, round after round; the ratios are what counts.
//!
//! `cargo bench --bench calls`; the number of rounds as an argument, else 20: `cargo bench --bench calls -- 3`. On Linux.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed, and tells what it found")]

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use client::{NEWEST, Server};
use http::Http;
use process::Process;
use rolecall::store::{Db, Pools};
use serde_json::{Value, json};

#[path = "calls/bare.rs"]
mod bare;
mod client;
#[path = "calls/http.rs"]
mod http;
#[path = "calls/process.rs"]
mod process;
#[path = "calls/upstream.rs"]
mod upstream;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rolecall");
/// The argument by which this program starts itself as the bare server.
const BARE: &str = "--bare";
const OLDER: &str = "2025-11-25";
const ROUNDS: usize = 20;
/// Calls of each kind in a round, and before the first one.
const CALLS: usize = 40;
const WARM_UP: usize = 100;
const STARTS: usize = 2;
const PROJECTS: usize = 1000;
/// By then a server has opened its store and looked for jobs that nobody works on.
const IDLE: Duration = Duration::from_secs(6);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = arguments.as_slice()
        && first == BARE
    {
        return bare::serve(rest);
    }
    let rounds = arguments.iter().find_map(|it| it.parse().ok()).unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::set(folder.path());
    println!("| {rounds} rounds | bare rmcp | Rolecall | ratio |\n|---|---:|---:|---:|");
    let idle = [Server::start(&mut stage.ours()), Server::start(&mut stage.bare())];
    let lists = idle.map(|mut server| {
        let bytes = server.ask("tools/list", json!({})).len();
        (server, bytes)
    });
    starts(&stage, rounds);
    std::thread::sleep(IDLE);
    let [ours, bare] = &lists;
    let memory = |name: &str| [bare, ours].map(|it| Process::of(it.0.child.id()).memory(name));
    one_row("memory when idle, MiB", memory("VmRSS"));
    one_row("of that not the program's file, MiB", memory("RssAnon"));
    let size = |path: &Path| f64::from(u32::try_from(std::fs::metadata(path).unwrap().len()).unwrap()) / 1e6;
    one_row("program, MB", [size(&stage.this), size(Path::new(PROGRAM))]);
    one_row("list of tools, kB", [bare, ours].map(|it| f64::from(u32::try_from(it.1).unwrap()) / 1e3));
    drop(lists);
    calls(&stage, rounds);
}

/// What both servers work on: a directory of their own each, and one upstream.
struct Stage {
    folder: PathBuf,
    upstream: String,
    this: PathBuf,
}

impl Stage {
    fn set(folder: &Path) -> Self {
        let upstream = upstream::start();
        let config = format!(
            "[connections.local]\nprovider = \"local\"\n[connections.openai]\nprovider = \"openai\"\nbase_url = \"{upstream}/v1\"\napi_key = {{ env = \"CALLS_KEY\" }}\n"
        );
        std::fs::write(folder.join("rolecall.toml"), config).unwrap();
        for name in ["ours", "bare"] {
            std::fs::create_dir(folder.join(name)).unwrap();
            fill(&folder.join(name).join("directory.sqlite3"));
        }
        Self { folder: folder.to_owned(), upstream, this: std::env::current_exe().unwrap() }
    }

    fn ours(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        let store = format!("sqlite:{}", self.folder.join("ours/directory.sqlite3").display());
        command.arg("serve").arg("--config").arg(self.folder.join("rolecall.toml")).env("ROLECALL_STORE", store).env("CALLS_KEY", "key");
        command.env("ROLECALL_SECRETS", self.folder.join("secrets")).env("HOME", &self.folder).current_dir(&self.folder);
        command
    }

    fn bare(&self) -> Command {
        let mut command = Command::new(&self.this);
        command.arg(BARE).arg(format!("{}/v1/organization/projects?limit=20", self.upstream));
        command.arg(self.folder.join("bare/directory.sqlite3"));
        command
    }
}

/// One organization with many projects.
fn fill(file: &Path) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let db = Db::open(&format!("sqlite:{}", file.display())).await.unwrap();
        let Pools::Sqlite { writer, .. } = db.pools().await.unwrap() else { unreachable!() };
        let mut tx = writer.begin().await.unwrap();
        sqlx::query("INSERT INTO organizations (id, name, name_key, slug, created_at) VALUES ('org_acme', 'Acme', 'acme', 'acme', 0)")
            .execute(&mut *tx)
            .await
            .unwrap();
        let sql = "INSERT INTO projects (id, organization_id, name, name_key, slug, status, created_at) \
                   VALUES ($1, 'org_acme', $2, $3, $3, 'active', 0)";
        for at in 0..PROJECTS {
            let (id, name, slug) = (format!("prj_{at:06}"), format!("Project-{at:04}"), format!("project-{at:04}"));
            sqlx::query(sql).bind(id).bind(name).bind(slug).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        db.close().await;
    });
}

/// From the start of the process to its first list of tools.
fn starts(stage: &Stage, rounds: usize) {
    let (mut cpu, mut clock) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..rounds * STARTS {
        for (at, mut command) in [stage.bare(), stage.ours()].into_iter().enumerate() {
            let begun = Instant::now();
            let mut server = Server::speaking(OLDER, &mut command);
            server.ask("tools/list", json!({}));
            clock[at].push(milliseconds(begun.elapsed()));
            cpu[at].push(milliseconds(Process::of(server.child.id()).cpu()));
        }
    }
    row("start to the first `tools/list`, CPU, ms", &cpu);
    row("the same by the clock, ms", &clock);
}

/// A client of one of the two servers.
enum Client {
    Stdio(Server),
    Http(Http),
}

impl Client {
    fn ask(&mut self, method: &str, params: Value) -> String {
        match self {
            Self::Stdio(it) => it.ask(method, params),
            Self::Http(it) => it.ask(method, params),
        }
    }
}

/// A server over HTTP; it ends with this.
struct Listening(Child, SocketAddr);

impl Listening {
    fn start(mut command: Command, argument: Option<&str>) -> Self {
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = command.args(argument).arg(at.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap(), at)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One way to ask both for the same, and what it took.
struct Measured {
    what: String,
    /// The client of each, and its server's process.
    sides: [(usize, &'static str, Value); 2],
    clock: [Vec<f64>; 2],
    cpu: [Vec<f64>; 2],
}

fn calls(stage: &Stage, rounds: usize) {
    let listening = [Listening::start(stage.bare(), None), Listening::start(stage.ours(), Some("--http"))];
    let (mut clients, mut processes, mut all): (Vec<Client>, Vec<Process>, Vec<Measured>) = (Vec::new(), Vec::new(), Vec::new());
    for over_http in [false, true] {
        for version in [OLDER, NEWEST] {
            let first = clients.len();
            for (mut command, listening) in [stage.bare(), stage.ours()].into_iter().zip(&listening) {
                if over_http {
                    clients.push(Client::Http(Http::speaking(version, listening.1)));
                    processes.push(Process::of(listening.0.id()));
                } else {
                    let server = Server::speaking(version, &mut command);
                    processes.push(Process::of(server.child.id()));
                    clients.push(Client::Stdio(server));
                }
            }
            let way = format!("{version}, {}", if over_http { "HTTP" } else { "stdio" });
            let mut add = |what: &str, theirs: (&'static str, Value), ours: (&'static str, Value)| {
                let sides = [(first, theirs.0, theirs.1), (first + 1, ours.0, ours.1)];
                all.push(Measured { what: format!("{what}, {way}"), sides, clock: Default::default(), cpu: Default::default() });
            };
            let call = |name: &str, arguments: Value| ("tools/call", json!({ "name": name, "arguments": arguments }));
            add("`tools/list`", ("tools/list", json!({})), ("tools/list", json!({})));
            add("one upstream GET", call("upstream", json!({})), call("list_projects", json!({ "connection": "openai", "limit": 20 })));
            if !over_http {
                add("20 of 1,000 projects", call("read", json!({})), call("list_projects", json!({ "connection": "local", "limit": 20 })));
                add(
                    "durable change",
                    call("write", json!({ "description": "" })),
                    call("update_project", json!({ "connection": "local", "project": "prj_000500", "description": "" })),
                );
            }
        }
    }
    for round in 0..=rounds {
        for measured in &mut all {
            measured.take(&mut clients, &processes, round);
        }
    }
    for it in &all {
        row(&format!("{}, p50, µs", it.what), &it.clock);
        row(&format!("{}, CPU, µs", it.what), &it.cpu);
    }
}

impl Measured {
    /// A round of calls, one here, one there; the first only warms up.
    fn take(&mut self, clients: &mut [Client], processes: &[Process], round: usize) {
        let count = if round == 0 { WARM_UP } else { CALLS };
        let cpu = |sides: &[(usize, &str, Value)]| [&sides[0], &sides[1]].map(|it| processes[it.0].cpu());
        let (before, mut clock) = (cpu(&self.sides), [Vec::new(), Vec::new()]);
        for call in 0..count {
            for (clock, (client, method, params)) in clock.iter_mut().zip(&mut self.sides) {
                if params["arguments"]["description"].is_string() {
                    params["arguments"]["description"] = format!("{round} {call}").into();
                }
                let params = params.clone();
                let begun = Instant::now();
                clients[*client].ask(method, params);
                clock.push(begun.elapsed().as_secs_f64() * 1e6);
            }
        }
        if round > 0 {
            let after = cpu(&self.sides);
            for at in 0..2 {
                self.clock[at].push(median(&clock[at]));
                self.cpu[at].push((after[at].saturating_sub(before[at])).as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap()));
            }
        }
    }
}

fn milliseconds(it: Duration) -> f64 {
    it.as_secs_f64() * 1e3
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Medians of rounds. The ratio is the median of each round's, so that what slows both down in some rounds does not count.
fn row(what: &str, [bare, ours]: &[Vec<f64>; 2]) {
    let ratios: Vec<f64> = bare.iter().zip(ours).map(|(bare, ours)| ours / bare).collect();
    println!("| {what} | {:.1} | {:.1} | {:.2} |", median(bare), median(ours), median(&ratios));
}

fn one_row(what: &str, [bare, ours]: [f64; 2]) {
    row(what, &[vec![bare], vec![ours]]);
}
