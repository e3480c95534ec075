//! A request, as it is written in the service's reference: method, path with placeholders, what goes into them.

use std::{fmt::Write as _, marker::PhantomData, sync::Arc, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, header::HeaderName};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::{Api, session::Memo, tolerant::read};
use crate::{error::ProviderError, guard::Permit, providers::Waits};

/// What stays as it is in a segment of a path and in a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How long a call waits for its turn and for repetitions, beside the request's own time.
const PATIENCE: Duration = Duration::from_secs(40);

/// A request that changes nothing.
#[derive(Debug)]
pub(crate) struct Reading;
/// A request that changes something: only the guard lets it out.
#[derive(Debug)]
pub(crate) struct Writing;
/// A request for a token.
#[derive(Debug)]
pub(crate) struct SigningIn;

/// A request that is not sent yet.
pub(crate) struct Request<K> {
    api: Api,
    parts: RequestParts,
    memo: Option<Arc<Memo>>,
    deadline: Instant,
    kind: PhantomData<K>,
}

/// What a request consists of.
#[derive(Clone)]
pub(super) struct RequestParts {
    pub(super) method: Method,
    /// With the names of what goes into it: `/projects/{project}`.
    pub(super) path: String,
    params: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Body,
}

#[derive(Clone)]
pub(super) enum Body {
    None,
    Json(Value),
    File(File),
}

/// A file to send as the one part of a form.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// The form's field.
    pub(crate) field: &'static str,
    pub(crate) name: String,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

impl<K> Request<K> {
    pub(super) fn new(api: Api, method: Method, path: &str) -> Self {
        let parts =
            RequestParts { method, path: path.to_owned(), params: Vec::new(), query: Vec::new(), headers: Vec::new(), body: Body::None };
        Self { api, parts, memo: None, deadline: Instant::now() + PATIENCE, kind: PhantomData }
    }

    pub(super) fn within(mut self, memo: &Arc<Memo>, waits: Waits) -> Self {
        self.memo = Some(Arc::clone(memo));
        match waits {
            Waits::Usually => {}
            Waits::Each(patience) => self.deadline = Instant::now() + patience,
            Waits::Until(until) => self.deadline = until,
        }
        self
    }

    /// Puts a value into the path, as one segment.
    pub(crate) fn path(mut self, name: &'static str, value: &str) -> Self {
        self.parts.params.push((name, value.to_owned()));
        self
    }

    #[expect(clippy::needless_pass_by_value, reason = "a value is given, not lent, as with the other parts")]
    pub(crate) fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.parts.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a parameter where there is a value.
    pub(crate) fn maybe(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.parts.headers.push((HeaderName::from_static(name), value.to_owned()));
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.parts.body = Body::Json(body);
        self
    }

    fn target(&self) -> Result<String, ProviderError> {
        self.parts.target()
    }
}

impl RequestParts {
    /// Whether it names no thing by its id: such a path is there in every installation of the service.
    pub(super) fn is_of_a_list(&self) -> bool {
        self.params.is_empty()
    }

    /// Path and query, encoded. What would lead to another path is refused.
    fn target(&self) -> Result<String, ProviderError> {
        let mut target = self.path.clone();
        for (name, value) in &self.params {
            if matches!(value.as_str(), "" | "." | "..") || value.contains(char::is_control) {
                let shown: String = value.escape_default().take(80).collect();
                return Err(ProviderError::invalid(format!("`{shown}` is not an id"), "use the id as the service gives it"));
            }
            target = target.replace(&format!("{{{name}}}"), &utf8_percent_encode(value, ENCODED).to_string());
        }
        for (at, (name, value)) in self.query.iter().enumerate() {
            let join = if at == 0 && !target.contains('?') { '?' } else { '&' };
            // Writing into a text does not fail.
            let _ = write!(target, "{join}{}={}", utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, ENCODED));
        }
        Ok(target)
    }
}

/// What only reads may be asked again, for another page. What changes something is sent once.
impl Clone for Request<Reading> {
    fn clone(&self) -> Self {
        Self { api: self.api.clone(), parts: self.parts.clone(), memo: self.memo.clone(), deadline: self.deadline, kind: PhantomData }
    }
}

impl Request<Reading> {
    /// Sends it and reads the answer, which has to be JSON of this shape. Within one piece of work the same request is sent
    /// once.
    ///
    /// # Errors
    ///
    /// `ProviderError::Remote`: what the service said, or that it cannot be reached.
    pub(crate) async fn send<T: DeserializeOwned>(self) -> Result<T, ProviderError> {
        let api = self.api.clone();
        read(&*self.value().await?).map_err(|what| api.service().unreadable(&what, None))
    }

    /// What it asks for: requests with the same key are the same.
    pub(crate) fn key(&self) -> Result<String, ProviderError> {
        let mut key = self.target()?;
        for (name, value) in &self.parts.headers {
            let _ = write!(key, "\n{name}: {value}");
        }
        Ok(key)
    }

    /// The error of an answer to it that cannot be read, given what is wrong with it.
    pub(crate) fn unreadable(&self) -> impl Fn(&str) -> ProviderError + use<> {
        let api = self.api.clone();
        move |what| api.service().unreadable(what, None)
    }

    /// The answer as JSON.
    pub(crate) async fn value(self) -> Result<Arc<Value>, ProviderError> {
        let (target, key) = (self.target()?, self.key()?);
        let cell = self.memo.as_ref().map(|it| it.cell(&key)).unwrap_or_default();
        let fetched = cell.get_or_try_init(|| async {
            let answer = Box::pin(self.api.read(&self.parts, &target, self.deadline)).await?;
            answer.json.map(Arc::new).ok_or_else(|| self.api.service().unreadable("it is not JSON", answer.request_id))
        });
        fetched.await.cloned()
    }

    /// The answer as bytes with their media type. Redirects are followed, to other hosts without the key.
    pub(crate) async fn bytes(self) -> Result<(String, Vec<u8>), ProviderError> {
        let target = self.target()?;
        self.api.download(&self.parts, &target, self.deadline).await
    }
}

impl Request<Writing> {
    /// Sends a file as a form.
    pub(crate) fn file(mut self, file: File) -> Self {
        self.parts.body = Body::File(file);
        self
    }

    /// Sends it, once.
    ///
    /// # Errors
    ///
    /// `ProviderError::Remote` where nothing was changed, `ProviderError::Unanswered` where nobody knows.
    pub(crate) async fn send(self, permit: &Permit) -> Result<Reply, ProviderError> {
        let target = self.target()?;
        let answer = self.api.write(&self.parts, &target, self.deadline, permit).await;
        // Whatever became of it: what was read before may no longer be so.
        if let Some(memo) = &self.memo {
            memo.forget();
        }
        let answer = answer?;
        Ok(Reply { json: answer.json })
    }
}

impl Request<SigningIn> {
    /// Sends it and reads the answer.
    pub(crate) async fn send<T: DeserializeOwned>(self) -> Result<T, ProviderError> {
        let target = self.target()?;
        let answer = self.api.signing_in(&self.parts, &target, self.deadline).await?;
        read(&answer.json.unwrap_or_default()).map_err(|what| self.api.service().unreadable(&what, answer.request_id))
    }
}

/// The answer to a change that was taken in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    /// `None` where the body was empty.
    pub(crate) json: Option<Value>,
}

impl Reply {
    /// The body in this shape. The change was made whether or not its answer can be read, so that it cannot is not a
    /// failure: `fix` says which read tells more.
    pub(crate) fn read<T: DeserializeOwned>(&self, fix: &str) -> Result<T, ProviderError> {
        read(self.json.as_ref().unwrap_or(&Value::Null)).map_err(|what| ProviderError::Unanswered {
            message: format!("the change was sent, and its answer cannot be read: {what}"),
            fix: fix.to_owned(),
            late: false,
        })
    }
}
