//! Many people into projects at once, through a real client.

use rolecall::{
    guard::Caller,
    jobs::{Halt, Moment, Wait},
};

use crate::{
    company::{acme, declined, email, join, owned, refused},
    support::{Agent, Options, Value, json},
};

fn outcomes(answer: &Value) -> Vec<String> {
    let items = answer["after"]["items"].as_array().unwrap();
    items
        .iter()
        .map(|it| {
            let reason = it["reason"].as_str().map(|it| format!(": {it}")).unwrap_or_default();
            format!("{} {} {}{reason}", it["member"].as_str().unwrap(), it["project"].as_str().unwrap(), it["outcome"].as_str().unwrap())
        })
        .collect()
}

async fn company(agent: &Agent) {
    acme(agent, &["ana", "bo", "cy"]).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    agent.ok("create_project", json!({ "name": "Data, Lab" })).await;
}

/// Who is in a project, each with their roles.
async fn seats(agent: &Agent, project: &str) -> Vec<(String, Value)> {
    let list = agent.ok("list_project_members", json!({ "project": project })).await;
    list["items"].as_array().unwrap().iter().map(|it| (it["member"].as_str().unwrap().to_owned(), it["roles"].clone())).collect()
}

#[tokio::test]
async fn people_are_added_from_a_list_with_an_outcome_each() {
    for agent in Agent::each().await {
        company(&agent).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        let people = json!({ "people": [
            { "project": "atlas", "member": "ANA@acme.example", "roles": ["member", "viewer"] },
            { "project": "Atlas", "member": email("bo"), "roles": ["viewer"] },
            { "project": "Data, Lab", "member": email("bo"), "roles": ["member"] },
            { "project": "ATLAS", "member": email("ana"), "roles": ["viewer", "member"] },
            { "project": "Data, Lab", "member": email("cy"), "roles": ["viewer"] },
        ] });
        let done = agent.ok("add_project_members", people.clone()).await;
        assert_eq!(
            outcomes(&done),
            [
                "ana@acme.example atlas done",
                "bo@acme.example Atlas skipped: `bo@acme.example` is in project `Atlas` already, as viewer",
                "bo@acme.example Data, Lab done",
                "ana@acme.example ATLAS skipped: duplicate of row 1",
                "cy@acme.example Data, Lab done",
            ]
        );
        assert_eq!(done["after"]["done"], 3, "{done}");
        assert_eq!(done["after"]["skipped"], 2, "{done}");
        assert_eq!((&done["target"]["kind"], &done["target"]["name"]), (&json!("batch"), &json!("3 people")), "{done}");
        assert!(done["target"]["within"].as_str().unwrap().contains("Data, Lab ["), "{done}");
        let questions = agent.questions();
        assert_eq!(questions.len(), 1, "one question for all: {questions:?}");
        for whom in [
            ": joins project Atlas as member; joins project Atlas as viewer: ana@acme.example",
            ": joins project Data, Lab as member: bo@acme.example",
        ] {
            assert!(questions[0].contains(whom), "it shows who gets what: {}", questions[0]);
        }
        assert_eq!(seats(&agent, "Atlas").await, [(email("ana"), json!(["member", "viewer"])), (email("bo"), json!(["viewer"]))],);
        assert_eq!(seats(&agent, "Data, Lab").await, [(email("bo"), json!(["member"])), (email("cy"), json!(["viewer"]))]);
        let before = agent.dump().await;
        let again = agent.ok("add_project_members", people).await;
        assert_eq!((&again["after"]["done"], &again["after"]["skipped"]), (&json!(0), &json!(5)), "{again}");
        assert_eq!(agent.questions(), [""; 0], "nothing is to be done, nothing is asked");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn people_are_added_from_a_file() {
    for agent in Agent::each().await {
        company(&agent).await;
        let csv = "\u{feff}# the new ones\nproject,email,roles\natlas,ana@acme.example,member;viewer\n\n# two projects\n\"Data, Lab\", Bo@Acme.example ,viewer|member\natlas,bo@acme.example,viewer\r\n";
        let done = agent.ok("add_project_members", json!({ "csv": csv })).await;
        assert_eq!(outcomes(&done), ["ana@acme.example atlas done", "bo@acme.example Data, Lab done", "bo@acme.example atlas done"],);
        assert_eq!(done["after"]["items"][1]["roles"], json!(["viewer", "member"]), "{done}");
        assert_eq!(seats(&agent, "Data, Lab").await, [(email("bo"), json!(["member", "viewer"]))]);
    }
}

#[tokio::test]
async fn rows_that_cannot_be_made_fail_alone_and_all_that_is_wrong_is_told_at_once() {
    for agent in Agent::each().await {
        company(&agent).await;
        agent.ok("create_project", json!({ "name": "Old" })).await;
        agent.ok("archive_project", json!({ "project": "Old" })).await;
        let wrong = "Atlantis,ana@acme.example,viewer\n\
                     Atlas,di@acme.example,viewer\n\
                     Atlas,bo@acme.example,chief\n\
                     \n\
                     Old,bo@acme.example,viewer\n\
                     Atlas,cy@acme.example\n";
        let csv = format!("# who\nAtlas,ana@acme.example,viewer\n{wrong}Atlas,ana@acme.example,owner\n");
        let preview = declined(&agent, "add_project_members", json!({ "csv": csv })).await;
        let question = preview["question"].as_str().unwrap();
        assert!(question.contains("batch 1 person in project Atlas ["), "{question}");
        assert!(
            question.contains("- 6 cannot be made: row 3 (no project `Atlantis`"),
            "who agrees knows what comes to nothing: {question}"
        );
        let done = agent.ok("add_project_members", json!({ "csv": csv })).await;
        assert_eq!((&done["status"], &done["after"]["done"], &done["after"]["failed"]), (&json!("partly"), &json!(1), &json!(6)), "{done}");
        let outcomes = outcomes(&done);
        let expected = [
            "ana@acme.example Atlas done",
            "ana@acme.example Atlantis failed: row 3: no project `Atlantis`",
            "di@acme.example Atlas failed: row 4: `di@acme.example` is not a member of `Acme`; bring them in first",
            "bo@acme.example Atlas failed: row 5: no role `chief`",
            "bo@acme.example Old failed: row 7: project `Old` is archived",
            "cy@acme.example Atlas failed: row 8: it has 2 of the 3 columns",
            "ana@acme.example Atlas failed: row 9: gives other roles than row 2",
        ];
        assert_eq!(outcomes.len(), expected.len(), "{outcomes:?}");
        for (line, start) in outcomes.iter().zip(expected) {
            assert!(line.starts_with(start), "{line} does not start with {start}");
        }
        assert_eq!(seats(&agent, "Atlas").await, [(email("ana"), json!(["viewer"]))], "the good row, and no other");

        let before = agent.dump().await;
        agent.questions();
        let done = agent.ok("add_project_members", json!({ "csv": wrong })).await;
        assert_eq!((&done["after"]["done"], &done["after"]["failed"]), (&json!(0), &json!(5)), "{done}");
        assert_eq!(agent.questions(), [""; 0], "nothing can be made, nothing is asked");
        assert_eq!(agent.dump().await, before, "nothing was changed");
    }
}

#[tokio::test]
async fn who_is_a_member_with_other_roles_is_left_alone_and_it_is_said() {
    for agent in Agent::each().await {
        company(&agent).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        let done = agent.ok("add_project_members", json!({ "csv": "Atlas,bo@acme.example,owner" })).await;
        assert_eq!(agent.questions(), [""; 0], "nothing is given, nothing is asked");
        let told = "row 1: `bo@acme.example` is in project `Atlas` already, as viewer; replace the roles with update_project_member, or add one with assign_role";
        assert_eq!(outcomes(&done), [format!("bo@acme.example Atlas differs: {told}")]);
        assert_eq!(agent.ok("get_project_member", json!({ "project": "Atlas", "member": email("bo") })).await["roles"], json!(["viewer"]));
    }
}

#[tokio::test]
async fn one_question_names_all_who_get_power() {
    for agent in Agent::each().await {
        company(&agent).await;
        owned(&agent).await;
        let csv = "Atlas,ana@acme.example,owner\nAtlas,bo@acme.example,owner\n\"Data, Lab\",cy@acme.example,viewer\n";
        let preview = declined(&agent, "add_project_members", json!({ "csv": csv })).await;
        let impact = &preview["impact"];
        assert_eq!((&impact["gravity"], &impact["undo"]), (&json!("low"), &json!("undo with the job's id")), "{preview}");
        let notes: Vec<&str> = impact["notes"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        let told = format!(": becomes owner of project Atlas, with power over others: {}, {}", email("ana"), email("bo"));
        assert!(notes[0].starts_with("2 × Add project member in project Atlas [") && notes[0].ends_with(&told), "{preview}");
        let told = format!(": joins project Data, Lab as viewer: {}", email("cy"));
        assert!(notes[1].starts_with("Add project member in project Data, Lab [") && notes[1].ends_with(&told), "{preview}");
        assert_eq!(notes.len(), 2, "{preview}");
        agent.ok("add_project_members", json!({ "csv": csv })).await;
        assert_eq!(agent.questions().len(), 1);
    }
}

#[tokio::test]
async fn a_batch_is_taken_back_by_its_job_and_leaves_alone_who_was_there_before() {
    for agent in Agent::each().await {
        company(&agent).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        let before = seats(&agent, "Atlas").await;
        let csv = "Atlas,ana@acme.example,member;viewer\nAtlas,bo@acme.example,viewer\nAtlas,cy@acme.example,member\n";
        let done = agent.ok("add_project_members", json!({ "csv": csv })).await;
        assert_eq!(done["after"]["done"], 2, "{done}");
        let back = agent.ok("undo", json!({ "job": done["job"] })).await;
        assert_eq!(back["after"]["done"], 2, "{back}");
        assert_eq!(seats(&agent, "Atlas").await, before);
    }
}

#[tokio::test]
async fn a_batch_whose_process_dies_goes_on_and_adds_everybody_once() {
    for moment in [Moment::BeforeIntent, Moment::AfterIntent, Moment::AfterAct] {
        for agent in Agent::each().await {
            acme(&agent, &["ana", "bo", "cy", "di", "ed"]).await;
            agent.ok("create_project", json!({ "name": "Atlas" })).await;
            agent.app.jobs().halt_at(Halt { row: 2, moment });
            let csv = ["ana", "bo", "cy", "di", "ed"].map(|it| format!("Atlas,{},viewer\n", email(it))).concat();
            let broken = agent.ok("add_project_members", json!({ "csv": csv })).await;
            assert_eq!(broken["status"], "running", "{broken}");
            let job = broken["job"].as_str().unwrap();
            let mut tx = agent.db().recording().begin().await.unwrap();
            tx.run("UPDATE jobs SET lease_until = 0", &[]).await.unwrap();
            tx.commit().await.unwrap();
            let app = agent.store.app(&Options::default()).await;
            assert_eq!(app.jobs().resume(Some(job)).await.unwrap(), [job]);
            app.jobs().finished(job, Wait::to_the_end()).await;
            let caller = Caller { principal: "local".into(), client: "test".into(), can_ask: false };
            let report = app.jobs().report(job, &caller).await.unwrap();
            assert_eq!((&report["status"], &report["after"]["done"]), (&json!("done"), &json!(5)), "{moment:?}: {report}");
            let seats = seats(&agent, "Atlas").await;
            assert_eq!(seats, ["ana", "bo", "cy", "di", "ed"].map(|it| (email(it), json!(["viewer"]))), "{moment:?}");
            assert!(agent.db().read().await.unwrap().verify_ledger().await.unwrap().broken.is_none());
        }
    }
}

#[tokio::test]
async fn a_batch_has_one_source_and_at_most_ten_thousand_rows() {
    for agent in Agent::each().await {
        company(&agent).await;
        let one = json!([{ "project": "Atlas", "member": email("ana"), "roles": ["viewer"] }]);
        refused(&agent, "add_project_members", json!({ "people": one, "csv": "Atlas,ana@acme.example,viewer" }), "invalid_arguments").await;
        refused(&agent, "add_project_members", json!({}), "invalid_arguments").await;
        refused(&agent, "add_project_members", json!({ "csv": "# nobody\n" }), "invalid_arguments").await;
        refused(&agent, "add_project_members", json!({ "csv": "project,member\nAtlas,ana@acme.example" }), "invalid_arguments").await;
        let many = "Atlas,ana@acme.example,viewer\n".repeat(10_001);
        let refusal = refused(&agent, "add_project_members", json!({ "csv": many }), "invalid_arguments").await;
        assert!(refusal["message"].as_str().unwrap().contains("10001 rows are more than the 10000 of one call"), "{refusal}");
        let more_than_listed = "Atlas,ana@acme.example,viewer\n".repeat(1001);
        let done = agent.ok("add_project_members", json!({ "csv": more_than_listed })).await;
        assert_eq!((&done["after"]["done"], &done["after"]["skipped"]), (&json!(1), &json!(1000)));
    }
}

#[tokio::test]
async fn a_thousand_people_are_added_in_one_call() {
    let agent = Agent::new().await;
    company(&agent).await;
    let mut tx = agent.db().recording().begin().await.unwrap();
    for n in 0..1000 {
        let user =
            "INSERT INTO users (id, email, name, name_key, created_at) VALUES ('u' || $1, 'p' || $1 || '@acme.example', 'P', 'p', 0)";
        let member = "INSERT INTO organization_members (organization_id, user_id, role_id, joined_at) \
                      SELECT id, 'u' || $1, 'role_organization_member', 0 FROM organizations";
        for sql in [user, member] {
            tx.run(sql, &[rolecall::store::Val::from(n.to_string())]).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    let csv = (0..1000).map(|n| format!("Atlas,p{n}@acme.example,owner;viewer\n")).collect::<Vec<_>>().concat();
    let done = agent.ok("add_project_members", json!({ "csv": csv })).await;
    assert_eq!(done["after"]["done"], 1000, "{done}");
    assert_eq!(agent.ok("list_project_members", json!({ "project": "Atlas", "role": "owner" })).await["total"], 1000);
}
