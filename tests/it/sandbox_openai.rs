//! The sandbox of OpenAI's service, where official clients do not reach: what it refuses.

use rolecall_sandbox::{
    self as sandbox, Platform as _, Sandbox, Seed,
    openai::{ADMIN_KEY, Disguise, ErrorShape, Failure, ORDINARY_KEY, Openai, READING_KEY},
};

use crate::support::{Value, http_client, json};

async fn start() -> Sandbox<Openai> {
    sandbox::start(Openai::seeded(Seed::Acme), sandbox::Options::default()).await.unwrap()
}

/// Status, request id and body of an answer.
async fn ask(at: &Sandbox<Openai>, key: &str, method: &str, path: &str, body: Option<&str>) -> (u16, String, Value) {
    let request = http_client().request(method.parse().unwrap(), format!("{}/v1{path}", at.url)).bearer_auth(key);
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_owned()),
        None => request,
    };
    let answer = request.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), id, answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn what_the_service_does_not_know_is_refused_and_changes_nothing() {
    let at = start().await;
    let state = || {
        let mut state = serde_json::to_value(&*at.platform()).unwrap();
        state.as_object_mut().unwrap().remove("number");
        state
    };
    let before = state();
    for (method, path, body, status, param) in [
        ("POST", "/organization/projects", r#"{"name":"x","colour":"red"}"#, 400, "colour"),
        ("POST", "/organization/projects", r#"{"name":7}"#, 400, "name"),
        ("POST", "/organization/projects", r#"{"name":""}"#, 400, "name"),
        ("POST", "/organization/projects", "{}", 400, ""),
        ("POST", "/organization/projects", "", 400, ""),
        ("POST", "/organization/projects", r#"{"name":"x","residency":"MOON"}"#, 400, "residency"),
        ("POST", "/organization/projects/proj_atlas/archive", r#"{"now":true}"#, 400, "now"),
        ("POST", "/organization/projects/proj_none/archive", "", 404, ""),
        ("POST", "/organization/projects/proj_atlas/users", r#"{"role":"viewer","user_id":"user-ravi"}"#, 400, "role"),
        (
            "POST",
            "/organization/projects/proj_atlas/users",
            r#"{"role":"member","user_id":"user-ravi","email":"a@b.example"}"#,
            400,
            "user_id",
        ),
        ("POST", "/organization/projects/proj_atlas/users/user-ana/roles", r#"{"role_id":"role_key_master"}"#, 404, ""),
        ("POST", "/projects/proj_atlas/users", r#"{"role":"member","user_id":"user-ravi"}"#, 404, ""),
        ("POST", "/organization/projects/proj_atlas/api_keys/key_ana_laptop", r#"{"scopes":null}"#, 400, "scopes"),
        (
            "POST",
            "/organization/projects/proj_atlas/rate_limits/rl-canvas-3",
            r#"{"max_images_per_1_minute":null}"#,
            400,
            "max_images_per_1_minute",
        ),
        ("POST", "/organization/projects/proj_atlas/service_accounts", r#"{"name":"x","expires_in_seconds":0}"#, 400, "expires_in_seconds"),
        (
            "POST",
            "/organization/invites",
            r#"{"email":"a@b.example","role":"reader","projects":[{"id":"proj_regatta","role":"member"}]}"#,
            400,
            "projects",
        ),
        ("POST", "/organization/invites", r#"{"email":"a@b.example","role":"reader","projects":null}"#, 400, "projects"),
        ("POST", "/organization/groups/group_engineering", r#"{"name":"x"}"#, 403, ""),
        ("POST", "/organization/certificates/activate", r#"{"certificate_ids":[]}"#, 400, "certificate_ids"),
        ("POST", "/organization/certificates/activate", r#"{"certificate_ids":["cert_spare","cert_none"]}"#, 404, ""),
        ("PATCH", "/organization/projects/proj_atlas", r#"{"name":"x"}"#, 404, ""),
        ("GET", "/organization/projects?limit=101", "", 400, "limit"),
        ("GET", "/organization/projects?limit=0", "", 400, "limit"),
        ("GET", "/organization/projects?after=proj_none", "", 400, "after"),
        ("GET", "/organization/projects?order=asc", "", 400, "order"),
        ("GET", "/organization/groups?after=group_crew", "", 400, "after"),
        ("GET", "/organization/groups/", "", 404, ""),
        ("GET", "/organization/certificates/cert_spare?include[]=key", "", 400, "include"),
        ("GET", "/organization/audit_logs?tenant_only=true&event_types[]=project.created", "", 400, "event_types"),
    ] {
        let (seen, _, answer) = ask(&at, ADMIN_KEY, method, path, Some(body).filter(|it| !it.is_empty())).await;
        assert_eq!(seen, status, "{method} {path} {body}: {answer}");
        let error = answer["error"].as_object().unwrap();
        assert_eq!(error.keys().collect::<Vec<_>>(), ["message", "type", "param", "code"]);
        assert_eq!(error["param"].as_str().unwrap_or_default(), param, "{method} {path} {body}: {answer}");
    }
    assert_eq!(state(), before);
}

#[tokio::test]
async fn keys_open_what_they_are_for() {
    let at = start().await;
    let post = Some(r#"{"name":"x"}"#);
    let (status, _, answer) = ask(&at, READING_KEY, "POST", "/organization/groups", post).await;
    assert_eq!(
        (status, answer["error"].as_str()),
        (403, Some("Not enough rights for this operation. Missing scopes: api.management.write."))
    );
    assert_eq!(ask(&at, READING_KEY, "GET", "/organization/groups", None).await.0, 200);
    assert_eq!(ask(&at, ORDINARY_KEY, "GET", "/organization/groups", None).await.0, 403);
    let (status, _, answer) = ask(&at, "sk-admin-test-other", "GET", "/organization/groups", None).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (401, Some("invalid_api_key")));
    assert!(!serde_json::to_string(&at.journal()).unwrap().contains(ADMIN_KEY));
}

#[tokio::test]
async fn switches_bend_answers() {
    let at = start().await;
    let (_, first, _) = ask(&at, ADMIN_KEY, "GET", "/organization/projects", None).await;
    let (_, second, _) = ask(&at, ADMIN_KEY, "GET", "/organization/projects", None).await;
    assert_ne!(first, second);
    for (shape, wanted) in [
        (ErrorShape::Text, json!({ "error": "No project found with id 'proj_none'." })),
        (ErrorShape::Flat, json!({ "code": 404, "message": "No project found with id 'proj_none'." })),
        (ErrorShape::Html, Value::Null),
        (ErrorShape::Empty, Value::Null),
    ] {
        at.platform().quirks.errors = shape;
        let (status, _, answer) = ask(&at, ADMIN_KEY, "GET", "/organization/projects/proj_none", None).await;
        assert_eq!((status, answer), (404, wanted), "{shape:?}");
    }
    at.platform().quirks.disguise = Disguise::Sparse;
    let (_, _, sparse) = ask(&at, ADMIN_KEY, "GET", "/organization/projects/proj_atlas", None).await;
    assert_eq!(sparse.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "object", "created_at"]);
    at.platform().quirks.disguise = Disguise::Novel;
    let (_, _, novel) = ask(&at, ADMIN_KEY, "GET", "/organization/projects/proj_atlas", None).await;
    assert_eq!((&novel["residency"], novel.get("x_novel").is_some()), (&json!("MOON_STORAGE"), true));
    at.platform().quirks.failures.push_back(Failure { status: 500, should_retry: Some(false), ..Failure::default() });
    assert_eq!(ask(&at, ADMIN_KEY, "GET", "/organization/projects", None).await.0, 500);
    assert_eq!(ask(&at, ADMIN_KEY, "GET", "/organization/projects", None).await.0, 200);
}

#[tokio::test]
async fn the_state_survives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let options = || sandbox::Options { state: Some(folder.path().join("state.json")), ..sandbox::Options::default() };
    let at = sandbox::start(Openai::seeded(Seed::Empty), options()).await.unwrap();
    let (_, _, made) = ask(&at, ADMIN_KEY, "POST", "/organization/groups", Some(r#"{"name":"Sailors"}"#)).await;
    let before = serde_json::to_value(&*at.platform()).unwrap();
    drop(at);
    let at = sandbox::start(Openai::seeded(Seed::Acme), options()).await.unwrap();
    assert_eq!(serde_json::to_value(&*at.platform()).unwrap(), before);
    let (_, _, groups) = ask(&at, ADMIN_KEY, "GET", "/organization/groups", None).await;
    assert_eq!(groups["data"], json!([made]));
}
