//! The people of the demo company: accounts, memberships, teams, invitations.

use super::{
    Ago, Rows, json_array,
    organizations::{ACME, LABS, NORTHWIND},
    step,
};
use crate::{
    domain::fold,
    store::{Val, args},
};

/// Id (after `usr_`), name, e-mail.
const PEOPLE: &[(&str, &str, &str)] = &[
    ("abena", "Abena Mensah", "abena.mensah@northwind.example"),
    ("amara", "Amara Diallo", "amara.diallo@acme.example"),
    ("ana", "Ana Ruiz", "ana.ruiz@acme.example"),
    ("andrei", "Andrei Munteanu", "andrei.munteanu@acme.example"),
    ("arjun", "Arjun Mehta", "arjun.mehta@labs.acme.example"),
    ("baraka", "Baraka Mwangi", "baraka.mwangi@labs.acme.example"),
    ("bjorn", "Björn Eklund", "bjorn.eklund@acme.example"),
    ("brigid", "Brigid O'Neill", "brigid.oneill@northwind.example"),
    ("camille", "Camille Dufresne", "camille.dufresne@acme.example"),
    ("cem", "Cem Aydın", "cem.aydin@northwind.example"),
    ("chidi", "Chidi Okonjo", "chidi.okonjo@acme.example"),
    ("chloe", "Chloé Girard", "chloe.girard@labs.acme.example"),
    ("declan", "Declan Byrne", "declan.byrne@acme.example"),
    ("diego", "Diego Paredes", "diego.paredes@acme.example"),
    ("dmitri", "Dmitri Arsenov", "dmitri.arsenov@labs.acme.example"),
    ("elif", "Elif Kaya", "elif.kaya@acme.example"),
    ("fatima", "Fatima El Idrissi", "fatima.elidrissi@acme.example"),
    ("freya", "Freya Dahl", "freya.dahl@labs.acme.example"),
    ("grace", "Grace Whitfield", "grace.whitfield@acme.example"),
    ("hana", "Hana Kobayashi", "hana.kobayashi@labs.acme.example"),
    ("helena", "Helena Brandt", "helena.brandt@acme.example"),
    ("hiro", "Hiro Nakagawa", "hiro.nakagawa@acme.example"),
    ("iker", "Iker Etxeberria", "iker.etxeberria@labs.acme.example"),
    ("ines", "Inês Figueiredo", "ines.figueiredo@labs.acme.example"),
    ("ingrid", "Ingrid Solheim", "ingrid.solheim@acme.example"),
    ("joana", "Joana Lopes", "joana.lopes@labs.acme.example"),
    ("jonas", "Jonas Weber", "jonas.weber@acme.example"),
    ("katya", "Katya Sidorova", "katya.sidorova@acme.example"),
    ("khalid", "Khalid Rahmani", "khalid.rahmani@labs.acme.example"),
    ("kofi", "Kofi Asante", "kofi.asante@acme.example"),
    ("lena", "Lena Vogel", "lena@studio-vogel.example"),
    ("leo", "Leo Marchetti", "leo.marchetti@acme.example"),
    ("linh", "Linh Tran", "linh.tran@acme.example"),
    ("lucia", "Lucía Herrera", "lucia.herrera@acme.example"),
    ("luka", "Luka Petrović", "luka.petrovic@labs.acme.example"),
    ("marta", "Marta Nowicka", "marta.nowicka@acme.example"),
    ("mateus", "Mateus Carvalho", "mateus.carvalho@acme.example"),
    ("mei", "Mei Tanaka", "mei.tanaka@acme.example"),
    ("moana", "Moana Tapsell", "moana.tapsell@labs.acme.example"),
    ("noor", "Noor van Dijk", "noor.vandijk@acme.example"),
    ("oskar", "Oskar Lindqvist", "oskar.lindqvist@acme.example"),
    ("owen", "Owen Prichard", "owen.prichard@acme.example"),
    ("pavel", "Pavel Horák", "pavel.horak@acme.example"),
    ("priya", "Priya Raman", "priya.raman@acme.example"),
    ("ravi", "Ravi Deshpande", "ravi.deshpande@acme.example"),
    ("rosa", "Rosa Delgado", "rosa.delgado@northwind.example"),
    ("salma", "Salma Haddad", "salma.haddad@acme.example"),
    ("samir", "Samir Nassar", "samir.nassar@northwind.example"),
    ("sofia", "Sofia Papadaki", "sofia.papadaki@acme.example"),
    ("tariq", "Tariq Mansour", "tariq.mansour@acme.example"),
    ("tomas", "Tomás Quiroga", "tomas.quiroga@acme.example"),
    ("tove", "Tove Hansen", "tove.hansen@northwind.example"),
    ("ugo", "Ugo Ferrante", "ugo.ferrante@northwind.example"),
    ("vera", "Vera Ilieva", "vera.ilieva@northwind.example"),
    // Has left: an account without any membership.
    ("viktor", "Viktor Hale", "viktor.hale@acme.example"),
    ("wanjiru", "Wanjiru Kamau", "wanjiru.kamau@acme.example"),
    ("wei", "Wei Zhang", "wei.zhang@northwind.example"),
    ("ximena", "Ximena Soto", "ximena.soto@northwind.example"),
    ("yara", "Yara Cohen", "yara.cohen@northwind.example"),
    ("yuna", "Yuna Seo", "yuna.seo@acme.example"),
    ("yusuf", "Yusuf Demirel", "yusuf.demirel@acme.example"),
    ("zainab", "Zainab Bello", "zainab.bello@acme.example"),
    ("zoltan", "Zoltán Kiss", "zoltan.kiss@northwind.example"),
];

/// Organization, role, people. Northwind has one owner only.
const MEMBERS: &[(&str, &str, &[&str])] = &[
    (ACME, "role_organization_owner", &["helena", "tomas"]),
    (ACME, "role_organization_admin", &["oskar", "priya", "wanjiru"]),
    (
        ACME,
        "role_organization_member",
        &[
            "amara", "ana", "andrei", "bjorn", "camille", "chidi", "declan", "diego", "elif", "fatima", "hiro", "ingrid", "jonas", "kofi",
            "lena", "leo", "linh", "lucia", "marta", "mateus", "mei", "noor", "pavel", "ravi", "salma", "sofia", "tariq", "yuna", "yusuf",
            "zainab",
        ],
    ),
    (ACME, "role_organization_reader", &["katya", "owen"]),
    (ACME, "role_acme_people_partner", &["grace"]),
    (LABS, "role_organization_owner", &["arjun", "ines"]),
    (LABS, "role_organization_admin", &["freya"]),
    (
        LABS,
        "role_organization_member",
        &["baraka", "chloe", "dmitri", "hana", "iker", "joana", "khalid", "luka", "mei", "moana", "ravi", "yuna"],
    ),
    (LABS, "role_organization_reader", &["helena"]),
    (NORTHWIND, "role_organization_owner", &["rosa"]),
    (NORTHWIND, "role_organization_admin", &["samir", "tove"]),
    (NORTHWIND, "role_organization_member", &["abena", "brigid", "cem", "ugo", "vera", "wei", "ximena", "yara", "zoltan"]),
];

struct Team {
    id: &'static str,
    organization: &'static str,
    name: &'static str,
    slug: &'static str,
    description: &'static str,
    maintainers: &'static [&'static str],
    members: &'static [&'static str],
}

const TEAMS: &[Team] = &[
    Team {
        id: "team_platform",
        organization: ACME,
        name: "Platform",
        slug: "platform",
        description: "Runs what everybody builds on",
        maintainers: &["priya"],
        members: &["chidi", "hiro", "jonas", "linh", "oskar", "pavel"],
    },
    Team {
        id: "team_data_science",
        organization: ACME,
        name: "Data Science",
        slug: "data-science",
        description: "Forecasts from measurements",
        maintainers: &["mei"],
        members: &["elif", "fatima", "mateus", "ravi", "yuna"],
    },
    Team {
        id: "team_field_service",
        organization: ACME,
        name: "Field Service",
        slug: "field-service",
        description: "Where the instruments are",
        maintainers: &["leo", "declan"],
        members: &["bjorn", "diego", "kofi"],
    },
    Team {
        id: "team_security",
        organization: ACME,
        name: "Security",
        slug: "security",
        description: "Asks who can do what",
        maintainers: &["wanjiru"],
        members: &["noor", "tariq"],
    },
    Team {
        id: "team_design",
        organization: ACME,
        name: "Design",
        slug: "design",
        description: "Dials, screens and boxes",
        maintainers: &["camille"],
        members: &["lena"],
    },
    Team {
        id: "team_research",
        organization: LABS,
        name: "Research",
        slug: "research",
        description: "Reads, tries, writes",
        maintainers: &["ines"],
        members: &["arjun", "hana", "joana", "mei"],
    },
    Team {
        id: "team_prototyping",
        organization: LABS,
        name: "Prototyping",
        slug: "prototyping",
        description: "Solder and glue",
        maintainers: &["freya"],
        members: &["baraka", "luka", "moana"],
    },
    Team {
        id: "team_logistics",
        organization: NORTHWIND,
        name: "Logistics",
        slug: "logistics",
        description: "Ships, trains and lorries",
        maintainers: &["samir"],
        members: &["ugo", "wei", "zoltan"],
    },
    Team {
        id: "team_storefront",
        organization: NORTHWIND,
        name: "Storefront",
        slug: "storefront",
        description: "The shop, on land and on line",
        maintainers: &["tove"],
        members: &["vera", "yara"],
    },
];

/// Id, organization, e-mail, role, projects, status, days since it was made, days until it ends (negative: it has ended).
type Invitation = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], &'static str, i64, i64);

const INVITATIONS: &[Invitation] = &[
    ("inv_noemi", ACME, "noemi.farkas@acme.example", "role_organization_member", &["prj_atlas", "prj_gauge"], "pending", 2, 5),
    ("inv_tunde", ACME, "tunde.adeyemi@acme.example", "role_organization_member", &[], "pending", 1, 6),
    ("inv_petra", ACME, "petra@consulting.example", "role_organization_admin", &[], "pending", 6, 1),
    ("inv_milan", ACME, "milan.kovac@acme.example", "role_organization_reader", &["prj_borealis"], "pending", 21, -14),
    ("inv_grace", ACME, "grace.whitfield@acme.example", "role_acme_people_partner", &[], "accepted", 60, -53),
    ("inv_bogus", ACME, "helena.brand@acme.example", "role_organization_owner", &[], "cancelled", 33, -26),
    ("inv_sanna", LABS, "sanna.virtanen@labs.acme.example", "role_organization_member", &["prj_lumen"], "pending", 3, 4),
    ("inv_paolo", NORTHWIND, "paolo.greco@northwind.example", "role_organization_member", &[], "pending", 4, 3),
];

pub(super) fn user_id(key: &str) -> String {
    format!("usr_{key}")
}

/// How many days somebody has been here: from one month to nearly two years.
fn tenure(key: &str) -> i64 {
    30 + step(PEOPLE.iter().position(|it| it.0 == key).unwrap_or_default()) * 37 % 650
}

pub(super) fn rows(ago: Ago) -> Vec<Rows> {
    let users = PEOPLE.iter().map(|(key, name, email)| args![user_id(key), *email, *name, fold(name), ago.days(tenure(key))]);
    let members = MEMBERS.iter().flat_map(|(organization, role, people)| people.iter().map(move |it| (*organization, *role, *it)));
    let members = members.map(|(organization, role, key)| args![organization, user_id(key), role, ago.days(tenure(key))]);
    let teams = TEAMS.iter().map(|it| args![it.id, it.organization, it.name, fold(it.name), it.slug, it.description, ago.days(500)]);
    let team_members = TEAMS.iter().flat_map(|it| {
        let with = |people: &'static [&'static str], role| people.iter().map(move |key| (*key, role));
        let all = with(it.maintainers, "role_team_maintainer").chain(with(it.members, "role_team_member"));
        all.map(|(key, role)| args![it.id, user_id(key), role, ago.days(15)])
    });
    let invitations = INVITATIONS.iter().map(|(id, organization, email, role, projects, status, made, left)| -> [Val; 8] {
        args![*id, *organization, *email, *role, json_array(projects), *status, ago.days(*made), ago.days(-left)]
    });
    vec![
        Rows::of("users", &["id", "email", "name", "name_key", "created_at"], users),
        Rows::of("organization_members", &["organization_id", "user_id", "role_id", "joined_at"], members),
        Rows::of("teams", &["id", "organization_id", "name", "name_key", "slug", "description", "created_at"], teams),
        Rows::of("team_members", &["team_id", "user_id", "role_id", "joined_at"], team_members),
        Rows::of(
            "invitations",
            &["id", "organization_id", "email", "role_id", "projects", "status", "created_at", "expires_at"],
            invitations,
        ),
    ]
}
