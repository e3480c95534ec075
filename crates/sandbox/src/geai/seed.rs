//! What the service begins with.

use serde::Deserialize;

use super::{
    Geai, Seed,
    model::{Assistant, Export, Limit, Organization, Person, Policies, Project, Role, Seat, Session, Token, Usage},
    roles,
};
use crate::seed::read;

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    /// Names.
    people: Vec<String>,
    /// Who is in no organization.
    gone: String,
    sessions: Vec<SeededSession>,
    empty: Vec<SeededOrganization>,
    acme: Vec<SeededOrganization>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededSession {
    /// A name.
    person: String,
    role: Option<String>,
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededOrganization {
    name: String,
    /// Its own API token.
    token: String,
    #[serde(default)]
    station: bool,
    policies: Option<Policies>,
    /// Names; `None`: everybody who has not left.
    members: Option<Vec<String>>,
    #[serde(default)]
    limits: Vec<SeededLimit>,
    #[serde(default)]
    exports: Vec<SeededExport>,
    projects: Vec<SeededProject>,
}

/// A limit of the organization or, by its name, a project.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededLimit {
    project: Option<String>,
    subscription: String,
    unit: String,
    soft: f64,
    hard: f64,
    used: f64,
    renewal: String,
    status: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededExport {
    assistant: String,
    status: String,
    prompt: String,
    cost: f64,
}

/// A project; people by what stands before the `@`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededProject {
    name: String,
    description: String,
    administrators: Vec<String>,
    #[serde(default)]
    members: Vec<String>,
    /// People with access to all assistants.
    #[serde(default)]
    for_assistants: Vec<String>,
    #[serde(default)]
    roles: Vec<SeededRole>,
    #[serde(default)]
    search_profiles: Vec<(String, String)>,
    #[serde(default)]
    assistants: Vec<SeededAssistant>,
    #[serde(default)]
    tokens: Vec<SeededToken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededRole {
    name: String,
    external_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededAssistant {
    name: String,
    prompt: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededToken {
    id: String,
    name: String,
    description: String,
    status: String,
}

pub(super) fn plant(seed: Seed) -> Geai {
    let data: Data = read(include_str!("seed.toml"));
    let mut state = Geai::default();
    people(&mut state, &data);
    let organizations = match seed {
        Seed::Acme => data.acme,
        Seed::Empty => data.empty,
    };
    // Tokens of organizations come before those of projects.
    let mut tokens = Vec::new();
    for it in organizations {
        let members = it.members.unwrap_or_else(|| data.people.iter().filter(|name| **name != data.gone).cloned().collect());
        let organization = id(ORGANIZATION, state.organizations.len());
        let members: Vec<String> = state.people.iter().filter(|it| members.contains(&it.name)).map(|it| it.id.clone()).collect();
        state.tokens.push(Token {
            id: it.token,
            organization: organization.clone(),
            project: None,
            name: "administration".to_owned(),
            description: "The organization's own".to_owned(),
            status: "Active".to_owned(),
            timestamp: "2026-02-03T10:00:00".to_owned(),
        });
        state.organizations.push(Organization {
            id: organization.clone(),
            name: it.name,
            administrator: members.first().cloned().unwrap_or_default(),
            station: it.station,
            members,
            policies: it.policies,
        });
        for it in it.projects {
            tokens.extend(project(&mut state, &organization, it));
        }
        for it in it.limits {
            limit(&mut state, &organization, it);
        }
        for it in it.exports {
            export(&mut state, &organization, it);
        }
    }
    state.tokens.extend(tokens);
    state
}

fn people(state: &mut Geai, data: &Data) {
    let person = |(at, name): (usize, &String)| Person {
        id: id(PERSON, at),
        name: name.clone(),
        email: format!("{}@acme.example", name.to_lowercase().replace(' ', ".")),
        platform_roles: Vec::new(),
        password: None,
    };
    state.people = data.people.iter().enumerate().map(person).collect();
    for session in &data.sessions {
        if let Some(person) = state.people.iter_mut().find(|it| it.name == session.person) {
            person.platform_roles.extend(session.role.clone());
            person.password = Some(format!("geai-test-password-{}", person.name.to_lowercase().replace(' ', "-")));
            state.sessions.push(Session { access_token: session.token.clone(), person: person.id.clone() });
        }
    }
}

/// Adds a project; its tokens are given back.
fn project(state: &mut Geai, organization: &str, it: SeededProject) -> Vec<Token> {
    let person = |key: &str| state.people.iter().find(|it| it.email == format!("{key}@acme.example")).map(|it| it.id.clone());
    let mut seats: Vec<Seat> = Vec::new();
    for (keys, role) in [(it.administrators, roles::ADMINISTRATOR), (it.members, roles::MEMBER), (it.for_assistants, roles::ASSISTANTS)] {
        for person in keys.iter().filter_map(|it| person(it)) {
            match seats.iter_mut().find(|it| it.person == person) {
                Some(seat) => seat.roles.push(role.to_owned()),
                None => seats.push(Seat { person, roles: vec![role.to_owned()] }),
            }
        }
    }
    let project = id(PROJECT, state.projects.len());
    let own_role = |(at, it): (usize, SeededRole)| Role {
        id: id(ROLE, at),
        name: it.name,
        external_id: it.external_id,
        kind: "Frontend".to_owned(),
        origin: "User".to_owned(),
    };
    let assistant = |(at, it): (usize, SeededAssistant)| Assistant { id: id(ASSISTANT, at), name: it.name, prompt: it.prompt };
    state.projects.push(Project {
        id: project.clone(),
        organization: organization.to_owned(),
        name: it.name,
        description: it.description,
        active: true,
        status: 0,
        own_roles: it.roles.into_iter().enumerate().map(own_role).collect(),
        seats,
        assistants: it.assistants.into_iter().enumerate().map(assistant).collect(),
        search_profiles: it.search_profiles,
    });
    let token = |it: SeededToken| Token {
        id: it.id,
        organization: organization.to_owned(),
        project: Some(project.clone()),
        name: it.name,
        description: it.description,
        status: it.status,
        timestamp: "2026-09-14T08:30:00".to_owned(),
    };
    it.tokens.into_iter().map(token).collect()
}

fn limit(state: &mut Geai, organization: &str, it: SeededLimit) {
    let entity = if it.project.is_some() { "Pia.Data.Project" } else { "Pia.Data.Organization" };
    let project = it.project.and_then(|name| state.projects.iter().find(|it| it.name == name)).map(|it| it.id.clone());
    state.limits.push(Limit {
        organization: organization.to_owned(),
        project,
        usage: Usage {
            id: id(LIMIT, state.limits.len()),
            related_entity_name: entity.to_owned(),
            subscription_type: it.subscription,
            usage_unit: it.unit,
            soft_limit: it.soft,
            hard_limit: it.hard,
            used_amount: it.used,
            remaining_usage: it.hard - it.used,
            renewal_status: it.renewal,
            status: it.status,
            valid_from: "2026-11-01T00:00:00".to_owned(),
            valid_until: Some("2026-12-01T00:00:00".to_owned()),
        },
    });
}

fn export(state: &mut Geai, organization: &str, it: SeededExport) {
    let hour = 10 + state.exports.len();
    state.exports.push(Export {
        organization: organization.to_owned(),
        assistant: it.assistant,
        status: it.status,
        prompt: it.prompt,
        cost: it.cost,
        timestamp: format!("2026-11-20T{hour}:00:00"),
    });
}
