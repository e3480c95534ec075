//! How a connection to the Engine signs in and stays signed in, and where its calls go.

use rolecall::providers::engine::Identity;
use rolecall_sandbox::engine::Quirks;

use crate::{
    support::{Value, json},
    support_engine::Stage,
};

/// The calls that fetch tokens, with their bodies.
fn signing_in(stage: &Stage) -> Vec<(String, Value)> {
    let journal = stage.sandbox.journal();
    stage.sandbox.clear_journal();
    let ours = journal.iter().filter(|it| it.target.contains("/users:"));
    ours.map(|it| {
        assert!(!it.authorized, "{it:?}");
        (it.target.clone(), serde_json::from_str(&it.body).unwrap())
    })
    .collect()
}

#[tokio::test]
async fn a_custom_token_signs_in_once_for_many_calls() {
    let stage = Stage::new().await;
    let calls = (0..20).map(|_| stage.agent.ok("list_organizations", json!({})));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers[19]["total"], 3);
    let body = json!({ "token": "engine-test-custom-token-1" });
    assert_eq!(signing_in(&stage), [("/api/v1/users:signInWithCustomToken".to_owned(), body)]);
}

#[tokio::test]
async fn an_e_mail_and_a_password_sign_in_too() {
    let stage = Stage::with(Quirks::default(), |it| {
        let password = "engine-test-password-1".into();
        it.identity = Identity::Email { email: "ada@northwind.example".into(), password };
    })
    .await;
    assert_eq!(stage.agent.ok("list_organizations", json!({})).await["total"], 3);
    let body = json!({ "email": "ada@northwind.example", "password": "engine-test-password-1" });
    assert_eq!(signing_in(&stage), [("/api/v1/users:signInWithEmail".to_owned(), body)]);
}

#[tokio::test]
async fn an_expired_token_is_refreshed_once_for_all_that_wait() {
    let stage = Stage::new().await;
    stage.agent.ok("list_organizations", json!({})).await;
    for round in 1..=2 {
        stage.sandbox.clear_journal();
        stage.sandbox.platform().expire_tokens();
        let calls = (0..20).map(|_| stage.agent.ok("list_organizations", json!({})));
        futures_util::future::join_all(calls).await;
        // The refresh token of the reply before: each is good for one refresh.
        let body = json!({ "refresh_token": format!("engine-test-refresh-{}", 100 + round) });
        assert_eq!(signing_in(&stage), [("/api/v1/users:refreshToken".to_owned(), body)], "round {round}");
    }
}

#[tokio::test]
async fn where_refreshing_fails_it_signs_in_again() {
    let stage = Stage::new().await;
    stage.agent.ok("list_organizations", json!({})).await;
    stage.sandbox.clear_journal();
    stage.sandbox.platform().end_sessions();
    assert_eq!(stage.agent.ok("list_organizations", json!({})).await["total"], 3);
    let paths: Vec<String> = signing_in(&stage).into_iter().map(|it| it.0).collect();
    assert_eq!(paths, ["/api/v1/users:refreshToken", "/api/v1/users:signInWithCustomToken"]);

    // A change is sent again with the new token, since the service took nothing in.
    stage.sandbox.platform().expire_tokens();
    stage.agent.ok("create_project", json!({ "name": "Routing", "organization": "Acme Research" })).await;
    let made = stage.sandbox.platform().projects.iter().filter(|it| it.name == "Routing").count();
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_refused_sign_in_says_so_and_repeats_no_secret() {
    let wrong = |it: &mut rolecall::providers::engine::Settings| it.identity = Identity::CustomToken("engine-test-wrong".into());
    let stage = Stage::with(Quirks::default(), wrong).await;
    let answer = stage.agent.fails("list_organizations", json!({}), "unauthenticated").await;
    let message = "custom token [redacted] is not valid (INVALID_CUSTOM_TOKEN)";
    let fix = "the key of connection `lab` is not accepted: put a valid one in place, see `rolecall doctor`";
    assert_eq!(answer, json!({ "code": "unauthenticated", "message": message, "fix": fix, "retryable": false }));
    let health = stage.agent.ok("list_connections", json!({})).await["items"][0]["health"].clone();
    assert_eq!(health, format!("{message}; {fix}"));
}

#[tokio::test]
async fn every_path_can_be_configured() {
    let stage = Stage::with(Quirks::default(), |it| {
        it.remote.base_url.push_str("/api");
        for (name, path) in rolecall::providers::engine::PATHS {
            it.paths.insert(name.to_owned(), path.trim_start_matches("/api").to_owned());
        }
    })
    .await;
    stage.agent.ok("get_organization_member", json!({ "member": "u-5", "organization": "o-2" })).await;
    stage.agent.ok("add_project_member", json!({ "project": "p-2", "member": "u-6", "roles": ["viewer"] })).await;
    assert_eq!(
        stage.asked(),
        [
            "GET orgs",
            "GET orgs/o-2/users",
            "GET orgs/o-2/users/u-5",
            "GET orgs",
            "GET orgs/o-1/projects",
            "GET orgs/o-2/projects",
            "GET orgs/o-3/projects",
            "GET projects",
            "GET configs",
            "GET orgs/o-2/users",
            "GET projects/p-2/users",
            "POST projects/p-2/users"
        ]
    );
}
