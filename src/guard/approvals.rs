//! A person's answer to a change that waits, given outside the model's reach.

use serde_json::{Value, json};

use super::{Ask, Question, TTL_SECONDS};
use crate::{
    domain::{Timestamp, one_line},
    shape::{cut, redact},
    store::{Approval, Db, EntryKind, StoreError, transaction},
};

/// Who answers, and where.
#[derive(Debug, Clone, Copy)]
pub struct Answering<'a> {
    /// Their name, which the caller vouches for.
    pub person: &'a str,
    /// [`Ask::Console`] or [`Ask::Terminal`].
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
    transaction!(db, StoreError, tx => {
        let (now, timeline) = (Timestamp::now(), tx.timeline(db).await?);
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
    transaction!(db, StoreError, tx => {
        if !tx.refuse(id, Timestamp::now(), reason).await? {
            return Ok(Answered::NotOpen);
        }
        let answer = json!({ "approval": id, "person": who.person, "place": who.place.name(), "answer": "refused", "reason": reason });
        tx.append(id, EntryKind::Answer, &answer).await?;
        Ok(Answered::Refused)
    })
}

/// How long a reason may be that is passed on.
const MOST_REASON: usize = 300;
