//! Many people invited at once, wherever they are now, through a real client.

use crate::{
    company::{acme, email, join, owned},
    practice::{Provider, World},
    support::{Agent, Options, Value, json},
};

/// Whom it was about, and how it ended, each with the reason.
fn outcomes(answer: &Value) -> Vec<String> {
    let told = |it: &Value| {
        let reason = it["reason"].as_str().map(|it| format!(": {it}")).unwrap_or_default();
        format!("{} {}{reason}", it["target"].as_str().unwrap_or_default(), it["outcome"].as_str().unwrap())
    };
    answer["after"]["items"].as_array().unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn members_are_added_outsiders_invited_and_whoever_is_there_is_left() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo", "cy", "di"]).await;
        owned(&agent).await;
        agent.ok("create_project", json!({ "name": "Borealis" })).await;
        join(&agent, "Borealis", "cy", &["viewer"]).await;
        join(&agent, "Borealis", "di", &["member"]).await;
        let people = json!({ "role": "member", "projects": ["Borealis"], "people": [
            "Ana of Acme <ANA@acme.example>", "bo@acme.example", "cy@acme.example", "di@acme.example", "eve@partner.example", "not-an-address",
            "ana@acme.example", "fay@acme.example",
        ] });
        let before = agent.dump().await;
        let refusing = agent.refusing().await;
        refusing.fails("invite_people", people.clone(), "declined").await;
        assert_eq!(agent.dump().await, before, "nobody comes in without a yes");
        let done = agent.ok("invite_people", people.clone()).await;
        assert_eq!(
            outcomes(&done),
            [
                "member ana@acme.example done",
                "member bo@acme.example done",
                "person cy@acme.example differs: `cy@acme.example` is in project `Borealis` already, as viewer; replace the roles with \
                 update_project_member, or add one with assign_role",
                "person di@acme.example skipped: `di@acme.example` is in project `Borealis` already, as member",
                "invitation eve@partner.example done",
                "person not-an-address failed: row 6: `not-an-address` is not an e-mail address such as ana@acme.example",
                "person ana@acme.example skipped: duplicate of row 1",
                "invitation fay@acme.example done",
            ]
        );
        let [question] = agent.questions().try_into().unwrap();
        for told in [
            "Invite people: batch 4 people",
            "is invited to organization Acme as member; is invited to project Borealis as member",
            "eve@partner.example",
            "joins project Borealis as member: ana@acme.example, bo@acme.example",
            "1 left with the role that they have: row 3",
            "1 cannot be made: row 6",
        ] {
            assert!(question.contains(told), "{told}: {question}");
        }
        let again = agent.ok("invite_people", people).await;
        assert_eq!(
            (&again["after"]["done"], agent.questions()),
            (&json!(0), Vec::new()),
            "nothing is to be done, nothing is asked: {again}"
        );
        agent.ok("undo", json!({ "job": done["job"] })).await;
        let mut after = agent.dump().await;
        for table in ["project_members", "organization_members", "role_assignments"] {
            assert_eq!(after.remove(table), before.get(table).cloned(), "{table}");
        }
    }
}

#[tokio::test]
async fn a_table_names_addresses_roles_and_projects_of_its_own() {
    let agent = Agent::new().await;
    acme(&agent, &["ana", "bo"]).await;
    for name in ["Atlas", "Borealis"] {
        agent.ok("create_project", json!({ "name": name })).await;
    }
    let csv =
        "Name;E-mail;Role;Project\nAna;ana@acme.example;viewer;Atlas\nBo;bo@acme.example;;Borealis\nAna;ana@acme.example;member;Borealis\n";
    let done = agent.ok("invite_people", json!({ "csv": csv, "role": "member" })).await;
    assert_eq!(done["after"]["done"], 3, "{done}");
    let ana = agent.ok("list_project_memberships", json!({ "email": email("ana") })).await;
    let held: Vec<_> = ana["items"].as_array().unwrap().iter().map(|it| (it["project"].clone(), it["roles"].clone())).collect();
    assert_eq!(held, [(json!("Atlas"), json!(["viewer"])), (json!("Borealis"), json!(["member"]))]);
    let bare = agent.ok("invite_people", json!({ "csv": "gil@acme.example\nhal@acme.example,reader\n" })).await;
    assert_eq!(outcomes(&bare), ["invitation gil@acme.example done", "invitation hal@acme.example done"]);
}

#[tokio::test]
async fn whoever_is_outside_gets_no_role_that_an_invitation_cannot_give() {
    let agent = Agent::new().await;
    acme(&agent, &["ana"]).await;
    owned(&agent).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    let done = agent
        .ok("invite_people", json!({ "people": ["ana@acme.example", "eve@acme.example"], "role": "owner", "projects": ["Atlas"] }))
        .await;
    assert_eq!(done["after"]["done"], 2, "{done}");
    assert!(done["after"]["notes"][0].as_str().unwrap().ends_with("have accepted: eve@acme.example"), "{done}");
    let invited = agent.ok("list_invitations", json!({})).await;
    assert_eq!(invited["items"][0]["projects"], Value::Null, "{invited}");
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_before_anybody_is_asked() {
    let agent = Agent::new().await;
    acme(&agent, &["ana"]).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    agent.questions();
    let before = agent.dump().await;
    for (arguments, code) in [
        (json!({}), "invalid_arguments"),
        (json!({ "people": ["ana@acme.example"], "csv": "ana@acme.example" }), "invalid_arguments"),
        (json!({ "people": ["ana@acme.example"], "projects": ["Atlas"] }), "invalid_arguments"),
        (json!({ "people": ["ana@acme.example"], "projects": ["Nowhere"], "role": "member" }), "project_not_found"),
    ] {
        agent.fails("invite_people", arguments, code).await;
    }
    assert_eq!((agent.questions(), agent.dump().await), (Vec::new(), before));
}

#[tokio::test]
async fn every_service_brings_people_in_as_it_can() {
    // A member of the organization who is not in the project, and somebody whom nobody knows.
    for (provider, project, role, insider) in [
        (Provider::Local, "Borealis", "member", "linh.tran@acme.example"),
        (Provider::Geai, "Ember", "Project member", "tomas.quiroga@acme.example"),
        (Provider::Openai, "Atlas", "member", "linh.tran@acme.example"),
        (Provider::Seeme, "Beacon", "Project viewer", "ana.ruiz@acme.example"),
        (Provider::Engine, "Churn forecast", "ProjectViewer", "priya.raman@acme.example"),
    ] {
        let world = World::of(provider, Options::default()).await;
        let call = json!({ "people": [insider, "new.person@acme.example", "nobody"], "role": role, "projects": [project] });
        // Nobody has an account of this address there, and the service invites nobody.
        let expected = if provider == Provider::Engine { [2, 0, 0] } else { [1, 0, 0] };
        world.plan("invite_people", call, expected).await;
    }
}

#[tokio::test]
async fn people_are_let_in_until_a_time_whether_they_are_members_or_invited() {
    let world = World::of(Provider::Local, Options::default()).await;
    let agent = &world.agent;
    let call = json!({ "people": ["lucia.herrera@acme.example", "new.one@acme.example"], "projects": ["Cobalt"], "role": "member", "ends_at": "2 weeks" });
    let done = agent.ok("invite_people", call).await;
    assert_eq!(done["status"], "done", "{done}");
    let question = agent.questions().join("\n");
    assert_eq!(question.matches("ends by itself: until").count(), 2, "{question}");
    let cobalt = async || agent.ok("list_project_members", json!({ "project": "Cobalt", "limit": 100 })).await.to_string();
    assert!(cobalt().await.contains("lucia.herrera@acme.example"));
    crate::ends::time_comes(agent).await;
    assert!(!cobalt().await.contains("lucia.herrera@acme.example"));
    let invited = agent.ok("list_invitations", json!({ "organization": "Acme", "status": "pending", "limit": 100 })).await.to_string();
    assert!(!invited.contains("new.one@acme.example"), "{invited}");
}
