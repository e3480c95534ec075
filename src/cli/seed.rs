//! `rolecall seed`: a practice company.

use std::{io::Write as _, process::ExitCode};

use super::Ended;
use crate::{
    config::{Config, Overrides},
    error::CallError,
    providers::local::seed,
    store::Db,
};

/// Fill an empty directory with a practice company.
#[derive(Debug, clap::Args)]
pub struct Seed {
    /// The practice company; there is one, acme
    #[arg(default_value = "acme")]
    name: String,
}

impl Seed {
    /// Fills it, or says why not.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let config = Config::load(overrides)?;
        let db = Db::open(&config.store).await?;
        let seeded = seed::seed(&db, &self.name).await.map_err(CallError::from)?;
        let seed::Seeded { organizations, people, teams, projects, api_keys } = seeded;
        writeln!(
            anstream::stdout(),
            "{organizations} organizations, {people} people, {teams} teams, {projects} projects and {api_keys} keys are in {}.\n\
             Look around: rolecall call list_projects",
            config.store_shown()
        )?;
        db.close().await;
        Ok(ExitCode::SUCCESS)
    }
}
