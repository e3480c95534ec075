//! The Engine's sandbox, call by call over plain HTTP: there is no official client to drive it with.

use reqwest::{Client, Method};
use rolecall_sandbox::{
    self as sandbox, Options, Platform as _, Sandbox, Seed,
    engine::{Engine, Gateway, Quirks},
};

use crate::support::{Value, json};

/// A client that has signed in.
struct Caller {
    http: Client,
    url: String,
    token: String,
}

async fn service() -> Sandbox<Engine> {
    sandbox::start(Engine::seeded(Seed::Acme), Options::default()).await.unwrap()
}

/// A client; the first of them chooses what encrypts, though nothing here is encrypted.
fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}

/// Ada, who owns `o-1` and `o-2` and views `o-3`, unless another number is given.
async fn signed_in(service: &Sandbox<Engine>, number: u32) -> Caller {
    let mut caller = Caller { http: client(), url: service.url.clone(), token: String::new() };
    let token = json!({ "token": format!("engine-test-custom-token-{number}") });
    let (status, reply) = caller.post("users:signInWithCustomToken", token).await;
    assert_eq!(status, 200, "{reply}");
    reply["token"].as_str().unwrap().clone_into(&mut caller.token);
    caller
}

impl Caller {
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}/api/v1/{path}", self.url));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, Some(body)).await
    }

    async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::PUT, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        self.send(Method::DELETE, path, None).await
    }

    /// The gRPC code of a refused call.
    async fn refused(&self, method: Method, path: &str, body: Option<Value>) -> u64 {
        let (status, reply) = self.send(method, path, body).await;
        let code = reply["code"].as_u64().unwrap_or_else(|| panic!("{path} answered {status} {reply}"));
        let expected = match code {
            3 | 9 => 400,
            16 => 401,
            7 => 403,
            5 => 404,
            6 => 409,
            _ => 500,
        };
        assert_eq!(status, expected, "{reply}");
        code
    }
}

/// What the service holds, to see that nothing has changed.
fn held(service: &Sandbox<Engine>) -> Value {
    let platform = service.platform();
    json!([platform.accounts, platform.orgs, platform.projects])
}

#[tokio::test]
async fn a_member_is_written_in_the_spelling_of_the_gateway() {
    let member = json!({ "user_id": "u-9", "role_id": "r-viewer" });
    let older = service().await;
    let (status, reply) = signed_in(&older, 1).await.post("orgs/o-1/users", member.clone()).await;
    let user = json!({ "id": "u-9", "display_name": "Lin", "email": "lin@northwind.example" });
    assert_eq!((status, reply), (200, json!({ "user": user, "role": "Organization Viewer" })));

    let newer = service().await;
    newer.platform().quirks.gateway = Gateway::Newer;
    let (status, reply) = signed_in(&newer, 1).await.post("orgs/o-1/users", member).await;
    let user = json!({ "id": "u-9", "displayName": "Lin", "email": "lin@northwind.example", "photoUrl": "", "phone": "", "status": "" });
    assert_eq!((status, reply), (200, json!({ "user": user, "role": "Organization Viewer" })));
}

#[tokio::test]
async fn members_and_external_users_are_listed_apart() {
    let service = service().await;
    let caller = signed_in(&service, 1).await;
    let ada = json!({ "id": "u-1", "display_name": "Ada", "email": "ada@northwind.example" });
    let eve = json!({ "id": "u-3", "display_name": "Eve", "email": "eve@elsewhere.example" });
    let listed = json!({ "orgUsers": [{ "user": ada, "role": "Organization Owner" }], "externalUsers": [{ "user": eve }] });
    assert_eq!(caller.get("orgs/o-1/users").await, (200, listed));

    service.platform().quirks = Quirks { role_as_id: true, external_flag: true, ..Quirks::default() };
    let (_, listed) = caller.get("orgs/o-1/users").await;
    assert_eq!((&listed["orgUsers"][0]["role"], &listed["externalUsers"][0]["external"]), (&json!("r-owner"), &json!(true)));
    assert_eq!(caller.refused(Method::GET, "orgs/o-1/users/u-3", None).await, 5);
}

#[tokio::test]
async fn a_subscribed_organization_is_not_deleted() {
    let service = service().await;
    service.platform().quirks.debug_info = false;
    let caller = signed_in(&service, 1).await;
    let (before, message) = (held(&service), "organization has an active subscription");
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACTIVE_SUBSCRIPTION", "domain": "api.aiaengine.com", "metadata": {},
    });
    let newer = json!({ "code": 9, "message": message, "details": [info] });
    let older = json!({ "code": 9, "message": message, "details": [info], "error": message });
    assert_eq!(caller.delete("orgs/o-1").await, (400, older));
    service.platform().quirks.gateway = Gateway::Newer;
    assert_eq!(caller.delete("orgs/o-1").await, (400, newer));
    assert_eq!(held(&service), before);

    service.platform().orgs[0].subscription = None;
    assert_eq!(caller.delete("orgs/o-1").await, (200, json!({})));
    assert_eq!(caller.refused(Method::GET, "orgs/o-1", None).await, 5);
    assert_eq!(caller.refused(Method::GET, "projects/p-1", None).await, 5);
    // The subscription that `o-3` names has ended.
    let owner = signed_in(&service, 7).await;
    assert_eq!(owner.delete("orgs/o-3").await, (200, json!({})));
}

#[tokio::test]
async fn tokens_are_had_and_refreshed_and_expire() {
    let service = service().await;
    let mut caller = Caller { http: client(), url: service.url.clone(), token: String::new() };
    let wrong = json!({ "email": "ada@northwind.example", "password": "engine-test-wrong" });
    assert_eq!(caller.refused(Method::POST, "users:signInWithEmail", Some(wrong)).await, 16);
    let other = json!({ "token": "engine-test-other" });
    assert_eq!(caller.refused(Method::POST, "users:signInWithCustomToken", Some(other)).await, 16);
    assert_eq!(caller.refused(Method::GET, "orgs", None).await, 16);

    let right = json!({ "email": "Ada@northwind.example", "password": "engine-test-password-1" });
    let (_, first) = caller.post("users:signInWithEmail", right).await;
    assert_eq!(first["expires_in"], "3600");
    caller.token = first["token"].as_str().unwrap().to_owned();
    assert_eq!(caller.get("orgs").await.0, 200);
    service.platform().expire_tokens();
    assert_eq!(caller.refused(Method::GET, "orgs", None).await, 16);

    let (_, second) = caller.post("users:refreshToken", json!({ "refresh_token": first["refresh_token"] })).await;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let again = json!({ "refresh_token": first["refresh_token"] });
    assert_eq!(caller.refused(Method::POST, "users:refreshToken", Some(again)).await, 16);
    caller.token = second["token"].as_str().unwrap().to_owned();
    service.platform().quirks.token_uses = Some(2);
    assert_eq!((caller.get("orgs").await.0, caller.get("orgs").await.0, caller.get("orgs").await.0), (200, 200, 401));

    service.platform().end_sessions();
    let last = json!({ "refresh_token": second["refresh_token"] });
    assert_eq!(caller.refused(Method::POST, "users:refreshToken", Some(last)).await, 16);
}

#[tokio::test]
async fn an_organization_is_created_read_and_changed() {
    let service = service().await;
    let caller = signed_in(&service, 1).await;
    let (_, listed) = caller.get("orgs").await;
    let names: Vec<_> = listed["orgs"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Northwind Analytics", "Acme Research", "Acme Labs"]);

    let (_, made) =
        caller.post("orgs", json!({ "name": "Acme Pilots", "description": "Trials", "logo_url": "https://acme.example/logo.png" })).await;
    let by = json!({ "timestamp": "1700000060", "by": { "id": "u-1", "name": "Ada" } });
    let expected = json!({
        "id": made["id"], "name": "Acme Pilots", "description": "Trials", "logo_url": "https://acme.example/logo.png",
        "stats": { "members": "1" }, "audit": { "created": by, "updated": by },
    });
    assert_eq!(made, expected);
    let path = format!("orgs/{}", made["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await, (200, expected));

    // Fields carry no presence: what is left out arrives as "".
    let (_, changed) = caller.put(&path, json!({ "name": "Acme Trials" })).await;
    assert_eq!((&changed["name"], changed.get("description"), changed.get("logo_url")), (&json!("Acme Trials"), None, None));
    service.platform().quirks.gateway = Gateway::Newer;
    let (_, changed) = caller.put(&path, json!({ "name": "Acme Trials", "logoUrl": "https://acme.example/logo.png" })).await;
    assert_eq!(
        (&changed["description"], &changed["logoUrl"], &changed["subscriptionId"]),
        (&json!(""), &json!("https://acme.example/logo.png"), &json!(""))
    );

    for body in [json!({ "description": "no name" }), json!({ "name": "x", "slug": "x" }), json!({ "name": 3 }), json!([])] {
        assert_eq!(caller.refused(Method::PUT, &path, Some(body)).await, 3);
    }
}

#[tokio::test]
async fn only_owners_change_an_organization_and_its_people() {
    let service = service().await;
    let (editor, viewer, stranger) = (signed_in(&service, 4).await, signed_in(&service, 5).await, signed_in(&service, 9).await);
    let before = held(&service);
    let member = json!({ "user_id": "u-9", "role_id": "r-viewer" });
    for caller in [&editor, &viewer, &stranger] {
        for (method, path, body) in [
            (Method::PUT, "orgs/o-2", Some(json!({ "name": "Mine" }))),
            (Method::DELETE, "orgs/o-2", None),
            (Method::POST, "orgs/o-2/users", Some(member.clone())),
            (Method::DELETE, "orgs/o-2/users/u-6", None),
            (Method::GET, "orgs/o-2/usageSummaries", None),
            (Method::POST, "users", Some(json!({ "email": "new@acme.example", "name": "New" }))),
        ] {
            assert_eq!(caller.refused(method, path, body).await, 7, "{path}");
        }
    }
    assert_eq!(stranger.refused(Method::GET, "orgs/o-2/users", None).await, 7);
    assert_eq!(held(&service), before);
    assert_eq!(viewer.get("orgs/o-2/users/u-4").await.1["role"], "Organization Editor");

    let project = json!({ "name": "Routing", "description": "Trucks", "org_id": "o-2" });
    assert_eq!(viewer.refused(Method::POST, "projects", Some(project.clone())).await, 7);
    let (status, made) = editor.post("projects", project).await;
    assert_eq!((status, &made["org"]), (200, &json!({ "id": "o-2", "name": "Acme Research" })));
}

#[tokio::test]
async fn a_member_is_added_once_and_the_last_owner_stays() {
    let service = service().await;
    let caller = signed_in(&service, 1).await;
    assert_eq!(caller.get("users?email=jonas.weber%2Bengine@acme.example").await.1["id"], "u-8");
    assert_eq!(caller.refused(Method::GET, "users?email=nobody@acme.example", None).await, 5);
    let before = held(&service);
    for (body, code) in [
        (json!({ "user_id": "u-9", "role_id": "OrgViewer" }), 3),
        (json!({ "user_id": "u-9", "role_id": "r-project-viewer" }), 3),
        (json!({ "user_id": "u-9" }), 3),
        (json!({ "user_id": "u-99", "role_id": "r-viewer" }), 5),
        (json!({ "user_id": "u-5", "role_id": "r-editor" }), 6),
    ] {
        assert_eq!(caller.refused(Method::POST, "orgs/o-2/users", Some(body)).await, code);
    }
    assert_eq!(caller.refused(Method::DELETE, "orgs/o-1/users/u-1", None).await, 9);
    assert_eq!(caller.refused(Method::DELETE, "orgs/o-1/users/u-3", None).await, 5);
    assert_eq!(held(&service), before);

    // Two owners: one may go. Who keeps a place in a project is an external user from then on.
    assert_eq!(caller.delete("orgs/o-2/users/u-2").await, (200, json!({})));
    let (_, left) = caller.get("orgs/o-2/users").await;
    let external: Vec<_> = left["externalUsers"].as_array().unwrap().iter().map(|it| it["user"]["id"].as_str().unwrap()).collect();
    assert_eq!(external, ["u-10", "u-2"]);
}

#[tokio::test]
async fn an_account_can_be_made_without_a_membership() {
    let service = service().await;
    let caller = signed_in(&service, 1).await;
    let (status, made) = caller.post("users", json!({ "email": "mei@acme.example", "name": "Mei Tanaka" })).await;
    assert_eq!((status, &made), (200, &json!({ "id": made["id"], "display_name": "Mei Tanaka", "email": "mei@acme.example" })));
    for (body, code) in [
        (json!({ "email": "MEI@acme.example", "name": "Mei" }), 6),
        (json!({ "email": "mei", "name": "Mei" }), 3),
        (json!({ "email": "other@acme.example" }), 3),
    ] {
        assert_eq!(caller.refused(Method::POST, "users", Some(body)).await, code);
    }

    service.platform().quirks.joining_fails = true;
    let (status, failed) = caller.post("orgs/o-2/users", json!({ "user_id": made["id"], "role_id": "r-viewer" })).await;
    assert_eq!((status, &failed["code"], &failed["details"][0]["metadata"]), (500, &json!(13), &json!({ "error_number": "7-0412" })));
    assert!(failed.to_string().contains("engine-test-stack"), "there is something that must not be shown: {failed}");
    assert_eq!(caller.get("users?email=mei@acme.example").await.1["id"], made["id"]);

    let (_, own) = caller.post("users", json!({ "email": "kofi@acme.example", "name": "Kofi", "password": "engine-test-own" })).await;
    assert!(!own.to_string().contains("engine-test-own"), "{own}");
    let own = json!({ "email": "kofi@acme.example", "password": "engine-test-own" });
    assert_eq!(caller.post("users:signInWithEmail", own).await.0, 200);
}

#[tokio::test]
async fn a_project_is_seen_changed_and_deleted_by_whom_it_concerns() {
    let service = service().await;
    let caller = signed_in(&service, 1).await;
    let ids = |listed: &Value| -> Vec<String> {
        listed["projects"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&caller.get("orgs/o-2/projects").await.1), ["p-2", "p-3", "p-4"]);
    assert_eq!(ids(&caller.get("projects").await.1), ["p-1", "p-3", "p-4", "p-5"]);
    let viewer = signed_in(&service, 5).await;
    assert_eq!(ids(&viewer.get("orgs/o-2/projects").await.1), ["p-2"]);
    assert_eq!(viewer.refused(Method::GET, "projects/p-3", None).await, 5);
    assert_eq!(viewer.refused(Method::PUT, "projects/p-2", Some(json!({ "name": "Mine" }))).await, 7);
    assert_eq!(viewer.refused(Method::DELETE, "projects/p-2", None).await, 7);

    let (_, project) = caller.get("projects/p-2").await;
    assert_eq!(project["config"]["storage"]["secret_key"], "engine-test-storage-secret");
    let (_, changed) = caller.put("projects/p-2", json!({ "name": "Churn" })).await;
    assert_eq!((&changed["name"], changed.get("description")), (&json!("Churn"), None));
    assert_eq!(caller.delete("projects/p-2").await, (200, json!({})));
    assert_eq!(caller.refused(Method::GET, "projects/p-2", None).await, 5);
}

#[tokio::test]
async fn a_project_has_people_of_its_own() {
    let service = service().await;
    let caller = signed_in(&service, 1).await;
    let (_, listed) = caller.get("projects/p-4/users").await;
    let ada = json!({ "id": "u-1", "display_name": "Ada", "email": "ada@northwind.example" });
    assert_eq!(listed, json!({ "projectUsers": [{ "user": ada, "role": "Project Owner" }] }));
    for (body, code) in [
        (json!({ "user_id": "u-5", "role_id": "r-viewer" }), 3),
        (json!({ "user_id": "u-1", "role_id": "r-project-viewer" }), 6),
        (json!({ "user_id": "u-9", "role_id": "r-project-owner" }), 9),
        (json!({ "user_id": "u-99", "role_id": "r-project-viewer" }), 5),
    ] {
        assert_eq!(caller.refused(Method::POST, "projects/p-4/users", Some(body)).await, code);
    }
    assert_eq!(caller.refused(Method::DELETE, "projects/p-4/users/u-1", None).await, 9);

    let (_, added) = caller.post("projects/p-4/users", json!({ "user_id": "u-9", "role_id": "r-project-editor" })).await;
    assert_eq!(added["role"], "Project Editor");
    assert_eq!(caller.get("projects/p-4/users/u-9").await, (200, added));
    let (_, people) = caller.get("orgs/o-2/users").await;
    assert!(people["externalUsers"].to_string().contains("u-9"), "{people}");
    assert_eq!(caller.delete("projects/p-4/users/u-9").await, (200, json!({})));
    assert_eq!(caller.refused(Method::GET, "projects/p-4/users/u-9", None).await, 5);
    assert!(!caller.get("orgs/o-2/users").await.1.to_string().contains("u-9"));
}

#[tokio::test]
async fn configs_and_usage_are_told() {
    let service = service().await;
    let caller = signed_in(&service, 1).await;
    let (_, configs) = caller.get("configs").await;
    let viewer = json!({ "id": "r-viewer", "name": "Organization Viewer", "permissions": ["org-view"] });
    assert_eq!((&configs["roles"][2], configs["permissions"].as_array().unwrap().len()), (&viewer, 9));
    service.platform().quirks.hides_roles = true;
    assert_eq!(caller.get("configs").await.1.get("roles"), None);

    let (_, usage) = caller.get("orgs/o-2/usageSummaries").await;
    let hours = json!({ "metric": "compute_hours", "usage": "118", "quota": "500" });
    assert_eq!(usage, json!({ "usage_summaries": [hours, { "metric": "storage_gb", "quota": "9007199254740993" }] }));
    service.platform().quirks.gateway = Gateway::Newer;
    assert_eq!(caller.get("orgs/o-2/usageSummaries").await.1["usageSummaries"][1]["usage"], "0");
    assert_eq!(caller.refused(Method::GET, "orgs/o-2/datasets", None).await, 5);
}

#[tokio::test]
async fn an_empty_service_has_an_account_and_keeps_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { state: Some(folder.path().join("engine.json")), ..Options::default() };
    let first = sandbox::start(Engine::seeded(Seed::Empty), options()).await.unwrap();
    let environment = first.platform().environment(&first.url);
    let token = "engine-test-custom-token-1".to_owned();
    assert_eq!(environment, [("AIA_ENGINE_API_TARGET", first.url.clone()), ("AIA_ENGINE_API_CUSTOM_TOKEN", token)]);
    let caller = signed_in(&first, 1).await;
    assert_eq!(caller.get("orgs").await, (200, json!({})));
    let (_, made) = caller.post("orgs", json!({ "name": "Acme" })).await;
    drop(first);

    let second = sandbox::start(Engine::seeded(Seed::Acme), options()).await.unwrap();
    let caller = Caller { url: second.url.clone(), ..caller };
    assert_eq!(caller.get("orgs").await, (200, json!({ "orgs": [made] })));
}
