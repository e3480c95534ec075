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
        .read(context::current_user)
        .read(memberships::list);
    if system {
        return connection
            .read(organizations::list_all)
            .change(organizations::create)
            .except(&["description", "slug", "website"])
            .change(organizations::delete)
            .health(|at| async move { organizations::check(&at).await })
            .build();
    }
    connection
        .read(organizations::list)
        .read(organization_members::list)
        .read(organization_members::get)
        .read(memberships::list_projects)
        .read(projects::list)
        .except(&["team", "include_archived"])
        .read(projects::get)
        .change(projects::create)
        .except(&["team", "slug", "residency", "external_key_id"])
        .change(projects::update)
        .except(&["slug", "external_key_id"])
        .change(projects::delete)
        .read(project_members::list)
        .read(project_members::get)
        .change(project_members::add)
        .change(project_members::remove)
        .read(roles::list)
        .except(&["organization"])
        .read(roles::get)
        .read(role_assignments::list)
        .except(&["team"])
        .read(api_keys::list)
        .except(&["owner", "unused_since"])
        .read(api_keys::get)
        .change(api_keys::create)
        .except(&["service_account", "scopes", "expires_in_seconds"])
        .change(api_keys::update)
        .except(&["scopes", "expires_in_seconds", "clear"])
        .change(api_keys::delete)
        .read(usage_limits::list)
        .change(usage_limits::set)
        .change(usage_limits::update)
        .change(usage_limits::delete)
        .read(policies::get)
        .grants(|at, scope| async move { access::grants(&at, &scope).await })
        .people(|at, _| async move { access::everybody(&at).await })
        .health(|at| async move { context::check(&at).await })
        .build()
}
