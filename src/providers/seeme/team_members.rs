//! People of teams.

use super::{
    Session,
    people::{key, seats},
    places, seats as change,
};
use crate::{
    domain::{List, PageRequest, members::Member},
    error::ProviderError,
    providers::http::{Draft, cut},
    tools::teams::{AddTeamMember, ListTeamMembers, RemoveTeamMember, UpdateTeamMember},
};

pub(super) async fn list(at: &Session, op: &ListTeamMembers) -> Result<List<Member>, ProviderError> {
    let team = places::team(at, &op.team, None).await?;
    let people = seats(at, &team).await?;
    let brief = |it: Member| Member { organization: None, team: None, ..it };
    let views = people.iter().map(|it| brief(it.member(&team))).collect();
    cut(views, &PageRequest::of(op.limit, op.cursor.as_ref()), key)
}

pub(super) async fn add(at: &Session, op: &AddTeamMember) -> Result<Draft<Member>, ProviderError> {
    let team = places::team(at, &op.team, None).await?;
    change::add(at, team, &op.member, op.role.as_ref()).await
}

pub(super) async fn update(at: &Session, op: &UpdateTeamMember) -> Result<Draft<Member>, ProviderError> {
    let team = places::team(at, &op.team, None).await?;
    change::update(at, team, &op.member, &op.role).await
}

pub(super) async fn remove(at: &Session, op: &RemoveTeamMember) -> Result<Draft<Member>, ProviderError> {
    let team = places::team(at, &op.team, None).await?;
    change::remove(at, team, &op.member).await
}
