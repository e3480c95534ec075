//! Every provider with every fault at every moment of dying: afterwards the service holds what the report says, row by row, and
//! nobody was invited twice.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _};
use rolecall::{
    app::App,
    guard::{Answer, Caller, Given, Verdict},
    jobs::{Halt, Moment, Wait},
    providers::{Connection, engine, geai, openai, seeme},
};
use rolecall_sandbox::{self as sandbox, Fault, Platform, Sandbox, Seed};

use crate::{
    lab::Service as _,
    support::{Options, Store, Value, json},
};

/// What goes wrong with the first two invitations of a run.
const FAULTS: [&str; 9] = ["429", "429-bare", "503", "503-after", "drop-before", "drop", "malformed", "html", "slow"];
/// Where the process dies.
const MOMENTS: [Option<Moment>; 4] = [None, Some(Moment::BeforeIntent), Some(Moment::AfterIntent), Some(Moment::AfterAct)];
/// How many people a run is about, and at which of them the process dies.
const PEOPLE: usize = 8;
const DIES_AT: i64 = 3;

/// A service, and how people come into one of its projects.
struct Scene<P: Platform> {
    service: Sandbox<P>,
    store: Arc<Store>,
    connect: fn(&Sandbox<P>) -> Connection,
    /// Makes an account that can be added, where the service wants one.
    hire: fn(&mut P, usize),
    /// What an invitation's path ends with.
    path: &'static str,
    project: &'static str,
    role: &'static str,
    /// What stands for a person in the body of an invitation.
    body: fn(usize) -> String,
    /// Whether everybody who was added can be seen.
    tells: bool,
}

fn email(number: usize) -> String {
    format!("n{number:04}@acme.example")
}

fn id(number: usize) -> String {
    format!("user-n{number:04}")
}

impl<P: Platform> Scene<P> {
    async fn app(&self) -> Arc<App> {
        self.store.app_with(vec![(self.connect)(&self.service)], &Options::default()).await
    }

    /// How many requests of each person took effect.
    fn invited(&self) -> BTreeMap<usize, usize> {
        let mut invited = BTreeMap::new();
        for it in self.service.journal().iter().filter(|it| it.method == "POST" && it.took_effect) {
            if let Some(number) = (0..PEOPLE).find(|number| it.body.contains(&(self.body)(*number))) {
                *invited.entry(number).or_default() += 1;
            }
        }
        invited
    }

    async fn begin(&self, app: &Arc<App>, csv: &str) -> String {
        let caller = Caller { principal: "local".into(), client: "test".into(), can_ask: true };
        let Value::Object(arguments) = json!({ "csv": csv }) else { unreachable!() };
        let call = |given| app.call_and_wait("add_project_members", arguments.clone(), &caller, given, Wait::to_the_end());
        let Verdict::Ask(_, ticket) = call(Given::Nothing).await.unwrap() else { panic!("nobody was asked") };
        let yes = Given::Form(ticket, Answer::Accepted(json!({ "confirm": true })));
        let Verdict::Done(report) = call(yes).await.unwrap() else { panic!("it was not begun") };
        report["job"].as_str().unwrap().to_owned()
    }

    async fn run(self, fault: &str, moment: Option<Moment>) {
        let people = 0..PEOPLE;
        let what = format!("{} {fault} {moment:?}", self.path);
        for number in people.clone() {
            (self.hire)(&mut self.service.platform(), number);
        }
        let csv = people.clone().fold(String::new(), |csv, it| csv + &format!("{},{},{}\n", self.project, email(it), self.role));
        self.service.set_faults(vec![format!("{fault}:1@POST {}*2", self.path).parse::<Fault>().unwrap()]);
        let mut app = self.app().await;
        if let Some(moment) = moment {
            app.jobs().halt_at(Halt { row: DIES_AT, moment });
        }
        let job = self.begin(&app, &csv).await;
        if moment.is_some() {
            let mut tx = rolecall::store::Db::open(&self.store.url).await.unwrap().begin().await.unwrap();
            tx.run("UPDATE jobs SET lease_until = 0 WHERE status = 'running'", &[]).await.unwrap();
            tx.commit().await.unwrap();
            app = self.app().await;
            assert_eq!(app.jobs().resume(Some(&job)).await.unwrap(), [job.as_str()], "{what}");
            app.jobs().finished(&job, Wait::to_the_end()).await;
        }
        let operator = Caller { principal: "local".into(), client: String::new(), can_ask: false };
        let report = app.jobs().report(&job, &operator).await.unwrap();
        assert_ne!(report["status"], "running", "{what}: {report}");
        let table = app.jobs().table(&job, &operator).await.unwrap();
        let rows: Vec<csv::StringRecord> = csv::Reader::from_reader(table.as_bytes()).records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), PEOPLE, "{what}");
        let invited = self.invited();
        for (row, number) in rows.iter().zip(people) {
            let times = invited.get(&number).copied().unwrap_or_default();
            assert_eq!(&row[1], email(number), "{what}");
            match &row[3] {
                "done" => assert_eq!(times, 1, "{what}: {row:?}"),
                "failed" | "refused" => assert_eq!(times, 0, "{what}: {row:?}"),
                "unknown" => assert!(times <= 1, "{what}: {row:?}"),
                _ => panic!("{what}: {row:?}"),
            }
            if self.tells {
                assert_eq!(&row[3], "done", "{what}: {row:?}");
            }
        }
    }
}

/// Every fault with every moment, each on a service and a store of its own. Most of it is waiting, so many run at once.
async fn all<P: Platform>(scene: impl AsyncFn() -> Scene<P>) {
    let scene = &scene;
    let runs =
        FAULTS.into_iter().flat_map(|fault| MOMENTS.map(|moment| async move { scene().await.run(fault, moment).await }.boxed_local()));
    futures_util::stream::iter(runs).buffer_unordered(12).collect::<()>().await;
}

async fn start<P: Platform>(platform: P) -> Sandbox<P> {
    sandbox::start(platform, sandbox::Options::default()).await.unwrap()
}

#[tokio::test]
async fn globant_enterprise_ai() {
    let connect = |it: &Sandbox<_>| {
        let mut settings = sandbox::geai::Geai::settings(&it.url);
        settings.remote.timeout = Duration::from_secs(1);
        geai::connect(settings)
    };
    all(async || Scene {
        service: start(sandbox::geai::Geai::seeded(Seed::Acme)).await,
        store: Store::sqlite(),
        connect,
        hire: |_, _| {},
        path: "/members",
        project: "Ember",
        role: "Project member",
        body: email,
        tells: false,
    })
    .await;
}

#[tokio::test]
async fn open_ai() {
    let connect = |it: &Sandbox<_>| {
        let mut settings = sandbox::openai::Openai::settings(&it.url);
        settings.remote.timeout = Duration::from_secs(1);
        openai::connect(settings)
    };
    let hire = |platform: &mut sandbox::openai::Openai, number| {
        let mut state = serde_json::to_value(&*platform).unwrap();
        state["places"][id(number)] = json!(1_000_000 + number);
        let user = json!({
            "id": id(number), "name": "N", "email": email(number), "added_at": 1, "is_scim_managed": false, "technical_level": null,
            "developer_persona": null,
        });
        state["users"].as_array_mut().unwrap().push(user);
        *platform = serde_json::from_value(state).unwrap();
    };
    all(async || Scene {
        service: start(sandbox::openai::Openai::seeded(Seed::Acme)).await,
        store: Store::sqlite(),
        connect,
        hire,
        path: "/users",
        project: "Atlas",
        role: "member",
        body: id,
        tells: true,
    })
    .await;
}

#[tokio::test]
async fn see_me() {
    let connect = |it: &Sandbox<_>| {
        let mut settings = sandbox::seeme::Seeme::settings(&it.url);
        settings.remote.timeout = Duration::from_secs(1);
        seeme::connect(settings)
    };
    all(async || Scene {
        service: start(sandbox::seeme::Seeme::seeded(Seed::Acme)).await,
        store: Store::sqlite(),
        connect,
        hire: |_, _| {},
        path: "/members",
        project: "Beacon",
        role: "Project viewer",
        body: email,
        tells: true,
    })
    .await;
}

#[tokio::test]
async fn the_engine() {
    let connect = |it: &Sandbox<_>| {
        let mut settings = sandbox::engine::Engine::settings(&it.url);
        settings.remote.timeout = Duration::from_secs(1);
        engine::connect(settings)
    };
    let hire = |platform: &mut sandbox::engine::Engine, number| {
        let account =
            sandbox::engine::Account { id: id(number), email: email(number), display_name: email(number), ..platform.accounts[0].clone() };
        platform.accounts.push(account);
        platform.orgs[1].seats.push(sandbox::engine::Seat { user: id(number), role: "r-viewer".into() });
    };
    all(async || Scene {
        service: start(sandbox::engine::Engine::seeded(Seed::Acme)).await,
        store: Store::sqlite(),
        connect,
        hire,
        path: "/projects/",
        project: "Churn forecast",
        role: "viewer",
        body: id,
        tells: true,
    })
    .await;
}
