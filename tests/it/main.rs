//! All integration tests, one binary. Files are named like the parts they test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod catalog;
mod keys;
mod projects;
mod role_assignments;
mod roles;
mod completion;
mod projects;
mod prompts;
mod resources;
mod http;
mod projects;
mod sse;
mod stdio;
mod support;
mod wire;
