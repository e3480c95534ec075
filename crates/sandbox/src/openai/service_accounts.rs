//! Accounts of programs, and the keys they get.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    api_keys::{ApiKey, Owner},
    page::{Paging, Row},
    projects::Project,
    reply::{Refusal, Reply},
    request::{Ask, Field, given, lifetime, text_of},
    state::now,
};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct ServiceAccount {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) created_at: i64,
    /// How many more reads do not find it.
    pub(super) hidden: u32,
}

impl ServiceAccount {
    fn view(&self) -> Value {
        json!({
            "object": "organization.project.service_account",
            "id": self.id,
            "name": self.name,
            "role": self.role,
            "created_at": self.created_at,
        })
    }
}

impl Openai {
    fn service_account_mut(&mut self, project_id: &str, id: &str) -> Result<&mut ServiceAccount, Refusal> {
        let project = self.active_project_mut(project_id)?;
        project.service_accounts.iter_mut().find(|it| it.id == id).ok_or_else(|| Refusal::missing("service account", id))
    }

    /// When a new key ends, as far as the organization's policy lets it.
    fn end_of_key(&self, seconds: Option<i64>) -> Result<Option<i64>, Refusal> {
        let seconds = seconds.map(lifetime).transpose()?;
        match (self.quirks.longest_key_life, seconds) {
            (Some(_), None) => Err(Refusal::bad("expires_in_seconds", "The organization's policy requires an expiration.")),
            (Some(most), Some(asked)) if asked > most => {
                Err(Refusal::bad("expires_in_seconds", format!("The organization's policy allows at most {most} seconds.")))
            }
            _ => Ok(seconds.map(|it| now() + it)),
        }
    }

    /// Makes a key and answers with it; its value is in this answer and nowhere else.
    fn issue_key(&mut self, ask: &Ask, project_id: &str, account: &ServiceAccount, wanted: NewKey) -> Reply {
        let NewKey { name, scopes, expires_at } = wanted;
        let id = self.new_id("key_");
        let tail = id.trim_start_matches("key_").to_owned();
        let created_at = now();
        let answer = json!({
            "object": "organization.project.service_account.api_key",
            "id": id,
            "name": name,
            "value": format!("sk-svcacct-test-{tail}"),
            "created_at": created_at,
            "expires_at": expires_at,
        });
        self.note(ask, "api_key.created", Some(project_id), json!({ "id": id, "data": { "scopes": scopes } }));
        self.active_project_mut(project_id)?.api_keys.push(ApiKey {
            id,
            name,
            redacted_value: format!("sk-svcac***{}", &tail[tail.len() - 3..]),
            created_at,
            last_used_at: None,
            expires_at,
            scopes,
            owner: Owner::ServiceAccount { id: account.id.clone(), name: account.name.clone(), created_at: account.created_at },
        });
        Ok(answer)
    }
}

/// A key to be made.
#[derive(Debug)]
struct NewKey {
    name: String,
    scopes: Vec<String>,
    expires_at: Option<i64>,
}

impl NewKey {
    fn named(name: Option<String>) -> Self {
        Self { name: name.unwrap_or_else(|| "Secret Key".to_owned()), scopes: Vec::new(), expires_at: None }
    }
}

pub(super) fn list(state: &Openai, ask: &Ask, project_id: &str) -> Reply {
    let paging = Paging::TWENTY;
    let query = ask.query(&paging.names())?;
    let project: &Project = state.active_project(project_id)?;
    let row = |it: &ServiceAccount| Row { place: state.place_of(&it.id).unwrap_or_default(), id: it.id.clone(), view: it.view() };
    state.page_by_id(&query, paging, "", project.service_accounts.iter().map(row).collect())
}

pub(super) fn create(state: &mut Openai, ask: &Ask, project_id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        #[serde(default)]
        create_service_account_only: Field<bool>,
        #[serde(default)]
        expires_in_seconds: Field<i64>,
    }
    let body: Body = ask.body()?;
    text_of("name", &body.name, 255)?;
    state.active_project(project_id)?;
    let without_key = body.create_service_account_only.value().unwrap_or_default();
    let seconds = body.expires_in_seconds.value();
    if without_key && seconds.is_some() {
        return Err(Refusal::bad("expires_in_seconds", "Without a key there is nothing that expires."));
    }
    let expires_at = if without_key { None } else { state.end_of_key(seconds)? };
    let role = if without_key { "none" } else { "member" };
    let hidden = state.quirks.late_service_accounts;
    let account = ServiceAccount { id: state.new_id("svc_acct_"), name: body.name, role: role.to_owned(), created_at: now(), hidden };
    state.active_project_mut(project_id)?.service_accounts.push(account.clone());
    state.note(ask, "service_account.created", Some(project_id), json!({ "id": account.id, "data": { "role": role } }));
    let key =
        if without_key { Value::Null } else { state.issue_key(ask, project_id, &account, NewKey { expires_at, ..NewKey::named(None) })? };
    let mut view = account.view();
    view["api_key"] = key;
    Ok(view)
}

pub(super) fn retrieve(state: &mut Openai, project_id: &str, id: &str) -> Reply {
    let account = state.service_account_mut(project_id, id)?;
    if account.hidden > 0 {
        account.hidden -= 1;
        return Err(Refusal::missing("service account", id));
    }
    Ok(account.view())
}

pub(super) fn update(state: &mut Openai, ask: &Ask, project_id: &str, id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default, deserialize_with = "given")]
        name: Option<String>,
        #[serde(default, deserialize_with = "given")]
        role: Option<String>,
    }
    let body: Body = ask.body()?;
    let account = state.service_account_mut(project_id, id)?;
    if let Some(name) = &body.name {
        text_of("name", name, 255)?;
    }
    if let Some(role) = body.role {
        if !["member", "owner"].contains(&role.as_str()) {
            return Err(Refusal::bad("role", format!("Invalid value: '{role}'. Supported values are: member, owner.")));
        }
        account.role = role;
    }
    if let Some(name) = body.name {
        account.name = name;
    }
    let view = account.view();
    state.note(ask, "service_account.updated", Some(project_id), json!({ "id": id, "changes_requested": { "role": view["role"] } }));
    Ok(view)
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, project_id: &str, id: &str) -> Reply {
    state.service_account_mut(project_id, id)?;
    let project = state.active_project_mut(project_id)?;
    project.service_accounts.retain(|it| it.id != id);
    project.api_keys.retain(|it| !it.owner.is_service_account(id));
    state.note(ask, "service_account.deleted", Some(project_id), json!({ "id": id }));
    Ok(json!({ "object": "organization.project.service_account.deleted", "id": id, "deleted": true }))
}

pub(super) fn create_key(state: &mut Openai, ask: &Ask, project_id: &str, id: &str) -> Reply {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default, deserialize_with = "given")]
        name: Option<String>,
        #[serde(default, deserialize_with = "given")]
        scopes: Option<Vec<String>>,
        #[serde(default)]
        expires_in_seconds: Field<i64>,
    }
    let body: Body = ask.optional_body()?;
    let account = state.service_account_mut(project_id, id)?.clone();
    let expires_at = state.end_of_key(body.expires_in_seconds.value())?;
    let wanted = NewKey { scopes: body.scopes.unwrap_or_default(), expires_at, ..NewKey::named(body.name) };
    text_of("name", &wanted.name, 255)?;
    state.issue_key(ask, project_id, &account, wanted)
}
