//! Models, datasets, workflows and graphs that belong to projects.

use serde::Deserialize;
use serde_json::json;

use super::{
    Session,
    people::seats,
    places::{self, Place},
    seats::shown,
    wire::{listed, time},
};
use crate::{
    domain::{
        Counted, Facts, Inverse, List, PageRequest, ProjectRef, ReferenceText as _, ResourceId, ResourceType, Target, Thing, fold,
        projects::Resource,
    },
    error::ProviderError,
    providers::http::{Draft, Sent, cut},
    tools::resources::{AssignProjectResource, ListProjectResources, RemoveProjectResource},
};

/// What can be assigned.
const TYPES: [&str; 4] = ["model", "dataset", "workflow", "graph"];

#[derive(Debug, Clone, Deserialize)]
struct WireResource {
    resource_type: String,
    resource_id: String,
    created_at: Option<String>,
}

impl WireResource {
    fn view(&self, project: &Place) -> Resource {
        Resource {
            resource_type: self.resource_type.clone(),
            resource_id: self.resource_id.clone(),
            project: project.name().to_owned(),
            assigned_at: time(self.created_at.as_ref()),
        }
    }

    fn is(&self, of: &str, id: &str) -> bool {
        self.resource_type == of && self.resource_id == id
    }
}

async fn assigned(at: &Session, project: &Place) -> Result<Vec<WireResource>, ProviderError> {
    listed(project.get(at, "/resources")).await
}

/// What is assigned to a project, as a person says it.
pub(super) async fn names(at: &Session, project: &Place) -> Result<Vec<String>, ProviderError> {
    Ok(assigned(at, project).await?.iter().map(|it| format!("{} {}", it.resource_type, it.resource_id)).collect())
}

pub(super) async fn list(at: &Session, op: &ListProjectResources) -> Result<List<Resource>, ProviderError> {
    let kind = op.resource_type.as_ref().map(kind).transpose()?;
    let project = places::project(at, &op.project).await?;
    let mut found = assigned(at, &project).await?;
    found.retain(|it| kind.is_none_or(|kind| it.resource_type == kind));
    let views = found.iter().map(|it| it.view(&project)).collect();
    cut(views, &PageRequest::of(op.limit, op.cursor.as_ref()), |it| format!("{}\t{}", it.resource_type, it.resource_id))
}

/// Types are words, so their case does not matter; ids are the service's, so it does.
fn kind(named: &ResourceType) -> Result<&'static str, ProviderError> {
    let wanted = fold(named.text());
    TYPES.into_iter().find(|it| *it == wanted).ok_or_else(|| {
        ProviderError::invalid(format!("SeeMe.ai has no resources of type `{named}`"), format!("use one of: {}", TYPES.join(", ")))
    })
}

pub(super) async fn assign(at: &Session, op: &AssignProjectResource) -> Result<Draft<Resource>, ProviderError> {
    let kind = kind(&op.resource_type)?;
    let project = places::project(at, &op.project).await?;
    let id = op.resource_id.text().to_owned();
    if assigned(at, &project).await?.iter().any(|it| it.is(kind, &id)) {
        return Err(ProviderError::conflict(
            "already_assigned",
            format!("resource `{id}` is assigned to this project, `{}` already", project.name()),
            "nothing needs to be done; see list_project_resources",
        ));
    }
    let facts = Facts::none().undo("remove_project_resource");
    let target = target(&project, kind, &id);
    let inverse = Inverse::of(&RemoveProjectResource {
        project: ProjectRef::read(project.id()),
        resource_type: op.resource_type.clone(),
        resource_id: op.resource_id.clone(),
    });
    let (sending, looking) = (at.clone(), at.clone());
    let back = (project.clone(), id.clone(), inverse.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let body = json!({ "resource_type": kind, "resource_id": id });
        let reply = project.post(&sending, "/resources").json(body).send(&permit).await?;
        let told: WireResource = reply.read("see list_project_resources")?;
        Ok(Sent::after(told.view(&project)).inverse(inverse))
    });
    Ok(draft.read_back(move || {
        let (at, (project, id, inverse)) = (looking.afresh(), back.clone());
        async move {
            let found = assigned(&at, &project).await?.into_iter().find(|it| it.is(kind, &id));
            Ok(found.map(|it| Sent::after(it.view(&project)).inverse(inverse)))
        }
    }))
}

pub(super) async fn remove(at: &Session, op: &RemoveProjectResource) -> Result<Draft<Resource>, ProviderError> {
    let kind = kind(&op.resource_type)?;
    let project = places::project(at, &op.project).await?;
    let id = op.resource_id.text().to_owned();
    let Some(before) = assigned(at, &project).await?.into_iter().find(|it| it.is(kind, &id)) else {
        return Err(ProviderError::NotFound {
            kind: "resource",
            name: format!("{kind} {id}"),
            scope: project.says(),
            fix: "find it with list_project_resources; ids are matched whole".into(),
        });
    };
    let people: Vec<String> = seats(at, &project).await?.iter().filter(|it| !it.pending).map(|it| it.called().to_owned()).collect();
    let facts = Facts::none().leaves(Thing::Resource, Counted::one(format!("{kind} {id}")), "this project");
    let facts = match people.as_slice() {
        [] => facts,
        [one] => facts.note(format!("1 person can no longer use it here: {one}")),
        many => facts.note(format!("{} people can no longer use it here: {}", many.len(), shown(many))),
    };
    let facts = facts.note("the resource itself stays").undo("assign_project_resource");
    let (target, view) = (target(&project, kind, &id), before.view(&project));
    let inverse = Inverse::of(&AssignProjectResource {
        project: ProjectRef::read(project.id()),
        resource_type: ResourceType::read(kind),
        resource_id: ResourceId::read(&id),
    });
    let (sending, looking) = (at.clone(), at.clone());
    let back = (project.clone(), id.clone(), inverse.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let request = project.delete(&sending, "/resources/{type}/{resource}").path("type", kind).path("resource", &id);
        request.send(&permit).await?;
        Ok(Sent::gone().inverse(inverse))
    });
    Ok(draft.before(view).read_back(move || {
        let (at, (project, id, inverse)) = (looking.afresh(), back.clone());
        async move {
            let there = assigned(&at, &project).await?.iter().any(|it| it.is(kind, &id));
            Ok((!there).then(|| Sent::gone().inverse(inverse)))
        }
    }))
}

fn target(project: &Place, kind: &str, id: &str) -> Target {
    project.target_within(kind, id, None)
}
