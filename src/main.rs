//! The program; each of its commands is a file in `cli`.

use std::process::ExitCode;

use rolecall::cli::{self, Cli};

fn main() -> ExitCode {
    cli::start_logging();
    Cli::read().run()
}
