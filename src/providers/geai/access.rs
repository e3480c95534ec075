//! Who holds what: the one reader of grants, and what the judgement of a change needs to know of the organization.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Session, TokenKind, api_keys, context, memberships,
    power::{granted, held, holder, of_token},
    resolve::{FoundProject, Own},
    wire::{WireMember, WireProject, list, read},
};
use crate::{
    domain::{
        ReferenceText as _, Surroundings, TeamRef,
        access::{self, Grant, GrantScope, Grants, Holder, Named, People, Power},
        mail_domain,
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::http::as_far_as_read,
};

/// How many projects are looked into: each takes a request of its own.
pub(super) const AT_MOST: usize = 50;

/// Who holds what in the organization, in a project, or of one person.
pub(super) async fn grants(at: &Session, scope: &GrantScope) -> Result<Grants, ProviderError> {
    let mut seen = Grants::default();
    as_far_as_read(read_grants(at, scope, &mut seen).await, &mut seen)?;
    seen.unseen.push("open invitations are in no list of the service".to_owned());
    if !matches!(scope, GrantScope::Person(_)) {
        seen.unseen.push("whose a key is, and which tokens the organization itself has, is in no list of the service".to_owned());
    }
    seen.unseen.push("administrators of the whole platform reach everything, and are in no list".to_owned());
    Ok(seen)
}

async fn read_grants(at: &Session, scope: &GrantScope, Grants { list, unseen }: &mut Grants) -> Result<(), ProviderError> {
    match scope {
        GrantScope::Organization(named) | GrantScope::Owners(named, _) => {
            let own = at.organization(named.as_ref()).await?;
            list.extend(of_people(&at.people(&own).await?, &own));
            let projects = at.projects_in_full().await?;
            for it in projects.iter().take(AT_MOST) {
                let project = FoundProject::of(it);
                list.extend(of_members(at, &project).await?);
                list.extend(of_keys(it.tokens.as_deref().unwrap_or_default(), &project));
            }
            unseen.extend(not_looked_at(projects.len()));
        }
        GrantScope::Top(named) => {
            let own = at.organization(named.as_ref()).await?;
            list.extend(of_people(&at.people(&own).await?, &own));
        }
        GrantScope::Team(named) => return Err(no_teams(named)),
        GrantScope::Project(named) => {
            let project = at.project(named).await?;
            let own = at.own().await?;
            match told(at.people(&own).await)? {
                // A plain member of the organization reaches no project by that.
                Some(people) => list.extend(of_people(&people, &own).filter(|it| it.role.power.counts())),
                None => unseen.push("who reaches the project by a role of the organization is not told to this account".to_owned()),
            }
            list.extend(of_members(at, &project).await?);
            list.extend(of_keys(&api_keys::of_project(at, &project).await?, &project));
        }
        GrantScope::Person(named) => {
            let own = at.organization(None).await?;
            let person = at.person(&own, named).await?;
            list.extend(held(&person, RoleLevel::Organization, &own.place()));
            match &person.email {
                Some(email) => {
                    for it in memberships::of_person(at, &own, email).await? {
                        list.extend(granted(&holder(&person), &it.roles, RoleLevel::Project, &FoundProject::of(&it).place()));
                    }
                }
                None => unseen.push("the projects of somebody whose address is hidden are not told".to_owned()),
            }
            unseen.push("what somebody reaches because their whole mail domain was let in need not be told as theirs".to_owned());
            unseen.push(format!("organizations other than {} are not checked", own.name));
        }
    }
    Ok(())
}

/// The people of the organization.
pub(super) async fn everybody(at: &Session) -> Result<People, ProviderError> {
    let own = at.organization(None).await?;
    let list = at.people(&own).await?.iter().map(holder).collect();
    Ok(People { list, unseen: vec!["people who are invited, or in projects alone, are in no list of the service".to_owned()] })
}

fn of_people<'a>(people: &'a [WireMember], own: &Own) -> impl Iterator<Item = Grant> + use<'a> {
    let place = own.place();
    people.iter().flat_map(move |it| held(it, RoleLevel::Organization, &place))
}

pub(super) async fn of_members(at: &Session, project: &FoundProject) -> Result<Vec<Grant>, ProviderError> {
    let place = project.place();
    Ok(at.members(project).await?.iter().flat_map(|it| held(it, RoleLevel::Project, &place)).collect())
}

/// The keys that work.
fn of_keys(tokens: &[super::wire::WireToken], project: &FoundProject) -> Vec<Grant> {
    tokens.iter().filter(|it| api_keys::is_active(it)).map(|it| of_token(it, project.place())).collect()
}

fn no_teams(named: &TeamRef) -> ProviderError {
    let fix = "this service has no teams".to_owned();
    ProviderError::NotFound { kind: "team", name: named.text().to_owned(), scope: String::new(), fix }
}

fn not_looked_at(projects: usize) -> Option<String> {
    let more = projects.checked_sub(AT_MOST).filter(|it| *it > 0)?;
    Some(format!("the people and keys of {more} more projects were not checked"))
}

/// What is told, or nothing where this account may not know it.
fn told<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match answer {
        Err(ProviderError::Remote(error)) if matches!(error.code, "forbidden" | "not_found" | "not_supported") => Ok(None),
        other => other.map(Some),
    }
}

/// The mail domains of those who administer the organization or a project of it, for judging whether `who` may get power.
///
/// The projects are looked into one after the other, `near` first, until somebody with the domain of `who` is found: whether
/// there are others does not matter then.
pub(super) async fn in_power(at: &Session, near: Option<&FoundProject>, who: &Holder) -> Result<Surroundings, ProviderError> {
    let mut domains: Option<BTreeSet<String>> = None;
    let mut add = |people: &[WireMember], level: RoleLevel, place: &access::Place| {
        let found = domains.get_or_insert_default();
        // A role that nobody explains lends no trust.
        let in_power = people.iter().flat_map(|it| held(it, level, place)).filter(|it| it.role.power == Power::OverOthers);
        found.extend(in_power.filter(|it| matches!(it.holder, Holder::Person(_))).filter_map(|it| it.holder.domain().map(str::to_owned)));
        who.domain().is_none_or(|it| found.contains(&it.to_lowercase()))
    };
    let own = at.own().await?;
    let mut enough = match told(at.people(&own).await)? {
        Some(people) => add(&people, RoleLevel::Organization, &own.place()),
        None => false,
    };
    let projects = at.projects().await?;
    let others = projects.iter().map(FoundProject::of).filter(|it| near.is_none_or(|near| near.id != it.id));
    for project in near.cloned().into_iter().chain(others).take(AT_MOST) {
        if enough {
            break;
        }
        if let Some(people) = told(at.members(&project).await)? {
            enough = add(&people, RoleLevel::Project, &project.place());
        }
    }
    let organization = near.map_or_else(|| named(&projects, &own), |it| it.organization_named().name);
    Ok(Surroundings { organization, domains_in_power: domains, ..Surroundings::default() })
}

/// The same for a new organization, in which nobody holds power yet: who makes it administers all of the platform.
pub(super) async fn of_the_platform(at: &Session, organization: &str) -> Result<Surroundings, ProviderError> {
    let caller = match at.settings.kind {
        TokenKind::OAuth => told(context::profile(at).await)?.and_then(|it| it.email),
        TokenKind::Api => None,
    };
    let domains_in_power = caller.map(|it| mail_domain(&it)).filter(|it| !it.is_empty()).map(|it| [it].into());
    Ok(Surroundings { organization: organization.to_owned(), domains_in_power, ..Surroundings::default() })
}

/// How many people and projects the organization has, for judging what is lost beside all there is.
pub(super) async fn totals(at: &Session) -> Result<Surroundings, ProviderError> {
    let own = at.own().await?;
    let projects = at.projects().await?;
    let people = told(at.people(&own).await)?.map(|it| it.len() as u64);
    Ok(Surroundings { organization: named(&projects, &own), people, projects: Some(projects.len() as u64), ..Surroundings::default() })
}

/// The same of its keys that work, where a key is lost by itself.
pub(super) async fn keys(at: &Session) -> Result<Surroundings, ProviderError> {
    let own = at.own().await?;
    let projects = at.projects_in_full().await?;
    let working = |it: &WireProject| Some(it.tokens.as_ref()?.iter().filter(|it| api_keys::is_active(it)).count() as u64);
    let keys = projects.iter().map(working).sum();
    Ok(Surroundings { organization: named(&projects, &own), keys, ..Surroundings::default() })
}

/// What the organization is called: with an OAuth token only its projects say so.
fn named(projects: &[WireProject], own: &Own) -> String {
    projects.iter().find_map(|it| it.organization_name.clone()).unwrap_or_else(|| own.name.clone())
}

impl Own {
    pub(super) fn place(&self) -> access::Place {
        access::Place::Organization(Named::new(&self.name, &self.id))
    }
}

impl Session {
    /// All projects of the organization, with their keys.
    pub(super) async fn projects_in_full(&self) -> Result<Arc<Vec<WireProject>>, ProviderError> {
        let request = self.get("/v1/organization/projects").query("detail", "full");
        self.once("projects in full", || async { read(self, &list(&*request.value().await?, "projects", &[])) }).await
    }
}
