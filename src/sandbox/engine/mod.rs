//! The PI.EXCHANGE AI & Analytics Engine: its organizations API.

use serde::{Deserialize, Serialize};

use super::{Answer, Call, Platform, Seed};

/// The state of the service.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Engine {}

impl Platform for Engine {
    const PROVIDER: &'static str = "engine";

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
