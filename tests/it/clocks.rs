//! Machines whose clocks are wrong, set, or stand still: what ends at a time ends by the store's, and that only goes forward.

use std::sync::Arc;

use rolecall::{
    app::{App, Setup},
    domain::Timestamp,
    error::CallError,
    guard::{self, Answer, Answered, Answering, Caller, Given, Ticket, Verdict},
    jobs::{Halt, Moment, Wait},
    store::{Clock, Db},
};

use crate::{
    jobs::{adding, company, outcomes},
    support::{Agent, Options, Store, Value, json},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn who(can_ask: bool) -> Caller {
    Caller { principal: "local".into(), client: "test".into(), can_ask }
}

/// The program on a machine with this clock.
fn at(store: &Store, clock: &Clock) -> Arc<App> {
    Arc::new(App::new(Setup::local(Db::by(&store.url, clock.clone()), store.secrets())))
}

async fn call(app: &App, tool: &str, arguments: Value, can_ask: bool, given: Given) -> Result<Verdict, CallError> {
    let Value::Object(arguments) = arguments else { unreachable!() };
    app.call(tool, arguments, &who(can_ask), given).await
}

async fn made(app: &App, tool: &str, arguments: Value) -> Value {
    match call(app, tool, arguments, true, Given::Nothing).await.unwrap() {
        Verdict::Done(done) => done,
        other => panic!("{other:?}"),
    }
}

/// Acme with a project that is to be deleted.
async fn acme(app: &App, projects: &[&str]) {
    made(app, "create_organization", json!({ "name": "Acme" })).await;
    for name in projects {
        made(app, "create_project", json!({ "name": name })).await;
    }
}

async fn asked(app: &App, project: &str) -> Ticket {
    match call(app, "delete_project", json!({ "project": project }), true, Given::Nothing).await.unwrap() {
        Verdict::Ask(_, ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

async fn answered(app: &App, project: &str, ticket: Ticket) -> Result<Verdict, CallError> {
    let yes = Given::Form(ticket, Answer::Accepted(json!({ "confirm": true, "name": project })));
    call(app, "delete_project", json!({ "project": project }), true, yes).await
}

async fn is_there(app: &App, project: &str) -> bool {
    call(app, "get_project", json!({ "project": project }), true, Given::Nothing).await.is_ok()
}

/// A clock that the store itself goes by, where it is a file.
fn here() -> Clock {
    Clock::still(Timestamp::now())
}

#[tokio::test]
async fn an_answer_counts_for_five_minutes_however_the_clock_is_set_meanwhile() {
    for jump in [-24 * HOUR, -HOUR, -MINUTE, 0, MINUTE, HOUR, 24 * HOUR] {
        let (store, clock) = (Store::sqlite(), here());
        let app = at(&store, &clock);
        acme(&app, &["Late", "Soon"]).await;
        let (late, soon) = (asked(&app, "Late").await, asked(&app, "Soon").await);
        clock.jump(jump);
        clock.pass(4 * MINUTE);
        // Another process on the machine, begun since.
        let other = at(&store, &clock);
        assert!(matches!(answered(&other, "Soon", soon).await, Ok(Verdict::Done(_))), "{jump}: it is in time");
        clock.pass(MINUTE + 1000);
        let error = answered(&app, "Late", late).await.unwrap_err();
        assert_eq!(error.to_string(), "the confirmation has expired; nothing was changed", "{jump}");
        assert!(is_there(&app, "Late").await && !is_there(&app, "Soon").await);
    }
}

#[tokio::test]
async fn an_approval_waits_and_is_good_for_five_minutes_however_the_clock_is_set_meanwhile() {
    for jump in [-HOUR, 0, HOUR] {
        let (store, clock) = (Store::sqlite(), here());
        let app = at(&store, &clock);
        acme(&app, &["One", "Two", "Three"]).await;
        let asked = async |project: &str| match call(&app, "delete_project", json!({ "project": project }), false, Given::Nothing).await {
            Err(CallError::PendingApproval { id, expires_in_s, .. }) => {
                assert!((299..=300).contains(&expires_in_s), "{expires_in_s}");
                id
            }
            other => panic!("{other:?}"),
        };
        let (one, two, three) = (asked("One").await, asked("Two").await, asked("Three").await);
        clock.jump(jump);
        clock.pass(4 * MINUTE);
        assert_eq!(guard::approve(&app.db, &one, Answering::at_terminal("ann")).await.unwrap(), Answered::Approved, "{jump}");
        assert_eq!(guard::approve(&app.db, &two, Answering::at_terminal("ann")).await.unwrap(), Answered::Approved, "{jump}");
        clock.pass(2 * MINUTE);
        assert_eq!(
            guard::approve(&app.db, &three, Answering::at_terminal("ann")).await.unwrap(),
            Answered::NotOpen,
            "{jump}: nobody answered in time"
        );
        let done = call(&app, "delete_project", json!({ "project": "One" }), false, Given::Nothing).await;
        assert!(matches!(done, Ok(Verdict::Done(_))), "{jump}: {done:?}");
        clock.pass(4 * MINUTE);
        assert_ne!(asked("Two").await, two, "{jump}: it was not used in time");
        assert_ne!(asked("Three").await, three);
        assert!(is_there(&app, "Two").await && is_there(&app, "Three").await && !is_there(&app, "One").await);
    }
}

#[tokio::test]
async fn on_a_database_of_its_own_the_clocks_of_replicas_mean_nothing_to_consent() {
    for store in Store::each().await {
        if store.url.starts_with("sqlite:") {
            continue;
        }
        let real = Timestamp::now();
        let [before, behind] = [HOUR, -HOUR].map(|skew| at(&store, &Clock::still(Timestamp(real.0 + skew))));
        acme(&before, &["One", "Two", "Three", "Four"]).await;
        for (project, asking, answering) in [("One", &before, &behind), ("Two", &behind, &before)] {
            let ticket = asked(asking, project).await;
            assert!(matches!(answered(answering, project, ticket).await, Ok(Verdict::Done(_))), "{project}");
        }
        for (project, asking, approving) in [("Three", &before, &behind), ("Four", &behind, &before)] {
            let delete = || call(asking, "delete_project", json!({ "project": project }), false, Given::Nothing);
            let Err(CallError::PendingApproval { id, .. }) = delete().await else { panic!("{project}") };
            let late = async |by: i64| {
                let mut tx = asking.db.begin().await.unwrap();
                let sql = "UPDATE approvals SET expires_at = expires_at - $1 WHERE id = $2";
                tx.run(sql, &[by.into(), id.as_str().into()]).await.unwrap();
                tx.commit().await.unwrap();
            };
            late(5 * MINUTE).await;
            assert_eq!(
                guard::approve(&approving.db, &id, Answering::at_terminal("ann")).await.unwrap(),
                Answered::NotOpen,
                "{project}: five minutes have passed"
            );
            late(-MINUTE).await;
            assert_eq!(
                guard::approve(&approving.db, &id, Answering::at_terminal("ann")).await.unwrap(),
                Answered::Approved,
                "{project}: a minute is left"
            );
            assert!(matches!(delete().await, Ok(Verdict::Done(_))), "{project}");
        }
    }
}

/// A job whose worker is silent from its first row on.
async fn silent(store: &Arc<Store>, clock: &Clock) -> (Agent, String) {
    let agent = Agent::of(store, at(store, clock), Options::default()).await;
    company(&agent).await;
    agent.app.jobs().halt_at(Halt { row: 0, moment: Moment::BeforeIntent });
    let broken = agent.ok("apply_changes", json!({ "steps": [adding("bo", &["viewer"])] })).await;
    let job = broken["job"].as_str().unwrap().to_owned();
    (agent, job)
}

async fn goes_on(app: &App, job: &str) {
    app.jobs().finished(job, Wait::to_the_end()).await;
    let report = app.jobs().report(job, &who(false)).await.unwrap();
    assert_eq!(outcomes(&report), ["1 done"], "{report}");
}

#[tokio::test]
async fn a_silent_workers_job_is_taken_after_half_a_minute_however_the_clock_is_set_meanwhile() {
    for jump in [-24 * HOUR, -HOUR, -MINUTE, 0, MINUTE, HOUR] {
        let (store, clock) = (Store::sqlite(), here());
        let (agent, job) = silent(&store, &clock).await;
        clock.jump(jump);
        let other = at(&store, &clock);
        clock.pass(20_000);
        assert_eq!(other.jobs().resume(None).await.unwrap(), [""; 0], "{jump}: it may work still");
        assert_ne!(agent.ok("get_job", json!({ "job": job })).await["interrupted"], true, "{jump}");
        clock.pass(11_000);
        assert_eq!(agent.ok("get_job", json!({ "job": job })).await["interrupted"], true, "{jump}");
        assert_eq!(other.jobs().resume(None).await.unwrap(), [job.as_str()], "{jump}: it was silent for too long");
        goes_on(&other, &job).await;
    }
}

#[tokio::test]
async fn a_machine_that_was_started_again_with_a_clock_that_is_behind_goes_on_from_what_the_store_knows() {
    let store = Store::sqlite();
    let real = Timestamp::now();
    let before = Db::by(&store.url, Clock::still(real));
    let known = before.read().await.unwrap().now().await.unwrap();
    assert_eq!(known, real);
    before.close().await;
    let after = Db::by(&store.url, Clock::still(Timestamp(real.0 - HOUR)));
    assert_eq!(after.read().await.unwrap().now().await.unwrap(), real, "it does not go back");
    after.close().await;
    let later = Db::by(&store.url, Clock::still(Timestamp(real.0 + HOUR)));
    assert_eq!(later.read().await.unwrap().now().await.unwrap(), Timestamp(real.0 + HOUR));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_job_of_a_process_that_is_known_to_be_gone_is_taken_at_once() {
    // Numbers of processes end before.
    const NOBODY: &str = "4194305";
    for store in Store::each().await {
        let (agent, job) = silent(&store, &Clock::Machine).await;
        let other = at(&store, &Clock::Machine);
        assert_eq!(other.jobs().resume(None).await.unwrap(), [""; 0], "its process is here");
        let mut tx = agent.db().recording().begin().await.unwrap();
        let owner = tx.texts("SELECT lease_owner FROM jobs", &[]).await.unwrap().pop().unwrap();
        let mut parts: Vec<&str> = owner.split(' ').collect();
        parts[1] = NOBODY;
        let elsewhere = parts.join(" ").replacen('/', "0/", 1);
        tx.run("UPDATE jobs SET lease_owner = $1", &[elsewhere.into()]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(other.jobs().resume(None).await.unwrap(), [""; 0], "on another machine it may be there");
        let mut tx = agent.db().recording().begin().await.unwrap();
        tx.run("UPDATE jobs SET lease_owner = $1", &[parts.join(" ").into()]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(agent.ok("get_job", json!({ "job": job })).await["interrupted"], true);
        assert_eq!(other.jobs().resume(None).await.unwrap(), [job.as_str()]);
        goes_on(&other, &job).await;
    }
}
