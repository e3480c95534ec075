use std::sync::Arc;

use rmcp::{
    ServiceError,
    model::{ReadResourceRequestParams, ResourceContents},
};
use rolecall::{
    app::{App, Setup},
    guard::AllowLists,
    providers::local,
    store::Db,
};

use crate::support::{Agent, Era, Options, Store, Value, json};

/// Two accounts on one directory.
pub(crate) async fn with_two_connections(store: &Store) -> Arc<App> {
    let db = Db::open(&store.url).await.unwrap();
    let mut setup = Setup::local(db.clone(), store.secrets());
    setup.connections = ["one", "two"].map(|it| local::connect(it, db.clone(), local::Settings::default())).into();
    Arc::new(App::new(setup))
}

async fn read(agent: &Agent, uri: &str) -> Result<Value, (i32, String)> {
    match agent.client.read_resource(ReadResourceRequestParams::new(uri)).await {
        Ok(result) => match result.contents.as_slice() {
            [ResourceContents::TextResourceContents { uri: said, mime_type, text, .. }] => {
                assert_eq!((said.as_str(), mime_type.as_deref()), (uri, Some("application/json")));
                Ok(serde_json::from_str(text).unwrap())
            }
            other => panic!("{uri}: {other:?}"),
        },
        Err(ServiceError::McpError(error)) => Err((error.code.0, error.message.into_owned())),
        Err(error) => panic!("{uri}: {error}"),
    }
}

#[tokio::test]
async fn connections_are_listed_and_read() {
    let agent = Agent::new().await;
    let listed = agent.client.list_all_resources().await.unwrap();
    assert_eq!(listed.iter().map(|it| it.uri.as_str()).collect::<Vec<_>>(), ["rolecall://connections"]);
    let connections = read(&agent, "rolecall://connections").await.unwrap();
    assert_eq!(connections["items"][0]["connection"], "local");
    assert_eq!(connections["items"][0]["health"], "ok");

    let templates = agent.client.list_all_resource_templates().await.unwrap();
    let templates: Vec<_> = templates.iter().map(|it| it.uri_template.as_str()).collect();
    assert_eq!(templates, ["rolecall://{connection}/organizations/{organization}", "rolecall://{connection}/projects/{project}"]);
}

#[tokio::test]
async fn a_project_and_an_organization_are_read_by_any_name_with_their_members() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({ "name": "Café / Bar 100%", "slug": "cafe" })).await;
        agent.ok("create_user", json!({ "email": "ana@acme.example", "name": "Ana", "role": "owner", "organization": "cafe" })).await;
        let made = agent.ok("create_project", json!({ "name": "Übung? #1", "slug": "uebung", "organization": "cafe" })).await;
        let id = made["after"]["id"].as_str().unwrap();
        for name in ["%C3%9Cbung%3F%20%231", "uebung", id] {
            let project = read(&agent, &format!("rolecall://local/projects/{name}")).await.unwrap();
            assert_eq!(project["connection"], "local");
            assert_eq!(project["project"]["project"], "Übung? #1");
            assert_eq!(project["project"]["organization"], "Café / Bar 100%");
            assert!(project["members"]["items"].is_array(), "{project}");
        }
        let organization = read(&agent, "rolecall://local/organizations/Caf%c3%a9%20%2F%20Bar%20100%25").await.unwrap();
        assert_eq!(organization["organization"]["slug"], "cafe");
        assert_eq!(organization["members"]["items"][0]["member"], "ana@acme.example");
    }
}

#[tokio::test]
async fn what_is_not_there_answers_in_the_words_of_the_era() {
    for (era, code) in [(Era::Legacy, -32002), (Era::Modern, -32602)] {
        let agent = Agent::on(&Store::sqlite(), Options { era, ..Options::default() }).await;
        for uri in [
            "rolecall://local/projects/nothing",
            "rolecall://elsewhere/projects/nothing",
            "rolecall://rolecall/projects/nothing",
            "rolecall://local/projects/%FF",
            "rolecall://local/projects/..",
            "rolecall://local/projects/a/b",
            "rolecall://local/teams/x",
            "file:///etc/passwd",
            "",
        ] {
            let (said, message) = read(&agent, uri).await.unwrap_err();
            assert_eq!(said, code, "{uri}: {message}");
        }
    }
}

#[tokio::test]
async fn what_is_not_on_offer_is_no_resource_either() {
    let lists = AllowLists { domains: Some(["organizations".to_owned()].into()), ..AllowLists::default() };
    let agent = Agent::on(&Store::sqlite(), Options { lists, ..Options::default() }).await;
    let templates = agent.client.list_all_resource_templates().await.unwrap();
    assert_eq!(templates.len(), 1);
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    let organization = read(&agent, "rolecall://local/organizations/acme").await.unwrap();
    assert_eq!(organization["organization"]["organization"], "Acme");
    assert!(organization.get("members").is_none(), "people are not on offer: {organization}");
    assert!(read(&agent, "rolecall://local/projects/x").await.is_err());
}

#[tokio::test]
async fn with_several_connections_the_address_says_which() {
    let store = Store::sqlite();
    let app = with_two_connections(&store).await;
    let agent = Agent::of(&store, app, Options::default()).await;
    agent.ok("create_organization", json!({ "name": "Acme", "connection": "one" })).await;
    for connection in ["one", "two"] {
        let organization = read(&agent, &format!("rolecall://{connection}/organizations/acme")).await.unwrap();
        assert_eq!(organization["connection"], connection);
        assert_eq!(organization["organization"]["organization"], "Acme");
    }
    assert!(read(&agent, "rolecall://local/organizations/acme").await.is_err());
}
