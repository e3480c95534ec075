//! OpenAI: teams, which are its groups.

use crate::{
    support::json,
    support_openai::{Company, each},
};

#[tokio::test]
async fn teams_are_listed_made_renamed_and_deleted() {
    let company = Company::new().await;
    let (page, sent) = company.look("list_teams", json!({ "limit": 2 })).await;
    assert_eq!((each(&page, "team"), sent), (vec!["Field crew".into(), "Reviewers".into()], vec!["/organization/groups?limit=2".into()]));
    let (next, _) = company.look("list_teams", json!({ "limit": 2, "cursor": page["next_cursor"] })).await;
    assert_eq!((each(&next, "team"), next["has_more"].clone()), (vec!["Engineering".into()], json!(false)));
    assert_eq!(each(&company.look("list_teams", json!({ "query": "crew" })).await.0, "id"), ["group_crew"]);
    let (one, sent) = company.look("get_team", json!({ "team": "field crew" })).await;
    assert_eq!((one["team"].clone(), sent[1].as_str()), (json!("Field crew"), "/organization/groups/group_crew"));
    let (made, sent) = company.change("create_team", json!({ "name": "Sailors" })).await;
    assert_eq!(sent, [r#"POST /organization/groups {"name":"Sailors"}"#]);
    let id = made["target"]["id"].as_str().unwrap();
    company.refused("create_team", json!({ "name": "sailors" }), "name_taken").await;
    let (_, sent) = company.change("update_team", json!({ "team": "Sailors", "name": "Old sailors" })).await;
    assert_eq!(sent, [format!(r#"POST /organization/groups/{id} {{"name":"Old sailors"}}"#)]);
    company.agent.questions();
    let (_, sent) = company.change("delete_team", json!({ "team": "Field crew" })).await;
    assert_eq!(sent, ["DELETE /organization/groups/group_crew"]);
    assert_eq!(
        company.agent.questions(),
        ["Delete team: team Field crew [group_crew], organization openai (connection openai)?\n\
          - 1 team ends (Field crew)\n\
          - 1 project left without the team (Borealis)\n\
          - 2 people leave the team (noor.vandijk@acme.example, priya.raman@acme.example)\n\
          This cannot be undone.\nTo confirm, type: Field crew"]
    );
}

#[tokio::test]
async fn what_an_identity_provider_manages_is_left_to_it() {
    let company = Company::new().await;
    company.refused("update_team", json!({ "team": "Engineering", "name": "x" }), "managed_elsewhere").await;
    company.refused("delete_team", json!({ "team": "Engineering" }), "managed_elsewhere").await;
    company.refused("add_team_member", json!({ "team": "Engineering", "member": "user-mei" }), "managed_elsewhere").await;
    company.refused("remove_team_member", json!({ "team": "Engineering", "member": "user-ana" }), "managed_elsewhere").await;
}

#[tokio::test]
async fn people_join_teams_and_leave_them() {
    let company = Company::new().await;
    let (people, sent) = company.look("list_team_members", json!({ "team": "Reviewers" })).await;
    assert_eq!(each(&people, "member"), ["elif.kaya@acme.example", "chidi.okonjo@acme.example"]);
    assert_eq!(sent[1], "/organization/groups/group_reviewers/users?limit=25");
    let ravi = json!({ "team": "Reviewers", "member": "ravi.deshpande@acme.example" });
    let (_, sent) = company.change("add_team_member", ravi.clone()).await;
    assert_eq!(sent, [r#"POST /organization/groups/group_reviewers/users {"user_id":"user-ravi"}"#]);
    assert_eq!(
        company.agent.questions(),
        ["Add team member: member ravi.deshpande@acme.example [user-ravi] in team Reviewers [group_reviewers], \
          organization openai (connection openai)?\n\
          - joins team Reviewers as member: ravi.deshpande@acme.example\n\
          - joins project Atlas as viewer through team Reviewers: ravi.deshpande@acme.example\n\
          - becomes key master of project Atlas, with power over others through team Reviewers: ravi.deshpande@acme.example\n\
          Undo: remove_team_member"]
    );
    company.refused("add_team_member", ravi.clone(), "already_member").await;
    let (_, sent) = company.change("remove_team_member", ravi.clone()).await;
    assert_eq!(sent, ["DELETE /organization/groups/group_reviewers/users/user-ravi"]);
    company.refused("remove_team_member", ravi, "already_gone").await;
    company.refused("add_team_member", json!({ "team": "Reviewers", "member": "user-mei", "role": "x" }), "invalid_arguments").await;
}
