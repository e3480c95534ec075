//! A store whose server goes: calls wait for the one that takes over, and what people agreed to before does not count any more. And reads
//! that take long, which stop nothing. On PostgreSQL only; the servers are started here where `TEST_POSTGRES` is set.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use rmcp::model::{CallToolResponse, InputResponses};
use rolecall::store::Db;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{
    support::{Agent, Era, Options, Person, Store, Value, json, params},
    wire::{SOON, Site, modern, program, terminate},
};

/// A server of PostgreSQL's and, once asked for, another that takes over from it.
struct Servers {
    programs: PathBuf,
    folder: tempfile::TempDir,
    ports: [u16; 2],
}

impl Servers {
    /// None of them runs yet. `None` where there is no PostgreSQL to test on.
    fn none_started() -> Option<Self> {
        std::env::var("TEST_POSTGRES").ok()?;
        let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|it| it.path().join("bin")).collect();
        versions.sort();
        let programs = versions.pop().filter(|it| it.join("pg_basebackup").exists())?;
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let it = Self { programs, folder: tempfile::tempdir().unwrap(), ports: [free(), free()] };
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(it.folder.path()).status().unwrap().success());
        }
        it.run("initdb", &["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "-D", &it.data(0)]);
        Some(it)
    }

    fn data(&self, at: usize) -> String {
        self.folder.path().join(format!("data{at}")).display().to_string()
    }

    /// PostgreSQL does not run as root.
    fn run(&self, name: &str, arguments: &[&str]) {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        let done = command.args(arguments).current_dir(Path::new("/")).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(done.success(), "{name} {arguments:?}");
    }

    fn start(&self, at: usize) {
        let options = format!("-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories= -c fsync=off", self.ports[at]);
        let log = self.folder.path().join(format!("log{at}")).display().to_string();
        self.run("pg_ctl", &["-D", &self.data(at), "-l", &log, "-o", &options, "-w", "start"]);
    }

    /// The second follows the first, without anybody waiting for it.
    fn follow(&self) {
        let port = self.ports[0].to_string();
        self.run(
            "pg_basebackup",
            &["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-D", &self.data(1), "-R", "-c", "fast", "--no-sync"],
        );
        self.start(1);
    }

    fn kill(&self) {
        self.run("pg_ctl", &["-D", &self.data(0), "-m", "immediate", "-w", "stop"]);
    }

    fn promote(&self) {
        self.run("pg_ctl", &["-D", &self.data(1), "-w", "promote"]);
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write", self.ports[0], self.ports[1])
    }

    fn store(&self) -> Arc<Store> {
        Arc::new(Store { url: self.url(), folder: tempfile::tempdir().unwrap() })
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for at in [0, 1] {
            if Path::new(&self.data(at)).join("postmaster.pid").exists() {
                self.run("pg_ctl", &["-D", &self.data(at), "-m", "immediate", "-w", "stop"]);
            }
        }
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|it| it.stdout.starts_with(b"0\n"))
}

/// The first server, with a standby behind it, and an agent in an organization.
async fn with_a_standby(person: Person) -> Option<(Servers, Agent)> {
    let servers = Servers::none_started()?;
    servers.start(0);
    servers.follow();
    let agent = Agent::on(&servers.store(), Options { person, ..Options::default() }).await;
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    Some((servers, agent))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_wait_for_the_standby_that_takes_over() {
    let Some((servers, agent)) = with_a_standby(Person::Agrees).await else { return };
    tokio::time::sleep(Duration::from_millis(500)).await; // the standby has it all
    servers.kill();
    let (one, other, read, ()) = tokio::join!(
        agent.call("create_team", json!({ "name": "Maps" })),
        agent.call("create_team", json!({ "name": "Tiles" })),
        agent.call("list_projects", json!({})),
        async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            servers.promote();
        }
    );
    assert_eq!((&one["status"], &other["status"]), (&json!("done"), &json!("done")), "{one} {other}");
    assert_eq!(read["items"][0]["project"], "Atlas", "{read}");
    agent.ok("create_team", json!({ "name": "Roads" })).await;
    assert_eq!(agent.db().read().await.unwrap().verify_ledger().await.unwrap().broken, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_from_before_a_standby_took_over_is_void_and_the_person_is_asked_again() {
    let Some((servers, agent)) = with_a_standby(Person::Agrees).await else { return };
    let delete = || json!({ "project": "Atlas" });
    let CallToolResponse::InputRequired(asked) = agent.call_once(params("delete_project", delete())).await.unwrap() else {
        panic!("no question")
    };
    let silent = agent.silent().await;
    let pending = silent.fails("delete_project", delete(), "pending_approval").await;
    let old = pending["approval_id"].as_str().unwrap().to_owned();
    assert_eq!(
        rolecall::guard::approve(agent.db(), &old, rolecall::guard::Answering::at_terminal("ana")).await.unwrap(),
        rolecall::guard::Answered::Approved
    );
    tokio::time::sleep(Duration::from_millis(500)).await;
    servers.kill();
    servers.promote();

    // By the form that the client brings back.
    let mut call = params("delete_project", delete());
    call.request_state = asked.request_state;
    call.input_responses =
        Some(InputResponses::from([("confirm".to_owned(), json!({ "action": "accept", "content": { "name": "Atlas" } }))]));
    let CallToolResponse::InputRequired(again) = agent.call_once(call).await.unwrap() else { panic!("the old yes counted") };
    let question = serde_json::to_string(&again.input_requests).unwrap();
    assert!(question.contains("Asked once more: the database failed over to another server"), "{question}");

    // By the approval that was given.
    let pending = silent.fails("delete_project", delete(), "pending_approval").await;
    let new = pending["approval_id"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    assert!(pending["message"].as_str().unwrap().contains("Asked once more"), "{pending}");
    assert_eq!(agent.ok("list_projects", json!({})).await["items"][0]["project"], "Atlas");

    // What is agreed to now counts, once.
    assert_eq!(
        rolecall::guard::approve(agent.db(), &old, rolecall::guard::Answering::at_terminal("ben")).await.unwrap(),
        rolecall::guard::Answered::NotOpen
    );
    assert_eq!(
        rolecall::guard::approve(agent.db(), &new, rolecall::guard::Answering::at_terminal("ana")).await.unwrap(),
        rolecall::guard::Answered::Approved
    );
    silent.ok("delete_project", delete()).await;
    agent.ok("create_project", json!({ "name": "Borealis" })).await;
    assert_eq!(agent.ok("delete_project", json!({ "project": "Borealis" })).await["status"], "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_asked_inside_its_request_is_told_why_its_yes_is_void() {
    let Some((servers, agent)) = with_a_standby(Person::NeverAnswers).await else { return };
    let options = Options { era: Era::Legacy, person: Person::NeverAnswers, ..Options::default() };
    let options = Options { patience: rolecall::server::Patience { question: Duration::from_secs(4), ..options.patience }, ..options };
    let legacy = agent.elsewhere(options).await;
    // The question stands while the standby takes over; nobody answers it, and the way past it is an approval of the new time.
    let (answer, ()) = tokio::join!(legacy.call("delete_project", json!({ "project": "Atlas" })), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        servers.kill();
        servers.promote();
    });
    assert_eq!(answer["code"], "pending_approval", "{answer}");
    let id = answer["approval_id"].as_str().unwrap();
    assert_eq!(
        rolecall::guard::approve(agent.db(), id, rolecall::guard::Answering::at_terminal("ana")).await.unwrap(),
        rolecall::guard::Answered::Approved
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_database_is_down_lists_its_tools_names_the_cause_and_goes_on_when_it_is_there() {
    let Some(servers) = Servers::none_started() else { return };
    let store = servers.store();
    let mut command = program(&store);
    command.args(["serve", "--http", "127.0.0.1:0"]).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (mut site, mut cause) = (None, None);
    while site.is_none() || cause.is_none() {
        let line = tokio::time::timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap();
        if let Some((_, rest)) = line.split_once("http://") {
            site = Some(Site::at(rest.split('/').next().unwrap().parse().unwrap()));
        } else {
            cause = Some(line);
        }
    }
    let (site, cause) = (site.unwrap(), cause.unwrap());
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    assert!(cause.contains(&format!("127.0.0.1:{}: ", servers.ports[0])) && cause.contains("refused"), "{cause}");
    let ask = async |id, method: &str, params: Value| -> Value {
        site.message("/mcp", "", &modern(id, method, params)).send().await.unwrap().json().await.unwrap()
    };
    assert!(ask(1, "tools/list", json!({})).await["result"]["tools"].as_array().unwrap().len() > 40);
    let ready = async || site.request(Method::GET, "/readyz").send().await.unwrap().status();
    assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE);
    let create = || json!({ "name": "create_organization", "arguments": { "name": "Acme" } });
    let (made, ()) = tokio::join!(ask(2, "tools/call", create()), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        servers.start(0);
    });
    assert_eq!(made["result"]["structuredContent"]["status"], "done", "{made}");
    assert_eq!(ready().await, StatusCode::OK);
    assert!(terminate(&mut child).await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_waits_no_longer_than_its_client_does_and_says_why_and_when_to_come_again() {
    let Some(servers) = Servers::none_started() else { return };
    let db = Db::at(&servers.url());
    let app = Arc::new(rolecall::app::App::new(rolecall::app::Setup::local(db, servers.folder.path().join("secrets"))));
    let agent = Agent::of(&servers.store(), app, Options::default()).await;
    let began = Instant::now();
    let told = agent.fails("create_team", json!({ "name": "Maps" }), "store_unavailable").await;
    assert!((35..55).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!((&told["retryable"], told["retry_after_s"].as_u64()), (&json!(true), Some(5)), "{told}");
    let message = told["message"].as_str().unwrap();
    for port in servers.ports {
        assert!(message.contains(&format!("127.0.0.1:{port}: ")), "{message}");
    }
    assert!(message.contains("refused") && !message.contains("timed out"), "{message}");
}

/// The store of this test on the server that is there for all.
async fn postgres() -> Option<Arc<Store>> {
    Store::each().await.into_iter().find(|it| it.url.starts_with("postgres"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_that_take_long_stop_nothing_and_end_when_nobody_waits_for_them() {
    let Some(store) = postgres().await else { return };
    let db = Db::open(&store.url).await.unwrap();
    let app = rolecall::app::App::new(rolecall::app::Setup::local(db, store.secrets()));
    let agent = Agent::of(&store, Arc::new(app), Options::default()).await;
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    let mark = format!("mark_{}", uuid::Uuid::new_v4().simple());
    let sql = format!("SELECT CAST(1 AS BIGINT) FROM pg_sleep(60) AS {mark}");
    let slow: Vec<_> = (0..12)
        .map(|_| {
            let (db, sql) = (agent.db().clone(), sql.clone());
            tokio::spawn(async move { db.search().await?.number(&sql, &[]).await })
        })
        .collect();
    let under_way = async || {
        let sql = format!(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%AS {mark}%' AND pid <> pg_backend_pid()"
        );
        agent.db().read().await.unwrap().number(&sql, &[]).await.unwrap()
    };
    let began = Instant::now();
    while under_way().await == 0 {
        assert!(began.elapsed() < SOON, "no read is under way");
    }
    let began = Instant::now();
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    agent.ok("delete_project", json!({ "project": "Atlas" })).await;
    agent.db().answers().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for read in &slow {
        read.abort();
    }
    let began = Instant::now();
    while under_way().await > 0 {
        assert!(began.elapsed() < Duration::from_secs(6), "a read goes on that nobody waits for");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let listed = tokio::time::timeout(SOON, agent.ok("list_activity", json!({}))).await.unwrap();
    assert!(!listed["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped_and_says_so() {
    let Some(store) = postgres().await else { return };
    let db = Db::open(&store.url).await.unwrap();
    let mut conn = db.search().await.unwrap();
    let set = conn.texts("SHOW statement_timeout", &[]).await.unwrap();
    assert_eq!(set, ["15s"]);
    conn.run("SET statement_timeout = 100", &[]).await.unwrap();
    let error = conn.number("SELECT CAST(1 AS BIGINT) FROM pg_sleep(5)", &[]).await.unwrap_err().to_string();
    assert!(error.contains("took longer than"), "{error}");
    // The connection is as good as before.
    assert_eq!(conn.number("SELECT CAST(7 AS BIGINT)", &[]).await.unwrap(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_in_a_file_ends_when_nobody_waits_for_it() {
    let store = Store::sqlite();
    let db = Db::open(&store.url).await.unwrap();
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
    let slow: Vec<_> = (0..6)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { db.search().await?.number(endless, &[]).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    assert_eq!(db.read().await.unwrap().number("SELECT 7", &[]).await.unwrap(), 7);
    let mut tx = db.begin().await.unwrap();
    tx.run("INSERT INTO settings (name, value) VALUES ('a', 'b')", &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    for it in &slow {
        it.abort();
    }
    // Whoever searches next has all connections again.
    let searches: Vec<_> = futures_util::future::join_all((0..3).map(|_| db.search())).await;
    for it in searches {
        assert_eq!(it.unwrap().number("SELECT 7", &[]).await.unwrap(), 7);
    }
    let began = Instant::now();
    db.close().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
