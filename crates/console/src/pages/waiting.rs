//! What waits for a person.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use super::{Frame, empty, headline, one_or_many, pill, trouble};
use crate::{Console, Waiting, sign_in::Session};

pub(crate) async fn list(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    let frame = Frame { title: "Waiting", at: "waiting", topic: ("waiting", "") };
    let main = match console.desk.waiting().await {
        Ok(waiting) => html! { div id="live" data-live { (listed(&waiting)) } (notices()) },
        Err(it) => trouble(&it),
    };
    frame.around(&console, &session, main).await.into_response()
}

fn listed(waiting: &[Waiting]) -> Markup {
    let below = match waiting {
        [] => "Changes that need a person's yes".to_owned(),
        many => format!("{} for your answer, the gravest first", one_or_many(many.len() as u64, "change waits", "changes wait")),
    };
    html! {
        (headline("Waiting", &html! { (below) }))
        @if waiting.is_empty() {
            (empty("Nothing waits.", "When an assistant asks for something grave, it appears here, and your browser tells you."))
        } @else {
            ul.list data-list { @for it in waiting { (item(it)) } }
        }
    }
}

fn item(it: &Waiting) -> Markup {
    html! {
        li { a.card.item href={ "/console/q/" (it.id) } {
            span.what {
                span.strong { (it.does) ": " span.name { (it.name) } }
                span.soft { @if let Some(organization) = &it.organization { (organization) " · " } (it.connection) " · asked by " (asker(it)) }
            }
            span.pills {
                (pill(it.gravity))
                @if !it.can_be_undone { span.pill.grave { "Cannot be undone" } }
                @for loss in it.losses.iter().take(2) { span.pill.careful { (loss) } }
                @if it.needed > 1 { span.pill { (it.agreed.len()) " of " (it.needed) " people agreed" } }
            }
            (left(it))
        } }
    }
}

/// Who asks, by which client: both by their own words.
pub(crate) fn asker(it: &Waiting) -> String {
    let client = if it.client.is_empty() { "an assistant" } else { &it.client };
    if it.principal == "local" { client.to_owned() } else { format!("{client} ({})", it.principal) }
}

/// How long there is to decide, as a ring and in words; the script lets it run.
pub(crate) fn left(it: &Waiting) -> Markup {
    let whole = (it.expires_at - it.asked_at).max(1);
    let left = (it.expires_at - crate::sign_in::now()).clamp(0, whole);
    let seconds = left / 1000;
    html! {
        span.left data-ends=(it.expires_at) data-whole=(whole) {
            svg viewBox="0 0 36 36" aria-hidden="true" {
                circle.ground cx="18" cy="18" r="15" pathLength="100" {}
                circle.rest cx="18" cy="18" r="15" pathLength="100" stroke-dasharray={ (left * 100 / whole) " 100" } transform="rotate(-90 18 18)" {}
            }
            span { (seconds / 60) ":" (format!("{:02}", seconds % 60)) " left" }
        }
    }
}

/// The browser tells of what comes, where the person wants that.
fn notices() -> Markup {
    html! { p.notices { button.link type="button" id="notify" hidden { "Let this browser tell you when something waits" } } }
}
