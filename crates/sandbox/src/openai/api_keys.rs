//! Keys of projects; people make theirs in the dashboard, service accounts get theirs here.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    projects::Project,
    reply::{Refusal, Reply},
    request::{Ask, given, lifetime},
    state::now,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ApiKey {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) redacted_value: String,
    pub(super) created_at: i64,
    pub(super) last_used_at: Option<i64>,
    pub(super) expires_at: Option<i64>,
    pub(super) scopes: Vec<String>,
    pub(super) owner: Owner,
}

/// Whose a key is; kept with it, since a person may leave the organization before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Owner {
    User { id: String, name: String, email: String, created_at: i64 },
    ServiceAccount { id: String, name: String, created_at: i64 },
}

impl Owner {
    pub(super) fn is_user(&self, user_id: &str) -> bool {
        matches!(self, Self::User { id, .. } if id == user_id)
    }

    pub(super) fn is_service_account(&self, account_id: &str) -> bool {
        matches!(self, Self::ServiceAccount { id, .. } if id == account_id)
    }
}

impl Openai {
    /// Whether a key's owner may still use the project: as a member of it, or of a group in it.
    fn has_access(&self, project: &Project, owner: &Owner) -> bool {
        match owner {
            Owner::User { id, .. } => {
                let through = |group: &str| self.group(group).is_ok_and(|it| it.has(id));
                is_visible(project, owner) || project.groups.iter().any(|it| through(&it.group_id))
            }
            Owner::ServiceAccount { .. } => is_visible(project, owner),
        }
    }

    fn key_view(&self, project: &Project, key: &ApiKey) -> Value {
        let owner = match &key.owner {
            Owner::User { id, name, email, created_at } => json!({
                "type": "user",
                "user": { "id": id, "email": email, "name": name, "created_at": created_at, "role": self.project_role(&project.id, id) },
            }),
            Owner::ServiceAccount { id, name, created_at } => {
                let role = project.service_accounts.iter().find(|it| it.id == *id).map_or("none", |it| it.role.as_str());
                json!({ "type": "service_account", "service_account": { "id": id, "name": name, "created_at": created_at, "role": role } })
            }
        };
        json!({
            "object": "organization.project.api_key",
            "id": key.id,
            "name": key.name,
            "redacted_value": key.redacted_value,
            "created_at": key.created_at,
            "last_used_at": key.last_used_at,
            "expires_at": key.expires_at,
            "owner_project_access": if self.has_access(project, &key.owner) { "active" } else { "inactive" },
            "owner": owner,
        })
    }
}

/// Whether a key is listed where nothing is said about its owner: the rule is about membership and not about access.
fn is_visible(project: &Project, owner: &Owner) -> bool {
    match owner {
        Owner::User { id, .. } => project.members.iter().any(|it| it.user_id == *id),
        Owner::ServiceAccount { id, .. } => project.service_accounts.iter().any(|it| it.id == *id),
    }
}

fn find<'a>(project: &'a Project, id: &str) -> Result<&'a ApiKey, Refusal> {
    project.api_keys.iter().find(|it| it.id == id).ok_or_else(|| Refusal::missing("API key", id))
}

pub(super) fn list(state: &Openai, ask: &Ask, project_id: &str) -> Reply {
    let paging = Paging::TWENTY;
    let query = ask.query(&[paging.names(), vec!["owner_project_access"]].concat())?;
    let project = state.active_project(project_id)?;
    let access = query.word("owner_project_access", &["active", "inactive", "any"])?;
    let meant = |it: &&ApiKey| match access {
        None => is_visible(project, &it.owner),
        Some("active") => state.has_access(project, &it.owner),
        Some("inactive") => !state.has_access(project, &it.owner),
        Some(_) => true,
    };
    let row = |it: &ApiKey| Row { place: state.place_of(&it.id).unwrap_or_default(), id: it.id.clone(), view: state.key_view(project, it) };
    state.page_by_id(&query, paging, "", project.api_keys.iter().filter(meant).map(row).collect())
}

pub(super) fn retrieve(state: &Openai, project_id: &str, id: &str) -> Reply {
    let project = state.active_project(project_id)?;
    Ok(state.key_view(project, find(project, id)?))
}

pub(super) fn update(state: &mut Openai, ask: &Ask, project_id: &str, id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default, deserialize_with = "given")]
        expires_in_seconds: Option<i64>,
        #[serde(default, deserialize_with = "given")]
        scopes: Option<Vec<String>>,
    }
    let body: Body = ask.body()?;
    let key = find(state.active_project(project_id)?, id)?;
    if body.expires_in_seconds.is_none() && body.scopes.is_none() {
        return Err(Refusal::bad("", "At least one of 'expires_in_seconds' and 'scopes' is required."));
    }
    if key.expires_at.is_some_and(|it| it <= now()) {
        return Err(Refusal::bad("api_key_id", "The key has expired and cannot be updated."));
    }
    let expires_at = body.expires_in_seconds.map(lifetime).transpose()?.map(|it| now() + it);
    if let Some(key) = state.active_project_mut(project_id)?.api_keys.iter_mut().find(|it| it.id == id) {
        key.expires_at = expires_at.or(key.expires_at);
        key.scopes = body.scopes.clone().unwrap_or_else(|| key.scopes.clone());
    }
    state.note(ask, "api_key.updated", Some(project_id), json!({ "id": id, "changes_requested": { "scopes": body.scopes } }));
    retrieve(state, project_id, id)
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, project_id: &str, id: &str) -> Reply {
    let key = find(state.active_project(project_id)?, id)?;
    if state.quirks.service_account_keys_stay && matches!(key.owner, Owner::ServiceAccount { .. }) {
        return Err(Refusal::bad("api_key_id", "Keys of service accounts cannot be deleted; delete the service account."));
    }
    state.active_project_mut(project_id)?.api_keys.retain(|it| it.id != id);
    state.note(ask, "api_key.deleted", Some(project_id), json!({ "id": id }));
    Ok(json!({ "object": "organization.project.api_key.deleted", "id": id, "deleted": true }))
}
