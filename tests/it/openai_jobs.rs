//! OpenAI: whole jobs, and how many requests they take.

use crate::{
    support::{Value, json},
    support_openai::Company,
};

/// "Put this person in that project as member, and tell me who else can see its keys."
#[tokio::test]
async fn a_person_comes_into_a_project_and_who_sees_its_keys_is_told_in_three_calls() {
    let company = Company::new().await;
    let (joined, _) =
        company.change("add_project_member", json!({ "project": "Atlas", "member": "linh.tran@acme.example", "roles": ["member"] })).await;
    assert_eq!(joined["status"], "done");
    let (people, _) = company.look("list_project_members", json!({ "project": "Atlas" })).await;
    let (roles, _) = company.look("list_roles", json!({ "project": "Atlas" })).await;
    let sees = |role: &Value| role["permissions"].as_array().unwrap().iter().any(|it| it.as_str().unwrap().ends_with("api_keys.read"));
    let sees: Vec<&str> = roles["items"].as_array().unwrap().iter().filter(|it| sees(it)).map(|it| it["role"].as_str().unwrap()).collect();
    let can = |it: &Value| it["roles"].as_array().unwrap().iter().any(|role| sees.contains(&role.as_str().unwrap()));
    let who: Vec<&str> = people["items"].as_array().unwrap().iter().filter(|it| can(it)).map(|it| it["member"].as_str().unwrap()).collect();
    assert_eq!(
        who,
        [
            "ana.ruiz@acme.example",
            "chidi.okonjo@acme.example",
            "elif.kaya@acme.example",
            "jonas.weber@acme.example",
            "linh.tran@acme.example",
            "marta.nowicka@acme.example",
            "mei.tanaka@acme.example",
            "oskar.lindqvist@acme.example",
        ]
    );
}

/// Puts as many people more into the organization.
fn hire(company: &Company, count: usize) {
    let mut state = serde_json::to_value(&*company.sandbox.platform()).unwrap();
    for it in 0..count {
        let id = format!("user-n{it:04}");
        state["places"][&id] = json!(1_000_000 + it);
        let user = json!({
            "id": id, "name": "N", "email": format!("n{it:04}@acme.example"), "added_at": 1, "is_scim_managed": false,
            "technical_level": null, "developer_persona": null,
        });
        state["users"].as_array_mut().unwrap().push(user);
    }
    *company.sandbox.platform() = serde_json::from_value(state).unwrap();
}

#[tokio::test]
async fn many_people_are_planned_with_a_handful_of_requests() {
    let company = Company::new().await;
    hire(&company, 500);
    let mut csv = String::new();
    for it in 0..500 {
        csv += &format!("{},n{it:04}@acme.example,member\n", if it % 2 == 0 { "Atlas" } else { "Borealis" });
    }
    csv += "Atlas,nobody@acme.example,member\nNowhere,n0001@acme.example,member\nAtlas,ana.ruiz@acme.example,owner\nAtlas,n0000@acme.example,member\n";
    company.sandbox.clear_journal();
    let answer = company.agent.ok("add_project_members", json!({ "csv": csv })).await;
    let counts = ["done", "skipped", "failed", "unknown"].map(|it| answer["after"][it].as_u64().unwrap());
    assert_eq!(
        counts,
        [500, 2, 2, 0],
        "{}",
        answer["after"]["items"].as_array().unwrap().iter().filter(|it| it["outcome"] != "done").map(Value::to_string).collect::<String>()
    );
    assert_eq!(company.writes().len(), 500);
    // People by e-mail and then whole, projects, who is in them: once for the question and once after the yes.
    let reads = company.reads();
    assert!(reads.len() <= 48, "{} reads: {reads:?}", reads.len());
}

#[tokio::test]
async fn names_are_looked_up_once_in_a_call() {
    let company = Company::new().await;
    let (_, _) = company.look("get_project_member", json!({ "project": "Atlas", "member": "ana.ruiz@acme.example" })).await;
    let mut reads = company.reads();
    let all = reads.len();
    reads.sort();
    reads.dedup();
    assert_eq!(reads.len(), all, "{reads:?}");
}
