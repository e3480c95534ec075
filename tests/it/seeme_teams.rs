//! Teams of SeeMe.ai and their people.

use crate::{support::json, support_seeme::Lab};

#[tokio::test]
async fn teams_are_listed_and_read() {
    let lab = Lab::new().await;
    let all = lab.agent.ok("list_teams", json!({})).await;
    let names: Vec<_> = all["items"].as_array().unwrap().iter().map(|it| format!("{} in {}", it["team"], it["organization"])).collect();
    assert_eq!(names, [r#""Finance" in "Northwind""#, r#""Platform" in "Acme""#, r#""Research" in "Acme""#]);
    assert_eq!(lab.reads(), ["teams", "organizations"]);
    let within = lab.agent.ok("list_teams", json!({"organization": "Acme", "query": "res"})).await;
    assert_eq!(within["items"], json!([{"team": "Research", "id": "team-research", "slug": "research", "organization": "Acme"}]));
    assert_eq!(lab.reads(), ["organizations", "organizations/organization-acme/teams"]);
    let read = lab.agent.ok("get_team", json!({"team": "Research"})).await;
    assert_eq!((&read["members"], &read["created_at"]), (&json!(2), &json!("2026-01-05T08:00:00Z")));
    assert!(lab.reads().contains(&"teams/team-research".to_owned()));
}

#[tokio::test]
async fn a_team_is_created_changed_and_deleted() {
    let lab = Lab::new().await;
    let made = lab.agent.ok("create_team", json!({"organization": "Acme", "name": "Design", "description": "Looks"})).await;
    assert_eq!(lab.writes(), [r#"POST teams {"name":"Design","organization_id":"organization-acme","description":"Looks"}"#]);
    let id = made["target"]["id"].as_str().unwrap().to_owned();
    lab.refuses("create_team", json!({"organization": "Acme", "name": "design"}), "name_taken").await;
    let changed = lab.agent.ok("update_team", json!({"team": "Design", "name": "Print", "clear": ["description"]})).await;
    assert_eq!((&changed["before"]["team"], &changed["after"]["team"]), (&json!("Design"), &json!("Print")));
    assert!(lab.writes()[0].starts_with(&format!("PUT teams/{id} {{\"id\":\"{id}\"")));
    lab.refuses("update_team", json!({"team": "Print"}), "invalid_arguments").await;
    lab.agent.ok("delete_team", json!({"team": "Print"})).await;
    assert_eq!(lab.writes(), [format!("DELETE teams/{id}")]);
    let plan = lab.agent.ok("delete_team", json!({"team": "Research", "dry_run": true})).await;
    let losses = json!([
        {"count": 1, "what": "team ends", "examples": ["Research"]},
        {"count": 2, "what": "people leave the team", "examples": ["oskar.lindqvist@acme.example", "ana.ruiz@acme.example"]},
        {"count": 1, "what": "project left without a team", "examples": ["Atlas"]},
    ]);
    assert_eq!((&plan["impact"]["gravity"], &plan["impact"]["losses"]), (&json!("high"), &losses));
    assert_eq!(plan["impact"]["notes"], json!(null));
}

#[tokio::test]
async fn people_join_change_and_leave_a_team() {
    let lab = Lab::new().await;
    let mei = json!({"team": "Research", "member": "mei.tanaka@acme.example"});
    let made = lab.agent.ok("add_team_member", mei.clone()).await;
    assert_eq!(lab.writes(), [r#"POST teams/team-research/members {"user_id":"user-mei"}"#]);
    assert_eq!((&made["after"]["team"], &made["after"]["roles"]), (&json!("Research"), &json!(["Team member"])));
    lab.refuses("add_team_member", mei.clone(), "already_member").await;
    let listed = lab.agent.ok("list_team_members", json!({"team": "research"})).await;
    assert_eq!(listed["total"], 3);
    let id = lab.state()["members"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();

    let lead = lab.agent.ok("update_team_member", json!({"team": "Research", "member": "Mei Tanaka", "role": "team_lead"})).await;
    assert_eq!(lab.writes(), [format!(r#"PUT teams/team-research/members/{id}/role {{"role_id":"role-team_lead"}}"#)]);
    assert_eq!((&lead["before"]["roles"], &lead["after"]["roles"]), (&json!(["Team member"]), &json!(["Team lead"])));
    assert_eq!(lab.agent.questions().len(), 2, "a role that nobody named may be any, and who leads decides who is in the team");
    lab.agent.ok("remove_team_member", mei.clone()).await;
    assert_eq!(lab.writes(), [format!("DELETE teams/team-research/members/{id}")]);
    lab.refuses("remove_team_member", mei, "already_gone").await;
    let stranger = json!({"team": "Research", "member": "user-rosa"});
    lab.refuses("add_team_member", stranger, "not_a_member").await;
}
