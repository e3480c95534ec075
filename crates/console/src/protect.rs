//! What stands before every page: where a request comes from, and what browsers may do with an answer.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// Nothing from elsewhere, nothing written into pages, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The headers that every answer carries.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: browsers then send no origin with forms.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// Lets a request through that comes from where it should.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let mut response = match stranger(&request) {
        Some(why) => {
            tracing::warn!(path = request.uri().path(), why, "a request to the console was refused");
            (StatusCode::FORBIDDEN, why).into_response()
        }
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages tell of people: nobody keeps them.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Why a request does not come from a page of this origin, or from a person who opens one.
fn stranger(request: &Request) -> Option<&'static str> {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let navigates = text("sec-fetch-mode") == Some("navigate");
    if matches!(text("sec-fetch-dest"), Some("iframe" | "frame" | "embed" | "object" | "fencedframe")) {
        return Some("the console is not shown inside of other pages");
    }
    if request.method() == Method::GET || request.method() == Method::HEAD {
        // Browsers say from where; programs that say nothing have no cookie by accident.
        return match text("sec-fetch-site") {
            None | Some("same-origin" | "none") => None,
            Some(_) if navigates => None, // a link; the session's cookie does not come with it
            Some(_) => Some("pages of other origins may not read the console"),
        };
    }
    if is_own_origin(headers) { None } else { Some("a change has to come from a page of the console itself") }
}

/// Whether the page that sends a form is one of the very host that it is sent to.
fn is_own_origin(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else { return false };
    let (Ok(origin), Some(Ok(host))) = (origin.to_str(), headers.get(header::HOST).map(HeaderValue::to_str)) else { return false };
    ["http://", "https://"].iter().any(|scheme| origin.strip_prefix(scheme).is_some_and(|it| it.eq_ignore_ascii_case(host)))
}
