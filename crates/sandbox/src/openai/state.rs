//! What the service remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Call, ORDINARY_KEY, Platform as _, Quirks,
    admin_keys::AdminKey,
    assignments::Assignment,
    audit_logs::Event,
    certificates::Certificate,
    groups::Group,
    invites::Invite,
    projects::Project,
    reply::Refusal,
    request::{Ask, Caller},
    roles::Role,
    users::User,
};

/// The state of the service: one organization.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Openai {
    pub quirks: Quirks,
    pub(super) organization_id: String,
    /// The last number that was given out: ids, places in lists, requests.
    number: u64,
    /// Where what has an id stands in its list; kept when it is gone, since a cursor may still name it.
    places: BTreeMap<String, u64>,
    pub(super) users: Vec<User>,
    pub(super) projects: Vec<Project>,
    pub(super) groups: Vec<Group>,
    /// Of the organization and of all projects.
    pub(super) roles: Vec<Role>,
    pub(super) assignments: Vec<Assignment>,
    pub(super) invites: Vec<Invite>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) admin_keys: Vec<AdminKey>,
    pub(super) events: Vec<Event>,
}

impl Openai {
    pub(super) fn of(organization_id: &str) -> Self {
        Self { organization_id: organization_id.to_owned(), ..Self::default() }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// A new id with its place at the end of its list.
    pub(super) fn new_id(&mut self, prefix: &str) -> String {
        let number = self.next_number();
        let id = format!("{prefix}{number:06}");
        self.places.insert(id.clone(), number);
        id
    }

    /// Puts what has a name of its own at the end of its list.
    pub(super) fn place(&mut self, key: String) -> u64 {
        let number = self.next_number();
        self.places.insert(key, number);
        number
    }

    pub(super) fn place_of(&self, key: &str) -> Option<u64> {
        self.places.get(key).copied()
    }

    /// Lets a key in that may do this.
    pub(super) fn admit(&self, call: &Call) -> Result<Caller, Refusal> {
        let token = call.bearer().ok_or_else(Refusal::unknown_key)?;
        if token == ORDINARY_KEY {
            return Err(Refusal::missing_scope("api.management.read"));
        }
        let key = self.admin_keys.iter().find(|it| it.opens(token)).ok_or_else(Refusal::unknown_key)?;
        let scope = if call.method == "GET" { "api.management.read" } else { "api.management.write" };
        if !key.allows(scope) {
            return Err(Refusal::missing_scope(scope));
        }
        let owner = self.users.iter().find(|it| it.id == key.owner_id).ok_or_else(Refusal::unknown_key)?;
        Ok(Caller { key_id: key.id.clone(), user_id: owner.id.clone(), email: owner.email.clone() })
    }

    /// Writes an event; `data` is its payload, without which there is none in the log.
    pub(super) fn note(&mut self, ask: &Ask, kind: &str, project_id: Option<&str>, data: Value) {
        let id = self.new_id("audit_log-");
        let event = Event {
            id,
            kind: kind.to_owned(),
            effective_at: now(),
            project_id: project_id.map(str::to_owned),
            key_id: ask.caller.key_id.clone(),
            actor_id: ask.caller.user_id.clone(),
            actor_email: ask.caller.email.clone(),
            data,
        };
        self.events.push(event);
    }

    /// Does what others were to do after an answer.
    pub(super) fn let_others_act(&mut self) {
        // Taken out, or the calls of others would be followed by those of others.
        let mut waiting = std::mem::take(&mut self.quirks.meanwhile);
        if let Some(act) = waiting.pop_front() {
            self.act(&act);
        }
        self.quirks.meanwhile = waiting;
    }

    fn act(&mut self, act: &str) {
        let (method, path) = act.split_once(' ').unwrap_or(("DELETE", act));
        let headers = BTreeMap::from([("authorization".to_owned(), format!("Bearer {}", super::ADMIN_KEY))]);
        let planned = std::mem::take(&mut self.quirks.failures);
        let answer = self.answer(&Call::new(method, path, headers, Vec::new()));
        self.quirks.failures = planned;
        if answer.status != 200 {
            tracing::warn!(act, status = answer.status, "what others were to do was refused");
        }
    }
}

/// Unix seconds.
pub(super) fn now() -> i64 {
    chrono::Utc::now().timestamp()
}
