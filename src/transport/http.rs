//! Streamable HTTP at `/mcp`, both protocol eras, with HTTP and SSE as it was before beside it where it is wanted.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, Method, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::get,
    serve::ListenerExt as _,
};
use futures_util::{StreamExt as _, future::BoxFuture};
use rmcp::{
    ServerHandler,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService,
        streamable_http_server::session::{SessionManager as _, local::LocalSessionManager},
    },
};
use secrecy::SecretString;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tower::limit::GlobalConcurrencyLimitLayer;

use super::{
    ServeError, Work,
    gate::{self, Gate, refusal},
    sse,
};
use crate::server::Principal;

/// The largest message a client may send.
pub(super) const MAX_BODY: usize = 4 * 1024 * 1024;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");

/// How long connections may take to end when everything on them has ended.
const CLOSING: Duration = Duration::from_secs(4);

/// Where and for whom the server is there over HTTP.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Port 0 takes any that is free.
    pub addr: SocketAddr,
    /// Also HTTP with SSE as it was before Streamable HTTP, at `/sse` and `/messages`.
    pub sse: bool,
    /// Who may call, each a principal of its own. Without any, everybody who reaches the server may.
    pub tokens: Vec<SecretString>,
    /// Names that clients call the server by, beside those of this machine: `name` or `name:port`.
    pub allow_hosts: Vec<String>,
    /// Pages whose scripts may call: `https://app.example.com`, or `http://localhost:*` for any port.
    pub allow_origins: Vec<String>,
    /// Sessions at once, of each of the two transports that have them.
    pub max_sessions: usize,
    /// Requests at once; more wait.
    pub max_requests: usize,
    /// How long a session may be silent. A person who is asked is silent, too.
    pub idle: Duration,
    /// How long a shutdown waits for what is being worked on.
    pub grace: Duration,
}

impl HttpOptions {
    /// The defaults, at this address.
    #[must_use]
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            sse: false,
            tokens: Vec::new(),
            allow_hosts: Vec::new(),
            allow_origins: Vec::new(),
            max_sessions: 256,
            max_requests: 256,
            idle: Duration::from_hours(1),
            grace: Duration::from_secs(5),
        }
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Bound {
    /// Where it listens; with the port that was found free when none was asked for.
    pub addr: SocketAddr,
    done: JoinHandle<()>,
}

impl Bound {
    /// Waits until a shutdown has ended the server.
    ///
    /// # Errors
    ///
    /// Where the server has failed inside.
    pub async fn finished(self) -> Result<(), ServeError> {
        Ok(self.done.await?)
    }
}

/// Listens, and serves in the background until `shutdown` is cancelled.
///
/// # Errors
///
/// Where the options do not go together or the address cannot be had.
pub fn serve_http<H>(server: H, options: HttpOptions, shutdown: CancellationToken) -> BoxFuture<'static, Result<Bound, ServeError>>
where
    H: ServerHandler + Clone,
{
    Box::pin(listen(server, options, shutdown))
}

async fn listen<H>(server: H, options: HttpOptions, shutdown: CancellationToken) -> Result<Bound, ServeError>
where
    H: ServerHandler + Clone,
{
    if options.tokens.is_empty() && !options.addr.ip().to_canonical().is_loopback() {
        return Err(ServeError::Exposed { addr: options.addr });
    }
    let gate = Gate::new(&options)?;
    let bind = |source| ServeError::Bind { addr: options.addr, source };
    let listener = TcpListener::bind(options.addr).await.map_err(bind)?;
    let addr = listener.local_addr().map_err(bind)?;
    // Answers are small and come in pieces: with Nagle's algorithm each would wait for the client's acknowledgement.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));

    let work = Work::default();
    let cut = CancellationToken::new();
    let router = router(server, &options, &work, &cut).layer(from_fn_with_state(Arc::new(gate.listening_on(addr)), gate::pass));
    let accepting = axum::serve(listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let accepting = tokio::spawn(accepting.into_future());
    let done = tokio::spawn(async move {
        shutdown.cancelled().await;
        // First what is being worked on, then what would stay open for ever, then what does not listen.
        work.finish(options.grace).await;
        cut.cancel();
        if tokio::time::timeout(CLOSING, accepting).await.is_err() {
            tracing::warn!("stopping in spite of connections that do not end");
        }
    });
    Ok(Bound { addr, done })
}

fn router<H: ServerHandler + Clone>(server: H, options: &HttpOptions, work: &Work, cut: &CancellationToken) -> Router {
    let mut manager = LocalSessionManager::default();
    manager.session_config.keep_alive = Some(options.idle);
    let manager = Arc::new(manager);
    let sessions = Arc::new(Sessions { manager: manager.clone(), owners: Mutex::default(), max: options.max_sessions });
    let config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_BODY)
        // The gate has looked at them already, for all routes.
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_cancellation_token(cut.child_token());
    let handler = server.clone();
    let streamable = StreamableHttpService::new(move || Ok(handler.clone()), manager, config);

    let mut routes = Router::new()
        .route_service("/mcp", streamable)
        .layer(from_fn_with_state(work.clone(), count))
        .layer(from_fn_with_state(sessions, keep_apart));
    if options.sse {
        routes = routes.merge(sse::routes(server, options, work, cut));
    }
    routes
        .layer(GlobalConcurrencyLimitLayer::new(options.max_requests))
        .route(gate::HEALTH, get(|| async { Json(json!({ "status": "ok" })) }))
        .fallback(|| async { refusal(StatusCode::NOT_FOUND, "not_found", "there is nothing here", "the MCP endpoint is `/mcp`") })
}

/// The sessions of clients of the older era, and whose they are.
struct Sessions {
    manager: Arc<LocalSessionManager>,
    owners: Mutex<HashMap<String, Principal>>,
    max: usize,
}

impl Sessions {
    fn is_foreign(&self, id: &str, principal: &Principal) -> bool {
        let owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.get(id).is_some_and(|it| it != principal)
    }

    /// Remembers whose a new session is. False when there are too many.
    async fn admit(&self, id: &str, principal: Principal) -> bool {
        let live = self.manager.sessions.read().await;
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|it, _| live.contains_key(it.as_str()));
        if owners.len() >= self.max {
            return false;
        }
        owners.insert(id.to_owned(), principal);
        true
    }
}

/// Binds sessions to their principals, and keeps their number down.
///
/// Without it an answer to a question in a session would count whoever sent it.
async fn keep_apart(
    State(sessions): State<Arc<Sessions>>,
    Extension(principal): Extension<Principal>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(id) = session_id(request.headers())
        && sessions.is_foreign(id, &principal)
    {
        // As for a session that does not exist: nobody learns which ones do.
        return (StatusCode::NOT_FOUND, "Not Found: Session not found").into_response();
    }
    let sent_json = request.headers().get(CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"application/json"));
    let response = next.run(request).await;
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE && sent_json {
        // rmcp's way of saying that it could not read the body.
        return unreadable();
    }
    let Some(id) = session_id(response.headers()) else { return response };
    if sessions.admit(id, principal).await {
        return response;
    }
    tracing::warn!(max = sessions.max, "a session was refused: there are too many");
    if let Err(error) = sessions.manager.close_session(&id.into()).await {
        tracing::warn!(%error, "a session was not closed");
    }
    too_many_sessions()
}

/// Counts requests until they are answered and their handlers have ended, so that a shutdown can wait for them.
async fn count(State(work): State<Work>, mut request: Request, next: Next) -> Response {
    let stands = request.method() != Method::POST || request.headers().get(METHOD).is_some_and(|it| it == "subscriptions/listen");
    if stands {
        return next.run(request).await;
    }
    let busy = work.begin();
    // It travels with the request: a handler goes on when its client has left.
    request.extensions_mut().insert(busy.clone());
    let response = next.run(request).await;
    let streams = response.headers().get(CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"text/event-stream"));
    if !streams {
        return response;
    }
    response.map(|body| {
        Body::from_stream(body.into_data_stream().map(move |chunk| {
            let _until_the_end = &busy;
            chunk
        }))
    })
}

pub(super) fn too_many_sessions() -> Response {
    let mut response =
        refusal(StatusCode::SERVICE_UNAVAILABLE, "too_many_sessions", "too many sessions are open", "close one, or wait and try again");
    response.headers_mut().insert(RETRY_AFTER, 30.into());
    response
}

/// JSON-RPC's answer to what is not a message.
pub(super) fn unreadable() -> Response {
    let message = "the body is not one JSON-RPC message; batches are not taken";
    (StatusCode::BAD_REQUEST, Json(json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32700, "message": message } })))
        .into_response()
}

fn session_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(SESSION)?.to_str().ok()
}

/// Reads a token file: a token a line, each for one principal.
///
/// # Errors
///
/// Where the file cannot be read, or holds no token or one that can be guessed.
pub fn read_tokens(path: &Path) -> Result<Vec<SecretString>, ServeError> {
    let text = std::fs::read_to_string(path).map_err(|source| ServeError::TokenFile { path: path.into(), source })?;
    warn_if_readable_by_others(path);
    let bad = |problem| Err(ServeError::BadToken { path: path.into(), problem });
    let tokens: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    if tokens.is_empty() {
        return bad("is empty");
    }
    if tokens.iter().any(|it| it.len() < 16) {
        return bad("has a token of fewer than 16 characters");
    }
    if tokens.iter().any(|it| !it.bytes().all(|byte| byte.is_ascii_graphic())) {
        return bad("has a token with a character that cannot be sent");
    }
    Ok(tokens.into_iter().map(SecretString::from).collect())
}

#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if std::fs::metadata(path).is_ok_and(|it| it.permissions().mode() & 0o077 != 0) {
        tracing::warn!("token file `{}` can be read by others; run `chmod 600` on it", path.display());
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &Path) {}
