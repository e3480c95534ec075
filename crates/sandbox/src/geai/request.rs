//! A call with who makes it, and what it names.

use serde_json::{Map, Value};

use super::{
    Call, Geai, Handled,
    model::{Organization, Project},
    refusal::Refusal,
    routes::Needs,
};

/// A call, on its way to a handler.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) call: &'a Call,
    pub(super) caller: Caller,
    /// The path with `*` in its places.
    pub(super) route: &'static str,
    /// What stood in the places, in order.
    pub(super) path: Vec<String>,
}

/// Who calls, by the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    Nobody,
    /// An organization's API token.
    Organization(String),
    /// A project's API token.
    Project {
        organization: String,
        project: String,
    },
    /// A signed-in person, and the project that `ProjectId` names.
    Person {
        person: String,
        organization: String,
        project: String,
    },
}

impl Caller {
    pub(super) fn organization(&self) -> &str {
        match self {
            Self::Nobody => "",
            Self::Organization(organization) | Self::Project { organization, .. } | Self::Person { organization, .. } => organization,
        }
    }
}

impl Request<'_> {
    /// What stood in a place of the path.
    pub(super) fn path(&self, at: usize) -> &str {
        self.path.get(at).map_or("", String::as_str)
    }

    /// A query parameter that is there and not empty.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.call.param(name).filter(|it| !it.is_empty())
    }

    /// The body, which has to be an object of a request that says so.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        let media_type = self.call.header("content-type").unwrap_or_default();
        if !media_type.starts_with("application/json") {
            return Err(Refusal::new(415, 415, "Unsupported Media Type"));
        }
        match self.call.json() {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(Refusal::new(400, 400, "Bad Request")),
        }
    }
}

/// A text that has to be in a body; `called` is how the service names it when it is missing.
pub(super) fn text(body: &Map<String, Value>, field: &str, called: &str) -> Result<String, Refusal> {
    match body.get(field) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        None | Some(Value::Null | Value::String(_)) => Err(Refusal::missing(called)),
        Some(_) => Err(Refusal::out_of_range(field)),
    }
}

/// A text that may be in a body; null is none.
pub(super) fn optional(body: &Map<String, Value>, field: &str) -> Result<Option<String>, Refusal> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::out_of_range(field)),
    }
}

/// An address in a body, in lower case.
pub(super) fn email(body: &Map<String, Value>, field: &str) -> Result<String, Refusal> {
    let email = text(body, field, field)?.to_lowercase();
    let whole = email.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.') && !domain.contains('@'));
    if whole && !email.contains(char::is_whitespace) {
        Ok(email)
    } else {
        Err(Refusal::new(400, 11, format!("Field {field} is not valid")))
    }
}

impl Geai {
    /// Who calls, if the token is one of those that are needed.
    pub(super) fn caller(&self, call: &Call, needs: Needs) -> Result<Caller, Refusal> {
        let bearer = call.bearer().ok_or_else(Refusal::unauthorized)?;
        if let Some(session) = self.sessions.iter().find(|it| it.access_token == bearer) {
            return self.signed_in(call, &session.person, needs);
        }
        let token = self.tokens.iter().find(|it| it.id == bearer && it.status == "Active").ok_or_else(Refusal::unauthorized)?;
        // Context headers that do not fit the token are refused, whatever else the call needs.
        if let Some(id) = call.header("projectid")
            && !self.projects.iter().any(|it| it.id == id && it.organization == token.organization)
        {
            return Err(Refusal::mismatch());
        }
        if call.header("organizationid").is_some_and(|it| it != token.organization) {
            return Err(Refusal::mismatch());
        }
        let organization = token.organization.clone();
        match (&token.project, needs) {
            (_, Needs::System) => Err(Refusal::login()),
            (Some(_), Needs::Organization) => Err(Refusal::out_of_scope()),
            (Some(project), _) => Ok(Caller::Project { organization, project: project.clone() }),
            (None, _) => Ok(Caller::Organization(organization)),
        }
    }

    fn signed_in(&self, call: &Call, person: &str, needs: Needs) -> Result<Caller, Refusal> {
        let project = call.header("projectid").ok_or_else(|| Refusal::missing("ProjectId"))?;
        let project = self.projects.iter().find(|it| it.id == project).ok_or_else(Refusal::mismatch)?;
        let organization = self.organization(&project.organization)?;
        let system = self.is_system(person);
        if call.header("organizationid").is_some_and(|it| it != organization.id) {
            return Err(Refusal::mismatch());
        }
        let inside = organization.members.iter().any(|it| it == person);
        if !system && (needs == Needs::System || !inside) {
            return Err(Refusal::forbidden());
        }
        Ok(Caller::Person { person: person.to_owned(), organization: organization.id.clone(), project: project.id.clone() })
    }

    pub(super) fn is_system(&self, person: &str) -> bool {
        self.has_platform_role(person, &["System Administrator"])
    }

    pub(super) fn has_platform_role(&self, person: &str, roles: &[&str]) -> bool {
        self.people.iter().any(|it| it.id == person && it.platform_roles.iter().any(|it| roles.contains(&it.as_str())))
    }

    pub(super) fn organization(&self, id: &str) -> Result<&Organization, Refusal> {
        self.organizations.iter().find(|it| it.id == id).ok_or_else(|| Refusal::new(404, 2004, "Organization not found"))
    }

    /// The organization that `organization-id` names, if the caller reaches it.
    pub(super) fn named_organization(&self, request: &Request<'_>, id: Option<&str>) -> Result<&Organization, Refusal> {
        let id = id.ok_or_else(Refusal::mismatch)?;
        let everywhere = matches!(&request.caller, Caller::Person { person, .. } if self.is_system(person));
        let reached = everywhere || request.caller.organization() == id;
        self.organizations.iter().find(|it| it.id == id && reached).ok_or_else(Refusal::mismatch)
    }

    /// The project that `project-id` names, if the caller reaches it.
    pub(super) fn named_project(&self, request: &Request<'_>) -> Result<&Project, Refusal> {
        let id = request.call.header("project-id").ok_or_else(Refusal::mismatch)?;
        self.reached_project(request, id).ok_or_else(Refusal::mismatch)
    }

    /// A project of the caller's organization by its id.
    pub(super) fn reached_project(&self, request: &Request<'_>, id: &str) -> Option<&Project> {
        self.projects.iter().find(|it| it.id == id && it.organization == request.caller.organization())
    }

    pub(super) fn project_mut(&mut self, id: &str) -> Result<&mut Project, Refusal> {
        self.projects.iter_mut().find(|it| it.id == id).ok_or_else(Refusal::not_found)
    }
}

/// `GET /v1/system/status`.
#[expect(clippy::unnecessary_wraps, reason = "a handler like all others")]
pub(super) fn status(_: &mut Geai, _: &Request<'_>) -> Handled {
    Ok(serde_json::json!({ "running": true, "version": "sandbox" }))
}
