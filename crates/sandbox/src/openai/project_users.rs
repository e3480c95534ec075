//! People in projects.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    projects::Project,
    reply::{Refusal, Reply},
    request::{Ask, Field},
    state::now,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Membership {
    pub(super) user_id: String,
    pub(super) added_at: i64,
}

impl Openai {
    /// The person's role in a project, as far as it is one of the two that memberships know.
    pub(super) fn project_role(&self, project_id: &str, user_id: &str) -> &'static str {
        if self.has_built_in(user_id, Some(project_id), "owner") { "owner" } else { "member" }
    }

    /// Makes the person a member of the project with one of its built-in roles.
    pub(super) fn join(&mut self, project_id: &str, user_id: &str, role: &str) {
        self.place(format!("{project_id}/{user_id}"));
        if let Some(project) = self.projects.iter_mut().find(|it| it.id == project_id) {
            project.members.push(Membership { user_id: user_id.to_owned(), added_at: now() });
        }
        self.swap_built_in(project_id, user_id, role);
    }

    /// An owner of the organization owns its projects.
    pub(super) fn own_all_projects(&mut self, user_id: &str) {
        let active: Vec<(String, bool)> = self
            .projects
            .iter()
            .filter(|it| it.archived_at.is_none())
            .map(|it| (it.id.clone(), it.members.iter().any(|it| it.user_id == user_id)))
            .collect();
        for (id, is_member) in active {
            if is_member {
                self.swap_built_in(&id, user_id, "owner");
            } else {
                self.join(&id, user_id, "owner");
            }
        }
    }

    fn swap_built_in(&mut self, project_id: &str, user_id: &str, role: &str) {
        let former = ["owner", "member"].map(|it| self.built_in_role(Some(project_id), it));
        self.assignments.retain(|it| !(it.is_of_user(user_id) && former.contains(&it.role_id)));
        let role_id = self.built_in_role(Some(project_id), role);
        self.assign_to_user(user_id, &role_id);
    }

    fn membership_view(&self, project_id: &str, membership: &Membership) -> Value {
        let user = self.user(&membership.user_id).ok();
        json!({
            "object": "organization.project.user",
            "id": membership.user_id,
            "name": user.map(|it| &it.name),
            "email": user.map(|it| &it.email),
            "role": self.project_role(project_id, &membership.user_id),
            "added_at": membership.added_at,
        })
    }
}

fn membership<'a>(project: &'a Project, user_id: &str) -> Result<&'a Membership, Refusal> {
    project.members.iter().find(|it| it.user_id == user_id).ok_or_else(|| Refusal::missing("user in the project", user_id))
}

fn known_role(role: &str) -> Result<(), Refusal> {
    if ["owner", "member"].contains(&role) {
        return Ok(());
    }
    Err(Refusal::bad("role", format!("Invalid value: '{role}'. Supported values are: owner, member.")))
}

pub(super) fn list(state: &Openai, ask: &Ask, project_id: &str) -> Reply {
    let paging = Paging::TWENTY;
    let query = ask.query(&paging.names())?;
    let project = state.active_project(project_id)?;
    let scope = format!("{project_id}/");
    let rows = project.members.iter().map(|it| Row {
        place: state.place_of(&format!("{scope}{}", it.user_id)).unwrap_or_default(),
        id: it.user_id.clone(),
        view: state.membership_view(project_id, it),
    });
    state.page_by_id(&query, paging, &scope, rows.collect())
}

pub(super) fn create(state: &mut Openai, ask: &Ask, project_id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        role: String,
        #[serde(default)]
        user_id: Field<String>,
        #[serde(default)]
        email: Field<String>,
    }
    let body: Body = ask.body()?;
    let project = state.active_project(project_id)?;
    known_role(&body.role)?;
    let outsider = |name: &str| Refusal::bad(name, "The user is not a member of the organization.");
    let user = match (body.user_id.value(), body.email.value()) {
        (Some(id), None) => state.user(&id).map_err(|_| outsider("user_id"))?,
        (None, Some(email)) => state.user_by_email(&email).ok_or_else(|| outsider("email"))?,
        _ => return Err(Refusal::bad("user_id", "Exactly one of 'user_id' and 'email' is required.")),
    };
    if membership(project, &user.id).is_ok() {
        return Err(Refusal::bad("user_id", "The user already exists in the project."));
    }
    let id = user.id.clone();
    let role = if state.is_owner(&id) { "owner" } else { &body.role };
    state.join(project_id, &id, role);
    state.note(ask, "user.added", Some(project_id), json!({ "id": id, "data": { "role": role } }));
    retrieve(state, project_id, &id)
}

pub(super) fn retrieve(state: &Openai, project_id: &str, user_id: &str) -> Reply {
    let project = state.active_project(project_id)?;
    Ok(state.membership_view(project_id, membership(project, user_id)?))
}

pub(super) fn update(state: &mut Openai, ask: &Ask, project_id: &str, user_id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        role: Field<String>,
    }
    let body: Body = ask.body()?;
    membership(state.active_project(project_id)?, user_id)?;
    if let Some(role) = body.role.value() {
        known_role(&role)?;
        if state.is_owner(user_id) && role != "owner" {
            return Err(Refusal::bad("user_id", "The project role of an organization owner cannot be changed."));
        }
        state.swap_built_in(project_id, user_id, &role);
        state.note(ask, "user.updated", Some(project_id), json!({ "id": user_id, "changes_requested": { "role": role } }));
    }
    retrieve(state, project_id, user_id)
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, project_id: &str, user_id: &str) -> Reply {
    let project = state.active_project(project_id)?;
    membership(project, user_id)?;
    if project.is_default {
        return Err(Refusal::bad("project_id", "Users cannot be removed from the default project."));
    }
    if state.is_owner(user_id) {
        return Err(Refusal::bad("user_id", "Organization owners cannot be removed from projects."));
    }
    state.active_project_mut(project_id)?.members.retain(|it| it.user_id != user_id);
    state.unassign_in_project(project_id, |it| it.is_of_user(user_id));
    state.note(ask, "user.deleted", Some(project_id), json!({ "id": user_id }));
    Ok(json!({ "object": "organization.project.user.deleted", "id": user_id, "deleted": true }))
}
