//! API keys of the directory. Of a key's value there is only the SHA-256.

use secrecy::SecretString;

use serde_json::{Value, json};

use super::{
    Session,
    key_power::{change_of_power, grant, power, surroundings},
    page::PageQuery,
    permissions,
    resolve::{ProjectRow, only},
    seats::RolePlace,
    select::{Kept, Select},
    service_accounts,
};
use crate::{
    domain::{
        ApiKeyRef, Change, Counted, Facts, Inverse, List, PageRequest, ReferenceText, Secret, Target, Thing, Timestamp, fold,
        keys::{ApiKey, KeyState, KeyStatus, OwnerAccess, OwnerFilter},
    },
    error::ProviderError,
    providers::fields,
    store::{StoreError, args, new_id, row, sha256},
    tools::keys::{ApiKeyField, CreateApiKey, DeleteApiKey, GetApiKey, ListApiKeys, UpdateApiKey},
};

row! {
    /// A key with its owner. `scopes` is a JSON array.
    pub(super) struct KeyRow {
        id: String, project: String, project_id: String, slug: String, name: String, description: Option<String>, hint: String,
        status: String, owner: Option<String>, owner_access: String, scopes: String, created_at: i64, expires_at: Option<i64>, last_used_at: Option<i64>,
    }
}

/// Whether the owner is in the project: a service account always is, a person directly or through a team, nobody never.
pub(super) const OWNED: &str = "(k.service_account_id IS NOT NULL \
     OR EXISTS (SELECT 1 FROM project_members m WHERE m.project_id = k.project_id AND m.user_id = k.user_id) \
     OR EXISTS (SELECT 1 FROM project_teams t JOIN team_members m ON m.team_id = t.team_id \
                WHERE t.project_id = k.project_id AND m.user_id = k.user_id))";

fn selected() -> String {
    format!(
        "k.id, p.name AS project, p.id AS project_id, p.slug, k.name, k.description, k.hint, k.status, COALESCE(s.name, u.email) AS owner, \
         CASE WHEN {OWNED} THEN 'active' WHEN k.user_id IS NULL THEN 'none' \
              WHEN EXISTS (SELECT 1 FROM organization_members o WHERE o.organization_id = p.organization_id AND o.user_id = k.user_id) \
              THEN 'no_access' ELSE 'left' END AS owner_access, k.scopes, k.created_at, k.expires_at, k.last_used_at"
    )
}

const FROM: &str = "api_keys k JOIN projects p ON p.id = k.project_id \
     LEFT JOIN service_accounts s ON s.id = k.service_account_id LEFT JOIN users u ON u.id = k.user_id";

fn columns() -> String {
    format!("SELECT {} FROM {FROM}", selected())
}

/// The same for the keys of many projects, which are read in their order.
const OF_PROJECTS: &str = "projects p CROSS JOIN api_keys k LEFT JOIN service_accounts s ON s.id = k.service_account_id \
     LEFT JOIN users u ON u.id = k.user_id";

pub(super) async fn list(at: &mut Session, op: &ListApiKeys) -> Result<List<ApiKey>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let Some(named) = &op.project else { return list_all(at, op, &page).await };
    let project = at.project(named).await?;
    let project = RolePlace::of_project(at, project, op.organization.as_ref()).await?;
    let project = project.project_id().unwrap_or_default().to_owned();
    let mut found = Select::new(selected(), FROM);
    found.with("k.project_id = {}", &project);
    narrow(&mut found, op);
    let all = at.kept_of(Kept::Keys, &project).await?;
    let total = if op.is_unfiltered() { Some(all) } else { found.total(at, all).await? };
    let rows: Vec<KeyRow> = found.page(at, &["k.name_key"], page.after_one(), &page).await?;
    Ok(page.page(rows, total, |it| fold(&it.name), |it| view(&it)))
}

/// The keys of all active projects: keys of others are blocked for good.
async fn list_all(at: &mut Session, op: &ListApiKeys, page: &PageQuery) -> Result<List<ApiKey>, ProviderError> {
    let organization = match (&op.organization, at.pinned().await?) {
        (None, pinned) => pinned.map(|it| it.id),
        (Some(named), _) => Some(at.organization(Some(named)).await?.id),
    };
    let mut found = Select::new(selected(), OF_PROJECTS);
    found.and("p.status = 'active'");
    if let Some(organization) = &organization {
        found.with("p.organization_id = {}", organization);
    }
    found.and("k.project_id = p.id");
    let all = match &organization {
        Some(it) => at.kept_of(Kept::Keys, it).await?,
        None => found.count(at).await?,
    };
    narrow(&mut found, op);
    let total = found.total(at, all).await?;
    let after: Option<Vec<String>> = page.after.as_ref().map(|it| it.splitn(3, ' ').map(str::to_owned).collect());
    if let Some(slug) = after.as_ref().and_then(|it| it.first()) {
        found.with("p.slug >= {}", slug);
    }
    let rows: Vec<KeyRow> = found.page(at, &["p.slug", "p.id", "k.name_key"], after, page).await?;
    let key = |it: &KeyRow| format!("{} {} {}", it.slug, it.project_id, fold(&it.name));
    Ok(page.page(rows, total, key, |it| ApiKey { project_id: Some(it.project_id.clone()), ..view(&it) }))
}

/// Adds what is asked for, as [`ListApiKeys::means`] has it.
fn narrow(found: &mut Select, op: &ListApiKeys) {
    let now = Timestamp::now();
    let mut ways: Vec<String> = Vec::new();
    let member = "EXISTS (SELECT 1 FROM organization_members o WHERE o.organization_id = p.organization_id AND o.user_id = k.user_id)";
    ways.extend(op.owner.map(|it| match it {
        OwnerFilter::Active => OWNED.to_owned(),
        OwnerFilter::Inactive => format!("NOT {OWNED}"),
        OwnerFilter::None => "(k.service_account_id IS NULL AND k.user_id IS NULL)".to_owned(),
        OwnerFilter::NoAccess => format!("(k.user_id IS NOT NULL AND NOT {OWNED} AND {member})"),
        OwnerFilter::Left => format!("(NOT {OWNED} AND (k.user_id IS NULL OR NOT {member}))"),
    }));
    if let Some(since) = &op.unused_since {
        ways.push(match since.before(now) {
            None => "k.last_used_at IS NULL".to_owned(),
            Some(since) => format!("COALESCE(k.last_used_at, k.created_at) < {}", found.bind(since.0)),
        });
    }
    if let Some(before) = &op.created_before {
        let before = found.bind(before.before(now).map_or(i64::MIN, |it| it.0));
        ways.push(format!("k.created_at < {before}"));
    }
    if let Some(expired) = op.expired {
        let now = found.bind(now.0);
        ways.push(if expired { format!("k.expires_at <= {now}") } else { format!("(k.expires_at IS NULL OR k.expires_at > {now})") });
    }
    let joint = if op.any == Some(true) { " OR " } else { " AND " };
    if !ways.is_empty() {
        found.and(format!("({})", ways.join(joint)));
    }
}

pub(super) async fn get(at: &mut Session, op: &GetApiKey) -> Result<ApiKey, ProviderError> {
    let project = at.project(&op.project).await?;
    Ok(view(&find(at, &project, &op.api_key).await?))
}

/// Without a service account the key belongs to the project and to nobody in it.
pub(super) async fn create(at: &mut Session, op: &CreateApiKey) -> Result<Change<ApiKey>, ProviderError> {
    let scopes = permissions::checked(&op.scopes)?;
    let project = at.active_project(&op.project).await?;
    let account = match &op.service_account {
        Some(named) => Some(service_accounts::find(at, &project, named).await?),
        None => None,
    };
    let key = NewKey {
        name: op.name.as_str(),
        description: op.description.as_ref().map(crate::domain::Description::as_str),
        service_account: account.as_ref().map(|it| it.id.as_str()),
        scopes: &scopes,
        expires_in_seconds: op.expires_in_seconds,
    };
    let (id, secret) = make(at, &project, &key).await?;
    let after = view(&by_id(at, &id).await?);
    let target = Target::new_one("key", op.name.as_str(), &project.organization).within("project", &project.name, &project.id);
    let inverse = Inverse::call::<DeleteApiKey>(json!({ "project": project.id, "api_key": id }));
    Ok(Change::created(target, key.facts(&project).undo("delete_api_key"), after).with_secret(secret).inverse(inverse))
}

pub(super) async fn update(at: &mut Session, op: &UpdateApiKey) -> Result<Change<ApiKey>, ProviderError> {
    let [clears, unends, widens] = [ApiKeyField::Description, ApiKeyField::ExpiresAt, ApiKeyField::Scopes].map(|it| op.clear.contains(&it));
    if op.description.is_none() && op.status.is_none() && op.scopes.is_none() && op.expires_in_seconds.is_none() && op.clear.is_empty() {
        let fix = "give `description`, `status`, `scopes`, `expires_in_seconds` or `clear`";
        return Err(ProviderError::invalid("nothing to change is given", fix));
    }
    if op.description.is_some() && clears {
        return Err(ProviderError::invalid("`description` is given and cleared", "give it, or name it in `clear`"));
    }
    if op.expires_in_seconds.is_some() && unends {
        let fix = "give `expires_in_seconds`, or name `expires_at` in `clear`";
        return Err(ProviderError::invalid("an end is given and cleared", fix));
    }
    let scopes = fields::scopes(op.scopes.as_deref(), widens)?.map(permissions::checked).transpose()?;
    let now = Timestamp::now();
    let expires_at = expiry(op.expires_in_seconds, now)?;
    let project = at.active_project(&op.project).await?;
    let key = find(at, &project, &op.api_key).await?;
    let facts = change_of_power(&key, &project, op, scopes.as_deref(), now).about(surroundings(at, &project).await?);
    let sql = "UPDATE api_keys SET description = CASE WHEN $3 THEN NULL ELSE COALESCE($2, description) END, \
               status = COALESCE($4, status), scopes = COALESCE($5, scopes), \
               expires_at = CASE WHEN $7 THEN NULL ELSE COALESCE($6, expires_at) END WHERE id = $1";
    let values = args![
        &key.id,
        op.description.as_ref().map(ToString::to_string),
        clears,
        op.status.map(status_name),
        scopes.map(|it| serde_json::Value::from(it).to_string()),
        expires_at,
        unends
    ];
    at.db.run(sql, &values).await?;
    let after = view(&by_id(at, &key.id).await?);
    let lasting = facts.undo.is_none();
    let change = Change::updated(target(&key, &project), facts, view(&key), after);
    if lasting {
        return Ok(change);
    }
    let now = [
        ("description", op.description.is_some() || clears),
        ("status", op.status.is_some()),
        ("scopes", op.scopes.is_some() || widens),
        ("expires_at", op.expires_in_seconds.is_some() || unends),
    ];
    let former = [
        ("description", key.description.clone().map(Value::from)),
        ("status", Some(json!(key.status))),
        ("scopes", Some(key.scopes()).filter(|it| !it.is_empty()).map(Value::from)),
        ("expires_at", None),
    ];
    let inverse = fields::back::<UpdateApiKey>(json!({ "project": project.id, "api_key": key.id }), &now, &former);
    Ok(change.inverse(inverse))
}

pub(super) async fn delete(at: &mut Session, op: &DeleteApiKey) -> Result<Change<ApiKey>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let key = find(at, &project, &op.api_key).await?;
    let (gone, about) = (Counted::one(&key.name), surroundings(at, &project).await?);
    let works = key.works(Timestamp::now());
    let facts = if works { Facts::none().stops(Thing::Key, gone) } else { Facts::none().ends(Thing::Key, gone) };
    at.db.run("DELETE FROM api_keys WHERE id = $1", &args![&key.id]).await?;
    Ok(Change::removed(target(&key, &project), facts.note(key.last_use()).about(about), view(&key)))
}

/// A key that is to be made.
pub(super) struct NewKey<'a> {
    pub(super) name: &'a str,
    pub(super) description: Option<&'a str>,
    pub(super) service_account: Option<&'a str>,
    /// None are all.
    pub(super) scopes: &'a [String],
    pub(super) expires_in_seconds: Option<i64>,
}

impl NewKey<'_> {
    /// Whoever has a key has its power, wherever it goes.
    pub(super) fn facts(&self, project: &ProjectRow) -> Facts {
        let life = self.expires_in_seconds.map_or_else(|| "until it is deleted".to_owned(), |it| format!("for {it} seconds"));
        // It has no id yet, and its name is its own in the project.
        Facts::none().gives(grant(self.name, self.name, &power(self.scopes), project)).note(format!("the key works {life}"))
    }
}

/// Makes a key; answers its id and, for the secret sink alone, its value.
pub(super) async fn make(at: &mut Session, project: &ProjectRow, key: &NewKey<'_>) -> Result<(String, Secret), ProviderError> {
    let now = Timestamp::now();
    let expires_at = expiry(key.expires_in_seconds, now)?;
    let taken = || {
        let message = format!("a key of project `{}` is called `{}` already", project.name, key.name);
        ProviderError::conflict("name_taken", message, "choose another name, or delete that key first: see list_api_keys")
    };
    let same = "SELECT COUNT(*) FROM api_keys WHERE project_id = $1 AND name_key = $2";
    if at.db.number(same, &args![&project.id, fold(key.name)]).await? > 0 {
        return Err(taken());
    }
    let value = new_value();
    let hint = value.chars().skip(value.len().saturating_sub(4)).collect::<String>();
    let id = new_id("key");
    let sql = "INSERT INTO api_keys (id, project_id, service_account_id, name, name_key, description, hash, hint, scopes, status, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10, $11)";
    let values = args![
        &id,
        &project.id,
        key.service_account,
        key.name,
        fold(key.name),
        key.description,
        sha256(&value),
        hint,
        serde_json::Value::from(key.scopes).to_string(),
        now.0,
        expires_at
    ];
    at.db.run(sql, &values).await.map_err(|error| if error.is_duplicate() { taken() } else { error.into() })?;
    Ok((id, Secret { what: format!("key {} of project {}", key.name, project.name), value: SecretString::from(value) }))
}

/// `rk_` and 48 hexadecimal digits, nearly all of them chance.
fn new_value() -> String {
    let chance = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    format!("rk_{}", chance.chars().take(48).collect::<String>())
}

/// When a key ends that is to live so long from now.
fn expiry(seconds: Option<i64>, now: Timestamp) -> Result<Option<i64>, ProviderError> {
    match seconds {
        Some(it) if !(60..=31_536_000).contains(&it) => Err(ProviderError::invalid(
            format!("`expires_in_seconds` is {it}"),
            "use 60 (a minute) to 31536000 (a year), or leave it out for a key without end",
        )),
        other => Ok(other.map(|it| now.plus_seconds(it).0)),
    }
}

impl KeyRow {
    pub(super) fn scopes(&self) -> Vec<String> {
        serde_json::from_str(&self.scopes).unwrap_or_default()
    }

    /// The permissions that it has: all of them where it is not narrowed.
    pub(super) fn power(&self) -> Vec<String> {
        power(&self.scopes())
    }

    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|it| it <= now.0)
    }

    pub(super) fn works(&self, now: Timestamp) -> bool {
        self.status == "active" && !self.has_ended(now)
    }

    pub(super) fn last_use(&self) -> String {
        self.last_used_at.map_or_else(|| "it was never used".to_owned(), |it| format!("it was last used {}", Timestamp(it)))
    }
}

/// The key of a project that is named.
async fn find(at: &mut Session, project: &ProjectRow, named: &ApiKeyRef) -> Result<KeyRow, ProviderError> {
    let sql = format!(
        "{} WHERE k.id IN (SELECT id FROM api_keys WHERE id = $2 AND project_id = $1 \
         UNION SELECT id FROM api_keys WHERE project_id = $1 AND name_key = $3) ORDER BY k.id",
        columns()
    );
    let found = at.db.all(&sql, &args![&project.id, named.text(), fold(named.text())]).await?;
    only(found, "api key", named.text(), &project.name, "list_api_keys", |it: &KeyRow| &it.id, |it| it.id.clone())
}

async fn by_id(at: &mut Session, id: &str) -> Result<KeyRow, ProviderError> {
    let row = at.db.one(&format!("{} WHERE k.id = $1", columns()), &args![id]).await?;
    row.ok_or_else(|| StoreError::Unreadable(format!("key {id} is missing")).into())
}

fn target(key: &KeyRow, project: &ProjectRow) -> Target {
    Target::new("key", &key.name, &key.id, &project.organization).within("project", &project.name, &project.id)
}

fn status_name(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "active",
        KeyStatus::Blocked => "blocked",
    }
}

fn view(it: &KeyRow) -> ApiKey {
    ApiKey {
        api_key: it.name.clone(),
        id: it.id.clone(),
        project: it.project.clone(),
        project_id: None,
        description: it.description.clone(),
        hint: Some(it.hint.clone()),
        status: Some(match it.status.as_str() {
            _ if it.has_ended(Timestamp::now()) => KeyState::Expired,
            "active" => KeyState::Active,
            _ => KeyState::Blocked,
        }),
        owner: it.owner.clone(),
        owner_access: Some(match it.owner_access.as_str() {
            "active" => OwnerAccess::Active,
            "no_access" => OwnerAccess::NoAccess,
            "left" => OwnerAccess::Left,
            _ => OwnerAccess::None,
        }),
        scopes: it.scopes(),
        created_at: Some(Timestamp(it.created_at)),
        expires_at: it.expires_at.map(Timestamp),
        last_used_at: it.last_used_at.map(Timestamp),
    }
}
