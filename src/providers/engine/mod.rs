//! The PI.EXCHANGE AI & Analytics Engine.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::{
    config::Remote,
    providers::{
        Connection,
        http::{Api, Auth, Heard, Said, Service},
    },
};

/// Where each call goes, unless the configuration says otherwise.
pub const PATHS: &[(&str, &str)] = &[("orgs", "/api/v1/orgs")];

/// What a connection is told by its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub remote: Remote,
    pub account: Account,
    /// The service's id for a role such as `OrgViewer`.
    pub role_ids: BTreeMap<String, String>,
    /// Paths in the place of those in [`PATHS`].
    pub paths: BTreeMap<String, String>,
}

/// How the connection shows who it is.
#[derive(Debug, Clone)]
pub enum Account {
    CustomToken(SecretString),
    Email { email: String, password: SecretString },
}

/// What this provider can do, on one screen.
pub fn connect(settings: Settings) -> Connection {
    let remote = settings.remote.clone();
    let auth = match &settings.account {
        Account::CustomToken(key) | Account::Email { password: key, .. } => Auth::Bearer(key.clone()),
    };
    let api = Api::new(Service::of(&remote, auth, Vec::new(), explain));
    Connection::to_service(&remote.connection, "engine", api, settings).pinned(remote.pin).build()
}

fn explain(_: &Heard<'_>) -> Option<Said> {
    None
}
