//! `rolecall approvals`, `approve` and `refuse`: what waits for a person, and the person's answer.

use std::{io::Write as _, process::ExitCode};

use super::{Ended, Failure, Format, ask, output};
use crate::{
    config::{Config, Overrides},
    domain::Timestamp,
    guard::{self, Answer, Answered, Question},
    store::{Approval, Db},
};

/// List the changes that wait for a person.
#[derive(Debug, clap::Args)]
pub struct Approvals {
    /// A table, or JSON for programs
    #[arg(long)]
    output: Option<Format>,
}

/// Agree to a change that waits, or turn it down.
#[derive(Debug, clap::Args)]
pub struct ApprovalAnswer {
    /// The approval's id, such as k7m2qx
    id: String,
}

impl Approvals {
    /// Lists them.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let db = Db::open(&Config::load(overrides)?.store).await?;
        let now = Timestamp::now();
        let open = db.read().await?.open_approvals(now).await?;
        let mut out = anstream::stdout().lock();
        match Format::or_fitting(self.output) {
            Format::Json => {
                let view = |it: &Approval| {
                    serde_json::json!({
                        "id": it.id, "tool": it.tool, "connection": it.connection, "principal": it.principal,
                        "question": Question::of_approval(it).text, "people_needed": it.needed,
                        "asked_at": Timestamp(it.created_at), "expires_at": Timestamp(it.expires_at),
                    })
                };
                output::json(&mut out, &open.iter().map(view).collect::<Vec<_>>())?;
            }
            Format::Table if open.is_empty() => writeln!(out, "Nothing waits for a person.")?,
            Format::Table => {
                let row = |it: &Approval| {
                    let question = Question::of_approval(it).text;
                    let left = (it.expires_at - now.0).max(0) / 1000;
                    vec![
                        it.id.clone(),
                        question.lines().next().unwrap_or_default().to_owned(),
                        it.principal.clone(),
                        format!("{}:{:02}", left / 60, left % 60),
                    ]
                };
                output::table(&mut out, &["id", "question", "asked by", "time left"], open.iter().map(row))?;
                writeln!(out, "\nAnswer with `rolecall approve ID` or `rolecall refuse ID`.")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ApprovalAnswer {
    /// Agrees, once the person at the terminal has read the question and said yes to it.
    pub async fn approve(&self, overrides: &Overrides) -> Ended {
        let (db, approval, person) = self.open(overrides).await?;
        let question = Question::of_approval(&approval);
        let yes = matches!(ask::ask(&question)?, Answer::Accepted(form) if question.is_yes(&form));
        if !yes {
            let fix =
                format!("it still waits: `rolecall approve {id}` to be asked again, `rolecall refuse {id}` to turn it down", id = self.id);
            return Err(Failure::new("that was not a yes; nothing was approved", fix));
        }
        let mut out = anstream::stderr().lock();
        match guard::approve(&db, &approval.id, &person).await? {
            Answered::Approved => {
                writeln!(out, "Approved by {person}. The assistant may now repeat the same call, once, within five minutes.")?;
                Ok(ExitCode::SUCCESS)
            }
            Answered::Waiting(more) => {
                writeln!(out, "Counted for {person}. {more} more person has to agree, under another user name.")?;
                Ok(ExitCode::from(3))
            }
            Answered::Refused | Answered::NotOpen => Err(not_open(&self.id)),
        }
    }

    /// Turns it down.
    pub async fn refuse(&self, overrides: &Overrides) -> Ended {
        let (db, approval, person) = self.open(overrides).await?;
        match guard::refuse(&db, &approval.id, &person).await? {
            Answered::Refused => {
                writeln!(anstream::stderr(), "Refused by {person}; nothing was changed.")?;
                Ok(ExitCode::SUCCESS)
            }
            _ => Err(not_open(&self.id)),
        }
    }

    /// The approval, if it waits, and who answers it. Only at a terminal: an assistant with a shell must not agree to its own calls.
    async fn open(&self, overrides: &Overrides) -> Result<(Db, Approval, String), Failure> {
        if !ask::a_person_is_here() {
            return Err(Failure::new(
                "an approval is answered by a person at a terminal, and this is none",
                "a person runs this command in a terminal window; a program cannot",
            ));
        }
        let db = Db::open(&Config::load(overrides)?.store).await?;
        let found = db.read().await?.approval(&self.id).await?;
        let approval = found.ok_or_else(|| Failure::new(format!("no approval `{}`", self.id), "see `rolecall approvals`"))?;
        if !approval.is_open(Timestamp::now()) {
            return Err(not_open(&self.id));
        }
        let person = ask::person().map_err(|error| Failure::new(error, "run it where the command `id` works"))?;
        Ok((db, approval, person))
    }
}

fn not_open(id: &str) -> Failure {
    Failure::new(
        format!("approval `{id}` no longer waits: it was answered or has expired"),
        "let the assistant repeat its call to be asked anew",
    )
}
