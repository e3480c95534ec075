//! Projects.

use serde_json::{Value, json};

use super::{
    Geai, Handled, Request, limits,
    model::{Project, Seat},
    refusal::Refusal,
    request::{email, optional, text},
    roles,
};

pub(super) fn list(state: &mut Geai, request: &Request<'_>) -> Handled {
    let full = match request.param("detail").unwrap_or("summary") {
        "summary" => false,
        "full" => true,
        _ => return Err(Refusal::out_of_range("detail")),
    };
    let organization = request.caller.organization();
    let named = request.param("name");
    let projects = state.projects.iter().filter(|it| it.organization == organization && named.is_none_or(|name| it.name == name));
    let projects: Vec<Value> = projects.map(|it| if full { state.whole(it) } else { state.head(it) }).collect();
    Ok(json!({ "projects": projects }))
}

pub(super) fn get(state: &mut Geai, request: &Request<'_>) -> Handled {
    let project = state.reached_project(request, request.path(0)).ok_or_else(unknown)?;
    Ok(state.whole(project))
}

pub(super) fn create(state: &mut Geai, request: &Request<'_>) -> Handled {
    let body = request.object()?;
    let name = text(&body, "name", "Name")?;
    let email = email(&body, "administratorUserEmail")?;
    let description = optional(&body, "description")?.unwrap_or_default();
    let organization = request.caller.organization().to_owned();
    state.usable_name(&organization, &name, None, 2002)?;
    // Clients send a limit of nulls for none.
    let wanted = body.get("usageLimit").and_then(Value::as_object).filter(|it| it.values().any(|it| !it.is_null()));
    let input = wanted.map(|it| limits::read(it, true)).transpose()?;
    let administrator = state.person_with(&email);
    state.join(&organization, &administrator)?;
    let id = state.fresh_id();
    let seats = vec![Seat { person: administrator, roles: vec![roles::ADMINISTRATOR.to_owned()] }];
    state.projects.push(Project {
        id: id.clone(),
        organization: organization.clone(),
        name,
        description,
        active: true,
        status: 0,
        own_roles: Vec::new(),
        seats,
        assistants: Vec::new(),
        search_profiles: Vec::new(),
    });
    if let Some(input) = input {
        state.add_limit(organization, Some(id.clone()), input);
    }
    state.projects.iter().find(|it| it.id == id).map(|it| state.whole(it)).ok_or_else(Refusal::not_found)
}

pub(super) fn update(state: &mut Geai, request: &Request<'_>) -> Handled {
    let id = request.path(0).to_owned();
    state.reached_project(request, &id).ok_or_else(unknown)?;
    let body = request.object()?;
    let name = text(&body, "name", "Name")?;
    // Null leaves it as it is.
    let description = optional(&body, "description")?;
    state.usable_name(request.caller.organization(), &name, Some(&id), 2029)?;
    let project = state.project_mut(&id)?;
    project.name = name;
    project.description = description.unwrap_or_else(|| project.description.clone());
    let project = project.clone();
    Ok(state.whole(&project))
}

pub(super) fn delete(state: &mut Geai, request: &Request<'_>) -> Handled {
    let id = state.reached_project(request, request.path(0)).ok_or_else(unknown)?.id.clone();
    state.forget_project(&id);
    Ok(Value::Null)
}

fn unknown() -> Refusal {
    Refusal::new(404, 2005, "Project not found")
}

impl Geai {
    fn usable_name(&self, organization: &str, name: &str, own: Option<&str>, taken: u32) -> Result<(), Refusal> {
        if !name.chars().all(|it| it.is_alphanumeric() || matches!(it, ' ' | '_' | '-')) {
            return Err(Refusal::new(400, 2000, "Invalid project name"));
        }
        let mut others = self.projects.iter().filter(|it| it.organization == organization && Some(it.id.as_str()) != own);
        if others.any(|it| it.name.eq_ignore_ascii_case(name)) {
            return Err(Refusal::new(409, taken, format!("Project name '{name}' already exists")));
        }
        Ok(())
    }

    pub(super) fn forget_project(&mut self, id: &str) {
        self.projects.retain(|it| it.id != id);
        self.tokens.retain(|it| it.project.as_deref() != Some(id));
        self.limits.retain(|it| it.project.as_deref() != Some(id));
    }

    /// What a list says of a project.
    fn head(&self, project: &Project) -> Value {
        let organization = self.organizations.iter().find(|it| it.id == project.organization);
        json!({
            "organizationId": project.organization,
            "organizationName": organization.map(|it| &it.name),
            "projectActive": project.active,
            "projectDescription": project.description,
            "projectId": project.id,
            "projectName": project.name,
            "projectStatus": project.status,
        })
    }

    fn whole(&self, project: &Project) -> Value {
        let mut whole = self.head(project);
        if let Some(object) = whole.as_object_mut() {
            let profiles: Vec<Value> =
                project.search_profiles.iter().map(|(name, description)| json!({ "name": name, "description": description })).collect();
            object.insert("searchProfiles".to_owned(), json!(profiles));
            object.insert("tokens".to_owned(), json!(self.tokens_of(&project.id)));
            if let Some(limit) = self.active_limit(&project.organization, Some(&project.id)) {
                object.insert("usageLimit".to_owned(), json!(limit));
            }
        }
        whole
    }
}
