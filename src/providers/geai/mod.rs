//! Globant Enterprise AI.

use secrecy::SecretString;

use crate::{
    config::Remote,
    providers::{
        Connection,
        http::{Api, Auth, Heard, Said, Service},
    },
};

/// What a connection is told by its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub remote: Remote,
    pub token: SecretString,
    pub kind: TokenKind,
    pub project_id: Option<String>,
    pub organization_id: Option<String>,
    /// Whether the token is a system administrator's, who can make and delete organizations.
    pub system: bool,
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
    let api = Api::new(Service::of(&remote, Auth::Bearer(settings.token.clone()), Vec::new(), explain));
    Connection::to_service(&remote.connection, "geai", api, settings).pinned(remote.pin).build()
}

fn explain(_: &Heard<'_>) -> Option<Said> {
    None
}
