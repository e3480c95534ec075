//! Projects of the directory.

use super::{
    Session,
    page::PageQuery,
    resolve::{PROJECT_COLUMNS, ProjectRow},
};
use crate::{
    domain::{
        Change, Gravity, Impact, List, PageRequest, Query, Target, Timestamp, fold,
        projects::{Project, ProjectStatus},
        slugify,
    },
    error::ProviderError,
    store::{StoreError, args, new_id, row},
    tools::projects::{ArchiveProject, CreateProject, DeleteProject, Detail, GetProject, ListProjects, ProjectField, UpdateProject},
};

pub(super) async fn list(at: &mut Session, op: &ListProjects) -> Result<List<Project>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let organization = match (&op.organization, at.pinned().await?) {
        (None, pinned) => pinned.map(|it| it.id),
        (Some(named), _) => Some(at.organization(Some(named)).await?.id),
    };
    let team: Option<String> = None;
    let query = op.query.as_ref().map(Query::as_str);
    let filter = "($1 IS NULL OR p.organization_id = $1) AND ($2 IS NULL OR p.team_id = $2) \
                  AND ($3 IS NULL OR p.name_key LIKE '%' || $3 || '%' OR p.slug LIKE '%' || $3 || '%') AND ($4 OR p.status = 'active')";
    let archived = op.include_archived.unwrap_or(false);
    let rows: Vec<ProjectRow> = at
        .db
        .all(
            &format!(
                "{PROJECT_COLUMNS} WHERE {filter} AND ($5 IS NULL OR p.slug || ' ' || p.id > $5) ORDER BY p.slug || ' ' || p.id LIMIT $6"
            ),
            &args![&organization, &team, query, archived, &page.after, page.rows()],
        )
        .await?;
    let total =
        at.db.number(&format!("SELECT COUNT(*) FROM projects p WHERE {filter}"), &args![&organization, &team, query, archived]).await?;
    let full = op.detail == Some(Detail::Full);
    Ok(page.page(rows, Some(total), |it| format!("{} {}", it.slug, it.id), |it| if full { full_view(it) } else { brief(it) }))
}

pub(super) async fn get(at: &mut Session, op: &GetProject) -> Result<Project, ProviderError> {
    let project = at.project(&op.project).await?;
    counted(at, project).await
}

pub(super) async fn create(at: &mut Session, op: &CreateProject) -> Result<Change<Project>, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    let slug = op.slug.as_ref().map_or_else(|| slugify(op.name.as_str()), ToString::to_string);
    let id = new_id("prj");
    let sql = "INSERT INTO projects (id, organization_id, team_id, name, name_key, slug, description, residency, external_key_id, status, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10)";
    let description = op.description.as_ref().map(ToString::to_string);
    let values = args![
        &id,
        &organization.id,
        None::<String>,
        op.name.as_str(),
        fold(op.name.as_str()),
        slug,
        description,
        &op.residency,
        &op.external_key_id,
        Timestamp::now().0
    ];
    at.db.run(sql, &values).await.map_err(|error| taken(error, op.name.as_str()))?;
    let project = by_id(at, &id).await?;
    let target = Target::new_one("project", &project.name, &project.organization);
    Ok(Change::created(target, Impact::none().undo("delete_project"), full_view(project)))
}

pub(super) async fn update(at: &mut Session, op: &UpdateProject) -> Result<Change<Project>, ProviderError> {
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
        &op.external_key_id,
        clears(ProjectField::ExternalKeyId)
    ];
    at.db.run(sql, &values).await.map_err(|error| taken(error, name.as_deref().unwrap_or(&project.name)))?;
    let after = by_id(at, &project.id).await?;
    let target = target(&project);
    Ok(Change::updated(target, Impact::none().undo("update_project with the values in `before`"), full_view(project), full_view(after)))
}

pub(super) async fn archive(at: &mut Session, op: &ArchiveProject) -> Result<Change<Project>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let impact = impact(at, &project, Impact::of(Gravity::High)).await?;
    let before = counted(at, project.clone()).await?;
    at.db.run("UPDATE projects SET status = 'archived', archived_at = $2 WHERE id = $1", &args![&project.id, Timestamp::now().0]).await?;
    let after = by_id(at, &project.id).await?;
    Ok(Change::updated(target(&project), impact, before, full_view(after)))
}

pub(super) async fn delete(at: &mut Session, op: &DeleteProject) -> Result<Change<Project>, ProviderError> {
    let project = at.project(&op.project).await?;
    let impact = impact(at, &project, Impact::of(Gravity::High)).await?;
    let before = counted(at, project.clone()).await?;
    remove(at, &project.id).await?;
    Ok(Change::removed(target(&project), impact, before))
}

/// Deletes a project's row and all that hangs on it.
pub(super) async fn remove(at: &mut Session, id: &str) -> Result<(), ProviderError> {
    for sql in [
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
    ] {
        at.db.run(sql, &args![id]).await?;
    }
    Ok(())
}

/// Who loses what when a project ends.
async fn impact(at: &mut Session, project: &ProjectRow, impact: Impact) -> Result<Impact, ProviderError> {
    let people = "SELECT u.email FROM users u WHERE u.id IN (SELECT user_id FROM project_members WHERE project_id = $1 UNION \
                  SELECT m.user_id FROM team_members m JOIN project_teams t ON t.team_id = m.team_id WHERE t.project_id = $1) ORDER BY u.email";
    let (people, names) = at.count_and_name(people, &args![&project.id]).await?;
    let (keys, key_names) = at
        .count_and_name("SELECT name FROM api_keys WHERE project_id = $1 AND status = 'active' ORDER BY name", &args![&project.id])
        .await?;
    Ok(impact.loses(people, ("person loses access", "people lose access"), names).loses(
        keys,
        ("key stops working", "keys stop working"),
        key_names,
    ))
}

pub(super) async fn by_id(at: &mut Session, id: &str) -> Result<ProjectRow, ProviderError> {
    let row = at.db.one(&format!("{PROJECT_COLUMNS} WHERE p.id = $1"), &args![id]).await?;
    row.ok_or_else(|| StoreError::Unreadable(format!("project {id} is missing")).into())
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

row! {
    struct Counts { members: i64, api_keys: i64 }
}

async fn counted(at: &mut Session, project: ProjectRow) -> Result<Project, ProviderError> {
    let sql = "SELECT (SELECT COUNT(*) FROM project_members WHERE project_id = $1) AS members, \
               (SELECT COUNT(*) FROM api_keys WHERE project_id = $1) AS api_keys";
    let counts: Option<Counts> = at.db.one(sql, &args![&project.id]).await?;
    let mut view = full_view(project);
    if let Some(counts) = counts {
        view.members = u64::try_from(counts.members).ok();
        view.api_keys = u64::try_from(counts.api_keys).ok();
    }
    Ok(view)
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
        members: None,
        api_keys: None,
        created_at: Some(Timestamp(it.created_at)),
        archived_at: it.archived_at.map(Timestamp),
    }
}
