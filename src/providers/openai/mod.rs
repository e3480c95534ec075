//! OpenAI's Administration API.

use secrecy::SecretString;

use crate::{
    config::Remote,
    providers::{
        Connection,
        http::{Api, Auth, Heard, Said, Service},
    },
};

/// Where the service is unless the configuration says otherwise.
pub const BASE_URL: &str = "https://api.openai.com/v1";

/// What a connection is told by its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub remote: Remote,
    pub api_key: SecretString,
    pub organization_id: Option<String>,
    pub project_id: Option<String>,
}

/// What this provider can do, on one screen.
pub fn connect(settings: Settings) -> Connection {
    let remote = settings.remote.clone();
    let api = Api::new(Service::of(&remote, Auth::Bearer(settings.api_key.clone()), Vec::new(), explain));
    Connection::to_service(&remote.connection, "openai", api, settings).pinned(remote.pin).build()
}

fn explain(_: &Heard<'_>) -> Option<Said> {
    None
}
