//! Logos of organizations, teams and projects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{ProjectRef, organizations::Logo};

/// What a logo stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum LogoOwner {
    Organization,
    Team,
    Project,
}

/// Gets a logo as a picture.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetLogo {
    /// Kind.
    pub of: LogoOwner,
    pub target: ProjectRef,
}

operation!(GetLogo, "get_logo", "Get logo", Read => Logo);

/// Sets a logo: PNG or JPEG up to 1 MB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLogo {
    /// Kind.
    pub of: LogoOwner,
    pub target: ProjectRef,
    /// Base64.
    pub image: Option<String>,
    /// File, on stdio.
    pub path: Option<String>,
}

operation!(SetLogo, "set_logo", "Set logo", Write => Logo);

/// Deletes a logo.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteLogo {
    /// Kind.
    pub of: LogoOwner,
    pub target: ProjectRef,
}

operation!(DeleteLogo, "delete_logo", "Delete logo", Destroy => Logo);
