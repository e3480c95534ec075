//! A service that allows ten requests a minute: what could be read in seconds is told, and what could not be finished is said.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rolecall_sandbox::{Answer, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

use crate::{
    lab::Service,
    odd::odd,
    support::{Value, json, params},
};

/// So many requests are answered; the others may come in a minute.
const ALLOWED: usize = 10;

/// What is told, how long that took, and whether the service refused anything.
async fn told<S: Service>(tool: &str, arguments: &Value) -> (String, Duration, bool) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let lab = odd::<S>(move |at, call| {
        if counted.fetch_add(1, Ordering::Relaxed) < ALLOWED {
            return at.answer(call);
        }
        Answer::json(429, &json!({ "error": { "message": "too many requests" } })).with_header("retry-after", "60")
    })
    .await;
    let began = Instant::now();
    let answer = lab.agent.client.call_tool(params(tool, arguments.clone())).await.unwrap();
    (answer.content[0].as_text().unwrap().text.clone(), began.elapsed(), asked.load(Ordering::Relaxed) > ALLOWED)
}

#[tokio::test]
async fn what_could_not_be_finished_is_said_within_seconds() {
    let mut faults = Vec::new();
    let mut look = |service: &str, tool: &str, (text, took, was_refused): (String, Duration, bool)| {
        let ways = ["not read to the end", "No answer", "rate_limited", "more follow", "were not reviewed"];
        let is_said = ways.iter().any(|it| text.contains(it));
        if took > Duration::from_secs(12) || (was_refused && !is_said) {
            faults.push(format!("{service} {tool} took {took:?}:\n{text}"));
        }
        was_refused
    };
    let ana = json!({ "query": "ana.ruiz@acme.example" });
    let full = json!({ "detail": "full", "limit": 100 });
    let within = |project: &str, organization: &str| json!({ "project": project, "organization": organization, "action": "delete" });
    let mut refused = 0;
    for (tool, [geai, openai, seeme, engine]) in [
        (
            "explain_access",
            [json!({ "project": "Atlas" }), json!({ "project": "Atlas" }), within("Atlas", "Acme"), json!({ "project": "Churn forecast" })],
        ),
        ("explain_access", [json!({}), json!({}), json!({ "organization": "Acme" }), json!({ "organization": "Acme Research" })]),
        ("find_person", [&ana, &ana, &ana, &ana].map(Clone::clone)),
        ("review_access", [json!({}), json!({}), json!({}), json!({})]),
        ("list_projects", [&full, &full, &full, &full].map(Clone::clone)),
    ] {
        refused += usize::from(look("geai", tool, told::<Geai>(tool, &geai).await));
        refused += usize::from(look("openai", tool, told::<Openai>(tool, &openai).await));
        refused += usize::from(look("seeme", tool, told::<Seeme>(tool, &seeme).await));
        refused += usize::from(look("engine", tool, told::<Engine>(tool, &engine).await));
    }
    refused += usize::from(look("geai", "list_api_keys", told::<Geai>("list_api_keys", &json!({})).await));
    refused += usize::from(look("openai", "list_api_keys", told::<Openai>("list_api_keys", &json!({})).await));
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(refused >= 6, "ten requests were enough nearly everywhere: {refused}");
}

#[tokio::test]
async fn what_was_read_before_is_told_with_it() {
    let (person, _, was_refused) = told::<Openai>("find_person", &json!({ "query": "ana.ruiz@acme.example" })).await;
    assert!(was_refused && person.contains("webhook keeper") && person.contains("not read to the end"), "{person}");
    assert!(person.contains("wait 60 s"), "when to ask again is said: {person}");
    // What nobody saw whole is not judged by what it lacks.
    let (review, _, was_refused) = told::<Openai>("review_access", &json!({})).await;
    assert!(was_refused && !review.contains("one_owner") && !review.contains("no_owner"), "{review}");
    let (projects, _, was_refused) = told::<Openai>("list_projects", &json!({ "detail": "full", "limit": 100 })).await;
    assert!(was_refused && projects.contains("owners=") && projects.contains("more follow"), "{projects}");
}
