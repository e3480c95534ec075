//! What jobs of people cost a model: calls, and tokens (o200k) of what it reads of the answers.
//!
//! `cargo bench --bench jobs`
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed, and tells what it found")]

use std::sync::Arc;

use rolecall::{
    app::{App, Setup},
    providers::local::seed,
    store::Db,
};

#[path = "jobs/scripts.rs"]
#[allow(dead_code, reason = "the test looks at more of it")]
mod scripts;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let counter = tiktoken_rs::o200k_base().unwrap();
    println!("| a person says | calls | failed | tokens of answers |\n|---|---|---|---|");
    let (mut calls, mut tokens) = (0, 0);
    for job in scripts::in_one_directory() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("directory.sqlite3").display())).await.unwrap();
        seed::seed(&db, "acme").await.unwrap();
        let app = Arc::new(App::new(Setup::local(db, folder.path().join("secrets"))));
        if !job.can_be_played(&app) {
            continue;
        }
        let (played, _) = scripts::play(app, &job).await;
        let read = counter.encode_ordinary(&played.texts.join("\n")).len();
        println!("| {} | {} | {} | {read} |", job.says, played.calls, played.failed.len());
        calls += played.calls;
        tokens += read;
    }
    println!("| all of them | {calls} | | {tokens} |");
}
