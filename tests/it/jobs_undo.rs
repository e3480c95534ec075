//! What was done is taken back, as far as it can be.

use crate::{
    company::{acme, email, join, key_of, team},
    jobs::{adding, company, outcomes},
    support::{Agent, Person, Value, json},
};

/// What the directory holds, without what only says that something happened.
async fn state(agent: &Agent) -> std::collections::BTreeMap<String, String> {
    let mut dump = agent.dump().await;
    dump.remove("applied_calls");
    // Times and ids of what was made again are new.
    for text in dump.values_mut() {
        let is_new = |it: &&str| ["joined_at=", "created_at=", "assigned_at=", "id="].iter().any(|name| it.starts_with(name));
        let lasting = |line: &str| line.split(' ').filter(|it| !is_new(it)).collect::<Vec<_>>().join(" ");
        let mut lines: Vec<String> = text.lines().map(lasting).collect();
        lines.sort_unstable();
        *text = lines.join("\n");
    }
    dump
}

/// Makes a change, takes it back by its ledger entry, and looks whether everything is as it was.
async fn there_and_back(agent: &Agent, tool: &str, arguments: Value) {
    let before = state(agent).await;
    let done = agent.ok(tool, arguments.clone()).await;
    assert_ne!(state(agent).await, before, "{tool} {arguments} changes something");
    let back = agent.ok("undo", json!({ "call_id": done["call_id"] })).await;
    assert_eq!(back["after"]["done"], back["after"]["items"].as_array().unwrap().len(), "{tool}: {back}");
    assert_eq!(state(agent).await, before, "{tool} {arguments}");
}

#[tokio::test]
async fn every_change_that_says_so_is_taken_back() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo", "cy"]).await;
        agent.ok("update_organization_member", json!({ "member": email("ana"), "role": "owner" })).await;
        agent.ok("create_project", json!({ "name": "Atlas", "description": "maps" })).await;
        join(&agent, "Atlas", "ana", &["owner"]).await;
        join(&agent, "Atlas", "bo", &["member", "viewer"]).await;
        team(&agent, "Core", &["bo"]).await;
        agent.ok("create_team", json!({ "name": "Edge" })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Core", "role": "viewer" })).await;
        agent.ok("assign_project_resource", json!({ "project": "Atlas", "resource_type": "dataset", "resource_id": "d1" })).await;
        agent.ok("create_role", json!({ "name": "Observer", "permissions": ["projects.read"] })).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "ci", "without_key": true })).await;
        key_of(&agent, "Atlas", "bo", "laptop").await;
        let limit = json!({ "project": "Atlas", "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": 5.0, "hard_limit": 9.0, "renewal": "Renewable" });
        let changes = [
            ("create_organization", json!({ "name": "Other" })),
            ("update_organization", json!({ "organization": "Acme", "name": "Acme Two", "description": "new" })),
            ("create_project", json!({ "name": "Borealis" })),
            ("update_project", json!({ "project": "Atlas", "name": "Atlas Two", "clear": ["description"] })),
            ("add_project_member", json!({ "project": "Atlas", "member": email("cy"), "roles": ["member"] })),
            ("add_project_members", json!({ "csv": "Atlas,cy@acme.example,viewer" })),
            ("update_project_member", json!({ "project": "Atlas", "member": email("bo"), "role": "owner" })),
            ("remove_project_member", json!({ "project": "Atlas", "member": email("bo") })),
            ("create_team", json!({ "name": "Far" })),
            ("update_team", json!({ "team": "Core", "description": "near" })),
            ("add_team_member", json!({ "team": "Core", "member": email("cy") })),
            ("update_team_member", json!({ "team": "Core", "member": email("bo"), "role": "maintainer" })),
            ("remove_team_member", json!({ "team": "Core", "member": email("bo") })),
            ("add_project_team", json!({ "project": "Atlas", "team": "Edge", "role": "viewer" })),
            ("remove_project_team", json!({ "project": "Atlas", "team": "Core" })),
            ("create_role", json!({ "name": "Writer", "permissions": ["projects.read"] })),
            ("update_role", json!({ "role": "Observer", "name": "Looker", "description": "looks" })),
            ("assign_role", json!({ "role": "member", "team": "Core", "project": "Atlas" })),
            ("unassign_role", json!({ "role": "viewer", "member": email("bo"), "project": "Atlas" })),
            ("update_service_account", json!({ "project": "Atlas", "service_account": "ci", "name": "cd" })),
            ("create_service_account", json!({ "project": "Atlas", "name": "robot" })),
            ("create_api_key", json!({ "project": "Atlas", "name": "key" })),
            ("update_api_key", json!({ "project": "Atlas", "api_key": "laptop", "status": "blocked", "description": "x" })),
            ("assign_project_resource", json!({ "project": "Atlas", "resource_type": "dataset", "resource_id": "d2" })),
            ("remove_project_resource", json!({ "project": "Atlas", "resource_type": "dataset", "resource_id": "d1" })),
            ("set_usage_limit", limit),
            ("add_organization_member", json!({ "email": "root@other.example" })),
            ("update_organization_member", json!({ "member": email("cy"), "role": "owner" })),
        ];
        agent.ok("create_organization", json!({ "name": "Third" })).await;
        agent.ok("create_user", json!({ "email": "root@other.example", "name": "Root", "organization": "Third" })).await;
        agent.ok("delete_organization", json!({ "organization": "Third" })).await;
        for (tool, arguments) in changes {
            there_and_back(&agent, tool, arguments).await;
        }
    }
}

#[tokio::test]
async fn somebody_who_was_taken_off_everything_comes_back_to_all_of_it() {
    for agent in Agent::each().await {
        company(&agent).await;
        team(&agent, "Core", &["bo"]).await;
        join(&agent, "Atlas", "bo", &["member", "viewer"]).await;
        there_and_back(&agent, "remove_organization_member", json!({ "member": email("bo"), "organization": "Acme" })).await;
    }
}

#[tokio::test]
async fn a_job_is_taken_back_last_things_first_and_it_is_said_what_stays() {
    for agent in Agent::each().await {
        company(&agent).await;
        team(&agent, "Old", &[]).await;
        let before = state(&agent).await;
        let done = agent
            .ok(
                "apply_changes",
                json!({ "steps": [
                    { "id": "project", "tool": "create_project", "arguments": { "name": "Borealis" } },
                    { "tool": "add_project_member", "arguments": { "project": "${project.id}", "member": email("bo"), "roles": ["viewer"] } },
                    { "tool": "delete_team", "arguments": { "team": "Old" } },
                    adding("cy", &["viewer"]),
                ] }),
            )
            .await;
        assert_eq!(done["after"]["done"], 4, "{done}");
        assert!(done["undo"].as_str().unwrap().contains(done["job"].as_str().unwrap()), "{done}");
        agent.questions();
        // Nothing is taken back without a yes.
        let refusing = agent.refusing().await;
        let after = state(&agent).await;
        refusing.fails("undo", json!({ "job": done["job"] }), "declined").await;
        assert_eq!(state(&agent).await, after);
        let question = refusing.questions().pop().unwrap();
        assert!(question.contains("- stays as it is: delete_team Old"), "{question}");
        assert!(question.ends_with("To confirm, type: cy@acme.example") || question.ends_with("To confirm, type: Borealis"), "{question}");

        let back = agent.ok("undo", json!({ "job": done["job"] })).await;
        assert_eq!(outcomes(&back), ["1 done", "2 done", "3 done"], "{back}");
        let tools: Vec<&str> = back["after"]["items"].as_array().unwrap().iter().map(|it| it["tool"].as_str().unwrap()).collect();
        assert_eq!(tools, ["remove_project_member", "remove_project_member", "delete_project"]);
        let mut expected = before;
        expected.insert("teams".into(), String::new());
        assert_eq!(state(&agent).await, expected, "all but the team is as it was");
        // And the undoing can be undone, as far as that goes.
        let again = agent.ok("undo", json!({ "job": back["job"] })).await;
        assert_eq!(again["after"]["done"], 1, "who was taken out of Atlas is back: {again}");
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_told_and_nothing_is_tried() {
    for agent in Agent::each().await {
        company(&agent).await;
        let gone = agent.ok("delete_project", json!({ "project": "Atlas" })).await;
        let refusal = agent.fails("undo", json!({ "call_id": gone["call_id"] }), "cannot_undo").await;
        assert_eq!(refusal["message"], "this cannot be taken back: delete_project Atlas");
        agent.fails("undo", json!({}), "invalid_arguments").await;
        agent.fails("undo", json!({ "call_id": "call_none" }), "call_not_found").await;
        let declined = agent.with(crate::support::Era::Modern, Person::Declines).await;
        declined.call("delete_organization", json!({ "organization": "Acme" })).await;
        let refused = agent.ok("list_activity", json!({ "outcome": "refused" })).await;
        agent.fails("undo", json!({ "call_id": refused["items"][0]["call_id"] }), "call_not_found").await;
    }
}

#[tokio::test]
async fn the_last_change_is_taken_back_then_the_one_before_it() {
    for agent in Agent::each().await {
        company(&agent).await;
        let before = state(&agent).await;
        agent.ok("update_project", json!({ "project": "Atlas", "description": "maps" })).await;
        let described = state(&agent).await;
        let many = agent.ok("add_project_members", json!({ "csv": "Atlas,cy@acme.example,viewer\nAtlas,ana@acme.example,viewer" })).await;
        agent.questions();

        let refusing = agent.refusing().await;
        let with_people = state(&agent).await;
        refusing.fails("undo", json!({ "last": true }), "declined").await;
        assert_eq!(state(&agent).await, with_people, "nothing is taken back without a yes");

        let back = agent.ok("undo", json!({ "last": true })).await;
        assert_eq!((&back["status"], &back["target"]["id"]), (&json!("done"), &many["job"]), "{back}");
        let question = agent.questions().pop().unwrap();
        assert!(question.starts_with("Undo: job add_project_members "), "it says which: {question}");
        assert_eq!(state(&agent).await, described);

        let back = agent.ok("undo", json!({ "last": true })).await;
        assert_eq!(back["target"]["name"], "update_project Atlas", "{back}");
        assert_eq!(state(&agent).await, before);

        // An undo that is itself undone has taken nothing back.
        agent.ok("undo", json!({ "job": back["job"] })).await;
        agent.ok("undo", json!({ "last": true })).await;
        assert_eq!(state(&agent).await, before);
    }
}

#[tokio::test]
async fn what_came_later_and_cannot_be_taken_back_is_named_and_stays() {
    for agent in Agent::each().await {
        company(&agent).await;
        key_of(&agent, "Atlas", "bo", "laptop").await;
        agent.ok("create_team", json!({ "name": "Far" })).await;
        agent.ok("delete_api_key", json!({ "project": "Atlas", "api_key": "laptop" })).await;
        agent.fails("create_team", json!({ "name": "Far" }), "name_taken").await;
        let before = agent.dump().await;
        let plan = agent.ok("undo", json!({ "last": true, "dry_run": true })).await;
        assert_eq!(agent.dump().await, before, "a preview changes nothing");
        let stays = "later changes cannot be taken back and stay: delete_api_key laptop";
        assert!(plan["impact"]["notes"].as_array().unwrap().contains(&json!(stays)), "{plan}");
        let back = agent.ok("undo", json!({ "last": true })).await;
        assert_eq!((&back["target"]["name"], &back["after"]["notes"]), (&json!("create_team Far"), &json!([stays])), "{back}");
    }
}

#[tokio::test]
async fn only_what_the_caller_has_done_is_their_last_change() {
    let agent = Agent::new().await;
    let refused = agent.fails("undo", json!({ "last": true }), "nothing_done").await;
    assert_eq!(refused["message"], "nothing that you have changed is left to take back");
    agent.fails("undo", json!({}), "invalid_arguments").await;
    agent.fails("undo", json!({ "last": true, "call_id": "call_x" }), "invalid_arguments").await;
}
