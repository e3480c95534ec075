//! What was done, by whom, and who agreed.

use rolecall::{
    guard::{Caller, Given},
    store::Val,
};

use crate::{
    company::{acme, column, email, join},
    support::{Agent, Value, json, params},
};

async fn prepared() -> Agent {
    let agent = Agent::new().await;
    acme(&agent, &["ana", "bo"]).await;
    for project in ["Atlas", "Borealis"] {
        agent.ok("create_project", json!({ "name": project })).await;
        join(&agent, project, "ana", &["member"]).await;
    }
    agent
}

/// The tools of the calls that are listed, newest first.
async fn tools(agent: &Agent, arguments: Value) -> Vec<String> {
    column(&agent.ok("list_activity", arguments).await, "tool")
}

#[tokio::test]
async fn what_changed_is_told_from_what_to_what_with_who_asked_and_who_agreed() {
    let agent = prepared().await;
    agent.ok("update_project_member", json!({ "project": "Atlas", "member": email("ana"), "role": "viewer" })).await;
    let silent = agent.silent().await;
    let remove = json!({ "project": "Borealis", "member": email("ana") });
    let waits = silent.fails("remove_project_member", remove.clone(), "pending_approval").await;
    let id = waits["approval_id"].as_str().unwrap();
    rolecall::guard::approve(agent.db(), id, rolecall::guard::Answering::at_terminal("maria")).await.unwrap();
    silent.ok("remove_project_member", remove).await;
    let list = agent.ok("list_activity", json!({ "limit": 2, "outcome": "done" })).await;
    let (removed, lowered) = (&list["items"][0], &list["items"][1]);
    assert_eq!((&removed["agreed_by"], &removed["consent"]), (&json!("maria"), &json!("approval")), "{list}");
    assert!(
        removed["place"].as_str().unwrap().starts_with("project Borealis") && removed["change"].as_str().unwrap().contains("member"),
        "{list}"
    );
    assert!(lowered["change"].as_str().unwrap().contains("member → viewer"), "{list}");
    assert_eq!(lowered["agreed_by"], "the person at this machine, with test-client 1", "{list}");
    assert_eq!(lowered["asked_by"], "this machine, with test-client 1", "{list}");
    let by_maria = agent.ok("list_activity", json!({ "agreed_by": "Maria" })).await;
    assert_eq!(column(&by_maria, "tool"), ["remove_project_member"], "{by_maria}");
    let text = agent.client.call_tool(params("list_activity", json!({ "limit": 1 }))).await.unwrap();
    assert!(text.content[0].as_text().unwrap().text.contains("agreed_by=maria"), "the text tells it");
}

#[tokio::test]
async fn a_project_and_a_job_are_filters() {
    let agent = prepared().await;
    for project in ["Atlas", "atlas"] {
        assert_eq!(tools(&agent, json!({ "project": project })).await, ["add_project_member", "create_project"]);
    }
    let steps = json!({ "steps": [
        { "tool": "update_project", "arguments": { "project": "Atlas", "description": "a" } },
        { "tool": "remove_project_member", "arguments": { "project": "Borealis", "member": email("ana") } },
    ] });
    let done = agent.ok("apply_changes", steps).await;
    let job = done["job"].as_str().unwrap();
    let rows = agent.ok("list_activity", json!({ "job": job })).await;
    let mut of_job = column(&rows, "tool");
    of_job.sort();
    assert_eq!(of_job, ["apply_changes", "remove_project_member", "update_project"], "{rows}");
    let removed = rows["items"].as_array().unwrap().iter().find(|it| it["tool"] == "remove_project_member").unwrap();
    assert_eq!((&removed["agreed_by"], &removed["job"]), (&json!("the person at this machine, with test-client 1"), &json!(job)), "{rows}");
    agent.fails("list_activity", json!({ "job": "job_nothing" }), "job_not_found").await;
    assert_eq!(tools(&agent, json!({ "project": "Nowhere" })).await, [""; 0]);
}

#[tokio::test]
async fn days_are_understood_as_people_say_them() {
    let agent = prepared().await;
    let today = chrono::Utc::now().date_naive();
    let yesterday = today.pred_opt().unwrap();
    // One call was made yesterday at noon.
    let noon = yesterday.and_hms_opt(12, 0, 0).unwrap().and_utc().timestamp_millis();
    let mut tx = agent.db().recording().begin().await.unwrap();
    tx.run("DROP TRIGGER IF EXISTS ledger_no_update", &[]).await.unwrap();
    let first = tx.texts("SELECT call_id FROM calls ORDER BY seq LIMIT 1", &[]).await.unwrap().remove(0);
    tx.run("UPDATE calls SET at = $2, latest = $2 WHERE call_id = $1", &[Val::from(first.as_str()), Val::from(noon)]).await.unwrap();
    tx.commit().await.unwrap();
    let of_yesterday = ["create_organization"];
    for (since, until) in [
        ("yesterday".to_owned(), "yesterday".to_owned()),
        (yesterday.to_string(), yesterday.to_string()),
        ("1 day ago".to_owned(), format!("{yesterday}T23:59:59Z")),
        ("2 days ago".to_owned(), "Yesterday".to_owned()),
    ] {
        assert_eq!(tools(&agent, json!({ "since": since, "until": until })).await, of_yesterday, "{since} to {until}");
    }
    let all = tools(&agent, json!({ "since": "yesterday", "limit": 100 })).await;
    assert!(all.len() > 3 && all.last().unwrap() == "create_organization", "{all:?}");
    assert!(!tools(&agent, json!({ "from": "today", "to": "now", "limit": 100 })).await.contains(&"create_organization".to_owned()));
    assert_eq!(tools(&agent, json!({ "until": "3 days ago" })).await, [""; 0]);
    let weekday = yesterday.format("%A").to_string();
    for since in [weekday.clone(), weekday.to_lowercase(), format!("last {weekday}"), format!("on {weekday}")] {
        assert_eq!(tools(&agent, json!({ "since": since, "until": since })).await, of_yesterday, "{since}");
    }
    for since in ["this morning", "this week", "this month"] {
        assert!(tools(&agent, json!({ "since": since, "limit": 100 })).await.contains(&"add_project_member".to_owned()), "{since}");
    }
    let odd = agent.fails("list_activity", json!({ "until": "someday" }), "invalid_arguments").await;
    assert!(odd["fix"].as_str().unwrap().contains("yesterday"), "{odd}");
}

#[tokio::test]
async fn what_waits_for_a_person_is_listed_and_cannot_be_answered_by_it() {
    let agent = prepared().await;
    let silent = agent.silent().await;
    let waits = silent.fails("delete_project", json!({ "project": "Atlas" }), "pending_approval").await;
    let id = waits["approval_id"].as_str().unwrap();
    let before = agent.dump().await;
    let list = silent.ok("list_approvals", json!({})).await;
    let one = &list["items"][0];
    assert_eq!((&one["approval"], &one["tool"], &one["on"]), (&json!(id), &json!("delete_project"), &json!("local")), "{list}");
    assert!(one["question"].as_str().unwrap().contains("Atlas") && one["expires_at"].is_string(), "{list}");
    assert!(one["answered_by"].as_str().unwrap().contains(&format!("`rolecall approve {id}`")), "{list}");
    for argument in ["approve", "approval", "answer", "confirm"] {
        silent.call("list_approvals", json!({ argument: id })).await;
    }
    assert_eq!(silent.ok("list_approvals", json!({})).await["items"][0]["approval"], json!(id), "it waits still");
    assert_eq!(agent.dump().await, before);
    silent.fails("delete_project", json!({ "project": "Atlas" }), "pending_approval").await;
    // Another caller over HTTP is told of none of it.
    let other = Caller { principal: "token:other".into(), client: "test".into(), can_ask: false };
    let told = agent.app.call("list_approvals", serde_json::Map::new(), &other, Given::Nothing).await.unwrap();
    let rolecall::guard::Verdict::Done(told) = told else { panic!("{told:?}") };
    assert_eq!(told["items"], json!([]));
}
