//! The rules of a review, and what each finds. Pure functions over what an account told; the same for all providers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    access::{self, census},
    domain::{
        Timestamp,
        access::{Action, Allows, Grant, Holder, Named, Place, Power, State, Via},
        keys::{ApiKey, KeyState, OwnerAccess},
        members::Invitation,
        projects::Project,
        roles::Role,
    },
    tools::{
        Operation as _,
        access::Mend,
        keys::{DeleteApiKey, DeleteServiceAccount, UpdateApiKey},
        members::{CancelInvitation, InviteOrganizationMember, RemoveOrganizationMember, UpdateOrganizationMember},
        project_members::{AddProjectMember, RemoveProjectMember, UpdateProjectMember},
        roles::{DeleteRole, UnassignRole},
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

/// A key that nobody used for so many days is not needed.
const UNUSED_DAYS: i64 = 90;
/// So many days a new key may wait for its first use.
const NEW_DAYS: i64 = 30;
/// A key that is older than so many days should be replaced.
const OLD_DAYS: i64 = 365;
/// So long a key without end still works once it gets one.
const LAST_DAYS: i64 = 30;
/// Whoever owns more projects than so many is a risk.
const MANY: usize = 3;
const DAY: i64 = 86_400_000;

/// What an account told of one organization.
#[derive(Debug, Default)]
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
    found.extend(owners(told));
    found.extend(many(told));
    found.extend(outsiders(told));
    found.extend(strangers(told));
    found.extend(twice(told));
    found.extend(keys(told, now));
    found.extend(invitations(told));
    found.extend(roles(told));
    found.extend(accounts(told));
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
        let mut seen = BTreeSet::new();
        for it in &self.grants {
            if seen.insert((it.place.noun(), id_of(&it.place).to_owned())) {
                places.push(&it.place);
            }
        }
        places
    }

    /// A role by which somebody owns a place of this kind, as it is held somewhere.
    fn owning_role(&self, like: &Place) -> Option<&str> {
        let fits = |it: &&Grant| it.role.owns && it.place.noun() == like.noun();
        self.grants.iter().find(fits).map(|it| it.role.name.as_str())
    }

    /// Somebody who could own a place besides those who do: whoever has most to say in it, else in the organization.
    fn candidate(&self, place: &Place, but: &[&Holder]) -> Option<&Grant> {
        let is_free = |it: &&Grant| {
            it.state == State::Active && matches!(it.holder, Holder::Person(_)) && !but.iter().any(|owner| owner.is_same(&it.holder))
        };
        let able = |it: &&Grant| it.role.power == Power::OverOthers || it.role.allows.has(Action::Write);
        let here = self.grants.iter().filter(is_free).filter(|it| it.place.is_same(place) && it.via == Via::Own);
        let above = self
            .grants
            .iter()
            .filter(is_free)
            .filter(|it| matches!(&it.place, Place::Organization(it) if it.id == place.organization().id));
        let powerful = |it: &&Grant| it.role.power == Power::OverOthers;
        here.clone()
            .find(powerful)
            .or_else(|| above.clone().find(powerful))
            .or_else(|| here.clone().find(able))
            .or_else(|| above.clone().next())
    }
}

pub(super) fn id_of(place: &Place) -> &str {
    match place {
        Place::Organization(it) | Place::Project { project: it, .. } | Place::Team { team: it, .. } => &it.id,
    }
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
fn owners(told: &Told) -> Vec<Found> {
    let mut found = Vec::new();
    let mut places: Vec<Place> = told.places().into_iter().filter(|it| !matches!(it, Place::Team { .. })).cloned().collect();
    // Nobody at all is in a project that no grant names.
    if let (true, Some(projects), Some(organization)) = (told.is_whole, &told.projects, places.first().map(|it| it.organization().clone()))
    {
        for it in projects {
            let place = Place::Project { project: Named::new(&it.project, &it.id), organization: organization.clone() };
            if !places.iter().any(|it| it.is_same(&place)) {
                places.push(place);
            }
        }
    }
    for place in places {
        // A service in which no role of places like it owns says nothing by that.
        let Some(role) = told.owning_role(&place) else { continue };
        let here = || told.grants.iter().filter(|it| it.place.is_same(&place));
        let owners = access::owners(&told.grants, &place);
        let may_own = here().any(|it| it.role.allows == Allows::Unknown && it.holder.is_people());
        let invited = here().find(|it| it.role.owns && it.state == State::Pending).map(|it| it.holder.label().to_owned());
        let waits = invited.map(|it| format!("; {it} is invited to own it")).unwrap_or_default();
        let (rule, evidence) = match owners.as_slice() {
            [] if may_own => continue,
            [] => (Rule::NoOwner, format!("nobody owns it; {}", people_in(told, &place))),
            [one] => (Rule::OneOwner, format!("{} alone owns it; {}", one.label(), people_in(told, &place))),
            _ => continue,
        };
        let people: Vec<Holder> = owners.iter().map(|it| (*it).clone()).collect();
        let next = told.candidate(&place, &owners).and_then(|it| reference(&it.holder));
        let mend = next.and_then(|next| match &place {
            Place::Project { project, .. } => own_project(told, project, next, role),
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
fn own_project(told: &Told, project: &Named, member: &str, role: &str) -> Option<Mend> {
    let is_in = told.grants.iter().any(|it| {
        it.via == Via::Own
            && matches!(&it.place, Place::Project { project: it, .. } if it.id == project.id)
            && reference(&it.holder) == Some(member)
    });
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

fn people_in(told: &Told, place: &Place) -> String {
    match census(&told.grants, place).people {
        0 => "nobody is in it".to_owned(),
        1 => "1 person is in it".to_owned(),
        many => format!("{many} people are in it"),
    }
}

/// People who own many projects, and those that nobody else owns.
fn many(told: &Told) -> Vec<Found> {
    let mut owned: Vec<(&Holder, Vec<&Place>)> = Vec::new();
    let projects: Vec<&Place> = told.places().into_iter().filter(|it| matches!(it, Place::Project { .. })).collect();
    for place in &projects {
        for owner in access::owners(&told.grants, place) {
            match owned.iter_mut().find(|it| it.0.is_same(owner)) {
                Some(known) => known.1.push(place),
                None => owned.push((owner, vec![place])),
            }
        }
    }
    let names = |places: &[&Place]| places.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
    let many = owned.into_iter().filter(|it| it.1.len() > MANY);
    many.map(|(owner, places)| {
        let alone: Vec<&Place> = places.iter().copied().filter(|it| access::only_owner(&told.grants, it).is_some()).collect();
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

/// What is the matter with keys that work.
fn keys(told: &Told, now: Timestamp) -> Vec<Found> {
    let mut found = Vec::new();
    let works = |it: &&ApiKey| !matches!(it.status, Some(KeyState::Blocked | KeyState::Expired));
    for key in told.keys.iter().flatten().filter(works) {
        let age = |at: Timestamp| (now.0 - at.0) / DAY;
        let used = match key.last_used_at {
            _ if !told.tells_use => String::new(),
            Some(at) => format!("; last used {} days ago", age(at)),
            None => "; never used".to_owned(),
        };
        let project = key.project_id.as_deref().unwrap_or(&key.project);
        let arguments = json!({ "project": project, "api_key": key.id });
        let with = |field: &str, value: Value| {
            let mut arguments = arguments.clone();
            arguments[field] = value;
            arguments
        };
        let block = || {
            let blocks = told.call(UpdateApiKey::NAME, with("status", json!("blocked")));
            blocks.or_else(|| told.call(DeleteApiKey::NAME, arguments.clone()))
        };
        let end = || told.call(UpdateApiKey::NAME, with("expires_in_seconds", json!(LAST_DAYS * DAY / 1000))).or_else(block);
        let owner = key.owner.as_deref().unwrap_or("nobody");
        let mut add = |rule: Rule, evidence: String, mend: Option<Mend>| {
            let organization = Named::new("", "");
            let place = Place::Project { project: Named::new(&key.project, project), organization };
            let people = key.owner.as_deref().map(|it| Holder::person(it, None)).into_iter().collect();
            found.push(Found { rule, subject: Named::new(&key.api_key, &key.id), place: Some(place), people, evidence, mend });
        };
        match key.owner_access {
            Some(OwnerAccess::Left) => add(Rule::KeyOfLeaver, format!("its owner {owner} has left, and it works{used}"), block()),
            Some(OwnerAccess::None) => add(Rule::KeyOfNobody, format!("nobody owns it, and it works{used}"), block()),
            Some(OwnerAccess::NoAccess) => {
                add(Rule::KeyWithoutAccess, format!("its owner {owner} is not in the project any more, and it works{used}"), block());
            }
            Some(OwnerAccess::Active) | None => {}
        }
        let made = key.created_at.map(age);
        match (key.last_used_at, made) {
            _ if !told.tells_use => {}
            (None, made) if made.is_none_or(|it| it > NEW_DAYS) => {
                let since = made.map_or_else(String::new, |it| format!(" in {it} days"));
                add(Rule::KeyNeverUsed, format!("of {owner}, and never used{since}"), block());
            }
            (Some(at), _) if age(at) > UNUSED_DAYS => {
                add(Rule::KeyUnused, format!("of {owner}, and not used for {} days", age(at)), block())
            }
            _ => {}
        }
        if let Some(made) = made.filter(|it| *it > OLD_DAYS) {
            add(Rule::KeyOld, format!("of {owner}, and {made} days old{used}"), end());
        }
        if key.expires_at.is_none() {
            add(Rule::KeyWithoutEnd, format!("of {owner}, and works until it is deleted{used}"), end());
        }
    }
    found
}

/// Invitations that ran out.
fn invitations(told: &Told) -> Vec<Found> {
    let ran_out = told.invitations.iter().flatten();
    ran_out
        .map(|it| {
            let when = it.expires_at.map(|at| format!(" on {at}")).unwrap_or_default();
            let organization =
                told.places().first().map(|it| it.organization().clone()).unwrap_or_else(|| Named::new(&it.organization, &it.organization));
            let tool = InviteOrganizationMember::NAME;
            let again = json!({ "organization": one_of(told, tool, &organization), "email": it.invitation, "role": it.role });
            Found {
                rule: Rule::InvitationRanOut,
                subject: Named::new(&it.invitation, &it.id),
                place: Some(Place::Organization(organization)),
                people: vec![Holder::Invitation(it.invitation.clone())],
                evidence: format!("was invited as {}, which ran out{when}", it.role),
                mend: told.call(tool, again),
            }
        })
        .collect()
}

/// Roles of its own that nobody holds. Where it is not told who holds what, nothing is said.
fn roles(told: &Told) -> Vec<Found> {
    if !told.is_whole {
        return Vec::new();
    }
    let idle =
        told.roles.iter().flatten().filter(|it| it.built_in != Some(true) && !told.grants.iter().any(|grant| grant.role.id == it.id));
    idle.map(|it| {
        let project = it.project.as_ref();
        let of_project = |place: &&&Place| matches!(place, Place::Project { project: at, .. } if Some(&at.name) == project);
        let places = told.places();
        let organization = || places.first().map(|it| Place::Organization(it.organization().clone()));
        let place = places.iter().find(of_project).map(|it| (*it).clone()).or_else(organization);
        Found {
            rule: Rule::RoleWithoutHolder,
            subject: Named::new(&it.role, &it.id),
            place,
            people: Vec::new(),
            evidence: "nobody holds it".to_owned(),
            mend: told.call(DeleteRole::NAME, json!({ "role": it.id, "project": project })),
        }
    })
    .collect()
}

/// Service accounts with no key, blocked and ended ones included.
fn accounts(told: &Told) -> Vec<Found> {
    let Some(keys) = told.keys.as_ref().filter(|_| told.all_keys) else { return Vec::new() };
    let mut found: Vec<Found> = Vec::new();
    for grant in &told.grants {
        let (Holder::ServiceAccount(account), Place::Project { project, .. }) = (&grant.holder, &grant.place) else { continue };
        let has_key = keys.iter().any(|it| {
            it.owner.as_deref() == Some(&account.name) && (it.project_id.as_deref() == Some(&project.id) || it.project == project.name)
        });
        if has_key || found.iter().any(|it| it.subject.id == account.id) {
            continue;
        }
        found.push(Found {
            rule: Rule::AccountWithoutKey,
            subject: account.clone(),
            place: Some(grant.place.clone()),
            people: Vec::new(),
            evidence: format!("holds {} and has no key, so nothing acts for it", grant.role.name),
            mend: told.call(DeleteServiceAccount::NAME, json!({ "project": project.id, "service_account": account.id })),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::access::Role as HeldRole;

    const NOW: Timestamp = Timestamp(1000 * DAY);

    fn organization() -> Named {
        Named::new("Acme", "org_1")
    }

    fn project(at: u8) -> Place {
        Place::Project { project: Named::new(format!("P{at}"), format!("prj_{at}")), organization: organization() }
    }

    fn grant(who: u8, place: Place, owns: bool) -> Grant {
        let role = if owns { HeldRole::owner("owner", "role_owner") } else { HeldRole::known("member", "role_member", [Action::Read]) };
        Grant::own(Holder::person(&format!("p{who}@acme.example"), Some(&format!("usr_{who}"))), role, place)
    }

    fn told(grants: Vec<Grant>) -> Told {
        let tools = [AddProjectMember::NAME, UpdateProjectMember::NAME, UpdateApiKey::NAME].map(|it| (it, &[] as &[&str])).into();
        Told { grants, is_whole: true, tells_use: true, tools, ..Told::default() }
    }

    fn key(owner: OwnerAccess, made: i64, used: Option<i64>, ends: bool) -> Vec<&'static str> {
        let ago = |days: i64| Timestamp(NOW.0 - days * DAY);
        let key = ApiKey {
            api_key: "k".into(),
            id: "key_1".into(),
            project: "P".into(),
            owner_access: Some(owner),
            created_at: Some(ago(made)),
            last_used_at: used.map(ago),
            expires_at: ends.then(|| ago(-1)),
            ..ApiKey::default()
        };
        let all = find(&Told { keys: Some(vec![key]), ..told(Vec::new()) }, NOW);
        assert!(all.iter().all(|it| it.mend.is_some()), "{all:?}");
        all.into_iter().map(|it| it.rule.name()).collect()
    }

    #[test]
    fn keys_are_judged_by_owner_age_use_and_end() {
        assert_eq!(key(OwnerAccess::Active, 10, None, true), [""; 0]);
        assert_eq!(key(OwnerAccess::Active, 31, None, true), ["key_never_used"]);
        assert_eq!(key(OwnerAccess::Active, 366, Some(91), false), ["key_unused", "key_old", "key_without_end"]);
        assert_eq!(key(OwnerAccess::Left, 5, Some(1), true), ["key_of_leaver"]);
        assert_eq!(key(OwnerAccess::None, 5, Some(1), true), ["key_of_nobody"]);
        assert_eq!(key(OwnerAccess::NoAccess, 5, Some(1), true), ["key_without_access"]);
    }

    #[test]
    fn every_rule_is_told_by_a_name_of_its_own_and_the_gravest_come_first() {
        let names: BTreeSet<&str> = Rule::ALL.iter().map(|it| it.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        assert!(Rule::ALL.iter().map(|it| it.weight()).is_sorted());
        assert!(Rule::ALL.is_sorted());
    }

    proptest! {
        #[test]
        fn a_place_lacks_owners_as_long_as_it_has_fewer_than_two(held in proptest::collection::vec((0_u8..4, 0_u8..3, any::<bool>()), 0..12)) {
            let grants: Vec<Grant> = held.iter().map(|it| grant(it.0, project(it.1), it.2)).collect();
            let found = find(&told(grants.clone()), NOW);
            let some_role_owns = grants.iter().any(|it| it.role.owns);
            for at in 0..3 {
                let place = project(at);
                let owners = access::owners(&grants, &place).len();
                let rules: Vec<Rule> = found
                    .iter()
                    .filter(|it| matches!(it.rule, Rule::NoOwner | Rule::OneOwner) && it.place.as_ref().is_some_and(|it| it.is_same(&place)))
                    .map(|it| it.rule)
                    .collect();
                let is_known = some_role_owns && grants.iter().any(|it| it.place.is_same(&place));
                let expected: &[Rule] = match owners {
                    0 if is_known => &[Rule::NoOwner],
                    1 => &[Rule::OneOwner],
                    _ => &[],
                };
                prop_assert_eq!(&rules, expected);
            }
        }

        #[test]
        fn who_is_to_own_a_place_beside_its_owner_is_somebody_else(held in proptest::collection::vec((0_u8..4, 0_u8..3, any::<bool>()), 0..12)) {
            let grants: Vec<Grant> = held.iter().map(|it| grant(it.0, project(it.1), it.2)).collect();
            for it in find(&told(grants), NOW).iter().filter(|it| it.rule == Rule::OneOwner) {
                let Some(mend) = &it.mend else { continue };
                prop_assert_ne!(mend.arguments["member"].as_str(), it.people[0].label().into());
            }
        }
    }
}
