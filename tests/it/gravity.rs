//! What the guard makes of every change: *operation × provider × situation → gravity and question*, reviewed and checked in.
//!
//! A situation is a row of a provider's table below `gravity/`: the state it begins from, the calls before it, and the call itself,
//! which is asked for as a preview, through the front door. A snapshot for each provider holds what was answered, so that whoever
//! changes how something is weighed reviews the difference: `INSTA_UPDATE=always cargo test --test it gravity`.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write as _,
};

use crate::{
    practice::{Provider, World},
    support::{Options, Value},
};

/// Rows of a table, a line each:
/// `"situation" [given "pointer or SQL" = value]… [after tool {arguments}]… => tool {arguments};`
///
/// `$call_id` in arguments stands for the last call's ledger entry.
macro_rules! rows {
    ($($situation:literal $(given $place:literal = $value:tt)* $(after $before:ident $with:tt)* => $tool:ident $arguments:tt;)+) => {
        vec![$($crate::gravity::Row {
            situation: $situation,
            given: vec![$(($place, $crate::support::json!($value))),*],
            before: vec![$((stringify!($before), $crate::support::json!($with))),*],
            tool: stringify!($tool),
            arguments: $crate::support::json!($arguments),
        }),+]
    };
}

/// An end that stays to come.
const UNTIL: &str = "2199-12-04T18:00 Europe/Berlin";

mod engine;
mod geai;
mod local;
mod openai;
mod seeme;

/// A change in a situation.
pub(crate) struct Row {
    situation: &'static str,
    /// What the service holds otherwise than its seed: a JSON pointer into its state, or SQL.
    given: Vec<(&'static str, Value)>,
    /// What was called before.
    before: Vec<(&'static str, Value)>,
    tool: &'static str,
    arguments: Value,
}

#[tokio::test]
async fn what_local_asks_is_as_reviewed() {
    insta::assert_snapshot!("local", told(Provider::Local, local::rows()).await);
}

#[tokio::test]
async fn what_geai_asks_is_as_reviewed() {
    insta::assert_snapshot!("geai", told(Provider::Geai, geai::rows()).await);
}

#[tokio::test]
async fn what_geai_asks_a_system_administrator_is_as_reviewed() {
    insta::assert_snapshot!("geai_system", told(Provider::GeaiSystem, geai::of_a_system_administrator()).await);
}

#[tokio::test]
async fn what_openai_asks_is_as_reviewed() {
    insta::assert_snapshot!("openai", told(Provider::Openai, openai::rows()).await);
}

#[tokio::test]
async fn what_seeme_asks_is_as_reviewed() {
    insta::assert_snapshot!("seeme", told(Provider::Seeme, seeme::rows()).await);
}

#[tokio::test]
async fn what_engine_asks_is_as_reviewed() {
    insta::assert_snapshot!("engine", told(Provider::Engine, engine::rows()).await);
}

/// All that is answered, a block for each row.
async fn told(provider: Provider, rows: Vec<Row>) -> String {
    // A preview changes nothing, so all rows that begin from the seed share one world.
    let seeded = World::of(provider, Options::default()).await;
    every_change_is_among(&seeded, &rows).await;
    let (mut text, mut known) = (String::new(), HashSet::new());
    for row in &rows {
        assert!(known.insert((row.tool, row.situation)), "two rows are called `{} · {}`", row.tool, row.situation);
        let answer = if row.given.is_empty() && row.before.is_empty() {
            seeded.preview(row.tool, row.arguments.clone()).await
        } else {
            reached(provider, row).await
        };
        let _ = write!(text, "{} · {}\n{}\n", row.tool, row.situation, verdict(&answer));
    }
    masked(text.trim_end())
}

/// The answer in a world of the row's own.
async fn reached(provider: Provider, row: &Row) -> Value {
    let world = World::of(provider, Options::default()).await;
    for (place, value) in &row.given {
        world.give(place, value.clone()).await;
    }
    let mut last = Value::Null;
    for (tool, arguments) in &row.before {
        last = world.agent.ok(tool, filled(arguments, &last)).await;
    }
    world.preview(row.tool, filled(&row.arguments, &last)).await
}

/// Arguments in which `$field` stands for a field of an earlier answer.
fn filled(arguments: &Value, last: &Value) -> Value {
    match arguments {
        Value::String(text) => text.strip_prefix('$').and_then(|field| last.get(field)).unwrap_or(arguments).clone(),
        Value::Array(items) => items.iter().map(|it| filled(it, last)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), filled(it, last))).collect::<serde_json::Map<_, _>>().into(),
        other => other.clone(),
    }
}

/// A tool that changes something and has no row would be changed unseen.
async fn every_change_is_among(world: &World, rows: &[Row]) {
    let tools = world.agent.client.list_all_tools().await.unwrap();
    let changes = tools.iter().filter(|it| it.annotations.as_ref().is_some_and(|it| it.read_only_hint != Some(true)));
    let changes: BTreeSet<&str> = changes.map(|it| it.name.as_ref()).collect();
    let told: BTreeSet<&str> = rows.iter().map(|it| it.tool).collect();
    assert!(!changes.is_empty());
    assert_eq!(changes.difference(&told).collect::<Vec<_>>(), Vec::<&&str>::new(), "changes without a row");
}

/// How grave it is, whether it asks, what has to be typed, and what is told.
fn verdict(answer: &Value) -> String {
    if let Some(code) = answer["code"].as_str() {
        return format!("  refused: {code}: {}\n", indented(answer["message"].as_str().unwrap_or_default()));
    }
    let impact = &answer["impact"];
    let asks = if answer["needs_consent"] == true { "asks" } else { "does not ask" };
    let mut text = format!("  gravity: {}, {asks}\n", impact["gravity"].as_str().unwrap());
    if let Some(question) = answer["question"].as_str() {
        let (question, typed) = question.rsplit_once("\nTo confirm, type: ").map_or((question, None), |(text, name)| (text, Some(name)));
        if let Some(name) = typed {
            let _ = writeln!(text, "  type: `{}`", visible(name));
        } else {
            assert!(impact["gravity"] == "low", "a grave question says what has to be typed: {question}");
        }
        let _ = writeln!(text, "  {}", indented(question));
        return text;
    }
    for loss in impact["losses"].as_array().into_iter().flatten() {
        let examples: Vec<&str> = loss["examples"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let _ = writeln!(text, "  - {} {} ({})", loss["count"], loss["what"].as_str().unwrap(), visible(&examples.join(", ")));
    }
    for note in impact["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(text, "  - {}", indented(note));
    }
    let _ = writeln!(text, "  Undo: {}", impact["undo"].as_str().map_or_else(|| "none".to_owned(), visible));
    text
}

fn indented(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n  ")
}

/// The text with what nobody can see written out.
fn visible(text: &str) -> String {
    let hidden = |it: char| {
        it.is_control()
            || matches!(it, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|it| if hidden(it) { it.escape_unicode().to_string() } else { it.to_string() }).collect()
}

/// The text without ids and times that differ from run to run.
fn masked(text: &str) -> String {
    let in_word = |it: char| it.is_ascii_alphanumeric() || "_-".contains(it);
    let (mut out, mut rest) = (String::new(), text);
    while let Some(next) = rest.chars().next() {
        let end = rest.find(|it| in_word(it) != in_word(next)).unwrap_or(rest.len());
        let (piece, left) = rest.split_at(end);
        rest = left;
        if is_day(piece) {
            out += "<time>";
            // `2026-11-27T09` is a word, and what follows it is `:30:00Z`.
            rest = rest.trim_start_matches(|it: char| it.is_ascii_digit() || ":.Z".contains(it));
        } else {
            out += &without_number(piece);
        }
    }
    out
}

fn is_day(word: &str) -> bool {
    let day: Vec<&str> = word.split('-').collect();
    matches!(day[..], [year, month, day] if year.len() == 4 && month.len() == 2 && (day.len() == 2 || day.contains('T'))
        && year.chars().chain(month.chars()).all(|it| it.is_ascii_digit()))
}

/// A word without the part that an id got by chance, or in the order in which things were made.
fn without_number(word: &str) -> String {
    let by_chance = |it: &str| {
        it.len() == 16
            && it.chars().all(|it| "0123456789abcdefghjkmnpqrstvwxyz".contains(it))
            && it.contains(|it: char| it.is_ascii_digit())
    };
    let counted = |it: &str| it.len() == 6 && it.chars().all(|it| it.is_ascii_digit());
    match word.rsplit_once(['_', '-']) {
        Some((prefix, tail)) if by_chance(tail) || counted(tail) => format!("{prefix}_<id>"),
        _ => word.to_owned(),
    }
}
