//! From names to ids: exactly one, or an error that says what to write instead.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    Session, TokenKind,
    wire::{Listing, WireMember, WireProject, WireRole, list, read},
};
use crate::{
    domain::{
        OrganizationRef, ProjectRef, ReferenceText, RoleRef, Target,
        access::{self, Named},
        fold,
    },
    error::ProviderError,
    providers::{
        meant::{at_most_one, has_id, is_called},
        people::Sought,
        resolve::matching,
    },
};

/// The organization that a connection works in.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) id: String,
    pub(super) name: String,
}

/// A project, resolved.
#[derive(Debug, Clone)]
pub(super) struct FoundProject {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) organization: Option<String>,
    organization_id: Option<String>,
}

impl FoundProject {
    /// A project as a list shows it.
    pub(super) fn of(it: &WireProject) -> Self {
        Self {
            id: it.project_id.clone(),
            name: it.project_name.clone(),
            description: it.project_description.clone(),
            organization: it.organization_name.clone(),
            organization_id: it.organization_id.clone(),
        }
    }

    /// The organization that it is in, as far as that is told.
    pub(super) fn organization_named(&self) -> Named {
        Named::new(self.organization.clone().unwrap_or_default(), self.organization_id.clone().unwrap_or_default())
    }

    /// Where roles of it are held.
    pub(super) fn place(&self) -> access::Place {
        access::Place::Project { project: Named::new(&self.name, &self.id), organization: self.organization_named() }
    }

    /// How our tools are told which project is meant.
    pub(super) fn reference(&self) -> ProjectRef {
        ProjectRef::read(&self.id)
    }

    /// For sentences.
    pub(super) fn says(&self) -> String {
        format!("project `{}`", self.name)
    }

    /// A thing of this project, as a target.
    pub(super) fn target(&self, kind: &str, name: &str, id: Option<&str>) -> Target {
        let (kind, name, id) = (kind.to_owned(), name.to_owned(), id.map(str::to_owned));
        Target { kind, name, id, within: None, organization: self.organization.clone() }.within("project", &self.name, &self.id)
    }
}

/// What the token is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTokenInfo {
    #[serde(default)]
    pub(super) organization_id: String,
    #[serde(default)]
    pub(super) organization_name: String,
    #[serde(default)]
    pub(super) scope: Option<String>,
    #[serde(default)]
    pub(super) project_name: Option<String>,
}

impl Session {
    /// `GET /v1/accessControl/apitoken/validate`.
    pub(super) async fn token_info(&self) -> Result<WireTokenInfo, ProviderError> {
        self.get("/v1/accessControl/apitoken/validate").send().await
    }

    /// The organization of the token. An OAuth token has none of its own: the configuration says which one is meant.
    pub(super) async fn own(&self) -> Result<Own, ProviderError> {
        if let (TokenKind::OAuth, Some(id)) = (self.settings.kind, &self.settings.organization_id) {
            return Ok(Own { id: id.clone(), name: id.clone() });
        }
        let info = self.token_info().await?;
        Ok(Own { id: info.organization_id, name: info.organization_name })
    }

    /// The organization that is named, which can only be the connection's own.
    pub(super) async fn organization(&self, named: Option<&OrganizationRef>) -> Result<Own, ProviderError> {
        let own = self.own().await?;
        let is = |text: &str| !matching(&[&own], "organization", text, |it| &it.id, |it| vec![it.name.as_str()], |_| Vec::new()).is_empty();
        if let Some(named) = named.map(ReferenceText::text).filter(|it| !is(it)) {
            return Err(ProviderError::NotFound {
                kind: "organization",
                name: named.to_owned(),
                scope: String::new(),
                fix: format!("this connection reaches `{}` only: leave `organization` out, or use another connection", own.name),
            });
        }
        self.within_pin(Some(&own.id), Some(&own.name))?;
        Ok(own)
    }

    /// Refuses what is outside the organization that the connection is kept to.
    pub(super) fn within_pin(&self, id: Option<&str>, name: Option<&str>) -> Result<(), ProviderError> {
        let Some(pin) = self.settings.remote.pin.as_deref() else { return Ok(()) };
        if has_id(id, pin) || is_called(name, pin) {
            return Ok(());
        }
        let shown = name.or(id).unwrap_or("this");
        Err(ProviderError::conflict(
            "outside_connection",
            format!("`{shown}` is not the organization of this connection, which is kept to `{pin}`"),
            "use another connection, or leave `organization` out",
        ))
    }

    /// All projects of the organization, as lists show them.
    pub(super) async fn projects(&self) -> Result<Arc<Vec<WireProject>>, ProviderError> {
        let request = self.get("/v1/organization/projects").query("detail", "summary");
        self.once("projects", || async { read(self, &list(&*request.value().await?, "projects", &[])) }).await
    }

    /// The project that is named.
    pub(super) async fn project(&self, named: &ProjectRef) -> Result<FoundProject, ProviderError> {
        let wanted = named.text();
        let projects = self.projects().await?;
        let found = only(&projects, "project", wanted, "", |it| &it.project_id, |it| it.project_name.clone(), "list_projects")?;
        let place = FoundProject::of(found);
        self.within_pin(place.organization_id.as_deref(), place.organization.as_deref())?;
        Ok(place)
    }

    /// All roles that can be held in a project.
    pub(super) async fn roles(&self, project: &FoundProject) -> Result<Arc<Vec<WireRole>>, ProviderError> {
        in_project("/v2/accessControl/projects/roles", "roles", project).all(self).await
    }

    /// The role that is named, of those that can be held in a project.
    pub(super) async fn role(&self, project: &FoundProject, named: &RoleRef) -> Result<WireRole, ProviderError> {
        let roles = self.roles(project).await?;
        let found = matching(&roles, "role", named.text(), |it| &it.id, |it| vec![it.name.as_str()], |_| Vec::new());
        if found.is_empty() {
            let names: Vec<&str> = roles.iter().map(|it| it.name.as_str()).collect();
            return Err(ProviderError::NotFound {
                kind: "role",
                name: named.text().to_owned(),
                scope: project.says(),
                fix: format!("use one of: {}", names.join(", ")),
            });
        }
        only(&roles, "role", named.text(), "", |it| &it.id, |it| it.name.clone(), "list_roles").cloned()
    }

    /// Everybody in a project.
    pub(super) async fn members(&self, project: &FoundProject) -> Result<Arc<Vec<WireMember>>, ProviderError> {
        in_project("/v2/accessControl/projects/members", "members", project).all(self).await
    }

    /// Somebody in a project.
    pub(super) async fn member<R: ReferenceText>(&self, project: &FoundProject, named: &R) -> Result<WireMember, ProviderError> {
        let (people, scope) = (self.members(project).await?, project.says());
        let found = Sought::of(named, &scope, "list_project_members").among(&people, WireMember::known).cloned();
        found.map_err(|error| match error {
            ProviderError::NotFound { kind, name, scope, fix } if !fix.starts_with("did you mean") => {
                let fix = format!("{fix}; who was invited and has not accepted is not in it");
                ProviderError::NotFound { kind, name, scope, fix }
            }
            other => other,
        })
    }

    /// Everybody in the organization.
    pub(super) async fn people(&self, own: &Own) -> Result<Arc<Vec<WireMember>>, ProviderError> {
        organization_members(own).all(self).await
    }

    /// Somebody in the organization.
    pub(super) async fn person<R: ReferenceText>(&self, own: &Own, named: &R) -> Result<WireMember, ProviderError> {
        let (people, scope) = (self.people(own).await?, format!("organization `{}`", own.name));
        Sought::of(named, &scope, "list_organization_members").among(&people, WireMember::known).cloned()
    }

    /// The address of somebody of the organization; one that is written out need not be looked for.
    pub(super) async fn address<R: ReferenceText>(&self, own: &Own, named: &R) -> Result<String, ProviderError> {
        if named.text().contains('@') {
            return Ok(named.text().to_lowercase());
        }
        let person = self.person(own, named).await?;
        person.email.clone().filter(|it| !it.is_empty()).ok_or_else(|| {
            let message = format!("the service does not tell the address of `{}`", named.text());
            ProviderError::conflict("address_hidden", message, "give their e-mail address")
        })
    }
}

/// A list of one project.
pub(super) fn in_project(path: &'static str, key: &'static str, project: &FoundProject) -> Listing {
    let target = Some(("project-id", project.id.clone()));
    Listing { target, wrappers: &["projects", "project"], ..Listing::of(path, key) }
}

/// `GET /v2/accessControl/organizations/members`. The organization is named twice: descriptions differ in where it belongs.
pub(super) fn organization_members(own: &Own) -> Listing {
    Listing {
        target: Some(("organization-id", own.id.clone())),
        query: vec![("organizationId", own.id.clone())],
        wrappers: &["organization", "organizations"],
        ..Listing::of("/v2/accessControl/organizations/members", "members")
    }
}

/// Takes the only match.
pub(super) fn only<'a, T>(
    all: &'a [T],
    kind: &'static str,
    wanted: &str,
    scope: &str,
    id: impl Fn(&T) -> &str,
    name: impl Fn(&T) -> String,
    list_tool: &str,
) -> Result<&'a T, ProviderError> {
    let names: Vec<String> = all.iter().map(&name).collect();
    let known: Vec<(&T, &str)> = all.iter().zip(names.iter().map(String::as_str)).collect();
    let fitting = matching(&known, kind, wanted, |it| id(it.0), |it| vec![it.1], |_| Vec::new());
    let only = at_most_one(fitting, kind, wanted, |it| format!("{} [{}]", it.1, id(it.0)))?;
    only.map(|it| it.0).ok_or_else(|| ProviderError::NotFound {
        kind,
        name: wanted.to_owned(),
        scope: scope.to_owned(),
        fix: near(wanted, names.iter().cloned(), list_tool),
    })
}

fn near(wanted: &str, names: impl Iterator<Item = String>, list_tool: &str) -> String {
    let mut near: Vec<(f64, String)> = names.map(|it| (strsim::jaro_winkler(&fold(&it), &fold(wanted)), it)).collect();
    near.retain(|it| it.0 > 0.8);
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<String> = near.into_iter().take(3).map(|it| format!("`{}`", it.1)).collect();
    if near.is_empty() {
        return format!("find it with {list_tool}; names are matched whole");
    }
    format!("did you mean {}? {list_tool} has all", near.join(" or "))
}
