//! The people of the demo company: accounts, memberships, teams, invitations.

use serde::Deserialize;

use super::{Ago, Rows, json_array, read, step};
use crate::{
    domain::{fold, fold_accents},
    error::ProviderError,
    store::args,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    people: Vec<Person>,
    invitations: Vec<Invitation>,
    members: Vec<Members>,
    teams: Vec<Team>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    key: String,
    name: String,
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    id: String,
    organization: String,
    email: String,
    role: String,
    projects: Vec<String>,
    status: String,
    /// Days since it was made.
    made: i64,
    /// Days until it ends.
    left: i64,
}

/// People with one role in one organization, by their keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    organization: String,
    role: String,
    people: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Team {
    id: String,
    organization: String,
    name: String,
    slug: String,
    description: String,
    maintainers: Vec<String>,
    members: Vec<String>,
}

pub(super) fn user_id(key: &str) -> String {
    format!("usr_{key}")
}

pub(super) fn rows(ago: Ago) -> Result<Vec<Rows>, ProviderError> {
    let Data { people, invitations, members, teams } = read(include_str!("people.toml"))?;
    // How long somebody has been here: from one month to nearly two years.
    let since = |key: &str| ago.days(30 + step(people.iter().position(|it| it.key == key).unwrap_or_default()) * 37 % 650);
    let users = people.iter().map(|it| args![user_id(&it.key), &it.email, &it.name, fold_accents(&it.name), since(&it.key)]);
    let members = members.iter().flat_map(|it| it.people.iter().map(move |key| (it, key)));
    let members = members.map(|(it, key)| args![&it.organization, user_id(key), &it.role, since(key)]);
    let in_teams = teams.iter().flat_map(|it| {
        let with = |people, role| std::iter::zip(people, std::iter::repeat(role));
        let all = with(&it.maintainers, "role_team_maintainer").chain(with(&it.members, "role_team_member"));
        all.map(|(key, role)| args![&it.id, user_id(key), role, ago.days(15)])
    });
    let teams = teams.iter().map(|it| args![&it.id, &it.organization, &it.name, fold(&it.name), &it.slug, &it.description, ago.days(500)]);
    let invitations = invitations.iter().map(|it| {
        let (made, ends) = (ago.days(it.made), ago.days(-it.left));
        args![&it.id, &it.organization, &it.email, &it.role, json_array(&it.projects), &it.status, made, ends]
    });
    Ok(vec![
        Rows::of("users", &["id", "email", "name", "name_key", "created_at"], users),
        Rows::of("organization_members", &["organization_id", "user_id", "role_id", "joined_at"], members),
        Rows::of("teams", &["id", "organization_id", "name", "name_key", "slug", "description", "created_at"], teams),
        Rows::of("team_members", &["team_id", "user_id", "role_id", "joined_at"], in_teams),
        Rows::of(
            "invitations",
            &["id", "organization_id", "email", "role_id", "projects", "status", "created_at", "expires_at"],
            invitations,
        ),
    ])
}
