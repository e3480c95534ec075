//! How much one plan may remove.

use rolecall::guard::GuardSettings;

use crate::{
    company::acme,
    practice::steps_of,
    support::{Agent, Options, Store, json},
};

#[tokio::test]
async fn a_plan_takes_away_as_much_as_the_operator_has_set_and_no_more() {
    let guard = GuardSettings { max_removals: Some(2), ..GuardSettings::default() };
    for store in Store::each().await {
        let agent = Agent::on(&store, Options { guard: guard.clone(), ..Options::default() }).await;
        acme(&agent, &["ana"]).await;
        for name in ["One", "Two", "Three"] {
            agent.ok("create_project", json!({ "name": name })).await;
        }
        agent.questions();
        let before = agent.dump().await;
        let steps = |names: &[&str]| json!({ "steps": steps_of("delete_project", "project", names, &json!({})) });
        for dry_run in [true, false] {
            let mut all = steps(&["One", "Two", "Three"]);
            all["dry_run"] = dry_run.into();
            let refused = agent.fails("apply_changes", all, "too_many_removals").await;
            assert_eq!(refused["message"], "this removes 3 projects, 3 in all, and one plan may remove 2");
            assert!(refused["fix"].as_str().unwrap().contains("guard.max_removals"), "{refused}");
        }
        assert_eq!((agent.questions(), agent.dump().await), (Vec::new(), before), "nobody was asked and nothing was sent");
        agent.ok("apply_changes", steps(&["One", "Two"])).await;
        agent.ok("apply_changes", steps(&["Three"])).await;
    }
}
