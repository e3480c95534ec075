//! Who the connection acts as.

use serde::Deserialize;

use super::{Session, TokenKind};
use crate::{domain::organizations::CurrentUser, error::ProviderError, tools::context::GetCurrentUser};

/// A signed-in person.
#[derive(Debug, Deserialize)]
pub(super) struct WireProfile {
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
}

/// `GET /v1/accessControl/apitoken/validate`; of an OAuth token `GET /openid/userinfo`.
pub(super) async fn current_user(at: &Session, _: &GetCurrentUser) -> Result<CurrentUser, ProviderError> {
    if at.settings.kind == TokenKind::OAuth {
        let profile = profile(at).await?;
        return Ok(CurrentUser {
            user: profile.email.or(profile.username).unwrap_or_else(|| "signed-in person".to_owned()),
            id: profile.sub,
            scope: Some("OAuth access token".to_owned()),
            organization: at.settings.organization_id.clone(),
            project: at.settings.project_id.clone(),
        });
    }
    let info = at.token_info().await?;
    let user = if info.project_name.is_some() { "project API token" } else { "organization API token" };
    let organization = Some(info.organization_name).filter(|it| !it.is_empty()).or(Some(info.organization_id));
    Ok(CurrentUser { user: user.to_owned(), id: None, scope: info.scope, organization, project: info.project_name })
}

pub(super) async fn profile(at: &Session) -> Result<WireProfile, ProviderError> {
    at.get("/openid/userinfo").send().await
}

/// Whether the token is taken.
pub(super) async fn check(at: &Session) -> Result<(), ProviderError> {
    match at.settings.kind {
        TokenKind::Api => at.token_info().await.map(drop),
        TokenKind::OAuth => profile(at).await.map(drop),
    }
}
