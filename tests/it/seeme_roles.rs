//! Roles and permissions of SeeMe.ai.

use rolecall_sandbox::seeme::{PermissionNames, Quirks, SystemRoles};

use crate::{
    support::{Value, json},
    support_seeme::Lab,
};

#[tokio::test]
async fn roles_are_told_alike_in_every_shape() {
    for system_roles in [SystemRoles::IsSystem, SystemRoles::IsSystemRole, SystemRoles::Scope] {
        for other in [false, true] {
            let quirks =
                Quirks { system_roles, permission_lists: other, own_roles_only: other, no_role_routes: other, ..Quirks::default() };
            let lab = Lab::with(quirks, None).await;
            let listed = lab.agent.ok("list_roles", json!({"organization": "Acme"})).await;
            let built_in = listed["items"].as_array().unwrap().iter().filter(|it| it["built_in"] == true).count();
            assert_eq!((&listed["total"], built_in), (&json!(9), 8), "{system_roles:?} {other}");
            let role = lab.agent.ok("get_role", json!({"role": "label_clerk"})).await;
            let codes = json!(["organizations:read", "datasets:list", "dataset_labels:update"]);
            assert_eq!((&role["permissions"], &role["organization"], &role["built_in"]), (&codes, &json!("Acme"), &json!(false)));
            assert!(lab.reads().contains(&"roles/role-label_clerk".to_owned()));
            for call in [("delete_role", json!({"role": "Admin"})), ("update_role", json!({"role": "org_admin", "name": "Boss"}))] {
                lab.refuses(call.0, call.1, "built_in_role").await;
            }
            if other {
                let gone = lab.agent.fails("delete_role", json!({"role": "Label clerk"}), "not_found").await;
                assert_eq!(gone["message"], "no such path");
            }
        }
    }
    let lab = Lab::new().await;
    let all = lab.agent.ok("list_roles", json!({"role_types": ["team"]})).await;
    assert_eq!(all["total"], 2);
    assert_eq!(lab.reads(), ["roles", "organizations"]);
}

#[tokio::test]
async fn a_role_is_created_changed_and_deleted() {
    let lab = Lab::new().await;
    let body = json!({"organization": "Acme", "name": "Reader", "permissions": ["models:read", "datasets:read"], "description": "Looks"});
    lab.agent.ok("create_role", body).await;
    let post = r#"POST roles {"name":"Reader","organization_id":"organization-acme","scope":"organization","permissions":["models:read","datasets:read"],"description":"Looks"}"#;
    assert_eq!(lab.writes(), [post]);
    assert!(lab.agent.questions().is_empty());
    let again = json!({"organization": "Acme", "name": "reader", "permissions": []});
    lab.refuses("create_role", again, "name_taken").await;
    lab.refuses("create_role", json!({"organization": "Acme", "name": "Odd", "permissions": ["models"]}), "invalid_arguments").await;

    let changed = lab.agent.ok("update_role", json!({"role": "Reader", "permissions": ["models:read"]})).await;
    let [put] = lab.writes().try_into().unwrap();
    let body: Value = serde_json::from_str(put.split_once(' ').unwrap().1.split_once(' ').unwrap().1).unwrap();
    assert_eq!((&body["permissions"], body.get("permission_list"), &body["name"]), (&json!(["models:read"]), None, &json!("Reader")));
    assert_eq!(changed["after"]["permissions"], json!(["models:read"]));
    lab.agent.ok("update_role", json!({"role": "Reader", "name": "Viewer of models", "clear": ["description"]})).await;
    let role = lab.agent.ok("get_role", json!({"role": "Viewer of models"})).await;
    assert_eq!((&role["permissions"], role.get("description")), (&json!(["models:read"]), None));
    lab.writes();
    lab.agent.ok("delete_role", json!({"role": "Viewer of models"})).await;
    assert_eq!(lab.writes(), [format!("DELETE roles/{}", role["id"].as_str().unwrap())]);
}

#[tokio::test]
async fn what_a_change_of_a_role_means_to_its_holders_is_told() {
    let lab = Lab::new().await;
    let narrower = json!({"role": "Label clerk", "permissions": ["organizations:read", "models:delete"], "dry_run": true});
    let plan = lab.agent.ok("update_role", narrower).await;
    let impact = json!({
        "gravity": "low",
        "losses": [{"count": 1, "what": "person loses permissions", "examples": ["mei.tanaka@acme.example"]}],
        "notes": ["1 person gains (mei.tanaka@acme.example): models:delete", "taken away: datasets:list, dataset_labels:update"],
        "undo": "update_role with the values in `before`",
    });
    assert_eq!(plan["impact"], impact);
    let power = json!({"role": "Label clerk", "permissions": ["*"], "dry_run": true});
    let plan = lab.agent.ok("update_role", power).await;
    let notes = ["becomes Label clerk of organization Acme, with power over others: mei.tanaka@acme.example", "added: *"];
    assert_eq!((&plan["impact"]["gravity"], &plan["impact"]["notes"]), (&json!("low"), &json!(notes)));
    let plan = lab.agent.ok("delete_role", json!({"role": "Label clerk", "dry_run": true})).await;
    let losses = json!([
        {"count": 1, "what": "role ends", "examples": ["Label clerk"]},
        {"count": 1, "what": "person loses the role", "examples": ["mei.tanaka@acme.example"]},
    ]);
    assert_eq!((&plan["impact"]["gravity"], &plan["impact"]["losses"]), (&json!("high"), &losses));
}

#[tokio::test]
async fn codes_that_are_not_listed_are_let_through_with_a_word() {
    let lab = Lab::new().await;
    let made = lab
        .agent
        .ok("create_role", json!({"organization": "Acme", "name": "Writer", "permissions": ["models:write"], "dry_run": true}))
        .await;
    let note = "the service does not list the permission `models:write`; did you mean `models:create`?";
    let told = made["impact"]["notes"][0].as_str().unwrap();
    assert!(told.starts_with(note.split_once(';').unwrap().0) && told.contains("did you mean `model"), "{told}");
    lab.agent.ok("create_role", json!({"organization": "Acme", "name": "Writer", "permissions": ["models:write"]})).await;
    assert_eq!(lab.writes().len(), 1);
}

#[tokio::test]
async fn permissions_are_listed_by_their_codes() {
    for permission_names in [PermissionNames::Title, PermissionNames::Code] {
        let lab = Lab::with(Quirks { permission_names, ..Quirks::default() }, None).await;
        let found = lab.agent.ok("list_permissions", json!({"query": "roles:"})).await;
        let codes: Vec<_> = found["items"].as_array().unwrap().iter().map(|it| it["permission"].as_str().unwrap()).collect();
        assert_eq!(codes, ["roles:create", "roles:delete", "roles:list", "roles:read", "roles:update"]);
        assert_eq!(found["items"][0]["description"], "May: create roles");
        assert_eq!(lab.reads(), ["permissions"]);
        let all = lab.agent.ok("list_permissions", json!({"limit": 100})).await;
        assert_eq!(all["total"], 93);
    }
}

#[tokio::test]
async fn roles_of_ones_own_may_need_a_plan() {
    let lab = Lab::with(Quirks { paid_roles: true, ..Quirks::default() }, None).await;
    let before = lab.state();
    let refused =
        lab.agent.fails("create_role", json!({"organization": "Northwind", "name": "Clerk", "permissions": []}), "forbidden").await;
    assert_eq!(refused["message"], "custom roles need an enterprise plan");
    assert_eq!(refused["fix"], "this may need another plan at SeeMe.ai, such as the enterprise plan for roles of one's own");
    assert_eq!(lab.state(), before);
}
