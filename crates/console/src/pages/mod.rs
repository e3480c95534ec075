//! The pages, and what all of them have in common.

pub(crate) mod access;
pub(crate) mod activity;
pub(crate) mod connections;
pub(crate) mod findings;
pub(crate) mod jobs;
pub(crate) mod question;
pub(crate) mod sign_in;
pub(crate) mod waiting;

use axum::{
    Extension,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Console, Gravity, Millis, Trouble, sign_in::Session};

/// A page as browsers take it.
pub(crate) struct Page(Markup);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        Html(self.0.into_string()).into_response()
    }
}

/// What stands around a page.
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    /// Which entry of the navigation it belongs to.
    pub(crate) at: &'a str,
    /// What it listens to: the topic and its id.
    pub(crate) topic: (&'a str, &'a str),
}

/// The entries of the navigation.
const PLACES: [(&str, &str, &str); 5] = [
    ("waiting", "Waiting", "/console/"),
    ("access", "Access", "/console/access"),
    ("activity", "Activity", "/console/activity"),
    ("jobs", "Jobs", "/console/jobs"),
    ("connections", "Connections", "/console/connections"),
];

/// The keys, as the page tells them.
const KEYS: [(&str, &str); 7] = [
    ("j, k", "next, previous"),
    ("Enter", "open"),
    ("/", "filter"),
    ("1 to 5", "go to a page"),
    ("arrows", "move in the matrix"),
    ("?", "these keys"),
    ("Escape", "close; it never agrees"),
];

impl Frame<'_> {
    pub(crate) async fn around(self, console: &Console, session: &Session, main: Markup) -> Page {
        let waiting = console.desk.waiting().await.map(|it| it.len()).unwrap_or_default();
        Page(html! {
            (head(self.title))
            body data-topic=(self.topic.0) data-id=(self.topic.1) {
                a.skip href="#main" { "Skip to the content" }
                div.app {
                    nav.side aria-label="Pages" {
                        a.brand href="/console/" aria-label="Rolecall" { (mark()) span { "Rolecall" } }
                        ul {
                            @for (id, name, address) in PLACES {
                                li { a href=(address) aria-current=[(id == self.at).then_some("page")] {
                                    span { (name) }
                                    @if id == "waiting" { span.count id="count" hidden[waiting == 0] data-count=(waiting) { (waiting) } }
                                } }
                            }
                        }
                        form.me method="post" action="/console/sign-out" {
                            (token(session))
                            span { (session.person.name()) " · this machine" }
                            button.link type="submit" { "Sign out" }
                        }
                    }
                    main id="main" tabindex="-1" { (main) }
                }
                div.said id="said" role="status" aria-live="polite" {}
                dialog id="keys" aria-labelledby="keys-title" {
                    h2 id="keys-title" { "Keys" }
                    dl { @for (key, what) in KEYS { dt { kbd { (key) } } dd { (what) } } }
                    form method="dialog" { button type="submit" { "Close" } }
                }
            }
        })
    }
}

fn head(title: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en";
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · Rolecall" }
            link rel="icon" href="/console/icon.svg" type="image/svg+xml";
            link rel="stylesheet" href="/console/console.css";
            script src="/console/console.js" defer {}
        }
    }
}

/// The sign of the program: a list, and one that is checked.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 20 20" aria-hidden="true" {
            rect x="1" y="1" width="18" height="18" rx="5" {}
            path d="M5 7h10M5 13h4M11 13l2 2 3-4" {}
        }
    }
}

/// The token of a form.
pub(crate) fn token(session: &Session) -> Markup {
    html! { input type="hidden" name="csrf" value=(session.csrf); }
}

/// A headline, and a line below it.
pub(crate) fn headline(title: &str, below: &Markup) -> Markup {
    html! { header.top { h1 { (title) } p.sub { (below) } } }
}

/// A filter over the rows of something, by its id.
pub(crate) fn filter(over: &str, what: &str) -> Markup {
    html! {
        label.filter { span.hidden { "Filter " (what) } input type="search" data-filter=(over) placeholder={ "Filter " (what) } autocomplete="off" spellcheck="false"; }
    }
}

/// What an empty page teaches.
pub(crate) fn empty(title: &str, text: &str) -> Markup {
    html! { div.card.empty { p.strong { (title) } p { (text) } } }
}

/// What went wrong.
pub(crate) fn trouble(trouble: &Trouble) -> Markup {
    html! { div.card.trouble role="alert" { p.strong { (trouble.message) } p { (trouble.fix) } } }
}

pub(crate) fn pill(gravity: Gravity) -> Markup {
    let (class, text) = match gravity {
        Gravity::Critical => ("grave", "Very grave"),
        Gravity::High => ("grave", "Grave"),
        Gravity::Low => ("careful", "Careful"),
    };
    html! { span class={ "pill " (class) } { (text) } }
}

/// A time, by the clock of UTC; the script adds how long ago.
pub(crate) fn time(at: Millis) -> Markup {
    html! { time datetime=(written(at, "%Y-%m-%dT%H:%M:%SZ")) data-at=(at) { (written(at, "%e %b %Y, %H:%M")) } }
}

pub(crate) fn written(at: Millis, form: &str) -> String {
    DateTime::<Utc>::from_timestamp_millis(at).map(|it| it.format(form).to_string().trim().to_owned()).unwrap_or_default()
}

/// A span of time in two words at most: `3 min`, `40 s`.
pub(crate) fn span(millis: Millis) -> String {
    let seconds = (millis / 1000).max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

pub(crate) fn one_or_many(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// What stays as it is in an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text as part of an address.
pub(crate) fn part(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A form that was made for another session, or by nobody.
pub(crate) fn old_form() -> Response {
    let main = html! {
        (headline("That form is old", &html! { "It was made for another session. Nothing was changed." }))
        p { a href="/console/" { "See what waits" } }
    };
    (StatusCode::FORBIDDEN, bare("That form is old", &main)).into_response()
}

/// A page without a frame.
pub(crate) fn bare(title: &str, main: &Markup) -> Page {
    Page(html! { (head(title)) body.bare { main id="main" tabindex="-1" { (main) } } })
}

pub(crate) async fn nothing_here(
    axum::extract::State(console): axum::extract::State<Console>,
    Extension(session): Extension<Session>,
) -> Response {
    let frame = Frame { title: "Nothing here", at: "", topic: ("", "") };
    let main = html! {
        (headline("There is nothing here", &html! { "What you look for may have been answered, or has another address." }))
        p { a href="/console/" { "See what waits" } }
    };
    (StatusCode::NOT_FOUND, frame.around(&console, &session, main).await).into_response()
}
