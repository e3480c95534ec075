//! Many people into projects of a service, as a job: what the service holds afterwards is what the report says, row by row.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rolecall::{
    app::{App, Setup},
    domain::Timestamp,
    guard::{Answer, Caller, Given, Verdict},
    jobs::{Halt, Moment, Wait},
    providers::Connection,
};
use rolecall_sandbox::{Fault, engine as practice, engine::Engine, geai};

use crate::{
    lab::Service as _,
    support::{Options, Value, json},
    support_engine::Stage,
    support_geai::Geai,
};

const PROJECT: usize = 1;

fn operator() -> Caller {
    Caller { principal: "local".into(), client: "test".into(), can_ask: false }
}

fn address(number: usize) -> String {
    format!("person.{number}@acme.example")
}

/// A service where this many people may be added to the project `Churn forecast`.
async fn stage(people: usize) -> Stage {
    let stage = Stage::new().await;
    {
        let mut platform = stage.sandbox.platform();
        for number in 0..people {
            let account = practice::Account {
                id: format!("u-n{number}"),
                email: address(number),
                display_name: format!("Person {number}"),
                ..platform.accounts[0].clone()
            };
            platform.accounts.push(account);
            platform.orgs[1].seats.push(practice::Seat { user: format!("u-n{number}"), role: "r-viewer".into() });
        }
    }
    stage
}

fn connection(stage: &Stage) -> Connection {
    practice::Engine::connect(practice::Engine::settings(&stage.sandbox.url))
}

fn csv(people: std::ops::Range<usize>) -> String {
    people.fold("project,member,roles\n".into(), |csv, number| csv + &format!("Churn forecast,{},viewer\n", address(number)))
}

fn faults(stage: &Stage, faults: &[&str]) {
    stage.sandbox.set_faults(faults.iter().map(|it| it.parse::<Fault>().unwrap()).collect());
}

/// Who of them is in the project, and how often.
fn held(stage: &Stage) -> BTreeMap<String, usize> {
    let platform = stage.sandbox.platform();
    let mut held = BTreeMap::new();
    for seat in &platform.projects[PROJECT].seats {
        if let Some(number) = seat.user.strip_prefix("u-n") {
            *held.entry(address(number.parse().unwrap())).or_default() += 1;
        }
    }
    held
}

/// The rows of a job's table: who, and how it ended.
async fn rows(app: &Arc<App>, job: &str) -> Vec<(String, String)> {
    let table = app.jobs().table(job, &operator()).await.unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), ["project", "member", "roles", "outcome", "reason"]);
    reader.records().map(|it| it.unwrap()).map(|it| (it[1].to_owned(), it[3].to_owned())).collect()
}

/// What the service holds is what the report says.
async fn true_row_by_row(stage: &Stage, app: &Arc<App>, job: &str) {
    let held = held(stage);
    for (person, outcome) in rows(app, job).await {
        let there = held.get(&person).copied().unwrap_or_default();
        match outcome.as_str() {
            "done" => assert_eq!(there, 1, "{person} is said to be done"),
            "failed" | "cancelled" | "refused" => assert_eq!(there, 0, "{person} is said to be {outcome}"),
            "skipped" => assert!(there <= 1, "{person}"),
            other => panic!("{person}: {other}"),
        }
    }
}

/// Begins a job and comes back at once or with its end.
async fn begin(app: &Arc<App>, csv: &str, wait: Wait) -> Value {
    let Value::Object(arguments) = json!({ "csv": csv }) else { unreachable!() };
    let caller = Caller { can_ask: true, ..operator() };
    let asked = app.call_and_wait("add_project_members", arguments.clone(), &caller, Given::Nothing, Wait::to_the_end()).await.unwrap();
    let Verdict::Ask(_, ticket) = asked else { panic!("{asked:?}") };
    let yes = Given::Form(ticket, Answer::Accepted(json!({ "confirm": true })));
    match app.call_and_wait("add_project_members", arguments, &caller, yes, wait).await.unwrap() {
        Verdict::Done(report) => report,
        other => panic!("{other:?}"),
    }
}

/// Another process on the same store, in place of one that is gone.
async fn another(stage: &Stage) -> Arc<App> {
    let mut tx = stage.agent.db().recording().begin().await.unwrap();
    tx.run("UPDATE jobs SET lease_until = 0 WHERE status = 'running'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    stage.agent.store.app_with(vec![connection(stage)], &Options::default()).await
}

async fn go_on(app: &Arc<App>, job: &str) -> Value {
    assert_eq!(app.jobs().resume(Some(job)).await.unwrap(), [job]);
    app.jobs().finished(job, Wait::to_the_end()).await;
    app.jobs().report(job, &operator()).await.unwrap()
}

#[tokio::test]
async fn three_kills_and_a_bad_day_change_nothing_about_the_end() {
    for moment in [Moment::BeforeIntent, Moment::AfterIntent, Moment::AfterAct] {
        let stage = stage(120).await;
        let kinds = ["429:0.05@POST /users*4", "drop:0.05@POST /users*4", "drop-before:0.05@POST /users*2", "503-after:0.05@POST /users*2"];
        faults(&stage, &kinds);
        stage.agent.app.jobs().halt_at(Halt { row: 20, moment });
        let broken = begin(&stage.agent.app, &csv(0..120), Wait::to_the_end()).await;
        let job = broken["job"].as_str().unwrap().to_owned();
        assert_eq!(broken["status"], "running", "{broken}");
        // Far enough apart that none was under way already when the process before died.
        for row in [70, 115] {
            let app = another(&stage).await;
            app.jobs().halt_at(Halt { row, moment });
            assert_eq!(go_on(&app, &job).await["status"], "running");
        }
        let app = another(&stage).await;
        let report = go_on(&app, &job).await;
        assert_eq!((&report["status"], &report["after"]["done"]), (&json!("done"), &json!(120)), "{moment:?}: {report}");
        assert_eq!(held(&stage), (0..120).map(|it| (address(it), 1)).collect(), "{moment:?}: everybody, and nobody twice");
        true_row_by_row(&stage, &app, &job).await;
        assert!(stage.agent.db().read().await.unwrap().verify_ledger().await.unwrap().broken.is_none());
        let open = stage.agent.db().read().await.unwrap().open_intents(Timestamp(i64::MAX), Timestamp(i64::MAX)).await.unwrap();
        assert_eq!(open.len(), 0, "every intent has its outcome");
    }
}

#[tokio::test]
async fn a_thousand_people_with_a_kill_of_each_kind_on_the_way_are_all_in_once() {
    let stage = stage(1000).await;
    faults(&stage, &["429:0.02@POST /users", "drop:0.01@POST /users", "drop-before:0.01@POST /users", "503-after:0.01@POST /users"]);
    let kills = [(150, Moment::AfterAct), (500, Moment::AfterIntent), (850, Moment::BeforeIntent)];
    let (row, moment) = kills[0];
    stage.agent.app.jobs().halt_at(Halt { row, moment });
    let job = begin(&stage.agent.app, &csv(0..1000), Wait::to_the_end()).await["job"].as_str().unwrap().to_owned();
    for (row, moment) in &kills[1..] {
        let app = another(&stage).await;
        app.jobs().halt_at(Halt { row: *row, moment: *moment });
        assert_eq!(go_on(&app, &job).await["status"], "running");
    }
    let app = another(&stage).await;
    let report = go_on(&app, &job).await;
    assert_eq!((&report["status"], &report["after"]["done"]), (&json!("done"), &json!(1000)), "{report}");
    assert_eq!(held(&stage), (0..1000).map(|it| (address(it), 1)).collect(), "everybody, and nobody twice");
    true_row_by_row(&stage, &app, &job).await;
}

#[tokio::test]
async fn what_is_missing_is_made_from_the_table_of_the_job_before() {
    let stage = stage(30).await;
    let bad =
        csv(0..20) + "Churn forecast,nobody,viewer\nNowhere,person.21@acme.example,viewer\nChurn forecast,person.22@acme.example,king\n";
    let first = stage.agent.ok("add_project_members", json!({ "csv": bad })).await;
    assert_eq!((&first["after"]["done"], &first["after"]["failed"]), (&json!(20), &json!(3)), "{first}");
    let job = first["job"].as_str().unwrap();
    true_row_by_row(&stage, &stage.agent.app, job).await;
    let table = stage.agent.app.jobs().table(job, &operator()).await.unwrap();
    assert!(table.contains("Churn forecast,person.0@acme.example,viewer,done,\n"), "{table}");
    let mended = table.replace("Nowhere", "Churn forecast").replace(",king,", ",viewer,");
    stage.sandbox.clear_journal();
    let second = stage.agent.ok("add_project_members", json!({ "csv": mended })).await;
    assert_eq!((&second["after"]["done"], &second["after"]["failed"]), (&json!(2), &json!(1)), "{second}");
    assert_eq!(stage.sent().len(), 2, "only what was missing is sent");
    let told = second["after"]["items"].as_array().unwrap();
    assert!(told[0]["reason"].as_str().unwrap().starts_with("row 22: "), "the line of the table: {second}");
}

#[tokio::test]
async fn a_job_is_cancelled_between_two_rows() {
    let stage = stage(100).await;
    let begun = begin(&stage.agent.app, &csv(0..100), Wait::at_most(Duration::ZERO)).await;
    let job = begun["job"].as_str().unwrap().to_owned();
    assert_eq!(begun["status"], "running");
    let ended = stage.agent.ok("cancel_job", json!({ "job": job })).await;
    stage.agent.app.jobs().finished(&job, Wait::to_the_end()).await;
    let shown = stage.agent.ok("get_job", json!({ "job": job })).await;
    assert_eq!(shown["status"], "cancelled", "{ended}");
    assert_eq!(shown["done"].as_u64().unwrap() + shown["cancelled"].as_u64().unwrap(), 100, "{shown}");
    true_row_by_row(&stage, &stage.agent.app, &job).await;
}

#[tokio::test]
async fn a_service_that_asks_for_patience_gets_it() {
    let stage = stage(60).await;
    faults(&stage, &["429:0.3@POST /users*12", "429-bare:0.1@POST /users*3"]);
    let (watcher, mut seen) = tokio::sync::watch::channel(rolecall::jobs::Progress::default());
    let done = begin(&stage.agent.app, &csv(0..60), Wait::to_the_end().watched_by(watcher)).await;
    assert_eq!((&done["status"], &done["after"]["done"]), (&json!("done"), &json!(60)), "{done}");
    let last = seen.borrow_and_update().clone();
    assert_eq!((last.ended, last.total, last.failed, last.message.as_str()), (60, 60, 0, "60 of 60"));
    assert_eq!(last.job, done["job"]);
    assert_eq!(held(&stage).len(), 60);
}

#[tokio::test]
async fn an_account_that_is_refused_refuses_the_job_and_not_each_row() {
    let stage = stage(5).await;
    faults(&stage, &["503:1@GET"]);
    let answer = stage.agent.call("add_project_members", json!({ "csv": csv(0..5) })).await;
    assert!(answer["code"].is_string(), "{answer}");
    assert_eq!(stage.agent.ok("list_jobs", json!({})).await["items"], json!([]));
    assert_eq!(held(&stage).len(), 0);
}

/// What its process was sending is in doubt when it dies: so that is little, however much waits.
#[tokio::test]
async fn only_what_is_on_its_way_is_on_record_as_being_sent() {
    let stage = stage(60).await;
    faults(&stage, &["slow:1@POST /users"]);
    let csv = csv(0..60);
    let job = begin(&stage.agent.app, &csv, Wait::to_the_end());
    let look = async {
        loop {
            let mut conn = stage.agent.db().read().await.unwrap();
            let sending = conn.number("SELECT COUNT(*) FROM job_rows WHERE state = 'sending'", &[]).await.unwrap();
            if sending > 0 {
                break;
            }
            drop(conn);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Long enough to record all that are at work, and not to answer the first.
        tokio::time::sleep(Duration::from_millis(150)).await;
        let mut conn = stage.agent.db().read().await.unwrap();
        let rows = conn.number("SELECT COUNT(*) FROM job_rows WHERE state = 'sending'", &[]).await.unwrap();
        let open = conn.number("SELECT COUNT(*) FROM open_intents", &[]).await.unwrap();
        (rows, open)
    };
    let (report, (rows, open)) = tokio::join!(job, look);
    assert!((1..=16).contains(&rows), "as many as the pace lets go at first: {rows}");
    assert_eq!(open, rows + 1, "theirs and the job's own");
    assert_eq!(report["after"]["done"], 60, "{report}");
}

#[tokio::test]
async fn a_job_of_people_is_taken_back() {
    let stage = stage(12).await;
    let done = stage.agent.ok("add_project_members", json!({ "csv": csv(0..12) })).await;
    assert_eq!(held(&stage).len(), 12);
    let back = stage.agent.ok("undo", json!({ "job": done["job"] })).await;
    assert_eq!(back["after"]["done"], 12, "{back}");
    assert_eq!(held(&stage).len(), 0);
    let question = stage.agent.questions().pop().unwrap();
    let line = question.lines().nth(1).unwrap();
    assert!(
        line.starts_with("- 12 × Remove project member in project Churn forecast [p-2]: person.11@acme.example, person.10@"),
        "{question}"
    );
    let lost = "1 person loses access; no longer Project Viewer of project Churn forecast, and loses project-view";
    assert!(line.ends_with(&format!("person.0@acme.example: {lost}")), "{question}");
}

#[tokio::test]
async fn a_job_needs_the_connections_it_was_begun_with() {
    let stage = stage(5).await;
    stage.agent.app.jobs().halt_at(Halt { row: 2, moment: Moment::BeforeIntent });
    let broken = begin(&stage.agent.app, &csv(0..5), Wait::to_the_end()).await;
    let job = broken["job"].as_str().unwrap();
    another(&stage).await;
    let other = stage.agent.store.app(&Options::default()).await;
    assert_eq!(other.jobs().resume(None).await.unwrap(), [""; 0]);
    let refusal = other.jobs().resume(Some(job)).await.unwrap_err();
    assert_eq!(refusal.to_string(), format!("job `{job}` needs connections that are not here: lab"));
}

/// Where nothing tells whether an invitation went out, it is not sent again.
#[tokio::test]
async fn where_the_service_does_not_tell_a_row_is_unknown_and_nobody_is_invited_twice() {
    for moment in [Moment::AfterIntent, Moment::AfterAct] {
        let it = Geai::new().await;
        let csv = (0..60).map(|at| format!("Ember,p{at}@acme.example,Project member")).collect::<Vec<_>>().join("\n");
        it.agent.app.jobs().halt_at(Halt { row: 30, moment });
        let broken = begin(&it.agent.app, &csv, Wait::to_the_end()).await;
        let job = broken["job"].as_str().unwrap();
        let mut tx = it.agent.db().recording().begin().await.unwrap();
        tx.run("UPDATE jobs SET lease_until = 0", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let connections = vec![geai::Geai::connect(geai::Geai::settings(&it.sandbox.url))];
        let app = it.agent.store.app_with(connections, &Options::default()).await;
        let report = go_on(&app, job).await;
        let after = &report["after"];
        assert_eq!(after["done"].as_u64().unwrap() + after["unknown"].as_u64().unwrap(), 60, "{report}");
        // None, where nothing was on its way when it ended; never more than a job sends at once.
        assert!(after["unknown"].as_u64().unwrap() <= 40, "only what was on its way: {report}");
        let platform = it.sandbox.platform();
        assert!(platform.invitations.iter().all(|it| it.count == 1), "nobody twice");
        for item in after["items"].as_array().unwrap() {
            let invited = platform.invitations.iter().any(|it| it.email == item["member"].as_str().unwrap());
            assert!(invited || item["outcome"] == "unknown", "{item}");
        }
    }
}

#[tokio::test]
async fn a_request_of_a_slow_account_is_waited_for_as_long_as_the_account_allows_it_to_take() {
    let stage = stage(1).await;
    let slow = || {
        let mut settings = Engine::settings(&stage.sandbox.url);
        settings.remote.timeout = Duration::from_mins(10);
        Engine::connect(settings)
    };
    assert!(slow().longest() > Duration::from_mins(10));
    stage.agent.app.jobs().halt_at(Halt { row: 0, moment: Moment::AfterIntent });
    let broken = begin(&stage.agent.app, &csv(0..1), Wait::default()).await;
    let job = broken["job"].as_str().unwrap();
    // Nobody has held it for a minute: a request of half a minute would have arrived by now, one of ten minutes may not.
    let mut tx = stage.agent.db().recording().begin().await.unwrap();
    let long_ago = Timestamp::now().plus_seconds(-60).0;
    tx.run("UPDATE jobs SET lease_until = $1", &[long_ago.into()]).await.unwrap();
    tx.commit().await.unwrap();
    let other = App::new(Setup { connections: vec![slow()], ..Setup::local(stage.agent.db().clone(), stage.agent.store.secrets()) });
    assert_eq!(other.jobs().resume(Some(job)).await.unwrap(), [job]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let rows = stage.agent.db().read().await.unwrap().job_rows(job, -1, None, 10).await.unwrap();
    assert_eq!(rows[0].state, "sending", "{rows:?}");
    assert_eq!(held(&stage).len(), 0, "it is not sent a second time");
    other.jobs().stop().await;
}

#[tokio::test]
async fn calls_that_only_wait_for_a_job_hold_up_nobody_else() {
    let stage = stage(1).await;
    faults(&stage, &["slow:1@POST /users", "429:1@POST /users*6"]);
    let call = json!({ "csv": csv(0..1), "idempotency_key": "once" });
    let first = stage.agent.call("add_project_members", call.clone());
    let begun = async || {
        while stage.agent.db().read().await.unwrap().number("SELECT COUNT(*) FROM jobs", &[]).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // More than are worked on at once: each waits for the same job.
    let waiting = async {
        begun().await;
        futures_util::future::join_all((0..70).map(|_| stage.agent.call("add_project_members", call.clone()))).await
    };
    let reading = async {
        begun().await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let since = std::time::Instant::now();
        let jobs = stage.agent.ok("list_jobs", json!({})).await;
        (jobs, since.elapsed())
    };
    let (_, answers, (jobs, took)) = tokio::join!(first, waiting, reading);
    assert_eq!(jobs["items"][0]["status"], "running", "the job was under way: {jobs}");
    assert!(took < Duration::from_secs(1), "a read waited {took:?} for a job");
    assert!(answers.iter().all(|it| it["after"]["done"] == 1), "{answers:?}");
}
