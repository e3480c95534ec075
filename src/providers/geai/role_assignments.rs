//! Who holds which role: told by the lists of people.

use super::{Session, wire::WireMember};
use crate::{
    domain::{List, PageRequest, fold, roles::RoleAssignment},
    error::ProviderError,
    providers::{http::cut, people::Sought},
    tools::roles::ListRoleAssignments,
};

/// From the people of a project, or of the organization where none is named.
pub(super) async fn list(at: &Session, op: &ListRoleAssignments) -> Result<List<RoleAssignment>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let (people, organization, project) = if let Some(named) = &op.project {
        let project = at.project(named).await?;
        (at.members(&project).await?, project.organization.clone().unwrap_or_default(), Some(project.name))
    } else {
        let own = at.organization(None).await?;
        (at.people(&own).await?, own.name, None)
    };
    let people: Vec<WireMember> = match &op.member {
        None => people.to_vec(),
        Some(named) => {
            let (scope, list_tool) = match &project {
                Some(project) => (format!("project `{project}`"), "list_project_members"),
                None => (format!("organization `{organization}`"), "list_organization_members"),
            };
            vec![Sought::of(named, &scope, list_tool).among(&people, WireMember::known)?.clone()]
        }
    };
    let mut held = Vec::new();
    for person in people {
        let member = person.label();
        for role in person.roles {
            held.push(RoleAssignment {
                role: role.name,
                role_id: role.id,
                member: Some(member.clone()),
                team: None,
                organization: organization.clone(),
                project: project.clone(),
                via_team: None,
            });
        }
    }
    cut(held, &page, |it| format!("{} {} {}", it.member.as_deref().map(fold).unwrap_or_default(), fold(&it.role), it.role_id))
}
