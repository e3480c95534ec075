//! Calls that are prepared and not sent. Providers make them; only this module's parent can send them.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::{
    domain::{Impact, Secret, Target},
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

/// What a change would do, computed from the state as it is. Nothing was changed.
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) impact: Impact,
    /// The thing as it is.
    pub(crate) before: Value,
}

impl Plan {
    /// Changes when anything that a person was told would be told otherwise.
    pub(crate) fn version(&self) -> String {
        version(&self.target, &self.impact, &self.before)
    }
}

/// The fingerprint of what an impact was computed from, and of the impact.
pub(crate) fn version(target: &Target, impact: &Impact, before: &Value) -> String {
    let told = serde_json::json!({ "target": target, "impact": impact, "before": before });
    sha256(super::canonical(&told))
}

/// A change that was made, with its result as JSON.
pub(crate) struct Made {
    pub(crate) target: Target,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
    pub(crate) undo: Option<String>,
    pub(crate) secret: Option<Secret>,
}

type PlanFn = Box<dyn Fn() -> BoxFuture<'static, Result<Plan, ProviderError>> + Send + Sync>;
type ActFn = Box<dyn FnOnce(Plan, String) -> BoxFuture<'static, Result<Made, ProviderError>> + Send + Sync>;

/// A change that was decoded: it can be planned as often as one likes, and made once.
pub(crate) struct UnsentChange {
    plan: PlanFn,
    act: ActFn,
}

impl UnsentChange {
    /// `act` gets the plan that was consented to and the id of the call, which it stores with the change if it can.
    pub(crate) fn new(
        plan: impl Fn() -> BoxFuture<'static, Result<Plan, ProviderError>> + Send + Sync + 'static,
        act: impl FnOnce(Plan, String) -> BoxFuture<'static, Result<Made, ProviderError>> + Send + Sync + 'static,
    ) -> Self {
        Self { plan: Box::new(plan), act: Box::new(act) }
    }

    pub(super) async fn plan(&self) -> Result<Plan, ProviderError> {
        (self.plan)().await
    }

    pub(super) async fn act(self, plan: Plan, call_id: String) -> Result<Made, ProviderError> {
        (self.act)(plan, call_id).await
    }
}
