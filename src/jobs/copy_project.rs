//! `copy_project`: a new project with the owners, teams and limits of another, and its people where that is asked for.
//!
//! What is given in a project that is not there yet cannot be planned by its provider. It is foreseen: weighed by the same judge from
//! what the other project's teams and people hold there, told with the question, and held against that when its turn comes.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    Engine,
    calls::View,
    planned::{PlannedJob, PlannedRow, Ready, Route, Stage},
};
use crate::{
    access,
    domain::{
        Email, Facts, OrganizationRef, ProjectRef, ReferenceText as _, Surroundings, Target,
        access::{Action, Grant, GrantScope, Holder, Named, Place, Power, Role, State, Via},
        limits::RateLimit,
        same_letters,
    },
    error::CallError,
    guard::Caller,
    providers::{self, Connection},
    tools::{
        Operation as _, Tool,
        limits::{ListRateLimits, ListUsageLimits, SetUsageLimit, UpdateRateLimit},
        project_members::AddProjectMember,
        project_teams::AddProjectTeam,
        projects::{CopyProject, CreateProject, GetProject},
        roles::{AssignRole, CreateRole, ListRoles},
    },
};

/// The row that makes the project, and what the others name it by until then.
const MAKES: &str = "project";
pub(super) const MADE: &str = "${project.id}";

impl Engine {
    pub(super) async fn copying_project(
        &self,
        tool: &Tool,
        connection: &Connection,
        caller: &Caller,
        op: &CopyProject,
    ) -> Result<PlannedJob, CallError> {
        let view = self.view(connection, caller);
        let source = view.read(GetProject::NAME, json!({ "project": op.from.text() })).await?;
        let text = |field: &str| source[field].as_str().unwrap_or_default().to_owned();
        let (id, organization) = (text("id"), text("organization"));
        let held = connection.grants(GrantScope::Project(ProjectRef::read(&id))).await?.unwrap_or_default();
        let own: Vec<Grant> = held.list.iter().filter(|it| is_of(it, &id)).cloned().collect();
        let home = own.first().map_or_else(|| Named::new(&organization, &organization), |it| it.place.organization().clone());
        let new = Place::Project { project: Named::new(op.name.as_str(), ""), organization: home.clone() };
        let about = if own.iter().any(|it| it.role.power.counts()) { around(connection, &home).await? } else { Surroundings::default() };
        let own_roles = roles_of(&view, &id).await?;
        let mut copy = Copy { view: &view, new, about, rows: Vec::new(), notes: Vec::new(), own_roles, made_roles: HashMap::new() };

        let owners = owners(&own, op.owner.as_ref());
        let mut arguments = json!({ "name": op.name.as_str() });
        let mut take = |field: &str, value: &str| {
            if !value.is_empty() && view.takes(CreateProject::NAME, field) {
                arguments[field] = value.into();
                return true;
            }
            false
        };
        take("organization", &home.id);
        take("team", &text("team"));
        take("residency", &text("residency"));
        let first = owners.first().and_then(|it| email(&it.0)).map(str::to_owned);
        let is_made_owned = first.as_deref().is_some_and(|it| take("admin_email", it));
        let makes = self.row(MAKES, &connection.name, CreateProject::NAME, arguments);
        copy.rows.push(makes);
        for (holder, role) in owners.iter().skip(usize::from(is_made_owned)) {
            copy.person(holder, &[(role.clone(), role.id.clone())]);
        }
        if owners.is_empty() {
            copy.notes.push(format!("project {} has nobody who owns it; `owner` names somebody", op.name));
        }
        copy.teams(&own);
        copy.people(&own, &owners, op.people == Some(true));
        copy.limits(&id).await?;
        let Copy { rows, mut notes, .. } = copy;
        notes.insert(0, format!("as project {} [{id}]", text("project")));
        if !held.unseen.is_empty() {
            notes.push(format!("not seen, and so not copied: {}", held.unseen.join("; ")));
        }
        let target = Target::new_one("project", op.name.as_str(), &home.name);
        let job = PlannedJob::new(tool, &connection.name, providers::json(op)?, rows);
        Ok(PlannedJob { in_order: true, all_or_nothing: true, notes, subject: Some(target), ..job })
    }
}

fn is_of(grant: &Grant, project: &str) -> bool {
    matches!(&grant.place, Place::Project { project: it, .. } if it.id == project) && grant.state == State::Active
}

/// What the judgement needs to know where power is given.
async fn around(connection: &Connection, home: &Named) -> Result<Surroundings, CallError> {
    let scope = GrantScope::Organization(Some(OrganizationRef::read(&home.id)));
    let all = connection.grants(scope).await?.unwrap_or_default();
    Ok(access::surroundings(&home.name, &all.list))
}

/// The roles that exist in one project alone.
async fn roles_of(view: &View<'_>, project: &str) -> Result<Vec<Value>, CallError> {
    if !view.takes(ListRoles::NAME, "project") {
        return Ok(Vec::new());
    }
    let all = view.all(ListRoles::NAME, &json!({ "project": project })).await?;
    Ok(all.into_iter().filter(|it| it["project"].is_string() && it["built_in"] != true && it["id"].is_string()).collect())
}

/// Who is to own the new project: who is named, else who owns the other.
fn owners(own: &[Grant], named: Option<&Email>) -> Vec<(Holder, Role)> {
    let mut found: Vec<(Holder, Role)> = Vec::new();
    let is_theirs = |it: &&Grant| it.via == Via::Own && matches!(it.holder, Holder::Person(_));
    // Not every service has a role that owns; who manages the project is in its place there.
    let has_owner = own.iter().any(|it| it.role.owns);
    let owns = |it: &&Grant| if has_owner { it.role.owns } else { it.role.allows.has(Action::Manage) };
    for it in own.iter().filter(is_theirs).filter(owns) {
        if !found.iter().any(|(holder, _)| holder.is_same(&it.holder)) {
            found.push((it.holder.clone(), it.role.clone()));
        }
    }
    let Some(named) = named else { return found };
    let role = found.first().map_or_else(|| Role::owner("owner", "owner"), |it| it.1.clone());
    let known = found.into_iter().find(|it| email(&it.0).is_some_and(|it| same_letters(it, named.as_str())));
    vec![known.unwrap_or_else(|| (Holder::person(named.as_str(), None), role))]
}

fn email(holder: &Holder) -> Option<&str> {
    if let Holder::Person(it) = holder { it.email.as_deref() } else { None }
}

/// A copy on its way.
struct Copy<'a> {
    view: &'a View<'a>,
    new: Place,
    about: Surroundings,
    rows: Vec<PlannedRow>,
    notes: Vec<String>,
    /// Roles that exist in the other project alone.
    own_roles: Vec<Value>,
    /// What stands for those of them that are made in the new project, too, by the id in the other.
    made_roles: HashMap<String, String>,
}

impl Copy<'_> {
    /// A row in the project to come. `whom`: who or what it is about; `grants`: who gets what by it, as it is in the other project.
    fn push(&mut self, tool: &str, arguments: Value, whom: &Named, grants: &[&Grant]) {
        let facts = grants.iter().map(|it| Grant { place: self.new.clone(), ..(*it).clone() }).fold(Facts::none(), Facts::gives);
        let kind = if tool == AddProjectTeam::NAME { "team" } else { "member" };
        let kind = if grants.is_empty() { "limit" } else { kind };
        let facts = if grants.is_empty() { facts.unseen("may be less than what a new project has") } else { facts };
        self.push_as(kind, tool, arguments, whom, facts);
    }

    fn push_as(&mut self, kind: &str, tool: &str, mut arguments: Value, whom: &Named, facts: Facts) {
        arguments["project"] = MADE.into();
        let number = self.rows.len().to_string();
        let row = self.view.engine.row(number, &self.view.connection.name, tool, arguments);
        let Stage::Open(Route { tool, .. }) = &row.stage else {
            self.rows.push(row);
            return;
        };
        let target =
            Target { within: Some(self.new.to_string()), ..Target::new(kind, &whom.name, &whom.id, &self.new.organization().name) };
        let facts = facts.about(self.about.clone()).undo("undo with the job's id");
        let (view, title) = (self.view, tool.title);
        let ready = view.engine.guard.foresee(tool, &view.connection.name, view.caller, target, facts);
        let stage = match ready {
            Ok((told, bearing, typed)) => Stage::Ready(Box::new(Ready { told, title, bearing, typed })),
            Err(error) => Stage::Ended { state: "failed", reason: super::apply::told(&error) },
        };
        self.rows.push(PlannedRow { stage, ..row });
    }

    /// The roles that can be held in the new project, each with how calls name it. One that exists in the other project alone is made
    /// in this one, where the service has such roles.
    fn lasting<'g>(&mut self, grants: Vec<&'g Grant>) -> Vec<(&'g Grant, String)> {
        let mut lasting = Vec::new();
        for it in grants.into_iter().filter(|it| !it.role.id.is_empty()) {
            let own = self.own_roles.iter().find(|role| role["id"] == it.role.id.as_str()).cloned();
            let named = match own {
                None => it.role.id.clone(),
                Some(role) => match self.made(&role, &it.role) {
                    Some(named) => named,
                    None => continue,
                },
            };
            lasting.push((it, named));
        }
        lasting
    }

    /// How a role is named that is made in the new project as it is in the other; none where that cannot be done, which is told.
    fn made(&mut self, role: &Value, held: &Role) -> Option<String> {
        if let Some(known) = self.made_roles.get(&held.id) {
            return Some(known.clone());
        }
        let permissions = role["permissions"].as_array().filter(|it| !it.is_empty());
        let Some(permissions) = permissions.filter(|_| self.view.takes(CreateRole::NAME, "project")) else {
            let note = format!("role {} exists in the other project alone, and is not copied", held.name);
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
            return None;
        };
        let mut arguments = json!({ "name": held.name, "permissions": permissions });
        if let Some(text) = role["description"].as_str().filter(|_| self.view.takes(CreateRole::NAME, "description")) {
            arguments["description"] = text.into();
        }
        let row = self.rows.len().to_string();
        let facts = match held.power {
            Power::None => Facts::none(),
            _ => Facts::none().unseen("whoever is given it gets power over others"),
        };
        self.push_as("role", CreateRole::NAME, arguments, &Named::new(&held.name, ""), facts);
        let named = format!("${{{row}.id}}");
        self.made_roles.insert(held.id.clone(), named.clone());
        Some(named)
    }

    fn teams(&mut self, own: &[Grant]) {
        let mut known: Vec<&str> = Vec::new();
        for it in own {
            let Holder::Team(team) = &it.holder else { continue };
            if it.via != Via::Own || known.contains(&team.id.as_str()) {
                continue;
            }
            known.push(&team.id);
            let theirs = |it: &&Grant| matches!(&it.holder, Holder::Team(other) if other.id == team.id) && it.via == Via::Own;
            let roles = self.lasting(own.iter().filter(theirs).collect());
            for (at, (grant, role)) in roles.iter().enumerate() {
                // With the team its people come.
                let people = own.iter().filter(|it| {
                    matches!(&it.via, Via::Team(other) if other.id == team.id) && it.role.id == grant.role.id && it.holder.is_people()
                });
                let grants: Vec<&Grant> = std::iter::once(*grant).chain(people).collect();
                let way = if at == 0 { AddProjectTeam::NAME } else { AssignRole::NAME };
                self.push(way, json!({ "team": team.id, "role": role }), team, &grants);
            }
        }
    }

    /// Lets somebody in with some roles, each with how calls name it.
    fn person(&mut self, holder: &Holder, roles: &[(Role, String)]) {
        let label = holder.label().to_owned();
        let Holder::Person(who) = holder else { return };
        let Some(member) = who.email.as_deref().or(who.id.as_deref()) else {
            self.notes.push("somebody whose address and id are not told is not copied".to_owned());
            return;
        };
        let grants: Vec<Grant> = roles.iter().map(|it| Grant::own(holder.clone(), it.0.clone(), self.new.clone())).collect();
        let ids: Vec<&str> = roles.iter().map(|it| it.1.as_str()).collect();
        let whom = Named::new(label, who.id.clone().unwrap_or_default());
        self.push(AddProjectMember::NAME, json!({ "member": member, "roles": ids }), &whom, &grants.iter().collect::<Vec<_>>());
    }

    /// Those who are in the other project by themselves and do not own the new one already.
    fn people(&mut self, own: &[Grant], owners: &[(Holder, Role)], are_wanted: bool) {
        let mut known: Vec<&Holder> = owners.iter().map(|it| &it.0).collect();
        let mut others = 0;
        for it in own.iter().filter(|it| it.via == Via::Own && matches!(it.holder, Holder::Person(_))) {
            if known.iter().any(|known| known.is_same(&it.holder)) {
                continue;
            }
            known.push(&it.holder);
            others += 1;
            if are_wanted {
                let theirs = own.iter().filter(|other| other.via == Via::Own && other.holder.is_same(&it.holder));
                let roles: Vec<(Role, String)> =
                    self.lasting(theirs.collect()).into_iter().map(|(it, named)| (it.role.clone(), named)).collect();
                if !roles.is_empty() {
                    self.person(&it.holder, &roles);
                }
            }
        }
        if others > 0 && !are_wanted {
            let are = if others == 1 { "1 person is" } else { &format!("{others} people are") };
            self.notes.push(format!("{are} in the other project and not in this one; `people` copies them, too"));
        }
        let accounts = own.iter().filter(|it| matches!(it.holder, Holder::ServiceAccount(_) | Holder::Key(_)));
        let mut names: Vec<&str> = accounts.map(|it| it.holder.label()).collect();
        names.dedup();
        if !names.is_empty() {
            self.notes.push(format!("keys and service accounts are not copied: {}", names.join(", ")));
        }
    }

    async fn limits(&mut self, project: &str) -> Result<(), CallError> {
        if self.view.takes(UpdateRateLimit::NAME, "") {
            for it in self.view.all(ListRateLimits::NAME, &json!({ "project": project })).await? {
                let set = RateLimit::FIELDS.into_iter().filter(|field| it[*field].as_u64().is_some());
                let mut arguments: Map<String, Value> = set.map(|field| (field.to_owned(), it[field].clone())).collect();
                if arguments.is_empty() {
                    continue;
                }
                let model = it["model"].as_str().unwrap_or_default();
                arguments.insert("model".into(), model.into());
                self.push(UpdateRateLimit::NAME, arguments.into(), &Named::new(model, ""), &[]);
            }
        }
        if self.view.takes(SetUsageLimit::NAME, "project") {
            for it in self.view.all(ListUsageLimits::NAME, &json!({ "project": project })).await? {
                if it["active"] != true || !it["project"].is_string() {
                    continue;
                }
                let fields = ["subscription_type", "usage_unit", "soft_limit", "hard_limit", "renewal"];
                let arguments: Map<String, Value> = fields.into_iter().map(|field| (field.to_owned(), it[field].clone())).collect();
                self.push(SetUsageLimit::NAME, arguments.into(), &Named::new("usage limit", ""), &[]);
            }
        }
        Ok(())
    }
}
