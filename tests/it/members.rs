use crate::support::{Agent, Options, Value, json};

/// An organization with an owner, Ana, and two projects.
async fn acme(agent: &Agent) {
    agent.ok("create_organization", json!({"name": "Acme"})).await;
    agent.ok("create_user", json!({"email": "ana@acme.example", "name": "Ana Vidal", "role": "owner"})).await;
    for project in ["Atlas", "Borealis"] {
        agent.ok("create_project", json!({"name": project})).await;
    }
    agent.questions();
}

async fn user(agent: &Agent, email: &str, name: &str, role: &str) -> Value {
    agent.ok("create_user", json!({"email": email, "name": name, "role": role})).await
}

fn emails(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|it| it["member"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn people_are_listed_with_their_roles_and_found_by_name_e_mail_and_role() {
    for agent in Agent::each().await {
        acme(&agent).await;
        user(&agent, "bo@acme.example", "Bo Larsen", "admin").await;
        user(&agent, "cy@acme.example", "Cy Vidal", "member").await;
        let all = agent.ok("list_organization_members", json!({})).await;
        assert_eq!(emails(&all), ["ana@acme.example", "bo@acme.example", "cy@acme.example"]);
        assert_eq!(all["items"][1]["roles"], json!(["admin"]));
        let vidals = agent.ok("list_organization_members", json!({"query": "VIDAL"})).await;
        assert_eq!(emails(&vidals), ["ana@acme.example", "cy@acme.example"]);
        assert_eq!(vidals["total"], 2);
        let admins = agent.ok("list_organization_members", json!({"role": "Admin"})).await;
        assert_eq!(emails(&admins), ["bo@acme.example"]);
        let first = agent.ok("list_organization_members", json!({"limit": 2})).await;
        let next = agent.ok("list_organization_members", json!({"limit": 2, "cursor": first["next_cursor"]})).await;
        assert_eq!(emails(&next), ["cy@acme.example"]);
        agent.fails("list_organization_members", json!({"role": "emperor"}), "role_not_found").await;

        let one = agent.ok("get_organization_member", json!({"member": "BO@acme.example"})).await;
        assert_eq!((&one["name"], &one["organization"], &one["status"]), (&json!("Bo Larsen"), &json!("Acme"), &json!("active")));
        agent.fails("get_organization_member", json!({"member": "no@acme.example"}), "member_not_found").await;
    }
}

#[tokio::test]
async fn a_search_takes_every_character_as_it_is_and_folds_names() {
    for agent in Agent::each().await {
        acme(&agent).await;
        user(&agent, "a_b@acme.example", "Élodie  100% Ωmega", "member").await;
        user(&agent, "axb@acme.example", "Back\\slash", "member").await;
        for (query, found) in [
            ("a_b", vec!["a_b@acme.example"]),
            ("%", vec!["a_b@acme.example"]),
            ("\\", vec!["axb@acme.example"]),
            ("ÉLODIE", vec!["a_b@acme.example"]),
            ("elodie", vec!["a_b@acme.example"]),
            ("ωmega", vec!["a_b@acme.example"]),
        ] {
            let list = agent.ok("list_organization_members", json!({ "query": query })).await;
            assert_eq!((emails(&list), &list["total"]), (found.clone(), &json!(found.len())), "{query}");
        }
        for (tool, make, field) in [("list_projects", "create_project", "project"), ("list_teams", "create_team", "team")] {
            for name in ["Up_ward", "Upward"] {
                agent.ok(make, json!({ "name": name, "slug": name.to_lowercase().replace('_', "-") })).await;
            }
            let list = agent.ok(tool, json!({ "query": "p_w" })).await;
            assert_eq!((&list["total"], &list["items"][0][field]), (&json!(1), &json!("Up_ward")), "{list}");
            agent.ok(make, json!({ "name": "São Paulo" })).await;
            for query in ["sao paulo", "SÃO", "sa\u{303}o p"] {
                let list = agent.ok(tool, json!({ "query": query })).await;
                assert_eq!((&list["total"], &list["items"][0][field]), (&json!(1), &json!("São Paulo")), "{query}: {list}");
            }
        }
        agent.ok("add_project_member", json!({ "project": "Upward", "member": "axb@acme.example", "roles": ["member"] })).await;
        for (query, total) in [("a_b", 0), ("K\\S", 1)] {
            let list = agent.ok("list_project_members", json!({ "project": "Upward", "query": query })).await;
            assert_eq!(list["total"], total, "{query}: {list}");
        }
        let none = agent.ok("list_organizations", json!({ "query": "a_me" })).await;
        assert_eq!(none["total"], 0, "{none}");
    }
}

#[tokio::test]
async fn an_invitation_waits_for_fourteen_days_with_its_projects() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let call = json!({"email": "Bo@Acme.example", "projects": ["Borealis", "atlas", "Atlas"]});
        let invited = agent.ok("invite_organization_member", call).await;
        let after = &invited["after"];
        assert_eq!(after["invitation"], "bo@acme.example");
        assert_eq!((&after["role"], &after["status"]), (&json!("member"), &json!("pending")));
        assert_eq!(after["projects"], json!(["Borealis", "Atlas"]));
        assert_eq!(invited["undo"], "cancel_invitation");
        assert!(agent.questions().is_empty(), "a plain member gains no power over others");
        let read = agent.ok("list_invitations", json!({"status": "pending"})).await;
        assert_eq!(read["items"], json!([after]));
        assert_eq!(agent.ok("list_invitations", json!({"status": "expired"})).await["total"], 0);
        let people = agent.ok("list_organization_members", json!({})).await;
        assert_eq!(people["total"], 1, "access starts when it is accepted");
    }
}

#[tokio::test]
async fn members_and_invited_people_are_not_invited_again() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("invite_organization_member", json!({"email": "bo@acme.example"})).await;
        let before = agent.dump().await;
        agent.fails("invite_organization_member", json!({"email": "ana@acme.example"}), "already_member").await;
        agent.fails("invite_organization_member", json!({"email": "bo@acme.example"}), "already_invited").await;
        agent.fails("invite_organization_member", json!({"email": "cy@acme.example", "projects": ["Nowhere"]}), "project_not_found").await;
        agent.fails("invite_organization_member", json!({"email": "cy@acme.example", "role": "emperor"}), "role_not_found").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn only_active_projects_of_the_organization_come_with_an_invitation() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("archive_project", json!({"project": "Atlas"})).await;
        agent.ok("create_organization", json!({"name": "Other"})).await;
        agent.ok("create_project", json!({"name": "Elsewhere", "organization": "Other"})).await;
        let before = agent.dump().await;
        for (project, code) in [("Atlas", "project_archived"), ("Elsewhere", "project_not_found")] {
            let call = json!({"email": "bo@acme.example", "organization": "Acme", "projects": [project]});
            agent.fails("invite_organization_member", call, code).await;
        }
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn power_is_grave_to_give_and_gravest_to_an_outsider() {
    for agent in Agent::each().await {
        acme(&agent).await;
        for (email, role, gravity) in [
            ("bo@acme.example", "member", "none"),
            ("bo@acme.example", "admin", "low"),
            ("eve@elsewhere.example", "member", "none"),
            ("eve@elsewhere.example", "admin", "critical"),
            ("eve@elsewhere.example", "owner", "critical"),
        ] {
            for tool in ["invite_organization_member", "create_user"] {
                let mut call = json!({"email": email, "role": role, "dry_run": true});
                if tool == "create_user" {
                    call["name"] = json!("Somebody");
                }
                let planned = agent.ok(tool, call).await;
                assert_eq!(planned["impact"]["gravity"], gravity, "{tool}: {email} as {role}: {planned}");
                assert_eq!(planned["needs_consent"], gravity != "none");
            }
        }
        let before = agent.dump().await;
        let call = json!({"email": "eve@elsewhere.example", "role": "admin"});
        agent.refusing().await.call("invite_organization_member", call).await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn an_outsider_who_came_in_as_a_member_is_still_one_when_promoted() {
    for agent in Agent::each().await {
        acme(&agent).await;
        user(&agent, "eve@elsewhere.example", "Eve", "member").await;
        let call = json!({"member": "eve@elsewhere.example", "role": "admin", "dry_run": true});
        assert_eq!(agent.ok("update_organization_member", call).await["impact"]["gravity"], "critical");
    }
}

#[tokio::test]
async fn a_user_is_created_with_a_password_that_no_result_shows() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let created = user(&agent, "bo@acme.example", "Bo", "member").await;
        assert_eq!(created["after"]["roles"], json!(["member"]));
        assert_eq!(created["secret"]["what"], "first password of bo@acme.example");
        assert!(created["secret"]["handed_to"].is_string(), "{created}");
        let before = agent.dump().await;
        let refused = agent.fails("create_user", json!({"email": "BO@acme.example", "name": "Bo"}), "user_exists").await;
        assert!(refused["fix"].as_str().unwrap().contains("add_organization_member"));
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn who_joins_accepts_the_invitation_with_its_role_and_projects() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("invite_organization_member", json!({"email": "bo@acme.example", "role": "admin", "projects": ["Atlas"]})).await;
        agent.questions();
        let created = agent.ok("create_user", json!({"email": "bo@acme.example", "name": "Bo"})).await;
        assert_eq!(created["after"]["roles"], json!(["admin"]), "the invitation's role, as none was named");
        assert_eq!(agent.questions().len(), 1, "an admin is asked for again: the invitation was not for this call");
        let accepted = agent.ok("list_invitations", json!({"status": "accepted"})).await;
        assert_eq!(accepted["items"][0]["invitation"], "bo@acme.example");
        let reached = agent.ok("list_project_memberships", json!({"email": "bo@acme.example"})).await;
        assert_eq!(
            reached["items"],
            json!([{"member": "bo@acme.example", "organization": "Acme", "project": "Atlas", "roles": ["member"]}])
        );
    }
}

#[tokio::test]
async fn an_existing_user_is_added_and_a_named_role_wins_over_the_invitations() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_organization", json!({"name": "Other"})).await;
        let call = json!({"email": "bo@acme.example", "name": "Bo", "organization": "Other"});
        agent.ok("create_user", call).await;
        let call = json!({"email": "bo@acme.example", "organization": "Acme", "role": "admin", "projects": ["Borealis"]});
        agent.ok("invite_organization_member", call).await;
        let call = json!({"email": "bo@acme.example", "organization": "Acme", "role": "reader"});
        let added = agent.ok("add_organization_member", call.clone()).await;
        assert_eq!(added["after"]["roles"], json!(["reader"]));
        let accepted = agent.ok("list_invitations", json!({"organization": "Acme", "status": "accepted"})).await;
        assert_eq!(accepted["total"], 1);
        let before = agent.dump().await;
        agent.fails("add_organization_member", call, "already_member").await;
        let call = json!({"email": "nobody@acme.example", "organization": "Acme"});
        let refused = agent.fails("add_organization_member", call, "user_not_found").await;
        assert!(refused["fix"].as_str().unwrap().contains("create_user"));
        assert_eq!(agent.dump().await, before);
        let both = agent.ok("list_memberships", json!({"email": "bo@acme.example"})).await;
        assert_eq!(
            both["items"],
            json!([
                {"member": "bo@acme.example", "organization": "Acme", "roles": ["reader"]},
                {"member": "bo@acme.example", "organization": "Other", "roles": ["member"]},
            ])
        );
    }
}

#[tokio::test]
async fn a_role_is_replaced_and_the_last_owner_keeps_it() {
    for agent in Agent::each().await {
        acme(&agent).await;
        user(&agent, "bo@acme.example", "Bo", "member").await;
        let before = agent.dump().await;
        agent.fails("update_organization_member", json!({"member": "ana@acme.example", "role": "admin"}), "last_owner").await;
        let refused = agent.fails("remove_organization_member", json!({"member": "ana@acme.example"}), "last_owner").await;
        assert!(refused["fix"].as_str().unwrap().contains("update_organization_member"));
        assert_eq!(agent.dump().await, before);

        let promoted = agent.ok("update_organization_member", json!({"member": "bo@acme.example", "role": "owner"})).await;
        assert_eq!((&promoted["before"]["roles"], &promoted["after"]["roles"]), (&json!(["member"]), &json!(["owner"])));
        assert_eq!(promoted["undo"], "update_organization_member with role `member`");
        agent.questions();
        agent.ok("update_organization_member", json!({"member": "ana@acme.example", "role": "member"})).await;
        assert_eq!(agent.questions().len(), 1, "an owner's fall is asked for");
        agent.fails("remove_organization_member", json!({"member": "bo@acme.example"}), "last_owner").await;
    }
}

#[tokio::test]
async fn a_removal_tells_what_is_lost_and_takes_everything() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("invite_organization_member", json!({"email": "bo@acme.example", "projects": ["Atlas", "Borealis"]})).await;
        agent.ok("create_user", json!({"email": "bo@acme.example", "name": "Bo"})).await;
        let planned = agent.ok("remove_organization_member", json!({"member": "bo@acme.example", "dry_run": true})).await;
        assert_eq!(planned["impact"]["gravity"], "high");
        let losses = json!([
            {"count": 1, "what": "person loses access to the organization", "examples": ["bo@acme.example"]},
            {"count": 1, "what": "person loses access", "examples": ["bo@acme.example"]},
        ]);
        assert_eq!(planned["impact"]["losses"], losses);
        for place in ["organization Acme", "project Atlas", "project Borealis"] {
            let note = format!("no longer member of {place}: bo@acme.example");
            assert!(planned["impact"]["notes"].as_array().unwrap().contains(&json!(note)), "{planned}");
        }
        let before = agent.dump().await;
        agent.refusing().await.call("remove_organization_member", json!({"member": "bo@acme.example"})).await;
        assert_eq!(agent.dump().await, before);

        let removed = agent.ok("remove_organization_member", json!({"member": "bo@acme.example"})).await;
        assert_eq!(removed["before"]["member"], "bo@acme.example");
        assert!(removed.get("after").is_none(), "{removed}");
        assert_eq!(agent.ok("list_project_memberships", json!({"email": "bo@acme.example"})).await["total"], 0);
        assert_eq!(agent.ok("list_memberships", json!({"email": "bo@acme.example"})).await["total"], 0);
        agent.fails("remove_organization_member", json!({"member": "bo@acme.example"}), "member_not_found").await;
        agent.ok("invite_organization_member", json!({"email": "bo@acme.example"})).await;
    }
}

/// Runs SQL that no tool offers.
async fn sql(agent: &Agent, statements: &[&str]) {
    let mut db = agent.db().recording().begin().await.unwrap();
    for statement in statements {
        db.run(statement, &[]).await.unwrap();
    }
    db.commit().await.unwrap();
}

#[tokio::test]
async fn a_removal_leaves_keys_without_an_owner_and_names_what_only_this_person_owned() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_organization", json!({"name": "Other"})).await;
        for organization in ["Acme", "Other"] {
            let tool = if organization == "Acme" { "create_user" } else { "add_organization_member" };
            let mut call = json!({"email": "bo@acme.example", "organization": organization});
            if organization == "Acme" {
                call["name"] = json!("Bo");
            }
            agent.ok(tool, call).await;
        }
        let bo = "(SELECT id FROM users WHERE email = 'bo@acme.example')";
        let ana = "(SELECT id FROM users WHERE email = 'ana@acme.example')";
        let mut rows = Vec::new();
        for (slug, key) in [("acme", "mine"), ("other", "theirs")] {
            let org = format!("(SELECT id FROM organizations WHERE slug = '{slug}')");
            rows.push(format!("projects VALUES ('p_{slug}', {org}, NULL, 'Zeta', 'zeta', 'zeta', NULL, NULL, NULL, 'active', 0, NULL)"));
            rows.push(format!("project_members VALUES ('p_{slug}', {bo}, 0)"));
            rows.push(format!("role_assignments VALUES ('a_{slug}', {org}, 'p_{slug}', 'role_project_owner', {bo}, NULL, 0)"));
            rows.push(format!(
                "api_keys VALUES ('k_{slug}', 'p_{slug}', NULL, {bo}, '{key}', '{key}', NULL, '{key}', 'h', '[]', 'active', 0, NULL, NULL)"
            ));
            rows.push(format!("teams VALUES ('t_{slug}', {org}, 'Platform', 'platform', 'platform', NULL, 0)"));
            rows.push(format!("team_members VALUES ('t_{slug}', {bo}, 'role_team_member', 0)"));
        }
        let acme = "(SELECT id FROM organizations WHERE slug = 'acme')";
        // Atlas has another owner, and comes through a team as well.
        let atlas = "(SELECT id FROM projects WHERE slug = 'atlas')";
        rows.push(format!("role_assignments VALUES ('a_1', {acme}, {atlas}, 'role_project_owner', {bo}, NULL, 0)"));
        rows.push(format!("role_assignments VALUES ('a_2', {acme}, {atlas}, 'role_project_owner', {ana}, NULL, 0)"));
        rows.push(format!("role_assignments VALUES ('a_3', {acme}, NULL, 'role_organization_admin', {bo}, NULL, 0)"));
        rows.push(format!("project_teams VALUES ({atlas}, 't_acme', 0)"));
        let rows: Vec<String> = rows.into_iter().map(|it| format!("INSERT INTO {it}")).collect();
        sql(&agent, &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;

        let read = agent.ok("get_organization_member", json!({"member": "bo@acme.example", "organization": "Acme"})).await;
        assert_eq!(read["roles"], json!(["member", "admin"]), "the role of the membership first");
        let admins = agent.ok("list_organization_members", json!({"role": "admin", "organization": "Acme"})).await;
        assert_eq!(emails(&admins), ["bo@acme.example"]);
        let reached = agent.ok("list_project_memberships", json!({"email": "bo@acme.example", "organization": "Acme"})).await;
        assert_eq!(
            reached["items"],
            json!([
                {"member": "bo@acme.example", "organization": "Acme", "project": "Atlas", "roles": [], "via_team": "Platform"},
                {"member": "bo@acme.example", "organization": "Acme", "project": "Zeta", "roles": ["owner"]},
            ])
        );
        let call = json!({"email": "bo@acme.example", "organization": "Acme", "role_types": ["team"]});
        let through = agent.ok("list_project_memberships", call).await;
        assert_eq!(through["items"][0]["roles"], json!(["member"]));
        assert_eq!(through["total"], 1);

        let call = json!({"member": "bo@acme.example", "organization": "Acme"});
        let mut dry = call.clone();
        dry["dry_run"] = json!(true);
        let impact = agent.ok("remove_organization_member", dry).await["impact"].clone();
        assert_eq!(
            impact["losses"],
            json!([
                {"count": 1, "what": "person loses access to the organization", "examples": ["bo@acme.example"]},
                {"count": 1, "what": "person loses access", "examples": ["bo@acme.example"]},
                {"count": 1, "what": "person leaves the team", "examples": ["bo@acme.example"]},
                {"count": 1, "what": "key left without an owner", "examples": ["mine"]},
            ])
        );
        assert_eq!(impact["gravity"], "critical", "{impact}");
        let notes = impact["notes"].as_array().unwrap();
        for note in [
            "no longer member without a role of project Atlas through team Platform: bo@acme.example",
            "no longer owner of project Zeta: bo@acme.example",
            "no longer in 1 team: Platform",
            "no owner is left in 1 project: Zeta",
            "keys without an owner go on working until delete_api_key",
        ] {
            assert!(notes.contains(&json!(note)), "{note}: {impact}");
        }
        agent.ok("remove_organization_member", call).await;
        let left = agent.dump().await;
        for (table, rows) in [("project_members", 1), ("team_members", 1), ("role_assignments", 2), ("api_keys", 2)] {
            assert_eq!(left[table].lines().count(), rows, "{table}: {}", left[table]);
        }
        assert!(left["api_keys"].lines().any(|it| it.contains("k_acme") && it.contains("user_id=None")));
        assert!(left["api_keys"].lines().any(|it| it.contains("k_other") && it.contains("user_id=Some")));
        assert!(left["users"].contains("bo@acme.example"), "the account stays");
    }
}

#[tokio::test]
async fn an_owner_by_assignment_is_an_owner() {
    for agent in Agent::each().await {
        acme(&agent).await;
        user(&agent, "bo@acme.example", "Bo", "member").await;
        let assign = "INSERT INTO role_assignments SELECT 'a_1', organization_id, NULL, 'role_organization_owner', user_id, NULL, 0 \
                      FROM organization_members WHERE role_id = 'role_organization_member'";
        sql(&agent, &[assign]).await;
        agent.ok("update_organization_member", json!({"member": "ana@acme.example", "role": "member"})).await;
        agent.fails("remove_organization_member", json!({"member": "bo@acme.example"}), "last_owner").await;
    }
}

#[tokio::test]
async fn an_owner_through_a_team_is_an_owner() {
    for agent in Agent::each().await {
        acme(&agent).await;
        user(&agent, "bo@acme.example", "Bo", "member").await;
        let team = "INSERT INTO teams SELECT 't_1', id, 'Board', 'board', 'board', NULL, 0 FROM organizations";
        let member = "INSERT INTO team_members SELECT 't_1', id, 'role_team_member', 0 FROM users WHERE email = 'bo@acme.example'";
        let assign = "INSERT INTO role_assignments SELECT 'a_1', id, NULL, 'role_organization_owner', NULL, 't_1', 0 FROM organizations";
        sql(&agent, &[team, member, assign]).await;
        agent.ok("update_organization_member", json!({"member": "ana@acme.example", "role": "member"})).await;
        agent.fails("remove_organization_member", json!({"member": "bo@acme.example"}), "last_owner").await;
    }
}

#[tokio::test]
async fn an_expired_invitation_is_shown_so_and_makes_room_for_a_new_one() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("invite_organization_member", json!({"email": "bo@acme.example", "role": "admin", "projects": ["Atlas"]})).await;
        sql(&agent, &["UPDATE invitations SET expires_at = 1"]).await;
        let expired = agent.ok("list_invitations", json!({})).await;
        assert_eq!(expired["items"][0]["status"], "expired");
        assert_eq!(agent.ok("list_invitations", json!({"status": "expired"})).await["total"], 1);
        assert_eq!(agent.ok("list_invitations", json!({"status": "pending"})).await["total"], 0);
        agent.fails("cancel_invitation", json!({"invitation": "bo@acme.example"}), "already_gone").await;

        let planned = agent.ok("create_user", json!({"email": "bo@acme.example", "name": "Bo", "dry_run": true})).await;
        assert_eq!(planned["impact"]["gravity"], "none", "what has expired gives no role: {planned}");
        let again = agent.ok("invite_organization_member", json!({"email": "bo@acme.example"})).await;
        assert_eq!(again["after"]["status"], "pending");
        let all = agent.ok("list_invitations", json!({})).await;
        assert_eq!(all["total"], 2);
    }
}

#[tokio::test]
async fn projects_that_have_ended_since_do_not_come_with_the_invitation() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_project", json!({"name": "Cobalt"})).await;
        let call = json!({"email": "bo@acme.example", "projects": ["Atlas", "Borealis", "Cobalt"]});
        agent.ok("invite_organization_member", call).await;
        agent.ok("delete_project", json!({"project": "Atlas"})).await;
        agent.ok("archive_project", json!({"project": "Borealis"})).await;
        let invited = agent.ok("list_invitations", json!({})).await;
        assert_eq!(invited["items"][0]["projects"], json!(["Borealis", "Cobalt"]));
        agent.ok("create_user", json!({"email": "bo@acme.example", "name": "Bo"})).await;
        let reached = agent.ok("list_project_memberships", json!({"email": "bo@acme.example"})).await;
        assert_eq!((&reached["total"], &reached["items"][0]["project"]), (&json!(1), &json!("Cobalt")));
    }
}

#[tokio::test]
async fn a_kept_connection_shows_memberships_of_its_organization_only() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_organization", json!({"name": "Other"})).await;
        agent.ok("add_organization_member", json!({"email": "ana@acme.example", "organization": "Other"})).await;
        let pinned = agent.elsewhere(Options { pin: Some("other".into()), ..Options::default() }).await;
        let list = pinned.ok("list_memberships", json!({"email": "ana@acme.example"})).await;
        assert_eq!(list["items"], json!([{"member": "ana@acme.example", "organization": "Other", "roles": ["member"]}]));
    }
}

#[tokio::test]
async fn a_pending_invitation_is_cancelled_once_by_id_or_e_mail() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("invite_organization_member", json!({"email": "bo@acme.example"})).await;
        let cancelled = agent.ok("cancel_invitation", json!({"invitation": "Bo@acme.example"})).await;
        assert_eq!((&cancelled["before"]["status"], &cancelled["after"]["status"]), (&json!("pending"), &json!("cancelled")));
        assert_eq!(agent.questions().len(), 1);
        let before = agent.dump().await;
        agent.fails("cancel_invitation", json!({"invitation": "bo@acme.example"}), "already_gone").await;
        agent.fails("cancel_invitation", json!({"invitation": "cy@acme.example"}), "invitation_not_found").await;
        assert_eq!(agent.dump().await, before);

        let again = agent.ok("invite_organization_member", json!({"email": "bo@acme.example"})).await;
        agent.ok("cancel_invitation", json!({"invitation": again["after"]["id"]})).await;
        assert_eq!(agent.ok("list_invitations", json!({"status": "cancelled"})).await["total"], 2);
    }
}

#[tokio::test]
async fn memberships_of_nobody_in_particular_are_refused_with_the_way_on() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let refused = agent.fails("list_memberships", json!({}), "no_caller").await;
        assert!(refused["fix"].as_str().unwrap().contains("`email`"));
        agent.fails("list_memberships", json!({"email": "no@acme.example"}), "user_not_found").await;
        agent.fails("list_project_memberships", json!({"email": "no@acme.example"}), "user_not_found").await;
    }
}

#[tokio::test]
async fn project_memberships_come_in_order_by_page_and_by_level() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_project", json!({"name": "Cobalt"})).await;
        let call = json!({"email": "bo@acme.example", "projects": ["Cobalt", "Atlas", "Borealis"]});
        agent.ok("invite_organization_member", call).await;
        agent.ok("create_user", json!({"email": "bo@acme.example", "name": "Bo", "role": "reader"})).await;
        let names = |list: &Value| -> Vec<String> {
            list["items"].as_array().unwrap().iter().map(|it| it["project"].as_str().unwrap().to_owned()).collect()
        };
        let bo = "bo@acme.example";
        let down = agent.ok("list_project_memberships", json!({"email": bo, "order": "desc", "limit": 2})).await;
        assert_eq!(names(&down), ["Cobalt", "Borealis"]);
        let call = json!({"email": bo, "order": "desc", "limit": 2, "cursor": down["next_cursor"]});
        assert_eq!(names(&agent.ok("list_project_memberships", call).await), ["Atlas"]);
        let up = agent.ok("list_project_memberships", json!({"email": bo})).await;
        assert_eq!(names(&up), ["Atlas", "Borealis", "Cobalt"]);
        assert_eq!(up["items"][0]["roles"], json!(["member"]));
        let wide = agent.ok("list_project_memberships", json!({"email": bo, "role_types": ["organization", "project"]})).await;
        assert_eq!(wide["items"][0]["roles"], json!(["member", "reader"]));
        assert_eq!(agent.ok("list_project_memberships", json!({"email": bo, "role_types": ["team"]})).await["total"], 0);
        let projects = agent.ok("list_memberships", json!({"email": bo, "role_types": ["project"]})).await;
        assert_eq!(projects["items"][0]["roles"], json!(["member"]));
    }
}

#[tokio::test]
async fn a_removal_that_leaves_active_projects_without_an_owner_is_critical() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let [bo, cy] = ["bo@acme.example", "cy@acme.example"];
        for email in [bo, cy] {
            user(&agent, email, "Somebody", "member").await;
        }
        for (team, people) in [("Solo", vec![bo]), ("Pair", vec![bo, cy])] {
            agent.ok("create_team", json!({"name": team})).await;
            for member in people {
                agent.ok("add_team_member", json!({"team": team, "member": member})).await;
            }
        }
        // Owned in person, and by a team with somebody else in it: somebody is left.
        agent.ok("add_project_member", json!({"project": "Atlas", "member": bo, "roles": ["owner"]})).await;
        agent.ok("add_project_team", json!({"project": "Atlas", "team": "Pair", "role": "owner"})).await;
        // Owned in person, but archived: nobody has to be left.
        agent.ok("create_project", json!({"name": "Old", "admin_email": bo})).await;
        for (project, key) in [("Atlas", "used"), ("Atlas", "stopped"), ("Old", "ended")] {
            crate::company::key_of(&agent, project, "bo", key).await;
        }
        sql(&agent, &["UPDATE api_keys SET status = 'blocked' WHERE name = 'stopped'"]).await;
        sql(&agent, &["UPDATE projects SET status = 'archived' WHERE name = 'Old'"]).await;
        let call = json!({"member": bo, "dry_run": true});
        let impact = agent.ok("remove_organization_member", call.clone()).await["impact"].clone();
        assert_eq!(impact["gravity"], "high", "{impact}");
        assert!(!impact["notes"].to_string().contains("no owner is left"), "{impact}");
        assert_eq!(impact["losses"][3], json!({"count": 1, "what": "key left without an owner", "examples": ["used"]}));
        // Owned through a team that nobody else is in: nobody is left.
        agent.ok("add_project_team", json!({"project": "Borealis", "team": "Solo", "role": "owner"})).await;
        let impact = agent.ok("remove_organization_member", call).await["impact"].clone();
        assert_eq!(impact["gravity"], "critical", "{impact}");
        assert!(impact["notes"].as_array().unwrap().contains(&json!("no owner is left in 1 project: Borealis")), "{impact}");
    }
}
