//! Rolecall: an MCP server through which AI assistants run organizations.
//!
//! Reading order: [`domain`] (nouns), [`tools`] (verbs: a type per operation), [`providers`] (a table of handlers per
//! connection), [`catalog`] (verbs × connections), [`guard`] (the only place a request is sent from), [`jobs`] (work of
//! many calls), [`store`] (SQLite or PostgreSQL), [`app`] (all of it together), [`server`] (the MCP surface), [`transport`] (stdio and HTTP). Beside it, in a crate of
//! its own, the providers' HTTP APIs to practise on.
//!
//! Invariants:
//! - A change reaches a provider only through the guard: what providers hand over can be sent nowhere else.
//! - A change cannot be registered as a read, nor without the plan that describes its impact: it would not compile.
//! - Nothing is sent whose intent is not in the ledger.
//! - No secret is ever an argument, a result, a log line or a row of the ledger.

pub mod app;
pub mod catalog;
pub mod cli;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod domain;
pub mod error;
pub mod guard;
pub mod jobs;
pub mod providers;
pub mod render;
pub mod secrets;
pub mod server;
pub mod shape;
pub mod store;
pub mod tools;
pub mod transport;
