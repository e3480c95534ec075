//! The compact list: small, complete, and no way around anything.

use std::collections::BTreeSet;

use rolecall::{
    guard::{AllowLists, Fallback, GuardSettings},
    server::mcp_tools,
    tools::{ESSENTIAL, Effect, ToolList},
};

use crate::{
    catalog::paid_for,
    company::{acme, column, email, team},
    support::{Agent, Era, Options, Person, Store, Value, json, one_of_each},
};

const CALLERS: [(&str, Effect); 4] =
    [("call_read", Effect::Read), ("call_write", Effect::Write), ("call_access", Effect::Access), ("call_destroy", Effect::Destroy)];

fn compact() -> Options {
    Options { list: ToolList::Compact, ..Options::default() }
}

fn caller(effect: Effect) -> &'static str {
    CALLERS.iter().find(|it| it.1 == effect).unwrap().0
}

async fn agents() -> Vec<Agent> {
    let mut agents = Vec::new();
    for store in Store::each().await {
        agents.push(Agent::on(&store, compact()).await);
    }
    agents
}

async fn listed(agent: &Agent) -> Vec<Value> {
    agent.client.list_all_tools().await.unwrap().iter().map(|it| serde_json::to_value(it).unwrap()).collect()
}

#[tokio::test]
async fn the_compact_list_costs_at_most_3000_tokens_with_one_account_and_with_five() {
    let counter = tiktoken_rs::o200k_base().unwrap();
    let store = Store::sqlite();
    let five = store.app_with(one_of_each(&store).await, &compact()).await;
    for app in [store.app(&compact()).await, five] {
        let listed: Vec<Value> = mcp_tools(&app, ToolList::Compact).iter().map(|it| serde_json::to_value(it).unwrap()).collect();
        let costs: Vec<(usize, &str)> =
            listed.iter().map(|it| (counter.encode_ordinary(&paid_for(it)).len(), it["name"].as_str().unwrap())).collect();
        let total: usize = costs.iter().map(|it| it.0).sum();
        println!("{total} tokens for {} tools of the compact list", costs.len());
        assert!(total <= 3000, "{total} tokens: {costs:?}");
        let names: BTreeSet<&str> = costs.iter().map(|it| it.1).collect();
        assert!(["find_tools", "call_read", "call_write", "call_access", "call_destroy"].iter().all(|it| names.contains(it)), "{names:?}");
        for name in ESSENTIAL {
            assert_eq!(names.contains(name), app.catalog.offer(name).is_ok(), "{name}");
        }
        for tool in &listed {
            jsonschema::meta::validate(&tool["inputSchema"]).unwrap();
            for (argument, property) in tool["inputSchema"]["properties"].as_object().unwrap() {
                assert!(property["description"].as_str().is_some_and(|it| !it.is_empty()), "{}.{argument}", tool["name"]);
            }
        }
    }
}

#[tokio::test]
async fn hints_of_the_callers_follow_from_the_effect_that_they_are_for() {
    let agent = Agent::on(&Store::sqlite(), compact()).await;
    let listed = listed(&agent).await;
    for (name, hints) in [
        ("find_tools", json!({ "readOnlyHint": true })),
        ("call_read", json!({ "readOnlyHint": true })),
        ("call_write", json!({ "readOnlyHint": false, "destructiveHint": false })),
        ("call_access", json!({ "readOnlyHint": false, "destructiveHint": false })),
        ("call_destroy", json!({ "readOnlyHint": false, "destructiveHint": true })),
    ] {
        assert_eq!(listed.iter().find(|it| it["name"] == name).unwrap()["annotations"], hints, "{name}");
    }
}

#[tokio::test]
async fn every_tool_is_found_by_its_name_and_reached_through_the_caller_of_its_effect_alone() {
    let agent = Agent::on(&Store::sqlite(), compact()).await;
    let before = agent.dump().await;
    let offers: Vec<(&str, Effect)> = agent.app.catalog.offers().map(|it| (it.tool.name, it.tool.effect)).collect();
    for (tool, effect) in offers {
        let found = agent.call("find_tools", json!({ "query": tool.replace('_', " ") })).await;
        let first = &found["items"][0];
        assert_eq!(first["tool"], tool, "{found}");
        let listed = ESSENTIAL.contains(&tool);
        assert_eq!(first["call"], if listed { tool } else { caller(effect) }, "{found}");
        assert_eq!(first["input"], json!(agent.app.catalog.offer(tool).unwrap().input_schema()));
        for (name, of) in CALLERS {
            let answer = agent.call(name, json!({ "tool": tool, "arguments": { "nonsense": 1 } })).await;
            let (message, fix) = (answer["message"].as_str().unwrap(), answer["fix"].as_str().unwrap());
            assert_eq!(answer["code"], "invalid_arguments", "{answer}");
            if of == effect {
                assert!(message.contains("has no argument `nonsense`"), "{name} {tool}: {answer}");
            } else {
                assert!(message.starts_with(&format!("{name} is for tools with the effect {}", of.name())), "{answer}");
                assert_eq!(fix, format!("call it through {}", caller(effect)));
            }
        }
    }
    assert_eq!(agent.dump().await, before);
}

#[tokio::test]
async fn a_caller_for_reads_makes_no_change_however_it_is_asked() {
    for agent in agents().await {
        acme(&agent, &["ana"]).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        let before = agent.dump().await;
        let project = json!({ "project": "Atlas" });
        for call in [
            json!({ "tool": "delete_project", "arguments": project }),
            json!({ "tool": " delete_project ", "arguments": project.to_string() }),
            json!({ "tool": "deleteProject", "project": "Atlas" }),
            json!({ "name": "delete_project", "arguments": project }),
            json!({ "action": "DELETE-PROJECT", "params": project }),
            json!({ "tool": "call_destroy", "arguments": { "tool": "delete_project", "arguments": project } }),
            json!({ "tool": "apply_changes", "arguments": { "steps": [{ "tool": "delete_project", "arguments": project }] } }),
            json!({ "tool": "list_projects", "action": "delete_project", "arguments": {}, "project": "Atlas" }),
            json!({ "tool": ["list_projects", "delete_project"], "arguments": project }),
            json!({ "tool": { "name": "delete_project" }, "arguments": project }),
        ] {
            for name in ["call_read", "call_write", "call_access"] {
                let answer = agent.call(name, call.clone()).await;
                assert!(answer["code"].is_string(), "{name} {call}: {answer}");
            }
        }
        assert_eq!(agent.questions(), [""; 0]);
        assert_eq!(agent.dump().await, before);
        // What gives or ends nothing else does not come in by the caller for what can be changed back.
        for (tool, arguments) in [
            ("remove_project_member", json!({ "project": "Atlas", "member": email("ana") })),
            ("add_project_member", json!({ "project": "Atlas", "member": email("ana"), "roles": ["owner"] })),
        ] {
            let answer = agent.call("call_write", json!({ "tool": tool, "arguments": arguments })).await;
            assert!(answer["message"].as_str().unwrap().starts_with("call_write is for tools"), "{answer}");
        }
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_person_is_asked_as_if_the_tool_had_been_called_by_its_own_name() {
    for era in [Era::Legacy, Era::Modern] {
        for store in Store::each().await {
            let agent = Agent::on(&store, Options { era, ..compact() }).await;
            acme(&agent, &["ana"]).await;
            agent.ok("create_project", json!({ "name": "Atlas" })).await;
            agent.questions();
            let arguments = json!({ "project": "Atlas" });
            let through = json!({ "tool": "delete_project", "arguments": arguments });
            let before = agent.dump().await;
            let refusing = agent.refusing().await;
            let direct = refusing.call("delete_project", arguments.clone()).await;
            assert_eq!(refusing.call("call_destroy", through.clone()).await["code"], direct["code"]);
            let asked = refusing.questions();
            assert_eq!((asked.len(), &asked[0]), (2, &asked[1]), "{asked:?}");
            assert!(asked[0].starts_with("Delete project: project Atlas"), "{asked:?}");
            let wrong = agent.with(era, Person::TypesWrong).await;
            assert_eq!(wrong.call("call_destroy", through.clone()).await["code"], "wrong_confirmation");
            assert_eq!(agent.dump().await, before);
            // A preview is one, wherever it is asked for.
            for dry in [
                json!({ "tool": "delete_project", "arguments": { "project": "Atlas", "dry_run": true } }),
                json!({ "tool": "delete_project", "arguments": { "project": "Atlas" }, "dry_run": true }),
            ] {
                assert_eq!(agent.call("call_destroy", dry).await["status"], "dry_run");
            }
            assert_eq!(agent.dump().await, before);
            let done = agent.call("call_destroy", through.clone()).await;
            assert_eq!(done["status"], "done", "{done}");
            let ledger = agent.ok("list_activity", json!({ "tool": "delete_project", "limit": 1 })).await;
            assert_eq!(ledger["items"][0]["call_id"], done["call_id"], "the ledger has the tool by its own name: {ledger}");
            agent.ok("create_project", json!({ "name": "Atlas" })).await;
            let silent = agent.silent().await;
            let waits = silent.call("call_destroy", through).await;
            assert_eq!(waits["code"], "pending_approval", "{waits}");
            assert!(waits["message"].as_str().unwrap().contains("Delete project: project Atlas"), "{waits}");
            agent.ok("get_project", json!({ "project": "Atlas" })).await;
        }
    }
}

#[tokio::test]
async fn keys_tokens_and_jobs_are_those_of_the_tool() {
    let guard = GuardSettings { fallback: Fallback::Token, ..GuardSettings::default() };
    for store in Store::each().await {
        let agent = Agent::on(&store, Options { guard: guard.clone(), ..compact() }).await;
        acme(&agent, &["ana", "bo"]).await;
        team(&agent, "Core", &[]).await;
        let create = json!({ "name": "Atlas", "idempotency_key": "k" });
        let first = agent.ok("create_project", create.clone()).await;
        let again = agent.call("call_write", json!({ "tool": "create_project", "arguments": create })).await;
        assert_eq!((&again["call_id"], &again["replayed"]), (&first["call_id"], &json!(true)), "{again}");
        // A token that was given for the one is good for the other, once.
        let silent = agent.silent().await;
        let asked = silent.call("call_destroy", json!({ "tool": "delete_project", "arguments": { "project": "Atlas" } })).await;
        let token = asked["confirmation_token"].as_str().unwrap();
        let other = json!({ "tool": "archive_project", "arguments": { "project": "Atlas", "confirmation_token": token } });
        assert_eq!(silent.call("call_destroy", other).await["code"], "confirmation_rejected");
        let asked = silent.call("call_destroy", json!({ "tool": "delete_project", "arguments": { "project": "Atlas" } })).await;
        let token = asked["confirmation_token"].as_str().unwrap();
        let spent = json!({ "tool": "delete_project", "arguments": { "project": "Atlas" }, "confirmation_token": token });
        assert_eq!(silent.call("call_destroy", spent.clone()).await["status"], "done");
        assert!(silent.call("call_destroy", spent).await["code"].is_string());
        // Work of many calls.
        let csv = format!("team,member\nCore,{}\nCore,{}\n", email("ana"), email("bo"));
        let job =
            agent.call("call_destroy", json!({ "tool": "apply_changes", "arguments": { "tool": "add_team_member", "csv": csv } })).await;
        assert_eq!((&job["status"], &job["after"]["done"]), (&json!("done"), &json!(2)), "{job}");
        let told = agent.call("call_read", json!({ "tool": "get_job", "arguments": { "job": job["job"] } })).await;
        assert_eq!(told["tool"], "apply_changes", "{told}");
    }
}

#[tokio::test]
async fn allow_lists_hold_behind_the_callers_too() {
    let lists = AllowLists { effects: [Effect::Read, Effect::Write].into(), domains: Some(["projects".to_owned()].into()) };
    let agent = Agent::on(&Store::sqlite(), Options { lists, ..compact() }).await;
    let names: Vec<String> = listed(&agent).await.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
    assert!(names.contains(&"call_write".to_owned()) && !names.contains(&"call_access".to_owned()), "{names:?}");
    let before = agent.dump().await;
    for (name, tool) in [("call_destroy", "delete_project"), ("call_read", "list_teams"), ("call_access", "add_project_member")] {
        let answer = agent.call(name, json!({ "tool": tool, "arguments": {} })).await;
        assert_eq!(answer["code"], "unknown_tool", "{answer}");
    }
    let found = agent.call("find_tools", json!({ "query": "delete project" })).await;
    assert!(!column(&found, "tool").iter().any(|it| it.starts_with("delete")), "{found}");
    assert_eq!(agent.dump().await, before);
    let read_only = Agent::on(&Store::sqlite(), Options { lists: AllowLists::read_only(), ..compact() }).await;
    let names: Vec<String> = listed(&read_only).await.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
    assert!(!names.iter().any(|it| ["call_write", "call_access", "call_destroy"].contains(&it.as_str())), "{names:?}");
}

#[tokio::test]
async fn what_is_meant_by_a_call_is_understood_or_explained() {
    let agent = Agent::on(&Store::sqlite(), compact()).await;
    acme(&agent, &[]).await;
    for call in [
        json!({ "tool": "create_team", "arguments": { "name": "One", "organization": "Acme" } }),
        json!({ "tool": "create_team", "arguments": "{\"name\": \"Two\", \"organization\": \"Acme\"}" }),
        json!({ "tool": "createTeam", "name": "Three", "organization": "Acme" }),
        json!({ "tool_name": "create_team", "args": { "name": "Four" }, "organization": "Acme" }),
    ] {
        let done = agent.call("call_write", call.clone()).await;
        assert_eq!(done["status"], "done", "{call}: {done}");
    }
    assert_eq!(agent.call("call_read", json!({ "tool": "list_teams" })).await["shown"], 4);
    for (call, message, fix) in [
        (json!({}), "`tool` is missing", "give a tool's name; find_tools finds it"),
        (json!({ "tool": "list_teems" }), "no tool `list_teems`", "did you mean list_teams?"),
        (json!({ "tool": "find_tools" }), "call_read calls a tool, and find_tools is none", "call it on its own"),
        (json!({ "tool": "list_teams", "arguments": "all" }), "`arguments` is `\"all\"`", "give an object, or its JSON text"),
        (
            json!({ "tool": "list_teams", "arguments": { "query": "a" }, "query": "b" }),
            "`query` stands in `arguments` and beside it, with different values",
            "give it in `arguments` alone",
        ),
    ] {
        let answer = agent.call("call_read", call).await;
        let said = (answer["message"].as_str().unwrap(), answer["fix"].as_str().unwrap());
        assert!(said.0.starts_with(message) && said.1.starts_with(fix), "{answer}");
    }
    // In the full list there are no callers.
    let full = Agent::new().await;
    for name in ["call_read", "find_tools"] {
        assert_eq!(full.call(name, json!({ "tool": "list_teams" })).await["protocol_error"], -32602);
    }
}

#[tokio::test]
async fn tools_are_found_by_the_words_that_people_use() {
    let agent = Agent::on(&Store::sqlite(), compact()).await;
    for (query, tool) in [
        ("who is in a team", "list_team_members"),
        ("kick somebody out of a team", "remove_team_member"),
        ("set a budget for a project", "set_usage_limit"),
        ("rotate an API key", "create_api_key"),
        ("block a token", "update_api_key"),
        ("change the logo", "set_logo"),
        ("rename a team", "update_team"),
        ("give a person one more role", "assign_role"),
        ("cancel an invite", "cancel_invitation"),
        ("audit log", "list_activity"),
        ("throw people out of the company", "remove_organization_member"),
        ("rate limits of a model", "update_rate_limit"),
        ("new bot account", "create_service_account"),
        ("how far is my job", "get_job"),
        ("codes of permissions", "list_permissions"),
    ] {
        let found = agent.call("find_tools", json!({ "query": query })).await;
        assert!(column(&found, "tool").contains(&tool.to_owned()), "{query}: {:?}", column(&found, "tool"));
    }
    let nothing = agent.call("find_tools", json!({ "query": "zzz" })).await;
    assert!(nothing["items"] == json!([]) && nothing["about"].as_array().unwrap().contains(&json!("project members")), "{nothing}");
    assert_eq!(agent.call("find_tools", json!({ "query": " the " })).await["code"], "invalid_arguments");
}
