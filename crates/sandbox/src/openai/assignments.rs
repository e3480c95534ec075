//! Who has which role: people and groups, in the organization and in projects.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    reply::{Refusal, Reply},
    request::Ask,
    roles::Role,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Principal {
    User(String),
    Group(String),
}

impl Principal {
    pub(super) fn user(id: &str) -> Self {
        Self::User(id.to_owned())
    }

    pub(super) fn group(id: &str) -> Self {
        Self::Group(id.to_owned())
    }

    fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Group(id) => id,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub(super) principal: Principal,
    pub(super) role_id: String,
    place: u64,
}

impl Assignment {
    pub(super) fn is_of_user(&self, id: &str) -> bool {
        matches!(&self.principal, Principal::User(it) if it == id)
    }

    pub(super) fn is_of_group(&self, id: &str) -> bool {
        matches!(&self.principal, Principal::Group(it) if it == id)
    }
}

impl Openai {
    pub(super) fn assign_to_user(&mut self, user_id: &str, role_id: &str) {
        self.assign(Principal::user(user_id), role_id);
    }

    /// Assigns a role; one that is assigned already stays as it is.
    pub(super) fn assign(&mut self, principal: Principal, role_id: &str) {
        if self.direct(&principal, role_id).is_none() {
            let place = self.next_number();
            self.assignments.push(Assignment { principal, role_id: role_id.to_owned(), place });
        }
    }

    fn direct(&self, principal: &Principal, role_id: &str) -> Option<&Assignment> {
        self.assignments.iter().find(|it| it.principal == *principal && it.role_id == role_id)
    }

    pub(super) fn has_built_in(&self, user_id: &str, project_id: Option<&str>, name: &str) -> bool {
        self.direct(&Principal::user(user_id), &self.built_in_role(project_id, name)).is_some()
    }

    /// Ends assignments of a project's roles.
    pub(super) fn unassign_in_project(&mut self, project_id: &str, meant: impl Fn(&Assignment) -> bool) {
        let roles = &self.roles;
        let of_project = |id: &str| roles.iter().any(|it| it.id == id && it.project_id.as_deref() == Some(project_id));
        self.assignments.retain(|it| !(meant(it) && of_project(&it.role_id)));
    }

    /// What a principal has in a scope, each role once, with those it came from where that is a group.
    fn assigned(&self, project_id: Option<&str>, principal: &Principal) -> Vec<(&Role, u64, Vec<&Principal>)> {
        let mut found: Vec<(&Role, u64, Vec<&Principal>)> = Vec::new();
        for it in &self.assignments {
            let inherited = match (principal, &it.principal) {
                (Principal::User(user), Principal::Group(group)) => self.group(group).is_ok_and(|it| it.has(user)),
                _ => false,
            };
            let role = self.roles.iter().find(|role| role.id == it.role_id && role.project_id.as_deref() == project_id);
            let Some(role) = role.filter(|_| inherited || it.principal == *principal) else { continue };
            match found.iter_mut().find(|it| it.0.id == role.id) {
                Some((_, _, sources)) => sources.push(&it.principal),
                None => found.push((role, it.place, vec![&it.principal])),
            }
        }
        found
    }

    fn assigned_view(&self, role: &Role, sources: &[&Principal]) -> Value {
        let inherited = sources.iter().any(|it| matches!(it, Principal::Group(_)));
        let from: Vec<Value> = sources.iter().map(|it| json!({ "principal_id": it.id(), "principal_type": it.word() })).collect();
        let author = role.created_by.as_ref().and_then(|id| self.user(id).ok());
        json!({
            "id": role.id,
            "name": role.name,
            "permissions": role.permissions,
            "resource_type": role.resource_type(),
            "predefined_role": role.predefined,
            "description": role.description,
            "created_at": role.created_at,
            "updated_at": role.updated_at,
            "created_by": role.created_by,
            "created_by_user_obj": author.map(|it| json!({ "id": it.id, "name": it.name })),
            "metadata": {},
            "assignment_sources": inherited.then_some(from),
        })
    }

    /// Whether roles of this scope can be looked up for the principal.
    fn known(&self, project_id: Option<&str>, principal: &Principal) -> Result<(), Refusal> {
        let id = principal.id();
        let project = project_id.map(|it| self.active_project(it)).transpose()?;
        let here = match principal {
            Principal::User(_) => {
                self.user(id)?;
                project.is_none_or(|it| {
                    let through = |group: &str| self.group(group).is_ok_and(|it| it.has(id));
                    it.members.iter().any(|it| it.user_id == id) || it.groups.iter().any(|it| through(&it.group_id))
                })
            }
            Principal::Group(_) => {
                self.group(id)?;
                project.is_none_or(|it| it.groups.iter().any(|it| it.group_id == id))
            }
        };
        let what = format!("{} in the project", principal.word());
        if here { Ok(()) } else { Err(Refusal::missing(&what, id)) }
    }

    fn role_assignment(&self, principal: &Principal, role: &Role) -> Reply {
        let role = role.view();
        Ok(match principal {
            Principal::User(id) => json!({ "object": "user.role", "user": self.user_view(self.user(id)?), "role": role }),
            Principal::Group(id) => {
                let group = self.group(id)?;
                json!({
                    "object": "group.role",
                    "group": { "object": "group", "id": id, "name": group.name, "created_at": group.created_at, "scim_managed": group.is_scim_managed },
                    "role": role,
                })
            }
        })
    }
}

pub(super) fn list(state: &Openai, ask: &Ask, project_id: Option<&str>, principal: &Principal) -> Reply {
    let paging = Paging::THOUSAND;
    let query = ask.query(&paging.names())?;
    state.known(project_id, principal)?;
    let row = |(role, place, sources): (&Role, u64, Vec<&Principal>)| Row {
        place,
        id: role.id.clone(),
        view: state.assigned_view(role, &sources),
    };
    state.page_by_next(&query, paging, state.assigned(project_id, principal).into_iter().map(row).collect())
}

pub(super) fn create(state: &mut Openai, ask: &Ask, project_id: Option<&str>, principal: &Principal) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        role_id: String,
    }
    let body: Body = ask.body()?;
    state.known(project_id, principal)?;
    let role_id = state.role_in(project_id, &body.role_id)?.id.clone();
    if state.direct(principal, &role_id).is_none() {
        state.assign(principal.clone(), &role_id);
        note(state, ask, "role.assignment.created", project_id, principal, &role_id);
    }
    if let Principal::User(id) = principal
        && role_id == state.built_in_role(None, "owner")
    {
        state.own_all_projects(id);
    }
    state.role_assignment(principal, state.role_in(project_id, &role_id)?)
}

pub(super) fn retrieve(state: &Openai, project_id: Option<&str>, principal: &Principal, role_id: &str) -> Reply {
    state.known(project_id, principal)?;
    let role_id = &state.role_in(project_id, role_id)?.id;
    let found = state.assigned(project_id, principal).into_iter().find(|it| it.0.id == *role_id);
    let (role, _, sources) = found.ok_or_else(|| Refusal::missing("role assignment", role_id))?;
    Ok(state.assigned_view(role, &sources))
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, project_id: Option<&str>, principal: &Principal, role_id: &str) -> Reply {
    state.known(project_id, principal)?;
    let role = state.role_in(project_id, role_id)?;
    let (role_id, built_in) = (role.id.clone(), role.predefined);
    if state.direct(principal, &role_id).is_none() {
        return Err(Refusal::missing("role assignment", &role_id));
    }
    if let Principal::User(id) = principal
        && built_in
        && state.is_owner(id)
    {
        let last = project_id.is_none() && state.users.iter().filter(|it| state.is_owner(&it.id)).count() == 1;
        if last && role_id == state.built_in_role(None, "owner") {
            return Err(Refusal::bad("role_id", "The organization needs an owner."));
        }
        if project_id.is_some() {
            return Err(Refusal::bad("user_id", "The project role of an organization owner cannot be changed."));
        }
    }
    state.assignments.retain(|it| !(it.principal == *principal && it.role_id == role_id));
    note(state, ask, "role.assignment.deleted", project_id, principal, &role_id);
    Ok(json!({ "object": format!("{}.role.deleted", principal.word()), "deleted": true }))
}

fn note(state: &mut Openai, ask: &Ask, kind: &str, project_id: Option<&str>, principal: &Principal, role_id: &str) {
    let resource = project_id.map_or_else(|| state.organization_id.clone(), str::to_owned);
    let resource_type = if project_id.is_some() { "api.project" } else { "api.organization" };
    let data = json!({
        "id": role_id,
        "principal_id": principal.id(),
        "principal_type": principal.word(),
        "resource_id": resource,
        "resource_type": resource_type,
    });
    state.note(ask, kind, project_id, data);
}
