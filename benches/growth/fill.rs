//! Big directories and ledgers, written in bulk by the database itself: a statement for each table, of as many rows as are asked for.

use rolecall::store::{Db, EntryKind, StoreError, Val, Verification};

/// Digits that sort like the numbers, in SQL that both databases understand.
const DIGITS: &str = "substr(CAST(10000000 + i AS TEXT), 2)";

/// The same of the tenth: ten are in a team.
const TENTH: &str = "substr(CAST(10000000 + i / 10 AS TEXT), 2)";

/// `{n}` rows are numbered by `i`, `{d}` are its digits. The organization `Big` has as many people and projects; each person owns a
/// project and has a key there, and everybody is in project `All`. A hundredth as many teams have ten people each, there are a
/// tenth as many roles and invitations, and a tenth as many other organizations, which are empty.
const DIRECTORY: &[&str] = &[
    "INSERT INTO organizations (id, name, name_key, slug, created_at) VALUES ('org_big', 'Big', 'big', 'big', 0)",
    "INSERT INTO organizations (id, name, name_key, slug, created_at) {numbers} SELECT 'org_' || {d}, 'Other ' || {d}, 'other ' || {d}, \
     'other-' || {d}, 0 FROM n WHERE i < {n} / 10",
    "INSERT INTO users (id, email, name, name_key, created_at) {numbers} SELECT 'usr_' || {d}, 'p' || {d} || '@big.example', 'Person ' || {d}, \
     'person ' || {d}, 0 FROM n",
    "INSERT INTO users (id, email, name, name_key, created_at) VALUES ('usr_boss', 'boss@big.example', 'Boss', 'boss', 0)",
    "INSERT INTO organization_members (organization_id, user_id, role_id, joined_at) VALUES ('org_big', 'usr_boss', 'role_organization_owner', 0)",
    "INSERT INTO organization_members (organization_id, user_id, role_id, joined_at) {numbers} SELECT 'org_big', 'usr_' || {d}, \
     'role_organization_member', 0 FROM n",
    "INSERT INTO roles (id, organization_id, level, name, name_key, permissions, built_in, created_at) {numbers} SELECT 'role_' || {d}, 'org_big', \
     'organization', 'Role ' || {d}, 'role ' || {d}, '[\"projects.read\"]', FALSE, 0 FROM n WHERE i < {n} / 10",
    "INSERT INTO teams (id, organization_id, name, name_key, slug, created_at) {numbers} SELECT 'team_' || {d}, 'org_big', 'Team ' || {d}, \
     'team ' || {d}, 'team-' || {d}, 0 FROM n WHERE i < {n} / 100 + 1",
    "INSERT INTO team_members (team_id, user_id, role_id, joined_at) {numbers} SELECT 'team_' || {t}, 'usr_' || {d}, 'role_team_member', 0 \
     FROM n WHERE i < {n} / 10",
    "INSERT INTO projects (id, organization_id, name, name_key, slug, status, created_at) {numbers} SELECT 'prj_' || {d}, 'org_big', \
     'Project ' || {d}, 'project ' || {d}, 'project-' || {d}, 'active', 0 FROM n",
    "INSERT INTO projects (id, organization_id, name, name_key, slug, status, created_at) VALUES \
     ('prj_all', 'org_big', 'All', 'all', 'all', 'active', 0)",
    "INSERT INTO project_teams (project_id, team_id, joined_at) SELECT 'prj_' || substr(id, 6), id, 0 FROM teams",
    "INSERT INTO project_members (project_id, user_id, joined_at) {numbers} SELECT 'prj_' || {d}, 'usr_' || {d}, 0 FROM n",
    "INSERT INTO project_members (project_id, user_id, joined_at) {numbers} SELECT 'prj_all', 'usr_' || {d}, 0 FROM n",
    "INSERT INTO project_members (project_id, user_id, joined_at) VALUES ('prj_all', 'usr_boss', 0)",
    "INSERT INTO role_assignments (id, organization_id, project_id, role_id, user_id, created_at) {numbers} SELECT 'own_' || {d}, 'org_big', \
     'prj_' || {d}, 'role_project_owner', 'usr_' || {d}, 0 FROM n",
    "INSERT INTO role_assignments (id, organization_id, project_id, role_id, user_id, created_at) {numbers} SELECT 'all_' || {d}, 'org_big', \
     'prj_all', 'role_project_member', 'usr_' || {d}, 0 FROM n",
    "INSERT INTO role_assignments (id, organization_id, project_id, role_id, user_id, created_at) VALUES \
     ('all_boss', 'org_big', 'prj_all', 'role_project_owner', 'usr_boss', 0), \
     ('all_boss_too', 'org_big', 'prj_all', 'role_project_viewer', 'usr_boss', 0)",
    "INSERT INTO role_assignments (id, organization_id, project_id, role_id, team_id, created_at) SELECT 'team_' || id, 'org_big', \
     'prj_' || substr(id, 6), 'role_project_member', id, 0 FROM teams",
    "INSERT INTO api_keys (id, project_id, user_id, name, name_key, hash, hint, scopes, status, created_at) {numbers} SELECT 'key_' || {d}, \
     'prj_' || {d}, 'usr_' || {d}, 'Key ' || {d}, 'key ' || {d}, {d}, 'hint', '[\"project.read\"]', 'active', 0 FROM n",
    "INSERT INTO invitations (id, organization_id, email, role_id, projects, status, created_at, expires_at) {numbers} SELECT 'inv_' || {d}, \
     'org_big', 'i' || {d} || '@big.example', 'role_organization_member', '[]', 'pending', 0, 9000000000000 FROM n WHERE i < {n} / 10",
];

/// What is over and is kept: a tenth as many jobs with ten rows each, of which every thousandth runs; and as many approvals, keys of
/// calls, used consents and ends of access as there are people, of which some ends are still to come.
const RECORDS: &[&str] = &[
    "INSERT INTO jobs (id, call_id, tool, connection, principal, client, target, in_order, stop_on_failure, total, status, cancel, lease_owner, \
     lease_until, fence, created_at, ended_at) {numbers} SELECT 'job_' || {d}, 'call_' || {d}, 'invite_people', 'local', 'p' || i % 7, 'fill', \
     'a file', FALSE, FALSE, 10, CASE WHEN i % 1000 = 7 THEN 'running' ELSE 'done' END, FALSE, 'nobody', 9000000000000, 1, 1700000000000 + i, \
     CASE WHEN i % 1000 = 7 THEN NULL ELSE 1700000000000 + i END FROM n WHERE i < {n} / 10",
    "INSERT INTO job_rows (job_id, idx, name, connection, tool, arguments, state, call_id) {numbers} SELECT 'job_' || {t}, i % 10, \
     'row ' || i % 10, 'local', 'invite_organization_member', '{}', 'done', 'row_' || {d} FROM n WHERE i < {n} / 10 * 10",
    "INSERT INTO approvals (id, binding, principal, tool, connection, question, needed, status, created_at, expires_at, call) {numbers} \
     SELECT 'apr_' || {d}, 'binding ' || {d}, 'local', 'delete_project', 'local', '{}', 1, 'pending', 1700000000000 + i, 1700000000000 + i, \
     'call ' || {d} FROM n",
    "INSERT INTO approval_votes (approval_id, person, at) {numbers} SELECT 'apr_' || {d}, 'ann', 0 FROM n",
    "INSERT INTO burnt_consents (nonce, expires_at) {numbers} SELECT 'nonce ' || {d}, 9000000000000 FROM n",
    "INSERT INTO repeatable_calls (principal, connection, repeat_key, digest, call_id, created_at) {numbers} SELECT 'local', 'local', \
     'key ' || {d}, '', 'call_' || {d}, 9000000000000 FROM n",
    "INSERT INTO applied_calls (call_id, at, given_up) {numbers} SELECT 'call_' || {d}, 9000000000000, FALSE FROM n",
    "INSERT INTO ends (call_id, principal, connection, named, ends_at, state, tries, look_at) {numbers} SELECT 'call_' || {d}, 'local', 'local', \
     'person ' || {d}, CASE WHEN i % 10 = 7 THEN 9000000000000 ELSE 1700000000000 END + i, CASE WHEN i % 10 = 7 THEN 'waiting' ELSE 'ended' END, \
     0, 9000000000000 FROM n",
];

/// Two rows a call: `{n}` calls, of which each hundredth has failed. Hashes are not those of the rows.
const LEDGER: &[&str] = &[
    "INSERT INTO ledger (seq, at, call_id, entry, body, prev, hash) {numbers} SELECT 2 * i + 1, 1700000000000 + i, 'call_' || {d}, 'intent', \
     '{\"tool\":\"update_project\",\"effect\":\"write\",\"connection\":\"local\",\"principal\":\"local\",\"client\":\"fill\",\"target\":{\"kind\":\"project\",\
     \"name\":\"Project ' || {d} || '\"},\"arguments\":{\"project\":\"prj_' || {d} || '\"},\"impact\":{}}', '', '' FROM n",
    "INSERT INTO ledger (seq, at, call_id, entry, body, prev, hash) {numbers} SELECT 2 * i + 2, 1700000000000 + i, 'call_' || {d}, 'outcome', \
     CASE WHEN i % 100 = 7 THEN '{\"outcome\":\"failed\",\"reason\":\"no\"}' ELSE '{\"outcome\":\"done\"}' END, '', '' FROM n",
];

/// So many numbers are written by one statement.
const AT_ONCE: usize = 100_000;

/// Fills an empty directory.
///
/// # Errors
///
/// When the store cannot be written.
pub(crate) async fn directory(db: &Db, size: usize) -> Result<(), StoreError> {
    fill(db, DIRECTORY, size).await
}

/// Fills an empty store with what is kept of calls beside the ledger.
///
/// # Errors
///
/// When the store cannot be written.
pub(crate) async fn records(db: &Db, size: usize) -> Result<(), StoreError> {
    fill(db, RECORDS, size).await
}

/// Fills an empty ledger with so many rows, half of them intents, and one more.
///
/// # Errors
///
/// When the store cannot be written.
pub(crate) async fn ledger(db: &Db, rows: usize) -> Result<(), StoreError> {
    fill(db, LEDGER, rows / 2).await?;
    // The last row has its hash, and the ledger was checked up to it.
    let mut tx = db.begin().await?;
    tx.append("call_last", EntryKind::Answer, &serde_json::json!({ "answer": "approved" })).await?;
    let head = tx.texts("SELECT hash FROM ledger ORDER BY seq DESC LIMIT 1", &[]).await?.pop().unwrap_or_default();
    let rows = tx.ledger_rows().await?;
    tx.set_anchor(&Verification { rows, head, broken: None }).await?;
    tx.commit().await
}

async fn fill(db: &Db, statements: &[&str], size: usize) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    for sql in statements {
        let numbered = sql.contains("{numbers}");
        for first in (0..if numbered { size } else { 1 }).step_by(AT_ONCE) {
            let last = size.min(first + AT_ONCE) - 1;
            let numbers = format!("WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})");
            let sql = sql.replace("{numbers}", &numbers).replace("{d}", DIGITS).replace("{t}", TENTH).replace("{n}", &size.to_string());
            tx.run(&sql, &[] as &[Val]).await?;
        }
    }
    tx.commit().await
}

/// Tells the database how much there is of what.
///
/// # Errors
///
/// When the store cannot be written.
pub(crate) async fn analyze(db: &Db) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    if db.kind() == "sqlite" {
        tx.run("ANALYZE", &[]).await?;
    } else {
        // Of its own tables alone: a server may hold many stores.
        for table in tx.texts("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()", &[]).await? {
            tx.run(&format!("ANALYZE {table}"), &[]).await?;
        }
    }
    tx.commit().await
}
