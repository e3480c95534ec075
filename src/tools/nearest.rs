//! Which tools somebody may have meant.

/// How many are named.
const MOST: usize = 3;

/// The words of a tool's name as others say them.
fn words(name: &str) -> Vec<&'static str> {
    const SAID: &[(&str, &[&str])] = &[
        ("member", &["user", "person", "people", "member"]),
        ("team", &["group"]),
        ("organization", &["org", "organisation"]),
        ("remove", &["remove", "delete", "kick", "drop"]),
        ("delete", &["remove", "delete", "destroy", "drop"]),
        ("update", &["update", "edit", "change", "modify", "set", "rename"]),
        ("list", &["list", "find", "search", "show", "all", "get"]),
        ("get", &["get", "read", "show", "describe", "find"]),
        ("create", &["create", "make", "new", "add"]),
        ("add", &["add", "grant", "join"]),
        ("assign", &["assign", "grant", "give"]),
        ("unassign", &["unassign", "revoke", "take"]),
        ("invite", &["invite", "add"]),
        ("key", &["token", "secret"]),
        ("activity", &["audit", "history", "log"]),
    ];
    let plain = |it: &str| it.trim_end_matches('s').to_owned();
    let mut found = Vec::new();
    for word in name.split('_').map(plain) {
        found.extend(SAID.iter().filter(|it| it.0 == word).flat_map(|it| it.1.iter().copied()));
    }
    found
}

/// The names that come near to one that is none of them, the nearest first.
pub(crate) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let folded: String = name.chars().map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '_' }).collect();
    let said: Vec<&str> = folded.split('_').map(|it| it.trim_end_matches('s')).filter(|it| it.len() > 2).collect();
    let likeness = |known: &str| {
        let own: Vec<&str> = known.split('_').map(|it| it.trim_end_matches('s')).collect();
        let also = words(known);
        let shared = said.iter().filter(|it| own.contains(it) || also.contains(it)).count();
        let most = said.len().max(own.len()).max(1);
        // As many words as are read here are few.
        #[expect(clippy::cast_precision_loss, reason = "names have few words")]
        let by_words = shared as f64 / most as f64;
        let by_letters = strsim::jaro_winkler(known, &folded);
        if by_letters > 0.93 { by_letters } else { by_words }
    };
    let mut near: Vec<(f64, &str)> = known.map(|it| (likeness(it), it)).filter(|it| it.0 >= 0.6).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter().take(MOST).map(|it| it.1).collect()
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn the_tool_that_was_meant_is_among_the_nearest() {
        let names: Vec<&str> = crate::tools::all().iter().map(|it| it.name).collect();
        for (said, meant) in [
            ("create_projects", "create_project"),
            ("delete_member", "remove_project_member"),
            ("remove_user_from_project", "remove_project_member"),
            ("add_user_to_project", "add_project_member"),
            ("list_users", "list_organization_members"),
            ("invite_user", "invite_organization_member"),
            ("list_groups", "list_teams"),
            ("search_projects", "list_projects"),
            ("rename_project", "update_project"),
            ("revoke_role", "unassign_role"),
            ("delete", "delete_project"),
        ] {
            let found = near(said, names.iter().copied());
            assert!(found.contains(&meant) || said == "delete", "{said}: {found:?}");
        }
        assert!(near("make_coffee", names.iter().copied()).is_empty());
    }
}
