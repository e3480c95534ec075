//! The PI.EXCHANGE AI & Analytics Engine.
//!
//! Its `Org` class stands before services that are reached over HTTP, too. No reference of the paths is published and none
//! of them could be tried on the live service, so each is a setting; see [`PATHS`].

mod access;
mod explain;
mod fields;
mod joining;
mod members;
mod organizations;
mod paths;
mod people;
mod power;
mod project_members;
mod projects;
mod resolve;
mod roles;
mod sign_in;
mod wire;

use std::collections::BTreeMap;

use crate::{
    providers::{
        Connection,
        http::{self, Api, Auth, Remote, Service},
    },
    secrets::Credential,
};

pub use paths::{PATHS, check_path};

/// One piece of work with the service.
type Session = http::Session<Settings>;

/// What a connection is told by its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub remote: Remote,
    pub identity: Identity,
    /// The service's id for a role such as `OrgViewer`.
    pub role_ids: BTreeMap<String, String>,
    /// Paths in the place of those in [`PATHS`].
    pub paths: BTreeMap<String, String>,
}

/// How the connection shows who it is.
#[derive(Debug, Clone)]
pub enum Identity {
    CustomToken(Credential),
    Email { email: String, password: Credential },
}

impl Settings {
    /// Where a call goes.
    fn path(&self, name: &str) -> &str {
        self.paths.get(name).map_or_else(|| paths::usual(name), String::as_str)
    }
}

/// What this provider can do, on one screen.
pub fn connect(settings: Settings) -> Connection {
    let remote = settings.remote.clone();
    let auth = Auth::SignIn(Box::new(sign_in::SignedIn::new(&settings)));
    let api = Api::new(Service::of(&remote, auth, Vec::new(), explain::explain));
    Connection::to_service(&remote.connection, "engine", api, settings)
        .read(organizations::list)
        .read(organizations::get)
        .change(organizations::create)
        .except(&["slug", "website", "admin_email"])
        .change(organizations::update)
        .except(&["slug", "website"])
        .change(organizations::delete)
        .read(members::list)
        .read(members::get)
        .change(joining::add)
        .change(joining::create_user)
        .change(members::remove)
        .read(projects::list)
        .except(&["team", "include_archived"])
        .read(projects::get)
        .change(projects::create)
        .except(&["admin_email", "usage_limit", "team", "slug", "residency", "external_key_id"])
        .change(projects::update)
        .except(&["slug", "external_key_id"])
        .change(projects::delete)
        .read(project_members::list)
        .except(&["role_types"])
        .read(project_members::get)
        .change(project_members::add)
        .change(project_members::remove)
        .read(roles::list)
        .read(roles::get)
        .read(roles::list_permissions)
        .health(|at| async move { at.orgs().await.map(drop) })
        .grants(|at, scope| async move { access::grants(&at, &scope).await })
        .with_guests()
        .people(|at, _| async move { access::everybody(&at).await })
        .pinned(remote.pin)
        .build()
}
