//! `rolecall certificates add`: certificates come from people's files, never through a model.

use std::{path::PathBuf, process::ExitCode};

use super::{Ended, Failure, Output};
use crate::{
    config::{Config, Overrides},
    error::CallError,
    providers::local::certificates::add_certificate,
    store::Db,
};

/// Add certificates to the embedded directory.
#[derive(Debug, clap::Args)]
pub struct Certificates {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a certificate to an organization; it is not active yet
    Add(Add),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The organization's name, slug or id
    #[arg(long)]
    organization: String,
    /// The certificate's name; by default its subject
    #[arg(long)]
    name: Option<String>,
    /// A PEM file
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

impl Certificates {
    /// Adds it.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let Command::Add(Add { organization, name, file, output }) = &self.command;
        let pem = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("file `{}`: {error}", file.display()), "name a PEM file that can be read"))?;
        let db = Db::open(&Config::load(overrides)?.store).await?;
        let added = add_certificate(&db, organization, name.as_deref(), &pem).await.map_err(CallError::from)?;
        let added = serde_json::to_value(added).map_err(std::io::Error::from)?;
        output.result(&mut anstream::stdout().lock(), &added)?;
        Ok(ExitCode::SUCCESS)
    }
}
