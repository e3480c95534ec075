//! One tool for each row of a table, and arguments that come as JSON text.

use crate::{
    company::{acme, column, email, refused, team},
    jobs::{adding, company, outcomes},
    support::{Agent, Options, Store, Value, json, one_of_each},
};

async fn projects(agent: &Agent, names: &[&str]) {
    for name in names {
        agent.ok("create_project", json!({ "name": name, "organization": "Acme" })).await;
    }
    agent.questions();
}

async fn members_of(agent: &Agent, team: &str) -> Vec<String> {
    column(&agent.ok("list_team_members", json!({ "team": team })).await, "member")
}

#[tokio::test]
async fn a_steps_arguments_may_be_json_text_since_strict_clients_empty_open_objects() {
    for agent in Agent::each().await {
        company(&agent).await;
        agent.ok("create_user", json!({ "email": email("ana2"), "name": "Another Ana", "organization": "Acme" })).await;
        let as_text = |step: Value| json!({ "tool": step["tool"], "arguments": step["arguments"].to_string() });
        let twice = |step: Value| json!({ "tool": step["tool"], "arguments": Value::from(step["arguments"].to_string()).to_string() });
        let steps = json!([as_text(adding("bo", &["viewer"])), twice(adding("cy", &["viewer"]))]);
        let done = agent.ok("apply_changes", json!({ "steps": steps.to_string() })).await;
        assert_eq!(outcomes(&done), ["1 done", "2 done"], "{done}");
        // The same call with objects is the same call.
        let plain = json!({ "steps": [adding("ana2", &["owner"])], "idempotency_key": "k" });
        let text = json!({ "steps": [as_text(adding("ana2", &["owner"]))], "idempotency_key": "k" });
        let first = agent.call("apply_changes", plain).await;
        let again = agent.call("apply_changes", text).await;
        assert_eq!((&again["job"], &again["replayed"]), (&first["job"], &json!(true)), "{again}");
        for wrong in ["[1]", "{\"project\":", "7", "Atlas"] {
            let step = json!({ "tool": "archive_project", "arguments": wrong });
            let refusal = refused(&agent, "apply_changes", json!({ "steps": [step] }), "invalid_arguments").await;
            let said = (refusal["message"].as_str().unwrap(), refusal["fix"].as_str().unwrap());
            assert!(said.0.starts_with("`steps[0].arguments` is `") && said.1.starts_with("give an object"), "{refusal}");
        }
    }
}

#[tokio::test]
async fn a_table_is_a_call_of_any_tool_for_each_row_with_one_question() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo", "cy"]).await;
        team(&agent, "Core", &["ana"]).await;
        let csv =
            format!("Team Name,E-Mail Address\nCore,{}\nCore,{}\nCore,{}\nKore,{}\n", email("bo"), email("cy"), email("bo"), email("cy"));
        let done = agent.ok("apply_changes", json!({ "tool": "add_team_member", "csv": csv })).await;
        let reasons: Vec<String> = outcomes(&done);
        assert_eq!(reasons[..3], ["2 done", "3 done", "4 skipped: duplicate of row 2"], "{done}");
        assert!(reasons[3].starts_with("5 failed: no team `Kore`"), "{done}");
        assert_eq!(done["status"], "partly", "{done}");
        assert_eq!(members_of(&agent, "Core").await, [email("ana"), email("bo"), email("cy")]);
        // Each is a call of its own in the ledger, and the whole is taken back as one.
        let rows = agent.ok("list_activity", json!({ "tool": "add_team_member", "limit": 2 })).await;
        assert_eq!(column(&rows, "outcome"), ["done", "done"], "{rows}");
        agent.questions();
        agent.ok("undo", json!({ "job": done["job"] })).await;
        assert_eq!(members_of(&agent, "Core").await, [email("ana")]);
        assert_eq!(agent.questions().len(), 1);
    }
}

#[tokio::test]
async fn what_a_table_ends_is_asked_about_as_one_sum_and_made_row_by_row() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        projects(&agent, &["Atlas", "tmp-1", "tmp-2", "tmp-3"]).await;
        let before = agent.dump().await;
        let refusing = agent.refusing().await;
        let call = json!({ "tool": "delete_project", "csv": "tmp-1\ntmp-2\ntmp-3\n" });
        assert_eq!(refusing.call("apply_changes", call.clone()).await["code"], "declined");
        assert_eq!(agent.dump().await, before);
        let asked = refusing.questions();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].contains("Delete project") && asked[0].ends_with("To confirm, type: 3 projects of Acme"), "{asked:?}");
        let done = agent.ok("apply_changes", call).await;
        assert_eq!(outcomes(&done), ["1 done", "2 done", "3 done"], "{done}");
        assert_eq!(column(&agent.ok("list_projects", json!({})).await, "project"), ["Atlas"]);
    }
}

#[tokio::test]
async fn rows_that_could_be_in_each_others_way_are_made_in_order() {
    for agent in Agent::each().await {
        company(&agent).await;
        // Each of the two may leave, as long as the other stays.
        let csv = format!("member\n{}\n{}\n", email("ana"), email("eve"));
        let call = json!({ "tool": "remove_project_member", "csv": csv, "common": { "project": "Atlas" } });
        let done = agent.ok("apply_changes", call).await;
        let told = outcomes(&done);
        assert!(told[0] == "2 done" && told[1].starts_with("3 failed: "), "{done}");
        let left = agent.ok("list_project_members", json!({ "project": "Atlas" })).await;
        assert_eq!(column(&left, "member"), [email("eve")], "{left}");
        // One thing twice: the later row has the last word.
        let csv = "project,description\nAtlas,first\nAtlas,second\n";
        let done = agent.ok("apply_changes", json!({ "tool": "update_project", "csv": csv })).await;
        assert_eq!(outcomes(&done), ["2 done", "3 done"], "{done}");
        assert_eq!(agent.ok("get_project", json!({ "project": "Atlas" })).await["description"], "second");
    }
}

#[tokio::test]
async fn what_holds_for_all_rows_is_given_once_and_values_are_read_as_in_any_call() {
    for agent in Agent::each().await {
        company(&agent).await;
        let csv = "Name;Description;Slug\nLyon;\"of the office; in France\";lyon\nOslo;;\n";
        let call = json!({ "tool": "createProject", "csv": csv, "common": "{\"organization\": \"Acme\"}", "dry_run": "true" });
        let preview = agent.ok("apply_changes", call.clone()).await;
        assert_eq!(preview["status"], "dry_run", "{preview}");
        let mut call = call;
        call["dry_run"] = false.into();
        let done = agent.ok("apply_changes", call).await;
        assert_eq!(outcomes(&done), ["2 done", "3 done"], "{done}");
        let lyon = agent.ok("get_project", json!({ "project": "lyon" })).await;
        assert_eq!((&lyon["project"], &lyon["description"]), (&json!("Lyon"), &json!("of the office; in France")), "{lyon}");
        assert!(agent.ok("get_project", json!({ "project": "Oslo" })).await.get("description").is_none());
        let csv = "project,member,role 1,role 2\nLyon,ana@acme.example,owner,viewer\n";
        agent.ok("apply_changes", json!({ "tool": "add_project_member", "csv": csv })).await;
        let ana = agent.ok("get_project_member", json!({ "project": "Lyon", "member": email("ana") })).await;
        assert_eq!(ana["roles"], json!(["owner", "viewer"]), "{ana}");
        // What looks like a reference is a text in a table.
        let csv = "project,description\nLyon,${1.id}\n";
        agent.ok("apply_changes", json!({ "tool": "update_project", "csv": csv })).await;
        assert_eq!(agent.ok("get_project", json!({ "project": "Lyon" })).await["description"], "${1.id}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_table_as_a_whole_is_refused_and_nothing_is_sent() {
    let agent = Agent::new().await;
    company(&agent).await;
    let many = |rows: usize| (0..rows).fold("name\n".to_owned(), |csv, number| csv + &format!("p{number}\n"));
    for (call, code, message, fix) in [
        (json!({ "csv": "name\nx\n" }), "invalid_arguments", "`tool` is missing", "name the tool that each row of `csv` is a call of"),
        (
            json!({ "tool": "create_project", "steps": [adding("bo", &["viewer"])] }),
            "invalid_arguments",
            "`tool` and `common` are for the rows",
            "give `csv`",
        ),
        (
            json!({ "tool": "create_project", "csv": "name\nx\n", "steps": [adding("bo", &["viewer"])] }),
            "invalid_arguments",
            "`steps` and `csv` are both given",
            "give one of them",
        ),
        (
            json!({ "tool": "create_projekt", "csv": "name\nx\n" }),
            "unknown_tool",
            "no tool `create_projekt`",
            "did you mean create_project",
        ),
        (
            json!({ "tool": "list_projects", "csv": "query\nx\n" }),
            "invalid_arguments",
            "list_projects changes nothing",
            "name a tool that changes",
        ),
        (json!({ "tool": "undo", "csv": "job\nx\n" }), "invalid_arguments", "undo is a job of its own", "call it on its own"),
        (
            json!({ "tool": "create_project", "csv": "name,Department,confirm\nx,Sales,yes\n" }),
            "invalid_arguments",
            "the columns `Department`, `confirm` of `csv` are no arguments of create_project",
            "take out what it need not know",
        ),
        (
            json!({ "tool": "create_project", "csv": "name,dry_run\nx,yes\n" }),
            "invalid_arguments",
            "the column `dry_run` of `csv` is no argument",
            "take out",
        ),
        (
            json!({ "tool": "create_team", "csv": "x,y\nz,1\n" }),
            "invalid_arguments",
            "the first line of `csv` names no argument of create_team",
            "name the columns",
        ),
        (json!({ "tool": "create_team", "csv": "name\n" }), "invalid_arguments", "`csv` has no rows", "give a line for each call"),
        (
            json!({ "tool": "create_team", "csv": "teams.csv" }),
            "invalid_arguments",
            "`csv` is the text of a table, and `teams.csv`",
            "give what is in the file",
        ),
        (
            json!({ "tool": "create_team", "csv": many(10_001) }),
            "invalid_arguments",
            "10001 rows are more than the 10000 of one call",
            "split them",
        ),
    ] {
        let refusal = refused(&agent, "apply_changes", call, code).await;
        let said = (refusal["message"].as_str().unwrap(), refusal["fix"].as_str().unwrap());
        assert!(said.0.starts_with(message) && said.1.starts_with(fix), "{refusal}");
    }
    // Where a failure is to stop all, one bad row refuses all.
    let call =
        json!({ "tool": "create_team", "csv": "name,slug\nOne,one\n,two\n", "common": { "organization": "Acme" }, "on_failure": "stop" });
    let refusal = refused(&agent, "apply_changes", call, "invalid_arguments").await;
    assert!(refusal["message"].as_str().unwrap().contains("step 3: `name` is missing"), "{refusal}");
    let twice = json!({ "tool": "create_team", "csv": "name,organization\nOne,Acme\n", "common": { "organization": "Acme" } });
    let told = agent.call("apply_changes", twice).await;
    assert!(outcomes(&told)[0].starts_with("2 failed: `organization` is in the table and in `common`"), "{told}");
}

#[tokio::test]
async fn a_column_says_which_account_each_row_is_for() {
    let store = Store::sqlite();
    let app = store.app_with(one_of_each(&store).await, &Options::default()).await;
    let agent = Agent::of(&store, app, Options::default()).await;
    agent.ok("create_organization", json!({ "name": "Acme", "connection": "local" })).await;
    let csv = "account,name,organization\nlocal,Lyon,Acme\nnowhere,Lyon,Acme\n,Lyon,Acme\n";
    let done = agent.ok("apply_changes", json!({ "tool": "create_project", "csv": csv })).await;
    let told = outcomes(&done);
    assert_eq!(told[0], "2 done", "{done}");
    assert!(told[1].contains("`nowhere`") && told[2].starts_with("4 failed: `connection` is missing"), "{done}");
}
