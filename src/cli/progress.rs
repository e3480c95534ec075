//! How far a job is, on the terminal: a bar on stderr, where somebody can see it.

use std::{pin::pin, time::Duration};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use tokio::sync::watch;

use crate::{
    app::App,
    error::CallError,
    guard::Caller,
    jobs::{Progress, Wait},
};

/// How often a job is looked at that another process works on.
const LOOK: Duration = Duration::from_millis(500);

/// Shows a job while `work` begins it and waits for it. Ctrl-C ends the job between two rows, so that it can be gone on with.
pub(super) async fn during<F: Future>(app: &App, work: impl FnOnce(Wait) -> F) -> F::Output {
    let (sender, mut progress) = watch::channel(Progress::default());
    let mut work = pin!(work(Wait::to_the_end().watched_by(sender)));
    let mut bar = None;
    loop {
        tokio::select! {
            done = &mut work => {
                bar.iter().for_each(ProgressBar::finish_and_clear);
                return done;
            }
            Ok(()) = progress.changed() => show(&mut bar, &progress.borrow_and_update()),
            // Before there is a job, Ctrl-C means what it always does.
            Ok(()) = tokio::signal::ctrl_c(), if bar.is_some() => app.jobs().stop().await,
        }
    }
}

/// Shows a job until it has ended, whoever works on it.
pub(super) async fn watch(app: &App, job: &str, caller: &Caller) -> Result<(), CallError> {
    let mut bar = None;
    loop {
        let now = app.jobs().progress(job, caller).await?;
        if now.has_ended() {
            bar.iter().for_each(ProgressBar::finish_and_clear);
            return Ok(());
        }
        show(&mut bar, &now);
        tokio::time::sleep(LOOK).await;
    }
}

fn show(bar: &mut Option<ProgressBar>, now: &Progress) {
    // As long as its rows are not counted, there is nothing to show.
    if now.message.is_empty() {
        return;
    }
    let bar = bar.get_or_insert_with(|| {
        let bar = ProgressBar::new(now.total).with_position(now.ended).with_style(style());
        // What was done before we came says nothing about how fast it goes.
        bar.reset_eta();
        bar
    });
    bar.set_position(now.ended);
    if now.failed > 0 {
        bar.set_message(format!(", {} failed", now.failed));
    }
}

fn style() -> ProgressStyle {
    let style =
        ProgressStyle::with_template("{bar:30} {pos} of {len}{msg}, {rate}, {left}").unwrap_or_else(|_| ProgressStyle::default_bar());
    // Writing into a text does not fail.
    style
        .with_key("rate", |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = write!(text, "{:.0} a second", state.per_sec());
        })
        .with_key("left", |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let seconds = state.eta().as_secs();
            let _ = if seconds < 60 { write!(text, "{seconds} s left") } else { write!(text, "{} min left", seconds.div_ceil(60)) };
        })
}
