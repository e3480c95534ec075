//! `rolecall console`: the pages on which a person answers what waits.

use std::{io::Write as _, net::SocketAddr, process::ExitCode, sync::Arc};

use rolecall_console::BASE;

use super::{Ended, Failure, ask};
use crate::{
    app::App,
    config::{Config, Overrides, Reach},
    console::{self, Open},
    store::Db,
    transport::{self, http},
};

/// Answer waiting changes in a browser, and see who has access to what.
#[derive(Debug, clap::Args)]
pub struct Console {
    /// Serve the pages at this address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7413")]
    http: SocketAddr,
    /// Print the link, and open no browser
    #[arg(long)]
    print: bool,
}

impl Console {
    /// Serves the pages until a signal comes; where a console is open on this store already, gives a link to that one.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        if !ask::a_person_is_here() {
            return Err(Failure::new(
                "only a person at a terminal can sign in to the console, and this is not a terminal",
                "run this command yourself in a terminal window",
            ));
        }
        let person = ask::person().map_err(|error| Failure::new(error, "run it where the command `id` works"))?;
        let config = Config::load(overrides)?;
        let db = Db::open(&config.store).await?;
        let open = db.read().await?.console().await?;
        if let Some(address) = open {
            self.invite(&console::link(&db, &address, &person).await?, "A console is open on this store already.")?;
            db.close().await;
            return Ok(ExitCode::SUCCESS);
        }
        db.close().await;

        let shutdown = transport::stop_on_signals()?;
        let app = Arc::new(App::new(config.setup(Reach::Local)));
        let mut options = http::HttpOptions::new(self.http);
        options.pages = Some((BASE, Open::pages(&app, shutdown.clone()).await?));
        let bound = http::serve_pages(options, shutdown.clone()).await?;
        let origin = format!("http://{}", bound.addr);
        let open = Open::at(&app, &origin, &shutdown).await?;
        self.invite(&console::link(&app.db, &format!("{origin}{BASE}"), &person).await?, "The console is open. Ctrl-C closes it.")?;
        bound.finished().await?;
        open.close().await;
        app.jobs().stop().await;
        app.db.close().await;
        Ok(ExitCode::SUCCESS)
    }

    /// Tells the link, and opens it where there is a browser.
    fn invite(&self, link: &str, what: &str) -> Result<(), Failure> {
        let mut out = anstream::stderr().lock();
        let bold = anstyle::Style::new().bold();
        writeln!(out, "{what}\nSign in with this link, which is good once and for five minutes:\n\n  {bold}{link}{bold:#}\n")?;
        if !self.print && !browse(link) {
            writeln!(out, "For another link, run `rolecall console` in another terminal.")?;
        }
        Ok(())
    }
}

/// Opens a page by way of a file that only this user can read: what stands on a command line, everybody on the machine can.
fn browse(link: &str) -> bool {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let has_screen = cfg!(target_os = "macos") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|it| std::env::var_os(it).is_some());
    if cfg!(windows) || !has_screen {
        return false;
    }
    let written = || -> std::io::Result<std::path::PathBuf> {
        let mut file = tempfile::Builder::new().prefix("rolecall-console-").suffix(".html").tempfile()?;
        write!(file, "<!doctype html><meta http-equiv=\"refresh\" content=\"0;url={link}\">")?;
        // It holds a code that is good once, and is gone with the folder of temporary files.
        file.into_temp_path().keep().map_err(|error| error.error)
    };
    let Ok(path) = written() else { return false };
    let null = std::process::Stdio::null;
    std::process::Command::new(program).arg(path).stdin(null()).stdout(null()).stderr(null()).spawn().is_ok()
}
