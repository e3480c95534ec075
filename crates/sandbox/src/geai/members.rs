//! Who works in a project.

use serde_json::{Value, json};

use super::{
    Geai, Handled, Page, Request,
    model::{Invitation, Person, Role, Seat},
    refusal::Refusal,
    request::email,
    roles,
};

/// Stands for everybody with an address of the domain.
const EVERYBODY: &str = "all-members@";

pub(super) fn list(state: &mut Geai, request: &Request<'_>) -> Handled {
    let project = state.named_project(request)?;
    let page = Page::of(request, &["name"], "expected: name", roles::TYPES)?;
    let people = state.people_by_id();
    let mut members = Vec::new();
    for seat in &project.seats {
        let roles = project.roles_of(seat, &page);
        if let Some(person) = people.get(seat.person.as_str()).filter(|_| !roles.is_empty()) {
            members.push((person.name.clone(), member(person, &roles)));
        }
    }
    let (head, members) = page.cut(members, &state.quirks);
    Ok(state.wrap(head, project, "members", members))
}

/// A member, as it is sent.
pub(super) fn member(person: &Person, roles: &[Role]) -> Value {
    let mut access: Vec<String> = roles.iter().map(|it| it.kind.to_lowercase()).collect();
    access.sort();
    access.dedup();
    json!({ "id": person.id, "name": person.name, "email": person.email, "accessType": access, "roles": roles })
}

/// Mails an invitation, which is accepted at once.
pub(super) fn invite(state: &mut Geai, request: &Request<'_>) -> Handled {
    let project = state.named_project(request)?;
    let (id, organization) = (project.id.clone(), project.organization.clone());
    let body = request.object()?;
    let email = email(&body, "userEmail")?;
    let Some(Value::Array(given)) = body.get("roles") else { return Err(Refusal::missing("roles")) };
    let given: Option<Vec<String>> = given.iter().map(|it| it.as_str().map(str::to_owned)).collect();
    let given = given.ok_or_else(|| Refusal::out_of_range("roles"))?;
    if given.is_empty() {
        return Err(Refusal::missing("roles"));
    }
    let roles = state.named_project(request)?.role_ids(&given)?;
    let mut people = vec![state.person_with(&email)];
    if let Some(domain) = email.strip_prefix(EVERYBODY) {
        let of_domain = state.people.iter().filter(|it| it.email != email && it.email.ends_with(&format!("@{domain}")));
        people.extend(of_domain.map(|it| it.id.clone()));
    }
    for person in &people {
        state.join(&organization, person)?;
        state.seat(&id, person, &roles)?;
    }
    state.note_mail(&id, &email, &given);
    Ok(if state.quirks.silent_invitations { Value::Null } else { json!({ "userEmail": email, "roles": given }) })
}

pub(super) fn remove(state: &mut Geai, request: &Request<'_>) -> Handled {
    let (named, who) = (request.path(0), request.path(1).to_lowercase());
    let organization = request.caller.organization();
    let project = state.projects.iter().find(|it| it.organization == organization && (it.id == named || it.name == named));
    let project = project.ok_or_else(Refusal::mismatch)?.clone();
    let person = state.people.iter().find(|it| it.id == who || it.email == who).ok_or_else(Refusal::not_found)?.clone();
    let seat = project.seats.iter().find(|it| it.person == person.id).ok_or_else(Refusal::not_found)?;
    let roles: Vec<String> = project.roles().into_iter().filter(|it| seat.roles.contains(&it.id)).map(|it| it.name).collect();
    state.project_mut(&project.id)?.seats.retain(|it| it.person != person.id);
    Ok(json!({
        "projectId": project.id,
        "projectName": project.name,
        "projectRoles": roles,
        "status": "Revoked",
        "userEmail": person.email,
    }))
}

impl Geai {
    /// Gives somebody roles in a project, beside those there are.
    fn seat(&mut self, project: &str, person: &str, roles: &[String]) -> Result<(), Refusal> {
        let seats = &mut self.project_mut(project)?.seats;
        match seats.iter_mut().find(|it| it.person == person) {
            Some(seat) => {
                for role in roles {
                    if !seat.roles.contains(role) {
                        seat.roles.push(role.clone());
                    }
                }
            }
            None => seats.push(Seat { person: person.to_owned(), roles: roles.to_vec() }),
        }
        Ok(())
    }

    fn note_mail(&mut self, project: &str, email: &str, roles: &[String]) {
        if let Some(invitation) = self.invitations.iter_mut().find(|it| it.project == project && it.email == email) {
            invitation.count += 1;
            invitation.roles = roles.to_vec();
        } else {
            let (project, email, roles) = (project.to_owned(), email.to_owned(), roles.to_vec());
            self.invitations.push(Invitation { project, email, roles, count: 1 });
        }
    }
}
