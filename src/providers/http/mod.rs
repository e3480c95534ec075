//! Talking to a service over HTTP: one `Api` per connection, requests that read as in the service's reference.
//!
//! A reading request is sent with `.send()`; one that changes something wants the guard's `Permit`. What is sent is sent
//! once, unless it is certain that nothing came of it: reads are repeated, changes only after a 429, a refused connection or
//! an expired sign-in. A change without a readable answer is `ProviderError::Unanswered`, never an error that says it failed.

mod draft;
mod exchange;
mod explain;
mod pace;
mod paging;
mod request;
mod session;
#[cfg(test)]
mod tests;
mod tolerant;
mod unreachable;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use reqwest::{Client, Url, header::HeaderName, redirect::Policy};
use secrecy::SecretString;

pub(crate) use draft::{Draft, Sent};
pub(crate) use explain::{Explain, Heard, Said};
pub(crate) use pace::Pace;
pub(crate) use paging::{Drained, broken, cut, drain, filled, items, once, theirs, walk};
pub(crate) use request::{File, Reading, Reply, Request, Writing};
pub(crate) use session::Session;
pub(crate) use tolerant::read as tolerant;

use crate::{
    domain::Timestamp,
    error::{ProviderError, RemoteError, chain},
    providers::{Failed, PaceNow},
    secrets::Credential,
};

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(5);
/// How much longer than we wait for its answer a service may take to do what it has taken in.
const LINGERS: Duration = Duration::from_secs(10);

/// What every account at a service has.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The connection's name.
    pub connection: String,
    /// Without a slash at the end.
    pub base_url: String,
    /// The organization that writes are kept to.
    pub pin: Option<String>,
    /// Certificates to trust beside the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub timeout: Duration,
    /// Folders that `path` arguments may be read from; none over HTTP.
    pub files: Vec<PathBuf>,
}

/// What is known of a service, from its configuration.
pub(crate) struct Service {
    /// The connection's name, for messages.
    pub(crate) connection: String,
    /// Without a slash at the end; see [`base_url`].
    pub(crate) base: String,
    /// The path that the service usually lies below, such as `/v1`, where it has one.
    pub(crate) usual_path: Option<&'static str>,
    pub(crate) auth: Auth,
    /// What goes with every request.
    pub(crate) headers: Vec<(HeaderName, String)>,
    /// How it says that something went wrong.
    pub(crate) explain: Explain,
    /// Certificates to trust beside the system's, as PEM.
    pub(crate) ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub(crate) timeout: Duration,
}

impl Service {
    /// The service of a configured account.
    pub(crate) fn of(remote: &Remote, auth: Auth, headers: Vec<(HeaderName, String)>, explain: Explain) -> Self {
        Self {
            connection: remote.connection.clone(),
            base: remote.base_url.clone(),
            usual_path: None,
            auth,
            headers,
            explain,
            ca_file: remote.ca_file.clone(),
            timeout: remote.timeout,
        }
    }

    /// Names the path that the service usually lies below.
    pub(crate) fn below(self, path: &'static str) -> Self {
        Self { usual_path: Some(path), ..self }
    }
}

/// How long one request may take unless the configuration says otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// How requests show who they come from.
pub(crate) enum Auth {
    Bearer(Credential),
    /// A token that has to be fetched, and fetched anew when it has expired.
    SignIn(Box<dyn SignIn>),
}

/// Fetches and renews the token of an account.
pub(crate) trait SignIn: Send + Sync {
    /// A token that should work. `rejected` is one that did not: another one is wanted. Many calls may want one at once; one
    /// of them fetches it.
    fn token<'a>(&'a self, api: &'a Api, rejected: Option<&'a SecretString>) -> BoxFuture<'a, Result<SecretString, ProviderError>>;
}

/// A service and the way to it. Cheap to clone; clones share everything.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

struct Inner {
    service: Service,
    /// Made at the first request: it reads the system's certificates, and many processes only list their tools.
    client: OnceLock<Client>,
    pace: Pace,
    /// What went wrong last, for people who look at the connection.
    failed: Mutex<Option<Failed>>,
}

impl Api {
    pub(crate) fn new(service: Service) -> Self {
        Self(Arc::new(Inner { service, client: OnceLock::new(), pace: Pace::default(), failed: Mutex::default() }))
    }

    pub(crate) fn service(&self) -> &Service {
        &self.0.service
    }

    /// How fast requests may follow each other, for all that use this connection.
    pub(crate) fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// How fast it goes at this moment, and what went wrong last.
    pub(crate) fn pace_now(&self) -> PaceNow {
        let failed = self.0.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        PaceNow { failed, ..self.0.pace.now() }
    }

    /// Keeps in mind that the service did not answer, failed, or let nobody in. That something is not there, or not allowed, is an answer.
    pub(super) fn keep_failure(&self, error: &ProviderError) {
        let is_failure = match error {
            ProviderError::Remote(it) => it.status.is_none_or(|status| matches!(status, 401 | 403 | 408 | 429 | 500..)),
            ProviderError::Unanswered { .. } => true,
            _ => false,
        };
        if is_failure {
            let failed = Failed { at: Timestamp::now(), message: chain(error), fix: error.fix() };
            *self.0.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failed);
        }
    }

    /// The longest that one request may be on its way: see [`crate::providers::Connection::longest`].
    pub(crate) fn longest(&self) -> Duration {
        CONNECT + self.0.service.timeout + LINGERS
    }

    /// A request that signs in: it carries no token and changes nothing but tokens.
    pub(crate) fn sign_in(&self, path: &str) -> Request<request::SigningIn> {
        Request::new(self.clone(), reqwest::Method::POST, path)
    }

    fn client(&self) -> Result<&Client, ProviderError> {
        if let Some(client) = self.0.client.get() {
            return Ok(client);
        }
        // Another part of the program may have chosen a provider before; one is as good as the other.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
            // A redirected change would be repeated as a read, and look like a success.
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(self.0.service.timeout)
            .tcp_nodelay(true);
        // A proxy that companies set for everything cannot lead to this machine.
        if Url::parse(&self.0.service.base).is_ok_and(|it| unreachable::is_this_machine(&it)) {
            builder = builder.no_proxy();
        }
        if let Some(path) = &self.0.service.ca_file {
            let unusable = |error: &dyn std::fmt::Display| {
                ProviderError::invalid(format!("`ca_file` {}: {error}", path.display()), "name a file with certificates in PEM")
            };
            let pem = std::fs::read(path).map_err(|error| unusable(&error))?;
            for certificate in reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unusable(&error))? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let client = builder.build().map_err(|error| {
            tracing::error!(%error, "an HTTP client could not be made");
            ProviderError::Remote(Box::new(RemoteError {
                code: "unreachable",
                message: "no connection can be made from here".into(),
                fix: "run `rolecall doctor`".into(),
                status: None,
                request_id: None,
                retryable: false,
                retry_after_s: None,
            }))
        })?;
        Ok(self.0.client.get_or_init(|| client))
    }
}

/// The base URL of a service as requests use it: with a scheme, without a slash at the end.
///
/// Plain HTTP is for services on this machine: anywhere else, whoever is in between could read the key.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn base_url(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    if url.host_str().is_none() {
        return Err(format!("`{text}` names no host"));
    }
    let local = unreachable::is_this_machine(&url);
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("a base URL has no user, query or fragment".into());
    }
    match url.scheme() {
        "https" => Ok(text),
        "http" if local => Ok(text),
        "http" => Err(format!("`{text}` would send the key readable over the network; use https")),
        other => Err(format!("`{other}` is not a scheme that services are reached by; use https")),
    }
}
