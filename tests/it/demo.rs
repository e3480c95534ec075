//! The demo: a story about the real server, so its facts have to be facts.

use std::time::Duration;

use rolecall::cli::demo;

async fn told() -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    demo::play(&mut out, Duration::ZERO).await.unwrap_or_else(|failure| panic!("{failure:?}"));
    String::from_utf8(out.into_inner()).unwrap()
}

#[tokio::test]
async fn the_demo_tells_how_a_person_keeps_the_last_word() {
    let told = told().await;
    let facts = [
        "3 organizations",
        "Done: project Aurora",
        "Done: invitation noa.levi@acme.example",
        "becomes admin of organization Acme, with power over others: jonas.weber@acme.example",
        "=> Yes, do it",
        "roles=admin",
        // A made-up confirmation is no argument.
        "calls delete_project {\"project\":\"Atlas\",\"confirm\":true}",
        "invalid_arguments: `confirm` is not an argument",
        "people lose access",
        "keys stop working",
        "To confirm, type: Atlas",
        "=> types: Atlas",
        "Done: project Atlas",
        // The same consent again, for a new project of that name.
        "Nothing was changed (confirmation_rejected): the confirmation was used before",
        "Waiting for a person (approval ",
        "no owner is left in 1 project: Borealis",
        "=> in a terminal window: rolecall approve ",
        "Done: member ana.ruiz@acme.example",
        "outcome=pending_approval",
        "none was changed, removed or inserted",
        "rolecall connect claude-desktop",
    ];
    // As told, whatever the line breaks and the bar before a question.
    let flowing = told.replace('|', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = flowing.as_str();
    for fact in facts {
        let at = rest.find(fact).unwrap_or_else(|| panic!("`{fact}` is not told, or not in its place:\n{told}"));
        rest = &rest[at + fact.len()..];
    }
    for line in told.lines() {
        assert!(line.chars().count() <= 110, "too wide: {line}");
    }
}

#[tokio::test]
async fn the_demo_leaves_nothing_behind() {
    let folders = || {
        let names = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|it| it.file_name().to_string_lossy().into_owned());
        names.filter(|it| it.starts_with(&format!("rolecall-demo-{}-", std::process::id()))).collect::<Vec<_>>()
    };
    told().await;
    // Another test may be playing it right now; both are done within seconds.
    for _ in 0..100 {
        if folders().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("left behind: {:?}", folders());
}
