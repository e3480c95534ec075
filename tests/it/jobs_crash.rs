//! Jobs whose process dies: whoever goes on settles what was being sent, and makes the rest once.

use std::sync::Arc;

use rolecall::{
    app::App,
    guard::{Caller, Given, Verdict},
    jobs::{Halt, Moment, Wait},
};

use crate::{
    company::email,
    jobs::{adding, company, outcomes},
    support::{Agent, Options, Value, json},
};

fn operator() -> Caller {
    Caller { principal: "local".into(), client: "test".into(), can_ask: false }
}

/// Lets the lease of a process that is gone run out.
async fn let_it_expire(agent: &Agent) {
    let mut tx = agent.db().recording().begin().await.unwrap();
    tx.run("UPDATE jobs SET lease_until = 0 WHERE status = 'running'", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Goes on with the job as another process would; answers what it reports at the end.
async fn go_on(agent: &Agent, job: &str) -> Value {
    let other = agent.store.app(&Options::default()).await;
    finish(&other, job).await
}

async fn finish(app: &Arc<App>, job: &str) -> Value {
    assert_eq!(app.jobs().resume(Some(job)).await.unwrap(), [job]);
    app.jobs().finished(job, Wait::to_the_end()).await;
    app.jobs().report(job, &operator()).await.unwrap()
}

/// Begins three steps that want one consent, and breaks off at a moment of the second.
async fn broken_off(agent: &Agent, moment: Moment) -> Value {
    company(agent).await;
    agent.app.jobs().halt_at(Halt { row: 1, moment });
    let steps = [adding("bo", &["owner"]), adding("cy", &["owner"]), adding("di", &["viewer"])];
    agent.ok("create_user", json!({ "email": email("di"), "name": "Di", "organization": "Acme" })).await;
    let broken = agent.ok("apply_changes", json!({ "steps": steps })).await;
    assert_eq!(
        (&broken["status"], &broken["after"]["done"], &broken["after"]["pending"]),
        (&json!("running"), &json!(1), &json!(2)),
        "{broken}"
    );
    broken
}

/// What the directory holds is what the report says: each person once, with the role of the step.
async fn holds_what_it_says(agent: &Agent, report: &Value) {
    let people = agent.ok("list_project_members", json!({ "project": "Atlas", "limit": 100 })).await;
    let found: Vec<String> = people["items"].as_array().unwrap().iter().map(|it| it["member"].as_str().unwrap().to_owned()).collect();
    for item in report["after"]["items"].as_array().unwrap() {
        let Some(person) = item["target"].as_str().unwrap().strip_prefix("member ") else { continue };
        let there = found.iter().filter(|it| *it == person).count();
        assert_eq!(there, usize::from(item["outcome"] == "done"), "{person}: {report} {people}");
    }
}

#[tokio::test]
async fn a_job_goes_on_from_where_it_was_whenever_its_process_died() {
    for moment in [Moment::BeforeIntent, Moment::AfterIntent, Moment::AfterAct] {
        for agent in Agent::each().await {
            let broken = broken_off(&agent, moment).await;
            let job = broken["job"].as_str().unwrap();
            let seen = agent.ok("get_job", json!({ "job": job })).await;
            assert_eq!(seen["status"], "running", "{seen}");
            let refusal = agent.app.jobs().resume(Some(job)).await.unwrap_err();
            assert!(refusal.to_string().contains("a process works on job"), "a lease is respected: {refusal}");
            let_it_expire(&agent).await;
            assert_eq!(agent.ok("get_job", json!({ "job": job })).await["interrupted"], true);
            let report = go_on(&agent, job).await;
            let second = if moment == Moment::AfterAct { "2 done: it had taken effect when its process ended" } else { "2 done" };
            assert_eq!(outcomes(&report), ["1 done", second, "3 done"], "{moment:?}: {report}");
            assert_eq!(report["status"], "done");
            holds_what_it_says(&agent, &report).await;
            let rows = agent.ok("list_activity", json!({ "tool": "add_project_member", "limit": 10 })).await;
            let mut ended: Vec<&str> = rows["items"].as_array().unwrap().iter().map(|it| it["outcome"].as_str().unwrap()).collect();
            ended.sort_unstable();
            // Two are the company's own.
            let mut expected = vec!["done"; 5];
            expected.extend((moment == Moment::AfterIntent).then_some("failed"));
            assert_eq!(ended, expected, "{moment:?}: every intent has an outcome: {rows}");
            assert!(agent.db().read().await.unwrap().verify_ledger().await.unwrap().broken.is_none());
        }
    }
}

#[tokio::test]
async fn a_failure_from_before_the_process_died_still_ends_the_job() {
    for state in ["failed", "refused", "unknown"] {
        for agent in Agent::each().await {
            let broken = broken_off(&agent, Moment::BeforeIntent).await;
            let mut tx = agent.db().recording().begin().await.unwrap();
            tx.run("UPDATE job_rows SET state = $1 WHERE idx = 0", &[state.into()]).await.unwrap();
            tx.commit().await.unwrap();
            let_it_expire(&agent).await;
            let before = agent.dump().await;
            let report = go_on(&agent, broken["job"].as_str().unwrap()).await;
            let why = "cancelled: step 1 before it was not made";
            assert_eq!(outcomes(&report)[1..], [format!("2 {why}"), format!("3 {why}")], "{report}");
            assert_eq!(report["status"], "stopped");
            assert_eq!(agent.dump().await, before);
        }
    }
}

#[tokio::test]
async fn an_old_yes_covers_only_exactly_what_was_told() {
    for agent in Agent::each().await {
        company(&agent).await;
        agent.app.jobs().halt_at(Halt { row: 0, moment: Moment::BeforeIntent });
        crate::company::join(&agent, "Atlas", "bo", &["viewer", "member"]).await;
        let remove =
            |person: &str| json!({ "tool": "remove_project_member", "arguments": { "project": "Atlas", "member": email(person) } });
        let broken = agent.ok("apply_changes", json!({ "steps": [remove("ana"), remove("bo")], "on_failure": "continue" })).await;
        agent.ok("unassign_role", json!({ "role": "member", "member": email("bo"), "project": "Atlas" })).await;
        let_it_expire(&agent).await;
        let mut tx = agent.db().recording().begin().await.unwrap();
        tx.run("UPDATE jobs SET created_at = created_at - 301000", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let report = go_on(&agent, broken["job"].as_str().unwrap()).await;
        let lines = outcomes(&report);
        assert_eq!(lines[0], "1 done", "{lines:?}");
        assert!(lines[1].starts_with("2 refused: the target has changed since the change was planned"), "{lines:?}");
    }
}

#[tokio::test]
async fn what_was_agreed_to_is_held_against_what_it_would_do_now() {
    for agent in Agent::each().await {
        let broken = broken_off(&agent, Moment::BeforeIntent).await;
        let job = broken["job"].as_str().unwrap();
        // Meanwhile the second person has left, and the third is in already.
        agent.ok("remove_organization_member", json!({ "member": email("cy") })).await;
        agent.ok("add_project_member", json!({ "project": "Atlas", "member": email("di"), "roles": ["viewer"] })).await;
        let_it_expire(&agent).await;
        let report = go_on(&agent, job).await;
        let lines = outcomes(&report);
        assert!(lines[1].starts_with("2 failed: `cy@acme.example` is not a member"), "{lines:?}");
        assert_eq!(lines[2], "3 cancelled: step 2 before it was not made");
        assert_eq!(report["status"], "stopped");
    }
}

#[tokio::test]
async fn a_grant_that_has_become_graver_is_refused() {
    for agent in Agent::each().await {
        company(&agent).await;
        agent.app.jobs().halt_at(Halt { row: 0, moment: Moment::BeforeIntent });
        agent.ok("create_role", json!({ "name": "Helper", "permissions": ["projects.read"], "project": "Atlas" })).await;
        let broken = agent.ok("apply_changes", json!({ "steps": [adding("bo", &["Helper"])] })).await;
        assert_eq!(agent.questions(), [""; 0], "nothing to ask about yet");
        agent.ok("update_role", json!({ "role": "Helper", "project": "Atlas", "permissions": ["projects.read", "project.members"] })).await;
        let_it_expire(&agent).await;
        let before = agent.dump().await;
        let report = go_on(&agent, broken["job"].as_str().unwrap()).await;
        let lines = outcomes(&report);
        assert!(lines[0].starts_with("1 refused: the target has changed since the change was planned"), "{lines:?}");
        assert_eq!(agent.dump().await, before, "nothing was changed");
    }
}

#[tokio::test]
async fn of_two_workers_one_goes_on_and_the_other_sends_nothing_more() {
    for agent in Agent::each().await {
        let broken = broken_off(&agent, Moment::BeforeIntent).await;
        let job = broken["job"].as_str().unwrap();
        let_it_expire(&agent).await;
        let apps = [agent.store.app(&Options::default()).await, agent.store.app(&Options::default()).await];
        let (one, two) = tokio::join!(apps[0].jobs().resume(None), apps[1].jobs().resume(None));
        let taken = [one.unwrap(), two.unwrap()];
        assert_eq!(taken.iter().flatten().count(), 1, "one of them has it: {taken:?}");
        for app in &apps {
            app.jobs().finished(job, Wait::to_the_end()).await;
        }
        let report = apps[0].jobs().report(job, &operator()).await.unwrap();
        assert_eq!(outcomes(&report), ["1 done", "2 done", "3 done"], "{report}");
        holds_what_it_says(&agent, &report).await;
    }
}

#[tokio::test]
async fn a_job_is_ended_between_two_rows_even_where_its_process_is_gone() {
    for agent in Agent::each().await {
        let broken = broken_off(&agent, Moment::AfterAct).await;
        let job = broken["job"].as_str().unwrap();
        let_it_expire(&agent).await;
        let ended = agent.ok("cancel_job", json!({ "job": job })).await;
        assert_eq!(ended["after"]["status"], "cancelled", "{ended}");
        assert_eq!(
            (&ended["after"]["done"], &ended["after"]["cancelled"]),
            (&json!(2), &json!(1)),
            "what was on its way is settled: {ended}"
        );
        let report = agent.app.jobs().report(job, &operator()).await.unwrap();
        assert_eq!(outcomes(&report)[2], "3 cancelled: the job was cancelled before its turn");
        holds_what_it_says(&agent, &report).await;
    }
}

#[tokio::test]
async fn a_process_that_ends_in_good_order_lets_go_of_its_job_at_once() {
    for agent in Agent::each().await {
        company(&agent).await;
        let arguments = json!({ "steps": [adding("bo", &["viewer"]), { "tool": "create_team", "arguments": { "name": "Core", "organization": "Acme" } }] });
        let Value::Object(arguments) = arguments else { unreachable!() };
        let wait = Wait::at_most(std::time::Duration::ZERO);
        let begun = agent.app.call_and_wait("apply_changes", arguments, &operator(), Given::Nothing, wait).await.unwrap();
        let Verdict::Done(begun) = begun else { panic!("{begun:?}") };
        agent.app.jobs().stop().await;
        let job = begun["job"].as_str().unwrap();
        let other = agent.store.app(&Options::default()).await;
        let done = other.jobs().report(job, &operator()).await.unwrap()["status"] == "done";
        let report = if done { other.jobs().report(job, &operator()).await.unwrap() } else { finish(&other, job).await };
        assert_eq!(outcomes(&report), ["1 done", "2 done"], "{report}");
        holds_what_it_says(&agent, &report).await;
    }
}
