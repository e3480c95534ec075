//! OpenAI's Administration API.

use serde::{Deserialize, Serialize};

use super::{Answer, Call, Platform, Seed};

/// The state of the service.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Openai {}

impl Platform for Openai {
    const PROVIDER: &'static str = "openai";

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
