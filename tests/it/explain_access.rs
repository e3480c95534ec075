//! Who can do something and through what, in one call.

use rolecall_sandbox::Fault;

use crate::{
    across,
    company::{acme, email, join, team},
    five::Five,
    practice::{Provider, World},
    support::{Agent, Options, Store, Value, json, params},
};

async fn text(agent: &Agent, arguments: Value) -> String {
    let result = agent.client.call_tool(params("explain_access", arguments)).await.unwrap();
    result.content[0].as_text().unwrap().text.clone()
}

/// `ana@acme.example: owner by own role; …`
fn ways(answer: &Value, part: &str) -> Vec<String> {
    let way = |it: &Value| format!("{} by {}", it["role"].as_str().unwrap(), it["through"].as_str().unwrap());
    let row = |it: &Value| {
        let ways: Vec<String> = it["ways"].as_array().unwrap().iter().map(way).collect();
        format!("{}: {}", it["who"].as_str().unwrap(), ways.join("; "))
    };
    answer[part].as_array().into_iter().flatten().map(row).collect()
}

#[tokio::test]
async fn who_can_delete_a_project_is_told_with_every_way_and_nobody_else() {
    let world = World::of(Provider::Local, Options::default()).await;
    let expected = [
        "ana.ruiz@acme.example: owner by own role",
        "helena.brandt@acme.example: owner by role in the organization",
        "tomas.quiroga@acme.example: owner by role in the organization",
        "oskar.lindqvist@acme.example: admin by role in the organization",
        "priya.raman@acme.example: admin by role in the organization",
        "wanjiru.kamau@acme.example: admin by role in the organization",
        "petra@consulting.example: admin by invitation to the organization, not accepted yet",
    ];
    for action in ["delete", "delete the project", "archive", "Remove the project"] {
        let answer = world.agent.ok("explain_access", json!({ "project": "Atlas", "action": action })).await;
        assert_eq!(ways(&answer, "people"), expected, "{action}");
        assert!(answer.get("programs").is_none() && answer.get("perhaps").is_none() && answer.get("unseen").is_none(), "{answer}");
    }
    let code = world.agent.ok("explain_access", json!({ "project": "Atlas", "permission": "project.delete" })).await;
    assert_eq!(ways(&code, "people"), expected[..3], "{code}");
    assert!(code["answer"].as_str().unwrap().ends_with("an action, such as delete, asks for every way."), "{code}");
    let text = text(&world.agent, json!({ "project": "Atlas", "action": "delete" })).await;
    let first = text.lines().next().unwrap();
    let told = "7 people can delete project Atlas [prj_atlas] in Acme, 1 of them once they accept an invitation.";
    assert_eq!(first, format!("{told} (connection local)"));
    assert!(
        text.contains("\n- ana.ruiz@acme.example name=Ana Ruiz [usr_ana] ways=owner through=own role power=over others since="),
        "{text}"
    );
    assert!(text.contains("status=invited") && text.contains("ends_at="), "{text}");
}

#[tokio::test]
async fn whether_one_person_can_is_a_yes_or_a_no_with_the_reason() {
    let world = World::of(Provider::Local, Options::default()).await;
    let ask = async |project: &str, member: &str, action: &str| {
        let answer = world.agent.ok("explain_access", json!({ "project": project, "member": member, "action": action })).await;
        answer["answer"].as_str().unwrap().to_owned()
    };
    let ana = "ana.ruiz@acme.example (Ana Ruiz)";
    assert_eq!(
        ask("Borealis", "Ana", "invite people").await,
        format!("Yes: {ana} can bring people into project Borealis [prj_borealis] in Acme, by role owner (own role).")
    );
    let grace = "grace.whitfield@acme.example (Grace Whitfield)";
    assert_eq!(
        ask("Borealis", "Grace", "invite").await,
        format!("No: {grace} cannot bring people into project Borealis [prj_borealis] in Acme; no access there is reported.")
    );
    assert_eq!(
        ask("Atlas", "grace whitfield", "make keys").await,
        format!(
            "No: {grace} cannot make and change keys in project Atlas [prj_atlas] in Acme; what is held there is role viewer (own role)."
        )
    );
    assert!(
        ask("Atlas", "Chidi", "write")
            .await
            .contains("by role member (own role); and by role release manager (own role); and by role member (team Platform).")
    );
    let petra = ask("Atlas", "petra@consulting.example", "manage members").await;
    assert!(
        petra.starts_with("Yes: once the invitation is accepted, petra@consulting.example can manage the people of project Atlas"),
        "{petra}"
    );
    let invite = world.agent.ok("explain_access", json!({ "organization": "Acme", "member": "Grace", "action": "invite" })).await;
    assert!(invite["answer"].as_str().unwrap().starts_with("Yes: grace.whitfield@acme.example"), "{invite}");
    let nobody = world
        .agent
        .fails("explain_access", json!({ "project": "Atlas", "member": "Nobody Known", "action": "read" }), "member_not_found")
        .await;
    assert!(nobody["message"].as_str().unwrap().contains("`Nobody Known`"), "{nobody}");
}

#[tokio::test]
async fn what_a_team_can_do_is_told_by_its_name() {
    let world = World::of(Provider::Local, Options::default()).await;
    for member in ["Security", "team Security", "team_security"] {
        let answer = world.agent.ok("explain_access", json!({ "member": member })).await;
        let rows: Vec<String> = answer["access"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| format!("{} {}", it["place"].as_str().unwrap(), it["role"].as_str().unwrap()))
            .collect();
        assert_eq!(rows, ["organization Acme auditor", "project Cobalt viewer", "project Kestrel owner"], "{member}: {answer}");
    }
    let kestrel = world.agent.ok("explain_access", json!({ "project": "Kestrel", "team": "Security", "action": "delete" })).await;
    assert!(kestrel["answer"].as_str().unwrap().starts_with("Yes: team Security can delete project Kestrel"), "{kestrel}");
    let atlas = world.agent.ok("explain_access", json!({ "project": "Atlas", "member": "Security", "action": "delete" })).await;
    assert!(atlas["answer"].as_str().unwrap().starts_with("No: team Security cannot delete project Atlas"), "{atlas}");
}

#[tokio::test]
async fn a_team_without_people_and_keys_that_can_are_told_apart_from_people() {
    let agent = Agent::new().await;
    acme(&agent, &["ana"]).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    join(&agent, "Atlas", "ana", &["owner"]).await;
    team(&agent, "Ops", &[]).await;
    agent.ok("add_project_team", json!({ "project": "Atlas", "team": "Ops", "role": "owner" })).await;
    agent.ok("create_service_account", json!({ "project": "Atlas", "name": "sweeper" })).await;
    let mut tx = agent.db().recording().begin().await.unwrap();
    tx.run("UPDATE service_accounts SET role_id = 'role_project_owner'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    let answer = agent.ok("explain_access", json!({ "project": "Atlas", "action": "delete" })).await;
    assert_eq!(ways(&answer, "people"), [format!("{}: owner by own role", email("ana"))]);
    let programs: Vec<(&str, &str)> =
        answer["programs"].as_array().unwrap().iter().map(|it| (it["kind"].as_str().unwrap(), it["who"].as_str().unwrap())).collect();
    assert!(programs.contains(&("team", "Ops")) && programs.contains(&("service account", "sweeper")), "{answer}");
    // Whoever joins it can, and is told instead of it.
    agent.ok("create_user", json!({ "email": email("bo"), "name": "Bo", "organization": "Acme" })).await;
    agent.ok("add_team_member", json!({ "team": "Ops", "member": email("bo") })).await;
    let answer = agent.ok("explain_access", json!({ "project": "Atlas", "action": "delete" })).await;
    assert_eq!(ways(&answer, "people")[1], format!("{}: owner by team Ops", email("bo")), "{answer}");
    assert!(!answer["programs"].to_string().contains("\"Ops\""), "{answer}");
}

#[tokio::test]
async fn what_is_not_understood_or_named_twice_is_said_with_the_choices() {
    let world = World::of(Provider::Local, Options::default()).await;
    let odd = world.agent.fails("explain_access", json!({ "project": "Atlas", "action": "frobnicate" }), "invalid_arguments").await;
    assert!(
        odd["fix"].as_str().unwrap().starts_with("give `action` as one of: read, write, invite, manage, keys, limits, delete"),
        "{odd}"
    );
    let two = world.agent.fails("explain_access", json!({ "project": "Helpdesk", "action": "read" }), "ambiguous_project").await;
    assert_eq!(two["candidates"].as_array().unwrap().len(), 2, "{two}");
    let one =
        world.agent.ok("explain_access", json!({ "project": "Helpdesk", "organization": "Northwind Traders", "action": "delete" })).await;
    assert!(ways(&one, "people").contains(&"brigid.oneill@northwind.example: owner by own role".to_owned()), "{one}");
    world.agent.fails("explain_access", json!({ "project": "Atlantis", "action": "read" }), "project_not_found").await;
    world.agent.fails("explain_access", json!({ "action": "read" }), "ambiguous_organization").await;
}

#[tokio::test]
async fn many_people_come_in_pages_and_each_of_them_once() {
    let agent = Agent::new().await;
    acme(&agent, &[]).await;
    let mut tx = agent.db().recording().begin().await.unwrap();
    for at in 0..120 {
        let user =
            format!("INSERT INTO users (id, email, name, name_key, created_at) VALUES ('u{at}', 'p{at:03}@acme.example', 'P', 'p', 0)");
        tx.run(&user, &[]).await.unwrap();
        let member = format!(
            "INSERT INTO organization_members (user_id, organization_id, role_id, joined_at) \
             SELECT 'u{at}', id, 'role_organization_member', 0 FROM organizations"
        );
        tx.run(&member, &[]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = agent.ok("explain_access", json!({ "organization": "Acme", "action": "read", "cursor": cursor })).await;
        assert!(page["answer"].as_str().unwrap().starts_with("120 people can see organization Acme"), "{page}");
        seen.extend(page["people"].as_array().unwrap().iter().map(|it| it["who"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let expected: Vec<String> = (0..120).map(|at| format!("p{at:03}@acme.example")).collect();
    assert_eq!(seen, expected);
}

/// Two directories of their own, `north` and `south`, each with an organization Acme and a project of its own.
async fn two_companies() -> (Agent, Vec<std::sync::Arc<Store>>) {
    let (agent, stores) = across::two().await;
    for (connection, projects) in [("north", &["Atlas", "Both"]), ("south", &["Borealis", "Both"])] {
        agent
            .ok(
                "create_organization",
                json!({ "connection": connection, "name": format!("{connection} Acme"), "admin_email": email("ana") }),
            )
            .await;
        for project in projects {
            agent.ok("create_project", json!({ "connection": connection, "name": project })).await;
        }
    }
    (agent, stores)
}

#[tokio::test]
async fn a_place_in_one_account_needs_no_account_and_one_in_two_asks_which() {
    let (agent, _stores) = two_companies().await;
    let answer = agent.ok("explain_access", json!({ "project": "Borealis", "action": "delete" })).await;
    assert!(answer["answer"].as_str().unwrap().contains("project Borealis"), "{answer}");
    let both = agent.fails("explain_access", json!({ "project": "Both", "action": "delete" }), "ambiguous_project").await;
    assert_eq!(
        both["candidates"],
        json!(["connection north (project Both in north Acme)", "connection south (project Both in south Acme)"])
    );
    let one = agent.ok("explain_access", json!({ "project": "Both", "action": "delete", "connection": "south" })).await;
    assert!(one["answer"].as_str().unwrap().contains("in south Acme") && one["connection"] == "south", "{one}");
    agent.fails("explain_access", json!({ "project": "Neither", "action": "delete" }), "project_not_found").await;
    agent.fails("explain_access", json!({ "project": "Both", "action": "delete", "connection": "west" }), "unknown_connection").await;
}

#[tokio::test]
async fn each_service_says_who_can_and_what_it_does_not_tell() {
    for (provider, project, owner) in [
        (Provider::Geai, "Atlas", "ana.ruiz@acme.example"),
        (Provider::Openai, "Atlas", "ana.ruiz@acme.example"),
        (Provider::Seeme, "Field inspection", ""),
        (Provider::Engine, "Churn forecast", ""),
    ] {
        let world = World::of(provider, Options::default()).await;
        let before = world.state().await;
        let listed = world.agent.ok("list_projects", json!({})).await;
        let project = listed["items"].as_array().unwrap().iter().find(|it| it["project"] == project).unwrap_or(&listed["items"][0]);
        let named = format!("{} [{}]", project["project"].as_str().unwrap(), project["id"].as_str().unwrap());
        let answer = world.agent.ok("explain_access", json!({ "project": named, "action": "delete" })).await;
        let who = format!("{} {}", answer["people"], answer["perhaps"]);
        assert!(who.contains('@') && who.contains(owner), "{provider:?}: {answer}");
        assert!(answer["unseen"].as_array().is_some_and(|it| !it.is_empty()), "{provider:?}: {answer}");
        assert!(
            answer["answer"].as_str().unwrap().ends_with("Rolecall could not see everything, so there may be more."),
            "{provider:?}: {answer}"
        );
        let all = world.agent.ok("explain_access", json!({ "member": "ana.ruiz@acme.example" })).await;
        assert!(!all["access"].as_array().unwrap().is_empty(), "{provider:?}: {all}");
        assert!(world.state().await == before, "{provider:?}: nothing was changed");
    }
    let world = World::of(Provider::GeaiSystem, Options::default()).await;
    let told = world.agent.fails("explain_access", json!({ "project": "Atlas", "action": "delete" }), "not_seen").await;
    assert!(told["message"].as_str().unwrap().contains("this account does not report who holds what"), "{told}");
}

#[tokio::test]
async fn over_five_accounts_the_one_that_has_the_place_answers() {
    let five = Five::with(false).await;
    let answer = five.agent.ok("explain_access", json!({ "project": "Borealis", "action": "delete", "account": "practice" })).await;
    assert_eq!(answer["connection"], "practice");
    let kestrel = five.agent.ok("explain_access", json!({ "project": "Kestrel", "action": "delete" })).await;
    assert_eq!(kestrel["failed"][0]["connection"], "lab", "{kestrel}");
    assert!(kestrel["people"].to_string().contains("noor.vandijk@acme.example"), "{kestrel}");
    let atlas = five.agent.fails("explain_access", json!({ "project": "Atlas", "action": "delete" }), "ambiguous_project").await;
    assert!(atlas["candidates"].to_string().contains("connection practice (project Atlas in Acme)"), "{atlas}");
    assert_eq!(five.changes(), [0, 0, 0], "nothing but reads");
}

#[tokio::test]
async fn a_service_that_is_slow_is_told_as_such_within_seconds() {
    let five = Five::with(true).await;
    five.acme.set_faults(vec!["slow:1".parse::<Fault>().unwrap()]);
    let began = std::time::Instant::now();
    let answer = five.agent.ok("find_person", json!({ "query": "ana.ruiz@acme.example" })).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(12), "{:?}", began.elapsed());
    assert_eq!((&answer["failed"][0]["connection"], &answer["failed"][0]["code"]), (&json!("acme"), &json!("timeout")), "{answer}");
    assert!(answer["people"].to_string().contains("globant"), "the others are told: {answer}");
}
