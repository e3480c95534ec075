//! People of a project.

use serde_json::{Value, json};

use super::{
    Call, Code, Engine, Refusal, Seat,
    configs::{PROJECT_OWNER, is_project_role},
    records::{is_last, role_of},
    wire::Fields,
};

impl Engine {
    pub(super) fn project_users(&self, caller: &str, id: &str) -> Result<Value, Refusal> {
        let project = self.seen_project(caller, id)?;
        let users = project.seats.iter().map(|it| self.project_seat_reply(&project.org, it)).collect::<Result<Vec<_>, _>>()?;
        Ok(json!({ "projectUsers": users }))
    }

    pub(super) fn project_user(&self, caller: &str, id: &str, user: &str) -> Result<Value, Refusal> {
        let project = self.seen_project(caller, id)?;
        let seat = project.seats.iter().find(|it| it.user == user).ok_or_else(|| Refusal::missing("project user", user))?;
        self.project_seat_reply(&project.org, seat)
    }

    /// Gives somebody a place. Whoever is not a member of the organization becomes an external user, and cannot own.
    pub(super) fn add_project_user(&mut self, caller: &str, id: &str, call: &Call) -> Result<Value, Refusal> {
        let project = self.owned_project(caller, id)?;
        let fields = Fields::read(call, &["user_id", "role_id"])?;
        let (user, role) = (fields.required("user_id")?, fields.required("role_id")?);
        if !is_project_role(role) {
            return Err(Refusal::invalid(format!("role {role} is not a project role")).suggesting("use a role of GET /api/v1/configs"));
        }
        self.account(user)?;
        if role_of(&project.seats, user).is_some() {
            return Err(Refusal::new(Code::AlreadyExists, "ALREADY_EXISTS", format!("user {user} is a member of the project")));
        }
        if role == PROJECT_OWNER && self.is_external(&project.org, user) {
            return Err(Refusal::new(Code::FailedPrecondition, "EXTERNAL_USER", "an external user cannot own a project"));
        }
        let seat = Seat { user: user.to_owned(), role: role.to_owned() };
        let reply = self.project_seat_reply(&project.org, &seat)?;
        self.change_project(id, caller, |it| it.seats.push(seat));
        Ok(reply)
    }

    pub(super) fn remove_project_user(&mut self, caller: &str, id: &str, user: &str) -> Result<Value, Refusal> {
        let project = self.owned_project(caller, id)?;
        if role_of(&project.seats, user).is_none() {
            return Err(Refusal::missing("project user", user));
        }
        if is_last(&project.seats, user, PROJECT_OWNER) {
            return Err(Refusal::new(Code::FailedPrecondition, "LAST_OWNER", "the last owner cannot be removed"));
        }
        self.change_project(id, caller, |it| it.seats.retain(|it| it.user != user));
        Ok(json!({}))
    }

    fn project_seat_reply(&self, org: &str, seat: &Seat) -> Result<Value, Refusal> {
        self.seat_reply(seat, self.is_external(org, &seat.user))
    }

    fn is_external(&self, org: &str, user: &str) -> bool {
        self.org_by_id(org).is_ok_and(|it| role_of(&it.seats, user).is_none())
    }
}
