//! Service accounts: programs in projects.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, json};

use super::{Session, api_keys, errors::found, held, lists, power, projects::WireProject, resolve::Search, roles, time};
use crate::{
    domain::{
        Counted, Facts, Inverse, List, Name, PageRequest, ProjectRef, ReferenceText as _, RoleRef, Secret, ServiceAccountRef, Target,
        Thing,
        access::{Grant, Holder, Named, Role},
        fold,
        keys::ServiceAccount,
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::http::{Draft, Sent},
    tools::keys::{CreateServiceAccount, DeleteServiceAccount, GetServiceAccount, ListServiceAccounts, UpdateServiceAccount},
};

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireServiceAccount {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) role: Option<String>,
    created_at: Option<i64>,
}

/// An account that was just made, with the only sight of its key.
#[derive(Deserialize)]
struct WireCreated {
    #[serde(flatten)]
    account: WireServiceAccount,
    api_key: Option<WireSecret>,
}

#[derive(Deserialize)]
struct WireSecret {
    value: SecretString,
}

impl WireServiceAccount {
    fn view(&self, project: &WireProject) -> ServiceAccount {
        ServiceAccount {
            service_account: self.name.clone(),
            id: self.id.clone(),
            role: self.role.clone(),
            project: project.name().to_owned(),
            api_keys: None,
            created_at: self.created_at.map(time),
        }
    }

    pub(super) fn holder(&self) -> Holder {
        Holder::ServiceAccount(Named::new(&self.name, &self.id))
    }

    /// What it may do in its project; its keys can do the same.
    pub(super) fn held(&self) -> Role {
        self.role.as_deref().map_or_else(|| Role::unknown("a role that is not told", ""), |it| power::called(it, RoleLevel::Project))
    }

    pub(super) fn target(&self, at: &Session, project: &WireProject) -> Target {
        at.target("service account", &self.name, &self.id).within("project", project.name(), &project.id)
    }
}

pub(super) async fn all(at: &Session, project_id: &str) -> Result<Vec<WireServiceAccount>, ProviderError> {
    lists::all(at, lists::BY_ID, |at| at.get("/organization/projects/{project_id}/service_accounts").path("project_id", project_id)).await
}

async fn retrieve(at: &Session, project_id: &str, id: &str) -> Result<WireServiceAccount, ProviderError> {
    let request = at.get("/organization/projects/{project_id}/service_accounts/{service_account_id}");
    request.path("project_id", project_id).path("service_account_id", id).send().await
}

/// The service account that is named.
pub(super) async fn named(at: &Session, project: &WireProject, named: &ServiceAccountRef) -> Result<WireServiceAccount, ProviderError> {
    let search = Search { kind: "service account", wanted: named.text(), scope: project.name(), list_tool: "list_service_accounts" };
    search.only(&all(at, &project.id).await?, |it| &it.id, |it| &it.name)
}

/// `GET /organization/projects/{project_id}/service_accounts`
pub(super) async fn list(at: &Session, op: &ListServiceAccounts) -> Result<List<ServiceAccount>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let request = at.get("/organization/projects/{project_id}/service_accounts").path("project_id", &project.id);
    lists::page(request, &page, |it: WireServiceAccount| it.view(&project)).await
}

/// `GET /organization/projects/{project_id}/service_accounts/{service_account_id}`. One that was just made is listed before it
/// can be read alone.
pub(super) async fn get(at: &Session, op: &GetServiceAccount) -> Result<ServiceAccount, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let listed = named(at, &project, &op.service_account).await?;
    let alone = found(retrieve(at, &project.id, &listed.id).await)?;
    Ok(alone.unwrap_or(listed).view(&project))
}

/// `POST /organization/projects/{project_id}/service_accounts`. A lost answer takes the key's value with it.
pub(super) async fn create(at: &Session, op: &CreateServiceAccount) -> Result<Draft<ServiceAccount>, ProviderError> {
    let without_key = op.without_key.unwrap_or_default();
    if without_key && op.expires_in_seconds.is_some() {
        let message = "`expires_in_seconds` is about a key, and there is to be none";
        return Err(ProviderError::invalid(message, "leave one of `without_key` and `expires_in_seconds` out"));
    }
    let project = at.active_project(&op.project).await?;
    let known = all(at, &project.id).await?;
    is_free(&known, &project, op.name.as_str(), None)?;
    let mut body = Map::new();
    body.insert("name".to_owned(), op.name.as_str().into());
    if without_key {
        body.insert("create_service_account_only".to_owned(), true.into());
    }
    if let Some(seconds) = op.expires_in_seconds {
        body.insert("expires_in_seconds".to_owned(), seconds.into());
    }
    let role = power::called(if without_key { "none" } else { "member" }, RoleLevel::Project);
    let account = Holder::ServiceAccount(Named::new(op.name.as_str(), ""));
    let mut facts = Facts::none().gives(Grant::own(account, role.clone(), held::place(at, Some(&project))));
    if !without_key {
        facts = api_keys::new_key(facts, at, &project, op.name.as_str(), (op.expires_in_seconds, &[]), role);
    }
    let facts = held::around(at, facts).await?.undo("delete_service_account");
    let request = at.post("/organization/projects/{project_id}/service_accounts").path("project_id", &project.id).json(body.into());
    let target = at.new_target("service account", op.name.as_str()).within("project", project.name(), &project.id);
    let (by, again, place, name) = (at.clone(), at.afresh(), project.clone(), op.name.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let created: WireCreated = request.send(&permit).await?.read("look with list_service_accounts whether it is there")?;
        let sent = made(&by, &created.account, &place);
        Ok(match created.api_key {
            None => sent,
            Some(key) => {
                let what = format!("key of service account {} of project {}", created.account.name, place.name());
                sent.secret(Secret { what, value: key.value })
            }
        })
    });
    let before: Vec<String> = known.into_iter().map(|it| it.id).collect();
    Ok(draft.read_back(move || {
        let (at, project, name, before) = (again.afresh(), project.clone(), name.clone(), before.clone());
        async move {
            let found = all(&at, &project.id).await?.into_iter().find(|it| it.name == name.as_str() && !before.contains(&it.id));
            let Some(account) = found else { return Ok(None) };
            let sent = made(&at, &account, &project);
            if without_key {
                return Ok(Some(sent));
            }
            let lost = "delete_service_account; the value of its key was lost with the answer: create_api_key makes another";
            Ok(Some(sent.undo(lost)))
        }
    }))
}

fn made(at: &Session, account: &WireServiceAccount, project: &WireProject) -> Sent<ServiceAccount> {
    let back = DeleteServiceAccount { project: ProjectRef::read(&project.id), service_account: ServiceAccountRef::read(&account.id) };
    Sent::after(account.view(project)).target(account.target(at, project)).inverse(Inverse::of(&back))
}

/// The service lets two accounts have one name; then nobody could name either.
fn is_free(known: &[WireServiceAccount], project: &WireProject, name: &str, but: Option<&str>) -> Result<(), ProviderError> {
    if !known.iter().any(|it| fold(&it.name) == fold(name) && Some(it.id.as_str()) != but) {
        return Ok(());
    }
    let message = format!("project `{}` has a service account called `{name}` already", project.name());
    Err(ProviderError::conflict("name_taken", message, "choose another name; for another key use create_api_key"))
}

/// `POST /organization/projects/{project_id}/service_accounts/{service_account_id}`
pub(super) async fn update(at: &Session, op: &UpdateServiceAccount) -> Result<Draft<ServiceAccount>, ProviderError> {
    if op.name.is_none() && op.role.is_none() {
        return Err(ProviderError::invalid("nothing to change is given", "give `name` or `role`"));
    }
    let role = match op.role.as_ref().map(|it| fold(it.text())).as_deref() {
        None => None,
        Some("member") => Some("member"),
        Some("owner") => Some("owner"),
        Some(other) => {
            return Err(ProviderError::invalid(format!("a service account is no `{other}`"), "use role `member` or `owner`"));
        }
    };
    let project = at.active_project(&op.project).await?;
    let account = named(at, &project, &op.service_account).await?;
    if let Some(name) = &op.name {
        is_free(&all(at, &project.id).await?, &project, name.as_str(), Some(&account.id))?;
    }
    let former = account.role.as_deref().unwrap_or("none");
    let mut facts = Facts::none().undo("update_service_account with the values in `before`");
    if let Some(role) = role.filter(|it| *it != former) {
        let known = roles::all(at, Some(&project.id)).await?;
        let held =
            |name: &str| Grant::own(account.holder(), power::named(&known, name, RoleLevel::Project), held::place(at, Some(&project)));
        let (before, after) = ([held(former)], [held(role)]);
        facts = held::losses(facts.gives(after[0].clone()), &before, &after);
        facts = facts.note(format!("role `{former}` becomes `{role}`, for its keys too"));
    }
    let facts = held::around(at, facts).await?;
    let mut body = Map::new();
    if let Some(name) = &op.name {
        body.insert("name".to_owned(), name.as_str().into());
    }
    if let Some(role) = role {
        body.insert("role".to_owned(), role.into());
    }
    let request = at.post("/organization/projects/{project_id}/service_accounts/{service_account_id}");
    let request = request.path("project_id", &project.id).path("service_account_id", &account.id).json(body.into());
    let back = way_back(op, &account, &project);
    let place = project.clone();
    let sent = move |it: &WireServiceAccount| Sent::after(it.view(&place)).undone_by(back.clone());
    let (settled, again, name) = (sent.clone(), at.afresh(), op.name.clone());
    let (before, target, id) = (account.view(&project), account.target(at, &project), account.id.clone());
    let draft =
        Draft::new(
            target,
            facts,
            move |permit| async move { Ok(sent(&request.send(&permit).await?.read("look with get_service_account")?)) },
        );
    Ok(draft.before(before).read_back(move || {
        let (at, project, id, name, settled) = (again.afresh(), project.id.clone(), id.clone(), name.clone(), settled.clone());
        async move {
            let now = retrieve(&at, &project, &id).await?;
            let took = name.is_none_or(|it| it.as_str() == now.name) && role.is_none_or(|it| now.role.as_deref() == Some(it));
            Ok(took.then(|| settled(&now)))
        }
    }))
}

/// The update that puts back what was there; an account without a role cannot be made one again.
fn way_back(op: &UpdateServiceAccount, before: &WireServiceAccount, project: &WireProject) -> Option<Inverse> {
    let role = match (&op.role, before.role.as_deref()) {
        (None, _) => None,
        (Some(_), Some(role @ ("member" | "owner"))) => Some(RoleRef::read(role)),
        (Some(_), _) => return None,
    };
    Some(Inverse::of(&UpdateServiceAccount {
        project: ProjectRef::read(&project.id),
        service_account: ServiceAccountRef::read(&before.id),
        name: op.name.as_ref().map(|_| Name::read(&before.name)),
        role,
    }))
}

/// `DELETE /organization/projects/{project_id}/service_accounts/{service_account_id}`
pub(super) async fn delete(at: &Session, op: &DeleteServiceAccount) -> Result<Draft<ServiceAccount>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let account = named(at, &project, &op.service_account).await?;
    let (keys, last) = api_keys::of_service_account(at, &project.id, &account.id).await?;
    let mut facts = Facts::none().about(held::called(at)).ends(Thing::ServiceAccount, Counted::one(&account.name)).stops(Thing::Key, keys);
    if let Some(last) = last {
        facts = facts.note(format!("its keys were last used {}", time(last)));
    }
    let request = at.delete("/organization/projects/{project_id}/service_accounts/{service_account_id}");
    let request = request.path("project_id", &project.id).path("service_account_id", &account.id);
    let (before, target, again) = (account.view(&project), account.target(at, &project), at.afresh());
    let draft = Draft::new(target, facts, move |permit| async move {
        request.send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(before).read_back(move || {
        let (at, project, id) = (again.afresh(), project.id.clone(), account.id.clone());
        // A list, since one that was just made cannot be read alone.
        async move { Ok((!all(&at, &project).await?.iter().any(|it| it.id == id)).then(Sent::gone)) }
    }))
}

/// `POST …/service_accounts/{service_account_id}/api_keys`
pub(super) fn new_key_request(
    at: &Session,
    project: &WireProject,
    account: &WireServiceAccount,
    body: &Map<String, serde_json::Value>,
) -> crate::providers::http::Request<crate::providers::http::Writing> {
    let request = at.post("/organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys");
    request.path("project_id", &project.id).path("service_account_id", &account.id).json(json!(body))
}
