//! Who the connection acts as.

use serde::Deserialize;

use super::{
    Session,
    people::members,
    places::{self, Place},
    seats::shown,
    wire::filled,
};
use crate::{domain::organizations::CurrentUser, error::ProviderError, tools::context::GetCurrentUser};

/// What the service knows of whoever has the key.
#[derive(Debug, Deserialize)]
pub(super) struct WireContext {
    pub(super) user_id: String,
    current_organization_id: Option<String>,
    roles: Option<Vec<WireContextRole>>,
    permissions: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct WireContextRole {
    #[serde(default)]
    name: String,
}

pub(super) async fn context(at: &Session) -> Result<WireContext, ProviderError> {
    at.get("/me/context").send().await
}

/// Reading one's own context needs no permission.
pub(super) async fn health(at: &Session) -> Result<(), ProviderError> {
    context(at).await?;
    places::pinned(at).await.map(|_| ())
}

/// The context has the id of the user only; the name is looked up where that can be done.
pub(super) async fn current_user(at: &Session, _: &GetCurrentUser) -> Result<CurrentUser, ProviderError> {
    let context = context(at).await?;
    let current = filled(context.current_organization_id.as_ref());
    let organization = match places::pinned(at).await? {
        Some(pinned) => Some(pinned),
        None => Place::with_id(at, current.unwrap_or_default()).await.unwrap_or_default(),
    };
    let seat = match &organization {
        Some(place) => members(at, place).await.ok().and_then(|it| it.iter().find(|it| it.is(&context.user_id)).cloned()),
        None => None,
    };
    let mut roles: Vec<String> = context.roles.unwrap_or_default().into_iter().map(|it| it.name).collect();
    roles.dedup();
    let permissions = context.permissions.unwrap_or_default();
    let scope = [("roles", &roles), ("permissions", &permissions)].into_iter().filter(|it| !it.1.is_empty());
    let scope = scope.map(|(what, names)| format!("{what}: {}", shown(names))).collect::<Vec<_>>().join("; ");
    Ok(CurrentUser {
        user: seat.as_ref().map_or(context.user_id.as_str(), |it| it.called()).to_owned(),
        id: Some(context.user_id),
        scope: Some(scope).filter(|it| !it.is_empty()),
        organization: organization.map(|it| it.name().to_owned()),
        project: None,
    })
}
