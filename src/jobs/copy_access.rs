//! `copy_access`: what one person holds, given to another: the organization with its role, projects, teams, further roles. What is
//! there already is left, and what a service does not let is told.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Engine,
    calls::View,
    planned::{PlannedJob, PlannedRow, person},
};
use crate::{
    answers::Ask,
    domain::{
        Email, MemberRef, ReferenceText, Target,
        access::{Allows, Grant, GrantScope, Grants, Holder, Named, Place, Role, State, Via},
        fold,
    },
    error::{CallError, ProviderError},
    guard::Caller,
    providers::{self, Connection},
    tools::{
        Operation as _, Tool,
        members::{
            AccessPart, AddOrganizationMember, CopyAccess, GetOrganizationMember, InviteOrganizationMember, UpdateOrganizationMember,
        },
        project_members::AddProjectMember,
        roles::AssignRole,
        teams::AddTeamMember,
    },
};

/// How long the account may take to tell who is meant.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most projects that an invitation takes.
const BROUGHT: usize = 20;

impl Engine {
    pub(super) async fn copying_access(
        &self,
        tool: &Tool,
        connection: &Connection,
        caller: &Caller,
        op: &CopyAccess,
    ) -> Result<PlannedJob, CallError> {
        let view = self.view(connection, caller);
        let from = self.whom(tool, connection, caller, &op.from).await?;
        let to = self.whom(tool, connection, caller, &op.to).await.map_err(newcomer)?;
        if from == to {
            return Err(ProviderError::invalid(format!("`from` and `to` are both `{to}`"), "name two people").into());
        }
        let held = connection.grants(GrantScope::Person(MemberRef::read(&from))).await?.unwrap_or_default();
        let known = match connection.grants(GrantScope::Person(MemberRef::read(&to))).await {
            Ok(grants) => Some(grants.unwrap_or_default()),
            Err(ProviderError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let has_account = known.is_some();
        let has = known.unwrap_or_default().list;
        let mut copy =
            Copy { view: &view, parts: &op.only, from: &from, to: &to, has_account, rows: Vec::new(), notes: Vec::new(), waits: false };
        let homes = homes(&held);
        if homes.is_empty() {
            let message = format!("`{from}` holds nothing that could be copied");
            return Err(ProviderError::conflict("nothing_to_copy", message, "see find_person for what they reach").into());
        }
        for home in homes {
            let here = |all: &[Grant]| -> Vec<Grant> {
                let is_own = |it: &&Grant| it.via == Via::Own && it.place.organization().id == home.id;
                all.iter().filter(is_own).cloned().collect()
            };
            copy.organization(&home, &here(&held.list), &here(&has)).await?;
        }
        let Copy { rows, mut notes, .. } = copy;
        notes.insert(0, format!("as {from} has it"));
        notes.extend(not_copied(&held));
        let target = Target { kind: "member".into(), ..person(&to) };
        let job = PlannedJob::new(tool, &connection.name, providers::json(op)?, rows);
        Ok(PlannedJob { in_order: true, notes, subject: Some(target), ..job })
    }
}

/// The organizations in which somebody holds anything of their own.
fn homes(held: &Grants) -> Vec<Named> {
    let mut homes: Vec<Named> = Vec::new();
    for it in held.list.iter().filter(|it| it.via == Via::Own && it.state == State::Active && matches!(it.holder, Holder::Person(_))) {
        let home = it.place.organization();
        if !homes.iter().any(|it| it.id == home.id) {
            homes.push(home.clone());
        }
    }
    homes
}

/// What stays with the other person, and what could not be seen.
fn not_copied(held: &Grants) -> Vec<String> {
    let mut notes = Vec::new();
    let mut keys: Vec<&str> = held.list.iter().filter(|it| matches!(it.holder, Holder::Key(_))).map(|it| it.holder.label()).collect();
    keys.dedup();
    if !keys.is_empty() {
        notes.push(format!("a key stays its owner's, so these are not copied: {}", keys.join(", ")));
    }
    if !held.unseen.is_empty() {
        notes.push(format!("not seen, and so not copied: {}", held.unseen.join("; ")));
    }
    notes
}

/// A copy on its way.
struct Copy<'a> {
    view: &'a View<'a>,
    /// Empty: all.
    parts: &'a [AccessPart],
    from: &'a str,
    to: &'a str,
    has_account: bool,
    rows: Vec<PlannedRow>,
    notes: Vec<String>,
    /// Whether rows may need what one before them makes.
    waits: bool,
}

impl Copy<'_> {
    fn wants(&self, part: AccessPart) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    fn push(&mut self, tool: &str, arguments: Value) {
        let number = (self.rows.len() + 1).to_string();
        let row = self.view.engine.row(number, &self.view.connection.name, tool, arguments).about(self.to);
        self.rows.push(PlannedRow { follows: self.waits, ..row });
    }

    fn idle(&mut self, tool: &str, state: &'static str, reason: String) {
        let number = (self.rows.len() + 1).to_string();
        self.rows.push(Engine::idle_row(number, &self.view.connection.name, tool, self.to, (state, reason)));
    }

    /// What somebody holds of their own in one organization, given to another who has something there or not.
    async fn organization(&mut self, home: &Named, own: &[Grant], has: &[Grant]) -> Result<(), CallError> {
        let own = self.lasting(own);
        let is_in = |all: &[Grant]| all.iter().any(|it| matches!(it.place, Place::Organization(_)) && it.state == State::Active);
        let base = if is_in(&own) { self.base(home, &own).await? } else { None };
        let has: Vec<Grant> = has.iter().filter(|it| it.state == State::Active).cloned().collect();
        if is_in(&own) && !is_in(&has) {
            if self.joins(home, base.as_ref(), &own) {
                return Ok(());
            }
        } else if let Some(base) = &base
            && self.wants(AccessPart::Organization)
        {
            self.role_of_member(home, base, &has).await?;
        }
        for (place, roles) in by_place(&own) {
            let there: Vec<&Role> = has.iter().filter(|it| it.place.is_same(&place)).map(|it| &it.role).collect();
            match &place {
                Place::Project { project, .. } if self.wants(AccessPart::Projects) => self.project(project, &roles, &there),
                Place::Team { team, .. } if self.wants(AccessPart::Teams) => self.team(team, &roles, &there),
                Place::Organization(_) if self.wants(AccessPart::Roles) => {
                    for role in roles.iter().filter(|it| base.as_ref().is_none_or(|base| base.id != it.id)) {
                        self.further(role, home, &there);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What does not end by itself: a copy would outlast it.
    fn lasting(&mut self, own: &[Grant]) -> Vec<Grant> {
        let (lasting, ending): (Vec<Grant>, Vec<Grant>) = own
            .iter()
            .filter(|it| it.state == State::Active && matches!(it.holder, Holder::Person(_)))
            .cloned()
            .partition(|it| it.ends_at.is_none());
        for it in ending {
            let when = it.ends_at.map(|it| format!(" at {it}")).unwrap_or_default();
            self.notes.push(format!("{} of {} ends{when}, and is not copied", it.role.name, it.place));
        }
        lasting
    }

    /// The role of somebody's membership, beside which others may be held.
    async fn base(&self, home: &Named, own: &[Grant]) -> Result<Option<Role>, CallError> {
        let name = self.base_name(home, self.from).await?;
        let mut roles = own.iter().filter(|it| matches!(it.place, Place::Organization(_))).map(|it| &it.role);
        Ok(roles.find(|it| name.as_ref().is_some_and(|name| fold(&it.name) == fold(name))).cloned())
    }

    async fn base_name(&self, home: &Named, who: &str) -> Result<Option<String>, CallError> {
        let arguments = self.view.inside(GetOrganizationMember::NAME, Some(&home.id), json!({ "member": who }));
        let found = self.view.find(GetOrganizationMember::NAME, arguments).await?;
        Ok(found.and_then(|it| it["roles"][0].as_str().map(str::to_owned)))
    }

    /// Brings somebody into an organization who is not in it; whether the rest has to wait until they have accepted.
    fn joins(&mut self, home: &Named, base: Option<&Role>, own: &[Grant]) -> bool {
        let ways = [AddOrganizationMember::NAME, InviteOrganizationMember::NAME];
        let mut ways = ways.into_iter().filter(|it| self.view.takes(it, ""));
        // Whoever has an account is a member at once, where the service lets.
        let Some(way) = ways.find(|it| self.has_account || *it == InviteOrganizationMember::NAME) else { return false };
        let mut arguments = self.view.inside(way, Some(&home.id), json!({ "email": self.to }));
        if let Some(role) = base.filter(|it| self.wants(AccessPart::Organization) && !it.id.is_empty()) {
            arguments["role"] = role.id.as_str().into();
        }
        if way == AddOrganizationMember::NAME {
            self.push(way, arguments);
            self.waits = true;
            return false;
        }
        // Where an invitation brings projects with it, nothing else can be given before it is accepted.
        let waits = self.view.takes(way, "projects");
        let mut later = Vec::new();
        if waits {
            let mut brought = Vec::new();
            for (place, roles) in by_place(own) {
                match &place {
                    Place::Organization(_) => later
                        .extend(roles.iter().filter(|it| base.is_none_or(|base| base.id != it.id)).map(|it| format!("role {}", it.name))),
                    Place::Project { project, .. }
                        if self.wants(AccessPart::Projects)
                            && brought.len() < BROUGHT
                            && roles.iter().all(|it| fold(&it.name) == "member") =>
                    {
                        brought.push(project.id.clone());
                    }
                    _ => later.push(format!("{place} as {}", names(&roles))),
                }
            }
            if !brought.is_empty() {
                arguments["projects"] = json!(brought);
            }
        }
        self.push(way, arguments);
        if !later.is_empty() {
            let message = "has to accept the invitation first; copy_access then gives the rest";
            self.notes.push(format!("{} {message}: {}", self.to, later.join(", ")));
        }
        waits
    }

    /// Gives a member the other's role where it allows more than theirs.
    async fn role_of_member(&mut self, home: &Named, wanted: &Role, has: &[Grant]) -> Result<(), CallError> {
        let name = self.base_name(home, self.to).await?.unwrap_or_default();
        let mut roles = has.iter().filter(|it| matches!(it.place, Place::Organization(_))).map(|it| &it.role);
        let Some(held) = roles.find(|it| fold(&it.name) == fold(&name)) else { return Ok(()) };
        if held.id == wanted.id {
            return Ok(());
        }
        if !is_less(held, wanted) {
            self.notes.push(format!("keeps the organization role {} in {}; {} has {}", held.name, home.name, self.from, wanted.name));
            return Ok(());
        }
        let tool = UpdateOrganizationMember::NAME;
        if self.view.takes(tool, "") && !wanted.id.is_empty() {
            let arguments = self.view.inside(tool, Some(&home.id), json!({ "member": self.to, "role": wanted.id }));
            self.push(tool, arguments);
        } else {
            self.notes.push(format!("this service changes no organization roles: keeps {}; {} has {}", held.name, self.from, wanted.name));
        }
        Ok(())
    }

    fn project(&mut self, project: &Named, roles: &[Role], there: &[&Role]) {
        if there.is_empty() {
            let ids: Vec<&str> = roles.iter().filter(|it| !it.id.is_empty()).map(|it| it.id.as_str()).collect();
            if ids.is_empty() {
                self.notes.push(format!("{} is in project {} without a role, which cannot be given", self.from, project.name));
                return;
            }
            self.push(AddProjectMember::NAME, json!({ "project": project.id, "member": self.to, "roles": ids }));
            return;
        }
        let lacking: Vec<&Role> = roles.iter().filter(|it| !there.iter().any(|held| held.id == it.id)).collect();
        let held = names(&there.iter().map(|it| (*it).clone()).collect::<Vec<_>>());
        if lacking.is_empty() {
            self.idle(AddProjectMember::NAME, "skipped", format!("is in project `{}` already, as {held}", project.name));
        } else if self.view.takes(AssignRole::NAME, "") {
            for role in lacking {
                self.push(AssignRole::NAME, json!({ "role": role.id, "member": self.to, "project": project.id }));
            }
        } else {
            let reason = format!("is in project `{}` already, as {held}; {} is {}", project.name, self.from, names(roles));
            self.idle(AddProjectMember::NAME, "differs", reason);
        }
    }

    fn team(&mut self, team: &Named, roles: &[Role], there: &[&Role]) {
        let [role, ..] = roles else { return };
        match there {
            [] => {
                let mut arguments = json!({ "team": team.id, "member": self.to });
                if self.view.takes(AddTeamMember::NAME, "role") && !role.id.is_empty() {
                    arguments["role"] = role.id.as_str().into();
                }
                self.push(AddTeamMember::NAME, arguments);
            }
            [held, ..] if held.id == role.id => {
                self.idle(AddTeamMember::NAME, "skipped", format!("is in team `{}` already, as {}", team.name, held.name));
            }
            [held, ..] => {
                let reason = format!("is in team `{}` already, as {}; {} is {}", team.name, held.name, self.from, role.name);
                self.idle(AddTeamMember::NAME, "differs", reason);
            }
        }
    }

    /// A role beside that of the membership.
    fn further(&mut self, role: &Role, home: &Named, there: &[&Role]) {
        if there.iter().any(|it| it.id == role.id) {
            return;
        }
        if role.id.is_empty() || !self.view.takes(AssignRole::NAME, "") {
            self.notes.push(format!("role {} of {} cannot be given beside another by this service", role.name, home.name));
            return;
        }
        let arguments = self.view.inside(AssignRole::NAME, Some(&home.id), json!({ "role": role.id, "member": self.to }));
        self.push(AssignRole::NAME, arguments);
    }
}

impl Engine {
    /// The address, or else the id, of the one person of the account who has this address, id or whole name. A part of a name is
    /// nobody's.
    ///
    /// # Errors
    ///
    /// Where nobody has it, with whom it may mean; where several have it.
    async fn whom<R: ReferenceText>(&self, tool: &Tool, connection: &Connection, caller: &Caller, named: &R) -> Result<String, CallError> {
        if let Ok(email) = Email::try_from(named.text().to_owned()) {
            return Ok(email.to_string());
        }
        let accounts = self.chosen(std::slice::from_ref(&connection.name))?;
        let ask = Ask::new(&self.db, &self.guard, tool, caller, &accounts, false).patiently(PATIENCE);
        let looked = ask.person(&MemberRef::read(named.text())).await;
        let one = looked.one(named.text())?;
        let id = || one.seen.iter().find_map(|(reader, _)| one.named_at(reader).into_iter().next());
        Ok(one.email().map(str::to_owned).or_else(|| id().map(|it| it.text().to_owned())).unwrap_or_else(|| named.text().to_owned()))
    }
}

/// Whoever is not there yet has an address alone.
fn newcomer(error: CallError) -> CallError {
    match error {
        CallError::Provider(ProviderError::NotFound { kind, name, scope, fix }) if !fix.starts_with("did you mean") => {
            ProviderError::NotFound { kind, name, scope, fix: format!("{fix}; of somebody who is not there yet, give the e-mail address") }
                .into()
        }
        other => other,
    }
}

/// Grants with those of one place together, in the order in which the places are named first.
fn by_place(grants: &[Grant]) -> Vec<(Place, Vec<Role>)> {
    let mut places: Vec<(Place, Vec<Role>)> = Vec::new();
    for it in grants {
        match places.iter_mut().find(|(place, _)| place.is_same(&it.place)) {
            Some((_, roles)) => roles.push(it.role.clone()),
            None => places.push((it.place.clone(), vec![it.role.clone()])),
        }
    }
    places
}

fn names(roles: &[Role]) -> String {
    roles.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether a role surely allows less than another. What is not told is not compared.
fn is_less(one: &Role, other: &Role) -> bool {
    let less = |one: &_, other: &_| matches!((one, other), (Allows::Known(one), Allows::Known(other)) if one.is_subset(other));
    !one.owns && less(&one.allows, &other.allows) && less(&one.inside, &other.inside) && one != other
}
