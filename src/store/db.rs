//! The database: transactions, values, rows. Only here and where it is opened is known which of the two it is.

use std::{cell::RefCell, collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction, postgres::PgRow, sqlite::SqliteRow};
use tokio::sync::{OnceCell, OwnedSemaphorePermit};

use super::{
    Clock, Tries,
    open::{Opened, Pools},
    reading::Reading,
    servers::{READ_TIME, Servers, WRITE_TIME},
    waiting::until,
};
use crate::domain::Timestamp;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store could not be used: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the store's tables could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the store's folder `{path}` cannot be used: {source}")]
    Folder { path: String, source: std::io::Error },
    #[error("`{0}` is not a store; use sqlite:PATH or postgres://…")]
    Url(String),
    #[error("the store holds something unreadable: {0}")]
    Unreadable(String),
    /// No server answers, or none that may be written to, and the call could wait no longer.
    #[error("no database server can be used: {cause}")]
    Away { cause: String },
    /// There is a server, and all that this process may use of it is in use.
    #[error("all connections to the database are in use")]
    Full,
    #[error("the database took longer than {0} seconds over one statement, which was stopped")]
    Slow(u64),
    #[error(
        "the store was made by a newer program: {made_by} keeps it in form {store}, and this is Rolecall {}, which knows forms up to {known}; \
         use the newer program",
        env!("CARGO_PKG_VERSION")
    )]
    Newer { made_by: String, store: i64, known: i64 },
    #[error("the store at `{0}` cannot be written to, and {1}")]
    ReadOnly(String, &'static str),
}

impl StoreError {
    /// Whether the same transaction may succeed when it is run again.
    pub(super) fn is_passing(&self) -> bool {
        // PostgreSQL: serialization failure, deadlock, rollback; SQLite: busy, locked, busy snapshot.
        self.code().is_some_and(|code| matches!(&*code, "40001" | "40P01" | "40003" | "5" | "6" | "261" | "517"))
    }

    /// Whether a server that may be written to is likely to be there again soon: it was ended, is starting, or has become a standby.
    pub(crate) fn is_away(&self) -> bool {
        match self {
            Self::Away { .. } | Self::Full => true,
            Self::Database(error) | Self::Migration(sqlx::migrate::MigrateError::Execute(error)) => is_away(error),
            _ => false,
        }
    }

    /// Whether this process has closed the store.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::PoolClosed))
    }

    /// Whether the way to the database broke: a commit that was on it may have been taken in.
    pub(crate) fn may_be_committed(&self) -> bool {
        use sqlx::Error::{Io, Protocol, Tls, WorkerCrashed};
        match self {
            Self::Database(Io(_) | Protocol(_) | Tls(_) | WorkerCrashed) => true,
            // The server ends what is under way, and may do so when the commit is written and not answered.
            _ => self.code().is_some_and(|code| matches!(&*code, "57P01" | "57P02")),
        }
    }

    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
        if let Self::Database(sqlx::Error::Database(error)) = self { error.code() } else { None }
    }

    /// What a statement ended with that was allowed so many seconds.
    pub(super) fn of_statement(error: sqlx::Error, allowed: Duration) -> Self {
        let stopped = match &error {
            // PostgreSQL's statement_timeout; SQLite's interrupt.
            sqlx::Error::Database(it) => it.code().is_some_and(|code| matches!(&*code, "57014" | "9")),
            _ => false,
        };
        if stopped { Self::Slow(allowed.as_secs()) } else { error.into() }
    }
}

/// Whether it is the server that is not there, and not the statement that is wrong.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolTimedOut, Protocol, Tls};
    match error {
        Io(_) | Protocol(_) | Tls(_) | PoolTimedOut => true,
        // Shut down, crashed, starting, too many connections, may not be written to; and what concerns the connection.
        sqlx::Error::Database(it) => it.code().is_some_and(|code| {
            matches!(&*code, "57P01" | "57P02" | "57P03" | "57P05" | "53300" | "25006") || (code.starts_with("08") && code.len() == 5)
        }),
        _ => false,
    }
}

/// A value to bind.
#[derive(Debug, Clone)]
pub enum Val {
    Text(Option<String>),
    Int(Option<i64>),
    Bool(bool),
    Bytes(Vec<u8>),
}

impl From<&str> for Val {
    fn from(it: &str) -> Self {
        Self::Text(Some(it.to_owned()))
    }
}
impl From<&String> for Val {
    fn from(it: &String) -> Self {
        Self::Text(Some(it.clone()))
    }
}
impl From<String> for Val {
    fn from(it: String) -> Self {
        Self::Text(Some(it))
    }
}
impl From<Option<String>> for Val {
    fn from(it: Option<String>) -> Self {
        Self::Text(it)
    }
}
impl From<&Option<String>> for Val {
    fn from(it: &Option<String>) -> Self {
        Self::Text(it.clone())
    }
}
impl From<Option<&str>> for Val {
    fn from(it: Option<&str>) -> Self {
        Self::Text(it.map(str::to_owned))
    }
}
impl From<i64> for Val {
    fn from(it: i64) -> Self {
        Self::Int(Some(it))
    }
}
impl From<Option<i64>> for Val {
    fn from(it: Option<i64>) -> Self {
        Self::Int(it)
    }
}
impl From<bool> for Val {
    fn from(it: bool) -> Self {
        Self::Bool(it)
    }
}
impl From<Vec<u8>> for Val {
    fn from(it: Vec<u8>) -> Self {
        Self::Bytes(it)
    }
}

/// The values to bind to `$1`, `$2`, ….
macro_rules! args {
    ($($value:expr),* $(,)?) => { [$($crate::store::Val::from($value)),*] };
}
pub(crate) use args;

/// A struct read from a row, column by column, on both databases.
pub trait Row: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Row for T where T: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin {}

/// Declares a struct whose fields are columns: `row! { struct Team { id: String, members: i64 } }`.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $vis struct $name { $($vis $field: $type),+ }

        impl<'r, R> sqlx::FromRow<'r, R> for $name
        where
            R: sqlx::Row,
            &'static str: sqlx::ColumnIndex<R>,
            $($type: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>),+
        {
            fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: row.try_get(stringify!($field))?),+ })
            }
        }
    };
}
pub(crate) use row;

/// The database. It is opened by the first call that needs it; clones share it.
#[derive(Clone)]
pub struct Db(Arc<Shared>);

struct Shared {
    /// It may hold a password.
    url: String,
    /// Whether nothing is to be written to it.
    read_only: bool,
    opened: OnceCell<Opened>,
}

/// A connection to read with, or a write transaction. Dropped, a transaction is rolled back.
#[derive(Debug)]
pub enum Conn {
    SqliteRead(Reading<Sqlite>),
    PostgresRead(Reading<Postgres>, Arc<Servers>),
    Sqlite(Transaction<'static, Sqlite>),
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
        Self(Arc::new(Shared { url: url.to_owned(), read_only: false, opened: OnceCell::new() }))
    }

    /// The same, for those who only read: it may lie where nothing can be written.
    pub fn read_only_at(url: &str) -> Self {
        Self(Arc::new(Shared { url: url.to_owned(), read_only: true, opened: OnceCell::new() }))
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
            Conn::SqliteRead(it) => Ok(Conn::SqliteRead(it.for_at_most(READ_TIME).await?)),
            other => Ok(other),
        }
    }

    async fn reading(&self, opened: &Opened, turn: Option<OwnedSemaphorePermit>) -> Result<Conn, StoreError> {
        Ok(match (&opened.pools, &opened.servers) {
            (Pools::Sqlite { reader, .. }, _) => Conn::SqliteRead(Reading::with(reader.acquire().await?, turn)),
            (Pools::Postgres(_), Some(servers)) => {
                let conn = servers.to_read().await?;
                Conn::PostgresRead(Reading::with(conn, turn), Arc::clone(servers))
            }
            (Pools::Postgres(_), None) => return Err(sqlx::Error::PoolClosed.into()),
        })
    }

    /// A write transaction. On SQLite it waits for its turn here, so that nothing it has read can be stale.
    pub async fn begin(&self) -> Result<Conn, StoreError> {
        let opened = self.opened().await?;
        if let Some(why) = opened.read_only {
            return Err(StoreError::ReadOnly(self.path().display().to_string(), why));
        }
        Ok(match (&opened.pools, &opened.servers) {
            (Pools::Sqlite { writer, .. }, _) => match writer.begin_with("BEGIN IMMEDIATE").await {
                Ok(begun) => Conn::Sqlite(begun),
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
            },
            (Pools::Postgres(_), Some(servers)) => Conn::Postgres(servers.to_write("BEGIN ISOLATION LEVEL SERIALIZABLE").await?),
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

/// Runs a block in a write transaction and commits it when it ends well; again when another process was in the way.
///
/// `transaction!(db, Error, tx => { tx.run(…).await?; Ok(value) })`. The error type has to be made from [`StoreError`] and
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

/// How often a transaction is tried.
pub(crate) const ATTEMPTS: u32 = 10;

/// An error that may come from the store.
pub(crate) trait FromStore {
    fn store_error(&self) -> Option<&StoreError>;
}

impl FromStore for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

pub(crate) fn is_passing(error: &impl FromStore) -> bool {
    error.store_error().is_some_and(StoreError::is_passing)
}

pub(crate) async fn pause(attempt: u32) {
    let chance = u64::from(uuid::Uuid::new_v4().as_bytes()[0]) % 10;
    tokio::time::sleep(Duration::from_millis((2 << attempt.min(7)) + chance)).await;
}

/// Runs a statement with the connection of either database. One that reads is run again elsewhere when its server goes.
macro_rules! either {
    ($self:expr, $conn:ident => $work:expr) => {
        match $self {
            Conn::SqliteRead(it) => {
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
            Conn::Sqlite(it) => {
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
    /// may be on many machines; on SQLite the machine's that all of them are on.
    pub async fn now(&mut self, clock: &Clock) -> Result<Timestamp, StoreError> {
        if self.is_sqlite() {
            return Ok(clock.now());
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

    fn is_sqlite(&self) -> bool {
        matches!(self, Self::SqliteRead(_) | Self::Sqlite(_))
    }

    /// All rows.
    pub async fn all<T: Row>(&mut self, sql: &str, args: &[Val]) -> Result<Vec<T>, StoreError> {
        either!(self, conn => bound!(sqlx::query_as::<_, T>(text(sql)), args).fetch_all(conn).await)
    }

    /// The first row.
    pub async fn one<T: Row>(&mut self, sql: &str, args: &[Val]) -> Result<Option<T>, StoreError> {
        either!(self, conn => bound!(sqlx::query_as::<_, T>(text(sql)), args).fetch_optional(conn).await)
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
        either!(self, conn => bound!(sqlx::query(text(sql)), args).execute(conn).await.map(|it| it.rows_affected()))
    }

    /// Keeps what the transaction did.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(it) => it.commit().await?,
            Self::Postgres(it) => it.commit().await?,
            Self::SqliteRead(_) | Self::PostgresRead(..) => {}
        }
        Ok(())
    }
}

thread_local! {
    static HEARD: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
}

/// From now on the statements that this thread sends are collected; for tests of how they are planned, in builds for them.
pub fn hear() {
    HEARD.set(Some(BTreeSet::new()));
}

/// The statements since [`hear`], which are not collected any more.
pub fn heard() -> BTreeSet<String> {
    HEARD.take().unwrap_or_default()
}

/// The one place where SQL is vouched for: it is written in this program, and values are bound, never written into it.
fn text(sql: &str) -> AssertSqlSafe<String> {
    if cfg!(debug_assertions) {
        HEARD.with_borrow_mut(|heard| heard.as_mut().map(|it| it.insert(sql.to_owned())));
    }
    AssertSqlSafe(sql.to_owned())
}
