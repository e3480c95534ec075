//! Projects of the directory.

use std::{collections::HashMap, slice};

use serde_json::{Value, json};

use super::{
    Session,
    memberships::account,
    page::PageQuery,
    project_members,
    reach::{PROJECT_OWNER, counted as listed},
    resolve::{PROJECT_COLUMNS, PROJECT_FROM, PROJECT_SELECTED, ProjectRow},
    select::{Kept, Select, of, places},
    usage_limits::NewLimit,
};
use crate::{
    domain::{
        Change, Counted, Facts, Inverse, List, Losing, PageRequest, Target, Thing, Timestamp,
        access::{Grant, Named, Place},
        fold, like_literal,
        projects::{Project, ProjectStatus},
    },
    error::ProviderError,
    providers::{
        already_archived,
        census::{self, looks_into},
        fields,
    },
    store::{StoreError, Val, args, new_id},
    tools::projects::{ArchiveProject, CreateProject, DeleteProject, Detail, GetProject, ListProjects, ProjectField, UpdateProject},
};

pub(super) async fn list(at: &mut Session, op: &ListProjects) -> Result<List<Project>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let organization = match (&op.organization, at.pinned().await?) {
        (None, pinned) => pinned.map(|it| it.id),
        (Some(named), _) => Some(at.organization(Some(named)).await?.id),
    };
    let team = match (&op.team, &op.organization) {
        (None, _) => None,
        (Some(named), None) => Some(at.team(named).await?.id),
        (Some(named), Some(within)) => {
            let within = at.organization(Some(within)).await?;
            Some(at.team_in(&within.id, &within.name, named).await?.id)
        }
    };
    let mut found = Select::new(PROJECT_SELECTED, PROJECT_FROM);
    let archived = op.include_archived.unwrap_or(false);
    if let Some(organization) = &organization {
        found.with("p.organization_id = {}", organization);
    }
    if !archived {
        found.and("p.status = 'active'");
    }
    let all = match &organization {
        Some(it) if archived => at.kept_of(Kept::Projects, it).await? + at.kept_of(Kept::Archived, it).await?,
        Some(it) => at.kept_of(Kept::Projects, it).await?,
        None => found.count(at).await?,
    };
    let is_whole = organization.is_some() && team.is_none() && op.query.is_none() && op.owner.is_none() && op.owners.is_none();
    if let Some(team) = team {
        found.with(
            "p.id IN (SELECT id FROM projects WHERE team_id = {} UNION SELECT project_id FROM project_teams WHERE team_id = {})",
            team,
        );
    }
    if let Some(query) = &op.query {
        found.with_part(&["p.name_key", "p.slug"], query);
    }
    if let Some(owner) = &op.owner {
        let owner = account(at, owner).await?.id;
        found.with(OWNED_BY, owner);
    }
    if let Some(owners) = op.owners {
        let condition = owned_by_so_many(owners);
        found.and(condition);
    }
    let total = if is_whole { Some(all) } else { found.total(at, all).await? };
    let rows: Vec<ProjectRow> = found.page(at, &["p.slug", "p.id"], page.after_two(), &page).await?;
    let is_full = op.detail == Some(Detail::Full);
    let list = page.page(rows, total, |it| format!("{} {}", it.slug, it.id), |it| if is_full { full_view(it) } else { brief(it) });
    if looks_into(op) { in_full(at, list).await } else { Ok(list) }
}

/// That somebody (`{}`) owns a project, by a role of their own or through a team.
const OWNED_BY: &str = "p.id IN (SELECT a.project_id FROM role_assignments a WHERE a.user_id = {} AND a.role_id = 'role_project_owner' \
     UNION SELECT a.project_id FROM team_members m CROSS JOIN role_assignments a \
     WHERE m.user_id = {} AND a.team_id = m.team_id AND a.role_id = 'role_project_owner')";

/// The condition that a project has so many owners.
fn owned_by_so_many(count: u32) -> String {
    let first = u64::from(count) + 1;
    format!("(SELECT COUNT(*) FROM (SELECT user_id FROM ({}) owners LIMIT {first}) first) = {count}", owners("= p.id"))
}

/// The owners of the projects that `which` names, each once.
fn owners(which: &str) -> String {
    let here = format!("a.project_id {which} AND a.role_id = '{PROJECT_OWNER}'");
    format!(
        "SELECT a.project_id, a.user_id FROM role_assignments a WHERE {here} AND a.user_id IS NOT NULL \
         UNION SELECT a.project_id, m.user_id FROM role_assignments a CROSS JOIN team_members m WHERE {here} AND m.team_id = a.team_id"
    )
}

/// A page with the owners of each project and how much is in it.
async fn in_full(at: &mut Session, list: List<Project>) -> Result<List<Project>, ProviderError> {
    let ids: Vec<String> = list.items.iter().map(|it| it.id.clone()).collect();
    if ids.is_empty() {
        return Ok(list);
    }
    let (people, keys) = (at.people_in(&ids).await?, at.kept(Kept::Keys, ids.iter().map(String::as_str)).await?);
    let named = owners(&format!("IN ({})", places(1, ids.len())));
    let sql =
        format!("SELECT o.project_id, u.email FROM ({named}) o CROSS JOIN users u WHERE u.id = o.user_id ORDER BY o.project_id, u.email");
    let values: Vec<Val> = ids.into_iter().map(Val::from).collect();
    let mut owned: HashMap<String, Vec<String>> = HashMap::new();
    for (project, email) in at.db.all::<(String, String)>(&sql, &values).await? {
        owned.entry(project).or_default().push(email);
    }
    Ok(list.map(|it| {
        let owners = census::named(owned.remove(&it.id).unwrap_or_default());
        Project { owners: Some(owners), members: of(&people, &it.id), api_keys: of(&keys, &it.id), ..it }
    }))
}

pub(super) async fn get(at: &mut Session, op: &GetProject) -> Result<Project, ProviderError> {
    let project = at.project(&op.project).await?;
    counted(at, project).await
}

pub(super) async fn create(at: &mut Session, op: &CreateProject) -> Result<Change<Project>, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    let slug = fields::slug(op.slug.as_ref(), &op.name)?;
    let team = match &op.team {
        Some(named) => Some(at.team_in(&organization.id, &organization.name, named).await?.id),
        None => None,
    };
    let owner = match &op.admin_email {
        Some(email) => Some(at.candidate(&organization.id, &organization.name, email.as_str()).await?),
        None => None,
    };
    let limit = op.usage_limit.as_ref();
    let limit = limit.map(|it| NewLimit::of(it.subscription_type, it.usage_unit, it.soft_limit, it.hard_limit, it.renewal)).transpose()?;
    let id = new_id("prj");
    let sql = "INSERT INTO projects (id, organization_id, team_id, name, name_key, slug, description, residency, external_key_id, status, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10)";
    let values = args![
        &id,
        &organization.id,
        team,
        op.name.as_str(),
        fold(op.name.as_str()),
        slug,
        op.description.as_ref().map(ToString::to_string),
        fields::short("residency", op.residency.as_ref(), 40)?,
        fields::short("external_key_id", op.external_key_id.as_ref(), 100)?,
        Timestamp::now().0
    ];
    at.db.run(sql, &values).await.map_err(|error| taken(error, op.name.as_str()))?;
    let project = by_id(at, &id).await?;
    let mut facts = Facts::none().undo("delete_project");
    if let Some(owner) = owner {
        let role = at.project_owner_role().await?;
        // The id is another one each time the change is planned.
        let place =
            Place::Project { project: Named::new(&project.name, ""), organization: Named::new(&organization.name, &organization.id) };
        facts = facts.about(at.surroundings(&organization.id).await?).gives(Grant::own(owner.holder(), role.held(), place));
        project_members::enroll(at, &project, &owner.id, slice::from_ref(&role)).await?;
    } else {
        facts = facts.note("it starts without an owner; `admin_email` names one");
    }
    if let Some(limit) = limit {
        limit.insert(at, &organization.id, Some(&id)).await?;
    }
    let target = Target::new_one("project", &project.name, &project.organization);
    let inverse = Inverse::call::<DeleteProject>(json!({ "project": project.id }));
    Ok(Change::created(target, facts, counted(at, project).await?).inverse(inverse))
}

pub(super) async fn update(at: &mut Session, op: &UpdateProject) -> Result<Change<Project>, ProviderError> {
    let set = [
        ("name", op.name.is_some()),
        ("description", op.description.is_some()),
        ("slug", op.slug.is_some()),
        ("external_key_id", op.external_key_id.is_some()),
    ];
    let cleared: Vec<_> = op.clear.iter().map(|it| field_name(*it)).collect();
    fields::named(&set, &cleared)?;
    let external_key_id = fields::short("external_key_id", op.external_key_id.as_ref(), 100)?;
    let project = at.active_project(&op.project).await?;
    let clears = |field| op.clear.contains(&field);
    let sql = "UPDATE projects SET name = COALESCE($2, name), name_key = COALESCE($3, name_key), slug = COALESCE($4, slug), \
               description = CASE WHEN $6 THEN NULL ELSE COALESCE($5, description) END, \
               external_key_id = CASE WHEN $8 THEN NULL ELSE COALESCE($7, external_key_id) END WHERE id = $1";
    let name = op.name.as_ref().map(ToString::to_string);
    let values = args![
        &project.id,
        &name,
        name.as_deref().map(fold),
        op.slug.as_ref().map(ToString::to_string),
        op.description.as_ref().map(ToString::to_string),
        clears(ProjectField::Description),
        external_key_id,
        clears(ProjectField::ExternalKeyId)
    ];
    at.db.run(sql, &values).await.map_err(|error| taken(error, name.as_deref().unwrap_or(&project.name)))?;
    let after = by_id(at, &project.id).await?;
    let target = target(&project);
    let now = [
        set[0],
        ("description", op.description.is_some() || clears(ProjectField::Description)),
        set[2],
        ("external_key_id", op.external_key_id.is_some() || clears(ProjectField::ExternalKeyId)),
    ];
    let former = [
        ("name", Some(json!(project.name))),
        ("description", project.description.clone().map(Value::from)),
        ("slug", Some(json!(project.slug))),
        ("external_key_id", project.external_key_id.clone().map(Value::from)),
    ];
    let inverse = fields::back::<UpdateProject>(json!({ "project": project.id }), &now, &former);
    let facts = Facts::none()
        .rekeys("external_key_id", project.external_key_id.clone(), after.external_key_id.clone())
        .undo("update_project with the values in `before`");
    Ok(Change::updated(target, facts, full_view(project), full_view(after)).inverse(inverse))
}

pub(super) async fn archive(at: &mut Session, op: &ArchiveProject) -> Result<Change<Project>, ProviderError> {
    let project = at.project(&op.project).await?;
    if project.status == "archived" {
        return Err(already_archived(&project.name));
    }
    let facts = Facts::none()
        .about(at.surroundings(&project.organization_id).await?)
        .ends(Thing::Project, Counted::one(&project.name))
        .lose(Losing::Permissions, at.people_of(&project.id).await?)
        .stops(Thing::Key, at.counted(WORKING_KEYS, &args![&project.id]).await?)
        .note("it can only be read from then on, and cannot be made active again");
    let before = counted(at, project.clone()).await?;
    at.db.run("UPDATE projects SET status = 'archived', archived_at = $2 WHERE id = $1", &args![&project.id, Timestamp::now().0]).await?;
    at.db.run("UPDATE api_keys SET status = 'blocked' WHERE project_id = $1", &args![&project.id]).await?;
    let after = by_id(at, &project.id).await?;
    Ok(Change::updated(target(&project), facts, before, counted(at, after).await?))
}

pub(super) async fn delete(at: &mut Session, op: &DeleteProject) -> Result<Change<Project>, ProviderError> {
    let project = at.project(&op.project).await?;
    let facts = ending(at, &project).await?;
    let before = counted(at, project.clone()).await?;
    at.last(&ALL_OF_IT, &args![&project.id]).await?;
    Ok(Change::removed(target(&project), facts, before))
}

/// Deletes a project's row and all that hangs on it.
const ALL_OF_IT: [&str; 12] = [
    "DELETE FROM role_assignments WHERE project_id = $1",
    "DELETE FROM project_members WHERE project_id = $1",
    "DELETE FROM project_teams WHERE project_id = $1",
    "DELETE FROM api_keys WHERE project_id = $1",
    "DELETE FROM service_accounts WHERE project_id = $1",
    "DELETE FROM rate_limits WHERE project_id = $1",
    "DELETE FROM usage_limits WHERE project_id = $1",
    "DELETE FROM certificate_activations WHERE project_id = $1",
    "DELETE FROM resources WHERE project_id = $1",
    "DELETE FROM logos WHERE owner_kind = 'project' AND owner_id = $1",
    "DELETE FROM roles WHERE project_id = $1",
    "DELETE FROM projects WHERE id = $1",
];

/// How many people are in projects through teams alone, by project.
fn only_by_teams(projects: usize) -> String {
    format!(
        "SELECT t.project_id, COUNT(DISTINCT x.email) FROM project_teams t CROSS JOIN people_in x \
         WHERE t.project_id IN ({}) AND x.place_id = t.team_id \
         AND NOT EXISTS (SELECT 1 FROM people_in d WHERE d.place_id = t.project_id AND d.email = x.email) GROUP BY t.project_id",
        places(1, projects)
    )
}

impl Session {
    /// How many people are in projects, of their own and through teams, each once.
    async fn people_in(&mut self, projects: &[String]) -> Result<HashMap<String, i64>, ProviderError> {
        let mut people = self.kept(Kept::Members, projects.iter().map(String::as_str)).await?;
        let values: Vec<Val> = projects.iter().map(|it| Val::from(it.as_str())).collect();
        for (project, more) in self.db.all::<(String, i64)>(&only_by_teams(projects.len()), &values).await? {
            *people.entry(project).or_default() += more;
        }
        Ok(people)
    }

    /// Everybody who reaches a project, by whatever way: its own people, and those of its teams who are not among them.
    pub(super) async fn people_of(&mut self, project_id: &str) -> Result<Counted, ProviderError> {
        let own = self.kept_of(Kept::Members, project_id).await?;
        let by_teams = "SELECT DISTINCT x.email FROM project_teams t CROSS JOIN people_in x WHERE t.project_id = $1 AND x.place_id = t.team_id \
                        AND NOT EXISTS (SELECT 1 FROM people_in d WHERE d.place_id = $1 AND d.email = x.email) ORDER BY x.email";
        let by_teams = self.counted(by_teams, &args![project_id]).await?;
        let count = own.unsigned_abs() + by_teams.count;
        let first = format!("SELECT email FROM people_in WHERE place_id = $1 ORDER BY email LIMIT {}", Counted::KEPT);
        let mut names = self.db.texts(&first, &args![project_id]).await?;
        names.extend(by_teams.kept());
        names.sort();
        Ok(Counted::new(count, names))
    }
}

const WORKING_KEYS: &str = "SELECT name FROM api_keys WHERE project_id = $1 AND status = 'active' ORDER BY name";

/// What ends with a project.
async fn ending(at: &mut Session, project: &ProjectRow) -> Result<Facts, ProviderError> {
    let about = at.surroundings(&project.organization_id).await?;
    let values = args![&project.id];
    let limits = "SELECT subscription_type || ' ' || usage_unit FROM usage_limits WHERE project_id = $1 ORDER BY created_at, id";
    let resources = "SELECT resource_type || ' ' || resource_id FROM resources WHERE project_id = $1 ORDER BY resource_type, resource_id";
    let certificates = "SELECT c.name FROM certificate_activations a JOIN certificates c ON c.id = a.certificate_id \
                        WHERE a.project_id = $1 ORDER BY c.name, c.id";
    let logos = "SELECT p.name FROM logos l JOIN projects p ON p.id = l.owner_id WHERE l.owner_kind = 'project' AND p.id = $1";
    let teams = "SELECT t.name FROM project_teams pt JOIN teams t ON t.id = pt.team_id WHERE pt.project_id = $1 ORDER BY t.name";
    let mut facts = Facts::none()
        .about(about)
        .ends(Thing::Project, Counted::one(&project.name))
        .lose(Losing::Access, at.people_of(&project.id).await?)
        .stops(Thing::Key, at.counted(WORKING_KEYS, &values).await?)
        .ends(Thing::ServiceAccount, at.counted("SELECT name FROM service_accounts WHERE project_id = $1 ORDER BY name", &values).await?)
        .ends(Thing::Role, at.counted("SELECT name FROM roles WHERE project_id = $1 ORDER BY name", &values).await?)
        .ends(Thing::UsageLimit, at.counted(limits, &values).await?)
        .leaves(Thing::Resource, at.counted(resources, &values).await?, "a project")
        .stops(Thing::Certificate, at.counted(certificates, &values).await?)
        .ends(Thing::Logo, at.counted(logos, &values).await?);
    for (what, found) in [
        (("team loses its access", "teams lose their access"), at.counted(teams, &values).await?),
        (
            ("rate limit ends", "rate limits end"),
            at.counted("SELECT model FROM rate_limits WHERE project_id = $1 ORDER BY model", &values).await?,
        ),
    ] {
        if !found.is_none() {
            facts = facts.note(listed(found.count, what, &found.names));
        }
    }
    // `projects` of an invitation is a JSON array of ids.
    let sql = "SELECT email FROM invitations WHERE organization_id = $1 AND status = 'pending' AND expires_at > $2 \
               AND projects LIKE $3 ESCAPE '\\' ORDER BY email";
    let named = format!("%\"{}\"%", like_literal(&project.id));
    let invited = at.counted(sql, &args![&project.organization_id, Timestamp::now().0, named]).await?;
    if !invited.is_none() {
        facts = facts.note(listed(invited.count, ("invitation comes without it", "invitations come without it"), &invited.names));
    }
    let blocked = "SELECT COUNT(*) FROM api_keys WHERE project_id = $1 AND status <> 'active'";
    let blocked = at.db.number(blocked, &args![&project.id]).await?;
    if blocked > 0 {
        facts = facts.note(format!("{blocked} blocked {} with it", if blocked == 1 { "key goes" } else { "keys go" }));
    }
    if project.status != "active" {
        facts = facts.note("it is archived already: nobody could change it or use its keys");
    }
    Ok(facts)
}

pub(super) async fn by_id(at: &mut Session, id: &str) -> Result<ProjectRow, ProviderError> {
    let row = at.db.one(&format!("{PROJECT_COLUMNS} WHERE p.id = $1"), &args![id]).await?;
    row.ok_or_else(|| StoreError::Unreadable(format!("project {id} is missing")).into())
}

fn field_name(field: ProjectField) -> &'static str {
    match field {
        ProjectField::Description => "description",
        ProjectField::ExternalKeyId => "external_key_id",
    }
}

fn target(project: &ProjectRow) -> Target {
    Target::new("project", &project.name, &project.id, &project.organization)
}

fn taken(error: StoreError, name: &str) -> ProviderError {
    if error.is_duplicate() {
        ProviderError::conflict(
            "name_taken",
            format!("a project of this organization is called `{name}` already, or has its slug"),
            "choose another name or slug",
        )
    } else {
        error.into()
    }
}

async fn counted(at: &mut Session, project: ProjectRow) -> Result<Project, ProviderError> {
    let mut list = in_full(at, List::whole(vec![full_view(project.clone())])).await?;
    Ok(list.items.pop().unwrap_or_else(|| full_view(project)))
}

fn brief(it: ProjectRow) -> Project {
    Project { description: None, residency: None, external_key_id: None, created_at: None, ..full_view(it) }
}

fn full_view(it: ProjectRow) -> Project {
    Project {
        project: it.name,
        id: it.id,
        slug: Some(it.slug),
        organization: Some(it.organization),
        team: it.team,
        status: Some(if it.status == "active" { ProjectStatus::Active } else { ProjectStatus::Archived }),
        description: it.description,
        residency: it.residency,
        external_key_id: it.external_key_id,
        owners: None,
        members: None,
        api_keys: None,
        created_at: Some(Timestamp(it.created_at)),
        archived_at: it.archived_at.map(Timestamp),
    }
}
