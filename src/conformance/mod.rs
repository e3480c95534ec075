//! What the official conformance suite calls, beside the real server.
//!
//! The suite asks a server for tools, prompts and resources by fixed names. [`WithFixtures`] puts them in front of any
//! [`ServerHandler`] and leaves everything else to it, so the suite measures the server that is shipped. Compiled with the
//! `conformance` feature only, and served by nothing but the hidden `rolecall conformance` command.
//!
//! Left out on purpose: deprecated logging and `resources/subscribe`, which the server does not offer, and the two triggers
//! that change lists, which the suite uses only on servers that say that their lists change.

mod prompts;
mod resources;
mod rounds;
mod tasks;
mod tools;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, ClientCapabilities, CompleteRequestParams, CompleteResult, DiscoverResult,
    GetPromptRequestParams, GetPromptResponse, GetSkillRequestParams, GetSkillResult, GetTaskParams, GetTaskResult,
    InitializeRequestParams, InitializeResult, InputRequests, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListSkillsResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, RequestStateCodec,
    RequestStateError, ServerCapabilities, ServerConfig, SubscriptionFilter, TASKS_EXTENSION_ID, Tool, UpdateTaskParams,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext};
use rmcp::task_manager::TaskManager;
use rmcp::{ErrorData, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// A server with the suite's fixtures in front of it.
#[derive(Clone)]
pub struct WithFixtures<H> {
    inner: H,
    state: Arc<State>,
}

/// What the fixtures keep between requests.
struct State {
    codec: RequestStateCodec,
    tasks: TaskManager,
}

impl<H> WithFixtures<H> {
    /// Puts the fixtures in front of `inner`.
    ///
    /// # Errors
    /// When the codec does not take the key; its length is right, so it does.
    pub fn new(inner: H) -> Result<Self, RequestStateError> {
        let key: Vec<u8> = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].iter().flat_map(|part| *part.as_bytes()).collect();
        Ok(Self { inner, state: Arc::new(State { codec: RequestStateCodec::try_new(key)?, tasks: TaskManager::new() }) })
    }
}

impl<H: ServerHandler> ServerHandler for WithFixtures<H> {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.inner.get_info();
        declare(&mut info.capabilities);
        info
    }

    async fn initialize(&self, request: InitializeRequestParams, cx: RequestContext<RoleServer>) -> Result<InitializeResult, ErrorData> {
        let mut result = self.inner.initialize(request, cx).await?;
        declare(&mut result.capabilities);
        Ok(result)
    }

    async fn discover(&self, cx: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let mut result = self.inner.discover(cx).await?;
        declare(&mut result.capabilities);
        Ok(result)
    }

    async fn list_tools(&self, page: Option<PaginatedRequestParams>, cx: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        let mut result = self.inner.list_tools(page, cx).await?;
        if result.next_cursor.is_none() {
            result.tools.extend(tools::list());
        }
        Ok(result)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::list().into_iter().find(|tool| tool.name == name).or_else(|| self.inner.get_tool(name))
    }

    async fn call_tool(&self, call: CallToolRequestParams, cx: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        if tools::is_fixture(&call.name) { tools::call(&self.state, call, cx).await } else { self.inner.call_tool(call, cx).await }
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut result = self.inner.list_prompts(page, cx).await?;
        if result.next_cursor.is_none() {
            result.prompts.extend(prompts::list()?);
        }
        Ok(result)
    }

    async fn get_prompt(&self, request: GetPromptRequestParams, cx: RequestContext<RoleServer>) -> Result<GetPromptResponse, ErrorData> {
        match prompts::get(&request) {
            Some(answer) => answer,
            None => self.inner.get_prompt(request, cx).await,
        }
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut result = self.inner.list_resources(page, cx).await?;
        if result.next_cursor.is_none() {
            result.resources.extend(resources::list());
        }
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut result = self.inner.list_resource_templates(page, cx).await?;
        if result.next_cursor.is_none() {
            result.resource_templates.push(resources::template());
        }
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match resources::read(&request.uri) {
            Some(contents) => Ok(contents.into()),
            None => self.inner.read_resource(request, cx).await,
        }
    }

    async fn list_skills(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        self.inner.list_skills(request, cx).await
    }

    async fn get_skill(&self, request: GetSkillRequestParams, cx: RequestContext<RoleServer>) -> Result<GetSkillResult, ErrorData> {
        self.inner.get_skill(request, cx).await
    }

    async fn complete(&self, request: CompleteRequestParams, cx: RequestContext<RoleServer>) -> Result<CompleteResult, ErrorData> {
        // The suite completes an argument of its own prompt, which the server behind does not know.
        if request.r#ref.as_prompt_name().is_some_and(prompts::is_fixture) {
            return Ok(CompleteResult::default());
        }
        self.inner.complete(request, cx).await
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.inner.accepted_subscription_filter(requested)
    }

    async fn listen(&self, cx: SubscriptionContext) -> Result<(), ErrorData> {
        self.inner.listen(cx).await
    }

    async fn get_task(&self, request: GetTaskParams, _: RequestContext<RoleServer>) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.state.tasks.get_task(&request.task_id)?))
    }

    async fn update_task(&self, request: UpdateTaskParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.state.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(&self, request: CancelTaskParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.state.tasks.cancel_task(&request.task_id)
    }
}

/// Adds the tasks extension, which only the fixtures have.
fn declare(capabilities: &mut ServerCapabilities) {
    capabilities.extensions.get_or_insert_default().insert(TASKS_EXTENSION_ID.to_owned(), serde_json::Map::new());
}

/// Reads a protocol type from the JSON that the suite's texts show, so that the fixtures read like those texts.
fn from_json<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|wrong| ErrorData::internal_error(format!("a fixture does not fit its type: {wrong}"), None))
}

/// Reads a result. What the revision 2026-07-28 wants said of it is added; rmcp takes it off again for older clients.
fn result<T: DeserializeOwned>(mut value: Value) -> Result<T, ErrorData> {
    value["resultType"] = json!("complete");
    from_json(value)
}

/// One question for a person, as a multi-round-trip request.
fn question(key: &str, message: &str, field: &str, kind: &str) -> Result<InputRequests, ErrorData> {
    from_json(json!({ key: {"method": "elicitation/create", "params": ask(message, field, kind)} }))
}

/// The parameters of a form with one required field.
fn ask(message: &str, field: &str, kind: &str) -> Value {
    json!({
        "mode": "form",
        "message": message,
        "requestedSchema": {"type": "object", "properties": {field: {"type": kind}}, "required": [field]},
    })
}

/// The content of an accepted form.
fn accepted(answer: Option<&Value>) -> Option<&serde_json::Map<String, Value>> {
    let answer = answer?.as_object()?;
    if answer.get("action")? == "accept" { answer.get("content")?.as_object() } else { None }
}

/// Says which capability a call needs that its client did not declare.
fn missing(capability: Value) -> ErrorData {
    from_json::<ClientCapabilities>(capability).map_or_else(|wrong| wrong, ErrorData::missing_required_client_capability)
}
