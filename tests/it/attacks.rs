//! Sequences of calls.
