//! Projects with their owners and how many are in them.

use rolecall::{
    access,
    domain::{
        OrganizationRef,
        access::{GrantScope, Place},
    },
    providers::local,
    store::Db,
};

use crate::{
    company,
    practice::{Everywhere, Provider, World},
    support::{Agent, Options, Store, Value, json},
};

fn items(list: &Value) -> &Vec<Value> {
    list["items"].as_array().unwrap()
}

/// Three hundred projects that one person owns; made by calls they would take a minute.
async fn three_hundred(agent: &Agent, owner: &str) {
    let mut tx = agent.db().recording().begin().await.unwrap();
    let owner = format!("SELECT id FROM users WHERE email = '{}'", company::email(owner));
    for it in 0..300 {
        for sql in [
            format!(
                "INSERT INTO projects (id, organization_id, name, name_key, slug, status, created_at) \
                 SELECT 'prj_{it:03}', id, 'P {it:03}', 'p {it:03}', 'p-{it:03}', 'active', 0 FROM organizations"
            ),
            format!("INSERT INTO project_members (project_id, user_id, joined_at) SELECT 'prj_{it:03}', id, 0 FROM ({owner}) o"),
            format!(
                "INSERT INTO role_assignments (id, organization_id, project_id, role_id, user_id, created_at) \
                 SELECT 'asg_{it:03}', p.organization_id, p.id, 'role_project_owner', o.id, 0 FROM projects p, ({owner}) o \
                 WHERE p.id = 'prj_{it:03}'"
            ),
        ] {
            assert_eq!(tx.run(&sql, &[]).await.unwrap(), 1, "{sql}");
        }
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn three_hundred_projects_come_with_owners_and_counts_in_three_calls() {
    for agent in Agent::each().await {
        company::acme(&agent, &["ana", "bo", "cem"]).await;
        company::team(&agent, "Data", &["bo", "cem"]).await;
        three_hundred(&agent, "ana").await;
        company::join(&agent, "P 007", "bo", &["member"]).await;
        agent.ok("add_project_team", json!({ "project": "P 007", "team": "Data", "role": "owner" })).await;
        let mut all = Vec::new();
        let mut cursor = Value::Null;
        for _ in 0..3 {
            let page = agent.ok("list_projects", json!({ "detail": "full", "limit": 100, "cursor": cursor })).await;
            all.extend(items(&page).clone());
            cursor = page["next_cursor"].clone();
        }
        assert!(cursor.is_null());
        assert_eq!(all.len(), 300);
        for it in &all {
            let (owners, members) = if it["project"] == "P 007" {
                // Bo is in it himself and through the team, and counts once.
                (json!(["ana@acme.example", "bo@acme.example", "cem@acme.example"]), 3)
            } else {
                (json!(["ana@acme.example"]), 1)
            };
            assert_eq!((&it["owners"], &it["members"]), (&owners, &json!(members)), "{it}");
        }
        let one = agent.ok("get_project", json!({ "project": "P 007" })).await;
        assert_eq!((&one["members"], one["owners"].as_array().unwrap().len()), (&json!(3), 3), "{one}");
        let found = agent.ok("list_projects", json!({ "owners": 3 })).await;
        assert_eq!((company::column(&found, "project"), &found["total"]), (vec!["P 007".to_owned()], &json!(1)), "{found}");
        let cems = agent.ok("list_projects", json!({ "owner": "cem@acme.example" })).await;
        assert_eq!(company::column(&cems, "project"), ["P 007"], "{cems}");
        let nobodys = agent.ok("list_projects", json!({ "owners": 0 })).await;
        assert_eq!(items(&nobodys).len(), 0, "{nobodys}");
    }
}

#[tokio::test]
async fn the_directory_counts_as_the_grants_tell() {
    let store = Store::sqlite();
    let db = Db::open(&store.url).await.unwrap();
    local::seed::seed(&db, "acme").await.unwrap();
    let connection = local::connect("local", db, local::Settings::default());
    let agent = Agent::on(&store, Options::default()).await;
    for organization in ["Acme", "Acme Labs", "Northwind Traders"] {
        let named = OrganizationRef::try_from(organization.to_owned()).unwrap();
        let grants = connection.grants(GrantScope::Organization(Some(named))).await.unwrap().unwrap().list;
        let listed = agent.ok("list_projects", json!({ "organization": organization, "detail": "full", "limit": 100 })).await;
        assert!(!items(&listed).is_empty());
        for it in items(&listed) {
            let place =
                grants.iter().map(|it| &it.place).find(|place| matches!(place, Place::Project { project, .. } if project.id == it["id"]));
            let census = place.map(|place| access::census(&grants, place)).unwrap_or_default();
            let mut owners: Vec<&str> = census.owners.iter().map(|it| it.label()).collect();
            owners.sort_unstable();
            assert_eq!((&it["owners"], &it["members"]), (&json!(owners), &json!(census.people)), "{it}");
        }
    }
}

#[tokio::test]
async fn services_tell_owners_and_people_of_their_projects_and_are_asked_a_bounded_number_of_times() {
    for provider in [Provider::Geai, Provider::Openai, Provider::Seeme, Provider::Engine] {
        let world = World::of(provider, Options::default()).await;
        let agent = &world.agent;
        let full = agent.ok("list_projects", json!({ "detail": "full", "limit": 100 })).await;
        let some = items(&full);
        assert!(some.iter().any(|it| it["members"].as_u64() > Some(0)), "{provider:?}: {full}");
        for it in some {
            let people = agent.ok("list_project_members", json!({ "project": it["id"], "limit": 100 })).await;
            let mut once: Vec<&str> =
                items(&people).iter().filter(|it| it["status"] != "invited").filter_map(|it| it["member"].as_str()).collect();
            once.sort_unstable();
            once.dedup();
            assert!(it["members"].as_u64().unwrap() >= once.len() as u64 - 1, "{provider:?} {it}: {people}");
        }
        if provider != Provider::Seeme {
            let owner = some.iter().find_map(|it| it["owners"].get(0)).unwrap();
            let theirs = agent.ok("list_projects", json!({ "owner": owner, "limit": 100 })).await;
            let expected: Vec<&Value> =
                some.iter().filter(|it| it["owners"].as_array().unwrap().contains(owner)).map(|it| &it["id"]).collect();
            assert_eq!(items(&theirs).iter().map(|it| &it["id"]).collect::<Vec<_>>(), expected, "{provider:?}: {owner}");
        }
    }
}

#[tokio::test]
async fn projects_that_are_looked_into_one_by_one_come_in_pages_that_miss_none() {
    let all = Everywhere::new().await;
    for account in ["globant", "openai", "vision", "lab"] {
        let plain = all.agent.ok("list_projects", json!({ "connection": account, "limit": 100 })).await;
        let mut ids: Vec<String> = company::column(&plain, "id");
        let mut paged = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let page =
                all.agent.ok("list_projects", json!({ "connection": account, "detail": "full", "limit": 2, "cursor": cursor })).await;
            paged.extend(company::column(&page, "id"));
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        ids.sort();
        paged.sort();
        assert_eq!(paged, ids, "{account}");
    }
}
