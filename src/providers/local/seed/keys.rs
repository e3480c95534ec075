//! Service accounts and keys of the demo company, among them the ones that an access review should find.

use super::{Ago, Rows, json_array, people::user_id};
use crate::{
    domain::fold,
    store::{Val, args, sha256},
};

/// Id, project, name, role.
const SERVICE_ACCOUNTS: &[(&str, &str, &str, &str)] = &[
    ("sva_atlas_ci", "prj_atlas", "ci-deploy", "role_project_member"),
    ("sva_atlas_metrics", "prj_atlas", "metrics-export", "role_project_viewer"),
    ("sva_borealis_batch", "prj_borealis", "batch-scorer", "role_project_member"),
    ("sva_cobalt_build", "prj_cobalt", "build-bot", "role_project_member"),
    ("sva_delta_runner", "prj_delta", "forecast-runner", "role_project_member"),
    ("sva_kestrel_scanner", "prj_kestrel", "scanner", "role_project_owner"),
    ("sva_lumen_sweeper", "prj_lumen", "sweeper", "role_project_viewer"),
    ("sva_route_dispatch", "prj_route_planner", "dispatch", "role_project_member"),
    ("sva_storefront_indexer", "prj_storefront_search", "indexer", "role_project_member"),
];

/// Whom a key acts for.
#[derive(Clone, Copy)]
enum Owner {
    Account(&'static str),
    Person(&'static str),
    /// Its owner has left.
    Nobody,
}

#[derive(Clone, Copy)]
struct Key {
    id: &'static str,
    project: &'static str,
    owner: Owner,
    name: &'static str,
    description: Option<&'static str>,
    scopes: &'static [&'static str],
    blocked: bool,
    /// Days ago.
    created: i64,
    /// Days from now; negative: it has expired.
    expires: Option<i64>,
    /// Days ago.
    used: Option<i64>,
}

/// A key that was made three months ago, never ends and was never used.
const NEW: Key = Key {
    id: "",
    project: "",
    owner: Owner::Nobody,
    name: "",
    description: None,
    scopes: &[],
    blocked: false,
    created: 90,
    expires: None,
    used: None,
};

const KEYS: &[Key] = &[
    Key {
        id: "key_atlas_ci",
        project: "prj_atlas",
        owner: Owner::Account("sva_atlas_ci"),
        name: "ci-deploy",
        description: Some("The pipeline that puts Atlas out"),
        scopes: &["project.read", "project.write"],
        used: Some(0),
        ..NEW
    },
    Key {
        id: "key_atlas_metrics",
        project: "prj_atlas",
        owner: Owner::Account("sva_atlas_metrics"),
        name: "metrics",
        scopes: &["project.read"],
        expires: Some(20),
        used: Some(1),
        ..NEW
    },
    Key {
        id: "key_atlas_ana",
        project: "prj_atlas",
        owner: Owner::Person("ana"),
        name: "ana-laptop",
        scopes: &["project.read", "project.write"],
        used: Some(2),
        ..NEW
    },
    // Still in use, and nobody answers for it.
    Key {
        id: "key_atlas_migration",
        project: "prj_atlas",
        name: "old-migration",
        description: Some("Made by Viktor Hale for the move of 2025"),
        scopes: &["project.read", "project.write"],
        created: 420,
        used: Some(3),
        ..NEW
    },
    Key {
        id: "key_borealis_batch",
        project: "prj_borealis",
        owner: Owner::Account("sva_borealis_batch"),
        name: "batch-scorer",
        scopes: &["project.read", "project.write"],
        used: Some(0),
        ..NEW
    },
    Key {
        id: "key_borealis_leaked",
        project: "prj_borealis",
        owner: Owner::Person("fatima"),
        name: "notebook",
        description: Some("Blocked: it was seen in a public notebook"),
        scopes: &["project.read"],
        blocked: true,
        created: 200,
        used: Some(40),
        ..NEW
    },
    Key {
        id: "key_cobalt_build",
        project: "prj_cobalt",
        owner: Owner::Account("sva_cobalt_build"),
        name: "build-bot",
        scopes: &["project.write"],
        used: Some(0),
        ..NEW
    },
    Key {
        id: "key_cobalt_audit",
        project: "prj_cobalt",
        owner: Owner::Person("pavel"),
        name: "temporary-audit",
        description: Some("For the audit in spring"),
        scopes: &["project.read"],
        expires: Some(-12),
        used: Some(15),
        ..NEW
    },
    Key { id: "key_cobalt_spare", project: "prj_cobalt", owner: Owner::Person("linh"), name: "spare", scopes: &["project.read"], ..NEW },
    Key {
        id: "key_delta_runner",
        project: "prj_delta",
        owner: Owner::Account("sva_delta_runner"),
        name: "forecast-runner",
        scopes: &["project.read", "project.write"],
        expires: Some(180),
        used: Some(0),
        ..NEW
    },
    // Grace is not in Ember any more.
    Key {
        id: "key_ember_report",
        project: "prj_ember",
        owner: Owner::Person("grace"),
        name: "weekly-report",
        scopes: &["project.read"],
        created: 300,
        used: Some(6),
        ..NEW
    },
    Key { id: "key_gauge_demo", project: "prj_gauge", owner: Owner::Person("marta"), name: "demo", scopes: &["project.read"], ..NEW },
    Key {
        id: "key_kestrel_scanner",
        project: "prj_kestrel",
        owner: Owner::Account("sva_kestrel_scanner"),
        name: "scanner",
        scopes: &["project.*"],
        used: Some(0),
        ..NEW
    },
    Key {
        id: "key_lumen_sweeper",
        project: "prj_lumen",
        owner: Owner::Account("sva_lumen_sweeper"),
        name: "sweeper",
        scopes: &["project.read"],
        ..NEW
    },
    Key {
        id: "key_prism_khalid",
        project: "prj_prism",
        owner: Owner::Person("khalid"),
        name: "bench",
        scopes: &["project.read", "project.write"],
        used: Some(9),
        ..NEW
    },
    Key {
        id: "key_route_dispatch",
        project: "prj_route_planner",
        owner: Owner::Account("sva_route_dispatch"),
        name: "dispatch",
        scopes: &["project.read", "project.write"],
        used: Some(0),
        ..NEW
    },
    Key {
        id: "key_storefront_indexer",
        project: "prj_storefront_search",
        owner: Owner::Account("sva_storefront_indexer"),
        name: "indexer",
        scopes: &["project.read"],
        expires: Some(3),
        used: Some(0),
        ..NEW
    },
];

pub(super) fn rows(ago: Ago) -> Vec<Rows> {
    let accounts = SERVICE_ACCOUNTS.iter().map(|(id, project, name, role)| args![*id, *project, *name, fold(name), *role, ago.days(120)]);
    vec![
        Rows::of("service_accounts", &["id", "project_id", "name", "name_key", "role_id", "created_at"], accounts),
        Rows::of(
            "api_keys",
            &[
                "id",
                "project_id",
                "service_account_id",
                "user_id",
                "name",
                "name_key",
                "description",
                "hash",
                "hint",
                "scopes",
                "status",
                "created_at",
                "expires_at",
                "last_used_at",
            ],
            KEYS.iter().map(|it| row(ago, it)),
        ),
    ]
}

fn row(ago: Ago, it: &Key) -> [Val; 14] {
    let (account, person) = match it.owner {
        Owner::Account(id) => (Some(id.to_owned()), None),
        Owner::Person(key) => (None, Some(user_id(key))),
        Owner::Nobody => (None, None),
    };
    // No value has this hash: what is hashed does not look like a key, so these keys open nothing.
    let hash = sha256(format!("no key, but the demo row {}", it.id));
    let hint = hash[..4].to_owned();
    args![
        it.id,
        it.project,
        account,
        person,
        it.name,
        fold(it.name),
        it.description,
        hash,
        hint,
        json_array(it.scopes),
        if it.blocked { "blocked" } else { "active" },
        ago.days(it.created),
        it.expires.map(|days| ago.days(-days)),
        it.used.map(|days| ago.days(days))
    ]
}
