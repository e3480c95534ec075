//! Calls with an `idempotency_key` that come at the same time: one is made, and all get its receipt.

use std::{sync::Arc, time::Duration};

use rolecall::providers::openai;
use rolecall_sandbox::{self as sandbox, Platform as _, Seed, openai::Openai};

use crate::{
    lab::Service as _,
    support::{Agent, Options, Person, Store, Value, json},
    support_openai::Company,
};

const RACERS: usize = 8;

/// The answers of calls that all come at the same time.
async fn race(agents: &[Arc<Agent>], tool: &'static str, arguments: &Value) -> Vec<Value> {
    let racers: Vec<_> = agents
        .iter()
        .map(|agent| {
            let (agent, arguments) = (Arc::clone(agent), arguments.clone());
            tokio::spawn(async move { agent.call(tool, arguments).await })
        })
        .collect();
    let mut answers = Vec::new();
    for racer in racers {
        answers.push(racer.await.unwrap());
    }
    answers
}

/// One receipt, as often as it was asked for.
fn one_receipt(answers: &[Value]) {
    let made: Vec<&Value> = answers.iter().filter(|it| it["replayed"].is_null()).collect();
    assert_eq!(made.len(), 1, "one makes it: {answers:?}");
    for answer in answers {
        assert_eq!(answer["status"], "done", "{answers:?}");
        for field in ["call_id", "target", "after"] {
            assert_eq!(answer[field], made[0][field], "{field}: {answers:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_at_the_same_time_with_one_key_get_one_receipt_in_however_many_processes() {
    for store in Store::each().await {
        let home = Arc::new(Agent::on(&store, Options::default()).await);
        home.ok("create_organization", json!({ "name": "Acme" })).await;
        let mut agents = Vec::new();
        for at in 0..RACERS {
            agents.push(if at % 2 == 0 { Arc::clone(&home) } else { Arc::new(home.elsewhere(Options::default()).await) });
        }
        for round in 0..5 {
            let call = json!({ "name": format!("Team {round}"), "idempotency_key": format!("key {round}") });
            one_receipt(&race(&agents, "create_team", &call).await);
            assert_eq!(home.ok("list_teams", json!({})).await["total"], round + 1);
        }
        // So do those that a person has agreed to.
        home.ok("create_project", json!({ "name": "Atlas" })).await;
        one_receipt(&race(&agents, "delete_project", &json!({ "project": "Atlas", "idempotency_key": "gone" })).await);
        // And jobs: each tells of the same one.
        let steps: Vec<_> = (0..3).map(|at| json!({ "tool": "create_team", "arguments": { "name": format!("Crew {at}") } })).collect();
        let answers = race(&vec![Arc::clone(&home); RACERS], "apply_changes", &json!({ "steps": steps, "idempotency_key": "job" })).await;
        one_receipt(&answers);
        assert_eq!(home.ok("list_jobs", json!({})).await["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(home.ok("list_teams", json!({})).await["total"], 5 + 3);
    }
}

/// A company at a service whose answers take their time.
async fn slow() -> Company {
    let options = sandbox::Options { latency: Duration::from_millis(150), ..sandbox::Options::default() };
    let service = Arc::new(sandbox::start(Openai::seeded(Seed::Acme), options).await.unwrap());
    let connection = openai::connect(Openai::settings(&service.url));
    Company::of(service, connection, Options::default()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_service_gets_one_request_for_one_key() {
    let it = slow().await;
    let mut agents = Vec::new();
    for _ in 0..RACERS {
        agents.push(Arc::new(it.agent.with(crate::support::Era::Modern, Person::Agrees).await));
    }
    it.sandbox.clear_journal();
    one_receipt(&race(&agents, "create_project", &json!({ "name": "Borealis", "idempotency_key": "k" })).await);
    assert_eq!(it.writes().len(), 1, "{:?}", it.writes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_answered_done_whose_outcome_will_not_be_recorded() {
    let it = slow().await;
    let db = it.agent.db().clone();
    let closing = async {
        // Once it may be sent, the store goes away for good.
        while db.read().await.unwrap().number("SELECT COUNT(*) FROM open_intents", &[]).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        db.close().await;
    };
    let (told, ()) = tokio::join!(it.agent.call("create_project", json!({ "name": "Borealis" })), closing);
    assert_eq!((&told["code"], &told["receipt"]["target"]["name"]), (&json!("not_recorded"), &json!("Borealis")), "{told}");
    assert!(!told.to_string().contains("nothing was changed"), "{told}");
    assert_eq!(it.writes().len(), 1);
}

#[tokio::test]
async fn where_an_earlier_call_cannot_be_looked_up_it_is_not_said_that_nothing_was_changed() {
    let agent = Agent::new().await;
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    let call = json!({ "name": "Maps", "idempotency_key": "k" });
    agent.ok("create_team", call.clone()).await;
    agent.db().close().await;
    let told = agent.fails("create_team", call, "store_unavailable").await;
    assert!(!told.to_string().contains("nothing was changed"), "{told}");
    let told = agent.fails("create_team", json!({ "name": "Tiles" }), "store_unavailable").await;
    assert!(told["retryable"] == true, "{told}");
}
