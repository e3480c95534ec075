//! Clients over HTTP as they are: older and newer than the server, with batches, with sessions that have ended.

use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};

use crate::{
    support::{Value, json},
    wire::{Events, Real, Site, initialize, legacy, loopback, modern},
};

fn initialize_as(version: &str) -> Value {
    let mut message = initialize(json!({}));
    message["params"]["protocolVersion"] = version.into();
    message
}

/// Opens a session of this version; answers its id, and all that came with it.
async fn open_as(site: &Site, version: &str) -> (String, String) {
    let response = site.message("/mcp", "", &initialize_as(version)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let id = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    (id, response.text().await.unwrap())
}

fn has_an_event_without_data(stream: &str) -> bool {
    stream.split("\n\n").any(|event| {
        let mut data = event.lines().filter_map(|it| it.strip_prefix("data:")).peekable();
        data.peek().is_some() && data.all(|it| it.trim().is_empty())
    })
}

#[tokio::test]
async fn clients_from_before_2025_11_25_get_no_event_without_data() {
    let real = Real::start(loopback()).await;
    for (version, primed) in [("2024-11-05", false), ("2025-03-26", false), ("2025-06-18", false), ("2025-11-25", true)] {
        let (id, opened) = open_as(&real.site, version).await;
        assert!(opened.contains(&format!(r#""protocolVersion":"{version}""#)), "{opened}");
        assert_eq!(has_an_event_without_data(&opened), primed, "{version}: {opened}");
        let ping = real.site.message("/mcp", "", &legacy(1, "ping", json!({}))).header("mcp-session-id", &id).send().await.unwrap();
        let ponged = ping.text().await.unwrap();
        assert!(ponged.contains(r#""result":{}"#), "{ponged}");
        assert_eq!(has_an_event_without_data(&ponged), primed, "{version}: {ponged}");
        let mut standing = real.site.request(Method::GET, "/mcp").header("mcp-session-id", &id).send().await.unwrap();
        if primed {
            let first = standing.chunk().await.unwrap().unwrap();
            assert!(has_an_event_without_data(std::str::from_utf8(&first).unwrap()), "{first:?}");
        } else {
            let first = tokio::time::timeout(std::time::Duration::from_millis(200), standing.chunk()).await;
            assert!(first.is_err(), "{version}: {first:?}");
        }
    }
}

#[tokio::test]
async fn a_version_that_nobody_knows_is_negotiated() {
    let real = Real::start(loopback()).await;
    for (header, body) in
        [("2027-03-01", "2027-03-01"), ("2027-03-01", "2025-06-18"), ("2025-06-18", "2025-11-25"), ("nonsense", "2025-11-25")]
    {
        let request = real.site.message("/mcp", "", &initialize_as(body)).header("mcp-protocol-version", header);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{header} {body}");
        let agreed = Events::of(response).message().await["result"]["protocolVersion"].clone();
        assert_eq!(agreed, if body == "2027-03-01" { "2025-11-25" } else { body }, "{header} {body}");
    }
    // After that the version is agreed on, and another is a mistake.
    let (id, _) = open_as(&real.site, "2025-06-18").await;
    let ping = real.site.message("/mcp", "", &legacy(1, "ping", json!({}))).header("mcp-session-id", &id);
    assert_eq!(ping.header("mcp-protocol-version", "2027-03-01").send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_session_that_is_gone_does_not_keep_its_client_from_opening_another() {
    let real = Real::start(loopback()).await;
    let (live, _) = open_as(&real.site, "2025-06-18").await;
    for stale in ["00000000-0000-4000-8000-000000000000", "anything", &live] {
        let response = real.site.message("/mcp", "", &initialize(json!({}))).header("mcp-session-id", stale).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{stale}");
        assert_ne!(response.headers()["mcp-session-id"], stale);
    }
    let ping = real.site.message("/mcp", "", &legacy(1, "ping", json!({}))).header("mcp-session-id", "anything").send().await.unwrap();
    assert_eq!(ping.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_takes_anything_is_answered() {
    let real = Real::start(loopback()).await;
    let list = modern(1, "tools/list", json!({}));
    let post = async |accept: Option<&str>| {
        let mut request = real.site.http.post(real.site.url("/mcp")).header(CONTENT_TYPE, "application/json").body(list.to_string());
        request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", "tools/list");
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        request.send().await.unwrap().status()
    };
    for accept in ["*/*", "application/*, text/*", "application/json;q=0.9, */*;q=0.1", "text/event-stream, application/json"] {
        assert_eq!(post(Some(accept)).await, StatusCode::OK, "{accept}");
    }
    assert_eq!(post(None).await, StatusCode::OK);
    for accept in ["text/html", "application/json", "*/*;q=0"] {
        assert_eq!(post(Some(accept)).await, StatusCode::NOT_ACCEPTABLE, "{accept}");
    }
    let (id, _) = open_as(&real.site, "2025-11-25").await;
    let stream = real.site.http.get(real.site.url("/mcp")).header(ACCEPT, "*/*").header("mcp-session-id", id).send().await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_session_that_its_client_ends_is_gone() {
    let real = Real::start(loopback()).await;
    let (id, _) = open_as(&real.site, "2025-11-25").await;
    let end = async || real.site.request(Method::DELETE, "/mcp").header("mcp-session-id", &id).send().await.unwrap().status();
    assert_eq!(end().await, StatusCode::NO_CONTENT);
    let ping = real.site.message("/mcp", "", &legacy(1, "ping", json!({}))).header("mcp-session-id", &id).send().await.unwrap();
    assert_eq!(ping.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_batch_is_answered_on_one_stream_where_the_revision_has_batches() {
    let real = Real::start(loopback()).await;
    let batch = json!([
        legacy(1, "ping", json!({})),
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        legacy(2, "tools/list", json!({})),
        legacy(3, "tools/call", json!([])),
    ]);
    let post = async |id: &str, message: &Value| real.site.message("/mcp", "", message).header("mcp-session-id", id).send().await.unwrap();
    let (id, _) = open_as(&real.site, "2025-03-26").await;
    let mut events = Events::of(post(&id, &batch).await);
    let mut answers = Vec::new();
    while let Some((_, data)) = events.next().await {
        answers.push(serde_json::from_str::<Value>(&data).unwrap());
    }
    let of = |id: u64| answers.iter().find(|it| it["id"] == id).unwrap_or_else(|| panic!("{id}: {answers:?}"));
    assert_eq!(answers.len(), 3, "{answers:?}");
    assert_eq!(of(1)["result"], json!({}));
    assert!(of(2)["result"]["tools"].is_array());
    assert_eq!(of(3)["error"]["code"], -32602);
    let told = post(&id, &json!([{ "jsonrpc": "2.0", "method": "notifications/initialized" }])).await;
    assert_eq!(told.status(), StatusCode::ACCEPTED);

    for version in ["2025-06-18", "2025-11-25"] {
        let (id, _) = open_as(&real.site, version).await;
        let refused = post(&id, &batch).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{version}");
        let answer: Value = refused.json().await.unwrap();
        assert_eq!(answer["error"]["code"], -32600, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("one message at a time"), "{answer}");
    }
}

#[tokio::test]
async fn requests_that_are_gone_are_not_found_whatever_their_params() {
    let real = Real::start(loopback()).await;
    for method in ["initialize", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
        let response = real.site.message("/mcp", "", &modern(1, method, json!({}))).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
    }
}
