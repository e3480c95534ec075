//! Pages: every item that is there throughout comes exactly once, whatever comes and goes in between.

use std::collections::BTreeSet;

use proptest::{prelude::*, test_runner::TestRunner};
use rolecall::store::Val;

use crate::{
    company::acme,
    support::{Agent, Value, json},
};

/// A list to walk through, over rows that a test can write without asking.
#[derive(Debug, Clone, Copy)]
struct Paged {
    tool: &'static str,
    arguments: fn() -> Value,
    insert: &'static [&'static str],
    delete: &'static [&'static str],
}

/// The item numbered `$1`; names sort otherwise than numbers, and some names are the same but for their case.
const LISTS: [Paged; 4] = [
    Paged {
        tool: "list_projects",
        arguments: || json!({}),
        insert: &["INSERT INTO projects (id, organization_id, name, name_key, slug, status, created_at) \
                   SELECT 'x' || $1, id, 'N' || $1, 'n' || $1, 'n-' || $1, 'active', 0 FROM organizations"],
        delete: &["DELETE FROM projects WHERE id = 'x' || $1"],
    },
    Paged {
        tool: "list_teams",
        arguments: || json!({}),
        insert: &["INSERT INTO teams (id, organization_id, name, name_key, slug, created_at) \
                   SELECT 'x' || $1, id, 'N' || $1, 'n' || $1, 'n-' || $1, 0 FROM organizations"],
        delete: &["DELETE FROM teams WHERE id = 'x' || $1"],
    },
    Paged {
        tool: "list_team_members",
        arguments: || json!({ "team": "Night" }),
        insert: &[
            "INSERT INTO users (id, email, name, name_key, created_at) VALUES ('x' || $1, 'n' || $1 || '@acme.example', 'N', 'n', 0)",
            "INSERT INTO team_members (team_id, user_id, role_id, joined_at) \
             SELECT id, 'x' || $1, 'role_team_member', 0 FROM teams WHERE slug = 'night'",
        ],
        delete: &["DELETE FROM team_members WHERE user_id = 'x' || $1", "DELETE FROM users WHERE id = 'x' || $1"],
    },
    Paged {
        tool: "list_project_members",
        arguments: || json!({ "project": "Atlas" }),
        insert: &[
            "INSERT INTO users (id, email, name, name_key, created_at) VALUES ('x' || $1, 'n' || $1 || '@acme.example', 'N', 'n', 0)",
            "INSERT INTO project_members (project_id, user_id, joined_at) SELECT id, 'x' || $1, 0 FROM projects WHERE slug = 'atlas'",
        ],
        delete: &["DELETE FROM project_members WHERE user_id = 'x' || $1", "DELETE FROM users WHERE id = 'x' || $1"],
    },
];

async fn run(agent: &Agent, statements: &[&str], numbers: &[u16]) {
    let mut tx = agent.db().recording().begin().await.unwrap();
    for number in numbers {
        for sql in statements {
            tx.run(sql, &[Val::from(number.to_string())]).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

/// Items at the start, and what comes and goes after each page.
#[derive(Debug, Clone)]
struct Story {
    list: usize,
    limit: usize,
    start: BTreeSet<u16>,
    changes: Vec<(u16, bool)>,
}

fn story() -> impl Strategy<Value = Story> {
    let start = proptest::collection::btree_set(0..200_u16, 0..40);
    let changes = proptest::collection::vec((0..200_u16, any::<bool>()), 0..20);
    (0..LISTS.len(), prop_oneof![1..8_usize, 1..=100_usize], start, changes).prop_map(|(list, limit, start, changes)| Story {
        list,
        limit,
        start,
        changes,
    })
}

/// Walks through all pages while items come and go.
async fn check(agent: &Agent, story: &Story) -> Result<(), TestCaseError> {
    let list = LISTS[story.list];
    let all: Vec<u16> = story.start.iter().copied().collect();
    run(agent, list.insert, &all).await;
    let (mut there, mut always, mut ever) = (story.start.clone(), story.start.clone(), story.start.clone());
    let mut changes = story.changes.iter();
    let (mut seen, mut cursor) = (Vec::new(), None::<Value>);
    loop {
        let mut call = (list.arguments)();
        call["limit"] = json!(story.limit);
        if let Some(cursor) = &cursor {
            call["cursor"] = cursor.clone();
        }
        let page = agent.ok(list.tool, call).await;
        let items = page["items"].as_array().unwrap();
        prop_assert_eq!(page["shown"].as_u64(), Some(items.len() as u64));
        prop_assert_eq!(
            page["total"].as_u64(),
            Some(there.len() as u64 + u64::from(list.tool == "list_projects") + u64::from(list.tool == "list_teams"))
        );
        prop_assert!(items.len() <= story.limit);
        prop_assert_eq!(page["has_more"].as_bool(), Some(page.get("next_cursor").is_some()));
        prop_assert!(page["has_more"] == json!(false) || items.len() == story.limit);
        seen.extend(items.iter().filter_map(|it| it["id"].as_str().unwrap().strip_prefix('x')).map(|it| it.parse::<u16>().unwrap()));
        for (number, comes) in changes.by_ref().take(3) {
            if *comes && there.insert(*number) {
                ever.insert(*number);
                run(agent, list.insert, &[*number]).await;
            } else if !*comes && there.remove(number) {
                always.remove(number);
                run(agent, list.delete, &[*number]).await;
            }
        }
        match page.get("next_cursor") {
            Some(next) => cursor = Some(next.clone()),
            None => break,
        }
    }
    run(agent, list.delete, &there.iter().copied().collect::<Vec<_>>()).await;
    let once: BTreeSet<u16> = seen.iter().copied().collect();
    prop_assert!(once.is_subset(&ever), "items that never were: {:?}", once.difference(&ever));
    prop_assert!(always.is_subset(&once), "items that were left out: {:?}", always.difference(&once));
    // Who left and came back between two pages is at the same place again, and so is not seen twice either.
    prop_assert_eq!(once.len(), seen.len(), "an item came twice: {:?}", seen);
    Ok(())
}

#[test]
fn every_item_comes_exactly_once_for_any_page_size_while_others_come_and_go() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let agents = runtime.block_on(async {
        let agents = Agent::each().await;
        for agent in &agents {
            acme(agent, &[]).await;
            agent.ok("create_project", json!({ "name": "Atlas" })).await;
            agent.ok("create_team", json!({ "name": "Night" })).await;
        }
        agents
    });
    let config = ProptestConfig { cases: 48, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() };
    for agent in agents {
        TestRunner::new(config.clone()).run(&story(), |story| runtime.block_on(check(&agent, &story))).unwrap();
    }
}
