//! Teams of projects.

use serde::Deserialize;
use serde_json::json;

use super::{
    Session,
    errors::found,
    held, lists, power,
    projects::WireProject,
    role_assignments::{self, Assignee},
    team_members,
    teams::WireGroup,
    time,
};
use crate::{
    domain::{Facts, Inverse, List, PageRequest, ProjectRef, RoleRef, Target, TeamRef, access::Grant, roles::RoleLevel, teams::Team},
    error::ProviderError,
    providers::http::Draft,
    tools::project_teams::{AddProjectTeam, ListProjectTeams, RemoveProjectTeam},
};

/// A group in a project; which role it has there, only its role assignments tell.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireProjectGroup {
    pub(super) group_id: String,
    #[serde(default)]
    pub(super) group_name: String,
    created_at: Option<i64>,
}

impl WireProjectGroup {
    fn view(&self, project: &WireProject) -> Team {
        Team {
            team: self.group_name.clone(),
            id: self.group_id.clone(),
            project: Some(project.name().to_owned()),
            created_at: self.created_at.map(time),
            ..Team::default()
        }
    }
}

pub(super) async fn all(at: &Session, project_id: &str) -> Result<Vec<WireProjectGroup>, ProviderError> {
    lists::all(at, lists::BY_ID, |at| at.get("/organization/projects/{project_id}/groups").path("project_id", project_id)).await
}

async fn one(at: &Session, project_id: &str, group_id: &str) -> Result<Option<WireProjectGroup>, ProviderError> {
    let request = at.get("/organization/projects/{project_id}/groups/{group_id}");
    found(request.path("project_id", project_id).path("group_id", group_id).send().await)
}

/// `GET /organization/projects/{project_id}/groups`
pub(super) async fn list(at: &Session, op: &ListProjectTeams) -> Result<List<Team>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let request = at.get("/organization/projects/{project_id}/groups").path("project_id", &project.id);
    lists::page(request, &page, |it: WireProjectGroup| it.view(&project)).await
}

/// `POST /organization/projects/{project_id}/groups`, where `role` is a role's id.
pub(super) async fn add(at: &Session, op: &AddProjectTeam) -> Result<Draft<Team>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let group = at.team(&op.team).await?;
    let role = at.role(&op.role, Some(&project)).await?;
    if one(at, &project.id, &group.id).await?.is_some() {
        let message = format!("team `{}` is in project `{}` already", group.name, project.name());
        let held = role_assignments::held_by_group(at, &group.id, &project).await?;
        let same = held.iter().any(|it| it.id == role.id || it.name == role.name);
        return Err(ProviderError::already("already_member", same, message, "give it a further role with assign_role"));
    }
    let people = team_members::all(at, &group.id).await?;
    let (gets, here) = (power::of(&role, RoleLevel::Project), held::place(at, Some(&project)));
    let facts = held::through(&group.named(), &people, &gets, &here).fold(Facts::none(), Facts::gives);
    let facts = held::around(at, facts).await?.undo("remove_project_team");
    let body = json!({ "group_id": group.id, "role": role.id });
    let request = at.post("/organization/projects/{project_id}/groups").path("project_id", &project.id).json(body);
    let back = Inverse::of(&RemoveProjectTeam { project: ProjectRef::read(&project.id), team: TeamRef::read(&group.id) });
    let project_id = project.id.clone();
    Ok(Draft::of(target(at, &project, &group), facts)
        .sends(request)
        .shows("look with list_project_teams", move |it: WireProjectGroup| Team { roles: vec![role.name], ..it.view(&project) })
        .undone_by([back])
        .found_by(at, move |at| async move { one(&at, &project_id, &group.id).await }))
}

/// `DELETE /organization/projects/{project_id}/groups/{group_id}`
pub(super) async fn remove(at: &Session, op: &RemoveProjectTeam) -> Result<Draft<Team>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let group = at.team(&op.team).await?;
    let Some(place) = one(at, &project.id, &group.id).await? else {
        let message = format!("team `{}` is not in project `{}`", group.name, project.name());
        return Err(ProviderError::gone(message, "list_project_teams"));
    };
    let held = role_assignments::held(at, &Assignee::Team(group.clone()), Some(&project)).await?;
    let roles: Vec<(String, String)> = held.into_iter().map(|it| (it.role.id, it.role.name)).collect();
    let before = held::of_project(at, &project).await?;
    let after: Vec<Grant> = before.list.iter().filter(|it| !held::is_from(it, &group.id)).cloned().collect();
    let names: Vec<&str> = roles.iter().map(|it| it.1.as_str()).collect();
    let facts = Facts::none().note(format!("team {} leaves project {}", group.name, project.name()));
    let facts = held::losses(facts, &before.list, &after);
    let facts = before
        .unseen
        .into_iter()
        .fold(facts, Facts::unseen)
        .about(held::called(at))
        .undo(format!("add_project_team with role {}", names.join(", then assign_role with ")));
    let request = at.delete("/organization/projects/{project_id}/groups/{group_id}");
    let request = request.path("project_id", &project.id).path("group_id", &group.id);
    let before = Team { roles: roles.iter().map(|it| it.1.clone()).collect(), ..place.view(&project) };
    let back = way_back(&project, &group, &roles);
    Ok(Draft::of(target(at, &project, &group), facts)
        .before(before)
        .sends(request)
        .ends()
        .undone_by(back)
        .found_by(at, move |at| async move { Ok(one(&at, &project.id, &group.id).await?.is_none()) }))
}

/// The team comes with its first role; the others are given after it.
fn way_back(project: &WireProject, group: &WireGroup, roles: &[(String, String)]) -> Vec<Inverse> {
    let (project, team) = (ProjectRef::read(&project.id), TeamRef::read(&group.id));
    let roles = roles.iter().map(|it| RoleRef::read(&it.0));
    let inverse = |(at, role): (usize, RoleRef)| match at {
        0 => Inverse::of(&AddProjectTeam { project: project.clone(), team: team.clone(), role }),
        _ => Inverse::of(&crate::tools::roles::AssignRole {
            role,
            member: None,
            team: Some(team.clone()),
            project: Some(project.clone()),
            organization: None,
        }),
    };
    roles.enumerate().map(inverse).collect()
}

fn target(at: &Session, project: &WireProject, group: &WireGroup) -> Target {
    at.target("team", &group.name, &group.id).within("project", project.name(), &project.id)
}
