//! Roles: those that every project has, and a project's own.

use serde_json::{Map, Value, json};

use super::{
    Geai, Handled, Page, Request,
    model::{Project, Role, Seat},
    quirks::Wrapping,
    refusal::Refusal,
    seed::guid,
};

pub(super) const ADMINISTRATOR: &str = "a0000000-0000-4000-8000-000000000001";
pub(super) const MEMBER: &str = "a0000000-0000-4000-8000-000000000002";
pub(super) const ASSISTANTS: &str = "a0000000-0000-4000-8000-000000000003";

/// The role types there are in projects.
pub(super) const TYPES: &[&str] = &["Backend", "Frontend"];

fn role(id: &str, name: &str, kind: &str) -> Role {
    Role { id: id.to_owned(), name: name.to_owned(), external_id: String::new(), kind: kind.to_owned(), origin: "System".to_owned() }
}

/// What members of an organization are.
pub(super) fn of_organization() -> Role {
    role(&guid(0xa0, 4), "Organization member", "Backend")
}

impl Project {
    /// All roles somebody can have here.
    pub(super) fn roles(&self) -> Vec<Role> {
        let mut roles = vec![
            role(ADMINISTRATOR, "Project administrator", "Backend"),
            role(MEMBER, "Project member", "Backend"),
            role(ASSISTANTS, "Access all Project Assistants", "Frontend"),
        ];
        roles.extend(self.own_roles.iter().cloned());
        roles
    }

    /// The ids of roles that are given by name or id.
    pub(super) fn role_ids(&self, given: &[String]) -> Result<Vec<String>, Refusal> {
        let roles = self.roles();
        let find = |it: &String| roles.iter().find(|role| role.id == *it || role.name == *it).map(|role| role.id.clone());
        given.iter().map(|it| find(it).ok_or_else(|| Refusal::new(400, 4001, format!("Role '{it}' not found")))).collect()
    }

    /// The roles of a seat that a page asks for.
    pub(super) fn roles_of(&self, seat: &Seat, page: &Page) -> Vec<Role> {
        self.roles().into_iter().filter(|it| seat.roles.contains(&it.id) && page.wants(&it.kind)).collect()
    }
}

pub(super) fn list(state: &mut Geai, request: &Request<'_>) -> Handled {
    let project = state.named_project(request)?;
    let page = Page::of(request, &["name"], "expected: name", TYPES)?;
    let roles = project.roles().into_iter().filter(|it| page.wants(&it.kind)).map(|it| (it.name.clone(), json!(it))).collect();
    let (head, roles) = page.cut(roles, &state.quirks);
    Ok(state.wrap(head, project, "roles", roles))
}

impl Geai {
    /// What every answer about a project begins with.
    pub(super) fn project_head(&self, project: &Project) -> Map<String, Value> {
        let organization = self.organizations.iter().find(|it| it.id == project.organization).map(|it| &it.name);
        let head = json!({
            "organizationId": project.organization,
            "organizationName": organization,
            "projectDescription": project.description,
            "projectId": project.id,
            "projectName": project.name,
        });
        head.as_object().cloned().unwrap_or_default()
    }

    /// A page of things in a project, wrapped as the quirks say.
    pub(super) fn wrap(&self, mut answer: Map<String, Value>, project: &Project, key: &str, items: Vec<Value>) -> Value {
        if self.quirks.wrapping == Wrapping::Flat {
            answer.insert(key.to_owned(), Value::Array(items));
            return Value::Object(answer);
        }
        let mut inner = self.project_head(project);
        inner.insert(key.to_owned(), Value::Array(items));
        match self.quirks.wrapping {
            Wrapping::Object => answer.insert("project".to_owned(), Value::Object(inner)),
            _ => answer.insert("projects".to_owned(), json!([inner])),
        };
        Value::Object(answer)
    }
}
