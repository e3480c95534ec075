//! People of projects, through a real client.

use crate::{
    company::{acme, column, declined, email, join, key_of, owned, refused, team},
    support::{Agent, Value, json},
};

fn of(project: &str, person: &str) -> Value {
    json!({ "project": project, "member": email(person) })
}

fn with(project: &str, person: &str, roles: &[&str]) -> Value {
    json!({ "project": project, "member": email(person), "roles": roles })
}

#[tokio::test]
async fn somebody_joins_a_project_changes_role_and_leaves() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        agent.ok("create_project", json!({ "name": "Atlas", "admin_email": email("bo") })).await;
        agent.questions();
        let added = agent
            .ok("add_project_member", json!({ "project": "ATLAS", "member": "Ana@Acme.example", "roles": ["viewer", "Member", "viewer"] }))
            .await;
        assert_eq!(added["after"]["roles"], json!(["member", "viewer"]), "{added}");
        assert_eq!(added["after"]["project"], "Atlas", "{added}");
        assert_eq!(agent.questions(), [""; 0], "no power over others, no question");
        let read = agent.ok("get_project_member", of("Atlas", "ana")).await;
        assert_eq!((&read["member"], &read["roles"]), (&json!(email("ana")), &json!(["member", "viewer"])), "{read}");
        let id = read["id"].clone();
        let changed = agent.ok("update_project_member", json!({ "project": "Atlas", "member": id, "role": "viewer" })).await;
        assert_eq!(changed["before"]["roles"], json!(["member", "viewer"]), "{changed}");
        assert_eq!(changed["after"]["roles"], json!(["viewer"]), "{changed}");
        assert_eq!(agent.ok("get_project_member", of("Atlas", "ana")).await["roles"], json!(["viewer"]));
        let gone = agent.ok("remove_project_member", of("Atlas", "ana")).await;
        assert_eq!(gone["undo"], "add_project_member with roles viewer", "{gone}");
        agent.fails("get_project_member", of("Atlas", "ana"), "member_not_found").await;
        assert!(!agent.dump().await["role_assignments"].contains("role_project_viewer"));
    }
}

#[tokio::test]
async fn who_cannot_join_a_project_is_refused() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        let stranger = refused(&agent, "add_project_member", with("Atlas", "di", &["viewer"]), "not_a_member").await;
        assert!(stranger["fix"].as_str().unwrap().contains("add_organization_member"), "{stranger}");
        let twice = refused(&agent, "add_project_member", with("Atlas", "bo", &["owner"]), "already_member").await;
        assert!(twice["message"].as_str().unwrap().contains("as viewer"), "{twice}");
        assert!(twice["fix"].as_str().unwrap().contains("update_project_member"), "{twice}");
        refused(&agent, "add_project_member", with("Atlas", "ana", &["viewer", "chief"]), "role_not_found").await;
        refused(&agent, "add_project_member", with("Atlas", "ana", &[]), "invalid_arguments").await;
        refused(&agent, "add_project_member", with("Atlantis", "ana", &["viewer"]), "project_not_found").await;
        refused(
            &agent,
            "update_project_member",
            json!({ "project": "Atlas", "member": email("ana"), "role": "viewer" }),
            "member_not_found",
        )
        .await;
        refused(&agent, "remove_project_member", of("Atlas", "ana"), "already_gone").await;
        agent.ok("archive_project", json!({ "project": "Atlas" })).await;
        refused(&agent, "add_project_member", with("Atlas", "ana", &["viewer"]), "project_archived").await;
        refused(&agent, "remove_project_member", of("Atlas", "bo"), "project_archived").await;
        refused(
            &agent,
            "update_project_member",
            json!({ "project": "Atlas", "member": email("bo"), "role": "member" }),
            "project_archived",
        )
        .await;
    }
}

#[tokio::test]
async fn an_owner_is_made_only_with_a_yes() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        owned(&agent).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        let added = declined(&agent, "add_project_member", with("Atlas", "ana", &["viewer", "owner"])).await;
        assert_eq!(added["impact"]["gravity"], "low", "{added}");
        let power = format!("becomes owner of project Atlas, with power over others: {}", email("ana"));
        let plain = format!("joins project Atlas as viewer: {}", email("ana"));
        assert_eq!(added["impact"]["notes"], json!([power, plain]), "{added}");
        let raised = declined(&agent, "update_project_member", json!({ "project": "Atlas", "member": email("bo"), "role": "owner" })).await;
        assert_eq!(raised["impact"]["gravity"], "low", "{raised}");
        agent.ok("create_user", json!({ "email": "eve@evil.example", "name": "Eve" })).await;
        let eve =
            declined(&agent, "add_project_member", json!({ "project": "Atlas", "member": "eve@evil.example", "roles": ["owner"] })).await;
        assert_eq!(eve["impact"]["gravity"], "critical", "{eve}");
    }
}

#[tokio::test]
async fn roles_of_the_project_itself_can_be_given() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        agent.ok("create_project", json!({ "name": "Borealis" })).await;
        agent.ok("create_role", json!({ "name": "Mapper", "permissions": ["project.read"], "project": "Atlas" })).await;
        let added = agent.ok("add_project_member", with("Atlas", "ana", &["mapper"])).await;
        assert_eq!(added["after"]["roles"], json!(["Mapper"]), "{added}");
        refused(&agent, "add_project_member", with("Borealis", "ana", &["mapper"]), "role_not_found").await;
    }
}

#[tokio::test]
async fn the_last_owner_stays_unless_a_team_owns_the_project_too() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &[]).await;
        agent.ok("create_project", json!({ "name": "Atlas", "admin_email": email("ana") })).await;
        let demoted = json!({ "project": "Atlas", "member": email("ana"), "role": "viewer" });
        let refusal = refused(&agent, "remove_project_member", of("Atlas", "ana"), "last_owner").await;
        assert!(refusal["fix"].as_str().unwrap().contains("somebody else an owner"), "{refusal}");
        refused(&agent, "update_project_member", demoted.clone(), "last_owner").await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "owner" })).await;
        refused(&agent, "update_project_member", demoted.clone(), "last_owner").await; // nobody is in the team
        agent.ok("add_team_member", json!({ "team": "Data", "member": email("bo") })).await;
        let preview = declined(&agent, "remove_project_member", of("Atlas", "ana")).await;
        let notes = preview["impact"]["notes"].to_string();
        assert!(notes.contains("sole owner of 1 project: Atlas in person; a team owns it too"), "{preview}");
        agent.ok("update_project_member", demoted).await;
        agent.ok("remove_project_member", of("Atlas", "ana")).await;
    }
}

#[tokio::test]
async fn a_removal_tells_what_ends_and_what_stays() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["bo"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "viewer" })).await;
        join(&agent, "Atlas", "ana", &["member"]).await;
        join(&agent, "Atlas", "bo", &["member"]).await;
        key_of(&agent, "Atlas", "ana", "laptop").await;
        let all = declined(&agent, "remove_project_member", of("Atlas", "ana")).await;
        assert_eq!(
            all["impact"],
            json!({
                "gravity": "high",
                "losses": [
                    { "count": 1, "what": "person loses access", "examples": [email("ana")] },
                    { "count": 1, "what": "key left without an owner", "examples": ["laptop"] },
                ],
                "notes": [
                    "no longer member of project Atlas: ana@acme.example",
                    "keys without an owner go on working until delete_api_key",
                ],
                "undo": "add_project_member with roles member",
            }),
            "{all}"
        );
        let some = declined(&agent, "remove_project_member", of("Atlas", "bo")).await;
        assert_eq!(some["impact"]["gravity"], "low", "{some}");
        assert_eq!(
            some["impact"]["notes"],
            json!([
                "no longer member of project Atlas: bo@acme.example, and loses project.keys.read, project.write; access through team Data stays"
            ]),
            "{some}"
        );
        agent.ok("remove_project_member", of("Atlas", "bo")).await;
        let left = agent.ok("get_project_member", of("Atlas", "bo")).await;
        assert_eq!((&left["via_team"], &left["roles"]), (&json!("Data"), &json!(["viewer"])), "{left}");
        agent.ok("remove_project_member", of("Atlas", "ana")).await;
        assert!(agent.dump().await["api_keys"].contains("laptop"), "the key stays, and is told apart by owner_access");
    }
}

#[tokio::test]
async fn access_through_a_team_is_changed_at_the_team() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        team(&agent, "Data", &["ana"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "viewer" })).await;
        let refusal = refused(&agent, "remove_project_member", of("Atlas", "ana"), "access_through_team").await;
        assert!(refusal["message"].as_str().unwrap().contains("team `Data`"), "{refusal}");
        let update = json!({ "project": "Atlas", "member": email("ana"), "role": "member" });
        refused(&agent, "update_project_member", update, "access_through_team").await;
        join(&agent, "Atlas", "ana", &["member"]).await;
        let both = agent.ok("get_project_member", of("Atlas", "ana")).await;
        assert_eq!((both.get("via_team"), &both["roles"]), (None, &json!(["member", "viewer"])), "{both}");
    }
}

#[tokio::test]
async fn the_list_has_a_row_for_each_way_of_access() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo", "cy"]).await;
        team(&agent, "Data", &["ana", "bo"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "viewer" })).await;
        join(&agent, "Atlas", "ana", &["owner", "member"]).await;
        join(&agent, "Atlas", "cy", &["member"]).await;
        let told = |list: &Value| -> Vec<Value> {
            list["items"].as_array().unwrap().iter().map(|it| json!([it["member"], it["via_team"], it["roles"]])).collect()
        };
        let all = agent.ok("list_project_members", json!({ "project": "Atlas" })).await;
        assert_eq!(
            told(&all),
            [
                json!([email("ana"), null, ["member", "owner"]]),
                json!([email("ana"), "Data", ["viewer"]]),
                json!([email("bo"), "Data", ["viewer"]]),
                json!([email("cy"), null, ["member"]]),
            ],
        );
        assert_eq!(all["total"], 4, "{all}");
        let some = agent.ok("list_project_members", json!({ "project": "Atlas", "query": "BO OF acme" })).await;
        assert_eq!(told(&some), [json!([email("bo"), "Data", ["viewer"]])]);
        let members = agent.ok("list_project_members", json!({ "project": "Atlas", "role": "member" })).await;
        assert_eq!(column(&members, "member"), [email("ana"), email("cy")]);
        let viewers = agent.ok("list_project_members", json!({ "project": "Atlas", "role": "viewer", "query": "ana" })).await;
        assert_eq!(told(&viewers), [json!([email("ana"), "Data", ["viewer"]])]);
        let teams = agent.ok("list_project_members", json!({ "project": "Atlas", "role_types": ["team"] })).await;
        assert_eq!(told(&teams), [json!([email("ana"), "Data", ["member (team)"]]), json!([email("bo"), "Data", ["member (team)"]])]);
        let company = json!({ "project": "Atlas", "role_types": ["organization", "project"], "query": "cy" });
        let company = agent.ok("list_project_members", company).await;
        assert_eq!(told(&company), [json!([email("cy"), null, ["member", "member (organization)"]])]);
        agent.fails("list_project_members", json!({ "project": "Atlas", "role": "chief" }), "role_not_found").await;
    }
}

#[tokio::test]
async fn an_owner_is_demoted_only_with_a_yes() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        agent.ok("create_project", json!({ "name": "Atlas", "admin_email": email("ana") })).await;
        join(&agent, "Atlas", "bo", &["owner"]).await;
        let call = json!({ "project": "Atlas", "member": email("bo"), "role": "member" });
        let preview = declined(&agent, "update_project_member", call).await;
        assert_eq!(preview["impact"]["gravity"], "low", "{preview}");
        let notes = json!([
            "no longer owner of project Atlas: bo@acme.example, and loses project.delete, project.keys.write, project.limits, \
             project.members, project.resources",
            "is then member of project Atlas: bo@acme.example",
        ]);
        assert_eq!(preview["impact"]["notes"], notes, "{preview}");
    }
}
