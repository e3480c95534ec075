//! Organizations.

use serde_json::{Value, json};

use super::{
    Audit, Call, Code, Engine, Org, Refusal, Seat, Stamp,
    configs::{EDITOR, OWNER},
    records::role_of,
    wire::Fields,
};

const FIELDS: [&str; 3] = ["name", "description", "logo_url"];

impl Engine {
    /// The organizations that the caller is a member of.
    pub(super) fn list_orgs(&self, caller: &str) -> Value {
        let orgs: Vec<_> = self.orgs.iter().filter(|it| role_of(&it.seats, caller).is_some()).map(|it| self.org_reply(it)).collect();
        json!({ "orgs": orgs })
    }

    pub(super) fn org(&self, caller: &str, id: &str) -> Result<Value, Refusal> {
        Ok(self.org_reply(self.org_of_member(caller, id)?))
    }

    /// Whoever creates an organization owns it.
    pub(super) fn create_org(&mut self, caller: &str, call: &Call) -> Result<Value, Refusal> {
        let fields = Fields::read(call, &FIELDS)?;
        let name = fields.required("name")?.to_owned();
        let stamp = self.stamp(caller);
        let org = Org {
            id: format!("o-{}", self.next()),
            name,
            description: fields.owned("description"),
            logo_url: fields.owned("logo_url"),
            subscription: None,
            stats: [("members".to_owned(), "1".to_owned())].into(),
            usage: Vec::new(),
            seats: vec![Seat { user: caller.to_owned(), role: OWNER.to_owned() }],
            audit: Audit::new(stamp),
        };
        let reply = self.org_reply(&org);
        self.orgs.push(org);
        Ok(reply)
    }

    /// Replaces all three fields: one that is left out arrives as "".
    pub(super) fn update_org(&mut self, caller: &str, id: &str, call: &Call) -> Result<Value, Refusal> {
        self.org_of_owner(caller, id)?;
        let fields = Fields::read(call, &FIELDS)?;
        fields.required("name")?;
        let stamp = self.stamp(caller);
        let org = self.orgs.iter_mut().find(|it| it.id == id).ok_or_else(|| Refusal::missing("organization", id))?;
        org.name = fields.owned("name");
        org.description = fields.owned("description");
        org.logo_url = fields.owned("logo_url");
        org.audit.updated = stamp;
        self.org(caller, id)
    }

    /// Deletes an organization and its projects; only without an active subscription.
    pub(super) fn delete_org(&mut self, caller: &str, id: &str) -> Result<Value, Refusal> {
        let org = self.org_of_owner(caller, id)?;
        if org.subscription.as_ref().is_some_and(|it| it.active) {
            let message = "organization has an active subscription";
            return Err(Refusal::new(Code::FailedPrecondition, "ACTIVE_SUBSCRIPTION", message));
        }
        self.orgs.retain(|it| it.id != id);
        self.projects.retain(|it| it.org != id);
        Ok(json!({}))
    }

    pub(super) fn usage_summaries(&self, caller: &str, id: &str) -> Result<Value, Refusal> {
        let usage = &self.org_of_owner(caller, id)?.usage;
        let summaries: Vec<_> = usage
            .iter()
            .map(|(metric, usage, quota)| json!({ "metric": metric, "usage": usage.to_string(), "quota": quota.to_string() }))
            .collect();
        Ok(json!({ "usage_summaries": summaries }))
    }

    pub(super) fn org_by_id(&self, id: &str) -> Result<&Org, Refusal> {
        self.orgs.iter().find(|it| it.id == id).ok_or_else(|| Refusal::missing("organization", id))
    }

    /// The organization, for one of its members.
    pub(super) fn org_of_member(&self, caller: &str, id: &str) -> Result<&Org, Refusal> {
        let org = self.org_by_id(id)?;
        role_of(&org.seats, caller).map(|_| org).ok_or_else(|| Refusal::denied("organization membership"))
    }

    /// The organization, for one of its owners.
    pub(super) fn org_of_owner(&self, caller: &str, id: &str) -> Result<&Org, Refusal> {
        let org = self.org_by_id(id)?;
        (role_of(&org.seats, caller) == Some(OWNER)).then_some(org).ok_or_else(|| Refusal::denied("organization owner"))
    }

    /// The organization, for somebody who may create projects in it.
    pub(super) fn org_of_editor(&self, caller: &str, id: &str) -> Result<&Org, Refusal> {
        let org = self.org_by_id(id)?;
        let may = matches!(role_of(&org.seats, caller), Some(OWNER | EDITOR));
        may.then_some(org).ok_or_else(|| Refusal::denied("organization owner or editor"))
    }

    fn org_reply(&self, org: &Org) -> Value {
        json!({
            "id": org.id,
            "name": org.name,
            "description": org.description,
            "logo_url": org.logo_url,
            "subscription_id": org.subscription.as_ref().map_or("", |it| it.id.as_str()),
            "stats": org.stats,
            "audit": self.audit_reply(&org.audit),
        })
    }

    pub(super) fn audit_reply(&self, audit: &Audit) -> Value {
        let stamp = |it: &Stamp| {
            let name = self.account(&it.by).map_or("", |it| it.display_name.as_str());
            json!({ "timestamp": it.timestamp.to_string(), "by": { "id": it.by, "name": name } })
        };
        json!({ "created": stamp(&audit.created), "updated": stamp(&audit.updated) })
    }
}
