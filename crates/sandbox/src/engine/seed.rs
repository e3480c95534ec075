//! What the service begins with: three organizations, people, projects. All of it is invented.

use super::{
    Account, Audit, Engine, Org, Project, Seat, Stamp, Subscription,
    configs::{EDITOR, OWNER, PROJECT_EDITOR, PROJECT_OWNER, PROJECT_VIEWER, VIEWER},
};

/// The first signs in; numbers in ids go up from 1.
const PEOPLE: [(&str, &str); 11] = [
    ("Ada", "ada@northwind.example"),
    ("Helena Brandt", "helena.brandt@acme.example"),
    ("Eve", "eve@elsewhere.example"),
    ("Tomás Quiroga", "Tomas.Quiroga@acme.example"),
    ("Ana Ruiz", "ana.ruiz@acme.example"),
    ("Priya Raman", "priya.raman@acme.example"),
    ("Inês Figueiredo", "ines.figueiredo@labs.acme.example"),
    ("Jonas Weber", "jonas.weber+engine@acme.example"),
    // An account without any membership.
    ("Lin", "lin@northwind.example"),
    ("Lena Vogel", "lena@studio-vogel.example"),
    ("Hana Kobayashi", "hana.kobayashi@labs.acme.example"),
];

struct SeededOrg {
    id: &'static str,
    name: &'static str,
    description: &'static str,
    /// Its id, and whether it is active.
    subscription: Option<(&'static str, bool)>,
    seats: &'static [(&'static str, &'static str)],
}

const ORGS: [SeededOrg; 3] = [
    // One owner, an active subscription, an external user.
    SeededOrg {
        id: "o-1",
        name: "Northwind Analytics",
        description: "Forecasts for the wholesale business",
        subscription: Some(("s-1", true)),
        seats: &[("u-1", OWNER)],
    },
    SeededOrg {
        id: "o-2",
        name: "Acme Research",
        description: "Models that Acme's departments ask for",
        subscription: None,
        seats: &[("u-1", OWNER), ("u-2", OWNER), ("u-4", EDITOR), ("u-5", VIEWER), ("u-6", VIEWER), ("u-8", VIEWER)],
    },
    // Somebody else's, with a subscription that has ended.
    SeededOrg {
        id: "o-3",
        name: "Acme Labs",
        description: "",
        subscription: Some(("s-3", false)),
        seats: &[("u-7", OWNER), ("u-11", EDITOR), ("u-1", VIEWER)],
    },
];

struct SeededProject {
    id: &'static str,
    org: &'static str,
    name: &'static str,
    description: &'static str,
    seats: &'static [(&'static str, &'static str)],
}

/// Two have the same name.
const PROJECTS: [SeededProject; 5] = [
    SeededProject {
        id: "p-1",
        org: "o-1",
        name: "Demand planning",
        description: "Orders by week and warehouse",
        seats: &[("u-1", PROJECT_OWNER), ("u-3", PROJECT_VIEWER)],
    },
    SeededProject {
        id: "p-2",
        org: "o-2",
        name: "Churn forecast",
        description: "Which customers may leave",
        seats: &[("u-2", PROJECT_OWNER), ("u-4", PROJECT_EDITOR), ("u-5", PROJECT_VIEWER)],
    },
    SeededProject {
        id: "p-3",
        org: "o-2",
        name: "Invoice matching",
        description: "",
        seats: &[("u-4", PROJECT_OWNER), ("u-1", PROJECT_EDITOR), ("u-10", PROJECT_VIEWER)],
    },
    SeededProject { id: "p-4", org: "o-2", name: "Demand planning", description: "", seats: &[("u-1", PROJECT_OWNER)] },
    SeededProject {
        id: "p-5",
        org: "o-3",
        name: "Sensor anomalies",
        description: "Which machines need a look",
        seats: &[("u-7", PROJECT_OWNER), ("u-1", PROJECT_VIEWER)],
    },
];

/// 14 November 2023, when everything here was made.
const START: u64 = 1_700_000_000;

pub(super) fn empty() -> Engine {
    let accounts = PEOPLE.iter().zip(1..).take(1).map(account).collect();
    Engine { accounts, serial: 100, clock: START, ..Engine::default() }
}

pub(super) fn acme() -> Engine {
    Engine {
        accounts: PEOPLE.iter().zip(1..).map(account).collect(),
        orgs: ORGS.iter().map(org).collect(),
        projects: PROJECTS.iter().map(project).collect(),
        ..empty()
    }
}

fn account((&(name, email), number): (&(&str, &str), u32)) -> Account {
    Account {
        id: format!("u-{number}"),
        display_name: name.to_owned(),
        email: email.to_owned(),
        phone: String::new(),
        status: String::new(),
        password: format!("engine-test-password-{number}"),
        custom_token: Some(format!("engine-test-custom-token-{number}")),
    }
}

fn org(it: &SeededOrg) -> Org {
    Org {
        id: it.id.to_owned(),
        name: it.name.to_owned(),
        description: it.description.to_owned(),
        logo_url: format!("https://static.engine.example/{}.png", it.id),
        subscription: it.subscription.map(|(id, active)| Subscription { id: id.to_owned(), active }),
        stats: [("members".to_owned(), it.seats.len().to_string()), ("data_sets".to_owned(), "12".to_owned())].into(),
        usage: vec![("compute_hours".to_owned(), 118, 500), ("storage_gb".to_owned(), 0, 9_007_199_254_740_993)],
        seats: seats(it.seats),
        audit: audit(),
    }
}

fn project(it: &SeededProject) -> Project {
    Project {
        id: it.id.to_owned(),
        name: it.name.to_owned(),
        description: it.description.to_owned(),
        org: it.org.to_owned(),
        seats: seats(it.seats),
        audit: audit(),
    }
}

fn seats(seats: &[(&str, &str)]) -> Vec<Seat> {
    seats.iter().map(|(user, role)| Seat { user: (*user).to_owned(), role: (*role).to_owned() }).collect()
}

fn audit() -> Audit {
    Audit::new(Stamp { timestamp: START, by: "u-1".to_owned() })
}
