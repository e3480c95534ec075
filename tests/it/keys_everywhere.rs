//! Keys of a whole organization, by whose they are and by when they were made and used.

use serde_json::Value;

use crate::{
    practice::{Everywhere, Provider, World},
    support::{Options, json},
};

/// What each key of a list is called, with where it is.
fn keys(list: &Value) -> Vec<String> {
    let of = |it: &Value| format!("{}/{}", it["project"].as_str().unwrap(), it["api_key"].as_str().unwrap());
    list["items"].as_array().unwrap().iter().map(of).collect()
}

async fn practice(provider: Provider) -> World {
    World::of(provider, Options::default()).await
}

#[tokio::test]
async fn keys_of_people_who_left_or_that_nobody_ever_used_are_one_call_and_blocking_them_another() {
    let world = practice(Provider::Local).await;
    let agent = &world.agent;
    let dead = agent.ok("list_api_keys", json!({ "organization": "Acme", "owner": "left", "unused_since": "ever", "any": true })).await;
    let mut found = keys(&dead);
    found.sort();
    assert_eq!(found, ["Atlas/old-migration", "Cobalt/spare", "Gauge Insight/demo"], "{dead}");
    let old = &dead["items"][0];
    assert_eq!((&old["owner_access"], &old["project_id"]), (&json!("none"), &json!("prj_atlas")), "{old}");
    assert!(old["last_used_at"].is_string() && old["created_at"].is_string(), "{old}");

    let steps: Vec<Value> = dead["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let arguments = json!({ "project": it["project_id"], "api_key": it["id"], "status": "blocked" });
            json!({ "tool": "update_api_key", "arguments": arguments })
        })
        .collect();
    agent.ok("apply_changes", json!({ "steps": steps })).await;
    let left = agent.ok("list_api_keys", json!({ "organization": "Acme", "owner": "left" })).await;
    assert_eq!(left["items"][0]["status"], "blocked", "{left}");
    let all = agent.ok("list_api_keys", json!({ "organization": "Acme", "limit": 100 })).await;
    let mut blocked = all.clone();
    blocked["items"].as_array_mut().unwrap().retain(|it| it["status"] == "blocked");
    // One was blocked before.
    assert_eq!(keys(&blocked), ["Atlas/old-migration", "Borealis/notebook", "Cobalt/spare", "Gauge Insight/demo"], "{all}");
}

#[tokio::test]
async fn filters_of_a_whole_organization_meet_and_its_pages_follow_one_another() {
    let world = practice(Provider::Local).await;
    let agent = &world.agent;
    let all = agent.ok("list_api_keys", json!({ "organization": "Acme", "limit": 100 })).await;
    assert_eq!(all["total"], json!(keys(&all).len()), "{all}");
    let mut paged = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = agent.ok("list_api_keys", json!({ "organization": "Acme", "limit": 4, "cursor": cursor })).await;
        paged.extend(keys(&page));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(paged, keys(&all));
    let only = async |arguments: Value| {
        let mut arguments = arguments;
        arguments["organization"] = json!("Acme");
        keys(&agent.ok("list_api_keys", arguments).await)
    };
    assert_eq!(only(json!({ "owner": "no_access" })).await, ["Ember/weekly-report"]);
    assert_eq!(only(json!({ "expired": true })).await, ["Cobalt/temporary-audit"]);
    assert_eq!(only(json!({ "created_before": "300 days", "owner": "none" })).await, ["Atlas/old-migration"]);
    assert_eq!(only(json!({ "created_before": "2 years" })).await, [""; 0]);
    let unused = only(json!({ "unused_since": "30 days" })).await;
    assert!(unused.contains(&"Borealis/notebook".to_owned()) && !unused.contains(&"Atlas/ci-deploy".to_owned()), "{unused:?}");
    let text = agent.fails("list_api_keys", json!({ "created_before": "someday" }), "invalid_arguments").await;
    assert!(text["message"].as_str().unwrap().contains("write 2026-08-31, or 90 days"), "{text}");
}

#[tokio::test]
async fn every_service_that_lists_keys_lists_them_without_a_project() {
    for (provider, project) in [(Provider::Geai, "Atlas"), (Provider::Openai, "Atlas")] {
        let world = practice(provider).await;
        let agent = &world.agent;
        let all = agent.ok("list_api_keys", json!({ "limit": 100 })).await;
        let here = agent.ok("list_api_keys", json!({ "project": project, "limit": 100 })).await;
        let of_project: Vec<String> = keys(&all).into_iter().filter(|it| it.starts_with(project)).collect();
        let mut sorted = keys(&here);
        sorted.sort_by_key(|it| it.to_lowercase());
        assert_eq!(of_project, sorted, "{provider:?}");
        assert!(keys(&all).len() > sorted.len(), "{provider:?}: {all}");
        for it in all["items"].as_array().unwrap() {
            let read = agent.ok("get_api_key", json!({ "project": it["project_id"], "api_key": it["id"] })).await;
            assert_eq!(read["api_key"], it["api_key"], "{provider:?}");
        }
    }
    let openai = practice(Provider::Openai).await;
    let gone = openai.agent.ok("list_api_keys", json!({ "owner": "no_access" })).await;
    assert!(!keys(&gone).is_empty() && gone["items"].as_array().unwrap().iter().all(|it| it["owner_access"] == "no_access"), "{gone}");
    let geai = practice(Provider::Geai).await;
    let refused = geai.agent.fails("list_api_keys", json!({ "owner": "left" }), "invalid_arguments").await;
    assert!(refused["message"].as_str().unwrap().contains("`owner` is not supported"), "{refused}");
}

#[tokio::test]
async fn keys_of_all_accounts_come_together_and_who_cannot_tell_is_named() {
    let all = Everywhere::new().await;
    let all = all.agent.ok("list_api_keys", json!({ "owner": "left", "limit": 100 })).await;
    let failed: Vec<&str> = all["failed"].as_array().unwrap().iter().map(|it| it["connection"].as_str().unwrap()).collect();
    assert_eq!(failed, ["globant"], "{all}");
    assert_eq!(all["not_asked"], json!(["vision", "lab"]), "{all}");
    assert!(keys(&all).contains(&"Atlas/old-migration".to_owned()), "{all}");
}
