//! Signing in, and who is signed in.

use percent_encoding::percent_decode_str;
use serde_json::json;

use super::{Call, Geai, Handled, Request, model::Session, refusal::Refusal, request::Caller, seed};

/// An access token for a password, which comes in the query of a GET or in the form of a POST.
pub(super) fn sign_in(state: &mut Geai, request: &Request<'_>) -> Handled {
    let given = if request.call.method == "POST" { form(request.call)? } else { request.call.query.clone() };
    let value = |name: &str| given.iter().find(|it| it.0 == name).map(|it| it.1.as_str()).filter(|it| !it.is_empty());
    let required = |name: &str| value(name).ok_or_else(|| Refusal::missing(name));
    let (client, username, password) = (required("client_id")?, required("username")?, required("password")?);
    let person = state.people.iter().find(|it| it.email == username.to_lowercase() && it.password.as_deref() == Some(password));
    let person = person.filter(|_| client == seed::CLIENT).ok_or_else(|| Refusal::new(401, 101, "Invalid credentials"))?.id.clone();
    let scope = value("scope").unwrap_or("gam_user_data").to_owned();
    let access_token = format!("geai-test-oauth-{}", state.fresh_id());
    state.sessions.push(Session { access_token: access_token.clone(), person: person.clone() });
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": format!("geai-test-refresh-{}", state.fresh_id()),
        "scope": scope,
        "user_guid": person,
    }))
}

pub(super) fn profile(state: &mut Geai, request: &Request<'_>) -> Handled {
    let Caller::Person { person, .. } = &request.caller else { return Err(Refusal::login()) };
    let person = state.person(person).ok_or_else(Refusal::unauthorized)?;
    Ok(json!({ "sub": person.id, "guid": person.id, "username": person.email, "name": person.name, "email": person.email }))
}

fn form(call: &Call) -> Result<Vec<(String, String)>, Refusal> {
    let media_type = call.header("content-type").unwrap_or_default();
    let text = std::str::from_utf8(&call.body).ok().filter(|_| media_type.starts_with("application/x-www-form-urlencoded"));
    let text = text.ok_or_else(|| Refusal::new(415, 415, "Unsupported Media Type"))?;
    let decode = |it: &str| percent_decode_str(&it.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |it: &str| it.split_once('=').map(|(name, value)| (decode(name), decode(value)));
    Ok(text.split('&').filter_map(pair).collect())
}
