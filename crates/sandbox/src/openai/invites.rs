//! Invitations to the organization.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    reply::{Refusal, Reply},
    request::{Ask, given},
    state::now,
};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Invite {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) created_at: i64,
    pub(super) expires_at: i64,
    pub(super) accepted_at: Option<i64>,
    pub(super) projects: Vec<InviteProject>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InviteProject {
    pub(super) id: String,
    pub(super) role: String,
}

/// How long an invitation can be accepted.
pub(super) const SECONDS: i64 = 7 * 24 * 60 * 60;

impl Invite {
    fn status(&self) -> &'static str {
        match self.accepted_at {
            Some(_) => "accepted",
            None if self.expires_at <= now() => "expired",
            None => "pending",
        }
    }

    fn view(&self) -> Value {
        json!({
            "object": "organization.invite",
            "id": self.id,
            "email": self.email,
            "role": self.role,
            "status": self.status(),
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "accepted_at": self.accepted_at,
            "projects": self.projects,
        })
    }
}

impl Openai {
    fn invite(&self, id: &str) -> Result<&Invite, Refusal> {
        self.invites.iter().find(|it| it.id == id).ok_or_else(|| Refusal::missing("invite", id))
    }
}

pub(super) fn list(state: &Openai, ask: &Ask) -> Reply {
    let paging = Paging::TWENTY;
    let query = ask.query(&paging.names())?;
    let row = |it: &Invite| Row { place: state.place_of(&it.id).unwrap_or_default(), id: it.id.clone(), view: it.view() };
    state.page_by_id(&query, paging, "", state.invites.iter().map(row).collect())
}

pub(super) fn create(state: &mut Openai, ask: &Ask) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        email: String,
        role: String,
        #[serde(default, deserialize_with = "given")]
        projects: Option<Vec<InviteProject>>,
    }
    let body: Body = ask.body()?;
    if !body.email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
        return Err(Refusal::bad("email", "Invalid 'email'."));
    }
    if !["reader", "owner"].contains(&body.role.as_str()) {
        return Err(Refusal::bad("role", format!("Invalid value: '{}'. Supported values are: reader, owner.", body.role)));
    }
    if state.user_by_email(&body.email).is_some() {
        return Err(Refusal::bad("email", "The user is already a member of the organization."));
    }
    // Nothing said about projects is the old way: the default one.
    let default = || state.projects.iter().filter(|it| it.is_default);
    let projects =
        body.projects.unwrap_or_else(|| default().map(|it| InviteProject { id: it.id.clone(), role: "member".to_owned() }).collect());
    for it in &projects {
        state.active_project(&it.id).map_err(|_| Refusal::bad("projects", format!("There is no active project '{}'.", it.id)))?;
        if !["owner", "member"].contains(&it.role.as_str()) {
            return Err(Refusal::bad("projects", format!("Invalid value: '{}'. Supported values are: owner, member.", it.role)));
        }
    }
    let created_at = now();
    let invite = Invite {
        id: state.new_id("invite-"),
        email: body.email,
        role: body.role,
        created_at,
        expires_at: created_at + SECONDS,
        accepted_at: None,
        projects,
    };
    let view = invite.view();
    state.note(ask, "invite.sent", None, json!({ "id": invite.id, "data": { "email": invite.email, "role": invite.role } }));
    state.invites.push(invite);
    Ok(view)
}

pub(super) fn retrieve(state: &Openai, id: &str) -> Reply {
    state.invite(id).map(Invite::view)
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    if state.invite(id)?.accepted_at.is_some() {
        return Err(Refusal::bad("invite_id", "An invite that was accepted cannot be deleted."));
    }
    state.invites.retain(|it| it.id != id);
    state.note(ask, "invite.deleted", None, json!({ "id": id }));
    Ok(json!({ "object": "organization.invite.deleted", "id": id, "deleted": true }))
}
