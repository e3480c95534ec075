//! The server over HTTP with SSE as it was before.

use std::{io, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _, future::BoxFuture, sink, stream};
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use rmcp::{
    RoleClient,
    service::{ClientServiceExt as _, RunningService, RxJsonRpcMessage, TxJsonRpcMessage},
};
use rolecall::transport::http::HttpOptions;

use crate::{
    http::assert_too_large,
    support::{Client, DIRECTORY_TABLES, Era, Person, Value, dump, json},
    wire::{ALICE, BOB, Events, Real, Site, call, initialize, legacy, lifecycle, loopback, with_tokens},
};

pub(crate) fn with_sse() -> HttpOptions {
    HttpOptions { sse: true, ..loopback() }
}

/// Opens a stream; answers it and where messages go.
async fn open(site: &Site, token: &str) -> (Events, String) {
    let request = site.request(Method::GET, "/sse").header(AUTHORIZATION, format!("Bearer {token}"));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut events = Events::of(response);
    let (event, endpoint) = events.next().await.unwrap();
    assert_eq!(event, "endpoint");
    (events, endpoint)
}

async fn send(site: &Site, token: &str, endpoint: &str, message: &Value) -> StatusCode {
    let request = site.request(Method::POST, endpoint).header(CONTENT_TYPE, "application/json");
    request.header(AUTHORIZATION, format!("Bearer {token}")).body(message.to_string()).send().await.unwrap().status()
}

/// A real client on a stream.
pub(crate) async fn client(site: &Site, era: Era, person: Person) -> RunningService<RoleClient, Client> {
    let (events, endpoint) = open(site, "").await;
    let (http, url) = (site.http.clone(), site.url(&endpoint));
    let outgoing = sink::unfold((), move |(), message: TxJsonRpcMessage<RoleClient>| {
        let request = http.post(&url).json(&message);
        let sent: BoxFuture<'static, Result<(), io::Error>> = Box::pin(async move {
            let response = request.send().await.map_err(io::Error::other)?;
            assert_eq!(response.status(), StatusCode::ACCEPTED);
            Ok(())
        });
        sent
    });
    let incoming = stream::unfold(events, |mut events| async move {
        let (_, data) = events.next().await?;
        let message: RxJsonRpcMessage<RoleClient> = serde_json::from_str(&data).unwrap();
        Some((message, events))
    });
    Client::new(person).serve_with_lifecycle((Box::pin(outgoing.sink_map_err(|it| it)), incoming.boxed()), lifecycle(era)).await.unwrap()
}

#[tokio::test]
async fn both_eras_are_served() {
    let real = Real::start(with_sse()).await;
    for (era, project) in [(Era::Legacy, "Atlas"), (Era::Modern, "Borealis")] {
        let client = client(&real.site, era, Person::Agrees).await;
        assert!(client.list_all_tools().await.unwrap().len() > 10);
        if era == Era::Legacy {
            call(&client, "create_organization", json!({ "name": "Acme" })).await;
        }
        call(&client, "create_project", json!({ "name": project })).await;
        let gone = call(&client, "delete_project", json!({ "project": project })).await;
        assert_eq!(gone["status"], "done", "{era:?}: {gone}");
    }
}

#[tokio::test]
async fn it_is_there_only_where_it_is_wanted() {
    let real = Real::start(loopback()).await;
    for (method, path) in [(Method::GET, "/sse"), (Method::POST, "/messages?sessionId=1")] {
        assert_eq!(real.site.request(method, path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_session_is_its_openers_alone() {
    let real = Real::start(with_tokens()).await;
    let site = &real.site;
    let owner = site.client(ALICE, Era::Modern, Person::Agrees).await;
    call(&owner, "create_organization", json!({ "name": "Acme" })).await;
    call(&owner, "create_project", json!({ "name": "Atlas" })).await;
    let before = dump(&real.app.db, &DIRECTORY_TABLES).await;

    let (mut events, endpoint) = open(site, ALICE).await;
    assert_eq!(send(site, BOB, &endpoint, &initialize(json!({}))).await, StatusCode::NOT_FOUND);
    assert_eq!(send(site, ALICE, &endpoint, &initialize(json!({ "elicitation": {} }))).await, StatusCode::ACCEPTED);
    events.message().await;
    let delete = legacy(1, "tools/call", json!({ "name": "delete_project", "arguments": { "project": "Atlas" } }));
    send(site, ALICE, &endpoint, &delete).await;
    let question = events.message().await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let answer = |action: &str| {
        let content = json!({ "name": "Atlas", "confirm": true });
        json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": action, "content": content } })
    };
    assert_eq!(send(site, BOB, &endpoint, &answer("accept")).await, StatusCode::NOT_FOUND);
    assert_eq!(send(site, ALICE, &endpoint, &answer("decline")).await, StatusCode::ACCEPTED);
    assert_eq!(events.message().await["result"]["isError"], true);
    assert_eq!(dump(&real.app.db, &DIRECTORY_TABLES).await, before);

    // What she does is written down under her name.
    let create = legacy(2, "tools/call", json!({ "name": "create_project", "arguments": { "name": "Borealis" } }));
    send(site, ALICE, &endpoint, &create).await;
    assert_eq!(events.message().await["result"]["structuredContent"]["status"], "done");
    let ledger = dump(&real.app.db, &["ledger"]).await;
    let rows: Vec<&str> = ledger["ledger"].lines().filter(|it| it.contains("Borealis") && it.contains("principal")).collect();
    assert!(!rows.is_empty() && rows.iter().all(|it| it.contains(&rolecall::guard::principal_of_token(ALICE))), "{rows:?}");
}

#[tokio::test]
async fn what_is_not_a_message_is_answered_and_the_session_lives() {
    let real = Real::start(with_sse()).await;
    let site = &real.site;
    let (mut events, endpoint) = open(site, "").await;
    for message in [json!("nonsense"), json!([legacy(1, "ping", json!({}))]), json!({ "jsonrpc": "2.0" })] {
        assert_eq!(send(site, "", &endpoint, &message).await, StatusCode::BAD_REQUEST, "{message}");
    }
    assert_eq!(send(site, "", &endpoint, &legacy(9, "tools/call", json!([]))).await, StatusCode::ACCEPTED);
    let answer = events.message().await;
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32602), &json!(9)), "{answer}");
    let large = legacy(1, "ping", json!({ "padding": "x".repeat(4 * 1024 * 1024) }));
    assert_too_large(site.request(Method::POST, &endpoint).body(large.to_string()).send().await);
    assert_eq!(send(site, "", "/messages", &initialize(json!({}))).await, StatusCode::BAD_REQUEST);
    assert_eq!(send(site, "", "/messages?sessionId=none", &initialize(json!({}))).await, StatusCode::NOT_FOUND);
    // A notification that comes first is no reason to hang up.
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } });
    assert_eq!(send(site, "", &endpoint, &cancelled).await, StatusCode::ACCEPTED);
    assert_eq!(send(site, "", &endpoint, &initialize(json!({}))).await, StatusCode::ACCEPTED);
    assert_eq!(events.message().await["result"]["protocolVersion"], "2025-11-25");
}

#[tokio::test]
async fn sessions_have_a_limit_and_end_with_their_stream() {
    let real = Real::start(HttpOptions { max_sessions: 1, ..with_sse() }).await;
    let site = &real.site;
    let (events, endpoint) = open(site, "").await;
    let refused = site.request(Method::GET, "/sse").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    drop(events);
    let gone = async {
        while send(site, "", &endpoint, &initialize(json!({}))).await != StatusCode::NOT_FOUND {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::wire::SOON, gone).await.unwrap();
    open(site, "").await;
}

#[tokio::test]
async fn a_silent_session_ends() {
    let real = Real::start(HttpOptions { idle: Duration::from_secs(2), ..with_sse() }).await;
    let (mut events, endpoint) = open(&real.site, "").await;
    send(&real.site, "", &endpoint, &initialize(json!({}))).await;
    events.message().await;
    assert_eq!(events.next().await, None);
    assert_eq!(send(&real.site, "", &endpoint, &legacy(1, "ping", json!({}))).await, StatusCode::NOT_FOUND);
}
