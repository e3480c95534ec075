//! All integration tests, one binary. Files are named like the parts they test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::needless_pass_by_value, clippy::similar_names, reason = "a test is to be read, once, from above to below")]
#![allow(clippy::print_stdout, reason = "figures for who looks")]

mod catalog;
mod certificates;
mod cli;
mod company;
mod completion;
mod config;
mod demo;
mod guard;
mod http;
mod jobs;
mod jobs_crash;
mod jobs_undo;
mod keys;
mod limits;
mod logos;
mod mcp_resources;
mod members;
mod organizations;
mod paging;
mod project_batch;
mod project_members;
mod project_resources;
mod project_teams;
mod projects;
mod prompts;
mod readme;
mod resolution;
mod role_assignments;
mod roles;
mod seed;
mod sse;
mod stdio;
mod support;
mod tasks;
mod teams;
mod wire;
