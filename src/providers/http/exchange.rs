//! Sending, and sending again where that is certain to do no harm.

use std::time::{Duration, SystemTime};

use reqwest::{
    Method, Response, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
    multipart,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    Api, Auth, Heard,
    request::{Body, Draft},
};
use crate::{error::ProviderError, guard::Permit};

/// How often a read is tried where it is not a matter of waiting for one's turn.
const TRIES: u32 = 4;
/// The longest that a service can make us wait; what asks for more is given up.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The largest answer that is read.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
const MAX_REDIRECTS: usize = 5;

/// An answer that is a success.
pub(super) struct Answer {
    pub(super) json: Option<Value>,
    pub(super) request_id: Option<String>,
}

/// What the kinds of requests differ in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    SignIn,
}

/// An answer, whatever it says.
struct Raw {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Api {
    pub(super) async fn read(&self, draft: &Draft, target: &str, deadline: Instant) -> Result<Answer, ProviderError> {
        self.exchange(draft, target, deadline, Kind::Read, None).await
    }

    pub(super) async fn write(&self, draft: &Draft, target: &str, deadline: Instant, permit: &Permit) -> Result<Answer, ProviderError> {
        self.exchange(draft, target, deadline, Kind::Write, Some(permit)).await
    }

    pub(super) async fn signing_in(&self, draft: &Draft, target: &str, deadline: Instant) -> Result<Answer, ProviderError> {
        self.exchange(draft, target, deadline, Kind::SignIn, None).await
    }

    async fn exchange(
        &self,
        draft: &Draft,
        target: &str,
        deadline: Instant,
        kind: Kind,
        permit: Option<&Permit>,
    ) -> Result<Answer, ProviderError> {
        let service = self.service();
        let (mut tries, mut rejected, mut limited) = (1, None, 0);
        loop {
            let late = |wait: Duration| service.failure(429, None, None, Some(wait.as_secs() + 1));
            self.pace().turn(deadline).await.map_err(late)?;
            let token = if kind == Kind::SignIn { None } else { Some(self.token(rejected.as_ref()).await?) };
            permit.map_or(Ok(()), Permit::still_good)?;
            let raw = match self.once(draft, target, token.as_ref()).await? {
                Ok(raw) => raw,
                // Nothing was sent.
                Err(error) if error.is_connect() => {
                    if tries == TRIES || Instant::now() + backoff(tries) > deadline {
                        return Err(service.unreachable(&error));
                    }
                    sleep(backoff(tries)).await;
                    tries += 1;
                    continue;
                }
                Err(error) if kind == Kind::Write => {
                    let how = if error.is_timeout() { "did not answer in time" } else { "ended the connection without an answer" };
                    return Err(self.unanswered(how, error.is_timeout()));
                }
                Err(error) => {
                    if tries == TRIES || Instant::now() + backoff(tries) > deadline {
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
            if status == 401 && kind != Kind::SignIn && rejected.is_none() && matches!(service.auth, Auth::SignIn(_)) {
                rejected = token;
                continue;
            }
            let asked = raw.retry_after();
            let should = raw.header("x-should-retry");
            if status == 429 {
                // A service that does not say how long is given twice as long each time.
                let wait = asked.unwrap_or_else(|| backoff(limited + 2));
                limited += 1;
                self.pace().refused(wait.min(LONGEST_WAIT));
                if wait <= LONGEST_WAIT && Instant::now() + wait <= deadline && should != Some("false") {
                    continue;
                }
                return Err(service.failure(429, self.said(&raw), request_id, Some(wait.as_secs().max(1))));
            }
            let said = self.said(&raw);
            if raw.status.is_success() && said.is_none() {
                let json = raw.json();
                if json.is_none() && !raw.body.iter().all(u8::is_ascii_whitespace) && kind == Kind::Write {
                    return Err(self.unanswered("gave an answer that cannot be read", false));
                }
                return Ok(Answer { json, request_id });
            }
            let passing = matches!(status, 408 | 502 | 503 | 504);
            let again = should.map_or(passing, |it| it == "true");
            if kind == Kind::Read && again && tries < TRIES {
                let wait = asked.unwrap_or_else(|| backoff(tries));
                if wait <= LONGEST_WAIT && Instant::now() + wait <= deadline {
                    sleep(wait).await;
                    tries += 1;
                    continue;
                }
            }
            if kind == Kind::Write && raw.status.is_server_error() {
                let message = said.map(|it| service.presentable(&it.message)).filter(|it| !it.is_empty());
                let how = message.map_or_else(|| format!("failed with {status}"), |it| format!("failed with {status} ({it})"));
                return Err(self.unanswered(&how, status == 504));
            }
            return Err(service.failure(status, said, request_id, asked.map(|it| it.as_secs().max(1))));
        }
    }

    fn unanswered(&self, how: &str, late: bool) -> ProviderError {
        ProviderError::Unanswered {
            message: format!("the change was sent, and the service of connection `{}` {how}", self.service().connection),
            fix: String::new(),
            late,
        }
    }

    fn said(&self, raw: &Raw) -> Option<super::Said> {
        let json = raw.json();
        (self.service().explain)(&Heard { status: raw.status.as_u16(), json: json.as_ref() })
    }

    async fn token(&self, rejected: Option<&SecretString>) -> Result<SecretString, ProviderError> {
        match &self.service().auth {
            Auth::Bearer(token) => Ok(token.clone()),
            Auth::SignIn(account) => account.token(self, rejected).await,
        }
    }

    async fn once(&self, draft: &Draft, target: &str, token: Option<&SecretString>) -> Result<Result<Raw, reqwest::Error>, ProviderError> {
        let mut request = self.client()?.request(draft.method.clone(), self.url(target)?).header("accept", "application/json");
        for (name, value) in self.service().headers.iter().chain(&draft.headers) {
            request = request.header(name, header_value(value)?);
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, bearer(token)?);
        }
        request = match &draft.body {
            Body::None => request,
            Body::Json(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_string()),
            Body::File(file) => {
                let part = multipart::Part::bytes(file.bytes.clone()).file_name(file.name.clone());
                let part =
                    part.mime_str(file.media_type).map_err(|_| ProviderError::invalid("this is no media type", "use PNG or JPEG"))?;
                request.multipart(multipart::Form::new().part(file.field, part))
            }
        };
        Ok(match request.send().await {
            Ok(response) => read_whole(response).await,
            Err(error) => Err(error.without_url()),
        })
    }

    /// Follows redirects by hand: the key goes to the service's own host only.
    pub(super) async fn download(&self, draft: &Draft, target: &str, deadline: Instant) -> Result<(String, Vec<u8>), ProviderError> {
        let service = self.service();
        let own = self.url(target)?;
        let mut url = own.clone();
        let late = |wait: Duration| service.failure(429, None, None, Some(wait.as_secs() + 1));
        self.pace().turn(deadline).await.map_err(late)?;
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self.client()?.request(Method::GET, url.clone());
            if url.origin() == own.origin() {
                for (name, value) in service.headers.iter().chain(&draft.headers) {
                    request = request.header(name, header_value(value)?);
                }
                request = request.header(AUTHORIZATION, bearer(&self.token(None).await?)?);
            }
            let answered = match request.send().await {
                Ok(response) => read_whole(response).await,
                Err(error) => Err(error.without_url()),
            };
            let raw = answered.map_err(|error| service.unreachable(&error))?;
            if raw.status.is_redirection() {
                let next = raw.headers.get(LOCATION).and_then(|it| it.to_str().ok()).and_then(|it| url.join(it).ok());
                url = next.ok_or_else(|| service.failure(raw.status.as_u16(), None, None, None))?;
                continue;
            }
            if !raw.status.is_success() {
                return Err(service.failure(raw.status.as_u16(), self.said(&raw), raw.header("x-request-id").map(str::to_owned), None));
            }
            let media_type = raw.header(CONTENT_TYPE.as_str()).unwrap_or_default().to_owned();
            return Ok((media_type, raw.body));
        }
        Err(service.unreadable("it redirects without end", None))
    }

    fn url(&self, target: &str) -> Result<Url, ProviderError> {
        Url::parse(&format!("{}{target}", self.service().base))
            .map_err(|_| ProviderError::invalid("this makes no address of the service", "correct the ids"))
    }
}

impl Raw {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|it| it.to_str().ok())
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
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

async fn read_whole(mut response: Response) -> Result<Raw, reqwest::Error> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        // What is longer is cut, and then cannot be read as JSON.
        body.extend(chunk.iter().take(MAX_ANSWER.saturating_sub(body.len())));
    }
    Ok(Raw { status, headers, body })
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
