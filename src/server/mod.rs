//! The MCP surface: both protocol eras on one handler. With the transports, the only importer of rmcp.

mod ask;
mod calls;
mod chat;
mod compact;
mod completion;
mod prompts;
mod resources;
mod results;
mod skills;
mod tasks;
mod turns;
mod watch;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use results::{failure, success};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams, CompleteResult, DiscoverResult,
        GetPromptRequestParams, GetPromptResponse, GetSkillRequestParams, GetSkillResult, GetTaskParams, GetTaskResult, Implementation,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult, ListToolsResult, MetaObject,
        PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, RequestStateCodec, ServerCapabilities,
        ServerConfig, Tool, ToolAnnotations, UpdateTaskParams,
    },
    service::RequestContext,
};
use tokio::sync::OnceCell;
use tracing::Instrument as _;
pub use turns::{Turn, Turns};
use watch::Watch;

use crate::{
    app::App,
    catalog::Offer,
    error::CallError,
    guard::{Caller, Given, LOCAL_PRINCIPAL, Question, Verdict},
    tools::{Effect, ToolList},
};

/// Who makes a request, as a transport has found out. Transports put it into the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal(pub String);

/// Calls that are worked on at once, of all and of one caller; more wait.
const CALLS_AT_ONCE: usize = 64;
const CALLS_OF_ONE: usize = 48;

/// How long lists may be kept by clients: they change only when the server is started anew.
const LISTS_FRESH_MS: u64 = 3_600_000;

const INSTRUCTIONS: &str = "Runs organizations: projects, members, teams, roles, keys, limits. Names, slugs, e-mails and ids all work; nothing is guessed. \
Changes take dry_run. Those that destroy or give power ask a person through the client; a model cannot confirm them.";

const MORE: &str = "The list shows the tools that most work needs; find_tools finds the others, which are called through call_read, call_write, \
call_access or call_destroy.";

/// The MCP server. Clones share everything.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    app: Arc<App>,
    /// Seals consents on their way through clients; made at the first question.
    codec: OnceCell<RequestStateCodec>,
    calls: Turns,
    figures: calls::Figures,
    patience: Patience,
    list: ToolList,
}

/// How long things may take that a request waits for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the answer to a question inside the request.
    pub question: Duration,
    /// For a job, until the client is told where to ask after it.
    pub job: Duration,
    /// The same where the client takes a task instead.
    pub task: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        // Clients give a request a minute as a rule; a question that outlives its request helps nobody.
        Self { question: Duration::from_secs(55), job: Duration::from_secs(20), task: Duration::from_secs(2) }
    }
}

impl Server {
    pub fn new(app: Arc<App>) -> Self {
        Self::with(app, Patience::default(), ToolList::Full)
    }

    pub fn with_patience(app: Arc<App>, patience: Patience) -> Self {
        Self::with(app, patience, ToolList::Full)
    }

    /// With as much of the list of tools as clients are to be shown.
    pub fn listing(app: Arc<App>, list: ToolList) -> Self {
        Self::with(app, Patience::default(), list)
    }

    pub fn with(app: Arc<App>, patience: Patience, list: ToolList) -> Self {
        let (calls, figures) = (Turns::new(CALLS_AT_ONCE, CALLS_OF_ONE), calls::Figures::new());
        Self { inner: Arc::new(Inner { app, codec: OnceCell::new(), calls, figures, patience, list }) }
    }

    pub fn app(&self) -> &Arc<App> {
        &self.inner.app
    }

    /// What a client hands to its model; with it what a person may miss, so that it does not take an empty directory for theirs.
    fn instructions(&self) -> String {
        let mut text = INSTRUCTIONS.to_owned();
        if self.inner.list == ToolList::Compact {
            text += &format!(" {MORE}");
        }
        let notes = &self.inner.app.notes;
        if !notes.is_empty() {
            text += &format!(" Tell the person: {}", notes.join(". "));
        }
        text
    }

    /// What an operator's tools want to know, as Prometheus reads it. It tells nothing of people, and no secret.
    pub fn figures(&self) -> String {
        self.inner.figures.text(&self.inner.app)
    }

    async fn call(&self, mut request: CallToolRequestParams, cx: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let app = &self.inner.app;
        let name = request.name.to_string();
        let offer = app.catalog.offer(&name).map_err(|error| unknown_tool(&error))?;
        let arguments = request.arguments.take().unwrap_or_default();
        let channel = ask::channel(&cx);
        let caller = caller(&cx, channel != ask::Channel::None);
        let given = match self.given(&request, &arguments, &caller, channel).await {
            Ok(given) => given,
            Err(ask::BadState::Protocol(error)) => return Err(error),
            Err(ask::BadState::Call(error)) => return Ok(failure(&error, &cx).into()),
        };
        let opens = ask::opens(&cx);
        // A page that was offered and not opened is not offered again.
        let declined = request.request_state.is_some() && given == Given::Nothing;
        let shows = chat::shows(&cx);
        let given = match given {
            Given::Nothing if opens && !declined => Given::Opens,
            Given::Nothing if shows => Given::Shows,
            given => given,
        };
        let again = if opens || shows { arguments.clone() } else { serde_json::Map::new() };
        let turn = self.turn(&cx).await?;
        let watch = Watch::new(&cx);
        let wait = || watch.wait(&self.inner.patience);
        let call = watch.during(watch.in_turn(turn, Box::pin(app.call_and_wait(&name, arguments.clone(), &caller, given, wait()))), &cx);
        let verdict = match offer.tool.effect {
            // A read that nobody waits for any more can be dropped; a change is finished and recorded.
            Effect::Read => tokio::select! {
                verdict = call => verdict,
                () = cx.ct.cancelled() => return Err(ErrorData::invalid_request("the request was cancelled", None)),
            },
            _ => call.await,
        };
        let verdict = match verdict {
            Ok(Verdict::Ask(question, ticket)) => match channel {
                ask::Channel::Results => return self.input_required(&question, &ticket, &caller).await,
                ask::Channel::Request => {
                    // People take their time; others' calls do not wait for them.
                    let answer = self.elicit(&question, &cx).await;
                    let turn = self.turn(&cx).await?;
                    let given = Given::Form(ticket, answer);
                    let call = watch.in_turn(turn, Box::pin(app.call_and_wait(&name, arguments, &caller, given, wait())));
                    match watch.during(call, &cx).await {
                        Ok(Verdict::Ask(Question { again: Some(why), .. }, _)) => {
                            Err(CallError::BadConfirmation { message: why.to_owned() })
                        }
                        Ok(Verdict::Ask(..)) => Err(crate::error::ProviderError::TargetChanged.into()),
                        other => other,
                    }
                }
                ask::Channel::None => Err(CallError::Internal),
            },
            other => other,
        };
        let verdict = match verdict {
            Err(error) if opens && let Some(page) = ask::Page::of(&error) => {
                if is_modern(&cx) {
                    // Whoever would not open it is told how else to answer.
                    if !declined {
                        return self.page_required(&page, &caller).await;
                    }
                    Err(error)
                } else if self.open_page(&page, &cx).await {
                    let turn = self.turn(&cx).await?;
                    let call = watch.in_turn(turn, Box::pin(app.call_and_wait(&name, again.clone(), &caller, Given::Nothing, wait())));
                    watch.during(call, &cx).await
                } else {
                    Err(error)
                }
            }
            other => other,
        };
        Ok(match verdict {
            Ok(Verdict::Done(result)) => match watch.task(&result) {
                Some(job) => return Ok(self.task(&job, &cx).await?.into()),
                None => success(result, &cx),
            },
            Ok(Verdict::Token { ticket, mut receipt, .. }) => {
                let token = self.seal(&ticket, &ask::token_context(&caller)).await?;
                self.inner.figures.asked("token");
                receipt["confirmation_token"] = token.into();
                receipt["expires_in_s"] = crate::guard::TTL_SECONDS.into();
                success(receipt, &cx)
            }
            Ok(Verdict::Ask(..)) => failure(&CallError::Internal, &cx),
            Err(error) if shows => self.with_page(error, (&name, again), &caller, &cx).await?,
            Err(error) => failure(&error, &cx),
        }
        .into())
    }
}

impl Server {
    /// Waits until it is this request's turn, as long as somebody waits for its answer.
    async fn turn(&self, cx: &RequestContext<RoleServer>) -> Result<Turn, ErrorData> {
        let cancelled = || ErrorData::invalid_request("the request was cancelled; nothing was sent", None);
        let principal = principal(cx);
        tokio::select! {
            turn = self.inner.calls.take(&principal) => match turn {
                Some(turn) if !cx.ct.is_cancelled() => Ok(turn),
                Some(_) => Err(cancelled()),
                None => Err(internal()),
            },
            () = cx.ct.cancelled() => Err(cancelled()),
        }
    }

    /// Waits for its turn and for a read, as long as somebody waits for it.
    async fn look<T>(&self, read: impl Future<Output = T>, cx: &RequestContext<RoleServer>) -> Result<T, ErrorData> {
        let _turn = self.turn(cx).await?;
        tokio::select! {
            found = AssertUnwindSafe(read).catch_unwind() => found.map_err(|_| {
                tracing::error!("a read failed inside");
                internal()
            }),
            () = cx.ct.cancelled() => Err(ErrorData::invalid_request("the request was cancelled", None)),
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

/// A list in one page, fresh until the server is started anew.
macro_rules! list {
    ($result:ident, $items:expr, $request:ident, $cx:ident) => {{
        one_page($request)?;
        let mut found = $result::with_all_items($items);
        found.ttl_ms = Some(LISTS_FRESH_MS);
        found.cache_scope = Some(CacheScope::Private);
        found.meta = stamp(&$cx);
        Ok(found)
    }};
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .enable_completions()
            .enable_tasks()
            .enable_skills()
            .build();
        ServerConfig::new(capabilities).with_server_info(implementation()).with_instructions(self.instructions())
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let mut found = DiscoverResult::from_server_info(self.supported_protocol_versions().into_owned(), self.get_info());
        found.ttl_ms = LISTS_FRESH_MS;
        found.cache_scope = CacheScope::Private;
        Ok(found)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = mcp_tools(&self.inner.app, self.inner.list);
        let tools = if chat::shows(&cx) { chat::with_pages(tools, &self.inner.app) } else { tools };
        list!(ListToolsResult, tools, request, cx)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let own = || (self.inner.list == ToolList::Compact).then(|| compact::own(&self.inner.app, name)).flatten();
        self.inner.app.catalog.offer(name).ok().map(mcp_tool).or_else(own).or_else(|| (name == chat::ANSWER).then(chat::tool))
    }

    async fn call_tool(&self, mut request: CallToolRequestParams, cx: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let app = &self.inner.app;
        let opened = if self.inner.list == ToolList::Compact { compact::opened(app, &mut request) } else { Ok(()) };
        // A handler that panics would never answer, and the client would wait for ever.
        let told = self.inner.figures.begin(app, &request, &cx);
        let call = async {
            match opened {
                Err(error) => Ok(failure(&error, &cx).into()),
                Ok(()) if self.inner.list == ToolList::Compact && request.name == compact::FIND => {
                    let found = compact::find(app, &request.arguments.unwrap_or_default());
                    Ok(found.map_or_else(|error| failure(&error, &cx), |found| success(found, &cx)).into())
                }
                Ok(()) if request.name == chat::ANSWER && chat::shows(&cx) => self.answered(request, &cx).await,
                Ok(()) => self.call(request, cx).await,
            }
        };
        let call = AssertUnwindSafe(call).catch_unwind().instrument(told.span());
        let answer = call.await.unwrap_or_else(|_| {
            tracing::error!("a tool call failed inside");
            Err(internal())
        });
        told.end(&answer);
        answer
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        list!(ListPromptsResult, prompts::list(self.app()), request, cx)
    }

    async fn get_prompt(&self, request: GetPromptRequestParams, cx: RequestContext<RoleServer>) -> Result<GetPromptResponse, ErrorData> {
        let mut prompt = prompts::get(self.app(), &request.name, request.arguments.as_ref())?;
        prompt.meta = stamp(&cx);
        Ok(prompt.into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        list!(ListResourcesResult, resources::list(self.app()), request, cx)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        list!(ListResourceTemplatesResult, resources::templates(self.app()), request, cx)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let caller = caller(&cx, false);
        let page = || chat::read(&request.uri).filter(|_| chat::shows(&cx));
        let mut contents = match skills::read(self.app(), &request.uri).or_else(page) {
            Some(contents) => contents,
            None => Box::pin(self.look(resources::read(self.app(), &request.uri, &caller), &cx)).await??,
        };
        contents.meta = stamp(&cx);
        Ok(contents.into())
    }

    async fn list_skills(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        list!(ListSkillsResult, skills::list(self.app()), request, cx)
    }

    async fn get_skill(&self, request: GetSkillRequestParams, cx: RequestContext<RoleServer>) -> Result<GetSkillResult, ErrorData> {
        let mut found = GetSkillResult::new(skills::get(self.app(), &request.uri)?);
        (found.ttl_ms, found.cache_scope) = (Some(LISTS_FRESH_MS), Some(CacheScope::Private));
        found.meta = stamp(&cx);
        Ok(found)
    }

    async fn get_task(&self, request: GetTaskParams, cx: RequestContext<RoleServer>) -> Result<GetTaskResult, ErrorData> {
        Box::pin(self.look(self.task_now(request.task_id, &cx), &cx)).await?
    }

    /// A task of ours waits for nobody: what is sent is taken in, and nothing follows.
    async fn update_task(&self, request: UpdateTaskParams, cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.job_of(&request.task_id, &cx).await.map(drop)
    }

    async fn cancel_task(&self, request: CancelTaskParams, cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.cancel(&request.task_id, &cx).await
    }

    async fn complete(&self, request: CompleteRequestParams, cx: RequestContext<RoleServer>) -> Result<CompleteResult, ErrorData> {
        let caller = caller(&cx, false);
        let mut found = Box::pin(self.look(completion::complete(self.app(), &request, &caller), &cx)).await?;
        found.meta = stamp(&cx);
        Ok(found)
    }
}

/// The list of tools as clients see it.
pub fn mcp_tools(app: &App, list: ToolList) -> Vec<Tool> {
    match list {
        ToolList::Full => app.catalog.offers().map(mcp_tool).collect(),
        ToolList::Compact => compact::list(app),
    }
}

/// One of the names that clients may call and that are no tool of the program.
fn own_name(name: &str) -> Option<&'static str> {
    compact::own_name(name).or_else(|| (name == chat::ANSWER).then_some(chat::ANSWER))
}

/// A tool on offer as clients see it.
pub fn mcp_tool(offer: &Offer) -> Tool {
    let tool = &offer.tool;
    Tool::new(tool.name, tool.description(), Arc::new(offer.input_schema()))
        .with_title(tool.title)
        .with_raw_output_schema(Arc::new(offer.output_schema()))
        .with_annotations(annotations(tool.effect))
}

/// What a hint says by default is not said: clients read each hint, and models pay for each word.
fn annotations(effect: Effect) -> ToolAnnotations {
    match effect {
        Effect::Read => ToolAnnotations::new().read_only(true),
        Effect::Write | Effect::Access => ToolAnnotations::new().read_only(false).destructive(false),
        Effect::Destroy => ToolAnnotations::new().read_only(false).destructive(true),
    }
}

fn implementation() -> Implementation {
    Implementation::new("rolecall", env!("CARGO_PKG_VERSION")).with_title("Rolecall")
}

/// Whether the request is of the era without handshake.
fn is_modern(cx: &RequestContext<RoleServer>) -> bool {
    cx.protocol_version().is_some_and(|it| it >= ProtocolVersion::V_2026_07_28)
}

/// What results carry beside themselves: since 2026-07-28 the server says who it is.
fn stamp(cx: &RequestContext<RoleServer>) -> Option<MetaObject> {
    if !is_modern(cx) {
        return None;
    }
    let mut meta = MetaObject::default();
    meta.insert("io.modelcontextprotocol/serverInfo".into(), serde_json::to_value(implementation()).ok()?);
    Some(meta)
}

/// Lists are one page; there is no cursor that could be right.
fn one_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request.and_then(|it| it.cursor) {
        Some(cursor) => Err(ErrorData::invalid_params(format!("`{}` is not a cursor", crate::shape::cut(&cursor, 40)), None)),
        None => Ok(()),
    }
}

/// The principal that the transport has found.
fn principal(cx: &RequestContext<RoleServer>) -> String {
    let parts = cx.extensions.get::<axum::http::request::Parts>();
    parts.and_then(|it| it.extensions.get::<Principal>()).map_or_else(|| LOCAL_PRINCIPAL.to_owned(), |it| it.0.clone())
}

/// Who calls: the principal that the transport has found, the client by its own words.
fn caller(cx: &RequestContext<RoleServer>, can_ask: bool) -> Caller {
    let principal = principal(cx);
    let client = cx.client_info().map(|it| format!("{} {}", it.name, it.version)).unwrap_or_default();
    Caller { principal, client: crate::shape::cut(&crate::domain::clean(&client), 80), can_ask }
}

fn unknown_tool(error: &CallError) -> ErrorData {
    ErrorData::invalid_params(format!("{error}; {}", error.fix()), None)
}

fn internal() -> ErrorData {
    ErrorData::internal_error("an internal error occurred in the server; the call may not have been made", None)
}
