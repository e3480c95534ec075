//! Pages inside of the chat, for clients that show them (MCP Apps, `io.modelcontextprotocol/ui`): a question with its facts, and the
//! answer beside it. Other clients see nothing of it.
//!
//! An answer that is given there counts as the yes in a form does: where the operator trusts the client with that, and nowhere else.
//! It comes as a call of a tool that clients keep for their pages. A client that does not would let its model call it, and so the
//! call alone is worth nothing: it has to bring what only the page was given. That is the call that it is about, and its approval,
//! sealed for this caller and this client. It travels in the `_meta` of the result, which clients hand to the page and to no model,
//! and never in its text or content; it works as long as its approval waits, and once.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, MetaObject, ReadResourceResult, ResourceContents, SealOptions, Tool},
    service::RequestContext,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Server, annotations, ask::SEALED, caller, compact, failure, internal, stamp, success, watch::Watch};
use crate::{
    app::App,
    error::CallError,
    guard::{Caller, ClientAnswer, Given, Verdict},
    tools::Effect,
};

/// The extension, and what a client that has it says of the pages that it shows.
const EXTENSION: &str = "io.modelcontextprotocol/ui";
const MIME_TYPE: &str = "text/html;profile=mcp-app";
/// Where the page is read.
const PAGE: &str = "ui://rolecall/question";
/// The tool that the page calls.
pub(super) const ANSWER: &str = "answer_question";
/// Under which name a result's `_meta` has what is for the page.
const FOR_PAGE: &str = "rolecall/question";

/// Whether the client shows pages inside of the chat.
pub(super) fn shows(cx: &RequestContext<RoleServer>) -> bool {
    let extensions = cx.client_capabilities().and_then(|it| it.extensions).unwrap_or_default();
    let kinds = extensions.get(EXTENSION).and_then(|it| it.get("mimeTypes")).and_then(Value::as_array);
    kinds.is_some_and(|it| it.iter().any(|kind| kind == MIME_TYPE))
}

/// The list of tools for a client that shows pages: those that a person may be asked about have one, and the page has its tool.
pub(super) fn with_pages(tools: Vec<Tool>, app: &App) -> Vec<Tool> {
    let asks = |effect| matches!(effect, Effect::Access | Effect::Destroy);
    let has_page = |name: &str| app.catalog.offer(name).map_or_else(|_| compact::effect(name).is_some_and(asks), |it| asks(it.tool.effect));
    let with_page = |tool: Tool| if has_page(&tool.name) { tool.with_meta(meta("ui", json!({ "resourceUri": PAGE }))) } else { tool };
    tools.into_iter().map(with_page).chain([tool()]).collect()
}

/// The tool that the page calls, and nobody else.
pub(super) fn tool() -> Tool {
    let text = json!({ "type": "string" });
    let schema = json!({
        "type": "object",
        "properties": { "state": text, "agree": { "type": "boolean" }, "name": text, "reason": text },
        "required": ["state", "agree"],
        "additionalProperties": false,
    });
    let Value::Object(schema) = schema else { return Tool::new(ANSWER, "", Arc::new(Map::new())) };
    let description = "A person's answer, from the page that shows the question. No model can call it: it needs what only the page has.";
    Tool::new(ANSWER, description, Arc::new(schema))
        .with_title("Answer a question")
        .with_annotations(annotations(Effect::Destroy))
        .with_meta(meta("ui", json!({ "resourceUri": PAGE, "visibility": ["app"] })))
}

fn meta(name: &str, value: Value) -> MetaObject {
    let mut meta = MetaObject::default();
    meta.insert(name.to_owned(), value);
    meta
}

/// The page. It holds no secret: whoever may read resources may read it.
pub(super) fn read(uri: &str) -> Option<ReadResourceResult> {
    /// With a policy that lets its own script and style in, by their digests, and nothing else.
    static HTML: LazyLock<String> = LazyLock::new(|| {
        let page = include_str!("chat.html");
        let digest = |tag: &str| {
            let inside = page.split_once(&format!("<{tag}>")).and_then(|it| it.1.split_once(&format!("</{tag}>"))).map_or("", |it| it.0);
            format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inside)))
        };
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
            digest("script"),
            digest("style")
        );
        page.replacen("{{policy}}", &policy, 1)
    });
    let contents = ResourceContents::text(HTML.as_str(), PAGE).with_mime_type(MIME_TYPE);
    // It loads nothing from anywhere, and asks for no permission.
    let contents = contents.with_meta(meta("ui", json!({ "csp": {}, "prefersBorder": true })));
    (uri == PAGE).then(|| ReadResourceResult::new(vec![contents]))
}

/// What goes out with a question that a page shows, and comes back with the answer.
#[derive(Serialize, Deserialize)]
struct Asked<'a> {
    #[serde(rename = "a")]
    approval: Cow<'a, str>,
    #[serde(rename = "t")]
    tool: Cow<'a, str>,
    #[serde(rename = "g")]
    arguments: Map<String, Value>,
}

/// For whom it is sealed: this caller, and the client that was to show it.
fn context(caller: &Caller) -> String {
    format!("rolecall chat 1\n{}\n{}", caller.principal, caller.client)
}

/// What the page sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    state: String,
    agree: bool,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    reason: String,
}

impl Server {
    /// What a call answers whose change waits for a person, with the facts for the page, and with what its answer needs where an answer
    /// counts there. Any other error is told as it is.
    pub(super) async fn with_page(
        &self,
        mut error: CallError,
        (tool, arguments): (&str, Map<String, Value>),
        caller: &Caller,
        cx: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let CallError::PendingApproval { id, address, fix, .. } = &mut error else { return Ok(failure(&error, cx)) };
        let shown = match self.app().shown(caller, id).await {
            Ok(Some(shown)) => shown,
            Ok(None) => return Ok(failure(&error, cx)),
            // Without the page it still waits, and is answered elsewhere.
            Err(unread) => {
                tracing::warn!(%unread, "a question cannot be shown inside of the chat");
                return Ok(failure(&error, cx));
            }
        };
        let facts = |name: &str| shown.facts[name].clone();
        let mut page = json!({
            "approval": id.as_str(), "address": address, "expires_at": shown.expires_at.0, "title": facts("title"), "target": facts("target"),
            "impact": facts("impact"), "losing": facts("losing"), "changes": facts("changes"), "rows": facts("rows"),
            "connection": facts("connection"), "type_this": facts("type_this"),
        });
        if shown.counts {
            let asked = Asked { approval: Cow::Borrowed(id.as_str()), tool: tool.into(), arguments };
            let context = context(caller);
            let options = SealOptions::new().associated_data(context.as_bytes()).ttl(SEALED);
            page["state"] = self.codec().await?.seal_json_with(&asked, &options).map_err(|_| internal())?.into();
            self.inner.figures.asked("chat");
            *fix = format!("a person answers on the page that this chat shows, and the change is then made by itself; else {fix}");
        }
        let mut answer = failure(&error, cx);
        answer.meta.get_or_insert_default().insert(FOR_PAGE.to_owned(), page);
        Ok(answer)
    }

    /// Takes what a person has answered on the page, and makes the change if it was a yes: the very call that the page was shown for.
    pub(super) async fn answered(
        &self,
        request: CallToolRequestParams,
        cx: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = caller(cx, false);
        let strange = |message: &str| Ok(failure(&CallError::BadConfirmation { message: message.to_owned() }, cx).into());
        let Ok(sent) = serde_json::from_value::<Sent>(request.arguments.unwrap_or_default().into()) else {
            return strange("this is no answer of the page that shows a question");
        };
        let Asked { approval, tool, arguments } = match self.codec().await?.open_json_with(&sent.state, context(&caller).as_bytes()) {
            Ok(asked) => asked,
            Err(error) => {
                tracing::warn!(%error, "an answer that no page has sent was refused");
                return strange("this answer does not come from the page that showed the question");
            }
        };
        let answer = match (sent.agree, sent.name) {
            (false, _) => ClientAnswer::Declined(sent.reason),
            (true, Some(name)) => ClientAnswer::Accepted(json!({ "name": name, "confirm": true })),
            (true, None) => ClientAnswer::Accepted(json!({ "confirm": true })),
        };
        let turn = self.turn(cx).await?;
        if let Err(error) = self.app().answered_in_client(&caller, &approval, &answer).await {
            return Ok(failure(&error, cx).into());
        }
        if matches!(answer, ClientAnswer::Declined(_)) {
            let mut told = CallToolResult::success(vec![rmcp::model::ContentBlock::text("refused; nothing was changed")]);
            (told.structured_content, told.meta) = (Some(json!({ "status": "refused" })), stamp(cx));
            return Ok(told.into());
        }
        let watch = Watch::new(cx);
        let again = arguments.clone();
        let call = self.app().call_and_wait(&tool, arguments, &caller, Given::Shows, watch.wait(&self.inner.patience));
        Ok(match watch.during(watch.in_turn(turn, call), cx).await {
            Ok(Verdict::Done(result)) => success(result, cx),
            Ok(_) => failure(&CallError::Internal, cx),
            // What was agreed to is no longer what would happen: the page asks anew.
            Err(error) => self.with_page(error, (&tool, again), &caller, cx).await?,
        }
        .into())
    }
}
