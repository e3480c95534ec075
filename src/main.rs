//! The program; each of its commands is a file in `cli`.

use std::process::ExitCode;

use rolecall::cli::Cli;

fn main() -> ExitCode {
    Cli::read().run()
}
