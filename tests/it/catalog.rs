//! The tool list: complete, plain, small, and the same every time.

use std::collections::{BTreeMap, BTreeSet};

use rolecall::{
    guard::AllowLists,
    server::mcp_tool,
    tools::{self, Effect},
};

use crate::support::{Agent, Options, Store, Value, json, one_of_each};

async fn listed(options: &Options) -> Vec<Value> {
    let app = Store::sqlite().app(options).await;
    app.catalog.offers().map(|it| serde_json::to_value(mcp_tool(it)).unwrap()).collect()
}

/// What a host hands to the model: name, description, input schema.
pub(crate) fn paid_for(tool: &Value) -> String {
    json!({ "name": tool["name"], "description": tool["description"], "inputSchema": tool["inputSchema"] }).to_string()
}

#[tokio::test]
async fn the_directory_serves_every_operation_there_is() {
    let listed: BTreeSet<String> = listed(&Options::default()).await.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
    let all: BTreeSet<String> = tools::all().iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(listed, all);
    assert_eq!(all.len(), 89);
}

/// What the list costs a model, tool by tool, the largest first.
fn costs(listed: &[Value]) -> Vec<(usize, &str)> {
    let counter = tiktoken_rs::o200k_base().unwrap();
    let mut costs: Vec<_> =
        listed.iter().map(|tool| (counter.encode_ordinary(&paid_for(tool)).len(), tool["name"].as_str().unwrap())).collect();
    costs.sort_by(|a, b| b.cmp(a));
    costs
}

#[tokio::test]
async fn the_list_keeps_its_token_budget_with_one_connection_and_with_one_of_each_provider() {
    let store = Store::sqlite();
    let five = store.app_with(one_of_each(&store).await, &Options::default()).await;
    let five = five.catalog.offers().map(|it| serde_json::to_value(mcp_tool(it)).unwrap()).collect();
    for listed in [listed(&Options::default()).await, five] {
        let costs = costs(&listed);
        let total: usize = costs.iter().map(|it| it.0).sum();
        assert!(costs[0].0 <= 220, "{:?} is too large", costs[0]);
        assert!(total <= 110 * costs.len(), "{total} tokens for {} tools: {costs:?}", costs.len());
    }
}

#[tokio::test]
async fn the_list_keeps_its_byte_budget_and_names_what_results_hold() {
    let store = Store::sqlite();
    let five = store.app_with(one_of_each(&store).await, &Options::default()).await;
    let five: Vec<Value> = five.catalog.offers().map(|it| serde_json::to_value(mcp_tool(it)).unwrap()).collect();
    let one = listed(&Options::default()).await;
    for listed in [&one, &five] {
        let bytes = json!({ "tools": listed }).to_string().len();
        println!("{bytes} bytes of {} tools", listed.len());
        // 80 kB for the 83 tools of the platforms; those that answer and act across platforms have as much each.
        assert!(bytes <= 964 * listed.len(), "{bytes} bytes, {} too many", bytes - 964 * listed.len());
    }
    for tool in &one {
        let properties = tool["outputSchema"]["properties"].as_object().unwrap();
        assert!(properties.len() > 1, "{}: {properties:?}", tool["name"]);
        if let Some(items) = properties.get("items") {
            assert!(items["items"]["properties"].as_object().is_some_and(|it| !it.is_empty()), "{}: {items}", tool["name"]);
        }
    }
}

#[tokio::test]
async fn every_change_can_be_previewed_with_one_account_and_with_five() {
    let store = Store::sqlite();
    let five = store.app_with(one_of_each(&store).await, &Options::default()).await;
    for app in [store.app(&Options::default()).await, five] {
        for offer in app.catalog.offers() {
            let previews = offer.input_schema()["properties"].get("dry_run").cloned();
            let expected = (offer.tool.effect != Effect::Read).then(|| json!({ "type": "boolean", "description": "Preview" }));
            assert_eq!(previews, expected, "{}", offer.tool.name);
        }
    }
}

#[tokio::test]
async fn every_tool_refuses_an_unknown_argument_though_its_schema_does_not_say_so() {
    let agent = Agent::new().await;
    let before = agent.dump().await;
    for tool in tools::all() {
        let answer = agent.fails(tool.name, json!({ "nonsense": 1 }), "invalid_arguments").await;
        assert!(answer["message"].as_str().unwrap().contains("`nonsense`"), "{}: {answer}", tool.name);
    }
    assert_eq!(agent.dump().await, before);
}

/// How an object whose fields nobody can list is declared.
fn open_object() -> Value {
    json!([{ "type": "object" }, { "type": "string" }])
}

#[tokio::test]
async fn schemas_are_plain_and_every_argument_is_described() {
    for tool in listed(&Options::default()).await {
        let (name, schema) = (&tool["name"], &tool["inputSchema"]);
        assert_eq!(schema["type"], "object", "{name}");
        assert!(schema.get("additionalProperties").is_none(), "{name}");
        let words: Vec<&str> = tool["description"].as_str().unwrap().split_whitespace().collect();
        assert!((3..=40).contains(&words.len()), "{name}: {words:?}");
        for (argument, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].as_str().is_some_and(|it| !it.is_empty()), "{name}.{argument} is not described");
            assert!(property["type"].is_string() || property["anyOf"] == open_object(), "{name}.{argument} has no single type: {property}");
            if property["type"] == "array" {
                let ends = property["maxItems"].is_u64() || property["items"]["enum"].is_array();
                assert!(ends, "{name}.{argument} has no end");
            }
        }
        for both in [schema, &tool["outputSchema"]] {
            // An object whose fields nobody can list may come as JSON text, too: strict clients empty it.
            let text = both.to_string().replace(&format!("\"anyOf\":{}", open_object()), "\"type\":\"object\"");
            for banned in ["\"$ref\"", "\"$defs\"", "\"null\"", "\"anyOf\"", "\"oneOf\"", "\"allOf\"", ":{}"] {
                let empty_ok = banned == ":{}" && schema["properties"] == json!({});
                assert!(!text.contains(banned) || empty_ok, "{name}: {banned} in {text}");
            }
        }
        jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        jsonschema::meta::validate(&tool["outputSchema"]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test]
async fn errors_fit_every_output_schema_since_some_clients_check_them_too() {
    let sample = |status: &str| {
        json!({
            "code": "x", "message": "x", "fix": "x", "retryable": true, "status": status,
            "approval_id": "x", "expires_in_s": 300, "call_id": "x", "candidates": ["x"],
        })
    };
    for tool in listed(&Options::default()).await {
        let schema = jsonschema::validator_for(&tool["outputSchema"]).unwrap();
        for status in ["refused", "pending_approval", "outcome_unknown"] {
            schema.validate(&sample(status)).unwrap_or_else(|error| panic!("{}: {error}", tool["name"]));
        }
    }
}

#[tokio::test]
async fn annotations_follow_from_the_effect() {
    let effects: BTreeMap<&str, Effect> = tools::all().iter().map(|it| (it.name, it.effect)).collect();
    for tool in listed(&Options::default()).await {
        let expected = match effects[tool["name"].as_str().unwrap()] {
            Effect::Read => json!({ "readOnlyHint": true }),
            Effect::Write | Effect::Access => json!({ "readOnlyHint": false, "destructiveHint": false }),
            Effect::Destroy => json!({ "readOnlyHint": false, "destructiveHint": true }),
        };
        assert_eq!(tool["annotations"], expected, "{}", tool["name"]);
    }
}

#[tokio::test]
async fn the_list_is_the_same_every_time() {
    assert_eq!(listed(&Options::default()).await, listed(&Options::default()).await);
}

#[tokio::test]
async fn names_begin_with_a_known_verb_and_follow_from_the_type() {
    let verbs = [
        "list",
        "get",
        "create",
        "update",
        "delete",
        "invite",
        "add",
        "remove",
        "cancel",
        "archive",
        "assign",
        "unassign",
        "set",
        "activate",
        "deactivate",
        "apply",
        "undo",
        "copy",
        "offboard",
        "find",
        "review",
    ];
    for tool in tools::all() {
        let verb = tool.name.split('_').next().unwrap();
        assert!(verbs.contains(&verb), "{}", tool.name);
        assert!(tool.name.len() <= 40, "{}", tool.name);
        for reserved in ["connection", "dry_run", "idempotency_key", "confirmation_token", "confirm"] {
            assert!(tool.input()["properties"].get(reserved).is_none(), "{}.{reserved} belongs to the envelope", tool.name);
        }
    }
}

#[tokio::test]
async fn allow_lists_take_tools_away_and_calls_of_them_are_no_tools() {
    let lists = AllowLists { effects: [Effect::Read, Effect::Write].into(), domains: Some(["projects".to_owned()].into()) };
    let agent = Agent::on(&Store::sqlite(), Options { lists, ..Options::default() }).await;
    let names: Vec<String> = agent.client.list_all_tools().await.unwrap().iter().map(|it| it.name.to_string()).collect();
    assert_eq!(
        names,
        [
            "apply_changes",
            "cancel_job",
            "create_project",
            "get_current_user",
            "get_job",
            "get_project",
            "list_activity",
            "list_connections",
            "list_jobs",
            "list_projects",
            "undo",
            "update_project"
        ]
    );
    let answer = agent.call("delete_project", json!({ "project": "x" })).await;
    assert_eq!(answer["protocol_error"], -32602, "{answer}");
    let read_only = Agent::on(&Store::sqlite(), Options { lists: AllowLists::read_only(), ..Options::default() }).await;
    let answer = read_only.call("create_organization", json!({ "name": "Acme" })).await;
    assert_eq!(answer["protocol_error"], -32602, "{answer}");
    assert_eq!(read_only.dump().await["organizations"], "");
}

#[tokio::test]
async fn unknown_arguments_are_named_and_null_is_as_good_as_absent() {
    let agent = Agent::new().await;
    let answer = agent.fails("create_project", json!({ "nmae": "Atlas" }), "invalid_arguments").await;
    let message = "2 arguments do not fit: create_project has no argument `nmae`; `name` is missing";
    assert_eq!((&answer["message"], &answer["fix"]), (&json!(message), &json!("did you mean `name`?; give `name`: a name, such as Atlas")));
    agent.fails("create_project", json!({ "name": "Atlas", "description": null }), "no_organization").await;
    let answer = agent.fails("create_project", json!({ "name": "Atlas", "confirm": true }), "invalid_arguments").await;
    assert!(answer["message"].as_str().unwrap().contains("`confirm`"), "{answer}");
    let answer = agent.fails("list_projects", json!({ "limit": 0 }), "invalid_arguments").await;
    assert!(answer["message"].as_str().unwrap().contains("`limit`"), "{answer}");
    let answer = agent.call("create_projects", json!({})).await;
    assert!(answer["message"].as_str().unwrap().contains("did you mean create_project"), "{answer}");
}

#[tokio::test]
async fn a_step_names_a_connection_only_where_there_are_several() {
    let store = Store::sqlite();
    let five = store.app_with(one_of_each(&store).await, &Options::default()).await;
    for (app, says) in [(store.app(&Options::default()).await, "Calls"), (five, "Calls, with `connection` in `arguments`")] {
        let schema = app.catalog.offer("apply_changes").unwrap().input_schema();
        assert_eq!(schema["properties"]["steps"]["description"], says);
    }
}
