//! The paths, and what a caller needs for each.

use super::{
    Geai, Handled, Request, assistants, authorized, limits, members, memberships, oauth, organizations, projects, refusal::Refusal,
    request, roles, tokens,
};

/// What a caller needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// Any token.
    Token,
    /// An organization's token, or a person of the organization.
    Organization,
    /// A system administrator, signed in.
    System,
}

/// A path and what answers it.
#[derive(Debug)]
pub(super) struct Route {
    method: &'static str,
    /// Segments; `*` is a place.
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) handler: fn(&mut Geai, &Request<'_>) -> Handled,
}

const fn route(method: &'static str, path: &'static str, needs: Needs, handler: fn(&mut Geai, &Request<'_>) -> Handled) -> Route {
    Route { method, path, needs, handler }
}

const ROUTES: &[Route] = &[
    route("GET", "v1/organization/assistants", Needs::Token, assistants::list),
    route("GET", "v1/organization/projects", Needs::Organization, projects::list),
    route("GET", "v1/organization/project/*", Needs::Organization, projects::get),
    route("POST", "v1/organization/project", Needs::Organization, projects::create),
    route("PUT", "v1/organization/project/*", Needs::Organization, projects::update),
    route("DELETE", "v1/organization/project/*", Needs::Organization, projects::delete),
    route("GET", "v1/organization/project/*/tokens", Needs::Organization, tokens::list),
    route("GET", "v1/organization/request/export", Needs::Organization, assistants::export),
    route("GET", "v2/accessControl/memberships", Needs::Organization, memberships::list),
    route("GET", "v2/accessControl/projects/memberships", Needs::Organization, memberships::list_projects),
    route("GET", "v2/accessControl/projects/roles", Needs::Organization, roles::list),
    route("GET", "v2/accessControl/projects/members", Needs::Organization, members::list),
    route("POST", "v2/accessControl/projects/members", Needs::Organization, members::invite),
    route("DELETE", "v2/accessControl/projects/*/members/*", Needs::Organization, members::remove),
    route("DELETE", "accessControl/projects/*/members/*", Needs::Organization, members::remove),
    route("GET", "v2/accessControl/organizations/members", Needs::Organization, organizations::members),
    route("GET", "v2/accessControl/organization/plugin-runtime-policies", Needs::Organization, organizations::policies),
    route("POST", "v2/admin/organizations", Needs::System, organizations::create),
    route("GET", "v2/admin/organizations", Needs::System, organizations::list),
    route("DELETE", "v2/admin/organizations/*", Needs::System, organizations::delete),
    route("GET", "v1/accessControl/apitoken/validate", Needs::Token, authorized::validate),
    route("GET", "v1/accessControl/user/organizations", Needs::Token, authorized::organizations),
    route("GET", "v1/accessControl/user/organization/projects", Needs::Token, authorized::projects),
    route("GET", "v1/accessControl/user/access/project", Needs::Token, authorized::visibility),
    route("GET", "v1/accessControl/user/token/project", Needs::Token, authorized::token),
    route("POST", "v2/usageLimits/organizations/*/limits", Needs::Organization, limits::create),
    route("GET", "v2/usageLimits/organizations/*/limits", Needs::Organization, limits::list),
    route("GET", "v2/usageLimits/organizations/*/limits/latest", Needs::Organization, limits::latest),
    route("DELETE", "v2/usageLimits/organizations/*/limits/*", Needs::Organization, limits::delete),
    route("PUT", "v2/usageLimits/organizations/*/limits/*/hardLimit", Needs::Organization, limits::set_hard),
    route("PUT", "v2/usageLimits/organizations/*/limits/*/softLimit", Needs::Organization, limits::set_soft),
    route("PUT", "v2/usageLimits/organizations/*/limits/*/renewalStatus", Needs::Organization, limits::set_renewal),
    route("POST", "v2/usageLimits/organizations/*/projects/*/limits", Needs::Organization, limits::create),
    route("GET", "v2/usageLimits/organizations/*/projects/*/limits", Needs::Organization, limits::list),
    route("GET", "v2/usageLimits/organizations/*/projects/*/limits/latest", Needs::Organization, limits::latest),
    route("GET", "v2/usageLimits/organizations/*/projects/*/limits/active", Needs::Organization, limits::active),
    route("DELETE", "v2/usageLimits/organizations/*/projects/*/limits/*", Needs::Organization, limits::delete),
    route("PUT", "v2/usageLimits/organizations/*/projects/*/limits/*/hardLimit", Needs::Organization, limits::set_hard),
    route("PUT", "v2/usageLimits/organizations/*/projects/*/limits/*/softLimit", Needs::Organization, limits::set_soft),
    route("PUT", "v2/usageLimits/organizations/*/projects/*/limits/*/renewalStatus", Needs::Organization, limits::set_renewal),
    route("POST", "v2/projects/tokens", Needs::Organization, tokens::create),
    route("GET", "v2/projects/tokens/*", Needs::Organization, tokens::get),
    route("PUT", "v2/projects/tokens/*", Needs::Organization, tokens::update),
    route("DELETE", "v2/projects/tokens/*", Needs::Organization, tokens::delete),
    route("GET", "oauth/gam/v2.0/access_token", Needs::Nothing, oauth::sign_in),
    route("POST", "oauth/access_token", Needs::Nothing, oauth::sign_in),
    route("GET", "openid/userinfo", Needs::Token, oauth::profile),
    route("GET", "v1/plugins", Needs::Token, assistants::plugins),
    route("GET", "v1/system/status", Needs::Nothing, request::status),
];

/// The route of a path, and what stands in its places.
pub(super) fn find(method: &str, segments: &[String]) -> Result<(&'static Route, Vec<String>), Refusal> {
    let mut elsewhere = false;
    for route in ROUTES {
        let Some(places) = places(route.path, segments) else { continue };
        let empty = places.iter().any(String::is_empty);
        if route.method == method && !empty {
            return Ok((route, places));
        }
        if empty && segments.last().is_some_and(|it| !it.is_empty()) {
            return Err(Refusal::not_found());
        }
        // With an empty id at its end a path is that of the collection, which has other methods.
        elsewhere = true;
    }
    Err(if elsewhere { Refusal::method_not_allowed() } else { Refusal::bad_endpoint() })
}

fn places(path: &str, segments: &[String]) -> Option<Vec<String>> {
    let mut places = Vec::new();
    let mut left = segments.iter();
    for expected in path.split('/') {
        let segment = left.next()?;
        match expected {
            "*" => places.push(segment.clone()),
            _ if expected == segment => {}
            _ => return None,
        }
    }
    left.next().is_none().then_some(places)
}
