//! Sandboxes: the providers' HTTP APIs over state in memory, with faults, so that an assistant can be tried on
//! "production" without one.
//!
//! A platform is a state and one function that answers a call on it. What all of them have in common is here: listening,
//! faults, a journal of what came in, and a file that keeps the state when the process is killed.
//!
//! Paths below `/_sandbox/` are the sandbox's own: `GET /_sandbox/state`, `GET` and `DELETE /_sandbox/journal`,
//! `PUT /_sandbox/faults` with a JSON list of faults as the command line takes them. They meet no fault.

mod call;
pub mod engine;
mod faults;
pub mod geai;
pub mod openai;
mod seed;
pub mod seeme;
mod server;

use serde::{Serialize, de::DeserializeOwned};

pub use call::{Answer, Call};
pub use faults::{Fault, Faults, InvalidFault, Kind};
pub use seed::Seed;
pub use server::{Exchange, Options, Sandbox, start};

/// A provider's service, as far as its contract is known.
pub trait Platform: Serialize + DeserializeOwned + Send + 'static {
    /// The provider's name, as in a connection's `provider`.
    const PROVIDER: &'static str;

    /// A new service: `acme` with a practice company in it, `empty` with no more than an account to sign in with.
    fn seeded(seed: Seed) -> Self;

    /// Answers a call, changing the state where the call asks for it. A call that the real service would refuse is refused.
    fn answer(&mut self, call: &Call) -> Answer;

    /// What has to be in the environment to reach it at `url`: names and values that `rolecall` reads.
    fn environment(&self, url: &str) -> Vec<(&'static str, String)>;
}
