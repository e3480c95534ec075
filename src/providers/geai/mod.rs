//! Globant Enterprise AI, by its organization, access-control, usage-limit and token APIs.
//!
//! Descriptions of this service differ from each other and from what it does, so answers are read in every shape that was
//! described or seen, and nothing is taken for a failure that only looks unusual.

mod access;
mod api_keys;
mod context;
mod explain;
mod limit_steps;
mod memberships;
mod organization_members;
mod organizations;
mod policies;
mod power;
pub(crate) mod profile;
mod project_members;
mod projects;
mod resolve;
mod role_assignments;
mod roles;
mod usage_limits;
mod wire;

use reqwest::header::HeaderName;

use crate::{
    providers::{
        Connection,
        http::{self, Api, Auth, Remote, Service},
    },
    secrets::Credential,
};

/// One piece of work with the service.
type Session = http::Session<Settings>;

/// What a connection is told by its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub remote: Remote,
    pub token: Credential,
    pub kind: TokenKind,
    pub project_id: Option<String>,
    pub organization_id: Option<String>,
    /// Whether the token is a system administrator's, who can make and delete organizations.
    pub system: bool,
    /// Whether a member is taken out of a project by the path without a version first.
    pub unversioned_removal: bool,
}

/// Which kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Api,
    OAuth,
}

/// What this provider can do, on one screen.
pub fn connect(settings: Settings) -> Connection {
    let remote = settings.remote.clone();
    // Who works in which context: `ProjectId` is required beside every OAuth token, also where `project-id` names a target.
    let context = [("projectid", &settings.project_id), ("organizationid", &settings.organization_id)];
    let headers = context.into_iter().filter_map(|(name, id)| Some((HeaderName::from_static(name), id.clone()?))).collect();
    let api = Api::new(Service::of(&remote, Auth::Bearer(settings.token.clone()), headers, explain::explain));
    let system = settings.system;
    let connection = Connection::to_service(&remote.connection, "geai", api, settings)
        .pinned(remote.pin)
        .look(context::current_user)
        .look(memberships::list);
    if system {
        return connection
            .look(organizations::list_all)
            .alter(organizations::create)
            .except(&["description", "slug", "website"])
            .alter(organizations::delete)
            .health(|at| async move { organizations::check(&at).await })
            .build();
    }
    connection
        .look(organizations::list)
        .look(organization_members::list)
        .look(organization_members::get)
        .look(memberships::list_projects)
        .look(projects::list)
        .except(&["team", "include_archived"])
        .look(projects::get)
        .alter(projects::create)
        .except(&["team", "slug", "residency", "external_key_id"])
        .alter(projects::update)
        .except(&["slug", "external_key_id"])
        .alter(projects::delete)
        .look(project_members::list)
        .look(project_members::get)
        .alter(project_members::add)
        .alter(project_members::remove)
        .look(roles::list)
        .except(&["organization"])
        .look(roles::get)
        .look(role_assignments::list)
        .except(&["team"])
        .look(api_keys::list)
        .except(&["owner_access"])
        .look(api_keys::get)
        .alter(api_keys::create)
        .except(&["service_account", "scopes", "expires_in_seconds"])
        .alter(api_keys::update)
        .except(&["scopes", "expires_in_seconds", "clear"])
        .alter(api_keys::delete)
        .look(usage_limits::list)
        .alter(usage_limits::set)
        .alter(usage_limits::update)
        .alter(usage_limits::delete)
        .look(policies::get)
        .grants(|at, scope| async move { access::grants(&at, &scope).await })
        .health(|at| async move { context::check(&at).await })
        .build()
}
