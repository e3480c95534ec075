//! Streamable HTTP at `/mcp`, both protocol eras, with HTTP and SSE as it was before beside it where it is wanted.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{StatusCode, header::RETRY_AFTER},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::any,
};
use futures_util::future::BoxFuture;
use rmcp::{
    ServerHandler,
    transport::{StreamableHttpServerConfig, StreamableHttpService, streamable_http_server::session::local::LocalSessionManager},
};
use secrecy::SecretString;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use super::operators::Operators;
use super::{
    ServeError, Work,
    accept::{Connection, accept},
    body::{MAX_BODY, Reader, held},
    endpoint::{self, Endpoint},
    gate::{self, Gate, refusal},
    operators,
    sessions::Sessions,
    sse,
};
use crate::server::{Principal, Turns};

/// How long a connection takes at most that has to make room for another.
const LEAVING: Duration = Duration::from_secs(1);

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
    /// Connections at once. Where there are more, those end on which nothing is being worked on.
    pub max_connections: usize,
    /// Sessions at once, of each of the two transports that have them. Where there are more, those end that nobody uses.
    pub max_sessions: usize,
    /// Requests that are worked on at once; more wait.
    pub max_requests: usize,
    /// How much of each of these one caller may have, in percent; all, where there is only one.
    pub caller_share: u8,
    /// How long a client may take to send the head of a request. A connection that says nothing for so long ends.
    pub header_timeout: Duration,
    /// How long a client may take to send the body of a request.
    pub body_timeout: Duration,
    /// How long a session may be silent. A person who is asked is silent, too.
    pub idle: Duration,
    /// How long a shutdown waits for what is being worked on.
    pub grace: Duration,
    /// What those are told who look after the server.
    pub operators: Operators,
    /// Pages for people, under this path. They let in whom they know by themselves: no token is asked for there.
    pub pages: Option<(&'static str, Router)>,
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
            max_connections: 1024,
            max_sessions: 256,
            max_requests: 256,
            caller_share: 50,
            header_timeout: Duration::from_mins(1),
            body_timeout: Duration::from_secs(30),
            idle: Duration::from_hours(1),
            grace: Duration::from_secs(5),
            operators: Operators::default(),
            pages: None,
        }
    }

    /// How many of `all` one caller may have.
    pub(super) fn share_of(&self, all: usize) -> usize {
        if self.tokens.len() < 2 { all } else { (all * usize::from(self.caller_share.min(100)) / 100).max(1) }
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
    let work = Work::default();
    let cut = CancellationToken::new();
    let router = router(server, &options, &work, &cut);
    behind_gate(router, options, work, cut, shutdown).await
}

/// Serves the pages of the options, and nothing to clients.
///
/// # Errors
///
/// As [`serve_http`].
pub async fn serve_pages(options: HttpOptions, shutdown: CancellationToken) -> Result<Bound, ServeError> {
    let pages = options.pages.clone().map(|it| it.1).unwrap_or_default();
    let router =
        pages.fallback(|| async { refusal(StatusCode::NOT_FOUND, "not_found", "there is nothing here", "the pages are at `/console`") });
    behind_gate(router, options, Work::default(), CancellationToken::new(), shutdown).await
}

async fn behind_gate(
    router: Router,
    options: HttpOptions,
    work: Work,
    cut: CancellationToken,
    shutdown: CancellationToken,
) -> Result<Bound, ServeError> {
    if options.tokens.is_empty() && !options.addr.ip().to_canonical().is_loopback() {
        return Err(ServeError::Exposed { addr: options.addr });
    }
    let gate = Gate::new(&options)?;
    let bind = |source| ServeError::Bind { addr: options.addr, source };
    let listener = TcpListener::bind(options.addr).await.map_err(bind)?;
    let addr = listener.local_addr().map_err(bind)?;

    let router = router.layer(from_fn_with_state(Arc::new(gate.listening_on(addr)), gate::pass));
    let accepting = tokio::spawn(accept(listener, router, options.max_connections, options.header_timeout, shutdown.clone()));
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
    let config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_BODY)
        // The gate has looked at them already, for all routes.
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_cancellation_token(cut.child_token());
    let handler = server.clone();
    let reader = Reader::new(options.body_timeout);
    let endpoint = Endpoint {
        sessions: Sessions::new(Arc::clone(&manager), options.max_sessions, options.share_of(options.max_sessions)),
        service: StreamableHttpService::new(move || Ok(handler.clone()), manager, config),
        reader: reader.clone(),
        turns: Turns::new(options.max_requests, options.share_of(options.max_requests)),
        work: work.clone(),
    };

    let mut routes = Router::new().route("/mcp", any(endpoint::answer::<H>)).with_state(Arc::new(endpoint));
    if options.sse {
        routes = routes.merge(sse::routes(server, options, reader, work, cut));
    }
    // One caller's requests and streams leave room for others, and for whoever asks how the server is.
    let most = options.share_of(options.max_connections).min(options.max_connections * 9 / 10);
    let open = Turns::new(options.max_connections, most);
    routes
        .layer(from_fn_with_state(open, within_share))
        .merge(operators::routes(&options.operators))
        .merge(options.pages.clone().map(|it| it.1).unwrap_or_default())
        .fallback(|| async { refusal(StatusCode::NOT_FOUND, "not_found", "there is nothing here", "the MCP endpoint is `/mcp`") })
}

/// Keeps what one caller has open at once within bounds: requests from their first byte to the last of their answer, and streams.
async fn within_share(
    State(open): State<Turns>,
    Extension(principal): Extension<Principal>,
    Extension(connection): Extension<Arc<Connection>>,
    request: Request,
    next: Next,
) -> Response {
    let mut turn = open.try_take(&principal.0);
    if turn.is_none() && connection.takes_the_place_of_another(&principal) {
        turn = tokio::time::timeout(LEAVING, open.take(&principal.0)).await.ok().flatten();
    }
    connection.is_of(&principal);
    let Some(turn) = turn else {
        tracing::warn!(principal = principal.0, "a request was refused: its caller has too many open");
        return too_many_requests();
    };
    held(next.run(request).await, false, turn)
}

pub(super) fn too_many_requests() -> Response {
    let message = "too many requests of this caller are open";
    later(refusal(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message, "let some end, or wait and try again"), 5)
}

pub(super) fn too_many_sessions() -> Response {
    let message = "too many sessions are open, and all of them are used";
    later(refusal(StatusCode::SERVICE_UNAVAILABLE, "too_many_sessions", message, "close one, or wait and try again"), 30)
}

fn later(mut response: Response, seconds: u16) -> Response {
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
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
