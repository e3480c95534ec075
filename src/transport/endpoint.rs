//! `/mcp`: what a client sends is read whole before anything is held for it, and goes to the server in the form that rmcp takes.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, future::join_all, stream};
use rmcp::{
    ServerHandler,
    model::{ClientJsonRpcMessage, ClientRequest, ProtocolVersion},
    transport::{StreamableHttpService, streamable_http_server::session::local::LocalSessionManager},
};
use serde_json::Value;

use super::{
    Work,
    accept::Connection,
    body::{self, held},
    gate::refusal,
    http::{too_many_requests, too_many_sessions},
    message::{self, Fault, Sent},
    sessions::{Named, Sessions},
};
use crate::server::{Principal, Turns};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

/// All that requests at `/mcp` need.
pub(super) struct Endpoint<H> {
    pub(super) service: StreamableHttpService<H, LocalSessionManager>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) reader: body::Reader,
    /// Requests that are worked on until their answer begins.
    pub(super) turns: Turns,
    pub(super) work: Work,
}

/// Answers a request, whatever it is.
pub(super) async fn answer<H: ServerHandler>(
    State(endpoint): State<Arc<Endpoint<H>>>,
    Extension(principal): Extension<Principal>,
    Extension(connection): Extension<Arc<Connection>>,
    mut request: Request,
) -> Response {
    say_what_is_taken(request.headers_mut());
    let caller = Caller { principal, connection };
    if request.method() == Method::POST { endpoint.post(request, &caller).await } else { endpoint.other(request, &caller).await }
}

/// Who has sent a request, and on what.
struct Caller {
    principal: Principal,
    connection: Arc<Connection>,
}

impl<H: ServerHandler> Endpoint<H> {
    /// GET opens a stream, DELETE ends a session; rmcp answers the rest with what there is.
    async fn other(&self, request: Request, caller: &Caller) -> Response {
        let at_work = caller.connection.at_work();
        let version = match self.session(request.headers(), caller) {
            Ok(version) => version,
            Err(refused) => return *refused,
        };
        let in_use = session_id(request.headers()).map(|id| self.sessions.in_use(id));
        let ends = request.method() == Method::DELETE;
        let mut response = self.service.handle(request).await.map(Body::new);
        if ends && response.status() == StatusCode::ACCEPTED {
            // It is done, and not only taken in.
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        held(response, version.as_ref().is_some_and(skips_empty_events), (at_work, in_use))
    }

    async fn post(&self, request: Request, caller: &Caller) -> Response {
        let (mut parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            let message = "the body has to be JSON";
            return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message, "send `Content-Type: application/json`");
        }
        let bytes = match self.reader.read(&parts.headers, body, &caller.principal).await {
            Ok(bytes) => bytes,
            Err(refused) => return *refused,
        };
        match message::read(&bytes) {
            Sent::Message(message) => {
                if let Some(asked) = asked_version(&message) {
                    return self.initialize(parts, bytes, &asked, caller).await;
                }
                match self.session(&parts.headers, caller) {
                    Ok(version) => self.pass(parts, bytes, &message, version.as_ref(), caller).await,
                    Err(refused) => *refused,
                }
            }
            Sent::Fault(fault) => match self.session(&parts.headers, caller) {
                Ok(_) => faulty(&fault),
                Err(refused) => *refused,
            },
            Sent::Batch(items) => match self.session(&parts.headers, caller) {
                Ok(version) => match message::may_batch(version.as_ref(), &items) {
                    Ok(()) => {
                        parts.headers.remove(axum::http::header::CONTENT_LENGTH);
                        self.batch(&parts, items, version.as_ref(), caller).await
                    }
                    Err(fault) => faulty(&fault),
                },
                Err(refused) => *refused,
            },
        }
    }

    /// Opens a session. What the client remembers of another, or believes of versions, does not count.
    async fn initialize(&self, mut parts: Parts, bytes: Bytes, asked: &ProtocolVersion, caller: &Caller) -> Response {
        parts.headers.remove(&SESSION);
        if parts
            .headers
            .get(&VERSION)
            .is_some_and(|it| it.as_bytes() != asked.as_str().as_bytes() || !ProtocolVersion::KNOWN_VERSIONS.contains(asked))
        {
            parts.headers.remove(&VERSION);
        }
        let Some(place) = self.sessions.reserve(&caller.principal).await else {
            tracing::warn!("a session was refused: there are too many, and all of them are used");
            return too_many_sessions();
        };
        let at_work = caller.connection.at_work();
        let version = message::negotiated(asked);
        let response = self.service.handle(Request::from_parts(parts, Body::from(bytes))).await.map(Body::new);
        if let Some(id) = session_id(response.headers()) {
            place.taken(id, version.clone());
        }
        held(response, skips_empty_events(&version), at_work)
    }

    /// Passes one message on to the server.
    async fn pass(
        &self,
        mut parts: Parts,
        bytes: Bytes,
        message: &ClientJsonRpcMessage,
        version: Option<&ProtocolVersion>,
        caller: &Caller,
    ) -> Response {
        let at_work = caller.connection.at_work();
        let in_use = session_id(&parts.headers).map(|id| self.sessions.in_use(id));
        let (stands, turn) = match message {
            ClientJsonRpcMessage::Request(request) => {
                let Ok(Some(turn)) = tokio::time::timeout(PATIENCE, self.turns.take(&caller.principal.0)).await else {
                    return too_many_requests();
                };
                (matches!(request.request, ClientRequest::SubscriptionsListenRequest(_)), Some(turn))
            }
            // Answers and notifications are not worked on: a person's answer does not wait for those who wait for it.
            _ => (false, None),
        };
        let busy = (!stands).then(|| self.work.begin());
        if let Some(busy) = &busy {
            // It travels with the request: a handler goes on when its client has left.
            parts.extensions.insert(busy.clone());
        }
        let response = self.service.handle(Request::from_parts(parts, Body::from(bytes))).await.map(Body::new);
        // A stream has begun, or all is said.
        drop(turn);
        held(response, version.is_some_and(skips_empty_events), (at_work, in_use, busy))
    }

    /// Passes several messages on, and answers them on one stream.
    async fn batch(&self, parts: &Parts, items: Vec<Value>, version: Option<&ProtocolVersion>, caller: &Caller) -> Response {
        let (mut requests, mut faults) = (Vec::new(), Vec::new());
        for item in items {
            let bytes = Bytes::from(item.to_string());
            match message::read_item(&item) {
                Ok(message @ ClientJsonRpcMessage::Request(_)) => requests.push((bytes, message)),
                Ok(message) => {
                    let response = self.pass(parts.clone(), bytes, &message, version, caller).await;
                    if !response.status().is_success() {
                        return response;
                    }
                }
                Err(fault) => faults.push(Ok(Bytes::from(format!("data: {}\n\n", fault.to_value())))),
            }
        }
        if requests.is_empty() && faults.is_empty() {
            return StatusCode::ACCEPTED.into_response();
        }
        let passed =
            requests.into_iter().map(|(bytes, message)| async move { self.pass(parts.clone(), bytes, &message, version, caller).await });
        let mut streams = vec![stream::iter(faults).boxed()];
        for response in join_all(passed).await {
            if !is_stream(&response) {
                return response;
            }
            streams.push(response.into_body().into_data_stream().boxed());
        }
        ([(CONTENT_TYPE, EVENTS), (HeaderName::from_static("cache-control"), "no-cache")], Body::from_stream(stream::select_all(streams)))
            .into_response()
    }

    /// The version of the session that is named, where it is the caller's; nothing without one.
    ///
    /// Without it an answer to a question in a session would count whoever sent it.
    fn session(&self, headers: &HeaderMap, caller: &Caller) -> Result<Option<ProtocolVersion>, Box<Response>> {
        let Some(id) = session_id(headers) else { return Ok(None) };
        match self.sessions.named(id, &caller.principal) {
            Named::Own(version) => Ok(Some(version)),
            // rmcp says that there is none.
            Named::Unknown => Ok(None),
            // As for a session that does not exist: nobody learns which ones do.
            Named::Foreign => Err(Box::new((StatusCode::NOT_FOUND, "Not Found: Session not found").into_response())),
        }
    }
}

/// What is answered to a body that is no message, or one of the wrong form.
pub(super) fn faulty(fault: &Fault) -> Response {
    // A request that was understood as far as its id is answered like any other.
    let status = if fault.answers_a_request() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    (status, Json(fault.to_value())).into_response()
}

/// The version that is asked for, where a message opens a session.
fn asked_version(message: &ClientJsonRpcMessage) -> Option<ProtocolVersion> {
    let ClientJsonRpcMessage::Request(request) = message else { return None };
    let ClientRequest::InitializeRequest(initialize) = &request.request else { return None };
    Some(initialize.params.protocol_version.clone())
}

/// Events without data, by which a stream can be taken up again, came with 2025-11-25; older clients try to read them as JSON.
fn skips_empty_events(version: &ProtocolVersion) -> bool {
    *version < ProtocolVersion::V_2025_11_25
}

fn session_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(SESSION)?.to_str().ok()
}

fn is_stream(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(EVENTS.as_bytes()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|it| it.trim().eq_ignore_ascii_case(JSON))
}

/// Writes out what a client takes that says it in general: rmcp wants both kinds of answers named.
fn say_what_is_taken(headers: &mut HeaderMap) {
    let taken: Vec<&str> = [JSON, EVENTS].into_iter().filter(|it| takes(headers, it)).collect();
    if !taken.is_empty()
        && let Ok(value) = HeaderValue::from_str(&taken.join(", "))
    {
        headers.insert(ACCEPT, value);
    }
}

/// Whether a client takes a kind of answer: the range that says it most exactly counts, and who says nothing takes anything.
fn takes(headers: &HeaderMap, kind: &str) -> bool {
    if !headers.contains_key(ACCEPT) {
        return true;
    }
    let family = kind.split('/').next().unwrap_or_default();
    let ranges = headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(','));
    let exactness = |range: &str| {
        if range.eq_ignore_ascii_case(kind) {
            Some(2)
        } else if range.strip_suffix("/*").is_some_and(|it| it.eq_ignore_ascii_case(family)) {
            Some(1)
        } else {
            (range == "*/*").then_some(0)
        }
    };
    let found = ranges.filter_map(|it| {
        let mut pieces = it.split(';').map(str::trim);
        let exactness = exactness(pieces.next()?)?;
        let refused = pieces
            .filter_map(|it| it.split_once('='))
            .any(|(name, value)| name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|it| it <= 0.0));
        Some((exactness, !refused))
    });
    found.max().is_some_and(|(_, taken)| taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_takes_is_what_it_says_most_exactly() {
        let taken = |accept: &str| {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())]);
            (takes(&headers, JSON), takes(&headers, EVENTS))
        };
        assert_eq!(taken("*/*"), (true, true));
        assert_eq!(taken("application/json, text/event-stream"), (true, true));
        assert_eq!(taken("APPLICATION/JSON;charset=utf-8, text/*;q=0.5"), (true, true));
        assert_eq!(taken("application/json"), (true, false));
        assert_eq!(taken("application/*, */*;q=0.1"), (true, true));
        assert_eq!(taken("*/*, text/event-stream;q=0"), (true, false));
        assert_eq!(taken("text/html"), (false, false));
        assert!(takes(&HeaderMap::new(), JSON));
    }
}
