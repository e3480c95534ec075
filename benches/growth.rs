//! Whether reads and previews cost the same however large the directory and the ledger are: each operation at growing sizes, on SQLite
//! and, where `GROWTH_POSTGRES` names an empty database (`postgres://…`), on PostgreSQL.
//!
//! `cargo bench --bench growth`; sizes as arguments, else 1,000, 10,000 and 100,000: `cargo bench --bench growth -- 1000 1000000`.
//! The ledger has ten rows for each project. With `GROWTH_FOLDER` what was filled is kept there and used again, and with `GROWTH_ONLY`
//! only those are measured whose name contains it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed, and tells what it found")]

use std::{path::PathBuf, process::Command, time::Instant};

use client::Server;
use rolecall::store::Db;
use serde_json::{Value, json};

mod client;
#[path = "growth/fill.rs"]
mod fill;

/// The median of so many calls counts.
const CALLS: usize = 15;
/// What takes longer than this is not called so often.
const SLOW: f64 = 200.0;

/// What is asked, with the tool and its arguments.
fn operations() -> Vec<(&'static str, &'static str, Value)> {
    let all = "prj_all";
    vec![
        ("list_projects", "list_projects", json!({ "limit": 20 })),
        ("list_projects of an organization", "list_projects", json!({ "limit": 20, "organization": "Big" })),
        ("get_project", "get_project", json!({ "project": "Project 0000500" })),
        ("list_organizations", "list_organizations", json!({ "limit": 20 })),
        ("get_organization", "get_organization", json!({ "organization": "Big" })),
        ("list_organization_members", "list_organization_members", json!({ "organization": "Big", "limit": 20 })),
        ("list_organization_members, owners", "list_organization_members", json!({ "organization": "Big", "role": "owner" })),
        ("get_organization_member", "get_organization_member", json!({ "organization": "Big", "member": "p0000500@big.example" })),
        ("list_invitations", "list_invitations", json!({ "organization": "Big", "limit": 20 })),
        ("list_teams", "list_teams", json!({ "organization": "Big", "limit": 20 })),
        ("list_team_members", "list_team_members", json!({ "team": "Team 0000001", "limit": 20 })),
        ("list_project_members, of all", "list_project_members", json!({ "project": all, "limit": 20 })),
        ("list_project_members, with teams", "list_project_members", json!({ "project": "prj_0000001", "limit": 20 })),
        ("list_api_keys", "list_api_keys", json!({ "project": "prj_0000500" })),
        ("list_api_keys of an organization", "list_api_keys", json!({ "organization": "Big", "limit": 20 })),
        ("list_api_keys, never used", "list_api_keys", json!({ "organization": "Big", "unused_since": "90 days", "limit": 20 })),
        ("list_projects, in full", "list_projects", json!({ "organization": "Big", "detail": "full", "limit": 20 })),
        ("list_projects of an owner", "list_projects", json!({ "owner": "p0000500@big.example", "limit": 20 })),
        ("find_person", "find_person", json!({ "query": "p0000500@big.example" })),
        ("explain_access, a person", "explain_access", json!({ "project": "prj_0000500", "member": "p0000500@big.example" })),
        ("explain_access, of one project", "explain_access", json!({ "project": "prj_0000500", "action": "delete" })),
        ("explain_access, of all", "explain_access", json!({ "project": "prj_all", "action": "delete" })),
        ("list_ending_access", "list_ending_access", json!({ "limit": 20 })),
        ("list_approvals", "list_approvals", json!({})),
        ("list_jobs", "list_jobs", json!({ "limit": 20 })),
        ("review_access, a person", "review_access", json!({ "organization": "Big", "member": "p0000500@big.example" })),
        ("review_access, a project", "review_access", json!({ "project": "prj_0000500" })),
        ("review_access, an organization", "review_access", json!({ "organization": "Big" })),
        ("list_roles", "list_roles", json!({ "organization": "Big" })),
        ("list_role_assignments of a person", "list_role_assignments", json!({ "member": "p0000500@big.example" })),
        ("list_project_memberships", "list_project_memberships", json!({ "email": "p0000500@big.example" })),
        ("explain_access: who can delete", "explain_access", json!({ "project": "prj_0000500", "action": "delete" })),
        ("explain_access: of all people", "explain_access", json!({ "project": all, "action": "read" })),
        ("explain_access: in the organization", "explain_access", json!({ "organization": "Big", "action": "delete" })),
        ("find_person by address", "find_person", json!({ "query": "p0000500@big.example" })),
        ("find_person by name", "find_person", json!({ "query": "Person 0000500" })),
        ("list_activity", "list_activity", json!({ "limit": 20 })),
        ("list_activity, failed", "list_activity", json!({ "limit": 20, "outcome": "failed" })),
        ("list_activity, a tool nobody used", "list_activity", json!({ "tool": "delete_project" })),
        ("list_activity, a member nobody touched", "list_activity", json!({ "member": "nobody@big.example" })),
        ("list_activity, since", "list_activity", json!({ "since": "2023-11-14T22:13:25Z", "limit": 20 })),
        ("preview: update_project", "update_project", json!({ "project": "prj_0000500", "description": "x" })),
        (
            "preview: create_project with an admin",
            "create_project",
            json!({ "organization": "Big", "name": "New", "admin_email": "p0000500@big.example" }),
        ),
        ("preview: archive_project", "archive_project", json!({ "project": "prj_0000500" })),
        ("preview: delete_project", "delete_project", json!({ "project": "prj_0000500" })),
        ("preview: delete_project, all members lose", "delete_project", json!({ "project": all })),
        (
            "preview: add_project_member",
            "add_project_member",
            json!({ "project": "prj_0000500", "member": "boss@big.example", "roles": ["member"] }),
        ),
        ("preview: remove_project_member", "remove_project_member", json!({ "project": all, "member": "p0000500@big.example" })),
        (
            "preview: update_organization_member",
            "update_organization_member",
            json!({ "organization": "Big", "member": "p0000500@big.example", "role": "admin" }),
        ),
        (
            "preview: remove_organization_member",
            "remove_organization_member",
            json!({ "organization": "Big", "member": "p0000500@big.example" }),
        ),
        ("preview: add_team_member", "add_team_member", json!({ "team": "Team 0000001", "member": "boss@big.example" })),
        ("preview: delete_team", "delete_team", json!({ "team": "Team 0000001" })),
        ("preview: delete_organization", "delete_organization", json!({ "organization": "Big" })),
    ]
}

/// Answers about everybody in a place: where there are too many, they do not come in the time that they have.
const OF_ALL: [&str; 4] =
    ["explain_access, of all", "review_access, a person", "review_access, a project", "review_access, an organization"];
/// So many people are too many for them.
const TOO_MANY: usize = 100_000;

/// Programs that check the ledger, their start included: what was written since it was last found whole, and what doctors look at.
const PROGRAMS: [&str; 2] = ["rolecall activity --verify --new", "rolecall doctor"];

/// Those operations that are measured.
fn wanted() -> Vec<(&'static str, &'static str, Value)> {
    let only = std::env::var("GROWTH_ONLY").unwrap_or_default();
    operations().into_iter().filter(|it| it.0.contains(&only)).collect()
}

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 100_000] } else { sizes };
    let temporary = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("GROWTH_FOLDER").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let mut columns = Vec::new();
    for size in sizes.iter().filter(|_| std::env::var("GROWTH_SQLITE").as_deref() != Ok("no")) {
        let file = folder.join(size.to_string()).join("directory.sqlite3");
        columns.push((format!("{size} SQLite"), measure(&format!("sqlite:{}", file.display()), *size, folder)));
        if kept.is_none() {
            std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
        }
    }
    if let Ok(url) = std::env::var("GROWTH_POSTGRES") {
        for size in &sizes {
            let schema = format!("growth_{size}{}", if kept.is_some() { String::new() } else { format!("_{}", std::process::id()) });
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let run = |sql: String| {
                runtime.block_on(async {
                    let mut conn = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
                    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
                });
            };
            run(format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
            let separator = if url.contains('?') { '&' } else { '?' };
            let within = format!("{url}{separator}options=-csearch_path%3D{schema}");
            columns.push((format!("{size} PostgreSQL"), measure(&within, *size, folder)));
            if kept.is_none() {
                run(format!("DROP SCHEMA {schema} CASCADE"));
            }
        }
    }
    let names: Vec<&str> = columns.iter().map(|it| it.0.as_str()).collect();
    println!("| median, ms | {} |\n|---|{}", names.join(" | "), "---:|".repeat(columns.len()));
    let names = wanted().into_iter().map(|it| it.0).chain(PROGRAMS);
    for (at, name) in names.enumerate() {
        let cells: Vec<String> = columns.iter().map(|it| format!("{:.2}", it.1[at])).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// Fills a store, and takes the median of each operation.
fn measure(url: &str, size: usize, home: &std::path::Path) -> Vec<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    runtime.block_on(async {
        let db = Db::open(url).await.unwrap();
        if db.read().await.unwrap().number("SELECT COUNT(*) FROM organizations", &[]).await.unwrap() == 0 {
            fill::directory(&db, size).await.unwrap();
            fill::records(&db, size).await.unwrap();
            fill::ledger(&db, 10 * size).await.unwrap();
            fill::analyze(&db).await.unwrap();
        }
        db.close().await;
    });
    eprintln!("{size}: filled in {:.1} s", begun.elapsed().as_secs_f64());
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
    command.args(["serve"]).env_clear().env("ROLECALL_STORE", url).env("HOME", home).current_dir(home);
    let mut server = Server::start(&mut command);
    let median = |(name, tool, mut arguments): (&str, &str, Value)| {
        if size > TOO_MANY && OF_ALL.contains(&name) {
            return f64::NAN;
        }
        if name.starts_with("preview") {
            arguments["dry_run"] = json!(true);
        }
        let call = json!({ "name": tool, "arguments": arguments });
        let mut times = Vec::new();
        for round in 0..=CALLS {
            let begun = Instant::now();
            server.ask("tools/call", call.clone());
            let took = begun.elapsed().as_secs_f64() * 1e3;
            if round > 0 {
                times.push(took);
            }
            if round > 1 && took > SLOW {
                break;
            }
        }
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let mut found: Vec<f64> = wanted().into_iter().map(median).collect();
    drop(server);
    for line in PROGRAMS {
        let begun = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
        command.args(line.split(' ').skip(1)).env_clear().env("ROLECALL_STORE", url).env("HOME", home).current_dir(home);
        let output = command.output().unwrap();
        // A doctor finds that rows which were filled in have no hashes.
        assert!(output.status.success() || line.ends_with("doctor"), "{output:?}");
        found.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    found
}
