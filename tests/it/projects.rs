//! Projects, through a real client.

use crate::{
    company::{acme, column, declined, email, key_of, owned, refused, team},
    support::{Agent, Value, json},
};

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

#[tokio::test]
async fn a_project_starts_with_owner_team_and_limit() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        owned(&agent).await;
        team(&agent, "Data", &[]).await;
        let call = json!({
            "name": "Atlas", "admin_email": "ANA@acme.example", "team": "data", "slug": "maps", "residency": "eu", "external_key_id": "key-1",
            "usage_limit": { "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": 10.5, "hard_limit": 20, "renewal": "Renewable" },
        });
        let preview = declined(&agent, "create_project", call.clone()).await;
        assert_eq!(preview["impact"]["gravity"], "low", "{preview}");
        assert_eq!(
            preview["impact"]["notes"],
            json!([format!("becomes owner of project Atlas, with power over others: {}", email("ana"))])
        );
        let made = agent.ok("create_project", call).await;
        let after = &made["after"];
        assert_eq!((&after["slug"], &after["team"], &after["members"]), (&json!("maps"), &json!("Data"), &json!(1)), "{made}");
        assert_eq!((&after["residency"], &after["external_key_id"]), (&json!("eu"), &json!("key-1")), "{made}");
        let owner = agent.ok("get_project_member", json!({ "project": "Atlas", "member": email("ana") })).await;
        assert_eq!(owner["roles"], json!(["owner"]), "{owner}");
        let limits = agent.ok("list_usage_limits", json!({ "project": "Atlas" })).await;
        assert_eq!((&limits["items"][0]["soft_limit"], &limits["items"][0]["hard_limit"]), (&json!(10.5), &json!(20.0)), "{limits}");
        assert!(agent.dump().await["usage_limits"].contains("soft_limit=Some(10500000)"), "amounts are kept in millionths");
    }
}

#[tokio::test]
async fn a_project_that_breaks_a_rule_is_not_created() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        agent.ok("create_team", json!({ "name": "Foreign", "organization": "Globex" })).await;
        agent.ok("create_project", json!({ "name": "Atlas", "organization": "Acme" })).await;
        let project = |more: Value| {
            let mut call = json!({ "name": "New", "organization": "Acme" });
            call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            call
        };
        let limit = |soft: f64, hard: f64| json!({ "usage_limit": { "subscription_type": "Daily", "usage_unit": "Requests", "soft_limit": soft, "hard_limit": hard, "renewal": "Renewable" } });
        for (more, code) in [
            (json!({ "name": "ATLAS" }), "name_taken"),
            (json!({ "slug": "atlas" }), "name_taken"),
            (json!({ "name": "研究" }), "invalid_arguments"),
            (json!({ "team": "Foreign" }), "team_not_found"),
            (json!({ "admin_email": email("di") }), "not_a_member"),
            (json!({ "residency": "r".repeat(101) }), "invalid_arguments"),
            (json!({ "external_key_id": "k".repeat(101) }), "invalid_arguments"),
            (limit(2.0, 1.0), "soft_above_hard"),
            (limit(-1.0, 1.0), "invalid_arguments"),
            (json!({ "organization": "Initech" }), "organization_not_found"),
        ] {
            refused(&agent, "create_project", project(more), code).await;
        }
        agent.ok("create_project", json!({ "name": "Atlas", "organization": "Globex" })).await;
    }
}

#[tokio::test]
async fn an_update_of_a_project_names_something_and_nothing_twice() {
    for agent in Agent::each().await {
        acme(&agent, &[]).await;
        agent.ok("create_project", json!({ "name": "Atlas", "external_key_id": "key-1" })).await;
        agent.ok("create_project", json!({ "name": "Borealis" })).await;
        for (call, code) in [
            (json!({ "project": "Atlas" }), "invalid_arguments"),
            (json!({ "project": "Atlas", "external_key_id": "key-2", "clear": ["external_key_id"] }), "invalid_arguments"),
            (json!({ "project": "Atlas", "clear": ["name"] }), "invalid_arguments"),
            (json!({ "project": "Atlas", "name": null }), "invalid_arguments"),
            (json!({ "project": "Atlas", "name": "borealis" }), "name_taken"),
            (json!({ "project": "Atlas", "slug": "borealis" }), "name_taken"),
        ] {
            refused(&agent, "update_project", call, code).await;
        }
        let changed = agent.ok("update_project", json!({ "project": "Atlas", "name": "Maps", "clear": ["external_key_id"] })).await;
        assert_eq!(changed["target"]["name"], "Atlas", "the target carries the old name: {changed}");
        assert_eq!((&changed["before"]["external_key_id"], changed["after"].get("external_key_id")), (&json!("key-1"), None), "{changed}");
        assert_eq!(changed["after"]["slug"], "atlas", "a slug stays where only the name changes: {changed}");
    }
}

#[tokio::test]
async fn projects_are_listed_by_organization_team_and_part_of_a_name() {
    for agent in Agent::each().await {
        acme(&agent, &[]).await;
        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        team(&agent, "Data", &[]).await;
        for (name, organization) in [("Atlas", "Acme"), ("Borealis", "Acme"), ("Cygnus", "Acme"), ("Atlantis", "Globex")] {
            agent.ok("create_project", json!({ "name": name, "organization": organization, "description": "x" })).await;
        }
        agent.ok("create_project", json!({ "name": "Draco", "organization": "Acme", "team": "Data" })).await;
        agent.ok("add_project_team", json!({ "project": "Borealis", "team": "Data", "role": "viewer" })).await;
        agent.ok("archive_project", json!({ "project": "Cygnus" })).await;
        for (call, names) in [
            (json!({}), vec!["Atlantis", "Atlas", "Borealis", "Draco"]),
            (json!({ "query": "ATL" }), vec!["Atlantis", "Atlas"]),
            (json!({ "organization": "Acme" }), vec!["Atlas", "Borealis", "Draco"]),
            (json!({ "organization": "Acme", "include_archived": true }), vec!["Atlas", "Borealis", "Cygnus", "Draco"]),
            (json!({ "team": "Data" }), vec!["Borealis", "Draco"]),
            (json!({ "team": "Data", "organization": "Acme", "query": "dra" }), vec!["Draco"]),
        ] {
            let list = agent.ok("list_projects", call.clone()).await;
            assert_eq!(
                (column(&list, "project"), &list["total"]),
                (names.iter().map(ToString::to_string).collect(), &json!(names.len())),
                "{call}"
            );
            assert_eq!(list["items"][0].get("description"), None, "brief unless told: {list}");
        }
        let full = agent.ok("list_projects", json!({ "detail": "full", "limit": 1 })).await;
        assert_eq!(full["items"][0]["description"], "x", "{full}");
        agent.fails("list_projects", json!({ "team": "Data", "organization": "Globex" }), "team_not_found").await;
        agent.fails("list_projects", json!({ "limit": 101 }), "invalid_arguments").await;
    }
}

#[tokio::test]
async fn an_archived_project_is_read_only_and_its_keys_are_blocked() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["bo"]).await;
        agent.ok("create_project", json!({ "name": "Atlas", "admin_email": email("ana") })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "viewer" })).await;
        key_of(&agent, "Atlas", "ana", "laptop").await;
        let preview = declined(&agent, "archive_project", json!({ "project": "Atlas" })).await;
        assert_eq!(
            preview["impact"],
            json!({
                "gravity": "high",
                "losses": [
                    { "count": 1, "what": "project ends", "examples": ["Atlas"] },
                    { "count": 2, "what": "people lose permissions", "examples": [email("ana"), email("bo")] },
                    { "count": 1, "what": "key stops working", "examples": ["laptop"] },
                ],
                "notes": ["it can only be read from then on, and cannot be made active again"],
            }),
            "{preview}"
        );
        let done = agent.ok("archive_project", json!({ "project": "Atlas" })).await;
        assert_eq!((&done["before"]["status"], &done["after"]["status"]), (&json!("active"), &json!("archived")), "{done}");
        assert!(done["after"]["archived_at"].is_string(), "{done}");
        assert!(agent.dump().await["api_keys"].contains("status=Some(\"blocked\")"));
        refused(&agent, "update_project", json!({ "project": "Atlas", "name": "X" }), "project_archived").await;
        refused(&agent, "archive_project", json!({ "project": "Atlas" }), "already_archived").await;
        agent.ok("get_project", json!({ "project": "Atlas" })).await;
        agent.ok("delete_project", json!({ "project": "Atlas" })).await;
    }
}

#[tokio::test]
async fn deleting_a_project_tells_all_that_ends_with_it() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["bo"]).await;
        let limit =
            json!({ "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": 1, "hard_limit": 2, "renewal": "Renewable" });
        agent.ok("create_project", json!({ "name": "Atlas", "admin_email": email("ana"), "usage_limit": limit })).await;
        agent.ok("create_project", json!({ "name": "Borealis" })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "viewer" })).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "ci", "without_key": true })).await;
        agent.ok("create_role", json!({ "name": "Mapper", "permissions": ["project.read"], "project": "Atlas" })).await;
        agent.ok("assign_project_resource", json!({ "project": "Atlas", "resource_type": "dataset", "resource_id": "d1" })).await;
        agent.ok("update_rate_limit", json!({ "project": "Atlas", "model": "gpt-5", "max_requests_per_1_minute": 5 })).await;
        for key in ["laptop", "phone"] {
            key_of(&agent, "Atlas", "ana", key).await;
        }
        agent.ok("update_api_key", json!({ "project": "Atlas", "api_key": "phone", "status": "blocked" })).await;
        let invited = json!({ "email": "zoe@acme.example", "projects": ["Atlas"] });
        agent.ok("invite_organization_member", invited).await;
        agent.ok("invite_organization_member", json!({ "email": "yan@acme.example", "projects": ["Borealis"] })).await;
        let mut db = agent.db().recording().begin().await.unwrap();
        for (row, values) in [
            ("certificates SELECT 'c_1', organization_id, 'Edge', 'pem', 'f', 0, 1, 0 FROM projects WHERE slug = 'atlas'", vec![]),
            ("certificate_activations SELECT 'c_1', id, 0 FROM projects WHERE slug = 'atlas'", vec![]),
            ("logos SELECT 'project', id, 'image/png', 1, 1, $1, 0 FROM projects WHERE slug = 'atlas'", vec![vec![0_u8].into()]),
        ] {
            db.run(&format!("INSERT INTO {row}"), &values).await.unwrap();
        }
        db.commit().await.unwrap();
        let preview = declined(&agent, "delete_project", json!({ "project": "Atlas" })).await;
        assert_eq!(
            preview["impact"],
            json!({
                "gravity": "high",
                "losses": [
                    { "count": 1, "what": "project ends", "examples": ["Atlas"] },
                    { "count": 2, "what": "people lose access", "examples": [email("ana"), email("bo")] },
                    { "count": 1, "what": "key stops working", "examples": ["laptop"] },
                    { "count": 1, "what": "service account ends", "examples": ["ci"] },
                    { "count": 1, "what": "role ends", "examples": ["Mapper"] },
                    { "count": 1, "what": "usage limit ends", "examples": ["Monthly Cost"] },
                    { "count": 1, "what": "resource left without a project", "examples": ["dataset d1"] },
                    { "count": 1, "what": "certificate is refused", "examples": ["Edge"] },
                    { "count": 1, "what": "logo ends", "examples": ["Atlas"] },
                ],
                "notes": [
                    "1 team loses its access: Data",
                    "1 rate limit ends: gpt-5",
                    "1 invitation comes without it: zoe@acme.example",
                    "1 blocked key goes with it",
                ],
            }),
            "{preview}"
        );
        let gone = agent.ok("delete_project", json!({ "project": "Atlas" })).await;
        assert_eq!((&gone["before"]["members"], &gone["before"]["api_keys"]), (&json!(2), &json!(2)), "{gone}");
        let rows = agent.dump().await;
        for table in [
            "project_members",
            "project_teams",
            "role_assignments",
            "service_accounts",
            "api_keys",
            "rate_limits",
            "usage_limits",
            "resources",
        ] {
            assert_eq!(rows[table], "", "{table} is empty");
        }
        assert_eq!(column(&agent.ok("list_projects", json!({})).await, "project"), ["Borealis"]);
        assert_eq!(agent.ok("get_team", json!({ "team": "Data" })).await["members"], 1);
    }
}
