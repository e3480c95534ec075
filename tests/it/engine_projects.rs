//! Projects and their people at the Engine.

use rolecall_sandbox::{
    Fault,
    engine::{Gateway, Quirks},
};

use crate::{
    support::{Value, json},
    support_engine::{Stage, without_call_id},
};

const SEEDED: &str = "2023-11-14T22:13:20Z";

fn fault(text: &str) -> Vec<Fault> {
    vec![text.parse().unwrap()]
}

fn ids(listed: &Value) -> Vec<&str> {
    listed["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn projects_are_listed_and_read_without_their_storage() {
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        let listed = stage.agent.ok("list_projects", json!({ "organization": "Acme Research" })).await;
        assert_eq!(
            listed,
            json!({
                "items": [
                    { "project": "Churn forecast", "id": "p-2", "organization": "Acme Research" },
                    { "project": "Demand planning", "id": "p-4", "organization": "Acme Research" },
                    { "project": "Invoice matching", "id": "p-3", "organization": "Acme Research" },
                ],
                "shown": 3, "has_more": false, "total": 3, "connection": "lab",
            })
        );
        assert_eq!(stage.asked(), ["GET orgs", "GET orgs/o-2/projects"]);
        let full = json!({
            "project": "Churn forecast", "id": "p-2", "organization": "Acme Research", "description": "Which customers may leave",
            "created_at": SEEDED,
        });
        let mut whole = full.clone();
        (whole["owners"], whole["members"]) = (json!(["helena.brandt@acme.example"]), json!(3));
        let detailed = stage.agent.ok("list_projects", json!({ "organization": "o-2", "query": "churn", "detail": "full" })).await;
        assert_eq!(detailed["items"], json!([whole]));
        let mut read = full.clone();
        read["connection"] = "lab".into();
        stage.sandbox.clear_journal();
        assert_eq!(stage.agent.ok("get_project", json!({ "project": "churn FORECAST" })).await, read);
        let last = stage.asked().pop();
        assert_eq!(last.as_deref(), Some("GET projects/p-2"));
    }
}

#[tokio::test]
async fn a_name_that_two_projects_have_is_not_guessed() {
    let stage = Stage::new().await;
    assert_eq!(ids(&stage.agent.ok("list_projects", json!({})).await), ["p-2", "p-1", "p-4", "p-3", "p-5"]);
    let answer = stage.agent.fails("get_project", json!({ "project": "Demand planning" }), "ambiguous_project").await;
    assert_eq!(answer["candidates"], json!(["Demand planning [p-1] in Northwind Analytics", "Demand planning [p-4] in Acme Research"]));
    let one = stage.agent.ok("get_project", json!({ "project": answer["candidates"][1] })).await;
    assert_eq!(one["id"], "p-4");
    let answer = stage.agent.fails("get_project", json!({ "project": "Demand planing" }), "project_not_found").await;
    assert_eq!(answer["fix"], "did you mean `Demand planning`? list_projects has all of them");
}

#[tokio::test]
async fn a_project_is_created_changed_and_deleted() {
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        let made = stage.agent.ok("create_project", json!({ "name": "Routing", "description": "Trucks", "organization": "o-2" })).await;
        let id = made["after"]["id"].as_str().unwrap().to_owned();
        let target = json!({ "kind": "project", "name": "Routing", "id": id, "organization": "Acme Research" });
        let created = json!({
            "project": "Routing", "id": id, "organization": "Acme Research", "description": "Trucks", "created_at": "2023-11-14T22:14:20Z",
        });
        let body = json!({ "name": "Routing", "description": "Trucks", "org_id": "o-2" });
        assert_eq!(stage.sent(), [("POST projects".to_owned(), body)]);
        assert_eq!(
            without_call_id(made),
            json!({ "status": "done", "target": target, "after": created, "undo": "delete_project", "connection": "lab" })
        );

        let changed = stage.agent.ok("update_project", json!({ "project": "Routing", "name": "Routes" })).await;
        assert_eq!(stage.sent(), [(format!("PUT projects/{id}"), json!({ "name": "Routes", "description": "Trucks" }))]);
        let mut after = created.clone();
        after["project"] = "Routes".into();
        let undo = "update_project with the values in `before`";
        assert_eq!(
            without_call_id(changed),
            json!({ "status": "done", "target": target, "before": created, "after": after, "undo": undo, "connection": "lab" })
        );
        stage.agent.ok("update_project", json!({ "project": "Routes", "clear": ["description"] })).await;
        assert_eq!(stage.sent(), [(format!("PUT projects/{id}"), json!({ "name": "Routes", "description": "" }))]);

        let gone = stage.agent.ok("delete_project", json!({ "project": id })).await;
        assert_eq!(stage.sent(), [(format!("DELETE projects/{id}"), Value::Null)]);
        after.as_object_mut().unwrap().remove("description");
        let target = json!({ "kind": "project", "name": "Routes", "id": id, "organization": "Acme Research" });
        assert_eq!(without_call_id(gone), json!({ "status": "done", "target": target, "before": after, "connection": "lab" }));
    }
}

#[tokio::test]
async fn a_deletion_of_a_project_names_who_loses_it() {
    let stage = Stage::new().await;
    let preview = stage.agent.ok("delete_project", json!({ "project": "Invoice matching", "dry_run": true })).await;
    assert_eq!(
        preview["impact"],
        json!({
            "gravity": "high",
            "losses": [
                { "count": 1, "what": "project ends", "examples": ["Invoice matching"] },
                {
                    "count": 3, "what": "people lose access",
                    "examples": ["Tomas.Quiroga@acme.example", "ada@northwind.example", "lena@studio-vogel.example"],
                },
            ],
            "notes": ["its datasets, recipes, models and apps end with it"],
        })
    );
    for arguments in [json!({ "project": "p-2" }), json!({ "project": "p-2", "clear": ["external_key_id"] })] {
        stage.refuses("update_project", arguments, "invalid_arguments").await;
    }
    let same = stage.agent.ok("create_project", json!({ "name": "churn forecast", "organization": "o-2", "dry_run": true })).await;
    let note = "Acme Research has a project of this name already; by name neither can be meant any more";
    assert_eq!(same["impact"]["notes"], json!([note]));
    assert_eq!(stage.sent(), []);
}

#[tokio::test]
async fn lost_answers_about_projects_are_looked_up() {
    let stage = Stage::new().await;
    stage.agent.ok("list_organizations", json!({})).await; // signs in
    stage.sandbox.set_faults(fault("malformed:1@POST /projects*1"));
    let made = stage.agent.ok("create_project", json!({ "name": "Routing", "organization": "o-2" })).await;
    let id = made["after"]["id"].clone();
    stage.sandbox.set_faults(fault("drop:1@PUT*1"));
    assert_eq!(stage.agent.ok("update_project", json!({ "project": id, "name": "Routes" })).await["after"]["project"], "Routes");
    stage.sandbox.set_faults(fault("503-after:1@POST /users*1"));
    let added = stage.agent.ok("add_project_member", json!({ "project": id, "member": "u-5", "roles": ["viewer"] })).await;
    assert_eq!(added["after"]["roles"], json!(["Project Viewer"]));
    stage.sandbox.set_faults(fault("drop:1@DELETE /users*1"));
    stage.agent.ok("remove_project_member", json!({ "project": id, "member": "u-5" })).await;
    stage.sandbox.set_faults(fault("drop:1@DELETE*1"));
    stage.agent.ok("delete_project", json!({ "project": id })).await;
    assert_eq!(stage.sent().len(), 5, "nothing was sent twice");
}

#[tokio::test]
async fn people_of_a_project_are_listed_and_read() {
    let lena = json!({
        "member": "lena@studio-vogel.example", "name": "Lena Vogel", "id": "u-10", "roles": ["Project Viewer"], "status": "external",
        "organization": "Acme Research", "project": "Invoice matching",
    });
    for gateway in [Gateway::Older, Gateway::Newer] {
        let stage = Stage::with(Quirks { gateway, ..Quirks::default() }, |_| {}).await;
        let listed = stage.agent.ok("list_project_members", json!({ "project": "Invoice matching" })).await;
        assert_eq!(ids(&listed), ["u-1", "u-10", "u-4"]);
        assert_eq!(listed["items"][1], lena);
        let owners = stage.agent.ok("list_project_members", json!({ "project": "p-3", "role": "owner" })).await;
        assert_eq!(ids(&owners), ["u-4"]);
        assert_eq!(ids(&stage.agent.ok("list_project_members", json!({ "project": "p-3", "query": "vogel" })).await), ["u-10"]);
        stage.sandbox.clear_journal();
        let mut one = stage.agent.ok("get_project_member", json!({ "project": "p-3", "member": "lena@studio-vogel.example" })).await;
        assert_eq!(stage.asked().pop().as_deref(), Some("GET projects/p-3/users/u-10"));
        one.as_object_mut().unwrap().remove("connection");
        assert_eq!(one, lena);
    }
}

#[tokio::test]
async fn a_person_comes_into_a_project_and_leaves_it() {
    let stage = Stage::new().await;
    let added =
        stage.agent.ok("add_project_member", json!({ "project": "p-2", "member": "priya.raman@acme.example", "roles": ["Editor"] })).await;
    let body = json!({ "user_id": "u-6", "role_id": "r-project-editor" });
    assert_eq!(stage.sent(), [("POST projects/p-2/users".to_owned(), body)]);
    let target = json!({
        "kind": "member", "name": "priya.raman@acme.example", "id": "u-6", "within": "project Churn forecast [p-2]",
        "organization": "Acme Research",
    });
    let priya = json!({
        "member": "priya.raman@acme.example", "name": "Priya Raman", "id": "u-6", "roles": ["Project Editor"],
        "organization": "Acme Research", "project": "Churn forecast",
    });
    let done = json!({ "status": "done", "target": target, "after": priya, "undo": "remove_project_member", "connection": "lab" });
    assert_eq!(without_call_id(added), done);
    assert_eq!(stage.agent.questions(), Vec::<String>::new());

    let removed = stage.agent.ok("remove_project_member", json!({ "project": "p-2", "member": "u-6" })).await;
    assert_eq!(stage.sent(), [("DELETE projects/p-2/users/u-6".to_owned(), Value::Null)]);
    let undo = "add_project_member with roles Project Editor";
    assert_eq!(without_call_id(removed), json!({ "status": "done", "target": target, "before": priya, "undo": undo, "connection": "lab" }));
    assert!(stage.agent.questions().pop().unwrap().ends_with("To confirm, type: priya.raman@acme.example"));
}

#[tokio::test]
async fn who_comes_from_outside_is_asked_about_and_cannot_own() {
    let stage = Stage::new().await;
    let lin = json!({ "project": "p-2", "member": "lin@northwind.example", "roles": ["ProjectViewer"], "dry_run": true });
    let preview = stage.agent.ok("add_project_member", lin).await;
    assert_eq!(
        preview["impact"],
        json!({
            "gravity": "low",
            "notes": [
                "joins project Churn forecast as Project Viewer: lin@northwind.example",
                "comes in from outside of Acme Research, as an external user",
            ],
            "undo": "remove_project_member",
        })
    );
    let added =
        stage.agent.ok("add_project_member", json!({ "project": "p-2", "member": "lin@northwind.example", "roles": ["viewer"] })).await;
    assert_eq!(added["after"]["status"], "external");
    let owner = |member: &str| json!({ "project": "p-2", "member": member, "roles": ["owner"] });
    stage.refuses("add_project_member", owner("lena@studio-vogel.example"), "external_owner").await;
    let preview = json!({ "project": "p-2", "member": "u-6", "roles": ["owner"], "dry_run": true });
    assert_eq!(stage.agent.ok("add_project_member", preview).await["impact"]["gravity"], "low");
}

#[tokio::test]
async fn who_cannot_come_in_or_leave_is_said_before_anything_is_sent() {
    let stage = Stage::new().await;
    for (arguments, code) in [
        (json!({ "project": "p-2", "member": "ana.ruiz@acme.example", "roles": ["viewer"] }), "already_member"),
        (json!({ "project": "p-2", "member": "nobody@acme.example", "roles": ["viewer"] }), "user_not_found"),
        (json!({ "project": "p-2", "member": "u-99", "roles": ["viewer"] }), "user_not_found"),
        (json!({ "project": "p-2", "member": "u-6", "roles": ["boss"] }), "role_not_found"),
        (json!({ "project": "p-2", "member": "u-6", "roles": ["OrgViewer"] }), "invalid_arguments"),
        (json!({ "project": "p-2", "member": "u-6", "roles": ["viewer", "editor"] }), "invalid_arguments"),
        (json!({ "project": "p-2", "member": "u-6", "roles": [] }), "invalid_arguments"),
    ] {
        stage.refuses("add_project_member", arguments, code).await;
    }
    stage.refuses("remove_project_member", json!({ "project": "p-2", "member": "helena.brandt@acme.example" }), "last_owner").await;
    stage.refuses("remove_project_member", json!({ "project": "p-2", "member": "u-6" }), "already_gone").await;
}

#[tokio::test]
async fn many_people_cost_few_reads() {
    let stage = Stage::new().await;
    {
        let mut platform = stage.sandbox.platform();
        for number in 200..260 {
            let account = rolecall_sandbox::engine::Account {
                id: format!("u-{number}"),
                email: format!("person.{number}@acme.example"),
                display_name: format!("Person {number}"),
                ..platform.accounts[0].clone()
            };
            platform.accounts.push(account);
            let seat = rolecall_sandbox::engine::Seat { user: format!("u-{number}"), role: "r-viewer".into() };
            platform.orgs[1].seats.push(seat);
        }
    }
    let mut csv = String::from("project,member,roles\n");
    for number in 200..260 {
        csv.push_str(&format!("Churn forecast,person.{number}@acme.example,viewer\n"));
    }
    csv.push_str(
        "Churn forecast,ana.ruiz@acme.example,viewer\nChurn forecast,person.200@acme.example,viewer\nChurn forecast,nobody,viewer\n",
    );
    stage.agent.ok("list_organizations", json!({})).await; // signs in
    stage.sandbox.set_faults(vec!["drop:1@POST /users*1".parse().unwrap(), "429:1@POST /users*1".parse().unwrap()]);
    stage.sandbox.clear_journal();
    let receipt = stage.agent.ok("add_project_members", json!({ "csv": csv })).await;
    let batch = &receipt["after"];
    assert_eq!(
        (&batch["done"], &batch["skipped"], &batch["failed"], &batch["unknown"]),
        (&json!(60), &json!(2), &json!(1), &json!(0)),
        "{batch}"
    );
    let asked = stage.asked();
    // Each plan of all rows costs eight, however many rows there are, and a lost answer one more look.
    let reads = asked.iter().filter(|it| it.starts_with("GET")).count();
    assert!(reads < 40, "{reads} reads: {asked:?}");
    // Each was sent once; one more after the 429, of which nothing came.
    assert_eq!(asked.iter().filter(|it| it.starts_with("POST")).count(), 61);
    assert_eq!(stage.sandbox.platform().projects[1].seats.len(), 63);
    assert_eq!(stage.agent.questions().len(), 1, "one question for all, though nobody gains power");
}
