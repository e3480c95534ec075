//! What one account tells for a review: grants by its one reader, keys, invitations, projects and roles by its lists.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::time::timeout_at;

use super::rules::Told;
use crate::{
    answers::Ask,
    domain::{
        OrganizationRef,
        access::{Grant, GrantScope, Holder, Named, Place, Role, State, Via},
        keys::ApiKey,
        roles::Role as OwnRole,
    },
    error::{CallError, ProviderError},
    providers::Reader,
    tools::{
        Operation, Tool, access::ReviewAccess, keys::ListApiKeys, members::ListInvitations, organizations::ListOrganizations,
        projects::ListProjects, roles::ListRoles,
    },
};

/// What was seen of one organization, and from where.
pub(super) struct Seen {
    pub(super) told: Told,
    /// What was read to its end; of the rest nobody can say that it was mended.
    pub(super) sources: Vec<&'static str>,
}

/// So many organizations of one account are looked at.
const ORGANIZATIONS: usize = 10;
/// So many pages of a list are read.
const PAGES: usize = 20;
/// So long before the answer has to be there, what was not read is told, and the rest is judged.
const MARGIN: Duration = Duration::from_secs(1);

/// All that the account tells of the organization, the project or the organizations that the review is about.
///
/// # Errors
///
/// Those of the account's reader of grants. Lists that cannot be read are told in the phrases.
pub(super) async fn look(
    ask: Ask<'_>,
    reader: &Reader,
    op: &ReviewAccess,
    trusted: Option<BTreeSet<String>>,
) -> Result<Option<(Vec<Seen>, Vec<String>)>, ProviderError> {
    let mut looks = Look { ask, reader, op, trusted, unseen: Vec::new(), partly: Vec::new() };
    let mut all = Vec::new();
    for organization in looks.organizations().await? {
        // What came before is worth more than what did not come in time.
        let look = looks.organization(organization.as_ref());
        let look = if all.is_empty() { Ok(look.await) } else { timeout_at(ask.deadline - MARGIN, look).await };
        match look {
            Ok(seen) => match seen? {
                Some(seen) => all.push(seen),
                None => return Ok(None),
            },
            Err(_) => looks.untold(format!("organization {} did not answer in time", organization.map_or_else(String::new, |it| it.name))),
        }
    }
    Ok(Some((all, looks.unseen)))
}

struct Look<'a> {
    ask: Ask<'a>,
    reader: &'a Reader,
    op: &'a ReviewAccess,
    trusted: Option<BTreeSet<String>>,
    unseen: Vec<String>,
    /// The lists that were not read to their end.
    partly: Vec<&'static str>,
}

impl Look<'_> {
    /// The organizations to look at; `None` is the one that the account is for.
    async fn organizations(&mut self) -> Result<Vec<Option<Named>>, ProviderError> {
        if let Some(named) = &self.op.organization {
            return Ok(vec![Some(Named::new(named.to_string(), named.to_string()))]);
        }
        if self.op.project.is_some() || !self.has_organizations() {
            return Ok(vec![None]);
        }
        let all: Option<Vec<Value>> = self.list::<ListOrganizations, _>("organizations", json!({})).await;
        let text = |it: &Value, field: &str| it[field].as_str().unwrap_or_default().to_owned();
        let mut all: Vec<Named> = all.unwrap_or_default().iter().map(|it| Named::new(text(it, "organization"), text(it, "id"))).collect();
        if all.len() > ORGANIZATIONS {
            self.unseen.push(format!("{} more organizations were not reviewed; name one with `organization`", all.len() - ORGANIZATIONS));
            all.truncate(ORGANIZATIONS);
        }
        Ok(if all.is_empty() { vec![None] } else { all.into_iter().map(Some).collect() })
    }

    /// `None` where the account knows nothing of access.
    async fn organization(&mut self, organization: Option<&Named>) -> Result<Option<Seen>, ProviderError> {
        let scope = match &self.op.project {
            Some(project) => GrantScope::Project(project.clone()),
            None => GrantScope::Organization(organization.map(|it| reference(&it.id))),
        };
        let Some(mut grants) = self.reader.grants(scope).await? else { return Ok(None) };
        let unfinished = grants.is_unfinished();
        let mut sources = Vec::from(if unfinished { &[][..] } else { &["grants"] });
        let mut home = organization.cloned();
        let project = grants.list.iter().find_map(|it| match &it.place {
            Place::Project { project, .. } if self.op.project.is_some() => Some(project.id.clone()),
            _ => None,
        });
        if let (Some(_), Some(first)) = (&self.op.project, grants.list.first()) {
            // Who is in the organization, a project does not tell.
            let named = first.place.organization().clone();
            let within = GrantScope::Top(Some(reference(&named.id)).filter(|_| self.has_organizations()));
            match timeout_at(self.ask.deadline - MARGIN, self.reader.grants(within)).await {
                Ok(Ok(Some(more))) if !more.is_unfinished() => merge(&mut grants.list, more.list),
                _ => self.unseen.push("who is in the organization of the project".to_owned()),
            }
            home = Some(named);
        }
        let complete = grants.unseen.is_empty();
        grants.unseen.into_iter().for_each(|it| self.untold(it));
        let within = home.filter(|_| self.has_organizations()).map(|it| it.id);
        let mut told = Told {
            grants: grants.list,
            is_whole: complete,
            unfinished,
            trusted: self.trusted.clone(),
            tools: self.tools(),
            ..Told::default()
        };
        told.limits = self.ask.guard.review_limits();
        told.tells_use = !self.ignores(ListApiKeys::NAME, "unused_since");
        if let Some(project) = &project {
            // What is held elsewhere is not under review, but for who is in the organization.
            told.grants.retain(|it| match &it.place {
                Place::Project { project: it, .. } => it.id == *project,
                Place::Organization(_) => true,
                Place::Team { .. } => false,
            });
        }
        let named = self.op.project.as_ref().map(ToString::to_string);
        told.keys = self.list::<ListApiKeys, ApiKey>("keys", json!({ "organization": within, "project": named })).await;
        told.keys.iter_mut().flatten().for_each(|it| it.project_id = it.project_id.take().or_else(|| project.clone()));
        told.all_keys = told.keys.is_some() && !self.partly.contains(&ListApiKeys::NAME);
        sources.extend(told.all_keys.then_some("keys"));
        if let (Some(project), true) = (&project, complete) {
            told.roles = self.list::<ListRoles, OwnRole>("roles", json!({ "project": project })).await;
            told.roles.iter_mut().flatten().for_each(|it| it.built_in = Some(it.built_in == Some(true) || it.project.is_none()));
        }
        if self.op.project.is_none() {
            let within = || json!({ "organization": within });
            let mut ran_out = within();
            ran_out["status"] = "expired".into();
            told.invitations = self.list::<ListInvitations, _>("invitations", ran_out).await;
            sources.extend(told.invitations.as_ref().filter(|_| !self.partly.contains(&ListInvitations::NAME)).map(|_| "invitations"));
            if complete {
                told.projects = self.list::<ListProjects, _>("projects", within()).await;
                told.only_active(self.partly.contains(&ListProjects::NAME));
                told.roles = self.list::<ListRoles, OwnRole>("roles", within()).await;
                if told.roles.is_some() && !self.ignores(ListRoles::NAME, "project") {
                    self.untold("roles that single projects have made: review one with `project`".to_owned());
                }
                sources.extend(told.roles.as_ref().filter(|_| !self.partly.contains(&ListRoles::NAME)).map(|_| "roles"));
            }
        }
        Ok(Some(Seen { told, sources }))
    }

    /// Whether the account has organizations to name.
    fn has_organizations(&self) -> bool {
        self.reader.connection.serves(ListOrganizations::NAME)
    }

    /// The tools that mend something here, as far as the account serves them.
    fn tools(&self) -> BTreeMap<&'static str, &'static [&'static str]> {
        self.reader.connection.tools().map(|it| (it, self.reader.connection.ignores(it))).collect()
    }

    fn ignores(&self, tool: &str, argument: &str) -> bool {
        self.reader.connection.ignores(tool).contains(&argument)
    }

    /// What a list holds, as far as it was read; `None` where it could not be read, which is told, or where the account has no such list.
    async fn list<O: Operation, T: DeserializeOwned>(&mut self, what: &str, arguments: Value) -> Option<Vec<T>> {
        if !self.reader.connection.serves(O::NAME) {
            return None;
        }
        match timeout_at(self.ask.deadline - MARGIN, self.pages::<O, T>(arguments)).await {
            Ok(Ok((all, true))) => Some(all),
            // What was read is judged; what was not is told, and counts neither as new nor as mended.
            Ok(Ok((all, false))) => {
                self.untold(format!("only the first {} of its {what} were reviewed", all.len()));
                self.partly.push(O::NAME);
                Some(all)
            }
            Ok(Err(error)) => self.not_read(what, &error.to_string()),
            Err(_) => self.not_read(what, "they did not come in time"),
        }
    }

    fn not_read<T>(&mut self, what: &str, why: &str) -> Option<Vec<T>> {
        self.untold(format!("its {what} were not reviewed: {why}"));
        None
    }

    async fn pages<O: Operation, T: DeserializeOwned>(&self, arguments: Value) -> Result<(Vec<T>, bool), CallError> {
        let (tool, mut all) = (Tool::of::<O>(), Vec::new());
        let Value::Object(mut arguments) = arguments else { return Err(CallError::Internal) };
        arguments.retain(|name, value| !value.is_null() && !self.ignores(O::NAME, name));
        arguments.insert("limit".into(), 100.into());
        for _ in 0..PAGES {
            let mut page: Value = self.ask.read(self.reader, &tool, arguments.clone()).await?;
            let items = page.get_mut("items").map(Value::take).unwrap_or_default();
            all.extend(serde_json::from_value::<Vec<T>>(items).map_err(|_| CallError::Internal)?);
            match page["next_cursor"].as_str() {
                Some(next) => arguments.insert("cursor".into(), next.into()),
                None => return Ok((all, true)),
            };
        }
        Ok((all, false))
    }

    fn untold(&mut self, phrase: String) {
        if !self.unseen.contains(&phrase) {
            self.unseen.push(phrase);
        }
    }
}

/// Adds grants that are not there yet.
fn merge(grants: &mut Vec<Grant>, more: Vec<Grant>) {
    let known: HashSet<_> = grants.iter().map(parts).collect();
    let new: Vec<Grant> = more.into_iter().filter(|it| !known.contains(&parts(it))).collect();
    grants.extend(new);
}

/// What two grants are the same by.
fn parts(it: &Grant) -> (&Holder, &Role, &Place, &Via, &State, Option<i64>) {
    (&it.holder, &it.role, &it.place, &it.via, &it.state, it.ends_at.map(|it| it.0))
}

fn reference(id: &str) -> OrganizationRef {
    OrganizationRef::read(id)
}

impl Ask<'_> {
    /// What a reading tool of the account answers.
    async fn read(&self, reader: &Reader, tool: &Tool, arguments: Map<String, Value>) -> Result<Value, CallError> {
        self.guard.read(tool, &reader.connection.name, self.caller, reader.read(tool.name, arguments)?).await
    }
}
