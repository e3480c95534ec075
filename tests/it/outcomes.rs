//! What is said of work of many calls: how much of it was made, what is there otherwise, what failed, and that the rest went on.

use rolecall::{guard::Caller, providers::local, store::Db};
use rolecall_sandbox::{engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

use crate::{
    company::{email, join, team},
    jobs::{adding, company, outcomes},
    lab::{Lab, Service},
    support::{Agent, Options, Store, Value, json, one_of_each},
};

fn operator() -> Caller {
    Caller { principal: "local".into(), client: "test".into(), can_ask: false }
}

/// How one person ended, and why.
fn ended(answer: &Value, at: usize) -> (&str, &str) {
    let it = &answer["after"]["items"][at];
    (it["outcome"].as_str().unwrap_or_default(), it["reason"].as_str().unwrap_or_default())
}

/// Somebody is in `project` as `held`: to be it once more is nothing to do, to be something else is not reached, and asked for again.
async fn another_role_is_not_the_one_that_was_asked_for(agent: &Agent, project: &str, member: &str, held: &str, wanted: &str) {
    let csv = |role: &str| json!({ "csv": format!("{project},{member},{role}\n") });
    let same = agent.ok("add_project_members", csv(held)).await;
    assert_eq!((&same["status"], ended(&same, 0).0), (&json!("done"), "skipped"), "{same}");
    let other = agent.ok("add_project_members", csv(wanted)).await;
    let (outcome, reason) = ended(&other, 0);
    assert_eq!((&other["status"], outcome, &other["after"]["differs"]), (&json!("failed"), "differs", &json!(1)), "{other}");
    assert!(
        reason.contains("already, as ") && held.split(';').all(|it| reason.to_lowercase().contains(&it.to_lowercase())),
        "it tells which: {other}"
    );
    assert_eq!(other["after"]["skipped"], 0, "{other}");
    assert_eq!(agent.questions(), [""; 0], "nothing is given, nothing is asked");
    let table = agent.app.jobs().table(other["job"].as_str().unwrap(), &operator()).await.unwrap();
    let again = agent.ok("add_project_members", json!({ "csv": table })).await;
    assert_eq!(ended(&again, 0).0, "differs", "the table asks for it again: {table}");
}

#[tokio::test]
async fn who_is_there_with_another_role_is_told_and_does_not_count_as_made() {
    for agent in Agent::each().await {
        company(&agent).await;
        join(&agent, "Atlas", "bo", &["viewer", "member"]).await;
        another_role_is_not_the_one_that_was_asked_for(&agent, "Atlas", &email("bo"), "viewer", "owner").await;
        another_role_is_not_the_one_that_was_asked_for(&agent, "Atlas", &email("bo"), "member;viewer", "viewer;owner").await;
    }
    let it = Lab::<Openai>::new().await;
    another_role_is_not_the_one_that_was_asked_for(&it.agent, "Helpdesk", "elif.kaya@acme.example", "owner", "member").await;
    let it = Lab::<Geai>::new().await;
    another_role_is_not_the_one_that_was_asked_for(
        &it.agent,
        "Ember",
        "amara.diallo@acme.example",
        "Project member",
        "Project administrator",
    )
    .await;
    let it = Lab::<Engine>::new().await;
    another_role_is_not_the_one_that_was_asked_for(&it.agent, "p-2", "ana.ruiz@acme.example", "Project Viewer", "editor").await;
    let it = Lab::<Seeme>::new().await;
    let op = json!({ "project": "Atlas", "member": "mei.tanaka@acme.example", "roles": ["Project viewer"] });
    it.agent.ok("add_project_member", op).await;
    it.agent.questions();
    another_role_is_not_the_one_that_was_asked_for(&it.agent, "Atlas", "mei.tanaka@acme.example", "Project viewer", "Project editor").await;
}

#[tokio::test]
async fn only_what_is_done_is_called_done() {
    for agent in Agent::each().await {
        company(&agent).await;
        let none = agent.ok("add_project_members", json!({ "csv": "Atlas,x@acme.example,viewer\nAtlas,y@acme.example,viewer\n" })).await;
        assert_eq!((&none["status"], &none["target"]["name"]), (&json!("failed"), &json!("2 people")), "{none}");
        let some = agent.ok("add_project_members", json!({ "csv": "Atlas,bo@acme.example,viewer\nAtlas,y@acme.example,viewer\n" })).await;
        assert_eq!((&some["status"], &some["after"]["done"]), (&json!("partly"), &json!(1)), "{some}");
        let all = agent.ok("add_project_members", json!({ "csv": "Atlas,bo@acme.example,viewer\nAtlas,cy@acme.example,viewer\n" })).await;
        assert_eq!((&all["status"], &all["after"]["skipped"]), (&json!("done"), &json!(1)), "{all}");
        for (outcome, job) in [("failed", &none), ("partly", &some), ("done", &all)] {
            let found = agent.ok("list_activity", json!({ "tool": "add_project_members", "outcome": outcome })).await;
            let calls: Vec<&Value> = found["items"].as_array().unwrap().iter().map(|it| &it["call_id"]).collect();
            assert_eq!(calls, [&job["call_id"]], "{outcome}: {found}");
        }
        assert!(agent.db().read().await.unwrap().verify_ledger().await.unwrap().broken.is_none());
    }
}

#[tokio::test]
async fn an_undo_of_which_a_part_is_refused_is_called_partly() {
    let agent = Agent::new().await;
    company(&agent).await;
    let done = agent.ok("add_project_members", json!({ "csv": "Atlas,bo@acme.example,viewer\nAtlas,cy@acme.example,viewer\n" })).await;
    // Who is out of the project only is gone already; who is out of the organization is nobody.
    agent.ok("remove_organization_member", json!({ "member": email("bo") })).await;
    let back = agent.ok("undo", json!({ "job": done["job"] })).await;
    assert_eq!((&back["status"], &back["after"]["done"], &back["after"]["failed"]), (&json!("partly"), &json!(1), &json!(1)), "{back}");
    let told = agent.ok("list_activity", json!({ "tool": "undo" })).await;
    assert_eq!(told["items"][0]["outcome"], "partly", "{told}");
}

#[tokio::test]
async fn a_plan_that_is_to_go_on_goes_on_and_can_be_sent_again() {
    for agent in Agent::each().await {
        company(&agent).await;
        let inviting = |who: &str, role: &str| json!({ "tool": "invite_organization_member", "arguments": { "email": who, "role": role } });
        let steps = json!({ "on_failure": "continue", "steps": [
            adding("bo", &["viewer"]),
            { "tool": "fly", "arguments": {} },
            adding("nobody", &["viewer"]),
            { "id": "bad", "tool": "create_team", "arguments": { "nam": "Core" } },
            { "tool": "add_team_member", "arguments": { "team": "${bad.id}", "member": email("bo") } },
            inviting("new@acme.example", "member"),
            adding("cy", &["owner"]),
        ] });
        let first = agent.ok("apply_changes", steps.clone()).await;
        let told = outcomes(&first);
        let begins = [
            "1 done",
            "2 failed: no tool `fly`",
            "3 failed: `nobody@acme.example` is not a member",
            "bad failed: ",
            "5 failed: it builds on",
            "6 done",
            "7 done",
        ];
        assert!(told.iter().zip(begins).all(|(it, begin)| it.starts_with(begin)), "{first}");
        assert_eq!((&first["status"], &first["after"]["done"]), (&json!("partly"), &json!(3)), "{first}");
        let question = agent.questions().remove(0);
        assert!(question.contains("3 cannot be made: row 2 (no tool `fly`"), "who agrees knows: {question}");
        let before = agent.dump().await;
        let again = agent.ok("apply_changes", steps).await;
        let told = outcomes(&again);
        assert!(told[0].starts_with("1 skipped: ") && told[5].starts_with("6 skipped: ") && told[6].starts_with("7 skipped: "), "{again}");
        assert_eq!(agent.dump().await, before, "nothing was changed");
        let other = agent.ok("apply_changes", json!({ "on_failure": "continue", "steps": [inviting("new@acme.example", "owner")] })).await;
        assert!(outcomes(&other)[0].starts_with("1 differs: `new@acme.example` has a pending invitation to `Acme` as member"), "{other}");
        // One that stops at a failure is made whole or not at all.
        let stops = json!({ "steps": [adding("ana", &["owner"]), adding("nobody", &["viewer"])] });
        agent.fails("apply_changes", stops, "invalid_arguments").await;
    }
}

#[tokio::test]
async fn one_account_that_is_down_keeps_no_other_from_being_worked_on() {
    let store = Store::sqlite();
    let app = store.app_with(one_of_each(&store).await, &Options::default()).await;
    let agent = Agent::of(&store, app, Options::default()).await;
    agent.ok("create_organization", json!({ "connection": "local", "name": "Acme" })).await;
    let making = |connection: &str| json!({ "tool": "create_project", "arguments": { "connection": connection, "name": "Atlas" } });
    let steps = json!([making("local"), making("openai"), making("seeme")]);
    let told = agent.ok("apply_changes", json!({ "on_failure": "continue", "steps": steps })).await;
    let outcomes = outcomes(&told);
    assert_eq!(outcomes[0], "1 done", "{told}");
    assert!(outcomes[1].starts_with("2 failed: ") && outcomes[2].starts_with("3 failed: "), "{told}");
    let down = agent.call("apply_changes", json!({ "on_failure": "continue", "steps": [making("openai")] })).await;
    assert!(down["code"].is_string(), "where nothing can be looked at, nothing is begun: {down}");
}

#[tokio::test]
async fn whoever_owned_a_project_owns_it_again_when_their_removal_is_undone() {
    for agent in Agent::each().await {
        company(&agent).await;
        team(&agent, "Core", &["bo"]).await;
        agent.ok("create_user", json!({ "email": email("olga"), "name": "Olga", "organization": "Acme", "role": "owner" })).await;
        agent.ok("update_organization_member", json!({ "member": email("ana"), "role": "owner" })).await;
        agent.ok("add_team_member", json!({ "team": "Core", "member": email("ana"), "role": "maintainer" })).await;
        let removed = agent.ok("remove_organization_member", json!({ "member": email("ana"), "organization": "Acme" })).await;
        agent.questions();
        let back = agent.ok("undo", json!({ "call_id": removed["call_id"] })).await;
        assert_eq!((&back["status"], &back["after"]["done"]), (&json!("done"), &json!(3)), "{back}");
        let question = agent.questions().remove(0);
        for part in ["becomes owner of organization Acme", "becomes maintainer of team Core", "becomes owner of project Atlas"] {
            assert!(question.contains(part), "the roles are told before: {question}");
        }
        let held = agent.ok("get_project_member", json!({ "project": "Atlas", "member": email("ana") })).await;
        assert_eq!(held["roles"], json!(["owner"]));
    }
}

#[tokio::test]
async fn steps_speak_of_connections_only_where_there_are_several() {
    let store = Store::sqlite();
    let alone = store.app(&Options::default()).await;
    let told = |app: &rolecall::app::App| {
        app.catalog.offer("apply_changes").unwrap().input_schema()["properties"]["steps"]["description"].as_str().unwrap().to_owned()
    };
    assert_eq!(told(&alone), "Calls");
    let openai = Openai::connect(Openai::settings("http://127.0.0.1:9"));
    let local = local::connect("local", Db::open(&store.url).await.unwrap(), local::Settings::default());
    let both = store.app_with(vec![local, openai], &Options::default()).await;
    assert_eq!(told(&both), "Calls, with `connection` in `arguments`");
}
