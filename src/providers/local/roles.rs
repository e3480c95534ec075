//! Roles of the directory, and the permissions that they can hold.

use serde_json::{Value, json};

use super::{
    Session,
    access::{Whose, codes},
    compared::Look,
    held::role as held,
    page::PageQuery,
    permissions::{self, CODES},
    resolve::{level_name, only},
    seats::RolePlace,
    select::{COUNTED, Select},
};
use crate::{
    domain::{
        Change, Counted, Facts, Inverse, List, PageRequest, ProjectRef, Query, ReferenceText, RoleRef, Target, Thing, Timestamp,
        access::{self, Grant, Holder, Named},
        fold,
        roles::{Permission, Role, RoleLevel},
    },
    error::ProviderError,
    providers::{fields, role_types},
    store::{StoreError, Val, args, new_id, row},
    tools::roles::{CreateRole, DeleteRole, GetRole, ListPermissions, ListRoles, RoleField, UpdateRole},
};

row! {
    /// A role with the names of where it belongs. `permissions` is a JSON array.
    struct FullRole {
        id: String, organization_id: Option<String>, organization: Option<String>, project_id: Option<String>, project: Option<String>,
        project_status: Option<String>, level: String, name: String, description: Option<String>, permissions: String, built_in: bool,
    }
}

const SELECTED: &str = "r.id, r.organization_id, o.name AS organization, r.project_id, p.name AS project, p.status AS project_status, \
     r.level, r.name, r.description, r.permissions, r.built_in";

const COLUMNS: &str = "SELECT r.id, r.organization_id, o.name AS organization, r.project_id, p.name AS project, p.status AS project_status, \
     r.level, r.name, r.description, r.permissions, r.built_in \
     FROM roles r LEFT JOIN organizations o ON o.id = r.organization_id LEFT JOIN projects p ON p.id = r.project_id";

/// Without a project: built-in roles and those of organizations. With one: the roles that can be held in it.
pub(super) async fn list(at: &mut Session, op: &ListRoles) -> Result<List<Role>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let (organization, project) = match (&op.project, &op.organization) {
        (Some(named), organization) => {
            let project = at.project(named).await?;
            let place = RolePlace::of_project(at, project, organization.as_ref()).await?;
            (Some(place.organization.id), place.project.map(|it| it.id))
        }
        (None, Some(named)) => (Some(at.organization(Some(named)).await?.id), None),
        (None, None) => (at.pinned().await?.map(|it| it.id), None),
    };
    let wanted = role_types::levels(&op.role_types)?;
    let mut levels: Vec<&str> = wanted.iter().map(|it| level_name(*it)).collect();
    if project.is_some() {
        levels.retain(|it| *it == "project");
        levels.extend(wanted.is_empty().then_some("project"));
    }
    let mut found = Select::new(SELECTED, "");
    let after = page.after.as_ref().map(|it| {
        let (level, rest) = it.split_once(' ').unwrap_or((it, ""));
        let (name, id) = rest.rsplit_once(' ').unwrap_or((rest, ""));
        [level, name, id].map(str::to_owned).to_vec()
    });
    let keys = "s.level, s.name_key, s.id";
    let mut limits = if levels.is_empty() { String::new() } else { format!(" AND s.level IN ({})", among(&mut found, &levels)) };
    if project.is_some() && levels.is_empty() {
        " AND 1 = 0".clone_into(&mut limits);
    }
    let total = {
        let mut all = Select::new("r.id", "");
        let limits = if levels.is_empty() { limits.clone() } else { format!(" AND s.level IN ({})", among(&mut all, &levels)) };
        let from = ways_of_roles(&mut all, organization.as_deref(), project.as_deref(), &limits, COUNTED + 1);
        all.reads(format!("({from}) r"));
        all.total(at, 0).await?
    };
    if let Some(after) = &after {
        let values: Vec<String> = after.iter().map(|it| found.bind(it)).collect();
        limits += &format!(" AND ({keys}) > ({})", values.join(", "));
    }
    let from = ways_of_roles(&mut found, organization.as_deref(), project.as_deref(), &limits, page.rows());
    found.reads(format!("({from}) r LEFT JOIN organizations o ON o.id = r.organization_id LEFT JOIN projects p ON p.id = r.project_id"));
    let rows: Vec<FullRole> = found.page(at, &["r.level", "r.name_key", "r.id"], None, &page).await?;
    Ok(page.page(rows, total, |it| format!("{} {} {}", it.level, fold(&it.name), it.id), |it| it.view()))
}

fn among(found: &mut Select, values: &[&str]) -> String {
    values.iter().map(|it| found.bind(*it)).collect::<Vec<_>>().join(", ")
}

/// The built-in roles, those of an organization and those of a project, the first of each; without an organization those of all.
fn ways_of_roles(found: &mut Select, organization: Option<&str>, project: Option<&str>, limits: &str, rows: i64) -> String {
    let first = |which: &str| {
        format!("SELECT * FROM (SELECT * FROM roles s WHERE {which}{limits} ORDER BY s.level, s.name_key, s.id LIMIT {rows}) few")
    };
    let Some(organization) = organization else { return first("s.project_id IS NULL") };
    let organization = found.bind(organization);
    let mut ways =
        vec![first("s.built_in"), first(&format!("NOT s.built_in AND s.organization_id = {organization} AND s.project_id IS NULL"))];
    ways.extend(project.map(|it| first(&format!("s.project_id = {}", found.bind(it)))));
    ways.join(" UNION ALL ")
}

pub(super) async fn get(at: &mut Session, op: &GetRole) -> Result<Role, ProviderError> {
    Ok(find(at, &op.role, op.project.as_ref()).await?.view())
}

pub(super) async fn create(at: &mut Session, op: &CreateRole) -> Result<Change<Role>, ProviderError> {
    let permissions = permissions::checked(&op.permissions)?;
    let place = match &op.project {
        Some(named) => {
            let project = at.active_project(named).await?;
            RolePlace::of_project(at, project, op.organization.as_ref()).await?
        }
        None => RolePlace { organization: at.organization(op.organization.as_ref()).await?, project: None },
    };
    let project = place.project.as_ref().map(|it| it.id.clone());
    let level = if project.is_some() { RoleLevel::Project } else { RoleLevel::Organization };
    let name = op.name.as_str();
    is_free(at, name, level_name(level), Some(&place.organization.id), project.as_deref(), "").await?;
    let id = new_id("role");
    let sql = "INSERT INTO roles (id, organization_id, project_id, level, name, name_key, description, permissions, built_in, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = args![
        &id,
        &place.organization.id,
        &project,
        level_name(level),
        name,
        fold(name),
        op.description.as_ref().map(ToString::to_string),
        codes_as_json(&permissions),
        false,
        Timestamp::now().0
    ];
    at.db.run(sql, &values).await.map_err(|error| if error.is_duplicate() { taken(name) } else { error.into() })?;
    let mut facts = Facts::none().undo("delete_role");
    if permissions::is_privileged(&permissions) {
        facts = facts.unseen(format!("whoever is given it gets power over others: {}", permissions.join(", ")));
    }
    let after = by_id(at, &id).await?.view();
    let target = Target::new_one("role", name, &place.organization.name);
    let target = match &place.project {
        Some(project) => target.within("project", &project.name, &project.id),
        None => target,
    };
    let inverse = Inverse::call::<DeleteRole>(json!({ "role": id, "project": project }));
    Ok(Change::created(target, facts, after).inverse(inverse))
}

pub(super) async fn update(at: &mut Session, op: &UpdateRole) -> Result<Change<Role>, ProviderError> {
    let clears = op.clear.contains(&RoleField::Description);
    if op.name.is_none() && op.permissions.is_none() && op.description.is_none() && !clears {
        return Err(ProviderError::invalid("nothing to change is given", "give `name`, `permissions`, `description` or `clear`"));
    }
    if op.description.is_some() && clears {
        return Err(ProviderError::invalid("`description` is given and cleared", "give it, or name it in `clear`"));
    }
    let new = op.permissions.as_deref().map(permissions::checked).transpose()?;
    let role = changeable(find(at, &op.role, op.project.as_ref()).await?)?;
    let name = op.name.as_ref().map(ToString::to_string);
    if let Some(name) = &name {
        is_free(at, name, &role.level, role.organization_id.as_deref(), role.project_id.as_deref(), &role.id).await?;
    }
    let old = role.permissions();
    let holders = if new.is_some() { Some(Holders::of(at, &role).await?) } else { None };
    let sql = "UPDATE roles SET name = COALESCE($2, name), name_key = COALESCE($3, name_key), permissions = COALESCE($4, permissions), \
               description = CASE WHEN $6 THEN NULL ELSE COALESCE($5, description) END WHERE id = $1";
    let values = args![
        &role.id,
        &name,
        name.as_deref().map(fold),
        new.as_deref().map(codes_as_json),
        op.description.as_ref().map(ToString::to_string),
        clears
    ];
    let called = name.as_deref().unwrap_or(&role.name);
    at.db.run(sql, &values).await.map_err(|error| if error.is_duplicate() { taken(called) } else { error.into() })?;
    let facts = match (holders, &new) {
        (Some(holders), Some(new)) => change_of_permissions(at, &role, holders, new).await?,
        _ => Facts::none(),
    };
    let after = by_id(at, &role.id).await?.view();
    let now = [("name", op.name.is_some()), ("permissions", op.permissions.is_some()), ("description", op.description.is_some() || clears)];
    let former =
        [("name", Some(json!(role.name))), ("permissions", Some(json!(old))), ("description", role.description.clone().map(Value::from))];
    let inverse = fields::back::<UpdateRole>(json!({ "role": role.id, "project": role.project_id }), &now, &former);
    let facts = facts.undo("update_role with the values in `before`");
    Ok(Change::updated(role.target(), facts, role.view(), after).inverse(inverse))
}

/// What other permissions mean for who holds the role; whoever is invited with it holds it.
async fn change_of_permissions(at: &mut Session, role: &FullRole, holders: Holders, new: &[String]) -> Result<Facts, ProviderError> {
    let old = role.permissions();
    let (gained, lost) = (permissions::gained(&old, new), permissions::lost(&old, new));
    let has_power = permissions::is_privileged(&gained);
    let nobody = holders.is_nobody();
    let mut facts = holders.look.facts_of_role(at, &role.id, &gained, !lost.is_empty()).await?;
    for account in holders.accounts {
        let changed = Grant { role: held(&role.id, &role.name, &role.level, new), ..account };
        facts = if has_power { facts.gives(changed) } else { facts.note(format!("service account {} holds it", changed.holder.label())) };
    }
    if has_power && nobody {
        facts = facts.unseen(format!("nobody holds it yet; whoever is given it gains power over others: {}", gained.join(", ")));
    } else if has_power {
        facts = facts.note(format!("the role gives more power over others: {}", gained.join(", ")));
    }
    Ok(if lost.is_empty() { facts } else { facts.note(format!("taken away: {}", lost.join(", "))) })
}

pub(super) async fn delete(at: &mut Session, op: &DeleteRole) -> Result<Change<Role>, ProviderError> {
    let role = changeable(find(at, &op.role, op.project.as_ref()).await?)?;
    let now = Timestamp::now().0;
    is_replaceable(at, &role, now).await?;
    let look = Holders::of(at, &role).await?.look;
    let bare = "SELECT DISTINCT COALESCE(u.email, t.name) FROM role_assignments a LEFT JOIN users u ON u.id = a.user_id LEFT JOIN teams t ON t.id = a.team_id \
                WHERE a.role_id = $1 AND a.project_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM role_assignments b WHERE b.project_id = a.project_id \
                AND b.role_id <> $1 AND (b.user_id = a.user_id OR b.team_id = a.team_id)) ORDER BY 1";
    let bare = at.counted(bare, &args![&role.id]).await?;
    let ended = at.db.number("SELECT COUNT(*) FROM invitations WHERE role_id = $1", &args![&role.id]).await?;

    for sql in
        ["DELETE FROM role_assignments WHERE role_id = $1", "DELETE FROM invitations WHERE role_id = $1", "DELETE FROM roles WHERE id = $1"]
    {
        at.db.run(sql, &args![&role.id]).await?;
    }
    let held = look.holds(&role.id);
    let mut facts = look.facts(at).await?.ends(Thing::Role, Counted::one(&role.name));
    if !bare.is_none() {
        facts = facts.note(format!("left in a project without any role: {}", first(&bare)));
    }
    if ended > 0 {
        facts = facts.note(format!("{ended} invitations that are settled or expired are forgotten, because they name it"));
    }
    if !held && ended == 0 {
        facts = facts.undo("create_role with the values in `before`");
    }
    Ok(Change::removed(role.target(), facts, role.view()))
}

/// Refuses where the role is the only one that somebody can have: a membership, an invitation, an account cannot be without.
async fn is_replaceable(at: &mut Session, role: &FullRole, now: i64) -> Result<(), ProviderError> {
    let (id, id_and_time) = (args![&role.id], args![&role.id, now]);
    for (what, fix, sql, values) in [
        (
            "is the organization role of",
            "give them another one with update_organization_member first",
            "SELECT u.email FROM users u JOIN organization_members m ON m.user_id = u.id WHERE m.role_id = $1 ORDER BY u.email",
            &id[..],
        ),
        (
            "is the team role of",
            "give them another one with update_team_member first",
            "SELECT DISTINCT u.email FROM users u JOIN team_members m ON m.user_id = u.id WHERE m.role_id = $1 ORDER BY u.email",
            &id[..],
        ),
        (
            "is the role in the invitation of",
            "cancel it with cancel_invitation first",
            "SELECT email FROM invitations WHERE role_id = $1 AND status = 'pending' AND expires_at > $2 ORDER BY email",
            &id_and_time[..],
        ),
        (
            "is the role of service account",
            "give it another one with update_service_account first",
            "SELECT name FROM service_accounts WHERE role_id = $1 ORDER BY name",
            &id[..],
        ),
    ] {
        let who = at.counted(sql, values).await?;
        if !who.is_none() {
            return Err(ProviderError::conflict("role_in_use", format!("role `{}` {what} {}", role.name, first(&who)), fix));
        }
    }
    Ok(())
}

/// The permission codes, in the order of their names.
pub(super) async fn list_permissions(_: &mut Session, op: &ListPermissions) -> Result<List<Permission>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let query = op.query.as_ref().map_or("", Query::as_str);
    let mut found: Vec<_> = CODES.iter().filter(|it| it.code.contains(query) || fold(it.description).contains(query)).collect();
    found.sort_by_key(|it| it.code);
    let total = i64::try_from(found.len()).ok();
    let rows = found.into_iter().filter(|it| page.after.as_deref().is_none_or(|after| it.code > after));
    let rows: Vec<_> = rows.take(usize::try_from(page.rows()).unwrap_or(usize::MAX)).collect();
    let item = |it: &permissions::Code| Permission { permission: it.code.to_owned(), description: Some(it.description.to_owned()) };
    Ok(page.page(rows, total, |it| it.code.to_owned(), item))
}

/// Who and what holds a role, in whichever way.
struct Holders {
    look: Look,
    accounts: Vec<Grant>,
}

row! {
    struct Account { id: String, name: String, project_id: String, project: String, organization_id: String, organization: String }
}

impl Holders {
    async fn of(at: &mut Session, it: &FullRole) -> Result<Self, ProviderError> {
        let people = "SELECT user_id FROM organization_members WHERE role_id = $1 UNION SELECT user_id FROM team_members WHERE role_id = $1 \
                      UNION SELECT user_id FROM role_assignments WHERE role_id = $1 AND user_id IS NOT NULL \
                      UNION SELECT m.user_id FROM team_members m JOIN role_assignments a ON a.team_id = m.team_id WHERE a.role_id = $1";
        let emails = "SELECT email FROM invitations WHERE role_id = $1 AND status = 'pending' AND expires_at > $2";
        let teams = "SELECT DISTINCT team_id FROM role_assignments WHERE role_id = $1 AND team_id IS NOT NULL";
        let accounts = "SELECT s.id, s.name, p.id AS project_id, p.name AS project, o.id AS organization_id, o.name AS organization \
                        FROM service_accounts s JOIN projects p ON p.id = s.project_id JOIN organizations o ON o.id = p.organization_id \
                        WHERE s.role_id = $1 ORDER BY s.name, s.id";
        let whose = Whose {
            organization: it.organization_id.clone(),
            people: Some(at.db.texts(people, &args![&it.id]).await?),
            emails: at.db.texts(emails, &args![&it.id, Timestamp::now().0]).await?,
            teams: at.db.texts(teams, &args![&it.id]).await?,
            ..Whose::default()
        };
        let accounts: Vec<Account> = at.db.all(accounts, &args![&it.id]).await?;
        let held = held(&it.id, &it.name, &it.level, &it.permissions());
        let accounts = accounts.into_iter().map(|it| {
            let place = access::Place::Project {
                project: Named::new(it.project, it.project_id),
                organization: Named::new(it.organization, it.organization_id),
            };
            Grant::own(Holder::ServiceAccount(Named::new(it.name, it.id)), held.clone(), place)
        });
        Ok(Self { accounts: accounts.collect(), look: Look::of(at, whose).await? })
    }

    fn is_nobody(&self) -> bool {
        self.accounts.is_empty() && self.look.is_nobody()
    }
}

/// The first few names, and how many more there are.
fn first(names: &Counted) -> String {
    let shown = names.names.join(", ");
    match names.count - names.names.len() as u64 {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl FullRole {
    fn permissions(&self) -> Vec<String> {
        codes(&self.permissions)
    }

    fn target(&self) -> Target {
        Target::new("role", &self.name, &self.id, self.organization.as_deref().unwrap_or_default())
    }

    fn view(&self) -> Role {
        let level = [RoleLevel::Organization, RoleLevel::Team, RoleLevel::Project].into_iter().find(|it| level_name(*it) == self.level);
        Role {
            role: self.name.clone(),
            id: self.id.clone(),
            level,
            built_in: Some(self.built_in),
            description: self.description.clone(),
            permissions: self.permissions(),
            organization: self.organization.clone(),
            project: self.project.clone(),
        }
    }
}

/// The role that is named: with a project, of those that can be held there; without, of the organizations within reach.
async fn find(at: &mut Session, named: &RoleRef, project: Option<&ProjectRef>) -> Result<FullRole, ProviderError> {
    if let Some(project) = project {
        let project = at.project(project).await?;
        let role = at.role(named, RoleLevel::Project, &project.organization_id, Some(&project.id)).await?;
        return by_id(at, &role.id).await;
    }
    let pinned = at.pinned().await?.map(|it| it.id);
    let mut values = args![named.text(), fold(named.text())].to_vec();
    let within = if pinned.is_some() { " AND (r.built_in OR r.organization_id = $3)" } else { "" };
    values.extend(pinned.map(Val::from));
    let sql = format!(
        "{COLUMNS} WHERE r.id IN (SELECT id FROM roles WHERE id = $1 \
         UNION SELECT id FROM roles WHERE level = 'organization' AND name_key = $2){within} ORDER BY r.id"
    );
    let found: Vec<FullRole> = at.db.all(&sql, &values).await?;
    let tool = "list_roles, or name the role's `project`";
    let label = |it: &FullRole| format!("{} ({} in {})", it.id, it.name, it.organization.as_deref().unwrap_or("every organization"));
    only(found, "role", named.text(), "", tool, |it: &FullRole| &it.id, label)
}

async fn by_id(at: &mut Session, id: &str) -> Result<FullRole, ProviderError> {
    let row = at.db.one(&format!("{COLUMNS} WHERE r.id = $1"), &args![id]).await?;
    row.ok_or_else(|| StoreError::Unreadable(format!("role {id} is missing")).into())
}

/// Passes a role on that somebody made, and that is not frozen with its project.
fn changeable(role: FullRole) -> Result<FullRole, ProviderError> {
    if role.built_in {
        let message = format!("role `{}` is built in and stays as it is", role.name);
        return Err(ProviderError::conflict("built_in_role", message, "create a role of your own with create_role"));
    }
    match (&role.project, role.project_status.as_deref()) {
        (Some(project), Some("archived")) => Err(ProviderError::conflict(
            "project_archived",
            format!("role `{}` belongs to project `{project}`, which is archived and read-only", role.name),
            "choose a role of an active project",
        )),
        _ => Ok(role),
    }
}

/// Refuses a name that another role goes by where this one can be held.
async fn is_free(
    at: &mut Session,
    name: &str,
    level: &str,
    organization: Option<&str>,
    project: Option<&str>,
    id: &str,
) -> Result<(), ProviderError> {
    let sql = "SELECT COUNT(*) FROM roles r WHERE r.level = $1 AND r.name_key = $2 AND r.id <> $3 \
               AND (r.built_in OR (r.organization_id = $4 AND (r.project_id IS NULL OR r.project_id = $5 OR $5 IS NULL)))";
    match at.db.number(sql, &args![level, fold(name), id, organization, project]).await? {
        0 => Ok(()),
        _ => Err(taken(name)),
    }
}

fn taken(name: &str) -> ProviderError {
    ProviderError::conflict("name_taken", format!("a role here is called `{name}` already"), "choose another name; see list_roles")
}

fn codes_as_json(permissions: &[String]) -> String {
    serde_json::Value::from(permissions).to_string()
}
