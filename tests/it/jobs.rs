//! Many calls as one piece of work, through a real client: planned, agreed to, made, watched, ended, taken back.

use rolecall::{
    guard::{AllowLists, Caller, Fallback, GuardSettings},
    jobs::Wait,
    store::EntryKind,
    tools::Effect,
};

use crate::{
    company::{acme, column, email, join, refused, team},
    support::{Agent, Options, Person, Store, Value, json},
};

/// What became of each step, a line each.
pub(crate) fn outcomes(answer: &Value) -> Vec<String> {
    let line = |it: &Value| {
        let reason = it["reason"].as_str().map(|it| format!(": {it}")).unwrap_or_default();
        format!("{} {}{reason}", it["step"].as_str().unwrap(), it["outcome"].as_str().unwrap())
    };
    answer["after"]["items"].as_array().unwrap().iter().map(line).collect()
}

/// Acme with four people, and the project Atlas that Ana and Eve own.
pub(crate) async fn company(agent: &Agent) {
    acme(agent, &["ana", "bo", "cy", "eve"]).await;
    agent.ok("create_project", json!({ "name": "Atlas" })).await;
    join(agent, "Atlas", "ana", &["owner"]).await;
    join(agent, "Atlas", "eve", &["owner"]).await;
    agent.questions();
}

pub(crate) fn adding(person: &str, roles: &[&str]) -> Value {
    json!({ "tool": "add_project_member", "arguments": { "project": "Atlas", "member": email(person), "roles": roles } })
}

fn remove_ana() -> Value {
    json!({ "tool": "remove_project_member", "arguments": { "project": "Atlas", "member": email("ana") } })
}

#[tokio::test]
async fn steps_build_on_the_results_of_earlier_ones() {
    for agent in Agent::each().await {
        company(&agent).await;
        let steps = json!({ "steps": [
            { "id": "team", "tool": "create_team", "arguments": { "name": "Core", "organization": "Acme" } },
            { "id": "project", "tool": "create_project", "arguments": { "name": "Borealis", "description": "of ${team.name}" } },
            { "tool": "add_team_member", "arguments": { "team": "${team.id}", "member": email("ana") } },
            { "tool": "add_project_team", "arguments": { "project": "${project.after.id}", "team": "${team.after.id}", "role": "viewer" } },
            adding("bo", &["viewer"]),
        ] });
        let done = agent.ok("apply_changes", steps).await;
        assert_eq!(outcomes(&done), ["team done", "project done", "3 done", "4 done", "5 done"], "{done}");
        assert_eq!((&done["status"], &done["after"]["done"]), (&json!("done"), &json!(5)), "{done}");
        let questions = agent.questions();
        let lines: Vec<&str> = questions[0].lines().collect();
        assert_eq!(lines[0], "Apply changes: batch 5 changes, organization Acme (connection local)?");
        assert!(lines[1].starts_with("- Add project member in project Atlas [prj_"), "{questions:?}");
        assert_eq!(lines[2], "- Create team (step team): team Core: {\"name\":\"Core\",\"organization\":\"Acme\"}");
        assert_eq!(
            lines[3],
            "- Create project (step project), with what earlier steps make: {\"name\":\"Borealis\",\"description\":\"of ${team.name}\"}"
        );
        let adding =
            format!("- Add team member, with what earlier steps make: {{\"team\":\"${{team.id}}\",\"member\":\"{}\"}}", email("ana"));
        assert_eq!(lines[4], adding);
        assert_eq!(lines[6], "- steps that depend on earlier ones run only if they turn out harmless");
        assert_eq!(lines.last(), Some(&"Undo: undo with the job's id"));
        let people = agent.ok("list_project_members", json!({ "project": "Borealis" })).await;
        assert_eq!(column(&people, "member"), [email("ana")], "{people}");
        assert_eq!(agent.ok("get_project", json!({ "project": "Borealis" })).await["description"], "of Core");
    }
}

#[tokio::test]
async fn steps_that_ask_for_nothing_are_made_without_a_question() {
    let creating = json!({ "tool": "create_team", "arguments": { "name": "Core", "organization": "Acme" } });
    for agent in Agent::each().await {
        company(&agent).await;
        let done = agent.ok("apply_changes", json!({ "steps": [adding("bo", &["viewer"]), creating.clone()] })).await;
        assert_eq!(done["after"]["done"], 2, "{done}");
        assert_eq!(agent.questions(), [""; 0]);
        for tool in ["add_project_member", "create_team"] {
            let rows = agent.ok("list_activity", json!({ "tool": tool, "limit": 1 })).await;
            assert_eq!(column(&rows, "outcome"), ["done"], "each row is in the ledger: {rows}");
        }
        let job = agent.ok("list_activity", json!({ "tool": "apply_changes" })).await;
        assert_eq!(job["items"][0]["call_id"], done["call_id"], "{job}");
        assert!(agent.db().read().await.unwrap().verify_ledger().await.unwrap().broken.is_none());
    }
}

#[tokio::test]
async fn all_bad_steps_are_told_at_once_and_nothing_is_sent() {
    for agent in Agent::each().await {
        company(&agent).await;
        let refusal = refused(
            &agent,
            "apply_changes",
            json!({ "steps": [
                adding("bo", &["viewer"]),
                { "tool": "list_projects" },
                { "id": "x", "tool": "create_teem", "arguments": {} },
                { "id": "x", "tool": "create_team", "arguments": { "name": "Core" } },
                { "tool": "add_team_member", "arguments": { "team": "${later.id}", "member": "x" } },
                { "tool": "add_team_member", "arguments": { "team": "${x.id}", "colour": "x" } },
                { "tool": "add_team_member", "arguments": { "team": "${x}", "member": "x" } },
                { "tool": "apply_changes", "arguments": { "steps": [] } },
                { "tool": "undo", "arguments": { "job": "x" } },
                { "tool": "create_team", "arguments": { "name": "Core", "dry_run": true } },
            ] }),
            "invalid_arguments",
        )
        .await;
        let message = refusal["message"].as_str().unwrap();
        let starts = [
            "9 steps of 10 cannot be made, so nothing was changed:",
            "step 2: list_projects changes nothing",
            "step x: no tool `create_teem`; did you mean create_team",
            "step x: an earlier step has the same id",
            "step 5: `${later.id}`: no earlier step has the id `later`",
            "step 6: 2 arguments do not fit: add_team_member has no argument `colour`; `member` is missing",
            "step 7: `${x}` names no field; write `${x.id}`",
            "step 8: apply_changes is a job of its own",
            "step 9: undo is a job of its own",
            "step 10: `dry_run`, `idempotency_key` and `confirmation_token` are for the whole call",
        ];
        assert_eq!(message.lines().count(), starts.len(), "{message}");
        for (line, start) in message.lines().zip(starts) {
            assert!(line.starts_with(start), "{line} does not start with {start}");
        }
        // What only the directory can tell is told together as well.
        let steps = [adding("bo", &["chief"]), adding("dora", &["viewer"]), adding("ana", &["viewer"]), adding("cy", &["viewer"])];
        let refusal = refused(&agent, "apply_changes", json!({ "steps": steps }), "invalid_arguments").await;
        let message = refusal["message"].as_str().unwrap();
        let starts = [
            "3 steps of 4",
            "step 1: no role `chief`",
            "step 2: `dora@acme.example` is not a member",
            "step 3: `ana@acme.example` is in project",
        ];
        for (line, start) in message.lines().zip(starts) {
            assert!(line.starts_with(start), "{line} does not start with {start}");
        }
        assert_eq!(agent.questions(), [""; 0]);
        assert_eq!(agent.ok("list_jobs", json!({})).await["items"], json!([]));
    }
}

#[tokio::test]
async fn one_question_names_the_gravest_and_whom_it_is_about() {
    for agent in Agent::each().await {
        company(&agent).await;
        let steps = json!({ "steps": [
            { "tool": "create_team", "arguments": { "name": "Core", "organization": "Acme" } },
            adding("bo", &["owner"]),
            adding("cy", &["owner"]),
            remove_ana(),
        ] });
        let before = agent.dump().await;
        let mut dry = steps.clone();
        dry["dry_run"] = json!(true);
        let preview = agent.ok("apply_changes", dry).await;
        assert_eq!((&preview["status"], &preview["needs_consent"]), (&json!("dry_run"), &json!(true)), "{preview}");
        assert_eq!(preview["impact"]["gravity"], "high", "{preview}");
        let notes = preview["impact"]["notes"].as_array().unwrap();
        assert!(notes[0].as_str().unwrap().starts_with("Remove project member in project Atlas ["), "the gravest first: {preview}");
        assert!(notes[0].as_str().unwrap().contains(": ana@acme.example: 1 person loses access"), "{preview}");
        assert!(notes[1].as_str().unwrap().starts_with("2 × Add project member in project Atlas ["), "{preview}");
        assert!(
            notes[1]
                .as_str()
                .unwrap()
                .ends_with(": becomes owner of project Atlas, with power over others: bo@acme.example, cy@acme.example"),
            "{preview}"
        );
        assert_eq!(notes[2], "Create team", "{preview}");
        assert_eq!(agent.questions(), [""; 0]);

        for person in [Person::Declines, Person::Cancels, Person::SendsNo, Person::TypesWrong, Person::SendsNothing] {
            let agent = agent.with(crate::support::Era::Modern, person).await;
            let answer = agent.call("apply_changes", steps.clone()).await;
            assert!(answer["code"].is_string(), "{person:?}: {answer}");
            let question = agent.questions().pop().unwrap();
            assert!(question.ends_with("To confirm, type: ana@acme.example"), "{question}");
        }
        assert_eq!(agent.dump().await, before, "nothing was changed");
        assert_eq!(agent.ok("list_jobs", json!({})).await["items"], json!([]), "and no job was begun");
        let done = agent.ok("apply_changes", steps).await;
        assert_eq!(outcomes(&done), ["1 done", "2 done", "3 done", "4 done"], "{done}");
        assert_eq!(agent.questions().len(), 1);
    }
}

#[tokio::test]
async fn a_step_that_is_not_allowed_alone_is_not_allowed_in_a_job() {
    let store = Store::sqlite();
    let all = Agent::on(&store, Options::default()).await;
    company(&all).await;
    let lists = AllowLists { effects: [Effect::Read, Effect::Write].into(), domains: Some(["projects".to_owned()].into()) };
    let agent = Agent::on(&store, Options { lists, ..Options::default() }).await;
    let create = json!({ "tool": "create_project", "arguments": { "name": "Borealis" } });
    let answer = refused(&agent, "apply_changes", json!({ "steps": [create, adding("bo", &["viewer"])] }), "invalid_arguments").await;
    assert!(answer["message"].as_str().unwrap().contains("step 2: no tool `add_project_member`"), "{answer}");
    let steps = json!({ "steps": [{ "tool": "create_project", "arguments": { "name": "Borealis" } }] });
    assert_eq!(agent.ok("apply_changes", steps).await["after"]["done"], 1);
    let read_only = Agent::on(&store, Options { lists: AllowLists::read_only(), ..Options::default() }).await;
    let names: Vec<String> = read_only.client.list_all_tools().await.unwrap().iter().map(|it| it.name.to_string()).collect();
    for (tool, offered) in [("get_job", true), ("list_jobs", true), ("apply_changes", false), ("undo", false), ("cancel_job", false)] {
        assert_eq!(names.iter().any(|it| it == tool), offered, "{tool}");
    }
}

#[tokio::test]
async fn a_client_that_cannot_ask_leaves_one_approval_for_all() {
    for store in Store::each().await {
        let agent = Agent::on(&store, Options { person: Person::Unreachable, ..Options::default() }).await;
        company(&agent.with(crate::support::Era::Modern, Person::Agrees).await).await;
        let steps = json!({ "steps": [adding("bo", &["owner"]), remove_ana()] });
        let before = agent.dump().await;
        let pending = agent.fails("apply_changes", steps.clone(), "pending_approval").await;
        let again = agent.fails("apply_changes", steps.clone(), "pending_approval").await;
        assert_eq!(pending["approval_id"], again["approval_id"]);
        assert_eq!(agent.dump().await, before);
        rolecall::guard::approve(agent.db(), pending["approval_id"].as_str().unwrap(), rolecall::guard::Answering::at_terminal("ops"))
            .await
            .unwrap();
        let done = agent.ok("apply_changes", steps.clone()).await;
        assert_eq!(outcomes(&done), ["1 done", "2 done"], "{done}");
        // It was used up; and what is so already is no plan.
        agent.fails("apply_changes", steps, "invalid_arguments").await;
    }
}

#[tokio::test]
async fn a_token_confirms_once_and_only_what_was_told() {
    for store in Store::each().await {
        let guard = GuardSettings { fallback: Fallback::Token, ..GuardSettings::default() };
        let agent = Agent::on(&store, Options { person: Person::Unreachable, guard, ..Options::default() }).await;
        company(&agent.with(crate::support::Era::Modern, Person::Agrees).await).await;
        let mut steps = json!({ "steps": [adding("bo", &["owner"])] });
        let asked = agent.ok("apply_changes", steps.clone()).await;
        assert_eq!(asked["status"], "confirmation_required", "{asked}");
        steps["confirmation_token"] = asked["confirmation_token"].clone();
        assert_eq!(agent.ok("apply_changes", steps.clone()).await["after"]["done"], 1);
        let before = agent.dump().await;
        agent.ok("remove_project_member", json!({ "project": "Atlas", "member": email("bo"), "dry_run": true })).await;
        assert!(agent.call("apply_changes", steps).await["code"].is_string());
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn what_is_not_known_when_a_person_agrees_must_be_small() {
    for agent in Agent::each().await {
        company(&agent).await;
        team(&agent, "Core", &["ana", "bo"]).await;
        agent.ok("create_organization", json!({ "name": "Other" })).await;
        agent.questions();
        // Deleting a team with people in it is grave; what it deletes was not known.
        let steps = json!({ "on_failure": "continue", "steps": [
            { "id": "team", "tool": "update_team", "arguments": { "team": "Core", "description": "gone soon" } },
            { "id": "gone", "tool": "delete_team", "arguments": { "team": "${team.id}" } },
            { "tool": "create_project", "arguments": { "name": "After ${gone.name}", "organization": "Acme" } },
            { "id": "small", "tool": "create_team", "arguments": { "name": "Small", "organization": "Acme" } },
            { "tool": "delete_team", "arguments": { "team": "${small.id}" } },
        ] });
        let done = agent.ok("apply_changes", steps).await;
        let lines = outcomes(&done);
        assert_eq!(lines[0], "team done");
        assert!(
            lines[1].starts_with("gone refused: what it does was not known when the job was agreed to: 2 people leave the team"),
            "{lines:?}"
        );
        assert!(lines[1].ends_with("; call it on its own, so that a person is asked"), "{lines:?}");
        assert_eq!(lines[2], "3 failed: it builds on step gone, which was not made");
        assert_eq!(lines[3..], ["small done", "5 done"], "what is small was agreed to");
        assert_eq!(done["after"]["refused"], 1, "{done}");
        let teams = agent.ok("list_teams", json!({ "organization": "Acme" })).await;
        assert_eq!(column(&teams, "team"), ["Core"]);
    }
}

#[tokio::test]
async fn what_a_caller_has_written_elsewhere_is_no_role_and_no_person() {
    for agent in Agent::each().await {
        company(&agent).await;
        let before = agent.dump().await;
        for field in ["description", "after.description", "name", "target.name"] {
            let reference = format!("${{team.{field}}}");
            let steps = json!({ "steps": [
                { "id": "team", "tool": "create_team", "arguments": { "name": "Core", "description": "owner", "organization": "Acme" } },
                { "tool": "add_project_member", "arguments": { "project": "Atlas", "member": email("bo"), "roles": [reference] } },
                { "tool": "remove_project_member", "arguments": { "project": "Atlas", "member": reference } },
            ] });
            let refusal = refused(&agent, "apply_changes", steps, "invalid_arguments").await;
            let expected = format!("`{reference}`: a step that gives or takes away may only refer to an id, as `${{team.id}}`");
            let message = refusal["message"].as_str().unwrap();
            assert_eq!(message.lines().skip(1).collect::<Vec<_>>(), [format!("step 2: {expected}"), format!("step 3: {expected}")]);
        }
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn power_that_is_given_in_what_a_job_makes_needs_a_question_of_its_own() {
    for agent in Agent::each().await {
        company(&agent).await;
        let steps = json!({ "on_failure": "continue", "steps": [
            { "id": "project", "tool": "create_project", "arguments": { "name": "Borealis", "organization": "Acme" } },
            { "tool": "add_project_member", "arguments": { "project": "${project.id}", "member": email("bo"), "roles": ["viewer"] } },
            { "tool": "add_project_member", "arguments": { "project": "${project.id}", "member": email("cy"), "roles": ["owner"] } },
        ] });
        let done = agent.ok("apply_changes", steps).await;
        let lines = outcomes(&done);
        assert_eq!(lines[..2], ["project done", "2 done"]);
        assert!(lines[2].starts_with("3 refused: what it does was not known when the job was agreed to: "), "{lines:?}");
        assert!(lines[2].ends_with("; call it on its own, so that a person is asked"), "{lines:?}");
        let people = agent.ok("list_project_members", json!({ "project": "Borealis" })).await;
        assert!(!column(&people, "member").contains(&email("cy")), "{people}");
    }
}

#[tokio::test]
async fn a_failure_ends_the_job_unless_it_is_to_go_on() {
    for agent in Agent::each().await {
        company(&agent).await;
        let named = |name: &str| json!({ "tool": "create_team", "arguments": { "name": name, "organization": "Acme" } });
        // Both plans are good; the second team cannot be made once the first is there.
        let steps = [named("Core"), named("core"), named("Edge")];
        let done = agent.ok("apply_changes", json!({ "steps": steps })).await;
        let lines = outcomes(&done);
        assert_eq!(lines[0], "1 done");
        assert!(lines[1].starts_with("2 failed: "), "{lines:?}");
        assert_eq!(lines[2], "3 cancelled: step 2 before it was not made");
        assert_eq!(done["status"], "stopped", "{done}");
        assert_eq!(column(&agent.ok("list_teams", json!({ "organization": "Acme" })).await, "team"), ["Core"]);
        let steps = [named("Two"), named("two"), named("Three")];
        let done = agent.ok("apply_changes", json!({ "steps": steps, "on_failure": "continue" })).await;
        assert_eq!((&done["after"]["done"], &done["after"]["failed"], &done["status"]), (&json!(2), &json!(1), &json!("partly")), "{done}");
    }
}

#[tokio::test]
async fn earlier_steps_may_lessen_what_later_ones_do_but_not_make_it_worse() {
    for agent in Agent::each().await {
        company(&agent).await;
        team(&agent, "Core", &["bo", "cy"]).await;
        join(&agent, "Atlas", "bo", &["viewer"]).await;
        agent.questions();
        // Told as three losses; when its turn comes there is less to lose.
        let steps = json!({ "steps": [
            { "tool": "remove_project_member", "arguments": { "project": "Atlas", "member": email("bo") } },
            { "tool": "remove_team_member", "arguments": { "team": "Core", "member": email("bo") } },
            { "tool": "remove_organization_member", "arguments": { "member": email("bo"), "organization": "Acme" } },
        ] });
        let done = agent.ok("apply_changes", steps).await;
        assert_eq!(outcomes(&done), ["1 done", "2 done", "3 done"], "{done}");
        // Whom a step brings into the team would lose it too, and nobody agreed to that.
        let steps = json!({ "steps": [
            { "tool": "add_team_member", "arguments": { "team": "Core", "member": email("ana") } },
            { "tool": "delete_team", "arguments": { "team": "Core" } },
        ] });
        let done = agent.ok("apply_changes", steps).await;
        let lines = outcomes(&done);
        assert_eq!(lines[0], "1 done");
        assert!(lines[1].starts_with("2 refused: the target has changed since the change was planned"), "{lines:?}");
        assert_eq!(column(&agent.ok("list_teams", json!({ "organization": "Acme" })).await, "team"), ["Core"]);
    }
}

#[tokio::test]
async fn a_repeated_call_with_the_same_key_gets_the_same_job() {
    for agent in Agent::each().await {
        company(&agent).await;
        let call = json!({ "steps": [adding("bo", &["viewer"])], "idempotency_key": "k1" });
        let first = agent.ok("apply_changes", call.clone()).await;
        let again = agent.ok("apply_changes", call).await;
        assert_eq!((&again["job"], &again["replayed"]), (&first["job"], &json!(true)), "{again}");
        assert_eq!(agent.ok("list_jobs", json!({})).await["items"].as_array().unwrap().len(), 1);
        let other = json!({ "steps": [adding("cy", &["viewer"])], "idempotency_key": "k1" });
        agent.fails("apply_changes", other, "idempotency_key_reused").await;
    }
}

#[tokio::test]
async fn jobs_are_seen_by_whose_they_are_and_by_the_operator() {
    for agent in Agent::each().await {
        company(&agent).await;
        let done = agent.ok("apply_changes", json!({ "steps": [adding("bo", &["viewer"]), adding("cy", &["viewer"])] })).await;
        let job = done["job"].as_str().unwrap();
        let shown = agent.ok("get_job", json!({ "job": job, "limit": 1 })).await;
        assert_eq!((&shown["status"], &shown["total"], &shown["done"]), (&json!("done"), &json!(2), &json!(2)), "{shown}");
        assert_eq!((&shown["items"][0]["step"], &shown["items"][0]["target"]), (&json!("1"), &json!("member bo@acme.example")), "{shown}");
        let next = agent.ok("get_job", json!({ "job": job, "limit": 1, "cursor": shown["next_cursor"] })).await;
        assert_eq!((&next["items"][0]["step"], &next["has_more"]), (&json!("2"), &json!(false)), "{next}");
        assert_eq!(agent.ok("get_job", json!({ "job": job, "outcome": "failed" })).await["items"], json!([]));
        assert_eq!(column(&agent.ok("list_jobs", json!({ "status": "done" })).await, "job"), [job]);
        assert_eq!(agent.ok("list_jobs", json!({ "status": "running" })).await["items"], json!([]));
        let stranger = Caller { principal: "token:other".into(), client: String::new(), can_ask: false };
        assert!(agent.app.jobs().report(job, &stranger).await.is_err());
        assert!(agent.app.jobs().cancel(job, &stranger).await.is_err());
        let operator = Caller { principal: "local".into(), client: String::new(), can_ask: false };
        assert_eq!(agent.app.jobs().report(job, &operator).await.unwrap()["job"], job);
        assert_eq!(agent.app.jobs().progress(job, &operator).await.unwrap().message, "2 of 2");
        agent.app.jobs().finished(job, Wait::default()).await;
        agent.fails("cancel_job", json!({ "job": job }), "already_ended").await;
        agent.fails("get_job", json!({ "job": "job_none" }), "job_not_found").await;
        let intents = agent.db().read().await.unwrap().entries(done["call_id"].as_str().unwrap(), EntryKind::Outcome).await.unwrap();
        assert_eq!(intents[0].body()["rows"], json!({ "done": 2 }));
    }
}
