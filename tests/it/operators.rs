//! What load balancers, monitors and logs are told.

use std::{process::Stdio, time::Duration};

use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use rolecall::transport::http::{HttpOptions, Operators};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::Child,
};

use crate::{
    support::{Era, Person, Store, Value, json},
    wire::{ALICE, Real, SOON, Site, call, initialize, legacy, loopback, modern, program, terminate, with_tokens},
};

/// What the server answers to a request as it is written.
async fn raw(site: &Site, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(site.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(SOON, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn load_balancers_are_answered_under_any_name_and_none() {
    let real = Real::start(with_tokens()).await;
    for path in ["/healthz", "/readyz"] {
        for host in ["", "Host: 10.0.0.7\r\n", "Host: rolecall.internal\r\n", "Host: a\r\nHost: b\r\n"] {
            for method in ["GET", "HEAD"] {
                let answer = raw(&real.site, &format!("{method} {path} HTTP/1.0\r\n{host}\r\n")).await;
                assert!(answer.contains(" 200 OK"), "{method} {path} {host:?}: {answer}");
            }
        }
    }
    // Everything else is for whom the server is there for.
    let answer = raw(&real.site, "GET /mcp HTTP/1.0\r\nHost: 10.0.0.7\r\n\r\n").await;
    assert!(answer.contains(" 403 "), "{answer}");
}

#[tokio::test]
async fn a_server_is_ready_while_its_store_answers_in_time() {
    let never: fn() -> String = String::new;
    for (answer, expected) in
        [(Some(true), StatusCode::OK), (Some(false), StatusCode::SERVICE_UNAVAILABLE), (None, StatusCode::SERVICE_UNAVAILABLE)]
    {
        let ready = move || -> futures_util::future::BoxFuture<'static, bool> {
            Box::pin(async move {
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            })
        };
        let operators = Operators::new(ready, never);
        let real = Real::start(HttpOptions { operators, ..loopback() }).await;
        let asked = tokio::time::timeout(SOON, real.site.request(Method::GET, "/readyz").send()).await.unwrap().unwrap();
        assert_eq!(asked.status(), expected, "{answer:?}");
        // The process lives all the same.
        assert_eq!(real.site.request(Method::GET, "/healthz").send().await.unwrap().status(), StatusCode::OK);
    }
}

/// The program over HTTP, with the lines that it writes.
async fn served(store: &Store, arguments: &[&str]) -> (Child, tokio::io::Lines<BufReader<tokio::process::ChildStderr>>, Site) {
    let mut command = program(store);
    command.args(["serve", "--http", "127.0.0.1:0"]).args(arguments).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let addr = loop {
        let line = tokio::time::timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap();
        if let Some((_, rest)) = line.split_once("http://") {
            break rest.split('/').next().unwrap().parse().unwrap();
        }
    };
    (child, lines, Site::at(addr))
}

#[tokio::test]
async fn each_call_is_told_of_in_one_line_without_colours() {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for format in ["text", "json"] {
        let store = Store::sqlite();
        let (mut child, mut lines, site) = served(&store, &["--log-format", format]).await;
        let mut create = modern(1, "tools/call", json!({ "name": "create_organization", "arguments": { "name": "Acme Secret" } }));
        create["params"]["_meta"]["traceparent"] = trace.into();
        let answer: Value = site.message("/mcp", "", &create).send().await.unwrap().json().await.unwrap();
        let call_id = answer["result"]["structuredContent"]["call_id"].as_str().unwrap().to_owned();
        let line = tokio::time::timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap();
        for word in ["create_organization", "local", "done", "duration_ms", &call_id, trace] {
            assert!(line.contains(word), "{word}: {line}");
        }
        assert!(!line.contains("Acme Secret") && !line.contains('\u{1b}'), "{line}");
        if format == "json" {
            let line: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(line["tool"], "create_organization", "{line}");
            assert_eq!(line["outcome"], "done", "{line}");
            assert!(line["duration_ms"].is_number(), "{line}");
        }
        // What fails is told with its code; what is no trace, not at all.
        let mut read = modern(2, "tools/call", json!({ "name": "get_project", "arguments": { "project": "nowhere" } }));
        read["params"]["_meta"]["traceparent"] = "not\na trace".into();
        site.message("/mcp", "", &read).send().await.unwrap();
        let line = tokio::time::timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap();
        assert!(line.contains("project_not_found") && !line.contains("a trace"), "{line}");
        assert!(terminate(&mut child).await.success());
    }
}

#[tokio::test]
async fn figures_are_there_for_this_machine_and_for_who_has_a_token() {
    let store = Store::sqlite();
    let token = store.folder.path().join("token");
    std::fs::write(&token, ALICE).unwrap();
    let (mut child, _lines, site) = served(&store, &["--token-file", token.to_str().unwrap()]).await;
    for (name, arguments) in [("create_organization", json!({ "name": "Acme" })), ("get_project", json!({ "project": "ana@acme.example" }))]
    {
        let call = modern(1, "tools/call", json!({ "name": name, "arguments": arguments }));
        site.message("/mcp", ALICE, &call).send().await.unwrap();
    }
    let response = site.request(Method::GET, "/metrics").header(HOST, "10.0.0.7").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = response.text().await.unwrap();
    for line in [
        r#"rolecall_calls_total{tool="create_organization",outcome="done"} 1"#,
        r#"rolecall_calls_total{tool="get_project",outcome="project_not_found"} 1"#,
        r#"rolecall_call_duration_seconds_count{tool="get_project"} 1"#,
        r"rolecall_calls_at_work 0",
        r"rolecall_jobs_at_work 0",
        r#"rolecall_store_connections{pool="writer",state="idle"} 1"#,
        "# EOF",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(!text.contains("acme") && !text.contains("Acme") && !text.contains("token"), "{text}");
    // Through a proxy, whoever asks may be anybody.
    let passed_on = site.request(Method::GET, "/metrics").header("x-forwarded-for", "192.0.2.7");
    assert_eq!(passed_on.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let known = site.request(Method::GET, "/metrics").header("x-forwarded-for", "192.0.2.7");
    assert_eq!(known.header(AUTHORIZATION, format!("Bearer {ALICE}")).send().await.unwrap().status(), StatusCode::OK);
    let ready = site.request(Method::GET, "/readyz").send().await.unwrap();
    assert_eq!(ready.json::<Value>().await.unwrap(), json!({ "status": "ok" }));
    assert!(terminate(&mut child).await.success());
}

#[tokio::test]
async fn questions_and_answers_are_counted() {
    let real = Real::start(loopback()).await;
    for (era, project) in [(Era::Legacy, "Atlas"), (Era::Modern, "Borealis")] {
        let client = real.site.client("", era, Person::Agrees).await;
        if era == Era::Legacy {
            call(&client, "create_organization", json!({ "name": "Acme" })).await;
        }
        call(&client, "create_project", json!({ "name": project })).await;
        call(&client, "delete_project", json!({ "project": project })).await;
    }
    let text = real.server.figures();
    for line in [
        r#"rolecall_questions_total{way="request"} 1"#,
        r#"rolecall_questions_total{way="result"} 1"#,
        r#"rolecall_answers_total{answer="accepted"} 2"#,
        r#"rolecall_calls_total{tool="delete_project",outcome="asked"} 1"#,
        r#"rolecall_calls_total{tool="delete_project",outcome="done"} 2"#,
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn what_goes_on_inside_the_protocol_is_not_told_of() {
    let store = Store::sqlite();
    let mut child = program(&store)
        .arg("serve")
        .env("RUST_LOG", "info")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    for message in
        [initialize(json!({})), legacy(1, "tools/call", json!({ "name": "list_organizations", "arguments": { "query": "Secret" } }))]
    {
        to.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        tokio::time::timeout(SOON, answers.next_line()).await.unwrap().unwrap().unwrap();
    }
    drop(to);
    let ended = tokio::time::timeout(Duration::from_secs(20), child.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(said.lines().filter(|it| it.contains("list_organizations")).count(), 1, "{said}");
    assert!(
        !said.contains("notification") && !said.contains("peer_info") && !said.contains("Secret") && !said.contains('\u{1b}'),
        "{said}"
    );
}

#[tokio::test]
async fn the_pace_of_each_service_is_among_the_figures() {
    let company = crate::support_openai::Company::new().await;
    let server = rolecall::server::Server::new(std::sync::Arc::clone(&company.agent.app));
    let value = |name: &str| {
        let text = server.figures();
        let line = text.lines().find(|it| it.starts_with(&format!("rolecall_{name}{{connection=")))?.to_owned();
        Some(line.rsplit(' ').next()?.parse::<f64>().unwrap())
    };
    company.agent.ok("list_projects", json!({})).await;
    assert_eq!((value("requests_waiting"), value("requests_on_the_way"), value("requests_at_once")), (Some(0.0), Some(0.0), Some(16.0)));
    assert_eq!(value("requests_per_second"), None, "the service has refused none");
    company.faults(&["429:1*1"]);
    let slow = company.agent.ok("list_projects", json!({}));
    let watching = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if value("requests_paused_seconds").is_some_and(|it| it > 0.0) {
                return;
            }
        }
    };
    tokio::select! {
        () = watching => {}
        answer = slow => panic!("it was answered before anybody waited: {answer}"),
    }
}
