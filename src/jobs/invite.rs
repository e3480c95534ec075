//! `invite_people`: whoever is in the organization is added to the projects, whoever is outside is invited, and whoever is there
//! already is left as they are.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    Engine,
    calls::View,
    people,
    planned::{PlannedJob, PlannedRow},
    table,
};
use crate::{
    domain::{Email, ReferenceText as _, RoleRef, fold},
    error::{CallError, ProviderError},
    guard::Caller,
    providers::{self, Connection},
    tools::{
        Operation as _, Tool,
        members::{AddOrganizationMember, GetOrganizationMember, InviteOrganizationMember, InvitePeople},
        project_members::AddProjectMember,
        projects::GetProject,
    },
};

/// The most people of one call.
const MOST: usize = 1000;
/// The one role that an invitation to an organization gives in the projects that come with it.
const BROUGHT: [&str; 2] = ["member", "role_project_member"];

/// Somebody who is to come in.
struct Newcomer {
    /// The line of the file, or the place in the list.
    number: usize,
    email: Email,
    role: Option<RoleRef>,
    /// Where the table says so, the one project of this row.
    project: Option<String>,
}

/// A project that people come into.
#[derive(Clone)]
struct Place {
    id: String,
    organization: Option<String>,
}

impl Engine {
    pub(super) async fn inviting(
        &self,
        tool: &Tool,
        connection: &Connection,
        caller: &Caller,
        op: &InvitePeople,
    ) -> Result<PlannedJob, CallError> {
        let (asked, mut rows) = newcomers(op, &connection.name)?;
        let view = self.view(connection, caller);
        let mut places: HashMap<String, Place> = HashMap::new();
        for name in op.projects.iter().map(|it| it.text().to_owned()).chain(asked.iter().filter_map(|it| it.project.clone())) {
            if places.contains_key(&name) {
                continue;
            }
            let found = view.read(GetProject::NAME, json!({ "project": name })).await?;
            let organization = found["organization"].as_str().map(str::to_owned);
            places.insert(name, Place { id: found["id"].as_str().unwrap_or_default().to_owned(), organization });
        }
        let named: Vec<Place> = op.projects.iter().filter_map(|it| places.get(it.text()).cloned()).collect();
        let organization = op.organization.as_ref().map(|it| it.text().to_owned());
        let mut left_out = Vec::new();
        for it in &asked {
            let into: Vec<Place> = match &it.project {
                Some(own) => places.get(own).cloned().into_iter().collect(),
                None => named.clone(),
            };
            let calls = view.calls_for(it, &into, organization.as_deref()).await?;
            if calls.without_projects {
                left_out.push(it.email.to_string());
            }
            let many = calls.list.len() > 1;
            rows.extend(calls.list.into_iter().enumerate().map(|(at, (tool, arguments))| {
                let name = if many { format!("{}-{}", it.number, at + 1) } else { it.number.to_string() };
                (it.number, self.row(name, &connection.name, tool, arguments).about(it.email.as_str()))
            }));
        }
        rows.sort_by_key(|it| it.0);
        let mut notes = Vec::new();
        if !left_out.is_empty() {
            let names = left_out.join(", ");
            notes.push(format!(
                "an invitation gives no role but member in projects, so these come into the organization alone, and get the projects with \
                 this call once they have accepted: {names}"
            ));
        }
        let rows = rows.into_iter().map(|it| it.1).collect();
        Ok(PlannedJob { notes, ..PlannedJob::new(tool, &connection.name, providers::json(op)?, rows) })
    }
}

/// The calls that bring somebody in.
#[derive(Default)]
struct Calls {
    list: Vec<(&'static str, Value)>,
    /// Whether they come into the organization, and into none of the projects yet.
    without_projects: bool,
}

impl View<'_> {
    async fn calls_for(&self, who: &Newcomer, into: &[Place], organization: Option<&str>) -> Result<Calls, CallError> {
        if into.is_empty() {
            return self.organization_call(who, organization);
        }
        let Some(role) = &who.role else {
            let fix = "give `role`: what they are in the projects; list_roles shows the roles";
            return Err(ProviderError::invalid("`role` is missing", fix).into());
        };
        let add = |it: &Place| (AddProjectMember::NAME, json!({ "project": it.id, "member": who.email.as_str(), "roles": [role.text()] }));
        // Elsewhere a project invites by itself whoever is outside.
        if !self.takes(InviteOrganizationMember::NAME, "projects") {
            return Ok(Calls { list: into.iter().map(add).collect(), ..Calls::default() });
        }
        let mut calls = Calls::default();
        let mut homes: Vec<Option<&str>> = into.iter().map(|it| organization.or(it.organization.as_deref())).collect();
        homes.sort_unstable();
        homes.dedup();
        for home in homes {
            let here: Vec<&Place> = into.iter().filter(|it| organization.or(it.organization.as_deref()) == home).collect();
            let wanted = self.inside(GetOrganizationMember::NAME, home, json!({ "member": who.email.as_str() }));
            let known = self.find(GetOrganizationMember::NAME, wanted).await?;
            // A part of an address is enough for that read: only the whole of it is meant here.
            let is_in = known.is_some_and(|it| it["member"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(who.email.as_str())));
            if is_in {
                calls.list.extend(here.into_iter().map(add));
                continue;
            }
            let mut arguments = self.inside(InviteOrganizationMember::NAME, home, json!({ "email": who.email.as_str() }));
            if BROUGHT.contains(&fold(role.text()).as_str()) {
                arguments["projects"] = here.iter().map(|it| it.id.as_str()).collect();
            } else {
                calls.without_projects = true;
            }
            calls.list.push((InviteOrganizationMember::NAME, arguments));
        }
        Ok(calls)
    }

    fn organization_call(&self, who: &Newcomer, organization: Option<&str>) -> Result<Calls, CallError> {
        let ways = [InviteOrganizationMember::NAME, AddOrganizationMember::NAME];
        let Some(way) = ways.into_iter().find(|it| self.takes(it, "")) else {
            let fix = "give `projects`: this service invites people into projects, and the organization comes with them";
            return Err(ProviderError::invalid("`projects` is missing", fix).into());
        };
        let mut arguments = self.inside(way, organization, json!({ "email": who.email.as_str() }));
        if let Some(role) = &who.role {
            arguments["role"] = role.text().into();
        }
        Ok(Calls { list: vec![(way, arguments)], ..Calls::default() })
    }
}

/// Who is asked for, each once, and the rows of those for whom nothing is to be sent: with their numbers.
type Read = (Vec<Newcomer>, Vec<(usize, PlannedRow)>);

fn newcomers(op: &InvitePeople, connection: &str) -> Result<Read, ProviderError> {
    let lines = match (&op.csv, op.people.is_empty()) {
        (Some(_), false) => return Err(ProviderError::invalid("`people` and `csv` are both given", "give one of them")),
        (None, true) => {
            return Err(ProviderError::invalid("neither `people` nor `csv` is given", "give one of them, with at least one address"));
        }
        (Some(csv), true) => {
            people::is_table(csv, MOST)?;
            table::invited(csv, op.role.is_none())?
        }
        (None, false) => op.people.iter().zip(1..).map(|(it, number)| table::Line::of_person(number, it)).collect(),
    };
    if lines.is_empty() {
        return Err(ProviderError::invalid("`csv` has no rows", "give lines of email,role"));
    }
    if lines.len() > MOST {
        let message = format!("{} people are more than the {MOST} of one call", lines.len());
        return Err(ProviderError::invalid(message, "split them over several calls"));
    }
    let (mut found, mut idle): Read = (Vec::new(), Vec::new());
    let mut first: HashMap<(String, String), (usize, Option<String>)> = HashMap::new();
    for table::Line { number, written, fault } in lines {
        let whom = written.member.clone();
        let mut ends = |state, reason| {
            idle.push((number, Engine::idle_row(number.to_string(), connection, InvitePeople::NAME, &whom, (state, reason))));
        };
        let read = fault.map_or_else(|| newcomer(number, &written, op), Err);
        let it = match read {
            Ok(it) => it,
            Err(reason) => {
                ends("failed", format!("row {number}: {reason}"));
                continue;
            }
        };
        let role = it.role.as_ref().map(|it| fold(it.text()));
        let key = (it.email.to_string(), it.project.clone().unwrap_or_default());
        match first.get(&key) {
            None => {
                first.insert(key, (number, role));
                found.push(it);
            }
            Some((row, same)) if *same == role => ends("skipped", format!("duplicate of row {row}")),
            Some((row, _)) => ends("failed", format!("gives another role than row {row}; leave one of them")),
        }
    }
    Ok((found, idle))
}

fn newcomer(number: usize, written: &table::Written, op: &InvitePeople) -> Result<Newcomer, String> {
    let email = Email::try_from(written.member.clone()).map_err(|error| error.to_string())?;
    let role = match written.roles.as_slice() {
        [] => op.role.clone(),
        [one] => Some(RoleRef::try_from(one.clone()).map_err(|error| format!("role: {error}"))?),
        more => return Err(format!("it has {} roles; give one", more.len())),
    };
    let project = Some(written.project.clone()).filter(|it| !it.is_empty());
    Ok(Newcomer { number, email, role, project })
}
