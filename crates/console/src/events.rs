//! News for open pages, by server-sent events: what waits, and whether what the page shows has changed.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension,
    extract::{Query, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;

use crate::{Console, Topic, sign_in, sign_in::Session};

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(700);

/// What a page listens to besides what waits.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Listening {
    topic: String,
    id: String,
}

impl Listening {
    fn topic(self) -> Option<Topic> {
        match self.topic.as_str() {
            "waiting" => Some(Topic::Waiting),
            "question" => Some(Topic::Question(self.id)),
            "jobs" => Some(Topic::Jobs),
            "job" => Some(Topic::Job(self.id)),
            _ => None,
        }
    }
}

/// What was told so far.
struct Listener {
    console: Console,
    topic: Option<Topic>,
    waiting: Option<String>,
    page: Option<String>,
    ends_at: i64,
    _place: tokio::sync::OwnedSemaphorePermit,
}

/// Tells of news until the page is closed, the session ends or the server stops.
pub(crate) async fn listen(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Query(listening): Query<Listening>,
) -> Response {
    let Ok(place) = std::sync::Arc::clone(&console.listeners).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages listen already").into_response();
    };
    let listener = Listener { console, topic: listening.topic(), waiting: None, page: None, ends_at: session.expires_at, _place: place };
    let news = stream::unfold(listener, |mut it| async move {
        let event = it.next().await?;
        Some((Ok::<_, Infallible>(event), it))
    });
    Sse::new(news).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

impl Listener {
    /// The next piece of news; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.console.stop.is_cancelled() || sign_in::now() > self.ends_at {
                return None;
            }
            if let Some(event) = self.news().await {
                return Some(event);
            }
            tokio::select! {
                () = self.console.stop.cancelled() => return None,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// What has changed since it was told; a store that does not answer for a moment is asked again.
    async fn news(&mut self) -> Option<Event> {
        let mark = self.console.desk.mark(&Topic::Waiting).await.ok()?;
        if self.waiting.as_ref() != Some(&mark) {
            let waiting = self.console.desk.waiting().await.ok()?;
            self.waiting = Some(mark);
            let first = waiting.first().map(|it| json!({ "id": it.id, "title": format!("{}: {}", it.does, it.name) }));
            let ids: Vec<&str> = waiting.iter().map(|it| it.id.as_str()).collect();
            return Event::default().event("waiting").json_data(json!({ "count": waiting.len(), "first": first, "ids": ids })).ok();
        }
        let topic = self.topic.as_ref()?;
        let mark = self.console.desk.mark(topic).await.ok()?;
        if self.page.as_ref() == Some(&mark) {
            return None;
        }
        // Told at the beginning, too: it may have changed since the page was made.
        self.page = Some(mark);
        Some(Event::default().event("page").data("changed"))
    }
}
