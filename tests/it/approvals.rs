//! Changes that wait for a person elsewhere: how many, for whom, and for how many people.

use std::sync::Arc;

use rolecall::{
    domain::Timestamp,
    guard::{Caller, Fallback, Given, GuardSettings},
    store::Db,
};

use crate::support::{Agent, Options, Person, Store, Value, json};

fn silent(second_person: bool) -> Options {
    let guard = GuardSettings { fallback: Fallback::Approve, second_person, ..GuardSettings::default() };
    Options { person: Person::Unreachable, guard, ..Options::default() }
}

async fn approve(db: &Db, id: &str, person: &str) -> Option<i64> {
    let now = Timestamp::now();
    let mut tx = db.begin().await.unwrap();
    let missing = tx.approve(id, person, now, now.plus_seconds(300)).await.unwrap();
    tx.commit().await.unwrap();
    missing
}

async fn waiting(db: &Db) -> Vec<String> {
    let open = db.read().await.unwrap().open_approvals(Timestamp::now()).await.unwrap();
    open.into_iter().map(|it| it.id).collect()
}

fn id(answer: &Value) -> String {
    answer["approval_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
async fn what_one_person_agreed_to_does_not_serve_a_process_that_wants_two() {
    for store in Store::each().await {
        let lax = Agent::on(&store, silent(false)).await;
        let strict = Agent::on(&store, silent(true)).await;
        lax.ok("create_organization", json!({ "name": "Acme" })).await;
        let gone = json!({ "organization": "Acme" });
        let before = lax.dump().await;
        let one = id(&lax.fails("delete_organization", gone.clone(), "pending_approval").await);
        assert_eq!(approve(lax.db(), &one, "ana").await, Some(0));
        let two = id(&strict.fails("delete_organization", gone.clone(), "pending_approval").await);
        assert_ne!(one, two);
        assert_eq!(lax.dump().await, before);
        assert_eq!(approve(lax.db(), &two, "ana").await, Some(1));
        strict.fails("delete_organization", gone.clone(), "pending_approval").await;
        assert_eq!(approve(lax.db(), &two, "bo").await, Some(0));
        strict.ok("delete_organization", gone).await;
    }
}

#[tokio::test]
async fn a_question_for_one_person_that_waits_is_replaced_where_two_are_wanted_and_serves_both() {
    let lax = Agent::on(&Store::sqlite(), silent(false)).await;
    let strict = Agent::on(&lax.store, silent(true)).await;
    lax.ok("create_organization", json!({ "name": "Acme" })).await;
    let gone = json!({ "organization": "Acme" });
    let one = id(&lax.fails("delete_organization", gone.clone(), "pending_approval").await);
    let two = id(&strict.fails("delete_organization", gone.clone(), "pending_approval").await);
    assert_eq!((waiting(lax.db()).await, approve(lax.db(), &one, "ana").await), (vec![two.clone()], None));
    assert_eq!(id(&lax.fails("delete_organization", gone, "pending_approval").await), two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_call_waits_once_however_often_and_from_wherever_it_comes() {
    for store in Store::each().await {
        let home = Agent::on(&store, silent(false)).await;
        home.ok("create_organization", json!({ "name": "Acme" })).await;
        home.ok("create_project", json!({ "name": "Atlas" })).await;
        let mut agents = Vec::new();
        for _ in 0..8 {
            agents.push(Arc::new(home.elsewhere(silent(false)).await));
        }
        let calls: Vec<_> = agents
            .iter()
            .map(|it| {
                let it = Arc::clone(it);
                tokio::spawn(async move { it.call("delete_project", json!({ "project": "Atlas" })).await })
            })
            .collect();
        let mut ids = Vec::new();
        for call in calls {
            ids.push(id(&call.await.unwrap()));
        }
        assert_eq!(waiting(home.db()).await, ids[..1], "{ids:?}");
        assert!(ids.iter().all(|it| *it == ids[0]), "{ids:?}");
        // What it would do changes, and the question with it: the old one can no longer be answered.
        for at in 0..5 {
            home.ok("create_project", json!({ "name": format!("Other {at}") })).await;
            home.ok("update_project", json!({ "project": "Atlas", "description": format!("step {at}") })).await;
            let next = id(&home.fails("delete_project", json!({ "project": "Atlas" }), "pending_approval").await);
            assert_eq!(waiting(home.db()).await, [next]);
        }
        assert_eq!(approve(home.db(), &ids[0], "ana").await, None);
    }
}

#[tokio::test]
async fn a_flood_of_questions_is_bounded_for_each_caller_and_says_how_to_go_on() {
    let home = Agent::on(&Store::sqlite(), Options::default()).await;
    home.ok("create_organization", json!({ "name": "Acme" })).await;
    for at in 0..30 {
        home.ok("create_project", json!({ "name": format!("Project {at}") })).await;
    }
    let flooding = home.silent().await;
    let delete = |at: i32| json!({ "project": format!("Project {at}") });
    for at in 0..20 {
        flooding.fails("delete_project", delete(at), "pending_approval").await;
    }
    let told = flooding.fails("delete_project", delete(20), "too_many_pending").await;
    assert_eq!(told["message"], "20 changes of this caller already wait for a person, which is the most that may; nothing was changed");
    let way_on = told["fix"].as_str().unwrap();
    assert!(way_on.contains("`rolecall approvals`") && way_on.contains("5 minutes"), "{told}");
    for at in 21..30 {
        flooding.fails("delete_project", delete(at), "too_many_pending").await;
    }
    // Those that wait still do, and others are in nobody's way.
    let first = id(&flooding.fails("delete_project", delete(0), "pending_approval").await);
    assert_eq!(waiting(home.db()).await.len(), 20);
    let other = Caller { principal: "token:other".into(), client: "test".into(), can_ask: false };
    let Value::Object(arguments) = delete(25) else { panic!() };
    let error = flooding.app.call("delete_project", arguments, &other, Given::Nothing).await.unwrap_err();
    assert_eq!(error.code(), "pending_approval");
    // One that is answered makes room for another.
    assert_eq!(approve(home.db(), &first, "ana").await, Some(0));
    flooding.ok("delete_project", delete(0)).await;
    flooding.fails("delete_project", delete(20), "pending_approval").await;
    flooding.fails("delete_project", delete(21), "too_many_pending").await;
    assert_eq!(home.ok("list_projects", json!({ "limit": 1 })).await["total"], 29);
}

#[tokio::test]
async fn a_caller_over_http_is_told_what_its_own_calls_did_unless_the_operator_shares_it() {
    for store in Store::each().await {
        let agent = Agent::on(&store, Options::default()).await;
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        let token = |name: &str| Caller { principal: format!("token:{name}"), client: "test".into(), can_ask: false };
        let call = async |agent: &Agent, tool: &str, arguments: Value, caller: &Caller| {
            let Value::Object(arguments) = arguments else { panic!() };
            match agent.app.call(tool, arguments, caller, Given::Nothing).await.unwrap() {
                rolecall::guard::Verdict::Done(result) => result,
                other => panic!("{other:?}"),
            }
        };
        for (name, team) in [("a", "Maps"), ("b", "Tiles"), ("a", "Crew")] {
            call(&agent, "create_team", json!({ "name": team }), &token(name)).await;
        }
        let teams = |list: Value| -> Vec<String> {
            list["items"].as_array().unwrap().iter().map(|it| it["target"].as_str().unwrap().replace("team ", "")).collect()
        };
        let all = ["Crew", "Tiles", "Maps", "organization Acme"];
        assert_eq!(teams(call(&agent, "list_activity", json!({}), &token("a")).await), ["Crew", "Maps"]);
        assert_eq!(teams(call(&agent, "list_activity", json!({ "limit": 1 }), &token("a")).await), ["Crew"]);
        assert_eq!(teams(call(&agent, "list_activity", json!({ "tool": "create_team" }), &token("b")).await), ["Tiles"]);
        assert_eq!(teams(call(&agent, "list_activity", json!({}), &token("c")).await), [""; 0]);
        assert_eq!(teams(agent.ok("list_activity", json!({})).await), all);
        let guard = GuardSettings { shared_activity: true, ..GuardSettings::default() };
        let shared = agent.elsewhere(Options { guard, ..Options::default() }).await;
        assert_eq!(teams(call(&shared, "list_activity", json!({}), &token("a")).await), all);
    }
}
