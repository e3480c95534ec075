//! Rolecall: an MCP server through which AI assistants run organizations.
//!
//! Reading order, each knowing only those before it: [`domain`] (nouns, what access is, the facts of changes), [`error`],
//! [`tools`] (verbs: a type per operation), [`shape`] and [`render`] (results without secrets, and as text), [`store`] (SQLite
//! or PostgreSQL), [`secrets`], [`access`] (questions about grants), [`guard`] (the only judge of a change, and the only place
//! a request is sent from), [`providers`] (a table of handlers per connection), [`catalog`] (verbs × connections), `answers`
//! (over many connections at once), [`jobs`] (work of many calls), [`app`] (all of it together), [`console`] (what its pages need of
//! it), [`server`] (the MCP surface), [`transport`] (stdio and HTTP), [`config`]
//! and [`cli`]. Beside them, in crates of their own: the console's pages, and the providers' HTTP APIs to practise on.
//!
//! Invariants:
//! - A change reaches a provider only through the guard: what providers hand over can be sent nowhere else.
//! - A change cannot be registered as a read, nor without the plan that describes what it does: it would not compile.
//! - Providers report facts; how grave they are, the guard alone decides, by the same rules for all.
//! - Nothing is sent whose intent is not in the ledger.
//! - No secret is ever an argument, a result, a log line or a row of the ledger.

pub mod access;
pub(crate) mod answers;
pub mod app;
pub mod catalog;
pub mod cli;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod console;
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
