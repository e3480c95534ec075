//! What is told of each call: one line in the log, and the figures that an operator's tools fetch.
//!
//! Neither holds what was asked or answered, nor who asked: only which tool, on which connection, how it ended and how long it took.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse},
    service::RequestContext,
};
use serde_json::Value;
use tracing::Span;

use crate::{app::App, guard::Answer, tools::Effect};

/// Names and values; there are as many as tools and outcomes, whatever clients send.
type Labels = Vec<(&'static str, String)>;

/// Seconds: from what a directory in memory takes to what a person does.
const BUCKETS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

/// The figures. Clones share them.
#[derive(Clone)]
pub(super) struct Figures(Arc<Inner>);

struct Inner {
    registry: Registry,
    calls: Family<Labels, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
    questions: Family<Labels, Counter>,
    answers: Family<Labels, Counter>,
    at_work: Gauge,
    jobs: Gauge,
    pool: Family<Labels, Gauge>,
}

/// A call that is being made.
pub(super) struct Told {
    tool: String,
    effect: Option<Effect>,
    connection: String,
    traceparent: String,
    began: Instant,
    figures: Figures,
}

/// How a call ended, in one word, with what the answer says of itself.
struct Outcome {
    outcome: String,
    connection: Option<String>,
    call_id: Option<String>,
}

impl Figures {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("rolecall");
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let calls = Family::<Labels, Counter>::default();
        let durations = Family::<Labels, Histogram, fn() -> Histogram>::new_with_constructor(histogram);
        let (questions, answers) = (Family::<Labels, Counter>::default(), Family::<Labels, Counter>::default());
        let (at_work, jobs, pool) = (Gauge::<i64>::default(), Gauge::<i64>::default(), Family::<Labels, Gauge>::default());
        registry.register("calls", "Calls of tools, by tool and outcome", calls.clone());
        registry.register("call_duration_seconds", "How long calls took, by tool", durations.clone());
        registry.register("questions", "Questions to people, by the way they went", questions.clone());
        registry.register("answers", "What people answered in forms", answers.clone());
        registry.register("calls_at_work", "Calls that are being worked on", at_work.clone());
        registry.register("jobs_at_work", "Jobs that this process works on", jobs.clone());
        registry.register("store_connections", "Connections to the store, by pool and state", pool.clone());
        Self(Arc::new(Inner { registry, calls, durations, questions, answers, at_work, jobs, pool }))
    }

    /// All of them, as Prometheus reads them.
    pub(super) fn text(&self, app: &App) -> String {
        self.0.jobs.set(app.jobs().running().try_into().unwrap_or(i64::MAX));
        for (name, all, idle) in app.db.load() {
            for (state, count) in [("idle", idle), ("used", all.saturating_sub(idle))] {
                let labels = vec![("pool", name.to_owned()), ("state", state.to_owned())];
                self.0.pool.get_or_create(&labels).set(count.try_into().unwrap_or(i64::MAX));
            }
        }
        let mut text = String::new();
        match encode(&mut text, &self.0.registry) {
            Ok(()) => text,
            Err(_) => String::new(), // a text takes what is written to it
        }
    }

    /// Counts a question that went to a person this way.
    pub(super) fn asked(&self, way: &str) {
        self.0.questions.get_or_create(&vec![("way", way.to_owned())]).inc();
    }

    /// Counts what a person answered in a form.
    pub(super) fn answered(&self, answer: &Answer) {
        let answer = match answer {
            Answer::Accepted(_) => "accepted",
            Answer::Declined => "declined",
            Answer::Cancelled => "cancelled",
            Answer::Unanswered => "none",
        };
        self.0.answers.get_or_create(&vec![("answer", answer.to_owned())]).inc();
    }

    /// A call begins.
    pub(super) fn begin(&self, app: &App, request: &CallToolRequestParams, cx: &RequestContext<RoleServer>) -> Told {
        let offer = app.catalog.offer(&request.name).ok();
        let named = request.arguments.as_ref().and_then(|it| it.get("connection")).and_then(Value::as_str);
        let connection = app.connections.iter().find(|it| named == Some(it.name.as_str())).map(|it| it.name.clone());
        self.0.at_work.inc();
        Told {
            // What nobody offers is one thing, whatever it is called.
            tool: offer.map_or_else(|| super::own_name(&request.name).unwrap_or("unknown"), |it| it.tool.name).to_owned(),
            effect: offer.map(|it| it.tool.effect),
            connection: connection.unwrap_or_default(),
            traceparent: cx.meta.get_traceparent().filter(|it| is_traceparent(it)).unwrap_or_default().to_owned(),
            began: Instant::now(),
            figures: self.clone(),
        }
    }
}

impl Told {
    /// What other lines of this call carry.
    pub(super) fn span(&self) -> Span {
        tracing::info_span!(target: "rolecall::call", "call", tool = self.tool, traceparent = self.traceparent)
    }

    /// The call has ended.
    pub(super) fn end(self, answer: &Result<CallToolResponse, ErrorData>) {
        let took = self.began.elapsed();
        let Outcome { outcome, connection, call_id } = self.outcome(answer);
        let connection = connection.as_deref().unwrap_or(&self.connection);
        let tool = vec![("tool", self.tool.clone())];
        let figures = &self.figures.0;
        figures.durations.get_or_create(&tool).observe(took.as_secs_f64());
        figures.calls.get_or_create(&vec![("tool", self.tool.clone()), ("outcome", outcome.clone())]).inc();
        if outcome == "pending_approval" {
            self.figures.asked("approval");
        }
        tracing::info!(
            target: "rolecall::call",
            tool = self.tool,
            connection,
            outcome,
            duration_ms = milliseconds(took),
            call_id = call_id.unwrap_or_default(),
            traceparent = self.traceparent,
            "call"
        );
    }

    fn outcome(&self, answer: &Result<CallToolResponse, ErrorData>) -> Outcome {
        let short = |outcome: &str| Outcome { outcome: outcome.to_owned(), connection: None, call_id: None };
        let result = match answer {
            Ok(CallToolResponse::Complete(result)) => result,
            Ok(CallToolResponse::InputRequired(_)) => return short("asked"),
            Ok(_) => return short("task"),
            Err(_) => return short("protocol_error"),
        };
        let value = result.structured_content.as_ref();
        let text = |field: &str| value.and_then(|it| it.get(field)).and_then(Value::as_str).map(str::to_owned);
        let outcome = if result.is_error == Some(true) {
            text("code")
        } else {
            // What a read finds may have a status of its own.
            text("status").filter(|_| self.effect != Some(Effect::Read))
        };
        Outcome { outcome: outcome.unwrap_or_else(|| "ok".to_owned()), connection: text("connection"), call_id: text("call_id") }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.figures.0.at_work.dec();
    }
}

/// With as much as anybody reads.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 100_000.0).round() / 100.0
}

/// The form that the W3C gives it. What has another form is not written down.
fn is_traceparent(text: &str) -> bool {
    let hex = |it: &str, length| it.len() == length && it.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    let pieces: Vec<&str> = text.split('-').collect();
    matches!(pieces[..], [version, trace, parent, flags] if hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_written_down_in_its_own_form_only() {
        assert!(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        for other in ["", "00-4bf9-00f067aa0ba902b7-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "a\nb"] {
            assert!(!is_traceparent(other), "{other}");
        }
    }
}
