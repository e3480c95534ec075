//! Who reaches what.

use serde::Deserialize;

use super::Millis;

/// Of which part of the world access is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Scope {
    pub connection: String,
    pub organization: String,
}

/// Grants in a place, or of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// Of what they are: `Who reaches Cobalt now`.
    pub title: String,
    /// Where the people and projects in it are looked up.
    pub scope: Scope,
    pub ways: Vec<Way>,
    /// What the service does not tell.
    pub unseen: Vec<String>,
}

/// One way in which somebody reaches a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Who: a person's name or address, a team, a key.
    pub holder: String,
    pub holder_kind: &'static str,
    /// The holder's address, for its page.
    pub person: Option<String>,
    pub role: String,
    pub level: Level,
    /// Where: `project Atlas`.
    pub place: String,
    /// The project's name, for its page.
    pub project: Option<String>,
    pub via: String,
    pub pending: bool,
    pub ends_at: Option<Millis>,
}

/// What a role comes to, from nothing to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The service does not tell what it allows.
    Unknown,
    Viewer,
    Member,
    /// With power over others.
    Admin,
    Owner,
}

/// People and projects, and who is what where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matrix {
    /// What can be chosen from.
    pub connections: Vec<String>,
    pub organizations: Vec<String>,
    pub scope: Scope,
    pub people: Vec<MatrixPerson>,
    pub projects: Vec<String>,
    pub unseen: Vec<String>,
}

/// A row of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixPerson {
    pub name: String,
    /// The address, or the id where there is none.
    pub address: String,
    pub team: String,
    pub outsider: bool,
    /// What they are in the organization itself.
    pub organization: Option<Cell>,
    /// By the number of the project, in order.
    pub cells: Vec<(usize, Cell)>,
}

/// What somebody is in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub level: Level,
    pub role: String,
    pub by: By,
    pub pending: bool,
}

/// By which way, where there are several by the most direct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    Own,
    Team,
    Organization,
}

/// A page about a person or a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dossier {
    pub name: String,
    pub subtitle: String,
    pub facts: Vec<(String, String)>,
    pub reached: Reached,
    /// Of a project: who can do what there, and by which ways.
    pub able: Vec<Able>,
    /// The call that mends or ends it, for an assistant.
    pub suggestion: Option<String>,
}

/// Somebody or something that can do something in a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Able {
    pub who: String,
    /// The address, for its page; none of what is no person.
    pub person: Option<String>,
    /// What it is, where it is no person.
    pub kind: Option<String>,
    pub invited: bool,
    /// Whether the service does not tell what their roles allow.
    pub perhaps: bool,
    pub ways: Vec<AbleBy>,
}

/// A way by which somebody can.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AbleBy {
    pub role: String,
    pub through: String,
    pub power: bool,
    pub can: String,
}

/// What a review of access has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub list: Vec<Finding>,
    /// How many there are in all.
    pub total: u64,
    /// What could not be seen.
    pub unseen: Vec<String>,
}

/// Something that should not stay as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: String,
    /// `high`, `medium` or `low`.
    pub weight: String,
    pub subject: String,
    pub place: String,
    pub evidence: String,
    /// The call that mends it.
    pub mend: Option<Mend>,
}

/// A call: a tool, and its arguments as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Mend {
    pub tool: String,
    pub arguments: String,
}
