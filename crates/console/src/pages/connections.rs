//! The accounts: whether they can be used, and what each serves.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use super::{Frame, headline, one_or_many, part, span, time, trouble};
use crate::{Console, Pace, sign_in::Session};

pub(crate) async fn list(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    let main = match console.desk.connections().await {
        Ok(connections) => html! {
            (headline("Connections", &html! { (one_or_many(connections.len() as u64, "account", "accounts")) @if connections.len() > 1 { ", each" } @else { "," } " asked just now by one harmless read" }))
            ul.list data-list {
                @for it in &connections {
                    li { section.card aria-label=(it.name) {
                        p.pills { span.strong.name { (it.name) } @match &it.trouble { None => span.pill.fine { "answers" }, Some(_) => span.pill.grave { "does not answer" } } }
                        dl.facts-list {
                            dt { "Provider" } dd { (it.provider) @if let Some(pin) = &it.organization { " · kept to organization " b { (pin) } } }
                            dt { "Serves" } dd { (one_or_many(it.tools as u64, "tool", "tools")) span.soft { ": " (it.nouns.join(", ").replace('_', " ")) } }
                            @if let Some(pace) = &it.pace { dt { "Pace" } dd { (told(pace)) } }
                            @if let Some(it) = &it.trouble { dt { "Error" } dd { (it.message) } dt { "Mend" } dd { (it.fix) } }
                            @else if let Some((at, it)) = it.pace.as_ref().and_then(|it| it.failed.as_ref()) {
                                dt { "Last error" } dd { (it.message) " " span.soft { (time(*at)) } } dt { "Mend" } dd { (it.fix) }
                            }
                        }
                        @if it.tells_access { p { a href={ "/console/access?connection=" (part(&it.name)) } { "Who reaches what" } } }
                    } }
                }
            }
        },
        Err(it) => trouble(&it),
    };
    Frame { title: "Connections", at: "connections", topic: ("", "") }.around(&console, &session, main).await.into_response()
}

/// How fast it goes, in words.
fn told(pace: &Pace) -> Markup {
    let Pace { waiting, on_the_way, at_once, per_second, paused, .. } = pace;
    html! {
        @match per_second { Some(rate) => { "about " (format!("{rate:.1}")) " requests a second, as the service allows" }, None => "as fast as the service answers" }
        ", at most " (at_once) " at once"
        span.soft { " · " (on_the_way) " on the way, " (one_or_many(u64::from(*waiting), "request waits", "requests wait")) }
        @if let Some(paused) = paused { " " span.pill.careful { "the service wants to be left alone for " (span(*paused)) } }
    }
}
