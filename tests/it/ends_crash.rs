//! Access that ends, where processes die, clocks jump and several servers look at once.

use std::sync::Arc;

use rolecall::{
    domain::Timestamp,
    jobs::{Halt, Moment, Wait},
    store::{Clock, Val},
};

use crate::{
    company::{acme, column, email},
    ends::{ending, look, time_comes},
    support::{Agent, Options, Value, json},
};

async fn company(agent: &Agent) {
    acme(agent, &["ana", "bo"]).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
}

fn people(roles: &[&str], ends_at: &str) -> Value {
    let one = |it: &str| json!({ "project": "Atlas", "member": email(it), "roles": roles });
    json!({ "people": [one("ana"), one("bo")], "ends_at": ends_at })
}

async fn in_atlas(agent: &Agent) -> Vec<String> {
    column(&agent.ok("list_project_members", json!({ "project": "Atlas" })).await, "member")
}

async fn run(agent: &Agent, sql: &str, args: &[Val]) {
    let mut tx = agent.db().recording().begin().await.unwrap();
    tx.run(sql, args).await.unwrap();
    tx.commit().await.unwrap();
}

async fn leases_end(agent: &Agent) {
    run(agent, "UPDATE jobs SET lease_until = 0 WHERE status = 'running'", &[]).await;
}

/// How often each tool was sent.
async fn done(agent: &Agent, tool: &str) -> usize {
    let list = agent.ok("list_activity", json!({ "tool": tool, "outcome": "done", "limit": 100 })).await;
    list["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_was_given_by_a_process_that_died_ends_all_the_same() {
    for moment in [Moment::BeforeIntent, Moment::AfterIntent, Moment::AfterAct] {
        for agent in Agent::each().await {
            company(&agent).await;
            agent.app.jobs().halt_at(Halt { row: 1, moment });
            let broken = agent.ok("add_project_members", people(&["viewer"], "2 weeks")).await;
            leases_end(&agent).await;
            let other = agent.elsewhere(Options::default()).await;
            let job = broken["job"].as_str().unwrap();
            assert_eq!(other.app.jobs().resume(Some(job)).await.unwrap(), [job]);
            other.app.jobs().finished(job, Wait::to_the_end()).await;
            assert_eq!(in_atlas(&other).await, [email("ana"), email("bo")], "{moment:?}");
            assert_eq!(ending(&other, "").await.len(), 2, "{moment:?}");
            time_comes(&other).await;
            assert_eq!(in_atlas(&other).await, [""; 0], "{moment:?}: {:?}", ending(&other, "").await);
            assert_eq!(ending(&other, "ended").await.len(), 2, "{moment:?}");
        }
    }
}

#[tokio::test]
async fn a_process_that_dies_while_it_takes_access_away_leaves_it_to_the_next_and_nothing_is_taken_twice() {
    for moment in [Moment::BeforeIntent, Moment::AfterIntent, Moment::AfterAct] {
        for agent in Agent::each().await {
            company(&agent).await;
            agent.ok("add_project_members", people(&["viewer"], "2 weeks")).await;
            agent.app.jobs().halt_at(Halt { row: 0, moment });
            time_comes(&agent).await;
            let due = ending(&agent, "").await;
            assert_eq!(due.len(), 2, "{moment:?}: {due:?}");
            leases_end(&agent).await;
            let other = agent.elsewhere(Options::default()).await;
            assert_eq!(other.app.jobs().resume(None).await.unwrap().len(), 1);
            look(&other).await;
            assert_eq!(in_atlas(&other).await, [""; 0], "{moment:?}");
            assert_eq!(ending(&other, "ended").await.len(), 2, "{moment:?}");
            assert_eq!(done(&other, "remove_project_member").await, 2, "{moment:?}");
            assert!(other.db().read().await.unwrap().verify_ledger().await.unwrap().broken.is_none());
        }
    }
}

#[tokio::test]
async fn several_servers_that_look_at_once_take_it_away_once() {
    for agent in Agent::each().await {
        company(&agent).await;
        agent.ok("add_project_members", people(&["viewer"], "2 weeks")).await;
        let mut servers = vec![Arc::clone(&agent.app)];
        for _ in 0..3 {
            servers.push(agent.store.app(&Options::default()).await);
        }
        let past = Timestamp::now().plus_seconds(-1).0;
        run(&agent, "UPDATE ends SET ends_at = $1, look_at = $1", &[Val::from(past)]).await;
        let looks = servers.iter().flat_map(|it| [it, it]).map(|it| async move { it.jobs().end_access().await });
        for looked in futures_util::future::join_all(looks).await {
            looked.unwrap();
        }
        while servers.iter().any(|it| it.jobs().running() > 0) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        look(&agent).await;
        assert_eq!((in_atlas(&agent).await, ending(&agent, "ended").await.len()), (Vec::new(), 2));
        assert_eq!((done(&agent, "remove_project_member").await, ending(&agent, "").await.len()), (2, 0));
        let jobs = agent.ok("list_jobs", json!({})).await;
        assert_eq!(column(&jobs, "tool").iter().filter(|it| *it == "end_access").count(), 1, "{jobs}");
    }
}

#[tokio::test]
async fn what_was_missed_while_nothing_ran_goes_at_the_next_start() {
    for agent in Agent::each().await {
        company(&agent).await;
        agent.ok("add_project_members", people(&["viewer"], "PT1S")).await;
        tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
        assert_eq!(in_atlas(&agent).await.len(), 2, "nobody has looked");
        assert_eq!(ending(&agent, "due").await.len(), 2);
        let next = agent.elsewhere(Options::default()).await;
        next.app.jobs().keep_going();
        for _ in 0..200 {
            if in_atlas(&next).await.is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        assert_eq!(in_atlas(&next).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_clock_that_jumps_forward_takes_nothing_away_before_it_has_stayed_there() {
    // PostgreSQL has a clock of its own.
    let agent = Agent::new().await;
    company(&agent).await;
    let clock = Clock::still(Timestamp::now());
    agent.app.jobs().ends_by(clock.clone());
    agent.ok("add_project_members", people(&["viewer"], "2 weeks")).await;
    look(&agent).await;
    let weeks = 15 * 24 * 3600 * 1000;
    clock.jump(weeks);
    look(&agent).await;
    assert_eq!(in_atlas(&agent).await.len(), 2, "somebody has set the clock wrong");
    clock.jump(-weeks);
    clock.pass(60_000);
    look(&agent).await;
    clock.jump(weeks);
    look(&agent).await;
    clock.pass(300_000);
    look(&agent).await;
    assert_eq!(in_atlas(&agent).await.len(), 2);
    clock.pass(301_000);
    look(&agent).await;
    assert_eq!(in_atlas(&agent).await, [""; 0], "it is so late indeed");
    // Set back, nothing is taken again.
    clock.jump(-2 * weeks);
    agent.ok("add_project_members", json!({ "people": people(&["viewer"], "")["people"] })).await;
    look(&agent).await;
    clock.jump(2 * weeks);
    clock.pass(700_000);
    look(&agent).await;
    look(&agent).await;
    assert_eq!((in_atlas(&agent).await.len(), done(&agent, "remove_project_member").await), (2, 2));
}

#[tokio::test]
async fn what_cannot_be_taken_away_is_told_with_its_reason_and_tried_again() {
    for agent in Agent::each().await {
        company(&agent).await;
        agent.ok("add_project_members", json!({ "people": [people(&["owner"], "")["people"][0]], "ends_at": "2 weeks" })).await;
        let before = agent.dump().await;
        time_comes(&agent).await;
        assert_eq!(agent.dump().await, before);
        let failed = ending(&agent, "failed").await;
        assert!(failed.len() == 1 && failed[0]["reason"].as_str().unwrap().contains("owner"), "{failed:?}");
        // Cancelled is the work, not what was agreed to.
        agent.ok("add_project_member", json!({ "project": "Atlas", "member": email("bo"), "roles": ["owner"] })).await;
        time_comes(&agent).await;
        assert_eq!((in_atlas(&agent).await, ending(&agent, "ended").await.len()), (vec![email("bo")], 1));
    }
}
