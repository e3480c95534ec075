//! What the service begins with.

use serde::Deserialize;

use super::{Account, Audit, Engine, Org, Project, Seat, Stamp, Subscription};
use crate::seed::read;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    people: Vec<Person>,
    orgs: Vec<SeededOrg>,
    projects: Vec<SeededProject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededOrg {
    id: String,
    name: String,
    description: String,
    subscription: Option<Subscription>,
    seats: Vec<Seat>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededProject {
    id: String,
    org: String,
    name: String,
    description: String,
    seats: Vec<Seat>,
}

/// 14 November 2023, when everything here was made.
const START: u64 = 1_700_000_000;

pub(super) fn empty() -> Engine {
    let Data { people, .. } = data();
    Engine { accounts: people.into_iter().zip(1..).take(1).map(account).collect(), serial: 100, clock: START, ..Engine::default() }
}

pub(super) fn acme() -> Engine {
    let Data { people, orgs, projects } = data();
    Engine {
        accounts: people.into_iter().zip(1..).map(account).collect(),
        orgs: orgs.into_iter().map(org).collect(),
        projects: projects.into_iter().map(project).collect(),
        ..empty()
    }
}

fn data() -> Data {
    read(include_str!("seed.toml"))
}

fn account((it, number): (Person, u32)) -> Account {
    Account {
        id: format!("u-{number}"),
        display_name: it.name,
        email: it.email,
        phone: String::new(),
        status: String::new(),
        password: format!("engine-test-password-{number}"),
        custom_token: Some(format!("engine-test-custom-token-{number}")),
    }
}

fn org(it: SeededOrg) -> Org {
    Org {
        logo_url: format!("https://static.engine.example/{}.png", it.id),
        id: it.id,
        name: it.name,
        description: it.description,
        subscription: it.subscription,
        stats: [("members".to_owned(), it.seats.len().to_string()), ("data_sets".to_owned(), "12".to_owned())].into(),
        usage: vec![("compute_hours".to_owned(), 118, 500), ("storage_gb".to_owned(), 0, 9_007_199_254_740_993)],
        seats: it.seats,
        audit: audit(),
    }
}

fn project(it: SeededProject) -> Project {
    Project { id: it.id, name: it.name, description: it.description, org: it.org, seats: it.seats, audit: audit() }
}

fn audit() -> Audit {
    Audit::new(Stamp { timestamp: START, by: "u-1".to_owned() })
}
