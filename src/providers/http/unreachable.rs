//! Why a service cannot be reached, in words that lead to a remedy.

use std::{error::Error, io};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use rustls::{CertificateError, Error as TlsError};

use super::{CONNECT, Service};
use crate::error::{ProviderError, RemoteError};

/// What stands in the way.
#[derive(Debug, PartialEq, Eq)]
struct Cause {
    /// As it follows a colon.
    what: String,
    fix: Option<String>,
    /// Whether it may pass by itself.
    passes: bool,
}

impl Cause {
    fn passing(what: impl Into<String>) -> Self {
        Self { what: what.into(), fix: None, passes: true }
    }

    fn lasting(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: Some(fix.into()), passes: false }
    }
}

impl Service {
    /// No answer came to a read, or the connection never came up.
    pub(super) fn unreachable(&self, error: &reqwest::Error) -> ProviderError {
        let connection = &self.connection;
        let way = || format!("`{}`{}", address(&self.base), through(&self.base));
        let cause = cause(error, connection);
        let (code, message) = if error.is_timeout() && !error.is_connect() {
            ("timeout", format!("the service of connection `{connection}` did not answer in time"))
        } else if let Some(Cause { what, .. }) = &cause {
            ("unreachable", format!("the service of connection `{connection}` cannot be reached at {}: {what}", way()))
        } else if error.is_connect() {
            ("unreachable", format!("the service of connection `{connection}` cannot be reached at {}", way()))
        } else {
            ("unreachable", format!("the service of connection `{connection}` ended the connection without an answer"))
        };
        let usual = || "see whether it runs and `base_url` is right, then repeat the call".to_owned();
        let (fix, retryable) = cause.map_or_else(|| (usual(), true), |it| (it.fix.unwrap_or_else(usual), it.passes));
        ProviderError::Remote(Box::new(RemoteError { code, message, fix, status: None, request_id: None, retryable, retry_after_s: None }))
    }
}

/// Whether the same request may come through a moment later.
pub(super) fn may_pass(error: &reqwest::Error) -> bool {
    cause(error, "").is_none_or(|it| it.passes)
}

/// Whether a host is this machine itself, which no proxy leads to.
pub(super) fn is_this_machine(url: &Url) -> bool {
    let Some(host) = url.host_str().map(|it| it.trim_matches(['[', ']'])) else { return false };
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback())
}

/// Host and port.
fn address(base: &str) -> String {
    let url = Url::parse(base).ok();
    let told = url.as_ref().and_then(|it| Some(format!("{}:{}", it.host_str()?, it.port_or_known_default()?)));
    told.unwrap_or_else(|| base.to_owned())
}

/// The proxy that leads there, if one is set in the environment. Its password is not told.
fn through(base: &str) -> String {
    if Url::parse(base).is_ok_and(|it| is_this_machine(&it)) {
        return String::new();
    }
    let proxy = base.parse().ok().and_then(|it| Matcher::from_env().intercept(&it)).and_then(|it| it.uri().authority().cloned());
    let host = |it: &str| it.rsplit('@').next().unwrap_or(it).to_owned();
    proxy.map_or_else(String::new, |it| format!(" through the proxy `{}`, which the environment names", host(it.as_str())))
}

/// All errors that led to this one. An error of input and output has what it wraps for its cause.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |it| below(*it))
}

fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn cause(error: &reqwest::Error, connection: &str) -> Option<Cause> {
    if let Some(tls) = chain(error).find_map(|it| it.downcast_ref::<TlsError>()) {
        return Some(about_tls(tls, connection));
    }
    if error.is_connect() && error.is_timeout() {
        return Some(Cause::passing(format!("no connection came up within {} s", CONNECT.as_secs())));
    }
    let says = |part: &str| chain(error).any(|it| it.to_string().to_lowercase().contains(part));
    if says("dns error") || says("failed to lookup address") {
        return Some(Cause {
            fix: Some(format!("correct `base_url` of connection `{connection}`, or see whether this machine is online")),
            ..Cause::passing("its name is not found")
        });
    }
    if says("tunnel error") || says("proxy") {
        let fix = "see whether the proxy runs and lets this address through; NO_PROXY names the addresses that none is asked for";
        return Some(Cause { fix: Some(fix.to_owned()), ..Cause::passing("the proxy does not let the connection through") });
    }
    if says("invalid http version") || says("invalid http status") {
        let fix = format!("correct `base_url` of connection `{connection}`: its scheme or port is of something else");
        return Some(Cause::lasting("what listens there does not speak HTTP, as with http in the place of https", fix));
    }
    let kind = chain(error).filter_map(|it| it.downcast_ref::<io::Error>()).map(io::Error::kind).last()?;
    Some(Cause::passing(match kind {
        io::ErrorKind::ConnectionRefused => "nothing listens there, the connection was refused",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => "no route leads there",
        io::ErrorKind::TimedOut => "no answer came in time",
        io::ErrorKind::PermissionDenied => "this machine does not allow the connection",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted if error.is_connect() => {
            "the connection was reset while it came up"
        }
        _ => return None,
    }))
}

/// What is wrong with the other side's certificate, or with what listens there.
fn about_tls(error: &TlsError, connection: &str) -> Cause {
    let TlsError::InvalidCertificate(reason) = error else {
        let what = match error {
            TlsError::InvalidMessage(_) => "what listens there does not speak TLS, as with https in the place of http".to_owned(),
            other => format!("TLS cannot be agreed on ({other})"),
        };
        return Cause::lasting(what, format!("correct `base_url` of connection `{connection}`, or see what listens there"));
    };
    let (what, fix) = match reason {
        // A certificate by the name of a trusted signer, with another key, is signed by nobody who is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "its TLS certificate is signed by nobody who is trusted here".to_owned(),
            format!("name the signer's certificate in `ca_file` of connection `{connection}`"),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "its TLS certificate has expired".to_owned(),
            "have the certificate renewed by who runs the service, and see whether this machine's clock is right".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("its TLS certificate is not valid yet".to_owned(), "see whether this machine's clock is right".to_owned())
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "its TLS certificate is for another name".to_owned(),
            format!("write the host in `base_url` of connection `{connection}` as the certificate names it"),
        ),
        CertificateError::Revoked => {
            ("its TLS certificate was revoked".to_owned(), "ask who runs the service; do not go on before".to_owned())
        }
        other => (
            format!("its TLS certificate is not accepted ({other})"),
            format!("ask who runs the service, or name the signer's certificate in `ca_file` of connection `{connection}`"),
        ),
    };
    Cause::lasting(what, fix)
}
