//! One caller stops nobody: bodies that do not end, sessions that nobody uses, connections that say nothing.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode, header::AUTHORIZATION};
use rolecall::transport::http::HttpOptions;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    support::json,
    wire::{ALICE, BOB, Real, SOON, Site, initialize, legacy, loopback, modern, with_tokens},
};

/// A request whose body never ends.
async fn unfinished(site: &Site, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(site.addr).await.unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nContent-Length: 1000\r\n\r\n{{\"jsonrpc\"",
        site.addr
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Whether somebody is served, and soon.
async fn is_served(site: &Site, token: &str) -> StatusCode {
    let asked = Instant::now();
    let list = site.message("/mcp", token, &modern(1, "tools/list", json!({}))).send();
    let status = tokio::time::timeout(SOON, list).await.expect("an answer").unwrap().status();
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    status
}

/// What the server says on a connection until it ends it.
async fn last_words(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut said)).await.expect("an end");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn bodies_that_do_not_end_keep_nobody_out() {
    let real = Real::start(HttpOptions { max_requests: 8, body_timeout: Duration::from_secs(2), ..with_tokens() }).await;
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(unfinished(&real.site, ALICE).await);
    }
    assert_eq!(is_served(&real.site, BOB).await, StatusCode::OK);
    // They keep not even their own sender out, and end.
    assert_eq!(is_served(&real.site, ALICE).await, StatusCode::OK);
    for stream in held {
        let said = last_words(stream).await;
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    }
}

#[tokio::test]
async fn bodies_that_do_not_end_make_room_for_their_own_senders_requests() {
    let real = Real::start(HttpOptions { max_connections: 20, ..with_tokens() }).await;
    let mut held = Vec::new();
    for _ in 0..30 {
        held.push(unfinished(&real.site, ALICE).await);
    }
    assert_eq!(is_served(&real.site, ALICE).await, StatusCode::OK);
    assert_eq!(is_served(&real.site, BOB).await, StatusCode::OK);
    assert_eq!(last_words(held.remove(0)).await, "");
}

#[tokio::test]
async fn one_caller_has_a_share_of_what_is_open() {
    let real = Real::start(HttpOptions { max_connections: 20, ..with_tokens() }).await;
    let id = real.site.open(ALICE, json!({})).await.unwrap();
    let mut streams = Vec::new();
    let mut refused = None;
    for _ in 0..15 {
        let stream = real.site.request(Method::GET, "/mcp").header(AUTHORIZATION, format!("Bearer {ALICE}")).header("mcp-session-id", &id);
        let stream = stream.send().await.unwrap();
        if stream.status() == StatusCode::OK {
            streams.push(stream);
        } else {
            refused = Some(stream);
            break;
        }
    }
    assert_eq!(streams.len(), 10);
    let refused = refused.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(is_served(&real.site, BOB).await, StatusCode::OK);
    assert_eq!(is_served(&real.site, ALICE).await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn connections_that_say_nothing_make_room_for_those_that_do() {
    let real = Real::start(HttpOptions { max_connections: 10, ..loopback() }).await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(TcpStream::connect(real.site.addr).await.unwrap());
    }
    assert_eq!(is_served(&real.site, "").await, StatusCode::OK);
    assert_eq!(last_words(silent.remove(0)).await, "");
}

#[tokio::test]
async fn a_head_that_does_not_end_ends_its_connection() {
    let real = Real::start(HttpOptions { header_timeout: Duration::from_secs(1), ..loopback() }).await;
    let mut stream = TcpStream::connect(real.site.addr).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc").await.unwrap();
    let began = Instant::now();
    last_words(stream).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn sessions_that_nobody_uses_make_room() {
    let real = Real::start(HttpOptions { max_sessions: 4, ..with_tokens() }).await;
    let site = &real.site;
    let ping = async |token: &str, id: &str| {
        site.message("/mcp", token, &legacy(1, "ping", json!({}))).header("mcp-session-id", id).send().await.unwrap().status()
    };
    // Half of all is one caller's share.
    let mut of_alice = Vec::new();
    for _ in 0..5 {
        of_alice.push(site.open(ALICE, json!({})).await.unwrap());
    }
    let of_bob = [site.open(BOB, json!({})).await.unwrap(), site.open(BOB, json!({})).await.unwrap()];
    assert_eq!(ping(ALICE, &of_alice[2]).await, StatusCode::NOT_FOUND);
    for id in &of_alice[3..] {
        assert_eq!(ping(ALICE, id).await, StatusCode::OK);
    }
    for id in &of_bob {
        assert_eq!(ping(BOB, id).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn sessions_that_are_used_do_not_make_room() {
    let real = Real::start(HttpOptions { max_sessions: 2, ..loopback() }).await;
    let site = &real.site;
    let (first, second) = (site.open("", json!({})).await.unwrap(), site.open("", json!({})).await.unwrap());
    let stream = async |id: &str| site.request(Method::GET, "/mcp").header("mcp-session-id", id).send().await.unwrap();
    let held = [stream(&first).await, stream(&second).await];
    let refused = site.message("/mcp", "", &initialize(json!({}))).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(!refused.headers().contains_key("mcp-session-id"));
    // Clients of the newer era have no sessions, and those that have one go on.
    assert_eq!(is_served(site, "").await, StatusCode::OK);
    let ping = site.message("/mcp", "", &legacy(1, "ping", json!({}))).header("mcp-session-id", &second);
    assert_eq!(ping.send().await.unwrap().status(), StatusCode::OK);
    drop(held);
    let opened = async {
        while site.open("", json!({})).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(40), opened).await.unwrap();
}

#[tokio::test]
async fn sessions_over_sse_leave_room_for_others() {
    let real = Real::start(HttpOptions { max_sessions: 4, sse: true, ..with_tokens() }).await;
    let open =
        async |token: &str| real.site.request(Method::GET, "/sse").header(AUTHORIZATION, format!("Bearer {token}")).send().await.unwrap();
    let _held = [open(ALICE).await, open(ALICE).await];
    assert_eq!(open(ALICE).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(open(BOB).await.status(), StatusCode::OK);
}
