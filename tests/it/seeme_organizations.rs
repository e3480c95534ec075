//! Organizations of SeeMe.ai, their logos, and who the connection acts as.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rolecall_sandbox::seeme::{Absent, Quirks};

use crate::{
    support::{Person, json, params},
    support_seeme::Lab,
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x20\x08\x06\0\0\0rest";

#[tokio::test]
async fn organizations_are_listed_searched_and_read() {
    let lab = Lab::new().await;
    let all = lab.agent.ok("list_organizations", json!({})).await;
    let acme = json!({"organization": "Acme", "id": "organization-acme", "slug": "acme", "members": 5, "projects": 2});
    let northwind = json!({"organization": "Northwind", "id": "organization-northwind", "slug": "northwind", "members": 3, "projects": 1});
    assert_eq!(all["items"], json!([acme, northwind]));
    assert_eq!(lab.reads(), ["organizations"]);
    let found = lab.agent.ok("list_organizations", json!({"query": "north"})).await;
    assert_eq!((&found["items"][0]["organization"], &found["total"]), (&json!("Northwind"), &json!(1)));
    lab.reads();
    let read = lab.agent.ok("get_organization", json!({"organization": "acme"})).await;
    let whole = json!({
        "organization": "Acme", "id": "organization-acme", "slug": "acme", "description": "Maps for everybody",
        "website": "https://acme.example", "members": 5, "projects": 2, "created_at": "2026-01-05T08:00:00Z", "connection": "vision",
    });
    assert_eq!(read, whole);
    assert_eq!(lab.reads(), ["organizations", "organizations/organization-acme"]);
    let none = lab.refuses("get_organization", json!({"organization": "Acmee"}), "organization_not_found").await;
    assert_eq!(none["fix"], "did you mean Acme [organization-acme]? find it with list_organizations; names are matched whole");
}

#[tokio::test]
async fn an_organization_is_created_changed_and_deleted() {
    let lab = Lab::new().await;
    let body = json!({"name": "Blue Harbour", "slug": "harbour", "website": "https://harbour.example"});
    let made = lab.agent.ok("create_organization", body).await;
    assert_eq!(lab.writes(), [r#"POST organizations {"name":"Blue Harbour","slug":"harbour","website":"https://harbour.example"}"#]);
    let id = made["target"]["id"].as_str().unwrap().to_owned();
    assert_eq!((&made["after"]["organization"], &made["undo"]), (&json!("Blue Harbour"), &json!("delete_organization")));
    lab.refuses("create_organization", json!({"name": "blue  harbour"}), "name_taken").await;

    let changed = lab.agent.ok("update_organization", json!({"organization": "harbour", "name": "Blue Haven", "clear": ["website"]})).await;
    assert_eq!((&changed["after"]["organization"], changed["after"].get("website")), (&json!("Blue Haven"), None));
    lab.writes();
    lab.refuses("update_organization", json!({"organization": "harbour"}), "invalid_arguments").await;
    lab.refuses("update_organization", json!({"organization": "harbour", "name": "Acme"}), "name_taken").await;

    let declines = lab.agent.refusing().await;
    declines.fails("delete_organization", json!({"organization": "harbour"}), "declined").await;
    assert_eq!(lab.writes(), Vec::<String>::new());
    assert!(declines.questions()[0].contains("Blue Haven"));
    lab.agent.ok("delete_organization", json!({"organization": "harbour"})).await;
    assert_eq!(lab.writes(), [format!("DELETE organizations/{id}")]);
}

#[tokio::test]
async fn an_update_keeps_what_this_program_does_not_know() {
    let lab = Lab::new().await;
    lab.agent.ok("update_organization", json!({"organization": "Acme", "description": "Maps, and more"})).await;
    let [put] = lab.writes().try_into().unwrap();
    let body: serde_json::Value = serde_json::from_str(put.strip_prefix("PUT organizations/organization-acme ").unwrap()).unwrap();
    let whole = json!({
        "id": "organization-acme", "created_at": "2026-01-05T08:00:00Z", "updated_at": null, "name": "Acme", "description": "Maps, and more",
        "user_id": "user-helena", "notes": null, "has_logo": true, "logo": ".png", "public": false, "shared_with_me": false, "slug": "acme",
        "settings": {"region": "eu"}, "plan": "enterprise", "disabled": false, "website": "https://acme.example", "owner_id": "user-helena",
    });
    assert_eq!(body, whole, "all that was told, without what is only counted");
    assert_eq!(lab.state()["places"][0]["settings"], json!({"region": "eu"}));
}

#[tokio::test]
async fn the_end_of_an_organization_is_told_whole() {
    let lab = Lab::new().await;
    let plan = lab.agent.ok("delete_organization", json!({"organization": "Acme", "dry_run": true})).await;
    let impact = json!({
        "gravity": "critical",
        "losses": [
            {"count": 1, "what": "organization ends", "examples": ["Acme"]},
            {"count": 5, "what": "people lose access to the organization", "examples": [
                "helena.brandt@acme.example", "ana.ruiz@acme.example", "oskar.lindqvist@acme.example", "priya.raman@acme.example",
                "mei.tanaka@acme.example",
            ]},
            {"count": 2, "what": "projects end", "examples": ["Atlas", "Beacon"]},
            {"count": 2, "what": "teams end", "examples": ["Research", "Platform"]},
            {"count": 1, "what": "role ends", "examples": ["Label clerk"]},
            {"count": 1, "what": "invitation is void", "examples": ["noor.vandijk@acme.example"]},
        ],
        "notes": ["people keep their accounts"],
    });
    assert_eq!(plan["impact"], impact);
    assert_eq!(lab.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_that_several_have_is_not_guessed_at() {
    let lab = Lab::new().await;
    let several = lab.refuses("create_team", json!({"name": "Design"}), "ambiguous_organization").await;
    assert_eq!(several["candidates"], json!(["Acme [organization-acme]", "Northwind [organization-northwind]"]));
    lab.sandbox.platform().places[7].name = "Atlas".into();
    let twice = lab.refuses("delete_project", json!({"project": "Atlas"}), "ambiguous_project").await;
    let candidates = ["Atlas [project-atlas] in Acme", "Atlas [project-ledger] in Northwind"];
    assert_eq!(twice["candidates"], json!(candidates));
    let by_id = lab.agent.ok("get_project", json!({"project": "project-ledger"})).await;
    assert_eq!(by_id["organization"], "Northwind");
}

#[tokio::test]
async fn logos_are_read_set_and_deleted() {
    let lab = Lab::new().await;
    let answer = lab.agent.client.call_tool(params("get_logo", json!({"of": "organization", "target": "Acme"}))).await.unwrap();
    let image = answer.content.iter().find_map(|it| it.as_image()).unwrap();
    assert_eq!(image.mime_type, "image/png");
    assert!(STANDARD.decode(&image.data).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(lab.reads(), ["organizations", "organizations/organization-acme/logo"]);

    for (of, target, path) in [("team", "Research", "teams/team-research"), ("project", "Atlas", "projects/project-atlas")] {
        lab.refuses("get_logo", json!({"of": of, "target": target}), "logo_not_found").await;
        let set = lab.agent.ok("set_logo", json!({"of": of, "target": target, "image": STANDARD.encode(PNG)})).await;
        assert_eq!((&set["after"]["width"], set.get("before")), (&json!(64), None));
        let sent = lab.sandbox.journal();
        let upload = sent.iter().find(|it| it.method == "POST").unwrap();
        assert_eq!(upload.target, format!("/api/v1/{path}/logo"));
        assert!(upload.headers["content-type"].starts_with("multipart/form-data; boundary="));
        let head = upload.body.split("\r\n\r\n").next().unwrap().split("\r\n").skip(1).collect::<Vec<_>>();
        assert_eq!(head, ["Content-Disposition: form-data; name=\"file\"; filename=\"logo.png\"", "Content-Type: image/png"]);
        lab.sandbox.clear_journal();
        lab.refuses("set_logo", json!({"of": of, "target": target, "image": STANDARD.encode("words")}), "invalid_arguments").await;
        lab.agent.ok("delete_logo", json!({"of": of, "target": target})).await;
        assert_eq!(lab.writes(), [format!("DELETE {path}/logo")]);
        lab.refuses("delete_logo", json!({"of": of, "target": target}), "already_gone").await;
    }
}

#[tokio::test]
async fn a_logo_from_another_host_is_fetched_without_the_key() {
    let lab = Lab::new().await;
    lab.sandbox.platform().quirks.logos_from = Some(format!("http://localhost:{}", lab.sandbox.addr.port()));
    lab.agent.ok("get_logo", json!({"of": "organization", "target": "Acme"})).await;
    let fetched: Vec<_> = lab.sandbox.journal().into_iter().map(|it| (it.target, it.authorized)).collect();
    let own = |path: &str| (format!("/api/v1/{path}"), true);
    let elsewhere = ("/storage/organization-acme".to_owned(), false);
    assert_eq!(fetched, [own("organizations"), own("organizations/organization-acme/logo"), elsewhere]);
}

#[tokio::test]
async fn who_the_key_belongs_to_is_told() {
    let lab = Lab::new().await;
    let me = lab.agent.ok("get_current_user", json!({})).await;
    assert_eq!(me["user"], "helena.brandt@acme.example");
    assert_eq!((&me["id"], &me["organization"]), (&json!("user-helena"), &json!("Acme")));
    assert!(me["scope"].as_str().unwrap().starts_with("roles: Owner, Admin; permissions: organizations:list"), "{me}");
}

#[tokio::test]
async fn times_that_never_were_are_left_out() {
    for absent in [Absent::Null, Absent::Empty, Absent::YearOne] {
        let lab = Lab::with(Quirks { absent, ..Quirks::default() }, None).await;
        let invitations = lab.agent.ok("list_invitations", json!({"organization": "Acme"})).await;
        assert_eq!(invitations["total"], 1, "{absent:?}: an invitation that nobody accepted is pending");
        lab.agent.ok("update_team", json!({"team": "Research", "name": "Enquiries"})).await;
    }
}

#[tokio::test]
async fn nothing_happens_without_the_person() {
    let lab = Lab::new().await;
    let silent = lab.agent.with(crate::support::Era::Modern, Person::Unreachable).await;
    for (tool, arguments) in [
        ("delete_organization", json!({"organization": "Acme"})),
        ("delete_team", json!({"team": "Research"})),
        ("delete_project", json!({"project": "Atlas"})),
        ("delete_role", json!({"role": "Label clerk"})),
        ("remove_organization_member", json!({"organization": "Acme", "member": "ana.ruiz@acme.example"})),
        ("remove_team_member", json!({"team": "Research", "member": "ana.ruiz@acme.example"})),
        ("remove_project_member", json!({"project": "Atlas", "member": "ana.ruiz@acme.example"})),
        ("remove_project_resource", json!({"project": "Atlas", "resource_type": "model", "resource_id": "model-segmenter"})),
        ("cancel_invitation", json!({"organization": "Acme", "invitation": "noor.vandijk@acme.example"})),
        ("delete_logo", json!({"of": "organization", "target": "Acme"})),
        ("invite_organization_member", json!({"organization": "Acme", "email": "juno@acme.example", "role": "Admin"})),
        ("update_organization_member", json!({"organization": "Acme", "member": "ana.ruiz@acme.example", "role": "Admin"})),
        ("add_project_member", json!({"project": "Beacon", "member": "ana.ruiz@acme.example", "roles": ["Project admin"]})),
        ("add_team_member", json!({"team": "Platform", "member": "ana.ruiz@acme.example", "role": "Team lead"})),
        ("create_role", json!({"organization": "Acme", "name": "Boss", "permissions": ["*"]})),
        ("update_role", json!({"role": "Label clerk", "permissions": ["organizations:manage_members"]})),
    ] {
        let before = lab.state();
        silent.fails(tool, arguments, "pending_approval").await;
        assert_eq!((lab.writes(), lab.state()), (Vec::new(), before), "{tool}");
    }
}
