//! Teams.

use serde_json::{Map, Value, json};

use super::{
    Session,
    organizations::took_effect,
    people::seats,
    places::{self, Kind, Place, WirePlace, set, undone_by},
    seats::{of_team, shown},
    wire::time,
};
use crate::{
    domain::{Gravity, Impact, Inverse, List, Name, PageRequest, Query, Slug, Target, TeamRef, teams::Team},
    error::ProviderError,
    providers::{
        http::{Draft, Sent, cut},
        local::fields::named,
    },
    tools::teams::{CreateTeam, DeleteTeam, GetTeam, ListTeams, TeamField, UpdateTeam},
};

/// Lists the teams of an organization, or of all that the account is in.
pub(super) async fn list(at: &Session, op: &ListTeams) -> Result<List<Team>, ProviderError> {
    let organization = match (&op.organization, places::pinned(at).await?) {
        (None, pinned) => pinned,
        (Some(named), _) => Some(places::organization(at, Some(named)).await?),
    };
    let mut teams = places::all(at, Kind::Team, organization.as_ref()).await?;
    if let Some(query) = op.query.as_ref().map(Query::as_str) {
        teams.retain(|it| it.it.contains(query));
    }
    let List { items, shown, has_more, next_cursor, total } = cut(teams, &PageRequest::of(op.limit, op.cursor.as_ref()), |it| it.it.key())?;
    let brief = |it: &Place| Team { description: None, created_at: None, ..view(it, &it.it, None) };
    Ok(List { items: items.iter().map(brief).collect(), shown, has_more, next_cursor, total })
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
    let draft = Draft::new(target, Impact::none().undo("delete_team"), move |permit| async move {
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
    let inverse = TeamRef::try_from(team.id().to_owned()).ok().map(|team| Inverse::of(&DeleteTeam { team }));
    undone_by(Sent::after(view(&team, &team.it, None)).target(team.target()), inverse)
}

pub(super) async fn update(at: &Session, op: &UpdateTeam) -> Result<Draft<Team>, ProviderError> {
    let given = [("name", op.name.is_some()), ("description", op.description.is_some()), ("slug", op.slug.is_some())];
    let clears = op.clear.contains(&TeamField::Description);
    named(&given, if clears { &["description"] } else { &[] })?;
    let team = places::team(at, &op.team, None).await?;
    let before = team.read(at).await?;
    if op.name.is_some() || op.slug.is_some() {
        let name = op.name.as_ref().map_or(before.name.as_str(), Name::as_str);
        places::is_free_in(at, Kind::Team, &team.home(), name, op.slug.as_ref(), Some(team.id())).await?;
    }
    let mut whole = team.whole(at).await?;
    let description = if clears { Some(String::new()) } else { op.description.as_ref().map(ToString::to_string) };
    let fields = [
        ("name", op.name.as_ref().map(ToString::to_string)),
        ("description", description),
        ("slug", op.slug.as_ref().map(ToString::to_string)),
    ];
    set(&mut whole, fields);
    let inverse = back_to(op, &before);
    let impact = Impact::none().undo("update_team with the values in `before`");
    let (sending, looking) = (at.clone(), at.clone());
    let (wanted, back) = (whole.clone(), (team.clone(), inverse.clone()));
    let (target, view_before) = (team.target(), view(&team, &before, None));
    let draft = Draft::new(target, impact, move |permit| async move {
        let reply = team.put(&sending, "").json(Value::Object(whole)).send(&permit).await?;
        Ok(undone_by(Sent::after(view(&team, &reply.read("see get_team")?, None)), inverse))
    });
    Ok(draft.before(view_before).read_back(move || {
        let (at, wanted, (team, inverse)) = (looking.afresh(), wanted.clone(), back.clone());
        async move {
            let changed = took_effect(&team.whole(&at).await?, &wanted);
            let after = team.read(&at).await?;
            Ok(changed.then(|| undone_by(Sent::after(view(&team, &after, None)), inverse)))
        }
    }))
}

fn back_to(op: &UpdateTeam, before: &WirePlace) -> Option<Inverse> {
    let described = op.description.is_some() || op.clear.contains(&TeamField::Description);
    let description = before.description().and_then(|it| it.try_into().ok());
    Some(Inverse::of(&UpdateTeam {
        team: TeamRef::try_from(before.id.clone()).ok()?,
        name: op.name.as_ref().and_then(|_| Name::try_from(before.name.clone()).ok()),
        slug: op.slug.as_ref().and_then(|_| Slug::try_from(before.slug()?).ok()),
        clear: if described && description.is_none() { vec![TeamField::Description] } else { Vec::new() },
        description: description.filter(|_| described),
    }))
}

pub(super) async fn delete(at: &Session, op: &DeleteTeam) -> Result<Draft<Team>, ProviderError> {
    let team = places::team(at, &op.team, None).await?;
    let people: Vec<String> = seats(at, &team).await?.iter().filter(|it| !it.pending).map(|it| it.called().to_owned()).collect();
    let count = people.len() as u64;
    let gravity = if people.is_empty() { Gravity::Low } else { Gravity::High };
    let mut impact = Impact::of(gravity).loses(count, ("person leaves the team", "people leave the team"), people);
    let projects = of_team(at, &team).await?;
    if !projects.is_empty() {
        let verb = if projects.len() == 1 { "goes" } else { "go" };
        impact = impact.note(format!("{verb} on without a team: {}", shown(&projects)));
    }
    let impact = impact.note("it cannot be brought back");
    let before = view(&team, &team.it, Some(count));
    let (sending, looking, id) = (at.clone(), at.clone(), team.id().to_owned());
    let target = team.target();
    let draft = Draft::new(target, impact, move |permit| async move {
        team.delete(&sending, "").send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(before).read_back(move || {
        let (at, id) = (looking.afresh(), id.clone());
        async move { Ok((!places::all(&at, Kind::Team, None).await?.iter().any(|it| it.id() == id)).then(Sent::gone)) }
    }))
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
