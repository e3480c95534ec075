//! Where each call goes. No reference of the paths is published, so each of them can be configured.

/// The paths by name. A configured one takes the same placeholders; what is put in is encoded, the text itself is not.
pub const PATHS: [(&str, &str); 14] = [
    ("orgs", "/api/v1/orgs"),
    ("org", "/api/v1/orgs/{id}"),
    ("org_users", "/api/v1/orgs/{id}/users"),
    ("org_user", "/api/v1/orgs/{id}/users/{user_id}"),
    ("org_projects", "/api/v1/orgs/{id}/projects"),
    ("projects", "/api/v1/projects"),
    ("project", "/api/v1/projects/{id}"),
    ("project_users", "/api/v1/projects/{id}/users"),
    ("project_user", "/api/v1/projects/{id}/users/{user_id}"),
    ("users", "/api/v1/users"),
    ("configs", "/api/v1/configs"),
    ("sign_in_email", "/api/v1/users:signInWithEmail"),
    ("sign_in_token", "/api/v1/users:signInWithCustomToken"),
    ("refresh", "/api/v1/users:refreshToken"),
];

/// The path that is used unless another one is configured.
pub(super) fn usual(name: &str) -> &'static str {
    PATHS.iter().find(|it| it.0 == name).map_or("", |it| it.1)
}

/// Says what is wrong with a configured path: without its placeholder a deletion of one thing would go to all of them.
///
/// # Errors
///
/// What it has to be.
pub fn check_path(name: &str, path: &str) -> Result<(), String> {
    let plain = path.starts_with('/') && !path.contains(['?', '#']) && !path.contains(|it: char| it.is_whitespace() || it.is_control());
    if !plain {
        return Err("a path begins with `/` and has no `?`, `#` or spaces".into());
    }
    let placeholders = |text: &str| {
        let mut found: Vec<String> = text.split('{').skip(1).map(|it| it.split('}').next().unwrap_or_default().to_owned()).collect();
        found.sort();
        found
    };
    let wanted = placeholders(usual(name));
    if placeholders(path) == wanted {
        return Ok(());
    }
    Err(match wanted.as_slice() {
        [] => "this path takes no placeholder".into(),
        wanted => format!("this path has {}, once", wanted.iter().map(|it| format!("`{{{it}}}`")).collect::<Vec<_>>().join(" and ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_its_placeholders() {
        for (name, path) in PATHS {
            assert_eq!(check_path(name, path), Ok(()));
        }
        assert_eq!(check_path("org", "/v2/organizations/{id}"), Ok(()));
        assert_eq!(check_path("org", "/v2/organizations"), Err("this path has `{id}`, once".into()));
        assert_eq!(check_path("org_user", "/v2/{id}/{id}"), Err("this path has `{id}` and `{user_id}`, once".into()));
        assert_eq!(check_path("orgs", "/v2/{id}"), Err("this path takes no placeholder".into()));
        for bad in ["v2/orgs", "/v2/orgs?x=1", "/v2/my orgs", ""] {
            assert!(check_path("orgs", bad).is_err(), "{bad}");
        }
    }
}
