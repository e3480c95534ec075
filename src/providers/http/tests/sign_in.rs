//! Tokens that have to be fetched, and secrets that must not be told.

use futures_util::future::{BoxFuture, join_all};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use super::*;
use crate::providers::http::SignIn;

/// An account with a password. Whoever comes while a token is being fetched waits for it.
struct Account {
    password: &'static str,
    token: Mutex<Option<SecretString>>,
}

impl SignIn for Account {
    fn token<'a>(&'a self, api: &'a Api, rejected: Option<&'a SecretString>) -> BoxFuture<'a, Result<SecretString, ProviderError>> {
        Box::pin(async move {
            let mut kept = self.token.lock().await;
            let stale = rejected.map(ExposeSecret::expose_secret);
            if let Some(token) = kept.as_ref().filter(|it| Some(it.expose_secret()) != stale) {
                return Ok(token.clone());
            }
            let answer: Value = api.sign_in("/token").json(json!({ "password": self.password })).send().await?;
            let token = secret(answer["token"].as_str().unwrap_or_default());
            *kept = Some(token.clone());
            Ok(token)
        })
    }
}

async fn stand(password: &'static str) -> Stand {
    let account = Account { password, token: Mutex::default() };
    Stand::with(&[], Auth::SignIn(Box::new(account)), super::super::TIMEOUT).await
}

fn sign_ins(stand: &Stand) -> usize {
    stand.sandbox.journal().iter().filter(|it| it.target == "/token").count()
}

#[tokio::test]
async fn a_token_that_has_expired_is_renewed_once_for_all() {
    let stand = stand("right").await;
    assert!(stand.read().await.is_ok());
    assert_eq!((sign_ins(&stand), stand.sandbox.journal()[0].authorized), (1, false));
    stand.sandbox.platform().tokens += 1;
    assert!(join_all((0..8).map(|_| stand.read())).await.iter().all(Result::is_ok));
    assert_eq!(sign_ins(&stand), 2);
    // A change that was turned away at the door was not made.
    stand.sandbox.platform().tokens += 1;
    assert!(stand.write().await.is_ok());
    assert_eq!((sign_ins(&stand), stand.things()), (3, vec!["lamp".to_owned(), "vase".to_owned()]));
}

#[tokio::test]
async fn a_service_that_takes_no_token_is_asked_twice() {
    let stand = stand("right").await;
    stand.sandbox.platform().fixed.insert("things".into(), Answer::json(401, &json!({ "message": "not you" })));
    let error = remote(stand.read().await);
    assert_eq!((error.code, error.message.as_str(), error.status), ("unauthenticated", "not you", Some(401)));
    let things = stand.sandbox.journal().into_iter().filter(|it| it.target == "/things").count();
    assert_eq!((things, sign_ins(&stand)), (2, 2));
}

#[tokio::test]
async fn a_key_is_not_renewed() {
    let stand = Stand::that_says([Answer::json(401, &json!({ "message": "no" }))]).await;
    let error = remote(stand.read().await);
    assert_eq!(error.fix, "the key of connection `shelf` is not accepted: put a valid one in place, see `rolecall doctor`");
    assert_eq!(stand.came_in().len(), 1);
}

#[tokio::test]
async fn what_a_service_repeats_of_our_secrets_is_not_passed_on() {
    let wrong = stand("shelf-test-password").await;
    let error = remote(wrong.read().await);
    assert_eq!((error.code, error.message.as_str()), ("unauthenticated", "[redacted] is wrong"));

    let token = stand("right").await;
    assert!(token.read().await.is_ok());
    token.sandbox.platform().fixed.insert("things".into(), Answer::json(403, &json!({ "message": "shelf-test-token-1 may not" })));
    assert_eq!(remote(token.read().await).message, "[redacted] may not");
    let answer = Answer::json(500, &json!({ "message": "shelf-test-token-1 broke it" }));
    token.sandbox.platform().fixed.insert("things".into(), answer);
    let unanswered = token.write().await.expect_err("an error").to_string();
    assert!(unanswered.contains("[redacted] broke it") && !unanswered.contains("test-token"), "{unanswered}");

    let key = Stand::with(&[], Auth::Bearer(secret("shelf-test-unknown").into()), super::super::TIMEOUT).await;
    assert_eq!(remote(key.read().await).message, "[redacted] is not known");
    let odd = Stand::with(&[], Auth::Bearer(secret("shelf-test\nkey").into()), super::super::TIMEOUT).await;
    let error = odd.read().await.expect_err("an error");
    assert!(!format!("{error:?}").contains("shelf-test"), "{error:?}");
    assert_eq!(odd.came_in(), []);
}
