//! Organizations.

use super::{Kind, Reply, Seeme, account::Caller, body::Body};
use crate::Call;

impl Seeme {
    pub(super) fn list_organizations(&self, caller: &Caller) -> Reply {
        self.need(caller, None, "organizations:list")?;
        Ok(self.places_json(self.organizations_of(caller)))
    }

    pub(super) fn create_organization(&mut self, caller: &Caller, call: &Call) -> Reply {
        self.need(caller, None, "organizations:create")?;
        let body = Body::read(call, &Kind::Organization.fields())?;
        let mut organization = self.drafted(caller, Kind::Organization, &body)?;
        self.slug_is_free(&organization)?;
        organization.plan = Some("free".to_owned());
        let answer = self.founded(organization, "org_owner");
        let made = self.places.last().map(|it| it.id.clone());
        if let Some(user) = self.users.iter_mut().find(|it| it.id == caller.user_id) {
            user.current_organization_id = user.current_organization_id.take().or(made);
        }
        Ok(answer)
    }
}
