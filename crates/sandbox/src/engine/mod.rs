//! The PI.EXCHANGE AI & Analytics Engine: its organizations API, as its gateway writes JSON.

mod configs;
mod org_users;
mod orgs;
mod project_users;
mod projects;
mod records;
mod refusal;
mod seed;
mod sessions;
mod users;
mod wire;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Call, Platform, Seed};
pub use records::{Account, Audit, Org, Project, Seat, Stamp, Subscription};
use refusal::{Code, Refusal};
use sessions::Session;

/// The state of the service.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Engine {
    pub quirks: Quirks,
    pub accounts: Vec<Account>,
    pub orgs: Vec<Org>,
    pub projects: Vec<Project>,
    sessions: Vec<Session>,
    /// The number in the next id or token.
    serial: u64,
    /// Seconds since 1970, as far as this service knows: a minute passes with each change.
    clock: u64,
}

/// How the service behaves where the real one differs from revision to revision, or is made to fail.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Quirks {
    pub gateway: Gateway,
    /// Errors carry lines of a stack, which nobody should be shown.
    pub debug_info: bool,
    /// How many requests a token is good for; `None` for ever.
    pub token_uses: Option<u32>,
    /// The `expires_in` of a sign-in, in seconds. Nothing expires by the clock here.
    pub expires_in: u64,
    /// `POST orgs/{id}/users` fails inside, while accounts can still be made.
    pub joining_fails: bool,
    /// `role` in replies is an id instead of a title.
    pub role_as_id: bool,
    /// Members carry a boolean `external`, as the vendor's newer class has it.
    pub external_flag: bool,
    /// `GET configs` answers without roles.
    pub hides_roles: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            gateway: Gateway::Older,
            debug_info: true,
            token_uses: None,
            expires_in: 3600,
            joining_fails: false,
            role_as_id: false,
            external_flag: false,
            hides_roles: false,
        }
    }
}

/// The generation of the gateway in front of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gateway {
    /// Writes `display_name`, leaves zero values out, repeats the message of an error in `error`.
    Older,
    /// Writes `displayName`, and zero values.
    Newer,
}

impl Platform for Engine {
    const PROVIDER: &'static str = "engine";

    fn seeded(seed: Seed) -> Self {
        match seed {
            Seed::Acme => seed::acme(),
            Seed::Empty => seed::empty(),
        }
    }

    fn answer(&mut self, call: &Call) -> Answer {
        match self.route(call) {
            Ok(reply) => Answer::ok(&wire::spelled(self.quirks.gateway, reply)),
            Err(refusal) => refusal.answer(&self.quirks),
        }
    }

    fn environment(&self, url: &str) -> Vec<(&'static str, String)> {
        let token = self.accounts.iter().find_map(|it| it.custom_token.clone()).unwrap_or_default();
        vec![("AIA_ENGINE_API_TARGET", url.to_owned()), ("AIA_ENGINE_API_CUSTOM_TOKEN", token)]
    }
}

impl Engine {
    fn route(&mut self, call: &Call) -> Result<Value, Refusal> {
        let (method, segments) = call.route();
        let ["api", "v1", path @ ..] = segments.as_slice() else { return Err(Refusal::no_such_path()) };
        match (method, path) {
            ("POST", ["users:signInWithCustomToken"]) => return self.sign_in_with_token(call),
            ("POST", ["users:signInWithEmail"]) => return self.sign_in_with_email(call),
            ("POST", ["users:refreshToken"]) => return self.refresh(call),
            _ => {}
        }
        let caller = self.caller(call)?;
        let caller = caller.as_str();
        match (method, path) {
            ("GET", ["configs"]) => Ok(self.configs()),
            ("GET", ["users"]) => self.user_by_email(call),
            ("POST", ["users"]) => self.create_user(caller, call),
            ("GET", ["orgs"]) => Ok(self.list_orgs(caller)),
            ("POST", ["orgs"]) => self.create_org(caller, call),
            ("GET", ["orgs", id]) => self.org(caller, id),
            ("PUT", ["orgs", id]) => self.update_org(caller, id, call),
            ("DELETE", ["orgs", id]) => self.delete_org(caller, id),
            ("GET", ["orgs", id, "usageSummaries"]) => self.usage_summaries(caller, id),
            ("GET", ["orgs", id, "projects"]) => self.org_projects(caller, id),
            ("GET", ["orgs", id, "users"]) => self.org_users(caller, id),
            ("POST", ["orgs", id, "users"]) => self.add_org_user(caller, id, call),
            ("GET", ["orgs", id, "users", user]) => self.org_user(caller, id, user),
            ("DELETE", ["orgs", id, "users", user]) => self.remove_org_user(caller, id, user),
            ("GET", ["projects"]) => Ok(self.own_projects(caller)),
            ("POST", ["projects"]) => self.create_project(caller, call),
            ("GET", ["projects", id]) => self.project(caller, id),
            ("PUT", ["projects", id]) => self.update_project(caller, id, call),
            ("DELETE", ["projects", id]) => self.delete_project(caller, id),
            ("GET", ["projects", id, "users"]) => self.project_users(caller, id),
            ("POST", ["projects", id, "users"]) => self.add_project_user(caller, id, call),
            ("GET", ["projects", id, "users", user]) => self.project_user(caller, id, user),
            ("DELETE", ["projects", id, "users", user]) => self.remove_project_user(caller, id, user),
            _ => Err(Refusal::no_such_path()),
        }
    }

    /// A number that was never given before.
    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The time of a change, and who makes it.
    fn stamp(&mut self, by: &str) -> Stamp {
        self.clock += 60;
        Stamp { timestamp: self.clock, by: by.to_owned() }
    }

    fn account(&self, id: &str) -> Result<&Account, Refusal> {
        self.accounts.iter().find(|it| it.id == id).ok_or_else(|| Refusal::missing("user", id))
    }
}
