//! SeeMe.ai.

use secrecy::SecretString;

use crate::{
    config::Remote,
    providers::{
        Connection,
        http::{Api, Auth, Heard, Said, Service},
    },
};

/// Where the service is unless the configuration says otherwise.
pub const BASE_URL: &str = "https://api.seeme.ai/api/v1";

/// What a connection is told by its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub remote: Remote,
    pub account: Account,
}

/// How the connection shows who it is.
#[derive(Debug, Clone)]
pub enum Account {
    Key(SecretString),
    Login { username: String, password: SecretString },
}

/// What this provider can do, on one screen.
pub fn connect(settings: Settings) -> Connection {
    let remote = settings.remote.clone();
    let auth = match &settings.account {
        Account::Key(key) | Account::Login { password: key, .. } => Auth::Bearer(key.clone()),
    };
    let api = Api::new(Service::of(&remote, auth, Vec::new(), explain));
    Connection::to_service(&remote.connection, "seeme", api, settings).pinned(remote.pin).build()
}

fn explain(_: &Heard<'_>) -> Option<Said> {
    None
}
