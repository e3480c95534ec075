//! Answers are read for what they mean, whatever their writer made of it.
//!
//! One generation of a service writes `display_name`, another `displayName`, a third both at once; null stands where nothing is
//! there, also in the place of a list; an id comes as a number, and a number as a text. All types of answers are read through
//! here, so that none of them has to say so by itself.

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{BorrowedStrDeserializer, MapDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Error, Map, Number, Value};

/// Reads an answer in this shape.
///
/// # Errors
///
/// Where it does not fit, and in which way: `data[3].id: missing field`. The value itself stays out of it, since it may be a secret.
pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    // To know at each step where it is costs more than to read: only what does not fit is read again so.
    if let Ok(read) = T::deserialize(Tolerant(value)) {
        return Ok(read);
    }
    serde_path_to_error::deserialize(Tolerant(value)).map_err(|error| {
        let path = error.path().to_string();
        let kind = error.inner().to_string();
        let kind = kind.split_once(':').map_or(kind.as_str(), |it| it.0).to_owned();
        if path == "." { kind } else { format!("{path}: {kind}") }
    })
}

struct Tolerant<'a>(&'a Value);

impl<'de> IntoDeserializer<'de, Error> for Tolerant<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Tolerant<'_> {
    /// The number that is meant, where a text or a fraction says one.
    fn number(&self) -> Option<Number> {
        match self.0 {
            Value::Number(it) => whole(it).or_else(|| Some(it.clone())),
            Value::String(text) => serde_json::from_str::<Number>(text.trim()).ok().map(|it| whole(&it).unwrap_or(it)),
            _ => None,
        }
    }
}

/// A fraction that is none: seconds come as `1790000000.0`.
fn whole(number: &Number) -> Option<Number> {
    let it = number.as_f64().filter(|_| number.is_f64())?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough to be exact")]
    (it.fract() == 0.0 && it.abs() < 9e15).then(|| Number::from(it as i64))
}

macro_rules! numbers {
    ($($name:ident)+) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.number() {
                Some(number) => number.deserialize_any(visitor),
                None => self.0.deserialize_any(visitor),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Tolerant<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) if text.eq_ignore_ascii_case("true") => visitor.visit_bool(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => visitor.visit_bool(false),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Number(number) => visitor.visit_string(number.to_string()),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// Null is a list without anything in it, and null in a list is nothing.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_seq(Items([].iter())),
            Value::Array(items) => visitor.visit_seq(Items(items.iter())),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(fields) => visitor.visit_map(MapDeserializer::new(fields.iter().map(|(key, it)| (key.as_str(), Tolerant(it))))),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(told) => visitor.visit_map(Fields { left: meant(told, fields).into_iter(), value: None }),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { char bytes byte_buf unit unit_struct tuple tuple_struct identifier }
}

/// The fields that are told, each once, by the name that the type has for it. Null is nothing, except in the place of a list: there
/// the type's own default says what nothing is.
fn meant<'a>(told: &'a Map<String, Value>, fields: &'static [&'static str]) -> Vec<(&'static str, &'a Value)> {
    let mut meant: Vec<(&'static str, &Value)> = Vec::with_capacity(fields.len().min(told.len()));
    for (key, value) in told.iter().filter(|it| !it.1.is_null()) {
        let Some(name) = fields.iter().find(|it| same_letters(it, key)) else { continue };
        match meant.iter_mut().find(|it| it.0 == *name) {
            // A gateway that writes both spellings fills one of them.
            Some(before) if is_hollow(before.1) => before.1 = value,
            Some(_) => {}
            None => meant.push((name, value)),
        }
    }
    meant
}

/// Whether two names differ in nothing but in how their words are put together: `org_users`, `orgUsers`, `org-users`.
fn same_letters(one: &str, other: &str) -> bool {
    one == other || letters(one).eq(letters(other))
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|it| !matches!(it, b'_' | b'-')).map(|it| it.to_ascii_lowercase())
}

fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(it) => it.as_f64() == Some(0.0),
        Value::String(it) => it.is_empty(),
        Value::Array(it) => it.is_empty(),
        Value::Object(it) => it.is_empty(),
    }
}

struct Items<'a>(std::slice::Iter<'a, Value>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.find(|it| !it.is_null()).map(|it| seed.deserialize(Tolerant(it))).transpose()
    }
}

struct Fields<'a> {
    left: std::vec::IntoIter<(&'static str, &'a Value)>,
    value: Option<&'a Value>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.left.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = self.value.take().ok_or_else(|| Error::custom("a value without a name"))?;
        seed.deserialize(Tolerant(value))
    }
}
