//! The guard, attacked: whatever a client, a model or a broken store does, nothing happens without a person's yes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rmcp::model::{CallToolRequestParams, CallToolResponse, InputResponses};
use rolecall::{
    domain::Timestamp,
    guard::{Answer, Caller, Fallback, Given, GuardSettings, Ticket, Verdict},
    server::Patience,
    store::{Db, Pools},
};
use sqlx::AssertSqlSafe;

use crate::support::{Agent, Era, Options, Person, Store, Value, dump, json, params};

/// An organization with a project, on an agent whose person agrees.
async fn prepared(options: Options) -> Agent {
    let agent = Agent::on(&Store::sqlite(), options).await;
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    agent.ok("create_project", json!({ "name": "Borealis" })).await;
    agent.questions();
    agent
}

fn delete_atlas() -> Value {
    json!({ "project": "Atlas" })
}

/// The question's sealed state, from a call that was made once.
async fn asked(agent: &Agent, tool: &str, arguments: Value) -> String {
    match agent.call_once(params(tool, arguments)).await.unwrap() {
        CallToolResponse::InputRequired(it) => it.request_state.unwrap(),
        other => panic!("no question: {other:?}"),
    }
}

fn answered(tool: &str, arguments: Value, state: &str, content: impl Into<Value>) -> CallToolRequestParams {
    let answers: InputResponses = BTreeMap::from([("confirm".to_owned(), json!({ "action": "accept", "content": content.into() }))]);
    let mut call = params(tool, arguments);
    call.request_state = Some(state.to_owned());
    call.input_responses = Some(answers);
    call
}

/// The structured content of an answer that is complete, or the protocol error.
async fn outcome(agent: &Agent, call: CallToolRequestParams) -> Value {
    match agent.call_once(call).await {
        Ok(CallToolResponse::Complete(result)) => result.structured_content.unwrap(),
        Ok(CallToolResponse::InputRequired(it)) => json!({ "asked_again": it.request_state.is_some() }),
        Ok(other) => panic!("{other:?}"),
        Err(rmcp::ServiceError::McpError(error)) => json!({ "protocol_error": error.code.0 }),
        Err(error) => panic!("{error}"),
    }
}

async fn sql(db: &Db, text: &str) {
    match db.pools().await.unwrap() {
        Pools::Sqlite { writer, .. } => sqlx::query(AssertSqlSafe(text)).execute(writer).await.map(|_| ()).unwrap(),
        Pools::Postgres(pool) => sqlx::query(AssertSqlSafe(text)).execute(pool).await.map(|_| ()).unwrap(),
    }
}

fn caller(principal: &str, can_ask: bool) -> Caller {
    Caller { principal: principal.to_owned(), client: "attack".to_owned(), can_ask }
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    if let Value::Object(fields) = value { fields } else { panic!("{value} is no object") }
}

#[tokio::test]
async fn consent_depends_on_the_answer_in_both_eras_and_never_on_the_call() {
    let expectations = [
        (Person::Agrees, None),
        (Person::Declines, Some("declined")),
        (Person::Cancels, Some("cancelled")),
        (Person::SendsNo, Some("wrong_confirmation")),
        (Person::TypesWrong, Some("wrong_confirmation")),
        (Person::SendsNothing, Some("wrong_confirmation")),
        (Person::NeverAnswers, Some("pending_approval")),
        (Person::Unreachable, Some("pending_approval")),
        (Person::UrlOnly, Some("pending_approval")),
    ];
    // A typed name (destroy, high), a yes (privileged access), and what needs neither (write, plain access).
    let calls = [
        ("delete_project", json!({ "project": "Atlas" }), true),
        ("create_api_key", json!({ "project": "Borealis", "name": "ci" }), true),
        ("update_project", json!({ "project": "Borealis", "description": "North" }), false),
        ("create_role", json!({ "name": "looker", "permissions": ["projects.read"] }), false),
        ("list_projects", json!({}), false),
    ];
    for era in [Era::Legacy, Era::Modern] {
        for (person, refusal) in expectations {
            for (tool, arguments, guarded) in calls.clone() {
                if person == Person::NeverAnswers && era == Era::Modern {
                    continue; // nobody waits on the server's side there
                }
                let home = prepared(Options::default()).await;
                let agent = home.with(era, person).await;
                let before = home.dump().await;
                let answer = agent.call(tool, arguments).await;
                let label = format!("{era:?} {person:?} {tool}: {answer}");
                match refusal.filter(|_| guarded) {
                    Some(code) => {
                        assert_eq!(answer["code"], code, "{label}");
                        assert_eq!(home.dump().await, before, "{label}");
                    }
                    None => assert!(answer.get("code").is_none(), "{label}"),
                }
                assert_eq!(agent.questions().is_empty(), !guarded || matches!(person, Person::Unreachable | Person::UrlOnly), "{label}");
            }
        }
    }
}

#[tokio::test]
async fn people_who_take_their_time_hold_up_nobody_else() {
    let agreeing = prepared(Options::default()).await;
    let patience = Patience { question: std::time::Duration::from_mins(1), ..Patience::default() };
    let slow = agreeing.elsewhere(Options { era: Era::Legacy, person: Person::NeverAnswers, patience, ..Options::default() }).await;
    // More than are worked on at once.
    let asking = futures_util::future::join_all((0..70).map(|_| slow.call("delete_project", delete_atlas())));
    let reading = async {
        let mut asked = 0;
        while asked < 70 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            asked += slow.questions().len();
        }
        slow.ok("list_projects", json!({})).await
    };
    tokio::select! {
        answers = asking => panic!("nobody answered: {answers:?}"),
        found = reading => assert_eq!(found["items"][0]["project"], "Atlas"),
        () = tokio::time::sleep(patience.question / 2) => panic!("a read waited for people"),
    }
}

#[tokio::test]
async fn a_consent_works_once() {
    let agent = prepared(Options::default()).await;
    let state = asked(&agent, "delete_project", delete_atlas()).await;
    let call = || answered("delete_project", delete_atlas(), &state, json!({ "name": "Atlas" }));
    assert_eq!(outcome(&agent, call()).await["status"], "done");
    // Made anew, so that the target is there to be deleted again.
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    let before = agent.dump().await;
    assert_eq!(outcome(&agent, call()).await["code"], "confirmation_rejected");
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn a_no_cannot_be_turned_into_a_yes() {
    let agent = prepared(Options::default()).await;
    let state = asked(&agent, "delete_project", delete_atlas()).await;
    let before = agent.dump().await;
    let mut no = answered("delete_project", delete_atlas(), &state, json!({}));
    no.input_responses = Some(BTreeMap::from([("confirm".to_owned(), json!({ "action": "decline" }))]));
    assert_eq!(outcome(&agent, no).await["code"], "declined");
    let yes = answered("delete_project", delete_atlas(), &state, json!({ "name": "Atlas" }));
    assert_eq!(outcome(&agent, yes).await["code"], "confirmation_rejected");
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn a_tampered_state_is_refused_wherever_it_was_touched() {
    let agent = prepared(Options::default()).await;
    let state = asked(&agent, "delete_project", delete_atlas()).await;
    let before = agent.dump().await;
    for at in (0..state.len()).step_by(7) {
        let mut bytes = state.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(bytes).unwrap();
        if tampered == state {
            continue;
        }
        let answer = outcome(&agent, answered("delete_project", delete_atlas(), &tampered, json!({ "name": "Atlas" }))).await;
        assert_eq!(answer["protocol_error"], -32602, "at {at}: {answer}");
    }
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn a_consent_for_one_call_is_none_for_another() {
    let agent = prepared(Options::default()).await;
    let state = asked(&agent, "delete_project", delete_atlas()).await;
    let before = agent.dump().await;
    let others = [
        ("delete_project", json!({ "project": "Borealis" })),
        ("archive_project", delete_atlas()),
        ("delete_organization", json!({ "organization": "Acme" })),
    ];
    for (tool, arguments) in others {
        for typed in ["Atlas", "Borealis", "Acme"] {
            let answer = outcome(&agent, answered(tool, arguments.clone(), &state, json!({ "name": typed }))).await;
            assert_eq!(answer["code"], "confirmation_rejected", "{tool} {arguments}: {answer}");
        }
    }
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn a_consent_of_one_caller_is_none_for_another() {
    let agent = prepared(Options::default()).await;
    let app = &agent.app;
    let Verdict::Ask(_, ticket) = app.call("delete_project", object(delete_atlas()), &caller("a", true), Given::Nothing).await.unwrap()
    else {
        panic!("no question")
    };
    let before = agent.dump().await;
    let yes = Answer::Accepted(json!({ "name": "Atlas" }));
    let error =
        app.call("delete_project", object(delete_atlas()), &caller("b", true), Given::Form(ticket.clone(), yes.clone())).await.unwrap_err();
    assert_eq!(error.code(), "confirmation_rejected");
    assert_eq!(agent.dump().await, before);
    // The rightful caller's consent was not used up by the attempt.
    let verdict = app.call("delete_project", object(delete_atlas()), &caller("a", true), Given::Form(ticket, yes)).await.unwrap();
    assert!(matches!(verdict, Verdict::Done(_)), "{verdict:?}");
}

#[tokio::test]
async fn an_expired_consent_is_refused() {
    let agent = prepared(Options::default()).await;
    let app = &agent.app;
    let me = caller("a", true);
    let Verdict::Ask(_, ticket) = app.call("delete_project", object(delete_atlas()), &me, Given::Nothing).await.unwrap() else {
        panic!("no question")
    };
    let before = agent.dump().await;
    let mut old = serde_json::to_value(ticket).unwrap();
    old["e"] = json!(Timestamp::now().0 - 1);
    let old: Ticket = serde_json::from_value(old).unwrap();
    let given = Given::Form(old, Answer::Accepted(json!({ "name": "Atlas" })));
    let error = app.call("delete_project", object(delete_atlas()), &me, given).await.unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn a_target_that_changed_is_asked_about_anew() {
    let agent = prepared(Options::default()).await;
    let state = asked(&agent, "delete_project", delete_atlas()).await;
    // One more key would stop working than the person was told.
    agent.ok("create_api_key", json!({ "project": "Atlas", "name": "late" })).await;
    let before = agent.dump().await;
    let answer = outcome(&agent, answered("delete_project", delete_atlas(), &state, json!({ "name": "Atlas" }))).await;
    assert_eq!(answer, json!({ "asked_again": true }));
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn an_answer_without_its_state_and_a_state_without_an_answer_are_nothing() {
    let agent = prepared(Options::default()).await;
    let state = asked(&agent, "delete_project", delete_atlas()).await;
    let before = agent.dump().await;
    let mut no_state = answered("delete_project", delete_atlas(), &state, json!({ "name": "Atlas" }));
    no_state.request_state = None;
    let mut no_answer = answered("delete_project", delete_atlas(), &state, json!({}));
    no_answer.input_responses = None;
    let mut garbage = no_answer.clone();
    garbage.input_responses = Some(BTreeMap::from([("confirm".to_owned(), json!("yes"))]));
    let mut other_name = no_answer.clone();
    other_name.input_responses =
        Some(BTreeMap::from([("other".to_owned(), json!({ "action": "accept", "content": { "name": "Atlas" } }))]));
    for call in [no_state, no_answer, garbage, other_name] {
        assert_eq!(outcome(&agent, call).await, json!({ "asked_again": true }));
    }
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn a_yes_is_read_strictly() {
    let agent = prepared(Options::default()).await;
    let before = agent.dump().await;
    for content in
        [json!({ "name": "atlas" }), json!({ "name": "" }), json!({ "name": true }), json!({ "confirm": true }), json!(null), json!([])]
    {
        let state = asked(&agent, "delete_project", delete_atlas()).await;
        let answer = outcome(&agent, answered("delete_project", delete_atlas(), &state, content.clone())).await;
        assert_eq!(answer["code"], "wrong_confirmation", "{content}: {answer}");
    }
    let key = json!({ "project": "Atlas", "name": "ci" });
    for content in [json!({ "confirm": "true" }), json!({ "confirm": 1 }), json!({ "confirm": "yes" }), json!({ "name": "ci" })] {
        let state = asked(&agent, "create_api_key", key.clone()).await;
        let answer = outcome(&agent, answered("create_api_key", key.clone(), &state, content.clone())).await;
        assert_eq!(answer["code"], "wrong_confirmation", "{content}: {answer}");
    }
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn a_model_cannot_confirm_by_arguments() {
    let agent = prepared(Options::default()).await.silent().await;
    let before = agent.dump().await;
    for extra in ["confirm", "confirmed", "force", "approval_id", "confirmation_token", "confirmation", "yes"] {
        let mut arguments = delete_atlas();
        arguments[extra] = json!(true);
        agent.fails("delete_project", arguments, "invalid_arguments").await;
    }
    assert_eq!(agent.dump().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_calls_that_race_with_one_consent_one_runs() {
    let agent = Arc::new(prepared(Options::default()).await);
    let state = asked(&agent, "create_api_key", json!({ "project": "Atlas", "name": "ci" })).await;
    let calls = (0..8).map(|_| {
        let (agent, state) = (Arc::clone(&agent), state.clone());
        tokio::spawn(async move {
            let call = answered("create_api_key", json!({ "project": "Atlas", "name": "ci" }), &state, json!({ "confirm": true }));
            outcome(&agent, call).await
        })
    });
    let mut done = 0;
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        if answer["status"] == "done" {
            done += 1;
        } else {
            assert!(
                ["confirmation_rejected", "name_taken", "key_name_taken"].contains(&answer["code"].as_str().unwrap_or_default()),
                "{answer}"
            );
        }
    }
    assert_eq!(done, 1);
}

#[tokio::test]
async fn without_a_ledger_nothing_is_sent() {
    let agent = prepared(Options::default()).await;
    sql(agent.db(), "CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'disk full'); END").await;
    let before = agent.dump().await;
    agent.fails("delete_project", delete_atlas(), "store_unavailable").await;
    agent.fails("update_project", json!({ "project": "Atlas", "description": "x" }), "store_unavailable").await;
    agent.fails("create_api_key", json!({ "project": "Atlas", "name": "ci" }), "store_unavailable").await;
    assert_eq!(agent.dump().await, before);
    let secrets = std::fs::read_dir(agent.store.secrets()).map(Iterator::count).unwrap_or_default();
    assert_eq!(secrets, 0, "no empty secret file stays behind");
    agent.ok("list_projects", json!({})).await;
}

/// What keeps outcomes out of the ledger.
const CUT: &str = "CREATE TRIGGER cut BEFORE INSERT ON ledger WHEN NEW.entry = 'outcome' BEGIN SELECT RAISE(ABORT, 'disk full'); END";

#[tokio::test]
async fn a_change_whose_outcome_is_not_recorded_in_time_is_told_as_such_and_recorded_later() {
    let agent = prepared(Options::default()).await;
    agent.app.records_within(Duration::from_millis(300));
    sql(agent.db(), CUT).await;
    let call = json!({ "project": "Atlas", "idempotency_key": "once" });
    let told = agent.fails("delete_project", call.clone(), "not_recorded").await;
    let call_id = told["call_id"].as_str().unwrap();
    assert!(!told.to_string().contains("nothing was changed"), "{told}");
    assert_eq!((&told["receipt"]["target"]["name"], &told["receipt"]["call_id"]), (&json!("Atlas"), &json!(call_id)), "{told}");
    let activity = agent.ok("list_activity", json!({ "tool": "delete_project" })).await;
    assert_eq!(activity["items"][0]["outcome"], "outcome_unknown", "{activity}");
    // The same call again finds out that it was made, and does not make it again.
    let again = agent.ok("delete_project", call).await;
    assert_eq!((again["replayed"].as_bool(), again["target"]["name"].as_str()), (Some(true), Some("Atlas")), "{again}");
    sql(agent.db(), "DROP TRIGGER cut").await;
    let mut tries = 0;
    let outcome = loop {
        let found = agent.db().read().await.unwrap().outcomes(&[call_id]).await.unwrap();
        if let Some(found) = found.first() {
            break found.body();
        }
        tries += 1;
        assert!(tries < 100, "it is never recorded");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((&outcome["outcome"], outcome["settled"].is_null()), (&json!("done"), true), "by who made it: {outcome}");
    assert_eq!(open_intents(agent.db()).await, [""; 0]);
}

#[tokio::test]
async fn a_change_of_the_directory_and_its_record_are_there_together_or_not_at_all() {
    let agent = prepared(Options::default()).await;
    let all = || async { (agent.dump().await, dump(agent.db(), &["ledger", "open_intents", "applied_calls"]).await) };
    sql(agent.db(), CUT).await;
    let before = all().await;
    agent.fails("update_project", json!({ "project": "Atlas", "description": "x" }), "store_unavailable").await;
    agent.fails("delete_project", delete_atlas(), "store_unavailable").await;
    assert_eq!(all().await, before, "neither the change nor its intent");
    sql(agent.db(), "DROP TRIGGER cut").await;
    let done = agent.ok("update_project", json!({ "project": "Atlas", "description": "x" })).await;
    let mut conn = agent.db().read().await.unwrap();
    let call_id = done["call_id"].as_str().unwrap();
    let rows = conn.texts("SELECT entry FROM ledger WHERE call_id = $1 ORDER BY seq", &[call_id.into()]).await.unwrap();
    assert_eq!(rows, ["intent", "outcome"]);
    assert_eq!(conn.verify_ledger().await.unwrap().broken, None);
    assert_eq!(open_intents(agent.db()).await, [""; 0]);
}

#[tokio::test]
async fn a_store_that_fails_for_a_moment_costs_a_moment() {
    let agent = prepared(Options::default()).await;
    sql(agent.db(), CUT).await;
    let mending = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        sql(agent.db(), "DROP TRIGGER cut").await;
    };
    // With a key its intent is recorded before, and its outcome after.
    let (done, ()) = tokio::join!(agent.ok("delete_project", json!({ "project": "Atlas", "idempotency_key": "once" })), mending);
    assert_eq!(done["status"], "done", "{done}");
    let activity = agent.ok("list_activity", json!({ "tool": "delete_project" })).await;
    assert_eq!(activity["items"][0]["outcome"], "done", "{activity}");
    // Rows of jobs as well.
    sql(agent.db(), "CREATE TRIGGER cut BEFORE UPDATE ON job_rows WHEN NEW.state = 'done' BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        .await;
    let steps = json!({ "steps": [{ "tool": "update_project", "arguments": { "project": "Borealis", "description": "cold" } }] });
    let (done, ()) = tokio::join!(agent.ok("apply_changes", steps), async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        sql(agent.db(), "DROP TRIGGER cut").await;
    });
    assert_eq!((&done["status"], &done["after"]["done"]), (&json!("done"), &json!(1)), "{done}");
    let activity = agent.ok("list_activity", json!({ "tool": "update_project" })).await;
    assert_eq!(activity["items"].as_array().map(Vec::len), Some(1), "made once, and settled by nobody: {activity}");
}

#[tokio::test]
async fn a_job_that_has_begun_and_cannot_be_told_about_is_not_said_to_have_changed_nothing() {
    let agent = prepared(Options::default()).await;
    // What stands there cannot be read any more, once the job is in the store.
    let spoil = "CREATE TRIGGER spoil AFTER INSERT ON ledger WHEN NEW.entry = 'intent' BEGIN UPDATE jobs SET created_at = 'spoilt'; END";
    sql(agent.db(), spoil).await;
    let steps = json!({ "steps": [{ "tool": "update_project", "arguments": { "project": "Atlas", "description": "warm" } }] });
    let told = agent.fails("apply_changes", steps, "outcome_unknown").await;
    assert!(told["call_id"].is_string() && !told.to_string().contains("nothing was changed"), "{told}");
    let job = agent.db().read().await.unwrap().texts("SELECT id FROM jobs", &[]).await.unwrap().remove(0);
    assert!(told["fix"].as_str().unwrap().contains(&job), "{told}");
}

/// The calls whose outcome is open.
async fn open_intents(db: &Db) -> Vec<String> {
    db.read().await.unwrap().texts("SELECT call_id FROM open_intents ORDER BY call_id", &[]).await.unwrap()
}

/// Calls of processes that died before they acted.
async fn dead(db: &Db, calls: &[(String, &str)]) {
    let mut tx = db.begin().await.unwrap();
    for (call, connection) in calls {
        let body = json!({ "tool": "delete_project", "connection": connection, "target": { "kind": "project", "name": "Borealis" } });
        tx.append(call, rolecall::store::EntryKind::Intent, &body).await.unwrap();
    }
    tx.commit().await.unwrap();
    sql(db, "UPDATE open_intents SET at = at - 600000").await;
}

#[tokio::test]
async fn calls_of_dead_processes_are_settled_in_the_background_and_none_stands_in_the_way_of_another() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        // More than are looked at in one round, on a connection that is not here; and one behind them that can be settled.
        let unsettled: Vec<_> = (0..150).map(|it| (format!("call_a{it:03}"), "elsewhere")).collect();
        dead(agent.db(), &unsettled).await;
        dead(agent.db(), &[("call_z".to_owned(), "local")]).await;
        let ledger = || async { dump(agent.db(), &["ledger", "open_intents"]).await };
        let before = ledger().await;
        let activity = agent.ok("list_activity", json!({ "tool": "delete_project" })).await;
        assert_eq!(activity["items"][0]["outcome"], "outcome_unknown", "{activity}");
        assert_eq!(ledger().await, before, "a read writes nothing");
        for _ in 0..2 {
            agent.app.jobs().settle_open().await.unwrap();
        }
        let activity = agent.ok("list_activity", json!({ "tool": "delete_project", "limit": 1 })).await;
        let told = &activity["items"][0];
        assert_eq!((&told["call_id"], &told["outcome"]), (&json!("call_z"), &json!("failed")), "{activity}");
        assert_eq!(open_intents(agent.db()).await.len(), 150, "the others stay open");
        // What is young may be under way, and what a running job has begun is for the job to find out.
        let mut tx = agent.db().recording().begin().await.unwrap();
        let body = json!({ "tool": "delete_project", "connection": "local" });
        tx.append("call_young", rolecall::store::EntryKind::Intent, &body).await.unwrap();
        tx.commit().await.unwrap();
        agent.app.jobs().settle_open().await.unwrap();
        assert!(open_intents(agent.db()).await.contains(&"call_young".to_owned()));
        let found = agent.ok("list_activity", json!({ "since": "2099-01-01" })).await;
        assert_eq!(found["items"], json!([]));
        let all = agent.ok("list_activity", json!({ "since": "2020-01-01", "limit": 100, "outcome": "failed" })).await;
        assert_eq!(all["items"].as_array().map(Vec::len), Some(1), "{all}");
    }
}

#[tokio::test]
async fn a_store_from_before_knows_its_open_calls() {
    for store in Store::each().await {
        let db = Db::open(&store.url).await.unwrap();
        dead(&db, &[("call_dead".to_owned(), "local"), ("call_done".to_owned(), "local")]).await;
        let mut tx = db.begin().await.unwrap();
        tx.append("call_done", rolecall::store::EntryKind::Outcome, &json!({ "outcome": "done" })).await.unwrap();
        tx.commit().await.unwrap();
        for undo in ["DROP TABLE open_intents", "DROP INDEX ledger_at", "DELETE FROM _sqlx_migrations WHERE version = 4"] {
            sql(&db, undo).await;
        }
        db.close().await;
        let db = Db::open(&store.url).await.unwrap();
        assert_eq!(open_intents(&db).await, ["call_dead"]);
    }
}

#[tokio::test]
async fn calls_are_found_by_what_they_were_and_whom_they_name() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        for name in ["Atlas", "Borealis"] {
            agent.ok("create_project", json!({ "name": name })).await;
        }
        agent.refusing().await.call("delete_project", json!({ "project": "Atlas" })).await;
        let user = json!({ "email": "ana@acme.example", "name": "Ana", "organization": "Acme" });
        agent.ok("create_user", user).await;
        let found = async |asked: Value| {
            let listed = agent.ok("list_activity", asked).await;
            let tools = listed["items"].as_array().unwrap().iter().map(|it| it["tool"].as_str().unwrap().to_owned());
            tools.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(json!({ "member": "ANA@acme.example" })).await, "create_user");
        assert_eq!(found(json!({ "member": "bo@acme.example" })).await, "");
        assert_eq!(found(json!({ "outcome": "refused" })).await, "delete_project");
        assert_eq!(found(json!({ "tool": "create_project", "outcome": "done" })).await, "create_project create_project");
        assert_eq!(found(json!({ "tool": "create_project", "outcome": "failed" })).await, "");
        // A clock that is set back leaves earlier times behind later ones.
        sql(agent.db(), "UPDATE calls SET at = 1000, latest = 9000000000000 WHERE tool = 'create_user'").await;
        assert_eq!(found(json!({ "since": "2020-01-01", "tool": "create_user" })).await, "");
        // What a call was is read from the ledger: an index that lies shows nothing that was not.
        sql(agent.db(), "UPDATE calls SET outcome = 'failed' WHERE tool = 'create_project'").await;
        assert_eq!(found(json!({ "outcome": "failed" })).await, "");
    }
}

#[tokio::test]
async fn a_ledger_from_before_is_found_by_the_same() {
    for store in Store::each().await {
        let db = Db::open(&store.url).await.unwrap();
        dead(&db, &[("call_dead".to_owned(), "local"), ("call_done".to_owned(), "local")]).await;
        let mut tx = db.begin().await.unwrap();
        tx.append("call_done", rolecall::store::EntryKind::Outcome, &json!({ "outcome": "done" })).await.unwrap();
        tx.commit().await.unwrap();
        let seen = async |db: &Db| {
            let mut conn = db.read().await.unwrap();
            let calls = "SELECT call_id || ' ' || tool || ' ' || outcome || ' ' || (latest - at) FROM calls ORDER BY seq";
            let words = "SELECT word || ' ' || seq FROM call_words ORDER BY 1";
            [conn.texts(calls, &[]).await.unwrap(), conn.texts(words, &[]).await.unwrap()]
        };
        let kept = seen(&db).await;
        assert!(kept[0][0].ends_with(" outcome_unknown 0") && kept[0][1].ends_with(" done 0"), "{kept:?}");
        let triggers: &[&str] = if db.kind() == "sqlite" {
            &["DROP TRIGGER ledger_call", "DROP TRIGGER ledger_outcome", "DROP TRIGGER ledger_gone"]
        } else {
            &["DROP FUNCTION ledger_kept CASCADE", "DROP FUNCTION ledger_json", "DROP FUNCTION ledger_words"]
        };
        for undo in
            triggers.iter().chain(&["DROP TABLE calls", "DROP TABLE call_words", "DELETE FROM _sqlx_migrations WHERE version IN (9, 10)"])
        {
            sql(&db, undo).await;
        }
        db.close().await;
        let db = Db::open(&store.url).await.unwrap();
        assert_eq!(seen(&db).await, kept);
    }
}

#[tokio::test]
async fn a_changed_ledger_is_found_out() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        agent.ok("delete_project", json!({ "project": "Atlas" })).await;
        let whole = agent.db().read().await.unwrap().verify_ledger().await.unwrap();
        assert_eq!((whole.broken, whole.rows >= 6), (None, true));
        for (change, row) in [
            ("UPDATE ledger SET body = '{}' WHERE seq = 3", 3),
            ("UPDATE ledger SET at = at + 1 WHERE seq = 2", 2),
            ("DELETE FROM ledger WHERE seq = 1", 2),
        ] {
            sql(agent.db(), change).await;
            let found = agent.db().read().await.unwrap().verify_ledger().await.unwrap();
            assert_eq!(found.broken.map(|it| it.0), Some(row), "{change}");
        }
    }
}

#[tokio::test]
async fn a_pending_approval_is_settled_by_a_person_in_another_process_and_runs_once() {
    for home in Agent::each().await {
        home.ok("create_organization", json!({ "name": "Acme" })).await;
        home.ok("create_project", json!({ "name": "Atlas" })).await;
        let agent = home.silent().await;
        let before = home.dump().await;
        let pending = agent.fails("delete_project", delete_atlas(), "pending_approval").await;
        let id = pending["approval_id"].as_str().unwrap().to_owned();
        assert!(pending["fix"].as_str().unwrap().contains(&format!("rolecall approve {id}")), "{pending}");
        // Asking again makes no second one.
        assert_eq!(agent.fails("delete_project", delete_atlas(), "pending_approval").await["approval_id"], id.as_str());
        assert_eq!(home.dump().await, before);

        let other = home.elsewhere(Options { person: Person::Unreachable, ..Options::default() }).await;
        let now = Timestamp::now();
        let mut tx = other.db().recording().begin().await.unwrap();
        assert_eq!(tx.approve(&id, "ana", now, now.plus_seconds(300)).await.unwrap(), Some(0));
        tx.commit().await.unwrap();

        // It is for this caller and this call only.
        let stranger = caller("someone else", false);
        let error = agent.app.call("delete_project", object(delete_atlas()), &stranger, Given::Nothing).await.unwrap_err();
        assert_eq!(error.code(), "pending_approval");
        agent.fails("archive_project", delete_atlas(), "pending_approval").await;

        let done = agent.ok("delete_project", delete_atlas()).await;
        assert_eq!(done["status"], "done");
        let activity = agent.ok("list_activity", json!({ "tool": "delete_project", "outcome": "done" })).await;
        assert_eq!(activity["items"][0]["consent"], "approval", "{activity}");
        home.ok("create_project", json!({ "name": "Atlas" })).await;
        agent.fails("delete_project", delete_atlas(), "pending_approval").await;
    }
}

#[tokio::test]
async fn a_refused_expired_or_outdated_approval_does_nothing() {
    let home = prepared(Options::default()).await;
    let agent = home.silent().await;
    let now = Timestamp::now();
    let approve = async |id: &str| {
        let mut tx = home.db().recording().begin().await.unwrap();
        let answer = tx.approve(id, "ana", now, now.plus_seconds(300)).await.unwrap();
        tx.commit().await.unwrap();
        answer
    };
    // Refused.
    let id = agent.fails("delete_project", delete_atlas(), "pending_approval").await["approval_id"].as_str().unwrap().to_owned();
    let mut tx = home.db().recording().begin().await.unwrap();
    assert!(tx.refuse(&id, now, None).await.unwrap());
    tx.commit().await.unwrap();
    agent.fails("delete_project", delete_atlas(), "refused").await;
    assert_eq!(approve(&id).await, None, "a refusal cannot be approved");
    // Expired before anybody looked.
    let borealis = json!({ "project": "Borealis" });
    let id = agent.fails("delete_project", borealis.clone(), "pending_approval").await["approval_id"].as_str().unwrap().to_owned();
    sql(home.db(), &format!("UPDATE approvals SET expires_at = 1 WHERE id = '{id}'")).await;
    assert_eq!(approve(&id).await, None);
    let anew = agent.fails("delete_project", borealis.clone(), "pending_approval").await;
    assert_ne!(anew["approval_id"], id.as_str());
    // Approved, and then the target changed.
    let id = anew["approval_id"].as_str().unwrap().to_owned();
    assert_eq!(approve(&id).await, Some(0));
    home.ok("create_api_key", json!({ "project": "Borealis", "name": "late" })).await;
    let changed = agent.fails("delete_project", borealis, "pending_approval").await;
    assert_ne!(changed["approval_id"], id.as_str());
    let projects = home.ok("list_projects", json!({})).await;
    assert_eq!(projects["total"], 2, "{projects}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_calls_that_race_for_one_approval_one_runs() {
    for home in Agent::each().await {
        home.ok("create_organization", json!({ "name": "Acme" })).await;
        home.ok("create_project", json!({ "name": "Atlas" })).await;
        let key = json!({ "project": "Atlas", "name": "ci" });
        let agent = home.silent().await;
        let id = agent.fails("create_api_key", key.clone(), "pending_approval").await["approval_id"].as_str().unwrap().to_owned();
        let now = Timestamp::now();
        let mut tx = home.db().recording().begin().await.unwrap();
        tx.approve(&id, "ana", now, now.plus_seconds(300)).await.unwrap();
        tx.commit().await.unwrap();
        let racers: Vec<_> = {
            let mut agents = Vec::new();
            for _ in 0..12 {
                agents.push(Arc::new(home.elsewhere(Options { person: Person::Unreachable, ..Options::default() }).await));
            }
            agents
                .into_iter()
                .map(|it| {
                    let key = key.clone();
                    tokio::spawn(async move { it.call("create_api_key", key).await })
                })
                .collect()
        };
        let mut answers = Vec::new();
        for racer in racers {
            answers.push(racer.await.unwrap());
        }
        assert_eq!(answers.iter().filter(|it| it["status"] == "done").count(), 1, "{answers:?}");
        let approvals = home.db().read().await.unwrap().number("SELECT COUNT(*) FROM approvals", &[]).await.unwrap();
        assert_eq!(approvals, 1, "no new one is left behind: {answers:?}");
        let keys = home.ok("list_api_keys", json!({ "project": "Atlas" })).await;
        assert_eq!(keys["total"], 1, "{keys}");
    }
}

#[tokio::test]
async fn the_two_step_token_is_bound_and_works_once_and_not_for_the_gravest() {
    let guard = GuardSettings { fallback: Fallback::Token, second_person: false, ..GuardSettings::default() };
    let home = prepared(Options { guard, ..Options::default() }).await;
    let agent = home.silent().await;
    let before = home.dump().await;
    let first = agent.ok("delete_project", delete_atlas()).await;
    assert_eq!(first["status"], "confirmation_required", "{first}");
    assert_eq!(home.dump().await, before);
    let token = first["confirmation_token"].as_str().unwrap();
    let with = |mut arguments: Value, token: &str| {
        arguments["confirmation_token"] = json!(token);
        arguments
    };
    agent.fails("delete_project", with(json!({ "project": "Borealis" }), token), "confirmation_rejected").await;
    agent.fails("delete_project", with(delete_atlas(), "made-up"), "confirmation_rejected").await;
    // A client that can ask has to ask: its token counts for nothing.
    home.fails("delete_project", with(delete_atlas(), token), "confirmation_rejected").await;
    // The state of a form is no token, nor the other way round.
    let state = asked(&home, "delete_project", delete_atlas()).await;
    agent.fails("delete_project", with(delete_atlas(), &state), "confirmation_rejected").await;
    let crossed = outcome(&home, answered("delete_project", delete_atlas(), token, json!({ "name": "Atlas" }))).await;
    assert_eq!(crossed["protocol_error"], -32602, "{crossed}");
    assert_eq!(home.dump().await, before);
    assert_eq!(agent.ok("delete_project", with(delete_atlas(), token)).await["status"], "done");
    home.ok("create_project", json!({ "name": "Atlas" })).await;
    agent.fails("delete_project", with(delete_atlas(), token), "confirmation_rejected").await;
    agent.fails("delete_organization", json!({ "organization": "Acme" }), "pending_approval").await;
}

#[tokio::test]
async fn where_the_operator_says_so_who_cannot_ask_is_refused() {
    let guard = GuardSettings { fallback: Fallback::Refuse, second_person: false, ..GuardSettings::default() };
    let home = prepared(Options { guard, ..Options::default() }).await;
    let before = home.dump().await;
    for era in [Era::Legacy, Era::Modern] {
        let agent = home.with(era, Person::Unreachable).await;
        agent.fails("delete_project", delete_atlas(), "cannot_ask").await;
        agent.fails("delete_project", delete_atlas(), "cannot_ask").await;
    }
    assert_eq!(home.dump().await, before);
}

#[tokio::test]
async fn the_gravest_changes_take_a_second_person_where_the_operator_asks_for_one() {
    let guard = GuardSettings { fallback: Fallback::Approve, second_person: true, ..GuardSettings::default() };
    let home = prepared(Options { guard, ..Options::default() }).await;
    home.ok("create_organization", json!({ "name": "Beta" })).await;
    home.questions();
    let silent = home.silent().await;
    // The person in front of a client may be the one who approves later, and so is not asked: two others are.
    for (agent, name) in [(&home, "Acme"), (&silent, "Beta")] {
        let gone = json!({ "organization": name });
        let id = agent.fails("delete_organization", gone.clone(), "pending_approval").await["approval_id"].as_str().unwrap().to_owned();
        for (person, missing) in [("ana", 1), ("ana", 1), ("bo", 0)] {
            agent.fails("delete_organization", gone.clone(), "pending_approval").await;
            let mut tx = home.db().recording().begin().await.unwrap();
            let now = Timestamp::now();
            assert_eq!(tx.approve(&id, person, now, now.plus_seconds(300)).await.unwrap(), Some(missing));
            tx.commit().await.unwrap();
        }
        agent.ok("delete_organization", gone).await;
    }
    assert!(home.questions().is_empty());
}

#[tokio::test]
async fn a_preview_changes_nothing_and_tells_what_would_happen() {
    let agent = prepared(Options::default()).await;
    agent.ok("create_api_key", json!({ "project": "Atlas", "name": "ci" })).await;
    let before = dump(agent.db(), &["projects", "api_keys", "ledger", "approvals", "burnt_consents", "repeatable_calls"]).await;
    agent.questions();
    let preview = agent.ok("delete_project", json!({ "project": "Atlas", "dry_run": true, "idempotency_key": "k" })).await;
    assert_eq!((preview["status"].as_str(), preview["needs_consent"].as_bool()), (Some("dry_run"), Some(true)), "{preview}");
    let losses = json!([
        { "count": 1, "what": "project ends", "examples": ["Atlas"] },
        { "count": 1, "what": "key stops working", "examples": ["ci"] },
    ]);
    assert_eq!(preview["impact"]["losses"], losses, "{preview}");
    assert!(agent.questions().is_empty());
    let after = dump(agent.db(), &["projects", "api_keys", "ledger", "approvals", "burnt_consents", "repeatable_calls"]).await;
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_call_with_a_key_is_made_once_and_its_result_is_kept() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        let call = json!({ "name": "Atlas", "idempotency_key": "k1" });
        let first = agent.ok("create_project", call.clone()).await;
        let second = agent.ok("create_project", call).await;
        assert_eq!(second["replayed"], true, "{second}");
        assert_eq!(second["after"]["id"], first["after"]["id"], "{second}");
        agent.fails("create_project", json!({ "name": "Borealis", "idempotency_key": "k1" }), "idempotency_key_reused").await;
        agent.fails("delete_project", json!({ "project": "Atlas", "idempotency_key": "k1" }), "idempotency_key_reused").await;
        // A call that failed has used nothing up.
        agent.fails("create_project", json!({ "name": "Atlas", "idempotency_key": "k2" }), "name_taken").await;
        agent.ok("create_project", json!({ "name": "Chinook", "idempotency_key": "k2" })).await;
        assert_eq!(agent.ok("list_projects", json!({})).await["total"], 2);
    }
}

#[tokio::test]
async fn a_new_secret_goes_to_its_file_and_nowhere_else() {
    let agent = prepared(Options::default()).await;
    let call = params("create_api_key", json!({ "project": "Atlas", "name": "ci", "idempotency_key": "k" }));
    let result = agent.client.call_tool(call).await.unwrap();
    let answer = serde_json::to_string(&result).unwrap();
    let path = result.structured_content.unwrap()["secret"]["handed_to"].as_str().unwrap().to_owned();
    let secret = std::fs::read_to_string(&path).unwrap().trim().to_owned();
    assert!(secret.len() > 20, "a secret was written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(agent.store.secrets()).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let tables = ["ledger", "repeatable_calls", "approvals", "api_keys"];
    let stored = format!("{:?}", dump(agent.db(), &tables).await);
    let activity = agent.ok("list_activity", json!({})).await.to_string();
    let keys = agent.ok("list_api_keys", json!({ "project": "Atlas" })).await.to_string();
    for (place, text) in [("the answer", answer), ("the store", stored), ("the activity", activity), ("the list", keys)] {
        assert!(!text.contains(&secret), "the secret is in {place}");
    }
}

#[tokio::test]
async fn what_outsiders_typed_cannot_dress_up_a_question() {
    let agent = prepared(Options::default()).await;
    let name = "Harmless\u{202e}\u{200b} (connection local)? Nothing is lost. To confirm, press enter";
    agent.ok("create_project", json!({ "name": name })).await;
    let list = agent.ok("list_projects", json!({ "query": "harmless" })).await;
    let shown = list["items"][0]["project"].as_str().unwrap().to_owned();
    assert!(!shown.contains('\u{202e}') && !shown.contains('\u{200b}'), "{shown:?}");
    agent.ok("delete_project", json!({ "project": shown })).await;
    let question = agent.questions().remove(0);
    assert!(question.starts_with("Delete project: project Harmless"), "{question}");
    assert!(question.lines().last().unwrap().starts_with("To confirm, type: Harmless"), "{question}");
}

#[tokio::test]
async fn a_name_that_comes_to_mean_another_project_is_asked_about_anew() {
    let agent = prepared(Options::default()).await;
    let key = json!({ "project": "Atlas", "name": "ci" });
    let state = asked(&agent, "create_api_key", key.clone()).await;
    agent.ok("update_project", json!({ "project": "Atlas", "name": "Sandbox", "slug": "sandbox" })).await;
    agent.ok("update_project", json!({ "project": "Borealis", "name": "Atlas", "slug": "atlas" })).await;
    let before = agent.dump().await;
    let answer = outcome(&agent, answered("create_api_key", key, &state, json!({ "confirm": true }))).await;
    assert_eq!(answer, json!({ "asked_again": true }));
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn every_change_in_a_project_says_which_project() {
    let agent = prepared(Options::default()).await;
    let id = agent.ok("get_project", json!({ "project": "Atlas" })).await["id"].as_str().unwrap().to_owned();
    let calls = [
        ("create_api_key", json!({ "project": "Atlas", "name": "ci" })),
        ("create_service_account", json!({ "project": "Atlas", "name": "bot" })),
        ("create_role", json!({ "project": "Atlas", "name": "looker", "permissions": ["project.*"] })),
        ("invite_organization_member", json!({ "email": "li@other.example", "role": "owner", "projects": ["Atlas"] })),
        ("update_rate_limit", json!({ "project": "Atlas", "model": "gpt-5", "max_requests_per_1_minute": 0 })),
        ("archive_project", json!({ "project": "Atlas" })),
    ];
    for (tool, mut call) in calls {
        call["dry_run"] = json!(true);
        let question = agent.ok(tool, call).await["question"].as_str().unwrap().to_owned();
        assert!(question.contains(&id), "{tool}: {question}");
    }
}

#[tokio::test]
async fn nothing_that_is_agreed_to_stands_behind_a_cut() {
    let agent = prepared(Options::default()).await;
    let known = agent.ok("list_permissions", json!({ "limit": 100 })).await;
    let all: Vec<&str> = known["items"].as_array().unwrap().iter().map(|it| it["permission"].as_str().unwrap()).collect();
    let preview = agent.ok("create_role", json!({ "name": "quiet", "permissions": all, "dry_run": true })).await;
    let question = preview["question"].as_str().unwrap();
    for permission in all {
        assert!(question.contains(permission), "{permission} is not in {question}");
    }
}
