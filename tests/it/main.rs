//! All integration tests, one binary. Files are named like the parts they test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod catalog;
mod completion;
mod keys;
mod projects;
mod prompts;
mod resources;
mod role_assignments;
mod roles;
mod support;
