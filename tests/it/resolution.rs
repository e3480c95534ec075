//! Names become exactly one thing, or an error that says which there are.

use crate::{
    company::{acme, email, refused},
    practice::{Provider, World},
    support::{Agent, Options, Value, json},
};

#[tokio::test]
async fn odd_case_and_spacing_find_the_same_thing() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        agent.ok("create_project", json!({ "name": "Data & Research — Zürich" })).await;
        agent.ok("create_team", json!({ "name": "Night Shift" })).await;
        let id = agent.ok("get_project", json!({ "project": "data-research-zurich" })).await["id"].clone();
        for wanted in [
            "Data & Research — Zürich",
            "  DATA  &   research — ZÜRICH ",
            "data & research — zu\u{308}rich",
            "Data-Research-ZURICH",
            id.as_str().unwrap(),
        ] {
            let found = agent.ok("get_project", json!({ "project": wanted })).await;
            assert_eq!(found["id"], id, "{wanted}: {found}");
        }
        for wanted in ["night shift", "NIGHT\u{a0}SHIFT", "night-shift", " Night  Shift"] {
            assert_eq!(agent.ok("get_team", json!({ "team": wanted })).await["team"], "Night Shift", "{wanted}");
        }
        let added = agent.ok("add_team_member", json!({ "team": "night-shift", "member": " ANA@ACME.example ", "role": "MEMBER" })).await;
        assert_eq!(added["after"]["member"], email("ana"), "{added}");
    }
}

#[tokio::test]
async fn a_part_of_a_name_is_no_name() {
    for agent in Agent::each().await {
        acme(&agent, &[]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        for wanted in ["Atla", "tlas", "Atlas II", "At%", "Atla_", "%"] {
            let error = agent.fails("get_project", json!({ "project": wanted }), "project_not_found").await;
            assert!(error["fix"].as_str().unwrap().contains("list_projects"), "{error}");
            refused(&agent, "delete_project", json!({ "project": wanted }), "project_not_found").await;
        }
        for wanted in ["", "  ", ".", ".."] {
            agent.fails("get_project", json!({ "project": wanted }), "invalid_arguments").await;
        }
    }
}

#[tokio::test]
async fn the_same_name_in_two_organizations_is_never_guessed() {
    for agent in Agent::each().await {
        for organization in ["Acme", "Globex"] {
            agent.ok("create_organization", json!({ "name": organization })).await;
            agent.ok("create_project", json!({ "name": "Atlas", "organization": organization })).await;
            agent.ok("create_team", json!({ "name": "Data", "organization": organization })).await;
        }
        for (tool, call, code) in
            [("get_project", json!({ "project": "atlas" }), "ambiguous_project"), ("get_team", json!({ "team": "data" }), "ambiguous_team")]
        {
            let error = agent.fails(tool, call, code).await;
            let candidates: Vec<&str> = error["candidates"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
            assert_eq!(candidates.len(), 2, "{error}");
            assert!(candidates.iter().any(|it| it.contains("in Acme")) && candidates.iter().any(|it| it.contains("in Globex")), "{error}");
            // What comes before the parenthesis is what the next call takes.
            let id = candidates[0].split_once(' ').unwrap().0;
            let noun = tool.trim_start_matches("get_");
            let mut call = json!({});
            call[noun] = json!(id);
            assert_eq!(agent.ok(tool, call).await["id"], id);
        }
        for (tool, call, code) in [
            ("delete_project", json!({ "project": "Atlas" }), "ambiguous_project"),
            ("archive_project", json!({ "project": "Atlas" }), "ambiguous_project"),
            ("update_project", json!({ "project": "Atlas", "name": "X" }), "ambiguous_project"),
            ("delete_team", json!({ "team": "Data" }), "ambiguous_team"),
            ("create_team", json!({ "name": "New" }), "ambiguous_organization"),
            ("create_project", json!({ "name": "New" }), "ambiguous_organization"),
        ] {
            refused(&agent, tool, call, code).await;
        }
        let before = agent.dump().await;
        let batch = agent.ok("add_project_members", json!({ "csv": "Atlas,ana@acme.example,viewer" })).await;
        let row = &batch["after"]["items"][0];
        assert_eq!((&batch["after"]["failed"], &row["outcome"]), (&json!(1), &json!("failed")), "{batch}");
        let reason = row["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("row 1: `Atlas` matches 2 projects") && reason.contains("in Acme)") && reason.contains("in Globex)"),
            "{batch}"
        );
        assert_eq!(agent.dump().await, before, "nobody was added anywhere");
        // Within a project only the teams of its own organization are meant.
        let project = agent.ok("list_projects", json!({ "organization": "Globex" })).await["items"][0]["id"].clone();
        let added = agent.ok("add_project_team", json!({ "project": project, "team": "Data", "role": "viewer" })).await;
        assert_eq!(added["target"]["organization"], "Globex", "{added}");
    }
}

#[tokio::test]
async fn an_id_wins_over_a_name() {
    for agent in Agent::each().await {
        acme(&agent, &[]).await;
        let atlas = agent.ok("create_project", json!({ "name": "Atlas" })).await["after"]["id"].clone();
        agent.ok("create_project", json!({ "name": atlas, "slug": "trap" })).await;
        assert_eq!(agent.ok("get_project", json!({ "project": atlas })).await["project"], "Atlas");
    }
}

#[tokio::test]
async fn a_connection_that_is_kept_to_an_organization_sees_only_its_names() {
    for agent in Agent::each().await {
        for organization in ["Acme", "Globex"] {
            agent.ok("create_organization", json!({ "name": organization })).await;
            agent.ok("create_project", json!({ "name": "Atlas", "organization": organization })).await;
            agent.ok("create_team", json!({ "name": "Data", "organization": organization })).await;
        }
        agent.ok("create_team", json!({ "name": "Foreign", "organization": "Globex" })).await;
        let pinned = agent.elsewhere(Options { pin: Some("acme".into()), ..Options::default() }).await;
        assert_eq!(pinned.ok("get_project", json!({ "project": "Atlas" })).await["organization"], "Acme");
        assert_eq!(pinned.ok("list_teams", json!({})).await["total"], 1);
        refused(&pinned, "delete_team", json!({ "team": "Foreign" }), "team_not_found").await;
        refused(&pinned, "create_team", json!({ "name": "X", "organization": "Globex" }), "outside_connection").await;
        pinned.ok("create_team", json!({ "name": "New" })).await;
        let theirs = agent.ok("list_projects", json!({ "organization": "Globex" })).await["items"][0]["id"].clone();
        refused(&pinned, "update_project", json!({ "project": theirs, "name": "Mine" }), "project_not_found").await;
    }
}

#[tokio::test]
async fn a_part_of_a_name_is_no_name_and_says_which_may_be_meant() {
    let world = World::of(Provider::Local, Options::default()).await;
    let told = async |tool: &str, arguments: Value| world.agent.call(tool, arguments).await["fix"].as_str().unwrap().to_owned();
    let fix = told("get_organization", json!({ "organization": "Northwind" })).await;
    assert!(fix.starts_with("did you mean `Northwind Traders`? list_organizations"), "{fix}");
    let fix = told("delete_project", json!({ "project": "Gauge" })).await;
    assert!(fix.starts_with("did you mean `Gauge Insight`? list_projects"), "{fix}");
    let fix = told("get_project", json!({ "project": "Zzz" })).await;
    assert!(fix.starts_with("find it with list_projects"), "{fix}");
}
