//! People of projects, one by one and many at once.

use super::{
    Session,
    people::{by_role, key, seat, seats},
    places, seats as change,
};
use crate::{
    domain::{List, PageRequest, members::Member},
    error::ProviderError,
    providers::http::{Draft, cut},
    tools::project_members::{AddProjectMember, GetProjectMember, ListProjectMembers, RemoveProjectMember, UpdateProjectMember},
};

pub(super) async fn list(at: &Session, op: &ListProjectMembers) -> Result<List<Member>, ProviderError> {
    let project = places::project(at, &op.project).await?;
    let mut people = by_role(at, seats(at, &project).await?.to_vec(), op.role.as_ref(), &project).await?;
    if let Some(query) = &op.query {
        people.retain(|it| it.matches(query));
    }
    let brief = |it: Member| Member { organization: None, project: None, ..it };
    let views = people.iter().map(|it| brief(it.member(&project))).collect();
    cut(views, &PageRequest::of(op.limit, op.cursor.as_ref()), key)
}

pub(super) async fn get(at: &Session, op: &GetProjectMember) -> Result<Member, ProviderError> {
    let project = places::project(at, &op.project).await?;
    Ok(seat(at, &project, &op.member).await?.member(&project))
}

pub(super) async fn add(at: &Session, op: &AddProjectMember) -> Result<Draft<Member>, ProviderError> {
    let [role] = op.roles.as_slice() else {
        return Err(ProviderError::invalid("a member of a project has exactly one role at SeeMe.ai", "name one role in `roles`"));
    };
    let project = places::project(at, &op.project).await?;
    change::add(at, project, &op.member, Some(role)).await
}

pub(super) async fn update(at: &Session, op: &UpdateProjectMember) -> Result<Draft<Member>, ProviderError> {
    let project = places::project(at, &op.project).await?;
    change::update(at, project, &op.member, &op.role).await
}

pub(super) async fn remove(at: &Session, op: &RemoveProjectMember) -> Result<Draft<Member>, ProviderError> {
    let project = places::project(at, &op.project).await?;
    change::remove(at, project, &op.member).await
}
