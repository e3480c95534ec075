//! Where descriptions of the service differ: which of them the sandbox follows.

use serde::{Deserialize, Serialize};

/// The reading that is followed; the defaults are what was seen of the service itself, where anything was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Quirks {
    /// How roles and members are wrapped.
    pub wrapping: Wrapping,
    /// What stands for "done" where there is nothing to say.
    pub nothing: Nothing,
    /// An invitation is answered like a removal: with nothing.
    pub silent_invitations: bool,
    pub failures: Failures,
    /// A failure comes with status 200.
    pub failures_with_200: bool,
    /// Every success has `errors: []`.
    pub empty_errors: bool,
    /// Which paths take a member out of a project.
    pub removal: Removal,
    /// Which parameter of memberships is heeded.
    pub memberships_email: EmailFilter,
    /// Memberships are for OAuth tokens of some platform roles only.
    pub memberships_restricted: bool,
    /// How an organization spells itself in the list of all.
    pub organization_items: Spelling,
    /// How it is said that an organization has no policies.
    pub policies_message: MessageShape,
    /// What names the organization whose members are asked for.
    pub organization_scope: OrganizationScope,
    /// The key of a list of limits is `limits`, not `usageLimits`.
    pub short_limits_key: bool,
    /// What a changed token is answered with.
    pub token_update: TokenUpdate,
    /// A page of nothing is still one page.
    pub one_page_of_nothing: bool,
    /// Calls with a token are sent elsewhere.
    pub redirect: Option<Redirect>,
    /// Everything is below this segment.
    pub path_prefix: Option<String>,
}

/// How roles and members are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrapping {
    /// `projects: [{…}]`, `organization: {…}`.
    #[default]
    Live,
    /// `project: {…}`, `organization: {…}`.
    Object,
    /// `projects: [{…}]`, `organizations: [{…}]`.
    Array,
    /// `members: […]` beside the counts.
    Flat,
}

/// What stands for "done" where there is nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nothing {
    /// `{}`.
    #[default]
    Object,
    /// 200 without a body.
    Empty,
    /// 204.
    NoContent,
}

/// The shape of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failures {
    /// `errors: [{id, description}]`.
    #[default]
    Errors,
    /// `errors: {id, description}`.
    ErrorsObject,
    /// `error: {code, message}`.
    Error,
    /// `error: "…"`.
    ErrorText,
    /// `message: "…"`.
    Message,
    /// `message: [{type: "error", description}]`.
    MessageList,
    /// A text that is no JSON.
    Text,
}

/// Which paths take a member out of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    #[default]
    Both,
    /// `/v2/accessControl/…`.
    Versioned,
    /// `/accessControl/…`.
    Unversioned,
}

/// Which parameter of memberships is heeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailFilter {
    #[default]
    Both,
    /// `userEmail`.
    UserEmail,
    /// `email`.
    Email,
    /// None: the caller's own are sent, whoever was asked for.
    Ignored,
}

/// How an organization spells itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// `id`, `name`.
    #[default]
    Short,
    /// `organizationId`, `organizationName`.
    Long,
}

/// How it is said that an organization has no policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageShape {
    /// `messages: {description}`.
    #[default]
    Object,
    /// `messages: [{description}]`.
    Array,
}

/// What names the organization whose members are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationScope {
    #[default]
    Either,
    /// `organization-id`.
    Header,
    /// `organizationId`.
    Query,
}

/// What a changed token is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenUpdate {
    /// The token as it is now.
    #[default]
    Token,
    /// What was done.
    Messages,
}

/// Calls with a token are sent elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    pub to: String,
    /// Reads, too.
    pub reads: bool,
}
