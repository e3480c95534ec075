//! Who looks. Here alone a [`VerifiedPerson`] is made, and from one thing alone: a code that a person has made at a terminal of this
//! machine, and that is good once. After it a sealed cookie says who it is, for an hour since it was last used.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::{
    Extension, Form,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

use crate::{BASE, Console, Millis, pages};

/// How long a session lasts that nobody uses.
const SESSION: Millis = 3_600_000;

/// A person of whom it is proved who they are. Only this module makes one.
///
/// ```compile_fail,E0451
/// let anybody = rolecall_console::VerifiedPerson { name: "root".to_owned() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPerson {
    name: String,
}

impl VerifiedPerson {
    /// Who it is, as approvals and the ledger name them.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A signed-in person, and the token that their forms carry.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) person: VerifiedPerson,
    pub(crate) csrf: String,
    pub(crate) expires_at: Millis,
    nonce: String,
}

/// Seals sessions and opens them again.
pub(crate) struct Sessions {
    key: [u8; 32],
    /// Of this console alone: browsers send cookies to all ports of a machine.
    cookie: String,
    /// Those that were ended, until they would have ended by themselves.
    ended: Mutex<HashMap<String, Millis>>,
}

pub(crate) fn now() -> Millis {
    chrono::Utc::now().timestamp_millis()
}

impl Sessions {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let mut sessions = Self { key: *key, cookie: String::new(), ended: Mutex::default() };
        sessions.cookie = format!("rolecall_{}", &sessions.seal("cookie")[..10]).replace('-', "_");
        sessions
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        // A key may have any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).unwrap_or_else(|_| unreachable!("a key may have any length"));
        mac.update(b"rolecall console 1\n");
        mac.update(text.as_bytes());
        mac
    }

    fn seal(&self, text: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.mac(text).finalize().into_bytes())
    }

    fn is_sealed(&self, text: &str, seal: &str) -> bool {
        BASE64_URL_SAFE_NO_PAD.decode(seal).is_ok_and(|seal| self.mac(text).verify_slice(&seal).is_ok())
    }

    fn session(&self, name: &str, nonce: &str, expires_at: Millis) -> Session {
        let csrf = self.seal(&format!("form\n{nonce}"));
        Session { person: VerifiedPerson { name: name.to_owned() }, csrf, expires_at, nonce: nonce.to_owned() }
    }

    /// The cookie of a session, good from now on.
    fn set_cookie(&self, name: &str, nonce: &str) -> HeaderValue {
        let body = format!("{}.{}.{nonce}", BASE64_URL_SAFE_NO_PAD.encode(name), now() + SESSION);
        self.cookie_of(&format!("{body}.{}", self.seal(&format!("session\n{body}"))), SESSION / 1000)
    }

    fn cookie_of(&self, value: &str, seconds: i64) -> HeaderValue {
        let text = format!("{}={value}; Path={BASE}; Max-Age={seconds}; HttpOnly; SameSite=Strict", self.cookie);
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The session of a request; `None` where its cookie is missing, old, ended or not ours.
    fn of(&self, headers: &HeaderMap) -> Option<Session> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(';'));
        let mut ours = cookies.filter_map(|it| it.trim().split_once('=')).filter(|it| it.0 == self.cookie).map(|it| it.1);
        let (value, None) = (ours.next()?, ours.next()) else { return None };
        let (body, seal) = value.rsplit_once('.')?;
        if !self.is_sealed(&format!("session\n{body}"), seal) {
            return None;
        }
        let mut parts = body.split('.');
        let name = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()?;
        let expires_at: Millis = parts.next()?.parse().ok()?;
        let nonce = parts.next()?;
        let is_ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).contains_key(nonce);
        (expires_at > now() && !is_ended).then(|| self.session(&name, nonce, expires_at))
    }

    fn end(&self, session: &Session) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        ended.retain(|_, until| *until > now);
        // It may have been renewed by another page at this very moment.
        ended.insert(session.nonce.clone(), now + 2 * SESSION);
    }
}

/// What every form carries.
#[derive(Debug, Deserialize)]
pub(crate) struct Token {
    #[serde(default)]
    pub(crate) csrf: String,
}

impl Session {
    /// Whether a form was made for this session.
    pub(crate) fn wrote(&self, token: &str) -> bool {
        // Of equal length and content; the token is a seal, and so its prefix tells nothing.
        let (ours, theirs) = (self.csrf.as_bytes(), token.as_bytes());
        ours.len() == theirs.len() && ours.iter().zip(theirs).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
    }
}

/// Lets only those through who have signed in; their session goes with the request.
pub(crate) async fn signed_in_only(State(console): State<Console>, mut request: Request, next: Next) -> Response {
    let Some(session) = console.sessions.of(request.headers()) else {
        return if request.method() == Method::GET && wants_page(request.headers()) {
            (StatusCode::UNAUTHORIZED, pages::sign_in::page(None)).into_response()
        } else {
            (StatusCode::UNAUTHORIZED, "sign in first").into_response()
        };
    };
    let renews = request.method() == Method::GET && wants_page(request.headers()) && session.expires_at - now() < SESSION * 9 / 10;
    let again = renews.then(|| console.sessions.set_cookie(session.person.name(), &session.nonce));
    request.extensions_mut().insert(session);
    let mut response = next.run(request).await;
    if let Some(cookie) = again {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).is_none_or(|it| it.contains("text/html") || it.starts_with("*/*"))
}

/// Where a code is typed, or brought by the link's own fragment, which browsers send to nobody.
pub(crate) async fn page(State(console): State<Console>, headers: HeaderMap) -> Response {
    match console.sessions.of(&headers) {
        Some(_) => Redirect::to("/console/").into_response(),
        None => pages::sign_in::page(None).into_response(),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Code {
    code: String,
}

/// Signs in whoever brings a code that is good.
pub(crate) async fn sign_in(State(console): State<Console>, Form(Code { code }): Form<Code>) -> Response {
    let why = match console.desk.redeem(code.trim()).await {
        Ok(Some(name)) => {
            let cookie = console.sessions.set_cookie(&name, &uuid::Uuid::new_v4().simple().to_string());
            tracing::info!(person = name, "somebody signed in to the console");
            return ([(header::SET_COOKIE, cookie)], Redirect::to("/console/")).into_response();
        }
        Ok(None) => {
            tracing::warn!("a sign-in code was refused");
            "That code was used before, has expired, or is not one of this store."
        }
        Err(trouble) => {
            tracing::error!("nobody can sign in: {}", trouble.message);
            "The store does not answer at the moment."
        }
    };
    (StatusCode::FORBIDDEN, pages::sign_in::page(Some(why))).into_response()
}

pub(crate) async fn sign_out(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Form(Token { csrf }): Form<Token>,
) -> Response {
    if !session.wrote(&csrf) {
        return pages::old_form();
    }
    console.sessions.end(&session);
    ([(header::SET_COOKIE, console.sessions.cookie_of("", 0))], Redirect::to("/console/sign-in")).into_response()
}
