//! Opening the database: its file or its address.

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{
    Connection as _, PgPool, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Semaphore;

use super::{
    StoreError,
    migrating::{self, KEPT_POSTGRES, KEPT_SQLITE, MADE_BY_SQL, is_up_to_date},
    servers::Servers,
};

/// The database, open.
#[derive(Debug)]
pub enum Pools {
    /// One connection writes, a few read: SQLite has one writer anyway, and so nobody waits in vain.
    Sqlite { writer: SqlitePool, reader: SqlitePool },
    /// The connections that write.
    Postgres(PgPool),
}

/// The database, and what there is to know about it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) pools: Pools,
    /// PostgreSQL's, with the connections that read.
    pub(super) servers: Option<Arc<Servers>>,
    /// How many reads may take long at once: fewer than there are connections.
    pub(super) turns: Arc<Semaphore>,
    /// Why nothing can be written, where that is so.
    pub(super) read_only: Option<&'static str>,
}

/// How many connections of SQLite's read.
const READERS: u32 = 4;

impl Opened {
    pub(super) async fn open(url: &str, read_only: bool) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = Path::new(path.trim_start_matches("//"));
            return if read_only && !is_writable(path) { Self::open_sealed(path).await } else { Self::open_sqlite(path).await };
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(StoreError::Url(format!("{scheme}:…"))); // the rest may hold a password
        }
        let servers = Arc::new(Servers::at(url)?);
        servers.choose().await;
        let mut conn = servers.to_read().await?;
        // An empty database has no such table.
        let done = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(&mut *conn).await;
        let made_by = sqlx::query_scalar(MADE_BY_SQL).fetch_optional(&mut *conn).await.ok().flatten();
        drop(conn);
        if !is_up_to_date(&done.unwrap_or_default(), KEPT_POSTGRES, made_by)? {
            migrating::of_postgres(&servers).await?;
        }
        Ok(Self {
            pools: Pools::Postgres(servers.writer.clone()),
            servers: Some(servers),
            turns: Arc::new(Semaphore::new(6)),
            read_only: None,
        })
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
        if !is_up_to_date(&applied(&writer).await, KEPT_SQLITE, made_by(&writer).await)? {
            migrating::of_sqlite(&writer).await?;
        }
        let reader = readers(options.create_if_missing(false).read_only(true));
        Ok(Self::sqlite(writer, reader, None))
    }

    /// A store that cannot be written to: on a medium for reading, or in others' hands.
    async fn open_sealed(path: &Path) -> Result<Self, StoreError> {
        let shown = || path.display().to_string();
        std::fs::File::open(path).map_err(|source| StoreError::Folder { path: shown(), source })?;
        // Without a log beside it the file is all there is. With one, its newest rows are there, and SQLite has to read them.
        let log = path.with_file_name(format!("{}-wal", path.file_name().unwrap_or_default().to_string_lossy()));
        let is_whole = std::fs::metadata(log).map_or(true, |it| it.len() == 0);
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(is_whole).optimize_on_close(false, None);
        let reader = readers(options);
        let done: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(&reader).await?;
        if !is_up_to_date(&done, KEPT_SQLITE, made_by(&reader).await)? {
            return Err(StoreError::ReadOnly(shown(), "it was made by an older program; open it once where it can be written to"));
        }
        let why = "this program was started to read only; nothing was changed";
        Ok(Self::sqlite(reader.clone(), reader, Some(why)))
    }

    fn sqlite(writer: SqlitePool, reader: SqlitePool, read_only: Option<&'static str>) -> Self {
        let turns = Arc::new(Semaphore::new(3));
        Self { pools: Pools::Sqlite { writer, reader }, servers: None, turns, read_only }
    }
}

fn readers(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(options)
}

async fn applied(pool: &SqlitePool) -> Vec<i64> {
    // A new file has no such table.
    sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(pool).await.unwrap_or_default()
}

async fn made_by(pool: &SqlitePool) -> Option<String> {
    sqlx::query_scalar(MADE_BY_SQL).fetch_optional(pool).await.ok().flatten()
}

/// Whether a store at this path can be written to: the file, and its folder, where SQLite keeps others beside it.
fn is_writable(path: &Path) -> bool {
    let Ok(file) = std::fs::OpenOptions::new().append(true).open(path) else { return !path.exists() };
    drop(file);
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(folder).is_ok()
}

/// Whether the writing connection can be used for another transaction. SQLite ends some by itself, when the disk is full for one: their
/// rollback fails then, and a connection that still counts itself in a transaction would begin none ever after.
async fn is_usable(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if conn.is_in_transaction() {
        conn.ping().await?; // until the rollback that is under way is through
    }
    Ok(!conn.is_in_transaction())
}

/// Makes the file, if it is not there yet, so that only its owner can read it; SQLite gives its other files the same rights.
fn private_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

/// Makes a file that is not there yet, so that only its owner can read it.
pub(crate) fn private_new_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
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
