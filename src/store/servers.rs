//! PostgreSQL's servers: which of them may be written to, now that one fails and another takes over.

use std::{
    str::FromStr as _,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::{
    StreamExt as _,
    future::{BoxFuture, Either},
    stream::FuturesUnordered,
};
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool, Postgres, Transaction,
    pool::{PoolConnection, PoolConnectionMetadata},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout, timeout_at},
};

use super::{StoreError, failure::is_away, waiting::until};

/// How many connections each pool has at most.
const CONNECTIONS: u32 = 8;
/// How long a statement may take: one that reads, and one that writes.
pub(super) const READ_TIME: Duration = Duration::from_secs(15);
pub(super) const WRITE_TIME: Duration = Duration::from_mins(1);
/// How long a server may take to answer when it is looked for.
const ANSWER_TIME: Duration = Duration::from_secs(3);
/// How long a connection is waited for before it is looked whether there is a server at all.
const DOUBT: Duration = Duration::from_millis(400);

/// The servers, and the connections to the one that is used.
#[derive(Debug)]
pub struct Servers {
    addresses: Vec<PgConnectOptions>,
    /// Whether only one that may be written to will do.
    writable: bool,
    seen: Mutex<Option<Seen>>,
    /// The place of the one to which new connections go.
    used: AtomicUsize,
    pub(super) writer: PgPool,
    /// Apart, so that slow reads keep no change waiting.
    pub(super) reader: PgPool,
    /// The expression for the cluster's timeline, once it is known; empty where this kind of server has none.
    timeline: Mutex<Option<&'static str>>,
}

/// What a look at the servers came to.
#[derive(Debug, Clone)]
struct Seen {
    at: Instant,
    /// The place of the one that can be used, or why none can.
    server: Result<usize, String>,
}

impl Servers {
    /// The servers at `postgres://a:1,b:2/…`; nothing is connected yet.
    pub(super) fn at(url: &str) -> Result<Self, StoreError> {
        let Addresses { each, writable } = addresses(url)?;
        let first = each.first().cloned().ok_or_else(|| StoreError::Url("postgres:…".to_owned()))?;
        let check = writable && each.len() > 1;
        Ok(Self {
            writer: pool(first.clone(), WRITE_TIME, check),
            reader: pool(first, READ_TIME, check),
            addresses: each,
            writable,
            seen: Mutex::default(),
            used: AtomicUsize::new(0),
            timeline: Mutex::default(),
        })
    }

    /// Looks once which of several servers is to be used. Where none can, it is told to those who wait for a connection.
    pub(super) async fn choose(&self) {
        if self.addresses.len() > 1 {
            let _ = self.look().await;
        }
    }

    /// A connection to read with.
    pub(super) fn to_read(&self) -> BoxFuture<'_, Result<PoolConnection<Postgres>, StoreError>> {
        Box::pin(self.reach(|| self.reader.acquire()))
    }

    /// A transaction that begins with this statement.
    pub(super) fn to_write(&self, begin: &'static str) -> BoxFuture<'_, Result<Transaction<'static, Postgres>, StoreError>> {
        Box::pin(self.reach(move || self.writer.begin_with(begin)))
    }

    /// Whether one answers: on a connection to read or to write with, whichever is free first.
    pub(super) async fn answer(&self) -> Result<(), StoreError> {
        let any = || async {
            let (one, other) = (std::pin::pin!(self.reader.acquire()), std::pin::pin!(self.writer.acquire()));
            futures_util::future::select(one, other).await.factor_first().0?.execute("SELECT 1").await
        };
        self.reach(any).await.map(drop)
    }

    /// A pool of one connection, on which a statement may take as long as it does.
    pub(super) async fn without_haste(&self) -> Result<PgPool, StoreError> {
        self.reach(|| self.writer.acquire()).await?;
        Ok(pool(self.addresses[self.used.load(Ordering::Relaxed)].clone(), Duration::ZERO, false))
    }

    /// Gets something from a pool, as long as the call may wait: while no server can be used, they are looked at again and again.
    async fn reach<T, F>(&self, get: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let until = until();
        loop {
            let getting = std::pin::pin!(get());
            let doubt = std::pin::pin!(tokio::time::sleep(DOUBT));
            let got = match futures_util::future::select(getting, doubt).await {
                Either::Left((got, _)) => got,
                Either::Right(((), getting)) => {
                    if let Err(cause) = self.look().await {
                        if Instant::now() >= until {
                            return Err(StoreError::Away { cause });
                        }
                        tokio::time::sleep(DOUBT).await;
                        continue;
                    }
                    // There is one, and the pool finds it out by itself or has no connection to spare.
                    match timeout_at(until, getting).await {
                        Ok(got) => got,
                        Err(_) => return Err(StoreError::Full),
                    }
                }
            };
            match got {
                Ok(it) => return Ok(it),
                Err(error) if !is_away(&error) => return Err(error.into()),
                Err(error) => {
                    let looked = self.look().await;
                    if Instant::now() >= until {
                        return Err(match looked {
                            Ok(()) if matches!(error, sqlx::Error::PoolTimedOut) => StoreError::Full,
                            Ok(()) => error.into(),
                            Err(cause) => StoreError::Away { cause },
                        });
                    }
                    tokio::time::sleep(DOUBT / 4).await;
                }
            }
        }
    }

    /// Looks which server can be used, and has new connections go there; the error says of each why not. Who comes while somebody looks
    /// gets what that one sees.
    async fn look(&self) -> Result<(), String> {
        let mut seen = self.seen.lock().await;
        if let Some(it) = seen.as_ref().filter(|it| it.at.elapsed() < DOUBT) {
            return it.server.clone().map(drop);
        }
        let server = self.found().await;
        if let Ok(at) = server
            && self.used.swap(at, Ordering::Relaxed) != at
        {
            for pool in [&self.writer, &self.reader] {
                pool.set_connect_options(self.addresses[at].clone());
            }
            tracing::warn!("the store is now used at {}", shown(&self.addresses[at]));
        }
        *seen = Some(Seen { at: Instant::now(), server: server.clone() });
        server.map(drop)
    }

    async fn found(&self) -> Result<usize, String> {
        let looks = self.addresses.iter().enumerate().map(|(at, it)| async move {
            let looked = timeout(ANSWER_TIME, usable(it, self.writable)).await;
            let why = match looked {
                Ok(Ok(())) => return Ok(at),
                Ok(Err(error)) => error,
                Err(_) => format!("it does not answer in {} seconds", ANSWER_TIME.as_secs()),
            };
            Err((at, format!("{}: {why}", shown(it))))
        });
        let mut looks: FuturesUnordered<_> = looks.collect();
        let mut causes = Vec::new();
        while let Some(found) = looks.next().await {
            match found {
                Ok(at) => return Ok(at),
                Err(cause) => causes.push(cause),
            }
        }
        causes.sort_by_key(|it| it.0);
        Err(causes.into_iter().map(|it| it.1).collect::<Vec<_>>().join("; "))
    }

    /// The expression that tells the cluster's timeline, a number that rises whenever a standby takes over. Servers without one keep
    /// what they have committed through the end of any of their machines.
    pub(super) async fn timeline(&self) -> Result<Option<&'static str>, StoreError> {
        let mut known = self.timeline.lock().await;
        if let Some(sql) = *known {
            return Ok(Some(sql).filter(|it| !it.is_empty()));
        }
        // The file's name says it at once; what the last checkpoint noted may still be the old one.
        let sql = "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)";
        let mut conn = self.to_read().await?;
        let asked: Result<String, _> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT {sql}"))).fetch_one(&mut *conn).await;
        let found = match asked {
            Ok(_) => sql,
            Err(error) if is_away(&error) => return Err(error.into()),
            Err(_) => "",
        };
        *known = Some(found);
        Ok(Some(found).filter(|it| !it.is_empty()))
    }
}

/// Whether a server answers and, where asked, may be written to.
async fn usable(options: &PgConnectOptions, writable: bool) -> Result<(), String> {
    let said = |error: sqlx::Error| match error {
        sqlx::Error::Database(it) => it.message().to_owned(),
        other => other.to_string(),
    };
    let mut conn = options.clone().connect().await.map_err(said)?;
    let read_only = if writable { is_read_only(&mut conn).await.map_err(said)? } else { false };
    let _ = conn.close().await;
    if read_only { Err("it cannot be written to, as a standby cannot".to_owned()) } else { Ok(()) }
}

async fn is_read_only(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let said: String = sqlx::query_scalar("SELECT current_setting('transaction_read_only')").fetch_one(conn).await?;
    Ok(said == "on")
}

fn pool(options: PgConnectOptions, time: Duration, check: bool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(POOL_TIME)
        .test_before_acquire(false)
        .before_acquire(|conn, meta| Box::pin(is_alive(conn, meta)))
        .after_connect(move |conn, _| Box::pin(prepare(conn, time, check)))
        .connect_lazy_with(options)
}

/// How long a pool waits for a connection of its own accord; whoever waits longer asks again.
const POOL_TIME: Duration = Duration::from_secs(10);

/// Whether a connection still leads to a server. One that was used a moment ago is not asked: should it be broken, its next statement is
/// run again on another.
async fn is_alive(conn: &mut PgConnection, meta: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
    if meta.idle_for < Duration::from_secs(2) {
        return Ok(true);
    }
    Ok(timeout(Duration::from_secs(1), conn.ping()).await.is_ok_and(|it| it.is_ok()))
}

/// Says how long statements may take, and has the server look whether anybody still waits for them, where it can (PostgreSQL 14).
async fn prepare(conn: &mut PgConnection, time: Duration, check: bool) -> Result<(), sqlx::Error> {
    if check && is_read_only(conn).await? {
        let what = "the server cannot be written to, as a standby cannot";
        return Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::ReadOnlyFilesystem, what)));
    }
    let time = time.as_millis();
    let looks = "SELECT set_config(name, '1000', false) FROM pg_settings WHERE name = 'client_connection_check_interval'";
    conn.execute(sqlx::AssertSqlSafe(format!("SET statement_timeout = {time}"))).await?;
    // Not every server that speaks the protocol knows it, or can do it on its system.
    let _ = conn.execute(looks).await;
    Ok(())
}

/// What a URL names.
struct Addresses {
    each: Vec<PgConnectOptions>,
    writable: bool,
}

/// Reads `postgres://user@a:1,b:2/name?target_session_attrs=read-write`, as PostgreSQL's own programs do: several hosts, in the address
/// or as `host=a,b&port=1,2`.
fn addresses(url: &str) -> Result<Addresses, StoreError> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (server, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, hosts) = server.rsplit_once('@').map_or((String::new(), server), |(user, hosts)| (format!("{user}@"), hosts));
    let (mut kept, mut wanted, mut names, mut ports) = (Vec::new(), None, None, None);
    for pair in query.split('&').filter(|it| !it.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("target_session_attrs", it) => wanted = Some(it),
            ("connect_timeout" | "load_balance_hosts" | "keepalives" | "keepalives_idle" | "tcp_user_timeout", _) => {}
            ("host", it) if it.contains([',', '%']) => names = Some(it.replace("%2C", ",").replace("%2c", ",").replace("%2F", "/")),
            ("port", it) if it.contains([',', '%']) => ports = Some(it.replace("%2C", ",").replace("%2c", ",")),
            _ => kept.push(pair),
        }
    }
    let hosts: Vec<String> = match names {
        None => hosts.split(',').map(str::to_owned).collect(),
        Some(names) => {
            let ports: Vec<&str> = ports.as_deref().map(|it| it.split(',').collect()).unwrap_or_default();
            let port = |at: usize| ports.get(at).or(ports.first()).map(|it| format!(":{it}")).unwrap_or_default();
            names.split(',').enumerate().map(|(at, name)| format!("{name}{}", port(at))).collect()
        }
    };
    let several = hosts.len() > 1;
    let writable = match wanted {
        None => several,
        Some("any") => false,
        Some("read-write" | "primary") => true,
        Some(other) => {
            return Err(StoreError::Url(format!("…?target_session_attrs={other}`, where nothing could be written, `")));
        }
    };
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let each = hosts.iter().map(|host| {
        let url = format!("{scheme}://{user}{host}{path}{query}");
        // What is wrong is told without the address, which may hold a password.
        PgConnectOptions::from_str(&url).map_err(|error| match error {
            sqlx::Error::Configuration(why) => StoreError::Url(format!("{scheme}://{host}{path}` ({why}) or `…")),
            other => other.into(),
        })
    });
    Ok(Addresses { each: each.collect::<Result<_, _>>()?, writable })
}

/// An address as it may be shown.
fn shown(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(path) => path.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<(Vec<String>, bool), StoreError> {
        addresses(url).map(|it| (it.each.iter().map(shown).collect(), it.writable))
    }

    #[test]
    fn several_servers_are_read_as_other_programs_read_them() {
        for (url, servers, writable) in [
            ("postgres://a/db", vec!["a:5432"], false),
            ("postgres://me:p%2C@a:1,b:2,c/db?sslmode=disable", vec!["a:1", "b:2", "c:5432"], true),
            ("postgresql://me:a,b@a:1,b:2/db?target_session_attrs=read-write&connect_timeout=3", vec!["a:1", "b:2"], true),
            ("postgres://a:1,b:2?target_session_attrs=any", vec!["a:1", "b:2"], false),
            ("postgres://a:1/db?target_session_attrs=primary", vec!["a:1"], true),
            ("postgres://[::1]:5433,[::2]:5434/db", vec!["[::1]:5433", "[::2]:5434"], true),
            ("postgres:///db?host=a,b&port=1,2", vec!["a:1", "b:2"], true),
            ("postgres://me@/db?host=a%2Cb&port=7%2C8", vec!["a:7", "b:8"], true),
        ] {
            assert_eq!(read(url).unwrap(), (servers.iter().map(ToString::to_string).collect(), writable), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_written_to_is_no_store() {
        let error = read("postgres://me:secret@a,b/db?target_session_attrs=standby").unwrap_err().to_string();
        assert!(error.contains("target_session_attrs=standby") && !error.contains("secret"), "{error}");
        let error = read("postgres://me:secret@a:none,b/db").unwrap_err().to_string();
        assert!(error.contains("a:none") && error.contains("port") && !error.contains("secret"), "{error}");
    }
}
