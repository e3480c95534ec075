//! SeeMe.ai's organizations API: organizations, teams, projects, who is in them and as what.
//!
//! Where the service is known to answer in one of several ways, [`Quirks`] says in which; where nothing is known of it,
//! this one is strict: bodies hold no unknown fields, and a replaced object loses what was left out.

mod account;
mod body;
mod logos;
mod members;
mod multipart;
mod organizations;
mod permissions;
mod places;
mod projects;
mod quirks;
mod refusal;
mod resources;
mod roles;
mod seed;
mod teams;

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::{account::Caller, refusal::Refusal};
pub use self::{
    account::{Key, User},
    logos::Logo,
    members::Member,
    places::{Kind, Place},
    quirks::{Absent, Detail, Emptiness, Invites, PermissionNames, Quirks, SystemRoles},
    resources::Resource,
    roles::Role,
};
use super::{Answer, Call, Platform, Seed};

/// The state of the service.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Seeme {
    pub quirks: Quirks,
    pub users: Vec<User>,
    pub keys: Vec<Key>,
    /// Organizations, teams and projects.
    pub places: Vec<Place>,
    /// Who is in them, invitations included.
    pub members: Vec<Member>,
    pub roles: Vec<Role>,
    pub resources: Vec<Resource>,
    /// By the id of what they are the logo of.
    pub logos: BTreeMap<String, Logo>,
    /// Its clock: minutes since it began. Each change takes one, so that the same calls give the same state.
    minutes: u32,
    /// How many ids were given out.
    made: u32,
}

type Reply = Result<Answer, Refusal>;

impl Platform for Seeme {
    const PROVIDER: &'static str = "seeme";

    fn seeded(seed: Seed) -> Self {
        seed::service(seed)
    }

    fn answer(&mut self, call: &Call) -> Answer {
        if call.method != "GET" {
            self.minutes += 1;
        }
        self.route(call).unwrap_or_else(|refusal| refusal.answer())
    }

    fn environment(&self, url: &str) -> Vec<(&'static str, String)> {
        let key = self.keys.first().map(|it| it.key.clone()).unwrap_or_default();
        vec![("SEEME_API_KEY", key), ("SEEME_BACKEND", format!("{url}/api/v1/"))]
    }
}

impl Seeme {
    fn route(&mut self, call: &Call) -> Reply {
        let (method, segments) = call.route();
        let path = match segments.as_slice() {
            ["api", "v1", path @ ..] => path,
            // Where logos lie when they are not sent but pointed at; whoever has the address may read.
            ["storage", id] if method == "GET" => return self.stored_logo(id),
            _ => return Err(Refusal::no_such_path()),
        };
        body::fits_method(call)?;
        match (method, path) {
            ("POST", ["login"]) => return self.log_in(call),
            ("POST", ["register"]) => return self.register(call),
            _ => {}
        }
        let caller = self.caller(call)?;
        match (method, path) {
            ("POST", ["logout"]) => Ok(self.log_out(call)),
            ("GET", ["applications"]) => Ok(Answer::ok(&Vec::<Value>::new())),
            ("GET", ["me", "context"]) => self.context(&caller),
            ("GET", ["me", "apikeys"]) => Ok(self.own_keys(&caller)),
            ("POST", ["me", "apikeys"]) => self.make_key(&caller, call),
            ("DELETE", ["me", "apikeys", id]) => self.delete_key(&caller, id),
            ("GET", ["share-roles"]) => Ok(self.share_roles()),
            ("GET", ["permissions"]) => self.list_permissions(&caller),
            (_, ["roles", rest @ ..]) => self.route_roles(&caller, call, rest),
            (_, [collection, rest @ ..]) => match Kind::of(collection) {
                Some(kind) => self.route_places(&caller, call, kind, rest),
                None => Err(Refusal::no_such_path()),
            },
            _ => Err(Refusal::no_such_path()),
        }
    }

    fn route_roles(&mut self, caller: &Caller, call: &Call, rest: &[&str]) -> Reply {
        match (call.method.as_str(), rest) {
            ("GET", []) => self.list_roles(caller),
            ("POST", []) => self.create_role(caller, call),
            (_, [_]) if self.quirks.no_role_routes => Err(Refusal::no_such_path()),
            ("GET", [id]) => self.get_role(caller, id),
            ("PUT", [id]) => self.update_role(caller, call, id),
            ("DELETE", [id]) => self.delete_role(caller, id),
            _ => Err(Refusal::no_such_path()),
        }
    }

    fn route_places(&mut self, caller: &Caller, call: &Call, kind: Kind, rest: &[&str]) -> Reply {
        match (kind, call.method.as_str(), rest) {
            (Kind::Organization, "GET", []) => self.list_organizations(caller),
            (Kind::Organization, "POST", []) => self.create_organization(caller, call),
            (Kind::Organization, "GET", [id, "teams"]) => self.organization_teams(caller, id),
            (Kind::Organization, "GET", [id, "projects"]) => self.organization_projects(caller, id),
            (Kind::Organization, "GET", [id, "roles"]) => self.organization_roles(caller, id),
            (Kind::Organization, "POST", [id, "members"]) => self.invite(caller, call, id),
            (Kind::Team, "GET", []) => self.list_teams(caller),
            (Kind::Team, "POST", []) => self.create_team(caller, call),
            (Kind::Project, "GET", []) => self.list_projects(caller, call),
            (Kind::Project, "POST", []) => self.create_project(caller, call),
            (Kind::Project, "GET", [id, "resources"]) => self.list_resources(caller, id),
            (Kind::Project, "POST", [id, "resources"]) => self.assign_resource(caller, call, id),
            (Kind::Project, "DELETE", [id, "resources", of, resource]) => self.remove_resource(caller, id, of, resource),
            (_, "GET", [id]) => self.get_place(caller, kind, id),
            (_, "PUT", [id]) => self.update_place(caller, call, kind, id),
            (_, "DELETE", [id]) => self.delete_place(caller, kind, id),
            (_, "GET", [id, "members"]) => self.list_members(caller, kind, id),
            (_, "POST", [id, "members"]) => self.add_member(caller, call, kind, id),
            (_, "PUT", [id, "members", member, "role"]) => self.update_member(caller, call, kind, id, member),
            (_, "DELETE", [id, "members", member]) => self.remove_member(caller, kind, id, member),
            (_, "GET", [id, "logo"]) => self.get_logo(caller, kind, id),
            (_, "POST", [id, "logo"]) => self.upload_logo(caller, call, kind, id),
            (_, "DELETE", [id, "logo"]) => self.delete_logo(caller, kind, id),
            _ => Err(Refusal::no_such_path()),
        }
    }

    /// An id that nothing has yet.
    fn fresh(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}-{}", self.made)
    }

    fn now(&self) -> String {
        self.in_days(0)
    }

    fn in_days(&self, days: i64) -> String {
        let began = DateTime::from_timestamp(1_767_600_000, 0).unwrap_or_default();
        let now = began + TimeDelta::minutes(self.minutes.into()) + TimeDelta::days(days);
        now.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// A list, which is `null` where there is nothing in it and the service is of that kind.
    fn list(&self, items: &[Value]) -> Answer {
        if items.is_empty() && self.quirks.null_lists { Answer::ok(&Value::Null) } else { Answer::ok(&items) }
    }

    /// The answer to a removal.
    fn nothing(&self) -> Answer {
        match self.quirks.empty {
            Emptiness::NoContent => Answer::empty(204),
            Emptiness::NoBody => Answer::empty(200),
            Emptiness::Json => Answer::ok(&serde_json::json!({ "message": "deleted" })),
        }
    }
}
