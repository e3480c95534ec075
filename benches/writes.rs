//! How many changes there are a second, with one, 16 and 64 in flight on three processes' worth of programs: on SQLite and, where
//! `WRITES_POSTGRES` names an empty database (`postgres://…`), on PostgreSQL.
//!
//! `cargo bench --bench writes`; half a minute for each store.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed, and tells what it found")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rolecall::{
    app::{App, Setup},
    error::CallError,
    guard::{Caller, Given},
    store::Db,
};
use serde_json::{Value, json};

/// For how long each number of writers is measured.
const SPAN: Duration = Duration::from_secs(5);
const REPLICAS: usize = 3;
const MOST: usize = 64;

async fn call(app: &App, tool: &str, arguments: Value) -> Result<(), CallError> {
    let Value::Object(arguments) = arguments else { unreachable!() };
    let caller = Caller { principal: "local".into(), client: "bench".into(), can_ask: false };
    app.call(tool, arguments, &caller, Given::Nothing).await.map(drop)
}

/// The program several times on one store, as replicas would have it, with a project for each writer.
async fn replicas(url: &str, secrets: &std::path::Path) -> Vec<Arc<App>> {
    let mut apps = Vec::new();
    for _ in 0..REPLICAS {
        apps.push(Arc::new(App::new(Setup::local(Db::open(url).await.unwrap(), secrets.to_path_buf()))));
    }
    call(&apps[0], "create_organization", json!({ "name": "Acme" })).await.unwrap();
    for at in 0..MOST {
        call(&apps[0], "create_project", json!({ "name": format!("Project {at}"), "organization": "Acme" })).await.unwrap();
    }
    apps
}

/// Changes one project again and again: how long each change took, in milliseconds, and how many failed.
async fn writer(app: Arc<App>, project: String, until: Instant) -> (Vec<f64>, usize) {
    let (mut times, mut errors) = (Vec::new(), 0);
    while Instant::now() < until {
        let sent = Instant::now();
        let change = json!({ "project": project, "description": format!("{sent:?}") });
        match call(&app, "update_project", change).await {
            Ok(()) => times.push(sent.elapsed().as_secs_f64() * 1e3),
            Err(_) => errors += 1,
        }
    }
    (times, errors)
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", folder.path().join("store.sqlite3").display());
    println!("| store | in flight | changes a second | p50 ms | p99 ms | errors |\n|---|---:|---:|---:|---:|---:|");
    for url in std::iter::once(sqlite).chain(std::env::var("WRITES_POSTGRES")) {
        let apps = replicas(&url, folder.path()).await;
        for in_flight in [1, 16, MOST] {
            let (begun, mut times, mut errors) = (Instant::now(), Vec::new(), 0);
            let started = (0..in_flight).map(|at| {
                let app = Arc::clone(&apps[at % REPLICAS]);
                tokio::spawn(writer(app, format!("Project {at}"), begun + SPAN))
            });
            for writer in started.collect::<Vec<_>>() {
                let (more, failed) = writer.await.unwrap();
                times.extend(more);
                errors += failed;
            }
            let each = f64::from(u32::try_from(times.len()).unwrap()) / begun.elapsed().as_secs_f64();
            times.sort_by(f64::total_cmp);
            let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
            println!("| {} | {in_flight} | {each:.0} | {:.1} | {:.1} | {errors} |", apps[0].db.kind(), at(50), at(99));
        }
    }
}
