//! Resources of projects, through a real client.

use crate::{
    seed::{kept_to, planted},
    support::json,
};

#[tokio::test]
async fn resources_are_listed_by_type_and_page_by_page() {
    for agent in planted().await {
        let all = agent.ok("list_project_resources", json!({ "project": "Atlas" })).await;
        assert_eq!((&all["shown"], &all["total"]), (&json!(3), &json!(3)), "{all}");
        let datasets = agent.ok("list_project_resources", json!({ "project": "Atlas", "resource_type": "Dataset" })).await;
        assert_eq!(datasets["total"], 2, "{datasets}");
        let mut seen = Vec::new();
        let mut arguments = json!({ "project": "Atlas", "limit": 1 });
        loop {
            let page = agent.ok("list_project_resources", arguments.clone()).await;
            seen.extend(page["items"].as_array().unwrap().clone());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            arguments["cursor"] = cursor.into();
        }
        assert_eq!(json!(seen), all["items"]);
        agent.fails("list_project_resources", json!({ "project": "Atlas", "cursor": "x" }), "invalid_arguments").await;
    }
}

#[tokio::test]
async fn a_resource_is_assigned_and_taken_off_again() {
    for agent in planted().await {
        let before = agent.dump().await;
        let wanted = json!({ "project": "Ember", "resource_type": "Dataset", "resource_id": "Burn-Scars" });
        let made = agent.ok("assign_project_resource", wanted.clone()).await;
        assert_eq!(made["after"]["resource_type"], "dataset", "{made}");
        assert_eq!(made["after"]["resource_id"], "Burn-Scars", "{made}");
        assert_eq!(agent.questions(), Vec::<String>::new(), "nobody loses or gains power");
        let gone = agent.ok("remove_project_resource", wanted).await;
        assert_eq!((&gone["before"], &gone["undo"]), (&made["after"], &json!("assign_project_resource")), "{gone}");
        let question = agent.questions().remove(0);
        assert!(question.contains("3 people can no longer use it here (amara.diallo@acme.example"), "{question}");
        assert_eq!(agent.dump().await["resources"], before["resources"]);
    }
}

#[tokio::test]
async fn a_resource_belongs_to_one_project_at_most() {
    for agent in planted().await {
        let before = agent.dump().await;
        let wanted = |project: &str| json!({ "project": project, "resource_type": "dataset", "resource_id": "polar-stations" });
        let elsewhere = agent.fails("assign_project_resource", wanted("Atlas"), "resource_assigned").await;
        assert!(elsewhere["message"].as_str().unwrap().contains("`Borealis`"), "{elsewhere}");
        let here = agent.fails("assign_project_resource", wanted("Borealis"), "already_assigned").await;
        assert!(here["message"].as_str().unwrap().contains("this project"), "{here}");
        let labs = kept_to(&agent, "acme-labs").await;
        let hidden = labs.fails("assign_project_resource", wanted("Prism"), "resource_assigned").await;
        assert!(!hidden.to_string().contains("Borealis"), "another organization's project is not named: {hidden}");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn what_is_not_there_cannot_be_taken_off() {
    for agent in planted().await {
        let before = agent.dump().await;
        let wanted = |id: &str| json!({ "project": "Atlas", "resource_type": "dataset", "resource_id": id });
        agent.fails("remove_project_resource", wanted("nothing"), "resource_not_found").await;
        agent.fails("remove_project_resource", wanted("polar-stations"), "already_gone").await;
        let wanted = json!({ "project": "Harbor", "resource_type": "dataset", "resource_id": "tides" });
        agent.fails("assign_project_resource", wanted.clone(), "project_archived").await;
        agent.fails("remove_project_resource", wanted, "project_archived").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_person_who_declines_keeps_the_resource_where_it_is() {
    for agent in planted().await {
        let before = agent.dump().await;
        let wanted = json!({ "project": "Atlas", "resource_type": "model", "resource_id": "placement-v3" });
        let answer = agent.refusing().await.call("remove_project_resource", wanted).await;
        assert_eq!(answer["status"], "refused", "{answer}");
        assert_eq!(agent.dump().await, before);
    }
}
