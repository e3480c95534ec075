//! The database: transactions, values, rows. Only here and where it is opened is known which of the two it is.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction, pool::PoolConnection, postgres::PgRow, sqlite::SqliteRow};
use tokio::sync::OnceCell;

use super::{
    Clock,
    kept::{KeptTime, origin},
    open::Pools,
};
use crate::domain::Timestamp;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store could not be used: {0}")]
    Database(#[source] sqlx::Error),
    /// The transaction lost against others and was taken back; it may succeed when it is run again.
    #[error("the store is busy with the changes of others")]
    Busy,
    /// One that several wait for.
    #[error(transparent)]
    Shared(Arc<StoreError>),
    #[error("the store's tables could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the store's folder `{path}` cannot be used: {source}")]
    Folder { path: String, source: std::io::Error },
    #[error("`{0}` is not a store; use sqlite:PATH or postgres://…")]
    Url(String),
    #[error("the store holds something unreadable: {0}")]
    Unreadable(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // PostgreSQL: serialization failure, deadlock; SQLite: busy, locked, busy snapshot. What a database says of them helps nobody.
        if has_code(&error, &["40001", "40P01", "5", "6", "261", "517"]) {
            tracing::debug!(%error, "a transaction lost against another one");
            return Self::Busy;
        }
        Self::Database(error)
    }
}

fn has_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|it| codes.contains(&&*it))
}

impl StoreError {
    /// As it was before several were told of it.
    fn own(&self) -> &Self {
        if let Self::Shared(it) = self { it.own() } else { self }
    }

    /// Whether the same transaction may succeed when it is run again; it has left nothing behind.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.own(), Self::Busy)
    }

    /// Whether this process has closed the store.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.own(), Self::Database(sqlx::Error::PoolClosed))
    }

    /// Whether the way to the database broke, or it does not know itself: a commit that was on it may have been taken in.
    pub(crate) fn may_be_committed(&self) -> bool {
        use sqlx::Error::{Io, Protocol, Tls, WorkerCrashed};
        let Self::Database(error) = self.own() else { return false };
        matches!(error, Io(_) | Protocol(_) | Tls(_) | WorkerCrashed) || has_code(error, &["40003"])
    }

    pub fn is_duplicate(&self) -> bool {
        matches!(self.own(), Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Whether the database did not take what it was told, and can be used otherwise.
    pub(crate) fn is_of_a_statement(&self) -> bool {
        matches!(self.own(), Self::Database(sqlx::Error::Database(_)))
    }

    /// Whether something was made or taken away meanwhile by another transaction that this one could not see.
    fn met_another(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self.own() else { return false };
        error.is_unique_violation() || error.is_foreign_key_violation()
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
    clock: Clock,
    pools: OnceCell<Pools>,
    /// See [`super::kept::origin`]; of SQLite.
    origin: OnceCell<Option<i64>>,
}

/// A connection to read with, or a write transaction. Dropped, a transaction is rolled back.
#[derive(Debug)]
pub enum Conn {
    SqliteRead(PoolConnection<Sqlite>, KeptTime),
    PostgresRead(PoolConnection<Postgres>),
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
        Self::by(url, Clock::Machine)
    }

    /// The same, on a machine with this clock.
    pub fn by(url: &str, clock: Clock) -> Self {
        Self(Arc::new(Shared { url: url.to_owned(), clock, pools: OnceCell::new(), origin: OnceCell::new() }))
    }

    /// Opens `sqlite:PATH` or `postgres://…` and brings its tables up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let db = Self::at(url);
        db.pools().await?;
        Ok(db)
    }

    /// The clock of the machine that this process is on.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// How time is told on SQLite.
    async fn kept_time(&self, pools: &Pools) -> KeptTime {
        let origin = self.0.origin.get_or_init(|| origin(pools, &self.0.clock)).await;
        KeptTime { clock: self.0.clock.clone(), origin: *origin }
    }

    /// The connections. What cannot be opened is tried again by the next who asks.
    pub async fn pools(&self) -> Result<&Pools, StoreError> {
        self.0.pools.get_or_try_init(|| Pools::open(&self.0.url)).await
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        let pools = self.pools().await?;
        Ok(match pools {
            Pools::Sqlite { reader, .. } => {
                let time = self.kept_time(pools).await;
                Conn::SqliteRead(reader.acquire().await?, time)
            }
            Pools::Postgres(pool) => Conn::PostgresRead(pool.acquire().await?),
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
        let pools = self.pools().await?;
        Ok(match pools {
            Pools::Sqlite { writer, .. } => {
                let time = self.kept_time(pools).await;
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
            Pools::Postgres(pool) => Conn::Postgres(pool.begin_with(postgres).await?),
        })
    }

    /// How many connections each pool has, and how many of those nobody uses; nothing where the database is not open.
    pub fn load(&self) -> Vec<(&'static str, usize, usize)> {
        fn of<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) -> (&'static str, usize, usize) {
            (name, pool.size().try_into().unwrap_or_default(), pool.num_idle())
        }
        match self.0.pools.get() {
            Some(Pools::Sqlite { writer, reader }) => vec![of("writer", writer), of("reader", reader)],
            Some(Pools::Postgres(pool)) => vec![of("all", pool)],
            None => Vec::new(),
        }
    }

    /// Closes the connections, where there are any; SQLite tidies its files up.
    pub async fn close(&self) {
        match self.0.pools.get() {
            Some(Pools::Sqlite { writer, reader }) => {
                reader.close().await;
                writer.close().await;
            }
            Some(Pools::Postgres(pool)) => pool.close().await,
            None => {}
        }
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
            let result: Result<_, $error> = async {
                let mut $tx = $db.begin().await?;
                let done: Result<_, $error> = async { $work }.await;
                let done = done?;
                $tx.commit().await?;
                Ok(done)
            }
            .await;
            match result {
                Err(error) if tries.again(&error).await => {}
                result => break result,
            }
        }
    }};
}
pub(crate) use transaction;

/// For how long a transaction is tried: clients give a call a minute, and it may have four.
const PATIENCE: Duration = Duration::from_secs(12);
/// How often one is tried that came upon what another one has made or taken away.
const MEETINGS: u32 = 5;

/// How often a transaction was tried, and for how long.
#[derive(Debug)]
pub(crate) struct Tries {
    begun: Instant,
    count: u32,
}

impl Default for Tries {
    fn default() -> Self {
        Self { begun: Instant::now(), count: 0 }
    }
}

impl Tries {
    /// Waits a moment where a transaction that failed is to be tried again; false where it is not.
    pub(crate) async fn again(&mut self, error: &impl FromStore) -> bool {
        let is_passing = error.store_error().is_some_and(StoreError::is_passing);
        let again = is_passing && self.begun.elapsed() < PATIENCE;
        if again {
            self.count += 1;
            pause(self.count).await;
        }
        again
    }

    /// The same for one that looks before it writes: it may have met what it could not see, and sees it the next time.
    pub(crate) async fn looking_again(&mut self, error: &impl FromStore) -> bool {
        if self.count < MEETINGS && error.store_error().is_some_and(StoreError::met_another) {
            self.count += 1;
            pause(self.count).await;
            return true;
        }
        self.again(error).await
    }
}

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

/// Evaluates an expression with the connection of either database.
macro_rules! either {
    ($self:expr, $conn:ident => $work:expr) => {
        match $self {
            Conn::SqliteRead(it, _) => {
                let $conn = &mut **it;
                $work
            }
            Conn::Sqlite(it, _) => {
                let $conn = &mut **it;
                $work
            }
            Conn::PostgresRead(it) => {
                let $conn = &mut **it;
                $work
            }
            Conn::Postgres(it) => {
                let $conn = &mut **it;
                $work
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
        Ok(either!(self, conn => bound!(sqlx::query_as::<_, T>(text(sql)), args).fetch_all(conn).await)?)
    }

    /// The first row.
    pub async fn one<T: Row>(&mut self, sql: &str, args: &[Val]) -> Result<Option<T>, StoreError> {
        Ok(either!(self, conn => bound!(sqlx::query_as::<_, T>(text(sql)), args).fetch_optional(conn).await)?)
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
        Ok(either!(self, conn => bound!(sqlx::query(text(sql)), args).execute(conn).await?.rows_affected()))
    }

    /// Keeps what the transaction did.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(it, _) => it.commit().await?,
            Self::Postgres(it) => it.commit().await?,
            Self::SqliteRead(..) | Self::PostgresRead(_) => {}
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
