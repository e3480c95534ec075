use std::collections::HashMap;

use rmcp::model::{ArgumentInfo, CompleteRequestParams, CompletionContext, CompletionInfo, Reference};
use rolecall::guard::AllowLists;

use crate::support::{Agent, Era, Options, Store, json};

async fn complete(agent: &Agent, at: Reference, argument: &str, typed: &str, context: &[(&str, &str)]) -> CompletionInfo {
    let context: HashMap<_, _> = context.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = CompleteRequestParams::new(at, ArgumentInfo::new(argument, typed));
    agent.client.complete(request.with_context(CompletionContext::with_arguments(context))).await.unwrap().completion
}

fn project() -> Reference {
    Reference::for_resource("rolecall://{connection}/projects/{project}")
}

async fn seed(agent: &Agent) {
    for (organization, email) in [("Acme", "ana@acme.example"), ("Borealis", "bo@borealis.example")] {
        agent.ok("create_organization", json!({ "name": organization })).await;
        agent.ok("create_user", json!({ "email": email, "name": "Owner", "role": "owner", "organization": organization })).await;
    }
    for (name, organization) in [("Atlas", "acme"), ("New Atlas", "acme"), ("Research", "acme"), ("Rebuild", "borealis")] {
        agent.ok("create_project", json!({ "name": name, "organization": organization })).await;
    }
}

#[tokio::test]
async fn what_begins_with_the_typed_text_comes_before_what_contains_it() {
    for era in [Era::Legacy, Era::Modern] {
        let agent = Agent::on(&Store::sqlite(), Options { era, ..Options::default() }).await;
        seed(&agent).await;
        let found = complete(&agent, project(), "project", "atl", &[]).await;
        assert_eq!(found.values, ["Atlas", "New Atlas"]);
        assert_eq!((found.has_more, found.total), (Some(false), Some(2)));
        assert_eq!(complete(&agent, project(), "project", "ATLAS ", &[]).await.values, ["Atlas", "New Atlas"]);
        assert_eq!(complete(&agent, project(), "project", "", &[]).await.values.len(), 4);
        assert_eq!(complete(&agent, project(), "project", "re", &[("organization", "borealis")]).await.values, ["Rebuild"]);
        assert_eq!(complete(&agent, project(), "connection", "lo", &[]).await.values, ["local"]);
    }
}

#[tokio::test]
async fn arguments_of_prompts_are_completed_by_what_they_name() {
    let agent = Agent::new().await;
    seed(&agent).await;
    agent.ok("create_team", json!({ "name": "Platform", "organization": "acme" })).await;
    let at = || Reference::for_prompt("onboard");
    assert_eq!(complete(&agent, at(), "organization", "b", &[]).await.values, ["Borealis"]);
    assert_eq!(complete(&agent, at(), "team", "plat", &[("organization", "acme")]).await.values, ["Platform"]);
    assert_eq!(complete(&agent, at(), "email", "ana", &[("organization", "acme")]).await.values, ["ana@acme.example"]);
    assert_eq!(complete(&agent, at(), "like", "ana", &[("organization", "borealis")]).await.values, Vec::<String>::new());
    let roles = complete(&agent, at(), "role", "own", &[("organization", "acme")]).await.values;
    assert!(roles.iter().any(|it| it.eq_ignore_ascii_case("owner")), "{roles:?}");
    assert!(roles.iter().all(|it| it.to_lowercase().contains("own")), "{roles:?}");
}

#[tokio::test]
async fn two_things_of_one_name_are_completed_by_id() {
    let agent = Agent::new().await;
    seed(&agent).await;
    let twin = agent.ok("create_project", json!({ "name": "Rebuild", "organization": "acme" })).await;
    let found = complete(&agent, project(), "project", "rebuild", &[]).await.values;
    assert_eq!(found.len(), 2);
    assert!(found.contains(&twin["after"]["id"].as_str().unwrap().to_owned()), "{found:?}");
    assert!(found.iter().all(|it| it.starts_with("prj_")), "{found:?}");
}

#[tokio::test]
async fn a_hundred_values_at_most_and_a_sign_of_more() {
    let agent = Agent::new().await;
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    for at in 0..101 {
        agent.ok("create_project", json!({ "name": format!("Project {at:03}") })).await;
    }
    let found = complete(&agent, project(), "project", "proj", &[]).await;
    assert_eq!((found.values.len(), found.has_more, found.total), (100, Some(true), None));
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_completed_by_nothing() {
    let agent = Agent::new().await;
    seed(&agent).await;
    let long = "x".repeat(500);
    for (at, argument, typed, context) in [
        (project(), "project", "a", &[("organization", "nowhere")][..]),
        (project(), "project", "a", &[("connection", "nowhere")][..]),
        (project(), "project", long.as_str(), &[][..]),
        (project(), "team", "", &[][..]),
        (Reference::for_resource("rolecall://{connection}/teams/{team}"), "team", "", &[][..]),
        (Reference::for_prompt("nothing"), "project", "", &[][..]),
        (Reference::for_prompt("onboard"), "nothing", "", &[][..]),
        (Reference::for_prompt("onboard"), "connection", "", &[][..]),
        (Reference::for_prompt("set-up-project"), "name", "a", &[][..]),
    ] {
        let found = complete(&agent, at.clone(), argument, typed, context).await;
        assert_eq!(found.values, Vec::<String>::new(), "{at:?} {argument} {typed}");
    }
}

#[tokio::test]
async fn only_what_is_on_offer_is_completed() {
    let store = Store::sqlite();
    seed(&Agent::on(&store, Options::default()).await).await;
    let lists = AllowLists { domains: Some(["keys".to_owned()].into()), ..AllowLists::default() };
    let agent = Agent::on(&store, Options { lists, ..Options::default() }).await;
    // The prompt is offered, projects are not: so their names are not told either.
    let found = complete(&agent, Reference::for_prompt("rotate-keys"), "project", "atl", &[]).await;
    assert_eq!(found.values, Vec::<String>::new());
}

#[tokio::test]
async fn the_chosen_connection_is_asked_and_all_where_none_is_chosen() {
    let store = Store::sqlite();
    let app = crate::mcp_resources::with_two_connections(&store).await;
    let agent = Agent::of(&store, app, Options::default()).await;
    agent.ok("create_organization", json!({ "name": "Acme", "connection": "one" })).await;
    agent.ok("create_project", json!({ "name": "Atlas", "connection": "one" })).await;
    assert_eq!(complete(&agent, project(), "connection", "t", &[]).await.values, ["two"]);
    assert_eq!(complete(&agent, project(), "project", "a", &[("connection", "two")]).await.values, ["Atlas"]);
    assert_eq!(complete(&agent, project(), "project", "a", &[]).await.values, ["Atlas"]);
}
