//! How a question reaches the console, and that where the console is to be asked, nothing that a client says is a consent.

use std::{collections::BTreeMap, time::Duration};

use rmcp::{
    RoleClient,
    model::{CallToolResponse, InputResponses},
    service::{ClientServiceExt as _, RunningService},
};
use rolecall::{
    guard::{self, Answered, Answering, Ask, Asks, Fallback, GuardSettings},
    server::Patience,
    store::Db,
};

use crate::{
    sse,
    support::{Agent, Client, DIRECTORY_TABLES, Era, Options, Person, Store, Value, dump, json, params},
    wire::{Real, call, lifecycle, program},
};

const ADDRESS: &str = "http://127.0.0.1:7413/console";

fn asking(asks: Asks) -> Options {
    let guard = GuardSettings { asks, ..GuardSettings::default() };
    let patience = Patience { question: Duration::from_secs(8), ..Patience::default() };
    Options { guard, patience, ..Options::default() }
}

async fn open_console(db: &Db) {
    let mut tx = db.begin().await.unwrap();
    tx.console_is_open("con_test", ADDRESS).await.unwrap();
    tx.commit().await.unwrap();
}

async fn start(agent: &Agent) {
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
}

fn id(answer: &Value) -> String {
    answer["approval_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn atlas() -> Value {
    json!({ "project": "Atlas" })
}

#[tokio::test]
async fn with_the_console_asked_a_client_that_accepts_every_form_gets_nothing_done_in_either_era() {
    for store in Store::each().await {
        for era in [Era::Legacy, Era::Modern] {
            let own = Agent::on(&store, Options { era, ..asking(Asks::all(Ask::Console)) }).await;
            if era == Era::Legacy {
                start(&own).await;
            }
            let before = own.dump().await;
            for (tool, arguments) in [
                ("delete_project", atlas()),
                ("delete_organization", json!({ "organization": "Acme" })),
                ("invite_organization_member", json!({ "email": "eve@evil.example", "organization": "Acme", "role": "owner" })),
                ("apply_changes", json!({ "steps": [{ "tool": "delete_project", "arguments": { "project": "Atlas" } }] })),
            ] {
                for _ in 0..3 {
                    own.fails(tool, arguments.clone(), "pending_approval").await;
                }
            }
            assert_eq!(own.questions(), [""; 0], "no form is shown whose yes would be worth nothing");
            assert_eq!(own.dump().await, before, "{era:?}");
        }
    }
}

/// What a client over HTTP gets done.
async fn gets_nothing_done(real: &Real, client: &RunningService<RoleClient, Client>) {
    let before = dump(&real.app.db, &DIRECTORY_TABLES).await;
    for _ in 0..3 {
        let told = call(client, "delete_project", atlas()).await;
        assert_eq!(told["code"], "pending_approval", "{told}");
        assert!(told["fix"].as_str().unwrap().contains("`rolecall console`"), "{told}");
    }
    assert_eq!(dump(&real.app.db, &DIRECTORY_TABLES).await, before);
}

#[tokio::test]
async fn the_same_over_http_and_over_sse() {
    let real = Real::with(&asking(Asks::all(Ask::Console)), sse::with_sse()).await;
    let first = real.site.client("", Era::Legacy, Person::Agrees).await;
    call(&first, "create_organization", json!({ "name": "Acme" })).await;
    call(&first, "create_project", json!({ "name": "Atlas" })).await;
    for era in [Era::Legacy, Era::Modern] {
        gets_nothing_done(&real, &real.site.client("", era, Person::Agrees).await).await;
        gets_nothing_done(&real, &sse::client(&real.site, era, Person::Agrees).await).await;
        for person in [Person::AgreesAndOpens, Person::AgreesAndShows] {
            gets_nothing_done(&real, &real.site.client("", era, person).await).await;
            gets_nothing_done(&real, &sse::client(&real.site, era, person).await).await;
        }
    }
}

#[tokio::test]
async fn the_same_over_stdio_by_the_program_itself() {
    let store = Store::sqlite();
    std::fs::write(store.folder.path().join("rolecall.toml"), "[guard]\nask = \"console\"\n").unwrap();
    let lax = Agent::on(&store, Options::default()).await;
    start(&lax).await;
    let before = lax.dump().await;
    for era in [Era::Legacy, Era::Modern] {
        for person in [Person::Agrees, Person::AgreesAndOpens, Person::AgreesAndShows] {
            let mut program = program(&store);
            program.arg("serve");
            let transport = rmcp::transport::TokioChildProcess::new(program).unwrap();
            let client = Client::new(person).serve_with_lifecycle(transport, lifecycle(era)).await.unwrap();
            for (tool, arguments) in [
                ("delete_project", atlas()),
                ("delete_organization", json!({ "organization": "Acme" })),
                ("apply_changes", json!({ "steps": [{ "tool": "delete_project", "arguments": { "project": "Atlas" } }] })),
            ] {
                let told = call(&client, tool, arguments).await;
                assert_eq!(told["code"], "pending_approval", "{era:?} {person:?}: {told}");
            }
            assert_eq!(client.service().asked(), [""; 0], "no form is shown whose yes would be worth nothing");
            client.cancel().await.unwrap();
        }
    }
    assert_eq!(lax.dump().await, before);
}

#[tokio::test]
async fn an_answer_to_a_form_that_another_process_has_shown_is_no_consent_where_the_console_is_asked() {
    for store in Store::each().await {
        let lax = Agent::on(&store, Options::default()).await;
        start(&lax).await;
        let strict = Agent::on(&store, asking(Asks::all(Ask::Console))).await;
        let before = lax.dump().await;
        let CallToolResponse::InputRequired(asked) = lax.call_once(params("delete_project", atlas())).await.unwrap() else { panic!() };
        let answers: InputResponses =
            BTreeMap::from([("confirm".to_owned(), json!({ "action": "accept", "content": { "name": "Atlas" } }))]);
        let mut forged = params("delete_project", atlas());
        forged.request_state = asked.request_state;
        forged.input_responses = Some(answers);
        let CallToolResponse::Complete(told) = strict.call_once(forged.clone()).await.unwrap() else { panic!() };
        assert_eq!(told.structured_content.unwrap()["code"], "pending_approval");
        assert_eq!(lax.dump().await, before);
        // It is used up by that, too.
        let CallToolResponse::Complete(told) = lax.call_once(forged).await.unwrap() else { panic!() };
        assert_eq!(told.structured_content.unwrap()["code"], "confirmation_rejected");
        assert_eq!(lax.dump().await, before);
    }
}

#[tokio::test]
async fn a_token_is_no_consent_where_the_console_is_asked() {
    let guard = GuardSettings { fallback: Fallback::Token, asks: Asks::all(Ask::Console), ..GuardSettings::default() };
    let agent = Agent::on(&Store::sqlite(), Options { guard, person: Person::Unreachable, ..Options::default() }).await;
    start(&agent).await;
    let told = agent.fails("delete_project", atlas(), "pending_approval").await;
    assert_eq!(told.get("confirmation_token"), None, "{told}");
}

#[tokio::test]
async fn what_is_agreed_to_in_the_console_runs_once() {
    for store in Store::each().await {
        let agent = Agent::on(&store, Options { person: Person::Unreachable, ..asking(Asks::all(Ask::Console)) }).await;
        start(&agent).await;
        let waiting = id(&agent.fails("delete_project", atlas(), "pending_approval").await);
        // A terminal is another place.
        let elsewhere = guard::approve(agent.db(), &waiting, Answering::at_terminal("mira")).await.unwrap();
        assert_eq!(elsewhere, Answered::Elsewhere("console".to_owned()));
        agent.fails("delete_project", atlas(), "pending_approval").await;
        assert_eq!(guard::approve(agent.db(), &waiting, Answering::in_console("mira")).await.unwrap(), Answered::Approved);
        agent.ok("delete_project", atlas()).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        let again = id(&agent.fails("delete_project", atlas(), "pending_approval").await);
        assert_ne!(again, waiting);
    }
}

#[tokio::test]
async fn what_a_terminal_is_asked_about_nobody_answers_in_the_console() {
    let agent = Agent::on(&Store::sqlite(), asking(Asks::all(Ask::Terminal))).await;
    start(&agent).await;
    open_console(agent.db()).await;
    let told = agent.fails("delete_project", atlas(), "pending_approval").await;
    assert_eq!(told.get("address"), None, "{told}");
    assert!(told["fix"].as_str().unwrap().contains(&format!("`rolecall approve {}`", id(&told))), "{told}");
    let elsewhere = guard::approve(agent.db(), &id(&told), Answering::in_console("mira")).await.unwrap();
    assert_eq!(elsewhere, Answered::Elsewhere("terminal".to_owned()));
    assert_eq!(guard::approve(agent.db(), &id(&told), Answering::at_terminal("mira")).await.unwrap(), Answered::Approved);
    agent.ok("delete_project", atlas()).await;
}

#[tokio::test]
async fn by_gravity_the_gravest_go_to_the_console_and_the_rest_to_a_form() {
    let agent = Agent::on(&Store::sqlite(), asking(Asks { critical: Ask::Console, ..Asks::default() })).await;
    start(&agent).await;
    agent.ok("create_project", json!({ "name": "Borealis" })).await;
    agent.ok("delete_project", atlas()).await;
    assert_eq!(agent.questions().len(), 1);
    agent.fails("delete_organization", json!({ "organization": "Acme" }), "pending_approval").await;
    assert_eq!(agent.questions(), [""; 0]);
}

#[tokio::test]
async fn what_was_approved_anywhere_does_not_serve_where_the_console_is_asked() {
    for store in Store::each().await {
        let lax = Agent::on(&store, Options { person: Person::Unreachable, ..Options::default() }).await;
        start(&lax).await;
        let waiting = id(&lax.fails("delete_project", atlas(), "pending_approval").await);
        guard::approve(lax.db(), &waiting, Answering::at_terminal("mira")).await.unwrap();
        let strict = Agent::on(&store, Options { person: Person::Unreachable, ..asking(Asks::all(Ask::Console)) }).await;
        assert_ne!(id(&strict.fails("delete_project", atlas(), "pending_approval").await), waiting);
    }
}

#[tokio::test]
async fn whoever_cannot_ask_is_told_the_address_while_a_console_is_open() {
    for store in Store::each().await {
        let agent = Agent::on(&store, Options { person: Person::Unreachable, ..Options::default() }).await;
        start(&agent).await;
        let told = agent.fails("delete_project", atlas(), "pending_approval").await;
        let waiting = id(&told);
        assert_eq!(told["fix"], format!("ask a person to run `rolecall approve {waiting}` in a terminal, then repeat this call unchanged"));
        open_console(agent.db()).await;
        let told = agent.fails("delete_project", atlas(), "pending_approval").await;
        assert_eq!((id(&told), &told["address"]), (waiting.clone(), &json!(format!("{ADDRESS}/q/{waiting}"))));
        let way = told["fix"].as_str().unwrap();
        assert!(way.starts_with(&format!("ask a person to answer at {ADDRESS}/q/{waiting}, or")), "{way}");
        let mut tx = agent.db().recording().begin().await.unwrap();
        tx.console_is_closed("con_test").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(agent.fails("delete_project", atlas(), "pending_approval").await.get("address"), None);
    }
}

/// A person who answers in the console as soon as something waits there.
fn answers(agent: &Agent, agrees: bool) -> tokio::task::JoinHandle<String> {
    let db = agent.db().clone();
    tokio::spawn(async move {
        loop {
            let open = db.read().await.unwrap().open_approvals(rolecall::domain::Timestamp::now()).await.unwrap();
            if let Some(it) = open.first() {
                tokio::time::sleep(Duration::from_millis(500)).await;
                let who = Answering::in_console("mira");
                if agrees {
                    assert_eq!(guard::approve(&db, &it.id, who).await.unwrap(), Answered::Approved);
                } else {
                    assert_eq!(guard::refuse(&db, &it.id, who, "Atlas is still used by sales").await.unwrap(), Answered::Refused);
                }
                return it.id.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

#[tokio::test]
async fn a_client_that_opens_addresses_is_sent_to_the_page_and_its_call_goes_on_by_itself() {
    for person in [Person::Opens, Person::AgreesAndOpens] {
        for era in [Era::Legacy, Era::Modern] {
            let agent = Agent::on(&Store::sqlite(), Options { era, person, ..asking(Asks::default()) }).await;
            start(&agent).await;
            open_console(agent.db()).await;
            let answering = answers(&agent, true);
            agent.ok("delete_project", atlas()).await;
            let approval = answering.await.unwrap();
            let mut told = agent.questions();
            assert_eq!(told.remove(0), format!("{ADDRESS}/q/{approval}"), "{person:?} {era:?}");
            if era == Era::Legacy {
                let complete = told.pop().unwrap_or_default();
                assert_eq!(complete, format!("notifications/elicitation/complete {{\"elicitationId\":\"{approval}\"}}"));
            }
            assert!(told.iter().all(|it| *it == format!("{ADDRESS}/q/{approval}")), "no form is shown besides: {told:?}");
        }
    }
}

#[tokio::test]
async fn a_reason_that_is_given_in_the_console_is_told_to_the_assistant() {
    for era in [Era::Legacy, Era::Modern] {
        let agent = Agent::on(&Store::sqlite(), Options { era, person: Person::Opens, ..asking(Asks::default()) }).await;
        start(&agent).await;
        open_console(agent.db()).await;
        let before = agent.dump().await;
        let answering = answers(&agent, false);
        let told = agent.fails("delete_project", atlas(), "refused").await;
        answering.await.unwrap();
        let message = "a person rejected this change: Atlas is still used by sales; nothing was changed";
        assert_eq!(told["message"], message);
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn that_a_page_was_opened_or_not_is_no_answer() {
    for era in [Era::Legacy, Era::Modern] {
        // Nobody answers on the page that the client opens, or does not open.
        for person in [Person::UrlOnly, Person::Opens] {
            let patience = Patience { question: Duration::from_millis(400), ..Patience::default() };
            let agent = Agent::on(&Store::sqlite(), Options { era, person, patience, ..Options::default() }).await;
            start(&agent).await;
            open_console(agent.db()).await;
            if era == Era::Modern && person == Person::Opens {
                continue; // it waits as long as its client repeats the call; see above
            }
            let before = agent.dump().await;
            let told = agent.fails("delete_project", atlas(), "pending_approval").await;
            assert!(told["address"].as_str().unwrap().starts_with(ADDRESS), "{told}");
            assert_eq!(agent.dump().await, before);
        }
    }
}

#[tokio::test]
async fn low_questions_stay_in_the_form_and_a_waiting_approval_hides_no_form() {
    let agent = Agent::on(&Store::sqlite(), Options { person: Person::AgreesAndOpens, ..asking(Asks::default()) }).await;
    start(&agent).await;
    agent.ok("create_team", json!({ "name": "Maps" })).await;
    open_console(agent.db()).await;
    let silent = agent.silent().await;
    let waiting = id(&silent.fails("delete_team", json!({ "team": "Maps" }), "pending_approval").await);
    let formal = agent.with(Era::Modern, Person::Agrees).await;
    formal.ok("delete_team", json!({ "team": "Maps" })).await;
    assert_eq!(formal.questions().len(), 1, "{waiting}");
}

#[tokio::test]
async fn a_question_keeps_all_that_a_page_shows_and_nothing_that_a_model_wrote() {
    let agent = Agent::on(&Store::sqlite(), Options { person: Person::Unreachable, ..Options::default() }).await;
    start(&agent).await;
    let waiting = id(&agent.fails("delete_project", atlas(), "pending_approval").await);
    let approval = agent.db().read().await.unwrap().approval(&waiting).await.unwrap().unwrap();
    let kept: Value = serde_json::from_str(&approval.question).unwrap();
    assert_eq!(
        (&kept["title"], &kept["target"]["name"], &kept["client"]),
        (&json!("Delete project"), &json!("Atlas"), &json!("test-client 1"))
    );
    assert_eq!(kept["impact"]["gravity"], "high");
    assert_eq!(kept["type_this"], "Atlas");
    let steps = json!({ "steps": [{ "tool": "delete_project", "arguments": { "project": "Atlas" } }, { "tool": "create_team", "arguments": { "name": "Maps" } }] });
    let waiting = id(&agent.fails("apply_changes", steps, "pending_approval").await);
    let approval = agent.db().read().await.unwrap().approval(&waiting).await.unwrap().unwrap();
    let kept: Value = serde_json::from_str(&approval.question).unwrap();
    let rows: Vec<&str> = kept["rows"].as_array().unwrap().iter().filter_map(|it| it["does"].as_str()).collect();
    assert_eq!(rows, ["Delete project", "Create team"]);
}
