//! OpenAI: people of the organization, invitations, memberships.

use crate::{
    support::json,
    support_openai::{Company, each},
};

#[tokio::test]
async fn people_are_listed_narrowed_and_read() {
    let company = Company::new().await;
    let (page, sent) = company.look("list_organization_members", json!({ "limit": 3 })).await;
    assert_eq!((each(&page, "id"), page.get("total")), (vec!["user-marta".into(), "user-oskar".into(), "user-ana".into()], None));
    assert_eq!(sent, ["/organization/users?limit=3"]);
    let (owners, _) = company.look("list_organization_members", json!({ "role": "owner" })).await;
    assert_eq!(each(&owners, "member"), ["marta.nowicka@acme.example", "oskar.lindqvist@acme.example"]);
    let (found, _) = company.look("list_organization_members", json!({ "query": "tanaka" })).await;
    assert_eq!(each(&found, "name"), ["Mei Tanaka"]);
    // Who holds a custom role, the service does not list.
    company.refused("list_organization_members", json!({ "role": "auditor" }), "invalid_arguments").await;
    let (one, sent) = company.look("get_organization_member", json!({ "member": "Mei.Tanaka@acme.example" })).await;
    assert_eq!((&one["id"], &one["roles"]), (&json!("user-mei"), &json!(["reader"])));
    assert_eq!(sent, ["/organization/users?emails%5B%5D=mei.tanaka%40acme.example&limit=100", "/organization/users/user-mei"]);
    let (_, sent) = company.look("get_organization_member", json!({ "member": "user-mei" })).await;
    assert_eq!(sent, ["/organization/users/user-mei"]);
    company.refused("get_organization_member", json!({ "member": "nobody@acme.example" }), "member_not_found").await;
}

#[tokio::test]
async fn memberships_come_from_a_persons_own_entry() {
    let company = Company::new().await;
    let email = json!({ "email": "ana.ruiz@acme.example" });
    let (own, sent) = company.look("list_memberships", email.clone()).await;
    assert_eq!((each(&own, "organization"), sent.len()), (vec!["openai".to_owned()], 1));
    company.refused("list_memberships", json!({}), "invalid_arguments").await;
    let (projects, sent) = company.look("list_project_memberships", email.clone()).await;
    assert_eq!(each(&projects, "project"), ["Atlas", "Borealis", "Default project"]);
    assert_eq!(sent.len(), 2, "{sent:?}");
    let (turned, _) =
        company.look("list_project_memberships", json!({ "email": "ana.ruiz@acme.example", "order": "desc", "limit": 2 })).await;
    assert_eq!(each(&turned, "project"), ["Default project", "Borealis"]);
    let next = json!({ "email": "ana.ruiz@acme.example", "order": "desc", "limit": 2, "cursor": turned["next_cursor"] });
    assert_eq!(each(&company.look("list_project_memberships", next).await.0, "project"), ["Atlas"]);
    let (none, _) = company.look("list_project_memberships", json!({ "email": "ana.ruiz@acme.example", "role_types": ["team"] })).await;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn somebody_is_invited_with_projects_and_the_invitation_is_cancelled() {
    let company = Company::new().await;
    let new = json!({ "email": "new@acme.example", "projects": ["Atlas", "proj_atlas", "Borealis"] });
    let (made, sent) = company.change("invite_organization_member", new.clone()).await;
    assert_eq!(
        sent,
        [
            r#"POST /organization/invites {"email":"new@acme.example","role":"reader","projects":[{"id":"proj_atlas","role":"member"},{"id":"proj_borealis","role":"member"}]}"#
        ]
    );
    assert_eq!((&made["after"]["projects"], &made["after"]["status"]), (&json!(["Atlas", "Borealis"]), &json!("pending")));
    company.refused("invite_organization_member", new, "already_invited").await;
    let known = json!({ "email": "ana.ruiz@acme.example" });
    company.refused("invite_organization_member", known, "already_member").await;
    company.refused("invite_organization_member", json!({ "email": "x@acme.example", "role": "auditor" }), "invalid_arguments").await;
    let (_, sent) = company.change("cancel_invitation", json!({ "invitation": "new@acme.example" })).await;
    assert_eq!(sent, [format!("DELETE /organization/invites/{}", made["target"]["id"].as_str().unwrap())]);
    company.refused("cancel_invitation", json!({ "invitation": "grace.whitfield@acme.example" }), "not_pending").await;
    let (_, sent) = company.change("invite_organization_member", json!({ "email": "bare@acme.example" })).await;
    assert_eq!(sent, [r#"POST /organization/invites {"email":"bare@acme.example","role":"reader","projects":[]}"#]);
}

#[tokio::test]
async fn an_invitation_as_owner_of_somebody_from_elsewhere_is_critical() {
    let company = Company::new().await;
    company.change("invite_organization_member", json!({ "email": "new@elsewhere.example", "role": "owner" })).await;
    let asked = company.agent.questions().remove(0);
    assert!(
        asked.contains("- outside the mail domains of those who manage openai: new@elsewhere.example")
            && asked.contains("type: new@elsewhere.example"),
        "{asked}"
    );
}

#[tokio::test]
async fn invitations_are_listed_by_status() {
    let company = Company::new().await;
    let (all, sent) = company.look("list_invitations", json!({})).await;
    assert_eq!(each(&all, "status"), ["accepted", "expired", "pending"]);
    assert_eq!(sent[0], "/organization/invites?limit=25");
    let (pending, _) = company.look("list_invitations", json!({ "status": "pending" })).await;
    assert_eq!(each(&pending, "invitation"), ["lena@studio-vogel.example"]);
    assert_eq!(pending["items"][0]["projects"], json!(["Atlas"]));
}

#[tokio::test]
async fn roles_change_and_the_last_owner_stays() {
    let company = Company::new().await;
    let (made, sent) = company.change("update_organization_member", json!({ "member": "user-mei", "role": "owner" })).await;
    assert_eq!((sent, &made["after"]["roles"]), (vec![r#"POST /organization/users/user-mei {"role":"owner"}"#.into()], &json!(["owner"])));
    assert!(company.agent.questions()[0].contains("- owners of the organization own every project"));
    let (_, sent) = company.change("update_organization_member", json!({ "member": "user-mei", "role": "auditor" })).await;
    assert_eq!(sent, [r#"POST /organization/users/user-mei {"role_id":"role_auditor"}"#]);
    let short = json!({ "member": "user-oskar", "role": "role-api-organization-reader" });
    let (_, sent) = company.change("update_organization_member", short).await;
    assert_eq!(sent, [r#"POST /organization/users/user-oskar {"role":"reader"}"#]);
    company.refused("update_organization_member", json!({ "member": "user-marta", "role": "reader" }), "last_owner").await;
    company.refused("remove_organization_member", json!({ "member": "user-marta" }), "last_owner").await;
}

#[tokio::test]
async fn who_leaves_is_asked_about_with_projects_teams_and_keys() {
    let company = Company::new().await;
    let (_, sent) = company.change("remove_organization_member", json!({ "member": "priya.raman@acme.example" })).await;
    assert_eq!(sent, ["DELETE /organization/users/user-priya"]);
    assert_eq!(
        company.agent.questions(),
        ["Remove organization member: member priya.raman@acme.example [user-priya], organization openai (connection openai)?\n\
          - 1 person loses access to the organization (priya.raman@acme.example)\n\
          - 1 key stops working (probe)\n\
          - no longer reader of organization openai: priya.raman@acme.example\n\
          - 2 projects out of reach: Default project, Borealis\n\
          - 1 team out of reach: Field crew\n\
          Undo: invite_organization_member with role `reader`; projects, teams and roles are granted again\n\
          To confirm, type: priya.raman@acme.example"]
    );
}

#[tokio::test]
async fn of_many_teams_only_some_are_looked_at_and_the_rest_is_told() {
    let company = Company::new().await;
    for number in 0..9 {
        company.directly("POST", "/organization/groups", &json!({ "name": format!("Team {number}") }));
    }
    company.change("remove_organization_member", json!({ "member": "priya.raman@acme.example" })).await;
    let looked = company.reads().iter().filter(|it| it.contains("/groups/") && it.contains("/users/")).count();
    assert_eq!(looked, 16, "eight, planned twice");
    assert!(company.agent.questions()[0].contains("- 4 more teams were not checked"));
}
