//! Honest slips of models and people, from a table: what is understood, what is explained in one step, what is refused because it
//! protects. On the practice company of each provider.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    practice::{Provider, World},
    support::{Agent, Options, Store, Value, json, one_of_each},
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

#[tokio::test]
async fn somebody_who_is_named_in_a_change_is_asked_about_by_their_address() {
    for (at, arguments, id) in [
        (Provider::Local, json!({ "organization": "Acme", "member": "Weber, Jonas" }), "jonas.weber@acme.example [usr_jonas]"),
        (Provider::Openai, json!({ "member": "Grace Whitfield" }), "grace.whitfield@acme.example [user-grace]"),
        (Provider::Seeme, json!({ "organization": "Acme", "member": "Ana Ruiz" }), "ana.ruiz@acme.example [user-ana]"),
        (Provider::Engine, json!({ "organization": "Acme Research", "member": "Tomas Quiroga" }), "Tomas.Quiroga@acme.example [u-4]"),
    ] {
        let world = World::of(at, Options::default()).await;
        let done = world.agent.ok("remove_organization_member", arguments).await;
        let question = world.agent.questions().pop().unwrap();
        assert!(question.contains(&format!("member {id}")), "{question}");
        assert!(id.starts_with(done["target"]["name"].as_str().unwrap()), "{done}");
    }
}

#[tokio::test]
async fn a_cursor_is_for_the_list_it_came_from() {
    let world = World::of(Provider::Local, Options::default()).await;
    let agent = &world.agent;
    let page = agent.ok("list_projects", json!({ "organization": "Acme", "limit": 3 })).await;
    let cursor = page["next_cursor"].clone();
    for (tool, arguments) in [
        ("list_projects", json!({ "organization": "Acme", "query": "e", "cursor": cursor })),
        ("list_projects", json!({ "cursor": cursor })),
        ("list_teams", json!({ "organization": "Acme", "cursor": cursor })),
        ("list_organization_members", json!({ "organization": "Acme", "cursor": cursor })),
        ("list_activity", json!({ "cursor": cursor })),
    ] {
        let refused = agent.fails(tool, arguments, "invalid_arguments").await;
        assert!(refused["message"].as_str().unwrap().starts_with("this cursor is that of another list"), "{tool}: {refused}");
    }
    // The next page may be of another size, and the same things may be written a little differently.
    let next = agent.ok("list_projects", json!({ "org": "ACME", "cursor": cursor, "limit": "2" })).await;
    assert_eq!((&next["shown"], &next["items"][0]["project"]), (&json!(2), &json!("Delta Forecast")), "{next}");
}

#[tokio::test]
async fn activity_is_found_by_names_and_says_which_are_known() {
    let world = World::of(Provider::Local, Options::default()).await;
    let agent = &world.agent;
    for member in ["jonas.weber@acme.example", "leo.marchetti@acme.example"] {
        agent.ok("remove_project_member", json!({ "project": "Atlas", "member": member })).await;
    }
    for named in ["Jonas Weber", "jonas", "jonas.weber@acme.example", "Jonas Weber <jonas.weber@acme.example>"] {
        let found = agent.ok("list_activity", json!({ "member": named })).await;
        assert_eq!(
            (&found["shown"], &found["items"][0]["target"]),
            (&json!(1), &json!("member jonas.weber@acme.example")),
            "{named}: {found}"
        );
    }
    assert_eq!(agent.ok("list_activity", json!({ "tool": "Remove project member" })).await["shown"], 2);
    let near = agent.fails("list_activity", json!({ "member": "jonas.webr@acme.example" }), "member_not_found").await;
    assert!(near["fix"].as_str().unwrap().starts_with("did you mean `jonas.weber@acme.example"), "{near}");
    let unknown = agent.fails("list_activity", json!({ "member": "Ana Ruiz" }), "member_not_found").await;
    assert!(unknown["fix"].as_str().unwrap().contains("jonas.weber@acme.example, leo.marchetti@acme.example"), "{unknown}");
    // Of an address that nobody mistook, nothing is the answer.
    assert_eq!(agent.ok("list_activity", json!({ "member": "ana.ruiz@acme.example" })).await["shown"], 0);
    let verb = agent.fails("list_activity", json!({ "tool": "delete" }), "tool_not_found").await;
    assert!(verb["fix"].as_str().unwrap().contains("delete_project"), "{verb}");
}

#[tokio::test]
async fn a_connection_that_lacks_a_tool_is_told_with_the_tools_it_has() {
    let store = Store::sqlite();
    let connections = one_of_each(&store).await;
    let agent = Agent::connected(connections, Options::default()).await;
    let arguments = json!({ "connection": "geai", "email": "new.person@acme.example", "organization": "Acme" });
    let refused = agent.fails("invite_organization_member", arguments, "unknown_connection").await;
    assert_eq!(refused["message"], "connection `geai` has no invite_organization_member");
    assert!(refused["fix"].as_str().unwrap().contains("invite_organization_member is served by local, openai, seeme"), "{refused}");
    let unknown = agent.fails("list_projects", json!({ "connection": "gaei" }), "unknown_connection").await;
    assert_eq!(unknown["message"], "no connection `gaei`");
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
