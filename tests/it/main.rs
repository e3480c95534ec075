//! All integration tests, one binary. Files are named like the parts they test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod company;
mod paging;
mod project_batch;
mod project_members;
mod project_teams;
mod projects;
mod resolution;
mod catalog;
mod completion;
mod keys;
mod logos;
mod members;
mod organizations;
mod catalog;
mod certificates;
mod completion;
mod keys;
mod limits;
mod project_resources;
mod projects;
mod prompts;
mod resources;
mod role_assignments;
mod roles;
mod seed;
mod support;
mod teams;
mod catalog;
mod http;
mod projects;
mod sse;
mod stdio;
mod support;
mod wire;
