//! The questions.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::domain::{
    Surroundings,
    access::{Action, Allows, Grant, Holder, Person, Place, Power, Role, State, Via},
    fold_accents,
};

/// What a grant allows in a place; `None` where it is held elsewhere: where it is held, and in the projects of an organization where it is held there.
pub fn allowed<'a>(grant: &'a Grant, place: &Place) -> Option<&'a Allows> {
    if grant.place.is_same(place) {
        return Some(&grant.role.allows);
    }
    match (&grant.place, place) {
        (Place::Organization(held), Place::Project { organization, .. }) if held.id == organization.id => Some(&grant.role.inside),
        _ => None,
    }
}

/// Whether a grant lets its holder do something in a place: surely, or perhaps where the service does not tell what the role allows.
fn may(grant: &Grant, place: &Place, action: Action) -> bool {
    allowed(grant, place).is_some_and(|it| it.may(action))
}

/// Whether a grant surely lets its holder see a place.
fn reads(grant: &Grant, place: &Place) -> bool {
    allowed(grant, place).is_some_and(|it| it.has(Action::Read))
}

/// By which way a grant reaches a place: a role of the organization is a way of its own into the projects.
fn way(grant: &Grant, place: &Place) -> Via {
    if grant.place.is_same(place) {
        return grant.via.clone();
    }
    Via::OrganizationRole(crate::domain::access::Named::new(grant.role.name.clone(), grant.role.id.clone()))
}

/// Everybody and everything that can do something in a place, by every way; whoever is invited counts. A role that the service
/// does not explain may be able to: its [`Role::allows`] says so.
pub fn who_can<'a>(grants: &'a [Grant], place: &Place, action: Action) -> Vec<&'a Grant> {
    grants.iter().filter(|it| may(it, place, action)).collect()
}

/// A place that somebody reaches, with every grant by which they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached<'a> {
    pub place: Place,
    pub by: Vec<&'a Grant>,
}

/// The ways by which a holder surely sees a place, each once.
pub fn ways(grants: &[Grant], holder: &Holder, place: &Place) -> Vec<Via> {
    let mut ways: Vec<Via> = grants.iter().filter(|it| it.holder.is_same(holder) && reads(it, place)).map(|it| way(it, place)).collect();
    ways.sort();
    ways.dedup();
    ways
}

/// The places that a holder has roles in, in the order in which the grants name them.
pub fn reach<'a>(grants: &'a [Grant], holder: &Holder) -> Vec<Reached<'a>> {
    let mut reached: Vec<Reached<'a>> = Vec::new();
    for grant in grants.iter().filter(|it| it.holder.is_same(holder)) {
        match reached.iter_mut().find(|it| it.place.is_same(&grant.place)) {
            Some(known) => known.by.push(grant),
            None => reached.push(Reached { place: grant.place.clone(), by: vec![grant] }),
        }
    }
    reached
}

/// The grants of a role in a place; whoever is invited with it counts.
pub fn holders<'a>(grants: &'a [Grant], role_id: &str, place: Option<&Place>) -> Vec<&'a Grant> {
    grants.iter().filter(|it| it.role.id == role_id && place.is_none_or(|place| it.place.is_same(place))).collect()
}

/// The people who own a place now, each once; invitations do not own.
pub fn owners<'a>(grants: impl IntoIterator<Item = &'a Grant>, place: &Place) -> Vec<&'a Holder> {
    let owning = grants.into_iter().filter(|it| it.role.owns && it.state == State::Active && it.holder.is_people());
    let mut met = Met::default();
    owning.filter(|it| it.place.is_same(place)).map(|it| &it.holder).filter(|it| met.is_new(it)).collect()
}

/// The grants of each place, for whoever asks about one place after the other.
pub fn by_place(grants: &[Grant]) -> HashMap<(&'static str, &str), Vec<&Grant>> {
    let mut places: HashMap<(&'static str, &str), Vec<&Grant>> = HashMap::new();
    for it in grants {
        places.entry((it.place.noun(), it.place.id())).or_default().push(it);
    }
    places
}

/// Holders as they are met, each once, however many there are; who is the same is as [`Holder::is_same`] says.
#[derive(Debug, Default)]
struct Met<'a> {
    ids: HashSet<&'a str>,
    /// In lower case; of all people, and of those who have no id.
    addresses: HashSet<String>,
    by_address: HashSet<String>,
    others: Vec<&'a Holder>,
}

impl<'a> Met<'a> {
    /// Whether a holder is met for the first time.
    fn is_new(&mut self, holder: &'a Holder) -> bool {
        let Holder::Person(Person { id, email, .. }) = holder else {
            let is_new = !self.others.iter().any(|it| it.is_same(holder))
                && !matches!(holder, Holder::Invitation(email) if self.addresses.contains(&email.to_lowercase()));
            if is_new {
                self.others.push(holder);
            }
            return is_new;
        };
        let address = email.as_deref().map(str::to_lowercase);
        let among = |known: &HashSet<String>| address.as_ref().is_some_and(|it| known.contains(it));
        let is_known = match id.as_deref() {
            Some(id) => self.ids.contains(id) || among(&self.by_address),
            None => among(&self.addresses),
        };
        if is_known || self.others.iter().any(|it| it.is_same(holder)) {
            return false;
        }
        if let Some(id) = id.as_deref() {
            self.ids.insert(id);
        } else {
            self.by_address.extend(address.clone());
        }
        self.addresses.extend(address);
        true
    }
}

/// Who owns a place, and how much is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census<'a> {
    pub owners: Vec<&'a Holder>,
    /// People who are in it themselves or through a team, each once.
    pub people: usize,
    pub keys: usize,
}

/// Counts who and what is in a place. Whoever reaches it by a role of the organization alone is not in it, nor is who is invited.
pub fn census<'a>(grants: impl IntoIterator<Item = &'a Grant>, place: &Place) -> Census<'a> {
    let here: Vec<&Grant> = grants.into_iter().filter(|it| it.state == State::Active && it.place.is_same(place)).collect();
    let (mut people, mut met, mut keys) = (0, Met::default(), BTreeSet::new());
    for grant in &here {
        match &grant.holder {
            Holder::Person(_) if matches!(grant.via, Via::Own | Via::Team(_)) && met.is_new(&grant.holder) => people += 1,
            Holder::Key(it) => drop(keys.insert(it.id.as_str())),
            _ => {}
        }
    }
    Census { owners: owners(here, place), people, keys: keys.len() }
}

/// Whether a person has this address or id, or is called so.
pub fn is_called(holder: &Holder, text: &str) -> bool {
    let Holder::Person(it) = holder else { return fold_accents(holder.label()) == fold_accents(text) };
    let wanted = fold_accents(text);
    let is = |known: &Option<String>| known.as_deref().is_some_and(|it| fold_accents(it) == wanted);
    let is_part = it.name.as_deref().is_some_and(|it| fold_accents(it).split_whitespace().any(|word| word == wanted));
    it.id.as_deref() == Some(text) || is(&it.email) || is(&it.name) || is_part
}

/// The one person who owns a place, where there is no other.
pub fn only_owner<'a>(grants: impl IntoIterator<Item = &'a Grant>, place: &Place) -> Option<&'a Holder> {
    match owners(grants, place).as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// What a holder would lose of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostAccess {
    pub holder: Holder,
    pub place: Place,
    /// What they can do before and not after. Where one of the two is not told: all that is not sure to stay.
    pub actions: BTreeSet<Action>,
    /// The provider's codes that they hold before and not after.
    pub permissions: Vec<String>,
    /// The ways by which they go on seeing the place; empty where they no longer see it.
    pub still: Vec<Via>,
}

/// What holders lose from one list of grants to another, by place: people, teams, keys alike; invitations that end count.
pub fn lost(before: &[Grant], after: &[Grant]) -> Vec<LostAccess> {
    let mut losses: Vec<LostAccess> = Vec::new();
    for (at, grant) in before.iter().enumerate() {
        let is_same = |it: &Grant| it.holder.is_same(&grant.holder) && it.place.is_same(&grant.place);
        // Each holder in each place is looked at once.
        if before[..at].iter().any(is_same) {
            continue;
        }
        let had: Vec<&Grant> = before.iter().filter(|it| is_same(it)).collect();
        let has: Vec<&Grant> = after.iter().filter(|it| it.holder.is_same(&grant.holder) && allowed(it, &grant.place).is_some()).collect();
        let could = |action: Action| had.iter().any(|it| it.role.allows.may(action));
        let can = |action: Action| has.iter().any(|it| allowed(it, &grant.place).is_some_and(|it| it.has(action)));
        let untouched = had.iter().all(|it| has.contains(it));
        let actions: BTreeSet<Action> = Action::ALL.into_iter().filter(|it| !untouched && could(*it) && !can(*it)).collect();
        let kept = |code: &String| has.iter().any(|it| it.role.permissions.contains(code));
        let mut permissions: Vec<String> =
            had.iter().flat_map(|it| &it.role.permissions).filter(|it| !untouched && !kept(it)).cloned().collect();
        permissions.sort();
        permissions.dedup();
        if actions.is_empty() && permissions.is_empty() {
            continue;
        }
        let still = ways(after, &grant.holder, &grant.place);
        losses.push(LostAccess { holder: grant.holder.clone(), place: grant.place.clone(), actions, permissions, still });
    }
    losses
}

/// The mail domains of people who surely hold power over others now. Who is only invited lends no trust, nor does a role that
/// nobody can explain.
pub fn domains_in_power(grants: &[Grant]) -> BTreeSet<String> {
    let in_power = grants
        .iter()
        .filter(|it| it.role.power == Power::OverOthers && it.state == State::Active && matches!(it.holder, Holder::Person(_)));
    in_power.filter_map(|it| it.holder.domain()).map(str::to_lowercase).collect()
}

/// What the judgement needs to know of an organization, from all grants in it.
pub fn surroundings(organization: &str, grants: &[Grant]) -> Surroundings {
    let (mut people, mut met) = (0, Met::default());
    let mut projects: BTreeSet<&str> = BTreeSet::new();
    for grant in grants {
        if let Place::Project { project, .. } = &grant.place {
            projects.insert(&project.id);
        }
        if matches!(grant.holder, Holder::Person(_)) && met.is_new(&grant.holder) {
            people += 1;
        }
    }
    Surroundings {
        organization: organization.to_owned(),
        domains_in_power: Some(domains_in_power(grants)),
        people: Some(people),
        projects: Some(projects.len() as u64),
        keys: None,
    }
}

/// The grants that people hold whose mail domain is not among the trusted ones; an address that is hidden is nobody's.
pub fn outsiders<'a>(grants: &'a [Grant], trusted: &BTreeSet<String>) -> Vec<&'a Grant> {
    let is_trusted = |it: &Grant| it.holder.domain().is_some_and(|it| trusted.contains(&it.to_lowercase()));
    grants.iter().filter(|it| it.holder.is_people() && !is_trusted(it)).collect()
}

/// The grants that are only in the second list, and those that are only in the first.
pub fn difference<'a>(before: &'a [Grant], after: &'a [Grant]) -> (Vec<&'a Grant>, Vec<&'a Grant>) {
    let same = |one: &Grant, other: &Grant| {
        one.holder.is_same(&other.holder) && one.place.is_same(&other.place) && one.via == other.via && is_same_role(&one.role, &other.role)
    };
    let only_in = |these: &'a [Grant], those: &'a [Grant]| these.iter().filter(|it| !those.iter().any(|other| same(it, other))).collect();
    (only_in(after, before), only_in(before, after))
}

fn is_same_role(one: &Role, other: &Role) -> bool {
    one.id == other.id
}
