//! Roles and the permissions that they can hold.

use serde_json::Value;

use crate::support::{Agent, json};

/// Acme: Ana owns it, Ben and Cleo are members; project Atlas with Ben in it.
async fn acme(agent: &Agent) {
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    for (name, role) in [("ana", "owner"), ("ben", "member"), ("cleo", "member")] {
        agent.ok("create_user", json!({ "email": format!("{name}@acme.example"), "name": name, "role": role })).await;
    }
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    agent.ok("add_project_member", json!({ "project": "Atlas", "member": "ben@acme.example", "roles": ["member"] })).await;
}

fn names(list: &Value, field: &str) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|it| it[field].as_str().unwrap().to_owned()).collect()
}

async fn gravity(agent: &Agent, tool: &str, mut arguments: Value) -> String {
    arguments["dry_run"] = true.into();
    let answer = agent.ok(tool, arguments).await;
    answer["impact"]["gravity"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
async fn an_organizations_roles_are_built_in_ones_and_its_own() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_role", json!({ "name": "Auditor", "permissions": ["members.read"] })).await;
        agent.ok("create_role", json!({ "name": "Labeller", "permissions": ["project.read"], "project": "Atlas" })).await;

        let all = agent.ok("list_roles", json!({ "organization": "Acme" })).await;
        assert_eq!(
            names(&all, "role"),
            ["admin", "Auditor", "member", "owner", "reader", "member", "owner", "viewer", "maintainer", "member"],
            "{all}"
        );
        let some = agent.ok("list_roles", json!({ "organization": "Acme", "role_types": ["organization", "team"] })).await;
        assert_eq!(names(&some, "role"), ["admin", "Auditor", "member", "owner", "reader", "maintainer", "member"], "{some}");
    }
}

#[tokio::test]
async fn a_projects_roles_are_those_that_can_be_held_in_it() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_project", json!({ "name": "Borealis" })).await;
        agent.ok("create_role", json!({ "name": "Auditor", "permissions": ["members.read"] })).await;
        agent.ok("create_role", json!({ "name": "Labeller", "permissions": ["project.read"], "project": "Atlas" })).await;

        let atlas = agent.ok("list_roles", json!({ "project": "Atlas" })).await;
        assert_eq!(names(&atlas, "role"), ["Labeller", "member", "owner", "viewer"], "{atlas}");
        let borealis = agent.ok("list_roles", json!({ "project": "Borealis" })).await;
        assert_eq!(names(&borealis, "role"), ["member", "owner", "viewer"], "{borealis}");
        let none = agent.ok("list_roles", json!({ "project": "Atlas", "role_types": ["organization"] })).await;
        assert_eq!((names(&none, "role"), &none["total"]), (vec![], &json!(0)), "{none}");
    }
}

#[tokio::test]
async fn roles_come_page_by_page_each_once() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let whole = agent.ok("list_roles", json!({})).await;
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let mut arguments = json!({ "limit": 2 });
            if let Some(cursor) = cursor {
                arguments["cursor"] = cursor;
            }
            let page = agent.ok("list_roles", arguments).await;
            ids.extend(names(&page, "id"));
            assert_eq!(page["total"], whole["total"]);
            let Some(next) = page.get("next_cursor") else { break };
            cursor = Some(next.clone());
        }
        assert_eq!(ids, names(&whole, "id"));
    }
}

#[tokio::test]
async fn a_role_is_found_by_name_and_by_id() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let made = agent.ok("create_role", json!({ "name": "Labeller", "permissions": ["project.read"], "project": "Atlas" })).await;
        let made = &made["after"];
        for arguments in [json!({ "role": "labeller", "project": "atlas" }), json!({ "role": made["id"] })] {
            let found = agent.ok("get_role", arguments).await;
            assert_eq!(
                (&found["id"], &found["role"], &found["level"], &found["project"], &found["organization"], &found["built_in"]),
                (&made["id"], &json!("Labeller"), &json!("project"), &json!("Atlas"), &json!("Acme"), &json!(false)),
                "{found}"
            );
        }
        let built_in = agent.ok("get_role", json!({ "role": "admin" })).await;
        assert_eq!((&built_in["id"], &built_in["built_in"]), (&json!("role_organization_admin"), &json!(true)), "{built_in}");
        agent.fails("get_role", json!({ "role": "Labeller" }), "role_not_found").await;
        let error = agent.fails("get_role", json!({ "role": "admin", "project": "Atlas" }), "role_not_found").await;
        assert!(error["fix"].as_str().unwrap().contains("Labeller"), "{error}");
    }
}

#[tokio::test]
async fn a_name_in_two_organizations_is_answered_with_candidates() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        let mut ids = Vec::new();
        for organization in ["Acme", "Globex"] {
            let arguments = json!({ "name": "Auditor", "permissions": ["members.read"], "organization": organization });
            ids.push(agent.ok("create_role", arguments).await["after"]["id"].as_str().unwrap().to_owned());
        }
        for tool in ["get_role", "delete_role"] {
            let error = agent.fails(tool, json!({ "role": "Auditor" }), "ambiguous_role").await;
            let candidates: Vec<&str> = error["candidates"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
            assert!(ids.iter().all(|id| candidates.iter().any(|it| it.contains(id.as_str()))), "{error}");
        }
        assert_eq!(agent.ok("get_role", json!({ "role": ids[1] })).await["organization"], "Globex");
    }
}

#[tokio::test]
async fn a_role_is_created_with_known_permissions_once_per_name() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let made = agent
            .ok(
                "create_role",
                json!({ "name": "Auditor", "permissions": ["teams.read", "members.read", "members.read"], "description": "Looks" }),
            )
            .await;
        assert_eq!(made["after"]["permissions"], json!(["members.read", "teams.read"]), "{made}");
        assert_eq!(made["after"]["level"], "organization", "{made}");
        agent.ok("create_role", json!({ "name": "Nothing", "permissions": [] })).await;
        agent.ok("create_role", json!({ "name": "Auditor", "permissions": [], "project": "Atlas" })).await;

        let before = agent.dump().await;
        agent.fails("create_role", json!({ "name": " auditor ", "permissions": [] }), "name_taken").await;
        agent.fails("create_role", json!({ "name": "Admin", "permissions": [] }), "name_taken").await;
        agent.fails("create_role", json!({ "name": "viewer", "permissions": [], "project": "Atlas" }), "name_taken").await;
        let error = agent.fails("create_role", json!({ "name": "X", "permissions": ["member.read"] }), "invalid_arguments").await;
        assert!(error["fix"].as_str().unwrap().contains("did you mean `members.read`?"), "{error}");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_project_and_another_organization_do_not_go_together() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        let before = agent.dump().await;
        let arguments = json!({ "name": "X", "permissions": [], "project": "Atlas", "organization": "Globex" });
        agent.fails("create_role", arguments, "invalid_arguments").await;
        assert_eq!(agent.dump().await, before);
        agent.ok("create_role", json!({ "name": "X", "permissions": [], "project": "Atlas", "organization": "Acme" })).await;
    }
}

#[tokio::test]
async fn only_a_role_with_power_is_asked_about() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.questions();
        agent.ok("create_role", json!({ "name": "Auditor", "permissions": ["members.read"] })).await;
        assert_eq!(agent.questions(), Vec::<String>::new());
        agent.ok("create_role", json!({ "name": "Boss", "permissions": ["members.*"] })).await;
        assert_eq!(agent.questions().len(), 1);

        let before = agent.dump().await;
        let answer = agent.refusing().await.call("create_role", json!({ "name": "Boss 2", "permissions": ["*"] })).await;
        assert!(answer["code"].is_string(), "{answer}");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn built_in_roles_stay_as_they_are() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let before = agent.dump().await;
        agent.fails("update_role", json!({ "role": "reader", "permissions": ["*"] }), "built_in_role").await;
        agent.fails("update_role", json!({ "role": "viewer", "project": "Atlas", "name": "Guest" }), "built_in_role").await;
        agent.fails("update_role", json!({ "role": "role_team_member", "name": "Guest" }), "built_in_role").await;
        agent.fails("delete_role", json!({ "role": "admin" }), "built_in_role").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn the_named_fields_of_a_role_change_and_others_stay() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_role", json!({ "name": "Auditor", "permissions": ["members.read"], "description": "Looks" })).await;
        let done = agent.ok("update_role", json!({ "role": "Auditor", "name": "Examiner" })).await;
        assert_eq!((&done["before"]["role"], &done["after"]["role"]), (&json!("Auditor"), &json!("Examiner")), "{done}");
        assert_eq!((&done["after"]["description"], &done["after"]["permissions"]), (&json!("Looks"), &json!(["members.read"])), "{done}");
        let done = agent.ok("update_role", json!({ "role": "examiner", "clear": ["description"] })).await;
        assert_eq!(done["after"].get("description"), None, "{done}");

        let before = agent.dump().await;
        agent.fails("update_role", json!({ "role": "Examiner" }), "invalid_arguments").await;
        agent.fails("update_role", json!({ "role": "Examiner", "permissions": ["nope"] }), "invalid_arguments").await;
        let both = json!({ "role": "Examiner", "description": "x", "clear": ["description"] });
        agent.fails("update_role", both, "invalid_arguments").await;
        agent.fails("update_role", json!({ "role": "Examiner", "name": "OWNER" }), "name_taken").await;
        agent.fails("update_role", json!({ "role": "Auditor", "name": "X" }), "role_not_found").await;
        assert_eq!(agent.dump().await, before);
        agent.ok("update_role", json!({ "role": "Examiner", "name": "EXAMINER" })).await;
    }
}

#[tokio::test]
async fn more_power_for_holders_and_less_for_holders_are_both_told() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_role", json!({ "name": "Clerk", "permissions": ["members.read", "teams.read"] })).await;
        for member in ["ben@acme.example", "cleo@acme.example"] {
            agent.ok("assign_role", json!({ "role": "Clerk", "member": member })).await;
        }
        let more = json!({ "role": "Clerk", "permissions": ["members.read", "members.remove", "teams.read"], "dry_run": true });
        let planned = agent.ok("update_role", more).await;
        assert_eq!(planned["impact"]["gravity"], "low", "{planned}");
        let note = planned["impact"]["notes"][0].as_str().unwrap();
        assert_eq!(note, "become Clerk of organization Acme, with power over others: ben@acme.example, cleo@acme.example");
        assert_eq!(planned["impact"]["notes"][1], "the role gives more power over others: members.remove");

        let less = json!({ "role": "Clerk", "permissions": ["members.read"], "dry_run": true });
        let planned = agent.ok("update_role", less).await;
        // What they hold beside it lets them see the organization still; where it does not, see access_local.
        assert_eq!(planned["impact"]["gravity"], "low", "{planned}");
        assert_eq!(planned["needs_consent"], true, "{planned}");
        assert_eq!(
            planned["impact"]["losses"],
            json!([{ "count": 2, "what": "people lose permissions", "examples": ["ben@acme.example", "cleo@acme.example"] }]),
            "{planned}"
        );
        assert_eq!(gravity(&agent, "update_role", json!({ "role": "Clerk", "name": "Scribe" })).await, "none");
    }
}

#[tokio::test]
async fn power_for_an_outsider_by_way_of_the_role_is_critical() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_user", json!({ "email": "eve@other.example", "name": "Eve", "role": "reader" })).await;
        agent.ok("create_role", json!({ "name": "Clerk", "permissions": ["members.read"] })).await;
        agent.ok("assign_role", json!({ "role": "Clerk", "member": "eve@other.example" })).await;
        assert_eq!(gravity(&agent, "update_role", json!({ "role": "Clerk", "permissions": ["members.*"] })).await, "critical");
    }
}

#[tokio::test]
async fn a_deleted_role_is_taken_from_all_who_hold_it() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_team", json!({ "name": "Data" })).await;
        agent.ok("add_team_member", json!({ "team": "Data", "member": "cleo@acme.example" })).await;
        agent.ok("create_role", json!({ "name": "Clerk", "permissions": ["members.read"] })).await;
        assert_eq!(gravity(&agent, "delete_role", json!({ "role": "Clerk" })).await, "low");
        agent.ok("assign_role", json!({ "role": "Clerk", "member": "ben@acme.example" })).await;
        agent.ok("assign_role", json!({ "role": "Clerk", "team": "Data" })).await;

        let planned = agent.ok("delete_role", json!({ "role": "Clerk", "dry_run": true })).await;
        assert_eq!(
            (&planned["impact"]["gravity"], &planned["impact"]["losses"]),
            (&json!("high"), &json!([{ "count": 1, "what": "role ends", "examples": ["Clerk"] }])),
            "{planned}"
        );
        let notes = [
            "no longer Clerk of organization Acme: ben@acme.example",
            "no longer Clerk of organization Acme through team Data: cleo@acme.example",
            "team Data is no longer Clerk of organization Acme",
        ];
        assert_eq!(planned["impact"]["notes"], json!(notes), "{planned}");
        let before = agent.dump().await;
        agent.refusing().await.call("delete_role", json!({ "role": "Clerk" })).await;
        assert_eq!(agent.dump().await, before);

        agent.ok("delete_role", json!({ "role": "Clerk" })).await;
        agent.fails("get_role", json!({ "role": "Clerk" }), "role_not_found").await;
        let held = agent.ok("list_role_assignments", json!({ "member": "ben@acme.example" })).await;
        assert_eq!(names(&held, "role"), ["member", "member"], "{held}");
    }
}

#[tokio::test]
async fn who_is_left_in_a_project_without_a_role_is_told() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_role", json!({ "name": "Labeller", "permissions": ["project.read"], "project": "Atlas" })).await;
        agent.ok("add_project_member", json!({ "project": "Atlas", "member": "cleo@acme.example", "roles": ["Labeller"] })).await;
        agent.ok("assign_role", json!({ "project": "Atlas", "member": "ben@acme.example", "role": "Labeller" })).await;
        let planned = agent.ok("delete_role", json!({ "role": "Labeller", "project": "Atlas", "dry_run": true })).await;
        let notes = [
            "no longer Labeller of project Atlas: ben@acme.example",
            "no longer Labeller of project Atlas: cleo@acme.example, and loses project.read",
            "left in a project without any role: cleo@acme.example",
        ];
        assert_eq!(planned["impact"]["notes"], json!(notes), "{planned}");
        assert_eq!(planned["impact"]["losses"][0], json!({ "count": 1, "what": "person loses access", "examples": ["cleo@acme.example"] }));
    }
}

#[tokio::test]
async fn the_role_of_a_membership_or_an_invitation_is_not_deleted() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_role", json!({ "name": "Clerk", "permissions": ["members.read"] })).await;
        agent.ok("update_organization_member", json!({ "member": "ben@acme.example", "role": "Clerk" })).await;
        let before = agent.dump().await;
        let error = agent.fails("delete_role", json!({ "role": "Clerk" }), "role_in_use").await;
        assert!(error["message"].as_str().unwrap().contains("ben@acme.example"), "{error}");
        assert!(error["fix"].as_str().unwrap().contains("update_organization_member"), "{error}");
        assert_eq!(agent.dump().await, before);

        agent.ok("update_organization_member", json!({ "member": "ben@acme.example", "role": "member" })).await;
        agent.ok("invite_organization_member", json!({ "email": "dan@acme.example", "role": "Clerk" })).await;
        let error = agent.fails("delete_role", json!({ "role": "Clerk" }), "role_in_use").await;
        assert!(error["fix"].as_str().unwrap().contains("cancel_invitation"), "{error}");
        agent.ok("cancel_invitation", json!({ "invitation": "dan@acme.example" })).await;
        agent.ok("delete_role", json!({ "role": "Clerk" })).await;
    }
}

#[tokio::test]
async fn roles_of_an_archived_project_are_read_only() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let made = agent.ok("create_role", json!({ "name": "Labeller", "permissions": [], "project": "Atlas" })).await;
        agent.ok("archive_project", json!({ "project": "Atlas" })).await;
        let before = agent.dump().await;
        agent.fails("create_role", json!({ "name": "X", "permissions": [], "project": "Atlas" }), "project_archived").await;
        for role in [json!({ "role": "Labeller", "project": "Atlas" }), json!({ "role": made["after"]["id"] })] {
            let mut named = role.clone();
            named["name"] = "X".into();
            agent.fails("update_role", named, "project_archived").await;
            agent.fails("delete_role", role, "project_archived").await;
        }
        assert_eq!(agent.dump().await, before);
        agent.ok("get_role", json!({ "role": "Labeller", "project": "Atlas" })).await;
    }
}

#[tokio::test]
async fn permissions_are_listed_and_searched() {
    for agent in Agent::each().await {
        let all = agent.ok("list_permissions", json!({ "limit": 100 })).await;
        let codes = names(&all, "permission");
        assert!(codes.is_sorted() && codes.iter().any(|it| it == "project.keys.write"), "{codes:?}");
        let found = agent.ok("list_permissions", json!({ "query": "Never their VALUES" })).await;
        assert_eq!(names(&found, "permission"), ["keys.read", "project.keys.read"], "{found}");
        let first = agent.ok("list_permissions", json!({ "query": "keys", "limit": 3 })).await;
        let rest = agent.ok("list_permissions", json!({ "query": "keys", "cursor": first["next_cursor"] })).await;
        assert_eq!(
            [names(&first, "permission"), names(&rest, "permission")].concat(),
            ["keys.read", "keys.write", "project.keys.read", "project.keys.write"]
        );
        agent.fails("list_permissions", json!({ "cursor": "zzz" }), "invalid_arguments").await;
    }
}
