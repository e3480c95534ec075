//! Groups that have access to projects.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    assignments::Principal,
    page::{Paging, Row},
    reply::{Refusal, Reply},
    request::Ask,
    state::now,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ProjectGroup {
    pub(super) group_id: String,
    pub(super) created_at: i64,
}

impl Openai {
    /// Gives a group access to a project through one of its roles.
    pub(super) fn admit_group(&mut self, project_id: &str, group_id: &str, role_id: &str) {
        self.place(format!("{project_id}/{group_id}"));
        if let Some(project) = self.projects.iter_mut().find(|it| it.id == project_id) {
            project.groups.push(ProjectGroup { group_id: group_id.to_owned(), created_at: now() });
        }
        self.assign(Principal::group(group_id), role_id);
    }

    fn project_group_view(&self, project_id: &str, it: &ProjectGroup) -> Value {
        json!({
            "object": "project.group",
            "project_id": project_id,
            "group_id": it.group_id,
            "group_name": self.group(&it.group_id).map(|it| it.name.as_str()).unwrap_or_default(),
            "group_type": "group",
            "created_at": it.created_at,
        })
    }
}

pub(super) fn list(state: &Openai, ask: &Ask, project_id: &str) -> Reply {
    let paging = Paging::TWENTY.with_limits(20, 0, 100).ordered();
    let query = ask.query(&paging.names())?;
    let rows = state.active_project(project_id)?.groups.iter().map(|it| Row {
        place: state.place_of(&format!("{project_id}/{}", it.group_id)).unwrap_or_default(),
        id: it.group_id.clone(),
        view: state.project_group_view(project_id, it),
    });
    state.page_by_next(&query, paging, rows.collect())
}

pub(super) fn create(state: &mut Openai, ask: &Ask, project_id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        group_id: String,
        role: String,
    }
    let body: Body = ask.body()?;
    let project = state.active_project(project_id)?;
    state.group(&body.group_id)?;
    let role_id = state.role_in(Some(project_id), &body.role)?.id.clone();
    if project.groups.iter().any(|it| it.group_id == body.group_id) {
        return Err(Refusal::bad("group_id", "The group already exists in the project."));
    }
    state.admit_group(project_id, &body.group_id, &role_id);
    let data = json!({ "id": role_id, "principal_id": body.group_id, "principal_type": "group", "resource_id": project_id, "resource_type": "api.project" });
    state.note(ask, "role.assignment.created", Some(project_id), data);
    retrieve(state, ask, project_id, &body.group_id)
}

pub(super) fn retrieve(state: &Openai, ask: &Ask, project_id: &str, group_id: &str) -> Reply {
    let query = ask.query(&["group_type"])?;
    let kind = query.word("group_type", &["group", "tenant_group"])?;
    let found = state.active_project(project_id)?.groups.iter().find(|it| it.group_id == group_id && kind != Some("tenant_group"));
    found.map(|it| state.project_group_view(project_id, it)).ok_or_else(|| Refusal::missing("group in the project", group_id))
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, project_id: &str, group_id: &str) -> Reply {
    let project = state.active_project_mut(project_id)?;
    let before = project.groups.len();
    project.groups.retain(|it| it.group_id != group_id);
    if project.groups.len() == before {
        return Err(Refusal::missing("group in the project", group_id));
    }
    state.unassign_in_project(project_id, |it| it.is_of_group(group_id));
    let data = json!({ "principal_id": group_id, "principal_type": "group", "resource_id": project_id, "resource_type": "api.project" });
    state.note(ask, "role.assignment.deleted", Some(project_id), data);
    Ok(json!({ "object": "project.group.deleted", "deleted": true }))
}
