//! Resources of projects: datasets, models and the like, which live elsewhere and are only pointed at.

use serde_json::{Value, json};

use super::{Session, page::PageQuery, resolve::ProjectRow, select::Select};
use crate::{
    domain::{
        Change, Facts, Inverse, List, Losing, PageRequest, ReferenceText as _, ResourceId, ResourceType, Target, Timestamp, fold,
        projects::Resource,
    },
    error::ProviderError,
    store::{StoreError, args, row},
    tools::resources::{AssignProjectResource, ListProjectResources, RemoveProjectResource},
};

row! {
    struct ResourceRow { resource_type: String, resource_id: String, assigned_at: i64 }
}

row! {
    struct Holder { project_id: String, project: String, status: String, organization_id: String }
}

pub(super) async fn list(at: &mut Session, op: &ListProjectResources) -> Result<List<Resource>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let project = at.project(&op.project).await?;
    let kind = op.resource_type.as_ref().map(kind);
    let mut found = Select::new("resource_type, resource_id, assigned_at", "resources");
    found.with("project_id = {}", &project.id);
    if let Some(kind) = &kind {
        found.with("resource_type = {}", kind);
    }
    let total = found.total(at, 0).await?;
    // Types and ids may hold spaces, but no tabs: so the key can be taken apart.
    let after = page.after.as_ref().map(|it| it.split_once('\t').unwrap_or((it, "")));
    let after = after.map(|(kind, id)| vec![kind.to_owned(), id.to_owned()]);
    let rows: Vec<ResourceRow> = found.page(at, &["resource_type", "resource_id"], after, &page).await?;
    Ok(page.page(rows, total, |it| format!("{}\t{}", it.resource_type, it.resource_id), |it| view(&project, it)))
}

pub(super) async fn assign(at: &mut Session, op: &AssignProjectResource) -> Result<Change<Resource>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let row = ResourceRow {
        resource_type: kind(&op.resource_type),
        resource_id: op.resource_id.text().to_owned(),
        assigned_at: Timestamp::now().0,
    };
    if let Some(holder) = holder(at, &row).await? {
        return Err(assigned(at, &project, &holder, &op.resource_id).await?);
    }
    let sql = "INSERT INTO resources (project_id, resource_type, resource_id, assigned_at) VALUES ($1, $2, $3, $4)";
    at.db.run(sql, &args![&project.id, &row.resource_type, &row.resource_id, row.assigned_at]).await?;
    let facts = Facts::none().undo("remove_project_resource");
    let inverse = Inverse::call::<RemoveProjectResource>(named(&project, &row));
    Ok(Change::created(target(&project, &row), facts, view(&project, row)).inverse(inverse))
}

pub(super) async fn remove(at: &mut Session, op: &RemoveProjectResource) -> Result<Change<Resource>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let sql =
        "SELECT resource_type, resource_id, assigned_at FROM resources WHERE project_id = $1 AND resource_type = $2 AND resource_id = $3";
    let found: Option<ResourceRow> = at.db.one(sql, &args![&project.id, kind(&op.resource_type), op.resource_id.text()]).await?;
    let Some(row) = found else {
        let wanted = ResourceRow { resource_type: kind(&op.resource_type), resource_id: op.resource_id.text().to_owned(), assigned_at: 0 };
        // Ids are somebody else's: one that is assigned elsewhere is known, any other may be mistyped.
        let pinned = at.pinned().await?.is_some();
        if holder(at, &wanted).await?.is_some_and(|it| !pinned || it.organization_id == project.organization_id) {
            let message = format!("{} `{}` is not assigned to project `{}`", wanted.resource_type, wanted.resource_id, project.name);
            return Err(ProviderError::gone(message, "list_project_resources"));
        }
        return Err(ProviderError::NotFound {
            kind: "resource",
            name: format!("{} {}", op.resource_type, op.resource_id),
            scope: format!("project `{}`", project.name),
            fix: "find it with list_project_resources; ids are matched whole".into(),
        });
    };
    let people = at.people_of(&project.id).await?;
    let sql = "DELETE FROM resources WHERE project_id = $1 AND resource_type = $2 AND resource_id = $3";
    at.db.run(sql, &args![&project.id, &row.resource_type, &row.resource_id]).await?;
    let facts = Facts::none().lose(Losing::Use, people).note("the resource itself stays").undo("assign_project_resource");
    let inverse = Inverse::call::<AssignProjectResource>(named(&project, &row));
    Ok(Change::removed(target(&project, &row), facts, view(&project, row)).inverse(inverse))
}

/// A resource of a project, as the arguments of both operations name it.
fn named(project: &ProjectRow, row: &ResourceRow) -> Value {
    json!({ "project": project.id, "resource_type": row.resource_type, "resource_id": row.resource_id })
}

/// Types are words, so their case does not matter; ids are somebody else's, so it does.
fn kind(named: &ResourceType) -> String {
    fold(named.text())
}

async fn holder(at: &mut Session, row: &ResourceRow) -> Result<Option<Holder>, StoreError> {
    let sql = "SELECT r.project_id, p.name AS project, p.status, p.organization_id FROM resources r JOIN projects p ON p.id = r.project_id \
               WHERE r.resource_type = $1 AND r.resource_id = $2";
    at.db.one(sql, &args![&row.resource_type, &row.resource_id]).await
}

/// Says who has the resource, if that is anything this connection may see.
async fn assigned(at: &mut Session, project: &ProjectRow, holder: &Holder, id: &ResourceId) -> Result<ProviderError, ProviderError> {
    let within = at.pinned().await?.is_none_or(|it| it.id == holder.organization_id);
    if holder.project_id == project.id {
        let message = format!("resource `{id}` is assigned to this project, `{}` already", holder.project);
        return Ok(ProviderError::conflict("already_assigned", message, "nothing needs to be done; see list_project_resources"));
    }
    let (place, fix) = if within && holder.status == "archived" {
        (format!("archived project `{}`", holder.project), "it is freed when that project is deleted with delete_project")
    } else if within {
        (format!("project `{}`", holder.project), "take it off there first with remove_project_resource")
    } else {
        ("a project outside this connection".to_owned(), "ask whoever runs the resource")
    };
    Ok(ProviderError::conflict("resource_assigned", format!("resource `{id}` is assigned to {place} already"), fix))
}

fn target(project: &ProjectRow, row: &ResourceRow) -> Target {
    Target {
        kind: row.resource_type.clone(),
        name: row.resource_id.clone(),
        id: None,
        within: None,
        organization: Some(project.organization.clone()),
    }
    .within("project", &project.name, &project.id)
}

fn view(project: &ProjectRow, it: ResourceRow) -> Resource {
    Resource {
        resource_type: it.resource_type,
        resource_id: it.resource_id,
        project: project.name.clone(),
        assigned_at: Some(Timestamp(it.assigned_at)),
    }
}
