//! Teams.

use super::{Kind, Reply, Seeme, account::Caller, body::Body, refusal::Refusal};
use crate::Call;

impl Seeme {
    pub(super) fn list_teams(&self, caller: &Caller) -> Reply {
        self.need(caller, None, "teams:list")?;
        Ok(self.places_json(self.organizations_of(caller).into_iter().flat_map(|it| self.places_in(&it.id, Kind::Team))))
    }

    pub(super) fn organization_teams(&self, caller: &Caller, organization: &str) -> Reply {
        let organization = self.seen(caller, Kind::Organization, organization)?;
        self.need(caller, Some(&organization), "teams:list")?;
        Ok(self.places_json(self.places_in(&organization.id, Kind::Team)))
    }

    pub(super) fn create_team(&mut self, caller: &Caller, call: &Call) -> Reply {
        let body = Body::read(call, &Kind::Team.fields())?;
        let organization = self.organization_for(caller, &body, "teams:create")?;
        let mut team = self.drafted(caller, Kind::Team, &body)?;
        team.organization_id = Some(organization);
        self.slug_is_free(&team)?;
        Ok(self.founded(team, "team_lead"))
    }

    /// The organization that a body names, or the caller's current one, where they may do this.
    pub(super) fn organization_for(&self, caller: &Caller, body: &Body, code: &str) -> Result<String, Refusal> {
        let named = body.filled("organization_id")?.or_else(|| self.current_organization(caller));
        let organization = named.ok_or_else(|| Refusal::invalid("`organization_id` is required"))?;
        let organization = self.seen(caller, Kind::Organization, &organization)?;
        self.need(caller, Some(&organization), code)?;
        Ok(organization.id)
    }
}
