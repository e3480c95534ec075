//! The sandbox of SeeMe.ai, where the vendor's own client cannot go: `tests/e2e/seeme` drives the rest.

use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    multipart::{Form, Part},
    redirect::Policy,
};
use rolecall_sandbox::{
    Options, Platform as _, Sandbox, Seed,
    seeme::{Detail, Invites, Quirks, Seeme, SystemRoles},
    start,
};

use crate::support::{Value, http_client, json};

struct Service {
    sandbox: Sandbox<Seeme>,
    client: Client,
}

impl Service {
    async fn with(quirks: Quirks) -> Self {
        let mut service = Seeme::seeded(Seed::Acme);
        service.quirks = quirks;
        let _ = http_client(); // chooses the crypto for every client after it
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { sandbox: start(service, Options::default()).await.unwrap(), client }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/api/v1/{path}", self.sandbox.url)).bearer_auth("seeme-test-helena")
    }

    async fn get(&self, path: &str) -> Value {
        told(self.request(Method::GET, path).send().await.unwrap(), 200).await
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        told(self.request(Method::POST, path).json(&body).send().await.unwrap(), status).await
    }

    fn state(&self) -> Value {
        serde_json::to_value(&*self.sandbox.platform()).unwrap()
    }
}

#[track_caller]
fn told(response: Response, status: u16) -> impl Future<Output = Value> {
    assert_eq!(response.status(), StatusCode::from_u16(status).unwrap());
    async move { response.json().await.unwrap() }
}

/// A state without its clock, which runs on.
fn timeless(mut state: Value) -> Value {
    state.as_object_mut().unwrap().remove("minutes");
    state
}

#[tokio::test]
async fn a_request_that_is_not_of_this_api_changes_nothing() {
    let service = Service::with(Quirks::default()).await;
    let before = timeless(service.state());
    let acme = json!({"id": "organization-acme", "name": "Acme"});
    let with = |field: &str, value: Value| {
        let mut body = acme.clone();
        body[field] = value;
        body
    };
    let put = |body: Value| service.request(Method::PUT, "organizations/organization-acme").json(&body);
    let part = |name: &'static str| Part::bytes(b"\x89PNG\r\n".as_slice()).file_name(name).mime_str("image/png").unwrap();
    let logo = |form: Form| service.request(Method::POST, "organizations/organization-acme/logo").multipart(form);
    let refused = [
        (put(with("member_count", json!(5))), 400, "unknown field `member_count`"),
        (put(with("id", json!("organization-northwind"))), 400, "the id in the body is not the one in the path"),
        (put(with("name", json!(7))), 400, "`name` is not a text"),
        (put(with("public", json!("yes"))), 400, "`public` is neither true nor false"),
        (put(json!({"id": "organization-acme"})), 422, "`name` is required"),
        (
            service.request(Method::PUT, "projects/project-atlas").json(&json!({"name": "Atlas"})),
            422,
            "a project stays in its organization",
        ),
        (service.request(Method::POST, "teams").body("{}").header("content-type", "text/plain"), 400, "`text/plain` is not JSON"),
        (service.request(Method::POST, "teams").body("[]"), 400, "the body is not a JSON object"),
        (service.request(Method::DELETE, "teams/team-research").body("{}"), 400, "a DELETE has no body"),
        (service.request(Method::GET, "projects?team_id="), 400, "the filter `team_id` is unknown or empty"),
        (service.request(Method::GET, "projects?team=team-research"), 400, "the filter `team` is unknown or empty"),
        (service.request(Method::GET, "teams/team-research/projects"), 404, "no such path"),
        (service.request(Method::GET, "organizations/"), 404, "organization not found"),
        (service.request(Method::PATCH, "organizations/organization-acme").json(&acme), 404, "no such path"),
        (service.request(Method::POST, "teams/team-platform/members").json(&json!({})), 400, "either `user_id` or `email` is required"),
        (
            service.request(Method::POST, "teams/team-platform/members").json(&json!({"user_id": "user-ana", "email": "x@acme.example"})),
            400,
            "either `user_id` or `email` is required",
        ),
        (logo(Form::new().part("file", part("a.png")).part("file", part("b.png"))), 400, "exactly one part is expected"),
        (logo(Form::new().part("logo", part("a.png"))), 400, "the part is not a file of the field `file`"),
        (logo(Form::new().part("file", part("a.jpg"))), 400, "the content type of `a.jpg` is Some(\"image/png\")"),
    ];
    for (request, status, message) in refused {
        let answer = told(request.send().await.unwrap(), status).await;
        assert_eq!(answer, json!({"message": message, "severity": "error"}));
    }
    let bare = service.client.get(format!("{}/api/v1/me/context", service.sandbox.url)).send().await.unwrap();
    assert_eq!(told(bare, 401).await["message"], "an API key is needed");
    assert_eq!(timeless(service.state()), before);
}

#[tokio::test]
async fn people_are_added_by_id_or_by_address() {
    let service = Service::with(Quirks::default()).await;
    let path = "projects/project-beacon/members";
    let by_id = service.post(path, json!({"user_id": "user-ana", "role_id": "role-project_editor"}), 201).await;
    assert_eq!((&by_id["user_id"], &by_id["role_name"]), (&json!("user-ana"), &json!("Project editor")));
    let known = service.post(path, json!({"email": "mei.tanaka@acme.example", "role_id": null}), 201).await;
    assert_eq!((&known["user_id"], known.get("token")), (&json!("user-mei"), None));
    let unknown = service.post(path, json!({"email": "juno@acme.example"}), 201).await;
    assert_eq!((&unknown["user_id"], &unknown["email"]), (&json!(""), &json!("juno@acme.example")));
    assert!(unknown["token"].as_str().unwrap().starts_with("seeme-test-token-"));
    let again = service.post(path, json!({"email": "juno@acme.example"}), 409).await;
    assert_eq!(again["message"], "`juno@acme.example` is a member or invited already");
    let listed = service.get(path).await;
    assert_eq!(listed.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn members_and_invitations_come_in_the_other_shape_too() {
    let quirks = Quirks { invites: Invites::Invitations, detail: Detail::Nested, system_roles: SystemRoles::Scope, ..Quirks::default() };
    let service = Service::with(quirks).await;
    let path = "organizations/organization-acme/members";
    let mut invited = service.post(path, json!({"email": "lena.vogel@studio-vogel.example", "role_id": "role-org_admin"}), 201).await;
    let id = invited["id"].take();
    assert!(invited["token"].take().is_string());
    let whole = json!({
        "id": null,
        "organization_id": "organization-acme",
        "email": "lena.vogel@studio-vogel.example",
        "role_id": "role-org_admin",
        "invited_by": "user-helena",
        "token": null,
        "expires_at": "2125-12-12T08:01:00Z",
        "accepted_at": null,
    });
    assert_eq!(invited, whole);
    let listed = service.get(path).await;
    let pending = listed.as_array().unwrap().iter().find(|it| it["id"] == id).unwrap();
    assert_eq!((pending.get("user_id"), &pending["user"], &pending["role"]["name"]), (None, &Value::Null, &json!("Admin")));
    let owner = &listed[0];
    assert_eq!((&owner["user"]["firstname"], &owner["role"]["slug"]), (&json!("Helena"), &json!("org_owner")));
    assert_eq!((owner.get("role_name"), owner.get("email"), owner.get("token")), (None, None, None));
    assert_eq!((&owner["role"]["scope"], owner["role"].get("is_system")), (&json!("system"), None));
}

#[tokio::test]
async fn who_leaves_an_organization_leaves_what_is_in_it() {
    let service = Service::with(Quirks::default()).await;
    let path = "organizations/organization-acme/members/organization-member-acme-ana";
    let gone = service.request(Method::DELETE, path).send().await.unwrap();
    assert_eq!((gone.status(), gone.text().await.unwrap()), (StatusCode::NO_CONTENT, String::new()));
    for place in ["organizations/organization-acme", "teams/team-research", "projects/project-atlas"] {
        let listed = service.get(&format!("{place}/members")).await;
        assert!(listed.as_array().unwrap().iter().all(|it| it["user_id"] != "user-ana"), "{place}");
    }
}

#[tokio::test]
async fn ids_are_one_segment_whatever_is_in_them() {
    let service = Service::with(Quirks::default()).await;
    let id = "tiles/2026 (a?b#c)%";
    let path = "projects/project-atlas/resources";
    service.post(path, json!({"resource_type": "graph", "resource_id": id}), 201).await;
    let gone = service.request(Method::DELETE, &format!("{path}/graph/tiles%2F2026%20(a%3Fb%23c)%25")).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(service.get(path).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_logo_may_lie_elsewhere() {
    let service = Service::with(Quirks::default()).await;
    let elsewhere = format!("http://localhost:{}", service.sandbox.addr.port());
    service.sandbox.platform().quirks.logos_from = Some(elsewhere.clone());
    let logo = "organizations/organization-acme/logo";
    let pointed = service.request(Method::GET, logo).send().await.unwrap();
    assert_eq!(pointed.status(), StatusCode::FOUND);
    let place = pointed.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(place, format!("{elsewhere}/storage/organization-acme"));
    let fetched = service.client.get(place.replace("localhost", "127.0.0.1")).send().await.unwrap();
    assert_eq!(fetched.headers()["content-type"], "image/png");
    assert!(fetched.bytes().await.unwrap().starts_with(b"\x89PNG"));
    let none = service.request(Method::GET, "teams/team-research/logo").send().await.unwrap();
    assert_eq!(told(none, 404).await["message"], "logo not found");
}
