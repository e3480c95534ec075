//! The rules of a review, and what those about people and places find. Pure functions over what an account told; the same for all
//! providers.

mod held;
#[cfg(test)]
mod tests;
mod things;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use self::held::Held;
use crate::{
    access::{self, census},
    domain::{
        ReviewLimits, Timestamp,
        access::{Allows, Grant, Holder, Named, Place, Power, State, Via},
        keys::ApiKey,
        members::Invitation,
        projects::Project,
        roles::Role,
    },
    tools::{
        Operation as _,
        access::Mend,
        members::{CancelInvitation, RemoveOrganizationMember, UpdateOrganizationMember},
        project_members::{AddProjectMember, RemoveProjectMember, UpdateProjectMember},
        roles::UnassignRole,
        teams::RemoveTeamMember,
    },
};

/// What a review looks for; the gravest first, and in this order where two weigh the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    OutsidePower,
    NotInOrganization,
    KeyOfLeaver,
    KeyOfNobody,
    NoOwner,
    OneOwner,
    KeyWithoutAccess,
    KeyNeverUsed,
    KeyUnused,
    KeyOld,
    KeyWithoutEnd,
    OwnsMany,
    SameAccessTwice,
    InvitationRanOut,
    RoleWithoutHolder,
    AccountWithoutKey,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    High,
    Medium,
    Low,
}

impl Weight {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl Rule {
    pub(super) const ALL: [Self; 16] = [
        Self::OutsidePower,
        Self::NotInOrganization,
        Self::KeyOfLeaver,
        Self::KeyOfNobody,
        Self::NoOwner,
        Self::OneOwner,
        Self::KeyWithoutAccess,
        Self::KeyNeverUsed,
        Self::KeyUnused,
        Self::KeyOld,
        Self::KeyWithoutEnd,
        Self::OwnsMany,
        Self::SameAccessTwice,
        Self::InvitationRanOut,
        Self::RoleWithoutHolder,
        Self::AccountWithoutKey,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OutsidePower => "outside_power",
            Self::NotInOrganization => "not_in_organization",
            Self::KeyOfLeaver => "key_of_leaver",
            Self::KeyOfNobody => "key_of_nobody",
            Self::NoOwner => "no_owner",
            Self::OneOwner => "one_owner",
            Self::KeyWithoutAccess => "key_without_access",
            Self::KeyNeverUsed => "key_never_used",
            Self::KeyUnused => "key_unused",
            Self::KeyOld => "key_old",
            Self::KeyWithoutEnd => "key_without_end",
            Self::OwnsMany => "owns_many",
            Self::SameAccessTwice => "same_access_twice",
            Self::InvitationRanOut => "invitation_ran_out",
            Self::RoleWithoutHolder => "role_without_holder",
            Self::AccountWithoutKey => "account_without_key",
        }
    }

    pub(super) fn weight(self) -> Weight {
        match self {
            Self::OutsidePower | Self::NotInOrganization | Self::KeyOfLeaver | Self::KeyOfNobody | Self::NoOwner => Weight::High,
            Self::OneOwner | Self::KeyWithoutAccess | Self::KeyNeverUsed | Self::KeyUnused | Self::KeyOld => Weight::Medium,
            _ => Weight::Low,
        }
    }
}

/// What an account told of one organization.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about what was told")]
pub(super) struct Told {
    pub(super) grants: Vec<Grant>,
    /// `None` where they could not be read, and nothing is found about them.
    pub(super) projects: Option<Vec<Project>>,
    pub(super) keys: Option<Vec<ApiKey>>,
    /// Whether these are all keys there are.
    pub(super) all_keys: bool,
    /// Those that ran out.
    pub(super) invitations: Option<Vec<Invitation>>,
    /// Those that the organization has made.
    pub(super) roles: Option<Vec<Role>>,
    /// Whether the grants are all there are.
    pub(super) is_whole: bool,
    /// Whether there may be more in each place than the grants say: then nothing is found by what is lacking.
    pub(super) unfinished: bool,
    /// What counts as long, and as many.
    pub(super) limits: ReviewLimits,
    /// Whether the account tells when keys were used.
    pub(super) tells_use: bool,
    /// Mail domains whose people may hold power; `None`: that of most people.
    pub(super) trusted: Option<BTreeSet<String>>,
    /// The tools that the account serves, with the arguments that each cannot honour.
    pub(super) tools: BTreeMap<&'static str, &'static [&'static str]>,
}

/// Something found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) rule: Rule,
    /// What it is about, as people call it and by its id.
    pub(super) subject: Named,
    pub(super) place: Option<Place>,
    /// The people it is about.
    pub(super) people: Vec<Holder>,
    pub(super) evidence: String,
    pub(super) mend: Option<Mend>,
}

/// Everything that the rules find, unsorted.
pub(super) fn find(told: &Told, now: Timestamp) -> Vec<Found> {
    let mut found = Vec::new();
    if !told.unfinished {
        let held = Held::of(&told.grants);
        found.extend(owners(told, &held));
        found.extend(many(told, &held));
        found.extend(strangers(told));
    }
    found.extend(outsiders(told));
    found.extend(twice(told));
    found.extend(things::keys(told, now));
    found.extend(things::invitations(told));
    found.extend(things::roles(told));
    found.extend(things::accounts(told));
    found
}

impl Told {
    /// Leaves out what is held in projects that nobody can change any more. `partly`: not all active ones are known.
    pub(super) fn only_active(&mut self, partly: bool) {
        let Some(projects) = self.projects.as_ref().filter(|_| !partly) else { return };
        let active: BTreeSet<&str> = projects.iter().map(|it| it.id.as_str()).collect();
        self.grants.retain(|it| match &it.place {
            Place::Project { project, .. } => active.contains(project.id.as_str()),
            _ => true,
        });
    }

    /// A call, where the account can make it.
    fn call(&self, tool: &'static str, arguments: Value) -> Option<Mend> {
        let ignored = self.tools.get(tool)?;
        let Value::Object(arguments) = arguments else { return None };
        let arguments: Map<String, Value> = arguments.into_iter().filter(|it| !it.1.is_null()).collect();
        arguments.keys().all(|it| !ignored.contains(&it.as_str())).then_some(Mend { tool, arguments })
    }

    /// The places that something is held in, each once.
    fn places(&self) -> Vec<&Place> {
        let mut places: Vec<&Place> = Vec::new();
        let mut seen = HashSet::new();
        for it in &self.grants {
            if seen.insert((it.place.noun(), id_of(&it.place))) {
                places.push(&it.place);
            }
        }
        places
    }
}

pub(super) fn id_of(place: &Place) -> &str {
    place.id()
}

fn named(place: &Place) -> Named {
    Named::new(place.name(), id_of(place))
}

/// How a person is named in a call: by address, else by id.
fn reference(holder: &Holder) -> Option<&str> {
    match holder {
        Holder::Person(it) => it.email.as_deref().or(it.id.as_deref()),
        Holder::Invitation(email) => Some(email),
        _ => None,
    }
}

/// What somebody is told apart by within one account.
fn key_of(holder: &Holder) -> String {
    match holder {
        Holder::Person(it) => it.email.as_deref().or(it.id.as_deref()).unwrap_or_default().to_lowercase(),
        other => other.label().to_lowercase(),
    }
}

fn person(holder: &Holder) -> Named {
    let id = match holder {
        Holder::Person(it) => it.id.clone(),
        _ => None,
    };
    Named::new(holder.label(), id.unwrap_or_else(|| holder.label().to_owned()))
}

/// Places that nobody owns, or one person alone.
fn owners(told: &Told, held: &Held<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut places: Vec<Place> = told.places().into_iter().filter(|it| !matches!(it, Place::Team { .. })).cloned().collect();
    // Nobody at all is in a project that no grant names.
    if let (true, Some(projects), Some(organization)) = (told.is_whole, &told.projects, places.first().map(|it| it.organization().clone()))
    {
        for it in projects {
            let place = Place::Project { project: Named::new(&it.project, &it.id), organization: organization.clone() };
            if held.at(&place).next().is_none() {
                places.push(place);
            }
        }
    }
    for place in places {
        // A service in which no role of places like it owns says nothing by that.
        let Some(role) = held.owning.get(place.noun()).copied() else { continue };
        let here = || held.at(&place);
        let owners = access::owners(here(), &place);
        let may_own = here().any(|it| it.role.allows == Allows::Unknown && it.holder.is_people());
        let invited = here().find(|it| it.role.owns && it.state == State::Pending).map(|it| it.holder.label().to_owned());
        let waits = invited.map(|it| format!("; {it} is invited to own it")).unwrap_or_default();
        let (rule, evidence) = match owners.as_slice() {
            [] if may_own => continue,
            [] => (Rule::NoOwner, format!("nobody owns it; {}", people_in(held, &place))),
            [one] => (Rule::OneOwner, format!("{} alone owns it; {}", one.label(), people_in(held, &place))),
            _ => continue,
        };
        let people: Vec<Holder> = owners.iter().map(|it| (*it).clone()).collect();
        let next = held.candidate(&place, &owners).and_then(|it| reference(&it.holder));
        let mend = next.and_then(|next| match &place {
            Place::Project { project, .. } => own_project(told, project, next, role, here()),
            Place::Organization(it) => told.call(
                UpdateOrganizationMember::NAME,
                json!({ "organization": one_of(told, UpdateOrganizationMember::NAME, it), "member": next, "role": role }),
            ),
            Place::Team { .. } => None,
        });
        found.push(Found { rule, subject: named(&place), place: Some(place), people, evidence: evidence + &waits, mend });
    }
    found
}

/// Makes somebody an owner of a project: whoever is in it already gets the role beside the others.
fn own_project<'a>(told: &Told, project: &Named, member: &str, role: &str, mut here: impl Iterator<Item = &'a Grant>) -> Option<Mend> {
    let is_in = here.any(|it| it.via == Via::Own && reference(&it.holder) == Some(member));
    if is_in && told.tools.contains_key(UpdateProjectMember::NAME) {
        return told.call(UpdateProjectMember::NAME, json!({ "project": project.id, "member": member, "role": role }));
    }
    told.call(AddProjectMember::NAME, json!({ "project": project.id, "member": member, "roles": [role] }))
}

/// The organization as an argument, where the account takes one.
fn one_of(told: &Told, tool: &str, organization: &Named) -> Value {
    let takes = told.tools.get(tool).is_some_and(|it| !it.contains(&"organization"));
    if takes { json!(organization.id) } else { Value::Null }
}

fn people_in(held: &Held<'_>, place: &Place) -> String {
    match census(held.at(place), place).people {
        0 => "nobody is in it".to_owned(),
        1 => "1 person is in it".to_owned(),
        many => format!("{many} people are in it"),
    }
}

/// People who own many projects, and those that nobody else owns.
fn many(told: &Told, held: &Held<'_>) -> Vec<Found> {
    let mut owned: Vec<(&Holder, Vec<&Place>)> = Vec::new();
    // Where in `owned` somebody is; who has an id in one place and none in another is the same by the address.
    let mut known: HashMap<String, Vec<usize>> = HashMap::new();
    let mut projects: Vec<&Place> = told.places().into_iter().filter(|it| matches!(it, Place::Project { .. })).collect();
    projects.sort_by_key(|it| it.name().to_lowercase());
    for place in &projects {
        for owner in access::owners(held.at(place), place) {
            let alike = known.entry(key_of(owner)).or_default();
            if let Some(at) = alike.iter().copied().find(|at| owned[*at].0.is_same(owner)) {
                owned[at].1.push(place);
            } else {
                alike.push(owned.len());
                owned.push((owner, vec![place]));
            }
        }
    }
    let names = |places: &[&Place]| places.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
    let many = owned.into_iter().filter(|it| it.1.len() > told.limits.owned_projects as usize);
    many.map(|(owner, places)| {
        let alone: Vec<&Place> = places.iter().copied().filter(|it| access::only_owner(held.at(it), it).is_some()).collect();
        let orphans = if alone.is_empty() { "each has another owner".to_owned() } else { format!("alone: {}", names(&alone)) };
        let evidence = format!("owns {} projects: {}; {orphans}", places.len(), names(&places));
        Found { rule: Rule::OwnsMany, subject: person(owner), place: None, people: vec![owner.clone()], evidence, mend: None }
    })
    .collect()
}

/// The mail domains that people of the organization are of: the configured ones, else the one that most of them have.
fn home(told: &Told) -> Option<(BTreeSet<String>, String)> {
    if let Some(trusted) = &told.trusted {
        return Some((trusted.clone(), "a trusted mail domain".to_owned()));
    }
    let people = told.grants.iter().filter(|it| it.state == State::Active && matches!(it.holder, Holder::Person(_)));
    let people: BTreeMap<String, Option<&str>> = people.map(|it| (key_of(&it.holder), it.holder.domain())).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for domain in people.into_values().flatten() {
        *counts.entry(domain.to_lowercase()).or_default() += 1;
    }
    let (domain, _) = counts.into_iter().max_by_key(|it| it.1)?;
    let says = format!("{domain}, as most people are");
    Some(([domain].into(), says))
}

/// Whether a domain is one of these, or below one.
fn is_home(domain: &str, home: &BTreeSet<String>) -> bool {
    let domain = domain.to_lowercase();
    home.iter().any(|it| domain == *it || domain.ends_with(&format!(".{it}")))
}

/// Power that people of other mail domains hold.
fn outsiders(told: &Told) -> Vec<Found> {
    let Some((home, says)) = home(told) else { return Vec::new() };
    let outside = told.grants.iter().filter(|it| {
        it.holder.is_people() && it.role.power.counts() && it.holder.domain().is_some_and(|it| !is_home(it, &home)) && it.via == Via::Own
    });
    outside
        .map(|it| {
            let may =
                if it.role.power == Power::Unknown { "may be power, which the service does not explain" } else { "is power over others" };
            let invited = if it.state == State::Pending { "is invited as" } else { "holds" };
            let evidence = format!("{invited} {}, which {may}, and is not of {says}", it.role.name);
            Found {
                rule: Rule::OutsidePower,
                subject: person(&it.holder),
                place: Some(it.place.clone()),
                people: vec![it.holder.clone()],
                evidence,
                mend: leave(told, &it.holder, &it.place, it.state),
            }
        })
        .collect()
}

/// The call that takes somebody out of a place.
fn leave(told: &Told, holder: &Holder, place: &Place, state: State) -> Option<Mend> {
    let member = reference(holder)?;
    match place {
        Place::Organization(it) if state == State::Pending => {
            told.call(CancelInvitation::NAME, json!({ "organization": one_of(told, CancelInvitation::NAME, it), "invitation": member }))
        }
        Place::Organization(it) => {
            let tool = RemoveOrganizationMember::NAME;
            told.call(tool, json!({ "organization": one_of(told, tool, it), "member": member }))
        }
        Place::Project { project, .. } => told.call(RemoveProjectMember::NAME, json!({ "project": project.id, "member": member })),
        Place::Team { team, .. } => told.call(RemoveTeamMember::NAME, json!({ "team": team.id, "member": member })),
    }
}

/// People in projects and teams who are not in the organization.
fn strangers(told: &Told) -> Vec<Found> {
    let people = || told.grants.iter().filter(|it| it.state == State::Active && matches!(it.holder, Holder::Person(_)));
    let mut members: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for it in people() {
        if let Place::Organization(organization) = &it.place {
            members.entry(&organization.id).or_default().insert(key_of(&it.holder));
        }
    }
    let (mut found, mut once) = (Vec::new(), BTreeSet::new());
    for it in people().filter(|it| it.via == Via::Own && !matches!(it.place, Place::Organization(_))) {
        let organization = it.place.organization();
        // Where nobody is told to be in the organization, nobody can be told to have left it.
        let Some(members) = members.get(organization.id.as_str()) else { continue };
        let who = key_of(&it.holder);
        if members.contains(&who) || !once.insert((who, id_of(&it.place))) {
            continue;
        }
        found.push(Found {
            rule: Rule::NotInOrganization,
            subject: person(&it.holder),
            place: Some(it.place.clone()),
            people: vec![it.holder.clone()],
            evidence: format!("holds {} and is not in {}: left it, or is a guest", it.role.name, organization.name),
            mend: leave(told, &it.holder, &it.place, it.state),
        });
    }
    found
}

/// Roles that somebody holds in one place by two ways.
fn twice(told: &Told) -> Vec<Found> {
    let mut held: BTreeMap<(String, &str), Vec<&Grant>> = BTreeMap::new();
    for it in told.grants.iter().filter(|it| it.state == State::Active && matches!(it.holder, Holder::Person(_))) {
        held.entry((key_of(&it.holder), id_of(&it.place))).or_default().push(it);
    }
    let mut found = Vec::new();
    for here in held.values().filter(|it| it.len() > 1) {
        let through = |own: &Grant| -> Vec<&str> {
            let same = here.iter().filter(|it| it.role.id == own.role.id);
            same.filter_map(|it| if let Via::Team(team) = &it.via { Some(team.name.as_str()) } else { None }).collect()
        };
        let own = || here.iter().copied().filter(|it| it.via == Via::Own);
        let all_twice = own().all(|it| !through(it).is_empty());
        // One call takes all of them off a project.
        let most = if all_twice && matches!(here[0].place, Place::Project { .. }) { 1 } else { usize::MAX };
        for own in own().filter(|it| !it.role.id.is_empty() && !through(it).is_empty()).take(most) {
            let mend = reference(&own.holder).and_then(|member| match &own.place {
                Place::Project { project, .. } if all_twice => {
                    told.call(RemoveProjectMember::NAME, json!({ "project": project.id, "member": member }))
                }
                Place::Project { project, .. } => {
                    told.call(UnassignRole::NAME, json!({ "role": own.role.id, "project": project.id, "member": member }))
                }
                Place::Organization(it) => {
                    let organization = one_of(told, UnassignRole::NAME, it);
                    told.call(UnassignRole::NAME, json!({ "role": own.role.id, "organization": organization, "member": member }))
                }
                Place::Team { .. } => None,
            });
            found.push(Found {
                rule: Rule::SameAccessTwice,
                subject: person(&own.holder),
                place: Some(own.place.clone()),
                people: vec![own.holder.clone()],
                evidence: format!("holds {} of their own and through {}", own.role.name, through(own).join(", ")),
                mend,
            });
        }
    }
    found
}
