//! How the database goes about what it is asked: no list and no preview walks through a whole table.
//!
//! The statements are those that the program itself sends on this thread, so that none can be forgotten.

use std::collections::BTreeSet;

use rolecall::store::{self, Db, Pools};
use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    fill,
    support::{Agent, Store, Value, json},
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
    ]
}

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
    fill::ledger(agent.db(), 2000).await.unwrap();
    let mut faults = BTreeSet::new();
    for analyzed in [false, true] {
        if analyzed {
            fill::analyze(agent.db()).await.unwrap();
        }
        store::hear();
        for (tool, arguments) in reads() {
            let page = agent.ok(tool, arguments.clone()).await;
            if let Some(next) = page.get("next_cursor") {
                let mut second = arguments;
                second["cursor"] = next.clone();
                agent.ok(tool, second).await;
            }
        }
        for (tool, mut arguments) in changes() {
            arguments["dry_run"] = json!(true);
            agent.ok(tool, arguments).await;
        }
        let heard = store::heard();
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

/// How many of those who are in some place PostgreSQL looks at for a statement and its triggers; it is taken back.
async fn people_looked_at(db: &Db, sql: &str) -> i64 {
    let mut tx = db.begin().await.unwrap();
    assert!(tx.run(sql, &[]).await.unwrap() > 0, "{sql}");
    let seen = "SELECT CAST(seq_tup_read + COALESCE(idx_tup_fetch, 0) AS BIGINT) FROM pg_stat_xact_user_tables \
                WHERE relname = 'people_in' AND schemaname = current_schema()";
    tx.number(seen, &[]).await.unwrap()
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
            assert!(seen.iter().any(|it| *it < 50), "{sql}: {seen:?}");
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
