//! The organizations of the demo company, and the roles that they made.

use serde::Deserialize;

use super::{Ago, Rows, json_array, read};
use crate::{domain::fold, error::ProviderError, store::args};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    organizations: Vec<Organization>,
    roles: Vec<Role>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Organization {
    id: String,
    name: String,
    slug: String,
    description: String,
    website: String,
    /// As JSON, the way the store keeps them.
    runtime_policies: Option<String>,
    days: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    id: String,
    organization: String,
    level: String,
    name: String,
    description: String,
    permissions: Vec<String>,
}

pub(super) fn rows(ago: Ago) -> Result<Vec<Rows>, ProviderError> {
    let Data { organizations, roles } = read(include_str!("organizations.toml"))?;
    let organizations = organizations.iter().map(|it| {
        let policies = &it.runtime_policies;
        args![&it.id, &it.name, fold(&it.name), &it.slug, &it.description, &it.website, policies, ago.days(it.days)]
    });
    let roles = roles.iter().map(|it| {
        let permissions = json_array(&it.permissions);
        args![&it.id, &it.organization, &it.level, &it.name, fold(&it.name), &it.description, permissions, false, ago.days(400)]
    });
    Ok(vec![
        Rows::of(
            "organizations",
            &["id", "name", "name_key", "slug", "description", "website", "runtime_policies", "created_at"],
            organizations,
        ),
        Rows::of(
            "roles",
            &["id", "organization_id", "level", "name", "name_key", "description", "permissions", "built_in", "created_at"],
            roles,
        ),
    ])
}
