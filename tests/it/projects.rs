//! Projects, through a real client.

use crate::support::{Agent, json};

#[tokio::test]
async fn a_project_is_created_renamed_and_deleted_by_name() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({ "name": "Acme" })).await;
        let made = agent.ok("create_project", json!({ "name": "Atlas", "description": "Maps" })).await;
        assert_eq!(made["after"]["slug"], "atlas", "{made}");
        let renamed = agent.ok("update_project", json!({ "project": "ATLAS", "name": "Atlas II", "clear": ["description"] })).await;
        assert_eq!(renamed["before"]["description"], "Maps", "{renamed}");
        assert_eq!(renamed["after"]["description"], json!(null), "{renamed}");
        let preview = agent.ok("delete_project", json!({ "project": "atlas ii", "dry_run": true })).await;
        assert_eq!(preview["status"], "dry_run", "{preview}");
        let gone = agent.ok("delete_project", json!({ "project": "Atlas II" })).await;
        assert_eq!(gone["before"]["project"], "Atlas II", "{gone}");
        assert!(agent.questions()[0].contains("To confirm, type: Atlas II"));
        let list = agent.ok("list_projects", json!({})).await;
        assert_eq!(list["items"], json!([]), "{list}");
    }
}
