//! People of the organization.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    reply::{Refusal, Reply},
    request::{Ask, Field},
};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) added_at: i64,
    pub(super) is_scim_managed: bool,
    pub(super) technical_level: Option<String>,
    pub(super) developer_persona: Option<String>,
}

impl Openai {
    pub(super) fn user(&self, id: &str) -> Result<&User, Refusal> {
        self.users.iter().find(|it| it.id == id).ok_or_else(|| Refusal::missing("user", id))
    }

    pub(super) fn user_by_email(&self, email: &str) -> Option<&User> {
        self.users.iter().find(|it| it.email.eq_ignore_ascii_case(email))
    }

    pub(super) fn is_owner(&self, user_id: &str) -> bool {
        self.has_built_in(user_id, None, "owner")
    }

    /// The person's role in the organization, where it is a built-in one.
    pub(super) fn organization_role(&self, user_id: &str) -> Option<&'static str> {
        ["owner", "reader"].into_iter().find(|it| self.has_built_in(user_id, None, it))
    }

    fn owners(&self) -> usize {
        self.users.iter().filter(|it| self.is_owner(&it.id)).count()
    }

    pub(super) fn user_view(&self, user: &User) -> Value {
        let projects: Vec<Value> = self
            .projects
            .iter()
            .filter(|it| it.members.iter().any(|member| member.user_id == user.id))
            .map(|it| json!({ "id": it.id, "name": it.name, "role": self.project_role(&it.id, &user.id) }))
            .collect();
        json!({
            "object": "organization.user",
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "role": self.organization_role(&user.id),
            "added_at": user.added_at,
            "created": user.added_at,
            "is_default": false,
            "is_service_account": false,
            "is_scim_managed": user.is_scim_managed,
            "api_key_last_used_at": self.last_use(&user.id),
            "technical_level": user.technical_level,
            "developer_persona": user.developer_persona,
            "user": { "object": "user", "id": user.id, "email": user.email, "name": user.name, "picture": null, "enabled": true, "banned": false, "banned_at": null },
            "projects": { "object": "list", "data": projects },
        })
    }

    /// When a key of the person was last used.
    fn last_use(&self, user_id: &str) -> Option<i64> {
        let keys = self.projects.iter().flat_map(|it| &it.api_keys);
        keys.filter(|it| it.owner.is_user(user_id)).filter_map(|it| it.last_used_at).max()
    }
}

pub(super) fn list(state: &Openai, ask: &Ask) -> Reply {
    let paging = Paging::TWENTY;
    let query = ask.query(&[paging.names(), vec!["emails"]].concat())?;
    let emails = query.all("emails");
    let meant = |it: &&User| emails.is_empty() || emails.iter().any(|email| email.eq_ignore_ascii_case(&it.email));
    let row = |it: &User| Row { place: state.place_of(&it.id).unwrap_or_default(), id: it.id.clone(), view: state.user_view(it) };
    let rows = state.users.iter().filter(meant).map(row).collect();
    state.page_by_id(&query, paging, "", rows)
}

pub(super) fn retrieve(state: &Openai, id: &str) -> Reply {
    Ok(state.user_view(state.user(id)?))
}

pub(super) fn update(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        role: Field<String>,
        #[serde(default)]
        role_id: Field<String>,
        #[serde(default)]
        technical_level: Field<String>,
        #[serde(default)]
        developer_persona: Field<String>,
    }
    let body: Body = ask.body()?;
    state.user(id)?;
    let role_id = match (body.role.value(), body.role_id.value()) {
        (Some(_), Some(_)) => return Err(Refusal::bad("role_id", "Only one of 'role' and 'role_id' can be given.")),
        (Some(role), None) if ["owner", "reader"].contains(&role.as_str()) => Some(state.built_in_role(None, &role)),
        (Some(role), None) => return Err(Refusal::bad("role", format!("Invalid value: '{role}'. Supported values are: owner, reader."))),
        (None, Some(id)) => Some(state.role_in(None, &id)?.id.clone()),
        (None, None) => None,
    };
    if let Some(role_id) = &role_id {
        let stays_owner = *role_id == state.built_in_role(None, "owner");
        if state.is_owner(id) && !stays_owner && state.owners() == 1 {
            return Err(Refusal::bad("role", "The organization needs an owner."));
        }
        let of_organization: Vec<String> = state.roles.iter().filter(|it| it.project_id.is_none()).map(|it| it.id.clone()).collect();
        state.assignments.retain(|it| !(it.is_of_user(id) && of_organization.contains(&it.role_id)));
        state.assign_to_user(id, role_id);
        if stays_owner {
            state.own_all_projects(id);
        }
    }
    if let Some(user) = state.users.iter_mut().find(|it| it.id == id) {
        user.technical_level = body.technical_level.replace(user.technical_level.take());
        user.developer_persona = body.developer_persona.replace(user.developer_persona.take());
    }
    let role = state.organization_role(id);
    state.note(ask, "user.updated", None, json!({ "id": id, "changes_requested": { "role": role } }));
    retrieve(state, id)
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    state.user(id)?;
    if state.is_owner(id) && state.owners() == 1 {
        return Err(Refusal::bad("user_id", "The organization needs an owner."));
    }
    state.users.retain(|it| it.id != id);
    state.assignments.retain(|it| !it.is_of_user(id));
    state.projects.iter_mut().for_each(|it| it.members.retain(|it| it.user_id != id));
    state.groups.iter_mut().for_each(|it| it.members.retain(|it| it.user_id != id));
    state.note(ask, "user.deleted", None, json!({ "id": id }));
    Ok(json!({ "object": "organization.user.deleted", "id": id, "deleted": true }))
}
