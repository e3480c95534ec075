//! The database: transactions and connections. Only here and where it is opened is known which of the two it is.

use std::{cell::RefCell, path::Path, sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction};
use tokio::sync::{OnceCell, OwnedSemaphorePermit};

use super::{
    Clock, Row, StoreError, Tries, Val, args,
    kept::{KeptTime, origin},
    open::{Opened, Pools},
    reading::Reading,
    servers::{READ_TIME, Servers, WRITE_TIME},
    waiting::until,
};
use crate::domain::Timestamp;

/// The database. It is opened by the first call that needs it; clones share it.
#[derive(Clone)]
pub struct Db(Arc<Shared>);

struct Shared {
    /// It may hold a password.
    url: String,
    /// Whether nothing is to be written to it.
    read_only: bool,
    clock: Clock,
    opened: OnceCell<Opened>,
    /// See [`super::kept::origin`]; of SQLite.
    origin: OnceCell<Option<i64>>,
}

/// A connection to read with, or a write transaction. Dropped, a transaction is rolled back.
#[derive(Debug)]
pub enum Conn {
    SqliteRead(Reading<Sqlite>, KeptTime),
    PostgresRead(Reading<Postgres>, Arc<Servers>),
    Sqlite(Transaction<'static, Sqlite>, KeptTime),
    Postgres(Transaction<'static, Postgres>),
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Db").field(&self.kind()).finish()
    }
}

impl Db {
    /// The database at `sqlite:PATH` or `postgres://…`, not opened yet.
    pub fn at(url: &str) -> Self {
        Self::new(url, false, Clock::Machine)
    }

    /// The same, on a machine with this clock.
    pub fn by(url: &str, clock: Clock) -> Self {
        Self::new(url, false, clock)
    }

    fn new(url: &str, read_only: bool, clock: Clock) -> Self {
        Self(Arc::new(Shared { url: url.to_owned(), read_only, clock, opened: OnceCell::new(), origin: OnceCell::new() }))
    }

    /// Whether both are the same, and not only of the same place.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The clock of the machine that this process is on.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// How time is told on SQLite.
    async fn kept_time(&self, opened: &Opened) -> KeptTime {
        let origin = self.0.origin.get_or_init(|| origin(opened, &self.0.clock)).await;
        KeptTime { clock: self.0.clock.clone(), origin: *origin }
    }

    /// The same, for those who only read: it may lie where nothing can be written.
    pub fn read_only_at(url: &str) -> Self {
        Self::new(url, true, Clock::Machine)
    }

    /// Opens `sqlite:PATH` or `postgres://…` and brings its tables up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let db = Self::at(url);
        db.pools().await?;
        Ok(db)
    }

    async fn opened(&self) -> Result<&Opened, StoreError> {
        self.0.opened.get_or_try_init(|| Opened::open(&self.0.url, self.0.read_only)).await
    }

    /// The connections. What cannot be opened is tried again by the next who asks.
    pub async fn pools(&self) -> Result<&Pools, StoreError> {
        Ok(&self.opened().await?.pools)
    }

    /// A connection to read with that is used for a moment.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        let opened = self.opened().await?;
        self.reading(opened, None).await
    }

    /// A connection for reads that may take long. They are stopped when they take too long or when nobody waits for them any more, and
    /// however many there are, they leave connections to those who read for a moment.
    pub async fn search(&self) -> Result<Conn, StoreError> {
        let opened = self.opened().await?;
        let turn = Arc::clone(&opened.turns).acquire_owned();
        let turn = tokio::time::timeout_at(until(), turn).await.map_err(|_| StoreError::Full)?;
        let turn = turn.map_err(|_| StoreError::from(sqlx::Error::PoolClosed))?;
        match self.reading(opened, Some(turn)).await? {
            Conn::SqliteRead(it, time) => Ok(Conn::SqliteRead(it.for_at_most(READ_TIME).await?, time)),
            other => Ok(other),
        }
    }

    async fn reading(&self, opened: &Opened, turn: Option<OwnedSemaphorePermit>) -> Result<Conn, StoreError> {
        Ok(match (&opened.pools, &opened.servers) {
            (Pools::Sqlite { reader, .. }, _) => {
                let time = self.kept_time(opened).await;
                Conn::SqliteRead(Reading::with(reader.acquire().await?, turn), time)
            }
            (Pools::Postgres(_), Some(servers)) => {
                let conn = servers.to_read().await?;
                Conn::PostgresRead(Reading::with(conn, turn), Arc::clone(servers))
            }
            (Pools::Postgres(_), None) => return Err(sqlx::Error::PoolClosed.into()),
        })
    }

    /// A write transaction that is as if it were alone in the world. On SQLite it waits for its turn here, so that nothing it has read
    /// can be stale; on PostgreSQL those that cannot have been alone fail with [`StoreError::Busy`].
    pub async fn begin(&self) -> Result<Conn, StoreError> {
        self.begin_as("BEGIN ISOLATION LEVEL SERIALIZABLE").await
    }

    /// Transactions that record: each statement sees all that was committed before it, and what a rule is about has to be locked, or to
    /// stand in the condition of the statement that changes it. They wait for each other where others would fail.
    pub fn recording(&self) -> Recording<'_> {
        Recording(self)
    }

    /// A transaction in which a change is tried out and taken back: it sees the store as it was at one moment, and stands in nobody's way
    /// who only reads what it writes.
    pub(crate) async fn begin_trial(&self) -> Result<Conn, StoreError> {
        self.begin_as("BEGIN ISOLATION LEVEL REPEATABLE READ").await
    }

    async fn begin_as(&self, postgres: &'static str) -> Result<Conn, StoreError> {
        let opened = self.opened().await?;
        if let Some(why) = opened.read_only {
            return Err(StoreError::ReadOnly(self.path().display().to_string(), why));
        }
        Ok(match (&opened.pools, &opened.servers) {
            (Pools::Sqlite { writer, .. }, _) => {
                let time = self.kept_time(opened).await;
                match writer.begin_with("BEGIN IMMEDIATE").await {
                    Ok(begun) => Conn::Sqlite(begun, time),
                    Err(error) => {
                        let error = StoreError::from(error);
                        // What is wrong with the connection, nobody can tell: the next who writes gets another.
                        if !error.is_passing()
                            && let Some(conn) = writer.try_acquire()
                        {
                            drop(conn.close().await);
                        }
                        return Err(error);
                    }
                }
            }
            (Pools::Postgres(_), Some(servers)) => Conn::Postgres(servers.to_write(postgres).await?),
            (Pools::Postgres(_), None) => return Err(sqlx::Error::PoolClosed.into()),
        })
    }

    /// Whether the database answers: to those who read or to those who write, whoever has a connection first.
    pub async fn answers(&self) -> Result<(), StoreError> {
        let opened = self.opened().await?;
        match (&opened.pools, &opened.servers) {
            (Pools::Sqlite { reader, .. }, _) => sqlx::query("SELECT 1").execute(reader).await.map(drop)?,
            (Pools::Postgres(_), Some(servers)) => servers.answer().await?,
            (Pools::Postgres(_), None) => {}
        }
        Ok(())
    }

    /// Which history of the database this is: another one each time that a standby has taken over from the server before it, which may
    /// have lost what that one kept last. Always the same where nothing takes over.
    pub async fn timeline(&self) -> Result<String, StoreError> {
        if self.kind() == "sqlite" {
            return Ok(String::new());
        }
        let mut conn = self.read().await?;
        conn.timeline(self).await
    }

    /// Whether it is open and can only be read from.
    pub fn is_sealed(&self) -> bool {
        self.0.opened.get().is_some_and(|it| it.read_only.is_some())
    }

    /// What stands in the way of a standby's taking over without loss, where it is known: servers that nobody waits for.
    pub async fn unsafe_replication(&self) -> Result<Option<String>, StoreError> {
        if self.kind() == "sqlite" {
            return Ok(None);
        }
        let mut conn = self.read().await?;
        let sql = "SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit'), \
                   (SELECT COUNT(*) FROM pg_stat_replication)";
        // Other servers that speak the protocol have no such settings.
        let Ok(Some((names, commit, standbys))) = conn.one::<(String, String, i64)>(sql, &[]).await else { return Ok(None) };
        let several = standbys > 0 || self.0.url.split('?').next().unwrap_or_default().contains(',');
        Ok(match (names.is_empty(), commit.as_str()) {
            (true, _) if several => Some(format!(
                "the database has {standbys} standbys and waits for none of them (synchronous_standby_names is empty): one that takes over may \
                 have lost the last changes, their ledger rows and used consents"
            )),
            (_, "off") => Some("the database says that it has kept what it has not (synchronous_commit is off): a crash loses ledger rows".to_owned()),
            (false, "local") => Some("the database does not wait for its standbys (synchronous_commit is local): one that takes over may have lost the last changes".to_owned()),
            _ => None,
        })
    }

    /// How many connections each pool has, and how many of those nobody uses; nothing where the database is not open.
    pub fn load(&self) -> Vec<(&'static str, usize, usize)> {
        fn of<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) -> (&'static str, usize, usize) {
            (name, pool.size().try_into().unwrap_or_default(), pool.num_idle())
        }
        match self.0.opened.get().map(|it| (&it.pools, &it.servers)) {
            Some((Pools::Sqlite { writer, reader }, _)) => vec![of("writer", writer), of("reader", reader)],
            Some((Pools::Postgres(writer), Some(servers))) => vec![of("writer", writer), of("reader", &servers.reader)],
            _ => Vec::new(),
        }
    }

    /// Closes the connections, where there are any; SQLite tidies its files up. What is still at work is left to itself after a while.
    pub async fn close(&self) {
        let Some(opened) = self.0.opened.get() else { return };
        opened.turns.close();
        let closing = async {
            match (&opened.pools, &opened.servers) {
                (Pools::Sqlite { writer, reader }, _) => {
                    reader.close().await;
                    writer.close().await;
                }
                (Pools::Postgres(writer), servers) => {
                    if let Some(servers) = servers {
                        servers.reader.close().await;
                    }
                    writer.close().await;
                }
            }
        };
        if tokio::time::timeout(CLOSING, closing).await.is_err() {
            tracing::warn!("connections to the store are still in use; the program ends all the same");
        }
    }

    /// Where the file is; for SQLite.
    pub(super) fn path(&self) -> &Path {
        Path::new(self.0.url.trim_start_matches("sqlite:").trim_start_matches("//"))
    }

    /// `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        if self.0.url.starts_with("sqlite:") { "sqlite" } else { "postgres" }
    }
}

/// See [`Db::recording`].
#[derive(Debug, Clone, Copy)]
pub struct Recording<'a>(&'a Db);

impl Recording<'_> {
    /// Such a transaction.
    pub async fn begin(&self) -> Result<Conn, StoreError> {
        self.0.begin_as("BEGIN ISOLATION LEVEL READ COMMITTED").await
    }
}

/// Runs a block in a write transaction and commits it when it ends well; again when another process was in the way.
///
/// `transaction!(db, Error, tx => { tx.run(…).await?; Ok(value) })`, or `db.recording()` for one that records. The error type has to be made from [`StoreError`] and
/// to tell it back through [`FromStore`].
macro_rules! transaction {
    ($db:expr, $error:ty, $tx:ident => $work:block) => {{
        let mut tries = $crate::store::Tries::default();
        loop {
            let mut committed = false;
            let result: Result<_, $error> = async {
                let mut $tx = $db.begin().await?;
                let done: Result<_, $error> = async { $work }.await;
                let done = done?;
                committed = true;
                $tx.commit().await?;
                Ok(done)
            }
            .await;
            match result {
                Err(error) if tries.again(&error, committed).await => {}
                result => break result,
            }
        }
    }};
}
pub(crate) use transaction;

/// How long connections are waited for that are still at work when the store is closed.
const CLOSING: Duration = Duration::from_secs(2);

/// An error that may come from the store.
pub(crate) trait FromStore {
    fn store_error(&self) -> Option<&StoreError>;
}

impl FromStore for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

/// Waits by chance, longer with each attempt: up to 4 ms at first, up to a quarter of a second at last.
pub(crate) async fn pause(attempt: u32) {
    let most = 2_u64 << attempt.min(7);
    let chance = u64::from(uuid::Uuid::new_v4().as_bytes()[0]); // 0 to 255
    tokio::time::sleep(Duration::from_millis(1 + most * chance / 256)).await;
}

/// Runs a statement with the connection of either database. One that reads is run again elsewhere when its server goes.
macro_rules! either {
    ($self:expr, $conn:ident => $work:expr) => {
        match $self {
            Conn::SqliteRead(it, _) => {
                let $conn = it.begin()?;
                let done = $work;
                it.ended();
                done.map_err(|error| StoreError::of_statement(error, READ_TIME))
            }
            Conn::PostgresRead(it, servers) => {
                let mut tries = Tries::default();
                loop {
                    let $conn = it.begin()?;
                    let done = $work;
                    it.ended();
                    match done.map_err(|error| StoreError::of_statement(error, READ_TIME)) {
                        Err(error) if tries.again(&error, false).await => it.replace(servers.to_read().await?),
                        done => break done,
                    }
                }
            }
            Conn::Sqlite(it, _) => {
                let $conn = &mut **it;
                $work.map_err(|error| StoreError::of_statement(error, WRITE_TIME))
            }
            Conn::Postgres(it) => {
                let $conn = &mut **it;
                $work.map_err(|error| StoreError::of_statement(error, WRITE_TIME))
            }
        }
    };
}

macro_rules! bound {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for value in $args {
            query = match value.clone() {
                Val::Text(it) => query.bind(it),
                Val::Int(it) => query.bind(it),
                Val::Bool(it) => query.bind(it),
                Val::Bytes(it) => query.bind(it),
            };
        }
        query
    }};
}

impl Conn {
    /// The time by which processes on one store tell each other how long something lasts: the database's on PostgreSQL, where they
    /// may be on many machines; on SQLite one that only goes forward on the machine that all of them are on, whoever sets its clock.
    pub async fn now(&mut self) -> Result<Timestamp, StoreError> {
        if let Self::SqliteRead(_, time) | Self::Sqlite(_, time) = self {
            return Ok(time.now());
        }
        // That of the statement, not of the transaction, which may have begun before the caller looked at its own clock.
        let sql = "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)";
        Ok(Timestamp(self.number(sql, &[]).await?))
    }

    /// See [`Db::timeline`].
    pub async fn timeline(&mut self, db: &Db) -> Result<String, StoreError> {
        if self.is_sqlite() {
            return Ok(String::new());
        }
        let Some(servers) = &db.opened().await?.servers else { return Ok(String::new()) };
        match servers.timeline().await? {
            Some(sql) => Ok(self.texts(&format!("SELECT {sql}"), &[]).await?.pop().unwrap_or_default()),
            None => Ok(String::new()),
        }
    }

    /// Waits until nobody else has this turn, and has it to the end of the transaction. On SQLite who writes has it already.
    ///
    /// It is a row that is written and stays as it is: every database locks that one until the end, and tells a transaction that sees the
    /// store as it was before that it comes too late.
    pub(super) async fn turn(&mut self, name: &str) -> Result<(), StoreError> {
        const TAKE: &str = "UPDATE settings SET value = value WHERE name = $1";
        if self.is_sqlite() || self.run(TAKE, &args![name]).await? > 0 {
            return Ok(());
        }
        self.run("INSERT INTO settings (name, value) VALUES ($1, '') ON CONFLICT (name) DO NOTHING", &args![name]).await?;
        self.run(TAKE, &args![name]).await.map(drop)
    }

    fn is_sqlite(&self) -> bool {
        matches!(self, Self::SqliteRead(..) | Self::Sqlite(..))
    }

    /// All rows.
    pub async fn all<T: Row>(&mut self, sql: &str, args: &[Val]) -> Result<Vec<T>, StoreError> {
        either!(self, conn => bound!(sqlx::query_as::<_, T>(text(sql, args)), args).fetch_all(conn).await)
    }

    /// The first row.
    pub async fn one<T: Row>(&mut self, sql: &str, args: &[Val]) -> Result<Option<T>, StoreError> {
        either!(self, conn => bound!(sqlx::query_as::<_, T>(text(sql, args)), args).fetch_optional(conn).await)
    }

    /// The first column of all rows, as texts.
    pub async fn texts(&mut self, sql: &str, args: &[Val]) -> Result<Vec<String>, StoreError> {
        Ok(self.all::<(String,)>(sql, args).await?.into_iter().map(|it| it.0).collect())
    }

    /// A count, or another number; 0 where there is none.
    pub async fn number(&mut self, sql: &str, args: &[Val]) -> Result<i64, StoreError> {
        Ok(self.one::<(Option<i64>,)>(sql, args).await?.and_then(|it| it.0).unwrap_or_default())
    }

    /// Runs a statement; answers how many rows it touched.
    pub async fn run(&mut self, sql: &str, args: &[Val]) -> Result<u64, StoreError> {
        either!(self, conn => bound!(sqlx::query(text(sql, args)), args).execute(conn).await.map(|it| it.rows_affected()))
    }

    /// Keeps what the transaction did.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(it, _) => it.commit().await?,
            Self::Postgres(it) => it.commit().await?,
            Self::SqliteRead(..) | Self::PostgresRead(..) => {}
        }
        Ok(())
    }
}

/// A statement with its values.
pub type Statement = (String, Vec<Val>);

thread_local! {
    static HEARD: RefCell<Option<Vec<Statement>>> = const { RefCell::new(None) };
}

/// From now on the statements that this thread sends are collected with their values; for tests of how they are planned, in builds for
/// them.
pub fn hear() {
    HEARD.set(Some(Vec::new()));
}

/// The statements since [`hear`] in their order, which are not collected any more.
pub fn heard() -> Vec<Statement> {
    HEARD.take().unwrap_or_default()
}

/// The one place where SQL is vouched for: it is written in this program, and values are bound, never written into it.
fn text(sql: &str, values: &[Val]) -> AssertSqlSafe<String> {
    if cfg!(debug_assertions) {
        HEARD.with_borrow_mut(|heard| heard.as_mut().map(|it| it.push((sql.to_owned(), values.to_vec()))));
    }
    AssertSqlSafe(sql.to_owned())
}
