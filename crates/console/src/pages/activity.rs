//! What was done: the ledger.

use axum::{
    Extension, Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use super::{Frame, empty, headline, old_form, one_or_many, part, time, token, trouble};
use crate::{
    ActivityFilter, ActivityPage, Call, Console, Day, Made, Verified, plot,
    sign_in::{Session, Token},
};

/// How calls end, as filters name it.
const OUTCOMES: [&str; 6] = ["done", "partly", "failed", "refused", "pending_approval", "outcome_unknown"];

pub(crate) async fn list(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Query(filter): Query<ActivityFilter>,
) -> Response {
    let (page, days) = (console.desk.activity(&filter).await, console.desk.days().await);
    let changes: u64 = days.as_ref().map(|it| it.iter().map(|it| it.done + it.open + it.not).sum()).unwrap_or_default();
    let below = html! { "The last 30 days: " b { (one_or_many(changes, "change", "changes")) } " made, refused or waiting" };
    let main = html! {
        (headline("Activity", &below))
        @if let Ok(days) = &days { (plotted(days)) }
        (filters(&filter, &session))
        @match &page {
            Ok(page) if page.calls.is_empty() => (empty("No change is on record here.", "Whatever an assistant changes, or is kept from changing, stands here, and nobody can rewrite it unseen.")),
            Ok(page) => (calls(page, &filter)),
            Err(it) => (trouble(it)),
        }
    };
    Frame { title: "Activity", at: "activity", topic: ("", "") }.around(&console, &session, main).await.into_response()
}

fn plotted(days: &[Day]) -> Markup {
    html! {
        section.card aria-label="Changes by day" {
            (plot::days(days))
            p.legend { span { i.swatch.done {} "done" } span { i.swatch.open {} "open or partly" } span { i.swatch.not {} "refused or failed" } }
            details {
                summary { "The numbers" }
                div.scroll tabindex="0" role="region" aria-label="Changes by day" {
                    table {
                        thead { tr { th scope="col" { "Day" } th.number scope="col" { "Done" } th.number scope="col" { "Open or partly" } th.number scope="col" { "Refused or failed" } } }
                        tbody { @for it in days.iter().rev().filter(|it| it.done + it.open + it.not > 0) {
                            tr { th scope="row" { (it.day) } td.number { (it.done) } td.number { (it.open) } td.number { (it.not) } }
                        } }
                    }
                }
            }
        }
    }
}

fn filters(filter: &ActivityFilter, session: &Session) -> Markup {
    html! {
        div.bar-of-tools {
            form.tools method="get" action="/console/activity" {
                label { span { "Since" } input type="date" name="since" value=(filter.since); }
                label { span { "Tool" } input name="tool" value=(filter.tool) placeholder="delete_project" spellcheck="false"; }
                label { span { "Person" } input name="member" value=(filter.member) placeholder="name or e-mail" spellcheck="false"; }
                label { span { "Ended" } select name="outcome" {
                    option value="" { "in any way" }
                    @for it in OUTCOMES { option value=(it) selected[filter.outcome == it] { (it.replace('_', " ")) } }
                } }
                button type="submit" { "Show" }
            }
            form.tools method="post" action="/console/activity/verify" { (token(session)) button type="submit" { "Verify the ledger" } }
        }
    }
}

fn calls(page: &ActivityPage, filter: &ActivityFilter) -> Markup {
    html! {
        section.card.flush {
            div.scroll tabindex="0" role="region" aria-label="Changes" {
                table.wide {
                    thead { tr { th scope="col" { "Time" } th scope="col" { "What" } th scope="col" { "Asked by" } th scope="col" { "Agreed by" } th scope="col" { "Outcome" } th scope="col" { span.hidden { "Undo" } } } }
                    tbody { @for it in &page.calls { (row(it)) } }
                }
            }
        }
        @if let Some(next) = &page.next {
            p { a.button rel="next" href={ "/console/activity?since=" (part(&filter.since)) "&tool=" (part(&filter.tool)) "&member=" (part(&filter.member)) "&outcome=" (part(&filter.outcome)) "&cursor=" (part(next)) } { "Earlier" } }
        }
    }
}

fn row(it: &Call) -> Markup {
    html! {
        tr {
            td.nowrap { (time(it.at)) }
            td {
                span.strong { (it.tool.replace('_', " ")) } " " span.name { (it.target) } span.soft { " · " (it.connection) }
                @for (field, from, to) in &it.changed { div.small { span.soft { (field) ": " } (from) " → " b { (to) } } }
                @if let Some(reason) = &it.reason { div.small.soft { (reason.replace('_', " ")) } }
            }
            td { (if it.client.is_empty() { &it.principal } else { &it.client }) }
            td { @match &it.agreed { Some(who) => (who), None => span.faint { "–" } } }
            td { (outcome(&it.outcome)) }
            td.nowrap { @if it.can_be_undone { a href={ "/console/activity/" (part(&it.id)) } aria-label={ "Plan to undo: " (it.tool) " " (it.target) } { "Undo…" } } }
        }
    }
}

/// How a call ended, as a pill.
pub(crate) fn outcome(outcome: &str) -> Markup {
    let class = match outcome {
        "done" => "fine",
        "refused" | "failed" => "grave",
        "skipped" | "cancelled" | "pending" => "",
        _ => "careful",
    };
    html! { span class={ "pill " (class) } { (outcome.replace('_', " ")) } }
}

pub(crate) async fn verify(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Form(Token { csrf }): Form<Token>,
) -> Response {
    if !session.wrote(&csrf) {
        return old_form();
    }
    let main = match console.desk.verify().await {
        Ok(found) => verified(&found),
        Err(it) => trouble(&it),
    };
    Frame { title: "The ledger", at: "activity", topic: ("", "") }.around(&console, &session, main).await.into_response()
}

fn verified(found: &Verified) -> Markup {
    match &found.broken {
        None => html! {
            (headline("The ledger is whole", &html! { "No row was changed, removed or inserted, from the first to the last." }))
            section.card {
                dl.facts-list { dt { "Rows" } dd { (found.rows) } dt { "Head" } dd { code { (found.head) } } }
                p.soft { "Keep the head somewhere else: as long as it is found again among the rows, nothing before it was rewritten." }
                p { a href="/console/activity" { "Back to the activity" } }
            }
        },
        Some((row, why)) => html! {
            (headline("The ledger is broken", &html! { "At row " (row) ": " (why) "." }))
            section.card.trouble { p { "Everything before that row is as it was written. Compare with a backup, and find out who can write to the store." } }
        },
    }
}

pub(crate) async fn undo(State(console): State<Console>, Extension(session): Extension<Session>, Path(call): Path<String>) -> Response {
    let main = match console.desk.undo_plan(&call).await {
        Ok(plan) => html! {
            (headline("Undo?", &html! { "What taking it back would do; nothing was changed yet." }))
            section.card {
                pre.question { (plan.question) }
                form method="post" action={ "/console/activity/" (part(&call)) "/undo" } {
                    (token(&session))
                    div.row { a.button href="/console/activity" { "Leave it" } button.main type="submit" { @if plan.needs_consent { "Ask for consent" } @else { "Undo" } } }
                }
            }
        },
        Err(it) => {
            html! { (headline("This cannot be undone", &html! { "From here, at least." })) (trouble(&it)) p { a href="/console/activity" { "Back to the activity" } } }
        }
    };
    Frame { title: "Undo", at: "activity", topic: ("", "") }.around(&console, &session, main).await.into_response()
}

pub(crate) async fn make_undo(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(call): Path<String>,
    Form(Token { csrf }): Form<Token>,
) -> Response {
    if !session.wrote(&csrf) {
        return old_form();
    }
    let main = match console.desk.undo(&call, &session.person).await {
        Ok(Made::Asks(id)) => return Redirect::to(&format!("/console/q/{}", part(&id))).into_response(),
        Ok(Made::Done(text)) => html! { (headline("Undone", &html! { (text) })) p { a href="/console/activity" { "See the activity" } } },
        Err(it) => html! { (headline("Not undone", &html! { "Nothing was taken back." })) (trouble(&it)) },
    };
    Frame { title: "Undo", at: "activity", topic: ("", "") }.around(&console, &session, main).await.into_response()
}
