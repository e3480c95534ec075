//! Two hundred steps over one connection of each provider, with faults and kills on the way.

use std::{collections::BTreeMap, sync::Arc};

use rolecall::{
    guard::Caller,
    jobs::{Halt, Moment, Wait},
    providers::{Connection, local},
    store::Db,
};
use rolecall_sandbox::{Sandbox, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

use crate::{
    company::acme,
    lab::{Service, service},
    support::{Agent, Options, Store, Value, json},
};

const EACH: usize = 20;

/// A service of each kind.
struct Services {
    geai: Arc<Sandbox<Geai>>,
    openai: Arc<Sandbox<Openai>>,
    seeme: Arc<Sandbox<Seeme>>,
    engine: Arc<Sandbox<Engine>>,
}

impl Services {
    async fn start() -> Self {
        Self { geai: service().await, openai: service().await, seeme: service().await, engine: service().await }
    }

    async fn connections(&self, store: &Store) -> Vec<Connection> {
        fn connected<S: Service>(service: &Sandbox<S>) -> Connection {
            S::connect(S::settings(&service.url))
        }
        let db = Db::open(&store.url).await.unwrap();
        vec![
            local::connect("local", db, local::Settings::default()),
            connected(&self.geai),
            connected(&self.openai),
            connected(&self.seeme),
            connected(&self.engine),
        ]
    }

    fn faults(&self, faults: &[&str]) {
        let faults = || faults.iter().map(|it| it.parse().unwrap()).collect();
        self.geai.set_faults(faults());
        self.openai.set_faults(faults());
        self.seeme.set_faults(faults());
        self.engine.set_faults(faults());
    }
}

const CONNECTIONS: [(&str, Option<&str>); 5] =
    [("local", Some("Acme")), ("globant", None), ("openai", None), ("vision", Some("Acme")), ("lab", Some("Acme Research"))];

/// Makes a project and renames it, many times on each connection.
fn steps() -> Vec<Value> {
    let mut steps = Vec::new();
    for number in 0..EACH {
        for (connection, organization) in CONNECTIONS {
            let id = format!("{connection}-{number}");
            let mut arguments = json!({ "connection": connection, "name": format!("Draft {number:02}") });
            if let Some(organization) = organization {
                arguments["organization"] = json!(organization);
            }
            if connection == "globant" {
                arguments["admin_email"] = json!("ana.ruiz@acme.example");
            }
            steps.push(json!({ "id": id, "tool": "create_project", "arguments": arguments }));
            let rename = json!({ "connection": connection, "project": format!("${{{id}.id}}"), "name": format!("Batch {number:02}") });
            steps.push(json!({ "id": format!("{id}-named"), "tool": "update_project", "arguments": rename }));
        }
    }
    steps
}

/// How often each project of ours is on each connection.
async fn held(agent: &Agent) -> BTreeMap<(String, String), usize> {
    let mut held = BTreeMap::new();
    for (connection, _) in CONNECTIONS {
        let mut cursor = Value::Null;
        loop {
            let mut arguments = json!({ "connection": connection, "limit": 100 });
            if !cursor.is_null() {
                arguments["cursor"] = cursor;
            }
            let list = agent.ok("list_projects", arguments).await;
            for name in crate::company::column(&list, "project") {
                if name.starts_with("Batch ") || name.starts_with("Draft ") {
                    *held.entry((connection.to_owned(), name)).or_default() += 1;
                }
            }
            cursor = list["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
    }
    held
}

#[tokio::test]
async fn two_hundred_steps_on_five_connections_end_as_reported_whatever_happens_on_the_way() {
    let operator = Caller { principal: "local".into(), client: "test".into(), can_ask: false };
    let services = Services::start().await;
    let store = Store::sqlite();
    let local = Agent::on(&store, Options::default()).await;
    acme(&local, &[]).await;
    let app = store.app_with(services.connections(&store).await, &Options::default()).await;
    let agent = Agent::of(&store, app, Options::default()).await;
    services.faults(&["429:0.02@*", "drop:0.03@POST *2", "503:0.05@GET"]);

    let moments = [(31, Moment::AfterIntent), (90, Moment::AfterAct), (151, Moment::BeforeIntent)];
    agent.app.jobs().halt_at(Halt { row: moments[0].0, moment: moments[0].1 });
    let begun = agent.ok("apply_changes", json!({ "steps": steps(), "on_failure": "continue" })).await;
    let job = begun["job"].as_str().unwrap().to_owned();
    agent.app.jobs().finished(&job, Wait::to_the_end()).await;
    let mut report = Value::Null;
    for halt in moments[1..].iter().map(Some).chain([None]) {
        let mut tx = agent.db().recording().begin().await.unwrap();
        tx.run("UPDATE jobs SET lease_until = 0 WHERE status = 'running'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let app = store.app_with(services.connections(&store).await, &Options::default()).await;
        if let Some((row, moment)) = halt {
            app.jobs().halt_at(Halt { row: *row, moment: *moment });
        }
        app.jobs().resume(Some(&job)).await.unwrap();
        app.jobs().finished(&job, Wait::to_the_end()).await;
        report = app.jobs().report(&job, &operator).await.unwrap();
    }
    services.faults(&[]);
    assert!(["done", "partly"].contains(&report["status"].as_str().unwrap()), "{report}");

    let mut outcomes = BTreeMap::new();
    let table = agent.app.jobs().table(&job, &operator).await.unwrap();
    for row in csv::Reader::from_reader(table.as_bytes()).records().map(Result::unwrap) {
        outcomes.insert(row[0].to_owned(), (row[4].to_owned(), row[5].to_owned()));
    }
    assert_eq!(outcomes.len(), 2 * EACH * CONNECTIONS.len());
    let held = held(&agent).await;
    let mut unsure = Vec::new();
    for number in 0..EACH {
        for (connection, _) in CONNECTIONS {
            let count = |name: &str| held.get(&(connection.to_owned(), format!("{name} {number:02}"))).copied().unwrap_or_default();
            let (drafts, named) = (count("Draft"), count("Batch"));
            let made = &outcomes[&format!("{connection}-{number}")];
            let renamed = &outcomes[&format!("{connection}-{number}-named")];
            match (made.0.as_str(), renamed.0.as_str()) {
                ("done", "done") => assert_eq!((drafts, named), (0, 1), "{connection} {number}"),
                ("done", "failed" | "refused") => assert_eq!((drafts, named), (1, 0), "{connection} {number}: {renamed:?}"),
                ("failed" | "refused", "failed") => assert_eq!((drafts, named), (0, 0), "{connection} {number}: {made:?}"),
                ("unknown", _) | (_, "unknown") => {
                    assert!(drafts + named <= 1, "{connection} {number}: made twice");
                    unsure.push(format!("{connection} {number}: {made:?} {renamed:?}"));
                }
                other => panic!("{connection} {number}: {other:?}"),
            }
        }
    }
    // What nothing tells about is what was being sent when a process died or an answer was lost, and no more.
    assert!(unsure.len() <= 2, "{unsure:#?}");
}
