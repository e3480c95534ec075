//! Taking changes back at the Engine: the calls that the ledger names lead to where everything was.

use crate::{
    support::{Value, json},
    support_engine::Stage,
};

/// Who is where with which role, and what things are called.
fn facts(stage: &Stage) -> Value {
    let platform = stage.sandbox.platform();
    let orgs: Vec<_> = platform.orgs.iter().map(|it| json!([it.name, it.description, it.logo_url, sorted(&it.seats)])).collect();
    let projects: Vec<_> = platform.projects.iter().map(|it| json!([it.name, it.description, sorted(&it.seats)])).collect();
    json!([orgs, projects])
}

fn sorted(seats: &[rolecall_sandbox::engine::Seat]) -> Vec<String> {
    let mut seats: Vec<String> = seats.iter().map(|it| format!("{} {}", it.user, it.role)).collect();
    seats.sort();
    seats
}

#[tokio::test]
async fn what_was_changed_is_taken_back_by_the_calls_that_the_ledger_names() {
    let stage = Stage::new().await;
    let before = facts(&stage);
    for (tool, arguments) in [
        ("create_organization", json!({ "name": "Acme Pilots" })),
        ("update_organization", json!({ "organization": "o-2", "name": "Acme Science", "description": "Science" })),
        ("update_organization", json!({ "organization": "o-2", "clear": ["description"] })),
        ("add_organization_member", json!({ "email": "lin@northwind.example", "role": "owner", "organization": "o-1" })),
        ("create_user", json!({ "email": "mei@acme.example", "name": "Mei Tanaka", "organization": "o-2" })),
        ("remove_organization_member", json!({ "member": "u-2", "organization": "o-2" })),
        ("create_project", json!({ "name": "Routing", "organization": "o-2" })),
        ("update_project", json!({ "project": "p-3", "description": "Which belong together" })),
        ("update_project", json!({ "project": "p-2", "name": "Churn", "clear": ["description"] })),
        ("add_project_member", json!({ "project": "p-2", "member": "u-6", "roles": ["editor"] })),
        ("remove_project_member", json!({ "project": "p-2", "member": "u-4" })),
    ] {
        stage.agent.ok(tool, arguments.clone()).await;
        assert_ne!(facts(&stage), before, "{tool} {arguments}");
        let calls = stage.inverse().await;
        assert!(!calls.is_empty(), "{tool} {arguments}");
        for call in &calls {
            stage.agent.ok(call["tool"].as_str().unwrap(), call["arguments"].clone()).await;
        }
        assert_eq!(facts(&stage), before, "{tool} {arguments}: {calls:?}");
    }
    for (tool, arguments) in [("delete_project", json!({ "project": "p-2" })), ("delete_organization", json!({ "organization": "o-2" }))] {
        stage.agent.ok(tool, arguments).await;
        assert_eq!(stage.inverse().await, Vec::<Value>::new(), "{tool}");
    }
}
