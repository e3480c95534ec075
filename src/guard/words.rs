//! Facts in words: one sentence for one kind of fact, the same for all providers. The role stands before the names, always.

use crate::domain::{
    Counted, Fact, Facts, Losing, Loss, Surroundings, Thing,
    access::{Grant, Holder, Place, Power, State, Via},
};

/// How many names are written out where people get something.
const SHOWN: usize = 20;

/// What is lost, counted, and what else a person should know; like with like, in the order of the facts.
pub(super) fn of(facts: &Facts) -> (Vec<Loss>, Vec<String>) {
    let (mut losses, mut notes) = (Vec::new(), Vec::new());
    let mut told = vec![false; facts.list.len()];
    for (at, fact) in facts.list.iter().enumerate() {
        if told[at] {
            continue;
        }
        match fact {
            Fact::Gives(grant) => {
                let alike = alike(facts, at, |it| matches!(it, Fact::Gives(other) if are_given_alike(grant, other)));
                let holders: Vec<&Holder> = alike.iter().filter_map(|it| grant_of(&facts.list[*it])).map(|it| &it.holder).collect();
                notes.push(given(grant, &holders));
                for it in alike {
                    told[it] = true;
                }
            }
            Fact::Takes { grant, loses: codes, still } => {
                let is_alike = |it: &Fact| {
                    matches!(it, Fact::Takes { grant: other, loses: of_other, still: stays }
                        if are_given_alike(grant, other) && of_other == codes && stays == still)
                };
                let alike = alike(facts, at, is_alike);
                let holders: Vec<String> = alike.iter().filter_map(|it| grant_of(&facts.list[*it])).map(|it| whom(&it.holder)).collect();
                // A whole mail domain is not counted as a person.
                let is_counted = still.is_empty() && grant.state == State::Active && !matches!(grant.holder, Holder::Everybody(_));
                if is_counted && !is_told_before(facts, at) {
                    let blind = facts.list.iter().filter_map(|it| out_of_sight_of(it, &grant.place));
                    losses.push(loss(&each_once(blind).into(), out_of_sight(&grant.place)));
                }
                notes.push(taken(grant, &holders, codes, still));
                for it in alike {
                    told[it] = true;
                }
            }
            Fact::Lose { people, what } if people.is_none() => {
                notes.push(format!("{}; the service does not list who", losing(*what).1));
            }
            Fact::Lose { people, what } => losses.push(loss(people, losing(*what))),
            Fact::Stops { what, names } => losses.push(loss(names, stops(*what))),
            Fact::Ends { what, names } => {
                let (one, many) = what.words();
                losses.push(loss(names, (&format!("{one} ends"), &format!("{many} end"))));
            }
            Fact::Leaves { what, names, without } => {
                let (one, many) = what.words();
                losses.push(loss(names, (&format!("{one} left without {without}"), &format!("{many} left without {without}"))));
            }
            Fact::Lowers { what, from, to, used } => notes.push(lowered(what, *from, *to, *used)),
            Fact::Rewires { what, from, to } | Fact::Rekeys { what, from, to } => notes.push(changed(what, from.as_deref(), to.as_deref())),
            Fact::Ownerless { what, names } => notes.push(format!("no owner is left in {}", counted(*what, names))),
            Fact::NoneActive { what, place } => notes.push(format!("no {} stays active for {place}", what.words().0)),
            Fact::Unseen(what) | Fact::Note(what) => notes.push(what.clone()),
        }
    }
    (losses, notes)
}

/// What is said of people who get power and are of no trusted mail domain.
pub(super) fn outsiders(who: &[&str], about: &Surroundings, by_operator: bool) -> String {
    let names = listed(who);
    match (by_operator, &about.domains_in_power) {
        (true, _) => format!("not in a trusted mail domain: {names}"),
        (false, Some(_)) => format!("outside the mail domains of those who manage {}: {names}", place_of(about)),
        (false, None) => format!("the service does not list who manages the organization, so everybody counts as an outsider: {names}"),
    }
}

fn place_of(about: &Surroundings) -> &str {
    if about.organization.is_empty() { "the organization" } else { &about.organization }
}

/// The places of all facts from `at` on that are told together with it.
fn alike(facts: &Facts, at: usize, is_alike: impl Fn(&Fact) -> bool) -> Vec<usize> {
    facts.list.iter().enumerate().skip(at).filter(|(_, it)| is_alike(it)).map(|it| it.0).collect()
}

fn grant_of(fact: &Fact) -> Option<&Grant> {
    match fact {
        Fact::Gives(grant) | Fact::Takes { grant, .. } => Some(grant),
        _ => None,
    }
}

fn are_given_alike(one: &Grant, other: &Grant) -> bool {
    let same_sort = std::mem::discriminant(&one.holder) == std::mem::discriminant(&other.holder);
    same_sort && one.role == other.role && one.place == other.place && one.via == other.via && one.state == other.state
}

/// Who gets what: `joins project Atlas as Viewer: ana@acme.example`.
fn given(grant: &Grant, holders: &[&Holder]) -> String {
    let names: Vec<&str> = holders.iter().map(|it| it.label()).collect();
    let many = names.len() > 1;
    let role = &grant.role.name;
    let through = through(&grant.via);
    let power = match grant.role.power {
        Power::None => "",
        Power::OverOthers => ", with power over others",
        Power::Unknown => " (Rolecall cannot see what this role allows)",
    };
    let place = &grant.place;
    let names = listed(&names);
    match (&grant.holder, grant.state) {
        (Holder::Key(_), _) => format!("the key can do what {role} allows in {place}{power}: {names}"),
        (Holder::ServiceAccount(_), _) => format!("service account gets {role} in {place}{power}: {names}"),
        (Holder::Team(_), _) => format!("the team gets {role} in {place}{power}: {names}"),
        (Holder::Everybody(domain), _) => {
            format!("everybody with an address at {domain}, now and later, becomes {role} of {place}{power}")
        }
        (_, State::Pending) => {
            let is = if many { "are" } else { "is" };
            format!("{is} invited to {place} as {role}{power}{through}: {names}")
        }
        _ if grant.role.power.counts() => {
            let becomes = if many { "become" } else { "becomes" };
            format!("{becomes} {role} of {place}{power}{through}: {names}")
        }
        _ => {
            let joins = if many { "join" } else { "joins" };
            format!("{joins} {place} as {role}{through}: {names}")
        }
    }
}

fn through(via: &Via) -> String {
    match via {
        Via::Own => String::new(),
        via => format!(" through {via}"),
    }
}

fn whom(holder: &Holder) -> String {
    match holder {
        Holder::Everybody(domain) => format!("everybody with an address at {domain}"),
        holder => holder.label().to_owned(),
    }
}

/// What is taken from whom: `no longer Owner of project Atlas: ana@acme.example`.
fn taken(grant: &Grant, holders: &[String], codes: &[String], still: &[Via]) -> String {
    let names = listed(&holders.iter().map(String::as_str).collect::<Vec<_>>());
    let through = through(&grant.via);
    let (role, place) = (&grant.role.name, &grant.place);
    if grant.state == State::Pending {
        return format!("the invitation to {place} as {role} can no longer be accepted: {names}");
    }
    let codes = if codes.is_empty() {
        String::new()
    } else {
        format!(", and loses {}", listed(&codes.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let other: Vec<String> = still.iter().filter(|it| **it != Via::Own).map(ToString::to_string).collect();
    let stays = if other.is_empty() { String::new() } else { format!("; access through {} stays", other.join(" and ")) };
    if matches!(grant.holder, Holder::Key(_)) {
        return format!("the key can no longer do all that {role} allows in {place}: {names}{codes}{stays}");
    }
    format!("no longer {role} of {place}{through}: {names}{codes}{stays}")
}

/// Who is lost from sight of a place of this sort, by a fact.
fn out_of_sight_of<'a>(fact: &'a Fact, place: &Place) -> Option<&'a Holder> {
    match fact {
        Fact::Takes { grant, still, .. } if still.is_empty() && grant.state == State::Active => {
            let is_such = std::mem::discriminant(&grant.place) == std::mem::discriminant(place);
            (is_such && !matches!(grant.holder, Holder::Everybody(_))).then_some(&grant.holder)
        }
        _ => None,
    }
}

/// Whether those who lose a place of this sort were counted with an earlier fact: people count once, however many places they lose.
fn is_told_before(facts: &Facts, at: usize) -> bool {
    let Some(grant) = grant_of(&facts.list[at]) else { return false };
    facts.list[..at].iter().any(|it| out_of_sight_of(it, &grant.place).is_some())
}

fn each_once<'a>(holders: impl Iterator<Item = &'a Holder>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    holders.filter(|it| seen.insert(*it)).map(|it| it.label().to_owned()).collect()
}

fn out_of_sight(place: &Place) -> (&'static str, &'static str) {
    match place {
        Place::Organization(_) => ("person loses access to the organization", "people lose access to the organization"),
        Place::Project { .. } => ("person loses access", "people lose access"),
        Place::Team { .. } => ("person leaves the team", "people leave the team"),
    }
}

fn losing(what: Losing) -> (&'static str, &'static str) {
    match what {
        Losing::Access => ("person loses access", "people lose access"),
        Losing::Organization => ("person loses access to the organization", "people lose access to the organization"),
        Losing::Permissions => ("person loses permissions", "people lose permissions"),
        Losing::Role => ("person loses the role", "people lose the role"),
        Losing::Team => ("person leaves the team", "people leave the team"),
        Losing::Use => ("person can no longer use it here", "people can no longer use it here"),
    }
}

fn stops(what: Thing) -> (&'static str, &'static str) {
    match what {
        Thing::Key => ("key stops working", "keys stop working"),
        Thing::Certificate => ("certificate is refused", "certificates are refused"),
        Thing::Invitation => ("invitation is void", "invitations are void"),
        Thing::ServiceAccount => ("service account stops working", "service accounts stop working"),
        _ => ("thing stops working", "things stop working"),
    }
}

fn lowered(what: &str, from: f64, to: f64, used: Option<f64>) -> String {
    let used = match used {
        Some(used) if to < used => format!(", below the {used} that are used already"),
        _ => String::new(),
    };
    let ends = if to == 0.0 { ": use ends" } else { "" };
    format!("{what} falls from {from} to {to}{used}{ends}")
}

fn changed(what: &str, from: Option<&str>, to: Option<&str>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("{what} changes from {from} to {to}"),
        (None, Some(to)) => format!("{what} is set to {to}"),
        (Some(from), None) => format!("{what} is cleared; it was {from}"),
        (None, None) => format!("{what} stays unset"),
    }
}

fn loss(names: &Counted, (one, many): (&str, &str)) -> Loss {
    let what = if names.count == 1 { one } else { many }.to_owned();
    Loss { count: names.count, what, examples: names.names.clone(), all: names.all.clone() }
}

/// `2 projects: Atlas, Borealis`.
fn counted(what: Thing, names: &Counted) -> String {
    let (one, many) = what.words();
    let noun = if names.count == 1 { one } else { many };
    let more = names.count.saturating_sub(names.names.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{} {noun}: {}{more}", names.count, names.names.join(", "))
}

fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(SHOWN);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}
