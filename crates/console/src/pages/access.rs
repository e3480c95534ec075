//! Who reaches what: people and projects as a matrix, and a page for each of both.

use std::fmt::Write as _;

use axum::{
    Extension, Json,
    extract::{Query, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Frame, empty, filter, headline, one_or_many, part, time, trouble};
use crate::{Able, By, Cell, Console, Dossier, Level, Matrix, Reached, Scope, Way, sign_in::Session};

/// Up to how many cells the matrix is a table that the server writes whole; a larger one the script draws as far as it is seen.
const WRITTEN: usize = 3_000;
/// What is written of a larger one, for who has no script.
const FIRST: (usize, usize) = (40, 12);

/// What is asked for: a part of the world, and somebody or something in it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Sought {
    connection: String,
    organization: String,
    name: String,
}

impl Sought {
    fn scope(&self) -> Scope {
        Scope { connection: self.connection.clone(), organization: self.organization.clone() }
    }
}

pub(crate) async fn matrix(State(console): State<Console>, Extension(session): Extension<Session>, Query(scope): Query<Scope>) -> Response {
    let main = match console.desk.matrix(&scope).await {
        Ok(matrix) => shown(&matrix),
        Err(it) => html! { (headline("Access", &html! { "Who reaches what" })) (trouble(&it)) },
    };
    Frame { title: "Access", at: "access", topic: ("", "") }.around(&console, &session, main).await.into_response()
}

fn shown(matrix: &Matrix) -> Markup {
    let (people, projects) = (matrix.people.len(), matrix.projects.len());
    let count = |it: usize, one, many| one_or_many(u64::try_from(it).unwrap_or(u64::MAX), one, many);
    let below = html! {
        (count(people, "person", "people")) ", " (count(projects, "project", "projects"))
        @if !matrix.scope.organization.is_empty() { " at " (matrix.scope.organization) }
        " · everything that connection " b { (matrix.scope.connection) } " can see"
    };
    let is_large = people * projects.max(1) > WRITTEN;
    html! {
        (headline("Access", &below))
        (tools(matrix))
        @if people == 0 {
            (empty("Nobody is here yet.", "As soon as somebody has a role in this organization, this page shows who reaches which project, and by which way."))
        } @else {
            div.mx id="mx" data-large[is_large] data-cells={ "/console/access/cells?" (query(&matrix.scope)) } data-scope=(query(&matrix.scope))
                tabindex=[is_large.then_some("0")] role=[is_large.then_some("region")] aria-label=[is_large.then_some("People and projects")] {
                (written(matrix, if is_large { FIRST } else { (usize::MAX, usize::MAX) }))
            }
            (legend())
        }
        (unseen(&matrix.unseen))
    }
}

fn tools(matrix: &Matrix) -> Markup {
    html! {
        div.bar-of-tools {
            form.tools method="get" action="/console/access" {
                @if matrix.connections.len() > 1 { label { span { "Connection" } select name="connection" data-submits {
                    @for it in &matrix.connections { option value=(it) selected[*it == matrix.scope.connection] { (it) } }
                } } } @else { input type="hidden" name="connection" value=(matrix.scope.connection); }
                @if matrix.organizations.len() > 1 { label { span { "Organization" } select name="organization" data-submits {
                    @for it in &matrix.organizations { option value=(it) selected[*it == matrix.scope.organization] { (it) } }
                } } }
                @if matrix.connections.len() > 1 || matrix.organizations.len() > 1 { button type="submit" data-without-script { "Show" } }
            }
            div.tools role="group" aria-label="What is shown" {
                (filter("mx", "people, projects, roles"))
                button.chip type="button" data-only="power" aria-pressed="false" { "Only power" }
                button.chip type="button" data-only="outsiders" aria-pressed="false" { "Outsiders" }
                button.chip type="button" data-only="team" aria-pressed="false" { "By team" }
                a.chip href={ "/console/access/findings?" (query(&matrix.scope)) } { "Findings" }
                a.chip href={ "/console/access/table?" (query(&matrix.scope)) } { "CSV" }
                button.chip type="button" data-print { "Print" }
            }
        }
    }
}

/// The table, as far as `most` people and projects.
fn written(matrix: &Matrix, (most_people, most_projects): (usize, usize)) -> Markup {
    let projects = &matrix.projects[..matrix.projects.len().min(most_projects)];
    html! {
        table {
            caption.hidden { "People and what they are in each project" }
            thead { tr {
                th.corner scope="col" { span.hidden { "Person" } }
                th.p scope="col" { span { "the organization" } }
                @for it in projects { th.p scope="col" { a href={ "/console/access/project?" (query(&matrix.scope)) "&name=" (part(it)) } { span { (it) } } } }
            } }
            tbody {
                @for person in matrix.people.iter().take(most_people) {
                    tr data-team=(person.team) data-power[has_power(person)] data-outsider[person.outsider] {
                        th.who scope="row" { a href={ "/console/access/person?" (query(&matrix.scope)) "&name=" (part(&person.address)) } { (person.name) } @if person.outsider { " " span.pill.careful { "outside" } } }
                        td { (cell(person.organization.as_ref())) }
                        @for at in 0..projects.len() { td { (cell(person.cells.binary_search_by_key(&at, |it| it.0).ok().map(|it| &person.cells[it].1))) } }
                    }
                }
            }
        }
    }
}

fn has_power(person: &crate::MatrixPerson) -> bool {
    let counts = |it: &Cell| it.level >= Level::Admin || it.level == Level::Unknown;
    person.organization.as_ref().is_some_and(counts) || person.cells.iter().any(|it| counts(&it.1))
}

fn cell(cell: Option<&Cell>) -> Markup {
    html! {
        @match cell {
            None => span.c.none { span.hidden { "nothing" } },
            Some(it) => span class={ "c " (class(it)) } title=(words(it)) { (letter(it.level)) span.hidden { ": " (words(it)) } },
        }
    }
}

fn letter(level: Level) -> &'static str {
    match level {
        Level::Owner => "O",
        Level::Admin => "A",
        Level::Member => "M",
        Level::Viewer => "V",
        Level::Unknown => "?",
    }
}

fn class(cell: &Cell) -> String {
    let level = match cell.level {
        Level::Owner => "o",
        Level::Admin => "a",
        Level::Member => "m",
        Level::Viewer => "v",
        Level::Unknown => "u",
    };
    let by = match cell.by {
        By::Own => "",
        By::Team => " t",
        By::Organization => " g",
    };
    format!("{level}{by}{}", if cell.pending { " n" } else { "" })
}

fn words(cell: &Cell) -> String {
    let by = match cell.by {
        By::Own => "",
        By::Team => ", through a team",
        By::Organization => ", by a role in the organization",
    };
    format!("{}{by}{}", cell.role, if cell.pending { ", invited" } else { "" })
}

fn legend() -> Markup {
    let entries = [
        ("o", "O", "owner"),
        ("a", "A", "administrator"),
        ("m", "M", "member"),
        ("v", "V", "viewer"),
        ("u", "?", "not told"),
        ("m t", "M", "through a team"),
        ("m g", "M", "by a role in the organization"),
        ("m n", "M", "invited"),
    ];
    html! { p.legend aria-label="Legend" { @for (class, letter, what) in entries { span { span class={ "c " (class) } aria-hidden="true" { (letter) } (what) } } span { span.c.none aria-hidden="true" {} "nothing" } } }
}

pub(super) fn unseen(unseen: &[String]) -> Markup {
    html! { @if !unseen.is_empty() { div.card.small { p.strong { "What the service does not tell" } ul { @for it in unseen { li { (it) } } } } } }
}

pub(super) fn query(scope: &Scope) -> String {
    format!("connection={}&organization={}", part(&scope.connection), part(&scope.organization))
}

/// All cells for the script, in few letters: of each person name, address, team, outsider, the organization's cell, and column with cell for
/// the others.
pub(crate) async fn cells(State(console): State<Console>, Query(scope): Query<Scope>) -> Response {
    let matrix = match console.desk.matrix(&scope).await {
        Ok(matrix) => matrix,
        Err(it) => return (axum::http::StatusCode::BAD_GATEWAY, it.message).into_response(),
    };
    let mut kinds: Vec<String> = Vec::new();
    let mut number = |it: &Cell| {
        let kind = format!("{}\n{}\n{}", letter(it.level), class(it), words(it));
        kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            kinds.push(kind);
            kinds.len() - 1
        })
    };
    let people: Vec<Value> = matrix
        .people
        .iter()
        .map(|it| {
            let own = it.organization.as_ref().map(&mut number);
            let mut cells: Vec<usize> = Vec::with_capacity(it.cells.len() * 2);
            for (at, cell) in &it.cells {
                cells.extend([*at, number(cell)]);
            }
            json!([it.name, it.address, it.team, u8::from(it.outsider), u8::from(has_power(it)), own, cells])
        })
        .collect();
    Json(json!({ "projects": matrix.projects, "kinds": kinds.iter().map(|it| it.split('\n').collect::<Vec<_>>()).collect::<Vec<_>>(), "people": people })).into_response()
}

/// The same as CSV, a row for each person and project.
pub(crate) async fn table(State(console): State<Console>, Query(scope): Query<Scope>) -> Response {
    let matrix = match console.desk.matrix(&scope).await {
        Ok(matrix) => matrix,
        Err(it) => return (axum::http::StatusCode::BAD_GATEWAY, it.message).into_response(),
    };
    let mut text = "person,name,place,role,way,invited\r\n".to_owned();
    for person in &matrix.people {
        let own = person.organization.iter().map(|it| (matrix.scope.organization.as_str(), it));
        let inside = person.cells.iter().map(|(at, it)| (matrix.projects[*at].as_str(), it));
        for (place, it) in own.chain(inside) {
            let way = match it.by {
                By::Own => "own",
                By::Team => "team",
                By::Organization => "organization",
            };
            // Writing into a text does not fail.
            let _ =
                write!(text, "{},{},{},{},{way},{}\r\n", csv(&person.address), csv(&person.name), csv(place), csv(&it.role), it.pending);
        }
    }
    ([(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"access.csv\"")], text).into_response()
}

/// A text as a field: quoted, and never a formula of a spreadsheet.
fn csv(text: &str) -> String {
    let safe = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    format!("\"{}\"", safe.replace('"', "\"\""))
}

pub(crate) async fn person(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Query(sought): Query<Sought>,
) -> Response {
    let found = console.desk.person(&sought.scope(), &sought.name).await;
    about(console, session, found, "what they reach").await
}

pub(crate) async fn project(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Query(sought): Query<Sought>,
) -> Response {
    let found = console.desk.project(&sought.scope(), &sought.name).await;
    about(console, session, found, "who reaches it").await
}

async fn about(console: Console, session: Session, found: Result<Dossier, crate::Trouble>, what: &str) -> Response {
    let (title, main) = match found {
        Ok(it) => (
            it.name.clone(),
            html! {
                (headline(&it.name, &html! { (it.subtitle) " · " (what) }))
                @if !it.facts.is_empty() { section.card { dl.facts-list { @for (name, value) in &it.facts { dt { (name) } dd { (value) } } } } }
                @if !it.able.is_empty() { (able(&it.able, &it.reached.scope)) }
                (ways(&it.reached, "ways"))
                @if let Some(suggestion) = &it.suggestion { section.card { h2 { "What an assistant would call" } p { code { (suggestion) } } p.small.soft { "It asks you before anything is taken away." } } }
                p { a href="/console/access" { "Back to the matrix" } }
            },
        ),
        Err(it) => (
            "Not found".to_owned(),
            html! { (headline("Not found", &html! { "Nobody and nothing of this name is told here." })) (trouble(&it)) p { a href="/console/access" { "Back to the matrix" } } },
        ),
    };
    Frame { title: &title, at: "access", topic: ("", "") }.around(&console, &session, main).await.into_response()
}

/// Who can do what in a project, and by which ways: those with power first.
fn able(able: &[Able], scope: &Scope) -> Markup {
    html! {
        section.card {
            div.head { h2 { "Who can do what " span.soft { (one_or_many(u64::try_from(able.len()).unwrap_or(u64::MAX), "holder", "holders")) } } (filter("able", "people and what they can")) }
            div.scroll tabindex="0" role="region" aria-label="Who can do what" {
                table id="able" {
                    thead { tr { th scope="col" { "Who" } th scope="col" { "Can" } th scope="col" { "By which way" } } }
                    tbody { @for it in able { tr {
                        th.name scope="row" {
                            @match &it.person { Some(person) => a href={ "/console/access/person?" (query(scope)) "&name=" (part(person)) } { (it.who) }, None => (it.who) }
                            @if let Some(kind) = &it.kind { " " span.soft { (kind) } }
                            @if it.ways.iter().any(|it| it.power) { " " span.pill.careful { "power" } }
                            @if it.perhaps { " " span.pill.careful { "not told" } }
                            @if it.invited { " " span.pill { "invited" } }
                        }
                        td { @for way in &it.ways { div { (way.can) } } }
                        td.soft { @for way in &it.ways { div { (way.role) ", " (way.through) } } }
                    } } }
                }
            }
        }
    }
}

/// All ways, searchable.
pub(super) fn ways(reached: &Reached, id: &str) -> Markup {
    html! {
        section.card {
            div.head { h2 { (reached.title) " " span.soft { (one_or_many(u64::try_from(reached.ways.len()).unwrap_or(u64::MAX), "way", "ways")) } } (filter(id, "people and roles")) }
            @if reached.ways.is_empty() { p.soft { "Nobody, as far as the service tells." } }
            @else {
                div.scroll tabindex="0" role="region" aria-label=(reached.title) {
                    table id=(id) {
                        thead { tr { th scope="col" { "Who" } th scope="col" { "Role" } th scope="col" { "Where" } th scope="col" { "By which way" } } }
                        tbody { @for it in &reached.ways { (way(it, &query(&reached.scope))) } }
                    }
                }
            }
        }
        (unseen(&reached.unseen))
    }
}

fn way(it: &Way, scope: &str) -> Markup {
    html! {
        tr {
            th.name scope="row" {
                @match &it.person { Some(person) => a href={ "/console/access/person?" (scope) "&name=" (part(person)) } { (it.holder) }, None => (it.holder) }
                @if it.holder_kind != "person" { " " span.soft { (it.holder_kind) } }
            }
            td { (it.role) @if it.level >= Level::Admin { " " span.pill.careful { "power" } } @else if it.level == Level::Unknown { " " span.pill.careful { "not told what it allows" } } @if it.pending { " " span.pill { "invited" } } }
            td.name { @match &it.project { Some(project) => a href={ "/console/access/project?" (scope) "&name=" (part(project)) } { (it.place) }, None => (it.place) } }
            td.soft { (it.via) @if let Some(ends) = it.ends_at { " · ends " (time(ends)) } }
        }
    }
}
