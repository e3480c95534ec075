//! OpenAI: what the service gets wrong, or leaves out, or has anew.

use rolecall_sandbox::openai::{Disguise, ErrorShape, Failure, ORDINARY_KEY, READING_KEY};

use crate::{
    support::{Agent, Options, Value, json},
    support_openai::{Company, each, settings},
};

fn failure(method: &str, status: u16) -> Failure {
    Failure { method: method.into(), status, ..Failure::default() }
}

#[tokio::test]
async fn every_shape_of_an_error_says_what_to_do_and_by_which_request_id() {
    let company = Company::new().await;
    for (shape, message) in [
        (ErrorShape::Object, "The default project cannot be modified."),
        (ErrorShape::Text, "The default project cannot be modified."),
        (ErrorShape::Flat, "The default project cannot be modified."),
        (ErrorShape::Html, "the service answered 400"),
        (ErrorShape::Empty, "the service answered 400"),
    ] {
        company.sandbox.platform().quirks.errors = shape;
        let error = company.agent.fails("update_project", json!({ "project": "Default project", "name": "x" }), "invalid_request").await;
        assert_eq!(error["message"], message, "{shape:?}");
        assert!(error["request_id"].as_str().unwrap().starts_with("req_"), "{error}");
    }
}

#[tokio::test]
async fn a_key_without_rights_is_told_which_it_lacks() {
    let company = Company::new().await;
    let url = company.sandbox.url.clone();
    let with =
        async |key: &str| Agent::connected(vec![rolecall::providers::openai::connect(settings(&url, key))], Options::default()).await;
    let error = with(READING_KEY).await.fails("create_team", json!({ "name": "x" }), "forbidden").await;
    assert_eq!(error["message"], "Not enough rights for this operation. Missing scopes: api.management.write.");
    assert_eq!(error["fix"], "use an admin key with these scopes: api.management.write; owners make one in the dashboard");
    with(ORDINARY_KEY).await.fails("list_projects", json!({}), "forbidden").await;
    let error = with("sk-admin-test-wrong").await.fails("list_projects", json!({}), "unauthenticated").await;
    assert!(!error.to_string().contains("sk-admin-test-wrong"), "{error}");
    let health = with(ORDINARY_KEY).await.ok("list_connections", json!({})).await;
    assert!(health["items"][0]["health"].as_str().unwrap().contains("Missing scopes"), "{health}");
}

#[tokio::test]
async fn organization_and_project_of_the_configuration_go_with_every_request() {
    let company = Company::new().await;
    let mut settings = settings(&company.sandbox.url, rolecall_sandbox::openai::ADMIN_KEY);
    settings.organization_id = Some("org-acme".into());
    settings.project_id = Some("proj_atlas".into());
    let agent = Agent::connected(vec![rolecall::providers::openai::connect(settings)], Options::default()).await;
    let made = agent.ok("create_team", json!({ "name": "Sailors" })).await;
    assert_eq!(made["target"]["organization"], "org-acme");
    for it in company.sandbox.journal() {
        let header = |name: &str| it.headers.get(name).map(String::as_str);
        assert_eq!((header("openai-organization"), header("openai-project"), it.authorized), (Some("org-acme"), Some("proj_atlas"), true));
        assert_eq!(header("content-type"), (it.method == "POST").then_some("application/json"));
    }
}

#[tokio::test]
async fn a_post_without_a_body_says_that_it_has_none() {
    let company = Company::new().await;
    company.change("archive_project", json!({ "project": "Atlas" })).await;
    let post = company.sandbox.journal().into_iter().find(|it| it.method == "POST").unwrap();
    assert_eq!((post.body.as_str(), post.headers.get("content-length").map(String::as_str)), ("", Some("0")));
}

#[tokio::test]
async fn reads_are_repeated_as_the_service_says() {
    let company = Company::new().await;
    let plan = |failures: Vec<Failure>| company.sandbox.platform().quirks.failures = failures.into();
    let attempts = || company.reads().len();
    // A 400 that says so is repeated, a 503 that says no is not.
    plan(vec![Failure { should_retry: Some(true), retry_after_ms: Some(1), ..failure("GET", 400) }]);
    company.look("list_projects", json!({})).await;
    assert_eq!(attempts(), 2);
    plan(vec![Failure { should_retry: Some(false), ..failure("GET", 503) }]);
    company.refused("list_projects", json!({}), "provider_failed").await;
    assert_eq!(attempts(), 1);
    plan(vec![Failure { retry_after_ms: Some(1), ..failure("GET", 503) }, Failure { retry_after_ms: Some(1), ..failure("GET", 429) }]);
    company.look("list_projects", json!({})).await;
    assert_eq!(attempts(), 3);
    // Who asks for more than two minutes is not waited for.
    plan(vec![Failure { retry_after: Some("121".into()), ..failure("GET", 503) }]);
    let error = company.refused("list_projects", json!({}), "provider_failed").await;
    assert_eq!((attempts(), error["retry_after_s"].as_u64()), (1, Some(121)));
}

#[tokio::test]
async fn a_change_is_repeated_after_a_429_and_after_nothing_else() {
    let company = Company::new().await;
    let plan = |failures: Vec<Failure>| company.sandbox.platform().quirks.failures = failures.into();
    plan(vec![Failure { retry_after_ms: Some(1), ..failure("POST", 429) }]);
    let (_, sent) = company.change("create_team", json!({ "name": "Sailors" })).await;
    assert_eq!(sent.len(), 2, "{sent:?}");
    plan(vec![Failure { should_retry: Some(true), ..failure("POST", 409) }]);
    company.sandbox.clear_journal();
    company.agent.fails("create_team", json!({ "name": "Others" }), "conflict").await;
    assert_eq!(company.writes().len(), 1);
}

/// Changes whose answers can be lost, in an order in which all of them are possible.
fn changes() -> Vec<(&'static str, Value)> {
    let in_atlas = |mut it: Value| {
        it["project"] = json!("Atlas");
        it
    };
    let linh = || in_atlas(json!({ "member": "linh.tran@acme.example" }));
    let with = |mut it: Value, field: &str, value: Value| {
        it[field] = value;
        it
    };
    vec![
        ("create_project", json!({ "name": "Tides" })),
        ("update_project", json!({ "project": "Tides", "name": "High tides", "external_key_id": "k" })),
        ("archive_project", json!({ "project": "High tides" })),
        ("invite_organization_member", json!({ "email": "new@acme.example" })),
        ("cancel_invitation", json!({ "invitation": "new@acme.example" })),
        ("update_organization_member", json!({ "member": "user-mei", "role": "owner" })),
        ("create_team", json!({ "name": "Sailors" })),
        ("update_team", json!({ "team": "Sailors", "name": "Old sailors" })),
        ("add_team_member", json!({ "team": "Old sailors", "member": "user-ana" })),
        ("add_project_team", in_atlas(json!({ "team": "Old sailors", "role": "member" }))),
        ("remove_project_team", in_atlas(json!({ "team": "Old sailors" }))),
        ("remove_team_member", json!({ "team": "Old sailors", "member": "user-ana" })),
        ("delete_team", json!({ "team": "Old sailors" })),
        ("create_role", in_atlas(json!({ "name": "watcher", "permissions": [] }))),
        ("update_role", in_atlas(json!({ "role": "watcher", "permissions": ["api.model.request"], "description": "x" }))),
        ("add_project_member", with(linh(), "roles", json!(["member"]))),
        ("assign_role", with(linh(), "role", json!("watcher"))),
        ("unassign_role", with(linh(), "role", json!("watcher"))),
        ("update_project_member", with(linh(), "role", json!("owner"))),
        ("remove_project_member", linh()),
        ("delete_role", in_atlas(json!({ "role": "watcher" }))),
        ("create_service_account", in_atlas(json!({ "name": "Bare", "without_key": true }))),
        ("update_service_account", in_atlas(json!({ "service_account": "Bare", "role": "member" }))),
        ("create_api_key", in_atlas(json!({ "service_account": "Bare", "name": "lost" }))),
        ("update_api_key", in_atlas(json!({ "api_key": "lost", "expires_in_seconds": 600 }))),
        ("delete_api_key", in_atlas(json!({ "api_key": "lost" }))),
        ("delete_service_account", in_atlas(json!({ "service_account": "Bare" }))),
        ("update_rate_limit", in_atlas(json!({ "model": "canvas-3", "max_images_per_1_minute": 7 }))),
        ("activate_certificates", in_atlas(json!({ "certificates": ["Spare"] }))),
        ("deactivate_certificates", in_atlas(json!({ "certificates": ["Spare"] }))),
        ("remove_organization_member", json!({ "member": "user-leo" })),
    ]
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking_and_nothing_is_sent_twice() {
    let company = Company::new().await;
    // It takes a while until a change is held to be lost, so that is waited for beside the others.
    let mut lost = tokio::task::JoinSet::new();
    for (tool, arguments) in changes() {
        lost.spawn(is_not_applied(company.copy().await, tool, arguments.clone()));
        // Taken in, and nothing came back.
        company.sandbox.set_faults(vec!["drop:1@POST*1".parse().unwrap(), "drop:1@DELETE*1".parse().unwrap()]);
        let (receipt, sent) = company.change(tool, arguments).await;
        assert_eq!((&receipt["status"], sent.len()), (&json!("done"), 1), "{tool}: {receipt} {sent:?}");
    }
    lost.join_all().await;
}

/// The connection ends before the service has seen the change: it is looked up, found not to have been made, and not repeated.
async fn is_not_applied(company: Company, tool: &str, arguments: Value) {
    let before = company.state();
    company.sandbox.set_faults(vec!["drop-before:1@POST*1".parse().unwrap(), "drop-before:1@DELETE*1".parse().unwrap()]);
    let error = company.agent.fails(tool, arguments, "not_applied").await;
    assert_eq!(company.writes().len(), 1, "{tool}: {error}");
    assert_eq!(company.state(), before, "{tool}");
}

#[tokio::test]
async fn optional_fields_may_be_missing_and_words_may_be_new() {
    for disguise in [Disguise::Sparse, Disguise::Novel] {
        let company = Company::new().await;
        company.sandbox.platform().quirks.disguise = disguise;
        for (tool, arguments) in [
            ("list_projects", json!({})),
            ("list_organization_members", json!({})),
            ("get_organization_member", json!({ "member": "mei.tanaka@acme.example" })),
            ("list_project_memberships", json!({ "email": "mei.tanaka@acme.example" })),
            ("list_invitations", json!({})),
            ("list_teams", json!({})),
            ("list_team_members", json!({ "team": "Reviewers" })),
            ("list_project_members", json!({ "project": "proj_atlas" })),
            ("list_project_teams", json!({ "project": "proj_atlas" })),
            ("list_roles", json!({ "project": "proj_atlas" })),
            ("list_role_assignments", json!({ "project": "proj_atlas", "member": "user-chidi" })),
            ("list_service_accounts", json!({ "project": "proj_atlas" })),
            ("list_api_keys", json!({ "project": "proj_atlas" })),
            ("list_rate_limits", json!({ "project": "proj_atlas" })),
            ("list_certificates", json!({})),
        ] {
            let (answer, _) = company.look(tool, arguments).await;
            assert!(answer.get("items").is_none_or(|it| !it.as_array().unwrap().is_empty()), "{tool} {disguise:?}: {answer}");
        }
        let (joined, _) = company
            .change("add_project_member", json!({ "project": "proj_atlas", "member": "linh.tran@acme.example", "roles": ["member"] }))
            .await;
        assert_eq!(joined["status"], "done");
        let (projects, _) = company.look("list_projects", json!({})).await;
        let named = if disguise == Disguise::Sparse { "proj_atlas" } else { "Atlas" };
        assert!(each(&projects, "project").contains(&named.to_owned()), "{projects}");
    }
}
