//! `rolecall completions`: for the shell.

use std::{io::Write as _, process::ExitCode};

use clap_complete::Shell;

use super::Ended;

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "For bash: rolecall completions bash > ~/.local/share/bash-completion/completions/rolecall")]
pub struct Completions {
    shell: Shell,
}

impl Completions {
    /// Writes them to standard output.
    pub fn run(&self) -> Ended {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "rolecall", &mut script);
        std::io::stdout().write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
