//! What the service begins with.

use serde::Deserialize;
use serde_json::Value;

use super::{Key, Kind, Logo, Member, Place, Resource, Role, Seeme, User, account::ACCOUNT, members::Invitation};
use crate::{Seed, seed::read};

const BEGAN: &str = "2026-01-05T08:00:00Z";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    people: Vec<Person>,
    members: Vec<Membership>,
    resources: Vec<SeededResource>,
    places: Vec<SeededPlace>,
    system_roles: Vec<SeededRole>,
    own_roles: Vec<SeededRole>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    firstname: String,
    name: String,
    domain: String,
    /// The organization that is chosen when somebody signs in.
    home: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Membership {
    place: String,
    person: String,
    role: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededResource {
    of: String,
    id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededPlace {
    kind: Kind,
    slug: String,
    name: String,
    made_by: String,
    within: Option<String>,
    #[serde(default)]
    description: String,
    team: Option<String>,
    notes: Option<String>,
    website: Option<String>,
    plan: Option<String>,
    visibility: Option<String>,
    #[serde(default)]
    settings: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededRole {
    slug: String,
    name: String,
    scope: String,
    /// `None`: the system's.
    organization: Option<String>,
    permissions: Vec<String>,
}

pub(super) fn service(seed: Seed) -> Seeme {
    let data: Data = read(include_str!("seed.toml"));
    let mut service =
        Seeme { roles: data.system_roles.into_iter().map(role).collect(), keys: vec![key("helena", &[])], ..Seeme::default() };
    if seed == Seed::Empty {
        service.users = data.people.into_iter().take(1).map(|it| user(Person { home: None, ..it })).collect();
        return service;
    }
    service.users = data.people.into_iter().map(user).collect();
    service.keys.push(key("ana", &[]));
    service.keys.push(Key {
        id: "key-reading".to_owned(),
        key: "seeme-test-reading".to_owned(),
        ..key("helena", &["organizations:list", "organizations:read", "projects:list"])
    });
    service.places = data.places.into_iter().map(place).collect();
    service.roles.extend(data.own_roles.into_iter().map(role));
    service.members = data.members.iter().map(|it| member(&it.place, &it.person, &it.role)).collect();
    service.members.push(Member {
        id: "invite-noor".to_owned(),
        user_id: None,
        invitation: Some(Invitation {
            email: "noor.vandijk@acme.example".to_owned(),
            invited_by: "user-helena".to_owned(),
            token: "seeme-test-token-noor".to_owned(),
            expires_at: "2125-12-12T08:00:00Z".to_owned(),
        }),
        ..member("organization-acme", "noor", "org_member")
    });
    service.resources = data.resources.into_iter().map(resource).collect();
    service.logos.insert("organization-acme".to_owned(), Logo::new(".png", include_bytes!("logo.png")));
    service
}

fn place(it: SeededPlace) -> Place {
    Place {
        id: format!("{}-{}", it.kind.noun(), it.slug),
        kind: it.kind,
        created_at: BEGAN.to_owned(),
        updated_at: None,
        name: it.name,
        description: it.description,
        user_id: format!("user-{}", it.made_by),
        notes: it.notes,
        public: false,
        slug: Some(it.slug),
        organization_id: it.within,
        team_id: it.team,
        website: it.website,
        plan: it.plan,
        visibility: it.visibility,
        settings: it.settings,
    }
}

fn user(it: Person) -> User {
    let username = it.firstname.to_lowercase();
    User {
        id: format!("user-{username}"),
        email: format!("{username}.{}@{}", it.name.to_lowercase(), it.domain),
        password: format!("seeme-test-{username}-password"),
        username,
        firstname: it.firstname,
        name: it.name,
        permissions: ACCOUNT.map(str::to_owned).into(),
        current_organization_id: it.home,
    }
}

fn key(person: &str, scopes: &[&str]) -> Key {
    Key {
        id: format!("key-{person}"),
        user_id: format!("user-{person}"),
        name: "practice".to_owned(),
        key: format!("seeme-test-{person}"),
        scopes: scopes.iter().map(|&it| it.to_owned()).collect(),
        session: false,
        created_at: BEGAN.to_owned(),
    }
}

fn member(place: &str, person: &str, role: &str) -> Member {
    Member {
        id: format!("{}-{person}", place.replacen('-', "-member-", 1)),
        place_id: place.to_owned(),
        created_at: BEGAN.to_owned(),
        updated_at: None,
        user_id: Some(format!("user-{person}")),
        role_id: Some(format!("role-{role}")),
        invitation: None,
    }
}

/// A resource of Atlas.
fn resource(it: SeededResource) -> Resource {
    Resource {
        id: format!("resource-{}", it.id),
        created_at: BEGAN.to_owned(),
        project_id: "project-atlas".to_owned(),
        resource_id: format!("{}-{}", it.of, it.id),
        resource_type: it.of,
        resource_name: Some(it.name),
    }
}

fn role(it: SeededRole) -> Role {
    Role {
        id: format!("role-{}", it.slug),
        created_at: BEGAN.to_owned(),
        updated_at: None,
        name: it.name,
        description: String::new(),
        organization_id: it.organization,
        scope: it.scope,
        slug: it.slug,
        permissions: it.permissions,
    }
}
