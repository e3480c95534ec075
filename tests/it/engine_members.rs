//! People of an organization at the Engine.

use rolecall_sandbox::{
    Fault,
    engine::{Gateway, Quirks},
};

use crate::{
    support::{Value, json},
    support_engine::{Stage, without_call_id},
};

fn fault(text: &str) -> Vec<Fault> {
    vec![text.parse().unwrap()]
}

fn ada() -> Value {
    json!({
        "member": "ada@northwind.example", "name": "Ada", "id": "u-1", "roles": ["Organization Owner"], "organization": "Northwind Analytics",
    })
}

#[tokio::test]
async fn members_and_external_users_are_told_apart() {
    let eve = json!({
        "member": "eve@elsewhere.example", "name": "Eve", "id": "u-3", "roles": [], "status": "external", "organization": "Northwind Analytics",
    });
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        let listed = stage.agent.ok("list_organization_members", json!({ "organization": "Northwind Analytics" })).await;
        assert_eq!(listed, json!({ "items": [ada(), eve], "shown": 2, "has_more": false, "total": 2, "connection": "lab" }));
        assert_eq!(stage.asked(), ["GET orgs", "GET orgs/o-1/users"]);

        let with_connection = |it: &Value| {
            let mut it = it.clone();
            it["connection"] = "lab".into();
            it
        };
        let one = stage.agent.ok("get_organization_member", json!({ "organization": "o-1", "member": "ADA@northwind.example" })).await;
        assert_eq!(one, with_connection(&ada()));
        assert_eq!(stage.asked(), ["GET orgs", "GET orgs/o-1/users", "GET orgs/o-1/users/u-1"]);
        // Who is external is in the list only.
        let other = stage.agent.ok("get_organization_member", json!({ "organization": "o-1", "member": "u-3" })).await;
        assert_eq!(other, with_connection(&eve));
        assert_eq!(stage.asked(), ["GET orgs", "GET orgs/o-1/users"]);
    }
    // A newer service says it of each person, and that counts.
    let stage = Stage::with(Quirks { external_flag: true, role_as_id: true, ..Quirks::default() }, |_| {}).await;
    let listed = stage.agent.ok("list_organization_members", json!({ "organization": "o-1" })).await;
    assert_eq!((&listed["items"][0]["roles"], &listed["items"][1]["status"]), (&json!(["r-owner"]), &json!("external")));
}

#[tokio::test]
async fn members_are_found_by_role_and_text() {
    for role_as_id in [false, true] {
        let stage = Stage::with(Quirks { role_as_id, ..Quirks::default() }, |_| {}).await;
        for (role, expected) in [("owner", vec!["u-1", "u-2"]), ("OrgEditor", vec!["u-4"]), ("r-viewer", vec!["u-5", "u-8", "u-6"])] {
            let listed = stage.agent.ok("list_organization_members", json!({ "organization": "o-2", "role": role })).await;
            let ids: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
            assert_eq!(ids, expected, "{role}");
        }
        let listed = stage.agent.ok("list_organization_members", json!({ "organization": "o-2", "query": "QUIROGA" })).await;
        assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &json!("u-4")));
    }
    let stage = Stage::new().await;
    stage.agent.fails("list_organization_members", json!({ "organization": "o-2", "role": "ProjectOwner" }), "invalid_arguments").await;
    let many = stage.agent.fails("list_organization_members", json!({}), "ambiguous_organization").await;
    assert_eq!(many["candidates"], json!(["Northwind Analytics [o-1]", "Acme Research [o-2]", "Acme Labs [o-3]"]));
    stage
        .agent
        .fails("get_organization_member", json!({ "organization": "o-2", "member": "nobody@acme.example" }), "member_not_found")
        .await;
}

#[tokio::test]
async fn an_account_becomes_a_member() {
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        let added = stage.agent.ok("add_organization_member", json!({ "email": "Lin@Northwind.example", "organization": "o-1" })).await;
        assert_eq!(
            stage.asked(),
            ["GET orgs", "GET orgs/o-1/users", "GET configs", "GET users?email=lin%40northwind.example", "POST orgs/o-1/users"]
        );
        let body = json!({ "user_id": "u-9", "role_id": "r-viewer" });
        assert_eq!(stage.sandbox.platform().orgs[0].seats[1].role, "r-viewer");
        assert_eq!(
            without_call_id(added),
            json!({
                "status": "done",
                "target": { "kind": "member", "name": "lin@northwind.example", "id": "u-9", "organization": "Northwind Analytics" },
                "after": {
                    "member": "lin@northwind.example", "name": "Lin", "id": "u-9", "roles": ["Organization Viewer"],
                    "organization": "Northwind Analytics",
                },
                "undo": "remove_organization_member", "connection": "lab",
            })
        );
        assert_eq!(stage.agent.questions(), Vec::<String>::new());
        stage.agent.ok("remove_organization_member", json!({ "member": "u-9", "organization": "o-1" })).await;
        stage.sandbox.clear_journal();
        stage.agent.ok("add_organization_member", json!({ "email": "lin@northwind.example", "organization": "o-1" })).await;
        assert_eq!(stage.sent(), [("POST orgs/o-1/users".to_owned(), body)]);
    }
}

#[tokio::test]
async fn a_plus_in_an_e_mail_is_encoded() {
    let stage = Stage::new().await;
    stage.agent.ok("add_organization_member", json!({ "email": "jonas.weber+engine@acme.example", "organization": "o-1" })).await;
    let asked = stage.asked();
    assert!(asked.contains(&"GET users?email=jonas.weber%2Bengine%40acme.example".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn power_is_not_given_without_a_person() {
    let stage = Stage::new().await;
    let own = json!({ "email": "lin@northwind.example", "role": "owner", "organization": "o-1" });
    let preview = |mut arguments: Value| {
        arguments["dry_run"] = true.into();
        stage.agent.ok("add_organization_member", arguments)
    };
    assert_eq!(
        preview(own).await["impact"],
        json!({
            "gravity": "low",
            "notes": ["becomes Organization Owner of organization Northwind Analytics, with power over others: lin@northwind.example"],
            "undo": "remove_organization_member",
        })
    );
    let outside = preview(json!({ "email": "lena@studio-vogel.example", "role": "OrgOwner", "organization": "o-2" })).await;
    assert_eq!(
        outside["impact"]["notes"],
        json!([
            "becomes Organization Owner of organization Acme Research, with power over others: lena@studio-vogel.example",
            "is an external user so far",
            "outside the mail domains of those who manage Acme Research: lena@studio-vogel.example",
        ])
    );
    assert_eq!(outside["impact"]["gravity"], "critical");
    let viewer = preview(json!({ "email": "lin@northwind.example", "organization": "o-2" })).await;
    assert_eq!((&viewer["impact"]["gravity"], &viewer["needs_consent"]), (&json!("none"), &json!(false)));
    assert_eq!(stage.sent(), []);
}

#[tokio::test]
async fn who_cannot_be_added_is_said_before_anything_is_sent() {
    let stage = Stage::new().await;
    let nobody = json!({ "email": "nobody@acme.example", "organization": "o-2" });
    let answer = stage.refuses("add_organization_member", nobody, "user_not_found").await;
    assert_eq!(answer["fix"], "make the account with create_user");
    stage.refuses("add_organization_member", json!({ "email": "ana.ruiz@acme.example", "organization": "o-2" }), "already_member").await;
    let role = json!({ "email": "lin@northwind.example", "role": "boss", "organization": "o-2" });
    let answer = stage.refuses("add_organization_member", role, "role_not_found").await;
    assert_eq!(
        answer["fix"],
        "use one of: Organization Owner, Organization Editor, Organization Viewer; or put the service's id under `boss` in `role_ids` of \
         connection `lab`"
    );
    let role = json!({ "email": "lin@northwind.example", "role": "Project Viewer", "organization": "o-2" });
    stage.refuses("add_organization_member", role, "invalid_arguments").await;
}

#[tokio::test]
async fn a_new_account_is_made_and_joins() {
    let stage = Stage::new().await;
    let made = stage.agent.ok("create_user", json!({ "email": "mei@acme.example", "name": "Mei Tanaka", "organization": "o-2" })).await;
    let id = made["target"]["id"].clone();
    assert_eq!(
        stage.sent(),
        [
            // Without a password: the service makes one.
            ("POST users".to_owned(), json!({ "email": "mei@acme.example", "name": "Mei Tanaka" })),
            ("POST orgs/o-2/users".to_owned(), json!({ "user_id": id, "role_id": "r-viewer" })),
        ]
    );
    assert_eq!(
        without_call_id(made),
        json!({
            "status": "done",
            "target": { "kind": "member", "name": "mei@acme.example", "id": id, "organization": "Acme Research" },
            "after": {
                "member": "mei@acme.example", "name": "Mei Tanaka", "id": id, "roles": ["Organization Viewer"], "organization": "Acme Research",
            },
            "undo": "remove_organization_member; the account stays", "connection": "lab",
        })
    );
    assert_eq!(std::fs::read_dir(stage.agent.store.secrets()).unwrap().count(), 0, "no secret was made");
    let again = json!({ "email": "Mei@acme.example", "name": "Mei", "organization": "o-1" });
    let answer = stage.refuses("create_user", again, "user_exists").await;
    assert_eq!(answer["fix"], "make that account a member with add_organization_member");
}

#[tokio::test]
async fn an_account_without_a_membership_is_told_truly() {
    let stage = Stage::with(Quirks { joining_fails: true, ..Quirks::default() }, |_| {}).await;
    let arguments = json!({ "email": "mei@acme.example", "name": "Mei Tanaka", "organization": "o-2" });
    let answer = stage.agent.fails("create_user", arguments, "partly_done").await;
    let id = stage.sandbox.platform().accounts.last().unwrap().id.clone();
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("the account of `mei@acme.example` was made [{id}] and is not a member of `Acme Research`")));
    assert!(message.contains("something went wrong (INTERNAL_ERROR, error 7-0412)"), "{message}");
    assert!(!answer.to_string().contains("engine-test-"), "{answer}");
    assert_eq!(
        answer["fix"],
        "make it a member with add_organization_member and `mei@acme.example`; do not create it again. \
         The service made its first password and has it still: none passed through here"
    );
    // And that is how it goes on.
    stage.sandbox.platform().quirks.joining_fails = false;
    stage.agent.ok("add_organization_member", json!({ "email": "mei@acme.example", "organization": "o-2" })).await;
    assert_eq!(stage.sandbox.platform().orgs[1].seats.last().unwrap().user, id);
}

#[tokio::test]
async fn lost_answers_of_both_steps_are_looked_up() {
    for text in ["drop:1@POST /api/v1/users*1", "drop:1@POST /orgs/o-2/users*1", "503-after:1@POST*2", "malformed:1@POST*2"] {
        let stage = Stage::new().await;
        stage.agent.ok("list_organizations", json!({})).await; // signs in
        stage.sandbox.set_faults(fault(text));
        let arguments = json!({ "email": "mei@acme.example", "name": "Mei Tanaka", "organization": "o-2" });
        let made = stage.agent.ok("create_user", arguments).await;
        assert_eq!(made["after"]["roles"], json!(["Organization Viewer"]), "{text}");
        assert_eq!(stage.sent().len(), 2, "{text}");
    }
    let stage = Stage::new().await;
    stage.agent.ok("list_organizations", json!({})).await;
    stage.sandbox.set_faults(fault("drop-before:1@POST*1"));
    let before = stage.state();
    stage.agent.fails("create_user", json!({ "email": "mei@acme.example", "name": "Mei", "organization": "o-2" }), "not_applied").await;
    assert_eq!(stage.state(), before);
    stage.sandbox.set_faults(fault("drop:1@POST*1"));
    let added = stage.agent.ok("add_organization_member", json!({ "email": "lin@northwind.example", "organization": "o-2" })).await;
    assert_eq!(added["after"]["id"], "u-9");
}

#[tokio::test]
async fn who_leaves_may_stay_an_external_user() {
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        let before = json!({
            "member": "helena.brandt@acme.example", "name": "Helena Brandt", "id": "u-2", "roles": ["Organization Owner"],
            "organization": "Acme Research",
        });
        let arguments = json!({ "member": "helena.brandt@acme.example", "organization": "Acme Research" });
        let mut dry = arguments.clone();
        dry["dry_run"] = true.into();
        assert_eq!(
            stage.agent.ok("remove_organization_member", dry).await["impact"],
            json!({
                "gravity": "high",
                "losses": [{ "count": 1, "what": "person loses access to the organization", "examples": ["helena.brandt@acme.example"] }],
                "notes": [
                    "no longer Organization Owner of organization Acme Research: helena.brandt@acme.example, and loses org-manage, \
                     org-billing, org-users, org-projects, org-view",
                    "the account stays, and cannot be deleted from here",
                    "is in 1 project: Churn forecast; the service does not say whether that ends too",
                    "nobody else owns Churn forecast; external users cannot own a project",
                ],
                "undo": "add_organization_member with role `Organization Owner`",
            })
        );
        let removed = stage.agent.ok("remove_organization_member", arguments).await;
        assert_eq!(stage.sent(), [("DELETE orgs/o-2/users/u-2".to_owned(), Value::Null)]);
        assert_eq!(
            without_call_id(removed),
            json!({
                "status": "done",
                "target": { "kind": "member", "name": "helena.brandt@acme.example", "id": "u-2", "organization": "Acme Research" },
                "before": before,
                "after": {
                    "member": "helena.brandt@acme.example", "name": "Helena Brandt", "id": "u-2", "roles": [], "status": "external",
                    "organization": "Acme Research",
                },
                "undo": "add_organization_member with role `Organization Owner`", "connection": "lab",
            })
        );
    }
    let stage = Stage::new().await;
    stage.agent.ok("list_organizations", json!({})).await;
    stage.sandbox.set_faults(fault("drop:1@DELETE*1"));
    let removed = stage.agent.ok("remove_organization_member", json!({ "member": "u-6", "organization": "o-2" })).await;
    assert_eq!((removed.get("after"), stage.sent().len()), (None, 1));
}

#[tokio::test]
async fn the_last_owner_and_external_users_are_not_removed() {
    for role_as_id in [false, true] {
        let stage = Stage::with(Quirks { role_as_id, ..Quirks::default() }, |_| {}).await;
        let answer = stage.refuses("remove_organization_member", json!({ "member": "u-1", "organization": "o-1" }), "last_owner").await;
        assert_eq!(answer["message"], "`ada@northwind.example` is the last owner of `Northwind Analytics`");
        let answer = stage.refuses("remove_organization_member", json!({ "member": "u-3", "organization": "o-1" }), "external_user").await;
        assert_eq!(answer["fix"], "end their access with remove_project_member in each of their projects");
    }
}

#[tokio::test]
async fn the_configuration_goes_before_the_service_and_may_be_alone() {
    let own = |it: &mut rolecall::providers::engine::Settings| {
        it.role_ids = [("OrgViewer".to_owned(), "r-viewer".to_owned()), ("OrgEditor".to_owned(), "r-editor".to_owned())].into();
    };
    let stage = Stage::with(Quirks { hides_roles: true, ..Quirks::default() }, own).await;
    stage.agent.ok("add_organization_member", json!({ "email": "lin@northwind.example", "organization": "o-1" })).await;
    stage.agent.ok("add_organization_member", json!({ "email": "lin@northwind.example", "organization": "o-2", "role": "Editor" })).await;
    let bodies: Vec<Value> = stage
        .sandbox
        .journal()
        .iter()
        .filter(|it| it.target.ends_with("/users") && it.method == "POST")
        .map(|it| serde_json::from_str(&it.body).unwrap())
        .collect();
    assert_eq!(bodies, [json!({ "user_id": "u-9", "role_id": "r-viewer" }), json!({ "user_id": "u-9", "role_id": "r-editor" })]);
    assert!(!stage.asked().contains(&"GET configs".to_owned()));
    // What neither knows is not guessed.
    let owner = json!({ "email": "lena@studio-vogel.example", "role": "OrgOwner", "organization": "o-2" });
    let answer = stage.refuses("add_organization_member", owner, "role_not_found").await;
    assert_eq!(
        answer["fix"],
        "use one of: OrgEditor, OrgViewer; or put the service's id under `OrgOwner` in `role_ids` of connection `lab`"
    );
    let stage = Stage::with(Quirks { hides_roles: true, ..Quirks::default() }, |_| {}).await;
    let lin = json!({ "email": "lin@northwind.example", "organization": "o-1" });
    let answer = stage.refuses("add_organization_member", lin, "role_not_found").await;
    assert_eq!(answer["fix"], "the service names no roles: put the service's id under `OrgViewer` in `role_ids` of connection `lab`");
}
