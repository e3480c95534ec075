//! How a person is asked: by the result of the call, by a request inside it, or not at all.

use std::time::Duration;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CancelledNotificationParam, ClientResult, CustomNotification, ElicitRequest,
        ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, InputRequest, InputRequests, InputRequiredResult,
        ProgressNotificationParam, RequestId, RequestStateCodec, SealOptions, ServerRequest,
    },
    service::{PeerRequestOptions, RequestContext},
};
use serde_json::{Map, Value, json};

use super::{Server, internal};
use crate::{
    error::CallError,
    guard::{Answer, Caller, Given, Question, Ticket},
};

/// The way to a person that a client offers for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// Since 2026-07-28: the result says what input is required, and the call is made again with it.
    Results,
    /// Before: a request of the server's inside the client's.
    Request,
    None,
}

/// Why a confirmation that came with a call cannot be looked at.
pub(super) enum BadState {
    Protocol(ErrorData),
    Call(CallError),
}

/// The one table of who can be asked how.
pub(super) fn channel(cx: &RequestContext<RoleServer>) -> Channel {
    let form = cx.client_capabilities().and_then(|it| it.elicitation).is_some_and(|it| it.form.is_some() || it.url.is_none());
    if !form {
        return Channel::None;
    }
    if super::is_modern(cx) {
        return Channel::Results;
    }
    // A request that names an old version by itself has no session on which an answer could come.
    if cx.meta.protocol_version().is_some() || cx.peer.peer_info().is_none() { Channel::None } else { Channel::Request }
}

/// Whether the client can open a page for a person, and wait for what comes of it.
pub(super) fn opens(cx: &RequestContext<RoleServer>) -> bool {
    let url = cx.client_capabilities().and_then(|it| it.elicitation).is_some_and(|it| it.url.is_some());
    url && (super::is_modern(cx) || (cx.meta.protocol_version().is_none() && cx.peer.peer_info().is_some()))
}

const FORM: &str = "confirm";
const PAGE: &str = "page";

/// How long a repeated call waits for the answer on a page, until it is asked again: clients repeat it a few times by themselves.
const ON_PAGE: Duration = Duration::from_secs(20);
/// How often is looked whether somebody has answered.
const LOOK: Duration = Duration::from_millis(300);

/// A question that is answered on a page: which approval it is.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct OnPage {
    #[serde(rename = "a")]
    approval: String,
}

fn page_context(caller: &Caller) -> String {
    format!("rolecall page 1\n{}", caller.principal)
}

/// A ticket says itself until when it counts, by the store's time. This is the end of what a seal is good for, by the clocks of machines,
/// which may be wrong.
pub(super) const SEALED: Duration = Duration::from_hours(24);

fn form_context(caller: &Caller) -> String {
    format!("rolecall form 1\n{}", caller.principal)
}

pub(super) fn token_context(caller: &Caller) -> String {
    format!("rolecall token 1\n{}", caller.principal)
}

impl Server {
    pub(super) async fn codec(&self) -> Result<&RequestStateCodec, ErrorData> {
        let made = self.inner.codec.get_or_try_init(|| async {
            let key = self.inner.app.sealing_key().await.map_err(anyhow::Error::new)?;
            RequestStateCodec::try_new(key).map_err(anyhow::Error::new)
        });
        made.await.map_err(|error| {
            tracing::error!(%error, "consents cannot be sealed");
            internal()
        })
    }

    pub(super) async fn seal(&self, ticket: &Ticket, context: &str) -> Result<String, ErrorData> {
        let options = SealOptions::new().associated_data(context.as_bytes()).ttl(SEALED);
        self.codec().await?.seal_json_with(ticket, &options).map_err(|_| internal())
    }

    /// What came back for an earlier question. An answer without its sealed state is no answer.
    pub(super) async fn given(
        &self,
        request: &CallToolRequestParams,
        arguments: &Map<String, Value>,
        caller: &Caller,
        channel: Channel,
    ) -> Result<Given, BadState> {
        if let Some(token) = arguments.get("confirmation_token").and_then(Value::as_str) {
            let codec = self.codec().await.map_err(BadState::Protocol)?;
            let opened = codec.open_json_with(token, token_context(caller).as_bytes());
            return opened.map(Given::Token).map_err(|error| {
                tracing::warn!(%error, "a confirmation token was refused");
                BadState::Call(CallError::BadConfirmation { message: "the confirmation token is not valid".to_owned() })
            });
        }
        let Some(state) = &request.request_state else { return Ok(Given::Nothing) };
        let codec = self.codec().await.map_err(BadState::Protocol)?;
        if let Ok(OnPage { approval }) = codec.open_json_with(state, page_context(caller).as_bytes()) {
            // That it was opened is no answer; that it was not, neither: the approval waits for one.
            let answer = request.input_responses.as_ref().and_then(|it| it.get(PAGE)).and_then(read_answer);
            if matches!(answer, Some(Answer::Accepted(_))) {
                self.answered_on_page(&approval, ON_PAGE).await;
                return Ok(Given::Opens);
            }
            return Ok(Given::Nothing);
        }
        if channel != Channel::Results {
            return Ok(Given::Nothing);
        }
        let ticket: Ticket = codec.open_json_with(state, form_context(caller).as_bytes()).map_err(|error| {
            tracing::warn!(%error, "a request state was refused");
            BadState::Protocol(ErrorData::invalid_params("the request state is not valid; make the call again without it", None))
        })?;
        let answer = request.input_responses.as_ref().and_then(|it| it.get(FORM)).and_then(read_answer);
        Ok(answer.map_or(Given::Nothing, |answer| {
            self.inner.figures.answered(&answer);
            Given::Form(ticket, answer)
        }))
    }

    /// Asks by the result of the call.
    pub(super) async fn input_required(
        &self,
        question: &Question,
        ticket: &Ticket,
        caller: &Caller,
    ) -> Result<CallToolResponse, ErrorData> {
        self.inner.figures.asked("result");
        let state = self.seal(ticket, &form_context(caller)).await?;
        let mut requests = InputRequests::new();
        requests.insert(FORM.to_owned(), InputRequest::Elicitation(ElicitRequest::new(form(question)?)));
        Ok(InputRequiredResult::new(Some(requests), Some(state)).into())
    }

    /// Asks by the result of the call to open a page. The address holds no secret: it is worth nothing without the person's sign-in.
    pub(super) async fn page_required(&self, page: &Page, caller: &Caller) -> Result<CallToolResponse, ErrorData> {
        self.inner.figures.asked("page");
        let context = page_context(caller);
        let options = SealOptions::new().associated_data(context.as_bytes()).ttl(SEALED);
        let state = OnPage { approval: page.approval.clone() };
        let state = self.codec().await?.seal_json_with(&state, &options).map_err(|_| internal())?;
        let mut requests = InputRequests::new();
        requests.insert(PAGE.to_owned(), InputRequest::Elicitation(ElicitRequest::new(page.request())));
        Ok(InputRequiredResult::new(Some(requests), Some(state)).into())
    }

    /// Asks inside the request to open a page, and waits for what is answered there. False where nothing was, or nobody opens it.
    pub(super) async fn open_page(&self, page: &Page, cx: &RequestContext<RoleServer>) -> bool {
        self.inner.figures.asked("page");
        let until = tokio::time::Instant::now() + self.inner.patience.question;
        if !matches!(self.put(page.request(), cx).await, Answer::Accepted(_)) {
            return false;
        }
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        let answered = tokio::select! {
            answered = self.answered_on_page(&page.approval, left) => answered,
            () = keep_waiting(cx) => false,
            () = cx.ct.cancelled() => false,
        };
        if answered {
            let done = CustomNotification::new("notifications/elicitation/complete", Some(json!({ "elicitationId": page.approval })));
            // A client that does not listen sees the call go on.
            let _ = cx.peer.send_notification(done.into()).await;
        }
        answered
    }

    /// Waits until an approval is answered; false where it is not in time.
    async fn answered_on_page(&self, approval: &str, time: Duration) -> bool {
        let answered = async {
            loop {
                match self.inner.app.waits(approval).await {
                    Ok(false) => return true,
                    Ok(true) => {}
                    Err(error) => tracing::warn!(%error, "it cannot be looked whether somebody has answered"),
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(time, answered).await.unwrap_or(false)
    }

    /// Asks inside the request, and waits. It has to be called in the request's own task: the answer comes on its stream.
    pub(super) async fn elicit(&self, question: &Question, cx: &RequestContext<RoleServer>) -> Answer {
        self.inner.figures.asked("request");
        let answer = match form(question) {
            Ok(form) => self.put(form, cx).await,
            Err(_) => Answer::Unanswered,
        };
        self.inner.figures.answered(&answer);
        answer
    }

    async fn put(&self, question: ElicitRequestParams, cx: &RequestContext<RoleServer>) -> Answer {
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(question));
        // rmcp withdraws a question that is not answered in time.
        let options = PeerRequestOptions::with_timeout(self.inner.patience.question);
        let asked = match cx.peer.send_cancellable_request(request, options).await {
            Ok(asked) => asked,
            Err(error) => {
                tracing::info!(%error, "a question was not put");
                return Answer::Unanswered;
            }
        };
        let id = asked.id.clone();
        let answer = tokio::select! {
            answer = asked.await_response() => answer,
            () = cx.ct.cancelled() => {
                withdraw(id, cx).await;
                return Answer::Cancelled;
            }
            () = keep_waiting(cx) => return Answer::Unanswered,
        };
        match answer {
            Ok(ClientResult::ElicitResult(answer)) => answer_of(answer),
            Ok(_) => {
                tracing::info!("a question was answered with something else");
                Answer::Unanswered
            }
            Err(error) => {
                tracing::info!(%error, "a question was not answered");
                Answer::Unanswered
            }
        }
    }
}

/// A page of the console on which an approval is answered.
pub(super) struct Page {
    pub(super) approval: String,
    pub(super) address: String,
    pub(super) question: String,
}

impl Page {
    /// The page that a call has to wait for, where there is one.
    pub(super) fn of(error: &CallError) -> Option<Self> {
        match error {
            CallError::PendingApproval { id, address: Some(address), question, .. } => {
                Some(Self { approval: id.clone(), address: address.clone(), question: question.clone() })
            }
            _ => None,
        }
    }

    fn request(&self) -> ElicitRequestParams {
        ElicitRequestParams::UrlElicitationParams {
            meta: None,
            // What is asked stands there, and only there is it answered.
            message: format!("A person has to answer this on a page of the console: {}", self.question.lines().next().unwrap_or_default()),
            url: self.address.clone(),
            elicitation_id: self.approval.clone(),
        }
    }
}

/// Takes a question back whose call was cancelled, so that nobody answers it for nothing.
async fn withdraw(id: RequestId, cx: &RequestContext<RoleServer>) {
    let reason = "the call was cancelled; nothing was changed".to_owned();
    // A client that is gone shows no form.
    let _ = cx.peer.notify_cancelled(CancelledNotificationParam::new(Some(id), Some(reason))).await;
}

/// Tells a waiting client from time to time that a person is being asked. Never ends.
async fn keep_waiting(cx: &RequestContext<RoleServer>) {
    let Some(token) = cx.meta.get_progress_token() else { return std::future::pending().await };
    let mut sent = 0.0;
    loop {
        // Less than the first row of a job that may follow: progress only ever grows.
        sent += 0.01;
        let progress = ProgressNotificationParam::new(token.clone(), sent).with_message("waiting for a person's answer");
        if cx.peer.notify_progress(progress).await.is_err() {
            return std::future::pending().await;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}

fn form(question: &Question) -> Result<ElicitRequestParams, ErrorData> {
    let schema: ElicitationSchema = serde_json::from_value(question.schema()).map_err(|_| internal())?;
    Ok(ElicitRequestParams::FormElicitationParams { meta: None, message: question.text.clone(), requested_schema: schema })
}

/// An answer as it came over the wire; one that cannot be read is none.
fn read_answer(value: &Value) -> Option<Answer> {
    serde_json::from_value::<ElicitResult>(value.clone()).ok().map(answer_of)
}

fn answer_of(result: ElicitResult) -> Answer {
    match result.action {
        ElicitationAction::Accept => Answer::Accepted(result.content.unwrap_or_default()),
        ElicitationAction::Decline => Answer::Declined,
        _ => Answer::Cancelled,
    }
}
