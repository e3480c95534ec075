//! HTTP with SSE as it was before Streamable HTTP: messages to the client on one stream, messages of the client by POST.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::ready,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::{Query, Request, State},
    http::StatusCode,
    response::{
        IntoResponse as _, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use rmcp::{
    RoleServer, ServerHandler,
    model::{ClientJsonRpcMessage, ProtocolVersion, ServerJsonRpcMessage, ServerResult},
    service::{TxJsonRpcMessage, serve_server_with_ct},
    transport::sink_stream::SinkStreamTransport,
};
use serde::Deserialize;
use tokio::{
    sync::mpsc::{self, error::SendTimeoutError},
    time::Instant,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, PollSender};

use super::{
    Work,
    accept::Connection,
    body::{Reader, held},
    endpoint::faulty,
    gate::refusal,
    http::{HttpOptions, too_many_requests, too_many_sessions},
    message::{self, Fault, Sent},
    patient::Patient,
};
use crate::server::Principal;

/// Messages that wait in each direction before the sender has to.
const WAITING: usize = 32;

/// How long a message waits for a session that takes none in, since its client does not read what comes back.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn routes<H: ServerHandler + Clone>(
    server: H,
    options: &HttpOptions,
    reader: Reader,
    work: &Work,
    cut: &CancellationToken,
) -> Router {
    let clients = Clients {
        server,
        sessions: Arc::default(),
        max: options.max_sessions,
        each: options.share_of(options.max_sessions),
        idle: options.idle,
        reader,
        work: work.clone(),
        cut: cut.clone(),
    };
    Router::new().route("/sse", get(open::<H>)).route("/messages", post(receive::<H>)).with_state(Arc::new(clients))
}

struct Clients<H> {
    server: H,
    sessions: Arc<Sessions>,
    max: usize,
    each: usize,
    idle: Duration,
    reader: Reader,
    work: Work,
    cut: CancellationToken,
}

#[derive(Default)]
struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

struct Session {
    owner: Principal,
    messages: mpsc::Sender<ClientJsonRpcMessage>,
    /// What is answered without the server goes out on the same stream, which ends with the server's end of it.
    answers: mpsc::WeakSender<Outgoing>,
    heard: Mutex<Instant>,
    version: Mutex<Option<ProtocolVersion>>,
}

/// What goes to the client.
enum Outgoing {
    Message(Box<TxJsonRpcMessage<RoleServer>>),
    Fault(Fault),
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, id: &str, session: &Arc<Session>, max: usize, each: usize) -> bool {
        let mut all = self.all();
        let room = all.len() < max && all.values().filter(|it| it.owner == session.owner).count() < each;
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

    fn version(&self) -> Option<ProtocolVersion> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers the version that was agreed on.
    fn notice(&self, message: &ServerJsonRpcMessage) {
        if let ServerJsonRpcMessage::Response(response) = message
            && let ServerResult::InitializeResult(result) = &response.result
        {
            *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.protocol_version.clone());
        }
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

async fn open<H: ServerHandler + Clone>(
    State(clients): State<Arc<Clients<H>>>,
    Extension(owner): Extension<Principal>,
    Extension(connection): Extension<Arc<Connection>>,
) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let (to_client, outgoing) = mpsc::channel::<Outgoing>(WAITING);
    let (messages, incoming) = mpsc::channel(WAITING);
    let session =
        Arc::new(Session { owner, messages, answers: to_client.downgrade(), heard: Mutex::new(Instant::now()), version: Mutex::default() });
    if !clients.sessions.admit(&id, &session, clients.max, clients.each) {
        tracing::warn!(max = clients.max, of_one = clients.each, "a session was refused: there are too many");
        return too_many_sessions();
    }
    tracing::warn!("a client uses HTTP with SSE, which is deprecated; Streamable HTTP is at `/mcp`");

    let broken = |_| io::Error::from(io::ErrorKind::BrokenPipe);
    let sink =
        PollSender::new(to_client).sink_map_err(broken).with(|message| ready(Ok::<_, io::Error>(Outgoing::Message(Box::new(message)))));
    let transport = Patient::new(SinkStreamTransport::new(sink, ReceiverStream::new(incoming)), clients.work.clone());
    let end = clients.cut.child_token();
    let served = serve_server_with_ct(clients.server.clone(), transport, end.clone());
    let (sessions, idle, ended, listened) = (clients.sessions.clone(), clients.idle, end.clone(), Arc::clone(&session));
    let key = id.clone();
    tokio::spawn(async move {
        let serve = async {
            match served.await {
                Ok(session) => drop(session.waiting().await),
                Err(error) => tracing::debug!(%error, "a session ended before it was opened"),
            }
        };
        let watch = async {
            listened.silence(idle).await;
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
        let data = match &message {
            Outgoing::Message(message) => {
                session.notice(message);
                serde_json::to_string(message)
            }
            Outgoing::Fault(fault) => Ok(fault.to_value().to_string()),
        };
        async move { data.ok().map(|it| Event::default().event("message").data(it)) }
    });
    let events = stream::once(async { endpoint }).chain(events).map(Ok::<_, Infallible>);
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    // Proxies that collect what they pass on would keep messages back.
    let response = ([("x-accel-buffering", "no")], Sse::new(events).keep_alive(keep_alive)).into_response();
    held(response, false, connection.at_work())
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
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let session = clients.sessions.all().get(&to.session_id).filter(|it| it.owner == sender).cloned();
    let Some(session) = session else { return no_session() };
    let bytes = match clients.reader.read(&parts.headers, body, &sender).await {
        Ok(bytes) => bytes,
        Err(refused) => return *refused,
    };
    let read = match message::read(&bytes) {
        Sent::Message(message) => vec![Ok(message)],
        Sent::Batch(items) => match message::may_batch(session.version().as_ref(), &items) {
            Ok(()) => items.iter().map(message::read_item).collect(),
            Err(fault) => return faulty(&fault),
        },
        Sent::Fault(fault) if fault.answers_a_request() => vec![Err(fault)],
        Sent::Fault(fault) => return faulty(&fault),
    };
    *session.heard() = Instant::now();
    for item in read {
        let taken = match item {
            Ok(mut message) => {
                // Where the server looks for the principal.
                message.insert_extension(parts.clone());
                taken(session.messages.send_timeout(message, PATIENCE).await)
            }
            Err(fault) => match session.answers.upgrade() {
                Some(answers) => taken(answers.send_timeout(Outgoing::Fault(fault), PATIENCE).await),
                None => Err(no_session().into()),
            },
        };
        if let Err(refused) = taken {
            return *refused;
        }
    }
    StatusCode::ACCEPTED.into_response()
}

fn taken<T>(sent: Result<(), SendTimeoutError<T>>) -> Result<(), Box<Response>> {
    sent.map_err(|error| match error {
        SendTimeoutError::Timeout(_) => too_many_requests().into(),
        SendTimeoutError::Closed(_) => no_session().into(),
    })
}

fn no_session() -> Response {
    refusal(StatusCode::NOT_FOUND, "session_not_found", "there is no such session", "open one with GET /sse")
}
