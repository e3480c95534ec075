//! `rolecall conformance`: the server, with what the official conformance suite calls in front of it. In no release.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use super::{Ended, Failure};
use crate::{
    app::App,
    config::{Config, Overrides, Reach},
    conformance::WithFixtures,
    server::Server,
    transport::{self, http},
};

/// Serve with the fixtures of the conformance suite.
#[derive(Debug, clap::Args)]
pub struct Conformance {
    /// The address to listen at
    #[arg(long, value_name = "ADDRESS")]
    http: SocketAddr,
}

impl Conformance {
    /// Serves until a signal comes.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let config = Config::load(overrides)?;
        let shutdown = transport::stop_on_signals()?;
        let app = Arc::new(App::new(config.setup(Reach::Http)));
        let server = WithFixtures::new(Server::new(Arc::clone(&app))).map_err(|error| Failure::new(error.to_string(), ""))?;
        http::serve_http(server, http::HttpOptions::new(self.http), shutdown).await?.finished().await?;
        app.db.close().await;
        Ok(ExitCode::SUCCESS)
    }
}
