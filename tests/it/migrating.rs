//! Tables are brought up to date once, however many processes find them old, and without what only PostgreSQL itself has.

use std::time::Duration;

use rolecall::store::Db;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::support::Store;

/// How often each step was taken.
async fn steps(db: &Db) -> (i64, i64, i64) {
    let mut conn = db.read().await.unwrap();
    let of = "SELECT COUNT(*) FROM _sqlx_migrations";
    let all = conn.number(of, &[]).await.unwrap();
    let different = conn.number("SELECT COUNT(DISTINCT version) FROM _sqlx_migrations", &[]).await.unwrap();
    let failed = conn.number(&format!("{of} WHERE NOT success"), &[]).await.unwrap();
    (all, different, failed)
}

#[tokio::test]
async fn three_processes_that_find_an_empty_store_make_its_tables_once() {
    for store in Store::each().await {
        let processes: Vec<_> = (0..3)
            .map(|_| {
                let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rolecall"));
                command.args(["activity"]).env_clear().env("ROLECALL_STORE", &store.url).env("HOME", store.folder.path());
                command.current_dir(store.folder.path()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for process in processes {
            let output = process.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let (all, different, failed) = steps(&Db::open(&store.url).await.unwrap()).await;
        assert!(all > 10 && all == different && failed == 0, "{all} steps, {different} of them different, {failed} failed");
    }
}

/// A connection of another program to the same store.
async fn other(store: &Store) -> PgConnection {
    PgConnection::connect(&store.url).await.unwrap()
}

#[tokio::test]
async fn who_finds_others_at_the_tables_waits_until_they_are_through_or_gone() {
    for store in Store::each().await {
        if store.url.starts_with("sqlite") {
            continue; // there the file itself is locked
        }
        let mut first = other(&store).await;
        let table = "CREATE TABLE migration_turn (name TEXT PRIMARY KEY, taken BIGINT NOT NULL); \
                     INSERT INTO migration_turn (name, taken) VALUES ('tables', 0); \
                     BEGIN; UPDATE migration_turn SET taken = taken + 1 WHERE name = 'tables'";
        sqlx::raw_sql(table).execute(&mut first).await.unwrap();
        let url = store.url.clone();
        let waiting = tokio::spawn(async move { Db::open(&url).await });
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!waiting.is_finished());
        let mut looking = other(&store).await;
        let made: Option<String> = sqlx::query_scalar("SELECT CAST(to_regclass('ledger') AS TEXT)").fetch_one(&mut looking).await.unwrap();
        assert_eq!(made, None, "tables were made while it was another's turn");
        // As when its process is killed.
        drop(first);
        let db = tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap().unwrap().unwrap();
        let (all, different, failed) = steps(&db).await;
        assert!(all > 10 && all == different && failed == 0, "{all} steps, {different} of them different, {failed} failed");
    }
}

#[tokio::test]
async fn a_server_without_advisory_locks_can_be_used() {
    for store in Store::each().await {
        if store.url.starts_with("sqlite") {
            continue;
        }
        let mut conn = other(&store).await;
        let names = ["pg_advisory_lock", "pg_try_advisory_lock", "pg_advisory_xact_lock", "pg_try_advisory_xact_lock"];
        for name in names {
            let of = |kind: &str| {
                format!(
                    "CREATE FUNCTION {name}({kind}) RETURNS BOOLEAN LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'unimplemented: {name}'; END $$"
                )
            };
            for kind in ["BIGINT", "INTEGER, INTEGER"] {
                conn.execute(AssertSqlSafe(of(kind))).await.unwrap();
            }
        }
        // Functions of the schema stand before the server's own.
        let url = format!("{},pg_catalog", store.url);
        let mut conn = PgConnection::connect(&url).await.unwrap();
        let refused = conn.execute("SELECT pg_advisory_lock(CAST(1 AS BIGINT))").await.unwrap_err().to_string();
        assert!(refused.contains("unimplemented"), "{refused}");
        let db = Db::open(&url).await.unwrap();
        assert!(steps(&db).await.0 > 10);
    }
}
