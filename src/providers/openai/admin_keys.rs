//! Keys that open the administration; they are looked at here, and made and ended in the dashboard.

use serde::Deserialize;

use super::{Session, lists, power, time};
use crate::{
    domain::{
        Timestamp,
        access::{Grant, Holder, Named, Place, Role, Via},
        roles::RoleLevel,
    },
    error::ProviderError,
};

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireAdminKey {
    id: String,
    name: Option<String>,
    expires_at: Option<i64>,
    owner: Option<WireOwner>,
}

#[derive(Debug, Clone, Deserialize)]
struct WireOwner {
    id: Option<String>,
    role: Option<String>,
}

impl WireAdminKey {
    pub(super) fn has_ended(&self) -> bool {
        self.expires_at.is_some_and(|it| time(it) <= Timestamp::now())
    }

    pub(super) fn is_of(&self, user_id: &str) -> bool {
        self.owner.as_ref().and_then(|it| it.id.as_deref()) == Some(user_id)
    }

    /// The power of its owner.
    pub(super) fn grant(&self, place: Place) -> Grant {
        let told = self.owner.as_ref().and_then(|it| it.role.as_deref());
        let role = told.map_or_else(|| Role::unknown("its owner's role", ""), |it| power::called(it, RoleLevel::Organization));
        let holder = Holder::Key(Named::new(self.name.as_deref().unwrap_or(&self.id), &self.id));
        Grant { ends_at: self.expires_at.map(time), ..Grant::own(holder, role, place).via(Via::Inherited) }
    }
}

pub(super) async fn all(at: &Session) -> Result<Vec<WireAdminKey>, ProviderError> {
    lists::all(at, lists::BY_ID, |at| at.get("/organization/admin_api_keys")).await
}
