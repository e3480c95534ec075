//! Keys that open the administration.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    reply::{Refusal, Reply},
    request::{Ask, given, lifetime, text_of},
    state::now,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AdminKey {
    pub(super) id: String,
    pub(super) name: String,
    /// Kept, since whoever has it is let in.
    pub(super) value: String,
    pub(super) created_at: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) owner_id: String,
    /// Empty: all of them.
    pub(super) scopes: Vec<String>,
}

impl AdminKey {
    pub(super) fn opens(&self, token: &str) -> bool {
        self.value == token && self.expires_at.is_none_or(|it| it > now())
    }

    pub(super) fn allows(&self, scope: &str) -> bool {
        self.scopes.is_empty() || self.scopes.iter().any(|it| it == scope)
    }
}

impl Openai {
    fn admin_key_view(&self, key: &AdminKey) -> Value {
        let owner = self.user(&key.owner_id).ok();
        let tail = &key.value[key.value.len().saturating_sub(4)..];
        json!({
            "object": "organization.admin_api_key",
            "id": key.id,
            "name": key.name,
            "redacted_value": format!("sk-admin-***{tail}"),
            "created_at": key.created_at,
            "last_used_at": null,
            "expires_at": key.expires_at,
            "owner": {
                "type": "user",
                "object": "organization.user",
                "id": key.owner_id,
                "name": owner.map(|it| &it.name),
                "created_at": owner.map(|it| it.added_at),
                "role": "owner",
            },
        })
    }

    fn admin_key(&self, id: &str) -> Result<&AdminKey, Refusal> {
        self.admin_keys.iter().find(|it| it.id == id).ok_or_else(|| Refusal::missing("admin API key", id))
    }
}

pub(super) fn list(state: &Openai, ask: &Ask) -> Reply {
    let paging = Paging::TWENTY.ordered();
    let query = ask.query(&paging.names())?;
    let row = |it: &AdminKey| Row { place: state.place_of(&it.id).unwrap_or_default(), id: it.id.clone(), view: state.admin_key_view(it) };
    state.page_by_id(&query, paging, "", state.admin_keys.iter().map(row).collect())
}

pub(super) fn create(state: &mut Openai, ask: &Ask) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        #[serde(default, deserialize_with = "given")]
        expires_in_seconds: Option<i64>,
    }
    let body: Body = ask.body()?;
    text_of("name", &body.name, 255)?;
    let expires_at = body.expires_in_seconds.map(lifetime).transpose()?.map(|it| now() + it);
    let id = state.new_id("key_");
    let value = format!("sk-admin-test-{}", id.trim_start_matches("key_"));
    let owner_id = ask.caller.user_id.clone();
    let key = AdminKey { id, name: body.name, value, created_at: now(), expires_at, owner_id, scopes: Vec::new() };
    let mut view = state.admin_key_view(&key);
    view["value"] = key.value.as_str().into();
    state.note(ask, "api_key.created", None, json!({ "id": key.id, "data": { "scopes": [] } }));
    state.admin_keys.push(key);
    Ok(view)
}

pub(super) fn retrieve(state: &Openai, id: &str) -> Reply {
    Ok(state.admin_key_view(state.admin_key(id)?))
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    state.admin_key(id)?;
    state.admin_keys.retain(|it| it.id != id);
    state.note(ask, "api_key.deleted", None, json!({ "id": id }));
    Ok(json!({ "object": "organization.admin_api_key.deleted", "id": id, "deleted": true }))
}
