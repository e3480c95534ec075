//! Teams of the directory.

use serde_json::{Value, json};

use super::{
    Session,
    compared::{Alone, Look},
    page::PageQuery,
    reach::{PROJECTS, counted},
    resolve::{TEAM_COLUMNS, TeamRow},
    select::{self, Kept, Select},
};
use crate::{
    domain::{Change, Counted, Facts, Inverse, List, PageRequest, Target, Thing, Timestamp, fold, teams::Team},
    error::ProviderError,
    providers::fields,
    store::{StoreError, args, new_id, row},
    tools::teams::{CreateTeam, DeleteTeam, GetTeam, ListTeams, TeamField, UpdateTeam},
};

row! {
    struct Listed { id: String, name: String, slug: String, organization: String }
}

pub(super) async fn list(at: &mut Session, op: &ListTeams) -> Result<List<Team>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let organization = match (&op.organization, at.pinned().await?) {
        (None, pinned) => pinned.map(|it| it.id),
        (Some(named), _) => Some(at.organization(Some(named)).await?.id),
    };
    let mut found = Select::new("t.id, t.name, t.slug, o.name AS organization", "teams t JOIN organizations o ON o.id = t.organization_id");
    let all = match &organization {
        Some(it) => {
            found.with("t.organization_id = {}", it);
            at.kept_of(Kept::Teams, it).await?
        }
        None => found.count(at).await?,
    };
    let is_whole = organization.is_some() && op.query.is_none();
    if let Some(query) = &op.query {
        found.with_part(&["t.name_key", "t.slug"], query);
    }
    let total = if is_whole { Some(all) } else { found.total(at, all).await? };
    let rows: Vec<Listed> = found.page(at, &["t.slug", "t.id"], page.after_two(), &page).await?;
    let members = at.kept(Kept::Members, rows.iter().map(|it| it.id.as_str())).await?;
    let brief = |it: Listed| Team {
        members: select::of(&members, &it.id),
        team: it.name,
        id: it.id,
        slug: Some(it.slug),
        organization: Some(it.organization),
        ..Team::default()
    };
    Ok(page.page(rows, total, |it| format!("{} {}", it.slug, it.id), brief))
}

pub(super) async fn get(at: &mut Session, op: &GetTeam) -> Result<Team, ProviderError> {
    let team = at.team(&op.team).await?;
    view(at, team).await
}

pub(super) async fn create(at: &mut Session, op: &CreateTeam) -> Result<Change<Team>, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    let slug = fields::slug(op.slug.as_ref(), &op.name)?;
    let id = new_id("team");
    let sql = "INSERT INTO teams (id, organization_id, name, name_key, slug, description, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let description = op.description.as_ref().map(ToString::to_string);
    let values = args![&id, &organization.id, op.name.as_str(), fold(op.name.as_str()), slug, description, Timestamp::now().0];
    at.db.run(sql, &values).await.map_err(|error| taken(error, op.name.as_str()))?;
    let team = by_id(at, &id).await?;
    let target = Target::new_one("team", &team.name, &team.organization);
    let inverse = Inverse::call::<DeleteTeam>(json!({ "team": team.id }));
    Ok(Change::created(target, Facts::none().undo("delete_team"), view(at, team).await?).inverse(inverse))
}

pub(super) async fn update(at: &mut Session, op: &UpdateTeam) -> Result<Change<Team>, ProviderError> {
    let set = [("name", op.name.is_some()), ("description", op.description.is_some()), ("slug", op.slug.is_some())];
    let clears = op.clear.contains(&TeamField::Description);
    fields::named(&set, if clears { &["description"] } else { &[] })?;
    let team = at.team(&op.team).await?;
    let sql = "UPDATE teams SET name = COALESCE($2, name), name_key = COALESCE($3, name_key), slug = COALESCE($4, slug), \
               description = CASE WHEN $6 THEN NULL ELSE COALESCE($5, description) END WHERE id = $1";
    let name = op.name.as_ref().map(ToString::to_string);
    let values = args![
        &team.id,
        &name,
        name.as_deref().map(fold),
        op.slug.as_ref().map(ToString::to_string),
        op.description.as_ref().map(ToString::to_string),
        clears
    ];
    let before = view(at, team.clone()).await?;
    at.db.run(sql, &values).await.map_err(|error| taken(error, name.as_deref().unwrap_or(&team.name)))?;
    let after = by_id(at, &team.id).await?;
    let after = view(at, after).await?;
    let now = [set[0], ("description", op.description.is_some() || clears), set[2]];
    let former =
        [("name", Some(json!(team.name))), ("description", team.description.clone().map(Value::from)), ("slug", Some(json!(team.slug)))];
    let inverse = fields::back::<UpdateTeam>(json!({ "team": team.id }), &now, &former);
    let facts = Facts::none().undo("update_team with the values in `before`");
    Ok(Change::updated(target(&team), facts, before, after).inverse(inverse))
}

pub(super) async fn delete(at: &mut Session, op: &DeleteTeam) -> Result<Change<Team>, ProviderError> {
    let team = at.team(&op.team).await?;
    at.keep_an_owner_without_team(&team, None).await?;
    let look = Look::at_team(at, &team.organization_id, &team.id).await?;
    let alone = Alone::of_team(at, &team.id).await?;
    let owned = at.counted("SELECT name FROM projects WHERE team_id = $1 ORDER BY name", &args![&team.id]).await?;
    let before = view(at, team.clone()).await?;
    remove(at, &team.id).await?;
    let facts = look.facts(at).await?.ends(Thing::Team, Counted::one(&team.name));
    let mut facts = alone.since(at, facts).await?;
    if !owned.is_none() {
        let verb = if owned.count == 1 { "goes" } else { "go" };
        facts = facts.note(format!("{verb} on without a team: {}", counted(owned.count, PROJECTS, &owned.names)));
    }
    Ok(Change::removed(target(&team), facts, before))
}

/// Deletes a team's row and all that hangs on it; its projects stay.
pub(super) async fn remove(at: &mut Session, id: &str) -> Result<(), ProviderError> {
    for sql in [
        "DELETE FROM role_assignments WHERE team_id = $1",
        "DELETE FROM project_teams WHERE team_id = $1",
        "DELETE FROM team_members WHERE team_id = $1",
        "UPDATE projects SET team_id = NULL WHERE team_id = $1",
        "DELETE FROM logos WHERE owner_kind = 'team' AND owner_id = $1",
        "DELETE FROM teams WHERE id = $1",
    ] {
        at.db.run(sql, &args![id]).await?;
    }
    Ok(())
}

async fn by_id(at: &mut Session, id: &str) -> Result<TeamRow, ProviderError> {
    let row = at.db.one(&format!("{TEAM_COLUMNS} WHERE t.id = $1"), &args![id]).await?;
    row.ok_or_else(|| StoreError::Unreadable(format!("team {id} is missing")).into())
}

fn target(team: &TeamRow) -> Target {
    Target::new("team", &team.name, &team.id, &team.organization)
}

fn taken(error: StoreError, name: &str) -> ProviderError {
    if error.is_duplicate() {
        ProviderError::conflict(
            "name_taken",
            format!("a team of this organization is called `{name}` already, or has its slug"),
            "choose another name or slug",
        )
    } else {
        error.into()
    }
}

async fn view(at: &mut Session, it: TeamRow) -> Result<Team, ProviderError> {
    let members = at.kept_of(Kept::Members, &it.id).await?;
    Ok(Team {
        team: it.name,
        id: it.id,
        slug: Some(it.slug),
        description: it.description,
        organization: Some(it.organization),
        members: u64::try_from(members).ok(),
        roles: Vec::new(),
        project: None,
        created_at: Some(Timestamp(it.created_at)),
    })
}
