//! OpenAI's Administration API.

mod admin_keys;
mod api_keys;
mod assignments;
mod audit_logs;
mod certificates;
mod groups;
mod invites;
mod page;
mod project_groups;
mod project_users;
mod projects;
mod quirks;
mod rate_limits;
mod reply;
mod request;
mod roles;
mod routes;
mod seed;
mod service_accounts;
mod spending;
mod state;
mod users;

pub use quirks::{Disguise, ErrorShape, Failure, Pages, Quirks};
pub use state::Openai;

use super::{Answer, Call, Platform, Seed};
use reply::Refusal;
use request::Ask;

/// The key of `environment()`: an owner's, without limits.
pub const ADMIN_KEY: &str = "sk-admin-test-acme";
/// A key that may read and not write.
pub const READING_KEY: &str = "sk-admin-test-reads";
/// A key for models, which does not open the administration.
pub const ORDINARY_KEY: &str = "sk-test-ordinary";

impl Platform for Openai {
    const PROVIDER: &'static str = "openai";

    fn seeded(seed: Seed) -> Self {
        seed::seeded(seed)
    }

    fn answer(&mut self, call: &Call) -> Answer {
        let request = self.next_number();
        let planned = self.quirks.failure(call);
        let reply = match &planned {
            Some(failure) => Err(Refusal::planned(failure.status)),
            None => self.admit(call).and_then(|caller| routes::route(self, &Ask::new(call, caller))),
        };
        let answer = match reply {
            Ok(body) => Answer::ok(&self.quirks.disguised(body)),
            Err(refusal) => refusal.answer(self.quirks.errors),
        };
        let answer = planned.iter().fold(answer, |answer, failure| failure.add_headers(answer));
        if call.method == "GET" {
            self.let_others_act();
        }
        answer.with_header("x-request-id", format!("req_{request:06}"))
    }

    fn environment(&self, url: &str) -> Vec<(&'static str, String)> {
        vec![("OPENAI_ADMIN_KEY", ADMIN_KEY.to_owned()), ("ROLECALL_OPENAI_BASE_URL", format!("{url}/v1"))]
    }
}
