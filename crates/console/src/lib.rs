//! The console: pages on which a person of this machine sees what waits, decides, and looks at what was done and who reaches what.
//!
//! The crate knows data and HTML. What it shows and where answers go is a [`Desk`], which the program implements; by whom it is
//! looked at is a [`VerifiedPerson`], which only [`sign_in`] makes: another way of signing in is another door into that module, and
//! nothing else changes. It knows nothing of the protocol that assistants speak.
//!
//! What always holds:
//! - Nothing is shown to, and nothing taken from, whoever has not signed in.
//! - A change comes from a page of this origin, in a form that carries the session's own token.
//! - Nothing is loaded from elsewhere, no script or style stands in a page, and no page may be framed.
//! - What people and services have named is written into pages by `maud`, which escapes it.

mod desk;
mod events;
mod pages;
mod plot;
mod protect;
pub mod sign_in;

use std::sync::Arc;

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
pub use desk::*;
use sign_in::Sessions;
pub use sign_in::VerifiedPerson;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Under which path all pages are.
pub const BASE: &str = "/console";

/// How many pages may listen for news at once.
const LISTENERS: usize = 64;

/// What the pages are made with.
#[derive(Clone)]
struct Console {
    desk: Arc<dyn Desk>,
    sessions: Arc<Sessions>,
    listeners: Arc<Semaphore>,
    stop: CancellationToken,
}

/// All pages, under [`BASE`]. `key` seals sessions: it belongs to what the desk shows, so that a session of another is worth nothing.
/// Listening pages are let go when `stop` is cancelled.
///
/// Whoever serves them has looked at the `Host` header before.
pub fn router(desk: Arc<dyn Desk>, key: &[u8; 32], stop: CancellationToken) -> Router {
    let sessions = Arc::new(Sessions::new(key));
    let console = Console { desk, sessions, listeners: Arc::new(Semaphore::new(LISTENERS)), stop };
    let inside = Router::new()
        .route("/console/", get(pages::waiting::list))
        .route("/console/q/{id}", get(pages::question::show))
        .route("/console/q/{id}/agree", post(pages::question::agree))
        .route("/console/q/{id}/refuse", post(pages::question::refuse))
        .route("/console/activity", get(pages::activity::list))
        .route("/console/activity/verify", post(pages::activity::verify))
        .route("/console/activity/{call}", get(pages::activity::undo))
        .route("/console/activity/{call}/undo", post(pages::activity::make_undo))
        .route("/console/jobs", get(pages::jobs::list))
        .route("/console/jobs/{id}", get(pages::jobs::show))
        .route("/console/jobs/{id}/table", get(pages::jobs::table))
        .route("/console/jobs/{id}/cancel", post(pages::jobs::cancel))
        .route("/console/jobs/{id}/resume", post(pages::jobs::resume))
        .route("/console/connections", get(pages::connections::list))
        .route("/console/access", get(pages::access::matrix))
        .route("/console/access/cells", get(pages::access::cells))
        .route("/console/access/table", get(pages::access::table))
        .route("/console/access/findings", get(pages::findings::list))
        .route("/console/access/findings/plan", post(pages::findings::plan))
        .route("/console/access/findings/mend", post(pages::findings::mend))
        .route("/console/access/person", get(pages::access::person))
        .route("/console/access/project", get(pages::access::project))
        .route("/console/events", get(events::listen))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/console/{*rest}", get(pages::nothing_here))
        .layer(from_fn_with_state(console.clone(), sign_in::signed_in_only));
    let outside = Router::new()
        .route("/console/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/console/console.css", get(|| async { asset("text/css; charset=utf-8", include_str!("../assets/console.css")) }))
        .route("/console/console.js", get(|| async { asset("text/javascript; charset=utf-8", include_str!("../assets/console.js")) }))
        .route("/console/icon.svg", get(|| async { asset("image/svg+xml", include_str!("../assets/icon.svg")) }));
    let all = outside.merge(inside).layer(from_fn(protect::protect)).with_state(console);
    Router::new().route(BASE, get(|| async { Redirect::permanent("/console/") })).merge(all)
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text)
}
