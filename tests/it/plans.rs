//! How the database goes about what it is asked: no list and no preview walks through a whole table, and each costs the same however
//! much there is.
//!
//! The statements are those that the program itself sends on this thread, so that none can be forgotten. What they cost is counted, not
//! timed: on SQLite the steps of its machine, on PostgreSQL the rows that are looked at, by triggers as well, each in a store and in one
//! eight times as large. PostgreSQL plans with the statistics of full tables; statements are run as they are planned for their values and
//! as they are planned once for all values, since it chooses between the two by itself.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rolecall::{
    domain::Timestamp,
    store::{self, Conn, Db, EntryKind, Pools, RepeatKey, Val},
    tools::Effect,
};
use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    fill,
    support::{Agent, Options, Store, Value, json},
};

/// Reads; each is called for its first and its second page.
fn reads() -> Vec<(&'static str, Value)> {
    vec![
        ("list_projects", json!({ "limit": 5 })),
        ("list_projects", json!({ "limit": 5, "organization": "Big" })),
        ("list_projects", json!({ "limit": 5, "organization": "Big", "include_archived": true })),
        ("list_projects", json!({ "limit": 5, "include_archived": true })),
        ("list_projects", json!({ "team": "Team 0000001" })),
        ("get_project", json!({ "project": "Project 0000500" })),
        ("list_organizations", json!({ "limit": 5 })),
        ("get_organization", json!({ "organization": "Big" })),
        ("list_organization_members", json!({ "organization": "Big", "limit": 5 })),
        ("list_organization_members", json!({ "organization": "Big", "role": "owner", "limit": 5 })),
        ("get_organization_member", json!({ "organization": "Big", "member": "p0000500@big.example" })),
        ("list_invitations", json!({ "organization": "Big", "limit": 5 })),
        ("list_invitations", json!({ "organization": "Big", "limit": 5, "status": "pending" })),
        ("list_teams", json!({ "organization": "Big", "limit": 5 })),
        ("list_teams", json!({ "limit": 5 })),
        ("get_team", json!({ "team": "Team 0000001" })),
        ("list_team_members", json!({ "team": "Team 0000001", "limit": 5 })),
        ("list_project_members", json!({ "project": "prj_all", "limit": 5 })),
        ("list_project_members", json!({ "project": "prj_0000001", "limit": 5 })),
        ("list_project_teams", json!({ "project": "prj_0000001" })),
        ("get_project_member", json!({ "project": "prj_all", "member": "p0000500@big.example" })),
        ("list_api_keys", json!({ "project": "prj_0000500" })),
        ("list_api_keys", json!({ "organization": "Big", "limit": 5 })),
        ("list_api_keys", json!({ "limit": 5 })),
        ("list_api_keys", json!({ "organization": "Big", "owner": "left", "unused_since": "90 days", "any": true, "limit": 5 })),
        ("list_projects", json!({ "limit": 5, "organization": "Big", "detail": "full" })),
        ("list_projects", json!({ "limit": 5, "organization": "Big", "owners": 0 })),
        ("list_projects", json!({ "limit": 5, "owner": "boss@big.example" })),
        ("get_api_key", json!({ "project": "prj_0000500", "api_key": "Key 0000500" })),
        ("list_service_accounts", json!({ "project": "prj_0000500" })),
        ("list_roles", json!({ "organization": "Big", "limit": 5 })),
        ("list_roles", json!({ "limit": 5 })),
        ("list_roles", json!({ "project": "prj_0000500" })),
        ("get_role", json!({ "role": "owner" })),
        ("list_role_assignments", json!({ "member": "p0000500@big.example", "limit": 5 })),
        ("list_role_assignments", json!({ "project": "prj_0000500" })),
        ("list_memberships", json!({ "email": "p0000500@big.example" })),
        ("list_project_memberships", json!({ "email": "p0000500@big.example" })),
        ("list_certificates", json!({ "project": "prj_0000500" })),
        ("list_usage_limits", json!({ "project": "prj_0000500" })),
        ("list_rate_limits", json!({ "project": "prj_0000500", "limit": 2 })),
        ("list_project_resources", json!({ "project": "prj_0000500" })),
        ("list_activity", json!({ "limit": 5 })),
        ("list_activity", json!({ "limit": 5, "tool": "update_project" })),
        ("list_activity", json!({ "limit": 5, "outcome": "failed" })),
        ("list_activity", json!({ "limit": 5, "tool": "update_project", "outcome": "failed" })),
        ("list_activity", json!({ "limit": 5, "member": "prj_0000007" })),
        ("list_activity", json!({ "limit": 5, "since": "2023-11-14T22:13:21Z" })),
        ("list_activity", json!({ "limit": 5, "job": "job_0000003" })),
        ("find_person", json!({ "query": "p0000500@big.example" })),
        ("explain_access", json!({ "project": "prj_0000500", "action": "delete" })),
        ("explain_access", json!({ "project": "prj_0000500", "member": "p0000500@big.example" })),
        ("explain_access", json!({ "member": "p0000500@big.example" })),
        ("list_ending_access", json!({ "limit": 5 })),
        ("list_ending_access", json!({ "limit": 5, "all": true })),
        ("list_approvals", json!({})),
        ("list_jobs", json!({ "limit": 5 })),
        ("list_jobs", json!({ "limit": 5, "status": "done" })),
        ("list_jobs", json!({ "limit": 5, "status": "running" })),
        ("get_job", json!({ "job": "job_0000003", "limit": 5 })),
        ("get_organization", json!({ "organization": "org_big" })),
        ("get_current_user", json!({})),
        ("get_logo", json!({ "organization": "Big" })),
        ("get_runtime_policies", json!({ "organization": "Big" })),
        ("get_service_account", json!({ "project": "prj_0000500", "service_account": "Bot" })),
        ("list_connections", json!({})),
        ("list_permissions", json!({})),
    ]
}

/// Reads that are about everybody in an organization, about each of the roles that it has made, or about what few of its things are:
/// they cost more where there is more.
const OF_ALL: [&str; 3] = ["review_access", "explain_access {\"project\"", "\"owners\":0"];

/// Changes of one thing.
fn changes() -> Vec<(&'static str, Value)> {
    let (organization, project, member, team) = ("Big", "prj_0000500", "p0000500@big.example", "Team 0000001");
    vec![
        ("update_project", json!({ "project": project, "description": "x" })),
        ("create_project", json!({ "organization": organization, "name": "New", "admin_email": member })),
        ("add_project_member", json!({ "project": project, "member": "boss@big.example", "roles": ["member"] })),
        ("assign_role", json!({ "role": "viewer", "member": member, "project": "prj_all" })),
        ("unassign_role", json!({ "role": "viewer", "member": "boss@big.example", "project": "prj_all" })),
        ("update_project_member", json!({ "project": "prj_all", "member": member, "role": "viewer" })),
        ("remove_project_member", json!({ "project": "prj_all", "member": member })),
        ("invite_organization_member", json!({ "organization": organization, "email": "new@big.example" })),
        ("create_user", json!({ "organization": organization, "email": "newer@big.example", "name": "New" })),
        ("cancel_invitation", json!({ "organization": organization, "invitation": "i0000005@big.example" })),
        ("update_organization_member", json!({ "organization": organization, "member": member, "role": "admin" })),
        ("create_team", json!({ "organization": organization, "name": "New" })),
        ("update_team", json!({ "team": team, "description": "x" })),
        ("add_team_member", json!({ "team": team, "member": "boss@big.example" })),
        ("update_team_member", json!({ "team": team, "member": "p0000011@big.example", "role": "maintainer" })),
        ("remove_team_member", json!({ "team": team, "member": "p0000010@big.example" })),
        ("add_project_team", json!({ "project": project, "team": team, "role": "member" })),
        ("remove_project_team", json!({ "project": "prj_0000001", "team": team })),
        ("create_role", json!({ "organization": organization, "name": "New", "permissions": ["projects.read"] })),
        ("update_api_key", json!({ "project": project, "api_key": "Key 0000500", "status": "blocked" })),
        ("delete_api_key", json!({ "project": project, "api_key": "Key 0000500" })),
        ("create_service_account", json!({ "project": project, "name": "Bot" })),
        ("assign_project_resource", json!({ "project": project, "resource_type": "dataset", "resource_id": "d-1" })),
        (
            "set_usage_limit",
            json!({ "project": project, "subscription_type": "Monthly", "usage_unit": "Requests", "soft_limit": 1, "hard_limit": 2, "renewal": "Renewable" }),
        ),
        ("remove_organization_member", json!({ "organization": organization, "member": member })),
        ("delete_team", json!({ "team": team })),
        ("archive_project", json!({ "project": "prj_0000501" })),
        ("delete_project", json!({ "project": "prj_0000502" })),
        ("delete_project", json!({ "project": "prj_all" })),
    ]
}

/// The tables that grow.
const BIG: [&str; 21] = [
    "organizations",
    "users",
    "roles",
    "organization_members",
    "invitations",
    "teams",
    "team_members",
    "projects",
    "project_members",
    "project_teams",
    "role_assignments",
    "service_accounts",
    "api_keys",
    "resources",
    "usage_limits",
    "people_in",
    "counters",
    "domain_roles",
    "ledger",
    "calls",
    "call_words",
];

/// The lines of a plan.
async fn plan(db: &Db, sql: &str) -> Vec<String> {
    let Pools::Sqlite { reader, .. } = db.pools().await.unwrap() else { unreachable!("the test is of SQLite") };
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(reader).await;
    rows.unwrap_or_else(|error| panic!("{sql}: {error}")).iter().map(|it| it.get::<String, _>("detail")).collect()
}

/// The names by which a statement calls a big table: `projects p` is `p`.
fn names(sql: &str) -> BTreeSet<String> {
    let words: Vec<&str> = sql.split(|it: char| it.is_whitespace() || "(),".contains(it)).filter(|it| !it.is_empty()).collect();
    let mut names = BTreeSet::new();
    for pair in words.windows(2) {
        if BIG.contains(&pair[0]) {
            names.insert(pair[0].to_owned());
            names.insert(pair[1].to_owned());
        }
    }
    names
}

/// Why a plan costs more the more there is: it walks through a table, and not only until it has enough.
fn fault(sql: &str, plan: &[String]) -> Option<String> {
    let names = names(sql);
    let sorts = plan.iter().any(|it| it.contains("TEMP B-TREE FOR ORDER BY"));
    plan.iter()
        .find(|line| {
            let mut words = line.split_whitespace();
            // The built-in roles are nine.
            let walks =
                words.next() == Some("SCAN") && words.next().is_some_and(|it| names.contains(it)) && !line.contains("roles_built_in");
            walks && (sorts || !sql.contains("LIMIT"))
        })
        .cloned()
}

#[tokio::test]
async fn no_list_and_no_preview_walks_through_a_whole_table() {
    let agent = Agent::new().await;
    fill::directory(agent.db(), 1000).await.unwrap();
    fill::records(agent.db(), 1000).await.unwrap();
    fill::ledger(agent.db(), 2000).await.unwrap();
    let mut faults = BTreeSet::new();
    for analyzed in [false, true] {
        if analyzed {
            fill::analyze(agent.db()).await.unwrap();
        }
        store::hear();
        for (tool, arguments) in reads() {
            // Who is not there is looked for all the same.
            let page = agent.call(tool, arguments.clone()).await["structuredContent"].clone();
            if let Some(next) = page.get("next_cursor") {
                let mut second = arguments;
                second["cursor"] = next.clone();
                agent.ok(tool, second).await;
            }
        }
        of_the_store(agent.db()).await;
        for (tool, mut arguments) in changes() {
            arguments["dry_run"] = json!(true);
            agent.ok(tool, arguments).await;
        }
        let heard: BTreeSet<String> = store::heard().into_iter().map(|it| it.0).collect();
        assert!(heard.len() > 150, "only {} statements were heard", heard.len());
        for sql in &heard {
            let reads = ["SELECT", "WITH", "DELETE", "UPDATE"].iter().any(|it| sql.starts_with(it));
            if !reads {
                continue;
            }
            let plan = plan(agent.db(), sql).await;
            if let Some(fault) = fault(sql, &plan) {
                faults.insert(format!("{fault}\n  {sql}\n  {}", plan.join("\n    ")));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} statements walk through a table:\n\n{}",
        faults.len(),
        faults.into_iter().collect::<Vec<_>>().join("\n\n")
    );
}

/// What no tool asks for: what the guard, jobs, ends and the console read and write of themselves.
async fn of_the_store(db: &Db) {
    let (now, key) =
        (Timestamp(1_800_000_000_000), RepeatKey { principal: "local".into(), connection: "local".into(), key: "key 7".into() });
    let mut conn = db.begin().await.unwrap();
    conn.approval_for("binding 0000007", "local", (1, "anywhere"), now).await.unwrap();
    conn.approval_for("binding 0000007", "local", (1, "console"), now).await.unwrap();
    conn.approval_of_call("call 0000007", "local", now).await.unwrap();
    conn.approval_used("binding 0000007", "local", now).await.unwrap();
    conn.waits("call 0000007", "local", now).await.unwrap();
    conn.waiting_approvals("local", now).await.unwrap();
    conn.open_approvals(now).await.unwrap();
    conn.open_approvals_of("local", now).await.unwrap();
    conn.waiting_mark(now).await.unwrap();
    conn.votes("apr_0000007").await.unwrap();
    conn.burn("nonce", now, now).await.unwrap();
    conn.claim(&key, "digest", "call", now).await.unwrap();
    conn.repeat(&key).await.unwrap();
    conn.record_repeat("call_0000007", Some("{}")).await.unwrap();
    conn.record_repeat("call_0000007", None).await.unwrap();
    conn.jobs_before((i64::MAX, ""), Some("p3"), None, 5).await.unwrap();
    conn.jobs_before((i64::MAX, ""), Some("p3"), Some("done"), 5).await.unwrap();
    conn.due_jobs().await.unwrap();
    conn.held_jobs().await.unwrap();
    conn.job_of_call("call_0000007").await.unwrap();
    conn.job_rows("job_0000003", 3, Some("pending"), 5).await.unwrap();
    conn.row_named("job_0000003", "row 3").await.unwrap();
    conn.tally("job_0000003").await.unwrap();
    conn.job_connections("job_0000003").await.unwrap();
    conn.has_open_ends().await.unwrap();
    conn.due_ends(now, 5).await.unwrap();
    conn.ends_being_taken().await.unwrap();
    conn.open_ends_of("local", "Person 0000007").await.unwrap();
    conn.ends_after((0, ""), Some("local"), true, 5).await.unwrap();
    conn.ends_after((0, ""), Some("nobody"), false, 5).await.unwrap();
    conn.open_intents(now, now).await.unwrap();
    conn.outcomes(&["call_0000007"]).await.unwrap();
    conn.beginnings(&["job_0000003"]).await.unwrap();
    conn.ledger_rows().await.unwrap();
    conn.ledger_behind(100).await.unwrap();
    let last = conn.ledger_rows().await.unwrap();
    conn.verify_ledger_behind(last).await.unwrap();
    conn.console().await.unwrap();
    conn.forget(Some(Timestamp(0)), Some(Timestamp(0)), Some(Timestamp(0))).await.unwrap();
    conn.append("call_new", EntryKind::Intent, &json!({ "tool": "delete_project", "target": { "name": "x" } })).await.unwrap();
    conn.append("call_new", EntryKind::Outcome, &json!({ "outcome": "done" })).await.unwrap();
    // Not kept: it is dropped.
}

/// What statements cost that are run in their order, each with what it is: steps of SQLite's machine, or rows that PostgreSQL looks at.
/// All of it is taken back.
async fn costs(db: &Db, statements: &[(String, Vec<Val>)], mode: &str) -> Costs {
    let steps = Arc::new(AtomicU64::new(0));
    let mut conn = db.begin().await.unwrap();
    match &mut conn {
        Conn::Sqlite(tx, _) => {
            let steps = Arc::clone(&steps);
            let mut handle = tx.lock_handle().await.unwrap();
            handle.set_progress_handler(10, move || steps.fetch_add(10, Ordering::Relaxed) < u64::MAX);
        }
        _ => drop(conn.run(&format!("SET LOCAL plan_cache_mode = {mode}"), &[]).await.unwrap()),
    }
    let mut found = Vec::new();
    for (sql, values) in statements {
        let before = so_far(&mut conn, &steps).await;
        let done = conn.run(sql, values).await;
        assert!(done.is_ok(), "{sql} {values:?}: {done:?}");
        found.push((so_far(&mut conn, &steps).await - before, sql.clone()));
    }
    if let Conn::Sqlite(tx, _) = &mut conn {
        tx.lock_handle().await.unwrap().remove_progress_handler();
    }
    found
}

/// What was counted until now. PostgreSQL counts on from one transaction to the next.
async fn so_far(conn: &mut Conn, steps: &AtomicU64) -> u64 {
    if let Conn::Sqlite(..) = conn {
        return steps.load(Ordering::Relaxed);
    }
    let seen = "SELECT CAST(SUM(seq_tup_read + COALESCE(idx_tup_fetch, 0)) AS BIGINT) FROM pg_stat_xact_user_tables \
                WHERE schemaname = current_schema()";
    conn.number(seen, &[]).await.unwrap().unsigned_abs()
}

/// The statements of each call, in their order.
async fn statements(agent: &Agent) -> Vec<(String, Vec<(String, Vec<Val>)>)> {
    let mut all = Vec::new();
    for (tool, mut arguments, is_change) in
        reads().into_iter().map(|it| (it.0, it.1, false)).chain(changes().into_iter().map(|it| (it.0, it.1, true)))
    {
        if is_change {
            arguments["dry_run"] = json!(true);
        }
        store::hear();
        let page = agent.call(tool, arguments.clone()).await["structuredContent"].clone();
        all.push((format!("{tool} {arguments}"), store::heard()));
        if let Some(next) = page.get("next_cursor") {
            arguments["cursor"] = next.clone();
            store::hear();
            agent.ok(tool, arguments.clone()).await;
            all.push((format!("{tool}, second page, {arguments}"), store::heard()));
        }
    }
    store::hear();
    of_the_store(agent.db()).await;
    all.push(("the store itself".to_owned(), store::heard()));
    all
}

/// What each statement of a call costs.
type Costs = Vec<(u64, String)>;

#[tokio::test]
async fn what_a_list_and_a_preview_cost_is_the_same_however_much_there_is() {
    for store in Store::each().await {
        let mut found: Vec<Vec<(String, Costs)>> = Vec::new();
        for size in [1_000, 8_000] {
            let store = if store.url.starts_with("sqlite") { Store::sqlite() } else { Store::each().await.pop().unwrap() };
            let agent = Agent::on(&store, Options::default()).await;
            fill::directory(agent.db(), size).await.unwrap();
            fill::records(agent.db(), size).await.unwrap();
            fill::ledger(agent.db(), 2 * size).await.unwrap();
            fill::analyze(agent.db()).await.unwrap();
            let statements = statements(&agent).await;
            let modes = if store.url.starts_with("sqlite") { &["one"][..] } else { &["force_custom_plan", "force_generic_plan"] };
            let mut costs_of = Vec::new();
            for mode in modes {
                for (call, statements) in &statements {
                    costs_of.push((format!("{mode}: {call}"), costs(agent.db(), statements, mode).await));
                }
            }
            found.push(costs_of);
        }
        let mut faults = Vec::new();
        let slack = if store.url.starts_with("sqlite") { STEPS } else { ROWS };
        for ((call, small), (_, large)) in found[0].iter().zip(&found[1]) {
            // What is counted up to a number costs no more from there on.
            let sum = |all: &[(u64, String)]| all.iter().filter(|it| !it.1.contains("LIMIT 1001) found")).map(|it| it.0).sum::<u64>();
            let is_known = call.starts_with("force") && POSTGRES_WALKS.iter().any(|it| call.contains(it));
            if sum(large) > sum(small) * 3 / 2 + slack && !is_known && !OF_ALL.iter().any(|it| call.contains(it)) {
                let mut worst = large.clone();
                worst.sort_by_key(|it| std::cmp::Reverse(it.0));
                let worst: Vec<String> = worst.iter().take(2).map(|it| format!("    {} {}", it.0, it.1)).collect();
                faults.push(format!("{call}: {} and {}\n{}", sum(small), sum(large), worst.join("\n")));
            }
        }
        assert!(faults.is_empty(), "{} calls cost more where there is more:\n{}", faults.len(), faults.join("\n"));
    }
}

/// For which PostgreSQL still chooses, at these sizes, to look through a table: by a hash of it where it expects many rows, or since the
/// order that is asked for is that of no index it would take. Each that goes is one more that is held; none is to be added.
const POSTGRES_WALKS: [&str; 17] = [
    "list_projects {\"team\"",
    "get_team ",
    "list_team_members ",
    "list_project_members ",
    "get_project_member ",
    "list_api_keys {\"organization\"",
    "list_api_keys {\"limit\"",
    "list_projects {\"limit\":5,\"owner\"",
    "get_role ",
    "find_person ",
    "explain_access {\"member\"",
    "update_team ",
    "add_project_team ",
    "remove_project_team ",
    "delete_team ",
    "delete_project {\"project\":\"prj_all\"",
    "the store itself",
];

/// What a call may cost more in the larger store besides: pages of an index are fuller, and trees are deeper.
const STEPS: u64 = 600;
const ROWS: u64 = 60;

#[test]
fn every_list_and_every_read_is_among_those_that_are_looked_at() {
    let looked_at: BTreeSet<&str> = reads().into_iter().map(|it| it.0).chain(["review_access"]).collect();
    let all = rolecall::tools::all();
    let reads = all.iter().filter(|it| it.effect == Effect::Read).map(|it| it.name);
    let missing: Vec<&str> = reads.filter(|it| !looked_at.contains(it)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// How many of those who are in some place PostgreSQL looks at for a statement and its triggers; it is taken back.
async fn people_looked_at(db: &Db, sql: &str) -> i64 {
    let mut tx = db.begin().await.unwrap();
    let seen = "SELECT CAST(seq_tup_read + COALESCE(idx_tup_fetch, 0) AS BIGINT) FROM pg_stat_xact_user_tables \
                WHERE relname = 'people_in' AND schemaname = current_schema()";
    // It counts on from one transaction to the next.
    let before = tx.number(seen, &[]).await.unwrap();
    assert!(tx.run(sql, &[]).await.unwrap() > 0, "{sql}");
    tx.number(seen, &[]).await.unwrap() - before
}

#[tokio::test]
async fn who_comes_to_a_place_or_leaves_it_costs_the_same_in_postgresql_however_many_are_there() {
    for store in Store::each().await {
        let db = Db::open(&store.url).await.unwrap();
        if db.kind() == "sqlite" {
            continue; // no statement walks through a table there, those of triggers included
        }
        fill::directory(&db, 2_000).await.unwrap();
        fill::analyze(&db).await.unwrap();
        for sql in [
            "DELETE FROM project_members WHERE project_id = 'prj_all' AND user_id = 'usr_0000500'",
            "DELETE FROM organization_members WHERE organization_id = 'org_big' AND user_id = 'usr_0000500'",
            "DELETE FROM team_members WHERE team_id = 'team_0000000' AND user_id = 'usr_0000001'",
            "UPDATE organization_members SET role_id = 'role_organization_owner' WHERE organization_id = 'org_big' AND user_id = 'usr_0000500'",
            "INSERT INTO team_members (team_id, user_id, role_id, joined_at) VALUES ('team_0000000', 'usr_boss', 'role_team_member', 0)",
        ] {
            // The first of a connection may be planned otherwise than those that follow.
            let mut seen = Vec::new();
            for _ in 0..7 {
                seen.push(people_looked_at(&db, sql).await);
            }
            assert!(seen.iter().all(|it| *it < 50), "{sql}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn a_plan_that_walks_through_a_table_is_a_fault() {
    let agent = Agent::new().await;
    for sql in [
        "SELECT p.id FROM projects p WHERE p.description = 'x'",
        "SELECT p.id FROM projects p ORDER BY p.slug || ' ' || p.id LIMIT 20",
        "SELECT COUNT(*) FROM organization_members m",
        "DELETE FROM users WHERE name = 'x'",
    ] {
        assert!(fault(sql, &plan(agent.db(), sql).await).is_some(), "{sql}");
    }
    for sql in ["SELECT p.id FROM projects p ORDER BY p.slug, p.id LIMIT 20", "SELECT id FROM projects WHERE id = $1"] {
        assert_eq!(fault(sql, &plan(agent.db(), sql).await), None, "{sql}");
    }
}

/// Holds what triggers keep against the tables that it is kept of.
async fn check_kept(agent: &Agent) {
    let mut db = agent.db().read().await.unwrap();
    let sums = "SELECT owner_id || ' ' || what || ' ' || SUM(n) FROM counters GROUP BY owner_id, what HAVING SUM(n) <> 0 ORDER BY 1";
    let counted = "SELECT organization_id || ' members ' || COUNT(*) FROM organization_members GROUP BY organization_id \
        UNION ALL SELECT team_id || ' members ' || COUNT(*) FROM team_members GROUP BY team_id \
        UNION ALL SELECT project_id || ' members ' || COUNT(*) FROM project_members GROUP BY project_id \
        UNION ALL SELECT organization_id || ' teams ' || COUNT(*) FROM teams GROUP BY organization_id \
        UNION ALL SELECT organization_id || CASE WHEN status = 'active' THEN ' projects ' ELSE ' archived ' END || COUNT(*) FROM projects \
            GROUP BY organization_id, status \
        UNION ALL SELECT project_id || ' keys ' || COUNT(*) FROM api_keys GROUP BY project_id \
        UNION ALL SELECT service_account_id || ' keys ' || COUNT(*) FROM api_keys WHERE service_account_id IS NOT NULL GROUP BY service_account_id \
        UNION ALL SELECT p.organization_id || ' keys ' || COUNT(*) FROM api_keys k JOIN projects p ON p.id = k.project_id \
            WHERE k.status = 'active' GROUP BY p.organization_id ORDER BY 1";
    assert_eq!(db.texts(sums, &[]).await.unwrap(), db.texts(counted, &[]).await.unwrap());
    let listed = "SELECT place_id || ' ' || user_id || ' ' || role_id FROM people_in ORDER BY 1";
    let members = "SELECT organization_id || ' ' || user_id || ' ' || role_id FROM organization_members \
        UNION ALL SELECT team_id || ' ' || user_id || ' ' || role_id FROM team_members \
        UNION ALL SELECT project_id || ' ' || user_id || ' ' FROM project_members ORDER BY 1";
    assert_eq!(db.texts(listed, &[]).await.unwrap(), db.texts(members, &[]).await.unwrap());
    let held = "SELECT organization_id || ' ' || role_id || ' ' || SUM(n) FROM domain_roles GROUP BY organization_id, role_id HAVING SUM(n) <> 0 ORDER BY 1";
    let holders = "SELECT organization_id || ' ' || role_id || ' ' || COUNT(*) FROM (\
        SELECT organization_id, role_id FROM organization_members \
        UNION ALL SELECT t.organization_id, m.role_id FROM team_members m JOIN teams t ON t.id = m.team_id \
        UNION ALL SELECT organization_id, role_id FROM role_assignments WHERE user_id IS NOT NULL \
        UNION ALL SELECT a.organization_id, a.role_id FROM role_assignments a JOIN team_members m ON m.team_id = a.team_id) h \
        GROUP BY organization_id, role_id ORDER BY 1";
    assert_eq!(db.texts(held, &[]).await.unwrap(), db.texts(holders, &[]).await.unwrap());
}

#[tokio::test]
async fn what_is_kept_is_what_there_is() {
    for agent in Agent::each().await {
        fill::directory(agent.db(), 600).await.unwrap();
        for (tool, arguments) in changes() {
            agent.ok(tool, arguments).await;
        }
        check_kept(&agent).await;
        agent.ok("delete_organization", json!({ "organization": "Big" })).await;
        check_kept(&agent).await;
        let left = agent.db().read().await.unwrap().number("SELECT COUNT(*) FROM people_in", &[]).await.unwrap();
        assert_eq!(left, 0);
    }
}

#[tokio::test]
async fn totals_are_told_where_they_are_kept_or_few_have_to_be_counted() {
    let agent = Agent::new().await;
    fill::directory(agent.db(), 1500).await.unwrap();
    let total = async |tool: &'static str, arguments: Value| agent.ok(tool, arguments).await["total"].as_u64();
    assert_eq!(total("list_projects", json!({ "organization": "Big" })).await, Some(1501));
    assert_eq!(total("list_organization_members", json!({ "organization": "Big" })).await, Some(1501));
    assert_eq!(total("list_project_members", json!({ "project": "prj_all" })).await, Some(1501));
    assert_eq!(total("list_organizations", json!({})).await, Some(151));
    assert_eq!(total("list_organization_members", json!({ "organization": "Big", "role": "owner" })).await, Some(1));
    // A search would have to look through all of them.
    let found = agent.ok("list_projects", json!({ "organization": "Big", "query": "0000777" })).await;
    assert_eq!((found["items"].as_array().unwrap().len(), found.get("total")), (1, None), "{found}");
}
