//! OpenAI: service accounts and keys. Their values go to the secrets folder and nowhere else.

use crate::{
    support::{Value, json},
    support_openai::{Company, each},
};

/// What the receipt's secret file holds; nothing else may.
fn secret(receipt: &Value) -> String {
    let value = std::fs::read_to_string(receipt["secret"]["handed_to"].as_str().unwrap()).unwrap().trim().to_owned();
    assert!(value.starts_with("sk-svcacct-test-") && !receipt.to_string().contains(&value), "{receipt}");
    value
}

#[tokio::test]
async fn a_service_account_comes_with_a_key_or_without() {
    let company = Company::new().await;
    let (listed, sent) = company.look("list_service_accounts", json!({ "project": "Atlas", "limit": 1 })).await;
    assert_eq!(
        (each(&listed, "service_account"), &sent[1]),
        (vec!["Beacon".into()], &"/organization/projects/proj_atlas/service_accounts?limit=1".into())
    );
    let (made, sent) =
        company.change("create_service_account", json!({ "project": "Atlas", "name": "Lantern", "expires_in_seconds": 3600 })).await;
    assert_eq!(sent, [r#"POST /organization/projects/proj_atlas/service_accounts {"name":"Lantern","expires_in_seconds":3600}"#]);
    let value = secret(&made);
    assert_eq!(made["secret"]["what"], "key of service account Lantern of project Atlas");
    let ledger = format!("{:?}", company.agent.dump().await);
    assert!(!ledger.contains(&value), "the ledger has the key");
    let (bare, sent) = company.change("create_service_account", json!({ "project": "Atlas", "name": "Bare", "without_key": true })).await;
    assert_eq!(sent, [r#"POST /organization/projects/proj_atlas/service_accounts {"name":"Bare","create_service_account_only":true}"#]);
    assert_eq!((bare.get("secret"), &bare["after"]["role"]), (None, &json!("none")));
    let both = json!({ "project": "Atlas", "name": "x", "without_key": true, "expires_in_seconds": 60 });
    company.refused("create_service_account", both, "invalid_arguments").await;
    company.refused("create_service_account", json!({ "project": "Atlas", "name": "beacon" }), "name_taken").await;
    company.refused("create_service_account", json!({ "project": "Regatta 2024", "name": "x" }), "project_archived").await;
}

#[tokio::test]
async fn a_service_account_is_read_changed_and_deleted() {
    let company = Company::new().await;
    let beacon = json!({ "project": "Atlas", "service_account": "beacon" });
    let (one, sent) = company.look("get_service_account", beacon.clone()).await;
    assert_eq!(
        (&one["id"], sent.last().unwrap().as_str()),
        (&json!("svc_acct_beacon"), "/organization/projects/proj_atlas/service_accounts/svc_acct_beacon")
    );
    let (_, sent) = company
        .change("update_service_account", json!({ "project": "Atlas", "service_account": "Beacon", "name": "Lamp", "role": "owner" }))
        .await;
    assert_eq!(sent, [r#"POST /organization/projects/proj_atlas/service_accounts/svc_acct_beacon {"name":"Lamp","role":"owner"}"#]);
    assert!(company.agent.questions()[0].contains("- role `member` becomes `owner`"));
    let viewer = json!({ "project": "Atlas", "service_account": "Lamp", "role": "viewer" });
    company.refused("update_service_account", viewer, "invalid_arguments").await;
    let (_, sent) = company.change("delete_service_account", json!({ "project": "Atlas", "service_account": "Lamp" })).await;
    assert_eq!(sent, ["DELETE /organization/projects/proj_atlas/service_accounts/svc_acct_beacon"]);
    let asked = company.agent.questions().remove(0);
    assert!(asked.contains("- 1 key stops working (Secret Key)\n- its keys were last used "), "{asked}");
    company.refused("get_service_account", beacon, "service_account_not_found").await;
}

#[tokio::test]
async fn a_service_account_can_be_read_before_the_service_shows_it_alone() {
    let company = Company::new().await;
    company.sandbox.platform().quirks.late_service_accounts = 5;
    company.change("create_service_account", json!({ "project": "Atlas", "name": "Lantern" })).await;
    let (one, _) = company.look("get_service_account", json!({ "project": "Atlas", "service_account": "Lantern" })).await;
    assert_eq!(one["service_account"], "Lantern");
}

#[tokio::test]
async fn keys_are_listed_whosever_they_are() {
    let company = Company::new().await;
    let (all, sent) = company.look("list_api_keys", json!({ "project": "Atlas" })).await;
    assert_eq!(sent[1], "/organization/projects/proj_atlas/api_keys?owner_project_access=any&limit=25");
    assert_eq!(each(&all, "api_key"), ["laptop", "notebook", "Secret Key", "before the move", "review", "trial"]);
    assert_eq!(each(&all, "owner")[..3], ["ana.ruiz@acme.example", "jonas.weber@acme.example", "Beacon"]);
    let (gone, sent) = company.look("list_api_keys", json!({ "project": "Atlas", "owner": "inactive" })).await;
    assert_eq!(
        (each(&gone, "owner"), &sent[1]),
        (
            vec!["leo.marchetti@acme.example".into()],
            &"/organization/projects/proj_atlas/api_keys?owner_project_access=inactive&limit=25".into()
        )
    );
    assert_eq!(each(&gone, "owner_access"), ["no_access"], "he is in the organization");
    let (any, _) = company.look("list_api_keys", json!({ "project": "Atlas" })).await;
    assert_eq!((&any, &any["items"][3]["status"]), (&all, &json!("expired")));
    let (one, sent) = company.look("get_api_key", json!({ "project": "proj_atlas", "api_key": "key_ana_laptop" })).await;
    assert_eq!(
        (&one["hint"], sent),
        (
            &json!("sk-proj-***top"),
            vec!["/organization/projects/proj_atlas".into(), "/organization/projects/proj_atlas/api_keys/key_ana_laptop".into()]
        )
    );
}

#[tokio::test]
async fn a_key_is_made_for_a_service_account_changed_and_deleted() {
    let company = Company::new().await;
    let new = json!({ "project": "Atlas", "service_account": "Beacon", "name": "second", "scopes": ["api.model.request"], "expires_in_seconds": 3600 });
    let (made, sent) = company.change("create_api_key", new).await;
    assert_eq!(
        sent,
        [
            r#"POST /organization/projects/proj_atlas/service_accounts/svc_acct_beacon/api_keys {"name":"second","scopes":["api.model.request"],"expires_in_seconds":3600}"#
        ]
    );
    secret(&made);
    let id = made["target"]["id"].as_str().unwrap().to_owned();
    company.agent.questions();
    let (_, sent) = company
        .change("update_api_key", json!({ "project": "Atlas", "api_key": "second", "scopes": ["api.all.read"], "expires_in_seconds": 60 }))
        .await;
    assert_eq!(
        sent,
        [format!(r#"POST /organization/projects/proj_atlas/api_keys/{id} {{"expires_in_seconds":60,"scopes":["api.all.read"]}}"#)]
    );
    assert!(company.agent.questions()[0].contains("- it stops 60 seconds after the change, earlier than before; it was never used"));
    let (_, sent) = company.change("update_api_key", json!({ "project": "Atlas", "api_key": "second", "clear": ["scopes"] })).await;
    assert_eq!(sent, [format!(r#"POST /organization/projects/proj_atlas/api_keys/{id} {{"scopes":[]}}"#)]);
    company
        .refused("update_api_key", json!({ "project": "Atlas", "api_key": "second", "clear": ["expires_at"] }), "invalid_arguments")
        .await;
    let (_, sent) = company.change("delete_api_key", json!({ "project": "Atlas", "api_key": "second" })).await;
    assert_eq!(sent, [format!("DELETE /organization/projects/proj_atlas/api_keys/{id}")]);
    company.agent.questions();
    company.change("delete_api_key", json!({ "project": "Atlas", "api_key": "laptop" })).await;
    let asked = company.agent.questions().remove(0);
    assert!(asked.contains("- 1 key stops working (laptop)\n- it was last used "), "{asked}");
    company.refused("create_api_key", json!({ "project": "Atlas", "name": "mine" }), "invalid_arguments").await;
    company
        .refused("update_api_key", json!({ "project": "Atlas", "api_key": "before the move", "expires_in_seconds": 60 }), "key_expired")
        .await;
    company.refused("update_api_key", json!({ "project": "Atlas", "api_key": "trial" }), "invalid_arguments").await;
}

#[tokio::test]
async fn the_older_rule_about_keys_of_service_accounts_is_passed_on() {
    let company = Company::new().await;
    company.sandbox.platform().quirks.service_account_keys_stay = true;
    let error = company.agent.fails("delete_api_key", json!({ "project": "Atlas", "api_key": "key_beacon" }), "invalid_request").await;
    assert_eq!(error["message"], "Keys of service accounts cannot be deleted; delete the service account.");
}

#[tokio::test]
async fn a_policy_about_the_life_of_keys_is_passed_on() {
    let company = Company::new().await;
    company.sandbox.platform().quirks.longest_key_life = Some(3600);
    let error = company.agent.fails("create_service_account", json!({ "project": "Atlas", "name": "x" }), "invalid_request").await;
    assert_eq!(error["message"], "The organization's policy requires an expiration.");
    company.change("create_service_account", json!({ "project": "Atlas", "name": "x", "expires_in_seconds": 3600 })).await;
}
