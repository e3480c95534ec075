//! From names to things of the service: exactly one, or an error that says what to write instead.

use std::{collections::HashSet, sync::Arc};

use futures_util::future::try_join_all;

use super::{
    Session,
    wire::{WireConfigs, WireOrg, WireOrgs, WireProject, WireProjects, WireSeat, WireSeats, WireUser},
};
use crate::{
    domain::{OrganizationRef, ProjectRef, ReferenceText as _, fold},
    error::{ProviderError, unnamed},
    providers::{
        http::{Reading, Request},
        meant::at_most_one,
        resolve::matching,
    },
};

/// What is looked for, for messages.
pub(super) struct Wanted<'a> {
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    /// Where it was looked for; empty for everywhere.
    pub(super) scope: &'a str,
    pub(super) list_tool: &'static str,
}

/// Takes the only match.
pub(super) fn only<T: Clone>(
    all: &[T],
    wanted: &Wanted<'_>,
    id: impl Fn(&T) -> &str,
    name: impl Fn(&T) -> &str,
    within: impl Fn(&T) -> [&str; 2],
    label: impl Fn(&T) -> String,
) -> Result<T, ProviderError> {
    let fitting = matching(all, wanted.kind, wanted.name, &id, |it| vec![name(it)], |it| within(it).to_vec());
    if let Some(one) = at_most_one(fitting, wanted.kind, wanted.name, |it| label(it))? {
        return Ok(one.clone());
    }
    let folded = fold(wanted.name);
    let mut near: Vec<(f64, String)> =
        all.iter().map(|it| (strsim::jaro_winkler(&fold(name(it)), &folded), format!("`{}`", name(it)))).filter(|it| it.0 > 0.8).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut near: Vec<String> = near.into_iter().map(|it| it.1).collect();
    near.dedup();
    near.truncate(3);
    let fix = if near.is_empty() {
        format!("find it with {}; names are matched whole", wanted.list_tool)
    } else {
        format!("did you mean {}? {} has all of them", near.join(" or "), wanted.list_tool)
    };
    Err(ProviderError::NotFound { kind: wanted.kind, name: wanted.name.to_owned(), scope: wanted.scope.to_owned(), fix })
}

impl Session {
    /// GET orgs: the organizations that the account is in.
    pub(super) async fn orgs(&self) -> Result<Vec<WireOrg>, ProviderError> {
        let reply: WireOrgs = self.get(self.settings.path("orgs")).send().await?;
        Ok(reply.orgs)
    }

    /// GET orgs/{id}.
    pub(super) async fn org(&self, id: &str) -> Result<WireOrg, ProviderError> {
        self.get(self.settings.path("org")).path("id", id).send().await
    }

    /// The organization that is named, or that the connection is kept to, or the only one.
    pub(super) async fn organization(&self, named: Option<&OrganizationRef>) -> Result<WireOrg, ProviderError> {
        let pinned = self.pinned().await?;
        let Some(named) = named else {
            if let Some(pinned) = pinned {
                return Ok(pinned);
            }
            let mut all = self.orgs().await?;
            return match all.len() {
                0 => Err(ProviderError::conflict(
                    "no_organization",
                    "the account is in no organization",
                    "create one with create_organization",
                )),
                1 => Ok(all.remove(0)),
                _ => Err(unnamed("organization", all.iter().map(org_label).collect())),
            };
        };
        let found = self.org_named(named.text()).await?;
        within(pinned.as_ref(), &found.id, &found.name)?;
        Ok(found)
    }

    /// The organization that the connection is kept to.
    pub(super) async fn pinned(&self) -> Result<Option<WireOrg>, ProviderError> {
        match &self.settings.remote.pin {
            Some(pin) => self.org_named(pin).await.map(Some),
            None => Ok(None),
        }
    }

    async fn org_named(&self, name: &str) -> Result<WireOrg, ProviderError> {
        let wanted = Wanted { kind: "organization", name, scope: "", list_tool: "list_organizations" };
        only(&self.orgs().await?, &wanted, |it| &it.id, |it| &it.name, |_| ["", ""], org_label)
    }

    /// GET orgs/{id}/users: members and external users.
    pub(super) async fn people(&self, org_id: &str) -> Result<Arc<Vec<WireSeat>>, ProviderError> {
        self.seats(self.get(self.settings.path("org_users")).path("id", org_id)).await
    }

    /// GET projects/{id}/users.
    pub(super) async fn project_people(&self, project_id: &str) -> Result<Arc<Vec<WireSeat>>, ProviderError> {
        self.seats(self.get(self.settings.path("project_users")).path("id", project_id)).await
    }

    async fn seats(&self, request: Request<Reading>) -> Result<Arc<Vec<WireSeat>>, ProviderError> {
        let key = request.key()?;
        self.once(&key, || async { request.send().await.map(WireSeats::everybody) }).await
    }

    /// GET users?email=…: the account with this e-mail, if there is one.
    pub(super) async fn account(&self, email: &str) -> Result<Option<WireUser>, ProviderError> {
        match self.get(self.settings.path("users")).query("email", email).send::<WireUser>().await {
            // Somebody else's account, should the service ever answer with one, must not be taken for this one.
            Ok(user) => Ok(Some(user).filter(|it| !it.id.is_empty() && it.has_email(email))),
            Err(ProviderError::Remote(error)) if error.code == "not_found" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// GET orgs/{id}/projects.
    pub(super) async fn projects_of(&self, org: &WireOrg) -> Result<Vec<WireProject>, ProviderError> {
        let reply: WireProjects = self.get(self.settings.path("org_projects")).path("id", &org.id).send().await?;
        let mut projects = reply.projects;
        for it in &mut projects {
            org.id.clone_into(&mut it.org.id);
            org.name.clone_into(&mut it.org.name);
        }
        Ok(projects)
    }

    /// The projects that the account can see: of the organization that the connection is kept to, or of all there are, and
    /// those in which it is a guest.
    pub(super) async fn all_projects(&self) -> Result<Vec<WireProject>, ProviderError> {
        Ok(self.known_projects().await?.to_vec())
    }

    /// The same, for whoever looks one up in them row after row.
    async fn known_projects(&self) -> Result<Arc<Vec<WireProject>>, ProviderError> {
        self.once("projects", || self.every_project()).await
    }

    async fn every_project(&self) -> Result<Vec<WireProject>, ProviderError> {
        if let Some(pinned) = self.pinned().await? {
            return self.projects_of(&pinned).await;
        }
        let orgs = self.orgs().await?;
        let mut projects = try_join_all(orgs.iter().map(|it| self.projects_of(it))).await?.concat();
        let own: WireProjects = self.get(self.settings.path("projects")).send().await?;
        projects.extend(own.projects);
        let mut seen = HashSet::new();
        projects.retain(|it| seen.insert(it.id.clone()));
        Ok(projects)
    }

    /// The project that is named.
    pub(super) async fn project(&self, named: &ProjectRef) -> Result<WireProject, ProviderError> {
        let wanted = Wanted { kind: "project", name: named.text(), scope: "", list_tool: "list_projects" };
        let label = |it: &WireProject| format!("{} [{}] in {}", it.name, it.id, it.org.name);
        let all = self.known_projects().await?;
        only(&all, &wanted, |it| &it.id, |it| &it.name, |it| [&it.org.name, &it.org.id], label)
    }

    /// GET configs: roles and permissions.
    pub(super) async fn configs(&self) -> Result<WireConfigs, ProviderError> {
        self.get(self.settings.path("configs")).send().await
    }
}

pub(super) fn org_label(it: &WireOrg) -> String {
    format!("{} [{}]", it.name, it.id)
}

/// Refuses what is outside the organization that the connection is kept to.
fn within(pinned: Option<&WireOrg>, id: &str, name: &str) -> Result<(), ProviderError> {
    match pinned {
        Some(pinned) if pinned.id != id => Err(ProviderError::conflict(
            "outside_connection",
            format!("`{name}` is not the organization of this connection, which is kept to `{}`", pinned.name),
            "use another connection, or leave `organization` out",
        )),
        _ => Ok(()),
    }
}
