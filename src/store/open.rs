//! Opening the database: its file or its address, and the steps that bring its tables up to date.

use std::{path::Path, str::FromStr as _, time::Duration};

use sqlx::{
    Connection as _, PgPool, SqliteConnection, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{ATTEMPTS, StoreError, pause};

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

impl Pools {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
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
        migration(11, "ends", include_str!("migrations/0011_ends.sql")),
    ])
}

const KEPT_SQLITE: [&str; 2] = [include_str!("migrations/0007_kept.sqlite.sql"), include_str!("migrations/0010_activity_kept.sqlite.sql")];
const KEPT_POSTGRES: [&str; 2] =
    [include_str!("migrations/0007_kept.postgres.sql"), include_str!("migrations/0010_activity_kept.postgres.sql")];

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
