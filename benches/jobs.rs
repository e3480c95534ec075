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

#[path = "jobs/five.rs"]
mod five;
#[path = "jobs/scenes.rs"]
mod scenes;
#[path = "jobs/scripts.rs"]
#[allow(dead_code, reason = "the test looks at more of it")]
mod scripts;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("| a person says | calls | failed | tokens of answers |\n|---|---|---|---|");
    let mut sum = Sum::default();
    for job in scripts::in_one_directory() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("directory.sqlite3").display())).await.unwrap();
        seed::seed(&db, "acme").await.unwrap();
        let app = Arc::new(App::new(Setup::local(db, folder.path().join("secrets"))));
        sum.add(app, &job).await;
    }
    for job in scripts::over_five_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let (app, services) = five::accounts(folder.path()).await;
        sum.add(app, &job).await;
        drop(services);
    }
    println!("| all of them | {} | {} | {} |", sum.calls, sum.failed, sum.tokens);
}

/// What all jobs come to.
#[derive(Default)]
struct Sum {
    calls: usize,
    failed: usize,
    tokens: usize,
}

impl Sum {
    /// Plays a job, and prints its line.
    async fn add(&mut self, app: Arc<App>, job: &scripts::Job) {
        let (played, _) = scripts::play(app, job).await;
        let tokens = tiktoken_rs::o200k_base().unwrap().encode_ordinary(&played.texts.join("\n")).len();
        println!("| {} | {} | {} | {tokens} |", job.says, played.calls, played.failed.len());
        self.calls += played.calls;
        self.failed += played.failed.len();
        self.tokens += tokens;
    }
}
