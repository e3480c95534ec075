//! API tokens and usage limits of Globant Enterprise AI.

use crate::{
    company::{column, declined},
    support::{Value, json},
    support_geai::{Geai, made, organization, project},
};

/// What the pipeline's token is: the secret itself.
const PIPELINE: &str = "geai-test-project-atlas-pipeline-0a1b2c3d";

#[tokio::test]
async fn keys_are_told_without_their_secret_and_found_by_name_or_fingerprint() {
    let it = Geai::new().await;
    let list = it.agent.ok("list_api_keys", json!({ "project": "Atlas" })).await;
    assert_eq!(column(&list, "api_key"), ["notebook", "pipeline"]);
    let pipeline = &list["items"][1];
    let id = pipeline["id"].as_str().unwrap();
    let expected = json!({
        "api_key": "pipeline", "id": id, "project": "Atlas", "description": "Builds the maps at night", "status": "active",
        "scopes": [], "created_at": "2026-09-14T08:30:00Z",
    });
    let mut seen = pipeline.clone();
    seen["scopes"] = json!(seen.get("scopes").cloned().unwrap_or_else(|| json!([])));
    assert_eq!(seen, expected);
    assert!(id.starts_with("key-") && id.len() == 16, "{id}");
    for named in ["PIPELINE", id] {
        let one = it.agent.ok("get_api_key", json!({ "project": "Atlas", "api_key": named })).await;
        assert_eq!((&one["id"], &one["scopes"]), (&json!(id), &json!(["Pia.Data.Project"])), "{one}");
        assert!(!one.to_string().contains("geai-test-project"), "{one}");
    }
    assert!(it.requests().contains(&format!("GET /v2/projects/tokens/{PIPELINE}")));
    let told = it.agent.fails("get_api_key", json!({ "project": "Atlas", "api_key": PIPELINE }), "invalid_arguments").await;
    assert!(!told.to_string().contains(PIPELINE), "{told}");
}

#[tokio::test]
async fn a_new_keys_secret_goes_to_the_folder_and_nowhere_else() {
    let it = Geai::new().await;
    let op = json!({ "project": "Atlas", "name": "ci", "description": "Pipeline" });
    declined(&it.agent, "create_api_key", op.clone()).await;
    assert_eq!(it.changes(), [""; 0]);
    let done = it.agent.ok("create_api_key", op.clone()).await;
    let secret = format!("geai-test-project-{}", made(1));
    assert!(!done.to_string().contains("geai-test-project"), "{done}");
    let sent = format!(r#"POST /v2/projects/tokens project-id: {} {{"name":"ci","description":"Pipeline"}}"#, project(1));
    assert_eq!(it.changes(), [sent]);
    let place = done["secret"]["handed_to"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(place.trim_start_matches("file ")).unwrap_or_default().trim(), secret, "{done}");
    let activity = it.agent.ok("list_activity", json!({})).await;
    assert!(!activity.to_string().contains("geai-test-project"), "{activity}");
    it.agent.fails("create_api_key", op, "name_taken").await;
    it.agent.fails("create_api_key", json!({ "project": "Atlas", "name": "other" }), "invalid_arguments").await;
    let long = json!({ "project": "Atlas", "name": "other", "description": "x".repeat(201) });
    it.agent.fails("create_api_key", long, "invalid_arguments").await;
    assert_eq!(it.changes(), [""; 0]);
}

#[tokio::test]
async fn a_key_is_changed_blocked_and_deleted() {
    let it = Geai::new().await;
    let described = it.agent.ok("update_api_key", json!({ "project": "Atlas", "api_key": "pipeline", "description": "Maps" })).await;
    assert_eq!(described["after"]["description"], "Maps", "{described}");
    assert_eq!(it.changes(), [format!(r#"PUT /v2/projects/tokens/{PIPELINE} {{"description":"Maps"}}"#)]);
    assert_eq!(it.agent.questions(), [""; 0]);
    let block = json!({ "project": "Atlas", "api_key": "pipeline", "status": "blocked" });
    declined(&it.agent, "update_api_key", block.clone()).await;
    let blocked = it.agent.ok("update_api_key", block).await;
    assert_eq!((&blocked["before"]["status"], &blocked["after"]["status"]), (&json!("active"), &json!("blocked")), "{blocked}");
    assert!(it.agent.questions().last().unwrap().contains("key stops working"));
    it.requests();
    let gone = it.agent.ok("delete_api_key", json!({ "project": "Atlas", "api_key": "pipeline" })).await;
    assert!(!gone.to_string().contains(PIPELINE), "{gone}");
    assert_eq!(it.changes(), [format!("DELETE /v2/projects/tokens/{PIPELINE}")]);
    it.agent.fails("delete_api_key", json!({ "project": "Atlas", "api_key": "pipeline" }), "api_key_not_found").await;
}

fn limit(soft: f64, hard: f64, unit: &str) -> Value {
    json!({ "subscription_type": "Monthly", "usage_unit": unit, "soft_limit": soft, "hard_limit": hard, "renewal": "Renewable" })
}

fn of(project: &str, mut limit: Value) -> Value {
    limit["project"] = json!(project);
    limit
}

#[tokio::test]
async fn limits_are_listed_and_one_takes_the_place_of_another() {
    let it = Geai::new().await;
    let base = format!("/v2/usageLimits/organizations/{}", organization(1));
    let old = it.agent.ok("list_usage_limits", json!({})).await;
    let expected = json!({
        "usage_limit": "04000000-0000-4000-8000-000000000001", "organization": "Acme", "subscription_type": "Monthly", "usage_unit": "Cost",
        "soft_limit": 4000.0, "hard_limit": 5000.0, "renewal": "Renewable", "active": true, "used": 1234.5,
        "remaining": 3765.5, "ends_at": "2026-12-01T00:00:00Z", "created_at": "2026-11-01T00:00:00Z",
    });
    assert_eq!(old["items"], json!([expected]), "{old}");
    assert_eq!(it.requests()[1], format!("GET {base}/limits"));
    let done = it.agent.ok("set_usage_limit", limit(700.0, 900.0, "Cost")).await;
    assert_eq!((&done["before"], &done["target"]["id"]), (&expected, &json!(made(1))), "{done}");
    let body = r#"{"subscriptionType":"Monthly","usageUnit":"Cost","softLimit":700.0,"hardLimit":900.0,"renewalStatus":"Renewable"}"#;
    assert_eq!(it.changes(), [format!("POST {base}/limits {body}")]);
    it.agent.fails("set_usage_limit", limit(1.0, 2.0, "Requests"), "invalid_arguments").await;
    it.agent.fails("set_usage_limit", of("Atlas", limit(3.0, 2.0, "Cost")), "soft_above_hard").await;
    let project = format!("{base}/projects/{}/limits", project(1));
    let active = it.agent.ok("list_usage_limits", json!({ "project": "Atlas", "active": true })).await;
    assert_eq!(column(&active, "usage_limit"), ["04000000-0000-4000-8000-000000000003"]);
    assert_eq!(it.requests().last().unwrap(), &format!("GET {project}/active"));
    let none = it.agent.ok("list_usage_limits", json!({ "project": "Ember", "active": true })).await;
    assert_eq!(none["items"], json!([]), "{none}");
    let past = it.agent.ok("list_usage_limits", json!({ "project": "Atlas", "active": false })).await;
    assert_eq!(column(&past, "usage_limit"), ["04000000-0000-4000-8000-000000000002"]);
}

/// The parts of a limit that were changed, in order.
fn parts(it: &Geai) -> Vec<String> {
    it.changes().iter().map(|it| it.rsplit('/').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_limit_is_changed_in_the_order_that_keeps_soft_below_hard() {
    let it = Geai::new().await;
    let id = "04000000-0000-4000-8000-000000000003";
    let change = |soft: f64, hard: f64| json!({ "project": "Atlas", "usage_limit": id, "soft_limit": soft, "hard_limit": hard });
    it.agent.ok("update_usage_limit", change(1500.0, 2000.0)).await;
    assert_eq!(parts(&it), [r#"hardLimit {"hardLimit":2000.0}"#, r#"softLimit {"softLimit":1500.0}"#]);
    let done = it.agent.ok("update_usage_limit", change(100.0, 200.0)).await;
    assert_eq!(parts(&it), [r#"softLimit {"softLimit":100.0}"#, r#"hardLimit {"hardLimit":200.0}"#]);
    assert_eq!((&done["before"]["hard_limit"], &done["after"]["hard_limit"]), (&json!(2000.0), &json!(200.0)), "{done}");
    let renewal = json!({ "project": "Atlas", "usage_limit": id, "renewal": "NonRenewable" });
    it.agent.ok("update_usage_limit", renewal).await;
    assert_eq!(parts(&it), [r#"renewalStatus {"renewalStatus":"NonRenewable"}"#]);
    it.agent.fails("update_usage_limit", json!({ "project": "Atlas", "usage_limit": id, "soft_limit": 300 }), "soft_above_hard").await;
    it.agent
        .fails(
            "update_usage_limit",
            json!({ "project": "Atlas", "usage_limit": "04000000-0000-4000-8000-000000000002", "soft_limit": 3 }),
            "usage_limit_inactive",
        )
        .await;
    it.agent.fails("update_usage_limit", json!({ "usage_limit": id, "soft_limit": 3 }), "usage_limit_not_found").await;
    assert_eq!(it.changes(), [""; 0]);
}

#[tokio::test]
async fn a_change_that_stops_half_way_tells_what_holds_now() {
    let it = Geai::new().await;
    let change = json!({ "project": "Atlas", "usage_limit": "04000000-0000-4000-8000-000000000003", "soft_limit": 1500, "hard_limit": 2000, "renewal": "NonRenewable" });
    it.faults(&["500:1@PUT /softLimit"]);
    let stopped = it.agent.fails("update_usage_limit", change.clone(), "partly_done").await;
    let message = stopped["message"].as_str().unwrap();
    let told =
        "changed: hardLimit 2000.0; not changed: softLimit 1500.0, renewalStatus NonRenewable; it is now soft 800, hard 2000, Renewable";
    assert!(message.starts_with(told), "{message}");
    assert_eq!(parts(&it).len(), 2);
    // An answer that is lost is looked up, and the rest goes on.
    it.faults(&["drop:1@PUT /softLimit*1"]);
    let done = it.agent.ok("update_usage_limit", change).await;
    assert_eq!(done["after"]["renewal"], "NonRenewable", "{done}");
    assert_eq!(parts(&it).len(), 3);
}

#[tokio::test]
async fn a_limit_is_deleted_by_who_agrees() {
    let it = Geai::new().await;
    let op = json!({ "project": "Atlas", "usage_limit": "04000000-0000-4000-8000-000000000003" });
    declined(&it.agent, "delete_usage_limit", op.clone()).await;
    assert_eq!(it.changes(), [""; 0]);
    let done = it.agent.ok("delete_usage_limit", op).await;
    assert_eq!(done["before"]["hard_limit"], 1000.0, "{done}");
    assert_eq!(it.changes().len(), 1);
    assert_eq!(it.sandbox.platform().limits[2].usage.status, 4);
}
