//! Teams; the service calls them groups. Some are run by an identity provider and can only be looked at here.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::{Session, errors::found, held, lists, reach, team_members, time};
use crate::{
    domain::{Counted, Facts, Inverse, List, Name, PageRequest, Target, TeamRef, Thing, access::Named, fold, teams::Team},
    error::ProviderError,
    providers::http::{Draft, Sent, cut},
    tools::teams::{CreateTeam, DeleteTeam, GetTeam, ListTeams, UpdateTeam},
};

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireGroup {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    created_at: Option<i64>,
    #[serde(default)]
    is_scim_managed: bool,
}

impl WireGroup {
    fn view(&self) -> Team {
        Team { team: self.name.clone(), id: self.id.clone(), created_at: self.created_at.map(time), ..Team::default() }
    }

    pub(super) fn named(&self) -> Named {
        Named::new(&self.name, &self.id)
    }

    fn target(&self, at: &Session) -> Target {
        at.target("team", &self.name, &self.id)
    }

    /// Refuses what an identity provider decides.
    pub(super) fn is_ours(&self) -> Result<(), ProviderError> {
        if !self.is_scim_managed {
            return Ok(());
        }
        Err(ProviderError::conflict(
            "managed_elsewhere",
            format!("team `{}` is managed by your identity provider (SCIM)", self.name),
            "change it there; its projects and roles can be changed here",
        ))
    }
}

pub(super) async fn all(at: &Session) -> Result<Vec<WireGroup>, ProviderError> {
    Ok(known(at).await?.to_vec())
}

/// The same, for whoever looks one up in them row after row.
pub(super) async fn known(at: &Session) -> Result<Arc<Vec<WireGroup>>, ProviderError> {
    lists::known(at, lists::BY_NEXT, |at| at.get("/organization/groups")).await
}

async fn retrieve(at: &Session, id: &str) -> Result<WireGroup, ProviderError> {
    at.get("/organization/groups/{group_id}").path("group_id", id).send().await
}

/// `GET /organization/groups`
pub(super) async fn list(at: &Session, op: &ListTeams) -> Result<List<Team>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let Some(query) = &op.query else {
        return lists::page(at.get("/organization/groups"), &page, |it: WireGroup| it.view()).await;
    };
    let found = all(at).await?.into_iter().filter(|it| query.is_in(&it.name)).map(|it| it.view()).collect();
    cut(found, &page, |it: &Team| format!("{} {}", fold(&it.team), it.id))
}

/// `GET /organization/groups/{group_id}`
pub(super) async fn get(at: &Session, op: &GetTeam) -> Result<Team, ProviderError> {
    let group = at.team(&op.team).await?;
    Ok(retrieve(at, &group.id).await?.view())
}

/// `POST /organization/groups`
pub(super) async fn create(at: &Session, op: &CreateTeam) -> Result<Draft<Team>, ProviderError> {
    let known = all(at).await?;
    is_free(&known, &op.name, None)?;
    let request = at.post("/organization/groups").json(json!({ "name": op.name.as_str() }));
    let (by, again, name) = (at.clone(), at.afresh(), op.name.clone());
    let draft = Draft::new(at.new_target("team", op.name.as_str()), Facts::none().undo("delete_team"), move |permit| async move {
        let group: WireGroup = request.send(&permit).await?.read("look with list_teams whether it is there")?;
        Ok(made(&by, &group))
    });
    Ok(draft.read_back(move || {
        let (at, name) = (again.afresh(), name.clone());
        async move { Ok(all(&at).await?.into_iter().find(|it| it.name == name.as_str()).map(|it| made(&at, &it))) }
    }))
}

fn made(at: &Session, group: &WireGroup) -> Sent<Team> {
    let back = Inverse::of(&DeleteTeam { team: TeamRef::read(&group.id) });
    Sent::after(group.view()).target(group.target(at)).inverse(back)
}

/// The service lets two groups have one name; then nobody could name either.
fn is_free(known: &[WireGroup], name: &Name, but: Option<&str>) -> Result<(), ProviderError> {
    let Some(taken) = known.iter().find(|it| fold(&it.name) == fold(name.as_str()) && Some(it.id.as_str()) != but) else { return Ok(()) };
    let message = format!("there is a team called `{}` already", taken.name);
    Err(ProviderError::conflict("name_taken", message, "choose another name"))
}

/// `POST /organization/groups/{group_id}`
pub(super) async fn update(at: &Session, op: &UpdateTeam) -> Result<Draft<Team>, ProviderError> {
    let Some(name) = &op.name else { return Err(ProviderError::invalid("nothing to change is given", "give `name`")) };
    let group = at.team(&op.team).await?;
    group.is_ours()?;
    is_free(&all(at).await?, name, Some(&group.id))?;
    let request = at.post("/organization/groups/{group_id}").path("group_id", &group.id).json(json!({ "name": name.as_str() }));
    let (team, former) = (TeamRef::read(&group.id), Some(Name::read(&group.name)));
    let back = Inverse::of(&UpdateTeam { team, name: former, description: None, slug: None, clear: Vec::new() });
    let sent = move |after: &WireGroup| Sent::after(after.view()).inverse(back.clone());
    let (settled, again, id, name) = (sent.clone(), at.afresh(), group.id.clone(), name.clone());
    let facts = Facts::none().undo("update_team with the values in `before`");
    let draft =
        Draft::new(
            group.target(at),
            facts,
            move |permit| async move { Ok(sent(&request.send(&permit).await?.read("look with get_team")?)) },
        );
    Ok(draft.before(group.view()).read_back(move || {
        let (at, id, name, settled) = (again.afresh(), id.clone(), name.clone(), settled.clone());
        async move {
            let now = retrieve(&at, &id).await?;
            Ok((now.name == name.as_str()).then(|| settled(&now)))
        }
    }))
}

/// `DELETE /organization/groups/{group_id}`
pub(super) async fn delete(at: &Session, op: &DeleteTeam) -> Result<Draft<Team>, ProviderError> {
    let group = at.team(&op.team).await?;
    group.is_ours()?;
    let reach = reach::of_team(at, &group).await?;
    let people: Vec<_> = team_members::all(at, &group.id).await?.iter().map(team_members::WireGroupUser::holder).collect();
    let facts = Facts::none().ends(Thing::Team, Counted::one(&group.name)).leaves(Thing::Project, reach.projects(), "the team");
    let facts = reach.closes(at, &group, &people, facts).await?.about(held::called(at));
    let request = at.delete("/organization/groups/{group_id}").path("group_id", &group.id);
    let (again, id) = (at.afresh(), group.id.clone());
    let draft = Draft::new(group.target(at), facts, move |permit| async move {
        request.send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(group.view()).read_back(move || {
        let (at, id) = (again.afresh(), id.clone());
        async move { Ok(found(retrieve(&at, &id).await)?.is_none().then(Sent::gone)) }
    }))
}
