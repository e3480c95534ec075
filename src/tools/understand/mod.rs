//! What a call's arguments mean, before they become an operation.
//!
//! Models and people write `dryRun` for `dry_run`, `"5"` for 5 and `email` for `member`. Where only one reading exists it is taken; what
//! cannot be understood is never guessed. The tool's own schema says what is wanted, and stays as narrow as it is: this leniency is
//! the server's.

mod fault;
mod names;
mod values;

use serde_json::{Map, Value};

pub(crate) use fault::{Fault, error};
pub(crate) use values::as_object;

use super::Effect;
use names::Name;

/// What is asked of the arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) tool: &'a str,
    pub(crate) effect: Effect,
    /// JSON Schema of the arguments.
    pub(crate) schema: &'a Map<String, Value>,
}

/// Arguments under their own names, with values as their schema wants them; what did not fit is left out, and is a fault.
#[derive(Debug, Default)]
pub(crate) struct Understood {
    pub(crate) arguments: Map<String, Value>,
    pub(crate) faults: Vec<Fault>,
}

/// Reads the arguments of a call.
pub(crate) fn understand(asked: Asked<'_>, arguments: Map<String, Value>) -> Understood {
    let properties = properties(asked.schema);
    let arguments = unwrapped(properties, arguments);
    object(&asked, asked.schema, "", arguments)
}

/// The argument that a name stands for, such as `userEmail` for `member`, with its schema.
pub(crate) fn argument<'a>(asked: Asked<'a>, name: &str) -> Option<(&'a str, &'a Value)> {
    let Name::Meant(name) = names::meant(&asked, asked.schema, name) else { return None };
    properties(asked.schema)?.get_key_value(name).map(|(name, schema)| (name.as_str(), schema))
}

/// The arguments, where all of them were put into one, under a name such as `params`.
fn unwrapped(properties: Option<&Map<String, Value>>, arguments: Map<String, Value>) -> Map<String, Value> {
    const WRAPPERS: [&str; 6] = ["arguments", "args", "params", "parameters", "input", "kwargs"];
    let inner = match arguments.iter().next() {
        Some((name, value))
            if arguments.len() == 1 && WRAPPERS.contains(&name.as_str()) && properties.is_none_or(|it| !it.contains_key(name)) =>
        {
            values::as_object(value)
        }
        _ => None,
    };
    inner.unwrap_or(arguments)
}

fn properties(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

fn required(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Reads an object by its schema: the arguments as a whole, or an object in them. `path` is where it stands.
fn object(asked: &Asked<'_>, schema: &Map<String, Value>, path: &str, given: Map<String, Value>) -> Understood {
    let Some(known) = properties(schema) else { return Understood { arguments: given, faults: Vec::new() } };
    let mut found = Understood::default();
    // Under which name each argument came.
    let mut came: Vec<(&str, String)> = Vec::new();
    for (written, value) in given {
        let name = match names::meant(asked, schema, &written) {
            Name::Meant(name) => name,
            Name::Idle => continue,
            Name::Unknown if values::says_nothing(&value) => continue,
            Name::Unknown => {
                found.faults.push(names::unknown(asked, known, path, &written));
                continue;
            }
        };
        let at = within(path, name);
        let value = match values::fit(asked, name, &known[name], &at, value) {
            Ok(Some(value)) => value,
            Ok(None) => continue,
            Err(faults) => {
                found.faults.extend(faults);
                continue;
            }
        };
        match came.iter().find(|it| it.0 == name) {
            Some((_, before)) if found.arguments.get(name).is_none_or(|it| !values::same(it, &value)) => {
                found.faults.push(names::twice(&at, before, &written));
            }
            Some(_) => {}
            None => {
                came.push((name, written));
                found.arguments.insert(name.to_owned(), value);
            }
        }
    }
    for name in required(schema) {
        let at = within(path, name);
        // Of what was given and did not fit, that is said.
        if !found.arguments.contains_key(name) && !found.faults.iter().any(|it| it.argument.starts_with(&at)) {
            found.faults.push(values::missing(name, &known[name], &at));
        }
    }
    found
}

fn within(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tools;

    fn read(tool: &str, arguments: Value) -> Understood {
        let tool = tools::all().into_iter().find(|it| it.name == tool).expect("a tool");
        let mut schema = tool.input();
        if let (Some(Value::Object(known)), true) = (schema.get_mut("properties"), tool.effect != Effect::Read) {
            known.insert("dry_run".into(), json!({ "type": "boolean" }));
        }
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        understand(Asked { tool: tool.name, effect: tool.effect, schema: &schema }, arguments)
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "values are written where they are used")]
    fn means(tool: &str, written: Value, meant: Value) {
        let found = read(tool, written.clone());
        assert_eq!((&Value::Object(found.arguments), &found.faults), (&meant, &Vec::new()), "{tool} {written}");
    }

    #[track_caller]
    fn faults(tool: &str, written: Value) -> Vec<String> {
        read(tool, written).faults.into_iter().map(|it| format!("{}; {}", it.message, it.fix)).collect()
    }

    #[test]
    fn values_are_taken_for_what_they_can_only_mean() {
        for (written, meant) in [
            (json!({ "limit": "5" }), json!({ "limit": 5 })),
            (json!({ "limit": 5.0 }), json!({ "limit": 5 })),
            (json!({ "limit": " 5.0 " }), json!({ "limit": 5 })),
            (json!({ "limit": null, "cursor": "", "team": " " }), json!({})),
            (json!({ "include_archived": "Yes" }), json!({ "include_archived": true })),
            (json!({ "include_archived": 0 }), json!({ "include_archived": false })),
            (json!({ "detail": "FULL" }), json!({ "detail": "full" })),
            (json!({ "query": ["atlas"] }), json!({ "query": "atlas" })),
            (json!({ "organization": { "organization": "Acme", "id": "org_acme" } }), json!({ "organization": "org_acme" })),
            (json!({ "arguments": { "limit": 3 } }), json!({ "limit": 3 })),
            (json!({ "params": "{\"limit\": 3}" }), json!({ "limit": 3 })),
        ] {
            means("list_projects", written, meant);
        }
        let roles = json!({ "project": "Atlas", "member": "ana@acme.example", "roles": ["viewer"] });
        for written in [json!("viewer"), json!(["viewer"]), json!("[\"viewer\"]"), json!(["viewer", null]), json!([{ "role": "viewer" }])] {
            means("add_project_member", json!({ "project": "Atlas", "member": "ana@acme.example", "roles": written }), roles.clone());
        }
        let codes = json!({ "name": "x", "permissions": ["project.read", "project.write"] });
        means("create_role", json!({ "name": "x", "permissions": "project.read, project.write" }), codes);
    }

    #[test]
    fn names_are_taken_for_the_argument_that_they_can_only_mean() {
        let remove = json!({ "project": "Atlas", "member": "ana@acme.example" });
        for written in ["email", "user", "user_id", "userEmail", "member-id", "Member", "e-mail", "id", "name"] {
            let mut call = json!({ "project_id": "Atlas" });
            call[written] = "ana@acme.example".into();
            means("remove_project_member", call, remove.clone());
        }
        means("get_project", json!({ "id": "prj_atlas" }), json!({ "project": "prj_atlas" }));
        means("create_project", json!({ "project_name": "Atlas" }), json!({ "name": "Atlas" }));
        means("list_projects", json!({ "name": "Atlas", "pageSize": "10" }), json!({ "query": "Atlas", "limit": 10 }));
        means("list_projects", json!({ "dry_run": true, "reason": "to look" }), json!({}));
    }

    #[test]
    fn however_a_preview_is_asked_for_it_is_one() {
        for name in ["dryRun", "dry-run", "DryRun", "DRY_RUN", "dryrun", "dry run", "preview", "simulate", "test", "plan_only"] {
            for value in [json!(true), json!("true"), json!("yes"), json!(1), json!("1"), json!("True")] {
                let mut call = json!({ "project": "Atlas" });
                call[name] = value;
                means("archive_project", call, json!({ "project": "Atlas", "dry_run": true }));
            }
            let mut call = json!({ "project": "Atlas" });
            call[name] = "perhaps".into();
            assert_eq!(faults("archive_project", call).len(), 1, "{name}");
        }
        let both = faults("archive_project", json!({ "project": "Atlas", "dry_run": false, "preview": true }));
        assert_eq!(both, ["`dry_run` and `preview` say the same thing with different values; give `dry_run` alone"]);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let all = faults("list_projects", json!({ "limit": "many", "colour": "red", "include_archived": "perhaps", "detail": "all" }));
        assert_eq!(
            all,
            [
                "`limit` is `many`; give a whole number, such as 25",
                "list_projects has no argument `colour`; it takes organization, team, query, include_archived, owner, owners, detail, limit, cursor",
                "`include_archived` is `perhaps`; give true or false",
                "`detail` is `all`; give one of: brief, full",
            ]
        );
        let missing = faults("add_project_member", json!({ "member": null, "rolse": ["x"] }));
        assert_eq!(missing.len(), 4, "{missing:?}");
        assert!(missing[0].contains("did you mean `roles`?"), "{missing:?}");
    }

    #[test]
    fn what_protects_stays_strict_for_changes() {
        for (arguments, said) in [
            (json!({ "project": "Atlas", "confirm": true }), "`confirm` is not an argument"),
            (json!({ "project": "Atlas", "force": true }), "`force` is not an argument"),
            (json!({ "project": "Atlas", "reason": "old" }), "archive_project has no argument `reason`"),
            (
                json!({ "project": "Atlas", "project_id": "Borealis" }),
                "`project` and `project_id` say the same thing with different values",
            ),
        ] {
            let found = faults("archive_project", arguments);
            assert!(found.len() == 1 && found[0].starts_with(said), "{found:?}");
        }
        means("archive_project", json!({ "project": "Atlas", "project_name": "atlas", "reason": null }), json!({ "project": "Atlas" }));
    }

    #[test]
    fn every_other_name_is_for_arguments_that_exist() {
        for tool in tools::all() {
            let schema = tool.input();
            let known = properties(&schema).expect("properties");
            let asked = Asked { tool: tool.name, effect: tool.effect, schema: &schema };
            for name in known.keys() {
                assert!(matches!(names::meant(&asked, &schema, name), Name::Meant(it) if it == name), "{} {name}", tool.name);
            }
        }
    }
}
