//! What one person holds, given to another, through a real client.

use crate::{
    company::{acme, email, join, key_of, owned, team},
    practice::{Provider, World},
    support::{Agent, Options, Value, json},
};

/// The places that somebody reaches on their own, with roles.
async fn held(agent: &Agent, person: &str) -> Vec<(Value, Value)> {
    let list = agent.ok("list_project_memberships", json!({ "email": email(person) })).await;
    let mut held: Vec<_> = list["items"].as_array().unwrap().iter().map(|it| (it["project"].clone(), it["roles"].clone())).collect();
    held.sort_by_key(|it| it.0.to_string());
    held
}

async fn company(agent: &Agent) {
    acme(agent, &["jonas", "maya"]).await;
    owned(agent).await;
    for name in ["Atlas", "Borealis", "Gauge"] {
        agent.ok("create_project", json!({ "name": name })).await;
    }
    join(agent, "Atlas", "jonas", &["member", "viewer"]).await;
    join(agent, "Borealis", "jonas", &["viewer"]).await;
    join(agent, "Gauge", "jonas", &["member"]).await;
    team(agent, "Core", &["jonas"]).await;
    agent.ok("update_team_member", json!({ "team": "Core", "member": email("jonas"), "role": "maintainer" })).await;
    agent.ok("create_role", json!({ "name": "Observer", "permissions": ["organization.read"] })).await;
    agent.ok("assign_role", json!({ "role": "Observer", "member": email("jonas") })).await;
    key_of(agent, "Atlas", "jonas", "laptop").await;
    agent.questions();
}

#[tokio::test]
async fn projects_teams_with_roles_and_further_roles_are_the_same_afterwards() {
    for agent in Agent::each().await {
        company(&agent).await;
        join(&agent, "Gauge", "maya", &["viewer"]).await;
        agent.questions();
        let call = json!({ "from": "jonas of Acme", "to": email("maya") });
        let before = agent.dump().await;
        let refusing = agent.refusing().await;
        refusing.fails("copy_access", call.clone(), "declined").await;
        assert_eq!(agent.dump().await, before, "nothing is given without a yes");

        let done = agent.ok("copy_access", call.clone()).await;
        assert_eq!(done["status"], "done", "{done}");
        let [question] = agent.questions().try_into().unwrap();
        for told in [
            "Copy access: member maya@acme.example",
            "as jonas@acme.example has it",
            "joins project Atlas as member",
            "these are not copied: laptop",
        ] {
            assert!(question.contains(told), "{told}: {question}");
        }
        let own = |list: Vec<(Value, Value)>| list.into_iter().filter(|it| it.0 != "Gauge").collect::<Vec<_>>();
        assert_eq!(own(held(&agent, "maya").await), own(held(&agent, "jonas").await));
        let team = agent.ok("list_team_members", json!({ "team": "Core" })).await;
        let roles: Vec<_> = team["items"].as_array().unwrap().iter().map(|it| (it["member"].clone(), it["roles"].clone())).collect();
        assert_eq!(roles, [(json!("jonas@acme.example"), json!(["maintainer"])), (json!("maya@acme.example"), json!(["maintainer"]))]);
        let maya = agent.ok("get_organization_member", json!({ "member": email("maya") })).await;
        assert_eq!(maya["roles"], json!(["member", "Observer"]));

        let again = agent.ok("copy_access", call).await;
        assert_eq!((&again["after"]["done"], agent.questions()), (&json!(0), Vec::new()), "it is so already: {again}");
        agent.ok("undo", json!({ "job": done["job"] })).await;
        let mut after = agent.dump().await;
        for table in ["project_members", "organization_members", "team_members"] {
            assert_eq!(after.remove(table), before.get(table).cloned(), "{table}");
        }
    }
}

#[tokio::test]
async fn parts_can_be_chosen_and_whoever_is_outside_is_brought_in() {
    let agent = Agent::new().await;
    company(&agent).await;
    let teams = agent.ok("copy_access", json!({ "from": email("jonas"), "to": email("maya"), "only": ["teams"] })).await;
    assert_eq!((&teams["after"]["done"], &teams["after"]["items"][0]["tool"]), (&json!(1), &json!("add_team_member")), "{teams}");

    // Nobody knows them: they are invited, and what waits for their yes is named.
    let invited = agent.ok("copy_access", json!({ "from": email("jonas"), "to": "new@acme.example" })).await;
    assert_eq!(
        (&invited["after"]["done"], &invited["after"]["items"][0]["tool"]),
        (&json!(1), &json!("invite_organization_member")),
        "{invited}"
    );
    let notes = invited["after"]["notes"].to_string();
    assert!(
        notes.contains("new@acme.example has to accept the invitation first") && notes.contains("team Core as maintainer"),
        "{invited}"
    );

    // They have an account, and are in another organization only.
    agent.ok("create_organization", json!({ "name": "Other" })).await;
    agent.ok("create_user", json!({ "email": "ola@other.example", "name": "Ola", "organization": "Other" })).await;
    let brought = agent.ok("copy_access", json!({ "from": email("jonas"), "to": "ola@other.example" })).await;
    assert_eq!(brought["status"], "done", "{brought}");
    let ola = agent.ok("list_project_memberships", json!({ "email": "ola@other.example" })).await;
    assert_eq!(ola["items"].as_array().unwrap().len(), 3, "{ola}");
}

#[tokio::test]
async fn a_part_of_a_name_is_nobodys_and_nothing_is_copied_from_nobody() {
    let agent = Agent::new().await;
    company(&agent).await;
    let before = agent.dump().await;
    let near = agent.fails("copy_access", json!({ "from": "jonas", "to": email("maya") }), "member_not_found").await;
    assert!(near["fix"].as_str().unwrap().contains("jonas@acme.example (jonas of Acme)"), "{near}");
    agent.fails("copy_access", json!({ "from": email("jonas"), "to": email("jonas") }), "invalid_arguments").await;
    agent.fails("copy_access", json!({ "from": "nobody@acme.example", "to": email("maya") }), "member_not_found").await;
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn power_that_is_copied_is_asked_about_as_if_it_were_given_alone() {
    let agent = Agent::new().await;
    company(&agent).await;
    join(&agent, "Atlas", "olga", &["owner"]).await;
    agent.ok("create_user", json!({ "email": "eve@evil.example", "name": "Eve" })).await;
    agent.questions();
    let alone = agent
        .ok("add_project_member", json!({ "project": "Atlas", "member": "eve@evil.example", "roles": ["owner"], "dry_run": true }))
        .await;
    let copied =
        agent.ok("copy_access", json!({ "from": email("olga"), "to": "eve@evil.example", "only": ["projects"], "dry_run": true })).await;
    assert_eq!((&copied["impact"]["gravity"], &alone["impact"]["gravity"]), (&json!("critical"), &json!("critical")), "{copied}");
}

#[tokio::test]
async fn every_service_gives_what_it_can() {
    for (provider, from, to) in [
        (Provider::Local, "jonas.weber", "linh.tran"),
        (Provider::Geai, "amara.diallo", "tomas.quiroga"),
        (Provider::Openai, "jonas.weber", "linh.tran"),
        (Provider::Seeme, "priya.raman", "ana.ruiz"),
        (Provider::Engine, "ana.ruiz", "priya.raman"),
    ] {
        let world = World::of(provider, Options::default()).await;
        let call = json!({ "from": email(from), "to": email(to) });
        // Its team is managed elsewhere, which is told.
        let expected = if provider == Provider::Openai { [1, 0, 0] } else { [0, 0, 0] };
        world.plan("copy_access", call, expected).await;
    }
}

#[tokio::test]
async fn people_are_named_as_they_are_called_also_where_there_are_several_organizations() {
    let world = World::of(Provider::Local, Options::default()).await;
    let agent = &world.agent;
    let done = agent.ok("copy_access", json!({ "from": "Jonas Weber", "to": "Yuna Seo", "only": ["projects"] })).await;
    assert_eq!(done["status"], "done", "{done}");
    let yuna = agent.ok("get_project_member", json!({ "project": "Atlas", "member": "yuna.seo@acme.example" })).await;
    assert_eq!(yuna["roles"], json!(["member"]), "{yuna}");
    let before = agent.dump().await;
    let unknown = agent.fails("copy_access", json!({ "from": "Jonas Weber", "to": "Maya Lin" }), "member_not_found").await;
    assert!(unknown["fix"].as_str().unwrap().contains("of somebody who is not there yet, give the e-mail address"), "{unknown}");
    agent.fails("copy_access", json!({ "from": "Jonas", "to": "maya.lin@acme.example" }), "member_not_found").await;
    assert_eq!(agent.dump().await, before);
}
