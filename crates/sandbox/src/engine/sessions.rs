//! Signing in, and the tokens that come of it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Call, Engine, Refusal, wire::Fields};

/// Somebody who has signed in.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Session {
    account: String,
    token: String,
    refresh_token: String,
    uses: u32,
    expired: bool,
}

impl Engine {
    /// Ends all tokens; they can still be refreshed.
    pub fn expire_tokens(&mut self) {
        for session in &mut self.sessions {
            session.expired = true;
        }
    }

    /// Ends all tokens and makes them unfit to be refreshed.
    pub fn end_sessions(&mut self) {
        self.sessions.clear();
    }

    pub(super) fn sign_in_with_token(&mut self, call: &Call) -> Result<Value, Refusal> {
        let fields = Fields::read(call, &["token"])?;
        let token = fields.required("token")?;
        let account = self.accounts.iter().find(|it| it.custom_token.as_deref() == Some(token)).map(|it| it.id.clone());
        // Some services repeat what they refuse; clients must not pass that on.
        let refusal = || Refusal::unauthenticated("INVALID_CUSTOM_TOKEN", &format!("custom token {token} is not valid"));
        let account = account.ok_or_else(refusal)?;
        Ok(self.session(account))
    }

    pub(super) fn sign_in_with_email(&mut self, call: &Call) -> Result<Value, Refusal> {
        let fields = Fields::read(call, &["email", "password"])?;
        let (email, password) = (fields.required("email")?.to_lowercase(), fields.required("password")?);
        let account = self.accounts.iter().find(|it| it.email.to_lowercase() == email && it.password == password);
        let account = account.ok_or_else(|| Refusal::unauthenticated("INVALID_CREDENTIALS", "email or password is wrong"))?.id.clone();
        Ok(self.session(account))
    }

    /// Both tokens are replaced: the old ones are of no use any more.
    pub(super) fn refresh(&mut self, call: &Call) -> Result<Value, Refusal> {
        let fields = Fields::read(call, &["refresh_token"])?;
        let refresh_token = fields.required("refresh_token")?;
        let at = self.sessions.iter().position(|it| it.refresh_token == refresh_token);
        let at = at.ok_or_else(|| Refusal::unauthenticated("INVALID_REFRESH_TOKEN", "the refresh token is not valid"))?;
        let session = self.sessions.remove(at);
        Ok(self.session(session.account))
    }

    fn session(&mut self, account: String) -> Value {
        let number = self.next();
        let token = format!("engine-test-token-{number}");
        let refresh_token = format!("engine-test-refresh-{number}");
        let reply = json!({ "token": token, "refresh_token": refresh_token, "expires_in": self.quirks.expires_in.to_string() });
        self.sessions.push(Session { account, token, refresh_token, uses: 0, expired: false });
        reply
    }

    /// The account that a call is made by.
    pub(super) fn caller(&mut self, call: &Call) -> Result<String, Refusal> {
        let missing = || Refusal::unauthenticated("MISSING_TOKEN", "a token is required");
        let token = call.bearer().ok_or_else(missing)?;
        let unknown = || Refusal::unauthenticated("INVALID_TOKEN", "the token is not valid");
        let session = self.sessions.iter_mut().find(|it| it.token == token).ok_or_else(unknown)?;
        if session.expired || self.quirks.token_uses.is_some_and(|it| session.uses >= it) {
            return Err(Refusal::unauthenticated("TOKEN_EXPIRED", "the token has expired"));
        }
        session.uses += 1;
        Ok(session.account.clone())
    }
}
