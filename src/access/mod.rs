//! Questions about grants: who can, what does somebody reach, what would be lost, who is alone.
//!
//! Pure functions over what providers report, the same for all of them; no I/O. What a provider did not see
//! ([`crate::domain::access::Grants::unseen`]) belongs to every answer, and whoever asks repeats it.

mod questions;
#[cfg(test)]
mod tests;

pub use questions::{
    Census, LostAccess, Reached, allowed, by_place, census, difference, domains_in_power, holders, is_called, lost, only_owner, outsiders,
    owners, reach, surroundings, ways, who_can,
};
