//! What is wrong with a call's arguments: all of it at once, each with what to write instead.

use serde_json::Value;

use crate::error::CallError;

/// What is wrong with one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The argument's path, such as `people[3].roles`.
    pub(crate) argument: String,
    /// What stands there, or is missing.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) fix: String,
}

impl Fault {
    pub(crate) fn new(argument: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { argument: argument.to_owned(), message: message.into(), fix: fix.into() }
    }

    /// The argument of the call that it is in.
    pub(crate) fn root(&self) -> &str {
        root(&self.argument)
    }
}

/// The argument of the call in a path.
pub(super) fn root(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or_default()
}

/// The error of a call with these faults.
pub(crate) fn error(mut faults: Vec<Fault>) -> CallError {
    if faults.len() == 1 {
        let Fault { message, fix, .. } = faults.remove(0);
        return CallError::InvalidArguments { message, fix };
    }
    let count = faults.len();
    let messages: Vec<String> = faults.iter().map(|it| it.message.clone()).collect();
    let mut fixes: Vec<String> = Vec::new();
    for it in faults.into_iter().map(|it| it.fix).filter(|it| !it.is_empty()) {
        if !fixes.contains(&it) {
            fixes.push(it);
        }
    }
    let message = format!("{count} arguments do not fit: {}", messages.join("; "));
    CallError::InvalidArguments { message, fix: fixes.join("; ") }
}

/// The most characters of a value that are said back.
const SHOWN: usize = 60;

/// A value as it was given, for a message.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => crate::domain::clean(text).into_owned(),
        other => other.to_string(),
    };
    let mut letters = text.chars();
    let mut start: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() {
        start.push('…');
    }
    format!("`{start}`")
}
