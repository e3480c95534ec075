//! Roles that can be held in a project.

use super::{
    Session,
    resolve::{FoundProject, in_project},
    wire::WireRole,
};
use crate::{
    domain::{
        List, PageRequest, ProjectRef,
        roles::{Role, RoleLevel},
    },
    error::ProviderError,
    tools::roles::{GetRole, ListRoles},
};

/// `GET /v2/accessControl/projects/roles`.
pub(super) async fn list(at: &Session, op: &ListRoles) -> Result<List<Role>, ProviderError> {
    let project = at.project(needed(op.project.as_ref())?).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let listing = in_project("/v2/accessControl/projects/roles", "roles", &project).of_types(&op.role_types)?;
    let found: List<WireRole> = listing.page(at, &page).await?;
    Ok(found.map(|it| view(it, &project)))
}

/// From the list.
pub(super) async fn get(at: &Session, op: &GetRole) -> Result<Role, ProviderError> {
    let project = at.project(needed(op.project.as_ref())?).await?;
    Ok(view(at.role(&project, &op.role).await?, &project))
}

/// The service tells roles of a project only.
fn needed(project: Option<&ProjectRef>) -> Result<&ProjectRef, ProviderError> {
    project.ok_or_else(|| ProviderError::invalid("`project` is missing: this provider has roles in projects only", "name a `project`"))
}

fn view(it: WireRole, project: &FoundProject) -> Role {
    Role {
        role: it.name,
        id: it.id,
        level: Some(RoleLevel::Project),
        built_in: it.origin.map(|it| it.eq_ignore_ascii_case("system")),
        description: it.kind.map(|it| format!("{it} role")),
        permissions: Vec::new(),
        organization: project.organization.clone(),
        project: Some(project.name.clone()),
    }
}
