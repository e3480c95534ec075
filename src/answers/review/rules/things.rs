//! What is the matter with keys, invitations, roles and service accounts.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Found, Rule, Told, one_of};
use crate::{
    domain::{
        Timestamp,
        access::{Holder, Named, Place},
        keys::{ApiKey, KeyState, OwnerAccess},
    },
    tools::{
        Operation as _,
        access::Mend,
        keys::{DeleteApiKey, DeleteServiceAccount, UpdateApiKey},
        members::InviteOrganizationMember,
        roles::DeleteRole,
    },
};

/// So long a key without end still works once it gets one.
const LAST_DAYS: i64 = 30;
/// In milliseconds.
pub(super) const DAY: i64 = 86_400_000;

/// What is the matter with keys that work.
pub(super) fn keys(told: &Told, now: Timestamp) -> Vec<Found> {
    let mut found = Vec::new();
    let [unused_days, new_days, old_days] = [told.limits.unused_days, told.limits.new_days, told.limits.old_days].map(i64::from);
    let works = |it: &&ApiKey| !matches!(it.status, Some(KeyState::Blocked | KeyState::Expired));
    for key in told.keys.iter().flatten().filter(works) {
        let age = |at: Timestamp| (now.0 - at.0) / DAY;
        let used = match key.last_used_at {
            _ if !told.tells_use => String::new(),
            Some(at) => format!("; last used {} days ago", age(at)),
            None => "; never used".to_owned(),
        };
        let project = key.project_id.as_deref().unwrap_or(&key.project);
        let arguments = json!({ "project": project, "api_key": key.id });
        let with = |field: &str, value: Value| {
            let mut arguments = arguments.clone();
            arguments[field] = value;
            arguments
        };
        let block = || {
            let blocks = told.call(UpdateApiKey::NAME, with("status", json!("blocked")));
            blocks.or_else(|| told.call(DeleteApiKey::NAME, arguments.clone()))
        };
        let end = || told.call(UpdateApiKey::NAME, with("expires_in_seconds", json!(LAST_DAYS * DAY / 1000))).or_else(block);
        let owner = key.owner.as_deref().unwrap_or("nobody");
        let mut add = |rule: Rule, evidence: String, mend: Option<Mend>| {
            let organization = Named::new("", "");
            let place = Place::Project { project: Named::new(&key.project, project), organization };
            let people = key.owner.as_deref().map(|it| Holder::person(it, None)).into_iter().collect();
            found.push(Found { rule, subject: Named::new(&key.api_key, &key.id), place: Some(place), people, evidence, mend });
        };
        match key.owner_access {
            Some(OwnerAccess::Left) => add(Rule::KeyOfLeaver, format!("its owner {owner} has left, and it works{used}"), block()),
            Some(OwnerAccess::None) => add(Rule::KeyOfNobody, format!("nobody owns it, and it works{used}"), block()),
            Some(OwnerAccess::NoAccess) => {
                add(Rule::KeyWithoutAccess, format!("its owner {owner} is not in the project any more, and it works{used}"), block());
            }
            Some(OwnerAccess::Active) | None => {}
        }
        let made = key.created_at.map(age);
        match (key.last_used_at, made) {
            _ if !told.tells_use => {}
            (None, made) if made.is_none_or(|it| it > new_days) => {
                let since = made.map_or_else(String::new, |it| format!(" in {it} days"));
                add(Rule::KeyNeverUsed, format!("of {owner}, and never used{since}"), block());
            }
            (Some(at), _) if age(at) > unused_days => {
                add(Rule::KeyUnused, format!("of {owner}, and not used for {} days", age(at)), block());
            }
            _ => {}
        }
        if let Some(made) = made.filter(|it| *it > old_days) {
            add(Rule::KeyOld, format!("of {owner}, and {made} days old{used}"), end());
        }
        if key.expires_at.is_none() {
            add(Rule::KeyWithoutEnd, format!("of {owner}, and works until it is deleted{used}"), end());
        }
    }
    found
}

/// Invitations that ran out.
pub(super) fn invitations(told: &Told) -> Vec<Found> {
    let ran_out = told.invitations.iter().flatten();
    let first = told.grants.first().map(|it| it.place.organization());
    ran_out
        .map(|it| {
            let when = it.expires_at.map(|at| format!(" on {at}")).unwrap_or_default();
            let organization = first.cloned().unwrap_or_else(|| Named::new(&it.organization, &it.organization));
            let tool = InviteOrganizationMember::NAME;
            let again = json!({ "organization": one_of(told, tool, &organization), "email": it.invitation, "role": it.role });
            Found {
                rule: Rule::InvitationRanOut,
                subject: Named::new(&it.invitation, &it.id),
                place: Some(Place::Organization(organization)),
                people: vec![Holder::Invitation(it.invitation.clone())],
                evidence: format!("was invited as {}, which ran out{when}", it.role),
                mend: told.call(tool, again),
            }
        })
        .collect()
}

/// Roles of its own that nobody holds. Where it is not told who holds what, nothing is said.
pub(super) fn roles(told: &Told) -> Vec<Found> {
    if !told.is_whole {
        return Vec::new();
    }
    let held: HashSet<&str> = told.grants.iter().map(|it| it.role.id.as_str()).collect();
    let places = told.places();
    let idle = told.roles.iter().flatten().filter(|it| it.built_in != Some(true) && !held.contains(it.id.as_str()));
    idle.map(|it| {
        let project = it.project.as_ref();
        let of_project = |place: &&&Place| matches!(place, Place::Project { project: at, .. } if Some(&at.name) == project);
        let organization = || places.first().map(|it| Place::Organization(it.organization().clone()));
        let place = places.iter().find(of_project).map(|it| (*it).clone()).or_else(organization);
        Found {
            rule: Rule::RoleWithoutHolder,
            subject: Named::new(&it.role, &it.id),
            place,
            people: Vec::new(),
            evidence: "nobody holds it".to_owned(),
            mend: told.call(DeleteRole::NAME, json!({ "role": it.id, "project": project })),
        }
    })
    .collect()
}

/// Service accounts with no key, blocked and ended ones included.
pub(super) fn accounts(told: &Told) -> Vec<Found> {
    let Some(keys) = told.keys.as_ref().filter(|_| told.all_keys) else { return Vec::new() };
    let mut found: Vec<Found> = Vec::new();
    for grant in &told.grants {
        let (Holder::ServiceAccount(account), Place::Project { project, .. }) = (&grant.holder, &grant.place) else { continue };
        let has_key = keys.iter().any(|it| {
            it.owner.as_deref() == Some(&account.name) && (it.project_id.as_deref() == Some(&project.id) || it.project == project.name)
        });
        if has_key || found.iter().any(|it| it.subject.id == account.id) {
            continue;
        }
        found.push(Found {
            rule: Rule::AccountWithoutKey,
            subject: account.clone(),
            place: Some(grant.place.clone()),
            people: Vec::new(),
            evidence: format!("holds {} and has no key, so nothing acts for it", grant.role.name),
            mend: told.call(DeleteServiceAccount::NAME, json!({ "project": project.id, "service_account": account.id })),
        });
    }
    found
}
