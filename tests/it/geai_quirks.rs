//! Where descriptions of Globant Enterprise AI differ, every reading works; and what goes wrong is told truly.

use rolecall::providers::geai::Settings;
use rolecall_sandbox::geai::{EmailFilter, Failures, MessageShape, Nothing, OrganizationScope, Redirect, Spelling, TokenUpdate, Wrapping};

use crate::{
    company::column,
    support::json,
    support_geai::{Geai, MEMBER, organization, project, system},
};

#[tokio::test]
async fn lists_are_read_in_every_wrapping() {
    let it = Geai::new().await;
    for wrapping in [Wrapping::Live, Wrapping::Object, Wrapping::Array, Wrapping::Flat] {
        it.quirk(|it| it.wrapping = wrapping);
        let members = it.agent.ok("list_project_members", json!({ "project": "Ember" })).await;
        assert_eq!(members["total"], 3, "{wrapping:?}: {members}");
        assert_eq!(column(&members, "project"), ["Ember"; 3], "{wrapping:?}");
        let roles = it.agent.ok("list_roles", json!({ "project": "Atlas" })).await;
        assert_eq!(roles["shown"], 5, "{wrapping:?}: {roles}");
        let people = it.agent.ok("list_organization_members", json!({ "limit": 100 })).await;
        assert_eq!(people["shown"], 30, "{wrapping:?}: {people}");
    }
}

#[tokio::test]
async fn done_is_done_whatever_the_answer_holds() {
    let it = Geai::new().await;
    for (nothing, gone) in [(Nothing::Object, "Borealis"), (Nothing::Empty, "Cobalt"), (Nothing::NoContent, "Fieldnotes")] {
        it.quirk(|it| (it.nothing, it.silent_invitations, it.empty_errors) = (nothing, true, true));
        let email = format!("{}@acme.example", gone.to_lowercase());
        it.agent.ok("add_project_member", json!({ "project": "Ember", "member": email, "roles": ["Project member"] })).await;
        it.agent.ok("delete_project", json!({ "project": gone })).await;
    }
    assert_eq!(it.sandbox.platform().projects.len(), 4);
    it.quirk(|it| it.token_update = TokenUpdate::Messages);
    let done = it.agent.ok("update_api_key", json!({ "project": "Atlas", "api_key": "pipeline", "description": "Maps" })).await;
    assert_eq!(done["after"]["description"], "Maps", "{done}");
    let made = it.agent.ok("create_api_key", json!({ "project": "Atlas", "name": "ci", "description": "Pipeline" })).await;
    assert_eq!(made["after"]["api_key"], "ci", "{made}");
}

#[tokio::test]
async fn failures_are_heard_in_every_shape_and_on_any_status() {
    let it = Geai::new().await;
    // A token that was blocked after the connection was made.
    it.sandbox.platform().tokens[0].status = "Blocked".into();
    let shapes = [
        Failures::Errors,
        Failures::ErrorsObject,
        Failures::Error,
        Failures::ErrorText,
        Failures::Message,
        Failures::MessageList,
        Failures::Text,
    ];
    for shape in shapes {
        it.quirk(|it| (it.failures, it.failures_with_200) = (shape, false));
        let refused = it.agent.fails("list_projects", json!({}), "unauthenticated").await;
        let words = if shape == Failures::Text { "the service answered 401" } else { "Unauthorized" };
        assert_eq!(refused["message"], words, "{shape:?}");
        it.quirk(|it| it.failures_with_200 = true);
        let code = match shape {
            Failures::Errors | Failures::ErrorsObject | Failures::Error => "unauthenticated",
            // Without a number there are only words.
            Failures::ErrorText | Failures::MessageList => "invalid_request",
            // No failure by its looks, and no answer either.
            Failures::Text => "unreadable_answer",
            Failures::Message => continue,
        };
        it.agent.fails("list_projects", json!({}), code).await;
    }
}

#[tokio::test]
async fn both_spellings_messages_and_scopes_are_understood() {
    let it = Geai::new().await;
    it.sandbox.platform().organizations[0].policies = None;
    for shape in [MessageShape::Object, MessageShape::Array] {
        it.quirk(|it| it.policies_message = shape);
        let none = it.agent.ok("get_runtime_policies", json!({})).await;
        assert_eq!(none["policies"], json!([]), "{none}");
        assert_eq!(none["note"], "Organization plugin-runtime-policies not defined. Individual policy will apply.", "{none}");
    }
    for scope in [OrganizationScope::Header, OrganizationScope::Query] {
        it.quirk(|it| it.organization_scope = scope);
        it.agent.ok("list_organization_members", json!({})).await;
    }
    it.quirk(|it| it.short_limits_key = true);
    let limits = it.agent.ok("list_usage_limits", json!({})).await;
    assert_eq!(limits["shown"], 1, "{limits}");
    it.quirk(|it| it.memberships_email = EmailFilter::UserEmail);
    let told = it.agent.ok("list_memberships", json!({ "email": "ana.ruiz@acme.example" })).await;
    assert_eq!(told["shown"], 1, "{told}");

    let it = Geai::with(system).await;
    for spelling in [Spelling::Short, Spelling::Long] {
        it.quirk(|it| (it.organization_items, it.one_page_of_nothing) = (spelling, true));
        let all = it.agent.ok("list_organizations", json!({})).await;
        assert_eq!(column(&all, "organization"), ["Northwind", "Acme"], "{spelling:?}");
    }
}

#[tokio::test]
async fn the_context_goes_with_every_request_and_the_target_beside_it() {
    let oauth = |it: Settings| Settings {
        token: MEMBER.into(),
        kind: rolecall::providers::geai::TokenKind::OAuth,
        project_id: Some(project(1)),
        organization_id: Some(organization(1)),
        ..it
    };
    let it = Geai::with(oauth).await;
    it.agent.ok("list_roles", json!({ "project": "Ember" })).await;
    for seen in it.sandbox.journal() {
        assert_eq!(seen.headers["projectid"], project(1), "{seen:?}");
        assert_eq!(seen.headers["organizationid"], organization(1), "{seen:?}");
    }
    assert!(it.requests().last().unwrap().ends_with(&format!("project-id: {}", project(5))));
    it.agent.ok("get_runtime_policies", json!({})).await;
    assert_eq!(it.requests().len(), 1, "the organization is known");
    let it = Geai::with(|it| Settings { project_id: None, organization_id: None, ..oauth(it) }).await;
    let missing = it.agent.fails("list_projects", json!({}), "invalid_request").await;
    assert!(missing["fix"].as_str().unwrap().contains("`project_id` of the connection"), "{missing}");
}

#[tokio::test]
async fn a_path_prefix_is_kept_and_a_redirect_is_not_followed() {
    let it = Geai::with(|mut it| {
        it.remote.base_url = format!("{}/platform", it.remote.base_url);
        it
    })
    .await;
    it.quirk(|it| it.path_prefix = Some("platform".into()));
    it.agent.ok("add_project_member", json!({ "project": "Ember", "member": "new@acme.example", "roles": ["Project member"] })).await;
    assert!(it.requests().iter().all(|it| it.contains(" /platform/v")));
    it.quirk(|it| it.redirect = Some(Redirect { to: "/platform/v1/organization/projects".into(), reads: false }));
    let before = it.state();
    it.agent.fails("delete_project", json!({ "project": "Ember" }), "redirected").await;
    assert_eq!(it.changes().len(), 1);
    assert_eq!(it.state(), before);
    it.quirk(|it| it.redirect = Some(Redirect { to: "/elsewhere".into(), reads: true }));
    it.agent.fails("list_projects", json!({}), "redirected").await;
    assert_eq!(it.requests().len(), 1);
}

#[tokio::test]
async fn reads_come_through_a_bad_moment() {
    let it = Geai::new().await;
    it.faults(&["429-bare:1@GET*1", "503:1@GET*1", "drop:1@GET*1", "html:1@GET*1"]);
    let list = it.agent.ok("list_projects", json!({})).await;
    assert_eq!(list["total"], 6, "{list}");
    it.faults(&["malformed:1@GET*1"]);
    it.agent.fails("list_projects", json!({}), "unreadable_answer").await;
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking() {
    for fault in ["drop:1@{}*1", "503-after:1@{}*1", "malformed:1@{}*1"] {
        let it = Geai::new().await;
        let after = |method: &str| it.faults(&[&fault.replace("{}", method)]);
        after("POST /v1/organization/project");
        let made = it.agent.ok("create_project", json!({ "name": "Granite", "admin_email": "ana.ruiz@acme.example" })).await;
        assert_eq!(made["after"]["project"], "Granite", "{fault}: {made}");
        after("PUT");
        it.agent.ok("update_project", json!({ "project": "Granite", "name": "Granit" })).await;
        after("POST /members");
        it.agent.ok("add_project_member", json!({ "project": "Granit", "member": "new@acme.example", "roles": ["Project member"] })).await;
        after("POST /tokens");
        let key = it.agent.ok("create_api_key", json!({ "project": "Granit", "name": "ci", "description": "Pipeline" })).await;
        assert!(key["secret"]["handed_to"].is_string(), "{fault}: {key}");
        after("POST /limits");
        let limit = json!({ "project": "Granit", "subscription_type": "Daily", "usage_unit": "Cost", "soft_limit": 1, "hard_limit": 2, "renewal": "Renewable" });
        it.agent.ok("set_usage_limit", limit).await;
        for (tool, rest) in [
            ("delete_api_key", json!({ "api_key": "ci" })),
            ("remove_project_member", json!({ "member": "new@acme.example" })),
            ("delete_project", json!({})),
        ] {
            after("DELETE");
            let mut arguments = rest;
            arguments["project"] = json!("Granit");
            it.agent.ok(tool, arguments).await;
        }
        assert!(it.sandbox.platform().invitations.iter().all(|it| it.count == 1), "{fault}");
    }
}

#[tokio::test]
async fn what_certainly_did_not_happen_is_told_so() {
    let it = Geai::new().await;
    it.faults(&["drop-before:1@PUT*1"]);
    it.agent.fails("update_project", json!({ "project": "Ember", "name": "Embers" }), "not_applied").await;
    // Of an invitation nobody can say that: it is in no list until it is accepted.
    it.faults(&["drop-before:1@POST*1"]);
    let op = json!({ "project": "Ember", "member": "new@acme.example", "roles": ["Project member"] });
    it.agent.fails("add_project_member", op, "outcome_unknown").await;
    assert_eq!(it.changes().len(), 2, "nothing is sent again");
}
