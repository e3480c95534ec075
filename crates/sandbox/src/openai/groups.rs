//! Groups of people.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    project_users::Membership,
    reply::{Refusal, Reply},
    request::{Ask, text_of},
    state::now,
};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: i64,
    /// An identity provider runs it: here it can only be looked at.
    pub(super) is_scim_managed: bool,
    pub(super) members: Vec<Membership>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameBody {
    name: String,
}

impl Group {
    pub(super) fn has(&self, user_id: &str) -> bool {
        self.members.iter().any(|it| it.user_id == user_id)
    }

    fn view(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "created_at": self.created_at,
            "is_scim_managed": self.is_scim_managed,
            "group_type": "group",
        })
    }
}

impl Openai {
    pub(super) fn group(&self, id: &str) -> Result<&Group, Refusal> {
        self.groups.iter().find(|it| it.id == id).ok_or_else(|| Refusal::missing("group", id))
    }

    /// A group that is run here and not by an identity provider.
    fn own_group_mut(&mut self, id: &str) -> Result<&mut Group, Refusal> {
        let group = self.groups.iter_mut().find(|it| it.id == id).ok_or_else(|| Refusal::missing("group", id))?;
        if group.is_scim_managed {
            return Err(Refusal::denied("The group is managed by SCIM and cannot be changed here."));
        }
        Ok(group)
    }
}

pub(super) fn list(state: &Openai, ask: &Ask) -> Reply {
    let paging = Paging::HUNDRED;
    let query = ask.query(&paging.names())?;
    let row = |it: &Group| Row { place: state.place_of(&it.id).unwrap_or_default(), id: it.id.clone(), view: it.view() };
    state.page_by_next(&query, paging, state.groups.iter().map(row).collect())
}

pub(super) fn create(state: &mut Openai, ask: &Ask) -> Reply {
    let body: NameBody = ask.body()?;
    text_of("name", &body.name, 255)?;
    let group = Group { id: state.new_id("group_"), name: body.name, created_at: now(), ..Group::default() };
    let view = group.view();
    state.note(ask, "group.created", None, json!({ "id": group.id, "data": { "group_name": group.name } }));
    state.groups.push(group);
    Ok(view)
}

pub(super) fn retrieve(state: &Openai, id: &str) -> Reply {
    state.group(id).map(Group::view)
}

pub(super) fn update(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    let body: NameBody = ask.body()?;
    let group = state.own_group_mut(id)?;
    text_of("name", &body.name, 255)?;
    group.name.clone_from(&body.name);
    let view = json!({ "id": id, "name": group.name, "created_at": group.created_at, "is_scim_managed": group.is_scim_managed });
    state.note(ask, "group.updated", None, json!({ "id": id, "changes_requested": { "group_name": body.name } }));
    Ok(view)
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    state.own_group_mut(id)?;
    state.groups.retain(|it| it.id != id);
    state.assignments.retain(|it| !it.is_of_group(id));
    state.projects.iter_mut().for_each(|it| it.groups.retain(|it| it.group_id != id));
    state.note(ask, "group.deleted", None, json!({ "id": id }));
    Ok(json!({ "object": "group.deleted", "id": id, "deleted": true }))
}

pub(super) fn list_users(state: &Openai, ask: &Ask, id: &str) -> Reply {
    let paging = Paging::HUNDRED.newest_first();
    let query = ask.query(&paging.names())?;
    let rows = state.group(id)?.members.iter().filter_map(|it| state.user(&it.user_id).ok()).map(|it| Row {
        place: state.place_of(&format!("{id}/{}", it.id)).unwrap_or_default(),
        id: it.id.clone(),
        view: json!({ "id": it.id, "name": it.name, "email": it.email }),
    });
    state.page_by_next(&query, paging, rows.collect())
}

pub(super) fn add_user(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        user_id: String,
    }
    let body: Body = ask.body()?;
    let is_member = state.own_group_mut(id)?.has(&body.user_id);
    state.user(&body.user_id)?;
    if !is_member {
        state.place(format!("{id}/{}", body.user_id));
        state.own_group_mut(id)?.members.push(Membership { user_id: body.user_id.clone(), added_at: now() });
    }
    Ok(json!({ "object": "group.user", "user_id": body.user_id, "group_id": id }))
}

pub(super) fn retrieve_user(state: &Openai, id: &str, user_id: &str) -> Reply {
    if !state.group(id)?.has(user_id) {
        return Err(Refusal::missing("user in the group", user_id));
    }
    let user = state.user(user_id)?;
    Ok(json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "picture": null,
        "is_service_account": false,
        "user_type": "user",
    }))
}

pub(super) fn remove_user(state: &mut Openai, id: &str, user_id: &str) -> Reply {
    let group = state.own_group_mut(id)?;
    if !group.has(user_id) {
        return Err(Refusal::missing("user in the group", user_id));
    }
    group.members.retain(|it| it.user_id != user_id);
    Ok(json!({ "object": "group.user.deleted", "deleted": true }))
}
