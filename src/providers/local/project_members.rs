//! People of the directory's projects, one by one.

use serde_json::json;

use super::{
    Session,
    compared::{Alone, Look},
    reach::{PROJECT_OWNER, PROJECTS, counted},
    resolve::{ProjectRow, RoleRow, UserRow},
};
use crate::{
    domain::{Change, Inverse, MemberRef, ReferenceText, RoleRef, Target, Timestamp, members::Member, roles::RoleLevel},
    error::ProviderError,
    providers::{ALREADY_MEMBER, people::Sought},
    store::{args, new_id, row},
    tools::{
        project_members::{AddProjectMember, GetProjectMember, RemoveProjectMember, UpdateProjectMember},
        roles::AssignRole,
    },
};

/// Where a person's own place in a project is not what they reach it by.
const BY_TEAM_ONLY: &str = "access_through_team";

row! {
    /// A role that a person holds in a project of their own.
    pub(super) struct OwnRole { id: String, name: String }
}

/// A person's own place in a project.
struct OwnMembership {
    user: UserRow,
    roles: Vec<OwnRole>,
    joined_at: i64,
}

pub(super) async fn get(at: &mut Session, op: &GetProjectMember) -> Result<Member, ProviderError> {
    let project = at.project(&op.project).await?;
    let user = person(at, &project, &op.member).await?;
    let teams = at.teams_between(&project.id, &user.id).await?;
    let sql = "SELECT r.id, r.name FROM role_assignments a JOIN roles r ON r.id = a.role_id JOIN team_members m ON m.team_id = a.team_id \
               WHERE a.project_id = $1 AND m.user_id = $2 ORDER BY r.name";
    let handed_down: Vec<OwnRole> = at.db.all(sql, &args![&project.id, &user.id]).await?;
    let own = own_place(at, &project, &user).await?;
    let via_team = if own.is_none() { Some(teams.join(", ")) } else { None };
    let since = own.as_ref().map(|it| it.joined_at);
    let mut names: Vec<String> = own.map(|it| it.roles).unwrap_or_default().into_iter().chain(handed_down).map(|it| it.name).collect();
    names.sort();
    names.dedup();
    Ok(Member { via_team, ..view(&project, &user, names, since) })
}

pub(super) async fn add(at: &mut Session, op: &AddProjectMember) -> Result<Change<Member>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let user = at.candidate(&project.organization_id, &project.organization, op.member.text()).await?;
    let roles = roles(at, &project, &op.roles).await?;
    if let Some(place) = own_place(at, &project, &user).await? {
        let held = names(&place.roles);
        return Err(ProviderError::already(
            ALREADY_MEMBER,
            roles.iter().all(|role| place.roles.iter().any(|it| it.id == role.id)),
            format!("`{}` is in project `{}` already{}", user.email, project.name, as_roles(&held)),
            "replace the roles with update_project_member, or add one with assign_role",
        ));
    }
    let look = Look::at(at, &project.organization_id, vec![user.id.clone()]).await?;
    enroll(at, &project, &user.id, &roles).await?;
    let place = own_place(at, &project, &user).await?;
    let since = place.as_ref().map(|it| it.joined_at);
    let after = view(&project, &user, place.map(|it| names(&it.roles)).unwrap_or_default(), since);
    let inverse = Inverse::call::<RemoveProjectMember>(json!({ "project": project.id, "member": user.id }));
    let facts = look.facts(at).await?.undo("remove_project_member");
    Ok(Change::created(target(&user, &project), facts, after).inverse(inverse))
}

pub(super) async fn update(at: &mut Session, op: &UpdateProjectMember) -> Result<Change<Member>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let place = place(at, &project, &op.member).await?;
    let role = at.role(&op.role, RoleLevel::Project, &project.organization_id, Some(&project.id)).await?;
    if role.id != PROJECT_OWNER {
        at.keep_an_owner(&project, &place.user).await?;
    }
    let held = names(&place.roles);
    let undo = match held.as_slice() {
        [] => "unassign_role".to_owned(),
        [one] => format!("update_project_member with role {one}"),
        [one, more @ ..] => format!("update_project_member with role {one}, then assign_role with {}", more.join(", ")),
    };
    let look = Look::at(at, &project.organization_id, vec![place.user.id.clone()]).await?;
    let others = "DELETE FROM role_assignments WHERE project_id = $1 AND user_id = $2 AND role_id <> $3";
    at.db.run(others, &args![&project.id, &place.user.id, &role.id]).await?;
    assign(at, &project, &place.user.id, &role.id).await?;
    let before = view(&project, &place.user, held, Some(place.joined_at));
    let after = view(&project, &place.user, vec![role.name], Some(place.joined_at));
    let facts = look.facts(at).await?.undo(undo);
    let mut change = Change::updated(target(&place.user, &project), facts, before, after);
    if let [first, more @ ..] = place.roles.as_slice() {
        let back = json!({ "project": project.id, "member": place.user.id, "role": first.id });
        change = change.inverse(Inverse::call::<UpdateProjectMember>(back));
        for role in more {
            change =
                change.inverse(Inverse::call::<AssignRole>(json!({ "role": role.id, "member": place.user.id, "project": project.id })));
        }
    }
    Ok(change)
}

pub(super) async fn remove(at: &mut Session, op: &RemoveProjectMember) -> Result<Change<Member>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let place = match place(at, &project, &op.member).await {
        Err(error @ ProviderError::NotFound { .. }) => {
            let (home, here) = ((&*project.organization_id, &*project.organization), format!("project `{}`", project.name));
            return Err(at.gone_or(error, home, op.member.text(), (&here, "list_project_members")).await);
        }
        found => found?,
    };
    let user = &place.user;
    at.keep_an_owner(&project, user).await?;
    let (look, alone) = (
        Look::at(at, &project.organization_id, vec![user.id.clone()]).await?,
        Alone::of_person(at, &project.organization_id, &user.id).await?,
    );
    let held = names(&place.roles);
    let owns = place.roles.iter().any(|it| it.id == PROJECT_OWNER);
    let others =
        "SELECT COUNT(*) FROM (SELECT 1 FROM role_assignments WHERE project_id = $1 AND role_id = $3 AND user_id <> $2 LIMIT 1) one";
    let alone_in_person = owns && at.db.number(others, &args![&project.id, &user.id, PROJECT_OWNER]).await? == 0;
    for sql in [
        "DELETE FROM role_assignments WHERE project_id = $1 AND user_id = $2",
        "DELETE FROM project_members WHERE project_id = $1 AND user_id = $2",
    ] {
        at.db.run(sql, &args![&project.id, &user.id]).await?;
    }
    let facts = look.facts(at).await?;
    let mut facts = alone.since(at, facts).await?;
    if alone_in_person {
        let note = format!("sole owner of {} in person; a team owns it too", counted(1, PROJECTS, std::slice::from_ref(&project.name)));
        facts = facts.note(note);
    }
    let roles = if held.is_empty() { "roles of your choice".to_owned() } else { format!("roles {}", held.join(", ")) };
    let facts = facts.undo(format!("add_project_member with {roles}"));
    let change = Change::removed(target(user, &project), facts, view(&project, user, held, Some(place.joined_at)));
    if place.roles.is_empty() {
        return Ok(change);
    }
    let roles: Vec<&str> = place.roles.iter().map(|it| it.id.as_str()).collect();
    Ok(change.inverse(Inverse::call::<AddProjectMember>(json!({ "project": project.id, "member": user.id, "roles": roles }))))
}

/// The roles that are named, each once.
pub(super) async fn roles(at: &mut Session, project: &ProjectRow, named: &[RoleRef]) -> Result<Vec<RoleRow>, ProviderError> {
    let mut roles: Vec<RoleRow> = Vec::new();
    for named in named {
        let role = at.role(named, RoleLevel::Project, &project.organization_id, Some(&project.id)).await?;
        if !roles.iter().any(|it| it.id == role.id) {
            roles.push(role);
        }
    }
    if roles.is_empty() {
        return Err(ProviderError::invalid("`roles` is empty", "name at least one role; see list_roles"));
    }
    Ok(roles)
}

/// Makes somebody a member of a project with roles.
pub(super) async fn enroll(at: &mut Session, project: &ProjectRow, user_id: &str, roles: &[RoleRow]) -> Result<(), ProviderError> {
    let sql = "INSERT INTO project_members (project_id, user_id, joined_at) VALUES ($1, $2, $3)";
    at.db.run(sql, &args![&project.id, user_id, Timestamp::now().0]).await?;
    for role in roles {
        assign(at, project, user_id, &role.id).await?;
    }
    Ok(())
}

/// Gives a role, unless it is held: somebody who came through a team may hold one of their own already.
async fn assign(at: &mut Session, project: &ProjectRow, user_id: &str, role_id: &str) -> Result<(), ProviderError> {
    let held = "SELECT COUNT(*) FROM role_assignments WHERE project_id = $1 AND user_id = $2 AND role_id = $3";
    if at.db.number(held, &args![&project.id, user_id, role_id]).await? == 0 {
        let sql = "INSERT INTO role_assignments (id, organization_id, project_id, role_id, user_id, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let values = args![new_id("asg"), &project.organization_id, &project.id, role_id, user_id, Timestamp::now().0];
        at.db.run(sql, &values).await?;
    }
    Ok(())
}

/// Somebody who reaches the project, by whatever way.
async fn person<R: ReferenceText>(at: &mut Session, project: &ProjectRow, named: &R) -> Result<UserRow, ProviderError> {
    let among = "users u WHERE (EXISTS (SELECT 1 FROM project_members d WHERE d.project_id = $1 AND d.user_id = u.id) OR \
                 EXISTS (SELECT 1 FROM project_teams pt JOIN team_members m ON m.team_id = pt.team_id \
                         WHERE pt.project_id = $1 AND m.user_id = u.id))";
    let scope = format!("project `{}`", project.name);
    at.person_among(among, &args![&project.id], &Sought::of(named, &scope, "list_project_members")).await
}

/// The own place of somebody who is named; who is here through a team only has none.
async fn place(at: &mut Session, project: &ProjectRow, named: &MemberRef) -> Result<OwnMembership, ProviderError> {
    let user = person(at, project, named).await?;
    if let Some(place) = own_place(at, project, &user).await? {
        return Ok(place);
    }
    let teams = at.teams_between(&project.id, &user.id).await?.join(", ");
    Err(ProviderError::conflict(
        BY_TEAM_ONLY,
        format!("`{}` has no place of their own in project `{}`; access comes through team `{teams}`", user.email, project.name),
        "give them one with add_project_member, or change the team's access with remove_team_member, remove_project_team or assign_role",
    ))
}

async fn own_place(at: &mut Session, project: &ProjectRow, user: &UserRow) -> Result<Option<OwnMembership>, ProviderError> {
    let values = args![&project.id, &user.id];
    let joined: Option<(i64,)> = at.db.one("SELECT joined_at FROM project_members WHERE project_id = $1 AND user_id = $2", &values).await?;
    let Some((joined_at,)) = joined else { return Ok(None) };
    let sql = "SELECT r.id, r.name FROM role_assignments a JOIN roles r ON r.id = a.role_id \
               WHERE a.project_id = $1 AND a.user_id = $2 ORDER BY r.name";
    let roles = at.db.all(sql, &values).await?;
    Ok(Some(OwnMembership { user: user.clone(), roles, joined_at }))
}

fn names(roles: &[OwnRole]) -> Vec<String> {
    roles.iter().map(|it| it.name.clone()).collect()
}

fn as_roles(held: &[String]) -> String {
    if held.is_empty() { String::new() } else { format!(", as {}", held.join(", ")) }
}

fn target(user: &UserRow, project: &ProjectRow) -> Target {
    Target::new("member", &user.email, &user.id, &project.organization).within("project", &project.name, &project.id)
}

pub(super) fn view(project: &ProjectRow, user: &UserRow, roles: Vec<String>, since: Option<i64>) -> Member {
    Member {
        member: user.email.clone(),
        name: Some(user.name.clone()),
        id: Some(user.id.clone()),
        roles,
        organization: Some(project.organization.clone()),
        project: Some(project.name.clone()),
        since: since.map(Timestamp),
        ..Member::default()
    }
}
