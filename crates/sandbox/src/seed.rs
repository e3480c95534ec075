//! What a sandbox begins with, and how the files are read in which it stands.

use serde::de::DeserializeOwned;

/// What a sandbox begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// A practice company.
    Acme,
    /// An account to sign in with, and nothing else.
    Empty,
}

/// Reads a seed's file.
///
/// # Panics
///
/// Where it cannot be read; it is part of the program, and tests read all of them.
pub(crate) fn read<T: DeserializeOwned>(file: &str) -> T {
    toml::from_str(file).expect("the seeds are part of the program, and tests read all of them")
}

#[cfg(test)]
mod tests {
    use super::Seed;
    use crate::{Platform, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

    fn size<P: Platform>() -> [usize; 2] {
        [Seed::Empty, Seed::Acme].map(|seed| serde_json::to_vec(&P::seeded(seed)).unwrap().len())
    }

    #[test]
    fn every_seed_can_be_read_and_a_practice_company_is_more_than_an_account() {
        for [empty, acme] in [size::<Geai>(), size::<Openai>(), size::<Seeme>(), size::<Engine>()] {
            assert!(empty < acme, "{empty} {acme}");
        }
    }
}
