//! What a change means: for whom, how much, and whether it can be undone.

use std::marker::PhantomData;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Facts;

/// How grave a change is; it decides how consent is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Gravity {
    /// Nothing is lost and nobody gains power: no question.
    None,
    /// A required yes.
    Low,
    /// People lose access, keys stop, a thing ends: the person types the target's name.
    High,
    /// A whole organization, a last owner, power for an outsider: a typed name, and a second person where that is configured.
    Critical,
}

/// The thing a change is about, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Its noun: `project`, `member`.
    pub kind: String,
    /// What a person calls it, and types to confirm.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The project or team it is in, by name and id: a name alone may come to mean another one while a person thinks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// The organization it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

impl Target {
    pub fn new(kind: &str, name: &str, id: &str, organization: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            id: Some(id.to_owned()),
            within: None,
            organization: Some(organization.to_owned()),
        }
    }

    /// A thing that does not exist yet.
    pub fn new_one(kind: &str, name: &str, organization: &str) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned(), id: None, within: None, organization: Some(organization.to_owned()) }
    }

    /// Says what it is in: `within("project", "Atlas", "prj_1")`.
    #[must_use]
    pub fn within(mut self, kind: &str, name: &str, id: &str) -> Self {
        self.within = Some(format!("{kind} {name} [{id}]"));
        self
    }
}

/// Something that a change takes away, counted, with the first few by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Loss {
    pub count: u64,
    /// Reads on from the count: `people lose access`.
    pub what: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Where there are more than the examples, all of them, as far as they are kept: for pages that show each.
    #[serde(skip)]
    pub all: Vec<String>,
}

/// What a change does to others, computed from the state as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    pub gravity: Gravity,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
    /// What a person should know before agreeing, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How to take it back; absent where that cannot be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
}

/// A call that takes a change back: a tool and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inverse {
    pub tool: String,
    pub arguments: Value,
}

/// A secret that a change made. It leaves through the secret sink only.
#[derive(Debug)]
pub struct Secret {
    /// What it opens, such as `key ci-deploy of project Atlas`.
    pub what: String,
    pub value: SecretString,
}

/// A change: what it was about, what it means, and the thing before and after. `T` is the thing's type, which is seen only
/// where a change is put together: what is done with one is the same for all.
#[derive(Debug)]
pub struct Change<T> {
    data: ChangeData,
    of: PhantomData<fn() -> T>,
}

/// A [`Change`] with the thing as JSON.
#[derive(Debug)]
pub struct ChangeData {
    pub target: Target,
    pub facts: Facts,
    /// Absent when the thing is new.
    pub before: Option<serde_json::Result<Value>>,
    /// Absent when the thing is gone.
    pub after: Option<serde_json::Result<Value>>,
    pub secret: Option<Secret>,
    /// The calls that take it back, in order.
    pub inverse: Vec<Inverse>,
}

impl<T: Serialize> Change<T> {
    /// A new thing.
    pub fn created(target: Target, facts: Facts, after: T) -> Self {
        Self::of(target, facts, None, Some(after))
    }

    pub fn updated(target: Target, facts: Facts, before: T, after: T) -> Self {
        Self::of(target, facts, Some(before), Some(after))
    }

    pub fn removed(target: Target, facts: Facts, before: T) -> Self {
        Self::of(target, facts, Some(before), None)
    }

    fn of(target: Target, facts: Facts, before: Option<T>, after: Option<T>) -> Self {
        let [before, after] = [before, after].map(|it| it.map(serde_json::to_value));
        Self { data: ChangeData { target, facts, before, after, secret: None, inverse: Vec::new() }, of: PhantomData }
    }

    /// Names a call that takes it back; several are made in the order they were named.
    #[must_use]
    pub fn inverse(self, inverse: Inverse) -> Self {
        self.inverses([inverse])
    }

    /// Names the calls that take it back, in order.
    #[must_use]
    pub fn inverses(mut self, inverses: impl IntoIterator<Item = Inverse>) -> Self {
        self.data.inverse.extend(inverses);
        self
    }

    #[must_use]
    pub fn with_secret(mut self, secret: impl Into<Option<Secret>>) -> Self {
        self.data.secret = secret.into();
        self
    }

    pub(crate) fn erased(self) -> ChangeData {
        self.data
    }
}
