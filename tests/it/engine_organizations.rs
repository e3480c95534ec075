//! Organizations at the Engine.

use rolecall_sandbox::{
    Fault, Platform as _, Seed,
    engine::{Engine, Gateway, Quirks},
};

use crate::{
    support::{Options, Person, Value, json},
    support_engine::{Stage, without_call_id},
};

const FULL: &str = "2023-11-14T22:13:20Z";

fn fault(text: &str) -> Vec<Fault> {
    vec![text.parse().unwrap()]
}

#[tokio::test]
async fn organizations_are_listed_and_read_in_either_spelling() {
    let listed = json!({
        "items": [
            { "organization": "Acme Labs", "id": "o-3" },
            { "organization": "Acme Research", "id": "o-2" },
            { "organization": "Northwind Analytics", "id": "o-1" },
        ],
        "shown": 3, "has_more": false, "total": 3, "connection": "lab",
    });
    let read = json!({
        "organization": "Acme Research", "id": "o-2", "description": "Models that Acme's departments ask for", "created_at": FULL,
        "connection": "lab",
    });
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        assert_eq!(stage.agent.ok("list_organizations", json!({})).await, listed);
        assert_eq!(stage.asked(), ["GET orgs"]);
        assert_eq!(stage.agent.ok("get_organization", json!({ "organization": "acme research" })).await, read);
        assert_eq!(stage.asked(), ["GET orgs", "GET orgs/o-2"]);
        let some = stage.agent.ok("list_organizations", json!({ "query": "acme", "limit": 1 })).await;
        assert_eq!((&some["items"][0]["id"], &some["total"], &some["has_more"]), (&json!("o-3"), &json!(2), &json!(true)));
        let rest = stage.agent.ok("list_organizations", json!({ "query": "acme", "limit": 1, "cursor": some["next_cursor"] })).await;
        assert_eq!((&rest["items"][0]["id"], &rest["has_more"]), (&json!("o-2"), &json!(false)));
    }
}

#[tokio::test]
async fn an_organization_is_created_and_then_has_an_id() {
    let stage = Stage::new().await;
    let made = stage.agent.ok("create_organization", json!({ "name": "Acme Pilots", "description": "Trials" })).await;
    let body = json!({ "name": "Acme Pilots", "description": "Trials", "logo_url": "" });
    assert_eq!(stage.sent(), [("POST orgs".to_owned(), body)]);
    let id = made["after"]["id"].as_str().unwrap();
    assert_eq!(
        without_call_id(made.clone()),
        json!({
            "status": "done",
            "target": { "kind": "organization", "name": "Acme Pilots", "id": id, "organization": "Acme Pilots" },
            "after": { "organization": "Acme Pilots", "id": id, "description": "Trials", "created_at": "2023-11-14T22:14:20Z" },
            "undo": "delete_organization", "connection": "lab",
        })
    );
}

#[tokio::test]
async fn an_update_keeps_what_it_does_not_name() {
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        let logo = "https://static.engine.example/o-2.png";
        let changed = stage.agent.ok("update_organization", json!({ "organization": "o-2", "name": "Acme Science" })).await;
        let description = "Models that Acme's departments ask for";
        let sent = stage.sent();
        assert_eq!(sent, [("PUT orgs/o-2".to_owned(), json!({ "name": "Acme Science", "description": description, "logo_url": logo }))]);
        assert_eq!(
            without_call_id(changed),
            json!({
                "status": "done",
                "target": { "kind": "organization", "name": "Acme Research", "id": "o-2", "organization": "Acme Research" },
                "before": { "organization": "Acme Research", "id": "o-2", "description": description, "created_at": FULL },
                "after": { "organization": "Acme Science", "id": "o-2", "description": description, "created_at": FULL },
                "undo": "update_organization with the values in `before`", "connection": "lab",
            })
        );
        stage.agent.ok("update_organization", json!({ "organization": "o-2", "description": "Science" })).await;
        stage.agent.ok("update_organization", json!({ "organization": "o-2", "clear": ["description"] })).await;
        let bodies: Vec<Value> = stage.sent().into_iter().map(|it| it.1).collect();
        let set = json!({ "name": "Acme Science", "description": "Science", "logo_url": logo });
        let emptied = json!({ "name": "Acme Science", "description": "", "logo_url": logo });
        assert_eq!(bodies, [set, emptied]);
    }
}

#[tokio::test]
async fn an_update_that_means_nothing_is_refused() {
    let stage = Stage::new().await;
    for arguments in [
        json!({ "organization": "o-2" }),
        json!({ "organization": "o-2", "description": "x", "clear": ["description"] }),
        json!({ "organization": "o-2", "clear": ["website"] }),
    ] {
        stage.refuses("update_organization", arguments, "invalid_arguments").await;
    }
    let none = stage.refuses("update_organization", json!({ "organization": "Acme Reserch", "name": "x" }), "organization_not_found").await;
    assert_eq!(none["fix"], "did you mean `Acme Research` or `Acme Labs`? list_organizations has all of them");
    // Somebody else's: the service decides, and its words are passed on without the stack that comes with them.
    let answer = stage.agent.fails("update_organization", json!({ "organization": "o-3", "name": "Mine" }), "forbidden").await;
    assert_eq!(answer["message"], "organization owner required (PERMISSION_DENIED)");
    assert!(!answer.to_string().contains("engine-test-"), "{answer}");
}

#[tokio::test]
async fn a_deletion_is_told_whole_and_made_after_a_typed_name() {
    let stage = Stage::new().await;
    let preview = stage.agent.ok("delete_organization", json!({ "organization": "Acme Research", "dry_run": true })).await;
    assert_eq!(
        preview["impact"],
        json!({
            "gravity": "critical",
            "losses": [
                { "count": 1, "what": "organization ends", "examples": ["Acme Research"] },
                { "count": 3, "what": "projects end", "examples": ["Churn forecast", "Demand planning", "Invoice matching"] },
                { "count": 6, "what": "people lose access to the organization", "examples": [
                    "Tomas.Quiroga@acme.example", "ada@northwind.example", "ana.ruiz@acme.example", "helena.brandt@acme.example",
                    "jonas.weber+engine@acme.example",
                ] },
                { "count": 1, "what": "person loses access", "examples": ["lena@studio-vogel.example"] },
            ],
            "notes": ["people keep their accounts"],
        })
    );
    assert_eq!(stage.sent(), []);
    let gone = stage.agent.ok("delete_organization", json!({ "organization": "Acme Research" })).await;
    assert_eq!((&gone["status"], &gone["before"]["id"], gone.get("after")), (&json!("done"), &json!("o-2"), None));
    assert_eq!(stage.sent(), [("DELETE orgs/o-2".to_owned(), Value::Null)]);
    assert!(stage.agent.questions().pop().unwrap().ends_with("To confirm, type: Acme Research"));
}

#[tokio::test]
async fn a_subscribed_organization_stays() {
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        let before = stage.state();
        let answer = stage.agent.fails("delete_organization", json!({ "organization": "o-1" }), "failed_precondition").await;
        assert_eq!(
            answer,
            json!({
                "code": "failed_precondition",
                "message": "organization has an active subscription (ACTIVE_SUBSCRIPTION)",
                "fix": "resolve the obstacle first; a subscription is ended in the service's web application",
                "retryable": false,
            })
        );
        assert_eq!(stage.state(), before);
        let question = stage.agent.questions().pop().unwrap();
        assert!(question.contains("names subscription s-1: while that is active, the service refuses"), "{question}");
    }
}

#[tokio::test]
async fn a_declined_deletion_sends_nothing() {
    let options = Options { person: Person::Declines, ..Options::default() };
    let stage = Stage::at(Engine::seeded(Seed::Acme), |_| {}, options).await;
    stage.refuses("delete_organization", json!({ "organization": "o-2" }), "declined").await;
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking() {
    let stage = Stage::new().await;
    stage.sandbox.set_faults(fault("drop:1@POST /orgs*1"));
    let made = stage.agent.ok("create_organization", json!({ "name": "Acme Pilots" })).await;
    assert_eq!(stage.sent().len(), 1);
    let id = made["after"]["id"].clone();
    stage.sandbox.set_faults(fault("503-after:1@PUT*1"));
    let changed = stage.agent.ok("update_organization", json!({ "organization": id, "name": "Acme Trials" })).await;
    assert_eq!(changed["after"]["organization"], "Acme Trials");
    stage.sandbox.set_faults(fault("drop:1@DELETE*1"));
    stage.agent.ok("delete_organization", json!({ "organization": id })).await;
    assert_eq!(stage.sent().len(), 2);

    // Nothing came of this one, and that is said.
    stage.sandbox.set_faults(fault("drop-before:1@POST /orgs*1"));
    let before = stage.state();
    let answer = stage.agent.fails("create_organization", json!({ "name": "Acme Pilots" }), "not_applied").await;
    assert_eq!(answer["retryable"], true);
    assert_eq!(stage.state(), before);
}

#[tokio::test]
async fn a_connection_is_kept_to_its_organization() {
    let stage = Stage::with(Quirks::default(), |it| it.remote.pin = Some("acme research".into())).await;
    let listed = stage.agent.ok("list_organizations", json!({})).await;
    assert_eq!((&listed["items"][0]["id"], &listed["total"]), (&json!("o-2"), &json!(1)));
    assert_eq!(stage.agent.ok("list_projects", json!({})).await["total"], 3);
    stage.agent.fails("get_organization", json!({ "organization": "o-1" }), "outside_connection").await;
    stage.refuses("create_organization", json!({ "name": "Another" }), "outside_connection").await;
    stage.refuses("delete_organization", json!({ "organization": "Northwind Analytics" }), "outside_connection").await;
    stage.refuses("create_project", json!({ "name": "Routing", "organization": "o-1" }), "outside_connection").await;
    stage.refuses("delete_project", json!({ "project": "p-1" }), "project_not_found").await;
    stage.refuses("update_organization", json!({ "organization": "o-2", "name": "Acme Science" }), "pinned_name").await;
    // Without a name it is the one that is meant.
    stage.agent.ok("create_project", json!({ "name": "Routing" })).await;
    assert_eq!(stage.sent(), [("POST projects".to_owned(), json!({ "name": "Routing", "description": "", "org_id": "o-2" }))]);
}
