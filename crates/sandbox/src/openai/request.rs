//! Reading requests, strictly: what the service does not know is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{Call, reply::Refusal};

/// Whose key a request came with.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) key_id: String,
    pub(super) user_id: String,
    pub(super) email: String,
}

/// A request that was let in.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) call: &'a Call,
    pub(super) caller: Caller,
}

impl<'a> Ask<'a> {
    pub(super) fn new(call: &'a Call, caller: Caller) -> Self {
        Self { call, caller }
    }

    /// The body, which has to be there.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        if self.call.body.is_empty() {
            return Err(Refusal::bad("", "A JSON body is required."));
        }
        let media_type = self.call.header("content-type").unwrap_or_default();
        if !media_type.starts_with("application/json") {
            return Err(Refusal::bad("", format!("Unsupported content type: '{media_type}'.")));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.call.body);
        let body = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| Refusal::bad(error.path().to_string().trim_matches('.'), error.inner().to_string()))?;
        reader.end().map_err(|error| Refusal::bad("", error.to_string()))?;
        Ok(body)
    }

    /// The body, or what stands for none.
    pub(super) fn optional_body<T: DeserializeOwned + Default>(&self) -> Result<T, Refusal> {
        if self.call.body.is_empty() { Ok(T::default()) } else { self.body() }
    }

    /// Nothing is to be said: no body, or an empty object.
    pub(super) fn no_body(&self) -> Result<(), Refusal> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        self.optional_body().map(|Nothing {}| ())
    }

    /// The query, which may have these names and no other.
    pub(super) fn query(&self, known: &[&str]) -> Result<Query, Refusal> {
        let mut values = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in &self.call.query {
            let name = name.strip_suffix("[]").unwrap_or(name);
            if !known.contains(&name) {
                return Err(Refusal::bad(name, format!("Unknown parameter: '{name}'.")));
            }
            values.entry(name.to_owned()).or_default().push(value.clone());
        }
        Ok(Query(values))
    }
}

/// A query; `name`, `name[]` and repeated names are the same.
#[derive(Debug)]
pub(super) struct Query(BTreeMap<String, Vec<String>>);

impl Query {
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.all(name) {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(Refusal::bad(name, format!("Parameter '{name}' was given more than once."))),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let number = |text: &str| text.parse().map_err(|_| Refusal::bad(name, format!("Parameter '{name}' is not an integer.")));
        self.one(name)?.map(number).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.one(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::bad(name, format!("Parameter '{name}' is not a boolean."))),
        }
    }

    /// One of a few words.
    pub(super) fn word(&self, name: &str, words: &[&str]) -> Result<Option<&str>, Refusal> {
        match self.one(name)? {
            Some(word) if !words.contains(&word) => {
                Err(Refusal::bad(name, format!("Invalid value: '{word}'. Supported values are: {}.", words.join(", "))))
            }
            given => Ok(given),
        }
    }
}

/// A field that can be left out, be null, or have a value: three different things.
#[derive(Debug, Default)]
pub(super) enum Field<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Field<T> {
    /// The value, where nothing and null come to the same.
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(it) => Some(it),
            Self::Absent | Self::Null => None,
        }
    }

    /// What there is after an update of what there was.
    pub(super) fn replace(self, former: Option<T>) -> Option<T> {
        match self {
            Self::Absent => former,
            Self::Null => None,
            Self::Value(it) => Some(it),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

/// For a field that may be left out and must not be null.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Checks a text's length in characters.
pub(super) fn text_of(name: &str, value: &str, most: usize) -> Result<(), Refusal> {
    let length = value.chars().count();
    if (1..=most).contains(&length) {
        return Ok(());
    }
    Err(Refusal::bad(name, format!("Invalid '{name}': it has to have between 1 and {most} characters.")))
}

/// Checks how long a key is to live, in seconds.
pub(super) fn lifetime(seconds: i64) -> Result<i64, Refusal> {
    if (1..=31_536_000).contains(&seconds) {
        return Ok(seconds);
    }
    Err(Refusal::bad("expires_in_seconds", "Invalid 'expires_in_seconds': it has to be between 1 and 31536000."))
}
