//! `rolecall approvals`, `approve` and `refuse`: what waits for a person, and the person's answer.

use std::{io::Write as _, process::ExitCode};

use super::{Ended, Failure, Output, ask};
use crate::{
    config::{Config, Overrides},
    domain::Timestamp,
    guard::{self, Answer, Answered, Answering, Question},
    store::{Approval, Db},
};

/// List the changes that wait for approval.
#[derive(Debug, clap::Args)]
pub struct Approvals {
    #[command(flatten)]
    output: Output,
}

/// Approve a waiting change.
#[derive(Debug, clap::Args)]
pub struct ApprovalAnswer {
    /// The approval's id, such as k7m2qx
    id: String,
}

/// Reject a waiting change.
#[derive(Debug, clap::Args)]
pub struct Refusal {
    /// The approval's id, such as k7m2qx
    id: String,
    /// The reason; the assistant is told it
    #[arg(long)]
    reason: Option<String>,
}

impl Approvals {
    /// Lists them.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let db = Config::load(overrides)?.db();
        let mut conn = db.read().await?;
        let now = conn.now().await?;
        let open = conn.open_approvals(now).await?;
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
        let (db, approval, person) = open(overrides, &self.id).await?;
        let who = Answering::at_terminal(&person);
        if !who.may(&approval) {
            return Err(elsewhere(&self.id, &approval.answered_in));
        }
        let question = Question::of_approval(&approval);
        let no = match ask::ask(&question)? {
            Answer::Accepted(form) if question.is_yes(&form) => None,
            Answer::Accepted(form) if question.type_this.is_some() => Some(question.mismatch(&form)),
            _ => Some("you did not agree".to_owned()),
        };
        if let Some(reason) = no {
            let fix =
                format!("the change still waits: `rolecall approve {id}` asks again, `rolecall refuse {id}` rejects it", id = self.id);
            return Err(Failure::new(format!("{reason}; nothing was approved"), fix));
        }
        let mut out = anstream::stderr().lock();
        match guard::approve(&db, &approval.id, who).await? {
            Answered::Approved => {
                writeln!(out, "Approved by {person}. The assistant may now repeat the same call, once, within five minutes.")?;
                Ok(ExitCode::SUCCESS)
            }
            Answered::Waiting(more) => {
                writeln!(out, "Approved by {person}. {more} more person has to approve it, under another user name.")?;
                Ok(ExitCode::from(3))
            }
            Answered::Elsewhere(place) => Err(elsewhere(&self.id, &place)),
            Answered::Refused | Answered::NotOpen => Err(not_open(&self.id)),
        }
    }
}

impl Refusal {
    /// Rejects it; the assistant is told the reason.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let (db, approval, person) = open(overrides, &self.id).await?;
        match guard::refuse(&db, &approval.id, Answering::at_terminal(&person), self.reason.as_deref().unwrap_or_default()).await? {
            Answered::Refused => {
                writeln!(anstream::stderr(), "Rejected by {person}; nothing was changed.")?;
                Ok(ExitCode::SUCCESS)
            }
            _ => Err(not_open(&self.id)),
        }
    }
}

/// The approval, if it waits, and who answers it. Only at a terminal: an assistant with a shell must not agree to its own calls.
async fn open(overrides: &Overrides, id: &str) -> Result<(Db, Approval, String), Failure> {
    if !ask::a_person_is_here() {
        return Err(Failure::new(
            "only a person at a terminal can answer an approval, and this is not a terminal",
            "run this command yourself in a terminal window",
        ));
    }
    let db = Db::open(&Config::load(overrides)?.store).await?;
    let mut conn = db.read().await?;
    let (found, now) = (conn.approval(id).await?, conn.now().await?);
    drop(conn);
    let approval = found.ok_or_else(|| Failure::new(format!("no approval `{id}`"), "see `rolecall approvals`"))?;
    if !approval.is_open(now) {
        return Err(not_open(id));
    }
    let person = ask::person().map_err(|error| Failure::new(error, "run it where the command `id` works"))?;
    Ok((db, approval, person))
}

fn elsewhere(id: &str, place: &str) -> Failure {
    let fix = match place {
        "console" => "run `rolecall console`, and answer it there",
        _ => "run `rolecall approve` in a terminal",
    };
    Failure::new(format!("approval `{id}` can be answered in the {place} only: `guard.ask` says so"), fix)
}

fn not_open(id: &str) -> Failure {
    Failure::new(
        format!(
            "approval `{id}` no longer waits: it was answered, has expired, or was asked before the database failed over to another server"
        ),
        "let the assistant repeat its call; you are then asked again",
    )
}
