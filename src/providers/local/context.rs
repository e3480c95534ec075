//! Who acts in the directory.

use super::Session;
use crate::{domain::organizations::CurrentUser, error::ProviderError, tools::context::GetCurrentUser};

/// The directory has no accounts to sign in with: whoever may start the server may do everything in it.
pub(super) async fn current_user(at: &mut Session, _: &GetCurrentUser) -> Result<CurrentUser, ProviderError> {
    Ok(CurrentUser {
        user: "local directory".to_owned(),
        id: None,
        scope: Some("everything in this directory".to_owned()),
        organization: at.pinned().await?.map(|it| it.name),
        project: None,
    })
}
