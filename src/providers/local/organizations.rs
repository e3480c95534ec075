//! Organizations of the directory.

use serde_json::{Value, json};

use super::{
    Session, invitations, members,
    page::PageQuery,
    resolve::OrganizationRow,
    select::{self, Kept, Select},
};
use crate::{
    domain::{
        Change, Counted, Email, Facts, Inverse, List, Losing, PageRequest, Surroundings, Target, Thing, Timestamp,
        access::{Grant, Holder, Named, Place},
        fold,
        organizations::Organization,
    },
    error::ProviderError,
    providers::fields,
    store::{StoreError, args, new_id},
    tools::organizations::{
        CreateOrganization, DeleteOrganization, GetOrganization, ListOrganizations, OrganizationField, UpdateOrganization,
    },
};

const COLUMNS: &str = "o.id, o.name, o.slug, o.description, o.website, o.created_at";

pub(super) async fn list(at: &mut Session, op: &ListOrganizations) -> Result<List<Organization>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let mut found = Select::new(COLUMNS, "organizations o");
    if let Some(pinned) = at.pinned().await? {
        found.with("o.id = {}", pinned.id);
    }
    let all = found.count(at).await?;
    if let Some(query) = &op.query {
        found.with_part(&["o.name_key", "o.slug"], query);
    }
    let total = found.total(at, all).await?;
    let rows: Vec<OrganizationRow> = found.page(at, &["o.slug"], page.after_one(), &page).await?;
    let ids = || rows.iter().map(|it| it.id.as_str());
    let (members, projects) = (at.kept(Kept::Members, ids()).await?, at.kept(Kept::Projects, ids()).await?);
    let brief = |it: OrganizationRow| Organization {
        members: select::of(&members, &it.id),
        projects: select::of(&projects, &it.id),
        description: None,
        website: None,
        created_at: None,
        ..view(it)
    };
    Ok(page.page(rows, total, |it| it.slug.clone(), brief))
}

pub(super) async fn get(at: &mut Session, op: &GetOrganization) -> Result<Organization, ProviderError> {
    let organization = at.organization(Some(&op.organization)).await?;
    counted(at, organization).await
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
    let facts = match &op.admin_email {
        Some(email) => first_owner(at, &id, op.name.as_str(), email).await?,
        None => Facts::none().note("it starts without an owner; `admin_email` names one"),
    };
    let target = Target { organization: None, ..Target::new_one("organization", op.name.as_str(), "") };
    let inverse = Inverse::call::<DeleteOrganization>(json!({ "organization": id }));
    Ok(Change::created(target, facts.undo("delete_organization"), by_id(at, &id).await?).inverse(inverse))
}

/// Makes somebody the owner of a new organization: at once with an account, by an invitation without one.
async fn first_owner(at: &mut Session, organization_id: &str, name: &str, email: &Email) -> Result<Facts, ProviderError> {
    let facts = Facts::none().about(at.surroundings_of_new(name, email).await?);
    let role = members::role_by_id(at, members::OWNER).await?;
    // The id is another one each time the change is planned.
    let place = Place::Organization(Named::new(name, ""));
    let Some(user) = members::user_with(at, email).await? else {
        invitations::insert(at, organization_id, email, &role.id, &[]).await?;
        let invited = Grant::own(Holder::Invitation(email.to_string()), role.held(), place).pending();
        return Ok(facts.gives(invited).note(format!("{email} has no account; create_user settles the invitation")));
    };
    members::enroll(at, organization_id, &user.id, &role.id).await?;
    Ok(facts.gives(Grant::own(user.holder(), role.held(), place)))
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
    let facts = Facts::none().undo("update_organization with the values in `before`");
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
    Ok(Change::updated(target(&organization), facts, view(organization), after).inverse(inverse))
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
    let facts = ending(at, &organization).await?;
    at.last(&ALL_OF_IT, &args![&organization.id]).await?;
    Ok(Change::removed(target(&organization), facts, before))
}

/// Deletes an organization and all that hangs on it, each kind as a set.
const ALL_OF_IT: [&str; 21] = [
    "DELETE FROM role_assignments WHERE organization_id = $1",
    "DELETE FROM project_members WHERE project_id IN (SELECT id FROM projects WHERE organization_id = $1)",
    "DELETE FROM project_teams WHERE project_id IN (SELECT id FROM projects WHERE organization_id = $1)",
    "DELETE FROM api_keys WHERE project_id IN (SELECT id FROM projects WHERE organization_id = $1)",
    "DELETE FROM service_accounts WHERE project_id IN (SELECT id FROM projects WHERE organization_id = $1)",
    "DELETE FROM rate_limits WHERE project_id IN (SELECT id FROM projects WHERE organization_id = $1)",
    "DELETE FROM usage_limits WHERE organization_id = $1",
    "DELETE FROM certificate_activations WHERE project_id IN (SELECT id FROM projects WHERE organization_id = $1)",
    "DELETE FROM certificate_activations WHERE certificate_id IN (SELECT id FROM certificates WHERE organization_id = $1)",
    "DELETE FROM certificates WHERE organization_id = $1",
    "DELETE FROM resources WHERE project_id IN (SELECT id FROM projects WHERE organization_id = $1)",
    "DELETE FROM logos WHERE owner_kind = 'project' AND owner_id IN (SELECT id FROM projects WHERE organization_id = $1)",
    "DELETE FROM logos WHERE owner_kind = 'team' AND owner_id IN (SELECT id FROM teams WHERE organization_id = $1)",
    "DELETE FROM logos WHERE owner_kind = 'organization' AND owner_id = $1",
    "DELETE FROM projects WHERE organization_id = $1",
    "DELETE FROM invitations WHERE organization_id = $1",
    "DELETE FROM team_members WHERE team_id IN (SELECT id FROM teams WHERE organization_id = $1)",
    "DELETE FROM teams WHERE organization_id = $1",
    "DELETE FROM organization_members WHERE organization_id = $1",
    "DELETE FROM roles WHERE organization_id = $1",
    "DELETE FROM organizations WHERE id = $1",
];

/// Who loses what when an organization ends.
async fn ending(at: &mut Session, organization: &OrganizationRow) -> Result<Facts, ProviderError> {
    let id = &organization.id;
    let people = (at.kept_of(Kept::Members, id).await?, "SELECT email FROM people_in WHERE place_id = $1 ORDER BY email");
    let projects = at.kept_of(Kept::Projects, id).await? + at.kept_of(Kept::Archived, id).await?;
    let projects = (projects, "SELECT name FROM projects WHERE organization_id = $1 ORDER BY slug");
    let teams = (at.kept_of(Kept::Teams, id).await?, "SELECT name FROM teams WHERE organization_id = $1 ORDER BY slug");
    let of_projects = "JOIN projects p ON p.id = it.project_id WHERE p.organization_id = $1";
    let keys = (
        at.kept_of(Kept::Keys, id).await?,
        &*format!("SELECT it.name FROM api_keys it {of_projects} AND it.status = 'active' ORDER BY it.name, it.id"),
    );
    let accounts = format!("SELECT it.name FROM service_accounts it {of_projects} ORDER BY it.name, it.id");
    let limits = "SELECT subscription_type || ' ' || usage_unit FROM usage_limits WHERE organization_id = $1 ORDER BY created_at, id";
    let resources = format!(
        "SELECT it.resource_type || ' ' || it.resource_id FROM resources it {of_projects} ORDER BY it.resource_type, it.resource_id"
    );
    let logos = "SELECT owned.name FROM logos l JOIN (SELECT 'organization' AS kind, id, name FROM organizations WHERE id = $1 \
                 UNION ALL SELECT 'team', id, name FROM teams WHERE organization_id = $1 \
                 UNION ALL SELECT 'project', id, name FROM projects WHERE organization_id = $1) owned \
                 ON owned.kind = l.owner_kind AND owned.id = l.owner_id ORDER BY owned.name, owned.id";
    let roles = "SELECT name FROM roles WHERE organization_id = $1 ORDER BY name, id";
    let certificates = "SELECT name FROM certificates WHERE organization_id = $1 ORDER BY name, id";
    let values = args![id];
    let facts = Facts::none()
        // How much it has is not told: all of it goes, and the organization itself is what has to be named.
        .about(Surroundings { organization: organization.name.clone(), ..Surroundings::default() })
        .ends(Thing::Organization, Counted::one(&organization.name))
        .lose(Losing::Access, at.so_many(people, &values).await?)
        .ends(Thing::Project, at.so_many(projects, &values).await?)
        .ends(Thing::Team, at.so_many(teams, &values).await?)
        .stops(Thing::Key, at.so_many(keys, &values).await?)
        .ends(Thing::ServiceAccount, at.counted(&accounts, &values).await?)
        .ends(Thing::Role, at.counted(roles, &values).await?)
        .ends(Thing::Certificate, at.counted(certificates, &values).await?)
        .ends(Thing::UsageLimit, at.counted(limits, &values).await?)
        .leaves(Thing::Resource, at.counted(&resources, &values).await?, "a project")
        .ends(Thing::Logo, at.counted(logos, &values).await?);
    let sql = "SELECT email FROM invitations WHERE organization_id = $1 AND status = 'pending' AND expires_at > $2 ORDER BY email";
    let invited = at.counted(sql, &args![id, Timestamp::now().0]).await?;
    let facts = facts.stops(Thing::Invitation, invited).note("people keep their accounts");
    Ok(match at.settings.pin {
        Some(_) => facts.note("this connection is kept to this organization and will have nothing left to work on"),
        None => facts,
    })
}

async fn by_id(at: &mut Session, id: &str) -> Result<Organization, ProviderError> {
    let row = at.db.one(&format!("SELECT {COLUMNS} FROM organizations o WHERE o.id = $1"), &args![id]).await?;
    let row: OrganizationRow = row.ok_or_else(|| StoreError::Unreadable(format!("organization {id} is missing")))?;
    counted(at, row).await
}

/// With how many people and active projects it has.
async fn counted(at: &mut Session, it: OrganizationRow) -> Result<Organization, ProviderError> {
    let (members, projects) = (at.kept_of(Kept::Members, &it.id).await?, at.kept_of(Kept::Projects, &it.id).await?);
    Ok(Organization { members: u64::try_from(members).ok(), projects: u64::try_from(projects).ok(), ..view(it) })
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
