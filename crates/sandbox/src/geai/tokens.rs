//! API tokens of projects.

use serde_json::{Map, Value, json};

use super::{
    Geai, Handled, Request,
    model::Token,
    now,
    quirks::TokenUpdate,
    refusal::Refusal,
    request::{optional, text},
};

/// How long names and descriptions may be.
const LENGTH: usize = 200;

/// `GET /v1/organization/project/{id}/tokens`.
pub(super) fn list(state: &mut Geai, request: &Request<'_>) -> Handled {
    let project = state.reached_project(request, request.path(0));
    let project = project.ok_or_else(|| Refusal::new(403, 2006, "Project not in Organization"))?;
    Ok(json!({ "tokens": state.tokens_of(&project.id) }))
}

pub(super) fn create(state: &mut Geai, request: &Request<'_>) -> Handled {
    let project = request.call.header("project-id").filter(|it| !it.is_empty()).ok_or_else(|| Refusal::missing("project-id"))?;
    let project = state.reached_project(request, project).ok_or_else(Refusal::forbidden)?.clone();
    let body = request.object()?;
    let name = text(&body, "name", "Name")?;
    let description = cut(&text(&body, "description", "Description")?);
    if name.chars().count() > LENGTH {
        return Err(Refusal::not_found());
    }
    if state.tokens.iter().any(|it| it.project.as_ref() == Some(&project.id) && it.name == name) {
        return Err(Refusal::new(409, 409, format!("Token ‘{name}’ already exists")));
    }
    let id = format!("geai-test-project-{}", state.fresh_id());
    let token = Token {
        id,
        organization: project.organization,
        project: Some(project.id),
        name,
        description,
        status: "Active".to_owned(),
        timestamp: now(),
    };
    let mut answer = state.detail(&token);
    answer.insert("messages".to_owned(), done("Created"));
    answer.insert("errors".to_owned(), json!([]));
    state.tokens.push(token);
    Ok(Value::Object(answer))
}

pub(super) fn get(state: &mut Geai, request: &Request<'_>) -> Handled {
    let at = state.at(request)?;
    state.tokens.get(at).map(|it| Value::Object(state.detail(it))).ok_or_else(Refusal::not_found)
}

pub(super) fn update(state: &mut Geai, request: &Request<'_>) -> Handled {
    let at = state.at(request)?;
    let body = request.object()?;
    let description = optional(&body, "description")?;
    let status = optional(&body, "status")?;
    let status = match status.as_deref().map(str::to_lowercase).as_deref() {
        None => None,
        Some("active") => Some("Active"),
        Some("blocked") => Some("Blocked"),
        Some(_) => {
            return Err(Refusal::new(400, 2032, format!("Cannot update: [ {} ] is not a valid status", status.unwrap_or_default())));
        }
    };
    let token = state.tokens.get_mut(at).ok_or_else(Refusal::not_found)?;
    if let Some(description) = description {
        token.description = cut(&description);
    }
    if let Some(status) = status {
        status.clone_into(&mut token.status);
    }
    let token = token.clone();
    Ok(match state.quirks.token_update {
        TokenUpdate::Token => Value::Object(state.detail(&token)),
        TokenUpdate::Messages => json!({ "messages": done("Updated") }),
    })
}

pub(super) fn delete(state: &mut Geai, request: &Request<'_>) -> Handled {
    let at = state.at(request)?;
    state.tokens.remove(at);
    Ok(json!({ "messages": done("Revoked"), "errors": [] }))
}

fn done(what: &str) -> Value {
    json!([{ "id": 0, "description": what, "type": "Success" }])
}

fn cut(text: &str) -> String {
    text.chars().take(LENGTH).collect()
}

impl Geai {
    /// A project's tokens, as lists show them: with the secret.
    pub(super) fn tokens_of(&self, project: &str) -> Vec<Value> {
        self.tokens.iter().filter(|it| it.project.as_deref() == Some(project)).map(|it| json!(it.listed())).collect()
    }

    /// Where the token is that a path names.
    fn at(&self, request: &Request<'_>) -> Result<usize, Refusal> {
        let (id, organization) = (request.path(0), request.caller.organization());
        let at = self.tokens.iter().position(|it| it.id == id && it.organization == organization && it.project.is_some());
        at.ok_or_else(Refusal::not_found)
    }

    fn detail(&self, token: &Token) -> Map<String, Value> {
        let organization = self.organizations.iter().find(|it| it.id == token.organization).map(|it| &it.name);
        let project = self.projects.iter().find(|it| Some(&it.id) == token.project.as_ref()).map(|it| &it.name);
        let mut detail = token.listed();
        detail.insert("scope".to_owned(), json!(token.scope()));
        detail.insert("organization".to_owned(), json!(organization));
        detail.insert("project".to_owned(), json!(project));
        detail
    }
}

impl Token {
    pub(super) fn scope(&self) -> &'static str {
        if self.project.is_some() { "Pia.Data.Project" } else { "Pia.Data.Organization" }
    }

    fn listed(&self) -> Map<String, Value> {
        let Self { id, name, description, status, timestamp, .. } = self;
        let listed = json!({ "description": description, "id": id, "name": name, "status": status, "timestamp": timestamp });
        listed.as_object().cloned().unwrap_or_default()
    }
}
