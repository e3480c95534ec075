//! Assistants of a project, and what was asked of them.

use serde_json::{Value, json};

use super::{
    Geai, Handled, Request,
    model::{Assistant, Export, Project},
    refusal::Refusal,
    request::Caller,
};

pub(super) fn list(state: &mut Geai, request: &Request<'_>) -> Handled {
    let full = match request.param("detail").unwrap_or("summary") {
        "summary" => false,
        "full" => true,
        _ => return Err(Refusal::out_of_range("detail")),
    };
    let project = of_call(state, request)?;
    let assistants: Vec<Value> = project.assistants.iter().map(|it| item(it, full)).collect();
    Ok(json!({ "assistants": assistants, "projectId": project.id, "projectName": project.name }))
}

/// The project of the token, or the one that `ProjectId` names; an organization's token shows its first.
fn of_call<'a>(state: &'a Geai, request: &Request<'_>) -> Result<&'a Project, Refusal> {
    let organization = request.caller.organization();
    let id = match &request.caller {
        Caller::Project { project, .. } | Caller::Person { project, .. } => Some(project.as_str()),
        _ => request.call.header("projectid"),
    };
    let project = state.projects.iter().find(|it| it.organization == organization && id.is_none_or(|id| it.id == id));
    project.ok_or_else(Refusal::not_found)
}

fn item(assistant: &Assistant, full: bool) -> Value {
    let Assistant { id, name, prompt } = assistant;
    if !full {
        return json!({ "assistantId": id, "assistantName": name });
    }
    json!({
        "assistantId": id,
        "assistantName": name,
        "intents": [{
            "assistantIntentDefaultRevision": 1,
            "assistantIntentDescription": "",
            "assistantIntentId": id,
            "assistantIntentName": "Default",
            "revisions": [{
                "metadata": [{ "key": "temperature", "type": "Decimal", "value": "0.1" }],
                "modelId": "sandbox-model",
                "modelName": "sandbox-model",
                "prompt": prompt,
                "providerName": "sandbox",
                "revisionDescription": "First",
                "revisionId": 1,
                "revisionName": "1",
                "timestamp": "2026-05-04T09:00:00",
            }],
        }],
    })
}

pub(super) fn plugins(state: &mut Geai, request: &Request<'_>) -> Handled {
    let organization = request.caller.organization();
    if request.param("organization").is_some_and(|it| it != organization) {
        return Err(Refusal::mismatch());
    }
    let wanted = match &request.caller {
        Caller::Project { project, .. } => Some(project.as_str()),
        _ => request.param("project"),
    };
    if wanted.is_some_and(|it| state.reached_project(request, it).is_none()) {
        return Err(Refusal::mismatch());
    }
    let projects = state.projects.iter().filter(|it| it.organization == organization && wanted.is_none_or(|id| it.id == id));
    let plugins: Vec<Value> = projects.flat_map(|it| &it.assistants).map(|it| json!({ "id": it.id, "name": it.name })).collect();
    Ok(json!({ "plugins": plugins }))
}

/// `GET /v1/organization/request/export`: a count of 0 is all of them.
pub(super) fn export(state: &mut Geai, request: &Request<'_>) -> Handled {
    let number = |name: &str| match request.param(name) {
        None => Ok(0),
        Some(text) => text.parse::<usize>().map_err(|_| Refusal::out_of_range(name)),
    };
    let (skip, count) = (number("skip")?, number("count")?);
    let (assistant, status) = (request.param("assistantName"), request.param("status"));
    if status.is_some_and(|it| !["succeeded", "failed", "pending"].contains(&it)) {
        return Err(Refusal::out_of_range("status"));
    }
    let fits = |it: &&Export| {
        it.organization == request.caller.organization()
            && assistant.is_none_or(|name| it.assistant == name)
            && status.is_none_or(|status| it.status == status)
    };
    let exports = state.exports.iter().filter(fits).skip(skip).take(if count == 0 { usize::MAX } else { count });
    let items: Vec<Value> = exports
        .map(|it| {
            json!({
                "apiToken": "geai-…",
                "assistant": it.assistant,
                "cost": it.cost,
                "elapsedTimeMs": 840,
                "endTimestamp": it.timestamp,
                "module": "Assistant",
                "output": "As the manual says.",
                "prompt": it.prompt,
                "sessionId": it.timestamp,
                "startTimestamp": it.timestamp,
                "status": it.status,
                "timestamp": it.timestamp,
            })
        })
        .collect();
    Ok(json!({ "items": items }))
}
