//! Reviews of who holds what.

use serde_json::Value;

use rolecall::{domain::ReviewLimits, guard::GuardSettings};

use crate::{
    company,
    practice::{Everywhere, Provider, World},
    support::{Agent, Options, json},
};

/// What was found by a rule: subject and place.
fn found(review: &Value, rule: &str) -> Vec<String> {
    let of_rule = review["items"].as_array().unwrap().iter().filter(|it| it["rule"] == rule);
    of_rule.map(|it| format!("{} @ {}", it["subject"].as_str().unwrap(), it["place"].as_str().unwrap_or_default())).collect()
}

fn count(review: &Value, rule: &str) -> u64 {
    let rules = review["rules"].as_array().unwrap();
    rules.iter().find(|it| it["rule"] == rule).map_or(0, |it| it["count"].as_u64().unwrap())
}

/// The calls that mend what a rule found, as steps.
fn mends(review: &Value, rule: &str) -> Vec<Value> {
    let of_rule = review["items"].as_array().unwrap().iter().filter(|it| it["rule"] == rule);
    of_rule.filter_map(|it| it.get("mend").cloned()).collect()
}

/// All pages as one.
async fn whole(agent: &Agent, mut arguments: Value) -> Value {
    let mut whole = agent.ok("review_access", arguments.clone()).await;
    while !whole["next_cursor"].is_null() {
        arguments["cursor"] = whole["next_cursor"].clone();
        let next = agent.ok("review_access", arguments.clone()).await;
        whole["next_cursor"] = next["next_cursor"].clone();
        whole["items"].as_array_mut().unwrap().extend(next["items"].as_array().unwrap().clone());
    }
    whole
}

async fn acme(agent: &Agent, arguments: Value) -> Value {
    let mut arguments = arguments;
    arguments["organization"] = json!("Acme");
    whole(agent, arguments).await
}

#[tokio::test]
async fn a_review_of_the_practice_company_finds_what_was_hidden_in_it() {
    let world = World::of(Provider::Local, Options::default()).await;
    let review = acme(&world.agent, json!({})).await;
    let one_owner = found(&review, "one_owner");
    for place in ["Atlas @ project Atlas", "Borealis @ project Borealis"] {
        assert!(one_owner.contains(&place.to_owned()), "{one_owner:?}");
    }
    assert_eq!(found(&review, "key_of_nobody")[0], "old-migration @ project Atlas", "{review}");
    assert!(found(&review, "key_without_access").contains(&"weekly-report @ project Ember".to_owned()), "{review}");
    assert!(found(&review, "key_never_used").contains(&"spare @ project Cobalt".to_owned()), "{review}");
    let evidence = review["items"].as_array().unwrap().iter().find(|it| it["subject"] == "Atlas").unwrap();
    assert!(evidence["evidence"].as_str().unwrap().starts_with("ana.ruiz@acme.example alone owns it"), "{evidence}");
    let weights: Vec<&str> = review["items"].as_array().unwrap().iter().map(|it| it["weight"].as_str().unwrap()).collect();
    let order = |it: &&str| ["high", "medium", "low"].iter().position(|weight| weight == it).unwrap();
    assert!(weights.iter().map(order).is_sorted(), "{weights:?}");
    let counted: u64 = review["rules"].as_array().unwrap().iter().map(|it| it["count"].as_u64().unwrap()).sum();
    assert_eq!(json!(counted), review["total"]);
    let blocked = review["items"].as_array().unwrap().iter().any(|it| it["subject"] == "notebook" && it["rule"] != "key_of_nobody");
    assert!(!blocked, "a blocked key does no harm: {review}");
}

#[tokio::test]
async fn every_call_that_mends_a_finding_does_so() {
    let world = World::of(Provider::Local, Options::default()).await;
    let agent = &world.agent;
    let before = acme(agent, json!({})).await;
    let rules: Vec<String> = before["rules"].as_array().unwrap().iter().map(|it| it["rule"].as_str().unwrap().to_owned()).collect();
    assert!(rules.len() >= 6, "{rules:?}");
    for rule in rules.iter().filter(|it| *it != "owns_many") {
        let now = acme(agent, json!({ "rule": rule })).await;
        let steps = mends(&now, rule);
        if steps.is_empty() {
            continue;
        }
        assert_eq!(steps.len() as u64, count(&now, rule), "each of {rule} can be mended: {now}");
        agent.ok("apply_changes", json!({ "steps": steps })).await;
        let mut after = acme(agent, json!({ "rule": rule })).await;
        // What another step has changed in between is not done on an old yes.
        if count(&after, rule) > 0 && rule != "one_owner" {
            agent.ok("apply_changes", json!({ "steps": mends(&after, rule) })).await;
            after = acme(agent, json!({ "rule": rule })).await;
        }
        if rule != "one_owner" && rule != "invitation_ran_out" {
            assert_eq!(count(&after, rule), 0, "{rule}: {after}");
        }
    }
}

#[tokio::test]
async fn what_somebody_alone_owns_and_who_owns_many_is_one_call() {
    for agent in Agent::each().await {
        company::acme(&agent, &["ana", "bo"]).await;
        company::owned(&agent).await;
        for name in ["One", "Two", "Three", "Four"] {
            agent.ok("create_project", json!({ "name": name, "admin_email": company::email("ana") })).await;
        }
        company::join(&agent, "Two", "bo", &["owner"]).await;
        agent.ok("create_project", json!({ "name": "Empty" })).await;
        let review = acme(&agent, json!({})).await;
        assert_eq!(found(&review, "owns_many"), ["ana@acme.example @ "], "{review}");
        let many = review["items"].as_array().unwrap().iter().find(|it| it["rule"] == "owns_many").unwrap();
        assert_eq!(many["evidence"], "owns 4 projects: Four, One, Three, Two; alone: Four, One, Three", "{many}");
        assert_eq!(found(&review, "no_owner"), ["Empty @ project Empty"], "{review}");
        let of_bo = acme(&agent, json!({ "member": "bo@acme.example" })).await;
        assert_eq!(of_bo["total"], 0, "{of_bo}");
        let of_ana = acme(&agent, json!({ "member": "ana" })).await;
        assert_eq!((count(&of_ana, "one_owner"), count(&of_ana, "owns_many")), (3, 1), "{of_ana}");
        let of_one = agent.ok("review_access", json!({ "project": "One" })).await;
        assert_eq!(found(&of_one, "one_owner"), ["One @ project One"], "{of_one}");
        assert_eq!(of_one["total"], 1, "{of_one}");
        agent.fails("review_access", json!({ "member": "nobody@acme.example" }), "member_not_found").await;
        agent.fails("review_access", json!({ "project": "Nowhere" }), "project_not_found").await;
        let wrong = agent.fails("review_access", json!({ "rule": "everything" }), "invalid_arguments").await;
        assert!(wrong["fix"].as_str().unwrap().contains("one_owner"), "{wrong}");
    }
}

#[tokio::test]
async fn outsiders_with_power_roles_of_nobody_and_the_same_access_twice_are_found() {
    for agent in Agent::each().await {
        company::acme(&agent, &["ana", "bo", "cem"]).await;
        company::owned(&agent).await;
        agent.ok("create_user", json!({ "email": "eve@rival.example", "name": "Eve", "organization": "Acme" })).await;
        agent.ok("create_project", json!({ "name": "Atlas", "admin_email": company::email("ana") })).await;
        agent.ok("add_project_member", json!({ "project": "Atlas", "member": "eve@rival.example", "roles": ["owner"] })).await;
        company::team(&agent, "Data", &["bo"]).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "member" })).await;
        company::join(&agent, "Atlas", "bo", &["member"]).await;
        agent.ok("create_role", json!({ "name": "Idle", "permissions": ["projects.read"], "organization": "Acme" })).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "ci", "without_key": true })).await;
        let review = acme(&agent, json!({})).await;
        assert_eq!(found(&review, "outside_power"), ["eve@rival.example @ project Atlas"], "{review}");
        assert_eq!(found(&review, "same_access_twice"), ["bo@acme.example @ project Atlas"], "{review}");
        assert_eq!(found(&review, "role_without_holder"), ["Idle @ organization Acme"], "{review}");
        assert_eq!(found(&review, "account_without_key"), ["ci @ project Atlas"], "{review}");
        agent.ok("create_role", json!({ "name": "Mapper", "permissions": ["project.read"], "project": "Atlas" })).await;
        let of_atlas = agent.ok("review_access", json!({ "project": "Atlas" })).await;
        assert_eq!(found(&of_atlas, "role_without_holder"), ["Mapper @ project Atlas"], "{of_atlas}");
        let steps: Vec<Value> = ["outside_power", "same_access_twice", "role_without_holder", "account_without_key"]
            .iter()
            .flat_map(|rule| mends(&review, rule))
            .collect();
        assert_eq!(steps.len(), 4, "{review}");
        agent.ok("apply_changes", json!({ "steps": steps })).await;
        let after = acme(&agent, json!({})).await;
        for rule in ["outside_power", "same_access_twice", "role_without_holder", "account_without_key"] {
            assert_eq!(count(&after, rule), 0, "{after}");
        }
        let bo = agent.ok("get_project_member", json!({ "project": "Atlas", "member": company::email("bo") })).await;
        assert_eq!(bo["via_team"], "Data", "he keeps what the team gives: {bo}");
    }
}

#[tokio::test]
async fn a_review_that_is_kept_says_what_is_new_and_what_was_mended() {
    for agent in Agent::each().await {
        company::acme(&agent, &["ana", "bo"]).await;
        company::owned(&agent).await;
        for name in ["Atlas", "Borealis"] {
            agent.ok("create_project", json!({ "name": name, "admin_email": company::email("ana") })).await;
        }
        let first = acme(&agent, json!({ "keep": true })).await;
        assert!(first.get("compared").is_none() && first["kept_at"].is_string(), "{first}");
        let same = acme(&agent, json!({})).await;
        assert_eq!(same["compared"]["says"], "0 new, 0 mended", "{same}");
        company::join(&agent, "Atlas", "bo", &["owner"]).await;
        company::key_of(&agent, "Atlas", "bo", "laptop").await;
        let next = acme(&agent, json!({})).await;
        assert_eq!(next["compared"]["mended"], 1, "{next}");
        assert_eq!(next["compared"]["no_longer"], json!(["one_owner Atlas in project Atlas"]), "{next}");
        assert!(next["compared"]["new"].as_u64() >= Some(1), "{next}");
        let new: Vec<&Value> = next["items"].as_array().unwrap().iter().filter(|it| it["new"] == true).map(|it| &it["subject"]).collect();
        assert!(new.iter().all(|it| **it == "laptop"), "{next}");
        // Another scope was never kept.
        let other = agent.ok("review_access", json!({ "project": "Atlas" })).await;
        assert!(other.get("compared").is_none(), "{other}");
    }
}

#[tokio::test]
async fn an_auditor_gets_a_table_as_csv_or_markdown() {
    let world = World::of(Provider::Local, Options::default()).await;
    let plain = acme(&world.agent, json!({})).await;
    let csv = acme(&world.agent, json!({ "format": "csv" })).await;
    let report = csv["report"].as_str().unwrap();
    assert!(report.starts_with("weight,rule,account,place,subject,id,evidence,new,tool,arguments\n"), "{report}");
    assert_eq!(json!(report.lines().count() - 1), plain["total"]);
    assert!(report.contains("high,key_of_nobody,local,project Atlas,old-migration,key_atlas_migration,"), "{report}");
    let markdown = acme(&world.agent, json!({ "format": "markdown" })).await;
    let report = markdown["report"].as_str().unwrap();
    assert!(report.starts_with("# Access review of "), "{report}");
    assert!(report.contains("| high | key_of_nobody | local | project Atlas | old-migration | nobody owns it"), "{report}");
}

#[tokio::test]
async fn pages_of_a_review_hold_each_finding_once() {
    let agent = Agent::new().await;
    company::acme(&agent, &["ana"]).await;
    company::owned(&agent).await;
    let steps: Vec<Value> = (0..60)
        .map(|it| json!({ "tool": "create_project", "arguments": { "name": format!("P {it:02}"), "admin_email": company::email("ana") } }))
        .collect();
    agent.ok("apply_changes", json!({ "steps": steps })).await;
    let first = agent.ok("review_access", json!({ "organization": "Acme", "rule": "one_owner" })).await;
    assert_eq!((&first["shown"], &first["total"], &first["has_more"]), (&json!(50), &json!(61), &json!(true)));
    let all = acme(&agent, json!({ "rule": "one_owner" })).await;
    let mut once = found(&all, "one_owner");
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 61);
}

#[tokio::test]
async fn a_review_of_all_accounts_says_where_each_finding_is_and_what_was_not_seen() {
    let everywhere = Everywhere::new().await;
    let review = whole(&everywhere.agent, json!({})).await;
    let items = review["items"].as_array().unwrap();
    assert!(items.iter().all(|it| it["connection"].is_string()));
    for account in ["practice", "globant", "openai", "vision", "lab"] {
        let mine = items.iter().any(|it| it["connection"] == account);
        let untold = review["unseen"].as_array().unwrap().iter().any(|it| it.as_str().unwrap().starts_with(account));
        assert!(mine || untold, "{account}: {review}");
    }
    let unseen = review["unseen"].to_string();
    assert!(unseen.contains("globant: whose a key is") && unseen.contains("vision: API keys of other people"), "{unseen}");
    assert!(review.get("failed").is_none(), "{review}");
    let mend = items.iter().find(|it| it.get("mend").is_some() && it["connection"] == "openai").unwrap();
    assert_eq!(mend["mend"]["arguments"]["connection"], "openai", "{mend}");
    let one = whole(&everywhere.agent, json!({ "connection": "lab" })).await;
    assert_eq!(one["connection"], "lab", "{one}");
    let mend = one["items"].as_array().unwrap().iter().find_map(|it| it.get("mend")).unwrap();
    assert_eq!(mend["arguments"]["connection"], "lab", "a step has to name it: {one}");
}

#[tokio::test]
async fn a_review_changes_nothing_at_any_service() {
    for provider in [Provider::Local, Provider::Geai, Provider::Openai, Provider::Seeme, Provider::Engine] {
        let world = World::of(provider, Options::default()).await;
        let before = world.state().await;
        let review = world.agent.ok("review_access", json!({})).await;
        assert!(review["total"].as_u64() > Some(0), "{provider:?}: {review}");
        assert_eq!(world.state().await, before, "{provider:?}");
    }
}

#[tokio::test]
async fn what_counts_as_long_and_how_much_is_told_at_once_is_the_operators_to_say() {
    let limits = ReviewLimits { unused_days: 5000, new_days: 5000, old_days: 1, owned_projects: 1, page: 3 };
    let guard = GuardSettings { review: limits, ..GuardSettings::default() };
    let world = World::of(Provider::Local, Options { guard, ..Options::default() }).await;
    let first = world.agent.ok("review_access", json!({ "organization": "Acme" })).await;
    assert_eq!((&first["shown"], &first["has_more"]), (&json!(3), &json!(true)), "{first}");
    let review = acme(&world.agent, json!({})).await;
    assert_eq!((count(&review, "key_never_used"), count(&review, "key_unused")), (0, 0), "{}", review["rules"]);
    assert!(found(&review, "owns_many").contains(&"ana.ruiz@acme.example @ ".to_owned()), "{review}");
    let usual = World::of(Provider::Local, Options::default()).await;
    let usual = acme(&usual.agent, json!({})).await;
    assert!(count(&review, "key_old") > count(&usual, "key_old") && count(&usual, "owns_many") == 0, "{}", review["rules"]);
}
