//! Where a person is asked: whose yes counts, as the operator wants it.

use serde::Deserialize;

use super::GuardSettings;
use crate::domain::Gravity;

/// Where a person's yes counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// In a form of the client too. Who answers there, the client alone knows.
    #[default]
    Client,
    /// Only on a page of the console.
    Console,
    /// Only at a terminal.
    Terminal,
}

/// The same by how grave a change is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asks {
    pub low: Ask,
    pub high: Ask,
    pub critical: Ask,
}

impl Ask {
    /// As it stands in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Console => "console",
            Self::Terminal => "terminal",
        }
    }

    /// Where an approval that is asked for so can be answered.
    pub(super) fn answered_in(self) -> &'static str {
        match self {
            Self::Client => "anywhere",
            Self::Console => "console",
            Self::Terminal => "terminal",
        }
    }
}

impl Asks {
    /// The same for all changes.
    pub fn all(ask: Ask) -> Self {
        Self { low: ask, high: ask, critical: ask }
    }

    /// Where a change of this gravity is asked about. One that is harmless and asked about all the same counts as low.
    pub fn of(self, gravity: Gravity) -> Ask {
        match gravity {
            Gravity::None | Gravity::Low => self.low,
            Gravity::High => self.high,
            Gravity::Critical => self.critical,
        }
    }
}

impl GuardSettings {
    /// How many people have to agree to a change of this gravity.
    pub(super) fn needed(&self, gravity: Gravity) -> i64 {
        if gravity == Gravity::Critical && self.second_person { 2 } else { 1 }
    }

    /// Whether the yes that a client brings counts for a change of this gravity: in a form, or from a page that it shows.
    pub(super) fn counts_in_client(&self, gravity: Gravity) -> bool {
        self.asks.of(gravity) == Ask::Client && self.needed(gravity) == 1
    }
}
