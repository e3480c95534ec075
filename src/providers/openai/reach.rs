//! What people reach through groups and roles. The service lists neither the projects of a group nor the holders of a role:
//! each has to be asked for alone, and only so many are. What was not looked at is said.

use super::{
    Session, api_keys,
    errors::within,
    members::{self, WireUser},
    memberships, project_teams,
    projects::{self, WireProject},
    role_assignments,
    roles::WireRole,
    team_members,
    teams::{self, WireGroup},
};
use crate::{
    domain::{Gravity, Impact},
    error::ProviderError,
};

/// How many projects or groups are asked for one by one: more would use up what the service allows in a minute.
pub(super) const AT_MOST: usize = 8;

/// What a group gives its people.
pub(super) struct Reach {
    /// Roles in the organization.
    roles: Vec<WireRole>,
    /// Projects with the roles in them.
    projects: Vec<(String, Vec<WireRole>)>,
    /// How many projects were not looked at.
    unseen: usize,
}

/// What a group gives its people, as far as it was looked at.
pub(super) async fn of_team(at: &Session, group: &WireGroup) -> Result<Reach, ProviderError> {
    let roles = role_assignments::held_in_organization(at, &group.id).await?;
    let active: Vec<WireProject> = projects::all(at).await?.into_iter().filter(|it| !it.is_archived()).collect();
    let mut reach = Reach { roles, projects: Vec::new(), unseen: active.len().saturating_sub(AT_MOST) };
    for project in active.iter().take(AT_MOST) {
        let roles = role_assignments::held_by_group(at, &group.id, project).await?;
        if !roles.is_empty() {
            reach.projects.push((project.name().to_owned(), roles));
        }
    }
    Ok(reach)
}

impl Reach {
    pub(super) fn is_nothing(&self) -> bool {
        self.roles.is_empty() && self.projects.is_empty() && self.unseen == 0
    }

    /// Adds to an impact what the group gives.
    pub(super) fn told(&self, mut impact: Impact) -> Impact {
        if !self.roles.is_empty() {
            impact = impact.note(format!("in the organization: {}", names(&self.roles)));
        }
        for (project, roles) in &self.projects {
            impact = impact.note(format!("in project {project}: {}", names(roles)));
        }
        if self.unseen > 0 {
            impact = impact.note(counted(self.unseen, "more project was not looked at", "more projects were not looked at"));
        }
        impact
    }

    /// What it means that somebody comes into the group.
    pub(super) async fn opens(&self, at: &Session, email: &str) -> Result<Impact, ProviderError> {
        let mut impact = self.told(Impact::none());
        let all = self.roles.iter().chain(self.projects.iter().flat_map(|it| &it.1));
        let power: Vec<&str> = all.filter(|it| it.is_privileged()).map(|it| it.name.as_str()).collect();
        if !power.is_empty() {
            impact = impact.at_least(Gravity::Low).note(format!("the team gives power over others: {}", power.join(", ")));
            if members::has_outsider(at, &[email]).await? {
                let note = "nobody else in the organization has an e-mail address of that domain";
                impact = impact.at_least(Gravity::Critical).note(note);
            }
        } else if self.unseen > 0 {
            // It may be power.
            impact = impact.at_least(Gravity::Low);
        }
        Ok(impact)
    }

    /// What it means that the group ends.
    pub(super) async fn ends(&self, at: &Session, group: &WireGroup) -> Result<Impact, ProviderError> {
        let people: Vec<String> = team_members::all(at, &group.id).await?.iter().map(|it| it.label().to_owned()).collect();
        let gravity = if people.is_empty() && self.is_nothing() { Gravity::Low } else { Gravity::High };
        let projects: Vec<String> = self.projects.iter().map(|it| it.0.clone()).collect();
        let impact = Impact::of(gravity).loses(people.len() as u64, ("person leaves the team", "people leave the team"), people).loses(
            projects.len() as u64,
            ("project without the team", "projects without the team"),
            projects,
        );
        Ok(self.told(impact))
    }
}

/// What somebody loses who leaves the organization.
pub(super) async fn leaving(at: &Session, person: &WireUser) -> Result<Impact, ProviderError> {
    let places = memberships::places(at, person).await?;
    let names: Vec<String> = places.iter().filter_map(|it| it.name.clone().or_else(|| it.id.clone())).collect();
    let mut impact = Impact::of(Gravity::High).loses(names.len() as u64, ("project out of reach", "projects out of reach"), names);
    let groups = teams::all(at).await?;
    let mut left = Vec::new();
    for group in groups.iter().take(AT_MOST) {
        if team_members::one(at, &group.id, &person.id).await?.is_some() {
            left.push(group.name.clone());
        }
    }
    impact = impact.loses(left.len() as u64, ("team left", "teams left"), left);
    let mut keys = Vec::new();
    for id in places.iter().filter_map(|it| it.id.as_ref()).take(AT_MOST) {
        keys.extend(within(api_keys::of_person(at, id, &person.id).await)?.unwrap_or_default());
    }
    impact = impact.loses(keys.len() as u64, ("key stops working", "keys stop working"), keys);
    for (unseen, one, many) in [
        (groups.len().saturating_sub(AT_MOST), "more team was not looked at", "more teams were not looked at"),
        (places.len().saturating_sub(AT_MOST), "more project was not searched for keys", "more projects were not searched for keys"),
    ] {
        if unseen > 0 {
            impact = impact.note(counted(unseen, one, many));
        }
    }
    if person.is_owner() {
        impact = impact.note("is an owner of the organization");
    }
    Ok(impact)
}

/// Who loses a role that ends, as far as it can be looked at: groups before people, since those are many at once.
pub(super) async fn holders(at: &Session, role: &WireRole, project: Option<&WireProject>) -> Result<Impact, ProviderError> {
    let groups: Vec<(String, String)> = match project {
        Some(it) => project_teams::all(at, &it.id).await?.into_iter().map(|it| (it.group_id, it.group_name)).collect(),
        None => teams::all(at).await?.into_iter().map(|it| (it.id, it.name)).collect(),
    };
    let mut holding = Vec::new();
    for (id, name) in groups.iter().take(AT_MOST) {
        let held = match project {
            Some(project) => role_assignments::held_by_group(at, id, project).await?,
            None => role_assignments::held_in_organization(at, id).await?,
        };
        if held.iter().any(|it| it.id == role.id) {
            holding.push(name.clone());
        }
    }
    let mut impact = Impact::of(Gravity::High)
        .loses(holding.len() as u64, ("team loses the role", "teams lose the role"), holding)
        .note("people who hold it themselves lose it too; the service does not list who they are");
    let unseen = groups.len().saturating_sub(AT_MOST);
    if unseen > 0 {
        impact = impact.note(counted(unseen, "more team was not looked at", "more teams were not looked at"));
    }
    Ok(impact)
}

fn names(roles: &[WireRole]) -> String {
    roles.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
