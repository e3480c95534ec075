//! The suite's tools: their list, the plain ones, and the way to the others.

use super::{State, ask, from_json, missing, result, rounds, tasks};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ProgressNotificationParam, ProtocolVersion, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServiceError};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// One red pixel.
pub(super) const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A sound without samples.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

pub(super) fn is_fixture(name: &str) -> bool {
    names().any(|fixture| fixture == name)
}

pub(super) fn list() -> Vec<Tool> {
    names()
        .map(|name| {
            let description = format!("A fixture of the conformance suite: {}.", name.replace('_', " "));
            Tool::new(name, description, schema(name))
        })
        .collect()
}

pub(super) async fn call(
    state: &State,
    call: CallToolRequestParams,
    cx: RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let client = cx.client_capabilities().unwrap_or_default();
    let name = call.name.as_ref();
    if TASKS.contains(&name) {
        return tasks::call(state, &call, client.supports_tasks()).await;
    }
    if ROUNDS.contains(&name) {
        return rounds::call(state, &call, &client);
    }
    let argument = |name: &str| call.arguments.as_ref().and_then(|all| all.get(name)).and_then(Value::as_str).unwrap_or_default();
    match name {
        "test_tool_with_progress" => progress(&cx).await,
        "test_sampling" => sample(&cx, argument("prompt")).await,
        "test_elicitation" => elicit(&cx, "User response", user_form(argument("message"))).await,
        "test_elicitation_sep1034_defaults" => elicit(&cx, "Elicitation completed", defaults_form()).await,
        "test_elicitation_sep1330_enums" => elicit(&cx, "Elicitation completed", enums_form()).await,
        "test_streaming_elicitation" => streaming(&cx, &client).await,
        "test_missing_capability" if json!(client).get("sampling").is_none() => Err(missing(json!({"sampling": {}}))),
        "test_reconnection" => {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(rounds::done("Reconnection test completed."))
        }
        _ => Ok(result::<CallToolResult>(fixed(name))?.into()),
    }
}

const PLAIN: [&str; 16] = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
    "test_tool_with_progress",
    "test_sampling",
    "test_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_streaming_elicitation",
    "test_missing_capability",
    "test_logging_tool",
    "test_reconnection",
    "test_custom_header",
];
const SCHEMA: &str = "json_schema_2020_12_tool";
const ROUNDS: [&str; 8] = [
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
];
const TASKS: [&str; 7] =
    ["greet", "slow_compute", "failing_job", "protocol_error_job", "confirm_delete", "multi_input", "test_tool_with_task"];

fn names() -> impl Iterator<Item = &'static str> {
    PLAIN.into_iter().chain([SCHEMA]).chain(ROUNDS).chain(TASKS)
}

/// The answers that need nothing.
fn fixed(name: &str) -> Value {
    let text = |text: &str| json!({"type": "text", "text": text});
    let image = json!({"type": "image", "data": PNG, "mimeType": "image/png"});
    let content = match name {
        "test_simple_text" => json!([text("This is a simple text response for testing.")]),
        "test_image_content" => json!([image]),
        "test_audio_content" => json!([{"type": "audio", "data": WAV, "mimeType": "audio/wav"}]),
        "test_embedded_resource" => json!([{"type": "resource", "resource": {
            "uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource content.",
        }}]),
        "test_multiple_content_types" => json!([text("Multiple content types test:"), image, {"type": "resource", "resource": {
            "uri": "test://mixed-content-resource", "mimeType": "application/json", "text": r#"{"test":"data","value":123}"#,
        }}]),
        "test_error_handling" => {
            return json!({"isError": true, "content": [text("This tool intentionally returns an error for testing")]});
        }
        _ => json!([text("done")]),
    };
    json!({"content": content})
}

async fn progress(cx: &RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
    let token = cx.meta.get_progress_token();
    for (step, done) in [0.0, 50.0, 100.0].into_iter().enumerate() {
        if step > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if let Some(token) = &token {
            let report = ProgressNotificationParam::new(token.clone(), done).with_total(100.0);
            cx.peer.notify_progress(report).await.map_err(|error| unanswered(&error))?;
        }
    }
    Ok(rounds::done("Progress reported."))
}

async fn sample(cx: &RequestContext<RoleServer>, prompt: &str) -> Result<CallToolResponse, ErrorData> {
    let request = from_json(json!({
        "messages": [{"role": "user", "content": {"type": "text", "text": prompt}}], "maxTokens": 100,
    }))?;
    #[expect(deprecated, reason = "the revision 2025-11-25 requires it")]
    let answer = cx.peer.create_message(request).await.map_err(|error| unanswered(&error))?;
    Ok(rounds::done(&format!("LLM response: {}", json!(answer)["content"]["text"].as_str().unwrap_or_default())))
}

async fn elicit(cx: &RequestContext<RoleServer>, words: &str, form: Value) -> Result<CallToolResponse, ErrorData> {
    let answer = cx.peer.create_elicitation(from_json(form)?).await.map_err(|error| unanswered(&error))?;
    let answer = json!(answer);
    Ok(rounds::done(&format!("{words}: action={}, content={}", answer["action"].as_str().unwrap_or_default(), answer["content"])))
}

/// Asks in the way of the request's revision: never by a request of its own on a modern stream.
async fn streaming(cx: &RequestContext<RoleServer>, client: &ClientCapabilities) -> Result<CallToolResponse, ErrorData> {
    if client.elicitation.is_none() {
        return Err(missing(json!({"elicitation": {}})));
    }
    if cx.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) {
        return Ok(rounds::required(rounds::name_question()?, None));
    }
    elicit(cx, "User response", ask("What is your name?", "name", "string")).await
}

fn unanswered(error: &ServiceError) -> ErrorData {
    ErrorData::internal_error(format!("the client did not answer: {error}"), None)
}

fn user_form(message: &str) -> Value {
    json!({"mode": "form", "message": message, "requestedSchema": {
        "type": "object",
        "properties": {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        "required": ["username", "email"],
    }})
}

fn defaults_form() -> Value {
    json!({"mode": "form", "message": "Please review the values", "requestedSchema": {"type": "object", "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true},
    }}})
}

fn enums_form() -> Value {
    let options = json!(["option1", "option2", "option3"]);
    let titled = |prefix: &str| -> Value {
        [("value1", "First"), ("value2", "Second"), ("value3", "Third")]
            .map(|(value, title)| json!({"const": value, "title": format!("{title} {prefix}")}))
            .into_iter()
            .collect()
    };
    json!({"mode": "form", "message": "Please choose", "requestedSchema": {"type": "object", "properties": {
        "untitledSingle": {"type": "string", "enum": options},
        "titledSingle": {"type": "string", "oneOf": titled("Option")},
        "legacyEnum": {
            "type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}},
    }}})
}

/// What each tool takes; most take nothing.
fn schema(name: &str) -> Map<String, Value> {
    let strings = |names: &[&str]| -> Value {
        let properties: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "object", "properties": properties, "required": names})
    };
    let schema = match name {
        "test_sampling" => strings(&["prompt"]),
        "test_elicitation" => strings(&["message"]),
        "greet" => strings(&["name"]),
        "confirm_delete" => strings(&["filename"]),
        "slow_compute" => {
            json!({"type": "object", "properties": {"seconds": {"type": "integer"}, "label": {"type": "string"}}, "required": ["seconds"]})
        }
        "test_custom_header" => {
            json!({"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}, "required": ["region"]})
        }
        SCHEMA => rich_schema(),
        _ => json!({"type": "object", "properties": {}}),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// The schema whose every keyword must come through unchanged.
fn rich_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {
            "street": {"type": "string"}, "city": {"type": "string"},
        }}},
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false,
    })
}
