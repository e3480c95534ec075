//! Calls that are prepared and not sent. Providers make them; only this module's parent can send them.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{
    Ending,
    row_log::{LogError, RowIntent},
    weigh::{Bearing, Trust, Weighed, weigh},
};
use crate::{
    domain::{Facts, Impact, Inverse, Secret, Target},
    error::ProviderError,
    store::sha256,
};

/// A read that was decoded and is not yet sent. A future does nothing until it is polled.
pub(crate) struct UnsentRead(BoxFuture<'static, Result<Value, ProviderError>>);

impl UnsentRead {
    pub(crate) fn new(future: impl Future<Output = Result<Value, ProviderError>> + Send + 'static) -> Self {
        Self(Box::pin(future))
    }

    pub(super) async fn send(self) -> Result<Value, ProviderError> {
        self.0.await
    }
}

/// What a provider reports of a change, computed from the state as it is. Nothing was changed.
#[derive(Debug, Clone)]
pub(crate) struct Preview {
    pub(crate) target: Target,
    pub(crate) facts: Facts,
    /// The thing as it is.
    pub(crate) before: Value,
    /// The thing as it would be, where its provider can tell before. It is for showing: ids and times in it are not those that it
    /// will have, and so nothing is compared by it.
    pub(crate) after: Option<Value>,
}

impl Preview {
    /// Fingerprint over all that was reported: it differs when anything else would be changed than what was planned.
    pub(crate) fn fingerprint(&self) -> String {
        let told = serde_json::json!({ "target": self.target, "facts": self.facts.list, "undo": self.facts.undo, "before": self.before });
        sha256(super::canonical(&told))
    }
}

/// A change as a person is told about it: what its provider reports, and how grave that is.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) impact: Impact,
    /// The thing as it is.
    pub(crate) before: Value,
    /// What has to be typed where a yes is not enough.
    pub(crate) name: String,
    pub(crate) bearing: Bearing,
    /// What its provider reports.
    pub(crate) facts: Arc<Facts>,
    /// The calls that would take away what it gives, as far as they are known before.
    pub(crate) takes: Vec<Inverse>,
    /// When what it gives is to end.
    pub(crate) ends: Option<Ending>,
    /// See [`Preview::after`].
    pub(crate) after: Option<Value>,
    /// Of many calls: each of them, for who shows them row by row. What is told of them is in `impact`.
    pub(crate) rows: Value,
    reported: String,
}

impl Plan {
    /// Weighs what a provider reports.
    pub(super) fn of(preview: &Preview, destroys: bool, trust: &Trust) -> Self {
        let Weighed { impact, bearing, sum } = weigh(&preview.facts, destroys, trust);
        let name = sum.unwrap_or_else(|| super::consent::typed_name(&preview.target));
        let (target, before, reported) = (preview.target.clone(), preview.before.clone(), preview.fingerprint());
        let facts = Arc::new(preview.facts.clone());
        let (after, rows, takes) = (preview.after.clone(), Value::Null, Vec::new());
        Self { target, impact, before, after, name, bearing, facts, takes, ends: None, rows, reported }
    }

    /// Says when what it gives is to end: a person is told so.
    pub(super) fn ends_with(&mut self, ends: Ending) {
        self.impact.notes.push(ends.told());
        self.ends = Some(ends);
    }

    /// A plan of many calls, put together from theirs.
    pub(crate) fn of_many(target: Target, impact: Impact, name: String, rows: Value) -> Self {
        let (before, bearing, facts, takes) = (Value::Null, Bearing::none(), Arc::default(), Vec::new());
        Self { target, impact, before, after: None, name, bearing, facts, takes, ends: None, rows, reported: String::new() }
    }

    /// Fingerprint over all that a person was told and what it was computed from.
    pub(crate) fn version(&self) -> String {
        let ends = self.ends.as_ref().map(|it| it.until.at.0);
        let told = serde_json::json!({
            "target": self.target, "impact": self.impact, "before": self.before, "reported": self.reported, "ends": ends
        });
        sha256(super::canonical(&told))
    }

    /// Whether a change still is what was planned.
    pub(crate) fn is_still(&self, preview: &Preview) -> bool {
        self.reported == preview.fingerprint()
    }
}

/// A change that was made, with its result as JSON.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) target: Target,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
    pub(crate) undo: Option<String>,
    /// The calls that take it back, in order.
    pub(crate) inverse: Vec<Inverse>,
    pub(crate) secret: Option<Secret>,
}

/// The code of a change that was not sent because its job goes no further in this process.
const LEASE_LOST: &str = "lease_lost";

/// Leave to send one change. Only the guard makes one, so nothing that wants it can be sent from elsewhere.
#[derive(Clone)]
pub(crate) struct Permit(Arc<Permitted>);

struct Permitted {
    call_id: String,
    request_ids: Mutex<Vec<String>>,
    /// Where it is a row of a job, what is still to be recorded of it. The intent of any other call is recorded before.
    row: Option<RowIntent>,
}

impl Permit {
    pub(super) fn new(call_id: &str) -> Self {
        Self(Arc::new(Permitted { call_id: call_id.to_owned(), request_ids: Mutex::default(), row: None }))
    }

    /// For a row of a job: its intent is recorded when it leaves, and it is good only as long as the worker holds the job.
    pub(super) fn of_row(call_id: &str, row: RowIntent) -> Self {
        Self(Arc::new(Permitted { call_id: call_id.to_owned(), request_ids: Mutex::default(), row: Some(row) }))
    }

    /// To be asked when a request could go that very moment, before each: its intent is recorded by then, and its worker has the job.
    /// What waited for its turn has no intent, so that of a process that dies little is in doubt. Gives back the call's id.
    ///
    /// # Errors
    ///
    /// Where nothing may be sent, or nothing more.
    pub(crate) async fn leave(&self) -> Result<&str, ProviderError> {
        if let Some(row) = &self.0.row {
            row.leave().await.map_err(|_| {
                ProviderError::conflict(
                    LEASE_LOST,
                    "the job goes no further in this process, and nothing was sent of what waited for its turn",
                    "see get_job for how it goes on",
                )
            })?;
        }
        Ok(&self.0.call_id)
    }

    /// Whether its intent is recorded: else nothing was sent.
    pub(crate) fn has_left(&self) -> bool {
        self.0.row.as_ref().is_none_or(RowIntent::is_recorded)
    }

    /// Why it could not leave.
    pub(crate) fn stopped(&self) -> Option<LogError> {
        self.0.row.as_ref().and_then(RowIntent::stopped)
    }

    /// Leave to send to a service that is made up.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self::new("call_test")
    }

    /// Notes by which id the provider knows a request.
    pub(crate) fn note_request(&self, id: &str) {
        self.0.request_ids.lock().unwrap_or_else(PoisonError::into_inner).push(id.to_owned());
    }

    pub(super) fn request_ids(&self) -> Vec<String> {
        self.0.request_ids.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

type ActFn = Box<dyn FnOnce(Plan, Permit) -> BoxFuture<'static, Result<Made, ProviderError>> + Send>;
type ReadBackFn = Box<dyn Fn(Plan) -> BoxFuture<'static, Result<Option<Made>, ProviderError>> + Send + Sync>;

/// A change that was decoded and is not yet planned.
pub(crate) struct UnsentChange(BoxFuture<'static, Result<Planned, ProviderError>>);

impl UnsentChange {
    pub(crate) fn new(plan: impl Future<Output = Result<Planned, ProviderError>> + Send + 'static) -> Self {
        Self(Box::pin(plan))
    }

    pub(super) async fn plan(self) -> Result<Planned, ProviderError> {
        self.0.await
    }
}

/// A change that its provider has looked at, and that nobody has weighed or made.
pub(crate) struct Planned {
    preview: Preview,
    act: ActFn,
    read_back: Option<ReadBackFn>,
    takes: Vec<Inverse>,
}

impl Planned {
    /// `act` gets the plan that was consented to and the permit to send it.
    pub(crate) fn new(
        preview: Preview,
        act: impl FnOnce(Plan, Permit) -> BoxFuture<'static, Result<Made, ProviderError>> + Send + 'static,
    ) -> Self {
        Self { preview, act: Box::new(act), read_back: None, takes: Vec::new() }
    }

    /// Says how to find out whether the change took effect, should its answer be lost: `None` where it did not.
    pub(crate) fn read_back(
        mut self,
        read: impl Fn(Plan) -> BoxFuture<'static, Result<Option<Made>, ProviderError>> + Send + Sync + 'static,
    ) -> Self {
        self.read_back = Some(Box::new(read));
        self
    }

    /// Names the calls that would take away what it gives, as far as they are known before it is made.
    pub(crate) fn taken_by(mut self, calls: Vec<Inverse>) -> Self {
        self.takes = calls;
        self
    }

    /// Weighs it. `destroys`: whether its tool ends something by its nature.
    pub(super) fn weighed(self, destroys: bool, trust: &Trust) -> Unsent {
        let plan = Plan { takes: self.takes, ..Plan::of(&self.preview, destroys, trust) };
        Unsent { plan, act: self.act, read_back: self.read_back }
    }
}

/// A weighed change in the guard's hands.
pub(super) struct Unsent {
    pub(super) plan: Plan,
    act: ActFn,
    read_back: Option<ReadBackFn>,
}

/// How a change ended.
pub(super) enum Sent {
    Made(Box<Made>),
    Failed(ProviderError),
    /// Sent, and nobody knows.
    Unknown(ProviderError),
}

impl Unsent {
    /// A read of whether the change has taken effect; `None` where there is no way to tell.
    pub(super) fn look_back(&self) -> Option<BoxFuture<'static, Result<Option<Made>, ProviderError>>> {
        self.read_back.as_ref().map(|read_back| read_back(self.plan.clone()))
    }

    /// Sends the change. Where its answer is lost, looks whether it took effect.
    pub(super) async fn send(self, permit: Permit) -> Sent {
        let error = match (self.act)(self.plan.clone(), permit).await {
            Ok(made) => return Sent::Made(Box::new(made)),
            Err(error) => error,
        };
        let ProviderError::Unanswered { late, .. } = &error else { return Sent::Failed(error) };
        let Some(read_back) = self.read_back else { return Sent::Unknown(error) };
        // What was taken in may take a moment to show.
        for pause in [0, 250, 1000] {
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            match read_back(self.plan.clone()).await {
                Ok(Some(made)) => return Sent::Made(Box::new(made)),
                Ok(None) => {}
                Err(_) => return Sent::Unknown(error),
            }
        }
        // An answer that took too long may still come true.
        if *late { Sent::Unknown(error) } else { Sent::Failed(error.not_applied()) }
    }
}
