//! `rolecall serve`: over stdio for one client, over HTTP for many.

use std::{
    io::{IsTerminal as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use rolecall_console::BASE;
use tokio_util::sync::CancellationToken;

use super::{Ended, Failure, LogFormat, logging, traces};
use crate::{
    app::App,
    config::{Config, Overrides, Reach},
    console::Open,
    error::chain,
    server::Server,
    store::{self, Retention},
    transport::{self, ServeError, http, stdio::serve_stdio},
};

/// Serve an AI assistant, over stdio or HTTP.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Serve HTTP at this address, such as 127.0.0.1:8080; the path is /mcp
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Also serve the older HTTP+SSE transport, at /sse
    #[arg(long, requires = "http")]
    sse: bool,
    /// Also serve the console at /console, where people answer waiting changes
    #[arg(long, requires = "http")]
    console: bool,
    /// Accept only callers that send a token from this file, one token a line; each token is a separate caller
    #[arg(long, value_name = "FILE", requires = "http")]
    token_file: Option<PathBuf>,
    /// Also accept this name in the Host header
    #[arg(long, value_name = "HOST", requires = "http")]
    allow_host: Vec<String>,
    /// Accept calls from scripts of this web page, such as `https://app.example.com`
    #[arg(long, value_name = "ORIGIN", requires = "http")]
    allow_origin: Vec<String>,
    /// Serve over stdio even on a terminal
    #[arg(long, conflicts_with = "http")]
    stdio: bool,
    /// How the log on stderr is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, env = "ROLECALL_LOG_FORMAT", hide_env_values = true)]
    log_format: LogFormat,
    /// When told to stop, wait this many seconds for calls that are running
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    grace: u64,
    #[command(flatten)]
    limits: Limits,
}

/// How much is taken on at once over HTTP, and for how long.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits over HTTP")]
struct Limits {
    /// Keep at most this many connections; beyond it, the connection that was idle longest is closed
    #[arg(long, value_name = "NUMBER", default_value_t = 1024, requires = "http")]
    max_connections: usize,
    /// Keep at most this many sessions (clients before 2026-07-28 have them); beyond it, an unused session is closed
    #[arg(long, value_name = "NUMBER", default_value_t = 256, requires = "http")]
    max_sessions: usize,
    /// Work on at most this many requests at once; further requests wait
    #[arg(long, value_name = "NUMBER", default_value_t = 256, requires = "http")]
    max_requests: usize,
    /// With several tokens, give one token at most this share of each limit above
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100), requires = "http")]
    caller_share: u8,
    /// Close a connection that sends no complete request head within this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..), requires = "http")]
    header_timeout: u64,
    /// Refuse a request whose body takes longer than this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..), requires = "http")]
    body_timeout: u64,
    /// Close a session that was not used for this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..), requires = "http")]
    session_idle: u64,
}

impl Limits {
    fn apply(&self, options: &mut http::HttpOptions) {
        options.max_connections = self.max_connections;
        options.max_sessions = self.max_sessions;
        options.max_requests = self.max_requests;
        options.caller_share = self.caller_share;
        options.header_timeout = Duration::from_secs(self.header_timeout);
        options.body_timeout = Duration::from_secs(self.body_timeout);
        options.idle = Duration::from_secs(self.session_idle);
    }
}

impl Serve {
    /// Whether many clients are served at once.
    pub(super) fn is_http(&self) -> bool {
        self.http.is_some()
    }

    /// Serves until the client leaves or a signal comes.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        if self.http.is_none() && !self.stdio && std::io::stdin().is_terminal() {
            return Err(Failure::usage(
                "`rolecall serve` speaks MCP with a client over stdin and stdout, and this is a terminal",
                "let a client start it: `rolecall connect claude-desktop` (or claude-code, vscode, cursor, codex, gemini, …) connects it; \
                 `rolecall demo` shows it at work; `rolecall serve --http 127.0.0.1:8080` serves over HTTP; \
                 `rolecall serve --stdio` serves here all the same",
            ));
        }
        let config = Config::load(overrides).inspect_err(|_| logging::start(self.log_format, self.is_http(), None))?;
        let traces = self.begin_to_tell(config.traces.as_deref())?;
        let shutdown = transport::stop_on_signals()?;
        let grace = Duration::from_secs(self.grace);
        tokio::spawn(end_at_last(shutdown.clone(), grace));
        let reach = if self.is_http() { Reach::Http } else { Reach::Local };
        let app = Arc::new(App::new(config.setup(reach)));
        let server = Server::listing(Arc::clone(&app), config.list);
        if let Some(addr) = self.http {
            let mut options = http::HttpOptions::new(addr);
            options.sse = self.sse;
            options.grace = grace;
            self.limits.apply(&mut options);
            options.operators = operators(&server, &app);
            // Many clients are served, or none: a store that can never be used ends it here. One whose server is away is waited for.
            match store::within(SOON, app.db.pools()).await {
                Ok(_) => go_on(&app, config.retention),
                Err(error) if error.is_away() => drop(tokio::spawn(wait_for_store(Arc::clone(&app), config.retention))),
                Err(error) => return Err(error.into()),
            }
            options.tokens = self.token_file.as_deref().map(http::read_tokens).transpose()?.unwrap_or_default();
            options.allow_hosts.clone_from(&self.allow_host);
            options.allow_origins.clone_from(&self.allow_origin);
            if self.console {
                options.pages = Some((BASE, Open::pages(&app, shutdown.clone()).await?));
            }
            let bound = http::serve_http(server, options, shutdown.clone()).await?;
            let tools = app.catalog.offers().count();
            let sse = if self.sse { format!(", and http://{}/sse", bound.addr) } else { String::new() };
            notice(&format!("{tools} tools at http://{}/mcp{sse}; Ctrl-C ends it", bound.addr))?;
            let open = if self.console { Some(self.open(&app, bound.addr, &shutdown).await?) } else { None };
            bound.finished().await?;
            if let Some(open) = open {
                open.close().await;
            }
        } else {
            if std::io::stdin().is_terminal() {
                notice("waiting for MCP messages on stdin, one a line; Ctrl-D ends it")?;
            }
            tokio::spawn(catch_up(Arc::clone(&app), config.retention));
            Box::pin(serve_stdio(server, grace, shutdown)).await?;
        }
        app.jobs().stop().await;
        app.db.close().await;
        traces.end().await;
        Ok(ExitCode::SUCCESS)
    }

    /// Begins to write the log and, where somebody is named who collects them, to send traces.
    fn begin_to_tell(&self, configured: Option<&str>) -> Result<Tracing, Failure> {
        let address = traces::address(configured, |name| std::env::var(name).ok());
        let (over, traces) = match address.as_deref().map(traces::start).transpose() {
            Ok(started) => started.unzip(),
            Err(why) => {
                return Err(Failure::usage(
                    format!("traces cannot be sent: {why}"),
                    "name a collector, such as `http://127.0.0.1:4318`, by `traces.endpoint` or OTEL_EXPORTER_OTLP_ENDPOINT",
                ));
            }
        };
        // Clients that start a server for themselves may never read its lines, and a pipe that is full stops who writes to it.
        logging::start(self.log_format, self.is_http(), over);
        Ok(Tracing(traces))
    }
}

/// What sends traces, where anything does.
struct Tracing(Option<traces::Traces>);

impl Tracing {
    /// Sends what is left.
    async fn end(self) {
        if let Some(traces) = self.0 {
            traces.end().await;
        }
    }
}

impl Serve {
    /// Tells others that the console is open, by the name that clients use.
    async fn open(&self, app: &Arc<App>, addr: SocketAddr, shutdown: &CancellationToken) -> Result<Open, Failure> {
        let origin = match self.allow_host.first() {
            Some(host) => format!("https://{host}"),
            None => format!("http://{addr}"),
        };
        notice(&format!("the console is at {origin}{BASE}/; `rolecall console`, in a terminal, gives a link to sign in"))?;
        Ok(Open::at(app, &origin, shutdown).await?)
    }
}

/// What load balancers and monitors ask for.
fn operators(server: &Server, app: &Arc<App>) -> http::Operators {
    let (server, app) = (server.clone(), Arc::clone(app));
    let ready = move || {
        let app = Arc::clone(&app);
        let looked: BoxFuture<'static, bool> = Box::pin(async move {
            app.db.answers().await.inspect_err(|error| tracing::warn!("the store does not answer: {}", chain(error))).is_ok()
        });
        looked
    };
    http::Operators::new(ready, move || server.figures())
}

/// How long what comes after the grace may take: connections that close, rows of jobs that are recorded, the store.
const TIDYING: Duration = Duration::from_secs(15);

/// Ends the process where it stands, should something not let it end by itself. The ledger tells what was open.
async fn end_at_last(shutdown: CancellationToken, grace: Duration) {
    shutdown.cancelled().await;
    tokio::time::sleep(grace + TIDYING).await;
    tracing::error!("the server did not stop in time and is ended now; the next start settles open calls");
    std::process::exit(1);
}

/// How long a client that has just started the server has it for itself.
const FIRST: Duration = Duration::from_millis(500);

/// What can wait until the client has its first answers: many start the server only to list the tools. A store that cannot be used
/// is told of here, and in the answer of each call that needs it, until it can be.
async fn catch_up(app: Arc<App>, retention: Retention) {
    tokio::time::sleep(FIRST).await;
    wait_for_store(app, retention).await;
}

/// How long a server of the store is waited for before it is said that none is there.
const SOON: Duration = Duration::from_secs(2);

/// Looks for the store until it can be used, and goes on with what is open in it. Why it cannot be used is said once for each cause.
async fn wait_for_store(app: Arc<App>, retention: Retention) {
    let mut told = String::new();
    while let Err(error) = store::within(SOON, app.db.pools()).await {
        let cause = chain(&error);
        if cause != told {
            tracing::error!("{cause}; run `rolecall doctor`");
            told = cause;
        }
        tokio::time::sleep(SOON).await;
    }
    if !told.is_empty() {
        tracing::warn!("the store can be used now");
    }
    go_on(&app, retention);
}

/// How often it is looked for what need not be kept any more.
const TIDIED: Duration = Duration::from_hours(1);

/// Goes on with what is open in the store, and takes away what is over. What can only be read stays as it is.
fn go_on(app: &Arc<App>, retention: Retention) {
    if app.db.is_sealed() {
        return;
    }
    app.jobs().keep_going();
    let db = app.db.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(TIDIED).await;
            if let Err(error) = db.tidy(&retention).await {
                tracing::warn!("old records could not be removed from the store: {}", chain(&error));
            }
        }
    });
}

fn notice(text: &str) -> std::io::Result<()> {
    writeln!(anstream::stderr(), "rolecall: {text}")
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let code = match error {
            ServeError::Session(_) | ServeError::Failed(_) | ServeError::Signals(_) => 1,
            _ => 2,
        };
        Self { code, ..Self::new(chain(&error), "") }
    }
}
