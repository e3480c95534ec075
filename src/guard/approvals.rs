//! A person's answer to a change that waits, given outside the model's reach.

use serde_json::{Value, json};

use super::{Ask, Caller, Guard, GuardSettings, Question, TTL_SECONDS};
use crate::{
    domain::{Gravity, List, Timestamp, one_line},
    error::{CallError, ProviderError},
    shape::{cut, redact},
    store::{Approval, Db, EntryKind, StoreError, transaction},
    tools::context::Waiting,
};

impl Guard {
    /// What waits for a person, oldest first: of the caller, or of all for who sits at the machine itself and where the operator has
    /// set it so. Whoever reads it can answer nothing.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub(crate) async fn waiting(&self, caller: &Caller) -> Result<List<Waiting>, ProviderError> {
        let all = caller.is_local() || self.settings.shared_activity;
        let mut conn = self.db.read().await?;
        let now = conn.now().await?;
        let open = conn.open_approvals(now).await?;
        drop(conn);
        let own = open.into_iter().filter(|it| all || it.principal == caller.principal);
        Ok(List::whole(own.map(|it| waiting(&it)).collect()))
    }
}

/// A question that waits, as a client shows it on a page of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// What an approval keeps: the facts that a page is made of. Nothing in it was written by a model.
    pub(crate) facts: Value,
    /// Whether an answer that is given there counts.
    pub(crate) counts: bool,
    pub(crate) expires_at: Timestamp,
}

impl Guard {
    /// A question of this caller's, for a page that its client shows; `None` where it waits no longer, or is another's.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub(crate) async fn shown(&self, caller: &Caller, id: &str) -> Result<Option<Shown>, CallError> {
        let mut db = self.db.read().await?;
        let now = db.now().await?;
        let found = db.approval(id).await?.filter(|it| it.principal == caller.principal && it.is_open(now));
        Ok(found.map(|it| Shown {
            facts: serde_json::from_str(&it.question).unwrap_or_default(),
            counts: counts_in_client(&it, &self.settings),
            expires_at: Timestamp(it.expires_at),
        }))
    }

    /// Takes an answer from a page that the caller's client has shown. It counts where the yes in a form would, and no more: not where
    /// the operator wants to be asked elsewhere, and not for one of two people.
    ///
    /// # Errors
    ///
    /// [`CallError::BadConfirmation`] where it is no answer to a question of this caller's that still waits, or does not count;
    /// [`CallError::NotConfirmed`] where it is no yes.
    pub(crate) async fn answered_in_client(&self, caller: &Caller, id: &str, answer: &Answer) -> Result<(), CallError> {
        let refused = |message: &str| Err(CallError::BadConfirmation { message: message.to_owned() });
        let not_open = || refused("this question was answered before, or its time is over");
        let Some(approval) = self.db.read().await?.approval(id).await?.filter(|it| it.principal == caller.principal) else {
            return not_open();
        };
        if !counts_in_client(&approval, &self.settings) {
            return refused("the operator wants this to be answered elsewhere, so an answer that a client brings is none");
        }
        let person = format!("somebody in {}", if caller.client.is_empty() { "a client" } else { &caller.client });
        let who = Answering { person: &person, place: Ask::Client };
        let form = match answer {
            Answer::Accepted(form) => form,
            Answer::Declined(reason) => {
                return match refuse(&self.db, id, who, reason).await? {
                    Answered::Refused => Ok(()),
                    _ => not_open(),
                };
            }
        };
        let question = Question::of_approval(&approval);
        if !question.is_yes(form) {
            let message = if question.type_this.is_some() { question.mismatch(form) } else { "the answer is no yes".to_owned() };
            let fix = "stop here; the question still waits for the person".to_owned();
            return Err(CallError::NotConfirmed { code: "wrong_confirmation", message, fix });
        }
        match approve(&self.db, id, who).await? {
            Answered::Approved => Ok(()),
            _ => not_open(),
        }
    }
}

/// What a person answers on a page that their client shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With what a form would hold.
    Accepted(Value),
    /// For a reason, which may be empty.
    Declined(String),
}

/// Whether a yes that a client brings counts for an approval, by what it keeps and by what the operator wants now.
fn counts_in_client(approval: &Approval, settings: &GuardSettings) -> bool {
    let kept: Value = serde_json::from_str(&approval.question).unwrap_or_default();
    let is_for_clients = approval.needed == 1 && Answering { person: "", place: Ask::Client }.may(approval);
    // Of what cannot be read, nobody knows how grave it is.
    let gravity = serde_json::from_value::<Gravity>(kept["impact"]["gravity"].clone());
    is_for_clients && gravity.is_ok_and(|it| settings.counts_in_client(it))
}

fn waiting(it: &Approval) -> Waiting {
    Waiting {
        question: Question::of_approval(it).text,
        tool: it.tool.clone(),
        on: it.connection.clone(),
        expires_at: Timestamp(it.expires_at),
        answered_by: if it.answered_in == Ask::Console.answered_in() {
            format!("a person who answers approval {} in the console; then the call is repeated unchanged", it.id)
        } else {
            format!("a person who runs `rolecall approve {}` in a terminal; then the call is repeated unchanged", it.id)
        },
        approval: it.id.clone(),
    }
}

/// Who answers, and where.
#[derive(Debug, Clone, Copy)]
pub struct Answering<'a> {
    /// Their name, which the caller vouches for.
    pub person: &'a str,
    /// [`Ask::Client`] is a page that a client shows.
    pub place: Ask,
}

impl<'a> Answering<'a> {
    /// At a terminal.
    pub fn at_terminal(person: &'a str) -> Self {
        Self { person, place: Ask::Terminal }
    }

    /// On a page of the console.
    pub fn in_console(person: &'a str) -> Self {
        Self { person, place: Ask::Console }
    }

    /// Whether an approval may be answered there.
    pub(crate) fn may(self, approval: &Approval) -> bool {
        [Ask::Client, self.place].iter().any(|it| it.answered_in() == approval.answered_in)
    }
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The same call, repeated, now runs once.
    Approved,
    /// This many more people have to agree.
    Waiting(i64),
    Refused,
    /// It was answered before, nobody answered in time, or a standby of the store has taken over since it was asked.
    NotOpen,
    /// The operator wants it to be answered elsewhere: in the `console`, or at a `terminal`.
    Elsewhere(String),
}

impl Question {
    /// The question that an approval keeps.
    #[must_use]
    pub fn of_approval(approval: &Approval) -> Self {
        let kept: Value = serde_json::from_str(&approval.question).unwrap_or_default();
        let text = |name: &str| kept[name].as_str().map(str::to_owned);
        Self { text: text("text").unwrap_or_default(), type_this: text("type_this"), again: None }
    }
}

/// Agrees to a waiting change.
///
/// # Errors
///
/// Where the store cannot be used.
pub async fn approve(db: &Db, id: &str, who: Answering<'_>) -> Result<Answered, StoreError> {
    transaction!(db.recording(), StoreError, tx => {
        let (now, timeline) = (tx.now().await?, tx.timeline(db).await?);
        match tx.approval(id).await? {
            Some(approval) if approval.timeline() != timeline => return Ok(Answered::NotOpen),
            Some(approval) if !who.may(&approval) => return Ok(Answered::Elsewhere(approval.answered_in)),
            _ => {}
        }
        let Some(missing) = tx.approve(id, who.person, now, now.plus_seconds(TTL_SECONDS)).await? else { return Ok(Answered::NotOpen) };
        let answer = json!({ "approval": id, "person": who.person, "place": who.place.name(), "answer": "approved", "still_needed": missing });
        tx.append(id, EntryKind::Answer, &answer).await?;
        Ok(if missing == 0 { Answered::Approved } else { Answered::Waiting(missing) })
    })
}

/// Turns a waiting change down, wherever it should be agreed to; a reason is told to whoever asked.
///
/// # Errors
///
/// Where the store cannot be used.
pub async fn refuse(db: &Db, id: &str, who: Answering<'_>, reason: &str) -> Result<Answered, StoreError> {
    let reason = cut(&redact(&one_line(reason.trim())), MOST_REASON);
    let reason = Some(reason.as_str()).filter(|it| !it.is_empty());
    transaction!(db.recording(), StoreError, tx => {
        let now = tx.now().await?;
        if !tx.refuse(id, now, reason).await? {
            return Ok(Answered::NotOpen);
        }
        let answer = json!({ "approval": id, "person": who.person, "place": who.place.name(), "answer": "refused", "reason": reason });
        tx.append(id, EntryKind::Answer, &answer).await?;
        Ok(Answered::Refused)
    })
}

/// How long a reason may be that is passed on.
const MOST_REASON: usize = 300;
