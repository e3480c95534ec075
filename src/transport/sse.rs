//! HTTP with SSE as it was before Streamable HTTP: messages to the client on one stream, messages of the client by POST.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Query, State},
    http::{StatusCode, request::Parts},
    response::{
        IntoResponse as _, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use rmcp::{
    RoleServer, ServerHandler,
    model::ClientJsonRpcMessage,
    service::{TxJsonRpcMessage, serve_server_with_ct},
    transport::sink_stream::SinkStreamTransport,
};
use serde::Deserialize;
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, PollSender};

use super::{
    Work,
    gate::refusal,
    http::{HttpOptions, MAX_BODY, too_many_sessions, unreadable},
    patient::Patient,
};
use crate::server::Principal;

/// Messages that wait in each direction before the sender has to.
const WAITING: usize = 32;

pub(super) fn routes<H: ServerHandler + Clone>(server: H, options: &HttpOptions, work: &Work, cut: &CancellationToken) -> Router {
    let clients =
        Clients { server, sessions: Arc::default(), max: options.max_sessions, idle: options.idle, work: work.clone(), cut: cut.clone() };
    Router::new()
        .route("/sse", get(open::<H>))
        .route("/messages", post(receive::<H>).layer(DefaultBodyLimit::max(MAX_BODY)))
        .with_state(Arc::new(clients))
}

struct Clients<H> {
    server: H,
    sessions: Arc<Sessions>,
    max: usize,
    idle: Duration,
    work: Work,
    cut: CancellationToken,
}

#[derive(Default)]
struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

struct Session {
    owner: Principal,
    messages: mpsc::Sender<ClientJsonRpcMessage>,
    heard: Mutex<Instant>,
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, id: &str, session: &Arc<Session>, max: usize) -> bool {
        let mut all = self.all();
        let room = all.len() < max;
        if room {
            all.insert(id.to_owned(), session.clone());
        }
        room
    }
}

impl Session {
    fn heard(&self) -> MutexGuard<'_, Instant> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the client has been silent for too long.
    async fn silence(&self, limit: Duration) {
        loop {
            let end = *self.heard() + limit;
            if Instant::now() >= end {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}

async fn open<H: ServerHandler + Clone>(State(clients): State<Arc<Clients<H>>>, Extension(owner): Extension<Principal>) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let (to_client, outgoing) = mpsc::channel::<TxJsonRpcMessage<RoleServer>>(WAITING);
    let (messages, incoming) = mpsc::channel(WAITING);
    let session = Arc::new(Session { owner, messages, heard: Mutex::new(Instant::now()) });
    if !clients.sessions.admit(&id, &session, clients.max) {
        tracing::warn!(max = clients.max, "a session was refused: there are too many");
        return too_many_sessions();
    }
    tracing::warn!("a client uses HTTP with SSE, which is deprecated; Streamable HTTP is at `/mcp`");

    let sink = PollSender::new(to_client).sink_map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe));
    let transport = Patient::new(SinkStreamTransport::new(sink, ReceiverStream::new(incoming)), clients.work.clone());
    let end = clients.cut.child_token();
    let served = serve_server_with_ct(clients.server.clone(), transport, end.clone());
    let (sessions, idle, ended) = (clients.sessions.clone(), clients.idle, end.clone());
    let key = id.clone();
    tokio::spawn(async move {
        let serve = async {
            match served.await {
                Ok(session) => drop(session.waiting().await),
                Err(error) => tracing::debug!(%error, "a session ended before it was opened"),
            }
        };
        let watch = async {
            session.silence(idle).await;
            ended.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! { () = serve => {} () = watch => {} }
        sessions.all().remove(&key);
    });

    let endpoint = Event::default().event("endpoint").data(format!("/messages?sessionId={id}"));
    // A client that leaves takes its session with it.
    let leaving = end.drop_guard();
    let events = ReceiverStream::new(outgoing).filter_map(move |message| {
        let _until_the_end = &leaving;
        let data = serde_json::to_string(&message);
        async move { data.ok().map(|it| Event::default().event("message").data(it)) }
    });
    let events = stream::once(async { endpoint }).chain(events).map(Ok::<_, Infallible>);
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    // Proxies that collect what they pass on would keep messages back.
    ([("x-accel-buffering", "no")], Sse::new(events).keep_alive(keep_alive)).into_response()
}

#[derive(Deserialize)]
struct Addressee {
    #[serde(rename = "sessionId")]
    session_id: String,
}

async fn receive<H: ServerHandler + Clone>(
    State(clients): State<Arc<Clients<H>>>,
    Extension(sender): Extension<Principal>,
    Query(to): Query<Addressee>,
    parts: Parts,
    body: Bytes,
) -> Response {
    let session = clients.sessions.all().get(&to.session_id).filter(|it| it.owner == sender).cloned();
    let Some(session) = session else { return no_session() };
    let Ok(mut message) = serde_json::from_slice::<ClientJsonRpcMessage>(&body) else { return unreadable() };
    *session.heard() = Instant::now();
    // Where the server looks for the principal.
    message.insert_extension(parts);
    if session.messages.send(message).await.is_err() {
        return no_session();
    }
    StatusCode::ACCEPTED.into_response()
}

fn no_session() -> Response {
    refusal(StatusCode::NOT_FOUND, "session_not_found", "there is no such session", "open one with GET /sse")
}
