//! Work of many calls: how far it is, what went wrong, and an end to it.

use axum::{
    Extension, Form,
    extract::{Path, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use super::{Frame, activity::outcome, empty, filter, headline, old_form, one_or_many, part, span, time, token, trouble};
use crate::{
    Console, Job, JobRow, plot,
    sign_in::{Session, Token},
};

pub(crate) async fn list(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    let main = html! {
        (headline("Jobs", &html! { "Work of many calls, agreed to once" }))
        div id="live" data-live {
            @match console.desk.jobs().await {
                Ok(jobs) if jobs.is_empty() => (empty("No job yet.", "When an assistant brings in forty people or applies a plan, you can watch it here, and stop it.")),
                Ok(jobs) => ul.list data-list { @for it in &jobs { (item(it)) } },
                Err(it) => (trouble(&it)),
            }
        }
    };
    Frame { title: "Jobs", at: "jobs", topic: ("jobs", "") }.around(&console, &session, main).await.into_response()
}

fn item(it: &Job) -> Markup {
    html! {
        li { a.card.item href={ "/console/jobs/" (part(&it.id)) } {
            span.what { span.strong { (it.tool.replace('_', " ")) ": " span.name { (it.target) } } span.soft { (it.connection) " · " (time(it.created_at)) } }
            span.pills { (standing(it)) @for (name, count) in it.counts.iter().filter(|it| it.1 > 0 && it.0 != "done") { span.pill { (count) " " (name) } } }
            span.progress { (plot::bar(it.ended(), it.total, amiss(it))) span.small.soft { (it.ended()) " of " (it.total) } }
        } }
    }
}

fn standing(it: &Job) -> Markup {
    html! {
        @if it.interrupted { span.pill.careful { "interrupted" } }
        @else if it.runs() { span.pill.careful { "running" } }
        @else if it.status == "done" && amiss(it) == 0 { span.pill.fine { "done" } }
        @else { span.pill.grave { (it.status) } }
    }
}

fn amiss(it: &Job) -> u64 {
    it.counts.iter().filter(|it| matches!(it.0, "failed" | "refused" | "unknown" | "differs")).map(|it| it.1).sum()
}

pub(crate) async fn show(State(console): State<Console>, Extension(session): Extension<Session>, Path(id): Path<String>) -> Response {
    let main = match console.desk.job(&id).await {
        Ok((job, rows)) => html! { div id="live" data-live { (told(&job, &rows, &session)) } },
        Err(it) => trouble(&it),
    };
    Frame { title: "Job", at: "jobs", topic: ("job", &id) }.around(&console, &session, main).await.into_response()
}

fn told(job: &Job, rows: &[JobRow], session: &Session) -> Markup {
    let action = |what: &str| format!("/console/jobs/{}/{what}", part(&job.id));
    html! {
        (headline(&format!("{}: {}", job.tool.replace('_', " "), job.target), &html! { (job.connection) " · begun " (time(job.created_at)) " · " code { (job.id) } }))
        section.card data-job=(job.status) {
            p.pills { (standing(job)) @for (name, count) in job.counts.iter().filter(|it| it.1 > 0) { span.pill { (count) " " (name) } } }
            (plot::bar(job.ended(), job.total, amiss(job)))
            p.soft { (job.ended()) " of " (one_or_many(job.total, "row", "rows")) (pace(job)) }
            div.row.start {
                @if job.interrupted { form method="post" action=(action("resume")) { (token(session)) button.main type="submit" { "Resume" } } }
                @if job.runs() { form method="post" action=(action("cancel")) { (token(session)) button type="submit" { "Cancel; what is made stays" } } }
                a.button href=(action("table")) { "All rows as CSV" }
            }
        }
        section.card {
            div.head { h2 { "Rows " span.soft { "what went wrong first" } } (filter("rows", "rows")) }
            div.scroll tabindex="0" role="region" aria-label="Rows" {
                table id="rows" {
                    thead { tr { th scope="col" { "Row" } th scope="col" { "Tool" } th scope="col" { "To" } th scope="col" { "Outcome" } th scope="col" { "Reason" } } }
                    tbody { @for it in rows { tr { td { (it.row) } td { (it.tool.replace('_', " ")) } td.name { (it.target) } td { (outcome(&it.outcome)) } td.soft { (it.reason) } } } }
                }
            }
        }
    }
}

/// How fast it goes, and how long it may take yet.
fn pace(job: &Job) -> Markup {
    let took = job.ended_at.unwrap_or(job.now) - job.created_at;
    let ended = i64::try_from(job.ended()).unwrap_or(i64::MAX);
    let rest = i64::try_from(job.total).unwrap_or(i64::MAX) - ended;
    html! {
        @if job.runs() && ended > 0 && took > 0 {
            " · " (format!("{:.1}", rate(ended, took))) " a second · about " (span(rest * took / ended)) " left"
        } @else if !job.runs() { " · took " (span(took)) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "for one digit behind the point")]
fn rate(rows: i64, millis: i64) -> f64 {
    rows as f64 * 1000.0 / millis as f64
}

pub(crate) async fn table(State(console): State<Console>, Path(id): Path<String>) -> Response {
    match console.desk.job_table(&id).await {
        Ok(table) => {
            ([(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"job.csv\"")], table).into_response()
        }
        Err(it) => (axum::http::StatusCode::NOT_FOUND, it.message).into_response(),
    }
}

pub(crate) async fn cancel(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(Token { csrf }): Form<Token>,
) -> Response {
    if !session.wrote(&csrf) {
        return old_form();
    }
    let done = console.desk.cancel_job(&id, &session.person).await;
    back(console, session, &id, done).await
}

pub(crate) async fn resume(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(Token { csrf }): Form<Token>,
) -> Response {
    if !session.wrote(&csrf) {
        return old_form();
    }
    let done = console.desk.resume_job(&id).await;
    back(console, session, &id, done).await
}

async fn back(console: Console, session: Session, id: &str, done: Result<(), crate::Trouble>) -> Response {
    match done {
        Ok(()) => Redirect::to(&format!("/console/jobs/{}", part(id))).into_response(),
        Err(it) => Frame { title: "Job", at: "jobs", topic: ("", "") }.around(&console, &session, trouble(&it)).await.into_response(),
    }
}
