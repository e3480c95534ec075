//! Pieces of who holds what, from which the reader of grants and the facts of changes are made.

use super::{
    Session,
    errors::found,
    members::{self, WireUser},
    power, project_members, project_teams,
    projects::WireProject,
    role_assignments::{self, Assignee},
    roles, team_members,
    teams::{self, WireGroup},
};
use crate::{
    access as questions,
    domain::{
        Fact, Facts, Surroundings,
        access::{Grant, Grants, Holder, Named, Person, Place, Role, Via},
        mail_domain,
        roles::RoleLevel,
    },
    error::ProviderError,
};

/// How many projects, groups or people are asked for one by one: more would use up what the service allows in a minute.
pub(super) const AT_MOST: usize = 8;

/// Where a role is held: the organization, or a project of it.
pub(super) fn place(at: &Session, project: Option<&WireProject>) -> Place {
    let organization = Named::new(at.organization(), at.organization());
    match project {
        Some(it) => Place::Project { project: Named::new(it.name(), &it.id), organization },
        None => Place::Organization(organization),
    }
}

/// The seat of a person in a team.
pub(super) fn seat(at: &Session, group: &WireGroup, holder: Holder) -> Grant {
    let organization = Named::new(at.organization(), at.organization());
    Grant::own(holder, power::team_seat(), Place::Team { team: group.named(), organization })
}

pub(super) fn level(project: Option<&WireProject>) -> RoleLevel {
    if project.is_some() { RoleLevel::Project } else { RoleLevel::Organization }
}

pub(super) fn person(id: &str, email: Option<&str>) -> Holder {
    Holder::Person(Person { email: email.map(str::to_lowercase), name: None, id: Some(id.to_owned()) })
}

/// What one person holds in the organization or in a project, by every way. `said`: the role that their membership names.
pub(super) async fn of_person(
    at: &Session,
    person: &WireUser,
    project: Option<&WireProject>,
    said: Option<&str>,
) -> Result<Vec<Grant>, ProviderError> {
    let held = found(role_assignments::held(at, &Assignee::Person(person.clone()), project).await)?.unwrap_or_default();
    let inherits = held.iter().any(|it| !it.groups(&person.id).is_empty());
    let groups = if inherits { teams::all(at).await? } else { Vec::new() };
    let mut grants = Vec::new();
    for it in &held {
        let own = Grant::own(person.holder(), power::of(&it.role, level(project)), place(at, project));
        for id in it.all_groups() {
            let team = groups.iter().find(|it| it.id == id).map_or_else(|| Named::new(id, id), WireGroup::named);
            grants.push(own.clone().via(Via::Team(team)));
        }
        if it.is_own(&person.id) {
            grants.push(own);
        }
    }
    if let Some(said) = said
        && !grants.iter().any(|it| it.via == Via::Own && it.role.name == said)
    {
        let all = roles::all(at, project.map(|it| it.id.as_str())).await?;
        grants.push(Grant::own(person.holder(), power::named(&all, said, level(project)), place(at, project)));
    }
    // The membership first: the others hang on it.
    grants.sort_by_key(|it| it.via != Via::Own || Some(it.role.name.as_str()) != said);
    Ok(grants)
}

/// What people hold in a project by membership and through teams, and what its teams hold.
pub(super) async fn of_project(at: &Session, project: &WireProject) -> Result<Grants, ProviderError> {
    let all = roles::all(at, Some(&project.id)).await?;
    let here = place(at, Some(project));
    let mut grants = Grants::default();
    for it in project_members::all(at, &project.id).await?.iter() {
        grants.list.push(Grant::own(it.holder(), power::named(&all, &it.role, RoleLevel::Project), here.clone()));
    }
    let groups = project_teams::all(at, &project.id).await?;
    for group in groups.iter().take(AT_MOST) {
        let held = role_assignments::held_by_group(at, &group.group_id, project).await?;
        let people = team_members::all(at, &group.group_id).await?;
        let team = Named::new(&group.group_name, &group.group_id);
        for role in &held {
            grants.list.extend(through(&team, &people, &power::of(role, RoleLevel::Project), &here));
        }
    }
    grants.unseen.extend(more(groups.len(), "team of the project was", "teams of the project were"));
    Ok(grants)
}

/// What a team hands down in the organization, beside what its people hold there themselves as their entries tell.
pub(super) async fn of_team(at: &Session, group: &WireGroup) -> Result<Vec<Grant>, ProviderError> {
    let held = role_assignments::held_in_organization(at, &group.id).await?;
    let here = place(at, None);
    let people = team_members::all(at, &group.id).await?;
    let (all, everybody) = (roles::all(at, None).await?, members::all(at).await?);
    let of_team = everybody.iter().filter(|it| people.iter().any(|one| one.id == it.id));
    let own = of_team.filter_map(|it| {
        let role = power::named(&all, it.role.as_deref()?, RoleLevel::Organization);
        Some(Grant::own(it.holder(), role, here.clone()))
    });
    let mut grants: Vec<Grant> = own.collect();
    for role in &held {
        grants.extend(through(&group.named(), &people, &power::of(role, RoleLevel::Organization), &here));
    }
    Ok(grants)
}

/// A team's role, and what its people have by it.
pub(super) fn through<'a>(
    team: &'a Named,
    people: &'a [team_members::WireGroupUser],
    role: &'a Role,
    place: &'a Place,
) -> impl Iterator<Item = Grant> + 'a {
    let grant = |holder| Grant::own(holder, role.clone(), place.clone());
    let handed = move |it: &team_members::WireGroupUser| grant(it.holder()).via(Via::Team(team.clone()));
    std::iter::once(Grant::own(Holder::Team(team.clone()), role.clone(), place.clone())).chain(people.iter().map(handed))
}

/// Whether a grant comes from this team, or is the team's own.
pub(super) fn is_from(grant: &Grant, team_id: &str) -> bool {
    matches!(&grant.via, Via::Team(it) if it.id == team_id) || matches!(&grant.holder, Holder::Team(it) if it.id == team_id)
}

/// Adds to the facts what people and programs lose from one list of grants to another. Nobody loses anything who owns the place
/// after it.
pub(super) fn losses(facts: Facts, before: &[Grant], after: &[Grant]) -> Facts {
    let owns = |it: &questions::LostAccess| {
        let here = |grant: &Grant| grant.place.is_same(&it.place) || matches!(grant.place, Place::Organization(_));
        after.iter().any(|grant| grant.role.owns && grant.holder.is_same(&it.holder) && here(grant))
    };
    let lost = questions::lost(before, after).into_iter().filter(|it| !matches!(it.holder, Holder::Team(_)) && !owns(it));
    lost.fold(facts, |facts, it| {
        let taken = |grant: &&Grant| grant.holder.is_same(&it.holder) && grant.place.is_same(&it.place) && !after.contains(grant);
        match before.iter().find(taken) {
            Some(grant) => facts.takes(grant.clone(), it.permissions, it.still),
            None => facts,
        }
    })
}

/// What is to be known of the organization where somebody gets power in it. The mail domains of its owners lend trust: who holds
/// power over all of it by another role the service does not list, and whoever owns a project does not speak for the organization.
pub(super) async fn in_power(at: &Session) -> Result<Surroundings, ProviderError> {
    let read = || async {
        let people = members::all(at).await?;
        let domains = people.iter().filter(|it| it.is_owner()).filter_map(WireUser::email).map(mail_domain).collect();
        Ok(Surroundings { domains_in_power: Some(domains), people: Some(people.len() as u64), ..called(at) })
    };
    Ok(at.once("surroundings", read).await?.as_ref().clone())
}

/// Adds it to facts that give somebody power; where none does, the name alone.
pub(super) async fn around(at: &Session, facts: Facts) -> Result<Facts, ProviderError> {
    let gives_power = facts.list.iter().any(|it| matches!(it, Fact::Gives(grant) if grant.role.power.counts()));
    let about = if gives_power { in_power(at).await? } else { called(at) };
    Ok(facts.about(about))
}

/// What the organization is called, and nothing else.
pub(super) fn called(at: &Session) -> Surroundings {
    Surroundings { organization: at.organization(), ..Surroundings::default() }
}

/// `3 more teams were not checked`, where there are more than are looked at.
pub(super) fn more(all: usize, one: &str, many: &str) -> Option<String> {
    match all.saturating_sub(AT_MOST) {
        0 => None,
        1 => Some(format!("1 more {one} not checked")),
        rest => Some(format!("{rest} more {many} not checked")),
    }
}

/// The roles that people of a project were given beside their membership, where they are few enough to be asked one by one.
pub(super) async fn further(at: &Session, project: &WireProject, people: &[WireUser]) -> Result<Grants, ProviderError> {
    let own = project_members::all(at, &project.id).await?;
    let others: Vec<_> = own.iter().filter(|it| !people.iter().any(|person| person.id == it.id && person.is_owner())).collect();
    let mut grants = Grants::default();
    if others.len() > AT_MOST {
        grants.unseen.push(format!(
            "which further roles {} people hold themselves in project {} was not checked",
            others.len(),
            project.name()
        ));
        return Ok(grants);
    }
    for member in others {
        let Some(person) = people.iter().find(|it| it.id == member.id) else { continue };
        let held = of_person(at, person, Some(project), None).await?;
        grants.list.extend(held.into_iter().filter(|it| it.via == Via::Own && it.role.name != member.role));
    }
    Ok(grants)
}
