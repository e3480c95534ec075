//! `rolecall config`: snippets that connect a client to this program, for those who paste.

use std::{io::Write as _, process::ExitCode};

use super::{
    Ended,
    clients::{Client, Shape},
    connect::launch,
};
use crate::config::{Config as Configuration, Overrides, Places};

/// Print a snippet that connects a client, for you to paste
#[derive(Debug, clap::Args)]
pub struct Config {
    /// The client; without it, the snippets of all clients
    client: Option<Client>,
}

impl Config {
    /// Prints the snippets.
    pub fn run(&self, overrides: &Overrides) -> Ended {
        let places = Places::find()?;
        let configuration = Configuration::load_at(overrides, &places)?;
        let launch = launch(overrides, &configuration, &places)?;
        let wanted = self.client.map_or(Client::ALL.to_vec(), |it| vec![it]);
        let mut out = anstream::stdout().lock();
        let bold = anstyle::Style::new().bold();
        for (at, client) in wanted.into_iter().enumerate() {
            let (facts, gap) = (client.facts(), if at == 0 { "" } else { "\n" });
            writeln!(out, "{gap}{bold}{}{bold:#}", facts.name)?;
            if let (Some(file), false) = (client.file(&places), facts.shape == Shape::Steps) {
                writeln!(out, "Put this into {}. {}\n", file.display(), facts.then)?;
            }
            let whole = launch.whole(client).map_err(|error| super::Failure::new(error.to_string(), ""))?;
            writeln!(out, "{}", whole.trim_end())?;
            if client == Client::ClaudeCode {
                writeln!(out, "\nOr run:\n\nclaude mcp add --transport stdio rolecall -- {}", launch.shell())?;
            }
            let left_out = launch.entry(client).left_out;
            if !left_out.is_empty() && facts.shape != Shape::Steps {
                writeln!(
                    anstream::stderr(),
                    "note: {} starts servers without your shell's variables, so {} is missing here; `rolecall init` keeps keys in files that \
                     only you can read",
                    facts.name,
                    left_out.join(", ")
                )?;
            }
        }
        writeln!(
            anstream::stderr(),
            "note: a client may answer its own forms. If you do not trust it with your yes, set `guard.ask = \"console\"` in rolecall.toml and keep \
             `rolecall console` open; it also spares clients without forms the terminal"
        )?;
        Ok(ExitCode::SUCCESS)
    }
}
