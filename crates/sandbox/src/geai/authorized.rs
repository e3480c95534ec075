//! What a token reaches, and what a person who is named by a token in the URL does.

use serde_json::{Value, json};

use super::{Geai, Handled, Request, model::Project, refusal::Refusal, request::Caller};

/// `GET /v1/accessControl/apitoken/validate`.
pub(super) fn validate(state: &mut Geai, request: &Request<'_>) -> Handled {
    let organization = state.organization(request.caller.organization())?;
    let mut answer = json!({
        "organizationId": organization.id,
        "organizationName": organization.name,
        "scope": "Pia.Data.Organization",
    });
    if let Caller::Project { project, .. } | Caller::Person { project, .. } = &request.caller
        && let Some(project) = state.projects.iter().find(|it| it.id == *project)
        && let Some(object) = answer.as_object_mut()
    {
        object.insert("scope".to_owned(), json!("Pia.Data.Project"));
        object.insert("projectId".to_owned(), json!(project.id));
        object.insert("projectName".to_owned(), json!(project.name));
    }
    Ok(answer)
}

#[expect(clippy::unnecessary_wraps, reason = "a handler like all others")]
pub(super) fn organizations(state: &mut Geai, request: &Request<'_>) -> Handled {
    let reached = state.organizations.iter().filter(|it| match &request.caller {
        Caller::Person { person, .. } => it.members.contains(person),
        caller => it.id == caller.organization(),
    });
    let reached: Vec<Value> = reached.map(|it| json!({ "organizationId": it.id, "organizationName": it.name })).collect();
    Ok(json!({ "organizations": reached }))
}

pub(super) fn projects(state: &mut Geai, request: &Request<'_>) -> Handled {
    let named = request.param("organization").ok_or_else(|| Refusal::missing("organization"))?;
    let organization = state.organizations.iter().find(|it| it.id == named || it.name == named).ok_or_else(Refusal::forbidden)?;
    let reached = |it: &&Project| {
        it.organization == organization.id
            && match &request.caller {
                Caller::Nobody => false,
                Caller::Organization(own) => *own == organization.id,
                Caller::Project { project, .. } => *project == it.id,
                Caller::Person { person, .. } => it.seats.iter().any(|it| it.person == *person),
            }
    };
    let reached: Vec<Value> =
        state.projects.iter().filter(reached).map(|it| json!({ "projectId": it.id, "projectName": it.name })).collect();
    Ok(json!({ "projects": reached }))
}

/// `{}` says that the person sees the project.
pub(super) fn visibility(state: &mut Geai, request: &Request<'_>) -> Handled {
    visible(state, request).map(|_| json!({}))
}

pub(super) fn token(state: &mut Geai, request: &Request<'_>) -> Handled {
    let project = visible(state, request)?;
    let token = state.tokens.iter().find(|it| it.project.as_ref() == Some(&project.id) && it.status == "Active");
    token.map(|it| json!({ "apiToken": it.id })).ok_or_else(|| Refusal::new(401, 6, "No active API token found for the project"))
}

fn visible<'a>(state: &'a Geai, request: &Request<'_>) -> Result<&'a Project, Refusal> {
    let given = |name: &str| request.param(name).ok_or_else(|| Refusal::missing(name));
    let (organization, project, token) = (given("organization")?, given("project")?, given("accessToken")?);
    let session = state.sessions.iter().find(|it| it.access_token == token).ok_or_else(Refusal::unauthorized)?;
    let project = state.projects.iter().find(|it| it.id == project && it.organization == organization && it.active);
    project.filter(|it| it.seats.iter().any(|it| it.person == session.person)).ok_or_else(Refusal::forbidden)
}
