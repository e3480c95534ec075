//! Many who write at once, on several processes: nobody is told of another's transaction, and the ledger stays one chain.

use std::sync::Arc;

use rolecall::{
    app::App,
    error::CallError,
    guard::{Caller, Given, Verdict},
};

use crate::{
    company::acme,
    support::{Agent, Options, Store, Value, json},
};

fn operator() -> Caller {
    Caller { principal: "local".into(), client: "test".into(), can_ask: false }
}

async fn call(app: &App, tool: &str, arguments: Value) -> Result<Value, CallError> {
    let Value::Object(arguments) = arguments else { unreachable!() };
    match app.call(tool, arguments, &operator(), Given::Nothing).await? {
        Verdict::Done(done) => Ok(done),
        other => panic!("{tool}: {other:?}"),
    }
}

/// Acme with projects, and the program several times, as replicas would have it.
async fn replicas(store: &Arc<Store>, count: usize, projects: usize) -> Vec<Arc<App>> {
    let agent = Agent::on(store, Options::default()).await;
    acme(&agent, &["bo"]).await;
    let mut apps = Vec::new();
    for _ in 0..count {
        apps.push(store.app(&Options::default()).await);
    }
    for at in 0..projects {
        call(&apps[0], "create_project", json!({ "name": format!("Project {at}"), "organization": "Acme" })).await.unwrap();
    }
    apps
}

/// What a writer does: changes of its own things, of things that all share, and some with a key.
async fn write(app: &App, writer: usize) -> Vec<Result<Value, CallError>> {
    let project = format!("Project {writer}");
    let mut ended = Vec::new();
    for (tool, arguments) in [
        ("update_project", json!({ "project": project, "description": format!("of writer {writer}") })),
        ("create_team", json!({ "name": format!("Team {writer}"), "organization": "Acme", "idempotency_key": format!("team-{writer}") })),
        ("create_project", json!({ "name": format!("New {writer}"), "organization": "Acme" })),
        ("add_project_member", json!({ "project": project, "member": "bo@acme.example", "roles": ["viewer"] })),
        ("update_organization", json!({ "organization": "Acme", "description": "the same of all" })),
    ] {
        ended.push(call(app, tool, arguments).await);
    }
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_at_once_all_end_done_and_the_ledger_stays_one_chain() {
    const WRITERS: usize = 64;
    for store in Store::each().await {
        let apps = replicas(&store, 3, WRITERS).await;
        let before = apps[0].db.read().await.unwrap().verify_ledger().await.unwrap().rows;
        let writers = (0..WRITERS).map(|writer| {
            let app = Arc::clone(&apps[writer % apps.len()]);
            tokio::spawn(async move { write(&app, writer).await })
        });
        let mut done = 0;
        for writer in writers.collect::<Vec<_>>() {
            for ended in writer.await.unwrap() {
                match ended {
                    Ok(receipt) => {
                        assert_eq!(receipt["status"], "done", "{receipt}");
                        done += 1;
                    }
                    // What another writer has done to the same thing meanwhile is a rule's answer, and not the store's.
                    Err(error) => assert_eq!(error.code(), "target_changed", "{error}"),
                }
            }
        }
        let kind = apps[0].db.kind();
        assert!(done >= WRITERS * 4, "{kind}: {done}");
        let after = apps[0].db.read().await.unwrap().verify_ledger().await.unwrap();
        assert_eq!(after.broken, None, "{kind}");
        assert_eq!(after.rows, before + 2 * i64::try_from(WRITERS * 5).unwrap(), "{kind}: an intent and an outcome for each call");
        let mut conn = apps[0].db.read().await.unwrap();
        assert_eq!(conn.number("SELECT COUNT(*) FROM open_intents", &[]).await.unwrap(), 0, "{kind}");
    }
}
