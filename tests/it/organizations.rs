use crate::support::{Agent, Options, json};

#[tokio::test]
async fn an_organization_is_created_read_changed_and_deleted() {
    for agent in Agent::each().await {
        let created = agent
            .ok("create_organization", json!({"name": "Acme  Corp", "description": "Makes things", "website": "https://acme.example"}))
            .await;
        assert_eq!(created["after"]["organization"], "Acme Corp");
        assert_eq!(created["after"]["slug"], "acme-corp");
        assert_eq!(created["undo"], "delete_organization");
        assert!(agent.questions().is_empty(), "nobody gains power, nobody is asked");

        let read = agent.ok("get_organization", json!({"organization": "acme corp"})).await;
        assert_eq!(read["website"], "https://acme.example");
        assert_eq!((&read["members"], &read["projects"]), (&json!(0), &json!(0)));

        let changed = agent.ok("update_organization", json!({"organization": "acme-corp", "name": "Acme", "clear": ["website"]})).await;
        assert_eq!(changed["before"]["organization"], "Acme Corp");
        assert_eq!(changed["after"]["organization"], "Acme");
        assert_eq!(changed["after"]["description"], "Makes things");
        assert!(changed["after"].get("website").is_none(), "{changed}");

        agent.ok("delete_organization", json!({"organization": "Acme"})).await;
        agent.fails("get_organization", json!({"organization": "Acme"}), "organization_not_found").await;
    }
}

#[tokio::test]
async fn organizations_are_listed_by_page_and_query() {
    for agent in Agent::each().await {
        for name in ["Cobalt", "Acme", "Borealis"] {
            agent.ok("create_organization", json!({"name": name})).await;
        }
        let first = agent.ok("list_organizations", json!({"limit": 2})).await;
        assert_eq!((&first["shown"], &first["total"], &first["has_more"]), (&json!(2), &json!(3), &json!(true)));
        assert_eq!(first["items"][0]["organization"], "Acme");
        let second = agent.ok("list_organizations", json!({"limit": 2, "cursor": first["next_cursor"]})).await;
        assert_eq!(second["items"][0]["organization"], "Cobalt");
        assert_eq!(second["has_more"], false);
        let found = agent.ok("list_organizations", json!({"query": "Real"})).await;
        assert_eq!(found["total"], 1);
        assert_eq!(found["items"][0]["organization"], "Borealis");
    }
}

#[tokio::test]
async fn names_and_slugs_of_organizations_are_unique() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Acme"})).await;
        agent.ok("create_organization", json!({"name": "Borealis"})).await;
        let before = agent.dump().await;
        agent.fails("create_organization", json!({"name": "ACME", "slug": "other"}), "name_taken").await;
        agent.fails("create_organization", json!({"name": "Other", "slug": "acme"}), "name_taken").await;
        agent.fails("update_organization", json!({"organization": "Borealis", "name": "acme"}), "name_taken").await;
        agent.fails("update_organization", json!({"organization": "Borealis", "slug": "acme"}), "name_taken").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_name_without_latin_letters_needs_a_slug() {
    for agent in Agent::each().await {
        agent.fails("create_organization", json!({"name": "研究"}), "invalid_arguments").await;
        let created = agent.ok("create_organization", json!({"name": "研究", "slug": "kenkyu"})).await;
        assert_eq!(created["after"]["organization"], "研究");
    }
}

#[tokio::test]
async fn a_change_of_nothing_and_a_field_both_set_and_cleared_are_refused() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Acme"})).await;
        let before = agent.dump().await;
        agent.fails("update_organization", json!({"organization": "Acme"}), "invalid_arguments").await;
        agent
            .fails(
                "update_organization",
                json!({"organization": "Acme", "website": "https://a.example", "clear": ["website"]}),
                "invalid_arguments",
            )
            .await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn the_first_owner_joins_at_once_with_an_account_and_is_invited_without() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Acme"})).await;
        agent.ok("create_user", json!({"email": "ana@acme.example", "name": "Ana", "organization": "Acme", "role": "owner"})).await;

        let known = json!({"name": "Borealis", "admin_email": "ana@acme.example", "dry_run": true});
        let planned = agent.ok("create_organization", known).await;
        assert_eq!(planned["impact"]["gravity"], "low", "a domain that has power in the directory");
        agent.ok("create_organization", json!({"name": "Borealis", "admin_email": "ana@acme.example"})).await;
        let owner = agent.ok("get_organization_member", json!({"member": "ana@acme.example", "organization": "Borealis"})).await;
        assert_eq!(owner["roles"], json!(["owner"]));

        let stranger = json!({"name": "Cobalt", "admin_email": "eve@elsewhere.example", "dry_run": true});
        let planned = agent.ok("create_organization", stranger).await;
        assert_eq!(planned["impact"]["gravity"], "critical");
        assert_eq!(planned["needs_consent"], true);
        agent.questions();
        agent.ok("create_organization", json!({"name": "Cobalt", "admin_email": "eve@elsewhere.example"})).await;
        assert_eq!(agent.questions().len(), 1);
        let invited = agent.ok("list_invitations", json!({"organization": "Cobalt"})).await;
        assert_eq!(invited["items"][0]["invitation"], "eve@elsewhere.example");
        assert_eq!(invited["items"][0]["role"], "owner");
        agent.ok("create_user", json!({"email": "eve@elsewhere.example", "name": "Eve", "organization": "Cobalt"})).await;
        let owner = agent.ok("get_organization_member", json!({"member": "eve@elsewhere.example", "organization": "Cobalt"})).await;
        assert_eq!(owner["roles"], json!(["owner"]));
    }
}

#[tokio::test]
async fn power_for_an_outsider_is_not_given_without_consent() {
    for agent in Agent::each().await {
        let before = agent.dump().await;
        let refusing = agent.refusing().await;
        let call = json!({"name": "Cobalt", "admin_email": "eve@elsewhere.example"});
        let answer = refusing.call("create_organization", call).await;
        assert!(answer["message"].as_str().unwrap().contains("nothing was changed"), "{answer}");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn deleting_an_organization_tells_who_loses_what_and_keeps_accounts() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Other"})).await;
        agent.ok("create_user", json!({"email": "olga@other.example", "name": "Olga", "organization": "Other"})).await;
        agent.ok("create_project", json!({"name": "Spare", "organization": "Other"})).await;
        let mut other = agent.dump().await;

        agent.ok("create_organization", json!({"name": "Acme", "admin_email": "olga@other.example"})).await;
        agent.ok("create_user", json!({"email": "ana@acme.example", "name": "Ana", "organization": "Acme"})).await;
        for project in ["Atlas", "Borealis"] {
            agent.ok("create_project", json!({"name": project, "organization": "Acme"})).await;
        }
        let call = json!({"email": "bo@acme.example", "organization": "Acme", "projects": ["Atlas"]});
        agent.ok("invite_organization_member", call).await;
        everything(&agent).await;

        let planned = agent.ok("delete_organization", json!({"organization": "Acme", "dry_run": true})).await;
        assert_eq!(planned["impact"]["gravity"], "critical");
        assert!(planned["impact"].get("undo").is_none(), "{planned}");
        assert_eq!(
            planned["impact"]["losses"],
            json!([
                {"count": 1, "what": "organization ends", "examples": ["Acme"]},
                {"count": 2, "what": "people lose access", "examples": ["ana@acme.example", "olga@other.example"]},
                {"count": 2, "what": "projects end", "examples": ["Atlas", "Borealis"]},
                {"count": 1, "what": "team ends", "examples": ["Platform"]},
                {"count": 1, "what": "key stops working", "examples": ["ci"]},
                {"count": 1, "what": "service account ends", "examples": ["robot"]},
                {"count": 2, "what": "roles end", "examples": ["Auditor", "Painter"]},
                {"count": 1, "what": "certificate ends", "examples": ["c"]},
                {"count": 2, "what": "usage limits end", "examples": ["Monthly Cost", "Monthly Cost"]},
                {"count": 1, "what": "resource left without a project", "examples": ["dataset d"]},
                {"count": 2, "what": "logos end", "examples": ["Acme", "Platform"]},
                {"count": 1, "what": "invitation is void", "examples": ["bo@acme.example"]},
            ])
        );

        let before = agent.dump().await;
        agent.refusing().await.call("delete_organization", json!({"organization": "Acme"})).await;
        assert_eq!(agent.dump().await, before);

        agent.questions();
        agent.ok("delete_organization", json!({"organization": "Acme"})).await;
        assert_eq!(agent.questions().len(), 1);
        let mut left = agent.dump().await;
        assert!(left["users"].contains("ana@acme.example"), "people keep their accounts");
        for table in ["users", "applied_calls"] {
            assert!(left.remove(table) != other.remove(table), "{table}");
        }
        assert_eq!(left, other, "nothing of the other organization is touched");
    }
}

/// Puts a row that belongs to Acme into every table that is left.
async fn everything(agent: &Agent) {
    let mut db = agent.db().recording().begin().await.unwrap();
    let picture = [rolecall::store::Val::from(vec![0_u8])];
    let acme = "(SELECT id FROM organizations WHERE slug = 'acme')";
    let atlas = "(SELECT id FROM projects WHERE slug = 'atlas')";
    let ana = "(SELECT id FROM users WHERE email = 'ana@acme.example')";
    for row in [
        format!("teams VALUES ('team_1', {acme}, 'Platform', 'platform', 'platform', NULL, 0)"),
        format!("team_members VALUES ('team_1', {ana}, 'role_team_member', 0)"),
        format!("project_members VALUES ({atlas}, {ana}, 0)"),
        format!("project_teams VALUES ({atlas}, 'team_1', 0)"),
        format!("roles VALUES ('role_1', {acme}, NULL, 'organization', 'Auditor', 'auditor', NULL, '[]', FALSE, 0)"),
        format!("roles VALUES ('role_2', {acme}, {atlas}, 'project', 'Painter', 'painter', NULL, '[]', FALSE, 0)"),
        format!("role_assignments VALUES ('a_1', {acme}, NULL, 'role_1', {ana}, NULL, 0)"),
        format!("role_assignments VALUES ('a_2', {acme}, {atlas}, 'role_2', NULL, 'team_1', 0)"),
        format!("service_accounts VALUES ('sa_1', {atlas}, 'robot', 'robot', 'role_2', 0)"),
        format!("api_keys VALUES ('k_1', {atlas}, 'sa_1', NULL, 'ci', 'ci', NULL, 'h', 'h', '[]', 'active', 0, NULL, NULL)"),
        format!("rate_limits VALUES ({atlas}, 'm', 1, 1, 1, 1, 1, 1)"),
        format!("usage_limits VALUES ('u_1', {acme}, NULL, 'Monthly', 'Cost', 1, 2, 'Renewable', TRUE, 0)"),
        format!("usage_limits VALUES ('u_2', {acme}, {atlas}, 'Monthly', 'Cost', 1, 2, 'Renewable', TRUE, 0)"),
        format!("certificates VALUES ('c_1', {acme}, 'c', 'pem', 'f', 0, 1, 0)"),
        "certificate_activations VALUES ('c_1', '', 0)".to_owned(),
        format!("certificate_activations VALUES ('c_1', {atlas}, 0)"),
        format!("resources VALUES ({atlas}, 'dataset', 'd', 0)"),
        "logos SELECT 'organization', id, 'image/png', 1, 1, $1, 0 FROM organizations WHERE slug = 'acme'".to_owned(),
        "logos VALUES ('team', 'team_1', 'image/png', 1, 1, $1, 0)".to_owned(),
    ] {
        db.run(&format!("INSERT INTO {row}"), &picture[..row.matches("$1").count()]).await.unwrap();
    }
    db.commit().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_kept_to_an_organization_stays_there() {
    for agent in Agent::each().await {
        for name in ["Acme", "Borealis"] {
            agent.ok("create_organization", json!({"name": name})).await;
        }
        let pinned = agent.elsewhere(Options { pin: Some("Acme".into()), ..Options::default() }).await;
        let before = agent.dump().await;
        assert_eq!(pinned.ok("get_current_user", json!({})).await["organization"], "Acme");
        assert_eq!(pinned.ok("list_organizations", json!({})).await["total"], 1);
        pinned.fails("create_organization", json!({"name": "Cobalt"}), "outside_connection").await;
        pinned.fails("get_organization", json!({"organization": "Borealis"}), "outside_connection").await;
        pinned.fails("delete_organization", json!({"organization": "Borealis"}), "outside_connection").await;
        let call = json!({"email": "bo@acme.example", "organization": "Borealis"});
        pinned.fails("invite_organization_member", call, "outside_connection").await;
        let refused = pinned.fails("update_organization", json!({"organization": "Acme", "name": "B", "slug": "b"}), "pinned_name").await;
        assert!(refused["fix"].as_str().unwrap().contains("org_"), "{refused}");
        assert_eq!(agent.dump().await, before);
        pinned.ok("update_organization", json!({"organization": "Acme", "name": "Acme Corp"})).await;
        assert_eq!(pinned.ok("get_current_user", json!({})).await["organization"], "Acme Corp", "still meant by its slug");
    }
}

#[tokio::test]
async fn policies_are_read_as_they_were_set() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Acme"})).await;
        let mut db = agent.db().recording().begin().await.unwrap();
        db.run("UPDATE organizations SET runtime_policies = '[{\"name\":\"tools\",\"value\":\"approved\"}]'", &[]).await.unwrap();
        db.commit().await.unwrap();
        let policies = agent.ok("get_runtime_policies", json!({"organization": "acme"})).await;
        assert_eq!(policies["policies"], json!([{"name": "tools", "value": "approved"}]));
        assert!(policies.get("note").is_none(), "{policies}");
    }
}

#[tokio::test]
async fn an_organization_without_policies_says_that_the_defaults_hold() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Acme"})).await;
        let policies = agent.ok("get_runtime_policies", json!({})).await;
        assert_eq!(policies["policies"], json!([]));
        assert_eq!(policies["note"], "no policy is set; the runtime's defaults hold");
    }
}

#[tokio::test]
async fn the_directory_says_who_acts_in_it() {
    for agent in Agent::each().await {
        let user = agent.ok("get_current_user", json!({})).await;
        assert_eq!(user["user"], "local directory");
        assert_eq!(user["scope"], "everything in this directory");
    }
}

#[tokio::test]
async fn the_preview_of_an_organization_that_nobody_would_own_says_so() {
    for agent in Agent::each().await {
        let preview = agent.ok("create_organization", json!({ "name": "Acme", "dry_run": true })).await;
        assert_eq!(preview["impact"]["notes"], json!(["it starts without an owner; `admin_email` names one"]), "{preview}");
        let owned = json!({ "name": "Acme", "admin_email": "ana@acme.example", "dry_run": true });
        let preview = agent.ok("create_organization", owned).await;
        assert!(!preview.to_string().contains("without an owner"), "{preview}");
    }
}
