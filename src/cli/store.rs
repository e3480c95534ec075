//! `rolecall store`: what there is to do with the store itself.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use super::{Ended, Failure};
use crate::config::{Config, Overrides};

/// Back up the store.
#[derive(Debug, clap::Args)]
pub struct Store {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Copy the store to a new file, even while it is in use, and verify the copy
    Backup {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

impl Store {
    /// Copies it.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let Command::Backup { file } = &self.command;
        let config = Config::load(overrides)?;
        let db = config.db();
        if db.kind() != "sqlite" {
            return Err(Failure::usage(
                "this store is a PostgreSQL database, which has a program of its own for copies",
                format!("pg_dump --format=custom --file={} 'THE STORE\\'S URL'", file.display()),
            ));
        }
        let copied = db
            .backup(file)
            .await
            .map_err(|error| Failure { fix: "name a new file in a folder that you can write to".into(), ..error.into() })?;
        db.close().await;
        let mut out = anstream::stdout().lock();
        writeln!(out, "file  {}\nrows  {}\nhead  {}", file.display(), copied.rows, copied.head)?;
        match copied.broken {
            None => {
                writeln!(out, "OK: the copy is whole, its ledger was verified. Use it with --store sqlite:{}", file.display())?;
                Ok(ExitCode::SUCCESS)
            }
            Some((row, why)) => {
                let fix = "the copy is as the store is; compare with an earlier one, and find out who can write to the store";
                Err(Failure::new(format!("the store was copied, and its ledger is broken at row {row}: {why}"), fix))
            }
        }
    }
}
