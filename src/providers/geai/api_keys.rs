//! API tokens of projects.
//!
//! A token's id is the token. What is shown in its place is a fingerprint, which is also what a token can be named by.

use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Session, access, power,
    resolve::{FoundProject, only},
    wire::{WireToken, list as items, read, time},
};
use crate::{
    domain::{
        ApiKeyRef, Counted, Description, Facts, Inverse, List, PageRequest, ReferenceText as _, Secret, Thing, Timestamp, fold,
        keys::{ApiKey, KeyState, KeyStatus},
    },
    error::ProviderError,
    guard::Permit,
    providers::http::{Draft, Sent, cut},
    tools::keys::{CreateApiKey, DeleteApiKey, GetApiKey, ListApiKeys, UpdateApiKey},
};

/// How long a description may be; what is longer the service cuts without a word.
const LENGTH: usize = 200;

/// `GET /v1/organization/project/{id}/tokens`; of all projects at once where none is named.
pub(super) async fn list(at: &Session, op: &ListApiKeys) -> Result<List<ApiKey>, ProviderError> {
    if op.organization.is_some() || (op.project.is_none() && at.settings.remote.pin.is_some()) {
        at.organization(op.organization.as_ref()).await?;
    }
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let mut keys = match &op.project {
        Some(named) => {
            let project = at.project(named).await?;
            of_project(at, &project).await?.iter().map(|it| view(it, &project)).collect()
        }
        None => of_all(at).await?,
    };
    let now = Timestamp::now();
    keys.retain(|it| op.means(it, now));
    cut(keys, &page, |it| {
        format!(
            "{}{} {}",
            it.project_id.as_ref().map_or_else(String::new, |id| format!("{} {id} ", fold(&it.project))),
            fold(&it.api_key),
            it.id
        )
    })
}

/// The keys of every project, which one list tells.
async fn of_all(at: &Session) -> Result<Vec<ApiKey>, ProviderError> {
    let mut keys = Vec::new();
    for it in at.projects_in_full().await?.iter() {
        let project = FoundProject::of(it);
        let of_project = it.tokens.iter().flatten();
        keys.extend(of_project.map(|it| ApiKey { project_id: Some(project.id.clone()), ..view(it, &project) }));
    }
    Ok(keys)
}

/// `GET /v2/projects/tokens/{id}`.
pub(super) async fn get(at: &Session, op: &GetApiKey) -> Result<ApiKey, ProviderError> {
    let project = at.project(&op.project).await?;
    let token = find(at, &project, &op.api_key).await?;
    let answer = at.get("/v2/projects/tokens/{id}").path("id", &token.id).value().await?;
    let detail: WireToken = read(at, &answer)?;
    Ok(view(&WireToken { id: token.id, ..detail }, &project))
}

/// `POST /v2/projects/tokens`.
pub(super) async fn create(at: &Session, op: &CreateApiKey) -> Result<Draft<ApiKey>, ProviderError> {
    let Some(description) = &op.description else {
        return Err(ProviderError::invalid("`description` is missing", "say what the key is for: this provider wants to know"));
    };
    short(description)?;
    let project = at.project(&op.project).await?;
    let name = op.name.to_string();
    if of_project(at, &project).await?.iter().any(|it| fold(&it.name) == fold(&name)) {
        return Err(ProviderError::conflict(
            "name_taken",
            format!("a key of {} is called `{name}` already", project.says()),
            "choose another name, or delete that key first: see list_api_keys",
        ));
    }
    let facts = Facts::none().gives(power::key(&name, "", project.place())).note("it works until it is deleted").undo("delete_api_key");
    let target = project.target("key", &name, None);
    let body = json!({ "name": name, "description": description });
    let (session, place) = (at.clone(), project);
    let send = {
        let (session, place) = (session.clone(), place.clone());
        move |permit: Permit| async move {
            let reply = session.post("/v2/projects/tokens").header("project-id", &place.id).json(body).send(&permit).await?;
            let token: WireToken = read(&session, &reply.read::<Value>("list_api_keys shows whether it exists")?)?;
            Ok(made(token, &place))
        }
    };
    Ok(Draft::new(target, facts, send).read_back(move || {
        let (session, place, name) = (session.afresh(), place.clone(), name.clone());
        async move { Ok(of_project(&session, &place).await?.into_iter().find(|it| it.name == name).map(|it| made(it, &place))) }
    }))
}

fn made(token: WireToken, project: &FoundProject) -> Sent<ApiKey> {
    let mark = fingerprint(&token.id);
    let after = view(&token, project);
    let target = project.target("key", &token.name, Some(&mark));
    let back = Inverse::of(&DeleteApiKey { project: project.reference(), api_key: ApiKeyRef::read(mark) });
    let secret = Secret { what: format!("key {} of project {}", token.name, project.name), value: SecretString::from(token.id) };
    Sent::after(after).target(target).secret(secret).inverse(back)
}

/// `PUT /v2/projects/tokens/{id}`.
pub(super) async fn update(at: &Session, op: &UpdateApiKey) -> Result<Draft<ApiKey>, ProviderError> {
    if op.description.is_none() && op.status.is_none() {
        return Err(ProviderError::invalid("nothing to change is given", "give `description` or `status`"));
    }
    op.description.as_ref().map(short).transpose()?;
    let project = at.project(&op.project).await?;
    let token = find(at, &project, &op.api_key).await?;
    let blocked = !is_active(&token);
    let facts = Facts::none().undo("update_api_key with the values in `before`");
    let facts = match op.status {
        Some(KeyStatus::Active) if blocked => facts.note("a blocked key works again").gives(power::of_token(&token, project.place())),
        Some(KeyStatus::Blocked) if !blocked => {
            let facts = facts.stops(Thing::Key, Counted::one(&token.name)).note("until it is set to `active`");
            facts.about(access::keys(at).await?)
        }
        _ => facts,
    };
    let mut body = json!({});
    if let Some(fields) = body.as_object_mut() {
        fields.extend(op.description.as_ref().map(|it| ("description".to_owned(), json!(it))));
        fields.extend(op.status.map(|it| ("status".to_owned(), json!(it))));
    }
    let before = view(&token, &project);
    let after = ApiKey {
        description: op.description.as_ref().map(ToString::to_string).or_else(|| before.description.clone()),
        status: op.status.map(KeyState::from).or(before.status),
        ..before.clone()
    };
    let former = if blocked { KeyStatus::Blocked } else { KeyStatus::Active };
    let (back, wanted) = (undoing(op, &before, former, &project), after.clone());
    Ok(Draft::of(project.target("key", &token.name, Some(&fingerprint(&token.id))), facts)
        .before(before)
        .sends(at.put("/v2/projects/tokens/{id}").path("id", &token.id).json(body))
        // The answer is the token, or a list of messages.
        .leaves(after)
        .undone_by([back])
        .found_by(at, move |at| async move {
            let now = of_project(&at, &project).await?.into_iter().find(|it| it.id == token.id).map(|it| view(&it, &project));
            Ok(now.is_some_and(|it| it.description == wanted.description && it.status == wanted.status))
        }))
}

fn undoing(op: &UpdateApiKey, before: &ApiKey, status: KeyStatus, project: &FoundProject) -> Inverse {
    Inverse::of(&UpdateApiKey {
        project: project.reference(),
        api_key: ApiKeyRef::read(&before.id),
        description: op.description.as_ref().and(before.description.as_ref()).map(Description::read),
        status: op.status.and(before.status).map(|_| status),
        scopes: None,
        expires_in_seconds: None,
        clear: Vec::new(),
    })
}

/// `DELETE /v2/projects/tokens/{id}`.
pub(super) async fn delete(at: &Session, op: &DeleteApiKey) -> Result<Draft<ApiKey>, ProviderError> {
    let project = at.project(&op.project).await?;
    let token = find(at, &project, &op.api_key).await?;
    let name = Counted::one(&token.name);
    let facts = if is_active(&token) {
        Facts::none().stops(Thing::Key, name).about(access::keys(at).await?)
    } else {
        Facts::none().ends(Thing::Key, name).note("it is blocked: nothing works with it now")
    };
    Ok(Draft::of(project.target("key", &token.name, Some(&fingerprint(&token.id))), facts)
        .before(view(&token, &project))
        .sends(at.delete("/v2/projects/tokens/{id}").path("id", &token.id))
        .ends()
        .found_by(at, move |at| async move { Ok(!of_project(&at, &project).await?.iter().any(|it| it.id == token.id)) }))
}

/// The tokens of a project.
pub(super) async fn of_project(at: &Session, project: &FoundProject) -> Result<Vec<WireToken>, ProviderError> {
    let answer = at.get("/v1/organization/project/{id}/tokens").path("id", &project.id).value().await?;
    read(at, &items(&answer, "tokens", &["project"]))
}

/// The token of a project that is named. A secret that is given as a name finds nothing, and is not repeated.
async fn find(at: &Session, project: &FoundProject, named: &ApiKeyRef) -> Result<WireToken, ProviderError> {
    let marked: Vec<(String, WireToken)> = of_project(at, project).await?.into_iter().map(|it| (fingerprint(&it.id), it)).collect();
    if marked.iter().any(|it| it.1.id == named.text()) {
        return Err(ProviderError::invalid(
            "`api_key` is the secret of a key itself",
            "name the key, or give the id that list_api_keys shows; and have this key replaced, since it was told",
        ));
    }
    let found = only(&marked, "api key", named.text(), &project.name, |it| it.0.as_str(), |it| it.1.name.clone(), "list_api_keys")?;
    Ok(found.1.clone())
}

pub(super) fn is_active(token: &WireToken) -> bool {
    token.status.as_ref().is_none_or(|it| it.eq_ignore_ascii_case("active"))
}

fn short(description: &Description) -> Result<(), ProviderError> {
    let length = description.as_str().chars().count();
    if length <= LENGTH {
        return Ok(());
    }
    Err(ProviderError::invalid(
        format!("`description` has {length} characters"),
        format!("use {LENGTH} at most: the service cuts the rest"),
    ))
}

/// A few digits that tell one token from another, and from which it cannot be had.
pub(super) fn fingerprint(id: &str) -> String {
    let digest = Sha256::digest(id.as_bytes());
    let number = digest.iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("key-{number:012x}")
}

fn view(it: &WireToken, project: &FoundProject) -> ApiKey {
    let status = match it.status.as_deref().map(str::to_lowercase).as_deref() {
        Some("active") => Some(KeyState::Active),
        Some("blocked") => Some(KeyState::Blocked),
        Some("expired") => Some(KeyState::Expired),
        _ => None,
    };
    ApiKey {
        api_key: it.name.clone(),
        id: fingerprint(&it.id),
        project: project.name.clone(),
        description: it.description.clone().filter(|it| !it.is_empty()),
        status,
        scopes: it.scope.iter().cloned().collect(),
        created_at: time(it.timestamp.as_ref()),
        ..ApiKey::default()
    }
}
