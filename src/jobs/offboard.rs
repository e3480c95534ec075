//! `offboard_person`: everything that somebody has in all accounts, taken away by one plan. Ownerships go to a successor, keys are
//! stopped where that is asked for, and what stays behind is named.

mod heir;
mod keys;

use std::{sync::Arc, time::Duration};

use heir::{Heir, Successor};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Engine,
    calls::View,
    planned::{PlannedJob, PlannedRow, Ready, Route, Stage, person},
};
use crate::{
    access,
    answers::Ask,
    domain::{
        Facts, MemberRef, OrganizationRef, ProjectRef, ReferenceText, Target,
        access::{Grant, GrantScope, Grants, Holder, Named, Place, Role, State, Via},
        same_letters,
    },
    error::{CallError, ProviderError},
    guard::Caller,
    providers::{self, Connection, builtin},
    tools::{
        Operation as _, Tool,
        members::{CancelInvitation, LeaversKeys, OffboardPerson, RemoveOrganizationMember, UpdateOrganizationMember},
        project_members::{AddProjectMember, RemoveProjectMember, UpdateProjectMember},
        roles::{AssignRole, UnassignRole},
        teams::RemoveTeamMember,
    },
};

/// How long one account may take to tell what somebody has there.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of how many places it is looked up who else owns them; each takes a request or more.
const OWNED: usize = 50;
/// So many calls are planned one upon the other.
const CHAINED: usize = 50;

impl Engine {
    pub(super) async fn offboarding(&self, tool: &Tool, caller: &Caller, op: &OffboardPerson) -> Result<PlannedJob, CallError> {
        let accounts = self.chosen(&op.connections)?;
        let (mut rows, mut notes) = (Vec::new(), Vec::new());
        let who = op.member.text();
        if let Some(successor) = op.successor.as_ref().filter(|it| same_letters(who, it.text())) {
            let message = format!("`{successor}` leaves, and cannot be the successor");
            return Err(ProviderError::invalid(message, "name somebody who stays").into());
        }
        let ask = Ask::new(&self.db, &self.guard, tool, caller, &accounts, accounts.len() > 1).patiently(2 * PATIENCE);
        let looked = ask.person(&op.member).await;
        let somebody = looked.one(who)?;
        let next = match &op.successor {
            Some(named) => Some(Successor::find(ask, named, somebody).await?),
            None => None,
        };
        notes.extend(
            looked.gaps.failed.iter().map(|it| format!("{} did not answer, and nothing is taken there: {}", it.connection, it.message)),
        );
        notes.extend(looked.gaps.not_asked.iter().map(|it| format!("{it} was not asked, and nothing is taken there")));
        let mut done: Vec<&str> = Vec::new();
        for (reader, holder) in &somebody.seen {
            let connection = &reader.connection;
            if done.contains(&connection.name.as_str()) {
                continue;
            }
            done.push(&connection.name);
            let mut here = somebody.seen.iter().filter(|it| it.0.connection.name == connection.name).map(|it| &it.1);
            let known = somebody.email().or_else(|| here.find_map(id)).unwrap_or_else(|| holder.label());
            let held = match timeout(PATIENCE, reader.grants(GrantScope::Person(MemberRef::read(known)))).await {
                Ok(held) => held.map_err(|error| crate::error::chain(&error)),
                Err(_) => Err("it did not answer in time".to_owned()),
            };
            let held = match held {
                Ok(held) => held.unwrap_or_default(),
                Err(why) => {
                    notes.push(format!("{} did not answer, and nothing is taken there: {why}", connection.name));
                    continue;
                }
            };
            let view = self.view(connection, caller);
            let successor = next.as_ref().map(|it| it.at(reader));
            let mut leaving = Leaving { view: &view, who: known, successor, keys: op.keys, rows: Vec::new(), notes: Vec::new() };
            leaving.plan(&held).await?;
            let many = rows.len();
            rows.extend(leaving.rows.into_iter().enumerate().map(|(at, it)| PlannedRow { name: (many + at + 1).to_string(), ..it }));
            notes.extend(leaving.notes.into_iter().map(|it| if accounts.len() > 1 { format!("{}: {it}", connection.name) } else { it }));
        }
        for (other, why) in &looked.probably_same {
            notes.push(format!(
                "probably the same person, and left as they are ({why}): {}; offboard that address by itself",
                other.label()
            ));
        }
        let subject = person(somebody.email().unwrap_or(who));
        let job = PlannedJob::new(tool, builtin::NAME, providers::json(op)?, rows);
        Ok(PlannedJob { in_order: true, notes, subject: Some(subject), ..job })
    }

    /// The accounts that are named, or all.
    pub(super) fn chosen(&self, named: &[String]) -> Result<Vec<Arc<Connection>>, CallError> {
        let mut all: Vec<Arc<Connection>> = Vec::new();
        for it in self.catalog.offers().flat_map(crate::catalog::Offer::able).filter(|it| it.name != builtin::NAME) {
            if !all.iter().any(|known| known.name == it.name) {
                all.push(Arc::clone(it));
            }
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let unknown = named.iter().find(|name| !all.iter().any(|it| it.name == **name));
        if let Some(name) = unknown {
            let able = all.iter().map(|it| it.name.clone()).collect();
            return Err(CallError::UnknownConnection { name: crate::shape::cut(name, 80), able });
        }
        all.retain(|it| named.is_empty() || named.contains(&it.name));
        Ok(all)
    }
}

/// Somebody who leaves one account.
struct Leaving<'a> {
    view: &'a View<'a>,
    /// As the call names them.
    who: &'a str,
    successor: Option<Heir>,
    keys: Option<LeaversKeys>,
    rows: Vec<PlannedRow>,
    notes: Vec<String>,
}

impl Leaving<'_> {
    fn push(&mut self, tool: &str, arguments: Value) {
        self.push_about(self.who, tool, arguments);
    }

    fn push_about(&mut self, whom: &str, tool: &str, arguments: Value) {
        let row = self.view.engine.row("", &self.view.connection.name, tool, arguments).about(whom);
        self.rows.push(row);
    }

    fn takes(&self, tool: &str) -> bool {
        self.view.takes(tool, "")
    }

    async fn plan(&mut self, held: &Grants) -> Result<(), CallError> {
        let own: Vec<&Grant> = held.list.iter().filter(|it| it.via == Via::Own).collect();
        let (active, pending): (Vec<&Grant>, Vec<&Grant>) = own
            .into_iter()
            .filter(|it| it.holder.is_people())
            .partition(|it| it.state == State::Active && matches!(it.holder, Holder::Person(_)));
        // By id where there is one: nobody else has it.
        let who = active
            .iter()
            .find_map(|it| if let Holder::Person(it) = &it.holder { it.id.clone() } else { None })
            .unwrap_or_else(|| self.who.to_owned());
        let handed_over = self.hand_over(&active).await?;
        self.keys(held).await?;
        self.uninvite(&pending);
        let homes: Vec<&Named> = once(active.iter().filter_map(|it| if let Place::Organization(it) = &it.place { Some(it) } else { None }));
        let leaves = self.takes(RemoveOrganizationMember::NAME);
        for place in once_places(&active) {
            let goes_with_it = leaves && homes.iter().any(|it| it.id == place.organization().id);
            match place {
                Place::Project { project, .. } if !goes_with_it || self.view.connection.keeps_guests() => {
                    self.push(RemoveProjectMember::NAME, json!({ "project": project.id, "member": who }));
                    self.foresee(place, &handed_over, &active);
                }
                Place::Team { team, .. } if !goes_with_it => self.push(RemoveTeamMember::NAME, json!({ "team": team.id, "member": who })),
                _ => {}
            }
        }
        for home in homes {
            if leaves {
                let arguments = self.view.inside(RemoveOrganizationMember::NAME, Some(&home.id), json!({ "member": who }));
                self.push(RemoveOrganizationMember::NAME, arguments);
                self.foresee(&Place::Organization(home.clone()), &handed_over, &active);
                continue;
            }
            for role in active.iter().filter(|it| matches!(&it.place, Place::Organization(it) if it.id == home.id)).map(|it| &it.role) {
                if self.takes(UnassignRole::NAME) {
                    let arguments = self.view.inside(UnassignRole::NAME, Some(&home.id), json!({ "role": role.id, "member": who }));
                    self.push(UnassignRole::NAME, arguments);
                } else {
                    self.notes.push(format!(
                        "stays {} of organization {}: this service lets nobody be taken out of it from here",
                        role.name, home.name
                    ));
                }
            }
        }
        if !held.unseen.is_empty() {
            self.notes.push(format!("not seen, and so not taken: {}", held.unseen.join("; ")));
        }
        // Where the service can tell what would be then, what comes later is planned upon what comes before.
        if (2..=CHAINED).contains(&self.rows.len()) && self.view.connection.rehearse().is_some() {
            self.rows.iter_mut().skip(1).for_each(|it| it.follows = true);
        }
        Ok(())
    }

    /// Weighs the removal that was added last by what it takes, where the place has another owner by then and its service cannot tell
    /// what would be then.
    fn foresee(&mut self, place: &Place, handed_over: &[Place], active: &[&Grant]) {
        if !handed_over.iter().any(|it| it.is_same(place)) || self.view.connection.rehearse().is_some() {
            return;
        }
        let Some(row) = self.rows.last_mut() else { return };
        let Stage::Open(Route { tool, .. }) = &row.stage else { return };
        let (tool, title) = (tool.clone(), tool.title);
        let here = active.iter().filter(|it| it.place.is_same(place));
        let facts = here.fold(Facts::none(), |facts, it| facts.takes((*it).clone(), Vec::new(), Vec::new())).undo("undo with the job's id");
        let id = active.iter().find_map(|it| id(&it.holder)).unwrap_or_default();
        let label = active.first().map_or(self.who, |it| it.holder.label());
        let target = Target { within: Some(place.to_string()), ..Target::new("member", label, id, &place.organization().name) };
        let view = self.view;
        if let Ok((told, bearing, typed)) = view.engine.guard.foresee(&tool, &view.connection.name, view.caller, target, facts) {
            row.stage = Stage::Ready(Box::new(Ready { told, title, bearing, typed }));
        }
    }

    /// Gives what only they own to the successor; answers which places that are.
    async fn hand_over(&mut self, active: &[&Grant]) -> Result<Vec<Place>, CallError> {
        let mut handed_over = Vec::new();
        let owned: Vec<&&Grant> = active.iter().filter(|it| it.role.owns).collect();
        for grant in owned.iter().take(OWNED) {
            let scope = match &grant.place {
                Place::Organization(it) => GrantScope::Organization(Some(OrganizationRef::read(&it.id))),
                Place::Project { project, .. } => GrantScope::Project(ProjectRef::read(&project.id)),
                Place::Team { .. } => continue,
            };
            if self.successor.is_none() {
                continue;
            }
            let here = self.view.connection.grants(scope).await?.unwrap_or_default();
            if here.is_unfinished() {
                self.notes.push(format!("who else owns {} could not be read to the end, and it is not handed over", grant.place));
                continue;
            }
            let is_alone = access::only_owner(&here.list, &grant.place).is_some_and(|it| it.is_same(&grant.holder));
            if is_alone {
                self.succeed(&grant.place, &grant.role, &here.list);
                handed_over.push(grant.place.clone());
            }
        }
        if owned.len() > OWNED {
            self.notes.push(format!("of {} more places that they own it was not looked up who else does", owned.len() - OWNED));
        }
        Ok(handed_over)
    }

    /// Makes the successor owner of a place, beside what they are there.
    fn succeed(&mut self, place: &Place, role: &Role, here: &[Grant]) {
        let Some(Heir { label, named, seen }) = &self.successor else { return };
        let is_they = |it: &Grant| match &it.holder {
            Holder::Person(it) if [&it.email, &it.id].into_iter().flatten().any(|it| same_letters(it, named)) => true,
            holder => seen.iter().any(|it| it.is_same(holder)),
        };
        let has = here.iter().filter(|it| is_they(it) && it.via == Via::Own && it.place.is_same(place)).count();
        let (label, named) = (label.clone(), named.clone());
        match place {
            Place::Organization(home) if self.takes(UpdateOrganizationMember::NAME) => {
                let arguments = json!({ "member": named, "role": role.id });
                let arguments = self.view.inside(UpdateOrganizationMember::NAME, Some(&home.id), arguments);
                self.push_about(&label, UpdateOrganizationMember::NAME, arguments);
            }
            Place::Project { project, .. } if has == 0 => {
                let arguments = json!({ "project": project.id, "member": named, "roles": [role.id] });
                self.push_about(&label, AddProjectMember::NAME, arguments);
            }
            // An owner can do what the role before could.
            Place::Project { project, .. } if has == 1 && self.takes(UpdateProjectMember::NAME) => {
                let arguments = json!({ "project": project.id, "member": named, "role": role.id });
                self.push_about(&label, UpdateProjectMember::NAME, arguments);
            }
            Place::Project { project, .. } if self.takes(AssignRole::NAME) => {
                let arguments = json!({ "role": role.id, "member": named, "project": project.id });
                self.push_about(&label, AssignRole::NAME, arguments);
            }
            _ => self.notes.push(format!("this service cannot make {label} {} of {place}, who is there as something else", role.name)),
        }
    }

    fn uninvite(&mut self, pending: &[&Grant]) {
        let into: Vec<&Named> = once(pending.iter().filter_map(|it| if let Place::Organization(it) = &it.place { Some(it) } else { None }));
        for place in once_places(pending) {
            let invited = pending.iter().find(|it| it.place.is_same(place)).map_or(self.who, |it| it.holder.label());
            match place {
                Place::Organization(home) => {
                    let arguments = self.view.inside(CancelInvitation::NAME, Some(&home.id), json!({ "invitation": invited }));
                    self.push(CancelInvitation::NAME, arguments);
                }
                // It goes with the invitation to the organization.
                _ if into.iter().any(|it| it.id == place.organization().id)
                    && self.view.takes("invite_organization_member", "projects") => {}
                Place::Project { project, .. } => self.push(RemoveProjectMember::NAME, json!({ "project": project.id, "member": invited })),
                Place::Team { team, .. } => self.push(RemoveTeamMember::NAME, json!({ "team": team.id, "member": invited })),
            }
        }
    }
}

/// The id by which an account knows somebody.
fn id(holder: &Holder) -> Option<&str> {
    if let Holder::Person(it) = holder { it.id.as_deref() } else { None }
}

/// Things each once, by id.
fn once<'a>(all: impl Iterator<Item = &'a Named>) -> Vec<&'a Named> {
    let mut found: Vec<&Named> = Vec::new();
    for it in all {
        if !found.iter().any(|known| known.id == it.id) {
            found.push(it);
        }
    }
    found
}

/// The places of grants, each once.
fn once_places<'a>(grants: &[&'a Grant]) -> Vec<&'a Place> {
    let mut found: Vec<&Place> = Vec::new();
    for it in grants {
        if !found.iter().any(|known| known.is_same(&it.place)) {
            found.push(&it.place);
        }
    }
    found
}
