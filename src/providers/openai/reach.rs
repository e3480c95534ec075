//! What people reach through teams and roles, as facts. The service lists neither the projects of a group nor the holders of a
//! role: each has to be asked for alone, and only so many are. What was not checked is said.

use super::{
    Session, api_keys,
    errors::within,
    held::{self, AT_MOST, more},
    invitations,
    members::{self, WireUser},
    memberships, power,
    projects::{self, WireProject},
    role_assignments,
    roles::{self, WireRole},
    team_members,
    teams::{self, WireGroup},
};
use crate::{
    domain::{
        Counted, Fact, Facts, Losing, Surroundings, Thing,
        access::{Action, Grant, Holder, Person, Place, Role, Via},
        roles::RoleLevel,
    },
    error::ProviderError,
};

/// What a team gives its people, as far as it was looked at.
pub(super) struct Reach {
    /// Roles in the organization.
    in_organization: Vec<WireRole>,
    /// Projects with the roles in them.
    in_projects: Vec<(WireProject, Vec<WireRole>)>,
    unseen: Option<String>,
}

/// What a team gives its people, as far as it is looked at.
pub(super) async fn of_team(at: &Session, group: &WireGroup) -> Result<Reach, ProviderError> {
    let in_organization = role_assignments::held_in_organization(at, &group.id).await?;
    let active: Vec<WireProject> = projects::all(at).await?.into_iter().filter(|it| !it.is_archived()).collect();
    let unseen = more(active.len(), "project was", "projects were");
    let mut in_projects = Vec::new();
    for project in active.into_iter().take(AT_MOST) {
        let roles = role_assignments::held_by_group(at, &group.id, &project).await?;
        if !roles.is_empty() {
            in_projects.push((project, roles));
        }
    }
    Ok(Reach { in_organization, in_projects, unseen })
}

impl Reach {
    /// The names of the projects that the team is in.
    pub(super) fn projects(&self) -> Vec<String> {
        self.in_projects.iter().map(|it| it.0.name().to_owned()).collect()
    }

    /// What somebody gets who comes into the team.
    pub(super) fn opens(&self, at: &Session, group: &WireGroup, holder: &Holder) -> Facts {
        let via = || Via::Team(group.named());
        let mut facts = Facts::none().gives(held::seat(at, group, holder.clone()));
        for role in &self.in_organization {
            let role = power::of(role, RoleLevel::Organization);
            facts = facts.gives(Grant::own(holder.clone(), role, held::place(at, None)).via(via()));
        }
        for (project, roles) in &self.in_projects {
            for role in roles {
                let role = power::of(role, RoleLevel::Project);
                facts = facts.gives(Grant::own(holder.clone(), role, held::place(at, Some(project))).via(via()));
            }
        }
        self.unseen.iter().fold(facts, Facts::unseen)
    }

    /// Adds to the facts what these people lose who leave the team, or see it end; other ways stay.
    pub(super) async fn closes(&self, at: &Session, group: &WireGroup, people: &[Holder], facts: Facts) -> Result<Facts, ProviderError> {
        let mut before = Vec::new();
        if !self.in_organization.is_empty() {
            before.extend(held::of_team(at, group).await?);
        }
        for (project, _) in &self.in_projects {
            before.extend(held::of_project(at, project).await?.list);
        }
        let leaves = |it: &Grant| held::is_from(it, &group.id) && people.iter().any(|one| one.is_same(&it.holder));
        let after: Vec<Grant> = before.iter().filter(|it| !leaves(it)).cloned().collect();
        let names: Vec<String> = people.iter().map(|it| it.label().to_owned()).collect();
        let facts = held::losses(facts.lose(Losing::Team, names), &before, &after);
        Ok(self.unseen.iter().fold(facts, Facts::unseen))
    }
}

/// What goes with somebody who leaves the organization.
pub(super) async fn leaving(at: &Session, person: &WireUser) -> Result<Facts, ProviderError> {
    let places = memberships::places(at, person).await?;
    let facts = match &person.role {
        Some(role) => {
            let role = power::called(role, RoleLevel::Organization);
            Facts::none().takes(Grant::own(person.holder(), role, held::place(at, None)), Vec::new(), Vec::new())
        }
        None => Facts::none().lose(Losing::Organization, Counted::one(person.label())),
    };
    let mut keys = Vec::new();
    for id in places.iter().filter_map(|it| it.id.as_ref()).take(AT_MOST) {
        keys.extend(within(api_keys::of_person(at, id, &person.id).await)?.unwrap_or_default());
    }
    let groups = teams::all(at).await?;
    let mut left = Vec::new();
    for group in groups.iter().take(AT_MOST) {
        if team_members::one(at, &group.id, &person.id).await?.is_some() {
            left.push(group.name.clone());
        }
    }
    let names: Vec<String> = places.iter().filter_map(|it| it.name.clone().or_else(|| it.id.clone())).collect();
    let mut facts = facts.stops(Thing::Key, keys);
    for (what, names) in [(Thing::Project, names), (Thing::Team, left)] {
        if !names.is_empty() {
            let (one, many) = what.words();
            facts = facts.note(format!("{} {} out of reach: {}", names.len(), if names.len() == 1 { one } else { many }, names.join(", ")));
        }
    }
    if let Some(email) = person.email() {
        for invite in invitations::pending_of(at, email).await? {
            facts = facts.note(format!("an invitation stays pending, and can be ended with cancel_invitation: {}", invite.told()));
        }
    }
    let unseen = [
        more(groups.len(), "team was", "teams were"),
        more(places.len(), "project was", "projects were").map(|it| format!("{it}, for keys")),
    ];
    let facts = unseen.into_iter().flatten().fold(facts, Facts::unseen);
    Ok(facts.about(Surroundings { people: members::count(at).await?, ..held::called(at) }))
}

/// Who holds a role, as far as it can be looked at.
pub(super) struct Holders {
    /// The role as it is.
    role: Role,
    place: Place,
    /// What the holders have where the role is, by this and other ways.
    grants: Vec<Grant>,
    /// Whether people may hold it themselves who were not asked for.
    unlisted: bool,
    unseen: Vec<String>,
}

/// Who holds a role, as far as it is looked at: teams before people, since those are many at once.
pub(super) async fn holders(at: &Session, role: &WireRole, project: Option<&WireProject>) -> Result<Holders, ProviderError> {
    let role = power::of(role, held::level(project));
    let place = held::place(at, project);
    let everybody = members::all(at).await?;
    if let Some(project) = project {
        let mut found = held::of_project(at, project).await?;
        let further = held::further(at, project, &everybody).await?;
        found.list.extend(further.list);
        return Ok(Holders { role, place, grants: found.list, unlisted: !further.unseen.is_empty(), unseen: found.unseen });
    }
    let groups = teams::all(at).await?;
    let mut grants = Vec::new();
    for group in groups.iter().take(AT_MOST) {
        let of_team = held::of_team(at, group).await?;
        if of_team.iter().any(|it| it.role.id == role.id) {
            grants.extend(of_team);
        }
    }
    let others: Vec<&WireUser> = everybody.iter().filter(|it| !it.is_owner()).collect();
    let unlisted = others.len() > AT_MOST;
    let all = roles::all(at, None).await?;
    for person in others.into_iter().filter(|_| !unlisted) {
        let said = person.role.as_deref();
        let held = held::of_person(at, person, None, said).await?;
        if held.iter().any(|it| it.role.id == role.id) {
            grants.retain(|it| !it.holder.is_same(&person.holder()));
            grants.extend(held);
        }
    }
    // Owners of the organization lose nothing with a role beside.
    let owner = power::named(&all, "owner", RoleLevel::Organization);
    grants.extend(everybody.iter().filter(|it| it.is_owner()).map(|it| Grant::own(it.holder(), owner.clone(), held::place(at, None))));
    Ok(Holders { role, place, grants, unlisted, unseen: more(groups.len(), "team was", "teams were").into_iter().collect() })
}

impl Holders {
    /// Adds to the facts what it means that the role ends.
    pub(super) fn without(self, facts: Facts) -> Facts {
        let after: Vec<Grant> = self.grants.iter().filter(|it| it.role.id != self.role.id).cloned().collect();
        let teams = self.grants.iter().filter(|it| it.role.id == self.role.id && matches!(it.holder, Holder::Team(_)));
        let teams: Vec<&str> = teams.map(|it| it.holder.label()).collect();
        let facts = if teams.is_empty() { facts } else { facts.note(format!("teams that hold it: {}", teams.join(", "))) };
        let facts = held::losses(facts, &self.grants, &after);
        let facts = if self.unlisted { facts.fact(unlisted(Losing::Role)) } else { facts };
        self.unseen.into_iter().fold(facts, Facts::unseen)
    }

    /// Adds to the facts what it means that the role becomes this one.
    pub(super) fn with(self, mut facts: Facts, role: &Role, gains_power: bool) -> Facts {
        let changed = |it: &Grant| if it.role.id == self.role.id { Grant { role: role.clone(), ..it.clone() } } else { it.clone() };
        let after: Vec<Grant> = self.grants.iter().map(changed).collect();
        if gains_power {
            let holders = after.iter().filter(|it| it.role.id == self.role.id);
            facts = holders.cloned().fold(facts, Facts::gives);
            if self.unlisted {
                // Nobody can tell here to what mail domain they belong.
                let somebody = Person { name: Some("people whom the service does not list".to_owned()), ..Person::default() };
                facts = facts.gives(Grant::own(Holder::Person(somebody), role.clone(), self.place.clone()));
            }
        }
        let out_of_sight = if matches!(self.place, Place::Organization(_)) { Losing::Organization } else { Losing::Access };
        let (mut blind, mut lesser) = (Vec::new(), Vec::new());
        for fact in held::losses(Facts::none(), &self.grants, &after).list {
            if let Fact::Takes { grant, still, .. } = fact {
                if still.is_empty() { &mut blind } else { &mut lesser }.push(grant.holder.label().to_owned());
            }
        }
        facts = facts.lose(out_of_sight, blind).lose(Losing::Permissions, lesser);
        let loses = self.role.permissions.iter().any(|it| !role.permissions.contains(it));
        if self.unlisted && loses {
            let blinds = !role.reads() && self.role.allows.may(Action::Read);
            facts = facts.fact(unlisted(if blinds { out_of_sight } else { Losing::Permissions }));
        }
        self.unseen.into_iter().fold(facts, Facts::unseen)
    }
}

/// People lose something whom nobody can count here.
fn unlisted(what: Losing) -> Fact {
    Fact::Lose { people: Counted::default(), what }
}
