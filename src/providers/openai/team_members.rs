//! People of teams.

use serde::Deserialize;
use serde_json::json;

use super::{Session, errors::found, held, lists, members::WireUser, reach, teams::WireGroup};
use crate::{
    domain::{Facts, Inverse, List, MemberRef, PageRequest, Target, TeamRef, access::Holder, members::Member},
    error::ProviderError,
    providers::http::Draft,
    tools::teams::{AddTeamMember, ListTeamMembers, RemoveTeamMember},
};

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireGroupUser {
    pub(super) id: String,
    name: Option<String>,
    email: Option<String>,
}

impl WireGroupUser {
    pub(super) fn label(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.id)
    }

    pub(super) fn holder(&self) -> Holder {
        held::person(&self.id, self.email.as_deref())
    }

    pub(super) fn view(&self, team: &str) -> Member {
        Member {
            member: self.label().to_owned(),
            name: self.name.clone(),
            id: Some(self.id.clone()),
            team: Some(team.to_owned()),
            ..Member::default()
        }
    }
}

pub(super) async fn all(at: &Session, group_id: &str) -> Result<Vec<WireGroupUser>, ProviderError> {
    lists::all(at, lists::BY_NEXT, |at| at.get("/organization/groups/{group_id}/users").path("group_id", group_id)).await
}

/// One person of a group, if they are in it.
pub(super) async fn one(at: &Session, group_id: &str, user_id: &str) -> Result<Option<WireGroupUser>, ProviderError> {
    let request = at.get("/organization/groups/{group_id}/users/{user_id}").path("group_id", group_id).path("user_id", user_id);
    found(request.send().await)
}

/// `GET /organization/groups/{group_id}/users`
pub(super) async fn list(at: &Session, op: &ListTeamMembers) -> Result<List<Member>, ProviderError> {
    let group = at.team(&op.team).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let request = at.get("/organization/groups/{group_id}/users").path("group_id", &group.id);
    lists::page(request, &page, |it: WireGroupUser| it.view(&group.name)).await
}

/// `POST /organization/groups/{group_id}/users`
pub(super) async fn add(at: &Session, op: &AddTeamMember) -> Result<Draft<Member>, ProviderError> {
    let group = at.team(&op.team).await?;
    group.is_ours()?;
    let person = at.person(&op.member).await?;
    if one(at, &group.id, &person.id).await?.is_some() {
        let message = format!("`{}` is in team `{}` already", person.label(), group.name);
        return Err(ProviderError::conflict("already_member", message, "nothing needs to be done; see list_team_members"));
    }
    let facts = reach::of_team(at, &group).await?.opens(at, &group, &person.holder()).undo("remove_team_member");
    let facts = held::around(at, facts).await?;
    let request = at.post("/organization/groups/{group_id}/users").path("group_id", &group.id).json(json!({ "user_id": person.id }));
    let back = Inverse::of(&RemoveTeamMember { team: TeamRef::read(&group.id), member: MemberRef::read(&person.id) });
    let after = Member { team: Some(group.name.clone()), roles: Vec::new(), since: None, ..person.view() };
    Ok(Draft::of(target(at, &group, &person), facts)
        .sends(request)
        .leaves(after)
        .undone_by([back])
        .found_by(at, move |at| async move { Ok(one(&at, &group.id, &person.id).await?.is_some()) }))
}

/// `DELETE /organization/groups/{group_id}/users/{user_id}`
pub(super) async fn remove(at: &Session, op: &RemoveTeamMember) -> Result<Draft<Member>, ProviderError> {
    let group = at.team(&op.team).await?;
    group.is_ours()?;
    let person = at.person(&op.member).await?;
    let Some(member) = one(at, &group.id, &person.id).await? else {
        let message = format!("`{}` is not in team `{}`", person.label(), group.name);
        return Err(ProviderError::gone(message, "list_team_members"));
    };
    let reach = reach::of_team(at, &group).await?;
    let facts = reach.closes(at, &group, &[person.holder()], Facts::none()).await?;
    let facts = facts.about(held::called(at)).undo("add_team_member with the same arguments");
    let request = at.delete("/organization/groups/{group_id}/users/{user_id}").path("group_id", &group.id).path("user_id", &person.id);
    let back = Inverse::of(&AddTeamMember { team: TeamRef::read(&group.id), member: MemberRef::read(&person.id), role: None });
    Ok(Draft::of(target(at, &group, &person), facts)
        .before(member.view(&group.name))
        .sends(request)
        .ends()
        .undone_by([back])
        .found_by(at, move |at| async move { Ok(one(&at, &group.id, &person.id).await?.is_none()) }))
}

fn target(at: &Session, group: &WireGroup, person: &WireUser) -> Target {
    at.target("member", person.label(), &person.id).within("team", &group.name, &group.id)
}
