//! What people ask an assistant for, played by a real client: in at most three calls, none of which fails, with answers that tell all
//! that matters and name nobody else.

use rolecall::providers::local::seed;

use crate::{
    practice::Everywhere,
    scripts::{self, Job},
    support::{Options, Store},
};

/// The most calls that a job may take.
const MOST: usize = 3;

async fn check(app: std::sync::Arc<rolecall::app::App>, job: &Job) -> Result<(), String> {
    let (played, after) = scripts::play(app, job).await;
    let all = [played.texts.join("\n"), played.questions.join("\n")].join("\n");
    let says = job.says;
    if !played.failed.is_empty() || played.calls > MOST {
        return Err(format!("{says}: {} calls, of which failed {:?}", played.calls, played.failed));
    }
    if let Some(fact) = job.facts.iter().find(|it| !all.contains(it.as_str())) {
        return Err(format!("{says}: nothing tells `{fact}`:\n{all}"));
    }
    if let Some(stranger) = job.strangers.iter().find(|it| all.contains(**it)) {
        return Err(format!("{says}: `{stranger}` is named:\n{all}"));
    }
    match job.holds.iter().zip(&after).find(|(it, text)| text.contains(it.told) != it.is_told) {
        Some((it, text)) => {
            let tells = if it.is_told { "does not tell" } else { "tells" };
            Err(format!("{says}: afterwards {} {} {tells} `{}`:\n{text}", it.tool, it.arguments, it.told))
        }
        None => Ok(()),
    }
}

#[tokio::test]
async fn what_people_ask_for_takes_at_most_three_calls_in_one_directory() {
    let (mut faults, mut played) = (Vec::new(), 0);
    for job in scripts::in_one_directory() {
        let store = Store::sqlite();
        let app = store.app(&Options::default()).await;
        seed::seed(&app.db, "acme").await.unwrap();
        assert!(job.can_be_played(&app), "{}", job.says);
        played += 1;
        faults.extend(check(app, &job).await.err());
    }
    assert!(faults.is_empty(), "{} of {played}:\n{}", faults.len(), faults.join("\n\n"));
}

#[tokio::test]
async fn what_spans_accounts_is_one_call_over_five_platforms() {
    let mut faults = Vec::new();
    for job in scripts::over_five_accounts() {
        let world = Everywhere::new().await;
        assert!(job.can_be_played(&world.agent.app), "{}", job.says);
        faults.extend(check(world.agent.app.clone(), &job).await.err());
    }
    for job in scripts::with_an_account_that_is_silent() {
        let world = Everywhere::but_the_laboratory().await;
        faults.extend(check(world.agent.app.clone(), &job).await.err());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
