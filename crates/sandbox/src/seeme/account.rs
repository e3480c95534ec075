//! Who calls, and what they may do.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Kind, Place, Reply, Seeme, body::Body, permissions::covers, refusal::Refusal};
use crate::{Answer, Call};

/// Somebody with an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub username: String,
    pub email: String,
    pub firstname: String,
    /// The last name.
    pub name: String,
    pub password: String,
    /// What the account may do without any membership.
    pub permissions: Vec<String>,
    pub current_organization_id: Option<String>,
}

/// A key to sign in with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Key {
    pub id: String,
    pub user_id: String,
    pub name: String,
    /// What is sent as bearer.
    pub key: String,
    /// Codes that the key is limited to; none for no limit.
    pub scopes: Vec<String>,
    /// Whether it came from signing in, and ends with signing out.
    pub session: bool,
    pub created_at: String,
}

/// Who a request comes from.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) user_id: String,
    scopes: Vec<String>,
}

/// What a new account may do.
pub(super) const ACCOUNT: [&str; 3] = ["organizations:list", "organizations:create", "permissions:list"];

impl Seeme {
    pub(super) fn caller(&self, call: &Call) -> Result<Caller, Refusal> {
        let bearer = call.bearer().ok_or_else(|| Refusal::unauthenticated("an API key is needed"))?;
        let key = self.keys.iter().find(|it| it.key == bearer).ok_or_else(|| Refusal::unauthenticated("invalid API key"))?;
        Ok(Caller { user_id: key.user_id.clone(), scopes: key.scopes.clone() })
    }

    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|it| it.id == id)
    }

    pub(super) fn user_with(&self, email: &str) -> Option<&User> {
        self.users.iter().find(|it| it.email.eq_ignore_ascii_case(email))
    }

    /// The codes somebody has: of their account, and of their roles here and above, or everywhere.
    fn granted(&self, user_id: &str, at: Option<&Place>) -> Vec<String> {
        let mut codes = self.user(user_id).map(|it| it.permissions.clone()).unwrap_or_default();
        let here = at.map(|it| [Some(it.id.as_str()), it.organization_id.as_deref(), it.team_id.as_deref()]);
        let counts = |place: &str| here.is_none_or(|it| it.contains(&Some(place)));
        let held = self.members.iter().filter(|it| it.user_id.as_deref() == Some(user_id) && counts(&it.place_id));
        for role in held.filter_map(|it| self.role(it.role_id.as_deref()?)) {
            for code in &role.permissions {
                if !codes.contains(code) {
                    codes.push(code.clone());
                }
            }
        }
        codes
    }

    /// Refuses a caller who lacks a permission, by role or by the limits of their key.
    pub(super) fn need(&self, caller: &Caller, at: Option<&Place>, code: &str) -> Result<(), Refusal> {
        let within = |codes: &[String]| codes.iter().any(|it| covers(it, code));
        if !within(&self.granted(&caller.user_id, at)) {
            return Err(Refusal::forbidden(format!("permission `{code}` is missing")));
        }
        if !caller.scopes.is_empty() && !within(&caller.scopes) {
            return Err(Refusal::forbidden(format!("the API key lacks the scope `{code}`")));
        }
        Ok(())
    }

    /// The organizations that somebody is in.
    pub(super) fn organizations_of(&self, caller: &Caller) -> Vec<&Place> {
        let within = |id: &str| self.members.iter().any(|it| it.place_id == id && it.user_id.as_deref() == Some(&caller.user_id));
        self.places.iter().filter(|it| it.kind == Kind::Organization && within(&it.id)).collect()
    }

    /// The organization that a new thing belongs to when none is named.
    pub(super) fn current_organization(&self, caller: &Caller) -> Option<String> {
        self.user(&caller.user_id)?.current_organization_id.clone()
    }

    pub(super) fn context(&self, caller: &Caller) -> Reply {
        let user = self.user(&caller.user_id).ok_or_else(|| Refusal::missing("user"))?;
        let organizations = self.organizations_of(caller);
        let current = organizations.iter().find(|it| Some(&it.id) == user.current_organization_id.as_ref());
        let mine = self.members.iter().filter(|it| it.user_id.as_deref() == Some(&caller.user_id));
        let mut roles: Vec<Value> = Vec::new();
        for role in mine.filter_map(|it| self.role(it.role_id.as_deref()?)) {
            let told = self.role_json(role);
            if !roles.contains(&told) {
                roles.push(told);
            }
        }
        Ok(Answer::ok(&json!({
            "user_id": user.id,
            "organizations": organizations.iter().map(|it| self.place_json(it)).collect::<Vec<_>>(),
            "current_organization_id": current.map(|it| &it.id),
            "current_organization": current.map(|it| self.place_json(it)),
            "roles": roles,
            "permissions": self.granted(&user.id, None),
        })))
    }

    pub(super) fn log_in(&mut self, call: &Call) -> Reply {
        let body = Body::read(call, &["username", "password", "device_token"])?;
        let (username, password) = (body.required("username")?, body.required("password")?);
        let found = self.users.iter().find(|it| it.username == username && it.password == password).cloned();
        let user = found.ok_or_else(|| Refusal::unauthenticated("wrong username or password"))?;
        let key = self.new_key(&user.id, "session", Vec::new(), true);
        Ok(Answer::ok(&account_json(&user, &key.key)))
    }

    pub(super) fn register(&mut self, call: &Call) -> Reply {
        let body = Body::read(call, &["username", "email", "password", "firstname", "name"])?;
        let (username, email) = (body.required("username")?, body.required("email")?);
        if self.users.iter().any(|it| it.username == username) || self.user_with(&email).is_some() {
            return Err(Refusal::conflict("there is such an account already"));
        }
        let user = User {
            id: self.fresh("user"),
            username,
            email,
            firstname: body.text("firstname")?.unwrap_or_default(),
            name: body.text("name")?.unwrap_or_default(),
            password: body.required("password")?,
            permissions: ACCOUNT.map(str::to_owned).into(),
            current_organization_id: None,
        };
        let key = self.new_key(&user.id, "first", Vec::new(), false);
        self.users.push(user.clone());
        Ok(Answer::ok(&account_json(&user, &key.key)))
    }

    pub(super) fn log_out(&mut self, call: &Call) -> Answer {
        let bearer = call.bearer();
        self.keys.retain(|it| !it.session || Some(it.key.as_str()) != bearer);
        self.nothing()
    }

    fn new_key(&mut self, user_id: &str, name: &str, scopes: Vec<String>, session: bool) -> Key {
        let id = self.fresh("key");
        let key = Key {
            key: format!("seeme-test-{id}"),
            id,
            user_id: user_id.to_owned(),
            name: name.to_owned(),
            scopes,
            session,
            created_at: self.now(),
        };
        self.keys.push(key.clone());
        key
    }

    pub(super) fn own_keys(&self, caller: &Caller) -> Answer {
        let own = self.keys.iter().filter(|it| it.user_id == caller.user_id && !it.session);
        self.list(&own.map(|it| key_json(it, None)).collect::<Vec<_>>())
    }

    pub(super) fn make_key(&mut self, caller: &Caller, call: &Call) -> Reply {
        let body = Body::read(call, &["name", "scopes", "organization_id", "expires_in_days"])?;
        let (name, scopes) = (body.required("name")?, body.texts("scopes")?);
        let key = self.new_key(&caller.user_id, &name, scopes, false);
        Ok(Answer::ok(&key_json(&key, Some(&key.key))))
    }

    pub(super) fn delete_key(&mut self, caller: &Caller, id: &str) -> Reply {
        let own = self.keys.iter().position(|it| it.id == id && it.user_id == caller.user_id);
        self.keys.remove(own.ok_or_else(|| Refusal::missing("key"))?);
        Ok(self.nothing())
    }
}

fn account_json(user: &User, key: &str) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "firstname": user.firstname,
        "apikey": key,
    })
}

fn key_json(key: &Key, secret: Option<&str>) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "key_prefix": key.key.chars().take(14).collect::<String>(),
        "key": secret,
        "scopes": key.scopes,
        "disabled": false,
        "created_at": key.created_at,
    })
}
