//! Lists over all connections.

use rolecall::{
    providers::{Connection, local},
    store::Db,
};

use crate::support::{Agent, Options, Store, json};

/// Two directories of their own, `north` and `south`.
pub(crate) async fn two() -> (Agent, Vec<std::sync::Arc<Store>>) {
    let stores = vec![Store::sqlite(), Store::sqlite()];
    let mut connections: Vec<Connection> = Vec::new();
    for (name, store) in ["north", "south"].into_iter().zip(&stores) {
        connections.push(local::connect(name, Db::open(&store.url).await.unwrap(), local::Settings::default()));
    }
    (Agent::connected(connections, Options::default()).await, stores)
}

#[tokio::test]
async fn a_list_without_a_connection_comes_from_all_of_them_each_item_once() {
    let (agent, _stores) = two().await;
    for at in 0..7 {
        agent.ok("create_organization", json!({ "connection": "north", "name": format!("North {at}") })).await;
    }
    agent.ok("create_organization", json!({ "connection": "south", "name": "South" })).await;
    let (mut seen, mut cursor, mut pages) = (Vec::new(), json!(null), 0);
    loop {
        let mut arguments = json!({ "limit": 4 });
        if !cursor.is_null() {
            arguments["cursor"] = cursor;
        }
        let page = agent.ok("list_organizations", arguments).await;
        assert!(page["items"].as_array().unwrap().len() <= 4, "{page}");
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| format!("{} {}", it["connection"].as_str().unwrap(), it["organization"].as_str().unwrap())),
        );
        pages += 1;
        cursor = page["next_cursor"].clone();
        assert_eq!(page["has_more"], !cursor.is_null(), "{page}");
        if cursor.is_null() {
            break;
        }
    }
    seen.sort();
    let expected: Vec<String> = (0..7).map(|at| format!("north North {at}")).chain(["south South".to_owned()]).collect();
    assert_eq!(seen, expected);
    assert!(pages > 1);
}

#[tokio::test]
async fn one_connection_may_still_be_named_and_a_cursor_is_for_where_it_came_from() {
    let (agent, _stores) = two().await;
    for at in 0..2 {
        agent.ok("create_organization", json!({ "connection": "north", "name": format!("North {at}") })).await;
    }
    let one = agent.ok("list_organizations", json!({ "connection": "north", "limit": 1 })).await;
    assert_eq!((&one["connection"], &one["items"][0]["connection"]), (&json!("north"), &json!(null)), "{one}");
    let cursor = one["next_cursor"].clone();
    let answer = agent.fails("list_organizations", json!({ "cursor": cursor }), "invalid_arguments").await;
    assert_eq!(answer["message"], "this cursor is for one connection");
    let tools = agent.client.list_all_tools().await.unwrap();
    let schema = |name: &str| serde_json::to_value(&tools.iter().find(|it| it.name == name).unwrap().input_schema).unwrap();
    assert_eq!(schema("list_organizations").get("required"), None);
    assert_eq!(schema("list_organizations")["properties"]["connection"]["description"], "Account; absent: all");
    assert_eq!(schema("list_projects")["required"], json!(["connection"]));
}
