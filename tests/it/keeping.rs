//! What is kept of a store: copies, exports, what ends by age; and stores that can only be read, or that a newer program made.

use std::{os::unix::fs::PermissionsExt as _, sync::Arc};

use rolecall::{
    domain::Timestamp,
    store::{Db, Pools, Retention},
};
use sqlx::AssertSqlSafe;

use crate::{
    support::{Agent, Options, Store, Value, json},
    wire::program,
};

async fn sql(db: &Db, text: &str) {
    match db.pools().await.unwrap() {
        Pools::Sqlite { writer, .. } => sqlx::query(AssertSqlSafe(text)).execute(writer).await.map(|_| ()).unwrap(),
        Pools::Postgres(pool) => sqlx::query(AssertSqlSafe(text)).execute(pool).await.map(|_| ()).unwrap(),
    }
}

/// Runs the program to its end: its exit code, and all that it said.
async fn ran(store: &Store, arguments: &[&str]) -> (i32, String) {
    let done = program(store).args(arguments).output().await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (done.status.code().unwrap(), said)
}

#[tokio::test]
async fn a_store_is_copied_while_it_is_used_and_the_copy_is_whole() {
    let agent = Agent::new().await;
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    let file = agent.store.folder.path().join("copy.sqlite3");
    let name = file.to_str().unwrap();
    let writing = async {
        for at in 0..20 {
            agent.ok("create_team", json!({ "name": format!("Team {at}") })).await;
        }
    };
    let backup = ["store", "backup", name];
    let ((), (code, said)) = tokio::join!(writing, ran(&agent.store, &backup));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("OK: the copy is whole"), "{said}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = Arc::new(Store { url: format!("sqlite:{name}"), folder: tempfile::tempdir().unwrap() });
    let other = Agent::on(&copy, Options::default()).await;
    assert_eq!(other.db().read().await.unwrap().verify_ledger().await.unwrap().broken, None);
    other.ok("create_team", json!({ "name": "In the copy" })).await;
    // What is there is not written over.
    let before = std::fs::read(&file).unwrap();
    let (code, said) = ran(&agent.store, &["store", "backup", name]).await;
    assert!(code == 1 && said.contains("name a new file"), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_store_of_a_newer_program_says_that_one_is_needed_and_stays_as_it_is() {
    for store in Store::each().await {
        let db = Db::open(&store.url).await.unwrap();
        let step = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (900, 'later', TRUE, ";
        let step = format!("{step}{}, 1)", if db.kind() == "sqlite" { "x'00'" } else { "'\\x00'" });
        sql(&db, &step).await;
        sql(&db, "UPDATE settings SET value = 'Rolecall 9.4.0' WHERE name = 'made_by'").await;
        db.close().await;
        let error = Db::open(&store.url).await.unwrap_err().to_string();
        for word in ["newer program", "Rolecall 9.4.0", "900", &format!("this is Rolecall {}", env!("CARGO_PKG_VERSION"))] {
            assert!(error.contains(word), "{word}: {error}");
        }
        let (code, said) = ran(&store, &["serve", "--http", "127.0.0.1:0"]).await;
        assert!(code != 0 && said.contains("use the newer program"), "{said}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_written_to_can_be_read_and_changes_are_refused() {
    let agent = Agent::new().await;
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    let medium = tempfile::tempdir().unwrap();
    let place =
        Store { url: format!("sqlite:{}", medium.path().join("directory.sqlite3").display()), folder: tempfile::tempdir().unwrap() };
    let copy = medium.path().join("directory.sqlite3");
    let (code, said) = ran(&agent.store, &["store", "backup", copy.to_str().unwrap()]).await;
    assert_eq!(code, 0, "{said}");
    // A medium for reading where this machine lets a test have one; rights alone do not keep an administrator from writing.
    let mounted = seal(medium.path());
    if !mounted && std::fs::File::create(medium.path().join("try")).is_ok() {
        return;
    }
    for command in
        [vec!["--read-only", "call", "list_projects"], vec!["--read-only", "activity"], vec!["--read-only", "activity", "--verify"]]
    {
        let (code, said) = ran(&place, &command).await;
        assert_eq!(code, 0, "{command:?}: {said}");
    }
    let (_, said) = ran(&place, &["--read-only", "call", "list_projects", "--output", "json"]).await;
    assert!(said.contains("Atlas"), "{said}");
    let (code, said) = ran(&place, &["call", "create_project", "--name", "Maps"]).await;
    assert!(code != 0 && !said.contains("panicked"), "{said}");
    assert_eq!(std::fs::read_dir(medium.path()).unwrap().count(), 1, "something was written beside it");
    if mounted {
        std::process::Command::new("umount").arg(medium.path()).status().unwrap();
    } else {
        std::fs::set_permissions(medium.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// Makes a folder one that can only be read; answers whether it is mounted so.
fn seal(folder: &std::path::Path) -> bool {
    let mount = |arguments: &[&str]| {
        let command = std::process::Command::new("mount").args(arguments).stderr(std::process::Stdio::null()).status();
        command.is_ok_and(|it| it.success())
    };
    let path = folder.to_str().unwrap();
    if mount(&["--bind", path, path]) {
        if mount(&["-o", "remount,ro,bind", path]) {
            return true;
        }
        let _ = std::process::Command::new("umount").arg(path).status();
    }
    std::fs::set_permissions(folder.join("directory.sqlite3"), std::fs::Permissions::from_mode(0o400)).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o500)).unwrap();
    false
}

#[tokio::test]
async fn a_ledger_is_exported_with_a_signed_head_and_a_file_that_was_changed_is_found() {
    for store in Store::each().await {
        let agent = Agent::on(&store, Options::default()).await;
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        let file = store.folder.path().join("ledger.jsonl");
        let name = file.to_str().unwrap();
        let (code, said) = ran(&store, &["ledger", "export", name]).await;
        assert!(code == 0 && said.contains("rows  1 to 4"), "{said}");
        let key = said.lines().find_map(|it| it.strip_prefix("key   ")).unwrap().to_owned();
        let (code, said) = ran(&store, &["ledger", "verify", name, "--key", &key]).await;
        assert!(code == 0 && said.contains("OK: no row was changed"), "{said}");
        let (code, said) = ran(&store, &["ledger", "verify", name, "--key", "bm9uZQ=="]).await;
        assert!(code == 1 && said.contains("another key"), "{said}");
        let whole = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = whole.lines().collect();
        for (what, forged) in [
            ("was changed after", whole.replacen("Atlas", "Other", 1)),
            ("does not follow", [&lines[..1], &lines[2..]].concat().join("\n")),
            ("no signed head", lines[..4].join("\n")),
            ("not that of its rows", [&lines[..3], &lines[4..]].concat().join("\n")),
            ("no valid signature", whole.replace("\"exported_at\":\"2", "\"exported_at\":\"3")),
        ] {
            std::fs::write(&file, forged).unwrap();
            let (code, said) = ran(&store, &["ledger", "verify", name]).await;
            assert!(code == 1 && said.contains(what), "{what}: {said}");
        }
    }
}

#[tokio::test]
async fn rows_leave_the_ledger_only_when_they_were_exported_and_the_rest_is_verified_from_there() {
    for store in Store::each().await {
        let agent = Agent::on(&store, Options::default()).await;
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        for at in 0..10 {
            agent.ok("create_team", json!({ "name": format!("Team {at}") })).await;
        }
        let kept = Retention { ledger_rows: Some(4), ..Retention::default() };
        let rows = async || agent.db().read().await.unwrap().number("SELECT COUNT(*) FROM ledger", &[]).await.unwrap();
        agent.db().tidy(&kept).await.unwrap();
        assert_eq!(rows().await, 22, "what was not exported stays");
        let verify = async |word: &str| {
            let (code, said) = ran(&store, &["activity", "--verify"]).await;
            assert!(code == 0 && said.contains(word), "{said}");
        };
        verify("\"rows\": 22").await;
        let file = store.folder.path().join("first.jsonl");
        let (code, said) = ran(&store, &["ledger", "export", file.to_str().unwrap()]).await;
        assert_eq!(code, 0, "{said}");
        agent.db().tidy(&Retention::default()).await.unwrap();
        assert_eq!(rows().await, 22, "nobody asked for rows to leave");
        agent.db().tidy(&kept).await.unwrap();
        assert_eq!(rows().await, 4);
        verify("\"rows\": 22").await;
        let (code, said) = ran(&store, &["activity", "--verify", "--new"]).await;
        assert_eq!(code, 0, "{said}");
        agent.ok("create_team", json!({ "name": "Later" })).await;
        verify("\"rows\": 24").await;
        assert_eq!(agent.ok("list_activity", json!({})).await["items"].as_array().unwrap().len(), 3);
        // The next file goes on where the first has ended.
        let next = store.folder.path().join("next.jsonl");
        let (code, said) = ran(&store, &["ledger", "export", "--new", next.to_str().unwrap()]).await;
        assert!(code == 0 && said.contains("rows  23 to 24"), "{said}");
        let head = |file: &std::path::Path| -> Value {
            serde_json::from_str(std::fs::read_to_string(file).unwrap().lines().last().unwrap()).unwrap()
        };
        let first: Value = serde_json::from_str(std::fs::read_to_string(&next).unwrap().lines().next().unwrap()).unwrap();
        assert_eq!(first["prev"], head(&file)["head"]);
        // A row that is missing is found as before.
        sql(agent.db(), "DELETE FROM ledger WHERE seq = 20").await;
        let (code, said) = ran(&store, &["activity", "--verify"]).await;
        assert!(code == 1 && said.contains("broken at row 21"), "{said}");
    }
}

#[tokio::test]
async fn what_is_over_for_long_is_forgotten_and_what_is_open_stays() {
    for store in Store::each().await {
        let agent = Agent::on(&store, Options::default()).await;
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        agent.ok("create_project", json!({ "name": "Borealis" })).await;
        let silent = agent.silent().await;
        silent.fails("delete_project", json!({ "project": "Atlas" }), "pending_approval").await;
        let steps = json!([{ "tool": "create_team", "arguments": { "name": "Maps" } }, { "tool": "create_team", "arguments": { "name": "Tiles" } }]);
        agent.ok("apply_changes", json!({ "changes": steps })).await;
        let count =
            async |table: &str| agent.db().read().await.unwrap().number(&format!("SELECT COUNT(*) FROM {table}"), &[]).await.unwrap();
        agent.db().tidy(&Retention::default()).await.unwrap();
        assert_eq!((count("jobs").await, count("approvals").await), (1, 1));
        let applied = count("applied_calls").await;
        assert!(applied >= 5, "{applied}");
        // A hundred days later.
        let long_ago = Timestamp::now().plus_seconds(-100 * 24 * 3600).0;
        sql(agent.db(), &format!("UPDATE jobs SET ended_at = {long_ago}")).await;
        sql(agent.db(), &format!("UPDATE approvals SET expires_at = {long_ago}")).await;
        sql(agent.db(), &format!("UPDATE applied_calls SET at = {long_ago}")).await;
        sql(
            agent.db(),
            &format!("INSERT INTO open_intents (call_id, at, looked_at) SELECT MIN(call_id), {long_ago}, 0 FROM applied_calls"),
        )
        .await;
        let never = Retention { jobs_days: None, approvals_days: None, calls_days: None, ..Retention::default() };
        agent.db().tidy(&never).await.unwrap();
        assert_eq!((count("jobs").await, count("approvals").await, count("applied_calls").await), (1, 1, applied));
        agent.db().tidy(&Retention::default()).await.unwrap();
        assert_eq!((count("jobs").await, count("job_rows").await, count("approvals").await), (0, 0, 0));
        assert_eq!(count("applied_calls").await, 1, "the one that is open");
        assert_eq!(agent.db().read().await.unwrap().verify_ledger().await.unwrap().broken, None);
    }
}
