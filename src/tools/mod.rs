//! Verbs: one type per operation, a file per noun.
//!
//! A type's fields are a tool's arguments and its doc comments are what agents read. The list in
//! [`all`] is the whole vocabulary; which provider serves what, its table of handlers says.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

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
mod schema;
pub mod teams;

pub(crate) use decode::{AnyOperation, Decode, decode, decode_any};
pub use effect::{Access, Changes, Destroy, Effect, Kind, Read, Write};
pub use receipt::{Receipt, SecretPlace, Status};

mod decode;
mod effect;
mod receipt;

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
    /// [`Read`], [`Write`], [`Access`] or [`Destroy`]. A change cannot be registered as a read.
    type Effect: Kind;
    type Output: Serialize + JsonSchema + Send + 'static;
}

/// `operation!(ListProjects, "list_projects", "List projects", Read => List<Project>)`, with `secret` at the end
/// for one that makes a secret, `across` for one that answers over all connections.
macro_rules! operation {
    ($type:ident, $name:literal, $title:literal, $effect:ident => $output:ty) => {
        $crate::tools::operation!(@ $type, $name, $title, $effect, $output, false, false);
    };
    ($type:ident, $name:literal, $title:literal, $effect:ident => $output:ty, secret) => {
        $crate::tools::operation!(@ $type, $name, $title, $effect, $output, true, false);
    };
    ($type:ident, $name:literal, $title:literal, $effect:ident => $output:ty, across) => {
        $crate::tools::operation!(@ $type, $name, $title, $effect, $output, false, true);
    };
    (@ $type:ident, $name:literal, $title:literal, $effect:ident, $output:ty, $secret:literal, $across:literal) => {
        impl $crate::tools::Operation for $type {
            const NAME: &'static str = $name;
            const TITLE: &'static str = $title;
            const DOMAIN: &'static str = $crate::tools::last_segment(module_path!());
            const MAKES_SECRET: bool = $secret;
            const ACROSS: bool = $across;
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

/// An operation as a tool: what is known of it without any connection.
#[derive(Debug, Clone)]
pub struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    pub domain: &'static str,
    pub effect: Effect,
    pub makes_secret: bool,
    pub across: bool,
    /// JSON Schema of the arguments, plain: one type per field, nothing nullable, nothing referenced. Its `description` is
    /// the tool's. Schemas are made when they are asked for: most processes never list their tools.
    pub input: fn() -> Map<String, Value>,
    /// JSON Schema of the result.
    pub output: fn() -> Map<String, Value>,
}

impl Tool {
    pub fn of<O: Operation>() -> Self {
        let effect = O::Effect::EFFECT;
        let output: fn() -> Map<String, Value> = match effect {
            Effect::Read if O::ACROSS => output_across::<O::Output>,
            Effect::Read => output_of::<O::Output>,
            Effect::Write | Effect::Access | Effect::Destroy => output_of::<Receipt<O::Output>>,
        };
        let (makes_secret, across) = (O::MAKES_SECRET, O::ACROSS);
        Self { name: O::NAME, title: O::TITLE, domain: O::DOMAIN, effect, makes_secret, across, input: input_of::<O>, output }
    }
}

fn input_of<T: JsonSchema>() -> Map<String, Value> {
    schema::plain(SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>())
}

/// Every result names the connection it came from, so every schema does.
fn output_of<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut output = schema::plain(settings.into_generator().into_root_schema_for::<T>());
    output.remove("description");
    if let Some(Value::Object(properties)) = output.get_mut("properties") {
        properties.insert("connection".into(), json!({ "type": "string" }));
    }
    output
}

/// A list over several connections names the connection of each item, and those that did not answer.
fn output_across<T: JsonSchema>() -> Map<String, Value> {
    let mut output = output_of::<T>();
    let text = json!({ "type": "string" });
    if let Some(Value::Object(properties)) = output.get_mut("properties") {
        if let Some(item) = properties.get_mut("items").and_then(|it| it["items"]["properties"].as_object_mut()) {
            item.insert("connection".into(), text.clone());
        }
        let failed = json!({
            "type": "object", "properties": { "connection": text.clone(), "code": text.clone(), "message": text.clone(), "fix": text }
        });
        let names = json!({ "type": "array", "description": "Connections that cannot tell.", "items": { "type": "string" } });
        properties.insert("not_asked".into(), names);
        properties.insert("failed".into(), json!({ "type": "array", "description": "Connections that did not answer.", "items": failed }));
    }
    output
}

/// Every operation there is, in the order of the reference table.
pub fn all() -> Vec<Tool> {
    macro_rules! tools {
        ($($module:ident: $($type:ident),+;)+) => { vec![$($(Tool::of::<$module::$type>()),+),+] };
    }
    tools! {
        context: ListConnections, GetCurrentUser, ListActivity;
        organizations: ListOrganizations, GetOrganization, CreateOrganization, UpdateOrganization, DeleteOrganization;
        members: ListOrganizationMembers, GetOrganizationMember, InviteOrganizationMember, AddOrganizationMember, CreateUser,
            UpdateOrganizationMember, RemoveOrganizationMember, ListInvitations, CancelInvitation, ListMemberships,
            ListProjectMemberships;
        teams: ListTeams, GetTeam, CreateTeam, UpdateTeam, DeleteTeam, ListTeamMembers, AddTeamMember, UpdateTeamMember,
            RemoveTeamMember;
        projects: ListProjects, GetProject, CreateProject, UpdateProject, ArchiveProject, DeleteProject;
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
