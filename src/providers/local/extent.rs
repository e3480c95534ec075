//! What a limit or a certificate is for: a project, or a whole organization.

use super::{Session, resolve::ProjectRow};
use crate::{
    domain::{OrganizationRef, ProjectRef, ReferenceText as _, Target},
    error::{ProviderError, shown},
};

/// A project, or the organization where no project was named.
pub(super) struct Extent {
    pub(super) organization_id: String,
    pub(super) organization: String,
    pub(super) project: Option<Part>,
}

/// The project that is meant.
pub(super) struct Part {
    pub(super) id: String,
    pub(super) name: String,
}

impl Extent {
    /// To look at: archived projects too.
    pub(super) async fn read(at: &mut Session, project: Option<&ProjectRef>) -> Result<Self, ProviderError> {
        match project {
            Some(named) => Ok(Self::of(at.project(named).await?)),
            None => Self::whole(at).await,
        }
    }

    /// The same where an organization can be named: alone, or to say whose project it is.
    pub(super) async fn read_in(
        at: &mut Session,
        organization: Option<&OrganizationRef>,
        project: Option<&ProjectRef>,
    ) -> Result<Self, ProviderError> {
        let Some(named) = organization else { return Self::read(at, project).await };
        let organization = at.organization(Some(named)).await?;
        let Some(named) = project else {
            return Ok(Self { organization_id: organization.id, organization: organization.name, project: None });
        };
        let found = Self::of(at.project(named).await?);
        if found.organization_id != organization.id {
            return Err(ProviderError::NotFound {
                kind: "project",
                name: named.text().to_owned(),
                scope: format!("organization {}", organization.name),
                fix: format!("the project is in {}: leave `organization` out", found.organization),
            });
        }
        Ok(found)
    }

    /// To change: archived projects are read-only.
    pub(super) async fn write(at: &mut Session, project: Option<&ProjectRef>) -> Result<Self, ProviderError> {
        match project {
            Some(named) => Ok(Self::of(at.active_project(named).await?)),
            None => Self::whole(at).await,
        }
    }

    fn of(it: ProjectRow) -> Self {
        Self { organization_id: it.organization_id, organization: it.organization, project: Some(Part { id: it.id, name: it.name }) }
    }

    /// Most of these operations have no `organization` argument, so the usual advice to name one would lead nowhere.
    async fn whole(at: &mut Session) -> Result<Self, ProviderError> {
        match at.organization(None).await {
            Ok(it) => Ok(Self { organization_id: it.id, organization: it.name, project: None }),
            Err(ProviderError::Ambiguous { candidates, .. }) => Err(ProviderError::conflict(
                "ambiguous_organization",
                match shown(&candidates) {
                    (shown, 0) => format!("there are {} organizations: {}", candidates.len(), shown.join(", ")),
                    (shown, more) => format!("there are {} organizations: {} and {more} more", candidates.len(), shown.join(", ")),
                },
                "name a `project`, or use a connection that is kept to one organization",
            )),
            Err(other) => Err(other),
        }
    }

    pub(super) fn project_id(&self) -> Option<&str> {
        self.project.as_ref().map(|it| it.id.as_str())
    }

    pub(super) fn project_name(&self) -> Option<String> {
        self.project.as_ref().map(|it| it.name.clone())
    }

    /// The name alone.
    pub(super) fn name(&self) -> &str {
        self.project.as_ref().map_or(&self.organization, |it| &it.name)
    }

    /// The id of the project or organization.
    pub(super) fn id(&self) -> &str {
        self.project_id().unwrap_or(&self.organization_id)
    }

    /// For sentences: ``project `Atlas` ``.
    pub(super) fn says(&self) -> String {
        format!("{} `{}`", if self.project.is_some() { "project" } else { "organization" }, self.name())
    }

    /// A thing of this extent, as a target.
    pub(super) fn target(&self, kind: &str, name: &str, id: Option<&str>) -> Target {
        let target = Target { id: id.map(str::to_owned), ..Target::new_one(kind, name, &self.organization) };
        match &self.project {
            Some(project) => target.within("project", &project.name, &project.id),
            None => target,
        }
    }
}
