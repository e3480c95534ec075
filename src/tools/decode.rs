//! Arguments become operations here: once per operation, whichever providers serve it.

use std::{any::Any, fmt};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IntoDeserializer as _, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

use super::{
    Operation,
    understand::{Fault, error},
};
use crate::error::CallError;

/// An operation whose type only its handler knows.
pub(crate) trait AnyOperation: Any + Send + Sync {
    /// The arguments as they were understood: trimmed, folded, without what was left out.
    fn understood(&self) -> serde_json::Result<Value>;
}

impl<O: Operation> AnyOperation for O {
    fn understood(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

impl dyn AnyOperation {
    pub(crate) fn downcast<O: Operation>(&self) -> Option<&O> {
        (self as &dyn Any).downcast_ref()
    }
}

/// How a tool's arguments become its operation.
pub(crate) type Decode = fn(Map<String, Value>) -> Result<Box<dyn AnyOperation>, CallError>;

/// [`decode`], with the type erased.
pub(crate) fn decode_any<O: Operation>(arguments: Map<String, Value>) -> Result<Box<dyn AnyOperation>, CallError> {
    Ok(Box::new(decode::<O>(arguments)?))
}

/// Decodes arguments.
///
/// # Errors
///
/// All that does not fit, named with its path.
pub(crate) fn decode<O: Operation>(arguments: Map<String, Value>) -> Result<O, CallError> {
    attempt(arguments).map_err(error)
}

/// What does not fit of some arguments.
pub(crate) fn faults<O: Operation>(arguments: Map<String, Value>) -> Vec<Fault> {
    attempt::<O>(arguments).err().unwrap_or_default()
}

/// Decodes as often as there are faults: each time without the argument that did not fit.
fn attempt<O: Operation>(arguments: Map<String, Value>) -> Result<O, Vec<Fault>> {
    let mut arguments = Value::Object(arguments);
    let mut faults: Vec<Fault> = Vec::new();
    loop {
        let misfit = match O::deserialize(Argument(&arguments)) {
            Ok(operation) if faults.is_empty() => return Ok(operation),
            Ok(_) => return Err(faults),
            Err(misfit) => misfit,
        };
        let fault = misfit.of(O::NAME);
        let root = fault.root().to_owned();
        // What was given and did not fit is not missing.
        let is_new = !faults.iter().any(|it| it.root() == root);
        if is_new {
            faults.push(fault);
        }
        let removed = arguments.as_object_mut().and_then(|it| it.shift_remove(&root));
        if removed.is_none() {
            return Err(faults);
        }
    }
}

/// What does not fit, and where: an error finds its path on its way out, so that nothing has to be tracked on the way in.
#[derive(Debug)]
struct Misfit {
    /// Such as `changes[3].tool`; empty for the arguments as a whole.
    path: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A rule of the value's own, in its own words.
    Rule(String),
    /// A value of another kind than is wanted.
    Other {
        given: String,
        wanted: String,
    },
    Missing(&'static str),
    Unknown {
        field: String,
        known: &'static [&'static str],
    },
}

impl Misfit {
    fn new(kind: Kind) -> Self {
        Self { path: String::new(), kind }
    }

    fn within_field(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{dot}{}", self.path);
        self
    }

    fn within_item(mut self, at: usize) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{at}]{dot}{}", self.path);
        self
    }

    /// The fault in a call of this tool.
    fn of(self, tool: &str) -> Fault {
        let at = self.path;
        let place = if at.is_empty() { tool.to_owned() } else { format!("`{at}`") };
        let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        match self.kind {
            Kind::Rule(what) => Fault::new(&at, format!("`{at}`: {what}"), format!("correct `{at}`")),
            Kind::Other { given, wanted } => Fault::new(&at, format!("`{at}` is {given}"), format!("give {wanted}")),
            Kind::Missing(name) => {
                let at = below(name);
                Fault::new(&at, format!("`{at}` is missing"), format!("give `{at}`"))
            }
            Kind::Unknown { field, known } => {
                let takes = if known.is_empty() { "no arguments".to_owned() } else { known.join(", ") };
                Fault::new(&below(&field), format!("{place} has no argument `{field}`"), format!("it takes {takes}"))
            }
        }
    }
}

/// A kind of value in plain words; `text` is what the decoder calls it.
fn in_words(text: &str) -> String {
    match text {
        "a string" => "a text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "f32" | "f64" => "a number, such as 99.5".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" | "isize" => "a whole number, such as 25".to_owned(),
        other if other.starts_with("struct ") || other == "a map" => "an object".to_owned(),
        other => other.to_owned(),
    }
}

fn given(value: &de::Unexpected<'_>) -> String {
    let cut = |text: &str| text.chars().take(60).collect::<String>();
    match value {
        de::Unexpected::Str(text) => format!("`{}`", cut(text)),
        de::Unexpected::Bool(it) => format!("`{it}`"),
        de::Unexpected::Unsigned(it) => format!("`{it}`"),
        de::Unexpected::Signed(it) => format!("`{it}`"),
        de::Unexpected::Float(it) => format!("`{it}`"),
        de::Unexpected::Seq => "a list".to_owned(),
        de::Unexpected::Map => "an object".to_owned(),
        de::Unexpected::Unit | de::Unexpected::Option => "empty".to_owned(),
        other => other.to_string(),
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Rule(what) => f.write_str(what),
            other => write!(f, "{other:?}"),
        }
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::new(Kind::Rule(what.to_string()))
    }

    fn invalid_type(value: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::new(Kind::Other { given: given(&value), wanted: in_words(&wanted.to_string()) })
    }

    fn invalid_value(value: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::invalid_type(value, wanted)
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::Other { given: given(&de::Unexpected::Str(variant)), wanted: format!("one of: {}", known.join(", ")) })
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(Kind::Missing(name))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::Unknown { field: field.chars().take(60).collect(), known })
    }
}

/// The decoder of a plain value has errors of its own: they are made anew here.
fn plain<'de, V: Visitor<'de>>(value: &'de Value, visitor: V) -> Result<V::Value, Misfit> {
    match value {
        Value::Null => visitor.visit_unit(),
        Value::Bool(it) => visitor.visit_bool(*it),
        Value::String(it) => visitor.visit_borrowed_str(it),
        Value::Number(it) => match (it.as_u64(), it.as_i64(), it.as_f64()) {
            (Some(it), _, _) => visitor.visit_u64(it),
            (_, Some(it), _) => visitor.visit_i64(it),
            (_, _, it) => visitor.visit_f64(it.unwrap_or(f64::NAN)),
        },
        Value::Array(items) => visitor.visit_seq(Items(items.iter().enumerate())),
        Value::Object(fields) => visitor.visit_map(Fields { rest: fields.iter(), last: None }),
    }
}

/// A value among the arguments.
struct Argument<'a>(&'a Value);

impl<'de> Deserializer<'de> for Argument<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        plain(self.0, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Misfit> {
        // Arguments have no enums but those of names.
        match self.0 {
            Value::String(name) => visitor.visit_enum(name.as_str().into_deserializer()),
            other => Err(de::Error::invalid_type(unexpected(other), &"a text")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

fn unexpected(value: &Value) -> de::Unexpected<'_> {
    match value {
        Value::Null => de::Unexpected::Unit,
        Value::Bool(it) => de::Unexpected::Bool(*it),
        Value::Number(it) => de::Unexpected::Float(it.as_f64().unwrap_or(f64::NAN)),
        Value::String(it) => de::Unexpected::Str(it),
        Value::Array(_) => de::Unexpected::Seq,
        Value::Object(_) => de::Unexpected::Map,
    }
}

/// The items of an array.
struct Items<'a>(std::iter::Enumerate<std::slice::Iter<'a, Value>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some((at, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Argument(item)).map(Some).map_err(|misfit| misfit.within_item(at))
    }
}

/// The fields of an object.
struct Fields<'a> {
    rest: serde_json::map::Iter<'a>,
    /// The field whose name was read and whose value was not.
    last: Option<(&'a str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.last = self.rest.next().map(|(name, value)| (name.as_str(), value));
        self.last.map(|(name, _)| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((name, value)) = self.last.take() else { return Err(de::Error::custom("a value was read before its name")) };
        seed.deserialize(Argument(value)).map_err(|misfit| misfit.within_field(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::decode;
    use crate::tools::{Operation, jobs::ApplyChanges, members::InviteOrganizationMember};

    fn refusal<O: Operation>(arguments: Value) -> (String, String) {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let error = decode::<O>(arguments).map(drop).expect_err("the arguments do not fit");
        (error.to_string(), error.fix())
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_path_and_in_plain_words() {
        let step = json!({ "tool": "list_projects", "arguments": {} });
        for (arguments, message, fix) in [
            (json!({ "steps": [step, { "tool": 7 }] }), "`steps[1].tool` is `7`", "give a text"),
            (json!({ "steps": [step, {}] }), "`steps[1].tool` is missing", "give `steps[1].tool`"),
            (json!({ "steps": "all" }), "`steps` is `all`", "give a list"),
            (json!({ "stepz": [], "steps": [] }), "apply_changes has no argument `stepz`", "it takes steps, on_failure, tool, csv, common"),
            (json!({ "steps": [], "on_failure": "x" }), "`on_failure` is `x`", "give one of: stop, continue"),
        ] {
            assert_eq!(refusal::<ApplyChanges>(arguments), (message.to_owned(), fix.to_owned()));
        }
    }

    #[test]
    fn every_fault_of_a_call_is_told() {
        let (message, fix) = refusal::<InviteOrganizationMember>(json!({ "email": "x@", "role": "", "colour": 1 }));
        assert!(message.starts_with("3 arguments do not fit: `email`: `x@` is not an e-mail address"), "{message}");
        assert!(message.contains("`role`: ") && message.contains("has no argument `colour`"), "{message}");
        assert_eq!(fix, "correct `email`; correct `role`; it takes email, role, organization, projects");
    }
}
