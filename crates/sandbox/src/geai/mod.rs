//! Globant Enterprise AI: its organization, access-control, administration, usage-limit and token APIs.
//!
//! Where descriptions of the service differ, [`Quirks`] says which of them it follows.

mod assistants;
mod authorized;
mod limits;
mod members;
mod memberships;
mod model;
mod oauth;
mod organizations;
mod page;
mod people;
mod projects;
mod quirks;
mod refusal;
mod request;
mod roles;
mod routes;
mod seed;
mod tokens;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use model::{Assistant, Export, Invitation, Limit, Organization, Person, Policies, Project, Role, Seat, Session, Token, Usage};
pub use quirks::{
    EmailFilter, Failures, MessageShape, Nothing, OrganizationScope, Quirks, Redirect, Removal, Spelling, TokenUpdate, Wrapping,
};

use self::{
    page::Page,
    refusal::Refusal,
    request::{Caller, Request},
    routes::Needs,
};
use super::{Answer, Call, Platform, Seed};

/// The state of the service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Geai {
    #[serde(default)]
    pub quirks: Quirks,
    pub organizations: Vec<Organization>,
    pub people: Vec<Person>,
    pub projects: Vec<Project>,
    pub tokens: Vec<Token>,
    /// Who is signed in with OAuth.
    pub sessions: Vec<Session>,
    pub limits: Vec<Limit>,
    /// What was asked of assistants, newest first.
    pub exports: Vec<Export>,
    /// Every mail that went out, oldest first: one line for each project and address, with a count.
    pub invitations: Vec<Invitation>,
    /// What the next id is made of.
    next: u64,
}

/// What a handler gives back; null is "no content".
type Handled = Result<Value, Refusal>;

impl Platform for Geai {
    const PROVIDER: &'static str = "geai";

    fn seeded(seed: Seed) -> Self {
        seed::plant(seed)
    }

    fn answer(&mut self, call: &Call) -> Answer {
        if let Some(redirect) = &self.quirks.redirect
            && call.bearer().is_some()
            && (redirect.reads || call.method != "GET")
        {
            return Answer::empty(302).with_header("location", redirect.to.clone());
        }
        match self.handle(call) {
            Ok(value) => self.success(value),
            Err(refusal) => refusal.answer(&self.quirks),
        }
    }

    fn environment(&self, url: &str) -> Vec<(&'static str, String)> {
        let token = self.tokens.iter().find(|it| it.project.is_none()).map(|it| it.id.clone());
        let system = self.sessions.iter().find(|it| self.is_system(&it.person)).map(|it| it.access_token.clone());
        let project = self.projects.first().map(|it| it.id.clone());
        let organization = self.organizations.first().map(|it| it.id.clone());
        [
            ("GEAI_API_KEY", token),
            ("GEAI_API_BASE_URL", Some(url.to_owned())),
            // Under other names than those that are read, since an OAuth token would win over the API key.
            ("GEAI_SANDBOX_SYSTEM_TOKEN", system),
            ("GEAI_SANDBOX_PROJECT_ID", project),
            ("GEAI_SANDBOX_ORGANIZATION_ID", organization),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

impl Geai {
    fn handle(&mut self, call: &Call) -> Handled {
        let segments = self.segments(call)?;
        let (route, path) = routes::find(&call.method, &segments)?;
        let caller = match route.needs {
            Needs::Nothing => Caller::Nobody,
            needs => self.caller(call, needs)?,
        };
        (route.handler)(self, &Request { call, caller, route: route.path, path })
    }

    /// The path below the prefix. A doubled slash before or after the version counts as one.
    fn segments(&self, call: &Call) -> Result<Vec<String>, Refusal> {
        let mut segments = call.segments.clone();
        if let Some(prefix) = &self.quirks.path_prefix {
            if segments.first() != Some(prefix) {
                return Err(Refusal::bad_endpoint());
            }
            segments.remove(0);
        }
        for at in [0, 1] {
            if segments.len() > at + 1 && segments.get(at).is_some_and(String::is_empty) {
                segments.remove(at);
            }
        }
        let unversioned = segments.first().is_some_and(|it| it == "accessControl");
        let versioned = segments.len() == 6 && segments.get(1).is_some_and(|it| it == "accessControl");
        match self.quirks.removal {
            Removal::Versioned if unversioned => Err(Refusal::bad_endpoint()),
            Removal::Unversioned if versioned => Err(Refusal::bad_endpoint()),
            _ => Ok(segments),
        }
    }

    fn success(&self, mut value: Value) -> Answer {
        if value.is_null() {
            return match self.quirks.nothing {
                Nothing::Object => Answer::ok(&json!({})),
                Nothing::Empty => Answer::empty(200),
                Nothing::NoContent => Answer::empty(204),
            };
        }
        if self.quirks.empty_errors
            && let Some(object) = value.as_object_mut()
        {
            object.insert("errors".to_owned(), json!([]));
        }
        Answer::ok(&value)
    }

    /// A new id that looks like the service's and differs from all others.
    fn fresh_id(&mut self) -> String {
        self.next += 1;
        seed::guid(0x5a, self.next)
    }
}

/// The time as the service writes it: without a zone.
fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S").to_string()
}
