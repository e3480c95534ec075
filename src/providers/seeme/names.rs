//! From names to things: exactly one, or an error that says what to write instead.

use crate::{
    domain::fold,
    error::ProviderError,
    providers::{meant::at_most_one, resolve::matching},
};

/// Something that can be pointed at.
pub(super) trait Named {
    fn id(&self) -> &str;
    /// What people call it; compared folded.
    fn names(&self) -> Vec<&str>;
    /// Names and id of the organization that it is in.
    fn within(&self) -> Vec<&str> {
        Vec::new()
    }
    /// How it is told apart from others of the same name.
    fn label(&self) -> String;
}

/// What is looked for, and where.
pub(super) struct Wanted<'a> {
    pub(super) kind: &'static str,
    pub(super) text: &'a str,
    /// For sentences: `Acme`, ``team `Research` ``; empty for everywhere.
    pub(super) scope: String,
    pub(super) list_tool: &'static str,
}

/// How alike two names are for one to be offered instead of the other.
const ALIKE: f64 = 0.85;

impl Wanted<'_> {
    /// Takes the only match.
    pub(super) fn among<T: Named + Clone>(&self, items: &[T]) -> Result<T, ProviderError> {
        let fitting = matching(items, self.kind, self.text, T::id, T::names, T::within);
        at_most_one(fitting, self.kind, self.text, |it| it.label())?.cloned().ok_or_else(|| self.none(items))
    }

    fn none<T: Named>(&self, items: &[T]) -> ProviderError {
        let wanted = fold(self.text);
        let likeness = |it: &T| it.names().iter().map(|name| strsim::jaro_winkler(&fold(name), &wanted)).fold(0.0, f64::max);
        let mut near: Vec<(f64, String)> = items.iter().map(|it| (likeness(it), it.label())).filter(|it| it.0 >= ALIKE).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let near: Vec<String> = near.into_iter().take(3).map(|it| it.1).collect();
        let hint = if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(" or ")) };
        ProviderError::NotFound {
            kind: self.kind,
            name: self.text.to_owned(),
            scope: self.scope.clone(),
            fix: format!("{hint}find it with {}; names are matched whole", self.list_tool),
        }
    }
}
