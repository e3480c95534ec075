//! The program's table of contents; each command is a file in `cli`.

use std::process::ExitCode;

use rolecall::cli::{self, Cli, Command, Ended};

fn main() -> ExitCode {
    cli::start_logging();
    let Cli { overrides, command } = Cli::read();
    cli::block_on(&command, Box::pin(run(&overrides, &command))).unwrap_or_else(|failure| failure.report())
}

async fn run(overrides: &rolecall::config::Overrides, command: &Command) -> Ended {
    match command {
        // connect an assistant
        Command::Serve(it) => it.run(overrides).await,
        Command::Config(it) => it.run(overrides),
        Command::Demo(it) => it.run().await,
        // use the tools
        Command::Call(it) => it.run(overrides).await,
        Command::Tools(it) => it.run(overrides),
        // decide and look back
        Command::Approvals(it) => it.run(overrides).await,
        Command::Approve(it) => it.approve(overrides).await,
        Command::Refuse(it) => it.refuse(overrides).await,
        Command::Activity(it) => it.run(overrides).await,
        Command::Jobs(it) => it.run(overrides).await,
        // set up
        Command::Doctor(it) => it.run(overrides).await,
        Command::Sandbox(it) => it.run().await,
        Command::Seed(it) => it.run(overrides).await,
        Command::Certificates(it) => it.run(overrides).await,
        Command::Completions(it) => it.run(),
        #[cfg(feature = "conformance")]
        Command::Conformance(it) => it.run(overrides).await,
    }
}
