//! Schemas are data: `src/tools/tools.json` is written from the types, here and nowhere else, and results are held against them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use rolecall::{
    catalog::Offer,
    tools::{self, Effect, EffectKind as _, Operation, Receipt, Visit},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Map;

use crate::support::{Options, Store, Value, json};

const FILE: &str = "src/tools/tools.json";

#[test]
fn the_schemas_are_those_of_the_types() {
    let written = written();
    let found = std::fs::read_to_string(FILE).unwrap_or_default();
    if found == written {
        return;
    }
    assert!(std::env::var_os("UPDATE_TOOLS").is_some(), "{FILE} is stale; UPDATE_TOOLS=1 cargo test --test it schemas");
    std::fs::write(FILE, written).unwrap();
}

/// The file: a tool a line, so that a change of one is a change of one line.
fn written() -> String {
    struct Lines(BTreeMap<&'static str, Value>);
    impl Visit for Lines {
        fn operation<O: Operation>(&mut self) {
            let mut input = input::<O>();
            let description = input.as_object_mut().unwrap().shift_remove("description");
            let mut line = json!({ "description": description, "input": input });
            if O::Effect::EFFECT == Effect::Read {
                line["output"] = small(strict::<O>());
            }
            self.0.insert(O::NAME, line);
        }
    }
    let mut lines = Lines(BTreeMap::new());
    tools::visit(&mut lines);
    let lines: Vec<String> = lines.0.iter().map(|(name, line)| format!("\"{name}\": {line}")).collect();
    let mut receipt = small(output::<Receipt<Thing>>());
    // Half of all tools list it: what is inside of it is told by the type, and by the test of results.
    for field in receipt["properties"].as_object_mut().unwrap().values_mut().filter_map(Value::as_object_mut) {
        field.shift_remove("properties");
    }
    format!("{{\"receipt\": {receipt},\n\"tools\": {{\n{}\n}}}}\n", lines.join(",\n"))
}

#[tokio::test]
#[should_panic(expected = "does not answer as its type says")]
async fn a_field_that_is_not_declared_is_found() {
    let app = Store::sqlite().app(&Options::default()).await;
    let target = json!({ "kind": "project", "name": "Atlas", "colour": "blue" });
    check(app.catalog.offer("create_project").unwrap(), &json!({ "status": "done", "target": target, "connection": "local" }));
}

/// What an answer over several accounts could not see.
const GAPS: [&str; 3] = ["unseen", "failed", "not_asked"];

/// What a result has to fit: what was declared, and all that its type says, with no field besides.
pub(crate) fn check(offer: &Offer, answer: &Value) {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    struct Strict(&'static str, Option<Value>);
    impl Visit for Strict {
        fn operation<O: Operation>(&mut self) {
            if O::NAME == self.0 {
                self.1 = Some(strict::<O>());
            }
        }
    }
    let validator = |key: String, schema: &dyn Fn() -> Value| {
        let mut validators = VALIDATORS.lock().unwrap();
        Arc::clone(validators.entry(key).or_insert_with(|| Arc::new(jsonschema::validator_for(&schema()).unwrap())))
    };
    let of_type = || {
        let mut of_type = Strict(offer.tool.name, None);
        tools::visit(&mut of_type);
        of_type.1.unwrap()
    };
    let declared = Value::from(offer.output_schema());
    let closed = || {
        let mut declared = declared.clone();
        close(&mut declared);
        // With several accounts these are told and not declared: the caller named the account, or knows of the key.
        let fields = declared["properties"].as_object_mut().unwrap();
        fields.entry("connection").or_insert_with(|| json!({ "type": "string" }));
        for gap in GAPS {
            fields.entry(gap).or_insert_with(|| json!({ "type": "array" }));
        }
        if offer.tool.effect != Effect::Read {
            fields.entry("replayed").or_insert_with(|| json!({ "type": "boolean" }));
        }
        declared
    };
    for (says, fits) in
        [("its type", validator(offer.tool.name.to_owned(), &of_type)), ("its declared schema", validator(declared.to_string(), &closed))]
    {
        let faults: Vec<String> = fits.iter_errors(answer).map(|it| format!("{}: {it}", it.instance_path())).collect();
        assert!(faults.is_empty(), "{} does not answer as {says} says: {faults:?} in {answer}", offer.tool.name);
    }
}

/// Anything; what it is, only the test of results says.
struct Thing;

impl JsonSchema for Thing {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Thing".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "object" })
    }
}

fn input<O: Operation>() -> Value {
    let mut root = plain::<O>(SchemaSettings::draft2020_12());
    let fields = root.as_object_mut().unwrap();
    // What is unknown is refused and named; to say so here as well would cost tokens, and some hosts refuse such schemas.
    fields.shift_remove("additionalProperties");
    fields.entry("properties").or_insert_with(|| json!({}));
    for argument in fields["properties"].as_object_mut().unwrap().values_mut().filter_map(Value::as_object_mut) {
        undescribe_inner(argument);
        // A list of these values ends with them.
        if argument.get("items").is_some_and(|it| it.get("enum").is_some()) {
            argument.shift_remove("maxItems");
        }
        // The error names what is missing inside.
        argument.shift_remove("required");
        // A label is no sentence, and a full stop on each would cost a token on each.
        if let Some(Value::String(label)) = argument.get_mut("description") {
            label.truncate(label.trim_end_matches('.').len());
        }
    }
    root
}

/// All that an operation's type says of its result.
fn strict<O: Operation>() -> Value {
    let mut root = match O::Effect::EFFECT {
        Effect::Read => output::<O::Output>(),
        Effect::Write | Effect::Access | Effect::Destroy => output::<Receipt<O::Output>>(),
    };
    if O::ACROSS {
        let text = json!({ "type": "string" });
        let properties = &mut root["properties"];
        properties["items"]["items"]["properties"]["connection"] = text.clone();
        properties["not_asked"] = json!({ "type": "array", "items": text });
        // What an error holds is the same everywhere.
        properties["failed"] = json!({ "type": "array", "items": { "type": "object" } });
    }
    close(&mut root);
    root
}

/// Every result names the connection it came from.
fn output<T: JsonSchema>() -> Value {
    let mut root = plain::<T>(SchemaSettings::draft2020_12().for_serialize());
    root["properties"]["connection"] = json!({ "type": "string" });
    root
}

/// Refuses fields that are not named.
fn close(schema: &mut Value) {
    each(schema, &mut |it| {
        if it.contains_key("properties") {
            it.insert("additionalProperties".into(), false.into());
        }
    });
}

/// Names and types: all that is worth its bytes in a list that every client reads.
fn small(mut schema: Value) -> Value {
    each(&mut schema, &mut |it| {
        for noise in ["description", "required", "default", "format", "additionalProperties", "enum"] {
            it.shift_remove(noise);
        }
    });
    // What could not be seen is told in the same shape everywhere, and is not declared again.
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|name, it| !(GAPS.contains(&name.as_str()) && it["type"] == "array"));
    }
    // Clients are to leave the results of failed calls unchecked, but the first official TypeScript client checks them too, and
    // shows its own complaint instead of the error: an error has to fit as well.
    if let Some(status) = schema["properties"].get_mut("status").and_then(Value::as_object_mut) {
        status.shift_remove("enum");
    }
    schema
}

/// Calls `change` with a schema and all that are in it.
fn each(schema: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    let Some(schema) = schema.as_object_mut() else { return };
    change(schema);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|it| each(it, change));
    }
    if let Some(items) = schema.get_mut("items") {
        each(items, change);
    }
}

/// A type's schema without what strict clients stumble over: one type per field, nothing nullable, nothing referenced.
fn plain<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut root = settings.into_generator().into_root_schema_for::<T>().to_value();
    let definitions = root.as_object_mut().and_then(|it| it.shift_remove("$defs")).unwrap_or_default();
    flatten(&mut root, &definitions);
    root.as_object_mut().unwrap().shift_remove("$schema");
    root
}

/// Inside an argument, names speak for themselves; only the argument itself is described. What is wrong inside, the
/// error says, with the values there are.
fn undescribe_inner(argument: &mut Map<String, Value>) {
    argument.shift_remove("additionalProperties");
    for (key, inner) in argument.iter_mut() {
        if key == "properties"
            && let Value::Object(properties) = inner
        {
            for property in properties.values_mut().filter_map(Value::as_object_mut) {
                for told_by_errors in ["description", "enum", "minItems", "maxItems"] {
                    property.shift_remove(told_by_errors);
                }
                undescribe_inner(property);
            }
        }
        if key == "items"
            && let Value::Object(items) = inner
        {
            items.shift_remove("description");
            undescribe_inner(items);
        }
    }
}

fn flatten(schema: &mut Value, definitions: &Value) {
    let Value::Object(it) = schema else {
        if let Value::Array(items) = schema {
            for it in items {
                flatten(it, definitions);
            }
        }
        return;
    };
    if let Some(target) = it.shift_remove("$ref").as_ref().and_then(Value::as_str).and_then(|it| it.strip_prefix("#/$defs/")) {
        let mut target = definitions.get(target).cloned().unwrap_or_default();
        if let Value::Object(target) = &mut target {
            target.extend(std::mem::take(it)); // what the field says goes over what its type says
        }
        *schema = target;
        return flatten(schema, definitions);
    }
    // That a count is not negative goes without saying.
    if it.get("minimum").and_then(Value::as_f64) == Some(0.0) {
        it.shift_remove("minimum");
    }
    for key in ["title", "format"] {
        if it.get(key).is_some_and(|it| it.is_string() && it != "date-time") {
            it.shift_remove(key);
        }
    }
    if it.get("default").is_some_and(|it| it.is_null() || *it == json!([]) || *it == json!({}) || *it == json!(false)) {
        it.shift_remove("default");
    }
    // An optional field is one that may be left out; null is never a value.
    if let Some(Value::Array(types)) = it.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            it.insert("type".into(), one);
        }
    }
    if let Some(Value::Array(values)) = it.get_mut("enum") {
        values.retain(|it| !it.is_null());
    }
    for choice in ["anyOf", "oneOf"] {
        let Some(Value::Array(mut choices)) = it.shift_remove(choice) else { continue };
        choices.retain(|it| it.get("type") != Some(&json!("null")));
        match choices.as_slice() {
            [Value::Object(one)] => {
                for (key, value) in one {
                    it.entry(key).or_insert_with(|| value.clone());
                }
                return flatten(schema, definitions);
            }
            // An enum whose values have doc comments: one list of values serves as well.
            many if many.iter().all(|it| it.get("const").is_some() || it.get("enum").is_some()) => {
                let values = many.iter().flat_map(|it| match (it.get("const"), it.get("enum")) {
                    (Some(one), _) => vec![one.clone()],
                    (_, Some(Value::Array(some))) => some.clone(),
                    _ => vec![],
                });
                let values: Vec<Value> = values.collect();
                it.insert("type".into(), json!("string"));
                it.insert("enum".into(), values.into());
            }
            _ => {
                it.insert(choice.into(), choices.into());
            }
        }
    }
    for (key, value) in it.iter_mut() {
        match key.as_str() {
            "properties" => {
                if let Value::Object(properties) = value {
                    properties.values_mut().for_each(|it| flatten(it, definitions));
                }
            }
            "items" | "anyOf" | "oneOf" => flatten(value, definitions),
            "description" => {
                if let Some(text) = value.as_str() {
                    *value = text.split_whitespace().collect::<Vec<_>>().join(" ").into();
                }
            }
            _ => {}
        }
    }
}
