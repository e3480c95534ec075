//! Organizations: who is in one, what its assistants may do, and the list of all for system administrators.

use serde_json::{Value, json};

use super::{
    Geai, Handled, Page, Request, members,
    model::Organization,
    quirks::{MessageShape, OrganizationScope, Spelling, Wrapping},
    refusal::Refusal,
    request::{email, text},
    roles,
};

pub(super) fn members(state: &mut Geai, request: &Request<'_>) -> Handled {
    let (header, query) = (request.call.header("organization-id"), request.param("organizationId"));
    let id = match state.quirks.organization_scope {
        OrganizationScope::Either => header.or(query),
        OrganizationScope::Header => header,
        OrganizationScope::Query => query,
    };
    let organization = state.named_organization(request, id)?;
    let page = Page::of(request, &["name", "email"], "expected: name", &["Backend"])?;
    let role = roles::of_organization();
    let people = state.people_by_id();
    let people = organization.members.iter().filter_map(|it| people.get(it.as_str()).copied());
    let people = people.map(|it| (it.name.clone(), members::member(it, std::slice::from_ref(&role)))).collect();
    let (mut answer, people) = page.cut(people, &state.quirks);
    let inner = json!({ "organizationId": organization.id, "organizationName": organization.name, "members": people });
    match state.quirks.wrapping {
        Wrapping::Live | Wrapping::Object => answer.insert("organization".to_owned(), inner),
        Wrapping::Array => answer.insert("organizations".to_owned(), json!([inner])),
        Wrapping::Flat => answer.insert("members".to_owned(), json!(people)),
    };
    Ok(Value::Object(answer))
}

pub(super) fn policies(state: &mut Geai, request: &Request<'_>) -> Handled {
    let organization = state.named_organization(request, request.call.header("organization-id"))?;
    let none = json!({ "description": "Organization plugin-runtime-policies not defined. Individual policy will apply." });
    Ok(match (&organization.policies, state.quirks.policies_message) {
        (Some(policies), _) => json!({ "policies": policies }),
        (None, MessageShape::Object) => json!({ "messages": none }),
        (None, MessageShape::Array) => json!({ "messages": [none] }),
    })
}

pub(super) fn list(state: &mut Geai, request: &Request<'_>) -> Handled {
    let page = Page::of(request, &["name"], "expected: |name|", &[])?;
    if request.param("filterKey").is_some_and(|it| it != "name") {
        return Err(Refusal::out_of_range("filterKey"));
    }
    let wanted = request.param("filterKey").and(request.param("filterValue")).map(str::to_lowercase);
    let fits = |it: &&Organization| wanted.as_ref().is_none_or(|wanted| it.name.to_lowercase().contains(wanted));
    let found: Vec<_> = state.organizations.iter().filter(fits).map(|it| (it.name.clone(), state.item(it))).collect();
    if wanted.is_some() && found.is_empty() {
        return Err(Refusal::new(404, 2004, "No Organizations found matching the search criteria."));
    }
    let (mut answer, organizations) = page.cut(found, &state.quirks);
    answer.insert("organizations".to_owned(), Value::Array(organizations));
    Ok(Value::Object(answer))
}

pub(super) fn create(state: &mut Geai, request: &Request<'_>) -> Handled {
    let body = request.object()?;
    let name = text(&body, "name", "Name")?;
    let email = email(&body, "administratorUserEmail")?;
    if state.organizations.iter().any(|it| it.name.eq_ignore_ascii_case(&name)) {
        return Err(Refusal::new(409, 2003, format!("Organization name '{name}' already exists")));
    }
    let administrator = state.person_with(&email);
    let id = state.fresh_id();
    let members = vec![administrator.clone()];
    let answer = json!({ "isStationAvailable": false, "organizationId": id, "organizationName": name });
    state.organizations.push(Organization { id, name, administrator, station: false, members, policies: None });
    Ok(answer)
}

pub(super) fn delete(state: &mut Geai, request: &Request<'_>) -> Handled {
    let id = state.organization(request.path(0))?.id.clone();
    let projects: Vec<String> = state.projects.iter().filter(|it| it.organization == id).map(|it| it.id.clone()).collect();
    for project in projects {
        state.forget_project(&project);
    }
    state.organizations.retain(|it| it.id != id);
    state.tokens.retain(|it| it.organization != id);
    state.limits.retain(|it| it.organization != id);
    state.exports.retain(|it| it.organization != id);
    Ok(Value::Null)
}

impl Geai {
    fn item(&self, organization: &Organization) -> Value {
        let Organization { id, name, station, .. } = organization;
        match self.quirks.organization_items {
            Spelling::Short => json!({ "id": id, "name": name, "isStationAvailable": station }),
            Spelling::Long => json!({ "organizationId": id, "organizationName": name, "isStationAvailable": station }),
        }
    }
}
