//! Keys of projects. Service accounts get theirs here; people make their own in the dashboard.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, json};

use super::{
    Session,
    errors::found,
    held, lists, power,
    projects::{self, WireProject},
    resolve::Search,
    service_accounts::{self, new_key_request},
    time,
};
use crate::{
    domain::{
        ApiKeyRef, Counted, Facts, Inverse, List, PageRequest, ProjectRef, ReferenceText as _, Secret, Target, Thing, Timestamp,
        access::{Grant, Holder, Named, Role, Via},
        fold,
        keys::{ApiKey, KeyState, OwnerAccess, OwnerFilter},
    },
    error::ProviderError,
    providers::{
        fields,
        http::{Draft, Sent, walk},
        meant::the_same,
    },
    tools::keys::{ApiKeyField, CreateApiKey, DeleteApiKey, GetApiKey, ListApiKeys, UpdateApiKey},
};

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireApiKey {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    redacted_value: Option<String>,
    created_at: Option<i64>,
    last_used_at: Option<i64>,
    expires_at: Option<i64>,
    owner_project_access: Option<String>,
    owner: Option<WireOwner>,
}

/// Exactly one of the two is there.
#[derive(Debug, Clone, Deserialize)]
struct WireOwner {
    user: Option<WirePrincipal>,
    service_account: Option<WirePrincipal>,
}

#[derive(Debug, Clone, Deserialize)]
struct WirePrincipal {
    id: String,
    name: Option<String>,
    email: Option<String>,
}

/// A key that was just made, with the only sight of its value.
#[derive(Deserialize)]
struct WireNewKey {
    id: String,
    name: String,
    value: SecretString,
    created_at: Option<i64>,
    expires_at: Option<i64>,
}

impl WireApiKey {
    pub(super) fn is_of_person(&self, id: &str) -> bool {
        self.owner.as_ref().and_then(|it| it.user.as_ref()).is_some_and(|it| it.id == id)
    }

    fn is_of_service_account(&self, id: &str) -> bool {
        self.owner.as_ref().and_then(|it| it.service_account.as_ref()).is_some_and(|it| it.id == id)
    }

    /// Whether a person or a service account owns it.
    pub(super) fn is_of(&self, holder: &Holder) -> bool {
        match holder {
            Holder::Person(it) => it.id.as_deref().is_some_and(|id| self.is_of_person(id)),
            Holder::ServiceAccount(it) => self.is_of_service_account(&it.id),
            _ => false,
        }
    }

    /// Whether its owner is told to have no access to the project any more.
    pub(super) fn is_idle(&self) -> bool {
        self.owner_project_access.as_deref() == Some("inactive")
    }

    pub(super) fn holder(&self) -> Holder {
        Holder::Key(Named::new(self.label(), &self.id))
    }

    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        self.expires_at.map(time)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.expires_at.is_some_and(|it| time(it) <= Timestamp::now())
    }

    /// What a person calls it: many keys have no name of their own.
    pub(super) fn label(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    fn used(&self) -> String {
        self.last_used_at.map_or_else(|| "it was never used".to_owned(), |it| format!("it was last used {}", time(it)))
    }

    fn view(&self, project: &WireProject) -> ApiKey {
        let owner = self.owner.as_ref();
        let person = owner.and_then(|it| it.user.as_ref()).map(|it| it.email.as_ref().or(it.name.as_ref()).unwrap_or(&it.id));
        let account = owner.and_then(|it| it.service_account.as_ref()).map(|it| it.name.as_ref().unwrap_or(&it.id));
        ApiKey {
            api_key: self.label().to_owned(),
            id: self.id.clone(),
            project: project.name().to_owned(),
            hint: self.redacted_value.clone(),
            owner: person.or(account).cloned(),
            owner_access: match self.owner_project_access.as_deref() {
                Some("active") => Some(OwnerAccess::Active),
                Some("inactive") if person.is_none() && account.is_none() => Some(OwnerAccess::None),
                Some("inactive") => Some(OwnerAccess::NoAccess),
                _ => None,
            },
            status: self.has_ended().then_some(KeyState::Expired),
            created_at: self.created_at.map(time),
            expires_at: self.expires_at.map(time),
            last_used_at: self.last_used_at.map(time),
            ..ApiKey::default()
        }
    }

    /// Whether the person who owns it is no longer in the organization. Where that cannot be looked up, nothing is said.
    async fn owner_left(&self, at: &Session) -> bool {
        let owner = self.owner.as_ref().and_then(|it| it.user.as_ref()).filter(|_| self.is_idle());
        match owner {
            Some(owner) => matches!(at.find_person(&owner.id).await, Ok(None)),
            None => false,
        }
    }

    fn seen(&self, project: &WireProject, owner_left: bool) -> ApiKey {
        let key = self.view(project);
        if owner_left { ApiKey { owner_access: Some(OwnerAccess::Left), ..key } } else { key }
    }

    fn target(&self, at: &Session, project: &WireProject) -> Target {
        at.target("key", self.label(), &self.id).within("project", project.name(), &project.id)
    }
}

/// Every key: unless told, the service leaves out some whose owners are not members.
pub(super) async fn all(at: &Session, project_id: &str) -> Result<Vec<WireApiKey>, ProviderError> {
    told_by(at, project_id, "any").await
}

/// The keys whose owners have access to the project, or have none.
async fn told_by(at: &Session, project_id: &str, access: &str) -> Result<Vec<WireApiKey>, ProviderError> {
    lists::all(at, lists::BY_ID, |at| {
        at.get("/organization/projects/{project_id}/api_keys").path("project_id", project_id).query("owner_project_access", access)
    })
    .await
}

/// The names of the keys that a person has in a project.
pub(super) async fn of_person(at: &Session, project_id: &str, user_id: &str) -> Result<Vec<String>, ProviderError> {
    Ok(all(at, project_id).await?.iter().filter(|it| it.is_of_person(user_id)).map(|it| it.label().to_owned()).collect())
}

/// The names of the working keys of a service account, and when one was last used.
pub(super) async fn of_service_account(at: &Session, project_id: &str, id: &str) -> Result<(Vec<String>, Option<i64>), ProviderError> {
    let keys: Vec<_> = all(at, project_id).await?.into_iter().filter(|it| it.is_of_service_account(id)).collect();
    let last = keys.iter().filter_map(|it| it.last_used_at).max();
    Ok((keys.iter().filter(|it| !it.has_ended()).map(|it| it.label().to_owned()).collect(), last))
}

async fn retrieve(at: &Session, project_id: &str, id: &str) -> Result<WireApiKey, ProviderError> {
    let request = at.get("/organization/projects/{project_id}/api_keys/{api_key_id}");
    the_same(request.path("project_id", project_id).path("api_key_id", id).send().await?, id, |it: &WireApiKey| &it.id)
}

/// The key that is named. Its own entry is read where an id was given.
async fn named(at: &Session, project: &WireProject, named: &ApiKeyRef) -> Result<WireApiKey, ProviderError> {
    let wanted = named.text();
    if wanted.starts_with("key_")
        && let Some(key) = found(retrieve(at, &project.id, wanted).await)?
    {
        return Ok(key);
    }
    let search = Search { kind: "api key", wanted, scope: project.name(), list_tool: "list_api_keys" };
    search.only(&all(at, &project.id).await?, |it| &it.id, |it| &it.name)
}

/// In so many projects keys are looked for, for one page.
const PROJECTS: usize = 24;

/// `GET /organization/projects/{project_id}/api_keys`, of each project where none is named.
pub(super) async fn list(at: &Session, op: &ListApiKeys) -> Result<List<ApiKey>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let access = match op.owner {
        _ if op.any == Some(true) => "any",
        Some(OwnerFilter::Active) => "active",
        Some(_) => "inactive",
        None => "any",
    };
    let told = matches!(op.owner, None | Some(OwnerFilter::Active | OwnerFilter::Inactive));
    let project = match &op.project {
        Some(named) => Some(at.active_project(named).await?),
        None => None,
    };
    if let (Some(project), true) = (&project, told && ListApiKeys { owner: None, ..op.clone() }.is_unfiltered()) {
        return list_of(at, project, &page, access).await;
    }
    let places = match project {
        Some(project) => vec![project],
        None => projects::all(at).await?.into_iter().filter(|it| !it.is_archived()).collect(),
    };
    let (now, many) = (Timestamp::now(), op.project.is_none());
    let look = |project: WireProject| async move {
        let mut keys = Vec::new();
        for key in told_by(at, &project.id, access).await? {
            let left = key.owner_left(at).await;
            keys.push(ApiKey { project_id: many.then(|| project.id.clone()), ..key.seen(&project, left) });
        }
        keys.retain(|it| op.means(it, now));
        Ok(keys)
    };
    let keys = (|it: &WireProject| format!("{} {}", fold(it.name()), it.id), |it: &ApiKey| format!("{} {}", fold(&it.api_key), it.id));
    walk(places, &page, PROJECTS, keys, look).await
}

/// A page of one project, as the service cuts it.
async fn list_of(at: &Session, project: &WireProject, page: &PageRequest, access: &str) -> Result<List<ApiKey>, ProviderError> {
    let request = at.get("/organization/projects/{project_id}/api_keys").path("project_id", &project.id);
    let is_meant = |it: &WireApiKey| access == "any" || it.owner_project_access.as_deref().is_none_or(|it| it == access);
    let keys = lists::page_of(request.query("owner_project_access", access), page, is_meant, |it: WireApiKey| it).await?;
    let mut left = Vec::new();
    for key in &keys.items {
        left.push(key.owner_left(at).await);
    }
    let mut left = left.into_iter();
    Ok(keys.map(|it| it.seen(project, left.next().unwrap_or_default())))
}

/// `GET /organization/projects/{project_id}/api_keys/{api_key_id}`
pub(super) async fn get(at: &Session, op: &GetApiKey) -> Result<ApiKey, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let key = named(at, &project, &op.api_key).await?;
    let key = retrieve(at, &project.id, &key.id).await?;
    let left = key.owner_left(at).await;
    Ok(key.seen(&project, left))
}

/// Adds to the facts what a new key means: whoever has it has its power, wherever it goes. `owner`: the role of its account.
pub(super) fn new_key(
    facts: Facts,
    at: &Session,
    project: &WireProject,
    name: &str,
    (expires_in_seconds, scopes): (Option<i64>, &[String]),
    owner: Role,
) -> Facts {
    let life = expires_in_seconds.map_or_else(|| "until it is deleted".to_owned(), |it| format!("for {it} seconds"));
    let holder = Holder::Key(Named::new(name, ""));
    let key = Grant::own(holder, power::of_key(scopes, owner), held::place(at, Some(project))).via(Via::Inherited);
    let facts = facts.gives(key);
    if scopes.is_empty() {
        // What that will be is not to be seen from here: the account may get another role.
        return facts.unseen(format!("the key can do everything that its account can, {life}"));
    }
    facts.note(format!("it works {life}"))
}

/// `POST /organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys`
pub(super) async fn create(at: &Session, op: &CreateApiKey) -> Result<Draft<ApiKey>, ProviderError> {
    let Some(account) = &op.service_account else {
        return Err(ProviderError::invalid(
            "only service accounts get keys here; people make their own in the dashboard",
            "give `service_account`, or make one with create_service_account",
        ));
    };
    let project = at.active_project(&op.project).await?;
    let account = service_accounts::named(at, &project, account).await?;
    let known: Vec<String> = all(at, &project.id).await?.into_iter().map(|it| it.id).collect();
    let mut body = Map::new();
    body.insert("name".to_owned(), op.name.as_str().into());
    if !op.scopes.is_empty() {
        body.insert("scopes".to_owned(), json!(op.scopes));
    }
    if let Some(seconds) = op.expires_in_seconds {
        body.insert("expires_in_seconds".to_owned(), seconds.into());
    }
    let facts = new_key(Facts::none(), at, &project, op.name.as_str(), (op.expires_in_seconds, &op.scopes), account.held());
    let facts = facts.note(format!("it acts for service account {}", account.name));
    let facts = held::around(at, facts).await?.undo("delete_api_key");
    let request = new_key_request(at, &project, &account, &body);
    let target = at.new_target("key", op.name.as_str()).within("project", project.name(), &project.id);
    let (by, again, place, owner) = (at.clone(), at.afresh(), project.clone(), account.clone());
    let (name, scopes) = (op.name.clone(), op.scopes.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let key: WireNewKey = request.send(&permit).await?.read("look with list_api_keys whether it is there")?;
        let secret = Secret { what: format!("key {} of project {}", key.name, place.name()), value: key.value };
        let made_key = WireApiKey {
            id: key.id,
            name: key.name,
            redacted_value: None,
            created_at: key.created_at,
            last_used_at: None,
            expires_at: key.expires_at,
            owner_project_access: None,
            owner: None,
        };
        let after = ApiKey { scopes, owner: Some(owner.name.clone()), ..made_key.view(&place) };
        Ok(made(&by, &made_key, after, &place).secret(secret))
    });
    Ok(draft.read_back(move || {
        let (at, project, known, name) = (again.afresh(), project.clone(), known.clone(), name.clone());
        let account = account.id.clone();
        async move {
            let new = |it: &WireApiKey| !known.contains(&it.id) && it.name == name.as_str() && it.is_of_service_account(&account);
            let found = all(&at, &project.id).await?.into_iter().find(new);
            let lost = "delete_api_key; the key's value was lost with the answer, so it is of no use: make another";
            Ok(found.map(|it| made(&at, &it, it.view(&project), &project).undo(lost)))
        }
    }))
}

fn made(at: &Session, key: &WireApiKey, after: ApiKey, project: &WireProject) -> Sent<ApiKey> {
    let back = Inverse::of(&DeleteApiKey { project: ProjectRef::read(&project.id), api_key: ApiKeyRef::read(&key.id) });
    Sent::after(after).target(key.target(at, project)).inverse(back)
}

/// `POST /organization/projects/{project_id}/api_keys/{api_key_id}`: both fields are saved together.
pub(super) async fn update(at: &Session, op: &UpdateApiKey) -> Result<Draft<ApiKey>, ProviderError> {
    if let Some(other) = op.clear.iter().find(|it| **it != ApiKeyField::Scopes) {
        let field = if *other == ApiKeyField::ExpiresAt { "expires_at" } else { "description" };
        let message = format!("`{field}` of a key cannot be emptied here");
        return Err(ProviderError::invalid(message, "leave it out of `clear`; `scopes` can be in it"));
    }
    let given = fields::scopes(op.scopes.as_deref(), !op.clear.is_empty())?;
    if given.is_none() && op.expires_in_seconds.is_none() {
        return Err(ProviderError::invalid("nothing to change is given", "give `scopes`, `expires_in_seconds` or `clear`"));
    }
    let project = at.active_project(&op.project).await?;
    let key = named(at, &project, &op.api_key).await?;
    if key.has_ended() {
        let message = format!("key `{}` has expired and cannot be changed", key.label());
        return Err(ProviderError::conflict("key_expired", message, "make a new one with create_api_key"));
    }
    let mut body = Map::new();
    if let Some(seconds) = op.expires_in_seconds {
        body.insert("expires_in_seconds".to_owned(), seconds.into());
    }
    if let Some(scopes) = given {
        body.insert("scopes".to_owned(), json!(scopes));
    }
    let request = at.post("/organization/projects/{project_id}/api_keys/{api_key_id}");
    let request = request.path("project_id", &project.id).path("api_key_id", &key.id).json(body.into());
    let (before, target, scopes) = (key.view(&project), key.target(at, &project), given.unwrap_or_default().to_vec());
    let (place, again) = (project.clone(), at.afresh());
    let facts = change_of_power(at, op, given, &key, &project);
    let settled = scopes.clone();
    let draft = Draft::new(target, facts, move |permit| async move {
        let after: WireApiKey = request.send(&permit).await?.read("look with get_api_key")?;
        Ok(Sent::after(ApiKey { scopes, ..after.view(&place) }))
    });
    let draft = draft.before(before);
    // What a key may do, the service does not tell: only another end shows that a change was made.
    if op.expires_in_seconds.is_none() {
        return Ok(draft);
    }
    Ok(draft.read_back(move || {
        let (at, project, key, scopes) = (again.afresh(), project.clone(), key.clone(), settled.clone());
        async move {
            let now = retrieve(&at, &project.id, &key.id).await?;
            let took = now.expires_at.is_some() && now.expires_at != key.expires_at;
            Ok(took.then(|| Sent::after(ApiKey { scopes, ..now.view(&project) })))
        }
    }))
}

/// What another end and other scopes mean. The end is told in seconds, not as a time, which would be another one when the
/// change is made.
fn change_of_power(at: &Session, op: &UpdateApiKey, scopes: Option<&[String]>, key: &WireApiKey, project: &WireProject) -> Facts {
    let mut facts = Facts::none().about(held::called(at));
    if let Some(scopes) = scopes {
        let role = power::of_key(scopes, Role::unknown("its owner's role", ""));
        facts = facts.gives(Grant::own(key.holder(), role, held::place(at, Some(project))).via(Via::Inherited));
        facts = facts.unseen("what the key can do now, the service does not tell: it may lose something");
    }
    let Some(seconds) = op.expires_in_seconds else { return facts };
    let new = Timestamp::now().plus_seconds(seconds);
    if key.expires_at.is_none_or(|old| new < time(old)) {
        let note = format!("it stops {seconds} seconds after the change, earlier than before; {}", key.used());
        return facts.stops(Thing::Key, Counted::one(key.label())).note(note);
    }
    let old = key.ends_at().map(|it| it.to_string());
    facts.rewires("the end of the key", old, Some(format!("{seconds} seconds after the change")))
}

/// `DELETE /organization/projects/{project_id}/api_keys/{api_key_id}`
pub(super) async fn delete(at: &Session, op: &DeleteApiKey) -> Result<Draft<ApiKey>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let key = named(at, &project, &op.api_key).await?;
    let key_itself = Counted::one(key.label());
    let facts = Facts::none().about(held::called(at));
    let facts = if key.has_ended() { facts.ends(Thing::Key, key_itself) } else { facts.stops(Thing::Key, key_itself) }.note(key.used());
    let request = at.delete("/organization/projects/{project_id}/api_keys/{api_key_id}");
    let request = request.path("project_id", &project.id).path("api_key_id", &key.id);
    let (before, target, again) = (key.view(&project), key.target(at, &project), at.afresh());
    let draft = Draft::new(target, facts, move |permit| async move {
        request.send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(before).read_back(move || {
        let (at, project, id) = (again.afresh(), project.id.clone(), key.id.clone());
        async move { Ok(found(retrieve(&at, &project, &id).await)?.is_none().then(Sent::gone)) }
    }))
}
