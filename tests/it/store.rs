//! The store, where things go wrong with it: full disks, and hands that go around the ledger's rules.

use std::{sync::Arc, time::Duration};

use rolecall::{
    app::{App, Setup},
    store::{Db, Pools},
};
use sqlx::AssertSqlSafe;

use crate::support::{Agent, Options, Store, json};

async fn tried(db: &Db, text: &str) -> Result<(), sqlx::Error> {
    match db.pools().await.unwrap() {
        Pools::Sqlite { writer, .. } => sqlx::query(AssertSqlSafe(text)).execute(writer).await.map(|_| ()),
        Pools::Postgres(pool) => sqlx::query(AssertSqlSafe(text)).execute(pool).await.map(|_| ()),
    }
}

async fn sql(db: &Db, text: &str) {
    tried(db, text).await.unwrap();
}

/// An agent whose guard and directory share their connections, as in the program.
async fn agent() -> Agent {
    let store = Store::sqlite();
    let db = Db::open(&store.url).await.unwrap();
    let app = Arc::new(App::new(Setup::local(db, store.secrets())));
    let agent = Agent::of(&store, app, Options::default()).await;
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    agent
}

#[tokio::test]
async fn a_transaction_that_the_database_ended_by_itself_stands_in_the_way_of_no_later_change() {
    let agent = agent().await;
    for table in ["projects", "ledger"] {
        // As SQLite does where the disk is full: the transaction is over, and its rollback fails.
        sql(
            agent.db(),
            &format!("CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END"),
        )
        .await;
        let before = agent.dump().await;
        for _ in 0..3 {
            agent.fails("create_project", json!({ "name": format!("Lost to {table}") }), "store_unavailable").await;
        }
        assert_eq!(agent.dump().await, before);
        sql(agent.db(), "DROP TRIGGER full").await;
        agent.ok("create_project", json!({ "name": format!("Made after {table}") })).await;
    }
    assert_eq!(agent.db().read().await.unwrap().verify_ledger().await.unwrap().broken, None);
}

#[tokio::test]
async fn the_writing_connection_is_kept_where_nothing_is_wrong_with_it() {
    let agent = agent().await;
    sql(agent.db(), "CREATE TEMP TABLE mark (at BIGINT)").await;
    agent.ok("create_team", json!({ "name": "Maps" })).await;
    agent.ok("create_team", json!({ "name": "Tiles", "dry_run": true })).await;
    agent.fails("create_team", json!({ "name": "Maps" }), "name_taken").await;
    agent.ok("delete_team", json!({ "team": "Maps" })).await;
    sql(agent.db(), "INSERT INTO mark (at) VALUES (1)").await;
}

#[tokio::test]
async fn a_disk_that_was_full_for_a_while_costs_the_calls_that_met_it() {
    let agent = agent().await;
    agent.app.records_within(Duration::from_millis(300));
    // The file may not grow: now this write meets it, now that one.
    let mut met = 0;
    for at in 0..80 {
        sql(agent.db(), "PRAGMA max_page_count = 1").await;
        let answer = agent.call("create_team", json!({ "name": format!("Team {at}"), "description": "x".repeat(900) })).await;
        if let Some(code) = answer["code"].as_str() {
            assert!(["store_unavailable", "not_recorded", "outcome_unknown"].contains(&code), "{answer}");
            met += 1;
        }
    }
    assert!(met > 0, "the disk is never full");
    sql(agent.db(), "PRAGMA max_page_count = 1000000").await;
    for at in 0..20 {
        agent.ok("create_team", json!({ "name": format!("Later team {at}"), "description": "x".repeat(900) })).await;
    }
}

#[tokio::test]
async fn no_row_of_the_ledger_stands_beside_the_chain() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        for seq in ["0", "-1", "NULL", "'later'", "1.5"] {
            if agent.db().kind() == "postgres" && !["0", "-1", "NULL"].contains(&seq) {
                continue;
            }
            let row =
                format!("INSERT INTO ledger (seq, at, call_id, entry, body, prev, hash) VALUES ({seq}, 1, 'c', 'intent', '{{}}', '', '')");
            tried(agent.db(), &row).await.unwrap_err();
        }
        let whole = agent.db().read().await.unwrap().verify_ledger().await.unwrap();
        assert_eq!((whole.broken, whole.rows), (None, 2));
    }
}

#[tokio::test]
async fn rows_that_got_around_the_ledgers_rules_are_found() {
    for seq in ["0", "-7", "'later'", "1.5"] {
        let agent = Agent::new().await;
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        sql(agent.db(), "PRAGMA ignore_check_constraints = 1").await;
        let row =
            format!("INSERT INTO ledger (seq, at, call_id, entry, body, prev, hash) VALUES ({seq}, 1, 'c', 'intent', '{{}}', '', '')");
        sql(agent.db(), &row).await;
        let found = agent.db().read().await.unwrap().verify_ledger().await.unwrap();
        assert_eq!(found.broken, Some((0, "rows stand beside the chain, without a number in it")), "{seq}");
    }
}

#[tokio::test]
async fn rows_beside_the_chain_of_a_store_from_before_are_kept_and_found() {
    for store in Store::each().await {
        let agent = Agent::on(&store, Options::default()).await;
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        let db = agent.db();
        let forged = if db.kind() == "sqlite" { "NULL" } else { "0" };
        for undo in [
            "DROP INDEX approvals_waiting",
            "DROP INDEX approvals_call",
            "ALTER TABLE approvals DROP COLUMN call",
            "ALTER TABLE approvals DROP COLUMN used_at",
            "DROP TABLE ledger_strays",
            "CREATE TABLE old (seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, call_id TEXT NOT NULL, entry TEXT NOT NULL, body TEXT NOT NULL, \
             prev TEXT NOT NULL, hash TEXT NOT NULL)",
            "INSERT INTO old SELECT seq, at, call_id, entry, body, prev, hash FROM ledger",
            "DROP TABLE ledger",
            "ALTER TABLE old RENAME TO ledger",
            "CREATE INDEX ledger_call ON ledger (call_id)",
            "CREATE INDEX ledger_at ON ledger (at)",
            "DELETE FROM _sqlx_migrations WHERE version = 5",
            &format!("INSERT INTO ledger VALUES ({forged}, 1, 'forged', 'intent', '{{\"tool\": \"delete_project\"}}', '', '')"),
        ] {
            sql(db, undo).await;
        }
        db.close().await;
        let db = Db::open(&store.url).await.unwrap();
        let mut conn = db.read().await.unwrap();
        let found = conn.verify_ledger().await.unwrap();
        assert_eq!(found.broken, Some((0, "rows stand beside the chain, without a number in it")));
        assert_eq!(conn.texts("SELECT call_id FROM ledger_strays", &[]).await.unwrap(), ["forged"]);
        assert_eq!(conn.number("SELECT COUNT(*) FROM ledger", &[]).await.unwrap(), 2);
    }
}
