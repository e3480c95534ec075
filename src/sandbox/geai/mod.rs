//! Globant Enterprise AI: its organization, access-control, usage-limit and token APIs.

use serde::{Deserialize, Serialize};

use super::{Answer, Call, Platform, Seed};

/// The state of the service.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Geai {}

impl Platform for Geai {
    const PROVIDER: &'static str = "geai";

    fn seeded(_: Seed) -> Self {
        Self::default()
    }

    fn answer(&mut self, _: &Call) -> Answer {
        Answer::no_such_path()
    }

    fn environment(&self, _url: &str) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}
