//! Rate limits and usage limits, through a real client.

use crate::{
    seed::{kept_to, planted},
    support::{Value, json},
};

#[tokio::test]
async fn a_project_has_each_models_limits_and_its_own() {
    for agent in planted().await {
        let list = agent.ok("list_rate_limits", json!({ "project": "Borealis" })).await;
        assert_eq!((&list["shown"], &list["total"]), (&json!(5), &json!(5)), "{list}");
        let image = list["items"].as_array().unwrap().iter().find(|it| it["model"] == "gpt-image-1").unwrap();
        assert_eq!((&image["max_images_per_1_minute"], &image["max_requests_per_1_minute"]), (&json!(5), &json!(500)), "{image}");
        assert_eq!(image.get("max_audio_megabytes_per_1_minute"), None, "an image model hears nothing: {image}");
        let mut models = Vec::new();
        let mut arguments = json!({ "project": "Borealis", "limit": 2 });
        loop {
            let page = agent.ok("list_rate_limits", arguments.clone()).await;
            models.extend(page["items"].as_array().unwrap().iter().map(|it| it["model"].clone()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            arguments["cursor"] = cursor.into();
        }
        assert_eq!(json!(models), json!(["gpt-5", "gpt-5-mini", "gpt-image-1", "text-embedding-3-large", "whisper-1"]));
    }
}

#[tokio::test]
async fn only_the_named_rate_limits_change() {
    for agent in planted().await {
        let wanted = json!({ "project": "Atlas", "model": "GPT-5", "max_tokens_per_1_minute": 50_000 });
        let made = agent.ok("update_rate_limit", wanted).await;
        assert_eq!(made["before"]["max_tokens_per_1_minute"], 100_000, "{made}");
        assert_eq!(made["after"]["max_tokens_per_1_minute"], 50_000, "{made}");
        assert_eq!(made["after"]["max_requests_per_1_minute"], 500, "{made}");
        assert_eq!(made["after"]["max_requests_per_1_day"], 1_000_000, "{made}");
        assert_eq!(agent.questions(), Vec::<String>::new());
        let other = agent.ok("list_rate_limits", json!({ "project": "Ember" })).await;
        assert_eq!(other["items"][0]["max_tokens_per_1_minute"], 2_000_000, "{other}");
        let wanted = json!({ "project": "Ember", "model": "whisper-1", "max_audio_megabytes_per_1_minute": 300 });
        let made = agent.ok("update_rate_limit", wanted).await;
        assert_eq!(made["after"]["max_audio_megabytes_per_1_minute"], 300, "{made}");
    }
}

#[tokio::test]
async fn a_lower_rate_limit_is_said_and_none_at_all_is_asked() {
    for agent in planted().await {
        let wanted = |requests: u64, dry: bool| json!({ "project": "Atlas", "model": "gpt-5", "max_requests_per_1_minute": requests, "dry_run": dry });
        let preview = agent.ok("update_rate_limit", wanted(100, true)).await;
        assert_eq!(preview["impact"]["notes"], json!(["max_requests_per_1_minute falls from 500 to 100"]), "{preview}");
        let preview = agent.ok("update_rate_limit", wanted(700, true)).await;
        assert_eq!(preview["impact"].get("notes"), None, "{preview}");
        let before = agent.dump().await;
        let declined = agent.refusing().await.call("update_rate_limit", wanted(0, false)).await;
        assert_eq!(declined["status"], "refused", "{declined}");
        assert_eq!(agent.dump().await, before);
        agent.ok("update_rate_limit", wanted(0, false)).await;
        assert!(agent.questions()[0].contains("max_requests_per_1_minute falls from 500 to 0: use ends"));
    }
}

#[tokio::test]
async fn a_limit_that_falls_to_nearly_nothing_is_asked_like_one_of_nothing() {
    for agent in planted().await {
        let rate = |requests: u64| json!({ "project": "Ember", "model": "gpt-5", "max_requests_per_1_minute": requests });
        let hard = |amount: f64| json!({ "usage_limit": "lim_atlas", "soft_limit": 0, "hard_limit": amount });
        let before = agent.dump().await;
        for (tool, arguments, gravity) in [
            ("update_rate_limit", rate(1_001), "none"),
            ("update_rate_limit", rate(1_000), "low"),
            ("update_rate_limit", rate(1), "low"),
            ("update_usage_limit", hard(201.0), "none"),
            ("update_usage_limit", hard(200.0), "low"),
            ("update_usage_limit", hard(0.000_001), "low"),
            ("set_usage_limit", limit("Atlas", 0.0, 0.000_001), "low"),
        ] {
            let mut dry = arguments.clone();
            dry["dry_run"] = true.into();
            let told = agent.ok(tool, dry).await;
            assert_eq!(told["impact"]["gravity"], gravity, "{tool} {arguments}: {told}");
            if gravity != "none" {
                assert_eq!(agent.refusing().await.call(tool, arguments).await["status"], "refused");
            }
        }
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn another_unit_type_or_renewal_of_a_usage_limit_is_asked() {
    for agent in planted().await {
        agent.ok("set_usage_limit", limit("Ember", 5.0, 10.0)).await;
        agent.questions();
        let before = agent.dump().await;
        for (field, value, says) in [
            ("usage_unit", "Requests", "the unit changes from Cost to Requests"),
            ("subscription_type", "Daily", "the subscription type changes from Monthly to Daily"),
            ("renewal", "NonRenewable", "the renewal changes from Renewable to NonRenewable"),
        ] {
            let mut wanted = limit("Ember", 5.0, 1_000.0);
            wanted[field] = value.into();
            assert_eq!(agent.refusing().await.call("set_usage_limit", wanted.clone()).await["status"], "refused");
            wanted["dry_run"] = true.into();
            let told = agent.ok("set_usage_limit", wanted).await;
            assert_eq!(told["impact"]["gravity"], "low", "{told}");
            assert!(told["impact"]["notes"].to_string().contains(says), "{told}");
        }
        let renewal = json!({ "usage_limit": "lim_atlas", "renewal": "NonRenewable", "dry_run": true });
        let told = agent.ok("update_usage_limit", renewal).await;
        assert_eq!(told["impact"]["gravity"], "low", "{told}");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_rate_limit_that_does_not_exist_is_refused_with_those_that_do() {
    for agent in planted().await {
        let before = agent.dump().await;
        let wanted = json!({ "project": "Atlas", "model": "gpt-2", "max_requests_per_1_minute": 1 });
        let unknown = agent.fails("update_rate_limit", wanted, "model_not_found").await;
        assert!(unknown["fix"].as_str().unwrap().contains("whisper-1"), "{unknown}");
        let wanted = json!({ "project": "Atlas", "model": "gpt-5", "max_images_per_1_minute": 1 });
        let foreign = agent.fails("update_rate_limit", wanted, "invalid_arguments").await;
        assert!(foreign["fix"].as_str().unwrap().contains("max_tokens_per_1_minute"), "{foreign}");
        assert!(!foreign["fix"].as_str().unwrap().contains("images"), "{foreign}");
        agent.fails("update_rate_limit", json!({ "project": "Atlas", "model": "gpt-5" }), "invalid_arguments").await;
        let wanted = json!({ "project": "Atlas", "model": "gpt-5", "max_requests_per_1_minute": 1_000_000_001_u64 });
        agent.fails("update_rate_limit", wanted, "invalid_arguments").await;
        let wanted = json!({ "project": "Harbor", "model": "gpt-5", "max_requests_per_1_minute": 1 });
        agent.fails("update_rate_limit", wanted, "project_archived").await;
        assert_eq!(agent.dump().await, before);
    }
}

fn limit(project: &str, soft: f64, hard: f64) -> Value {
    json!({ "project": project, "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": soft, "hard_limit": hard, "renewal": "Renewable" })
}

#[tokio::test]
async fn a_new_usage_limit_takes_the_place_of_the_active_one() {
    for agent in planted().await {
        let first = agent.ok("set_usage_limit", limit("Ember", 10.0, 20.5)).await;
        assert_eq!(first.get("before"), None, "{first}");
        assert_eq!((&first["after"]["hard_limit"], &first["after"]["active"]), (&json!(20.5), &json!(true)), "{first}");
        let second = agent.ok("set_usage_limit", limit("Ember", 0.000_001, 999_999_999.999_999)).await;
        assert_eq!(second["before"]["usage_limit"], first["after"]["usage_limit"], "{second}");
        assert_eq!(second["after"]["soft_limit"], 0.000_001, "{second}");
        assert_eq!(second["after"]["hard_limit"], 999_999_999.999_999, "{second}");
        let list = |active: Option<bool>| {
            let mut arguments = json!({ "project": "Ember" });
            if let Some(active) = active {
                arguments["active"] = active.into();
            }
            agent.ok("list_usage_limits", arguments)
        };
        assert_eq!(list(Some(true)).await["items"], json!([second["after"]]));
        let past = list(Some(false)).await;
        assert_eq!(past["items"][0]["usage_limit"], first["after"]["usage_limit"], "{past}");
        let all = list(None).await;
        assert_eq!((&all["total"], &all["items"][0]["active"]), (&json!(2), &json!(true)), "{all}");
    }
}

#[tokio::test]
async fn an_organization_has_a_usage_limit_of_its_own() {
    for agent in planted().await {
        agent.fails("list_usage_limits", json!({}), "ambiguous_organization").await;
        let named = agent.ok("list_usage_limits", json!({ "organization": "Acme" })).await;
        assert_eq!((&named["total"], &named["items"][0]["organization"]), (&json!(2), &json!("Acme")), "{named}");
        let both = agent.ok("list_usage_limits", json!({ "organization": "Acme", "project": "Atlas", "active": true })).await;
        assert_eq!(both["items"][0]["usage_limit"], "lim_atlas", "{both}");
        agent.fails("list_usage_limits", json!({ "organization": "Nowhere" }), "organization_not_found").await;
        let acme = kept_to(&agent, "acme").await;
        let list = acme.ok("list_usage_limits", json!({})).await;
        assert_eq!(list["total"], 2, "those of projects are not among them: {list}");
        let mut wanted = limit("", 100.0, 200.0);
        wanted.as_object_mut().unwrap().shift_remove("project");
        let made = acme.ok("set_usage_limit", wanted).await;
        assert_eq!((&made["before"]["usage_limit"], &made["after"]["organization"]), (&json!("lim_acme"), &json!("Acme")), "{made}");
        let atlas = acme.ok("list_usage_limits", json!({ "project": "Atlas", "active": true })).await;
        assert_eq!(atlas["items"][0]["usage_limit"], "lim_atlas", "{atlas}");
    }
}

#[tokio::test]
async fn usage_limits_that_break_a_rule_change_nothing() {
    for agent in planted().await {
        let before = agent.dump().await;
        agent.fails("set_usage_limit", limit("Ember", 20.0, 10.0), "soft_above_hard").await;
        agent.fails("set_usage_limit", limit("Ember", -1.0, 10.0), "invalid_arguments").await;
        agent.fails("set_usage_limit", limit("Ember", 1.0, 1_000_000_000.5), "invalid_arguments").await;
        agent.fails("set_usage_limit", limit("Ember", 0.000_000_1, 1.0), "invalid_arguments").await;
        agent.fails("set_usage_limit", limit("Harbor", 1.0, 2.0), "project_archived").await;
        let mut free = limit("Ember", 1.0, 2.0);
        free["subscription_type"] = "Freemium".into();
        agent.fails("set_usage_limit", free, "renewal_not_allowed").await;
        let update = |change: Value| {
            let mut arguments = json!({ "project": "Lumen", "usage_limit": "lim_lumen" });
            arguments.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            arguments
        };
        agent.fails("update_usage_limit", update(json!({ "renewal": "Renewable" })), "renewal_not_allowed").await;
        agent.fails("update_usage_limit", update(json!({ "soft_limit": 1_000.000_001 })), "soft_above_hard").await;
        agent.fails("update_usage_limit", update(json!({ "hard_limit": 899 })), "soft_above_hard").await;
        agent.fails("update_usage_limit", update(json!({})), "invalid_arguments").await;
        agent.fails("update_usage_limit", json!({ "usage_limit": "lim_none", "hard_limit": 1 }), "usage_limit_not_found").await;
        let elsewhere = json!({ "project": "Atlas", "usage_limit": "lim_lumen", "hard_limit": 1 });
        agent.fails("update_usage_limit", elsewhere, "usage_limit_not_found").await;
        agent.fails("update_usage_limit", json!({ "usage_limit": "lim_acme_before", "hard_limit": 10_001 }), "usage_limit_inactive").await;
        let labs = kept_to(&agent, "acme-labs").await;
        labs.fails("delete_usage_limit", json!({ "usage_limit": "lim_atlas" }), "usage_limit_not_found").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn both_bounds_can_move_past_the_old_ones_at_once() {
    for agent in planted().await {
        let wanted = |soft: u32, hard: u32| json!({ "usage_limit": "lim_atlas", "soft_limit": soft, "hard_limit": hard });
        let up = agent.ok("update_usage_limit", wanted(5_000, 6_000)).await;
        assert_eq!((&up["before"]["hard_limit"], &up["after"]["soft_limit"]), (&json!(2_000.0), &json!(5_000.0)), "{up}");
        let mut down = wanted(10, 10);
        down["dry_run"] = true.into();
        let preview = agent.ok("update_usage_limit", down).await;
        assert_eq!(preview["impact"]["notes"], json!(["the hard limit falls from 6000 to 10"]), "{preview}");
        let down = agent.ok("update_usage_limit", wanted(10, 10)).await;
        assert_eq!(down["after"]["hard_limit"], 10.0, "{down}");
        assert_eq!(down["after"]["usage_limit"], "lim_atlas", "{down}");
    }
}

#[tokio::test]
async fn a_hard_limit_that_falls_is_said_and_one_of_nothing_is_asked() {
    for agent in planted().await {
        let told = async |tool: &str, mut arguments: Value| {
            arguments["dry_run"] = true.into();
            agent.ok(tool, arguments).await["impact"].clone()
        };
        let none = told("update_usage_limit", json!({ "usage_limit": "lim_atlas", "soft_limit": 0, "hard_limit": 0 })).await;
        assert_eq!(none["gravity"], "low");
        assert_eq!(none["notes"][0], "the hard limit falls from 2000 to 0: use ends", "{none}");
        agent.ok("set_usage_limit", limit("Ember", 5.0, 10.0)).await;
        let lower = told("set_usage_limit", limit("Ember", 5.0, 8.0)).await;
        assert_eq!((&lower["gravity"], &lower["notes"][0]), (&json!("none"), &json!("the hard limit falls from 10 to 8")), "{lower}");
        let none = told("set_usage_limit", limit("Ember", 0.0, 0.0)).await;
        let falls = json!("the hard limit falls from 10 to 0: use ends");
        assert_eq!((&none["gravity"], &none["notes"][0]), (&json!("low"), &falls), "{none}");
        let higher = told("set_usage_limit", limit("Ember", 5.0, 12.0)).await;
        assert_eq!(higher["notes"].as_array().unwrap().len(), 1, "{higher}");

        agent.ok("create_project", json!({ "name": "Quartz", "organization": "Acme" })).await;
        let none = told("set_usage_limit", limit("Quartz", 0.0, 0.0)).await;
        assert_eq!((&none["gravity"], &none["notes"][0]), (&json!("low"), &json!("the hard limit is set to 0 Cost")), "{none}");
        let least = told("set_usage_limit", limit("Quartz", 0.0, 0.000_001)).await;
        assert_eq!(least["gravity"], "low", "nearly nothing is as good as nothing: {least}");
        assert_eq!(told("set_usage_limit", limit("Quartz", 5.0, 10.0)).await["gravity"], "none");
        let before = agent.dump().await;
        agent.refusing().await.call("set_usage_limit", limit("Quartz", 0.0, 0.0)).await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_deleted_usage_limit_bounds_nothing_and_a_person_is_told() {
    for agent in planted().await {
        let before = agent.dump().await;
        let wanted = json!({ "project": "Atlas", "usage_limit": "lim_atlas" });
        let declined = agent.refusing().await.call("delete_usage_limit", wanted.clone()).await;
        assert_eq!(declined["status"], "refused", "{declined}");
        assert_eq!(agent.dump().await, before);
        let gone = agent.ok("delete_usage_limit", wanted.clone()).await;
        assert_eq!(gone["before"]["hard_limit"], 2_000.0, "{gone}");
        let question = agent.questions().remove(0);
        assert!(question.contains("the use of project `Atlas` is no longer bounded by the Monthly limit of 2000 Cost"), "{question}");
        agent.fails("delete_usage_limit", wanted, "usage_limit_not_found").await;
        let past = agent.ok("delete_usage_limit", json!({ "usage_limit": "lim_acme_before" })).await;
        assert_eq!(past.get("undo"), None, "a past limit does not come back: {past}");
    }
}
