//! `rolecall approvals`, `approve` and `refuse`: what waits for a person, and the person's answer.

use std::{io::Write as _, process::ExitCode};

use super::{Ended, Failure, Output, ask};
use crate::{
    config::{Config, Overrides},
    domain::Timestamp,
    guard::{self, Answer, Answered, Question},
    store::{Approval, Db},
};

/// List the changes that wait for approval.
#[derive(Debug, clap::Args)]
pub struct Approvals {
    #[command(flatten)]
    output: Output,
}

/// Approve or reject a waiting change.
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
        if !self.output.is_table() {
            let view = |it: &Approval| {
                serde_json::json!({
                    "id": it.id, "tool": it.tool, "connection": it.connection, "principal": it.principal,
                    "question": Question::of_approval(it).text, "people_needed": it.needed,
                    "asked_at": Timestamp(it.created_at), "expires_at": Timestamp(it.expires_at),
                })
            };
            self.output.data(&mut out, &open.iter().map(view).collect::<Vec<_>>())?;
        } else if open.is_empty() {
            writeln!(anstream::stderr(), "No change waits for approval.")?;
        } else {
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
            self.output.table(&mut out, &["id", "question", "asked by", "time left"], open.iter().map(row))?;
            writeln!(anstream::stderr(), "\nAnswer with `rolecall approve ID` or `rolecall refuse ID`.")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ApprovalAnswer {
    /// Approves it, once the person at the terminal has read the question and said yes.
    pub async fn approve(&self, overrides: &Overrides) -> Ended {
        let (db, approval, person) = self.open(overrides).await?;
        let question = Question::of_approval(&approval);
        let no = match ask::ask(&question)? {
            Answer::Accepted(form) if question.is_yes(&form) => None,
            Answer::Accepted(form) if question.type_this.is_some() => Some(question.mismatch(&form)),
            _ => Some("you did not approve the change".to_owned()),
        };
        if let Some(reason) = no {
            let fix =
                format!("the change still waits: `rolecall approve {id}` asks again, `rolecall refuse {id}` rejects it", id = self.id);
            return Err(Failure::new(format!("{reason}; nothing was approved"), fix));
        }
        let mut out = anstream::stderr().lock();
        match guard::approve(&db, &approval.id, &person).await? {
            Answered::Approved => {
                writeln!(out, "Approved by {person}. The assistant may now repeat the same call, once, within five minutes.")?;
                Ok(ExitCode::SUCCESS)
            }
            Answered::Waiting(more) => {
                writeln!(out, "Approved by {person}. {more} more person has to approve it, under another user name.")?;
                Ok(ExitCode::from(3))
            }
            Answered::Refused | Answered::NotOpen => Err(not_open(&self.id)),
        }
    }

    /// Rejects it.
    pub async fn refuse(&self, overrides: &Overrides) -> Ended {
        let (db, approval, person) = self.open(overrides).await?;
        match guard::refuse(&db, &approval.id, &person).await? {
            Answered::Refused => {
                writeln!(anstream::stderr(), "Rejected by {person}; nothing was changed.")?;
                Ok(ExitCode::SUCCESS)
            }
            _ => Err(not_open(&self.id)),
        }
    }

    /// The approval, if it waits, and who answers it. Only at a terminal: an assistant with a shell must not agree to its own calls.
    async fn open(&self, overrides: &Overrides) -> Result<(Db, Approval, String), Failure> {
        if !ask::a_person_is_here() {
            return Err(Failure::new(
                "only a person at a terminal can answer an approval, and this is no terminal",
                "run this command yourself in a terminal window",
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
        format!("approval `{id}` no longer waits: it was answered, has expired, or was asked before the store went over to another server"),
        "let the assistant repeat its call; you are then asked again",
    )
}
