//! OpenAI: roles and who holds them, in the organization and in projects.

use crate::{
    support::json,
    support_openai::{Company, each},
};

#[tokio::test]
async fn roles_are_listed_and_read_at_their_own_paths() {
    let company = Company::new().await;
    let (own, sent) = company.look("list_roles", json!({})).await;
    assert_eq!(
        (each(&own, "role"), sent),
        (vec!["owner".into(), "reader".into(), "auditor".into(), "webhook keeper".into()], vec!["/organization/roles?limit=25".into()])
    );
    let (project, sent) = company.look("list_roles", json!({ "project": "proj_atlas", "limit": 3 })).await;
    assert_eq!(
        (each(&project, "role"), &sent[1]),
        (vec!["owner".into(), "member".into(), "viewer".into()], &"/projects/proj_atlas/roles?limit=3".into())
    );
    let (rest, _) = company.look("list_roles", json!({ "project": "proj_atlas", "limit": 3, "cursor": project["next_cursor"] })).await;
    assert_eq!(each(&rest, "role"), ["key master"]);
    let (none, _) = company.look("list_roles", json!({ "role_types": ["project"] })).await;
    assert_eq!(none["items"], json!([]));
    for name in ["viewer", "role-api-project-viewer", "role-api-project-viewer__api-project__proj_atlas"] {
        let (one, sent) = company.look("get_role", json!({ "project": "Atlas", "role": name })).await;
        assert_eq!((&one["role"], &one["built_in"]), (&json!("viewer"), &json!(true)));
        assert!(sent.contains(&"/projects/proj_atlas/roles/role-api-project-viewer__api-project__proj_atlas".to_owned()), "{sent:?}");
    }
}

#[tokio::test]
async fn a_role_is_made_changed_and_deleted_in_the_organization_and_in_a_project() {
    let company = Company::new().await;
    for (project, base) in [(None, "/organization/roles"), (Some("Atlas"), "/projects/proj_atlas/roles")] {
        let with = |mut arguments: crate::support::Value| {
            if let Some(project) = project {
                arguments["project"] = json!(project);
            }
            arguments
        };
        let create = with(json!({ "name": "tide watcher", "permissions": ["api.model.request"], "description": "watches" }));
        let (made, sent) = company.change("create_role", create.clone()).await;
        assert_eq!(
            sent,
            [format!(r#"POST {base} {{"role_name":"tide watcher","permissions":["api.model.request"],"description":"watches"}}"#)]
        );
        let id = made["target"]["id"].as_str().unwrap().to_owned();
        company.refused("create_role", create, "name_taken").await;
        assert_eq!(company.agent.questions(), [""; 0]);
        let (_, sent) = company.change("update_role", with(json!({ "role": "tide watcher", "clear": ["description"] }))).await;
        assert_eq!(sent, [format!(r#"POST {base}/{id} {{"description":null}}"#)]);
        let (_, sent) = company.change("update_role", with(json!({ "role": "tide watcher", "permissions": ["api.webhooks.write"] }))).await;
        assert_eq!(sent, [format!(r#"POST {base}/{id} {{"permissions":["api.webhooks.write"]}}"#)]);
        let asked = company.agent.questions().remove(0);
        assert!(
            asked.contains("- whoever holds it gains power over others: api.webhooks.write\n- whoever holds it loses: api.model.request"),
            "{asked}"
        );
        company.refused("update_role", with(json!({ "role": "owner", "name": "x" })), "built_in_role").await;
        company.refused("update_role", with(json!({ "role": "tide watcher" })), "invalid_arguments").await;
        company.refused("delete_role", with(json!({ "role": "owner" })), "built_in_role").await;
        let (_, sent) = company.change("delete_role", with(json!({ "role": "tide watcher" }))).await;
        assert_eq!(sent, [format!("DELETE {base}/{id}")]);
        company.agent.questions();
    }
    company.change("delete_role", json!({ "project": "Atlas", "role": "key master" })).await;
    let asked = company.agent.questions().remove(0);
    assert!(
        asked.contains(
            "- 1 role ends (key master)\n- teams that hold it: Reviewers\n- no longer key master of project Atlas through team Reviewers: "
        ),
        "{asked}"
    );
}

#[tokio::test]
async fn roles_are_given_and_taken_at_four_places() {
    let company = Company::new().await;
    let member = "role-api-project-viewer__api-project__proj_atlas";
    for (arguments, base, role_id) in [
        (json!({ "member": "user-mei", "role": "auditor" }), "/organization/users/user-mei/roles", "role_auditor"),
        (json!({ "team": "Field crew", "role": "auditor" }), "/organization/groups/group_crew/roles", "role_auditor"),
        (
            json!({ "member": "mei.tanaka@acme.example", "role": "viewer", "project": "Atlas" }),
            "/projects/proj_atlas/users/user-mei/roles",
            member,
        ),
        (
            json!({ "team": "Reviewers", "role": "role-api-project-member", "project": "Atlas" }),
            "/projects/proj_atlas/groups/group_reviewers/roles",
            "role-api-project-member__api-project__proj_atlas",
        ),
    ] {
        let (_, sent) = company.change("assign_role", arguments.clone()).await;
        assert_eq!(sent, [format!(r#"POST {base} {{"role_id":"{role_id}"}}"#)]);
        company.refused("assign_role", arguments.clone(), "already_assigned").await;
        let mut of = arguments.clone();
        of.as_object_mut().unwrap().remove("role");
        let (held, sent) = company.look("list_role_assignments", of).await;
        assert!(each(&held, "role_id").contains(&role_id.to_owned()), "{held}");
        assert!(sent.contains(&format!("{base}?limit=25")), "{sent:?}");
        let (_, sent) = company.change("unassign_role", arguments.clone()).await;
        assert_eq!(sent, [format!("DELETE {base}/{role_id}")]);
        company.refused("unassign_role", arguments, "already_gone").await;
    }
}

#[tokio::test]
async fn inherited_roles_name_their_team_and_stay_with_it() {
    let company = Company::new().await;
    let of = json!({ "member": "chidi.okonjo@acme.example", "project": "Atlas" });
    let (held, _) = company.look("list_role_assignments", of).await;
    assert_eq!(
        (each(&held, "role"), each(&held, "via_team")),
        (vec!["viewer".into(), "key master".into()], vec!["Reviewers".into(), "Reviewers".into()])
    );
    let take = json!({ "member": "chidi.okonjo@acme.example", "project": "Atlas", "role": "viewer" });
    company.refused("unassign_role", take, "inherited_role").await;
    let give = json!({ "member": "leo.marchetti@acme.example", "project": "Atlas", "role": "viewer" });
    let error = company.refused("assign_role", give, "not_in_project").await;
    assert_eq!(error["fix"], "use add_project_member first");
    company.refused("assign_role", json!({ "role": "auditor" }), "invalid_arguments").await;
    company.refused("assign_role", json!({ "role": "key master", "member": "user-mei" }), "role_not_found").await;
}

#[tokio::test]
async fn power_for_people_of_elsewhere_is_critical() {
    let company = Company::new().await;
    let mut state = serde_json::to_value(&*company.sandbox.platform()).unwrap();
    state["users"][3]["email"] = json!("jonas@studio.example");
    *company.sandbox.platform() = serde_json::from_value(state).unwrap();
    company.change("assign_role", json!({ "role": "owner", "member": "jonas@studio.example" })).await;
    let asked = company.agent.questions().remove(0);
    assert!(asked.contains("outside the mail domains of those who manage openai: jonas@studio.example"), "{asked}");
    assert!(asked.contains("type: jonas@studio.example"), "{asked}");
}
