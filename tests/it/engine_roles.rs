//! Roles and permissions at the Engine.

use rolecall_sandbox::engine::{Gateway, Quirks};

use crate::{
    support::{Value, json},
    support_engine::Stage,
};

fn names(listed: &Value) -> Vec<&str> {
    listed["items"].as_array().unwrap().iter().map(|it| it["role"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn roles_come_from_the_service() {
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        let all = stage.agent.ok("list_roles", json!({})).await;
        assert_eq!(
            names(&all),
            ["Organization Editor", "Organization Owner", "Organization Viewer", "Project Editor", "Project Owner", "Project Viewer"]
        );
        assert_eq!(stage.asked(), ["GET configs"]);
        assert_eq!(
            all["items"][2],
            json!({ "role": "Organization Viewer", "id": "r-viewer", "level": "organization", "built_in": true, "permissions": ["org-view"] })
        );
        let of_project = stage.agent.ok("list_roles", json!({ "project": "Churn forecast" })).await;
        assert_eq!(
            of_project["items"][2],
            json!({
                "role": "Project Viewer", "id": "r-project-viewer", "level": "project", "built_in": true, "permissions": ["project-view"],
                "organization": "Acme Research", "project": "Churn forecast",
            })
        );
        assert_eq!(of_project["total"], 3);
        assert_eq!(stage.agent.ok("list_roles", json!({ "organization": "o-2" })).await["total"], 3);
        assert_eq!(stage.agent.ok("list_roles", json!({ "role_types": ["project"] })).await["total"], 3);
        let kind = stage.agent.fails("list_roles", json!({ "role_types": ["backend"] }), "invalid_arguments").await;
        assert_eq!(kind["fix"], "use one of organization, team, project, or leave `role_types` out", "{kind}");
    }
}

#[tokio::test]
async fn a_role_is_found_by_id_symbol_and_title() {
    let stage = Stage::new().await;
    for text in ["r-viewer", "OrgViewer", "org_viewer", "Organization Viewer", "organization-viewer", "ORG VIEWER"] {
        let role = stage.agent.ok("get_role", json!({ "role": text })).await;
        assert_eq!(
            role,
            json!({
                "role": "Organization Viewer", "id": "r-viewer", "level": "organization", "built_in": true, "permissions": ["org-view"],
                "connection": "lab",
            }),
            "{text}"
        );
    }
    let answer = stage.agent.fails("get_role", json!({ "role": "viewer" }), "ambiguous_role").await;
    assert_eq!(answer["candidates"], json!(["Organization Viewer [r-viewer]", "Project Viewer [r-project-viewer]"]));
    assert_eq!(stage.agent.ok("get_role", json!({ "role": "viewer", "project": "p-2" })).await["id"], "r-project-viewer");
    stage.agent.fails("get_role", json!({ "role": "boss" }), "role_not_found").await;
}

#[tokio::test]
async fn roles_that_only_the_configuration_knows_are_listed_too() {
    let own = |it: &mut rolecall::providers::engine::Settings| it.role_ids = [("OrgAuditor".to_owned(), "r-auditor".to_owned())].into();
    let stage = Stage::with(Quirks { hides_roles: true, ..Quirks::default() }, own).await;
    let auditor = json!({ "role": "OrgAuditor", "id": "r-auditor", "level": "organization", "built_in": true, "permissions": [] });
    assert_eq!(stage.agent.ok("list_roles", json!({})).await["items"], json!([auditor]));
    // Nobody knows what it allows, so a person is asked.
    let preview = json!({ "email": "lin@northwind.example", "role": "auditor", "organization": "o-1", "dry_run": true });
    assert_eq!(stage.agent.ok("add_organization_member", preview).await["impact"]["gravity"], "low");
}

#[tokio::test]
async fn permissions_are_listed_and_searched() {
    let stage = Stage::new().await;
    let found = stage.agent.ok("list_permissions", json!({ "query": "project_user" })).await;
    let manage = json!({ "permission": "project-users", "description": "Manage project members (manage project_user)" });
    assert_eq!(found, json!({ "items": [manage], "shown": 1, "has_more": false, "total": 1, "connection": "lab" }));
    assert_eq!(stage.agent.ok("list_permissions", json!({})).await["total"], 9);
}
