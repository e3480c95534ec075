//! A thousand people invited to a project: Rolecall's job beside the loop that the vendor's Python client does it with, in one
//! run, on the sandbox of Globant Enterprise AI, which takes 20 ms for an answer; then the same where it allows 25 requests a
//! second. Then the server's memory, with more and more people.
//!
//! `cargo bench --bench invites`. The vendor's part is left out where `PYTHON` (or `python3`) has no `pygeai`; a virtual
//! environment with `tests/e2e/geai/requirements.txt` has it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed, and tells what it found")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use client::Server;
use rolecall_sandbox::{self as sandbox, Options, Platform as _, Sandbox, Seed, geai::Geai};
use serde_json::{Value, json};

mod client;

const PEOPLE: u32 = 1000;
const LATENCY: Duration = Duration::from_millis(20);
/// Of the limited service: so many requests a second.
const RATE: u32 = 25;

/// As the vendor's package does a batch: a request for each row, one after the other, and an error is counted.
const LOOP: &str = "
import os, sys, time
from pygeai.organization.clients import OrganizationClient
client = OrganizationClient(api_key=os.environ['GEAI_API_KEY'], base_url=os.environ['GEAI_API_BASE_URL'])
rows = [line.strip().split(',') for line in sys.stdin]
begun, failed = time.monotonic(), 0
for project, email, role in rows:
    try:
        client.add_project_member(project, email, [role])
    except Exception:
        failed += 1
print(time.monotonic() - begun)
";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_client = Command::new(&python).args(["-c", "import pygeai"]).stderr(Stdio::null()).status().is_ok_and(|it| it.success());
    if !has_client {
        println!("The vendor's loop is left out: `{python}` has no pygeai.\n");
    }
    println!("| upstream | who | seconds | invited | twice | lost | answers 429 |\n|---|---|---|---|---|---|---|");
    for rate in [None, Some(RATE)] {
        let start = || {
            let options = Options { latency: LATENCY, rate, ..Options::default() };
            runtime.block_on(sandbox::start(Geai::seeded(Seed::Acme), options)).unwrap()
        };
        let theirs = has_client.then(|| {
            let service = start();
            let took = vendor(&python, &service, PEOPLE);
            row(rate, "the vendor's loop", took, &service);
            took
        });
        let service = start();
        let took = ours(&service, PEOPLE).seconds;
        row(rate, "Rolecall", took, &service);
        if let Some(theirs) = theirs {
            println!("| | the loop takes so many times as long: | {:.1} | | | | |", theirs / took);
        }
        if let Some(rate) = rate {
            println!("| | the least that is possible: | {:.1} | | | | |", f64::from(PEOPLE - rate) / f64::from(rate));
        }
    }
    if cfg!(target_os = "linux") {
        println!("\n| people | seconds | memory before | at the question, at most | in all, at most |\n|---|---|---|---|---|");
        for people in [10, 100, PEOPLE, 10 * PEOPLE] {
            let service = runtime.block_on(sandbox::start(Geai::seeded(Seed::Acme), Options::default())).unwrap();
            let Run { seconds, before, asked, after } = ours(&service, people);
            println!("| {people} | {seconds:.2} | {before:.1} MiB | {asked:.1} MiB | {after:.1} MiB |");
        }
    }
}

/// What both are given: a line of project, person and role for each.
fn file(service: &Sandbox<Geai>, people: u32) -> String {
    let project = environment(service).into_iter().find(|it| it.0 == "GEAI_SANDBOX_PROJECT_ID").unwrap().1;
    (0..people).fold(String::new(), |mut rows, at| {
        writeln!(rows, "{project},person-{at:05}@acme.example,Project member").unwrap();
        rows
    })
}

fn environment(service: &Sandbox<Geai>) -> Vec<(&'static str, String)> {
    service.platform().environment(&service.url)
}

fn vendor(python: &str, service: &Sandbox<Geai>, people: u32) -> f64 {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(python);
    command.args(["-c", LOOP]).env("HOME", home.path()).envs(environment(service));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(file(service, people).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    // The package speaks on standard output, too; the last line is ours.
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().last().unwrap().parse().unwrap()
}

/// How long it took, and the server's memory: at its start, and the most that it had until it asked and until the end, in MiB.
struct Run {
    seconds: f64,
    before: f64,
    asked: f64,
    after: f64,
}

/// What an assistant does: one call, a person's yes, and a look at the job until it is done.
fn ours(service: &Sandbox<Geai>, people: u32) -> Run {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
    command.arg("serve").env_clear().env("HOME", home.path()).current_dir(home.path()).envs(environment(service));
    let mut server = Server::start(&mut command);
    let mut call = json!({ "name": "add_project_members", "arguments": { "csv": file(service, people) } });
    ask(&mut server, "tools/list", json!({}));
    let before = memory(&server);
    let begun = Instant::now();
    let mut result = ask(&mut server, "tools/call", call.clone());
    let asked = memory(&server);
    while result["resultType"] == "input_required" {
        let question = &result["inputRequests"]["confirm"]["params"]["message"];
        let name = question.as_str().and_then(|it| it.rsplit_once("To confirm, type: ")).map(|it| it.1.to_owned());
        let form = name.map_or_else(|| json!({ "confirm": true }), |name| json!({ "name": name }));
        call["inputResponses"] = json!({ "confirm": { "action": "accept", "content": form } });
        call["requestState"] = result["requestState"].clone();
        result = ask(&mut server, "tools/call", call.clone());
    }
    let job = result["structuredContent"]["job"].as_str().unwrap_or_else(|| panic!("no job: {result}")).to_owned();
    while result["structuredContent"]["status"] == "running" {
        std::thread::sleep(Duration::from_millis(100));
        result = ask(&mut server, "tools/call", json!({ "name": "get_job", "arguments": { "job": job, "limit": 1 } }));
    }
    Run { seconds: begun.elapsed().as_secs_f64(), before, asked, after: memory(&server) }
}

fn row(rate: Option<u32>, who: &str, seconds: f64, service: &Sandbox<Geai>) {
    let mut invited: BTreeMap<String, usize> = BTreeMap::new();
    let mut refused = 0;
    for it in service.journal() {
        refused += usize::from(it.status == Some(429));
        if it.method == "POST" && it.took_effect {
            let body: Value = serde_json::from_str(&it.body).unwrap_or_default();
            *invited.entry(body["userEmail"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    let twice = invited.values().filter(|it| **it > 1).count();
    let limit = rate.map_or_else(|| "20 ms".to_owned(), |it| format!("20 ms, {it} a second"));
    println!("| {limit} | {who} | {seconds:.2} | {} | {twice} | {} | {refused} |", invited.len(), PEOPLE as usize - invited.len());
}

/// The result of a request.
fn ask(server: &mut Server, method: &str, params: Value) -> Value {
    let mut answer: Value = serde_json::from_str(&server.ask(method, params)).unwrap();
    answer["result"].take()
}

/// The most memory that it had so far, in MiB; nothing where the system does not tell.
fn memory(server: &Server) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap_or_default();
    let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    peak.unwrap_or(f64::NAN) / 1024.0
}
