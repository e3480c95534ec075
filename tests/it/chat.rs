//! Questions as pages inside of the chat, for clients that show them: what such a page is given, and that only an answer from it counts,
//! and only where the yes in a form would.

use rmcp::model::{CallToolResult, ReadResourceRequestParams, ResourceContents};
use rolecall::{
    guard::{self, Answered, Answering, Ask, Asks, Fallback, GuardSettings},
    tools::ToolList,
};

use crate::{
    support::{Agent, DIRECTORY_TABLES, Era, Options, Person, Store, Value, dump, json, params},
    wire::{ALICE, BOB, Real, with_tokens},
};

const PAGE: &str = "ui://rolecall/question";
const ANSWER: &str = "answer_question";

fn shows(era: Era) -> Options {
    Options { era, person: Person::Shows, ..Options::default() }
}

fn guarded(guard: GuardSettings) -> Options {
    Options { guard, ..shows(Era::Modern) }
}

fn atlas() -> Value {
    json!({ "project": "Atlas" })
}

async fn start(agent: &Agent) {
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
}

async fn raw(agent: &Agent, tool: &str, arguments: Value) -> CallToolResult {
    agent.client.call_tool(params(tool, arguments)).await.unwrap()
}

/// What a call was answered that waits for a person: its content, and what its page was given.
async fn waits(agent: &Agent, tool: &str, arguments: Value) -> (CallToolResult, Value) {
    let mut result = raw(agent, tool, arguments).await;
    assert_eq!(result.structured_content.as_ref().unwrap()["code"], "pending_approval", "{result:?}");
    let page = result.meta.as_mut().and_then(|it| it.remove("rolecall/question")).unwrap_or_default();
    (result, page)
}

async fn state(agent: &Agent) -> String {
    let (_, page) = waits(agent, "delete_project", atlas()).await;
    page["state"].as_str().unwrap_or_else(|| panic!("{page}")).to_owned()
}

fn yes(state: &str) -> Value {
    json!({ "state": state, "agree": true, "name": "Atlas" })
}

async fn answers(agent: &Agent, answer: Value) -> Value {
    raw(agent, ANSWER, answer).await.structured_content.unwrap()
}

#[tokio::test]
async fn who_does_not_show_pages_sees_nothing_of_them() {
    for era in [Era::Legacy, Era::Modern] {
        for person in [Person::Agrees, Person::Unreachable, Person::Opens] {
            let agent = Agent::on(&Store::sqlite(), Options { era, person, ..Options::default() }).await;
            let tools = serde_json::to_string(&agent.client.list_all_tools().await.unwrap()).unwrap();
            assert!(!tools.contains(ANSWER) && !tools.contains("ui://") && !tools.contains("_meta"), "{tools}");
            assert!(agent.client.read_resource(ReadResourceRequestParams::new(PAGE)).await.is_err());
            let told = agent.call(ANSWER, yes("x")).await;
            assert!(told["message"].as_str().unwrap().contains("no tool"), "{told}");
        }
        let agent = Agent::on(&Store::sqlite(), Options { era, person: Person::Unreachable, ..Options::default() }).await;
        start(&agent).await;
        let (_, page) = waits(&agent, "delete_project", atlas()).await;
        assert_eq!(page, Value::Null);
    }
}

#[tokio::test]
async fn who_shows_pages_gets_one_with_each_tool_that_asks_a_person_and_a_tool_for_the_page_alone() {
    for (list, with, without) in [
        (
            ToolList::Full,
            &["delete_project", "apply_changes", "offboard_person", "add_project_member"][..],
            &["list_projects", "update_project"][..],
        ),
        (ToolList::Compact, &["call_destroy", "call_access"][..], &["call_read", "find_tools"][..]),
    ] {
        for era in [Era::Legacy, Era::Modern] {
            let agent = Agent::on(&Store::sqlite(), Options { list, ..shows(era) }).await;
            let tools = agent.client.list_all_tools().await.unwrap();
            let ui = |name: &str| {
                let tool = tools.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{name}"));
                tool.meta.as_ref().and_then(|it| it.get("ui")).cloned()
            };
            for name in with {
                assert_eq!(ui(name), Some(json!({ "resourceUri": PAGE })), "{name}");
            }
            for name in without {
                assert_eq!(ui(name), None, "{name}");
            }
            assert_eq!(ui(ANSWER), Some(json!({ "resourceUri": PAGE, "visibility": ["app"] })));
        }
    }
}

#[tokio::test]
async fn the_page_is_whole_in_itself_lets_in_only_its_own_script_and_holds_no_secret() {
    let agent = Agent::on(&Store::sqlite(), shows(Era::Modern)).await;
    let read = agent.client.read_resource(ReadResourceRequestParams::new(PAGE)).await.unwrap();
    let [ResourceContents::TextResourceContents { mime_type, text, meta, .. }] = &read.contents[..] else { panic!("{read:?}") };
    assert_eq!(mime_type.as_deref(), Some("text/html;profile=mcp-app"));
    assert_eq!(meta.as_ref().unwrap().get("ui"), Some(&json!({ "csp": {}, "prefersBorder": true })));
    let policy = text.split_once("Content-Security-Policy\" content=\"").unwrap().1.split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && policy.contains("form-action 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    for foreign in ["http://", "https://", "src=", "href=", "innerHTML", " on"] {
        assert!(!text.split_once("<body>").unwrap().1.contains(&format!("<{foreign}")) && !text.contains("https://"), "{foreign}");
    }
    assert!(text.len() < 40_000, "{}", text.len());
    let again = agent.client.read_resource(ReadResourceRequestParams::new(PAGE)).await.unwrap();
    assert_eq!(
        serde_json::to_value(&again.contents).unwrap(),
        serde_json::to_value(&read.contents).unwrap(),
        "it is the same for everybody"
    );
}

#[tokio::test]
async fn what_is_agreed_to_on_the_page_is_made_once_in_either_era() {
    for store in Store::each().await {
        for era in [Era::Legacy, Era::Modern] {
            let agent = Agent::on(&store, shows(era)).await;
            if era == Era::Legacy {
                start(&agent).await;
            }
            let (told, page) = waits(&agent, "delete_project", atlas()).await;
            let state = page["state"].as_str().unwrap();
            let read = serde_json::to_string(&(&told.content, &told.structured_content)).unwrap();
            assert!(!read.contains(state) && !read.contains(&state[..40]), "the model reads nothing that an answer needs: {read}");
            assert!(read.contains("the page that this chat shows"), "{read}");
            assert_eq!(
                (&page["title"], &page["target"]["name"], &page["type_this"]),
                (&json!("Delete project"), &json!("Atlas"), &json!("Atlas"))
            );
            let made = answers(&agent, yes(state)).await;
            assert_eq!(made["status"], "done", "{made}");
            agent.ok("create_project", json!({ "name": "Atlas" })).await;
            let before = agent.dump().await;
            assert_eq!(answers(&agent, yes(state)).await["code"], "confirmation_rejected");
            assert_eq!(agent.dump().await, before, "a second time it is worth nothing");
            let who = agent.ok("list_activity", json!({ "tool": "delete_project", "outcome": "done" })).await;
            assert_eq!(who["items"][0]["consent"], "approval", "{who}");
        }
    }
}

#[tokio::test]
async fn a_plan_of_many_calls_is_agreed_to_on_the_page_row_by_row_and_made() {
    let agent = Agent::on(&Store::sqlite(), shows(Era::Modern)).await;
    start(&agent).await;
    let steps = json!({ "steps": [{ "tool": "delete_project", "arguments": { "project": "Atlas" } }, { "tool": "create_team", "arguments": { "name": "Maps" } }] });
    let (_, page) = waits(&agent, "apply_changes", steps).await;
    let rows: Vec<&str> = page["rows"].as_array().unwrap().iter().filter_map(|it| it["does"].as_str()).collect();
    assert_eq!(rows, ["Delete project", "Create team"]);
    let made = answers(&agent, json!({ "state": page["state"], "agree": true, "name": page["type_this"] })).await;
    assert_eq!((&made["status"], &made["after"]["done"]), (&json!("done"), &json!(2)), "{made}");
}

#[tokio::test]
async fn a_model_that_calls_the_tool_of_the_page_by_itself_gets_nothing_done() {
    for era in [Era::Legacy, Era::Modern] {
        let agent = Agent::on(&Store::sqlite(), shows(era)).await;
        start(&agent).await;
        agent.ok("create_project", json!({ "name": "Borealis" })).await;
        let (told, page) = waits(&agent, "delete_project", atlas()).await;
        let (id, state) = (told.structured_content.unwrap()["approval_id"].clone(), page["state"].as_str().unwrap().to_owned());
        let mut bent = state.clone().into_bytes();
        let middle = bent.len() / 2;
        bent[middle] = if bent[middle] == b'A' { b'B' } else { b'A' };
        let before = agent.dump().await;
        for forged in [
            json!({}),
            json!({ "state": id, "agree": true, "name": "Atlas" }),
            json!({ "state": "", "agree": true, "name": "Atlas" }),
            json!({ "approval": id, "agree": true, "name": "Atlas" }),
            json!({ "state": json!({ "a": id, "t": "delete_project", "g": atlas() }).to_string(), "agree": true, "name": "Atlas" }),
            json!({ "state": String::from_utf8(bent).unwrap(), "agree": true, "name": "Atlas" }),
            json!({ "state": &state[..state.len() - 2], "agree": true, "name": "Atlas" }),
            json!({ "state": state, "agree": "true", "name": "Atlas" }),
            json!({ "state": state, "agree": true, "name": "Atlas", "project": "Borealis" }),
        ] {
            let told = answers(&agent, forged.clone()).await;
            assert_eq!(told["code"], "confirmation_rejected", "{forged}: {told}");
        }
        // What it has to bring is nothing that a form or a token of the same server would give it.
        let token = agent
            .elsewhere(Options {
                guard: GuardSettings { fallback: Fallback::Token, ..GuardSettings::default() },
                person: Person::Unreachable,
                ..Options::default()
            })
            .await;
        let token = token.ok("delete_project", json!({ "project": "Borealis" })).await["confirmation_token"].clone();
        assert_eq!(answers(&agent, json!({ "state": token, "agree": true, "name": "Atlas" })).await["code"], "confirmation_rejected");
        // And what it brings is no token or form either.
        let told = agent.call("delete_project", json!({ "project": "Atlas", "confirmation_token": state })).await;
        assert_ne!(told["status"], "done", "{told}");
        assert_eq!(agent.dump().await, before);
        // A yes without the name that has to be typed, or with another one, is none; the question still waits for the person.
        for wrong in [json!({ "state": state, "agree": true }), json!({ "state": state, "agree": true, "name": "atlas" })] {
            assert_eq!(answers(&agent, wrong).await["code"], "wrong_confirmation");
        }
        assert_eq!(agent.dump().await, before);
        assert_eq!(answers(&agent, yes(&state)).await["status"], "done");
    }
}

#[tokio::test]
async fn what_one_callers_page_was_given_is_worth_nothing_to_another() {
    let real = Real::start(with_tokens()).await;
    let alice = real.site.client(ALICE, Era::Modern, Person::Shows).await;
    alice.call_tool(params("create_organization", json!({ "name": "Acme" }))).await.unwrap();
    alice.call_tool(params("create_project", json!({ "name": "Atlas" }))).await.unwrap();
    let asked = alice.call_tool(params("delete_project", atlas())).await.unwrap();
    let state = asked.meta.unwrap().get("rolecall/question").unwrap()["state"].as_str().unwrap().to_owned();
    let before = dump(&real.app.db, &DIRECTORY_TABLES).await;
    for era in [Era::Legacy, Era::Modern] {
        let bob = real.site.client(BOB, era, Person::Shows).await;
        let told = bob.call_tool(params(ANSWER, yes(&state))).await.unwrap().structured_content.unwrap();
        assert_eq!(told["code"], "confirmation_rejected", "{told}");
        // A client of the same caller that shows no pages has no such tool.
        assert!(real.site.client(ALICE, era, Person::Agrees).await.call_tool(params(ANSWER, yes(&state))).await.is_err());
    }
    assert_eq!(dump(&real.app.db, &DIRECTORY_TABLES).await, before);
    let made = real.site.client(ALICE, Era::Legacy, Person::Shows).await.call_tool(params(ANSWER, yes(&state))).await.unwrap();
    assert_eq!(made.structured_content.unwrap()["status"], "done", "another connection of the same caller and client is the same person's");
}

#[tokio::test]
async fn where_the_operator_wants_to_be_asked_elsewhere_the_page_shows_the_facts_and_takes_no_answer() {
    for store in Store::each().await {
        let lax = Agent::on(&store, shows(Era::Modern)).await;
        start(&lax).await;
        let given = state(&lax).await;
        let before = lax.dump().await;
        let settings = |asks| GuardSettings { asks, ..GuardSettings::default() };
        for guard in [
            settings(Asks::all(Ask::Console)),
            settings(Asks::all(Ask::Terminal)),
            settings(Asks { high: Ask::Console, ..Asks::default() }),
        ] {
            let strict = Agent::on(&store, guarded(guard)).await;
            let (told, page) = waits(&strict, "delete_project", atlas()).await;
            assert_eq!((&page["title"], page.get("state")), (&json!("Delete project"), None), "{page}");
            assert!(!told.structured_content.unwrap()["fix"].as_str().unwrap().contains("chat"));
            // What another process has given, which trusts its clients, is no consent here.
            assert_eq!(answers(&strict, yes(&given)).await["code"], "confirmation_rejected");
            assert_eq!(strict.dump().await, before);
        }
        let two = GuardSettings { second_person: true, ..GuardSettings::default() };
        let (_, page) = waits(&Agent::on(&store, guarded(two)).await, "delete_organization", json!({ "organization": "Acme" })).await;
        assert_eq!(page.get("state"), None, "nobody can tell who answers there from who answers elsewhere");
    }
}

#[tokio::test]
async fn a_client_that_cannot_be_asked_otherwise_is_asked_by_its_page_whatever_is_set_for_those_who_cannot() {
    for fallback in [Fallback::Refuse, Fallback::Token] {
        let agent = Agent::on(&Store::sqlite(), guarded(GuardSettings { fallback, ..GuardSettings::default() })).await;
        start(&agent).await;
        let state = state(&agent).await;
        assert_eq!(answers(&agent, yes(&state)).await["status"], "done", "{fallback:?}");
    }
}

#[tokio::test]
async fn a_form_stays_the_way_of_a_client_that_has_both() {
    let agent = Agent::on(&Store::sqlite(), Options { person: Person::AgreesAndShows, ..Options::default() }).await;
    start(&agent).await;
    agent.ok("delete_project", atlas()).await;
    assert_eq!(agent.questions().len(), 1);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_or_after_another_changes_nothing() {
    for store in Store::each().await {
        let agent = Agent::on(&store, shows(Era::Modern)).await;
        start(&agent).await;
        let before = agent.dump().await;
        let (told, page) = waits(&agent, "delete_project", atlas()).await;
        let id = told.structured_content.unwrap()["approval_id"].as_str().unwrap().to_owned();
        assert_eq!(guard::refuse(agent.db(), &id, Answering::in_console("mira"), "We need it").await.unwrap(), Answered::Refused);
        let state = page["state"].as_str().unwrap().to_owned();
        assert_eq!(answers(&agent, yes(&state)).await["code"], "confirmation_rejected");
        assert_eq!(agent.dump().await, before);
        let told = agent.fails("delete_project", atlas(), "refused").await;
        assert!(told["message"].as_str().unwrap().contains("We need it"));

        agent.ok("create_project", json!({ "name": "Borealis" })).await;
        let before = agent.dump().await;
        let (told, page) = waits(&agent, "delete_project", json!({ "project": "Borealis" })).await;
        let id = told.structured_content.unwrap()["approval_id"].as_str().unwrap().to_owned();
        let mut tx = agent.db().recording().begin().await.unwrap();
        tx.run("UPDATE approvals SET expires_at = created_at + 1 WHERE id = $1", &[id.as_str().into()]).await.unwrap();
        tx.commit().await.unwrap();
        let late = answers(&agent, json!({ "state": page["state"], "agree": true, "name": "Borealis" })).await;
        assert_eq!(late["code"], "confirmation_rejected");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn what_would_do_something_else_by_now_is_asked_about_anew() {
    for store in Store::each().await {
        let agent = Agent::on(&store, shows(Era::Modern)).await;
        start(&agent).await;
        let asked = state(&agent).await;
        let other = Agent::on(&store, Options::default()).await;
        other.ok("create_api_key", json!({ "project": "Atlas", "name": "deploy" })).await;
        let before = agent.dump().await;
        let result = raw(&agent, ANSWER, yes(&asked)).await;
        assert_eq!(result.structured_content.unwrap()["code"], "pending_approval");
        assert_eq!(agent.dump().await, before);
        let anew = result.meta.unwrap().get("rolecall/question").unwrap()["state"].as_str().unwrap().to_owned();
        assert_ne!(anew, asked);
        assert_eq!(answers(&agent, yes(&anew)).await["status"], "done");
    }
}

#[tokio::test]
async fn a_reason_for_refusing_on_the_page_is_told_to_the_assistant() {
    let agent = Agent::on(&Store::sqlite(), shows(Era::Modern)).await;
    start(&agent).await;
    let before = agent.dump().await;
    let state = state(&agent).await;
    let told = answers(&agent, json!({ "state": state, "agree": false, "reason": "Sales still use it" })).await;
    assert_eq!(told["status"], "refused");
    let told = agent.fails("delete_project", atlas(), "refused").await;
    assert_eq!(told["message"], "a person rejected this change: Sales still use it; nothing was changed");
    assert_eq!(answers(&agent, yes(&state)).await["code"], "confirmation_rejected");
    assert_eq!(agent.dump().await, before);
}
