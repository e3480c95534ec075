//! People of an organization, their invitations and memberships.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{
    Cursor, Email, InvitationRef, Limit, List, MemberRef, Name, OrganizationRef, PersonRef, ProjectRef, Query, RoleRef, SoughtRef,
    jobs::StepItem,
    members::{Batch, Invitation, InvitationStatus, Member, Membership},
    roles::RoleType,
};

/// Lists an organization's people.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOrganizationMembers {
    pub organization: Option<OrganizationRef>,
    pub query: Option<Query>,
    pub role: Option<RoleRef>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListOrganizationMembers, "list_organization_members", "List organization members", Read => List<Member>);

/// Reads an organization member.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetOrganizationMember {
    pub member: SoughtRef,
    pub organization: Option<OrganizationRef>,
}

operation!(GetOrganizationMember, "get_organization_member", "Get organization member", Read => Member);

/// Invites somebody; access starts when they accept.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteOrganizationMember {
    pub email: Email,
    pub role: Option<RoleRef>,
    pub organization: Option<OrganizationRef>,
    /// Projects too.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub projects: Vec<ProjectRef>,
}

operation!(InviteOrganizationMember, "invite_organization_member", "Invite organization member", Access => Invitation, ends "cancel_invitation");

/// Invites people, one outcome each.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitePeople {
    /// Or `csv`.
    #[schemars(length(max = 1000))]
    #[serde(default)]
    pub people: Vec<String>,
    /// Lines of email,role.
    pub csv: Option<String>,
    pub role: Option<RoleRef>,
    /// For the role.
    #[schemars(length(max = 20))]
    #[serde(default)]
    pub projects: Vec<ProjectRef>,
    pub organization: Option<OrganizationRef>,
}

operation!(InvitePeople, "invite_people", "Invite people", Access => Batch<StepItem>, ends "remove_project_member");

/// Gives a person what another has.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyAccess {
    pub from: MemberRef,
    pub to: PersonRef,
    /// Absent: all.
    #[serde(default)]
    #[schemars(length(max = 4))]
    pub only: Vec<AccessPart>,
}

/// A part of what somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum AccessPart {
    // The role of the membership.
    Organization,
    Projects,
    Teams,
    // Roles of the organization beside that of the membership.
    Roles,
}

operation!(CopyAccess, "copy_access", "Copy access", Access => Batch<StepItem>);

/// Takes a person off everything everywhere.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffboardPerson {
    pub member: MemberRef,
    /// Absent: all.
    #[schemars(length(max = 50))]
    #[serde(default)]
    pub connections: Vec<String>,
    /// Next owner.
    pub successor: Option<MemberRef>,
    /// Absent: left.
    pub keys: Option<LeaversKeys>,
}

/// What becomes of the keys of somebody who leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum LeaversKeys {
    Stop,
    // A new key of a program's account is made for each, and the old one ends a week later where that can be said.
    HandOver,
}

operation!(OffboardPerson, "offboard_person", "Offboard person", Destroy => Batch<StepItem>);

/// Makes an existing user a member. Without account: create_user.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOrganizationMember {
    pub email: Email,
    pub role: Option<RoleRef>,
    pub organization: Option<OrganizationRef>,
}

operation!(AddOrganizationMember, "add_organization_member", "Add organization member", Access => Member, ends "remove_organization_member");

/// Creates a member's account; the password goes to the secrets folder.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    pub email: Email,
    pub name: Name,
    pub role: Option<RoleRef>,
    pub organization: Option<OrganizationRef>,
}

operation!(CreateUser, "create_user", "Create user", Access => Member, secret, ends "remove_organization_member");

/// Replaces an organization role; projects and teams stay.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOrganizationMember {
    pub member: MemberRef,
    pub role: RoleRef,
    pub organization: Option<OrganizationRef>,
}

operation!(UpdateOrganizationMember, "update_organization_member", "Update organization member", Access => Member);

/// Ends a membership with all access in it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveOrganizationMember {
    pub member: MemberRef,
    pub organization: Option<OrganizationRef>,
}

operation!(RemoveOrganizationMember, "remove_organization_member", "Remove organization member", Destroy => Member);

/// Lists invitations to an organization.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInvitations {
    pub organization: Option<OrganizationRef>,
    pub status: Option<InvitationStatus>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListInvitations, "list_invitations", "List invitations", Read => List<Invitation>);

/// Cancels a pending invitation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelInvitation {
    pub invitation: InvitationRef,
    pub organization: Option<OrganizationRef>,
}

operation!(CancelInvitation, "cancel_invitation", "Cancel invitation", Destroy => Invitation);

/// Lists the organizations a person belongs to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMemberships {
    /// Absent: the caller.
    pub email: Option<SoughtRef>,
    /// Kinds.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub role_types: Vec<RoleType>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListMemberships, "list_memberships", "List memberships", Read => List<Membership>, across);

/// Lists the projects a person reaches.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListProjectMemberships {
    pub email: SoughtRef,
    pub organization: Option<OrganizationRef>,
    /// Kinds.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub role_types: Vec<RoleType>,
    pub order: Option<Order>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

/// Order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Order {
    Asc,
    Desc,
}

operation!(ListProjectMemberships, "list_project_memberships", "List project memberships", Read => List<Membership>);
