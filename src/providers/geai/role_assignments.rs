//! Who holds which role: told by the lists of people.

use super::{Session, wire::WireMember};
use crate::{
    domain::{List, PageRequest, ReferenceText as _, fold, roles::RoleAssignment},
    error::ProviderError,
    providers::http::cut,
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
            let found = WireMember::find(&people, named.text())?;
            vec![found.ok_or_else(|| ProviderError::NotFound {
                kind: "member",
                name: named.text().to_owned(),
                scope: project.as_ref().map_or_else(|| format!("organization `{organization}`"), |it| format!("project `{it}`")),
                fix: "find them with list_project_members or list_organization_members".into(),
            })?]
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
