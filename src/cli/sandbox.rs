//! `rolecall sandbox`: a provider's HTTP API on this machine, for practice.

use std::{io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use rolecall_sandbox::{self as sandbox, Fault, Faults, Options, Platform, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

use super::{Ended, Failure};

/// Run a provider's API on this machine, for practice.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A fault is KIND:CHANCE[@METHOD PATH][*TIMES]:
  429, 429-bare        too many requests, with and without Retry-After
  500 … 599, 503-after server errors; 503-after comes after the request took effect
  drop-before, drop    the connection ends before, or after, the request took effect
  slow, malformed, html  two seconds late, half of the JSON, a proxy's page
Example: rolecall sandbox geai --port 4010 --fault 429:0.1 --fault 'drop:1@POST /members*1'")]
pub struct Sandbox {
    /// The provider whose API runs
    provider: Provider,
    /// Listen on this loopback port; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The data to start with
    #[arg(long, default_value = "acme")]
    seed: Seed,
    /// Add a fault and its chance; may be repeated
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,
    /// Seed for the faults; the same seed gives the same faults
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    chance: u64,
    /// Delay every answer by this time
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    latency: u64,
    /// Allow this many requests a second
    #[arg(long, value_name = "NUMBER")]
    rate: Option<u32>,
    /// Keep the state in this file
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Provider {
    Geai,
    Openai,
    Seeme,
    Engine,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Seed {
    /// A practice company
    Acme,
    /// One account to sign in with
    Empty,
}

impl From<Seed> for sandbox::Seed {
    fn from(seed: Seed) -> Self {
        match seed {
            Seed::Acme => Self::Acme,
            Seed::Empty => Self::Empty,
        }
    }
}

impl Sandbox {
    /// Serves until Ctrl-C.
    pub async fn run(&self) -> Ended {
        match self.provider {
            Provider::Geai => self.serve::<Geai>().await,
            Provider::Openai => self.serve::<Openai>().await,
            Provider::Seeme => self.serve::<Seeme>().await,
            Provider::Engine => self.serve::<Engine>().await,
        }
    }

    async fn serve<P: Platform>(&self) -> Ended {
        let options = Options {
            port: self.port,
            faults: Faults::new(self.fault.clone(), self.chance),
            latency: Duration::from_millis(self.latency),
            rate: self.rate,
            state: self.state.clone(),
        };
        let running = sandbox::start(P::seeded(self.seed.into()), options).await;
        let running =
            running.map_err(|error| Failure::new(format!("the sandbox could not start: {error}"), "choose another port or state file"))?;
        let mut out = anstream::stdout().lock();
        writeln!(out, "# {} sandbox at {}; Ctrl-C ends it. To use it:", P::PROVIDER, running.url)?;
        for (name, value) in running.platform().environment(&running.url) {
            writeln!(out, "export {name}={value}")?;
        }
        out.flush()?;
        drop(out);
        tokio::select! {
            () = running.run() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}
