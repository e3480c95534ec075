//! What the service keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: String,
    pub display_name: String,
    pub email: String,
    pub phone: String,
    pub status: String,
    pub password: String,
    /// What a program signs in with, where the person has made one.
    pub custom_token: Option<String>,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Org {
    pub id: String,
    pub name: String,
    pub description: String,
    pub logo_url: String,
    pub subscription: Option<Subscription>,
    /// What is counted, in the service's own words.
    pub stats: BTreeMap<String, String>,
    /// Metric, usage, quota.
    pub usage: Vec<(String, u64, u64)>,
    pub seats: Vec<Seat>,
    pub audit: Audit,
}

/// What an organization pays for, or paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub id: String,
    /// An ended one is still named by its organization.
    pub active: bool,
}

/// A project of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    pub id: String,
    pub name: String,
    pub description: String,
    pub org: String,
    pub seats: Vec<Seat>,
    pub audit: Audit,
}

/// A person's place in an organization or a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// The account's id.
    pub user: String,
    /// The role's id.
    pub role: String,
}

/// Who made a thing and who changed it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub created: Stamp,
    pub updated: Stamp,
}

impl Audit {
    /// Of a thing that is new.
    pub fn new(stamp: Stamp) -> Self {
        Self { created: stamp.clone(), updated: stamp }
    }
}

/// When something was done, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Seconds since 1970.
    pub timestamp: u64,
    /// The account's id.
    pub by: String,
}

/// The role that somebody holds among these seats.
pub(super) fn role_of<'a>(seats: &'a [Seat], user: &str) -> Option<&'a str> {
    seats.iter().find(|it| it.user == user).map(|it| it.role.as_str())
}

/// Whether nobody but this person holds the role.
pub(super) fn is_last(seats: &[Seat], user: &str, role: &str) -> bool {
    role_of(seats, user) == Some(role) && seats.iter().filter(|it| it.role == role).count() == 1
}
