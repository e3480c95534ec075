//! OpenAI: every item comes exactly once, or an error says that the list cannot be trusted; whatever the service says of its
//! pages, and whoever deletes things meanwhile.

use std::collections::BTreeSet;

use proptest::{prelude::*, test_runner::TestRunner};
use rolecall_sandbox::{
    Platform as _, Seed,
    openai::{Openai, Pages},
};

use crate::{
    support::{Value, json},
    support_openai::{Company, each},
};

const PAGES: [Pages; 5] = [Pages::Honest, Pages::MoreWithoutCursor, Pages::EndWithEmptyPage, Pages::RepeatCursor, Pages::SayNothing];

/// A list of each style, and a list that is read whole.
#[derive(Debug, Clone, Copy)]
struct Paged {
    tool: &'static str,
    arguments: fn() -> Value,
    field: &'static str,
    create: &'static str,
    body: fn(u16) -> Value,
    /// Where an item is deleted; empty where that cannot be.
    delete: &'static str,
}

const LISTS: [Paged; 4] = [
    Paged {
        tool: "list_projects",
        arguments: || json!({}),
        field: "id",
        create: "/organization/projects",
        body: |it| json!({ "name": format!("P {it}") }),
        delete: "",
    },
    Paged {
        tool: "list_teams",
        arguments: || json!({}),
        field: "id",
        create: "/organization/groups",
        body: |it| json!({ "name": format!("G {it}") }),
        delete: "/organization/groups",
    },
    Paged {
        tool: "list_invitations",
        arguments: || json!({}),
        field: "id",
        create: "/organization/invites",
        body: |it| json!({ "email": format!("n{it}@acme.example"), "role": "reader", "projects": [] }),
        delete: "/organization/invites",
    },
    Paged {
        tool: "list_roles",
        arguments: || json!({ "project": "proj_default" }),
        field: "id",
        create: "/projects/proj_default/roles",
        body: |it| json!({ "role_name": format!("r {it}"), "permissions": [] }),
        delete: "/projects/proj_default/roles",
    },
];

#[derive(Debug, Clone)]
struct Story {
    list: usize,
    pages: usize,
    limit: usize,
    count: u16,
    /// After each page: which of the items goes, counted from the first.
    deletions: Vec<u16>,
}

fn story() -> impl Strategy<Value = Story> {
    let deletions = proptest::collection::vec(0..40_u16, 0..12);
    (0..LISTS.len(), 0..PAGES.len(), prop_oneof![1..6_usize, 1..=100_usize], 0..40_u16, deletions)
        .prop_map(|(list, pages, limit, count, deletions)| Story { list, pages, limit, count, deletions })
}

/// Puts an empty organization in the place of what was there, with these items in it; their ids.
fn begin(company: &Company, list: Paged, count: u16) -> Vec<String> {
    *company.sandbox.platform() = Openai::seeded(Seed::Empty);
    (0..count).map(|it| company.directly("POST", list.create, &(list.body)(it))["id"].as_str().unwrap().to_owned()).collect()
}

async fn check(company: &Company, story: &Story) -> Result<(), TestCaseError> {
    let list = LISTS[story.list];
    let all = begin(company, list, story.count);
    company.sandbox.platform().quirks.pages = PAGES[story.pages];
    let mut always: BTreeSet<&String> = all.iter().collect();
    let mut deletions = story.deletions.iter();
    let (mut seen, mut cursor, mut whole) = (Vec::new(), None::<Value>, false);
    for _ in 0..200 {
        let mut call = (list.arguments)();
        call["limit"] = json!(story.limit);
        if let Some(cursor) = cursor.take() {
            call["cursor"] = cursor;
        }
        let page = company.agent.call(list.tool, call).await;
        if page.get("code").is_some() {
            prop_assert_eq!(&page["code"], "broken_list", "{}", page);
            break;
        }
        prop_assert!(page["shown"].as_u64() <= Some(story.limit as u64));
        seen.extend(each(&page, list.field));
        for number in deletions.by_ref().take(2).filter(|_| !list.delete.is_empty()) {
            let gone = all.get(usize::from(*number)).filter(|it| always.contains(it));
            if let Some(id) = gone {
                always.remove(id);
                company.directly("DELETE", &format!("{}/{id}", list.delete), &Value::Null);
            }
        }
        cursor = page.get("next_cursor").cloned();
        whole = cursor.is_none();
        if whole {
            break;
        }
    }
    let once: BTreeSet<&String> = seen.iter().collect();
    prop_assert_eq!(once.len(), seen.len(), "an item came twice: {:?}", seen);
    if whole {
        prop_assert!(always.iter().all(|it| once.contains(*it)), "items were left out: {:?} of {:?}", seen, always);
    }
    // Only lies that would hide items end in an error.
    let honest = matches!(PAGES[story.pages], Pages::Honest | Pages::EndWithEmptyPage | Pages::SayNothing);
    prop_assert!(whole || !honest, "an honest list was not read to its end");
    Ok(())
}

#[test]
fn every_item_comes_exactly_once_or_the_list_is_said_to_be_broken() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let company = runtime.block_on(Company::new());
    let config = ProptestConfig { cases: 96, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() };
    TestRunner::new(config).run(&story(), |story| runtime.block_on(check(&company, &story))).unwrap();
}

/// Lists that are read whole, page by page of a hundred, while somebody deletes.
#[test]
fn a_list_that_is_read_whole_has_every_item_once_while_others_delete() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let company = runtime.block_on(Company::new());
    let stories = (0..PAGES.len(), 0..260_u16, proptest::collection::btree_set(0..260_usize, 0..3));
    let config = ProptestConfig { cases: 12, failure_persistence: None, max_shrink_iters: 50, ..ProptestConfig::default() };
    let check = async |(pages, count, deletions): (usize, u16, BTreeSet<usize>)| {
        let all = begin(&company, LISTS[2], count);
        let gone: BTreeSet<&String> = deletions.iter().filter_map(|it| all.get(*it)).collect();
        {
            let quirks = &mut company.sandbox.platform().quirks;
            quirks.pages = PAGES[pages];
            quirks.meanwhile = gone.iter().map(|id| format!("DELETE /v1/organization/invites/{id}")).collect();
        }
        let mut seen = Vec::new();
        let mut cursor = json!({});
        loop {
            let mut call = json!({ "status": "pending", "limit": 100 });
            call.as_object_mut().unwrap().extend(cursor.as_object().unwrap().clone());
            let page = company.agent.call("list_invitations", call).await;
            if page.get("code").is_some() {
                prop_assert_eq!(&page["code"], "broken_list", "{}", page);
                let lies = matches!(PAGES[pages], Pages::MoreWithoutCursor | Pages::RepeatCursor);
                prop_assert!(lies && count > 0, "{}", page);
                return Ok(());
            }
            seen.extend(each(&page, "id"));
            match page.get("next_cursor") {
                Some(next) => cursor = json!({ "cursor": next }),
                None => break,
            }
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        prop_assert_eq!(once.len(), seen.len());
        prop_assert!(all.iter().all(|it| once.contains(it) || gone.contains(it)), "items were left out");
        Ok(())
    };
    TestRunner::new(config).run(&stories, |story| runtime.block_on(check(story))).unwrap();
}
