//! The suite's prompts.

use super::tools::PNG;
use super::{accepted, from_json, question, result};
use rmcp::ErrorData;
use rmcp::model::{GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequiredResult, Prompt};
use serde_json::{Value, json};

pub(super) fn is_fixture(name: &str) -> bool {
    matches!(
        name,
        "test_simple_prompt"
            | "test_prompt_with_arguments"
            | "test_prompt_with_embedded_resource"
            | "test_prompt_with_image"
            | "test_input_required_result_prompt"
    )
}

pub(super) fn list() -> Result<Vec<Prompt>, ErrorData> {
    from_json(json!([
        {"name": "test_simple_prompt", "description": "A prompt without arguments."},
        {"name": "test_prompt_with_arguments", "description": "A prompt with two arguments.", "arguments": [
            {"name": "arg1", "description": "First test argument", "required": true},
            {"name": "arg2", "description": "Second test argument", "required": true},
        ]},
        {"name": "test_prompt_with_embedded_resource", "description": "A prompt that embeds a resource.", "arguments": [
            {"name": "resourceUri", "description": "URI of the resource to embed", "required": true},
        ]},
        {"name": "test_prompt_with_image", "description": "A prompt with an image."},
        {"name": "test_input_required_result_prompt", "description": "A prompt that asks the person first."},
    ]))
}

pub(super) fn get(request: &GetPromptRequestParams) -> Option<Result<GetPromptResponse, ErrorData>> {
    let argument = |name: &str| request.arguments.as_ref().and_then(|all| all.get(name)).and_then(Value::as_str).unwrap_or_default();
    let contents = match request.name.as_str() {
        "test_simple_prompt" => vec![text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            vec![text(&format!("Prompt with arguments: arg1='{}', arg2='{}'", argument("arg1"), argument("arg2")))]
        }
        "test_prompt_with_embedded_resource" => vec![
            json!({"type": "resource", "resource": {
                "uri": argument("resourceUri"), "mimeType": "text/plain", "text": "Embedded resource content for testing.",
            }}),
            text("Please process the embedded resource above."),
        ],
        "test_prompt_with_image" => {
            vec![json!({"type": "image", "data": PNG, "mimeType": "image/png"}), text("Please analyze the image above.")]
        }
        "test_input_required_result_prompt" => {
            let answer = request.input_responses.as_ref().and_then(|all| all.get("user_context"));
            let Some(context) = accepted(answer).and_then(|content| content.get("context")).and_then(Value::as_str) else {
                let asked = question("user_context", "What context should the prompt use?", "context", "string");
                return Some(asked.map(|asked| InputRequiredResult::from_input_requests(asked).into()));
            };
            vec![text(&format!("Prompt with context: {context}"))]
        }
        _ => return None,
    };
    let messages: Vec<Value> = contents.into_iter().map(|content| json!({"role": "user", "content": content})).collect();
    Some(result::<GetPromptResult>(json!({"messages": messages})).map(Into::into))
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}
