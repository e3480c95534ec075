//! Many people into projects at once, through a real client.

use crate::{
    company::{acme, column, declined, email, join, owned, refused},
    support::{Agent, Value, json},
};

fn outcomes(answer: &Value) -> Vec<String> {
    let items = answer["after"]["items"].as_array().unwrap();
    items
        .iter()
        .map(|it| {
            let reason = it["reason"].as_str().map(|it| format!(": {it}")).unwrap_or_default();
            format!("{} {} {}{reason}", it["member"].as_str().unwrap(), it["project"].as_str().unwrap(), it["outcome"].as_str().unwrap())
        })
        .collect()
}

async fn company(agent: &Agent) {
    acme(agent, &["ana", "bo", "cy"]).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    agent.ok("create_project", json!({ "name": "Data, Lab" })).await;
}

#[tokio::test]
async fn people_are_added_from_a_list_with_an_outcome_each() {
    for agent in Agent::each().await {
        company(&agent).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        let people = json!({ "people": [
            { "project": "atlas", "member": "ANA@acme.example", "roles": ["member", "viewer"] },
            { "project": "Atlas", "member": email("bo"), "roles": ["viewer"] },
            { "project": "Data, Lab", "member": email("bo"), "roles": ["member"] },
            { "project": "ATLAS", "member": email("ana"), "roles": ["viewer", "member"] },
            { "project": "Data, Lab", "member": email("cy"), "roles": ["viewer"] },
        ] });
        let done = agent.ok("add_project_members", people.clone()).await;
        assert_eq!(
            outcomes(&done),
            [
                "ana@acme.example Atlas done",
                "bo@acme.example Atlas skipped: is a member already",
                "bo@acme.example Data, Lab done",
                "ana@acme.example Atlas skipped: duplicate of row 1",
                "cy@acme.example Data, Lab done",
            ]
        );
        assert_eq!(done["after"]["done"], 3, "{done}");
        assert_eq!(done["after"]["skipped"], 2, "{done}");
        assert_eq!((&done["target"]["kind"], &done["target"]["name"]), (&json!("batch"), &json!("3 people")), "{done}");
        assert!(done["target"]["within"].as_str().unwrap().contains("Data, Lab ["), "{done}");
        assert_eq!(agent.questions(), [""; 0], "no power over others, no question");
        let list = agent.ok("list_project_members", json!({ "project": "Atlas" })).await;
        assert_eq!(column(&list, "member"), [email("ana"), email("bo")]);
        assert_eq!(list["items"][0]["roles"], json!(["member", "viewer"]), "{list}");
        let again = agent.ok("add_project_members", people).await;
        assert_eq!((&again["after"]["done"], &again["after"]["skipped"]), (&json!(0), &json!(5)), "{again}");
    }
}

#[tokio::test]
async fn people_are_added_from_a_file() {
    for agent in Agent::each().await {
        company(&agent).await;
        let csv = "\u{feff}# the new ones\nproject,email,roles\natlas,ana@acme.example,member;viewer\n\n# two projects\n\"Data, Lab\", Bo@Acme.example ,viewer|member\natlas,bo@acme.example,viewer\r\n";
        let done = agent.ok("add_project_members", json!({ "csv": csv })).await;
        assert_eq!(outcomes(&done), ["ana@acme.example Atlas done", "bo@acme.example Data, Lab done", "bo@acme.example Atlas done"],);
        assert_eq!(done["after"]["items"][1]["roles"], json!(["viewer", "member"]), "{done}");
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_and_nothing_is_changed() {
    for agent in Agent::each().await {
        company(&agent).await;
        agent.ok("create_project", json!({ "name": "Old" })).await;
        agent.ok("archive_project", json!({ "project": "Old" })).await;
        let csv = "# who\n\
                   Atlas,ana@acme.example,viewer\n\
                   Atlantis,ana@acme.example,viewer\n\
                   Atlas,di@acme.example,viewer\n\
                   Atlas,bo@acme.example,chief\n\
                   \n\
                   Old,bo@acme.example,viewer\n\
                   Atlas,cy@acme.example\n\
                   Atlas,ana@acme.example,owner\n";
        let refusal = refused(&agent, "add_project_members", json!({ "csv": csv }), "invalid_arguments").await;
        let message = refusal["message"].as_str().unwrap();
        let lines: Vec<&str> = message.lines().collect();
        assert_eq!(lines[0], "6 rows of 7 cannot be added, so nothing was changed:", "{message}");
        for (line, start) in lines[1..].iter().zip([
            "row 3: no project `Atlantis`",
            "row 4: `di@acme.example` is not a member of `Acme`",
            "row 5: no role `chief`",
            "row 7: project `Old` is archived",
            "row 8: it has 2 of the 3 columns",
            "row 9: gives `ana@acme.example` other roles in project `Atlas` than row 2",
        ]) {
            assert!(line.starts_with(start), "{line} does not start with {start}");
        }
    }
}

#[tokio::test]
async fn who_is_a_member_with_other_roles_is_left_alone_and_it_is_said() {
    for agent in Agent::each().await {
        company(&agent).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        let done = agent.ok("add_project_members", json!({ "csv": "Atlas,bo@acme.example,owner" })).await;
        assert_eq!(agent.questions(), [""; 0], "nothing is given, nothing is asked");
        let expected =
            "bo@acme.example Atlas skipped: is a member already, as viewer; for other roles use assign_role or update_project_member";
        assert_eq!(outcomes(&done), [expected]);
        assert_eq!(agent.ok("get_project_member", json!({ "project": "Atlas", "member": email("bo") })).await["roles"], json!(["viewer"]));
    }
}

#[tokio::test]
async fn one_question_names_all_who_get_power() {
    for agent in Agent::each().await {
        company(&agent).await;
        owned(&agent).await;
        let csv = "Atlas,ana@acme.example,owner\nAtlas,bo@acme.example,owner;viewer\n\"Data, Lab\",cy@acme.example,viewer\n";
        let preview = declined(&agent, "add_project_members", json!({ "csv": csv })).await;
        assert_eq!(
            preview["impact"],
            json!({
                "gravity": "low",
                "notes": [
                    "into 2 projects: Atlas (2), Data, Lab (1)",
                    format!("become owner of project Atlas, with power over others: {}, {}", email("ana"), email("bo")),
                    format!("joins project Atlas as viewer: {}", email("bo")),
                    format!("joins project Data, Lab as viewer: {}", email("cy")),
                ],
                "undo": "remove_project_member for each who was added",
            }),
            "{preview}"
        );
        agent.ok("add_project_members", json!({ "csv": csv })).await;
        assert_eq!(agent.questions().len(), 1);
    }
}

#[tokio::test]
async fn a_batch_has_one_source_and_at_most_a_thousand_rows() {
    for agent in Agent::each().await {
        company(&agent).await;
        let one = json!([{ "project": "Atlas", "member": email("ana"), "roles": ["viewer"] }]);
        refused(&agent, "add_project_members", json!({ "people": one, "csv": "Atlas,ana@acme.example,viewer" }), "invalid_arguments").await;
        refused(&agent, "add_project_members", json!({}), "invalid_arguments").await;
        refused(&agent, "add_project_members", json!({ "csv": "# nobody\n" }), "invalid_arguments").await;
        refused(&agent, "add_project_members", json!({ "csv": "project,member\nAtlas,ana@acme.example" }), "invalid_arguments").await;
        let many = "Atlas,ana@acme.example,viewer\n".repeat(1001);
        refused(&agent, "add_project_members", json!({ "csv": many }), "invalid_arguments").await;
        let full = "Atlas,ana@acme.example,viewer\n".repeat(1000);
        let done = agent.ok("add_project_members", json!({ "csv": full })).await;
        assert_eq!((&done["after"]["done"], &done["after"]["skipped"]), (&json!(1), &json!(999)));
    }
}

#[tokio::test]
async fn a_thousand_people_are_added_in_one_call() {
    let agent = Agent::new().await;
    company(&agent).await;
    let mut tx = agent.db().begin().await.unwrap();
    for n in 0..1000 {
        let user =
            "INSERT INTO users (id, email, name, name_key, created_at) VALUES ('u' || $1, 'p' || $1 || '@acme.example', 'P', 'p', 0)";
        let member = "INSERT INTO organization_members (organization_id, user_id, role_id, joined_at) \
                      SELECT id, 'u' || $1, 'role_organization_member', 0 FROM organizations";
        for sql in [user, member] {
            tx.run(sql, &[rolecall::store::Val::from(n.to_string())]).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    let csv = (0..1000).map(|n| format!("Atlas,p{n}@acme.example,owner;viewer\n")).collect::<Vec<_>>().concat();
    let done = agent.ok("add_project_members", json!({ "csv": csv })).await;
    assert_eq!(done["after"]["done"], 1000);
    assert_eq!(agent.ok("list_project_members", json!({ "project": "Atlas", "role": "owner" })).await["total"], 1000);
}
