//! Access that is given until a time: what is told and asked, and what is taken away then.

use rolecall::{
    domain::Timestamp,
    guard::{Answered, Answering, Fallback, GuardSettings, approve},
    store::Val,
};

use crate::{
    company::{acme, column, email, join, owned, refused, team},
    support::{Agent, Options, Person, Value, json},
};

/// Lets the time of all that is to end be now.
pub(crate) async fn time_comes(agent: &Agent) {
    let mut tx = agent.db().recording().begin().await.unwrap();
    let now = Timestamp::now().plus_seconds(-1).0;
    let sql = "UPDATE ends SET ends_at = $1, look_at = $1 WHERE state IN ('waiting', 'failed')";
    tx.run(sql, &[Val::from(now)]).await.unwrap();
    tx.commit().await.unwrap();
    look(agent).await;
}

/// Looks as a server does, and waits until what it began is through.
pub(crate) async fn look(agent: &Agent) {
    for _ in 0..2 {
        agent.app.jobs().end_access().await.unwrap();
        while agent.app.jobs().running() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

pub(crate) async fn ending(agent: &Agent, state: &str) -> Vec<Value> {
    let list = agent.ok("list_ending_access", if state.is_empty() { json!({}) } else { json!({ "all": true }) }).await;
    list["items"].as_array().unwrap().iter().filter(|it| matches!(state, "" | "all") || it["state"] == state).cloned().collect()
}

fn given(person: &str, roles: &[&str], ends_at: &str) -> Value {
    json!({ "project": "Atlas", "member": email(person), "roles": roles, "ends_at": ends_at })
}

async fn company(agent: &Agent) {
    acme(agent, &["ana", "bo", "cy"]).await;
    owned(agent).await;
    agent.ok("create_project", json!({ "name": "Atlas", "admin_email": email("olga") })).await;
    agent.questions();
}

async fn roles_of(agent: &Agent, person: &str) -> Value {
    agent.call("get_project_member", json!({ "project": "Atlas", "member": email(person) })).await["roles"].clone()
}

#[tokio::test]
async fn access_is_given_until_a_time_and_is_gone_then_without_anybodys_doing() {
    for agent in Agent::each().await {
        company(&agent).await;
        let preview = agent.ok("add_project_member", json!({ "project": "Atlas", "member": email("ana"), "roles": ["viewer"], "ends_at": "2199-12-04T18:00 Europe/Berlin", "dry_run": true })).await;
        let told = "ends by itself: until Wednesday 4 December 2199, 18:00 (Europe/Berlin)";
        assert!(preview["impact"]["notes"].to_string().contains(told), "{preview}");
        assert_eq!(preview["ends_at"], "2199-12-04T17:00:00Z", "{preview}");
        assert_eq!(ending(&agent, "").await.len(), 0, "a preview plans nothing");
        let done = agent.ok("add_project_member", given("ana", &["owner"], "2199-12-04T18:00 Europe/Berlin")).await;
        assert_eq!(done["ends_at"], "2199-12-04T17:00:00Z", "{done}");
        let questions = agent.questions();
        assert!(questions.len() == 1 && questions[0].contains(told), "{questions:?}");
        let planned = ending(&agent, "").await;
        assert_eq!(planned.len(), 1, "{planned:?}");
        assert_eq!((&planned[0]["state"], &planned[0]["ends_at"]), (&json!("planned"), &done["ends_at"]));
        assert_eq!(planned[0]["access"], format!("member {} in project Atlas", email("ana")));
        assert_eq!((&planned[0]["roles"], &planned[0]["call_id"]), (&json!(["owner"]), &done["call_id"]));
        look(&agent).await;
        assert_eq!(roles_of(&agent, "ana").await, json!(["owner"]), "not before its time");
        time_comes(&agent).await;
        agent.fails("get_project_member", json!({ "project": "Atlas", "member": email("ana") }), "member_not_found").await;
        assert_eq!(agent.questions(), [""; 0], "it was agreed to with the call that gave it");
        assert_eq!(ending(&agent, "").await.len(), 0);
        assert_eq!(ending(&agent, "ended").await.len(), 1);
        let activity = agent.ok("list_activity", json!({ "tool": "remove_project_member" })).await;
        let taken = &activity["items"][0];
        assert_eq!((&taken["outcome"], &taken["consent"]), (&json!("done"), &json!("job")), "{taken}");
        assert_eq!(taken["client"], format!("agreed in {}", done["call_id"].as_str().unwrap()));
        let job = agent.ok("list_activity", json!({ "limit": 5 })).await;
        let begun = job["items"].as_array().unwrap().iter().find(|it| it["tool"] == "end_access").unwrap();
        assert_eq!((&begun["consent"], &begun["outcome"]), (&json!("agreed"), &json!("done")), "{begun}");
        assert!(agent.db().read().await.unwrap().verify_ledger().await.unwrap().broken.is_none());
        // Nothing is taken twice.
        join(&agent, "Atlas", "ana", &["viewer"]).await;
        time_comes(&agent).await;
        assert_eq!(roles_of(&agent, "ana").await, json!(["viewer"]));
    }
}

#[tokio::test]
async fn an_end_that_is_past_or_cannot_be_read_is_refused_and_nothing_is_changed() {
    let agent = Agent::new().await;
    company(&agent).await;
    for (written, said) in [
        ("2020-01-01", "`ends_at`: `2020-01-01` is not to come: that was the end of Wednesday 1 January 2020"),
        ("whenever", "`ends_at`: `whenever` is not a time"),
        ("next Friday", "`ends_at`: `next Friday` has two readings"),
        ("-2 weeks", "`ends_at`: `-2 weeks` is not to come"),
    ] {
        let refusal = refused(&agent, "add_project_member", given("ana", &["viewer"], written), "invalid_arguments").await;
        assert!(refusal["message"].as_str().unwrap().starts_with(said), "{refusal}");
        assert!(!refusal["fix"].as_str().unwrap().is_empty(), "{refusal}");
        let people = json!({ "people": [{ "project": "Atlas", "member": email("ana"), "roles": ["viewer"] }], "ends_at": written });
        refused(&agent, "add_project_members", people, "invalid_arguments").await;
        let steps = json!({ "steps": [{ "tool": "add_project_member", "arguments": given("ana", &["viewer"], written) }] });
        let refusal = agent.call("apply_changes", steps).await;
        assert!(refusal["message"].as_str().unwrap().contains(said), "{refusal}");
    }
    refused(
        &agent,
        "remove_project_member",
        json!({ "project": "Atlas", "member": email("olga"), "ends_at": "Friday" }),
        "invalid_arguments",
    )
    .await;
    assert_eq!(agent.questions(), [""; 0]);
    assert_eq!(ending(&agent, "").await.len(), 0);
}

#[tokio::test]
async fn what_is_no_longer_exactly_what_was_given_is_left_and_told() {
    for agent in Agent::each().await {
        company(&agent).await;
        // Another role instead, one more, and the same given anew.
        for person in ["ana", "bo", "cy"] {
            agent.ok("add_project_member", given(person, &["viewer"], "2 weeks")).await;
        }
        agent.ok("update_project_member", json!({ "project": "Atlas", "member": email("ana"), "role": "owner" })).await;
        agent.ok("assign_role", json!({ "project": "Atlas", "member": email("bo"), "role": "owner" })).await;
        agent.ok("remove_project_member", json!({ "project": "Atlas", "member": email("cy") })).await;
        join(&agent, "Atlas", "cy", &["viewer"]).await;
        let planned = ending(&agent, "planned").await;
        assert_eq!(planned.len(), 2, "what was taken away before has no end: {planned:?}");
        agent.questions();
        time_comes(&agent).await;
        assert_eq!(roles_of(&agent, "ana").await, json!(["owner"]));
        assert_eq!(roles_of(&agent, "bo").await, json!(["owner"]));
        assert_eq!(roles_of(&agent, "cy").await, json!(["viewer"]));
        let left = ending(&agent, "").await;
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(
            (&left[0]["state"], &left[0]["reason"]),
            (&json!("left"), &json!("the role there now is owner, and not viewer, which was given"))
        );
        let ended = ending(&agent, "ended").await;
        assert_eq!((ended.len(), &ended[0]["reason"]), (1, &json!("further roles stay: owner")), "{ended:?}");
        let cancelled = ending(&agent, "cancelled").await;
        assert!(cancelled[0]["reason"].as_str().unwrap().starts_with("it was given anew, in call"), "{cancelled:?}");
        assert_eq!(agent.questions(), [""; 0]);
    }
}

#[tokio::test]
async fn an_end_is_moved_by_the_same_call_with_another_one_and_asks_again() {
    for agent in Agent::each().await {
        company(&agent).await;
        let first = agent.ok("add_project_member", given("ana", &["owner"], "2199-01-01T12:00Z")).await;
        assert_eq!(agent.questions().len(), 1);
        let same = refused(&agent, "add_project_member", given("ana", &["owner"], "2199-01-01T12:00Z"), "already_ends_then").await;
        assert!(same["message"].as_str().unwrap().contains("has it already, until Tuesday 1 January 2199, 12:00"), "{same}");
        let mut keyed = given("bo", &["viewer"], "2199-01-01T12:00Z");
        keyed["idempotency_key"] = "once".into();
        let once = agent.ok("add_project_member", keyed.clone()).await;
        let again = agent.ok("add_project_member", keyed).await;
        assert_eq!((&again["replayed"], &again["ends_at"], &again["call_id"]), (&json!(true), &once["ends_at"], &once["call_id"]));
        agent.ok("undo", json!({ "call_id": once["call_id"] })).await;
        agent.questions();
        let before = agent.dump().await;
        let later = agent.ok("add_project_member", given("ana", &["owner"], "2199-02-01T12:00Z")).await;
        assert_eq!((&later["ends_at"], agent.dump().await), (&json!("2199-02-01T12:00:00Z"), before), "{later}");
        let question = agent.questions().join("");
        assert!(question.contains("it was to end Tuesday 1 January 2199, 12:00"), "{question}");
        assert!(question.contains("until Friday 1 February 2199, 12:00"), "{question}");
        let planned = ending(&agent, "").await;
        assert_eq!((planned.len(), &planned[0]["ends_at"], &planned[0]["call_id"]), (1, &later["ends_at"], &later["call_id"]));
        // Earlier is as grave as to take it away.
        agent.ok("add_project_member", given("ana", &["owner"], "2198-12-01T12:00Z")).await;
        let question = agent.questions().join("");
        assert!(question.contains("no longer Owner") || question.contains("loses access"), "{question}");
        assert!(question.contains("To confirm, type"), "{question}");
        assert_eq!(ending(&agent, "").await[0]["ends_at"], "2198-12-01T12:00:00Z");
        let declining = agent.refusing().await;
        declining.fails("add_project_member", given("ana", &["owner"], "2199-03-01T12:00Z"), "declined").await;
        assert_eq!(ending(&agent, "").await[0]["ends_at"], "2198-12-01T12:00:00Z");
        // Taken back, the end is where it was.
        agent.ok("undo", json!({ "call_id": later["call_id"] })).await;
        assert_eq!(ending(&agent, "").await[0]["ends_at"], "2199-01-01T12:00:00Z");
        time_comes(&agent).await;
        agent.fails("get_project_member", json!({ "project": "Atlas", "member": email("ana") }), "member_not_found").await;
        assert_eq!(ending(&agent, "ended").await.len(), 1);
        assert_eq!(ending(&agent, "cancelled").await.len(), 4);
        let _ = first;
    }
}

#[tokio::test]
async fn access_that_was_given_without_an_end_gets_none_by_being_given_again() {
    let agent = Agent::new().await;
    company(&agent).await;
    join(&agent, "Atlas", "ana", &["viewer"]).await;
    let refusal = refused(&agent, "add_project_member", given("ana", &["viewer"], "2 weeks"), "already_without_end").await;
    assert!(refusal["message"].as_str().unwrap().contains("given without an end"), "{refusal}");
    agent.ok("add_project_member", given("bo", &["viewer"], "2 weeks")).await;
    let other = refused(&agent, "add_project_member", given("bo", &["owner"], "3 weeks"), "already_member").await;
    assert!(other["message"].as_str().unwrap().contains("as viewer"), "{other}");
}

#[tokio::test]
async fn what_is_undone_or_removed_has_no_end_any_more() {
    for agent in Agent::each().await {
        company(&agent).await;
        let done = agent.ok("add_project_member", given("ana", &["viewer"], "2 weeks")).await;
        agent.ok("undo", json!({ "call_id": done["call_id"] })).await;
        assert_eq!(ending(&agent, "").await.len(), 0);
        join(&agent, "Atlas", "ana", &["viewer"]).await;
        agent.ok("add_project_member", given("bo", &["viewer"], "2 weeks")).await;
        agent.ok("remove_organization_member", json!({ "member": email("bo"), "organization": "Acme" })).await;
        time_comes(&agent).await;
        assert_eq!(roles_of(&agent, "ana").await, json!(["viewer"]));
        assert_eq!(ending(&agent, "cancelled").await.len(), 2);
        assert_eq!(ending(&agent, "").await.len(), 0);
    }
}

#[tokio::test]
async fn everything_that_gives_access_can_end() {
    for agent in Agent::each().await {
        company(&agent).await;
        team(&agent, "Core", &["bo"]).await;
        for (tool, arguments) in [
            ("add_project_team", json!({ "project": "Atlas", "team": "Core", "role": "viewer" })),
            ("add_team_member", json!({ "team": "Core", "member": email("cy") })),
            ("assign_role", json!({ "role": "admin", "member": email("ana"), "organization": "Acme" })),
            ("create_user", json!({ "email": email("di"), "name": "Di", "organization": "Acme" })),
            ("invite_organization_member", json!({ "email": email("eli"), "organization": "Acme" })),
            ("create_service_account", json!({ "project": "Atlas", "name": "CI" })),
        ] {
            let before = agent.dump().await;
            let mut until = arguments.clone();
            until["ends_at"] = "P14D".into();
            let done = agent.ok(tool, until).await;
            assert!(done["ends_at"].is_string(), "{tool}: {done}");
            assert_eq!(ending(&agent, "planned").await.len(), 1, "{tool}");
            time_comes(&agent).await;
            let over = ending(&agent, "ended").await;
            assert!(over.iter().any(|it| it["call_id"] == done["call_id"]), "{tool}: {over:?} {:?}", ending(&agent, "").await);
            let mut after = agent.dump().await;
            for (table, rows) in before {
                let now = after.remove(&table).unwrap();
                // The account that was made stays, calls are remembered, and an invitation is kept as cancelled.
                if !["applied_calls", "users", "invitations"].contains(&table.as_str()) {
                    assert_eq!(now, rows, "{tool}: {table}");
                }
            }
        }
        agent.ok("create_user", json!({ "email": email("fay"), "name": "Fay", "organization": "Acme" })).await;
        agent.ok("remove_organization_member", json!({ "member": email("fay"), "organization": "Acme" })).await;
        let joined = json!({ "email": email("fay"), "organization": "Acme", "ends_at": "2 weeks" });
        agent.ok("add_organization_member", joined.clone()).await;
        join(&agent, "Atlas", "fay", &["viewer"]).await;
        time_comes(&agent).await;
        let left = ending(&agent, "").await;
        assert_eq!((left.len(), &left[0]["state"]), (1, &json!("left")), "what was given since is no part of it: {left:?}");
        assert!(left[0]["reason"].as_str().unwrap().contains("project Atlas"), "{left:?}");
    }
}

#[tokio::test]
async fn an_invitation_that_was_accepted_ends_as_the_membership_that_came_of_it() {
    for agent in Agent::each().await {
        company(&agent).await;
        agent.ok("create_organization", json!({ "name": "Other" })).await;
        agent.ok("create_user", json!({ "email": email("gil"), "name": "Gil", "organization": "Other" })).await;
        agent.ok("invite_organization_member", json!({ "email": email("gil"), "organization": "Acme", "ends_at": "2 weeks" })).await;
        let mut tx = agent.db().recording().begin().await.unwrap();
        tx.run("UPDATE invitations SET status = 'accepted'", &[]).await.unwrap();
        let sql = "INSERT INTO organization_members (organization_id, user_id, role_id, joined_at) \
                   SELECT i.organization_id, u.id, i.role_id, i.created_at FROM invitations i, users u WHERE u.email = i.email";
        tx.run(sql, &[]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(column(&agent.ok("list_organization_members", json!({ "organization": "Acme" })).await, "member").contains(&email("gil")));
        time_comes(&agent).await;
        assert!(!column(&agent.ok("list_organization_members", json!({ "organization": "Acme" })).await, "member").contains(&email("gil")));
        assert_eq!(ending(&agent, "ended").await.len(), 1);
    }
}

#[tokio::test]
async fn a_key_ends_by_itself_where_it_can() {
    let agent = Agent::new().await;
    company(&agent).await;
    let key = agent.ok("create_api_key", json!({ "project": "Atlas", "name": "ci", "ends_at": "PT2H" })).await;
    let (told, set) = (key["ends_at"].as_str().unwrap(), key["after"]["expires_at"].as_str().unwrap());
    let minute = |it: &str| it[..16].to_owned();
    assert_eq!(minute(told), minute(set), "{key}");
    assert_eq!(ending(&agent, "").await.len(), 0, "there is nothing to do for it");
    let both = json!({ "project": "Atlas", "name": "cd", "ends_at": "PT2H", "expires_in_seconds": 60 });
    refused(&agent, "create_api_key", both, "invalid_arguments").await;
    // Longer than keys live, it is taken away.
    agent.ok("create_api_key", json!({ "project": "Atlas", "name": "cd", "ends_at": "3 years" })).await;
    time_comes(&agent).await;
    assert_eq!(column(&agent.ok("list_api_keys", json!({ "project": "Atlas" })).await, "api_key"), ["ci"]);
}

#[tokio::test]
async fn many_people_until_a_time_are_one_question_and_go_by_one_job() {
    for agent in Agent::each().await {
        company(&agent).await;
        let people: Vec<Value> =
            ["ana", "bo", "cy"].iter().map(|it| json!({ "project": "Atlas", "member": email(it), "roles": ["viewer"] })).collect();
        let done = agent.ok("add_project_members", json!({ "people": people, "ends_at": "2199-12-04T18:00 Europe/Berlin" })).await;
        assert_eq!((&done["after"]["done"], &done["ends_at"]), (&json!(3), &json!("2199-12-04T17:00:00Z")), "{done}");
        let questions = agent.questions();
        assert!(questions.len() == 1 && questions[0].contains("until Wednesday 4 December 2199, 18:00 (Europe/Berlin)"), "{questions:?}");
        assert_eq!(ending(&agent, "planned").await.len(), 3);
        agent.ok("remove_project_member", json!({ "project": "Atlas", "member": email("bo") })).await;
        agent.questions();
        time_comes(&agent).await;
        assert_eq!(column(&agent.ok("list_project_members", json!({ "project": "Atlas" })).await, "member"), [email("olga")]);
        let ended = ending(&agent, "ended").await;
        assert_eq!(ended.len(), 2, "{ended:?}");
        let jobs = agent.ok("list_jobs", json!({ "limit": 1 })).await;
        assert_eq!((&jobs["items"][0]["tool"], &jobs["items"][0]["total"]), (&json!("end_access"), &json!(2)), "{jobs}");
        assert_eq!(agent.questions(), [""; 0]);
        let steps = json!({ "steps": [
            { "tool": "add_project_member", "arguments": given("ana", &["viewer"], "2 weeks") },
            { "tool": "add_project_member", "arguments": { "project": "Atlas", "member": email("bo"), "roles": ["viewer"] } },
        ] });
        agent.ok("apply_changes", steps).await;
        assert_eq!(ending(&agent, "planned").await.len(), 1);
        time_comes(&agent).await;
        assert_eq!((roles_of(&agent, "ana").await, roles_of(&agent, "bo").await), (Value::Null, json!(["viewer"])));
        // What a job gave is taken back with its ends.
        let again = agent.ok("add_project_members", json!({ "people": [people[0]], "ends_at": "2 weeks" })).await;
        agent.ok("undo", json!({ "job": again["job"] })).await;
        assert_eq!(ending(&agent, "").await.len(), 0);
    }
}

#[tokio::test]
async fn a_duration_means_the_same_before_and_after_somebody_has_agreed() {
    for store in crate::support::Store::each().await {
        let guard = GuardSettings { fallback: Fallback::Approve, ..GuardSettings::default() };
        let agent = Agent::on(&store, Options { guard, ..Options::default() }).await;
        company(&agent).await;
        let silent = agent.with(crate::support::Era::Modern, Person::Unreachable).await;
        let wish = given("ana", &["owner"], "2 weeks");
        let waiting = silent.fails("add_project_member", wish.clone(), "pending_approval").await;
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let id = waiting["approval_id"].as_str().unwrap();
        let answered = approve(agent.db(), id, Answering::at_terminal("olga")).await.unwrap();
        assert!(matches!(answered, Answered::Approved), "{answered:?}");
        let done = silent.ok("add_project_member", wish).await;
        assert_eq!(done["status"], "done", "{done}");
        assert_eq!(ending(&agent, "planned").await[0]["ends_at"], done["ends_at"]);
    }
}
