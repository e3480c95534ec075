//! What the service begins with.

use serde_json::json;

use super::{Key, Kind, Logo, Member, Place, Resource, Role, Seeme, User, account::ACCOUNT, members::Invitation};
use crate::Seed;

const BEGAN: &str = "2026-01-05T08:00:00Z";

/// Id, name, scope and permissions of the system's roles.
const SYSTEM: [(&str, &str, &str, &str); 8] = [
    ("org_owner", "Owner", "organization", "*"),
    (
        "org_admin",
        "Admin",
        "organization",
        "organizations:list organizations:read organizations:update organizations:manage_members projects:* teams:* roles:list roles:read \
         roles:create roles:update roles:delete permissions:list models:* datasets:*",
    ),
    (
        "org_member",
        "Member",
        "organization",
        "organizations:list organizations:read projects:list projects:read teams:list teams:read roles:list roles:read",
    ),
    ("team_lead", "Team lead", "team", "teams:read teams:update"),
    ("team_member", "Team member", "team", "teams:read"),
    ("project_admin", "Project admin", "project", "projects:* models:* datasets:*"),
    ("project_editor", "Project editor", "project", "projects:read projects:update datasets:read datasets:update"),
    ("project_viewer", "Project viewer", "project", "projects:read"),
];

/// First name, last name, domain.
const PEOPLE: [(&str, &str, &str); 8] = [
    ("Helena", "Brandt", "acme.example"),
    ("Ana", "Ruiz", "acme.example"),
    ("Oskar", "Lindqvist", "acme.example"),
    ("Priya", "Raman", "acme.example"),
    ("Mei", "Tanaka", "acme.example"),
    ("Rosa", "Delgado", "northwind.example"),
    ("Ugo", "Ferrante", "northwind.example"),
    ("Lena", "Vogel", "studio-vogel.example"),
];

/// Where, who and as what. Helena, whose key is given out, owns Acme and is a guest in Northwind.
const MEMBERS: [(&str, &str, &str); 15] = [
    ("organization-acme", "helena", "org_owner"),
    ("organization-acme", "ana", "org_member"),
    ("organization-acme", "oskar", "org_admin"),
    ("organization-acme", "priya", "org_member"),
    ("organization-acme", "mei", "label_clerk"),
    ("organization-northwind", "rosa", "org_owner"),
    ("organization-northwind", "helena", "org_admin"),
    ("organization-northwind", "ugo", "bookkeeper"),
    ("team-research", "oskar", "team_lead"),
    ("team-research", "ana", "team_member"),
    ("team-finance", "ugo", "team_lead"),
    ("project-atlas", "oskar", "project_admin"),
    ("project-atlas", "ana", "project_viewer"),
    ("project-beacon", "priya", "project_editor"),
    ("project-ledger", "ugo", "project_admin"),
];

pub(super) fn service(seed: Seed) -> Seeme {
    let mut service = Seeme { roles: system_roles(), users: vec![user(PEOPLE[0])], keys: vec![key("helena", &[])], ..Seeme::default() };
    if seed == Seed::Acme {
        practice(&mut service);
    }
    service
}

fn practice(service: &mut Seeme) {
    service.users = PEOPLE.map(user).into();
    for user in &mut service.users {
        let home = if user.email.ends_with("@northwind.example") { "organization-northwind" } else { "organization-acme" };
        user.current_organization_id = Some(home.to_owned()).filter(|_| user.id != "user-lena");
    }
    service.keys.push(key("ana", &[]));
    service.keys.push(Key {
        id: "key-reading".to_owned(),
        key: "seeme-test-reading".to_owned(),
        ..key("helena", &["organizations:list", "organizations:read", "projects:list"])
    });
    service.places = places();
    service.roles.push(own_role(
        "label_clerk",
        "Label clerk",
        "organization-acme",
        "organizations:read datasets:list dataset_labels:update",
    ));
    service.roles.push(own_role("bookkeeper", "Bookkeeper", "organization-northwind", "organizations:read projects:list projects:read"));
    service.members = MEMBERS.map(|(place, person, role)| member(place, person, role)).into();
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
    service.resources = vec![resource("model", "segmenter", Some("Tile segmenter")), resource("dataset", "tiles", Some("Map tiles"))];
    service.logos.insert("organization-acme".to_owned(), Logo::new(".png", include_bytes!("logo.png")));
}

fn places() -> Vec<Place> {
    let acme = Place {
        description: "Maps for everybody".to_owned(),
        website: Some("https://acme.example".to_owned()),
        plan: Some("enterprise".to_owned()),
        settings: json!({ "region": "eu" }),
        ..place(Kind::Organization, "acme", "Acme", "helena")
    };
    let northwind = Place { plan: Some("pro".to_owned()), ..place(Kind::Organization, "northwind", "Northwind", "rosa") };
    let within = |of: &str, it: Place| Place { organization_id: Some(format!("organization-{of}")), ..it };
    let atlas = Place {
        description: "The map of everything".to_owned(),
        team_id: Some("team-research".to_owned()),
        visibility: Some("team".to_owned()),
        notes: Some("reviewed in spring".to_owned()),
        settings: json!({ "tiles": 12 }),
        ..place(Kind::Project, "atlas", "Atlas", "oskar")
    };
    vec![
        acme,
        northwind,
        within("acme", place(Kind::Team, "research", "Research", "oskar")),
        within("acme", place(Kind::Team, "platform", "Platform", "helena")),
        within("northwind", place(Kind::Team, "finance", "Finance", "rosa")),
        within("acme", atlas),
        within("acme", place(Kind::Project, "beacon", "Beacon", "helena")),
        within("northwind", place(Kind::Project, "ledger", "Ledger", "ugo")),
    ]
}

fn place(kind: Kind, slug: &str, name: &str, made_by: &str) -> Place {
    Place {
        kind,
        id: format!("{}-{slug}", kind.noun()),
        created_at: BEGAN.to_owned(),
        updated_at: None,
        name: name.to_owned(),
        description: String::new(),
        user_id: format!("user-{made_by}"),
        notes: None,
        public: false,
        slug: Some(slug.to_owned()),
        organization_id: None,
        team_id: None,
        website: None,
        plan: None,
        visibility: None,
        settings: json!(null),
    }
}

fn user((firstname, name, domain): (&str, &str, &str)) -> User {
    let username = firstname.to_lowercase();
    User {
        id: format!("user-{username}"),
        email: format!("{username}.{}@{domain}", name.to_lowercase()),
        password: format!("seeme-test-{username}-password"),
        username,
        firstname: firstname.to_owned(),
        name: name.to_owned(),
        permissions: ACCOUNT.map(str::to_owned).into(),
        current_organization_id: None,
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

fn resource(of: &str, id: &str, name: Option<&str>) -> Resource {
    Resource {
        id: format!("resource-{id}"),
        created_at: BEGAN.to_owned(),
        project_id: "project-atlas".to_owned(),
        resource_type: of.to_owned(),
        resource_id: format!("{of}-{id}"),
        resource_name: name.map(str::to_owned),
    }
}

fn system_roles() -> Vec<Role> {
    let role = |(slug, name, scope, permissions): (&str, &str, &str, &str)| Role {
        organization_id: None,
        scope: scope.to_owned(),
        ..own_role(slug, name, "", permissions)
    };
    SYSTEM.map(role).into()
}

fn own_role(slug: &str, name: &str, organization: &str, permissions: &str) -> Role {
    Role {
        id: format!("role-{slug}"),
        created_at: BEGAN.to_owned(),
        updated_at: None,
        name: name.to_owned(),
        description: String::new(),
        organization_id: Some(organization.to_owned()),
        scope: "organization".to_owned(),
        slug: slug.to_owned(),
        permissions: permissions.split_whitespace().map(str::to_owned).collect(),
    }
}
