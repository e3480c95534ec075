//! Who holds what: the one reader of grants, and the pieces from which the facts of changes are made.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{StreamExt as _, stream};

use super::{
    Session,
    fields::some,
    people::is_external,
    power,
    roles::KnownRole,
    wire::{WireNamed, WireOrg, WireProject, WireSeat, WireUser},
};
use crate::{
    domain::{
        ReferenceText as _, Surroundings,
        access::{Allows, Grant, GrantScope, Grants, Holder, Named, People, Person, Place, Power, Role},
        fold, mail_domain,
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::http::as_far_as_read,
};

/// In how many projects people are looked for: one request each.
pub(super) const MOST_PROJECTS: usize = 50;
const AT_ONCE: usize = 8;

/// All that is told of who holds what in an organization, in a project, or of one person.
pub(super) async fn grants(at: &Session, scope: &GrantScope) -> Result<Grants, ProviderError> {
    let mut seen = Seen { at, known: at.known_roles().await?, grants: Grants::default() };
    as_far_as_read(seen.read(scope).await, &mut seen.grants)?;
    seen.untold("the service does not list the custom tokens with which programs act as a person");
    Ok(seen.grants)
}

/// The people of every organization within reach, external ones included.
pub(super) async fn everybody(at: &Session) -> Result<People, ProviderError> {
    let orgs = match at.pinned().await? {
        Some(pinned) => vec![pinned],
        None => at.orgs().await?,
    };
    let mut found = People::default();
    for org in &orgs {
        found.list.extend(at.people(&org.id).await?.iter().map(|it| it.user.holder()));
    }
    found.unseen.push("people of organizations and projects that the account of this connection does not see".to_owned());
    Ok(found)
}

/// What was seen so far.
struct Seen<'a> {
    at: &'a Session,
    known: Vec<KnownRole>,
    grants: Grants,
}

impl Seen<'_> {
    async fn read(&mut self, scope: &GrantScope) -> Result<(), ProviderError> {
        let at = self.at;
        match scope {
            GrantScope::Organization(named) | GrantScope::Owners(named, _) => {
                let org = at.organization(named.as_ref()).await?;
                self.members(&org, |_| true).await?;
                self.projects(at.projects_of(&org).await?, |_| true).await?;
                self.untold("projects that the account of this connection does not see are not listed");
                Ok(())
            }
            GrantScope::Top(named) => self.members(&at.organization(named.as_ref()).await?, |_| true).await,
            GrantScope::Team(named) => {
                let fix = "this service has no teams".to_owned();
                Err(ProviderError::NotFound { kind: "team", name: named.text().to_owned(), scope: String::new(), fix })
            }
            GrantScope::Project(named) => self.project(&at.project(named).await?).await,
            GrantScope::Person(named) => self.person(named.text()).await,
        }
    }

    /// Members of an organization. Its external users hold roles in projects only.
    async fn members(&mut self, org: &WireOrg, meant: impl Fn(&Grant) -> bool) -> Result<(), ProviderError> {
        let people = self.at.people(&org.id).await?;
        let members = people.iter().filter(|it| !is_external(it));
        let all = members.map(|it| Grant::own(it.user.holder(), power::named(&self.known, &it.role, RoleLevel::Organization), org.place()));
        let meant: Vec<Grant> = all.filter(meant).collect();
        if meant.iter().any(|it| it.role.inside == Allows::Unknown) {
            self.untold(
                "the service does not say whether owners of an organization, and roles it does not explain, reach all its projects",
            );
        }
        self.grants.list.extend(meant);
        Ok(())
    }

    /// People of projects, of the first [`MOST_PROJECTS`].
    async fn projects(&mut self, projects: Vec<WireProject>, meant: impl Fn(&WireSeat) -> bool) -> Result<(), ProviderError> {
        let more = projects.len().saturating_sub(MOST_PROJECTS);
        let (looked, ended) = self.at.looked_into(projects).await;
        for (project, seats) in looked {
            match seats {
                Some(seats) => {
                    let own: Vec<Grant> = seats.iter().filter(|it| meant(it)).map(|it| self.seat(it, &project)).collect();
                    self.grants.list.extend(own);
                }
                None => self.untold(format!("who is in project {} is not shown to the account of this connection", project.name)),
            }
        }
        if more > 0 {
            self.untold(format!("{more} more projects were not looked into"));
        }
        ended.map_or(Ok(()), Err)
    }

    fn seat(&self, seat: &WireSeat, project: &WireProject) -> Grant {
        Grant::own(seat.user.holder(), power::named(&self.known, &seat.role, RoleLevel::Project), project.place())
    }

    /// People of a project, and those who may reach it by their role in the organization.
    async fn project(&mut self, project: &WireProject) -> Result<(), ProviderError> {
        let own = self.at.project_people(&project.id).await?;
        let own: Vec<Grant> = own.iter().map(|it| self.seat(it, project)).collect();
        self.grants.list.extend(own);
        if let Some(org) = self.at.orgs().await?.iter().find(|it| it.id == project.org.id) {
            self.members(org, |it| it.role.inside != Allows::nothing()).await
        } else {
            self.untold(format!("who owns {} is not shown to a guest of it", project.org.name));
            Ok(())
        }
    }

    /// Looks in every organization within reach, and in the projects of those that know the person.
    async fn person(&mut self, named: &str) -> Result<(), ProviderError> {
        let at = self.at;
        let orgs = match at.pinned().await? {
            Some(pinned) => vec![pinned],
            None => at.orgs().await?,
        };
        let is_meant = |it: &WireSeat| it.user.id == named || it.user.has_email(named);
        let mut strangers = Vec::new();
        for org in &orgs {
            match at.people(&org.id).await?.iter().find(|it| is_meant(it)) {
                Some(seat) => {
                    let holder = seat.user.holder();
                    self.members(org, |it| it.holder.is_same(&holder)).await?;
                }
                None => strangers.push(&org.id),
            }
        }
        // Whoever is in a project is a member of its organization or an external user of it, so nobody is there whom it does not know.
        let mut projects = at.all_projects().await?;
        projects.retain(|it| !strangers.contains(&&it.org.id));
        self.projects(projects, is_meant).await?;
        self.untold("organizations and projects that the account of this connection does not see are not looked into");
        let has_account = named.contains('@') && at.account(named).await?.is_some();
        if self.grants.list.is_empty() && !has_account {
            return Err(ProviderError::NotFound {
                kind: "member",
                name: named.to_owned(),
                scope: "the organizations within reach".to_owned(),
                fix: "find them with list_organization_members; names are not looked for, only e-mails and ids".to_owned(),
            });
        }
        Ok(())
    }

    fn untold(&mut self, phrase: impl Into<String>) {
        let phrase = phrase.into();
        if !self.grants.unseen.contains(&phrase) {
            self.grants.unseen.push(phrase);
        }
    }
}

impl Session {
    /// The first [`MOST_PROJECTS`] of these with their people, up to the first that could not be read; `None` where the account may not
    /// see them.
    pub(super) async fn looked_into(
        &self,
        projects: Vec<WireProject>,
    ) -> (Vec<(WireProject, Option<Arc<Vec<WireSeat>>>)>, Option<ProviderError>) {
        let looks = stream::iter(projects.into_iter().take(MOST_PROJECTS)).map(|project| async move {
            match self.project_people(&project.id).await {
                Ok(seats) => Ok((project, Some(seats))),
                Err(ProviderError::Remote(error)) if matches!(error.code, "forbidden" | "not_found") => Ok((project, None)),
                Err(error) => Err(error),
            }
        });
        let (mut looked, mut looks) = (Vec::new(), looks.buffered(AT_ONCE));
        while let Some(it) = looks.next().await {
            match it {
                Ok(it) => looked.push(it),
                Err(error) => return (looked, Some(error)),
            }
        }
        (looked, None)
    }

    /// What the judgement needs to know where somebody gets a role. Who holds power matters only where power is given: where the
    /// configuration knows the role, the service's `configs` need not be readable.
    pub(super) async fn surroundings_of(&self, org: &WireNamed, given: &Role) -> Result<Surroundings, ProviderError> {
        if given.power.counts() {
            return self.surroundings(org).await;
        }
        Ok(Surroundings { organization: org.name.clone(), ..Surroundings::default() })
    }

    /// What the judgement needs to know of an organization: one read, which changes make anyway.
    pub(super) async fn surroundings(&self, org: &WireNamed) -> Result<Surroundings, ProviderError> {
        let read = || async {
            let (people, known) = (self.people(&org.id).await?, self.known_roles().await?);
            Ok(around(org, &people, &known))
        };
        self.once(&format!("surroundings of {}", org.id), read).await.map(|it| (*it).clone())
    }
}

/// Members who surely hold power lend trust. Roles that nobody can explain do not, nor do external users, nor people of whom
/// the service says that they are anything but active.
fn around(org: &WireNamed, people: &[WireSeat], known: &[KnownRole]) -> Surroundings {
    let members: Vec<(&WireUser, Power)> = people
        .iter()
        .filter(|it| !is_external(it))
        .map(|it| (&it.user, power::named(known, &it.role, RoleLevel::Organization).power))
        .collect();
    let in_power = members.iter().filter(|(user, power)| *power == Power::OverOthers && user.is_active());
    let domains: BTreeSet<String> = in_power.map(|it| mail_domain(&it.0.email)).filter(|it| !it.is_empty()).collect();
    let is_told = members.iter().any(|it| it.1 != Power::Unknown);
    Surroundings {
        organization: org.name.clone(),
        domains_in_power: is_told.then_some(domains),
        people: Some(members.len() as u64),
        ..Surroundings::default()
    }
}

impl WireOrg {
    pub(super) fn named(&self) -> WireNamed {
        WireNamed { id: self.id.clone(), name: self.name.clone() }
    }

    pub(super) fn place(&self) -> Place {
        Place::Organization(Named::new(&self.name, &self.id))
    }
}

impl WireProject {
    pub(super) fn place(&self) -> Place {
        Place::Project { project: Named::new(&self.name, &self.id), organization: Named::new(&self.org.name, &self.org.id) }
    }
}

impl WireUser {
    pub(super) fn holder(&self) -> Holder {
        Holder::Person(Person { email: some(&self.email.to_lowercase()), name: some(&self.display_name), id: some(&self.id) })
    }

    /// What a status says is not documented; most replies have none.
    fn is_active(&self) -> bool {
        self.status.is_empty() || fold(&self.status) == "active"
    }
}
