//! People of the directory's teams.

use serde_json::json;

use super::{
    Session,
    compared::{Alone, Look},
    members::role_by_id,
    page::PageQuery,
    resolve::{RoleRow, TeamRow},
    select::{Kept, Select},
};
use crate::{
    domain::{
        Change, Inverse, List, MemberRef, PageRequest, ReferenceText as _, RoleRef, Target, Timestamp, members::Member, roles::RoleLevel,
    },
    error::ProviderError,
    providers::people::Sought,
    store::{StoreError, args, row},
    tools::teams::{AddTeamMember, ListTeamMembers, RemoveTeamMember, UpdateTeamMember},
};

/// The role of who is added without one.
const DEFAULT_ROLE: &str = "role_team_member";

row! {
    struct MembershipRow { id: String, email: String, name: String, role_id: String, role: String, joined_at: i64 }
}

const PLACE: &str = "u.id, u.email, u.name, r.id AS role_id, r.name AS role, m.joined_at";

const PLACES: &str = "SELECT u.id, u.email, u.name, r.id AS role_id, r.name AS role, m.joined_at FROM team_members m \
     JOIN users u ON u.id = m.user_id JOIN roles r ON r.id = m.role_id";

pub(super) async fn list(at: &mut Session, op: &ListTeamMembers) -> Result<List<Member>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let team = at.team(&op.team).await?;
    let mut found = Select::new(PLACE, "people_in x CROSS JOIN team_members m CROSS JOIN users u CROSS JOIN roles r");
    found.with("x.place_id = {}", &team.id);
    found.and("m.team_id = x.place_id AND m.user_id = x.user_id AND u.id = x.user_id AND r.id = m.role_id");
    let rows: Vec<MembershipRow> = found.page(at, &["x.email"], page.after_one(), &page).await?;
    let total = at.kept_of(Kept::Members, &team.id).await?;
    let brief = |it: MembershipRow| Member { organization: None, team: None, ..view(&team, it) };
    Ok(page.page(rows, Some(total), |it| it.email.clone(), brief))
}

pub(super) async fn add(at: &mut Session, op: &AddTeamMember) -> Result<Change<Member>, ProviderError> {
    let team = at.team(&op.team).await?;
    let user = at.candidate(&team.organization_id, &team.organization, op.member.text()).await?;
    let role = role(at, op.role.as_ref(), &team).await?;
    if let Some(place) = place_of(at, &team, &user.id).await? {
        return Err(ProviderError::already(
            "already_member",
            op.role.is_none() || place.role_id == role.id,
            format!("`{}` is in team `{}` already, as {}", user.email, team.name, place.role),
            "change the role with update_team_member",
        ));
    }
    let look = Look::at(at, &team.organization_id, vec![user.id.clone()]).await?;
    let sql = "INSERT INTO team_members (team_id, user_id, role_id, joined_at) VALUES ($1, $2, $3, $4)";
    at.db.run(sql, &args![&team.id, &user.id, &role.id, Timestamp::now().0]).await?;
    let after = kept(at, &team, &user.id).await?;
    let inverse = Inverse::call::<RemoveTeamMember>(json!({ "team": team.id, "member": user.id }));
    let facts = look.facts(at).await?.undo("remove_team_member");
    Ok(Change::created(target(&user.email, &user.id, &team), facts, view(&team, after)).inverse(inverse))
}

pub(super) async fn update(at: &mut Session, op: &UpdateTeamMember) -> Result<Change<Member>, ProviderError> {
    let team = at.team(&op.team).await?;
    let before = place(at, &team, &op.member).await?;
    let role = role(at, Some(&op.role), &team).await?;
    let look = Look::at(at, &team.organization_id, vec![before.id.clone()]).await?;
    at.db.run("UPDATE team_members SET role_id = $3 WHERE team_id = $1 AND user_id = $2", &args![&team.id, &before.id, &role.id]).await?;
    let after = kept(at, &team, &before.id).await?;
    let inverse = Inverse::call::<UpdateTeamMember>(json!({ "team": team.id, "member": before.id, "role": before.role_id }));
    let facts = look.facts(at).await?.undo(format!("update_team_member with role {}", before.role));
    Ok(Change::updated(target(&before.email, &before.id, &team), facts, view(&team, before), view(&team, after)).inverse(inverse))
}

pub(super) async fn remove(at: &mut Session, op: &RemoveTeamMember) -> Result<Change<Member>, ProviderError> {
    let team = at.team(&op.team).await?;
    let before = match place(at, &team, &op.member).await {
        Err(error @ ProviderError::NotFound { .. }) => {
            let (home, here) = ((&*team.organization_id, &*team.organization), format!("team `{}`", team.name));
            return Err(at.gone_or(error, home, op.member.text(), (&here, "list_team_members")).await);
        }
        found => found?,
    };
    at.keep_an_owner_without_team(&team, Some(&before.id)).await?;
    let look = Look::at(at, &team.organization_id, vec![before.id.clone()]).await?;
    let alone = Alone::of_person(at, &team.organization_id, &before.id).await?;
    at.db.run("DELETE FROM team_members WHERE team_id = $1 AND user_id = $2", &args![&team.id, &before.id]).await?;
    let inverse = Inverse::call::<AddTeamMember>(json!({ "team": team.id, "member": before.id, "role": before.role_id }));
    let facts = look.facts(at).await?;
    let facts = alone.since(at, facts).await?.undo(format!("add_team_member with role {}", before.role));
    Ok(Change::removed(target(&before.email, &before.id, &team), facts, view(&team, before)).inverse(inverse))
}

/// The role that is named, or the one that is given without a word.
async fn role(at: &mut Session, named: Option<&RoleRef>, team: &TeamRow) -> Result<RoleRow, ProviderError> {
    let Some(named) = named else { return role_by_id(at, DEFAULT_ROLE).await };
    at.role(named, RoleLevel::Team, &team.organization_id, None).await
}

/// The place of somebody who is in the team.
async fn place(at: &mut Session, team: &TeamRow, named: &MemberRef) -> Result<MembershipRow, ProviderError> {
    let among = "users u JOIN team_members m ON m.user_id = u.id WHERE m.team_id = $1";
    let scope = format!("team `{}`", team.name);
    let person = at.person_among(among, &args![&team.id], &Sought::of(named, &scope, "list_team_members")).await?;
    kept(at, team, &person.id).await
}

async fn place_of(at: &mut Session, team: &TeamRow, user_id: &str) -> Result<Option<MembershipRow>, ProviderError> {
    Ok(at.db.one(&format!("{PLACES} WHERE m.team_id = $1 AND u.id = $2"), &args![&team.id, user_id]).await?)
}

/// The place that was just written.
async fn kept(at: &mut Session, team: &TeamRow, user_id: &str) -> Result<MembershipRow, ProviderError> {
    let place = place_of(at, team, user_id).await?;
    place.ok_or_else(|| StoreError::Unreadable(format!("the place of {user_id} in team {} is missing", team.id)).into())
}

fn target(email: &str, id: &str, team: &TeamRow) -> Target {
    Target::new("member", email, id, &team.organization).within("team", &team.name, &team.id)
}

fn view(team: &TeamRow, it: MembershipRow) -> Member {
    Member {
        member: it.email,
        name: Some(it.name),
        id: Some(it.id),
        roles: vec![it.role],
        organization: Some(team.organization.clone()),
        team: Some(team.name.clone()),
        since: Some(Timestamp(it.joined_at)),
        ..Member::default()
    }
}
