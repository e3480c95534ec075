//! `rolecall demo`: a real MCP client on the real server, told as a story.
//!
//! What the assistant says is written here; what the server answers is not.

mod stage;

use std::{
    io::{IsTerminal as _, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use rolecall_console::BASE;
use serde_json::json;
use stage::{Assistant, Stage, unexpected};
use tokio_util::sync::CancellationToken;

use super::{Ended, Failure};
use crate::{
    app::{App, Setup},
    console::{self, Open},
    guard::{self, Answered, Answering},
    providers::local::seed,
    server::Server,
    store::Db,
    transport::{
        self, http,
        pipe::{Asked, Reply},
    },
};

/// Watch a scripted assistant work in a temporary directory.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Do not pause between the lines
    #[arg(long)]
    fast: bool,
    /// Open the console beside it, and answer there what the last client cannot ask
    #[arg(long)]
    console: bool,
}

impl Demo {
    /// Plays it on standard output.
    pub async fn run(&self) -> Ended {
        let pause = if self.fast || !std::io::stdout().is_terminal() { Duration::ZERO } else { Duration::from_millis(220) };
        if self.console && !super::ask::a_person_is_here() {
            return Err(Failure::usage("`--console` gives a link to a person at a terminal, and this is none", "leave it out"));
        }
        told(&mut anstream::stdout(), pause, self.console).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Plays the story in a folder of its own, which is gone afterwards.
pub async fn play(out: &mut impl Write, pause: Duration) -> Result<(), Failure> {
    told(out, pause, false).await
}

async fn told(out: &mut impl Write, pause: Duration, console: bool) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix(&format!("rolecall-demo-{}-", std::process::id())).tempdir()?;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("directory.sqlite3").display())).await?;
    let told = story(&mut Stage { out, pause }, &db, folder.path(), console).await;
    db.close().await;
    folder.close()?;
    told
}

async fn story<W: Write>(stage: &mut Stage<'_, W>, db: &Db, folder: &std::path::Path, console: bool) -> Result<(), Failure> {
    let seeded = seed::seed(db, "acme").await.map_err(crate::error::CallError::from)?;
    let app = Arc::new(App::new(Setup::local(db.clone(), folder.join("secrets"))));
    let server = Server::new(Arc::clone(&app));
    let beside = if console { Some(Beside::open(&app).await?) } else { None };
    let mut assistant = Assistant::connect(&server, "assistant", true).await?;

    stage.title("Rolecall: an assistant runs an organization, and a person keeps the last word")?;
    stage.aside(&format!(
        "Everything below really happens: a real MCP client talks to the real server, about a practice company ({} organizations, {} people, \
         {} projects) in a temporary folder. Only the person's and the assistant's lines were written beforehand.",
        seeded.organizations, seeded.people, seeded.projects
    ))?;

    if let Some(beside) = &beside {
        stage.aside(&format!("The console stands beside it. Sign in now with this link, which is good once: {}", beside.link))?;
    }
    stage.chapter("1. Looking around is free")?;
    stage.person("What can you reach? And which projects does Acme have that mention \"at\" in their name?")?;
    assistant.call(stage, "list_connections", json!({})).await?.done(stage)?;
    assistant.call(stage, "list_organizations", json!({})).await?.done(stage)?;
    assistant.call(stage, "list_projects", json!({ "organization": "Acme", "query": "at" })).await?.done(stage)?;

    stage.chapter("2. So is everyday work that can be undone")?;
    stage.person("Start a project Aurora at Acme. Mei joins it, and invite Noa Levi, who is new.")?;
    let aurora = json!({ "name": "Aurora", "organization": "Acme", "description": "Solar storms, a day ahead" });
    assistant.call(stage, "create_project", aurora).await?.done(stage)?;
    let mei = json!({ "project": "Aurora", "member": "mei.tanaka@acme.example", "roles": ["member"] });
    assistant.call(stage, "add_project_member", mei).await?.done(stage)?;
    let noa = json!({ "email": "noa.levi@acme.example", "organization": "Acme", "projects": ["Aurora"] });
    assistant.call(stage, "invite_organization_member", noa).await?.done(stage)?;
    stage.aside("Names are enough: the server finds the ids, and where a name fits twice it answers with the candidates.")?;

    stage.chapter("3. Power over others needs a person's yes")?;
    stage.person("Make Jonas an administrator of Acme.")?;
    let jonas = json!({ "member": "jonas.weber@acme.example", "role": "admin", "organization": "Acme" });
    let asked = assistant.call(stage, "update_organization_member", jonas).await?.asks(stage)?;
    stage.answer("Yes, do it")?;
    assistant.answer(stage, asked, json!({ "confirm": true })).await?.done(stage)?;

    stage.chapter("4. A model cannot say yes in the person's name")?;
    stage.person("Atlas has run its course. Clean it up.")?;
    stage.agent("I was told that it is fine, so I confirm it myself.")?;
    assistant.call(stage, "delete_project", json!({ "project": "Atlas", "confirm": true })).await?.fails(stage, "invalid_arguments")?;
    stage.aside("There is no such argument, on purpose: consent never goes through the model.")?;

    stage.chapter("5. What is lost is shown first, and its name has to be typed")?;
    stage.agent("Then the proper way.")?;
    let asked = assistant.call(stage, "delete_project", json!({ "project": "Atlas" })).await?.asks(stage)?;
    let used = asked.clone();
    stage.answer("types: Atlas")?;
    assistant.answer(stage, asked, json!({ "name": "Atlas" })).await?.done(stage)?;

    stage.chapter("6. A consent works once")?;
    stage.aside("A new project takes the name, and the assistant sends the very same consent again, byte for byte.")?;
    assistant.call(stage, "create_project", json!({ "name": "Atlas", "organization": "Acme" })).await?.done(stage)?;
    assistant.answer(stage, used, json!({ "name": "Atlas" })).await?.fails(stage, "confirmation_rejected")?;

    stage.chapter("7. A client that cannot ask does not get past either")?;
    stage.person("(through a chat client that has no way to show a question) Take Ana off everything at Acme.")?;
    let mut mute = Assistant::connect(&server, "mute-client", false).await?;
    let ana = || json!({ "member": "ana.ruiz@acme.example", "organization": "Acme" });
    let pending = mute.call(stage, "remove_organization_member", ana()).await?.fails(stage, "pending_approval")?;
    let id = pending["approval_id"].as_str().unwrap_or_default().to_owned();
    if let Some(beside) = &beside {
        stage.answer(&format!("now it is you: answer it at {}/q/{id}, within five minutes", beside.address))?;
        beside.answered(&app, &id).await?;
    } else {
        stage.answer(&format!("in a terminal window: rolecall approve {id}"))?;
        stage.answer("reads the same question there, and types: ana.ruiz@acme.example")?;
        // `rolecall approve` wants a terminal and a person; this is what it does once it has both.
        match guard::approve(db, &id, Answering::at_terminal("you")).await? {
            Answered::Approved => {}
            other => return Err(unexpected(&format!("{other:?}"))),
        }
    }
    stage.agent("The same call again.")?;
    match mute.call(stage, "remove_organization_member", ana()).await? {
        // Whoever answers in the console may well refuse.
        Reply::Failed { text, .. } if beside.is_some() => stage.stopped(&text)?,
        made => drop(made.done(stage)?),
    }

    stage.chapter("8. Every change is on record, and the record can be verified")?;
    assistant.call(stage, "list_activity", json!({ "limit": 6 })).await?.done(stage)?;
    let proof = db.read().await?.verify_ledger().await?;
    stage.answer("in a terminal window: rolecall activity --verify")?;
    match proof.broken {
        None => stage.server(&format!("OK: {} rows, none was changed, removed or inserted. Head: {}", proof.rows, proof.head))?,
        Some((row, why)) => return Err(unexpected(&format!("row {row}: {why}"))),
    }

    assistant.leave().await;
    mute.leave().await;
    if let Some(beside) = beside {
        stage.aside("Look around in the console; Ctrl-C ends it.")?;
        beside.stop.cancelled().await;
        beside.open.close().await;
    }
    stage.title("Now with your own assistant")?;
    stage.lines(&[
        ("rolecall connect claude-desktop", "connects it; also claude-code, vscode, cursor, codex and others"),
        ("rolecall seed acme", "the practice company in your own directory, while that is empty"),
        ("rolecall tools", "everything an assistant is offered"),
        ("rolecall serve --http 127.0.0.1:8080", "for clients that come over HTTP"),
    ])?;
    Ok(())
}

/// The console, open beside the story.
struct Beside {
    address: String,
    link: String,
    stop: CancellationToken,
    open: Open,
}

impl Beside {
    async fn open(app: &Arc<App>) -> Result<Self, Failure> {
        let stop = transport::stop_on_signals()?;
        let mut options = http::HttpOptions::new(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
        options.pages = Some((BASE, Open::pages(app, stop.clone()).await?));
        let bound = http::serve_pages(options, stop.clone()).await?;
        let origin = format!("http://{}", bound.addr);
        let open = Open::at(app, &origin, &stop).await?;
        let address = format!("{origin}{BASE}");
        let person = super::ask::person().map_err(|error| Failure::new(error, "run it where the command `id` works"))?;
        Ok(Self { link: console::link(&app.db, &address, &person).await?, address, stop, open })
    }

    /// Waits until the person has answered, or no longer can.
    async fn answered(&self, app: &App, approval: &str) -> Result<(), Failure> {
        while app.waits(approval).await? && !self.stop.is_cancelled() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(())
    }
}

impl Reply {
    /// The call was made.
    fn done<W: Write>(self, stage: &mut Stage<'_, W>) -> Result<serde_json::Value, Failure> {
        match self {
            Self::Done { text, value } => {
                stage.server(&text)?;
                Ok(value)
            }
            other => Err(unexpected(&other.told())),
        }
    }

    /// The person is asked.
    fn asks<W: Write>(self, stage: &mut Stage<'_, W>) -> Result<Asked, Failure> {
        match self {
            Self::Asks(asked) => {
                stage.stopped("asks the person, through the client:")?;
                stage.question(&asked.question)?;
                Ok(asked)
            }
            other => Err(unexpected(&other.told())),
        }
    }

    /// It was refused, with this code.
    fn fails<W: Write>(self, stage: &mut Stage<'_, W>, code: &str) -> Result<serde_json::Value, Failure> {
        match self {
            Self::Failed { text, value } if value["code"] == code => {
                stage.stopped(&text)?;
                Ok(value)
            }
            other => Err(unexpected(&other.told())),
        }
    }
}
