//! Teams of the directory's projects.

use serde_json::json;

use super::{
    Session,
    compared::{Alone, Look},
    page::PageQuery,
    resolve::{ProjectRow, TeamRow, only},
};
use crate::{
    domain::{Change, Inverse, List, PageRequest, ReferenceText as _, Target, TeamRef, Timestamp, fold, roles::RoleLevel, teams::Team},
    error::ProviderError,
    store::{StoreError, Val, args, new_id, row},
    tools::{
        project_teams::{AddProjectTeam, ListProjectTeams, RemoveProjectTeam},
        roles::AssignRole,
    },
};

row! {
    struct OnProject { id: String, name: String, slug: String, members: i64 }
}

const ON_PROJECT: &str = "SELECT t.id, t.name, t.slug, COALESCE((SELECT CAST(SUM(c.n) AS BIGINT) FROM counters c WHERE c.owner_id = t.id \
     AND c.what = 'members'), 0) AS members FROM project_teams pt CROSS JOIN teams t";

row! {
    struct Held { team_id: String, role: String }
}

pub(super) async fn list(at: &mut Session, op: &ListProjectTeams) -> Result<List<Team>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let project = at.project(&op.project).await?;
    let mut values = args![&project.id, page.rows()].to_vec();
    values.extend(page.after.iter().map(Val::from));
    let behind = if page.after.is_some() { " AND t.slug > $3" } else { "" };
    let sql = format!("{ON_PROJECT} WHERE pt.project_id = $1 AND t.id = pt.team_id{behind} ORDER BY t.slug LIMIT $2");
    let rows: Vec<OnProject> = at.db.all(&sql, &values).await?;
    let total = at.db.number("SELECT COUNT(*) FROM project_teams WHERE project_id = $1", &args![&project.id]).await?;
    let held = roles(at, &project).await?;
    let brief = |it: OnProject| Team { organization: None, project: None, ..view(&project, it, &held) };
    Ok(page.page(rows, Some(total), |it| it.slug.clone(), brief))
}

pub(super) async fn add(at: &mut Session, op: &AddProjectTeam) -> Result<Change<Team>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let team = at.team_in(&project.organization_id, &project.organization, &op.team).await?;
    let role = at.role(&op.role, RoleLevel::Project, &project.organization_id, Some(&project.id)).await?;
    let there = "SELECT COUNT(*) FROM project_teams WHERE project_id = $1 AND team_id = $2";
    let held = "SELECT COUNT(*) FROM role_assignments WHERE project_id = $1 AND team_id = $2 AND role_id = $3";
    if at.db.number(there, &args![&project.id, &team.id]).await? > 0 {
        return Err(ProviderError::already(
            "already_member",
            at.db.number(held, &args![&project.id, &team.id, &role.id]).await? > 0,
            format!("team `{}` is on project `{}` already", team.name, project.name),
            "give it one more role with assign_role, or take one with unassign_role",
        ));
    }
    let look = Look::at_team(at, &project.organization_id, &team.id).await?;
    let new = newly_in(at, &project, &team).await?;
    let now = Timestamp::now().0;
    let sql = "INSERT INTO project_teams (project_id, team_id, joined_at) VALUES ($1, $2, $3)";
    at.db.run(sql, &args![&project.id, &team.id, now]).await?;
    let sql =
        "INSERT INTO role_assignments (id, organization_id, project_id, role_id, team_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    // A role that was handed out before the team came would be a duplicate.
    if at.db.number(held, &args![&project.id, &team.id, &role.id]).await? == 0 {
        at.db.run(sql, &args![new_id("asg"), &project.organization_id, &project.id, &role.id, &team.id, now]).await?;
    }
    let mut facts = look.facts(at).await?.undo("remove_project_team");
    if new > 0 {
        facts = facts.note(format!("{new} of them had no access before"));
    }
    let held = roles(at, &project).await?;
    let after = on_project(at, &project, &team.id).await?;
    let inverse = Inverse::call::<RemoveProjectTeam>(json!({ "project": project.id, "team": team.id }));
    Ok(Change::created(target(&team, &project), facts, view(&project, after, &held)).inverse(inverse))
}

pub(super) async fn remove(at: &mut Session, op: &RemoveProjectTeam) -> Result<Change<Team>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let team = match on_project_named(at, &project, &op.team).await {
        Err(error @ ProviderError::NotFound { .. }) => {
            return Err(match at.team_in(&project.organization_id, &project.organization, &op.team).await {
                Ok(team) => ProviderError::gone(format!("team `{}` is not on project `{}`", team.name, project.name), "list_project_teams"),
                Err(failed @ (ProviderError::Store(_) | ProviderError::StoreBusy)) => failed,
                Err(_) => error,
            });
        }
        found => found?,
    };
    at.keep_an_owner_beside(&team, &project).await?;
    let held = roles(at, &project).await?;
    let before = on_project(at, &project, &team.id).await?;
    let before = view(&project, before, &held);
    let look = Look::at_team(at, &project.organization_id, &team.id).await?;
    let alone = Alone::of_team(at, &team.id).await?;
    let sql = "SELECT role_id FROM role_assignments WHERE project_id = $1 AND team_id = $2 ORDER BY created_at, role_id";
    let roles = at.db.texts(sql, &args![&project.id, &team.id]).await?;
    for sql in [
        "DELETE FROM role_assignments WHERE project_id = $1 AND team_id = $2",
        "DELETE FROM project_teams WHERE project_id = $1 AND team_id = $2",
    ] {
        at.db.run(sql, &args![&project.id, &team.id]).await?;
    }
    let facts = look.facts(at).await?;
    let undo = format!("add_project_team with role {}", before.roles.join(", then assign_role with "));
    let facts = alone.since(at, facts).await?.undo(undo);
    let mut change = Change::removed(target(&team, &project), facts, before);
    if let Some((first, more)) = roles.split_first() {
        let back = json!({ "project": project.id, "team": team.id, "role": first });
        change = change.inverse(Inverse::call::<AddProjectTeam>(back));
        for role in more {
            change = change.inverse(Inverse::call::<AssignRole>(json!({ "role": role, "team": team.id, "project": project.id })));
        }
    }
    Ok(change)
}

/// How many of a team do not reach a project yet, by whatever way.
async fn newly_in(at: &mut Session, project: &ProjectRow, team: &TeamRow) -> Result<i64, ProviderError> {
    let sql = "SELECT COUNT(*) FROM team_members m WHERE m.team_id = $1 \
               AND NOT EXISTS (SELECT 1 FROM project_members d WHERE d.project_id = $2 AND d.user_id = m.user_id) \
               AND NOT EXISTS (SELECT 1 FROM project_teams o JOIN team_members om ON om.team_id = o.team_id \
                               WHERE o.project_id = $2 AND om.user_id = m.user_id)";
    Ok(at.db.number(sql, &args![&team.id, &project.id]).await?)
}

/// A team among those on the project.
async fn on_project_named(at: &mut Session, project: &ProjectRow, named: &TeamRef) -> Result<TeamRow, ProviderError> {
    let sql = format!(
        "{} JOIN project_teams pt ON pt.team_id = t.id WHERE pt.project_id = $1 AND (t.id = $2 OR t.slug = $3 OR t.name_key = $3) ORDER BY t.slug",
        super::resolve::TEAM_COLUMNS
    );
    let found = at.db.all(&sql, &args![&project.id, named.text(), fold(named.text())]).await?;
    let scope = format!("project `{}`", project.name);
    only(found, "team", named.text(), &scope, "list_project_teams", |it: &TeamRow| &it.id, |it| format!("{} ({})", it.id, it.name))
}

async fn on_project(at: &mut Session, project: &ProjectRow, team_id: &str) -> Result<OnProject, ProviderError> {
    let row = at
        .db
        .one(&format!("{ON_PROJECT} WHERE pt.project_id = $1 AND pt.team_id = $2 AND t.id = pt.team_id"), &args![&project.id, team_id])
        .await?;
    row.ok_or_else(|| StoreError::Unreadable(format!("team {team_id} is missing on project {}", project.id)).into())
}

/// The roles of all teams on a project; there are few of them.
async fn roles(at: &mut Session, project: &ProjectRow) -> Result<Vec<Held>, ProviderError> {
    let sql = "SELECT a.team_id, r.name AS role FROM role_assignments a JOIN roles r ON r.id = a.role_id \
               WHERE a.project_id = $1 AND a.team_id IS NOT NULL ORDER BY r.name";
    Ok(at.db.all(sql, &args![&project.id]).await?)
}

fn target(team: &TeamRow, project: &ProjectRow) -> Target {
    Target::new("team", &team.name, &team.id, &team.organization).within("project", &project.name, &project.id)
}

fn view(project: &ProjectRow, it: OnProject, held: &[Held]) -> Team {
    Team {
        roles: held.iter().filter(|held| held.team_id == it.id).map(|held| held.role.clone()).collect(),
        team: it.name,
        id: it.id,
        slug: Some(it.slug),
        description: None,
        organization: Some(project.organization.clone()),
        members: u64::try_from(it.members).ok(),
        project: Some(project.name.clone()),
        created_at: None,
    }
}
