//! Projects of SeeMe.ai, their people and their resources.

use rolecall_sandbox::{
    Fault, Platform as _, Seed,
    seeme::{Quirks, Seeme},
};

use crate::{
    support::{Options, Person, Value, json},
    support_seeme::Lab,
};

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|it| it["project"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn projects_are_listed_by_the_request_that_fits() {
    let lab = Lab::new().await;
    for (arguments, found, request) in [
        (json!({}), &["Atlas", "Beacon", "Ledger"][..], "projects"),
        (json!({"organization": "Acme"}), &["Atlas", "Beacon"], "organizations/organization-acme/projects"),
        (json!({"team": "Research"}), &["Atlas"], "projects?team_id=team-research"),
        (
            json!({"organization": "Acme", "team": "Research"}),
            &["Atlas"],
            "projects?organization_id=organization-acme&team_id=team-research",
        ),
        (json!({"query": "led"}), &["Ledger"], "projects"),
    ] {
        let listed = lab.agent.ok("list_projects", arguments.clone()).await;
        assert_eq!(names(&listed), found, "{arguments}");
        assert!(lab.reads().contains(&request.to_owned()), "{arguments}");
    }
    let read = lab.agent.ok("get_project", json!({"project": "atlas"})).await;
    assert_eq!((&read["team"], &read["organization"], &read["members"]), (&json!("Research"), &json!("Acme"), &json!(2)));
    assert!(lab.reads().contains(&"projects/project-atlas".to_owned()));
    let page = lab.agent.ok("list_projects", json!({"limit": 2})).await;
    let rest = lab.agent.ok("list_projects", json!({"limit": 2, "cursor": page["next_cursor"]})).await;
    assert_eq!((names(&page), names(&rest)), (vec!["Atlas", "Beacon"], vec!["Ledger"]));
}

#[tokio::test]
async fn a_project_is_created_changed_and_deleted() {
    let lab = Lab::new().await;
    let body = json!({"organization": "Acme", "name": "Comet", "team": "Platform", "slug": "comet"});
    let made = lab.agent.ok("create_project", body).await;
    let post = r#"POST projects {"name":"Comet","organization_id":"organization-acme","team_id":"team-platform","slug":"comet"}"#;
    assert_eq!(lab.writes(), [post]);
    assert_eq!((&made["after"]["team"], &made["after"]["slug"]), (&json!("Platform"), &json!("comet")));
    let id = made["target"]["id"].as_str().unwrap().to_owned();
    let foreign = json!({"organization": "Acme", "name": "Other", "team": "Finance"});
    lab.refuses("create_project", foreign, "team_not_found").await;

    lab.agent.ok("update_project", json!({"project": "Atlas", "description": "All maps"})).await;
    let [put] = lab.writes().try_into().unwrap();
    let body: Value = serde_json::from_str(put.strip_prefix("PUT projects/project-atlas ").unwrap()).unwrap();
    let kept = (&body["description"], &body["visibility"], &body["settings"], &body["notes"], &body["team_id"], &body["organization_id"]);
    let whole = (
        json!("All maps"),
        json!("team"),
        json!({"tiles": 12}),
        json!("reviewed in spring"),
        json!("team-research"),
        json!("organization-acme"),
    );
    assert_eq!(kept, (&whole.0, &whole.1, &whole.2, &whole.3, &whole.4, &whole.5));
    assert_eq!(body.get("member_count"), None);

    lab.agent.ok("delete_project", json!({"project": "Comet"})).await;
    assert_eq!(lab.writes(), [format!("DELETE projects/{id}")]);
    let plan = lab.agent.ok("delete_project", json!({"project": "Atlas", "dry_run": true})).await;
    let losses = json!([
        {"count": 1, "what": "project ends", "examples": ["Atlas"]},
        {"count": 2, "what": "people lose access", "examples": ["oskar.lindqvist@acme.example", "ana.ruiz@acme.example"]},
        {"count": 2, "what": "resources left without a project", "examples": ["model model-segmenter", "dataset dataset-tiles"]},
    ]);
    assert_eq!((&plan["impact"]["gravity"], &plan["impact"]["losses"]), (&json!("high"), &losses));
}

#[tokio::test]
async fn a_former_value_that_no_argument_may_hold_is_said_by_undo_and_not_emptied() {
    let mut service = Seeme::seeded(Seed::Acme);
    let atlas = service.places.iter_mut().find(|it| it.id == "project-atlas").unwrap();
    atlas.description = "long ".repeat(300);
    let lab = Lab::at(service, |_| {}, Options::default()).await;
    let done = lab.agent.ok("update_project", json!({"project": "Atlas", "description": "short"})).await;
    assert_eq!(lab.writes().len(), 1);
    let told = lab.agent.call("undo", json!({"call_id": done["call_id"]})).await.to_string();
    assert!(told.contains("is not a text of 1 to 1000 characters"), "{told}");
    assert_eq!(lab.writes(), [""; 0]);
}

#[tokio::test]
async fn people_join_change_and_leave_a_project() {
    let lab = Lab::new().await;
    let mei = json!({"project": "Atlas", "member": "mei.tanaka@acme.example"});
    let joins = json!({"project": "Atlas", "member": "mei.tanaka@acme.example", "roles": ["Project viewer"]});
    let made = lab.agent.ok("add_project_member", joins.clone()).await;
    assert_eq!(lab.writes(), [r#"POST projects/project-atlas/members {"user_id":"user-mei","role_id":"role-project_viewer"}"#]);
    assert_eq!((&made["after"]["project"], &made["after"]["roles"]), (&json!("Atlas"), &json!(["Project viewer"])));
    lab.refuses("add_project_member", joins, "already_member").await;
    let two = json!({"project": "Beacon", "member": "user-mei", "roles": ["Project viewer", "Project editor"]});
    lab.refuses("add_project_member", two, "invalid_arguments").await;
    let read = lab.agent.ok("get_project_member", mei.clone()).await;
    assert_eq!((&read["id"], &read["status"]), (&json!("user-mei"), &json!("active")));
    let viewers = lab.agent.ok("list_project_members", json!({"project": "Atlas", "role": "project_viewer"})).await;
    assert_eq!(viewers["total"], 2);
    let id = lab.state()["members"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    let admin = lab.agent.ok("update_project_member", json!({"project": "Atlas", "member": "Mei Tanaka", "role": "Project admin"})).await;
    assert_eq!(lab.writes(), [format!(r#"PUT projects/project-atlas/members/{id}/role {{"role_id":"role-project_admin"}}"#)]);
    assert_eq!(admin["after"]["roles"], json!(["Project admin"]));
    lab.agent.ok("remove_project_member", mei).await;
    assert_eq!(lab.writes(), [format!("DELETE projects/project-atlas/members/{id}")]);
    assert_eq!(lab.agent.questions().len(), 2, "about the admin and the removal");
}

#[tokio::test]
async fn who_is_no_member_is_added_by_address_after_a_question() {
    let lab = Lab::new().await;
    let juno = json!({"project": "Beacon", "member": "juno@acme.example", "roles": ["Project viewer"]});
    let made = lab.agent.ok("add_project_member", juno).await;
    assert_eq!(lab.writes(), [r#"POST projects/project-beacon/members {"email":"juno@acme.example","role_id":"role-project_viewer"}"#]);
    assert_eq!((&made["after"]["status"], &made["after"]["member"]), (&json!("invited"), &json!("juno@acme.example")));
    assert!(lab.agent.questions()[0].contains("is not a member of Acme and may be invited to it: juno@acme.example"));
    assert!(!made.to_string().contains("token-"));
    lab.agent.ok("remove_project_member", json!({"project": "Beacon", "member": "juno@acme.example"})).await;
    assert_eq!(lab.state()["members"].as_array().unwrap().len(), 16);
}

#[tokio::test]
async fn a_service_that_wants_an_address_gets_one() {
    let lab = Lab::with(Quirks { add_by_email_only: true, ..Quirks::default() }, None).await;
    let ana = json!({"project": "Beacon", "member": "user-ana", "roles": ["Project viewer"]});
    let made = lab.agent.ok("add_project_member", ana).await;
    let by_id = r#"POST projects/project-beacon/members {"user_id":"user-ana","role_id":"role-project_viewer"}"#;
    let by_email = r#"POST projects/project-beacon/members {"email":"ana.ruiz@acme.example","role_id":"role-project_viewer"}"#;
    assert_eq!(lab.writes(), [by_id, by_email]);
    assert_eq!(made["after"]["id"], "user-ana");
}

#[tokio::test]
async fn many_people_are_added_with_an_outcome_each() {
    let lab = Lab::new().await;
    let csv = "project,member,role\n\
               Beacon,ana.ruiz@acme.example,Project viewer\n\
               Beacon,mei.tanaka@acme.example,Project viewer\n\
               Beacon,Ana Ruiz,Project viewer\n\
               Beacon,priya.raman@acme.example,Project viewer\n\
               Beacon,oskar.lindqvist@acme.example,Emperor\n\
               Nowhere,oskar.lindqvist@acme.example,Project viewer\n\
               Atlas,mei.tanaka@acme.example,Project admin\n\
               Beacon,nobody,Project viewer\n";
    // The answer to one addition is lost after it took effect.
    lab.sandbox.set_faults(vec!["drop:1@POST /project-atlas/members*1".parse::<Fault>().unwrap()]);
    let batch = lab.agent.ok("add_project_members", json!({"csv": csv})).await;
    let told =
        |it: &Value| format!("{} {} {}", it["member"].as_str().unwrap(), it["project"].as_str().unwrap(), it["outcome"].as_str().unwrap());
    let told: Vec<_> = batch["after"]["items"].as_array().unwrap().iter().map(told).collect();
    let rows = [
        "ana.ruiz@acme.example Beacon done",
        "mei.tanaka@acme.example Beacon done",
        "ana.ruiz@acme.example Beacon skipped",
        "priya.raman@acme.example Beacon differs",
        "oskar.lindqvist@acme.example Beacon failed",
        "oskar.lindqvist@acme.example Nowhere failed",
        "mei.tanaka@acme.example Atlas done",
        "nobody Beacon failed",
    ];
    assert_eq!(told, rows);
    assert_eq!(lab.agent.questions().len(), 1, "one question for all");
    let mut writes = lab.writes();
    writes.sort();
    let sent = |project: &str, user: &str, role: &str| {
        format!(r#"POST projects/project-{project}/members {{"user_id":"user-{user}","role_id":"role-{role}"}}"#)
    };
    assert_eq!(
        writes,
        [sent("atlas", "mei", "project_admin"), sent("beacon", "ana", "project_viewer"), sent("beacon", "mei", "project_viewer")]
    );
}

#[tokio::test]
async fn planning_many_people_takes_few_requests() {
    let lab = Lab::new().await;
    let row = |at: usize| json!({"project": "Beacon", "member": format!("person-{at}@acme.example"), "roles": ["Project viewer"]});
    let people: Vec<_> = (0..200).map(row).collect();
    lab.agent.ok("add_project_members", json!({"people": people, "dry_run": true})).await;
    let mut reads = lab.reads();
    reads.sort();
    let few = [
        "organizations",
        "organizations/organization-acme/members",
        "organizations/organization-acme/roles",
        "projects",
        "projects/project-beacon/members",
    ];
    assert_eq!(reads, few);
}

#[tokio::test]
async fn resources_are_listed_assigned_and_removed() {
    let lab = Lab::new().await;
    let listed = lab.agent.ok("list_project_resources", json!({"project": "Atlas", "resource_type": "Model"})).await;
    let model =
        json!({"resource_type": "model", "resource_id": "model-segmenter", "project": "Atlas", "assigned_at": "2026-01-05T08:00:00Z"});
    assert_eq!(listed["items"], json!([model]));
    lab.reads();
    let graph = json!({"project": "Atlas", "resource_type": "graph", "resource_id": "roads/2026 (a?b#c)%"});
    lab.agent.ok("assign_project_resource", graph.clone()).await;
    assert_eq!(lab.writes(), [r#"POST projects/project-atlas/resources {"resource_type":"graph","resource_id":"roads/2026 (a?b#c)%"}"#]);
    lab.refuses("assign_project_resource", graph.clone(), "already_assigned").await;
    let removed = lab.agent.ok("remove_project_resource", graph.clone()).await;
    assert_eq!(lab.writes(), ["DELETE projects/project-atlas/resources/graph/roads%2F2026%20%28a%3Fb%23c%29%25"]);
    assert_eq!(removed["undo"], "assign_project_resource");
    lab.refuses("remove_project_resource", graph, "resource_not_found").await;
    let odd = json!({"project": "Atlas", "resource_type": "camera", "resource_id": "c-1"});
    let refused = lab.refuses("assign_project_resource", odd, "invalid_arguments").await;
    assert_eq!(refused["fix"], "use one of: model, dataset, workflow, graph");
    let silent = lab.agent.with(crate::support::Era::Legacy, Person::Declines).await;
    let model = json!({"project": "Atlas", "resource_type": "model", "resource_id": "model-segmenter"});
    silent.fails("remove_project_resource", model, "declined").await;
    assert!(silent.questions()[0].contains("2 people can no longer use it here"));
}
