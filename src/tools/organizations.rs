//! Organizations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{Cursor, Description, Email, Limit, List, Name, OrganizationRef, Query, Slug, Website, organizations::Organization};

/// Lists organizations in reach.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOrganizations {
    pub query: Option<Query>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListOrganizations, "list_organizations", "List organizations", Read => List<Organization>, across);

/// Reads an organization.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetOrganization {
    pub organization: OrganizationRef,
}

operation!(GetOrganization, "get_organization", "Get organization", Read => Organization);

/// Creates an organization.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrganization {
    pub name: Name,
    pub description: Option<Description>,
    pub slug: Option<Slug>,
    pub website: Option<Website>,
    /// First owner.
    pub admin_email: Option<Email>,
}

operation!(CreateOrganization, "create_organization", "Create organization", Write => Organization);

/// Changes fields of an organization.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOrganization {
    pub organization: OrganizationRef,
    pub name: Option<Name>,
    pub description: Option<Description>,
    pub slug: Option<Slug>,
    pub website: Option<Website>,
    /// Empties.
    #[serde(default)]
    #[schemars(length(max = 2))]
    pub clear: Vec<OrganizationField>,
}

/// What can be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OrganizationField {
    Description,
    Website,
}

operation!(UpdateOrganization, "update_organization", "Update organization", Write => Organization);

/// Deletes an organization with all in it for good; accounts stay.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteOrganization {
    pub organization: OrganizationRef,
}

operation!(DeleteOrganization, "delete_organization", "Delete organization", Destroy => Organization);
