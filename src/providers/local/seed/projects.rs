//! The projects of the demo company, who works in them, and with which roles.

use serde::Deserialize;

use super::{Ago, Rows, json_array, people::user_id, read, step};
use crate::{
    domain::{fold, slugify},
    error::ProviderError,
    store::{Val, args},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    assignments: Vec<Assignment>,
    roles: Vec<Role>,
    projects: Vec<Project>,
}

/// A role held beside the usual ones, by a person or a team.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assignment {
    id: String,
    organization: String,
    project: Option<String>,
    role: String,
    person: Option<String>,
    team: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    id: String,
    organization: String,
    project: String,
    name: String,
    description: String,
    permissions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    id: String,
    organization: String,
    name: String,
    description: String,
    team: Option<String>,
    residency: Option<String>,
    external_key_id: Option<String>,
    #[serde(default)]
    archived: bool,
    owners: Vec<String>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    viewers: Vec<String>,
    #[serde(default)]
    teams: Vec<TeamRole>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamRole {
    team: String,
    role: String,
}

impl Project {
    /// Everybody who is in it on their own account, with their role.
    fn people(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let with = |people, role| std::iter::zip(people, std::iter::repeat(role));
        let all = with(&self.owners, "role_project_owner").chain(with(&self.members, "role_project_member"));
        all.chain(with(&self.viewers, "role_project_viewer")).map(|(key, role): (&String, _)| (key.as_str(), role))
    }
}

const ASSIGNMENT_COLUMNS: &[&str; 7] = &["id", "organization_id", "project_id", "role_id", "user_id", "team_id", "created_at"];

pub(super) fn rows(ago: Ago) -> Result<Vec<Rows>, ProviderError> {
    let data: Data = read(include_str!("projects.toml"))?;
    let roles = data.roles.iter().map(|it| {
        let permissions = json_array(&it.permissions);
        let (name_key, made) = (fold(&it.name), ago.days(90));
        args![&it.id, &it.organization, &it.project, "project", &it.name, name_key, &it.description, permissions, false, made]
    });
    let people = || data.projects.iter().flat_map(|it| it.people().map(move |(key, role)| (it, key, role)));
    let teams = || data.projects.iter().flat_map(|it| it.teams.iter().map(move |held| (it, held)));
    let of_people = people().enumerate().map(|(at, (it, key, role))| {
        args![format!("asg_person_{at:03}"), &it.organization, &it.id, role, user_id(key), None::<&str>, ago.days(12)]
    });
    let of_teams = teams().enumerate().map(|(at, (it, held))| {
        args![format!("asg_team_{at:03}"), &it.organization, &it.id, &held.role, None::<&str>, &held.team, ago.days(11)]
    });
    let others = data.assignments.iter().map(|it| {
        let person = it.person.as_deref().map(user_id);
        args![&it.id, &it.organization, &it.project, &it.role, person, &it.team, ago.days(10)]
    });
    Ok(vec![
        Rows::of(
            "projects",
            &[
                "id",
                "organization_id",
                "team_id",
                "name",
                "name_key",
                "slug",
                "description",
                "residency",
                "external_key_id",
                "status",
                "created_at",
                "archived_at",
            ],
            data.projects.iter().enumerate().map(|(at, it)| project_row(ago, at, it)),
        ),
        Rows::of(
            "roles",
            &["id", "organization_id", "project_id", "level", "name", "name_key", "description", "permissions", "built_in", "created_at"],
            roles,
        ),
        Rows::of(
            "project_members",
            &["project_id", "user_id", "joined_at"],
            people().map(|(it, key, _)| args![&it.id, user_id(key), ago.days(12)]),
        ),
        Rows::of(
            "project_teams",
            &["project_id", "team_id", "joined_at"],
            teams().map(|(it, held)| args![&it.id, &held.team, ago.days(11)]),
        ),
        Rows::of("role_assignments", ASSIGNMENT_COLUMNS, of_people.chain(of_teams).chain(others)),
    ])
}

fn project_row(ago: Ago, at: usize, it: &Project) -> [Val; 12] {
    args![
        &it.id,
        &it.organization,
        &it.team,
        &it.name,
        fold(&it.name),
        slugify(&it.name),
        &it.description,
        &it.residency,
        &it.external_key_id,
        if it.archived { "archived" } else { "active" },
        ago.days(60 + step(at) * 29 % 500),
        it.archived.then(|| ago.days(25))
    ]
}
