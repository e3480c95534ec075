//! What the service begins with. All names are invented, and all addresses end in `.example`.

use super::{
    Geai, Seed,
    model::{Assistant, Export, Limit, Organization, Person, Policies, Project, Role, Seat, Session, Token, Usage},
    roles,
};

/// The client that people sign in with.
pub(super) const CLIENT: &str = "geai-test-client";

/// An id that looks like the service's, the same in every run.
pub(super) fn guid(kind: u8, number: u64) -> String {
    format!("{kind:02x}000000-0000-4000-8000-{number:012x}")
}

fn id(kind: u8, at: usize) -> String {
    guid(kind, at as u64 + 1)
}

const ORGANIZATION: u8 = 0x01;
const PROJECT: u8 = 0x02;
const PERSON: u8 = 0x03;
const LIMIT: u8 = 0x04;
const ROLE: u8 = 0xb0;
const ASSISTANT: u8 = 0x06;

/// Names of the people at Acme; addresses are made of them. The first is the administrator; the last has left.
const PEOPLE: &[&str] = &[
    "Helena Brandt",
    "Ana Ruiz",
    "Amara Diallo",
    "Camille Dufresne",
    "Chidi Okonjo",
    "Declan Byrne",
    "Diego Paredes",
    "Elif Kaya",
    "Fatima Idrissi",
    "Grace Whitfield",
    "Hiro Nakagawa",
    "Ingrid Solheim",
    "Jonas Weber",
    "Katya Sidorova",
    "Kofi Asante",
    "Leo Marchetti",
    "Linh Tran",
    "Marta Nowicka",
    "Mateus Carvalho",
    "Mei Tanaka",
    "Oskar Lindqvist",
    "Pavel Horak",
    "Priya Raman",
    "Ravi Deshpande",
    "Sofia Papadaki",
    "Tariq Mansour",
    "Tomas Quiroga",
    "Wanjiru Kamau",
    "Yuna Seo",
    "Zainab Bello",
    "Viktor Hale",
];

/// Name, description, administrators, members, people with access to all assistants.
type Planned = (&'static str, &'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// Atlas has more members than a page; Ana Ruiz alone administers Atlas and Borealis.
const PROJECTS: &[Planned] = &[
    (
        "Atlas",
        "Maps of where every sensor is",
        &["ana.ruiz"],
        &[
            "amara.diallo",
            "camille.dufresne",
            "chidi.okonjo",
            "declan.byrne",
            "diego.paredes",
            "elif.kaya",
            "fatima.idrissi",
            "hiro.nakagawa",
            "ingrid.solheim",
            "jonas.weber",
            "katya.sidorova",
            "kofi.asante",
            "leo.marchetti",
            "linh.tran",
            "marta.nowicka",
            "mateus.carvalho",
            "mei.tanaka",
            "oskar.lindqvist",
            "pavel.horak",
            "priya.raman",
            "sofia.papadaki",
        ],
        &["grace.whitfield", "mei.tanaka"],
    ),
    ("Borealis", "Northern lights from magnetometers", &["ana.ruiz"], &["fatima.idrissi", "mateus.carvalho"], &["wanjiru.kamau"]),
    ("Cobalt", "The data platform", &["oskar.lindqvist", "priya.raman"], &["jonas.weber", "linh.tran", "pavel.horak"], &[]),
    (
        "Delta Forecast",
        "River levels, two weeks ahead",
        &["mei.tanaka"],
        &["elif.kaya", "ravi.deshpande", "yuna.seo"],
        &["grace.whitfield"],
    ),
    ("Ember", "Forest fire warnings", &["declan.byrne", "leo.marchetti"], &["amara.diallo"], &[]),
    ("Fieldnotes", "What technicians write down", &["helena.brandt"], &["kofi.asante"], &[]),
];

/// Token, project, name, description, status.
const TOKENS: &[(&str, &str, &str, &str, &str)] = &[
    ("geai-test-project-atlas-pipeline-0a1b2c3d", "Atlas", "pipeline", "Builds the maps at night", "Active"),
    ("geai-test-project-atlas-notebook-4e5f6a7b", "Atlas", "notebook", "Ana's experiments", "Blocked"),
    ("geai-test-project-cobalt-ingest-8c9d0e1f", "Cobalt", "ingest", "Reads the queues", "Active"),
    ("geai-test-project-delta-model-2a3b4c5d", "Delta Forecast", "model", "Runs every six hours", "Active"),
];

/// What the organization's own API token is.
const ORGANIZATION_TOKEN: &str = "geai-test-organization-acme-6e7f8a9b0c1d";
const OTHER_ORGANIZATION_TOKEN: &str = "geai-test-organization-northwind-2e3f4a5b6c7d";
/// OAuth access tokens: of a system administrator, of somebody who provisions, and of a plain member.
const SYSTEM_SESSION: &str = "geai-test-oauth-system-8e9f0a1b2c3d";
const PROVISIONING_SESSION: &str = "geai-test-oauth-provisioning-4e5f6a7b8c9d";
const MEMBER_SESSION: &str = "geai-test-oauth-member-0e1f2a3b4c5d";

pub(super) fn plant(seed: Seed) -> Geai {
    let mut state = Geai::default();
    people(&mut state);
    match seed {
        Seed::Acme => acme(&mut state),
        Seed::Empty => {
            organization(&mut state, "Acme", ORGANIZATION_TOKEN, &["Helena Brandt"]);
            project(&mut state, &("Default", "", &["helena.brandt"], &[], &[]));
        }
    }
    state
}

fn acme(state: &mut Geai) {
    let (_gone, staff) = PEOPLE.split_last().unwrap_or((&"", PEOPLE));
    organization(state, "Acme", ORGANIZATION_TOKEN, staff);
    for planned in PROJECTS {
        project(state, planned);
    }
    organization(state, "Northwind", OTHER_ORGANIZATION_TOKEN, &["Wanjiru Kamau"]);
    project(state, &("Helpdesk", "Answers before anybody asks", &["wanjiru.kamau"], &[], &[]));
    if let Some(acme) = state.organizations.first_mut() {
        acme.station = true;
        acme.policies =
            Some(Policies { chat_sharing_permissions: "project".to_owned(), external_execution_permissions: "none".to_owned() });
    }
    for (name, description, title) in [("Map Reader", "atlas-readers", 0), ("Map Editor", "atlas-editors", 1)] {
        let role = own_role(title, name, description);
        if let Some(atlas) = state.projects.first_mut() {
            atlas.own_roles.push(role);
        }
    }
    if let Some(atlas) = state.projects.first_mut() {
        atlas.search_profiles.push(("manuals".to_owned(), "The instruments' manuals".to_owned()));
        atlas.assistants = vec![
            Assistant { id: id(ASSISTANT, 0), name: "Cartographer".to_owned(), prompt: "Answer with a map".to_owned() },
            Assistant { id: id(ASSISTANT, 1), name: "Surveyor".to_owned(), prompt: "Ask for the missing coordinates".to_owned() },
        ];
    }
    for (token, project, name, description, status) in TOKENS {
        let Some(project) = state.projects.iter().find(|it| it.name == *project) else { continue };
        let (organization, project) = (project.organization.clone(), Some(project.id.clone()));
        state.tokens.push(Token {
            id: (*token).to_owned(),
            organization,
            project,
            name: (*name).to_owned(),
            description: (*description).to_owned(),
            status: (*status).to_owned(),
            timestamp: "2026-09-14T08:30:00".to_owned(),
        });
    }
    limits(state);
    exports(state);
}

fn people(state: &mut Geai) {
    let person = |(at, name): (usize, &&str)| Person {
        id: id(PERSON, at),
        name: (*name).to_owned(),
        email: format!("{}@acme.example", name.to_lowercase().replace(' ', ".")),
        platform_roles: Vec::new(),
        password: None,
    };
    state.people = PEOPLE.iter().enumerate().map(person).collect();
    for (email, role, session) in [
        ("helena.brandt@acme.example", Some("System Administrator"), SYSTEM_SESSION),
        ("wanjiru.kamau@acme.example", Some("Provisioning Services"), PROVISIONING_SESSION),
        ("ana.ruiz@acme.example", None, MEMBER_SESSION),
    ] {
        if let Some(person) = state.people.iter_mut().find(|it| it.email == email) {
            person.platform_roles.extend(role.map(str::to_owned));
            person.password = Some(format!("geai-test-password-{}", person.name.to_lowercase().replace(' ', "-")));
            state.sessions.push(Session { access_token: session.to_owned(), person: person.id.clone() });
        }
    }
}

fn organization(state: &mut Geai, name: &str, token: &str, members: &[&str]) {
    let organization = id(ORGANIZATION, state.organizations.len());
    let members: Vec<String> = state.people.iter().filter(|it| members.contains(&it.name.as_str())).map(|it| it.id.clone()).collect();
    state.tokens.push(Token {
        id: token.to_owned(),
        organization: organization.clone(),
        project: None,
        name: "administration".to_owned(),
        description: "The organization's own".to_owned(),
        status: "Active".to_owned(),
        timestamp: "2026-02-03T10:00:00".to_owned(),
    });
    state.organizations.push(Organization {
        id: organization,
        name: name.to_owned(),
        administrator: members.first().cloned().unwrap_or_default(),
        station: false,
        members,
        policies: None,
    });
}

/// A project of the organization that was made last.
fn project(state: &mut Geai, (name, description, administrators, members, assistants): &Planned) {
    let person = |key: &str| state.people.iter().find(|it| it.email == format!("{key}@acme.example")).map(|it| it.id.clone());
    let mut seats: Vec<Seat> = Vec::new();
    for (keys, role) in [(administrators, roles::ADMINISTRATOR), (members, roles::MEMBER), (assistants, roles::ASSISTANTS)] {
        for person in keys.iter().filter_map(|it| person(it)) {
            match seats.iter_mut().find(|it| it.person == person) {
                Some(seat) => seat.roles.push(role.to_owned()),
                None => seats.push(Seat { person, roles: vec![role.to_owned()] }),
            }
        }
    }
    state.projects.push(Project {
        id: id(PROJECT, state.projects.len()),
        organization: state.organizations.last().map(|it| it.id.clone()).unwrap_or_default(),
        name: (*name).to_owned(),
        description: (*description).to_owned(),
        active: true,
        status: 0,
        own_roles: Vec::new(),
        seats,
        assistants: Vec::new(),
        search_profiles: Vec::new(),
    });
}

fn own_role(at: usize, name: &str, external_id: &str) -> Role {
    Role {
        id: id(ROLE, at),
        name: name.to_owned(),
        external_id: external_id.to_owned(),
        kind: "Frontend".to_owned(),
        origin: "User".to_owned(),
    }
}

fn limits(state: &mut Geai) {
    let organization = state.organizations.first().map(|it| it.id.clone()).unwrap_or_default();
    // Project, subscription, unit, soft, hard, used, renewal, status.
    let planned = [
        (None, "Monthly", "Cost", 4000.0, 5000.0, 1234.5, "Renewable", 1),
        (Some("Atlas"), "Weekly", "Requests", 800.0, 1000.0, 1000.0, "NonRenewable", 2),
        (Some("Atlas"), "Monthly", "Cost", 800.0, 1000.0, 125.5, "Renewable", 1),
        (Some("Cobalt"), "Daily", "Requests", 500.0, 600.0, 600.0, "Renewable", 3),
        (Some("Delta Forecast"), "Freemium", "Requests", 90.0, 100.0, 12.0, "NonRenewable", 1),
    ];
    for (at, (project, subscription, unit, soft, hard, used, renewal, status)) in planned.into_iter().enumerate() {
        let entity = if project.is_some() { "Pia.Data.Project" } else { "Pia.Data.Organization" };
        let project = project.and_then(|name| state.projects.iter().find(|it| it.name == name)).map(|it| it.id.clone());
        state.limits.push(Limit {
            organization: organization.clone(),
            project,
            usage: Usage {
                id: id(LIMIT, at),
                related_entity_name: entity.to_owned(),
                subscription_type: subscription.to_owned(),
                usage_unit: unit.to_owned(),
                soft_limit: soft,
                hard_limit: hard,
                used_amount: used,
                remaining_usage: hard - used,
                renewal_status: renewal.to_owned(),
                status,
                valid_from: "2026-11-01T00:00:00".to_owned(),
                valid_until: Some("2026-12-01T00:00:00".to_owned()),
            },
        });
    }
}

fn exports(state: &mut Geai) {
    let organization = state.organizations.first().map(|it| it.id.clone()).unwrap_or_default();
    let asked = [
        ("Cartographer", "succeeded", "Where is sensor 12?", 0.012),
        ("Surveyor", "failed", "Who moved sensor 40?", 0.0),
        ("Cartographer", "succeeded", "Show the northern stations", 0.02),
    ];
    for (at, (assistant, status, prompt, cost)) in asked.into_iter().enumerate() {
        state.exports.push(Export {
            organization: organization.clone(),
            assistant: assistant.to_owned(),
            status: status.to_owned(),
            prompt: prompt.to_owned(),
            cost,
            timestamp: format!("2026-11-20T1{at}:00:00"),
        });
    }
}
