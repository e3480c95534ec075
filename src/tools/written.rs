//! What agents read of a tool, as data. The types are the only source of `tools.json`: a test writes it from them and fails where
//! it is stale. It is read piece by piece, since most processes never list their tools.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{Effect, Tool};

static WRITTEN: LazyLock<Written> = LazyLock::new(|| read(include_str!("tools.json")));

impl Tool {
    /// What it does, in a sentence or two.
    pub fn description(&self) -> String {
        self.entry().description.into_owned()
    }

    /// JSON Schema of the arguments, plain: one type per field, nothing nullable, nothing referenced.
    pub fn input(&self) -> Map<String, Value> {
        self.entry().input.map(|it| read(it.get())).unwrap_or_default()
    }

    /// JSON Schema of the result: the names and types of its fields. All changes answer with the same receipt.
    pub fn output(&self) -> Map<String, Value> {
        let schema = if self.effect == Effect::Read { self.entry().output } else { WRITTEN.receipt };
        schema.map(|it| read(it.get())).unwrap_or_default()
    }

    fn entry(&self) -> Entry<'static> {
        WRITTEN.tools.get(self.name).map(|it| read(it.get())).unwrap_or_default()
    }
}

#[derive(Default, Deserialize)]
struct Written {
    #[serde(borrow)]
    receipt: Option<&'static RawValue>,
    #[serde(borrow)]
    tools: HashMap<&'static str, &'static RawValue>,
}

#[derive(Default, Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    description: Cow<'a, str>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
}

/// Reads a piece of the file. It is a part of the program, and a test has read all of it.
fn read<T: Deserialize<'static> + Default>(text: &'static str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}
