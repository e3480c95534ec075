//! Service accounts and API keys.

use serde_json::Value;

use crate::support::{Agent, dump, json};

const BEN: &str = "ben@acme.example";
const CLEO: &str = "cleo@acme.example";

/// Acme with Ben and Cleo, project Atlas with Ben in it.
async fn acme(agent: &Agent) {
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    for email in [BEN, CLEO] {
        agent.ok("create_user", json!({ "email": email, "name": email })).await;
    }
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    agent.ok("add_project_member", json!({ "project": "Atlas", "member": BEN, "roles": ["member"] })).await;
    agent.questions();
}

fn names(list: &Value, field: &str) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|it| it[field].as_str().unwrap().to_owned()).collect()
}

/// What the change would mean.
async fn impact(agent: &Agent, tool: &str, mut arguments: Value) -> Value {
    arguments["dry_run"] = true.into();
    agent.ok(tool, arguments).await["impact"].clone()
}

/// The value that a call has made, from where it was handed to.
fn secret(answer: &Value) -> String {
    let path = answer["secret"]["handed_to"].as_str().unwrap_or_else(|| panic!("{answer}"));
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

async fn sql(agent: &Agent, sql: &str) {
    let mut db = agent.db().recording().begin().await.unwrap();
    db.run(sql, &[]).await.unwrap();
    db.commit().await.unwrap();
}

#[tokio::test]
async fn a_service_account_comes_with_a_key_of_its_name() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let done = agent.ok("create_service_account", json!({ "project": "Atlas", "name": "CI", "expires_in_seconds": 3600 })).await;
        assert_eq!(
            (&done["after"]["service_account"], &done["after"]["role"], &done["after"]["api_keys"], &done["after"]["project"]),
            (&json!("CI"), &json!("member"), &json!(1), &json!("Atlas")),
            "{done}"
        );
        assert_eq!(agent.questions().len(), 1, "a key that can do everything is power");
        let value = secret(&done);
        assert!(value.starts_with("rk_") && value.len() == 51 && value[3..].chars().all(|it| it.is_ascii_hexdigit()), "{value}");
        let key = agent.ok("get_api_key", json!({ "project": "Atlas", "api_key": "ci" })).await;
        assert_eq!(
            (&key["owner"], &key["owner_access"], &key["status"], &key["hint"], key.get("scopes")),
            (&json!("CI"), &json!("active"), &json!("active"), &json!(value[47..]), None),
            "{key}"
        );
        assert!(key["expires_at"].as_str() > key["created_at"].as_str(), "{key}");

        let done = agent.ok("create_service_account", json!({ "project": "Atlas", "name": "Batch", "without_key": true })).await;
        assert_eq!((&done["after"]["api_keys"], done.get("secret")), (&json!(0), None), "{done}");
        assert_eq!(agent.questions(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_service_account_has_a_name_of_its_own() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "CI", "without_key": true })).await;
        agent.ok("create_api_key", json!({ "project": "Atlas", "name": "deploy", "scopes": ["project.read"] })).await;
        let before = agent.dump().await;
        agent.fails("create_service_account", json!({ "project": "Atlas", "name": "ci" }), "name_taken").await;
        let error = agent.fails("create_service_account", json!({ "project": "Atlas", "name": "Deploy" }), "name_taken").await;
        assert!(error["message"].as_str().unwrap().starts_with("a key of project `Atlas`"), "{error}");
        for arguments in [
            json!({ "project": "Atlas", "name": "X", "without_key": true, "expires_in_seconds": 60 }),
            json!({ "project": "Atlas", "name": "X", "expires_in_seconds": 59 }),
            json!({ "project": "Atlas", "name": "X", "expires_in_seconds": 31_536_001 }),
        ] {
            agent.fails("create_service_account", arguments, "invalid_arguments").await;
        }
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn service_accounts_are_listed_page_by_page_and_read_by_name_and_id() {
    for agent in Agent::each().await {
        acme(&agent).await;
        for name in ["Charlie", "alpha", "Bravo"] {
            agent.ok("create_service_account", json!({ "project": "Atlas", "name": name, "without_key": true })).await;
        }
        let first = agent.ok("list_service_accounts", json!({ "project": "Atlas", "limit": 2 })).await;
        assert_eq!((names(&first, "service_account"), &first["total"]), (vec!["alpha".into(), "Bravo".into()], &json!(3)), "{first}");
        let rest = agent.ok("list_service_accounts", json!({ "project": "Atlas", "cursor": first["next_cursor"] })).await;
        assert_eq!((names(&rest, "service_account"), &rest["has_more"]), (vec!["Charlie".into()], &json!(false)), "{rest}");

        let bravo = &first["items"][1];
        for named in [&json!("bravo"), &bravo["id"]] {
            let found = agent.ok("get_service_account", json!({ "project": "Atlas", "service_account": named })).await;
            assert_eq!(found["id"], bravo["id"], "{found}");
        }
        agent.fails("get_service_account", json!({ "project": "Atlas", "service_account": "delta" }), "service_account_not_found").await;
    }
}

#[tokio::test]
async fn a_service_account_is_renamed_and_given_power_after_a_question() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "CI", "without_key": true })).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "Batch", "without_key": true })).await;
        let done = agent.ok("update_service_account", json!({ "project": "Atlas", "service_account": "CI", "name": "Build" })).await;
        assert_eq!((&done["before"]["service_account"], &done["after"]["service_account"]), (&json!("CI"), &json!("Build")), "{done}");
        assert_eq!(agent.questions(), Vec::<String>::new());

        let before = agent.dump().await;
        let owner = json!({ "project": "Atlas", "service_account": "Build", "role": "owner" });
        agent.refusing().await.call("update_service_account", owner.clone()).await;
        agent.fails("update_service_account", json!({ "project": "Atlas", "service_account": "Build" }), "invalid_arguments").await;
        agent
            .fails("update_service_account", json!({ "project": "Atlas", "service_account": "Build", "name": "BATCH" }), "name_taken")
            .await;
        let viewer = json!({ "project": "Atlas", "service_account": "Build", "role": "viewer" });
        agent.fails("update_service_account", viewer, "role_not_for_service_accounts").await;
        assert_eq!(agent.dump().await, before);

        let done = agent.ok("update_service_account", owner).await;
        assert_eq!((&done["before"]["role"], &done["after"]["role"]), (&json!("member"), &json!("owner")), "{done}");
        assert_eq!(agent.questions().len(), 1);

        let member = json!({ "project": "Atlas", "service_account": "Build", "role": "member" });
        let told = impact(&agent, "update_service_account", member.clone()).await;
        assert_eq!(told["gravity"], "low", "a program that may do less is asked about: {told}");
        assert!(told["notes"].to_string().contains("no longer owner of project Atlas: Build, and loses project.members"), "{told}");
        let before = agent.dump().await;
        agent.refusing().await.call("update_service_account", member).await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn all_keys_of_an_organization_are_critical_together() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "CI" })).await;
        agent.ok("create_api_key", json!({ "project": "Atlas", "name": "nightly", "service_account": "CI" })).await;
        agent.questions();
        let arguments = json!({ "project": "Atlas", "service_account": "CI" });
        assert_eq!(impact(&agent, "delete_service_account", arguments.clone()).await["gravity"], "critical");
        let before = agent.dump().await;
        agent.refusing().await.call("delete_service_account", arguments.clone()).await;
        assert_eq!(agent.dump().await, before);
        agent.ok("create_api_key", json!({ "project": "Atlas", "name": "other" })).await;
        agent.ok("create_api_key", json!({ "project": "Atlas", "name": "another" })).await;
        assert_eq!(impact(&agent, "delete_service_account", arguments).await["gravity"], "high", "half of them are not most");
    }
}

#[tokio::test]
async fn a_key_that_keeps_nothing_of_what_it_could_do_stops() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_api_key", json!({ "project": "Atlas", "name": "deploy", "scopes": ["project.read", "project.write"] })).await;
        let update = |scopes: &[&str]| json!({ "project": "Atlas", "api_key": "deploy", "scopes": scopes });
        let told = impact(&agent, "update_api_key", update(&["project.read"])).await;
        assert_eq!((&told["gravity"], told.get("losses")), (&json!("low"), None), "{told}");
        let told = impact(&agent, "update_api_key", update(&["teams.read"])).await;
        assert_eq!((&told["gravity"], &told["losses"][0]["what"]), (&json!("high"), &json!("key stops working")), "{told}");
        let before = agent.dump().await;
        agent.refusing().await.call("update_api_key", update(&["teams.read"])).await;
        assert_eq!(agent.dump().await, before);

        // What has ended and stays ended gains nothing by being active, and the status is asked about all the same.
        sql(&agent, "UPDATE api_keys SET expires_at = 1763805600000, status = 'blocked'").await;
        let told = impact(&agent, "update_api_key", json!({ "project": "Atlas", "api_key": "deploy", "status": "active" })).await;
        assert_eq!(told["gravity"], "low", "{told}");
        assert!(!told["notes"].to_string().contains("the key can do"), "{told}");
        let again = json!({ "project": "Atlas", "api_key": "deploy", "status": "active", "expires_in_seconds": 60 });
        let told = impact(&agent, "update_api_key", again).await;
        assert_eq!(told["gravity"], "low", "{told}");
        let notes = json!([
            "the key can do what the scope project.read, project.write allows in project Atlas: deploy",
            "the status of the key changes from blocked to active",
            "it was never used",
            "the end of the key changes from 2025-11-22T10:00:00Z to 60 seconds after the change",
        ]);
        assert_eq!(told["notes"], notes, "{told}");
    }
}

#[tokio::test]
async fn a_service_account_takes_its_keys_with_it() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "CI" })).await;
        let key = json!({ "project": "Atlas", "name": "nightly", "service_account": "CI", "scopes": ["project.read"] });
        agent.ok("create_api_key", key).await;
        agent.ok("update_api_key", json!({ "project": "Atlas", "api_key": "nightly", "status": "blocked" })).await;
        let arguments = json!({ "project": "Atlas", "service_account": "CI" });
        assert_eq!(
            impact(&agent, "delete_service_account", arguments.clone()).await,
            json!({
                "gravity": "high",
                "losses": [
                    { "count": 1, "what": "service account ends", "examples": ["CI"] },
                    { "count": 1, "what": "key stops working", "examples": ["CI"] },
                ],
            })
        );
        let before = agent.dump().await;
        agent.refusing().await.call("delete_service_account", arguments.clone()).await;
        assert_eq!(agent.dump().await, before);
        let done = agent.ok("delete_service_account", arguments).await;
        assert_eq!((&done["before"]["api_keys"], done.get("undo")), (&json!(2), None), "{done}");
        assert_eq!(agent.ok("list_api_keys", json!({ "project": "Atlas" })).await["total"], 0);
    }
}

#[tokio::test]
async fn nobody_who_asks_is_ever_told_a_value() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let mut answers = vec![
            agent.ok("create_service_account", json!({ "project": "Atlas", "name": "CI" })).await,
            agent.ok("create_api_key", json!({ "project": "Atlas", "name": "deploy", "idempotency_key": "once" })).await,
        ];
        let values: Vec<String> = answers.iter().map(secret).collect();
        assert_ne!(values[0], values[1]);
        for (tool, arguments) in [
            ("create_api_key", json!({ "project": "Atlas", "name": "deploy", "idempotency_key": "once" })),
            ("create_api_key", json!({ "project": "Atlas", "name": "deploy" })),
            ("create_api_key", json!({ "project": "Atlas", "name": "other", "dry_run": true })),
            ("get_api_key", json!({ "project": "Atlas", "api_key": "deploy" })),
            ("get_api_key", json!({ "project": "Atlas", "api_key": values[0] })),
            ("list_api_keys", json!({ "project": "Atlas" })),
            ("update_api_key", json!({ "project": "Atlas", "api_key": "deploy", "status": "blocked" })),
            ("delete_api_key", json!({ "project": "Atlas", "api_key": "deploy" })),
            ("list_activity", json!({})),
        ] {
            let mut answer = agent.call(tool, arguments).await;
            if answer["code"] == "api_key_not_found" {
                // The agent knew this one, and only reads back what it wrote.
                answer["message"] = Value::Null;
            }
            answers.push(answer);
        }
        let mut all = serde_json::to_string(&answers).unwrap();
        all.push_str(&agent.questions().join("\n"));
        all.extend(agent.dump().await.into_values());
        all.extend(dump(agent.db(), &["ledger", "approvals", "burnt_consents", "repeatable_calls"]).await.into_values());
        for value in values {
            assert!(!all.contains(&value) && !all.contains(&value[3..]) && !all.contains(&value[3..20]), "a value has leaked");
        }
    }
}

#[tokio::test]
async fn what_is_told_before_a_key_is_made_does_not_depend_on_chance() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let arguments = json!({ "project": "Atlas", "name": "deploy", "dry_run": true });
        let (one, two) = (agent.ok("create_api_key", arguments.clone()).await, agent.ok("create_api_key", arguments).await);
        assert_eq!(one["target"], two["target"], "{one}");
        assert_eq!((&one["impact"], one.get("before"), one.get("after")), (&two["impact"], None, None), "{one}");
        let power = "the key can do what the scope of everything allows in project Atlas, with power over others: deploy";
        assert_eq!(one["impact"]["notes"], json!([power, "the key works until it is deleted"]), "{one}");
    }
}

#[tokio::test]
async fn a_key_has_known_scopes_an_owner_if_it_is_given_one_and_a_name_of_its_own() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "CI", "without_key": true })).await;
        let key = json!({ "project": "Atlas", "name": "deploy", "description": "For releases", "service_account": "CI",
            "scopes": ["project.write", "project.read", "project.read"], "expires_in_seconds": 60 });
        let done = agent.ok("create_api_key", key).await;
        assert_eq!(
            (&done["after"]["owner"], &done["after"]["scopes"], &done["after"]["description"]),
            (&json!("CI"), &json!(["project.read", "project.write"]), &json!("For releases")),
            "{done}"
        );
        assert_eq!(agent.questions(), Vec::<String>::new(), "scopes without power need no consent");
        let done = agent.ok("create_api_key", json!({ "project": "Atlas", "name": "loose", "scopes": ["project.members"] })).await;
        assert_eq!((done["after"].get("owner"), &done["after"]["owner_access"]), (None, &json!("none")), "{done}");
        assert_eq!(agent.questions().len(), 1);

        let before = agent.dump().await;
        agent.fails("create_api_key", json!({ "project": "Atlas", "name": "DEPLOY" }), "name_taken").await;
        let error = agent
            .fails("create_api_key", json!({ "project": "Atlas", "name": "x", "scopes": ["project.reed"] }), "invalid_arguments")
            .await;
        assert!(error["fix"].as_str().unwrap().contains("`project.read`"), "{error}");
        agent
            .fails("create_api_key", json!({ "project": "Atlas", "name": "x", "service_account": "CD" }), "service_account_not_found")
            .await;
        agent.fails("create_api_key", json!({ "project": "Atlas", "name": "x", "expires_in_seconds": 1 }), "invalid_arguments").await;
        agent.refusing().await.call("create_api_key", json!({ "project": "Atlas", "name": "x" })).await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn keys_are_told_apart_by_whether_their_owner_is_still_in_the_project() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "svc" })).await;
        for name in ["bens", "cleos", "nobodys"] {
            agent.ok("create_api_key", json!({ "project": "Atlas", "name": name })).await;
        }
        for (key, person) in [("bens", BEN), ("cleos", CLEO)] {
            sql(&agent, &format!("UPDATE api_keys SET user_id = (SELECT id FROM users WHERE email = '{person}') WHERE name = '{key}'"))
                .await;
        }
        let keys = async |access: &str| {
            let list = agent.ok("list_api_keys", json!({ "project": "Atlas", "owner": access })).await;
            assert_eq!(list["total"], json!(list["items"].as_array().unwrap().len()), "{list}");
            names(&list, "api_key")
        };
        assert_eq!(keys("inactive").await, ["cleos", "nobodys"]);
        let all = agent.ok("list_api_keys", json!({ "project": "Atlas" })).await;
        assert_eq!(names(&all, "owner_access"), ["active", "no_access", "none", "active"], "{all}");
        assert_eq!(
            (keys("active").await, keys("inactive").await),
            (vec!["bens".into(), "svc".into()], vec!["cleos".into(), "nobodys".into()])
        );

        agent.ok("create_team", json!({ "name": "Data" })).await;
        agent.ok("add_team_member", json!({ "team": "Data", "member": CLEO })).await;
        agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Data", "role": "viewer" })).await;
        assert_eq!(keys("active").await, ["bens", "cleos", "svc"]);
        let key = agent.ok("get_api_key", json!({ "project": "Atlas", "api_key": "cleos" })).await;
        assert_eq!((&key["owner"], &key["owner_access"]), (&json!(CLEO), &json!("active")), "{key}");

        let first = agent.ok("list_api_keys", json!({ "project": "Atlas", "limit": 3 })).await;
        let rest = agent.ok("list_api_keys", json!({ "project": "Atlas", "limit": 3, "cursor": first["next_cursor"] })).await;
        assert_eq!([names(&first, "api_key"), names(&rest, "api_key")].concat(), ["bens", "cleos", "nobodys", "svc"]);
    }
}

#[tokio::test]
async fn the_named_fields_of_a_key_change_and_others_stay() {
    for agent in Agent::each().await {
        acme(&agent).await;
        let key = json!({ "project": "Atlas", "name": "deploy", "description": "Old", "scopes": ["project.read"] });
        let made = agent.ok("create_api_key", key).await;
        let done = agent.ok("update_api_key", json!({ "project": "Atlas", "api_key": "deploy", "description": "New" })).await;
        assert_eq!((&done["before"], &done["after"]["description"]), (&made["after"], &json!("New")), "{done}");
        assert_eq!(done["after"]["scopes"], json!(["project.read"]), "{done}");
        let id = &done["after"]["id"];
        let done = agent.ok("update_api_key", json!({ "project": "Atlas", "api_key": id, "clear": ["description"] })).await;
        assert_eq!(done["after"].get("description"), None, "{done}");
        let done = agent.ok("update_api_key", json!({ "project": "Atlas", "api_key": id, "expires_in_seconds": 60 })).await;
        assert!(done["after"]["expires_at"].is_string(), "{done}");
        assert_eq!(agent.questions().len(), 1, "it had no end before");

        let before = agent.dump().await;
        for change in [
            json!({}),
            json!({ "description": "x", "clear": ["description"] }),
            json!({ "expires_in_seconds": 60, "clear": ["expires_at"] }),
            json!({ "scopes": [] }),
            json!({ "scopes": ["nope"] }),
            json!({ "expires_in_seconds": 0 }),
        ] {
            let mut arguments = json!({ "project": "Atlas", "api_key": "deploy" });
            arguments.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            agent.fails("update_api_key", arguments, "invalid_arguments").await;
        }
        agent.fails("update_api_key", json!({ "project": "Atlas", "api_key": "other", "description": "x" }), "api_key_not_found").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_key_that_stops_works_again_or_may_do_more_is_asked_about() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_api_key", json!({ "project": "Atlas", "name": "deploy", "scopes": ["project.read"] })).await;
        sql(&agent, "UPDATE api_keys SET last_used_at = 1763805600000").await;
        let update = |mut change: Value| {
            change["project"] = "Atlas".into();
            change["api_key"] = "deploy".into();
            change
        };
        assert_eq!(
            impact(&agent, "update_api_key", update(json!({ "status": "blocked" }))).await,
            json!({
                "gravity": "high",
                "losses": [{ "count": 1, "what": "key stops working", "examples": ["deploy"] }],
                "notes": ["until it is set to `active`; it was last used 2025-11-22T10:00:00Z"],
                "undo": "update_api_key with the values in `before`",
            })
        );
        let gravity = async |change: Value| impact(&agent, "update_api_key", update(change)).await["gravity"].as_str().unwrap().to_owned();
        assert_eq!(gravity(json!({ "status": "active" })).await, "none");
        assert_eq!(gravity(json!({ "scopes": ["project.read", "project.write"] })).await, "none");
        assert_eq!(gravity(json!({ "scopes": ["project.read", "project.keys.write"] })).await, "low");

        agent.ok("update_api_key", update(json!({ "status": "blocked" }))).await;
        assert_eq!(gravity(json!({ "status": "blocked" })).await, "none");
        assert_eq!(gravity(json!({ "status": "active" })).await, "low");
        let before = agent.dump().await;
        agent.refusing().await.call("update_api_key", update(json!({ "status": "active" }))).await;
        assert_eq!(agent.dump().await, before);
        let done = agent.ok("update_api_key", update(json!({ "status": "active" }))).await;
        assert_eq!((&done["before"]["status"], &done["after"]["status"]), (&json!("blocked"), &json!("active")), "{done}");

        sql(&agent, "UPDATE api_keys SET expires_at = 1763805600000").await;
        let listed = agent.ok("list_api_keys", json!({ "project": "Atlas" })).await;
        assert_eq!(names(&listed, "status"), ["expired"], "its end has passed: {listed}");
        let key = agent.ok("get_api_key", json!({ "project": "Atlas", "api_key": "deploy" })).await;
        assert_eq!(key["expires_at"], "2025-11-22T10:00:00Z", "{key}");
        assert_eq!(gravity(json!({ "expires_in_seconds": 60 })).await, "low");
    }
}

#[tokio::test]
async fn a_key_that_ends_earlier_is_asked_about_and_its_end_can_be_taken_away() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_api_key", json!({ "project": "Atlas", "name": "deploy", "scopes": ["project.read"] })).await;
        let update = |mut change: Value| {
            change["project"] = "Atlas".into();
            change["api_key"] = "deploy".into();
            change
        };
        let sooner = update(json!({ "expires_in_seconds": 3600 }));
        assert_eq!(
            impact(&agent, "update_api_key", sooner.clone()).await,
            json!({
                "gravity": "high",
                "losses": [{ "count": 1, "what": "key stops working", "examples": ["deploy"] }],
                "notes": ["it stops 3600 seconds after the change, earlier than before; it was never used"],
                "undo": "update_api_key with the values in `before`, and `expires_at` in `clear`",
            })
        );
        let before = agent.dump().await;
        agent.refusing().await.call("update_api_key", sooner.clone()).await;
        assert_eq!(agent.dump().await, before);
        agent.ok("update_api_key", sooner).await;

        let told = impact(&agent, "update_api_key", update(json!({ "expires_in_seconds": 60 }))).await;
        assert_eq!((&told["gravity"], told.get("undo")), (&json!("high"), None), "{told}");
        let both = impact(&agent, "update_api_key", update(json!({ "expires_in_seconds": 60, "status": "blocked" }))).await;
        assert_eq!(both["losses"].as_array().unwrap().len(), 1, "{both}");
        let endless = update(json!({ "clear": ["expires_at"] }));
        let told = impact(&agent, "update_api_key", endless.clone()).await;
        let can = "the key can do what the scope project.read allows in project Atlas: deploy";
        let notes = json!([can, "the key works longer: until it is deleted"]);
        assert_eq!((&told["gravity"], &told["notes"]), (&json!("none"), &notes), "{told}");
        let done = agent.ok("update_api_key", endless.clone()).await;
        assert!(done["before"]["expires_at"].is_string() && done["after"].get("expires_at").is_none(), "{done}");
        assert_eq!(impact(&agent, "update_api_key", endless.clone()).await["gravity"], "none");

        sql(&agent, "UPDATE api_keys SET scopes = '[]', expires_at = 9999999999999").await;
        assert_eq!(impact(&agent, "update_api_key", endless).await["gravity"], "low", "a longer life of a key that may do everything");
    }
}

#[tokio::test]
async fn a_key_that_is_narrowed_is_widened_to_everything_only_where_that_is_said() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_api_key", json!({ "project": "Atlas", "name": "deploy" })).await;
        let narrow = json!({ "project": "Atlas", "api_key": "deploy", "scopes": ["project.read"] });
        let told = impact(&agent, "update_api_key", narrow.clone()).await;
        assert_eq!(
            (&told["gravity"], told.get("undo")),
            (&json!("low"), Some(&json!("update_api_key with the values in `before`, and `scopes` in `clear`"))),
            "{told}"
        );
        let loses =
            "the key can no longer do all that the scope of everything allows in project Atlas: deploy, and loses organization.read,";
        assert!(told["notes"][0].as_str().unwrap().starts_with(loses), "{told}");
        assert_eq!(agent.ok("update_api_key", narrow.clone()).await["after"]["scopes"], json!(["project.read"]));
        let wide = json!({ "project": "Atlas", "api_key": "deploy", "clear": ["scopes"] });
        let mut both = wide.clone();
        both["scopes"] = json!(["project.read"]);
        let mut empty = narrow;
        empty["scopes"] = json!([]);
        let before = agent.dump().await;
        for unclear in [both, empty] {
            agent.fails("update_api_key", unclear, "invalid_arguments").await;
        }
        agent.refusing().await.call("update_api_key", wide.clone()).await;
        assert_eq!(agent.dump().await, before);
        agent.questions();
        let widened = agent.ok("update_api_key", wide).await;
        assert_eq!((&widened["before"]["scopes"], widened["after"].get("scopes")), (&json!(["project.read"]), None), "{widened}");
        let asked = agent.questions().remove(0);
        assert!(asked.contains("the scope of everything"), "power that comes back is asked about: {asked}");
        let taken_back = agent.ok("undo", json!({ "call_id": widened["call_id"] })).await;
        assert_eq!(
            agent.ok("get_api_key", json!({ "project": "Atlas", "api_key": "deploy" })).await["scopes"],
            json!(["project.read"]),
            "{taken_back}"
        );
    }
}

#[tokio::test]
async fn a_deleted_key_is_gone_after_its_name_was_typed() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_api_key", json!({ "project": "Atlas", "name": "deploy" })).await;
        agent.questions();
        let arguments = json!({ "project": "Atlas", "api_key": "deploy" });
        assert_eq!(
            impact(&agent, "delete_api_key", arguments.clone()).await,
            json!({
                "gravity": "high",
                "losses": [{ "count": 1, "what": "key stops working", "examples": ["deploy"] }],
                "notes": ["it was never used"],
            })
        );
        let before = agent.dump().await;
        agent.refusing().await.call("delete_api_key", arguments.clone()).await;
        assert_eq!(agent.dump().await, before);
        agent.ok("delete_api_key", arguments.clone()).await;
        assert!(agent.questions()[0].ends_with("To confirm, type: deploy"));
        agent.fails("delete_api_key", arguments.clone(), "api_key_not_found").await;
        agent.fails("get_api_key", arguments, "api_key_not_found").await;
    }
}

#[tokio::test]
async fn keys_of_an_archived_project_are_read_only() {
    for agent in Agent::each().await {
        acme(&agent).await;
        agent.ok("create_service_account", json!({ "project": "Atlas", "name": "CI" })).await;
        agent.ok("archive_project", json!({ "project": "Atlas" })).await;
        let before = agent.dump().await;
        for (tool, arguments) in [
            ("create_service_account", json!({ "project": "Atlas", "name": "CD" })),
            ("update_service_account", json!({ "project": "Atlas", "service_account": "CI", "name": "CD" })),
            ("delete_service_account", json!({ "project": "Atlas", "service_account": "CI" })),
            ("create_api_key", json!({ "project": "Atlas", "name": "CD" })),
            ("update_api_key", json!({ "project": "Atlas", "api_key": "CI", "description": "x" })),
            ("delete_api_key", json!({ "project": "Atlas", "api_key": "CI" })),
        ] {
            agent.fails(tool, arguments, "project_archived").await;
        }
        assert_eq!(agent.dump().await, before);
        assert_eq!(agent.ok("list_api_keys", json!({ "project": "Atlas" })).await["total"], 1);
        assert_eq!(agent.ok("list_service_accounts", json!({ "project": "Atlas" })).await["total"], 1);
    }
}
