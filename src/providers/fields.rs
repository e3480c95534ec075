//! Rules that the fields of several nouns share.

use serde_json::{Value, json};

use crate::{
    domain::{Inverse, Name, Slug, slugify},
    error::ProviderError,
    tools::Operation,
};

/// The slug that was given, or else one made of the name, where the name has letters for it.
pub(crate) fn slug(given: Option<&Slug>, name: &Name) -> Result<String, ProviderError> {
    let slug = given.map_or_else(|| slugify(name.as_str()), ToString::to_string);
    if slug.is_empty() {
        return Err(ProviderError::invalid(
            format!("no slug can be made of the name `{name}`"),
            "give one as `slug`: a-z, 0-9 and hyphens",
        ));
    }
    Ok(slug)
}

/// Refuses an update that names nothing, and one that sets and empties the same field.
pub(crate) fn named(fields: &[(&str, bool)], cleared: &[&str]) -> Result<(), ProviderError> {
    let set = |name: &str| fields.iter().any(|(field, is_set)| *field == name && *is_set);
    if let Some(both) = cleared.iter().find(|it| set(it)) {
        return Err(ProviderError::invalid(
            format!("`{both}` is both set and in `clear`"),
            format!("give `{both}` to set it, or name it in `clear` to empty it"),
        ));
    }
    if cleared.is_empty() && !fields.iter().any(|(_, is_set)| *is_set) {
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        return Err(ProviderError::invalid("nothing to change was named", format!("give at least one of: {}, clear", names.join(", "))));
    }
    Ok(())
}

/// The update that gives the fields that `now` sets their former values back, and empties those again that were empty.
pub(crate) fn back<O: Operation>(what: Value, now: &[(&str, bool)], former: &[(&str, Option<Value>)]) -> Inverse {
    let mut arguments = what;
    let mut clear = Vec::new();
    for (name, value) in former.iter().filter(|(name, _)| now.iter().any(|(field, is_set)| field == name && *is_set)) {
        match value {
            Some(value) => arguments[*name] = value.clone(),
            None => clear.push(*name),
        }
    }
    if !clear.is_empty() {
        arguments["clear"] = json!(clear);
    }
    Inverse::call::<O>(arguments)
}

/// The scopes that an update gives a key; an empty list where they are lifted. No scopes mean all of them, which must not come about
/// by an empty list: it has to be said.
pub(crate) fn scopes(given: Option<&[String]>, lifted: bool) -> Result<Option<&[String]>, ProviderError> {
    match given {
        Some(_) if lifted => Err(ProviderError::invalid("`scopes` is given and cleared", "give it, or name it in `clear`")),
        Some([]) => {
            let fix = "name at least one permission; for a key that can do everything name `scopes` in `clear`";
            Err(ProviderError::invalid("`scopes` is empty", fix))
        }
        None if lifted => Ok(Some(&[])),
        given => Ok(given),
    }
}

/// A short text that is passed on as it is: not empty, without control characters, no longer than its field allows.
pub(crate) fn short(field: &str, text: Option<&String>, longest: usize) -> Result<Option<String>, ProviderError> {
    let Some(text) = text.map(|it| it.trim()) else { return Ok(None) };
    if text.is_empty() || text.chars().count() > longest || text.contains(char::is_control) {
        let shown: String = text.chars().filter(|it| !it.is_control()).take(80).collect();
        return Err(ProviderError::invalid(
            format!("`{field}` cannot be `{shown}`"),
            format!("give 1 to {longest} visible characters, or leave `{field}` out"),
        ));
    }
    Ok(Some(text.to_owned()))
}
