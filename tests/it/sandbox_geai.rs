//! The sandbox of Globant Enterprise AI, where the vendor's own package does not reach: strictness, faults, its other faces.

use reqwest::{Method, StatusCode, header};
use rolecall_sandbox::{self as sandbox, Options, Platform as _, Seed, geai::Geai};

use crate::{
    lab::service,
    support::{Value, http_client, json},
    support_geai::{MEMBER, SYSTEM, TOKEN, organization, project},
};

const PROVISIONING: &str = "geai-test-oauth-provisioning-4e5f6a7b8c9d";
const PROJECT_TOKEN: &str = "geai-test-project-atlas-pipeline-0a1b2c3d";

/// A request with these headers; the body goes as JSON.
async fn send(url: &str, method: Method, path: &str, token: &str, headers: &[(&str, &str)], body: Option<Value>) -> (u16, Value) {
    let mut request = http_client().request(method, format!("{url}{path}")).header(header::AUTHORIZATION, format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

fn text(answer: &Value) -> &str {
    answer["errors"][0]["description"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_token_reaches_what_its_kind_reaches() {
    let it = service::<Geai>().await;
    let atlas = project(1);
    let context = [("ProjectId", atlas.as_str())];
    let (admin, projects) = ("/v2/admin/organizations", "/v1/organization/projects");
    for (path, token, headers, expected) in [
        (projects, TOKEN, &[][..], (200, "")),
        (projects, PROJECT_TOKEN, &[], (403, "Token out of scope")),
        (projects, "geai-test-wrong", &[], (401, "Unauthorized")),
        (projects, "geai-test-project-atlas-notebook-4e5f6a7b", &[], (401, "Unauthorized")),
        (projects, MEMBER, &[], (400, "Input data is missing (required %1) ProjectId")),
        (projects, MEMBER, &context, (200, "")),
        (admin, TOKEN, &[], (401, "Access token not found, login again")),
        (admin, MEMBER, &context, (403, "Forbidden")),
        (admin, SYSTEM, &context, (200, "")),
        (projects, TOKEN, &[("OrganizationId", "another")], (403, "Organization or Project mismatch: verify the provided authorization")),
    ] {
        let (status, answer) = send(&it.url, Method::GET, path, token, headers, None).await;
        assert_eq!((status, text(&answer)), expected, "{path} {headers:?}");
    }
    it.platform().quirks.memberships_restricted = true;
    for (token, expected) in [(TOKEN, 403), (MEMBER, 403), (PROVISIONING, 200), (SYSTEM, 200)] {
        let (status, _) = send(&it.url, Method::GET, "/v2/accessControl/memberships", token, &context, None).await;
        assert_eq!(status, expected, "{token}");
    }
}

#[tokio::test]
async fn a_request_that_the_service_would_refuse_is_refused_and_changes_nothing() {
    let it = service::<Geai>().await;
    let before = serde_json::to_value(&*it.platform()).unwrap();
    let (atlas, limits) = (project(1), format!("/v2/usageLimits/organizations/{}/limits", organization(1)));
    let target = [("project-id", atlas.as_str())];
    let members = "/v2/accessControl/projects/members";
    let limit = |kind: &str, renewal: &str| {
        Some(json!({ "subscriptionType": kind, "usageUnit": "Cost", "softLimit": 1, "hardLimit": 2, "renewalStatus": renewal }))
    };
    for (method, path, headers, body, expected) in [
        (
            Method::POST,
            "/v1/organization/project",
            &[][..],
            Some(json!({ "name": "New" })),
            (400, "Input data is missing (required %1) administratorUserEmail"),
        ),
        (
            Method::POST,
            "/v1/organization/project",
            &[],
            Some(json!({ "name": "a/b", "administratorUserEmail": "a@b.example" })),
            (400, "Invalid project name"),
        ),
        (
            Method::POST,
            members,
            &target,
            Some(json!({ "userEmail": "ana", "roles": ["Project member"] })),
            (400, "Field userEmail is not valid"),
        ),
        (
            Method::POST,
            members,
            &target,
            Some(json!({ "userEmail": "a@b.example", "roles": "Project member" })),
            (400, "Input data is missing (required %1) roles"),
        ),
        (Method::POST, members, &target, Some(json!({ "userEmail": "a@b.example", "roles": ["King"] })), (400, "Role 'King' not found")),
        (
            Method::POST,
            members,
            &[],
            Some(json!({ "userEmail": "a@b.example", "roles": ["Project member"] })),
            (403, "Organization or Project mismatch: verify the provided authorization"),
        ),
        (
            Method::POST,
            &limits,
            &[],
            limit("Freemium", "Renewable"),
            (400, "renewalStatus must be NonRenewable for a Freemium subscription"),
        ),
        (Method::POST, &limits, &[], limit("Yearly", "Renewable"), (400, "Field subscriptionType is out of range")),
        (Method::POST, members, &target, None, (415, "Unsupported Media Type")),
        (Method::GET, "/v2/accessControl/nothing", &[], None, (404, "Bad Endpoint")),
        (Method::PATCH, members, &target, None, (405, "Method Not Allowed")),
        (
            Method::DELETE,
            "/v2/accessControl/projects/Helpdesk/members/ana.ruiz@acme.example",
            &[],
            None,
            (403, "Organization or Project mismatch: verify the provided authorization"),
        ),
    ] {
        let (status, answer) = send(&it.url, method, path, TOKEN, headers, body).await;
        assert_eq!((status, text(&answer)), expected, "{path}");
    }
    assert_eq!(serde_json::to_value(&*it.platform()).unwrap(), before);
}

#[tokio::test]
async fn every_mail_counts_and_a_whole_domain_can_be_let_in() {
    let it = service::<Geai>().await;
    let ember = project(5);
    for email in ["new@acme.example", "New@acme.example", "all-members@acme.example"] {
        let body = json!({ "userEmail": email, "roles": ["Project member"] });
        let sent = send(&it.url, Method::POST, "/v2/accessControl/projects/members", TOKEN, &[("project-id", &ember)], Some(body)).await;
        assert_eq!(sent.0, 200, "{sent:?}");
    }
    let platform = it.platform();
    let mails: Vec<_> = platform.invitations.iter().map(|it| (it.email.as_str(), it.count)).collect();
    assert_eq!(mails, [("new@acme.example", 2), ("all-members@acme.example", 1)]);
    let ember = platform.projects.iter().find(|it| it.id == ember).unwrap();
    // Everybody of the domain, the new one and the entry for all of them.
    assert_eq!(ember.seats.len(), 31 + 2);
}

#[tokio::test]
async fn the_state_outlives_the_process_and_the_environment_leads_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { state: Some(folder.path().join("state.json")), ..Options::default() };
    let first = sandbox::start(Geai::seeded(Seed::Empty), options()).await.unwrap();
    let body = json!({ "name": "Kept", "administratorUserEmail": "helena.brandt@acme.example", "description": null });
    let (status, _) = send(&first.url, Method::POST, "/v1/organization/project", TOKEN, &[], Some(body)).await;
    assert_eq!(status, 200);
    drop(first);
    let second = sandbox::start(Geai::seeded(Seed::Acme), options()).await.unwrap();
    let names: Vec<String> = second.platform().projects.iter().map(|it| it.name.clone()).collect();
    assert_eq!(names, ["Default", "Kept"]);
    let environment = second.platform().environment(&second.url);
    let names: Vec<_> = environment.iter().map(|it| it.0).collect();
    assert_eq!(names[..2], ["GEAI_API_KEY", "GEAI_API_BASE_URL"]);
    let token = &environment[0].1;
    let answer = http_client().get(format!("{}/v1/organization/projects", second.url)).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}
