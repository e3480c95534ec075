//! SeeMe.ai: organizations, teams and projects, who is in them and as what.
//!
//! Its reference, its guide and its Python client differ in places; where they do, both readings are coped with.

mod access;
mod changes;
mod changes_of_access;
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
mod powers;
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
    pub identity: Identity,
}

/// How the connection shows who it is.
#[derive(Debug, Clone)]
pub enum Identity {
    Key(Credential),
    Login { username: String, password: Credential },
}

/// One piece of work with the service.
type Session = http::Session<Settings>;

/// What this provider can do, on one screen.
pub fn connect(settings: Settings) -> Connection {
    let remote = settings.remote.clone();
    let auth = match &settings.identity {
        Identity::Key(key) => Auth::Bearer(key.clone()),
        Identity::Login { username, password } => Auth::SignIn(Box::new(sign_in::Login::new(username, password))),
    };
    let api = Api::new(Service::of(&remote, auth, Vec::new(), explain).below("/api/v1"));
    Connection::to_service(&remote.connection, "seeme", api, settings)
        .pinned(remote.pin)
        .health(|at| async move { context::health(&at).await })
        .grants(|at, scope| async move { access::grants(&at, &scope).await })
        .people(|at, _| async move { access::everybody(&at).await })
        // context
        .read(context::current_user)
        // organizations, logos
        .read(organizations::list)
        .read(organizations::get)
        .change(organizations::create)
        .except(&["admin_email"])
        .change(organizations::update)
        .change(organizations::delete)
        .read(logos::get)
        .change(logos::set)
        .change(logos::delete)
        // members
        .read(members::list)
        .read(members::get)
        .change(members::update)
        .change(members::remove)
        .read(invitations::list)
        .change(invitations::invite)
        .except(&["projects"])
        .change(invitations::cancel)
        .read(memberships::list)
        .except(&["role_types"])
        // teams
        .read(teams::list)
        .read(teams::get)
        .change(teams::create)
        .change(teams::update)
        .change(teams::delete)
        .read(team_members::list)
        .change(team_members::add)
        .change(team_members::update)
        .change(team_members::remove)
        // projects
        .read(projects::list)
        .except(&["include_archived"])
        .read(projects::get)
        .change(projects::create)
        .except(&["admin_email", "usage_limit", "residency", "external_key_id"])
        .change(projects::update)
        .except(&["external_key_id"])
        .change(projects::delete)
        // project members
        .read(project_members::list)
        .except(&["role_types"])
        .read(project_members::get)
        .change(project_members::add)
        .change(project_members::update)
        .change(project_members::remove)
        // roles
        .read(roles::list)
        .except(&["project"])
        .read(roles::get)
        .except(&["project"])
        .change(roles::create)
        .except(&["project"])
        .change(roles::update)
        .except(&["project"])
        .change(roles::delete)
        .except(&["project"])
        .read(permissions::list)
        .read(memberships::list_assignments)
        .except(&["team"])
        // resources
        .read(resources::list)
        .change(resources::assign)
        .change(resources::remove)
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
