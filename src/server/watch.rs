//! Telling a client how far the job is that its call has begun.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use rmcp::{
    RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::RequestContext,
};
use serde_json::Value;
use tokio::sync::watch;

use super::{Patience, Turn};
use crate::jobs::{Progress, Wait};

/// How often a client is told at most.
const PAUSE: Duration = Duration::from_millis(250);

/// A call that may begin a job, watched for its client.
pub(super) struct Watch {
    token: Option<ProgressToken>,
    /// Whether the client takes a task in the place of a result that is not there yet.
    takes_tasks: bool,
    sender: watch::Sender<Progress>,
}

impl Watch {
    pub(super) fn new(cx: &RequestContext<RoleServer>) -> Self {
        let takes_tasks = cx.client_capabilities().is_some_and(|it| it.supports_tasks());
        Self { token: cx.meta.get_progress_token(), takes_tasks, sender: watch::Sender::default() }
    }

    /// How long the call waits for its job.
    pub(super) fn wait(&self, patience: &Patience) -> Wait {
        Wait::at_most(if self.takes_tasks { patience.task } else { patience.job }).watched_by(self.sender.clone())
    }

    /// Makes the call, and tells its client meanwhile. It has to be called in the request's own task: what is told goes out
    /// on its stream.
    pub(super) async fn during<T>(&self, call: impl Future<Output = T>, cx: &RequestContext<RoleServer>) -> T {
        let Some(token) = &self.token else { return call.await };
        let mut call = pin!(call);
        let mut progress = self.sender.subscribe();
        let (mut told, mut next) = (0, Instant::now());
        let made = loop {
            tokio::select! {
                made = &mut call => break made,
                _ = progress.changed() => {}
            }
            let wait = next.saturating_duration_since(Instant::now());
            if let Ok(made) = tokio::time::timeout(wait, &mut call).await {
                break made;
            }
            let now = progress.borrow_and_update().clone();
            told = tell(cx, token, &now, told).await;
            next = Instant::now() + PAUSE;
        };
        let last = progress.borrow().clone();
        tell(cx, token, &last, told).await;
        made
    }

    /// Until the call has begun a job, and only waits for it.
    async fn begun(&self) {
        // The sender lives as long as this does.
        let _ = self.sender.subscribe().wait_for(|it| !it.job.is_empty()).await;
    }

    /// Makes the call, in its turn. Once it only waits for its job, others have their turn.
    pub(super) async fn in_turn<T>(&self, turn: Turn, mut call: impl Future<Output = T> + Unpin) -> T {
        tokio::select! {
            biased;
            made = &mut call => return made,
            () = self.begun() => {}
        }
        drop(turn);
        call.await
    }

    /// The job that the client may take as a task: it was begun by this call, and `result` says that it still runs.
    pub(super) fn task(&self, result: &Value) -> Option<String> {
        let job = self.sender.borrow().job.clone();
        (self.takes_tasks && !job.is_empty() && result["job"] == job && result["status"] == "running").then_some(job)
    }
}

/// Says how far a job is, where it is further than what was said before.
async fn tell(cx: &RequestContext<RoleServer>, token: &ProgressToken, now: &Progress, told: u64) -> u64 {
    if now.ended <= told {
        return told;
    }
    #[expect(clippy::cast_precision_loss, reason = "nobody has so many rows")]
    let (ended, total) = (now.ended as f64, now.total as f64);
    let said = ProgressNotificationParam::new(token.clone(), ended).with_total(total).with_message(now.message.clone());
    // A client that is gone needs no word.
    let _ = cx.peer.notify_progress(said).await;
    now.ended
}
