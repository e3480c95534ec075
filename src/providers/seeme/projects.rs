//! Projects.

use serde_json::{Map, Value, json};

use super::{
    Session, access,
    changes::{self, Edit, Former, set},
    people::seats,
    places::{self, Kind, Place, WirePlace},
    resources,
    seats::LOOKED_THROUGH,
    wire::{filled, time},
};
use crate::{
    domain::{Counted, Facts, Inverse, List, Losing, PageRequest, ProjectRef, Target, Thing, projects::Project},
    error::ProviderError,
    providers::{
        census::{counted, looks_into},
        http::{Draft, Sent, cut, walk},
    },
    tools::projects::{CreateProject, DeleteProject, GetProject, ListProjects, ProjectField, UpdateProject},
};

/// Lists projects, of an organization or of all; of a team by the filter that the service has for it.
pub(super) async fn list(at: &Session, op: &ListProjects) -> Result<List<Project>, ProviderError> {
    let organization = match (&op.organization, places::pinned(at).await?) {
        (None, pinned) => pinned,
        (Some(named), _) => Some(places::organization(at, Some(named)).await?),
    };
    let mut projects = match &op.team {
        None => places::all(at, Kind::Project, organization.as_ref()).await?,
        Some(named) => {
            let team = places::team(at, named, organization.as_ref()).await?;
            let within = op.organization.as_ref().and(organization.as_ref()).map(Place::id);
            places::located(at, Kind::Project, places::of_team(at, team.id(), within).await?).await?
        }
    };
    if let Some(query) = &op.query {
        projects.retain(|it| it.it.contains(query));
    }
    if looks_into(op) {
        let teams = &places::all(at, Kind::Team, None).await.unwrap_or_default();
        let look = |it: Place| async move {
            let whole = view(&it, &it.it, team_of(at, &it).await?);
            Ok(match access::of_people(at, &it, teams).await? {
                Some(held) => counted(op, whole, &access::place(&it), &held).into_iter().collect(),
                None if op.owner.is_none() && op.owners.is_none() => vec![whole],
                None => Vec::new(),
            })
        };
        let keys = (|it: &Place| it.it.key(), |it: &Project| it.id.clone());
        return walk(projects, &PageRequest::of(op.limit, op.cursor.as_ref()), LOOKED_THROUGH, keys, look).await;
    }
    let List { items, shown, has_more, next_cursor, total } =
        cut(projects, &PageRequest::of(op.limit, op.cursor.as_ref()), |it| it.it.key())?;
    let mut views = Vec::new();
    for it in &items {
        let whole = view(it, &it.it, team_of(at, it).await?);
        views.push(Project { description: None, created_at: None, members: None, ..whole });
    }
    Ok(List { items: views, shown, has_more, next_cursor, total })
}

pub(super) async fn get(at: &Session, op: &GetProject) -> Result<Project, ProviderError> {
    let project = places::project(at, &op.project).await?;
    let told = project.read(at).await?;
    Ok(view(&project, &told, team_of(at, &project).await?))
}

/// The name of a project's team: the teams of its organization are read for it, once.
async fn team_of(at: &Session, project: &Place) -> Result<Option<String>, ProviderError> {
    let Some(team) = filled(project.it.team_id.as_ref()) else { return Ok(None) };
    let name = |teams: Vec<Place>| teams.iter().find(|it| it.id() == team).map(|it| it.name().to_owned());
    match places::all(at, Kind::Team, None).await {
        Ok(teams) => Ok(Some(name(teams).unwrap_or_else(|| team.to_owned()))),
        // Who may see projects need not be allowed to see teams.
        Err(ProviderError::Remote(error)) if error.code == "forbidden" => Ok(Some(team.to_owned())),
        Err(other) => Err(other),
    }
}

pub(super) async fn create(at: &Session, op: &CreateProject) -> Result<Draft<Project>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let team = match &op.team {
        Some(named) => Some(places::team(at, named, Some(&organization)).await?),
        None => None,
    };
    places::is_free_in(at, Kind::Project, &organization, op.name.as_str(), op.slug.as_ref(), None).await?;
    let mut body = Map::from_iter([("name".to_owned(), json!(op.name)), ("organization_id".to_owned(), json!(organization.id()))]);
    let fields = [
        ("description", op.description.as_ref().map(ToString::to_string)),
        ("team_id", team.as_ref().map(|it| it.id().to_owned())),
        ("slug", op.slug.as_ref().map(ToString::to_string)),
    ];
    set(&mut body, fields);
    let target = Target::new_one("project", op.name.as_str(), organization.name());
    let (sending, looking, name) = (at.clone(), at.clone(), op.name.to_string());
    let back = (organization.clone(), team.clone());
    let facts = Facts::none().undo("delete_project");
    let facts = match &team {
        Some(team) => facts.note(format!("the people of team {} may reach it", team.name())),
        None => facts,
    };
    let draft = Draft::new(target, facts, move |permit| async move {
        let reply = sending.post("/projects").json(Value::Object(body)).send(&permit).await?;
        Ok(made(&organization, team.as_ref(), reply.read("see list_projects")?))
    });
    Ok(draft.read_back(move || {
        let (at, name, (organization, team)) = (looking.afresh(), name.clone(), back.clone());
        async move {
            let projects = places::all(&at, Kind::Project, Some(&organization)).await?;
            Ok(projects.into_iter().find(|it| it.name() == name).map(|it| made(&organization, team.as_ref(), it.it)))
        }
    }))
}

fn made(organization: &Place, team: Option<&Place>, it: WirePlace) -> Sent<Project> {
    let project = Place { kind: Kind::Project, it, organization: organization.it.clone() };
    let inverse = Inverse::of(&DeleteProject { project: ProjectRef::read(project.id()) });
    let view = view(&project, &project.it, team.map(|it| it.name().to_owned()));
    Sent::after(view).target(project.target()).inverse(inverse)
}

pub(super) async fn update(at: &Session, op: &UpdateProject) -> Result<Draft<Project>, ProviderError> {
    if op.clear.contains(&ProjectField::ExternalKeyId) {
        return Err(ProviderError::invalid("projects of SeeMe.ai have no `external_key_id`", "leave it out of `clear`"));
    }
    let clears_description = op.clear.contains(&ProjectField::Description);
    let edit = Edit { name: op.name.as_ref(), description: op.description.as_ref(), slug: op.slug.as_ref(), clears_description };
    edit.named()?;
    let project = places::project(at, &op.project).await?;
    let before = project.read(at).await?;
    edit.check(at, &project).await?;
    let mut whole = project.whole(at).await?;
    edit.apply(&mut whole);
    let Former { name, description, slug, clears_description } = edit.former(&before);
    let clear = if clears_description { vec![ProjectField::Description] } else { Vec::new() };
    let reference = ProjectRef::read(&before.id);
    let undo = Inverse::of(&UpdateProject { project: reference, name, description, slug, clear, external_key_id: None });
    let team = team_of(at, &project).await?;
    let facts = Facts::none().undo("update_project with the values in `before`");
    let of = project.clone();
    let before = view(&project, &before, team.clone());
    Ok(changes::replace(at, project, whole, facts, undo, move |it| view(&of, it, team.clone())).before(before))
}

pub(super) async fn delete(at: &Session, op: &DeleteProject) -> Result<Draft<Project>, ProviderError> {
    let project = places::project(at, &op.project).await?;
    let seats = seats(at, &project).await?;
    let people = |pending: bool| seats.iter().filter(|it| it.pending == pending).map(|it| it.called().to_owned()).collect::<Vec<_>>();
    let mut about = access::surroundings(at, &project.home()).await?;
    if about.people.is_some() && about.projects.is_none() {
        about.projects = Some(places::all(at, Kind::Project, Some(&project.home())).await?.len() as u64);
    }
    let facts = Facts::none()
        .about(about)
        .ends(Thing::Project, Counted::one(project.name()))
        .lose(Losing::Access, people(false))
        .leaves(Thing::Resource, resources::names(at, &project).await?, "a project")
        .stops(Thing::Invitation, people(true));
    let before = view(&project, &project.it, team_of(at, &project).await?);
    Ok(changes::delete(at, project, facts).before(before))
}

fn view(place: &Place, it: &WirePlace, team: Option<String>) -> Project {
    Project {
        project: it.name.clone(),
        id: it.id.clone(),
        slug: it.slug(),
        organization: Some(place.organization.name.clone()).filter(|it| !it.is_empty()),
        team,
        description: it.description(),
        members: it.member_count,
        created_at: time(it.created_at.as_ref()),
        ..Project::default()
    }
}
