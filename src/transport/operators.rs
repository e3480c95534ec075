//! What load balancers and monitors ask for: whether the process is up, whether it can serve, and its figures.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures_util::future::BoxFuture;
use serde_json::json;

use super::gate;

/// How long the store may take to answer.
const SOON: Duration = Duration::from_secs(2);

/// The form in which the figures are written.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where the answers come from. By default the server can always serve, and there are no figures.
#[derive(Clone, Default)]
pub struct Operators {
    ready: Option<Arc<Ready>>,
    figures: Option<Arc<Figures>>,
}

type Ready = dyn Fn() -> BoxFuture<'static, bool> + Send + Sync;
type Figures = dyn Fn() -> String + Send + Sync;

impl Operators {
    /// `ready` says whether the server can serve, `figures` all figures as Prometheus reads them.
    pub fn new(
        ready: impl Fn() -> BoxFuture<'static, bool> + Send + Sync + 'static,
        figures: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        Self { ready: Some(Arc::new(ready)), figures: Some(Arc::new(figures)) }
    }
}

impl std::fmt::Debug for Operators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operators").finish_non_exhaustive()
    }
}

pub(super) fn routes(operators: &Operators) -> Router {
    let ready = operators.ready.clone();
    let mut routes = Router::new().route(gate::HEALTH, get(|| async { said(StatusCode::OK, "ok") })).route(
        gate::READY,
        get(move || {
            let ready = ready.clone();
            async move { readiness(ready.as_deref()).await }
        }),
    );
    if let Some(figures) = operators.figures.clone() {
        routes = routes.route(gate::FIGURES, get(move || async move { ([(CONTENT_TYPE, OPEN_METRICS)], figures()) }));
    }
    routes
}

async fn readiness(ready: Option<&Ready>) -> Response {
    let Some(ready) = ready else { return said(StatusCode::OK, "ok") };
    match tokio::time::timeout(SOON, ready()).await {
        Ok(true) => said(StatusCode::OK, "ok"),
        Ok(false) => said(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer"),
        Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer in time"),
    }
}

fn said(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "status": text }))).into_response()
}
