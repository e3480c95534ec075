//! OpenAI: projects and their people and teams.

use crate::{
    support::{Options, Person, json},
    support_openai::{Company, each},
};

#[tokio::test]
async fn projects_are_listed_page_by_page_and_found_by_name_or_id() {
    let company = Company::new().await;
    let (page, sent) = company.look("list_projects", json!({ "limit": 2 })).await;
    assert_eq!((each(&page, "id"), page["has_more"].clone()), (vec!["proj_default".into(), "proj_atlas".into()], json!(true)));
    assert_eq!(sent, ["/organization/projects?limit=2"]);
    let (_, sent) = company.look("list_projects", json!({ "limit": 2, "cursor": page["next_cursor"] })).await;
    assert_eq!(sent, ["/organization/projects?limit=2&after=proj_atlas"]);
    let (found, _) = company.look("list_projects", json!({ "query": "2024", "include_archived": true })).await;
    assert_eq!((each(&found, "project"), found["total"].clone()), (vec!["Regatta 2024".into()], json!(1)));
    let (by_name, sent) = company.look("get_project", json!({ "project": "ATLAS" })).await;
    assert_eq!(sent, ["/organization/projects?include_archived=true&limit=100", "/organization/projects/proj_atlas"]);
    let (by_id, sent) = company.look("get_project", json!({ "project": "proj_atlas" })).await;
    assert_eq!((sent, by_id), (vec!["/organization/projects/proj_atlas".to_owned()], by_name));
    let error = company.refused("get_project", json!({ "project": "Atlsa" }), "project_not_found").await;
    assert_eq!(error["fix"], "did you mean `Atlas`? find it with list_projects; names are matched whole");
    company.directly("POST", "/organization/projects", &json!({ "name": "atlas" }));
    let error = company.refused("get_project", json!({ "project": "Atlas" }), "ambiguous_project").await;
    assert_eq!(error["candidates"].as_array().unwrap()[0], "Atlas [proj_atlas]");
}

#[tokio::test]
async fn a_project_is_created_changed_and_archived() {
    let company = Company::new().await;
    let (made, sent) =
        company.change("create_project", json!({ "name": "Tides", "residency": "JP_STORAGE", "external_key_id": "k" })).await;
    assert_eq!(sent, [r#"POST /organization/projects {"name":"Tides","residency":"JP_STORAGE","external_key_id":"k"}"#]);
    let id = made["target"]["id"].as_str().unwrap().to_owned();
    assert_eq!((&made["after"]["residency"], &made["undo"]), (&json!("JP_STORAGE"), &json!("archive_project")));
    let (changed, sent) = company.change("update_project", json!({ "project": "tides", "name": "High tides" })).await;
    assert_eq!(sent, [format!(r#"POST /organization/projects/{id} {{"name":"High tides"}}"#)]);
    assert_eq!((&changed["before"]["project"], &changed["after"]["project"]), (&json!("Tides"), &json!("High tides")));
    let (cleared, sent) = company.change("update_project", json!({ "project": id, "clear": ["external_key_id"] })).await;
    assert_eq!(sent, [format!(r#"POST /organization/projects/{id} {{"external_key_id":null}}"#)]);
    assert_eq!(cleared["after"].get("external_key_id"), None);
    company.agent.questions();
    let (archived, sent) = company.change("archive_project", json!({ "project": "Atlas" })).await;
    assert_eq!(sent, ["POST /organization/projects/proj_atlas/archive"]);
    assert_eq!(archived["after"]["status"], "archived");
    assert_eq!(
        company.agent.questions(),
        ["Archive project: project Atlas [proj_atlas], organization openai (connection openai)?\n\
          - 1 project ends (Atlas)\n\
          - 7 people lose access (marta.nowicka@acme.example, oskar.lindqvist@acme.example, ana.ruiz@acme.example, \
          jonas.weber@acme.example, mei.tanaka@acme.example and 2 more)\n\
          - 2 service accounts end (Beacon, Drift)\n\
          - 5 keys stop working (laptop, notebook, Secret Key, review, trial)\n\
          - it cannot be made active again\n\
          This cannot be undone.\nTo confirm, type: Atlas"]
    );
}

#[tokio::test]
async fn what_a_project_cannot_be_is_said_before_anything_is_sent() {
    let company = Company::new().await;
    let refused = |tool, arguments, code| company.refused(tool, arguments, code);
    refused("update_project", json!({ "project": "Regatta 2024", "name": "x" }), "project_archived").await;
    refused("update_project", json!({ "project": "Atlas" }), "invalid_arguments").await;
    refused("update_project", json!({ "project": "Atlas", "clear": ["description"] }), "invalid_arguments").await;
    refused("update_project", json!({ "project": "Atlas", "external_key_id": "k", "clear": ["external_key_id"] }), "invalid_arguments")
        .await;
    refused("create_project", json!({ "name": "x", "description": "y" }), "invalid_arguments").await;
    // Which project is the default one, only the service knows.
    let error = company.agent.fails("update_project", json!({ "project": "Default project", "name": "x" }), "invalid_request").await;
    assert_eq!(error["message"], "The default project cannot be modified.");
    assert!(error["request_id"].as_str().unwrap().starts_with("req_"), "{error}");
}

#[tokio::test]
async fn a_project_has_people_of_its_own_and_those_of_its_teams() {
    let company = Company::new().await;
    let (people, _) = company.look("list_project_members", json!({ "project": "Atlas", "query": "i" })).await;
    let told = |it: &crate::support::Value| format!("{} {} {}", it["member"].as_str().unwrap(), it["roles"], it["via_team"]);
    let told: Vec<String> = people["items"].as_array().unwrap().iter().map(told).collect();
    assert_eq!(
        told,
        [
            r#"ana.ruiz@acme.example ["owner"] null"#,
            r#"chidi.okonjo@acme.example ["viewer","key master"] "Reviewers""#,
            r#"elif.kaya@acme.example ["viewer","key master"] "Reviewers""#,
            r#"marta.nowicka@acme.example ["owner"] null"#,
            r#"mei.tanaka@acme.example ["member"] null"#,
            r#"oskar.lindqvist@acme.example ["owner"] null"#,
        ]
    );
    let (masters, _) = company.look("list_project_members", json!({ "project": "Atlas", "role": "key master" })).await;
    assert_eq!(each(&masters, "member"), ["chidi.okonjo@acme.example", "elif.kaya@acme.example"]);
    let (one, sent) = company.look("get_project_member", json!({ "project": "Atlas", "member": "ana.ruiz@acme.example" })).await;
    assert_eq!(one["roles"], json!(["owner"]));
    assert!(sent.contains(&"/organization/projects/proj_atlas/users/user-ana".to_owned()), "{sent:?}");
    let (through, _) = company.look("get_project_member", json!({ "project": "Atlas", "member": "user-chidi" })).await;
    assert_eq!((&through["via_team"], &through["roles"]), (&json!("Reviewers"), &json!(["viewer", "key master"])));
    company.refused("get_project_member", json!({ "project": "Atlas", "member": "user-leo" }), "member_not_found").await;
}

#[tokio::test]
async fn a_person_joins_a_project_gets_another_role_and_leaves() {
    let company = Company::new().await;
    let linh = "linh.tran@acme.example";
    let (joined, sent) = company.change("add_project_member", json!({ "project": "Atlas", "member": linh, "roles": ["Member"] })).await;
    assert_eq!(sent, [r#"POST /organization/projects/proj_atlas/users {"role":"member","user_id":"user-linh"}"#]);
    assert_eq!((&joined["after"]["roles"], company.agent.questions()), (&json!(["member"]), vec![]));
    let (_, sent) = company.change("update_project_member", json!({ "project": "Atlas", "member": linh, "role": "owner" })).await;
    assert_eq!(sent, [r#"POST /organization/projects/proj_atlas/users/user-linh {"role":"owner"}"#]);
    assert!(company.agent.questions()[0].contains("- becomes owner of project Atlas, with power over others: linh.tran@acme.example"));
    let (left, sent) = company.change("remove_project_member", json!({ "project": "Atlas", "member": linh })).await;
    assert_eq!(
        (sent, &left["undo"]),
        (vec!["DELETE /organization/projects/proj_atlas/users/user-linh".into()], &json!("add_project_member with roles owner"))
    );
    let (_, sent) =
        company.change("add_project_member", json!({ "project": "Atlas", "member": linh, "roles": ["member", "key master"] })).await;
    assert_eq!(
        sent,
        [
            r#"POST /organization/projects/proj_atlas/users {"role":"member","user_id":"user-linh"}"#,
            r#"POST /projects/proj_atlas/users/user-linh/roles {"role_id":"role_key_master"}"#,
        ]
    );
    company.agent.questions();
    company.change("remove_project_member", json!({ "project": "Atlas", "member": "ana.ruiz@acme.example" })).await;
    let asked = company.agent.questions().remove(0);
    assert!(asked.contains("- 1 key left without an owner (laptop)") && asked.contains("type: ana.ruiz@acme.example"), "{asked}");
}

#[tokio::test]
async fn who_cannot_join_or_leave_is_told_why_and_what_to_do() {
    let company = Company::new().await;
    let add = |member: &str, roles| json!({ "project": "Atlas", "member": member, "roles": roles });
    let error = company.refused("add_project_member", add("new@elsewhere.example", json!(["member"])), "not_in_organization").await;
    assert_eq!(
        error["fix"],
        "invite them with the project in it: invite_organization_member with email `new@elsewhere.example` and projects [`Atlas`]"
    );
    company.refused("add_project_member", add("ana.ruiz@acme.example", json!(["member"])), "already_member").await;
    company.refused("add_project_member", add("linh.tran@acme.example", json!(["viewer"])), "invalid_arguments").await;
    let error = company.refused("add_project_member", add("linh.tran@acme.example", json!(["boss"])), "role_not_found").await;
    assert_eq!(error["fix"], "use one of: owner, member, viewer, key master");
    let of = |member: &str| json!({ "project": "Atlas", "member": member });
    company.refused("remove_project_member", of("oskar.lindqvist@acme.example"), "organization_owner").await;
    company.refused("remove_project_member", of("chidi.okonjo@acme.example"), "access_through_team").await;
    company.refused("remove_project_member", of("leo.marchetti@acme.example"), "already_gone").await;
    let update = json!({ "project": "Atlas", "member": "jonas.weber@acme.example", "role": "viewer" });
    company.refused("update_project_member", update, "invalid_arguments").await;
    // That nobody leaves the default project, the service says: nothing tells which project it is.
    let leave = json!({ "project": "Default project", "member": "ana.ruiz@acme.example" });
    let error = company.agent.fails("remove_project_member", leave, "invalid_request").await;
    assert_eq!(error["message"], "Users cannot be removed from the default project.");
}

#[tokio::test]
async fn teams_come_into_projects_and_leave_them() {
    let company = Company::new().await;
    let (teams, sent) = company.look("list_project_teams", json!({ "project": "Atlas" })).await;
    assert_eq!((each(&teams, "team"), &sent[1]), (vec!["Reviewers".into()], &"/organization/projects/proj_atlas/groups?limit=25".into()));
    let team = json!({ "project": "Helpdesk", "team": "Field crew", "role": "owner" });
    let (made, sent) = company.change("add_project_team", team.clone()).await;
    let role = "role-api-project-owner__api-project__proj_helpdesk";
    assert_eq!(sent, [format!(r#"POST /organization/projects/proj_helpdesk/groups {{"group_id":"group_crew","role":"{role}"}}"#)]);
    assert_eq!(made["after"]["roles"], json!(["owner"]));
    assert_eq!(
        company.agent.questions(),
        ["Add project team: team Field crew [group_crew] in project Helpdesk [proj_helpdesk], organization openai (connection openai)?\n\
          - the team gets owner in project Helpdesk, with power over others: Field crew\n\
          - become owner of project Helpdesk, with power over others through team Field crew: \
          noor.vandijk@acme.example, priya.raman@acme.example\n\
          Undo: remove_project_team"]
    );
    company.refused("add_project_team", team, "already_member").await;
    let (left, sent) = company.change("remove_project_team", json!({ "project": "Helpdesk", "team": "Field crew" })).await;
    assert_eq!(sent, ["DELETE /organization/projects/proj_helpdesk/groups/group_crew"]);
    assert_eq!(left["undo"], "add_project_team with role owner");
    assert!(company.agent.questions()[0].contains("- 2 people lose access (noor.vandijk@acme.example, priya.raman@acme.example)"));
    company.refused("remove_project_team", json!({ "project": "Helpdesk", "team": "Field crew" }), "already_gone").await;
}

#[tokio::test]
async fn nothing_is_taken_away_while_a_person_says_no() {
    let company = Company::with(Options { person: Person::Declines, ..Options::default() }).await;
    let before = company.state();
    for (tool, arguments) in [
        ("archive_project", json!({ "project": "Atlas" })),
        ("remove_project_member", json!({ "project": "Atlas", "member": "ana.ruiz@acme.example" })),
        ("remove_project_team", json!({ "project": "Atlas", "team": "Reviewers" })),
        ("remove_organization_member", json!({ "member": "ana.ruiz@acme.example" })),
        ("cancel_invitation", json!({ "invitation": "lena@studio-vogel.example" })),
        ("delete_team", json!({ "team": "Reviewers" })),
        ("remove_team_member", json!({ "team": "Reviewers", "member": "chidi.okonjo@acme.example" })),
        ("delete_role", json!({ "role": "auditor" })),
        ("unassign_role", json!({ "role": "auditor", "member": "grace.whitfield@acme.example" })),
        ("delete_service_account", json!({ "project": "Atlas", "service_account": "Beacon" })),
        ("delete_api_key", json!({ "project": "Atlas", "api_key": "laptop" })),
        ("deactivate_certificates", json!({ "project": "Atlas", "certificates": ["Quay gateway"] })),
        ("update_organization_member", json!({ "member": "mei.tanaka@acme.example", "role": "owner" })),
        ("invite_organization_member", json!({ "email": "new@elsewhere.example", "role": "owner" })),
        ("create_service_account", json!({ "project": "Atlas", "name": "Lantern" })),
        ("add_project_member", json!({ "project": "Atlas", "member": "linh.tran@acme.example", "roles": ["owner"] })),
    ] {
        company.refused(tool, arguments, "declined").await;
    }
    assert_eq!(company.state(), before);
}
