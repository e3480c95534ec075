#[cfg(feature = "conformance")]
pub mod conformance;
pub mod domain;
pub mod error;
pub(crate) mod guard;
pub mod providers;
pub mod store;
pub mod tools;
