//! Many who write at once, on several processes: nobody is told of another's transaction, and the ledger stays one chain.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures: cargo test --test it -- --ignored --nocapture how_many_changes"]
async fn how_many_changes_there_are_a_second() {
    const SPAN: Duration = Duration::from_secs(5);
    println!("| store | in flight | changes a second | p50 ms | p99 ms | errors |\n|---|---:|---:|---:|---:|---:|");
    for store in Store::each().await {
        let apps = replicas(&store, 3, 64).await;
        for in_flight in [1, 16, 64] {
            let begun = Instant::now();
            let writers = (0..in_flight).map(|writer| {
                let app = Arc::clone(&apps[writer % apps.len()]);
                tokio::spawn(async move {
                    let (mut times, mut errors, mut at) = (Vec::new(), 0, 0);
                    while begun.elapsed() < SPAN {
                        at += 1;
                        let (sent, text) = (Instant::now(), format!("{in_flight} {at}"));
                        let change = json!({ "project": format!("Project {writer}"), "description": text });
                        match call(&app, "update_project", change).await {
                            Ok(_) => times.push(sent.elapsed().as_secs_f64() * 1e3),
                            Err(error) => {
                                if errors == 0 {
                                    eprintln!("{error}");
                                }
                                errors += 1;
                            }
                        }
                    }
                    (times, errors)
                })
            });
            let (mut times, mut errors) = (Vec::new(), 0);
            for writer in writers.collect::<Vec<_>>() {
                let (more, failed) = writer.await.unwrap();
                times.extend(more);
                errors += failed;
            }
            let took = begun.elapsed().as_secs_f64();
            times.sort_by(f64::total_cmp);
            let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
            let each = f64::from(u32::try_from(times.len()).unwrap()) / took;
            println!("| {} | {in_flight} | {each:.0} | {:.1} | {:.1} | {errors} |", apps[0].db.kind(), at(50), at(99));
        }
    }
}
