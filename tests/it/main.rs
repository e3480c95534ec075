//! All integration tests, one binary. Files are named like the parts they test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod catalog;
mod company;
mod completion;
mod keys;
mod paging;
mod project_batch;
mod project_members;
mod project_teams;
mod projects;
mod prompts;
mod resolution;
mod resources;
mod role_assignments;
mod roles;
mod support;
mod teams;
