//! Signing in with a username and a password.

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::{
    error::ProviderError,
    providers::http::{Api, SignIn},
    secrets::Credential,
};

/// An account, and the session key it has got.
pub(super) struct Login {
    username: String,
    password: Credential,
    key: Mutex<Option<SecretString>>,
}

#[derive(Deserialize)]
struct WireSession {
    apikey: SecretString,
}

impl Login {
    pub(super) fn new(username: &str, password: &Credential) -> Self {
        Self { username: username.to_owned(), password: password.clone(), key: Mutex::default() }
    }
}

impl SignIn for Login {
    fn token<'a>(&'a self, api: &'a Api, rejected: Option<&'a SecretString>) -> BoxFuture<'a, Result<SecretString, ProviderError>> {
        Box::pin(async move {
            let mut key = self.key.lock().await;
            // Somebody else may have fetched another one while this call was waiting for its turn.
            let works = |it: &&SecretString| rejected.is_none_or(|rejected| rejected.expose_secret() != it.expose_secret());
            if let Some(key) = key.as_ref().filter(works) {
                return Ok(key.clone());
            }
            let body = json!({ "username": self.username, "password": self.password.get().await?.expose_secret() });
            let session: WireSession = api.sign_in("/login").json(body).send().await?;
            *key = Some(session.apikey.clone());
            Ok(session.apikey)
        })
    }
}
