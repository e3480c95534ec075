//! Arguments become operations here: once per operation, whichever providers serve it.

use std::{any::Any, fmt};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IntoDeserializer as _, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

use super::Operation;
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
/// What does not fit, named with its path.
pub(crate) fn decode<O: Operation>(arguments: Map<String, Value>) -> Result<O, CallError> {
    nothing_is_null(&arguments)?;
    O::deserialize(Argument(&Value::Object(arguments))).map_err(|misfit| misfit.of(O::NAME))
}

fn nothing_is_null(arguments: &Map<String, Value>) -> Result<(), CallError> {
    match arguments.iter().find(|(_, value)| value.is_null()) {
        None => Ok(()),
        Some((name, _)) => Err(CallError::InvalidArguments {
            message: format!("`{name}` is null"),
            fix: "leave the argument out; to empty a field, name it in `clear` where the tool has it".into(),
        }),
    }
}

/// What does not fit, and where: an error finds its path on its way out, so that nothing has to be tracked on the way in.
#[derive(Debug)]
struct Misfit {
    /// Such as `changes[3].tool`; empty for the arguments as a whole.
    path: String,
    what: String,
}

impl Misfit {
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

    /// The error of a call of this tool.
    fn of(self, tool: &str) -> CallError {
        let message = if self.what.contains(&self.path) { self.what } else { format!("`{}`: {}", self.path, self.what) };
        CallError::InvalidArguments { message, fix: format!("see the input schema of {tool}") }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self { path: String::new(), what: what.to_string() }
    }
}

impl From<serde_json::Error> for Misfit {
    fn from(error: serde_json::Error) -> Self {
        de::Error::custom(error)
    }
}

/// A value among the arguments.
struct Argument<'a>(&'a Value);

impl<'de> Deserializer<'de> for Argument<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Object(fields) => visitor.visit_map(Fields { rest: fields.iter(), last: None }),
            plain => Ok(plain.deserialize_any(visitor)?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Ok(self.0.deserialize_enum(name, variants, visitor)?)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
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
    use crate::tools::jobs::ApplyChanges;

    fn refusal(arguments: Value) -> String {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        decode::<ApplyChanges>(arguments).map(drop).map_err(|error| error.to_string()).expect_err("the arguments do not fit")
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_path() {
        let step = json!({ "tool": "list_projects", "arguments": {} });
        assert_eq!(refusal(json!({ "steps": [step, { "tool": 7 }] })), "`steps[1].tool`: invalid type: integer `7`, expected a string");
        assert_eq!(refusal(json!({ "steps": [step, {}] })), "`steps[1]`: missing field `tool`");
        assert_eq!(refusal(json!({ "steps": "all" })), "`steps`: invalid type: string \"all\", expected a sequence");
        assert_eq!(refusal(json!({ "on_failure": "stop" })), "missing field `steps`");
        assert!(refusal(json!({ "stepz": [] })).starts_with("unknown field `stepz`, expected "));
        assert!(refusal(json!({ "steps": [], "on_failure": "x" })).starts_with("`on_failure`: unknown variant `x`, expected "));
        assert_eq!(refusal(json!({ "steps": null })), "`steps` is null");
    }
}
