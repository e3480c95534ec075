//! The server over HTTP: who gets in, and that both eras work once inside.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock},
    service::RequestContext,
};
use rolecall::{
    guard::principal_of_token,
    server::Principal,
    transport::{
        ServeError,
        http::{HttpOptions, read_tokens, serve_http},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

use crate::{
    support::{DIRECTORY_TABLES, Era, Person, Store, Value, dump, json},
    wire::{ALICE, BOB, Events, Real, SOON, Site, call, legacy, loopback, modern, program, signal, terminate, with_tokens},
};

const ROUTES: [(Method, &str); 7] = [
    (Method::POST, "/mcp"),
    (Method::GET, "/mcp"),
    (Method::DELETE, "/mcp"),
    (Method::GET, "/sse"),
    (Method::POST, "/messages?sessionId=1"),
    (Method::GET, "/nowhere"),
    (Method::GET, "/.well-known/oauth-protected-resource"),
];

/// Shows what reaches a handler, and takes its time.
#[derive(Debug, Clone, Default)]
struct Probe {
    slow: Duration,
    began: Arc<Notify>,
    ended: Arc<AtomicBool>,
}

impl ServerHandler for Probe {
    async fn call_tool(&self, _: CallToolRequestParams, cx: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        self.began.notify_one();
        tokio::time::sleep(self.slow).await;
        self.ended.store(true, Ordering::SeqCst);
        let parts = cx.extensions.get::<axum::http::request::Parts>();
        let principal = parts.and_then(|it| it.extensions.get::<Principal>()).map(|it| it.0.clone());
        let mut result = CallToolResult::success(vec![ContentBlock::text("seen")]);
        result.structured_content =
            Some(json!({ "principal": principal, "authorization": parts.is_some_and(|it| it.headers.contains_key(AUTHORIZATION)) }));
        Ok(result.into())
    }
}

fn call_of(tool: &str, arguments: &Value) -> Value {
    json!({ "name": tool, "arguments": arguments })
}

#[tokio::test]
async fn every_route_refuses_foreign_hosts_and_pages() {
    let site = Site::of(Probe::default(), HttpOptions { sse: true, ..loopback() }).await;
    let port = site.addr.port();
    for (method, path) in ROUTES {
        for host in ["evil.example".to_owned(), format!("evil.example:{port}"), "localhost".to_owned(), "127.0.0.1:1".to_owned()] {
            let response = site.request(method.clone(), path).header(HOST, &host).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{method} {path} for {host}");
            let answer: Value = response.json().await.unwrap();
            assert_eq!(answer["code"], "host_not_allowed", "{answer}");
        }
        for origin in
            ["https://evil.example".to_owned(), "null".to_owned(), "http://localhost:1".to_owned(), format!("https://localhost:{port}")]
        {
            let response = site.request(method.clone(), path).header(ORIGIN, &origin).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{method} {path} from {origin}");
        }
    }
    for name in ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"] {
        let (host, origin) = (format!("{name}:{port}"), format!("http://{name}:{port}"));
        let response = site.request(Method::GET, "/healthz").header(HOST, host).header(ORIGIN, origin).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({ "status": "ok" }));
    }
    let response = site.request(Method::GET, "/nowhere").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_names_exactly_one_host() {
    let site = Site::of(Probe::default(), loopback()).await;
    let port = site.addr.port();
    for hosts in
        [String::new(), format!("Host: localhost:{port}\r\nHost: evil.example\r\n"), format!("Host: evil.example@localhost:{port}\r\n")]
    {
        let mut stream = tokio::net::TcpStream::connect(site.addr).await.unwrap();
        let request = format!("GET /nowhere HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{hosts:?}: {answer}");
    }
}

#[tokio::test]
async fn an_operator_allows_hosts_and_pages() {
    let options = HttpOptions {
        allow_hosts: vec!["rolecall.example.com".into()],
        allow_origins: vec!["https://app.example.com".into(), "http://tools.example.com:*".into()],
        ..loopback()
    };
    let site = Site::of(Probe::default(), options).await;
    let status = async |host: &str, origin: &str| {
        site.request(Method::GET, "/nowhere").header(HOST, host).header(ORIGIN, origin).send().await.unwrap().status()
    };
    assert_eq!(status("rolecall.example.com", "https://app.example.com").await, StatusCode::NOT_FOUND);
    assert_eq!(status("rolecall.example.com:8443", "http://tools.example.com:6274").await, StatusCode::NOT_FOUND);
    assert_eq!(status("rolecall.example.com", "http://app.example.com").await, StatusCode::FORBIDDEN);
    assert_eq!(status("rolecall.example.com.evil.example", "https://app.example.com").await, StatusCode::FORBIDDEN);

    let refused = async |options| serve_http(Probe::default(), options, CancellationToken::new()).await.unwrap_err().to_string();
    let host = refused(HttpOptions { allow_hosts: vec!["http://localhost".into()], ..loopback() }).await;
    assert!(host.contains("`http://localhost` is not a host"), "{host}");
    let origin = refused(HttpOptions { allow_origins: vec!["app.example.com".into()], ..loopback() }).await;
    assert!(origin.contains("`app.example.com` is not an origin"), "{origin}");
}

#[tokio::test]
async fn every_route_but_one_asks_for_the_token() {
    let site = Site::of(Probe::default(), with_tokens()).await;
    for (method, path) in ROUTES {
        for wrong in ["", "Bearer", "Bearer wrong", "Basic YWxpY2U6YWxpY2U=", &format!("Bearer {ALICE}x"), &format!("Bearer {ALICE}{BOB}")]
        {
            let mut request = site.request(method.clone(), path);
            if !wrong.is_empty() {
                request = request.header(AUTHORIZATION, wrong);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path} with `{wrong}`");
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer realm="), "{challenge}");
        }
        // A foreign page learns nothing about tokens.
        let foreign = site.request(method.clone(), path).header(ORIGIN, "https://evil.example").send().await.unwrap();
        assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    }
    let with_token = |path: &str| site.request(Method::GET, path).header(AUTHORIZATION, format!("bearer {BOB}"));
    assert_eq!(with_token("/nowhere").send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(site.request(Method::GET, "/healthz").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn the_principal_reaches_the_handler_and_the_token_does_not() {
    let site = Site::of(Probe::default(), with_tokens()).await;
    for era in [Era::Legacy, Era::Modern] {
        for token in [ALICE, BOB] {
            let client = site.client(token, era, Person::Agrees).await;
            let seen = call(&client, "probe", json!({})).await;
            assert_eq!(seen, json!({ "principal": principal_of_token(token), "authorization": false }), "{era:?}");
        }
    }
    let open = Site::of(Probe::default(), loopback()).await;
    let client = open.client("", Era::Modern, Person::Agrees).await;
    assert_eq!(call(&client, "probe", json!({})).await["principal"], "http");
}

#[tokio::test]
async fn the_ledger_knows_who_called() {
    let real = Real::start(with_tokens()).await;
    let client = real.site.client(ALICE, Era::Modern, Person::Agrees).await;
    call(&client, "create_organization", json!({ "name": "Acme" })).await;
    let ledger = dump(&real.app.db, &["ledger"]).await;
    assert!(ledger["ledger"].contains(&principal_of_token(ALICE)), "{ledger:?}");
    assert!(!ledger["ledger"].contains(ALICE), "{ledger:?}");
}

#[tokio::test]
async fn without_a_token_only_this_machine_is_served() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[2001:db8::1]:80"] {
        let options = HttpOptions::new(address.parse().unwrap());
        let error = serve_http(Probe::default(), options, CancellationToken::new()).await.unwrap_err();
        assert!(matches!(error, ServeError::Exposed { .. }), "{address}: {error}");
        assert!(error.to_string().contains("--token-file"), "{error}");
    }
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let site = Site::of(Probe::default(), HttpOptions { addr: everywhere, ..with_tokens() }).await;
    let health = format!("http://127.0.0.1:{}/healthz", site.addr.port());
    assert_eq!(site.http.get(health).send().await.unwrap().status(), StatusCode::OK);
}

#[test]
fn a_token_file_holds_a_token_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str| {
        let path = folder.path().join("token");
        std::fs::write(&path, text).unwrap();
        read_tokens(&path).map(|it| it.len()).map_err(|it| it.to_string())
    };
    assert_eq!(read(&format!("  {ALICE}\r\n")), Ok(1));
    assert_eq!(read(&format!("{ALICE}\n\n{BOB}\n")), Ok(2));
    for (text, problem) in
        [("", "is empty"), ("\n \n", "is empty"), ("short", "fewer than 16"), ("a token with spaces in it", "cannot be sent")]
    {
        let error = read(text).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
    let missing = read_tokens(&folder.path().join("none")).unwrap_err().to_string();
    assert!(missing.contains("cannot be read"), "{missing}");
}

#[tokio::test]
async fn both_eras_list_and_call_tools() {
    let real = Real::start(loopback()).await;
    for (era, project) in [(Era::Legacy, "Atlas"), (Era::Modern, "Borealis")] {
        let client = real.site.client("", era, Person::Agrees).await;
        assert!(client.list_all_tools().await.unwrap().len() > 10);
        if era == Era::Legacy {
            call(&client, "create_organization", json!({ "name": "Acme" })).await;
        }
        call(&client, "create_project", json!({ "name": project })).await;
        // The person is asked over HTTP, each era's way.
        let gone = call(&client, "delete_project", json!({ "project": project })).await;
        assert_eq!(gone["status"], "done", "{era:?}: {gone}");
    }
}

#[tokio::test]
async fn a_plain_answer_is_plain_json() {
    let real = Real::start(loopback()).await;
    let response = real.site.message("/mcp", "", &modern(1, "tools/list", json!({}))).send().await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    assert!(response.headers().contains_key("content-length"));
}

#[tokio::test]
async fn what_is_not_a_message_is_answered_and_the_server_lives() {
    let real = Real::start(loopback()).await;
    let list = modern(1, "tools/list", json!({}));
    let (no_json, no_message) = (-32700, -32600);
    for (body, code) in [
        (Vec::new(), no_json),
        (b"{".into(), no_json),
        (b"nonsense".into(), no_json),
        (b"\0".into(), no_json),
        (b"\"\xff\"".into(), no_json),
        (b"[]".into(), no_message),
        (format!("[{list}]").into_bytes(), no_message),
        (br#"{"jsonrpc":"2.0"}"#.into(), no_message),
    ] {
        let request = real.site.request(Method::POST, "/mcp").header(CONTENT_TYPE, "application/json; charset=utf-8");
        let response = request.body(body.clone()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body:?}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["error"]["code"], code, "{body:?}: {answer}");
        assert_eq!(answer["id"], json!(null), "{body:?}: {answer}");
    }
    let form = real.site.request(Method::POST, "/mcp").header(CONTENT_TYPE, "text/plain").body(list.to_string());
    assert_eq!(form.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    // A request whose name and id were read is answered like any other.
    for params in [json!({ "name": "list_projects", "inputResponses": [] }), json!({ "name": "list_projects", "arguments": 7 }), json!({})]
    {
        let answer = real.site.message("/mcp", "", &modern(5, "tools/call", params.clone())).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32602), &json!(5)), "{params}: {answer}");
    }
    assert_eq!(real.site.message("/mcp", "", &list).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let real = Real::start(loopback()).await;
    let padded = |bytes: usize| modern(1, "tools/list", json!({ "padding": "x".repeat(bytes) }));
    let fits = real.site.message("/mcp", "", &padded(4 * 1024 * 1024 - 1024)).send().await.unwrap();
    assert_eq!(fits.status(), StatusCode::OK);
    let message = padded(4 * 1024 * 1024);
    let request = real.site.message("/mcp", "", &message);
    assert_too_large(request.send().await);
    // One that does not say beforehand how long it is.
    let pieces: Vec<Result<String, std::io::Error>> =
        message.to_string().as_bytes().chunks(65_536).map(|it| Ok(String::from_utf8(it.to_vec()).unwrap())).collect();
    let request = real.site.message("/mcp", "", &message).body(reqwest::Body::wrap_stream(futures_util::stream::iter(pieces)));
    assert_too_large(request.send().await);
    let list = real.site.message("/mcp", "", &modern(1, "tools/list", json!({}))).send().await.unwrap();
    assert_eq!(list.status(), StatusCode::OK);
}

/// The server answers and hangs up; a client that is still sending may see only the latter.
pub(crate) fn assert_too_large(answer: reqwest::Result<reqwest::Response>) {
    match answer {
        Ok(response) => assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE),
        Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
    }
}

#[tokio::test]
async fn a_silent_session_ends() {
    let site = Site::of(Probe::default(), HttpOptions { idle: Duration::from_secs(1), max_sessions: 1, ..loopback() }).await;
    let id = site.open("", json!({})).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let ping = site.message("/mcp", "", &legacy(1, "ping", json!({}))).header("mcp-session-id", &id).send().await.unwrap();
    assert_eq!(ping.status(), StatusCode::NOT_FOUND);
    site.open("", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_session_is_its_openers_alone() {
    let site = Site::of(Probe::default(), with_tokens()).await;
    let id = site.open(ALICE, json!({})).await.unwrap();
    let ping = legacy(1, "ping", json!({}));
    let post = async |token| site.message("/mcp", token, &ping).header("mcp-session-id", &id).send().await.unwrap().status();
    let plain = async |method, token: &str| {
        let request = site.request(method, "/mcp").header("mcp-session-id", &id);
        request.header(AUTHORIZATION, format!("Bearer {token}")).send().await.unwrap().status()
    };
    assert_eq!(post(BOB).await, StatusCode::NOT_FOUND);
    assert_eq!(plain(Method::GET, BOB).await, StatusCode::NOT_FOUND);
    assert_eq!(plain(Method::DELETE, BOB).await, StatusCode::NOT_FOUND);
    assert_eq!(post(ALICE).await, StatusCode::OK);
    assert_eq!(plain(Method::GET, ALICE).await, StatusCode::OK);
    let unknown = site.message("/mcp", BOB, &ping).header("mcp-session-id", "00000000-0000-4000-8000-000000000000");
    assert_eq!(unknown.send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_elses_answer_in_a_session_confirms() {
    let real = Real::start(with_tokens()).await;
    let site = &real.site;
    let owner = site.client(ALICE, Era::Modern, Person::Agrees).await;
    call(&owner, "create_organization", json!({ "name": "Acme" })).await;
    call(&owner, "create_project", json!({ "name": "Atlas" })).await;
    let before = dump(&real.app.db, &DIRECTORY_TABLES).await;

    let id = site.open(ALICE, json!({ "elicitation": {} })).await.unwrap();
    let delete = legacy(1, "tools/call", call_of("delete_project", &json!({ "project": "Atlas" })));
    let response = site.message("/mcp", ALICE, &delete).header("mcp-session-id", &id).send().await.unwrap();
    let mut events = Events::of(response);
    let question = events.message().await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let answer = |action: &str| {
        let content = json!({ "name": "Atlas", "confirm": true });
        json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": action, "content": content } })
    };
    let foreign = site.message("/mcp", BOB, &answer("accept")).header("mcp-session-id", &id).send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
    let own_session = site.open(BOB, json!({ "elicitation": {} })).await.unwrap();
    site.message("/mcp", BOB, &answer("accept")).header("mcp-session-id", own_session).send().await.unwrap();

    let decline = site.message("/mcp", ALICE, &answer("decline")).header("mcp-session-id", &id).send().await.unwrap();
    assert_eq!(decline.status(), StatusCode::ACCEPTED);
    let result = events.message().await;
    assert_eq!(result["result"]["isError"], true, "{result}");
    assert_eq!(dump(&real.app.db, &DIRECTORY_TABLES).await, before);
}

#[tokio::test]
async fn nobody_elses_answer_in_a_result_confirms() {
    let real = Real::start(with_tokens()).await;
    let site = &real.site;
    let owner = site.client(ALICE, Era::Modern, Person::Agrees).await;
    call(&owner, "create_organization", json!({ "name": "Acme" })).await;
    call(&owner, "create_project", json!({ "name": "Atlas" })).await;
    let before = dump(&real.app.db, &DIRECTORY_TABLES).await;

    let send = async |token, call: &Value| {
        let response = site.message("/mcp", token, &modern(1, "tools/call", call.clone())).send().await.unwrap();
        response.json::<Value>().await.unwrap()
    };
    let mut delete = call_of("delete_project", &json!({ "project": "Atlas" }));
    let question = send(ALICE, &delete).await;
    assert_eq!(question["result"]["resultType"], "input_required", "{question}");
    delete["requestState"] = question["result"]["requestState"].clone();
    delete["inputResponses"] = json!({ "confirm": { "action": "accept", "content": { "name": "Atlas", "confirm": true } } });
    let foreign = send(BOB, &delete).await;
    assert_eq!(foreign["error"]["code"], -32602, "{foreign}");
    assert_eq!(dump(&real.app.db, &DIRECTORY_TABLES).await, before);
    let own = send(ALICE, &delete).await;
    assert_eq!(own["result"]["structuredContent"]["status"], "done", "{own}");
}

#[tokio::test]
async fn a_shutdown_ends_streams_that_would_stay_open() {
    let real = Real::start(HttpOptions { sse: true, ..loopback() }).await;
    let site = real.site;
    let id = site.open("", json!({})).await.unwrap();
    let mut standing = Events::of(site.request(Method::GET, "/mcp").header("mcp-session-id", &id).send().await.unwrap());
    let mut sse = Events::of(site.request(Method::GET, "/sse").send().await.unwrap());
    assert_eq!(sse.next().await.unwrap().0, "endpoint");
    let client = site.client("", Era::Legacy, Person::Agrees).await;
    let _listen = site.message("/mcp", "", &modern(1, "subscriptions/listen", json!({ "notifications": {} }))).send().await.unwrap();

    let asked = Instant::now();
    site.stop.cancel();
    tokio::time::timeout(SOON, site.bound.unwrap().finished()).await.unwrap().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(standing.next().await, None);
    assert_eq!(sse.next().await, None);
    drop(client);
    tokio::net::TcpStream::connect(site.addr).await.unwrap_err();
}

#[tokio::test]
async fn a_shutdown_lets_calls_finish() {
    for era in [Era::Legacy, Era::Modern] {
        let probe = Probe { slow: Duration::from_millis(700), ..Probe::default() };
        let site = Site::of(probe.clone(), loopback()).await;
        let client = site.client("", era, Person::Agrees).await;
        let slow = tokio::spawn(async move { call(&client, "probe", json!({})).await });
        probe.began.notified().await;
        site.stop.cancel();
        tokio::time::timeout(SOON, site.bound.unwrap().finished()).await.unwrap().unwrap();
        assert!(probe.ended.load(Ordering::SeqCst), "{era:?}");
        assert_eq!(slow.await.unwrap()["principal"], "http", "{era:?}");
    }
}

#[tokio::test]
async fn a_shutdown_lets_calls_finish_whose_client_has_left() {
    let probe = Probe { slow: Duration::from_millis(700), ..Probe::default() };
    let site = Site::of(probe.clone(), loopback()).await;
    let request = site.message("/mcp", "", &modern(1, "tools/call", call_of("probe", &json!({}))));
    let leaving = tokio::spawn(request.send());
    probe.began.notified().await;
    leaving.abort();
    leaving.await.unwrap_err();
    site.stop.cancel();
    tokio::time::timeout(SOON, site.bound.unwrap().finished()).await.unwrap().unwrap();
    assert!(probe.ended.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let probe = Probe { slow: Duration::from_mins(1), ..Probe::default() };
    let site = Site::of(probe.clone(), HttpOptions { grace: Duration::from_millis(200), ..loopback() }).await;
    let request = site.message("/mcp", "", &modern(1, "tools/call", call_of("probe", &json!({}))));
    let waiting = tokio::spawn(request.send());
    probe.began.notified().await;
    site.stop.cancel();
    tokio::time::timeout(SOON, site.bound.unwrap().finished()).await.unwrap().unwrap();
    assert!(!waiting.await.unwrap().is_ok_and(|it| it.status().is_success()));
}

#[cfg(unix)]
#[tokio::test]
async fn the_program_serves_until_a_signal() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};

    let store = Store::sqlite();
    let token = store.folder.path().join("token");
    std::fs::write(&token, ALICE).unwrap();
    let mut program = program(&store);
    program.args(["serve", "--http", "127.0.0.1:0", "--sse", "--token-file"]).arg(&token);
    let mut child = program.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let url = loop {
        let line = tokio::time::timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap();
        if let Some(at) = line.find("http://127.0.0.1:") {
            break line[at..].split(['/', ',', ';']).take(3).collect::<Vec<_>>().join("/");
        }
    };
    let http = crate::support::http_client();
    assert_eq!(http.get(format!("{url}/nowhere")).send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "{url}");
    let stream = http.get(format!("{url}/sse")).bearer_auth(ALICE).send().await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
    assert!(terminate(&mut child).await.success());
}

#[cfg(unix)]
#[tokio::test]
async fn a_terminal_that_goes_away_ends_the_program_unless_it_was_told_to_go_on() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};

    let start = async |store: &Store, before: &str| {
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", &format!("{before} exec \"$0\" serve --http 127.0.0.1:0 --grace 1"), env!("CARGO_BIN_EXE_rolecall")]);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", store.folder.path()).env("ROLECALL_STORE", &store.url);
        let mut child = command.stderr(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        while !tokio::time::timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap().contains("http://") {}
        (child, lines)
    };
    let store = Store::sqlite();
    let (mut child, _said) = start(&store, "").await;
    assert!(signal(&mut child, "HUP").await.success());
    // As with `nohup`.
    let (mut child, _said) = start(&store, "trap '' HUP;").await;
    let id = child.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-HUP", &id]).status().await.unwrap().success());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(child.try_wait().unwrap(), None);
    assert!(terminate(&mut child).await.success());
}

#[tokio::test]
async fn the_program_does_not_open_itself_to_the_network_by_accident() {
    let store = Store::sqlite();
    let ended = program(&store).args(["serve", "--http", "0.0.0.0:0"]).output().await.unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("--token-file"), "{said}");
}
