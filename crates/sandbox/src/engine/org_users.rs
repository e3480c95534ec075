//! People of an organization: members, and external users, who are in one of its projects only.

use serde_json::{Value, json};

use super::{
    Call, Code, Engine, Org, Refusal, Seat,
    configs::{OWNER, is_org_role},
    records::{is_last, role_of},
    wire::Fields,
};

impl Engine {
    pub(super) fn org_users(&self, caller: &str, id: &str) -> Result<Value, Refusal> {
        let org = self.org_of_member(caller, id)?;
        let members = org.seats.iter().map(|it| self.seat_reply(it, false)).collect::<Result<Vec<_>, _>>()?;
        let external = self.external_users(org).map(|it| self.seat_reply(&it, true)).collect::<Result<Vec<_>, _>>()?;
        Ok(json!({ "orgUsers": members, "externalUsers": external }))
    }

    pub(super) fn org_user(&self, caller: &str, id: &str, user: &str) -> Result<Value, Refusal> {
        let org = self.org_of_member(caller, id)?;
        let seat = org.seats.iter().find(|it| it.user == user).ok_or_else(|| Refusal::missing("organization user", user))?;
        self.seat_reply(seat, false)
    }

    pub(super) fn add_org_user(&mut self, caller: &str, id: &str, call: &Call) -> Result<Value, Refusal> {
        let org = self.org_of_owner(caller, id)?;
        if self.quirks.joining_fails {
            return Err(Refusal::internal());
        }
        let fields = Fields::read(call, &["user_id", "role_id"])?;
        let (user, role) = (fields.required("user_id")?, fields.required("role_id")?);
        if !is_org_role(role) {
            return Err(
                Refusal::invalid(format!("role {role} is not an organization role")).suggesting("use a role of GET /api/v1/configs")
            );
        }
        self.account(user)?;
        if role_of(&org.seats, user).is_some() {
            return Err(Refusal::new(Code::AlreadyExists, "ALREADY_EXISTS", format!("user {user} is a member of the organization")));
        }
        let seat = Seat { user: user.to_owned(), role: role.to_owned() };
        let reply = self.seat_reply(&seat, false)?;
        self.change_org(id, caller, |it| it.seats.push(seat));
        Ok(reply)
    }

    /// Ends a membership. Places in projects stay: whoever has one appears as an external user from now on.
    pub(super) fn remove_org_user(&mut self, caller: &str, id: &str, user: &str) -> Result<Value, Refusal> {
        let org = self.org_of_owner(caller, id)?;
        if role_of(&org.seats, user).is_none() {
            return Err(Refusal::missing("organization user", user));
        }
        if is_last(&org.seats, user, OWNER) {
            return Err(Refusal::new(Code::FailedPrecondition, "LAST_OWNER", "the last owner cannot be removed"));
        }
        self.change_org(id, caller, |it| it.seats.retain(|it| it.user != user));
        Ok(json!({}))
    }

    fn change_org(&mut self, id: &str, caller: &str, change: impl FnOnce(&mut Org)) {
        let stamp = self.stamp(caller);
        if let Some(org) = self.orgs.iter_mut().find(|it| it.id == id) {
            change(org);
            org.audit.updated = stamp;
            org.stats.insert("members".to_owned(), org.seats.len().to_string());
        }
    }

    /// Whoever is in a project of an organization without being a member; they have no role in the organization.
    fn external_users<'a>(&'a self, org: &'a Org) -> impl Iterator<Item = Seat> + 'a {
        let seats = self.projects.iter().filter(|it| it.org == org.id).flat_map(|it| &it.seats);
        let mut users: Vec<&str> = seats.map(|it| it.user.as_str()).filter(|it| role_of(&org.seats, it).is_none()).collect();
        users.sort_unstable();
        users.dedup();
        users.into_iter().map(|it| Seat { user: it.to_owned(), role: String::new() })
    }

    /// Somebody with a role, as organizations and projects list them.
    pub(super) fn seat_reply(&self, seat: &Seat, external: bool) -> Result<Value, Refusal> {
        let mut reply = json!({ "user": self.account(&seat.user)?.reply(), "role": self.role_text(&seat.role) });
        if self.quirks.external_flag {
            reply["external"] = external.into();
        }
        Ok(reply)
    }
}
