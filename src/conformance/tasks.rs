//! Tools that go on as tasks where the client knows tasks.

use super::rounds::{done, name_question, required};
use super::{State, accepted, ask, from_json, missing};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CreateTaskResult, InputRequest, TASKS_EXTENSION_ID,
};
use rmcp::task_manager::{TaskContext, TaskExit, TaskFuture, TaskOptions};
use serde_json::{Value, json};
use std::time::Duration;

/// Answers one of the suite's tools for tasks.
pub(super) async fn call(state: &State, call: &CallToolRequestParams, client_has_tasks: bool) -> Result<CallToolResponse, ErrorData> {
    let argument = |name: &str| call.arguments.as_ref().and_then(|all| all.get(name));
    let text = |name: &str| argument(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match call.name.as_ref() {
        "greet" => return Ok(done(&format!("Hello, {}!", text("name")))),
        "slow_compute" => {
            let time = Duration::from_secs(argument("seconds").and_then(Value::as_u64).unwrap_or_default().min(60));
            let result = format!("computed {}", text("label"));
            // The one tool that also works without tasks; the others need them.
            if client_has_tasks && !time.is_zero() {
                return Ok(task(state, move |cx| Box::pin(compute(cx, time, result))));
            }
            tokio::time::sleep(time).await;
            return Ok(done(&result));
        }
        _ if !client_has_tasks => return Err(missing(json!({"extensions": {TASKS_EXTENSION_ID: {}}}))),
        _ => {}
    }
    Ok(match call.name.as_ref() {
        "failing_job" => task(state, |_| {
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(CallToolResult::error(vec![ContentBlock::text("this job always fails")]))
            })
        }),
        "protocol_error_job" => {
            task(state, |_| Box::pin(async { Err(TaskExit::Error(ErrorData::internal_error("this job breaks the protocol", None))) }))
        }
        "confirm_delete" => {
            let message = format!("Delete {}?", text("filename"));
            task(state, move |cx| {
                Box::pin(async move { Ok(finished(&input(&cx, "confirm", ask(&message, "confirm", "boolean")).await?.to_string())) })
            })
        }
        "multi_input" => task(state, |cx| {
            Box::pin(async move {
                let (first, second) = tokio::try_join!(
                    input(&cx, "first", ask("First name?", "name", "string")),
                    input(&cx, "second", ask("Second name?", "name", "string")),
                )?;
                Ok(finished(&format!("{first} and {second}")))
            })
        }),
        // `test_tool_with_task`: a round first, then a task that knows its answer.
        _ => {
            let answer = call.input_responses.as_ref().and_then(|all| all.get("user_name"));
            let Some(name) = accepted(answer).and_then(|content| content.get("name")).and_then(Value::as_str) else {
                return Ok(required(name_question()?, None));
            };
            let greeting = format!("Hello, {name}!");
            task(state, move |_| Box::pin(async move { Ok(finished(&greeting)) }))
        }
    })
}

fn task(state: &State, work: impl FnOnce(TaskContext) -> TaskFuture) -> CallToolResponse {
    CreateTaskResult::new(state.tasks.spawn(TaskOptions::new().with_poll_interval_ms(200), work)).into()
}

async fn compute(cx: TaskContext, time: Duration, result: String) -> Result<CallToolResult, TaskExit> {
    tokio::select! {
        () = cx.cancelled() => Err(TaskExit::Cancelled),
        () = tokio::time::sleep(time) => Ok(finished(&result)),
    }
}

async fn input(cx: &TaskContext, key: &str, params: Value) -> Result<Value, TaskExit> {
    let request: InputRequest = from_json(json!({"method": "elicitation/create", "params": params}))?;
    cx.request_input(key, request).await
}

fn finished(text: &str) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}
