//! Projects, organizations and policies of Globant Enterprise AI.

use crate::{
    company::{column, declined},
    support::json,
    support_geai::{Geai, made, organization, project, system},
};

#[tokio::test]
async fn projects_are_listed_in_brief_and_in_full() {
    let it = Geai::new().await;
    let brief = it.agent.ok("list_projects", json!({ "limit": 2 })).await;
    assert_eq!(column(&brief, "project"), ["Atlas", "Borealis"]);
    assert_eq!(brief["items"][0], json!({ "project": "Atlas", "id": project(1), "organization": "Acme", "status": "active" }));
    assert_eq!((&brief["total"], &brief["has_more"]), (&json!(6), &json!(true)), "{brief}");
    assert_eq!(it.requests(), ["GET /v1/organization/projects?detail=summary"]);
    let next = it.agent.ok("list_projects", json!({ "limit": 4, "cursor": brief["next_cursor"] })).await;
    assert_eq!(column(&next, "project"), ["Cobalt", "Delta Forecast", "Ember", "Fieldnotes"]);
    it.requests();
    let full = it.agent.ok("list_projects", json!({ "query": "COB", "detail": "full" })).await;
    let cobalt = json!({
        "project": "Cobalt", "id": project(3), "organization": "Acme", "status": "active", "description": "The data platform",
        "owners": ["priya.raman@acme.example", "oskar.lindqvist@acme.example"], "members": 5, "api_keys": 1
    });
    assert_eq!(full["items"], json!([cobalt]), "{full}");
    let asked = it.requests();
    assert_eq!((asked.len(), asked[0].as_str()), (2, "GET /v1/organization/projects?detail=full"), "one more for its people: {asked:?}");
}

#[tokio::test]
async fn a_project_is_found_by_name_or_id_and_never_guessed() {
    let it = Geai::new().await;
    let by_id = it.agent.ok("get_project", json!({ "project": project(1) })).await;
    assert_eq!((&by_id["project"], &by_id["api_keys"]), (&json!("Atlas"), &json!(2)), "{by_id}");
    assert_eq!(it.requests(), [format!("GET /v1/organization/project/{}", project(1))], "one request for an id");
    let by_name = it.agent.ok("get_project", json!({ "project": "atlas" })).await;
    assert_eq!(by_name, by_id);
    let none = it.agent.fails("get_project", json!({ "project": "Atlass" }), "project_not_found").await;
    assert_eq!(none["fix"], "did you mean `Atlas`? list_projects has all", "{none}");
    it.sandbox.platform().projects[1].name = "ATLAS".into();
    let two = it.agent.fails("get_project", json!({ "project": "atlas" }), "ambiguous_project").await;
    assert_eq!(two["candidates"], json!([format!("Atlas [{}]", project(1)), format!("ATLAS [{}]", project(2))]), "{two}");
}

#[tokio::test]
async fn a_project_is_created_with_its_administrator_and_limit() {
    let it = Geai::new().await;
    let limit =
        json!({ "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": 80, "hard_limit": 100, "renewal": "Renewable" });
    let op = json!({ "name": "Granite", "description": "Quarries", "admin_email": "Tomas.Quiroga@acme.example", "usage_limit": limit });
    let done = it.agent.ok("create_project", op.clone()).await;
    let after = json!({
        "project": "Granite", "id": made(1), "organization": "Acme", "status": "active", "description": "Quarries", "api_keys": 0
    });
    assert_eq!(done["after"], after, "{done}");
    assert_eq!(done["target"], json!({ "kind": "project", "name": "Granite", "id": made(1), "organization": "Acme" }), "{done}");
    let body = json!({
        "name": "Granite", "administratorUserEmail": "tomas.quiroga@acme.example", "description": "Quarries",
        "usageLimit": { "subscriptionType": "Monthly", "usageUnit": "Cost", "softLimit": 80.0, "hardLimit": 100.0, "renewalStatus": "Renewable" },
    });
    assert_eq!(it.changes(), [format!("POST /v1/organization/project {body}")]);
    let questions = it.agent.questions();
    assert_eq!(questions.len(), 1, "an administrator is made: {questions:?}");
    assert!(
        questions[0].contains("becomes Project administrator of project Granite, with power over others: tomas.quiroga@acme.example"),
        "{questions:?}"
    );
    let before = it.state();
    it.agent.fails("create_project", op, "name_taken").await;
    it.agent.fails("create_project", json!({ "name": "Other" }), "invalid_arguments").await;
    it.agent.fails("create_project", json!({ "name": "a/b", "admin_email": "a@acme.example" }), "invalid_arguments").await;
    let freemium =
        json!({ "subscription_type": "Freemium", "usage_unit": "Cost", "soft_limit": 1, "hard_limit": 2, "renewal": "Renewable" });
    let op = json!({ "name": "Other", "admin_email": "a@acme.example", "usage_limit": freemium });
    it.agent.fails("create_project", op, "renewal_not_allowed").await;
    assert_eq!(it.changes(), [""; 0]);
    assert_eq!(it.state(), before);
}

#[tokio::test]
async fn an_outsider_as_administrator_is_graver() {
    let it = Geai::new().await;
    let op = json!({ "name": "Granite", "admin_email": "lena@studio-vogel.example", "dry_run": true });
    let dry = it.agent.ok("create_project", op).await;
    assert_eq!(dry["impact"]["gravity"], "critical", "{dry}");
    assert_eq!(it.changes(), [""; 0]);
}

#[tokio::test]
async fn what_is_not_named_in_a_change_stays() {
    let it = Geai::new().await;
    let path = format!("/v1/organization/project/{}", project(5));
    let named = it.agent.ok("update_project", json!({ "project": "Ember", "name": "Embers" })).await;
    assert_eq!(it.changes(), [format!(r#"PUT {path} {{"name":"Embers"}}"#)]);
    assert_eq!(named["after"]["description"], "Forest fire warnings", "{named}");
    let described = it.agent.ok("update_project", json!({ "project": "Embers", "description": "Smoke" })).await;
    assert_eq!(it.changes(), [format!(r#"PUT {path} {{"name":"Embers","description":"Smoke"}}"#)]);
    assert_eq!(
        (&described["before"]["description"], &described["after"]["description"]),
        (&json!("Forest fire warnings"), &json!("Smoke"))
    );
    it.agent.ok("update_project", json!({ "project": "Embers", "clear": ["description"] })).await;
    assert_eq!(it.sandbox.platform().projects[4].description, "");
    it.agent.fails("update_project", json!({ "project": "Embers", "name": "Atlas" }), "name_taken").await;
    it.agent.fails("update_project", json!({ "project": "Embers" }), "invalid_arguments").await;
    assert_eq!(it.agent.questions(), [""; 0]);
}

#[tokio::test]
async fn a_project_is_deleted_by_who_types_its_name() {
    let it = Geai::new().await;
    let before = it.state();
    let dry = it.agent.ok("delete_project", json!({ "project": "Atlas", "dry_run": true })).await;
    let losses: Vec<(u64, String)> = dry["impact"]["losses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["count"].as_u64().unwrap(), it["what"].as_str().unwrap().to_owned()))
        .collect();
    let expected = ["1 project ends", "23 people lose access", "1 key stops working", "1 usage limit ends"];
    assert_eq!(losses.iter().map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>(), expected, "{dry}");
    declined(&it.agent, "delete_project", json!({ "project": "Atlas" })).await;
    assert_eq!(it.changes(), [""; 0]);
    assert_eq!(it.state(), before);
    let done = it.agent.ok("delete_project", json!({ "project": "Atlas" })).await;
    assert_eq!((&done["before"]["project"], done.get("after")), (&json!("Atlas"), None), "{done}");
    assert_eq!(it.changes(), [format!("DELETE /v1/organization/project/{}", project(1))]);
    assert_eq!(it.sandbox.platform().projects.len(), 6);
}

#[tokio::test]
async fn organizations_come_from_memberships_and_for_a_system_administrator_from_the_service() {
    let it = Geai::new().await;
    let own = it.agent.ok("list_organizations", json!({})).await;
    assert_eq!(own["items"], json!([{ "organization": "Acme", "id": organization(1) }]), "{own}");
    assert_eq!(it.requests(), ["GET /v2/accessControl/memberships?startPage=1&pageSize=25&orderDirection=desc"]);

    let it = Geai::with(system).await;
    let page = it.agent.ok("list_organizations", json!({ "limit": 1 })).await;
    assert_eq!(column(&page, "organization"), ["Northwind"]);
    let rest = it.agent.ok("list_organizations", json!({ "cursor": page["next_cursor"] })).await;
    assert_eq!(rest["items"], json!([{ "organization": "Acme", "id": organization(1) }]), "{rest}");
    let seen = it.requests();
    assert_eq!(seen[1], "GET /v2/admin/organizations?startPage=2&pageSize=1&orderDirection=desc&orderKey=name");
    let none = it.agent.ok("list_organizations", json!({ "query": "zzz" })).await;
    assert_eq!(none["items"], json!([]), "nothing found is no failure: {none}");
}

#[tokio::test]
async fn a_system_administrator_makes_and_ends_organizations() {
    let it = Geai::with(system).await;
    let done = it.agent.ok("create_organization", json!({ "name": "Basalt", "admin_email": "ana.ruiz@acme.example" })).await;
    assert_eq!(done["after"], json!({ "organization": "Basalt", "id": made(1) }), "{done}");
    assert_eq!(it.changes(), [r#"POST /v2/admin/organizations {"name":"Basalt","administratorUserEmail":"ana.ruiz@acme.example"}"#]);
    assert_eq!(it.agent.questions().len(), 1);
    declined(&it.agent, "delete_organization", json!({ "organization": "Basalt" })).await;
    assert_eq!(it.changes(), [""; 0]);
    let gone = it.agent.ok("delete_organization", json!({ "organization": "basalt" })).await;
    assert_eq!(gone["before"]["organization"], "Basalt", "{gone}");
    assert_eq!(it.changes(), [format!("DELETE /v2/admin/organizations/{}", made(1))]);
    assert!(it.agent.questions().last().unwrap().contains("1 person loses access to the organization"));
    it.agent.fails("create_organization", json!({ "name": "acme", "admin_email": "a@acme.example" }), "name_taken").await;
    // Without that right the tools are not even listed.
    let plain = Geai::new().await;
    assert!(plain.agent.app.catalog.offer("delete_organization").is_err());
}

#[tokio::test]
async fn a_connection_that_is_kept_to_another_organization_changes_nothing() {
    let pinned = |mut it: rolecall::providers::geai::Settings| {
        it.remote.pin = Some("Northwind".into());
        it
    };
    let it = Geai::with(pinned).await;
    let before = it.state();
    for (tool, arguments) in [
        ("delete_project", json!({ "project": "Atlas" })),
        ("update_project", json!({ "project": "Atlas", "name": "Other" })),
        ("create_project", json!({ "name": "Other", "admin_email": "a@acme.example" })),
        (
            "set_usage_limit",
            json!({ "subscription_type": "Daily", "usage_unit": "Cost", "soft_limit": 1, "hard_limit": 1, "renewal": "Renewable" }),
        ),
        ("list_organization_members", json!({})),
    ] {
        it.agent.fails(tool, arguments, "outside_connection").await;
    }
    assert_eq!(it.changes(), [""; 0]);
    assert_eq!(it.state(), before);
    let it = Geai::with(|it| pinned(system(it))).await;
    it.agent.fails("create_organization", json!({ "name": "Basalt", "admin_email": "a@acme.example" }), "outside_connection").await;
    it.agent.fails("delete_organization", json!({ "organization": "Acme" }), "outside_connection").await;
}

#[tokio::test]
async fn policies_are_told_by_name_and_none_is_no_failure() {
    let it = Geai::new().await;
    let told = it.agent.ok("get_runtime_policies", json!({ "organization": "acme" })).await;
    let policies = json!([
        { "name": "chatSharingPermissions", "value": "project" },
        { "name": "externalExecutionPermissions", "value": "none" },
    ]);
    assert_eq!((&told["organization"], &told["policies"]), (&json!("Acme"), &policies), "{told}");
    let path = "/v2/accessControl/organization/plugin-runtime-policies";
    assert_eq!(
        it.requests(),
        ["GET /v1/accessControl/apitoken/validate".to_owned(), format!("GET {path} organization-id: {}", organization(1))]
    );
    it.agent.fails("get_runtime_policies", json!({ "organization": "Northwind" }), "organization_not_found").await;
}

#[tokio::test]
async fn a_connection_tells_what_its_token_is() {
    let it = Geai::new().await;
    let told = it.agent.ok("get_current_user", json!({})).await;
    assert_eq!((&told["user"], &told["scope"]), (&json!("organization API token"), &json!("Pia.Data.Organization")), "{told}");
    let it = Geai::with(system).await;
    let told = it.agent.ok("get_current_user", json!({})).await;
    assert_eq!((&told["user"], &told["scope"]), (&json!("helena.brandt@acme.example"), &json!("OAuth access token")), "{told}");
}
