//! How the connection to SeeMe.ai behaves: signing in, pins, faults, other ways of answering.

use rolecall::providers::{
    Connection,
    seeme::{Identity, connect},
};
use rolecall_sandbox::{
    Fault,
    seeme::{Emptiness, Quirks, Seeme},
};

use crate::{
    lab::Service as _,
    support::{Agent, Options, json},
    support_seeme::Lab,
};

fn faults(list: &[&str]) -> Vec<Fault> {
    list.iter().map(|it| it.parse().unwrap()).collect()
}

/// A connection of hers, perhaps kept to an organization.
fn as_ana(lab: &Lab, pin: Option<&str>) -> Connection {
    let mut settings = Seeme::settings(&lab.sandbox.url);
    settings.identity = Identity::Key("seeme-test-ana".into());
    settings.remote.pin = pin.map(str::to_owned);
    connect(settings)
}

fn login(password: &str) -> Identity {
    Identity::Login { username: "helena".into(), password: password.into() }
}

#[tokio::test]
async fn signing_in_once_serves_many_calls_and_again_when_the_session_ends() {
    let lab = Lab::signed_in(login("seeme-test-helena-password")).await;
    lab.agent.ok("list_teams", json!({})).await;
    lab.agent.ok("list_roles", json!({})).await;
    let sent = lab.writes();
    assert_eq!(sent, [r#"POST login {"username":"helena","password":"seeme-test-helena-password"}"#]);
    lab.sandbox.platform().keys.retain(|it| !it.session);
    lab.agent.ok("list_teams", json!({})).await;
    assert_eq!(lab.writes(), sent, "one more time");
    let logins: Vec<_> = lab.sandbox.journal().into_iter().filter(|it| it.target.ends_with("/login") && it.authorized).collect();
    assert!(logins.is_empty());
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_key_are_told_without_either() {
    for identity in [login("seeme-test-guess"), Identity::Key("seeme-test-wrong".into())] {
        let lab = Lab::signed_in(identity).await;
        let refused = lab.agent.fails("list_teams", json!({}), "unauthenticated").await;
        assert!(!refused.to_string().contains("seeme-test"), "{refused}");
    }
}

#[tokio::test]
async fn health_is_one_look_that_needs_no_permission() {
    let lab = Lab::new().await;
    let connection = as_ana(&lab, None);
    connection.health().await.unwrap();
    assert_eq!(lab.reads(), ["me/context"]);
    let pinned = as_ana(&lab, Some("Nowhere"));
    assert_eq!(pinned.health().await.unwrap_err().code(), "organization_not_found");
}

#[tokio::test]
async fn a_connection_stays_in_its_organization() {
    let lab = Lab::with(Quirks::default(), Some("Acme")).await;
    for (tool, arguments, code) in [
        ("create_team", json!({"organization": "Northwind", "name": "X"}), "outside_connection"),
        ("create_organization", json!({"name": "Other"}), "outside_connection"),
        ("delete_organization", json!({"organization": "Northwind"}), "outside_connection"),
        ("invite_organization_member", json!({"organization": "Northwind", "email": "x@acme.example"}), "outside_connection"),
        ("delete_project", json!({"project": "project-ledger"}), "project_not_found"),
        ("delete_team", json!({"team": "Finance"}), "team_not_found"),
        ("delete_role", json!({"role": "Bookkeeper"}), "role_not_found"),
        ("set_logo", json!({"of": "project", "target": "Ledger", "image": "x"}), "project_not_found"),
        ("update_organization", json!({"organization": "Acme", "name": "Acme maps", "slug": "maps"}), "pinned_name"),
    ] {
        lab.refuses(tool, arguments, code).await;
    }
    assert_eq!(lab.agent.ok("list_organizations", json!({})).await["total"], 1);
    assert_eq!(lab.agent.ok("list_projects", json!({})).await["total"], 2);
    assert_eq!(lab.agent.ok("list_teams", json!({})).await["total"], 2);
    assert_eq!(lab.agent.ok("list_memberships", json!({})).await["total"], 1);
    lab.reads();
    lab.agent.ok("create_team", json!({"name": "Design"})).await;
    assert_eq!(lab.writes(), [r#"POST teams {"name":"Design","organization_id":"organization-acme"}"#]);
}

#[tokio::test]
async fn removals_succeed_however_they_are_answered_and_lists_may_be_null() {
    for empty in [Emptiness::NoContent, Emptiness::NoBody, Emptiness::Json] {
        let lab = Lab::with(Quirks { empty, null_lists: true, ..Quirks::default() }, None).await;
        for (tool, arguments) in [
            ("remove_project_resource", json!({"project": "Atlas", "resource_type": "model", "resource_id": "model-segmenter"})),
            ("remove_project_member", json!({"project": "Atlas", "member": "user-ana"})),
            ("remove_team_member", json!({"team": "Research", "member": "user-ana"})),
            ("cancel_invitation", json!({"organization": "Acme", "invitation": "noor.vandijk@acme.example"})),
            ("remove_organization_member", json!({"organization": "Acme", "member": "user-ana"})),
            ("delete_logo", json!({"of": "organization", "target": "Acme"})),
            ("delete_role", json!({"role": "Label clerk"})),
            ("delete_team", json!({"team": "Research"})),
            ("delete_project", json!({"project": "Atlas"})),
            ("delete_organization", json!({"organization": "Acme"})),
        ] {
            let done = lab.agent.ok(tool, arguments).await;
            assert_eq!(done["status"], "done", "{empty:?} {tool}");
        }
        assert_eq!(lab.writes().len(), 10);
        assert_eq!(lab.agent.ok("list_project_resources", json!({"project": "Ledger"})).await["total"], 0);
    }
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking() {
    let calls = [
        ("create_organization", json!({"name": "Harbour"})),
        ("update_organization", json!({"organization": "Harbour", "description": "Ships"})),
        ("create_team", json!({"organization": "Acme", "name": "Design"})),
        ("update_team", json!({"team": "Design", "name": "Print"})),
        ("add_team_member", json!({"team": "Print", "member": "user-ana"})),
        ("update_team_member", json!({"team": "Print", "member": "user-ana", "role": "Team lead"})),
        ("remove_team_member", json!({"team": "Print", "member": "user-ana"})),
        ("create_project", json!({"organization": "Acme", "name": "Comet"})),
        ("update_project", json!({"project": "Comet", "description": "Fast"})),
        ("add_project_member", json!({"project": "Comet", "member": "user-ana", "roles": ["Project viewer"]})),
        ("update_project_member", json!({"project": "Comet", "member": "user-ana", "role": "Project editor"})),
        ("remove_project_member", json!({"project": "Comet", "member": "user-ana"})),
        ("assign_project_resource", json!({"project": "Comet", "resource_type": "graph", "resource_id": "g-1"})),
        ("remove_project_resource", json!({"project": "Comet", "resource_type": "graph", "resource_id": "g-1"})),
        ("invite_organization_member", json!({"organization": "Acme", "email": "juno@acme.example"})),
        ("cancel_invitation", json!({"organization": "Acme", "invitation": "juno@acme.example"})),
        ("update_organization_member", json!({"organization": "Acme", "member": "user-ana", "role": "Label clerk"})),
        ("remove_organization_member", json!({"organization": "Acme", "member": "user-ana"})),
        ("create_role", json!({"organization": "Acme", "name": "Reader", "permissions": ["models:read"]})),
        ("update_role", json!({"role": "Reader", "permissions": ["models:list"]})),
        ("delete_role", json!({"role": "Reader"})),
        ("set_logo", json!({"of": "project", "target": "Comet", "image": "iVBORw0KGgoAAAANSUhEUgAAAEAAAAAgCAYAAAByZXN0"})),
        ("delete_logo", json!({"of": "project", "target": "Comet"})),
        ("delete_project", json!({"project": "Comet"})),
        ("delete_team", json!({"team": "Print"})),
        ("delete_organization", json!({"organization": "Harbour"})),
    ];
    for fault in ["drop", "503-after", "malformed"] {
        let lab = Lab::with(Quirks { empty: Emptiness::Json, ..Quirks::default() }, None).await;
        for (tool, arguments) in &calls {
            let methods = ["POST", "PUT", "DELETE"].map(|method| format!("{fault}:1@{method}"));
            lab.sandbox.set_faults(faults(&methods.each_ref().map(String::as_str)));
            let done = lab.agent.ok(tool, arguments.clone()).await;
            assert_eq!((&done["status"], lab.writes().len()), (&json!("done"), 1), "{fault} {tool}: sent once and found to be done");
        }
    }
}

#[tokio::test]
async fn what_did_not_take_effect_is_said_to_have_failed() {
    let lab = Lab::new().await;
    let before = lab.state();
    lab.sandbox.set_faults(faults(&["drop-before:1@POST*1"]));
    let failed = lab.agent.fails("create_team", json!({"organization": "Acme", "name": "Design"}), "not_applied").await;
    assert_eq!(failed["fix"], "the call may be repeated");
    assert_eq!((lab.writes().len(), lab.state()), (1, before));
}

#[tokio::test]
async fn reads_are_repeated_and_what_is_refused_is_told_in_the_services_words() {
    let lab = Lab::new().await;
    lab.sandbox.set_faults(faults(&["503:1@GET*1", "html:1@GET*1", "drop-before:1@GET*1"]));
    assert_eq!(lab.agent.ok("list_teams", json!({"organization": "Acme"})).await["total"], 2);
    lab.sandbox.set_faults(Vec::new());
    let ana = Agent::connected(vec![as_ana(&lab, None)], Options::default()).await;
    lab.reads();
    let refused = ana.fails("create_team", json!({"name": "Design"}), "forbidden").await;
    assert_eq!(refused["message"], "permission `teams:create` is missing");
    lab.sandbox.platform().quirks.null_lists = true;
    lab.sandbox.set_faults(faults(&["malformed:1@GET /teams"]));
    let unreadable = lab.agent.fails("list_teams", json!({}), "unreadable_answer").await;
    assert!(!unreadable.to_string().contains("Research"), "{unreadable}");
}
