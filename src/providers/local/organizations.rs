//! Organizations of the directory.

use serde_json::{Value, json};

use super::{Session, invitations, members, page::PageQuery, permissions::grant_gravity, projects, resolve::OrganizationRow};
use crate::{
    domain::{Change, Email, Gravity, Impact, Inverse, List, PageRequest, Query, Target, Timestamp, fold, organizations::Organization},
    error::ProviderError,
    providers::fields,
    store::{StoreError, args, new_id, row},
    tools::organizations::{
        CreateOrganization, DeleteOrganization, GetOrganization, ListOrganizations, OrganizationField, UpdateOrganization,
    },
};

row! {
    struct CountedRow {
        id: String, name: String, slug: String, description: Option<String>, website: Option<String>, created_at: i64,
        members: i64, projects: i64,
    }
}

const COUNTED_COLUMNS: &str = "SELECT o.id, o.name, o.slug, o.description, o.website, o.created_at, \
     (SELECT COUNT(*) FROM organization_members m WHERE m.organization_id = o.id) AS members, \
     (SELECT COUNT(*) FROM projects p WHERE p.organization_id = o.id AND p.status = 'active') AS projects FROM organizations o";

pub(super) async fn list(at: &mut Session, op: &ListOrganizations) -> Result<List<Organization>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let pinned = at.pinned().await?.map(|it| it.id);
    let query = op.query.as_ref().map(Query::like);
    let filter = "($1 IS NULL OR o.id = $1) AND ($2 IS NULL OR o.name_key LIKE $2 ESCAPE '\\' OR o.slug LIKE $2 ESCAPE '\\')";
    let sql = format!("{COUNTED_COLUMNS} WHERE {filter} AND ($3 IS NULL OR o.slug > $3) ORDER BY o.slug LIMIT $4");
    let rows: Vec<CountedRow> = at.db.all(&sql, &args![&pinned, &query, &page.after, page.rows()]).await?;
    let total = at.db.number(&format!("SELECT COUNT(*) FROM organizations o WHERE {filter}"), &args![&pinned, &query]).await?;
    Ok(page.page(
        rows,
        Some(total),
        |it| it.slug.clone(),
        |it| Organization { description: None, website: None, created_at: None, ..counted(it) },
    ))
}

pub(super) async fn get(at: &mut Session, op: &GetOrganization) -> Result<Organization, ProviderError> {
    let organization = at.organization(Some(&op.organization)).await?;
    by_id(at, &organization.id).await
}

pub(super) async fn create(at: &mut Session, op: &CreateOrganization) -> Result<Change<Organization>, ProviderError> {
    if let Some(pinned) = at.pinned().await? {
        return Err(ProviderError::conflict(
            "outside_connection",
            format!("`{}` would be another organization; this connection is kept to `{}`", op.name, pinned.name),
            "use another connection",
        ));
    }
    let id = new_id("org");
    let slug = fields::slug(op.slug.as_ref(), &op.name)?;
    let sql = "INSERT INTO organizations (id, name, name_key, slug, description, website, runtime_policies, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, NULL, $7)";
    let values = args![
        &id,
        op.name.as_str(),
        fold(op.name.as_str()),
        slug,
        op.description.as_ref().map(ToString::to_string),
        op.website.as_ref().map(ToString::to_string),
        Timestamp::now().0
    ];
    at.db.run(sql, &values).await.map_err(|error| taken(error, op.name.as_str()))?;
    let impact = match &op.admin_email {
        Some(email) => first_owner(at, &id, email).await?,
        None => Impact::none(),
    };
    let target = Target { organization: None, ..Target::new_one("organization", op.name.as_str(), "") };
    let inverse = Inverse::call::<DeleteOrganization>(json!({ "organization": id }));
    Ok(Change::created(target, impact.undo("delete_organization"), by_id(at, &id).await?).inverse(inverse))
}

/// Makes somebody the owner of a new organization: at once with an account, by an invitation without one.
///
/// A new organization has nobody who could vouch for a mail domain, so the whole directory does.
async fn first_owner(at: &mut Session, organization_id: &str, email: &Email) -> Result<Impact, ProviderError> {
    let outsider = members::is_outsider(at, None, email.as_str()).await?;
    let role = members::role_by_id(at, members::OWNER).await?;
    let mut impact = Impact::of(grant_gravity(&role.permissions(), outsider));
    if outsider {
        impact = impact.note(format!("nobody else in this directory has an e-mail at {}", email.domain()));
    }
    let Some(user) = members::user_with(at, email).await? else {
        invitations::insert(at, organization_id, email, &role.id, &[]).await?;
        return Ok(impact.note(format!("{email} has no account: invited as its owner; create_user settles that")));
    };
    members::enroll(at, organization_id, &user.id, &role.id).await?;
    Ok(impact.note(format!("{email} becomes its owner at once")))
}

pub(super) async fn update(at: &mut Session, op: &UpdateOrganization) -> Result<Change<Organization>, ProviderError> {
    let organization = at.organization(Some(&op.organization)).await?;
    let clears = |field| op.clear.contains(&field);
    let named = [
        ("name", op.name.is_some()),
        ("description", op.description.is_some()),
        ("slug", op.slug.is_some()),
        ("website", op.website.is_some()),
    ];
    let cleared: Vec<&str> = op
        .clear
        .iter()
        .map(|it| match it {
            OrganizationField::Description => "description",
            OrganizationField::Website => "website",
        })
        .collect();
    fields::named(&named, &cleared)?;
    let name = op.name.as_ref().map(ToString::to_string);
    let slug = op.slug.as_ref().map(ToString::to_string);
    stays_pinned(at, &organization, name.as_deref(), slug.as_deref())?;
    let sql = "UPDATE organizations SET name = COALESCE($2, name), name_key = COALESCE($3, name_key), slug = COALESCE($4, slug), \
               description = CASE WHEN $6 THEN NULL ELSE COALESCE($5, description) END, \
               website = CASE WHEN $8 THEN NULL ELSE COALESCE($7, website) END WHERE id = $1";
    let values = args![
        &organization.id,
        &name,
        name.as_deref().map(fold),
        &slug,
        op.description.as_ref().map(ToString::to_string),
        clears(OrganizationField::Description),
        op.website.as_ref().map(ToString::to_string),
        clears(OrganizationField::Website)
    ];
    at.db.run(sql, &values).await.map_err(|error| taken(error, name.as_deref().unwrap_or(&organization.name)))?;
    let after = by_id(at, &organization.id).await?;
    let impact = Impact::none().undo("update_organization with the values in `before`");
    let after = Organization { members: None, projects: None, ..after };
    let now = [
        ("name", op.name.is_some()),
        ("description", op.description.is_some() || clears(OrganizationField::Description)),
        ("slug", op.slug.is_some()),
        ("website", op.website.is_some() || clears(OrganizationField::Website)),
    ];
    let former = [
        ("name", Some(json!(organization.name))),
        ("description", organization.description.clone().map(Value::from)),
        ("slug", Some(json!(organization.slug))),
        ("website", organization.website.clone().map(Value::from)),
    ];
    let inverse = fields::back::<UpdateOrganization>(json!({ "organization": organization.id }), &now, &former);
    Ok(Change::updated(target(&organization), impact, view(organization), after).inverse(inverse))
}

/// A connection that is kept to a name would be kept to nothing, or to whoever takes the name next.
fn stays_pinned(at: &Session, organization: &OrganizationRow, name: Option<&str>, slug: Option<&str>) -> Result<(), ProviderError> {
    let Some(pin) = at.settings.pin.as_deref() else { return Ok(()) };
    let (name, slug) = (name.unwrap_or(&organization.name), slug.unwrap_or(&organization.slug));
    if pin == organization.id || fold(pin) == fold(name) || fold(pin) == slug {
        return Ok(());
    }
    Err(ProviderError::conflict(
        "pinned_name",
        format!("the connection is kept to this organization by `{pin}`, which would no longer mean it"),
        format!("keep that name, or have the connection configured with `organization = \"{}\"` first", organization.id),
    ))
}

pub(super) async fn delete(at: &mut Session, op: &DeleteOrganization) -> Result<Change<Organization>, ProviderError> {
    let organization = at.organization(Some(&op.organization)).await?;
    let before = by_id(at, &organization.id).await?;
    let impact = ending(at, &organization).await?;
    for project in at.db.texts("SELECT id FROM projects WHERE organization_id = $1", &args![&organization.id]).await? {
        projects::remove(at, &project).await?;
    }
    for sql in [
        "DELETE FROM role_assignments WHERE organization_id = $1",
        "DELETE FROM usage_limits WHERE organization_id = $1",
        "DELETE FROM certificate_activations WHERE certificate_id IN (SELECT id FROM certificates WHERE organization_id = $1)",
        "DELETE FROM certificates WHERE organization_id = $1",
        "DELETE FROM logos WHERE owner_kind = 'team' AND owner_id IN (SELECT id FROM teams WHERE organization_id = $1)",
        "DELETE FROM logos WHERE owner_kind = 'organization' AND owner_id = $1",
        "DELETE FROM invitations WHERE organization_id = $1",
        "DELETE FROM team_members WHERE team_id IN (SELECT id FROM teams WHERE organization_id = $1)",
        "DELETE FROM teams WHERE organization_id = $1",
        "DELETE FROM organization_members WHERE organization_id = $1",
        "DELETE FROM roles WHERE organization_id = $1",
        "DELETE FROM organizations WHERE id = $1",
    ] {
        at.db.run(sql, &args![&organization.id]).await?;
    }
    Ok(Change::removed(target(&organization), impact, before))
}

/// Who loses what when an organization ends.
async fn ending(at: &mut Session, organization: &OrganizationRow) -> Result<Impact, ProviderError> {
    let mut impact = Impact::of(Gravity::Critical);
    for (sql, what) in [
        (
            "SELECT u.email FROM organization_members m JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1 ORDER BY u.email",
            ("person loses access", "people lose access"),
        ),
        ("SELECT name FROM projects WHERE organization_id = $1 ORDER BY slug", ("project ends", "projects end")),
        ("SELECT name FROM teams WHERE organization_id = $1 ORDER BY slug", ("team ends", "teams end")),
        (
            "SELECT k.name FROM api_keys k JOIN projects p ON p.id = k.project_id \
             WHERE p.organization_id = $1 AND k.status = 'active' ORDER BY k.name, k.id",
            ("key stops working", "keys stop working"),
        ),
        (
            "SELECT s.name FROM service_accounts s JOIN projects p ON p.id = s.project_id WHERE p.organization_id = $1 ORDER BY s.name, s.id",
            ("service account ends", "service accounts end"),
        ),
        ("SELECT name FROM roles WHERE organization_id = $1 ORDER BY name, id", ("role of its own ends", "roles of its own end")),
        ("SELECT name FROM certificates WHERE organization_id = $1 ORDER BY name, id", ("certificate ends", "certificates end")),
        (
            "SELECT subscription_type || ' ' || usage_unit FROM usage_limits WHERE organization_id = $1 ORDER BY created_at, id",
            ("usage limit ends", "usage limits end"),
        ),
        (
            "SELECT r.resource_type || ' ' || r.resource_id FROM resources r JOIN projects p ON p.id = r.project_id \
             WHERE p.organization_id = $1 ORDER BY r.resource_type, r.resource_id",
            ("resource is assigned to no project", "resources are assigned to no project"),
        ),
        (
            "SELECT owned.name FROM logos l JOIN (SELECT 'organization' AS kind, id, name FROM organizations WHERE id = $1 \
             UNION ALL SELECT 'team', id, name FROM teams WHERE organization_id = $1 \
             UNION ALL SELECT 'project', id, name FROM projects WHERE organization_id = $1) owned \
             ON owned.kind = l.owner_kind AND owned.id = l.owner_id ORDER BY owned.name, owned.id",
            ("logo ends", "logos end"),
        ),
    ] {
        let (count, names) = at.count_and_name(sql, &args![&organization.id]).await?;
        impact = impact.loses(count, what, names);
    }
    let sql = "SELECT email FROM invitations WHERE organization_id = $1 AND status = 'pending' AND expires_at > $2 ORDER BY email";
    let (invited, emails) = at.count_and_name(sql, &args![&organization.id, Timestamp::now().0]).await?;
    impact = impact.loses(invited, ("invitation is void", "invitations are void"), emails).note("people keep their accounts");
    if at.settings.pin.is_some() {
        impact = impact.note("this connection is kept to this organization and will have nothing left to work on");
    }
    Ok(impact)
}

async fn by_id(at: &mut Session, id: &str) -> Result<Organization, ProviderError> {
    let row = at.db.one(&format!("{COUNTED_COLUMNS} WHERE o.id = $1"), &args![id]).await?;
    Ok(counted(row.ok_or_else(|| StoreError::Unreadable(format!("organization {id} is missing")))?))
}

fn target(organization: &OrganizationRow) -> Target {
    Target::new("organization", &organization.name, &organization.id, &organization.name)
}

fn taken(error: StoreError, name: &str) -> ProviderError {
    if error.is_duplicate() {
        ProviderError::conflict(
            "name_taken",
            format!("an organization is called `{name}` already, or has its slug"),
            "choose another name or slug",
        )
    } else {
        error.into()
    }
}

fn view(it: OrganizationRow) -> Organization {
    Organization {
        organization: it.name,
        id: it.id,
        slug: Some(it.slug),
        description: it.description,
        website: it.website,
        members: None,
        projects: None,
        created_at: Some(Timestamp(it.created_at)),
    }
}

fn counted(it: CountedRow) -> Organization {
    Organization {
        organization: it.name,
        id: it.id,
        slug: Some(it.slug),
        description: it.description,
        website: it.website,
        members: u64::try_from(it.members).ok(),
        projects: u64::try_from(it.projects).ok(),
        created_at: Some(Timestamp(it.created_at)),
    }
}
