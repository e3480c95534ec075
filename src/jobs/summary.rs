//! What a person is told about a job: the gravest first, whom it is about, and how many of what besides.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    apply::gives_or_takes,
    planned::{PlannedJob, PlannedRow, Stage},
    references,
};
use crate::{
    domain::{Gravity, Impact, Target},
    guard::{self, Plan, Told, canonical, lines},
    shape::{cut, for_ledger},
    store::sha256,
    tools::{Operation as _, jobs::ApplyChanges},
};

/// How many of the rows that come to nothing a question names.
const SHOWN: usize = 10;

/// A job as the guard asks about it.
pub(super) struct Summary {
    pub(super) plan: Plan,
    /// The connections that it reaches.
    pub(super) on: String,
    pub(super) needs_consent: bool,
    /// Fingerprint over every row, also those that need no consent.
    pub(super) version: String,
}

/// Rows that do the same to different targets.
struct Group {
    gravity: Gravity,
    asked: bool,
    brings_in: bool,
    what: String,
    consequences: String,
    targets: Vec<String>,
}

impl Summary {
    pub(super) fn of(work: &PlannedJob) -> Self {
        let ready = || work.rows.iter().filter_map(|it| if let Stage::Ready(ready) = &it.stage { Some((it, ready)) } else { None });
        let steps = || ready().map(|(row, it)| (row, &it.told));
        let later = || work.rows.iter().filter_map(|it| if let Stage::Later(route) = &it.stage { Some((it, route)) } else { None });

        let asks = steps().any(|(_, it)| it.asked);
        let unknown = later().any(|(_, route)| gives_or_takes(route.tool.effect));
        let newcomers = asks && (work.gives() || ready().any(|(_, it)| it.told.asked && it.bearing.brings_in));
        let sum = guard::sum(ready().map(|(_, it)| (it.told.impact.gravity, it.bearing.tallies.as_slice())), unknown, newcomers);
        let mut notes: Vec<String> = Vec::new();
        let built_on = built_on(work);
        let connections = connections(work);
        let many = connections.len() > 1;
        let told = groups(work, &built_on, many).into_iter().map(|it| it.told());
        let told = told.chain(steps().filter(|(it, _)| built_on.contains(&it.name)).map(|(it, step)| in_full(it, &step.target, many)));
        let told = told.chain(later().map(|(it, _)| verbatim(it, &built_on, many))).chain(work.notes.clone()).chain(left_out(&work.rows));
        notes.extend(told);
        if unknown {
            notes.push("steps that depend on earlier ones run only if they turn out harmless".into());
        }
        let lasting: Vec<&str> = steps().filter(|(_, it)| it.impact.undo.is_none()).map(|(_, it)| it.target.name.as_str()).collect();
        let undo = if lasting.is_empty() {
            Some("undo with the job's id".to_owned())
        } else if lasting.len() < steps().count() {
            Some(format!("undo with the job's id, but not for: {}", lasting.join(", ")))
        } else {
            None
        };

        // Somebody who comes into several places is one person.
        let people: HashSet<&str> = steps().filter(|_| work.invites()).map(|(_, it)| it.target.name.as_str()).collect();
        let open = if work.invites() { people.len() } else { steps().count() } + later().count();
        // Where nothing is to be done, it is about all that was asked for.
        let noun = noun(work, if open == 0 { work.rows.len() } else { open }, ready().flat_map(|(_, it)| &it.bearing.domains));
        // The sum, or the gravest loss: never the name of something that stays.
        let gravest = ready().max_by_key(|(_, it)| (it.told.impact.gravity, it.bearing.ends)).map(|(_, it)| it.typed.clone());
        let gravest = gravest.filter(|_| !work.invites()).unwrap_or_else(|| noun.clone());
        let name = sum.name.unwrap_or(gravest);
        let organizations = organizations(work);
        let organization = organizations.first().filter(|_| organizations.len() == 1).map(|it| (*it).to_owned());
        let batch = Target { kind: "batch".into(), name: noun, id: None, within: within(work), organization };
        let target = work.subject.clone().unwrap_or(batch);
        Self {
            plan: Plan::of_many(target, guard::of_plan(sum.gravity, notes, undo), name, row_by_row(work)),
            on: connections.join(", "),
            needs_consent: unknown || asks,
            version: version(&work.rows),
        }
    }
}

/// How many rows are kept to be shown one by one.
const KEPT: usize = 1_000;

/// How many names of those who lose something are kept with the rows, of all of them together.
const NAMES: usize = 5_000;

/// Every row with what it would do, for who shows them one by one.
fn row_by_row(work: &PlannedJob) -> Value {
    let mut names = NAMES;
    let row = |it: &PlannedRow| {
        let all =
            if let Stage::Ready(ready) = &it.stage { ready.told.impact.losses.iter().map(|it| &it.all).collect() } else { Vec::new() };
        let count = all.iter().map(|it| it.len()).sum::<usize>();
        let losing = (count > 0 && count <= names).then_some(all);
        names -= if losing.is_some() { count } else { 0 };
        let told = match &it.stage {
            Stage::Ready(ready) => lines(&ready.told.impact),
            Stage::Open(_) | Stage::Later(_) => vec![format!("with what earlier steps make: {}", written(it))],
            Stage::Ended { reason, .. } => vec![cut(reason, 160)],
        };
        let (state, gravity) = match &it.stage {
            Stage::Ready(ready) => ("planned", json!(ready.told.impact.gravity)),
            Stage::Open(_) | Stage::Later(_) => ("later", Value::Null),
            Stage::Ended { state, .. } => (*state, Value::Null),
        };
        json!({
            "row": it.name, "does": it.title(), "on": it.connection, "target": it.target, "state": state, "gravity": gravity, "told": told,
            "losing": losing,
        })
    };
    work.rows.iter().take(KEPT).map(row).collect()
}

/// What the job is about: `40 people`, `3 changes`. Everybody of a mail domain is never one person.
fn noun<'a>(work: &PlannedJob, rows: usize, domains: impl Iterator<Item = &'a String>) -> String {
    let mut domains: Vec<&str> = domains.map(String::as_str).collect();
    let counted = rows - domains.len().min(rows);
    domains.sort_unstable();
    domains.dedup();
    match (work.invites(), counted) {
        (false, 1) if domains.is_empty() => "1 change".to_owned(),
        (false, _) => format!("{rows} changes"),
        (true, 0) if !domains.is_empty() => format!("everybody at {}", domains.join(", ")),
        (true, _) => {
            let people = if counted == 1 { "1 person".to_owned() } else { format!("{counted} people") };
            if domains.is_empty() { people } else { format!("{people} and everybody at {}", domains.join(", ")) }
        }
    }
}

impl Group {
    fn told(&self) -> String {
        let Self { what, targets, consequences, .. } = self;
        let many = if targets.len() > 1 { format!("{} × ", targets.len()) } else { String::new() };
        // Who asks for no consent is counted.
        let whom = if self.asked { format!(": {}", targets.join(", ")) } else { String::new() };
        let consequences = if consequences.is_empty() { String::new() } else { format!(": {consequences}") };
        // Who comes in gets something: that is said before the names.
        if self.brings_in { format!("{many}{what}{consequences}{whom}") } else { format!("{many}{what}{whom}{consequences}") }
    }
}

/// The names of the steps that a step builds on which gives or takes away and cannot be planned yet.
fn built_on(work: &PlannedJob) -> HashSet<String> {
    let waits = |it: &&PlannedRow| matches!(&it.stage, Stage::Later(route) if gives_or_takes(route.tool.effect));
    // Only steps that a caller has written hold references; elsewhere such a text is a text.
    let waiting = work.rows.iter().filter(|_| work.tool.name == ApplyChanges::NAME).filter(waits);
    waiting.flat_map(|it| references::find(&it.arguments)).map(|it| it.step).collect()
}

/// What the rows do, like with like; the gravest first. What asks for nothing and is told in full is left out.
fn groups(work: &PlannedJob, in_full: &HashSet<String>, on_many: bool) -> Vec<Group> {
    // Namesakes of several organizations are told apart.
    let many = organizations(work).len() > 1;
    let mut groups: Vec<Group> = Vec::new();
    for row in &work.rows {
        let Stage::Ready(ready) = &row.stage else { continue };
        let Told { target, impact, asked, .. } = &ready.told;
        let asked = *asked;
        let place = target.within.as_deref().map(|it| format!(" in {it}")).unwrap_or_default();
        let organization = target.organization.as_deref().filter(|_| many).map(|it| format!(", organization {it}")).unwrap_or_default();
        let what = format!("{}{place}{organization}{}", row.title(), on(row, on_many));
        let id = target.id.as_deref().filter(|_| many).map(|it| format!(" [{it}]")).unwrap_or_default();
        let name = format!("{}{id}", target.name);
        if !asked && in_full.contains(&row.name) {
            continue;
        }
        let consequences = if asked { consequences(target, impact) } else { String::new() };
        let gravity = impact.gravity;
        let same =
            groups.iter_mut().find(|it| it.asked == asked && it.gravity == gravity && it.what == what && it.consequences == consequences);
        match same {
            Some(group) => group.targets.push(name),
            None => groups.push(Group { gravity, asked, brings_in: ready.bearing.brings_in, what, consequences, targets: vec![name] }),
        }
    }
    groups.sort_by_key(|it| (std::cmp::Reverse(it.asked), std::cmp::Reverse(it.gravity)));
    groups
}

/// What follows for a target, without its name: so what follows for others alike reads alike.
fn consequences(target: &Target, impact: &Impact) -> String {
    let mut told = lines(impact);
    if impact.undo.is_none() {
        told.push("cannot be undone".into());
    }
    let name = target.name.as_str();
    let told = told.into_iter().map(|line| {
        let line = line.replace(&format!(" ({name})"), "");
        // Behind the name of who loses a role, the sentence goes on with what is lost and what stays.
        let line = [",", ";"].into_iter().fold(line, |line, end| line.replace(&format!(": {name}{end}"), end));
        match line.strip_suffix(name).map(|it| it.trim_end_matches([' ', ':'])) {
            Some(rest) if !rest.is_empty() => rest.to_owned(),
            _ => line,
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

/// A row that others build on, whole: what it makes is what they give or take away.
fn in_full(row: &PlannedRow, target: &Target, on_many: bool) -> String {
    let Target { kind, name, .. } = target;
    format!("{} (step {}){}: {} {name}: {}", row.title(), row.name, on(row, on_many), kind.replace('_', " "), written(row))
}

/// A row that nobody can plan yet, as it was asked for, whole.
fn verbatim(row: &PlannedRow, built_on: &HashSet<String>, on_many: bool) -> String {
    let step = if built_on.contains(&row.name) { format!(" (step {})", row.name) } else { String::new() };
    format!("{}{step}{}, with what earlier steps make: {}", row.title(), on(row, on_many), written(row))
}

/// The arguments of a row as they were written. What stood behind a cut would be agreed to unseen.
fn written(row: &PlannedRow) -> String {
    for_ledger(&row.arguments.clone().into()).to_string()
}

/// The connection of a row, where that does not go without saying.
fn on(row: &PlannedRow, on_many: bool) -> String {
    if on_many { format!(" (connection {})", row.connection) } else { String::new() }
}

/// The organizations of what is planned.
fn organizations(work: &PlannedJob) -> Vec<&str> {
    let steps = work.rows.iter().filter_map(|it| if let Stage::Ready(ready) = &it.stage { Some(&ready.told) } else { None });
    let mut names: Vec<&str> = steps.filter_map(|it| it.target.organization.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn connections(work: &PlannedJob) -> Vec<&str> {
    let mut names: Vec<&str> = work.rows.iter().map(|it| it.connection.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Which rows come to nothing, and why.
fn left_out(rows: &[PlannedRow]) -> Vec<String> {
    let why = |wanted: &str| -> Vec<String> {
        let ended =
            rows.iter().filter_map(|it| if let Stage::Ended { state, reason } = &it.stage { Some((it, *state, reason)) } else { None });
        ended.filter(|it| it.1 == wanted).map(|(it, _, reason)| format!("row {} ({})", it.name, cut(reason, 160))).collect()
    };
    let told = |rows: Vec<String>, what: &str| {
        let more = if rows.len() > SHOWN { format!(" and {} more", rows.len() - SHOWN) } else { String::new() };
        let shown = rows.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        (!rows.is_empty()).then(|| format!("{} {what}: {shown}{more}", rows.len()))
    };
    let ended = [("skipped", "left as they are"), ("differs", "left with the role that they have"), ("failed", "cannot be made")];
    ended.into_iter().filter_map(|(state, what)| told(why(state), what)).collect()
}

fn within(work: &PlannedJob) -> Option<String> {
    if !work.invites() {
        return None;
    }
    let mut places: Vec<&str> = work.rows.iter().filter_map(|it| it.target.as_ref()?.within.as_deref()).collect();
    places.sort_unstable();
    places.dedup();
    (!places.is_empty()).then(|| places.join(", "))
}

fn version(rows: &[PlannedRow]) -> String {
    let row = |it: &PlannedRow| {
        let told = match &it.stage {
            Stage::Ready(ready) => json!(ready.told.version),
            Stage::Open(_) | Stage::Later(_) => json!(it.arguments),
            Stage::Ended { state, reason } => json!([state, reason]),
        };
        sha256(canonical(&json!([it.name, it.tool, it.connection, told])))
    };
    sha256(rows.iter().map(row).collect::<String>())
}
