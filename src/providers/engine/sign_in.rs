//! Signing in, and staying signed in: one sign-in or refresh for however many calls wait for it.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::{Identity, Settings, wire::lenient};
use crate::{
    error::{ProviderError, RemoteError},
    providers::http::{Api, SignIn},
    shape::REDACTED,
};

/// A token is renewed this long before it ends, or in the last fifth of its time if that is shorter.
const EARLY: Duration = Duration::from_mins(1);

/// An account, and the token it has at the moment.
pub(super) struct SignedIn {
    identity: Identity,
    /// The paths of the three calls.
    by_token: String,
    by_email: String,
    refresh: String,
    /// Held while a token is fetched: the others wait for it.
    tokens: Mutex<Option<Tokens>>,
}

struct Tokens {
    token: SecretString,
    /// Good for one refresh: the reply has the next one.
    refresh_token: Option<SecretString>,
    renew_at: Option<Instant>,
}

/// POST users:signInWithCustomToken, users:signInWithEmail and users:refreshToken all answer with this.
#[derive(Deserialize)]
struct WireTokens {
    token: SecretString,
    #[serde(default)]
    refresh_token: Option<SecretString>,
    #[serde(default, deserialize_with = "lenient")]
    expires_in: WireSeconds,
}

/// Seconds, which the service writes as a text.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum WireSeconds {
    #[default]
    Unknown,
    Text(String),
    Number(f64),
}

impl SignedIn {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            identity: settings.identity.clone(),
            by_token: settings.path("sign_in_token").to_owned(),
            by_email: settings.path("sign_in_email").to_owned(),
            refresh: settings.path("refresh").to_owned(),
            tokens: Mutex::default(),
        }
    }

    /// A token for the one that ends: by its refresh token, and where that is no longer taken, by signing in again.
    async fn renewed(&self, api: &Api, old: Option<Tokens>) -> Result<Tokens, ProviderError> {
        if let Some(refresh_token) = old.and_then(|it| it.refresh_token) {
            let body = json!({ "refresh_token": refresh_token.expose_secret() });
            match api.sign_in(&self.refresh).json(body).send::<WireTokens>().await {
                Ok(tokens) => return Ok(tokens.into()),
                Err(ProviderError::Remote(error)) if error.status.is_some_and(|it| it != 429) => {}
                Err(error) => return Err(error),
            }
        }
        let (Identity::CustomToken(secret) | Identity::Email { password: secret, .. }) = &self.identity;
        let secret = secret.get().await?.expose_secret();
        let (path, body) = match &self.identity {
            Identity::CustomToken(_) => (&self.by_token, json!({ "token": secret })),
            Identity::Email { email, .. } => (&self.by_email, json!({ "email": email, "password": secret })),
        };
        let tokens = api.sign_in(path).json(body).send::<WireTokens>().await;
        Ok(tokens.map_err(|error| without_secret(error, secret))?.into())
    }
}

/// A service may repeat what it refuses.
fn without_secret(error: ProviderError, secret: &str) -> ProviderError {
    match error {
        ProviderError::Remote(it) if !secret.is_empty() => {
            let message = it.message.replace(secret, REDACTED);
            ProviderError::Remote(Box::new(RemoteError { message, ..*it }))
        }
        other => other,
    }
}

impl SignIn for SignedIn {
    fn token<'a>(&'a self, api: &'a Api, rejected: Option<&'a SecretString>) -> BoxFuture<'a, Result<SecretString, ProviderError>> {
        Box::pin(async move {
            let mut held = self.tokens.lock().await;
            if let Some(tokens) = held.as_ref().filter(|it| it.is_good(rejected, Instant::now())) {
                return Ok(tokens.token.clone());
            }
            // It is taken out first: a refresh whose answer is lost has used the refresh token up.
            let old = held.take();
            let tokens = self.renewed(api, old).await?;
            Ok(held.insert(tokens).token.clone())
        })
    }
}

impl Tokens {
    fn is_good(&self, rejected: Option<&SecretString>, now: Instant) -> bool {
        rejected.is_none_or(|it| it.expose_secret() != self.token.expose_secret()) && self.renew_at.is_none_or(|it| now < it)
    }
}

impl From<WireTokens> for Tokens {
    fn from(it: WireTokens) -> Self {
        let lifetime = match it.expires_in {
            WireSeconds::Unknown => None,
            WireSeconds::Text(text) => text.parse().ok(),
            WireSeconds::Number(seconds) => Some(seconds),
        };
        // Zero is what a gateway writes that was told nothing.
        let lifetime = lifetime.and_then(|it| Duration::try_from_secs_f64(it).ok()).filter(|it| !it.is_zero());
        let renew_at = lifetime.and_then(|it| Instant::now().checked_add(it.saturating_sub(EARLY.min(it / 5))));
        let refresh_token = it.refresh_token.filter(|it| !it.expose_secret().is_empty());
        Self { token: it.token, refresh_token, renew_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a literal is given")]
    fn tokens(reply: serde_json::Value) -> Tokens {
        crate::providers::http::tolerant::<WireTokens>(&reply).expect("tokens").into()
    }

    #[test]
    fn a_token_is_renewed_before_it_ends_and_when_it_is_rejected() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let hour = tokens(json!({ "token": "a", "refresh_token": "b", "expires_in": "3600" }));
        assert!(hour.is_good(None, after(3530)));
        assert!(!hour.is_good(None, after(3550)));
        let minute = tokens(json!({ "token": "a", "refreshToken": "b", "expiresIn": 60 }));
        assert!(minute.is_good(None, after(40)));
        assert!(!minute.is_good(None, after(55)));
        for untold in [json!({ "token": "a" }), json!({ "token": "a", "expires_in": null }), json!({ "token": "a", "expiresIn": "0" })] {
            assert!(tokens(untold).is_good(None, after(1_000_000)));
        }
        assert!(!hour.is_good(Some(&SecretString::from("a")), start));
        assert!(hour.is_good(Some(&SecretString::from("the one before")), start));
    }
}
