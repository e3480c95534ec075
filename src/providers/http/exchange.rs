//! Sending, and sending again where that is certain to do no harm.

use std::time::{Duration, SystemTime};

use reqwest::{
    Method, RequestBuilder, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
    multipart,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tracing::{Instrument as _, Span, field::Empty};

use super::{
    Api, Auth, Heard,
    explain::span,
    request::{Body, RequestParts},
    unreachable::may_pass,
};
use crate::{error::ProviderError, guard::Permit, shape::REDACTED};

/// How often a read is tried where it is not a matter of waiting for one's turn.
const TRIES: u32 = 4;
/// The longest that a service can make us wait; what asks for more is given up.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// The largest answer that is read.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
const MAX_REDIRECTS: usize = 5;

/// An answer that is a success.
pub(super) struct Success {
    pub(super) json: Option<Value>,
    pub(super) request_id: Option<String>,
}

/// What the kinds of requests differ in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    SignIn,
    /// A read of bytes, which may be elsewhere.
    Download,
}

/// An answer, whatever it says.
struct Raw {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    /// What the body says, where it is JSON.
    json: Option<Value>,
}

impl Api {
    pub(super) async fn read(&self, parts: &RequestParts, target: &str, deadline: Instant) -> Result<Success, ProviderError> {
        Ok(self.deliver(parts, &self.url(target)?, deadline, Kind::Read, None).await?.into())
    }

    pub(super) async fn write(
        &self,
        parts: &RequestParts,
        target: &str,
        deadline: Instant,
        permit: &Permit,
    ) -> Result<Success, ProviderError> {
        let raw = self.deliver(parts, &self.url(target)?, deadline, Kind::Write, Some(permit)).await?;
        if raw.json.is_none() && !raw.body.iter().all(u8::is_ascii_whitespace) {
            return Err(self.unanswered("gave an answer that cannot be read", false));
        }
        Ok(raw.into())
    }

    pub(super) async fn signing_in(&self, parts: &RequestParts, target: &str, deadline: Instant) -> Result<Success, ProviderError> {
        Ok(self.deliver(parts, &self.url(target)?, deadline, Kind::SignIn, None).await?.into())
    }

    /// Follows redirects by hand: the key goes to the service's own host only, and no more once another host had its say.
    pub(super) async fn download(&self, parts: &RequestParts, target: &str, deadline: Instant) -> Result<(String, Vec<u8>), ProviderError> {
        let service = self.service();
        let own = self.url(target)?;
        let (mut url, mut at_home) = (own.clone(), true);
        for _ in 0..=MAX_REDIRECTS {
            at_home &= url.origin() == own.origin();
            let raw = if at_home {
                self.deliver(parts, &url, deadline, Kind::Download, None).await?
            } else {
                let answered = fetched(self.client()?.get(url.clone())).await;
                answered.map_err(|error| service.unreachable(&error))?
            };
            if raw.status.is_redirection() {
                let next = raw.headers.get(LOCATION).and_then(|it| it.to_str().ok()).and_then(|it| url.join(it).ok());
                url = next.ok_or_else(|| service.failure(raw.status.as_u16(), None, None, None))?;
                continue;
            }
            if !raw.status.is_success() {
                return Err(service.failure(raw.status.as_u16(), None, None, None));
            }
            if raw.body.len() == MAX_ANSWER {
                return Err(service.unreadable("it is too large", None));
            }
            let media_type = raw.header(CONTENT_TYPE.as_str()).unwrap_or_default().to_owned();
            return Ok((media_type, raw.body));
        }
        Err(service.unreadable("it redirects without end", None))
    }

    async fn deliver(
        &self,
        parts: &RequestParts,
        url: &Url,
        deadline: Instant,
        kind: Kind,
        permit: Option<&Permit>,
    ) -> Result<Raw, ProviderError> {
        self.until_answered(parts, url, deadline, kind, permit).await.inspect_err(|error| self.keep_failure(error))
    }

    /// Sends a request until there is an answer that is a success, or one that is not to be changed by sending it again.
    async fn until_answered(
        &self,
        parts: &RequestParts,
        url: &Url,
        deadline: Instant,
        kind: Kind,
        permit: Option<&Permit>,
    ) -> Result<Raw, ProviderError> {
        let service = self.service();
        let (mut tries, mut rejected) = (1, None);
        loop {
            let token = if kind == Kind::SignIn { None } else { Some(self.token(rejected.as_ref()).await?) };
            let request = self.request(parts, url, kind, token.as_ref())?;
            let turn = self.pace().turn(deadline).await.map_err(|wait| service.busy(wait))?;
            // Whoever waited for the turn may no longer have leave to send.
            if let Some(permit) = permit {
                permit.leave().await?;
            }
            let trace = self.traced(parts);
            let fetched = fetched(request).instrument(trace.clone()).await;
            match &fetched {
                Ok(raw) => trace.record("http.response.status_code", i64::from(raw.status.as_u16())),
                Err(_) => trace.record("otel.status_code", "ERROR"),
            };
            let raw = match fetched {
                Ok(raw) => raw,
                Err(error) => {
                    turn.failed();
                    // Where no connection came up, nothing was sent.
                    if kind == Kind::Write && !error.is_connect() {
                        let how = if error.is_timeout() { "did not answer in time" } else { "ended the connection without an answer" };
                        return Err(self.unanswered(how, error.is_timeout()));
                    }
                    if tries == TRIES || Instant::now() + backoff(tries) > deadline || !may_pass(&error) {
                        return Err(service.unreachable(&error));
                    }
                    sleep(backoff(tries)).await;
                    tries += 1;
                    continue;
                }
            };
            let request_id = raw.header("x-request-id").map(str::to_owned);
            if let (Some(permit), Some(id)) = (permit, &request_id) {
                permit.note_request(id);
            }
            let status = raw.status.as_u16();
            let asked = raw.retry_after();
            let should = raw.header("x-should-retry");
            let said = self.said(&raw, parts, kind, token.as_ref());
            if status == 429 {
                let wait = turn.refused(asked.map(|it| it.min(LONGEST_WAIT)));
                if asked.is_none_or(|it| it <= LONGEST_WAIT) && Instant::now() + wait <= deadline && should != Some("false") {
                    continue;
                }
                return Err(service.failure(429, said, request_id, Some(seconds(asked.unwrap_or(wait)))));
            }
            let passing = matches!(status, 408 | 502 | 503 | 504);
            if passing {
                turn.failed();
            } else {
                turn.answered();
            }
            if status == 401 && kind != Kind::SignIn && rejected.is_none() && matches!(service.auth, Auth::SignIn(_)) {
                rejected = token;
                continue;
            }
            if said.is_none() && (raw.status.is_success() || kind == Kind::Download && raw.status.is_redirection()) {
                return Ok(raw);
            }
            let again = should.map_or(passing, |it| it == "true");
            if matches!(kind, Kind::Read | Kind::Download) && again && tries < TRIES {
                let wait = asked.unwrap_or_else(|| backoff(tries));
                if wait <= LONGEST_WAIT && Instant::now() + wait <= deadline {
                    sleep(wait).await;
                    tries += 1;
                    continue;
                }
            }
            // Some services fail inside of a 200, and that is no less of a failure half-way.
            let broke =
                raw.status.is_server_error() || said.as_ref().is_some_and(|it| matches!(it.code, Some("provider_failed" | "timeout")));
            if kind == Kind::Write && broke {
                let message = said.map(|it| service.presentable(&it.message)).filter(|it| !it.is_empty());
                let how = message.map_or_else(|| format!("failed with {status}"), |it| format!("failed with {status} ({it})"));
                let pause = asked.map(seconds).filter(|it| *it > 1);
                let how = pause.map_or_else(|| how.clone(), |it| format!("{how} and asks to be left alone for {}", span(it)));
                return Err(self.unanswered(&how, status == 504));
            }
            if status == 404 && service.leads_elsewhere(said.as_ref(), raw.is_page(), parts.is_of_a_list()) {
                return Err(service.elsewhere(request_id));
            }
            return Err(service.failure(status, said, request_id, asked.map(seconds)));
        }
    }

    /// What collectors of traces are told of a request: where it goes to, with no id in it, and nothing of what it says.
    fn traced(&self, parts: &RequestParts) -> Span {
        let service = self.service();
        tracing::info_span!(
            target: "rolecall::trace",
            "request",
            otel.name = format!("{} {}", parts.method, parts.path),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = parts.method.as_str(),
            url.template = parts.path,
            rolecall.connection = service.connection,
            http.response.status_code = Empty,
        )
    }

    fn unanswered(&self, how: &str, late: bool) -> ProviderError {
        ProviderError::Unanswered {
            message: format!("the change was sent, and the service of connection `{}` {how}", self.service().connection),
            fix: String::new(),
            late,
        }
    }

    /// What the service said went wrong, without the secrets that the request had in it.
    fn said(&self, raw: &Raw, parts: &RequestParts, kind: Kind, token: Option<&SecretString>) -> Option<super::Said> {
        let mut said = (self.service().explain)(&Heard { status: raw.status.as_u16(), json: raw.json.as_ref() })?;
        let mut secrets: Vec<&str> = token.iter().map(|it| it.expose_secret()).collect();
        if let (Kind::SignIn, Body::Json(Value::Object(fields))) = (kind, &parts.body) {
            secrets.extend(fields.values().filter_map(Value::as_str));
        }
        for secret in secrets.into_iter().filter(|it| !it.is_empty()) {
            said.message = said.message.replace(secret, REDACTED);
        }
        Some(said)
    }

    async fn token(&self, rejected: Option<&SecretString>) -> Result<SecretString, ProviderError> {
        match &self.service().auth {
            Auth::Bearer(key) => key.get().await.cloned(),
            Auth::SignIn(account) => account.token(self, rejected).await,
        }
    }

    fn request(&self, parts: &RequestParts, url: &Url, kind: Kind, token: Option<&SecretString>) -> Result<RequestBuilder, ProviderError> {
        let mut request = self.client()?.request(parts.method.clone(), url.clone());
        if kind != Kind::Download {
            request = request.header(ACCEPT, "application/json");
        }
        for (name, value) in self.service().headers.iter().chain(&parts.headers) {
            request = request.header(name, header_value(value)?);
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, bearer(token)?);
        }
        Ok(match &parts.body {
            // Some servers refuse one that does not say so.
            Body::None if matches!(parts.method, Method::POST | Method::PUT) => request.header(CONTENT_LENGTH, 0),
            Body::None => request,
            Body::Json(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_string()),
            Body::File(file) => {
                let part = multipart::Part::bytes(file.bytes.clone()).file_name(file.name.clone());
                let part =
                    part.mime_str(file.media_type).map_err(|_| ProviderError::invalid("this is no media type", "use PNG or JPEG"))?;
                request.multipart(multipart::Form::new().part(file.field, part))
            }
        })
    }

    fn url(&self, target: &str) -> Result<Url, ProviderError> {
        Url::parse(&format!("{}{target}", self.service().base))
            .map_err(|_| ProviderError::invalid("this makes no address of the service", "correct the ids"))
    }
}

impl From<Raw> for Success {
    fn from(raw: Raw) -> Self {
        let request_id = raw.header("x-request-id").map(str::to_owned);
        Self { json: raw.json, request_id }
    }
}

impl Raw {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|it| it.to_str().ok())
    }

    /// Whether it is a page for people.
    fn is_page(&self) -> bool {
        let is_markup = || self.body.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b'<');
        self.header(CONTENT_TYPE.as_str()).is_some_and(|it| it.starts_with("text/html")) || is_markup()
    }

    /// How long the service asks us to wait: in milliseconds, in seconds, or until a date.
    fn retry_after(&self) -> Option<Duration> {
        let millis = self.header("retry-after-ms").and_then(|it| it.trim().parse::<f64>().ok()).map(|it| it / 1000.0);
        let text = self.header("retry-after").map(str::trim);
        let seconds = millis.or_else(|| text.and_then(|it| it.parse::<f64>().ok()));
        if let Some(seconds) = seconds {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let date = text.and_then(|it| httpdate::parse_http_date(it).ok())?;
        Some(date.duration_since(SystemTime::now()).unwrap_or_default())
    }
}

/// Sends a request and reads the whole answer. What is longer than the largest is cut, and then cannot be read as JSON.
async fn fetched(request: RequestBuilder) -> Result<Raw, reqwest::Error> {
    let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - body.len())]);
        if body.len() == MAX_ANSWER {
            break;
        }
    }
    let json = serde_json::from_slice(&body).ok();
    Ok(Raw { status, headers, body, json })
}

/// As whole seconds, and never none.
fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

fn bearer(token: &SecretString) -> Result<HeaderValue, ProviderError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        .map_err(|_| ProviderError::invalid("the key has characters that no key has", "put a valid one in place, see `rolecall doctor`"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn header_value(value: &str) -> Result<HeaderValue, ProviderError> {
    let invalid = || {
        let shown: String = value.escape_default().take(80).collect();
        ProviderError::invalid(format!("`{shown}` is not an id"), "use the id as the service gives it")
    };
    if value.is_ascii() { HeaderValue::from_str(value).map_err(|_| invalid()) } else { Err(invalid()) }
}

/// Half a second, doubled with each try up to eight, less some chance.
fn backoff(tries: u32) -> Duration {
    let most = 500_u64 << (tries.saturating_sub(1)).min(4);
    let chance = u64::from(uuid::Uuid::new_v4().as_bytes()[0]); // 0 to 255
    Duration::from_millis(most - most * chance / 1024)
}
