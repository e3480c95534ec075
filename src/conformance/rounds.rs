//! Tools that ask in rounds: `input_required` results and their answers (2026-07-28).

use super::{State, accepted, ask, from_json, question};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock, InputRequests, InputRequiredResult,
    SealOptions,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Answers one of the tools named `test_input_required_result_…`.
pub(super) fn call(state: &State, call: &CallToolRequestParams, client: &ClientCapabilities) -> Result<CallToolResponse, ErrorData> {
    let answer = |key: &str| call.input_responses.as_ref().and_then(|all| all.get(key));
    let form = |key: &str, field: &str| accepted(answer(key)).and_then(|content| content.get(field)).cloned();
    // A state that does not open is refused before any answer is looked at.
    let step: Option<u64> = call.request_state.as_deref().map(|sealed| open(state, sealed, &call.name)).transpose()?;
    match call.name.as_ref() {
        "test_input_required_result_elicitation" => match form("user_name", "name") {
            Some(Value::String(name)) => Ok(done(&format!("Hello, {name}!"))),
            _ => Ok(required(name_question()?, None)),
        },
        "test_input_required_result_sampling" => match answer("capital_question") {
            Some(Value::Object(sampled)) => Ok(done(&sampled.get("content").map_or_else(String::new, Value::to_string))),
            _ => Ok(required(sampling("capital_question", "What is the capital of France?")?, None)),
        },
        "test_input_required_result_list_roots" => match answer("client_roots").and_then(|roots| roots.get("roots")) {
            Some(Value::Array(roots)) => Ok(done(&format!("{} roots: {}", roots.len(), json!(roots)))),
            _ => Ok(required(from_json(json!({"client_roots": {"method": "roots/list", "params": {}}}))?, None)),
        },
        "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => match (step, form("confirm", "ok")) {
            (Some(1), Some(Value::Bool(true))) => Ok(done("state-ok")),
            _ => Ok(required(question("confirm", "Please confirm", "ok", "boolean")?, Some(seal(state, 1, &call.name)?))),
        },
        "test_input_required_result_multiple_inputs" => {
            let answers = (step, form("user_name", "name"), answer("greeting"), answer("client_roots"));
            if let (Some(1), Some(name), Some(greeting), Some(roots)) = answers {
                return Ok(done(&format!("{name}: {greeting}; {roots}")));
            }
            let mut asked = name_question()?;
            asked.extend(sampling("greeting", "Generate a greeting")?);
            asked.extend(from_json::<InputRequests>(json!({"client_roots": {"method": "roots/list", "params": {}}}))?);
            Ok(required(asked, Some(seal(state, 1, &call.name)?)))
        }
        "test_input_required_result_multi_round" => match (step, form("step1", "name"), form("step2", "color")) {
            (Some(2), _, Some(color)) => Ok(done(&format!("Favorite color: {color}"))),
            (Some(1), Some(_), _) => Ok(required(
                question("step2", "Step 2: What is your favorite color?", "color", "string")?,
                Some(seal(state, 2, &call.name)?),
            )),
            _ => Ok(required(question("step1", "Step 1: What is your name?", "name", "string")?, Some(seal(state, 1, &call.name)?))),
        },
        // `test_input_required_result_capabilities`: only what the client can do may be asked.
        _ => {
            let mut asked = InputRequests::new();
            if client.elicitation.is_some() {
                asked.extend(name_question()?);
            }
            if json!(client).get("sampling").is_some() {
                asked.extend(sampling("greeting", "Generate a greeting")?);
            }
            if asked.is_empty() || call.input_responses.is_some() { Ok(done("nothing to ask")) } else { Ok(required(asked, None)) }
        }
    }
}

pub(super) fn done(text: &str) -> CallToolResponse {
    CallToolResult::success(vec![ContentBlock::text(text)]).into()
}

pub(super) fn required(asked: InputRequests, state: Option<String>) -> CallToolResponse {
    InputRequiredResult::new(Some(asked), state).into()
}

pub(super) fn name_question() -> Result<InputRequests, ErrorData> {
    from_json(json!({"user_name": {"method": "elicitation/create", "params": ask("What is your name?", "name", "string")}}))
}

fn sampling(key: &str, text: &str) -> Result<InputRequests, ErrorData> {
    from_json(json!({ key: {"method": "sampling/createMessage", "params": {
        "messages": [{"role": "user", "content": {"type": "text", "text": text}}], "maxTokens": 100,
    }}}))
}

fn seal(state: &State, step: u64, tool: &str) -> Result<String, ErrorData> {
    let options = SealOptions::new().associated_data(tool.as_bytes()).ttl(Duration::from_mins(5));
    state.codec.seal_json_with(&step, &options).map_err(|wrong| ErrorData::internal_error(wrong.to_string(), None))
}

fn open(state: &State, sealed: &str, tool: &str) -> Result<u64, ErrorData> {
    state.codec.open_json_with(sealed, tool.as_bytes()).map_err(|_| ErrorData::invalid_params("this request state is not valid", None))
}
