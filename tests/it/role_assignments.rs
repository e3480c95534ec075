//! Who holds which role.

use serde_json::Value;

use crate::support::{Agent, Options, json};

const ANA: &str = "ana@acme.example";
const BEN: &str = "ben@acme.example";
const CLEO: &str = "cleo@acme.example";

/// Acme: Ana owns it, Ben and Cleo are members; Cleo is in team Data; Ana owns project Atlas, Ben is in it, and Data with role viewer.
async fn acme(agent: &Agent) {
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    for (email, role) in [(ANA, "owner"), (BEN, "member"), (CLEO, "member")] {
        agent.ok("create_user", json!({ "email": email, "name": email, "role": role })).await;
    }
    agent.ok("create_team", json!({ "name": "Data" })).await;
    agent.ok("add_team_member", json!({ "team": "Data", "member": CLEO })).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    agent.ok("add_project_member", json!({ "project": "Atlas", "member": ANA, "roles": ["owner"] })).await;
    agent.ok("add_project_member", json!({ "project": "Atlas", "member": BEN, "roles": ["member"] })).await;
    agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "viewer" })).await;
}

/// `role @ place (via team)` of each item.
fn told(list: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let items = list["items"].as_array().unwrap();
    let tell = |it: &Value| {
        let holder = format!("{}{}", text(&it["member"]), text(&it["team"]));
        let via = it["via_team"].as_str().map(|it| format!(" via {it}")).unwrap_or_default();
        format!("{holder}: {} @ {}{via}", text(&it["role"]), it["project"].as_str().unwrap_or(&text(&it["organization"])))
    };
    items.iter().map(tell).collect()
}

#[tokio::test]
async fn a_persons_roles_are_those_of_the_membership_further_ones_and_what_teams_hand_down() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("assign_role", json!({ "role": "reader", "member": CLEO })).await;
        agent.ok("assign_role", json!({ "role": "reader", "team": "Data" })).await;
        agent.ok("add_project_member", json!({ "project": "Atlas", "member": CLEO, "roles": ["member"] })).await;
        let list = agent.ok("list_role_assignments", json!({ "member": CLEO })).await;
        assert_eq!(
            told(&list),
            [
                "cleo@acme.example: member @ Acme",
                "cleo@acme.example: reader @ Acme",
                "cleo@acme.example: member @ Atlas",
                "cleo@acme.example: reader @ Acme via Data",
                "cleo@acme.example: viewer @ Atlas via Data",
            ],
            "{list}"
        );
        assert_eq!(list["total"], 5);
        let first = agent.ok("list_role_assignments", json!({ "member": CLEO, "limit": 3 })).await;
        let rest = agent.ok("list_role_assignments", json!({ "member": CLEO, "limit": 3, "cursor": first["next_cursor"] })).await;
        assert_eq!([told(&first), told(&rest)].concat(), told(&list));

        let here = agent.ok("list_role_assignments", json!({ "member": CLEO, "project": "Atlas" })).await;
        assert_eq!(told(&here), ["cleo@acme.example: member @ Atlas", "cleo@acme.example: viewer @ Atlas via Data"], "{here}");
    }
}

#[tokio::test]
async fn a_teams_and_a_projects_assignments_are_listed() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("assign_role", json!({ "role": "reader", "team": "Data" })).await;
        let team = agent.ok("list_role_assignments", json!({ "team": "Data" })).await;
        assert_eq!(told(&team), ["Data: reader @ Acme", "Data: viewer @ Atlas"], "{team}");
        let here = agent.ok("list_role_assignments", json!({ "team": "Data", "project": "Atlas" })).await;
        assert_eq!(told(&here), ["Data: viewer @ Atlas"], "{here}");
        let project = agent.ok("list_role_assignments", json!({ "project": "Atlas" })).await;
        assert_eq!(
            told(&project),
            ["ana@acme.example: owner @ Atlas", "ben@acme.example: member @ Atlas", "Data: viewer @ Atlas"],
            "{project}"
        );
        agent.fails("list_role_assignments", json!({}), "invalid_arguments").await;
        agent.fails("list_role_assignments", json!({ "member": BEN, "team": "Data" }), "invalid_arguments").await;
        agent.fails("list_role_assignments", json!({ "member": "zoe@acme.example" }), "member_not_found").await;
    }
}

#[tokio::test]
async fn a_role_is_given_in_the_organization_beside_the_first_and_taken_again() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let start = told(&agent.ok("list_role_assignments", json!({ "member": BEN })).await);
        let done = agent.ok("assign_role", json!({ "role": "reader", "member": BEN })).await;
        assert_eq!((&done["target"]["name"], &done["after"]["role"]), (&json!(BEN), &json!("reader")), "{done}");
        let before = agent.dump().await;
        agent.fails("assign_role", json!({ "role": "reader", "member": BEN }), "already_assigned").await;
        agent.fails("assign_role", json!({ "role": "member", "member": BEN }), "already_assigned").await;
        agent.fails("assign_role", json!({ "role": "viewer", "member": BEN }), "role_not_found").await;
        assert_eq!(agent.dump().await, before);

        let done = agent.ok("unassign_role", json!({ "role": "reader", "member": BEN })).await;
        assert_eq!((&done["before"]["role"], done.get("after")), (&json!("reader"), None), "{done}");
        assert_eq!(told(&agent.ok("list_role_assignments", json!({ "member": BEN })).await), start);
    }
}

#[tokio::test]
async fn exactly_one_holder_is_named() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let before = agent.dump().await;
        for tool in ["assign_role", "unassign_role"] {
            agent.fails(tool, json!({ "role": "member", "project": "Atlas" }), "invalid_arguments").await;
            agent.fails(tool, json!({ "role": "member", "project": "Atlas", "member": BEN, "team": "Data" }), "invalid_arguments").await;
        }
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_role_in_a_project_is_for_those_who_are_in_it() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_team", json!({ "name": "Ops" })).await;
        let before = agent.dump().await;
        let error = agent.fails("assign_role", json!({ "role": "member", "member": CLEO, "project": "Atlas" }), "not_in_project").await;
        assert!(error["fix"].as_str().unwrap().contains("add_project_member"), "{error}");
        let error = agent.fails("assign_role", json!({ "role": "member", "team": "Ops", "project": "Atlas" }), "not_in_project").await;
        assert!(error["fix"].as_str().unwrap().contains("add_project_team"), "{error}");
        assert_eq!(agent.dump().await, before);

        agent.ok("assign_role", json!({ "role": "viewer", "member": BEN, "project": "Atlas" })).await;
        agent.ok("assign_role", json!({ "role": "member", "team": "Data", "project": "Atlas" })).await;
        agent.fails("assign_role", json!({ "role": "viewer", "member": BEN, "project": "Atlas" }), "already_assigned").await;
        agent.fails("assign_role", json!({ "role": "viewer", "team": "Data", "project": "Atlas" }), "already_assigned").await;
    }
}

#[tokio::test]
async fn power_is_asked_about_and_power_for_an_outsider_is_critical() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_user", json!({ "email": "eve@other.example", "name": "Eve", "role": "reader" })).await;
        let planned = |arguments: Value| {
            let agent = &agent;
            async move {
                let mut arguments = arguments;
                arguments["dry_run"] = true.into();
                agent.ok("assign_role", arguments).await["impact"]["gravity"].clone()
            }
        };
        assert_eq!(planned(json!({ "role": "reader", "member": BEN })).await, "none");
        assert_eq!(planned(json!({ "role": "admin", "member": BEN })).await, "low");
        assert_eq!(planned(json!({ "role": "admin", "team": "Data" })).await, "low");
        assert_eq!(planned(json!({ "role": "member", "member": "eve@other.example" })).await, "none");
        assert_eq!(planned(json!({ "role": "admin", "member": "eve@other.example" })).await, "critical");
        agent.ok("add_team_member", json!({ "team": "Data", "member": "eve@other.example" })).await;
        assert_eq!(planned(json!({ "role": "admin", "team": "Data" })).await, "critical");

        let before = agent.dump().await;
        let answer = agent.refusing().await.call("assign_role", json!({ "role": "admin", "member": BEN })).await;
        assert!(answer["code"].is_string(), "{answer}");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn the_role_of_the_membership_itself_is_not_unassigned() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let before = agent.dump().await;
        let error = agent.fails("unassign_role", json!({ "role": "member", "member": BEN }), "base_role").await;
        assert!(error["fix"].as_str().unwrap().contains("update_organization_member"), "{error}");
        agent.fails("unassign_role", json!({ "role": "admin", "member": BEN }), "already_gone").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn the_last_role_in_a_project_is_not_unassigned() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let before = agent.dump().await;
        let error = agent.fails("unassign_role", json!({ "role": "member", "member": BEN, "project": "Atlas" }), "last_role").await;
        assert!(error["fix"].as_str().unwrap().contains("remove_project_member"), "{error}");
        let error = agent.fails("unassign_role", json!({ "role": "viewer", "team": "Data", "project": "Atlas" }), "last_role").await;
        assert!(error["fix"].as_str().unwrap().contains("remove_project_team"), "{error}");
        assert_eq!(agent.dump().await, before);

        agent.ok("assign_role", json!({ "role": "viewer", "member": BEN, "project": "Atlas" })).await;
        agent.ok("unassign_role", json!({ "role": "member", "member": BEN, "project": "Atlas" })).await;
        let held = agent.ok("list_role_assignments", json!({ "member": BEN, "project": "Atlas" })).await;
        assert_eq!(told(&held), ["ben@acme.example: viewer @ Atlas"], "{held}");
    }
}

#[tokio::test]
async fn an_inherited_role_is_taken_from_the_team_and_not_from_the_person() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("assign_role", json!({ "role": "reader", "team": "Data" })).await;
        let before = agent.dump().await;
        for arguments in [json!({ "role": "viewer", "member": CLEO, "project": "Atlas" }), json!({ "role": "reader", "member": CLEO })] {
            let error = agent.fails("unassign_role", arguments, "inherited").await;
            assert!(error["fix"].as_str().unwrap().contains("`Data`"), "{error}");
        }
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn the_last_owner_stays_owner() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("assign_role", json!({ "role": "viewer", "member": ANA, "project": "Atlas" })).await;
        let owner = json!({ "role": "owner", "member": ANA, "project": "Atlas" });
        let before = agent.dump().await;
        agent.fails("unassign_role", owner.clone(), "last_owner").await;
        assert_eq!(agent.dump().await, before);
        // A team that nobody is in owns nothing; one with people does.
        agent.ok("create_team", json!({ "name": "Empty" })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Empty", "role": "owner" })).await;
        agent.fails("unassign_role", owner.clone(), "last_owner").await;
        agent.ok("assign_role", json!({ "role": "owner", "team": "Data", "project": "Atlas" })).await;
        agent.ok("unassign_role", owner).await;
        agent.fails("unassign_role", json!({ "role": "owner", "team": "Data", "project": "Atlas" }), "last_owner").await;
    }
}

#[tokio::test]
async fn an_owner_beside_the_membership_is_counted_as_owner() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("assign_role", json!({ "role": "owner", "member": BEN })).await;
        agent.ok("update_organization_member", json!({ "member": ANA, "role": "admin" })).await;
        let before = agent.dump().await;
        agent.fails("unassign_role", json!({ "role": "owner", "member": BEN }), "last_owner").await;
        assert_eq!(agent.dump().await, before);
        agent.ok("assign_role", json!({ "role": "owner", "member": CLEO })).await;
        agent.ok("unassign_role", json!({ "role": "owner", "member": BEN })).await;
    }
}

#[tokio::test]
async fn what_is_lost_with_a_role_is_counted() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("add_team_member", json!({ "team": "Data", "member": BEN })).await;
        agent.ok("assign_role", json!({ "role": "member", "team": "Data", "project": "Atlas" })).await;
        let arguments = json!({ "role": "member", "team": "Data", "project": "Atlas", "dry_run": true });
        let planned = agent.ok("unassign_role", arguments).await;
        assert_eq!(
            planned["impact"],
            json!({
                "gravity": "low",
                "notes": [
                    "no longer member of project Atlas through team Data: ben@acme.example; access through team Data stays",
                    "no longer member of project Atlas through team Data: cleo@acme.example, and loses project.keys.read, project.write; \
                     access through team Data stays",
                    "team Data is no longer member of project Atlas",
                    "role `member` is still held in another way by ben@acme.example",
                ],
                "undo": "assign_role with the same arguments",
            }),
            "{planned}"
        );
    }
}

#[tokio::test]
async fn a_person_of_two_organizations_needs_one_of_them_named() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        agent.ok("add_organization_member", json!({ "email": BEN, "organization": "Globex", "role": "member" })).await;
        let before = agent.dump().await;
        for tool in ["assign_role", "unassign_role"] {
            let error = agent.fails(tool, json!({ "role": "reader", "member": BEN }), "ambiguous_organization").await;
            assert_eq!(error["candidates"], json!(["acme", "globex"]), "{error}");
            let error = agent
                .fails(tool, json!({ "role": "viewer", "member": BEN, "project": "Atlas", "organization": "Globex" }), "invalid_arguments")
                .await;
            assert!(error["message"].as_str().unwrap().contains("`Acme`"), "{error}");
        }
        assert_eq!(agent.dump().await, before);

        let done = agent.ok("assign_role", json!({ "role": "reader", "member": BEN, "organization": "globex" })).await;
        assert_eq!(done["after"]["organization"], "Globex", "{done}");
        agent.ok("assign_role", json!({ "role": "viewer", "member": BEN, "project": "Atlas" })).await;
        let all = agent.ok("list_role_assignments", json!({ "member": BEN })).await;
        assert_eq!(all["total"], 5, "{all}");
        // Teams are in one organization, which says where; a person who is in one only has no other either.
        agent.ok("assign_role", json!({ "role": "reader", "team": "Data" })).await;
        agent.ok("assign_role", json!({ "role": "reader", "member": CLEO })).await;
    }
}

#[tokio::test]
async fn roles_of_an_archived_project_are_neither_given_nor_taken() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("archive_project", json!({ "project": "Atlas" })).await;
        let before = agent.dump().await;
        agent.fails("assign_role", json!({ "role": "viewer", "member": BEN, "project": "Atlas" }), "project_archived").await;
        agent.fails("unassign_role", json!({ "role": "member", "member": BEN, "project": "Atlas" }), "project_archived").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_connection_that_is_kept_to_one_organization_says_which_is_meant() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        agent.ok("add_organization_member", json!({ "email": BEN, "organization": "Globex", "role": "member" })).await;
        let globex = agent.elsewhere(Options { pin: Some("Globex".to_owned()), ..Options::default() }).await;
        let before = agent.dump().await;
        globex.fails("assign_role", json!({ "role": "reader", "member": CLEO }), "member_not_found").await;
        globex.fails("assign_role", json!({ "role": "reader", "team": "Data" }), "team_not_found").await;
        globex.fails("assign_role", json!({ "role": "reader", "member": BEN, "organization": "Acme" }), "outside_connection").await;
        globex.fails("unassign_role", json!({ "role": "member", "member": BEN, "project": "Atlas" }), "project_not_found").await;
        assert_eq!(agent.dump().await, before);
        let done = globex.ok("assign_role", json!({ "role": "reader", "member": BEN })).await;
        assert_eq!(done["after"]["organization"], "Globex", "{done}");
        let held = globex.ok("list_role_assignments", json!({ "member": BEN })).await;
        assert_eq!(told(&held), ["ben@acme.example: member @ Globex", "ben@acme.example: reader @ Globex"], "{held}");
    }
}
