//! Teams and their people, through a real client.

use crate::{
    company::{acme, column, declined, email, join, key_of, owned, refused, team},
    support::{Agent, json},
};

#[tokio::test]
async fn a_team_is_created_read_changed_and_deleted() {
    for agent in Agent::each().await {
        acme(&agent, &[]).await;
        let made = agent.ok("create_team", json!({ "name": "Data  Science", "description": "Numbers" })).await;
        assert_eq!(made["after"]["team"], "Data Science", "{made}");
        assert_eq!(made["after"]["slug"], "data-science", "{made}");
        let read = agent.ok("get_team", json!({ "team": "data-science" })).await;
        assert_eq!(read["description"], "Numbers", "{read}");
        assert_eq!(read["members"], 0, "{read}");
        let renamed =
            agent.ok("update_team", json!({ "team": "DATA science", "name": "Data", "slug": "data", "clear": ["description"] })).await;
        assert_eq!(renamed["target"]["name"], "Data Science", "the target carries the old name: {renamed}");
        assert_eq!(renamed["before"]["description"], "Numbers", "{renamed}");
        assert_eq!(renamed["after"]["team"], "Data", "{renamed}");
        assert_eq!(renamed["after"].get("description"), None, "{renamed}");
        let gone = agent.ok("delete_team", json!({ "team": "Data" })).await;
        assert_eq!(gone["before"]["team"], "Data", "{gone}");
        assert_eq!(agent.ok("list_teams", json!({})).await["items"], json!([]));
    }
}

#[tokio::test]
async fn a_team_keeps_its_name_and_slug_to_itself() {
    for agent in Agent::each().await {
        acme(&agent, &[]).await;
        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        team(&agent, "Data", &[]).await;
        agent.ok("create_team", json!({ "name": "Ops", "organization": "Acme" })).await;
        refused(&agent, "create_team", json!({ "name": "DATA", "organization": "Acme" }), "name_taken").await;
        refused(&agent, "create_team", json!({ "name": "Other", "slug": "data", "organization": "Acme" }), "name_taken").await;
        refused(&agent, "update_team", json!({ "team": "Ops", "name": "data" }), "name_taken").await;
        refused(&agent, "update_team", json!({ "team": "Ops", "slug": "data" }), "name_taken").await;
        agent.ok("create_team", json!({ "name": "Data", "organization": "Globex" })).await;
        let nameless = refused(&agent, "create_team", json!({ "name": "研究", "organization": "Acme" }), "invalid_arguments").await;
        assert!(nameless["fix"].as_str().unwrap().contains("`slug`"), "{nameless}");
        agent.ok("create_team", json!({ "name": "研究", "slug": "research", "organization": "Acme" })).await;
        assert_eq!(agent.ok("get_team", json!({ "team": "研究" })).await["slug"], "research");
    }
}

#[tokio::test]
async fn an_update_of_a_team_names_something_and_nothing_twice() {
    for agent in Agent::each().await {
        acme(&agent, &[]).await;
        team(&agent, "Data", &[]).await;
        refused(&agent, "update_team", json!({ "team": "Data" }), "invalid_arguments").await;
        let both = json!({ "team": "Data", "description": "x", "clear": ["description"] });
        refused(&agent, "update_team", both, "invalid_arguments").await;
        refused(&agent, "update_team", json!({ "team": "Dat", "name": "X" }), "team_not_found").await;
        refused(&agent, "delete_team", json!({ "team": "Dat" }), "team_not_found").await;
        agent.fails("get_team", json!({ "team": "Dat" }), "team_not_found").await;
    }
}

#[tokio::test]
async fn teams_are_listed_by_organization_and_by_part_of_a_name() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        team(&agent, "Data", &["ana"]).await;
        team(&agent, "Ops", &[]).await;
        agent.ok("create_team", json!({ "name": "Big Data", "organization": "Globex" })).await;
        let found = agent.ok("list_teams", json!({ "query": "DATA" })).await;
        assert_eq!((column(&found, "team"), &found["total"]), (vec!["Big Data".to_owned(), "Data".to_owned()], &json!(2)), "{found}");
        let found = agent.ok("list_teams", json!({ "organization": "acme" })).await;
        assert_eq!(column(&found, "team"), ["Data", "Ops"]);
        assert_eq!(found["items"][0]["members"], 1, "{found}");
        agent.fails("list_teams", json!({ "organization": "Initech" }), "organization_not_found").await;
        agent.fails("list_teams", json!({ "cursor": "nonsense" }), "invalid_arguments").await;
    }
}

#[tokio::test]
async fn people_come_into_a_team_change_role_and_leave() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["bo"]).await;
        let added = agent.ok("add_team_member", json!({ "team": "data", "member": "ANA@acme.example" })).await;
        assert_eq!(added["after"]["roles"], json!(["member"]), "{added}");
        assert_eq!(added["after"]["team"], "Data", "{added}");
        assert_eq!(added["target"]["name"], email("ana"), "{added}");
        assert_eq!(agent.questions(), [""; 0], "a plain member of a team without power is no question");
        let changed = agent.ok("update_team_member", json!({ "team": "Data", "member": email("ana"), "role": "Maintainer" })).await;
        assert_eq!(changed["before"]["roles"], json!(["member"]), "{changed}");
        assert_eq!(changed["after"]["roles"], json!(["maintainer"]), "{changed}");
        assert_eq!(agent.questions().len(), 1, "a maintainer has power over the team");
        let list = agent.ok("list_team_members", json!({ "team": "Data" })).await;
        assert_eq!(column(&list, "member"), [email("ana"), email("bo")]);
        assert_eq!(list["total"], 2, "{list}");
        let id = list["items"][0]["id"].clone();
        let gone = agent.ok("remove_team_member", json!({ "team": "Data", "member": id })).await;
        assert_eq!(gone["before"]["member"], email("ana"), "{gone}");
        assert_eq!(column(&agent.ok("list_team_members", json!({ "team": "Data" })).await, "member"), [email("bo")]);
    }
}

#[tokio::test]
async fn who_cannot_be_in_a_team_is_refused() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["bo"]).await;
        agent.ok("invite_organization_member", json!({ "email": email("cy") })).await;
        let stranger = refused(&agent, "add_team_member", json!({ "team": "Data", "member": email("di") }), "not_a_member").await;
        assert!(stranger["fix"].as_str().unwrap().contains("invite_organization_member"), "{stranger}");
        let invited = refused(&agent, "add_team_member", json!({ "team": "Data", "member": email("cy") }), "not_a_member").await;
        assert!(invited["fix"].as_str().unwrap().contains("invitation is pending"), "{invited}");
        let twice = refused(&agent, "add_team_member", json!({ "team": "Data", "member": email("bo") }), "already_member").await;
        assert!(twice["fix"].as_str().unwrap().contains("update_team_member"), "{twice}");
        let bad_role = json!({ "team": "Data", "member": email("ana"), "role": "owner" });
        let bad_role = refused(&agent, "add_team_member", bad_role, "role_not_found").await;
        assert!(bad_role["fix"].as_str().unwrap().contains("maintainer"), "{bad_role}");
        for tool in ["update_team_member", "remove_team_member"] {
            let mut call = json!({ "team": "Data", "member": email("ana") });
            if tool == "update_team_member" {
                call["role"] = json!("member");
            }
            let code = if tool == "remove_team_member" { "already_gone" } else { "member_not_found" };
            refused(&agent, tool, call, code).await;
        }
    }
}

#[tokio::test]
async fn a_maintainer_is_made_only_with_a_yes() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        owned(&agent).await;
        team(&agent, "Data", &["bo"]).await;
        let new = declined(&agent, "add_team_member", json!({ "team": "Data", "member": email("ana"), "role": "maintainer" })).await;
        assert_eq!(new["impact"]["gravity"], "low", "{new}");
        let raised = declined(&agent, "update_team_member", json!({ "team": "Data", "member": email("bo"), "role": "maintainer" })).await;
        assert_eq!(
            raised["impact"]["notes"],
            json!([format!("becomes maintainer of team Data, with power over others: {}", email("bo"))]),
            "{raised}"
        );
    }
}

#[tokio::test]
async fn joining_a_team_with_power_asks_for_the_power_it_hands_down() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["bo"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "owner" })).await;
        let preview = declined(&agent, "add_team_member", json!({ "team": "Data", "member": email("ana") })).await;
        assert_eq!(preview["impact"]["gravity"], "low", "{preview}");
        let plain = format!("joins team Data as member: {}", email("ana"));
        let power = format!("becomes owner of project Atlas, with power over others through team Data: {}", email("ana"));
        assert_eq!(preview["impact"]["notes"], json!([plain, power]), "{preview}");
    }
}

#[tokio::test]
async fn power_for_the_only_one_of_a_mail_domain_is_critical() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        team(&agent, "Data", &[]).await;
        agent.ok("create_user", json!({ "email": "eve@evil.example", "name": "Eve" })).await;
        let preview =
            declined(&agent, "add_team_member", json!({ "team": "Data", "member": "eve@evil.example", "role": "maintainer" })).await;
        assert_eq!(preview["impact"]["gravity"], "critical", "{preview}");
    }
}

#[tokio::test]
async fn leaving_a_team_tells_what_is_reached_through_it_alone() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["ana", "bo"]).await;
        team(&agent, "Ops", &["ana"]).await;
        for project in ["Atlas", "Borealis", "Cygnus"] {
            agent.ok("create_project", json!({ "name": project })).await;
            agent.ok("add_project_team", json!({ "project": project, "team": "Data", "role": "member" })).await;
        }
        join(&agent, "Borealis", "ana", &["viewer"]).await;
        agent.ok("add_project_team", json!({ "project": "Cygnus", "team": "Ops", "role": "viewer" })).await;
        key_of(&agent, "Atlas", "ana", "laptop").await;
        let preview = declined(&agent, "remove_team_member", json!({ "team": "Data", "member": email("ana") })).await;
        assert_eq!(
            preview["impact"],
            json!({
                "gravity": "high",
                "losses": [
                    { "count": 1, "what": "person loses access", "examples": [email("ana")] },
                    { "count": 1, "what": "person leaves the team", "examples": [email("ana")] },
                    { "count": 1, "what": "key left without an owner", "examples": ["laptop"] },
                ],
                "notes": [
                    "no longer member of project Atlas through team Data: ana@acme.example",
                    "no longer member of project Borealis through team Data: ana@acme.example, and loses project.keys.read, project.write",
                    "no longer member of project Cygnus through team Data: ana@acme.example, and loses project.keys.read, project.write; \
                     access through team Ops stays",
                    "no longer in 1 team: Data",
                    "keys without an owner go on working until delete_api_key",
                ],
                "undo": "add_team_member with role member",
            }),
            "{preview}"
        );
        // Ops gives nothing that she does not reach otherwise.
        let light = agent.ok("remove_team_member", json!({ "team": "Ops", "member": email("ana"), "dry_run": true })).await;
        assert_eq!(light["impact"]["gravity"], "low", "{light}");
        let losses = json!([{ "count": 1, "what": "person leaves the team", "examples": [email("ana")] }]);
        assert_eq!(light["impact"]["losses"], losses, "{light}");
    }
}

#[tokio::test]
async fn deleting_a_team_tells_who_loses_what_and_leaves_projects_alone() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo", "cy"]).await;
        team(&agent, "Data", &["ana", "bo", "cy"]).await;
        agent.ok("create_project", json!({ "name": "Atlas", "team": "Data" })).await;
        agent.ok("create_project", json!({ "name": "Borealis" })).await;
        for project in ["Atlas", "Borealis"] {
            agent.ok("add_project_team", json!({ "project": project, "team": "Data", "role": "member" })).await;
            join(&agent, project, "cy", &["viewer"]).await;
        }
        let preview = declined(&agent, "delete_team", json!({ "team": "Data" })).await;
        assert_eq!(
            preview["impact"],
            json!({
                "gravity": "high",
                "losses": [
                    { "count": 2, "what": "people lose access", "examples": [email("ana"), email("bo")] },
                    { "count": 3, "what": "people leave the team", "examples": [email("ana"), email("bo"), email("cy")] },
                    { "count": 1, "what": "team ends", "examples": ["Data"] },
                ],
                "notes": [
                    "no longer member of project Atlas through team Data: ana@acme.example, bo@acme.example",
                    "no longer member of project Borealis through team Data: ana@acme.example, bo@acme.example",
                    "no longer member of project Atlas through team Data: cy@acme.example, and loses project.keys.read, project.write",
                    "no longer member of project Borealis through team Data: cy@acme.example, and loses project.keys.read, project.write",
                    "team Data is no longer member of project Atlas",
                    "team Data is no longer member of project Borealis",
                    "no longer in 1 team: Data",
                    "goes on without a team: 1 project: Atlas",
                ],
            }),
            "{preview}"
        );
        agent.ok("delete_team", json!({ "team": "Data" })).await;
        assert_eq!(agent.ok("get_project", json!({ "project": "Atlas" })).await.get("team"), None);
        let left = agent.ok("list_project_members", json!({ "project": "Atlas" })).await;
        assert_eq!(column(&left, "member"), [email("cy")]);
        let rows = agent.dump().await;
        assert_eq!(rows["teams"], "");
        assert_eq!(rows["team_members"], "");
        assert_eq!(rows["project_teams"], "");
    }
}

#[tokio::test]
async fn taking_the_last_owner_team_away_is_critical() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["ana"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "owner" })).await;
        for (tool, call) in
            [("delete_team", json!({ "team": "Data" })), ("remove_team_member", json!({ "team": "Data", "member": email("ana") }))]
        {
            let preview = declined(&agent, tool, call).await;
            assert_eq!(preview["impact"]["gravity"], "critical", "{preview}");
            let notes = preview["impact"]["notes"].as_array().unwrap();
            assert!(notes.contains(&json!("no owner is left in 1 project: Atlas")), "{preview}");
        }
        join(&agent, "Atlas", "bo", &["owner"]).await;
        let preview = declined(&agent, "delete_team", json!({ "team": "Data" })).await;
        assert_eq!(preview["impact"]["gravity"], "high", "{preview}");
    }
}

#[tokio::test]
async fn a_team_that_holds_a_role_in_the_organization_says_so_when_it_ends() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["ana"]).await;
        agent.ok("assign_role", json!({ "role": "admin", "team": "Data" })).await;
        let joins = declined(&agent, "add_team_member", json!({ "team": "Data", "member": email("bo") })).await;
        assert_eq!(
            joins["impact"]["notes"],
            json!([
                "becomes admin of organization Acme, with power over others through team Data: bo@acme.example",
                "joins team Data as member: bo@acme.example"
            ]),
            "{joins}"
        );
        let leaves = declined(&agent, "remove_team_member", json!({ "team": "Data", "member": email("ana") })).await;
        // She still sees the organization by the role of her membership.
        assert_eq!(leaves["impact"]["gravity"], "low", "{leaves}");
        let note = leaves["impact"]["notes"][0].as_str().unwrap();
        let start = "no longer admin of organization Acme through team Data: ana@acme.example, and loses certificates.read, ";
        assert!(note.starts_with(start), "{leaves}");
    }
}

#[tokio::test]
async fn the_last_owner_of_the_organization_is_not_taken_away_through_a_team() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Board", &["ana"]).await;
        agent.ok("assign_role", json!({ "role": "owner", "team": "Board" })).await;
        let leave = json!({ "team": "Board", "member": email("ana") });
        let refusal = refused(&agent, "remove_team_member", leave.clone(), "last_owner").await;
        assert!(refusal["fix"].as_str().unwrap().contains("somebody else owner first"), "{refusal}");
        refused(&agent, "delete_team", json!({ "team": "Board" }), "last_owner").await;
        refused(&agent, "unassign_role", json!({ "role": "owner", "team": "Board" }), "last_owner").await;
        // Another person in the team is enough for one to leave, not for the team to end.
        agent.ok("add_team_member", json!({ "team": "Board", "member": email("bo") })).await;
        agent.ok("remove_team_member", leave).await;
        refused(&agent, "delete_team", json!({ "team": "Board" }), "last_owner").await;
        agent.ok("update_organization_member", json!({ "member": email("ana"), "role": "owner" })).await;
        agent.ok("delete_team", json!({ "team": "Board" })).await;
    }
}

#[tokio::test]
async fn a_maintainer_is_demoted_only_with_a_yes() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        agent.ok("create_team", json!({ "name": "Data" })).await;
        agent.ok("add_team_member", json!({ "team": "Data", "member": email("ana"), "role": "maintainer" })).await;
        let preview = declined(&agent, "update_team_member", json!({ "team": "Data", "member": email("ana"), "role": "member" })).await;
        assert_eq!(preview["impact"]["gravity"], "low", "{preview}");
        assert_eq!(
            preview["impact"]["notes"],
            json!([
                "no longer maintainer of team Data: ana@acme.example, and loses teams.members, teams.write",
                "is then member of team Data: ana@acme.example",
            ]),
            "{preview}"
        );
    }
}
