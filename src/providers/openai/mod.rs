//! OpenAI's Administration API: <https://platform.openai.com/docs/api-reference/administration>.
//!
//! The service allows some ten requests a minute of each kind. So names are resolved from lists that are read once, nothing
//! is asked for item by item where a list tells it, and where only asking one by one would tell, `reach` bounds how many.

mod access;
mod admin_keys;
mod api_keys;
mod certificates;
mod errors;
mod held;
mod invitations;
mod lists;
mod members;
mod memberships;
mod power;
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
mod usage_limits;

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
    let api = Api::new(Service::of(&remote, Auth::Bearer(settings.api_key.clone()), headers, errors::explain).below("/v1"));
    Connection::to_service(&remote.connection, "openai", api, settings)
        .pinned(remote.pin)
        .health(|at| async move { projects::any(&at).await })
        .grants(|at, scope| async move { access::grants(&at, &scope).await })
        .people(|at, _| async move { access::everybody(&at).await })
        .read(members::list)
        .except(&["organization"])
        .read(members::get)
        .except(&["organization"])
        .change(members::update)
        .except(&["organization"])
        .change(members::remove)
        .except(&["organization"])
        .read(invitations::list)
        .except(&["organization"])
        .change(invitations::invite)
        .except(&["organization"])
        .change(invitations::cancel)
        .except(&["organization"])
        .read(memberships::list)
        .read(memberships::list_projects)
        .except(&["organization"])
        .read(teams::list)
        .except(&["organization"])
        .read(teams::get)
        .change(teams::create)
        .except(&["description", "slug", "organization"])
        .change(teams::update)
        .except(&["description", "slug", "clear"])
        .change(teams::delete)
        .read(team_members::list)
        .change(team_members::add)
        .except(&["role"])
        .change(team_members::remove)
        .read(projects::list)
        .except(&["organization", "team"])
        .read(projects::get)
        .change(projects::create)
        .except(&["description", "admin_email", "usage_limit", "organization", "team", "slug"])
        .change(projects::update)
        .except(&["description", "slug"])
        .change(projects::archive)
        .read(project_members::list)
        .read(project_members::get)
        .change(project_members::add)
        .change(project_members::update)
        .change(project_members::remove)
        .read(project_teams::list)
        .change(project_teams::add)
        .change(project_teams::remove)
        .read(roles::list)
        .except(&["organization"])
        .read(roles::get)
        .change(roles::create)
        .except(&["organization"])
        .change(roles::update)
        .change(roles::delete)
        .read(role_assignments::list)
        .change(role_assignments::assign)
        .except(&["organization"])
        .change(role_assignments::unassign)
        .except(&["organization"])
        .read(service_accounts::list)
        .read(service_accounts::get)
        .change(service_accounts::create)
        .change(service_accounts::update)
        .change(service_accounts::delete)
        .read(api_keys::list)
        .except(&["organization"])
        .read(api_keys::get)
        .change(api_keys::create)
        .except(&["description"])
        .change(api_keys::update)
        .except(&["description", "status"])
        .change(api_keys::delete)
        .read(usage_limits::list)
        .except(&["organization"])
        .read(rate_limits::list)
        .change(rate_limits::update)
        .read(certificates::list)
        .change(certificates::activate)
        .change(certificates::deactivate)
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
