//! Connections: taken in, served one by one, and no more of them than there is room for.
//!
//! Where there is no room, one ends on which nothing is being worked on: whoever has only connected, or begun to say something and
//! not ended, keeps nobody out.

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use crate::server::Principal;

/// How long to wait where the system has no room for another connection.
const BREATH: Duration = Duration::from_millis(200);

/// What is answered where nobody can be asked to leave.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The connections that there are.
#[derive(Debug)]
struct Connections {
    all: Mutex<Vec<Arc<Connection>>>,
    max: usize,
}

/// One of them. Requests carry the one they came on.
#[derive(Debug)]
pub(super) struct Connection {
    state: Mutex<State>,
    end: CancellationToken,
    among: Weak<Connections>,
}

#[derive(Debug)]
struct State {
    /// Whose request is on it, or was.
    caller: Option<Principal>,
    /// Requests that have come whole and are not answered to the end.
    at_work: usize,
    quiet_since: Instant,
}

/// Held while a request of a connection is being worked on.
#[derive(Debug)]
pub(super) struct AtWork(Arc<Connection>);

/// Takes connections in until `shutdown`, and serves them until they end.
pub(super) async fn accept(listener: TcpListener, router: Router, max: usize, header_timeout: Duration, shutdown: CancellationToken) {
    let connections = Arc::new(Connections { all: Mutex::default(), max });
    let serving = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(it) => it,
            Err(error) if is_of_one(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "no connection can be taken in; trying again");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let Some(connection) = connections.admit() else {
            tracing::warn!(max, "a connection was refused: something is being worked on in all of them");
            let _ = stream.try_write(FULL); // it may be gone already
            continue;
        };
        // Answers are small and come in pieces: with Nagle's algorithm each would wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let (router, shutdown, connections) = (router.clone(), shutdown.clone(), Arc::clone(&connections));
        serving.spawn(async move {
            serve(stream, peer, router, &connection, header_timeout, &shutdown).await;
            connections.remove(&connection);
        });
    }
    drop(listener);
    serving.close();
    serving.wait().await;
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    connection: &Arc<Connection>,
    header_timeout: Duration,
    shutdown: &CancellationToken,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(connection));
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(header_timeout);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = shutdown.cancelled(), if !stopping => {
                stopping = true;
                served.as_mut().graceful_shutdown();
            }
            () = connection.end.cancelled() => {
                tracing::debug!("a connection on which nothing was being worked on made room for another");
                return;
            }
        }
    }
}

impl Connections {
    /// A place for one more, if need be that of the one which has been quiet the longest.
    fn admit(self: &Arc<Self>) -> Option<Arc<Connection>> {
        let mut all = self.all();
        if all.len() >= self.max {
            let at = quietest(&all, |_| true)?;
            all.swap_remove(at).end.cancel();
        }
        let state = Mutex::new(State { caller: None, at_work: 0, quiet_since: Instant::now() });
        let connection = Arc::new(Connection { state, end: CancellationToken::new(), among: Arc::downgrade(self) });
        all.push(Arc::clone(&connection));
        Some(connection)
    }

    fn remove(&self, connection: &Arc<Connection>) {
        self.all().retain(|it| !Arc::ptr_eq(it, connection));
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of those that fit, the one on which nothing has been worked on for the longest time.
fn quietest(all: &[Arc<Connection>], fits: impl Fn(&Connection) -> bool) -> Option<usize> {
    let quiet = |it: &Arc<Connection>| {
        let state = it.state();
        (state.at_work == 0).then_some(state.quiet_since)
    };
    let quiet = all.iter().enumerate().filter(|(_, it)| fits(it)).filter_map(|(at, it)| Some((at, quiet(it)?)));
    quiet.min_by_key(|it| it.1).map(|it| it.0)
}

impl Connection {
    /// Says whose request has come.
    pub(super) fn is_of(&self, caller: &Principal) {
        self.state().caller = Some(caller.clone());
    }

    /// Ends another connection of the same caller's, on which nothing is being worked on. False where there is none.
    pub(super) fn takes_the_place_of_another(&self, caller: &Principal) -> bool {
        let Some(among) = self.among.upgrade() else { return false };
        let mut all = among.all();
        let found = quietest(&all, |it| !std::ptr::eq(it, self) && it.state().caller.as_ref() == Some(caller));
        found.is_some_and(|at| {
            all.swap_remove(at).end.cancel();
            true
        })
    }

    /// Says that a request is being worked on, as long as the answer is held.
    pub(super) fn at_work(self: &Arc<Self>) -> AtWork {
        self.state().at_work += 1;
        AtWork(Arc::clone(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.at_work -= 1;
        state.quiet_since = Instant::now();
    }
}

/// Whether only the connection that was about to come is concerned.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
