//! What access is: somebody or something holds a role somewhere, in one way. One vocabulary for all providers.
//!
//! Providers report [`Grants`]; [`crate::access`] answers questions about them; `guard/weigh.rs` decides how grave a change of
//! them is.

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Timestamp, same_letters};

/// A thing as people call it, and as its provider knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    pub name: String,
    pub id: String,
}

impl Named {
    pub fn new(name: impl Into<String>, id: impl Into<String>) -> Self {
        Self { name: name.into(), id: id.into() }
    }
}

/// A person, as far as a service tells who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// Lower case. Absent where the service hides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Absent where somebody has no account yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Who or what holds a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    Person(Person),
    Team(Named),
    ServiceAccount(Named),
    Key(Named),
    /// Somebody who was invited by e-mail and has no account yet.
    Invitation(String),
    /// Everybody with an address in this mail domain, now and later.
    Everybody(String),
}

impl Holder {
    /// A person of whom the e-mail is known.
    pub fn person(email: &str, id: Option<&str>) -> Self {
        Self::Person(Person { email: Some(email.to_lowercase()), name: None, id: id.map(str::to_owned) })
    }

    /// What people call it: an e-mail where there is one.
    pub fn label(&self) -> &str {
        match self {
            Self::Person(it) => it.email.as_deref().or(it.name.as_deref()).or(it.id.as_deref()).unwrap_or("somebody"),
            Self::Team(it) | Self::ServiceAccount(it) | Self::Key(it) => &it.name,
            Self::Invitation(email) => email,
            Self::Everybody(domain) => domain,
        }
    }

    /// The mail domain of a person, of an invitation or of a whole domain; `None` for what has no address, and where it is hidden.
    pub fn domain(&self) -> Option<&str> {
        match self {
            Self::Person(it) => it.email.as_deref().and_then(|it| it.rsplit_once('@')).map(|it| it.1),
            Self::Invitation(email) => email.rsplit_once('@').map(|it| it.1),
            Self::Everybody(domain) => Some(domain.rsplit_once('@').map_or(domain.as_str(), |it| it.1)),
            Self::Team(_) | Self::ServiceAccount(_) | Self::Key(_) => None,
        }
    }

    /// Whether it stands for people: one, one to come, or a whole mail domain.
    pub fn is_people(&self) -> bool {
        matches!(self, Self::Person(_) | Self::Invitation(_) | Self::Everybody(_))
    }

    /// Whether both are the same: by id where both have one, else by address. An absent id or address equals nothing.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Person(one), Self::Person(other)) => match (&one.id, &other.id) {
                (Some(one), Some(other)) => one == other,
                _ => matches!((&one.email, &other.email), (Some(one), Some(other)) if same_letters(one, other)),
            },
            (Self::Person(one), Self::Invitation(email)) | (Self::Invitation(email), Self::Person(one)) => {
                one.email.as_deref().is_some_and(|it| same_letters(it, email))
            }
            (Self::Invitation(one), Self::Invitation(other)) | (Self::Everybody(one), Self::Everybody(other)) => same_letters(one, other),
            (Self::Team(one), Self::Team(other))
            | (Self::ServiceAccount(one), Self::ServiceAccount(other))
            | (Self::Key(one), Self::Key(other)) => one.id == other.id,
            _ => false,
        }
    }
}

/// Where a role is held, with the organization that it is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Organization(Named),
    Project { project: Named, organization: Named },
    Team { team: Named, organization: Named },
}

impl Place {
    pub fn organization(&self) -> &Named {
        match self {
            Self::Organization(it) | Self::Project { organization: it, .. } | Self::Team { organization: it, .. } => it,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Organization(it) | Self::Project { project: it, .. } | Self::Team { team: it, .. } => &it.name,
        }
    }

    pub fn id(&self) -> &str {
        match self {
            Self::Organization(it) | Self::Project { project: it, .. } | Self::Team { team: it, .. } => &it.id,
        }
    }

    /// Its kind of place in one word.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Organization(_) => "organization",
            Self::Project { .. } => "project",
            Self::Team { .. } => "team",
        }
    }

    /// Whether both are the same place: ids tell, names may repeat.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Organization(one), Self::Organization(other))
            | (Self::Project { project: one, .. }, Self::Project { project: other, .. })
            | (Self::Team { team: one, .. }, Self::Team { team: other, .. }) => one.id == other.id,
            _ => false,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.noun(), self.name())
    }
}

/// What a role allows, in words that all providers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Action {
    /// See the place and what is in it.
    Read,
    /// Work in it, change what it says of itself.
    Write,
    /// Bring people in.
    Invite,
    /// Change who is in it and which roles they hold.
    Manage,
    /// Make, change and end keys and service accounts.
    Keys,
    /// Change limits.
    Limits,
    /// Archive or delete it.
    Delete,
}

impl Action {
    pub const ALL: [Self; 7] = [Self::Read, Self::Write, Self::Invite, Self::Manage, Self::Keys, Self::Limits, Self::Delete];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Invite => "invite",
            Self::Manage => "manage",
            Self::Keys => "keys",
            Self::Limits => "limits",
            Self::Delete => "delete",
        }
    }

    /// Whether it is power over others.
    pub fn is_power(self) -> bool {
        matches!(self, Self::Invite | Self::Manage | Self::Keys | Self::Delete)
    }
}

/// The actions a role allows in a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Allows {
    Known(BTreeSet<Action>),
    /// The service does not tell. It is never taken for harmless, and never for access that stays.
    Unknown,
}

impl Allows {
    pub fn all() -> Self {
        Self::Known(Action::ALL.into())
    }

    pub fn nothing() -> Self {
        Self::Known(BTreeSet::new())
    }

    pub fn these(actions: impl IntoIterator<Item = Action>) -> Self {
        Self::Known(actions.into_iter().collect())
    }

    /// Whether it surely allows an action.
    pub fn has(&self, action: Action) -> bool {
        matches!(self, Self::Known(it) if it.contains(&action))
    }

    /// Whether it allows an action, or may.
    pub fn may(&self, action: Action) -> bool {
        matches!(self, Self::Unknown) || self.has(action)
    }
}

/// Whether a role gives power over others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Power {
    None,
    OverOthers,
    /// The service does not tell.
    Unknown,
}

impl Power {
    /// Whether it counts as power over others: what is not known does.
    pub fn counts(self) -> bool {
        self != Self::None
    }

    /// The power of known permissions, told by whether any of them is power over others.
    pub fn of(any_privileged: bool) -> Self {
        if any_privileged { Self::OverOthers } else { Self::None }
    }
}

/// A role as it is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Role {
    pub name: String,
    /// The same as the name where the service has no ids for roles.
    pub id: String,
    pub power: Power,
    /// What it allows where it is held.
    pub allows: Allows,
    /// What a role of an organization allows in every project of it; nothing for other roles.
    pub inside: Allows,
    /// The provider's own codes, as far as they are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// Whether its holder owns the place.
    pub owns: bool,
}

impl Role {
    /// A role of which nothing is known but its name.
    pub fn unknown(name: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            id: id.into(),
            power: Power::Unknown,
            allows: Allows::Unknown,
            inside: Allows::nothing(),
            permissions: Vec::new(),
            owns: false,
        }
    }

    /// A role with these actions where it is held; its power follows from them.
    pub fn known(name: impl Into<String>, id: impl Into<String>, actions: impl IntoIterator<Item = Action>) -> Self {
        let actions: BTreeSet<Action> = actions.into_iter().collect();
        let power = Power::of(actions.iter().any(|it| it.is_power()));
        Self { power, allows: Allows::Known(actions), ..Self::unknown(name, id) }
    }

    /// A role whose holder owns the place, and all that is in it.
    pub fn owner(name: impl Into<String>, id: impl Into<String>) -> Self {
        Self { power: Power::OverOthers, allows: Allows::all(), inside: Allows::all(), owns: true, ..Self::unknown(name, id) }
    }

    /// Whether it surely lets its holder see the place.
    pub fn reads(&self) -> bool {
        self.allows.has(Action::Read)
    }
}

/// By which way somebody holds a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// It was given to the holder.
    Own,
    /// It was given to a team of the holder.
    Team(Named),
    /// It follows from the holder's role in the organization.
    OrganizationRole(Named),
    /// A key or service account acts with the power of its owner.
    Inherited,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("a role of their own"),
            Self::Team(it) => write!(f, "team {}", it.name),
            Self::OrganizationRole(it) => write!(f, "role {} of the organization", it.name),
            Self::Inherited => f.write_str("its owner"),
        }
    }
}

/// Whether a role is held already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    Active,
    /// Invited, and not in yet. Whoever is invited with a role counts as its holder.
    Pending,
}

/// Somebody or something holds a role somewhere, in one way. When that began is no part of what it is: neither of comparisons nor
/// of what is agreed to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Grant {
    pub holder: Holder,
    pub role: Role,
    pub place: Place,
    pub via: Via,
    pub state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    #[serde(skip)]
    pub since: Option<Timestamp>,
}

impl PartialEq for Grant {
    fn eq(&self, other: &Self) -> bool {
        let Self { holder, role, place, via, state, ends_at, since: _ } = self;
        (holder, role, place, via, state, ends_at) == (&other.holder, &other.role, &other.place, &other.via, &other.state, &other.ends_at)
    }
}

impl Eq for Grant {}

impl Grant {
    /// A role that its holder was given and has now.
    pub fn own(holder: Holder, role: Role, place: Place) -> Self {
        Self { holder, role, place, via: Via::Own, state: State::Active, ends_at: None, since: None }
    }

    /// The same, held from some time on.
    #[must_use]
    pub fn since(self, since: Option<Timestamp>) -> Self {
        Self { since, ..self }
    }

    /// The same by another way.
    #[must_use]
    pub fn via(self, via: Via) -> Self {
        Self { via, ..self }
    }

    /// The same, not accepted yet.
    #[must_use]
    pub fn pending(self) -> Self {
        Self { state: State::Pending, ..self }
    }
}

/// All that a provider tells about who holds what, and what it does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Grants {
    pub list: Vec<Grant>,
    /// What the service does not tell, one phrase each; every answer that is built on the list repeats them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
}

/// How the phrase begins that says that reading ended before its end.
const UNFINISHED: &str = "not read to the end";

impl Grants {
    /// Says that the service could be asked no more before all was read.
    pub(crate) fn unfinished(&mut self, why: &str) {
        self.unseen.push(Self::ended_early(why));
    }

    /// The phrase for it.
    pub(crate) fn ended_early(why: &str) -> String {
        format!("{UNFINISHED}: {why}")
    }

    /// Whether there may be more in each place than the list has: then nothing follows from what it lacks.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.unseen.iter().any(|it| it.contains(UNFINISHED))
    }
}

/// People whom a provider knows, invited ones included, and what it does not tell of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Persons and invitations; somebody may be in it several times.
    pub list: Vec<Holder>,
    pub unseen: Vec<String>,
}

/// Of what grants are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantScope {
    /// All in an organization: its people, teams, projects, service accounts and keys. `None`: the one the connection is for.
    Organization(Option<super::OrganizationRef>),
    Project(super::ProjectRef),
    /// What is held in an organization itself, and not in what is in it. A provider may tell of more.
    Top(Option<super::OrganizationRef>),
    /// What a team holds, and what its people hold through it. A provider may tell of more.
    Team(super::TeamRef),
    /// Those who own an organization or one of these of its projects. A provider may tell of others, too.
    Owners(Option<super::OrganizationRef>, Vec<super::ProjectRef>),
    /// All that one person holds, in every organization within reach.
    Person(super::MemberRef),
}
