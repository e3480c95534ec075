//! The demo company: what is planted, and that it hangs together.

use crate::support::{Agent, Options, Store, dump, json};
use rolecall::providers::local::seed::{SEEDS, seed};

/// Agents on the demo company, one per kind of store.
pub(crate) async fn planted() -> Vec<Agent> {
    let agents = Agent::each().await;
    for agent in &agents {
        seed(agent.db(), "acme").await.unwrap();
    }
    agents
}

/// An agent on the same store whose connection is kept to one organization.
pub(crate) async fn kept_to(agent: &Agent, organization: &str) -> Agent {
    agent.elsewhere(Options { pin: Some(organization.to_owned()), ..Options::default() }).await
}

async fn count(agent: &Agent, sql: &str) -> i64 {
    agent.db().read().await.unwrap().number(sql, &[]).await.unwrap()
}

#[tokio::test]
async fn the_demo_company_is_planted_as_a_whole() {
    for agent in Agent::each().await {
        let seeded = seed(agent.db(), "acme").await.unwrap();
        assert_eq!((seeded.organizations, seeded.people, seeded.teams, seeded.projects, seeded.api_keys), (3, 63, 9, 22, 17));
        for (table, rows) in [("organizations", 3), ("users", 63), ("teams", 9), ("projects", 22), ("api_keys", 17), ("logos", 3)] {
            assert_eq!(count(&agent, &format!("SELECT COUNT(*) FROM {table}")).await, rows, "{table}");
        }
        let empty: Vec<_> = agent.dump().await.into_iter().filter(|(_, rows)| rows.is_empty()).map(|it| it.0).collect();
        assert_eq!(empty, ["applied_calls"], "every table of the directory has something to show");
    }
}

/// What the schema cannot hold: each query counts rows that break a rule.
const RULES: &[(&str, &str)] = &[
    (
        "a project's member is not in its organization",
        "SELECT COUNT(*) FROM project_members m JOIN projects p ON p.id = m.project_id WHERE NOT EXISTS \
             (SELECT 1 FROM organization_members o WHERE o.organization_id = p.organization_id AND o.user_id = m.user_id)",
    ),
    (
        "a team's member is not in its organization",
        "SELECT COUNT(*) FROM team_members m JOIN teams t ON t.id = m.team_id WHERE NOT EXISTS \
             (SELECT 1 FROM organization_members o WHERE o.organization_id = t.organization_id AND o.user_id = m.user_id)",
    ),
    (
        "a project's member has no role there",
        "SELECT COUNT(*) FROM project_members m WHERE NOT EXISTS \
             (SELECT 1 FROM role_assignments a WHERE a.project_id = m.project_id AND a.user_id = m.user_id)",
    ),
    (
        "a project's team has no role there",
        "SELECT COUNT(*) FROM project_teams m WHERE NOT EXISTS \
             (SELECT 1 FROM role_assignments a WHERE a.project_id = m.project_id AND a.team_id = m.team_id)",
    ),
    (
        "somebody has a role in a project without being there",
        "SELECT COUNT(*) FROM role_assignments a WHERE a.project_id IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM project_members m WHERE m.project_id = a.project_id AND m.user_id = a.user_id) \
             AND NOT EXISTS (SELECT 1 FROM project_teams m WHERE m.project_id = a.project_id AND m.team_id = a.team_id)",
    ),
    (
        "an assignment's role is of another level or organization",
        "SELECT COUNT(*) FROM role_assignments a JOIN roles r ON r.id = a.role_id \
             WHERE r.level <> CASE WHEN a.project_id IS NULL THEN 'organization' ELSE 'project' END \
             OR (r.organization_id IS NOT NULL AND r.organization_id <> a.organization_id) \
             OR (r.project_id IS NOT NULL AND (a.project_id IS NULL OR r.project_id <> a.project_id))",
    ),
    (
        "an assignment is not of its project's organization",
        "SELECT COUNT(*) FROM role_assignments a JOIN projects p ON p.id = a.project_id WHERE p.organization_id <> a.organization_id",
    ),
    (
        "a membership's role is of another level or organization",
        "SELECT COUNT(*) FROM organization_members m JOIN roles r ON r.id = m.role_id \
             WHERE r.level <> 'organization' OR (r.organization_id IS NOT NULL AND r.organization_id <> m.organization_id)",
    ),
    ("a team's member has no team role", "SELECT COUNT(*) FROM team_members m JOIN roles r ON r.id = m.role_id WHERE r.level <> 'team'"),
    (
        "an invitation's role is not of the organization",
        "SELECT COUNT(*) FROM invitations i JOIN roles r ON r.id = i.role_id \
             WHERE r.level <> 'organization' OR (r.organization_id IS NOT NULL AND r.organization_id <> i.organization_id)",
    ),
    (
        "a pending invitation is for somebody who is in already",
        "SELECT COUNT(*) FROM invitations i JOIN users u ON u.email = i.email JOIN organization_members m ON m.user_id = u.id \
             AND m.organization_id = i.organization_id WHERE i.status = 'pending'",
    ),
    (
        "a project's or a member team is of another organization",
        "SELECT COUNT(*) FROM projects p LEFT JOIN project_teams x ON x.project_id = p.id JOIN teams t ON t.id = p.team_id \
             OR t.id = x.team_id WHERE t.organization_id <> p.organization_id",
    ),
    (
        "a service account's role is no project role",
        "SELECT COUNT(*) FROM service_accounts s JOIN roles r ON r.id = s.role_id WHERE r.level <> 'project'",
    ),
    (
        "a key's service account is of another project",
        "SELECT COUNT(*) FROM api_keys k JOIN service_accounts s ON s.id = k.service_account_id WHERE s.project_id <> k.project_id",
    ),
    (
        "a scope has two active usage limits",
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM usage_limits WHERE active GROUP BY organization_id, project_id HAVING COUNT(*) > 1) AS x",
    ),
    (
        "a certificate is active in another organization's project",
        "SELECT COUNT(*) FROM certificate_activations a JOIN certificates c ON c.id = a.certificate_id \
             JOIN projects p ON p.id = a.project_id WHERE p.organization_id <> c.organization_id",
    ),
    ("an address is not an example", "SELECT COUNT(*) FROM users WHERE email NOT LIKE '%.example'"),
    (
        "an archived project does not say since when",
        "SELECT COUNT(*) FROM projects WHERE (status = 'archived') <> (archived_at IS NOT NULL)",
    ),
    (
        "an organization has no owner",
        "SELECT COUNT(*) FROM organizations o WHERE NOT EXISTS \
             (SELECT 1 FROM organization_members m WHERE m.organization_id = o.id AND m.role_id = 'role_organization_owner')",
    ),
    (
        "a project has no owner",
        "SELECT COUNT(*) FROM projects p WHERE NOT EXISTS \
             (SELECT 1 FROM role_assignments a WHERE a.project_id = p.id AND a.role_id = 'role_project_owner')",
    ),
];

#[tokio::test]
async fn everything_in_the_demo_company_hangs_together() {
    for agent in planted().await {
        for (broken, sql) in RULES {
            assert_eq!(count(&agent, sql).await, 0, "{broken}");
        }
        let logos: Vec<(String, String, i64, i64, Vec<u8>)> =
            agent.db().read().await.unwrap().all("SELECT owner_id, media_type, width, height, content FROM logos", &[]).await.unwrap();
        for (owner, media_type, width, height, content) in logos {
            let size = imagesize::blob_size(&content).unwrap();
            assert_eq!((size.width, size.height), (width.try_into().unwrap(), height.try_into().unwrap()), "{owner}");
            let kind = imagesize::image_type(&content).unwrap();
            assert_eq!(media_type == "image/png", kind == imagesize::ImageType::Png, "{owner} is a {kind:?}");
        }
    }
}

#[tokio::test]
async fn the_demo_company_has_what_a_review_should_find() {
    let now = chrono::Utc::now().timestamp_millis();
    for agent in planted().await {
        let mut db = agent.db().read().await.unwrap();
        let sole = "SELECT p.name FROM projects p JOIN role_assignments a ON a.project_id = p.id AND a.role_id = 'role_project_owner' \
                    GROUP BY p.name, p.id HAVING COUNT(*) = 1 AND MAX(a.user_id) = 'usr_ana' ORDER BY p.name";
        assert_eq!(db.texts(sole, &[]).await.unwrap(), ["Atlas", "Borealis"]);
        let one_owner = "SELECT o.name FROM organizations o JOIN organization_members m ON m.organization_id = o.id \
                         AND m.role_id = 'role_organization_owner' GROUP BY o.name HAVING COUNT(*) = 1";
        assert_eq!(db.texts(one_owner, &[]).await.unwrap(), ["Northwind Traders"]);
        let left = "SELECT u.email FROM users u WHERE u.id NOT IN (SELECT user_id FROM organization_members)";
        assert_eq!(db.texts(left, &[]).await.unwrap(), ["viktor.hale@acme.example"]);
        let expired = format!("SELECT email FROM invitations WHERE status = 'pending' AND expires_at < {now}");
        assert_eq!(db.texts(&expired, &[]).await.unwrap(), ["milan.kovac@acme.example"]);
        let orphans = "SELECT name FROM api_keys WHERE user_id IS NULL AND service_account_id IS NULL";
        assert_eq!(db.texts(orphans, &[]).await.unwrap(), ["old-migration"]);
        let blocked = "SELECT name FROM api_keys WHERE status = 'blocked'";
        assert_eq!(db.texts(blocked, &[]).await.unwrap(), ["notebook"]);
        let expired = format!("SELECT name FROM api_keys WHERE expires_at < {now}");
        assert_eq!(db.texts(&expired, &[]).await.unwrap(), ["temporary-audit"]);
        assert!(db.number("SELECT COUNT(*) FROM api_keys WHERE last_used_at IS NULL", &[]).await.unwrap() >= 3);
    }
}

#[tokio::test]
async fn every_project_of_the_demo_company_can_be_found_by_its_name() {
    let agent = planted().await.remove(0);
    let ambiguous = agent.fails("get_project", json!({ "project": "Helpdesk" }), "ambiguous_project").await;
    assert_eq!(ambiguous["candidates"].as_array().map(Vec::len), Some(2), "{ambiguous}");
    let projects = agent.ok("list_projects", json!({ "include_archived": true, "limit": 100 })).await;
    assert_eq!(projects["total"], 22, "{projects}");
    for project in projects["items"].as_array().unwrap().iter().filter(|it| it["project"] != "Helpdesk") {
        for key in ["project", "slug", "id"] {
            let found = agent.ok("get_project", json!({ "project": project[key] })).await;
            assert_eq!(found["id"], project["id"], "{project}");
        }
    }
}

#[tokio::test]
async fn a_directory_that_is_not_empty_is_left_alone() {
    for agent in planted().await {
        let before = agent.dump().await;
        let error = seed(agent.db(), "acme").await.unwrap_err();
        assert_eq!(error.code(), "directory_not_empty", "{error}");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn an_unknown_seed_is_answered_with_those_there_are() {
    let store = Store::sqlite();
    let db = rolecall::store::Db::open(&store.url).await.unwrap();
    let error = seed(&db, "globex").await.unwrap_err();
    assert_eq!(error.code(), "seed_not_found");
    for (name, _) in SEEDS {
        assert!(error.fix().contains(name), "{}", error.fix());
    }
    assert_eq!(dump(&db, &["organizations"]).await["organizations"], "");
}

/// Every tool that reads has an answer for everything there is, with something in it where the demo company has it.
#[tokio::test]
async fn every_list_of_the_demo_company_can_be_read() {
    for agent in planted().await {
        for organization in ["acme", "acme-labs", "northwind-traders"] {
            let pinned = kept_to(&agent, organization).await;
            for tool in ["list_organization_members", "list_invitations", "list_teams", "list_projects", "list_roles"] {
                let list = pinned.ok(tool, json!({ "organization": organization, "limit": 100 })).await;
                assert!(list["shown"].as_u64() > Some(0), "{tool} {organization}: {list}");
            }
            for team in pinned.ok("list_teams", json!({})).await["items"].as_array().unwrap() {
                let list = pinned.ok("list_team_members", json!({ "team": team["id"] })).await;
                assert!(list["shown"].as_u64() > Some(1), "{team}: {list}");
            }
            for project in pinned.ok("list_projects", json!({ "include_archived": true, "limit": 100 })).await["items"].as_array().unwrap()
            {
                let of_project = json!({ "project": project["id"] });
                let people = pinned.ok("list_project_members", of_project.clone()).await;
                assert!(people["shown"].as_u64() > Some(0), "{project}: {people}");
                for tool in ["list_service_accounts", "list_api_keys", "list_project_teams", "list_project_resources", "list_rate_limits"] {
                    pinned.ok(tool, of_project.clone()).await;
                }
                for tool in ["list_usage_limits", "list_certificates", "list_roles", "get_project"] {
                    pinned.ok(tool, of_project.clone()).await;
                }
            }
        }
        let keys = agent.ok("list_api_keys", json!({ "project": "Atlas", "owner": "inactive" })).await;
        assert!(keys.to_string().contains("old-migration"), "{keys}");
        let keys = agent.ok("list_api_keys", json!({ "project": "Ember", "owner": "inactive" })).await;
        assert!(keys.to_string().contains("weekly-report"), "{keys}");
        let policies = agent.ok("get_runtime_policies", json!({ "organization": "Acme" })).await;
        assert_eq!(policies["policies"].as_array().map(Vec::len), Some(2), "{policies}");
        agent.ok("get_logo", json!({ "of": "organization", "target": "Northwind Traders" })).await;
        let roles = agent.ok("list_role_assignments", json!({ "member": "chidi.okonjo@acme.example", "project": "Atlas" })).await;
        assert!(roles.to_string().contains("release manager"), "{roles}");
    }
}

#[tokio::test]
async fn losing_the_sole_owner_of_two_projects_is_said_before() {
    let agent = planted().await.remove(0);
    let wanted = json!({ "member": "ana.ruiz@acme.example", "organization": "Acme", "dry_run": true });
    let preview = agent.ok("remove_organization_member", wanted).await;
    let impact = preview["impact"].to_string();
    assert!(impact.contains("Atlas") && impact.contains("Borealis"), "{preview}");
}
