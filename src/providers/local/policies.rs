//! Runtime policies of the directory.

use super::Session;
use crate::{
    domain::organizations::{RuntimePolicies, RuntimePolicy},
    error::ProviderError,
    store::{StoreError, args},
    tools::policies::GetRuntimePolicies,
};

pub(super) async fn get(at: &mut Session, op: &GetRuntimePolicies) -> Result<RuntimePolicies, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    let stored: Option<(Option<String>,)> =
        at.db.one("SELECT runtime_policies FROM organizations WHERE id = $1", &args![&organization.id]).await?;
    let policies: Option<Vec<RuntimePolicy>> = stored
        .and_then(|it| it.0)
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| StoreError::Unreadable(format!("runtime policies of `{}`: {error}", organization.name)))?;
    let note = policies.as_ref().is_none_or(Vec::is_empty).then(|| "no policy is set; the runtime's defaults hold".to_owned());
    Ok(RuntimePolicies { organization: organization.name, policies: policies.unwrap_or_default(), note })
}
