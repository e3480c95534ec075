//! Teams of projects, through a real client.

use crate::{
    company::{acme, column, declined, email, join, owned, refused, team},
    support::{Agent, json},
};

#[tokio::test]
async fn a_team_comes_onto_a_project_and_leaves() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["ana", "bo"]).await;
        team(&agent, "Ops", &[]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        let call = json!({ "project": "atlas", "team": "DATA", "role": "viewer" });
        let added = agent.ok("add_project_team", call).await;
        assert_eq!(added["after"]["roles"], json!(["viewer"]), "{added}");
        assert_eq!(added["after"]["members"], 2, "{added}");
        assert_eq!(added["after"]["project"], "Atlas", "{added}");
        assert_eq!(agent.questions(), [""; 0], "a viewer has no power over others");
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Ops", "role": "member" })).await;
        let list = agent.ok("list_project_teams", json!({ "project": "Atlas" })).await;
        assert_eq!(column(&list, "team"), ["Data", "Ops"]);
        assert_eq!((&list["items"][1]["roles"], &list["total"]), (&json!(["member"]), &json!(2)), "{list}");
        let gone = agent.ok("remove_project_team", json!({ "project": "Atlas", "team": "data" })).await;
        assert_eq!(gone["before"]["roles"], json!(["viewer"]), "{gone}");
        assert_eq!(column(&agent.ok("list_project_teams", json!({ "project": "Atlas" })).await, "team"), ["Ops"]);
        assert!(!agent.dump().await["role_assignments"].contains("role_project_viewer"));
    }
}

#[tokio::test]
async fn a_team_that_owns_a_project_comes_only_with_a_yes() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        owned(&agent).await;
        team(&agent, "Data", &["ana", "bo"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        let preview = declined(&agent, "add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "owner" })).await;
        assert_eq!(
            preview["impact"],
            json!({
                "gravity": "low",
                "notes": [
                    "the team gets owner in project Atlas, with power over others: Data",
                    format!("become owner of project Atlas, with power over others through team Data: {}, {}", email("ana"), email("bo")),
                    "1 of them had no access before",
                ],
                "undo": "remove_project_team",
            }),
            "{preview}"
        );
    }
}

#[tokio::test]
async fn what_does_not_fit_a_project_is_refused() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        team(&agent, "Data", &["ana"]).await;
        team(&agent, "Ops", &["ana"]).await;
        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        agent.ok("create_team", json!({ "name": "Foreign", "organization": "Globex" })).await;
        agent.ok("create_project", json!({ "name": "Atlas", "organization": "Acme" })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "owner" })).await;
        let add = |team: &str, role: &str| json!({ "project": "Atlas", "team": team, "role": role });
        refused(&agent, "add_project_team", add("Data", "viewer"), "already_member").await;
        refused(&agent, "add_project_team", add("Foreign", "viewer"), "team_not_found").await;
        refused(&agent, "add_project_team", add("Ops", "maintainer"), "role_not_found").await;
        refused(&agent, "remove_project_team", json!({ "project": "Atlas", "team": "Ops" }), "already_gone").await;
        refused(&agent, "remove_project_team", json!({ "project": "Atlas", "team": "Data" }), "last_owner").await;
        agent.ok("archive_project", json!({ "project": "Atlas" })).await;
        refused(&agent, "add_project_team", add("Ops", "viewer"), "project_archived").await;
        refused(&agent, "remove_project_team", json!({ "project": "Atlas", "team": "Data" }), "project_archived").await;
    }
}

#[tokio::test]
async fn taking_a_team_off_tells_who_loses_access() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo", "cy"]).await;
        team(&agent, "Data", &["ana", "bo"]).await;
        team(&agent, "Ops", &["cy"]).await;
        agent.ok("create_project", json!({ "name": "Atlas", "admin_email": email("ana") })).await;
        for name in ["Data", "Ops"] {
            agent.ok("add_project_team", json!({ "project": "Atlas", "team": name, "role": "member" })).await;
        }
        let preview = declined(&agent, "remove_project_team", json!({ "project": "Atlas", "team": "Data" })).await;
        assert_eq!(
            preview["impact"],
            json!({
                "gravity": "high",
                "losses": [
                    { "count": 1, "what": "person loses access", "examples": [email("bo")] },
                ],
                "notes": [
                    format!("no longer member of project Atlas through team Data: {}", email("ana")),
                    format!("no longer member of project Atlas through team Data: {}", email("bo")),
                    "team Data is no longer member of project Atlas",
                ],
                "undo": "add_project_team with role member",
            }),
            "{preview}"
        );
        join(&agent, "Atlas", "cy", &["viewer"]).await;
        let light = agent.ok("remove_project_team", json!({ "project": "Atlas", "team": "Ops", "dry_run": true })).await;
        assert_eq!(light["impact"]["gravity"], "low", "nobody loses access: {light}");
    }
}
