//! Who gets in over HTTP. It stands before every route, those that do not exist included.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE},
        uri::Authority,
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use secrecy::ExposeSecret as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{ServeError, http::HttpOptions};
use crate::{guard::principal_of_token, server::Principal};

/// Where it can be asked whether the process is up and whether it can serve: by anybody, under any name, since load balancers name
/// nobody. Nothing is told but yes or no.
pub(super) const HEALTH: &str = "/healthz";
pub(super) const READY: &str = "/readyz";
/// Where the figures are: under any name, for programs on this machine and for who has a token.
pub(super) const FIGURES: &str = "/metrics";

/// Whoever calls when no token is asked for: anybody on this machine.
const ANYBODY: &str = "http";

/// The names the server answers to, the pages it answers, and the tokens it knows.
#[derive(Debug)]
pub(super) struct Gate {
    hosts: Vec<HostPort>,
    origins: Vec<Origin>,
    tokens: Vec<Known>,
    /// Under which path people look at pages, which know them by themselves.
    pages: Option<&'static str>,
}

/// A host, with a port or with any.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HostPort {
    host: String,
    port: Option<u16>,
}

/// The page a request comes from.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    Null,
    Page { scheme: String, place: HostPort },
}

#[derive(Debug)]
struct Known {
    digest: [u8; 32],
    principal: Principal,
}

impl Gate {
    /// What the options allow, before it is known where the server listens.
    pub(super) fn new(options: &HttpOptions) -> Result<Self, ServeError> {
        let hosts = options.allow_hosts.iter().map(|it| place(it).ok_or_else(|| ServeError::BadHost(it.clone())));
        let origins = options.allow_origins.iter().map(|it| allowed_origin(it).ok_or_else(|| ServeError::BadOrigin(it.clone())));
        let tokens = options.tokens.iter().map(|it| {
            let token = it.expose_secret();
            Known { digest: Sha256::digest(token).into(), principal: Principal(principal_of_token(token)) }
        });
        Ok(Self {
            hosts: hosts.collect::<Result<_, _>>()?,
            origins: origins.collect::<Result<_, _>>()?,
            tokens: tokens.collect(),
            pages: options.pages.as_ref().map(|it| it.0),
        })
    }

    /// Also lets in who names the server by its own address. Pages of its own address are its own pages.
    ///
    /// The port belongs to a name: another server's page on this machine is as foreign as any.
    pub(super) fn listening_on(mut self, addr: SocketAddr) -> Self {
        let mut names = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
        let ip = addr.ip().to_canonical();
        if !ip.is_unspecified() && !ip.is_loopback() {
            names.push(host_of_ip(ip));
        } else if ip.is_unspecified() && self.hosts.is_empty() {
            tracing::warn!("only calls to `localhost` are answered; give `--allow-host NAME` with the name that clients use");
        }
        for host in names {
            let place = HostPort { host, port: Some(addr.port()) };
            self.origins.push(Origin::Page { scheme: "http".into(), place: place.clone() });
            self.hosts.push(place);
        }
        self
    }

    fn check(&self, request: &Request) -> Result<Principal, Box<Response>> {
        let path = request.uri().path();
        if ![HEALTH, READY, FIGURES].contains(&path) {
            self.check_host(request)?;
        }
        self.check_origin(request.headers())?;
        let is_page = self.pages.and_then(|it| path.strip_prefix(it)).is_some_and(|it| it.is_empty() || it.starts_with('/'));
        let open = matches!(path, HEALTH | READY) || (path == FIGURES && comes_from_here(request)) || is_page;
        if self.tokens.is_empty() || open {
            return Ok(Principal(ANYBODY.into()));
        }
        self.check_token(request.headers())
    }

    /// A page that makes a browser believe that its name is this machine's still sends its own name.
    fn check_host(&self, request: &Request) -> Result<(), Box<Response>> {
        let mut named = request.headers().get_all(HOST).iter();
        let (first, second) = (named.next(), named.next());
        let host = match (first, second) {
            (Some(host), None) => host.to_str().ok().and_then(place),
            (None, _) => request.uri().authority().and_then(|it| place(it.as_str())),
            (Some(_), Some(_)) => None,
        };
        let Some(host) = host else {
            let message = "the Host header is missing or malformed";
            return Err(refusal(StatusCode::BAD_REQUEST, "bad_host", message, "send one Host header").into());
        };
        if self.hosts.iter().any(|it| it.covers(&host)) {
            return Ok(());
        }
        tracing::warn!(host = host.host, "a request for another host was refused");
        let message = format!("host `{}` is not served here", host.host);
        Err(refusal(StatusCode::FORBIDDEN, "host_not_allowed", &message, "the operator can allow it with `--allow-host`").into())
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Box<Response>> {
        for origin in headers.get_all(ORIGIN) {
            let known = origin.to_str().ok().and_then(read_origin).is_some_and(|it| self.origins.iter().any(|allowed| allowed.covers(&it)));
            if !known {
                tracing::warn!(?origin, "a request of an unknown page was refused");
                let fix = "the operator can allow it with `--allow-origin`";
                return Err(refusal(StatusCode::FORBIDDEN, "origin_not_allowed", "pages of this origin may not call", fix).into());
            }
        }
        Ok(())
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<Principal, Box<Response>> {
        let Some(token) = headers.get(AUTHORIZATION).and_then(bearer) else {
            return Err(unauthorized("token_required", "a token is required", r#"Bearer realm="rolecall""#).into());
        };
        let digest: [u8; 32] = Sha256::digest(token).into();
        // All of them are compared, so that the time tells nothing.
        let known = self.tokens.iter().fold(None, |found, it| if bool::from(it.digest.ct_eq(&digest)) { Some(it) } else { found });
        known.map(|it| it.principal.clone()).ok_or_else(|| {
            tracing::warn!("a request with an unknown token was refused");
            unauthorized("token_rejected", "the token is not known", r#"Bearer realm="rolecall", error="invalid_token""#).into()
        })
    }
}

/// Whether a program on this machine asks for itself, and not a proxy for somebody else.
fn comes_from_here(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let passed_on = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|it| request.headers().contains_key(*it));
    peer.is_some_and(|it| it.0.ip().to_canonical().is_loopback()) && !passed_on
}

/// Lets a request through, or answers it.
pub(super) async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    match gate.check(&request) {
        Ok(principal) => {
            // Handlers and logs get to know who it is, not by what it was proved.
            request.headers_mut().remove(AUTHORIZATION);
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(response) => *response,
    }
}

/// An answer that says what is wrong and what to do.
pub(super) fn refusal(status: StatusCode, code: &str, message: &str, fix: &str) -> Response {
    (status, Json(json!({ "code": code, "message": message, "fix": fix }))).into_response()
}

fn unauthorized(code: &str, message: &str, challenge: &'static str) -> Response {
    let mut response = refusal(StatusCode::UNAUTHORIZED, code, message, "send `Authorization: Bearer TOKEN`");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl HostPort {
    fn covers(&self, other: &Self) -> bool {
        self.host == other.host
            && match (self.port, other.port) {
                (None, _) => true,
                // Clients leave out the port that the scheme implies; a proxy may have taken care of the scheme.
                (Some(port), None) => matches!(port, 80 | 443),
                (Some(port), Some(other)) => port == other,
            }
    }
}

impl Origin {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Page { scheme, place }, Self::Page { scheme: other_scheme, place: other }) => {
                scheme == other_scheme && place.host == other.host && place.port.is_none_or(|it| other.port == Some(it))
            }
            _ => false,
        }
    }
}

fn place(text: &str) -> Option<HostPort> {
    if let Ok(ip @ IpAddr::V6(_)) = text.parse() {
        return Some(HostPort { host: host_of_ip(ip), port: None });
    }
    // What stands before an `@` belongs to nobody's name.
    let authority = Authority::try_from(text).ok().filter(|it| !it.as_str().contains('@') && !it.host().is_empty())?;
    let port = authority.port_u16();
    // A port that is no number is not the same as no port.
    if port.is_none() && authority.as_str().len() != authority.host().len() {
        return None;
    }
    Some(HostPort { host: authority.host().to_ascii_lowercase(), port })
}

fn host_of_ip(ip: IpAddr) -> String {
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

/// An origin as browsers send it: always with a port in the end.
fn read_origin(text: &str) -> Option<Origin> {
    if text == "null" {
        return Some(Origin::Null);
    }
    let uri = Uri::try_from(text).ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let mut place = place(uri.authority()?.as_str())?;
    place.port = place.port.or(match scheme.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    });
    Some(Origin::Page { scheme, place })
}

/// An origin as an operator writes it: as browsers send it, or with `:*` for any port.
fn allowed_origin(text: &str) -> Option<Origin> {
    let any_port = text.strip_suffix(":*");
    let uri = Uri::try_from(any_port.unwrap_or(text)).ok()?;
    if uri.path().len() > 1 || (any_port.is_some() && uri.port().is_some()) {
        return None;
    }
    let mut origin = read_origin(any_port.unwrap_or(text))?;
    if let (Origin::Page { place, .. }, Some(_)) = (&mut origin, any_port) {
        place.port = None;
    }
    Some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(allowed: &str, given: &str) -> bool {
        place(allowed).zip(place(given)).is_some_and(|(allowed, given)| allowed.covers(&given))
    }

    #[test]
    fn a_host_is_its_name_and_its_port() {
        assert!(covers("rolecall.example.com", "Rolecall.Example.Com"));
        assert!(covers("rolecall.example.com", "rolecall.example.com:8443"));
        assert!(covers("rolecall.example.com:443", "rolecall.example.com"));
        assert!(covers("::1", "[::1]:8080"));
        assert!(!covers("rolecall.example.com:8443", "rolecall.example.com"));
        assert!(!covers("rolecall.example.com:8443", "rolecall.example.com:8444"));
        assert!(!covers("example.com", "evil.example.com"));
        for malformed in
            ["", "localhost@evil.example", "a b", "http://localhost", "localhost/", "localhost:port", "localhost:", "localhost:99999"]
        {
            assert_eq!(place(malformed), None, "{malformed}");
        }
    }

    fn page_may_call(allowed: &str, given: &str) -> bool {
        allowed_origin(allowed).zip(read_origin(given)).is_some_and(|(allowed, given)| allowed.covers(&given))
    }

    #[test]
    fn an_origin_is_its_scheme_its_host_and_its_port() {
        assert!(page_may_call("https://app.example.com", "https://app.example.com"));
        assert!(page_may_call("https://app.example.com:443", "https://app.example.com"));
        assert!(page_may_call("http://localhost:*", "http://localhost:6274"));
        assert!(page_may_call("null", "null"));
        assert!(!page_may_call("https://app.example.com", "http://app.example.com"));
        assert!(!page_may_call("https://app.example.com", "https://app.example.com:8443"));
        assert!(!page_may_call("https://app.example.com", "https://app.example.com.evil.example"));
        assert!(!page_may_call("https://app.example.com", "null"));
        assert!(!page_may_call("https://app.example.com", "app.example.com"));
        for malformed in ["", "*", "app.example.com", "https://", "https://app.example.com/path", "https://app.example.com:443:*"] {
            assert_eq!(allowed_origin(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn a_token_is_sent_as_bearer() {
        assert_eq!(bearer(&HeaderValue::from_static("Bearer abc")), Some("abc"));
        assert_eq!(bearer(&HeaderValue::from_static("bearer  abc ")), Some("abc"));
        assert_eq!(bearer(&HeaderValue::from_static("Basic abc")), None);
        assert_eq!(bearer(&HeaderValue::from_static("abc")), None);
    }
}
