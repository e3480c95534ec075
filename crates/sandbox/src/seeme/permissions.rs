//! Permission codes.

use serde_json::json;

use super::{PermissionNames, Reply, Seeme, account::Caller};

/// Resources and what can be done with them; `*` is all of it.
const CODES: [(&str, &str); 19] = [
    ("models", "list read create update delete upload share *"),
    ("model_versions", "create update delete *"),
    ("datasets", "list read create update delete share *"),
    ("dataset_versions", "create update"),
    ("dataset_labels", "list read create update"),
    ("dataset_splits", "create update"),
    ("dataset_items", "list read create update"),
    ("annotations", "create update delete *"),
    ("inferences", "list read create update *"),
    ("jobs", "list read create update delete *"),
    ("workflows", "list read create update delete execute *"),
    ("workflow_executions", "list read *"),
    ("graphs", "list read create update delete *"),
    ("post_processors", "list read create update delete *"),
    ("organizations", "list read create update delete manage_members"),
    ("projects", "list read create update delete *"),
    ("teams", "list read create update delete *"),
    ("roles", "list read create update delete"),
    ("permissions", "list"),
];

/// Whether a code that is held allows what another one stands for.
pub(super) fn covers(held: &str, wanted: &str) -> bool {
    held == "*" || held == wanted || held.strip_suffix('*').is_some_and(|it| it.ends_with(':') && wanted.starts_with(it))
}

/// Whether a text has the form of a code; the service knows more codes than it lists.
pub(super) fn well_formed(code: &str) -> bool {
    let word = |it: &str| !it.is_empty() && it.chars().all(|it| it.is_ascii_lowercase() || it == '_');
    code == "*" || code.split_once(':').is_some_and(|(resource, action)| word(resource) && (action == "*" || word(action)))
}

impl Seeme {
    pub(super) fn list_permissions(&self, caller: &Caller) -> Reply {
        self.need(caller, None, "permissions:list")?;
        let each = |(resource, actions): (&'static str, &'static str)| actions.split(' ').map(move |action| (resource, action));
        let codes = std::iter::once(("*", "*")).chain(CODES.into_iter().flat_map(each)).enumerate();
        let told = codes.map(|(at, (resource, action))| {
            let code = if resource == "*" { "*".to_owned() } else { format!("{resource}:{action}") };
            let title = match (resource, action) {
                ("*", _) => "Everything".to_owned(),
                (_, "*") => format!("Everything with {}", resource.replace('_', " ")),
                _ => format!("{} {}", action.replace('_', " "), resource.replace('_', " ")),
            };
            let (id, description) = (format!("permission-{}", at + 1), format!("May: {}", title.to_lowercase()));
            match self.quirks.permission_names {
                PermissionNames::Title => {
                    json!({ "id": id, "name": title, "description": description, "code": code, "category": resource })
                }
                PermissionNames::Code => {
                    json!({ "id": id, "name": code, "description": description, "resource": resource, "action": action })
                }
            }
        });
        Ok(self.list(&told.collect::<Vec<_>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_covers_itself_and_a_star_what_it_stands_before() {
        assert!(covers("*", "roles:list") && covers("teams:*", "teams:list") && covers("teams:list", "teams:list"));
        assert!(!covers("teams:*", "team_things:list") && !covers("teams:list", "teams:read") && !covers("teams*", "teams:list"));
        assert!(["*", "models:write", "dataset:*"].iter().all(|it| well_formed(it)));
        assert!(["", "models", "models:", "Models:read", "*:read"].iter().all(|it| !well_formed(it)));
        assert_eq!(CODES.iter().map(|it| it.1.split(' ').count()).sum::<usize>() + 1, 93);
    }
}
