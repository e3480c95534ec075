//! Who holds what: the one reader of grants, and its pieces, from which the facts of changes are made.
//!
//! The service lists neither the further roles of people nor the projects of a group: each has to be asked for alone, and only
//! [`AT_MOST`] are. What was not checked is said.

use super::{
    Session, admin_keys, api_keys,
    held::{AT_MOST, further, is_from, more, of_person, of_project, of_team, place, seat, through},
    invitations,
    members::{self, WireUser},
    power,
    projects::{self, WireProject},
    role_assignments, roles, service_accounts, team_members,
    teams::{self, WireGroup},
};
use crate::{
    domain::{
        ReferenceText,
        access::{Grant, GrantScope, Grants, Holder, Named, People, Role, Via},
        fold,
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::http::as_far_as_read,
};

/// All that is told of who holds what in the organization, in a project, or of one person.
pub(super) async fn grants(at: &Session, scope: &GrantScope) -> Result<Grants, ProviderError> {
    let mut seen = Seen { at, grants: Grants::default() };
    as_far_as_read(seen.read(scope).await, &mut seen.grants)?;
    Ok(seen.grants)
}

/// The people of the organization, and those who are invited to it.
pub(super) async fn everybody(at: &Session) -> Result<People, ProviderError> {
    let mut list: Vec<Holder> = members::all(at).await?.iter().map(WireUser::somebody).collect();
    list.extend(invitations::pending(at).await?.into_iter().map(|it| Holder::Invitation(it.email.to_lowercase())));
    Ok(People { list, unseen: Vec::new() })
}

/// What was seen so far.
struct Seen<'a> {
    at: &'a Session,
    grants: Grants,
}

impl Seen<'_> {
    async fn read(&mut self, scope: &GrantScope) -> Result<(), ProviderError> {
        let at = self.at;
        match scope {
            GrantScope::Organization(named) | GrantScope::Owners(named, _) | GrantScope::Top(named) => {
                let named = named.as_ref().map(ReferenceText::text);
                if let Some(other) = named.filter(|it| fold(it) != fold(&at.organization())) {
                    let fix = format!("this connection is for one organization: leave it out, or name `{}`", at.organization());
                    return Err(ProviderError::NotFound { kind: "organization", name: other.to_owned(), scope: String::new(), fix });
                }
                self.at_the_top().await?;
                if !matches!(scope, GrantScope::Top(_)) {
                    self.projects().await?;
                }
                Ok(())
            }
            GrantScope::Team(named) => self.team(&at.team(named).await?).await,
            GrantScope::Project(named) => self.one_project(&at.active_project(named).await?).await,
            GrantScope::Person(named) => self.person(named.text()).await,
        }
    }

    /// What a team holds in the organization and in projects.
    async fn team(&mut self, group: &WireGroup) -> Result<(), ProviderError> {
        let at = self.at;
        let people = team_members::all(at, &group.id).await?;
        self.grants.list.extend(of_team(at, group).await?.into_iter().filter(|it| is_from(it, &group.id)));
        self.grants.list.extend(people.iter().map(|it| seat(at, group, it.holder())));
        let active: Vec<WireProject> = projects::all(at).await?.into_iter().filter(|it| !it.is_archived()).collect();
        let named = group.named();
        for project in active.iter().take(AT_MOST) {
            for role in role_assignments::held_by_group(at, &group.id, project).await? {
                let role = power::of(&role, RoleLevel::Project);
                self.grants.list.extend(through(&named, &people, &role, &place(at, Some(project))));
            }
        }
        self.unseen(more(active.len(), "project was", "projects were"));
        Ok(())
    }

    async fn at_the_top(&mut self) -> Result<(), ProviderError> {
        let at = self.at;
        let people = members::all(at).await?;
        self.people(&people).await?;
        let groups = teams::all(at).await?;
        for group in groups.iter().take(AT_MOST) {
            let own = of_team(at, group).await?.into_iter().filter(|it| is_from(it, &group.id));
            self.grants.list.extend(own);
            let people = team_members::all(at, &group.id).await?;
            self.grants.list.extend(people.iter().map(|it| seat(at, group, it.holder())));
        }
        self.unseen(more(groups.len(), "team was", "teams were"));
        self.invitations(|_, _| true).await?;
        self.administration(|_| true).await
    }

    async fn projects(&mut self) -> Result<(), ProviderError> {
        let at = self.at;
        let people = members::all(at).await?;
        let active: Vec<WireProject> = projects::all(at).await?.into_iter().filter(|it| !it.is_archived()).collect();
        for project in active.iter().take(AT_MOST) {
            self.project(project, &people).await?;
        }
        self.unseen(more(active.len(), "project was", "projects were"));
        self.unseen(Some("further roles that people were given themselves in projects were not checked".to_owned()));
        Ok(())
    }

    /// People with their roles in the organization.
    async fn people(&mut self, people: &[WireUser]) -> Result<(), ProviderError> {
        let at = self.at;
        let all = roles::all(at, None).await?;
        let others = people.iter().filter(|it| !it.is_owner()).count();
        for it in people {
            if !it.is_owner() && others <= AT_MOST {
                let own = of_person(at, it, None, it.role.as_deref()).await?.into_iter().filter(|it| it.via == Via::Own);
                self.grants.list.extend(own);
                continue;
            }
            let role = it.role.as_deref().map_or_else(|| Role::unknown("member", ""), |it| power::named(&all, it, RoleLevel::Organization));
            self.grants.list.push(Grant::own(it.holder(), role, place(at, None)));
        }
        if others > AT_MOST {
            self.unseen(Some(format!("which further roles of the organization {others} people hold themselves was not checked")));
        }
        Ok(())
    }

    async fn one_project(&mut self, project: &WireProject) -> Result<(), ProviderError> {
        let at = self.at;
        let people = members::all(at).await?;
        let all = roles::all(at, None).await?;
        for it in people.iter().filter(|it| it.is_owner()) {
            self.grants.list.push(Grant::own(it.holder(), power::named(&all, "owner", RoleLevel::Organization), place(at, None)));
        }
        self.invitations(|it, _| it.is_into(&project.id)).await?;
        let further = further(at, project, &people).await?;
        self.grants.list.extend(further.list);
        self.grants.unseen.extend(further.unseen);
        self.project(project, &people).await?;
        self.unseen(Some("who reaches the project by a role of the organization other than `owner` was not checked".to_owned()));
        Ok(())
    }

    /// Everybody and everything in a project. Owners of the organization are in it because they are.
    async fn project(&mut self, project: &WireProject, people: &[WireUser]) -> Result<(), ProviderError> {
        let at = self.at;
        let owner = power::called("owner", RoleLevel::Organization);
        let owners: Vec<Holder> = people.iter().filter(|it| it.is_owner()).map(WireUser::holder).collect();
        let Grants { list, unseen } = of_project(at, project).await?;
        self.grants.unseen.extend(unseen);
        self.grants.list.extend(list.into_iter().map(|it| {
            let is_owner = it.via == Via::Own && owners.iter().any(|owner| owner.is_same(&it.holder));
            if is_owner { it.via(Via::OrganizationRole(Named::new(&owner.name, &owner.id))) } else { it }
        }));
        let all = roles::all(at, Some(&project.id)).await?;
        for it in service_accounts::all(at, &project.id).await? {
            let role = it.role.as_deref().map_or_else(|| Role::unknown("not told", ""), |it| power::named(&all, it, RoleLevel::Project));
            self.grants.list.push(Grant::own(it.holder(), role, place(at, Some(project))));
        }
        self.keys(project, |_| true).await
    }

    /// The keys of a project that work, each with the power of its owner.
    async fn keys(&mut self, project: &WireProject, meant: impl Fn(&api_keys::WireApiKey) -> bool) -> Result<(), ProviderError> {
        let here = place(self.at, Some(project));
        let keys = api_keys::all(self.at, &project.id).await?;
        for key in keys.iter().filter(|it| !it.has_ended() && meant(it)) {
            let mut held: Vec<Role> = Vec::new();
            for it in self.grants.list.iter().filter(|it| it.place.is_same(&here) && key.is_of(&it.holder)) {
                if !held.iter().any(|role| role.id == it.role.id) {
                    held.push(it.role.clone());
                }
            }
            // The owner has no access any more, and so has the key none.
            if held.is_empty() && key.is_idle() {
                continue;
            }
            if held.is_empty() {
                held.push(Role::unknown("its owner's role", ""));
            }
            self.grants.list.extend(
                held.into_iter()
                    .map(|role| Grant { ends_at: key.ends_at(), ..Grant::own(key.holder(), role, here.clone()).via(Via::Inherited) }),
            );
            self.unseen(Some("the service does not tell to which scopes a key is restricted".to_owned()));
        }
        Ok(())
    }

    /// What is waiting to be accepted, of those that are meant by the project they lead into or by the address.
    async fn invitations(&mut self, meant: impl Fn(&invitations::WireInvite, &str) -> bool) -> Result<(), ProviderError> {
        let pending: Vec<_> = invitations::pending(self.at).await?.into_iter().filter(|it| meant(it, &it.email)).collect();
        let known = invitations::names(self.at, &pending).await?;
        for invite in &pending {
            self.grants.list.extend(invite.grants(self.at, &known));
        }
        Ok(())
    }

    /// The keys that open the administration, each with the power of its owner.
    async fn administration(&mut self, meant: impl Fn(&admin_keys::WireAdminKey) -> bool) -> Result<(), ProviderError> {
        match admin_keys::all(self.at).await {
            Ok(keys) => {
                let here = place(self.at, None);
                self.grants.list.extend(keys.iter().filter(|it| !it.has_ended() && meant(it)).map(|it| it.grant(here.clone())));
            }
            Err(ProviderError::Remote(error)) if matches!(error.status, Some(403 | 404)) => {
                self.unseen(Some("the keys of the administration are not shown to this connection's key".to_owned()));
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    async fn person(&mut self, wanted: &str) -> Result<(), ProviderError> {
        let at = self.at;
        let Some(listed) = at.find_person(wanted).await? else {
            self.invitations(|_, email| email.eq_ignore_ascii_case(wanted)).await?;
            return if self.grants.list.is_empty() { at.person_called(wanted, false).await.map(|_| ()) } else { Ok(()) };
        };
        let person = members::retrieve(at, &listed.id).await?;
        self.grants.list.extend(of_person(at, &person, None, person.role.as_deref()).await?);
        let groups = teams::all(at).await?;
        for group in groups.iter().take(AT_MOST) {
            if team_members::one(at, &group.id, &person.id).await?.is_some() {
                self.grants.list.push(seat(at, group, person.holder()));
            }
        }
        self.unseen(more(groups.len(), "team was", "teams were"));
        let mut active: Vec<WireProject> = projects::all(at).await?.into_iter().filter(|it| !it.is_archived()).collect();
        // Those that the person's own entry names come first: others they reach through a team only.
        active.sort_by_key(|it| person.role_in(&it.id).is_none());
        for project in active.iter().take(AT_MOST) {
            let own = of_person(at, &person, Some(project), person.role_in(&project.id)).await?;
            let owner = Via::OrganizationRole(Named::new("owner", power::called("owner", RoleLevel::Organization).id));
            let is_owner = |it: &Grant| person.is_owner() && it.via == Via::Own;
            let own: Vec<Grant> = own.into_iter().map(|it| if is_owner(&it) { it.via(owner.clone()) } else { it }).collect();
            if !own.is_empty() {
                self.grants.list.extend(own);
                self.keys(project, |it| it.is_of_person(&person.id)).await?;
            }
        }
        self.unseen(more(active.len(), "project was", "projects were"));
        self.administration(|it| it.is_of(&person.id)).await?;
        let email = person.email().map(str::to_lowercase);
        self.invitations(|_, address| email.as_deref() == Some(address.to_lowercase().as_str())).await
    }

    fn unseen(&mut self, phrase: Option<String>) {
        self.grants.unseen.extend(phrase.filter(|it| !self.grants.unseen.contains(it)));
    }
}
