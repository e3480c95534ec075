//! OpenAI: rate limits and certificates.

use crate::{
    support::json,
    support_openai::{Company, each},
};

#[tokio::test]
async fn rate_limits_are_listed_and_changed_by_model() {
    let company = Company::new().await;
    let (page, sent) = company.look("list_rate_limits", json!({ "project": "Atlas", "limit": 3 })).await;
    assert_eq!(
        (each(&page, "model"), &sent[1]),
        (
            vec!["gpt-6-astra".into(), "gpt-6-astra-mini".into(), "canvas-3".into()],
            &"/organization/projects/proj_atlas/rate_limits?limit=3".into()
        )
    );
    let (changed, sent) = company
        .change(
            "update_rate_limit",
            json!({ "project": "Atlas", "model": "canvas-3", "max_images_per_1_minute": 100, "max_requests_per_1_minute": 0 }),
        )
        .await;
    assert_eq!(
        sent,
        [r#"POST /organization/projects/proj_atlas/rate_limits/rl-canvas-3 {"max_requests_per_1_minute":0,"max_images_per_1_minute":100}"#]
    );
    assert_eq!((&changed["before"]["max_images_per_1_minute"], &changed["after"]["max_images_per_1_minute"]), (&json!(250), &json!(100)));
    assert_eq!(
        company.agent.questions(),
        ["Update rate limit: rate limit canvas-3 [rl-canvas-3] in project Atlas [proj_atlas], organization openai (connection openai)?\n\
          - max_requests_per_1_minute falls from 500 to 0: use ends\n\
          - max_images_per_1_minute falls from 250 to 100\n\
          Undo: update_rate_limit with the values in `before`"]
    );
    let other = json!({ "project": "Atlas", "model": "chorus-2", "max_images_per_1_minute": 1 });
    company.refused("update_rate_limit", other, "invalid_arguments").await;
    company.refused("update_rate_limit", json!({ "project": "Atlas", "model": "canvas-3" }), "invalid_arguments").await;
    company
        .refused("update_rate_limit", json!({ "project": "Atlas", "model": "canvas-9", "max_images_per_1_minute": 1 }), "model_not_found")
        .await;
    // The organization's own limit, only the service knows.
    let above = json!({ "project": "Atlas", "model": "canvas-3", "max_images_per_1_minute": 251 });
    let error = company.agent.fails("update_rate_limit", above, "invalid_request").await;
    assert_eq!(error["message"], "Invalid 'max_images_per_1_minute': the organization's limit is 250.");
}

#[tokio::test]
async fn certificates_are_switched_for_a_project_and_for_the_organization() {
    let company = Company::new().await;
    for (project, base, on) in [
        (Some("Atlas"), "/organization/projects/proj_atlas/certificates", "Quay gateway"),
        (None, "/organization/certificates", "Harbor gateway"),
    ] {
        let with = |names: &[&str]| match project {
            Some(project) => json!({ "project": project, "certificates": names }),
            None => json!({ "certificates": names }),
        };
        let (page, sent) = company.look("list_certificates", project.map_or(json!({}), |it| json!({ "project": it }))).await;
        assert_eq!(each(&page, "certificate"), ["Spare", "Harbor gateway", "Quay gateway"]);
        assert_eq!(sent.last().unwrap(), &format!("{base}?limit=25"));
        let (made, sent) = company.change("activate_certificates", with(&["Spare", "cert_spare"])).await;
        assert_eq!(sent, [format!(r#"POST {base}/activate {{"certificate_ids":["cert_spare"]}}"#)]);
        assert_eq!((&made["before"]["items"][0]["active"], &made["after"]["items"][0]["active"]), (&json!(false), &json!(true)));
        company.refused("activate_certificates", with(&[on]), "certificate_already_active").await;
        let (_, sent) = company.change("deactivate_certificates", with(&["Spare", on])).await;
        let id = if project.is_some() { "cert_quay" } else { "cert_harbor" };
        assert_eq!(sent, [format!(r#"POST {base}/deactivate {{"certificate_ids":["cert_spare","{id}"]}}"#)]);
        company.refused("deactivate_certificates", with(&["Spare"]), "certificate_not_active").await;
        company.refused("activate_certificates", with(&["Nowhere"]), "certificate_not_found").await;
    }
    let asked = company.agent.questions();
    assert!(
        asked[0].contains("- 2 certificates are refused (Spare, Quay gateway)\n- no certificate stays active for project Atlas"),
        "{asked:?}"
    );
    assert!(!asked[1].contains("no certificate stays active"), "Quay gateway is active in the organization: {asked:?}");
}

#[tokio::test]
async fn what_a_project_may_spend_is_told_with_what_it_has_spent_and_in_which_currency() {
    let company = Company::new().await;
    let (limits, _) = company.look("list_usage_limits", json!({ "project": "Atlas" })).await;
    let limit = &limits["items"][0];
    assert_eq!((&limit["hard_limit"], &limit["used"], &limit["remaining"]), (&json!(1500.0), &json!(412.5), &json!(1087.5)), "{limits}");
    assert_eq!((&limit["currency"], &limit["usage_unit"], &limit["subscription_type"]), (&json!("USD"), &json!("Cost"), &json!("Monthly")));
    assert!(limit["ends_at"].as_str().unwrap().ends_with("-01T00:00:00Z"), "{limit}");
    let (none, _) = company.look("list_usage_limits", json!({ "project": "Borealis" })).await;
    assert_eq!(none["total"], 0, "{none}");
    let (none, _) = company.look("list_usage_limits", json!({})).await;
    assert_eq!(none["total"], 0, "{none}");
}
