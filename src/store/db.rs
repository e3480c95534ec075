//! The database: connections, transactions, rows. The only place that knows which of the two it is.

use std::{cell::RefCell, collections::BTreeSet, path::Path, str::FromStr as _, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection as _, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    migrate::{Migration, MigrationType, Migrator},
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use tokio::sync::OnceCell;

use super::Clock;
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
}

impl StoreError {
    /// Whether the same transaction may succeed when it is run again.
    fn is_passing(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        // PostgreSQL: serialization failure, deadlock, rollback; SQLite: busy, locked, busy snapshot.
        error.code().is_some_and(|code| matches!(&*code, "40001" | "40P01" | "40003" | "5" | "6" | "261" | "517"))
    }

    /// Whether this process has closed the store.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::PoolClosed))
    }

    /// Whether the way to the database broke: a commit that was on it may have been taken in.
    pub(crate) fn may_be_committed(&self) -> bool {
        use sqlx::Error::{Io, Protocol, Tls, WorkerCrashed};
        matches!(self, Self::Database(Io(_) | Protocol(_) | Tls(_) | WorkerCrashed))
    }

    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
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
    pools: OnceCell<Pools>,
}

/// The database, open.
#[derive(Debug)]
pub enum Pools {
    /// One connection writes, a few read: SQLite has one writer anyway, and so nobody waits in vain.
    Sqlite {
        writer: SqlitePool,
        reader: SqlitePool,
    },
    Postgres(PgPool),
}

/// A connection to read with, or a write transaction. Dropped, a transaction is rolled back.
#[derive(Debug)]
pub enum Conn {
    SqliteRead(PoolConnection<Sqlite>),
    PostgresRead(PoolConnection<Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// The steps that bring tables up to date. Triggers are the one thing that the two databases write differently.
fn migrator([kept, activity]: [&'static str; 2]) -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(sql), false)
    };
    Migrator::with_migrations(vec![
        migration(1, "guard", include_str!("migrations/0001_guard.sql")),
        migration(2, "directory", include_str!("migrations/0002_directory.sql")),
        migration(3, "jobs", include_str!("migrations/0003_jobs.sql")),
        migration(4, "open_intents", include_str!("migrations/0004_open_intents.sql")),
        migration(5, "guard_rules", include_str!("migrations/0005_guard_rules.sql")),
        migration(6, "flat", include_str!("migrations/0006_flat.sql")),
        migration(7, "kept", kept),
        migration(8, "differs", include_str!("migrations/0008_differs.sql")),
        migration(9, "activity", include_str!("migrations/0009_activity.sql")),
        migration(10, "activity_kept", activity),
    ])
}

const KEPT_SQLITE: [&str; 2] = [include_str!("migrations/0007_kept.sqlite.sql"), include_str!("migrations/0010_activity_kept.sqlite.sql")];
const KEPT_POSTGRES: [&str; 2] =
    [include_str!("migrations/0007_kept.postgres.sql"), include_str!("migrations/0010_activity_kept.postgres.sql")];

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Db").field(&self.kind()).finish()
    }
}

impl Db {
    /// The database at `sqlite:PATH` or `postgres://…`, not opened yet.
    pub fn at(url: &str) -> Self {
        Self(Arc::new(Shared { url: url.to_owned(), pools: OnceCell::new() }))
    }

    /// Opens `sqlite:PATH` or `postgres://…` and brings its tables up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let db = Self::at(url);
        db.pools().await?;
        Ok(db)
    }

    /// The connections. What cannot be opened is tried again by the next who asks.
    pub async fn pools(&self) -> Result<&Pools, StoreError> {
        self.0.pools.get_or_try_init(|| Pools::open(&self.0.url)).await
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        Ok(match self.pools().await? {
            Pools::Sqlite { reader, .. } => Conn::SqliteRead(reader.acquire().await?),
            Pools::Postgres(pool) => Conn::PostgresRead(pool.acquire().await?),
        })
    }

    /// A write transaction. On SQLite it waits for its turn here, so that nothing it has read can be stale.
    pub async fn begin(&self) -> Result<Conn, StoreError> {
        Ok(match self.pools().await? {
            Pools::Sqlite { writer, .. } => match writer.begin_with("BEGIN IMMEDIATE").await {
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
            Pools::Postgres(pool) => Conn::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await?),
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

impl Pools {
    async fn open(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Self::open_sqlite(Path::new(path.trim_start_matches("//"))).await;
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(StoreError::Url(format!("{scheme}:…"))); // the rest may hold a password
        }
        let options = PgConnectOptions::from_str(url)?;
        let pool = PgPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(10)).connect_with(options).await?;
        migrator(KEPT_POSTGRES).run(&pool).await?;
        Ok(Self::Postgres(pool))
    }

    async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            private_folder(folder).map_err(|source| StoreError::Folder { path: folder.display().to_string(), source })?;
        }
        private_file(path).map_err(|source| StoreError::Folder { path: path.display().to_string(), source })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // The ledger's intent must be on disk before its change is sent.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .optimize_on_close(false, None);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|conn, _| Box::pin(is_usable(conn)));
        let writer = writer.connect_with(options.clone()).await?;
        let applied: Result<i64, _> = sqlx::query_scalar("SELECT COUNT(*) FROM _sqlx_migrations WHERE success").fetch_one(&writer).await;
        if applied.ok() != i64::try_from(migrator(KEPT_SQLITE).iter().count()).ok() {
            migrate_sqlite(&writer).await?;
        }
        let reader = SqlitePoolOptions::new()
            .max_connections(4)
            .min_connections(0)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.create_if_missing(false).read_only(true));
        Ok(Self::Sqlite { writer, reader })
    }
}

/// Runs a block in a write transaction and commits it when it ends well; again when another process was in the way.
///
/// `transaction!(db, Error, tx => { tx.run(…).await?; Ok(value) })`. The error type has to be made from [`StoreError`] and
/// to tell it back through [`FromStore`].
macro_rules! transaction {
    ($db:expr, $error:ty, $tx:ident => $work:block) => {{
        let mut attempt = 0;
        loop {
            let result: Result<_, $error> = async {
                let mut $tx = $db.begin().await?;
                let done: Result<_, $error> = async { $work }.await;
                let done = done?;
                $tx.commit().await?;
                Ok(done)
            }
            .await;
            attempt += 1;
            match result {
                Err(error) if attempt < $crate::store::ATTEMPTS && $crate::store::is_passing(&error) => $crate::store::pause(attempt).await,
                result => break result,
            }
        }
    }};
}
pub(crate) use transaction;

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

/// Evaluates an expression with the connection of either database.
macro_rules! either {
    ($self:expr, $conn:ident => $work:expr) => {
        match $self {
            Conn::SqliteRead(it) => {
                let $conn = &mut **it;
                $work
            }
            Conn::Sqlite(it) => {
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
    /// may be on many machines; on SQLite the machine's that all of them are on.
    pub async fn now(&mut self, clock: &Clock) -> Result<Timestamp, StoreError> {
        if self.is_sqlite() {
            return Ok(clock.now());
        }
        // That of the statement, not of the transaction, which may have begun before the caller looked at its own clock.
        let sql = "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)";
        Ok(Timestamp(self.number(sql, &[]).await?))
    }

    fn is_sqlite(&self) -> bool {
        matches!(self, Self::SqliteRead(_) | Self::Sqlite(_))
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
            Self::Sqlite(it) => it.commit().await?,
            Self::Postgres(it) => it.commit().await?,
            Self::SqliteRead(_) | Self::PostgresRead(_) => {}
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

/// Whether the writing connection can be used for another transaction. SQLite ends some by itself, when the disk is full for one: their
/// rollback fails then, and a connection that still counts itself in a transaction would begin none ever after.
async fn is_usable(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if conn.is_in_transaction() {
        conn.ping().await?; // until the rollback that is under way is through
    }
    Ok(!conn.is_in_transaction())
}

/// Several processes may find a new file at once: one makes the tables, the others wait and find them made.
async fn migrate_sqlite(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut attempt = 0;
    loop {
        match migrator(KEPT_SQLITE).run(pool).await {
            Ok(()) => return Ok(()),
            Err(error) if attempt == ATTEMPTS => return Err(error.into()),
            Err(_) => {
                attempt += 1;
                pause(attempt).await;
            }
        }
    }
}

/// Makes the file, if it is not there yet, so that only its owner can read it; SQLite gives its other files the same rights.
fn private_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

/// Makes a folder that only its owner can look into.
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
