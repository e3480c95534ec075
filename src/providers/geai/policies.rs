//! Runtime policies.

use serde_json::{Map, Value};

use super::Session;
use crate::{
    domain::organizations::{RuntimePolicies, RuntimePolicy},
    error::ProviderError,
    tools::policies::GetRuntimePolicies,
};

/// `GET /v2/accessControl/organization/plugin-runtime-policies`. That none is defined is no failure.
pub(super) async fn get(at: &Session, op: &GetRuntimePolicies) -> Result<RuntimePolicies, ProviderError> {
    let own = at.organization(op.organization.as_ref()).await?;
    let answer = at.get("/v2/accessControl/organization/plugin-runtime-policies").header("organization-id", &own.id).value().await?;
    let policies = answer.get("policies").and_then(Value::as_object).map(named).unwrap_or_default();
    let message = match answer.get("messages") {
        Some(Value::Array(items)) => items.first(),
        other => other,
    };
    let note = message.and_then(|it| it.get("description")).and_then(Value::as_str).map(str::to_owned);
    Ok(RuntimePolicies { organization: own.name, policies, note })
}

/// By the service's own names: what they mean is described in contradictory ways.
fn named(policies: &Map<String, Value>) -> Vec<RuntimePolicy> {
    let value = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    policies.iter().map(|(name, it)| RuntimePolicy { name: name.clone(), value: value(it) }).collect()
}
