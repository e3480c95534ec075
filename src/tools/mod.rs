//! Verbs: one type per operation, a file per noun.
//!
//! A type's fields are a tool's arguments and its doc comments are what agents read. The list in
//! [`all`] is the whole vocabulary; which provider serves what, its table of handlers says.

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub mod access;
pub mod certificates;
pub mod context;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod logos;
pub mod members;
pub mod organizations;
pub mod policies;
pub mod project_members;
pub mod project_teams;
pub mod projects;
pub mod resources;
pub mod roles;
pub mod teams;

pub(crate) use decode::{AnyOperation, Decode, decode, decode_any};
pub use effect::{Access, Changes, Destroy, Effect, EffectKind, Read, Write};
pub use list::{ESSENTIAL, ToolList};
pub(crate) use nearest::near;
pub use receipt::{Receipt, SecretPlace, Status};
pub(crate) use understand::{Asked, Fault, Understood, argument, as_object, error as misunderstood, understand};

mod decode;
mod effect;
mod help;
mod list;
mod nearest;
mod receipt;
mod understand;
mod written;

/// One operation: its fields are the arguments.
pub trait Operation: DeserializeOwned + Serialize + JsonSchema + Send + Sync + 'static {
    /// The tool's name: the type's, in snake case.
    const NAME: &'static str;
    const TITLE: &'static str;
    /// The noun's file, by which operators narrow the list.
    const DOMAIN: &'static str;
    /// Whether it makes a secret.
    const MAKES_SECRET: bool = false;
    /// Whether it answers over all connections where none is named. Its output is a [`crate::domain::List`].
    const ACROSS: bool = false;
    /// Whether the server itself answers it, about all connections or about the one that is named.
    const SPANS: bool = false;
    /// [`Read`], [`Write`], [`Access`] or [`Destroy`]. A change cannot be registered as a read.
    type Effect: EffectKind;
    type Output: Serialize + JsonSchema + Send + 'static;
}

/// `operation!(ListProjects, "list_projects", "List projects", Read => List<Project>)`, with `secret` at the end
/// for one that makes a secret, `across` for a list over all connections, `spans` for what the server itself answers over them.
macro_rules! operation {
    ($type:ident, $name:literal, $title:literal, $effect:ident => $output:ty) => {
        $crate::tools::operation!(@ $type, $name, $title, $effect, $output, false, false, false);
    };
    ($type:ident, $name:literal, $title:literal, $effect:ident => $output:ty, secret) => {
        $crate::tools::operation!(@ $type, $name, $title, $effect, $output, true, false, false);
    };
    ($type:ident, $name:literal, $title:literal, $effect:ident => $output:ty, across) => {
        $crate::tools::operation!(@ $type, $name, $title, $effect, $output, false, true, false);
    };
    ($type:ident, $name:literal, $title:literal, $effect:ident => $output:ty, spans) => {
        $crate::tools::operation!(@ $type, $name, $title, $effect, $output, false, false, true);
    };
    (@ $type:ident, $name:literal, $title:literal, $effect:ident, $output:ty, $secret:literal, $across:literal, $spans:literal) => {
        impl $crate::tools::Operation for $type {
            const NAME: &'static str = $name;
            const TITLE: &'static str = $title;
            const DOMAIN: &'static str = $crate::tools::last_segment(module_path!());
            const MAKES_SECRET: bool = $secret;
            const ACROSS: bool = $across;
            const SPANS: bool = $spans;
            type Effect = $crate::tools::$effect;
            type Output = $output;
        }
    };
}
pub(crate) use operation;

/// The last name of a module path: `projects` of `rolecall::tools::projects`.
pub(crate) const fn last_segment(path: &'static str) -> &'static str {
    let bytes = path.as_bytes();
    let mut at = bytes.len();
    while at > 0 && bytes[at - 1] != b':' {
        at -= 1;
    }
    path.split_at(at).1
}

/// An operation as a tool: what is known of it without any connection. What agents read of it is data, see `tools.json`.
#[derive(Debug, Clone)]
pub struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    pub domain: &'static str,
    pub effect: Effect,
    pub makes_secret: bool,
    pub across: bool,
    pub spans: bool,
    /// What does not fit of some arguments.
    pub(crate) faults: fn(Map<String, Value>) -> Vec<Fault>,
}

impl Tool {
    pub fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            title: O::TITLE,
            domain: O::DOMAIN,
            effect: O::Effect::EFFECT,
            makes_secret: O::MAKES_SECRET,
            across: O::ACROSS,
            spans: O::SPANS,
            faults: decode::faults::<O>,
        }
    }
}

/// Something that looks at operations, each as the type it is.
pub trait Visit {
    fn operation<O: Operation>(&mut self);
}

/// Every operation there is, in the order of the reference table.
pub fn all() -> Vec<Tool> {
    struct Tools(Vec<Tool>);
    impl Visit for Tools {
        fn operation<O: Operation>(&mut self) {
            self.0.push(Tool::of::<O>());
        }
    }
    let mut tools = Tools(Vec::new());
    visit(&mut tools);
    tools.0
}

/// Shows every operation to a visitor, in the order of the reference table.
pub fn visit(visitor: &mut impl Visit) {
    macro_rules! tools {
        ($($module:ident: $($type:ident),+;)+) => { $($(visitor.operation::<$module::$type>();)+)+ };
    }
    tools! {
        context: ListConnections, GetCurrentUser, ListActivity;
        access: FindPerson, ReviewAccess;
        organizations: ListOrganizations, GetOrganization, CreateOrganization, UpdateOrganization, DeleteOrganization;
        members: ListOrganizationMembers, GetOrganizationMember, InviteOrganizationMember, InvitePeople, CopyAccess,
            OffboardPerson, AddOrganizationMember, CreateUser,
            UpdateOrganizationMember, RemoveOrganizationMember, ListInvitations, CancelInvitation, ListMemberships,
            ListProjectMemberships;
        teams: ListTeams, GetTeam, CreateTeam, UpdateTeam, DeleteTeam, ListTeamMembers, AddTeamMember, UpdateTeamMember,
            RemoveTeamMember;
        projects: ListProjects, GetProject, CreateProject, CopyProject, UpdateProject, ArchiveProject, DeleteProject;
        project_members: ListProjectMembers, GetProjectMember, AddProjectMember, AddProjectMembers, UpdateProjectMember,
            RemoveProjectMember;
        project_teams: ListProjectTeams, AddProjectTeam, RemoveProjectTeam;
        roles: ListRoles, GetRole, CreateRole, UpdateRole, DeleteRole, ListPermissions, ListRoleAssignments, AssignRole,
            UnassignRole;
        keys: ListServiceAccounts, GetServiceAccount, CreateServiceAccount, UpdateServiceAccount, DeleteServiceAccount,
            ListApiKeys, GetApiKey, CreateApiKey, UpdateApiKey, DeleteApiKey;
        limits: ListRateLimits, UpdateRateLimit, ListUsageLimits, SetUsageLimit, UpdateUsageLimit, DeleteUsageLimit;
        certificates: ListCertificates, ActivateCertificates, DeactivateCertificates;
        resources: ListProjectResources, AssignProjectResource, RemoveProjectResource;
        policies: GetRuntimePolicies;
        logos: GetLogo, SetLogo, DeleteLogo;
        jobs: ApplyChanges, GetJob, ListJobs, CancelJob, Undo;
    }
}
