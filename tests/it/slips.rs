//! Honest slips of models and people, from a table: what is understood, what is explained in one step, what is refused because it
//! protects. On the practice company of each provider.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    practice::{Provider, World},
    support::{Options, Value},
};

#[derive(Deserialize)]
struct Table {
    kind: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    name: String,
    slips: Vec<Slip>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slip {
    /// Absent: the directory.
    at: Option<String>,
    tool: String,
    /// As JSON.
    arguments: String,
    /// Facts of the answer, by JSON pointer. A text is a part of what stands there.
    understood: Option<BTreeMap<String, Value>>,
    /// What the error names, of which one is the next step.
    explained: Option<Vec<String>>,
    /// The same, of what could be read and is refused on purpose.
    refused: Option<Vec<String>>,
}

fn provider(name: Option<&str>) -> Provider {
    match name {
        None => Provider::Local,
        Some("geai") => Provider::Geai,
        Some("openai") => Provider::Openai,
        Some("seeme") => Provider::Seeme,
        Some("engine") => Provider::Engine,
        Some(other) => panic!("no provider {other}"),
    }
}

#[tokio::test]
async fn honest_slips_cost_one_more_call_at_most() {
    let table: Table = toml::from_str(include_str!("slips.toml")).unwrap();
    let mut worlds: BTreeMap<Option<String>, World> = BTreeMap::new();
    let (mut understood, mut explained, mut refused) = (0, 0, 0);
    let mut wrong: Vec<String> = Vec::new();
    for kind in &table.kind {
        for slip in &kind.slips {
            let world = match worlds.remove(&slip.at) {
                Some(world) => world,
                None => World::of(provider(slip.at.as_deref()), Options::default()).await,
            };
            let before = world.state().await;
            let arguments: Value = serde_json::from_str(&slip.arguments).unwrap_or_else(|error| panic!("{}: {error}", slip.arguments));
            let answer = world.agent.call(&slip.tool, arguments).await;
            let same = world.state().await == before;
            let complaint = match (&slip.understood, &slip.explained, &slip.refused) {
                (Some(facts), None, None) => {
                    understood += 1;
                    let preview = answer["status"] == "dry_run";
                    missing(&answer, facts).or_else(|| (preview && !same).then(|| "a preview changed something".to_owned()))
                }
                (None, Some(words), None) => {
                    explained += 1;
                    silent(&answer, words).or_else(|| (!same).then(|| "it failed and changed something".to_owned()))
                }
                (None, None, Some(words)) => {
                    refused += 1;
                    silent(&answer, words).or_else(|| (!same).then(|| "it was refused and changed something".to_owned()))
                }
                _ => panic!("one outcome is wanted: {} {}", slip.tool, slip.arguments),
            };
            if let Some(complaint) = complaint {
                let at = slip.at.as_deref().unwrap_or("local");
                wrong.push(format!("{} ({at}): {} {}\n    {complaint}\n    {answer:.600}", kind.name, slip.tool, slip.arguments));
            }
            if same {
                worlds.insert(slip.at.clone(), world);
            }
        }
    }
    let all = understood + explained + refused;
    println!("{all} slips: {understood} understood, {explained} explained in one step, {refused} refused");
    assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all >= 144 && understood + explained >= 110, "{all} slips: {understood} understood, {explained} explained");
    assert!(understood * 2 > all, "most slips have one reading: {understood} of {all}");
}

/// Which fact the answer lacks.
fn missing(answer: &Value, facts: &BTreeMap<String, Value>) -> Option<String> {
    if answer.get("code").is_some() || answer.get("protocol_error").is_some() {
        return Some("it is not understood".to_owned());
    }
    facts.iter().find_map(|(pointer, wanted)| {
        let found = answer.pointer(pointer).unwrap_or(&Value::Null);
        let fits = match (found, wanted) {
            (Value::String(found), Value::String(wanted)) => found.contains(wanted.as_str()),
            (found, wanted) => found == wanted,
        };
        (!fits).then(|| format!("{pointer} is {found}, not {wanted}"))
    })
}

/// Which word the error does not say.
fn silent(answer: &Value, words: &[String]) -> Option<String> {
    if answer.get("code").is_none() && answer.get("protocol_error").is_none() {
        return Some("it was made".to_owned());
    }
    let told = format!("{} {}", answer["message"].as_str().unwrap_or_default(), answer["fix"].as_str().unwrap_or_default());
    let dialect = ["expected ", "sequence", "f64", "i64", "invalid type", "input schema", "(none named)", "struct ", "serde"];
    let strange = dialect.iter().find(|it| told.contains(**it)).map(|it| format!("it speaks of `{it}`"));
    strange.or_else(|| words.iter().find(|it| !told.contains(it.as_str())).map(|it| format!("it does not say `{it}`")))
}
