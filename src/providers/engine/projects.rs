//! Projects. What the service says of a project's cluster and storage is not read: it can hold credentials.

use serde_json::json;

use super::{
    Session,
    access::MOST_PROJECTS,
    fields::{Fields, not_here, some},
    power,
    wire::{Answered as _, WireProject, WireSeat},
};
use crate::{
    domain::{
        Counted, Facts, Inverse, List, Losing, PageRequest, ProjectRef, Surroundings, Target, Thing, access::Grant, fold,
        projects::Project, roles::RoleLevel,
    },
    error::ProviderError,
    providers::{
        census::{counted, looks_into},
        http::{Draft, Sent, cut, walk},
    },
    tools::projects::{CreateProject, DeleteProject, GetProject, ListProjects, ProjectField, UpdateProject},
};

/// GET orgs/{id}/projects, of each organization where none is named.
pub(super) async fn list(at: &Session, op: &ListProjects) -> Result<List<Project>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let mut projects = match &op.organization {
        Some(named) => at.projects_of(&at.organization(Some(named)).await?).await?,
        None => at.all_projects().await?,
    };
    projects.retain(|it| op.query.as_ref().is_none_or(|query| query.is_in(&it.name)));
    if looks_into(op) {
        let known = &at.known_roles().await?;
        let look = |it: WireProject| async move {
            let (place, id) = (it.place(), it.id.clone());
            let whole = view(it);
            Ok(match at.project_people(&id).await {
                Ok(seats) => {
                    let held =
                        |it: &WireSeat| Grant::own(it.user.holder(), power::named(known, &it.role, RoleLevel::Project), place.clone());
                    counted(op, whole, &place, &seats.iter().map(held).collect::<Vec<_>>()).into_iter().collect()
                }
                Err(ProviderError::Remote(error)) if matches!(error.code, "forbidden" | "not_found") => {
                    if op.owner.is_none() && op.owners.is_none() { vec![whole] } else { Vec::new() }
                }
                Err(other) => return Err(other),
            })
        };
        let keys = (|it: &WireProject| format!("{} {}", fold(&it.name), it.id), |it: &Project| it.id.clone());
        return walk(projects, &page, MOST_PROJECTS, keys, look).await;
    }
    let shown = |it: WireProject| Project { description: None, created_at: None, ..view(it) };
    cut(projects.into_iter().map(shown).collect(), &page, |it| format!("{} {}", fold(&it.project), it.id))
}

/// GET projects/{id}.
pub(super) async fn get(at: &Session, op: &GetProject) -> Result<Project, ProviderError> {
    let listed = at.project(&op.project).await?;
    Ok(view(at.whole_project(&listed).await?))
}

/// POST projects.
pub(super) async fn create(at: &Session, op: &CreateProject) -> Result<Draft<Project>, ProviderError> {
    let org = at.organization(op.organization.as_ref()).await?;
    let fields = Fields::new(&op.name, op.description.as_ref());
    let known = at.projects_of(&org).await?;
    let mut facts = Facts::none().undo("delete_project");
    if known.iter().any(|it| fold(&it.name) == fold(&fields.name)) {
        facts = facts.note(format!("{} has a project of this name already; by name neither can be meant any more", org.name));
    }
    let target = Target::new_one("project", &fields.name, &org.name);
    let known: Vec<String> = known.into_iter().map(|it| it.id).collect();
    let (sending, looking, within, name) = (at.clone(), at.clone(), org.clone(), fields.name.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let body = json!({ "name": fields.name, "description": fields.description, "org_id": org.id });
        let reply = sending.post(sending.settings.path("projects")).json(body).send(&permit).await?;
        let mut project = WireProject::read(&reply, "find it with list_projects")?;
        if project.org.name.is_empty() {
            project.org.name = org.name;
        }
        Ok(created(&project))
    });
    Ok(draft.read_back(move || {
        let (looking, org, known, name) = (looking.afresh(), within.clone(), known.clone(), name.clone());
        async move {
            let new = looking.projects_of(&org).await?.into_iter().find(|it| it.name == name && !known.contains(&it.id));
            Ok(new.as_ref().map(created))
        }
    }))
}

/// PUT projects/{id}, with what is there already for the field that is not named: the service would empty it.
pub(super) async fn update(at: &Session, op: &UpdateProject) -> Result<Draft<Project>, ProviderError> {
    if op.clear.contains(&ProjectField::ExternalKeyId) {
        return Err(not_here("external_key_id"));
    }
    let listed = at.project(&op.project).await?;
    let project = at.whole_project(&listed).await?;
    let old = Fields { name: project.name.clone(), description: project.description.clone() };
    let new = old.clone().with(op.name.as_ref(), op.description.as_ref(), op.clear.contains(&ProjectField::Description))?;
    let facts = Facts::none().undo("update_project with the values in `before`");
    let (sending, looking, wanted, org) = (at.clone(), at.clone(), new.clone(), project.org.clone());
    let inverse = restoring(&project.id, &old, &new);
    let (again, id) = (inverse.clone(), project.id.clone());
    let draft = Draft::new(target(&project), facts, move |permit| async move {
        let request = sending.put(sending.settings.path("project")).path("id", &id).json(new.body());
        let mut changed = WireProject::read(&request.send(&permit).await?, "look at it with get_project")?;
        changed.org = org;
        Ok(Sent::after(view(changed)).inverse(inverse))
    });
    let listed = project.clone();
    Ok(draft.before(view(project)).read_back(move || {
        let (looking, listed, wanted, inverse) = (looking.afresh(), listed.clone(), wanted.clone(), again.clone());
        async move {
            let project = looking.whole_project(&listed).await?;
            let took_effect = project.name == wanted.name && project.description == wanted.description;
            Ok(took_effect.then(|| Sent::after(view(project)).inverse(inverse)))
        }
    }))
}

/// The call that puts the old values back.
fn restoring(id: &str, old: &Fields, new: &Fields) -> Inverse {
    let (name, description, emptied) = old.former(new);
    let clear = emptied.then_some(ProjectField::Description).into_iter().collect();
    let project = ProjectRef::read(id);
    Inverse::of(&UpdateProject { project, name, description, slug: None, external_key_id: None, clear })
}

/// DELETE projects/{id}.
pub(super) async fn delete(at: &Session, op: &DeleteProject) -> Result<Draft<Project>, ProviderError> {
    let listed = at.project(&op.project).await?;
    let project = at.whole_project(&listed).await?;
    let mut people: Vec<String> = at.project_people(&project.id).await?.iter().map(|it| it.user.label().to_owned()).collect();
    people.sort();
    let siblings = at.all_projects().await?.iter().filter(|it| it.org.id == project.org.id).count();
    let about = Surroundings { organization: project.org.name.clone(), projects: Some(siblings as u64), ..Surroundings::default() };
    let facts = Facts::none()
        .ends(Thing::Project, Counted::one(&project.name))
        .lose(Losing::Access, people)
        .note("its datasets, recipes, models and apps end with it")
        .about(about);
    let (sending, looking, id) = (at.clone(), at.clone(), project.id.clone());
    let draft = Draft::new(target(&project), facts, move |permit| async move {
        sending.delete(sending.settings.path("project")).path("id", &id).send(&permit).await?;
        Ok(Sent::gone())
    });
    let id = project.id.clone();
    Ok(draft.before(view(project)).read_back(move || {
        let (looking, id) = (looking.afresh(), id.clone());
        async move { Ok((!looking.all_projects().await?.iter().any(|it| it.id == id)).then(Sent::gone)) }
    }))
}

impl Session {
    /// GET projects/{id}. The path does not name the organization, so the answer has to.
    async fn whole_project(&self, listed: &WireProject) -> Result<WireProject, ProviderError> {
        let mut project: WireProject = self.get(self.settings.path("project")).path("id", &listed.id).send().await?;
        if !project.org.id.is_empty() && project.org.id != listed.org.id {
            return Err(ProviderError::NotFound {
                kind: "project",
                name: listed.name.clone(),
                scope: listed.org.name.clone(),
                fix: "it has moved to another organization; find it with list_projects".into(),
            });
        }
        project.org = listed.org.clone();
        Ok(project)
    }
}

fn created(project: &WireProject) -> Sent<Project> {
    let back = Inverse::of(&DeleteProject { project: ProjectRef::read(&project.id) });
    Sent::after(view(project.clone())).target(target(project)).inverse(back)
}

fn target(it: &WireProject) -> Target {
    Target::new("project", &it.name, &it.id, &it.org.name)
}

fn view(it: WireProject) -> Project {
    Project {
        created_at: it.audit.created_at(),
        project: it.name,
        id: it.id,
        organization: some(&it.org.name),
        description: some(&it.description),
        ..Project::default()
    }
}
