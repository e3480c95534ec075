//! Roles and permissions: what `configs` tells, and how a role is found. The ids of roles are not documented, so they come
//! from the setting `role_ids` or from the service; what neither of them names is not guessed.

use super::{Session, wire::WirePermission};
use crate::{
    domain::{
        List, PageRequest, Query, ReferenceText as _, RoleRef, fold,
        roles::{Permission, Role, RoleLevel},
    },
    error::ProviderError,
    providers::{http::cut, role_types},
    tools::roles::{GetRole, ListPermissions, ListRoles},
};

/// The role of people for whom none is named.
const USUAL: &str = "OrgViewer";

/// A role that can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownRole {
    pub(super) id: String,
    /// A title such as `Organization Viewer`, or a symbol such as `OrgViewer` where only the configuration knows it.
    pub(super) name: String,
    pub(super) permissions: Vec<String>,
}

impl KnownRole {
    /// Where it can be held, as far as its name tells.
    pub(super) fn level(&self) -> Option<RoleLevel> {
        let key = key(&self.name);
        match (key.starts_with("org"), key.starts_with("project")) {
            (true, _) => Some(RoleLevel::Organization),
            (_, true) => Some(RoleLevel::Project),
            _ => None,
        }
    }

    /// Whether this is the role that a reply names, by id or by title.
    pub(super) fn is_named(&self, text: &str) -> bool {
        !text.is_empty() && (self.id == text || key(&self.name) == key(text))
    }

    /// The same where a reply may leave out what kind of role it is: `Viewer`.
    pub(super) fn is_named_at(&self, text: &str, level: RoleLevel) -> bool {
        self.is_named(text) || (!text.is_empty() && key(&self.name) == format!("{}{}", prefix(level), key(text)))
    }
}

/// A name without what differs between `OrgViewer`, `Organization Viewer` and `org_viewer`.
pub(super) fn key(text: &str) -> String {
    fold(text).replace([' ', '_', '-'], "").replace("organization", "org")
}

pub(super) fn prefix(level: RoleLevel) -> &'static str {
    match level {
        RoleLevel::Project => "project",
        RoleLevel::Organization | RoleLevel::Team => "org",
    }
}

/// GET configs.
pub(super) async fn list(at: &Session, op: &ListRoles) -> Result<List<Role>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let mut levels = role_types::levels(&op.role_types)?;
    let mut within = (None, None);
    if let Some(named) = &op.project {
        let project = at.project(named).await?;
        levels = vec![RoleLevel::Project];
        within = (Some(project.org.name), Some(project.name));
    } else if let Some(named) = &op.organization {
        within.0 = Some(at.organization(Some(named)).await?.name);
        levels = if levels.is_empty() { vec![RoleLevel::Organization] } else { levels };
    }
    let mut roles = at.known_roles().await?;
    roles.retain(|it| levels.is_empty() || it.level().is_none_or(|level| levels.contains(&level)));
    let roles = roles.into_iter().map(|it| Role { organization: within.0.clone(), project: within.1.clone(), ..view(it) }).collect();
    cut(roles, &page, |it| format!("{} {}", fold(&it.role), it.id))
}

/// From GET configs.
pub(super) async fn get(at: &Session, op: &GetRole) -> Result<Role, ProviderError> {
    let level = match &op.project {
        Some(named) => at.project(named).await.map(|_| Some(RoleLevel::Project))?,
        None => None,
    };
    Ok(view(at.role_at(level, op.role.text()).await?))
}

/// GET configs.
pub(super) async fn list_permissions(at: &Session, op: &ListPermissions) -> Result<List<Permission>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let permissions = at.configs().await?.permissions.into_iter().map(permission);
    let shown = permissions.filter(|it| op.query.as_ref().is_none_or(|query| query.is_in(&it.permission) || contains(it, query)));
    cut(shown.collect(), &page, |it| it.permission.clone())
}

impl Session {
    /// The role that is named, for members of an organization or of a project; without a name the one of viewers.
    pub(super) async fn role(&self, level: RoleLevel, named: Option<&RoleRef>) -> Result<KnownRole, ProviderError> {
        let wanted = named.map_or(USUAL, |it| it.text());
        let role = self.role_at(Some(level), wanted).await?;
        match role.level() {
            Some(other) if other != level => {
                let of = if level == RoleLevel::Project { "a project" } else { "an organization" };
                Err(ProviderError::invalid(
                    format!("`{}` is not a role of {of}", role.name),
                    format!(
                        "name one of list_roles with role_types [\"{}\"]",
                        if level == RoleLevel::Project { "project" } else { "organization" }
                    ),
                ))
            }
            _ => Ok(role),
        }
    }

    /// The setting `role_ids` first, which may be all there is; then what the service tells.
    async fn role_at(&self, level: Option<RoleLevel>, wanted: &str) -> Result<KnownRole, ProviderError> {
        let levels: &[RoleLevel] = match &level {
            Some(level) => std::slice::from_ref(level),
            None => &[RoleLevel::Organization, RoleLevel::Project],
        };
        let mut keys = vec![key(wanted)];
        keys.extend(levels.iter().map(|it| format!("{}{}", prefix(*it), key(wanted))));
        let fits = |it: &KnownRole| it.id == wanted || keys.contains(&key(&it.name));
        let configured: Vec<KnownRole> = self.configured_roles().into_iter().filter(&fits).collect();
        if let [one] = configured.as_slice() {
            return Ok(one.clone());
        }
        let known = self.known_roles().await?;
        if let Some(one) = known.iter().find(|it| it.id == wanted) {
            return Ok(one.clone());
        }
        let found: Vec<&KnownRole> = known.iter().filter(|it| fits(it)).collect();
        if let [one] = found.as_slice() {
            return Ok((*one).clone());
        }
        if !found.is_empty() {
            let candidates = found.iter().map(|it| format!("{} [{}]", it.name, it.id)).collect();
            return Err(ProviderError::Ambiguous { kind: "role", name: wanted.to_owned(), candidates });
        }
        let usable = known.iter().filter(|it| it.level().is_none_or(|it| levels.contains(&it)));
        let names: Vec<&str> = usable.map(|it| it.name.as_str()).collect();
        let told = if names.is_empty() { "the service names no roles: ".into() } else { format!("use one of: {}; or ", names.join(", ")) };
        Err(ProviderError::NotFound {
            kind: "role",
            name: wanted.to_owned(),
            scope: "the roles that are known".into(),
            fix: format!("{told}put the service's id under `{wanted}` in `role_ids` of connection `{}`", self.settings.remote.connection),
        })
    }

    /// What `configs` tells, and what only the configuration knows. A service that does not let everybody read its `configs`
    /// tells nothing.
    pub(super) async fn known_roles(&self) -> Result<Vec<KnownRole>, ProviderError> {
        let told = match self.configs().await {
            Ok(configs) => configs.roles,
            Err(ProviderError::Remote(error)) if matches!(error.code, "not_found" | "forbidden" | "not_supported") => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut known: Vec<KnownRole> =
            told.into_iter().map(|it| KnownRole { id: it.id, name: it.name, permissions: it.permissions }).collect();
        known.retain(|it| !it.id.is_empty());
        for role in self.configured_roles() {
            if !known.iter().any(|it| it.id == role.id) {
                known.push(role);
            }
        }
        Ok(known)
    }

    fn configured_roles(&self) -> Vec<KnownRole> {
        let role = |(name, id): (&String, &String)| KnownRole { id: id.clone(), name: name.clone(), permissions: Vec::new() };
        self.settings.role_ids.iter().map(role).collect()
    }
}

fn view(it: KnownRole) -> Role {
    Role { level: it.level(), role: it.name, id: it.id, built_in: Some(true), permissions: it.permissions, ..Role::default() }
}

fn permission(it: WirePermission) -> Permission {
    let about: Vec<&str> = [it.action.as_str(), it.resource.as_str()].into_iter().filter(|it| !it.is_empty()).collect();
    let description = match (it.name.is_empty(), about.is_empty()) {
        (true, true) => None,
        (true, false) => Some(about.join(" ")),
        (false, true) => Some(it.name),
        (false, false) => Some(format!("{} ({})", it.name, about.join(" "))),
    };
    Permission { permission: it.id, description }
}

fn contains(it: &Permission, query: &Query) -> bool {
    it.description.as_ref().is_some_and(|it| query.is_in(it))
}
