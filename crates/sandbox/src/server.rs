//! Listening: HTTP/1.1 on the loopback, one platform, its faults and its journal.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes, to_bytes};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{Answer, Call, Fault, Faults, Kind, Platform};

/// How a sandbox behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port 0 takes any that is free.
    pub port: u16,
    pub faults: Faults,
    /// What every answer takes.
    pub latency: Duration,
    /// Requests a second, as many at once; more are answered with 429 and `Retry-After`.
    pub rate: Option<u32>,
    /// Keeps the state here: read at the start, written after each change.
    pub state: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, faults: Faults::new(Vec::new(), 1), latency: Duration::ZERO, rate: None, state: None }
    }
}

/// A request that came in, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exchange {
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    /// By lower-case name, without `authorization`, which is kept as whether it was there.
    pub headers: BTreeMap<String, String>,
    pub authorized: bool,
    pub body: String,
    /// `None` where the connection was dropped.
    pub status: Option<u16>,
    /// Whether the platform saw it: a fault may have kept it away.
    pub took_effect: bool,
}

/// How many requests the journal keeps.
const JOURNAL: usize = 20_000;
const MAX_BODY: usize = 8 * 1024 * 1024;

/// A running sandbox; it ends when this is dropped.
#[derive(Debug)]
pub struct Sandbox<P> {
    pub addr: SocketAddr,
    /// Where clients reach it: `http://127.0.0.1:PORT`.
    pub url: String,
    shared: Arc<Shared<P>>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Shared<P> {
    platform: Mutex<P>,
    faults: Mutex<Faults>,
    journal: Mutex<VecDeque<Exchange>>,
    bucket: Mutex<Bucket>,
    latency: Duration,
    state: Option<PathBuf>,
}

impl<P> Drop for Sandbox<P> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl<P: Platform> Sandbox<P> {
    /// The platform, to look at or to change behind its callers' backs.
    pub fn platform(&self) -> MutexGuard<'_, P> {
        lock(&self.shared.platform)
    }

    /// What came in so far, oldest first.
    #[must_use]
    pub fn journal(&self) -> Vec<Exchange> {
        lock(&self.shared.journal).iter().cloned().collect()
    }

    /// Forgets what came in.
    pub fn clear_journal(&self) {
        lock(&self.shared.journal).clear();
    }

    /// Puts these faults in the place of those there were.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        lock(&self.shared.faults).replace(faults);
    }

    /// Waits for ever.
    pub async fn run(&self) {
        self.stop.cancelled().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens on the loopback and serves in the background.
///
/// # Errors
///
/// Where the port cannot be had or the state cannot be read.
pub async fn start<P: Platform>(platform: P, options: Options) -> io::Result<Sandbox<P>> {
    let platform = match &options.state {
        Some(path) if path.exists() => serde_json::from_slice(&std::fs::read(path)?)?,
        _ => platform,
    };
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let addr = listener.local_addr()?;
    let shared = Arc::new(Shared {
        platform: Mutex::new(platform),
        faults: Mutex::new(options.faults),
        journal: Mutex::default(),
        bucket: Mutex::new(Bucket::new(options.rate)),
        latency: options.latency,
        state: options.state,
    });
    let stop = CancellationToken::new();
    tokio::spawn(accept(listener, Arc::clone(&shared), stop.clone()));
    Ok(Sandbox { addr, url: format!("http://{addr}"), shared, stop })
}

async fn accept<P: Platform>(listener: TcpListener, shared: Arc<Shared<P>>, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue, // the peer is gone already, or too many files are open for a moment
            },
        };
        let (shared, stop) = (Arc::clone(&shared), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = converse(stream, shared) => {}
            }
        });
    }
}

/// What ends a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
struct Dropped;

async fn converse<P: Platform>(stream: TcpStream, shared: Arc<Shared<P>>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(Body::new(body), MAX_BODY).await.unwrap_or_default();
            let target = parts.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
            let mut headers = BTreeMap::new();
            for (name, value) in &parts.headers {
                headers.insert(name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned());
            }
            let answer = shared.respond(Call::new(parts.method.as_str(), &target, headers, body.to_vec()), &target).await?;
            let mut response = Response::builder().status(answer.status);
            for (name, value) in answer.headers {
                response = response.header(name, value);
            }
            response.body(Body::from(Bytes::from(answer.body))).map_err(|_| Dropped)
        }
    });
    // A connection that was dropped on purpose ends here with an error, too.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

impl<P: Platform> Shared<P> {
    async fn respond(&self, call: Call, target: &str) -> Result<Answer, Dropped> {
        if call.segments.first().is_some_and(|it| it == "_sandbox") {
            return Ok(self.own(&call));
        }
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let wait = lock(&self.bucket).take(Instant::now());
        let path = target.split('?').next().unwrap_or_default();
        let fault = match wait {
            Some(_) => Some(Kind::TooMany),
            None => lock(&self.faults).strike(&call.method, path),
        };
        let kept_away = match fault {
            Some(Kind::TooMany) => Some(Ok(too_many().with_header("retry-after", wait.unwrap_or(1).to_string()))),
            Some(Kind::TooManyBare) => Some(Ok(too_many())),
            Some(Kind::Server(status)) => Some(Ok(failed(status))),
            Some(Kind::Html) => Some(Ok(Answer::text(502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>"))),
            Some(Kind::DropBefore) => Some(Err(Dropped)),
            _ => None,
        };
        let answered = if let Some(it) = kept_away { it } else { self.answered(&call, fault) };
        let took_effect = !matches!(fault, Some(Kind::TooMany | Kind::TooManyBare | Kind::Server(_) | Kind::Html | Kind::DropBefore));
        // Before a slow answer: whoever asked may not wait for it.
        self.note(call, target, answered.as_ref().ok().map(|it| it.status), took_effect);
        if fault == Some(Kind::Slow) {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        answered
    }

    /// What comes back of a request that the platform sees.
    fn answered(&self, call: &Call, fault: Option<Kind>) -> Result<Answer, Dropped> {
        let answer = self.act(call);
        match fault {
            Some(Kind::Drop) => Err(Dropped),
            Some(Kind::ServerAfter(status)) => Ok(failed(status)),
            Some(Kind::Malformed) => {
                let half = answer.body.len() / 2;
                Ok(Answer { body: answer.body.into_iter().take(half.max(1)).collect(), ..answer })
            }
            _ => Ok(answer),
        }
    }

    fn act(&self, call: &Call) -> Answer {
        let mut platform = lock(&self.platform);
        let answer = platform.answer(call);
        if let (Some(path), false) = (&self.state, call.method == "GET")
            && let Err(error) = save(path, &*platform)
        {
            tracing::error!(%error, path = %path.display(), "the sandbox's state could not be written");
        }
        answer
    }

    fn note(&self, call: Call, target: &str, status: Option<u16>, took_effect: bool) {
        let mut headers = call.headers;
        let authorized = headers.remove("authorization").is_some();
        let exchange = Exchange {
            method: call.method,
            target: target.to_owned(),
            headers,
            authorized,
            body: String::from_utf8_lossy(&call.body).into_owned(),
            status,
            took_effect,
        };
        let mut journal = lock(&self.journal);
        if journal.len() == JOURNAL {
            journal.pop_front();
        }
        journal.push_back(exchange);
    }

    /// The sandbox's own paths.
    fn own(&self, call: &Call) -> Answer {
        let (method, segments) = call.route();
        match (method, segments.get(1..).unwrap_or_default()) {
            ("GET", ["state"]) => Answer::ok(&*lock(&self.platform)),
            ("GET", ["journal"]) => Answer::ok(&*lock(&self.journal)),
            ("DELETE", ["journal"]) => {
                lock(&self.journal).clear();
                Answer::empty(204)
            }
            ("PUT", ["faults"]) => {
                let texts: Vec<String> = call.json().and_then(|it| serde_json::from_value(it).ok()).unwrap_or_default();
                match texts.iter().map(|it| it.parse()).collect::<Result<Vec<Fault>, _>>() {
                    Ok(faults) => {
                        lock(&self.faults).replace(faults);
                        Answer::empty(204)
                    }
                    Err(error) => Answer::json(400, &json!({ "message": error.to_string() })),
                }
            }
            _ => Answer::no_such_path(),
        }
    }
}

fn too_many() -> Answer {
    Answer::json(429, &json!({ "error": { "message": "too many requests", "type": "rate_limit", "param": null, "code": null } }))
}

fn failed(status: u16) -> Answer {
    Answer::json(status, &json!({ "error": { "message": "the service failed", "type": "server_error", "param": null, "code": null } }))
}

/// Writes beside and renames: a process that is killed in between leaves the state whole.
fn save(path: &Path, platform: &impl Serialize) -> io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, serde_json::to_vec(platform)?)?;
    std::fs::rename(beside, path)
}

/// How many requests are allowed now: as many as a second brings, and no more saved up.
#[derive(Debug)]
struct Bucket {
    rate: Option<f64>,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn new(rate: Option<u32>) -> Self {
        let rate = rate.map(f64::from);
        Self { rate, tokens: rate.unwrap_or_default(), filled: Instant::now() }
    }

    /// `None` where the request may pass, else how many seconds to wait.
    fn take(&mut self, now: Instant) -> Option<u32> {
        let rate = self.rate?;
        self.tokens = rate.min(self.tokens + rate * now.duration_since(self.filled).as_secs_f64());
        self.filled = now;
        if self.tokens < 1.0 {
            return Some(1);
        }
        self.tokens -= 1.0;
        None
    }
}
