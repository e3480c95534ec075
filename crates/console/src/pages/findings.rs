//! What a review of access finds, and the call that mends it, planned from here.

use axum::{
    Extension, Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Frame,
    access::{query, unseen},
    empty, filter, headline, old_form, one_or_many, part, token, trouble,
};
use crate::{Console, Finding, Made, Mend, Scope, sign_in::Session};

const FRAME: Frame<'_> = Frame { title: "Findings", at: "access", topic: ("", "") };

pub(crate) async fn list(State(console): State<Console>, Extension(session): Extension<Session>, Query(scope): Query<Scope>) -> Response {
    let main = match console.desk.findings(&scope).await {
        Ok(Some(found)) => html! {
            (headline("Findings", &html! { (one_or_many(found.total, "thing", "things")) " that should not stay as they are, the gravest first" }))
            @if found.list.is_empty() {
                (empty("Nothing is wrong, as far as can be seen.", "Stale keys, people without a team, owners who are alone and outsiders with power would stand here."))
            } @else {
                (found_list(&found.list, &scope, &session))
            }
            (unseen(&found.unseen))
            p { a href={ "/console/access?" (query(&scope)) } { "Back to the matrix" } }
        },
        Ok(None) => {
            html! { (headline("Findings", &html! { "Nobody reviews access here" })) (empty("This program does not review.", "The matrix shows who reaches what.")) }
        }
        Err(it) => html! { (headline("Findings", &html! { "The review did not come to an end" })) (trouble(&it)) },
    };
    FRAME.around(&console, &session, main).await.into_response()
}

fn found_list(list: &[Finding], scope: &Scope, session: &Session) -> Markup {
    html! {
        section.card {
            div.head { h2 { "What to look at" } (filter("findings", "findings")) }
            div.scroll tabindex="0" role="region" aria-label="Findings" {
                table id="findings" {
                    thead { tr { th scope="col" { "Weight" } th scope="col" { "Who or what" } th scope="col" { "Why" } th scope="col" { "What mends it" } } }
                    tbody {
                        @for it in list {
                            tr {
                                td { span class={ "pill " (match it.weight.as_str() { "high" => "grave", "medium" => "careful", _ => "" }) } { (it.weight) } }
                                th.name scope="row" { (it.subject) @if !it.place.is_empty() { div.soft { (it.place) } } }
                                td { (it.evidence) div.small.soft { (it.rule.replace('_', " ")) } }
                                td { @if let Some(mend) = &it.mend { (planned_by(mend, scope, session, &it.subject)) } }
                            }
                        }
                    }
                }
            }
            p.small.soft { "Nothing is changed by a plan: it shows what the call would do, and from there somebody is asked as about everything." }
        }
    }
}

/// The call, and the button that plans it.
fn planned_by(mend: &Mend, scope: &Scope, session: &Session, subject: &str) -> Markup {
    html! {
        form.mend method="post" action="/console/access/findings/plan" {
            (fields(mend, scope, session))
            button type="submit" aria-label={ "Plan: " (mend.tool.replace('_', " ")) ", " (subject) } { "Plan…" }
            span.small { b { (mend.tool.replace('_', " ")) } @for (name, value) in arguments(mend) { span.soft { " · " (name.replace('_', " ")) } " " (value) } }
        }
    }
}

/// The arguments of a call, as people read them.
fn arguments(mend: &Mend) -> Vec<(String, String)> {
    let told = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    let fields: Map<String, Value> = serde_json::from_str(&mend.arguments).unwrap_or_default();
    fields.iter().map(|(name, value)| (name.clone(), told(value))).collect()
}

fn fields(mend: &Mend, scope: &Scope, session: &Session) -> Markup {
    html! {
        (token(session))
        @for (name, value) in [("connection", &scope.connection), ("organization", &scope.organization), ("tool", &mend.tool), ("arguments", &mend.arguments)] {
            input type="hidden" name=(name) value=(value);
        }
    }
}

/// What a button of this page sends.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    connection: String,
    #[serde(default)]
    organization: String,
    tool: String,
    arguments: String,
}

impl Wanted {
    fn parts(self) -> (String, Scope, Mend) {
        let Self { csrf, connection, organization, tool, arguments } = self;
        (csrf, Scope { connection, organization }, Mend { tool, arguments })
    }
}

pub(crate) async fn plan(State(console): State<Console>, Extension(session): Extension<Session>, Form(wanted): Form<Wanted>) -> Response {
    let (csrf, scope, mend) = wanted.parts();
    if !session.wrote(&csrf) {
        return old_form();
    }
    let back = format!("/console/access/findings?{}", query(&scope));
    let main = match console.desk.mend_plan(&scope, &mend).await {
        Ok(plan) => html! {
            (headline("Mend it?", &html! { "What " code { (mend.tool) } " would do; nothing was changed yet." }))
            section.card {
                pre.question { (plan.question) }
                form method="post" action="/console/access/findings/mend" {
                    (fields(&mend, &scope, &session))
                    div.row { a.button href=(back) { "Leave it" } button.main type="submit" { @if plan.needs_consent { "Ask for consent" } @else { "Do it" } } }
                }
            }
        },
        Err(it) => {
            html! { (headline("This cannot be mended from here", &html! { "Nothing was changed." })) (trouble(&it)) p { a href=(back) { "Back to the findings" } } }
        }
    };
    FRAME.around(&console, &session, main).await.into_response()
}

pub(crate) async fn mend(State(console): State<Console>, Extension(session): Extension<Session>, Form(wanted): Form<Wanted>) -> Response {
    let (csrf, scope, mend) = wanted.parts();
    if !session.wrote(&csrf) {
        return old_form();
    }
    let back = format!("/console/access/findings?{}", query(&scope));
    let main = match console.desk.mend(&scope, &mend, &session.person).await {
        Ok(Made::Asks(id)) => return Redirect::to(&format!("/console/q/{}", part(&id))).into_response(),
        Ok(Made::Done(text)) => html! { (headline("Mended", &html! { (text) })) p { a href=(back) { "Back to the findings" } } },
        Err(it) => {
            html! { (headline("Not mended", &html! { "Nothing was changed." })) (trouble(&it)) p { a href=(back) { "Back to the findings" } } }
        }
    };
    FRAME.around(&console, &session, main).await.into_response()
}
