//! Somebody taken off everything, in one account and in five, through a real client.

use crate::{
    company::{acme, email, join, key_of, owned, team},
    five::Five,
    practice::{Provider, World},
    support::{Agent, Options, Value, json},
};

/// Ana owns Atlas alone and has a key there, is in Borealis and in a team.
async fn company(agent: &Agent) {
    acme(agent, &["ana", "bo"]).await;
    owned(agent).await;
    for name in ["Atlas", "Borealis"] {
        agent.ok("create_project", json!({ "name": name })).await;
    }
    join(agent, "Atlas", "ana", &["owner"]).await;
    join(agent, "Atlas", "bo", &["member"]).await;
    join(agent, "Borealis", "ana", &["viewer"]).await;
    join(agent, "Borealis", "bo", &["owner"]).await;
    team(agent, "Core", &["ana"]).await;
    key_of(agent, "Atlas", "ana", "ana-laptop").await;
    agent.ok("create_organization", json!({ "name": "Other" })).await;
    agent.ok("invite_organization_member", json!({ "email": email("ana"), "organization": "Other" })).await;
    agent.questions();
}

fn tools(answer: &Value) -> Vec<String> {
    let told = |it: &Value| format!("{} {}", it["tool"].as_str().unwrap(), it["outcome"].as_str().unwrap());
    answer["after"]["items"].as_array().unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn all_ways_are_gone_and_what_stays_behind_is_named() {
    for agent in Agent::each().await {
        company(&agent).await;
        let before = agent.dump().await;
        let call = json!({ "member": email("ana") });
        let refusing = agent.refusing().await;
        refusing.fails("offboard_person", call.clone(), "declined").await;
        assert_eq!(agent.dump().await, before, "nothing is taken without a yes");

        let done = agent.ok("offboard_person", call).await;
        assert_eq!(tools(&done), ["cancel_invitation done", "remove_organization_member done"]);
        let stays = json!(["key ana-laptop still works", "project Atlas has no owner now"]);
        let mut notes: Vec<Value> = done["after"]["notes"].as_array().unwrap().clone();
        notes.sort_by_key(Value::to_string);
        assert_eq!(json!(notes), stays, "{done}");
        let [question] = agent.questions().try_into().unwrap();
        for told in [
            "Offboard person: person ana@acme.example",
            "key ana-laptop still works",
            "project Atlas has no owner now",
            "To confirm, type: ana@acme.example",
        ] {
            assert!(question.contains(told), "{told}: {question}");
        }
        let left = agent.ok("list_memberships", json!({ "email": email("ana") })).await;
        assert_eq!(left["items"], json!([]), "{left}");
        let undone = agent.ok("undo", json!({ "last": true })).await;
        assert_eq!(undone["status"], "done", "{undone}");
        let mut after = agent.dump().await;
        for table in ["project_members", "organization_members", "team_members"] {
            let plain = |text: Option<String>| -> Vec<String> {
                let is_new = |it: &&str| ["joined_at=", "created_at="].iter().any(|name| it.starts_with(name));
                text.unwrap_or_default()
                    .lines()
                    .map(|line| line.split(' ').filter(|it| !is_new(it)).collect::<Vec<_>>().join(" "))
                    .collect()
            };
            assert_eq!(plain(after.remove(table)), plain(before.get(table).cloned()), "{table}");
        }
    }
}

#[tokio::test]
async fn a_successor_gets_what_nobody_else_owns_and_keys_are_stopped() {
    for agent in Agent::each().await {
        company(&agent).await;
        let call = json!({ "member": email("ana"), "successor": email("bo"), "keys": "stop" });
        let done = agent.ok("offboard_person", call).await;
        assert_eq!(
            tools(&done),
            ["update_project_member done", "update_api_key done", "cancel_invitation done", "remove_organization_member done"]
        );
        let question = agent.questions().pop().unwrap();
        assert!(!question.contains("no owner"), "{question}");
        let atlas = agent.ok("list_project_members", json!({ "project": "Atlas" })).await;
        let people: Vec<_> = atlas["items"].as_array().unwrap().iter().map(|it| (it["member"].clone(), it["roles"].clone())).collect();
        assert_eq!(people, [(json!("bo@acme.example"), json!(["owner"]))]);
        let keys = agent.ok("list_api_keys", json!({ "project": "Atlas" })).await;
        assert_eq!(keys["items"][0]["status"], "blocked", "{keys}");
    }
}

#[tokio::test]
async fn the_last_owner_of_an_organization_stays_until_somebody_succeeds() {
    let agent = Agent::new().await;
    acme(&agent, &["bo"]).await;
    owned(&agent).await;
    let before = agent.dump().await;
    let alone = agent.ok("offboard_person", json!({ "member": email("olga") })).await;
    assert_eq!((tools(&alone), &alone["status"]), (vec!["remove_organization_member failed".to_owned()], &json!("failed")));
    assert!(alone["after"]["items"][0]["reason"].as_str().unwrap().contains("last owner"), "{alone}");
    assert_eq!(agent.dump().await, before);
    let done = agent.ok("offboard_person", json!({ "member": email("olga"), "successor": email("bo") })).await;
    assert_eq!(tools(&done), ["update_organization_member done", "remove_organization_member done"]);
}

#[tokio::test]
async fn what_is_wrong_with_the_call_is_told_before_anything_is_sent() {
    let agent = Agent::new().await;
    company(&agent).await;
    let before = agent.dump().await;
    for (arguments, code) in [
        (json!({ "member": "nobody@acme.example" }), "member_not_found"),
        (json!({ "member": email("ana"), "successor": email("ana") }), "invalid_arguments"),
        (json!({ "member": email("ana"), "connections": ["elsewhere"] }), "unknown_connection"),
        (json!({ "member": email("ana"), "connection": "local" }), "invalid_arguments"),
    ] {
        agent.fails("offboard_person", arguments, code).await;
    }
    assert_eq!((agent.questions(), agent.dump().await), (Vec::new(), before));
}

#[tokio::test]
async fn five_accounts_are_left_at_once_and_the_one_that_is_down_is_named() {
    let five = Five::new().await;
    let agent = &five.agent;
    let call = json!({ "member": "ana.ruiz@acme.example" });
    agent.refusing().await.fails("offboard_person", call.clone(), "declined").await;
    assert_eq!(five.changes(), [0, 0, 0], "a person said no");

    let done = agent.ok("offboard_person", call).await;
    let on: std::collections::BTreeSet<&str> =
        done["after"]["items"].as_array().unwrap().iter().map(|it| it["on"].as_str().unwrap()).collect();
    assert_eq!(on.into_iter().collect::<Vec<_>>(), ["acme", "globant", "practice", "vision"], "{done}");
    let notes = done["after"]["notes"].to_string();
    for told in ["lab did not answer, and nothing is taken there", "key ana-laptop still works", "Atlas"] {
        assert!(notes.contains(told), "{told}: {notes}");
    }
    let left = agent.ok("list_memberships", json!({ "email": "ana.ruiz@acme.example" })).await;
    let left: Vec<_> = left["items"].as_array().unwrap().iter().map(|it| it["connection"].as_str().unwrap()).collect();
    assert!(left.is_empty() || left == ["globant"], "{left:?}");
}

#[tokio::test]
async fn every_service_lets_somebody_go_as_it_can() {
    for provider in [Provider::Local, Provider::Geai, Provider::Openai, Provider::Seeme, Provider::Engine] {
        let world = World::of(provider, Options::default()).await;
        let call = json!({ "member": "ana.ruiz@acme.example", "successor": "helena.brandt@acme.example", "keys": "stop" });
        world.plan("offboard_person", call, [0, 0, 0]).await;
    }
}

#[tokio::test]
async fn a_successor_is_found_by_name_and_owns_beside_what_they_were() {
    let world = World::of(Provider::Local, Options::default()).await;
    let agent = &world.agent;
    // Jonas is a member of Atlas, and not in Borealis.
    let done = agent.ok("offboard_person", json!({ "member": "Ana Ruiz", "successor": "Jonas Weber" })).await;
    assert_eq!(tools(&done), ["update_project_member done", "add_project_member done", "remove_organization_member done"], "{done}");
    assert!(done["after"]["items"][0]["target"].to_string().contains("jonas.weber@acme.example"), "{done}");
    assert!(!done["after"]["notes"].to_string().contains("no owner"), "{done}");
    for project in ["Atlas", "Borealis"] {
        let jonas = agent.ok("get_project_member", json!({ "project": project, "member": "jonas.weber@acme.example" })).await;
        assert!(jonas["roles"].as_array().unwrap().contains(&json!("owner")), "{project}: {jonas}");
    }
    for successor in ["Nobody Here", "leo"] {
        let wrong = json!({ "member": "mei.tanaka@acme.example", "successor": successor });
        let before = agent.dump().await;
        assert!(agent.call("offboard_person", wrong).await["code"].as_str().unwrap().ends_with("_not_found"));
        assert_eq!(agent.dump().await, before);
    }
    let themselves = json!({ "member": "mei.tanaka@acme.example", "successor": "Mei Tanaka" });
    agent.fails("offboard_person", themselves, "invalid_arguments").await;
}

#[tokio::test]
async fn keys_that_are_handed_over_get_a_new_one_in_their_place_and_end() {
    for agent in Agent::each().await {
        company(&agent).await;
        let call = json!({ "member": email("ana"), "successor": email("bo"), "keys": "hand_over" });
        let before = agent.dump().await;
        agent.refusing().await.fails("offboard_person", call.clone(), "declined").await;
        assert_eq!(agent.dump().await, before, "nothing is made without a yes");
        let done = agent.ok("offboard_person", call).await;
        assert_eq!(
            tools(&done),
            [
                "update_project_member done",
                "create_service_account done",
                "create_api_key done",
                "update_api_key done",
                "cancel_invitation done",
                "remove_organization_member done"
            ],
            "{done}"
        );
        let notes = done["after"]["notes"].to_string();
        let told =
            "key ana-laptop-handed-over of project Atlas is in the secrets folder: bo@acme.example puts it where key ana-laptop is used";
        assert!(notes.contains(told), "{notes}");
        let keys = agent.ok("list_api_keys", json!({ "project": "Atlas" })).await;
        let key = |name: &str| keys["items"].as_array().unwrap().iter().find(|it| it["api_key"] == name).cloned().unwrap();
        assert_eq!(key("ana-laptop-handed-over")["owner"], "ana-laptop-handed-over", "{keys}");
        assert!(key("ana-laptop")["expires_at"].is_string(), "{keys}");
        assert!(!done.to_string().contains("rk_"), "no value passes the model");
    }
}

#[tokio::test]
async fn at_a_service_each_key_gets_an_account_of_a_program_and_it_is_said_who_has_to_do_what() {
    let world = World::of(Provider::Openai, Options::default()).await;
    let done = world
        .agent
        .ok("offboard_person", json!({ "member": "ana.ruiz@acme.example", "successor": "helena.brandt@acme.example", "keys": "hand_over" }))
        .await;
    let made: Vec<String> = tools(&done).into_iter().filter(|it| it.starts_with("create_service_account")).collect();
    let notes = done["after"]["notes"].to_string();
    assert!(!made.is_empty() && made.iter().all(|it| it.ends_with("done")), "{done}");
    assert!(notes.contains("helena.brandt@acme.example puts it where key laptop is used, which ends in 7 days"), "{notes}");
}

#[tokio::test]
async fn undone_it_says_which_keys_stay_nobodys() {
    let agent = Agent::new().await;
    company(&agent).await;
    agent.ok("offboard_person", json!({ "member": email("ana") })).await;
    let undone = agent.ok("undo", json!({ "last": true })).await;
    assert!(
        undone["after"]["notes"].to_string().contains("may stay without an owner, since nothing gives it back: ana-laptop"),
        "{undone}"
    );
}
