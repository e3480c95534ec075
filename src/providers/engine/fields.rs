//! Name and description: what organizations and projects can be told to change.

use serde_json::{Value, json};

use crate::{
    domain::{Description, Name},
    error::ProviderError,
};

/// What an update sends: the service takes both fields and reads one that is missing as "", so both are always sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) name: String,
    pub(super) description: String,
}

impl Fields {
    /// Of a new thing.
    pub(super) fn new(name: &Name, description: Option<&Description>) -> Self {
        Self { name: name.to_string(), description: description.map(ToString::to_string).unwrap_or_default() }
    }

    /// Puts what is named over these; the rest stays.
    ///
    /// # Errors
    ///
    /// Where nothing is named, or the description is both given and emptied.
    pub(super) fn with(self, name: Option<&Name>, description: Option<&Description>, clear: bool) -> Result<Self, ProviderError> {
        if description.is_some() && clear {
            return Err(ProviderError::invalid(
                "`description` is both set and in `clear`",
                "give `description` to set it, or name it in `clear` to empty it",
            ));
        }
        if name.is_none() && description.is_none() && !clear {
            return Err(ProviderError::invalid("nothing to change was named", "give at least one of: name, description, clear"));
        }
        let description = if clear { String::new() } else { description.map_or(self.description, ToString::to_string) };
        Ok(Self { name: name.map_or(self.name, ToString::to_string), description })
    }

    /// What an update puts back after these became `new`: name and description, and whether that was empty.
    pub(super) fn former(&self, new: &Self) -> (Option<Name>, Option<Description>, bool) {
        let described = self.description != new.description;
        let name = (self.name != new.name).then(|| Name::read(&self.name));
        let description = some(&self.description).filter(|_| described).map(Description::read);
        (name, description, described && self.description.is_empty())
    }

    pub(super) fn body(&self) -> Value {
        json!({ "name": self.name, "description": self.description })
    }
}

/// A text, or nothing where it is empty.
pub(super) fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|it| !it.is_empty())
}

/// The error for a field that can be emptied elsewhere, and is not there at this service.
pub(super) fn not_here(field: &str) -> ProviderError {
    ProviderError::invalid(format!("there is no `{field}` at this service"), "only `description` can be in `clear`")
}
