//! The projects of the demo company, who works in them, and with which roles.

use super::{
    Ago, Rows, json_array,
    organizations::{ACME, LABS, NORTHWIND},
    people::user_id,
    step,
};
use crate::{
    domain::{fold, slugify},
    store::{Val, args},
};

/// A project; what a project does not have is left at [`NO`].
#[derive(Clone, Copy)]
struct Project {
    id: &'static str,
    organization: &'static str,
    name: &'static str,
    description: &'static str,
    team: Option<&'static str>,
    residency: Option<&'static str>,
    archived: bool,
    owners: &'static [&'static str],
    members: &'static [&'static str],
    viewers: &'static [&'static str],
    /// Team and role.
    teams: &'static [(&'static str, &'static str)],
}

const NO: Project = Project {
    id: "",
    organization: ACME,
    name: "",
    description: "",
    team: None,
    residency: None,
    archived: false,
    owners: &[],
    members: &[],
    viewers: &[],
    teams: &[],
};

const OWNER: &str = "role_project_owner";
const MEMBER: &str = "role_project_member";
const VIEWER: &str = "role_project_viewer";

/// Ana Ruiz alone owns Atlas and Borealis. Two organizations have a Helpdesk, so that the name alone is ambiguous.
const PROJECTS: &[Project] = &[
    Project {
        id: "prj_atlas",
        name: "Atlas",
        description: "Maps of where every sensor is",
        residency: Some("eu"),
        owners: &["ana"],
        members: &["chidi", "jonas", "lena", "leo", "mei", "sofia"],
        viewers: &["grace"],
        teams: &[("team_platform", MEMBER)],
        ..NO
    },
    Project {
        id: "prj_borealis",
        name: "Borealis",
        description: "Northern lights from magnetometers",
        residency: Some("eu"),
        owners: &["ana"],
        members: &["fatima", "mateus"],
        viewers: &["owen"],
        teams: &[("team_data_science", "role_acme_analyst")],
        ..NO
    },
    Project {
        id: "prj_cobalt",
        name: "Cobalt",
        description: "The data platform",
        team: Some("team_platform"),
        owners: &["oskar", "priya"],
        members: &["jonas", "linh", "pavel"],
        teams: &[("team_platform", MEMBER), ("team_security", VIEWER)],
        ..NO
    },
    Project {
        id: "prj_delta",
        name: "Delta Forecast",
        description: "River levels, two weeks ahead",
        team: Some("team_data_science"),
        residency: Some("us"),
        owners: &["mei"],
        members: &["elif", "ravi", "yuna"],
        teams: &[("team_data_science", MEMBER)],
        ..NO
    },
    Project { id: "prj_ember", name: "Ember", description: "Forest fire warnings", owners: &["declan", "leo"], members: &["amara"], ..NO },
    Project {
        id: "prj_fieldnotes",
        name: "Fieldnotes",
        description: "What technicians write down",
        team: Some("team_field_service"),
        owners: &["leo"],
        members: &["declan", "kofi"],
        teams: &[("team_field_service", MEMBER)],
        ..NO
    },
    Project {
        id: "prj_gauge",
        name: "Gauge Insight",
        description: "Dashboards for customers",
        owners: &["helena", "ingrid"],
        members: &["marta", "yusuf"],
        viewers: &["katya"],
        ..NO
    },
    Project {
        id: "prj_harbor",
        name: "Harbor",
        description: "Tides, first try",
        archived: true,
        owners: &["tomas"],
        members: &["bjorn"],
        ..NO
    },
    Project {
        id: "prj_iris",
        name: "Iris Vision",
        description: "Reads dials from photographs",
        team: Some("team_design"),
        owners: &["camille", "hiro"],
        members: &["lena"],
        teams: &[("team_design", MEMBER)],
        ..NO
    },
    Project { id: "prj_juniper", name: "Juniper", description: "Soil moisture, ended", archived: true, owners: &["sofia"], ..NO },
    Project {
        id: "prj_kestrel",
        name: "Kestrel",
        description: "Watches access and keys",
        team: Some("team_security"),
        owners: &["noor", "wanjiru"],
        teams: &[("team_security", OWNER)],
        ..NO
    },
    Project {
        id: "prj_helpdesk",
        name: "Helpdesk",
        description: "Answers to customers",
        owners: &["zainab"],
        members: &["andrei", "lucia", "salma"],
        ..NO
    },
    Project {
        id: "prj_lumen",
        organization: LABS,
        name: "Lumen",
        description: "Light as a measure of water",
        owners: &["arjun"],
        members: &["chloe", "hana", "yuna"],
        ..NO
    },
    Project {
        id: "prj_meridian",
        organization: LABS,
        name: "Meridian",
        description: "Papers, read by machines",
        team: Some("team_research"),
        owners: &["ines", "joana"],
        members: &["mei"],
        teams: &[("team_research", "role_labs_experimenter")],
        ..NO
    },
    Project {
        id: "prj_nimbus",
        organization: LABS,
        name: "Nimbus",
        description: "A cloud chamber in a suitcase",
        team: Some("team_prototyping"),
        owners: &["freya"],
        members: &["iker"],
        teams: &[("team_prototyping", MEMBER)],
        ..NO
    },
    Project {
        id: "prj_orchard",
        organization: LABS,
        name: "Orchard",
        description: "Frost alarms, sold",
        archived: true,
        owners: &["dmitri"],
        ..NO
    },
    Project {
        id: "prj_prism",
        organization: LABS,
        name: "Prism",
        description: "Spectra for everybody",
        owners: &["khalid"],
        members: &["dmitri", "ravi"],
        ..NO
    },
    Project {
        id: "prj_quayside",
        organization: NORTHWIND,
        name: "Quayside",
        description: "Where containers stand",
        owners: &["rosa", "ugo"],
        members: &["abena", "cem"],
        ..NO
    },
    Project {
        id: "prj_route_planner",
        organization: NORTHWIND,
        name: "Route Planner",
        description: "By ship, train and lorry",
        team: Some("team_logistics"),
        owners: &["samir"],
        members: &["wei"],
        teams: &[("team_logistics", MEMBER)],
        ..NO
    },
    Project {
        id: "prj_storefront_search",
        organization: NORTHWIND,
        name: "Storefront Search",
        description: "Finds the right rope",
        team: Some("team_storefront"),
        owners: &["tove"],
        members: &["ximena"],
        teams: &[("team_storefront", MEMBER)],
        ..NO
    },
    Project {
        id: "prj_tidewater",
        organization: NORTHWIND,
        name: "Tidewater",
        description: "An old shop",
        archived: true,
        owners: &["rosa"],
        ..NO
    },
    Project {
        id: "prj_helpdesk_northwind",
        organization: NORTHWIND,
        name: "Helpdesk",
        description: "Where is my parcel?",
        owners: &["brigid"],
        members: &["vera"],
        ..NO
    },
];

/// A role that only one project has.
const PROJECT_ROLE: (&str, &str, &str, &str, &str, &[&str]) = (
    "role_atlas_release_manager",
    ACME,
    "prj_atlas",
    "release manager",
    "Works in Atlas and swaps its keys",
    &["project.keys.read", "project.keys.write", "project.read", "project.write"],
);

/// Roles held beside the usual ones: id, organization, project, role, person, team.
type Assignment = (&'static str, &'static str, Option<&'static str>, &'static str, Option<&'static str>, Option<&'static str>);

const ASSIGNMENTS: &[Assignment] = &[
    ("asg_atlas_release", ACME, Some("prj_atlas"), PROJECT_ROLE.0, Some("chidi"), None),
    ("asg_atlas_analyst", ACME, Some("prj_atlas"), "role_acme_analyst", Some("mei"), None),
    ("asg_acme_audit_katya", ACME, None, "role_acme_auditor", Some("katya"), None),
    ("asg_acme_audit_security", ACME, None, "role_acme_auditor", None, Some("team_security")),
    ("asg_northwind_books", NORTHWIND, None, "role_northwind_bookkeeper", Some("brigid"), None),
];

const ASSIGNMENT_COLUMNS: &[&str; 7] = &["id", "organization_id", "project_id", "role_id", "user_id", "team_id", "created_at"];

pub(super) fn rows(ago: Ago) -> Vec<Rows> {
    let (id, organization, project, name, description, permissions) = PROJECT_ROLE;
    let role = args![id, organization, project, "project", name, fold(name), description, json_array(permissions), false, ago.days(90)];
    vec![
        Rows::of(
            "projects",
            &[
                "id",
                "organization_id",
                "team_id",
                "name",
                "name_key",
                "slug",
                "description",
                "residency",
                "external_key_id",
                "status",
                "created_at",
                "archived_at",
            ],
            PROJECTS.iter().enumerate().map(|(at, it)| project_row(ago, at, it)),
        ),
        Rows::of(
            "roles",
            &["id", "organization_id", "project_id", "level", "name", "name_key", "description", "permissions", "built_in", "created_at"],
            [role],
        ),
        Rows::of(
            "project_members",
            &["project_id", "user_id", "joined_at"],
            people().map(|(project, key, _)| args![project.id, user_id(key), ago.days(12)]),
        ),
        Rows::of(
            "project_teams",
            &["project_id", "team_id", "joined_at"],
            teams().map(|(project, team, _)| args![project.id, team, ago.days(11)]),
        ),
        Rows::of("role_assignments", ASSIGNMENT_COLUMNS, assignments(ago)),
    ]
}

fn project_row(ago: Ago, at: usize, it: &Project) -> [Val; 12] {
    let archived_at = it.archived.then(|| ago.days(25));
    let key = (it.id == "prj_atlas").then_some("vault-17");
    let status = if it.archived { "archived" } else { "active" };
    let created = ago.days(60 + step(at) * 29 % 500);
    args![
        it.id,
        it.organization,
        it.team,
        it.name,
        fold(it.name),
        slugify(it.name),
        it.description,
        it.residency,
        key,
        status,
        created,
        archived_at
    ]
}

/// Everybody who is in a project on their own account, with their role there.
fn people() -> impl Iterator<Item = (&'static Project, &'static str, &'static str)> {
    PROJECTS.iter().flat_map(|project| {
        let with = move |people: &'static [&'static str], role| people.iter().map(move |key| (project, *key, role));
        with(project.owners, OWNER).chain(with(project.members, MEMBER)).chain(with(project.viewers, VIEWER))
    })
}

fn teams() -> impl Iterator<Item = (&'static Project, &'static str, &'static str)> {
    PROJECTS.iter().flat_map(|project| project.teams.iter().map(move |(team, role)| (project, *team, *role)))
}

fn assignments(ago: Ago) -> Vec<[Val; 7]> {
    let none = None::<&str>;
    let of_people = people().enumerate().map(|(at, (project, key, role))| {
        args![format!("asg_person_{at:03}"), project.organization, project.id, role, user_id(key), none, ago.days(12)]
    });
    let of_teams = teams().enumerate().map(|(at, (project, team, role))| {
        args![format!("asg_team_{at:03}"), project.organization, project.id, role, none, team, ago.days(11)]
    });
    let others = ASSIGNMENTS.iter().map(|(id, organization, project, role, person, team)| -> [Val; 7] {
        args![*id, *organization, *project, *role, person.map(user_id), *team, ago.days(10)]
    });
    of_people.chain(of_teams).chain(others).collect()
}
