//! What is to be taken away is gone already: that is told as such, and a job counts it as done. Who is nobody at all stays an error.

use rolecall_sandbox::{Answer, Call, Platform as _, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

use crate::{
    company::{acme, email, join, refused, team},
    lab::{Lab, Service},
    odd::{is, odd, with_json},
    support::{Agent, Value, json},
};

/// Refuses each call as gone already, and names who and where; a job counts it as skipped.
async fn gone<S: Service>(lab: &Lab<S>, calls: &[(&str, Value)]) {
    for (tool, arguments) in calls {
        let told = lab.refused(tool, arguments.clone(), "already_gone").await;
        assert!(told["fix"].as_str().unwrap().starts_with("nothing needs to be done"), "{told}");
        let steps = json!({ "steps": [{ "tool": tool, "arguments": arguments }], "on_failure": "continue" });
        let done = lab.agent.ok("apply_changes", steps).await;
        assert!(done.to_string().contains("skipped") && !done.to_string().contains("failed\":1"), "{done}");
    }
}

#[tokio::test]
async fn who_is_not_there_is_gone_already_at_every_service() {
    let lab = Lab::<Openai>::new().await;
    let leo = "leo.marchetti@acme.example";
    gone(
        &lab,
        &[
            ("remove_project_member", json!({ "project": "Atlas", "member": leo })),
            ("remove_team_member", json!({ "team": "Reviewers", "member": leo })),
            ("unassign_role", json!({ "role": "viewer", "member": leo, "project": "Atlas" })),
            ("unassign_role", json!({ "role": "auditor", "member": leo })),
            ("remove_project_team", json!({ "project": "Helpdesk", "team": "Reviewers" })),
        ],
    )
    .await;
    let nobody = "nobody@acme.example";
    for (tool, arguments, code) in [
        ("remove_project_member", json!({ "project": "Atlas", "member": nobody }), "member_not_found"),
        ("remove_team_member", json!({ "team": "Reviewers", "member": nobody }), "member_not_found"),
        ("unassign_role", json!({ "role": "auditor", "member": nobody }), "member_not_found"),
        ("remove_project_team", json!({ "project": "Helpdesk", "team": "Nobodies" }), "team_not_found"),
        ("archive_project", json!({ "project": "Regatta 2024" }), "already_archived"),
    ] {
        lab.refused(tool, arguments, code).await;
    }

    let lab = Lab::<Geai>::new().await;
    gone(&lab, &[("remove_project_member", json!({ "project": "Cobalt", "member": "mei.tanaka@acme.example" }))]).await;
    lab.refused("remove_project_member", json!({ "project": "Cobalt", "member": nobody }), "member_not_found").await;

    let lab = Lab::<Engine>::new().await;
    gone(&lab, &[("remove_project_member", json!({ "project": "p-2", "member": "u-6" }))]).await;
    lab.refused("remove_project_member", json!({ "project": "p-2", "member": nobody }), "member_not_found").await;

    let lab = Lab::<Seeme>::new().await;
    let rosa = |place: &str, name: &str| json!({ place: name, "member": "mei.tanaka@acme.example" });
    gone(&lab, &[("remove_team_member", rosa("team", "Research"))]).await;
    lab.refused("remove_team_member", json!({ "team": "Research", "member": nobody }), "member_not_found").await;
}

#[tokio::test]
async fn what_is_not_there_is_gone_already_in_the_directory() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Data", &["bo"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        let ana = email("ana");
        for (tool, arguments) in [
            ("remove_project_member", json!({ "project": "Atlas", "member": ana })),
            ("remove_team_member", json!({ "team": "Data", "member": ana })),
            ("remove_project_team", json!({ "project": "Atlas", "team": "Data" })),
            ("unassign_role", json!({ "role": "admin", "member": ana })),
            ("unassign_role", json!({ "role": "owner", "member": email("bo"), "project": "Atlas" })),
            ("delete_logo", json!({ "of": "team", "target": "Data" })),
        ] {
            refused(&agent, tool, arguments.clone(), "already_gone").await;
            let done =
                agent.ok("apply_changes", json!({ "steps": [{ "tool": tool, "arguments": arguments }], "on_failure": "continue" })).await;
            assert!(done.to_string().contains("skipped"), "{done}");
        }
        for (tool, arguments) in [
            ("remove_project_member", json!({ "project": "Atlas", "member": email("nobody") })),
            ("remove_team_member", json!({ "team": "Data", "member": email("nobody") })),
            ("unassign_role", json!({ "role": "admin", "member": email("nobody") })),
        ] {
            refused(&agent, tool, arguments, "member_not_found").await;
        }
        agent.ok("invite_organization_member", json!({ "email": email("cy") })).await;
        agent.ok("cancel_invitation", json!({ "invitation": email("cy") })).await;
        refused(&agent, "cancel_invitation", json!({ "invitation": email("cy") }), "already_gone").await;
    }
}

#[tokio::test]
async fn an_invitation_whose_time_is_over_stands_in_nobodys_way_though_it_says_pending() {
    let lab = odd::<Openai>(|at, call| {
        let answer = at.answer(call);
        if !is(call, "GET", "v1/organization/invites") {
            return answer;
        }
        with_json(answer, |it| {
            for invite in it["data"].as_array_mut().unwrap() {
                invite["status"] = json!("pending");
                invite["expires_at"] = json!(1_700_000_000);
            }
        })
    })
    .await;
    let listed = lab.agent.ok("list_invitations", json!({ "limit": 100 })).await;
    let items = listed["items"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|it| it["status"] == "expired"), "{listed}");
    let email = items.iter().map(|it| it["invitation"].as_str().unwrap()).find(|it| it.contains("lena")).unwrap().to_owned();
    lab.sandbox.clear_journal();
    let preview = lab.agent.ok("invite_organization_member", json!({ "email": email, "dry_run": true })).await;
    assert_eq!(preview["target"]["name"], email, "{preview}");

    let lab = Lab::<Seeme>::new().await;
    for member in &mut lab.sandbox.platform().members {
        if let Some(invitation) = &mut member.invitation {
            invitation.expires_at = "2026-01-12T08:00:00Z".into();
        }
    }
    let noor = "noor.vandijk@acme.example";
    let listed = lab.agent.ok("list_invitations", json!({ "organization": "Acme", "status": "expired" })).await;
    assert_eq!(listed["items"][0]["invitation"], noor, "{listed}");
    let preview = lab.agent.ok("invite_organization_member", json!({ "organization": "Acme", "email": noor, "dry_run": true })).await;
    assert_eq!(preview["target"]["name"], noor, "{preview}");
}

/// Every role that is listed is found by its id, and by its name unless several have it.
async fn found_by_both(agent: &Agent, list: Value) {
    let mut whole = list.clone();
    whole["limit"] = json!(100);
    let list = if list["project"].is_string() { list } else { json!({}) };
    let roles = agent.ok("list_roles", whole).await;
    let items = roles["items"].as_array().unwrap();
    assert!(!items.is_empty(), "{roles}");
    for role in items {
        let get = |by: &Value| {
            let mut arguments = list.clone();
            arguments["role"] = by.clone();
            arguments
        };
        assert_eq!(agent.ok("get_role", get(&role["id"])).await["id"], role["id"], "{role}");
        let alike = items.iter().filter(|it| it["role"] == role["role"]).count();
        if alike == 1 {
            assert_eq!(agent.ok("get_role", get(&role["role"])).await["id"], role["id"], "{role}");
        }
    }
}

#[tokio::test]
async fn a_role_is_taken_by_its_id_and_by_the_name_that_people_see() {
    let named = |at: &mut Openai, call: &Call| {
        if call.segments.iter().any(|it| it.contains("role-api-")) {
            return Answer { status: 404, ..at.answer(&Call { segments: vec!["v1".to_owned(), "nothing".to_owned()], ..call.clone() }) };
        }
        let answer = at.answer(call);
        if call.method != "GET" || !call.segments.join("/").ends_with("/roles") {
            return answer;
        }
        with_json(answer, |it| {
            for role in it["data"].as_array_mut().into_iter().flatten().filter(|it| it["predefined_role"] == true) {
                role["name"] = json!(format!("Project {}", role["name"].as_str().unwrap()));
            }
        })
    };
    let lab = odd::<Openai>(named).await;
    found_by_both(&lab.agent, json!({ "project": "Atlas" })).await;
    for role in
        ["viewer", "Project Viewer", "project viewer", "role-api-project-viewer", "role-api-project-viewer__api-project__proj_atlas"]
    {
        let call = json!({ "role": role, "member": "mei.tanaka@acme.example", "project": "Atlas", "dry_run": true });
        lab.agent.call("assign_role", call).await;
        let got = lab.agent.ok("get_role", json!({ "role": role, "project": "Atlas" })).await;
        assert_eq!(got["id"], "role-api-project-viewer__api-project__proj_atlas", "{role}");
    }
    found_by_both(&Lab::<Openai>::new().await.agent, json!({})).await;
    found_by_both(&Lab::<Geai>::new().await.agent, json!({ "project": "Atlas" })).await;
    found_by_both(&Lab::<Engine>::new().await.agent, json!({})).await;
    found_by_both(&Lab::<Seeme>::new().await.agent, json!({ "organization": "Acme" })).await;
    for agent in Agent::each().await {
        acme(&agent, &[]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        found_by_both(&agent, json!({ "project": "Atlas" })).await;
    }
}
