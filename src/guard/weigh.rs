//! How grave a change is. Providers report facts; this is the only place that judges them, and the only maker of an [`Impact`].
//!
//! The rules, once for all providers and operations:
//! - Losing something counts, power or not: at least low; high where somebody no longer sees a place at all.
//! - Power over others is low for people of a trusted mail domain and critical for anybody else. Trusted are the domains that the
//!   operator names, else those of people who hold power now: members without power and invitations lend no trust.
//! - What is not known is never harmless.
//! - The sum is weighed: all or most projects, people or keys of an organization are critical, however many steps take them.
//! - One plan takes away so many people and things and no more, whoever agrees to it.

use std::collections::{BTreeMap, BTreeSet};

use super::words;
use crate::domain::{
    Counted, Fact, Facts, Gravity, Impact, Losing, Surroundings, Thing,
    access::{Grant, Holder, Place, State},
};

/// Whose mail domains are trusted with power over others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// What the operator named; `None`: the domains of those who hold power in the organization.
    pub domains: Option<BTreeSet<String>>,
}

impl Trust {
    /// Whether somebody may be given power with a plain yes. An address that is hidden is nobody's.
    fn covers(&self, holder: &Holder, about: &Surroundings) -> bool {
        let trusted = self.domains.as_ref().or(about.domains_in_power.as_ref());
        match (holder.domain(), trusted) {
            (Some(domain), Some(trusted)) => trusted.contains(&domain.to_lowercase()),
            _ => false,
        }
    }
}

/// What a change takes of one kind of thing in one organization, for adding up over the steps of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) organization: String,
    pub(crate) what: Thing,
    pub(crate) names: Counted,
    /// How many there are in all.
    pub(crate) total: Option<u64>,
}

/// A judgement: the impact that a person is told, and what a plan adds up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighed {
    pub(crate) impact: Impact,
    pub(crate) bearing: Bearing,
    /// What names the sum, where it is the sum that is grave: `10 projects of Acme`.
    pub(crate) sum: Option<String>,
}

/// What a change adds to the plan that it is a step of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bearing {
    pub(crate) tallies: Vec<Tally>,
    /// What goes for good, so that of several steps of one gravity the gravest loss is named, and never a bystander.
    pub(crate) ends: Ending,
    /// Whether it brings people in: many of them at once are always asked about, with who gets what.
    pub(crate) brings_in: bool,
    /// The mail domains of which everybody comes in, now and later: nobody can count them.
    pub(crate) domains: Vec<String>,
    /// Whether anybody or anything gets power over others.
    pub(crate) gives_power: bool,
    /// Who can no longer see a place, and what ends or stops.
    pub(crate) taken: Vec<Tally>,
    /// What stays behind without an owner.
    pub(crate) left: Vec<(Thing, Counted)>,
}

impl Bearing {
    pub(crate) fn none() -> Self {
        Self {
            tallies: Vec::new(),
            ends: Ending::Nothing,
            brings_in: false,
            domains: Vec::new(),
            gives_power: false,
            taken: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Whether nobody and nothing loses anything by it.
    pub(crate) fn takes_nothing(&self) -> bool {
        self.tallies.is_empty() && self.ends == Ending::Nothing
    }
}

/// What a change ends, from nothing to a whole organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Nothing,
    /// Somebody's access, or keys.
    Access,
    /// Somebody's place in the organization.
    Person,
    Project,
    Organization,
}

/// Weighs what a single change would do. `destroys`: whether the tool ends something by its nature; that is never nothing.
pub(crate) fn weigh(facts: &Facts, destroys: bool, trust: &Trust) -> Weighed {
    let about = &facts.about;
    // Who could not be checked may be among those who lose by it.
    let people_lose = facts.list.iter().any(|it| matches!(it, Fact::Lose { .. } | Fact::Takes { .. } | Fact::Unseen(_)));
    let start = if destroys { Gravity::Low } else { Gravity::None };
    let mut gravity = facts.list.iter().map(|it| of_fact(it, people_lose, trust, about)).fold(start, Gravity::max);
    let tallies = tallies(facts);
    let sum = gravest_sum(&tallies);
    if sum.is_some() {
        gravity = Gravity::Critical;
    }
    let outsiders = outsiders(facts, trust);
    let (losses, mut notes) = words::of(facts);
    if !outsiders.is_empty() {
        notes.push(words::outsiders(&outsiders, about, trust.domains.is_some()));
    }
    let ends = facts.list.iter().map(ending).max().unwrap_or(Ending::Nothing);
    let given = || facts.list.iter().filter_map(|it| if let Fact::Gives(grant) = it { Some(grant) } else { None });
    let brings_in = given().any(|it| it.holder.is_people());
    let gives_power = given().any(|it| it.role.power.counts());
    let domain = |it: &Grant| if let Holder::Everybody(_) = &it.holder { it.holder.domain().map(str::to_owned) } else { None };
    let domains = given().filter_map(|it| domain(it)).collect();
    let bearing = Bearing { tallies, ends, brings_in, domains, gives_power, taken: taken(facts), left: left(facts) };
    Weighed { impact: Impact { gravity, losses, notes, undo: facts.undo.clone() }, bearing, sum }
}

fn ending(fact: &Fact) -> Ending {
    match fact {
        Fact::Ends { what: Thing::Organization, .. } => Ending::Organization,
        Fact::Ends { what: Thing::Project, .. } => Ending::Project,
        Fact::Ends { what: Thing::Person, .. } | Fact::Lose { what: Losing::Organization, .. } => Ending::Person,
        Fact::Takes { grant, still, .. } if still.is_empty() => match grant.place {
            Place::Organization(_) => Ending::Person,
            Place::Project { .. } | Place::Team { .. } => Ending::Access,
        },
        Fact::Lose { what: Losing::Access, .. } | Fact::Stops { what: Thing::Key, .. } => Ending::Access,
        _ => Ending::Nothing,
    }
}

/// What the steps of a plan come to: the gravest step, or their sum where that is graver.
pub(crate) struct Sum {
    pub(crate) gravity: Gravity,
    /// What has to be typed where it is the sum that is grave.
    pub(crate) name: Option<String>,
}

/// Adds up the steps of a plan. `open`: whether there are steps that give or take and cannot be planned yet; `newcomers`: whether
/// people are asked about who come in by it.
pub(crate) fn sum<'a>(steps: impl Iterator<Item = (Gravity, &'a [Tally])>, open: bool, newcomers: bool) -> Sum {
    // What nobody has planned yet is never harmless, and mail that has gone out cannot be made unread.
    let (mut gravity, mut all) = (if open || newcomers { Gravity::Low } else { Gravity::None }, Vec::new());
    for (of_step, tallies) in steps {
        gravity = gravity.max(of_step);
        all.extend_from_slice(tallies);
    }
    // Things of one name in several steps are several things: each step is about another.
    let name = gravest_sum(&added_up(&all, false));
    Sum { gravity: if name.is_some() { Gravity::Critical } else { gravity }, name }
}

/// How many of a kind any plan may take away, however few there are.
const ALWAYS: u64 = 50;

/// Says where a plan takes away more than one plan may: more than `most` in all, where the operator has said so; else of a kind more
/// than half of what the organization has, and more than [`ALWAYS`]. A person of whom several steps take something counts once; of
/// those who are not named, as many as one step takes something of.
pub(crate) fn too_many<'a>(most: Option<u64>, steps: impl Iterator<Item = &'a Bearing>) -> Option<String> {
    let all: Vec<Tally> = steps.flat_map(|it| &it.taken).cloned().collect();
    let (people, things): (Vec<Tally>, Vec<Tally>) = all.into_iter().partition(|it| it.what == Thing::Person);
    let sums: Vec<Tally> = each_once(&people).into_iter().chain(added_up(&things, false)).collect();
    let counted = |it: &Tally| {
        let (one, many) = it.what.words();
        format!("{} {}", it.names.count, if it.names.count == 1 { one } else { many })
    };
    let Some(most) = most else {
        let half = |it: &Tally| ALWAYS.max(it.total.unwrap_or_default() / 2);
        let it = sums.iter().find(|it| it.names.count > half(it))?;
        let of = it.total.map(|all| format!(", half of {all}")).filter(|_| half(it) > ALWAYS).unwrap_or_default();
        let place = if it.organization.is_empty() { String::new() } else { format!(" of {}", it.organization) };
        return Some(format!("this removes {}{place}, and one plan may remove {}{of}", counted(it), half(it)));
    };
    let sum: u64 = sums.iter().map(|it| it.names.count).sum();
    let listed = sums.iter().map(counted).collect::<Vec<_>>().join(", ");
    (sum > most).then(|| format!("this removes {listed}, {sum} in all, and one plan may remove {most}"))
}

/// People of whom several steps take something, each once.
fn each_once(people: &[Tally]) -> Vec<Tally> {
    let largest = |it: &Tally| people.iter().filter(|one| one.organization == it.organization).map(|it| it.names.count).max();
    let named = added_up(people, true).into_iter().map(|sum| {
        let all = people.iter().filter(|one| one.organization == sum.organization);
        let names: BTreeSet<&String> = all.flat_map(|it| &it.names.names).collect();
        let count = largest(&sum).unwrap_or_default().max(names.len() as u64);
        Tally { names: Counted::new(count, names.into_iter().cloned()), ..sum }
    });
    named.collect()
}

/// The impact of a plan: its gravity from [`sum`], its lines from its steps.
pub(crate) fn of_plan(gravity: Gravity, notes: Vec<String>, undo: Option<String>) -> Impact {
    Impact { gravity, losses: Vec::new(), notes, undo }
}

fn of_fact(fact: &Fact, people_lose: bool, trust: &Trust, about: &Surroundings) -> Gravity {
    match fact {
        Fact::Gives(grant) => of_grant(grant, trust, about),
        // An invitation that can no longer be accepted took nothing yet that somebody had.
        Fact::Takes { grant, .. } if grant.state == State::Pending => Gravity::Low,
        Fact::Takes { still, .. } => {
            if still.is_empty() {
                Gravity::High
            } else {
                Gravity::Low
            }
        }
        Fact::Lose { what, .. } => match what {
            Losing::Access | Losing::Organization => Gravity::High,
            Losing::Permissions | Losing::Role | Losing::Team | Losing::Use => Gravity::Low,
        },
        Fact::Stops { what, .. } => match what {
            Thing::Invitation | Thing::Certificate => Gravity::Low,
            _ => Gravity::High,
        },
        Fact::Ends { what, .. } => match what {
            Thing::Organization => Gravity::Critical,
            Thing::Project | Thing::ServiceAccount | Thing::Key | Thing::Person => Gravity::High,
            Thing::Team | Thing::Role if people_lose => Gravity::High,
            Thing::Team | Thing::Role | Thing::Certificate | Thing::Invitation | Thing::UsageLimit | Thing::Resource | Thing::Logo => {
                Gravity::Low
            }
        },
        Fact::Lowers { from, to, used, .. } => {
            let below_use = used.is_some_and(|used| *to < used);
            if below_use || *to <= *from * 0.1 { Gravity::Low } else { Gravity::None }
        }
        // Whoever came in by it no longer does.
        Fact::Rekeys { from: Some(_), .. } | Fact::NoneActive { .. } => Gravity::High,
        Fact::Rekeys { from: None, .. } | Fact::Rewires { .. } | Fact::Leaves { .. } | Fact::Unseen(_) => Gravity::Low,
        Fact::Ownerless { .. } => Gravity::Critical,
        Fact::Note(_) => Gravity::None,
    }
}

fn of_grant(grant: &Grant, trust: &Trust, about: &Surroundings) -> Gravity {
    let power = grant.role.power.counts();
    match &grant.holder {
        // Nobody can say who that is, now and later.
        Holder::Everybody(_) => Gravity::Critical,
        _ if !power => Gravity::None,
        // Its people are reported beside it, and weighed by who they are.
        Holder::Team(_) | Holder::ServiceAccount(_) | Holder::Key(_) => Gravity::Low,
        holder => {
            if trust.covers(holder, about) {
                Gravity::Low
            } else {
                Gravity::Critical
            }
        }
    }
}

/// Those who get power and are of no trusted domain, each once.
fn outsiders<'a>(facts: &'a Facts, trust: &Trust) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for fact in &facts.list {
        let Fact::Gives(grant) = fact else { continue };
        let is_one = grant.holder.is_people() && grant.role.power.counts() && !trust.covers(&grant.holder, &facts.about);
        if is_one && !found.contains(&grant.holder.label()) {
            found.push(grant.holder.label());
        }
    }
    found
}

/// What the change takes of projects, people and keys of its organization.
fn tallies(facts: &Facts) -> Vec<Tally> {
    let about = &facts.about;
    let mut found = Vec::new();
    let mut add = |what, names: &Counted, total| {
        found.push(Tally { organization: about.organization.clone(), what, names: names.clone(), total });
    };
    for fact in &facts.list {
        match fact {
            Fact::Ends { what: Thing::Project, names } => add(Thing::Project, names, about.projects),
            Fact::Stops { what: Thing::Key, names } | Fact::Ends { what: Thing::Key, names } => add(Thing::Key, names, about.keys),
            Fact::Ends { what: Thing::Person, names } | Fact::Lose { what: Losing::Organization, people: names } => {
                add(Thing::Person, names, about.people);
            }
            Fact::Takes { grant, still, .. }
                if still.is_empty() && grant.state == State::Active && matches!(grant.place, Place::Organization(_)) =>
            {
                add(Thing::Person, &Counted::one(grant.holder.label()), about.people);
            }
            _ => {}
        }
    }
    added_up(&found, true)
}

/// What nobody owns afterwards.
fn left(facts: &Facts) -> Vec<(Thing, Counted)> {
    let left = facts.list.iter().filter_map(|it| match it {
        Fact::Ownerless { what, names } | Fact::Leaves { what, names, .. } => Some((*what, names.clone())),
        _ => None,
    });
    left.collect()
}

/// Everybody who can no longer see a place, and everything that ends or stops.
fn taken(facts: &Facts) -> Vec<Tally> {
    let about = &facts.about;
    let tally = |what, names: &Counted, total| Tally { organization: about.organization.clone(), what, names: names.clone(), total };
    let total = |what| match what {
        Thing::Person => about.people,
        Thing::Project => about.projects,
        Thing::Key => about.keys,
        _ => None,
    };
    let found = facts.list.iter().filter_map(|it| match it {
        Fact::Ends { what, names } | Fact::Stops { what, names } => Some(tally(*what, names, total(*what))),
        Fact::Lose { what: Losing::Access | Losing::Organization, people } => Some(tally(Thing::Person, people, about.people)),
        Fact::Takes { grant, .. } if grant.state == State::Pending => {
            Some(tally(Thing::Invitation, &Counted::one(grant.holder.label()), None))
        }
        Fact::Takes { grant, still, .. } if still.is_empty() && grant.holder.is_people() => {
            Some(tally(Thing::Person, &Counted::one(grant.holder.label()), about.people))
        }
        _ => None,
    });
    added_up(&found.collect::<Vec<_>>(), true)
}

/// Tallies of the same kind and organization become one. Within one change (`once`) the same thing named twice counts once.
fn added_up(tallies: &[Tally], once: bool) -> Vec<Tally> {
    struct Added {
        count: u64,
        names: BTreeSet<String>,
        total: Option<u64>,
    }
    let mut sums: BTreeMap<(String, Thing), Added> = BTreeMap::new();
    for it in tallies {
        let sum = sums.entry((it.organization.clone(), it.what)).or_insert(Added { count: 0, names: BTreeSet::new(), total: None });
        sum.total = sum.total.max(it.total);
        let all_named = it.names.names.len() as u64 == it.names.count;
        let fresh = it.names.names.iter().filter(|name| sum.names.insert((*name).clone())).count() as u64;
        sum.count += if once && all_named { fresh } else { it.names.count };
    }
    sums.into_iter()
        .map(|((organization, what), sum)| Tally { organization, what, names: Counted::new(sum.count, sum.names), total: sum.total })
        .collect()
}

/// The sum that is all or most of what an organization has: `10 projects of Acme`.
fn gravest_sum(tallies: &[Tally]) -> Option<String> {
    let grave = tallies.iter().find(|it| it.total.is_some_and(|total| is_most(it.names.count, total)))?;
    let (one, many) = grave.what.words();
    let noun = if grave.names.count == 1 { one } else { many };
    Some(format!("{} {noun} of {}", grave.names.count, grave.organization))
}

/// Whether so many are all of several, or most of many. One thing alone is weighed by what it is.
fn is_most(count: u64, total: u64) -> bool {
    count >= 2 && (count >= total || (count >= 3 && count * 2 > total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{Action, Named, Role, Via};

    fn acme() -> Surroundings {
        Surroundings {
            organization: "Acme".into(),
            domains_in_power: Some(["acme.example".to_owned()].into()),
            people: Some(38),
            projects: Some(10),
            keys: Some(4),
        }
    }

    fn project(name: &str) -> Place {
        Place::Project { project: Named::new(name, format!("prj_{name}")), organization: Named::new("Acme", "org_1") }
    }

    fn grant(email: &str, role: Role) -> Grant {
        Grant::own(Holder::person(email, None), role, project("Atlas"))
    }

    fn gravity(facts: Facts) -> Gravity {
        weigh(&facts.about(acme()), false, &Trust::default()).impact.gravity
    }

    #[test]
    fn power_is_a_yes_for_trusted_people_and_critical_for_others() {
        let owner = || Role::owner("Owner", "owner");
        assert_eq!(gravity(Facts::none().gives(grant("ana@acme.example", owner()))), Gravity::Low);
        assert_eq!(gravity(Facts::none().gives(grant("eve@evil.example", owner()))), Gravity::Critical);
        assert_eq!(gravity(Facts::none().gives(grant("eve@evil.example", owner()).pending())), Gravity::Critical);
        let reader = Role::known("Viewer", "viewer", [Action::Read]);
        assert_eq!(gravity(Facts::none().gives(grant("eve@evil.example", reader))), Gravity::None);
        assert_eq!(gravity(Facts::none().gives(grant("eve@evil.example", Role::unknown("odd", "odd")))), Gravity::Critical);
    }

    #[test]
    fn what_the_operator_trusts_counts_and_nothing_else() {
        let trust = Trust { domains: Some(["partner.example".to_owned()].into()) };
        let facts = |who: &str| Facts::none().gives(grant(who, Role::owner("Owner", "owner"))).about(acme());
        assert_eq!(weigh(&facts("bo@partner.example"), false, &trust).impact.gravity, Gravity::Low);
        assert_eq!(weigh(&facts("ana@acme.example"), false, &trust).impact.gravity, Gravity::Critical);
    }

    #[test]
    fn a_hidden_address_and_a_service_that_does_not_tell_are_outside() {
        let hidden = Grant::own(Holder::Person(crate::domain::access::Person::default()), Role::owner("Owner", "owner"), project("Atlas"));
        assert_eq!(gravity(Facts::none().gives(hidden)), Gravity::Critical);
        let untold = Facts::none().gives(grant("ana@acme.example", Role::owner("Owner", "owner")));
        assert_eq!(weigh(&untold, false, &Trust::default()).impact.gravity, Gravity::Critical);
    }

    #[test]
    fn a_loss_is_high_where_the_place_is_out_of_sight() {
        let member = || grant("ana@acme.example", Role::known("Member", "member", [Action::Read]));
        assert_eq!(gravity(Facts::none().takes(member(), vec![], vec![])), Gravity::High);
        assert_eq!(gravity(Facts::none().takes(member(), vec![], vec![Via::Own])), Gravity::Low);
        assert_eq!(gravity(Facts::none().lose(Losing::Access, vec!["ana".to_owned()])), Gravity::High);
        assert_eq!(gravity(Facts::none().lose(Losing::Role, vec!["ana".to_owned()])), Gravity::Low);
        assert_eq!(gravity(Facts::none().lose(Losing::Use, vec!["ana".to_owned()])), Gravity::Low);
    }

    #[test]
    fn the_last_active_one_is_graver_than_one_of_several() {
        let refused = || Facts::none().stops(Thing::Certificate, Counted::one("Quay gateway"));
        assert_eq!(gravity(refused()), Gravity::Low);
        assert_eq!(gravity(refused().none_active(Thing::Certificate, "project `Atlas`")), Gravity::High);
        let ends = || Facts::none().ends(Thing::Role, Counted::one("Reader"));
        assert_eq!(gravity(ends()), Gravity::Low);
        assert_eq!(gravity(ends().unseen("40 projects were not checked")), Gravity::High);
    }

    #[test]
    fn nearly_zero_is_zero() {
        let hard = |from: f64, to: f64| gravity(Facts::none().lowers("the hard limit", from, to, None));
        assert_eq!(hard(50_000.0, 0.000_001), Gravity::Low);
        assert_eq!(hard(50_000.0, 0.0), Gravity::Low);
        assert_eq!(hard(10_000.0, 1.0), Gravity::Low);
        assert_eq!(hard(10_000.0, 1_000.0), Gravity::Low);
        assert_eq!(hard(10_000.0, 9_000.0), Gravity::None);
        assert_eq!(gravity(Facts::none().lowers("the hard limit", 100.0, 90.0, Some(95.0))), Gravity::Low);
    }

    #[test]
    fn the_sum_of_small_steps_is_weighed() {
        let ends = |name: &str| weigh(&Facts::none().ends(Thing::Project, Counted::one(name)).about(acme()), true, &Trust::default());
        let steps: Vec<Weighed> = (0..10).map(|it| ends(&format!("P{it}"))).collect();
        assert!(steps.iter().all(|it| it.impact.gravity == Gravity::High && it.sum.is_none()));
        let all = sum(steps.iter().map(|it| (it.impact.gravity, it.bearing.tallies.as_slice())), false, false);
        assert_eq!((all.gravity, all.name.as_deref()), (Gravity::Critical, Some("10 projects of Acme")));
        let few = sum(steps[..3].iter().map(|it| (it.impact.gravity, it.bearing.tallies.as_slice())), false, false);
        assert_eq!((few.gravity, few.name), (Gravity::High, None));
        let namesakes = [&steps[0], &steps[0], &steps[0], &steps[0], &steps[0], &steps[0]];
        assert_eq!(
            sum(namesakes.iter().map(|it| (it.impact.gravity, it.bearing.tallies.as_slice())), false, false).gravity,
            Gravity::Critical
        );
    }

    #[test]
    fn all_people_at_once_are_critical_too() {
        let out = Facts::none().lose(Losing::Organization, Counted::new(37, ["ana@acme.example".to_owned()])).about(acme());
        let weighed = weigh(&out, true, &Trust::default());
        assert_eq!((weighed.impact.gravity, weighed.sum.as_deref()), (Gravity::Critical, Some("37 people of Acme")));
    }

    #[test]
    fn one_plan_takes_away_so_many_and_no_more() {
        let ends = |name: &str, projects: u64| {
            let about = Surroundings { projects: Some(projects), ..acme() };
            weigh(&Facts::none().ends(Thing::Project, Counted::one(name)).about(about), true, &Trust::default()).bearing
        };
        let many = |count: u64, of: u64| (0..count).map(|it| ends(&format!("P{it}"), of)).collect::<Vec<_>>();
        assert_eq!(too_many(None, many(50, 60).iter()), None, "fifty of each kind are let pass in any organization");
        let all = too_many(None, many(51, 60).iter());
        assert_eq!(all.as_deref(), Some("this removes 51 projects of Acme, and one plan may remove 50"));
        assert_eq!(too_many(None, many(150, 300).iter()), None);
        let more = too_many(None, many(151, 300).iter());
        assert_eq!(more.as_deref(), Some("this removes 151 projects of Acme, and one plan may remove 150, half of 300"));

        let out = |who: &str| {
            let member = grant(who, Role::known("Member", "member", [Action::Read]));
            weigh(&Facts::none().takes(member, vec![], vec![]).about(acme()), true, &Trust::default()).bearing
        };
        let mut steps = vec![out("ana@acme.example"), out("ana@acme.example"), out("bo@acme.example"), ends("P0", 10)];
        assert_eq!(too_many(Some(3), steps.iter()), None, "a person counts once");
        let many = weigh(
            &Facts::none().lose(Losing::Access, Counted::new(40, ["cy@acme.example".to_owned()])).about(acme()),
            true,
            &Trust::default(),
        );
        let seen = [many.bearing.clone(), many.bearing.clone()];
        assert_eq!(too_many(None, seen.iter()), None, "the same forty may be meant twice");
        steps.push(ends("P0", 10));
        let told = too_many(Some(3), steps.iter());
        assert_eq!(told.as_deref(), Some("this removes 2 people, 2 projects, 4 in all, and one plan may remove 3"));
    }

    #[test]
    fn what_destroys_is_never_nothing() {
        assert_eq!(weigh(&Facts::none(), true, &Trust::default()).impact.gravity, Gravity::Low);
        assert_eq!(weigh(&Facts::none(), false, &Trust::default()).impact.gravity, Gravity::None);
    }
}
