//! A project like another, through a real client.

use crate::{
    company::{acme, email, join, key_of, owned, team},
    practice::{Provider, World},
    support::{Agent, Options, Value, json},
};

async fn company(agent: &Agent) {
    acme(agent, &["ana", "bo"]).await;
    owned(agent).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    join(agent, "Atlas", "ana", &["owner"]).await;
    join(agent, "Atlas", "bo", &["viewer"]).await;
    team(agent, "Core", &["bo"]).await;
    agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Core", "role": "member" })).await;
    agent
        .ok(
            "set_usage_limit",
            json!({ "project": "Atlas", "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": 50.0, "hard_limit": 90.0, "renewal": "Renewable" }),
        )
        .await;
    key_of(agent, "Atlas", "ana", "laptop").await;
    agent.questions();
}

/// Who is in a project, teams and limits.
async fn inside(agent: &Agent, project: &str) -> Value {
    let pairs = |list: &Value, name: &str, field: &str| -> Vec<Value> {
        list["items"].as_array().unwrap().iter().map(|it| json!([it[name], it[field]])).collect()
    };
    let people = agent.ok("list_project_members", json!({ "project": project })).await;
    let teams = agent.ok("list_project_teams", json!({ "project": project })).await;
    let limits = agent.ok("list_usage_limits", json!({ "project": project })).await;
    json!({ "people": pairs(&people, "member", "roles"), "teams": pairs(&teams, "team", "roles"), "limits": pairs(&limits, "soft_limit", "hard_limit") })
}

#[tokio::test]
async fn teams_limits_and_an_owner_are_those_of_the_other() {
    for agent in Agent::each().await {
        company(&agent).await;
        let call = json!({ "from": "Atlas", "name": "Lyon" });
        let before = agent.dump().await;
        agent.refusing().await.fails("copy_project", call.clone(), "declined").await;
        assert_eq!(agent.dump().await, before, "nothing is made without a yes");

        let done = agent.ok("copy_project", call).await;
        assert_eq!(done["status"], "done", "{done}");
        let [question] = agent.questions().try_into().unwrap();
        for told in
            ["Copy project: project Lyon", "as project Atlas", "Core", "1 person is in the other project and not in this one", "laptop"]
        {
            assert!(question.contains(told), "{told}: {question}");
        }
        let (atlas, lyon) = (inside(&agent, "Atlas").await, inside(&agent, "Lyon").await);
        assert_eq!((&lyon["teams"], &lyon["limits"]), (&atlas["teams"], &atlas["limits"]), "{lyon}");
        assert!(lyon["people"].to_string().contains(r#"["ana@acme.example",["owner"]]"#), "{lyon}");

        let undone = agent.ok("undo", json!({ "last": true })).await;
        assert_eq!(undone["status"], "done", "{undone}");
        agent.fails("get_project", json!({ "project": "Lyon" }), "project_not_found").await;
        let whole = agent.ok("copy_project", json!({ "from": "Atlas", "name": "Lyon", "people": true })).await;
        assert_eq!(whole["status"], "done", "{whole}");
        assert_eq!(inside(&agent, "Lyon").await, inside(&agent, "Atlas").await);
    }
}

#[tokio::test]
async fn somebody_else_can_own_it_and_nobody_is_told() {
    let agent = Agent::new().await;
    company(&agent).await;
    let lyon = agent.ok("copy_project", json!({ "from": "Atlas", "name": "Lyon", "owner": email("bo") })).await;
    assert_eq!(lyon["status"], "done", "{lyon}");
    let people = inside(&agent, "Lyon").await["people"].to_string();
    assert!(people.contains(r#"["bo@acme.example",["owner"#) && !people.contains("ana@"), "{people}");
    agent.ok("create_project", json!({ "name": "Bare" })).await;
    let bare = agent.ok("copy_project", json!({ "from": "Bare", "name": "Barer", "dry_run": true })).await;
    assert!(bare["impact"]["notes"].to_string().contains("project Barer has nobody who owns it"), "{bare}");
}

#[tokio::test]
async fn a_name_that_is_anothers_id_makes_no_other_project_the_target() {
    let agent = Agent::new().await;
    company(&agent).await;
    let atlas = agent.ok("get_project", json!({ "project": "Atlas" })).await;
    agent.ok("create_project", json!({ "name": "Other" })).await;
    let other = agent.ok("get_project", json!({ "project": "Other" })).await;
    let before = inside(&agent, other["id"].as_str().unwrap()).await;
    let copied = agent.call("copy_project", json!({ "from": atlas["id"], "name": other["id"], "people": true })).await;
    assert_eq!(copied["after"]["failed"].as_u64().unwrap_or_default(), 0, "{copied}");
    let all = agent.ok("list_projects", json!({})).await;
    let named_other = all["items"].as_array().unwrap().iter().find(|it| it["project"] == "Other").unwrap();
    let members = agent.ok("list_project_members", json!({ "project": named_other["slug"] })).await;
    assert_eq!(members["items"].as_array().unwrap().len(), before["people"].as_array().unwrap().len(), "{members}");
    agent.fails("copy_project", json!({ "from": "Atlas", "name": "Other" }), "invalid_arguments").await;
}

#[tokio::test]
async fn power_for_outsiders_is_as_grave_in_a_copy_as_alone() {
    let agent = Agent::new().await;
    company(&agent).await;
    agent.ok("create_user", json!({ "email": "eve@evil.example", "name": "Eve" })).await;
    let alone = agent
        .ok("add_project_member", json!({ "project": "Atlas", "member": "eve@evil.example", "roles": ["owner"], "dry_run": true }))
        .await;
    let copied = agent.ok("copy_project", json!({ "from": "Atlas", "name": "Lyon", "owner": "eve@evil.example", "dry_run": true })).await;
    assert_eq!((&copied["impact"]["gravity"], &alone["impact"]["gravity"]), (&json!("critical"), &json!("critical")), "{copied}");
    // Who holds power already is trusted with more of it, alone and in a copy.
    agent.ok("add_project_member", json!({ "project": "Atlas", "member": "eve@evil.example", "roles": ["owner"] })).await;
    agent.ok("create_project", json!({ "name": "Gauge" })).await;
    let alone = agent
        .ok("add_project_member", json!({ "project": "Gauge", "member": "eve@evil.example", "roles": ["owner"], "dry_run": true }))
        .await;
    let among = agent.ok("copy_project", json!({ "from": "Atlas", "name": "Lyon", "dry_run": true })).await;
    assert_eq!(among["impact"]["gravity"], alone["impact"]["gravity"], "{among}");
}

#[tokio::test]
async fn every_service_copies_what_it_can() {
    for (provider, project) in [
        (Provider::Local, "Atlas"),
        (Provider::Geai, "Atlas"),
        (Provider::Openai, "Atlas"),
        (Provider::Seeme, "Atlas"),
        (Provider::Engine, "Churn forecast"),
    ] {
        let world = World::of(provider, Options::default()).await;
        let call = json!({ "from": project, "name": "Lyon office", "people": true });
        world.plan("copy_project", call, [0, 0, 0]).await;
    }
}

#[tokio::test]
async fn a_role_that_only_the_other_project_has_is_made_in_the_new_one() {
    let world = World::of(Provider::Local, Options::default()).await;
    let agent = &world.agent;
    let call = json!({ "from": "Atlas", "name": "Lyon", "people": true });
    let before = agent.dump().await;
    agent.refusing().await.fails("copy_project", call.clone(), "declined").await;
    assert_eq!(agent.dump().await, before);
    let done = agent.ok("copy_project", call).await;
    assert_eq!(done["status"], "done", "{done}");
    let [question] = agent.questions().try_into().unwrap();
    assert!(question.contains("Create role in project Lyon") && question.contains("release manager"), "{question}");
    let role = |project: &str| json!({ "role": "release manager", "project": project });
    let (atlas, lyon) = (agent.ok("get_role", role("Atlas")).await, agent.ok("get_role", role("Lyon")).await);
    assert_ne!(atlas["id"], lyon["id"]);
    assert_eq!((&atlas["permissions"], &atlas["description"]), (&lyon["permissions"], &lyon["description"]));
    let chidi = agent.ok("get_project_member", json!({ "project": "Lyon", "member": "chidi.okonjo@acme.example" })).await;
    let mut roles: Vec<&str> = chidi["roles"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["member", "release manager"], "{chidi}");
    // Without the people nobody holds it, and it is not made.
    let bare = agent.ok("copy_project", json!({ "from": "Atlas", "name": "Nice", "dry_run": true })).await;
    assert!(!bare.to_string().contains("release manager"), "{bare}");
}
