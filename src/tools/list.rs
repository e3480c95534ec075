//! How much of the list of tools a client is shown.

use serde::Deserialize;

/// How much of the list of tools a client is shown. What can be called is the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolList {
    /// Every tool on offer.
    #[default]
    Full,
    /// The tools that most jobs need, a search for the others, and a caller of them for each effect.
    Compact,
}

/// The tools of the compact list, where they are on offer: with these alone most of what people ask for is done.
pub const ESSENTIAL: [&str; 12] = [
    "find_person",
    "explain_access",
    "review_access",
    "list_projects",
    "list_api_keys",
    "list_activity",
    "invite_people",
    "copy_access",
    "copy_project",
    "offboard_person",
    "apply_changes",
    "undo",
];
