//! The steps that bring the tables up to date, and whose turn it is to take them.

use sqlx::{
    Connection as _, Executor as _, PgConnection, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{StoreError, pause, servers::Servers};

/// The steps. Triggers are the one thing that the two databases write differently.
fn migrator([kept, activity, by_key]: [&'static str; 3]) -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(sql), false)
    };
    let mut all = Migrator::with_migrations(vec![
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
        migration(11, "console", include_str!("migrations/0011_console.sql")),
        migration(12, "reviews", include_str!("migrations/0012_reviews.sql")),
        migration(13, "ends", include_str!("migrations/0013_ends.sql")),
        migration(14, "job_notes", include_str!("migrations/0014_job_notes.sql")),
        migration(15, "doubt", include_str!("migrations/0015_doubt.sql")),
        migration(16, "by_key", by_key),
        migration(17, "found", include_str!("migrations/0017_found.sql")),
    ]);
    // Its lock is an advisory one, which not every server that speaks PostgreSQL's protocol has; SQLite's steps take no lock of its.
    all.set_locking(false);
    all
}

pub(super) const KEPT_SQLITE: [&str; 3] = [
    include_str!("migrations/0007_kept.sqlite.sql"),
    include_str!("migrations/0010_activity_kept.sqlite.sql"),
    "SELECT 1", // it reads by the key as it is
];
pub(super) const KEPT_POSTGRES: [&str; 3] = [
    include_str!("migrations/0007_kept.postgres.sql"),
    include_str!("migrations/0010_activity_kept.postgres.sql"),
    include_str!("migrations/0016_by_key.postgres.sql"),
];

/// How often it is tried to bring tables up to date that others may be bringing up to date.
const ATTEMPTS: u32 = 10;

/// The setting that says which program brought the tables up to date.
const MADE_BY: &str = "made_by";
const NOTE_SQLITE: &str = "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const NOTE_POSTGRES: &str = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
pub(super) const MADE_BY_SQL: &str = "SELECT value FROM settings WHERE name = 'made_by'";

fn program() -> String {
    format!("Rolecall {}", env!("CARGO_PKG_VERSION"))
}

/// Whether all steps were taken; an error where more were taken than this program knows.
pub(super) fn is_up_to_date(done: &[i64], kept: [&'static str; 3], made_by: Option<String>) -> Result<bool, StoreError> {
    let known: Vec<i64> = migrator(kept).iter().map(|it| it.version).collect();
    let (store, last) = (done.iter().max().copied().unwrap_or_default(), known.iter().max().copied().unwrap_or_default());
    if store > last {
        let made_by = made_by.filter(|it| *it != program()).unwrap_or_else(|| "another version of Rolecall".to_owned());
        return Err(StoreError::Newer { made_by, store, known: last });
    }
    Ok(known.iter().all(|it| done.contains(it)))
}

/// Several processes may find a new file at once: one makes the tables, the others wait and find them made.
pub(super) async fn of_sqlite(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut attempt = 0;
    loop {
        match migrator(KEPT_SQLITE).run(pool).await {
            Ok(()) => break,
            Err(error) if attempt == ATTEMPTS => return Err(error.into()),
            Err(_) => {
                attempt += 1;
                pause(attempt).await;
            }
        }
    }
    sqlx::query(NOTE_SQLITE).bind(MADE_BY).bind(program()).execute(pool).await?;
    Ok(())
}

/// The same on PostgreSQL, where several machines may find old tables at once: one has the turn, the others wait for theirs and find
/// nothing left to do.
pub(super) async fn of_postgres(servers: &Servers) -> Result<(), StoreError> {
    // A ledger of millions of rows takes its time.
    let pool = servers.without_haste().await?;
    let turn = turn(&pool).await?;
    let done = async {
        migrator(KEPT_POSTGRES).run(&pool).await?;
        sqlx::query(NOTE_POSTGRES).bind(MADE_BY).bind(program()).execute(&pool).await?;
        Ok(())
    };
    let done = done.await;
    drop(turn.close().await);
    pool.close().await;
    done
}

/// Waits for the turn, which lasts as long as the connection: should this process end or its machine go, the server gives it to the next.
///
/// It is a row that is written and not committed, which every server that speaks the protocol keeps from others.
async fn turn(pool: &sqlx::PgPool) -> Result<PgConnection, sqlx::Error> {
    let mut attempt = 0;
    loop {
        match try_turn(pool).await {
            Ok(turn) => return Ok(turn),
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(_) => {
                attempt += 1;
                pause(attempt).await;
            }
        }
    }
}

async fn try_turn(pool: &sqlx::PgPool) -> Result<PgConnection, sqlx::Error> {
    let mut turn = pool.acquire().await?.detach();
    // It is idle for as long as the steps take, and it is to be noticed when the machine at this end is gone. Not every server knows these.
    for setting in [
        "idle_in_transaction_session_timeout = 0",
        "lock_timeout = 0",
        "tcp_keepalives_idle = 10",
        "tcp_keepalives_interval = 5",
        "tcp_keepalives_count = 3",
    ] {
        drop(turn.execute(sqlx::AssertSqlSafe(format!("SET {setting}"))).await);
    }
    // Of two who make it at once, one may be told that it is there, and tries again.
    turn.execute("CREATE TABLE IF NOT EXISTS migration_turn (name TEXT PRIMARY KEY, taken BIGINT NOT NULL)").await?;
    turn.execute("INSERT INTO migration_turn (name, taken) VALUES ('tables', 0) ON CONFLICT (name) DO NOTHING").await?;
    turn.execute("BEGIN").await?;
    turn.execute("UPDATE migration_turn SET taken = taken + 1 WHERE name = 'tables'").await?;
    Ok(turn)
}
