//! SeeMe.ai: organizations, teams and projects, who is in them and as what.
//!
//! Its reference, its guide and its Python client differ in places; where they do, both readings are coped with.

mod changes;
mod context;
mod invitations;
mod logos;
mod members;
mod memberships;
mod names;
mod organizations;
mod people;
mod permissions;
mod places;
mod project_members;
mod projects;
mod resources;
mod role_holders;
mod roles;
mod seats;
mod sign_in;
mod team_members;
mod teams;
mod wire;

use crate::{
    providers::{
        Connection,
        http::{self, Api, Auth, Heard, Remote, Said, Service},
    },
    secrets::Credential,
};

/// Where the service is unless the configuration says otherwise.
pub const BASE_URL: &str = "https://api.seeme.ai/api/v1";

/// What a connection is told by its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub remote: Remote,
    pub account: Account,
}

/// How the connection shows who it is.
#[derive(Debug, Clone)]
pub enum Account {
    Key(Credential),
    Login { username: String, password: Credential },
}

/// One piece of work with the service.
type Session = http::Session<Settings>;

/// What this provider can do, on one screen.
pub fn connect(settings: Settings) -> Connection {
    let remote = settings.remote.clone();
    let auth = match &settings.account {
        Account::Key(key) => Auth::Bearer(key.clone()),
        Account::Login { username, password } => Auth::SignIn(Box::new(sign_in::Login::new(username, password))),
    };
    let api = Api::new(Service::of(&remote, auth, Vec::new(), explain));
    Connection::to_service(&remote.connection, "seeme", api, settings)
        .pinned(remote.pin)
        .health(|at| async move { context::health(&at).await })
        // context
        .look(context::current_user)
        // organizations, logos
        .look(organizations::list)
        .look(organizations::get)
        .alter(organizations::create)
        .except(&["admin_email"])
        .alter(organizations::update)
        .alter(organizations::delete)
        .look(logos::get)
        .alter(logos::set)
        .alter(logos::delete)
        // members
        .look(members::list)
        .look(members::get)
        .alter(members::update)
        .alter(members::remove)
        .look(invitations::list)
        .alter(invitations::invite)
        .except(&["projects"])
        .alter(invitations::cancel)
        .look(memberships::list)
        .except(&["role_types"])
        // teams
        .look(teams::list)
        .look(teams::get)
        .alter(teams::create)
        .alter(teams::update)
        .alter(teams::delete)
        .look(team_members::list)
        .alter(team_members::add)
        .alter(team_members::update)
        .alter(team_members::remove)
        // projects
        .look(projects::list)
        .except(&["include_archived"])
        .look(projects::get)
        .alter(projects::create)
        .except(&["admin_email", "usage_limit", "residency", "external_key_id"])
        .alter(projects::update)
        .except(&["external_key_id"])
        .alter(projects::delete)
        // project members
        .look(project_members::list)
        .except(&["role_types"])
        .look(project_members::get)
        .alter(project_members::add)
        .alter(project_members::update)
        .alter(project_members::remove)
        // roles
        .look(roles::list)
        .except(&["project"])
        .look(roles::get)
        .except(&["project"])
        .alter(roles::create)
        .except(&["project"])
        .alter(roles::update)
        .except(&["project"])
        .alter(roles::delete)
        .except(&["project"])
        .look(permissions::list)
        .look(memberships::list_assignments)
        .except(&["team"])
        // resources
        .look(resources::list)
        .alter(resources::assign)
        .alter(resources::remove)
        .build()
}

/// A failure says what it is in `message`; some deployments say it in `error`.
fn explain(heard: &Heard<'_>) -> Option<Said> {
    if heard.status < 400 {
        return None;
    }
    let field = |name: &str| heard.json.and_then(|it| it.get(name));
    let message = field("message").or_else(|| field("error")).and_then(|it| it.as_str().or_else(|| it.get("message")?.as_str()));
    let plan = "this may need another plan at SeeMe.ai, such as the enterprise plan for roles of one's own";
    Some(Said { code: None, message: message.unwrap_or_default().to_owned(), fix: Some(plan.to_owned()).filter(|_| heard.status == 402) })
}
