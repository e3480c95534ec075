//! How clients reach the server: stdio, Streamable HTTP, HTTP with SSE as it was before, and a pipe in memory. No business code lives here.
//!
//! Every transport serves any [`rmcp::ServerHandler`], so that what wraps the server is served the same way.

mod accept;
mod body;
mod endpoint;
mod gate;
pub mod http;
mod lines;
mod message;
mod operators;
mod patient;
pub(crate) mod pipe;
mod sessions;
mod sse;
pub mod stdio;

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use rmcp::service::ServerInitializeError;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// Why a transport did not start, or ended other than it should.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Anybody on the network could call.
    #[error("`{addr}` can be reached from other machines and no token is asked for; give `--token-file FILE` or bind a loopback address")]
    Exposed { addr: SocketAddr },
    #[error("`{addr}` cannot be bound")]
    Bind { addr: SocketAddr, source: io::Error },
    #[error("`{0}` is not a host; write `rolecall.example.com` or `rolecall.example.com:8443`")]
    BadHost(String),
    #[error("`{0}` is not an origin; write `https://app.example.com`, or `http://localhost:*` for any port")]
    BadOrigin(String),
    #[error("token file `{}` cannot be read", .path.display())]
    TokenFile { path: PathBuf, source: io::Error },
    #[error("token file `{}` {problem}; make one with `openssl rand -hex 32`", .path.display())]
    BadToken { path: PathBuf, problem: &'static str },
    #[error("signals cannot be waited for")]
    Signals(#[source] io::Error),
    #[error("the session could not be opened")]
    Session(#[source] Box<ServerInitializeError>),
    #[error("the transport failed inside")]
    Failed(#[from] tokio::task::JoinError),
}

/// The requests that are being worked on, so that a shutdown can let them finish.
#[derive(Debug, Clone, Default)]
struct Work(TaskTracker);

/// Held as long as a request is being worked on.
#[derive(Debug, Clone)]
struct Busy {
    _token: TaskTrackerToken,
}

impl Work {
    fn begin(&self) -> Busy {
        Busy { _token: self.0.token() }
    }

    /// Waits until nothing is being worked on, but not for ever.
    async fn finish(&self, grace: Duration) {
        self.0.close();
        if tokio::time::timeout(grace, self.0.wait()).await.is_err() {
            tracing::warn!(requests = self.0.len(), "stopping in spite of requests that are being worked on");
        }
    }
}

/// A token that the first SIGTERM, SIGINT or SIGHUP cancels. The second ends the process where it stands.
///
/// # Errors
///
/// Where the process may not listen to signals.
pub fn stop_on_signals() -> Result<CancellationToken, ServeError> {
    let mut next = signals().map_err(ServeError::Signals)?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        next.recv().await;
        tracing::info!("stopping");
        stopping.cancel();
        next.recv().await;
        // As a shell reports a process that a signal has ended.
        std::process::exit(130);
    });
    Ok(stop)
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    /// Unless whoever started the process has said, as `nohup` does, that it goes on when the terminal is gone.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
fn signals() -> io::Result<Signals> {
    use tokio::signal::unix::{SignalKind, signal};
    let hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())?, hangup })
}

/// Whether the process was started to ignore SIGHUP, where the system tells.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|it| it.strip_prefix("SigIgn:")).and_then(|it| u64::from_str_radix(it.trim(), 16).ok());
    // The first bit is the first signal, which is SIGHUP.
    ignored.is_some_and(|it| it & 1 == 1)
}

#[cfg(unix)]
impl Signals {
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = async {
                match &mut self.hangup {
                    Some(hangup) => drop(hangup.recv().await),
                    None => std::future::pending().await,
                }
            } => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
fn signals() -> io::Result<Signals> {
    Ok(Signals)
}

#[cfg(not(unix))]
impl Signals {
    async fn recv(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
