//! The server over standard input and output: lines in, lines out.

use std::time::Duration;

use rmcp::service::ClientServiceExt as _;
use rolecall::{
    server::Server,
    transport::{ServeError, stdio::serve_streams},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    support::{Client, Era, Options, Person, Store, Value, json},
    wire::{SOON, call, initialize, legacy, lifecycle, modern, program, terminate},
};

/// A server process as its client sees it.
struct Process {
    to: WriteHalf<DuplexStream>,
    from: Lines<BufReader<ReadHalf<DuplexStream>>>,
    stop: CancellationToken,
    done: JoinHandle<Result<(), ServeError>>,
    _store: std::sync::Arc<Store>,
}

impl Process {
    async fn start() -> Self {
        let (ours, store, stop, done) = start().await;
        let (from, to) = tokio::io::split(ours);
        Self { to, from: BufReader::new(from).lines(), stop, done, _store: store }
    }

    async fn send(&mut self, line: &str) {
        self.to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn answer(&mut self) -> Value {
        let line = tokio::time::timeout(SOON, self.from.next_line()).await.unwrap().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.send(&message.to_string()).await;
        self.answer().await
    }
}

async fn start() -> (DuplexStream, std::sync::Arc<Store>, CancellationToken, JoinHandle<Result<(), ServeError>>) {
    let store = Store::sqlite();
    let server = Server::new(store.app(&Options::default()).await);
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (read, write) = tokio::io::split(theirs);
    let stop = CancellationToken::new();
    let done = tokio::spawn(serve_streams(server, read, write, Duration::from_secs(5), stop.clone()));
    (ours, store, stop, done)
}

async fn ends(done: JoinHandle<Result<(), ServeError>>) -> Result<(), ServeError> {
    tokio::time::timeout(SOON, done).await.unwrap().unwrap()
}

#[tokio::test]
async fn both_eras_are_served() {
    for era in [Era::Legacy, Era::Modern] {
        let (ours, _store, _stop, done) = start().await;
        let client = Client::new(Person::Agrees).serve_with_lifecycle(ours, lifecycle(era)).await.unwrap();
        assert!(client.list_all_tools().await.unwrap().len() > 10);
        call(&client, "create_organization", json!({ "name": "Acme" })).await;
        call(&client, "create_project", json!({ "name": "Atlas" })).await;
        let gone = call(&client, "delete_project", json!({ "project": "Atlas" })).await;
        assert_eq!(gone["status"], "done", "{era:?}: {gone}");
        client.cancel().await.unwrap();
        ends(done).await.unwrap();
    }
}

#[tokio::test]
async fn what_comes_before_the_first_request_does_not_end_the_session() {
    for probe in [modern(7, "server/discover", json!({})), legacy(7, "ping", json!({})), legacy(7, "tools/list", json!({}))] {
        let mut process = Process::start().await;
        let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } }).to_string();
        let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} }).to_string();
        process.send(&cancelled).await;
        process.send(&response).await;
        assert_eq!(process.ask(&probe).await["id"], 7);
        // The probe took too long for its client.
        process.send(&cancelled).await;
        process.send(&response).await;
        let opened = process.ask(&initialize(json!({}))).await;
        assert_eq!(opened["result"]["protocolVersion"], "2025-11-25", "{probe}: {opened}");
        process.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await;
        process.send(&cancelled).await;
        assert!(process.ask(&legacy(8, "tools/list", json!({}))).await["result"]["tools"].is_array());
    }
}

#[tokio::test]
async fn what_is_not_a_message_is_answered_and_does_not_end_the_session() {
    let mut process = Process::start().await;
    process.ask(&initialize(json!({}))).await;
    for broken in ["nonsense", "{", r#"{"jsonrpc":"2.0","id":7,"method":"tools/list""#, r#"{"jsonrpc":"2.0","id":7,"method":"ping"}}"#] {
        process.send(broken).await;
        let answer = process.answer().await;
        assert_eq!(answer["error"]["code"], -32700, "{broken}: {answer}");
        assert!(answer["id"].is_null() && answer.get("id").is_some(), "{answer}");
    }
    for bytes in [&b"\xff\xfe{\0"[..], b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\",\"params\":{\"cursor\":\"\xe9\"}}"] {
        process.to.write_all(bytes).await.unwrap();
        process.send("").await;
        assert_eq!(process.answer().await["error"]["code"], -32700, "{bytes:?}");
    }
    assert_eq!(process.ask(&json!({ "jsonrpc": "2.0", "id": 1.5, "method": "ping" })).await["error"]["code"], -32600);
    assert_eq!(process.ask(&json!({ "jsonrpc": "2.0", "id": 4 })).await["error"]["code"], -32600);
    // Empty lines are none.
    process.send("\r").await;
    assert_eq!(process.ask(&legacy(3, "ping", json!({}))).await["id"], 3);
}

#[tokio::test]
async fn a_request_of_the_wrong_form_is_answered_with_its_id() {
    for open in [false, true] {
        let mut process = Process::start().await;
        if open {
            process.ask(&initialize(json!({}))).await;
        }
        for (method, params) in [
            ("tools/call", json!({})),
            ("tools/call", json!({ "name": "list_projects", "arguments": [] })),
            ("tools/call", json!({ "name": "list_projects", "inputResponses": [] })),
            ("prompts/get", json!({ "name": ["a"] })),
            ("resources/read", json!([])),
            ("initialize", json!({ "protocolVersion": 7 })),
        ] {
            let answer = process.ask(&legacy(41, method, params.clone())).await;
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32602), &json!(41)), "{method} {params}: {answer}");
            assert!(answer["error"]["message"].as_str().unwrap().contains(method), "{answer}");
        }
        if !open {
            process.ask(&initialize(json!({}))).await;
        }
        assert_eq!(process.ask(&legacy(3, "ping", json!({}))).await["id"], 3);
    }
}

fn initialize_as(version: &str, capabilities: Value) -> Value {
    let mut message = initialize(capabilities);
    message["params"]["protocolVersion"] = version.into();
    message
}

#[tokio::test]
async fn a_batch_is_answered_together_where_the_revision_has_batches() {
    let mut process = Process::start().await;
    let batch = json!([
        legacy(1, "ping", json!({})),
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        legacy(2, "tools/list", json!({})),
        legacy(3, "tools/call", json!([])),
        7,
        initialize(json!({})),
    ]);
    assert_eq!(process.ask(&batch).await["error"]["code"], -32600);
    process.ask(&initialize_as("2025-03-26", json!({}))).await;
    let answers = process.ask(&batch).await;
    let of = |id: Value| answers.as_array().unwrap().iter().find(|it| it["id"] == id).unwrap_or_else(|| panic!("{id}: {answers}"));
    assert_eq!(answers.as_array().unwrap().len(), 5, "{answers}");
    assert_eq!(of(json!(1))["result"], json!({}));
    assert!(of(json!(2))["result"]["tools"].is_array());
    assert_eq!(of(json!(3))["error"]["code"], -32602);
    assert_eq!(of(json!(null))["error"]["code"], -32600);
    assert_eq!(of(json!(0))["error"]["code"], -32600);
    assert_eq!(process.ask(&json!([])).await["error"]["code"], -32600);
    // What is only told is not answered.
    process.send(&json!([{ "jsonrpc": "2.0", "method": "notifications/initialized" }]).to_string()).await;
    assert_eq!(process.ask(&legacy(9, "ping", json!({}))).await["id"], 9);
}

#[tokio::test]
async fn a_batch_is_refused_in_words_by_later_revisions() {
    for version in ["2025-06-18", "2025-11-25"] {
        let mut process = Process::start().await;
        process.ask(&initialize_as(version, json!({}))).await;
        let answer = process.ask(&json!([legacy(1, "ping", json!({}))])).await;
        assert_eq!(answer["error"]["code"], -32600);
        assert!(answer["error"]["message"].as_str().unwrap().contains("one message at a time"), "{answer}");
        assert_eq!(process.ask(&legacy(2, "ping", json!({}))).await["id"], 2);
    }
}

#[tokio::test]
async fn a_last_line_without_its_end_is_answered() {
    let mut process = Process::start().await;
    process.ask(&initialize(json!({}))).await;
    process.to.write_all(legacy(2, "tools/list", json!({})).to_string().as_bytes()).await.unwrap();
    process.to.shutdown().await.unwrap();
    assert!(process.answer().await["result"]["tools"].is_array());
    ends(process.done).await.unwrap();
}

#[tokio::test]
async fn the_form_of_a_cancelled_call_is_withdrawn() {
    let mut process = Process::start().await;
    process.ask(&initialize(json!({ "elicitation": {} }))).await;
    for (id, tool, arguments) in [(1, "create_organization", json!({ "name": "Acme" })), (2, "create_project", json!({ "name": "Atlas" }))]
    {
        process.ask(&legacy(id, "tools/call", json!({ "name": tool, "arguments": arguments }))).await;
    }
    let delete = json!({ "name": "delete_project", "arguments": { "project": "Atlas" } });
    let question = process.ask(&legacy(77, "tools/call", delete)).await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    process.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 77 } }).to_string()).await;
    let withdrawn = process.answer().await;
    assert_eq!(withdrawn["method"], "notifications/cancelled", "{withdrawn}");
    assert_eq!(withdrawn["params"]["requestId"], question["id"]);
    // A yes that was on its way changes nothing.
    let yes = json!({ "action": "accept", "content": { "name": "Atlas", "confirm": true } });
    process.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": yes }).to_string()).await;
    let found = process.ask(&legacy(3, "tools/call", json!({ "name": "list_projects", "arguments": {} }))).await;
    assert_eq!(found["result"]["structuredContent"]["items"][0]["project"], "Atlas", "{found}");
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_process_quietly() {
    // Before a session, and within one.
    for open in [false, true] {
        let mut process = Process::start().await;
        if open {
            process.ask(&initialize(json!({}))).await;
        }
        let Process { to, from, done, .. } = process;
        drop((to, from));
        ends(done).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_leaves_at_once_gets_its_answer_still() {
    let mut process = Process::start().await;
    process.send(&modern(1, "tools/list", json!({})).to_string()).await;
    process.to.shutdown().await.unwrap();
    assert!(process.answer().await["result"]["tools"].is_array());
    ends(process.done).await.unwrap();
}

#[tokio::test]
async fn a_shutdown_ends_the_session() {
    for open in [false, true] {
        let mut process = Process::start().await;
        if open {
            process.ask(&initialize(json!({}))).await;
        }
        process.stop.cancel();
        tokio::time::timeout(Duration::from_secs(3), ends(process.done)).await.unwrap().unwrap();
    }
}

/// Pipes as most hosts start their servers with, and sockets as hosts on Node do.
#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_the_program_whatever_it_reads_from() {
    use std::{
        os::{fd::OwnedFd, unix::net::UnixStream},
        process::Stdio,
    };

    use tokio::io::{AsyncRead, AsyncWrite};

    for sockets in [false, true] {
        let store = Store::sqlite();
        let mut program = program(&store);
        program.arg("serve").stderr(Stdio::inherit());
        let connected: (tokio::process::Child, Box<dyn AsyncWrite + Unpin>, Box<dyn AsyncRead + Unpin>) = if sockets {
            let socket = || {
                let (ours, theirs) = UnixStream::pair().unwrap();
                ours.set_nonblocking(true).unwrap();
                (tokio::net::UnixStream::from_std(ours).unwrap(), Stdio::from(OwnedFd::from(theirs)))
            };
            let ((to, stdin), (from, stdout)) = (socket(), socket());
            (program.stdin(stdin).stdout(stdout).spawn().unwrap(), Box::new(to), Box::new(from))
        } else {
            let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
            (child, Box::new(to), Box::new(from))
        };
        let (mut child, mut to, from) = connected;
        to.write_all(format!("{}\n", initialize(json!({}))).as_bytes()).await.unwrap();
        let line = tokio::time::timeout(SOON, BufReader::new(from).lines().next_line()).await.unwrap().unwrap().unwrap();
        assert!(line.contains("2025-11-25"), "{line}");
        assert!(terminate(&mut child).await.success(), "sockets: {sockets}");
    }
}

/// The program with a client that has opened its session.
async fn client_of(store: &Store) -> (tokio::process::Child, impl AsyncFnMut(Value) -> Value) {
    let mut child = program(store)
        .arg("serve")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    let mut from = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ask = async move |message: Value| -> Value {
        to.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        let line = tokio::time::timeout(SOON, from.next_line()).await.unwrap().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    };
    ask(initialize(json!({}))).await;
    (child, ask)
}

#[tokio::test]
async fn the_store_is_opened_by_the_first_call_that_needs_it() {
    let store = Store::sqlite();
    let file = store.folder.path().join("directory.sqlite3");
    let (_child, mut ask) = client_of(&store).await;
    let tools = ask(legacy(2, "tools/list", json!({}))).await;
    assert!(tools["result"]["tools"].as_array().is_some_and(|it| it.len() > 10), "{tools}");
    assert!(!file.exists());
    let made = ask(legacy(3, "tools/call", json!({ "name": "create_organization", "arguments": { "name": "Acme" } }))).await;
    assert_eq!(made["result"]["structuredContent"]["status"], "done", "{made}");
    assert!(file.exists());
}

#[tokio::test]
async fn a_store_that_cannot_be_used_is_told_of_soon_and_by_each_call_until_it_can() {
    let mut store = Store::sqlite();
    let blocked = store.folder.path().join("blocked");
    std::fs::write(&blocked, "no folder").unwrap();
    std::sync::Arc::get_mut(&mut store).unwrap().url = format!("sqlite:{}", blocked.join("directory.sqlite3").display());
    let (mut child, mut ask) = client_of(&store).await;
    let create = |id| legacy(id, "tools/call", json!({ "name": "create_organization", "arguments": { "name": "Acme" } }));
    let refused = ask(create(2)).await;
    assert_eq!(refused["result"]["structuredContent"]["code"], "store_unavailable", "{refused}");
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = tokio::time::timeout(SOON, said.next_line()).await.unwrap().unwrap().unwrap();
    assert!(line.contains("blocked` cannot be used") && line.contains("run `rolecall doctor`"), "{line}");
    std::fs::remove_file(&blocked).unwrap();
    let made = ask(create(3)).await;
    assert_eq!(made["result"]["structuredContent"]["status"], "done", "{made}");
}
