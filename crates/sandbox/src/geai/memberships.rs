//! Where somebody belongs.

use serde_json::{Value, json};

use super::{Geai, Handled, Page, Request, model::Organization, quirks::EmailFilter, refusal::Refusal, request::Caller, roles};

/// Organizations with the projects and roles that somebody has in them.
pub(super) fn list(state: &mut Geai, request: &Request<'_>) -> Handled {
    let page = Page::of(request, &["organizationName"], "expected: organizationName", roles::TYPES)?;
    let everywhere = match &request.caller {
        Caller::Person { person, .. } => state.has_platform_role(person, &["System Administrator", "Provisioning Services"]),
        _ => false,
    };
    if state.quirks.memberships_restricted && !everywhere {
        return Err(Refusal::forbidden());
    }
    let (current, older) = (request.param("userEmail"), request.param("email"));
    let asked = match state.quirks.memberships_email {
        EmailFilter::Both => current.or(older),
        EmailFilter::UserEmail => current,
        EmailFilter::Email => older,
        EmailFilter::Ignored => None,
    };
    let asked = asked.map(str::to_lowercase);
    let reached = |it: &&Organization| everywhere || it.id == request.caller.organization();
    let mut found = Vec::new();
    for organization in state.organizations.iter().filter(reached) {
        let person = match (&asked, &request.caller) {
            (Some(email), _) => state.people.iter().find(|it| it.email == *email).map(|it| it.id.clone()),
            (None, Caller::Person { person, .. }) => Some(person.clone()),
            (None, _) => Some(organization.administrator.clone()),
        };
        let Some(person) = person.filter(|it| organization.members.contains(it)) else { continue };
        let projects: Vec<Value> = state.projects_of(&person, &organization.id, &page).into_iter().map(|it| it.1).collect();
        found.push((
            organization.name.clone(),
            json!({
                "isStationAvailable": organization.station,
                "organizationId": organization.id,
                "organizationName": organization.name,
                "projects": projects,
            }),
        ));
    }
    let (mut answer, organizations) = page.cut(found, &state.quirks);
    answer.insert("organizations".to_owned(), Value::Array(organizations));
    Ok(Value::Object(answer))
}

/// The projects of one organization that somebody works in.
pub(super) fn list_projects(state: &mut Geai, request: &Request<'_>) -> Handled {
    let organization = state.named_organization(request, request.call.header("organization-id"))?;
    let page = Page::of(request, &["projectName"], "expected: projectName", roles::TYPES)?;
    let person = match (request.param("userEmail").map(str::to_lowercase), &request.caller) {
        (Some(email), _) => state.people.iter().find(|it| it.email == email).map(|it| it.id.clone()),
        (None, Caller::Person { person, .. }) => Some(person.clone()),
        (None, _) => Some(organization.administrator.clone()),
    };
    let person = person.ok_or_else(|| Refusal::new(404, 5, "Not Found, Email"))?;
    let (mut answer, projects) = page.cut(state.projects_of(&person, &organization.id, &page), &state.quirks);
    answer.insert("projects".to_owned(), Value::Array(projects));
    Ok(Value::Object(answer))
}

impl Geai {
    /// Name and answer of each project of an organization that somebody has a wanted role in.
    fn projects_of(&self, person: &str, organization: &str, page: &Page) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        for project in self.projects.iter().filter(|it| it.organization == organization) {
            let Some(seat) = project.seats.iter().find(|it| it.person == person) else { continue };
            let roles = project.roles_of(seat, page);
            if !roles.is_empty() {
                let mut item = self.project_head(project);
                item.insert("roles".to_owned(), json!(roles));
                found.push((project.name.clone(), Value::Object(item)));
            }
        }
        found
    }
}
