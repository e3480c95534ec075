//! How long the console's pages take and what they weigh, in the practice company and with 10,000 people and as many projects, and how
//! much more memory a server has that serves them while nobody looks.
//!
//! `cargo bench --bench console`; another size as an argument.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed, and tells what it found")]

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::{
    Client,
    header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE},
};
use rolecall::{console::link, store::Db};

#[path = "growth/fill.rs"]
mod fill;

/// The median of so many counts.
const TIMES: usize = 15;
/// What takes longer than this, in milliseconds, is not asked for so often.
const SLOW: f64 = 500.0;

/// A server that ends with the measurement.
struct Served(Child, String);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(home: &Path, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
    command.env_clear().env("ROLECALL_STORE", url).env("HOME", home).current_dir(home).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

async fn serve(home: &Path, url: &str, with_console: bool) -> Served {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = program(home, url);
    command.args(["serve", "--http", &format!("127.0.0.1:{port}")]).stdout(Stdio::null());
    if with_console {
        command.arg("--console");
    }
    let (served, http) = (Served(command.spawn().unwrap(), format!("http://127.0.0.1:{port}")), Client::new());
    for _ in 0..400 {
        if http.get(format!("{}/healthz", served.1)).send().await.is_ok() {
            return served;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the server does not answer");
}

/// Bytes of memory of a process: all, and what is its own.
fn memory(served: &Served) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.0.id())).unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|it| it.strip_prefix(name)).unwrap();
        line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<f64>().unwrap() / 1024.0
    };
    (of("VmRSS"), of("RssAnon"))
}

/// Somebody who has signed in.
struct Person {
    http: Client,
    base: String,
    cookie: String,
}

impl Person {
    async fn sign_in(served: &Served, url: &str) -> Self {
        let db = Db::open(url).await.unwrap();
        let link = link(&db, &served.1, "bench").await.unwrap();
        let (http, code) =
            (Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(), link.split_once('#').unwrap().1);
        let form = http.post(format!("{}/console/sign-in", served.1)).header(ORIGIN, &served.1);
        let answer = form.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(format!("code={code}")).send().await.unwrap();
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        db.close().await;
        Self { http, base: served.1.clone(), cookie }
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.http.get(format!("{}{path}", self.base)).header(COOKIE, &self.cookie).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.unwrap()
    }

    /// How long a page takes, in milliseconds, and its bytes.
    async fn measured(&self, path: &str) -> (f64, usize) {
        let (mut times, mut weight) = (Vec::new(), 0);
        for round in 0..=TIMES {
            let begun = Instant::now();
            weight = self.page(path).await.len();
            let took = begun.elapsed().as_secs_f64() * 1e3;
            if round > 0 {
                times.push(took);
            }
            if round > 1 && took > SLOW {
                break;
            }
        }
        times.sort_by(f64::total_cmp);
        (times[times.len() / 2], weight)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let size = std::env::args().skip(1).find_map(|it| it.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let (small, big) = (url("practice.db"), url("big.db"));
    assert!(program(folder.path(), &small).args(["seed", "acme"]).stdout(Stdio::null()).status().unwrap().success());
    let db = Db::open(&big).await.unwrap();
    fill::directory(&db, size).await.unwrap();
    fill::records(&db, size).await.unwrap();
    fill::ledger(&db, 10 * size).await.unwrap();
    fill::analyze(&db).await.unwrap();
    db.close().await;

    let cases =
        [(small, "Acme", "Atlas", "ana.ruiz@acme.example", "Ember"), (big, "Big", "prj_all", "p0000500@big.example", "Project 0000500")];
    let mut columns = Vec::new();
    for (url, organization, ends, person, project) in &cases {
        let served = serve(folder.path(), url, true).await;
        let asked = program(folder.path(), url).args(["call", "delete_project", "--project", ends, "--output", "json"]).output().unwrap();
        let told = String::from_utf8_lossy(&asked.stdout).into_owned();
        let id = told.split_once("/q/").unwrap_or_else(|| panic!("{told}")).1[..6].to_owned();
        let somebody = Person::sign_in(&served, url).await;
        let paths = [
            ("waiting", "/console/".to_owned()),
            ("question: a project that all are in", format!("/console/q/{id}")),
            ("access", format!("/console/access?organization={organization}")),
            ("access, the cells of the matrix", format!("/console/access/cells?organization={organization}")),
            ("findings", format!("/console/access/findings?connection=local&organization={organization}")),
            ("person", format!("/console/access/person?name={person}")),
            ("project", format!("/console/access/project?name={}", project.replace(' ', "%20"))),
            ("activity", "/console/activity".to_owned()),
            ("jobs", "/console/jobs".to_owned()),
            ("connections", "/console/connections".to_owned()),
        ];
        let mut column = Vec::new();
        for (name, path) in paths {
            column.push((name, somebody.measured(&path).await));
        }
        let own = somebody.page("/console/console.css").await.len() + somebody.page("/console/console.js").await.len();
        columns.push((column, own));
    }
    println!("| page | practice company, ms | kB | {size} people and projects, ms | kB |\n|---|---:|---:|---:|---:|");
    #[expect(clippy::cast_precision_loss, reason = "pages are small")]
    let kilobytes = |it: usize| it as f64 / 1000.0;
    for (at, (name, (time, weight))) in columns[0].0.iter().enumerate() {
        let (other, heavier) = columns[1].0[at].1;
        println!("| {name} | {time:.1} | {:.0} | {other:.1} | {:.0} |", kilobytes(*weight), kilobytes(heavier));
    }
    println!("style and script: {:.0} kB", kilobytes(columns[0].1));

    let mut least = [(f64::MAX, f64::MAX); 2];
    for _ in 0..5 {
        for (at, with_console) in [false, true].into_iter().enumerate() {
            let served = serve(folder.path(), &cases[0].0, with_console).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            let (all, own) = memory(&served);
            least[at] = (least[at].0.min(all), least[at].1.min(own));
        }
    }
    let [(without, own), (with, more)] = least;
    println!("memory when idle: {without:.1} MiB without, {with:.1} with; of that its own {own:.1} and {more:.1}");
}
