//! OpenAI's Administration API: <https://platform.openai.com/docs/api-reference/administration>.
//!
//! The service allows some ten requests a minute of each kind. So names are resolved from lists that are read once, nothing
//! is asked for item by item where a list tells it, and where only asking one by one would tell, `reach` bounds how many.

mod api_keys;
mod certificates;
mod errors;
mod invitations;
mod lists;
mod members;
mod memberships;
mod project_members;
mod project_teams;
mod projects;
mod rate_limits;
mod reach;
mod resolve;
mod role_assignments;
mod roles;
mod service_accounts;
mod team_members;
mod teams;

use reqwest::header::HeaderName;

use crate::{
    domain::{Target, Timestamp},
    providers::{
        Connection,
        http::{self, Api, Auth, Remote, Service},
    },
    secrets::Credential,
};

/// Where the service is unless the configuration says otherwise.
pub const BASE_URL: &str = "https://api.openai.com/v1";

/// What a connection is told by its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub remote: Remote,
    pub api_key: Credential,
    pub organization_id: Option<String>,
    pub project_id: Option<String>,
}

type Session = http::Session<Settings>;

/// What this provider can do, on one screen.
pub fn connect(settings: Settings) -> Connection {
    let remote = settings.remote.clone();
    let headers = [("openai-organization", &settings.organization_id), ("openai-project", &settings.project_id)];
    let headers = headers.into_iter().filter_map(|(name, id)| Some((HeaderName::from_static(name), id.clone()?))).collect();
    let api = Api::new(Service::of(&remote, Auth::Bearer(settings.api_key.clone()), headers, errors::explain));
    Connection::to_service(&remote.connection, "openai", api, settings)
        .pinned(remote.pin)
        .health(|at| async move { projects::any(&at).await })
        .look(members::list)
        .except(&["organization"])
        .look(members::get)
        .except(&["organization"])
        .alter(members::update)
        .except(&["organization"])
        .alter(members::remove)
        .except(&["organization"])
        .look(invitations::list)
        .except(&["organization"])
        .alter(invitations::invite)
        .except(&["organization"])
        .alter(invitations::cancel)
        .except(&["organization"])
        .look(memberships::list)
        .look(memberships::list_projects)
        .except(&["organization"])
        .look(teams::list)
        .except(&["organization"])
        .look(teams::get)
        .alter(teams::create)
        .except(&["description", "slug", "organization"])
        .alter(teams::update)
        .except(&["description", "slug", "clear"])
        .alter(teams::delete)
        .look(team_members::list)
        .alter(team_members::add)
        .except(&["role"])
        .alter(team_members::remove)
        .look(projects::list)
        .except(&["organization", "team", "detail"])
        .look(projects::get)
        .alter(projects::create)
        .except(&["description", "admin_email", "usage_limit", "organization", "team", "slug"])
        .alter(projects::update)
        .except(&["description", "slug"])
        .alter(projects::archive)
        .look(project_members::list)
        .look(project_members::get)
        .alter(project_members::add)
        .alter(project_members::update)
        .alter(project_members::remove)
        .look(project_teams::list)
        .alter(project_teams::add)
        .alter(project_teams::remove)
        .look(roles::list)
        .except(&["organization"])
        .look(roles::get)
        .alter(roles::create)
        .except(&["organization"])
        .alter(roles::update)
        .alter(roles::delete)
        .look(role_assignments::list)
        .alter(role_assignments::assign)
        .except(&["organization"])
        .alter(role_assignments::unassign)
        .except(&["organization"])
        .look(service_accounts::list)
        .look(service_accounts::get)
        .alter(service_accounts::create)
        .alter(service_accounts::update)
        .alter(service_accounts::delete)
        .look(api_keys::list)
        .look(api_keys::get)
        .alter(api_keys::create)
        .except(&["description"])
        .alter(api_keys::update)
        .except(&["description", "status", "clear"])
        .alter(api_keys::delete)
        .look(rate_limits::list)
        .alter(rate_limits::update)
        .look(certificates::list)
        .alter(certificates::activate)
        .alter(certificates::deactivate)
        .build()
}

impl Session {
    /// What the organization is called here: the service tells neither its name nor its id.
    fn organization(&self) -> String {
        let settings = &self.settings;
        let known = settings.remote.pin.as_ref().or(settings.organization_id.as_ref());
        known.unwrap_or(&settings.remote.connection).clone()
    }

    fn target(&self, kind: &str, name: &str, id: &str) -> Target {
        Target::new(kind, name, id, &self.organization())
    }

    /// A thing that does not exist yet.
    fn new_target(&self, kind: &str, name: &str) -> Target {
        Target::new_one(kind, name, &self.organization())
    }
}

/// The service counts in seconds.
fn time(seconds: i64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1000))
}
