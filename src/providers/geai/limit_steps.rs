//! A usage limit is changed in up to three requests; what was made of them is told truly, whichever fails.

use serde_json::{Value, json};

use super::{Session, usage_limits::Extent, wire::WireLimit};
use crate::{domain::limits::UsageLimit, error::ProviderError, guard::Permit, tools::limits::UpdateUsageLimit};

/// What is changed, in order.
#[derive(Debug, Clone)]
pub(super) struct Steps(Vec<Step>);

/// One request.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// The last segment of the path, and the body's key.
    part: &'static str,
    value: Value,
}

impl Steps {
    /// When the limits rise, hard goes first; when they fall, soft does: so soft is at or below hard at every moment.
    pub(super) fn of(op: &UpdateUsageLimit, before: &UsageLimit) -> Self {
        let step = |part, value: Option<Value>| value.map(|value| Step { part, value });
        let hard = step("hardLimit", op.hard_limit.map(|it| json!(it)));
        let soft = step("softLimit", op.soft_limit.map(|it| json!(it)));
        let renewal = step("renewalStatus", op.renewal.map(|it| json!(it)));
        let rises = op.hard_limit.is_some_and(|it| it >= before.hard_limit);
        let limits = if rises { [hard, soft] } else { [soft, hard] };
        Self(limits.into_iter().chain([renewal]).flatten().collect())
    }

    /// For sentences: `hardLimit 900, softLimit 700`.
    pub(super) fn says(&self) -> String {
        told(&self.0)
    }

    /// Makes one after the other.
    pub(super) async fn send(self, at: &Session, scope: &Extent, id: &str, permit: &Permit) -> Result<(), ProviderError> {
        for (made, step) in self.0.iter().enumerate() {
            let sent = scope.put(at, id, step.part, json!({ step.part: step.value })).send(permit).await;
            let Err(error) = sent else { continue };
            let now = scope.all(&at.afresh()).await.ok().and_then(|all| all.into_iter().find(|it| it.id == id));
            let lost = matches!(error, ProviderError::Unanswered { .. });
            if lost && now.as_ref().is_some_and(|it| step.holds(it)) {
                continue;
            }
            // With one step, or before any was made, the error is the whole truth.
            if made == 0 {
                return Err(error);
            }
            let (done, left) = self.0.split_at(made);
            let now = now.map_or_else(String::new, |it| {
                format!("; it is now soft {}, hard {}, {}", it.soft_limit, it.hard_limit, it.renewal_status)
            });
            return Err(ProviderError::Partly {
                message: format!("changed: {}; not changed: {}{now}", told(done), told(left)),
                fix: "look with list_usage_limits, then repeat the call with what is left".into(),
                source: Box::new(error),
            });
        }
        Ok(())
    }
}

impl Step {
    /// Whether a limit has the value that this step gives it.
    fn holds(&self, limit: &WireLimit) -> bool {
        let near = |it: f64| self.value.as_f64().is_some_and(|value| (it - value).abs() < 1e-6);
        match self.part {
            "hardLimit" => near(limit.hard_limit),
            "softLimit" => near(limit.soft_limit),
            _ => self.value.as_str() == Some(limit.renewal_status.as_str()),
        }
    }
}

fn told(steps: &[Step]) -> String {
    let value = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    steps.iter().map(|it| format!("{} {}", it.part, value(&it.value))).collect::<Vec<_>>().join(", ")
}
