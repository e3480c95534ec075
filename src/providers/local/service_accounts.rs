//! Service accounts of the directory.

use serde_json::json;

use super::{
    Session,
    api_keys::{self, NewKey},
    key_power,
    members::role_by_id,
    page::PageQuery,
    permissions,
    resolve::{ProjectRow, RoleRow, only},
    select::Select,
};
use crate::{
    domain::{
        Change, Counted, Facts, Inverse, List, PageRequest, ReferenceText, RoleRef, ServiceAccountRef, Target, Thing, Timestamp,
        access::{Grant, Holder, Named, Via},
        fold,
        keys::ServiceAccount,
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::fields,
    store::{StoreError, args, new_id, row},
    tools::keys::{CreateServiceAccount, DeleteServiceAccount, GetServiceAccount, ListServiceAccounts, UpdateServiceAccount},
};

row! {
    /// A service account with its role and the number of its keys.
    pub(super) struct AccountRow { id: String, project: String, name: String, role_id: String, role: String, api_keys: i64, created_at: i64 }
}

const SELECTED: &str = "s.id, p.name AS project, s.name, s.role_id, r.name AS role, \
     COALESCE((SELECT CAST(SUM(c.n) AS BIGINT) FROM counters c WHERE c.owner_id = s.id AND c.what = 'keys'), 0) AS api_keys, s.created_at";
const FROM: &str = "service_accounts s CROSS JOIN projects p CROSS JOIN roles r";

/// A service account, by a condition on `s`.
fn where_it_is(condition: &str) -> String {
    format!("SELECT {SELECTED} FROM {FROM} WHERE p.id = s.project_id AND r.id = s.role_id AND {condition}")
}

/// The roles that a program can have: its own keys' scopes are what narrows it further.
const ROLES: [&str; 2] = ["role_project_owner", FIRST_ROLE];

/// The role that a new one has.
const FIRST_ROLE: &str = "role_project_member";

pub(super) async fn list(at: &mut Session, op: &ListServiceAccounts) -> Result<List<ServiceAccount>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let project = at.project(&op.project).await?;
    let mut found = Select::new(SELECTED, FROM);
    found.with("s.project_id = {}", &project.id);
    found.and("p.id = s.project_id AND r.id = s.role_id");
    let total = found.total(at, 0).await?;
    let rows: Vec<AccountRow> = found.page(at, &["s.name_key"], page.after_one(), &page).await?;
    Ok(page.page(rows, total, |it| fold(&it.name), |it| view(&it)))
}

pub(super) async fn get(at: &mut Session, op: &GetServiceAccount) -> Result<ServiceAccount, ProviderError> {
    let project = at.project(&op.project).await?;
    Ok(view(&find(at, &project, &op.service_account).await?))
}

/// The key is named after the account.
pub(super) async fn create(at: &mut Session, op: &CreateServiceAccount) -> Result<Change<ServiceAccount>, ProviderError> {
    let keyless = op.without_key.unwrap_or(false);
    if keyless && op.expires_in_seconds.is_some() {
        return Err(ProviderError::invalid(
            "`expires_in_seconds` is the life of the key, and `without_key` says that there is none",
            "leave one of them out",
        ));
    }
    let project = at.active_project(&op.project).await?;
    let name = op.name.as_str();
    is_free(at, &project, name, "").await?;
    let id = new_id("svc");
    let sql = "INSERT INTO service_accounts (id, project_id, name, name_key, role_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    let role = role_by_id(at, FIRST_ROLE).await?;
    let values = args![&id, &project.id, name, fold(name), &role.id, Timestamp::now().0];
    at.db.run(sql, &values).await.map_err(|error| if error.is_duplicate() { taken(&project, name) } else { error.into() })?;
    // It has no id yet, and its name is its own in the project.
    let given = Facts::none().gives(grant(name, name, &role, &project));
    let (facts, secret) = if keyless {
        (given, None)
    } else {
        let key = NewKey { name, description: None, service_account: Some(&id), scopes: &[], expires_in_seconds: op.expires_in_seconds };
        let (_, secret) = api_keys::make(at, &project, &key).await?;
        let of_key = key.facts(&project);
        (Facts { list: [given.list, of_key.list].concat(), ..of_key }, Some(secret))
    };
    let after = view(&by_id(at, &id).await?);
    let target = Target::new_one("service account", name, &project.organization).within("project", &project.name, &project.id);
    let inverse = Inverse::call::<DeleteServiceAccount>(json!({ "project": project.id, "service_account": id }));
    Ok(Change::created(target, facts.undo("delete_service_account"), after).inverse(inverse).with_secret(secret))
}

pub(super) async fn update(at: &mut Session, op: &UpdateServiceAccount) -> Result<Change<ServiceAccount>, ProviderError> {
    if op.name.is_none() && op.role.is_none() {
        return Err(ProviderError::invalid("nothing to change is given", "give `name` or `role`"));
    }
    let project = at.active_project(&op.project).await?;
    let account = find(at, &project, &op.service_account).await?;
    let name = op.name.as_ref().map(ToString::to_string);
    if let Some(name) = &name {
        is_free(at, &project, name, &account.id).await?;
    }
    let role = match &op.role {
        Some(named) => Some(allowed_role(at, &project, named).await?),
        None => None,
    };
    let facts = match role.as_ref().filter(|it| it.id != account.role_id) {
        Some(role) => change_of_role(&account, &role_by_id(at, &account.role_id).await?, role, &project),
        None => Facts::none(),
    };
    let sql = "UPDATE service_accounts SET name = COALESCE($2, name), name_key = COALESCE($3, name_key), role_id = COALESCE($4, role_id) WHERE id = $1";
    let values = args![&account.id, &name, name.as_deref().map(fold), role.map(|it| it.id)];
    let called = name.as_deref().unwrap_or(&account.name);
    at.db.run(sql, &values).await.map_err(|error| if error.is_duplicate() { taken(&project, called) } else { error.into() })?;
    let after = view(&by_id(at, &account.id).await?);
    let facts = facts.undo("update_service_account with the values in `before`");
    let former = [("name", Some(json!(account.name))), ("role", Some(json!(account.role_id)))];
    let now = [("name", op.name.is_some()), ("role", op.role.is_some())];
    let what = json!({ "project": project.id, "service_account": account.id });
    let inverse = fields::back::<UpdateServiceAccount>(what, &now, &former);
    Ok(Change::updated(target(&account, &project), facts, view(&account), after).inverse(inverse))
}

pub(super) async fn delete(at: &mut Session, op: &DeleteServiceAccount) -> Result<Change<ServiceAccount>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let account = find(at, &project, &op.service_account).await?;
    let working = "SELECT name FROM api_keys WHERE service_account_id = $1 AND status = 'active' AND (expires_at IS NULL OR expires_at > $2) ORDER BY name";
    let working = at.counted(working, &args![&account.id, Timestamp::now().0]).await?;
    let mut facts = Facts::none().ends(Thing::ServiceAccount, Counted::one(&account.name)).stops(Thing::Key, working);
    facts = facts.about(key_power::surroundings(at, &project).await?);
    if let Some(last) =
        at.db.number("SELECT MAX(last_used_at) FROM api_keys WHERE service_account_id = $1", &args![&account.id]).await.map(used)?
    {
        facts = facts.note(format!("its keys were last used {last}"));
    }
    at.db.run("DELETE FROM api_keys WHERE service_account_id = $1", &args![&account.id]).await?;
    at.db.run("DELETE FROM service_accounts WHERE id = $1", &args![&account.id]).await?;
    Ok(Change::removed(target(&account, &project), facts, view(&account)))
}

/// A role in the place of another: what it gives, and what it takes from a program.
fn change_of_role(account: &AccountRow, old: &RoleRow, new: &RoleRow, project: &ProjectRow) -> Facts {
    let lost = permissions::lost(&old.permissions(), &new.permissions());
    let given = grant(&account.name, &account.id, new, project);
    let still = if given.role.reads() { vec![Via::Own] } else { Vec::new() };
    let programs = if account.api_keys == 1 { "1 key".to_owned() } else { format!("{} keys", account.api_keys) };
    let facts = Facts::none().gives(given).note(format!("it was `{}`, and is used with {programs}", old.name));
    if lost.is_empty() { facts } else { facts.takes(grant(&account.name, &account.id, old, project), lost, still) }
}

fn grant(name: &str, id: &str, role: &RoleRow, project: &ProjectRow) -> Grant {
    let role = key_power::role(&role.name, &role.id, &role.permissions());
    Grant::own(Holder::ServiceAccount(Named::new(name, id)), role, key_power::place(project))
}

fn used(at: i64) -> Option<Timestamp> {
    (at > 0).then_some(Timestamp(at))
}

/// The service account of a project that is named.
pub(super) async fn find(at: &mut Session, project: &ProjectRow, named: &ServiceAccountRef) -> Result<AccountRow, ProviderError> {
    let sql = where_it_is(
        "s.id IN (SELECT id FROM service_accounts WHERE id = $2 AND project_id = $1 \
         UNION SELECT id FROM service_accounts WHERE project_id = $1 AND name_key = $3) ORDER BY s.id",
    );
    let found = at.db.all(&sql, &args![&project.id, named.text(), fold(named.text())]).await?;
    only(found, "service account", named.text(), &project.name, "list_service_accounts", |it: &AccountRow| &it.id, |it| it.id.clone())
}

async fn by_id(at: &mut Session, id: &str) -> Result<AccountRow, ProviderError> {
    let row = at.db.one(&where_it_is("s.id = $1"), &args![id]).await?;
    row.ok_or_else(|| StoreError::Unreadable(format!("service account {id} is missing")).into())
}

async fn allowed_role(at: &mut Session, project: &ProjectRow, named: &RoleRef) -> Result<RoleRow, ProviderError> {
    let role = at.role(named, RoleLevel::Project, &project.organization_id, Some(&project.id)).await?;
    if ROLES.contains(&role.id.as_str()) {
        return Ok(role);
    }
    Err(ProviderError::conflict(
        "role_not_for_service_accounts",
        format!("a service account cannot have role `{}`", role.name),
        "use `member` or `owner`, and narrow its keys by `scopes` with update_api_key",
    ))
}

async fn is_free(at: &mut Session, project: &ProjectRow, name: &str, id: &str) -> Result<(), ProviderError> {
    let sql = "SELECT COUNT(*) FROM service_accounts WHERE project_id = $1 AND name_key = $2 AND id <> $3";
    match at.db.number(sql, &args![&project.id, fold(name), id]).await? {
        0 => Ok(()),
        _ => Err(taken(project, name)),
    }
}

fn taken(project: &ProjectRow, name: &str) -> ProviderError {
    let message = format!("a service account of project `{}` is called `{name}` already", project.name);
    ProviderError::conflict("name_taken", message, "choose another name, or use the one there is: see list_service_accounts")
}

fn target(account: &AccountRow, project: &ProjectRow) -> Target {
    Target::new("service account", &account.name, &account.id, &project.organization).within("project", &project.name, &project.id)
}

fn view(it: &AccountRow) -> ServiceAccount {
    ServiceAccount {
        service_account: it.name.clone(),
        id: it.id.clone(),
        role: Some(it.role.clone()),
        project: it.project.clone(),
        api_keys: u64::try_from(it.api_keys).ok(),
        created_at: Some(Timestamp(it.created_at)),
    }
}
