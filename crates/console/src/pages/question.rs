//! One question: the facts, and the answer.

use axum::{
    Extension, Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Frame, access, filter, headline, nothing_here, old_form, one_or_many, pill, time, token, trouble, waiting};
use crate::{Answer, Answered, Console, Gravity, Loss, PlanRow, Question, Standing, sign_in::Session};

pub(crate) async fn show(State(console): State<Console>, Extension(session): Extension<Session>, Path(id): Path<String>) -> Response {
    page(console, session, &id, None).await
}

/// The page; `wrong`: why the last answer was none.
async fn page(console: Console, session: Session, id: &str, wrong: Option<&str>) -> Response {
    let question = match console.desk.question(id).await {
        Ok(Some(question)) => question,
        Ok(None) => return nothing_here(State(console), Extension(session)).await,
        Err(it) => {
            let frame = Frame { title: "Question", at: "waiting", topic: ("", "") };
            return frame.around(&console, &session, trouble(&it)).await.into_response();
        }
    };
    let title = title(&question);
    let frame = Frame { title: &title, at: "waiting", topic: ("question", id) };
    let status = if wrong.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    (status, frame.around(&console, &session, told(&question, &title, &session, wrong)).await).into_response()
}

/// `Delete project Cobalt?`
fn title(question: &Question) -> String {
    let it = &question.waiting;
    format!("{}: {}?", it.does, it.name)
}

fn told(question: &Question, title: &str, session: &Session, wrong: Option<&str>) -> Markup {
    let it = &question.waiting;
    let below = html! {
        @if let Some(organization) = &it.organization { (organization) " · " }
        "connection " b { (it.connection) } " · asked by " (waiting::asker(it)) " · " (time(it.asked_at))
    };
    html! {
        (headline(title, &below))
        div.two {
            section.card.first {
                p.pills {
                    (pill(it.gravity))
                    @if question.undo.is_none() { span.pill.grave { "Cannot be undone" } }
                    @for loss in question.losses.iter().filter(|it| is_about_people(it)) { span.pill.careful { (loss.count) " " (loss.what) } }
                }
                dl.facts-list {
                    dt { (capital(&it.noun)) } dd { span.strong.name { (it.name) } @if let Some(id) = &question.target_id { " " code.soft { (id) } } }
                    @if let Some(within) = &question.within { dt { "In" } dd { (within) } }
                    @if let Some(undo) = &question.undo { dt { "Undo" } dd { (undo) } }
                }
                @if !question.losses.is_empty() || !question.notes.is_empty() {
                    h2 { "What it means" }
                    ul.notes {
                        @for loss in &question.losses { li { b { (loss.count) " " (loss.what) } (examples(loss)) } }
                        @for note in &question.notes { li { (note) } }
                    }
                }
                @if !question.changes.is_empty() { (changes(&question.changes)) }
            }
            aside.card.answer aria-label="Your answer" {
                div id="live" data-live { (standing(question)) }
                @if question.standing == Standing::Open { (answer(question, session, wrong)) }
            }
            div.more {
                @for (at, loss) in question.losses.iter().enumerate().filter(|it| !it.1.all.is_empty()) { (losing(loss, at)) }
                @if !question.rows.is_empty() { (rows(&question.rows)) }
                @if let Some(reached) = &question.reached { (access::ways(reached, "reached")) }
                @if !question.before.is_empty() { (before(&question.before)) }
            }
        }
    }
}

/// What stands in a pill beside how grave it is: that people lose something.
fn is_about_people(loss: &Loss) -> bool {
    loss.what.starts_with("people ") || loss.what.starts_with("person ")
}

fn examples(loss: &Loss) -> Markup {
    let named = loss.examples.len() as u64;
    html! {
        @if named > 0 {
            span.soft { ": " (loss.examples.join(", ")) @if loss.count > named { " and " (loss.count - named) " more" } }
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|it| it.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// Where it stands, in words: it may have been answered elsewhere meanwhile.
fn standing(question: &Question) -> Markup {
    let it = &question.waiting;
    html! {
        div data-standing=(name(&question.standing)) {
            @match &question.standing {
                Standing::Open => {
                    (waiting::left(it))
                    @if it.needed > 1 { p.soft { (it.agreed.len()) " of " (it.needed) " people agreed" @if !it.agreed.is_empty() { ": " (it.agreed.join(", ")) } } }
                }
                Standing::Elsewhere => { p.strong { "Answered in a terminal only" } p.soft { "The operator wants it so: run " code { "rolecall approve " (it.id) } "." } }
                Standing::Approved => { p.strong { span.pill.fine { "Agreed" } } p.soft { "The assistant may now repeat the same call, once, within five minutes." } (by(&it.agreed)) }
                Standing::Used => { p.strong { span.pill.fine { "Agreed, and made" } } p.soft { "What became of it stands in " a href="/console/activity" { "Activity" } "." } (by(&it.agreed)) }
                Standing::Refused(reason) => { p.strong { span.pill.grave { "Refused" } } p.soft { "Nothing was changed." } @if let Some(reason) = reason { p { "Reason: " (reason) } } }
                Standing::Expired => { p.strong { span.pill { "Expired" } } p.soft { "Nobody answered in time, and nothing was changed. When the assistant repeats its call, it asks again." } }
            }
            @if question.standing != Standing::Open { p { a href="/console/" { "See what waits" } } }
        }
    }
}

fn by(agreed: &[String]) -> Markup {
    html! { @if !agreed.is_empty() { p.soft { "By " (agreed.join(", ")) } } }
}

fn name(standing: &Standing) -> &'static str {
    match standing {
        Standing::Open => "open",
        Standing::Elsewhere => "elsewhere",
        Standing::Approved => "approved",
        Standing::Refused(_) => "refused",
        Standing::Used => "used",
        Standing::Expired => "expired",
    }
}

fn answer(question: &Question, session: &Session, wrong: Option<&str>) -> Markup {
    let it = &question.waiting;
    let grave = if it.gravity >= Gravity::High { "grave" } else { "main" };
    html! {
        div.answering data-answering {
            @if let Some(wrong) = wrong { p.grave-text role="alert" { (wrong) } }
            form method="post" action={ "/console/q/" (it.id) "/agree" } autocomplete="off" {
                (token(session))
                @if let Some(name) = &question.type_this {
                    label for="typed" { "Type " b.name data-typed { (name) } " to confirm" }
                    input id="typed" name="typed" data-must=(name) required autocapitalize="off" spellcheck="false";
                }
                div.row { button class=(grave) type="submit" data-agree { (it.does) } }
            }
            details open[false] {
                summary { "Refuse…" }
                form method="post" action={ "/console/q/" (it.id) "/refuse" } autocomplete="off" {
                    (token(session))
                    label for="reason" { "Reason, which the assistant is told" }
                    textarea id="reason" name="reason" maxlength="300" rows="3" {}
                    div.row { button type="submit" { "Refuse" } }
                }
            }
            p.small.soft { "Your answer is written to the ledger with your name. It works once, for this call only." }
        }
    }
}

fn rows(rows: &[PlanRow]) -> Markup {
    html! {
        section.card {
            div.head { h2 { "The plan, row by row " span.soft { (one_or_many(rows.len() as u64, "row", "rows")) } } (filter("plan", "rows")) }
            div.scroll tabindex="0" role="region" aria-label="The plan, row by row" {
                table id="plan" {
                    thead { tr { th scope="col" { "Row" } th scope="col" { "Does" } th scope="col" { "To" } th scope="col" { "What it means" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                td { (row.row) }
                                td { (row.does) @if row.state != "planned" { " " span.pill { (row.state) } } @if let Some(gravity) = row.gravity { " " (pill(gravity)) } }
                                td.name { (row.target) }
                                td.soft {
                                    @for line in &row.told { div { (line) } }
                                    @if !row.losing.is_empty() { details { summary { "All " (row.losing.len()) " by name" } (row.losing.join(", ")) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// All who lose something, to be searched: not the first few alone.
fn losing(loss: &Loss, at: usize) -> Markup {
    let (id, told) = (format!("losing-{at}"), loss.all.len() as u64);
    let title = format!("{} {}", loss.count, loss.what);
    html! {
        section.card {
            div.head { h2 { (title) " " span.soft { @if told < loss.count { "the first " (told) " by name" } @else { "all by name" } } } (filter(&id, "names")) }
            div.scroll.short tabindex="0" role="region" aria-label=(title) {
                table.names id=(id) { thead.hidden { tr { th scope="col" { "Name" } } } tbody { @for it in &loss.all { tr { td.name { (it) } } } } }
            }
        }
    }
}

/// What it is, and what it would be.
fn changes(changes: &[(String, String, String)]) -> Markup {
    html! {
        h2.apart { "What changes" }
        dl.facts-list.changes { @for (field, from, to) in changes { dt { (field) } dd { del { (from) } span.hidden { " becomes" } " → " ins { (to) } } } }
    }
}

fn before(fields: &[(String, String)]) -> Markup {
    html! {
        section.card {
            h2 { "As it is now" }
            dl.facts-list { @for (name, value) in fields { dt { (name) } dd { (value) } } }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Agreeing {
    #[serde(default)]
    csrf: String,
    typed: Option<String>,
}

pub(crate) async fn agree(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(form): Form<Agreeing>,
) -> Response {
    if !session.wrote(&form.csrf) {
        return old_form();
    }
    taken(console, session, &id, Answer::Agree { typed: form.typed }).await
}

#[derive(Debug, Deserialize)]
pub(crate) struct Refusing {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn refuse(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(form): Form<Refusing>,
) -> Response {
    if !session.wrote(&form.csrf) {
        return old_form();
    }
    taken(console, session, &id, Answer::Refuse { reason: form.reason }).await
}

async fn taken(console: Console, session: Session, id: &str, answer: Answer) -> Response {
    let wrong = match console.desk.answer(id, &session.person, answer).await {
        Ok(Answered::Approved | Answered::Waiting(_) | Answered::Refused) => {
            return Redirect::to(&format!("/console/q/{}", super::part(id))).into_response();
        }
        Ok(Answered::NotOpen) => "It no longer waits: somebody answered it, or it has expired. Your answer changed nothing.".to_owned(),
        Ok(Answered::Mistyped(why)) => format!("{why}. Nothing was approved."),
        Ok(Answered::Elsewhere) => "This one is answered in a terminal only. Nothing was approved.".to_owned(),
        Err(trouble) => format!("{}. Nothing was approved.", trouble.message),
    };
    page(console, session, id, Some(&wrong)).await
}
