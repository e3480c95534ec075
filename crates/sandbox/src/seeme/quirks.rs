//! In which of the known ways the service answers.

use serde::{Deserialize, Serialize};

/// Every deployment is of one of these kinds; the default is what the vendor's Python client was made for.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own, and they are set by name")]
pub struct Quirks {
    pub invites: Invites,
    pub detail: Detail,
    pub system_roles: SystemRoles,
    pub permission_names: PermissionNames,
    pub empty: Emptiness,
    pub absent: Absent,
    /// Lists without anything in them are `null`.
    pub null_lists: bool,
    /// A role's codes are in `permission_list`, and `permissions` is empty.
    pub permission_lists: bool,
    /// The roles of an organization are those it made, without the system's.
    pub own_roles_only: bool,
    /// There is no reading, changing or deleting of a single role.
    pub no_role_routes: bool,
    /// Roles of one's own need an enterprise plan.
    pub paid_roles: bool,
    /// `website` and `owner_id` of an organization are not told.
    pub bare_organizations: bool,
    /// People are added to teams and projects by e-mail only.
    pub add_by_email_only: bool,
    /// Logos are not sent but pointed at: where, without a path; empty for the same host.
    pub logos_from: Option<String>,
}

/// What comes of an invitation.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Invites {
    /// Who has an account is a member at once; for others there is a member with an empty `user_id`.
    #[default]
    Members,
    /// Everybody gets an invitation, which has no `user_id` and waits to be accepted.
    Invitations,
}

/// How a member's role and person are told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detail {
    /// `role_name`, `email`, `username`, …
    #[default]
    Flat,
    /// `role` and `user`, objects.
    Nested,
}

/// How a system role is told from others.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SystemRoles {
    #[default]
    IsSystem,
    IsSystemRole,
    /// By the scope `system` and no organization.
    Scope,
}

/// What a permission's `name` is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionNames {
    /// A title; the code is in `code`, its group in `category`.
    #[default]
    Title,
    /// The code, beside `resource` and `action`.
    Code,
}

/// What a removal is answered with.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Emptiness {
    /// 204
    #[default]
    NoContent,
    /// 200, and nothing
    NoBody,
    /// 200, and an object
    Json,
}

/// How a time that never was is told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Absent {
    #[default]
    Null,
    Empty,
    YearOne,
}

impl Quirks {
    /// A time as this deployment tells it.
    pub(super) fn time(&self, time: Option<&str>) -> Option<String> {
        match (time, self.absent) {
            (Some(time), _) => Some(time.to_owned()),
            (None, Absent::Null) => None,
            (None, Absent::Empty) => Some(String::new()),
            (None, Absent::YearOne) => Some("0001-01-01T00:00:00Z".to_owned()),
        }
    }
}
