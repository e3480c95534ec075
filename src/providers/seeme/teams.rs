//! Teams.

use serde_json::{Map, Value, json};

use super::{
    Session,
    changes::{self, Edit, Former, set},
    people::seats,
    places::{self, Kind, Place, WirePlace},
    seats::of_team,
    wire::time,
};
use crate::{
    domain::{Counted, Facts, Inverse, List, Losing, PageRequest, Target, TeamRef, Thing, teams::Team},
    error::ProviderError,
    providers::http::{Draft, Sent, cut},
    tools::teams::{CreateTeam, DeleteTeam, GetTeam, ListTeams, TeamField, UpdateTeam},
};

/// Lists the teams of an organization, or of all that the account is in.
pub(super) async fn list(at: &Session, op: &ListTeams) -> Result<List<Team>, ProviderError> {
    let organization = match (&op.organization, places::pinned(at).await?) {
        (None, pinned) => pinned,
        (Some(named), _) => Some(places::organization(at, Some(named)).await?),
    };
    let mut teams = places::all(at, Kind::Team, organization.as_ref()).await?;
    if let Some(query) = &op.query {
        teams.retain(|it| it.it.contains(query));
    }
    let page = cut(teams, &PageRequest::of(op.limit, op.cursor.as_ref()), |it| it.it.key())?;
    Ok(page.map(|it| Team { description: None, created_at: None, ..view(&it, &it.it, None) }))
}

/// The service does not count a team's people, so they are read.
pub(super) async fn get(at: &Session, op: &GetTeam) -> Result<Team, ProviderError> {
    let team = places::team(at, &op.team, None).await?;
    let told = team.read(at).await?;
    let people = seats(at, &team).await?.iter().filter(|it| !it.pending).count();
    Ok(view(&team, &told, Some(people as u64)))
}

pub(super) async fn create(at: &Session, op: &CreateTeam) -> Result<Draft<Team>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    places::is_free_in(at, Kind::Team, &organization, op.name.as_str(), op.slug.as_ref(), None).await?;
    let mut body = Map::from_iter([("name".to_owned(), json!(op.name)), ("organization_id".to_owned(), json!(organization.id()))]);
    let fields = [("description", op.description.as_ref().map(ToString::to_string)), ("slug", op.slug.as_ref().map(ToString::to_string))];
    set(&mut body, fields);
    let target = Target::new_one("team", op.name.as_str(), organization.name());
    let (sending, looking, name) = (at.clone(), at.clone(), op.name.to_string());
    let within = organization.clone();
    let draft = Draft::new(target, Facts::none().undo("delete_team"), move |permit| async move {
        let reply = sending.post("/teams").json(Value::Object(body)).send(&permit).await?;
        Ok(made(&organization, reply.read("see list_teams")?))
    });
    Ok(draft.read_back(move || {
        let (at, name, within) = (looking.afresh(), name.clone(), within.clone());
        async move {
            let teams = places::all(&at, Kind::Team, Some(&within)).await?;
            Ok(teams.into_iter().find(|it| it.name() == name).map(|it| made(&within, it.it)))
        }
    }))
}

fn made(organization: &Place, it: WirePlace) -> Sent<Team> {
    let team = Place { kind: Kind::Team, it, organization: organization.it.clone() };
    let inverse = Inverse::of(&DeleteTeam { team: TeamRef::read(team.id()) });
    Sent::after(view(&team, &team.it, None)).target(team.target()).inverse(inverse)
}

pub(super) async fn update(at: &Session, op: &UpdateTeam) -> Result<Draft<Team>, ProviderError> {
    let clears_description = op.clear.contains(&TeamField::Description);
    let edit = Edit { name: op.name.as_ref(), description: op.description.as_ref(), slug: op.slug.as_ref(), clears_description };
    edit.named()?;
    let team = places::team(at, &op.team, None).await?;
    let before = team.read(at).await?;
    edit.check(at, &team).await?;
    let mut whole = team.whole(at).await?;
    edit.apply(&mut whole);
    let Former { name, description, slug, clears_description } = edit.former(&before);
    let clear = if clears_description { vec![TeamField::Description] } else { Vec::new() };
    let undo = Inverse::of(&UpdateTeam { team: TeamRef::read(&before.id), name, description, slug, clear });
    let facts = Facts::none().undo("update_team with the values in `before`");
    let of = team.clone();
    let before = view(&team, &before, None);
    Ok(changes::replace(at, team, whole, facts, undo, move |it| view(&of, it, None)).before(before))
}

pub(super) async fn delete(at: &Session, op: &DeleteTeam) -> Result<Draft<Team>, ProviderError> {
    let team = places::team(at, &op.team, None).await?;
    let seats = seats(at, &team).await?;
    let people = |pending: bool| seats.iter().filter(|it| it.pending == pending).map(|it| it.called().to_owned()).collect::<Vec<_>>();
    let count = people(false).len() as u64;
    let facts = Facts::none()
        .ends(Thing::Team, Counted::one(team.name()))
        .lose(Losing::Team, people(false))
        .leaves(Thing::Project, of_team(at, &team).await?, "a team")
        .stops(Thing::Invitation, people(true));
    let before = view(&team, &team.it, Some(count));
    Ok(changes::delete(at, team, facts).before(before))
}

fn view(place: &Place, it: &WirePlace, members: Option<u64>) -> Team {
    Team {
        team: it.name.clone(),
        id: it.id.clone(),
        slug: it.slug(),
        description: it.description(),
        organization: Some(place.organization.name.clone()).filter(|it| !it.is_empty()),
        members,
        roles: Vec::new(),
        project: None,
        created_at: time(it.created_at.as_ref()),
    }
}
